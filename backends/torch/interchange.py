"""PyTorch modules that compute ours, their weights on the way back, and shared memory."""

import torch
from torch import nn

from d2l_core._planting import planted
from d2l_core.backend import current
from d2l_core.errors import UsageError


class NativeModule(nn.Module):
    """Holds the parameters and buffers under our paths and lends them to `call`."""

    def __init__(self, call, variables):
        super().__init__()
        self._run = call
        planted(self, variables, _child, _leaf)

    def forward(self, *inputs, **options):
        held = dict(self.named_parameters()) | dict(self.named_buffers())
        device = next((str(tensor.device) for tensor in held.values()), None)
        output, written = self._run(held, self.training, inputs, options, device)
        with torch.no_grad():
            for path, value in written.items():
                held[path].copy_(value)
        return output


def _child(module, name):
    module.add_module(name, nn.Module())
    return module.get_submodule(name)


def _leaf(module, name, kind, value):
    if kind == "buffer":
        module.register_buffer(name, value)
    else:
        module.register_parameter(name, nn.Parameter(value, requires_grad=kind == "parameter"))


native_module = NativeModule


def native_state(native, /):
    if not isinstance(native, nn.Module):
        raise UsageError(f"A {type(native).__name__} is no torch.nn.Module; give one, or a state to load_state_dict.")
    return dict(native.state_dict())


export_dlpack = torch.Tensor.detach


def import_dlpack(x, /):
    if any(step < 0 for step in getattr(x, "strides", ())):
        raise BufferError("PyTorch ends the process over negative strides.")
    return torch.from_dlpack(x).to(current().device)
