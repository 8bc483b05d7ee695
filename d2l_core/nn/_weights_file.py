"""Weights in safetensors files; nothing else is read, and nothing is unpickled."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2l_core._host import on_host
from d2l_core._paths import replace_bytes
from d2l_core.errors import CheckpointError, UsageError

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip
_WRITTEN = frozenset(map(np.dtype, _DTYPES.values()))


def save_weights(path: str | PathLike[str], state: Mapping[str, Any]) -> None:
    """Write arrays to a safetensors file; what was there stays until the new file is complete.

    Args:
        path: of the file; missing folders are made.
        state: NumPy arrays or tensors of any framework by name, such as `Module.state_dict` gives.

    Raises:
        CheckpointError: the file cannot be written.
        UsageError: a value is no array of numbers, or of a dtype that the format does not know.
    """
    from safetensors.numpy import save

    arrays = {name: _contiguous(on_host(array)) for name, array in state.items()}
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in _WRITTEN:
            raise UsageError(f"{name} has the dtype {array.dtype}; save floats, whole numbers or booleans.")
    data = save(arrays)
    try:
        replace_bytes(Path(path), data)
    except OSError as error:
        advice = "free some space" if error.errno == errno.ENOSPC else "choose another folder"
        raise CheckpointError(f"The weights {path} cannot be written ({error.strerror}); {advice}.") from error


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    """In row-major order and a shape of its own: `ascontiguousarray` gives a 0-d array an axis."""
    return np.ascontiguousarray(array).reshape(array.shape)


def read_weights(path: str | PathLike[str]) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file by name; bfloat16 as float32, which holds the same numbers.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it is of another kind.
    """
    from safetensors import SafetensorError, deserialize

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"The weights {path} cannot be read ({error.strerror}); name another file.") from error
    if data[8:9] != b"{" and (data[:2] == b"PK" or data[:1] == b"\x80"):
        raise CheckpointError(
            f"{path} is a pickle, which may run any code when it is read, and is never read here: load it with the "
            f"framework that wrote it and pass the dictionary of tensors, or save that as a safetensors file."
        )
    try:
        return {name: _array(**entry) for name, entry in deserialize(data)}  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is no intact safetensors file ({error}); save the weights again.") from error


def _array(dtype: str, shape: list[int], data: bytes) -> NDArray[Any]:
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    return np.frombuffer(data, _DTYPES[dtype]).reshape(shape)
