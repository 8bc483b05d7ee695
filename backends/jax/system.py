"""Devices, precision and the way back to NumPy."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np


@functools.cache
def _devices() -> dict[str, jax.Device]:
    accelerators = (device for device in jax.local_devices() if device.platform != "cpu")
    found = {f"{_kind(device)}:{device.id}": device for device in accelerators}
    with contextlib.suppress(RuntimeError):  # JAX_PLATFORMS may leave the processor out
        first, *others = jax.local_devices(backend="cpu")
        found |= {"cpu": first} | {f"cpu:{device.id}": device for device in others}
    return found


def _kind(device: jax.Device) -> str:
    return "cuda" if "cuda" in device.client.platform_version.lower() else device.platform


def devices() -> tuple[str, ...]:
    return tuple(_devices())


@contextlib.contextmanager
def scope(precision: int, device: str, /) -> Iterator[None]:
    """64-bit types at precision 64 only, and float32 products without the shortcuts of tensor cores."""
    with (
        jax.enable_x64(precision == 64),
        jax.default_device(_devices()[device]),
        jax.default_matmul_precision("highest"),
    ):
        yield


def is_tensor(x: Any, /) -> bool:
    return isinstance(x, jax.Array)


def to_numpy(x: jax.Array, /) -> np.ndarray:
    return np.array(x, np.float32 if x.dtype == "bfloat16" else None)


def rehearse(f: Callable[[list[jax.Array]], Any], inputs: Sequence[jax.Array], /) -> None:
    """Traced, so that XLA compiles nothing."""
    jax.eval_shape(lambda given: [f(given), None][1], list(inputs))


def synchronise(tensors: Sequence[jax.Array], /) -> None:
    jax.block_until_ready(tensors)
