"""Images on their way from bytes to what a network reads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core import xp
from d2l_core.errors import UsageError

__all__ = ["resize_images", "resized_in_pieces", "to_float_images"]

Images = npt.NDArray[np.uint8]

_PIECE = 1 << 18
"""Pixels of the result that are computed at a time, few enough to stay in the cache of the processor."""


def to_float_images(images: Any, *rest: Any) -> tuple[Any, ...]:
    """Images with values in [0, 1] and a channel axis, followed by whatever else the batch holds, unchanged.

    `images` is a uint8 tensor (n, height, width), which becomes (n, 1, height, width), or (n, channels,
    height, width), which keeps its shape; the result has the default float. Made for
    `Loader(transform=...)`, so that images can stay bytes until they are used.
    """
    scaled = xp.astype(images, xp.float_dtype()) * (1 / 255)  # a product, since compilers rewrite quotients
    return (xp.expand_dims(scaled, axis=1) if len(images.shape) == 3 else scaled, *rest)


def resize_images(images: Images, size: int | tuple[int, int]) -> Images:
    """Grey images (n, height, width) at another size, (n, *size), uint8; one number stands for a square.

    Pixels are squares whose centres are matched, values between four centres are bilinear, and beyond the outermost
    centres they go on; this is `xp`'s ``resize`` rounded to whole numbers, halves upwards. All sums are of whole
    numbers, so the result is the same everywhere. When an image shrinks nothing is smoothed before.

    Raises:
        UsageError: `images` are not uint8 of three axes, or a side of the result is shorter than one pixel.
    """
    return np.concatenate(list(resized_in_pieces(images, size)))


def resized_in_pieces(images: Images, size: int | tuple[int, int]) -> Iterator[Images]:
    """`resize_images` as pieces along the first axis, for results that need not lie in memory as a whole."""
    height, width = (size, size) if isinstance(size, int) else size
    if images.ndim != 3 or images.dtype != np.uint8 or min(height, width, *images.shape[1:]) < 1:
        raise UsageError(
            f"Images of shape {images.shape} and type {images.dtype} cannot become {height} x {width}; "
            "give uint8 images (n, height, width) and a size, all sides at least 1."
        )
    (rows, r), (columns, c) = _between(images.shape[1], height), _between(images.shape[2], width)
    dtype = np.float32 if 255 * r * c < 1 << 22 else np.float64  # in which every sum below is exact
    rows, columns = rows.astype(dtype), columns.T.astype(dtype)
    step = max(1, _PIECE // (height * max(width, images.shape[2])))
    for first in range(0, max(1, len(images)), step):
        piece = images[first : first + step].astype(dtype)
        sums = np.matmul(rows, np.matmul(piece, columns))  # (n, h, w) -> (n, h, width) -> (n, height, width)
        sums /= r * c
        sums += 0.5
        yield sums.astype(np.uint8)


def _between(n: int, m: int) -> tuple[npt.NDArray[np.int64], int]:
    """Weights (m, n) of n pixels in each of m, as whole numbers, and what each row of them adds up to."""
    shared = math.gcd(n, m)
    n_, m_ = n // shared, m // shared  # the centre of pixel i lies at ((2 i + 1) n_ - m_) / (2 m_) of the old ones
    places = np.clip((2 * np.arange(m) + 1) * n_ - m_, 0, 2 * m_ * (n - 1))
    left, ahead = np.divmod(places, 2 * m_)
    weights = np.zeros((m, n), dtype=np.int64)
    weights[np.arange(m), left] = 2 * m_ - ahead
    weights[np.arange(m), np.minimum(left + 1, n - 1)] += ahead
    return weights, 2 * m_
