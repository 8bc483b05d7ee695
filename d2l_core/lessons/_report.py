"""Numbers that a lesson finds out while it runs from top to bottom: printed for the reader, kept for its text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from d2l_core import xp
from d2l_core.errors import D2LError
from d2l_core.lessons._header import SCALES
from d2l_core.lessons._job import checked_scale

_recorder: ContextVar[dict[str, float] | None] = ContextVar("d2l_figures", default=None)


def report(**figures: Any) -> None:
    """Print figures as ``name = value``; inside `recording` they are kept as well.

    Args:
        figures: Python and NumPy numbers, or 0-d tensors of the active backend.

    Raises:
        D2LError: while recording, a name was reported before.
    """
    kept = _recorder.get()
    for name, value in figures.items():
        number = float(value) if isinstance(value, int | float) else float(xp.to_numpy(xp.asarray(value)))
        print(f"{name} = {number:.6g}")
        if kept is not None:
            if name in kept:
                raise D2LError(f"The figure {name!r} is reported twice; give each its own name.")
            kept[name] = number


@contextmanager
def recording() -> Iterator[dict[str, float]]:
    """Collect what is reported inside; the dictionary fills as the lesson runs."""
    figures: dict[str, float] = {}
    token = _recorder.set(figures)
    try:
        yield figures
    finally:
        _recorder.reset(token)


def scale(at_most: str = "full") -> str:
    """The scale at which lessons run: ``D2L_SCALE``, or ``standard``; but no larger than `at_most`.

    Raises:
        UsageError: there is no such scale.
    """
    chosen = checked_scale(os.environ.get("D2L_SCALE") or "standard")
    return min(chosen, checked_scale(at_most), key=SCALES.index)
