"""Oracles of what single tasks need, in loops over boxes, pixels and paths."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from d2l_conformance.case import Array

# ---------------------------------------------------------------- boxes


def _overlap(one: Array, other: Array) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(shared / (sum(areas) - shared))


def box_iou(boxes1: Array, boxes2: Array) -> Array:
    """Pair by pair."""
    return np.array([[_overlap(one, other) for other in boxes2] for one in boxes1]).reshape(len(boxes1), len(boxes2))


def non_maximum_suppression(boxes: Array, scores: Array, iou_threshold: float, max_boxes: int | None = None) -> Array:
    """The best is taken and what overlaps it is thrown away, until nothing is left."""
    left = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if _overlap(boxes[best], boxes[i]) <= iou_threshold]
    return np.array(kept + [-1] * (len(boxes) - len(kept)), np.int64)[:max_boxes]


def _sides(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def roi_pool(x: Array, boxes: Array, size: Any, spatial_scale: float = 1.0) -> Array:
    """Cell by cell, as slices of pixels."""
    height, width = _sides(size)
    y = np.zeros((len(boxes), x.shape[1], height, width))
    for r, (example, *corners) in enumerate(boxes):
        x1, y1, x2, y2 = (math.floor(c * spatial_scale + 0.5) for c in corners)
        rows, columns = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for i, j in itertools.product(range(height), range(width)):
            top, bottom = y1 + i * rows // height, y1 - (-(i + 1) * rows // height)
            left, right = x1 + j * columns // width, x1 - (-(j + 1) * columns // width)
            patch = x[int(example), :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            if patch.size:
                y[r, :, i, j] = patch.max(axis=(1, 2))
    return y


def _bilinear(picture: Array, row: float, column: float) -> Array:
    """The value of channels (C, H, W) at a point of the grid of pixel centres."""
    high, wide = picture.shape[1:]
    if not (-1 <= row <= high and -1 <= column <= wide):
        return np.zeros(len(picture))
    row, column = min(max(row, 0.0), high - 1.0), min(max(column, 0.0), wide - 1.0)
    top, left = int(row), int(column)
    below, right = min(top + 1, high - 1), min(left + 1, wide - 1)
    upper = picture[:, top, left] * (1 - column + left) + picture[:, top, right] * (column - left)
    lower = picture[:, below, left] * (1 - column + left) + picture[:, below, right] * (column - left)
    return np.asarray(upper * (1 - row + top) + lower * (row - top))


def roi_align(x: Array, boxes: Array, size: Any, spatial_scale: float = 1.0, sampling_ratio: int = 2) -> Array:
    """Point by point."""
    height, width = _sides(size)
    y = np.zeros((len(boxes), x.shape[1], height, width))
    for r, (example, *corners) in enumerate(boxes):
        x1, y1, x2, y2 = (c * spatial_scale - 0.5 for c in corners)
        down, across = (y2 - y1) / (height * sampling_ratio), (x2 - x1) / (width * sampling_ratio)
        for i, j in itertools.product(range(height * sampling_ratio), range(width * sampling_ratio)):
            value = _bilinear(x[int(example)], y1 + (i + 0.5) * down, x1 + (j + 0.5) * across)
            y[r, :, i // sampling_ratio, j // sampling_ratio] += value / sampling_ratio**2
    return y


# ---------------------------------------------------------------- labels of speech


def _read(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """What a path stands for: repetitions merged, then blanks removed."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def ctc_log_likelihood(
    log_probs: Array, labels: Array, input_lengths: Array, label_lengths: Array, blank: int = 0
) -> Array:
    """Every path there is, read and added up if it stands for the labels."""
    results = []
    for n, (steps, length) in enumerate(zip(input_lengths, label_lengths, strict=True)):
        wanted = tuple(int(label) for label in labels[n, :length])
        paths = itertools.product(range(log_probs.shape[2]), repeat=int(steps))
        fitting = [path for path in paths if _read(path, blank) == wanted]
        sums = [math.fsum(log_probs[t, n, label] for t, label in enumerate(path)) for path in fitting]
        total = math.fsum(math.exp(s) for s in sums)
        results.append(math.log(total) if total else -math.inf)
    return np.array(results)
