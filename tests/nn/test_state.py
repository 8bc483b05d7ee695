"""States in and out: strict and lenient, under every path of what is tied, all or nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core import nn, xp
from d2l_core.backend import adapters, use_backend
from d2l_core.errors import CheckpointError, UsageError


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


def test_tensors_of_every_other_backend_are_taken(backend):
    model = Twin().initialise()
    for name, adapter in adapters().items():
        if name != backend.name and not adapter.missing():
            with use_backend(name):
                theirs = {path: xp.asarray(array) for path, array in arrays(model, len(name)).items()}
            model.load_state_dict(theirs)
            np.testing.assert_array_equal(model.state_dict()["left.bias"], len(name))


def test_what_is_no_array_is_refused_and_changes_nothing(backend):
    model = Twin().initialise()
    before = model.state_dict()
    for wrong in ("word", None, object()):
        with pytest.raises(UsageError, match="no array of numbers"):
            model.load_state_dict(arrays(model) | {"head.bias": wrong})
    assert unchanged(model, before)


def test_loaded_weights_share_no_memory(backend):
    model, source = nn.Linear(2, 2).initialise(), np.ones((2, 2), np.float32)
    model.load_state_dict({"weight": source, "bias": np.zeros(2)})
    source[...] = 5.0
    np.testing.assert_array_equal(model.state_dict()["weight"], 1.0)


def test_counters_of_calls_may_be_missing_but_not_some_of_them(backend):
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2), nn.Dropout(0.5)).initialise()
    model.load_state_dict({"0.calls": [3], "2.calls": [4]}, strict=False)
    state = {"1.weight": np.ones((2, 2)), "1.bias": np.ones(2)}
    assert model.load_state_dict(state) == ([], [])
    assert model.state_dict()["0.calls"] == [3]
    with pytest.raises(CheckpointError, match=r"missing: 2\.calls"):
        model.load_state_dict(state | {"0.calls": [1]})
    assert model.load_state_dict(state | {"0.calls": [1]}, strict=False).missing == ["2.calls"]


def test_kernels_are_turned(backend):
    model = nn.Sequential(nn.Conv2d(4, (3, 2), 2), nn.LayerNorm(4), nn.Linear(3, 5)).initialise()
    kernel, dense = np.arange(48.0).reshape(3, 2, 2, 4), np.arange(15.0).reshape(5, 3)
    state = {"0.kernel": kernel, "0.bias": np.zeros(4), "1.gamma": np.full(4, 2.0), "1.beta": np.full(4, 3.0)}
    assert model.load_state_dict(state | {"2.kernel": dense, "2.bias": np.zeros(3)}) == ([], [])
    found = model.state_dict()
    np.testing.assert_array_equal(found["0.weight"], kernel.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(found["2.weight"], dense.T)
    np.testing.assert_array_equal([found["1.weight"][0], found["1.bias"][0]], [2.0, 3.0])


def test_a_name_that_the_model_has_is_left_alone():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = nn.Parameter(np.zeros((2, 3)))
            self.weight_ih_l0 = nn.Parameter(np.zeros(2))

    model = Odd().initialise()
    assert model.load_state_dict({"kernel": np.ones((2, 3)), "weight_ih_l0": np.ones(2)}) == ([], [])
    np.testing.assert_array_equal(model.state_dict()["kernel"], np.ones((2, 3)))


@pytest.mark.parametrize("layers", [1, 2])
def test_layers_of_recurrent_weights_find_their_place(layers):
    model = nn.Stacked(*(nn.RNN(2, 2) for _ in range(layers))).initialise()
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    state = {
        f"{name}_l{k}": np.full(model.get(f"layer{k}.{name}").shape, k + 1.0) for k in range(layers) for name in names
    }
    assert model.load_state_dict(state) == ([], [])
    np.testing.assert_array_equal(model.state_dict()[f"layer{layers - 1}.bias_hh"], float(layers))


def saved(path, state):
    from safetensors.numpy import save_file

    save_file({name: np.asarray(array) for name, array in state.items()}, path)
    return path


def test_a_file_of_weights(backend, tmp_path):
    model = Twin().initialise()
    path = saved(tmp_path / "twin.safetensors", arrays(model))
    assert model.load_state_dict(path) == ([], [])
    assert model.load_state_dict(str(path)) == ([], [])
    np.testing.assert_array_equal(model.state_dict()["left.bias"], 7.0)


def test_files_that_are_none_of_weights(tmp_path):
    model = Twin().initialise()
    before = model.state_dict()
    whole = saved(tmp_path / "whole", arrays(model)).read_bytes()
    contents = {
        "damaged": (whole[:-8], "no intact safetensors file"),
        "empty": (b"", "no intact safetensors file"),
        "words": (b"a few words", "no intact safetensors file"),
        "pickle": (b"\x80\x02}q\x00.", "is a pickle, which may run any code"),
        "archive": (b"PK\x03\x04 and so on", "is a pickle, which may run any code"),
    }
    for name, (data, sentence) in contents.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CheckpointError, match=sentence):
            model.load_state_dict(tmp_path / name)
    with pytest.raises(CheckpointError, match="cannot be read"):
        model.load_state_dict(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="cannot be read"):
        model.load_state_dict(tmp_path)
    assert unchanged(model, before)


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
