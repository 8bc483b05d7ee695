"""One style for all figures of the lessons, and diagrams drawn as SVG.

A page may be white or dark, and print has no colour at all. So backgrounds are transparent, ink and line colours have a
contrast of at least 3 to both white and black (ink 4.5), and the colours come together with line styles.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any, ParamSpec

__all__ = ["COLOURS", "INK", "Diagram", "Shape", "flow", "house_style"]

INK = "#767676"
"""Text, axes and arrows: a grey that is read on white as well as on black."""

COLOURS = ("#3b7dd8", "#d0671d", "#2f9150", "#b455c4", "#a88100", "#cf4b63")
"""The colours C0 to C5 of a figure."""

_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1)))
_INKED = (
    "text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color",
    "xtick.labelcolor", "ytick.labelcolor", "grid.color", "patch.edgecolor", "hatch.color",
    "boxplot.boxprops.color", "boxplot.whiskerprops.color", "boxplot.capprops.color",
)  # fmt: skip

P = ParamSpec("P")


def style() -> dict[str, Any]:
    """The settings of matplotlib (``rcParams``) that make up the house style."""
    from matplotlib.rcsetup import cycler

    return dict.fromkeys(_INKED, INK) | {
        "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=_STYLES),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "savefig.transparent": True,
        "font.size": 10.0,
        "grid.alpha": 0.35,
        "image.cmap": "viridis",
        "legend.frameon": False,
        "legend.fontsize": "small",
        "lines.linewidth": 1.8,
        "lines.markersize": 5.0,
    }


def house_style(draw: Callable[P, Any]) -> Callable[P, Any]:
    """Decorate a function that draws and returns a figure with matplotlib.

    It runs with the house style, and its figure is closed for ``pyplot``, so that a notebook shows it once, as the
    value of the cell. Where matplotlib is not installed the function says so and returns None: the rest of a lesson
    runs without pictures.
    """

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            print('No figure: matplotlib is missing; pip install "d2l-core[notebook]"', file=sys.stderr)
            return None
        settings: Any = style()
        with plt.rc_context(settings):
            figure = draw(*args, **kwargs)
            _settle(figure)
        plt.close(figure)
        return figure

    return styled


def _settle(figure: Any) -> None:
    """Lines and words keep names such as ``C0`` until they are drawn, when the style is gone: look them up now."""
    from matplotlib.colors import to_hex, to_rgba

    for artist in figure.findobj(lambda artist: hasattr(artist, "get_color")):
        for of in ("color", "markerfacecolor", "markeredgecolor"):
            colour = getattr(artist, f"get_{of}", lambda: None)()
            if isinstance(colour, str) and colour not in ("auto", "none"):
                getattr(artist, f"set_{of}")(to_hex(colour, keep_alpha=to_rgba(colour)[3] < 1.0))


@dataclass(frozen=True)
class Shape:
    """A box or a circle of a diagram: its centre and half its width and height, in pixels."""

    x: float
    y: float
    half_width: float
    half_height: float
    round: bool = False

    def edge(self, towards: tuple[float, float]) -> tuple[float, float]:
        """Where a line from the centre towards a point leaves the shape."""
        dx, dy = towards[0] - self.x, towards[1] - self.y
        if self.round:
            length = (dx * dx + dy * dy) ** 0.5 or 1.0
            return self.x + dx / length * self.half_width, self.y + dy / length * self.half_height
        reach = max(abs(dx) / self.half_width, abs(dy) / self.half_height) or 1.0
        return self.x + dx / reach, self.y + dy / reach


@dataclass
class Diagram:
    """Boxes, circles and arrows on a canvas, in pixels from its upper left corner; Jupyter shows it as it is.

    Attributes:
        width, height: of the canvas.
        title: for those who cannot see it.
    """

    width: float
    height: float
    title: str = "diagram"
    _parts: list[str] = field(default_factory=list, repr=False)

    def box(
        self, x: float, y: float, width: float, height: float, label: str, caption: str = "", colour: str = INK
    ) -> Shape:
        """A box with its upper left corner at (x, y), a label inside and a caption, such as a shape, below."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" {_outline(colour)}/>'
        )
        self.text(x + width / 2, y + height / 2, label)
        if caption:
            self.text(x + width / 2, y + height + 13, caption, size=11)
        return Shape(x + width / 2, y + height / 2, width / 2, height / 2)

    def circle(self, x: float, y: float, radius: float, label: str = "", colour: str = INK) -> Shape:
        """A circle around (x, y) with a label inside."""
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {_outline(colour)}/>')
        if label:
            self.text(x, y, label)
        return Shape(x, y, radius, radius, round=True)

    def arrow(
        self,
        start: Shape | tuple[float, float],
        end: Shape | tuple[float, float],
        label: str = "",
        colour: str = INK,
        dashed: bool = False,
    ) -> None:
        """An arrow between two shapes or points, with a label beside its middle."""
        tail = start.edge(_centre(end)) if isinstance(start, Shape) else start
        head = end.edge(_centre(start)) if isinstance(end, Shape) else end
        dashes = ' stroke-dasharray="5 4"' if dashed else ""
        (x1, y1), (x2, y2) = tail, head
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1.0
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        bx, by = x2 - 9 * ux, y2 - 9 * uy
        self._parts.append(
            f'<line x1="{x1:.4g}" y1="{y1:.4g}" x2="{bx:.4g}" y2="{by:.4g}" stroke="{colour}" '
            f'stroke-width="1.6"{dashes}/>'
            f'<polygon points="{x2:.4g},{y2:.4g} {bx - 4 * uy:.4g},{by + 4 * ux:.4g} '
            f'{bx + 4 * uy:.4g},{by - 4 * ux:.4g}" fill="{colour}"/>'
        )
        if label:
            side = 10 if abs(ux) > abs(uy) else 0
            shift = 0 if side else 6 + 3.2 * len(label)
            self.text((x1 + x2) / 2 + shift, (y1 + y2) / 2 - side, label, size=11)

    def text(self, x: float, y: float, label: str, size: float = 13) -> None:
        """Words centred at (x, y)."""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="middle" dominant-baseline="central" '
            f'fill="{INK}">{escape(label)}</text>'
        )

    def svg(self) -> str:
        """The whole drawing as the text of an SVG file."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" role="img" font-family="sans-serif">'
            f"<title>{escape(self.title)}</title>{''.join(self._parts)}</svg>"
        )

    _repr_svg_ = svg


def flow(*stages: tuple[str, str] | str, per_row: int = 6, title: str = "data flow") -> Diagram:
    """A chain of boxes joined by arrows, in rows from left to right: what happens to data, and its shapes.

    Args:
        stages: each a label, or a label and a caption such as ``"(n, 256)"``.
        per_row: boxes in a row.
        title: for those who cannot see it.
    """
    pairs = [(stage, "") if isinstance(stage, str) else stage for stage in stages]
    width = max(64.0, *(8.5 * len(label) + 20 for label, _ in pairs), *(6.6 * len(caption) + 8 for _, caption in pairs))
    gap, height, row = 34.0, 38.0, 92.0
    columns, rows = min(per_row, len(pairs)), -(-len(pairs) // per_row)
    diagram = Diagram(columns * (width + gap) - gap + 8, rows * row - 20, title)
    before: Shape | None = None
    for number, (label, caption) in enumerate(pairs):
        x, y = 4 + number % per_row * (width + gap), 8 + number // per_row * row
        shape = diagram.box(x, y, width, height, label, caption)
        if before is not None and number % per_row:
            diagram.arrow(before, shape)
        elif before is not None:
            turn = y - 20
            diagram._parts.append(
                f'<path d="M{before.x:g} {before.y + 44:g} V{turn:g} H{shape.x:g}" fill="none" stroke="{INK}" '
                'stroke-width="1.6"/>'
            )
            diagram.arrow((shape.x, turn), shape)
        before = shape
    return diagram


def _centre(end: Shape | tuple[float, float]) -> tuple[float, float]:
    return (end.x, end.y) if isinstance(end, Shape) else end


def _outline(colour: str) -> str:
    return f'fill="{colour}" fill-opacity="0.10" stroke="{colour}" stroke-width="1.6"'
