"""Devices, and the settings of PyTorch around code that runs on one of them."""

import contextlib
import os

import torch

from d2l_core.errors import UsageError


def devices():
    cards = tuple(f"cuda:{i}" for i in range(torch.cuda.device_count()))
    apple = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cards, "cpu", *apple)


@contextlib.contextmanager
def scope(precision, device, /):
    if precision == 64 and device == "mps":
        raise UsageError("Apple's GPU has no float64; choose precision 32 or the device cpu.")
    dtype, mode = torch.get_default_dtype(), torch.get_deterministic_debug_mode()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    with _card(device):
        # What an integer tensor times a Python float becomes.
        torch.set_default_dtype(torch.float64 if precision == 64 else torch.float32)
        # Else the gradient of x[indices] is added up by several threads in any order.
        torch.set_deterministic_debug_mode("warn")
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_deterministic_debug_mode(mode)
            torch.utils.deterministic.fill_uninitialized_memory = fill


def _card(device):
    """cuDNN with the same algorithm each time and full float32 (TF32 keeps 10 bits of the significand)."""
    if not device.startswith("cuda"):
        return contextlib.nullcontext()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


def is_tensor(x, /):
    return isinstance(x, torch.Tensor)


def to_numpy(x, /):
    x = x.float() if x.dtype is torch.bfloat16 else x
    return x.numpy(force=True).copy()


def synchronise(tensors, /):
    for device in {x.device for x in tensors}:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
