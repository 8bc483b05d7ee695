"""Network primitives on MXNet's fused operators: each call costs tens of microseconds, so one is better than five."""

import itertools
import math

import numpy
from d2l_backends.mxnet_runtime.lending import Spare, lent_to_host
from d2l_backends.mxnet_runtime.recording import on_host
from d2l_backends.numpy import network as host

from d2l_core import composites
from d2l_core.axes import position

from .arrays import default_float, float32, from_host, is_recording, mean, np, npx, ones_of


def relu(x, /):
    return npx.relu(x)


def sigmoid(x, /):
    if 0 in x.shape or x.ndim == 0:
        return npx.sigmoid(x)
    return npx.activation(x, act_type="sigmoid")  # by vectors, in a fifteenth of the time


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
    """By oneDNN's kernel, which leaves zeros beside NaN: what a row adds up to is NaN then, and spreads it."""
    axis, length = position(axis, x.ndim), x.shape[axis] if x.ndim else 0
    if x.dtype is not float32 or axis != x.ndim - 1 or 0 in x.shape:
        return npx.softmax(x, axis=axis, temperature=1.0)  # as below
    y = npx.softmax(np.reshape(x, (-1, length)), axis=1)
    ones = ones_of(length, x.dtype)
    sums = np.dot(y, ones).detach()
    return np.reshape(y + _outer(sums - sums, ones), x.shape)


def log_softmax(x, /, *, axis=-1):
    # Any temperature keeps it from oneDNN's kernel, tens of units in the last place off and wrong about NaN.
    return npx.log_softmax(x, axis=position(axis, x.ndim), temperature=1.0)


def one_hot(indices, num_classes, /):
    return npx.one_hot(indices, num_classes, dtype=numpy.dtype(default_float()).name)


def embedding(indices, weight, /):
    """With a gradient by MXNet's own, which takes half of the time and the nearest row for one that is not there."""
    if not is_recording() or weight.ndim != 2 or 0 in (*weight.shape, *indices.shape):
        return np.take(weight, indices, axis=0, mode="raise")
    rows, features = weight.shape
    return npx.embedding(indices, weight, input_dim=rows, output_dim=features, dtype=weight.dtype)


def cross_entropy(logits, labels, /):
    if logits.shape[:-1] != labels.shape:
        raise ValueError(f"Labels of shape {labels.shape} do not fit logits of shape {logits.shape}.")
    if logits.ndim == 1:
        logits, labels = np.expand_dims(logits, 0), np.expand_dims(labels, 0)
    return -mean(npx.pick(log_softmax(logits), labels))


# batch normalisation

_LONGEST_SUM = 2**14  # up to so many summands MXNet's own normalisation is 2e-6 off at most


def batch_norm_train(x, weight, bias, eps, /):
    """By products with ones where sums are long: MXNet's own adds up one element after the other, which costs two
    digits, and its broadcasting does so in the backward pass (test_mxnet_upstream.py)."""
    if 0 in x.shape:
        return composites.batch_norm_train.__wrapped__(x, weight, bias, eps)
    short = x.dtype is float32 and math.prod(x.shape) <= _LONGEST_SUM * x.shape[1]
    if short and is_recording() and weight.shape == bias.shape == x.shape[1:2]:
        return _own_batch_norm(x, weight, bias, eps)
    axes = (0, *range(2, x.ndim))
    average = mean(x, axis=axes)
    centred = x - _by_channel(average, x.shape)
    var = mean(np.square(centred), axis=axes)
    y = centred * _by_channel(weight / np.sqrt(var + eps), x.shape) + _by_channel(bias, x.shape)
    return y, average.detach(), var.detach()


def _own_batch_norm(x, weight, bias, eps):
    unused = np.zeros(weight.shape, x.dtype), np.zeros(weight.shape, x.dtype)  # running statistics, which it overwrites
    y, average, root = npx.batch_norm(x, weight, bias, *unused, eps=eps, fix_gamma=False, output_mean_var=True)
    return y, average.detach(), (1.0 / np.square(root) - eps).detach()


def _by_channel(values, shape):
    """One number for each channel as a tensor of a shape (N, C, *spatial)."""
    n, _, *spatial = shape
    rows = _outer(values, ones_of(math.prod(spatial), values.dtype))
    return np.reshape(_outer(ones_of(n, values.dtype), rows), shape)


def batch_norm_infer(x, weight, bias, mean, var, eps, /):
    if is_recording():  # MXNet's own takes mean and var for constants
        return composites.batch_norm_infer.__wrapped__(x, weight, bias, mean, var, eps)
    return npx.batch_norm(x, weight, bias, mean, var, eps=eps, fix_gamma=False, use_global_stats=True)


def layer_norm(x, weight, bias, eps, /):
    """By products with ones: MXNet's own adds up one element after the other, its root is that of float32 in float64
    (test_mxnet_upstream.py), and its backward pass takes four times as long."""
    if 0 in x.shape or weight.shape != bias.shape or weight.shape != x.shape[x.ndim - weight.ndim :]:
        return composites.layer_norm.__wrapped__(x, weight, bias, eps)
    length = math.prod(weight.shape)
    ones, rows = ones_of(length, x.dtype), np.reshape(x, (-1, length))
    centred = rows - _outer(np.dot(rows, ones) / length, ones)
    root = np.sqrt(np.dot(np.square(centred), ones) / length + eps)
    scaled = centred * _outer(1.0 / root, np.reshape(weight, -1))
    return np.reshape(scaled + _outer(ones_of(rows.shape[0], x.dtype), np.reshape(bias, -1)), x.shape)


def _outer(column, row):
    return np.dot(np.reshape(column, (-1, 1)), np.reshape(row, (1, -1)))


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


# optimisation


def adam(parameters, gradients, firsts, seconds, progress, lr, beta1, beta2, eps, /):
    """On the host, in MXNet's own memory: its kernel takes ``1 - beta2`` in float32, where 0.001 has lost three digits,
    and a dozen of its operators for each parameter take thrice as long."""
    columns = parameters, gradients, firsts, seconds
    kinds, count = [(x.shape, x.dtype) for x in itertools.chain(*columns)], len(parameters)
    alike = count and kinds == kinds[:count] * 4
    if is_recording() or not alike or any(0 in shape or not shape for shape, _ in kinds):
        return composites.adam.__wrapped__(*columns, progress, lr, beta1, beta2, eps)
    spare = Spare()

    def step(progress, lr, *tensors):
        progress, *arrays = map(lent_to_host, (progress, *tensors))
        after, arrays_after = spare.taken(kinds[: 3 * count])
        columns, out = ([every[i : i + count] for i in range(0, len(every), count)] for every in (arrays, arrays_after))
        host.adam_into(out, columns, progress, float(lr), beta1, beta2, eps)
        return after

    after = on_host(step, progress, lr, *itertools.chain(*columns))
    return after[:count], after[count : 2 * count], after[2 * count :]


# randomness: the bits are computed on the host, as MXNet has no unsigned integers


def random_uniform(key, counter, shape, /):
    return on_host(lambda counter: from_host(host.random_uniform(key, counter, shape)), counter)


def dropout(x, p, key, counter, /):
    def factors(counter):
        drawn = host.random_uniform(key, counter, x.shape)
        return from_host(((drawn >= p) * drawn.dtype.type(1.0 / (1.0 - p))).astype(x.dtype, copy=False))

    return x * on_host(factors, counter)
