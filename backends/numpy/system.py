"""Devices, precision and the way to and from the host."""

import numpy
from autograd.numpy.numpy_boxes import ArrayBox


def devices():
    return ("cpu",)


def scope(precision, device, /):
    # A diverging run is told of in one sentence by the trainer; 0/0 and overflow are values like others.
    return numpy.errstate(all="ignore")


def is_tensor(x, /):
    return isinstance(x, (numpy.ndarray, ArrayBox))


def to_numpy(x, /):
    return numpy.array(x)


def synchronise(tensors, /):
    return None
