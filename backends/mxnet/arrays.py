"""The array vocabulary on `mx.np`, with detours around its gaps.

Where a function is composed although `mx.np` has it, `test_mxnet_upstream.py` shows what is wrong with that.
"""

import functools
import math
import operator

import numpy
from d2l_backends.mxnet_runtime.lending import in_plain_order, lent_by_host
from d2l_backends.mxnet_runtime.recording import mx, np, on_host

from d2l_core.axes import chosen, position, positions
from d2l_core.backend import current

npx = mx.npx
is_recording = mx.autograd.is_recording

TENSOR_TYPES = (np.ndarray,)

bool = numpy.dtype("bool")
uint8 = numpy.dtype("uint8")
int32 = numpy.dtype("int32")
int64 = numpy.dtype("int64")
float32 = numpy.dtype("float32")
float64 = numpy.dtype("float64")

_FLOATS = (float32, float64)
_LENT = (uint8, int32, int64, float32, float64)  # of tensors that may be a NumPy array's memory


def default_float():
    """float32 or float64, by the active precision."""
    return float64 if current().precision == 64 else float32


def on_tape(x):
    """Whether a gradient flows back from x; on the tape are constants too, under other names."""
    try:
        return True in [name.startswith("var") for name in mx.autograd.get_symbol(x).list_inputs()]
    except mx.MXNetError:
        return False


# creation: on the host, as `mx.np` makes float32 of almost everything


def from_host(array, dtype=None):
    """A tensor with the elements of a NumPy array, in its dtype or in another."""
    dtype = array.dtype if dtype is None else numpy.dtype(dtype)
    if array.ndim and array.size and dtype in _LENT:  # in a fifth of the time
        size = array.size * dtype.itemsize
        memory = numpy.empty(size + 64, uint8)
        start = -memory.ctypes.data % 64  # where other frameworks share it, too
        copy = memory[start : start + size].view(dtype).reshape(array.shape)
        copy[...] = array
        return lent_by_host(copy)
    return np.array(numpy.asarray(array, dtype, order="C"), dtype=dtype)


def asarray(obj, /, *, dtype=None):
    if isinstance(obj, np.ndarray):
        return obj.copy() if dtype is None or obj.dtype == dtype else astype(obj, dtype)
    array = numpy.asarray(_with_arrays(obj))
    if dtype is None:
        dtype = default_float() if array.dtype == float64 else array.dtype
    return from_host(array, dtype)


def _with_arrays(obj):
    """Nested sequences with the tensors in them as NumPy arrays."""
    if isinstance(obj, np.ndarray):
        return obj.asnumpy()
    return [_with_arrays(part) for part in obj] if isinstance(obj, list | tuple) else obj


def zeros(shape, *, dtype=None):
    return np.zeros(shape, dtype or default_float())


def ones(shape, *, dtype=None):
    return np.ones(shape, dtype or default_float())


def full(shape, fill_value, *, dtype=None):
    if dtype is None and isinstance(fill_value, float):
        dtype = default_float()
    return from_host(numpy.full(shape, fill_value, dtype))


def arange(start, /, stop=None, step=1, *, dtype=None):
    if stop is None:
        start, stop = 0, start
    return asarray(numpy.arange(start, stop, step), dtype=dtype)


def linspace(start, stop, /, num, *, dtype=None, endpoint=True):
    return asarray(numpy.linspace(start, stop, num, endpoint=endpoint), dtype=dtype)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None):
    return from_host(numpy.eye(n_rows, n_cols, k, dtype or default_float()))


def zeros_like(x, /, *, dtype=None):
    return np.zeros(x.shape, dtype or x.dtype)


def ones_like(x, /, *, dtype=None):
    return np.ones(x.shape, dtype or x.dtype)


def full_like(x, /, fill_value, *, dtype=None):
    return from_host(numpy.full(x.shape, fill_value, dtype or x.dtype))


# dtypes and shapes


def astype(x, dtype, /):
    return npx.cast(x, dtype=numpy.dtype(dtype).name)


def reshape(x, /, shape):
    return np.reshape(x, shape)


def _moves_bytes(function):
    """A function that moves elements: `mx.np` has it for numbers, not for booleans."""

    def moved(x, *args, **options):
        if x.dtype is bool:
            return astype(function(astype(x, uint8), *args, **options), bool)
        return function(x, *args, **options)

    return moved


@_moves_bytes
def permute_dims(x, /, axes):
    """By the older operator, which takes a third of the time of `mx.np.transpose` and a tenth of that of `swapaxes`."""
    axes = [position(axis, x.ndim) for axis in axes]
    if sorted(axes) != list(range(x.ndim)):  # for it MXNet reads memory that is not the tensor's
        raise ValueError(f"{axes} does not name each of {x.ndim} axes once.")
    return mx.nd.transpose(in_plain_order(x).as_nd_ndarray(), axes=axes).as_np_ndarray()


def matrix_transpose(x, /):
    return permute_dims(x, [*range(x.ndim - 2), -1, -2])


def concat(arrays, /, *, axis=0):
    return np.concatenate(list(arrays), axis)


def stack(arrays, /, *, axis=0):
    arrays = list(arrays)
    if len({x.shape for x in arrays}) != 1:  # found out by the framework only when the result is read
        raise ValueError("stack needs tensors of one shape.")
    return np.stack(arrays, position(axis, arrays[0].ndim + 1))


def expand_dims(x, /, *, axis=0):
    return np.expand_dims(x, axis)


def squeeze(x, /, axis):
    axes = positions(axis, x.ndim)
    if [n for a, n in enumerate(x.shape) if a in axes and n != 1]:
        raise ValueError(f"squeeze removes axes of length one; axis {axis} of shape {x.shape} is longer.")
    return np.reshape(x, tuple(n for a, n in enumerate(x.shape) if a not in axes))


def broadcast_to(x, /, shape):
    return np.broadcast_to(x, shape)


@_moves_bytes
def flip(x, /, *, axis=None):
    return np.flip(x, positions(axis, x.ndim))


@_moves_bytes
def repeat(x, repeats, /, *, axis=None):
    if repeats == 0:
        return np.zeros(0 if axis is None else (*x.shape[: axis % x.ndim], 0, *x.shape[axis % x.ndim + 1 :]), x.dtype)
    return np.repeat(x, repeats, axis)


def tile(x, repetitions, /):
    return np.tile(x, repetitions)


@_moves_bytes
def roll(x, /, shift, *, axis):
    return np.roll(x, shift, axis)


def pad(x, pad_width, /, *, value=0.0):
    for axis, widths in enumerate(pad_width):
        shapes = [(*x.shape[:axis], width, *x.shape[axis + 1 :]) for width in widths]
        before, after = (from_host(numpy.full(shape, value, x.dtype)) for shape in shapes)
        if widths[0] or widths[1]:
            x = np.concatenate([before, x, after], axis)
    return x


# elementwise


negative = np.negative
exp = np.exp


def sign(x, /):
    """Of NaN it is NaN, which `mx.np.sign` makes zero."""
    return where(np.isnan(x), x, np.sign(x)) if x.dtype in _FLOATS else np.sign(x)


def erf(x, /):
    """MXNet's own slope is that of float32 in float64 too: there it is the factor of a difference that is zero."""
    if x.dtype is float32 or not is_recording():
        return npx.erf(x)
    fixed = x.detach()
    slope = (2.0 / math.sqrt(math.pi)) * np.exp(-np.square(fixed))
    return npx.erf(fixed) + slope * where(np.isfinite(fixed), x - fixed, np.zeros_like(x))


expm1 = np.expm1
log = np.log
log1p = np.log1p
sqrt = np.sqrt
sin = np.sin
cos = np.cos
tanh = np.tanh
tan = np.tan
asin = np.arcsin
acos = np.arccos
atan = np.arctan
atan2 = np.arctan2
sinh = np.sinh
cosh = np.cosh
asinh = np.arcsinh
acosh = np.arccosh
atanh = np.arctanh
bitwise_invert = np.invert
floor = np.floor
ceil = np.ceil
isnan = np.isnan
isfinite = np.isfinite


def _whole(function):
    """An operator, to which a Python integer goes as a double: one past 2**53 goes as a tensor of whole numbers."""

    def whole(x1, x2, /):
        if type(x2) is int and not -_WHOLE <= x2 <= _WHOLE and x1.dtype is int64:
            x2 = from_host(numpy.asarray(x2, int64))
        elif type(x1) is int and not -_WHOLE <= x1 <= _WHOLE and x2.dtype is int64:
            x1 = from_host(numpy.asarray(x1, int64))
        return function(x1, x2)

    return whole


_WHOLE = 2**53

add = _whole(operator.add)
subtract = _whole(operator.sub)
multiply = _whole(operator.mul)
divide = operator.truediv
equal = _whole(operator.eq)
not_equal = _whole(operator.ne)
less = _whole(operator.lt)
less_equal = _whole(operator.le)
greater = _whole(operator.gt)
greater_equal = _whole(operator.ge)


def logical_and(x1, x2, /):
    return where(x1, x2, x1)


def logical_or(x1, x2, /):
    return where(x1, x1, x2)


def logical_not(x, /):
    return ~x


def _by_numpy(function):
    """A function that `mx.np` lacks or has for some tensors only, and that has no gradient."""

    def of_numbers(*operands):
        return from_host(numpy.asarray(function(*map(_with_arrays, operands))))

    return functools.partial(on_host, of_numbers)


def _exact(function, on_host):
    """A function that `mx.np` has, but computes in floats for integers, which are then rounded."""
    of_integers = _by_numpy(on_host)

    def exact(*operands):
        x = operands[0] if isinstance(operands[0], np.ndarray) else operands[-1]
        return function(*operands) if x.dtype in _FLOATS else of_integers(*operands)

    return exact


abs = _exact(np.abs, numpy.abs)
_maximum = _exact(np.maximum, numpy.maximum)
_minimum = _exact(np.minimum, numpy.minimum)
square = _exact(np.square, numpy.square)
modulo = _exact(operator.mod, numpy.remainder)
integer_quotient = _by_numpy(numpy.floor_divide)
bitwise_and = _by_numpy(numpy.bitwise_and)
bitwise_or = _by_numpy(numpy.bitwise_or)
bitwise_xor = _by_numpy(numpy.bitwise_xor)
bitwise_left_shift = _by_numpy(numpy.left_shift)
bitwise_right_shift = _by_numpy(numpy.right_shift)
nextafter = _by_numpy(numpy.nextafter)
signbit = _by_numpy(numpy.signbit)


def _power(x1, x2):
    if isinstance(x2, (int, float)) and x2 == 0:
        return np.ones(x1.shape, x1.dtype)
    return x1**x2


pow = _exact(_power, numpy.power)


def round(x, /):
    return np.copysign(np.around(x), x)


def clip(x, /, min=None, max=None):
    if min is not None:
        x = _maximum(x, min)
    return x if max is None else _minimum(x, max)


def _halved(function):
    """Of two equal operands MXNet gives the first the whole gradient."""

    def either(x1, x2, /):
        found = function(x1, x2)
        if found.dtype not in _FLOATS or not is_recording():
            return found
        return where(x1 == x2, 0.5 * x1 + 0.5 * x2, found)

    return either


maximum = _halved(_maximum)
minimum = _halved(_minimum)


def where(condition, x1, x2, /):
    if 0 in (*condition.shape, *x1.shape, *x2.shape):
        return np.zeros(numpy.broadcast_shapes(condition.shape, x1.shape, x2.shape), x1.dtype)
    return np.where(condition, x1, x2)


# reductions, sorting, searching


def sum(x, /, *, axis=None, keepdims=False):
    if x.ndim and (x.dtype is float32 or x.dtype is float64):
        return _float_sum(x, axis, keepdims)
    if 0 in x.shape:
        return np.zeros(_reduced_shape(x, axis, keepdims), x.dtype)
    return np.sum(x, axis, keepdims=keepdims)


def _float_sum(x, axis, keepdims):
    """Sum as a product with ones: `mx.np.sum` takes six times as long and makes NaN of infinities."""
    shape = _reduced_shape(x, axis, keepdims)
    if 0 in x.shape:
        return np.zeros(shape, x.dtype)
    rank = x.ndim
    if axis is None or (rank == 1 and axis != ()):
        flat = x if rank == 1 else np.reshape(x, -1)
        total = np.dot(flat, ones_of(flat.shape[0], x.dtype))
        return np.reshape(total, shape) if keepdims else total
    axes = sorted(positions(axis, x.ndim))
    last = [a for a in axes if set(axes).issuperset(range(a, rank))]
    if last and len(last) < len(axes) and axes != list(range(len(axes))):  # the ends apart: no transposition
        return _float_sum(_float_sum(x, tuple(last), keepdims), tuple(a for a in axes if a not in last), keepdims)
    count = len(axes)
    if axes == list(range(count)):
        matrix = x if rank == 2 and count == 1 else np.reshape(x, (math.prod(x.shape[:count]), -1))
        totals = np.dot(ones_of(matrix.shape[0], x.dtype), matrix)
    else:
        if axes != list(range(rank - count, rank)):
            x = permute_dims(x, [a for a in range(rank) if a not in axes] + axes)
        matrix = x if rank == 2 else np.reshape(x, (-1, math.prod(x.shape[rank - count :])))
        totals = np.dot(matrix, ones_of(matrix.shape[1], x.dtype))
    return totals if totals.shape == shape else np.reshape(totals, shape)


@functools.lru_cache(maxsize=128)
def ones_of(length, dtype):
    """A vector of ones, to add up by products."""
    return from_host(numpy.ones(length, dtype))


def _reduced_shape(x, axis, keepdims):
    axes = positions(axis, x.ndim)
    return tuple(1 if a in axes else n for a, n in enumerate(x.shape) if keepdims or a not in axes)


def mean(x, /, *, axis=None, keepdims=False):
    return sum(x, axis=axis, keepdims=keepdims) / _length(x, axis)


def _length(x, axis):
    """How many elements are reduced to one."""
    return math.prod(x.shape[a] for a in positions(axis, x.ndim))


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    deviations = np.square(x - mean(x, axis=axis, keepdims=True))
    return sum(deviations, axis=axis, keepdims=keepdims) / (_length(x, axis) - correction)


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    return np.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def prod(x, /, *, axis=None, keepdims=False):
    """By pairs: the gradient of `mx.np.prod` divides by the elements, some of which may be zero."""
    shape = _reduced_shape(x, axis, keepdims)
    axes = positions(axis, x.ndim)
    x = permute_dims(x, [*axes, *(a for a in range(x.ndim) if a not in axes)]) if axes else x
    x = np.reshape(x, (_length(x, tuple(range(len(axes)))), *x.shape[len(axes) :]))
    while x.shape[0] > 1:
        half = x.shape[0] // 2
        pairs = x[:half] * x[half : 2 * half]
        x = pairs if x.shape[0] == 2 * half else np.concatenate([pairs, x[2 * half :]])
    return np.reshape(x, shape) if x.shape[0] else np.ones(shape, x.dtype)


def _extreme(function, x, /, *, axis=None, keepdims=False):
    """`mx.np` has no gradient for a tensor without elements even where no axis reduced is of length zero."""
    if 0 in x.shape and 0 in _reduced_shape(x, axis, keepdims):
        return np.zeros(_reduced_shape(x, axis, keepdims), x.dtype)
    found = function(x, axis, keepdims=keepdims)
    if x.dtype not in _FLOATS or not is_recording():
        return found
    # MXNet gives each of equal extremes the whole gradient: what is too much goes back through a zero.
    largest = x == function(x, axis, keepdims=True).detach()
    surplus = 1.0 - 1.0 / sum(astype(largest, x.dtype), axis=axis, keepdims=True)
    equals = np.where(logical_and(largest, isfinite(x)), x, np.zeros_like(x))
    return found - sum(surplus * (equals - equals.detach()), axis=axis, keepdims=keepdims)


max = functools.partial(_extreme, np.max)
min = functools.partial(_extreme, np.min)


def all(x, /, *, axis=None, keepdims=False):
    return sum(astype(x == 0, int64), axis=axis, keepdims=keepdims) == 0


def any(x, /, *, axis=None, keepdims=False):
    return sum(astype(x != 0, int64), axis=axis, keepdims=keepdims) > 0


_argmax = _by_numpy(lambda x, axis, keepdims: numpy.argmax(x, axis, keepdims=keepdims))
_argmin = _by_numpy(lambda x, axis, keepdims: numpy.argmin(x, axis, keepdims=keepdims))


def argmax(x, /, *, axis=None, keepdims=False):
    return _argmax(x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    return _argmin(x, axis, keepdims)


def cumulative_sum(x, /, *, axis):
    return np.cumsum(x, axis)


def sort(x, /, *, axis=-1, descending=False):
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)


def argsort(x, /, *, axis=-1, descending=False):
    return _argsort(x, axis, descending)


@_by_numpy
def _argsort(values, axis, descending):
    if not descending:
        return numpy.argsort(values, axis, kind="stable")
    order = numpy.argsort(numpy.flip(values, axis), axis, kind="stable")
    return numpy.ascontiguousarray(numpy.flip(values.shape[axis] - 1 - order, axis))


def take(x, indices, /, *, axis=None):
    return np.take(x, indices, chosen(axis, x.ndim), mode="wrap")


@_moves_bytes
def take_along_axis(x, indices, /, *, axis=-1):
    axis = position(axis, x.ndim)
    if indices.shape[axis] == 1:
        return npx.pick(x, indices, axis=axis, keepdims=True, mode="wrap")
    return np.reshape(np.take(np.reshape(x, -1), _positions(x, indices, axis)), indices.shape)


def _positions(x, indices, axis):
    """Where in the flattened x the elements of `take_along_axis` are."""
    steps = [math.prod(x.shape[a + 1 :]) for a in range(x.ndim)]
    chosen = astype(indices, int64) % x.shape[axis] * steps[axis]
    grid = numpy.zeros((1,) * x.ndim, int64)
    for a, step in enumerate(steps):
        if a != axis:
            grid = grid + (numpy.arange(x.shape[a]) * step).reshape([-1 if a == b else 1 for b in range(x.ndim)])
    return chosen + from_host(grid)


def index_add(x, indices, values, /, *, axis=0):
    """By the gradient of `gather_nd`, which adds up, since the forward functions of MXNet overwrite."""
    axis = position(axis, x.ndim)
    order = (axis, *(a for a in range(x.ndim) if a != axis))
    rows, places = permute_dims(values, order).as_nd_ndarray(), np.reshape(indices, (1, -1)).as_nd_ndarray()
    total = mx.nd._internal._backward_gather_nd(rows, places, shape=tuple(x.shape[a] for a in order))
    return x + permute_dims(total.as_np_ndarray(), [order.index(a) for a in range(x.ndim)])


# linear algebra


def matmul(x1, x2, /):
    if x1.dtype not in _FLOATS:
        return _by_numpy(numpy.matmul)(x1, x2)
    if x1.ndim < 3 or x2.ndim < 3:
        return np.matmul(x1, x2)
    batch = x1.shape[:-2]
    if batch != x2.shape[:-2]:
        batch = numpy.broadcast_shapes(batch, x2.shape[:-2])
        x1 = np.broadcast_to(x1, batch + x1.shape[-2:])
        x2 = np.broadcast_to(x2, batch + x2.shape[-2:])
    if 0 in (*x1.shape, *x2.shape) or x1.shape[-1] != x2.shape[-2]:
        return np.matmul(x1, x2)
    stacks = (np.reshape(x, (-1, *x.shape[-2:])).as_nd_ndarray() for x in (x1, x2))
    products = mx.nd.batch_dot(*stacks).as_np_ndarray()  # its backward pass takes half the time
    return np.reshape(products, (*batch, x1.shape[-2], x2.shape[-1]))


def einsum(subscripts, /, *operands):
    return np.einsum(subscripts, *operands)


def tensordot(x1, x2, /, *, axes=2):
    if x1.dtype not in _FLOATS:
        return _by_numpy(numpy.tensordot)(x1, x2, axes)
    return np.tensordot(x1, x2, axes)
