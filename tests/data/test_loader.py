"""Loaders: which example comes when, on the device of the active backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2l_core import xp
from d2l_core.backend import active, use_backend
from d2l_core.data import Loader, to_float_images
from d2l_core.errors import UsageError
from d2l_core.random import permutation

X = np.arange(7 * 3, dtype=np.float32).reshape(7, 3)
Y = np.arange(7, dtype=np.int32) * 10


def played(batches) -> list[tuple[list, ...]]:
    return [tuple(xp.to_numpy(tensor).tolist() for tensor in batch) for batch in batches]


def test_in_sequence_with_what_is_left_at_the_end():
    loader = Loader((X, Y), 3)
    assert len(loader) == 3
    assert played(loader.epoch(0)) == [
        (X[0:3].tolist(), [0, 10, 20]),
        (X[3:6].tolist(), [30, 40, 50]),
        (X[6:7].tolist(), [60]),
    ]
    assert played(loader.epoch(5)) == played(loader.epoch(0))


def test_drop_last():
    loader = Loader((X, Y), 3, drop_last=True)
    assert len(loader) == len(list(loader.epoch(0))) == 2
    assert len(Loader((X,), 7, drop_last=True)) == 1
    assert len(Loader((X,), 8, drop_last=True)) == 0


def test_shuffled_by_the_stream_and_the_epoch():
    loader = Loader((X, Y), 3, shuffle=True, stream=(4, "shuffle"))
    order = permutation(7, 4, "shuffle", 2)
    assert loader.order(2).tolist() == order.tolist()
    assert played(loader.epoch(2)) == [
        (X[order[:3]].tolist(), Y[order[:3]].tolist()),
        (X[order[3:6]].tolist(), Y[order[3:6]].tolist()),
        (X[order[6:]].tolist(), Y[order[6:]].tolist()),
    ]
    assert len({tuple(loader.order(epoch)) for epoch in range(5)}) == 5
    other = Loader((X, Y), 3, shuffle=True, stream=(5, "shuffle"))
    assert other.order(2).tolist() != order.tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 25), st.booleans(), st.booleans(), st.integers(0, 3), st.data())
def test_an_epoch_can_start_at_any_batch(n, batch_size, shuffle, drop_last, epoch, data):
    values = np.arange(n, dtype=np.int32)
    loader = Loader((values,), batch_size, shuffle, (1, "shuffle"), drop_last=drop_last)
    whole = played(loader.epoch(epoch))
    assert len(whole) == len(loader)
    start = data.draw(st.integers(0, len(loader)))
    assert played(loader.epoch(epoch, start)) == whole[start:]
    seen = sorted(index for (batch,) in whole for index in batch)
    kept = n - n % batch_size if drop_last else n
    assert len(seen) == len(set(seen)) == kept
    assert set(seen) <= set(range(n))


def test_batches_are_native_and_keep_their_dtype():
    images = np.zeros((4, 2, 2), dtype=np.uint8)
    for shuffle in (False, True):
        for x, y, z in Loader((X[:4], Y[:4], images), 2, shuffle).epoch(0):
            assert all(isinstance(tensor, active().tensor_types) for tensor in (x, y, z))
            assert (x.dtype, y.dtype, z.dtype) == (xp.float32, xp.int32, xp.uint8)
            assert tuple(z.shape) == (2, 2, 2)


def test_data_are_placed_once_per_context():
    loader = Loader((X, Y), 3)
    first = loader.tensors()
    list(loader.epoch(0))
    assert loader.tensors() is first
    with use_backend(active().name, precision=64):
        inside = loader.tensors()
        assert inside is not first
        assert loader.tensors() is inside
    np.testing.assert_array_equal(xp.to_numpy(loader.tensors()[0]), X)


def test_read_only_and_mapped_arrays(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for shuffle in (False, True):
        loader = Loader((mapped,), 7, shuffle)
        ((x,),) = loader.epoch(0)
        np.testing.assert_array_equal(xp.to_numpy(x), X[loader.order(0)])


def test_transform_sees_each_batch():
    images = np.arange(256, dtype=np.uint8).repeat(4).reshape(256, 2, 2)
    labels = np.arange(256, dtype=np.int32)
    loader = Loader((images, labels), 100, transform=to_float_images)
    batches = list(loader.epoch(0))
    assert [tuple(x.shape) for x, _ in batches] == [(100, 1, 2, 2), (100, 1, 2, 2), (56, 1, 2, 2)]
    assert all(x.dtype == xp.float_dtype() for x, _ in batches)
    x = np.concatenate([xp.to_numpy(x) for x, _ in batches])
    np.testing.assert_allclose(x[:, 0, 0, 0], labels / 255, rtol=2e-7)
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert played([(y,) for _, y in batches])[2] == (labels[200:].tolist(),)


def test_an_example_is_a_batch_that_places_nothing_else():
    x = np.arange(10, dtype=np.float32)
    loader = Loader([x, x], 4, shuffle=True, transform=lambda a, b: (a * 2, b, b))
    first, *others = loader.example()
    np.testing.assert_array_equal(xp.to_numpy(first), [0, 2, 4, 6])
    assert [(other.shape, other.dtype) for other in others] == [((4,), xp.float32)] * 2
    assert loader._placed is None


def test_colour_images_keep_their_channels():
    (x,) = to_float_images(xp.asarray(np.full((2, 3, 4, 5), 51, dtype=np.uint8)))
    assert tuple(x.shape) == (2, 3, 4, 5)
    np.testing.assert_allclose(xp.to_numpy(x), 0.2, rtol=1e-7)


@pytest.mark.parametrize("start", [-1, 4])
def test_start_outside_the_epoch(start):
    with pytest.raises(UsageError, match=f"has 3 batches; it cannot start at batch {start}"):
        Loader((X, Y), 3).epoch(0, start)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [((), "none"), ((X, Y[:6]), "7, 6"), ((X[:0],), "given: 0")],
    ids=["none", "odd", "empty"],
)
def test_arrays_that_do_not_fit(arrays, says):
    with pytest.raises(UsageError, match=says):
        Loader(arrays, 3)


def test_batch_size_below_one():
    with pytest.raises(UsageError, match="batch_size of at least 1"):
        Loader((X,), 0)
