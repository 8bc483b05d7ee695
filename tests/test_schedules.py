"""Learning rates over a run: points computed by hand, and what holds for all of them."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core.optim.schedules import Constant, Cosine, Exponential, MultiStep, OneCycle, Polynomial, Step, Warmup

RATES = st.floats(1e-6, 10.0)
SHARES = st.floats(0.0, 1.0)
TOTALS = st.integers(1, 300)
WARMUPS = st.integers(1, 100)


def rates(schedule, total):
    """The rates of all steps and of the one after the last."""
    return [schedule(step, total) for step in range(total + 1)]


def falls(sequence):
    return all(later <= earlier for earlier, later in itertools.pairwise(sequence))


def test_cosine_rises_holds_and_falls():
    rate = Cosine(0.4, final=0.1, warmup=4, hold=0.5)
    assert [rate(step, 100) for step in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert rate(50, 100) == 0.4
    assert rate(75, 100) == pytest.approx(0.25)
    assert rate(100, 100) == pytest.approx(0.1)
    assert rate(1000, 100) == pytest.approx(0.1)


def test_cosine_without_extras_halves_in_the_middle():
    assert Cosine(1.0)(0, 10) == 1.0
    assert Cosine(1.0)(5, 10) == pytest.approx(0.5)


def test_exponential_does_not_depend_on_the_length():
    assert Exponential(1.0, 0.5, every=10)(20, 0) == pytest.approx(0.25)


def test_constant_stays():
    assert rates(Constant(0.3), 5) == [0.3] * 6


def test_step_falls_after_every_so_many_steps():
    assert rates(Step(0.8, 0.5, every=3), 7) == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]


def test_multi_step_falls_at_its_milestones():
    assert rates(MultiStep(1.0, 0.25, milestones=(2, 5)), 6) == [1.0, 1.0, 0.25, 0.25, 0.25, 0.0625, 0.0625]


def test_polynomial_is_a_line_and_a_parabola():
    assert rates(Polynomial(1.0), 4) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert rates(Polynomial(1.5, final=0.5, power=2), 4) == [1.5, 0.5 + 0.5625, 0.75, 0.5 + 0.0625, 0.5]


def test_warmup_reaches_the_rate_and_shortens_the_run():
    assert rates(Warmup(Polynomial(1.0), 4), 8) == [0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]


def test_one_cycle_goes_up_and_down_and_out():
    rate = OneCycle(1.0, start_divisor=10, final_divisor=100, cycle=0.8)
    assert rate(0, 100) == pytest.approx(0.1)
    assert rate(20, 100) == pytest.approx(0.55)
    assert rate(40, 100) == pytest.approx(1.0)
    assert rate(60, 100) == pytest.approx(0.55)
    assert rate(80, 100) == pytest.approx(0.1)
    assert rate(90, 100) == pytest.approx((0.1 + 0.001) / 2)
    assert rate(100, 100) == pytest.approx(0.001)
    assert OneCycle(1.0, cycle=1.0)(100, 100) == pytest.approx(0.04)


@given(lr=RATES, share=SHARES, total=TOTALS, power=st.floats(0.1, 5.0))
def test_decays_fall_from_one_end_to_the_other(lr, share, total, power):
    for schedule in (Polynomial(lr, final=share * lr, power=power), Cosine(lr, final=share * lr)):
        course = rates(schedule, total)
        assert course[0] == pytest.approx(lr)
        assert course[-1] == pytest.approx(share * lr)
        assert falls(course)
        assert schedule(total + 50, total) == course[-1]


@given(lr=RATES, factor=SHARES, every=st.integers(1, 50), total=TOTALS)
def test_steps_lie_on_the_exponential(lr, factor, every, total):
    stairs, curve = Step(lr, factor, every), Exponential(lr, factor, every)
    assert falls(rates(stairs, total))
    assert falls(rates(curve, total))
    for n in range(4):
        assert stairs(n * every, total) == pytest.approx(curve(n * every, total))
    marked = MultiStep(lr, factor, tuple(range(every, total + 1, every)))
    assert rates(marked, total) == rates(stairs, total)


@given(lr=RATES, steps=WARMUPS, rest=TOTALS)
def test_warmup_rises_evenly_and_joins_without_a_jump(lr, steps, rest):
    schedule = Warmup(Cosine(lr), steps)
    total = steps + rest
    rise = [schedule(step, total) for step in range(steps)]
    assert rise == pytest.approx([lr * (step + 1) / steps for step in range(steps)])
    assert rise[-1] == pytest.approx(schedule(steps, total))
    assert falls([schedule(step, total) for step in range(steps, total + 1)])
    assert rates(schedule, total) == pytest.approx(rates(Cosine(lr, warmup=steps), total))


@given(lr=RATES, total=TOTALS, cycle=st.floats(0.1, 1.0), divisor=st.floats(1.0, 100.0))
def test_one_cycle_has_one_summit(lr, total, cycle, divisor):
    course = rates(OneCycle(lr, start_divisor=divisor, cycle=cycle), total)
    top = course.index(max(course))
    assert course[0] == pytest.approx(lr / divisor)
    assert max(course) <= lr * (1 + 1e-12)
    assert falls([-rate for rate in course[: top + 1]])
    # Where start and summit are equally high, rounding may ripple the line.
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(course[top:]))
    slope = 2 * lr / (cycle * total)
    before_the_end = course[: math.floor(cycle * total) + 1]
    jumps = [abs(b - a) for a, b in itertools.pairwise(before_the_end)]
    assert all(jump <= slope * (1 + 1e-9) for jump in jumps)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Constant(-0.1), "lr is -0.1; choose 0 or more."),
        (lambda: Constant(math.nan), "lr is nan; choose 0 or more."),
        (lambda: Step(0.1, -0.5, 3), "factor is -0.5; choose 0 or more."),
        (lambda: Step(0.1, 0.5, 0), "every is 0; choose a number greater than 0."),
        (lambda: Exponential(0.1, 0.5, 0), "every is 0; choose a number greater than 0."),
        (lambda: MultiStep(0.1, 0.5, (5, 2)), r"The milestones \(5, 2\) do not rise"),
        (lambda: MultiStep(0.1, 0.5, (2, 2)), r"The milestones \(2, 2\) do not rise"),
        (lambda: Polynomial(0.1, power=0), "power is 0; choose a number greater than 0."),
        (lambda: Cosine(0.1, final=-1.0), "final is -1.0; choose 0 or more."),
        (lambda: Cosine(0.1, hold=1.5), "hold is 1.5; choose a number from 0 to 1."),
        (lambda: Warmup(Constant(0.1), -1), "steps is -1; choose 0 or more."),
        (lambda: OneCycle(0.1, start_divisor=0.0), "start_divisor is 0.0; choose a number greater than 0."),
        (lambda: OneCycle(0.1, cycle=1.2), "cycle is 1.2; choose a number from 0 to 1."),
        (lambda: OneCycle(0.1, cycle=0.0), "cycle is 0.0; choose a number greater than 0."),
    ],
)
def test_wrong_settings_are_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
