"""Arguments and options that several commands have, with completion in the shell.

The names of lessons and backends are looked up when they are needed, so that ``d2l --help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

PRECISIONS = ("32", "64")


class Name(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """The name of something the engine knows: `find` raises UsageError for any other word."""

    def __init__(
        self,
        kind: str,
        names: Callable[[], Iterable[str]],
        find: Callable[[str], object],
        further: tuple[str, ...] = (),
    ):
        self.name, self.names, self.find, self.further = kind, names, find, further

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself once it is known to exist."""
        if value not in self.further:
            self.find(value)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """All names that begin with what was typed."""
        return [CompletionItem(name) for name in (*self.names(), *self.further) if name.startswith(incomplete)]


class Names(Name):
    """Several names with commas between them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A tuple of the names, in the order given."""
        if not isinstance(value, str):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            self.fail("name at least one", param, ctx)
        return tuple(super(Names, self).convert(word, param, ctx) for word in words)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the name after the last comma."""
        done, comma, last = incomplete.rpartition(",")
        return [CompletionItem(done + comma + item.value) for item in super().shell_complete(ctx, param, last)]


class Seeds(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Several seeds with commas between them."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A tuple of integers, each once."""
        if not isinstance(value, str):
            return value
        words = [word.strip() for word in value.split(",")]
        if not all(word.isascii() and word.isdigit() for word in words):
            self.fail(f"{value!r} is not a list of whole numbers such as 0,1,2", param, ctx)
        return tuple(dict.fromkeys(map(int, words)))


def _lesson_names() -> Iterable[str]:
    from d2l_core.lessons import lessons

    return lessons()


def _find_lesson(name: str) -> object:
    from d2l_core.lessons import find_lesson

    return find_lesson(name)


def _backend_names() -> Iterable[str]:
    from d2l_core.backend import adapters

    return adapters()


def _find_adapter(name: str) -> object:
    from d2l_core.backend import find_adapter

    return find_adapter(name)


def _scale_names() -> Iterable[str]:
    from d2l_core.lessons import SCALES

    return SCALES


def _find_scale(name: str) -> object:
    from d2l_core.lessons._job import checked_scale

    return checked_scale(name)


LESSON = Name("lesson", _lesson_names, _find_lesson)
LESSON_OR_ALL = Name("lesson", _lesson_names, _find_lesson, further=("all",))
BACKEND = Name("backend", _backend_names, _find_adapter)
BACKENDS = Names("backend,...", _backend_names, _find_adapter)
SCALE = Name("smoke|standard|full", _scale_names, _find_scale)

lesson_argument = click.argument("lesson", type=LESSON, metavar="LESSON")
job_option = click.option("--job", metavar="NAME", help="One job of the lesson; its main one if not given.")
scale_option = click.option(
    "--scale", type=SCALE, envvar="D2L_SCALE", default="standard", show_default="D2L_SCALE or standard",
    help="How much data and how many epochs.",
)  # fmt: skip
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Of initial values, shuffling and dropout.",
)  # fmt: skip
epochs_option = click.option(
    "--epochs", type=click.IntRange(min=1), metavar="N", help="Instead of the number that belongs to the scale.",
)  # fmt: skip
precision_option = click.option(
    "--precision", type=click.Choice(PRECISIONS), metavar="32|64",
    help="Bits of the default float; D2L_PRECISION or 32 if not given.",
)  # fmt: skip
