"""Documentation: what is read from functions is right, and the experiments could have failed."""

from __future__ import annotations

import functools
import inspect

import numpy as np
import pytest
from d2l_chapters.preliminaries import documentation as lesson
from d2l_chapters.preliminaries import documentation_solutions as solutions

from d2l_core import random, xp
from d2l_core.interface import random_uniform


def everything(a, b=1, /, c=2, *rest, d, e=3, **options):
    return a, b, c, rest, d, e, options


def no_defaults(a, b, *, c):
    return a, b, c


@pytest.mark.parametrize("function", [everything, no_defaults, lambda: None, xp.clip, xp.sum, lesson.parameters])
def test_signatures(function):
    theirs = [(p.name, p.kind.description, p.default) for p in inspect.signature(function).parameters.values()]
    assert lesson.parameters(lesson.unwrapped(function)) == theirs
    assert lesson.signature_mismatches([function]) == 0


def test_a_wrapper_without_a_trail_hides_the_signature():
    def forgetful(function):
        return lambda *args, **kwargs: function(*args, **kwargs)

    hidden = forgetful(no_defaults)
    assert [name for name, *_ in lesson.parameters(lesson.unwrapped(hidden))] == ["args", "kwargs"]
    kept = functools.wraps(no_defaults)(hidden)
    assert [name for name, *_ in lesson.parameters(lesson.unwrapped(kept))] == ["a", "b", "c"]


def test_search_looks_into_docstrings():
    assert "var" in lesson.search("deviation")
    assert {"logsumexp", "hypot"} <= lesson.search("without overflow").keys()
    assert lesson.search("no such word") == {}


@pytest.mark.parametrize("counter", [0, 7, 2**31 - 1])
def test_the_docstring_of_the_random_stream_is_exact(counter):
    key = random.key_of("test", counter)
    drawn = xp.to_numpy(random_uniform(key, counter, (3, 50))).ravel().astype(np.float64)
    np.testing.assert_array_equal(drawn, lesson.as_documented(key, counter, 150))
    assert (drawn != lesson.as_documented(key + 1, counter, 150)).any()


def test_no_claim_is_broken_and_a_generator_with_a_state_would_break_one(monkeypatch):
    assert set(lesson.broken_claims(seed=5).values()) == {0}
    state = np.random.default_rng(0)
    monkeypatch.setattr(random, "uniform", lambda shape, *key: state.uniform(size=shape))
    broken = lesson.broken_claims(seed=5)
    assert broken["depends on the past"] > 900
    assert broken["depends on the length"] > 900


def test_pearson_statistic_by_hand_and_its_mean():
    statistic, counts = lesson.pearson_statistic([0.1, 0.6, 0.7, 0.99], bins=2)
    assert (statistic, counts.tolist()) == (1.0, [1, 3])
    many = [lesson.pearson_statistic(random.uniform(2000, "pearson", i), bins=20)[0] for i in range(200)]
    assert np.mean(many) == pytest.approx(19.0, abs=5 * np.sqrt(38 / 200))
    assert np.var(many) == pytest.approx(38.0, rel=0.5)


def test_examples_that_have_grown_old_are_found():
    assert lesson.failed_examples(lesson.spread) == 0
    assert lesson.failed_examples(lesson.middle) == 1


def test_passes_needed():
    assert solutions.passes_needed(0.001) == 2995
    assert 0.999**2995 <= 0.05 < 0.999**2994


def test_the_textbook_formula_overflows():
    a = xp.asarray(1000.0)
    assert float(xp.to_numpy(solutions.textbook(a, a))) == np.inf
    assert float(xp.to_numpy(xp.logaddexp(a, a))) == pytest.approx(1000.6931, rel=1e-6)
