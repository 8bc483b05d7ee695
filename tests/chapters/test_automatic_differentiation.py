"""The lesson on automatic differentiation: the tape against the library, and the runs that mislead."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.preliminaries import automatic_differentiation as lesson
from d2l_chapters.preliminaries import automatic_differentiation_solutions as solutions

from d2l_core import xp
from d2l_core.autodiff import grad, value_and_grad


def test_dual_numbers_give_the_rates_of_the_cafe():
    for seeds, rate in (((1.0, 0.0, 0.0), -8.0), ((0.0, 1.0, 0.0), -80.0), ((0.0, 0.0, 1.0), -1.0)):
        arguments = [lesson.Dual(*pair) for pair in zip((3.0, 0.8, 100.0), seeds, strict=True)]
        result = lesson.profit(*arguments)
        assert (result.value, result.rate) == pytest.approx((76.0, rate))


def test_the_tape_gives_all_rates_at_once():
    nodes = [lesson.Node.of(value) for value in (3.0, 0.8, 100.0)]
    adjoints = lesson.backward(lesson.profit(*nodes))
    assert [float(adjoints[node]) for node in nodes] == pytest.approx([-8.0, -80.0, -1.0], rel=1e-5)


def test_the_tape_agrees_with_the_library_on_a_network():
    (X, y), theta = lesson.airfoil_cases(20), lesson.start()
    _, expected = value_and_grad(lambda theta: lesson.network_loss(lesson.unpacked(theta), X, y))(theta)
    nodes = [lesson.Node(tensor) for tensor in lesson.unpacked(theta)]
    adjoints = lesson.backward(lesson.network_loss(nodes, X, y))
    assert [tuple(adjoints[node].shape) for node in nodes] == [(5, 8), (8,), (8, 1), (1,)]
    found = lesson.in_one_vector([adjoints[node] for node in nodes])
    np.testing.assert_allclose(xp.to_numpy(found), xp.to_numpy(expected), rtol=1e-4, atol=1e-6)


def test_a_node_used_twice_collects_both_paths():
    x = lesson.Node(xp.asarray(3.0))
    assert float(lesson.backward(x * x + x)[x]) == pytest.approx(7.0)


def test_summed_to_undoes_broadcasting():
    ones = xp.ones((4, 3, 2))
    for shape, size in (((3, 2), 4.0), ((2,), 12.0), ((3, 1), 8.0), ((), 24.0), ((4, 3, 2), 1.0)):
        found = xp.to_numpy(lesson.summed_to(ones, shape))
        assert found.shape == shape
        np.testing.assert_array_equal(found, size)


def test_what_is_stored_grows_with_each_layer_and_counts_shared_tensors_once():
    stored = lesson.stored_by_depth((3, 4, 5), n=20)
    assert stored[5] - stored[4] == stored[4] - stored[3] == 20 * 8 + 8 * 8
    x = lesson.Node(xp.ones(10))
    assert lesson.stored_numbers(lesson.total(x * x)) == 10


def test_differences_are_worse_than_the_automatic_gradient():
    errors = lesson.difference_errors([2.0**-1, 2.0**-7, 2.0**-14])
    automatic = np.abs(lesson.gradient_in(32) - lesson.gradient_in(64)).max()
    assert errors[1] < errors[0]
    assert errors[1] < errors[2]
    assert 10 * automatic < errors.min()


@pytest.mark.parametrize(("a", "rounds"), [(1.0, 0), (2.0, 2), (1000.0, 7)])
def test_the_loop_of_heron(a, rounds):
    assert lesson.heron_rounds(a) == rounds
    root, slope = value_and_grad(lesson.heron)(xp.asarray(a))
    assert float(root) == pytest.approx(a**0.5, rel=1e-5)
    assert float(slope) == pytest.approx(0.5 / a**0.5 if rounds else 0.0, rel=1e-4)


def test_a_scale_held_fixed_changes_the_gradient_alone():
    x = xp.asarray(np.array([1.0, 2.0, 4.0]))
    values, slopes = zip(
        *(value_and_grad(lambda x, fixed=fixed: lesson.spread(x, fixed))(x) for fixed in (False, True)), strict=True
    )
    assert float(values[0]) == float(values[1])
    np.testing.assert_allclose(xp.to_numpy(slopes[0]), [0.125, 0.25, 0.5 - 2 * 21 / 64], rtol=1e-5)
    np.testing.assert_allclose(xp.to_numpy(slopes[1]), [0.125, 0.25, 0.5], rtol=1e-5)


def test_the_branch_not_taken():
    x = xp.asarray(100.0)
    value, slope = value_and_grad(lesson.careless_softplus)(x)
    assert float(value) == 100.0
    assert np.isnan(float(slope))
    for point, expected in ((100.0, 1.0), (0.0, 0.5)):
        assert float(grad(lesson.careful_softplus)(xp.asarray(point))) == pytest.approx(expected)


def test_exp_and_log_of_the_solutions():
    node = lesson.Node(xp.asarray(np.array([0.5, 2.0])))
    adjoint = lesson.backward(lesson.total(solutions.log(solutions.exp(node) + 1.0)))[node]
    np.testing.assert_allclose(xp.to_numpy(adjoint), 1 / (1 + np.exp([-0.5, -2.0])), rtol=1e-5)
