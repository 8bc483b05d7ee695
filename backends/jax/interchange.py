"""Flax NNX modules that compute ours, their weights on the way back, and shared memory.

Flax is imported only where it is used, so that loading the backend stays quick.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from d2l_backends.jax.arrays import _from_tensor

from d2l_core._planting import planted
from d2l_core.errors import UsageError


@functools.cache
def _native_class():
    from flax import nnx

    kinds = {"parameter": nnx.Param, "frozen": nnx.Variable, "buffer": nnx.BatchStat}

    class NativeModule(nnx.Module):
        """Holds the variables under our paths and lends them to `call`; `train` and `eval` set `deterministic`."""

        def __init__(self, call, variables):
            self.deterministic, self._call, self._paths = False, call, tuple(variables)
            planted(self, variables, _child, lambda module, name, kind, x: setattr(module, name, kinds[kind](x)))

        def held(self):
            return {path: functools.reduce(getattr, path.split("."), self) for path in self._paths}

        def __call__(self, *inputs, **options):
            held = self.held()
            values = {path: variable.get_value() for path, variable in held.items()}
            output, written = self._call(values, not self.deterministic, inputs, options, None)
            for path, value in written.items():
                held[path].set_value(value)
            return output

    def _child(module, name):
        setattr(module, name, nnx.Module())
        return getattr(module, name)

    return NativeModule


def native_module(call, variables, /):
    return _native_class()(call, variables)


def native_state(native, /):
    from flax import nnx

    if isinstance(native, _native_class()):
        return {path: variable.get_value() for path, variable in native.held().items()}
    if not isinstance(native, nnx.Module):
        raise UsageError(f"A {type(native).__name__} is no flax.nnx.Module; give one, or a state to load_state_dict.")
    return dict(_entries(nnx, native, ""))


def _entries(nnx, module, prefix):
    """In the order of definition, which Flax's own states sort away."""
    for name, part in vars(module).items():
        if isinstance(part, nnx.Module):
            yield from _entries(nnx, part, f"{prefix}{name}.")
        elif isinstance(part, nnx.Variable) and not isinstance(part, nnx.RngState):
            turned = isinstance(module, nnx.ConvTranspose) and name == "kernel" and not module.transpose_kernel
            yield prefix + name, _as_gradient(part.get_value()) if turned else part.get_value()


def _as_gradient(kernel):
    """Of a transposed convolution: turned over and with the outputs first, as the gradient of a convolution has it."""
    return jnp.swapaxes(jnp.flip(kernel, range(kernel.ndim - 2)), -1, -2)


def export_dlpack(x, /):
    return x


def import_dlpack(x, /):
    return _from_tensor(jax.dlpack.from_dlpack(x), None)
