"""Network functions composed of primitives once, for all backends."""

from __future__ import annotations

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.backend import float_dtype
from d2l_core.composites.activations import log_softmax
from d2l_core.interface import Tensor


@composite("network")
def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, /) -> Tensor:
    """x (..., in) times weight (out, in) transposed, plus bias (out,): (..., out)."""
    y = xp.matmul(x, xp.matrix_transpose(weight))
    return y if bias is None else y + bias


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
