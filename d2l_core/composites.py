"""Functions composed of primitives once, for all backends; an adapter may replace one by a faster native form."""

from __future__ import annotations

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.backend import float_dtype
from d2l_core.interface import Axis, Tensor


@composite("arrays")
def logsumexp(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) without overflow, by subtracting the largest element first."""
    largest = xp.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    total = xp.log(xp.sum(xp.exp(x - largest), axis=axis, keepdims=True)) + largest
    if keepdims:
        return total
    axes = tuple(range(len(x.shape))) if axis is None else axis
    return xp.squeeze(total, axes)


@composite("network")
def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, /) -> Tensor:
    """x (..., in) times weight (out, in) transposed, plus bias (out,): (..., out)."""
    y = xp.matmul(x, xp.matrix_transpose(weight))
    return y if bias is None else y + bias


@composite("network")
def relu(x: Tensor, /) -> Tensor:
    """max(x, 0), NaN where x is; the gradient at 0 is 0."""
    return xp.where(x <= 0, xp.zeros_like(x), x)


@composite("network")
def sigmoid(x: Tensor, /) -> Tensor:
    """1 / (1 + exp(-x)), in a form that cannot overflow."""
    return 0.5 * (xp.tanh(0.5 * x) + 1.0)


@composite("network")
def softmax(x: Tensor, /, *, axis: int = -1) -> Tensor:
    """exp(x) divided by its sum along an axis, without overflow."""
    shifted = xp.exp(x - xp.stop_gradient(xp.max(x, axis=axis, keepdims=True)))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


@composite("network")
def log_softmax(x: Tensor, /, *, axis: int = -1) -> Tensor:
    """Logarithm of `softmax`, without overflow or log 0."""
    return x - logsumexp(x, axis=axis, keepdims=True)


@composite("network")
def one_hot(indices: Tensor, num_classes: int, /) -> Tensor:
    """Integers (...) in [0, num_classes) to rows of the identity (..., num_classes) of the default float."""
    classes = xp.arange(num_classes, dtype=indices.dtype)
    return xp.astype(xp.equal(xp.expand_dims(indices, axis=-1), classes), float_dtype())


@composite("network")
def embedding(indices: Tensor, weight: Tensor, /) -> Tensor:
    """Rows of weight (V, D) at integer indices (...): (..., D)."""
    return xp.take(weight, indices, axis=0)


@composite("network")
def cross_entropy(logits: Tensor, labels: Tensor, /) -> Tensor:
    """Mean over the batch of -log softmax(logits)[label].

    Args:
        logits: floats (..., C), unnormalised log-probabilities.
        labels: integers (...) in [0, C).

    Returns:
        0-d float tensor, in nats.
    """
    picked = xp.take_along_axis(log_softmax(logits), xp.expand_dims(labels, axis=-1), axis=-1)
    return -xp.mean(picked)


@composite("network")
def dropout(x: Tensor, p: float, key: int, counter: Tensor | int, /) -> Tensor:
    """Elements zeroed with probability p, the rest divided by 1 - p (Srivastava et al., 2014, inverted form).

    The elements kept are those for which ``random_uniform(key, counter, x.shape) >= p``: the same on every backend.
    """
    keep = xp.random_uniform(key, counter, tuple(x.shape)) >= p
    return xp.where(keep, x * (1.0 / (1.0 - p)), xp.zeros_like(x))


@composite("network")
def batch_norm_train(x: Tensor, weight: Tensor, bias: Tensor, eps: float, /) -> tuple[Tensor, Tensor, Tensor]:
    """x (N, C, *spatial) normalised per channel by the statistics of this batch (Ioffe and Szegedy, 2015, alg. 1).

    Returns:
        ``weight * (x - mean) / sqrt(var + eps) + bias`` in the shape of x, the mean (C,) and the variance (C,)
        divided by the number of elements (not one less). Nothing flows back through the last two.
    """
    axes = (0, *range(2, len(x.shape)))
    shape = (1, x.shape[1], *(1 for _ in x.shape[2:]))
    mean = xp.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    var = xp.mean(centred * centred, axis=axes, keepdims=True)
    y = centred * (xp.reshape(weight, shape) / xp.sqrt(var + eps)) + xp.reshape(bias, shape)
    return y, xp.stop_gradient(xp.squeeze(mean, axes)), xp.stop_gradient(xp.squeeze(var, axes))


@composite("network")
def batch_norm_infer(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, eps: float, /) -> Tensor:
    """x (N, C, *spatial) normalised per channel by given statistics (Ioffe and Szegedy, 2015, alg. 2)."""
    shape = (1, x.shape[1], *(1 for _ in x.shape[2:]))
    scale = weight / xp.sqrt(var + eps)
    return x * xp.reshape(scale, shape) + xp.reshape(bias - mean * scale, shape)


@composite("network")
def rnn_tanh(
    x: Tensor, state: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, /
) -> tuple[Tensor, Tensor]:
    """Elman's recurrent layer over a whole sequence: ``h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)``.

    Args:
        x: inputs (T, N, I).
        state: first hidden state (N, H).
        weight_ih: (H, I).
        weight_hh: (H, H).
        bias_ih: (H,).
        bias_hh: (H,).

    Returns:
        All hidden states (T, N, H) and the last one (N, H).
    """
    projected = linear(x, weight_ih, bias_ih + bias_hh)
    recurrent = xp.matrix_transpose(weight_hh)

    def step(hidden: Tensor, projection: Tensor) -> tuple[Tensor, Tensor]:
        hidden = xp.tanh(projection + xp.matmul(hidden, recurrent))
        return hidden, hidden

    last, outputs = xp.scan(step, state, projected)
    return outputs, last
