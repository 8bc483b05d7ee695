"""Softmax regression: its jobs train, its parts agree and its checks can fail."""

from __future__ import annotations

import numpy as np
import pytest
from _examining import examine
from d2l_chapters.linear_classification import softmax_regression as lesson
from d2l_chapters.linear_classification import softmax_regression_solutions as solutions

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.nn import functional

LOGITS = random.normal((6, 4), "test_softmax_regression", std=5.0)
LABELS = np.array([0, 3, 1, 2, 2, 0], dtype=np.int32)


@pytest.mark.parametrize("name", lesson.jobs)
def test_every_job_learns(name):
    history = lesson.jobs[name].run("smoke").history
    assert history.losses[0] == pytest.approx(np.log(10.0), abs=0.15)
    assert history.final("val_loss") < 0.85 * history.losses[0]
    assert history.final("val_acc") > 0.45


def test_scratch_and_concise_agree():
    scratch, concise = lesson.trained_from_one_start("smoke", seed=1, epochs=3)
    assert len(scratch.losses) == 6
    np.testing.assert_allclose(concise.losses, scratch.losses, rtol=1e-4)
    assert concise.final("val_loss") == pytest.approx(scratch.final("val_loss"), rel=1e-4)


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_own_functions_equal_the_library(scale):
    logits, labels = xp.asarray(scale * LOGITS), xp.asarray(LABELS)
    probabilities = lesson.softmax(logits)
    assert tuple(probabilities.shape) == (6, 4)
    np.testing.assert_allclose(
        xp.to_numpy(probabilities), xp.to_numpy(functional.softmax(logits)), rtol=1e-5, atol=1e-30
    )
    ours, theirs = (
        value_and_grad(loss)(logits, labels) for loss in (lesson.log_likelihood_loss, functional.cross_entropy)
    )
    assert tuple(ours[0].shape) == ()
    assert float(xp.to_numpy(ours[0])) == pytest.approx(float(xp.to_numpy(theirs[0])), rel=1e-5)
    np.testing.assert_allclose(xp.to_numpy(ours[1]), xp.to_numpy(theirs[1]), atol=1e-6)


def test_gradient_by_hand():
    X, y = next(iter(lesson.fashion_mnist("smoke", 0).train.epoch(0)))
    model = lesson.SoftmaxRegressionScratch(784, 10).initialise(seed=0)
    logits = model(X)
    assert tuple(logits.shape) == (256, 10)
    _, automatic = value_and_grad(lambda X, y: lesson.log_likelihood_loss(model(X), y), model)(X, y)
    ours = lesson.gradient_by_hand(xp.reshape(X, (-1, 784)), y, logits)
    assert tuple(ours.shape) == (10, 784)
    np.testing.assert_allclose(xp.to_numpy(ours), xp.to_numpy(automatic["weight"]), atol=1e-6)


def test_data_by_scale():
    shapes = {scale: [images.shape for images, _ in lesson.fashion_arrays(scale)] for scale in ("smoke", "standard")}
    assert shapes["smoke"] == [(512, 28, 28), (256, 28, 28)]
    assert shapes["standard"] == [(6000, 28, 28), (1000, 28, 28)]
    assert all(len(set(labels.tolist())) == 10 for _, labels in lesson.fashion_arrays("smoke"))


def test_the_obvious_softmax_fails_and_the_careful_one_does_not():
    logits, label = xp.asarray([[1000.0, 0.0]]), xp.asarray(np.array([1], dtype=np.int32))
    with np.errstate(all="ignore"):
        assert np.isnan(xp.to_numpy(lesson.naive_softmax(logits))).any()
        assert np.isinf(xp.to_numpy(lesson.naive_loss(logits, label)))
    value, gradient = value_and_grad(lesson.log_likelihood_loss)(logits, label)
    assert float(xp.to_numpy(value)) == pytest.approx(1000.0)
    np.testing.assert_allclose(xp.to_numpy(gradient), [[1.0, -1.0]], atol=1e-6)


def test_bytes_and_sorted_data_are_worse():
    plain = lesson.train(lesson.fashion_mnist("smoke", 0), epochs=2)
    raw = lesson.train(lesson.fashion_mnist("smoke", 0, transform=lesson.raw_pixels), epochs=2)
    in_order = lesson.train(lesson.sorted_by_label("smoke"), epochs=2)
    assert raw.final("val_loss") > 100.0 * plain.final("val_loss")
    assert in_order.final("val_acc") < plain.final("val_acc") - 0.1


def test_training_never_moves_the_mean_row():
    mean_row, weight = solutions.drift_of_the_mean_row("smoke")
    assert weight > 0.01
    assert mean_row < 1e-4 * weight


@pytest.mark.parametrize(
    "wrong",
    [
        lambda logits, labels, epsilon: functional.cross_entropy(logits, labels),
        lambda logits, labels, epsilon: (1.0 - epsilon) * functional.cross_entropy(logits, labels),
        lambda logits, labels, epsilon: solutions.smoothed_loss(logits, labels, 0.1),
        lambda logits, labels, epsilon: solutions.smoothed_loss(xp.clip(logits, max=80.0), labels, epsilon),
    ],
)
def test_check_smoothed_loss_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should"):
        examine("softmax-regression", "smoothed_loss", wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda logits, labels, k: functional.accuracy(logits, labels),
        lambda logits, labels, k: solutions.top_k_accuracy(logits, labels, k + 1),
        lambda logits, labels, k: solutions.top_k_accuracy(-logits, labels, k),
    ],
)
def test_check_top_k_accuracy_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="share should be"):
        examine("softmax-regression", "top_k_accuracy", wrong)


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    run = lesson.jobs["concise"].run("smoke")
    assert len(lesson.plot_idea().axes) == 3
    assert len(lesson.plot_templates(run.model).axes) == 10
