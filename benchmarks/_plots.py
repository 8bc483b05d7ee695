"""What is drawn: ratios with their intervals, and the cost of a step against the size of a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from d2l_core.compare._svg import HEIGHT, WIDTH, Chart, Curve, sample

Row = dict[str, Any]

LABELS, FIGURES, LINE = 280, 190, 30
SWEEPS = {"batch": "batch size", "depth": "hidden layers"}
OURS, OTHER = 0, 1
"""Colours and lines: of our side, and of the other one at its best."""

STYLE = """
svg { font-family: system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; --paper: #ffffff;
  --ink: #1b1d22; --soft: #5a5f6b; --rule: #dcd9d1; --c0: #0072b2; --c1: #d55e00; }
@media (prefers-color-scheme: dark) { svg { --paper: #181b21; --ink: #eceef2; --soft: #a3a9b6; --rule: #343945;
  --c0: #56b4e9; --c1: #ff7f32; } }
rect.paper { fill: var(--paper); } path { fill: none; } text { fill: var(--soft); font-size: 15px; }
.title, .label { fill: var(--ink); } .title { font-weight: 600; font-size: 18px; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); } .linear, .cursor { display: none; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .mark { stroke: none; } .mark.s0 { fill: var(--c0); }
.mark.s1 { fill: var(--c1); }
"""


def intervals(rows: Sequence[Row]) -> str:
    """Each row's ratio with its interval on a logarithmic axis; left of the line at 1 ours is faster."""
    low = min(0.5, *(row["low"] for row in rows)) / 1.1
    high = max(2.0, *(row["high"] for row in rows)) * 1.1
    span = math.log(high / low)
    right = WIDTH * 1.4 - FIGURES

    def x(ratio: float) -> float:
        return LABELS + math.log(max(ratio, low) / low) / span * (right - LABELS)

    base = 14 + LINE * len(rows)
    parts = []
    for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            kind = "axis" if tick == 1 else "grid"
            parts.append(f'<line class="{kind}" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="6" y2="{base}"/>')
            parts.append(f'<text class="tick" x="{x(tick):.1f}" y="{base + 18}" text-anchor="middle">{tick:g}</text>')
    for i, row in enumerate(rows):
        y = 22 + LINE * i
        kind = OURS if row["ratio"] <= 1 else OTHER
        name = escape(f"{row['workload']}, {row['backend']}")
        figures = f"{row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        parts.append(f'<text class="label" x="{LABELS - 12}" y="{y + 5}" text-anchor="end">{name}</text>')
        parts.append(f'<path class="s{kind}" stroke-width="3" d="M{x(row["low"]):.1f} {y}H{x(row["high"]):.1f}"/>')
        parts.append(f'<circle class="mark s{kind}" cx="{x(row["ratio"]):.1f}" cy="{y}" r="6"/>')
        parts.append(f'<text x="{right + 12:.0f}" y="{y + 5}">{figures}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH * 1.4:.0f} {base + 28}" role="img" aria-label="time of a step, ours over theirs">'
        f"{''.join(parts)}</svg>"
    )


def standalone_intervals(rows: Sequence[Row]) -> str:
    """`intervals` as an SVG file that needs nothing else."""
    drawing = intervals(rows).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    head, _, rest = drawing.partition(">")
    return f'{head}><style>{STYLE}</style><rect class="paper" width="100%" height="100%"/>{rest}\n'


def sweep_rows(rows: Sequence[Row], parameter: str, backend: str) -> list[Row]:
    """The rows of one network on one backend that differ in one parameter alone, in its order; empty if below two."""
    other = next(name for name in SWEEPS if name != parameter)
    family = [row for row in rows if row["backend"] == backend and row["base"] == "mlp"]
    plain = [row for row in family if row["workload"] == "mlp" or row["workload"].startswith(f"mlp@{parameter}=")]
    kept = {row[parameter]: row for row in plain if "," not in row["workload"] and row[other] is not None}
    return [kept[size] for size in sorted(kept)] if len(kept) > 1 else []


def sweep_chart(rows: Sequence[Row], parameter: str) -> Chart:
    """Time of a step of both sides against the batch size or the depth."""
    sizes = [row[parameter] for row in rows]
    row = rows[0]
    other = row["sides"][row["best"]]["kind"]
    theirs = {"native": "by hand", "self": "ours again"}.get(other, row["sides"][row["best"]]["label"])
    curves = [
        Curve("ours", (OURS,), [each["sides"][0]["step_us"] for each in rows]),
        Curve(theirs, (OTHER,), [each["sides"][each["best"]]["step_us"] for each in rows]),
    ]
    return Chart(
        name=f"{parameter}-{row['backend']}",
        title=f"{row['title']}: time of a step against the {SWEEPS[parameter]}",
        description=f"Ours and {theirs}, microseconds for a step of an MLP, both axes logarithmic.",
        x_label=SWEEPS[parameter],
        y_label="microseconds",
        x=[math.log2(size) for size in sizes],
        names=sizes,
        curves=curves,
        log=True,
        markers=True,
    )


def standalone(charts: Sequence[tuple[str, Chart]]) -> str:
    """Charts with a heading each, two abreast, as an SVG file that needs nothing else; dark where the reader is."""
    height = HEIGHT + 40
    columns = min(2, len(charts))
    width, lines = WIDTH * columns, math.ceil(len(charts) / columns)
    parts = []
    for i, (heading, chart) in enumerate(charts):
        left, top = WIDTH * (i % columns), 40 + height * (i // columns)
        place = f'<svg x="{left}" y="{top + 30}" width="{WIDTH}" height="{HEIGHT}" '
        drawing = chart.svg().replace("<svg ", place, 1).replace(" hidden>", ">")  # which HTML knows and XML does not
        parts.append(f'<text class="title" x="{left + 98}" y="{top + 18}">{escape(heading)}</text>{drawing}')
    labels = [curve.label for curve in charts[0][1].curves]
    key = "".join(
        f'<svg x="{98 + 200 * i}" y="10" width="44" height="16" viewBox="0 0 44 16">{sample(i)}</svg>'
        f'<text class="label" x="{150 + 200 * i}" y="23">{escape(label)}</text>'
        for i, label in enumerate(labels)
    )
    size = f'width="{width}" height="{40 + height * lines}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {40 + height * lines}" {size}>'
        f'<style>{STYLE}</style><rect class="paper" width="100%" height="100%"/>{key}{"".join(parts)}</svg>\n'
    )
