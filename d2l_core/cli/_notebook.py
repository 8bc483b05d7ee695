"""``d2l notebook``: a lesson as a Jupyter notebook."""

from __future__ import annotations

from pathlib import Path

import click

from d2l_core.cli._options import lesson_argument
from d2l_core.cli._output import STANDARD_OUTPUT, check_writable, write_text
from d2l_core.errors import UsageError


@click.command(short_help="Turn a lesson into a Jupyter notebook.")
@lesson_argument
@click.option("-o", "--output", metavar="FILE", help="LESSON.ipynb if not given; - is standard output.")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.option("--execute", is_flag=True, help="Run it, too, and keep what its cells print and draw.")
def notebook(lesson: str, output: str | None, force: bool, execute: bool) -> None:
    """Turn LESSON into a notebook that runs from top to bottom on any backend."""
    from d2l_core.lessons import find_lesson
    from d2l_core.lessons._notebook import executed, notebook_json

    found = find_lesson(lesson)
    path = None if output == STANDARD_OUTPUT else Path(output or f"{lesson}.ipynb")
    if path is not None:
        check_writable(path, "--output")
        if path.is_file() and not force:
            raise UsageError(f"{path} exists already; name another file with -o or replace it with --force.")
    text = notebook_json(found)
    if execute:
        text = executed(text, lambda cell, cells: click.echo(f"cell {cell} of {cells}", err=True))
    if path is None:
        click.echo(text, nl=False)
        return
    write_text(text, path)
    click.echo(f"{path}: open it with Jupyter; D2L_BACKEND and D2L_SCALE choose what it runs on and how long.")
