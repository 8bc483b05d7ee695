"""``d2l bench``: training with the engine against the same training by hand."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from d2l_core.cli._options import BACKENDS
from d2l_core.cli._output import (
    STANDARD_OUTPUT,
    Interrupted,
    check_writable,
    one_line,
    print_table,
    write_json,
    write_text,
)

FAILED = 1
ABSENT = "The benchmarks are not part of this installation; install d2l-core from its wheel or repository."


@click.command(short_help="Time training against the framework by hand.")
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...")
@click.option("--backend", "backends", type=BACKENDS, metavar="A,B,...", help="Every installed one if not given.")
@click.option("--against", default="native", show_default=True, metavar="KIND", help="native, a layer above, or self.")
@click.option("--pairs", type=click.IntRange(min=1), default=15, show_default=True, metavar="N", help="Turns of each.")
@click.option(
    "--starts", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="First steps of each."
)
@click.option("--compilers", is_flag=True, help="Ours with each compiler that a backend offers, too; takes minutes.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Of each side; all cores if not given.")
@click.option("--sweep", "sweeps", multiple=True, metavar="NAME", help="Add the sizes of an MLP: batch or depth.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=600.0, show_default=True, metavar="S",
    help="Seconds of silence after which a side counts as hanging.",
)  # fmt: skip
@click.option("--json", "json_file", metavar="FILE", help="Write all figures there; - is standard output.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="Write a page to look at.")
def bench(
    workloads: tuple[str, ...],
    backends: tuple[str, ...] | None,
    against: str,
    pairs: int,
    starts: int,
    compilers: bool,
    threads: int | None,
    sweeps: tuple[str, ...],
    timeout: float,
    json_file: str | None,
    html_file: Path | None,
) -> int:
    """Time whole epochs of WORKLOADs, all if none is named, and report ours over theirs.

    KIND says who they are: `native`, each framework's own code by hand in its best form; `keras`, its `fit` on the same
    framework; or `self`, our side once more, which shows the noise. Sides train in processes of their own, in turns, on
    the CPU. Before anything is timed, their losses must agree. `mlp@batch=64,depth=4` is an MLP of another size.

    Exit status 1 if something could not be measured.
    """
    try:
        from d2l_benchmarks import bench as harness
        from d2l_benchmarks import page
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "d2l_benchmarks":
            raise
        raise click.ClickException(ABSENT) from None

    if json_file not in (None, STANDARD_OUTPUT):
        check_writable(Path(str(json_file)), "--json")
    if html_file is not None:
        check_writable(html_file, "--html")
    settings = harness.Settings(
        against=against, pairs=pairs, starts=starts, threads=threads, compilers=compilers, timeout=timeout
    )
    names = [*workloads, *harness.sweep(sweeps)]

    def keep(so_far: dict[str, Any]) -> None:  # an hour's benchmark that is ended must not have been for nothing
        if json_file not in (None, STANDARD_OUTPUT):
            write_json(so_far, str(json_file))

    with _progress() as watch:
        result = harness.run(names, backends or (), settings, watch, keep)
    if json_file is not None:
        write_json(result, json_file)
    if html_file is not None:
        write_text(page.render(result), html_file)
    _print(result, page, err=json_file == STANDARD_OUTPUT)
    if result["interrupted"]:
        raise Interrupted(f"Interrupted; what was measured until then is reported: {len(result['rows'])} rows.")
    return FAILED if result["failures"] else 0


def _print(result: dict[str, Any], page: Any, *, err: bool) -> None:
    if result["rows"]:
        print_table(page.COLUMNS, [page.cells(row) for row in result["rows"]], err=err)
        print_table(page.SIDE_COLUMNS, [cells for row in result["rows"] for cells in page.side_cells(row)], err=err)
        click.echo(page.summary(result), err=err)
    for failure in result["failures"]:
        click.echo(f"FAILED {one_line(failure['sentence'])}", err=True)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error; where that is no terminal, a line for each thing that begins."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: click.echo(f"[{done}/{total}] {what}", err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
