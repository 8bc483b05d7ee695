"""A dataset of images: the exercises that a program examines."""

from __future__ import annotations

import numpy as np

from d2l_core import random, xp
from d2l_core.lessons.checking import expect_close, expect_shape


def halve(images):
    """Replace each block of two by two pixels by its mean.

    Args:
        images: a float tensor (n, height, width), both sides even.

    Returns:
        A float tensor (n, height / 2, width / 2).
    """
    raise NotImplementedError


def merge(first, second):
    """Statistics of two batches together, from those of each.

    Args:
        first: the count (a number), the mean of each pixel and the sum of squared deviations from that mean, float
            tensors (d,). The count may be 0; mean and sum are then zeros.
        second: the same of another batch, not empty.

    Returns:
        Count, mean (d,) and sum of squared deviations (d,) of all examples of both.
    """
    raise NotImplementedError


def check_halve_value(candidate):
    images = random.uniform((3, 6, 4), "image_dataset", "check", "halve")
    expected = np.stack([images[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]).mean(axis=0)
    found = candidate(xp.asarray(images))
    expect_shape(found, (3, 3, 2), "Both sides are halved, and the pictures stay apart.")
    expect_close(found, expected, "Each new pixel is the mean of its own two by two block; do rows and columns mix?")


def check_halve_edges(candidate):
    stripes = np.tile(np.array([1.0, 1.0, 0.0, 0.0]), (1, 4, 2))
    hint = "Stripes of two pixels must be grey after two halvings, wherever they begin."
    for shift in range(4):
        rolled = xp.asarray(np.roll(stripes, shift, axis=2))
        expect_close(candidate(candidate(rolled)), np.full((1, 1, 2), 0.5), hint)


def _statistics(X):
    return len(X), X.mean(axis=0), np.square(X - X.mean(axis=0)).sum(axis=0)


def _tensors(statistics):
    count, *others = statistics
    return count, *(xp.asarray(array) for array in others)


def _expect_merged(candidate, A, B, hint, rtol=1e-5):
    found = candidate(_tensors(_statistics(A)), _tensors(_statistics(B)))
    count, mean, squares = _statistics(np.concatenate([A, B]))
    expect_close(float(found[0]), float(count), "The counts add up.")
    expect_close(found[1], mean, f"{hint} This is the mean.", rtol=rtol)
    expect_close(found[2], squares, f"{hint} This is the sum of squared deviations.", rtol=rtol)


def check_merge_value(candidate):
    A, B = (random.normal((n, 3), "image_dataset", "check", n, mean=n / 10) for n in (12, 5))
    _expect_merged(candidate, A, B, "Batches weigh by their counts, and the difference of their means adds deviations.")


def check_merge_edges(candidate):
    B = random.normal((4, 3), "image_dataset", "check", "B")
    empty = (0, xp.zeros((3,)), xp.zeros((3,)))
    count, mean, squares = candidate(empty, _tensors(_statistics(B)))
    hint = "Together with an empty batch the other must come out unchanged."
    expect_close(float(count), 4.0, hint)
    expect_close(mean, B.mean(axis=0), hint)
    expect_close(squares, _statistics(B)[2], hint)


def check_merge_precision(candidate):
    A, B = (random.normal((n, 2), "image_dataset", "check", "far", n, mean=3000.0) for n in (40, 60))
    hint = "Far from zero the digits get lost; never subtract the square of a mean from a mean of squares."
    _expect_merged(candidate, A, B, hint, rtol=1e-3)
