"""The lesson on activations: collapse, slopes, the networks written down by hand, and what training does with them."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.multilayer_perceptrons import activations as lesson

from d2l_core import nn, xp
from d2l_core.autodiff import grad, value_and_grad
from d2l_core.nn import functional


@pytest.mark.parametrize("name", lesson.jobs)
def test_every_job_learns(name):
    losses = lesson.jobs[name].run("smoke", epochs=3).history.losses
    assert np.mean(losses[-20:]) < 0.9 * np.mean(losses[:5])


def test_slopes_are_those_of_the_formulas():
    z = np.linspace(-5.0, 5.0, 31) + 0.01
    for name, expected in lesson.slopes_by_hand(z).items():
        found = xp.to_numpy(lesson.slopes(lesson.ACTIVATIONS[name], xp.asarray(z)))
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)


def test_activations_are_those_of_the_library():
    z = xp.asarray(np.linspace(-6.0, 6.0, 41))
    for name, theirs in (("relu", functional.relu), ("sigmoid", functional.sigmoid), ("gelu", functional.gelu)):
        np.testing.assert_allclose(
            xp.to_numpy(lesson.ACTIVATIONS[name](z)), xp.to_numpy(theirs(z)), rtol=1e-5, atol=1e-6, err_msg=name
        )


def test_a_stack_without_activations_is_one_layer():
    stack = nn.Sequential(nn.Linear(7), nn.Linear(3), nn.Linear(2))
    X = xp.asarray(np.linspace(-1.0, 1.0, 12).reshape(3, 4))
    stack.initialise(X, seed=1)
    weight, bias = lesson.collapse([(layer.weight, layer.bias) for layer in stack])
    assert (tuple(weight.shape), tuple(bias.shape)) == ((2, 4), (2,))
    np.testing.assert_allclose(xp.to_numpy(lesson.dense(X, weight, bias)), xp.to_numpy(stack(X)), rtol=1e-4, atol=1e-6)


def test_the_bill():
    assert lesson.water_bill(np.array([0.0, 40.0, 100.0, 150.0])).tolist() == [0.0, 80.0, 380.0, 980.0]


def test_the_polygon_passes_through_its_points_and_keeps_the_bound():
    for m in (3, 10):
        model = lesson.polygon_network(lesson.wave, m)
        knots = np.linspace(0.0, 1.0, m + 1)[:, None]
        np.testing.assert_allclose(xp.to_numpy(model(xp.asarray(knots))), lesson.wave(knots), atol=1e-4)
        assert lesson.largest_error(model, lesson.wave) <= 4 * np.pi**2 / (8 * m * m) + 1e-4


def test_outside_of_the_interval_the_polygon_goes_straight_on():
    model = lesson.polygon_network(lesson.wave, 16)
    y = xp.to_numpy(model(xp.asarray(np.array([[2.0], [3.0], [4.0]])))).ravel()
    assert y[2] - y[1] == pytest.approx(y[1] - y[0], rel=1e-3)
    assert y[2] > 10.0


def test_folds_that_start_in_one_place_leave_the_network_affine():
    model = nn.Sequential(nn.Linear(16), lesson.relu, nn.Linear(1))
    x = xp.asarray(np.linspace(0.0, 1.0, 9)[:, None])
    model.initialise(x, seed=0)
    np.testing.assert_allclose(np.diff(xp.to_numpy(model(x)).ravel(), n=2), 0.0, atol=1e-6)


def test_exclusive_or_needs_an_activation():
    assert lesson.solved_share(lesson.identity, 8, epochs=150, copies=20) == 0.0
    assert lesson.solved_share(lesson.tanh, 8, epochs=300, copies=20) > 0.5


def test_the_formula_of_the_sigmoid_has_no_slope_far_out():
    far = xp.asarray(-100.0)
    value, slope = value_and_grad(lesson.naive_sigmoid)(far)
    assert float(value) == 0.0
    assert np.isnan(float(slope))
    assert float(grad(lesson.sigmoid)(far)) == 0.0


def test_networks_with_a_shut_unit_do_not_solve_exclusive_or():
    model = lesson.trained_on_xor(lesson.relu, 2, epochs=100, copies=40)
    shut = lesson.has_shut_unit(model)
    assert 0.1 < shut.mean() < 0.9
    assert not lesson.solved(model)[shut].any()
