"""Network primitives on TensorFlow: channels last inside, as its CPU kernels want them.

In a compiled function the transposes of neighbouring layers cancel out.
"""

import functools
import math

from d2l_backends.tensorflow._framework import tf
from d2l_backends.tensorflow.arrays import default_float, pad, reshape, vector

from d2l_core.backend import current

_raw = tf.raw_ops

# ---------------------------------------------------------------- convolution and pooling


def _pair(value, rank):
    """A setting of one or two spatial axes for two: a missing first one is 1."""
    return (*(1,) * (2 - rank), *((value,) * rank if isinstance(value, int) else value))


def _images(x):
    """Batches of signals (N, C, L) as images one pixel high (N, C, 1, L)."""
    return x if len(x.shape) == 4 else _raw.ExpandDims(input=x, axis=2)


def _channels_last(x):
    return _raw.Transpose(x=x, perm=vector((0, 2, 3, 1)))


def _channels_first(x, rank):
    x = _raw.Transpose(x=x, perm=vector((0, 3, 1, 2)))
    return x if rank == 2 else _raw.Squeeze(input=x, axis=[2])


def _frame(padding, rank):
    """Padding of the spatial axes as TensorFlow lists it for all axes, channels last."""
    high, wide = (0, padding) if rank == 1 and isinstance(padding, int) else _pair(padding, rank)
    return [0, 0, high if rank == 2 else 0, high if rank == 2 else 0, wide, wide, 0, 0]


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation; see the contract."""
    if x.shape[1] != weight.shape[1] * groups:  # TensorFlow would guess the number of groups
        raise ValueError(
            f"conv has {x.shape[1]} input channels, but {groups} groups of {weight.shape[1]} in the weight."
        )
    rank = len(weight.shape) - 2
    kernel = _dilated(_raw.Transpose(x=_images(weight), perm=vector((2, 3, 1, 0))), _pair(dilation, rank))
    how = {
        "strides": [1, *_pair(stride, rank), 1],
        "padding": "EXPLICIT",
        "explicit_paddings": _frame(padding, rank),
    }
    images = _channels_last(_images(x))
    if groups == 1:
        y = _raw.Conv2D(input=images, filter=kernel, **how)
    else:
        # The gradient of a convolution in groups is missing on the CPU.
        parts = zip(tf.split(images, groups, 3), tf.split(kernel, groups, 3), strict=True)
        y = tf.concat([_raw.Conv2D(input=part, filter=k, **how) for part, k in parts], 3)
    if 0 in tuple(y.shape)[1:3]:
        raise ValueError(f"conv has a window {weight.shape[2:]} that does not fit into {x.shape[2:]}.")
    return _channels_first(y if bias is None else _raw.BiasAdd(value=y, bias=bias), rank)


def _dilated(kernel, dilation):
    """A kernel (height, width, in, out) with zeros between its rows and columns.

    The gradient of a convolution with dilation is missing on the CPU.
    """
    if dilation == (1, 1):
        return kernel
    (high, wide, *channels), (down, right) = kernel.shape, dilation
    none = (0, 0)
    spread = reshape(kernel, (high, 1, wide, 1, *channels))
    grid = pad(spread, [none, (0, down - 1), none, (0, right - 1), none, none])
    full = reshape(grid, (high * down, wide * right, *channels))
    return full[: (high - 1) * down + 1, : (wide - 1) * right + 1]


def _pool(operation, x, window, stride, padding, value):
    rank = len(x.shape) - 2
    sides = (padding,) * rank if isinstance(padding, int) else tuple(padding)
    if sides != (0,) * rank:
        x = pad(x, [(0, 0), (0, 0), *((side, side) for side in sides)], value=value)
    y = operation(
        _channels_last(_images(x)),
        ksize=[1, *_pair(window, rank), 1],
        strides=[1, *_pair(window if stride is None else stride, rank), 1],
        padding="VALID",
    )
    return _channels_first(y, rank)


def max_pool(x, window, /, *, stride=None, padding=0):
    """Largest element of each window."""
    return _pool(lambda images, **how: _raw.MaxPool(input=images, **how), x, window, stride, padding, -math.inf)


def avg_pool(x, window, /, *, stride=None, padding=0):
    """Mean of each window, the zeros of the padding included."""
    return _pool(lambda images, **how: _raw.AvgPool(value=images, **how), x, window, stride, padding, 0.0)


# ---------------------------------------------------------------- random bits


def random_uniform(key, counter, shape, /):
    """Uniform floats in [0, 1), the same bits on every backend."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    context = current()
    draw = _uniform(shape, default_float(), context.device == "cpu")
    low, high = tf.constant(key & 0xFFFFFFFF, tf.uint32), tf.constant(key >> 32, tf.uint32)
    counter = _raw.Cast(x=counter, DstT=tf.uint32) if tf.is_tensor(counter) else tf.constant(counter, tf.uint32)
    return draw(low, high, counter)


@functools.lru_cache(256)
def _uniform(shape, dtype, fused):
    """The generator for one shape; by XLA on the CPU, where its twenty passes over the data become one."""

    def draw(low, high, counter):
        s = _mix(low ^ _mix(counter))
        t = _mix(high ^ s)
        positions = tf.bitcast(tf.range(math.prod(shape), dtype=tf.int32), tf.uint32)
        bits = _mix(_mix(positions + s) ^ t)
        small = tf.bitcast(_raw.RightShift(x=bits, y=tf.constant(8, tf.uint32)), tf.int32)
        return tf.reshape(tf.cast(small, dtype) * tf.constant(2.0**-24, dtype), shape)

    with tf.init_scope():
        compiled = tf.function(draw, autograph=False, jit_compile=fused)
        return compiled.get_concrete_function(*[tf.TensorSpec((), tf.uint32)] * 3)


def _mix(x):
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ _raw.RightShift(x=x, y=tf.constant(shift, tf.uint32))) * tf.constant(factor, tf.uint32)
    return x ^ _raw.RightShift(x=x, y=tf.constant(16, tf.uint32))


# ---------------------------------------------------------------- composites with a faster native form

relu = tf.nn.relu
sigmoid = tf.sigmoid


def linear(x, weight, bias=None, /):
    """x (..., in) times weight (out, in) transposed, plus bias: one fused kernel in a compiled function."""
    shape = x.shape
    rows = x if len(shape) == 2 else reshape(x, (-1, shape[-1]))
    y = _raw.MatMul(a=rows, b=weight, transpose_b=True)
    if bias is not None:
        y = _raw.BiasAdd(value=y, bias=bias)
    return y if len(shape) == 2 else reshape(y, (*shape[:-1], weight.shape[0]))


def softmax(x, /, *, axis=-1):
    """exp(x) divided by its sum along an axis; TensorFlow's own loses a NaN among float32 unless x is shifted."""
    largest = tf.stop_gradient(_raw.Max(input=x, axis=axis, keep_dims=True))
    return tf.nn.softmax(_raw.Sub(x=x, y=largest), axis)


def log_softmax(x, /, *, axis=-1):
    """Logarithm of `softmax`."""
    return tf.nn.log_softmax(x, axis)


def one_hot(indices, num_classes, /):
    """Integers to rows of the identity."""
    return tf.one_hot(indices, num_classes, dtype=default_float())
