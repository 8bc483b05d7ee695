"""Arrays and tensors of any framework as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2l_core.backend import Backend, adapters, load_backend, loaded_backends
from d2l_core.errors import UsageError


def on_host(x: Any) -> NDArray[Any]:
    """x in host memory with its own dtype; it may share the memory of x.

    Args:
        x: a NumPy array, a tensor of any framework, numbers, or what else NumPy reads as an array.

    Raises:
        UsageError: x cannot be read as numbers.
    """
    if isinstance(x, np.ndarray):
        return x
    try:
        owner = _owner(x)
        array = np.asarray(x) if owner is None else owner.to_numpy(x)
    except Exception as error:  # every framework has errors of its own
        raise UsageError(
            f"A {type(x).__name__} does not become a NumPy array ({error}); give it as an array of float32 or float64."
        ) from error
    if array.dtype.kind in "OSU":
        raise UsageError(f"A {type(x).__name__} is no array of numbers; give an array or a tensor.")
    return np.asarray(array)


def _owner(x: Any) -> Backend | None:
    """The backend whose tensor x is; its framework is there, even if nobody has asked for the backend yet."""
    framework = type(x).__module__.partition(".")[0]
    if framework != "numpy" and framework in adapters():
        load_backend(framework)
    return next((backend for backend in loaded_backends().values() if backend.is_tensor(x)), None)
