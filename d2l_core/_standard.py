"""What the array API standard asks of a function beyond the adapters' part, done once for all of them.

Adapters compute on tensors of one dtype, on the active device. Here are the keywords ``device``, ``copy``, ``dtype``,
``include_initial`` and ``stable``, operands of two dtypes, integers where only floats are interesting, and tensors
where adapters expect numbers. Each function gets the adapter's own one first and then the arguments of the call; see
``around`` in `d2l_core._dispatch`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from d2l_core import backend as _backend
from d2l_core import dtypes
from d2l_core.axes import chosen, position, positions
from d2l_core.errors import AxisError, CallError, UsageError

Function = Callable[..., Any]
Tensor = Any
Numbers = bool | int | float

NUMBERS = frozenset((float, int, bool))
"""Types of Python's numbers, by identity: NumPy's scalars have a dtype, though some are instances of `float`."""


# ---------------------------------------------------------------- operands


def one_dtype(*operands: Tensor) -> Sequence[Tensor]:
    """Tensors in the dtype that they promote to; of different kinds, which the standard leaves open, as they are."""
    first = operands[0].dtype
    if all(x.dtype == first for x in operands[1:]):
        return operands
    common = dtypes.common(*(x.dtype for x in operands))
    if common is None:
        return operands
    astype = _backend.active().astype
    return [x if x.dtype == common else astype(x, common) for x in operands]


def tensors(x1: Tensor | Numbers, x2: Tensor | Numbers) -> Sequence[Tensor]:
    """Two operands as tensors of one dtype: a Python number takes the dtype of the other."""
    if type(x1) in NUMBERS:
        return _backend.active().asarray(x1, dtype=x2.dtype), x2  # type: ignore[union-attr]
    if type(x2) in NUMBERS:
        return x1, _backend.active().asarray(x2, dtype=x1.dtype)  # type: ignore[union-attr]
    return one_dtype(x1, x2)


def promote(function: Function, x1: Tensor | Numbers, x2: Tensor | Numbers, /) -> Tensor:
    """Two operands, one of which may be a number that the adapter understands."""
    if type(x1) in NUMBERS or type(x2) in NUMBERS or x1.dtype is x2.dtype:  # type: ignore[union-attr]
        return function(x1, x2)
    return function(*one_dtype(x1, x2))


def promote_tensors(function: Function, x1: Tensor | Numbers, x2: Tensor | Numbers, /) -> Tensor:
    """Two operands that are tensors for the adapter."""
    return function(*tensors(x1, x2))


def product(function: Function, x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """`tensordot`."""
    return function(*one_dtype(x1, x2), axes=axes)


def where(function: Function, condition: Tensor, x1: Tensor | Numbers, x2: Tensor | Numbers, /) -> Tensor:
    """Both choices as tensors of one dtype."""
    if not (type(x1) in NUMBERS or type(x2) in NUMBERS) and x1.dtype is x2.dtype:  # type: ignore[union-attr]
        return function(condition, x1, x2)
    return function(condition, *tensors(x1, x2))


def clip(function: Function, x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """Bounds that are tensors, by `maximum` and `minimum`, with broadcasting; the dtype stays that of x."""
    if (min is None or type(min) in NUMBERS) and (max is None or type(max) in NUMBERS):
        return function(x, min, max)
    backend = _backend.active()
    for bound, limit in ((min, backend.maximum), (max, backend.minimum)):
        if bound is not None:
            x = limit(x, bound if type(bound) in NUMBERS else backend.astype(bound, x.dtype))
    return x


# ---------------------------------------------------------------- integers


def whole(function: Function, x: Tensor, /) -> Tensor:
    """Rounding: integers are rounded as they are."""
    return function(x) if dtypes.is_floating(x) else x


def never(function: Function, x: Tensor, /) -> Tensor:
    """A question that integers always answer with no."""
    return function(x) if dtypes.is_floating(x) else _backend.active().not_equal(x, x)


def always(function: Function, x: Tensor, /) -> Tensor:
    """A question that integers always answer with yes."""
    return function(x) if dtypes.is_floating(x) else _backend.active().equal(x, x)


# ---------------------------------------------------------------- devices and copies


def placed(device: Any) -> AbstractContextManager[Any]:
    """The active backend on a device: one of its names or its own object of a device, the active one if None."""
    if device is None:
        return contextlib.nullcontext()
    context = _backend.current()
    name = device_name(device)
    if name == context.device:
        return contextlib.nullcontext()
    return _backend.use_backend(context.backend.name, precision=context.precision, device=name)


def device_name(device: Any) -> str:
    """The name of a device; UsageError where it is not present."""
    context = _backend.current()
    known: tuple[str, ...] = context.backend.devices()
    if isinstance(device, str) and device in known:
        return device
    for name in known:
        if device_object(name) == device:
            return name
    raise UsageError(f"{context.backend.name} has no device {device!r} here; choose one of: {', '.join(known)}.")


def device_object(name: str) -> Any:
    """A device as tensors on it show it, or its name where they show none."""
    context = _backend.current()
    with _backend.use_backend(context.backend.name, precision=context.precision, device=name):
        return getattr(context.backend.zeros((1,)), "device", name)


def create(function: Function, *args: Any, device: Any = None, **options: Any) -> Tensor:
    """A new tensor on a device."""
    if device is None:
        return function(*args, **options)
    with placed(device):
        return function(*args, **options)


def full(function: Function, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Filled with a number, or with what a 0-d tensor holds."""
    with placed(device):
        if not _backend.active().is_tensor(fill_value):
            return function(shape, fill_value, dtype=dtype)
        sides = (shape,) if isinstance(shape, int) else tuple(shape)
        return _backend.active().broadcast_to(_as(fill_value, dtype), sides)


def full_like(function: Function, x: Tensor, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Likewise, in the dtype of x unless another is given."""
    if not _backend.active().is_tensor(fill_value):
        return create(function, x, fill_value, dtype=dtype, device=device)
    return full(function, x.shape, fill_value, dtype=x.dtype if dtype is None else dtype, device=device)


def asarray(function: Function, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Tensor:
    """`copy=False` takes a tensor as it is, which is all that can be had without a copy."""
    if type(obj) is complex:
        if obj.imag:
            raise CallError("Complex numbers are left out; keep their real and imaginary parts in two tensors.")
        obj = obj.real
    if copy is False:
        if not _is_ready(obj, dtype, device):
            raise CallError("asarray can do without a copy only for a tensor of that dtype on that device.")
        return obj
    with placed(device):
        return function(obj, dtype=dtype)


def _is_ready(obj: Any, dtype: Any, device: Any) -> bool:
    is_tensor = _backend.active().is_tensor(obj)
    # not `in (None, obj.dtype)`: NumPy's float64 equals None
    return is_tensor and (dtype is None or dtype == obj.dtype) and (device is None or _on_device(obj, device))


def _on_device(x: Tensor, device: Any) -> bool:
    own = getattr(x, "device", None)
    return own is None or device_name(own) == device_name(device)


def astype(function: Function, x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """With ``copy=False`` a tensor of that dtype comes back as it is."""
    if not copy and _is_ready(x, dtype, device):
        return x
    if device is None:
        return function(x, dtype)
    with placed(device):
        return function(_backend.active().asarray(x), dtype)


def reshape(function: Function, x: Tensor, /, shape: Any, *, copy: bool | None = None) -> Tensor:
    """With ``copy=False`` only a tensor that has the shape comes back; else no framework promises not to copy."""
    if copy is None:
        return function(x, shape)
    if copy:
        return _backend.active().asarray(function(x, shape))
    if tuple(x.shape) != ((shape,) if isinstance(shape, int) else tuple(shape)):
        raise CallError("reshape cannot promise not to copy; leave out copy=False.")
    return x


# ---------------------------------------------------------------- accumulation and order


def _summand(x: Tensor, dtype: Any) -> Tensor:
    """x in the dtype in which it is added up: the one that is named; of integers and booleans the widest integer."""
    backend = _backend.active()
    wanted = dtype if dtype is not None else x.dtype if dtypes.is_floating(x) else backend.int64
    return x if x.dtype == wanted else backend.astype(x, wanted)


def _as(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None or x.dtype == dtype else _backend.active().astype(x, dtype)


def accumulate(
    function: Function, x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False
) -> Tensor:
    """`sum` and `prod`: frameworks disagree on the dtype of small integers, and may widen one that was asked for."""
    if dtype is None and dtypes.is_floating(x):
        return function(x, axis=axis, keepdims=keepdims)
    return _as(function(_summand(x, dtype), axis=axis, keepdims=keepdims), dtype)


def running_sum(
    function: Function, x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """`cumulative_sum`, likewise, with the empty sum first if asked for."""
    axis = chosen(axis, len(x.shape))
    total = _as(function(_summand(x, dtype), axis=axis), dtype)
    if not include_initial:
        return total
    backend = _backend.active()
    start = backend.zeros((*total.shape[:axis], 1, *total.shape[axis + 1 :]), dtype=total.dtype)
    return backend.concat([start, total], axis=axis)


def spread(
    function: Function, x: Tensor, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """`var` and `std`: NaN of too few elements for the correction, where each framework has its own idea."""
    if correction > 0 and correction >= math.prod(x.shape[a] for a in positions(axis, len(x.shape))):
        return function(x, axis=axis, keepdims=keepdims) * math.nan
    return function(x, axis=axis, correction=correction, keepdims=keepdims)


def order(function: Function, x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Every adapter sorts stably, whether that is asked for or not."""
    return function(x, axis=axis, descending=descending)


# ---------------------------------------------------------------- manipulation


def concat(function: Function, arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Tensors of several dtypes; flattened ones without an axis."""
    parts = one_dtype(*arrays)
    if axis is None:
        reshape, axis = _backend.active().reshape, 0
        parts = [reshape(x, (-1,)) if math.prod(x.shape) else reshape(x, (0,)) for x in parts]
    return function(parts, axis=axis)


def stack(function: Function, arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Tensors of several dtypes."""
    return function(one_dtype(*arrays), axis=axis)


def expand_dims(function: Function, x: Tensor, /, axis: int = 0) -> Tensor:
    """An axis by position or by name."""
    rank = len(x.shape)
    if not -rank - 1 <= axis <= rank:
        raise AxisError(f"expand_dims puts an axis at {-rank - 1} to {rank} of a tensor of {rank} axes, not at {axis}.")
    return function(x, axis=axis)


def roll(function: Function, x: Tensor, /, shift: Any, *, axis: Any = None) -> Tensor:
    """Several axes one after the other; the flattened tensor without an axis."""
    if axis is None:
        shape, reshape = tuple(x.shape), _backend.active().reshape
        if not math.prod(shape):
            return x
        return reshape(function(reshape(x, (-1,)), shift, axis=0), shape)
    axes = (axis,) if isinstance(axis, int) else axis
    shifts = (shift,) * len(axes) if isinstance(shift, int) else shift
    if len(shifts) != len(axes):
        raise CallError(f"roll needs as many shifts as axes, not {len(shifts)} and {len(axes)}.")
    for places, one in zip(shifts, axes, strict=True):
        x = function(x, places, axis=one)
    return x


def repeat(function: Function, x: Tensor, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """A number of repetitions for each element, by taking each index that many times."""
    if isinstance(repeats, int):
        return function(x, repeats, axis=axis)
    backend = _backend.active()
    if axis is None:
        x, axis = backend.reshape(x, (math.prod(x.shape),)), 0
    axis = position(axis, len(x.shape))
    counts = np.broadcast_to(backend.to_numpy(repeats), (x.shape[axis],))
    return backend.take(x, backend.asarray(np.repeat(np.arange(x.shape[axis]), counts)), axis=axis)


def along(function: Function, x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """`take_along_axis` of a tensor and indices that broadcast, but for the axis."""
    axis = position(axis, len(x.shape))
    sides = [list(one.shape) for one in (x, indices)]
    lengths = [side.pop(axis) for side in sides]
    if sides[0] != sides[1]:
        common = np.broadcast_shapes(*map(tuple, sides))
        spread = _backend.active().broadcast_to
        x, indices = (
            spread(one, (*common[:axis], length, *common[axis:]))
            for one, length in zip((x, indices), lengths, strict=True)
        )
    return function(x, indices, axis=axis)
