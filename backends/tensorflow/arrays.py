"""The array vocabulary on TensorFlow; what a function means stands in the contract.

Most functions call `tf.raw_ops`: the public wrappers cost two to four times as much per eager call.
"""

import math

import numpy as np
from d2l_backends.tensorflow_runtime import layouts
from d2l_backends.tensorflow_runtime.importing import tf
from d2l_backends.tensorflow_runtime.operands import vector
from tensorflow.python.eager import record

from d2l_core.axes import chosen, position
from d2l_core.backend import current

_raw = tf.raw_ops

TENSOR_TYPES = (tf.__internal__.EagerTensor,)

bool = tf.bool
uint8 = tf.uint8
int32 = tf.int32
int64 = tf.int64
bfloat16 = tf.bfloat16
float32 = tf.float32
float64 = tf.float64

_FLOATS = (tf.bfloat16, tf.float32, tf.float64)
_REFUSED = (tf.errors.InvalidArgumentError, TypeError, ValueError)


def default_float():
    return float64 if current().precision == 64 else float32


def _axes(x, axis):
    """The axes of a reduction: an integer as it is, since TensorFlow takes it fastest."""
    if axis is None:
        return vector(range(len(x.shape)))
    return axis if isinstance(axis, int) else vector(axis)


def _kind(*values):
    for kind, dtype in ((float, default_float()), (int, int64)):
        if True in [type(value) is kind for value in values]:
            return dtype
    return tf.bool


# ---------------------------------------------------------------- creation


def asarray(obj, /, *, dtype=None):
    if tf.is_tensor(obj):
        return obj if dtype is None else astype(obj, dtype)
    array = obj if isinstance(obj, np.ndarray) else _array(obj)
    if not isinstance(array, np.ndarray):
        return array if dtype is None else astype(array, dtype)
    if dtype is None and array.dtype == np.float64:
        dtype = default_float()
    # NumPy converts between any two kinds; TensorFlow refuses floats for integers.
    return tf.constant(array if dtype is None else array.astype(dtype.as_numpy_dtype, copy=False))


def _array(obj):
    leaf = obj
    while isinstance(leaf, (list, tuple)) and leaf:
        leaf = leaf[0]
    return tf.stack(list(obj)) if tf.is_tensor(leaf) else np.asarray(obj)


def _shape(shape):
    return (shape,) if isinstance(shape, int) else tuple(shape)


def full(shape, fill_value, *, dtype=None):
    dtype = dtype or _kind(fill_value)
    return _raw.Fill(dims=vector(_shape(shape)), value=tf.constant(dtype.as_numpy_dtype(fill_value)))


def zeros(shape, *, dtype=None):
    return full(shape, 0, dtype=dtype or default_float())


def ones(shape, *, dtype=None):
    return full(shape, 1, dtype=dtype or default_float())


def arange(start, /, stop=None, step=1, *, dtype=None):
    """Evenly spaced values, by NumPy: TensorFlow's own add up the rounding errors of the step."""
    if stop is None:
        start, stop = 0, start
    dtype = dtype or _kind(start, stop, step)
    return tf.constant(np.arange(start, stop, step).astype(dtype.as_numpy_dtype))


def linspace(start, stop, /, num, *, dtype=None, endpoint=True):
    values = np.linspace(start, stop, num, endpoint=endpoint)
    return tf.constant(values.astype((dtype or default_float()).as_numpy_dtype))


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None):
    return tf.constant(np.eye(n_rows, n_cols, k, (dtype or default_float()).as_numpy_dtype))


def zeros_like(x, /, *, dtype=None):
    return _raw.ZerosLike(x=x) if dtype is None else full(x.shape, 0, dtype=dtype)


def ones_like(x, /, *, dtype=None):
    return full(x.shape, 1, dtype=dtype or x.dtype)


def full_like(x, /, fill_value, *, dtype=None):
    return full(x.shape, fill_value, dtype=dtype or x.dtype)


# ---------------------------------------------------------------- dtypes and shapes


def astype(x, dtype, /):
    return x if x.dtype == dtype else _raw.Cast(x=x, DstT=dtype)


def reshape(x, /, shape):
    return _raw.Reshape(tensor=x, shape=vector(_shape(shape)))


def permute_dims(x, /, axes):
    return _raw.Transpose(x=x, perm=vector(axes))


def matrix_transpose(x, /):
    rank = len(x.shape)
    return _raw.Transpose(x=x, perm=vector((*range(rank - 2), rank - 1, rank - 2)))


def concat(arrays, /, *, axis=0):
    return tf.concat(list(arrays), axis)


def stack(arrays, /, *, axis=0):
    return _raw.Pack(values=list(arrays), axis=axis)


def expand_dims(x, /, *, axis=0):
    return _raw.ExpandDims(input=x, axis=axis)


def squeeze(x, /, axis):
    """Axes of length one removed; none if `axis` is empty, where TensorFlow would remove all."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    return _raw.Squeeze(input=x, axis=axes) if axes else x


def broadcast_to(x, /, shape):
    return _raw.BroadcastTo(input=x, shape=vector(shape))


def flip(x, /, *, axis=None):
    axes = range(len(x.shape)) if axis is None else _shape(axis)
    return _raw.ReverseV2(tensor=x, axis=vector(axes))


def repeat(x, repeats, /, *, axis=None):
    return tf.repeat(x, repeats, axis)


def tile(x, repetitions, /):
    extra = len(repetitions) - len(x.shape)
    if extra > 0:
        x = reshape(x, (*(1,) * extra, *x.shape))
    return _raw.Tile(input=x, multiples=vector((*(1,) * -extra, *repetitions)))


def roll(x, /, shift, *, axis):
    return _raw.Roll(input=x, shift=shift, axis=axis)


def pad(x, pad_width, /, *, value=0.0):
    return _raw.PadV2(input=x, paddings=list(map(list, pad_width)), constant_values=tf.constant(value, x.dtype))


# ---------------------------------------------------------------- elementwise


def _widened(function):
    """A function that TensorFlow lacks for uint8, computed in int32; what is too large wraps around all the same."""

    def of_uint8(*operands, **options):
        if uint8 not in [getattr(x, "dtype", None) for x in operands]:
            return function(*operands, **options)
        return astype(function(*[astype(x, int32) if tf.is_tensor(x) else x for x in operands], **options), uint8)

    return of_uint8


abs = _widened(tf.abs)
negative = _widened(tf.negative)
sign = _widened(tf.sign)
exp = tf.exp
expm1 = tf.math.expm1
log = tf.math.log
log1p = tf.math.log1p
sqrt = tf.sqrt
square = tf.square
sin = tf.sin
cos = tf.cos
tanh = tf.tanh
tan = tf.tan
asin = tf.asin
acos = tf.acos
atan = tf.atan
sinh = tf.sinh
cosh = tf.cosh
asinh = tf.asinh
acosh = tf.acosh
atanh = tf.atanh
logical_not = tf.logical_not
isnan = tf.math.is_nan
isfinite = tf.math.is_finite
round = tf.round


def erf(x, /):
    """Error function; beyond 9 it is 1 to the last bit."""
    return tf.math.erf(tf.clip_by_value(x, -9.0, 9.0) if x.dtype == tf.float64 else x)


def floor(x, /):
    return x if x.dtype.is_integer else _raw.Floor(x=x)


def ceil(x, /):
    return x if x.dtype.is_integer else _raw.Ceil(x=x)


def _binary(operation):
    """A function of two operands: TensorFlow's, and where that refuses a number, again with it as a tensor."""

    def function(x1, x2, /):
        try:
            return operation(x=x1, y=x2)
        except _REFUSED:
            if isinstance(x1, (int, float)) and tf.is_tensor(x2):
                return operation(x=tf.constant(x1, x2.dtype), y=x2)
            if isinstance(x2, (int, float)) and tf.is_tensor(x1):
                return operation(x=x1, y=tf.constant(x2, x1.dtype))
            raise

    return function


add = _binary(_raw.AddV2)
subtract = _binary(_raw.Sub)
multiply = _binary(_raw.Mul)
_divide = _binary(_raw.RealDiv)
pow = _widened(_binary(_raw.Pow))
_maximum = _binary(_raw.Maximum)
_minimum = _binary(_raw.Minimum)
equal = _binary(_raw.Equal)
not_equal = _binary(_raw.NotEqual)
less = _binary(_raw.Less)
less_equal = _binary(_raw.LessEqual)
greater = _binary(_raw.Greater)
greater_equal = _binary(_raw.GreaterEqual)
logical_and = _binary(_raw.LogicalAnd)
logical_or = _binary(_raw.LogicalOr)
modulo = _binary(_raw.FloorMod)
integer_quotient = _binary(_raw.FloorDiv)
atan2 = _binary(lambda x, y: _raw.Atan2(y=x, x=y))
nextafter = _binary(lambda x, y: _raw.NextAfter(x1=x, x2=y))


def _shift(operation, keeps_sign):
    """A shift; of a number shifted by all its bits, where TensorFlow shifts by one less, only a sign is left."""

    def function(x1, x2, /):
        shifted = operation(x1, x2)
        if keeps_sign and shifted.dtype != uint8:
            return shifted
        inside = less(x2, 8 * shifted.dtype.size)
        return _raw.SelectV2(condition=inside, t=shifted, e=_raw.ZerosLike(x=shifted))

    return function


bitwise_left_shift = _shift(_binary(_raw.LeftShift), keeps_sign=False)
bitwise_right_shift = _shift(_binary(_raw.RightShift), keeps_sign=True)


def _bitwise(of_integers, of_booleans):
    """A bitwise function, which TensorFlow has for integers only."""

    def function(x1, x2, /):
        x = x1 if tf.is_tensor(x1) else x2
        return of_booleans(x1, x2) if x.dtype == tf.bool else of_integers(x1, x2)

    return function


bitwise_and = _bitwise(_binary(_raw.BitwiseAnd), logical_and)
bitwise_or = _bitwise(_binary(_raw.BitwiseOr), logical_or)
bitwise_xor = _bitwise(_binary(_raw.BitwiseXor), not_equal)


def bitwise_invert(x, /):
    return tf.logical_not(x) if x.dtype == tf.bool else _raw.Invert(x=x)


def signbit(x, /):
    return _raw.Bitcast(input=x, type=int32 if x.dtype == float32 else int64) < 0


def divide(x1, x2, /):
    """x1 / x2; the graph optimiser must not see a number, or it multiplies by its rounded reciprocal."""
    if isinstance(x2, (int, float)) and not tf.executing_eagerly():
        x2 = _raw.PlaceholderWithDefault(input=tf.constant(x2, x1.dtype), shape=())
    return _divide(x1, x2)


def clip(x, /, min=None, max=None):
    if min is not None:
        x = _maximum(x, min)
    return x if max is None else _minimum(x, max)


def _halved(function):
    """Of two equal operands TensorFlow gives the first the whole gradient."""

    def either(x1, x2, /):
        found = function(x1, x2)
        if found.dtype not in _FLOATS or not record.should_record_backprop([found]):
            return found
        return where(equal(x1, x2), 0.5 * x1 + 0.5 * x2, found)

    return either


maximum = _halved(_maximum)
minimum = _halved(_minimum)


def where(condition, x1, x2, /):
    return _raw.SelectV2(condition=condition, t=x1, e=x2)


# ---------------------------------------------------------------- reductions, sorting, searching


def _in_stages(reduce, x, axis, keepdims):
    """`reduce` over the last axes first and then over those before them.

    In one call TensorFlow adds up such a tensor one element after the other: for the channels of 128 images of 28 x 28
    float32 that is 25 times slower than two calls, and 15 times less accurate.
    """
    if isinstance(axis, int) or axis is None:
        return reduce(input=x, axis=_axes(x, axis), keep_dims=keepdims)
    rank = len(x.shape)
    axes = {a % rank for a in axis}
    last = [a for a in range(rank) if axes.issuperset(range(a, rank))]
    before = sorted(axes.difference(last))
    if last and before:
        x, axes = reduce(input=x, axis=vector(last), keep_dims=keepdims), before
    return reduce(input=x, axis=vector(sorted(axes)), keep_dims=keepdims)


def sum(x, /, *, axis=None, keepdims=False):
    return _in_stages(_raw.Sum, x, axis, keepdims)


def mean(x, /, *, axis=None, keepdims=False):
    return _in_stages(_raw.Mean, x, axis, keepdims)


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    centred = x - _in_stages(_raw.Mean, x, axis, True)
    squares = _raw.Square(x=centred)
    if not correction:
        return _in_stages(_raw.Mean, squares, axis, keepdims)
    lengths = x.shape if axis is None else [x.shape[a] for a in _shape(axis)]
    return _in_stages(_raw.Sum, squares, axis, keepdims) * (1.0 / (math.prod(lengths) - correction))


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    return tf.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def prod(x, /, *, axis=None, keepdims=False):
    return _raw.Prod(input=x, axis=_axes(x, axis), keep_dims=keepdims)


def max(x, /, *, axis=None, keepdims=False):
    return _raw.Max(input=x, axis=_axes(x, axis), keep_dims=keepdims)


def min(x, /, *, axis=None, keepdims=False):
    return _raw.Min(input=x, axis=_axes(x, axis), keep_dims=keepdims)


def all(x, /, *, axis=None, keepdims=False):
    return _raw.All(input=astype(x, tf.bool), axis=_axes(x, axis), keep_dims=keepdims)


def any(x, /, *, axis=None, keepdims=False):
    return _raw.Any(input=astype(x, tf.bool), axis=_axes(x, axis), keep_dims=keepdims)


def _arg(operation, x, axis, keepdims):
    if axis is None:
        index = operation(input=reshape(x, (-1,)), dimension=0)
        return reshape(index, (1,) * len(x.shape)) if keepdims else index
    index = operation(input=x, dimension=axis)
    return _raw.ExpandDims(input=index, axis=axis) if keepdims else index


def argmax(x, /, *, axis=None, keepdims=False):
    return _arg(_raw.ArgMax, x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    return _arg(_raw.ArgMin, x, axis, keepdims)


def cumulative_sum(x, /, *, axis):
    return _raw.Cumsum(x=x, axis=axis)


def argsort(x, /, *, axis=-1, descending=False):
    order = tf.argsort(x, axis, "DESCENDING" if descending else "ASCENDING", stable=True)
    return _raw.Cast(x=order, DstT=int64)


def sort(x, /, *, axis=-1, descending=False):
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)


def take(x, indices, /, *, axis=None):
    axis = chosen(axis, len(x.shape))
    return _raw.GatherV2(params=x, indices=_wrapped(indices, x.shape[axis]), axis=axis)


def _index(indices):
    return indices if indices.dtype in (int32, int64) else _raw.Cast(x=indices, DstT=int32)


def _wrapped(indices, length):
    """Negative indices, which the lookups refuse, counted from the front."""
    indices = _index(indices)
    return _raw.SelectV2(condition=less(indices, 0), t=add(indices, length), e=indices)


def take_along_axis(x, indices, /, *, axis=-1):
    rank = len(x.shape)
    axis = position(axis, rank)
    indices = _wrapped(indices, x.shape[axis])
    if axis == rank - 1:
        return tf.gather(x, indices, axis=axis, batch_dims=axis)
    order = (*range(axis), *range(axis + 1, rank), axis)
    picked = tf.gather(permute_dims(x, order), permute_dims(indices, order), axis=rank - 1, batch_dims=rank - 1)
    return permute_dims(picked, (*range(axis), rank - 1, *range(axis, rank - 1)))


def index_add(x, indices, values, /, *, axis=0):
    rank = len(x.shape)
    order = (axis % rank, *[a for a in range(rank) if a != axis % rank])
    back = tuple(order.index(a) for a in range(rank))
    rows = _raw.ExpandDims(input=_index(indices), axis=1)
    return permute_dims(tf.tensor_scatter_nd_add(permute_dims(x, order), rows, permute_dims(values, order)), back)


# ---------------------------------------------------------------- linear algebra


@_widened
def matmul(x1, x2, /):
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank2 == 2 and rank1 == 2:
        return _raw.MatMul(a=x1, b=x2)
    if rank1 == 1:
        return squeeze(matmul(_raw.ExpandDims(input=x1, axis=0), x2), -2 if rank2 > 1 else 0)
    if rank2 == 1:
        return squeeze(matmul(x1, _raw.ExpandDims(input=x2, axis=1)), -1)
    if rank2 == 2:
        count = -1 if x1.shape[-1] else math.prod(x1.shape[:-1])  # -1 is not found out from no elements
        rows = _raw.MatMul(a=reshape(x1, (count, x1.shape[-1])), b=x2)
        return reshape(rows, (*x1.shape[:-1], x2.shape[-1]))
    turned = layouts.matrices_turned(x2)
    return _raw.BatchMatMulV2(x=x1, y=x2 if turned is None else turned, adj_y=turned is not None)


@_widened
def tensordot(x1, x2, /, *, axes=2):
    return tf.tensordot(x1, x2, axes)


def einsum(subscripts, /, *operands):
    return tf.einsum(subscripts, *operands)
