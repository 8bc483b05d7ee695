"""Modules: a tree of parameters, buffers and modules with stable paths, free of any framework."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from os import PathLike
from typing import Any, ClassVar, TypeVar

import numpy as np

from d2l_core import interface as xp
from d2l_core.errors import UsageError
from d2l_core.nn import _hooks, _state
from d2l_core.nn._hooks import ForwardHook, ForwardPreHook, HookHandle
from d2l_core.nn._reinitialise import reinitialise
from d2l_core.nn._repr import module_repr
from d2l_core.nn._shapes import first_pass
from d2l_core.nn._state import StateMismatch
from d2l_core.nn._variable import Initialiser, Parameter, Variable

M = TypeVar("M", bound="Module")
Probe = Callable[[str, Any], Any]

_ABSENT = object()
_RESERVED = frozenset({"training", "path", "seed"})
LEARNING_SHAPES: ContextVar[bool] = ContextVar("d2l_learning_shapes", default=False)
"""True in the pass over example inputs from which a model learns its shapes."""


class Module:
    """Base of all layers and models: assign parameters, buffers and modules as attributes and define `forward`.

    Reading an attribute that holds a variable gives its native tensor, so formulas read as on paper
    (``X @ self.w + self.b``); assigning a tensor to it replaces the value, assigning None takes it away. A module
    shared by two parents, or a parameter assigned to two modules (``a.weight = b.get("weight")``), is one and the
    same: its weights are tied, counted, differentiated and saved once, under the first path.

    A layer that learns its shapes from the first input creates its parameters in `build`. The first call of a model
    (or an explicit `initialise`) gives every submodule its path, builds what is to be built, and fills each
    parameter from the random stream ``("init", path, seed)``: values do not depend on the order of construction. A
    module that is put into an initialised tree takes path, seed and mode from there, unless it has its own.

    Attributes:
        training: True in training mode; see `train` and `evaluate`.
        path: dotted path from the root of the tree, ``""`` at the root.
        seed: of the initial values; None before the tree is initialised.
    """

    _counters: ClassVar[tuple[str, ...]] = ()
    """Names of the buffers of a class that only count its calls; a state without any of them is complete."""

    def __init__(self) -> None:
        self.__dict__.update(_variables={}, _modules={}, _built=False, _frozen=False, _inits={}, _before={}, _after={})
        self.__dict__.update(training=True, path="", seed=None)

    # ------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if "_variables" not in self.__dict__:
            Module.__init__(self)
        if isinstance(value, Variable):
            self._make_room(name)
            self._modules.pop(name, None)
            self._variables[name] = value
        elif isinstance(value, Module):
            self._make_room(name)
            self._set_module(name, value)
        elif name in self._variables and value is not None:
            self._variables[name].value = value
        else:
            self._variables.pop(name, None)
            self._modules.pop(name, None)
            self.__dict__[name] = value

    def _make_room(self, name: str) -> None:
        if name in _RESERVED:
            raise UsageError(f"Every module has an attribute {name!r} of its own; call this part otherwise.")
        self.__dict__.pop(name, None)

    def _set_module(self, name: str, module: Module) -> None:
        self._variables.pop(name, None)
        self._modules[name] = module
        if self.seed is not None and module.seed is None:
            module._join(f"{self.path}.{name}" if self.path else name, self.seed, self.training)

    def _join(self, root: str, seed: int, training: bool) -> None:
        for path, module in self.named_modules():
            if module.seed is None:
                place = f"{root}.{path}" if root and path else root or path
                module.__dict__.update(path=place, seed=seed, training=training)
                module._fill()

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        variable = state.get("_variables", {}).get(name, _ABSENT)
        if variable is not _ABSENT:
            return variable.value
        module = state.get("_modules", {}).get(name, _ABSENT)
        if module is not _ABSENT:
            return module
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for part in (self._variables, self._modules, self.__dict__):
            if name in part:
                del part[name]
                return
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    # ------------------------------------------------------------ calls

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if self.seed is None:
            self.initialise(*inputs, **options)
        if self._before:
            inputs = _hooks.inputs_after(self._before, self, inputs)
        if not self._built:
            self._build(*inputs)
        output = self.forward(*inputs, **options)
        if self._after:
            output = _hooks.output_after(self._after, self, inputs, output)
        if _PROBES:
            for probe in _PROBES:
                output = probe(self.path, output)
        return output

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise TypeError(f"{type(self).__name__} defines no forward method; add one that computes its output.")

    def build(self, *inputs: Any) -> None:
        """Create what depends on the shapes of the first inputs; nothing by default.

        A parameter that was assigned before, to tie it or to set its values, stays instead of the one created here.
        """

    def _build(self, *inputs: Any) -> None:
        self.__dict__["_built"] = True
        given = dict(self._variables)
        try:
            self.build(*inputs)
        except BaseException:  # inputs that do not fit leave the module as it was, ready for others
            self.__dict__.update(_built=False, _variables=given)
            raise
        for name, variable in self._variables.items():
            kept = given.get(name, variable)
            if kept.shape != variable.shape:
                raise UsageError(
                    f"The parameter {name!r} given to {type(self).__name__} has shape {kept.shape}, but these inputs "
                    f"need {variable.shape}; give one of that shape or none."
                )
            self._variables[name] = kept
            if self._frozen and name not in given:
                variable.trainable = False
            if name in self._inits and name not in given:
                variable.reset(self._inits[name])
        self._fill()

    def _fill(self) -> None:
        for name, variable in self._variables.items():
            if not variable.filled:
                variable.fill(("init", f"{self.path}.{name}" if self.path else name, self.seed))

    def register_forward_pre_hook(self, hook: ForwardPreHook) -> HookHandle:
        """Call ``hook(module, inputs)`` before each call, with the positional inputs as a tuple.

        Anything but None that it returns replaces the inputs: a tuple of them, or a single one. In compiled code it
        runs when the step is traced; see `d2l_core.nn._hooks`.

        Returns:
            A handle with ``remove()``, which can also be the head of a ``with`` block.
        """
        return HookHandle(self._before, hook)

    def register_forward_hook(self, hook: ForwardHook) -> HookHandle:
        """Call ``hook(module, inputs, output)`` after each call; anything but None replaces the output.

        Hooks also run in the pass in which a model learns its shapes. In compiled code a hook runs when the step is
        traced: on a compiling backend once for each set of shapes, on symbolic tensors. What it returns or writes
        into the step's variables is part of the program; other effects happen at that one time only.

        Returns:
            A handle with ``remove()``, which can also be the head of a ``with`` block.
        """
        return HookHandle(self._after, hook)

    # ------------------------------------------------------------ life of the tree

    def initialise(self: M, *inputs: Any, seed: int | None = None, **options: Any) -> M:
        """Give every parameter its first value; with example `inputs`, also those whose shapes depend on them.

        Values that exist already stay; `reinitialise` draws anew.

        Args:
            inputs: a batch such as `forward` takes; only its shape and dtype matter.
            seed: of the initial values; `d2l_core.nn.default_seed()` if None.
            options: keyword arguments of `forward`.
        """
        seed = default_seed() if seed is None else seed
        for path, module in self.named_modules():
            module.__dict__.update(path=path, seed=seed)
            module._fill()
        if inputs:
            self._learn_shapes(*inputs, **options)
        return self

    def _learn_shapes(self, *inputs: Any, **options: Any) -> None:
        modes = {id(module): module.training for _, module in self.named_modules()}
        training = self.training
        self.evaluate()
        token = LEARNING_SHAPES.set(True)
        try:
            if _PROBES:
                self(*inputs, **options)
            else:
                first_pass(self, inputs, options)
        finally:
            LEARNING_SHAPES.reset(token)
            for _, module in self.named_modules():
                module.__dict__["training"] = modes.get(id(module), training)

    def reinitialise(
        self: M,
        kind: type[Module] | tuple[type[Module], ...] | None = None,
        *,
        seed: int | None = None,
        **initialisers: Initialiser,
    ) -> M:
        """Draw values anew: ``model.reinitialise(nn.Linear, weight=nn.initialisers.HeNormal())``.

        Args:
            kind: the type of layer, or types, that it is about; all modules of the tree if None.
            seed: of the new values, for these modules from now on; the one they have if None.
            initialisers: for parameters by the name they have in their layer, used from now on, also where a layer
                has yet to learn its sizes. Without any, all parameters and buffers start again as they first did.

        Raises:
            UsageError: no module of the kind has a parameter of that name, or there is no module of the kind.
        """
        chosen = [module for _, module in self.named_modules() if kind is None or isinstance(module, kind)]
        reinitialise(self, chosen, seed, initialisers)
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
        """Take all parameters of the tree out of training, those yet to be built included.

        No gradient is computed for them and no optimiser made afterwards changes them. Buffers, such as running
        means, are written as before: use `evaluate` to stop that.
        """
        return self._set_trainable(False)

    def unfreeze(self: M) -> M:
        """Bring all parameters of the tree back into training; optimisers made afterwards change them."""
        return self._set_trainable(True)

    def _set_trainable(self: M, trainable: bool) -> M:
        for _, module in self.named_modules():
            module.__dict__["_frozen"] = not trainable
        for parameter in self.parameters().values():
            parameter.trainable = trainable
        return self

    def clone(self: M) -> M:
        """A deep copy with state of its own and the same paths, seed and modes; hooks are not copied.

        What is tied inside the tree is tied in the copy. It is not for use inside a compiled or differentiated
        function, where values are symbolic.
        """
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_before": {}, "_after": {}}

    def apply(self: M, f: Callable[[Module], Any]) -> M:
        """Call `f` with this module and each one below it, children first, each once."""
        for _, module in reversed(list(self.named_modules())):
            f(module)
        return self

    # ------------------------------------------------------------ looking at the tree

    def children(self) -> dict[str, Module]:
        """The modules directly below by name; one that has two names appears under both."""
        return dict(self._modules)

    def named_modules(self, *, repeated: bool = False) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their paths, parents first.

        Args:
            repeated: whether a module that sits in several places comes once for each, not only for the first.
        """
        seen: set[int] = set()
        stack: list[tuple[str, Module, frozenset[int]]] = [("", self, frozenset())]
        while stack:
            path, module, above = stack.pop()
            if id(module) in (above if repeated else seen):
                continue
            seen.add(id(module))
            yield path, module
            prefix = f"{path}." if path else ""
            if repeated:
                above = above | {id(module)}
            stack.extend((prefix + name, child, above) for name, child in reversed(module._modules.items()))

    def named_variables(self, *, repeated: bool = False) -> Iterator[tuple[str, Variable]]:
        """Parameters and buffers with their paths; with `repeated`, a tied one once for each place it sits in."""
        seen: set[int] = set()
        for path, module in self.named_modules(repeated=repeated):
            prefix = f"{path}." if path else ""
            for name, variable in module._variables.items():
                if repeated or id(variable) not in seen:
                    seen.add(id(variable))
                    yield prefix + name, variable

    def variables(self) -> dict[str, Variable]:
        """Parameters and buffers by path, a tied one once under its first path."""
        return dict(self.named_variables())

    def parameters(self) -> dict[str, Parameter]:
        """The parameters by path, frozen ones included."""
        return {path: v for path, v in self.named_variables() if isinstance(v, Parameter)}

    def get(self, path: str) -> Any:
        """The module or variable at a dotted path: ``model.get("net.0.weight").trainable = False``.

        Returns:
            A `Module`, or the `Variable` itself, not its value; this module for ``""``.

        Raises:
            UsageError: there is nothing at this path.
        """
        found: Any = self
        for i, name in enumerate(path.split(".") if path else ()):
            parts = {**found._variables, **found._modules} if isinstance(found, Module) else {}
            if name not in parts:
                where = ".".join(path.split(".")[:i]) or type(self).__name__
                raise UsageError(
                    f"There is no {path!r}: {where} has {', '.join(parts) or 'no parts'}; name one of them."
                )
            found = parts[name]
        return found

    def replace(self: M, path: str, part: Module | Variable) -> M:
        """Put another module or variable at a dotted path where there is one.

        A new layer learns its sizes at the next call and draws its values under this path and the tree's seed.

        Raises:
            UsageError: there is nothing at this path.
        """
        parent, _, name = path.rpartition(".")
        self.get(path)
        holder = self.get(parent)
        if not name:
            raise UsageError("A module cannot replace itself; name one of its parts.")
        if isinstance(part, Module):
            holder._set_module(name, part)
        else:
            setattr(holder, name, part)
        return self

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """NumPy copies of all parameters and buffers by path."""
        return {path: xp.to_numpy(variable.value) for path, variable in self.variables().items()}

    def load_state_dict(self, state: Mapping[str, Any] | str | PathLike[str], *, strict: bool = True) -> StateMismatch:
        """Take copies of parameters and buffers from arrays by path; nothing changes if one does not fit.

        Args:
            state: arrays or tensors of any framework, or the path of a safetensors file with them. A tied variable may
                stand under any of its paths. PyTorch's names of recurrent layers (``weight_ih_l0``) and of attention
                (``in_proj_weight``) are known, its ``num_batches_tracked`` is not needed; neither are the counters of
                `Dropout`, which go on from where they are if the state has none.
            strict: whether all paths of the model must be there and no others.

        Returns:
            The paths that were missing and those that were not expected.

        Raises:
            CheckpointError: a path is missing or left over (if strict), a shape differs, values that are tied here
                differ there, or the file is none that can be read; a pickle is never read.
            UsageError: a value is no array of numbers.
        """
        return _state.load(self, state, strict)

    def __repr__(self) -> str:
        return module_repr(self)

    def describe(self) -> str:
        """The settings shown by repr; nothing by default."""
        return ""


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
