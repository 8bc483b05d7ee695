"""Every fault that is put in on purpose is found by the suite, by name; without it the same tests pass."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from d2l_conformance.faults import FAULTS, Fault


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the tests of each fault say without and with it, from one process for all."""
    file = tmp_path_factory.mktemp("faults") / "outcomes.json"
    command = [sys.executable, "-m", "d2l_conformance.faults", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_faults_have_names_of_their_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 24


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_suite_finds(fault: Fault, outcomes: dict[str, Any]) -> None:
    outcome = outcomes[fault.name]
    assert len(outcome["healthy"]) == len(fault.tests), f"of {fault.tests} there are {list(outcome['healthy'])}"
    assert not any(outcome["healthy"].values()), "a test fails without the fault"
    for test, message in outcome["broken"].items():
        assert message is not None, f"{test} does not find it"
        assert message.startswith("AssertionError"), f"{test} breaks off instead of finding it: {message}"
        assert fault.says in message, f"{test} does not say that it is {fault.says}: {message}"
