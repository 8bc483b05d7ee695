"""Our layers' functions against each framework's own layer, and its optimisers against the written formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import REAL, Array
from d2l_conformance.formulas import OPTIMISERS, OptimiserCase, descend
from d2l_conformance.limits import expected

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.backend import Backend

Weights = dict[str, Any]


def linear(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.Linear` computes it."""
    return composites.linear(x, w["weight"], w["bias"])


def conv(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.Conv2d` and `Conv3d` compute it."""
    return xp.conv(x, w["weight"], w["bias"], **o)


def batch_norm(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.BatchNorm` computes it in evaluation."""
    return composites.batch_norm_infer(x, w["weight"], w["bias"], w["running_mean"], w["running_var"], o["eps"])


def max_pool(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.MaxPool2d` and `MaxPool3d` compute it."""
    return xp.max_pool(x, o["window"], stride=o["stride"], padding=o["padding"])


def avg_pool(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.AvgPool2d` and `AvgPool3d` compute it."""
    return xp.avg_pool(x, o["window"], stride=o["stride"], padding=o["padding"])


def embedding(w: Weights, o: dict[str, Any], indices: Any) -> Any:
    """As `d2l_core.nn.Embedding` computes it."""
    return composites.embedding(indices, w["weight"])


def rnn(w: Weights, o: dict[str, Any], x: Any, h0: Any) -> Any:
    """As `d2l_core.nn.RNN` computes it."""
    return composites.rnn_tanh(x, h0, w["weight_ih"], w["weight_hh"], w["bias_ih"], w["bias_hh"])


def layer_norm(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.LayerNorm` computes it."""
    return composites.layer_norm(x, w["weight"], w["bias"], o["eps"])


def group_norm(w: Weights, o: dict[str, Any], x: Any) -> Any:
    """As `d2l_core.nn.GroupNorm` computes it."""
    return composites.group_norm(x, o["groups"], w["weight"], w["bias"], o["eps"])


def gru(w: Weights, o: dict[str, Any], x: Any, h0: Any) -> Any:
    """As `d2l_core.nn.GRU` computes it."""
    return composites.gru(x, h0, w["weight_ih"], w["weight_hh"], w["bias_ih"], w["bias_hh"])


def lstm(w: Weights, o: dict[str, Any], x: Any, h0: Any, c0: Any) -> Any:
    """As `d2l_core.nn.LSTM` computes it, hidden state and cell one after the other."""
    outputs, (hidden, cell) = composites.lstm(x, (h0, c0), w["weight_ih"], w["weight_hh"], w["bias_ih"], w["bias_hh"])
    return outputs, hidden, cell


def recurrent_shapes(gates: int, inputs: int = 4, hidden: int = 5) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights of a recurrent layer."""
    rows = gates * hidden
    return {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden), "bias_ih": (rows,), "bias_hh": (rows,)}


EXACT = 2.0**-17  # an epsilon that is the same in float32, which some frameworks store it in
CONV = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
WINDOW = {"window": (2, 2), "stride": (2, 2), "padding": (0, 0)}
VOLUME = {"window": (3, 2, 2), "stride": (2, 2, 1), "padding": (1, 0, 1)}
CHANNELS = {"weight": (3,), "bias": (3,), "running_mean": (3,), "running_var": (3,)}

LAYERS: list[tuple[str, Callable[..., Any], dict[str, Any], dict[str, tuple[int, ...]], list[tuple[int, ...]]]] = [
    ("Linear", linear, {}, {"weight": (3, 5), "bias": (3,)}, [(4, 5)]),
    ("Conv2d", conv, CONV, {"weight": (4, 3, 3, 3), "bias": (4,)}, [(2, 3, 7, 6)]),
    (
        "Conv2d", conv, {**CONV, "stride": (2, 1), "padding": (2, 1)}, {"weight": (4, 3, 5, 3), "bias": (4,)},
        [(2, 3, 7, 6)],
    ),
    ("Conv2d", conv, {**CONV, "dilation": (2, 2)}, {"weight": (4, 3, 3, 3), "bias": (4,)}, [(2, 3, 7, 6)]),
    ("Conv2d", conv, {**CONV, "groups": 2}, {"weight": (4, 2, 3, 3), "bias": (4,)}, [(2, 4, 5, 6)]),
    (
        "Conv3d", conv, {"stride": (1, 2, 1), "padding": (1, 0, 1), "dilation": (1, 1, 1), "groups": 1},
        {"weight": (4, 3, 2, 3, 2), "bias": (4,)}, [(2, 3, 4, 5, 3)],
    ),
    ("BatchNorm", batch_norm, {"eps": 1e-5}, CHANNELS, [(4, 3)]),
    ("BatchNorm", batch_norm, {"eps": 1e-3}, CHANNELS, [(4, 3, 5, 6)]),
    ("MaxPool2d", max_pool, WINDOW, {}, [(2, 3, 6, 8)]),
    ("MaxPool2d", max_pool, {"window": (3, 3), "stride": (2, 2), "padding": (1, 1)}, {}, [(2, 3, 7, 8)]),
    ("AvgPool2d", avg_pool, WINDOW, {}, [(2, 3, 6, 8)]),
    ("AvgPool2d", avg_pool, {"window": (3, 3), "stride": (2, 2), "padding": (1, 1)}, {}, [(2, 3, 7, 8)]),
    ("MaxPool3d", max_pool, VOLUME, {}, [(2, 3, 5, 4, 6)]),
    ("AvgPool3d", avg_pool, VOLUME, {}, [(2, 3, 5, 4, 6)]),
    ("Embedding", embedding, {}, {"weight": (7, 3)}, [(2, 5)]),
    ("LayerNorm", layer_norm, {"eps": EXACT}, {"weight": (6,), "bias": (6,)}, [(4, 3, 6)]),
    ("GroupNorm", group_norm, {"eps": EXACT, "groups": 2}, {"weight": (4,), "bias": (4,)}, [(3, 4, 5, 6)]),
    ("RNN", rnn, {}, recurrent_shapes(1), [(6, 2, 4), (2, 5)]),
    ("GRU", gru, {}, recurrent_shapes(3), [(6, 2, 4), (2, 5)]),
    ("LSTM", lstm, {}, recurrent_shapes(4), [(6, 2, 4), (2, 5), (2, 5)]),
]  # fmt: skip


def draw(rng: np.random.Generator, name: str, shape: tuple[int, ...], real: np.dtype[Any]) -> Array:
    """Weights around zero; a variance is positive."""
    return (rng.uniform(0.5, 2, shape) if name == "running_var" else rng.normal(size=shape) * 0.5).astype(real)


@pytest.mark.parametrize("layer", LAYERS, ids=[f"{i}-{layer[0]}" for i, layer in enumerate(LAYERS)])
def test_layer_is_the_frameworks(layer: Any, backend: Backend, precision: int) -> None:
    """With the same weights the framework's own layer gives the same numbers, or the declared reason why it cannot."""
    kind, ours, options, weight_shapes, input_shapes = layer
    rng, real = np.random.default_rng(6), REAL[precision]
    weights = {name: draw(rng, name, shape, real) for name, shape in weight_shapes.items()}
    inputs = [rng.normal(size=shape).astype(real) for shape in input_shapes]
    if kind == "Embedding":
        inputs = [rng.integers(0, 7, input_shapes[0]).astype(np.int32)]
    reason = backend.adapter.limits.get(f"{real} layer {kind}")
    if reason is not None:
        with expected(reason):
            backend.native_layer(kind, options, weights)(*inputs)
        return
    native = backend.native_layer(kind, options, weights)(*inputs)
    wanted = ours({k: xp.asarray(v) for k, v in weights.items()}, options, *(xp.asarray(x) for x in inputs))
    pairs = zip(native, wanted, strict=True) if isinstance(native, tuple) else [(native, wanted)]
    for theirs, tensor in pairs:
        mine = xp.to_numpy(tensor)
        assert isinstance(theirs, np.ndarray)
        assert theirs.dtype == real
        assert theirs.shape == mine.shape
        bound = 16 * float(np.finfo(real).eps) * float(np.max(np.abs(mine)))
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=bound)


# ---------------------------------------------------------------- optimisers


@pytest.mark.parametrize("case", OPTIMISERS, ids=[case.name for case in OPTIMISERS])
def test_native_optimiser_is_the_formula(case: OptimiserCase, backend: Backend, precision: int) -> None:
    """The framework's own optimiser over a hundred steps, or the declared reason why it cannot follow the formula."""
    real = REAL[precision]
    valley = descend(case, real)
    reason = backend.adapter.limits.get(f"native {case.name}")
    if reason is not None:
        with expected(reason):
            backend.native_optimiser(case.kind, case.options)
        return
    step, state = backend.native_optimiser(case.kind, case.options), None
    params = [p.astype(real) for p in valley.start]
    for gradients in valley.gradients:
        params, state = step(params, [g.astype(real) for g in gradients], state)
    settings = np.dtype("float32") if "float64 native optimisers" in backend.adapter.limits else real
    for theirs, wanted in zip(params, valley.end, strict=True):
        assert theirs.dtype == real
        np.testing.assert_allclose(theirs, wanted, rtol=0, atol=256 * float(np.finfo(settings).eps))


def test_limits_name_optimisers(backend: Backend) -> None:
    """A limit that names no case would be expected of nothing."""
    cases = {f"native {case.name}" for case in OPTIMISERS}
    assert {limit for limit in backend.adapter.limits if limit.startswith("native ")} <= cases
