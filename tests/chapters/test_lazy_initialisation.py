"""Lazy initialisation: shapes by rule, weights at the first call, errors before and after."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.builders_guide import lazy_initialisation as lesson

from d2l_core import nn, optim, random, xp
from d2l_core.errors import CheckpointError, UsageError


def tensor(*shape):
    return xp.asarray(random.normal(shape, "test", "lazy"), dtype=xp.float_dtype())


@pytest.mark.parametrize(
    ("size", "window", "step", "padding"), [(28, 5, 1, 2), (14, 5, 1, 0), (7, 2, 2, 0), (10, 3, 3, 1)]
)
def test_places_by_listing_them(size, window, step, padding):
    listed = [start for start in range(0, size + 2 * padding, step) if start + window <= size + 2 * padding]
    assert lesson.places(size, window, step, padding) == len(listed)


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (3, 2, 33, 20)])
def test_the_rules_find_what_the_engine_finds(shape):
    by_rule, output = lesson.shapes_by_rule(lesson.network(), shape)
    model = lesson.network().initialise(tensor(*shape), seed=0)
    assert {path: p.shape for path, p in model.parameters().items()} == by_rule
    assert tuple(model(tensor(*shape)).shape) == output == (shape[0], 10)


def test_neither_values_nor_the_size_of_the_batch_nor_the_moment_matter():
    one, many = (
        nn.Sequential(nn.Linear(8), nn.Linear(2)).initialise(X, seed=7) for X in (tensor(1, 5), xp.ones((40, 5)))
    )
    explicit = nn.Sequential(nn.Linear(8, 5), nn.Linear(2, 8)).initialise(seed=7)
    for path, array in explicit.state_dict().items():
        np.testing.assert_array_equal(one.state_dict()[path], array)
        np.testing.assert_array_equal(many.state_dict()[path], array)


def test_the_lazy_affine_map_draws_what_the_library_draws():
    ours, theirs = lesson.LazyAffine(4), nn.Linear(4, bias=False).initialise(tensor(1, 6), seed=0)
    assert ours.weight is None
    np.testing.assert_allclose(xp.to_numpy(ours(tensor(5, 6))), xp.to_numpy(theirs(tensor(5, 6))), atol=1e-6)


def test_bilinear_by_loops():
    layer = lesson.Bilinear(2)
    assert layer.parameters() == {}
    X, Z = tensor(4, 3), tensor(4, 5)
    found, weight = xp.to_numpy(layer(X, Z)), xp.to_numpy(layer.weight)
    expected = [[x @ weight[k] @ z for k in range(2)] for x, z in zip(xp.to_numpy(X), xp.to_numpy(Z), strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_sizes_grow_with_the_square_of_the_side():
    table = lesson.sizes((28, 96))
    assert table[0].tolist() == [51902, 48120]
    assert table[1, 1] == 120 * (16 * 22 * 22 + 1)


def test_errors_before_and_after():
    model = lesson.network()
    with pytest.raises(ValueError, match="nothing to train"):
        optim.SGD(model, lr=0.1)
    with pytest.raises(CheckpointError, match="initialise it"):
        model.load_state_dict({"0.bias": np.zeros(6)})
    with pytest.raises(UsageError, match=r"no '7\.weight'"):
        model.get("7.weight")
    model.initialise(tensor(1, 1, 28, 28), seed=0)
    with pytest.raises(ValueError, match="does not fit together"):
        model(tensor(1, 1, 32, 32))


def test_a_swapped_layout_is_noticed_only_where_the_channels_are_stated():
    swapped = tensor(2, 28, 28, 1)
    model = lesson.small_network().initialise(swapped, seed=0)
    assert model.get("0.weight").shape == (6, 28, 5, 5)
    assert tuple(model(swapped).shape) == (2, 10)
    with pytest.raises(ValueError, match="does not fit together"):
        lesson.small_network(channels=1).initialise(swapped, seed=0)
