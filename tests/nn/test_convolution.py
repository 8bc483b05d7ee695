"""Layers that slide over signals, images and volumes."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_conformance import oracle, oracle_layers

from d2l_core import interface as xp
from d2l_core import nn
from d2l_core.errors import UsageError

PRECISIONS = (64,)
"""The functions are tested at both in `conformance`; here it is what the layers make of them."""

PICTURES = {1: (2, 4, 9), 2: (2, 4, 6, 7), 3: (2, 4, 5, 4, 6)}
AXES = pytest.mark.parametrize("axes", [1, 2, 3])


def pictures(axes):
    return xp.asarray(np.random.default_rng(axes).normal(size=PICTURES[axes]))


def of(name, axes):
    return getattr(nn, f"{name}{axes}d")


def agree(tensor, expected, x):
    got = xp.to_numpy(tensor)
    assert got.shape == expected.shape
    scale = np.max(np.abs(expected)) * np.finfo(xp.to_numpy(x).dtype).eps
    np.testing.assert_allclose(got, expected, rtol=0, atol=64 * scale)


def drawn(layer, x, **initial):
    layer = layer.initialise(x, seed=3)
    values = {path: value.astype(np.float64) for path, value in layer.state_dict().items()}
    return layer, values["weight"], values["bias"]


@AXES
def test_convolution_is_the_definition(backend, axes):
    x = pictures(axes)
    layer = of("Conv", axes)(6, 2, stride=2, padding=1, groups=2, bias_init=nn.initialisers.Normal(1.0))
    layer, weight, bias = drawn(layer, x)
    assert weight.shape == (6, 2) + (2,) * axes
    agree(layer(x), oracle.conv(xp.to_numpy(x).astype(np.float64), weight, bias, 2, 1, 1, 2), x)


@AXES
def test_transposed_convolution_is_the_definition(backend, axes):
    x = pictures(axes)
    layer = of("ConvTranspose", axes)(
        6, 3, stride=2, padding=1, output_padding=1, groups=2, bias_init=nn.initialisers.Normal(1.0)
    )
    layer, weight, bias = drawn(layer, x)
    assert weight.shape == (4, 3) + (3,) * axes
    wide = xp.to_numpy(x).astype(np.float64)
    agree(layer(x), oracle_layers.conv_transpose(wide, weight, bias, 2, 1, 1, 1, 2), x)
    assert layer(x).shape[2:] == tuple(2 * n for n in x.shape[2:])


@AXES
def test_transposed_convolution_undoes_the_shape_of_a_convolution(backend, axes):
    x = xp.zeros((1, 2, *(2 * n for n in PICTURES[axes][2:])))
    down = of("Conv", axes)(3, 4, stride=2, padding=1).initialise(x)
    up = of("ConvTranspose", axes)(2, 4, stride=2, padding=1).initialise(down(x))
    assert tuple(up(down(x)).shape) == tuple(x.shape)


@AXES
@pytest.mark.parametrize(("name", "expected"), [("MaxPool", oracle.max_pool), ("AvgPool", oracle.avg_pool)])
def test_pooling_is_the_definition(backend, name, expected, axes):
    x = pictures(axes)
    agree(of(name, axes)(3, stride=2, padding=1)(x), expected(xp.to_numpy(x), 3, 2, 1), x)


@AXES
def test_pooling_to_a_size(backend, axes):
    x = pictures(axes)
    for layer, expected in (
        (nn.AdaptiveAvgPool(3), oracle_layers.adaptive_avg_pool(xp.to_numpy(x), 3)),
        (nn.AdaptiveMaxPool((2,) * axes), oracle_layers.adaptive_max_pool(xp.to_numpy(x), 2)),
        (nn.GlobalAvgPool(), xp.to_numpy(x).mean(tuple(range(2, axes + 2)))),
    ):
        agree(layer(x), expected, x)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(nn.MaxPool3d, (2,)), (nn.AvgPool1d, (2,)), (nn.Conv3d, (2, 3)), (nn.ConvTranspose1d, (2, 3))],
)
def test_a_layer_for_other_axes_is_refused(backend, kind, settings):
    layer = kind(*settings)
    with pytest.raises(UsageError, match=rf"{kind.__name__} takes inputs of .* choose the layer for 2"):
        layer.initialise(pictures(2))(pictures(2))


def test_operations_are_counted(backend):
    x = xp.zeros((2, 3, 4, 4, 4))
    counts = {
        nn.Conv3d(5, 3, padding=1): 2 * 3 * 27 * 2 * 5 * 64,
        nn.ConvTranspose3d(6, 2, stride=2, bias=False): 2 * 6 * 8 * 2 * 3 * 64,
        nn.MaxPool3d(2): 8 * 2 * 3 * 8,
        nn.AdaptiveAvgPool(3): 2 * 3 * 6**3,
        nn.GlobalAvgPool(): 2 * 3 * 64,
    }
    for layer, expected in counts.items():
        assert nn.summary(layer, x).flops == expected
