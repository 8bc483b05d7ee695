"""Pooling: values and gradients, what shifts do to it, and stripes."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.convolutional_networks import pooling as lesson
from d2l_chapters.convolutional_networks import pooling_solutions as solutions

from d2l_core import xp
from d2l_core.random import normal, uniform


@pytest.mark.parametrize("setting", [(2, None, 0), (3, 2, 1), (3, 1, 0), (2, 3, 1)])
def test_values(setting):
    window, stride, padding = setting
    X = normal((2, 3, 7, 8), "X")
    for mode, fill, summary in (("max", -np.inf, np.max), ("mean", 0.0, np.mean)):
        wide = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=fill)
        views = np.lib.stride_tricks.sliding_window_view(wide, (window, window), axis=(2, 3))
        step = stride or window
        expected = summary(views[:, :, ::step, ::step], axis=(4, 5))
        layer = lesson.Pool2DScratch(window, mode, stride, padding)
        np.testing.assert_allclose(xp.to_numpy(layer(xp.asarray(X))), expected, atol=1e-6)


def test_values_and_gradients_are_the_library_s():
    gaps = lesson.compare_pools(((2, None, 0), (3, 2, 1)))
    assert gaps["max"] == 0.0
    assert max(gaps.values()) < 1e-5


@pytest.mark.parametrize("window", [2, 4])
def test_tolerance_of_a_single_peak(window):
    assert lesson.unchanged(window) == pytest.approx(((window - 1) / window) ** 2, abs=0.06)
    assert lesson.unchanged(window, shift=window) == 0.0


def test_pooling_tolerates_shifts_of_photographs():
    images, labels = lesson.photographs("train")
    train, test = (images[::12], labels[::12]), tuple(a[::4] for a in lesson.photographs("test"))
    found = {name: lesson.tolerance(lesson.POOLS[name], train, test, (0, 1, 2)) for name in ("raw", "max2", "max4")}
    assert found["raw"][0] > found["max2"][0] > found["max4"][0]
    assert found["max4"][1][2] > found["raw"][1][2] + 0.05
    assert found["raw"][1][0] > 0.6


def test_shifted_maps_are_the_maps_shifted():
    images = lesson.photographs("test", 3)[0]
    still, moved = (xp.to_numpy(lesson.edge_maps(images, shift)) for shift in (0, 3))
    np.testing.assert_allclose(moved[..., 3:], still[..., :-3], atol=1e-6)


def test_the_gradient_goes_to_the_winners():
    gradient = lesson.winners(xp.asarray(normal((1, 2, 6, 6), "X")))
    assert np.mean(gradient != 0) == 0.25
    assert lesson.winners(xp.ones((1, 1, 2, 2))).sum() == 1.0


def test_stripes():
    thin, grey = (
        [xp.to_numpy(f(xp.asarray(lesson.stripes(2, start))))[2:-2, 2:-2] for start in (0, 1)]
        for f in (lesson.thinned, lesson.blurred_and_thinned)
    )
    assert np.all(thin[0] == 1.0)
    assert np.all(thin[1] == 0.0)
    np.testing.assert_allclose(grey, 0.5, rtol=1e-6)


def test_power_pool_lies_between_mean_and_maximum():
    X = xp.asarray(uniform((1, 2, 4, 4), "X"))
    values = [xp.to_numpy(solutions.power_pool(X, 2, p)) for p in (1.0, 3.0, 20.0)]
    np.testing.assert_allclose(values[0], xp.to_numpy(lesson.pool2d(X, 2, "mean")), rtol=1e-5)
    assert np.all(values[0] < values[1])
    assert np.all(values[1] < values[2])
    assert np.all(values[2] <= xp.to_numpy(lesson.pool2d(X, 2)) + 1e-6)
