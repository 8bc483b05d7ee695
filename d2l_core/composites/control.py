"""Loops and branches whose course depends on values, also inside compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core._dispatch import composite
from d2l_core.interface import Tensor

__all__ = ["compile_steps", "cond", "while_loop"]


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


@composite("autodiff")
def compile_steps(f: Callable[..., Any], /) -> Callable[..., Any]:
    """A loop over `f` in the form in which the framework runs it fastest: compiled as a whole, or step by step.

    Args:
        f: ``f(state, row, *constants) -> (result, state)``, a pure function as `compile` takes them; its state is a
            list of tensors, the others are trees of tensors.

    Returns:
        ``run(state, rows, start, stop, *constants) -> (results, state)``, which calls f with the rows number start to
        stop - 1 of `rows`, a tree of tensors or NumPy arrays with one first axis, one after the other, as tensors.
        `results` is what f returned, as NumPy arrays with a first axis of stop - start; the state's memory may be
        reused, and the list that was given may hold what each step left. Where a row stands, and how many are taken at
        once, does not change a bit of the results.
    """
    step = xp.compile(f)

    def run(state: list[Tensor], rows: Any, start: int, stop: int, /, *constants: Any) -> tuple[Any, list[Tensor]]:
        results, rows = [], tree.map(placed, rows)
        for i in range(start, stop):
            result, state[:] = step(state, tree.map(lambda column, i=i: column[i], rows), *constants)
            results.append(result)
        return tree.map(lambda *leaves: xp.to_numpy(xp.stack(leaves)), *results), list(state)

    return run


def placed(x: Any) -> Tensor:
    """A NumPy array as a tensor; a tensor as it is."""
    return xp.asarray(x) if isinstance(x, np.ndarray) else x
