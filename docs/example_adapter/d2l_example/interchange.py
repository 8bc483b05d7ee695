"""The group ``interchange``: memory shared with other libraries; there are no modules of a framework to convert to."""

import numpy

from d2l_core.errors import BackendError
from d2l_example import adapter
from d2l_example.tensor import owned


def native_module(call, variables, /):
    raise BackendError(adapter.limits["to_native"])


def native_state(native, /):
    raise BackendError(adapter.limits["to_native"])


def export_dlpack(x, /):
    return numpy.asarray(x)


def import_dlpack(x, /):
    return owned(numpy.from_dlpack(x))
