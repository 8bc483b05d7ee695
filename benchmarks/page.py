"""What a benchmark found, for people: cells of tables, a sentence, and a page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any

from d2l_benchmarks import _plots
from d2l_benchmarks._statistics import geometric_mean

from d2l_core.compare._report import _asset, _bytes, _duration, _figure, _section, _swatch, _table

Result = dict[str, Any]
Row = dict[str, Any]

COLUMNS = (
    "workload", "backend", "batch", "ours", "theirs", "best of theirs", "ours / theirs", "95 % interval",
    "first step", "memory",
)  # fmt: skip
SIDE_COLUMNS = (
    "workload", "backend", "side", "step", "ready", "first step", "compile", "pays after", "memory", "losses differ by",
)  # fmt: skip

_TITLES = {"native": "Against the framework by hand", "keras": "Against Keras fit", "self": "A side against itself"}
_RATIO_HELP = (
    "Both sides train the same network on the same batches in processes of their own, in turns, and each turn lasts at "
    "least a fifth of a second; validation is not timed. A dot is the median of the quotients of neighbouring turns, "
    "ours over theirs, and the line its interval of 95 % (bootstrap). Left of 1 ours is faster."
)
_ROWS_HELP = (
    "Theirs is the form that is quickest in steady state. The first step counts from the start of the process: import, "
    "build, compile. The memory is the largest that the process held. Both are ratios, ours over theirs."
)
_SIDES_HELP = (
    "Every form that was measured. <i>Ready</i> is import and build, <i>compile</i> what the first epoch took more "
    "than others. <i>Pays after</i> is the number of steps after which a form has made up for its later start against "
    "the other side that starts first. The last column is the largest relative difference of a loss of the first epoch "
    "from ours, before anything was timed."
)
_SWEEP_HELP = (
    "Small networks cost what it costs to call a framework, large ones what it costs to calculate. An MLP 784-256-10, "
    "at several batch sizes and with several hidden layers of 256."
)
_STYLE = """
.legend:empty { display: none; }
.forest svg { width: 100%; height: auto; }
"""


def cells(row: Row) -> tuple[str, ...]:
    """A row of the table of `COLUMNS`."""
    ours, best = row["sides"][0], row["sides"][row["best"]]
    return (
        row["workload"],
        row["backend"],
        str(row["batch"]),
        microseconds(ours["step_us"]),
        microseconds(best["step_us"]),
        best["label"],
        f"{row['ratio']:.2f}",
        f"{row['low']:.2f} to {row['high']:.2f}",
        f"{row['first_ratio']:.2f}",
        "-" if row["memory_ratio"] is None else f"{row['memory_ratio']:.2f}",
    )


def side_cells(row: Row) -> list[tuple[str, ...]]:
    """The rows of the table of `SIDE_COLUMNS` for one row of the result."""
    return [
        (
            row["workload"],
            row["backend"],
            side["label"],
            microseconds(side["step_us"]),
            _duration(side["ready"]),
            _duration(side["first_step"]),
            _duration(side["compile"]),
            pays_after(side["break_even"]),
            _bytes(side["peak_bytes"]),
            f"{side['difference']:.0e}",
        )
        for side in row["sides"]
    ]


def microseconds(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:,.0f} µs" if value >= 100 else f"{value:.3g} µs"


def pays_after(entry: dict[str, Any] | None) -> str:
    """A number of steps, with the side that it is held against."""
    if entry is None:
        return "-"
    if entry["steps"] is None:
        return "never"
    return "at once" if entry["steps"] == 0 else f"{entry['steps']:,.0f} steps"


def summary(result: Result) -> str:
    """The result in a sentence."""
    ratios = [row["ratio"] for row in result["rows"]]
    if not ratios:
        return "Nothing was measured."
    count = f"{len(ratios)} measurement{'s' if len(ratios) > 1 else ''}"
    slow = [row for row in result["rows"] if row["low"] > 1]
    fast = [row for row in result["rows"] if row["high"] < 1]
    return (
        f"Ours takes {geometric_mean(ratios):.2f} of their time (geometric mean of {count}); the whole interval lies "
        f"below 1 in {len(fast)}, above 1 in {len(slow)}."
    )


def backends(rows: Sequence[Row]) -> list[str]:
    """The backends of some rows, in their order."""
    return list(dict.fromkeys(row["backend"] for row in rows))


def sweeps(rows: Sequence[Row], parameter: str) -> list[tuple[str, _plots.Chart]]:
    """The charts of a sweep with their headings, one for each backend that has one."""
    found = (_plots.sweep_rows(rows, parameter, backend) for backend in backends(rows))
    return [(chosen[0]["title"], _plots.sweep_chart(chosen, parameter)) for chosen in found if chosen]


def render(result: Result) -> str:
    """The page."""
    rows = result["rows"]
    charts = {name: sweeps(rows, name) for name in _plots.SWEEPS}
    forest = f'<div class="forest">{_plots.intervals(rows)}</div>' if rows else ""
    table = _html_table(COLUMNS, [cells(row) for row in rows], "Ours and theirs")
    every = _html_table(SIDE_COLUMNS, [side for row in rows for side in side_cells(row)], "Every side")
    sections = [
        _failures(result),
        _section("ratios", "Time of a step", _RATIO_HELP, forest),
        _section("figures", "Figures", _ROWS_HELP, table),
        *(
            _section(name, f"Cost against {words}", _SWEEP_HELP, _charts(charts[name], words))
            for name, words in _plots.SWEEPS.items()
        ),
        _section("sides", "Every side", _SIDES_HELP, every),
    ]
    page = Template(_asset("report.html")).substitute(
        title=escape(_TITLES[result["against"]]),
        kicker="Benchmark of training",
        headline=escape(summary(result) + (" The benchmark was interrupted." if result["interrupted"] else "")),
        facts=_facts(rows),
        meta=_meta(result),
        legend=_legend() if any(charts.values()) else "",
        sections="".join(filter(None, sections)),
        style=_asset("report.css") + _STYLE,
        script=_asset("report.js"),
    )
    return page.strip() + "\n"


def _html_table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    if not rows:
        return ""
    return _table([escape(name) for name in columns], [[escape(cell) for cell in row] for row in rows], caption)


def _charts(charts: Sequence[tuple[str, _plots.Chart]], words: str) -> str:
    figures = "".join(_figure(chart, f"{heading}: a step against the {words}") for heading, chart in charts)
    return f'<div class="charts">{figures}</div>' if figures else ""


def _legend() -> str:
    return "".join(
        f'<button type="button" class="chip" data-worker="{i}" aria-pressed="true">{_swatch(i)}'
        f"<span>{label}</span></button>"
        for i, label in ((_plots.OURS, "ours"), (_plots.OTHER, "the other side at its best"))
    )


def _facts(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    memory = [row["memory_ratio"] for row in rows if row["memory_ratio"] is not None]
    facts = [
        (f"{geometric_mean([row['ratio'] for row in rows]):.2f}", "of their time for a step, geometric mean"),
        (f"{geometric_mean([row['first_ratio'] for row in rows]):.2f}", "of their time until the first step is done"),
        *([(f"{geometric_mean(memory):.2f}", "of their memory at its peak")] if memory else []),
    ]
    return "".join(f'<div class="fact"><b>{value}</b><span>{text}</span></div>' for value, text in facts)


def _meta(result: Result) -> str:
    entries = {
        "date": result["date"].replace("T", " ").replace("Z", " UTC"),
        "machine": result["machine"],
        "threads": result["threads"],
        "turns of each side": result["pairs"],
        **result["versions"],
    }
    return "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in entries.items())


def _failures(result: Result) -> str:
    items = "".join(f"<li>{escape(failure['sentence'])}</li>" for failure in result["failures"])
    return f'<aside class="notice" aria-label="Not measured"><ul>{items}</ul></aside>' if items else ""
