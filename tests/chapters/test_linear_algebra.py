"""Linear algebra: formulas against NumPy, and the failures that the lesson shows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.preliminaries import linear_algebra as lesson
from d2l_chapters.preliminaries import linear_algebra_solutions as solutions

from d2l_core import xp
from d2l_core.autodiff import value_and_grad


def matrices(*shapes):
    generator = np.random.default_rng(0)
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def test_scratch_and_library_agree():
    pairs = lesson.comparisons(m=4, k=5, n=3)
    assert lesson.largest_gap(pairs) < 1e-5
    assert len(pairs) == 11


@pytest.mark.parametrize("multiply", [lesson.product_of_rows_and_columns, lesson.sum_of_outer_products])
def test_products_by_definition(multiply):
    A, B = matrices((4, 6), (6, 3))
    expected = [[sum(A[i, k] * B[k, j] for k in range(6)) for j in range(3)] for i in range(4)]
    np.testing.assert_allclose(xp.to_numpy(multiply(xp.asarray(A), xp.asarray(B))), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2, math.inf])
def test_norms(order):
    (A,) = matrices((3, 7))
    found = xp.to_numpy(lesson.norm(xp.asarray(A), order))
    np.testing.assert_allclose(found, np.linalg.norm(A, ord=order, axis=1), rtol=1e-5)


def test_the_bar_by_hand():
    needed = np.array(lesson.ORDERS) @ np.array(lesson.RECIPES)
    found = lesson.sum_of_outer_products(xp.asarray(lesson.ORDERS), xp.asarray(lesson.RECIPES))
    np.testing.assert_allclose(xp.to_numpy(found), needed, rtol=1e-6)
    assert needed[0].tolist() == [8 * (61 + 40 + 35), 120 * 40 + 220 * 35 + 200 * 8, 2 * 40 + 25 * 8]


def test_class_means_and_similarities_by_loops():
    (X,) = matrices((12, 5))
    labels = np.arange(12) % 3
    means = np.stack([X[labels == c].mean(axis=0) for c in range(3)])
    found = lesson.class_means(xp.asarray(X), labels, num_classes=3)
    np.testing.assert_allclose(xp.to_numpy(found), means, rtol=1e-5, atol=1e-6)
    tables = lesson.similarities(xp.asarray(X), found)
    cosine = X @ means.T / np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(means, axis=1))
    np.testing.assert_allclose(xp.to_numpy(tables["cosine"]), cosine, rtol=1e-4, atol=1e-5)
    distances = np.linalg.norm(X[:, None] - means, axis=2)
    np.testing.assert_allclose(xp.to_numpy(tables["euclidean"]), -distances, rtol=1e-5)


def test_only_the_cosine_survives_dim_light():
    X, labels = lesson.images("train")
    X_test, labels_test = lesson.images("test")
    means = lesson.class_means(X, labels)
    bright, dim = (lesson.accuracies(c * X_test, labels_test, means) for c in (1.0, 0.5))
    assert dim["cosine"] == pytest.approx(bright["cosine"], abs=0.002)
    assert dim["euclidean"] < 0.5 * bright["euclidean"]


def test_the_star_is_another_product():
    turn = xp.asarray(lesson.TURN)
    np.testing.assert_allclose(xp.to_numpy(xp.matmul(turn, turn)), [[0, -1], [1, 0]], atol=1e-6)
    np.testing.assert_allclose(xp.to_numpy(turn * turn), lesson.MAPS["flatten"], rtol=1e-6)


def test_a_vector_cannot_be_transposed():
    with pytest.raises(ValueError, match="matrix_transpose"):
        xp.matrix_transpose(xp.ones((3,)))


def test_the_safe_cosine_has_a_gradient_beside_zeros():
    X = xp.asarray([[0.6, 0.8]])
    Y = xp.asarray([[1.0, 0.0], [0.0, 0.0]])
    value, gradient = value_and_grad(lambda X: xp.sum(solutions.cosine_similarity(X, Y)))(X)
    assert float(xp.to_numpy(value)) == pytest.approx(0.6)
    assert np.isfinite(xp.to_numpy(gradient)).all()


def test_chain_and_trace():
    assert solutions.chain_cost(((10, 1000), (1000, 5), (5, 500))) == 75_000
    assert solutions.chain_cost(((10, 30), (30, 5), (5, 60))) == 4_500
    A, B = matrices((3, 5), (5, 3))
    found = solutions.trace_of_product(xp.asarray(A), xp.asarray(B))
    assert float(xp.to_numpy(found)) == pytest.approx(np.trace(B @ A), rel=1e-4)
