"""Network primitives on MXNet's fused operators: each call costs tens of microseconds, so one is better than five."""

import math

import numpy
from d2l_backends.mxnet_runtime.recording import on_host
from d2l_backends.numpy import network as host

from d2l_core import composites
from d2l_core.axes import position

from .arrays import default_float, float32, from_host, is_recording, mean, np, npx, ones_of


def relu(x, /):
    return npx.relu(x)


def sigmoid(x, /):
    return npx.sigmoid(x)


def linear(x, weight, bias=None, /):
    if 0 in x.shape:  # the fused operator fails when its result is read
        return composites.linear.__wrapped__(x, weight, bias)
    # where the weight has no gradient, the fused bias gets none either (test_mxnet_upstream.py)
    fused = bias is not None and (weight.grad is not None or not is_recording())
    y = npx.fully_connected(
        x, weight, bias if fused else None, num_hidden=weight.shape[0], no_bias=not fused, flatten=False
    )
    return y if fused or bias is None else y + bias


def _each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def conv(x, weight, bias=None, /, *, stride=1, padding=0, dilation=1, groups=1):
    rank = weight.ndim - 2
    return npx.convolution(
        x,
        weight,
        bias,
        kernel=weight.shape[2:],
        stride=_each(stride, rank),
        pad=_each(padding, rank),
        dilate=_each(dilation, rank),
        num_filter=weight.shape[0],
        num_group=groups,
        no_bias=bias is None,
    )


def max_pool(x, window, /, *, stride=None, padding=0):
    return _pool(x, "max", window, stride, padding)


def avg_pool(x, window, /, *, stride=None, padding=0):
    return _pool(x, "avg", window, stride, padding)


def _pool(x, kind, window, stride, padding):
    rank = x.ndim - 2
    window = _each(window, rank)
    return npx.pooling(
        x,
        kernel=window,
        stride=window if stride is None else _each(stride, rank),
        pad=_each(padding, rank),
        pool_type=kind,
        count_include_pad=True,
    )


def softmax(x, /, *, axis=-1):
    return npx.softmax(x, axis=position(axis, x.ndim), temperature=1.0)  # as below


def log_softmax(x, /, *, axis=-1):
    # Any temperature keeps it from oneDNN's kernel, tens of units in the last place off and wrong about NaN.
    return npx.log_softmax(x, axis=position(axis, x.ndim), temperature=1.0)


def one_hot(indices, num_classes, /):
    return npx.one_hot(indices, num_classes, dtype=numpy.dtype(default_float()).name)


def embedding(indices, weight, /):
    return np.take(weight, indices, axis=0, mode="raise")


def cross_entropy(logits, labels, /):
    if logits.shape[:-1] != labels.shape:
        raise ValueError(f"Labels of shape {labels.shape} do not fit logits of shape {logits.shape}.")
    if logits.ndim == 1:
        logits, labels = np.expand_dims(logits, 0), np.expand_dims(labels, 0)
    return -mean(npx.pick(log_softmax(logits), labels))


# batch normalisation


def batch_norm_train(x, weight, bias, eps, /):
    """By products with ones: MXNet's own adds up one element after the other, which costs two digits, and its
    broadcasting does so in the backward pass (test_mxnet_upstream.py)."""
    if 0 in x.shape:
        return composites.batch_norm_train.__wrapped__(x, weight, bias, eps)
    axes = (0, *range(2, x.ndim))
    average = mean(x, axis=axes)
    centred = x - _by_channel(average, x.shape)
    var = mean(np.square(centred), axis=axes)
    y = centred * _by_channel(weight / np.sqrt(var + eps), x.shape) + _by_channel(bias, x.shape)
    return y, average.detach(), var.detach()


def _by_channel(values, shape):
    """One number for each channel as a tensor of a shape (N, C, *spatial)."""
    n, channels, *spatial = shape
    rows = np.dot(np.reshape(values, (channels, 1)), np.reshape(ones_of(math.prod(spatial), values.dtype), (1, -1)))
    return np.reshape(np.dot(np.reshape(ones_of(n, values.dtype), (n, 1)), np.reshape(rows, (1, -1))), shape)


def batch_norm_infer(x, weight, bias, mean, var, eps, /):
    if is_recording():  # MXNet's own takes mean and var for constants
        return composites.batch_norm_infer.__wrapped__(x, weight, bias, mean, var, eps)
    return npx.batch_norm(x, weight, bias, mean, var, eps=eps, fix_gamma=False, use_global_stats=True)


def layer_norm(x, weight, bias, eps, /):
    # the fused operator adds up one element after the other, and its root is that of float32 (test_mxnet_upstream.py)
    if x.dtype is float32 and weight.ndim == 1 and x.shape[-1] <= 512 and 0 not in x.shape:
        return npx.layer_norm(x, weight, bias, axis=-1, eps=eps)
    return composites.layer_norm.__wrapped__(x, weight, bias, eps)


# recurrence


def _fused(mode, x, states, weights):
    packed = np.concatenate([np.reshape(w, -1) for w in weights])
    first = [np.expand_dims(state, 0) for state in states]
    size = states[0].shape[-1]
    outputs, *last = npx.rnn(x, packed, *first, mode=mode, state_size=size, num_layers=1, state_outputs=True)
    return outputs, tuple(state[0] for state in last)


def rnn_tanh(x, state, /, *weights):
    outputs, (last,) = _fused("rnn_tanh", x, [state], weights)
    return outputs, last


def gru(x, state, /, *weights):
    outputs, (last,) = _fused("gru", x, [state], weights)
    return outputs, last


def lstm(x, state, /, *weights):
    return _fused("lstm", x, state, weights)


# randomness: the bits are computed on the host, as MXNet has no unsigned integers


def random_uniform(key, counter, shape, /):
    return on_host(lambda counter: from_host(host.random_uniform(key, counter, shape)), counter)


def dropout(x, p, key, counter, /):
    def factors(counter):
        drawn = host.random_uniform(key, counter, x.shape)
        return from_host(((drawn >= p) * drawn.dtype.type(1.0 / (1.0 - p))).astype(x.dtype, copy=False))

    return x * on_host(factors, counter)
