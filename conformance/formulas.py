"""The written formulas of the optimisers in float64, straight from their papers, to check all others against.

Each is ``formula(options, p, g, state, t) -> p`` for one parameter p with gradient g at step t = 1, 2, ...; `state` is
a dict that the formula fills. The cases name options that reach every branch of our optimisers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from d2l_conformance.case import Array

Options = dict[str, Any]
State = dict[str, Array]
Formula = Callable[[Options, Array, Array, State, int], Array]


def sgd(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """v = momentum v + g + weight_decay p; p = p - lr v, or lr (g + momentum v) after Nesterov."""
    momentum = o.get("momentum", 0.0)
    g = g + o.get("weight_decay", 0.0) * p
    state["v"] = momentum * state.get("v", 0.0) + g
    return p - o["lr"] * (g + momentum * state["v"] if o.get("nesterov") else state["v"])


def adagrad(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Duchi, Hazan and Singer (2011): the step is divided by the root of the sum of all squares so far."""
    g = g + o.get("weight_decay", 0.0) * p
    state["G"] = state.get("G", 0.0) + g**2
    return p - o["lr"] * g / (o["eps"] + np.sqrt(state["G"]))


def rmsprop(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Tieleman and Hinton (2012); Graves (2013), with epsilon outside the root."""
    g = g + o.get("weight_decay", 0.0) * p
    state["n"] = o["rho"] * state.get("n", 0.0) + (1 - o["rho"]) * g**2
    state["g"] = o["rho"] * state.get("g", 0.0) + (1 - o["rho"]) * g
    variance = state["n"] - state["g"] ** 2 if o.get("centred") else state["n"]
    state["d"] = o.get("momentum", 0.0) * state.get("d", 0.0) - g / (np.sqrt(variance) + o["eps"])
    return p + o["lr"] * state["d"]


def adadelta(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Zeiler (2012), algorithm 1."""
    g = g + o.get("weight_decay", 0.0) * p
    state["E[g2]"] = o["rho"] * state.get("E[g2]", 0.0) + (1 - o["rho"]) * g**2
    dx = -np.sqrt(state.get("E[dx2]", 0.0) + o["eps"]) / np.sqrt(state["E[g2]"] + o["eps"]) * g
    state["E[dx2]"] = o["rho"] * state.get("E[dx2]", 0.0) + (1 - o["rho"]) * dx**2
    return p + o["lr"] * dx


def adam(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Kingma and Ba (2015), algorithm 1."""
    g = g + o.get("weight_decay", 0.0) * p
    state["v"] = o["beta2"] * state.get("v", 0.0) + (1 - o["beta2"]) * g**2
    return p - o["lr"] * _adam_direction(o, g, state, t)


def adamw(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Loshchilov and Hutter (2019), algorithm 2, with its schedule multiplier in the learning rate."""
    state["v"] = o["beta2"] * state.get("v", 0.0) + (1 - o["beta2"]) * g**2
    return p - o["lr"] * (_adam_direction(o, g, state, t) + o["weight_decay"] * p)


def yogi(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Zaheer et al. (2018), algorithm 2, with the bias corrections of Adam."""
    g = g + o.get("weight_decay", 0.0) * p
    v = state.get("v", np.zeros_like(g))
    state["v"] = v - (1 - o["beta2"]) * np.sign(v - g**2) * g**2
    return p - o["lr"] * _adam_direction(o, g, state, t)


def _adam_direction(o: Options, g: Array, state: State, t: int) -> Array:
    state["m"] = o["beta1"] * state.get("m", 0.0) + (1 - o["beta1"]) * g
    return (state["m"] / (1 - o["beta1"] ** t)) / (np.sqrt(state["v"] / (1 - o["beta2"] ** t)) + o["eps"])


def lion(o: Options, p: Array, g: Array, state: State, t: int) -> Array:
    """Chen et al. (2023), algorithm 2."""
    m = state.get("m", np.zeros_like(g))
    c = o["beta1"] * m + (1 - o["beta1"]) * g
    state["m"] = o["beta2"] * m + (1 - o["beta2"]) * g
    return p - o["lr"] * (np.sign(c) + o["weight_decay"] * p)


@dataclass(frozen=True)
class OptimiserCase:
    """One optimiser with its settings.

    Attributes:
        name: of the case; an adapter whose framework cannot follow the formula declares the limit ``native <name>``.
        kind: class in `d2l_core.optim`.
        formula: what it must compute.
        options: its settings, the learning rate among them.
    """

    name: str
    kind: str
    formula: Formula
    options: Options


RMS = {"lr": 0.01, "rho": 0.9, "eps": 1e-8}
ADAM = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}

OPTIMISERS = [
    OptimiserCase("SGD", "SGD", sgd, {"lr": 0.05}),
    OptimiserCase("SGD with momentum", "SGD", sgd, {"lr": 0.05, "momentum": 0.9}),
    OptimiserCase("SGD with decay", "SGD", sgd, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    OptimiserCase("Nesterov", "SGD", sgd, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    OptimiserCase("Adagrad", "Adagrad", adagrad, {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.01}),
    OptimiserCase("Adagrad without epsilon", "Adagrad", adagrad, {"lr": 0.1, "eps": 0.0}),
    OptimiserCase("RMSprop", "RMSprop", rmsprop, {**RMS, "eps": 1e-2, "weight_decay": 0.01}),
    OptimiserCase("RMSprop without epsilon", "RMSprop", rmsprop, {**RMS, "eps": 0.0, "momentum": 0.5}),
    OptimiserCase("RMSprop centred", "RMSprop", rmsprop, {**RMS, "eps": 0.1, "momentum": 0.9, "centred": True}),
    OptimiserCase("Adadelta", "Adadelta", adadelta, {"lr": 1.0, "rho": 0.95, "eps": 1e-4, "weight_decay": 0.01}),
    OptimiserCase("Adam", "Adam", adam, ADAM),
    OptimiserCase("Adam with decay", "Adam", adam, {**ADAM, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.01}),
    OptimiserCase("AdamW", "AdamW", adamw, {**ADAM, "eps": 1e-3, "weight_decay": 0.1}),
    OptimiserCase("Yogi", "Yogi", yogi, {**ADAM, "eps": 1e-3}),
    OptimiserCase("Lion", "Lion", lion, {"lr": 0.003, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1}),
]


@dataclass
class Valley:
    """A hundred steps of a formula down a curved valley in float64, and where it went.

    Attributes:
        start: two parameters.
        gradients: of each step, for each parameter, at the place that the formula had reached.
        rates: the learning rate of each step.
        end: the parameters after the last step.
        size: the largest size that each element had on the way.
        path: the sum of the sizes of all its moves.
    """

    start: list[Array]
    gradients: list[list[Array]]
    rates: list[float]
    end: list[Array]
    size: list[Array]
    path: list[Array]


def descend(case: OptimiserCase, real: np.dtype[Any], scheduled: bool = False, steps: int = 100) -> Valley:
    """Follow the formula, from numbers that `real` can hold; the rate falls to a quarter if it is scheduled."""
    rng = np.random.default_rng(7)
    start = [rng.normal(size=shape).astype(real).astype(np.float64) for shape in ((3, 4), (4,))]
    curvature = [rng.uniform(0.1, 2.0, p.shape) for p in start]
    lr = case.options["lr"]
    rates = [lr * (1 - 0.75 * t / steps) if scheduled else lr for t in range(steps)]
    places, states = start, [{}, {}]
    size, path, all_gradients = [abs(p) for p in start], [np.zeros_like(p) for p in start], []
    for t, rate in enumerate(rates, 1):
        gradients = [c * p + 0.1 * np.sin(5 * p) for c, p in zip(curvature, places, strict=True)]
        gradients = [g.astype(real).astype(np.float64) for g in gradients]
        options = case.options | {"lr": rate}
        moved = [case.formula(options, p, g, s, t) for p, g, s in zip(places, gradients, states, strict=True)]
        size = [np.maximum(a, abs(p)) for a, p in zip(size, moved, strict=True)]
        path = [a + abs(new - old) for a, new, old in zip(path, moved, places, strict=True)]
        all_gradients.append(gradients)
        places = moved
    return Valley(start, all_gradients, rates, places, size, path)
