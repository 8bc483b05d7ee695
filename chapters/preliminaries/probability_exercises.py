"""Exercises of the lesson on probability: fill in the functions, then run `d2l check` on this file."""

from __future__ import annotations

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.lessons.checking import expect_close, expect_shape


def posterior(prior, likelihood, observed):
    """Probabilities of K hypotheses after n independent observations.

    Args:
        prior: probabilities of the hypotheses before, a tensor (K,).
        likelihood: probability of each of M outcomes under each hypothesis, a tensor (K, M).
        observed: the outcomes seen, an integer tensor (n,) of 0 to M - 1.

    Returns:
        A tensor (K,) with the sum 1.
    """
    raise NotImplementedError


def distribution_of_sum(p, q):
    """The table of probabilities of X + Y for independent X and Y.

    Args:
        p: probabilities of X being 0, 1, ..., m - 1: a tensor (m,).
        q: probabilities of Y being 0, 1, ..., k - 1: a tensor (k,).

    Returns:
        A tensor (m + k - 1,), the probabilities of the sum being 0, 1, ..., m + k - 2.
    """
    raise NotImplementedError


def _example():
    """Two coins and a prior, as tensors and as arrays."""
    prior, likelihood = np.array([0.9, 0.1]), np.array([[0.5, 0.5], [0.2, 0.8]])
    return (xp.asarray(prior), xp.asarray(likelihood)), (prior, likelihood)


def check_posterior_value(candidate):
    tensors, (prior, likelihood) = _example()
    observed = np.array([1, 1, 0, 1, 1], np.int32)
    found = candidate(*tensors, xp.asarray(observed))
    weights = prior * likelihood[:, observed].prod(axis=1)
    expect_shape(found, (2,), "One probability for each hypothesis.")
    expect_close(
        found,
        weights / weights.sum(),
        "Prior times the likelihoods of all observations, divided by the sum.",
        rtol=1e-4,
    )


def check_posterior_nothing_seen(candidate):
    tensors, (prior, _) = _example()
    found = candidate(*tensors, xp.asarray(np.zeros(0, np.int32)))
    expect_close(found, prior, "Without observations the prior remains.")


def check_posterior_edges(candidate):
    tensors, (prior, likelihood) = _example()
    observed = np.tile(np.array([1, 1, 0], np.int32), 700)
    found = candidate(*tensors, xp.asarray(observed))
    logs = np.log(prior) + np.log(likelihood)[:, observed].sum(axis=1)
    weights = np.exp(logs - logs.max())
    expect_close(
        found,
        weights / weights.sum(),
        "After 2,100 observations the product is below the smallest float32 number; add logarithms, and subtract the "
        "largest before the exponential.",
        rtol=0.02,
        atol=1e-4,
    )


def check_distribution_of_sum_value(candidate):
    die = xp.asarray(np.full(6, 1.0 / 6))
    found = candidate(die, die)
    expect_shape(found, (11,), "The sum of two numbers from 0 to 5 has 11 values.")
    expect_close(
        found, np.convolve(np.full(6, 1 / 6), np.full(6, 1 / 6)), "For two dice the middle is most likely: 6/36."
    )


def check_distribution_of_sum_edges(candidate):
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4])
    expect_close(
        candidate(xp.asarray(p), xp.asarray(q)), np.convolve(p, q), "The two tables may have different lengths."
    )
    expect_close(candidate(xp.asarray(p), xp.asarray(np.ones(1))), p, "Adding a Y that is always 0 changes nothing.")


def check_distribution_of_sum_gradient(candidate):
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4])
    values = xp.asarray(np.arange(4.0))
    found = grad(lambda p: xp.sum(candidate(p, xp.asarray(q)) * values))(xp.asarray(p))
    expect_close(
        found, np.arange(3) + 0.4, "The expected sum changes with p[i] at the rate i + E[Y]; is p used as a tensor?"
    )
