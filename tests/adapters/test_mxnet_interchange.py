"""Modules made of ours as Gluon's own blocks, and its own layers as ours."""

import numpy as np
import pytest

from d2l_core import nn, xp
from d2l_core.backend import adapters, use_backend
from d2l_core.errors import CheckpointError, UsageError
from d2l_core.interchange import from_native, to_native

if adapters()["mxnet"].missing():
    pytest.skip("MXNet is not installed.", allow_module_level=True)


@pytest.fixture(autouse=True)
def active_backend():
    """MXNet at precision 32."""
    with use_backend("mxnet", precision=32) as active:
        yield active


@pytest.fixture
def mx():
    """MXNet with Gluon on NumPy arrays, as after ``npx.set_np()``."""
    from d2l_backends.mxnet.arrays import mx

    with mx.util.np_array(True):
        yield mx


def network():
    X = xp.asarray(np.random.default_rng(0).normal(size=(8, 6)))
    return nn.Sequential(nn.Linear(4), nn.BatchNorm(), nn.Dropout(0.5), nn.Linear(2)).initialise(X, seed=0), X


def test_parameters_and_modes(mx):
    """What is frozen with us has no gradient there; `record` is training."""
    model, X = network()
    model[0].freeze()
    native = to_native(model)
    asked = [name for name, p in native.collect_params().items() if p.grad_req != "null"]
    assert [name.removeprefix(native.prefix) for name in asked] == ["1_weight", "1_bias", "3_weight", "3_bias"]
    np.testing.assert_array_equal(native(X).asnumpy(), model.evaluate()(X).asnumpy())
    with mx.autograd.record():
        native(X)
    trained = model.clone()
    from_native(trained, native)
    assert trained.state_dict()["2.calls"] == [1]
    assert trained.state_dict()["1.running_mean"].any()
    assert not model.state_dict()["1.running_mean"].any()


def test_parameters_on_disk(mx, tmp_path):
    """Gluon's files have our paths."""
    model, X = network()
    native, twin = to_native(model), to_native(model)
    native.collect_params()[f"{native.prefix}3_bias"].set_data(mx.np.ones(2))
    native.save_parameters(str(tmp_path / "block.params"))
    assert set(mx.npx.load(str(tmp_path / "block.params"))) == set(model.variables())
    twin.load_parameters(str(tmp_path / "block.params"))
    np.testing.assert_array_equal(twin(X).asnumpy(), model.evaluate()(X).asnumpy() + 1.0)


def by_hand(mx, classes=3):
    layers = mx.gluon.nn
    block = layers.Sequential()
    block.add(layers.Conv2D(4, (3, 2)), layers.BatchNorm(), layers.Flatten())
    block.add(layers.Dense(5), layers.LayerNorm(), layers.Dense(classes))
    return restless(block, mx.np.ones((2, 1, 6, 6)))


def restless(block, *inputs):
    """Other values than the first ones everywhere; a variance stays positive."""
    rng = np.random.default_rng(0)
    block.initialize()
    block(*inputs)
    for parameter in block.collect_params().values():
        parameter.set_data(xp.asarray(rng.uniform(0.5, 1.0, parameter.shape)))
    return block


def ours():
    X = xp.asarray(np.random.default_rng(1).normal(size=(2, 1, 6, 6)))
    layers = [nn.Conv2d(4, (3, 2)), nn.BatchNorm(), nn.Flatten(), nn.Linear(5), nn.LayerNorm(), nn.Linear(3)]
    return nn.Sequential(*layers).initialise(X, seed=0).evaluate(), X


def test_layers_written_by_hand(mx):
    """The layouts are ours; gamma and beta are renamed."""
    model, X = ours()
    theirs = by_hand(mx)
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(X).asnumpy(), theirs(X).asnumpy(), rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_named(mx):
    """Nothing is changed."""
    model, _ = ours()
    before = model.state_dict()
    with pytest.raises(CheckpointError, match=r"5\.weight has shape \(4, 5\) there and \(3, 5\) here"):
        from_native(model, by_hand(mx, 4))
    with pytest.raises(UsageError, match=r"no gluon\.Block"):
        from_native(model, {})
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrent_layers(kind, mx):
    """Two layers in two directions."""
    settings = {"activation": "tanh"} if kind == "RNN" else {}
    x = xp.asarray(np.random.default_rng(0).normal(size=(5, 2, 3)))
    theirs = restless(getattr(mx.gluon.rnn, kind)(4, 2, bidirectional=True, **settings), x)
    layer = getattr(nn, kind)
    model = nn.Stacked(*(nn.Bidirectional(layer(4), layer(4)) for _ in range(2))).initialise(x)
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(x)[0].asnumpy(), theirs(x).asnumpy(), rtol=1e-5, atol=1e-5)
