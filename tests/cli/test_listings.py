"""``d2l backends``, ``d2l lessons`` and ``d2l doctor``, with frameworks that are missing, broken, crash or hang."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from d2l_core import _doctor
from d2l_core._probe import probe
from d2l_core.backend import Adapter, adapters
from d2l_core.lessons import SCALES, lessons

from .conftest import Ended, installed_backends

Command = Callable[..., Ended]
ROOT = Path(_doctor.__file__).parent


def made(name: str) -> Adapter:
    """The description of an adapter that `register` installs."""
    return Adapter(name, name.title(), f"adapter_{name}", (), name, f"pip install {name}", 500)


# ------------------------------------------------------------ one backend


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ("raise OSError('libfoo.so: cannot\\nopen')", "OSError: libfoo.so: cannot open"),
        ("import os; os.abort()", "its process was ended by SIGABRT"),
        ("import os; os._exit(3)", "its process ended with status 3"),
        ("TENSOR_TYPES = ()", "lacks"),
        ("import sys; sys.exit('no licence')", "after writing: no licence"),
        ("import time; time.sleep(600)", "no answer in 2 s"),
    ],
)
def test_a_broken_framework_takes_nothing_down(register: Callable[..., str], arrays: str, problem: str) -> None:
    found = probe(made(register("broken", arrays)), timeout=2 if "sleep" in arrays else 60)
    assert not found.available
    assert found.problem is not None
    assert found.problem.startswith("installed but does not import: ")
    assert problem in found.problem
    assert "\n" not in found.problem


# ------------------------------------------------------------ all of them


def test_backends_table_and_json(d2l: Command, register: Callable[..., str]) -> None:
    register("absent", requires=("no_such_framework",))
    register("broken", "raise ImportError('half installed')")
    register("strange", init="raise RuntimeError('not for this release')")
    listed = d2l("backends", "--json")
    assert listed.status == 0
    data = {entry["name"]: entry for entry in json.loads(listed.out)}
    assert set(data) == {*adapters(), "absent", "broken"}
    for name in installed_backends():
        assert data[name]["available"]
        assert data[name]["version"]
        assert data[name]["devices"][0]["precisions"]
        assert data[name]["limits"] == dict(adapters()[name].limits)
    assert [name for name in data if data[name]["default"]] == [installed_backends()[0]]
    assert data["absent"]["problem"] == "not installed (it needs no_such_framework)"
    assert data["broken"]["problem"] == "installed but does not import: ImportError: half installed"
    assert "Warning: The adapter adapter_strange:adapter does not load: not for this release." in listed.err


def test_a_run_on_what_is_absent_or_broken(d2l: Command, register: Callable[..., str]) -> None:
    register("absent", requires=("no_such_framework",))
    register("broken", "raise ImportError('half installed')")
    for name, sentence in (
        ("absent", "needs no_such_framework, not installed here; install it with: pip install absent"),
        ("broken", "is installed but does not import (ImportError: half installed); reinstall it with: pip install"),
    ):
        ended = d2l("run", "linear-regression", "--backend", name)
        assert ended.status == 1
        assert ended.err.startswith("Error: ")
        assert ended.err.count("\n") == 1
        assert sentence in ended.err


def test_lessons_table_and_json(here: Command) -> None:
    table = here("lessons")
    data = json.loads(here("lessons", "--json").out)
    assert [entry["name"] for entry in data] == list(lessons())
    for entry in data:
        assert entry["name"] in table.out
        assert set(entry["scales"]) == set(SCALES)
        assert set(entry["verified"]) <= set(adapters())


# ------------------------------------------------------------ doctor


def findings(monkeypatch: pytest.MonkeyPatch) -> dict[str, _doctor.Finding]:
    """The findings by subject, without the time that it takes to load each framework."""
    monkeypatch.setattr(_doctor, "probe_all", lambda known: [])
    monkeypatch.setattr(_doctor, "_settings", lambda probes: iter(()))
    return {finding.what: finding for finding in _doctor.examine()}


def test_doctor_finds_nothing_wrong(here: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "probe_all", lambda known: [probe(adapters()["numpy"])])
    monkeypatch.setenv("D2L_BACKEND", "numpy")
    monkeypatch.setenv("D2L_BACKENDD", "numpy")
    ended = here("doctor")
    assert ended.status == 0, ended.out
    assert "Nothing here would break a run." in ended.out
    assert "D2L_BACKENDD: did you mean D2L_BACKEND?" in ended.out


def test_doctor_finds_what_is_absent_or_broken(d2l: Command, register: Callable[..., str]) -> None:
    register("absent", requires=("no_such_framework",))
    register("broken", "raise ImportError('half installed')")
    ended = d2l("doctor", "--json")
    assert ended.status == 1
    found = {entry["what"]: entry for entry in json.loads(ended.out) if entry["area"] == "backends"}
    assert [name for name in found if found[name]["state"] == "broken"] == ["broken"]
    assert found["broken"]["remedy"] == "install it again: pip install broken"
    assert found["absent"]["remedy"] == "to make it available: pip install absent"
    assert {name for name in found if found[name]["state"] == "fine"} == set(installed_backends())


def test_doctor_knows_every_variable_that_the_code_reads() -> None:
    used = {
        name
        for folder in ("d2l_core", "backends", "conformance")
        for path in (ROOT.parent / folder).rglob("*.py")
        for name in re.findall(r"\bD2L_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if not name.startswith("D2L_PYTHON")} == set(_doctor.VARIABLES)


def test_doctor_guards_every_embedded_file() -> None:
    samples = ROOT / "data" / "samples"
    assert set(_doctor.SAMPLES) == {path.relative_to(samples).as_posix() for path in samples.rglob("*.gz")}


def test_doctor_sees_a_changed_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings(monkeypatch)["embedded data"].state == _doctor.FINE
    first = next(iter(_doctor.SAMPLES))
    monkeypatch.setattr("d2l_core.data._samples.sample_bytes", lambda path: b"" if path == first else b"x")
    found = findings(monkeypatch)["embedded data"]
    assert found.state == _doctor.BROKEN
    assert first in found.found


@pytest.mark.parametrize(
    ("name", "value", "what", "state"),
    [
        ("D2L_PRECISION", "16", "D2L_PRECISION", _doctor.BROKEN),
        ("D2L_PRECISION", "64", "D2L_PRECISION", _doctor.FINE),
        ("D2L_SCALE", "huge", "D2L_SCALE", _doctor.BROKEN),
        ("D2L_MIRROR", "ftp://x", "D2L_MIRROR", _doctor.BROKEN),
        ("D2L_HOME", "/dev/null/x", "cache", _doctor.BROKEN),
        ("D2L_DATA_DIR", "/no/such/folder", "D2L_DATA_DIR", _doctor.NOTE),
        ("D2L_PYTHON_NUMPY", "/no/such/python", "D2L_PYTHON_NUMPY", _doctor.BROKEN),
        ("D2L_COLOUR", "red", "D2L_COLOUR", _doctor.NOTE),
        ("OMP_NUM_THREADS", "100000", "threads", _doctor.NOTE),
    ],
)
def test_doctor_on_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, what: str, state: str
) -> None:
    monkeypatch.setenv(name, value)
    found = findings(monkeypatch)[what]
    assert found.state == state
    assert bool(found.remedy) == (state != _doctor.FINE)


def test_doctor_on_a_default_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2L_BACKEND", "nonesuch")
    (found,) = _doctor._settings([])
    assert found.state == _doctor.BROKEN
    assert "There is no backend 'nonesuch'" in found.found
