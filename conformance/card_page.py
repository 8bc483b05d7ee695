"""The scorecard as one HTML file that needs nothing else, in the style of the comparison report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any

Card = dict[str, Any]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · conformance</title>
<style>
{style}
td.words, td.words + td {{ text-align: left; white-space: normal; }}
</style>
</head>
<body>
<header class="top">
<p class="kicker">Conformance suite · {backend}</p>
<h1>{title}</h1>
<p class="headline">{headline}</p>
<div class="facts">{facts}</div>
<dl class="meta">{meta}</dl>
</header>
<main>
{sections}
</main>
</body>
</html>
"""
_AREAS_HELP = (
    "Each test holds this backend against formulas in plain NumPy and float64. <i>Limited</i> tests ended in the error "
    "that the adapter declares beforehand, <i>missing</i> ones need a function that the adapter lacks."
)
_ERRORS_HELP = (
    "The largest errors as shares of what is allowed. Each tolerance is in a unit that suits the function, such as the "
    "unit in the last place (ulp) or the rounding of a sum of k products, and within ten times of what the five "
    "frameworks of the course show."
)
_MISSING_HELP = "The adapter lacks these functions of the contract; the lessons beside them cannot run without."
_LIMITS_HELP = "What the adapter declares that its framework cannot give; users meet this sentence in the error."
_SHOWN = 40
_HEAT = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


def render(card: Card) -> str:
    """The whole page from the content of the JSON file."""
    sections = [
        _section("failures", "What failed", "One line each.", _failures(card)),
        _section("missing", "What is missing", _MISSING_HELP, _missing(card)),
        _section("areas", "By area", _AREAS_HELP, _areas(card)),
        _section("errors", "How far off", _ERRORS_HELP, _errors(card)),
        _section("limits", "Declared limits", _LIMITS_HELP, _limits(card)),
    ]
    version = card["versions"][card["title"]] or ""
    return _PAGE.format(
        title=escape(f"{card['title']} {version}".strip()),
        backend=escape(card["backend"]),
        headline=escape(_headline(card)),
        facts=_facts(card),
        meta=_meta(card),
        sections="".join(sections),
        style=resources.files("d2l_core.compare").joinpath("report.css").read_text(encoding="utf-8"),
    )


def _headline(card: Card) -> str:
    if card["interrupted"]:
        return f"Interrupted after {card['done']} of {card['tests']} tests."
    if card["green"]:
        return "It conforms" + (f" as far as asked for: {card['selected']}." if card["selected"] else ".")
    failed, missing = len(card["failures"]), len(card["missing"])
    parts = ((failed, "failed tests"), (missing, "missing functions"))
    return f"It does not conform: {', '.join(f'{count} {what}' for count, what in parts if count)}."


def _facts(card: Card) -> str:
    worst = next((row for row in card["errors"] if row["share"] is not None), None)
    facts = [(f"{card['done']:,}", f"tests in {card['seconds']:.0f} seconds"), (str(len(card["failures"])), "failed")]
    if worst is not None:
        facts.append((f"{worst['share']:.0%}", f"of the tolerance: the largest finite error ({worst['case']})"))
    return "".join(f'<div class="fact"><b>{escape(b)}</b><span>{escape(text)}</span></div>' for b, text in facts)


def _meta(card: Card) -> str:
    keys = ("device", "depth", "platform")
    entries = {**{key: card[key] for key in keys}, "date": card["date"].replace("T", " ").replace("Z", " UTC")}
    entries |= {name: version for name, version in card["versions"].items() if name != card["title"]}
    return "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in entries.items())


def _section(name: str, title: str, help_text: str, content: str) -> str:
    if not content:
        return ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        f'<p class="help">{help_text}</p>{content}</section>'
    )


def _table(columns: Sequence[str], rows: Iterable[str]) -> str:
    body = "".join(rows)
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>' if body else ""


def _row(name: str, *cells: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>'


def _cell(text: object, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(str(text))}</td>' if kind else f"<td>{escape(str(text))}</td>"


def _areas(card: Card) -> str:
    rows = (
        _row(
            row["area"],
            _cell(row["passed"], "" if row["failed"] or row["missing"] else "in"),
            _cell(row["failed"], "out" if row["failed"] else ""),
            _cell(row["limited"]),
            _cell(row["missing"], "out" if row["missing"] else ""),
        )
        for row in card["areas"]
    )
    return _table(("area", "passed", "failed", "limited", "missing"), rows)


def _errors(card: Card) -> str:
    rows = (
        _row(
            row["case"],
            _cell(f"{row['kind']}, float{row['precision']}"),
            _cell("infinite" if row["error"] is None else f"{row['error']:.3g}"),
            _cell(f"{row['limit']:g} {row['unit']}"),
            _cell("over" if row["share"] is None else f"{row['share']:.0%}", _heat(row["share"])),
        )
        for row in card["errors"][:_SHOWN]
        if row["error"] != 0.0
    )
    return _table(("function", "of", "error", "tolerance", "share"), rows)


def _heat(share: float | None) -> str:
    return "h7" if share is None else f"h{sum(share >= step for step in _HEAT)}"


def _failures(card: Card) -> str:
    rows = (_row(row["test"], _cell(row["sentence"], "words")) for row in card["failures"])
    return _table(("test", "what it found"), rows)


def _missing(card: Card) -> str:
    rows = (_row(row["primitive"], _cell(", ".join(row["lessons"]) or "–", "words")) for row in card["missing"])
    return _table(("function", "lessons"), rows)


def _limits(card: Card) -> str:
    rows = (_row(row["limit"], _cell(row["sentence"], "words")) for row in card["limits"])
    return _table(("limit", "reason"), rows)
