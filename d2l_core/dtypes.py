"""What can be said of dtypes without a tensor: kinds, limits and promotion, by the array API standard 2024.12.

A dtype is the active backend's own object; here each is known by its name in `DTYPES`. Promotion stays within a kind:
integers with integers, floats with floats (bfloat16, which is no part of the standard, to any other). The standard
leaves a mixture open, and it is an error here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2l_core.backend import Backend, active

__all__ = ["FloatInfo", "IntegerInfo", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

Tensor = Any
DType = Any

DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64")
"""The dtypes that every adapter names in its module ``arrays``."""

OPTIONAL_DTYPES = ("bfloat16",)
"""*Extension.* Dtypes that an adapter names if its framework has them; else it declares the limit of that name.

bfloat16 is float32 cut to 16 bits: its exponent and 7 bits of the fraction. Arithmetic, reductions, `matmul`, `conv`
and their gradients are defined for it; decompositions and special functions may not be.
"""

_INTEGERS = ("uint8", "int32", "int64")
_FLOATS = ("bfloat16", "float32", "float64")
_KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("int32", "int64"),
    "unsigned integer": ("uint8",),
    "integral": _INTEGERS,
    "real floating": _FLOATS,
    "complex floating": (),
    "numeric": (*_INTEGERS, *_FLOATS),
}
_CHAINS = (("bool",), _INTEGERS, _FLOATS)
"""Dtypes that promote to each other, each to any that follows it."""

_BFLOAT16_MAX = (2.0 - 2.0**-7) * 2.0**127


@dataclass(frozen=True)
class FloatInfo:
    """Limits of a float dtype.

    Attributes:
        bits: width.
        eps: distance from 1 to the next larger number.
        max: largest finite number.
        min: smallest finite number, ``-max``.
        smallest_normal: smallest positive number of full precision.
        dtype: the dtype described.
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """Limits of an integer dtype.

    Attributes:
        bits: width.
        max: largest number.
        min: smallest number.
        dtype: the dtype described.
    """

    bits: int
    max: int
    min: int
    dtype: DType


def find_name(dtype: DType) -> str | None:
    """The name of a native dtype of the active backend, None for anything else."""
    return _names(active()).get(dtype) if dtype is not None and getattr(type(dtype), "__hash__", None) else None


_NAMES: dict[str, dict[DType, str]] = {}


def _names(backend: Backend) -> dict[DType, str]:
    if backend.name not in _NAMES:
        names = (*DTYPES, *(name for name in OPTIONAL_DTYPES if hasattr(backend, name)))
        _NAMES[backend.name] = {getattr(backend, name): name for name in names}
    return _NAMES[backend.name]


def _name(dtype: DType) -> str:
    name = find_name(dtype)
    if name is None:
        raise TypeError(f"{dtype!r} is no dtype of {active().name}; use one of xp.{', xp.'.join(DTYPES)}.")
    return name


def _name_of(dtype_or_tensor: DType | Tensor) -> str:
    return _name(dtype_or_tensor.dtype if active().is_tensor(dtype_or_tensor) else dtype_or_tensor)


def is_floating(x: Tensor) -> bool:
    """Whether the elements of x are floats."""
    dtype, backend = x.dtype, active()
    return dtype is backend.float32 or dtype is backend.float64 or find_name(dtype) in _FLOATS


def is_bool(x: Tensor) -> bool:
    """Whether the elements of x are booleans."""
    return find_name(x.dtype) == "bool"


def finfo(type: DType | Tensor, /) -> FloatInfo:
    """Limits of a float dtype, or of the dtype of a tensor; TypeError for dtypes of another kind."""
    name = _name_of(type)
    if name not in _FLOATS:
        raise TypeError(f"finfo describes floats; {name} is none: use iinfo for integers.")
    if name == "bfloat16":
        return FloatInfo(16, 2.0**-7, _BFLOAT16_MAX, -_BFLOAT16_MAX, 2.0**-126, active().bfloat16)
    info = np.finfo(name)
    bounds = (float(info.eps), float(info.max), float(info.min), float(info.smallest_normal))
    return FloatInfo(int(info.bits), *bounds, getattr(active(), name))


def iinfo(type: DType | Tensor, /) -> IntegerInfo:
    """Limits of an integer dtype, or of the dtype of a tensor; TypeError for dtypes of another kind."""
    name = _name_of(type)
    if name not in _INTEGERS:
        raise TypeError(f"iinfo describes integers; {name} is none: use finfo for floats.")
    info = np.iinfo(name)
    return IntegerInfo(int(info.bits), int(info.max), int(info.min), getattr(active(), name))


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """Whether a dtype is of a kind: a word of the standard, a dtype, or any of several in a tuple.

    The words are ``bool``, ``signed integer``, ``unsigned integer``, ``integral``, ``real floating``,
    ``complex floating`` and ``numeric``. ValueError for another word.
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if not isinstance(kind, str):
        return _name(dtype) == _name(kind)
    if kind not in _KINDS:
        raise ValueError(f"There is no kind of dtypes {kind!r}; choose one of: {', '.join(_KINDS)}.")
    return _name(dtype) in _KINDS[kind]


def result_type(*arrays_and_dtypes: DType | Tensor | complex) -> DType:
    """The dtype of arithmetic between tensors, dtypes and Python numbers.

    A Python number takes the dtype of the others.

    Raises:
        ValueError: there is no tensor or dtype.
        TypeError: the kinds are mixed.
    """
    scalars = [x for x in arrays_and_dtypes if isinstance(x, bool | int | float)]
    names = [_name_of(x) for x in arrays_and_dtypes if not isinstance(x, bool | int | float)]
    if not names:
        raise ValueError("result_type needs at least one tensor or dtype.")
    widest = _promoted(names)
    if widest is None:
        raise TypeError(f"{', '.join(sorted(set(names)))} have no common dtype; convert them to one with xp.astype.")
    for scalar in scalars:
        if not _takes(widest, scalar):
            raise TypeError(f"A Python {type(scalar).__name__} has no common dtype with {widest}; convert one of them.")
    return getattr(active(), widest)


def _promoted(names: Sequence[str | None]) -> str | None:
    for chain in _CHAINS:
        if set(names) <= set(chain):
            return max((name for name in chain if name in names), key=chain.index)
    return None


def common(*dtypes: DType) -> DType:
    """The dtype that several promote to; None where the standard leaves that open."""
    name = _promoted([find_name(dtype) for dtype in dtypes])
    return None if name is None else getattr(active(), name)


def _takes(name: str, scalar: complex) -> bool:
    if isinstance(scalar, bool):
        return name == "bool"
    return name in _FLOATS or (isinstance(scalar, int) and name in _INTEGERS)


def can_cast(from_: DType | Tensor, to: DType, /) -> bool:
    """Whether one dtype, or a tensor's, can be cast to another.

    Within a kind that is where promotion leads. Between kinds, which the standard leaves open, booleans can be cast to
    numbers and integers to floats.
    """
    (source_kind, source), (target_kind, target) = (_place(name) for name in (_name_of(from_), _name(to)))
    return source_kind < target_kind or (source_kind == target_kind and source <= target)


def _place(name: str) -> tuple[int, int]:
    """The chain that a dtype belongs to, and its place in it."""
    return next((kind, chain.index(name)) for kind, chain in enumerate(_CHAINS) if name in chain)
