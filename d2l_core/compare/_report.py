"""The report: one HTML file that needs nothing else, readable on a projector, on a phone, on paper and without scripts.

Everything is computed and drawn here, from the content of ``results.json`` alone; the script in the page only hides
curves, switches axes and reads values out.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from d2l_core.compare._divergence import float_type
from d2l_core.compare._results import write_text
from d2l_core.compare._svg import Chart, Curve, sample, scientific

Data = dict[str, Any]

_MOST_POINTS = 160
_STATUS = {
    "done": "finished",
    "failed": "broke off",
    "died": "died",
    "hung": "hung",
    "interrupted": "interrupted",
    "skipped": "not installed",
}
_HEAT = (0.5, 2.0, 8.0, 32.0, 128.0, 1024.0)


def write_report(path: Path, data: Data) -> None:
    """Write the report in one step; `data` is the content of ``results.json``."""
    write_text(path, render(data))


def render(data: Data) -> str:
    """The whole page."""
    curves, outcome = _curve_charts(data), _Outcome(data)
    sections = [
        _troubles(data),
        _section("curves", "The same training, seen from each framework", _CURVES_HELP, curves),
        _divergence_section(data),
        _section("results", "Results and time", _TIMES_HELP, _results_table(data)),
        _layers_section(data),
        _section("setting", "What the numbers were made on", _SETTING_HELP, _environments(data)),
        _last_words(data),
    ]
    page = Template(_asset("report.html")).substitute(
        title=escape(data["title"]),
        kicker=escape(_kicker(data)),
        headline=outcome.headline(),
        facts=outcome.facts(),
        meta=_meta(data),
        legend=_legend(data),
        sections="".join(filter(None, sections)),
        style=_asset("report.css"),
        script=_asset("report.js"),
    )
    return page.strip() + "\n"


def _asset(name: str) -> str:
    return resources.files("d2l_core.compare").joinpath(name).read_text(encoding="utf-8")


# ---------------------------------------------------------------- words

_CURVES_HELP = (
    "Every framework starts from the same weights and sees the same batches in the same order. Where they "
    "agree the curves lie on each other: the lower ones are drawn wider and shine through the gaps of the "
    "upper ones, so a braid of colours is one path, and a single colour is a framework that went its own way."
)
_DIVERGENCE_HELP = (
    "Computers round every operation, and each framework adds numbers in another order, so tiny gaps are "
    "expected and training can make them grow. How much growth is normal is measured, not assumed: {base} "
    "trained again, and each weight was moved to a neighbouring number (by one <i>ulp</i>, the unit in the "
    "last place) at the start and now and then on the way, as a rounding would move it. The shaded band is "
    "{factor:g} times the gap that this alone has opened so far, plus {floor:g} rounding errors of the loss "
    "itself. A pair inside the band differs by rounding; a pair above it differs by more, and the step at "
    "which it leaves says where to look."
)
_UNCALIBRATED_HELP = (
    "The gap between the losses of each pair at each step. No run with moved weights could be finished, so "
    "there is no measure here of how much of it is ordinary rounding."
)
_TIMES_HELP = (
    "Metrics are those after the last epoch. A step is the median over the epochs without the very first one, "
    "which also pays for compiling and for memory and is listed on its own. An epoch is the training alone, "
    "the total has everything: data, validation, compiling."
)
_LAYERS_HELP = (
    "One forward and one backward pass over the first batch, before any learning. Read down a column: a "
    "difference that appears at one layer and stays is born there. The upper number compares whole tensors "
    "(length of the difference over length of the tensor); the lower ones count ulps, median and largest. A "
    "few ulps are ordinary rounding; the darker the cell, the more roundings. “≈ 0” marks a gradient that is "
    "zero but for rounding in both, such as that of a bias which the next layer subtracts again."
)
_SETTING_HELP = "One process for each framework. Other versions, devices or numbers of threads may round differently."
_TROUBLE_HELP = "What went wrong with a worker does not touch the results of the others."


def verdict(pair: Data) -> str:
    """One sentence on a pair of workers."""
    names = f"{pair['a']} and {pair['b']}"
    largest = pair["losses"]["absolute"]
    if pair["same_start"] is False:
        return f"{names} did not start from the same weights and data, so their paths cannot be compared."
    if pair["losses"]["first_difference"] is None:
        return f"{names} have the same loss to the last bit at all {pair['losses']['steps']} steps."
    gap = f"largest gap of the loss {scientific(largest['value'])} at step {largest['step']}"
    judged = pair["verdict"]
    if judged is None:
        return f"{names}: {gap}; without a calibration there is no budget to hold it against."
    if judged["within"]:
        return f"{names} stay within the budget: {gap}, at most {_share(judged)} what is allowed."
    return f"{names} leave the budget at step {judged['first_outside']}: {gap}, up to {_share(judged)} what is allowed."


def _share(judged: Data) -> str:
    ratio = judged["worst"]["value"]
    if not math.isfinite(ratio):
        return "infinitely many times"
    return f"{ratio * 100:.2g} % of" if ratio < 1 else f"{scientific(ratio)} times"


def _kicker(data: Data) -> str:
    sections = ", ".join(data["sections"])
    return f"Comparison of frameworks · section{'s' if len(data['sections']) > 1 else ''} {sections}"


def _meta(data: Data) -> str:
    entries = {
        "lesson": data["lesson"],
        "job": data["job"],
        "scale": data["scale"],
        "seed": data["seed"],
        "precision": f"float{data['precision']}",
        "date": data["date"].replace("T", " ").replace("Z", " UTC"),
        "machine": data["machine"],
    }
    return "".join(f"<div><dt>{k}</dt><dd>{escape(str(v))}</dd></div>" for k, v in entries.items())


class _Outcome:
    """The comparison in one sentence and a few figures."""

    def __init__(self, data: Data):
        self.data = data
        self.done = [w for w in data["workers"] if w["status"] == "done"]
        self.pairs = data["pairs"]
        self.judged = [p for p in self.pairs if p["verdict"] is not None]
        self.outside = [p for p in self.judged if not p["verdict"]["within"]]

    def headline(self) -> str:
        asked = [w for w in self.data["workers"] if w["status"] != "skipped"]
        lost = len(asked) - len(self.done)
        missing = f" {lost} of {len(asked)} did not finish." if lost else ""
        early = " The comparison was interrupted." if self.data["interrupted"] else ""
        return escape(self._agreement() + missing + early)

    def _agreement(self) -> str:
        count = len(self.done)
        if not count:
            return "No framework finished."
        if not self.pairs:
            return f"{self.done[0]['title']} finished; there is nothing to compare it with."
        if any(p["same_start"] is False for p in self.pairs):
            return "Not all started from the same weights and data."
        if all(p["losses"]["first_difference"] is None for p in self.pairs):
            return f"{_count(count)} runs, the same bits at every step."
        if not self.judged:
            return f"{_count(count)} runs, compared without a calibrated budget."
        if not self.outside:
            return f"{_count(count)} frameworks, one path: every difference is rounding."
        steps = [p["verdict"]["first_outside"] for p in self.outside]
        first = min((step for step in steps if step is not None), default=0)
        pairs = f"{len(self.outside)} of {len(self.judged)} pairs"
        return f"{pairs} part by more than rounding, the first at step {first:,}."

    def facts(self) -> str:
        facts = [*self._gap(), *self._headline_metric(), *self._speed()]
        return "".join(
            f'<div class="fact"><b>{escape(value)}</b><span>{escape(text)}</span></div>' for value, text in facts
        )

    def _gap(self) -> Iterable[tuple[str, str]]:
        gaps = [(p["losses"]["absolute"]["value"], p) for p in self.pairs if p["losses"]["absolute"]]
        if gaps:
            gap, pair = max(gaps, key=lambda entry: entry[0])
            step = pair["losses"]["absolute"]["step"]
            yield scientific(gap), f"largest gap between two losses ({pair['a']} and {pair['b']}, step {step:,})"

    def _headline_metric(self) -> Iterable[tuple[str, str]]:
        name = self.data["headline"]
        finals = [w["epochs"][-1][name] for w in self.done if w["epochs"] and name in w["epochs"][-1]]
        if finals:
            spread = max(finals) - min(finals)
            yield f"{statistics.fmean(finals):.4g}", f"{_words(name)} at the end, spread {scientific(spread)}"

    def _speed(self) -> Iterable[tuple[str, str]]:
        steps = {w["title"]: w["times"]["step"] for w in self.done if w["times"]["step"]}
        if len(steps) > 1:
            quick, slow = min(steps, key=steps.__getitem__), max(steps, key=steps.__getitem__)
            yield f"{steps[slow] / steps[quick]:.3g} ×", f"from the quickest step ({quick}) to the slowest ({slow})"


def _count(n: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[n] if n < len(words) else str(n)


def _words(metric: str) -> str:
    """A metric's name for people."""
    known = {"acc": "accuracy", "val": "validation"}
    return " ".join(known.get(part, part) for part in metric.split("_"))


# ---------------------------------------------------------------- frame of a section


def _section(name: str, title: str, help_text: str, content: str, *, lead: str = "") -> str:
    if not content:
        return ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        f'<p class="help">{help_text}</p>{lead}{content}</section>'
    )


def _legend(data: Data) -> str:
    chips = []
    for i, worker in _drawn(data):
        chips.append(
            f'<button type="button" class="chip" data-worker="{i}" aria-pressed="true">'
            f"{_swatch(i)}<span>{escape(_label(worker))}</span></button>"
        )
    return "".join(chips)


def _swatch(i: int) -> str:
    return f'<svg class="swatch" viewBox="0 0 44 16" aria-hidden="true">{sample(i)}</svg>'


def _drawn(data: Data) -> list[tuple[int, Data]]:
    """The workers that took a step, with their positions."""
    return [(i, w) for i, w in enumerate(data["workers"]) if w["losses"]]


def _label(worker: Data) -> str:
    number = worker["name"].removeprefix(worker["backend"]).removeprefix("-")
    return f"{worker['title']} {number}".strip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, classes: str = "") -> str:
    """A table whose cells are HTML; the first of each row is its header."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f'<tr><th scope="row">{row[0]}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="{classes}">'
        f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(content: str) -> str:
    return content if content.startswith("<td") else f"<td>{content}</td>"


# ---------------------------------------------------------------- curves


def _figure(chart: Chart, heading: str) -> str:
    shown = "log" if chart.log else "linear"
    pressed = str(chart.log).lower()
    button = f'<button type="button" class="switch" aria-pressed="{pressed}">log axis</button>'
    label = f"{escape(chart.title)}; arrow keys read values"
    return (
        f'<figure class="chart" data-axis="{shown}" tabindex="0" aria-label="{label}">'
        f"<figcaption><span>{escape(heading)}</span>{button}</figcaption>{chart.svg()}"
        f'<div class="readout" aria-live="polite"></div>'
        f'<script type="application/json">{chart.data()}</script></figure>'
    )


def _curve_charts(data: Data) -> str:
    drawn = _drawn(data)
    if not drawn:
        return ""
    charts = [_figure(_loss_chart(drawn), "Training loss")]
    metric = data["headline"]
    if any(metric in record for _, w in drawn for record in w["epochs"]):
        charts.append(_figure(_metric_chart(drawn, metric), _words(metric).capitalize()))
    return f'<div class="charts">{"".join(charts)}</div>'


def _loss_chart(drawn: Sequence[tuple[int, Data]]) -> Chart:
    steps = max(len(w["losses"]) for _, w in drawn)
    window = math.ceil(steps / _MOST_POINTS)
    label = "training loss" if window == 1 else f"training loss, mean of {window} steps"
    names = ", ".join(_label(w) for _, w in drawn)
    return Chart(
        name="loss",
        title=f"Training loss of {names}",
        description=f"{label.capitalize()}, over {steps} steps; the final values are in the table of results.",
        x_label="step",
        y_label=label,
        x=[min((k + 0.5) * window, steps) - 0.5 for k in range(math.ceil(steps / window))],
        curves=[Curve(_label(w), (i,), _windows(w["losses"], window, _mean)) for i, w in drawn],
    )


def _metric_chart(drawn: Sequence[tuple[int, Data]], metric: str) -> Chart:
    epochs = max(len(w["epochs"]) for _, w in drawn)
    names = ", ".join(_label(w) for _, w in drawn)
    return Chart(
        name=f"metric-{metric.replace('_', '-')}",
        title=f"{_words(metric).capitalize()} of {names}",
        description=f"{_words(metric).capitalize()} after each of {epochs} epochs.",
        x_label="epoch",
        y_label=_words(metric),
        x=list(range(1, epochs + 1)),
        curves=[Curve(_label(w), (i,), [r.get(metric, math.nan) for r in w["epochs"]]) for i, w in drawn],
        markers=True,
    )


def _windows(values: Sequence[float], size: int, summarise: Any) -> list[float]:
    return [summarise(values[k : k + size]) for k in range(0, len(values), size)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan


# ---------------------------------------------------------------- divergence


def _divergence_section(data: Data) -> str:
    if not data["pairs"]:
        return ""
    calibrated = data["calibration"]
    help_text = _UNCALIBRATED_HELP
    if calibrated:
        titles = {w["name"]: _label(w) for w in data["workers"]}
        help_text = _DIVERGENCE_HELP.format(
            base=escape(titles[calibrated["backend"]]), factor=calibrated["factor"], floor=calibrated["floor_eps"]
        )
    chart = _figure(_gap_chart(data), "Gap between the losses of each pair")
    return _section(
        "divergence",
        "Where the paths part",
        help_text,
        f'<div class="wide">{chart}{_pair_key(data)}</div>{_matrix(data)}{_pair_table(data)}',
    )


def _gap_chart(data: Data) -> Chart:
    order = {w["name"]: i for i, w in enumerate(data["workers"])}
    workers = {w["name"]: w for w in data["workers"]}
    steps = max(p["losses"]["steps"] for p in data["pairs"])
    window = math.ceil(steps / _MOST_POINTS)
    curves = []
    for pair in data["pairs"]:
        a, b = workers[pair["a"]], workers[pair["b"]]
        gaps = [abs(x - y) for x, y in zip(a["losses"], b["losses"], strict=False)]
        label = f"{_label(a)} – {_label(b)}"
        curves.append(Curve(label, (order[pair["a"]], order[pair["b"]]), _windows(gaps, window, _largest)))
    calibrated = data["calibration"]
    limit = ("budget", _windows(calibrated["budget"], window, max)) if calibrated else None
    suffix = "" if window == 1 else f", largest of {window} steps"
    return Chart(
        name="gap",
        title="Gap between the training losses of each pair",
        description=f"Absolute difference of the losses at each of {steps} steps; largest values in the table below.",
        x_label="step",
        y_label=f"|Δ loss|{suffix}",
        x=[k * window + (window - 1) / 2 for k in range(math.ceil(steps / window))],
        curves=curves,
        limit=limit,
        log=True,
        width=1180,
    )


def _largest(values: Sequence[float]) -> float:
    return math.nan if any(map(math.isnan, values)) else max(values)


def _pair_key(data: Data) -> str:
    order = {w["name"]: i for i, w in enumerate(data["workers"])}
    labels = {w["name"]: _label(w) for w in data["workers"]}
    entries = []
    for pair in data["pairs"]:
        a, b = order[pair["a"]], order[pair["b"]]
        line = (
            f'<svg class="swatch" viewBox="0 0 44 16" aria-hidden="true"><path class="pair s{a % 6}" d="M2 8H42"/>'
            f'<path class="pair over s{b % 6}" d="M2 8H42"/></svg>'
        )
        text = f"{labels[pair['a']]} – {labels[pair['b']]}"
        entries.append(f'<li data-workers="{a} {b}">{line}{escape(text)}</li>')
    return f'<ul class="key">{"".join(entries)}</ul>'


def _matrix(data: Data) -> str:
    names = [w["name"] for _, w in _drawn(data)]
    labels = {w["name"]: escape(_label(w)) for w in data["workers"]}
    pairs = {frozenset((p["a"], p["b"])): p for p in data["pairs"]}
    rows = []
    for a in names:
        cells = [_matrix_cell(pairs[frozenset((a, b))]) if a != b else '<td class="self">·</td>' for b in names]
        rows.append([labels[a], *cells])
    caption = "Each pair against the budget: largest gap of the loss, and its share of what is allowed at that step"
    return _table(["", *(labels[name] for name in names)], rows, caption, "matrix")


def _matrix_cell(pair: Data) -> str:
    largest, judged = pair["losses"]["absolute"], pair["verdict"]
    gap = scientific(largest["value"])
    if pair["same_start"] is False:
        return f'<td class="out">{gap}<small>other start</small></td>'
    if judged is None or judged["worst"] is None:
        return f"<td>{gap}<small>not judged</small></td>"
    if judged["within"]:
        return f'<td class="in">{gap}<small>✓ {_share(judged)} the budget</small></td>'
    return f'<td class="out">{gap}<small>✗ leaves at step {judged["first_outside"]:,}</small></td>'


def _pair_table(data: Data) -> str:
    labels = {w["name"]: escape(_label(w)) for w in data["workers"]}
    head = ["Pair", "Same start", "First difference", "Largest absolute", "Largest relative", "Largest in ulp"]
    metric = data["headline"]
    head += [f"Gap of final {escape(_words(metric))}", "Against the budget"]
    rows = []
    for pair in data["pairs"]:
        losses = pair["losses"]
        start = {True: "yes", False: "no", None: "unknown"}[pair["same_start"]]
        first = "none" if losses["first_difference"] is None else f"step {losses['first_difference']:,}"
        measures = [_at_step(losses[name]) for name in ("absolute", "relative", "ulp")]
        final = pair["metrics"].get(metric)
        gap = f"{scientific(final['absolute'])}<small>{scientific(final['ulp'])} ulp</small>" if final else "–"
        pair_name = f"{labels[pair['a']]} – {labels[pair['b']]}"
        rows.append([pair_name, start, first, *measures, gap, _judged(pair["verdict"])])
    return _table(head, rows, "Distance between the training losses of each pair", "pairs")


def _at_step(entry: Data | None) -> str:
    return "–" if entry is None else f"{scientific(entry['value'])}<small>step {entry['step']:,}</small>"


def _judged(judged: Data | None) -> str:
    if judged is None or judged["worst"] is None:
        return "–"
    if judged["within"]:
        return f'<td class="in">✓ within<small>at most {_share(judged)} it</small></td>'
    return f'<td class="out">✗ leaves at step {judged["first_outside"]:,}<small>up to {_share(judged)} it</small></td>'


# ---------------------------------------------------------------- results and time


def _results_table(data: Data) -> str:
    drawn = _drawn(data)
    if not drawn:
        return ""
    metrics = list(dict.fromkeys(k for _, w in drawn for r in w["epochs"] for k in r))
    metrics = [name for name in metrics if name not in ("epoch", "seconds")]
    head = ["Framework", *(escape(_words(m)) for m in metrics), "Step", "Epoch", "First step", "Total", "Memory"]
    slowest = max((w["times"]["step"] or 0.0 for _, w in drawn), default=0.0)
    rows = []
    for i, worker in drawn:
        last = worker["epochs"][-1] if worker["epochs"] else {}
        timing = worker["times"]
        name = f"{_swatch(i)} {escape(_label(worker))}"
        if worker["status"] != "done":
            name += f'<small class="bad">{_STATUS[worker["status"]]} after {len(worker["losses"]):,} steps</small>'
        values = [_metric(last[m]) if m in last else "–" for m in metrics]
        rest = [_duration(timing[k]) for k in ("epoch", "first_step", "total")]
        memory = worker["environment"].get("peak_memory_bytes")
        rows.append([name, *values, _bar(i, timing["step"], slowest), *rest, _bytes(memory)])
    return _table(head, rows, "Metrics after the last epoch, and time", "results")


def _metric(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else str(value)


def _bar(i: int, seconds: float | None, slowest: float) -> str:
    if not seconds:
        return "–"
    share = 100 * seconds / slowest
    return f'<td class="bar"><span>{_duration(seconds)}</span><i class="s{i % 6}" style="width:{share:.1f}%"></i></td>'


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s")):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds / 60:.1f} min"


def _bytes(count: int | None) -> str:
    if count is None:
        return "–"
    return f"{count / 2**20:,.0f} MiB"


# ---------------------------------------------------------------- layers


def _layers_section(data: Data) -> str:
    pairs = [p for p in data["pairs"] if p["activations"] is not None]
    tables = [
        _heat_map(data, pairs, "activations", "Outputs of the modules in the forward pass, inner ones first"),
        _heat_map(data, pairs, "gradients", "Gradients of the loss with respect to the parameters"),
    ]
    content = "".join(filter(None, tables))
    return _section("layers", "Layer by layer, before the first update", _LAYERS_HELP, content, lead=_scale(data))


def _heat_map(data: Data, pairs: Sequence[Data], kind: str, caption: str) -> str:
    names = list(dict.fromkeys(name for pair in pairs for name in pair[kind]))
    if not names:
        return ""
    labels = {w["name"]: escape(_label(w)) for w in data["workers"]}
    head = ["", *(f"{labels[p['a']]} –<br>{labels[p['b']]}" for p in pairs)]
    rows = [[_module(data, name), *(_heat_cell(p[kind].get(name), data["precision"]) for p in pairs)] for name in names]
    return _table(head, rows, caption, "heat")


def _module(data: Data, tensor: str) -> str:
    """The name of a tensor of step 0 and the class of its module, the longest known beginning of the name."""
    path = "" if tensor.startswith("(output)") else tensor.partition("#")[0]
    while path and path not in data["modules"]:
        path = path.rpartition(".")[0]
    return f"<code>{escape(tensor)}</code> <small>{escape(data['modules'].get(path, ''))}</small>"


def _heat_cell(entry: Data | None, precision: int) -> str:
    if entry is None:
        return "–"
    if entry["cancels"]:
        within = scientific(entry["absolute"])
        return f'<td class="h0" title="zero up to rounding">≈ 0<small>within {within}</small></td>'
    level = _heat_level(entry["relative"], precision)
    small = f"{scientific(entry['ulp_median'])} / {scientific(entry['ulp_max'])} ulp"
    title = f"largest absolute difference {scientific(entry['absolute'])}"
    return f'<td class="h{level}" title="{title}">{scientific(entry["relative"])}<small>{small}</small></td>'


def _heat_level(relative: float, precision: int) -> int:
    if relative == 0:
        return 0
    roundings = relative / float(np.finfo(float_type(precision)).eps)
    return 1 + sum(roundings > limit for limit in _HEAT)


def _scale(data: Data) -> str:
    steps = ["identical", *(f"≤ {limit:g}" for limit in _HEAT), f"> {_HEAT[-1]:g}"]
    cells = "".join(f'<span class="h{i}">{text}</span>' for i, text in enumerate(steps))
    return f'<p class="scale">roundings (relative difference over eps of float{data["precision"]}): {cells}</p>'


# ---------------------------------------------------------------- environment and failures


def _environments(data: Data) -> str:
    workers = [w for w in data["workers"] if w["environment"]]
    if not workers:
        return ""
    fields: dict[str, Callable[[Data], str]] = {
        "Version": lambda e: f"{e['framework']} {e['version'] or ''}",
        "NumPy": lambda e: e["numpy"],
        "Python": lambda e: e["python"],
        "Device": lambda e: e["device"],
        "Precision": lambda e: f"float{e['precision']}",
        "Threads": lambda e: ", ".join(f"{k}={v}" for k, v in e["threads"].items()) or "the framework's choice",
        "Cores": lambda e: str(e["cores"]),
        "Machine": lambda e: e["machine"],
        "Platform": lambda e: e["platform"],
        "d2l-core": lambda e: e["d2l"],
    }
    rows = [[name, *(escape(read(w["environment"])) for w in workers)] for name, read in fields.items()]
    return _table(["", *(escape(_label(w)) for w in workers)], rows, "Environment of each worker", "environment")


def _troubles(data: Data) -> str:
    """A notice at the top, so that nobody takes a part for the whole."""
    troubled = [w for w in data["workers"] if w["status"] != "done"]
    if not troubled:
        return ""
    items = "".join(
        f"<li><b>{escape(_label(w))}</b> – {_STATUS[w['status']]}: {escape(w['message'])}</li>" for w in troubled
    )
    return f'<aside class="notice" aria-label="Not in this comparison"><ul>{items}</ul></aside>'


def _last_words(data: Data) -> str:
    parts = []
    for worker in data["workers"]:
        if worker["last_words"]:
            lines = escape("\n".join(worker["last_words"]))
            parts.append(f"<h3>{escape(_label(worker))}, {_STATUS[worker['status']]}</h3><pre>{lines}</pre>")
    return _section("last-words", "Last words", _TROUBLE_HELP, "".join(parts))


def load(path: Path) -> Data:
    """The content of a ``results.json``, with its strings for NaN and infinities read back."""
    names = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

    def back(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v if k in ("message", "last_words") else back(v) for k, v in value.items()}
        if isinstance(value, list):
            return [back(v) for v in value]
        return names.get(value, value) if isinstance(value, str) else value

    data: Data = back(json.loads(path.read_text(encoding="utf-8")))
    return data
