"""Which lessons use which function of the contract: recorded while they train, so that nobody has to keep a list.

Every job of every lesson runs at smoke scale on the reference backend, and a lesson without jobs from top to bottom,
with the composites as the engine composes them, so that what a native form would hide is seen. ``uses.json`` holds the
result; `d2l_conformance.pages` renews it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from d2l_conformance._run import REFERENCE

from d2l_core.backend import Backend, load_backend, use_backend
from d2l_core.interface import contract
from d2l_core.lessons import Lesson, lessons, run_whole

FILE = Path(__file__).with_name("uses.json")


@contextlib.contextmanager
def recorded(backend: Backend) -> Iterator[set[str]]:
    """The functions of the contract that are called on a backend meanwhile, composites and what they are made of."""
    seen: set[str] = set()
    as_found = dict(vars(backend))
    for name, primitive in contract().items():
        function = primitive.declaration if primitive.composite else as_found[name]
        setattr(backend, name, _noted(name, function, seen))
    try:
        yield seen
    finally:
        vars(backend).clear()
        vars(backend).update(as_found)


def _noted(name: str, function: Callable[..., Any], seen: set[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        seen.add(name)
        return function(*args, **kwargs)

    return call


def record() -> dict[str, list[str]]:
    """Train every job of every lesson, and the functions that each lesson used."""
    found = {}
    for name, lesson in lessons().items():
        with recorded(load_backend(REFERENCE)) as seen, use_backend(REFERENCE, precision=32):
            _run(lesson)
        found[name] = sorted(seen)
    return found


def _run(lesson: Lesson) -> None:
    for job in lesson.jobs().values():
        job.run("smoke", 0)
    if not lesson.jobs():
        # a lesson may write files
        with (
            contextlib.redirect_stdout(io.StringIO()),
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
        ):
            run_whole(lesson, "smoke")


def write(found: dict[str, list[str]], file: Path = FILE) -> None:
    """Keep a record, one line a lesson."""
    lines = ",\n".join(f" {json.dumps(lesson)}: {json.dumps(names)}" for lesson, names in sorted(found.items()))
    file.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


@functools.cache
def read(file: Path = FILE) -> dict[str, list[str]]:
    """The functions that each lesson uses, by the record."""
    found: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def lessons_that_use(name: str) -> list[str]:
    """The lessons that cannot run without a function of the contract or a dtype, in the order of their sections."""
    if name not in contract():
        return list(lessons())
    return [lesson for lesson in lessons() if name in read().get(lesson, ())]


def lessons_broken_by(absent: Iterable[str]) -> list[str]:
    """The lessons that cannot run without some of these."""
    broken = {lesson for name in absent for lesson in lessons_that_use(name)}
    return [lesson for lesson in lessons() if lesson in broken]
