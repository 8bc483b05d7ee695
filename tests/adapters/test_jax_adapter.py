"""What is particular to this adapter; the rest is the conformance suite's."""

from functools import partial

import numpy as np
import pytest

from d2l_core import composites, interface, nn, xp
from d2l_core.autodiff import checkpoint
from d2l_core.backend import use_backend
from d2l_core.composites import compile_steps

jax = pytest.importorskip("jax")
jnp = jax.numpy
autodiff = pytest.importorskip("d2l_backends.jax.autodiff")
network = pytest.importorskip("d2l_backends.jax.network")


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


@pytest.mark.parametrize("layer", ["RNN", "GRU", "LSTM"])
def test_recurrent_layers_keep_the_state_alone(layer):
    """For the gradient of 16 steps; gates that were kept would take two to eight times as much again."""
    with use_backend("jax"):
        X = xp.zeros((16, 256, 8))
        model = getattr(nn, layer)(64).initialise(X, seed=0)
        weights = [variable.value for variable in model.parameters().values()]
        state = model.first_state(X)
        states = len(jax.tree.leaves(state))

        run = {"RNN": composites.rnn_tanh, "GRU": composites.gru, "LSTM": composites.lstm}[layer]
        _, pullback = jax.vjp(lambda X, weights: run(X, state, *weights)[0], X, weights)
    kept = sum(leaf.nbytes for leaf in jax.tree.leaves(pullback))
    assert kept <= (states + 0.5) * 16 * 256 * 64 * 4


@pytest.mark.parametrize(
    ("images", "filters", "padding"),
    [((3, 2, 9), (4, 2, 3), 1), ((3, 1, 7, 6), (2, 1, 5, 3), (2, 0)), ((2, 2, 3, 4, 5), (2, 2, 2, 3, 1), (0, 1, 2))],
)
def test_rows_by_matrices_are_a_convolution(images, filters, padding):
    """Values and both gradients, with one, two and three axes."""
    generator = np.random.default_rng(0)
    x, weight = (jnp.asarray(generator.normal(size=shape), jnp.float32) for shape in (images, filters))
    sides = tuple((p, p) for p in network._per_axis(padding, len(images) - 2))

    def plain(x, weight):
        return jax.lax.conv_general_dilated(x, weight, (1,) * len(sides), sides)

    (wanted, pullback), (found, ours) = (
        jax.vjp(f, x, weight) for f in (plain, partial(network._thin_conv, sides=sides))
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    for gradient, other in zip(ours(wanted), pullback(wanted), strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("images", "filters", "options", "thin"),
    [
        ((128, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}, True),
        ((4, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}, False),
        ((128, 1, 28, 28), (64, 1, 5, 5), {}, False),
        ((128, 1, 28, 28), (6, 1, 5, 5), {"stride": 2}, False),
        ((128, 1, 28, 28), (6, 1, 5, 5), {"dilation": 2}, False),
        ((128, 2, 28, 28), (6, 1, 5, 5), {"groups": 2}, False),
    ],
)
def test_many_images_of_few_channels_are_multiplied_by_rows(images, filters, options, thin):
    """Where that is quicker than XLA's own."""
    x, weight = jnp.zeros(images), jnp.zeros(filters)
    program = str(jax.make_jaxpr(lambda x, weight: network.conv(x, weight, **options))(x, weight))
    assert ("conv_general_dilated" not in program) == thin


@pytest.mark.parametrize(("convolves", "loops"), [(True, False), (False, True)])
def test_only_large_convolutions_are_kept_out_of_the_loop(monkeypatch, convolves, loops):
    monkeypatch.setattr(autodiff, "LOOPED_FLOPS", 1000.0)
    seen, loop = [], jax.lax.while_loop
    monkeypatch.setattr(jax.lax, "while_loop", lambda *args: seen.append(1) or loop(*args))
    with use_backend("jax"):
        image, kernel, matrix = xp.ones((1, 2, 8, 8)), xp.ones((2, 2, 3, 3)), xp.ones((64, 64))

        def step(state, row):
            return xp.sum(interface.conv(image * row, kernel) if convolves else matrix @ matrix * row), state

        run = compile_steps(step)
        results, _ = run([], xp.ones((3,)), 0, 3)
    assert results.shape == (3,)
    assert bool(seen) is loops
