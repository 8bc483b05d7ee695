"""How a model learns its shapes: one pass over example inputs, on shapes alone where the backend can do that.

A framework that compiles would compile each operation of such a pass on its own. Instead the pass is rehearsed: what is
built in it holds stand-ins, and takes its values afterwards, the same as ever. A model that needs values in its first
pass, or keeps or writes tensors there, and one with hooks, is taken back to where it was and called for good.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core.backend import active
from d2l_core.composites import rehearse
from d2l_core.nn._variable import postponing, writes

if TYPE_CHECKING:
    from d2l_core.nn._module import Module

_Attributes = dict[str, Any]


def first_pass(model: Module, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    """Call the model so that everything in it is built and filled."""
    hooks = any(module._before or module._after for _, module in model.named_modules())
    if hooks or "rehearse" not in active().overrides or not _rehearsed(model, inputs, options):
        model(*inputs, **options)


def _rehearsed(model: Module, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    """Whether it could be done without values; if not, the model is as before."""
    given = (inputs, dict(options))
    leaves = tree.leaves(given)
    places = [i for i, leaf in enumerate(leaves) if xp.is_tensor(leaf)]

    def call(tensors: list[Any]) -> None:
        filled = dict(enumerate(leaves)) | dict(zip(places, tensors, strict=True))
        args, keywords = tree.unflatten(given, filled.values())
        model(*args, **keywords)

    before = [(module, _attributes(module)) for _, module in model.named_modules()]
    kept = {id(leaf) for _, attributes in before for leaf in _tensors(attributes)}
    try:
        with writes() as written, postponing() as drawn:
            rehearse(call, [leaves[i] for i in places])
        done = not written and not any(
            id(leaf) not in kept for _, module in model.named_modules() for leaf in _tensors(module.__dict__)
        )
        for variable, key in drawn if done else ():
            variable.fill(key)
    except Exception:  # whatever it is, the pass with values will say it better or get by
        done = False
    if not done:
        for variable, value in written.items():
            variable.lend(value)
        for module, attributes in before:
            module.__dict__.clear()
            module.__dict__.update(attributes)
    return done


def _attributes(module: Module) -> _Attributes:
    return {name: copy.copy(x) if isinstance(x, dict | list) else x for name, x in module.__dict__.items()}


def _tensors(attributes: _Attributes) -> list[Any]:
    """The tensors that a module holds outside its variables."""
    return [leaf for leaf in tree.leaves(list(attributes.values())) if xp.is_tensor(leaf)]
