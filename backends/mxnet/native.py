"""MXNet's own layers and optimisers with our weights, to check ours against."""

import functools
import math

import numpy
from mxnet import gluon, optimizer

from d2l_core.errors import BackendError

from . import adapter
from .arrays import from_host, mx, np


def native_layer(kind, options, weights, /):
    build = _LAYERS[kind]

    def call(*arrays):
        # Gluon blocks compute with `mx.np` arrays only inside this scope.
        with mx.util.np_array(True):
            layer = build(options, weights, arrays[0].ndim)
            if kind != "GroupNorm":  # which holds its weights itself
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
_OF_NORM = {"weight": "gamma", "bias": "beta"}


def _load(layer, kind, weights):
    renamed = _NAMES if kind in _RECURRENT else _OF_NORM if kind.endswith("Norm") else {}
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


def _conv(layer, options, weights, rank):
    weight = weights["weight"]
    return layer(
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


def _pool(layer, options, weights, rank):
    return layer(options["window"], options.get("stride"), options.get("padding", 0))


def _embedding(options, weights, rank):
    return gluon.nn.Embedding(*weights["weight"].shape)


def _layer_norm(options, weights, rank):
    return gluon.nn.LayerNorm(epsilon=options["eps"])


def _group_norm(options, weights, rank):
    """MXNet scales each group and not each channel: its operator only normalises here, and we scale."""
    groups, dtype = options["groups"], weights["weight"].dtype
    ones, zeros = (from_host(make(groups, dtype)).as_nd_ndarray() for make in (numpy.ones, numpy.zeros))
    weight, bias = (from_host(weights[name].reshape(-1, *(1,) * (rank - 2))) for name in ("weight", "bias"))

    def scaled(x):
        normal = mx.nd.GroupNorm(x.as_nd_ndarray(), ones, zeros, num_groups=groups, eps=options["eps"])
        return normal.as_np_ndarray() * weight + bias

    return gluon.nn.Lambda(scaled)


def _recurrent(layer, options, weights, rank, **settings):
    return layer(weights["weight_hh"].shape[1], input_size=weights["weight_ih"].shape[1], **settings)


def _call_recurrent(layer, x, *state):
    outputs, last = layer(x, [np.expand_dims(s, 0) for s in state])
    return outputs, *(s[0] for s in last)


_LAYERS = {
    "Linear": _linear,
    "Conv2d": functools.partial(_conv, gluon.nn.Conv2D),
    "Conv3d": functools.partial(_conv, gluon.nn.Conv3D),
    "BatchNorm": _batch_norm,
    "MaxPool2d": functools.partial(_pool, gluon.nn.MaxPool2D),
    "AvgPool2d": functools.partial(_pool, gluon.nn.AvgPool2D),
    "MaxPool3d": functools.partial(_pool, gluon.nn.MaxPool3D),
    "AvgPool3d": functools.partial(_pool, gluon.nn.AvgPool3D),
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "RNN": functools.partial(_recurrent, gluon.rnn.RNN, activation="tanh"),
    "GRU": functools.partial(_recurrent, gluon.rnn.GRU),
    "LSTM": functools.partial(_recurrent, gluon.rnn.LSTM),
}
_RECURRENT = ("RNN", "GRU", "LSTM")
_CALLS = dict.fromkeys(_RECURRENT, _call_recurrent)


def native_optimiser(kind, options, /):
    """MXNet's optimiser; it keeps learning rates, momenta and epsilon in float32 whatever the weights are.

    Its Adam puts the bias corrections into the learning rate, so that its epsilon is ours times sqrt(1 - beta2^t).
    Its NAG keeps weight decay out of the momentum, so that ours is added to the gradient first.
    """
    if kind not in _OPTIMISERS:
        raise BackendError(adapter.limits[f"native {kind}"])
    build = _OPTIMISERS[kind]
    decay = options.get("weight_decay", 0.0) if options.get("nesterov") else 0.0

    def step(params, grads, state):
        tensors = [from_host(numpy.asarray(p)) for p in params]
        with mx.util.np_array(True):
            updater, t = state or (optimizer.get_updater(build(options)), 0)
            if kind == "Adam":
                updater.optimizer.epsilon = options.get("eps", 1e-8) * math.sqrt(1 - updater.optimizer.beta2 ** (t + 1))
            for i, (tensor, param, gradient) in enumerate(zip(tensors, params, grads, strict=True)):
                updater(i, from_host(numpy.asarray(gradient + decay * param)), tensor)
        return [tensor.asnumpy() for tensor in tensors], (updater, t + 1)

    return step


def _sgd(options):
    shared = {"learning_rate": options["lr"], "momentum": options.get("momentum", 0.0)}
    if options.get("nesterov"):
        return optimizer.NAG(**shared)
    return optimizer.SGD(**shared, wd=options.get("weight_decay", 0.0))


def _adam(options):
    return optimizer.Adam(
        learning_rate=options["lr"],
        beta1=options.get("beta1", 0.9),
        beta2=options.get("beta2", 0.999),
        epsilon=options.get("eps", 1e-8),
        wd=options.get("weight_decay", 0.0),
    )


_OPTIMISERS = {"SGD": _sgd, "Adam": _adam}
