"""The lesson on probability: its draws are the same everywhere, follow their laws, and fail where it says so."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.preliminaries import probability as lesson
from d2l_chapters.preliminaries import probability_solutions as solutions

from d2l_core import random, xp
from d2l_core.data import load_airfoil


def test_the_coin_of_the_text():
    assert lesson.tosses(10, 0).tolist() == [1, 1, 1, 0, 1, 0, 1, 1, 1, 0]
    assert lesson.tosses(1000, 1, probability=0.2).mean() == pytest.approx(0.2, abs=0.04)


def test_categories_fall_into_their_pieces():
    assert lesson.categories([0.5, 0.25, 0.25], [0.0, 0.49, 0.5, 0.74, 0.75, 0.999]).tolist() == [0, 0, 1, 1, 2, 2]


def test_multinomial_counts_follow_expectation_and_covariance():
    p, n = np.array([0.5, 0.3, 0.2]), 50
    counts = np.array([lesson.multinomial(n, p, seed, "test") for seed in range(2000)])
    assert (counts.sum(axis=1) == n).all()
    np.testing.assert_allclose(counts.mean(axis=0), n * p, atol=0.4)
    np.testing.assert_allclose(np.cov(counts.T), n * (np.diag(p) - np.outer(p, p)), atol=1.2)


def test_dice_on_the_device_are_the_same_everywhere():
    thrown = xp.to_numpy(lesson.dice(60_000))
    assert np.bincount(thrown).tolist() == [0, 9952, 10126, 9944, 10070, 10122, 9786]


def test_moments():
    mean, variance = lesson.mean_and_variance([1.0, 2.0, 6.0])
    assert (mean, variance) == pytest.approx((3.0, 14.0 / 3.0))


def test_the_deviation_falls_with_the_root():
    for n in (16, 400):
        assert lesson.rms_deviation(n, 400) == pytest.approx(0.5 / n**0.5, rel=0.12)


def test_samples_of_neighbours_scatter_more():
    level = load_airfoil()[1]
    mixed = lesson.means_of_samples(level, 100, 200).std()
    assert mixed == pytest.approx(level.std() / 10 * (1403 / 1502) ** 0.5, rel=0.15)
    assert lesson.means_of_samples(level, 100, 200, consecutive=True).std() > 2.5 * mixed


def test_bayes_against_counting():
    assert lesson.bayes(0.005, 0.95, 0.04) == pytest.approx(95 / 891)
    sick, first, second = lesson.screened(400_000)
    assert sick[first].mean() == pytest.approx(95 / 891, abs=0.008)
    assert sick[first & second].mean() == pytest.approx(0.739, abs=0.04)
    sick, first, second = lesson.screened(10_000, shared=True)
    assert (first == second).all()


def test_a_line_that_is_too_short():
    even, last = np.full(49, 1.0 / 49), np.array([1.0 - 2.0**-23])
    assert lesson.careless_categories(even, last).tolist() == [49]
    assert lesson.categories(even, last).tolist() == [48]


def test_one_pass_is_not_enough_for_a_variance():
    far = xp.asarray(10_000.0 + random.normal(1000, 0, "far"), dtype=xp.float32)
    assert abs(float(lesson.naive_variance(far)) - 0.88) > 0.5
    near = far - 10_000.0
    assert float(lesson.naive_variance(near)) == pytest.approx(float(xp.var(near)), rel=1e-3)


def test_an_album_takes_as_many_packets_as_the_formula_says():
    assert np.mean([solutions.packets(seed) for seed in range(1000)]) == pytest.approx(14.7, abs=0.7)
