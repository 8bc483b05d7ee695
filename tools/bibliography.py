"""Write ``docs/bibliography.md``: every work that a lesson refers to, once, with the lessons that do.

Run as ``python tools/bibliography.py``. The entries stand in the lessons, under "References", in the form
``Authors (year), *Title*, where.``; two entries of one title must be the same.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from d2l_core.lessons import Lesson, lessons

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "bibliography.md"

_ENTRY = re.compile(r"(?P<authors>[^()]+) \((?P<year>\d{4}[a-z]?)\), \*(?P<title>.+?)\*")
_HEAD = """# Bibliography

*Written by `python tools/bibliography.py` from the references of the lessons; not to be edited.*

"""


def references(lesson: Lesson) -> Iterator[str]:
    """The entries under "References" in a lesson, each as one line."""
    text = lesson.path.read_text(encoding="utf-8").rpartition("# ## References\n")[2]
    lines = [re.sub(r"^# ?", "", line) for line in text.splitlines() if line.startswith("#")]
    for entry in re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]:
        yield " ".join(entry.split())


def page() -> str:
    """The whole page.

    Raises:
        ValueError: two lessons refer to one title in different words.
    """
    entries: dict[str, str] = {}
    users: dict[str, list[Lesson]] = {}
    for lesson in lessons().values():
        for entry in references(lesson):
            match = _ENTRY.match(entry)
            if match is None:
                raise ValueError(f"{lesson.header.name}: the reference is not complete: {entry}")
            key = re.sub(r"\W", "", match["title"]).lower()
            if entries.setdefault(key, entry) != entry:
                known = users[key][0].header.name
                raise ValueError(f"{lesson.header.name} and {known} differ:\n  {entry}\n  {entries[key]}")
            users.setdefault(key, []).append(lesson)
    lines = [f"- {entries[key]} {_links(users[key])}" for key in sorted(entries, key=lambda key: _order(entries[key]))]
    return _HEAD + "\n".join(lines) + "\n"


def _order(entry: str) -> tuple[str, str]:
    """By the first author's surname, then by year."""
    match = _ENTRY.match(entry)
    assert match is not None
    first = re.split(r",| and ", match["authors"])[0].split()
    return first[-1].lower(), match["year"]


def _links(found: list[Lesson]) -> str:
    links = [f"[{lesson.header.name}](../chapters/{lesson.path.parent.name}/{lesson.path.name})" for lesson in found]
    return f"({', '.join(dict.fromkeys(links))})"


if __name__ == "__main__":
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except ValueError as error:
        sys.exit(str(error))
