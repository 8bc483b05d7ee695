"""``d2l run``: results, and that a break loses nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from d2l_core.backend import adapters
from d2l_core.lessons import WHOLE, find_lesson

from .conftest import COMMAND, TIMEOUT_S, Ended, installed_backends

Command = Callable[..., Ended]
LESSON = "linear-regression"
JOB = (LESSON, "--job", "concise", "--backend", "numpy", "--scale", "smoke")


def results(ended: Ended) -> dict[str, Any]:
    """The JSON on standard output of a run that went well."""
    assert ended.status == 0, ended.err
    data: dict[str, Any] = json.loads(ended.out)
    return data


# ------------------------------------------------------------ results


def test_all_jobs_in_order(here: Command) -> None:
    ended = here("run", LESSON, "--job", "all", "--backend", "numpy", "--scale", "smoke")
    assert ended.status == 0
    jobs = list(find_lesson(LESSON).jobs())
    rows = [line.split()[0] for line in ended.out.splitlines() if line.split() and line.split()[0] in jobs]
    assert rows == jobs
    assert "(--backend)" in ended.err


def test_the_main_job_is_the_default_and_the_others_are_named(here: Command) -> None:
    ended = here("run", LESSON, "--backend", "numpy", "--scale", "smoke", "--json", "-")
    main = find_lesson(LESSON).header.main
    assert list(results(ended)["jobs"]) == [main]
    assert all(job in ended.err for job in find_lesson(LESSON).jobs())


def test_promises_are_judged(here: Command) -> None:
    promised = [promise for promise in find_lesson(LESSON).header.promises["full"] if promise.job != WHOLE]
    ended = here("run", LESSON, "--job", "all", "--backend", "numpy", "--scale", "full")
    lines = [line for line in ended.out.splitlines() if line.startswith("Promise kept: ")]
    assert len(lines) == len(promised) > 0
    short = here("run", LESSON, "--job", "all", "--backend", "numpy", "--scale", "full", "--epochs", "1", "--json", "-")
    assert [entry["promise"] for entry in results(short)["promises"]] == [str(promise) for promise in promised]
    assert not all(entry["kept"] for entry in results(short)["promises"])
    assert "Promise NOT kept" in short.err


def test_json_says_what_was_run(here: Command, tmp_path: Path) -> None:
    ended = here("run", *JOB, "--seed", "3", "--precision", "64", "--epochs", "2", "--json", "deep/r.json")
    assert ended.status == 0
    data = json.loads((tmp_path / "deep" / "r.json").read_text())
    known = {key: data[key] for key in ("lesson", "backend", "device", "precision", "scale", "seed")}
    assert known == {
        "lesson": LESSON, "backend": "numpy", "device": "cpu", "precision": 64, "scale": "smoke", "seed": 3,
    }  # fmt: skip
    job = data["jobs"]["concise"]
    assert len(job["epochs"]) == 2
    assert len(job["losses"]) == 64
    assert job["metrics"]["val_loss"] == job["epochs"][-1]["val_loss"]
    assert f"{job['metrics']['val_loss']:.17g}" in ended.out
    assert data["versions"]["NumPy"]


def test_json_on_standard_output_is_alone_there(here: Command) -> None:
    first = results(here("run", *JOB, "--json", "-"))
    again = results(here("run", *JOB, "--json", "-"))
    assert first["jobs"]["concise"]["losses"] == again["jobs"]["concise"]["losses"]
    other = results(here("run", *JOB, "--seed", "1", "--json", "-"))
    assert first["jobs"]["concise"]["losses"] != other["jobs"]["concise"]["losses"]


def test_json_into_a_device_leaves_the_device(here: Command) -> None:
    assert here("run", *JOB, "--json", "/dev/null").status == 0
    assert not Path("/dev/null").is_file()


def test_a_link_stays_a_link(here: Command, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("target.json")
    assert here("run", *JOB, "--json", "link.json").status == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "target.json").read_text())["lesson"] == LESSON


def test_why_this_backend(d2l: Command) -> None:
    ended = d2l("run", LESSON, "--job", "concise", "--scale", "smoke", D2L_BACKEND="numpy")
    assert "on numpy: NumPy" in ended.err
    assert "(D2L_BACKEND)" in ended.err


def test_the_default_backend_is_named(d2l: Command) -> None:
    ended = d2l("run", LESSON, "--job", "concise", "--scale", "smoke")
    first, last = installed_backends()[0], list(adapters())[-1]
    assert f"on {first}: " in ended.err
    assert ("(no framework installed)" if first == last else "(first installed framework)") in ended.err


@pytest.mark.parametrize("precision", [32, 64])
def test_backends_agree(here: Command, monkeypatch: pytest.MonkeyPatch, precision: int) -> None:
    words = ("run", LESSON, "--job", "concise", "--scale", "smoke", "--precision", precision, "--json", "-")
    losses = {}
    for name in installed_backends():
        monkeypatch.setenv("D2L_BACKEND", name)
        losses[name] = results(here(*words))["jobs"]["concise"]["metrics"]["val_loss"]
    expected = pytest.approx(losses["numpy"], rel=1e-6 if precision == 32 else 1e-12)
    assert losses == dict.fromkeys(losses, expected)


# ------------------------------------------------------------ breaks

EPOCHS = 60
LONG = ("run", *JOB, "--epochs", str(EPOCHS))


# A test run in the background of a shell ignores Ctrl-C, and so would its children.
_DEAF_NO_MORE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from d2l_core.cli import main
main()
"""


def broken_off(tmp_path: Path, how: int, *, after: int = 5, words: tuple[str, ...] = LONG) -> Ended:
    """A run that gets a signal when it has said that some epochs are done."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _DEAF_NO_MORE, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if f"epoch {after}/" in line:
            process.send_signal(how)
            break
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert f"epoch {EPOCHS}/" not in err, "the run was over before the signal came"
    return Ended(process.returncode, out, said + err)


def resume_words(err: str) -> list[str]:
    """The words of the command that a message recommends."""
    found = re.search(r": d2l (run .*--resume)", err)
    assert found is not None, err
    return shlex.split(found[1])


def losses(ended: Ended) -> list[float]:
    """Each step's loss of the one job."""
    found: list[float] = results(ended)["jobs"]["concise"]["losses"]
    return found


def test_interrupted_run_resumes_to_the_same_bits(d2l: Command, tmp_path: Path, home: Path) -> None:
    broken = broken_off(tmp_path, signal.SIGINT)
    assert broken.status == 130
    assert "Traceback" not in broken.err
    last = broken.err.splitlines()[-1]
    assert last.startswith("Interrupted; everything so far is saved, go on with: d2l run linear-regression")
    resumed = d2l(*resume_words(broken.err), "--json", "-")
    assert "epoch 1/" not in resumed.err
    assert f"epoch {EPOCHS}/{EPOCHS}" in resumed.err
    assert losses(resumed) == losses(d2l(*LONG, "--json", "-"))
    assert not list(home.rglob("*.safetensors"))


def test_killed_run_is_announced_and_resumes(d2l: Command, tmp_path: Path, home: Path) -> None:
    broken = broken_off(tmp_path, signal.SIGKILL)
    assert broken.status == -signal.SIGKILL
    anew = broken_off(tmp_path, signal.SIGINT, after=2)
    assert "Note: an unfinished run of concise" in anew.err
    assert "epoch 1/" in anew.err
    note = next(line for line in anew.err.splitlines() if line.startswith("Note: "))
    old = d2l(*resume_words(note), "--json", "-")
    assert "epoch 2/" not in old.err
    new = d2l(*LONG, "--resume", "--json", "-")
    assert "epoch 3/" in new.err
    assert losses(old) == losses(new) == losses(d2l(*LONG, "--json", "-"))


def test_a_success_leaves_no_files(here: Command, home: Path) -> None:
    assert here("run", *JOB).status == 0
    assert not list(home.rglob("*.safetensors"))


def test_named_checkpoint_stays_and_goes_on(here: Command, tmp_path: Path) -> None:
    first = here("run", *JOB, "--epochs", "2", "--checkpoint", "state.safetensors")
    assert first.status == 0
    assert (tmp_path / "state.safetensors").is_file()
    words = (*JOB, "--epochs", "5", "--json", "-")
    more = here("run", *words, "--checkpoint", "state.safetensors", "--resume")
    assert "epoch 2/5" not in more.err
    assert losses(more) == losses(here("run", *words))


def test_all_jobs_resume_where_they_were(d2l: Command, tmp_path: Path) -> None:
    words = ("run", LESSON, "--job", "all", "--backend", "numpy", "--scale", "smoke", "--epochs", "20")
    jobs = list(find_lesson(LESSON).jobs())
    process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"{jobs[1]}: epoch 3/"):
            process.kill()
            break
    process.communicate(timeout=TIMEOUT_S)
    resumed = d2l(*words, "--resume", "--json", "-")
    assert f"{jobs[0]}: epoch" not in resumed.err
    assert f"{jobs[1]}: epoch 2/" not in resumed.err
    whole = d2l(*words, "--json", "-")
    for job in jobs:
        assert results(resumed)["jobs"][job]["losses"] == results(whole)["jobs"][job]["losses"]


def test_nothing_to_resume(here: Command) -> None:
    ended = here("run", *JOB, "--resume")
    assert ended.status == 1
    assert ended.err.startswith("Error: There is no unfinished run to resume in ")


def test_checkpoint_of_another_run(here: Command) -> None:
    here("run", *JOB, "--checkpoint", "state.safetensors")
    ended = here("run", *JOB, "--seed", "1", "--checkpoint", "state.safetensors", "--resume")
    assert ended.status == 1
    assert "is of another run: seed is 0 there and 1 here" in ended.err


def test_damaged_checkpoint(here: Command, tmp_path: Path) -> None:
    (tmp_path / "state.safetensors").write_bytes(os.urandom(200))
    ended = here("run", *JOB, "--checkpoint", "state.safetensors", "--resume")
    assert ended.status == 1
    assert "is damaged" in ended.err


def test_damaged_leftover_does_not_stop_a_new_run(here: Command, home: Path) -> None:
    left = home / "runs" / "linear-regression-concise-numpy-32-smoke-0.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"not a checkpoint")
    assert here("run", *JOB).status == 0
    assert not left.exists()


def test_a_cache_that_cannot_be_written_stops_nothing(here: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2L_HOME", "/dev/null/home")
    ended = here("run", *JOB)
    assert ended.status == 0
    assert "Note: the state of this run cannot be kept" in ended.err
