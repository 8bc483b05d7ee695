"""The group ``native``: the framework's own layers and optimisers, against which the suite checks ours.

A framework without any transcribes the definitions; these are the NumPy adapter's.
"""

from d2l_backends.numpy import native as standard

from d2l_core.errors import BackendError
from d2l_example import adapter

native_layer = standard.native_layer


def native_optimiser(kind, options, /):
    reason = adapter.limits.get(f"native {kind}")
    if reason is not None:
        raise BackendError(reason)
    return standard.native_optimiser(kind, options)
