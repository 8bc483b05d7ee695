"""Figures are legible on white, on black and in print; diagrams are drawings that a browser can read."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import pytest

from d2l_core.plots import COLOURS, INK, Diagram, flow, house_style

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("colour", "least"), [(INK, 4.5), *((colour, 3.0) for colour in COLOURS)])
def test_contrast_to_white_and_to_black(colour, least):
    own = luminance(colour) + 0.05
    assert min(1.05 / own, own / 0.05) >= least


@house_style
def two_lines():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1])
    axes.plot([0, 1], [1, 0])
    axes.set(xlabel="step")
    return figure


def test_the_house_style_holds_inside_and_ends_outside():
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    open_before = plt.get_fignums()
    before = dict(mpl.rcParams)
    figure = two_lines()
    first, second = figure.axes[0].lines
    assert (first.get_color(), second.get_color()) == COLOURS[:2]
    assert first.get_linestyle() != second.get_linestyle()
    assert figure.axes[0].xaxis.label.get_color() == INK
    now = dict(mpl.rcParams)
    assert {name for name in now if name != "backend" and now[name] != before[name]} == set()
    assert plt.get_fignums() == open_before


def test_without_matplotlib_a_lesson_goes_on(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert two_lines() is None
    assert "matplotlib is missing" in capsys.readouterr().err


def test_a_flow_has_a_box_for_each_stage_and_an_arrow_between_neighbours():
    stages = [(f"layer {number}", "(n, 3)") for number in range(7)]
    drawing = ElementTree.fromstring(flow(*stages, per_row=4).svg())  # noqa: S314
    assert len(drawing.findall(f"{SVG}rect")) == 7
    assert len(drawing.findall(f"{SVG}polygon")) == 6
    words = [text.text for text in drawing.findall(f"{SVG}text")]
    assert words.count("(n, 3)") == 7
    for box in drawing.findall(f"{SVG}rect"):
        assert float(box.get("x")) + float(box.get("width")) <= float(drawing.get("width"))


def test_arrows_end_at_the_edges_of_shapes():
    diagram = Diagram(200, 100)
    circle, box = diagram.circle(30, 50, 20, "x"), diagram.box(100, 30, 60, 40, "<f & g>")
    diagram.arrow(circle, box, "w")
    drawing = ElementTree.fromstring(diagram.svg())  # noqa: S314
    line = drawing.find(f"{SVG}line")
    assert float(line.get("x1")) == 50
    tip = drawing.find(f"{SVG}polygon").get("points").split()[0]
    assert tip == "100,50"
    assert "<f & g>" in [text.text for text in drawing.findall(f"{SVG}text")]
