"""Parts of a model: found by path, tied, frozen, replaced, drawn anew, copied."""

import math

import numpy as np
import pytest

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.errors import UsageError
from d2l_core.nn import initialisers


def images(n=4):
    return xp.asarray(random.normal((n, 1, 3, 3), "images"), dtype=xp.ones(1).dtype)


def network():
    return nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(8), nn.BatchNorm(), nn.ReLU()), nn.Linear(3))


class Tied(nn.Module):
    """Token scores from the table that embeds the tokens."""

    def __init__(self, decoder):
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.decoder = decoder
        self.decoder.weight = self.embedding.get("weight")

    def forward(self, tokens):
        return self.decoder(self.embedding(tokens))


def tokens():
    return xp.asarray(np.array([0, 3, 3], np.int64))


def squared(model, *inputs):
    return value_and_grad(lambda: xp.sum(model(*inputs) ** 2), model)()


# ---------------------------------------------------------------- paths


def test_every_path_leads_to_its_part(backend):
    model = network().initialise(images())
    for path, variable in model.variables().items():
        assert model.get(path) is variable
    for path, module in model.named_modules():
        assert model.get(path) is module
    assert list(model.children()) == ["0", "1", "2"]


def test_a_wrong_path_is_answered_by_the_names_there(backend):
    model = network().initialise(images())
    with pytest.raises(UsageError, match=r"There is no '1\.0\.wieght': 1\.0 has weight, bias; name one of them\."):
        model.get("1.0.wieght")
    with pytest.raises(UsageError, match=r"There is no '2\.weight\.x': 2\.weight has no parts"):
        model.get("2.weight.x")
    with pytest.raises(UsageError, match=r"There is no '7': Sequential has 0, 1, 2;"):
        model.replace("7", nn.ReLU())


@pytest.mark.parametrize("name", ["path", "seed", "training"])
def test_names_of_the_base_class_cannot_be_parts(name):
    with pytest.raises(UsageError, match=f"attribute '{name}' of its own; call this part otherwise"):
        setattr(nn.Module(), name, nn.ReLU())


def test_none_and_del_take_parts_away(backend):
    layer = nn.Linear(2, 2)
    layer.bias = None
    layer.has_bias = False
    assert list(layer.initialise().state_dict()) == ["weight"]
    model = nn.Sequential(layer)
    del model.get("0").weight
    with pytest.raises(AttributeError, match="Linear has no attribute 'weight'"):
        del layer.weight
    model.extra = nn.ReLU()
    model.extra = None
    assert list(model.children()) == ["0"]
    assert model.extra is None


# ---------------------------------------------------------------- ties


@pytest.mark.parametrize("in_features", [4, None], ids=["sizes given", "sizes learned"])
def test_a_tied_parameter_is_one(backend, in_features):
    model = Tied(nn.Linear(5, in_features, bias=False)).initialise(tokens())
    assert list(model.parameters()) == ["embedding.weight"]
    assert model.get("decoder.weight") is model.get("embedding.weight")
    assert model.state_dict().keys() == {"embedding.weight"}
    _, gradient = squared(model, tokens())
    table = model.state_dict()["embedding.weight"].astype(np.float64)
    rows = np.eye(5)[[0, 3, 3]]
    scores = rows @ table @ table.T
    expected = rows.T @ (2 * scores @ table) + (2 * scores).T @ rows @ table
    np.testing.assert_allclose(xp.to_numpy(gradient["embedding.weight"]), expected, rtol=2e-5)


def test_a_tied_parameter_of_the_wrong_shape_is_refused(backend):
    model = Tied(nn.Linear(6, bias=False))
    with pytest.raises(
        UsageError, match=r"'weight' given to Linear has shape \(5, 4\), but these inputs need \(6, 4\)"
    ):
        model(tokens())


def test_repeated_places_are_walked_on_request_and_cycles_end():
    shared = nn.Sequential(nn.Linear(1, 1))
    model = nn.ModuleList([shared, shared])
    shared.parent = model
    assert [path for path, _ in model.named_modules()] == ["", "0", "0.0"]
    assert [path for path, _ in model.named_modules(repeated=True)] == ["", "0", "0.0", "1", "1.0"]
    assert [path for path, _ in model.named_variables()] == ["0.0.weight", "0.0.bias"]
    assert "1: Sequential(), the same as 0" in repr(model)
    assert "parent: ModuleList(), the same as the whole" in repr(model)


# ---------------------------------------------------------------- freezing


def test_freezing_before_the_sizes_are_known(backend):
    model = network()
    model[1].freeze()
    model.initialise(images())
    _, gradient = squared(model, images())
    assert gradient.keys() == {"2.weight", "2.bias"}
    model.unfreeze()
    _, gradient = squared(model, images())
    assert gradient.keys() == model.parameters().keys()


def test_an_optimiser_leaves_frozen_parameters_alone(backend):
    model = network().initialise(images())
    model.get("1").freeze()
    model.get("2.bias").trainable = False
    before = model.state_dict()
    optimiser = optim.SGD(model, 0.1, weight_decay=0.1)

    def step(x):
        value, gradient = squared(model, x)
        optimiser.update(gradient)
        return value

    compiled(step, list(model.variables().values()))(images())
    changed = {path for path, array in model.state_dict().items() if not np.array_equal(array, before[path])}
    assert changed == {"2.weight", "1.1.running_mean", "1.1.running_var"}


# ---------------------------------------------------------------- replacing


def test_a_new_layer_draws_under_its_path_and_the_seed_of_the_tree(backend, precision):
    model = network().initialise(images(), seed=3).evaluate()
    model.replace("2", nn.Sequential(nn.Dropout(0.5), nn.Linear(5)))
    assert model(images()).shape == (4, 5)
    assert model.state_dict()["2.1.weight"].shape == (5, 8)
    drawn = initialisers.XavierUniform()((5, 8), ("init", "2.1.weight", 3))
    np.testing.assert_array_equal(model.state_dict()["2.1.weight"], drawn.astype(f"float{precision}"))
    assert not model.get("2.0").training


def test_a_parameter_can_be_replaced(backend):
    model = network().initialise(images())
    model.replace("2.bias", nn.Parameter([1.0, 2.0, 3.0]))
    model.get("2.weight").value = xp.zeros((3, 8))
    np.testing.assert_array_equal(xp.to_numpy(model(images())), [[1.0, 2.0, 3.0]] * 4)
    with pytest.raises(UsageError, match="A module cannot replace itself"):
        model.replace("", nn.ReLU())


# ---------------------------------------------------------------- initial values


def ramp(shape, key):
    """An initialiser of one's own: 0, 1, 2 ..."""
    return np.arange(math.prod(shape), dtype=np.float64).reshape(shape)


def test_an_initialiser_of_ones_own(backend):
    layer = nn.Linear(2, 3, weight_init=ramp).initialise()
    np.testing.assert_array_equal(xp.to_numpy(layer.weight), [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match=r"gave values of shape \(2,\) for a variable of shape \(2, 3\)"):
        nn.Linear(2, 3, weight_init=lambda shape, key: np.zeros(2)).initialise()


@pytest.mark.parametrize("initialised", [True, False])
def test_reinitialising_by_type(backend, precision, initialised):
    model = network()
    if initialised:
        model.initialise(images(), seed=2)
    model.reinitialise(nn.Linear, weight=initialisers.Normal(0.5), bias=ramp)
    model.initialise(images(), seed=2)
    state = model.state_dict()
    drawn = initialisers.Normal(0.5)((3, 8), ("init", "2.weight", 2))
    np.testing.assert_array_equal(state["2.weight"], drawn.astype(f"float{precision}"))
    np.testing.assert_array_equal(state["1.0.bias"], np.arange(8))
    np.testing.assert_array_equal(state["1.1.bias"], 0.0)


def test_reinitialising_all_is_a_new_start(backend):
    model = network().initialise(images(), seed=1)
    start = model.state_dict()
    model(images())
    model.get("2.weight").assign(np.ones((3, 8)))
    model.reinitialise()
    assert all(np.array_equal(array, start[path]) for path, array in model.state_dict().items())
    model.reinitialise(seed=9)
    other = network().initialise(images(), seed=9).state_dict()
    assert all(np.array_equal(array, other[path]) for path, array in model.state_dict().items())


def test_a_name_or_type_that_does_not_occur_is_refused(backend):
    model = network().initialise(images())
    with pytest.raises(UsageError, match="None of these modules has a parameter 'wieght'; they have: weight, bias"):
        model.reinitialise(nn.Linear, wieght=ramp)
    with pytest.raises(UsageError, match="Sequential holds no module of this kind"):
        model.reinitialise(nn.Conv2d, weight=ramp)


def test_apply_visits_each_module_once_children_first():
    model, seen = network(), []
    model.append(model[2])
    assert model.apply(lambda module: seen.append(module)) is model
    assert len(seen) == len({id(module) for module in seen}) == 7
    assert seen.index(model[1]) > seen.index(model[1][0])
    assert seen[-1] is model


# ---------------------------------------------------------------- copies


def test_a_clone_computes_the_same_and_lives_on_its_own(backend):
    model = network().initialise(images(), seed=1)
    model.get("2").freeze()
    model.register_forward_hook(lambda module, inputs, output: output * 0.0)
    twin = model.clone().evaluate()
    assert model.training
    assert not twin.get("2.weight").trainable
    assert np.any(xp.to_numpy(twin(images())))
    before = model.state_dict()
    optimiser = optim.SGD(twin, 0.5, momentum=0.9)
    step = compiled(
        lambda x: optimiser.update(squared(twin, x)[1]), [*twin.variables().values(), *optimiser.slots.values()]
    )
    for _ in range(2):
        step(images())
    assert all(np.array_equal(array, before[path]) for path, array in model.state_dict().items())
    assert not np.array_equal(twin.state_dict()["1.0.weight"], before["1.0.weight"])


def test_a_clone_keeps_ties(backend):
    model = Tied(nn.Linear(5, 4)).initialise(tokens())
    twin = model.clone()
    assert twin.get("decoder.weight") is twin.get("embedding.weight")
    assert twin.get("decoder.weight") is not model.get("decoder.weight")


def test_repr_nests_and_names_own_parameters():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter([2.0])
            self.net = nn.Sequential(nn.Sequential(nn.Linear(2, 1)))

    assert repr(Scaled()).splitlines() == [
        "Scaled(",
        "  scale: Parameter(shape=(1,))",
        "  net: Sequential(",
        "    0: Sequential(",
        "      0: Linear(1 -> 2)",
        "    )",
        "  )",
        ")",
    ]
