"""NumPy has no layers or optimisers of its own: their counterparts here transcribe the definitions."""

import numpy as np
from d2l_backends.numpy import network


def native_layer(kind, options, weights, /):
    return {
        "Linear": _linear,
        "Conv2d": _conv,
        "BatchNorm": _batch_norm,
        "MaxPool2d": lambda options, weights: lambda x: _pool(x, np.max, -np.inf, **options),
        "AvgPool2d": lambda options, weights: lambda x: _pool(x, np.mean, 0.0, **options),
        "Embedding": lambda options, weights: lambda x: weights["weight"][x],
        "RNN": _rnn,
    }[kind](options, weights)


def _linear(options, weights):
    return lambda x: np.einsum("...i,oi->...o", x, weights["weight"]) + weights["bias"]


def _conv(options, weights):
    """Each output channel by the definition: the sum over a window of products with the kernel."""
    stride, padding = network._pair(options.get("stride", 1), 2), network._pair(options.get("padding", 0), 2)
    dilation, groups = network._pair(options.get("dilation", 1), 2), options.get("groups", 1)
    weight = weights["weight"]

    def layer(x):
        windows = network._windows(network._frame(x, padding), weight.shape[2:], stride, dilation)
        parts = zip(np.split(windows, groups, 1), np.split(weight, groups), strict=True)
        y = np.concatenate([np.einsum("ncijhw,ocij->nohw", part, kernel) for part, kernel in parts], 1)
        return y + weights["bias"][:, None, None]

    return layer


def _batch_norm(options, weights):
    def layer(x):
        columns = {name: w.reshape(-1, *(1,) * (x.ndim - 2)) for name, w in weights.items()}
        normal = (x - columns["running_mean"]) / np.sqrt(columns["running_var"] + options["eps"])
        return normal * columns["weight"] + columns["bias"]

    return layer


def _pool(x, reduce, frame, window, stride=None, padding=0):
    window, stride, padding = network._pool_setting(x, window, stride, padding)
    framed = network._frame(x, padding, frame)
    return reduce(network._windows(framed, window, stride, (1, 1)), axis=(2, 3))


def _rnn(options, weights):
    def layer(x, state):
        outputs = []
        for inputs in x:
            drive = inputs @ weights["weight_ih"].T + weights["bias_ih"]
            state = np.tanh(drive + state @ weights["weight_hh"].T + weights["bias_hh"])
            outputs.append(state)
        return np.stack(outputs), state

    return layer


def native_optimiser(kind, options, /):
    return {"SGD": _sgd, "Adam": _adam}[kind](**options)


def _sgd(lr, momentum=0.0, weight_decay=0.0):
    def step(params, grads, state):
        velocity = state or [np.zeros_like(p) for p in params]
        grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
        velocity = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]
        return [p - lr * v for p, v in zip(params, velocity, strict=True)], velocity

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
