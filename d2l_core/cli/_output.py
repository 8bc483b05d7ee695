"""What all commands share: tables, JSON, files that are checked before the work begins."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from d2l_core._paths import replace_file
from d2l_core.errors import D2LError, UsageError

STANDARD_OUTPUT = "-"
_UNLIMITED = 10_000


class Interrupted(Exception):  # noqa: N818 - names what happened
    """Ctrl-C; the message says what was kept and how to go on."""


def one_line(text: str) -> str:
    """The text without line breaks: an error is one line."""
    return " ".join(text.split())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, err: bool = False) -> None:
    """A table as wide as the terminal; into a file or a pipe as wide as it needs, so nothing is cut off."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=err, highlight=False)
    if not console.is_terminal:
        console.width = _UNLIMITED
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table, soft_wrap=False)


def print_json(data: Any) -> None:
    """Plain data on standard output; each float has the digits it takes to read it back exactly."""
    click.echo(_encode(data))


def write_json(data: Any, target: str) -> None:
    """Plain data into a file, in one step, or to standard output if `target` is ``-``."""
    if target == STANDARD_OUTPUT:
        print_json(data)
    else:
        write_text(_encode(data) + "\n", Path(target))


def write_text(text: str, path: Path) -> None:
    """Text into a file, in one step; D2LError when that cannot be done."""
    target = path.resolve()  # a symbolic link stays one
    try:
        if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced
            target.write_text(text, encoding="utf-8")
        else:
            replace_file(target, lambda part: _write(part, text))
    except OSError as error:
        raise D2LError(f"{path} cannot be written ({error.strerror}); name another file.") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def check_writable(path: Path, option: str) -> None:
    """Raise UsageError now rather than after an hour of work when a file cannot be written later."""
    target = path.resolve()
    if target.is_dir():
        raise UsageError(f"{option} {path} is a folder; name a file.")
    if target.exists() and not target.is_file():
        return
    if problem := folder_problem(target.parent):
        raise UsageError(f"{option} {path} cannot be written ({problem}); name another file.")


def folder_problem(folder: Path) -> str | None:
    """Why no file can be made in a folder, which is created if need be; None when one can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror}"


def _encode(data: Any) -> str:
    return json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(data: Any) -> Any:
    """JSON knows neither NaN nor infinity: they become null."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(item) for item in data] if isinstance(data, list | tuple) else data


@contextlib.contextmanager
def busy(sentence: str) -> Iterator[None]:
    """Show on a terminal that work is going on."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal or os.environ.get("TERM") == "dumb":
        yield
        return
    with console.status(sentence):
        yield
