"""Exercises of the lesson on saving and loading: stubs to fill in, and the checks that examine them."""

import json
import struct

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close


def read_one(data, name):
    """Fetch one array from the bytes of a safetensors file, without looking at the numbers of others.

    Args:
        data: the whole file as bytes. It begins with the length of the table as eight bytes (little-endian), then comes
            the table as JSON: under each name ``dtype`` ("F32", "F64" or "I64"), ``shape`` and ``data_offsets``, the
            first place and the one behind the last, counted from the end of the table.
        name: of the array.

    Returns:
        A NumPy array of that type and shape.

    Raises:
        KeyError: the file has no array of this name.
        ValueError: the file ends before the numbers of this array do.
    """
    raise NotImplementedError


def fingerprint(state):
    """A text by which arrays with names can be recognised.

    Args:
        state: a dictionary of NumPy arrays by name.

    Returns:
        A str, the same for equal names with equal arrays in whatever order, and another one as soon as a name, a shape,
        a dtype or a number differs.
    """
    raise NotImplementedError


def _file(arrays, cut=0):
    """The bytes of a safetensors file, the last `cut` of them missing."""
    table, blocks, place = {"__metadata__": {"made": "for a check"}}, b"", 0
    codes = {"<f4": "F32", "<f8": "F64", "<i8": "I64"}
    for name, array in arrays.items():
        block = array.tobytes()
        table[name] = {
            "dtype": codes[array.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [place, place + len(block)],
        }
        blocks, place = blocks + block, place + len(block)
    text = json.dumps(table).encode()
    data = struct.pack("<Q", len(text)) + text + blocks
    return data[: len(data) - cut]


def _arrays():
    return {
        "0.weight": np.arange(6, dtype="<f4").reshape(2, 3),
        "steps": np.array(12, "<i8"),
        "last": np.array([0.5, -2.0], "<f8"),
    }


def check_read_one_value(candidate):
    """Each array, with its shape and type."""
    arrays = _arrays()
    for name, expected in arrays.items():
        found = candidate(_file(arrays), name)
        expect_close(
            found, expected, f"{name} is not what was saved; are the places counted from the end of the table?"
        )
        assert found.dtype == expected.dtype, f"{name} should have the type {expected.dtype}, not {found.dtype}."


def check_read_one_tensors(candidate):
    """What comes out can be given to the active backend."""
    found = candidate(_file(_arrays()), "0.weight")
    expect_close(xp.sum(xp.asarray(found)), 15.0, "The array should become a tensor whose sum is right.")


def check_read_one_edges(candidate):
    """Unknown names, and a file that is cut off."""
    for name in ("1.weight", "__metadata__"):
        try:
            candidate(_file(_arrays()), name)
        except KeyError:
            continue
        raise AssertionError(f"There is no array {name!r} in the file; raise KeyError.")
    cut = _file(_arrays(), cut=8)
    expect_close(candidate(cut, "steps"), 12, "A file whose end is missing still has the arrays before it.")
    try:
        candidate(cut, "last")
    except ValueError:
        return
    raise AssertionError("The file ends within the numbers of 'last'; raise ValueError instead of giving fewer.")


def check_fingerprint_value(candidate):
    """Equal for equal arrays, in any order, also in another memory layout."""
    state = _arrays()
    first = candidate(state)
    assert isinstance(first, str), "The fingerprint should be a text."
    assert first == candidate({name: state[name].copy() for name in reversed(state)}), (
        "The order of the names changes the fingerprint; go through them in sorted order."
    )
    assert first == candidate(state | {"0.weight": np.asfortranarray(state["0.weight"])}), (
        "Two equal arrays whose memory is laid out differently should have one fingerprint; take row-major bytes."
    )


def check_fingerprint_edges(candidate):
    """Another one for the smallest differences."""
    state = _arrays()
    bumped = state["0.weight"].copy()
    bumped[0, 1] = np.nextafter(bumped[0, 1], np.float32(2.0))
    for what, other in (
        ("the last bit of one number", state | {"0.weight": bumped}),
        ("a shape", state | {"0.weight": state["0.weight"].reshape(3, 2)}),
        ("a type of the same size", state | {"last": state["last"].view("<i8")}),
        ("a name", {("0.bias" if name == "0.weight" else name): array for name, array in state.items()}),
        ("which name has which array", {"a": state["last"], "b": state["last"] + 1.0}),
        ("a missing array", {name: array for name, array in state.items() if name != "steps"}),
    ):
        reference = {"a": state["last"] + 1.0, "b": state["last"]} if what.startswith("which") else state
        assert candidate(other) != candidate(reference), f"The fingerprint does not notice a difference in {what}."
