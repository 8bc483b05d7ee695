"""Network primitives on PyTorch, and its fused forms of our compositions."""

import functools
import itertools
import math
import warnings
from contextlib import nullcontext

import numpy as np
import torch
from torch.nn import functional

from d2l_core import composites
from d2l_core.backend import current

from .arrays import default_float, index
from .autodiff import custom_vjp, differentiated_twice
from .recording import on_host

linear = functional.linear
relu = torch.relu
sigmoid = torch.sigmoid

_CONV = {3: torch.conv1d, 4: torch.conv2d, 5: torch.conv3d}
_MAX_POOL = {3: torch.max_pool1d, 4: torch.max_pool2d, 5: torch.max_pool3d}
_AVG_POOL = {3: functional.avg_pool1d, 4: functional.avg_pool2d, 5: functional.avg_pool3d}


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    return _CONV[weight.ndim](x, weight, bias, stride, padding, dilation, groups)


def max_pool(x, window, /, *, stride=None, padding=0):
    stride = window if stride is None else stride
    if _exceeds_half(padding, window):
        x, padding = _frame(x, padding, -torch.inf), 0
    return _MAX_POOL[x.ndim](x, window, stride, padding)


def avg_pool(x, window, /, *, stride=None, padding=0):
    stride = window if stride is None else stride
    if x.is_cpu and x.dtype in (torch.float32, torch.float64) and _tiles_by_two(x, window, stride, padding):
        return custom_vjp(_mean_of_pairs)([x])[0]
    if (x.ndim == 5 and padding) or _exceeds_half(padding, window):  # a window must fit into volumes without padding
        x, padding = _frame(x, padding, 0.0), 0
    if x.ndim == 5 and x.dtype is torch.bfloat16:  # which PyTorch's kernel does not know
        return functional.avg_pool3d(x.float(), window, stride, padding).to(x.dtype)
    return _AVG_POOL[x.ndim](x, window, stride, padding)


def _tiles_by_two(x, window, stride, padding):
    """Whether windows of two along each axis cover a tensor, which is large enough for `_mean_of_pairs`."""
    two = 2, (2,) * (x.ndim - 2)
    even = not any(size % 2 for size in x.shape[2:])
    return window in two and stride in two and padding == 0 and even and x.numel() >= 2**16


def _mean_of_pairs(inputs):
    """`avg_pool` from sums of slices, for which PyTorch has vector instructions and for pooling not.

    Measured on two cores for 128 x 6 x 28 x 28: 0.12 ms for 0.88, its gradient 0.17 for 0.54.
    """
    y, axes = inputs[0], range(2, inputs[0].ndim)
    for axis in axes:
        before = (slice(None),) * axis
        y = y[(*before, slice(0, None, 2))] + y[(*before, slice(1, None, 2))]

    def backward(grads):
        x = grads[0] / 2 ** len(axes)
        for axis in reversed(axes):
            x = torch.stack((x, x), axis + 1).flatten(axis, axis + 1)
        return [x]

    return [y / 2 ** len(axes)], backward


def _exceeds_half(padding, window):
    """Whether PyTorch's pooling would refuse: it pads by at most half a window."""
    if isinstance(padding, int) and isinstance(window, int):
        return 2 * padding > window
    paddings, windows = np.broadcast_arrays(padding, window)
    return any(2 * p > w for p, w in zip(paddings, windows, strict=True))


def _frame(x, padding, value):
    paddings = np.broadcast_to(padding, x.ndim - 2).tolist()
    return functional.pad(x, [p for p in reversed(paddings) for _ in range(2)], value=value)


def softmax(x, /, *, axis=-1):
    return torch.softmax(x, axis)


def log_softmax(x, /, *, axis=-1):
    return torch.log_softmax(x, axis)


def one_hot(indices, num_classes, /):
    ones = torch.zeros((*indices.shape, num_classes), dtype=default_float(), device=indices.device)
    return ones.scatter_(-1, indices.to(torch.int64).unsqueeze(-1), 1.0)  # PyTorch's own looks at the numbers


def embedding(indices, weight, /):
    return torch.embedding(weight, index(indices))


def cross_entropy(logits, labels, /):
    if logits.ndim != 2:
        logits, labels = logits.reshape(-1, logits.shape[-1]), labels.reshape(-1)
    return functional.cross_entropy(logits, labels.to(torch.int64))


# normalisation


def layer_norm(x, weight, bias, eps, /):
    if not x.dtype == weight.dtype == bias.dtype:  # PyTorch would give the dtype of x
        return composites.layer_norm.__wrapped__(x, weight, bias, eps)
    return torch.layer_norm(x, weight.shape, weight, bias, eps)


def batch_norm_train(x, weight, bias, eps, /):
    channels = x.shape[1]
    count = x.numel() // channels
    if count < 2:
        return composites.batch_norm_train.__wrapped__(x, weight, bias, eps)
    # With momentum 1 the running statistics become those of the batch, the variance divided by count - 1.
    mean, var = x.new_zeros(channels), x.new_zeros(channels)
    y = torch.batch_norm(x, weight, bias, mean, var, True, 1.0, eps, torch.backends.cudnn.enabled)
    return y, mean, var * ((count - 1) / count)


def batch_norm_infer(x, weight, bias, mean, var, eps, /):
    if mean.requires_grad or var.requires_grad:  # PyTorch's own takes both for constants
        return composites.batch_norm_infer.__wrapped__(x, weight, bias, mean, var, eps)
    return torch.batch_norm(x, weight, bias, mean, var, False, 0.0, eps, torch.backends.cudnn.enabled)


# recurrence


def rnn_tanh(x, state, /, *weights):
    if differentiated_twice() and x.is_cuda:  # cuDNN's gradient has no gradient
        return composites.rnn_tanh.__wrapped__(x, state, *weights)
    outputs, last = _fused(torch.rnn_tanh, x, state[None], weights)
    return outputs, last[0]


def gru(x, state, /, *weights):
    if differentiated_twice() and x.is_cuda:
        return composites.gru.__wrapped__(x, state, *weights)
    outputs, last = _fused(torch.gru, x, state[None], weights)
    return outputs, last[0]


def lstm(x, state, /, *weights):
    if differentiated_twice():  # oneDNN's has none either
        return composites.lstm.__wrapped__(x, state, *weights)
    outputs, hidden, cell = _fused(torch.lstm, x, [part[None] for part in state], weights)
    return outputs, (hidden[0], cell[0])


def _fused(layer, x, state, weights):
    with warnings.catch_warnings() if x.is_cuda else nullcontext():
        if x.is_cuda:  # weights that are not one piece of memory are copied, which is cheap
            warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk")
        return layer(x, state, weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)


# optimisation


def masked_softmax(scores, mask=None, /):
    # by its parts: for short rows PyTorch's softmax takes thrice as long as the exponential
    if mask is None:
        return softmax(scores)
    largest = torch.where(mask, scores, -math.inf).amax(-1, keepdim=True).detach()
    shifted = torch.where(mask, scores - torch.where(largest.isfinite(), largest, 0.0), 0.0)
    powers = torch.where(mask, shifted.exp(), 0.0)
    total = powers.sum(-1, keepdim=True)
    return powers / torch.where(total > 0, total, 1.0)


_one_visit = functools.partial(torch._fused_adam_, weight_decay=0.0, amsgrad=False, maximize=False)


def adam(parameters, gradients, firsts, seconds, progress, lr, beta1, beta2, eps, /):
    columns = parameters, gradients, firsts, seconds
    rows = list(zip(*columns, strict=True))
    differentiated = any(getattr(x, "requires_grad", False) for x in (*itertools.chain(*rows), progress, lr))
    compiled = current().compiler is not None  # which makes one loop of the formula and knows nothing of the kernel
    kinds = {gradient.dtype for gradient in gradients}
    known = len(kinds) == 1 and kinds <= {torch.float32, torch.float64} and all(map(_alike_on_host, rows))
    if differentiated or compiled or not known:
        return composites.adam.__wrapped__(*columns, progress, lr, beta1, beta2, eps)
    # The kernel checks no shapes, writes, and goes through all memory in one order; replays leave the copies out.
    p, m, v = ([x.clone(memory_format=torch.contiguous_format) for x in xs] for xs in (parameters, firsts, seconds))
    steps = [progress[2]] * len(rows)
    _one_visit(p, [g.contiguous() for g in gradients], m, v, [], steps, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    return tuple(p), tuple(m), tuple(v)


def _alike_on_host(tensors):
    first = tensors[0]
    return all(x.is_cpu and x.dtype is first.dtype and x.shape == first.shape for x in tensors)


# randomness

_BLOCK = np.arange(2**14, dtype=np.uint32)  # as much as stays in a core's cache
_MASK = 0xFFFFFFFF
_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B


def random_uniform(key, counter, shape, /):
    bits = _random_bits(key, counter, shape, current().device)
    return bits.to(default_float()).mul_(2.0**-24)


def dropout(x, p, key, counter, /):
    # The bits that fall below p in the default float are those below this integer.
    threshold = math.ceil((p if default_float() is torch.float64 else float(np.float32(p))) * 2**24)
    keep = _random_bits(key, counter, x.shape, "cpu" if x.is_cpu else x.device) >= threshold
    return torch.where(keep, x * (1.0 / (1.0 - p)), 0.0)


def _random_bits(key, counter, shape, device):
    """Random integers below 2**24 as int32; one operator of a recording, since Python reads the counter."""
    return on_host(_drawn_bits, key, counter, shape, device)


def _drawn_bits(key, counter, shape, device):
    """Computed on the host or on the card."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    first = _mix((key & _MASK) ^ _mix(int(counter)))
    second = _mix((key >> 32) ^ first)
    size = math.prod(shape)
    if device == "cpu":
        return torch.from_numpy(_host_bits(size, first, second)).reshape(shape)
    return card_bits(size, first, second, device).reshape(shape)


def _mix(x):
    x = (x ^ x >> 16) * _FIRST & _MASK
    x = (x ^ x >> 15) * _SECOND & _MASK
    return x ^ x >> 16


def _host_bits(size, first, second):
    bits, shifted = np.empty(size, np.uint32), np.empty_like(_BLOCK)
    for start in range(0, size, len(_BLOCK)):
        block = bits[start : start + len(_BLOCK)]
        scratch = shifted[: len(block)]
        np.add(_BLOCK[: len(block)], np.uint32((first + start) & _MASK), out=block)
        _mix_block(block, scratch)
        block ^= np.uint32(second)
        _mix_block(block, scratch)
        block >>= np.uint32(8)
    return bits.view(np.int32)


def _mix_block(x, scratch):
    x ^= np.right_shift(x, np.uint32(16), out=scratch)
    x *= np.uint32(_FIRST)
    x ^= np.right_shift(x, np.uint32(15), out=scratch)
    x *= np.uint32(_SECOND)
    x ^= np.right_shift(x, np.uint32(16), out=scratch)


def card_bits(size, first, second, device):
    """The same in PyTorch's int32, which wraps around; its unsigned integers cannot shift."""
    x = torch.arange(size, dtype=torch.int32, device=device)
    x += _signed(first)
    x = _mix_signed(x) ^ _signed(second)
    return _mix_signed(x) >> 8 & 0xFFFFFF


def _mix_signed(x):
    x = (x ^ (x >> 16 & 0xFFFF)) * _FIRST
    x = (x ^ (x >> 15 & 0x1FFFF)) * _signed(_SECOND)
    return x ^ (x >> 16 & 0xFFFF)


def _signed(x):
    return x - 2**32 if x >= 2**31 else x
