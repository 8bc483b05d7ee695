"""Cases of the composed layers: activations, normalisation, recurrence, attention, pictures of another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from d2l_conformance import oracle_layers as oracle
from d2l_conformance._makers import inf, nan, spread, unary, values
from d2l_conformance.case import Bits, Case, Contraction, Scaled, Slope, Ulp, sample

Generator = np.random.Generator
CANCELLED = Slope(32, "The gradient is a small difference of larger numbers.")
CANCELLED_LITTLE = Slope(16, "The gradient is a difference of numbers that are a few times larger.")
LONG_CHAIN = Slope(32, "Each step's rounding is carried through all the earlier ones.")
TAIL = Scaled(4, "Far out on the left the result is a small difference of larger numbers.", True)
SIX_TIMES = Scaled(8, "Of the logistic function, which is accurate as a part of one, x is a multiple.", True)
ADDED = Slope(3, "What was used more than once has its gradients added, in some order.")
FAR = (0.0, -0.0, 1.0, -1.0, 50.0, -50.0, inf, -inf, nan)


# ---------------------------------------------------------------- activations


def _with_setting(setting: float) -> Any:
    def make(rng: Generator) -> Any:
        yield sample(spread(rng, (3, 4)))
        yield sample(spread(rng, (5,)), setting)

    return make


ACTIVATIONS = [
    Case(
        "leaky_relu", oracle.leaky_relu, _with_setting(0.2), Ulp(1.5, "The slope and the product are rounded."),
        edges=values(*FAR), differentiable=(0,), gradient=Slope(1),
    ),
    Case(
        "elu", oracle.elu, _with_setting(0.5), Ulp(8, "One function of the C library and a product."),
        edges=values(*FAR), differentiable=(0,), gradient=Slope(2),
    ),
    Case(
        "softplus", oracle.softplus, unary(-6, 6), Ulp(8), edges=values(*FAR), differentiable=(0,), gradient=Slope(4),
    ),
    Case(
        "log_sigmoid", oracle.log_sigmoid, unary(-6, 6), Ulp(8), edges=values(*FAR), differentiable=(0,),
        gradient=Slope(4),
    ),
    Case("silu", oracle.silu, unary(-6, 6), SIX_TIMES, edges=values(0.0, 1.0, -1.0, 50.0, nan), differentiable=(0,)),
    Case(
        "gelu", oracle.gelu, unary(-4, 4), TAIL, edges=values(0.0, 1.0, -1.0, 50.0, nan), differentiable=(0,),
        gradient=Slope(8),
    ),
]  # fmt: skip


# ---------------------------------------------------------------- normalisation


def _layer_norm(rng: Generator) -> Any:
    for shape, last in (((4, 6), (6,)), ((2, 3, 6), (6,)), ((2, 3, 4), (3, 4))):
        yield sample(rng.normal(1.0, 2.0, shape), rng.normal(size=last), rng.normal(size=last), 1e-5)


def _rms_norm(rng: Generator) -> Any:
    for shape in ((4, 6), (2, 3, 6)):
        yield sample(rng.normal(1.0, 2.0, shape), rng.normal(size=6), 1e-6)


def _group_norm(rng: Generator) -> Any:
    for groups, shape in ((2, (3, 4, 5)), (4, (3, 4, 2, 3)), (1, (3, 4, 2, 3))):
        yield sample(rng.normal(1.0, 2.0, shape), groups, rng.normal(size=4), rng.normal(size=4), 1e-5)


def _group_norm_wrong(rng: Generator) -> Any:
    yield sample(np.ones((2, 4, 3)), 3, np.ones(4), np.ones(4), 1e-5)


NORMALISATION = [
    Case("layer_norm", oracle.layer_norm, _layer_norm, Scaled(8), differentiable=(0, 1, 2), gradient=CANCELLED_LITTLE),
    Case("rms_norm", oracle.rms_norm, _rms_norm, Scaled(8), differentiable=(0, 1), gradient=Slope(8)),
    Case(
        "group_norm", oracle.group_norm, _group_norm, Scaled(8), wrong=_group_norm_wrong, differentiable=(0, 2, 3),
        gradient=CANCELLED,
    ),
]  # fmt: skip


# ---------------------------------------------------------------- recurrence


def _weights(rng: Generator, gates: int, inputs: int, hidden: int) -> list[Any]:
    rows = gates * hidden
    return [0.5 * rng.normal(size=shape) for shape in ((rows, inputs), (rows, hidden), (rows,), (rows,))]


def _gru(rng: Generator) -> Any:
    for steps, batch, inputs, hidden in ((5, 2, 3, 4), (1, 1, 2, 2)):
        state = rng.normal(size=(batch, hidden))
        yield sample(rng.normal(size=(steps, batch, inputs)), state, *_weights(rng, 3, inputs, hidden))


def _lstm(rng: Generator) -> Any:
    for steps, batch, inputs, hidden in ((5, 2, 3, 4), (1, 1, 2, 2)):
        state = (rng.normal(size=(batch, hidden)), rng.normal(size=(batch, hidden)))
        yield sample(rng.normal(size=(steps, batch, inputs)), state, *_weights(rng, 4, inputs, hidden))


def _reverse(rng: Generator) -> Any:
    yield sample(rng.normal(size=(5, 3, 2)), np.array([5, 0, 3], np.int32))
    yield sample(rng.normal(size=(4, 2)), np.array([1, 4], np.int64))


RECURRENCE = [
    Case(
        "gru",
        oracle.gru,
        _gru,
        Scaled(8),
        differentiable=(0, 1, 2, 3, 4, 5),
        gradient=Slope(24, LONG_CHAIN.reason),
    ),
    Case("lstm", oracle.lstm, _lstm, Scaled(8), differentiable=(0, 1, 2, 3, 4, 5), gradient=LONG_CHAIN),
    Case(
        "reverse_sequences",
        oracle.reverse_sequences,
        _reverse,
        Bits(),
        differentiable=(0,),
        gradient=Slope(1, "Moved only."),
    ),
]


# ---------------------------------------------------------------- attention

ROWS = np.array([[True, True, False, True], [False, False, False, False], [False, True, False, False]])


def _masked(rng: Generator) -> Any:
    yield sample(rng.normal(size=(3, 4)), ROWS)
    yield sample(rng.normal(size=(2, 3, 4)), ROWS)
    yield sample(rng.normal(size=(2, 3, 4)))


def _masked_edges(rng: Generator) -> Any:
    scores = np.array([[1e4, -1e4, nan, 0.0], [nan, inf, 1.0, 2.0], [inf, 3.0, -inf, nan]])
    yield sample(scores, ROWS)
    yield sample(np.array([[-inf, 0.0, 1.0, -inf]]), np.array([True, True, True, False]))


def _attention(rng: Generator) -> Any:
    yield sample(rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 4, 3)))
    yield sample(rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 4, 3)), ROWS)
    yield sample(rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), rng.normal(size=(4, 3)), ROWS)


def _lengths(rng: Generator) -> Any:
    yield sample(np.array([0, 2, 5], np.int32), 5)
    yield sample(np.array([[1], [3]], np.int64), 4)


ATTENTION = [
    Case(
        "masked_softmax", oracle.masked_softmax, _masked, Ulp(8, "A difference, an exponential, a sum and a division."),
        edges=_masked_edges, differentiable=(0,), gradient=CANCELLED,
    ),
    Case("attention", oracle.attention, _attention, Scaled(8), differentiable=(0, 1, 2), gradient=CANCELLED),
    Case("length_mask", oracle.length_mask, _lengths, Bits(), "bool"),
    Case("causal_mask", oracle.causal_mask, lambda rng: [sample(4), sample(1)], Bits(), "bool"),
]  # fmt: skip


# ---------------------------------------------------------------- pictures


def _conv_transpose(rng: Generator) -> Any:
    x, w = rng.normal(size=(2, 4, 3, 4)), rng.normal(size=(4, 2, 3, 2))
    yield sample(x, w)
    yield sample(x, w, rng.normal(size=2), stride=2, padding=1)
    yield sample(x, w, stride=(2, 3), padding=(0, 1), output_padding=(1, 2))
    yield sample(x, w, rng.normal(size=4), groups=2, dilation=2)
    yield sample(x, w, padding=(2, 0), stride=(3, 1), groups=2)
    yield sample(rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 2, 3)), stride=2, padding=1)
    volume, window = rng.normal(size=(1, 2, 2, 3, 2)), rng.normal(size=(2, 1, 2, 2, 3))
    yield sample(volume, window, rng.normal(size=2), stride=(1, 2, 2), padding=(0, 1, 1), groups=2)


def _spread_terms(x: Any, weight: Any, *rest: Any, groups: int = 1, **_: Any) -> int:
    return int(weight.shape[0] // groups * np.prod(weight.shape[2:]))


def _sized(*sizes: Any, **options: Any) -> Any:
    def make(rng: Generator) -> Any:
        for size in sizes:
            yield sample(spread(rng, (2, 3, 5, 6), 0.05), size, **options)
        yield sample(spread(rng, (2, 3, 7), 0.05), 3, **options)
        yield sample(spread(rng, (1, 2, 3, 4, 5), 0.05), (2, 3, 4), **options)

    return make


def _resize(rng: Generator) -> Any:
    for method in ("linear", "nearest"):
        yield from _sized(8, (3, 9), method=method)(rng)
    yield sample(rng.normal(size=(1, 2, 1)), 3)


def _resize_wrong(rng: Generator) -> Any:
    yield sample(np.ones((1, 1, 2, 2)), 4, method="cubic")


def _images(rng: Generator) -> Any:
    yield sample(rng.normal(size=(2, 3, 4, 5)))
    yield sample(rng.normal(size=(2, 3, 4)))
    yield sample(rng.normal(size=(2, 3, 4, 2, 3)))


SPATIAL = [
    Case(
        "conv_transpose", oracle.conv_transpose, _conv_transpose, Contraction(2), differentiable=(0, 1, 2),
        terms=_spread_terms,
    ),
    Case(
        "adaptive_avg_pool", oracle.adaptive_avg_pool, _sized(2, (3, 4), (5, 1)), Scaled(4), differentiable=(0,),
    ),
    Case(
        "adaptive_max_pool", oracle.adaptive_max_pool, _sized(2, (3, 4), (5, 1)), Bits(), differentiable=(0,),
        gradient=ADDED,
    ),
    Case("global_avg_pool", oracle.global_avg_pool, _images, Scaled(4), differentiable=(0,), gradient=Slope(2)),
    Case("resize", oracle.resize, _resize, Scaled(4), wrong=_resize_wrong, differentiable=(0,)),
]  # fmt: skip

# ---------------------------------------------------------------- optimisation


def _adam(rng: Generator) -> Any:
    for shape, step, lr in (((3, 4), 1, 0.01), ((5,), 7, np.array(0.1)), ((2, 3, 2), 500, 0.002), ((), 2, 0.5)):
        progress = np.array([1.0 - 0.9**step, 1.0 - 0.99**step, step])
        moments = np.asarray(0.1 * rng.normal(size=shape)), np.asarray(rng.uniform(0.1, 1.0, shape))
        place = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=shape))
        yield sample(*place, *moments, progress, lr, 0.9, 0.99, 1e-3)


def _two_parameters(adam: Any, p: Any, g: Any, m: Any, v: Any, *settings: Any) -> Any:
    """All results for a parameter and for one that changes places with its gradient."""
    return tuple(x for column in adam([p, g], [g, p], [m, m], [v, v], *settings) for x in column)


OPTIMISATION = [
    Case(
        "adam", oracle.adam, _adam, Scaled(4), differentiable=(0, 1, 2, 3, 5), gradient=Slope(16), call=_two_parameters
    ),
]

CASES = [*ACTIVATIONS, *NORMALISATION, *RECURRENCE, *ATTENTION, *SPATIAL, *OPTIMISATION]
