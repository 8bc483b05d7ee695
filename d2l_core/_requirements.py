"""What a call must fulfil where a framework would compute something else, answer late or end the process instead.

Each function has the signature of the function of the contract that it is named after, looks at shapes alone and
raises ValueError. TensorFlow and MXNet end the process on a window that does not fit, JAX clamps and NumPy repeats.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

Tensor = Any
Sizes = int | Sequence[int]


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)


def _each(value: Sizes, rank: int) -> tuple[int, ...]:
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    _require(len(sizes) == rank, f"{value} is not one size or one for each of {rank} spatial axes.")
    return sizes


def _window_fits(x: Tensor, window: Sequence[int], padding: Sizes, dilation: Sizes = 1) -> None:
    spatial = tuple(x.shape)[2:]
    rank = len(spatial)
    sizes = zip(spatial, _each(window, rank), _each(padding, rank), _each(dilation, rank), strict=True)
    fits = [n is None or n + 2 * p > d * (w - 1) >= 0 for n, w, p, d in sizes]
    _require(rank > 0 and False not in fits, f"A window {tuple(window)} does not fit into {spatial}.")


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> None:
    """The window fits and the channels are those of the groups."""
    _window_fits(x, tuple(weight.shape)[2:], padding, dilation)
    _require(x.shape[1] == weight.shape[1] * groups, "The channels are not those of the weight.")
    _require(weight.shape[0] % groups == 0, "The results cannot be divided into groups.")


def max_pool(x: Tensor, window: Sizes, *, stride: Sizes | None = None, padding: Sizes = 0) -> None:
    """The window fits."""
    _window_fits(x, _each(window, len(x.shape) - 2), padding)


avg_pool = max_pool


def pad(x: Tensor, pad_width: Sequence[tuple[int, int]], *, value: float = 0.0) -> None:
    """A pair of widths for each axis, none negative."""
    fits = len(pad_width) == len(x.shape) and all(n >= 0 for pair in pad_width for n in pair)
    _require(fits, "Widths are pairs of numbers from zero on, one for each axis.")


def tensordot(x1: Tensor, x2: Tensor, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> None:
    """As many axes as are summed over, of equal lengths."""
    first, second = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    fits = [len(first)] == [len(second)] and all(
        -len(x.shape) <= axis < len(x.shape) for x, chosen in ((x1, first), (x2, second)) for axis in chosen
    )
    _require(fits and [x1.shape[a] for a in first] == [x2.shape[b] for b in second], "The axes differ in length.")


def outer(x1: Tensor, x2: Tensor) -> None:
    """Two vectors."""
    _require(len(x1.shape) == len(x2.shape) == 1, "The outer product is one of vectors.")


def vecdot(x1: Tensor, x2: Tensor, *, axis: int = -1) -> None:
    """Vectors of one length, which is not broadcast."""
    _require(x1.shape[axis] == x2.shape[axis], "The vectors differ in length.")


def index_add(x: Tensor, indices: Tensor, values: Tensor, *, axis: int = 0) -> None:
    """One slice for each index."""
    shape = list(x.shape)
    _require(-len(shape) <= axis < len(shape) and len(indices.shape) == 1, "The indices are a vector along an axis.")
    shape[axis] = indices.shape[0]
    _require(list(values.shape) == shape, "There is one slice for each index.")


index_update = index_add


def one_hot(indices: Tensor, num_classes: int) -> None:
    """A number of classes from zero on."""
    _require(num_classes >= 0, "The number of classes is negative.")


def embedding(indices: Tensor, weight: Tensor) -> None:
    """Integers."""
    _require("int" in str(indices.dtype), "Indices are integers.")


def roi_pool(x: Tensor, boxes: Tensor, size: Sizes, **options: Any) -> None:
    """Images, and five numbers for each box."""
    fits = len(x.shape) == 4 and len(boxes.shape) == 2 and boxes.shape[1] == 5
    _require(fits, "Boxes are an index and four corners each, on images (N, C, H, W).")


roi_align = roi_pool


def lower_cholesky(x: Tensor) -> None:
    """Square matrices."""
    _require(len(x.shape) >= 2 and x.shape[-1] == x.shape[-2], "The matrices are not square.")


def batch_norm_infer(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, eps: float) -> None:
    """One number of each kind for each channel."""
    lengths = {tuple(vector.shape) for vector in (weight, bias, mean, var)}
    _require(lengths == {(x.shape[1],)}, "There is one number for each channel.")


def lstm(x: Tensor, state: tuple[Tensor, Tensor], *weights: Tensor) -> None:
    """Weights for the gates of as many units as the states have."""
    batch, units = state[0].shape
    rows = 4 * units
    shapes = [(batch, units), (rows, x.shape[2]), (rows, units), (rows,), (rows,)]
    fits = [tuple(y.shape) for y in (state[1], *weights)] == shapes and x.shape[1] == batch
    _require(fits, "Weights, states and inputs do not fit together.")


REQUIREMENTS: dict[str, Callable[..., None]] = {
    name: value for name, value in list(globals().items()) if inspect.isfunction(value) and not name.startswith("_")
}
