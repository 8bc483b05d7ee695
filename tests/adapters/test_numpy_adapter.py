"""What the conformance suite is too small to see in the NumPy adapter: blocks of images, and the dtype of gradients."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import random, xp
from d2l_core.autodiff import grad, value_and_grad
from d2l_core.backend import load_backend, use_backend
from d2l_core.nn.functional import batch_norm_train, conv, linear, max_pool, sigmoid


@pytest.fixture(params=[32, 64])
def precision(request):
    with use_backend("numpy", precision=request.param):
        yield request.param


def tensor(*shape):
    return xp.asarray(random.normal(shape, "numpy adapter", len(shape)))


SETTINGS = {
    "plain": {},
    "padded": {"padding": 1},
    "strided": {"stride": 2, "padding": (2, 0)},
    "dilated": {"dilation": (1, 2)},
    "in groups": {"groups": 4, "padding": 1},
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_images_in_several_blocks_are_convolved_as_one_by_one(precision, setting):
    x, weight = tensor(16, 8, 32, 32), tensor(4, 8 // setting.get("groups", 1), 3, 3)

    def loss(x, weight):
        return xp.sum(xp.square(conv(x, weight, **setting)))

    blocks = [images for images, _ in network_blocks(x, setting)]
    assert len(blocks) > 1
    assert blocks[0].stop > 1
    both = value_and_grad(loss, (0, 1))
    value, (towards_x, towards_weight) = both(x, weight)
    single = [both(x[i : i + 1], weight) for i in range(16)]
    rtol = 1e-4 if precision == 32 else 1e-12
    np.testing.assert_allclose(value, sum(value for value, _ in single), rtol=rtol)
    np.testing.assert_allclose(towards_x, np.concatenate([g[0] for _, g in single]), rtol=rtol, atol=100 * rtol)
    expected = sum(g[1].astype(np.float64) for _, g in single)
    np.testing.assert_allclose(towards_weight, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def network_blocks(x, setting):
    from d2l_backends.numpy import network

    pairs = [network._pair(setting.get(name, default), 2) for name, default in HOW]
    return network._blocks(x, (3, 3), *pairs, setting.get("groups", 1))


HOW = (("stride", 1), ("padding", 0), ("dilation", 1))


INDICES = {
    "number": 1,
    "slice": slice(None, None, 2),
    "ellipsis": (..., 2),
    "new axis": (slice(1, 3), None, -1),
    "array": np.array([0, 2, 2, 2]),
    "list": [1, 1],
    "pairs": (np.array([0, 0]), np.array([1, 1])),
    "mask": np.array([True, False, True]),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_gradient_of_indexing_counts_what_repeats(precision, index):
    x = tensor(3, 4)
    expected = np.zeros((3, 4), x.dtype)
    np.add.at(expected, index, 2 * x[index])
    gradient = grad(lambda x: xp.sum(xp.square(x[index])))(x)
    assert gradient.dtype == x.dtype
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def everything(x, weight, scale, shift):
    """A value that depends on its arguments through most of what a network is made of."""
    y = linear(sigmoid(x), weight, shift)
    y = batch_norm_train(y, scale, shift, 1e-5)[0] * xp.tanh(y) - y / (1.0 + xp.square(y))
    y = xp.where(y > 0, y, 0.1 * y) + xp.mean(y, axis=1, keepdims=True)
    maps = xp.reshape(y, (-1, 2, 2, 2))
    pooled = max_pool(conv(maps, xp.reshape(weight, (4, 2, 1, 4))[..., :1], padding=1), 2)
    return xp.sum(pooled) + xp.sum(xp.stack([y[0], y[1, :], y[-1]]))


def test_gradients_are_computed_in_the_dtype_of_the_values(monkeypatch):
    load_backend("numpy")
    from d2l_backends.numpy import autodiff

    strange, original = [], autodiff._Node.__init__

    def watched(node, value, function, args, kwargs, argnums, parents):
        original(node, value, function, args, kwargs, argnums, parents)
        pullback = node.vjp

        def vjp(g):
            parts = list(pullback(g))
            strange.extend(function.__name__ for part in parts if getattr(part, "dtype", np.float32) != np.float32)
            return parts

        node.vjp = vjp

    monkeypatch.setattr(autodiff._Node, "__init__", watched)
    with use_backend("numpy", precision=32):
        arguments = tensor(6, 4), tensor(8, 4), tensor(8), tensor(8)
        _, gradients = value_and_grad(everything, (0, 1, 2, 3))(*arguments)
    assert strange == []
    assert [g.dtype for g in gradients] == [np.float32] * 4
