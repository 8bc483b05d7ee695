"""`d2l_core.xp` with the standard's own array object, for the public test-suite of the array API standard.

Tensors of a framework cannot do all that the suite does with arrays while it tests a function: some have shapes that
are no tuples, no assignment to an index, or operators that promote by other rules. Here each function is that of
`d2l_core.xp` on the framework's own tensors. Only what stands around it in a test is not: an `Array` keeps a tensor,
its operators are functions of `d2l_core.xp`, and its indexing and DLPack are NumPy's. It serves to test, not to
compute.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from d2l_core import xp
from d2l_core.dtypes import find_name
from d2l_core.interface import DTYPES

_BINARY = {
    "add": "add", "and": "bitwise_and", "floordiv": "floor_divide", "lshift": "bitwise_left_shift", "matmul": "matmul",
    "mod": "remainder", "mul": "multiply", "or": "bitwise_or", "pow": "pow", "rshift": "bitwise_right_shift",
    "sub": "subtract", "truediv": "divide", "xor": "bitwise_xor",
}  # fmt: skip
_COMPARISONS = {
    "eq": "equal", "ge": "greater_equal", "gt": "greater", "le": "less_equal", "lt": "less", "ne": "not_equal",
}  # fmt: skip
_UNARY = {"abs": "abs", "invert": "bitwise_invert", "neg": "negative", "pos": "positive"}


@dataclasses.dataclass(frozen=True)
class DType:
    """A dtype by its name: what some frameworks use cannot be compared with anything."""

    name: str

    def __repr__(self) -> str:
        return self.name


class Array:
    """A tensor with the operators, the attributes and the indexing of the standard."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, native: Any) -> None:
        self.native = native

    def __repr__(self) -> str:
        return f"Array({self.native!r})"

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return _outside(self.native.dtype)

    @property
    def device(self) -> Any:
        """Where the tensor is."""
        return getattr(self.native, "device", xp.__array_namespace_info__().default_device())

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(self.native.shape)

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.native.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    @property
    def T(self) -> Array:  # noqa: N802 - the standard's name
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError("Only a matrix has a transpose T.")
        return self.mT

    @property
    def mT(self) -> Array:  # noqa: N802 - the standard's name
        """The last two axes swapped."""
        return Array(xp.matrix_transpose(self.native))

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        """The same elements on another device."""
        return Array(xp.asarray(self.native, device=device))

    def __array_namespace__(self, /, *, api_version: str | None = None) -> types.ModuleType:
        return sys.modules[__name__]

    def __dlpack__(
        self, /, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        options = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        return xp.to_numpy(self.native).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return xp.to_numpy(self.native).__dlpack_device__()  # type: ignore[no-any-return]

    def _number(self) -> Any:
        if self.ndim:
            raise TypeError("Only a 0-d array is a number.")
        return xp.to_numpy(self.native).item()

    def __bool__(self) -> bool:
        return bool(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __float__(self) -> float:
        return float(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        return self._number().__index__()  # type: ignore[no-any-return]

    def __getitem__(self, key: Any, /) -> Array:
        return self._of(xp.to_numpy(self.native)[_on_host(key)])

    def __setitem__(self, key: Any, value: Any, /) -> None:
        elements = xp.to_numpy(self.native).copy()
        elements[_on_host(key)] = _on_host(value)
        self.native = self._of(elements).native

    def _of(self, elements: Any) -> Array:
        return Array(xp.asarray(np.asarray(elements), dtype=self.native.dtype))


def _on_host(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_on_host(part) for part in value)
    if isinstance(value, slice):
        return slice(*(_on_host(part) for part in (value.start, value.stop, value.step)))
    return xp.to_numpy(value.native) if isinstance(value, Array) else value


def _operator(name: str, function: str, *, reflected: bool = False) -> Callable[[Array, Any], Any]:
    def operator(self: Array, other: Any, /) -> Any:
        if not isinstance(other, Array | bool | int | float):
            return NotImplemented
        pair = (_inside(other), self.native) if reflected else (self.native, _inside(other))
        return Array(getattr(xp, function)(*pair))

    operator.__name__ = name
    return operator


def _in_place(name: str, function: str) -> Callable[[Array, Any], Array]:
    def operator(self: Array, other: Any, /) -> Array:
        native = getattr(xp, function)(self.native, _inside(other))
        if native.dtype != self.native.dtype or tuple(native.shape) != self.shape:
            raise TypeError("What is computed in place keeps its dtype and shape.")
        self.native = native
        return self

    operator.__name__ = name
    return operator


def _unary(name: str, function: str) -> Callable[[Array], Array]:
    def operator(self: Array, /) -> Array:
        return Array(getattr(xp, function)(self.native))

    operator.__name__ = name
    return operator


for _short, _function in {**_BINARY, **_COMPARISONS}.items():
    setattr(Array, f"__{_short}__", _operator(f"__{_short}__", _function))
for _short, _function in _BINARY.items():
    setattr(Array, f"__r{_short}__", _operator(f"__r{_short}__", _function, reflected=True))
    setattr(Array, f"__i{_short}__", _in_place(f"__i{_short}__", _function))
for _short, _function in _UNARY.items():
    setattr(Array, f"__{_short}__", _unary(f"__{_short}__", _function))


# ---------------------------------------------------------------- the namespace


def _inside(value: Any) -> Any:
    """What functions of `xp` take."""
    if isinstance(value, Array):
        return value.native
    if isinstance(value, DType):
        return getattr(xp, value.name)
    return type(value)(map(_inside, value)) if type(value) in (list, tuple) else value


def _outside(value: Any) -> Any:
    """What they give, as the suite sees it."""
    if xp.is_tensor(value):
        return Array(value)
    if type(value) in [type(getattr(xp, name)) for name in DTYPES]:
        return DType(find_name(value) or str(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_outside, value))
    if isinstance(value, dict):
        return {name: _outside(one) for name, one in value.items()}
    if dataclasses.is_dataclass(value) and hasattr(value, "dtype"):
        return dataclasses.replace(value, dtype=_outside(value.dtype))  # type: ignore[type-var]
    return type(value)(map(_outside, value)) if type(value) in (list, tuple) else value


def _around(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        result = function(*map(_inside, args), **{name: _inside(value) for name, value in kwargs.items()})
        if kwargs.get("copy") is False:
            return next((x for x in args if isinstance(x, Array) and x.native is result), _outside(result))
        return _outside(result)

    return called


class _Info:
    """The inspection functions."""

    def __getattr__(self, name: str) -> Any:
        return _around(getattr(xp.__array_namespace_info__(), name))


def __array_namespace_info__() -> _Info:  # noqa: N807 - the standard's name
    return _Info()


@functools.cache
def _function(module: types.ModuleType, name: str) -> Callable[..., Any]:
    return _around(getattr(module, name))


class _Linalg:
    """The extension for linear algebra."""

    def __getattr__(self, name: str) -> Any:
        return _function(xp.linalg, name)


linalg = _Linalg()
__array_api_version__ = xp.__array_api_version__


def __getattr__(name: str) -> Any:
    if name in DTYPES:
        return DType(name)
    value = getattr(xp, name)
    return _function(xp, name) if callable(value) else value
