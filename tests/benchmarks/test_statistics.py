"""From seconds to figures."""

from __future__ import annotations

import math
import statistics

import pytest
from d2l_benchmarks._statistics import (
    break_even,
    first_step,
    geometric_mean,
    interval,
    loss_difference,
    paired_ratio,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from d2l_core.random import normal

TIMES = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=25)
POSITIVE = st.floats(1e-6, 1e3)


@settings(max_examples=40, deadline=None)
@given(TIMES)
def test_the_interval_holds_the_median_and_lies_within_the_values(values: list[float]) -> None:
    low, high = interval(values)
    assert min(values) <= low <= statistics.median(values) * (1 + 1e-12)
    assert statistics.median(values) <= high * (1 + 1e-12)
    assert high <= max(values)
    assert interval(values) == (low, high)


@settings(max_examples=25, deadline=None)
@given(TIMES, POSITIVE)
def test_the_interval_scales_with_the_values(values: list[float], factor: float) -> None:
    for scaled, end in zip(interval([factor * value for value in values]), interval(values), strict=True):
        assert scaled == pytest.approx(factor * end, rel=1e-9)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for i in range(200):
        low, high = interval(normal(15, "coverage", i, mean=1.0, std=0.1).tolist())
        held += low <= 1.0 <= high
    assert 180 <= held <= 198  # 95 % of 200 is 190; the percentile bootstrap of a median is a little off


@settings(max_examples=25, deadline=None)
@given(TIMES, POSITIVE)
def test_a_side_twice_as_slow_has_twice_the_ratio(times: list[float], factor: float) -> None:
    found = paired_ratio([factor * time for time in times], times)
    for name in ("ratio", "low", "high"):
        assert found[name] == pytest.approx(factor, rel=1e-9)


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE)
def test_break_even_is_where_both_have_taken_the_same_time(a: float, step: float, b: float, other: float) -> None:
    steps = break_even(a, step, b, other)
    if a <= b:
        assert steps == 0
    elif step >= other:
        assert steps is None
    else:
        assert steps is not None
        assert a + steps * step == pytest.approx(b + steps * other, rel=1e-6)


def test_the_first_step_is_what_an_epoch_took_more_and_one_step() -> None:
    assert first_step(ready=2.0, first_epoch=5.0, epoch=1.0, steps=10) == pytest.approx(2.0 + 4.0 + 0.1)
    assert first_step(ready=2.0, first_epoch=0.5, epoch=1.0, steps=10) == 2.0


def test_losses_are_compared_step_by_step_or_by_their_means() -> None:
    assert loss_difference([1.0, 2.0], [1.0, 2.0]) == 0.0
    assert loss_difference([1.0, 2.0], [1.0, 1.5]) == pytest.approx(0.25)
    assert loss_difference([1.0, 2.0], [1.5]) == 0.0
    assert loss_difference([1.0, 2.0], [1.0, 2.0, 3.0]) == math.inf
    assert loss_difference([1.0, 2.0], [1.0, math.nan]) == math.inf


def test_twice_and_half_are_one_on_the_mean() -> None:
    assert geometric_mean([2.0, 0.5]) == pytest.approx(1.0)
