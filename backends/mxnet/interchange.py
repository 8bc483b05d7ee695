"""Gluon blocks that compute our modules, their weights on the way back, and shared memory."""

from d2l_backends.mxnet_runtime import lending
from mxnet import gluon

from d2l_core._planting import planted
from d2l_core.errors import UsageError

from .arrays import mx


class NativeModule(gluon.Block):
    """Holds the parameters under our paths and lends them to `call`; Gluon wants ``mx.npx.set_np()`` before it."""

    def __init__(self, call, variables):
        super().__init__()
        self._run, self._held = call, planted(self, variables, _child, _leaf)

    def forward(self, *inputs):
        values = {path: parameter.data() for path, parameter in self._held.items()}
        output, written = self._run(values, mx.autograd.is_training(), inputs, {}, None)
        with mx.autograd.pause():
            for path, value in written.items():
                self._held[path].set_data(value.detach())
        return output


def _child(block, name):
    child = gluon.Block(prefix=f"{block.prefix}{name}_")
    block.register_child(child, name)
    return child


def _leaf(block, name, kind, value):
    mode = "write" if kind == "parameter" else "null"
    parameter = block.params.get(name, grad_req=mode, shape=value.shape, dtype=value.dtype, init=mx.init.Zero())
    with mx.util.np_array(True):
        parameter.initialize()
        parameter.set_data(value)
    setattr(block, name, parameter)
    return parameter


native_module = NativeModule


def native_state(native, /):
    if not isinstance(native, gluon.Block):
        raise UsageError(f"A {type(native).__name__} is no gluon.Block; give one, or a state to load_state_dict.")
    return {path: p.data().asnumpy() for path, p in native._collect_params_with_prefix().items()}


export_dlpack = lending.Memory
import_dlpack = lending.lent_by_host
