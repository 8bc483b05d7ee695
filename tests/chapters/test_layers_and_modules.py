"""Layers and modules: trees, shared parts, loops that end, hooks that leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
from d2l_chapters.builders_guide import layers_and_modules as lesson
from d2l_chapters.builders_guide import layers_and_modules_solutions as solutions

from d2l_core import nn, random, xp
from d2l_core.autodiff import value_and_grad


def features(n=20, d=5):
    return xp.asarray(random.normal((n, d), "test", "features"), dtype=xp.float_dtype())


def test_the_miniature_has_the_paths_of_the_library():
    ours = lesson.ChainNode(lesson.AffineNode(5, 3, "a"), xp.tanh, lesson.ChainNode(lesson.AffineNode(3, 2, "b")))
    theirs = nn.Sequential(nn.Linear(3), xp.tanh, nn.Sequential(nn.Linear(2))).initialise(features(), seed=0)
    assert [path for path, _ in ours.tree()] == list(theirs.parameters())
    theirs.load_state_dict(dict(ours.tree()))
    np.testing.assert_allclose(xp.to_numpy(ours(features())), xp.to_numpy(theirs(features())), atol=1e-6)


def test_the_miniature_counts_a_shared_part_once():
    shared = lesson.AffineNode(4, 4, "shared")
    chain = lesson.ChainNode(shared, lesson.ChainNode(shared), lesson.AffineNode(4, 1, "last"))
    assert [path for path, _ in chain.tree()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_sequential_and_mlp():
    model = lesson.SequentialScratch(nn.Linear(8), xp.tanh, lesson.MLP(4, 3)).initialise(features(), seed=0)
    assert tuple(model(features()).shape) == (20, 3)
    assert "stages.2.hidden.weight" in model.parameters()


@pytest.mark.parametrize("gain", [0.3, 0.5, 0.9])
def test_settle_ends_within_the_bound_at_a_fixed_point(gain):
    block = lesson.Settle(8, gain).initialise(features(), seed=3)
    H = block(features())
    assert 2 < block.steps <= lesson.bound_on_steps(8, gain, 1e-4)
    again = xp.tanh(block.into(features()) + block.again(H))
    assert np.abs(xp.to_numpy(again - H)).max() < 1e-4


def test_the_gradient_of_a_shared_layer_is_the_sum_over_its_uses():
    X = features()
    block = lesson.Settle(6).initialise(X, seed=1)
    _, shared = value_and_grad(lambda X: lesson.mean_square(block, X), block)(X)
    unrolled = lesson.Unrolled(block)
    assert len(unrolled.copies) == block.steps
    _, apart = value_and_grad(lambda X: lesson.mean_square(unrolled, X), unrolled)(X)
    total = sum(xp.to_numpy(g) for path, g in apart.items() if path.startswith("copies."))
    single = xp.to_numpy(apart["copies.0.weight"])
    np.testing.assert_allclose(xp.to_numpy(shared["again.weight"]), total, rtol=1e-3, atol=1e-6)
    assert np.abs(total - single).max() > 1e-3


def test_detours_keep_the_signal_and_hooks_are_gone():
    plain, detour = (lesson.stack(12, wrap=w).initialise(features(), seed=0) for w in (lambda b: b, lesson.Residual))
    assert lesson.sizes_inside(plain, features())[-1] < 1e-3 < 0.1 < lesson.sizes_inside(detour, features())[-1]
    assert not any(module._after for _, module in plain.named_modules())


def test_a_list_hides_its_layers():
    model = lesson.Forgetful()
    assert tuple(model(features()).shape) == (20, 1)
    assert model.parameters() == {}


def test_without_a_contraction_it_need_not_settle():
    block = lesson.Settle(8, gain=3.0).initialise(features(), seed=0)
    block(features())
    assert block.steps == block.most
    assert min(solutions.changes(block, features(), 60)[-10:]) > 0.1


def test_the_figure_shows_both_stacks():
    axes = lesson.plot_sizes({"a": [1.0, 0.1], "b": [1.0, 1.2]}).axes[0]
    assert [line.get_label() for line in axes.lines[:2]] == ["a", "b"]
