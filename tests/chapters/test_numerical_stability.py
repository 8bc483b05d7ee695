"""Numerical stability: theory against independent computation, and measured signals against theory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.multilayer_perceptrons import numerical_stability as lesson
from d2l_chapters.multilayer_perceptrons import numerical_stability_solutions as solutions

from d2l_core import random, xp
from d2l_core.nn import initialisers


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9, 20])
def test_digamma_is_the_slope_of_log_gamma(k):
    h = 1e-5
    slope = (math.lgamma(k / 2 + h) - math.lgamma(k / 2 - h)) / (2 * h)
    assert lesson.digamma_of_half(k) == pytest.approx(slope, rel=1e-7)


def test_exponents_add_up_to_the_determinant():
    factors = lesson.gaussian_factors(12, n=3, chains=8)
    determinants = np.log(np.abs(np.linalg.det(factors))).mean()
    assert lesson.exponents_measured(factors).sum() == pytest.approx(determinants, rel=1e-3, abs=1e-3)


def test_measured_exponents_are_those_of_the_theory():
    measured = lesson.exponents_measured(lesson.gaussian_factors(40, n=4, chains=200))
    np.testing.assert_allclose(measured, lesson.exponents_in_theory(4), atol=0.05)


def test_lengths_by_logarithms_do_not_overflow():
    factors = lesson.gaussian_factors(60, n=4, chains=5)
    logs = lesson.log_lengths(factors, sigma=100.0)
    exact = np.full((5, 4, 1), 0.5)
    for factor in factors:
        exact = 100.0 * factor @ exact
    np.testing.assert_allclose(logs[-1], np.log(np.linalg.norm(exact[..., 0], axis=1)), rtol=1e-4)
    assert lesson.share_overflowed(100.0 * factors) == 1.0


def test_initialisers_are_the_library_s():
    for ours, theirs in ((lesson.he_normal, "HeNormal"), (lesson.xavier_normal, "XavierNormal")):
        np.testing.assert_array_equal(ours((30, 20), ("w", 3)), getattr(initialisers, theirs)()((30, 20), ("w", 3)))


def test_moments_through_layers():
    X = xp.asarray(random.normal((64, 128), "moments"), dtype=xp.float_dtype())
    forward, backward = lesson.second_moments(lesson.he_normal, "relu", X, depth=6, width=512)
    np.testing.assert_allclose(forward, 1.0, rtol=0.35)
    np.testing.assert_allclose(backward, 1.0, rtol=0.35)
    halved, _ = lesson.second_moments(lesson.xavier_normal, "relu", X, depth=6, width=512)
    np.testing.assert_allclose(halved[1:] / halved[:-1], 0.5, rtol=0.2)


def test_equal_units_stay_equal_unless_dropout_tells_them_apart():
    assert lesson.distinct_units(0.0, "smoke", num_hiddens=6) == 1
    assert lesson.distinct_units(0.5, "smoke", num_hiddens=6) == 6


def test_only_one_start_learns():
    losses = {name: lesson.jobs[name].run("smoke", epochs=8).history for name in ("he", "small")}
    assert losses["he"].final("loss") < 2.0
    assert losses["small"].final("loss") == pytest.approx(math.log(10.0), abs=0.02)


def test_narrow_networks_wander():
    logs = solutions.log_moments(16, streams=20, depth=20)
    assert logs.mean() < -1.0
    assert logs.std() == pytest.approx(math.sqrt(100 / 16), rel=0.6)


def test_the_figures_can_be_drawn():
    assert "J₁" in lesson.diagram_chain().svg()
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_products(lesson.gaussian_factors(5, chains=3), shown=3).axes[0].lines) == 14
    assert len(lesson.plot_slopes().axes[0].lines) == 4
    assert len(lesson.plot_moments({"a": (np.ones(3), np.zeros(3))}).axes) == 2
