"""Our layers' functions against each framework's own layer, and its optimisers against the written formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import REAL, Array

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.backend import Backend

Weights = dict[str, Any]


def linear(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.Linear` computes it."""
    return composites.linear(x, w["weight"], w["bias"])


def conv2d(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.Conv2d` computes it."""
    return xp.conv(x, w["weight"], w["bias"], **o)


def batch_norm(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.BatchNorm` computes it in evaluation."""
    return composites.batch_norm_infer(x, w["weight"], w["bias"], w["running_mean"], w["running_var"], o["eps"])


def max_pool(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.MaxPool2d` computes it."""
    return xp.max_pool(x, o["window"], stride=o["stride"], padding=o["padding"])


def avg_pool(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.AvgPool2d` computes it."""
    return xp.avg_pool(x, o["window"], stride=o["stride"], padding=o["padding"])


def embedding(w: Weights, o: dict[str, Any], indices: Any) -> Any:
    """As `d2l_core.nn.Embedding` computes it."""
    return composites.embedding(indices, w["weight"])


def rnn(w: Weights, o: dict[str, Any], x: Any, h0: Any) -> Any:
    """As `d2l_core.nn.RNN` computes it."""
    return composites.rnn_tanh(x, h0, w["weight_ih"], w["weight_hh"], w["bias_ih"], w["bias_hh"])


CONV = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
WINDOW = {"window": (2, 2), "stride": (2, 2), "padding": (0, 0)}
RNN_SHAPES = {"weight_ih": (5, 4), "weight_hh": (5, 5), "bias_ih": (5,), "bias_hh": (5,)}
CHANNELS = {"weight": (3,), "bias": (3,), "running_mean": (3,), "running_var": (3,)}

LAYERS: list[tuple[str, Callable[..., Any], dict[str, Any], dict[str, tuple[int, ...]], list[tuple[int, ...]]]] = [
    ("Linear", linear, {}, {"weight": (3, 5), "bias": (3,)}, [(4, 5)]),
    ("Conv2d", conv2d, CONV, {"weight": (4, 3, 3, 3), "bias": (4,)}, [(2, 3, 7, 6)]),
    (
        "Conv2d", conv2d, {**CONV, "stride": (2, 1), "padding": (2, 1)}, {"weight": (4, 3, 5, 3), "bias": (4,)},
        [(2, 3, 7, 6)],
    ),
    ("Conv2d", conv2d, {**CONV, "dilation": (2, 2)}, {"weight": (4, 3, 3, 3), "bias": (4,)}, [(2, 3, 7, 6)]),
    ("Conv2d", conv2d, {**CONV, "groups": 2}, {"weight": (4, 2, 3, 3), "bias": (4,)}, [(2, 4, 5, 6)]),
    ("BatchNorm", batch_norm, {"eps": 1e-5}, CHANNELS, [(4, 3)]),
    ("BatchNorm", batch_norm, {"eps": 1e-3}, CHANNELS, [(4, 3, 5, 6)]),
    ("MaxPool2d", max_pool, WINDOW, {}, [(2, 3, 6, 8)]),
    ("MaxPool2d", max_pool, {"window": (3, 3), "stride": (2, 2), "padding": (1, 1)}, {}, [(2, 3, 7, 8)]),
    ("AvgPool2d", avg_pool, WINDOW, {}, [(2, 3, 6, 8)]),
    ("AvgPool2d", avg_pool, {"window": (3, 3), "stride": (2, 2), "padding": (1, 1)}, {}, [(2, 3, 7, 8)]),
    ("Embedding", embedding, {}, {"weight": (7, 3)}, [(2, 5)]),
    ("RNN", rnn, {}, RNN_SHAPES, [(6, 2, 4), (2, 5)]),
]  # fmt: skip


def draw(rng: np.random.Generator, name: str, shape: tuple[int, ...], real: np.dtype[Any]) -> Array:
    """Weights around zero; a variance is positive."""
    return (rng.uniform(0.5, 2, shape) if name == "running_var" else rng.normal(size=shape) * 0.5).astype(real)


@pytest.mark.parametrize("layer", LAYERS, ids=[f"{i}-{layer[0]}" for i, layer in enumerate(LAYERS)])
def test_layer_is_the_frameworks(layer: Any, backend: Backend, precision: int) -> None:
    """With the same weights the framework's own layer gives the same numbers."""
    kind, ours, options, weight_shapes, input_shapes = layer
    rng, real = np.random.default_rng(6), REAL[precision]
    weights = {name: draw(rng, name, shape, real) for name, shape in weight_shapes.items()}
    inputs = [rng.normal(size=shape).astype(real) for shape in input_shapes]
    if kind == "Embedding":
        inputs = [rng.integers(0, 7, input_shapes[0]).astype(np.int32)]
    native = backend.native_layer(kind, options, weights)(*inputs)
    wanted = ours({k: xp.asarray(v) for k, v in weights.items()}, options, *(xp.asarray(x) for x in inputs))
    pairs = zip(native, wanted, strict=True) if kind == "RNN" else [(native, wanted)]
    for theirs, tensor in pairs:
        mine = xp.to_numpy(tensor)
        assert isinstance(theirs, np.ndarray)
        assert theirs.dtype == real
        assert theirs.shape == mine.shape
        bound = 16 * float(np.finfo(real).eps) * float(np.max(np.abs(mine)))
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=bound)


# ---------------------------------------------------------------- optimisers


def sgd(o: dict[str, float], p: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    """v = momentum v + g + weight_decay p; p = p - lr v."""
    state["v"] = o.get("momentum", 0.0) * state.get("v", 0.0) + g + o.get("weight_decay", 0.0) * p
    return p - o["lr"] * state["v"]


def adam(o: dict[str, float], p: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    """Kingma and Ba (2015), algorithm 1."""
    g = g + o.get("weight_decay", 0.0) * p
    state["m"] = o["beta1"] * state.get("m", 0.0) + (1 - o["beta1"]) * g
    state["v"] = o["beta2"] * state.get("v", 0.0) + (1 - o["beta2"]) * g * g
    m, v = state["m"] / (1 - o["beta1"] ** t), state["v"] / (1 - o["beta2"] ** t)
    return p - o["lr"] * m / (np.sqrt(v) + o["eps"])


ADAM = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
OPTIMISERS: list[tuple[str, Callable[..., Array], dict[str, float]]] = [
    ("SGD", sgd, {"lr": 0.05}),
    ("SGD", sgd, {"lr": 0.05, "momentum": 0.9}),
    ("SGD", sgd, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    ("Adam", adam, ADAM),
    ("Adam", adam, {**ADAM, "beta2": 0.99, "eps": 1e-3}),
]


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=[f"{i}-{o[0]}" for i, o in enumerate(OPTIMISERS)])
def test_optimiser_is_the_formula(optimiser: Any, backend: Backend, precision: int) -> None:
    """A hundred steps down a curved valley, against the written formula in float64."""
    kind, formula, options = optimiser
    real = REAL[precision]
    rng = np.random.default_rng(7)
    params = [rng.normal(size=shape).astype(real) for shape in ((3, 4), (4,))]
    curvature = [rng.uniform(0.1, 2.0, p.shape) for p in params]
    wanted, slots = [p.astype(np.float64) for p in params], [{}, {}]
    step, state = backend.native_optimiser(kind, options), None
    for t in range(1, 101):
        gradients = [c * p + 0.1 * np.sin(5 * p) for c, p in zip(curvature, wanted, strict=True)]
        params, state = step(params, [g.astype(real) for g in gradients], state)
        wanted = [formula(options, p, g, s, t) for p, g, s in zip(wanted, gradients, slots, strict=True)]
    settings = np.dtype("float32") if "float64 native optimisers" in backend.adapter.limits else real
    for theirs, mine in zip(params, wanted, strict=True):
        assert theirs.dtype == real
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=256 * float(np.finfo(settings).eps))
