"""The command in a process of its own, and adapters of third parties that are broken in various ways."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from _command import Ended, here

from d2l_core.backend import GROUPS, adapters

__all__ = ["Ended", "here"]

TIMEOUT_S = 300
COMMAND = [sys.executable, "-P", "-m", "d2l_core"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for each test, and none of the user's settings."""
    for name in [name for name in os.environ if name.startswith("D2L_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("D2L_HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    return folder


@pytest.fixture
def d2l(tmp_path: Path) -> Callable[..., Ended]:
    """Run the command in a new process, in the test's folder."""

    def run(*words: object, **environment: str) -> Ended:
        done = subprocess.run(
            [*COMMAND, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | environment,
            timeout=TIMEOUT_S,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def installed_backends() -> list[str]:
    """The backends whose requirements are there."""
    return [name for name, adapter in adapters().items() if not adapter.missing()]


_ADAPTER = """
from d2l_core.backend import Adapter

adapter = Adapter(
    name={name!r},
    title={title!r},
    package=__name__,
    requires={requires!r},
    distribution={name!r},
    install="pip install {name}",
    priority=500,
)
"""


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Install an adapter for new processes: its description, and the source of its module ``arrays``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")])))

    def install(name: str, arrays: str = "", requires: tuple[str, ...] = (), init: str | None = None) -> str:
        package, info = site / f"adapter_{name}", site / f"{name}-1.5.dist-info"
        package.mkdir()
        info.mkdir()
        source = _ADAPTER.format(name=name, title=name.title(), requires=requires) if init is None else init
        (package / "__init__.py").write_text(source)
        for module in GROUPS:
            (package / f"{module}.py").write_text(arrays if module == "arrays" else "")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[d2l.backends]\n{name} = adapter_{name}:adapter\n")
        return name

    return install
