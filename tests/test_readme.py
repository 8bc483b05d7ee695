"""What the README shows works as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from d2l_core.backend import find_adapter
from d2l_core.lessons import lessons

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_an_example_prints_what_it_says(code):
    for name in set(re.findall(r'use_backend\("(\w+)"', code)):
        if missing := find_adapter(name).missing():
            pytest.skip(f"The example needs {', '.join(missing)}.")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (promised,) = re.findall(r"print\(.*# (.*)", code)
    assert result.stdout.strip() == promised


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^(?:\w+=\S+ )*d2l (\w+)", TEXT, re.MULTILINE))))
def test_commands_exist(command):
    subprocess.run([sys.executable, "-m", "d2l_core", command, "--help"], capture_output=True, check=True)


def test_pictures_exist():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", TEXT):
        assert (ROOT / path).is_file()


def test_every_lesson_is_listed_in_order():
    table = TEXT.split("| chapter | lessons |")[1].split("\n\n")[0]
    assert re.findall(r"`([\w-]+)`", table) == list(lessons())
