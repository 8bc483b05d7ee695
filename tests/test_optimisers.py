"""Learning rates, groups, clipping and wrong settings of optimisers; their formulas are tested in `conformance`."""

import math

import numpy as np
import pytest

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import Loader
from d2l_core.nn.functional import squared_error
from d2l_core.optim import Group, biases_and_norms
from d2l_core.training import Data, Trainer

PRECISIONS = (64,)
ALL = [optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adadelta, optim.Adam, optim.AdamW, optim.Yogi, optim.Lion]


def network():
    """Paths: 0.weight, 0.bias, 1.weight, 1.bias (a batch normalisation) and 2.weight, 2.bias."""
    return nn.Sequential(nn.Linear(4), nn.BatchNorm(), nn.Linear(2)).initialise(xp.zeros((3, 5)), seed=1)


def moves(optimiser, module, size=1.0):
    """How far each parameter moves in one step with the gradient `size` everywhere."""
    before = module.state_dict()
    optimiser.update({path: xp.full(p.shape, size) for path, p in optimiser.parameters.items()})
    after = module.state_dict()
    return {path: after[path] - before[path] for path in optimiser.parameters}


def test_biases_and_norms_without_decay_in_one_line(backend):
    module = network()
    before = module.state_dict()
    optimiser = optim.SGD(module, 0.1, weight_decay=0.5, groups=[Group(biases_and_norms, weight_decay=0.0)])
    moved = moves(optimiser, module, size=0.0)
    for path in ("0.weight", "2.weight"):
        np.testing.assert_allclose(moved[path], -0.05 * before[path], rtol=1e-12)
    for path in ("0.bias", "1.weight", "1.bias", "2.bias"):
        np.testing.assert_array_equal(moved[path], 0.0)


def test_later_groups_change_only_what_they_name(backend):
    module = network()
    before = module.state_dict()
    groups = [Group("0.*", lr_scale=0.1), Group("*.weight", weight_decay=2.0), Group("2.weight", lr_scale=3.0)]
    moved = moves(optim.SGD(module, 0.5, groups=groups), module)
    np.testing.assert_allclose(moved["0.weight"], -0.05 * (1 + 2 * before["0.weight"]), rtol=1e-12)
    np.testing.assert_allclose(moved["0.bias"], -0.05, rtol=1e-12)
    np.testing.assert_allclose(moved["1.bias"], -0.5, rtol=1e-12)
    np.testing.assert_allclose(moved["2.weight"], -1.5 * (1 + 2 * before["2.weight"]), rtol=1e-12)


def test_decoupled_decay_follows_the_rate_of_its_group(backend):
    module = network()
    before = module.state_dict()
    optimiser = optim.AdamW(module, 0.5, weight_decay=0.2, groups=[Group("2.weight", lr_scale=0.1)])
    moved = moves(optimiser, module, size=0.0)
    np.testing.assert_allclose(moved["0.weight"], -0.1 * before["0.weight"], rtol=1e-12)
    np.testing.assert_allclose(moved["2.weight"], -0.01 * before["2.weight"], rtol=1e-12)


def test_freezing_in_the_middle(backend):
    module = network()
    optimiser = optim.SGD(module, 0.1, momentum=0.9)
    of_outputs = value_and_grad(lambda x: xp.sum(module(x)), module)
    optimiser.update(of_outputs(xp.ones((3, 5)))[1])
    module.get("0").freeze()
    before = module.state_dict()
    optimiser.update(of_outputs(xp.ones((3, 5)))[1])
    after = module.state_dict()
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])
    assert np.abs(after["2.bias"] - before["2.bias"]).min() > 0


def test_a_missing_gradient_is_named(backend):
    module = network()
    with pytest.raises(ValueError, match=r"no gradient of 0\.weight"):
        optim.SGD(module, 0.1).update({})


@pytest.mark.parametrize("kind", ALL)
def test_frozen_parameters_stay(kind, backend):
    module = network()
    module[0].freeze()
    before = module.state_dict()
    optimiser = kind(module, 0.1, groups=[Group("0.*", lr_scale=0.5)])
    moves(optimiser, module)
    after = module.state_dict()
    assert set(optimiser.parameters) == {"1.weight", "1.bias", "2.weight", "2.bias"}
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])
    assert np.all(after["2.weight"] != before["2.weight"])


@pytest.mark.parametrize("kind", ALL)
def test_a_line_is_found_by_each(kind, backend):
    X = xp.asarray(np.linspace(-1.0, 1.0, 20)[:, None])
    y = 3.0 * X - 1.0
    model = nn.Linear(1).initialise(X, seed=0)
    rate = {optim.SGD: 0.3, optim.Adadelta: 20.0, optim.Adagrad: 0.5, optim.RMSprop: 0.05}.get(kind, 0.1)
    optimiser = kind(model, optim.schedules.Polynomial(rate), weight_decay=0.0)
    step = value_and_grad(lambda X, y: squared_error(model(X), y), model)
    for i in range(200):
        loss, gradients = step(X, y)
        optimiser.update(gradients, optimiser.rate(i, 200))
    assert float(xp.to_numpy(loss)) < 1e-2


@pytest.mark.parametrize("kind", ALL)
def test_a_resumed_run_has_the_same_bits(kind, tmp_path):
    """All of an optimiser's state is in its slots."""

    def fit(trainer):
        X = random.normal((32, 3), "X")
        data = Data(Loader((X, X[:, :1]), 8, shuffle=True, stream=(0, "s")), Loader((X, X[:, :1]), 32))
        model = nn.Linear(1)
        trainer.fit(model, data, loss=squared_error, optimiser=lambda m: kind(m, 0.01, weight_decay=0.1))
        return model.state_dict()

    file = tmp_path / "run.safetensors"
    whole = fit(Trainer(3))
    fit(Trainer(1, checkpoint=file))
    resumed = fit(Trainer(3, checkpoint=file, resume=True))
    for path, array in whole.items():
        assert array.tobytes() == resumed[path].tobytes()


def test_clipping_by_value(backend):
    gradients = {"a": xp.asarray([-3.0, -0.1, 0.0, 0.2, 5.0, math.nan]), "b": xp.asarray([[0.3]])}
    clipped = optim.clip_by_value(gradients, 0.2)
    np.testing.assert_array_equal(xp.to_numpy(clipped["a"]), [-0.2, -0.1, 0.0, 0.2, 0.2, math.nan])
    np.testing.assert_array_equal(xp.to_numpy(clipped["b"]), [[0.2]])


def test_the_trainer_clips_by_value():
    """With plain descent no element can move further than the rate times the limit."""
    X = random.normal((8, 3), "X")
    data = Data(Loader((X, 100 * X[:, :1]), 8), Loader((X, X[:, :1]), 8))
    model = nn.Linear(1)
    start = nn.Linear(1).initialise(xp.asarray(X), seed=0).state_dict()
    Trainer(1, clip_value=0.01).fit(model, data, loss=squared_error, optimiser=lambda m: optim.SGD(m, lr=0.5))
    moved = np.abs(model.state_dict()["weight"] - start["weight"])
    assert moved.max() == pytest.approx(0.005, rel=1e-4)


def test_a_scheduled_update_wants_its_rate():
    optimiser = optim.SGD(network(), optim.schedules.Polynomial(0.1))
    with pytest.raises(ValueError, match="follows a schedule; pass update the one of this step"):
        optimiser.update({})


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"lr": -0.1}, "lr is -0.1; choose 0 or more."),
        ({"lr": math.nan}, "lr is nan; choose 0 or more."),
        ({"lr": 0.1, "weight_decay": -1.0}, "weight_decay is -1.0; choose 0 or more."),
        (
            {"lr": 0.1, "groups": [Group("nothing.*")]},
            r"The group 'nothing.\*' matches no parameter; paths look like '0.",
        ),
    ],
)
def test_every_optimiser_names_a_wrong_setting(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(network(), **settings)


@pytest.mark.parametrize(
    ("kind", "settings", "name"),
    [
        (optim.SGD, {"momentum": 1.0}, "momentum is 1.0; choose a number from 0"),
        (optim.SGD, {"nesterov": True}, "Nesterov's form needs momentum"),
        (optim.Adagrad, {"eps": -1e-9}, "eps is -1e-09; choose 0 or more"),
        (optim.RMSprop, {"rho": 1.0}, "rho is 1.0; choose a number from 0"),
        (optim.RMSprop, {"momentum": -0.1}, "momentum is -0.1; choose a number from 0"),
        (optim.RMSprop, {"eps": -1.0}, "eps is -1.0; choose 0 or more"),
        (optim.Adadelta, {"rho": -0.5}, "rho is -0.5; choose a number from 0"),
        (optim.Adadelta, {"eps": -1.0}, "eps is -1.0; choose 0 or more"),
        (optim.Adam, {"beta1": 1.0}, "beta1 is 1.0; choose a number from 0"),
        (optim.AdamW, {"beta2": 1.5}, "beta2 is 1.5; choose a number from 0"),
        (optim.Yogi, {"eps": -1.0}, "eps is -1.0; choose 0 or more"),
        (optim.Lion, {"beta2": -0.1}, "beta2 is -0.1; choose a number from 0"),
    ],
)
def test_wrong_settings_of_one_optimiser(kind, settings, name):
    with pytest.raises(ValueError, match=name):
        kind(network(), 0.1, **settings)


def test_wrong_groups_and_limits_are_named():
    with pytest.raises(ValueError, match=r"lr_scale is -1.0; choose 0 or more."):
        Group("*", lr_scale=-1.0)
    with pytest.raises(ValueError, match=r"weight_decay is -1.0; choose 0 or more."):
        Group("*", weight_decay=-1.0)
    for clip in (optim.clip_by_norm, optim.clip_by_value):
        with pytest.raises(ValueError, match=r"limit is 0.0; choose a number greater than 0."):
            clip({}, 0.0)


def test_a_module_with_nothing_to_train():
    with pytest.raises(ValueError, match="Linear has nothing to train; initialise it with a batch"):
        optim.SGD(nn.Linear(1), 0.1)
    with pytest.raises(ValueError, match="or unfreeze a parameter"):
        optim.SGD(network().freeze(), 0.1)
