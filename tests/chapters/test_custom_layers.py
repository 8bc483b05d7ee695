"""Custom layers: rounding forwards, straight through backwards, and what it is good for."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.builders_guide import custom_layers as lesson

from d2l_core import nn, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.errors import UsageError
from d2l_core.nn.functional import squared_error


def tensor(*shape, name="x"):
    return xp.asarray(random.normal(shape, "test", name), dtype=xp.float_dtype())


def test_rounded_are_the_nearest_multiples():
    x = tensor(200)
    found = xp.to_numpy(lesson.rounded(x, 0.25))
    np.testing.assert_allclose(found / 0.25, np.round(found / 0.25), atol=1e-5)
    assert np.abs(found - xp.to_numpy(x)).max() <= 0.125 + 1e-6


@pytest.mark.parametrize("function", [lesson.straight_through, lesson.straight_through_by_rule])
def test_straight_through_passes_the_gradient_of_the_value_in_use(function):
    x, step = tensor(50), xp.asarray(0.5, dtype=xp.float_dtype())
    value, gradient = value_and_grad(lambda x: xp.sum(xp.square(function(x, step))))(x)
    used = xp.to_numpy(lesson.rounded(x, step))
    assert float(value) == pytest.approx((used**2).sum(), rel=1e-5)
    np.testing.assert_allclose(xp.to_numpy(gradient), 2.0 * used, atol=1e-5)


@pytest.mark.parametrize("bits", [2, 4])
def test_a_layer_of_few_bits_has_few_levels_and_trains_fine_ones(bits):
    layer = lesson.RoundedAffine(40, 30, bits).initialise(seed=0)
    used, fine = xp.to_numpy(layer.weight_in_use()), xp.to_numpy(layer.weight)
    assert len(np.unique(np.round(used, 5))) == 2**bits - 1
    assert np.abs(used).max() == pytest.approx(np.abs(fine).max(), rel=1e-5)
    _, gradients = value_and_grad(lambda X: xp.sum(layer(X)), layer)(tensor(8, 40))
    expected = np.broadcast_to(xp.to_numpy(tensor(8, 40)).sum(axis=0), (30, 40))
    np.testing.assert_allclose(xp.to_numpy(gradients["weight"]), expected, rtol=1e-4, atol=1e-5)


def test_affine_is_the_library_layer():
    ours, theirs = lesson.Affine(6, 3).initialise(seed=4), nn.Linear(3, 6).initialise(seed=4)
    np.testing.assert_allclose(xp.to_numpy(ours(tensor(5, 6))), xp.to_numpy(theirs(tensor(5, 6))), atol=1e-6)


def test_training_with_rounding_beats_rounding_afterwards():
    X = tensor(200, 5)
    y = xp.tanh(X[:, :1] + X[:, 1:2]) + 0.5 * X[:, 2:3]
    fine = lesson.network(num_hiddens=16).initialise(seed=0)
    first = float(squared_error(fine(X), y))
    assert lesson.fit(fine, X, y, 150) < 0.1 * first
    after, during = (lesson.network(3, num_hiddens=16).initialise(seed=0) for _ in range(2))
    after.load_state_dict(fine.state_dict())
    lesson.fit(during, X, y, 150)
    assert float(squared_error(during(X), y)) < float(squared_error(after(X), y))


def test_the_true_derivative_moves_no_weight():
    layer = lesson.FlatAffine(5, 3, 4).initialise(seed=0)
    _, gradients = value_and_grad(lambda X: xp.sum(xp.square(layer(X))), layer)(tensor(10, 5))
    assert np.abs(xp.to_numpy(gradients["weight"])).max() == 0.0
    assert np.abs(xp.to_numpy(gradients["bias"])).max() > 0.0


def test_a_rule_with_a_wrong_shape_is_refused():
    with pytest.raises(UsageError, match="one gradient of the same shape"):
        value_and_grad(lambda b: xp.sum(lesson.shifted(tensor(4, 5), b)))(xp.zeros((5,)))
