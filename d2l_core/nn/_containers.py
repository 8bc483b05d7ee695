"""Modules that hold modules: in a row, in a list, under names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from d2l_core.errors import UsageError
from d2l_core.interface import Tensor
from d2l_core.nn._module import Module

L = TypeVar("L", bound="_Row")


class Function(Module):
    """A function of tensors as a module."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        """``function(*inputs)``."""
        return self.function(*inputs)

    def describe(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", repr(self.function))


class _Row(Module):
    """Modules with paths 0, 1, 2 ..., indexed like a list.

    A slice is a container of the same modules, not of copies: training it trains them.
    """

    def __init__(self, modules: Iterable[Any]):
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self: L, module: Any) -> L:
        """Add a module at the end."""
        self._set_module(str(len(self)), _as_module(module))
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._modules.values()))

    @overload
    def __getitem__(self, index: int) -> Module: ...

    @overload
    def __getitem__(self, index: slice) -> _Row: ...

    def __getitem__(self, index: int | slice) -> Module:
        modules: list[Module] = list(self._modules.values())
        if not isinstance(index, slice):
            return modules[self._position(index)]
        part = Sequential(*modules[index]) if isinstance(self, Sequential) else ModuleList(modules[index])
        part.__dict__.update(path=self.path, seed=self.seed, training=self.training)
        return part

    def __setitem__(self, index: int, module: Any) -> None:
        self._set_module(str(self._position(index)), _as_module(module))

    def _position(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"This {type(self).__name__} holds {len(self)} modules; there is no number {index}.")
        return index % len(self)


class Sequential(_Row):
    """Modules and functions of one tensor applied one after the other; their paths are 0, 1, 2 ..."""

    def __init__(self, *stages: Module | Callable[[Tensor], Tensor]):
        super().__init__(stages)

    def forward(self, x: Tensor) -> Tensor:
        """Output of the last stage."""
        for module in self._modules.values():
            x = module(x)
        return x


class ModuleList(_Row):
    """A list of modules, with paths 0, 1, 2 ...; what to do with them is up to the module that holds it."""

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__(modules)


class ModuleDict(Module):
    """Modules under names of one's own, in the order in which they were added.

    Args:
        modules: to begin with. A name is a string without a dot, since it becomes part of paths.
    """

    def __init__(self, modules: Mapping[str, Module] | None = None):
        super().__init__()
        for name, module in (modules or {}).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise UsageError(f"{name!r} cannot name a module; use a string without a dot.")
        self._set_module(name, _as_module(module))

    def __getitem__(self, name: str) -> Module:
        try:
            found: Module = self._modules[name]
        except KeyError:
            raise KeyError(f"There is no module {name!r}; there are: {', '.join(self._modules)}.") from None
        return found

    def __delitem__(self, name: str) -> None:
        self[name]
        del self._modules[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def __len__(self) -> int:
        return len(self._modules)

    def items(self) -> Iterator[tuple[str, Module]]:
        """Names and modules."""
        return iter(list(self._modules.items()))


def _as_module(stage: Any) -> Module:
    if isinstance(stage, Module):
        return stage
    if callable(stage):
        return Function(stage)
    raise UsageError(f"A container holds modules and functions, not {type(stage).__name__}; give one of these.")
