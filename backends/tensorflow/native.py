"""Keras layers and optimisers with our weights, to check ours against; imported when one is asked for."""

import contextlib
import functools

import numpy as np
from d2l_backends.tensorflow import adapter
from d2l_backends.tensorflow_runtime.importing import tf

from d2l_core.errors import BackendError


def _each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _images(layer):
    """A layer that works channels last, for NumPy arrays channels first."""
    return lambda x: np.moveaxis(layer(np.moveaxis(x, 1, -1)).numpy(), -1, 1)


def _built(layer, shape, values):
    layer.build(shape)
    layer.set_weights(values)
    return layer


def native_layer(kind, options, weights, /):
    """Keras' own layer with our weights, as a function from NumPy arrays to NumPy arrays."""
    return _LAYERS[kind](options, weights)


def _linear(options, weights):
    weight, bias = weights["weight"], weights.get("bias")
    layer = tf.keras.layers.Dense(weight.shape[0], use_bias=bias is not None, dtype=weight.dtype.name)
    values = [weight.T] if bias is None else [weight.T, bias]
    _built(layer, (None, weight.shape[1]), values)
    return lambda x: layer(x).numpy()


def _conv(options, weights):
    weight, bias = weights["weight"], weights.get("bias")
    rank, groups = weight.ndim - 2, options.get("groups", 1)
    layer = getattr(tf.keras.layers, f"Conv{rank}D")(
        weight.shape[0],
        weight.shape[2:],
        strides=_each(options.get("stride", 1), rank),
        dilation_rate=_each(options.get("dilation", 1), rank),
        groups=groups,
        use_bias=bias is not None,
        data_format="channels_last",
        dtype=weight.dtype.name,
    )
    kernel = np.transpose(weight, (*range(2, rank + 2), 1, 0))
    _built(layer, (*(None,) * (rank + 1), weight.shape[1] * groups), [kernel] if bias is None else [kernel, bias])
    padding = _each(options.get("padding", 0), rank)
    frame = getattr(tf.keras.layers, f"ZeroPadding{rank}D")(padding, "channels_last", dtype=weight.dtype.name)
    return _images(lambda x: layer(frame(x)))


def _batch_norm(options, weights):
    names = ("weight", "bias", "running_mean", "running_var")
    values = [weights[name] for name in names]
    layer = tf.keras.layers.BatchNormalization(axis=1, epsilon=options["eps"], dtype=values[0].dtype.name)

    def call(x):
        if not layer.built:
            _built(layer, x.shape, values)
        return layer(x, training=False).numpy()

    return call


def _pool(layer_name, frame, options, weights):
    """Keras pads with what belongs to no window at all; ours is framed first."""
    rank, stride = int(layer_name[-2]), options.get("stride")
    sides = [(p, p) for p in (0, 0, *_each(options.get("padding", 0), rank))]

    def call(x):
        if layer_name == "MaxPooling3D" and x.dtype == np.float64:
            raise BackendError(adapter.limits["float64 layer MaxPool3d"])
        layer = getattr(tf.keras.layers, layer_name)(
            _each(options["window"], rank),
            strides=None if stride is None else _each(stride, rank),
            data_format="channels_last",
            dtype=x.dtype.name,
        )
        if rank == 3:  # which only XLA has in float64
            layer = tf.function(layer, jit_compile=True)
        return _images(layer)(np.pad(x, sides, constant_values=frame))

    return call


def _embedding(options, weights):
    weight = weights["weight"]
    layer = tf.keras.layers.Embedding(*weight.shape, dtype=weight.dtype.name)
    _built(layer, (None,), [weight])
    return lambda x: layer(x).numpy()


def _layer_norm(options, weights):
    weight = weights["weight"]
    layer = tf.keras.layers.LayerNormalization(axis=-1, epsilon=options["eps"], dtype=weight.dtype.name)
    _built(layer, (None, len(weight)), [weight, weights["bias"]])
    return lambda x: layer(x).numpy()


def _group_norm(options, weights):
    weight = weights["weight"]
    layer = tf.keras.layers.GroupNormalization(options["groups"], 1, options["eps"], dtype=weight.dtype.name)

    def call(x):
        if not layer.built:
            _built(layer, x.shape, [weight, weights["bias"]])
        return layer(x).numpy()

    return call


def _gates(matrix, order):
    """The rows of each gate, in Keras' order."""
    return np.concatenate([np.split(matrix, len(order))[i] for i in order])


def _gru(options, weights):
    """With ``reset_after`` it has both biases; its gates are update, reset, candidate."""
    ordered = {name: _gates(value, (1, 0, 2)) for name, value in weights.items()}
    biases = np.stack([ordered["bias_ih"], ordered["bias_hh"]])
    return _recurrent(tf.keras.layers.GRU, ordered, biases, reset_after=True)


def _lstm(options, weights):
    """It has one bias, for which the sum of our two stands, and our order of gates."""
    return _recurrent(tf.keras.layers.LSTM, weights, weights["bias_ih"] + weights["bias_hh"])


def _recurrent(kind, weights, bias, **settings):
    weight_ih, weight_hh = weights["weight_ih"], weights["weight_hh"]
    layer = kind(weight_hh.shape[1], return_sequences=True, return_state=True, dtype=weight_ih.dtype.name, **settings)
    _built(layer, (None, None, weight_ih.shape[1]), [weight_ih.T, weight_hh.T, bias])

    def call(x, *state):
        outputs, *last = layer(np.moveaxis(x, 1, 0), initial_state=[tf.constant(s) for s in state])
        return np.moveaxis(outputs.numpy(), 1, 0), *(s.numpy() for s in last)

    return call


def _rnn(options, weights):
    """SimpleRNN has one bias, for which the sum of our two stands."""
    return _recurrent(tf.keras.layers.SimpleRNN, weights, weights["bias_ih"] + weights["bias_hh"])


_LAYERS = {
    "Linear": _linear,
    "Conv2d": _conv,
    "Conv3d": _conv,
    "BatchNorm": _batch_norm,
    "MaxPool2d": functools.partial(_pool, "MaxPooling2D", -np.inf),
    "AvgPool2d": functools.partial(_pool, "AveragePooling2D", 0.0),
    "MaxPool3d": functools.partial(_pool, "MaxPooling3D", -np.inf),
    "AvgPool3d": functools.partial(_pool, "AveragePooling3D", 0.0),
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "RNN": _rnn,
    "GRU": _gru,
    "LSTM": _lstm,
}


# ---------------------------------------------------------------- optimisers


def native_optimiser(kind, options, /):
    """Keras' own optimiser as a step over lists of NumPy arrays.

    Keras writes momentum as ``v = momentum v - lr g; p += v``: the same path while the rate is constant. Its
    own `weight_decay` is the decoupled kind, so ours is added to the gradient first elsewhere. Its Adam adds epsilon
    before the bias correction, ``p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)``; the epsilon
    ``eps sqrt(1 - beta2^t)`` at step t makes it the paper's.
    """
    if kind == "Yogi" or (kind in _EPSILON_UNDER_ROOT and options["eps"]):
        raise BackendError(adapter.limits[f"native {kind}"])
    settings = options | ({"start": 0.0} if kind == "Adagrad" else {})
    decay = 0.0 if kind in _DECOUPLED else settings.pop("weight_decay", 0.0)

    def step(params, grads, state):
        with _floatx(params[0].dtype.name):
            if state is None:
                optimiser = getattr(tf.keras.optimizers, kind)(**_exact(settings))
                state = (optimiser, [tf.Variable(p) for p in params])
            optimiser, variables = state
            for variable, p in zip(variables, params, strict=True):
                variable.assign(p)
            if kind in ("Adam", "AdamW"):
                correction = 1.0 - settings["beta2"] ** (int(optimiser.iterations) + 1)
                optimiser.epsilon = settings["eps"] * correction**0.5
            full = [tf.constant(g + decay * p) for p, g in zip(params, grads, strict=True)]
            optimiser.apply_gradients(zip(full, variables, strict=True))
            return [variable.numpy() for variable in variables], state

    return step


_EPSILON_UNDER_ROOT = ("Adagrad", "RMSprop")
_DECOUPLED = ("AdamW", "Lion")


def _exact(settings):
    """The settings under Keras' names; TensorFlow casts a Python float by way of float32."""
    named = {_NAMES.get(name, name): value for name, value in settings.items()}
    return {name: value if isinstance(value, bool) else np.float64(value) for name, value in named.items()}


_NAMES = {
    "lr": "learning_rate",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "eps": "epsilon",
    "centred": "centered",
    "start": "initial_accumulator_value",
}


@contextlib.contextmanager
def _floatx(name):
    """Keras rounds an optimiser's settings to its default float."""
    before = tf.keras.config.floatx()
    tf.keras.config.set_floatx(name)
    try:
        yield
    finally:
        tf.keras.config.set_floatx(before)
