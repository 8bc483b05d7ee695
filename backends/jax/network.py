"""Neural-network primitives, and composites compiled once: eager code then makes one call instead of ten."""

from __future__ import annotations

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from d2l_backends.jax.arrays import _compiled
from jax import lax

from d2l_core._dispatch import REGISTRY

_LONGEST_UNROLLED_WINDOW = 4


def _per_axis(value, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


# ---------------------------------------------------------------- convolution and pooling


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    rank = weight.ndim - 2
    sides = tuple((p, p) for p in _per_axis(padding, rank))
    return _conv(x, weight, bias, _per_axis(stride, rank), sides, _per_axis(dilation, rank), groups)


@partial(jax.jit, static_argnums=(3, 4, 5, 6))
def _conv(x, weight, bias, stride, sides, dilation, groups):
    plain = groups == 1 and x.shape[1] == weight.shape[1] and jax.default_backend() == "cpu"
    if plain and _is_small(x.shape, weight.shape, sides, dilation):
        y = _small_conv(x, weight, stride, sides, dilation)
    elif plain and {*stride, *dilation} == {1} and _is_thin(x.shape, weight.shape, sides):
        y = _thin_conv(x, weight, sides)
    else:
        y = lax.conv_general_dilated(x, weight, stride, sides, rhs_dilation=dilation, feature_group_count=groups)
    return y if bias is None else y + bias.reshape(-1, *(1,) * len(stride))


def _is_small(images, filters, sides, dilation):
    """Whether a window reaches over the images, and all of it is at home on what is padded."""
    axes = list(zip(images[2:], filters[2:], sides, dilation, strict=False))
    fits = all(step * (window - 1) < size + sum(side) for size, window, side, step in axes)
    return fits and any(size < window for size, window, _, _ in axes)


def _small_conv(x, weight, stride, sides, dilation):
    """A convolution of images smaller than the window as a product of matrices, without the places that see no pixel.

    For the gradients of its own XLA has no fast kernel on a processor then: with 64 images of 512 x 1 x 1 and a window
    of 3 x 3 they took 53 ms where this takes 2.5, with 256 x 2 x 2 94 and 9 (two busy cores).
    """
    axes = list(zip(x.shape[2:], weight.shape[2:], stride, sides, dilation, strict=True))
    counts, first, last = zip(*[_seen(*axis) for axis in axes], strict=True)
    weight = lax.slice(weight, (0, 0, *first), (*weight.shape[:2], *last))
    x = jnp.pad(jnp.moveaxis(x, 1, -1), ((0, 0), *sides, (0, 0)))
    columns = []
    for places in itertools.product(*map(range, first, last)):
        starts = [place * step for place, step in zip(places, dilation, strict=True)]
        stops = [start + (count - 1) * step + 1 for start, count, step in zip(starts, counts, stride, strict=True)]
        columns.append(lax.slice(x, (0, *starts, 0), (x.shape[0], *stops, x.shape[-1]), (1, *stride, 1)))
    rows = jnp.concatenate(columns, axis=-1).reshape(x.shape[0] * math.prod(counts), -1)
    y = rows @ jnp.moveaxis(weight, (0, 1), (-1, -2)).reshape(-1, weight.shape[0])
    return jnp.moveaxis(y.reshape(x.shape[0], *counts, -1), -1, 1)


def _seen(size, window, stride, side, dilation):
    """Outputs along an axis, and the range of places of the window that meet a pixel in one of them."""
    count = (size + sum(side) - dilation * (window - 1) - 1) // stride + 1
    meets = [
        place
        for place in range(window)
        if any(0 <= output * stride + place * dilation - side[0] < size for output in range(count))
    ]
    return count, min(meets, default=0), max(meets, default=0) + 1


THIN_PRODUCTS, THIN_PIXELS = 1500, 2**13
"""Most products for a pixel, and fewest pixels, if rows of pixels are multiplied by matrices. XLA's kernel takes 15 to
30 ns a pixel, however few channels there are: measured on two cores with 128 images of 1 x 28 x 28 and 6 filters of
5 x 5, 2.4 ms where this takes 0.9 (960 products), with 64 filters of 7 x 7 3.2 for 5.5 (17,024)."""


def _is_thin(images, filters, sides):
    fits = all(size + sum(side) >= window for size, side, window in zip(images[2:], sides, filters[2:], strict=False))
    products = math.prod(filters[:-1]) * (images[-1] + sum(sides[-1]))
    return fits and products <= THIN_PRODUCTS and images[0] * math.prod(images[2:]) >= THIN_PIXELS


def _thin_conv(x, weight, sides):
    """A convolution of images with few channels as a product of their rows with matrices that hold a filter's row once
    for each place in the width."""
    x = jnp.pad(x, ((0, 0), (0, 0), *sides))
    filters, channels, *windows, window = weight.shape
    counts = [size - reach + 1 for size, reach in zip(x.shape[2:-1], windows, strict=True)]
    count, width = x.shape[-1] - window + 1, x.shape[-1]
    bands = np.stack([np.eye(width, count, -place, dtype=weight.dtype) for place in range(window)])
    matrices = jnp.tensordot(weight.reshape(filters, channels, -1, window), bands, 1)
    rows = []
    for places in itertools.product(*map(range, windows)):
        stops = [place + size for place, size in zip(places, counts, strict=True)]
        rows.append(lax.slice(x, (0, 0, *places, 0), (*x.shape[:2], *stops, width)))
    rows = jnp.moveaxis(jnp.concatenate(rows, axis=1), 1, -2).reshape(x.shape[0] * math.prod(counts), -1)
    y = rows @ matrices.transpose(2, 1, 3, 0, 4).reshape(-1, filters * count)
    return jnp.moveaxis(y.reshape(x.shape[0], *counts, filters, count), -2, 1)


def max_pool(x, window, /, *, stride=None, padding=0):
    rank = x.ndim - 2
    window = _per_axis(window, rank)
    stride = window if stride is None else _per_axis(stride, rank)
    return _max_pool(x, window, stride, _per_axis(padding, rank))


def avg_pool(x, window, /, *, stride=None, padding=0):
    rank = x.ndim - 2
    window = _per_axis(window, rank)
    stride = window if stride is None else _per_axis(stride, rank)
    return _avg_pool(x, window, stride, _per_axis(padding, rank))


@partial(jax.jit, static_argnums=(1, 2, 3))
def _max_pool(x, window, stride, padding):
    return _pool(_framed(x, padding, -jnp.inf), window, stride, -jnp.inf, lax.max, _first_largest)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _avg_pool(x, window, stride, padding):
    total = _pool(_framed(x, padding, 0.0), window, stride, 0.0, lax.add, lax.add)
    return total * (1.0 / math.prod(window))


def _framed(x, padding, value):
    sides = [(0, 0, 0), (0, 0, 0), *((p, p, 0) for p in padding)]
    return lax.pad(x, jnp.asarray(value, x.dtype), sides)


def _pool(x, window, stride, start, reduce, combine):
    """Windows reduced by elementwise steps over strided slices, one axis after the other.

    The gradient of XLA's own pooling (select-and-scatter) takes three times as long on a CPU; only windows
    too long to be unrolled use it. The last axis comes first, so that ties go to the first in row-major order.
    """
    if max(window) > _LONGEST_UNROLLED_WINDOW:
        return lax.reduce_window(x, start, reduce, (1, 1, *window), (1, 1, *stride), "VALID")
    for axis in reversed(range(2, x.ndim)):
        width, step = window[axis - 2], stride[axis - 2]
        span = (x.shape[axis] - width) // step * step + 1
        slices = [lax.slice_in_dim(x, i, i + span, step, axis) for i in range(width)]
        x = slices[0]
        for other in slices[1:]:
            x = combine(x, other)
    return x


def _first_largest(x, y):
    return jnp.where((x >= y) | jnp.isnan(x), x, y)


# ---------------------------------------------------------------- random numbers


def random_uniform(key, counter, shape, /):
    low, high = _halves(key)
    return _uniform(low, high, counter, (shape,) if isinstance(shape, int) else tuple(shape))


def dropout(x, p, key, counter, /):
    low, high = _halves(key)
    return _dropout(x, low, high, counter, p)


def _halves(key: int) -> tuple[np.uint32, np.uint32]:
    return np.uint32(key & 0xFFFFFFFF), np.uint32(key >> 32)


@partial(jax.jit, static_argnums=3)
def _uniform(low, high, counter, shape):
    s = _mix(low ^ _mix(lax.convert_element_type(counter, np.uint32)))
    t = _mix(high ^ s)
    position = lax.iota(np.uint32, int(np.prod(shape)))
    bits = _mix(_mix(position + s) ^ t) >> 8
    return (bits.astype(float) * 2.0**-24).reshape(shape)


def _mix(x):
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


@partial(jax.jit, static_argnums=4)
def _dropout(x, low, high, counter, p):
    keep = _uniform(low, high, counter, x.shape) >= p
    return jnp.where(keep, x * (1.0 / (1.0 - p)), jnp.zeros_like(x))


# ---------------------------------------------------------------- composites in native or compiled form


def _recurrent(name: str):
    """A layer as a loop whose steps keep nothing but the state for the gradient, not even what the input is made into.

    Memory of a program is taken anew for each call. A step of 1,024 texts of 32 characters in 32 gated units, which
    took 84 MB and 118 ms when the loop kept what it computed, takes 24 MB and 42 ms (one busy core).
    """
    layer = REGISTRY[name].declaration

    def loop(x, state, /, *weights):
        @partial(jax.checkpoint, prevent_cse=False)
        def step(state, features):
            outputs, state = layer(features[None], state, *weights)
            return state, outputs[0]

        last, outputs = lax.scan(step, state, x)
        return outputs, last

    return jax.jit(loop)


relu = jax.nn.relu
sigmoid = jax.nn.sigmoid
softmax = jax.jit(jax.nn.softmax, static_argnames="axis")
log_softmax = jax.jit(jax.nn.log_softmax, static_argnames="axis")
cross_entropy = _compiled("cross_entropy")
batch_norm_train = _compiled("batch_norm_train", static_argnums=3)
batch_norm_infer = _compiled("batch_norm_infer", static_argnums=5)
layer_norm = _compiled("layer_norm", static_argnums=3)
group_norm = _compiled("group_norm", static_argnums=(1, 4))
rnn_tanh = _recurrent("rnn_tanh")
gru = _recurrent("gru")
lstm = _recurrent("lstm")
reverse_sequences = _compiled("reverse_sequences")
masked_softmax = _compiled("masked_softmax")
box_iou = _compiled("box_iou")
non_maximum_suppression = _compiled("non_maximum_suppression", static_argnames="max_boxes")
roi_pool = _compiled("roi_pool", static_argnums=2, static_argnames="spatial_scale")
roi_align = _compiled("roi_align", static_argnums=2, static_argnames=("spatial_scale", "sampling_ratio"))
ctc_log_likelihood = _compiled("ctc_log_likelihood", static_argnums=4)


def adam(parameters, gradients, firsts, seconds, progress, lr, beta1, beta2, eps, /):
    """The correction of m stands where XLA joins it to the division: the loop takes 0.9 of the declaration's time."""
    after = []
    for parameter, gradient, first, second in zip(parameters, gradients, firsts, seconds, strict=True):
        first = beta1 * first + (1.0 - beta1) * gradient
        second = beta2 * second + (1.0 - beta2) * (gradient * gradient)
        root = jnp.sqrt(second / progress[1])
        after.append((parameter - lr * (first / progress[0]) / (root + eps), first, second))
    return tuple(zip(*after, strict=True)) if after else ((), (), ())


FUSED_WEIGHTS = 16
"""Most weights of a linear layer whose products are added up by what is fused around them. A call of a product of
matrices takes longer than these: without two of them, an epoch of linear regression 238 µs for 248."""


@jax.jit
def linear(x, weight, bias=None, /):
    """With the weights as they are stored: turned first, they took half of the time of a step with one example."""
    if x.dtype != weight.dtype or not x.ndim or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        return REGISTRY["linear"].declaration(x, weight, bias)
    if weight.size <= FUSED_WEIGHTS:
        y = jnp.sum(x[..., None, :] * weight, axis=-1)
    else:
        y = lax.dot_general(x, weight, (((x.ndim - 1,), (1,)), ((), ())))
    return y if bias is None else y + bias


@partial(jax.jit, static_argnums=1)
def one_hot(indices, num_classes, /):
    return jax.nn.one_hot(indices, num_classes, dtype=float)
