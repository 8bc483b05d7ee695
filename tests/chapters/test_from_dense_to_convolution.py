"""From dense layers to convolutions: averaging, matrices, and how many photographs each layer needs."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.convolutional_networks import from_dense_to_convolution as lesson
from d2l_chapters.convolutional_networks import from_dense_to_convolution_solutions as solutions
from d2l_chapters.convolutional_networks.convolutions import corr2d

from d2l_core import xp
from d2l_core.random import normal


def test_averaging_makes_equivariant_and_changes_nothing_twice():
    X, W = xp.asarray(normal((3, 4), "X")), xp.asarray(normal((3, 4, 3, 4), "W"))
    averaged = lesson.average_over_shifts(W)
    assert lesson.equivariance_gap(lambda X: lesson.dense(X, averaged), X) < 1e-5
    assert lesson.equivariance_gap(lambda X: lesson.dense(X, W), X) > 1.0
    again = lesson.average_over_shifts(averaged)
    np.testing.assert_allclose(xp.to_numpy(again), xp.to_numpy(averaged), atol=1e-5)


def test_the_average_is_the_nearest_equivariant_layer():
    W, K = normal((3, 4, 3, 4), "W"), normal((3, 4), "K")
    nearest = xp.to_numpy(lesson.average_over_shifts(xp.asarray(W)))
    other = nearest + 0.1 * xp.to_numpy(solutions.circulant(xp.asarray(K), 3, 4)).reshape(3, 4, 3, 4)
    assert lesson.equivariance_gap(lambda X: lesson.dense(X, xp.asarray(other)), xp.asarray(normal((3, 4), "X"))) < 1e-4
    assert np.sum((nearest - W) ** 2) < np.sum((other - W) ** 2)


@pytest.mark.parametrize("window", [(1, 1), (3, 2), (4, 5)])
def test_matrix_of_a_kernel(window):
    X, K = xp.asarray(normal((4, 5), "X")), xp.asarray(normal(window, "K"))
    Y = corr2d(X, K)
    matrix = lesson.matrix_of(K, 4, 5)
    assert tuple(matrix.shape) == (Y.shape[0] * Y.shape[1], 20)
    flat = xp.to_numpy(matrix) @ xp.to_numpy(X).ravel()
    np.testing.assert_allclose(flat, xp.to_numpy(Y).ravel(), atol=1e-5)


def test_numbers_of_weights():
    assert lesson.numbers_of_weights(28, 28, 5) == {"dense": 614656, "local": 19600, "shared": 784, "both": 25}


def test_a_convolution_learns_from_few_photographs():
    train, test = lesson.spoilt_clothes("train", 100), lesson.spoilt_clothes("test", 100)
    found = lesson.errors(("dense", "local", "conv"), (2, 25, 100), train, test)
    assert found["conv"][0] < 0.75 < 1.0 < min(found["dense"][0], found["local"][0])
    assert found["local"][1] > 10.0 > 1.0 > found["local"][2]
    assert found["conv"][2] < found["local"][2] < found["dense"][2]


def test_pooled_maps_forget_the_place():
    X = np.zeros((8, 20))
    X[2:6, 2:6] = normal((4, 4), "X")
    K = xp.asarray(normal((4, 3, 3), "K"))
    left, right = xp.asarray(X), xp.asarray(np.roll(X, 10, axis=1))
    first, second = (xp.to_numpy(lesson.pooled(A, K)) for A in (left, right))
    assert np.abs(first).max() > 0.01
    np.testing.assert_allclose(first, second, atol=1e-6)
    told = [xp.to_numpy(lesson.pooled(lesson.with_columns(A), K)) for A in (left, right)]
    assert np.abs(told[0] - told[1]).max() > 1e-3


def test_padding_breaks_equivariance_at_the_border():
    X, K = xp.ones((6, 8)), xp.full((3, 3), 1.0 / 9.0)
    Y = xp.to_numpy(lesson.same_size(X, K))
    np.testing.assert_allclose([Y[3, 3], Y[0, 3], Y[0, 0]], [1.0, 6 / 9, 4 / 9], rtol=1e-5)
