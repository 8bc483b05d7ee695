"""Data preprocessing: files are read as meant, statistics come from training rows, gaps cost what is claimed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.preliminaries import data_preprocessing as lesson
from d2l_chapters.preliminaries import data_preprocessing_solutions as solutions

from d2l_core import xp


@pytest.fixture
def columns(tmp_path):
    path = tmp_path / "stock.csv"
    path.write_text(lesson.STOCK, encoding="utf-8")
    return lesson.read_columns(path)


def test_commas_inside_quotation_marks(columns):
    assert columns["kind"][1] == "racing, carbon"
    assert {len(entries) for entries in columns.values()} == {12}
    assert columns["price"][-1] == "520"


def test_gaps_become_nan_and_nonsense_an_error():
    numbers = lesson.to_numbers(["1.5", "", "NA", "-999"])
    assert [math.isnan(number) for number in numbers] == [False, True, True, False]
    with pytest.raises(ValueError, match="many"):
        lesson.to_numbers(["many"])


def test_the_preparation_knows_training_rows_only(columns):
    training = lesson.some_rows(columns, slice(0, 9))
    preparation = lesson.Preparation(["age"], ["kind"]).learn(training)
    ages = [3, 5, 2, 8, 4, 1, 6, 7]
    assert preparation.statistics["age"] == pytest.approx((np.mean(ages), np.std(ages)))
    assert preparation.kinds["kind"] == ["city", "mountain", "racing, carbon"]
    steel = preparation.apply(lesson.some_rows(columns, slice(10, 11)))[0]
    assert steel[2:] == [0.0, 0.0, 0.0]
    assert len(preparation.names()) == len(steel)


def test_statistics_skip_gaps():
    X = np.array([[1.0, np.nan], [3.0, 4.0], [np.nan, 8.0]])
    mean, deviation = lesson.statistics(xp.asarray(X))
    np.testing.assert_allclose(xp.to_numpy(mean), np.nanmean(X, axis=0))
    np.testing.assert_allclose(xp.to_numpy(deviation), np.nanstd(X, axis=0), rtol=1e-6)
    scaled, flags = lesson.scaled_and_flagged(xp.asarray(X), mean, deviation)
    assert xp.to_numpy(flags).tolist() == [[0, 1], [0, 0], [1, 0]]
    np.testing.assert_allclose(xp.to_numpy(scaled), [[-1, 0], [1, -1], [0, 1]], rtol=1e-6)


def test_unknown_words_have_a_row_of_zeros():
    coded = lesson.one_hot(lesson.numbers_of(["b", "x", "a"], ["a", "b"]), 2)
    assert xp.to_numpy(coded).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_the_fit_is_that_of_numpy():
    features, _, targets = lesson.gappy_data(lesson.lost_at_random, seed=3)
    (train, val), (y_train, y_val) = (tuple(xp.to_numpy(part) for part in pair) for pair in (features, targets))
    with_ones = [np.column_stack([X, np.ones(len(X))]).astype(np.float64) for X in (train, val)]
    w = np.linalg.lstsq(with_ones[0], y_train, rcond=None)[0]
    expected = np.mean((with_ones[1] @ w - y_val) ** 2)
    assert lesson.fit_and_score(*features, *targets) == pytest.approx(expected, rel=1e-4)


def test_a_flag_helps_where_the_gap_has_a_reason():
    broken = lesson.average_rivals(lesson.lost_when_high, repetitions=2)
    chance = lesson.average_rivals(lesson.lost_at_random, repetitions=2)
    assert broken["flagged"] < 0.8 * broken["filled"] < broken["dropped"]
    assert chance["flagged"] == pytest.approx(chance["filled"], rel=0.03)
    assert chance["complete rows"] == pytest.approx(0.8**5, abs=0.03)


def test_selection_before_the_split_turns_noise_into_success():
    leaked, honest = (np.mean([lesson.selection_score(leak, seed) for seed in range(8)]) for leak in (True, False))
    assert leaked > 0.7
    assert honest == pytest.approx(0.5, abs=0.1)


def test_neighbours_beat_the_mean_and_one_kind_is_too_many():
    (train, val), (flags, val_flags), targets = lesson.gappy_data(lesson.lost_at_random)
    filled = [solutions.fill_by_neighbours(train, flags, X, f) for X, f in ((train, flags), (val, val_flags))]
    assert lesson.fit_and_score(*filled, *targets) < lesson.fit_and_score(train, val, *targets)
    kinds = np.eye(3)[[0, 1, 2, 1, 0]]
    assert solutions.rank_with_ones(kinds) == 3
