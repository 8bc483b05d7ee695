"""A teacher changes one constant of a lesson, and it still runs."""

import ast
import os
import subprocess
import sys

import pytest

from d2l_core.lessons import lessons

OF_THE_DATA = {"VOCABULARY_SIZE"}


def constants(text):
    """The constants (NAME = number) at the top of a module: names, and where the numbers stand."""
    found = []
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Assign):
            continue
        (target,), value = statement.targets, statement.value
        several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        for name, number in zip(target.elts, value.elts, strict=True) if several else [(target, value)]:
            literal = isinstance(number, ast.Constant) and type(number.value) in (int, float)
            if literal and isinstance(name, ast.Name) and name.id.isupper():
                found.append((name.id, number))
    return found


def halved(text, number):
    """The text with another number in the place of one."""
    lines = text.split("\n")
    line = lines[number.lineno - 1]
    half = number.value // 2 if isinstance(number.value, int) else number.value / 2
    lines[number.lineno - 1] = line[: number.col_offset] + str(half) + line[number.end_col_offset :]
    return "\n".join(lines)


ALL = [
    pytest.param(lesson.path, name, number, id=f"{lesson.header.name}-{name}")
    for lesson in lessons().values()
    for name, number in constants(lesson.path.read_text(encoding="utf-8"))
    if name not in OF_THE_DATA
]


@pytest.mark.parametrize(("path", "name", "number"), ALL)
def test_half_a_constant_will_do(tmp_path, path, name, number):
    """The whole lesson at smoke scale, as a program."""
    changed = tmp_path / path.name
    changed.write_text(halved(path.read_text(encoding="utf-8"), number), encoding="utf-8")
    settings = {"D2L_BACKEND": "numpy", "D2L_SCALE": "smoke", "MPLBACKEND": "agg"}
    run = subprocess.run(
        [sys.executable, changed], env=os.environ | settings, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-1000:]


def test_there_are_constants_to_change():
    """Else nothing was tried above."""
    assert len(ALL) > 20
