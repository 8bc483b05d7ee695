"""What stands for the framework: a class of arrays that autograd can differentiate.

The engine tells backends apart by the classes of their tensors, so plain NumPy arrays, which belong to the backend
``numpy``, would not do. A real adapter has no such module: its framework brings the class.
"""

import functools

import numpy
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace

from d2l_core import tree


class Tensor(numpy.ndarray):
    """An array of this backend."""


ArrayBox.register(Tensor)
ArrayVSpace.register(Tensor)


@primitive
def _view(x):
    return numpy.asarray(x).view(Tensor)


defvjp(_view, lambda answer, x: lambda g: g)


def owned(value):
    """An array or scalar of NumPy as a `Tensor`, also while autograd traces it; other values stay as they are."""
    return _view(value) if isinstance(value, (numpy.ndarray, numpy.generic, ArrayBox)) else value


def owning(function):
    """The function with `Tensor` in place of every array in its result."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return tree.map(owned, function(*args, **kwargs))

    return call
