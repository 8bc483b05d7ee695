"""A lesson as a notebook: the same cells, without what only a module needs.

A lesson is a module whose import only defines things, so what trains is guarded by
``if __name__ == "__main__":``. In a notebook the guard would only be in the way: its body takes its place.
The header becomes the first cell, in words.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import Any

from d2l_core.errors import D2LError
from d2l_core.lessons._header import _BLOCK, SCALES, Header
from d2l_core.lessons._registry import Lesson
from d2l_core.lessons.figures import without_markers

__all__ = ["executed", "notebook_json", "percent_source", "without_guards"]

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}
_MARKDOWN = "# %% [markdown]\n"


def notebook_json(lesson: Lesson) -> str:
    """The notebook (format 4, JSON) of a lesson; the same text each time.

    Raises:
        D2LError: jupytext is not installed, or the lesson's source does not parse.
    """
    try:
        import jupytext  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise D2LError('Notebooks need jupytext; install it with: pip install "d2l-core[notebook]"') from error
    notebook = jupytext.reads(percent_source(lesson), fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    notebook.metadata.clear()
    notebook.metadata.update(_METADATA)
    text: str = jupytext.writes(notebook, fmt="ipynb")
    return text if text.endswith("\n") else text + "\n"


def executed(notebook: str, started: Callable[[int, int], None] = lambda cell, cells: None) -> str:
    """A notebook with what its cells give: text and figures, computed in a Jupyter kernel of this Python.

    Args:
        notebook: as `notebook_json` gives it.
        started: told of each code cell before it runs: which one it is, from 1, and of how many.

    Raises:
        D2LError: nbclient or ipykernel is not installed, or a cell fails; the message has its error.
    """
    try:
        import ipykernel  # type: ignore[import-not-found,unused-ignore] # noqa: F401 - the kernel is another process
        import nbclient  # type: ignore[import-not-found,unused-ignore]
        import nbformat
    except ImportError as error:
        raise D2LError(
            f'To execute notebooks needs {error.name}; install it with: pip install "d2l-core[notebook]"'
        ) from error
    found = nbformat.reads(notebook, as_version=4)
    numbers = [i for i, cell in enumerate(found.cells) if cell.cell_type == "code"]

    def before(cell_index: int, **_: Any) -> None:
        started(numbers.index(cell_index) + 1, len(numbers))

    client = nbclient.NotebookClient(found, timeout=None, kernel_name="python3", on_cell_execute=before)
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise D2LError(f"A cell of the notebook fails with {error.ename}: {error.evalue}") from error
    text: str = nbformat.writes(found)
    return text if text.endswith("\n") else text + "\n"


def percent_source(lesson: Lesson) -> str:
    """The lesson in percent format as the notebook has it: its header in words, no guards."""
    source = lesson.path.read_text(encoding="utf-8")
    source = without_markers(without_guards(source, str(lesson.path)))
    body = _BLOCK.sub("", source, count=1).lstrip("\n")
    return introduction(lesson.header) + "\n" + _without_title(body, lesson.header.title)


def introduction(header: Header) -> str:
    """The first cell: title, section, data, times and promises of a lesson."""
    facts = [
        ("Section", ", ".join(header.sections)),
        ("Builds on", ", ".join(header.needs)),
        ("Data", ", ".join(header.data)),
        ("Time", ", ".join(f"{scale} {header.time[scale]}" for scale in SCALES)),
        *((f"Promised ({scale})", "; ".join(map(str, header.promises[scale]))) for scale in SCALES),
    ]
    lines = [
        f"# {header.title}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {text} |" for name, text in facts if text),
    ]
    closing = (
        "Set `D2L_BACKEND` to the framework and `D2L_SCALE` to `smoke`, `standard` or `full` before the "
        "kernel starts; without them the first installed framework runs at scale `standard`."
    )
    return _MARKDOWN + "".join(f"# {line}".rstrip() + "\n" for line in [*lines, "", closing])


def _without_title(body: str, title: str) -> str:
    """The first cell has the title already."""
    opening = re.compile(re.escape(_MARKDOWN) + r"# # (?P<title>.*)\n(?P<rest>(?:#.*\n)*)")
    match = opening.match(body)
    if match is None or match["title"].strip() != title:
        return body
    rest = match["rest"].removeprefix("#\n")
    after = body[match.end() :]
    return _MARKDOWN + rest + after if rest.strip("#\n ") else after.lstrip("\n")


# ------------------------------------------------------------ guards


def without_guards(source: str, name: str = "<lesson>") -> str:
    """The source with the body of each top-level ``if __name__ == "__main__":`` in place of the statement.

    Args:
        source: of a module.
        name: of its file, for messages.

    Raises:
        D2LError: the source does not parse, or a guard has an ``else``.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise D2LError(f"{name} does not parse ({error}); mend the lesson.") from error
    lines = source.splitlines(keepends=True)
    fixed = set(_inside_strings(source))
    for guard in reversed([node for node in tree.body if _is_guard(node)]):
        assert isinstance(guard, ast.If)
        if guard.orelse:
            raise D2LError(f"{name}, line {guard.lineno}: a guard cannot have an else; mend the lesson.")
        _unwrap(lines, guard, fixed)
    return "".join(lines)


def _is_guard(node: ast.stmt) -> bool:
    if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1):
        return False
    sides = [node.test.left, *node.test.comparators]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return isinstance(node.test.ops[0], ast.Eq) and names == ["__name__"] and values == ["__main__"]


def _unwrap(lines: list[str], guard: ast.If, fixed: set[int]) -> None:
    first, last = guard.body[0], guard.end_lineno
    assert last is not None
    if first.lineno <= guard.test.end_lineno:  # type: ignore[operator]  # the body stands behind the colon
        kept = lines[first.lineno - 1].encode()[first.col_offset :].decode()
        lines[guard.lineno - 1 : first.lineno] = [kept]
        return
    indent = first.col_offset
    head = _head_lines(lines, guard)
    for index in range(guard.lineno - 1 + head, last):
        if index + 1 not in fixed:
            line = lines[index]
            spaces = len(line) - len(line.lstrip(" "))
            lines[index] = line[min(indent, spaces) :]
    del lines[guard.lineno - 1 : guard.lineno - 1 + head]
    del lines[guard.lineno - 1 : guard.lineno - 1 + _blank(lines[guard.lineno - 1 :])]


def _head_lines(lines: list[str], guard: ast.If) -> int:
    """How many lines the ``if`` takes up to its colon; comments below it belong to the body."""
    count = 0
    for token in tokenize.generate_tokens(iter([*lines[guard.lineno - 1 :], ""]).__next__):
        if token.type == tokenize.NEWLINE:
            count = token.end[0]
            break
    return count


def _blank(lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if line.strip()), len(lines))


def _inside_strings(source: str) -> Iterator[int]:
    """Numbers of the lines that begin inside a string, whose leading spaces are part of its value."""
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            yield from range(token.start[0] + 1, token.end[0] + 1)
        elif kind.endswith("STRING_START"):
            starts.append(token.start[0])
        elif kind.endswith("STRING_END"):
            yield from range(starts.pop() + 1, token.end[0] + 1)
