"""MXNet's own layers and optimisers with our weights, to check ours against."""

import math

import numpy
from mxnet import gluon, optimizer

from .arrays import from_host, mx, np


def native_layer(kind, options, weights, /):
    build = _LAYERS[kind]

    def call(*arrays):
        # Gluon blocks compute with `mx.np` arrays only inside this scope.
        with mx.util.np_array(True):
            layer = build(options, weights, arrays[0].ndim)
            layer.initialize(mx.init.Zero())
            _load(layer, kind, weights)
            return _numpy(_CALLS.get(kind, _call)(layer, *map(from_host, arrays)))

    return call


_NAMES = {
    "weight_ih": "l0_i2h_weight",
    "weight_hh": "l0_h2h_weight",
    "bias_ih": "l0_i2h_bias",
    "bias_hh": "l0_h2h_bias",
}
_OF_BATCH_NORM = {"weight": "gamma", "bias": "beta"}


def _load(layer, kind, weights):
    renamed = _NAMES if kind == "RNN" else _OF_BATCH_NORM if kind == "BatchNorm" else {}
    for name, value in weights.items():
        parameter = getattr(layer, renamed.get(name, name))
        parameter.cast(value.dtype.name)
        parameter.shape = value.shape
        parameter.set_data(from_host(value))


def _call(layer, *inputs):
    return layer(*inputs)


def _numpy(result):
    return tuple(map(_numpy, result)) if isinstance(result, list | tuple) else result.asnumpy()


def _linear(options, weights, rank):
    return gluon.nn.Dense(weights["weight"].shape[0], use_bias="bias" in weights, flatten=False)


def _conv2d(options, weights, rank):
    weight = weights["weight"]
    return gluon.nn.Conv2D(
        weight.shape[0],
        weight.shape[2:],
        options.get("stride", 1),
        options.get("padding", 0),
        options.get("dilation", 1),
        options.get("groups", 1),
        use_bias="bias" in weights,
    )


def _batch_norm(options, weights, rank):
    return gluon.nn.BatchNorm(epsilon=options.get("eps", 1e-5))


def _max_pool2d(options, weights, rank):
    return gluon.nn.MaxPool2D(options["window"], options.get("stride"), options.get("padding", 0))


def _avg_pool2d(options, weights, rank):
    return gluon.nn.AvgPool2D(options["window"], options.get("stride"), options.get("padding", 0))


def _embedding(options, weights, rank):
    return gluon.nn.Embedding(*weights["weight"].shape)


def _rnn(options, weights, rank):
    hidden, inputs = weights["weight_ih"].shape
    return gluon.rnn.RNN(hidden, activation="tanh", input_size=inputs)


def _call_rnn(layer, x, state):
    outputs, last = layer(x, np.expand_dims(state, 0))
    return outputs, last[0][0]


_LAYERS = {
    "Linear": _linear,
    "Conv2d": _conv2d,
    "BatchNorm": _batch_norm,
    "MaxPool2d": _max_pool2d,
    "AvgPool2d": _avg_pool2d,
    "Embedding": _embedding,
    "RNN": _rnn,
}
_CALLS = {"RNN": _call_rnn}


def native_optimiser(kind, options, /):
    """MXNet's optimiser; it keeps learning rates, momenta and epsilon in float32 whatever the weights are.

    Its Adam puts the bias corrections into the learning rate, so that its epsilon is ours times sqrt(1 - beta2^t).
    """
    build = _OPTIMISERS[kind]

    def step(params, grads, state):
        tensors = [from_host(numpy.asarray(p)) for p in params]
        with mx.util.np_array(True):
            updater, t = state or (optimizer.get_updater(build(options)), 0)
            if kind == "Adam":
                updater.optimizer.epsilon = options.get("eps", 1e-8) * math.sqrt(1 - updater.optimizer.beta2 ** (t + 1))
            for i, (tensor, gradient) in enumerate(zip(tensors, grads, strict=True)):
                updater(i, from_host(numpy.asarray(gradient)), tensor)
        return [tensor.asnumpy() for tensor in tensors], (updater, t + 1)

    return step


def _sgd(options):
    return optimizer.SGD(
        learning_rate=options["lr"],
        momentum=options.get("momentum", 0.0),
        wd=options.get("weight_decay", 0.0),
    )


def _adam(options):
    return optimizer.Adam(
        learning_rate=options["lr"],
        beta1=options.get("beta1", 0.9),
        beta2=options.get("beta2", 0.999),
        epsilon=options.get("eps", 1e-8),
        wd=options.get("weight_decay", 0.0),
    )


_OPTIMISERS = {"SGD": _sgd, "Adam": _adam}
