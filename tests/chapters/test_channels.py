"""Channels: banks of kernels, groups, costs, and what rank one means."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.convolutional_networks import channels as lesson
from d2l_chapters.convolutional_networks import channels_solutions as solutions

from d2l_core import nn, xp
from d2l_core.random import normal


def host(X, K):
    """An independent convolution on the host: X (n, c, h, w) and K (o, c, k, m)."""
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape[2:], axis=(2, 3))
    return np.einsum("ncijkm,ockm->noij", windows, K)


@pytest.mark.parametrize("f", [lesson.corr2d_multi, lesson.corr2d_multi_in_out])
@pytest.mark.parametrize("window", [(1, 1), (3, 2)])
def test_several_channels(f, window):
    X, K = normal((2, 3, 5, 6), "X"), normal((4, 3, *window), "K")
    np.testing.assert_allclose(xp.to_numpy(f(xp.asarray(X), xp.asarray(K))), host(X, K), atol=1e-5)


def test_stride_padding_and_bias():
    X, K, bias = normal((1, 2, 6, 6), "X"), normal((3, 2, 3, 3), "K"), np.array([1.0, 2.0, 3.0])
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = host(padded, K)[:, :, ::2, ::2] + bias[:, None, None]
    found = lesson.corr2d_multi(xp.asarray(X), xp.asarray(K), xp.asarray(bias), stride=2, padding=1)
    np.testing.assert_allclose(xp.to_numpy(found), expected, atol=1e-5)


def test_pointwise_is_a_dense_layer_for_each_pixel():
    X, K = normal((2, 3, 4, 5), "X"), normal((6, 3), "K")
    found = xp.to_numpy(lesson.pointwise(xp.asarray(X), xp.asarray(K)))
    np.testing.assert_allclose(found[1, :, 2, 3], K @ X[1, :, 2, 3], atol=1e-5)


def test_a_layer_has_as_many_parameters_as_cost_says():
    for c, o, k, groups in ((3, 8, 5, 1), (8, 8, 3, 8), (8, 4, 1, 2)):
        layer = nn.Conv2d(o, k, c, groups=groups, bias=False)
        assert int(np.prod(layer.weight.shape)) == lesson.cost(c, o, k, 1, 1, groups)[0]
    assert lesson.cost(256, 256, 3, 28, 28)[1] == 256 * 256 * 9 * 784


def test_groups_do_not_exchange_anything():
    split, whole = lesson.influences(2), lesson.influences(1)
    assert np.all(whole > 0)
    assert np.all(split[:2] > 0)
    np.testing.assert_array_equal(split[2:], 0.0)
    assert np.all(lesson.influences(2, shuffle=lambda X: solutions.shuffle(X, 2)) > 0)


def test_separable_means_rank_one():
    D, P = normal((3, 1, 3, 3), "D"), normal((5, 3, 1, 1), "P")
    K = xp.to_numpy(lesson.merged(xp.asarray(D), xp.asarray(P)))
    assert K.shape == (5, 3, 3, 3)
    near, kept = lesson.best_separable(K.astype(np.float64))
    assert kept == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(near, K, atol=1e-5)
    assert lesson.best_separable(normal((5, 3, 3, 3), "K"))[1] < 0.7


@pytest.mark.parametrize("name", lesson.jobs)
def test_jobs_learn(name):
    run = lesson.jobs[name].run("smoke", epochs=3)
    assert run.history.final("loss") < 0.95 * run.history.losses[0]
    assert run.history.final("val_acc") > 0.2
