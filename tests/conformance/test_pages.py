"""The generated pages and the record of uses are what the table, the lessons and the records make of them."""

from __future__ import annotations

import pytest
from d2l_conformance import pages, uses

from d2l_core import composites, xp
from d2l_core.backend import load_backend, use_backend
from d2l_core.interface import contract
from d2l_core.lessons import lessons

RENEW = "run: python -m d2l_conformance.pages"


@pytest.mark.parametrize("name", ["reference.md", "conformance.md"])
def test_page_is_up_to_date(name: str) -> None:
    assert (pages.DOCS / name).read_text(encoding="utf-8") == pages.pages()[name], f"{name} is out of date; {RENEW}"


def test_every_function_is_in_the_reference() -> None:
    text = pages.reference()
    assert [name for name in contract() if f"### `{name}(" not in text] == []


def test_record_of_uses_is_up_to_date() -> None:
    assert uses.record() == uses.read(), f"lessons use other functions than uses.json says; {RENEW}"


def test_recording_sees_what_composites_are_made_of_and_leaves_no_trace() -> None:
    backend = load_backend("numpy")
    before = dict(vars(backend))
    with uses.recorded(backend) as seen, use_backend("numpy"):
        composites.relu(xp.asarray([1.0]))  # native on this backend, yet what the composition needs is seen
    assert {"scope", "devices", "asarray", "relu", "where"} <= seen
    assert vars(backend) == before


def test_what_breaks_a_lesson() -> None:
    assert {"convolutions", "lenet"} <= set(uses.lessons_that_use("conv"))
    assert "mlp" not in uses.lessons_that_use("conv")
    assert uses.lessons_that_use("float32") == list(lessons())
    broken = uses.lessons_broken_by(["conv", "scan"])
    assert broken == [name for name in lessons() if name in broken]
    assert {"lenet", "rnn"} <= set(broken)
