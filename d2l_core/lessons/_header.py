"""The header of a lesson: what it is, needs and promises, as TOML in a comment block at the top of the file.

It can be read without importing the lesson; ``main`` is left out where there is nothing to train. The block looks as
in inline script metadata (PEP 723)::

    # /// lesson
    # name = "lenet"
    # title = "LeNet and batch normalisation"
    # sections = ["7.6", "8.5"]
    # needs = ["softmax-regression"]
    # data = ["fashion-mnist"]
    # main = "lenet"
    # [time]
    # smoke = "5 s"
    # standard = "1 min"
    # full = "3 min"
    # [promises]
    # full = ["lenet: val_acc >= 0.717"]
    # ///
"""

from __future__ import annotations

import operator
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from d2l_core.errors import D2LError

SCALES = ("smoke", "standard", "full")

_BLOCK = re.compile(r"^# /// lesson$\n(?P<body>(?:^#(?: .*)?$\n)+?)^# ///$", re.MULTILINE)
_PROMISE = re.compile(r"(?P<job>[\w-]+): (?P<metric>\w+) (?P<relation>>=|<=) (?P<bound>[-+.\deE]+)")
_RELATIONS = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Promise:
    """A result that a job of a lesson reaches on every backend: ``job: metric >= bound``."""

    job: str
    metric: str
    relation: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Promise:
        """Read ``"lenet: val_acc >= 0.717"``."""
        match = _PROMISE.fullmatch(text)
        if match is None:
            raise D2LError(
                f"The promise {text!r} is not of the form 'job: metric >= number'; mend the lesson's header."
            )
        return cls(match["job"], match["metric"], match["relation"], float(match["bound"]))

    def holds(self, value: float) -> bool:
        """Whether a result keeps the promise; NaN never does."""
        return bool(_RELATIONS[self.relation](value, self.bound))

    def __str__(self) -> str:
        return f"{self.job}: {self.metric} {self.relation} {self.bound:g}"


@dataclass(frozen=True)
class Header:
    """What a lesson says of itself; see the module's docstring for the fields."""

    name: str
    title: str
    sections: tuple[str, ...]
    needs: tuple[str, ...]
    data: tuple[str, ...]
    main: str | None
    time: dict[str, str]
    promises: dict[str, tuple[Promise, ...]]

    @classmethod
    def read(cls, path: Path) -> Header:
        """The header of the lesson in a file.

        Raises:
            D2LError: there is no header or it is not complete.
        """
        match = _BLOCK.search(path.read_text(encoding="utf-8"))
        if match is None:
            raise D2LError(f"{path} has no lesson header; begin it with a '# /// lesson' block.")
        body = "".join(line[2:] + "\n" for line in match["body"].splitlines())
        try:
            fields = tomllib.loads(body)
            return cls(
                name=fields["name"],
                title=fields["title"],
                sections=tuple(fields["sections"]),
                needs=tuple(fields.get("needs", ())),
                data=tuple(fields["data"]),
                main=fields.get("main"),
                time={scale: fields["time"][scale] for scale in SCALES},
                promises={scale: tuple(map(Promise.parse, fields["promises"].get(scale, ()))) for scale in SCALES},
            )
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise D2LError(f"The header of {path} is not complete ({error}); see d2l_core.lessons.") from error
