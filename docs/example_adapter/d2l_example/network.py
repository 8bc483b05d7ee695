"""The group ``network``: convolution and pooling as sums over the places of the window, and the random numbers.

Each place of a window sees a strided slice of the padded input. That is short and slow; autograd finds the derivatives.
"""

import itertools
import math

import autograd.numpy as np
import numpy

from d2l_core.backend import float_dtype
from d2l_example.tensor import owned, owning


def _each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _places(x, window, stride, padding, dilation, value=0.0):
    """For each place of the window, what it sees of x (N, C, *spatial) framed by `value`: (N, C, *out)."""
    rank = x.ndim - 2
    window, stride, padding, dilation = (_each(v, rank) for v in (window, stride, padding, dilation))
    framed = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], "constant", constant_values=value)
    spans = [d * (w - 1) + 1 for d, w in zip(dilation, window, strict=True)]
    counts = [(n - span) // s + 1 for n, span, s in zip(framed.shape[2:], spans, stride, strict=True)]
    for place in itertools.product(*map(range, window)):
        starts = [i * d for i, d in zip(place, dilation, strict=True)]
        slices = [slice(a, a + s * (n - 1) + 1, s) for a, s, n in zip(starts, stride, counts, strict=True)]
        yield place, framed[(slice(None), slice(None), *slices)]


@owning
def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    (n, channels), (out, inner) = x.shape[:2], weight.shape[:2]
    if channels != inner * groups or (bias is not None and bias.shape != (out,)):
        raise ValueError(f"The kernel {weight.shape} does not fit {channels} channels in {groups} groups.")
    total = 0.0
    for place, seen in _places(x, weight.shape[2:], stride, padding, dilation):
        rows = np.reshape(seen, (n, groups, inner, -1))
        kernel = np.reshape(weight[(slice(None), slice(None), *place)], (groups, out // groups, inner))
        total = total + np.matmul(kernel, rows)
    y = np.reshape(total, (n, out, *seen.shape[2:]))
    return y if bias is None else y + np.reshape(bias, (1, -1, *(1 for _ in seen.shape[2:])))


@owning
def max_pool(x, window, /, *, stride=None, padding=0):
    seen = [part for _, part in _places(x, window, stride or window, padding, 1, -numpy.inf)]
    return np.max(np.stack(seen), axis=0)


@owning
def avg_pool(x, window, /, *, stride=None, padding=0):
    seen = [part for _, part in _places(x, window, stride or window, padding, 1)]
    return sum(seen[1:], seen[0]) * (1.0 / len(seen))


def _mix(x):
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> numpy.uint32(shift))) * numpy.uint32(factor)
    return x ^ (x >> numpy.uint32(16))


def _word(value):
    return numpy.array([value & 0xFFFFFFFF], numpy.uint32)


def random_uniform(key, counter, shape, /):
    """Bit for bit as the contract has it: every backend draws the same."""
    shape = _each(shape, 1)
    low = _mix(_word(key) ^ _mix(_word(int(counter))))
    high = _mix(_word(key >> 32) ^ low)
    bits = _mix(_mix(numpy.arange(math.prod(shape), dtype=numpy.uint32) + low) ^ high) >> numpy.uint32(8)
    return owned((bits.astype(float_dtype()) * float_dtype().type(2.0**-24)).reshape(shape))
