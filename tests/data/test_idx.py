"""The IDX reader returns what was written and refuses everything else."""

from __future__ import annotations

import contextlib
import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from d2l_core.data import decode_idx, encode_idx
from d2l_core.errors import DataError

DTYPES = st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8", ">i2", ">i4", ">f4", ">f8"])


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
def test_round_trip(array):
    decoded = decode_idx(encode_idx(array), "x")
    assert decoded.dtype == array.dtype.newbyteorder("=")
    assert decoded.dtype.isnative
    assert decoded.shape == array.shape
    assert decoded.tobytes() == array.astype(decoded.dtype).tobytes()


def test_layout_byte_by_byte():
    raw = bytes([0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE])
    expected = np.array([[258, -2]], dtype=np.int16)
    np.testing.assert_array_equal(decode_idx(gzip.compress(raw), "x"), expected)
    assert gzip.decompress(encode_idx(expected)) == raw


def test_same_bytes_again():
    array = np.arange(50, dtype=np.uint8)
    assert encode_idx(array) == encode_idx(array.copy())


def test_dtype_that_the_format_lacks():
    with pytest.raises(DataError, match=r"cannot hold int64.*uint8"):
        encode_idx(np.arange(3))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_every_truncation_is_noticed(data):
    whole = encode_idx(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    keep = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DataError, match=r"pixels\.gz (is truncated|does not start)"):
        decode_idx(whole[:keep], "pixels.gz")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_give_an_array_or_a_data_error(raw):
    for data in (raw, gzip.compress(raw)):
        with contextlib.suppress(DataError):
            assert isinstance(decode_idx(data, "x"), np.ndarray)


def packed(*header: int, dims: tuple[int, ...], values: bytes) -> bytes:
    return gzip.compress(bytes(header) + struct.pack(f">{len(dims)}I", *dims) + values, mtime=0)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"plain text", "not gzip"),
        (packed(0, 1, 8, 1, dims=(2,), values=b"ab"), "magic number"),
        (packed(0, 0, 7, 1, dims=(2,), values=b"ab"), "magic number"),
        (gzip.compress(b"\0\0", mtime=0), "magic number"),
        (packed(0, 0, 8, 3, dims=(2,), values=b""), "inside its header"),
        (packed(0, 0, 8, 1, dims=(3,), values=b"ab"), "2 bytes of values where its header says 3"),
        (packed(0, 0, 8, 1, dims=(1,), values=b"ab"), "2 bytes of values where its header says 1"),
        (
            packed(0, 0, 8, 2, dims=(2**32 - 1, 2**32 - 1), values=b"ab"),
            "its header says 18,446,744,065,119,617,025",
        ),
    ],
    ids=["no gzip", "first byte", "type", "too short", "no sizes", "too few", "too many", "product overflows"],
)
def test_damage_is_described(data, says):
    with pytest.raises(DataError, match=f"pixels.gz .*{says}"):
        decode_idx(data, "pixels.gz")


@pytest.mark.parametrize("shape", [(None, 28), (3, 1), (2,), (2, 1, 1)])
def test_shape_that_was_not_expected(shape):
    data = packed(0, 0, 8, 2, dims=(2, 1), values=b"ab")
    assert decode_idx(data, "pixels.gz", (None, 1)).tolist() == [[97], [98]]
    spelled = ", ".join("n" if size is None else str(size) for size in shape)
    with pytest.raises(DataError, match=rf"shape \(2, 1\) where \({spelled}\) was expected"):
        decode_idx(data, "pixels.gz", shape)
