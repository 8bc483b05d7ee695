"""Generalisation in classification: intervals, pairs, worn-out test sets and patterns of lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.linear_classification import generalisation_in_classification as lesson

from d2l_core import random, xp


def test_binomial():
    expected = [math.comb(12, k) * 0.3**k * 0.7 ** (12 - k) for k in range(13)]
    np.testing.assert_allclose(lesson.binomial(12, 0.3), expected, rtol=1e-10)
    assert lesson.binomial(2000, 0.01).sum() == pytest.approx(1.0)


def test_intervals_of_the_two_firms():
    np.testing.assert_allclose(lesson.wilson(21, 1000), (0.0138, 0.0319), atol=5e-5)
    np.testing.assert_allclose(lesson.wilson(28, 1000), (0.0194, 0.0402), atol=5e-5)
    assert lesson.wald(0, 50) == (0.0, 0.0)
    low, high = lesson.hoeffding(50, 100)
    assert high - low == pytest.approx(2 * math.sqrt(math.log(40) / 200))


def test_coverage_is_what_a_simulation_finds():
    errors = (random.uniform((20_000, 50), "test", "errors") < 0.1).sum(axis=1)
    for interval in (lesson.wald, lesson.wilson, lesson.hoeffding):
        low, high = interval(errors, 50)
        simulated = np.mean((low <= 0.1) & (high >= 0.1))
        assert lesson.coverage(interval, 50, 0.1) == pytest.approx(simulated, abs=0.01)
    assert lesson.coverage(lesson.wald, 50, 0.02) < 0.7 < 0.9 < lesson.coverage(lesson.wilson, 50, 0.02)


def test_pairs():
    a, b = np.array([1, 1, 1, 1, 0, 0, 1, 1]), np.array([1, 0, 0, 1, 0, 1, 0, 1])
    difference, error, p = lesson.paired(a, b)
    assert difference == pytest.approx(0.25)
    assert error == pytest.approx((a - b).std() / math.sqrt(8))
    assert p == pytest.approx(2 * 5 / 16)  # 3 against 1: (1 + 4) / 16 on one side
    assert lesson.paired(a, a) == (0.0, 0.0, 1.0)


def test_drawn_test_sets_spread_as_the_formula_says():
    right = np.arange(1000) < 800
    found = lesson.drawn_accuracies(right, 64)
    assert found.mean() == pytest.approx(0.8, abs=0.006)
    assert found.std() == pytest.approx(math.sqrt(0.16 / 64), rel=0.1)


@pytest.mark.parametrize("tries", [100, 1000])
def test_votes_of_guesses_follow_the_law(tries):
    z = math.sqrt(2 * tries / (math.pi * 1000))
    assert lesson.vote_of_guesses(tries) == pytest.approx(0.5 * (1 + math.erf(z / math.sqrt(2))), abs=0.05)


def test_climbing_raises_the_public_accuracy_alone():
    images, labels = lesson.clothes()
    model = lesson.trained(images[:1000], labels[:1000], lr=0.1, epochs=5)
    public, fresh = (images[1000:1100], labels[1000:1100]), (images[1100:], labels[1100:])
    weight, bias, course = lesson.climb(model, public, tries=200)
    assert np.diff(course).min() >= 0
    assert course[-1] > course[0]
    gain = np.mean((fresh[0].reshape(-1, 784) @ weight + bias).argmax(axis=1) == fresh[1]) - np.mean(
        lesson.is_right(model, *fresh)
    )
    assert gain < (course[-1] - course[0]) / 2
    kept, _, flat = lesson.climb(model, public, tries=50, margin=0.1)
    assert flat[0] == flat[-1]
    np.testing.assert_allclose(kept, model.state_dict()["1.weight"].T, rtol=1e-6)


def test_patterns_of_lines_are_those_of_cover():
    for m, count in ((2, 4), (3, 8), (4, 14), (5, 22)):
        found = lesson.separable(lesson.on_a_circle(m))
        assert found.sum() == count
    signs = lesson.all_patterns(4)[~lesson.separable(lesson.on_a_circle(4))]
    np.testing.assert_array_equal(np.abs(signs @ [1, -1, 1, -1]), [4, 4])
    assert lesson.separable(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])).sum() == 6


def test_vc_bound():
    patterns = sum(math.comb(200, i) for i in range(4))
    assert lesson.vc_bound(3, 100) == pytest.approx(math.sqrt(8 / 100 * math.log(4 * patterns / 0.05)))
    assert lesson.vc_bound(3, 40_000) < lesson.vc_bound(3, 10_000) < lesson.vc_bound(30, 10_000)


def test_the_model_counts_as_the_library_does():
    images, labels = lesson.clothes()
    model = lesson.trained(images[:500], labels[:500], lr=0.1, epochs=1)
    right = lesson.is_right(model, images[:300], labels[:300])
    by_library = lesson.accuracy(model(xp.asarray(images[:300])), xp.asarray(labels[:300]))
    assert right.mean() == pytest.approx(float(xp.to_numpy(by_library)), abs=1e-6)
    assert lesson.shrunk(images[:3]).shape == (3, 14, 14)


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_spread().axes[0].lines) == 3
    assert len(lesson.plot_coverage(n=20).axes[0].lines) == 4
    assert len(lesson.plot_climb([0.5, 0.6], 0.5, 0.4).axes[0].lines) == 2
    assert len(lesson.plot_patterns(lesson.on_a_circle(4)).axes) == 16
