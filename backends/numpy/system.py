"""Devices, precision and the way to and from the host."""

import contextlib

import numpy
from autograd.numpy.numpy_boxes import ArrayBox


def devices():
    return ("cpu",)


def scope(precision, device, /):
    return contextlib.nullcontext()


def is_tensor(x, /):
    return isinstance(x, (numpy.ndarray, ArrayBox))


def to_numpy(x, /):
    return numpy.array(x)


def synchronise(tensors, /):
    return None
