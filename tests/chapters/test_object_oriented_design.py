"""The parts of a training program: the tiny library agrees with the real one, and the traps are traps."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.linear_regression import object_oriented_design as lesson
from d2l_chapters.linear_regression import object_oriented_design_exercises as exercises
from d2l_chapters.linear_regression import object_oriented_design_solutions as solutions

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.nn.functional import squared_error
from d2l_core.training import Observer


class Diary(Observer):
    every = 1

    def __init__(self):
        self.entries = []

    def started(self, trainer):
        self.entries.append(("started", trainer.total_steps))

    def stepped(self, trainer):
        self.entries.append(("stepped", trainer.step))

    def epoch_ended(self, trainer, record):
        self.entries.append(("epoch", record["epoch"]))

    def ended(self, trainer):
        self.entries.append(("ended", trainer.step))


def test_tiny_and_real_library_agree_and_tell_the_same():
    diaries = Diary(), Diary()
    tiny, ours, theirs = lesson.tiny_and_library(1, observers=([diaries[0]], [diaries[1]]))
    assert list(tiny.parameters()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert ours.losses[0] > 2 * ours.losses[-1]
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    assert ours.final("val_loss") == pytest.approx(theirs.final("val_loss"), rel=1e-4)
    assert diaries[0].entries == diaries[1].entries
    assert len(diaries[0].entries) == 25 + 3


def test_lending_gives_the_gradient_and_leaves_the_values():
    model = lesson.TinyChain(lesson.TinyLinear(2, 3), xp.tanh, lesson.TinyLinear(3, 1))
    reference = lesson.network(3).initialise(xp.zeros((1, 2)), seed=1)
    model.load(reference.state_dict())
    X, y = xp.asarray([[0.5, -1.0], [2.0, 0.25]]), xp.asarray([[1.0], [0.0]])
    value, gradients = lesson.tiny_value_and_gradients(lambda: squared_error(model(X), y), model)
    expected, automatic = value_and_grad(lambda: squared_error(reference(X), y), reference)()
    np.testing.assert_allclose(xp.to_numpy(value), xp.to_numpy(expected), rtol=1e-5)
    assert gradients.keys() == automatic.keys()
    for path, gradient in gradients.items():
        np.testing.assert_allclose(xp.to_numpy(gradient), xp.to_numpy(automatic[path]), rtol=1e-4, atol=1e-6)
    for path, array in reference.state_dict().items():
        np.testing.assert_array_equal(xp.to_numpy(model.parameters()[path].value), array)


def test_values_come_back_even_if_the_model_fails():
    model = lesson.TinyLinear(1, 1)
    with pytest.raises(ZeroDivisionError):
        lesson.tiny_value_and_gradients(lambda: 1 / 0, model)
    np.testing.assert_array_equal(xp.to_numpy(model.weight.value), [[0.0]])


def test_the_board_sees_every_fifth_step_and_every_epoch():
    shown = []
    boards = lesson.Board(show=shown.append), lesson.Board(("loss", "val_loss"))
    lesson.tiny_and_library(2, observers=([boards[0]], [boards[1]]))
    for board in boards:
        np.testing.assert_allclose(board.curves["loss of the steps"][0], np.arange(1, 11) / 5)
        assert board.curves["val_loss"][0] == [1, 2]
    assert len(shown) == 2


def test_hyperparameters_are_kept_with_defaults_and_through_inheritance():
    class Deeper(lesson.WingNetwork):
        @lesson.keeps_hyperparameters
        def __init__(self, depth, sigma=2.0):
            super().__init__(num_hiddens=4, sigma=sigma / 2)

    assert lesson.WingNetwork(sigma=0.1).hyperparameters == {"num_hiddens": 16, "sigma": 0.1}
    assert Deeper(3).hyperparameters == {"depth": 3, "sigma": 2.0, "num_hiddens": 4}
    assert lesson.WingNetwork(8).clone().hyperparameters == {"num_hiddens": 8, "sigma": 0.5}
    with pytest.raises(TypeError, match="num_hidens"):
        solutions.with_changes(lesson.WingNetwork(), num_hidens=3)
    assert solutions.with_changes(lesson.WingNetwork(3), sigma=1.0).hyperparameters == {"num_hiddens": 3, "sigma": 1.0}


@pytest.mark.parametrize(("kind", "trained"), [(lesson.ForgetfulStack, 2), (lesson.MindfulStack, 6)])
def test_layers_in_a_list_are_not_trained(kind, trained):
    model = kind().initialise(xp.zeros((1, 5)))
    before = [layer.state_dict()["weight"] for layer in model.layers]
    lesson.run_parts(**(lesson.BASE | {"model": lambda: model}), epochs=1)
    after = [layer.state_dict()["weight"] for layer in model.layers]
    moved = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert len(model.parameters()) == trained
    assert moved == [trained == 6] * 2


def test_a_model_used_twice_goes_on():
    model = nn.Linear(1)
    first, second = (lesson.run_parts(**(lesson.BASE | {"model": lambda: model}), epochs=2) for _ in range(2))
    assert second.losses[0] < 0.8 * first.losses[0]


def test_wings_are_standardised_by_the_training_part():
    (X, y), (X_val, y_val) = lesson.wings()
    assert (X.shape, y.shape, X_val.shape, y_val.shape) == ((1000, 5), (1000, 1), (503, 5), (503, 1))
    np.testing.assert_allclose(np.column_stack((X, y)).mean(axis=0), 0.0, atol=1e-12)
    assert np.abs(X_val.mean(axis=0)).max() > 1e-3


class KeepsLast(solutions.KeepBest):
    def epoch_ended(self, trainer, record):
        self.state = trainer.model.state_dict()


class KeepsLastOfEqual(solutions.KeepBest):
    def epoch_ended(self, trainer, record):
        if record["val_loss"] <= self.lowest:
            self.lowest, self.state = record["val_loss"], trainer.model.state_dict()


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("KeepBest_value", KeepsLast),
        ("KeepBest_edges", KeepsLastOfEqual),
        ("find_parameters_value", lambda value, prefix="": value.parameters()),
        ("find_parameters_edges", lambda value, prefix="": solutions.find_parameters(value)),
    ],
)
def test_the_checks_find_mistakes(check, wrong):
    with pytest.raises(AssertionError):
        getattr(exercises, f"check_{check}")(wrong)
