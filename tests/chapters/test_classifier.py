"""What all classifiers share: passes, counts, calibration, and the means that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from d2l_chapters.linear_classification import classifier as lesson
from d2l_chapters.linear_classification import classifier_exercises as exercises
from d2l_chapters.linear_classification import classifier_solutions as solutions
from d2l_chapters.linear_classification.image_dataset import fashion

from d2l_core import nn, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import Loader, to_float_images
from d2l_core.nn.functional import accuracy, cross_entropy


class Given(nn.Module):
    """Returns its inputs, the scores."""

    def forward(self, X):
        return X


@pytest.fixture(scope="module")
def runs():
    return {name: job.run("smoke") for name, job in lesson.jobs.items()}


def example(n=50, k=4, std=2.0):
    scores = random.normal((n, k), "test_classifier", "scores", std=std)
    labels = (random.uniform(n, "test_classifier", "labels") * k).astype(np.int32)
    return scores, labels


def test_every_job_learns(runs):
    assert runs["linear"].history.final("val_acc") > 0.3
    assert runs["overtrained"].history.final("val_acc") > 0.6


def test_the_loop_by_hand_is_the_trainer():
    job = replace(lesson.jobs["linear"], epochs={"smoke": 2})
    data = job.data("smoke", 1)
    model = job.model().initialise(*data.train.example()[:-1], seed=1)
    records, history = lesson.train_by_hand(model, data, 0.1, 2), job.run("smoke", 1).history
    for ours, theirs in zip(records, history.epochs, strict=True):
        for name in ("loss", "val_loss", "val_acc"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4)


def test_accuracy_has_no_gradient():
    scores, labels = example()
    value, gradient = value_and_grad(lambda s: lesson.accuracy_scratch(s, xp.asarray(labels)) + 0.0 * xp.sum(s))(
        xp.asarray(scores)
    )
    assert float(xp.to_numpy(value)) == pytest.approx((scores.argmax(axis=1) == labels).mean())
    assert np.all(xp.to_numpy(gradient) == 0.0)


def test_cross_entropy_bounds_the_errors():
    for std in (0.1, 1.0, 10.0):
        scores, labels = (xp.asarray(array) for array in example(std=std))
        errors = 1.0 - float(xp.to_numpy(accuracy(scores, labels)))
        assert errors <= float(xp.to_numpy(cross_entropy(scores, labels))) / np.log(2) + 1e-6


@pytest.mark.parametrize("batch_size", [7, 25, 49, 50])
def test_validation_does_not_depend_on_the_batch_size(batch_size):
    scores, labels = example()
    loader = Loader((scores, labels), batch_size)
    found = lesson.validate(Given().initialise(seed=0), loader, {"acc": accuracy, "loss": cross_entropy})
    assert found["acc"] == pytest.approx((scores.argmax(axis=1) == labels).mean(), abs=1e-6)
    assert found["loss"] == pytest.approx(float(xp.to_numpy(cross_entropy(xp.asarray(scores), xp.asarray(labels)))))


def test_a_plain_mean_lets_the_rest_count_too_much():
    scores = np.zeros((10, 2))
    scores[:, 0] = 1.0
    labels = np.array([0] * 9 + [1], dtype=np.int32)
    loader = Loader((scores, labels), 9)
    model = Given().initialise(seed=0)
    assert lesson.plain_mean(model, loader, accuracy) == pytest.approx(0.5)
    assert lesson.validate(model, loader, {"acc": accuracy})["acc"] == pytest.approx(0.9)


def test_sorted_with_one_left():
    images, labels = fashion("test", "standard")
    loader = lesson.sorted_with_one_left(images, labels)
    sizes = [len(y) for _, y in loader.epoch(0)]
    assert sizes == [111] * 9 + [1]


def test_confusion_counts():
    scores, labels = example()
    found = xp.to_numpy(lesson.confusion(xp.asarray(scores), xp.asarray(labels)))
    expected = np.zeros((4, 4))
    np.add.at(expected, (labels, scores.argmax(axis=1)), 1.0)
    np.testing.assert_array_equal(found, expected)


def test_a_calibrated_classifier_has_no_error_and_temperature_one():
    p = np.array([0.6, 0.9])
    scores = np.log(np.stack([p, 1 - p], axis=1)).repeat(1000, axis=0)
    labels = np.concatenate([np.arange(1000) >= 600, np.arange(1000) >= 900]).astype(np.int32)
    tensors = xp.asarray(scores), xp.asarray(labels)
    assert lesson.calibration_error(*tensors) == pytest.approx(0.0, abs=1e-5)
    assert lesson.best_temperature(*tensors) == pytest.approx(1.0, abs=1e-3)
    assert lesson.best_temperature(3.0 * tensors[0], tensors[1]) == pytest.approx(3.0, abs=3e-3)
    assert lesson.calibration_error(3.0 * tensors[0], tensors[1]) > 0.1


def test_the_best_temperature_has_the_least_loss(runs):
    scores, labels = lesson.scores_of(runs["overtrained"].model, runs["overtrained"].data.val)
    best = lesson.best_temperature(scores, labels)
    losses = [float(xp.to_numpy(cross_entropy(scores / T, labels))) for T in (best, 0.8 * best, 1.25 * best)]
    assert losses[0] == min(losses)
    assert float(xp.to_numpy(accuracy(scores / best, labels))) == float(xp.to_numpy(accuracy(scores, labels)))


def test_dropout_in_the_wrong_mode_costs_accuracy(runs):
    model = nn.Sequential(nn.Flatten(), nn.Linear(128), nn.ReLU(), nn.Dropout(0.7), nn.Linear(10))
    X, y = next(iter(Loader(fashion("test", "smoke"), 500, transform=to_float_images).epoch(0)))
    model.initialise(X, seed=0)
    weights = runs["overtrained"].model.state_dict()
    model.load_state_dict({path.replace("3.", "4."): array for path, array in weights.items()})
    model.evaluate()
    evaluating = float(xp.to_numpy(accuracy(model(X), y)))
    model.train()
    assert evaluating > float(xp.to_numpy(accuracy(model(X), y))) + 0.05


def test_dear_shirts_are_found_more_often():
    costs = 1.0 - np.eye(2)
    p = np.array([[0.8, 0.2], [0.95, 0.05]])
    assert solutions.cheapest(p, costs).tolist() == [0, 0]
    costs[1, 0] = 5.0
    assert solutions.cheapest(p, costs).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (exercises.check_balanced_accuracy_value, lambda C: solutions.balanced_accuracy(xp.matrix_transpose(C))),
        (exercises.check_balanced_accuracy_edges, lambda C: xp.sum(C * xp.eye(C.shape[0])) / xp.sum(C)),
        (exercises.check_mean_surplus_value, lambda s, y, b: b * solutions.mean_surplus(s, y, b)),
        (exercises.check_mean_surplus_value, lambda s, y, b: solutions.mean_surplus(s, y, 1.0)),
        (exercises.check_mean_surplus_edges, lambda s, y, b: 0.5 * solutions.mean_surplus(s, y, b)),
    ],
)
def test_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError, match=r"Expected|expected|shape"):
        check(wrong)
