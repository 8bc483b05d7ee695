"""Data manipulation: the boxes by hand walk as the library's do, and the mistakes that are shown are mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.preliminaries import data_manipulation as lesson
from d2l_chapters.preliminaries import data_manipulation_solutions as solutions

from d2l_core import xp
from d2l_core.data import load_airfoil


def test_boxes_agree_with_the_library():
    pairs = lesson.comparisons()
    assert lesson.count_mismatches(pairs) == 0
    box, tensor = pairs["permuted"]
    assert lesson.count_mismatches({"wrong": (box, xp.reshape(tensor, (3, 14)))}) > 0


@pytest.mark.parametrize("shape", [(), (5,), (2, 7, 3), (1, 4, 1)])
def test_strides_are_those_of_numpy(shape):
    assert lesson.row_major_strides(shape) == tuple(s // 8 for s in np.zeros(shape, np.float64).strides)


@pytest.mark.parametrize(("first", "second"), [((2, 1, 5), (3, 1)), ((), (7, 0)), ((4,), (4, 1))])
def test_broadcast_shape_is_the_rule_of_the_library(first, second):
    assert lesson.broadcast_shape(first, second) == np.broadcast_shapes(first, second)
    assert lesson.broadcast_shape(first, second) == tuple((xp.ones(first) + xp.ones(second)).shape)


def test_shapes_that_do_not_go_together():
    with pytest.raises(ValueError, match="3 meets 2"):
        lesson.broadcast_shape((2, 3), (2,))


def test_only_a_reshape_out_of_order_copies():
    box = lesson.Strided(list(range(6)), (2, 3))
    assert box.reshaped((3, 2)).memory is box.memory
    turned = box.permuted((1, 0)).reshaped((6,))
    assert turned.memory is not box.memory
    assert turned.elements() == [0, 3, 1, 4, 2, 5]
    with pytest.raises(ValueError, match="6 elements do not fill"):
        box.reshaped((4, 2))


def test_group_means_and_pairs_by_loops():
    X, y = load_airfoil()
    means, sizes = lesson.group_means(xp.asarray(y), xp.asarray(X[:, 3]), xp.asarray([31.7, 71.3]))
    np.testing.assert_allclose(xp.to_numpy(means), [y[X[:, 3] == speed].mean() for speed in (31.7, 71.3)], rtol=1e-5)
    assert xp.to_numpy(sizes).tolist() == [281, 465]
    rises = [
        y[i] - y[j]
        for i in np.flatnonzero(X[:, 3] == 71.3)
        for j in np.flatnonzero((X[:, 3] == 31.7) & (X[:, :3] == X[i, :3]).all(axis=1))
    ]
    rise, pairs = lesson.paired_rise(xp.asarray(X), xp.asarray(y), xp.asarray(31.7), xp.asarray(71.3))
    assert pairs == len(rises)
    assert float(xp.to_numpy(rise)) == pytest.approx(np.mean(rises), rel=1e-4)


def test_a_reshape_mixes_the_channels():
    image = lesson.coloured_shoe()
    right = xp.to_numpy(xp.permute_dims(image, (2, 0, 1)))
    np.testing.assert_array_equal(right[1], right[0][:, ::-1])
    wrong = xp.to_numpy(xp.reshape(image, (3, 28, 28)))
    assert np.abs(wrong[1] - wrong[0][:, ::-1]).max() > 0.5


def test_what_is_not_changed_in_place_is_safe():
    A = xp.ones((2, 2))
    B = A
    B = B + 1.0
    assert float(xp.to_numpy(A)[0, 0]) == 1.0
    assert float(xp.to_numpy(B)[0, 0]) == 2.0
    assert lesson.change_seen(lambda A: A + 0.0) == 0.0


def test_the_flat_distances_agree_and_lose_digits():
    X = xp.asarray(np.linspace(-1.0, 1.0, 12).reshape(4, 3))
    both = (xp.to_numpy(f(X, X + 0.5)) for f in (solutions.squared_distances, solutions.squared_distances_flat))
    np.testing.assert_allclose(*both, rtol=1e-4)
    assert solutions.largest_window([3, 1, 4, 1, 5, 9, 2, 6], 4) == 22
