"""Weights in files: what is written comes back on every backend, and a failure leaves what was there."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import nn, xp
from d2l_core.errors import CheckpointError, UsageError


def test_arrays_and_tensors_come_back(backend, tmp_path):
    state = {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "scalar": np.array(2.5, np.float64),
        "whole": np.array([1, -2], np.int32),
        "tensor": xp.asarray([[0.5, -0.25]], dtype=xp.float32),
        "empty": np.zeros((0, 4), np.float32),
    }
    path = tmp_path / "made" / "weights.safetensors"
    nn.save_weights(path, state)
    found = nn.read_weights(str(path))
    assert found.keys() == state.keys()
    for name, array in state.items():
        expected = array if isinstance(array, np.ndarray) else xp.to_numpy(array)
        assert found[name].dtype == expected.dtype
        assert found[name].shape == expected.shape
        np.testing.assert_array_equal(found[name], expected)


def test_a_model_is_saved_and_loaded(backend, tmp_path):
    model, other = (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm(3)).initialise(seed=seed) for seed in (0, 1))
    path = tmp_path / "model.safetensors"
    nn.save_weights(path, model.state_dict())
    other.load_state_dict(path)
    X = xp.ones((4, 2))
    np.testing.assert_array_equal(xp.to_numpy(other.evaluate()(X)), xp.to_numpy(model.evaluate()(X)))
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    nn.save_weights(path, {"a": np.ones(2)})
    for wrong in (np.array(["text"]), np.ones(2, np.complex64), np.array([None])):
        with pytest.raises(UsageError, match="save floats"):
            nn.save_weights(path, {"b": np.ones(1), "a": wrong})
    np.testing.assert_array_equal(nn.read_weights(path)["a"], np.ones(2))


def test_a_folder_in_the_way_is_told_of(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CheckpointError, match="cannot be written"):
        nn.save_weights(tmp_path / "file" / "weights.safetensors", {"a": np.ones(2)})
