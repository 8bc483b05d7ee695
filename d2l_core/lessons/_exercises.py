"""Exercises that a program examines: stubs for the reader's folder, and checks of what the reader wrote.

A lesson's ``<lesson>_exercises.py`` holds functions whose body is ``raise NotImplementedError`` and, for each, checks
called ``check_<function>_<aspect>(candidate)``: value, gradient, edges or other words. A check raises AssertionError
with a sentence for the student.
"""

from __future__ import annotations

import ast
import importlib
import re
import runpy
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from d2l_core.errors import UsageError
from d2l_core.lessons._registry import Lesson, find_lesson, lessons
from d2l_core.lessons.figures import without_markers

CHECK = "check_"

_HEAD = re.compile(r"^# exercises of the lesson (?P<name>[\w-]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What one check says of one function: `problem` is None when it is satisfied."""

    function: str
    aspect: str
    problem: str | None


def has_exercises(lesson: Lesson) -> bool:
    """Whether a program examines exercises of the lesson."""
    return lesson.companion("exercises").exists()


def stub(lesson: Lesson) -> str:
    """The source of a file for the reader: the functions to fill in, what they import, and no check.

    Raises:
        UsageError: the lesson has no such exercises; those that have some are listed.
    """
    path = _exercises_path(lesson)
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    kept = [node for node in tree.body if _of_the_reader(node)]
    used = {name.id for node in kept for name in ast.walk(node) if isinstance(name, ast.Name)} | {"np", "xp"}
    imports = [line for node in tree.body for line in _imports(node, used)]
    parts = [_opening(lesson), "\n".join(imports)]
    parts += ["\n\n" + "\n".join(_lines(source, node)) for node in kept]
    return "\n".join(parts) + "\n"


def solutions(lesson: Lesson) -> str:
    """The source of a lesson's solutions, which `examine` takes as well.

    Raises:
        UsageError: there are none.
    """
    path = lesson.companion("solutions")
    if not path.exists():
        raise UsageError(f"The lesson {lesson.header.name} has no solutions yet.")
    return f"{_head(lesson)}\n{without_markers(path.read_text(encoding='utf-8'))}"


def lesson_of(path: Path) -> Lesson:
    """The lesson to which a reader's file belongs, by the line that `stub` wrote at its top.

    Raises:
        UsageError: the file does not exist or has no such line.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}; write one with: d2l exercise LESSON")
    match = _HEAD.search(path.read_text(encoding="utf-8"))
    if match is None:
        raise UsageError(f"{path} does not say to which lesson it belongs; keep the first line of the stub.")
    return find_lesson(match["name"])


def check_functions(lesson: Lesson) -> dict[str, dict[str, Callable[[Any], None]]]:
    """The checks of a lesson: for each function, by aspect."""
    _exercises_path(lesson)
    module = importlib.import_module(f"{lesson.module}_exercises")
    names = [name for name in _functions(module) if not name.startswith((CHECK, "_"))]
    checks = {name: value for name, value in _functions(module).items() if name.startswith(CHECK)}
    return {
        name: {
            check.removeprefix(f"{CHECK}{name}_").replace("_", " "): value
            for check, value in checks.items()
            if check.startswith(f"{CHECK}{name}_")
        }
        for name in names
    }


def examine(path: Path) -> Iterator[Verdict]:
    """Run the checks on the functions of a reader's file, on the active backend.

    The file is the reader's own program and runs as such.

    Args:
        path: of the file.

    Raises:
        UsageError: see `lesson_of`.
    """
    checks = check_functions(lesson_of(path))
    try:
        written = runpy.run_path(str(path))
    except Exception as error:  # whatever the student's file does
        yield Verdict("the file", "loads", _in_words(error, path))
        return
    for function, aspects in checks.items():
        candidate = written.get(function)
        for aspect, check in aspects.items():
            yield Verdict(function, aspect, _verdict(check, candidate, path))


def _verdict(check: Callable[[Any], None], candidate: Any, path: Path) -> str | None:
    if candidate is None:
        return "The file does not define it."
    try:
        check(candidate)
    except NotImplementedError:
        return "Not written yet."
    except AssertionError as error:
        return str(error) or "The check failed."
    except Exception as error:  # whatever the student's function does
        return _in_words(error, path)
    return None


def _in_words(error: Exception, path: Path) -> str:
    """The error, and the line of the reader's file in which it arose."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
    where = f"Line {line}: " if line else ""
    return f"{where}{type(error).__name__}: {error}"


def _exercises_path(lesson: Lesson) -> Path:
    path = lesson.companion("exercises")
    if not path.exists():
        known = ", ".join(name for name, other in lessons().items() if has_exercises(other))
        raise UsageError(f"No program examines exercises of {lesson.header.name}; it does for: {known}.")
    return path


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    return {name: value for name, value in own.items() if callable(value)}


def _opening(lesson: Lesson) -> str:
    name = lesson.header.name
    return (
        f"{_head(lesson)}\n"
        "#\n"
        "# Replace each `raise NotImplementedError`, then run: d2l check FILE\n"
        f"# The lesson itself: d2l notebook {name}. Solutions: d2l exercise {name} --solutions\n"
    )


def _head(lesson: Lesson) -> str:
    return f"# exercises of the lesson {lesson.header.name}"


def _of_the_reader(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return not node.name.startswith((CHECK, "_"))
    return False


def _imports(node: ast.stmt, used: set[str]) -> Iterator[str]:
    """The import statements that the reader's functions need, one name a line where several are imported."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in used]
        if names:
            kept = ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)
            yield ast.unparse(kept)


def _lines(source: str, node: ast.stmt) -> list[str]:
    lines = source.splitlines()
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    return lines[first - 1 : node.end_lineno]
