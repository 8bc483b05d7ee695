"""Cases of what single tasks need: boxes in pictures, and labels of speech."""

from __future__ import annotations

from typing import Any

import numpy as np
from d2l_conformance import oracle_tasks as oracle
from d2l_conformance._makers import spread
from d2l_conformance.case import Array, Bits, Case, Scaled, Slope, sample

Generator = np.random.Generator
ADDED = Slope(3, "What was used more than once has its gradients added, in some order.")
LONG_CHAIN = Slope(8, "Each step's rounding is carried through all the earlier ones.")


def _boxes(rng: Generator, number: int, size: float = 10.0) -> Array:
    """Corners in the right order, no two on one line."""
    points = np.sort(rng.uniform(0, size, (number, 2, 2)), axis=1)
    return points.reshape(number, 4)


# ---------------------------------------------------------------- boxes


def _pairs(rng: Generator) -> Any:
    yield sample(_boxes(rng, 5), _boxes(rng, 4))


def _pairs_edges(rng: Generator) -> Any:
    first = np.array([[0.0, 0, 2, 2], [1, 1, 1, 3], [3, 3, 1, 1], [0, 0, 0, 0]])
    second = np.array([[2.0, 0, 4, 2], [0, 0, 2, 2], [1, 1, 1, 3], [3, 3, 1, 1], [0, 0, 0, 0], [0.5, 0.5, 1.5, 1.0]])
    yield sample(first, second)


def _suppression(rng: Generator) -> Any:
    boxes = np.concatenate([_boxes(rng, 5), _boxes(rng, 5) + rng.normal(size=(5, 1)) * 0.1])
    scores = rng.uniform(size=10)
    yield sample(boxes, scores, 0.2)
    yield sample(boxes, np.round(scores, 1), 0.0, max_boxes=4)
    yield sample(np.tile(np.array([[0.0, 0, 2, 2]]), (4, 1)), np.array([0.5, 0.75, 0.75, 0.25]), 0.5)
    yield sample(boxes[:1], scores[:1], 0.5, max_boxes=5)


def _regions(rng: Generator) -> Array:
    """Within the picture of 20 x 28, across its edge, outside of it, of no size, and halfway between pixels."""
    return np.array(
        [
            [0.0, 2, 1, 21, 15], [1, 0, 0, 27, 19], [0, -9, 8, 9, 30], [1, 40, 40, 60, 50], [0, 9, 5, 3, 5],
            [1, 6, 2, 10, 14], [0, 13, 3, 13, 3],
        ]
    )  # fmt: skip


def _roi(*extra: dict[str, Any]) -> Any:
    def make(rng: Generator) -> Any:
        x, boxes = spread(rng, (2, 3, 5, 7), 0.05), _regions(rng)
        for options in ({}, *extra):
            yield sample(x, boxes, (2, 3), spatial_scale=0.25, **options)
        yield sample(x, boxes[:2] * [1, 0.25, 0.25, 0.25, 0.25], 4)

    return make


BOXES = [
    Case("box_iou", oracle.box_iou, _pairs, Scaled(4), edges=_pairs_edges, differentiable=(0, 1), gradient=Slope(8)),
    Case("non_maximum_suppression", oracle.non_maximum_suppression, _suppression, Bits(), "integer"),
    Case("roi_pool", oracle.roi_pool, _roi(), Bits(), differentiable=(0,), gradient=ADDED),
    Case(
        "roi_align", oracle.roi_align, _roi({"sampling_ratio": 3}), Scaled(4),
        differentiable=(0,), gradient=Slope(8),
    ),
]  # fmt: skip


# ---------------------------------------------------------------- labels of speech


def _log_probs(rng: Generator, *shape: int) -> Array:
    scores = rng.normal(size=shape)
    return np.asarray(scores - np.log(np.exp(scores).sum(-1, keepdims=True)))


def _alignments(rng: Generator) -> Any:
    labels = np.array([[1, 2, 1], [2, 2, 9], [1, 9, 9]], np.int32)
    lengths = np.array([5, 4, 5], np.int32), np.array([3, 2, 0], np.int32)
    yield sample(_log_probs(rng, 5, 3, 3), labels, *lengths)
    yield sample(_log_probs(rng, 3, 1, 4), np.array([[0, 2]], np.int64), np.array([3]), np.array([2]), 3)


def _impossible(rng: Generator) -> Any:
    labels = np.array([[1, 1], [1, 2], [1, 2], [1, 2]], np.int32)
    lengths = np.array([2, 1, 0, 0], np.int32), np.array([2, 2, 2, 0], np.int32)
    yield sample(_log_probs(rng, 2, 4, 3), labels, *lengths)
    certain = np.array([[[0.0, -np.inf, -np.inf]], [[-np.inf, 0.0, -np.inf]]])
    for label in (1, 2):
        yield sample(certain, np.array([[label]], np.int32), np.array([2], np.int32), np.array([1], np.int32))


SPEECH = [
    Case(
        "ctc_log_likelihood", oracle.ctc_log_likelihood, _alignments, Scaled(4), edges=_impossible,
        differentiable=(0,), gradient=LONG_CHAIN,
    ),
]  # fmt: skip

CASES = [*BOXES, *SPEECH]
