"""Distances of numbers, curves and tensors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from d2l_core.compare import _divergence as divergence

finite = st.floats(-(2.0**100), 2.0**100, width=32)
anything = st.floats(width=32, allow_subnormal=False)
curves = st.lists(finite, min_size=1, max_size=30)
tensors = arrays(np.float32, array_shapes(max_dims=3, max_side=5), elements=finite)


def pair(a, b):
    return np.asarray([a], np.float64), np.asarray([b], np.float64)


@given(anything, anything)
def test_distances_are_symmetric_and_zero_only_for_the_same(a, b):
    x, y = pair(a, b)
    same = a == b or (math.isnan(a) and math.isnan(b))
    for measure in (
        divergence.absolute,
        divergence.relative,
        lambda p, q: divergence.ulps(p, q, 32),
    ):
        assert measure(x, y)[0] == measure(y, x)[0]
        assert measure(x, y)[0] >= 0.0
        assert (measure(x, y)[0] == 0.0) == same


@given(st.floats(2.0**-100, 2.0**100, width=32), st.integers(0, 1000))
def test_ulps_count_neighbours(start, steps):
    value = np.float32(start)
    moved = value
    for _ in range(steps):
        moved = np.nextafter(moved, np.float32(np.inf))
    counted = divergence.ulps(*pair(value, moved), 32)[0]
    # Above a power of two the steps are twice as wide, so that fewer of the larger number's ulps fit.
    assert steps / 2 <= counted <= steps


@pytest.mark.parametrize("precision", [32, 64])
def test_one_ulp_at_one(precision):
    eps = float(np.finfo(divergence.float_type(precision)).eps)
    assert divergence.ulps(*pair(1.0, 1.0 + eps), precision)[0] == 1.0


def test_nan_against_a_number_is_infinitely_far():
    x, y = np.asarray([np.nan, np.nan, 1.0, np.inf]), np.asarray([np.nan, 1.0, np.inf, np.inf])
    assert divergence.absolute(x, y).tolist() == [0.0, math.inf, math.inf, 0.0]
    assert divergence.relative(x, y).tolist() == [0.0, math.inf, math.inf, 0.0]


@given(curves, curves)
def test_losses_are_compared_over_common_steps(a, b):
    found = divergence.compare_losses(a, b, 32)
    n = min(len(a), len(b))
    assert found["steps"] == n
    expected = next((i for i in range(n) if a[i] != b[i]), None)
    assert found["first_difference"] == expected
    assert found["absolute"]["value"] == max(abs(x - y) for x, y in zip(a, b, strict=False))


def test_no_common_step():
    found = divergence.compare_losses([], [1.0], 32)
    assert (found["steps"], found["first_difference"], found["absolute"]) == (0, None, None)


@given(curves, st.lists(curves, min_size=1, max_size=3))
def test_budget_never_falls_below_its_drift(losses, perturbed):
    allowed = divergence.budget(losses, perturbed, 32)
    drift = divergence.drift(losses, perturbed)
    assert len(allowed) == min(map(len, [losses, *perturbed]))
    assert np.all(allowed >= divergence.DRIFT_FACTOR * drift)
    for run in perturbed:
        assert divergence.judge(losses, run, allowed)["within"]


def test_budget_has_the_stated_size():
    allowed = divergence.budget([2.0, 1.0, 1.0], [[2.0, 1.5, 1.0]], 64, factor=10.0, floor_eps=8.0)
    eps = 2.0**-52
    np.testing.assert_array_equal(allowed, [16 * eps, 5.0 + 8 * eps, 5.0 + 8 * eps])


def test_the_first_step_outside_is_found():
    judged = divergence.judge([1.0, 1.0, 1.0, 1.0], [1.0, 1.1, 3.0, 1.0], np.full(4, 0.5))
    assert judged == {
        "steps": 4, "within": False, "first_outside": 2, "worst": {"value": 4.0, "step": 2}
    }  # fmt: skip
    broken = divergence.judge([1.0, 1.0], [1.0, math.nan], np.full(2, 0.5))
    assert (broken["within"], broken["first_outside"]) == (False, 1)
    assert not divergence.judge([], [1.0], np.full(2, 0.5))["within"]


@given(tensors)
def test_a_tensor_is_at_no_distance_from_itself(x):
    found = divergence.compare_tensors(x, x.copy(), 32)
    assert [found[k] for k in ("absolute", "relative", "ulp_median", "ulp_max")] == [0.0] * 4


@given(tensors, st.floats(2.0**-20, 2.0**-3))
def test_relative_difference_is_norm_wise(x, share):
    y = x.astype(np.float64) * (1.0 + share)
    found = divergence.compare_tensors(x, y, 64)
    if np.any(np.abs(x) > 1e-20):
        assert found["relative"] == pytest.approx(share / (1.0 + share), rel=1e-6)


def test_an_element_near_zero_is_counted_in_ulps_of_the_tensor():
    x = np.asarray([1.0, 1e-30], np.float32)
    y = np.asarray([1.0, -1e-30], np.float32)
    assert divergence.compare_tensors(x, y, 32)["ulp_max"] < 1.0


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes"):
        divergence.compare_tensors(np.zeros(2), np.zeros(3), 32)
    found = divergence.compare_layers({"a": np.zeros(2), "b": np.zeros(1)}, {"a": np.zeros(3)}, 32)
    assert found == {"a": None, "b": None}


def test_gradients_that_are_only_rounding_are_marked():
    a = {"0.weight": np.ones(4), "0.bias": np.full(2, 1e-8), "1.bias": np.full(2, 1e-8)}
    b = {"0.weight": np.ones(4), "0.bias": np.full(2, -1e-8), "1.bias": np.full(2, 2e-8)}
    found = divergence.compare_layers(a, b, 32, related=True)
    assert [found[name]["cancels"] for name in a] == [False, True, False]
    assert found["0.bias"]["relative"] == 2.0
