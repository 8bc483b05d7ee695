"""One line on the terminal for each worker."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from d2l_core.compare._runner import Event, Watcher


@contextlib.contextmanager
def live_progress(*, quiet: bool = False) -> Iterator[Watcher]:
    """Draw a bar for each worker on standard error; the value is the `observer` for `compare`.

    Where standard error is not a terminal, each epoch is a line.

    Args:
        quiet: draw nothing.
    """
    if quiet:
        yield lambda name, event: None
        return
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
    with progress:
        yield _Bars(progress)


def _line(name: str, event: Event) -> None:
    if event["event"] == "epoch":
        sys.stderr.write(f"{name}: epoch {event['record']['epoch']:.0f}  {_metrics(event)}\n")
    elif event["event"] == "ended":
        sys.stderr.write(f"{name}: {event['status']}\n")


def _metrics(event: Event) -> str:
    return " ".join(f"{k} {v:.4g}" for k, v in event["record"].items() if k not in ("epoch", "seconds"))


class _Bars:
    def __init__(self, progress: Any):
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def __call__(self, name: str, event: Event) -> None:
        kind = event["event"]
        if kind == "queued":
            self._tasks[name] = self._progress.add_task(_plain(name), total=None, start=False, note="waiting")
        elif name in self._tasks:
            handle = {
                "launched": self._launched,
                "loaded": self._loaded,
                "started": self._started,
                "progress": self._stepped,
                "epoch": self._epoch,
                "ended": self._ended,
            }.get(kind)
            if handle is not None:
                handle(self._tasks[name], event)

    def _launched(self, task: Any, event: Event) -> None:
        self._progress.start_task(task)
        self._progress.update(task, note="importing")

    def _loaded(self, task: Any, event: Event) -> None:
        self._progress.update(task, note=f"preparing on {_plain(event['device'])}")

    def _started(self, task: Any, event: Event) -> None:
        self._progress.update(task, total=event["steps"], completed=0, note="first step")

    def _stepped(self, task: Any, event: Event) -> None:
        self._progress.update(task, completed=event["step"])

    def _epoch(self, task: Any, event: Event) -> None:
        self._progress.update(task, completed=event["step"], note=_plain(_metrics(event)))

    def _ended(self, task: Any, event: Event) -> None:
        self._progress.stop_task(task)
        if event["status"] != "done":
            self._progress.update(task, note=f"[red]{event['status']}[/red]")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
