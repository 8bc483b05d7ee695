"""Multilayer perceptrons and dropout: the jobs train, scratch and concise agree, and the checks can fail."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from _examining import examine
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist
from d2l_chapters.multilayer_perceptrons import mlp as lesson
from d2l_chapters.multilayer_perceptrons import mlp_solutions as solutions
from d2l_chapters.multilayer_perceptrons.activations import collapse

from d2l_core import nn, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.nn import functional


def one_batch(flat=False):
    X, y = next(iter(fashion_mnist("smoke", 0).train.epoch(0)))
    return (xp.reshape(X, (-1, 784)) if flat else X), y


@pytest.mark.parametrize("name", ["mlp", "dropout"])
def test_both_jobs_learn_and_agree(name):
    scratch, concise = (run for run in lesson.scratch_and_concise(name, "smoke", seed=1, epochs=4))
    assert list(scratch.model.variables()) == list(concise.model.variables())
    assert len(scratch.history.losses) == 8
    np.testing.assert_allclose(concise.history.losses, scratch.history.losses, rtol=1e-4)
    assert concise.history.losses[0] == pytest.approx(np.log(10.0), abs=0.6)
    for run in (scratch, concise):
        assert run.history.final("val_loss") < 0.85 * run.history.losses[0]
        assert run.history.final("val_acc") > 0.3


def test_another_seed_is_another_run():
    first, second = (lesson.jobs["dropout"].run("smoke", seed).history.losses for seed in (0, 1))
    assert abs(first[0] - second[0]) > 1e-3


def test_shapes_of_the_parameters():
    X, _ = one_batch()
    for make in (lesson.mlp_scratch, lesson.mlp):
        model = make(num_hiddens=(32, 16), p=(0.5, 0.5)).initialise(X, seed=0)
        shapes = {path: parameter.shape for path, parameter in model.parameters().items()}
        assert shapes == {
            "1.weight": (32, 784),
            "1.bias": (32,),
            "4.weight": (16, 32),
            "4.bias": (16,),
            "7.weight": (10, 16),
            "7.bias": (10,),
        }
        assert tuple(model(X).shape) == (256, 10)


def test_relu_equals_the_library():
    x = xp.asarray(np.array([-2.0, -0.0, 0.0, 1e-30, 3.0]))
    ours, theirs = (value_and_grad(lambda x, f=f: xp.sum(f(x)))(x) for f in (lesson.relu, functional.relu))
    np.testing.assert_array_equal(xp.to_numpy(ours[0]), xp.to_numpy(theirs[0]))
    np.testing.assert_array_equal(xp.to_numpy(ours[1]), [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(xp.to_numpy(theirs[1]), [0, 0, 0, 1, 1])


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_dropout_keeps_the_mean_and_adds_the_variance(p):
    mean, variance = lesson.moments_after_dropout(p)
    assert mean == pytest.approx(1.0, abs=0.02)
    assert variance == pytest.approx(p / (1.0 - p), rel=0.05)


def test_dropout_drops_the_same_as_the_library_and_anew_at_each_call():
    x = xp.asarray(random.normal((40, 30), "test_mlp", "dropout"))
    ours, theirs = lesson.DropoutScratch(0.3).initialise(seed=3), nn.Dropout(0.3).initialise(seed=3)
    first = xp.to_numpy(ours(x))
    np.testing.assert_array_equal(first, xp.to_numpy(theirs(x)))
    second = xp.to_numpy(ours(x))
    np.testing.assert_array_equal(second, xp.to_numpy(theirs(x)))
    assert ((first == 0) != (second == 0)).mean() > 0.3
    np.testing.assert_array_equal(xp.to_numpy(ours.evaluate()(x)), xp.to_numpy(x))


def test_affine_layers_collapse_and_a_relu_prevents_it():
    X, _ = one_batch(flat=True)
    layers = [lesson.DenseScratch(784, 12), lesson.DenseScratch(12, 8), lesson.DenseScratch(8, 10)]
    stack = nn.Sequential(*layers).initialise(seed=0)
    for layer in layers:
        layer.bias = xp.asarray(random.normal(layer.bias.shape, "test_mlp", layer.path))
    weight, bias = (xp.to_numpy(part) for part in collapse([(layer.weight, layer.bias) for layer in layers]))
    assert (weight.shape, bias.shape) == ((10, 784), (10,))
    assert np.linalg.matrix_rank(weight) == 8
    np.testing.assert_allclose(xp.to_numpy(stack(X)), xp.to_numpy(X) @ weight.T + bias, atol=1e-4)
    bent = nn.Sequential(layers[0], lesson.relu, layers[1], lesson.relu, layers[2])
    assert np.abs(xp.to_numpy(bent(X)) - xp.to_numpy(X) @ weight.T - bias).max() > 0.1


def test_gradients_by_hand():
    X, y = one_batch(flat=True)
    model = lesson.mlp_scratch(num_hiddens=(20,)).initialise(seed=0)
    _, automatic = value_and_grad(lambda X, y: functional.cross_entropy(model(X), y), model)(X, y)
    for path, ours in lesson.gradients_by_hand(model, X, y).items():
        np.testing.assert_allclose(xp.to_numpy(ours), xp.to_numpy(automatic[path]), atol=1e-6)


def test_folds_cut_the_square_into_pieces():
    axes = np.eye(2)
    points = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    np.testing.assert_array_equal(lesson.fold_patterns(points, axes, np.zeros(2)), [3, 1, 2, 0])
    for m in (1, 3, 8):
        pieces = len(np.unique(lesson.random_folds(m, side=100)))
        assert m + 1 <= pieces <= 1 + m + math.comb(m, 2)


def test_training_accuracy_is_measured_in_evaluation_mode():
    found = lesson.with_and_without("smoke", epochs=2, num_hiddens=(32,))
    for model, history in found.values():
        train = fashion_mnist("smoke", 0).train
        assert history.final("train_acc") == pytest.approx(lesson.mean_accuracy(model.evaluate(), train), abs=1e-6)
        assert len(history.column("train_acc")) == 2


def test_equal_units_stay_equal():
    still, moved = lesson.equal_start(0.0, num_hiddens=6), lesson.equal_start(0.01, num_hiddens=6)
    for model in (still, moved):
        lesson.train(model, fashion_mnist("smoke", 0), epochs=3)
        assert max(lesson.spread_of_units(model)) == pytest.approx(0.0, abs=1e-6)
    state = still.state_dict()
    assert not any(state[path].any() for path in ("1.weight", "1.bias", "3.weight"))
    assert state["3.bias"].any()
    assert np.abs(moved.state_dict()["3.weight"] - 0.01).max() > 1e-3
    assert max(lesson.spread_of_units(lesson.mlp_scratch(num_hiddens=(6,)).initialise(seed=0))) > 0.01


def test_a_large_rate_kills_units():
    found = lesson.dead_by_rate("smoke", (0.1, 2.0), epochs=2)
    assert found[0.1][0] < 0.05
    assert found[2.0][0] > 0.3


def test_dropout_left_on_changes_the_answer():
    model, loader = lesson.jobs["dropout"].run("smoke").model, fashion_mnist("smoke", 0).val
    assert len(set(lesson.accuracies_left_on(model, loader, calls=4))) > 1
    assert not model.training
    assert len({lesson.mean_accuracy(model, loader) for _ in range(3)}) == 1


def test_without_the_factor_activations_shrink():
    X, _ = one_batch()
    right = lesson.output_sizes(lesson.jobs["dropout-scratch"].model().initialise(seed=0), X)
    wrong = lesson.output_sizes(lesson.unscaled_mlp().initialise(seed=0), X)
    assert right["training"][0] == pytest.approx(right["evaluation"][0], rel=0.05)
    assert wrong["training"][0] == pytest.approx(0.5 * wrong["evaluation"][0], rel=0.05)
    assert wrong["training"][2] < 0.5 * right["training"][2]
    np.testing.assert_allclose(wrong["evaluation"], right["evaluation"], rtol=1e-5)
    model = lesson.unscaled_mlp().initialise(seed=0).evaluate()
    logits = xp.to_numpy(model(X))
    np.testing.assert_allclose(xp.to_numpy(lesson.scaled_afterwards(model)(X)), logits / 4.0, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda X, slope: functional.relu(X),
        lambda X, slope: X,
        lambda X, slope: solutions.leaky_relu(X, 0.01),
        lambda X, slope: xp.where(X > 0, X, xp.stop_gradient(slope * X)),
        lambda X, slope: solutions.leaky_relu(X, slope)[0],
    ],
)
def test_check_leaky_relu_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should"):
        examine("mlp", "leaky_relu", wrong)


def _arithmetic_mean_for_half(H, weight, bias, p):
    masks = np.array(list(itertools.product((0.0, 2.0), repeat=H.shape[-1])))
    return sum(functional.softmax(functional.linear(H * xp.asarray(mask), weight, bias)) for mask in masks) / len(masks)


@pytest.mark.parametrize(
    "wrong",
    [
        _arithmetic_mean_for_half,
        lambda H, weight, bias, p: solutions.masked_ensemble((1.0 - p) * H, weight, bias, p),
        lambda H, weight, bias, p: 2.0 * solutions.masked_ensemble(H, weight, bias, p),
        lambda H, weight, bias, p: solutions.masked_ensemble(H, weight, bias, p)[0],
    ],
)
def test_check_masked_ensemble_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should"):
        examine("mlp", "masked_ensemble", wrong)


def _parity_with(weight=1.0, bias=0.0, output=1.0):
    def candidate(n):
        arrays = solutions.parity_network(n)
        return weight * arrays[0], arrays[1] + bias, output * arrays[2]

    return candidate


@pytest.mark.parametrize(
    "wrong",
    [
        _parity_with(weight=0.9),
        _parity_with(bias=0.1),
        _parity_with(output=-1.0),
        lambda n: (np.ones((2, n)), np.array([0.0, -1.0]), np.array([1.0, -2.0])),
    ],
)
def test_check_parity_network_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should be"):
        examine("mlp", "parity_network", wrong)


def test_rescaling_a_unit_changes_the_gradient_only():
    before, after = solutions.rescaled_unit(lesson.mlp_scratch(num_hiddens=(8,)).initialise(seed=0), 2, 4.0)
    np.testing.assert_allclose(after[0], before[0], atol=1e-5)
    np.testing.assert_allclose(after[1][2], before[1][2] / 4.0, atol=1e-6)
    np.testing.assert_allclose(after[2][:, 2], before[2][:, 2] * 4.0, rtol=1e-4, atol=1e-6)
    assert np.abs(before[1][2]).max() > 1e-4


def test_input_dropout_is_a_penalty():
    w, x = (random.normal((6,), "test_mlp", name) for name in ("w", "x"))
    drawn, formula = solutions.expected_error(w, x, 1.0, p=0.3, draws=50_000)
    assert drawn == pytest.approx(formula, rel=0.03)
    assert formula > 1.05 * (w @ x - 1.0) ** 2


def test_the_figures_can_be_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    histories = {name: history for name, (_, history) in lesson.with_and_without("smoke", 1, (8,)).items()}
    assert len(lesson.plot_network().axes) == 2
    assert len(lesson.plot_folds().axes) == 3
    assert len(lesson.plot_gap(histories).axes) == 2
