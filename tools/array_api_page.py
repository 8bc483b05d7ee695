"""Write the generated parts of ``docs/array_api.md``: what the namespace declares, and what native tensors can do.

``python tools/array_api_page.py`` rewrites them with every installed backend at precision 64; the rest of the page is
written by hand. A test compares page and facts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from d2l_conformance import standard
from d2l_conformance.tensor_object import answers

from d2l_core.backend import adapters, use_backend
from d2l_core.interface import DTYPES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "array_api.md"


def names(found: list[str] | tuple[str, ...]) -> str:
    """Names in a line, as code."""
    return ", ".join(f"`{name}`" for name in sorted(found))


def declared() -> str:
    """What is there and what is not, by the suite's own tables."""
    kinds: dict[str, list[str]] = {}
    for name, kind in standard.LEFT_OUT.items():
        kinds.setdefault(kind, []).append(name)
    lines = [
        f"- **Functions** ({len(standard.SIGNATURES)}): {names(list(standard.SIGNATURES))}.",
        f"- **Extension `linalg`** ({len(standard.LINALG)}): {names(list(standard.LINALG))}.",
        f"- **Constants**: {names(standard.CONSTANTS)}.",
        f"- **Dtypes**: {names(DTYPES)}.",
        f"- **Left-out dtypes**: {names(standard.DTYPES_LEFT_OUT)}.",
        *(f"- **Left out, {kind}**: {names(found)}." for kind, found in kinds.items()),
    ]
    return "\n".join(lines)


def tensors() -> str:
    """A table of answers, a column for each backend."""
    columns = {}
    for adapter in adapters().values():
        if not adapter.missing():
            with use_backend(adapter.name, precision=64):
                columns[adapter.title] = answers()
    rows = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for label in next(iter(columns.values())):
        rows.append("| " + " | ".join([label, *("yes" if one[label] else "no" for one in columns.values())]) + " |")
    return "\n".join(rows)


def replaced(text: str, part: str, content: str) -> str:
    """A page with one of its generated parts replaced."""
    pattern = rf"(<!-- {part} -->\n).*?(<!-- end of {part} -->)"
    found, count = re.subn(pattern, lambda match: f"{match[1]}{content}\n{match[2]}", text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PAGE} has no part {part!r}.")
    return found


def main() -> int:
    """Rewrite the page."""
    text = PAGE.read_text(encoding="utf-8")
    text = replaced(text, "declared", declared())
    PAGE.write_text(replaced(text, "tensors", tensors()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
