"""Layers that normalise single examples, and how they are related."""

from __future__ import annotations

import numpy as np

from d2l_core import interface as xp
from d2l_core import nn


def images(*shape, seed=0):
    return xp.asarray(np.random.default_rng(seed).normal(3.0, 2.0, size=shape))


def close(one, other, units=64):
    one, other = xp.to_numpy(one), xp.to_numpy(other)
    np.testing.assert_allclose(one, other, rtol=0, atol=units * np.finfo(one.dtype).eps)


def test_rows_have_mean_zero_and_variance_one(backend):
    x = images(4, 5, 16)
    y = xp.to_numpy(nn.LayerNorm().initialise(x)(x)).astype(np.float64)
    np.testing.assert_allclose(y.mean(-1), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.var(-1), 1.0, atol=1e-4)


def test_layer_norm_learns_one_scale_an_element(backend):
    x = images(2, 3, 4)
    layer = nn.LayerNorm((3, 4)).initialise()
    assert {p.shape for p in layer.parameters().values()} == {(3, 4)}
    y, moved = (xp.to_numpy(layer(batch)) for batch in (x, 2.0 * x + 5.0))
    np.testing.assert_allclose(y, moved, atol=1e-5)  # eps counts for more beside the smaller variance


def test_groups_of_one_channel_are_instances(backend):
    x = images(2, 6, 4, 5)
    close(nn.GroupNorm(6).initialise(x)(x), nn.InstanceNorm().initialise(x)(x))


def test_one_group_is_layer_normalisation_over_channels_and_space(backend):
    x = images(2, 6, 4, 5)
    close(nn.GroupNorm(1).initialise(x)(x), nn.LayerNorm((6, 4, 5)).initialise()(x))


def test_examples_do_not_know_of_each_other(backend):
    x = images(3, 6, 4)
    for layer in (nn.LayerNorm(), nn.RMSNorm(), nn.GroupNorm(2), nn.InstanceNorm()):
        layer.initialise(x)
        close(layer(x)[:1], layer(x[:1]))


def test_root_mean_square_becomes_one(backend):
    x = images(4, 16)
    y = xp.to_numpy(nn.RMSNorm().initialise(x)(x)).astype(np.float64)
    np.testing.assert_allclose(np.mean(y**2, -1), 1.0, atol=1e-5)
