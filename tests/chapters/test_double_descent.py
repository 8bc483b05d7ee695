"""Generalisation: the exact risk, the peak at the threshold, random labels, nearest neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.multilayer_perceptrons import double_descent as lesson

from d2l_core import random, xp


@pytest.mark.parametrize("p", [4, 30])
def test_risk_in_theory_against_a_simulation_on_new_examples(p):
    n, D, sigma, rng = 14, 40, 0.5, np.random.default_rng(0)
    beta = lesson.coefficients("decaying", D)
    X = rng.normal(size=(3000, n, D))
    y = X @ beta + sigma * rng.normal(size=(3000, n))
    found = np.linalg.pinv(X[:, :, :p]) @ y[..., None]
    new = rng.normal(size=(3000, D))
    errors = np.einsum("ij,ij->i", new[:, :p], found[..., 0]) - new @ beta - sigma * rng.normal(size=3000)
    assert np.mean(errors**2) == pytest.approx(lesson.risk_in_theory(p, n, beta, sigma), rel=0.12)


def test_measured_risk_and_threshold():
    beta = lesson.coefficients("equal", 60)
    means, medians = lesson.risks_measured((5, 20, 60), 20, beta, 0.3, trials=40)
    assert means[0] == pytest.approx(lesson.risk_in_theory(5, 20, beta, 0.3), rel=0.15)
    assert means[2] == pytest.approx(lesson.risk_in_theory(60, 20, beta, 0.3), rel=0.15)
    assert np.isinf(lesson.risk_in_theory(20, 20, beta, 0.3))
    assert medians[1] > 5 * max(medians[0], medians[2])


@pytest.mark.parametrize("p", [3, 9])
def test_minimum_norm_is_the_pseudo_inverse(p):
    X, y = random.normal((6, p), "test", "X"), random.normal((6, 1), "test", "y")
    found = lesson.minimum_norm(*(xp.asarray(a, dtype=xp.float_dtype()) for a in (X, y)))
    np.testing.assert_allclose(xp.to_numpy(found), np.linalg.pinv(X) @ y, rtol=1e-3, atol=1e-4)


def test_random_features_peak_at_the_number_of_images():
    found = lesson.descent_by_width((20, 80, 400), n=80)
    assert found[1, 1] > 4 * max(found[0, 1], found[2, 1])
    assert found[2, 0] < 1e-3 < found[0, 0]
    assert found[2, 2] > found[1, 2] + 0.1


def test_wrong_labels():
    labels = np.arange(1000) % 10
    wrong = lesson.with_wrong_labels(labels, 0.4, "test")
    assert np.mean(wrong != labels) == pytest.approx(0.36, abs=0.04)
    np.testing.assert_array_equal(lesson.with_wrong_labels(labels, 0.0, "test"), labels)
    assert (labels == np.arange(1000) % 10).all()


def test_distances_and_votes():
    A, B = random.normal((7, 3), "A"), random.normal((9, 3), "B")
    found = lesson.squared_distances(*(xp.asarray(a, dtype=xp.float_dtype()) for a in (A, B)))
    exact = ((A[:, None] - B) ** 2).sum(axis=2)
    np.testing.assert_allclose(xp.to_numpy(found), exact, rtol=1e-3, atol=1e-4)
    line = xp.asarray(np.array([[0.0], [1.0], [2.0], [10.0], [11.0]]), dtype=xp.float_dtype())
    labels = xp.asarray(np.array([3, 3, 5, 7, 7], dtype=np.int32))
    new = xp.asarray(np.array([[1.9], [9.0]]), dtype=xp.float_dtype())
    assert xp.to_numpy(lesson.neighbours_vote(line, labels, new, 1)).tolist() == [5, 7]
    assert xp.to_numpy(lesson.neighbours_vote(line, labels, new, 3)).tolist() == [3, 7]


def test_one_neighbour_knows_wrong_labels_by_heart():
    fit, new = lesson.neighbours_accuracy(0.4, 1, n=200)
    assert fit == 1.0
    assert new < 0.65


def test_random_labels_are_learned_but_teach_nothing():
    runs = {name: lesson.jobs[name].run("smoke", epochs=60) for name in ("true", "random")}
    assert runs["random"].history.final("loss") < 1.0
    assert runs["true"].history.final("val_acc") > runs["random"].history.final("val_acc") + 0.3


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_idea().axes) == 3
    medians = {law: np.ones(3) for law in ("equal", "decaying")}
    assert len(lesson.plot_risk(medians, (1, 40, 400)).axes[0].lines) == 5
    assert len(lesson.plot_widths((1, 2), np.ones((2, 3)), 2).axes) == 2
