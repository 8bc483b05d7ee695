"""Modules: paths, first values, state, tied and frozen parameters, the same on every backend."""

import numpy as np
import pytest

from d2l_core import nn, random, use_backend, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.backend import adapters
from d2l_core.errors import CheckpointError, UsageError


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3))


def images(n=4):
    return random.normal((n, 1, 3, 3), "images")


class Twice(nn.Module):
    """One affine map, used under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = self.first
        self.scale = nn.Parameter([2.0])

    def forward(self, x):
        return self.second(self.first(x)) * self.scale


def test_paths_and_shapes(backend):
    model = perceptron().initialise(xp.asarray(images()))
    shapes = {path: v.shape for path, v in model.variables().items()}
    assert shapes == {"1.weight": (8, 9), "1.bias": (8,), "3.calls": (1,), "4.weight": (3, 8), "4.bias": (3,)}


def test_first_values_come_from_seed_and_path(backend, precision):
    weight = perceptron().initialise(xp.asarray(images()), seed=3).state_dict()["4.weight"]
    drawn = nn.initialisers.XavierUniform()((3, 8), ("init", "4.weight", 3))
    np.testing.assert_array_equal(weight, drawn.astype(f"float{precision}"))
    other = perceptron().initialise(xp.asarray(images()), seed=4).state_dict()["4.weight"]
    assert not np.array_equal(weight, other)


def test_initialising_leaves_state_and_mode_alone(backend):
    model = nn.Sequential(nn.BatchNorm(), nn.Dropout(0.5)).initialise(xp.asarray(images()))
    assert model.training
    state = model.state_dict()
    np.testing.assert_array_equal(state["0.running_mean"], 0.0)
    np.testing.assert_array_equal(state["1.calls"], 0)


def test_dropout_counts_its_calls_and_draws_anew(backend):
    layer = nn.Dropout(0.5).initialise(seed=0)
    x = xp.ones((50,))
    first, second = xp.to_numpy(layer(x)), xp.to_numpy(layer(x))
    assert set(np.unique(first)) == {0.0, 2.0}
    assert not np.array_equal(first, second)
    assert xp.to_numpy(layer.calls).tolist() == [2]
    np.testing.assert_array_equal(xp.to_numpy(layer.evaluate()(x)), 1.0)


def test_tied_parameters_are_one(backend):
    model = Twice()
    assert list(model.variables()) == ["scale", "first.weight", "first.bias"]
    x = xp.asarray(images()[:, 0])
    _, gradient = value_and_grad(lambda x: xp.sum(model(x)), model)(x)
    model.first._variables["weight"].value = xp.zeros((3, 3))
    np.testing.assert_array_equal(xp.to_numpy(model.second.weight), 0.0)
    assert gradient.keys() == {"scale", "first.weight", "first.bias"}


def test_frozen_parameters_get_no_gradient(backend):
    model = perceptron().initialise(xp.asarray(images()))
    model[1].freeze()
    _, gradient = value_and_grad(lambda x: xp.sum(model(x)), model)(xp.asarray(images()))
    assert gradient.keys() == {"4.weight", "4.bias"}


def test_buffers_written_inside_a_gradient_stay_written(backend):
    model = nn.BatchNorm().initialise(xp.asarray(images()))
    x = xp.asarray(images())
    value_and_grad(lambda x: xp.sum(model(x) ** 2), model)(x)
    batch = images()[:, 0]
    np.testing.assert_allclose(xp.to_numpy(model.running_mean), [0.1 * batch.mean()], rtol=1e-5)
    np.testing.assert_allclose(xp.to_numpy(model.running_var), [0.9 + 0.1 * batch.var(ddof=1)], rtol=1e-5)


def test_probing_sees_every_module(backend):
    model = perceptron()
    seen = []
    with nn.probing(lambda path, output: (seen.append(path), output)[1]):
        model.evaluate()(xp.asarray(images()))
    assert seen[-6:] == ["0", "1", "2", "3", "4", ""]


def test_state_of_another_model_is_refused_and_nothing_changes(backend):
    model = perceptron().initialise(xp.asarray(images()))
    before = model.state_dict()
    wrong = {**before, "1.weight": np.zeros((8, 10))}
    with pytest.raises(CheckpointError, match=r"1\.weight has shape \(8, 10\) there and \(8, 9\) here"):
        model.load_state_dict(wrong)
    del wrong["4.bias"]
    with pytest.raises(CheckpointError, match=r"missing: 4\.bias"):
        model.load_state_dict(wrong | {"5.bias": np.zeros(1)})
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_one_checkpoint_gives_the_same_logits_on_all_backends_of_one_process():
    state, logits = None, {}
    for name in [name for name, adapter in adapters().items() if not adapter.missing()]:
        with use_backend(name, precision=64):
            model = nn.Sequential(
                nn.Conv2d(4, 3, padding=1), nn.BatchNorm(), nn.Sigmoid(), nn.AvgPool2d(2), perceptron()
            )
            x = xp.asarray(random.normal((5, 1, 8, 8), "x"))
            model.initialise(x, seed=1).evaluate()
            state = state or model.state_dict()
            model.load_state_dict(state)
            logits[name] = xp.to_numpy(model(x))
    reference = next(iter(logits.values()))
    for name, found in logits.items():
        np.testing.assert_allclose(found, reference, rtol=1e-12, err_msg=name)


def test_unknown_attribute_and_missing_forward_are_explained(backend):
    with pytest.raises(AttributeError, match="Linear has no attribute 'wieght'"):
        _ = nn.Linear(1).wieght
    with pytest.raises(TypeError, match="defines no forward"):
        nn.Module()(xp.ones(1))


def test_repr_shows_the_tree():
    text = repr(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    assert "0: Linear(2 -> 3)" in text
    assert "1: ReLU(relu)" in text


def test_inputs_that_do_not_fit_leave_it_ready_for_others(backend):
    layer = nn.Conv2d(3, 3)
    with pytest.raises(UsageError, match="Conv2d"):
        layer.initialise(xp.ones((2, 5)), seed=0)
    assert layer(xp.ones((1, 2, 5, 5))).shape == (1, 3, 3, 3)
