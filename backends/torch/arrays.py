"""The array vocabulary on PyTorch: its own functions where name and meaning are those of the standard.

PyTorch reads ``axis`` and ``keepdims`` as its ``dim`` and ``keepdim``. In mixed arithmetic it ranks a 0-d
tensor below one with axes: float32 of shape (3,) plus a float64 tensor of shape () stays float32.
"""

import contextlib
import functools
import operator

import array_api_compat.torch as standard
import numpy as np
import torch
from torch.nn import functional

from d2l_core.axes import chosen
from d2l_core.backend import current

TENSOR_TYPES = (torch.Tensor, torch.nn.Parameter)

bool = torch.bool
uint8 = torch.uint8
int32 = torch.int32
int64 = torch.int64
bfloat16 = torch.bfloat16
float32 = torch.float32
float64 = torch.float64


def default_float():
    """float32 or float64, by the active precision."""
    return float64 if current().precision == 64 else float32


def _shape(shape):
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


# creation


def asarray(obj, /, *, dtype=None):
    device = current().device
    if isinstance(obj, torch.Tensor):
        return obj.to(device=device, dtype=dtype, copy=True)
    array = np.asarray(obj, order="C")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if [step for step in array.strides if step < 0]:  # of an axis with one element: contiguous to NumPy
        array = array.copy()
    if dtype is None and array.dtype == np.float64:
        dtype = default_float()
    return torch.tensor(array, dtype=dtype, device=device)


def zeros(shape, *, dtype=None):
    return torch.zeros(shape, dtype=dtype or default_float(), device=current().device)


def ones(shape, *, dtype=None):
    return torch.ones(shape, dtype=dtype or default_float(), device=current().device)


def full(shape, fill_value, *, dtype=None):
    if dtype is None and isinstance(fill_value, float):
        dtype = default_float()
    return torch.full(_shape(shape), fill_value, dtype=dtype, device=current().device)


def arange(start, /, stop=None, step=1, *, dtype=None):
    if stop is None:
        start, stop = 0, start
    if isinstance(start, float) or isinstance(stop, float) or isinstance(step, float):
        return asarray(np.arange(start, stop, step), dtype=dtype)
    stop = stop if (stop - start) * step > 0 else start
    return torch.arange(start, stop, step, dtype=dtype or int64, device=current().device)


def linspace(start, stop, /, num, *, dtype=None, endpoint=True):
    return asarray(np.linspace(start, stop, num, endpoint=endpoint), dtype=dtype)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None):
    x = zeros((n_rows, n_rows if n_cols is None else n_cols), dtype=dtype)
    if -n_rows < k < x.shape[1]:
        x.diagonal(k).fill_(1)
    return x


zeros_like = torch.zeros_like
ones_like = torch.ones_like
full_like = torch.full_like


# dtypes and shapes


astype = functools.partial(torch.Tensor.to, copy=True)
concat = torch.concat
stack = torch.stack
squeeze = standard.squeeze
repeat = torch.repeat_interleave
tile = torch.tile


def reshape(x, /, shape):
    return x.reshape(shape)


def permute_dims(x, /, axes):
    return torch.permute(x, axes)


def matrix_transpose(x, /):
    return x.mT


def expand_dims(x, /, *, axis=0):
    return torch.unsqueeze(x, axis)


def broadcast_to(x, /, shape):
    return torch.broadcast_to(x, shape)


def flip(x, /, *, axis=None):
    if axis is None:
        axis = tuple(range(x.ndim))
    return torch.flip(x, (axis,) if isinstance(axis, int) else axis)


def roll(x, /, shift, *, axis):
    return torch.roll(x, shift, axis)


def pad(x, pad_width, /, *, value=0.0):
    return functional.pad(x, [side for pair in reversed(pad_width) for side in pair], value=value)


# elementwise


abs = torch.abs
negative = torch.negative
exp = torch.exp
erf = torch.erf
expm1 = torch.expm1
log = torch.log
log1p = torch.log1p
sqrt = torch.sqrt
square = torch.square
sin = torch.sin
cos = torch.cos
tanh = torch.tanh
tan = torch.tan
asin = torch.asin
acos = torch.acos
atan = torch.atan
sinh = torch.sinh
cosh = torch.cosh
asinh = torch.asinh
acosh = torch.acosh
atanh = torch.atanh
signbit = torch.signbit
floor = torch.floor
ceil = torch.ceil
round = torch.round
add = operator.add
subtract = operator.sub
multiply = operator.mul
divide = torch.div  # the operator multiplies a scalar by the reciprocal, which rounds twice
pow = operator.pow
where = torch.where
equal = operator.eq
not_equal = operator.ne
less = operator.lt
less_equal = operator.le
greater = operator.gt
greater_equal = operator.ge
logical_and = torch.logical_and
logical_or = torch.logical_or
logical_not = torch.logical_not
integer_quotient = operator.floordiv
bitwise_and = operator.and_
bitwise_or = operator.or_
bitwise_xor = operator.xor
bitwise_invert = operator.invert
bitwise_left_shift = operator.lshift
bitwise_right_shift = operator.rshift
isnan = torch.isnan
isfinite = torch.isfinite


def sign(x, /):
    signs = torch.sign(x)
    return signs.masked_fill(torch.isnan(x), torch.nan) if x.is_floating_point() else signs


def maximum(x1, x2, /):
    x1, x2 = _tensor_first(x1, x2)
    return torch.maximum(x1, x2) if isinstance(x2, torch.Tensor) else torch.clamp(x1, min=x2)


def minimum(x1, x2, /):
    x1, x2 = _tensor_first(x1, x2)
    return torch.minimum(x1, x2) if isinstance(x2, torch.Tensor) else torch.clamp(x1, max=x2)


def _tensor_first(x1, x2):
    """A number as a tensor of the other's floats, too: `clamp` would not halve the gradient where both are equal."""
    if not isinstance(x1, torch.Tensor):
        x1, x2 = x2, x1
    if isinstance(x2, torch.Tensor) or not x1.dtype.is_floating_point:
        return x1, x2
    return x1, torch.full((), x2, dtype=x1.dtype, device=x1.device)


def clip(x, /, min=None, max=None):
    return x if min is None and max is None else torch.clamp(x, min, max)


atan2 = torch.atan2
nextafter = torch.nextafter


def modulo(x1, x2, /):
    """`torch.remainder` is NaN in all but the last few elements where the quotient overflows: first by a multiple."""
    if not x1.dtype.is_floating_point:
        return torch.remainder(x1, x2)
    far = torch.isinf(x1 / x2)
    multiple = torch.where(far, x2.detach() * 2.0 ** (1023 if x1.dtype == float64 else 127), 1.0)
    return torch.remainder(torch.where(far, torch.fmod(x1, multiple), x1), x2)


# reductions, sorting, searching; PyTorch takes an empty tuple of axes for all axes, the standard for none


def sum(x, /, *, axis=None, keepdims=False):
    if axis == ():
        return torch.sum(x[None], 0)
    return torch.sum(x, axis, keepdims)


def mean(x, /, *, axis=None, keepdims=False):
    if axis == ():
        return torch.mean(x[None], 0)
    return torch.mean(x, axis, keepdims)


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    if axis == ():
        return torch.var(x[None], 0, correction=correction)
    return torch.var(x, axis, correction=correction, keepdim=keepdims)


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    if axis == ():
        return torch.std(x[None], 0, correction=correction)
    return torch.std(x, axis, correction=correction, keepdim=keepdims)


def max(x, /, *, axis=None, keepdims=False):
    if axis == ():
        return x
    return torch.amax(x, () if axis is None else axis, keepdims)


def min(x, /, *, axis=None, keepdims=False):
    if axis == ():
        return x
    return torch.amin(x, () if axis is None else axis, keepdims)


def logsumexp(x, /, *, axis=None, keepdims=False):
    if axis == ():
        return x
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


prod = standard.prod
all = standard.all
any = standard.any
argmax = torch.argmax
argmin = torch.argmin


def cumulative_sum(x, /, *, axis):
    return torch.cumsum(x, axis)


def sort(x, /, *, axis=-1, descending=False):
    return torch.sort(x, dim=axis, descending=descending, stable=True).values


def argsort(x, /, *, axis=-1, descending=False):
    return torch.argsort(x, dim=axis, descending=descending, stable=True)


def index(indices):
    """Integers of any width as those that PyTorch's lookups accept."""
    return indices if indices.dtype is int64 or indices.dtype is int32 else indices.to(int64)


def _wrapped(indices, length):
    """Negative indices, which the lookups refuse, counted from the front."""
    return torch.where(indices < 0, indices + length, indices)


def _select(x, axis, indices):
    """On the CPU indices are wrapped only when they are refused: that costs more than the lookup."""
    if indices.is_cpu:
        with contextlib.suppress(IndexError, RuntimeError):
            return torch.index_select(x, axis, indices)
    return torch.index_select(x, axis, _wrapped(indices, x.shape[axis]))


def take(x, indices, /, *, axis=None):
    axis = chosen(axis, x.ndim)
    indices = index(indices)
    if indices.ndim == 1:
        return _select(x, axis, indices)
    taken = _select(x, axis, indices.reshape(-1))
    return taken.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def take_along_axis(x, indices, /, *, axis=-1):
    return torch.take_along_dim(x, _wrapped(indices.to(int64), x.shape[axis]), axis)


def index_add(x, indices, values, /, *, axis=0):
    return torch.index_add(x, axis, index(indices), values)


# linear algebra


matmul = torch.matmul
einsum = torch.einsum


def tensordot(x1, x2, /, *, axes=2):
    return torch.tensordot(x1, x2, axes)
