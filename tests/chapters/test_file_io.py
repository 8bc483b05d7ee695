"""Saving and loading: the format, whole files, states of a training that go on to the same bits."""

from __future__ import annotations

import pickle
import pickletools

import numpy as np
import pytest
from d2l_chapters.builders_guide import file_io as lesson

from d2l_core import nn, random, xp
from d2l_core.errors import CheckpointError


def arrays():
    return {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "number": np.array(7, np.int64),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float16),
    }


def test_our_writer_and_the_library_understand_each_other(tmp_path):
    path = tmp_path / "a.safetensors"
    lesson.write_atomically(path, lesson.encode(arrays()))
    assert lesson.differences(nn.read_weights(path), arrays()) == 0
    nn.save_weights(path, arrays())
    assert lesson.differences(lesson.decode(path.read_bytes()), arrays()) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_differences_sees_a_bit_a_type_and_a_name():
    other = arrays() | {"number": np.array(7, np.int32)}
    other["matrix"] = np.nextafter(other["matrix"], np.float32(9))
    del other["flags"]
    assert lesson.differences(arrays(), other) == 3


@pytest.mark.parametrize("length", [0, 4, -1, -20])
def test_a_cut_file_is_noticed(length):
    with pytest.raises(ValueError, match="ends before"):
        lesson.decode(lesson.encode(arrays() | {"last": np.ones(9)})[: length or 0])


def test_an_interrupted_write_leaves_the_old_file_only_if_it_is_atomic(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "folder", tmp_path)
    assert lesson.survives(lesson.write_atomically, arrays())
    assert not lesson.survives(lambda path, data, pour: pour(path, data), arrays())
    assert not list(tmp_path.glob("*.part"))


def test_a_whole_state_goes_on_to_the_same_bits_and_weights_alone_do_not(tmp_path):
    X = xp.asarray(random.normal((200, 5), "test", "X"), dtype=xp.float_dtype())
    y = xp.sum(X, axis=1, keepdims=True)
    whole = lesson.take_steps(*lesson.fresh(), X, y, 0, 8)
    model, optimiser = lesson.fresh()
    lesson.take_steps(model, optimiser, X, y, 0, 4)
    nn.save_weights(tmp_path / "run", lesson.training_state(model, optimiser, 4))
    for slots in (True, False):
        model, optimiser = lesson.fresh()
        step = lesson.restore(nn.read_weights(tmp_path / "run"), model, optimiser, slots)
        assert step == 4
        assert (lesson.take_steps(model, optimiser, X, y, step, 8) == whole[4:]) is slots


def test_a_pickle_is_a_program_and_the_library_does_not_run_it(tmp_path, capsys):
    data = pickle.dumps(lesson.Souvenir(), protocol=4)
    names = [opcode.name for opcode, _, _ in pickletools.genops(data)]
    assert names.index("STACK_GLOBAL") < names.index("REDUCE")
    (tmp_path / "weights.pkl").write_bytes(data)
    with pytest.raises(CheckpointError, match="pickle"):
        lesson.network().load_state_dict(tmp_path / "weights.pkl")
    assert capsys.readouterr().out == ""
