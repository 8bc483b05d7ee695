"""Modules made of ours as Flax NNX's own, and its own layers as ours."""

import numpy as np
import pytest
from _attending import Attending

from d2l_core import nn, xp
from d2l_core.backend import use_backend
from d2l_core.errors import CheckpointError, UsageError
from d2l_core.interchange import from_native, to_native

jax = pytest.importorskip("jax")
nnx = pytest.importorskip("flax.nnx")
jnp = jax.numpy


@pytest.fixture(autouse=True)
def active_backend():
    """JAX at precision 32."""
    with use_backend("jax", precision=32) as active:
        yield active


def network():
    X = xp.asarray(np.random.default_rng(0).normal(size=(4, 6)))
    return nn.Sequential(nn.Linear(4), nn.BatchNorm(), nn.Dropout(0.5), nn.Linear(2)).initialise(X, seed=0), X


def test_parameters_and_buffers_are_kinds_of_variables():
    """So that `nnx.split` parts what is trained from what is not, and `nnx.merge` puts it together again."""
    model, X = network()
    model[0].freeze()
    native = to_native(model)
    native.eval()
    graph, trained, rest = nnx.split(native, nnx.Param, ...)
    assert [".".join(path) for path, _ in nnx.to_flat_state(trained)] == ["1.bias", "1.weight", "3.bias", "3.weight"]
    doubled = nnx.merge(graph, jax.tree.map(lambda x: 2.0 * x, trained), rest)
    np.testing.assert_array_equal(native(X), model.evaluate()(X))
    assert not np.array_equal(doubled(X), native(X))


def test_modes_and_jit():
    """`train` and `eval` are Flax's; statistics written inside `nnx.jit` come out."""
    model, X = network()
    native = to_native(model)
    native.train()
    nnx.jit(lambda native, X: native(X))(native, X)
    state = nnx.state(native, nnx.BatchStat)
    assert int(state["2"]["calls"][...][0]) == 1
    seen = np.asarray(state["1"]["running_mean"][...])
    assert seen.any()
    native.eval()
    np.testing.assert_array_equal(native(X), native(X))
    np.testing.assert_array_equal(nnx.state(native, nnx.BatchStat)["1"]["running_mean"][...], seen)
    assert not model.state_dict()["1.running_mean"].any()


class ByHand(nnx.Module):
    """Convolution, both normalisations and dense layers, channels last."""

    def __init__(self, classes=3):
        rngs = nnx.Rngs(0)
        self.conv = nnx.Conv(1, 4, (3, 2), padding="VALID", rngs=rngs)
        self.norm = nnx.BatchNorm(4, use_running_average=True, epsilon=1e-5, rngs=rngs)
        self.stage = nnx.Sequential(nnx.Linear(80, 5, rngs=rngs), nnx.LayerNorm(5, epsilon=1e-5, rngs=rngs))
        self.drop = nnx.Dropout(0.5, deterministic=True, rngs=rngs)
        self.head = nnx.Linear(5, classes, rngs=rngs)

    def __call__(self, x):
        x = self.norm(self.conv(x.transpose(0, 2, 3, 1)))
        return self.head(self.drop(self.stage(x.transpose(0, 3, 1, 2).reshape(len(x), -1))))


def restless(module):
    """Other values than the first ones everywhere; a variance stays positive."""
    rng = np.random.default_rng(0)
    _, variables, _ = nnx.split(module, (nnx.Param, nnx.BatchStat), ...)
    nnx.update(module, jax.tree.map(lambda x: jnp.asarray(rng.uniform(0.5, 1.0, x.shape), x.dtype), variables))
    return module


def ours():
    X = xp.asarray(np.random.default_rng(1).normal(size=(2, 1, 6, 6)))
    layers = [nn.Conv2d(4, (3, 2)), nn.BatchNorm(), nn.Flatten(), nn.Linear(5), nn.LayerNorm(), nn.Linear(3)]
    return nn.Sequential(*layers).initialise(X, seed=0).evaluate(), X


def test_layers_written_by_hand():
    """Kernels are turned, scales and statistics renamed."""
    model, X = ours()
    theirs = restless(ByHand())
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(X), theirs(X), rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_named():
    """In our layout, and nothing is changed."""
    model, _ = ours()
    before = model.state_dict()
    with pytest.raises(CheckpointError, match=r"has head\.weight \(4, 5\), this one has 5\.weight \(3, 5\)"):
        from_native(model, ByHand(4))
    with pytest.raises(UsageError, match=r"no flax\.nnx\.Module"):
        from_native(model, {})
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


@pytest.mark.parametrize("bias", [True, False])
def test_attention(bias):
    """The axis of the heads is joined with that of their features."""

    class Theirs(nnx.Module):
        def __init__(self):
            rngs = nnx.Rngs(0)
            self.look = nnx.MultiHeadAttention(2, 6, use_bias=bias, decode=False, rngs=rngs)
            self.head = nnx.Linear(6, 3, rngs=rngs)

    rng = np.random.default_rng(0)
    queries, keys = xp.asarray(rng.normal(size=(2, 4, 6))), xp.asarray(rng.normal(size=(2, 5, 6)))
    theirs, model = restless(Theirs()), Attending(bias).initialise(queries, keys)
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(queries, keys), theirs.head(theirs.look(queries, keys, keys)), rtol=1e-5)


def convolutions():
    rngs = nnx.Rngs(0)
    grouped = nnx.Conv(4, 8, (3, 2), padding="VALID", feature_group_count=4, use_bias=False, rngs=rngs)
    line = nnx.Conv(4, 4, (3,), padding="VALID", feature_group_count=2, rngs=rngs)
    turned = nnx.ConvTranspose(4, 4, (3, 2), padding="VALID", rngs=rngs)
    kept = nnx.ConvTranspose(4, 5, (3, 2), padding="VALID", transpose_kernel=True, use_bias=False, rngs=rngs)
    return {
        "depthwise": (grouped, nn.Conv2d(8, (3, 2), groups=4, bias=False), (2, 4, 6, 5)),
        "groups": (line, nn.Conv1d(4, 3, groups=2), (2, 4, 6)),
        "transposed": (turned, nn.ConvTranspose2d(4, (3, 2)), (2, 4, 6, 5)),
        "transposed-kept": (kept, nn.ConvTranspose2d(5, (3, 2), bias=False), (2, 4, 6, 5)),
    }


@pytest.mark.parametrize("kind", convolutions())
def test_other_convolutions(kind):
    """Groups and single channels have kernels like ours; a transposed one is turned over unless it is so already."""
    theirs, model, shape = convolutions()[kind]
    x = xp.asarray(np.random.default_rng(0).normal(size=shape))
    assert from_native(model.initialise(x), restless(theirs)) == ([], [])
    wanted = np.moveaxis(np.asarray(theirs(jnp.moveaxis(x, 1, -1))), -1, 1)
    np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-5)


def test_a_layer_over_several_axes_is_refused():
    """Its kernel is not that of a convolution, whose number of axes it has."""
    with pytest.raises(UsageError, match="multiplies over several axes at once"):
        from_native(nn.Conv1d(3, 4, 2).initialise(), nnx.LinearGeneral(4, (2, 3), rngs=nnx.Rngs(0)))


CELLS = {
    "RNN": (nnx.SimpleCell, nn.RNN),
    "GRU": (nnx.GRUCell, nn.GRU),
    "LSTM": (nnx.LSTMCell, nn.LSTM),
    "LSTM-joined": (nnx.OptimizedLSTMCell, nn.LSTM),
}


@pytest.mark.parametrize("kind", CELLS)
def test_recurrent_layers(kind):
    """One bias becomes two, and gates stay in their order; names agree, so that the path decides."""
    cell, layer = CELLS[kind]

    class Theirs(nnx.Module):
        def __init__(self):
            self.head = nnx.Linear(4, 2, rngs=nnx.Rngs(0))
            self.rnn = nnx.RNN(cell(3, 4, rngs=nnx.Rngs(1)), time_major=True, rngs=nnx.Rngs(2))

    class Ours(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = layer(4), nn.Linear(2)

        def forward(self, x):
            return self.head(self.rnn(x)[0])

    x = xp.asarray(np.random.default_rng(0).normal(size=(5, 2, 3)))
    theirs, model = restless(Theirs()), Ours().initialise(x)
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(x), theirs.head(theirs.rnn(x)), rtol=1e-5, atol=1e-5)
