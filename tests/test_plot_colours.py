"""A figure of the house style keeps its colours after the style is gone."""

from __future__ import annotations

import pytest

from d2l_core.plots import COLOURS, house_style


def test_colours_named_by_number_are_those_of_the_house_when_drawn_later():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")

    @house_style
    def draw():
        figure, axes = matplotlib.pyplot.subplots()
        axes.plot([0, 1], [0, 1], "o", color="C1")
        axes.plot([0, 1], [1, 0], "s", color="C2", markerfacecolor="none")
        axes.text(0.5, 0.5, "here", color="C3")
        return figure

    import matplotlib.pyplot

    figure = draw()
    axes = figure.axes[0]
    shown = [axes.lines[0].get_color(), axes.lines[1].get_color(), axes.texts[0].get_color()]
    assert shown == list(COLOURS[1:4])
    assert axes.lines[1].get_markerfacecolor() == "none"
