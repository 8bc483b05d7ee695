"""``d2l compare`` and ``d2l verify``: backends held against each other, or against a lesson's promises."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2l_core.cli._options import (
    BACKENDS,
    LESSON_OR_ALL,
    SCALE,
    Seeds,
    epochs_option,
    job_option,
    lesson_argument,
    precision_option,
    scale_option,
    seed_option,
)
from d2l_core.cli._output import Interrupted, folder_problem, print_table
from d2l_core.errors import D2LError, UsageError

if TYPE_CHECKING:
    from d2l_core.compare import Comparison
    from d2l_core.lessons import Lesson
    from d2l_core.training import Observer

FAILED = 1


@click.command(short_help="Train a lesson on several backends and compare.")
@lesson_argument
@click.option("--backends", type=BACKENDS, metavar="A,B,...", help="Every installed one if not given.")
@job_option
@scale_option
@seed_option
@precision_option
@click.option("--device", metavar="NAME", help="Each backend's first device if not given.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("d2l-compare"), show_default=True, metavar="DIR",
    help="Folder for results.json and report.html.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Workers at once.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=300.0, show_default=True, metavar="S",
    help="Seconds of silence after which a worker counts as hanging.",
)  # fmt: skip
@epochs_option
def compare(
    lesson: str,
    backends: tuple[str, ...] | None,
    job: str | None,
    scale: str,
    seed: int,
    precision: str | None,
    device: str | None,
    out: Path,
    jobs: int,
    timeout: float,
    epochs: int | None,
) -> int:
    """Train LESSON on several backends from the same start, and report how far they agree.

    D2L_PYTHON_<BACKEND> names another interpreter for the worker of that backend.
    """
    from d2l_core.backend import _environment_precision
    from d2l_core.compare import compare as run_comparison
    from d2l_core.compare import live_progress
    from d2l_core.lessons import find_lesson

    find_lesson(lesson).job(job)
    if problem := folder_problem(out):
        raise UsageError(f"--out {out} cannot be written ({problem}); name another folder.")
    with live_progress() as observer:
        comparison = run_comparison(
            lesson,
            backends=backends,
            job=job,
            scale=scale,
            seed=seed,
            precision=int(precision) if precision else _environment_precision(),
            device=device,
            out=out,
            jobs=jobs,
            timeout=timeout,
            observer=observer,
            epochs=epochs,
        )
    _summarise(comparison)
    if comparison.interrupted:
        raise Interrupted(f"Interrupted; the report holds what was finished: {comparison.report}")
    return 0 if comparison.ok else FAILED


def _summarise(comparison: Comparison) -> None:
    columns = ("worker", "state", "framework", "device", "step", "epoch", "after the last epoch")
    print_table(columns, [_row(worker) for worker in comparison.data["workers"]])
    for sentence in comparison.verdicts:
        click.echo(sentence)
    for name, sentence in {**comparison.skipped, **comparison.failures}.items():
        click.echo(f"{name}: {sentence}", err=True)
    click.echo(f"Results: {comparison.results}")
    click.echo(f"Report:  {comparison.report}")


def _row(worker: dict[str, Any]) -> tuple[str, ...]:
    last = worker["epochs"][-1] if worker["epochs"] else {}
    result = "  ".join(f"{k} {float(v):.9g}" for k, v in last.items() if k not in ("epoch", "seconds"))
    place, times = worker["environment"], worker["times"]
    framework = f"{worker['title']} {place.get('version') or ''}".rstrip()
    step = "-" if times["step"] is None else f"{1000 * times['step']:.2f} ms"
    epoch = "-" if times["epoch"] is None else f"{times['epoch']:.2f} s"
    return worker["name"], worker["status"], framework, place.get("device") or "-", step, epoch, result or "-"


@click.command(short_help="Hold a lesson against its promises.")
@click.argument("lesson", type=LESSON_OR_ALL, metavar="LESSON|all")
@click.option("--backend", "backends", type=BACKENDS, metavar="A,B,...", help="Every installed one if not given.")
@click.option("--job", "jobs", multiple=True, metavar="NAME", help="All jobs if not given; may be repeated.")
@click.option("--scale", type=SCALE, default="full", show_default=True, help="At which the lesson makes its promises.")
@click.option("--seeds", type=Seeds(), default=(0, 1, 2), show_default="0,1,2", metavar="N,N,...")
def verify(
    lesson: str,
    backends: tuple[str, ...] | None,
    jobs: tuple[str, ...],
    scale: str,
    seeds: tuple[int, ...],
) -> int:
    """Run LESSON with several seeds, record what it reaches and hold it against its promises.

    At full scale, NumPy's runs are repeated with numbers that are a rounding error off: ten times what becomes of that
    is how far the results of two backends may be apart.
    """
    from d2l_core.backend import adapters, load_backend
    from d2l_core.lessons import WHOLE, find_lesson, lessons

    chosen = list(lessons().values()) if lesson == "all" else [find_lesson(lesson)]
    installed = [name for name, adapter in adapters().items() if not adapter.missing()]
    names = tuple(dict.fromkeys(backends or installed))
    if jobs and len(chosen) > 1:
        raise UsageError("--job belongs to one lesson; name that lesson instead of all.")
    for one in chosen:
        for job in jobs:
            if not (job == WHOLE and one.reports):
                one.job(job)
        if problem := folder_problem(one.results_path.parent):
            raise D2LError(
                f"The results of {one.header.name} cannot be recorded ({problem}); install d2l-core editable."
            )
    for name in names:  # a backend that does not load must not end the run after hours
        load_backend(name)
    kept = [_verify(one, names, scale, seeds, jobs) for one in chosen]
    return 0 if all(kept) else FAILED


def _verify(
    lesson: Lesson,
    backends: tuple[str, ...],
    scale: str,
    seeds: tuple[int, ...],
    jobs: tuple[str, ...],
) -> bool:
    from d2l_core.lessons._spread import REFERENCE, calibrate
    from d2l_core.lessons._verify import kept, read_results
    from d2l_core.lessons._verify import verify as run_verification

    click.echo(f"{lesson.header.name} at scale {scale}, seeds {', '.join(map(str, seeds))}", err=True)
    made = run_verification(lesson, backends, scale, seeds, jobs or None, observers=_observers)
    if scale == "full" and REFERENCE in backends:
        calibrate(lesson, list(dict.fromkeys(run["job"] for run in made)), observers=_observers)
    results, rows, good = read_results(lesson.results_path), [], True
    for promise in lesson.header.promises[scale]:
        if jobs and promise.job not in jobs:
            continue
        verdict = kept(promise, results, scale)
        good = good and all(verdict.get(name, False) for name in backends)
        states = {True: "kept", False: "NOT kept"}
        rows.append((lesson.header.name, str(promise), *(states[verdict.get(name, False)] for name in backends)))
    if rows:
        print_table(("lesson", "promise", *backends), rows)
    else:
        click.echo(f"{lesson.header.name} promises nothing at scale {scale}; the results are recorded.")
    return (scale != "full" or _print_spreads(lesson, jobs)) and good


def _print_spreads(lesson: Lesson, jobs: tuple[str, ...]) -> bool:
    """How far the backends' results lie apart; false if they are further apart than rounding allows."""
    from d2l_core.lessons._spread import spreads

    found = [each for each in spreads(lesson) if len(each.values) > 1 and (not jobs or each.promise.job in jobs)]
    rows = [
        (
            lesson.header.name,
            f"{spread.promise.job}: {spread.promise.metric}",
            f"{min(spread.values.values()):.4g} to {max(spread.values.values()):.4g}",
            f"{spread.width:.2g}",
            f"{spread.budget:.2g}",
            "within" if spread.within else "NOT within",
        )
        for spread in found
    ]
    if rows:
        print_table(("lesson", "result", f"on {len(found[0].values)} backends, seed 0", "apart", "budget", ""), rows)
    return all(spread.within for spread in found)


def _observers(label: str) -> list[Observer]:
    from d2l_core.cli._session import EpochLines
    from d2l_core.training import ProgressBar

    return [ProgressBar(label) if sys.stderr.isatty() else EpochLines(label)]
