"""Backpropagation: the sweep by hand is the gradient, its counts are right, and its mistakes are mistakes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from d2l_chapters.multilayer_perceptrons import backpropagation as lesson
from d2l_chapters.multilayer_perceptrons import backpropagation_solutions as solutions

from d2l_core import xp
from d2l_core.autodiff import value_and_grad
from d2l_core.random import normal


def case(sizes=(5, 7, 6, 3), n=4):
    """Parameters, inputs and labels of a small network."""
    parameters = [
        tuple(xp.asarray(normal(shape, "case", i), dtype=xp.float_dtype()) for shape in ((b, a), (b,)))
        for i, (a, b) in enumerate(itertools.pairwise(sizes))
    ]
    X = xp.asarray(normal((n, sizes[0]), "case", "X"), dtype=xp.float_dtype())
    return parameters, X, xp.asarray((np.arange(n) % sizes[-1]).astype(np.int32))


@pytest.mark.parametrize("sizes", [(5, 3), (5, 7, 3), (5, 7, 6, 3)])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_sweep_by_hand_is_the_gradient(sizes, decay):
    parameters, X, labels = case(sizes)
    logits, kept = lesson.forward(parameters, X)
    _, automatic = value_and_grad(lesson.objective)(parameters, X, labels, decay)
    ours = lesson.backward(parameters, logits, kept, labels, decay)
    assert [tuple(part.shape) for pair in ours for part in pair] == [
        tuple(p.shape) for pair in parameters for p in pair
    ]
    assert lesson.largest_gap(ours, automatic) < 1e-5


@pytest.mark.parametrize(("segment", "held"), [(1, 12), (3, 6), (4, 6), (5, 6), (12, 12)])
def test_checkpoints_hold_less_and_give_the_same(segment, held):
    parameters, X, labels = lesson.deep_parameters(n_layers=12, width=8), *case((8, 8))[1:]
    logits, kept = lesson.forward(parameters, X)
    plain = lesson.backward(parameters, logits, kept, labels, 0.1)
    thrifty, peak, evaluated = lesson.checkpointed_backward(parameters, X, labels, 0.1, segment)
    assert lesson.largest_gap(thrifty, plain) < 1e-6
    assert (peak, evaluated) == (held, 24)


def test_halving_holds_a_logarithm():
    parameters, X, labels = lesson.deep_parameters(n_layers=16, width=8), *case((8, 8))[1:]
    logits, kept = lesson.forward(parameters, X)
    gradients, held, evaluated = solutions.halving_backward(parameters, X, labels, 0.1)
    assert lesson.largest_gap(gradients, lesson.backward(parameters, logits, kept, labels, 0.1)) < 1e-6
    assert (held, evaluated) == (5, 16 // 2 * 4 + 1)


def test_multiplications_against_a_count_of_each_product():
    sizes, n = (6, 5, 4, 3), 7
    there = sum(n * a * b for a, b in ((6, 5), (5, 4), (4, 3)))
    back = sum(b * n * a for a, b in ((6, 5), (5, 4), (4, 3))) + sum(n * b * a for a, b in ((5, 4), (4, 3)))
    assert lesson.multiplications(sizes, n) == (there, back)


def test_the_check_accepts_the_gradient_and_rejects_two_mistakes():
    (good,) = lesson.errors_by_step(np.array([1e-5]), 64)
    assert good < 1e-7
    parameters, X, labels = case()
    logits, kept = lesson.forward(parameters, X)
    right = lesson.backward(parameters, logits, kept, labels, 0.5)
    wrong = lesson.backward(parameters, logits, kept, labels, 0.0)
    early = lesson.backward_updating_early(parameters, logits, kept, labels, 0.5, lr=1.0)
    assert lesson.check_error(parameters, right, X, labels, 0.5, 0.01) < 0.01
    assert lesson.check_error(parameters, wrong, X, labels, 0.5, 0.01) > 0.05
    assert lesson.largest_gap(early[-1:], right[-1:]) == 0.0
    assert lesson.largest_gap(early[:1], right[:1]) > 0.05


def test_dropout_draws_its_mask_again_in_a_checkpoint():
    _, X, labels = case((6, 3))
    plain, thrifty = (lesson.gradients_with_dropout(X, labels, kind) for kind in (False, True))
    for path, gradient in plain.items():
        np.testing.assert_allclose(xp.to_numpy(thrifty[path]), xp.to_numpy(gradient), rtol=1e-4, atol=1e-6)


def test_the_diagrams_and_figures_can_be_drawn():
    assert all(word in lesson.diagram_cake().svg() for word in ("butter", "cream", "cake"))
    assert lesson.diagram_network().svg().count("<polygon") == 11
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_segments().axes[0].lines) == 3
    assert len(lesson.plot_check([0.1, 1.0], {32: [1.0, 2.0], 64: [1.0, 2.0]}).axes[0].lines) == 2
