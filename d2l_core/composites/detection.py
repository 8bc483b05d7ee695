"""Boxes in pictures: how much they overlap, which of them to keep, and what lies inside them.

A box is its corners (x1, y1, x2, y2), x to the right and y downwards.
"""

from __future__ import annotations

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.composites.activations import relu
from d2l_core.interface import Tensor

__all__ = ["box_iou", "non_maximum_suppression", "roi_align", "roi_pool"]


@composite("network")
def box_iou(boxes1: Tensor, boxes2: Tensor, /) -> Tensor:
    """Intersection over union (Jaccard, 1912) of each pair of boxes: (N, 4) and (M, 4) to (N, M), floats in [0, 1].

    A box of no area, or with its corners in the wrong order, has 0 in common with every other.
    """
    first, second = xp.expand_dims(boxes1, axis=1), xp.expand_dims(boxes2, axis=0)
    corner1 = xp.maximum(first[..., :2], second[..., :2])
    corner2 = xp.minimum(first[..., 2:], second[..., 2:])
    sides = relu(corner2 - corner1)
    shared = sides[..., 0] * sides[..., 1]
    union = xp.expand_dims(_areas(boxes1), axis=1) + _areas(boxes2) - shared
    return xp.where(shared > 0, shared, xp.zeros_like(shared)) / xp.where(shared > 0, union, xp.ones_like(union))


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


@composite("network")
def non_maximum_suppression(
    boxes: Tensor, scores: Tensor, iou_threshold: float, /, *, max_boxes: int | None = None
) -> Tensor:
    """Indices of the boxes to keep, the best score first: each that overlaps none kept before by more than a threshold.

    Of equal scores the smaller index comes first. Nothing flows back. Classes are kept apart by moving the boxes of
    each by a multiple of the picture's size.

    Args:
        boxes: floats (N, 4).
        scores: floats (N,).
        iou_threshold: largest intersection over union that two kept boxes may have.
        max_boxes: how many to keep at most; all N if None.

    Returns:
        Integers (K,), K being N or `max_boxes` if that is smaller; -1 where there are no more boxes to keep, so that
        the shape does not depend on values.
    """
    count = boxes.shape[0]
    order = xp.argsort(xp.stop_gradient(scores), descending=True)
    ranked = xp.take(xp.stop_gradient(boxes), order, axis=0)
    close = box_iou(ranked, ranked) > iou_threshold
    places = xp.arange(count, dtype=order.dtype)

    def visit(alive: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        near, place = turn
        chosen = xp.any(xp.logical_and(alive, places == place))
        beaten = xp.logical_and(xp.logical_and(near, places > place), chosen)
        return xp.logical_and(alive, xp.logical_not(beaten)), chosen

    alive = places >= 0
    if count:
        alive, _ = xp.scan(visit, alive, (close, places))
    dropped = xp.astype(xp.logical_not(alive), order.dtype)
    kept = xp.take(order, xp.argsort(dropped), axis=0)
    number = count - xp.sum(dropped)
    return xp.where(places < number, kept, xp.full_like(kept, -1))[:max_boxes]


@composite("network")
def roi_pool(x: Tensor, boxes: Tensor, size: int | tuple[int, int], /, *, spatial_scale: float = 1.0) -> Tensor:
    """The largest element in each cell of a grid laid over each region of interest (Girshick, Fast R-CNN, 2015).

    Rounding is that of the paper's program. A corner times `spatial_scale` goes to the nearest pixel, halves upwards,
    and the last pixel belongs to the region, which is ``h = max(y2 - y1 + 1, 1)`` pixels high. Cell i of m covers
    its pixels ``floor(i h / m)`` to ``ceil((i + 1) h / m) - 1``, so that neighbours may share one; columns likewise.
    What lies outside the picture is left out, and a cell with nothing in it is 0. Nothing flows back to the boxes.

    Args:
        x: features (N, C, H, W).
        boxes: (R, 5) in the dtype of x: the index of the example in the batch, and the corners (x1, y1, x2, y2).
        size: (height, width) of the grid, or one number for both.
        spatial_scale: pixels of x for each unit of the corners.

    Returns:
        (R, C, height, width).
    """
    height, width = (size, size) if isinstance(size, int) else size
    boxes = xp.stop_gradient(boxes)
    corners = xp.astype(xp.floor(boxes[:, 1:] * spatial_scale + 0.5), xp.arange(1).dtype)
    regions = xp.take(x, xp.astype(boxes[:, 0], corners.dtype), axis=0)
    rows = _cells(corners[:, 1], corners[:, 3], x.shape[2], height)
    columns = _cells(corners[:, 0], corners[:, 2], x.shape[3], width)
    rows = xp.reshape(rows, (-1, 1, height, x.shape[2], 1))
    columns = xp.reshape(columns, (-1, 1, 1, width, x.shape[3]))
    reduced = xp.stack([_largest(regions, rows[:, :, i], -2) for i in range(height)], axis=2)
    pooled = xp.stack([_largest(reduced, columns[:, :, :, i], -1) for i in range(width)], axis=3)
    filled = xp.logical_and(xp.any(rows, axis=-2), xp.any(columns, axis=-1))
    return xp.where(filled, pooled, xp.zeros_like(pooled))


def _cells(first: Tensor, last: Tensor, extent: int, number: int) -> Tensor:
    """Which of `extent` pixels lie in each of `number` cells between two pixels (R,): booleans (R, number, extent)."""
    first, last = (xp.reshape(edge, (-1, 1, 1)) for edge in (first, last))
    length = xp.maximum(last - first + 1, xp.ones_like(first))
    cell = xp.reshape(xp.arange(number, dtype=first.dtype), (1, -1, 1))
    pixel = xp.reshape(xp.arange(extent, dtype=first.dtype), (1, 1, -1))
    start = first + xp.integer_quotient(cell * length, xp.full_like(length, number))
    stop = first + xp.integer_quotient((cell + 1) * length + (number - 1), xp.full_like(length, number))
    return xp.logical_and(pixel >= start, pixel < stop)


def _largest(x: Tensor, inside: Tensor, axis: int) -> Tensor:
    inside = xp.broadcast_to(inside, tuple(x.shape))
    return xp.max(xp.where(inside, x, xp.full_like(x, -float("inf"))), axis=axis)


@composite("network")
def roi_align(
    x: Tensor, boxes: Tensor, size: int | tuple[int, int], /, *, spatial_scale: float = 1.0, sampling_ratio: int = 2
) -> Tensor:
    """Mean of interpolated values in each cell of a grid over each region of interest (He et al., Mask R-CNN, 2017).

    Nothing is rounded. Pixels are squares whose centres lie at halves, as in `resize`, so that a corner c is at
    ``c spatial_scale - 1/2`` in the grid of centres. Each cell has `sampling_ratio`² sampling points, evenly spread,
    whose values are bilinear; up to one pixel outside the outermost centres their values go on, and beyond are 0.
    Nothing flows back to the boxes.

    Args:
        x: features (N, C, H, W).
        boxes: (R, 5) in the dtype of x: the index of the example in the batch, and the corners (x1, y1, x2, y2).
        size: (height, width) of the grid, or one number for both.
        spatial_scale: pixels of x for each unit of the corners.
        sampling_ratio: points along each axis of a cell.

    Returns:
        (R, C, height, width).
    """
    height, width = (size, size) if isinstance(size, int) else size
    boxes = xp.stop_gradient(boxes)
    corners = boxes[:, 1:] * spatial_scale - 0.5
    regions = xp.take(x, xp.astype(boxes[:, 0], xp.arange(1).dtype), axis=0)
    rows = _weights(corners[:, 1], corners[:, 3], x.shape[2], height, sampling_ratio)
    columns = _weights(corners[:, 0], corners[:, 2], x.shape[3], width, sampling_ratio)
    wide = xp.matmul(regions, xp.expand_dims(xp.matrix_transpose(columns), axis=1))
    return xp.matmul(xp.expand_dims(rows, axis=1), wide)


def _weights(first: Tensor, last: Tensor, extent: int, number: int, points: int) -> Tensor:
    """The share of each pixel in each cell's mean along one axis: (R, number, extent)."""
    step = xp.reshape((last - first) * (1.0 / (number * points)), (-1, 1))
    count = xp.reshape(xp.arange(number * points, dtype=first.dtype), (1, -1))
    places = xp.reshape(first, (-1, 1)) + (count + 0.5) * step
    known = xp.logical_and(places >= -1.0, places <= extent)
    inner = xp.expand_dims(xp.clip(places, 0.0, extent - 1.0), axis=2)
    pixel = xp.reshape(xp.arange(extent, dtype=first.dtype), (1, 1, -1))
    near = relu(1.0 - xp.abs(inner - pixel))
    near = xp.where(xp.expand_dims(known, axis=2), near, xp.zeros_like(near))
    return xp.mean(xp.reshape(near, (-1, number, points, extent)), axis=2)
