"""Network primitives on MXNet's fused operators: each call costs tens of microseconds, so one is better than five."""

import functools

import numpy
from d2l_backends.numpy import network as host

from d2l_core import composites
from d2l_core.axes import position

from .arrays import default_float, float32, from_host, is_recording, mean, mx, np, npx, on_tape, sum
from .recording import on_host


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
    if x.ndim == 2 or 0 in x.shape:
        return composites.batch_norm_train.__wrapped__(x, weight, bias, eps)
    step = _BatchNorm(eps)
    if is_recording():
        free = [on_tape(weight), on_tape(bias)]
        if not all(free) and (any(free) or on_tape(x)):
            zeros = _zeros_on_tape(weight.shape, weight.dtype)
            weight, bias = weight + zeros, bias + zeros
    y = step(weight, bias, x)
    return y.as_np_ndarray(), step.mean, step.var


@functools.lru_cache(maxsize=128)
def _zeros_on_tape(shape, dtype):
    """Zeros that give a sum a gradient: inputs after one without would get none (test_mxnet_upstream.py)."""
    zeros = np.zeros(shape, dtype)
    zeros.attach_grad()
    return zeros


class _BatchNorm(mx.autograd.Function):
    """Batch normalisation of images with accurate sums.

    MXNet's own adds up a channel one element after the other, which costs two digits (test_mxnet_upstream.py); its
    broadcasting is slow. So the statistics are matrix products, and what differs by channel is left to the fused
    operator with given statistics. The gradient is that of Ioffe and Szegedy (2015), section 3.
    """

    def __init__(self, eps):
        super().__init__()
        self._eps = eps

    def forward(self, weight, bias, x):
        weight, bias, x = (a.as_np_ndarray() for a in (weight, bias, x))
        zeros, ones = np.zeros_like(bias), np.ones_like(bias)
        axes = (0, *range(2, x.ndim))
        self.mean = mean(x, axis=axes)
        centred = _by_channel(x, self.mean, ones, ones, zeros)
        self.var = mean(np.square(centred), axis=axes)
        self._scale = 1.0 / np.sqrt(self.var + self._eps)
        self._normalised = _by_channel(centred, zeros, ones, self._scale, zeros)
        self._weight = weight.copy()  # a step queued on the caller's own would wait for `backward`, and that for it
        return _by_channel(self._normalised, zeros, ones, weight, bias).as_nd_ndarray()

    def backward(self, dy):
        dy = dy.as_np_ndarray()
        axes = (0, *range(2, dy.ndim))
        count = dy.size // dy.shape[1]
        zeros, ones = np.zeros_like(self.mean), np.ones_like(self.mean)
        d_bias = sum(dy, axis=axes)
        d_weight = sum(dy * self._normalised, axis=axes)
        scale = self._weight * self._scale
        dx = _by_channel(dy, d_bias / count, ones, scale, zeros)
        dx = dx - _by_channel(self._normalised, zeros, ones, scale * d_weight / count, zeros)
        del self._normalised  # MXNet holds on to this object until the garbage collector comes by
        return d_weight.as_nd_ndarray(), d_bias.as_nd_ndarray(), dx.as_nd_ndarray()


def _by_channel(x, centre, ones, scale, shift):
    """``(x - centre) * scale + shift``, each of one number a channel."""
    return npx.batch_norm(x, scale, shift, centre, ones, eps=0.0, fix_gamma=False, use_global_stats=True)


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
