"""The group ``linalg``: six decompositions, of which the engine composes the others."""

import autograd.numpy as np
from d2l_backends.numpy import linalg as standard

from d2l_example.tensor import owning

lower_cholesky = owning(np.linalg.cholesky)
solve_columns = owning(np.linalg.solve)
reduced_qr = owning(standard.reduced_qr)


@owning
def log_determinant(x, /):
    sign, size = np.linalg.slogdet(x)
    return sign, size


@owning
def symmetric_eigen(x, /):
    values, vectors = np.linalg.eigh(x)
    return values, vectors


@owning
def reduced_svd(x, /):
    left, values, right = np.linalg.svd(x, full_matrices=False)
    return left, values, right
