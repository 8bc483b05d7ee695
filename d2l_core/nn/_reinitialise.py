"""Drawing initial values again, by type of layer and name of parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from d2l_core.errors import UsageError
from d2l_core.nn._variable import Initialiser

if TYPE_CHECKING:
    from d2l_core.nn._module import Module


def reinitialise(
    root: Module, chosen: Sequence[Module], seed: int | None, initialisers: Mapping[str, Initialiser]
) -> None:
    """See `Module.reinitialise`; a variable tied between two modules is drawn once, under its first path."""
    _check_names(root, chosen, initialisers)
    seen: set[int] = set()
    for module in chosen:
        if seed is not None and module.seed is not None:
            module.__dict__["seed"] = seed
        if not module._built:
            module._inits.update(initialisers)
        for name, variable in module._variables.items():
            if id(variable) not in seen and (name in initialisers or not initialisers):
                seen.add(id(variable))
                variable.reset(initialisers.get(name))
    for module in chosen:
        if module.seed is not None:
            module._fill()


def _check_names(root: Module, chosen: Sequence[Module], initialisers: Mapping[str, Initialiser]) -> None:
    if not chosen:
        raise UsageError(f"{type(root).__name__} holds no module of this kind; name a type that it holds.")
    if not all(module._built or module._variables for module in chosen):
        return
    names = {name: None for module in chosen for name in module._variables}
    for name in initialisers:
        if name not in names:
            raise UsageError(f"None of these modules has a parameter {name!r}; they have: {', '.join(names)}.")
