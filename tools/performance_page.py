"""Write ``docs/performance.md`` and its plots from what ``d2l bench --json`` has measured.

    python tools/performance_page.py [FILE.json ...]

Without files those of ``docs/performance/measured/`` are read, which is where the page's own figures are. Each file
becomes a part of the page: against the frameworks by hand, against Keras, a side against itself. Rows of files of one
kind are put together, those of later files instead of the same rows of earlier ones. What was tried and did not pay
stands in ``docs/performance_tried.md`` and is taken over as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from d2l_benchmarks import _plots, page
from d2l_benchmarks._side import AGAINST
from d2l_benchmarks.bench import FORMAT

DOCS = Path(__file__).resolve().parent.parent / "docs"
Result = dict[str, Any]

_HEADINGS = {
    "native": "Against the framework by hand",
    "keras": "Against Keras `fit`",
    "self": "The noise: a side against itself",
}
_INTRODUCTION = """\
# Performance

*Written by `python tools/performance_page.py` from what `d2l bench --json` measured (`performance/measured/`); not to
be edited.*

Each figure is a pair of processes that train the same network on the same batches, in turns, after their losses have
been compared step for step; both draw the order of the examples anew for each epoch. A ratio is ours over theirs, the
median over neighbouring turns, with its interval of 95 %
(bootstrap); below 1 ours is faster. Theirs is the form that is quickest in steady state. The first step counts from the
start of the process (import, build, compile); it and the peak of the memory are ratios too.
"""
_SIDES = """\
<details><summary>Every side that was measured</summary>

*Ready* is import and build, *compile* what the first epoch took more than others. *Pays after* is the number of steps
after which a form has made up for its later start against the other side that starts first.

{table}

</details>
"""
_SWEEP = "An MLP 784-256-10 against the framework by hand: small networks cost what it costs to call a framework."
_SIZES = "<details><summary>Every size</summary>\n\n{table}\n\n</details>\n"


def read(path: Path) -> Result:
    """The content of a file of ``d2l bench --json``; SystemExit if it is something else."""
    try:
        result: Result = json.loads(path.read_text(encoding="utf-8"))
        if result["format"] != FORMAT:
            raise ValueError(f"its format is {result['format']!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path} was not written by d2l bench --json of this version ({error}).") from None
    return result


def merged(results: Sequence[Result]) -> dict[str, Result]:
    """One result for each kind of other side, in the order of the page."""
    found: dict[str, Result] = {}
    for result in results:
        kind = result["against"]
        earlier = found.get(kind)
        rows = {_key(row): row for row in (*(earlier["rows"] if earlier else ()), *result["rows"])}
        versions = (earlier["versions"] if earlier else {}) | result["versions"]
        found[kind] = result | {"rows": list(rows.values()), "versions": versions}
    return {kind: found[kind] for kind in AGAINST if kind in found}


def _key(row: Result) -> tuple[str, str]:
    return row["workload"], row["backend"]


def render(results: Sequence[Result], tried: str, folder: Path) -> str:
    """The page; the plots are written into `folder`, which stands beside it."""
    parts = merged(results)
    sections = [_INTRODUCTION]
    for kind, result in parts.items():
        rows = [row for row in result["rows"] if not _is_swept(row)]
        summary = page.summary(result | {"rows": rows})
        sections.append(f"## {_HEADINGS[kind]}\n\n{_setting(result, rows)}\n\n{summary}\n")
        if rows:
            _write(folder / f"{kind}.svg", _plots.standalone_intervals(rows))
            sections.append(f"![Ratios with their intervals]({folder.name}/{kind}.svg)\n")
            sections.append(_table(page.COLUMNS, map(page.cells, rows)))
            sides = (cells for row in rows for cells in page.side_cells(row))
            sections.append(_SIDES.format(table=_table(page.SIDE_COLUMNS, sides)))
    rows = parts["native"]["rows"] if "native" in parts else []
    for parameter, words in _plots.SWEEPS.items():
        if charts := page.sweeps(rows, parameter):
            _write(folder / f"{parameter}.svg", _plots.standalone(charts))
            caption = f"Time of a step against the {words}"
            swept = [row for row in rows if _is_swept(row) and f"@{parameter}=" in row["workload"]]
            sections.append(f"## Cost against {words}\n\n{_SWEEP}\n\n![{caption}]({folder.name}/{parameter}.svg)\n")
            sections.append(_SIZES.format(table=_table(page.COLUMNS, map(page.cells, swept))))
    sections.append(f"## What was tried and did not pay\n\n{tried.strip()}\n")
    return "\n".join(sections)


def _is_swept(row: Result) -> bool:
    return "@" in row["workload"]


def _setting(result: Result, rows: Sequence[Result]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))
    turns = " or ".join(map(str, sorted({len(row["sides"][0]["turns"]) for row in rows})))
    words = f"{turns} turns of each side; {versions}" if turns else versions
    return f"{result['date'][:10]}, {result['machine']}, {result['threads']} threads, {words}."


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main(files: Sequence[str], docs: Path = DOCS) -> None:
    """Write the page and its plots into `docs`."""
    files = files or sorted(map(str, (docs / "performance" / "measured").glob("*.json")))
    if not files:
        raise SystemExit("Name at least one file that d2l bench --json has written.")
    results = [read(Path(file)) for file in files]
    tried = (DOCS / "performance_tried.md").read_text(encoding="utf-8")
    _write(docs / "performance.md", render(results, tried, docs / "performance"))


if __name__ == "__main__":
    main(sys.argv[1:])
