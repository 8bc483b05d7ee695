"""Sequences of labels that are shorter than what they label, summed over every way to stretch them."""

from __future__ import annotations

import math

import numpy as np

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.composites.arrays import logaddexp
from d2l_core.interface import Tensor

__all__ = ["ctc_log_likelihood"]


@composite("network")
def ctc_log_likelihood(
    log_probs: Tensor, labels: Tensor, input_lengths: Tensor, label_lengths: Tensor, blank: int = 0, /
) -> Tensor:
    """Logarithm of the probability of a sequence of labels under connectionist temporal classification.

    A path gives each step a label or a blank; it stands for the sequence that is left once repetitions are merged and
    then blanks removed. The probabilities of all paths of the sequence are added by the forward recursion of Graves et
    al. (2006), section 4.1, in logarithms.

    Args:
        log_probs: floats (T, N, C), logarithms of the probabilities of the classes at each step.
        labels: integers (N, S) in [0, C), none of them the blank; what stands after a sequence's length is ignored.
        input_lengths: integers (N,) in [0, T], how many steps count.
        label_lengths: integers (N,) in [0, S].
        blank: the class that means no label.

    Returns:
        (N,) in nats; -inf, without gradient, where no path is long enough for the labels.
    """
    steps, batch, _ = log_probs.shape
    classes = _interleaved(labels, label_lengths, blank)
    size = classes.shape[1]
    emitted = xp.take_along_axis(
        log_probs, xp.broadcast_to(xp.expand_dims(classes, axis=0), (steps, batch, size)), axis=2
    )
    before = xp.pad(classes, [(0, 0), (2, 0)], value=blank)[:, :size]
    may_skip = xp.logical_and(classes != blank, classes != before)
    counts = xp.reshape(xp.arange(steps, dtype=input_lengths.dtype), (-1, 1)) < input_lengths

    def step(alpha: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        log_p, counted = now
        skipped = _shifted(alpha, 2)
        skipped = xp.where(may_skip, skipped, xp.full_like(skipped, -math.inf))
        moved = logaddexp(logaddexp(alpha, _shifted(alpha, 1)), skipped) + log_p
        alpha = xp.where(xp.expand_dims(counted, axis=1), moved, alpha)
        return alpha, alpha[:, 0]

    start = np.full((1, size), -math.inf)
    start[0, 0] = 0.0
    alpha = xp.broadcast_to(xp.asarray(start, dtype=log_probs.dtype), (batch, size))
    alpha, _ = xp.scan(step, alpha, (emitted, counts))
    return _at_the_end(alpha, label_lengths)


def _interleaved(labels: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """Blanks before, between and after the labels, and in place of what is beyond their length: (N, 2 S + 1)."""
    batch, size = labels.shape
    counted = xp.reshape(xp.arange(size, dtype=lengths.dtype), (1, -1)) < xp.expand_dims(lengths, axis=1)
    labels = xp.where(counted, labels, xp.full_like(labels, blank))
    pairs = xp.stack([xp.full_like(labels, blank), labels], axis=2)
    return xp.pad(xp.reshape(pairs, (batch, 2 * size)), [(0, 0), (0, 1)], value=blank)


def _shifted(alpha: Tensor, places: int) -> Tensor:
    return xp.pad(alpha, [(0, 0), (places, 0)], value=-math.inf)[:, : alpha.shape[1]]


def _at_the_end(alpha: Tensor, lengths: Tensor) -> Tensor:
    """The paths that end in the last label or the blank behind it; what is not possible is a constant."""
    last = xp.expand_dims(2 * lengths, axis=1)
    places = xp.reshape(xp.arange(alpha.shape[1], dtype=lengths.dtype), (1, -1))
    ends = xp.logical_or(places == last, places == last - 1)
    impossible = xp.full_like(alpha, -math.inf)
    possible = xp.logical_and(ends, alpha > -math.inf)
    largest = xp.stop_gradient(xp.max(xp.where(possible, alpha, impossible), axis=1, keepdims=True))
    shift = xp.where(xp.isfinite(largest), largest, xp.zeros_like(largest))
    zeros = xp.zeros_like(alpha)
    total = xp.sum(xp.where(possible, xp.exp(xp.where(possible, alpha - shift, zeros)), zeros), axis=1)
    found = total > 0
    logarithm = xp.log(xp.where(found, total, xp.ones_like(total))) + xp.squeeze(shift, 1)
    return xp.where(found, logarithm, xp.full_like(total, -math.inf))
