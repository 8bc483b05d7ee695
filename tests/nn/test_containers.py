"""Containers: they index, slice and grow like Python's own, and what they hold keeps its path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core import nn, xp
from d2l_core.errors import UsageError

BOUNDS = st.none() | st.integers(-7, 7)


def layers(n):
    return [nn.Linear(1, 1) for _ in range(n)]


@given(st.integers(0, 5), BOUNDS, BOUNDS, st.none() | st.integers(-3, 3).filter(bool))
def test_slices_are_those_of_a_list(n, start, stop, step):
    modules, chosen = layers(n), slice(start, stop, step)
    for container, kind in ((nn.Sequential(*modules), nn.Sequential), (nn.ModuleList(modules), nn.ModuleList)):
        part = container[chosen]
        assert type(part) is kind
        assert [id(m) for m in part] == [id(m) for m in modules[chosen]]
        assert list(part.children()) == [str(i) for i in range(len(part))]


@given(st.integers(0, 4), st.integers(-6, 6))
def test_an_index_is_that_of_a_list(n, index):
    modules = layers(n)
    container = nn.ModuleList(modules)
    if -n <= index < n:
        assert container[index] is modules[index]
        container[index] = new = nn.Linear(1, 1)
        modules[index] = new
        assert list(container) == modules
    else:
        with pytest.raises(IndexError, match=f"holds {n} modules; there is no number {index}"):
            container[index]


def test_a_slice_of_a_model_computes_with_its_layers(backend):
    class Model(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(2))

    x = xp.ones((3, 5))
    model = Model().initialise(x, seed=5).evaluate()
    head = model[:2]
    assert type(head) is nn.Sequential
    state = model.state_dict()
    expected = np.tanh(np.ones((3, 5)) @ state["0.weight"].T + state["0.bias"])
    np.testing.assert_allclose(xp.to_numpy(head(x)), expected, atol=1e-6)  # a few eps of the sum's terms, which are < 1
    assert [m.path for m in model] == ["0", "1", "2", "3"]
    assert {m.seed for m in model} == {5}
    head.get("0.bias").value = xp.ones((4,))
    np.testing.assert_array_equal(model.state_dict()["0.bias"], 1.0)


def test_growing_before_and_after_the_first_call_gives_the_same_weights(backend):
    x = xp.ones((2, 3))
    early = nn.Sequential(nn.Linear(4), nn.ReLU(), nn.Linear(2)).initialise(x, seed=7)
    late = nn.Sequential(nn.Linear(4)).initialise(x, seed=7)
    late.append(xp.tanh).append(nn.Linear(2))
    late[1] = nn.ReLU()
    np.testing.assert_array_equal(xp.to_numpy(late(x)), xp.to_numpy(early(x)))
    assert late.state_dict().keys() == early.state_dict().keys()


def test_module_dict(backend):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.arms = nn.ModuleDict({"path": nn.Linear(2, bias=False), "items": nn.Linear(2, bias=False)})

        def forward(self, x, arm):
            return self.arms[arm](x)

    model = Pair()
    for arm in model.arms:
        model(xp.ones((1, 3)), arm)
    assert list(model.variables()) == ["arms.path.weight", "arms.items.weight"]
    assert model.arms.path == "arms"
    assert "items" in model.arms
    assert [name for name, _ in model.arms.items()] == ["path", "items"]
    del model.arms["items"]
    assert len(model.arms) == 1
    with pytest.raises(KeyError, match=r"no module 'items'; there are: path\."):
        model.arms["items"]


@pytest.mark.parametrize("name", ["a.b", "", 3])
def test_names_that_would_break_paths_are_refused(name):
    with pytest.raises(UsageError, match="cannot name a module; use a string without a dot"):
        nn.ModuleDict()[name] = nn.ReLU()


def test_what_is_no_module_is_refused():
    with pytest.raises(UsageError, match="A container holds modules and functions, not int"):
        nn.Sequential(nn.ReLU(), 3)
