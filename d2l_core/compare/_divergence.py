"""How far two runs of the same training are apart, in NumPy alone.

Two numbers *differ* unless they are equal or both NaN. The *relative* difference of numbers a and b is
``|a - b| / max(|a|, |b|)``, that of tensors the same with Euclidean norms; 0 where both are zero.

One *ulp* (unit in the last place) of a number is the distance to its neighbour of larger magnitude at the working
precision. The distance of two numbers in ulps is ``|a - b|`` over one ulp of the larger of them. Inside a tensor an
element near zero is usually the rest of a cancellation between larger terms, and its own ulp would be absurdly small;
there the ulp is that of the element or of the tensor's root mean square, whichever is larger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DRIFT_FACTOR = 10.0
"""How many times the drift after a one-ulp change two backends may be apart."""

FLOOR_EPS = 8.0
"""Rounding errors of the loss itself that are allowed at any step, in units of eps |loss|.

A loss is a mean over a batch of sums of many terms. Two correct programs that add them in another order differ in
the last few bits from the first step on, even with the same weights, where the drift can be exactly zero.
"""


def float_type(precision: int) -> type[np.float32] | type[np.float64]:
    """The type of `precision` bits, 32 or 64."""
    return np.float64 if precision == 64 else np.float32


def differs(a: Floats, b: Floats) -> NDArray[np.bool_]:
    """True where two arrays of one shape have different values; NaN is the same as NaN."""
    same: NDArray[np.bool_] = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.logical_not(same)


def absolute(a: Floats, b: Floats) -> Floats:
    """|a - b|, 0 where the two do not differ, infinite where only one of them is finite or they are NaN and number."""
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(a - b)
    distance = np.where(np.isnan(distance), np.inf, distance)
    return np.where(differs(a, b), distance, 0.0)


def relative(a: Floats, b: Floats) -> Floats:
    """|a - b| over the larger magnitude; 0 where the two do not differ."""
    distance, size = absolute(a, b), _larger(a, b)
    return _quotient(distance, size)


def ulps(a: Floats, b: Floats, precision: int, least: float = 0.0) -> Floats:
    """|a - b| in ulps at `precision` of the larger magnitude or of `least`, whichever is larger."""
    size = np.maximum(_larger(a, b), least)
    kind = float_type(precision)
    limit = float(np.finfo(kind).max) / 2.0  # the spacing of the very largest number overflows
    unit = np.spacing(np.clip(np.where(np.isfinite(size), size, limit), 0.0, limit).astype(kind)).astype(np.float64)
    return _quotient(absolute(a, b), unit)


def _larger(a: Floats, b: Floats) -> Floats:
    return np.fmax(np.abs(a), np.abs(b))


def _quotient(distance: Floats, size: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        quotient = distance / size
    quotient = np.where(np.isinf(distance), np.inf, quotient)
    return np.where(distance == 0.0, 0.0, quotient)


# ---------------------------------------------------------------- curves


def compare_losses(a: Sequence[float], b: Sequence[float], precision: int) -> dict[str, Any]:
    """Where two sequences of losses first differ and how large the difference grows, over their common steps.

    Returns:
        ``steps`` (common), ``first_difference`` (step from 0, or None) and for each of ``absolute``, ``relative`` and
        ``ulp`` the largest ``value`` with its ``step``, None without a common step.
    """
    x, y = _common(a, b)
    where = np.flatnonzero(differs(x, y))
    measures = {"absolute": absolute(x, y), "relative": relative(x, y), "ulp": ulps(x, y, precision)}
    return {
        "steps": len(x),
        "first_difference": int(where[0]) if where.size else None,
        **{name: _largest(values) for name, values in measures.items()},
    }


def _largest(values: Floats) -> dict[str, float | int] | None:
    if not values.size:
        return None
    step = int(np.argmax(values))
    return {"value": float(values[step]), "step": step}


def _common(a: Sequence[float], b: Sequence[float]) -> tuple[Floats, Floats]:
    n = min(len(a), len(b))
    return np.asarray(a[:n], np.float64), np.asarray(b[:n], np.float64)


def compare_metrics(a: Mapping[str, float], b: Mapping[str, float], precision: int) -> dict[str, dict[str, float]]:
    """The three differences of each metric that both have."""
    found = {}
    for name in (name for name in a if name in b):
        x, y = np.asarray([a[name]], np.float64), np.asarray([b[name]], np.float64)
        found[name] = {
            "a": float(x[0]),
            "b": float(y[0]),
            "absolute": float(absolute(x, y)[0]),
            "relative": float(relative(x, y)[0]),
            "ulp": float(ulps(x, y, precision)[0]),
        }
    return found


# ---------------------------------------------------------------- the budget


def drift(losses: Sequence[float], perturbed: Sequence[Sequence[float]]) -> Floats:
    """How far the runs from moved weights are from `losses` at each step that all have reached: the largest of them."""
    n = min(map(len, [losses, *perturbed]))
    base = np.asarray(losses[:n], np.float64)
    apart = [absolute(base, np.asarray(run[:n], np.float64)) for run in perturbed]
    return np.asarray(np.max(apart, axis=0, initial=0.0), np.float64)


def budget(
    losses: Sequence[float],
    perturbed: Sequence[Sequence[float]],
    precision: int,
    *,
    factor: float = DRIFT_FACTOR,
    floor_eps: float = FLOOR_EPS,
) -> Floats:
    """How far two backends may be apart at each step: ``factor * max(drift so far) + floor_eps * eps * |loss|``.

    `perturbed` are runs of the same backend whose weights were moved by one ulp at the start and again now and then: a
    change of the initial weights alone vanishes where training contracts (two weights of a linear regression are the
    same bits again after one step), while the rounding that it stands for happens anew at every step. What the moves
    grow to is what the training makes of rounding errors; no backend can be asked to do better. The running maximum is
    taken because two trajectories that have parted may cross by chance.
    """
    apart = drift(losses, perturbed)
    eps = float(np.finfo(float_type(precision)).eps)
    size = np.abs(np.asarray(losses[: len(apart)], np.float64))
    return factor * np.maximum.accumulate(apart) + floor_eps * eps * size


def judge(a: Sequence[float], b: Sequence[float], allowed: Floats) -> dict[str, Any]:
    """Hold the distance of two sequences of losses against a budget.

    Returns:
        ``within``, ``first_outside`` (step or None), and the largest ratio of distance to budget, ``worst``, with its
        step. ``steps`` counts the steps judged; a pair without any is not within.
    """
    x, y = _common(a, b)
    n = min(len(x), len(allowed))
    ratio = _quotient(absolute(x[:n], y[:n]), np.asarray(allowed[:n], np.float64))
    outside = np.flatnonzero(~(ratio <= 1.0))
    return {
        "steps": n,
        "within": bool(n) and not outside.size,
        "first_outside": int(outside[0]) if outside.size else None,
        "worst": _largest(ratio),
    }


# ---------------------------------------------------------------- tensors


ZERO_EPS = 1000.0
"""A tensor counts as zero up to rounding below this many eps of the values that it is summed from."""


def compare_tensors(a: ArrayLike, b: ArrayLike, precision: int, around: float = 0.0) -> dict[str, Any]:
    """Largest absolute, norm-wise relative, and median and largest ulp difference of two tensors of one shape.

    Args:
        a, b: the tensors.
        precision: 32 or 64, for the ulp.
        around: root mean square of related values. ``cancels`` in the result says that both tensors are nothing but
            rounding against it, so that their relative difference means nothing: the gradient of a bias that a
            normalisation takes away again, for example.

    Raises:
        ValueError: the shapes differ.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.shape != y.shape:
        raise ValueError(f"Tensors of shapes {x.shape} and {y.shape} cannot be compared element by element.")
    if not x.size:
        return {"absolute": 0.0, "relative": 0.0, "ulp_median": 0.0, "ulp_max": 0.0, "cancels": False}
    distance, size = absolute(x, y), max(rms(x), rms(y))
    apart = ulps(x, y, precision, least=size)
    norms = np.asarray([_norm(distance)]), np.asarray([max(_norm(x), _norm(y))])
    return {
        "absolute": float(distance.max()),
        "relative": float(_quotient(*norms)[0]),
        "ulp_median": float(np.median(apart)),
        "ulp_max": float(apart.max()),
        "cancels": bool(0.0 < size < ZERO_EPS * float(np.finfo(float_type(precision)).eps) * around),
    }


def _norm(x: Floats) -> float:
    """Euclidean norm of the finite elements, scaled so that no square overflows; infinite if `x` has an infinity."""
    if np.isinf(x).any():
        return float("inf")
    scale = float(np.nanmax(np.abs(x), initial=0.0))
    return scale * float(np.sqrt(np.nansum((x / scale) ** 2))) if scale else 0.0


def rms(x: Floats) -> float:
    """Root mean square of the finite elements; 0 if there are none."""
    finite = x[np.isfinite(x)]
    return _norm(finite) / float(np.sqrt(finite.size)) if finite.size else 0.0


def compare_layers(
    a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]], precision: int, *, related: bool = False
) -> dict[str, dict[str, Any] | None]:
    """`compare_tensors` for each name of `a` or `b`; None where only one has it or the shapes differ.

    With `related`, tensors whose names agree up to the last dot are judged together: the gradients of one module.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for name in [*a, *(name for name in b if name not in a)]:
        if name in a and name in b and a[name].shape == b[name].shape:
            module = name.rpartition(".")[0]
            kin = (x for other, x in a.items() if related and other.rpartition(".")[0] == module)
            around = max((rms(np.asarray(x, np.float64)) for x in kin), default=0.0)
            found[name] = compare_tensors(a[name], b[name], precision, around)
        else:
            found[name] = None
    return found
