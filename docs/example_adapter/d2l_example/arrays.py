"""The group ``arrays``: dtypes, the class of the tensors, and the functions of the array API standard.

A framework whose functions have the standard's names and meanings is done with a loop over them. Here the public
functions of the NumPy adapter stand for such a framework; what has to be different is written out below the loop.
"""

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive
from d2l_backends.numpy import arrays as standard

from d2l_core.backend import current
from d2l_core.interface import DTYPES, contract
from d2l_example.tensor import Tensor, owned, owning

TENSOR_TYPES = (Tensor,)

for _name in DTYPES:
    globals()[_name] = numpy.dtype(_name)

for _name, _primitive in contract().items():
    if _primitive.group == "arrays" and hasattr(standard, _name):
        globals()[_name] = owning(getattr(standard, _name))


def asarray(obj, /, *, dtype=None):
    """Numbers and NumPy's float64 take the default float, which follows the active precision."""
    if not isinstance(obj, (numpy.ndarray, numpy.generic)) and hasattr(obj, "_value"):
        return obj if dtype is None else obj.astype(dtype)  # traced: it must stay so
    array = numpy.asarray(obj)
    if dtype is None and array.dtype == numpy.float64:
        dtype = numpy.float64 if current().precision == 64 else numpy.float32
    return owned(array.astype(dtype or array.dtype))


@owning
def where(condition, x1, x2, /):
    """Both tensors are brought to one shape first: autograd's `where` does not add up what it has repeated."""
    shape = numpy.broadcast_shapes(condition.shape, x1.shape, x2.shape)
    return np.where(condition, *(x if x.shape == shape else standard.broadcast_to(x, shape) for x in (x1, x2)))


@primitive
def cumulative_sum(x, /, *, axis=None):
    """A function with a derivative of its own: the running sum from the other end."""
    kind = numpy.int64 if x.dtype == numpy.uint8 else None
    return owned(numpy.cumsum(x, 0 if axis is None else axis, kind))


def _back(answer, x, *, axis=None):
    axis = 0 if axis is None else axis
    return lambda g: standard.flip(np.cumsum(standard.flip(g, axis=axis), axis), axis=axis)


defvjp(cumulative_sum, _back)
