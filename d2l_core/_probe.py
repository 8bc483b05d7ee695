"""What a backend can do on this machine, found out in a process of its own.

Only a loaded framework knows its devices, and a broken one may end the process that loads it or never come
back from its import. So each is loaded by a child that writes what it found as JSON:
``python -m d2l_core._probe NAME`` is that child.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from d2l_core.backend import Adapter, find_adapter, load_backend
from d2l_core.errors import D2LError

__all__ = ["Probe", "probe", "probe_all"]

_TIMEOUT_S = 180.0
_LONGEST = 300


@dataclass(frozen=True)
class Probe:
    """The state of one backend.

    Attributes:
        adapter: its description.
        version: of the framework's distribution, None when that is not installed.
        missing: the required modules that are not installed.
        devices: the precisions that each device can be used with; the first device is the default.
        problem: one sentence when the backend cannot be used, else None.
    """

    adapter: Adapter
    version: str | None
    missing: tuple[str, ...]
    devices: dict[str, tuple[int, ...]]
    problem: str | None

    @property
    def available(self) -> bool:
        """Whether a run on it can start."""
        return self.problem is None

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``d2l backends --json``."""
        return {
            "name": self.adapter.name,
            "title": self.adapter.title,
            "version": self.version,
            "available": self.available,
            "devices": [{"name": name, "precisions": list(bits)} for name, bits in self.devices.items()],
            "problem": self.problem,
            "install": self.adapter.install,
        }


def probe_all(
    adapters: Iterable[Adapter],
    *,
    timeout: float = _TIMEOUT_S,
    done: Callable[[Probe], object] = lambda _: None,
) -> list[Probe]:
    """Probe several backends at once; `done` is called with each as it becomes known."""

    def one(adapter: Adapter) -> Probe:
        found = probe(adapter, timeout=timeout)
        done(found)
        return found

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(one, adapters))


def probe(adapter: Adapter, *, timeout: float = _TIMEOUT_S) -> Probe:
    """Load one backend in a child process and report; whatever happens to the child, this returns."""
    version, missing = adapter.version(), tuple(adapter.missing())
    if missing:
        return Probe(adapter, version, missing, {}, f"not installed (it needs {', '.join(missing)})")
    # -P: a file in the current folder must not pass for a framework.
    command = [sys.executable, "-P", "-m", "d2l_core._probe", adapter.name]
    try:
        child = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Probe(adapter, version, (), {}, f"installed but does not import: no answer in {timeout:g} s")
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        return Probe(adapter, version, (), {}, f"installed but does not import: {_last_words(child)}")
    if "problem" in answer:
        return Probe(adapter, version, (), {}, f"installed but does not import: {one_line(answer['problem'])}")
    return Probe(adapter, version, (), {name: tuple(bits) for name, bits in answer["devices"].items()}, None)


def one_line(text: str) -> str:
    """The text without line breaks, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _last_words(child: subprocess.CompletedProcess[str]) -> str:
    if child.returncode < 0:
        how = f"its process was ended by {signal.Signals(-child.returncode).name}"
    else:
        how = f"its process ended with status {child.returncode}"
    last = child.stderr.strip().splitlines()[-1:]
    return one_line(" after writing: ".join([how, *last]))


# ------------------------------------------------------------ the child


def _describe(name: str) -> dict[str, Any]:
    try:
        backend = load_backend(name)
        devices = backend.devices()
        return {"devices": {device: [p for p in (32, 64) if _enters(backend, p, device)] for device in devices}}
    except D2LError as error:
        cause = error.__cause__
        return {"problem": f"{type(cause).__name__}: {cause}" if cause is not None else str(error)}


def _enters(backend: Any, precision: int, device: str) -> bool:
    try:
        with backend.scope(precision, device):
            return True
    except D2LError:
        return False


def _main() -> None:
    answer_to = os.dup(1)
    os.dup2(2, 1)  # what a framework prints while it is imported must not mix with the answer
    find_adapter(sys.argv[1])
    answer = json.dumps(_describe(sys.argv[1]))
    with os.fdopen(answer_to, "w") as out:
        out.write(answer)


if __name__ == "__main__":
    _main()
