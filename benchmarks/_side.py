"""The processes in which the sides of a benchmark train, and which sides there are."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2l_core.backend import Adapter
from d2l_core.errors import D2LError

Event = dict[str, Any]

NATIVE, KERAS, SELF = AGAINST = ("native", "keras", "self")
KERAS_MODULE = "d2l_benchmarks.keras"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONIOENCODING": "utf-8"}
ON_CPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
FORGOTTEN = ("D2L_DEVICE", "D2L_PRECISION", "PYTHONDONTWRITEBYTECODE")
EXIT_SECONDS = 20.0


class SideFailed(D2LError):  # noqa: N818 - names what happened
    """A side did not train; the message says why."""


@dataclass(frozen=True)
class Kind:
    """One of the sides of a cell.

    Attributes:
        kind: ``ours``, ``native``, ``keras`` or ``self``, which is ours a second time.
        form: of a native twin; empty for the others.
        module: with the function `prepare`; empty for ours.
    """

    kind: str
    form: str = ""
    module: str = ""

    @property
    def label(self) -> str:
        """For people."""
        words = {"ours": "ours", SELF: "ours again", KERAS: "Keras fit", NATIVE: f"by hand, {self.form}"}
        return words[self.kind]


OURS = Kind("ours")


def other_sides(backend: str, against: str) -> list[Kind]:
    """What a backend can be held against; empty if there is nothing of this kind."""
    if against == SELF:
        return [Kind(SELF)]
    if against == KERAS:
        return [Kind(KERAS, form, KERAS_MODULE) for form in _forms(KERAS_MODULE) if form == backend]
    module = f"d2l_benchmarks.twins.{backend}"
    return [Kind(NATIVE, form, module) for form in _forms(module)] if backend.isidentifier() else []


def _forms(module: str) -> tuple[str, ...]:
    """``FORMS`` as it stands in the source: to import a twin is to import its framework; none without the module."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return ()
    for statement in ast.parse(Path(found.origin).read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "FORMS" for target in targets):
            forms: tuple[str, ...] = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
            return forms
    raise SideFailed(f"{module} does not say its FORMS.")


@dataclass
class Process:
    """A side at work: it trains while it is waited for, and sleeps in between.

    Attributes:
        side: which one.
        folder: where the arrays are, and a folder of its own is made.
        first: its event ``first``.
        later_starts: the events ``first`` of other processes that did the same.
        turns: seconds for an epoch, of each turn.
        epochs_each: epochs in a turn.
    """

    side: Kind
    workload: str
    folder: Path
    timeout: float
    first: Event = field(default_factory=dict)
    later_starts: list[Event] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    epochs_each: int = 1
    _home: Path = Path()
    _popen: subprocess.Popen[str] | None = None
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue)

    def start(self, adapter: Adapter, twin: str, batch: int, threads: int) -> None:
        """Start the process and wait until its first epoch is done.

        Raises:
            SideFailed: it ended, or said that it failed, or was silent too long.
        """
        spec = {
            "kind": self.side.kind,
            "form": self.side.form,
            "module": self.side.module,
            "workload": self.workload,
            "twin": twin,
            "batch": batch,
            "threads": threads,
            "folder": str(self.folder),
        }
        self._home = Path(tempfile.mkdtemp(dir=self.folder))
        with self._stderr.open("wb") as stderr:
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-m", "d2l_benchmarks._worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=_environment(adapter, threads, self._home / "cache"),
                start_new_session=True,  # Ctrl-C reaches the harness alone, which then ends the sides
            )
        threading.Thread(target=self._listen, daemon=True).start()
        self._say(json.dumps(spec))
        self.first = self._hear("first")

    def turn(self, epochs: int) -> float:
        """Train some epochs; the seconds that one took."""
        self._say(str(epochs))
        return float(self._hear("turn")["seconds"])

    def end(self) -> Event:
        """Let it end by itself; its last event, which holds ``peak_bytes``."""
        self._say("0")
        event = self._hear("end")
        self.kill(EXIT_SECONDS)
        return event

    def kill(self, patience: float = 0.0) -> None:
        """End the process if it does not end by itself within some seconds."""
        if self._popen is None:
            return
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    @property
    def _stderr(self) -> Path:
        return self._home / "stderr.txt"

    def _say(self, line: str) -> None:
        assert self._popen is not None
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: `_hear` says so
            self._popen.stdin.write(line + "\n")
            self._popen.stdin.flush()

    def _listen(self) -> None:
        assert self._popen is not None
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _hear(self, expected: str) -> Event:
        assert self._popen is not None
        try:
            line = self._lines.get(timeout=self.timeout)
        except queue.Empty:
            self.kill()
            raise SideFailed(f"The side {self.side.label!r} was silent for {self.timeout:g} s and was ended.") from None
        if line is None:
            self.kill(EXIT_SECONDS)
            words = self._stderr.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((word.strip() for word in reversed(words) if word.strip()), "it said nothing")
            raise SideFailed(f"The side {self.side.label!r} died with status {self._popen.returncode}: {last}.")
        event: Event = json.loads(line)
        if event["event"] != expected:
            reason = f"{event.get('kind')}: {event.get('message')}".rstrip(".")
            raise SideFailed(f"The side {self.side.label!r} failed with {reason}.")
        return event


def _environment(adapter: Adapter, threads: int, cache: Path) -> dict[str, str]:
    """The same for all sides; what frameworks compiled before must not be found again.

    Python's own compiled files must: installed frameworks come with theirs, a checkout of ours has them if Python may
    write them.
    """
    ours = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    same = dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"TORCHINDUCTOR_CACHE_DIR": str(cache)}
    return ours | QUIET | ON_CPU | same | {"D2L_BACKEND": adapter.name, "KERAS_BACKEND": adapter.name}
