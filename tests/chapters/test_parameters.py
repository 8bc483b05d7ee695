"""Parameters: paths, ties, freezing, and the letter model that shows them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.builders_guide import parameters as lesson

from d2l_core import xp
from d2l_core.autodiff import value_and_grad


@pytest.fixture(scope="module")
def pairs():
    return lesson.pair_frequencies()


def made(seed=0, **options):
    return lesson.LetterModel(**options).initialise(xp.asarray(lesson.LETTERS), seed=seed)


def tensor(pairs):
    return xp.asarray(pairs, dtype=xp.float_dtype())


def test_the_frequencies_are_those_of_the_book(pairs):
    q, u = lesson.ALPHABET.index("q"), lesson.ALPHABET.index("u")
    assert pairs.sum() == pytest.approx(1.0)
    assert pairs[q, u] * 173427 == pytest.approx(95)
    assert pairs[q].sum() == pairs[q, u]
    assert pairs[u, q] == 0.0


def test_counts(pairs):
    count = {
        name: sum(math.prod(p.shape) for p in made(**options).parameters().values())
        for name, options in (("separate", {}), ("tied", {"tied": True}), ("symmetric", {"tied": True, "mix": False}))
    }
    assert count == {"separate": 1163, "tied": 731, "symmetric": 459}


def test_the_loss_is_the_cross_entropy_over_pairs(pairs):
    model = made(seed=2)
    scores = xp.to_numpy(model(xp.asarray(lesson.LETTERS))).astype(np.float64)
    expected = -(pairs * (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))).sum()
    assert float(lesson.bigram_loss(model, tensor(pairs))) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_of_the_tied_table(pairs):
    model = made(seed=1, tied=True)
    _, gradients = value_and_grad(lambda: lesson.bigram_loss(model, tensor(pairs)), model)()
    by_hand = xp.to_numpy(lesson.tied_gradient_by_hand(model, tensor(pairs)))
    assert np.abs(by_hand).max() > 1e-3
    np.testing.assert_allclose(by_hand, xp.to_numpy(gradients["embedding.weight"]), atol=1e-6)


def test_summed_gradients_keep_copies_equal_and_own_gradients_do_not(pairs):
    both = ("embedding.weight", "scores.weight")
    for together in (both, ()):
        model = made()
        model.scores.weight = model.embedding.weight
        lesson.train_by_hand(model, tensor(pairs), 3, 1.0, together)
        gap = np.abs(xp.to_numpy(model.scores.weight - model.embedding.weight)).max()
        assert gap == 0.0 if together else gap > 0.01


def test_a_frozen_table_stays(pairs):
    model = made()
    before = model.embedding.freeze().state_dict()["weight"]
    loss = lesson.train(model, tensor(pairs), steps=20)
    np.testing.assert_array_equal(xp.to_numpy(model.embedding.weight), before)
    assert lesson.bounds(pairs)[1] < loss < math.log(27)


def test_one_table_without_a_hidden_layer_cannot_tell_the_order(pairs):
    symmetric, tied = (made(tied=True, mix=mix) for mix in (False, True))
    losses = [lesson.train(model, tensor(pairs), steps=150) for model in (symmetric, tied)]
    assert losses[0] > losses[1] + 0.3
    scores = xp.to_numpy(symmetric(xp.asarray(lesson.LETTERS)) - symmetric.scores.bias)
    np.testing.assert_allclose(scores, scores.T, atol=1e-4)
    assert lesson.probability(tied, "q", "u") > 0.5 > lesson.probability(symmetric, "q", "u")


def test_bounds_by_a_text_that_alternates():
    alone, given = lesson.bounds(np.array([[0.0, 0.5], [0.5, 0.0]]))
    assert (alone, given) == pytest.approx((math.log(2.0), 0.0))
