"""What an adapter declares its framework cannot do: then its sentence is expected instead of a result."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from d2l_core.backend import Backend
from d2l_core.errors import BackendError

MET: list[str] = []
"""The sentences of the limits that were met so far; a scorecard counts them."""


@contextlib.contextmanager
def expected(sentence: str) -> Iterator[None]:
    """A block that must end in the error with the stated sentence."""
    with pytest.raises(BackendError, match=re.escape(sentence)):
        yield
    MET.append(sentence)


def limited(limit: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test that must end in the stated error on a backend whose adapter declares `limit`, and pass on all others."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def checked(backend: Backend, **others: Any) -> None:
            sentence = backend.adapter.limits.get(limit)
            if sentence is None:
                test(backend=backend, **others)
                return
            with expected(sentence):
                test(backend=backend, **others)

        return checked

    return decorate
