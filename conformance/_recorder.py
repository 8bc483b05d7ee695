"""What becomes of each test of the suite, noted while pytest runs it: a plugin without output of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from d2l_conformance import limits
from d2l_conformance._observed import Observed
from d2l_conformance.case import Case
from d2l_conformance.formulas import OptimiserCase
from d2l_conformance.table import AREA_OF, AREAS

from d2l_core.errors import MissingPrimitive

PASSED, FAILED, LIMITED, MISSING = OUTCOMES = ("passed", "failed", "limited", "missing")
Watcher = Callable[[int, int], None]
"""Called with the number of tests that are done and of all, at the start and after each."""

_MODULES = {
    "test_autodiff": "gradients",
    "test_calls": "calls",
    "test_dtypes": "dtypes",
    "test_initialisers": "random numbers",
    "test_layers": "layers",
    "test_native": "native layers",
    "test_optimisers": "optimisers",
    "test_random": "random numbers",
    "test_shapes": "shapes",
    "test_training": "training",
}
_FUNCTIONS = {"test_gradient": "gradients", "test_compiled": "compiled"}
_ORDER = (*AREAS, "gradients", "compiled", "optimisers", "training")
_LONGEST = 300


class Recorder:
    """Counts by area, failures by name, and the errors observed.

    Attributes:
        done: number of tests that are over.
        total: number of tests selected.
        counts: how many tests of an area ended in which way, by (area, outcome).
        failures: name, area and sentence of each failed test.
        observed: the errors measured, None before the first.
        interrupted: whether Ctrl-C ended the run.
    """

    def __init__(self, absent: Collection[str], watcher: Watcher):
        self.absent, self.watcher = absent, watcher
        self.done = self.total = 0
        self.counts: Counter[tuple[str, str]] = Counter()
        self.failures: list[dict[str, str]] = []
        self.observed: Observed | None = None
        self.interrupted = False
        self._trouble: tuple[str, str] | None = None

    def areas(self) -> list[str]:
        """The areas that occurred, those of the table first."""
        seen = {area for area, _ in self.counts}
        return [*(area for area in _ORDER if area in seen), *sorted(seen - set(_ORDER))]

    # ------------------------------------------------------------ hooks of pytest

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the tests that say something about a backend: the others are about the suite itself."""
        chosen: dict[bool, list[pytest.Item]] = {True: [], False: []}
        for item in items:
            chosen["backend" in getattr(item, "fixturenames", ())].append(item)
        config.hook.pytest_deselected(items=chosen[False])
        items[:] = chosen[True]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All is known that will be run."""
        self.total = len(session.items)
        self.watcher(0, self.total)

    def pytest_keyboard_interrupt(self) -> None:
        """The run ends here."""
        self.interrupted = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read is a failure."""
        if report.failed:
            self._fail(report.nodeid, "calls", _last_line(str(report.longrepr)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test from its preparation to its end."""
        limits.MET.clear()
        self._trouble = None
        result = yield
        outcome, sentence = self._trouble or (LIMITED if limits.MET else PASSED, "")
        if _case_of(item) in self.absent:
            outcome = MISSING
        self.counts[area_of(item), outcome] += 1
        if outcome == FAILED:
            self.failures.append({"test": item.nodeid, "area": area_of(item), "sentence": sentence})
        self.done += 1
        self.watcher(self.done, self.total)
        return result  # type: ignore[return-value]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
        """One phase of a test is over."""
        report: Any = yield
        self.observed = getattr(item, "funcargs", {}).get("observed", self.observed)
        if report.failed and call.excinfo is not None:
            outcome = MISSING if _is_gap(call.excinfo.value) else FAILED
            self._trouble = (outcome, _sentence(call.excinfo.value))
        return report  # type: ignore[no-any-return]

    def _fail(self, test: str, area: str, sentence: str) -> None:
        self.counts[area, FAILED] += 1
        self.failures.append({"test": test, "area": area, "sentence": sentence})


def area_of(item: pytest.Item) -> str:
    """Under what a test is summed up: its case's area, or that of its module."""
    module = item.path.stem
    function = getattr(item, "originalname", item.name)
    case = _parameter(item)
    if isinstance(case, Case):
        return _FUNCTIONS.get(function, AREA_OF.get(case.name, "arrays"))
    if isinstance(case, OptimiserCase):
        return "optimisers"
    return _MODULES.get(module, module.removeprefix("test_").replace("_", " "))


def _parameter(item: pytest.Item) -> Any:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("case") if callspec else None


def _case_of(item: pytest.Item) -> str | None:
    case = _parameter(item)
    return case.name if isinstance(case, Case) else None


def _is_gap(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, MissingPrimitive):
        error = error.__cause__ or error.__context__
    return error is not None


def _sentence(error: BaseException) -> str:
    """What went wrong in one line, without the values that pytest adds to an assertion."""
    words = " ".join(str(error).split("\nassert ")[0].split())
    if not isinstance(error, AssertionError):
        words = f"{type(error).__name__}: {words}"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:_LONGEST]
