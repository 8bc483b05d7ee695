"""Numbers in the text of a lesson are those of its record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core.errors import D2LError
from d2l_core.lessons import Lesson
from d2l_core.lessons._header import Header
from d2l_core.lessons.figures import update, with_figures, without_markers


def run(value: float, backend: str = "numpy", seed: int = 0, job: str = "lesson") -> dict:
    return {
        "job": job, "backend": backend, "scale": "full", "seed": seed, "precision": 32, "metrics": {"x": value},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ("0.5<!--lesson.x-->", 0.7512, "0.8<!--lesson.x-->"),
        ("0.123<!--lesson.x-->", 12.0, "12.000<!--lesson.x-->"),
        ("5<!--lesson.x-->", 1503.0, "1,503<!--lesson.x-->"),
        ("9000<!--lesson.x-->", 1503.0, "1503<!--lesson.x-->"),
        ("9,000.0<!--lesson.x-->", 1503.26, "1,503.3<!--lesson.x-->"),
        ("1.0 %<!--lesson.x-->", 0.8312, "83.1 %<!--lesson.x-->"),
        (r"$1\,\%$<!--lesson.x-->", 0.8312, r"$83\,\%$<!--lesson.x-->"),
        ("-1.0<!--lesson.x-->", -2.04, "-2.0<!--lesson.x-->"),
        ("1.0<!--lesson.x-->", -2.04, "-2.0<!--lesson.x-->"),
        ("−1.0<!--lesson.x-->", -2.04, "−2.0<!--lesson.x-->"),
        (r"$1.0 \cdot 10^2$<!--lesson.x-->", 3.46e7, r"$3.5 \cdot 10^7$<!--lesson.x-->"),
        (r"$1 \cdot 10^2$<!--lesson.x-->", 9.96e-13, r"$1 \cdot 10^{-12}$<!--lesson.x-->"),
        ("2e-07<!--lesson.x-->", 3.2e-9, "3e-09<!--lesson.x-->"),
        ("**0.5**", 3.0, "**0.5**"),
    ],
)
def test_a_number_keeps_its_form(written, value, expected):
    assert with_figures(f"It is {written}, then 7.", [run(value)]) == f"It is {expected}, then 7."


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_rewriting_twice_changes_nothing(value, decimals):
    start = f"{0:.{decimals}f}<!--lesson.x-->"
    once = with_figures(start, [run(value)])
    assert with_figures(once, [run(value)]) == once
    assert float(without_markers(once).replace(",", "")) == pytest.approx(value, abs=0.51 * 10.0**-decimals)


def test_backend_seed_and_mean_are_chosen():
    runs = [run(1.0), run(2.0, seed=1), run(6.0, seed=2), run(9.0, backend="other"), run(4.0, job="job-a")]
    text = "0<!--lesson.x--> 0<!--lesson.x seed=1--> 0<!--lesson.x mean--> 0<!--lesson.x @other--> 0<!--job-a.x-->"
    assert without_markers(with_figures(text, runs)) == "1 2 3 9 4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0<!--lesson.y-->", "recorded lesson.y; record it with: d2l verify try"),
        ("0<!--lesson.x seed=5-->", "with seed 5"),
        ("0<!--lesson.x huh-->", "unknown option 'huh'"),
        ("about<!--lesson.x-->", "no number stands before"),
    ],
)
def test_a_marker_that_leads_nowhere_is_an_error(text, message):
    with pytest.raises(D2LError, match=message):
        with_figures(text, [run(1.0)], "try")


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    """A lesson of one sentence whose run found 0.75."""
    header = Header("try", "Try", ("1.1",), (), (), None, {}, {})
    (tmp_path / "try.results.json").write_text(json.dumps({"format": "d2l-results-1", "runs": [run(0.75)]}))
    lesson = Lesson(header, "try", tmp_path / "try.py")
    lesson.path.write_text("# It is 0.75<!--lesson.x-->.\n")
    return lesson


def test_a_lesson_and_its_solutions_are_rewritten_from_one_record(lesson):
    lesson.companion("solutions").write_text("# Not 0.1<!--lesson.x-->, as we saw.\n")
    assert update(lesson)
    assert lesson.path.read_text() == "# It is 0.75<!--lesson.x-->.\n"
    assert lesson.companion("solutions").read_text() == "# Not 0.8<!--lesson.x-->, as we saw.\n"
    assert not update(lesson)


def test_a_lesson_without_solutions_is_rewritten_alone(lesson):
    lesson.path.write_text("# It is 0.11<!--lesson.x-->.\n")
    assert update(lesson)
    assert lesson.path.read_text() == "# It is 0.75<!--lesson.x-->.\n"
    assert not lesson.companion("solutions").exists()


def test_a_marker_of_the_solutions_that_leads_nowhere_names_their_file(lesson):
    lesson.companion("solutions").write_text("# Not 0.1<!--lesson.y-->.\n")
    with pytest.raises(D2LError, match=r"try_solutions\.py: no run .* lesson\.y"):
        update(lesson)
