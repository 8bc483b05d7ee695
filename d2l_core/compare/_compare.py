"""The comparison from its question to its two files."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from d2l_core.backend import adapters, find_adapter
from d2l_core.compare._report import verdict, write_report
from d2l_core.compare._results import FORMAT, calibration, modules, pair_entries, worker_entry, write_results
from d2l_core.compare._runner import Watcher, Worker, fastest, interpreter_for, run_workers
from d2l_core.compare._worker import Spec, machine_class
from d2l_core.errors import UsageError
from d2l_core.lessons import Lesson, find_lesson
from d2l_core.lessons._job import checked_scale

PERTURBATIONS = 2


@dataclass(frozen=True)
class Comparison:
    """What a comparison found and where it is written.

    Attributes:
        data: the content of ``results.json``; see `d2l_core.compare._results`.
        results, report: paths of the two files.
        failures: a sentence for each worker that died, hung, failed or was asked for by name but is not installed.
        skipped: a sentence for each worker whose framework is not installed.
        verdicts: a sentence for each pair of workers.
        interrupted: Ctrl-C ended the comparison early.
    """

    data: dict[str, Any]
    results: Path
    report: Path
    failures: dict[str, str]
    skipped: dict[str, str]
    verdicts: list[str]
    interrupted: bool

    @property
    def ok(self) -> bool:
        """Whether at least one backend finished and nothing went wrong."""
        finished = any(worker["status"] == "done" for worker in self.data["workers"])
        return finished and not self.failures and not self.interrupted


def compare(
    lesson: str,
    backends: Sequence[str] | None = None,
    job: str | None = None,
    scale: str = "standard",
    seed: int = 0,
    precision: int = 32,
    device: str | None = None,
    out: Path = Path("d2l-compare"),
    jobs: int = 1,
    timeout: float = 300,
    observer: Watcher | None = None,
    epochs: int | None = None,
) -> Comparison:
    """Train one job of a lesson on several backends and write how far they agree.

    Each backend trains in a process of its own, from the same initial weights and over the same batches. Then the
    fastest one trains again, its weights moved by one ulp at the start and now and then: what that does to the losses
    is the budget that every pair is held against.

    Args:
        lesson: its name.
        backends: names of the backends, one named twice runs twice; every installed one if None.
        job: one of the lesson's jobs; the main one if None.
        scale: ``smoke``, ``standard`` or ``full``.
        seed: of initial values, shuffling and dropout.
        precision: 32 or 64.
        device: for every backend; each one's preferred device if None.
        out: folder of ``results.json``, ``report.html`` and one folder for each worker.
        jobs: workers at a time; more than one is faster, but they disturb each other's timings.
        timeout: seconds of silence after which a worker is ended as hanging.
        observer: called with a worker's name and each of its events; see `live_progress`.
        epochs: instead of the scale's.

    Raises:
        UsageError: unknown lesson, job, scale, backend or precision; no backend at all; `jobs` or `timeout` not
            positive.
        OSError: `out` cannot be written.
    """
    found = find_lesson(lesson)
    job_name, chosen = found.job(job)
    _check(checked_scale(scale), precision, jobs, timeout, epochs)
    names = list(adapters()) if backends is None else list(backends)
    out = Path(out)
    common = Spec(lesson, job_name, "", scale, seed, precision, device, str(out), epochs=epochs)
    workers = _workers(names, common, out)
    runnable = [worker for worker in workers if worker.status == "queued"]
    finished = run_workers(runnable, jobs=jobs, timeout=timeout, observer=observer)
    base = fastest(runnable) if finished else None
    perturbed = _perturbed(base, runnable)
    if perturbed:
        finished = run_workers(perturbed, jobs=jobs, timeout=timeout, observer=observer)
    calibrated = calibration(base, perturbed, precision)
    data = {
        "format": FORMAT,
        **_question(found, job_name, chosen.headline, common),
        "interrupted": not finished,
        "modules": modules(runnable),
        "workers": [worker_entry(worker) for worker in workers],
        "calibration": calibrated,
        "pairs": pair_entries(runnable, calibrated, precision),
    }
    write_results(out / "results.json", data)
    write_report(out / "report.html", data)
    return _comparison(data, out, named=backends is not None)


def _check(scale: str, precision: int, jobs: int, timeout: float, epochs: int | None) -> None:
    if precision not in (32, 64):
        raise UsageError(f"Precision is {precision!r}; choose 32 or 64.")
    if jobs < 1:
        raise UsageError(f"{jobs} workers at a time cannot finish; choose at least 1.")
    if not timeout > 0:
        raise UsageError(f"A timeout of {timeout:g} s ends every worker; choose more than 0.")
    if epochs is not None and epochs < 1:
        raise UsageError(f"A run has {epochs} epochs; choose at least 1.")


def _workers(names: Sequence[str], common: Spec, out: Path) -> list[Worker]:
    if not names:
        raise UsageError(f"No backend is named; choose from: {', '.join(adapters())}.")
    workers: list[Worker] = []
    for position, backend in enumerate(names):
        adapter = find_adapter(backend)
        repeated = list(names[:position]).count(backend)
        name = f"{backend}-{repeated + 1}" if repeated else backend
        spec = replace(common, backend=backend, out=str(out / name))
        worker = Worker(name, adapter, spec, interpreter_for(backend))
        missing = adapter.missing() if not _elsewhere(backend) else []
        if missing:
            worker.status = "skipped"
            worker.message = f"{', '.join(missing)} is not installed; install it with: {adapter.install}"
        workers.append(worker)
    return workers


def _elsewhere(backend: str) -> bool:
    return interpreter_for(backend) != sys.executable


def _perturbed(base: Worker | None, others: Sequence[Worker]) -> list[Worker]:
    if base is None or len(others) < 2:
        return []
    folder = Path(base.spec.out).parent / "calibration"
    return [
        Worker(
            f"{base.name} ± 1 ulp ({number})",
            base.adapter,
            replace(base.spec, perturb=number, out=str(folder / str(number))),
            base.interpreter,
        )
        for number in range(1, PERTURBATIONS + 1)
    ]


def _question(lesson: Lesson, job: str, headline: str, spec: Spec) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return {
        "lesson": lesson.header.name,
        "title": lesson.header.title,
        "sections": list(lesson.header.sections),
        "job": job,
        "headline": headline,
        "scale": spec.scale,
        "seed": spec.seed,
        "precision": spec.precision,
        "device": spec.device,
        "date": now.isoformat().replace("+00:00", "Z"),
        "machine": machine_class(),
    }


def _comparison(data: dict[str, Any], out: Path, *, named: bool) -> Comparison:
    skipped = {w["name"]: w["message"] for w in data["workers"] if w["status"] == "skipped"}
    broken = {w["name"]: w["message"] for w in data["workers"] if w["status"] in ("failed", "died", "hung")}
    return Comparison(
        data=data,
        results=out / "results.json",
        report=out / "report.html",
        failures=broken | (skipped if named else {}),
        skipped=skipped,
        verdicts=[verdict(pair) for pair in data["pairs"]],
        interrupted=data["interrupted"],
    )
