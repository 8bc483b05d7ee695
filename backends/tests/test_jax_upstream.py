"""Faults of JAX that this adapter works around: each test fails when the fault is mended."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy


def test_log1p_is_inaccurate_in_float64():
    """When this fails, delete `_accurate_log1p` and take `log1p = jnp.log1p` in arrays.py."""
    x = np.array([-0.41415390294780263])
    with jax.enable_x64(True):
        error = np.asarray(jnp.log1p(x)) - np.log1p(x)
    assert np.abs(error / np.spacing(np.log1p(x))) > 20


def test_atanh_is_inaccurate_in_float64():
    """When this fails, take `atanh = jnp.atanh` in arrays.py."""
    x = np.linspace(-0.9, 0.9, 100)
    with jax.enable_x64(True):
        error = np.asarray(jnp.atanh(x)) - np.arctanh(x)
    assert np.abs(error / np.spacing(np.arctanh(x))).max() > 20
