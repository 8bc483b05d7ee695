"""A dataset of images: reading, resizing and batches by hand are the library's, and the mistakes are mistakes."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from d2l_chapters.linear_classification import image_dataset as lesson
from d2l_chapters.linear_classification import image_dataset_exercises as exercises
from d2l_chapters.linear_classification import image_dataset_solutions as solutions

from d2l_core import xp
from d2l_core.data import Loader, encode_idx, load_fashion_mnist, resize_images


@pytest.fixture(scope="module")
def sample():
    images, labels = load_fashion_mnist("train", sample=True)
    return images[:600], labels[:600].astype(np.int32)


@pytest.mark.parametrize("shape", [(3,), (5, 2, 4)])
def test_read_idx(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(lesson.read_idx(encode_idx(array)), array)


def test_read_idx_refuses_other_numbers():
    with pytest.raises(ValueError, match="unsigned bytes"):
        lesson.read_idx(encode_idx(np.arange(3, dtype=np.int16)))
    with pytest.raises(ValueError, match="unsigned bytes"):
        lesson.read_idx(gzip.compress(b"\x01\x00\x08\x01\x00\x00\x00\x00"))


def test_batches_keep_pictures_and_labels_together(sample):
    images, labels = sample
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    drawn = lesson.batches(images, labels, 70, 1, 0)
    seen = [(image.tobytes(), label) for A, b in drawn for image, label in zip(A, b, strict=True)]
    assert len(seen) == 600
    assert dict(seen) == known
    loader = Loader((images, labels), 70, shuffle=True, stream=(1, "shuffle"))
    for (A, b), (X, y) in zip(lesson.batches(images, labels, 70, 1, 0), loader.epoch(0), strict=True):
        np.testing.assert_array_equal(A, xp.to_numpy(X))
        np.testing.assert_array_equal(b, xp.to_numpy(y))


@pytest.mark.parametrize(("n", "m"), [(28, 64), (28, 7), (5, 5), (3, 8), (1, 4)])
def test_interpolation_preserves_what_is_linear(n, m):
    R = lesson.interpolation(n, m)
    assert R.shape == (m, n)
    np.testing.assert_allclose(R.sum(axis=1), 1.0)
    centres = np.clip((np.arange(m) + 0.5) * n / m, 0.5, n - 0.5)
    np.testing.assert_allclose(R @ (np.arange(n) + 0.5), centres)


@pytest.mark.parametrize("size", [(56, 56), (7, 20), (28, 28)])
def test_resize_is_the_librarys_but_for_rounding(sample, size):
    images = sample[0][:20]
    ours = xp.to_numpy(lesson.resize(xp.asarray(images.astype(np.float32)), *size))
    assert ours.shape == (20, *size)
    assert np.abs(ours - resize_images(images, size)).max() <= 0.501


def test_nearest_mean_is_the_smallest_distance(sample):
    images, labels = sample
    means = lesson.class_means(images, labels)
    flat = images.reshape(600, -1) / 255
    distances = np.square(flat[:, None] - means).sum(axis=-1)
    guesses = xp.to_numpy(lesson.nearest_mean(xp.asarray(flat), xp.asarray(means)))
    assert (guesses == distances.argmin(axis=1)).mean() > 0.995
    assert (guesses == labels).mean() > 0.6


def test_bytes_run_over(sample):
    images, labels = sample
    parts = (images[:500], labels[:500]), (images[500:], labels[500:])
    floats, small = (lesson.nearest_neighbour_accuracy(*parts, dtype) for dtype in (np.float32, np.uint8))
    assert floats > small + 0.05


def test_shrinking_turns_stripes_white_or_black():
    stripes = np.tile(np.repeat(np.array([255, 0], dtype=np.uint8), 2), 7)
    shirts = np.stack([np.tile(np.roll(stripes, shift), (28, 1)) for shift in range(4)])
    means = resize_images(shirts, 7).mean(axis=(1, 2))
    assert (means.min(), means.max()) == (0.0, 255.0)
    halved = xp.to_numpy(solutions.halve(solutions.halve(xp.asarray(shirts / 255))))
    np.testing.assert_allclose(halved, 0.5)


def test_the_formula_of_the_time_is_recovered():
    sizes = np.array([2, 16, 128])
    found = lesson.fixed_and_each(sizes, 1000 * (3e-5 / sizes + 2e-7), 1000)
    np.testing.assert_allclose(found, [3e-5, 2e-7], rtol=1e-6)


def test_all_ways_to_read_give_times(sample):
    assert set(lesson.ways_to_read(sample[0], encode_idx(sample[0]))) == {"unpack", "read", "map"}
    assert set(lesson.ways_to_read(sample[0])) == {"read", "map"}


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (exercises.check_halve_value, lambda X: xp.reshape(X, (3, 3, 2, 4))[..., 0]),
        (exercises.check_halve_value, lambda X: X[:, ::2, ::2]),
        (exercises.check_halve_edges, lambda X: X[:, ::2, ::2]),
        (exercises.check_merge_value, lambda a, b: (a[0] + b[0], (a[1] + b[1]) / 2, a[2] + b[2])),
        (exercises.check_merge_edges, lambda a, b: solutions.merge(a, (b[0], b[1], 2 * b[2]))),
        (exercises.check_merge_precision, lambda a, b: _by_squares(a, b)),
    ],
)
def test_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError, match=r"Expected|expected|shape"):
        check(wrong)


def _by_squares(a, b):
    n, total = a[0] + b[0], a[0] * a[1] + b[0] * b[1]
    raw = sum(s + count * mean * mean for count, mean, s in (a, b))
    return n, total / n, raw - total * total / n
