"""Line charts as SVG text: axes, curves that stay visible where they coincide, and data for the read-out.

A chart is drawn on a linear and on a logarithmic axis, one of which is shown. Curves lie on each other where backends
agree, so each later one is narrower than the one below it and has gaps through which that shows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 98, 18, 16, 52
ZERO_STRIP = 30

_LINES = ((6.4, ""), (4.6, "20 7"), (3.2, "11 9"), (2.2, "6 8"), (1.6, "2 7"), (1.2, "12 4 2 4"))
_MARKERS = (15.0, 11.8, 9.0, 6.6, 4.6, 3.2)
_DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Scale = Callable[[float], float]


@dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Attributes:
        label: for the read-out.
        workers: positions of the workers it belongs to: one, or the two of a pair.
        y: a value for each x of the chart; shorter for a run that broke off, NaN where there is none.
    """

    label: str
    workers: tuple[int, ...]
    y: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """What a chart shows; see `Chart.svg`.

    Attributes:
        name: unique on the page.
        title, description: for those who cannot see it.
        x: common to all curves, ascending.
        limit: for each x, the upper edge of a shaded band and its label.
        log: whether the logarithmic axis is shown at first.
        markers: a mark at each point.
        width: of the drawing in its own units, whose height is 420.
        names: the numbers that stand below the x, where the axis is not linear in them.
    """

    name: str
    title: str
    description: str
    x_label: str
    y_label: str
    x: Sequence[float]
    curves: Sequence[Curve]
    limit: tuple[str, Sequence[float]] | None = None
    log: bool = False
    markers: bool = False
    width: int = WIDTH
    names: Sequence[float] = ()

    def svg(self) -> str:
        """The drawing."""
        scales = "".join(self._drawing(log) for log in (False, True))
        return (
            f'<svg viewBox="0 0 {self.width} {HEIGHT}" role="img" aria-labelledby="{self.name}-t {self.name}-d" '
            f'preserveAspectRatio="xMidYMid meet"><title id="{self.name}-t">{escape(self.title)}</title>'
            f'<desc id="{self.name}-d">{escape(self.description)}</desc>{scales}'
            f'<g class="cursor" hidden><line y1="{TOP}" y2="{HEIGHT - BOTTOM}"/></g></svg>'
        )

    def data(self) -> str:
        """What the read-out needs, as JSON that is safe inside a script element."""
        x0, x1 = self._x_range()
        content = {
            "x": list(self.x),
            "names": list(self.names),
            "range": [x0, x1],
            "frame": [LEFT, self.width - RIGHT],
            "xLabel": self.x_label,
            "curves": [
                {"label": c.label, "workers": list(c.workers), "y": [_finite(y) for y in c.y]} for c in self.curves
            ],
            "limit": None if self.limit is None else {"label": self.limit[0], "y": [_finite(y) for y in self.limit[1]]},
        }
        return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")

    # ------------------------------------------------------------ parts

    def _x_range(self) -> tuple[float, float]:
        if not self.x:
            return 0.0, 1.0
        low, high = float(self.x[0]), float(self.x[-1])
        return (low - 0.5, high + 0.5) if low == high or self.markers else (low, high)

    def _drawing(self, log: bool) -> str:
        x = _linear(*self._x_range(), LEFT, self.width - RIGHT)
        values = [v for curve in self.curves for v in curve.y] + (list(self.limit[1]) if self.limit else [])
        axis = _log_axis(values) if log else _linear_axis(values)
        parts = [self._y_axis(axis), self._x_axis(x)]
        if self.limit is not None:
            parts.append(self._band(x, axis, self.limit))
        parts += [self._curve(i, curve, x, axis) for i, curve in enumerate(self.curves)]
        return f'<g class="{"log" if log else "linear"}">{"".join(parts)}</g>'

    def _y_axis(self, axis: _Axis) -> str:
        lines = []
        for value, label in axis.ticks:
            y = axis.place(value)
            lines.append(f'<line class="grid" x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            lines.append(f'<text class="tick" x="{LEFT - 9}" y="{y + 5:.1f}" text-anchor="end">{label}</text>')
        middle = (TOP + HEIGHT - BOTTOM) / 2
        lines.append(
            f'<text class="label" transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_label)}</text>"
        )
        return "".join(lines)

    def _x_axis(self, x: Scale) -> str:
        base = HEIGHT - BOTTOM
        parts = [f'<line class="axis" x1="{LEFT}" x2="{self.width - RIGHT}" y1="{base}" y2="{base}"/>']
        low, high = self._x_range()
        ticks = (
            zip(self.x, self.names, strict=True) if self.names else ((v, v) for v in _ticks(low, high, 7, whole=True))
        )
        for value, name in ticks:
            parts.append(f'<line class="axis" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{base}" y2="{base + 5}"/>')
            parts.append(f'<text class="tick" x="{x(value):.1f}" y="{base + 22}" text-anchor="middle">{name:g}</text>')
        middle = (LEFT + self.width - RIGHT) / 2
        parts.append(
            f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(self.x_label)}</text>'
        )
        return "".join(parts)

    def _band(self, x: Scale, axis: _Axis, limit: tuple[str, Sequence[float]]) -> str:
        label, edge = limit
        points = [(x(at), axis.place(v)) for at, v in zip(self.x, edge, strict=False) if math.isfinite(v)]
        if len(points) < 2:
            return ""
        line = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        base = HEIGHT - BOTTOM
        end_x, end_y = points[-1]
        return (
            f'<path class="band" d="M{points[0][0]:.1f} {base}L{line}L{end_x:.1f} {base}Z"/>'
            f'<path class="edge" d="M{line}"/>'
            f'<text class="edge-label" x="{end_x - 6:.1f}" y="{end_y - 9:.1f}" text-anchor="end">{escape(label)}</text>'
        )

    def _curve(self, position: int, curve: Curve, x: Scale, axis: _Axis) -> str:
        points = [(x(at), axis.place(v), v) for at, v in zip(self.x, curve.y, strict=False)]
        runs = _runs(points, axis.breaks_at_zero)
        path = "".join("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in run) for run in runs)
        members = " ".join(map(str, curve.workers))
        if len(curve.workers) == 2:
            a, b = curve.workers
            drawn = (
                f'<path class="pair s{a % 6}" d="{path}"/>'
                f'<path class="pair over s{b % 6}" stroke-dashoffset="{position * 5}" d="{path}"/>'
            )
            if axis.breaks_at_zero:
                ticks = "".join(f"M{at:.1f} {up - 4:.1f}v8" for at, up, value in points if value == 0)
                drawn += f'<path class="zero s{a % 6}" d="{ticks}"/>'
        else:
            width, dash = _LINES[curve.workers[0] % len(_LINES)]
            dashes = f' stroke-dasharray="{dash}"' if dash else ""
            drawn = f'<path class="s{curve.workers[0] % 6}" stroke-width="{width}"{dashes} d="{path}"/>'
            if self.markers:
                marked = [(at, up) for at, up, value in points if math.isfinite(value)]
                drawn += "".join(_marker(curve.workers[0], at, up) for at, up in marked)
        return f'<g class="curve" data-workers="{members}">{drawn}</g>'


def sample(worker: int) -> str:
    """A piece of a worker's line with its marker, for a legend of 44 by 16 units."""
    width, dash = _LINES[worker % len(_LINES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path class="s{worker % 6}" stroke-width="{width}"{dashes} d="M2 8H42"/>{_marker(worker, 22, 8)}'


def _runs(points: Sequence[tuple[float, float, float]], breaks_at_zero: bool) -> list[list[tuple[float, float]]]:
    """Stretches without a gap: a line breaks where there is no number to draw."""
    runs: list[list[tuple[float, float]]] = [[]]
    for across, up, value in points:
        if math.isfinite(value) and math.isfinite(up) and not (breaks_at_zero and value == 0):
            runs[-1].append((across, up))
        elif runs[-1]:
            runs.append([])
    kept = [run for run in runs if run]
    return [run if len(run) > 1 else [(run[0][0] - 1.2, run[0][1]), (run[0][0] + 1.2, run[0][1])] for run in kept]


def _marker(worker: int, x: float, y: float) -> str:
    size = _MARKERS[worker % len(_MARKERS)]
    shape = worker % 4
    style = f'class="mark s{worker % 6}"'
    if shape == 0:
        return f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="{size * 0.62:.1f}"/>'
    half = size * 0.6
    corners = {
        1: [(-half, -half), (half, -half), (half, half), (-half, half)],
        2: [(0, -half * 1.2), (half * 1.15, half * 0.8), (-half * 1.15, half * 0.8)],
        3: [(0, -half * 1.3), (half * 1.3, 0), (0, half * 1.3), (-half * 1.3, 0)],
    }[shape]
    points = " ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners)
    return f'<polygon {style} points="{points}"/>'


# ---------------------------------------------------------------- axes


@dataclass(frozen=True)
class _Axis:
    place: Scale
    ticks: list[tuple[float, str]]
    breaks_at_zero: bool = False


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _linear_axis(values: Sequence[float]) -> _Axis:
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    least = 0.02 * max(abs(low), abs(high)) or 1.0  # rounding alone does not fill a chart
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    room = (high - low) * 0.06
    low = 0.0 if 0 <= low < 0.35 * high else low - room
    high += room
    ticks = _ticks(low, high, 6)
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9)) if len(ticks) > 1 else 2
    place = _linear(low, high, HEIGHT - BOTTOM, TOP)
    return _Axis(place, [(t, plain(t, digits)) for t in ticks])


def _log_axis(values: Sequence[float]) -> _Axis:
    positive = [v for v in values if math.isfinite(v) and v > 0] or [0.1, 1.0]
    has_zero = any(v == 0 for v in values)
    low, high = math.log10(min(positive)), math.log10(max(positive))
    room = (high - low) * 0.06 or 0.3
    low, high = low - room, high + room
    floor = HEIGHT - BOTTOM - (ZERO_STRIP if has_zero else 0)
    scale = _linear(low, high, floor, TOP)
    zero = HEIGHT - BOTTOM - 8.0

    def place(value: float) -> float:
        if value > 0:
            return scale(math.log10(value))
        return zero if value == 0 else math.nan

    ticks = [(v, power(v)) for v in _log_ticks(low, high)]
    return _Axis(place, ([(0.0, "0")] if has_zero else []) + ticks, breaks_at_zero=has_zero)


def _ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Round numbers between two ends, at most about `most` of them."""
    raw = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= raw * 0.999)
    step = max(1.0, step) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.ceil(low), math.floor(high) + 1)
    if len(decades) >= 3:
        every = max(1, math.ceil(len(decades) / 7))
        return [10.0**d for d in decades if d % every == 0]
    steps = (m * 10.0**d for d in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5))
    ticks = [v for v in steps if low <= math.log10(v) <= high]
    return ticks if len(ticks) > 1 else [10**low, 10**high]


# ---------------------------------------------------------------- numbers for people


def plain(value: float, digits: int) -> str:
    """A number with a fixed number of decimals and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def power(value: float) -> str:
    """A tick of a logarithmic axis: 0.01 to 1000 in full, others as 5 × 10⁻⁷."""
    if 0.01 <= value < 1000:
        return f"{value:.3g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    head = "" if abs(mantissa - 1) < 1e-6 else f"{mantissa:.2g} × "
    return f"{head}10{str(exponent).translate(_DIGITS)}"


def scientific(value: float, digits: int = 1) -> str:
    """A difference: 0, ∞, a short decimal, or 1.2 × 10⁻⁷."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "NaN"
    if 0.01 <= abs(value) < 10_000:
        return f"{value:.{digits + 1}g}".replace("-", "−") if abs(value) < 100 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa.replace('-', '−')} × 10{str(int(exponent)).translate(_DIGITS)}"


def _finite(value: float) -> Any:
    return float(f"{value:.8g}") if math.isfinite(value) else None
