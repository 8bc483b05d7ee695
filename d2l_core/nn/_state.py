"""The state of a model as arrays by path: taking it from elsewhere, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from d2l_core._host import on_host
from d2l_core.errors import CheckpointError
from d2l_core.nn._translation import by_layer, same_role, translated
from d2l_core.nn._variable import Variable
from d2l_core.nn._weights_file import read_weights

if TYPE_CHECKING:
    from d2l_core.nn._module import Module


class StateMismatch(NamedTuple):
    """The paths by which a state and a model differ; both lists are empty when they fit.

    Attributes:
        missing: the model has them, the state does not.
        unexpected: the state has them, the model does not.
    """

    missing: list[str]
    unexpected: list[str]


def load(model: Module, state: Mapping[str, Any] | str | PathLike[str], strict: bool) -> StateMismatch:
    """See `Module.load_state_dict`."""
    if isinstance(state, str | PathLike):
        state = read_weights(Path(state))
    variables = model.variables()
    state = translated(state, _places(model, variables))
    chosen, unexpected = _by_first_path(model, variables, state)
    mismatch = StateMismatch(_missing(model, chosen), sorted(unexpected))
    if strict and any(mismatch):
        raise CheckpointError(
            f"The weights are of another model: {_listing('missing', mismatch.missing)}"
            f"{_listing('not wanted', mismatch.unexpected)}{_advice(model)}."
        )
    _take(model, variables, chosen)
    return mismatch


def load_native(model: Module, state: Mapping[str, Any]) -> StateMismatch:
    """Take the arrays of another library's model: by name if all names agree, else in the order of definition."""
    variables = model.variables()
    state = translated(state, _places(model, variables))
    chosen, unexpected = _by_first_path(model, variables, state)
    if unexpected or _missing(model, chosen):
        chosen = _in_order(model, variables, state)
    _take(model, variables, chosen)
    return StateMismatch([], [])


def _take(model: Module, variables: dict[str, Variable], chosen: Mapping[str, Any]) -> None:
    arrays = {path: on_host(array) for path, array in chosen.items()}
    _check_shapes(model, variables, arrays)
    values = {path: variables[path].convert(array) for path, array in arrays.items()}
    for path, value in values.items():
        variables[path].value = value


def _counters(model: Module) -> set[str]:
    """Paths of the counters of calls that our layers have and those of other libraries have not."""
    return {
        f"{path}.{name}" if path else name for path, module in model.named_modules() for name in type(module)._counters
    }


def _missing(model: Module, chosen: Mapping[str, Any]) -> list[str]:
    """What the model has and the state has not; counters keep their values if the state has none of them at all."""
    wanted, counters = set(model.variables()), _counters(model)
    if not counters & chosen.keys():
        wanted -= counters
    return sorted(wanted - chosen.keys())


def _in_order(model: Module, variables: dict[str, Variable], state: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a state by our paths, layer by layer."""
    ours = by_layer([path for path in variables if path not in _counters(model)])
    theirs = by_layer(list(state))
    for path, other in zip_longest(ours, theirs):
        if path is None:
            raise CheckpointError(f"The weights are of another model: {other} is left over; {_advice(model)}.")
        shape = variables[path].shape
        if other is None:
            raise CheckpointError(f"The weights are of another model: {path} {shape} is missing; {_advice(model)}.")
        if tuple(np.shape(state[other])) != shape or not same_role(path, other):
            raise CheckpointError(
                f"The weights are of another model: where it has {other} {tuple(np.shape(state[other]))}, this one has "
                f"{path} {shape}; {_advice(model)}."
            )
    return {path: state[other] for path, other in zip(ours, theirs, strict=True)}


def _places(model: Module, variables: dict[str, Variable]) -> dict[str, str]:
    """The first path of the variable at each path, where a tied one has several."""
    first = {id(variable): path for path, variable in variables.items()}
    return {path: first[id(variable)] for path, variable in model.named_variables(repeated=True)}


def _by_first_path(
    model: Module, variables: dict[str, Variable], state: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The entries that belong to the model under the paths of `variables`, and the paths of the others.

    A tied variable has several paths; a state saved elsewhere may hold any of them, or all.
    """
    places = _places(model, variables)
    chosen: dict[str, Any] = {}
    given: dict[str, str] = {}
    for path in sorted(state, key=lambda path: path not in variables):
        home = places.get(path)
        if home is None:
            continue
        if home in chosen and not _same(chosen[home], state[path]):
            raise CheckpointError(
                f"The weights are of another model: {given[home]} and {path} are tied here and differ there; "
                f"untie them or leave one of them out."
            )
        given.setdefault(home, path)
        chosen.setdefault(home, state[path])
    return chosen, [path for path in state if path not in places]


def _same(a: Any, b: Any) -> bool:
    return a is b or bool(np.array_equal(on_host(a), on_host(b)))


def _check_shapes(model: Module, variables: dict[str, Variable], arrays: dict[str, Any]) -> None:
    wrong = [path for path, array in arrays.items() if tuple(np.shape(array)) != variables[path].shape]
    if wrong:
        path = wrong[0]
        more = f" (and {len(wrong) - 1} more differ)" if len(wrong) > 1 else ""
        raise CheckpointError(
            f"The weights are of another model: {path} has shape {tuple(np.shape(arrays[path]))} there and "
            f"{variables[path].shape} here{more}; {_advice(model)}."
        )


def _advice(model: Module) -> str:
    """What to do about weights that do not fit."""
    if model.seed is None:
        return f"if {type(model).__name__} learns sizes from its first input, initialise it with one before loading"
    return f"build {type(model).__name__} with the settings it was saved with"


def _listing(what: str, paths: list[str]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{what}: {', '.join(paths[:3])}{more}; "
