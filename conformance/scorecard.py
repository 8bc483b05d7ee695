"""The suite run on one backend, and what came of it as plain data: the scorecard of ``d2l conformance``.

The data are an object with the keys

- ``format``: ``"d2l-conformance-1"``; another number means that old readers would misread it.
- ``backend``, ``title``, ``device``, ``versions``, ``platform``, ``date`` (UTC, ISO 8601), ``seconds``, ``depth``
  (``quick`` or ``deep``), ``selected`` (the expression of ``-k`` or null), ``seeds``.
- ``tests`` selected, ``done`` among them, ``interrupted``, ``green`` (all were done, none failed, nothing is missing).
- ``areas``: each with ``area`` and how many tests ``passed``, ``failed``, were ``limited`` (ended in the error that the
  adapter declares) or ``missing`` (need a primitive that the adapter lacks).
- ``errors``: for each ``case``, ``kind`` (value or gradient) and ``precision`` the largest ``error``, its ``limit``,
  the ``unit`` of both and the ``share`` of the limit, the largest first; null is infinity (NaN or the wrong kind).
- ``failures``: ``test``, ``area`` and one ``sentence``.
- ``missing``: each ``primitive`` that the adapter lacks, with the ``lessons`` that cannot run without it.
- ``limits``: what the adapter declares: ``limit`` and ``sentence``.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import io
import math
import os
import platform
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from d2l_conformance import _run, uses
from d2l_conformance._recorder import FAILED, OUTCOMES, Recorder, Watcher
from d2l_conformance.table import CASES

import d2l_core
from d2l_core._paths import cache_dir
from d2l_core.backend import Adapter, find_adapter, load_incomplete, loaded_backends
from d2l_core.errors import D2LError, UsageError

FORMAT = "d2l-conformance-1"
FOLDER = Path(__file__).resolve().parent
Card = dict[str, Any]


def run(name: str, *, selected: str | None = None, deep: bool = False, watcher: Watcher = lambda d, t: None) -> Card:
    """Run the suite on the backend `name`.

    Args:
        name: of the backend; its adapter may lack primitives.
        selected: an expression as of pytest's option ``-k``.
        deep: many more examples.
        watcher: told after each test how many are done, and of how many.

    Raises:
        UsageError: there is no such backend, or `selected` matches no test.
        BackendError: the framework is not installed or does not import.
    """
    adapter = find_adapter(name)
    absent = load_incomplete(name)
    recorder = Recorder(absent, watcher)
    began = time.perf_counter()
    with _environment(D2L_BACKENDS=name, D2L_CONFORMANCE="deep" if deep else "quick", D2L_DEVICE=None):
        status, words = _main(_arguments(selected), recorder)
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError(f"No test of the suite matches -k {selected!r}; try the name of a function such as conv.")
    if status == pytest.ExitCode.USAGE_ERROR and selected:
        raise UsageError(f"-k {selected!r} is no expression of names with and, or, not and parentheses; mend it.")
    if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        last = "".join(words.strip().splitlines()[-1:])
        raise D2LError(f"The suite could not be run on {name}, pytest ended with {status.name}: {last}")
    outcome = _outcome(recorder, absent)
    return {**_setting(adapter, selected, deep), "seconds": time.perf_counter() - began, **outcome, **_limits(adapter)}


def _main(arguments: list[str], recorder: Recorder) -> tuple[pytest.ExitCode, str]:
    """Run pytest; how it ended, and what it or a framework wrote to standard error."""
    with io.StringIO() as stream:
        with contextlib.redirect_stderr(stream):
            status = pytest.main(arguments, plugins=[recorder])
        return pytest.ExitCode(status), stream.getvalue()


def _arguments(selected: str | None) -> list[str]:
    quiet = [
        "--continue-on-collection-errors",
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "-c",
        str(FOLDER / "scorecard.ini"),
    ]
    return [str(FOLDER), *quiet, *(["-k", selected] if selected else [])]


@contextlib.contextmanager
def _environment(**variables: str | None) -> Iterator[None]:
    """Environment variables set or removed for a while; plugins of others stay out of the run."""
    storage = os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_dir() / "hypothesis"))
    wanted = {**variables, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": None}
    before = {key: os.environ.get(key) for key in (*wanted, "HYPOTHESIS_STORAGE_DIRECTORY")}
    _set({**wanted, "HYPOTHESIS_STORAGE_DIRECTORY": storage})
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for key, value in variables.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


# ---------------------------------------------------------------- what is told


def _setting(adapter: Adapter, selected: str | None, deep: bool) -> Card:
    packages = {"NumPy": "numpy", "pytest": "pytest", "hypothesis": "hypothesis"}
    return {
        "format": FORMAT,
        "backend": adapter.name,
        "title": adapter.title,
        "device": _device(adapter.name),
        "versions": {
            "d2l-core": d2l_core.__version__,
            "Python": platform.python_version(),
            **{title: importlib.metadata.version(package) for title, package in packages.items()},
            adapter.title: adapter.version(),
        },
        "platform": platform.platform(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "depth": "deep" if deep else "quick",
        "selected": selected,
        "seeds": {
            "samples": "the name of the case",
            "weights": _run.SEED_OF_WEIGHTS,
            "directions": _run.SEED_OF_DIRECTIONS,
            "examples": "random" if deep else "derandomised",
        },
    }


def _device(name: str) -> str | None:
    try:
        return str(loaded_backends()[name].devices()[0])
    except D2LError:
        return None


def _outcome(recorder: Recorder, absent: list[str]) -> Card:
    areas = [
        {"area": area, **{outcome: recorder.counts[area, outcome] for outcome in OUTCOMES}} for area in recorder.areas()
    ]
    failed = sum(row[FAILED] for row in areas)
    return {
        "tests": recorder.total,
        "done": recorder.done,
        "interrupted": recorder.interrupted,
        "green": not (recorder.interrupted or failed or absent),
        "areas": areas,
        "errors": _errors(recorder),
        "failures": recorder.failures,
        "missing": [{"primitive": name, "lessons": uses.lessons_that_use(name)} for name in absent],
    }


def _errors(recorder: Recorder) -> list[Card]:
    noted = recorder.observed.errors if recorder.observed else {}
    rows = [_error(case, kind, int(precision), error) for (case, kind, precision, _), error in noted.items()]
    return sorted(rows, key=lambda row: math.inf if row["share"] is None else row["share"], reverse=True)


def _error(case: str, kind: str, precision: int, error: float) -> Card:
    tolerance = CASES[case].tolerance if kind == "value" else CASES[case].gradient
    share = error / tolerance.limit if tolerance.limit else (math.inf if error else 0.0)
    known = math.isfinite(share)
    return {
        "case": case,
        "kind": kind,
        "precision": precision,
        "error": error if math.isfinite(error) else None,
        "limit": tolerance.limit,
        "unit": tolerance.unit_name,
        "share": share if known else None,
    }


def _limits(adapter: Adapter) -> Card:
    return {"limits": [{"limit": limit, "sentence": sentence} for limit, sentence in adapter.limits.items()]}
