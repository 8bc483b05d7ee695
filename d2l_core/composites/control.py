"""Loops and branches whose course depends on values, also inside compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.interface import Tensor

__all__ = ["cond", "while_loop"]


@composite("autodiff")
def while_loop(condition: Callable[[Any], Tensor], body: Callable[[Any], Any], init: Any, /) -> Any:
    """``carry = body(carry)`` as long as ``condition(carry)``, starting from `init`; returns the last carry.

    Args:
        condition: from the carry to a 0-d boolean.
        body: from the carry to the next one, of the same structure, shapes and dtypes.
        init: tree of tensors.

    It can be compiled. Nothing is promised of its gradient, since some frameworks cannot run it backwards: `scan` with
    a fixed number of steps has one.
    """
    carry = init
    while bool(xp.to_numpy(condition(carry))):
        carry = body(carry)
    return carry


@composite("autodiff")
def cond(predicate: Tensor, if_true: Callable[..., Any], if_false: Callable[..., Any], /, *operands: Any) -> Any:
    """``if_true(*operands)`` or ``if_false(*operands)``, by a 0-d boolean.

    Both return trees of one structure, with the same shapes and dtypes. It can be compiled and differentiated; in
    compiled code both functions are traced and one of them runs.
    """
    return (if_true if bool(xp.to_numpy(predicate)) else if_false)(*operands)
