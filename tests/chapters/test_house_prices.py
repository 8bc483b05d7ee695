"""House prices: the preparation learns from training rows alone, ridge is the exact minimiser, jobs learn."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from d2l_chapters.multilayer_perceptrons import house_prices as lesson

from d2l_core import random, xp
from d2l_core.errors import TrainingDiverged

TABLE = {
    "Id": np.array(["1", "2", "3"]),
    "LotArea": np.array(["10", "NA", "14"]),
    "MSSubClass": np.array(["20", "60", "20"]),
    "Fence": np.array(["NA", "wood", "NA"]),
    "SalePrice": np.array(["100", "200", "100"]),
}


def test_the_matrix_of_a_small_table():
    X = lesson.Preparation.learn(TABLE).matrix(TABLE)
    np.testing.assert_allclose(
        X,  # area, its gap, types 20 and 60, fences NA and wood
        [[-1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0]],
    )


def test_what_was_not_seen_in_training_has_no_column():
    prepared = lesson.Preparation.learn(lesson.rows(TABLE, np.array([0, 2])))
    X = prepared.matrix(TABLE)
    assert X.shape == (3, 3)  # area, type 20, no fence
    np.testing.assert_allclose(X[1], 0)


def test_validation_rows_do_not_touch_the_preparation():
    table = lesson.houses("smoke")
    train, val = lesson.fold(200, 0, 1)
    changed = {name: cells.copy() for name, cells in table.items()}
    changed["LotArea"][val] = "1000000"
    before, after = (lesson.fold_arrays(t, 0, 1)[0][0] for t in (table, changed))
    np.testing.assert_array_equal(before, after)
    assert not set(train) & set(val)
    assert sorted(i for number in range(5) for i in lesson.fold(200, 0, number)[1]) == list(range(200))


def test_ridge_is_the_minimiser_with_a_free_bias():
    X, y = random.normal((40, 6), "test", "X"), random.normal((40, 1), "test", "y", mean=5.0)
    weight, bias = lesson.ridge(xp.asarray(X), xp.asarray(y), 0.1)
    stacked = np.vstack([np.column_stack([X, np.ones(40)]), np.sqrt(40 * 0.1) * np.eye(6, 7)])
    exact = np.linalg.lstsq(stacked, np.vstack([y, np.zeros((6, 1))]), rcond=None)[0]
    np.testing.assert_allclose(xp.to_numpy(weight), exact[:6], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(xp.to_numpy(bias), exact[6:], rtol=1e-4)


def test_cross_validation_has_a_valley():
    losses = lesson.cross_validate(lesson.houses("smoke"), (0.001, 0.1, 10.0))
    assert losses.shape == (3, 5, 2)
    train, val = losses.mean(axis=1).T
    assert train[0] < train[1] < train[2]
    assert val[1] < min(val[0], val[2])


def test_the_job_learns_and_needs_the_mean_taken_off():
    run = lesson.jobs["linear"].run("standard")
    assert run.history.final("val_loss") < 0.05
    uncentred = lesson.last_validation_loss(lesson.last_fold("standard", 0, centred=False))
    assert uncentred > 4 * run.history.final("val_loss")


def test_one_gap_spoils_everything():
    with pytest.raises(TrainingDiverged, match="nan"):
        lesson.last_validation_loss(lesson.with_one_gap("smoke"), epochs=1)


def test_the_giant_of_the_sample_has_the_largest_error():
    table = lesson.houses("standard")
    worst = int(np.argmax(np.abs(lesson.out_of_fold(table, 0.1))))
    assert (table["Id"][worst], table["GrLivArea"][worst]) == ("524", "4676")
    assert len(lesson.without(table, [worst])["Id"]) == 599


def test_dollars_are_worse_for_cheap_houses():
    table = lesson.houses("standard")
    (dollars, _), (logs, _) = (lesson.errors_by_price(table, 0.1, flag) for flag in (True, False))
    assert dollars > 1.1 * logs


def test_the_submission(tmp_path):
    train, test = lesson.houses("smoke"), lesson.houses("smoke", "test")
    assert "SalePrice" not in test
    prices = lesson.submission(train, test, 0.1)
    assert prices.shape == (200,)
    assert 120_000 < np.median(prices) < 200_000
    lesson.write_submission(tmp_path / "submission.csv", test["Id"], prices)
    header, *lines = csv.reader((tmp_path / "submission.csv").open())
    assert header == ["Id", "SalePrice"]
    assert lines[0] == ["1461", f"{prices[0]:.0f}"]
    assert len(lines) == 200


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    table = lesson.houses("smoke")
    assert len(lesson.plot_prices(table).axes) == 2
    assert len(lesson.plot_path((0.1, 1.0), np.ones((2, 5, 2))).axes[0].lines) == 7
    assert len(lesson.plot_errors(table, np.zeros(200)).axes[0].lines) == 3
    assert lesson.diagram_folds().svg().count("validate") == 5
