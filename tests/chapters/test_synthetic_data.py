"""Data whose truth is known: laws, loaders, and the traps of the text."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.linear_regression import synthetic_data as lesson
from d2l_chapters.linear_regression import synthetic_data_exercises as exercises
from d2l_chapters.linear_regression import synthetic_data_solutions as solutions

from d2l_core import xp
from d2l_core.backend import float_dtype
from d2l_core.data import Loader
from d2l_core.data.synthetic import linear_data


def test_normal_numbers_by_hand():
    numbers = lesson.normal_by_hand((20_000,), "test")
    assert abs(numbers.mean()) < 0.03
    assert numbers.std() == pytest.approx(1.0, abs=0.02)
    assert np.mean(numbers**4) == pytest.approx(3.0, abs=0.2)
    assert np.mean(np.abs(numbers) < 1.0) == pytest.approx(0.6827, abs=0.015)


def test_data_by_hand_obey_the_law():
    data = lesson.SyntheticByHand(n=5000, noise=0.5, seed=3)
    errors = data.y - data.X @ data.weight - data.bias
    assert errors.std() == pytest.approx(0.5, rel=0.05)
    assert abs(np.corrcoef(np.hstack((data.X, errors)).T)[2, :2]).max() < 0.05


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize(("n", "batch_size"), [(10, 4), (12, 4), (3, 4), (5, 1)])
def test_the_loader_by_hand_is_the_loader(n, batch_size, drop_last, shuffle):
    arrays = linear_data((1.0, 2.0), 3.0, n)
    hand = lesson.LoaderByHand(arrays, batch_size, 7, shuffle, drop_last)
    library = Loader(arrays, batch_size, shuffle, stream=(7, "shuffle"), drop_last=drop_last)
    assert len(hand) == len(library)
    assert lesson.largest_gap(hand, library, epochs=3) == 0.0


def test_an_epoch_holds_each_example_once_and_pairs_stay_together():
    X = np.arange(10.0)[:, None]
    seen = list(lesson.LoaderByHand((X, 2.0 * X), 4).epoch(1))
    rows = np.concatenate([np.hstack([xp.to_numpy(part) for part in batch]) for batch in seen])
    np.testing.assert_array_equal(np.sort(rows[:, 0]), X[:, 0])
    np.testing.assert_array_equal(rows[:, 1], 2.0 * rows[:, 0])
    assert not np.array_equal(rows[:, 0], X[:, 0])


def test_the_fingerprint_tells_seeds_and_orders_apart():
    first = lesson.fingerprint(lesson.loaders().train, epochs=1)
    assert first == lesson.fingerprint(lesson.loaders().train, epochs=1)
    assert first != lesson.fingerprint(lesson.loaders(seed=1).train, epochs=1)
    assert first != lesson.fingerprint(lesson.spoilt("sorted").train, epochs=1)


def test_z_scores_find_noise_of_the_wrong_size():
    def half(weight, bias, n, *, noise, seed):
        return linear_data(weight, bias, n, noise=noise / 2, seed=seed)

    assert lesson.z_scores(60).std() == pytest.approx(1.0, abs=0.15)
    assert lesson.z_scores(60, make=half).std() == pytest.approx(0.5, abs=0.08)
    assert lesson.z_scores(30, make=solutions.with_square)[:, 2].mean() == pytest.approx(20.0, abs=2.0)


def test_a_stream_used_twice_steals_the_noise():
    X, y = lesson.one_stream()
    np.testing.assert_allclose(y, 2.01 * X + 1.0, rtol=1e-12)


def test_torn_pairs_teach_the_mean_only():
    honest, torn = (lesson.trained_on(lesson.spoilt(kind)) for kind in ("honest", "torn"))
    assert honest < 1e-3
    targets = lesson.loaders().val.arrays[1]
    assert torn == pytest.approx(targets.var(), rel=0.1)


def test_the_mean_of_means_counts_the_last_examples_more():
    y = np.concatenate((np.zeros(32), np.full(8, 10.0)))[:, None]
    by_example, by_batch = lesson.two_means(Loader((y, y), 32))
    assert (by_example, by_batch) == (pytest.approx(20.0), pytest.approx(50.0))


def test_the_default_float_of_batches():
    X, y = next(lesson.LoaderByHand(linear_data((1.0,), 0.0, 4), 2).epoch(0))
    assert X.dtype == y.dtype == xp.asarray([0.5], dtype=float_dtype()).dtype


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("split_order_value", lambda order, size, last: [order[i : i + size] for i in range(0, len(order), size)]),
        ("split_order_edges", lambda order, size, last: solutions.split_order(order, size, last)[:2]),
        ("buffered_order_value", lambda n, size, *key: np.random.default_rng(0).permutation(n)),
        ("buffered_order_edges", lambda n, size, *key: solutions.buffered_order(n, size + 1, *key)),
        ("buffered_order_chances", lambda n, size, *key: np.arange(n)),
    ],
)
def test_the_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError):
        getattr(exercises, f"check_{check}")(wrong)


def test_small_batches_are_noisier():
    assert solutions.variance_ratio(draws=150) == pytest.approx(4.0, rel=0.4)
