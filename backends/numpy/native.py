"""NumPy has no layers or optimisers of its own: their counterparts here transcribe the definitions."""

import numpy as np
from d2l_backends.numpy import adapter, network

from d2l_core.errors import BackendError


def native_layer(kind, options, weights, /):
    return {
        "Linear": _linear,
        "Conv2d": _conv,
        "Conv3d": _conv,
        "BatchNorm": _batch_norm,
        "MaxPool2d": lambda options, weights: lambda x: _pool(x, np.max, -np.inf, **options),
        "AvgPool2d": lambda options, weights: lambda x: _pool(x, np.mean, 0.0, **options),
        "MaxPool3d": lambda options, weights: lambda x: _pool(x, np.max, -np.inf, **options),
        "AvgPool3d": lambda options, weights: lambda x: _pool(x, np.mean, 0.0, **options),
        "Embedding": lambda options, weights: lambda x: weights["weight"][x],
        "LayerNorm": _layer_norm,
        "GroupNorm": _group_norm,
        "RNN": _rnn,
        "GRU": _gru,
        "LSTM": _lstm,
    }[kind](options, weights)


def _linear(options, weights):
    return lambda x: np.einsum("...i,oi->...o", x, weights["weight"]) + weights["bias"]


def _conv(options, weights):
    """Each output channel by the definition: the sum over a window of products with the kernel."""
    weight, groups = weights["weight"], options.get("groups", 1)
    rank = weight.ndim - 2
    stride, padding, dilation = (
        network._pair(options.get(name, default), rank)
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    window, out = "ijk"[:rank], "dhw"[:rank]

    def layer(x):
        windows = network._windows(network._frame(x, padding), weight.shape[2:], stride, dilation)
        parts = zip(np.split(windows, groups, 1), np.split(weight, groups), strict=True)
        sums = f"nc{window}{out},oc{window}->no{out}"
        y = np.concatenate([np.einsum(sums, part, kernel) for part, kernel in parts], 1)
        return y + weights["bias"].reshape(-1, *(1,) * rank)

    return layer


def _batch_norm(options, weights):
    def layer(x):
        columns = {name: w.reshape(-1, *(1,) * (x.ndim - 2)) for name, w in weights.items()}
        normal = (x - columns["running_mean"]) / np.sqrt(columns["running_var"] + options["eps"])
        return normal * columns["weight"] + columns["bias"]

    return layer


def _standard(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def _layer_norm(options, weights):
    return lambda x: _standard(x, -1, options["eps"]) * weights["weight"] + weights["bias"]


def _group_norm(options, weights):
    def layer(x):
        grouped = x.reshape(len(x), options["groups"], -1)
        y = _standard(grouped, 2, options["eps"]).reshape(x.shape)
        weight, bias = (w.reshape(-1, *(1,) * (x.ndim - 2)) for w in (weights["weight"], weights["bias"]))
        return y * weight + bias

    return layer


def _pool(x, reduce, frame, window, stride=None, padding=0):
    window, stride, padding = network._pool_setting(x, window, stride, padding)
    framed = network._frame(x, padding, frame)
    rank = len(window)
    return reduce(network._windows(framed, window, stride, (1,) * rank), axis=tuple(range(2, 2 + rank)))


def _rnn(options, weights):
    def layer(x, state):
        outputs = []
        for inputs in x:
            drive = inputs @ weights["weight_ih"].T + weights["bias_ih"]
            state = np.tanh(drive + state @ weights["weight_hh"].T + weights["bias_hh"])
            outputs.append(state)
        return np.stack(outputs), state

    return layer


def _logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def _drives(weights, inputs, state, gates):
    """What each gate gets from the input and from the state."""
    ahead = inputs @ weights["weight_ih"].T + weights["bias_ih"]
    back = state @ weights["weight_hh"].T + weights["bias_hh"]
    return np.split(ahead, gates, -1), np.split(back, gates, -1)


def _gru(options, weights):
    def layer(x, state):
        outputs = []
        for inputs in x:
            (r_x, z_x, n_x), (r_h, z_h, n_h) = _drives(weights, inputs, state, 3)
            update = _logistic(z_x + z_h)
            state = (1.0 - update) * np.tanh(n_x + _logistic(r_x + r_h) * n_h) + update * state
            outputs.append(state)
        return np.stack(outputs), state

    return layer


def _lstm(options, weights):
    def layer(x, hidden, cell):
        outputs = []
        for inputs in x:
            i, f, g, o = (a + b for a, b in zip(*_drives(weights, inputs, hidden, 4), strict=True))
            cell = _logistic(f) * cell + _logistic(i) * np.tanh(g)
            hidden = _logistic(o) * np.tanh(cell)
            outputs.append(hidden)
        return np.stack(outputs), hidden, cell

    return layer


def native_optimiser(kind, options, /):
    if kind not in _OPTIMISERS:
        raise BackendError(adapter.limits[f"native {kind}"])
    return _OPTIMISERS[kind](**options)


def _sgd(lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    def step(params, grads, state):
        velocity = state or [np.zeros_like(p) for p in params]
        grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
        velocity = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]
        ahead = [g + momentum * v for v, g in zip(velocity, grads, strict=True)] if nesterov else velocity
        return [p - lr * v for p, v in zip(params, ahead, strict=True)], velocity

    return step


def _adam(lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    def step(params, grads, state):
        t, first, second = state or (
            0,
            [np.zeros_like(p) for p in params],
            [np.zeros_like(p) for p in params],
        )
        t += 1
        grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
        first = [beta1 * m + (1 - beta1) * g for m, g in zip(first, grads, strict=True)]
        second = [beta2 * v + (1 - beta2) * g**2 for v, g in zip(second, grads, strict=True)]
        rates = [np.sqrt(v / (1 - beta2**t)) + eps for v in second]
        moved = [p - lr * (m / (1 - beta1**t)) / r for p, m, r in zip(params, first, rates, strict=True)]
        return moved, (t, first, second)

    return step


_OPTIMISERS = {"SGD": _sgd, "Adam": _adam}
