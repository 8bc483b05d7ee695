"""Hand-written derivatives, checkpoints and constants inside the steps of a Trainer, compiled where that is done."""

import numpy as np
import pytest

from d2l_core import nn, xp
from d2l_core.autodiff import checkpoint, custom_gradient, stop_gradient
from d2l_core.backend import current
from d2l_core.training import Trainer

from . import _workbench as bench


@custom_gradient
def softplus(x):
    """log(1 + exp(x)) with its derivative, the sigmoid."""
    return xp.log1p(xp.exp(x)), lambda g: g / (1.0 + xp.exp(-x))


@custom_gradient
def rounded(x):
    """Whole numbers, with the gradient of the identity."""
    return xp.round(x), lambda g: g


class Smooth(nn.Module):
    """The same function twice: plainly, and with a hand-written derivative, a checkpoint and a constant of zero."""

    def __init__(self, by_hand):
        super().__init__()
        self.by_hand = by_hand
        self.body = nn.Sequential(nn.Linear(12), nn.BatchNorm(), nn.Dropout(0.3))
        self.head = nn.Linear(2)

    def forward(self, x):
        if not self.by_hand:
            return self.head(xp.log1p(xp.exp(self.body(x))))
        logits = self.head(softplus(checkpoint(self.body)(x)))
        return logits + (stop_gradient(logits) - stop_gradient(logits))


class Quantised(nn.Module):
    """Hidden values in steps of a quarter of the largest one, which counts as a constant."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule
        self.body, self.head = nn.Linear(12), nn.Linear(2)

    def forward(self, x):
        hidden = xp.tanh(self.body(x))
        scale = stop_gradient(4.0 / xp.max(xp.abs(hidden)))
        return self.head(self.rule(hidden * scale) / scale)


def test_the_same_training(backend):
    runs = []
    for by_hand in (False, True):
        trainer = Trainer(1)
        network = bench.fit(trainer, Smooth(by_hand))
        runs.append((trainer.history.losses, network.state_dict()))
    bound = 1e-3 if current().precision == 32 else 1e-10
    np.testing.assert_allclose(runs[0][0], runs[1][0], rtol=bound)
    assert runs[0][1].keys() == runs[1][1].keys()
    for path, array in runs[0][1].items():
        np.testing.assert_allclose(runs[1][1][path], array, rtol=bound, atol=bound, err_msg=path)


@pytest.mark.parametrize("rule", [rounded, xp.round])
def test_a_quantised_network_learns_through_the_rounding(backend, rule):
    """With the hand-written derivative only: otherwise nothing reaches the first layer."""
    trainer = Trainer(1)
    network = Quantised(rule)
    start = bench.model_start(network)
    bench.fit(trainer, network)
    moved = np.max(np.abs(network.state_dict()["body.weight"] - start["body.weight"]))
    assert (moved > 0.01) == (rule is rounded)
