"""Gradients of functions and modules, and compiled steps over variables.

Adapters see pure functions of lists of tensors (`interface.differentiate`, `interface.compile`). Here variables are
lent to such a function for the time of a call: their values are replaced by its arguments, and what it writes into
them, or into any other variable, comes out as further results.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from d2l_core import interface, tree
from d2l_core._derivatives import hessian, hvp, jacobian, jvp, vjp
from d2l_core._rules import custom_gradient, floats, replaced
from d2l_core.composites import compile_steps, cond, rematerialise, while_loop
from d2l_core.composites.control import placed
from d2l_core.errors import UsageError
from d2l_core.interface import Tensor, scan, stop_gradient
from d2l_core.nn import Module, Variable
from d2l_core.nn._module import LEARNING_SHAPES
from d2l_core.nn._recording import recording, unrecorded
from d2l_core.nn._variable import noted, writes

__all__ = [
    "checkpoint",
    "compiled",
    "compiled_steps",
    "cond",
    "custom_gradient",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "scan",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "while_loop",
]


@contextlib.contextmanager
def _lent(variables: Sequence[Variable], values: Iterable[Tensor]) -> Iterator[None]:
    """Inside the block the variables hold `values`; afterwards what they held before."""
    before = [variable.value for variable in variables]
    for variable, value in zip(variables, values, strict=True):
        variable.lend(value)
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.lend(value)


@dataclass
class _Effects:
    """What a function wrote into variables: which ones, the values before, and the values it left there."""

    variables: list[Variable]
    before: list[Tensor]
    values: list[Tensor]


def _with_effects(f: Callable[..., Any], *args: Any) -> tuple[Any, _Effects]:
    """The result of a call and what it wrote; the variables hold again what they held before."""
    with writes() as before:
        try:
            result = f(*args)
            effects = _Effects(list(before), list(before.values()), [variable.value for variable in before])
        finally:
            for variable, value in before.items():
                variable.lend(value)
    return result, effects


def _written_through(f: Callable[..., Any], *args: Any) -> Any:
    """The result of a call; what it wrote stays written, unless it fails."""
    result, effects = _with_effects(f, *args)
    for variable, value in zip(effects.variables, effects.values, strict=True):
        variable.value = value
    return result


def _differentiate(f: Callable[..., Any], inputs: list[Tensor]) -> tuple[tuple[Tensor, Any], list[Tensor]]:
    """Value, aux and gradients of ``f(inputs) -> (value, aux)``; what f writes into variables stays written."""
    written: list[Variable] = []

    def pure(inputs: list[Tensor]) -> tuple[Tensor, Any]:
        (value, aux), effects = _with_effects(f, inputs)
        written[:] = effects.variables
        return value, (aux, effects.values)

    (value, (aux, values)), gradients = interface.differentiate(pure)(inputs)
    for variable, new in zip(written, values, strict=True):
        variable.value = new
    return (value, aux), gradients


def value_and_grad(
    f: Callable[..., Any], wrt: Module | int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns the value of `f` together with its gradient.

    Args:
        f: returns a 0-d float tensor; with `has_aux`, a pair of it and a tree of further tensors.
        wrt: a module, for the gradient with respect to its trainable parameters as a dict by path; or the
            positions of arguments, each a tree of float tensors, for gradients as trees of the same structure
            (one tree for one position, else a tuple).
        has_aux: whether f returns a pair.

    Returns:
        ``g(*args) -> (value, gradient)``, or ``((value, aux), gradient)`` with `has_aux`. What f writes into variables,
        such as the running statistics of a batch normalisation, stays written. Calls may be nested for second
        derivatives.
    """
    if isinstance(wrt, Module):
        return _module_value_and_grad(f, wrt, has_aux)
    positions = (wrt,) if isinstance(wrt, int) else tuple(wrt)

    def value_and_gradient(*args: Any) -> tuple[Any, Any]:
        chosen = [args[i] for i in positions]

        def of_inputs(inputs: list[Tensor]) -> tuple[Tensor, Any]:
            filled = list(args)
            for i, argument in zip(positions, tree.unflatten(chosen, inputs), strict=True):
                filled[i] = argument
            result = f(*filled)
            return result if has_aux else (result, None)

        (value, aux), gradients = _differentiate(of_inputs, tree.leaves(chosen))
        grown = tuple(tree.unflatten(chosen, gradients))
        return (value, aux) if has_aux else value, grown[0] if isinstance(wrt, int) else grown

    return value_and_gradient


def _module_value_and_grad(f: Callable[..., Any], module: Module, has_aux: bool) -> Callable[..., tuple[Any, Any]]:
    def value_and_gradient(*args: Any) -> tuple[Any, Any]:
        trained = {path: v for path, v in module.variables().items() if v.trainable}
        variables = list(trained.values())

        def of_values(values: list[Tensor]) -> tuple[Tensor, Any]:
            with _lent(variables, values):
                result = f(*args)
            return result if has_aux else (result, None)

        (value, aux), gradients = _differentiate(of_values, [v.value for v in variables])
        return (value, aux) if has_aux else value, dict(zip(trained, gradients, strict=True))

    return value_and_gradient


def grad(f: Callable[..., Any], wrt: Module | int | Sequence[int] = 0) -> Callable[..., Any]:
    """Like `value_and_grad`, the gradient alone."""
    both = value_and_grad(f, wrt)

    def gradient(*args: Any) -> Any:
        return both(*args)[1]

    return gradient


def checkpoint(f: Callable[..., Any], variables: Module | Sequence[Variable] = ()) -> Callable[..., Any]:
    """`f` with the same values and gradients, less memory and more time: nothing inside it is kept for the gradient.

    It is evaluated once more in the backward pass, from the same state: dropout draws the same mask again, and what f
    writes into variables is written once (T. Chen et al., "Training deep nets with sublinear memory cost", 2016). Hooks
    run again; activations are recorded once. Calls may be nested, and differentiated twice.

    Args:
        f: a module, or a function of trees of tensors that returns such a tree; a pure function but for variables.
        variables: what f reads, or a module that has them, if gradients shall reach them; a module `f` brings its own.

    Raises:
        UsageError: when called, if f depends on anything else that is being differentiated; some backends give
            the right gradient instead.
    """
    owners = [part for part in (f, variables) if isinstance(part, Module)]
    named = [] if isinstance(variables, Module) else list(variables)

    def call(*args: Any) -> Any:
        if isinstance(f, Module) and f.seed is None:
            f.initialise(*args)
        if LEARNING_SHAPES.get():
            return f(*args)
        known = [*named, *(variable for owner in owners for variable in owner.variables().values())]
        given = [*tree.leaves(args), *(variable.value for variable in known)]
        chosen, count = floats(given), len(given) - len(known)
        first: list[tuple[Any, _Effects]] = []

        def pure(inputs: list[Tensor]) -> list[Tensor]:
            filled = replaced(given, chosen, inputs)
            started = first[0][1] if first else _Effects([], [], [])
            with (
                _lent(started.variables, started.before),
                _lent(known, filled[count:]),
                unrecorded() if first else contextlib.nullcontext(),
            ):
                result, effects = _with_effects(f, *tree.unflatten(args, filled[:count]))
            if not first:
                first.append((result, effects))
            return [*tree.leaves(result), *effects.values]

        outputs = rematerialise(pure)([given[i] for i in chosen])
        result, effects = first[0]
        for variable, value in zip(effects.variables, outputs[len(tree.leaves(result)) :], strict=True):
            variable.value = value
        return tree.unflatten(result, outputs)

    return call


def compiled(step: Callable[..., Any], variables: Sequence[Variable]) -> Callable[..., Any]:
    """`step` in the form in which the active backend runs it fastest.

    Args:
        step: takes and returns trees of tensors; it may read and replace the values of `variables`.
        variables: all that the step reads or writes.

    Returns:
        A function with the same effect. On a backend that compiles, Python code inside the step runs only when it is
        traced: once for each new combination of shapes. Inside `d2l_core.nn.record_activations` it is not compiled.

    Raises:
        UsageError: the step wrote into a variable that is not among `variables`.
    """
    chosen = list(variables)
    run = interface.compile(_pure(step, chosen))

    def call(*args: Any) -> Any:
        if recording():
            return _written_through(step, *args)
        result, written = run([variable.value for variable in chosen], *args)
        for variable, value in zip(chosen, written, strict=True):
            variable.value = value
        return result

    return call


_AWAY = "in the hands of compiled steps"


def compiled_steps(step: Callable[..., Any], variables: Sequence[Variable]) -> Callable[..., Any]:
    """A loop over `step` in the form in which the active backend runs it fastest: compiled as a whole where that pays.

    Args:
        step: ``step(row, *constants)`` takes and returns trees of tensors; it may read and replace the values of
            `variables`.
        variables: all that the step reads or writes.

    Returns:
        ``run(rows, start, stop, *constants)``, which takes the steps with the rows number start to stop - 1 of `rows`,
        a tree of tensors or NumPy arrays with one first axis, and returns the results as NumPy arrays with a first
        axis of stop - start. How a run is cut into such calls does not change a bit of it. While it runs the variables
        do not hold their values, so that old ones make room for new ones; if it fails they hold what the last step that
        the framework finished has left.

    Raises:
        UsageError: the step wrote into a variable that is not among `variables`.
    """
    chosen = list(variables)
    run = compile_steps(_pure(step, chosen))

    def call(rows: Any, start: int, stop: int, *constants: Any) -> Any:
        if recording():
            rows = tree.map(placed, rows)
            chosen_rows = (tree.map(lambda x, i=i: x[i], rows) for i in range(start, stop))
            results = [_written_through(step, row, *constants) for row in chosen_rows]
            return tree.map(lambda *leaves: interface.to_numpy(interface.stack(leaves)), *results)
        state = [variable.value for variable in chosen]
        try:
            if not noted():
                for variable in chosen:
                    variable.lend(_AWAY)
            results, state[:] = run(state, rows, start, stop, *constants)
        finally:
            for variable, value in zip(chosen, state, strict=True):
                variable.value = value
        return results

    return call


def _pure(step: Callable[..., Any], variables: list[Variable]) -> Callable[..., tuple[Any, list[Tensor]]]:
    """The step as a function of the variables' values that returns the new ones beside its result."""

    def pure(values: list[Tensor], *args: Any) -> tuple[Any, list[Tensor]]:
        with _lent(variables, values):
            result, effects = _with_effects(step, *args)
        state = dict(zip(variables, values, strict=True))
        for variable, value in zip(effects.variables, effects.values, strict=True):
            if variable not in state:
                raise UsageError(f"The compiled step wrote into {variable!r}; name it among its variables.")
            state[variable] = value
        return result, list(state.values())

    return pure
