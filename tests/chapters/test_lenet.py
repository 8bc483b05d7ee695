"""LeNet: its jobs train, its parts agree with the library's, what goes wrong does, and its checks can fail."""

from __future__ import annotations

import numpy as np
import pytest
from _examining import examine
from d2l_chapters.convolutional_networks import lenet as lesson
from d2l_chapters.convolutional_networks import lenet_solutions as solutions

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.random import normal


@pytest.fixture(scope="module")
def runs():
    """Every job once: what is compiled for a run serves all tests."""
    return {name: job.run("smoke", epochs=6) for name, job in lesson.jobs.items()}


def test_every_job_runs(runs):
    assert runs.keys() == lesson.jobs.keys()
    for run in runs.values():
        assert np.isfinite(run.history.losses).all()
        assert 0.0 <= run.history.final("val_acc") <= 1.0


def test_normalised_lenet_learns_where_plain_lenet_stays_at_chance(runs):
    assert min(runs["lenet"].history.losses) > 2.2
    assert runs["bn-lenet"].history.losses[-1] < 1.9


def test_rate_comes_to_rest_only_with_normalisation():
    rates = {name: job.optimiser(nn.Linear(1, 1).initialise(seed=0)).rate for name, job in lesson.jobs.items()}
    assert [rates["lenet"](step, 100) for step in (0, 99)] == [0.1, 0.1]
    for name in ("bn-lenet-scratch", "bn-lenet"):
        assert [rates[name](step, 100) for step in (0, 50)] == [0.1, 0.1]
        assert rates[name](75, 100) == pytest.approx(0.05)
        assert 0.0 < rates[name](99, 100) < 1e-3


def test_scratch_and_concise_agree(runs):
    first, second = (runs[name] for name in ("bn-lenet-scratch", "bn-lenet"))
    np.testing.assert_allclose(second.history.losses, first.history.losses, rtol=1e-4)
    np.testing.assert_allclose(second.history.column("val_loss"), first.history.column("val_loss"), rtol=1e-4)
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    assert ours.keys() == theirs.keys()
    for path, array in ours.items():
        np.testing.assert_allclose(theirs[path], array, rtol=1e-3, atol=1e-4, err_msg=path)


def test_convolution_is_equivariant():
    X = np.pad(normal((1, 2, 8, 8), "shift"), ((0, 0), (0, 0), (4, 4), (4, 4)))
    K = xp.asarray(normal((3, 2, 3, 3), "K"))
    Y, moved = (xp.to_numpy(lesson.corr2d_multi(xp.asarray(array), K)) for array in (X, np.roll(X, (2, -1), (2, 3))))
    np.testing.assert_allclose(moved, np.roll(Y, (2, -1), (2, 3)), rtol=1e-5, atol=1e-5)


def test_an_edge_kernel_is_learned_slow_directions_last():
    X, _ = next(iter(lesson.fashion_mnist("smoke", 0, batch_size=32).train.epoch(0)))
    K, losses = lesson.learn_kernel(X, lesson.corr2d_multi(X, xp.asarray(lesson.SOBEL[None, None])))
    error = np.abs(xp.to_numpy(K)[0, 0] - lesson.SOBEL).max()
    assert losses[-1] < 0.002 * losses[0]
    assert 0.02 < error < 0.4
    values, _ = lesson.patch_curvature(X)
    assert values[-1] < 2 / 0.6
    assert values[-1] > 10 * values[-2]


def test_shapes_and_number_of_parameters():
    X = xp.zeros((1, 1, 28, 28))
    model = lesson.LeNet().initialise(X, seed=0)
    shapes = list(lesson.shapes_of(model, X).values())
    assert shapes[0] == (1, 6, 28, 28)
    assert shapes[5:8] == [(1, 16, 5, 5), (1, 400), (1, 120)]
    assert shapes[-1] == (1, 10)
    assert lesson.count_parameters(model) == 61_706
    assert lesson.count_parameters(lesson.LeNet(norm=nn.BatchNorm).initialise(X)) == 61_706 + 2 * 226


@pytest.mark.parametrize("shape", [(8, 5), (8, 5, 6, 6)])
def test_batch_normalisation_from_scratch(shape):
    gaps = lesson.compare_batch_norms(xp.asarray(3.0 + 2.0 * normal(shape, "batch")))
    assert set(gaps) == {"output", "gradient", "mean", "variance", "evaluation"}
    assert max(gaps.values()) < 1e-4


def test_running_variance_is_unbiased():
    X = normal((8, 5), "unbiased")
    layer = lesson.BatchNormScratch(5, momentum=1.0).initialise(seed=0).train()
    layer(xp.asarray(X))
    np.testing.assert_allclose(xp.to_numpy(layer.running_var), X.var(axis=0, ddof=1), rtol=1e-5)
    for m in (2, 4):
        assert lesson.mean_variance(m) == pytest.approx((m - 1) / m, rel=0.03)


def test_gradient_of_batch_normalisation_by_hand():
    X, G = xp.asarray(normal((8, 5), "X")), xp.asarray(normal((8, 5), "G"))
    layer, gamma = lesson.BatchNormScratch(5).initialise(seed=0).train(), xp.asarray([0.5, 2.0, -1.0, 3.0, 0.1])
    _, input_gradient = value_and_grad(lambda X: xp.sum(G * lesson.normalise(X, gamma=gamma)))(X)
    _, gradients = value_and_grad(lambda X: xp.sum(G * layer(X)), layer)(X)
    ours = lesson.batch_norm_gradient(X, G, gamma)
    for one, other in zip(ours, (input_gradient, gradients["weight"], gradients["bias"]), strict=True):
        np.testing.assert_allclose(xp.to_numpy(one), xp.to_numpy(other), rtol=1e-3, atol=1e-4)
    assert np.abs(xp.to_numpy(xp.mean(ours[0], axis=0))).max() < 1e-5


def test_larger_weights_get_smaller_gradients():
    norm, norm_of_larger, cosine = lesson.scale_law(10.0)
    assert norm_of_larger == pytest.approx(norm / 10, rel=1e-3)
    assert abs(cosine) < 1e-3


def test_signals_fade_without_normalisation():
    plain, normalised = lesson.signals(batch=20), lesson.signals(nn.BatchNorm, batch=20)
    assert [len(plain[key]) for key in ("spread", "slope", "gradient")] == [4, 4, 5]
    assert plain["spread"] == sorted(plain["spread"], reverse=True)
    assert plain["spread"][0] > 30 * plain["spread"][-1]
    assert plain["gradient"][-1] > 100 * plain["gradient"][0]
    assert min(plain["slope"]) > 0.2
    assert max(normalised["spread"]) < 2 * min(normalised["spread"])
    assert normalised["gradient"][0] > 100 * plain["gradient"][0]


def test_training_mode_leaks_between_examples(runs):
    run = runs["bn-lenet"]
    before = run.model.state_dict()
    images, labels = lesson.fashion_mnist("standard", 0).val.arrays
    order = np.argsort(labels, kind="stable").reshape(10, 100)[:, :20].ravel()  # 20 of each class
    X, y = lesson.to_float_images(xp.asarray(images[order]), xp.asarray(labels[order]))
    found = lesson.accuracies(run.model, X, y)
    assert found["all together"] > 0.35
    assert found["one class at a time"] < found["all together"] - 0.1
    assert found["one by one"] < 0.35
    after = run.model.state_dict()
    assert not run.model.training
    for path, array in before.items():
        np.testing.assert_array_equal(after[path], array)


def test_a_batch_of_one_gets_the_same_answer_whatever_it_shows():
    model = lesson.LeNet(norm=nn.BatchNorm).initialise(xp.zeros((1, 1, 28, 28)), seed=0).train()
    first, second = (xp.to_numpy(model(xp.asarray(normal((1, 1, 28, 28), "one", k)))) for k in range(2))
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)
    with pytest.raises(ZeroDivisionError):
        lesson.BatchNormScratch(3)(xp.ones((1, 3)))


def test_channels_last_is_refused_by_lenet_and_taken_by_a_tolerant_network():
    X = xp.zeros((4, 28, 28, 1))
    with pytest.raises(Exception, match=r"."):
        lesson.LeNet().initialise(xp.zeros((1, 1, 28, 28)), seed=0)(X)
    shares = []
    for transform in (lesson.to_float_images, lesson.channels_last):
        model, history, (X, _) = lesson.train_tolerant(transform, "smoke", epochs=1)
        assert np.isfinite(history.losses).all()
        shares.append(lesson.untouched_weights(model, X))
    assert shares[1] >= 0.8 > 0.5 > shares[0]
    assert tuple(model[0].weight.shape) == (16, 28, 5, 5)


def _not_turned(G, K):
    return lesson.corr2d_multi(G, xp.permute_dims(K, (1, 0, 2, 3)), padding=K.shape[-1] - 1)


def _turned_in_one_axis(G, K):
    turned = xp.flip(xp.permute_dims(K, (1, 0, 2, 3)), axis=2)
    return lesson.corr2d_multi(G, turned, padding=K.shape[-1] - 1)


def _not_padded(G, K):
    return lesson.corr2d_multi(G, xp.flip(xp.permute_dims(K, (1, 0, 2, 3)), axis=(2, 3)), padding=0)


@pytest.mark.parametrize(
    ("wrong", "hint"), [(_not_turned, "180 degrees"), (_turned_in_one_axis, "180 degrees"), (_not_padded, "wider")]
)
def test_check_input_gradient_finds_mistakes(wrong, hint):
    with pytest.raises(AssertionError, match=hint):
        examine("lenet", "input_gradient", wrong)


def _without_old_bias(weight, bias, norm):
    return solutions.fold(weight, xp.zeros_like(bias), norm)


def _without_eps(weight, bias, norm):
    scale = norm.weight / xp.sqrt(norm.running_var)
    return weight * xp.reshape(scale, (-1, 1, 1, 1)), (bias - norm.running_mean) * scale + norm.bias


def _bias_as_a_column(weight, bias, norm):
    weight, bias = solutions.fold(weight, bias, norm)
    return weight, xp.reshape(bias, (-1, 1))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (_without_old_bias, "differs by"),
        (_without_eps, "differs by"),
        (lambda weight, bias, norm: (weight, bias), "differs by"),
        (_bias_as_a_column, "instead of"),
    ],
)
def test_check_fold_finds_mistakes(wrong, hint):
    with pytest.raises(AssertionError, match=hint):
        examine("lenet", "fold", wrong)


def test_biases_before_normalisation_are_idle():
    job = lesson.jobs["bn-lenet"]
    X, y = (tensor[:20] for tensor in next(iter(job.data("smoke", 0).train.epoch(0))))
    model = job.model().initialise(X, seed=0)
    idle = solutions.idle_parameters(model, X, y)
    assert sum(model.parameters()[path].shape[0] for path in idle) == 226


def test_a_pair_gets_no_gradient():
    assert solutions.pair_gradient(eps=1e-8) < 1e-3
    assert solutions.pair_gradient(eps=1.0) > 1e-2


def test_other_activations_leave_the_plateau():
    model = solutions.lenet_with(nn.Tanh).initialise(xp.zeros((1, 1, 28, 28)), seed=0)
    assert lesson.count_parameters(model) == 61_706


def test_the_figures_can_be_drawn(runs):
    pytest.importorskip("matplotlib").use("Agg")
    kernel = xp.asarray(lesson.SOBEL[None, None])
    assert len(lesson.plot_idea().axes) == 2
    assert len(lesson.plot_curves({"bn-lenet": runs["bn-lenet"].history}).axes) == 2
    assert len(lesson.plot_edges(xp.zeros((1, 1, 8, 8)), {"Sobel": kernel}).axes) == 2
    found = {"spread": [0.1, 0.2], "gradient": [0.1, 0.2, 0.3]}
    assert len(lesson.plot_signals(found, found).axes) == 2
