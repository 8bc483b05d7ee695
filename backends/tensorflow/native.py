"""Keras layers and optimisers with our weights, to check ours against; imported when one is asked for."""

import contextlib
import functools

import numpy as np
from d2l_backends.tensorflow._framework import tf


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


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
    groups = options.get("groups", 1)
    layer = tf.keras.layers.Conv2D(
        weight.shape[0],
        weight.shape[2:],
        strides=_pair(options.get("stride", 1)),
        dilation_rate=_pair(options.get("dilation", 1)),
        groups=groups,
        use_bias=bias is not None,
        data_format="channels_last",
        dtype=weight.dtype.name,
    )
    kernel = np.transpose(weight, (2, 3, 1, 0))
    _built(layer, (None, None, None, weight.shape[1] * groups), [kernel] if bias is None else [kernel, bias])
    frame = tf.keras.layers.ZeroPadding2D(_pair(options.get("padding", 0)), "channels_last", dtype=weight.dtype.name)
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
    window = _pair(options["window"])
    stride = options.get("stride")
    high, wide = _pair(options.get("padding", 0))

    def call(x):
        layer = getattr(tf.keras.layers, layer_name)(
            window,
            strides=None if stride is None else _pair(stride),
            data_format="channels_last",
            dtype=x.dtype.name,
        )
        return _images(layer)(np.pad(x, ((0, 0), (0, 0), (high, high), (wide, wide)), constant_values=frame))

    return call


def _embedding(options, weights):
    weight = weights["weight"]
    layer = tf.keras.layers.Embedding(*weight.shape, dtype=weight.dtype.name)
    _built(layer, (None,), [weight])
    return lambda x: layer(x).numpy()


def _rnn(options, weights):
    """SimpleRNN has one bias, for which the sum of our two stands."""
    weight_ih, weight_hh = weights["weight_ih"], weights["weight_hh"]
    layer = tf.keras.layers.SimpleRNN(
        weight_hh.shape[0], return_sequences=True, return_state=True, dtype=weight_ih.dtype.name
    )
    values = [weight_ih.T, weight_hh.T, weights["bias_ih"] + weights["bias_hh"]]
    _built(layer, (None, None, weight_ih.shape[1]), values)

    def call(x, h0):
        outputs, last = layer(np.moveaxis(x, 1, 0), initial_state=tf.constant(h0))
        return np.moveaxis(outputs.numpy(), 1, 0), last.numpy()

    return call


_LAYERS = {
    "Linear": _linear,
    "Conv2d": _conv,
    "BatchNorm": _batch_norm,
    "MaxPool2d": functools.partial(_pool, "MaxPooling2D", -np.inf),
    "AvgPool2d": functools.partial(_pool, "AveragePooling2D", 0.0),
    "Embedding": _embedding,
    "RNN": _rnn,
}


# ---------------------------------------------------------------- optimisers


def native_optimiser(kind, options, /):
    """Keras' own optimiser as a step over lists of NumPy arrays.

    Keras writes momentum as ``v = momentum v - lr g; p += v``: the same path while the rate is constant. Its
    own `weight_decay` is the decoupled kind, so ours is added to the gradient first. Its Adam adds epsilon
    before the bias correction, ``p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)``; the epsilon
    ``eps sqrt(1 - beta2^t)`` at step t makes it the paper's.
    """
    settings = {**_DEFAULTS[kind], **options}
    decay = settings.pop("weight_decay")
    create = {"SGD": _sgd, "Adam": _adam}[kind]

    def step(params, grads, state):
        with _floatx(params[0].dtype.name):
            if state is None:
                # TensorFlow casts a Python float by way of float32.
                exact = {name: np.float64(value) for name, value in settings.items()}
                state = (create(**exact), [tf.Variable(p) for p in params])
            optimiser, variables = state
            for variable, p in zip(variables, params, strict=True):
                variable.assign(p)
            if kind == "Adam":
                correction = 1.0 - settings["beta2"] ** (int(optimiser.iterations) + 1)
                optimiser.epsilon = settings["eps"] * correction**0.5
            full = [tf.constant(g + decay * p) for p, g in zip(params, grads, strict=True)]
            optimiser.apply_gradients(zip(full, variables, strict=True))
            return [variable.numpy() for variable in variables], state

    return step


_DEFAULTS = {
    "SGD": {"momentum": 0.0, "weight_decay": 0.0},
    "Adam": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
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


def _sgd(lr, momentum):
    return tf.keras.optimizers.SGD(lr, momentum)


def _adam(lr, beta1, beta2, eps):
    return tf.keras.optimizers.Adam(lr, beta1, beta2, eps)
