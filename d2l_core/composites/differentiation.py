"""Differentiation composed of functions with a derivative of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.dtypes import is_floating
from d2l_core.interface import Tensor

__all__ = ["rematerialise"]

Function = Callable[[list[Tensor]], list[Tensor]]


@composite("autodiff")
def rematerialise(f: Function, /) -> Function:
    """`f` with the same values and gradients, whose intermediate results are computed again instead of being kept.

    ``f(inputs) -> outputs`` takes a list of float tensors and returns a list of tensors; it is a pure function, and is
    evaluated once more for a gradient (T. Chen et al., "Training deep nets with sublinear memory cost", 2016).
    What it sees from outside must not be differentiated: UsageError, or the right gradient where the framework has it.
    """

    def forward(inputs: list[Tensor]) -> tuple[list[Tensor], Any]:
        return f(inputs), functools.partial(pullback, f, inputs)

    return xp.custom_vjp(forward)


def pullback(f: Function, inputs: list[Tensor], grads: list[Tensor]) -> list[Tensor]:
    """Gradients of the inputs of `f` from those of its outputs; what is no float is passed over."""

    def weighted(inputs: list[Tensor]) -> tuple[Tensor, Any]:
        pairs = zip(f(inputs), grads, strict=True)
        return functools.reduce(xp.add, [xp.sum(y * g) for y, g in pairs if is_floating(y)]), None

    return list(xp.differentiate(weighted)(inputs)[1])
