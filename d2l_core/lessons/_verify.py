"""Recorded results: run a lesson's jobs, keep their numbers beside the lesson, and hold them against its promises.

The file ``<lesson>.results.json`` holds ``{"format": "d2l-results-1", "runs": [...], "moved": [...]}``. Each run has
the fields ``job``, ``backend``, ``scale``, ``seed``, ``precision``, ``metrics`` (the record of the last epoch),
``versions`` and ``machine``. A run replaces the earlier one with the same first five. The job ``lesson`` stands for
the lesson run from top to bottom; its metrics are what it reported. What is ``moved`` says `d2l_core.lessons._spread`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from d2l_core._paths import replace_file
from d2l_core.backend import Backend, adapters, use_backend
from d2l_core.errors import D2LError
from d2l_core.lessons._header import Promise
from d2l_core.lessons._registry import Lesson, find_lesson
from d2l_core.lessons._whole import WHOLE, run_whole
from d2l_core.training import Observer

FORMAT = "d2l-results-1"

Result = dict[str, Any]
_IDENTITY = ("job", "backend", "scale", "seed", "precision")


def read_results(path: Path) -> list[Result]:
    """The recorded runs in a file; none if there is no file.

    Raises:
        D2LError: the file is not of this format.
    """
    return _read(path, "runs")


def read_moved(path: Path) -> list[Result]:
    """The recorded runs whose floats were moved by rounding; see `read_results`."""
    return _read(path, "moved")


def record_result(path: Path, result: Result) -> None:
    """Add a run to a file of results, in place of an earlier run of the same identity."""
    kept = [run for run in read_results(path) if any(run[key] != result[key] for key in _IDENTITY)]
    runs = sorted([*kept, result], key=lambda run: [str(run[key]) for key in _IDENTITY])
    _write_all(path, runs, read_moved(path))


def record_moved(path: Path, job: str, results: Sequence[Result]) -> None:
    """Put the runs of a job that were moved by rounding into a file of results, in place of its earlier ones."""
    others = [run for run in read_moved(path) if run["job"] != job]
    _write_all(path, read_results(path), sorted([*others, *results], key=lambda run: (run["job"], run["number"])))


def _read(path: Path, kind: str) -> list[Result]:
    if not path.exists():
        return []
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("format") != FORMAT:
        raise D2LError(f"{path} does not hold recorded results ({FORMAT}); move it away and verify the lesson again.")
    runs: list[Result] = data.get(kind, [])
    return runs


def _write_all(path: Path, runs: Sequence[Result], moved: Sequence[Result]) -> None:
    text = json.dumps({"format": FORMAT, "runs": runs, "moved": moved}, indent=1) + "\n"
    replace_file(path, lambda part: _write(part, text))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def verify(
    lesson: Lesson,
    backends: Iterable[str],
    scale: str = "full",
    seeds: Sequence[int] = (0, 1, 2),
    jobs: Sequence[str] | None = None,
    *,
    precision: int = 32,
    observers: Callable[[str], Sequence[Observer]] = lambda label: (),
    path: Path | None = None,
) -> list[Result]:
    """Run jobs of a lesson on several backends and record what they reach.

    Args:
        lesson: whose jobs are run.
        backends: by name, one after the other in this process.
        scale: of every run.
        seeds: each gives a run of its own; none is left out for its result. The whole lesson runs once.
        jobs: by name; if None all, and the whole lesson if it reports figures.
        precision: 32 or 64.
        observers: made for each run from a label such as ``"lenet numpy seed 0"``.
        path: file of the results; the one beside the lesson if None.

    Returns:
        The runs just made, in order.
    """
    chosen = jobs or (*lesson.jobs(), *((WHOLE,) if lesson.reports else ()))
    made = []
    for name in backends:
        for job in chosen:
            for seed in (0,) if job == WHOLE else seeds:
                with use_backend(name, precision=precision) as backend:
                    watchers = observers(f"{job} {name} seed {seed}")
                    result = {
                        "job": job,
                        "backend": name,
                        "scale": scale,
                        "seed": seed,
                        "precision": precision,
                        "metrics": metrics_of(lesson, job, scale, seed, watchers),
                        "versions": _versions(backend),
                        "machine": machine_class(),
                    }
                record_result(path or lesson.results_path, result)
                made.append(result)
    return made


def metrics_of(lesson: Lesson, job: str, scale: str, seed: int, observers: Sequence[Observer]) -> dict[str, float]:
    """What a run on the active backend reaches: the record of a job's last epoch, or what the lesson reports."""
    if job == WHOLE:
        with contextlib.redirect_stdout(io.StringIO()):
            return run_whole(lesson, scale)
    return lesson.job(job)[1].run(scale, seed, observers=observers).history.epochs[-1]


def _versions(backend: Backend) -> dict[str, str]:
    names = {"python": platform.python_version(), "numpy": importlib.metadata.version("numpy")}
    return names | {backend.adapter.distribution: backend.adapter.version() or "unknown"}


def machine_class() -> str:
    """Operating system, processor architecture and number of cores, such as ``Linux x86_64, 2 cores``."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def kept(promise: Promise, results: Sequence[Result], scale: str) -> dict[str, bool]:
    """For each backend with recorded runs of the promise's job: whether the mean over its seeds keeps it."""
    return {
        backend: promise.holds(statistics.fmean(values))
        for backend, values in _values(results, promise.job, promise.metric, scale).items()
    }


def _values(results: Sequence[Result], job: str, metric: str, scale: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for run in results:
        if run["job"] == job and run["scale"] == scale and run["precision"] == 32:
            found.setdefault(run["backend"], []).append(run["metrics"][metric])
    return {name: found[name] for name in adapters() if name in found}


def verified_backends(lesson: Lesson, scale: str = "full") -> list[str]:
    """The backends on which recorded runs keep every promise of the lesson at a scale."""
    results = read_results(lesson.results_path)
    promises = lesson.header.promises[scale]
    verdicts = [kept(promise, results, scale) for promise in promises]
    return [name for name in adapters() if promises and all(verdict.get(name, False) for verdict in verdicts)]


def results_table(lesson: str, scale: str = "full") -> str:
    """What the recorded runs of a lesson reached: one line for each job, one column for each backend.

    Each entry is the mean over the seeds, the half-width of their range and the number of seeds.
    """
    opened = find_lesson(lesson)
    results = read_results(opened.results_path)
    rows = []
    for promise in opened.header.promises[scale]:
        by_backend = _values(results, promise.job, promise.metric, scale)
        rows.append({"promise": str(promise)} | {name: _summary(values) for name, values in by_backend.items()})
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not rows:
        return f"{lesson} has no promises at scale {scale}."
    widths = {key: max(len(key), *(len(row.get(key, "")) for row in rows)) for key in columns}
    lines = [{key: key for key in columns}, *rows]
    return "\n".join("  ".join(line.get(key, "").ljust(widths[key]) for key in columns).rstrip() for line in lines)


def _summary(values: list[float]) -> str:
    half = (max(values) - min(values)) / 2
    return f"{statistics.fmean(values):.4g} ± {half:.1g} ({len(values)})"
