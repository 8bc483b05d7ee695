"""Worker processes: started one after the other or side by side, listened to, and ended when they hang."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2l_core.backend import Adapter
from d2l_core.compare._worker import Spec

Event = dict[str, Any]
Watcher = Callable[[str, Event], None]
"""Called with the name of a worker and one of its events: those of `_worker`, and of the runner ``queued``,
``launched`` (with ``pid``) and ``ended`` (with ``status`` and ``message``)."""

_LAST_LINES = 15
_POLL_SECONDS = 0.2
_EXIT_SECONDS = 20.0


@dataclass
class Worker:
    """One training run in its own process, and all that is known of it.

    Attributes:
        name: of the worker; the backend's name, with a number where a backend runs more than once.
        spec: what it is to do.
        interpreter: the Python that runs it.
        status: ``queued``, ``running``, and in the end ``done``, ``failed`` (it said why), ``died`` (it did not),
            ``hung``, ``interrupted``.
        message: one sentence on what went wrong.
        last_words: the end of its standard error, when something went wrong.
        epochs, losses: records and step losses that arrived, also from a worker that ended early.
        step_zero, result, failure: its events ``step0``, ``done`` and ``failed``.
    """

    name: str
    adapter: Adapter
    spec: Spec
    interpreter: str
    status: str = "queued"
    message: str = ""
    last_words: list[str] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    total_steps: int = 0
    device: str | None = None
    step_zero: Event = field(default_factory=dict)
    result: Event = field(default_factory=dict)
    failure: Event = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    heard: float = 0.0

    @property
    def folder(self) -> Path:
        """Where it writes."""
        return Path(self.spec.out)

    @property
    def stderr_path(self) -> Path:
        """Its standard error."""
        return self.folder / "stderr.txt"

    def take(self, event: Event) -> None:
        """Note what an event says."""
        self.heard = time.monotonic()
        self.losses.extend(event.get("losses", ()))
        kind = event["event"]
        if kind == "loaded":
            self.device = event["device"]
        elif kind == "started":
            self.total_steps = event["steps"]
        elif kind == "epoch":
            self.epochs.append(event["record"])
        elif kind == "step0":
            self.step_zero = event
        elif kind == "done":
            self.result = event
        elif kind == "failed":
            self.failure = event


def interpreter_for(name: str) -> str:
    """The Python that runs the backend `name`: ``D2L_PYTHON_<NAME>``, else this one."""
    return os.environ.get(f"D2L_PYTHON_{name.upper().replace('-', '_')}") or sys.executable


def run_workers(workers: Sequence[Worker], *, jobs: int, timeout: float, observer: Watcher | None = None) -> bool:
    """Run all workers to their end, at most `jobs` at a time; what became of them is written into them.

    Everything that a worker says is handled in the calling thread. When this returns, no worker is alive.

    Args:
        workers: as yet queued.
        jobs: how many run at the same time.
        timeout: seconds of silence after which a worker is ended as hanging.
        observer: told of every event.

    Returns:
        False if Ctrl-C ended it early.
    """
    watch = observer or (lambda name, event: None)
    waiting, running = list(workers), list[Worker]()
    messages: queue.Queue[tuple[Worker, str | None]] = queue.Queue()
    try:
        for worker in workers:
            watch(worker.name, {"event": "queued", "perturb": worker.spec.perturb})
        while waiting or running:
            while waiting and len(running) < jobs:
                worker = waiting.pop(0)
                _launch(worker, messages, watch)
                if worker.status == "running":
                    running.append(worker)
            with contextlib.suppress(queue.Empty):
                worker, line = messages.get(timeout=_POLL_SECONDS)
                if line is None:
                    running.remove(worker)
                    _settle(worker, watch)
                else:
                    _hear(worker, line, watch)
            for worker in running:
                if worker.status == "running" and time.monotonic() - worker.heard > timeout:
                    _kill(worker)
                    _close(worker, "hung", f"The worker was silent for {timeout:g} s and was ended.")
    except KeyboardInterrupt:
        for worker in workers:
            if worker.status in ("queued", "running"):
                begun = worker.status == "running"
                _kill(worker)
                _close(worker, "interrupted", "Ctrl-C ended the worker." if begun else "Ctrl-C came before its turn.")
        return False
    finally:
        for worker in running:
            _kill(worker)
    return True


def _launch(worker: Worker, messages: queue.Queue[tuple[Worker, str | None]], watch: Watcher) -> None:
    worker.folder.mkdir(parents=True, exist_ok=True)
    command = [worker.interpreter, "-P", "-m", "d2l_core.compare._worker"]
    try:
        with worker.stderr_path.open("wb") as stderr:
            worker.process = subprocess.Popen(  # noqa: S603 - an interpreter that the user chose
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=_environment(worker.spec),
                start_new_session=True,  # Ctrl-C reaches the runner alone, which then ends the workers
            )
    except OSError as error:
        wrong = error.strerror or type(error).__name__
        _close(worker, "died", f"The interpreter {worker.interpreter} cannot be started ({wrong}); {_remedy(worker)}")
        watch(worker.name, _ended(worker))
        return
    worker.status, worker.heard = "running", time.monotonic()
    with contextlib.suppress(BrokenPipeError, OSError):  # it died at once; its standard error tells why
        assert worker.process.stdin is not None
        worker.process.stdin.write(worker.spec.to_json())
        worker.process.stdin.close()
    threading.Thread(target=_read, args=(worker, messages), daemon=True).start()
    watch(worker.name, {"event": "launched", "pid": worker.process.pid})


def _environment(spec: Spec) -> dict[str, str]:
    chosen = {"D2L_BACKEND": spec.backend, "D2L_PRECISION": str(spec.precision), "PYTHONIOENCODING": "utf-8"}
    environment = {key: value for key, value in os.environ.items() if key not in ("D2L_DEVICE", "D2L_SCALE")}
    return environment | chosen | ({"D2L_DEVICE": spec.device} if spec.device else {})


def _read(worker: Worker, messages: queue.Queue[tuple[Worker, str | None]]) -> None:
    assert worker.process is not None
    assert worker.process.stdout is not None
    for line in worker.process.stdout:
        messages.put((worker, line))
    messages.put((worker, None))


def _hear(worker: Worker, line: str, watch: Watcher) -> None:
    try:
        event = json.loads(line)
        worker.take(event)
    except (ValueError, KeyError, TypeError):  # an interpreter that prints before our code runs
        with worker.stderr_path.open("a", encoding="utf-8") as stderr:
            stderr.write(line)
        return
    watch(worker.name, event)


def _settle(worker: Worker, watch: Watcher) -> None:
    """Find out how a worker ended whose stream of events is at its end."""
    assert worker.process is not None
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.process.wait(_EXIT_SECONDS)
    code = worker.process.poll()
    if worker.status != "running":
        pass
    elif worker.result:
        worker.status = "done"  # a framework that stumbles while it unloads has still done its work
    elif worker.failure:
        _close(worker, "failed", worker.failure["message"])
    else:
        _close(worker, "died", f"The worker died {_manner(code)}; {_remedy(worker)}")
    _kill(worker)
    watch(worker.name, _ended(worker))


def _close(worker: Worker, status: str, message: str) -> None:
    worker.status, worker.message = status, message
    with contextlib.suppress(OSError):
        lines = worker.stderr_path.read_text(encoding="utf-8", errors="replace").splitlines()
        worker.last_words = [line for line in lines if line.strip()][-_LAST_LINES:]


def _remedy(worker: Worker) -> str:
    if worker.interpreter != sys.executable:
        variable = f"D2L_PYTHON_{worker.adapter.name.upper().replace('-', '_')}"
        return f"check that {variable} names a Python in which d2l-core and the framework are installed."
    return f"its last words are below; d2l run {worker.spec.lesson} --backend {worker.adapter.name} repeats it alone."


def _manner(code: int | None) -> str:
    if code is None:
        return "without leaving"
    if code >= 0:
        return f"with exit status {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _ended(worker: Worker) -> Event:
    return {"event": "ended", "status": worker.status, "message": worker.message}


def _kill(worker: Worker) -> None:
    """End the process and what it started."""
    process = worker.process
    if process is None or process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_EXIT_SECONDS)


def fastest(workers: Iterable[Worker]) -> Worker | None:
    """The finished worker whose training took least time."""
    done = [worker for worker in workers if worker.status == "done"]
    return min(done, key=lambda worker: worker.result.get("seconds", math.inf), default=None)
