"""Layers that attend: heads, masks, what a causal model may know, and where a token stands."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import interface as xp
from d2l_core import nn
from d2l_core.nn import functional

N, Q, K, D = 2, 3, 5, 8


def draw(*shape, seed=0):
    return xp.asarray(np.random.default_rng(seed).normal(size=shape))


def close(one, other, units=64):
    one, other = np.asarray(one), np.asarray(other)
    np.testing.assert_allclose(one, other, rtol=0, atol=units * np.finfo(one.dtype).eps)


def test_each_head_sees_its_own_projections(backend):
    layer = nn.MultiHeadAttention(D, 2, bias=True)
    queries, keys, values = draw(N, Q, 4), draw(N, K, 6, seed=1), draw(N, K, 7, seed=2)
    layer.initialise(queries, keys, values)
    seen, weights = layer.attend(queries, keys, values)
    state = layer.state_dict()
    projected = [
        xp.to_numpy(x) @ state[f"{name}.weight"].T + state[f"{name}.bias"]
        for name, x in (("query", queries), ("key", keys), ("value", values))
    ]
    heads = []
    for h in range(2):
        q, k, v = (p[..., h * 4 : (h + 1) * 4] for p in projected)
        scores = np.exp(q @ np.swapaxes(k, 1, 2) / 2.0)
        by_hand = scores / scores.sum(-1, keepdims=True)
        close(xp.to_numpy(weights)[:, h], by_hand)
        heads.append(by_hand @ v)
    close(xp.to_numpy(seen), np.concatenate(heads, -1) @ state["output.weight"].T + state["output.bias"])


@pytest.mark.parametrize("make", [lambda: nn.MultiHeadAttention(D, 2), lambda: nn.AdditiveAttention(6)])
def test_masked_keys_do_not_matter(backend, make):
    layer, queries, keys = make(), draw(N, Q, D), draw(N, K, D, seed=1)
    layer.initialise(queries, keys, keys)
    mask = xp.expand_dims(functional.length_mask(xp.asarray(np.array([2, 4], np.int32)), K), axis=1)
    masked = xp.to_numpy(layer(queries, keys, keys, mask))
    for n, length in enumerate((2, 4)):
        part = slice(n, n + 1)
        alone = layer(queries[part], keys[part, :length], keys[part, :length])
        close(masked[part], xp.to_numpy(alone))


def test_causal_attention_knows_nothing_of_the_future(backend):
    layer, x = nn.MultiHeadAttention(D, 4), draw(N, K, D)
    layer.initialise(x, x, x)
    mask = xp.expand_dims(functional.causal_mask(K), axis=0)
    before = xp.to_numpy(layer(x, x, x, mask))
    changed = xp.concat([x[:, :3], draw(N, K - 3, D, seed=9)], axis=1)
    after = xp.to_numpy(layer(changed, changed, changed, mask))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_additive_scores_by_hand(backend):
    layer, queries, keys = nn.AdditiveAttention(6), draw(N, Q, 4), draw(N, K, 3, seed=1)
    layer.initialise(queries, keys, keys)
    _, weights = layer.attend(queries, keys, keys)
    state, q, k = layer.state_dict(), xp.to_numpy(queries), xp.to_numpy(keys)
    scores = np.zeros((N, Q, K))
    for n, i, j in np.ndindex(N, Q, K):
        hidden = np.tanh(state["query.weight"] @ q[n, i] + state["key.weight"] @ k[n, j])
        scores[n, i, j] = (state["weight"] @ hidden)[0]
    expected = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    close(xp.to_numpy(weights), expected.astype(q.dtype))


def test_dropped_weights_are_those_of_training_only(backend):
    layer, x = nn.MultiHeadAttention(D, 2, dropout=0.5), draw(N, K, D)
    layer.initialise(x, x, x)
    still = xp.to_numpy(layer.evaluate()(x, x, x))
    np.testing.assert_array_equal(still, xp.to_numpy(layer(x, x, x)))
    assert not np.allclose(still, xp.to_numpy(layer.train()(x, x, x)))


def test_heads_of_unequal_size_are_refused():
    with pytest.raises(ValueError, match="10 features cannot be divided among 3 heads"):
        nn.MultiHeadAttention(10, 3)


def test_positions_agree_with_the_formula(backend):
    added = xp.to_numpy(nn.PositionalEncoding().initialise()(xp.zeros((1, 7, 6))))[0]
    expected = np.zeros((7, 6))
    for i, j in np.ndindex(7, 3):
        angle = i / 10000 ** (2 * j / 6)
        expected[i, 2 * j], expected[i, 2 * j + 1] = np.sin(angle), np.cos(angle)
    close(added, expected.astype(added.dtype), 2)


def test_positions_may_begin_later(backend):
    layer = nn.PositionalEncoding().initialise()
    whole = xp.to_numpy(layer(xp.zeros((1, 7, 6))))
    np.testing.assert_array_equal(whole[:, 4:], xp.to_numpy(layer(xp.zeros((1, 3, 6)), start=4)))
