"""Images at another size: by hand, against the function of tensors, and in bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core import xp
from d2l_core.backend import use_backend
from d2l_core.data import resize_images
from d2l_core.data.images import resized_in_pieces
from d2l_core.errors import UsageError
from d2l_core.nn.functional import resize
from d2l_core.random import uniform

SIDES = st.integers(1, 40)


def pictures(*shape):
    return np.floor(uniform(shape, "pictures") * 256).astype(np.uint8)


@pytest.mark.parametrize(
    ("row", "size", "expected"),
    [
        ([0, 100], 4, [0, 25, 75, 100]),
        ([0, 1], 3, [0, 1, 1]),  # a half is rounded upwards
        ([10, 20, 30, 40], 2, [15, 35]),
        ([10, 20, 30], 1, [20]),
        ([7], 3, [7, 7, 7]),
        ([255, 0], 5, [255, 230, 128, 26, 0]),
    ],
)
def test_by_hand(row, size, expected):
    images = np.array(row, dtype=np.uint8).reshape(1, 1, -1)
    assert resize_images(images, (1, size)).tolist() == [[expected]]
    assert resize_images(images.swapaxes(1, 2), (size, 1))[0, :, 0].tolist() == expected


@pytest.mark.parametrize("size", [14, 28, 32, 96, 224, (17, 61), (1, 3)])
def test_agrees_with_resize_of_tensors_but_for_rounding(size):
    images = pictures(4, 28, 28)
    with use_backend("numpy", precision=64):
        exact = xp.to_numpy(resize(xp.asarray(images[:, None].astype(np.float64)), size))[:, 0]
    resized = resize_images(images, size)
    assert resized.dtype == np.uint8
    assert resized.shape == exact.shape
    difference = resized - exact
    assert difference.min() > -0.5 - 1e-9
    assert difference.max() < 0.5 + 1e-9


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([0, 1, 127, 255]))
def test_one_shade_stays_one_shade(height, width, new_height, new_width, shade):
    images = np.full((2, height, width), shade, dtype=np.uint8)
    assert (resize_images(images, (new_height, new_width)) == shade).all()


def test_same_size_is_the_same_picture():
    images = pictures(3, 9, 5)
    np.testing.assert_array_equal(resize_images(images, (9, 5)), images)


def test_pieces_join_to_the_same_bits():
    images = pictures(200, 28, 28)
    pieces = list(resized_in_pieces(images, 96))
    assert len(pieces) > 5
    np.testing.assert_array_equal(np.concatenate(pieces), resize_images(images, 96))
    np.testing.assert_array_equal(
        np.concatenate([resize_images(images[i : i + 1], 96) for i in range(200)]), resize_images(images, 96)
    )


def test_memory_is_bounded_by_the_pieces():
    images = pictures(2000, 28, 28)
    tracemalloc.start()
    count = sum(len(piece) for piece in resized_in_pieces(images, 96))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2000
    assert peak < 6e6 < 2000 * 96 * 96


def test_no_images():
    assert resize_images(np.zeros((0, 28, 28), np.uint8), 32).shape == (0, 32, 32)


@pytest.mark.parametrize(
    ("images", "size"),
    [
        (np.zeros((2, 4, 4), np.float32), 2),
        (np.zeros((4, 4), np.uint8), 2),
        (np.zeros((2, 4, 4), np.uint8), 0),
        (np.zeros((2, 4, 4), np.uint8), (3, -1)),
        (np.zeros((2, 0, 4), np.uint8), 3),
    ],
)
def test_what_cannot_be_resized(images, size):
    with pytest.raises(UsageError, match="give uint8 images"):
        resize_images(images, size)
