"""Runs of the reference backend that others are held against, and how far these may be from them.

A run is trained once for a session of tests and kept in its temporary folder, where parallel workers find it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from d2l_conformance.case import Array
from d2l_conformance.course import REFERENCE

from d2l_core._paths import replace_file
from d2l_core.backend import use_backend
from d2l_core.compare._divergence import budget, judge

RTOL = 1e-10
"""Of losses in float64: ten digits. Observed are twelve, over a hundred steps of each family."""

Run = Callable[[int], Array]
"""``run(nudge)``: losses by step on the active backend, with weights moved before each step unless `nudge` is 0, by the
stream of that number."""

NUDGES = 8
"""Runs of the reference that are asked, one after the other, whether rounding leads as far. Adam steps by its whole
rate along a gradient that is nothing but rounding: its sign turned in one of four runs."""


class References:
    """Losses of the reference by name, precision and nudge.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def losses(self, name: str, run: Run, precision: int, nudge: int = 0) -> Array:
        """What `run` gives on the reference."""
        path = self._folder / f"{name} {precision} {nudge}.npy"
        if not path.exists():
            with use_backend(REFERENCE, precision=precision):
                found = run(nudge)
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, lambda part: _write(part, found))
        return np.asarray(np.load(path, allow_pickle=False))

    def first_outside(self, found: Array, name: str, run: Run, precision: int) -> int | None:
        """The first step at which a run leaves the budget around the reference's; None if it keeps within it."""
        wanted = self.losses(name, run, precision)
        step, moved = first_outside(found, wanted), list[Array]()
        while step is not None and precision == 32 and len(moved) < NUDGES:
            moved.append(self.losses(name, run, precision, nudge=len(moved) + 1))
            step = first_outside(found, wanted, moved)
        return step


def first_outside(found: Array, wanted: Array, moved: Sequence[Array] = ()) -> int | None:
    """The first step at which losses are out of their budget; None if there is no such step.

    In float32 the budget is ten times the drift that the reference shows when its weights are moved by one unit in the
    last place before each step, plus what rounding does to a single loss (`d2l_core.compare._divergence.budget`). In
    float64, where nothing is moved, it is ten digits.

    Args:
        found: losses (steps, ...).
        wanted: those of the reference, of the same shape.
        moved: those of the reference with its weights moved, some runs at precision 32.
    """
    assert found.shape == wanted.shape
    flat = wanted.ravel()
    allowed = budget(flat, [losses.ravel() for losses in moved], 32) if len(moved) else RTOL * np.abs(flat)
    outside = judge(found.ravel(), flat, allowed)["first_outside"]
    return None if outside is None else outside // wanted[0].size


def _write(path: Path, array: Array) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
