"""Images on their way from bytes to what a network reads."""

from __future__ import annotations

from typing import Any

from d2l_core import xp

__all__ = ["to_float_images"]


def to_float_images(images: Any, *rest: Any) -> tuple[Any, ...]:
    """Images with values in [0, 1] and a channel axis, followed by whatever else the batch holds, unchanged.

    `images` is a uint8 tensor (n, height, width), which becomes (n, 1, height, width), or (n, channels,
    height, width), which keeps its shape; the result has the default float. Made for
    `Loader(transform=...)`, so that images can stay bytes until they are used.
    """
    scaled = xp.astype(images, xp.float_dtype()) * (1 / 255)  # a product, since compilers rewrite quotients
    return (xp.expand_dims(scaled, axis=1) if len(images.shape) == 3 else scaled, *rest)
