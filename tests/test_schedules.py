"""Learning rates over a run."""

import pytest

from d2l_core.optim.schedules import Cosine, Exponential


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
