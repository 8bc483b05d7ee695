"""Padding and stride: shapes, frames, unseen pixels and dilated fields."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.convolutional_networks import padding_and_stride as lesson
from d2l_chapters.convolutional_networks import padding_and_stride_solutions as solutions

from d2l_core import xp
from d2l_core.random import normal


@pytest.mark.parametrize(
    ("setting", "expected"),
    [((28, 5, 2), 28), ((28, 3, 1, 2), 14), ((28, 3, 0, 2), 13), ((7, 3, 0, 1, 3), 1), ((30, 1, 0, 3), 10)],
)
def test_extent(setting, expected):
    assert lesson.extent(*setting) == expected


def test_a_kernel_that_does_not_fit():
    with pytest.raises(ValueError, match="spans 7 does not fit into 4 pixels with 1 more"):
        lesson.extent(4, 4, padding=1, dilation=2)


def test_settings_agree_with_the_library():
    wrong, gap = lesson.compare_settings(12, values=4)
    assert wrong == 0
    assert gap < 1e-4
    assert len({lesson.random_setting(number) for number in range(12)}) > 9


@pytest.mark.parametrize(
    ("mode", "numpy_mode"), [("zeros", "constant"), ("repeat", "edge"), ("mirror", "reflect"), ("wrap", "wrap")]
)
def test_frames(mode, numpy_mode):
    X = normal((2, 1, 4, 5), "X")
    expected = np.pad(X, ((0, 0), (0, 0), (2, 2), (2, 2)), mode=numpy_mode)
    np.testing.assert_allclose(xp.to_numpy(lesson.framed(xp.asarray(X), 2, mode)), expected, rtol=1e-6)


def test_zeros_are_the_worst_invention_inside_a_photograph():
    found = lesson.rim_errors(xp.asarray(lesson.photographs("test", 60)[0]))
    assert found["repeat"] < 0.6 * found["zeros"]
    assert found["zeros"] == max(found.values())


def test_the_rim_creeps_inwards():
    white = lesson.blurred_again(3, size=12)
    np.testing.assert_allclose(white[3:-3, 3:-3], 1.0, rtol=1e-5)
    assert white[2, 5] < 0.99
    np.testing.assert_allclose(lesson.blurred_again(3, size=12, mode="repeat"), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [((28, 3, 0, 2), [27]), ((8, 1, 0, 2), [1, 3, 5, 7]), ((9, 3, 0, 2), []), ((28, 3, 1, 2), [])],
)
def test_unseen_pixels(setting, expected):
    assert lesson.unseen(*setting) == expected


def test_dilated_fields():
    assert lesson.share_seen(lesson.field_of((2, 2))) == pytest.approx(25 / 81)
    assert lesson.share_seen(lesson.field_of((1, 2))) == 1.0
    assert (
        np.count_nonzero(np.any(lesson.field_of((1, 2, 4)) != 0, axis=0))
        == solutions.geometry([(3, 1, 1), (3, 1, 2), (3, 1, 4)])[0]
    )


def test_even_kernels_drift():
    X = np.zeros((30, 30))
    X[15, 15] = 1.0
    assert solutions.centre(solutions.blur(xp.asarray(X), 8)) == pytest.approx((11.0, 11.0), abs=1e-4)
    assert solutions.centre(solutions.blur(xp.asarray(X), 8, alternate=True)) == pytest.approx((15.0, 15.0), abs=1e-4)
