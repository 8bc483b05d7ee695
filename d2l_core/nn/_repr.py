"""How a tree of modules is printed: one line for each module, indented by its depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2l_core.nn._variable import Parameter

if TYPE_CHECKING:
    from d2l_core.nn._module import Module


def module_repr(module: Module) -> str:
    """``Type(settings)``, with the parts in lines of their own; a part seen before is named, not shown again."""
    return "\n".join(_lines(module, "", {}))


def _lines(module: Module, path: str, seen: dict[int, str]) -> list[str]:
    settings = module.describe()
    name = type(module).__name__
    if id(module) in seen:
        return [f"{name}({settings}), the same as {seen[id(module)] or 'the whole'}"]
    seen[id(module)] = path
    inner = [] if settings else _own_parameters(module)
    for part, child in module.children().items():
        first, *rest = _lines(child, f"{path}.{part}" if path else part, seen)
        inner += [f"{part}: {first}", *rest]
    if not inner:
        return [f"{name}({settings})"]
    return [f"{name}({settings}", *(f"  {line}" for line in inner), ")"]


def _own_parameters(module: Module) -> list[str]:
    return [f"{name}: {v!r}" for name, v in module._variables.items() if isinstance(v, Parameter)]
