"""For the checks of exercises: comparisons that speak to a student when they fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from d2l_core import xp

__all__ = ["expect_close", "expect_shape"]


def expect_shape(actual: Any, shape: Sequence[int], hint: str) -> None:
    """Hold a tensor against a shape.

    Raises:
        AssertionError: with the hint, the expected and the actual shape.
    """
    found = tuple(getattr(actual, "shape", ()))
    assert found == tuple(shape), f"{hint} The shape should be {tuple(shape)} but is {found}."


def expect_close(actual: Any, expected: Any, hint: str, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Hold a tensor or number against what it should be, ``|actual - expected| <= atol + rtol * |expected|``.

    Args:
        actual: a number, or a tensor of the active backend.
        expected: a number or a NumPy array of the same shape.
        hint: one sentence that points to the likely cause.
        rtol: relative tolerance, float32 in mind.
        atol: absolute tolerance.

    Raises:
        AssertionError: with the hint, and the first place that differs with both values.
    """
    found = np.asarray(
        actual if isinstance(actual, bool | int | float | np.generic | np.ndarray) else xp.to_numpy(actual)
    )
    wanted = np.asarray(expected)
    expect_shape(found, wanted.shape, hint)
    near = np.isclose(found, wanted, rtol=rtol, atol=atol, equal_nan=True)
    if near.all():
        return
    place = tuple(int(index) for index in np.argwhere(~near)[0])
    where = f" at {list(place)}" if place else ""
    raise AssertionError(f"{hint} Expected {wanted[place]:.6g}{where}, found {found[place]:.6g}.")
