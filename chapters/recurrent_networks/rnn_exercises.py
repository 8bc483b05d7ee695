"""A recurrent network that writes: what the starred exercises ask for, and the checks of an answer."""

import math

import numpy as np
from d2l_chapters.recurrent_networks.rnn import RNNScratch

from d2l_core import random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons.checking import expect_close


def sample(logits, temperature, u):
    """The index that u in [0, 1) draws from softmax(logits / temperature); logits (V,)."""
    raise NotImplementedError


def check_sample_value(candidate):
    """Raise AssertionError with a hint unless `candidate` draws from the softmax at a temperature."""
    logits = random.normal((6,), "rnn_solutions", "logits", std=2.0)
    for temperature in (0.2, 1.0, 5.0):
        powers = np.exp((logits - logits.max()) / temperature)
        edges = np.concatenate([[0.0], np.cumsum(powers / powers.sum())])
        for index, u in enumerate((edges[:-1] + edges[1:]) / 2.0):
            if edges[index + 1] - edges[index] < 1e-4:
                continue
            found = int(candidate(xp.asarray(logits), temperature, float(u)))
            assert found == index, (
                f"At temperature {temperature} the draw u = {u:.4f} should be index {index} but is {found}."
            )


def truncated(rnn, X, k):
    """All hidden states (T, N, H) of `rnn` over X (T, N, I); no gradient passes into an earlier piece of k steps."""
    raise NotImplementedError


def _sequence():
    """A recurrent layer, an input (T, N, 3) and the hidden states (T, N, 4)."""
    X = xp.asarray(random.normal((5, 2, 3), "rnn_solutions", "X"))
    rnn = RNNScratch(3, 4).initialise(seed=0)
    return rnn, X, xp.to_numpy(rnn(X)[0])


def check_truncated_value(candidate):
    """The hidden states."""
    rnn, X, expected = _sequence()
    for k in (2, 5):
        expect_close(
            candidate(rnn, X, k), expected, f"With k = {k} the hidden states should be those of rnn(X).", atol=1e-5
        )


def check_truncated_gradient(candidate):
    """How far back the gradient of each step reaches."""
    rnn, X, expected = _sequence()
    for k in (2, 5):
        for t in range(len(expected)):
            _, gradient = value_and_grad(lambda X, k=k, t=t: xp.sum(candidate(rnn, X, k)[t]))(X)
            reaches = np.abs(xp.to_numpy(gradient)).max(axis=(1, 2)) > 0.0
            first = t - t % k
            assert np.array_equal(reaches, [first <= s <= t for s in range(len(expected))]), (
                f"With k = {k} the gradient of step {t} should reach the inputs of the steps {first} to {t} and no "
                f"others, but it reaches {np.flatnonzero(reaches).tolist()}."
            )


def bigram_perplexity(X, y, X_val, y_val, vocabulary_size):
    """Perplexity on (X_val, y_val) of the frequencies with which y follows X, each count raised by one."""
    raise NotImplementedError


def check_bigram_perplexity_value(candidate):
    """Raise AssertionError with a hint unless `candidate` is the perplexity of a table of pairs."""
    for size, count in ((3, 20), (5, 200)):
        chain = np.floor(size * random.uniform((count + 1,), "rnn_solutions", "chain", size)).astype(np.int32)
        X, y = chain[:-1].reshape(2, -1), chain[1:].reshape(2, -1)
        X_val, y_val = X[:, ::2], y[:, ::2]
        total = 0.0
        for a, b in zip(X_val.ravel(), y_val.ravel(), strict=True):
            after_a = y[np.equal(X, a)]
            total -= math.log((np.sum(after_a == b) + 1) / (len(after_a) + size))
        expected, found = math.exp(total / X_val.size), float(candidate(X, y, X_val, y_val, size))
        assert np.isclose(found, expected, rtol=1e-6), f"The perplexity should be {expected:.4f} but is {found:.4f}."
