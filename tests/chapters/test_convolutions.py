"""Convolutions: the operation, what descent learns from a wall, and what it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.convolutional_networks import convolutions as lesson
from d2l_chapters.convolutional_networks import convolutions_solutions as solutions

from d2l_core import xp
from d2l_core.random import normal


def host(X, K):
    """An independent cross-correlation on the host."""
    return np.einsum("...ijkl,kl->...ij", np.lib.stride_tricks.sliding_window_view(X, K.shape, axis=(-2, -1)), K)


@pytest.mark.parametrize(("shape", "window"), [((5, 6), (2, 3)), ((4, 4), (4, 4)), ((2, 3, 7, 5), (3, 1))])
def test_cross_correlation_and_convolution(shape, window):
    X, K = normal(shape, "X"), normal(window, "K")
    np.testing.assert_allclose(xp.to_numpy(lesson.corr2d(xp.asarray(X), xp.asarray(K))), host(X, K), atol=1e-5)
    turned = lesson.conv2d(xp.asarray(X), xp.asarray(K))
    np.testing.assert_allclose(xp.to_numpy(turned), host(X, K[::-1, ::-1]), atol=1e-5)


def test_by_places():
    X, K = normal((5, 6), "X"), normal((2, 3), "K")
    found = lesson.corr2d_by_places(xp.asarray(X), xp.asarray(K))
    np.testing.assert_allclose(xp.to_numpy(found), host(X, K), atol=1e-5)


def test_the_layer_adds_its_bias():
    layer = lesson.Conv2DScratch((2, 2)).initialise(seed=0)
    layer.bias = xp.asarray(3.0)
    X = xp.zeros((2, 1, 4, 5))
    np.testing.assert_array_equal(xp.to_numpy(layer(X)), np.full((2, 1, 3, 4), 3.0))


@pytest.mark.parametrize("name", lesson.jobs)
def test_jobs_find_the_kernel(name):
    run = lesson.jobs[name].run("smoke", seed=1)
    assert run.history.losses[-1] < 0.02 < 10.0 < run.history.losses[0]
    np.testing.assert_allclose(xp.to_numpy(run.model.weight).reshape(1, 2), lesson.EDGE, atol=0.06)


@pytest.mark.parametrize("start", [(0.0, 0.0), (1.0, 0.8), (-2.0, 0.5)])
def test_the_forecast_holds(start):
    X = xp.asarray(lesson.wall())
    _, losses = lesson.descend(X, lesson.corr2d(X, xp.asarray(lesson.EDGE)), xp.asarray([start]))
    np.testing.assert_allclose(losses, lesson.forecast([start]), rtol=1e-4)


def test_a_dark_wall_diverges_at_the_same_rate():
    X = xp.asarray(lesson.wall(0.0, 1.0))
    target, start = lesson.corr2d(X, xp.asarray(lesson.EDGE)), xp.asarray([[0.1, 0.1]])
    _, losses = lesson.descend(X, target, start)
    np.testing.assert_allclose(losses, lesson.forecast([[0.1, 0.1]], eigenvalues=(84.0, 12.0)), rtol=1e-3)
    assert losses[-1] > 10.0 > 1.0 > lesson.descend(X, target, start, lr=0.02)[1][-1]


def test_a_wall_cannot_teach_two_rows():
    X, true = xp.asarray(lesson.wall()), xp.asarray([[1.0, -1.0], [0.0, 0.0]])
    K, losses = lesson.descend(X, lesson.corr2d(X, true), xp.zeros((2, 2)), lr=0.01, steps=100)
    assert losses[-1] < 1e-8
    np.testing.assert_allclose(xp.to_numpy(K), [[0.5, -0.5], [0.5, -0.5]], atol=1e-4)
    assert solutions.patch_eigenvalues(lesson.wall())[1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("layers", [1, 4])
def test_receptive_field(layers):
    weights = lesson.influence(layers, size=15)
    assert lesson.seen(weights) == (1 + 2 * layers, 1 + 2 * layers)
    assert weights.sum() == pytest.approx(1.0, rel=1e-5)


def test_noise_spoils_what_the_data_hardly_show():
    total, difference = solutions.noisy_errors(draws=15, steps=15).std(axis=0)
    assert total == pytest.approx(0.091, rel=0.5)
    assert difference > 1.3 * total
