"""Recurrent layers: states that carry on, layers stacked and turned round, sequences of several lengths."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import interface as xp
from d2l_core import nn, tree

KINDS = (nn.RNN, nn.GRU, nn.LSTM)
STEPS, BATCH, INPUTS, HIDDENS = 6, 3, 4, 5


@pytest.fixture
def x(backend):
    return xp.asarray(np.random.default_rng(1).normal(size=(STEPS, BATCH, INPUTS)))


def close(one, other):
    for a, b in zip(tree.leaves(one), tree.leaves(other), strict=True):
        a, b = xp.to_numpy(a), xp.to_numpy(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=64 * np.finfo(a.dtype).eps)


@pytest.mark.parametrize("kind", KINDS)
def test_state_carries_on(backend, x, kind):
    layer = kind(HIDDENS).initialise(x)
    outputs, last = layer(x)
    assert tuple(outputs.shape) == (STEPS, BATCH, HIDDENS)
    first, middle = layer(x[:2])
    second, end = layer(x[2:], middle)
    close(xp.concat([first, second]), outputs)
    close(end, last)
    close(outputs[-1], tree.leaves(last)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_size_of_input_may_be_told_or_learned(backend, x, kind):
    told, learned = kind(HIDDENS, INPUTS).initialise(), kind(HIDDENS).initialise(x)
    for path, weight in told.state_dict().items():
        np.testing.assert_array_equal(weight, learned.state_dict()[path])
        assert len(weight) == kind.gates * HIDDENS


@pytest.mark.parametrize("kind", KINDS)
def test_stack_is_one_layer_after_the_other(backend, x, kind):
    stack = nn.Stacked(kind(HIDDENS), kind(2)).initialise(x)
    outputs, states = stack(x)
    below, first = stack.layer0(x)
    above, second = stack.layer1(below)
    close(outputs, above)
    close(states, (first, second))
    close(stack(x[3:], stack(x[:3])[1])[0], outputs[3:])


def test_stack_drops_between_its_layers_only(backend, x):
    stack = nn.Stacked(nn.GRU(HIDDENS), nn.GRU(HIDDENS), dropout=0.5).initialise(x)
    still = stack.evaluate()(x)[0]
    moving = stack.train()(x)[0]
    close(still, stack.evaluate()(x)[0])
    assert not np.allclose(xp.to_numpy(still), xp.to_numpy(moving))
    assert np.all(xp.to_numpy(moving) != 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_second_direction_reads_from_the_end(backend, x, kind):
    both = nn.Bidirectional(kind(HIDDENS), kind(HIDDENS)).initialise(x)
    outputs, (last, first) = both(x)
    assert tuple(outputs.shape) == (STEPS, BATCH, 2 * HIDDENS)
    ahead, ahead_state = both.forwards(x)
    behind, behind_state = both.backwards(xp.flip(x, axis=0))
    close(outputs, xp.concat([ahead, xp.flip(behind, axis=0)], axis=-1))
    close((last, first), (ahead_state, behind_state))


@pytest.mark.parametrize("kind", KINDS)
def test_second_direction_begins_at_each_sequences_end(backend, x, kind):
    """A padded sequence gives what it gives alone."""
    both = nn.Bidirectional(kind(HIDDENS), kind(HIDDENS)).initialise(x)
    lengths = [6, 2, 4]
    outputs, _ = both(x, None, xp.asarray(np.array(lengths, np.int32)))
    for n, length in enumerate(lengths):
        alone, _ = both(x[:length, n : n + 1])
        close(outputs[:length, n : n + 1], alone)


def test_gradient_reaches_every_weight(backend, x):
    from d2l_core.autodiff import value_and_grad

    model = nn.Stacked(nn.LSTM(HIDDENS), nn.Bidirectional(nn.GRU(HIDDENS), nn.RNN(HIDDENS))).initialise(x)
    _, gradients = value_and_grad(lambda batch: xp.sum(xp.square(model(batch)[0])), model)(x)
    assert len(gradients) == 12
    assert all(np.abs(xp.to_numpy(g)).max() > 0 for g in gradients.values())
