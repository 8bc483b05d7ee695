"""Boxes and regions at their ends, and worked by hand."""

from __future__ import annotations

import numpy as np

from d2l_core import interface as xp
from d2l_core.nn import functional

PRECISIONS = (64,)


def tensor(x):
    return xp.asarray(np.asarray(x, np.float64))


def test_regions_by_hand(backend):
    """A picture of 4 x 4, its corner of 3 x 3 and its lower part of 3 x 4, in grids whose cells share a row."""
    x = xp.reshape(xp.arange(16.0), (1, 1, 4, 4))
    boxes = tensor([[0, 0, 0, 20, 20], [0, 0, 10, 30, 30]])
    found = functional.roi_pool(x, boxes, 2, spatial_scale=0.1)
    assert xp.to_numpy(found).tolist() == [[[[5.0, 6.0], [9.0, 10.0]]], [[[9.0, 11.0], [13.0, 15.0]]]]


def test_the_whole_picture_is_a_region(backend):
    """Cells of two pixels: their largest, and their mean where two points a side fall on the centres."""
    x = tensor(np.random.default_rng(0).normal(size=(2, 3, 4, 6)))
    pooled = functional.roi_pool(x, tensor([[1, 0, 0, 5, 3]]), (2, 3))
    np.testing.assert_array_equal(xp.to_numpy(pooled[0]), xp.to_numpy(xp.max_pool(x, 2)[1]))
    aligned = functional.roi_align(x, tensor([[1, 0, 0, 6, 4]]), (2, 3))
    np.testing.assert_allclose(xp.to_numpy(aligned[0]), xp.to_numpy(xp.avg_pool(x, 2)[1]), atol=1e-6)


def test_gradient_stays_with_the_features(backend):
    """Every region passes its share on to the example it lies in, and none to its corners."""
    x = tensor(np.random.default_rng(0).normal(size=(2, 1, 4, 4)))
    boxes = tensor([[1, 0, 0, 3, 3], [1, 1, 1, 2, 2]])
    for pool in (functional.roi_pool, functional.roi_align):

        def total(inputs, pool=pool):
            return xp.sum(pool(*inputs, 2)), None

        features, corners = map(xp.to_numpy, xp.differentiate(total)([x, boxes])[1])
        np.testing.assert_allclose(features.sum((1, 2, 3)), [0.0, 8.0], atol=1e-5)
        assert (corners == 0).all()


def test_nothing_to_detect(backend):
    none = xp.zeros((0, 4))
    assert tuple(functional.box_iou(none, tensor([[0, 0, 1, 1]])).shape) == (0, 1)
    assert tuple(functional.non_maximum_suppression(none, xp.zeros((0,)), 0.5).shape) == (0,)
    for pool in (functional.roi_pool, functional.roi_align):
        assert tuple(pool(xp.ones((1, 2, 3, 3)), xp.zeros((0, 5)), 2).shape) == (0, 2, 2, 2)


def test_classes_are_kept_apart_by_moving_their_boxes(backend):
    boxes = tensor([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2.5]])
    scores, classes = tensor([0.9, 0.8, 0.7]), tensor([0, 1, 0])
    together = functional.non_maximum_suppression(boxes, scores, 0.5)
    apart = functional.non_maximum_suppression(boxes + 100.0 * xp.expand_dims(classes, axis=1), scores, 0.5)
    assert xp.to_numpy(together).tolist() == [0, -1, -1]
    assert xp.to_numpy(apart).tolist() == [0, 1, -1]
