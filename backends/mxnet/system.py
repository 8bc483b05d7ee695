"""Devices, and the way to and from the host."""

import contextlib

from .arrays import np


def devices():
    return ("cpu",)


def scope(precision, device, /):
    return contextlib.nullcontext()


def is_tensor(x, /):
    return isinstance(x, np.ndarray)


def to_numpy(x, /):
    return x.asnumpy()


def synchronise(tensors, /):
    for x in tensors:
        x.wait_to_read()
