"""States in and out: strict and lenient, under every path of what is tied, all or nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core import nn, xp
from d2l_core.errors import CheckpointError


class Twin(nn.Module):
    """One layer in two places."""

    def __init__(self):
        super().__init__()
        self.left = nn.Linear(2, 2)
        self.right = self.left
        self.head = nn.Linear(1, 2)

    def forward(self, x):
        return self.head(self.right(self.left(x)))


def arrays(model, number=7.0):
    return {path: np.full(v.shape, number) for path, v in model.variables().items()}


def unchanged(model, before):
    return all(np.array_equal(array, before[path]) for path, array in model.state_dict().items())


def test_lenient_loading_says_what_differed(backend):
    model = Twin().initialise()
    state = arrays(model) | {"tail.weight": np.zeros(1)}
    del state["head.bias"]
    found = model.load_state_dict(state, strict=False)
    assert found == nn.StateMismatch(missing=["head.bias"], unexpected=["tail.weight"])
    np.testing.assert_array_equal(model.state_dict()["head.weight"], 7.0)
    np.testing.assert_array_equal(model.state_dict()["head.bias"], 0.0)


def test_strict_loading_names_both_kinds_and_changes_nothing(backend):
    model = Twin().initialise()
    before, state = model.state_dict(), arrays(model) | {"tail.weight": np.zeros(1)}
    del state["head.bias"]
    expected = r"missing: head\.bias; not wanted: tail\.weight; build Twin with the settings it was saved with\."
    with pytest.raises(CheckpointError, match=expected):
        model.load_state_dict(state)
    assert unchanged(model, before)
    assert model.load_state_dict(arrays(model)) == ([], [])


@pytest.mark.parametrize("strict", [True, False])
def test_a_wrong_shape_is_refused_and_changes_nothing(backend, strict):
    model = Twin().initialise()
    before = model.state_dict()
    wrong = arrays(model) | {"head.bias": np.zeros(2), "head.weight": np.zeros((2, 1))}
    with pytest.raises(CheckpointError, match=r"\(2, 1\) there and \(1, 2\) here \(and 1 more differ\)"):
        model.load_state_dict(wrong, strict=strict)
    assert unchanged(model, before)


def test_a_tied_variable_may_stand_under_any_of_its_paths(backend):
    model = Twin().initialise()
    state = arrays(model)
    renamed = {path.replace("left", "right"): array for path, array in state.items()}
    for given_state in (renamed, state | renamed):
        model.reinitialise()
        model.load_state_dict(given_state)
        np.testing.assert_array_equal(model.state_dict()["left.weight"], 7.0)


def test_values_that_are_tied_here_and_differ_there_are_refused(backend):
    model = Twin().initialise()
    before = model.state_dict()
    state = arrays(model) | {"right.weight": np.zeros((2, 2))}
    with pytest.raises(CheckpointError, match=r"left\.weight and right\.weight are tied here and differ there"):
        model.load_state_dict(state)
    assert unchanged(model, before)


def test_a_model_that_has_yet_to_learn_its_sizes_says_so(backend):
    with pytest.raises(CheckpointError, match="learns sizes from its first input, initialise it with one before"):
        nn.Sequential(nn.Linear(2)).load_state_dict({"0.weight": np.zeros((2, 3)), "0.bias": np.zeros(2)})


def test_loading_before_the_first_value_keeps_the_precision(backend, precision):
    model = Twin()
    model.load_state_dict({path: a.astype(np.float64) for path, a in arrays(model).items()})
    assert {a.dtype.name for a in model.state_dict().values()} == {f"float{precision}"}
    model(xp.ones((1, 2)))
    np.testing.assert_array_equal(model.state_dict()["head.weight"], 7.0)


def test_native_tensors_are_taken_too(backend):
    model = Twin().initialise()
    model.load_state_dict({path: xp.asarray(array) for path, array in arrays(model).items()})
    np.testing.assert_array_equal(model.state_dict()["left.bias"], 7.0)


TREES = st.recursive(
    st.integers(1, 3), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3), max_leaves=6
)


def grown(tree):
    if isinstance(tree, int):
        return nn.Linear(tree, 2)
    return nn.ModuleDict({name: grown(branch) for name, branch in tree.items()})


@given(TREES)
def test_the_state_of_any_tree_goes_round(tree):
    model, other = grown(tree).initialise(seed=1), grown(tree).initialise(seed=2)
    state = model.state_dict()
    assert other.load_state_dict(state) == ([], [])
    assert unchanged(other, state)
    assert {path: v.shape for path, v in model.clone().variables().items()} == {p: a.shape for p, a in state.items()}
