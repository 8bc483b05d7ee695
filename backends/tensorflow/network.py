"""Network primitives on TensorFlow: channels last inside, as its CPU kernels want them (`layouts`)."""

import functools
import math

from d2l_backends.tensorflow.arrays import default_float, pad, reshape
from d2l_backends.tensorflow_runtime.importing import tf
from d2l_backends.tensorflow_runtime.layouts import channels_first, channels_last, filters_last

from d2l_core import composites
from d2l_core.backend import current

_raw = tf.raw_ops

# ---------------------------------------------------------------- convolution and pooling


def _each(value, rank, missing=1):
    """A setting for each spatial axis; signals are images one pixel high, for which the first one is `missing`."""
    return (*(missing,) * (2 - rank), *((value,) * rank if isinstance(value, int) else value))


def _images(x):
    """Batches of signals (N, C, L) as images one pixel high (N, C, 1, L)."""
    return x if len(x.shape) > 3 else _raw.ExpandDims(input=x, axis=2)


def _channels_first(x, rank):
    x = channels_first(x)
    return _raw.Squeeze(input=x, axis=[2]) if rank == 1 else x


def _convolve(images, kernel, stride, padding):
    """Two or three axes, channels last.

    The padding is never explicit, which would make the gradient of the images slow: 390 ms instead of 5 for 64 images
    of one pixel with 512 channels.
    """
    halves = [(size - 1) / 2 for size in kernel.shape[: len(stride)]]
    same = any(padding) and set(stride) == {1} and list(padding) == halves
    images = pad(images, [(p, p) for p in (0, *padding, 0)]) if any(padding) and not same else images
    operation = _raw.Conv2D if len(stride) == 2 else _raw.Conv3D
    how = {"strides": [1, *stride, 1], "padding": "SAME" if same else "VALID"}
    return operation(input=images, filter=kernel, **how)


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    rank = len(weight.shape) - 2
    kernel, images = _images(weight), channels_last(_images(x))
    kernel = _dilated(filters_last(kernel), _each(dilation, rank))
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
    frame = [(side, side) for side in _each(padding, rank, 0)]
    window = _each(window, rank)
    stride = window if stride is None else _each(stride, rank)
    if rank < 3:
        images = channels_last(_images(x))
        images = pad(images, [(0, 0), *frame, (0, 0)], value=value) if any(map(any, frame)) else images
        return _channels_first(_pool_images(operation, images, window, stride), rank)
    x = pad(x, [(0, 0), (0, 0), *frame], value=value) if any(map(any, frame)) else x
    # Pooling of volumes has no float64: first the last two axes, each slice an image, then the first.
    n, channels, deep, *spatial = x.shape
    slices = channels_last(reshape(x, (n, channels * deep, *spatial)))
    slices = _channels_first(_pool_images(operation, slices, window[1:], stride[1:]), 2)
    columns = channels_last(reshape(slices, (n, channels, deep, math.prod(slices.shape[2:]))))
    pooled = _channels_first(_pool_images(operation, columns, (window[0], 1), (stride[0], 1)), 2)
    return reshape(pooled, (*pooled.shape[:3], *slices.shape[2:]))


def _pool_images(operation, images, window, stride):
    return operation(images, ksize=[1, *window, 1], strides=[1, *stride, 1], padding="VALID")


def max_pool(x, window, /, *, stride=None, padding=0):
    return _pool(lambda images, **how: _raw.MaxPool(input=images, **how), x, window, stride, padding, -math.inf)


def avg_pool(x, window, /, *, stride=None, padding=0):
    return _pool(lambda images, **how: _raw.AvgPool(value=images, **how), x, window, stride, padding, 0.0)


# ---------------------------------------------------------------- normalisation


# The fused kernel of batch normalisation adds up one element after the other: for 16,384 a channel the variance is 2e-6
# off, for LeNet's 100,352 it is 8e-6, and training leaves the budget of the comparison.
LONGEST_SUM = 2**14


def batch_norm_train(x, weight, bias, eps, /):
    rank, count = len(x.shape) - 2, math.prod(x.shape) // max(x.shape[1], 1)
    if x.dtype is not tf.float32 or not 1 <= rank <= 2 or not 1 < count <= LONGEST_SUM:
        return composites.batch_norm_train.__wrapped__(x, weight, bias, eps)
    operands = {"x": channels_last(_images(x)), "scale": weight, "offset": bias, "mean": [], "variance": []}
    # its variance is divided by one less than ours
    y, mean, var, *_ = _raw.FusedBatchNormV3(**operands, epsilon=eps, is_training=True)
    return _channels_first(y, rank), tf.stop_gradient(mean), tf.stop_gradient(var * ((count - 1) / count))


# ---------------------------------------------------------------- random bits


def random_uniform(key, counter, shape, /):
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
    return tf.nn.log_softmax(x, axis)


def one_hot(indices, num_classes, /):
    return tf.one_hot(indices, num_classes, dtype=default_float())


# ---------------------------------------------------------------- optimisation


def adam(parameters, gradients, firsts, seconds, progress, lr, beta1, beta2, eps, /):
    """Vectors of a model, its biases and scales, are one long one: for those an operation costs more than its work."""
    columns = [list(column) for column in (parameters, gradients, firsts, seconds)]
    settings, places = (progress, lr, beta1, beta2, eps), [i for i, p in enumerate(parameters) if len(p.shape) == 1]
    step = composites.adam.__wrapped__
    if len(places) < 2 or len({*map(len, columns)}) > 1:
        return step(*columns, *settings)
    lengths = [parameters[i].shape[0] for i in places]
    others = [[x for x in column if len(x.shape) != 1] for column in columns]
    joined = [tf.concat([column[i] for i in places], 0) for column in columns]
    after = step(*[[*column, vector] for column, vector in zip(others, joined, strict=True)], *settings)
    return tuple(_put_back(column, places, tf.split(column[-1], lengths)) for column in after)


def _put_back(column, places, vectors):
    """The tensors of a column, the last one parted into those that belong at some places."""
    parted, rest = dict(zip(places, vectors, strict=True)), iter(column)
    return tuple(parted[i] if i in parted else next(rest) for i in range(len(column) - 1 + len(places)))
