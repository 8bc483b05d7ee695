"""``d2l conformance``: the scorecard of a backend, of a third party's adapter, and of one that is incomplete."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from d2l_core import cli
from d2l_core.backend import adapters

from .conftest import COMMAND, TIMEOUT_S, Ended

Command = Callable[..., Ended]
EXAMPLE = Path(__file__).parents[2] / "docs" / "example_adapter"
REFERENCE = "numpy"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example adapter of the documentation, installed for new processes; the folder of its modules."""
    site = tmp_path / "site"
    info = site / "d2l_example-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: d2l-example\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[d2l.backends]\nexample = d2l_example:adapter\n")
    shutil.copytree(EXAMPLE / "d2l_example", site / "d2l_example")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")])))
    return site / "d2l_example"


class Tags(HTMLParser):
    """Counts opened and closed elements, and collects the words."""

    VOID = ("meta", "br")

    def __init__(self, page: str):
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        assert not any(key in ("src", "href") for key, _ in attrs), "the page needs another file"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


# ------------------------------------------------------------ what goes well


def test_a_green_card(d2l: Command, tmp_path: Path) -> None:
    words = ("-k", "gru or exp2 or SGD", "--json", "card.json", "--html", "card.html")
    ended = d2l("conformance", "--backend", REFERENCE, *words)
    assert ended.status == 0, ended.err
    assert re.search(r"numpy \(NumPy [\d.]+\) conforms as far as it was asked for: (\d+) of \1 tests", ended.out)
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["format"] == "d2l-conformance-1"
    assert card["green"]
    assert card["tests"] == card["done"] == sum(row["passed"] + row["limited"] for row in card["areas"]) > 10
    assert {row["area"] for row in card["areas"]} >= {"layers", "gradients", "compiled", "optimisers", "native layers"}
    assert {row["case"] for row in card["errors"]} == {"gru"}
    assert all(0 <= row["share"] <= 1 for row in card["errors"])
    assert card["versions"]["NumPy"]
    assert card["failures"] == card["missing"] == []
    page = Tags((tmp_path / "card.html").read_text())
    assert page.open == []
    assert {"It conforms as far as asked for: gru or exp2 or SGD.", "gru"} <= set(page.words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.html", "card.json"]  # and nothing else


def test_json_on_standard_output_is_nothing_but_json(d2l: Command) -> None:
    ended = d2l("conformance", "--backend", REFERENCE, "-k", "test_value and flip", "--json", "-")
    assert json.loads(ended.out)["tests"] == 2
    assert "conforms" in ended.err


def test_limits_are_counted_and_told(d2l: Command) -> None:
    ended = d2l("conformance", "--backend", REFERENCE, "-k", "native_optimiser", "--json", "card.json")
    card = json.loads((Path(os.environ["D2L_HOME"]).parent / "card.json").read_text())
    native = [limit for limit in adapters()[REFERENCE].limits if limit.startswith("native ")]
    assert sum(row["limited"] for row in card["areas"]) == 2 * len(native)
    assert "Limited: NumPy has no optimisers of its own." in ended.out


# ------------------------------------------------------------ adapters of a third party


def test_the_example_of_the_documentation_conforms(d2l: Command, example: Path) -> None:
    ended = d2l("conformance", "--backend", "example", "-k", "conv or where or eigh or gru or scan or calls or lenet")
    assert ended.status == 0, ended.out
    assert re.search(r"example \(Example 1.0\) conforms as far as it was asked for: (\d+) of \1 tests", ended.out)


def test_an_incomplete_adapter_is_examined_as_far_as_it_goes(d2l: Command, example: Path, tmp_path: Path) -> None:
    source = (example / "network.py").read_text()
    (example / "network.py").write_text(source.replace("def conv(", "def convolution("))
    (example / "linalg.py").unlink()
    assert d2l("run", "lenet", "--backend", "example").status == 1
    ended = d2l("conformance", "--backend", "example", "-k", "conv or gru or eigh", "--json", "card.json")
    assert ended.status == 1
    assert re.search(r"conv +\S.*lenet", ended.out)
    assert "does not conform" in ended.out
    assert "7 missing primitives" in ended.out
    card = json.loads((tmp_path / "card.json").read_text())
    assert {row["primitive"]: row["lessons"] for row in card["missing"]}["conv"][-1] == "lenet"
    assert "symmetric_eigen" in {row["primitive"] for row in card["missing"]}
    assert card["failures"] == []
    rows = {row["area"]: row for row in card["areas"]}
    assert rows["network"]["missing"] == 6  # conv itself: values, edges and wrong calls at both precisions
    assert rows["linear algebra"]["missing"] > 0
    assert rows["native layers"]["passed"] > 0  # gru needs nothing of what is missing


def test_a_fault_is_one_line(d2l: Command, example: Path, tmp_path: Path) -> None:
    with (example / "arrays.py").open("a") as module:
        module.write("\n\ndef exp(x, /):\n    return owned(numpy.exp(x) * 1.001)\n")
    ended = d2l("conformance", "--backend", "example", "-k", "test_value and 64-exp", "--html", "card.html")
    assert ended.status == 1
    lines = [line for line in ended.out.splitlines() if line.startswith("FAILED ")]
    assert any(
        re.match(r"FAILED .*\[example-64-exp\]: exp\(float64\[3, 4\]\) is .* units off$", line) for line in lines
    )
    assert "What failed" in Tags((tmp_path / "card.html").read_text()).words


# ------------------------------------------------------------ what goes otherwise


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--backend", "nix"), "There is no backend 'nix'"),
        (("--backend", REFERENCE, "-k", "nosuchtest"), "No test of the suite matches -k 'nosuchtest'"),
        (("--backend", REFERENCE, "-k", "and and"), "-k 'and and' is no expression"),
        (("--backend", REFERENCE, "--html", "."), "is a folder"),
    ],
)
def test_wrong_usage(d2l: Command, words: tuple[str, ...], sentence: str) -> None:
    ended = d2l("conformance", *words)
    assert ended.status == 2
    assert sentence in ended.err
    assert len(ended.err.splitlines()) <= 2


def test_without_pytest_there_is_one_sentence(
    here: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli._conformance, "NEEDED", ("pytest", "no_such_module"))
    ended = here("conformance", "--backend", REFERENCE)
    assert ended.status == 2
    sentence = 'The suite needs no_such_module, not installed here; install with: pip install "d2l-core[conformance]"'
    assert ended.err == f"Error: {sentence}\n"


def test_settings_of_the_user_stay_out(d2l: Command, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    ended = d2l("conformance", "--backend", REFERENCE, "-k", "test_value and flip", PYTEST_ADDOPTS="--nor-this")
    assert ended.status == 0, ended.err


def test_ctrl_c_leaves_a_card(tmp_path: Path) -> None:
    command = [*COMMAND, "conformance", "--backend", REFERENCE, "-k", "not calls", "--json", "card.json"]
    worker = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert worker.stderr is not None
    for line in worker.stderr:  # a tenth of the tests is over
        if re.match(r"numpy: \d+ of", line):
            break
    worker.send_signal(signal.SIGINT)
    out, err = worker.communicate(timeout=TIMEOUT_S)
    assert worker.returncode == 130
    assert "Interrupted; the scorecard holds the" in err
    assert "was not examined to the end" in out
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["interrupted"]
    assert not card["green"]
    assert 0 < card["done"] < card["tests"]
    assert card["areas"]
