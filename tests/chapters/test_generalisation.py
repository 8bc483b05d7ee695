"""Generalisation: formulas against simulation, honest estimates, and the ways to deceive oneself."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.linear_regression import generalisation as lesson
from d2l_chapters.linear_regression import generalisation_exercises as exercises
from d2l_chapters.linear_regression import generalisation_solutions as solutions

from d2l_core import random, xp


def test_legendre_polynomials():
    x = np.linspace(-1.0, 1.0, 7)
    for degree in (0, 1, 2, 9):
        found = xp.to_numpy(lesson.legendre(x[:, None], degree))
        np.testing.assert_allclose(found, np.polynomial.legendre.legvander(x, degree), atol=2e-6)


def test_training_error_and_gap_follow_the_formulas():
    training, same, _ = lesson.errors_by_degree([7], sets=400)
    assert training.mean() == pytest.approx(0.09 * (1 - 8 / 20), rel=0.05)
    assert same.mean() == pytest.approx(0.09 * (1 + 8 / 20), rel=0.05)
    gaps = lesson.measured_gaps((16, 64), 200)
    np.testing.assert_allclose(gaps, [0.09, 0.0225], rtol=0.15)


def test_too_few_and_too_many_parameters():
    training, _, new = lesson.errors_by_degree([1, 5, 12], sets=50)
    assert training[0].mean() > training[1].mean() > training[2].mean()
    medians = np.median(new, axis=1)
    assert medians[0] > 2 * medians[1]
    assert medians[2] > 10 * medians[1]


@pytest.mark.parametrize(("n", "k"), [(10, 5), (11, 4), (6, 6)])
def test_every_example_is_held_out_once(n, k):
    pairs = list(lesson.folds(n, k, "test"))
    np.testing.assert_array_equal(np.sort(np.concatenate([held for _, held in pairs])), np.arange(n))
    for kept, held in pairs:
        assert not set(kept) & set(held)
        assert len(kept) + len(held) == n
    sizes = [len(held) for _, held in pairs]
    assert max(sizes) - min(sizes) <= 1


def test_one_fit_does_the_work_of_many():
    X, y = random.normal((3, 12, 4), "test X"), random.normal((3, 12, 1), "test y")
    long = lesson.cross_validated(xp.asarray(X), xp.asarray(y), 12, "any")[0]
    np.testing.assert_allclose(lesson.leave_one_out(xp.asarray(X), xp.asarray(y)), long, rtol=1e-3)
    hat = X[0] @ np.linalg.pinv(X[0])
    formula = (hat @ y[0] - y[0])[5, 0] / (1 - hat[5, 5])
    assert solutions.residual_without(X[0], y[0], 5) == pytest.approx(formula, rel=1e-3)


def test_cross_validation_chooses_better_than_half_of_the_data():
    held_out, in_turn, at_best = lesson.best_by_validation(60, range(9))
    assert np.median(at_best) <= np.median(in_turn) < np.median(held_out)
    assert at_best.min() > 0.09


def test_products_of_polynomials():
    X = random.uniform((50, 5), "features")
    for degree, p in ((1, 6), (2, 21), (3, 56)):
        features = lesson.products(X[:30], X, degree)
        assert features.shape == (50, p)
        assert np.abs(features[:30]).max() <= 1.0 + 1e-12
        assert np.linalg.matrix_rank(features) == min(p, 50)


def test_the_right_degree_depends_on_the_number_of_wings():
    few, many = lesson.wing_errors(100), lesson.wing_errors(900)
    assert few[3]["train"] < few[2]["train"] < few[1]["train"]
    assert few[2]["val"] < few[1]["val"] < few[3]["val"]
    assert many[3]["val"] < many[2]["val"] < many[1]["val"]
    assert many[3]["test"] < few[2]["test"]


def test_one_decomposition_serves_every_number_of_columns():
    X, y = random.normal((2, 9, 4), "nested X"), random.normal((2, 9, 1), "nested y")
    for p, theta in zip((1, 3, 4), lesson.fits(xp.asarray(X), xp.asarray(y), (1, 3, 4)), strict=True):
        for i in range(2):
            expected = np.linalg.lstsq(X[i, :, :p], y[i], rcond=None)[0]
            np.testing.assert_allclose(xp.to_numpy(theta)[i, :p], expected, rtol=1e-3, atol=1e-4)
            np.testing.assert_array_equal(xp.to_numpy(theta)[i, p:], 0.0)


def test_the_winner_of_many_coins_is_lucky_and_no_more():
    scores = np.array([lesson.coin_models(300, repeat) for repeat in range(8)])
    assert 0.58 < scores[:, 0].mean() < 0.5 + 0.05 * np.sqrt(2 * np.log(300))
    assert abs(scores[:, 1].mean() - 0.5) < 0.03


def test_choosing_before_folding_finds_what_is_not_there():
    leaky, clean = (np.mean([lesson.fold_accuracy(r, leaky=leaky) for r in range(4)]) for leaky in (True, False))
    assert leaky > 0.7
    assert clean < 0.65


def test_bias_falls_and_variance_rises():
    line, cubic, wild = (solutions.bias_and_variance(degree) for degree in (1, 3, 11))
    assert line[0] > 5 * cubic[0] > 50 * wild[0]
    assert wild[1] > 2 * cubic[1]


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("expected_errors_value", lambda X, s: (s * (1 - X.shape[1] / X.shape[0]), s * (1 + X.shape[1] / X.shape[0]))),
        (
            "expected_errors_edges",
            lambda X, s: (s**2 * (1 - X.shape[1] / X.shape[0]), s**2 * (1 + X.shape[1] / X.shape[0])),
        ),
        ("group_folds_value", lambda groups, k: list(lesson.folds(len(groups), k, "wrong"))),
        ("group_folds_edges", lambda groups, k: solutions.group_folds(np.arange(len(groups)), k)),
    ],
)
def test_the_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError):
        getattr(exercises, f"check_{check}")(wrong)


def test_the_check_of_sizes_finds_lopsided_folds():
    def first_fold_takes_most(groups, k):
        names = np.unique(groups)
        held = [np.isin(groups, names[: len(names) - k + 1]), *(groups == name for name in names[len(names) - k + 1 :])]
        return [(np.flatnonzero(~part), np.flatnonzero(part)) for part in held]

    with pytest.raises(AssertionError, match="the fewest so far"):
        exercises.check_group_folds_sizes(first_fold_takes_most)
