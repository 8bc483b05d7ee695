"""Tables, plots and pages, drawn from the figures alone."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from d2l_benchmarks import _plots, page
from d2l_benchmarks._statistics import paired_ratio
from d2l_benchmarks.bench import FORMAT

ROOT = Path(__file__).resolve().parents[2]


def side(kind: str, step: float, **entries: Any) -> dict[str, Any]:
    usual = {"form": "", "label": "by hand, plain" if kind == "native" else kind, "turns": [step, step], "ready": 1.5}
    usual |= {"step_us": 1e6 * step, "first_epoch": 2.0, "first_step": 3.5, "compile": 0.5, "peak_bytes": 2**28}
    usual |= {"losses": [1.0], "difference": 1e-7, "break_even": None, "epochs_each": 1}
    return {"kind": kind, **usual, **entries}


def row(workload: str, backend: str, ours: float, theirs: float, **entries: Any) -> dict[str, Any]:
    sides = [side("ours", ours, break_even={"against": "by hand, plain", "steps": 1234.0}), side("native", theirs)]
    usual = {"workload": workload, "base": workload.partition("@")[0], "backend": backend, "title": backend.title()}
    usual |= {"batch": 256, "depth": 1, "steps": 1, "best": 1, "first_ratio": 0.9, "memory_ratio": None}
    return {**usual, "sides": sides, **paired_ratio(sides[0]["turns"], sides[1]["turns"]), **entries}


@pytest.fixture
def result() -> dict[str, Any]:
    rows = [row("lenet", "b1", 0.5, 1.0, depth=None), row("lenet", "b2", 3.0, 1.0, depth=None)]
    rows += [row(f"mlp@batch={n}", "b1", 1e-4 * n, 2e-4 * n, batch=n) for n in (16, 1, 64)]
    rows += [row("mlp", "b1", 0.1, 0.2)]
    failure = {"workload": "gru", "backend": "b1", "sentence": "It <broke>."}
    frame = {"format": FORMAT, "date": "2026-01-02T03:04:05Z", "machine": "a machine", "threads": 2, "pairs": 2}
    frame |= {"against": "native", "interrupted": False, "versions": {"B": "1.0"}}
    return {**frame, "rows": rows, "failures": [failure]}


def test_a_sweep_is_what_differs_in_one_parameter(result: dict[str, Any]) -> None:
    rows = result["rows"]
    assert [each["batch"] for each in _plots.sweep_rows(rows, "batch", "b1")] == [1, 16, 64, 256]
    assert _plots.sweep_rows(rows, "depth", "b1") == []
    assert _plots.sweep_rows(rows, "batch", "b2") == []


def test_the_page_holds_all_figures(result: dict[str, Any]) -> None:
    html = page.render(result)
    assert "It &lt;broke&gt;." in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r'(src|href)="', html)  # nothing is loaded from elsewhere
    for text in ("500,000 µs", "1,000,000 µs", "0.50 to 0.50", "1,234 steps", "256 MiB", "a machine"):
        assert text in html
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing.replace(" hidden", ""))  # noqa: S314 - our own
    HTMLParser().feed(html)
    assert html.count('class="chart"') == 1


def test_a_page_without_figures(result: dict[str, Any]) -> None:
    html = page.render({**result, "rows": []})
    assert "Nothing was measured." in html


def test_marks_stand_where_the_ratios_are(result: dict[str, Any]) -> None:
    drawing = ElementTree.fromstring(_plots.intervals(result["rows"]))  # noqa: S314 - our own
    first, second = [float(circle.attrib["cx"]) for circle in drawing.iter("circle")][:2]
    (one,) = [line.attrib["x1"] for line in drawing.iter("line") if line.attrib["class"] == "axis"]
    assert first < float(one) < second
    assert (float(one) - first) / (second - float(one)) == pytest.approx(0.6309, rel=0.01)  # log 2 / log 3


def test_the_axis_of_a_sweep_names_the_sizes(result: dict[str, Any]) -> None:
    ((heading, chart),) = page.sweeps(result["rows"], "batch")
    assert heading == "B1"
    assert list(chart.x) == [0, 4, 6, 8]
    ticks = re.findall(r'text-anchor="middle">(\d+)</text>', chart.svg())
    assert {"1", "16", "64", "256"} <= set(ticks)
    assert json.loads(chart.data())["names"] == [1, 16, 64, 256]


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("performance_page", ROOT / "tools" / "performance_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documentation_is_written_from_files(result: dict[str, Any], tmp_path: Path) -> None:
    later = {**result, "rows": [row("lenet", "b2", 2.0, 1.0)]}
    noise = {**result, "against": "self"}
    for name, content in (("a", result), ("b", later), ("c", noise)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    docs = tmp_path / "docs"
    tool().main([str(tmp_path / f"{name}.json") for name in "cab"], docs)
    text = (docs / "performance.md").read_text()
    assert text.index("## Against the framework by hand") < text.index("## The noise")
    native = text[: text.index("## The noise")]
    assert "| lenet | b2 | 256 | 2,000,000 µs | 1,000,000 µs | by hand, plain | 2.00 | 2.00 to 2.00 |" in native
    assert "3,000,000 µs" not in native
    assert "geometric mean of 3 measurements" in native  # sizes of a sweep are no workloads of their own
    assert text.count("| mlp@batch=16 | b1 |") == 1
    tried = (ROOT / "docs" / "performance_tried.md").read_text().strip()
    assert text.rstrip().endswith(tried)
    plots = re.findall(r"\]\((.*?\.svg)\)", text)
    assert set(plots) == {"performance/native.svg", "performance/self.svg", "performance/batch.svg"}
    for plot in plots:
        ElementTree.fromstring((docs / plot).read_text())  # noqa: S314 - our own


def test_the_page_is_made_of_the_figures_beside_it(tmp_path: Path) -> None:
    measured = Path("performance", "measured")
    shutil.copytree(ROOT / "docs" / measured, tmp_path / measured)
    tool().main([], tmp_path)
    assert (tmp_path / "performance.md").read_text() == (ROOT / "docs" / "performance.md").read_text()


def test_the_tool_refuses_what_is_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"format": "another"}')
    for files in ([], [str(tmp_path / "none.json")], [str(tmp_path / "x.json")]):
        with pytest.raises(SystemExit, match="d2l bench --json"):
            tool().main(files, tmp_path)
