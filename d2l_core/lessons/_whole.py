"""A lesson from top to bottom, as a reader runs it: with its demonstrations, figures and checks."""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterator
from contextlib import contextmanager

from d2l_core.lessons._registry import Lesson
from d2l_core.lessons._report import recording

WHOLE = "lesson"
"""Stands for the whole lesson where the name of a job is asked for."""


def run_whole(lesson: Lesson, scale: str) -> dict[str, float]:
    """Run a lesson's file as a program on the active backend, in this process.

    Args:
        lesson: which.
        scale: ``smoke``, ``standard`` or ``full``.

    Returns:
        What it reported (`d2l_core.lessons.report`), by name.
    """
    with _variable("D2L_SCALE", scale), _variable("MPLBACKEND", "agg"), recording() as figures:
        runpy.run_path(str(lesson.path), run_name="__main__")
    return figures


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
