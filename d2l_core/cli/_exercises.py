"""``d2l exercise`` and ``d2l check``: stubs to fill in, and what every installed backend says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2l_core.cli._options import BACKENDS, lesson_argument
from d2l_core.cli._output import busy, print_json, print_table

if TYPE_CHECKING:
    from d2l_core.lessons import Lesson

SECONDS = 300


@click.command(short_help="Put an exercise into your folder.")
@lesson_argument
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Where; <lesson>_exercise.py if not given."
)
@click.option("--solutions", is_flag=True, help="The solutions instead.")
def exercise(lesson: str, out: Path | None, solutions: bool) -> None:
    """Write the functions that LESSON asks you for, without their bodies, into a file of yours.

    An existing file is never overwritten.
    """
    from d2l_core.errors import UsageError
    from d2l_core.lessons import find_lesson
    from d2l_core.lessons._exercises import solutions as solutions_of
    from d2l_core.lessons._exercises import stub

    found = find_lesson(lesson)
    kind = "solutions" if solutions else "exercise"
    target = out or Path(f"{found.path.stem}_{kind}.py")
    text = solutions_of(found) if solutions else stub(found)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{target} exists already and stays as it is; name another file with --out.") from None
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}.") from error
    click.echo(f"{target} is yours{'' if solutions else f'; when it is filled in: d2l check {target}'}")


@click.command(short_help="Examine your answers on every backend.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--backend", "backends", type=BACKENDS, metavar="A,B,...", help="Every installed one if not given.")
@click.option("--json", "as_json", is_flag=True, help="Plain data instead of a table.")
def check(file: Path, backends: tuple[str, ...] | None, as_json: bool) -> int:
    """Run the functions in FILE on each backend and say what is right and what is not.

    Exit status 0 if every check is satisfied on every backend, else 1.
    """
    from d2l_core.backend import adapters
    from d2l_core.lessons._exercises import lesson_of

    lesson = lesson_of(file)
    chosen = backends or tuple(name for name, adapter in adapters().items() if not adapter.missing())
    answers = {}
    for name in chosen:
        with busy(f"Checking on {name} ..."):
            answers[name] = _ask(file, name)
    if as_json:
        print_json(answers)
    else:
        _print(lesson, answers)
    return 0 if all(verdict["problem"] is None for found in answers.values() for verdict in found) else 1


def _ask(file: Path, backend: str) -> list[dict[str, Any]]:
    """The verdicts of a process of its own: a student's program may loop or crash."""
    command = [sys.executable, "-m", "d2l_core.cli._examine", str(file), backend]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return [_problem(f"It did not end within {SECONDS} s; look for a loop that never stops.")]
    last = ended.stdout.rstrip().rpartition("\n")[2]
    if ended.returncode or not last.startswith("["):
        complaint = ended.stderr.strip().rpartition("\n")[2] or f"The process ended with status {ended.returncode}."
        return [_problem(complaint)]
    verdicts: list[dict[str, Any]] = json.loads(last)
    return verdicts


def _problem(sentence: str) -> dict[str, Any]:
    return {"function": "the file", "aspect": "runs", "problem": sentence}


def _print(lesson: Lesson, answers: dict[str, list[dict[str, Any]]]) -> None:
    places = list(dict.fromkeys((v["function"], v["aspect"]) for found in answers.values() for v in found))
    states = {name: {(v["function"], v["aspect"]): v["problem"] for v in found} for name, found in answers.items()}
    rows = [
        (function, aspect, *(_mark(found.get((function, aspect), "-")) for found in states.values()))
        for function, aspect in places
    ]
    print_table(("function", "check", *answers), rows)
    for function, aspect in places:
        by_problem: dict[str, list[str]] = {}
        for name, found in states.items():
            problem = found.get((function, aspect))
            if problem is not None:
                by_problem.setdefault(problem, []).append(name)
        for problem, names in by_problem.items():
            where = "" if len(names) == len(answers) else f" (on {', '.join(names)})"
            click.echo(f"{function}, {aspect}{where}: {problem}")
    if not any(problem is not None for found in states.values() for problem in found.values()):
        click.echo(f"All is right on {', '.join(answers)}. That was {lesson.header.title}.")


def _mark(problem: str | None) -> str:
    if problem is None:
        return "right"
    return "-" if problem == "-" else "open" if problem == "Not written yet." else "wrong"
