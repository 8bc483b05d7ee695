"""Import MXNet 1.9.1 beside a current NumPy and Python, without changing either for anybody else.

MXNet was written for NumPy 1.2x: at import it looks up about twenty names that NumPy has since removed,
and `distutils`, which left Python with 3.12. Putting those names back into NumPy would be seen by every
library of the process. Instead MXNet's own modules get an `__import__` of their own (through the
`__builtins__` entry of their namespace), which answers `import numpy` with a view of NumPy that still has
the old names, and `import distutils.version` with the two classes MXNet asks for. NumPy itself and
`sys.modules` stay as they are.

Libraries that MXNet imports at once and uses hardly ever (SciPy's statistics for quantization, requests for downloads)
are answered with a stand-in that imports them when it is first asked for something. MXNet is then ready in 0.8 s
instead of 1.4, and takes 75 MB less.
"""

from __future__ import annotations

import builtins
import ctypes
import importlib
import os
import re
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from typing import Any

import numpy

_PACKAGE = "mxnet"
_NUMPY_SHAPE_EVERY_THREAD = 2
_DEFERRED = ("scipy", "scipy.sparse", "scipy.stats", "requests", "h5py")
_lock = threading.Lock()


def _withdrawn(name: str) -> Callable[..., Any]:
    """A function that NumPy no longer has; MXNet only looks it up."""

    def raise_error(*_args: object, **_kwargs: object) -> Any:
        raise NotImplementedError(f"numpy.{name} was removed from NumPy; compute it with other functions.")

    raise_error.__name__ = name
    return raise_error


_OLD_NAMES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "object": object,
    "Inf": numpy.inf,
    "PINF": numpy.inf,
    "NINF": -numpy.inf,
    "NaN": numpy.nan,
    "NAN": numpy.nan,
    "PZERO": 0.0,
    "NZERO": -0.0,
    "alltrue": numpy.all,
    "sometrue": numpy.any,
    "product": numpy.prod,
    "round_": numpy.round,
    "row_stack": numpy.vstack,
    "trapz": getattr(numpy, "trapezoid", None) or numpy.__dict__.get("trapz"),
    **{name: _withdrawn(name) for name in ("in1d", "msort", "mirr", "npv", "pmt", "ppmt", "pv", "rate")},
}


class _NumpyView(types.ModuleType):
    """NumPy with the names MXNet expects laid over it."""

    def __init__(self) -> None:
        super().__init__("numpy", numpy.__doc__)
        self.__dict__.update(numpy.__dict__)
        self.__dict__.update(_OLD_NAMES)

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)


class _Deferred(types.ModuleType):
    """A library that is imported when it is first asked for something."""

    def __getattr__(self, name: str) -> Any:
        inner = f"{self.__name__}.{name}"
        return _Deferred(inner) if inner in _DEFERRED else getattr(importlib.import_module(self.__name__), name)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # somebody has put a module of their own in its place
        return False


class _Version:
    """A release number that compares by its leading integers, as `distutils.version` did."""

    def __init__(self, text: str) -> None:
        self.version = tuple(int(part) for part in re.findall(r"\d+", text)[:3])

    def __ge__(self, other: _Version) -> bool:
        return self.version >= other.version


def _make_builtins() -> dict[str, Any]:
    """Copy the builtins, with an `__import__` that knows NumPy's old names, `distutils.version` and what can wait."""
    view = _NumpyView()
    versions = types.SimpleNamespace(StrictVersion=_Version, LooseVersion=_Version)

    def import_for_mxnet(
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if level == 0 and name == "distutils.version":
            return versions
        library = name.partition(".")[0]
        if level == 0 and name in _DEFERRED and _installed(library):
            return _Deferred(library)
        module = builtins.__import__(name, globals, locals, fromlist or (), level)
        return view if module is numpy else module

    return {**vars(builtins), "__import__": import_for_mxnet}


class _Loader(SourceFileLoader):
    """Runs a module with the given builtins in place of the interpreter's."""

    def __init__(self, name: str, path: str, namespace: dict[str, Any]) -> None:
        super().__init__(name, path)
        self._namespace = namespace

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self._namespace
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules of MXNet, and gives each its loader."""

    def __init__(self) -> None:
        self._namespace = _make_builtins()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _PACKAGE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self._namespace)
        return spec


@contextmanager
def _old_names_for_mxnet() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what the compiler says about MXNet's source: invalid escapes, `is` with a literal."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=SyntaxWarning, module=f".*{_PACKAGE}")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=f".*{_PACKAGE}")
        yield


def _give_threads_back(mx: types.ModuleType) -> None:
    """Undo what MXNet's library does to this thread when it is loaded: it halves the number of OpenMP threads.

    Other libraries share that number; one of them would go on slower, and with sums in another order. MXNet's own
    workers have numbers of their own.
    """
    library = mx.base._LIB
    chosen = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if hasattr(library, "omp_set_num_threads"):
        library.omp_set_num_threads(int(chosen) if chosen.isdigit() else library.omp_get_num_procs())


def _enable_numpy_shapes(mx: Any) -> None:
    """Allow 0-d and zero-size arrays in every thread.

    `mxnet.npx.set_np` would do so for one thread, write to the root logger (which gives it a handler), and
    switch Gluon blocks to NumPy arrays, which the `mx.np` functions do not need.
    """
    previous = ctypes.c_int()
    mx.base.check_call(mx.base._LIB.MXSetIsNumpyShape(ctypes.c_int(_NUMPY_SHAPE_EVERY_THREAD), ctypes.byref(previous)))


def import_mxnet() -> types.ModuleType:
    """Return MXNet, ready for `mx.np` and `mx.npx` (0-d and zero-size arrays allowed).

    Safe to call more than once, from any thread, before or after other frameworks are imported.

    Raises:
        ImportError: MXNet, or one of the libraries it needs, is not installed.
    """
    with _lock:
        mx = sys.modules.get(_PACKAGE)
        if mx is None:
            with _old_names_for_mxnet(), _quiet():
                mx = importlib.import_module(_PACKAGE)
            _give_threads_back(mx)
        _enable_numpy_shapes(mx)
        return mx
