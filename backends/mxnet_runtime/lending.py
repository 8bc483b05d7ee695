"""Memory that MXNet and NumPy share, by DLPack, and that steps of one run use again."""

import contextlib
import ctypes
import sys
from contextvars import ContextVar

import numpy

from d2l_core import tree

from .importing import import_mxnet

mx = import_mxnet()


class Memory:
    """A tensor for DLPack: MXNet knows the protocol's first version, by functions of its own."""

    def __init__(self, x):
        self._x = x

    def __dlpack__(self, **options):
        if self._x.dtype == bool:
            raise TypeError("MXNet's booleans have a code that nobody else knows.")
        try:
            return mx.nd.to_dlpack_for_read(self._x)
        except mx.MXNetError:
            return mx.nd.to_dlpack_for_read(in_plain_order(self._x))

    def __dlpack_device__(self):
        return (1, 0)


def in_plain_order(x):
    """The same tensor; a convolution may have put the elements of its weights into an order of oneDNN's.

    Some operators then fail, or end the process (test_mxnet_network.py).
    """
    return mx.np.reshape(x, x.shape)


def lent_to_host(x):
    """The numbers of a tensor as a NumPy array, which is only to be read."""
    return x.lender[0] if _is_where_it_was_lent(x) else numpy.from_dlpack(Memory(x))


def lent_by_host(x, /):
    """What speaks DLPack, such as a NumPy array that nobody else alters, as a tensor in the same memory."""
    tensor = mx.nd.from_dlpack(x.__dlpack__()).as_np_ndarray()
    if isinstance(x, numpy.ndarray):
        tensor.lender = x, x.ctypes.data
    return tensor


def _is_where_it_was_lent(x):
    """Whether a tensor has its numbers in a NumPy array still; in another order than NumPy's they are elsewhere."""
    if "lender" not in x.__dict__:
        return False
    x.wait_to_read()
    found = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.MXNDArrayGetData(x.handle, ctypes.byref(found)))
    return found.value == x.lender[1]


# ---------------------------------------------------------------- memory that is used again

MOST_ELEMENTS = 2**20
"""Of a set: of so many the memory costs little, and to make it anew as much as to compute."""

_RUN = ContextVar("d2l_mxnet_run", default=None)


def _references(objects):
    """How many each has, those of this loop among them."""
    return [sys.getrefcount(x) for x in objects]


_OF_A_SET_ALONE = _references((object(),))  # as this version of Python counts


class Run:
    """A run of steps.

    Attributes:
        left: what the last step has left, in a tree.
    """

    left = ()

    def wait(self):
        """Until the last step is over, so that it reads nothing any more."""
        for x in tree.leaves(self.left):
            x.wait_to_read()


@contextlib.contextmanager
def run_of_steps():
    """A block in which states belong to its steps alone: what leaves it is written into no more."""
    run = Run()
    token = _RUN.set(run)
    try:
        yield run
    finally:
        run.left = ()
        _RUN.reset(token)


class Spare:
    """The sets of tensors lent by NumPy that a function has returned in this run."""

    def __init__(self):
        self._run, self._sets = None, []

    def taken(self, shapes_and_dtypes):
        """A set that nobody holds any more, or a new one, and its arrays to be written into."""
        run = _RUN.get()
        if run is not self._run:
            self._run, self._sets = run, []
        for tensors in self._sets:
            if _references(tensors) == _OF_A_SET_ALONE * len(tensors):
                run.wait()
                if all(map(_is_where_it_was_lent, tensors)):
                    break
        else:
            tensors = tuple(lent_by_host(numpy.empty(shape, dtype)) for shape, dtype in shapes_and_dtypes)
            if run and sum(x.size for x in tensors) <= MOST_ELEMENTS:
                self._sets.append(tensors)
        return tensors, [x.lender[0] for x in tensors]
