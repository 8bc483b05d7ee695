"""Modules: a tree of parameters, buffers and modules with stable paths, free of any framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from d2l_core import interface as xp
from d2l_core.errors import CheckpointError
from d2l_core.nn._variable import Parameter, Variable

M = TypeVar("M", bound="Module")
Probe = Callable[[str, Any], Any]

_ABSENT = object()


class Module:
    """Base of all layers and models: assign parameters, buffers and modules as attributes and define `forward`.

    Reading an attribute that holds a variable gives its native tensor, so formulas read as on paper
    (``X @ self.w + self.b``); assigning a tensor to it replaces the value. A module shared by two parents, or a
    parameter assigned to two modules, is one and the same: its weights are tied.

    A layer that learns its shapes from the first input creates its parameters in `build`. The first call of a model
    (or an explicit `initialise`) gives every submodule its path, builds what is to be built, and fills each
    parameter from the random stream ``("init", path, seed)``: values do not depend on the order of construction.

    Attributes:
        training: True in training mode; see `train` and `evaluate`.
        path: dotted path from the root of the tree, ``""`` at the root.
    """

    def __init__(self) -> None:
        self.__dict__.update(_variables={}, _modules={}, _built=False, training=True, path="", seed=None)

    def __setattr__(self, name: str, value: Any) -> None:
        if "_variables" not in self.__dict__:
            Module.__init__(self)
        if isinstance(value, Variable):
            self.__dict__.pop(name, None)
            self._variables[name] = value
        elif isinstance(value, Module):
            self.__dict__.pop(name, None)
            self._modules[name] = value
        elif name in self._variables:
            self._variables[name].value = value
        else:
            self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        variable = state.get("_variables", {}).get(name, _ABSENT)
        if variable is not _ABSENT:
            return variable.value
        module = state.get("_modules", {}).get(name, _ABSENT)
        if module is not _ABSENT:
            return module
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if self.seed is None:
            self.initialise(*inputs, **options)
        if not self._built:
            self._build(*inputs)
        output = self.forward(*inputs, **options)
        if _PROBES:
            for probe in _PROBES:
                output = probe(self.path, output)
        return output

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise TypeError(f"{type(self).__name__} defines no forward method; add one that computes its output.")

    def build(self, *inputs: Any) -> None:
        """Create what depends on the shapes of the first inputs; nothing by default."""

    def _build(self, *inputs: Any) -> None:
        self.__dict__["_built"] = True
        self.build(*inputs)
        self._fill()

    def _fill(self) -> None:
        for name, variable in self._variables.items():
            if not variable.filled:
                variable.fill(("init", f"{self.path}.{name}" if self.path else name, self.seed))

    # ------------------------------------------------------------ life of the tree

    def initialise(self: M, *inputs: Any, seed: int | None = None, **options: Any) -> M:
        """Give every parameter its first value; with example `inputs`, also those whose shapes depend on them.

        Args:
            inputs: a batch such as `forward` takes; only its shape and dtype matter.
            seed: of the initial values; `d2l_core.nn.default_seed()` if None.
        """
        seed = default_seed() if seed is None else seed
        for path, module in self.named_modules():
            module.__dict__.update(path=path, seed=seed)
            module._fill()
        if inputs:
            modes = [(module, module.training) for _, module in self.named_modules()]
            self.evaluate()
            self(*inputs, **options)
            for module, mode in modes:
                module.__dict__["training"] = mode
        return self

    def train(self: M, mode: bool = True) -> M:
        """Training mode for the whole tree: dropout drops, batch normalisation uses the batch."""
        for _, module in self.named_modules():
            module.__dict__["training"] = mode
        return self

    def evaluate(self: M) -> M:
        """Evaluation mode for the whole tree."""
        return self.train(False)

    def freeze(self: M) -> M:
        """Take all parameters of the tree out of training."""
        for variable in self.variables().values():
            variable.trainable = False
        return self

    # ------------------------------------------------------------ looking at the tree

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their paths, parents first, each module once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            path, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            prefix = f"{path}." if path else ""
            stack.extend((prefix + name, child) for name, child in reversed(module._modules.items()))

    def variables(self) -> dict[str, Variable]:
        """Parameters and buffers by path, a tied one once under its first path."""
        found: dict[str, Variable] = {}
        seen: set[int] = set()
        for path, module in self.named_modules():
            prefix = f"{path}." if path else ""
            for name, variable in module._variables.items():
                if id(variable) not in seen:
                    seen.add(id(variable))
                    found[prefix + name] = variable
        return found

    def parameters(self) -> dict[str, Parameter]:
        """The parameters by path, frozen ones included."""
        return {path: v for path, v in self.variables().items() if isinstance(v, Parameter)}

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """NumPy copies of all parameters and buffers by path."""
        return {path: xp.to_numpy(variable.value) for path, variable in self.variables().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take all parameters and buffers from arrays by path; nothing changes if one does not fit.

        Raises:
            CheckpointError: a path is missing or left over, or a shape differs.
        """
        variables = self.variables()
        missing, extra = sorted(variables.keys() - state.keys()), sorted(state.keys() - variables.keys())
        if missing or extra:
            raise CheckpointError(
                f"The weights are of another model: {_listing('missing', missing)}{_listing('not wanted', extra)}"
                f"build {type(self).__name__} with the settings it was saved with."
            )
        for path, variable in variables.items():
            if tuple(np.shape(state[path])) != variable.shape:
                raise CheckpointError(
                    f"The weights are of another model: {path} has shape {tuple(np.shape(state[path]))} there and "
                    f"{variable.shape} here; build {type(self).__name__} with the settings it was saved with."
                )
        for path, variable in variables.items():
            variable.assign(state[path])

    def __repr__(self) -> str:
        inner = "".join(f"\n  {name}: {module!r}".replace("\n", "\n  ") for name, module in self._modules.items())
        return f"{type(self).__name__}({self.describe()}{inner}{chr(10) + ')' if inner else ')'}"

    def describe(self) -> str:
        """The settings shown by repr; nothing by default."""
        return ""


def _listing(what: str, paths: list[str]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{what}: {', '.join(paths[:3])}{more}; "


_PROBES: list[Probe] = []


class probing:  # noqa: N801 - a context manager reads as a verb
    """Pass the output of every module call inside the block through ``probe(path, output)``."""

    def __init__(self, probe: Probe):
        self._probe = probe

    def __enter__(self) -> None:
        _PROBES.append(self._probe)

    def __exit__(self, *exception: object) -> None:
        _PROBES.remove(self._probe)


_SEED = [0]


def default_seed() -> int:
    """The seed of modules that are initialised without one; 0 at first."""
    return _SEED[0]


def set_default_seed(seed: int) -> None:
    """Change the seed of modules that are initialised without one."""
    _SEED[0] = seed
