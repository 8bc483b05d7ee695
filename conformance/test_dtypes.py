"""Kinds, limits and promotion of dtypes: the standard's tables, in each backend's own objects."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from d2l_conformance.standard import promoted

from d2l_core import xp
from d2l_core.backend import Backend
from d2l_core.interface import DTYPES

KINDS = {
    "bool": {"bool"},
    "signed integer": {"int32", "int64"},
    "unsigned integer": {"uint8"},
    "integral": {"uint8", "int32", "int64"},
    "real floating": {"float32", "float64"},
    "complex floating": set(),
    "numeric": {"uint8", "int32", "int64", "float32", "float64"},
}

RANKS = {"bool": 0, "uint8": 1, "int32": 1, "int64": 1, "float32": 2, "float64": 2}
"""Kinds in the order in which one can be cast to the next."""


def native(name: str) -> Any:
    """The active backend's dtype of a name."""
    return getattr(xp, name)


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_limits_of_floats(backend: Backend, name: str) -> None:
    """They are those of IEEE 754, as Python floats."""
    info, wanted = xp.finfo(native(name)), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(info, field) == getattr(wanted, field)
    assert type(info.eps) is float
    assert info.dtype == native(name)


@pytest.mark.parametrize("name", ["uint8", "int32", "int64"])
def test_limits_of_integers(backend: Backend, name: str) -> None:
    """They are those of two's complement."""
    info, wanted = xp.iinfo(native(name)), np.iinfo(name)
    assert (info.bits, info.max, info.min) == (wanted.bits, wanted.max, wanted.min)
    assert info.dtype == native(name)


def test_limits_of_a_tensor(backend: Backend, precision: int) -> None:
    """A tensor stands for its dtype."""
    assert xp.finfo(xp.ones(2)).bits == precision
    assert xp.iinfo(xp.ones(2, dtype=xp.int32)).bits == 32


def test_limits_of_the_wrong_kind(backend: Backend) -> None:
    """The error says which function to take."""
    with pytest.raises(TypeError, match="float32 is none: use finfo for floats"):
        xp.iinfo(xp.float32)
    with pytest.raises(TypeError, match="int32 is none: use iinfo for integers"):
        xp.finfo(xp.int32)
    with pytest.raises(TypeError, match=f"'x' is no dtype of {backend.name}; use one of xp.bool"):
        xp.finfo("x")


def test_kinds(backend: Backend) -> None:
    """Each dtype is of the kinds the standard says, alone, in a tuple and as itself."""
    for kind, members in KINDS.items():
        assert {name for name in DTYPES if xp.isdtype(native(name), kind)} == members
    assert xp.isdtype(xp.int32, ("bool", "integral"))
    assert not xp.isdtype(xp.float32, ("bool", xp.float64))
    assert xp.isdtype(xp.float32, xp.float32)
    with pytest.raises(ValueError, match="There is no kind of dtypes 'real'; choose one of: bool"):
        xp.isdtype(xp.float32, "real")


def test_promotion(backend: Backend) -> None:
    """The standard's table within a kind, in both orders; a mixture of kinds is an error."""
    for one, other in itertools.product(DTYPES, repeat=2):
        common = promoted(one, other)
        if common is None:
            with pytest.raises(TypeError, match="have no common dtype; convert them to one"):
                xp.result_type(native(one), native(other))
        else:
            assert xp.result_type(native(one), native(other)) == native(common)
        assert xp.can_cast(native(one), native(other)) is (common == other or RANKS[one] < RANKS[other])


def test_promotion_of_tensors_and_numbers(backend: Backend) -> None:
    """Tensors count by their dtypes; Python numbers take the dtype of the others."""
    wide, narrow = xp.ones(2, dtype=xp.int32), xp.ones((), dtype=xp.uint8)
    assert xp.result_type(wide, narrow, 2) == xp.int32
    assert xp.result_type(xp.float32, 2, 0.5) == xp.float32
    assert xp.result_type(xp.bool, True) == xp.bool
    with pytest.raises(TypeError, match="A Python float has no common dtype with int32"):
        xp.result_type(wide, 0.5)
    with pytest.raises(ValueError, match="at least one tensor or dtype"):
        xp.result_type(2)
