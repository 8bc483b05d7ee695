"""Running a function for its Python code alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from d2l_core._dispatch import composite
from d2l_core.interface import Tensor

__all__ = ["rehearse"]


@composite("system")
def rehearse(f: Callable[[list[Tensor]], Any], inputs: Sequence[Tensor], /) -> None:
    """Call ``f(inputs)`` for what its Python code does and sees of shapes and dtypes; the result is thrown away.

    An adapter replaces it where the framework can do so without computing. The tensors inside f then have no values:
    code that asks for one fails, and none may be kept.
    """
    f(list(inputs))
