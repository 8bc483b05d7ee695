"""Functions with a hand-written derivative, over trees."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core.dtypes import is_floating
from d2l_core.errors import UsageError
from d2l_core.interface import Tensor


def custom_gradient(f: Callable[..., tuple[Any, Callable[[Any], Any]]]) -> Callable[..., Any]:
    """A function whose derivative is written by hand; a decorator.

    Args:
        f: ``f(*args) -> (value, backward)``. The arguments and the value are trees of tensors.
            ``backward(gradient)`` takes the gradient of the value, a tree like it with None for what is no float, and
            returns that of the argument, or a tuple with that of each where there are several: trees like the arguments
            in shapes and dtypes, with None for what is no float and for an argument that has none.

    Returns:
        ``g(*args) -> value``. `f` is a pure function and may be called more than once. It may use other tensors, as
        long as they are not being differentiated themselves: pass those, the parameters of a module among them, as
        arguments. A second derivative is the derivative of what `backward` computes from its argument, the arguments of
        f and what f has made of them.

    Raises:
        UsageError: when called, if the value depends on a tensor outside that is being differentiated; in the backward
            pass, if a gradient has not the shape of its argument.
    """

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        leaves = tree.leaves(args)
        chosen = floats(leaves)
        form: list[Any] = []

        def rule(inputs: list[Tensor]) -> tuple[list[Tensor], Any]:
            value, backward = f(*tree.unflatten(args, replaced(leaves, chosen, inputs)))
            form[:] = [value]

            def pullback(gradients: list[Tensor]) -> list[Tensor]:
                pairs = zip(tree.leaves(value), gradients, strict=True)
                known = [g if is_floating(y) else None for y, g in pairs]
                result = backward(tree.unflatten(value, known))
                return _gradients(args, (result,) if len(args) == 1 else result)

            return tree.leaves(value), pullback

        outputs = xp.custom_vjp(rule)([leaves[i] for i in chosen])
        return tree.unflatten(form[0], outputs)

    return call


def floats(leaves: Sequence[Any]) -> list[int]:
    """Positions of the float tensors."""
    return [i for i, leaf in enumerate(leaves) if xp.is_tensor(leaf) and is_floating(leaf)]


def replaced(leaves: Sequence[Any], positions: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """The leaves with others at some positions."""
    filled = list(leaves)
    for i, value in zip(positions, values, strict=True):
        filled[i] = value
    return filled


def _gradients(args: tuple[Any, ...], results: Any) -> list[Tensor]:
    """One gradient for each float tensor among the arguments."""
    if not isinstance(results, tuple) or len(results) != len(args):
        raise UsageError(f"The backward function of a custom gradient must return a tuple of {len(args)} gradients.")
    found = []
    for arg, result in zip(args, results, strict=True):
        leaves = tree.leaves(arg)
        inputs = [leaves[i] for i in floats(leaves)]
        gradients = [xp.zeros_like(x) for x in inputs] if result is None else tree.leaves(result)
        shapes = [[tuple(x.shape) for x in tensors] for tensors in (gradients, inputs)]
        if shapes[0] != shapes[1]:
            raise UsageError(
                f"The backward function of a custom gradient returned shapes {shapes[0]} for an argument with "
                f"{shapes[1]}; return one gradient of the same shape for each float tensor."
            )
        found += gradients
    return found
