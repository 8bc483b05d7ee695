"""What modules, losses and the trainer add to the functions of the table: state, masks, settings and rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from d2l_conformance import oracle
from d2l_conformance.case import REAL, Array
from d2l_conformance.formulas import OPTIMISERS

from d2l_core import autodiff, nn, optim
from d2l_core import interface as xp
from d2l_core.backend import Backend
from d2l_core.data import Loader
from d2l_core.nn import functional
from d2l_core.optim.schedules import Polynomial
from d2l_core.random import key_of
from d2l_core.training import Data, Trainer


def near(tensor: Any, expected: Array, what: str, units: float = 64) -> None:
    """The tensor is the array to some units of the largest element."""
    got = xp.to_numpy(tensor)
    bound = units * float(np.finfo(got.dtype).eps) * float(np.max(np.abs(expected)))
    assert got.shape == np.shape(expected), f"{what} has shape {got.shape}, not {np.shape(expected)}"
    error = float(np.max(np.abs(got - expected)))
    assert error <= bound, f"{what} is {error:.3g} off where {bound:.3g} is allowed"


@pytest.fixture
def x(precision: int) -> Array:
    """A few examples of three channels."""
    return np.random.default_rng(9).normal(1.0, 2.0, (5, 3, 2)).astype(REAL[precision])


def test_batch_norm_keeps_running_statistics(backend: Backend, x: Array) -> None:
    """Two steps: means and unbiased variances enter with the momentum; evaluation uses them."""
    layer = nn.BatchNorm(3, momentum=0.25)
    layer.initialise(xp.asarray(x), seed=0)
    mean, var = np.zeros(3), np.ones(3)
    for scale in (1.0, -2.0):
        batch = scale * x.astype(np.float64)
        layer(xp.asarray(batch.astype(x.dtype)))
        mean = 0.75 * mean + 0.25 * batch.mean((0, 2))
        var = 0.75 * var + 0.25 * batch.var((0, 2), ddof=1)
    near(layer.running_mean, mean, "running_mean of BatchNorm")
    near(layer.running_var, var, "running_var of BatchNorm")
    layer.evaluate()
    expected = (x - mean[:, None]) / np.sqrt(var[:, None] + layer.eps)
    near(layer(xp.asarray(x)), expected, "BatchNorm in evaluation")


def test_dropout_draws_by_its_path(backend: Backend, x: Array) -> None:
    """The second call of the layer zeroes what the second draw of its stream says, and evaluation nothing."""
    model = nn.Sequential(nn.Dropout(0.25))
    model.initialise(xp.asarray(x), seed=3)
    for call in range(2):
        kept = oracle.random_uniform(key_of("dropout", "0", 3), call, x.shape) >= 0.25
        near(model(xp.asarray(x)), np.where(kept, x / 0.75, 0.0), f"Dropout at call {call}", 4)
    model.evaluate()
    near(model(xp.asarray(x)), x, "Dropout in evaluation", 0)


LABELS = np.array([0, 2, 1, 2, 1], np.int32)
LOSSES: dict[str, dict[str, Any]] = {
    "plain": {},
    "ignoring": {"ignore_index": 2},
    "smoothed": {"label_smoothing": 0.2},
    "weighted": {"class_weights": np.array([0.5, 1.0, 2.0])},
}


@pytest.mark.parametrize("options", LOSSES.values(), ids=list(LOSSES))
def test_cross_entropy_counts_what_it_should(backend: Backend, x: Array, options: dict[str, Any]) -> None:
    """The mean is over the weights of the items that count."""
    scores = x[:, :, 0].astype(np.float64)
    log_p = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    smooth = options.get("label_smoothing", 0.0)
    losses = -(1 - smooth) * log_p[np.arange(5), LABELS] - smooth * log_p.mean(-1)
    weights = options.get("class_weights", np.ones(3))[LABELS] * (options.get("ignore_index") != LABELS)
    given = {key: xp.asarray(v) if isinstance(v, np.ndarray) else v for key, v in options.items()}
    loss = functional.cross_entropy(xp.asarray(x[:, :, 0]), xp.asarray(LABELS), **given)
    near(loss, np.asarray((weights * losses).sum() / weights.sum()), "cross_entropy")


KINKS = {
    "relu": (functional.relu, 0.0),
    "leaky_relu": (lambda x: functional.leaky_relu(x, 0.25), 0.25),
    "maximum at a tie": (lambda x: xp.maximum(x, x), 1.0),
    "clip inside": (lambda x: xp.clip(x, -1.0, 1.0), 1.0),
}


@pytest.mark.parametrize("name", KINKS)
def test_gradient_at_a_kink(backend: Backend, precision: int, name: str) -> None:
    """At zero the gradient is the one that the docstring promises; the samples of the table avoid such points."""
    function, expected = KINKS[name]
    zeros = xp.asarray(np.zeros(3, REAL[precision]))
    gradient = xp.to_numpy(autodiff.grad(lambda x: xp.sum(function(x)))(zeros))
    assert gradient.tolist() == [expected] * 3, f"the gradient of {name} at 0 is {gradient[0]}, not {expected}"


def test_trainer_follows_the_schedule(backend: Backend, precision: int) -> None:
    """Four steps on one batch: step t = 0, 1, ... has the rate of t, so that the first is the whole one."""
    real = REAL[precision]
    inputs, targets = np.array([[0.5], [-1.0], [2.0]], real), np.array([[1.0], [0.25], [-0.5]], real)
    model = nn.Linear(1, 1)
    model.initialise(xp.asarray(inputs), seed=1)
    w = float(model.state_dict()["weight"][0, 0])
    b = 0.0
    for t in range(4):
        residual = w * inputs.astype(np.float64) + b - targets
        rate = 0.2 * (1 - t / 4)
        w, b = w - rate * float(np.mean(2 * residual * inputs)), b - rate * float(np.mean(2 * residual))
    loader = Loader([inputs, targets], 3)
    Trainer(4, seed=1).fit(
        model, Data(loader, loader), loss=functional.squared_error, optimiser=lambda m: optim.SGD(m, Polynomial(0.2))
    )
    near(model.weight, np.array([[w]]), "the weight that Trainer and the schedule Polynomial reach")
    near(model.bias, np.array([b]), "the bias that Trainer and the schedule Polynomial reach")


def test_every_optimiser_has_a_formula() -> None:
    """A new optimiser cannot stay outside the suite."""
    kinds = {name for name, kind in vars(optim).items() if isinstance(kind, type) and issubclass(kind, optim.Optimiser)}
    assert kinds - {"Optimiser"} == {case.kind for case in OPTIMISERS}
