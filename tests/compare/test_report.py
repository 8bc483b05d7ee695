"""The page: complete, well-formed, self-contained, and honest about what is missing."""

import json
import math
import re
from html.parser import HTMLParser

import pytest

from d2l_core.compare._report import load, render, verdict
from d2l_core.compare._results import write_results
from d2l_core.compare._svg import Chart, Curve, scientific

VOID = {"meta", "link", "br", "img", "input", "hr"}
NASTY = '</script><img src=x onerror="alert(1)">&'


class Page(HTMLParser):
    """Checks that elements are closed in the order in which they were opened, and keeps what the tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def worker(name, losses, status="done", **changes):
    """An entry of ``results.json`` as `_results.worker_entry` makes it."""
    environment = {
        "framework": name.title(), "version": "1.0", "numpy": "2.0", "python": "3.12", "d2l": "0", "device": "cpu",
        "precision": 32, "platform": "P", "machine": "M", "cores": 2, "threads": {}, "peak_memory_bytes": 2**20,
    }  # fmt: skip
    return {
        "name": name, "backend": name, "title": name.title(), "status": status, "message": "", "last_words": [],
        "epochs": [{"epoch": 1, "loss": 1.0, "val_loss": 0.5, "seconds": 0.1}] if losses else [], "losses": losses,
        "total_steps": len(losses), "digests": {}, "environment": environment if losses else {},
        "times": {"total": 1.0, "epoch": 0.1, "step": 0.01, "first_step": 0.05},
    } | changes  # fmt: skip


def pair(a, b, within=True, **changes):
    largest = {"value": 0.25, "step": 2}
    layer = {"absolute": 1e-6, "relative": 2e-7, "ulp_median": 0.5, "ulp_max": 3.0, "cancels": False}
    judged = {"steps": 3, "within": within, "first_outside": None if within else 2, "worst": largest}
    losses = {"steps": 3, "first_difference": 1, "absolute": largest, "relative": largest, "ulp": largest}
    return {
        "a": a, "b": b, "same_start": True, "losses": losses, "epoch": 1,
        "metrics": {"val_loss": {"a": 0.5, "b": 0.5, "absolute": 0.0, "relative": 0.0, "ulp": 0.0}},
        "verdict": judged, "activations": {"0": layer}, "gradients": {"0.weight": layer},
    } | changes  # fmt: skip


def document(workers, pairs, **changes):
    return {
        "format": "d2l-compare-1", "lesson": "a-lesson", "title": "A lesson", "sections": ["1.2"], "job": "main",
        "headline": "val_loss", "scale": "smoke", "seed": 0, "precision": 32, "device": None,
        "date": "2030-01-02T03:04:05Z", "machine": "M", "interrupted": False, "modules": {"0": "Linear"},
        "workers": workers, "pairs": pairs,
        "calibration": {
            "backend": workers[0]["name"], "runs": [[3.0, 2.0, 1.0]], "factor": 10.0, "floor_eps": 8.0,
            "drift": [0.0, 0.0, 0.0], "budget": [1e-6, 1e-6, 1e-6],
        },
    } | changes  # fmt: skip


@pytest.fixture
def good():
    return document([worker("alpha", [3.0, 2.0, 1.0]), worker("beta", [3.0, 2.0, 1.25])], [pair("alpha", "beta")])


def test_the_page_is_well_formed_and_complete(good):
    page = Page(render(good))
    for words in ("A lesson", "Alpha", "Beta", "one path", "Results and time", "Layer by layer", "Linear", "float32"):
        assert words in page.text
    assert page.tags.count("figure") == 3
    assert "main" in page.tags
    for title in ("Where the paths part", "What the numbers were made on"):
        assert title in page.text


def test_nothing_is_fetched_from_elsewhere(good):
    text = render(good)
    assert not re.search(r"https?://|//[a-z]|@import|url\(", text)
    names = {name for name, _ in Page(text).attributes}
    assert not names & {"src", "href", "xlink:href", "srcset"}


def test_pictures_and_tables_can_be_understood_without_seeing(good):
    page = Page(render(good))
    assert page.tags.count("title") == 1 + 3
    assert page.tags.count("desc") == 3
    assert page.tags.count("table") == page.tags.count("caption")
    assert {value for name, value in page.attributes if name == "scope"} == {"col", "row"}
    identities = [value for name, value in page.attributes if name == "id"]
    assert len(identities) == len(set(identities))


def test_all_text_is_escaped(good):
    good["title"] = good["machine"] = good["job"] = NASTY
    for entry in good["workers"]:
        entry["title"] = NASTY
        entry["environment"]["platform"] = NASTY
    good["workers"].append(worker(NASTY, [], "died", message=NASTY, last_words=[NASTY]))
    good["pairs"][0]["activations"] = {NASTY: None}
    page = Page(render(good))
    assert "img" not in page.tags
    assert "onerror" not in {name for name, _ in page.attributes}
    assert NASTY in page.text


def test_failures_are_shown_with_their_last_words(good):
    good["workers"].append(worker("gamma", [], "died", message="It died by SIGKILL.", last_words=["one", "two"]))
    good["workers"].append(worker("delta", [], "skipped", message="install it with: pip install delta"))
    page = Page(render(good))
    for words in ("It died by SIGKILL.", "one two", "pip install delta", "not installed", "1 of 3 did not finish"):
        assert words in page.text


def test_a_pair_outside_the_budget_makes_the_headline(good):
    good["pairs"] = [pair("alpha", "beta", within=False)]
    page = Page(render(good))
    assert "1 of 1 pairs part by more than rounding, the first at step 2" in page.text
    assert "leaves at step 2" in page.text
    assert "leave the budget at step 2" in verdict(good["pairs"][0])


def test_what_never_began_is_still_a_page():
    data = document([worker("alpha", [], "failed", message="No.")], [], calibration=None)
    page = Page(render(data))
    assert "No framework finished." in page.text
    assert "figure" not in page.tags


def test_a_run_that_broke_off_in_nan_is_drawn_up_to_there(good, tmp_path):
    broken = [3.0, math.nan, math.inf]
    good["workers"][1]["losses"] = broken
    good["pairs"][0]["losses"]["absolute"] = {"value": math.inf, "step": 1}
    write_results(tmp_path / "results.json", good)
    text = (tmp_path / "results.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    back = load(tmp_path / "results.json")
    assert math.isnan(back["workers"][1]["losses"][1])
    assert back["workers"][1]["losses"][2] == math.inf
    page = Page(render(back))
    assert "∞" in page.text
    assert not re.search(r'd="[^"]*(nan|inf)', render(back))


def test_curves_that_coincide_differ_in_width_and_dash():
    chart = Chart("c", "t", "d", "x", "y", [0, 1], [Curve(str(i), (i,), [1.0, 2.0]) for i in range(5)])
    svg = chart.svg().split('<g class="log">')[0]
    widths = [float(width) for width in re.findall(r'class="s\d" stroke-width="([\d.]+)"', svg)]
    assert widths == sorted(set(widths), reverse=True)
    assert len(widths) == 5
    assert len(set(re.findall(r'stroke-dasharray="([^"]+)"', svg))) == 4


def test_every_point_lies_inside_the_frame():
    values = [1e-9, 0.0, 3.0, 1e6]
    chart = Chart("c", "t", "d", "x", "y", [0, 1, 2, 3], [Curve("a", (0, 1), values)], limit=("l", [1.0] * 4))
    for path in re.findall(r' d="([^"]+)"', chart.svg()):
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path):
            assert 0 <= float(x) <= 720
            assert 0 <= float(y) <= 420


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.25e-7, "1.2 × 10⁻⁷"), (0.5, "0.5"), (math.inf, "∞"), (12345.0, "1.2 × 10⁴"), (1234.0, "1,234")],
)
def test_differences_are_written_for_people(value, text):
    assert scientific(value) == text
