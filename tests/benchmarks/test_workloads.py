"""The workloads: data, weights, and that they train."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from d2l_benchmarks import ours
from d2l_benchmarks.workloads import (
    MOST_EXAMPLES,
    PADDING,
    SOURCE_WORDS,
    TARGET_WORDS,
    WORKLOADS,
    Transformer,
    sentences,
    workload,
)

from d2l_core import xp
from d2l_core.backend import float_dtype, use_backend
from d2l_core.errors import UsageError

CHANCE = {"softmax_regression": 10, "mlp": 10, "lenet": 10, "resnet18": 10, "gru": 28, "transformer": TARGET_WORDS}


@pytest.mark.parametrize("name", WORKLOADS)
def test_trains_on_numpy(name: str) -> None:
    tiny = replace(WORKLOADS[name], batch=8, steps=2)
    arrays, losses = tiny.arrays(), []

    def turn(began: float, seconds: float, found: list[float]) -> bool:
        losses.extend(found)
        return False

    with use_backend("numpy"):
        ours.train(tiny, arrays, turn)
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    if name in CHANCE:
        assert 0.5 * math.log(CHANCE[name]) < losses[0] < 2 * math.log(CHANCE[name])


@pytest.mark.parametrize("name", WORKLOADS)
def test_weights_are_the_parameters_and_running_statistics(name: str) -> None:
    one = WORKLOADS[name]
    weights = one.weights()
    with use_backend("numpy"):
        model = one.model().initialise(*(xp.asarray(array) for array in one.data(2)[:-1]), seed=0)
    assert set(model.parameters()) <= set(weights)
    assert {path.rpartition(".")[2] for path in set(weights) - set(model.parameters())} <= {
        "running_mean",
        "running_var",
    }
    assert {str(array.dtype) for array in weights.values()} == {"float32"}


def test_weights_are_those_drawn_on_any_backend(backend: str) -> None:
    one = WORKLOADS["mlp"]
    images = xp.asarray(one.data(2)[0], dtype=float_dtype())
    state = one.model().initialise(images, seed=0).state_dict()
    for path, array in one.weights().items():
        np.testing.assert_array_equal(state[path].astype(np.float32), array)


@pytest.mark.parametrize("name", WORKLOADS)
def test_data_are_whole_batches_of_two_dtypes(name: str) -> None:
    one = replace(WORKLOADS[name], batch=4, steps=3)
    arrays = one.arrays()
    assert {len(array) for array in arrays} == {12}
    assert {str(array.dtype) for array in arrays} <= {"float32", "int32"}
    for array, again in zip(arrays, one.arrays(), strict=True):
        np.testing.assert_array_equal(array, again)


def test_sizes_of_the_issue() -> None:
    batches = {name: one.batch for name, one in WORKLOADS.items()}
    assert batches == {
        "linear_regression": 32,
        "softmax_regression": 256,
        "mlp_small": 32,
        "mlp": 256,
        "lenet": 128,
        "resnet18": 64,
        "gru": 1024,
        "transformer": 128,
        "matrix_factorisation": 512,
    }


def test_padding_is_what_lies_beyond_a_sentence() -> None:
    source, lengths, before, target = sentences(40)
    outside = np.arange(source.shape[1]) >= lengths[:, None]
    np.testing.assert_array_equal(source == PADDING, outside)
    np.testing.assert_array_equal(target == PADDING, outside)
    np.testing.assert_array_equal(before[:, 1:], target[:, :-1])
    assert source.max() < SOURCE_WORDS
    assert target.max() < TARGET_WORDS


def test_the_transformer_sees_neither_padding_nor_the_future() -> None:
    source, lengths, before, _ = sentences(3)
    changed, later = source.copy(), before.copy()
    changed[np.arange(source.shape[1]) >= lengths[:, None]] = 7
    later[:, 5:] = 9
    with use_backend("numpy"):
        model = Transformer()
        logits = [
            xp.to_numpy(model(*(xp.asarray(array) for array in inputs)))
            for inputs in ((source, lengths, before), (changed, lengths, before), (source, lengths, later))
        ]
    assert (changed != source).any()
    np.testing.assert_array_equal(logits[0], logits[1])
    np.testing.assert_allclose(logits[0][:, :5], logits[2][:, :5], rtol=1e-5, atol=1e-6)
    assert np.abs(logits[0][:, 5:] - logits[2][:, 5:]).max() > 1e-3


def test_an_mlp_of_any_size() -> None:
    one = workload("mlp@batch=64,depth=3")
    assert (one.name, one.twin, one.batch, one.depth) == ("mlp@batch=64,depth=3", "mlp", 64, 3)
    assert [path for path in one.weights() if path.endswith("weight")] == [f"{i}.weight" for i in (1, 3, 5, 7)]
    assert one.steps * one.batch <= MOST_EXAMPLES
    assert workload("mlp@batch=1").steps == 200


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("perceptron", "There is no workload 'perceptron'; choose of: linear_regression, "),
        ("mlp@width=3", "'width=3' is no parameter of mlp"),
        ("mlp@batch=0", "'batch=0' is no parameter of mlp"),
        ("mlp@", "'' is no parameter of mlp"),
        ("lenet@depth=2", "'depth=2' is no parameter of lenet"),
    ],
)
def test_a_name_that_is_none(name: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        workload(name)
    assert str(error.value).startswith(sentence)
