"""Which pairs of frameworks share memory, told by the address of the first element."""

import ctypes
import subprocess
import sys

import numpy as np
import pytest

from d2l_core import xp
from d2l_core.backend import adapters, use_backend

NAMES = ("numpy", "torch", "jax", "tensorflow", "mxnet")
COPIED = {
    "bool": {(one, other) for other in NAMES for one in NAMES if "mxnet" in (one, other)},
    "int32": set(),
    "float32": set(),
    "float64": set(),
}
"""From one to the other. MXNet's booleans have a code of their own in the protocol."""

pytestmark = pytest.mark.skipif(
    any(adapters()[name].missing() for name in NAMES), reason="It is about all frameworks at once."
)


def address(name, tensor):
    """Where the elements of a tensor begin, in each framework's own words."""
    if name == "numpy":
        return tensor.ctypes.data
    if name == "torch":
        return tensor.data_ptr()
    if name == "jax":
        return tensor.unsafe_buffer_pointer()
    if name == "tensorflow":
        return np.asarray(memoryview(tensor)).ctypes.data
    from d2l_backends.mxnet.arrays import mx

    pointer = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.MXNDArrayGetData(tensor.handle, ctypes.byref(pointer)))
    return pointer.value


def aligned(array, offset=0):
    """The same numbers at a multiple of 64 bytes, where compiled kernels want them, or `offset` bytes after it."""
    memory = np.empty(array.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    placed = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    placed[...] = array
    return placed


def given(name, array):
    """The numbers as a tensor of a backend at precision 64."""
    with use_backend(name, precision=64) as backend:
        return array if name == "numpy" else xp.asarray(array, dtype=getattr(backend, array.dtype.name))


def taken(name, tensor):
    with use_backend(name, precision=64):
        return xp.from_dlpack(tensor)


@pytest.mark.parametrize("dtype", COPIED)
@pytest.mark.parametrize("taker", NAMES)
@pytest.mark.parametrize("giver", NAMES)
def test_pairs_that_share_memory(giver, taker, dtype):
    """Every one of the twenty pairs but those named; a tensor on its own backend comes back as it is."""
    theirs = given(giver, aligned((np.arange(40).reshape(5, 8) % 2).astype(dtype)))
    ours = taken(taker, theirs)
    if giver == taker:
        assert ours is theirs
        return
    assert (address(taker, ours) == address(giver, theirs)) is ((giver, taker) not in COPIED[dtype])


@pytest.mark.parametrize("taker", NAMES[1:])
def test_unaligned_memory(taker):
    """XLA and TensorFlow copy what is not aligned, PyTorch and MXNet take it; all compute with it."""
    array = aligned(np.arange(40.0).reshape(5, 8), offset=8)
    ours = taken(taker, array)
    assert (address(taker, ours) == array.ctypes.data) is (taker in ("torch", "mxnet"))
    with use_backend(taker, precision=64):
        np.testing.assert_array_equal(xp.to_numpy(xp.matmul(ours, xp.matrix_transpose(ours))), array @ array.T)


@pytest.mark.parametrize("taker", NAMES[1:])
def test_a_change_in_place_is_seen_where_memory_is_shared(taker):
    """As the documentation says; a copy of the result does not see it."""
    array = aligned(np.zeros((5, 8)))
    ours = taken(taker, array)
    with use_backend(taker, precision=64):
        copied = xp.asarray(xp.to_numpy(ours))
        array[0, 0] = 7.0
        assert float(ours[0, 0]) == 7.0
        assert float(copied[0, 0]) == 0.0


def test_negative_strides_end_pytorch():
    """When this fails, delete the check in `import_dlpack` of the adapter for PyTorch."""
    code = "import numpy, torch; torch.from_dlpack(numpy.arange(3.0)[::-1])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode < 0, "the process was to end by a signal"


def test_mxnet_gives_booleans_another_code():
    """When this fails, delete the check in `_Memory` of the adapter for MXNet."""
    from d2l_backends.mxnet.arrays import mx

    capsule = mx.nd.to_dlpack_for_read(mx.np.ones(2, dtype=bool))
    prototype = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    get = prototype(("PyCapsule_GetPointer", ctypes.pythonapi))

    class Tensor(ctypes.Structure):
        _fields_ = (
            ("data", ctypes.c_void_p), ("device", ctypes.c_int * 2), ("ndim", ctypes.c_int), ("code", ctypes.c_uint8),
        )  # fmt: skip

    assert Tensor.from_address(get(capsule, b"dltensor")).code != 6  # that of booleans
