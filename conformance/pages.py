"""The pages of the documentation that are made from the table and the records, so that they cannot be out of date.

``python -m d2l_conformance.pages`` records anew which lessons use which function and writes ``docs/reference.md`` and
``docs/conformance.md``; a test compares. What has to be mended is the table or a docstring, never a page.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from d2l_conformance import _observed, uses
from d2l_conformance.case import Case, is_array
from d2l_conformance.table import AREAS, CASES
from d2l_conformance.table_wrong import WRONG

from d2l_core import tree
from d2l_core._dispatch import Primitive
from d2l_core.backend import Adapter, adapters
from d2l_core.interface import contract

DOCS = Path(__file__).resolve().parent.parent / "docs"
DEVICE = "cpu"
"""The device on which ``observed.json`` is recorded."""

_MADE = "<!-- Made by `python -m d2l_conformance.pages`; mend the table or a docstring instead. -->\n"
_RULES = {
    "float": "the default float",
    "input": "that of the first tensor",
    "bool": "bool",
    "integer": "int32 or int64",
    "oracle": "by kind: the default float, an integer or bool",
    "named": "as named, else that of the tensor or the default float",
}


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    return {"reference.md": reference(), "conformance.md": matrix()}


def _in_areas() -> Iterator[tuple[str, list[str]]]:
    """Areas with the names in them; the last one holds what the table has no case for."""
    for area, table in AREAS.items():
        yield area, [case.name for case in table.CASES]
    yield "system and native", [name for name in contract() if name not in CASES]


# ---------------------------------------------------------------- reference


def reference() -> str:
    """Every function of the contract: meaning, what it is tested on, and who uses it."""
    parts = [
        _MADE,
        "# Reference\n",
        "Every function of the contract, from its docstring and its row in the conformance table. The rules that hold "
        "for all of them (default dtypes, axes, layouts) stand at the top of `d2l_core/interface.py`; *composites* are "
        "composed of the others once, and an adapter may replace one by a native form. Tolerances are in units that "
        "`conformance/case.py` defines; `docs/conformance.md` has the errors seen.\n",
    ]
    for area, names in _in_areas():
        parts.append(f"## {area.capitalize()}\n")
        parts += [_entry(contract()[name]) for name in names]
    return "\n".join(parts)


def _entry(primitive: Primitive) -> str:
    name = primitive.name
    signature = str(inspect.signature(primitive.declaration)).replace("'", "")
    lines = [f"### `{name}{signature}`\n", *_prose(inspect.getdoc(primitive.declaration) or ""), ""]
    used = uses.lessons_that_use(name)
    kind = f"{'composite' if primitive.composite else 'primitive'} of `{primitive.group}`"
    facts = [kind + (f", used by {', '.join(used)}" if used else "")]
    if name in CASES:
        facts += _facts(CASES[name])
    return "\n".join([*lines, *(f"- {fact}" for fact in facts), ""])


def _prose(docstring: str) -> Iterator[str]:
    """A docstring as Markdown: sections such as Args become lists."""
    section = False
    for line in docstring.splitlines():
        if re.fullmatch(r"(Args|Returns|Raises):", line):
            section = True
            yield f"*{line}*\n"
        elif section and re.match(r"    \S", line):
            yield f"- {line.strip()}"
        else:
            section = section and (not line or line.startswith(" "))
            yield line.strip() if section else line


def _facts(case: Case) -> Iterator[str]:
    yield f"tested on {_domain(case)}"
    exact = "" if case.tolerance.limit else "exact"
    value = exact or f"to {case.tolerance.limit:g} {case.tolerance.unit_name}: {case.tolerance.reason}"
    yield f"dtype {_RULES[case.dtype]}; {value}"
    if case.differentiable:
        names = _parameters(case)
        fit = max(case.differentiable) < len(names)
        of = ", ".join(names[i] for i in case.differentiable) if fit else "the arguments of the resulting function"
        yield f"gradient for {of} to {case.gradient.limit:g} {case.gradient.unit_name}: {case.gradient.reason}"


def _parameters(case: Case) -> list[str]:
    """Names of the positional arguments; those that a function takes any number of are counted."""
    names = []
    for parameter in inspect.signature(contract()[case.name].declaration).parameters.values():
        several = parameter.kind is parameter.VAR_POSITIONAL
        names += [f"{parameter.name}[{i}]" for i in range(4)] if several else [parameter.name]
    return names


def _domain(case: Case) -> str:
    made = case.make(case.samples, 64)
    arrays = [leaf for one in made for leaf in tree.leaves(one.args) if is_array(leaf) and leaf.size]
    parts = [f"{len(made)} calls", *_ranges(arrays)]
    if special := _specials(case):
        parts.append(f"at the edges {special}")
    if wrong := len(case.make(case.wrong, 64)) + len(WRONG.get(case.name, [])):
        parts.append(f"{wrong} wrong call{'s' if wrong > 1 else ''} that must raise")
    return "; ".join(parts)


def _ranges(arrays: list[Any]) -> Iterator[str]:
    for kinds, word in (("f", "floats"), ("iu", "integers"), ("b", "booleans")):
        chosen = [x for x in arrays if x.dtype.kind in kinds]
        finite = [x[np.isfinite(x)] for x in chosen if np.isfinite(x).any()]
        if chosen and (kinds == "b" or not finite):
            yield word
        elif chosen:
            yield f"{word} in [{min(map(np.min, finite)):.3g}, {max(map(np.max, finite)):.3g}]"


def _specials(case: Case) -> str:
    leaves = [leaf for one in case.make(case.edges, 64) for leaf in tree.leaves(one.args) if is_array(leaf)]
    values = np.concatenate([x.ravel() for x in leaves if x.dtype.kind == "f"] or [np.zeros(0)])
    tests = {
        "NaN": np.isnan(values),
        "∞": values == np.inf,
        "-∞": values == -np.inf,
        "-0": (values == 0) & np.signbit(values),
        "numbers beyond 100": np.isfinite(values) & (np.abs(values) > 100),
        "numbers below 1e-4": (values != 0) & (np.abs(values) < 1e-4),
    }
    found = [name for name, mask in tests.items() if mask.any()]
    return ", ".join(found) or ("ties and borders" if len(leaves) else "")


# ---------------------------------------------------------------- matrix


def matrix() -> str:
    """The largest errors seen, function by backend."""
    record = _observed.read()
    seen = {name for case in record.values() for kind in case.values() for row in kind.values() for name in row}
    chosen = [adapter for name, adapter in adapters().items() if name in seen]
    parts = [
        _MADE,
        "# Conformance\n",
        "The largest error seen of every function on every backend, from `conformance/observed.json`. A cell holds "
        "*value in float32, value in float64 / gradient in float32, gradient in float64*, in units of the tolerance "
        "beside it; a single 0 means that not one bit was off, anywhere. Errors of gradients are against the reference "
        "backend's in float64. Tolerances stay within ten times of the largest error of their row.\n",
        _table(("backend", "framework", "device", "limits it declares"), map(_backend, chosen)),
    ]
    for area, names in _in_areas():
        rows = [_row(name, record[name], chosen) for name in names if name in record]
        if rows:
            columns = ("function", *(adapter.name for adapter in chosen), "tolerance")
            parts += [f"## {area.capitalize()}\n", _table(columns, rows)]
    return "\n".join(parts)


def _backend(adapter: Adapter) -> tuple[str, ...]:
    sentences = dict.fromkeys(adapter.limits.values())
    named = {s: ", ".join(limit for limit, other in adapter.limits.items() if other == s) for s in sentences}
    limits = "<br>".join(f"{limits}: {sentence}" for sentence, limits in named.items())
    return adapter.name, adapter.title, DEVICE, limits or "–"


def _row(name: str, record: dict[str, Any], chosen: list[Adapter]) -> tuple[str, ...]:
    case = CASES[name]
    limit = f"{case.tolerance.limit:g} {case.tolerance.unit_name}" if case.tolerance.limit else "exact"
    if case.differentiable:
        limit += f" / {case.gradient.limit:g} {case.gradient.unit_name}"
    return f"`{name}`", *(_cell(record, adapter.name) for adapter in chosen), limit


def _cell(record: dict[str, Any], backend: str) -> str:
    kinds = [record.get(kind, {}) for kind in ("value", "gradient")]
    errors = [[row[bits][backend] for bits in ("32", "64") if backend in row.get(bits, {})] for row in kinds]
    if not any(error for row in errors for error in row):
        return "0"
    return " / ".join(" ".join(_short(error) for error in row) for row in errors if row)


def _short(error: float) -> str:
    """Two digits, rounded up: an error is no smaller than it says."""
    if error == 0:
        return "0"
    step = 10.0 ** (math.floor(math.log10(error)) - 1)
    return f"{math.ceil(round(error / step, 6)) * step:.2g}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def main() -> None:
    """Renew the record of uses and the pages."""
    if not DOCS.is_dir():
        sys.exit("The pages belong to a clone of the repository, and this is none; run it there.")
    uses.write(uses.record())
    uses.read.cache_clear()
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
