"""The state of a model as arrays by path: taking it from elsewhere, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from d2l_core import interface as xp
from d2l_core.errors import CheckpointError
from d2l_core.nn._variable import Variable

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


def load(model: Module, state: Mapping[str, Any], strict: bool) -> StateMismatch:
    """See `Module.load_state_dict`."""
    variables = model.variables()
    chosen, unexpected = _by_first_path(model, variables, state)
    mismatch = StateMismatch(sorted(variables.keys() - chosen.keys()), sorted(unexpected))
    if strict and any(mismatch):
        raise CheckpointError(
            f"The weights are of another model: {_listing('missing', mismatch.missing)}"
            f"{_listing('not wanted', mismatch.unexpected)}{_advice(model)}."
        )
    _check_shapes(model, variables, chosen)
    values = {path: variables[path].convert(array) for path, array in chosen.items()}
    for path, value in values.items():
        variables[path].value = value
    return mismatch


def _by_first_path(
    model: Module, variables: dict[str, Variable], state: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The entries that belong to the model under the paths of `variables`, and the paths of the others.

    A tied variable has several paths; a state saved elsewhere may hold any of them, or all.
    """
    first = {id(variable): path for path, variable in variables.items()}
    places = {path: first[id(variable)] for path, variable in model.named_variables(repeated=True)}
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
    return a is b or bool(np.array_equal(_array(a), _array(b)))


def _array(x: Any) -> Any:
    return xp.to_numpy(x) if xp.is_tensor(x) else np.asarray(x)


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
