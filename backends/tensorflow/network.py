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


# From so many weights a pixel of the result on, the gradient of the images is a convolution of ours. On 64 images
# TensorFlow's takes 1,200 ms for 512 to 512 channels on one pixel, ours 25; 33 and 8 for 128 to 128 on 4 x 4; but 7 and
# 20 for 64 to 128 from 8 x 8 to 4 x 4.
WEIGHTS_A_PIXEL = 5000


def _each(value, rank, missing=1):
    """A setting for each spatial axis; signals are images one pixel high, for which the first one is `missing`."""
    return (*(missing,) * (2 - rank), *((value,) * rank if isinstance(value, int) else value))


def _images(x):
    """Batches of signals (N, C, L) as images one pixel high (N, C, 1, L)."""
    return x if len(x.shape) > 3 else _raw.ExpandDims(input=x, axis=2)


def _channels_last(x):
    return _raw.Transpose(x=x, perm=vector((0, *range(2, len(x.shape)), 1)))


def _channels_first(x, rank):
    last = len(x.shape) - 1
    x = _raw.Transpose(x=x, perm=vector((0, last, *range(1, last))))
    return _raw.Squeeze(input=x, axis=[2]) if rank == 1 else x


def _convolve(images, kernel, stride, padding):
    """Two or three axes, channels last."""
    if len(stride) == 3:
        if any(padding):
            images = pad(images, [(p, p) for p in (0, *padding, 0)])
        return _raw.Conv3D(input=images, filter=kernel, strides=[1, *stride, 1], padding="VALID")
    how = _how(stride, [(p, p) for p in padding])
    y = _raw.Conv2D(input=images, filter=kernel, **how)
    edges = [size - 1 - p for size, p in zip(kernel.shape, padding, strict=False)]
    if math.prod(kernel.shape) < WEIGHTS_A_PIXEL * math.prod(y.shape[1:3]) or min(edges) < 0:
        return y

    @tf.custom_gradient
    def convolution(images, kernel):
        def backward(g):
            apart = _dilated(g, (1, *stride))
            ends = [n + p - m for n, p, m in zip(images.shape[1:3], padding, apart.shape[1:3], strict=True)]
            turned = _raw.Transpose(x=tf.reverse(kernel, [0, 1]), perm=vector((0, 1, 3, 2)))
            of_images = _raw.Conv2D(input=apart, filter=turned, **_how((1, 1), zip(edges, ends, strict=True)))
            return of_images, _raw.Conv2DBackpropFilter(input=images, filter_sizes=kernel.shape, out_backprop=g, **how)

        return _raw.Conv2D(input=images, filter=kernel, **how), backward

    return convolution(images, kernel)


def _how(stride, sides):
    explicit = [side for pair in ((0, 0), *sides, (0, 0)) for side in pair]
    return {"strides": [1, *stride, 1], "padding": "EXPLICIT", "explicit_paddings": explicit}


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation; see the contract."""
    rank = len(weight.shape) - 2
    kernel, images = _images(weight), _channels_last(_images(x))
    order = (*range(2, len(kernel.shape)), 1, 0)
    kernel = _dilated(_raw.Transpose(x=kernel, perm=vector(order)), _each(dilation, rank))
    how = _each(stride, rank), _each(padding, rank, 0)
    if groups == 1:
        y = _convolve(images, kernel, *how)
    else:
        # The gradient of a convolution in groups is missing on the CPU.
        parts = zip(tf.split(images, groups, -1), tf.split(kernel, groups, -1), strict=True)
        y = tf.concat([_convolve(part, k, *how) for part, k in parts], -1)
    return _channels_first(y if bias is None else _raw.BiasAdd(value=y, bias=bias), rank)


def _dilated(kernel, dilation):
    """A kernel (*window, in, out), or images, with zeros between the elements of its first axes.

    The gradient of a convolution with dilation is missing on the CPU.
    """
    for axis, step in enumerate(dilation):
        if step > 1:
            *before, size = kernel.shape[: axis + 1]
            after = kernel.shape[axis + 1 :]
            apart = pad(reshape(kernel, (*before, size, 1, -1)), [(0, 0)] * (axis + 1) + [(0, step - 1), (0, 0)])
            full = reshape(apart, (*before, size * step, *after))
            kernel = full[(*(slice(None),) * axis, slice((size - 1) * step + 1))]
    return kernel


def _pool(operation, x, window, stride, padding, value):
    rank = len(x.shape) - 2
    sides = (padding,) * rank if isinstance(padding, int) else tuple(padding)
    if sides != (0,) * rank:
        x = pad(x, [(0, 0), (0, 0), *((side, side) for side in sides)], value=value)
    window = _each(window, rank)
    stride = window if stride is None else _each(stride, rank)
    if rank < 3:
        return _channels_first(_pool_images(operation, _channels_last(_images(x)), window, stride), rank)
    # Pooling of volumes has no float64: first the last two axes, each slice an image, then the first.
    n, channels, deep, *spatial = x.shape
    slices = _channels_last(reshape(x, (n, channels * deep, *spatial)))
    slices = _channels_first(_pool_images(operation, slices, window[1:], stride[1:]), 2)
    columns = _channels_last(reshape(slices, (n, channels, deep, math.prod(slices.shape[2:]))))
    pooled = _channels_first(_pool_images(operation, columns, (window[0], 1), (stride[0], 1)), 2)
    return reshape(pooled, (*pooled.shape[:3], *slices.shape[2:]))


def _pool_images(operation, images, window, stride):
    return operation(images, ksize=[1, *window, 1], strides=[1, *stride, 1], padding="VALID")


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
