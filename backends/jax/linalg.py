"""Decompositions on JAX: its own functions."""

from functools import partial

import jax.numpy as jnp

lower_cholesky = jnp.linalg.cholesky
solve_columns = jnp.linalg.solve
log_determinant = jnp.linalg.slogdet
symmetric_eigen = jnp.linalg.eigh
reduced_svd = partial(jnp.linalg.svd, full_matrices=False)
reduced_qr = jnp.linalg.qr
