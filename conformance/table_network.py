"""Cases of the groups `network` and `autodiff`: layers, random numbers, and functions that take functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from d2l_conformance import oracle
from d2l_conformance._makers import inf, nan, spread, unary, unary_spread, values
from d2l_conformance.case import Array, Bits, Case, Contraction, Scaled, Slope, Ulp, sample

from d2l_core import interface

Generator = np.random.Generator
LINEAR = Slope(1, "The gradient is what comes in, moved.")
ADDED = Slope(3, "What was used more than once has its gradients added, in some order.")
CANCELLED = Slope(32, "The gradient is a small difference of larger numbers.")


# ---------------------------------------------------------------- convolution and pooling


def _conv(rng: Generator) -> Any:
    def draw(*shape: int) -> Array:
        return np.asarray(rng.normal(size=shape))

    yield sample(draw(2, 3, 6, 5), draw(4, 3, 3, 2))
    yield sample(draw(2, 3, 6, 5), draw(4, 3, 3, 2), draw(4))
    yield sample(draw(2, 3, 6, 5), draw(4, 3, 3, 3), draw(4), padding=1)
    yield sample(draw(1, 2, 7, 8), draw(3, 2, 3, 3), draw(3), stride=2, padding=1)
    yield sample(draw(1, 2, 7, 8), draw(3, 2, 2, 3), stride=(2, 1), padding=(0, 2))
    yield sample(draw(1, 2, 9, 9), draw(2, 2, 3, 3), draw(2), dilation=2)
    yield sample(draw(1, 2, 9, 9), draw(2, 2, 3, 2), dilation=(2, 3), padding=(2, 1))
    yield sample(draw(2, 4, 5, 5), draw(6, 2, 3, 3), draw(6), groups=2)
    yield sample(draw(2, 4, 5, 5), draw(4, 1, 3, 3), groups=4, padding=1)
    yield sample(draw(2, 3, 4, 4), draw(5, 3, 1, 1), draw(5))
    yield sample(draw(2, 3, 1, 1), draw(4, 3, 3, 3), draw(4), padding=1)
    yield sample(draw(2, 3, 2, 5), draw(4, 3, 3, 4), stride=(2, 3), padding=(2, 1))
    yield sample(draw(2, 3, 2, 2), draw(4, 3, 3, 3), draw(4), dilation=2, padding=2)
    yield sample(draw(2, 3, 8), draw(4, 3, 3), draw(4))
    yield sample(draw(2, 3, 1), draw(4, 3, 2), padding=3)
    yield sample(draw(2, 3, 9), draw(4, 3, 3), draw(4), stride=2, padding=2)
    yield sample(draw(2, 4, 9), draw(4, 2, 3), dilation=2, groups=2)
    yield sample(draw(2, 3, 9), draw(4, 3, 2), stride=(3,), padding=(1,))
    yield sample(draw(1, 2, 3, 4, 5), draw(3, 2, 2, 3, 2), draw(3), stride=(1, 2, 1), padding=(1, 0, 2))
    yield sample(draw(1, 4, 3, 5, 4), draw(2, 2, 2, 2, 2), dilation=(1, 3, 2), groups=2, padding=1)


def _conv_wrong(rng: Generator) -> Any:
    yield sample(np.ones((1, 3, 5, 5)), np.ones((4, 2, 3, 3)))
    yield sample(np.ones((1, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.ones(5))
    yield sample(np.ones((1, 3, 5, 5, 5)), np.ones((4, 2, 3, 3, 3)))


def _pool(rng: Generator) -> Any:
    for window, options in (
        (2, {}),
        ((2, 3), {}),
        (3, {"stride": 2}),
        (3, {"stride": 1, "padding": 1}),
        (2, {"stride": 3}),
        ((3, 2), {"stride": (2, 1), "padding": (1, 0)}),
        (2, {"padding": 1}),
    ):
        yield sample(spread(rng, (2, 3, 6, 7), 0.05), window, **options)
    yield sample(spread(rng, (2, 3, 9), 0.05), 2)
    yield sample(spread(rng, (2, 3, 9), 0.05), (3,), stride=(2,), padding=(1,))
    yield sample(-np.abs(spread(rng, (1, 2, 4, 4), 0.05)) - 1.0, 3, stride=1, padding=1)
    yield sample(spread(rng, (1, 2, 4, 5, 3), 0.05), 2)
    yield sample(spread(rng, (2, 1, 4, 5, 3), 0.05), (3, 2, 1), stride=(1, 2, 2), padding=(1, 1, 0))


def _pool_edges(rng: Generator) -> Any:
    x = spread(rng, (1, 1, 4, 6))
    x[0, 0, 0, 0], x[0, 0, 0, 2] = inf, -inf
    yield sample(x, 2)


def _window_elements(x: Array, window: Any, *rest: Any, **options: Any) -> int:
    return int(np.prod((window,) * (x.ndim - 2) if isinstance(window, int) else window))


def _conv_terms(x: Array, weight: Array, *rest: Any, **options: Any) -> int:
    return int(np.prod(weight.shape[1:]))


WINDOWS = [
    Case("conv", oracle.conv, _conv, Contraction(2), wrong=_conv_wrong, differentiable=(0, 1, 2), terms=_conv_terms),
    Case(
        "max_pool", oracle.max_pool, _pool, Bits(), edges=_pool_edges, differentiable=(0,), gradient=ADDED,
    ),
    Case(
        "avg_pool", oracle.avg_pool, _pool, Contraction(2), differentiable=(0,), terms=_window_elements,
        gradient=ADDED,
    ),
]  # fmt: skip


# ---------------------------------------------------------------- layers and losses


def _linear(rng: Generator) -> Any:
    weight, bias = rng.normal(size=(3, 5)), rng.normal(size=3)
    for shape in ((4, 5), (2, 4, 5), (5,), (0, 5)):
        yield sample(rng.normal(size=shape), weight, bias)
    yield sample(rng.normal(size=(4, 5)), weight)
    yield sample(rng.normal(size=(32, 100)), rng.normal(size=(10, 100)), rng.normal(size=10))


def _linear_wrong(rng: Generator) -> Any:
    yield sample(np.ones((4, 5)), np.ones((3, 4)), np.ones(3))
    yield sample(np.ones((4, 5)), np.ones((3, 5)), np.ones(2))


def _over_axis(rng: Generator) -> Any:
    for axis in (-1, 0, 1):
        yield sample(rng.normal(size=(3, 4)), axis=axis)
    yield sample(rng.normal(size=(2, 3, 4)))
    yield sample(rng.normal(size=5))
    yield sample(rng.normal(size=(2, 3, 4)), axis=-2)


def _logits(rng: Generator) -> Any:
    yield sample(np.array([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -1000.0], [0.0, -inf, 0.0], [3e4, -3e4, 0.0]]))
    yield sample(np.array([[nan, 1.0, 2.0], [1.0, 2.0, 3.0]]))


def _one_hot(rng: Generator) -> Any:
    for shape in ((4,), (2, 3), ()):
        yield sample(np.asarray(rng.integers(0, 5, shape), np.int32), 5)
    yield sample(np.array([0, 1], np.int64), 3)


def _embedding(rng: Generator) -> Any:
    weight = rng.normal(size=(6, 3))
    for shape in ((4,), (2, 3), ()):
        yield sample(np.asarray(rng.integers(0, 6, shape), np.int32), weight)
    yield sample(np.array([1, 1, 1], np.int64), weight)


def _cross_entropy(rng: Generator) -> Any:
    yield sample(rng.normal(size=(6, 4)), rng.integers(0, 4, 6).astype(np.int32))
    yield sample(rng.normal(size=(6, 4)), rng.integers(0, 4, 6).astype(np.int64))
    yield sample(rng.normal(size=(2, 3, 5)), rng.integers(0, 5, (2, 3)).astype(np.int32))
    yield sample(rng.normal(size=5), np.array(3, np.int32))


def _cross_entropy_edges(rng: Generator) -> Any:
    yield sample(np.array([[1e4, 0.0], [-1e4, 0.0]]), np.array([1, 0], np.int32))
    yield sample(np.array([[1.0, -inf], [0.5, 1.0]]), np.array([0, 1], np.int32))
    yield sample(np.array([[1.0, -inf], [0.5, 1.0]]), np.array([1, 1], np.int32))
    yield sample(np.array([[nan, 1.0], [0.5, 1.0]]), np.array([1, 1], np.int32))


def _cross_entropy_wrong(rng: Generator) -> Any:
    yield sample(np.ones((4, 3)), np.zeros(5, np.int32))


def _batch_norm(rng: Generator) -> Any:
    for shape in ((6, 3), (4, 3, 5), (4, 3, 2, 5)):
        yield sample(rng.normal(1.0, 2.0, shape), rng.normal(size=3), rng.normal(size=3), 1e-5)
    yield sample(rng.normal(size=(4, 2)), np.ones(2), np.zeros(2), 0.1)


def _batch_norm_infer(rng: Generator) -> Any:
    for shape in ((6, 3), (4, 3, 5), (4, 3, 2, 5)):
        weight, bias, mean = rng.normal(size=(3, 3))
        yield sample(rng.normal(size=shape), weight, bias, mean, rng.uniform(0.5, 2, 3), 1e-5)


def _rnn(rng: Generator) -> Any:
    for steps, batch, inputs, hidden in ((5, 2, 3, 4), (1, 1, 2, 2), (8, 3, 4, 1)):
        weights = (rng.normal(size=shape) * 0.5 for shape in ((hidden, inputs), (hidden, hidden), (hidden,), (hidden,)))
        yield sample(rng.normal(size=(steps, batch, inputs)), rng.normal(size=(batch, hidden)), *weights)


LAYERS = [
    Case(
        "linear", oracle.linear, _linear, Contraction(2), wrong=_linear_wrong, differentiable=(0, 1, 2),
        terms=lambda x, *rest: x.shape[-1],
    ),
    Case(
        "relu", oracle.relu, unary_spread(), Bits(), edges=values(0.0, -0.0, 1.0, -1.0, inf, -inf, nan),
        differentiable=(0,), gradient=LINEAR,
    ),
    Case(
        "sigmoid", oracle.sigmoid, unary(-6, 6), Scaled(1, "By way of tanh it is accurate as a part of one.", True),
        edges=values(0.0, 1e4, -1e4, inf, -inf, nan), differentiable=(0,), gradient=CANCELLED,
    ),
    Case(
        "softmax", oracle.softmax, _over_axis, Ulp(8, "A difference, an exponential, a sum and a division."),
        edges=_logits, differentiable=(0,), gradient=CANCELLED,
    ),
    Case(
        "log_softmax", oracle.log_softmax, _over_axis, Scaled(4), edges=_logits, differentiable=(0,),
        gradient=Slope(8),
    ),
    Case("one_hot", oracle.one_hot, _one_hot, Bits()),
    Case("embedding", oracle.embedding, _embedding, Bits(), differentiable=(1,), gradient=ADDED),
    Case(
        "cross_entropy", oracle.cross_entropy, _cross_entropy, Scaled(4), edges=_cross_entropy_edges,
        wrong=_cross_entropy_wrong, differentiable=(0,),
    ),
    Case(
        "batch_norm_train", oracle.batch_norm_train, _batch_norm, Scaled(16), differentiable=(0, 1, 2),
        gradient=CANCELLED,
    ),
    Case(
        "batch_norm_infer", oracle.batch_norm_infer, _batch_norm_infer, Scaled(16), differentiable=(0, 1, 2, 3, 4),
        gradient=Slope(8),
    ),
    Case("rnn_tanh", oracle.rnn_tanh, _rnn, Scaled(16), differentiable=(0, 1, 2, 3, 4, 5), gradient=Slope(8)),
]  # fmt: skip


# ---------------------------------------------------------------- random numbers

KEYS = (0, 1, 0x0123456789ABCDEF, 2**64 - 1)


def _random(rng: Generator) -> Any:
    for key in KEYS:
        yield sample(key, 7, (3, 5))
    for counter in (0, 1, 2**31 - 1):
        yield sample(0xDEADBEEFCAFEF00D, counter, (4,))
    yield sample(5, 3, ())
    yield sample(5, 3, 6)
    yield sample(5, 3, (2, 0))


def _dropout(rng: Generator) -> Any:
    for p, counter in ((0.5, 0), (0.2, 3), (0.0, 1)):
        yield sample(rng.normal(size=(4, 5)), p, KEYS[2], counter)
    yield sample(rng.normal(size=(2, 3, 2, 2)), 0.3, 11, 5)


RANDOM = [
    Case(
        "random_uniform",
        oracle.random_uniform,
        _random,
        Bits(reason="Integer arithmetic and one exact scaling."),
    ),
    Case("dropout", oracle.dropout, _dropout, Ulp(2, "A rounded factor and a product."), differentiable=(0,)),
]


# ---------------------------------------------------------------- functions that take functions


def _decay(carry: Any, x: Any) -> tuple[Any, Any]:
    carry = 0.5 * carry + x
    return carry, carry * x


def _scan(rng: Generator) -> Any:
    yield sample(_decay, rng.normal(size=(2, 3)), rng.normal(size=(5, 2, 3)))
    yield sample(_decay, np.array(0.5), rng.normal(size=4))
    yield sample(_decay, rng.normal(size=3), rng.normal(size=(1, 3)))


def _choose(predicate: Any, if_true: Any, if_false: Any, *operands: Any) -> Any:
    return if_true(*operands) if predicate else if_false(*operands)


def _branches(rng: Generator) -> Any:
    for predicate in (True, False):
        yield sample(
            np.array(predicate), lambda x, y: {"z": x * y}, lambda x, y: {"z": x - 0.5 * y},
            rng.normal(size=(2, 3)), rng.normal(size=(2, 3)),
        )  # fmt: skip


def _repeat(condition: Any, body: Any, carry: Any) -> Any:
    while condition(carry):
        carry = body(carry)
    return carry


def _doubling(carry: Any) -> Any:
    count, x = carry
    return count + 1.0, 2.0 * x


def _loops(rng: Generator) -> Any:
    for limit in (20.0, 0.0):
        yield sample(lambda carry, limit=limit: carry[1] < limit, _doubling, (np.array(0.0), np.array(0.75)))


def _whole_gradient(differentiate: Any, x: Any) -> Any:
    total = np.sum if differentiate is _cubic_gradient else interface.sum
    (value, aux), grads = differentiate(lambda inputs: (total(inputs[0] ** 3), inputs[0] * 2.0))([x])
    return value, aux, grads[0]


def _cubic_gradient(f: Any) -> Any:
    """Stands for the primitive in the oracle; the function above is known to be the sum of cubes."""

    def g(inputs: list[Array]) -> Any:
        value, aux = f(inputs)
        return (value, aux), [3.0 * inputs[0] ** 2]

    return g


def _compiled_call(compile_: Any, x: Any, y: Any) -> Any:
    state, result = compile_(lambda state, tree: ([state[0] + tree["y"]], {"z": state[0] * tree["y"]}))(
        [x * 1.0], {"y": y}
    )
    return state[0], result["z"]


def _step_by_step(f: Any) -> Any:
    def run(state: Any, rows: Any, start: int, stop: int) -> Any:
        results = []
        for i in range(start, stop):
            result, state = f(state, rows[i])
            results.append(result)
        return np.stack(results), state

    return run


def _walk(compile_steps: Any, x: Any, rows: Any) -> Any:
    run = compile_steps(lambda state, row: (state[0] * row, [state[0] + row]))
    results, state = run([x * 1.0], rows, 1, 3)
    return results if compile_steps is _step_by_step else interface.asarray(results), state[0]


def _rows(rng: Generator) -> Any:
    for shape in ((2, 3), ()):
        yield sample(np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=(4, *shape))))


def _pairs(rng: Generator) -> Any:
    for shape in ((2, 3), (), (4,)):
        yield sample(np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=shape)))


def _products(inputs: list[Any]) -> list[Any]:
    x, y = inputs
    return [x * y * y, x - y]


def _with_rule(inputs: list[Any]) -> tuple[list[Any], Any]:
    """Two functions of two tensors, and the gradient of a weighted sum of them."""
    x, y = inputs
    return _products(inputs), lambda grads: [grads[0] * y * y + grads[1], 2.0 * (grads[0] * x * y) - grads[1]]


def _primal(f: Any) -> Any:
    return lambda inputs: f(inputs)[0]


AUTODIFF = [
    Case("stop_gradient", lambda x: x, unary(-3, 3), Bits(), "input"),
    Case("scan", oracle.scan, _scan, Scaled(2), differentiable=(1, 2)),
    Case(
        "custom_vjp", _primal, _pairs, Scaled(2), differentiable=(0, 1),
        call=lambda function, x, y: function(_with_rule)([x, y]),
    ),
    Case(
        "rematerialise", lambda f: f, _pairs, Scaled(2), differentiable=(0, 1),
        call=lambda function, x, y: function(_products)([x, y]),
    ),
    Case("cond", _choose, _branches, Scaled(2), differentiable=(3, 4), gradient=LINEAR),
    Case("while_loop", _repeat, _loops, Bits(reason="Powers of two.")),
    Case(
        "differentiate", _cubic_gradient, unary_spread(), Scaled(4), call=_whole_gradient,
        compiled=False,
    ),
    Case(
        "compile", lambda f: f, _pairs, Ulp(0.5, "One exactly rounded operation each."), call=_compiled_call,
        compiled=False,
    ),
    Case("compile_steps", _step_by_step, _rows, Scaled(1), call=_walk, compiled=False),
]  # fmt: skip

CASES = [*WINDOWS, *LAYERS, *RANDOM, *AUTODIFF]
