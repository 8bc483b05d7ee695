"""What `d2l check` does with one function, for the tests of wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from d2l_core.lessons import find_lesson
from d2l_core.lessons._exercises import check_functions


def examine(lesson: str, function: str, candidate: Callable[..., Any]) -> None:
    """Run every check of a function of a lesson's exercises on a candidate."""
    for check in check_functions(find_lesson(lesson))[function].values():
        check(candidate)
