"""Network primitives on MXNet that choose between two ways: on both sides of the border they are as exact as said."""

import numpy as np
import pytest

from d2l_core.backend import adapters, use_backend

if adapters()["mxnet"].missing():
    pytest.skip("MXNet is not installed.", allow_module_level=True)

from d2l_backends.mxnet.network import _LONGEST_SUM
from d2l_backends.mxnet_runtime.lending import lent_to_host

from d2l_core import interface as xp
from d2l_core.autodiff import value_and_grad
from d2l_core.composites import adam, batch_norm_train, sigmoid, softmax
from d2l_core.interface import conv

CHANNELS, EPS = 4, 1e-5


def by_hand(x, weight, bias, head):
    """Output, statistics and gradients of batch normalisation (Ioffe and Szegedy, 2015) in float64."""
    x, weight, bias, head = (np.float64(a) for a in (x, weight, bias, head))
    mean, var = x.mean((0, 2), keepdims=True), x.var((0, 2), keepdims=True)
    root = np.sqrt(var + EPS)
    normal = (x - mean) / root
    scale = weight.reshape(1, -1, 1)
    of_weight, of_bias = (head * normal).sum((0, 2), keepdims=True), head.sum((0, 2), keepdims=True)
    count = x.size / CHANNELS
    of_x = scale / root * (head - of_bias / count - normal * of_weight / count)
    y = scale * normal + bias.reshape(1, -1, 1)
    return y, mean.ravel(), var.ravel(), of_x, of_weight.ravel(), of_bias.ravel()


@pytest.mark.parametrize(("count", "limit"), [(_LONGEST_SUM, 2e-5), (_LONGEST_SUM + 64, 3e-6)])
def test_batch_norm_on_both_sides_of_the_border(count, limit):
    """MXNet's own kernel for shorter sums, products with ones for longer ones."""
    rng = np.random.default_rng(0)
    x = rng.normal(1.0, 2.0, size=(64, CHANNELS, count // 64)).astype("float32")
    weight, bias = (rng.normal(size=CHANNELS).astype("float32") for _ in range(2))
    head = rng.normal(size=x.shape).astype("float32")
    with use_backend("mxnet", precision=32):

        def weighted(tensors):
            y, mean, var = batch_norm_train(*tensors, EPS)
            return xp.sum(y * xp.asarray(head)), (y, mean, var)

        inputs = [xp.asarray(a) for a in (x, weight, bias)]
        (_, outputs), gradients = value_and_grad(weighted, has_aux=True)(inputs)
        found = [xp.to_numpy(a) for a in (*outputs, *gradients)]
    for actual, expected in zip(found, by_hand(x, weight, bias, head), strict=True):
        assert np.max(np.abs(actual - expected)) <= limit * np.max(np.abs(expected))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_softmax_of_a_row_with_nan_is_nan_and_of_others_not(wrong):
    """oneDNN's kernel alone leaves zeros beside it, and a loss that picks one of these hides the fault."""
    scores = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    scores[2, 3] = wrong
    with use_backend("mxnet", precision=32):
        found = xp.to_numpy(softmax(xp.asarray(scores)))
    assert np.isnan(found[2]).all()
    np.testing.assert_allclose(np.delete(found, 2, axis=0).sum(-1), 1.0, rtol=1e-6)


def rolled_up_by_adam(weight):
    columns = [weight], [weight], [weight], [weight * weight]
    return adam(*columns, xp.asarray([0.1, 0.001, 1.0]), 0.01, 0.9, 0.999, 1e-8)[0][0]


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize(
    "function",
    [
        softmax,
        sigmoid,
        rolled_up_by_adam,
        xp.sum,
        xp.matmul,
        lambda w: xp.permute_dims(w, (1, 0, 2, 3)),
        lent_to_host,
    ],
    ids=["softmax", "sigmoid", "adam", "sum", "matmul", "permute_dims", "dlpack"],
)
def test_weights_in_the_order_of_onednn(function, groups):
    """A convolution outside of a recording may leave its weights in a layout that not every operator can read."""
    values = np.random.default_rng(0).normal(size=(8, 8 // groups, 3, 3)).astype("float32")
    arguments = 2 if function is xp.matmul else 1
    with use_backend("mxnet", precision=32):
        weight, fresh = xp.asarray(values), xp.asarray(values)
        conv(xp.ones((2, 8, 14, 14)), weight, groups=groups).wait_to_read()
        results = [function(*[w] * arguments) for w in (weight, fresh)]
        found, expected = (x if isinstance(x, np.ndarray) else xp.to_numpy(x) for x in results)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_adam_on_the_host_leaves_what_it_reads():
    """It computes in MXNet's own memory, and its results stay when that memory is used again."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(30, 40)).astype("float32") for _ in range(3)]
    arrays.append(np.abs(arrays[2]))
    progress = np.asarray([0.1, 0.001, 1.0], "float32")
    with use_backend("mxnet", precision=32):
        tensors = [xp.asarray(a) for a in arrays]
        results = adam(*[[x] for x in tensors], xp.asarray(progress), 0.01, 0.9, 0.999, 1e-8)
        kept = [xp.to_numpy(a) for a in tensors]
        del tensors
        _ = [xp.zeros((30, 40)) + 1.0 for _ in range(50)]
        found = [xp.to_numpy(a) for (a,) in results]
    with use_backend("numpy", precision=32):
        expected = adam(*[[x] for x in arrays], progress, 0.01, 0.9, 0.999, 1e-8)
    for before, after in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(before, after)
    for actual, (wanted,) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(actual, wanted)
