"""``d2l conformance``: the suite on one backend, and its scorecard."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from d2l_core.cli._options import BACKEND
from d2l_core.cli._output import (
    STANDARD_OUTPUT,
    Interrupted,
    check_writable,
    print_table,
    write_json,
    write_text,
)
from d2l_core.errors import UsageError

FAILED = 1
NEEDED = ("pytest", "hypothesis")
INSTALL = 'pip install "d2l-core[conformance]"'
WORST = 5
ROUNDED = 0.5
"""The tolerance of a correctly rounded result, which each of them reaches: of no interest among the largest errors."""


@click.command(short_help="Prove a backend: the conformance suite and its scorecard.")
@click.option("--backend", type=BACKEND, metavar="NAME", help="Default: D2L_BACKEND, else the first installed.")
@click.option("-k", "selected", metavar="EXPRESSION", help="Only tests whose names match, as of pytest: 'conv or gru'.")
@click.option("--quick/--deep", default=True, help="Deep tries many more examples, at random.  [default: quick]")
@click.option("--json", "json_file", metavar="FILE", help="Write all figures there; - is standard output.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="Write a page to look at.")
def conformance(
    backend: str | None, selected: str | None, quick: bool, json_file: str | None, html_file: Path | None
) -> int:
    """Run the conformance suite on one backend and print its scorecard.

    An adapter that lacks primitives is examined as far as it goes: they are listed with the lessons that need them.
    Exit status 0 if all is green, 1 if not.
    """
    from d2l_core.cli._session import choose_backend

    if absent := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise UsageError(f"The suite needs {' and '.join(absent)}, not installed here; install with: {INSTALL}")
    from d2l_conformance import card_page, scorecard

    if json_file not in (None, STANDARD_OUTPUT):
        check_writable(Path(str(json_file)), "--json")
    if html_file is not None:
        check_writable(html_file, "--html")
    name, reason = choose_backend(backend)
    click.echo(f"The conformance suite on {name} ({reason})", err=True)
    with _progress(name) as watcher:
        card = scorecard.run(name, selected=selected, deep=not quick, watcher=watcher)
    if json_file is not None:
        write_json(card, json_file)
    if html_file is not None:
        write_text(card_page.render(card), html_file)
    _print(card, err=json_file == STANDARD_OUTPUT)
    if card["interrupted"]:
        raise Interrupted(f"Interrupted; the scorecard holds the {card['done']} tests that were done.")
    return 0 if card["green"] else FAILED


def _print(card: dict[str, Any], *, err: bool) -> None:
    outcomes = ("passed", "failed", "limited", "missing")
    rows = [(row["area"], *(str(row[outcome]) for outcome in outcomes)) for row in card["areas"]]
    totals = (str(sum(row[outcome] for row in card["areas"])) for outcome in outcomes)
    print_table(("area", *outcomes), [*rows, ("all", *totals)], err=err)
    worst = [row for row in card["errors"] if row["error"] != 0.0 and row["limit"] != ROUNDED][:WORST]
    if worst:
        columns = ("largest errors", "of", "bits", "error", "tolerance", "unit")
        print_table(columns, [_error_row(row) for row in worst], err=err)
    if card["missing"]:
        missing = [(row["primitive"], ", ".join(row["lessons"]) or "-") for row in card["missing"]]
        print_table(("missing primitive", "lessons that cannot run without it"), missing, err=err)
    for limits, sentence in _grouped(card["limits"]):
        click.echo(f"Limited: {sentence} ({limits})", err=err)
    for failure in card["failures"]:
        click.echo(f"FAILED {failure['test']}: {failure['sentence']}", err=err)
    click.echo(_verdict(card), err=err)


def _error_row(row: dict[str, Any]) -> tuple[str, ...]:
    error = "infinite" if row["error"] is None else f"{row['error']:.3g}"
    return row["case"], row["kind"], str(row["precision"]), error, f"{row['limit']:g}", row["unit"]


def _grouped(limits: list[dict[str, str]]) -> list[tuple[str, str]]:
    sentences = dict.fromkeys(row["sentence"] for row in limits)
    return [(", ".join(row["limit"] for row in limits if row["sentence"] == s), s) for s in sentences]


def _verdict(card: dict[str, Any]) -> str:
    version = card["versions"][card["title"]] or ""
    name = f"{card['backend']} ({card['title']} {version})".replace(" )", ")")
    tests = f"{card['done']} of {card['tests']} tests in {card['seconds']:.0f} s"
    failed, missing = len(card["failures"]), len(card["missing"])
    if card["interrupted"]:
        return f"{name} was not examined to the end: {tests}, {failed} failed."
    if card["green"]:
        part = " as far as it was asked for" if card["selected"] else ""
        return f"{name} conforms{part}: {tests}, none failed."
    gaps = f", {missing} missing primitive{'s' if missing > 1 else ''}" if missing else ""
    return f"{name} does not conform: {tests}, {failed} failed{gaps}."


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; where that is no terminal, a line for every tenth of the tests."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _Tenths(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    # While a test runs, pytest keeps what is written to the usual two streams: the bar has one of its own.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as stream:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(file=stream, force_terminal=True)
        with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as progress:
            task = progress.add_task(name, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)


class _Tenths:
    def __init__(self, name: str):
        self.name, self.tenth, self.stream = name, 0, sys.stderr

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 0
        if tenth > self.tenth:
            self.tenth = tenth
            click.echo(f"{self.name}: {done} of {total} tests", file=self.stream)
