"""Distribution shift: weights, shares and what each method cannot do."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.linear_classification import distribution_shift as lesson

from d2l_core import random, xp


def test_weights_are_the_ratio_of_two_normal_densities():
    source = random.normal((2000, 1), "test", "source")
    target = random.normal((1000, 1), "test", "target", mean=1.0)
    logs = np.log(lesson.importance_weights(source, target))
    slope, offset = np.polyfit(source[:, 0], logs, 1)
    assert slope == pytest.approx(1.0, abs=0.1)  # log N(x; 1, 1) / N(x; 0, 1) = x - 1/2
    assert offset == pytest.approx(-0.5, abs=0.1)


def test_weighted_fit_is_the_fit_of_repeated_examples():
    X = random.normal((60, 3), "test", "X")
    labels = np.arange(60) % 4
    counts = 1 + np.arange(60) % 3
    weighted = lesson.fit(X, labels, counts, num_classes=4, steps=30)
    repeated = lesson.fit(np.repeat(X, counts, axis=0), np.repeat(labels, counts), num_classes=4, steps=30)
    for ours, theirs in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(xp.to_numpy(ours), xp.to_numpy(theirs), rtol=1e-4, atol=1e-6)


def test_effective_size():
    assert lesson.effective_size(np.full(9, 3.0)) == pytest.approx(9)
    assert lesson.effective_size([1.0, 0.0, 0.0]) == pytest.approx(1)


def test_confusion_and_inversion_recover_known_shares():
    given = np.array([[0.8, 0.1, 0.3], [0.1, 0.7, 0.1], [0.1, 0.2, 0.6]])  # answers given the class
    prior, shares = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])
    found = lesson.shares_by_inversion(xp.asarray(given * prior), given @ shares)
    np.testing.assert_allclose(found, shares, atol=1e-5)
    counted = lesson.confusion_matrix(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), k=3)
    np.testing.assert_allclose(xp.to_numpy(counted) * 4, [[1, 0, 0], [0, 1, 1], [0, 0, 1]], atol=1e-6)


def test_maximisation_raises_the_likelihood_and_finds_the_shares():
    n, shares = 4000, np.array([0.15, 0.85])
    labels = (random.uniform(n, "test", "y") < shares[1]).astype(int)
    x = random.normal(n, "test", "x") + 2.0 * labels
    positive = 1 / (1 + np.exp(-(2.0 * x - 2.0)))  # under equal shares
    found, course = lesson.shares_by_maximisation(np.stack([1 - positive, positive], axis=1), [0.5, 0.5], rounds=40)
    np.testing.assert_allclose(found, lesson.shares_of(labels, 2), atol=0.03)
    assert np.diff(course).min() > -0.01
    assert course[-1] > course[0] + 100


def test_corrected_answers_are_probabilities():
    p = np.array([[0.5, 0.5], [0.9, 0.1]])
    found = lesson.corrected(p, np.array([0.2, 0.8]), np.array([0.5, 0.5]))
    np.testing.assert_allclose(found, [[0.2, 0.8], [0.18 / 0.26, 0.08 / 0.26]])


def test_pooling_and_the_split_by_season():
    images = np.arange(2 * 28 * 28, dtype=float).reshape(2, 28, 28)
    assert lesson.pooled(images, 4).shape == (2, 49)
    np.testing.assert_allclose(lesson.pooled(images, 14)[0, 0], images[0, :14, :14].mean())
    images, _ = lesson.clothes()
    source, visible, hidden = lesson.winter_and_summer(images, seed=0)
    assert sorted([*source, *visible, *hidden]) == list(range(len(images)))
    light = lesson.brightness(images)
    assert light[hidden].mean() > 0.4 > -0.4 > light[source].mean()


def test_target_of_a_summer_has_its_shares():
    _, labels = lesson.clothes()
    train, check, target = lesson.label_shift_split(labels, seed=1)
    assert not set(target) & {*train, *check}
    assert len(target) > 700
    np.testing.assert_allclose(lesson.shares_of(labels[target]), list(lesson.SUMMER.values()), atol=0.03)


def test_concept_shift_cannot_be_seen_without_labels():
    images, labels = lesson.clothes()
    found = lesson.after_refiling(images[::2], labels[::2], 0, 40)
    assert abs(found["domain_accuracy_refiled"] - 0.5) < 0.05
    assert found["accuracy_new_rule"] < found["accuracy_old_rule"] - 0.02


def test_no_overlap_leaves_no_effective_sample_and_wrong_shares():
    images, labels = lesson.clothes()
    found = lesson.under_new_lamp(images, labels, 0, 100)
    assert found["domain_accuracy_dimmed"] > 0.75
    assert found["effective_size_dimmed"] < 200
    assert found["inversion_gap_dimmed"] > 0.2


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_three_shifts().axes) == 8
    weights = np.exp(random.normal(50, "test", "w"))
    assert len(lesson.plot_weights(np.log(weights), weights).axes) == 2
    rows = dict.fromkeys(("true", "counted", "inversion", "maximisation"), np.full(10, 0.1))
    assert len(lesson.plot_shares(rows).axes[0].patches) == 10
