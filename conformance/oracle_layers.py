"""Oracles of layers in plain NumPy, written from the formulas, element by element, and not as the engine does it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from d2l_conformance.case import Array
from d2l_conformance.oracle import linear, softmax

# ---------------------------------------------------------------- activations


def erf(x: Array) -> Array:
    """Error function of the C library."""
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """Two half lines."""
    return np.where(np.greater(x, 0), x, slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """A half line and an exponential."""
    return np.where(np.greater(x, 0), x, alpha * np.expm1(x))


def softplus(x: Array) -> Array:
    """Logarithm of two exponentials added."""
    return np.logaddexp(x, 0.0)


def log_sigmoid(x: Array) -> Array:
    """Minus the logarithm of 1 + exp(-x)."""
    return -np.logaddexp(-x, 0.0)


def silu(x: Array) -> Array:
    """x times the logistic function in extended precision."""
    wide = x.astype(np.longdouble)
    return np.asarray(wide / (1 + np.exp(-wide)), np.float64)


def gelu(x: Array) -> Array:
    """x times the normal distribution function, by the complementary error function."""
    return np.vectorize(lambda v: v * 0.5 * math.erfc(-v / math.sqrt(2.0)), otypes=[np.float64])(x)


# ---------------------------------------------------------------- normalisation


def layer_norm(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    """Each group of elements by its own mean and standard deviation."""
    rows = x.reshape(-1, weight.size)
    made = [(row - row.mean()) / np.sqrt(row.var() + eps) * weight.ravel() + bias.ravel() for row in rows]
    return np.asarray(made).reshape(x.shape)


def rms_norm(x: Array, weight: Array, eps: float) -> Array:
    """Each row divided by its root mean square."""
    rows = x.reshape(-1, weight.size)
    made = [row / np.sqrt(np.mean(row**2) + eps) * weight.ravel() for row in rows]
    return np.asarray(made).reshape(x.shape)


def group_norm(x: Array, groups: int, weight: Array, bias: Array, eps: float) -> Array:
    """Each group of channels of each example by itself."""
    y = np.empty_like(x)
    size = x.shape[1] // groups
    for n, g in itertools.product(range(len(x)), range(groups)):
        part = slice(g * size, (g + 1) * size)
        block = x[n, part]
        y[n, part] = (block - block.mean()) / np.sqrt(block.var() + eps)
    shape = (-1, *(1 for _ in x.shape[2:]))
    return y * weight.reshape(shape) + bias.reshape(shape)


# ---------------------------------------------------------------- recurrence


def _logistic(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def gru(x: Array, state: Array, *weights: Array) -> tuple[Array, Array]:
    """One step after the other, gate by gate."""
    weight_ih, weight_hh, bias_ih, bias_hh = (np.split(w, 3) for w in weights)
    outputs = []
    for x_t in x:
        ahead = [linear(x_t, w, b) for w, b in zip(weight_ih, bias_ih, strict=True)]
        back = [linear(state, w, b) for w, b in zip(weight_hh, bias_hh, strict=True)]
        reset, update = _logistic(ahead[0] + back[0]), _logistic(ahead[1] + back[1])
        candidate = np.tanh(ahead[2] + reset * back[2])
        state = (1.0 - update) * candidate + update * state
        outputs.append(state)
    return np.stack(outputs), state


def lstm(x: Array, state: tuple[Array, Array], *weights: Array) -> tuple[Array, tuple[Array, Array]]:
    """One step after the other, gate by gate."""
    weight_ih, weight_hh, bias_ih, bias_hh = (np.split(w, 4) for w in weights)
    hidden, cell = state
    outputs = []
    for x_t in x:
        parts = [
            linear(x_t, w, b) + linear(hidden, u, d)
            for w, b, u, d in zip(weight_ih, bias_ih, weight_hh, bias_hh, strict=True)
        ]
        cell = _logistic(parts[1]) * cell + _logistic(parts[0]) * np.tanh(parts[2])
        hidden = _logistic(parts[3]) * np.tanh(cell)
        outputs.append(hidden)
    return np.stack(outputs), (hidden, cell)


def reverse_sequences(x: Array, lengths: Array) -> Array:
    """Each column's beginning turned round."""
    y = x.copy()
    for n, length in enumerate(lengths):
        y[:length, n] = x[:length, n][::-1]
    return y


# ---------------------------------------------------------------- attention


def masked_softmax(scores: Array, mask: Array | None = None) -> Array:
    """Softmax of the chosen elements of each row alone."""
    if mask is None:
        return softmax(scores)
    chosen = np.broadcast_to(mask, scores.shape).reshape(-1, scores.shape[-1])
    rows = scores.reshape(-1, scores.shape[-1])
    y = np.zeros(rows.shape)
    for row, here, out in zip(rows, chosen, y, strict=True):
        if here.any():
            out[here] = softmax(row[here])
    return y.reshape(scores.shape)


def attention(queries: Array, keys: Array, values: Array, mask: Array | None = None) -> tuple[Array, Array]:
    """By a sum over indices."""
    scores = np.einsum("...qd,...kd->...qk", queries, keys) / np.sqrt(queries.shape[-1])
    weights = masked_softmax(scores, mask)
    return np.einsum("...qk,...kv->...qv", weights, values), weights


def length_mask(lengths: Array, size: int) -> Array:
    """Position by position."""
    return np.asarray([[i < n for i in range(size)] for n in lengths.ravel()]).reshape(*lengths.shape, size)


def causal_mask(size: int) -> Array:
    """The lower triangle."""
    return np.tril(np.ones((size, size), bool))


# ---------------------------------------------------------------- pictures


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Every input element adds its window, scaled, to the output."""
    rank = x.ndim - 2
    strides, paddings, extras, dilations = (_each(v, rank) for v in (stride, padding, output_padding, dilation))
    window = weight.shape[2:]
    full = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(x.shape[2:], strides, dilations, window, strict=True)]
    channels, out = x.shape[1] // groups, weight.shape[1]
    y = np.zeros((len(x), out * groups, *(f + e for f, e in zip(full, extras, strict=True))))
    for place in np.ndindex(*x.shape[2:]):
        target = tuple(
            slice(i * s, i * s + d * (k - 1) + 1, d)
            for i, s, d, k in zip(place, strides, dilations, window, strict=True)
        )
        for g in range(groups):
            inputs = x[(slice(None), slice(g * channels, (g + 1) * channels), *place)]
            scaled = np.tensordot(inputs, weight[g * channels : (g + 1) * channels], axes=1)
            y[(slice(None), slice(g * out, (g + 1) * out), *target)] += scaled
    inner = tuple(slice(p, y.shape[2 + i] - p) for i, p in enumerate(paddings))
    y = y[(slice(None), slice(None), *inner)]
    return y if bias is None else y + bias.reshape(-1, *(1 for _ in range(rank)))


def _cells(n: int, m: int) -> list[slice]:
    return [slice(math.floor(i * n / m), math.ceil((i + 1) * n / m)) for i in range(m)]


def _adaptive(reduce: Any, x: Array, size: Any) -> Array:
    target = _each(size, x.ndim - 2)
    cells = [_cells(n, m) for n, m in zip(x.shape[2:], target, strict=True)]
    y = np.empty((*x.shape[:2], *target))
    for place in np.ndindex(*target):
        block = x[(slice(None), slice(None), *(cells[axis][i] for axis, i in enumerate(place)))]
        y[(slice(None), slice(None), *place)] = reduce(block, axis=tuple(range(2, x.ndim)))
    return y


def adaptive_avg_pool(x: Array, size: Any) -> Array:
    """Cell by cell."""
    return _adaptive(np.mean, x, size)


def adaptive_max_pool(x: Array, size: Any) -> Array:
    """Cell by cell."""
    return _adaptive(np.max, x, size)


def global_avg_pool(x: Array) -> Array:
    """Channel by channel."""
    return x.reshape(*x.shape[:2], -1).mean(-1)


def resize(x: Array, size: Any, method: str = "linear") -> Array:
    """Axis by axis, by NumPy's interpolation between the centres of the pixels."""
    for axis, m in enumerate(_each(size, x.ndim - 2), start=2):
        n = x.shape[axis]
        if method == "nearest":
            x = np.take(x, [i * n // m for i in range(m)], axis)
        else:
            places = (np.arange(m) + 0.5) * n / m - 0.5
            x = np.apply_along_axis(lambda line, at=places, n=n: np.interp(at, np.arange(n), line), axis, x)
    return x


# ---------------------------------------------------------------- optimisation


Arrays = list[Array]


def adam(
    ps: Arrays, gs: Arrays, ms: Arrays, vs: Arrays, progress: Array, lr: Any, beta1: float, beta2: float, eps: float
) -> tuple[Arrays, Arrays, Arrays]:
    """Kingma and Ba (2015), algorithm 1; of `progress` only the number of the step is looked at."""
    t = progress[2]
    ms = [beta1 * m + (1 - beta1) * g for m, g in zip(ms, gs, strict=True)]
    vs = [beta2 * v + (1 - beta2) * g**2 for v, g in zip(vs, gs, strict=True)]
    steps = [(m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps) for m, v in zip(ms, vs, strict=True)]
    return [p - lr * step for p, step in zip(ps, steps, strict=True)], ms, vs
