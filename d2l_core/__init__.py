"""One deep-learning curriculum, written once, running on NumPy, PyTorch, JAX, TensorFlow and MXNet."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from d2l_core import autodiff, data, interchange, nn, optim, random, training, tree, xp
    from d2l_core.backend import active, adapters, use_backend
    from d2l_core.errors import D2LError, UsageError

__version__ = "0.1.0"

_HOMES = {
    "active": "d2l_core.backend",
    "adapters": "d2l_core.backend",
    "use_backend": "d2l_core.backend",
    "D2LError": "d2l_core.errors",
    "UsageError": "d2l_core.errors",
}
_MODULES = ("autodiff", "data", "interchange", "nn", "optim", "random", "training", "tree", "xp")

__all__ = [
    "D2LError", "UsageError", "active", "adapters", "autodiff", "data", "interchange", "nn", "optim", "random",
    "training", "tree", "use_backend", "xp",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"d2l_core.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'd2l_core' has no attribute {name!r}")
