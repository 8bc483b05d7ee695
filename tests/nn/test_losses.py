"""Losses against their formulas in NumPy, and what they do at the ends of their ranges."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import interface as xp
from d2l_core.nn import functional

RNG = np.random.default_rng(7)
SCORES, TARGETS = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4))
LABELS = np.array([0, 3, 1, 2, 2, 0], np.int32)
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.25])
ANCHOR, POSITIVE, NEGATIVE = RNG.normal(size=(3, 5, 4))


def log_probabilities(scores):
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def weighted_mean(losses, weights):
    return (losses * weights).sum() / weights.sum()


PICKED = -log_probabilities(SCORES)[np.arange(6), LABELS]
SIGNS = np.where(TARGETS > 0, 1.0, -1.0)
PROBABILITIES = 1 / (1 + np.exp(-SCORES))
SHARES = 1 / (1 + np.exp(-TARGETS))
LOG_P, LOG_Q = log_probabilities(SCORES), log_probabilities(TARGETS)

FORMULAS = {
    "squared_error": ((SCORES, TARGETS), {}, np.mean((SCORES - TARGETS) ** 2)),
    "absolute_error": ((SCORES, TARGETS), {}, np.mean(np.abs(SCORES - TARGETS))),
    "huber": (
        (SCORES, TARGETS), {"delta": 0.5},
        np.mean([e * e / 2 if abs(e) <= 0.5 else 0.5 * (abs(e) - 0.25) for e in (SCORES - TARGETS).ravel()]),
    ),
    "cross_entropy": ((SCORES, LABELS), {}, PICKED.mean()),
    "cross_entropy smoothed": (
        (SCORES, LABELS), {"label_smoothing": 0.1}, np.mean(0.9 * PICKED - 0.1 * LOG_P.mean(-1)),
    ),
    "cross_entropy weighted": ((SCORES, LABELS), {"class_weights": WEIGHTS}, weighted_mean(PICKED, WEIGHTS[LABELS])),
    "cross_entropy ignoring": ((SCORES, LABELS), {"ignore_index": 2}, PICKED[LABELS != 2].mean()),
    "cross_entropy ignoring, weighted": (
        (SCORES, LABELS), {"ignore_index": 0, "class_weights": WEIGHTS},
        weighted_mean(PICKED[LABELS != 0], WEIGHTS[LABELS[LABELS != 0]]),
    ),
    "binary_cross_entropy": (
        (SCORES, SHARES), {}, -np.mean(SHARES * np.log(PROBABILITIES) + (1 - SHARES) * np.log(1 - PROBABILITIES)),
    ),
    "kl_divergence": ((LOG_P, LOG_Q), {}, np.mean((np.exp(LOG_P) * (LOG_P - LOG_Q)).sum(-1))),
    "hinge": ((SCORES, SIGNS), {}, np.mean(np.maximum(0, 1 - SIGNS * SCORES))),
    "triplet": (
        (ANCHOR, POSITIVE, NEGATIVE), {"margin": 0.3},
        np.mean(np.maximum(0, ((ANCHOR - POSITIVE) ** 2).sum(-1) - ((ANCHOR - NEGATIVE) ** 2).sum(-1) + 0.3)),
    ),
    "bayesian_personalised_ranking": ((SCORES, TARGETS), {}, np.mean(np.log1p(np.exp(TARGETS - SCORES)))),
}  # fmt: skip


def value(name, args, options=None):
    tensors = {key: xp.asarray(v) if isinstance(v, np.ndarray) else v for key, v in (options or {}).items()}
    return xp.to_numpy(getattr(functional, name.split()[0])(*map(xp.asarray, args), **tensors))


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(backend, precision, name):
    args, options, expected = FORMULAS[name]
    computed = value(name, args, options)
    assert computed.shape == ()
    assert computed.dtype.itemsize * 8 == precision
    assert float(computed) == pytest.approx(expected, rel=2e-6 if precision == 32 else 1e-14)


@pytest.mark.parametrize(
    "name", ["squared_error", "absolute_error", "huber", "binary_cross_entropy", "kl_divergence", "hinge"]
)
def test_shapes_that_differ_are_refused(backend, name):
    with pytest.raises(ValueError, match="reshape one to the other"):
        value(name, (np.ones((4, 1)), np.ones(4)))


def test_triplet_refuses_shapes_that_differ(backend):
    with pytest.raises(ValueError, match="reshape one to the other"):
        value("triplet", (np.ones((2, 3)), np.ones((2, 3)), np.ones((1, 3))))


def test_binary_cross_entropy_far_out(backend):
    logits, labels = np.array([1000.0, -1000.0, 1000.0]), np.array([1.0, 0.0, 0.0])
    assert float(value("binary_cross_entropy", (logits, labels))) == pytest.approx(1000.0 / 3)


def test_kl_divergence_counts_no_impossible_class(backend):
    log_p, log_q = np.array([[0.0, -np.inf]]), np.log(np.array([[0.5, 0.5]]))
    assert float(value("kl_divergence", (log_p, log_q))) == pytest.approx(np.log(2))


def test_cross_entropy_of_nothing_is_zero(backend):
    assert float(value("cross_entropy", (SCORES, np.full(6, -1, np.int32)), {"ignore_index": -1})) == 0.0


@pytest.mark.parametrize(("name", "options"), [("huber", {"delta": 0.0}), ("cross_entropy", {"label_smoothing": 1.5})])
def test_settings_out_of_range(backend, name, options):
    args, _, _ = FORMULAS[name]
    with pytest.raises(ValueError, match=next(iter(options))):
        value(name, args, options)


# ---------------------------------------------------------------- labels of speech

SPEECH = (np.zeros((3, 2, 3)), np.array([[1, 2], [1, 1]], np.int32), np.array([3, 3]), np.array([2, 2]))


def test_ctc_by_hand(backend):
    """Of 27 equally likely paths five read 1 2 (112, 122, 12-, 1-2, -12) and one reads 1 1."""
    assert float(value("ctc_loss", SPEECH)) == pytest.approx((np.log(27 / 5) + np.log(27)) / 2, rel=1e-6)


def test_ctc_with_another_blank(backend):
    """Renamed classes change nothing."""
    logits, labels, *lengths = RNG.normal(size=(6, 2, 4)), np.array([[1, 3, 1], [2, 2, 0]]), [6, 5], [3, 2]
    lengths = tuple(np.array(n) for n in lengths)
    turned = np.roll(logits, 1, -1), (labels + 1) % 4
    once = value("ctc_loss", (logits, labels, *lengths))
    assert float(value("ctc_loss", (*turned, *lengths), {"blank": 1})) == pytest.approx(float(once), rel=1e-6)


def test_ctc_without_an_alignment(backend):
    """The loss is infinite, or nothing if asked for, and neither has a gradient that is not a number."""
    logits, labels, _, lengths = (xp.asarray(x) for x in SPEECH)
    short = xp.asarray(np.array([3, 2]))  # 1 1 needs three steps

    def loss(inputs, zero_infinity):
        return functional.ctc_loss(inputs[0], labels, short, lengths, zero_infinity=zero_infinity), None

    for zero_infinity, expected in ((False, np.inf), (True, np.log(27 / 5) / 2)):
        (found, _), (gradient,) = xp.differentiate(lambda x, z=zero_infinity: loss(x, z))([logits])
        assert float(xp.to_numpy(found)) == pytest.approx(expected, rel=1e-6)
        slopes = xp.to_numpy(gradient)
        assert np.isfinite(slopes).all()
        assert (slopes[:, 1] == 0).all()
        assert (slopes[:, 0] != 0).any()


def test_ctc_of_a_long_recording_neither_overflows_nor_vanishes(backend, precision):
    """Two hundred steps; the probability itself is far below the smallest float."""
    logits = np.zeros((200, 1, 20))
    logits[np.arange(200), 0, np.arange(200) // 10] = 12.0
    labels = np.arange(1, 20)[None]
    found = float(value("ctc_loss", (logits, labels, np.array([200]), np.array([19]))))
    # To first order, each step loses to 19 other classes, and 75 paths go wrong at one step where labels meet or end.
    assert found == pytest.approx((200 * 19 - 75) * np.exp(-12.0), rel=0.01)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({2: np.array([3])}, {}, "two tensors of lengths"),
        ({1: np.array([[1]])}, {}, "need labels"),
        ({}, {"blank": 3}, "3 classes"),
    ],
)
def test_ctc_refuses_what_does_not_belong_together(backend, change, options, message):
    with pytest.raises(ValueError, match=message):
        value("ctc_loss", [change.get(i, x) for i, x in enumerate(SPEECH)], options)
