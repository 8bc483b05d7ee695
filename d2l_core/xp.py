"""The tensor vocabulary: the array API standard's names, running on the active backend.

Functions are those of `d2l_core.interface`; dtypes (``xp.float32`` ...) are the active backend's own objects.
``xp.bfloat16`` is an AbsentError, which is an AttributeError too, on a backend without it.
"""

from __future__ import annotations

from math import e, inf, nan, pi
from typing import Any

from d2l_core import linalg
from d2l_core._dispatch import REGISTRY
from d2l_core._namespace_info import __array_namespace_info__
from d2l_core.backend import active, float_dtype
from d2l_core.composites.arrays import *  # noqa: F403
from d2l_core.composites.exchange import *  # noqa: F403
from d2l_core.dtypes import can_cast, finfo, iinfo, isdtype, result_type
from d2l_core.interface import *  # noqa: F403
from d2l_core.interface import DTYPES, OPTIONAL_DTYPES, is_tensor, to_numpy

__array_api_version__ = "2024.12"

__all__ = [
    "__array_namespace_info__",
    *(name for name, primitive in REGISTRY.items() if primitive.group == "arrays"),
    "can_cast",
    "e",
    "finfo",
    "float_dtype",
    "iinfo",
    "inf",
    "is_tensor",
    "isdtype",
    "linalg",
    "nan",
    "newaxis",
    "pi",
    "result_type",
    "to_numpy",
]

newaxis = None


def __getattr__(name: str) -> Any:
    if name in DTYPES or name in OPTIONAL_DTYPES:
        return getattr(active(), name)
    raise AttributeError(f"module 'd2l_core.xp' has no attribute {name!r}")
