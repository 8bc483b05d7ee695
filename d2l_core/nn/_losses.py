"""Losses: means over a batch, as 0-d tensors (in nats where they are logarithms of probabilities), and accuracy."""

from __future__ import annotations

import math

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.backend import float_dtype
from d2l_core.composites import log_softmax, relu, softplus
from d2l_core.interface import Tensor


def _same_shape(y_hat: Tensor, y: Tensor) -> None:
    if tuple(y_hat.shape) != tuple(y.shape):
        raise ValueError(
            f"Predictions have shape {tuple(y_hat.shape)} and targets {tuple(y.shape)}; reshape one to the other."
        )


def squared_error(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean of (y_hat - y)²; not halved. Two float tensors of one shape.

    Raises:
        ValueError: the shapes differ; broadcasting would compare every prediction with every target.
    """
    _same_shape(y_hat, y)
    return xp.mean(xp.square(y_hat - y))


def absolute_error(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean of |y_hat - y|. Two float tensors of one shape.

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(y_hat, y)
    return xp.mean(xp.abs(y_hat - y))


def huber(y_hat: Tensor, y: Tensor, delta: float = 1.0) -> Tensor:
    """Mean of ``e² / 2`` where ``|e| <= delta``, else ``delta (|e| - delta / 2)``, with e = y_hat - y (Huber, 1964).

    Raises:
        ValueError: the shapes differ, or `delta` is not positive.
    """
    _same_shape(y_hat, y)
    if delta <= 0:
        raise ValueError(f"delta is {delta}; the width of the quadratic part must be positive.")
    size = xp.abs(y_hat - y)
    inner = xp.minimum(size, xp.full_like(size, delta))
    return xp.mean(inner * (size - 0.5 * inner))


def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    *,
    label_smoothing: float = 0.0,
    class_weights: Tensor | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Mean of ``-log softmax(logits)[label]``, by the backend's fused form where no option is given.

    The target distribution gives ``1 - label_smoothing`` to the label and spreads the rest evenly over all C classes
    (Szegedy et al., 2016, section 7). Each example counts with its label's weight, and the mean is over the weights.

    Args:
        logits: floats (..., C), unnormalised log-probabilities.
        labels: integers (...) in [0, C), or `ignore_index`.
        label_smoothing: in [0, 1].
        class_weights: floats (C,) or None for ones.
        ignore_index: label of the positions that do not count.

    Returns:
        0-d float tensor, in nats; 0 if no position counts.

    Raises:
        ValueError: `label_smoothing` is outside [0, 1].
    """
    if label_smoothing == 0.0 and class_weights is None and ignore_index is None:
        return composites.cross_entropy(logits, labels)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing is {label_smoothing}; choose it in [0, 1].")
    log_p = log_softmax(logits)
    if ignore_index is None:
        counted = xp.ones_like(log_p[..., 0])
    else:
        counted = xp.astype(xp.not_equal(labels, ignore_index), log_p.dtype)
        labels = xp.where(xp.equal(labels, ignore_index), xp.zeros_like(labels), labels)
    loss = -xp.squeeze(xp.take_along_axis(log_p, xp.expand_dims(labels, axis=-1), axis=-1), -1)
    if label_smoothing:
        loss = (1.0 - label_smoothing) * loss - label_smoothing * xp.mean(log_p, axis=-1)
    weights = counted if class_weights is None else counted * xp.take(class_weights, labels, axis=0)
    total = xp.sum(weights)
    return xp.sum(weights * loss) / xp.where(total > 0, total, xp.ones_like(total))


def binary_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean of ``-y log p - (1 - y) log(1 - p)`` with p = sigmoid(logits), without overflow or log 0.

    Args:
        logits: floats of any shape.
        y: floats of the same shape in [0, 1].

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(logits, y)
    return xp.mean(softplus(logits) - y * logits)


def kl_divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Mean over the batch of ``sum p (log p - log q)``, from logarithms of probabilities (..., C) of one shape.

    Where p is 0, which is log p = -inf, the term is 0 (Kullback and Leibler, 1951).

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(log_p, log_q)
    possible = xp.isfinite(log_p)
    safe_p = xp.where(possible, log_p, xp.zeros_like(log_p))
    safe_q = xp.where(possible, log_q, xp.zeros_like(log_q))
    terms = xp.where(possible, xp.exp(safe_p) * (safe_p - safe_q), xp.zeros_like(log_p))
    return xp.mean(xp.sum(terms, axis=-1))


def ctc_loss(
    logits: Tensor,
    labels: Tensor,
    input_lengths: Tensor,
    label_lengths: Tensor,
    *,
    blank: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """Mean over the batch of minus the log-likelihood of each sequence of labels (Graves et al., 2006, section 4.2).

    It is not divided by the length of the labels. An example with fewer steps than its labels need (one for each, and
    one more between two equal ones) has no alignment: its loss is infinite and its gradient zero.

    Args:
        logits: floats (T, N, C), unnormalised log-probabilities of the classes at each step.
        labels: integers (N, S) in [0, C), none of them the blank; what stands after a sequence's length is ignored.
        input_lengths: integers (N,) in [0, T].
        label_lengths: integers (N,) in [0, S].
        blank: the class that means no label.
        zero_infinity: count an example without alignment as 0.

    Returns:
        0-d float tensor, in nats.

    Raises:
        ValueError: the shapes do not belong together, or the blank is no class.
    """
    batch = logits.shape[1]
    if labels.shape[0] != batch or {tuple(input_lengths.shape), tuple(label_lengths.shape)} != {(batch,)}:
        raise ValueError(
            f"Logits of shape {tuple(logits.shape)} need labels (N, S) and two tensors of lengths (N,), N = {batch}, "
            f"not {tuple(labels.shape)}, {tuple(input_lengths.shape)} and {tuple(label_lengths.shape)}."
        )
    if not 0 <= blank < logits.shape[2]:
        raise ValueError(f"The blank is {blank}; choose one of the {logits.shape[2]} classes, counted from 0.")
    found = composites.ctc_log_likelihood(log_softmax(logits), labels, input_lengths, label_lengths, blank)
    if zero_infinity:
        found = xp.where(found > -math.inf, found, xp.zeros_like(found))
    return -xp.mean(found)


def hinge(scores: Tensor, y: Tensor) -> Tensor:
    """Mean of ``max(0, 1 - y score)`` for labels y of -1 or 1 (Cortes and Vapnik, 1995); floats of one shape.

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(scores, y)
    return xp.mean(relu(1.0 - y * scores))


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0) -> Tensor:
    """Mean of ``max(0, |a - p|² - |a - n|² + margin)`` (Schroff et al., 2015, eq. 3).

    Args:
        anchor: floats (..., D).
        positive: of the same kind as the anchor, same shape.
        negative: of another kind, same shape.
        margin: by how much the other kind must be farther away.

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(positive, anchor)
    _same_shape(negative, anchor)
    near = xp.sum(xp.square(anchor - positive), axis=-1)
    far = xp.sum(xp.square(anchor - negative), axis=-1)
    return xp.mean(relu(near - far + margin))


def bayesian_personalised_ranking(positive: Tensor, negative: Tensor) -> Tensor:
    """Mean of ``-log sigmoid(positive - negative)``: scores of what was chosen and what was not (Rendle et al., 2009).

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(positive, negative)
    return xp.mean(softplus(negative - positive))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of rows of `logits` (..., C) whose largest entry is at the integer label (...), a 0-d float."""
    predicted = xp.argmax(logits, axis=-1)
    return xp.mean(xp.astype(predicted == xp.astype(labels, predicted.dtype), float_dtype()))
