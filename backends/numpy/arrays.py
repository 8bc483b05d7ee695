"""The array vocabulary on NumPy; autograd's functions, so that derivatives can pass through."""

import math

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_boxes import ArrayBox

from d2l_core.axes import chosen, position, positions
from d2l_core.backend import current

TENSOR_TYPES = (numpy.ndarray,)

bool = numpy.dtype("bool")
uint8 = numpy.dtype("uint8")
int32 = numpy.dtype("int32")
int64 = numpy.dtype("int64")
float32 = numpy.dtype("float32")
float64 = numpy.dtype("float64")


def default_float():
    """float32 or float64, by the active precision."""
    return float64 if current().precision == 64 else float32


def as_tensor(x):
    """NumPy gives scalars where the standard has 0-d tensors."""
    return x if isinstance(x, (numpy.ndarray, ArrayBox)) else numpy.asarray(x)


def _tensors(function):
    """An elementwise function of NumPy whose results are tensors."""

    def elementwise(*operands):
        result = function(*operands)
        return result if type(result) is numpy.ndarray else as_tensor(result)

    return elementwise


# creation


def asarray(obj, /, *, dtype=None):
    if isinstance(obj, ArrayBox):
        return obj if dtype is None else obj.astype(dtype)
    array = numpy.asarray(obj)
    if dtype is None and array.dtype == float64:
        dtype = default_float()
    return array.astype(dtype or array.dtype)


def zeros(shape, *, dtype=None):
    return numpy.zeros(shape, dtype or default_float())


def ones(shape, *, dtype=None):
    return numpy.ones(shape, dtype or default_float())


def full(shape, fill_value, *, dtype=None):
    if dtype is None and isinstance(fill_value, float):
        dtype = default_float()
    return numpy.full(shape, fill_value, dtype)


def arange(start, /, stop=None, step=1, *, dtype=None):
    if dtype is None and True in [isinstance(value, float) for value in (start, stop, step)]:
        dtype = default_float()
    return numpy.arange(start, stop, step, dtype) if stop is not None else numpy.arange(0, start, step, dtype)


def linspace(start, stop, /, num, *, dtype=None, endpoint=True):
    return numpy.linspace(start, stop, num, endpoint=endpoint).astype(dtype or default_float())


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None):
    return numpy.eye(n_rows, n_cols, k, dtype or default_float())


def zeros_like(x, /, *, dtype=None):
    return numpy.zeros(x.shape, dtype or x.dtype)


def ones_like(x, /, *, dtype=None):
    return numpy.ones(x.shape, dtype or x.dtype)


def full_like(x, /, fill_value, *, dtype=None):
    return numpy.full(x.shape, fill_value, dtype or x.dtype)


# dtypes and shapes


@primitive
def whole(x, dtype):
    """x in integers or booleans, through which nothing flows back."""
    return x.astype(dtype)


def astype(x, dtype, /):
    return x.astype(dtype) if dtype.kind == "f" else whole(x, dtype)


reshape = np.reshape
permute_dims = np.transpose


@primitive
def broadcast_to(x, /, shape):
    return numpy.broadcast_to(x, shape).copy()


defvjp(broadcast_to, lambda answer, x, shape: lambda g: sum_to(g, x.shape))


def sum_to(g, shape):
    """The gradient of `broadcast_to`: g summed over the axes along which a tensor of `shape` was repeated."""
    if g.shape == shape:
        return g
    ahead = g.ndim - len(shape)
    axes = tuple(a for a in range(g.ndim) if a < ahead or (shape[a - ahead] == 1 and g.shape[a] != 1))
    return np.reshape(np.sum(g, axes), shape)


def matrix_transpose(x, /):
    return np.swapaxes(x, -1, -2)


def concat(arrays, /, *, axis=0):
    return np.concatenate(list(arrays), axis)


def stack(arrays, /, *, axis=0):
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis)


def expand_dims(x, /, *, axis=0):
    return np.expand_dims(x, axis)


def squeeze(x, /, axis):
    return np.squeeze(x, axis)


def flip(x, /, *, axis=None):
    axes = positions(axis, x.ndim)
    return x[(*(slice(None, None, -1 if a in axes else None) for a in range(x.ndim)), ...)]


def repeat(x, repeats, /, *, axis=None):
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = position(axis, x.ndim)
    copies = broadcast_to(np.expand_dims(x, axis + 1), (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))
    return np.reshape(copies, (*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1 :]))


def tile(x, repetitions, /):
    rank = numpy.maximum(x.ndim, len(repetitions))
    repetitions = (1,) * (rank - len(repetitions)) + tuple(repetitions)
    shape = (1,) * (rank - x.ndim) + tuple(x.shape)
    split = [n for extent in shape for n in (1, extent)]
    copies = [n for pair in zip(repetitions, shape, strict=True) for n in pair]
    return np.reshape(
        broadcast_to(np.reshape(x, split), copies), [r * n for r, n in zip(repetitions, shape, strict=True)]
    )


def roll(x, /, shift, *, axis):
    return np.roll(x, shift, axis)


def pad(x, pad_width, /, *, value=0.0):
    return np.pad(x, pad_width, "constant", constant_values=value)


# elementwise

abs = _tensors(np.abs)
negative = _tensors(np.negative)
sign = _tensors(np.sign)
exp = _tensors(np.exp)
expm1 = _tensors(np.expm1)


@primitive
def erf(x, /):
    return numpy.asarray(_erf(x), x.dtype)


_erf = numpy.frompyfunc(math.erf, 1, 1)
defvjp(erf, lambda y, x: lambda g: g * (2.0 / math.sqrt(math.pi)) * np.exp(-(x**2)))
log = _tensors(np.log)
log1p = _tensors(np.log1p)
sqrt = _tensors(np.sqrt)
square = _tensors(np.square)
sin = _tensors(np.sin)
cos = _tensors(np.cos)
tanh = _tensors(np.tanh)
tan = _tensors(np.tan)
asin = _tensors(np.arcsin)
acos = _tensors(np.arccos)
atan = _tensors(np.arctan)
atan2 = _tensors(np.arctan2)
sinh = _tensors(np.sinh)
cosh = _tensors(np.cosh)
asinh = _tensors(np.arcsinh)
acosh = _tensors(np.arccosh)
atanh = _tensors(np.arctanh)
modulo = _tensors(np.remainder)
integer_quotient = _tensors(numpy.floor_divide)
bitwise_and = _tensors(numpy.bitwise_and)
bitwise_or = _tensors(numpy.bitwise_or)
bitwise_xor = _tensors(numpy.bitwise_xor)
bitwise_invert = _tensors(numpy.invert)
bitwise_left_shift = _tensors(numpy.left_shift)
bitwise_right_shift = _tensors(numpy.right_shift)
floor = _tensors(np.floor)
ceil = _tensors(np.ceil)
add = _tensors(np.add)
subtract = _tensors(np.subtract)
multiply = _tensors(np.multiply)
divide = _tensors(np.divide)
pow = _tensors(np.power)
equal = _tensors(np.equal)
not_equal = _tensors(np.not_equal)
less = _tensors(np.less)
less_equal = _tensors(np.less_equal)
greater = _tensors(np.greater)
greater_equal = _tensors(np.greater_equal)
logical_and = _tensors(np.logical_and)
logical_or = _tensors(np.logical_or)
logical_not = _tensors(np.logical_not)
isnan = _tensors(np.isnan)
isfinite = _tensors(np.isfinite)
maximum = _tensors(np.maximum)
minimum = _tensors(np.minimum)
round = _tensors(np.round)


def where(condition, x1, x2, /):
    shape = numpy.broadcast_shapes(condition.shape, x1.shape, x2.shape)
    return np.where(condition, *(x if x.shape == shape else broadcast_to(x, shape) for x in (x1, x2)))


@primitive
def _clip(x, min, max):
    return as_tensor(numpy.clip(x, min, max))


defvjp(_clip, lambda y, x, min, max: lambda g: g * (y == x), argnums=(0,))


def clip(x, /, min=None, max=None):
    """autograd's has no gradient at the limits."""
    return x if min is None and max is None else _clip(x, min, max)


def signbit(x, /):
    return as_tensor(numpy.signbit(plain(x)))


def nextafter(x1, x2, /):
    return as_tensor(numpy.nextafter(plain(x1), plain(x2)))


# reductions, sorting, searching


def _reduction(function):
    return lambda x, /, *, axis=None, keepdims=False: as_tensor(function(x, axis, keepdims=keepdims))


sum, prod, max, min = map(_reduction, (np.sum, np.prod, np.max, np.min))
all, any, argmax, argmin = map(_reduction, (np.all, np.any, np.argmax, np.argmin))


def mean(x, /, *, axis=None, keepdims=False):
    total = np.sum(x, axis, keepdims=keepdims)
    return as_tensor(total / (x.size // total.size if total.size else 1))


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    return as_tensor(np.var(x, axis, ddof=correction, keepdims=keepdims))


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    return as_tensor(np.sqrt(np.var(x, axis, ddof=correction, keepdims=keepdims)))


def cumulative_sum(x, /, *, axis):
    return np.cumsum(x, axis)


def sort(x, /, *, axis=-1, descending=False):
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)


def argsort(x, /, *, axis=-1, descending=False):
    x = plain(x)
    if not descending:
        return numpy.argsort(x, axis, kind="stable")
    order = numpy.argsort(numpy.flip(x, axis), axis, kind="stable")
    return numpy.flip(x.shape[axis] - 1 - order, axis)


def plain(x):
    """The NumPy array inside the boxes of autograd."""
    while isinstance(x, ArrayBox):
        x = x._value
    return x


@primitive
def _take(x, indices, axis):
    return numpy.take(x, indices, axis)


@primitive
def _scatter_add(g, indices, axis, shape):
    """The gradient of `_take`: g summed into zeros of `shape` at the indices of one axis."""
    axis %= len(shape)
    ahead = shape[:axis]
    rows = numpy.moveaxis(g.reshape(*ahead, indices.size, *shape[axis + 1 :]), axis, 0)
    total = numpy.zeros((shape[axis], *ahead, *shape[axis + 1 :]), g.dtype)
    numpy.add.at(total, indices.reshape(-1), rows)
    return numpy.moveaxis(total, 0, axis)


defvjp(
    _take,
    lambda answer, x, indices, axis: lambda g: _scatter_add(g, indices, axis, x.shape),
    argnums=(0,),
)
defvjp(_scatter_add, lambda answer, g, indices, axis, shape: lambda h: _take(h, indices, axis), argnums=(0,))


def take(x, indices, /, *, axis=None):
    return as_tensor(_take(x, indices, chosen(axis, x.ndim)))


def _along(x, indices, axis):
    """The index tuple that picks along one axis and runs along the others."""
    axis = position(axis, x.ndim)
    grid = [numpy.arange(n).reshape([-1 if a == b else 1 for b in range(x.ndim)]) for a, n in enumerate(x.shape)]
    return tuple(indices if a == axis else grid[a] for a in range(x.ndim))


def take_along_axis(x, indices, /, *, axis=-1):
    return x[_along(x, indices, axis)]


def index_add(x, indices, values, /, *, axis=0):
    return x + _scatter_add(values, indices, axis, x.shape)


# linear algebra

matmul = _tensors(np.matmul)
einsum = _tensors(np.einsum)


def tensordot(x1, x2, /, *, axes=2):
    return as_tensor(np.tensordot(x1, x2, axes))
