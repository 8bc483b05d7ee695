"""What is particular to this adapter; the rest is the conformance suite's."""

import pytest

from d2l_core.autodiff import checkpoint
from d2l_core.backend import use_backend

jax = pytest.importorskip("jax")
jnp = jax.numpy


def test_a_checkpoint_keeps_no_intermediate_results():
    """What JAX keeps for the gradient: the inputs of four parts instead of the results of 32 operations."""

    def part(x):
        for _ in range(4):
            x = jnp.tanh(jnp.sin(x))
        return x

    def kept(f):
        _, pullback = jax.vjp(lambda x: f(f(f(f(x)))), jnp.ones(1000, jnp.float32))
        return sum(leaf.nbytes for leaf in jax.tree.leaves(pullback))

    with use_backend("jax"):
        plain, saved = kept(part), kept(checkpoint(part))
    assert plain >= 32 * 4000
    assert saved <= 5 * 4000
