"""The figures in a lesson's text come from its recorded runs: ``python -m d2l_core.lessons.figures [LESSON...]``.

A number that the lesson computed, in its text or in that of its solutions, is followed by an HTML comment, which
Markdown does not show: ``0.508<!--airfoil.val_loss-->``, ``83.1 %<!--lenet.val_acc-->``,
``$3.5 \\cdot 10^7$<!--lesson.largest-->``. The comment names a job and one of its metrics (``lesson`` stands for what
the lesson reports as a whole), and may go on with ``@torch`` (the backend, else NumPy), ``seed=1`` (else 0) or
``mean`` (over all seeds). The number is rewritten with as many decimals as it was written with.
"""

from __future__ import annotations

import math
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from d2l_core.errors import D2LError
from d2l_core.lessons._registry import Lesson, find_lesson, lessons
from d2l_core.lessons._verify import Result, read_results

__all__ = ["main", "stale", "update", "with_figures", "without_markers"]

_MARKER = r"<!--(?P<job>[\w-]+)\.(?P<metric>\w+)(?P<options>(?: [^\s<>]+)*)-->"
_NUMBER = (
    r"(?P<number>(?P<sign>[-−+]?)(?P<digits>\d[\d,]*)(?:\.(?P<decimals>\d+))?)"
    r"(?P<power>(?:e[-+]?\d+)|(?: ?\\cdot 10\^(?:\{-?\d+\}|\d)))?"
    r"(?P<percent>(?: |~|\\,)?\\?%)?(?P<end>\$?)"
)
_FIGURE = re.compile(_NUMBER + _MARKER)
_ANY_MARKER = re.compile(_MARKER)
_REFERENCE = "numpy"


def with_figures(source: str, results: Sequence[Result], name: str = "<lesson>", file: str | None = None) -> str:
    """The text with each marked number taken from recorded runs.

    Args:
        source: of a lesson or its solutions.
        results: the lesson's recorded runs.
        name: of the lesson, for messages.
        file: where the text stands, for messages; the lesson's name if not given.

    Raises:
        D2LError: a marker has no number before it, or no recorded run of its kind.
    """
    for match in _ANY_MARKER.finditer(source):
        before = source[source.rfind("\n", 0, match.start()) + 1 : match.end()]
        if not re.search(_NUMBER + re.escape(match[0]) + r"\Z", before):
            raise D2LError(f"{file or name}: no number stands before the marker {match[0]}.")
    return _FIGURE.sub(lambda match: _written(match, _value(match, results, name, file or name)), source)


def without_markers(source: str) -> str:
    """The text without the comments that mark its figures."""
    return _ANY_MARKER.sub("", source)


def _value(match: re.Match[str], results: Sequence[Result], name: str, file: str) -> float:
    backend, seed, mean = _REFERENCE, 0, False
    for option in match["options"].split():
        if option.startswith("@"):
            backend = option[1:]
        elif option.startswith("seed=") and option[5:].isdigit():
            seed = int(option[5:])
        elif option == "mean":
            mean = True
        else:
            raise D2LError(f"{file}: the marker of {match['number']} has an unknown option {option!r}.")
    kind = {"job": match["job"], "backend": backend, "scale": "full", "precision": 32}
    runs = [run for run in results if all(run[key] == wanted for key, wanted in kind.items())]
    values = [run["metrics"].get(match["metric"]) for run in runs if mean or run["seed"] == seed]
    if not values or None in values:
        raise D2LError(
            f"{file}: no run on {backend} with seed {seed} recorded {match['job']}.{match['metric']}; "
            f"record it with: d2l verify {name} --backend {backend}"
        )
    return statistics.fmean(values)


def _written(match: re.Match[str], value: float) -> str:
    """The value in the form of the number that stands there."""
    decimals = len(match["decimals"] or "")
    if match["percent"]:
        value *= 100.0
    power = match["power"] or ""
    if power:
        exponent = math.floor(math.log10(abs(value))) if value else 0
        mantissa = f"{value / 10.0**exponent:.{decimals}f}"
        if abs(float(mantissa)) >= 10.0:
            exponent += 1
            mantissa = f"{value / 10.0**exponent:.{decimals}f}"
        if power.startswith("e"):
            power = f"e{exponent:+03d}"
        else:
            shown = str(exponent) if 0 <= exponent < 10 else f"{{{exponent}}}"
            power = power[: power.index("^") + 1] + shown
        text = mantissa
    else:
        plain = "," not in match["digits"] and len(match["digits"]) > 3
        text = f"{value:.{decimals}f}" if plain else f"{value:,.{decimals}f}"
    if match["sign"] == "−":
        text = text.replace("-", "−")
    return text + power + (match["percent"] or "") + match["end"] + match[0][match[0].index("<!--") :]


def stale(lesson: Lesson) -> list[Path]:
    """The files of a lesson, itself and its solutions, with a figure that is not the record's."""
    return [path for path, _ in _changes(lesson)]


def update(lesson: Lesson) -> bool:
    """Rewrite the figures in the files of a lesson; whether any changed."""
    changes = list(_changes(lesson))
    for path, written in changes:
        path.write_text(written, encoding="utf-8")
    return bool(changes)


def _changes(lesson: Lesson) -> Iterator[tuple[Path, str]]:
    """The files of a lesson whose text differs from the record, each with the text as it should be."""
    results = read_results(lesson.results_path)
    for path in (lesson.path, lesson.companion("solutions")):
        if path.exists():
            source = path.read_text(encoding="utf-8")
            written = with_figures(source, results, lesson.header.name, path.name)
            if written != source:
                yield path, written


def main(names: Sequence[str]) -> None:
    """Rewrite the figures of the lessons named, or of all."""
    chosen = [find_lesson(name) for name in names] or list(lessons().values())
    for lesson in chosen:
        print(f"{lesson.header.name}: {'figures renewed' if update(lesson) else 'figures are those of the record'}")


if __name__ == "__main__":
    main(sys.argv[1:])
