"""Modules made of ours as Keras' own models, and its own layers as ours."""

import numpy as np
import pytest
from _attending import Attending

from d2l_core import nn, xp
from d2l_core.backend import use_backend
from d2l_core.errors import CheckpointError, UsageError
from d2l_core.interchange import from_native, to_native

pytest.importorskip("tensorflow")


@pytest.fixture(autouse=True)
def active_backend():
    """TensorFlow at precision 32."""
    with use_backend("tensorflow", precision=32) as active:
        yield active


@pytest.fixture
def keras():
    from d2l_backends.tensorflow_runtime.importing import tf

    return tf.keras


def network():
    X = xp.asarray(np.random.default_rng(0).normal(size=(8, 6)))
    return nn.Sequential(nn.Linear(4), nn.BatchNorm(), nn.Dropout(0.5), nn.Linear(2)).initialise(X, seed=0), X


def test_variables_and_modes():
    """What is frozen with us is frozen there; `training=True` drops and moves the statistics."""
    model, X = network()
    model[0].freeze()
    native = to_native(model)
    assert [variable.path for variable in native.trainable_variables] == ["1/weight", "1/bias", "3/weight", "3/bias"]
    np.testing.assert_array_equal(native(X), model.evaluate()(X))
    native(X, training=True)
    held = {variable.path: variable.numpy() for variable in native.non_trainable_variables}
    assert held["2/calls"] == [1]
    assert held["1/running_mean"].any()
    assert not model.state_dict()["1.running_mean"].any()


def test_graphs(keras):
    """A `tf.function` of it writes the statistics too."""
    from d2l_backends.tensorflow_runtime.importing import tf

    model, X = network()
    native = to_native(model)
    run = tf.function(lambda X: native(X, training=True))
    run(X)
    run(X)
    from_native(model, native)
    assert model.state_dict()["2.calls"] == [2]


def test_fit_and_weights_on_disk(keras, tmp_path):
    """Keras' own training loop and files take it like any model."""
    model, X = network()
    native, twin = to_native(model), to_native(model)
    native.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
    history = native.fit(X.numpy(), np.ones((8, 2), np.float32), 4, 20, 0, shuffle=False).history["loss"]
    assert history[-1] < history[0]
    native.save_weights(tmp_path / "model.weights.h5")
    twin.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(twin(X), native(X))
    assert not np.array_equal(native(X), model.evaluate()(X))


def by_hand(keras, classes=3):
    """Convolution, both normalisations and dense layers, channels last."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(4, (3, 2)),
            layers.BatchNormalization(epsilon=1e-5),
            layers.Permute((3, 1, 2)),
            layers.Flatten(),
            layers.Dense(5),
            layers.LayerNormalization(epsilon=1e-5),
            layers.Dense(classes),
        ]
    )


def restless(model):
    """Other values than the first ones everywhere; a variance stays positive."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.0, weight.shape) for weight in model.get_weights()])
    return model


def ours():
    X = xp.asarray(np.random.default_rng(1).normal(size=(2, 1, 6, 6)))
    layers = [nn.Conv2d(4, (3, 2)), nn.BatchNorm(), nn.Flatten(), nn.Linear(5), nn.LayerNorm(), nn.Linear(3)]
    return nn.Sequential(*layers).initialise(X, seed=0).evaluate(), X


def test_layers_written_by_hand(keras):
    """Kernels are turned, scales and statistics renamed."""
    model, X = ours()
    theirs = restless(by_hand(keras))
    assert from_native(model, theirs) == ([], [])
    wanted = theirs(xp.permute_dims(X, (0, 2, 3, 1)))
    np.testing.assert_allclose(model(X), wanted, rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_named(keras):
    """In our layout, and nothing is changed."""
    model, _ = ours()
    before = model.state_dict()
    with pytest.raises(CheckpointError, match=r"weight \(4, 5\), this one has 5\.weight \(3, 5\)"):
        from_native(model, by_hand(keras, 4))
    with pytest.raises(UsageError, match="no Keras model or layer"):
        from_native(model, {})
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_recurrent_layers(keras):
    """Gates are put into our order and biases parted, through layers in two directions."""
    layers = keras.layers
    kinds = [layers.SimpleRNN, layers.GRU, layers.LSTM]
    theirs = restless(
        keras.Sequential(
            [layers.Input((5, 3)), *(layers.Bidirectional(kind(4, return_sequences=True)) for kind in kinds)]
        )
    )
    x = xp.asarray(np.random.default_rng(0).normal(size=(5, 2, 3)))
    pairs = [nn.Bidirectional(kind(4), kind(4)) for kind in (nn.RNN, nn.GRU, nn.LSTM)]
    model = nn.Stacked(*pairs).initialise(x)
    assert from_native(model, theirs) == ([], [])
    wanted = np.moveaxis(theirs(xp.permute_dims(x, (1, 0, 2))).numpy(), 1, 0)
    np.testing.assert_allclose(model(x)[0], wanted, rtol=1e-5, atol=1e-5)


def test_a_gated_unit_of_another_formula_is_refused(keras):
    """The one of 2014 resets the state before the product."""
    theirs = restless(keras.Sequential([keras.layers.Input((5, 3)), keras.layers.GRU(4, reset_after=False)]))
    with pytest.raises(UsageError, match="resets the state before the product"):
        from_native(nn.GRU(4, 3).initialise(), theirs)


@pytest.mark.parametrize("bias", [True, False])
def test_attention(keras, bias):
    """The axis of the heads is joined with that of their features."""
    layers = keras.layers
    inputs = [layers.Input((4, 6)), layers.Input((5, 6))]
    look = layers.MultiHeadAttention(2, 3, use_bias=bias)
    theirs = restless(keras.Model(inputs, layers.Dense(3)(look(*inputs))))
    rng = np.random.default_rng(0)
    queries, keys = xp.asarray(rng.normal(size=(2, 4, 6))), xp.asarray(rng.normal(size=(2, 5, 6)))
    model = Attending(bias).initialise(queries, keys)
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(queries, keys), theirs([queries, keys]), rtol=1e-5)


def convolutions(keras):
    layers = keras.layers
    return {
        "depthwise": (layers.DepthwiseConv2D((3, 2), depth_multiplier=2), [nn.Conv2d(8, (3, 2), groups=4)], 2),
        "depthwise-plain": (
            layers.DepthwiseConv2D((3, 2), depth_multiplier=4, use_bias=False),
            [nn.Conv2d(16, (3, 2), groups=4, bias=False)],
            2,
        ),
        "line": (layers.DepthwiseConv1D(3), [nn.Conv1d(4, 3, groups=4)], 1),
        "separable": (
            layers.SeparableConv2D(5, (3, 2), depth_multiplier=2),
            [nn.Conv2d(8, (3, 2), groups=4, bias=False), nn.Conv2d(5, 1)],
            2,
        ),
        "groups": (layers.Conv2D(6, (3, 2), groups=2), [nn.Conv2d(6, (3, 2), groups=2)], 2),
        "transposed": (layers.Conv2DTranspose(5, (3, 2)), [nn.ConvTranspose2d(5, (3, 2))], 2),
    }


@pytest.mark.parametrize("kind", ["depthwise", "depthwise-plain", "line", "separable", "groups", "transposed"])
def test_other_convolutions(keras, kind):
    """Single channels come out in their order, a separable layer as two of ours."""
    layer, ours, axes = convolutions(keras)[kind]
    spatial = (6, 5)[:axes]
    theirs = restless(keras.Sequential([keras.layers.Input((*spatial, 4)), layer]))
    x = np.random.default_rng(0).normal(size=(2, *spatial, 4))
    X = xp.asarray(np.moveaxis(x, -1, 1))
    model = nn.Sequential(*ours).initialise(X)
    assert from_native(model, theirs) == ([], [])
    np.testing.assert_allclose(model(X), np.moveaxis(theirs(x).numpy(), -1, 1), rtol=1e-5, atol=1e-5)


def test_a_layer_over_several_axes_is_refused(keras):
    """Its kernel is not that of a convolution, whose number of axes it has."""
    dense = keras.layers.EinsumDense("ab,bcd->acd", (2, 3), bias_axes="cd")
    theirs = keras.Sequential([keras.layers.Input((4,)), dense])
    with pytest.raises(UsageError, match="multiplies over several axes at once"):
        from_native(nn.Conv1d(3, 4, 2).initialise(), theirs)
