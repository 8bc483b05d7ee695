"""The lesson on calculus: its derivatives, the orders of both errors, and the places where differences mislead."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.preliminaries import calculus as lesson

from d2l_core import xp
from d2l_core.autodiff import grad, value_and_grad


def test_the_speed_is_the_derivative_of_the_position():
    for t in (0.5, 3.0, 6.0, 20.0):
        found = float(grad(lesson.position)(xp.asarray(t)))
        assert found == pytest.approx(float(lesson.speed(t)), rel=1e-5)
    assert lesson.position(6.0) == pytest.approx(108.0)
    assert lesson.speed(6.0) == pytest.approx(lesson.TRUE_SPEED)


def test_orders_of_truncation():
    steps = np.array([1.0, 0.5, 0.25])
    for quotient, factor in ((lesson.forward_difference, 2.0), (lesson.central_difference, 4.0)):
        errors = lesson.speed_errors(quotient, steps, single=False)
        np.testing.assert_allclose(errors[:-1] / errors[1:], factor, rtol=0.1)


def test_the_error_falls_and_rises_as_the_bounds_say():
    delta = 2e-5  # five units in the last place of 108
    for quotient, bound in (
        (lesson.forward_difference, lambda h: h / 2 * 0.97 + 2 * delta / h),
        (lesson.central_difference, lambda h: h * h / 6 * 0.30 + delta / h),
    ):
        errors = lesson.speed_errors(quotient)
        usable = (lesson.STEPS <= 0.25) & (lesson.STEPS >= 2.0**-20)
        assert (errors[usable] <= bound(lesson.STEPS[usable])).all()
        assert errors[-1] > 1000 * errors.min()


def test_numerical_gradient_of_a_quadratic():
    target = xp.asarray(np.array([1.0, -2.0, 0.5]))
    x = xp.asarray(np.array([3.0, 1.0, 0.0]))
    found = lesson.numerical_gradient(lambda x: xp.sum((x - target) * (x - target)), x, 0.5)
    assert tuple(found.shape) == (3,)
    np.testing.assert_allclose(xp.to_numpy(found), [4.0, 6.0, -1.0], rtol=1e-5)


def test_chain_rule_for_the_stopping_distance():
    rate = grad(lambda t: lesson.stopping_distance(lesson.speed(t)))(xp.asarray(6.0))
    assert float(rate) == pytest.approx((1.0 + 25.2 / (0.7 * 9.81)) * 0.96, rel=1e-5)


def test_large_steps_are_best_for_the_quadratic_loss():
    loss = lesson.squared_loss(*lesson.airfoil_cases())
    theta = xp.asarray(np.zeros(6))
    exact = value_and_grad(loss)(theta)[1]
    large, small = (lesson.largest_gap(lesson.numerical_gradient(loss, theta, h), exact) for h in (1.0, 1e-4))
    assert 20 * large < small


def test_measured_and_exact_gradients_descend_together():
    loss = lesson.squared_loss(*lesson.airfoil_cases())
    exact = lesson.descend(loss, lambda theta: value_and_grad(loss)(theta)[1], steps=10)
    measured = lesson.descend(loss, lambda theta: lesson.numerical_gradient(loss, theta, 1.0), steps=10)
    np.testing.assert_allclose(measured, exact, rtol=1e-4)
    assert exact[-1] < 0.75 * exact[0]


def test_partial_derivatives_that_mislead():
    origin = xp.asarray(np.zeros(2))
    np.testing.assert_array_equal(xp.to_numpy(lesson.numerical_gradient(lesson.ridge, origin, 0.125)), 0.0)
    diagonal = xp.asarray(np.full(2, math.sqrt(0.5)))
    assert float(lesson.ridge(0.001 * diagonal)) == pytest.approx(0.5)


def test_a_step_below_the_spacing_is_no_step():
    assert float(lesson.central_difference(lesson.position, xp.asarray(1e5), 1e-3)) == 0.0
    assert float(lesson.forward_difference(lesson.position, xp.asarray(6.0), 2.0**-23)) == 0.0


def test_the_gradient_by_hand():
    X, y = lesson.airfoil_cases(50)
    theta = xp.asarray(np.array([0.5, -1.0, 0.25, 2.0, 0.0, 0.7]))
    found, expected = lesson.gradient_formula(X, y, theta), grad(lesson.squared_loss(X, y))(theta)
    np.testing.assert_allclose(xp.to_numpy(found), xp.to_numpy(expected), rtol=1e-4, atol=1e-6)
