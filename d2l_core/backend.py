"""Which backend is active, how adapters are found, and what each can do.

An adapter is a small description that can be read without importing its framework; loading it imports the
framework, collects the primitives of the contract and gives a `Backend`. Adapters are found through the
entry-point group ``d2l.backends``, so that a third party can register one.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import importlib.metadata
import importlib.util
import os
import warnings
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from d2l_core.errors import AbsentError, BackendError, MissingPrimitive, MixedBackendsError, UsageError

ENTRY_POINTS = "d2l.backends"
GROUPS = ("arrays", "linalg", "network", "autodiff", "system", "native", "interchange")


@dataclass(frozen=True)
class Adapter:
    """What is known of a backend before its framework is imported.

    Attributes:
        name: the word users type, such as the value of ``D2L_BACKEND``.
        title: the framework's own name, for people.
        package: the importable package that holds the modules ``arrays``, ``linalg``, ``network``, ``autodiff``,
            ``system``, ``native`` and ``interchange``.
        requires: top-level modules that must be installed.
        distribution: the distribution whose version is reported.
        install: the one command that makes the backend available.
        priority: the installed adapter with the smallest number is the default.
        limits: what the framework cannot do, by a short name, each with a sentence; the conformance suite then expects
            that sentence's error instead of a result.
        compilers: what a compiled step can be handed to instead of the adapter's usual form, which starts sooner.
    """

    name: str
    title: str
    package: str
    requires: tuple[str, ...]
    distribution: str
    install: str
    priority: int
    limits: Mapping[str, str] = field(default_factory=dict)
    compilers: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """The required top-level modules that are not installed; nothing is imported to find out."""
        return [name for name in self.requires if importlib.util.find_spec(name) is None]

    def version(self) -> str | None:
        """The installed version of the framework, or None."""
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return None


class Backend:
    """A loaded adapter: every primitive of the contract is an attribute.

    Attributes:
        adapter: the description it was loaded from.
        name: short for ``adapter.name``.
        tensor_types: the concrete classes of its tensors.
        foreign: the concrete tensor classes of every other loaded backend.
        overrides: the composites that the adapter replaces by a native form.
    """

    def __init__(self, adapter: Adapter, primitives: Mapping[str, Any], tensor_types: tuple[type, ...]):
        self.adapter = adapter
        self.name = adapter.name
        self.tensor_types = tensor_types
        self.foreign: frozenset[type] = frozenset()
        self.overrides: frozenset[str] = frozenset()
        self.__dict__.update(primitives)

    def __getattr__(self, name: str) -> Any:
        adapter = self.__dict__.get("adapter")
        if adapter is not None and name in adapter.limits:
            raise AbsentError(adapter.limits[name])
        raise AttributeError(f"The backend {self.__dict__.get('name')} has no primitive {name!r}.")

    def __repr__(self) -> str:
        return f"<backend {self.name}: {self.adapter.title} {self.adapter.version()}>"


@dataclass(frozen=True, slots=True)
class Context:
    """The active backend with its precision (32 or 64 bits for the default float), device and compiler of steps."""

    backend: Backend
    precision: int
    device: str
    compiler: str | None = field(default=None, compare=False)


@dataclass
class _Loaded:
    backends: dict[str, Backend] = field(default_factory=dict)


_LOADED = _Loaded()
_CURRENT: ContextVar[Context | None] = ContextVar("d2l_backend", default=None)
_DEFAULT_SCOPE = contextlib.ExitStack()


@functools.cache
def adapters() -> dict[str, Adapter]:
    """All registered adapters by name, in order of priority; one that does not load is left out with a warning."""
    found = []
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            found.append(entry.load())
        except Exception as error:  # a third party's package must not take the others down
            warnings.warn(f"The adapter {entry.value} does not load: {error}.", stacklevel=2)
    return {adapter.name: adapter for adapter in sorted(found, key=lambda a: (a.priority, a.name))}


def find_adapter(name: str) -> Adapter:
    """The adapter called `name`; UsageError lists the known ones when there is none."""
    try:
        return adapters()[name]
    except KeyError:
        raise UsageError(f"There is no backend {name!r}; choose one of: {', '.join(adapters())}.") from None


def default_name() -> str:
    """``D2L_BACKEND`` if set, else the installed adapter of the highest priority."""
    chosen = os.environ.get("D2L_BACKEND")
    if chosen:
        return find_adapter(chosen).name
    return next(adapter.name for adapter in adapters().values() if not adapter.missing())


def load_backend(name: str) -> Backend:
    """Import the framework behind `name` and check its adapter against the contract.

    Raises:
        UsageError: no adapter has this name.
        BackendError: the framework is not installed, does not import, or the adapter lacks primitives.
    """
    if name not in _LOADED.backends:
        _admit(_bind(find_adapter(name)))
    return _LOADED.backends[name]


def _admit(new: Backend) -> None:
    """Keep a backend, and let each know the tensors of all others."""
    _LOADED.backends[new.name] = new
    for backend in _LOADED.backends.values():
        others = (other for other in _LOADED.backends.values() if other is not backend)
        foreign = {kind for other in others for kind in other.tensor_types}
        backend.foreign = frozenset(foreign - set(backend.tensor_types))


def loaded_backends() -> dict[str, Backend]:
    """The backends loaded so far in this process, by name."""
    return dict(_LOADED.backends)


def _require(adapter: Adapter) -> None:
    missing = adapter.missing()
    if missing:
        raise BackendError(
            f"The {adapter.name} backend needs {', '.join(missing)}, not installed here; "
            f"install it with: {adapter.install}"
        )


def _bind(adapter: Adapter) -> Backend:
    _require(adapter)
    primitives, overrides, absent, tensor_types = _collect(adapter)
    if absent:
        number = "1 primitive" if len(absent) == 1 else f"{len(absent)} primitives"
        raise BackendError(
            f"The adapter {adapter.name!r} lacks {number} of the contract: {', '.join(absent)}; "
            f"add what is missing to {adapter.package}."
        )
    return _made(adapter, primitives, overrides, tensor_types)


def _made(adapter: Adapter, primitives: Mapping[str, Any], overrides: set[str], types: tuple[type, ...]) -> Backend:
    backend = Backend(adapter, primitives, types)
    backend.overrides = frozenset(overrides)
    return backend


def _collect(adapter: Adapter) -> tuple[dict[str, Any], set[str], list[str], tuple[type, ...]]:
    """Primitives of an adapter by name, the composites among them that it replaces, what it lacks, its tensors."""
    with _here_to_stay():
        modules = {group: _import_group(adapter, group) for group in GROUPS}
    from d2l_core.interface import DTYPES, OPTIONAL_DTYPES, contract

    arrays = modules["arrays"]
    primitives: dict[str, Any] = {
        name: getattr(arrays, name) for name in (*DTYPES, *OPTIONAL_DTYPES) if hasattr(arrays, name)
    }
    absent, overrides = [name for name in DTYPES if name not in primitives], set()
    for primitive in contract().values():
        implementation = getattr(modules[primitive.group], primitive.name, None)
        if implementation is not None:
            primitives[primitive.name] = implementation
            if primitive.composite:
                overrides.add(primitive.name)
        elif primitive.composite:
            primitives[primitive.name] = primitive.declaration
        else:
            absent.append(primitive.name)
    if not hasattr(arrays, "TENSOR_TYPES"):
        absent.append("TENSOR_TYPES")
    return primitives, overrides, sorted(absent), getattr(arrays, "TENSOR_TYPES", ())


@contextlib.contextmanager
def _here_to_stay() -> Iterator[None]:
    """What is made inside is kept out of Python's search for garbage.

    A framework is some hundred thousand objects, and the search goes through them again and again: while they are
    imported, and when the first step is traced. Measured until the end of the first epoch of a transformer, TensorFlow
    took 4.2 s for 5.1, JAX 3.2 for 3.4, PyTorch 1.7 for 1.9.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if enabled:
            gc.enable()


def load_incomplete(name: str) -> list[str]:
    """Load the backend `name` even if its adapter lacks primitives, and name these; the others can then be examined.

    A function that is lacking raises MissingPrimitive when it is called.

    Raises:
        UsageError: no adapter has this name.
        BackendError: the framework is not installed or does not import.
    """
    adapter = find_adapter(name)
    _require(adapter)
    primitives, overrides, absent, types = _collect(adapter)
    if not absent:
        load_backend(name)
    elif name not in _LOADED.backends:
        from d2l_core.interface import contract

        gaps = {lacking: _gap(adapter, lacking) for lacking in absent if lacking in contract()}
        _admit(_made(adapter, {**gaps, **primitives}, overrides, types))
    return absent


def _gap(adapter: Adapter, lacking: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise MissingPrimitive(f"The adapter {adapter.name!r} lacks {lacking}; add it to {adapter.package}.")

    return call


def _import_group(adapter: Adapter, group: str) -> ModuleType:
    try:
        return importlib.import_module(f"{adapter.package}.{group}")
    except ModuleNotFoundError as error:
        if error.name != f"{adapter.package}.{group}":
            raise _unimportable(adapter, error) from error
        return ModuleType(f"{adapter.package}.{group}")  # an adapter that is being written lacks all of it
    except Exception as error:  # a broken framework may raise anything while it is imported
        raise _unimportable(adapter, error) from error


def _unimportable(adapter: Adapter, error: Exception) -> BackendError:
    return BackendError(
        f"{adapter.title} is installed but does not import ({type(error).__name__}: {error}); "
        f"reinstall it with: {adapter.install}"
    )


def current() -> Context:
    """The active context; the first call in a process settles the default from the environment.

    ``D2L_BACKEND``, ``D2L_PRECISION`` (32 or 64), ``D2L_DEVICE`` and ``D2L_COMPILER`` are obeyed.
    """
    context = _CURRENT.get()
    return context if context is not None else _default_context()


def active() -> Backend:
    """The active backend."""
    return current().backend


def float_dtype() -> Any:
    """The native dtype of the default float: float32 or float64, by the active precision."""
    context = current()
    return context.backend.float64 if context.precision == 64 else context.backend.float32


@functools.cache
def _default_context() -> Context:
    context = _context(default_name(), None, None, None)
    _DEFAULT_SCOPE.enter_context(context.backend.scope(context.precision, context.device))
    atexit.register(_DEFAULT_SCOPE.close)
    return context


def _context(name: str, precision: int | None, device: str | None, compiler: str | None) -> Context:
    backend = load_backend(name)
    if precision is None:
        precision = _environment_precision()
    if precision not in (32, 64):
        raise UsageError(f"Precision is {precision!r}; choose 32 or 64.")
    available = backend.devices()
    device = device or os.environ.get("D2L_DEVICE") or available[0]
    if device not in available:
        raise UsageError(f"{name} has no device {device!r} here; choose one of: {', '.join(available)}.")
    compiler = compiler or os.environ.get("D2L_COMPILER") or None
    known = backend.adapter.compilers
    if compiler is not None and compiler not in known:
        offer = f"choose one of: {', '.join(known)}" if known else "it has none to choose"
        raise UsageError(f"{name} has no compiler {compiler!r}; {offer}.")
    return Context(backend, precision, device, compiler)


def _environment_precision() -> int:
    text = os.environ.get("D2L_PRECISION", "32")
    if text not in ("32", "64"):
        raise UsageError(f"D2L_PRECISION is {text!r}; set it to 32 or 64.")
    return int(text)


@contextlib.contextmanager
def use_backend(
    name: str | None = None, *, precision: int | None = None, device: str | None = None, compiler: str | None = None
) -> Iterator[Backend]:
    """Run the block on another backend, precision or device; the previous one comes back after it.

    Args:
        name: backend to use; the default one if None.
        precision: 32 or 64, the width of the default float; ``D2L_PRECISION`` or 32 if None.
        device: one of the backend's ``devices()``; its first one if None.
        compiler: one of the adapter's ``compilers``, for compiled steps; ``D2L_COMPILER`` or none if None.

    Raises:
        UsageError: unknown name, precision, device or compiler.
        BackendError: the backend cannot be loaded.
    """
    context = _context(name or default_name(), precision, device, compiler)
    with context.backend.scope(context.precision, context.device):
        token = _CURRENT.set(context)
        try:
            yield context.backend
        finally:
            _CURRENT.reset(token)


def mixed(backend: Backend, function: str, value: object) -> MixedBackendsError:
    """The error for a foreign tensor in a call."""
    owner = next(b.name for b in _LOADED.backends.values() if b is not backend and type(value) in b.tensor_types)
    return MixedBackendsError(
        f"{function} runs on {backend.name} but was given a tensor of {owner}; "
        f"convert it first with xp.asarray(xp.to_numpy(...)) or stay inside one use_backend block."
    )
