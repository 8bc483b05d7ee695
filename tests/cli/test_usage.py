"""How the command answers wrong words: one sentence, exit status 2, and nothing is done."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import d2l_core
from d2l_core.backend import adapters

from .conftest import COMMAND, Ended

Command = Callable[..., Ended]
LESSON = "linear-regression"

WRONG = {
    "lesson": (("run", "no-such-lesson"), "There is no lesson 'no-such-lesson'; choose one of: "),
    "backend": (("run", LESSON, "--backend", "nonesuch"), "There is no backend 'nonesuch'; choose one of: "),
    "scale": (("run", LESSON, "--scale", "huge"), "There is no scale 'huge'; choose one of: smoke, standard, full."),
    "job": (("run", LESSON, "--job", "none"), f"{LESSON} has no job 'none'; choose one of: "),
    "device": (("run", LESSON, "--backend", "numpy", "--device", "tpu:9"), "numpy has no device 'tpu:9' here; "),
    "precision": (("run", LESSON, "--precision", "16"), "'16' is not one of '32', '64'"),
    "seed": (("run", LESSON, "--seed", "-1"), "-1 is not in the range x>=0"),
    "epochs": (("run", LESSON, "--epochs", "0"), "0 is not in the range x>=1"),
    "json folder": (("run", LESSON, "--json", "."), "--json . is a folder; name a file."),
    "json place": (("run", LESSON, "--json", "/dev/null/x.json"), "--json /dev/null/x.json cannot be written"),
    "checkpoint place": (
        ("run", LESSON, "--job", "concise", "--checkpoint", "/dev/null/x"),
        "--checkpoint /dev/null/x cannot be written",
    ),
    "checkpoint for several": (("run", LESSON, "--job", "all", "--checkpoint", "x"), "choose one of them with --job."),
    "no lesson": (("run",), "Missing argument 'LESSON'"),
    "command": (("runn", LESSON), "No such command 'runn'"),
    "option": (("run", LESSON, "--sclae", "smoke"), "No such option"),
    "compare backend": (("compare", LESSON, "--backends", "numpy,nonesuch"), "There is no backend 'nonesuch'"),
    "compare nothing": (("compare", LESSON, "--backends", ","), "name at least one"),
    "compare job": (("compare", LESSON, "--job", "none"), f"{LESSON} has no job 'none'"),
    "compare out": (("compare", LESSON, "--out", "/dev/null/x"), "--out /dev/null/x cannot be written"),
    "notebook": (("notebook", "no-such-lesson"), "There is no lesson 'no-such-lesson'"),
    "verify seeds": (("verify", LESSON, "--seeds", "0,x"), "'0,x' is not a list of whole numbers such as 0,1,2"),
    "verify job": (("verify", LESSON, "--job", "none"), f"{LESSON} has no job 'none'"),
    "verify backend": (("verify", "all", "--backend", "nonesuch"), "There is no backend 'nonesuch'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage(here: Command, home: Path, case: str) -> None:
    words, sentence = WRONG[case]
    ended = here(*words)
    assert ended.status == 2
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert sentence in ended.err
    assert ended.out == ""
    assert not home.exists() or not list(home.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("D2L_SCALE", "huge", "There is no scale 'huge'"),
        ("D2L_BACKEND", "nonesuch", "There is no backend 'nonesuch'"),
        ("D2L_PRECISION", "16", "D2L_PRECISION is '16'; set it to 32 or 64."),
        ("D2L_DEVICE", "tpu:9", "has no device 'tpu:9' here"),
        ("D2L_COMPILER", "cobol", "numpy has no compiler 'cobol'; it has none to choose."),
    ],
)
def test_wrong_setting_in_the_environment(
    here: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    words = () if name == "D2L_BACKEND" else ("--backend", "numpy")
    ended = here("run", LESSON, *words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")
    assert sentence in ended.err


def test_no_words_show_the_help(here: Command) -> None:
    ended = here()
    assert ended.status == 2
    assert "Commands:" in ended.err


def test_version(here: Command) -> None:
    assert here("--version").out == f"d2l, version {d2l_core.__version__}\n"


def test_help_of_every_command(here: Command) -> None:
    for name in ("backends", "lessons", "run", "compare", "notebook", "verify", "doctor"):
        ended = here(name, "--help")
        assert ended.status == 0
        assert f"Usage: d2l {name}" in ended.out


def test_the_script_is_this_command() -> None:
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="d2l")
    from d2l_core.cli import main

    assert script.load() is main


def _best_of(count: int, command: list[str]) -> float:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return min(times)


def test_help_is_quick() -> None:
    assert _best_of(5, [*COMMAND, "--help"]) < 0.5


def test_import_is_quick() -> None:
    bare = _best_of(5, [sys.executable, "-P", "-c", "pass"])
    assert _best_of(5, [sys.executable, "-P", "-c", "import d2l_core"]) - bare < 0.3


@pytest.mark.parametrize(
    "code", ["import d2l_core", "import d2l_core.cli", "from d2l_core.lessons import lessons; lessons()"]
)
def test_no_framework_is_imported(code: str) -> None:
    roots = {root for adapter in adapters().values() for root in adapter.requires} - {"numpy"}
    code += f"\nimport sys; print(sorted({roots!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_completion(d2l: Command) -> None:
    settings = {"_D2L_COMPLETE": "bash_complete", "COMP_WORDS": "d2l run linear", "COMP_CWORD": "2"}
    done = d2l(**settings)
    assert "linear-regression" in done.out
    done = d2l(**settings | {"COMP_WORDS": "d2l compare x --backends numpy,", "COMP_CWORD": "4"})
    assert "numpy,numpy" in done.out


def test_a_reader_that_goes_away_is_no_error() -> None:
    writer = subprocess.Popen([*COMMAND, "lessons"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()
    complaint = writer.stderr.read().decode()
    assert writer.wait() == 1
    assert complaint == ""
