"""``d2l run``: train the jobs of a lesson on one backend."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2l_core.cli._options import (
    BACKEND,
    epochs_option,
    job_option,
    lesson_argument,
    precision_option,
    scale_option,
    seed_option,
)
from d2l_core.cli._output import STANDARD_OUTPUT, check_writable, write_json
from d2l_core.errors import UsageError

if TYPE_CHECKING:
    from d2l_core.cli._session import Session
    from d2l_core.lessons import Lesson

ALL_JOBS = "all"


@click.command(short_help="Train a lesson on one backend.")
@lesson_argument
@job_option
@click.option("--backend", type=BACKEND, metavar="NAME", help="Default: D2L_BACKEND, else the first installed.")
@scale_option
@seed_option
@precision_option
@click.option("--device", metavar="NAME", help="D2L_DEVICE or the backend's first device if not given.")
@epochs_option
@click.option("--json", "json_file", metavar="FILE", help="Write all results there; - is standard output.")
@click.option("--checkpoint", type=click.Path(path_type=Path), metavar="FILE", help="Keep the final state there.")
@click.option("--resume", is_flag=True, help="Go on with a run that was broken off, to the same bits.")
def run(
    lesson: str,
    job: str | None,
    backend: str | None,
    scale: str,
    seed: int,
    precision: str | None,
    device: str | None,
    epochs: int | None,
    json_file: str | None,
    checkpoint: Path | None,
    resume: bool,
) -> None:
    """Train LESSON: its main job, another one (--job NAME), or all of them in order (--job all).

    A lesson that trains nothing is run from top to bottom, with all that it shows.

    The state of the training is kept in a file until the run has succeeded, so that Ctrl-C or a crash loses
    nothing: --resume goes on from there.
    """
    from d2l_core.backend import use_backend
    from d2l_core.cli._session import Options, Session, choose_backend
    from d2l_core.lessons import find_lesson

    found = find_lesson(lesson)
    if found.header.main is None:
        given = {"--job": job, "--epochs": epochs, "--checkpoint": checkpoint, "--resume": resume}
        _run_whole(
            found, backend, scale, precision, device, json_file, [name for name, value in given.items() if value]
        )
        return
    names = tuple(found.jobs()) if job == ALL_JOBS else (found.job(job)[0],)
    if checkpoint is not None and len(names) > 1:
        listed = ", ".join(names)
        raise UsageError(f"--checkpoint names one file for the jobs {listed}; choose one of them with --job.")
    if checkpoint is not None:
        check_writable(checkpoint, "--checkpoint")
    if json_file not in (None, STANDARD_OUTPUT):
        check_writable(Path(str(json_file)), "--json")
    name, reason = choose_backend(backend)
    with use_backend(name, precision=int(precision) if precision else None, device=device):
        options = Options(job, scale, seed, device, epochs, json_file, checkpoint, resume)
        session = Session.start(found, names, options)
        click.echo(f"{session.title()} ({reason})", err=True)
        session.run()
    _report(session)
    others = [other for other in found.jobs() if other not in names]
    if others:
        click.echo(f"Other jobs of this lesson: {', '.join(others)} (--job NAME, or --job all).", err=True)


def _run_whole(
    lesson: Lesson,
    backend: str | None,
    scale: str,
    precision: str | None,
    device: str | None,
    json_file: str | None,
    useless: Sequence[str],
) -> None:
    from d2l_core.backend import use_backend
    from d2l_core.cli._session import choose_backend
    from d2l_core.lessons import WHOLE, run_whole

    if useless:
        raise UsageError(f"{lesson.header.name} trains nothing, so {', '.join(useless)} cannot be used with it.")
    if json_file not in (None, STANDARD_OUTPUT):
        check_writable(Path(str(json_file)), "--json")
    name, reason = choose_backend(backend)
    quiet = json_file == STANDARD_OUTPUT
    with use_backend(name, precision=int(precision) if precision else None, device=device):
        click.echo(f"{lesson.header.title} on {name}, scale {scale} ({reason})", err=True)
        with contextlib.redirect_stdout(sys.stderr) if quiet else contextlib.nullcontext():
            figures = run_whole(lesson, scale)
    made = [(promise, figures[promise.metric]) for promise in lesson.header.promises[scale] if promise.job == WHOLE]
    for promise, value in made:
        click.echo(
            f"Promise {'kept' if promise.holds(value) else 'NOT kept'}: {promise} (reached {value:.6g})", err=quiet
        )
    if json_file is not None:
        kept = [{"promise": str(promise), "value": value, "kept": promise.holds(value)} for promise, value in made]
        write_json(
            {"lesson": lesson.header.name, "backend": name, "scale": scale, "figures": figures, "promises": kept},
            json_file,
        )


def _report(session: Session) -> None:
    results, target = session.results(), session.options.json_file
    quiet = target == STANDARD_OUTPUT  # then standard output belongs to the JSON
    if target is not None:
        write_json(results.to_json(), target)
    results.print(err=quiet)
    session.remove_own_checkpoints()
    if session.options.checkpoint is not None:
        click.echo(f"The final state is in {session.options.checkpoint}.", err=True)
    elif target is not None and not quiet:
        click.echo(f"All results are in {os.fspath(target)}.", err=True)
