"""Network primitives on NumPy: convolution and pooling as matrix products and strided views, no loop over pixels."""

import functools
import itertools
import math

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, defvjp_argnums, primitive
from autograd.tracer import isbox
from d2l_backends.numpy.arrays import default_float, mean, plain
from numpy.lib.stride_tricks import as_strided

from d2l_core import composites

# affine maps


def _rows(x):
    return np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


@primitive
def _products(x, weight):
    return numpy.matmul(_rows(x), weight.T).reshape(*x.shape[:-1], weight.shape[0])


defvjp(
    _products,
    lambda y, x, weight: lambda g: _products(g, np.transpose(weight)),
    lambda y, x, weight: lambda g: np.matmul(np.transpose(_rows(g)), _rows(x)),
)


def linear(x, weight, bias=None, /):
    y = _products(x, weight)
    return y if bias is None else y + bias


# convolution


def _pair(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _frame(x, padding, value=0.0):
    if not any(padding):
        return x
    return numpy.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], constant_values=value)


def _frame_shape(spatial, padding):
    return tuple(n + 2 * p for n, p in zip(spatial, padding, strict=True))


def _unframed(x, padding):
    return x[(slice(None), slice(None), *(slice(p, n - p) for p, n in zip(padding, x.shape[2:], strict=True)))]


def _regions(window, stride, out, dilation=(1, 1, 1)):
    """For each place in the window, the strided slice of the framed input that it visits."""
    for place in itertools.product(*map(range, window)):
        starts = (i * d for i, d in zip(place, dilation, strict=False))
        spans = (slice(i, i + s * (n - 1) + 1, s) for i, s, n in zip(starts, stride, out, strict=True))
        yield (slice(None), slice(None), *spans)


def _extents(spatial, window, stride, dilation):
    return tuple((n - d * (w - 1) - 1) // s + 1 for n, w, s, d in zip(spatial, window, stride, dilation, strict=True))


def _windows(x, window, stride, dilation):
    """View of a framed x (N, C, *spatial) as (N, C, *window, *out): every window without a copy."""
    rank = len(window)
    out = _extents(x.shape[2:], window, stride, dilation)
    steps = x.strides[2:]
    inner = tuple(steps[a] * dilation[a] for a in range(rank))
    outer = tuple(steps[a] * stride[a] for a in range(rank))
    return as_strided(x, (*x.shape[:2], *window, *out), (*x.strides[:2], *inner, *outer), writeable=False)


def _blocks(x, window, stride, padding, dilation, groups):
    """x as matrices (images, groups, C / groups * window, out), for as many images at a time as fit into the cache."""
    view = _windows(_frame(x, padding), window, stride, dilation)
    rows, columns = math.prod(view.shape[1 : 2 + len(window)]), math.prod(view.shape[2 + len(window) :])
    for images in _images(len(x), rows * columns):
        yield images, view[images].reshape(-1, groups, rows // groups, columns)


def _images(count, size):
    """Slices of `count` images with `size` numbers each: about a MiB of float32 at a time."""
    step = max(1, (1 << 18) // max(1, size))
    return (slice(first, first + step) for first in range(0, count, step))


@primitive
def _conv(x, weight, stride, padding, dilation, groups):
    out = _extents(_frame_shape(x.shape[2:], padding), weight.shape[2:], stride, dilation)
    y = numpy.empty((len(x), groups, weight.shape[0] // groups, math.prod(out)), numpy.result_type(x, weight))
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1)
    for images, columns in _blocks(x, weight.shape[2:], stride, padding, dilation, groups):
        numpy.matmul(kernels, columns, out=y[images])
    return y.reshape(len(x), weight.shape[0], *out)


@primitive
def _conv_weight_gradient(g, x, window, stride, padding, dilation, groups):
    rows = g.reshape(len(g), groups, g.shape[1] // groups, -1).swapaxes(2, 3)
    total = numpy.zeros((groups, x.shape[1] // groups * math.prod(window), rows.shape[3]), g.dtype)
    for images, columns in _blocks(x, window, stride, padding, dilation, groups):
        total += numpy.matmul(columns, rows[images]).sum(0)
    return total.swapaxes(1, 2).reshape(g.shape[1], x.shape[1] // groups, *window)


@primitive
def _conv_input_gradient(g, weight, shape, stride, padding, dilation, groups):
    window = weight.shape[2:]
    rows = g.reshape(len(g), groups, g.shape[1] // groups, -1)
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1).swapaxes(1, 2)
    total = numpy.zeros((*shape[:2], *_frame_shape(shape[2:], padding)), g.dtype)
    for images in _images(len(g), shape[1] * math.prod(window) * rows.shape[3]):
        columns = numpy.matmul(kernels, rows[images]).reshape(-1, shape[1], math.prod(window), *g.shape[2:])
        part = total[images]
        for place, region in enumerate(_regions(window, stride, g.shape[2:], dilation)):
            part[region] += columns[:, :, place]
    return _unframed(total, padding)


defvjp(
    _conv,
    lambda answer, x, weight, *how: lambda g: _conv_input_gradient(g, weight, x.shape, *how),
    lambda answer, x, weight, *how: lambda g: _conv_weight_gradient(g, x, weight.shape[2:], *how),
)
defvjp(
    _conv_weight_gradient,
    lambda answer, g, x, window, *how: lambda h: _conv(x, h, *how),
    lambda answer, g, x, window, *how: lambda h: _conv_input_gradient(g, h, x.shape, *how),
)
defvjp(
    _conv_input_gradient,
    lambda answer, g, weight, shape, *how: lambda h: _conv(h, weight, *how),
    lambda answer, g, weight, shape, *how: lambda h: _conv_weight_gradient(g, h, weight.shape[2:], *how),
)


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    rank = weight.ndim - 2
    y = _conv(x, weight, _pair(stride, rank), _pair(padding, rank), _pair(dilation, rank), groups)
    return y if bias is None else y + np.reshape(bias, (1, -1) + (1,) * rank)


# pooling


def _pool_setting(x, window, stride, padding):
    rank = x.ndim - 2
    window = _pair(window, rank)
    return window, window if stride is None else _pair(stride, rank), _pair(padding, rank)


def max_pool(x, window, /, *, stride=None, padding=0):
    window, stride, padding = _pool_setting(x, window, stride, padding)
    if any(padding):
        x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], "constant", constant_values=-np.inf)
    return _max_pool(x, window, stride)


@primitive
def _max_pool(x, window, stride):
    regions = _regions(window, stride, _extents(x.shape[2:], window, stride, (1,) * len(window)))
    y = x[next(regions)].copy()
    for region in regions:
        numpy.maximum(y, x[region], out=y)
    return y


def _winners(x, y, window, stride):
    """For each place in the window, its region of x, and where the first of the largest elements came from there."""
    free = numpy.ones(y.shape, numpy.bool_)
    for region in _regions(window, stride, y.shape[2:]):
        chosen = free & (x[region] == y)
        yield region, chosen
        free &= ~chosen


@primitive
def _max_pool_gradient(g, x, y, window, stride):
    total = numpy.zeros_like(x)
    for region, chosen in _winners(x, y, window, stride):
        total[region] += g * chosen
    return total


@primitive
def _max_pool_pick(h, x, y, window, stride):
    """The elements of h at the places from which `_max_pool` took its values: the transpose of its gradient."""
    picked = numpy.zeros_like(y)
    for region, chosen in _winners(x, y, window, stride):
        picked += h[region] * chosen
    return picked


defvjp(_max_pool, lambda y, x, *how: lambda g: _max_pool_gradient(g, x, y, *how), argnums=(0,))
defvjp(_max_pool_gradient, lambda answer, g, *how: lambda h: _max_pool_pick(h, *how), None, None)
defvjp(_max_pool_pick, lambda answer, h, *how: lambda g: _max_pool_gradient(g, *how), None, None)


def avg_pool(x, window, /, *, stride=None, padding=0):
    return _avg_pool(x, *_pool_setting(x, window, stride, padding))


@primitive
def _avg_pool(x, window, stride, padding):
    framed = _frame(x, padding)
    regions = _regions(window, stride, _extents(framed.shape[2:], window, stride, (1,) * len(window)))
    y = framed[next(regions)].copy()
    for region in regions:
        y += framed[region]
    y *= 1.0 / math.prod(window)
    return y


@primitive
def _avg_pool_gradient(g, shape, window, stride, padding):
    total = numpy.zeros((*shape[:2], *_frame_shape(shape[2:], padding)), g.dtype)
    share = g * (1.0 / math.prod(window))
    for region in _regions(window, stride, g.shape[2:]):
        total[region] += share
    return _unframed(total, padding)


defvjp(_avg_pool, lambda y, x, *how: lambda g: _avg_pool_gradient(g, x.shape, *how), argnums=(0,))
defvjp(_avg_pool_gradient, lambda answer, g, shape, *how: lambda h: _avg_pool(h, *how), argnums=(0,))


# normalisation


def _moments(x):
    """What averages over all but the channels, the means of x, x without them, and the variances."""
    average = functools.partial(mean, axis=(0, *range(2, x.ndim)), keepdims=True)
    means = average(x)
    centred = x - means
    return average, means, centred, average(centred * centred)


@primitive
def _batch_norm(x, weight, bias, moments, eps):
    _, _, centred, var = moments
    y = centred * (weight.reshape(var.shape) / numpy.sqrt(var + eps))
    y += bias.reshape(var.shape)
    return y


def _batch_norm_rule(argnums, answer, args, kwargs):
    x, weight, _, moments, eps = args

    def pullback(g):
        average, _, centred, var = _moments(x) if isbox(x) else moments  # differentiated twice, they depend on x
        level, along, scale = average(g), average(g * centred), 1.0 / np.sqrt(var + eps)
        towards_x = (g - level - centred * (along * scale * scale)) * (np.reshape(weight, var.shape) * scale)
        count = x.size // weight.size
        parts = towards_x, np.reshape(along * scale, weight.shape) * count, np.reshape(level, weight.shape) * count
        return [parts[argnum] for argnum in argnums]

    return pullback


defvjp_argnums(_batch_norm, _batch_norm_rule)


def batch_norm_train(x, weight, bias, eps, /):
    moments = _moments(plain(x))
    y = _batch_norm(x, weight, bias, moments, eps)
    return y, moments[1].reshape(weight.shape), moments[3].reshape(weight.shape)


# activations


@primitive
def sigmoid(x, /):
    return numpy.asarray(0.5 * (numpy.tanh(0.5 * x) + 1.0))


defvjp(sigmoid, lambda y, x: lambda g: g * (y * (1.0 - y)))


@primitive
def relu(x, /):
    return numpy.maximum(x, 0)


defvjp(relu, lambda y, x: lambda g: g * (y > 0))


# optimisation


def adam(parameters, gradients, firsts, seconds, progress, lr, beta1, beta2, eps, /):
    columns, settings = (parameters, gradients, firsts, seconds), (progress, lr, beta1, beta2, eps)
    rows = list(zip(*columns, strict=True))
    if not rows or any(map(isbox, (progress, lr))) or not all(map(_alike, rows)):
        return composites.adam.__wrapped__(*columns, *settings)
    out = [[numpy.empty_like(parameter) for parameter in parameters] for _ in range(3)]
    adam_into(out, columns, *settings)
    return tuple(map(tuple, out))


def _alike(arrays):
    """Whether arrays have one shape and dtype, and none is differentiated by."""
    first, *others = arrays
    kinds = all(x.shape == first.shape and x.dtype == first.dtype for x in others)
    return kinds and first.ndim > 0 and not any(map(isbox, arrays))


def adam_into(out, columns, progress, lr, beta1, beta2, eps):
    """Write new parameters and both moments into the arrays of three lists, with few passes through memory."""
    for after, m, v, parameter, gradient, first, second in zip(*out, *columns, strict=True):
        part = (1.0 - beta1) * gradient
        numpy.multiply(first, beta1, out=m)
        m += part
        numpy.multiply(gradient, gradient, out=part)
        part *= 1.0 - beta2
        numpy.multiply(second, beta2, out=v)
        v += part
        numpy.sqrt(numpy.divide(v, progress[1], out=part), out=part)
        part += eps
        numpy.multiply(m, lr / progress[0], out=after)
        after /= part
        numpy.subtract(parameter, after, out=after)


# random bits


def _mix(x):
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(0x7FEB352D)
    x ^= x >> numpy.uint32(15)
    x *= numpy.uint32(0x846CA68B)
    x ^= x >> numpy.uint32(16)
    return x


def _word(value):
    return numpy.array([value & 0xFFFFFFFF], numpy.uint32)


def random_uniform(key, counter, shape, /):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    s = _mix(_word(key) ^ _mix(_word(int(counter))))
    t = _mix(_word(key >> 32) ^ s)
    bits = _mix(_mix(numpy.arange(math.prod(shape), dtype=numpy.uint32) + s) ^ t)
    bits >>= numpy.uint32(8)
    return (bits * default_float().type(2.0**-24)).astype(default_float(), copy=False).reshape(shape)
