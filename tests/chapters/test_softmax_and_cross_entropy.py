"""Softmax and cross-entropy: the formulas, the coder, and the mistakes that the lesson shows."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.linear_classification import softmax_and_cross_entropy as lesson
from d2l_chapters.linear_classification import softmax_and_cross_entropy_exercises as exercises
from d2l_chapters.linear_classification import softmax_and_cross_entropy_solutions as solutions

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad


@pytest.fixture(scope="module")
def pairs():
    return lesson.pair_frequencies(lesson.novel(20_000))


@pytest.fixture(scope="module")
def table(pairs):
    return lesson.learn_scores(pairs, steps=60)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_softmax_has_the_odds_that_its_scores_say(temperature):
    scores = random.normal((7, 5), "test", "scores", std=4.0)
    p = xp.to_numpy(lesson.softmax(xp.asarray(scores), temperature))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-5)
    odds = np.log(p[:, :1] / p)
    np.testing.assert_allclose(odds, (scores[:, :1] - scores) / temperature, rtol=1e-4, atol=1e-5)


def test_log_sum_exp_lies_between_its_bounds_and_has_the_softmax_as_gradient():
    scores = random.normal((50, 6), "test", "bounds", std=5.0)
    value, gradient = value_and_grad(lambda s: xp.sum(lesson.log_sum_exp(s)))(xp.asarray(scores))
    each = xp.to_numpy(lesson.log_sum_exp(xp.asarray(scores)))[:, 0]
    assert np.all(each >= scores.max(axis=1) - 1e-5)
    assert np.all(each <= scores.max(axis=1) + np.log(6))
    np.testing.assert_allclose(float(xp.to_numpy(value)), np.logaddexp.reduce(scores, axis=1).sum(), rtol=1e-5)
    np.testing.assert_allclose(xp.to_numpy(gradient), xp.to_numpy(lesson.softmax(xp.asarray(scores))), atol=1e-6)


def test_jaynes_die():
    values = xp.asarray(np.arange(1.0, 7.0)[None])
    p, beta = lesson.most_ignorant(values, 4.5)
    expected = [0.05435, 0.07877, 0.11416, 0.16545, 0.23977, 0.34749]
    np.testing.assert_allclose(xp.to_numpy(p)[0], expected, atol=2e-5)
    assert float(xp.to_numpy(beta)) == pytest.approx(0.37105, abs=1e-4)
    others = lesson.rivals(np.array(expected), np.arange(1.0, 7.0), count=50)
    np.testing.assert_allclose(others @ np.arange(1.0, 7.0), 4.5, atol=1e-3)
    assert np.all(xp.to_numpy(lesson.entropy(xp.asarray(others))) < 1.61358)


def test_the_table_learns_the_conditional_frequencies(pairs, table):
    common = pairs.sum(axis=1) > 0.02
    counted = pairs[common] / pairs[common].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(xp.to_numpy(lesson.softmax(table))[common], counted, atol=0.03)


def test_the_code_is_as_long_as_forecast_and_can_be_read(table):
    letters = lesson.novel(20_300)[20_000:].tolist()
    starts = lesson.pieces(xp.to_numpy(lesson.softmax(table)))
    code, digits = lesson.encode(letters, starts)
    assert lesson.decode(code, digits, len(letters), starts) == letters
    costs = -np.log2(np.diff(starts / 2.0**lesson.PRECISION, axis=1))
    forecast = sum(costs[a, b] for a, b in zip([0, *letters], letters, strict=False))
    assert 0 <= digits - forecast <= 2
    assert lesson.decode(code ^ 1 << digits - 40, digits, len(letters), starts) != letters


def test_pieces_leave_room_for_what_was_called_impossible():
    starts = lesson.pieces(np.eye(27)[:3])
    assert np.all(np.diff(starts, axis=1) >= 1)
    assert np.all(starts[:, -1] == 2**lesson.PRECISION)


def test_morse_times():
    assert {letter: lesson.morse_time(letter) - 3 for letter in "etq"} == {"e": 1, "t": 3, "q": 13}
    assert len(set(lesson.MORSE.values())) == 26


def test_entropy_rises_with_temperature(pairs, table):
    weights = pairs.sum(axis=1)
    entropies = [float(xp.to_numpy(lesson.mean_entropy(table, weights, T))) for T in (0.1, 0.5, 1.0, 2.0, 100.0)]
    assert np.all(np.diff(entropies) > 0)
    assert entropies[-1] == pytest.approx(np.log2(27), abs=0.01)


def test_the_plain_formula_fails_outside_its_window():
    rows = xp.asarray([[1000.0, 999.0], [-1000.0, -1001.0], [3.0, 2.0]])
    naive, careful = (xp.to_numpy(f(rows))[:, 0] for f in (lesson.naive_log_sum_exp, lesson.log_sum_exp))
    assert not np.isfinite(naive[:2]).any()
    np.testing.assert_allclose(careful, [1000.31326, -999.68674, 3.31326], rtol=1e-6)
    assert naive[2] == pytest.approx(careful[2], rel=1e-5)


def test_softmax_twice_cannot_be_sure(pairs, table):
    certain = xp.asarray(1000.0 * np.eye(27))
    twice = float(xp.to_numpy(lesson.doubled(certain, xp.asarray(np.eye(27) / 27))))
    assert twice == pytest.approx(np.log((np.e + 26) / np.e), rel=1e-5)
    learned = lesson.learn_scores(pairs, 60, cost=lesson.doubled)
    truth = xp.asarray(pairs)
    single, double = (float(xp.to_numpy(lesson.code_length(t, truth))) for t in (table, learned))
    assert double > single + 0.5


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (exercises.check_softplus_value, lambda x: xp.log(1.0 + xp.exp(x))),
        (exercises.check_softplus_edges, lambda x: xp.log1p(xp.exp(x))),
        (exercises.check_softplus_gradient, lambda x: xp.log1p(xp.exp(x))),
        (exercises.check_divergence_value, lambda s, q: lesson.cross_entropy(s, q)),
        (exercises.check_divergence_gradient, lambda s, q: solutions.divergence(s, q) * 4.0),
        (exercises.check_divergence_edges, lambda s, q: -xp.sum(q * xp.log(lesson.softmax(s)))),
    ],
)
def test_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError, match=r"Expected|expected|shape"):
        check(wrong)
