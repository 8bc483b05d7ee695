"""How far the results of backends lie apart, held against how far rounding alone moves one of them.

Sums, products of matrices and functions such as the exponential end in other last bits on each framework. What that
does to the result of a lesson is seen on NumPy: its run is repeated with every such number some units in the last
place off by chance (Parker, 1997, *Monte Carlo Arithmetic*). Ten times as far as these runs lie from the first one may
backends be apart (`d2l_core.compare._divergence.budget`). The runs stand in the file of the results beside the others,
under ``moved``: ``job``, ``number`` and ``metrics`` of each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from d2l_core.backend import current, use_backend
from d2l_core.compare._divergence import budget
from d2l_core.lessons._header import Promise
from d2l_core.lessons._registry import Lesson
from d2l_core.lessons._verify import metrics_of, read_moved, read_results, record_moved
from d2l_core.lessons._whole import WHOLE
from d2l_core.training import Observer

REFERENCE = "numpy"
TIMES = {"job": 3, WHOLE: 10}
"""Runs of a job, which takes minutes, and of a lesson, whose small experiments may part in some runs only."""
ERRORS = 1e-3
"""A promise to stay below so little is about an error of rounding, which the bound already limits."""
ONE_EXAMPLE = 1.01 / 500
"""What one example of 500 makes of an accuracy, and a little for its rounding.

An accuracy counts examples on either side of a border, and three moved runs may miss the one that lies on it.
"""

_ELEMENTWISE = (
    "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "erf", "pow", "sigmoid", "softplus", "gelu",
)  # fmt: skip
_SUMS = (
    "sum", "mean", "var", "std", "prod", "cumulative_sum", "index_add", "matmul", "tensordot", "einsum", "linear",
    "conv", "avg_pool", "softmax", "log_softmax", "cross_entropy", "batch_norm_train", "batch_norm_infer", "layer_norm",
    "rnn_tanh", "gru", "lstm", "adam",
)  # fmt: skip
_ELIMINATIONS = (
    "lower_cholesky", "solve_columns", "log_determinant", "symmetric_eigen", "reduced_svd", "reduced_qr",
)  # fmt: skip
ROUNDED = dict.fromkeys((*_ELEMENTWISE, *_SUMS), 2) | dict.fromkeys(_ELIMINATIONS, 4)
"""What frameworks compute to other last bits, and how many units; arithmetic gives the same bits everywhere."""


@contextmanager
def moved_by_rounding(number: int) -> Iterator[None]:
    """Inside, the functions of `ROUNDED` are up to so many units in the last place off on the active backend.

    Each float becomes larger, smaller or stays, by chance from the stream of `number`, and those of one function lean
    to one side, as they do in a framework's own version of it; zero stays.
    """
    backend, chance = current().backend, np.random.default_rng(number)

    def moved(x: Any, units: int, lean: int) -> Any:
        if isinstance(x, tuple):
            parts = [moved(part, units, lean) for part in x]
            return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
        if not backend.is_tensor(x) or x.dtype.kind != "f":
            return x
        steps = (lean + chance.integers(-units, units + 1, x.shape)).astype(x.dtype)
        return x * (1.0 + steps * np.finfo(x.dtype).eps)

    def inexact(function: Callable[..., Any], units: int) -> Callable[..., Any]:
        lean = int(chance.integers(-units, units + 1))
        return lambda *args, **options: moved(function(*args, **options), units, lean)

    exact = {name: function for name, function in vars(backend).items() if name in ROUNDED}
    vars(backend).update({name: inexact(function, ROUNDED[name]) for name, function in exact.items()})
    try:
        yield
    finally:
        vars(backend).update(exact)


def calibrate(
    lesson: Lesson, jobs: Sequence[str], *, observers: Callable[[str], Sequence[Observer]] = lambda label: ()
) -> None:
    """Record what rounding makes of some jobs of a lesson at full scale with seed 0, on the reference.

    Those that promise nothing but to stay below `ERRORS` need no runs. A run in which a check of the lesson's own fails
    is left out: it compared more closely than these units allow.
    """
    needed = {promise.job for promise in lesson.header.promises["full"] if not _own_budget(promise)}
    for job in [each for each in jobs if each in needed]:
        runs = []
        for number in range(1, TIMES.get(job, TIMES["job"]) + 1):
            with (
                use_backend(REFERENCE, precision=32),
                moved_by_rounding(number),
                contextlib.suppress(AssertionError),
            ):
                metrics = metrics_of(lesson, job, "full", 0, observers(f"{job} moved {number}"))
                runs.append({"job": job, "number": number, "metrics": metrics})
        record_moved(lesson.results_path, job, runs)


@dataclass(frozen=True)
class Spread:
    """How far the results of several backends for one promise lie apart, with seed 0 at full scale.

    Attributes:
        promise: of which metric.
        values: by backend.
        budget: how far two of them may be apart.
    """

    promise: Promise
    values: dict[str, float]
    budget: float

    @property
    def width(self) -> float:
        """The distance of the largest from the smallest."""
        return max(self.values.values()) - min(self.values.values())

    @property
    def within(self) -> bool:
        """Whether the budget is kept."""
        return self.width <= self.budget


def spreads(lesson: Lesson, path: Path | None = None) -> list[Spread]:
    """The spread of each promised metric of which the reference has a run and moved ones, as they are promised."""
    path = path or lesson.results_path
    runs, moved = read_results(path), read_moved(path)
    found = []
    for promise in lesson.header.promises["full"]:
        values = {run["backend"]: run["metrics"][promise.metric] for run in runs if _counts(run, promise)}
        others = [run["metrics"][promise.metric] for run in moved if run["job"] == promise.job]
        if REFERENCE in values and (others or _own_budget(promise)):
            found.append(Spread(promise, values, _budget(promise, values[REFERENCE], others)))
    return found


def _counts(run: dict[str, Any], promise: Promise) -> bool:
    kind = (run["job"], run["scale"], run["seed"], run["precision"])
    return kind == (promise.job, "full", 0, 32) and promise.metric in run["metrics"]


def _own_budget(promise: Promise) -> bool:
    return promise.relation in ("<", "<=") and 0 <= promise.bound <= ERRORS


def _budget(promise: Promise, value: float, moved: Sequence[float]) -> float:
    if _own_budget(promise):
        return promise.bound
    least = ONE_EXAMPLE if promise.metric.endswith("acc") else 0.0
    return max(least, *map(float, budget([value], [[other] for other in moved], 32)))
