"""The IDX format of MNIST and Fashion-MNIST: a magic number, big-endian dimensions, then the raw values.

Layout (LeCun, Cortes and Burges, *The MNIST database*, 1998): two zero bytes, one byte for the type, one
for the number of dimensions, each dimension as an unsigned 32-bit big-endian integer, then the values in C
order.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core.errors import DataError

__all__ = ["decode_idx", "encode_idx"]

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _TYPES.items()}


def decode_idx(data: bytes, source: str, shape: tuple[int | None, ...] | None = None) -> npt.NDArray[Any]:
    """The array in a gzipped IDX file, given as its bytes, in native byte order.

    `source` names the file in errors. `shape` is what the caller expects, with None where any size will do.
    Raises `DataError` for a truncated or damaged stream, a wrong magic number, dimensions other than
    expected, and more or fewer values than the header announces.
    """
    try:
        raw = gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise _damaged(source, f"is truncated or not gzip ({error})") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES:
        raise _damaged(source, "does not start with the magic number of an IDX file")
    start = 4 + 4 * raw[3]
    if len(raw) < start:
        raise _damaged(source, "ends inside its header")
    dims = struct.unpack(f">{raw[3]}I", raw[4:start])
    if shape is not None and not _matches(dims, shape):
        raise _damaged(source, f"holds an array of shape {dims} where {_spelled(shape)} was expected")
    dtype = np.dtype(_TYPES[raw[2]])
    expected = math.prod(dims) * dtype.itemsize
    if len(raw) - start != expected:
        raise _damaged(source, f"holds {len(raw) - start:,} bytes of values where its header says {expected:,}")
    return np.frombuffer(raw, dtype, offset=start).reshape(dims).astype(dtype.newbyteorder("="))


def encode_idx(array: npt.NDArray[Any]) -> bytes:
    """`array` as a gzipped IDX file, without a time stamp, so that the same array gives the same bytes again.

    Raises `DataError` for a dtype that the format does not have, or for more than 255 dimensions.
    """
    code = _CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        names = ", ".join(str(dtype) for dtype in _CODES)
        raise DataError(f"IDX files cannot hold {array.dtype}; convert the array to one of {names}.")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(_TYPES[code]).tobytes(), compresslevel=9, mtime=0)


def _matches(dims: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(dims) == len(shape) and all(want in (None, have) for have, want in zip(dims, shape, strict=True))


def _spelled(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if size is None else str(size) for size in shape) + ")"


def _damaged(source: str, what: str) -> DataError:
    return DataError(f"{source} {what}; delete it and fetch it again.")
