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


def test_the_compiler_for_the_processor_undoes_checkpoints():
    """XLA takes the second evaluation for the first there. When this fails, delete the sentence in docs/design.md."""

    def part(x, weight):
        for _ in range(4):
            x = jnp.tanh(x @ weight)
        return x

    def products(f):
        gradient = jax.grad(lambda x, weight: f(f(x, weight), weight).sum())
        return jax.jit(gradient).lower(jnp.ones((64, 8)), jnp.ones((8, 8))).compile().as_text().count("dot(")

    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        assert products(jax.checkpoint(part)) == products(part) > 0
