"""The oracle: each network function by its definition, in plain NumPy and float64, written to be obviously right.

Nothing here is shared with an adapter or with the engine. Sums run over explicit windows; nothing is fast.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _per_axis(value: Any, axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)


# ---------------------------------------------------------------- arrays


def pad(x: Array, pad_width: Any, value: float = 0.0) -> Array:
    """x inside a frame of one value."""
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, pad_width, strict=True))
    framed = np.full(shape, value, x.dtype)
    framed[tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, pad_width, strict=True))] = x
    return framed


def flat_or_axis(function: Callable[..., Array], x: Array, *args: Any, axis: int | None = None) -> Array:
    """A function along an axis, or along the flattened array when there is none."""
    return function(x.reshape(-1) if axis is None else x, *args, axis=0 if axis is None else axis)


def sort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    """Ordered along an axis."""
    ordered = np.sort(x, axis=axis)
    return np.flip(ordered, axis=axis) if descending else ordered


def argsort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    """Positions in order; equal elements keep their order in both directions."""
    return np.argsort(-x if descending else x, axis=axis, kind="stable")


def top_k(x: Array, k: int, axis: int = -1) -> tuple[Array, Array]:
    """The k largest elements and where they are, by sorting."""
    order = np.take(argsort(x, axis, descending=True), range(k), axis=axis)
    return np.take_along_axis(x, order, axis), order


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Logarithm of a sum of exponentials in extended precision, shifted where infinities allow it."""
    shift = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(shift), shift, 0.0)
    total = np.sum(np.exp(x.astype(np.longdouble) - shift), axis=axis, keepdims=True)
    result = np.log(total) + shift
    squeezed = result if keepdims else np.squeeze(result, axis=axis)
    return np.asarray(squeezed, np.float64)


# ---------------------------------------------------------------- decompositions


def _positive_columns(vectors: Array) -> Array:
    """A sign for each column of one matrix: that of its first component of at least 0.6 of the largest size."""
    signs = []
    for column in vectors.T:
        size = np.abs(column)
        signs.append(np.sign(next(c for c, s in zip(column, size, strict=True) if s >= 0.6 * size.max())))
    return np.array(signs)


def _each(function: Callable[..., tuple[Array, ...]], x: Array) -> tuple[Array, ...]:
    """A function of one matrix for each of a stack."""
    if x.ndim == 2:
        return function(x)
    return tuple(np.stack(parts) for parts in zip(*[_each(function, matrix) for matrix in x], strict=True))


def _eigh(x: Array) -> tuple[Array, ...]:
    values, vectors = np.linalg.eigh((x + x.T) / 2)
    return values, vectors * _positive_columns(vectors)


def eigh(x: Array) -> tuple[Array, ...]:
    """Eigenvalues and eigenvectors with signs by the rule."""
    return _each(_eigh, x)


def svd(x: Array, full_matrices: bool = True) -> tuple[Array, ...]:
    """Singular values and vectors with signs by the rule; what completes a basis is NumPy's."""

    def signed(matrix: Array) -> tuple[Array, ...]:
        left, values, right = np.linalg.svd(matrix, full_matrices=full_matrices)
        k = len(values)
        signs = _positive_columns(left[:, :k])
        left[:, :k] *= signs
        right[:k] *= signs[:, None]
        return left, values, right

    return _each(signed, x)


def qr(x: Array, mode: str = "reduced") -> tuple[Array, ...]:
    """Orthonormal columns and an upper triangle with a diagonal that is not negative."""

    def signed(matrix: Array) -> tuple[Array, ...]:
        q, r = np.linalg.qr(matrix, mode)
        k = min(matrix.shape)
        signs = np.where(np.diagonal(r) < 0, -1.0, 1.0)
        q[:, :k] *= signs
        r[:k] *= signs[:, None]
        return q, r

    return _each(signed, x)


# ---------------------------------------------------------------- windows


def _outputs(spatial: Any, window: Any, stride: Any, dilation: Any) -> tuple[int, ...]:
    columns = zip(spatial, window, stride, dilation, strict=True)
    return tuple((n - d * (w - 1) - 1) // s + 1 for n, w, s, d in columns)


def _windows(x: Array, window: Any, stride: Any, dilation: Any) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Each output position with the elements of x (N, C, *spatial) under the window there."""
    for position in itertools.product(*(range(n) for n in _outputs(x.shape[2:], window, stride, dilation))):
        columns = zip(position, window, stride, dilation, strict=True)
        cut = tuple(slice(p * s, p * s + d * (w - 1) + 1, d) for p, w, s, d in columns)
        yield position, x[(slice(None), slice(None), *cut)]


def _framed(x: Array, padding: tuple[int, ...], value: float) -> Array:
    return pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], value)


def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlation, one output position at a time."""
    window = weight.shape[2:]
    stride, padding, dilation = (_per_axis(value, len(window)) for value in (stride, padding, dilation))
    x = _framed(x, padding, 0.0)
    y = np.zeros((x.shape[0], weight.shape[0], *_outputs(x.shape[2:], window, stride, dilation)))
    inputs, outputs = x.shape[1] // groups, weight.shape[0] // groups
    for position, patch in _windows(x, window, stride, dilation):
        for g in range(groups):
            some = slice(g * outputs, (g + 1) * outputs)
            products = patch[:, None, g * inputs : (g + 1) * inputs] * weight[None, some]
            y[(slice(None), some, *position)] = products.reshape(*products.shape[:2], -1).sum(-1)
    return y if bias is None else y + bias.reshape(1, -1, *(1 for _ in window))


def _pool(reduce: Callable[..., Array], filler: float, x: Array, window: Any, stride: Any, padding: Any) -> Array:
    axes = x.ndim - 2
    window, padding = _per_axis(window, axes), _per_axis(padding, axes)
    stride = window if stride is None else _per_axis(stride, axes)
    ones = (1,) * axes
    x = _framed(x, padding, filler)
    y = np.zeros((*x.shape[:2], *_outputs(x.shape[2:], window, stride, ones)))
    for position, patch in _windows(x, window, stride, ones):
        y[(slice(None), slice(None), *position)] = reduce(patch, axis=tuple(range(2, x.ndim)))
    return y


def max_pool(x: Array, window: Any, stride: Any = None, padding: Any = 0) -> Array:
    """Largest of each window; outside lies minus infinity."""
    return _pool(np.max, -np.inf, x, window, stride, padding)


def avg_pool(x: Array, window: Any, stride: Any = None, padding: Any = 0) -> Array:
    """Mean of each window; outside lie zeros that count."""
    return _pool(np.mean, 0.0, x, window, stride, padding)


# ---------------------------------------------------------------- random numbers


def _mix(x: Array) -> Array:
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def random_uniform(key: int, counter: int, shape: Any) -> Array:
    """Uniform numbers in unsigned 32-bit arithmetic."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    low, high = (np.array([part], np.uint32) for part in (key & 0xFFFFFFFF, key >> 32))
    s = _mix(low ^ _mix(np.array([counter], np.uint32)))
    t = _mix(high ^ s)
    i = np.arange(int(np.prod(shape)), dtype=np.uint32)
    return ((_mix(_mix(i + s) ^ t) >> np.uint32(8)).astype(np.float64) * 2.0**-24).reshape(shape)


# ---------------------------------------------------------------- layers


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x W^T + b."""
    y = np.einsum("...i,oi->...o", x, weight)
    return y if bias is None else y + bias


def relu(x: Array) -> Array:
    """max(x, 0), and as with any maximum NaN stays NaN."""
    return np.maximum(x, 0.0)


def sigmoid(x: Array) -> Array:
    """Logistic function in extended precision."""
    return np.asarray(1 / (1 + np.exp(-x.astype(np.longdouble))), np.float64)


def softmax(x: Array, axis: int = -1) -> Array:
    """Exponentials divided by their sum, in extended precision."""
    powers = np.exp(x.astype(np.longdouble) - np.max(x, axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True), np.float64)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x less the logarithm of the sum of exponentials, both in extended precision."""
    shifted = x.astype(np.longdouble) - np.max(x, axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), np.float64)


def one_hot(indices: Array, num_classes: int) -> Array:
    """Rows of the identity."""
    return (indices[..., None] == np.arange(num_classes)).astype(np.float64)


def embedding(indices: Array, weight: Array) -> Array:
    """Rows of a table."""
    return weight[indices]


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Mean of minus the log-probability of each label."""
    rows = log_softmax(logits).reshape(-1, logits.shape[-1])
    return np.asarray(-np.mean([row[label] for row, label in zip(rows, labels.reshape(-1), strict=True)]))


def dropout(x: Array, p: float, key: int, counter: int) -> Array:
    """Inverted dropout with the mask of `random_uniform`."""
    return np.where(random_uniform(key, counter, x.shape) >= p, x / (1.0 - p), 0.0)


def _channels(values: Array, rank: int) -> Array:
    return values.reshape(1, -1, *(1 for _ in range(rank - 2)))


def batch_norm_infer(x: Array, weight: Array, bias: Array, mean: Array, var: Array, eps: float) -> Array:
    """Normalisation by given statistics."""
    weight, bias, mean, var = (_channels(values, x.ndim) for values in (weight, bias, mean, var))
    return weight * (x - mean) / np.sqrt(var + eps) + bias


def batch_norm_train(x: Array, weight: Array, bias: Array, eps: float) -> tuple[Array, Array, Array]:
    """Normalisation by the statistics of the batch, and these."""
    axes = (0, *range(2, x.ndim))
    mean, var = x.mean(axis=axes), x.var(axis=axes)
    return batch_norm_infer(x, weight, bias, mean, var, eps), mean, var


def rnn_tanh(
    x: Array, state: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[Array, Array]:
    """Elman's network, one step at a time."""
    outputs = []
    for x_t in x:
        state = np.tanh(linear(x_t, weight_ih, bias_ih) + linear(state, weight_hh, bias_hh))
        outputs.append(state)
    return np.stack(outputs), state


def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Array) -> tuple[Any, Array]:
    """A loop over the first axis of one array."""
    outputs, carry = [], init
    for x in xs:
        carry, y = f(carry, x)
        outputs.append(y)
    return carry, np.stack(outputs)


# ---------------------------------------------------------------- gradients


def directional_derivative(
    f: Callable[[list[Array]], float], inputs: list[Array], direction: list[Array], step: float = 2e-4
) -> float:
    """Central differences of two widths, extrapolated: the error is of fourth order in the step."""

    def slope(h: float) -> float:
        ahead = f([x + h * v for x, v in zip(inputs, direction, strict=True)])
        behind = f([x - h * v for x, v in zip(inputs, direction, strict=True)])
        return (ahead - behind) / (2 * h)

    return (4 * slope(step / 2) - slope(step)) / 3
