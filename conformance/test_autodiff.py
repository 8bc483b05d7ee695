"""What differentiation, compilation and scan promise beyond the values of single functions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from d2l_conformance.case import REAL, Array

from d2l_core import autodiff, composites, tree
from d2l_core import interface as xp
from d2l_core.backend import Backend


def close(tensor: Any, expected: Any, units: float = 32, what: str = "") -> None:
    """The tensor is the array to some units of the largest element; `what` it is stands in the message."""
    got, wanted = xp.to_numpy(tensor), np.asarray(expected)
    assert got.shape == wanted.shape
    bound = units * float(np.finfo(got.dtype).eps) * (float(np.max(np.abs(wanted), initial=0.0)) or 1.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=bound, err_msg=what)


def is_plain(tensor: Any) -> bool:
    """Whether a tensor is of the type that an ordinary call gives, and holds no graph."""
    ordinary = (type(xp.sum(xp.ones(2))), type(xp.asarray(np.ones(2))))
    return type(tensor) in ordinary and not getattr(tensor, "requires_grad", False)


@pytest.fixture
def x(precision: int) -> Array:
    """A small matrix."""
    return np.random.default_rng(3).uniform(-1, 1, (3, 4)).astype(REAL[precision])


def test_zero_for_what_is_not_reached(backend: Backend, x: Array) -> None:
    """An input that the value does not depend on has a gradient of zeros in its shape and dtype."""
    unused = xp.asarray(x[0])
    _, grads = xp.differentiate(lambda inputs: (xp.sum(inputs[0]), None))([xp.asarray(x), unused])
    assert len(grads) == 2
    np.testing.assert_array_equal(xp.to_numpy(grads[1]), np.zeros_like(x[0]))
    assert xp.to_numpy(grads[1]).dtype == x.dtype


def test_constant_value_has_zero_gradient(backend: Backend, x: Array) -> None:
    """A value that depends on no input is no error."""
    (value, _), grads = xp.differentiate(lambda inputs: (xp.sum(xp.ones((2,))), None))([xp.asarray(x)])
    assert float(xp.to_numpy(value)) == 2.0
    np.testing.assert_array_equal(xp.to_numpy(grads[0]), np.zeros_like(x))


def test_no_inputs(backend: Backend) -> None:
    """Nothing to differentiate for: a value and an empty list."""
    (value, _), grads = xp.differentiate(lambda inputs: (xp.sum(xp.ones((2,))), None))([])
    assert float(xp.to_numpy(value)) == 2.0
    assert list(grads) == []


def test_an_input_used_twice_adds_up(backend: Backend, x: Array) -> None:
    """Both uses of an input count."""
    _, grads = xp.differentiate(lambda inputs: (xp.sum(inputs[0] * inputs[0] + inputs[0]), None))([xp.asarray(x)])
    close(grads[0], 2 * x + 1)


def test_further_arguments(backend: Backend, x: Array) -> None:
    """Arguments after the inputs are passed on and are constants."""
    (value, _), grads = xp.differentiate(lambda inputs, scale, tree: (xp.sum(inputs[0] * scale) + tree["b"], None))(
        [xp.asarray(x)], xp.asarray(2 * x), {"b": xp.asarray(x[0, 0])}
    )
    close(value, np.sum(2 * x * x) + x[0, 0])
    close(grads[0], 2 * x)


def test_aux_keeps_its_structure(backend: Backend, x: Array) -> None:
    """Dicts, lists, tuples and None come back as they were, with plain tensors in them."""

    def f(inputs: list[Any]) -> tuple[Any, Any]:
        y = inputs[0] * 2.0
        return xp.sum(y), {"y": y, "parts": [y[0], (y[1], None)], "nothing": None}

    (_, aux), _ = xp.differentiate(f)([xp.asarray(x)])
    assert list(aux) == ["y", "parts", "nothing"]
    assert isinstance(aux["parts"], list)
    assert isinstance(aux["parts"][1], tuple)
    assert aux["nothing"] is aux["parts"][1][1] is None
    close(aux["y"], 2 * x)
    close(aux["parts"][1][0], 2 * x[1])


def test_results_are_plain_tensors(backend: Backend, x: Array) -> None:
    """Value, aux and gradients are concrete tensors that can be converted and used in a further call."""
    (value, aux), grads = xp.differentiate(lambda inputs: (xp.sum(inputs[0]), inputs[0] * 1.0))([xp.asarray(x)])
    for tensor in (value, aux, grads[0]):
        assert is_plain(tensor)
    _, second = xp.differentiate(lambda inputs: (xp.sum(inputs[0] * aux), None))([grads[0]])
    close(second[0], x)


def test_closure_is_constant(backend: Backend, x: Array) -> None:
    """Nothing flows into a tensor that the function merely sees; inputs are not marked for later."""
    outside = xp.asarray(x)
    _, first = xp.differentiate(lambda inputs: (xp.sum(inputs[0] * outside), None))([outside])
    close(first[0], x)
    (_, aux), _ = xp.differentiate(lambda inputs: (xp.sum(inputs[0]), outside * 3.0))([xp.asarray(x)])
    assert is_plain(aux)


def _weighted(inputs: list[Any], function: str) -> Any:
    images, weight, bias = inputs
    if function == "conv":
        return xp.conv(images, weight, bias)
    if function == "linear":
        return composites.linear(images, weight[:, 0, 0], bias)
    return composites.batch_norm_train(images, bias * weight[:, 0, 0, 0], bias, 1e-5)[0]


@pytest.mark.parametrize("function", ["batch_norm_train", "conv", "linear"])
def test_gradient_does_not_depend_on_who_asks(backend: Backend, precision: int, function: str) -> None:
    """Each input has the same gradient alone as together with the others, constants before it or not."""
    rng = np.random.default_rng(5)
    shapes = ((2, 3, 4, 2), (3, 3, 2, 2), (3,))
    tensors = [xp.asarray(rng.normal(size=shape).astype(REAL[precision])) for shape in shapes]

    def total(inputs: list[Any]) -> tuple[Any, None]:
        return xp.sum(xp.square(_weighted(inputs, function))), None

    together = xp.differentiate(total)(tensors)[1]
    for i, expected in enumerate(together):

        def of_one(inputs: list[Any], i: int = i) -> tuple[Any, None]:
            return total([*tensors[:i], inputs[0], *tensors[i + 1 :]])

        alone = xp.differentiate(of_one)([tensors[i]])[1][0]
        close(alone, xp.to_numpy(expected), what=f"gradient of {function} for argument {i} alone")


def test_stop_gradient(backend: Backend, x: Array) -> None:
    """The value passes and the gradient does not; outside of differentiation it is the identity."""

    def f(inputs: list[Any]) -> tuple[Any, None]:
        return xp.sum(inputs[0] * xp.stop_gradient(inputs[0])), None

    (value, _), grads = xp.differentiate(f)([xp.asarray(x)])
    close(value, np.sum(x * x), what="value of stop_gradient")
    close(grads[0], x, what="gradient through stop_gradient")
    assert is_plain(xp.stop_gradient(xp.asarray(x)))


def test_second_derivative(backend: Backend, x: Array) -> None:
    """Differentiation inside differentiation: the gradient of a gradient's weighted sum, in closed form."""
    weight = np.linspace(0.5, 1.5, x.size).reshape(x.shape).astype(x.dtype)

    def inner(inputs: list[Any]) -> tuple[Any, None]:
        return xp.sum(xp.tanh(inputs[0]) ** 3), None

    def outer(inputs: list[Any]) -> tuple[Any, None]:
        _, grads = xp.differentiate(inner)(inputs)
        return xp.sum(grads[0] * xp.asarray(weight)), None

    (value, _), grads = xp.differentiate(outer)([xp.asarray(x)])
    t = np.tanh(x.astype(np.float64))
    close(value, np.sum(weight * 3 * t**2 * (1 - t**2)))
    close(grads[0], weight * (1 - t**2) * (6 * t * (1 - t**2) - 6 * t**3))


def test_gradient_penalty(backend: Backend, x: Array) -> None:
    """The derivative with respect to weights of the size of a gradient with respect to inputs."""
    w = np.array([0.5, -1.0, 2.0, 0.25], x.dtype)

    def penalty(inputs: list[Any]) -> tuple[Any, None]:
        def score(points: list[Any]) -> tuple[Any, None]:
            return xp.sum(xp.tanh(xp.matmul(points[0], inputs[0]))), None

        _, slopes = xp.differentiate(score)([xp.asarray(x)])
        return xp.sum(slopes[0] * slopes[0]), None

    _, grads = xp.differentiate(penalty)([xp.asarray(w)])
    wide, v = x.astype(np.float64), w.astype(np.float64)
    t = np.tanh(wide @ v)
    s = 1 - t * t  # the penalty is sum_i s_i^2 |w|^2
    expected = 2 * np.sum(s * s) * v + (v @ v) * ((2 * s * (-2 * t * s)) @ wide)
    close(grads[0], expected, 64)


def test_third_derivative(backend: Backend, precision: int) -> None:
    """Three levels: of x^4 there remains 24 x."""

    def power(inputs: list[Any]) -> tuple[Any, None]:
        return xp.sum(inputs[0] ** 4), None

    def slope_of(f: Any) -> Any:
        return lambda inputs: (xp.sum(xp.differentiate(f)(inputs)[1][0]), None)

    x = np.array([0.5, -1.5], REAL[precision])
    close(xp.differentiate(slope_of(slope_of(power)))([xp.asarray(x)])[1][0], 24 * x)


def test_differentiation_leaves_no_mark_after_an_error(backend: Backend, x: Array) -> None:
    """A function that raises does not spoil the next one."""

    def broken(inputs: list[Any]) -> tuple[Any, None]:
        raise KeyError("on purpose")

    with pytest.raises(KeyError, match="on purpose"):
        xp.differentiate(broken)([xp.asarray(x)])
    (value, _), grads = xp.differentiate(lambda inputs: (xp.sum(inputs[0]), None))([xp.asarray(x)])
    assert is_plain(value)
    assert is_plain(grads[0])
    close(grads[0], np.ones_like(x))


# ---------------------------------------------------------------- scan


def recurrence(weight: Any, xs: Any) -> Any:
    """A linear recurrence with a decay, its sum of squares the result."""
    last, outputs = xp.scan(lambda h, v: (h * weight + v, h * v), xp.zeros_like(weight), xs)
    return xp.sum(last * last) + xp.sum(outputs)


def recurrence_oracle(weight: Array, xs: Array) -> tuple[float, Array]:
    """Value and gradient with respect to the weight, carried along."""
    h, dh, value, slope = np.zeros(2), np.zeros(2), 0.0, np.zeros(2)
    for v in xs.astype(np.float64):
        value += float(np.sum(h * v))
        slope = slope + dh * v
        dh = h + weight * dh
        h = h * weight + v
    return value + float(np.sum(h * h)), slope + 2 * h * dh


def test_scan_is_differentiated(backend: Backend, precision: int) -> None:
    """Gradients flow back through all steps, eagerly and in compiled code."""
    weight = np.array([0.9, -0.5], REAL[precision])
    xs = np.random.default_rng(4).uniform(0.5, 1, (6, 2)).astype(REAL[precision])
    value, slope = recurrence_oracle(weight, xs)
    both = xp.differentiate(lambda inputs, xs: (recurrence(inputs[0], xs), None))
    (eager, _), grads = both([xp.asarray(weight)], xp.asarray(xs))
    close(eager, value)
    close(grads[0], slope)

    def step(state: list[Any], xs: Any) -> Any:
        (value, _), grads = both(state, xs)
        return state, value, grads

    _, compiled, grads = xp.compile(step)([xp.asarray(weight)], xp.asarray(xs))
    close(compiled, value)
    close(grads[0], slope)


def test_scan_carries_trees(backend: Backend, x: Array) -> None:
    """The carry, the slices and the results may be trees."""

    def f(carry: Any, slices: Any) -> Any:
        total, (count,) = carry
        total = total + slices["a"] * slices["b"]
        return (total, (count + 1.0,)), {"total": total, "pair": [slices["a"], None]}

    init = (xp.asarray(np.zeros(4, x.dtype)), (xp.asarray(np.zeros((), x.dtype)),))
    (total, (count,)), ys = xp.scan(f, init, {"a": xp.asarray(x), "b": xp.asarray(2 * x)})
    close(total, np.sum(2 * x * x, axis=0))
    assert float(xp.to_numpy(count)) == 3.0
    close(ys["total"], np.cumsum(2 * x * x, axis=0))
    close(ys["pair"][0], x)
    assert ys["pair"][1] is None


# ---------------------------------------------------------------- compilation


def descent(state: list[Any], batch: Any) -> Any:
    """One step of a small regression: the kind of function that is compiled in earnest."""

    def loss(weights: list[Any], batch: Any) -> tuple[Any, Any]:
        hidden = composites.relu(composites.linear(batch["x"], weights[0], weights[1]))
        residual = xp.mean(hidden, axis=-1) - batch["y"]
        return xp.mean(residual * residual), {"largest": xp.max(hidden)}

    (value, aux), grads = xp.differentiate(loss)(state, batch)
    return [w - 0.1 * g for w, g in zip(state, grads, strict=True)], {"loss": value, **aux}


def start(precision: int) -> tuple[list[Any], Any]:
    """Weights and a batch of eight."""
    rng = np.random.default_rng(5)
    real = REAL[precision]
    state = [xp.asarray(rng.normal(size=shape).astype(real)) for shape in ((6, 3), (6,))]
    batch = {"x": rng.normal(size=(8, 3)).astype(real), "y": rng.normal(size=8).astype(real)}
    return state, {key: xp.asarray(value) for key, value in batch.items()}


def trajectory(step: Any, precision: int, steps: int = 5) -> list[Array]:
    """Losses of a few steps and the last weights."""
    state, batch = start(precision)
    losses = []
    for _ in range(steps):
        state, result = step(state, batch)
        losses.append(xp.to_numpy(result["loss"]))
    return [*losses, *(xp.to_numpy(w) for w in state)]


def test_compiled_is_eager(backend: Backend, precision: int) -> None:
    """The compiled step gives what the plain one gives, to rounding."""
    for got, wanted in zip(trajectory(xp.compile(descent), precision), trajectory(descent, precision), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=256 * float(np.finfo(got.dtype).eps), atol=1e-30)


def test_compiled_repeats_its_bits(backend: Backend, precision: int) -> None:
    """Twice the same, and the same again when compiled anew."""
    step = xp.compile(descent)
    first, second, anew = (trajectory(s, precision) for s in (step, step, xp.compile(descent)))
    for a, b, c in zip(first, second, anew, strict=True):
        assert a.tobytes() == b.tobytes() == c.tobytes()


def test_compiled_takes_new_shapes_and_dtypes(backend: Backend, precision: int) -> None:
    """Each new shape or dtype is traced anew, and the old ones still work."""
    double = xp.compile(lambda state, x: (state, xp.sum(x, axis=0) * 2))
    real = REAL[precision]
    for shape in ((2, 3), (5, 3), (4,), (2, 3), (1, 2, 2)):
        x = np.arange(np.prod(shape)).reshape(shape)
        for dtype in (real, np.dtype(np.int32)):
            _, y = double([xp.zeros(())], xp.asarray(x.astype(dtype)))
            got = xp.to_numpy(y)
            np.testing.assert_array_equal(got, x.sum(axis=0) * 2)
            assert got.dtype.kind == dtype.kind


def test_compiled_takes_and_returns_trees(backend: Backend, x: Array) -> None:
    """Nested trees with None go in and come out with their structure."""

    def f(state: list[Any], tree: Any, more: Any) -> Any:
        return [s + 1 for s in state], ({"a": tree["p"][0] * 2, "none": None}, [more[0], (tree["q"],)])

    p, q = xp.asarray(x), xp.asarray(x[0])
    state, (first, second) = xp.compile(f)([xp.asarray(x)], {"p": [p], "q": q}, (xp.asarray(3 * x),))
    close(state[0], x + 1)
    assert first["none"] is None
    close(first["a"], 2 * x)
    close(second[0], 3 * x)
    assert isinstance(second[1], tuple)
    close(second[1][0], x[0])


def test_compiled_sees_what_changed(backend: Backend, x: Array) -> None:
    """Arguments are read at each call; nothing of an earlier call is baked in."""
    f = xp.compile(lambda state, a: (state, a * 2.0))
    for scale in (1.0, -3.0, 0.5):
        _, y = f([xp.zeros(())], xp.asarray((scale * x).astype(x.dtype)))
        close(y, 2 * scale * x)


def test_compiled_keeps_its_constants(backend: Backend, x: Array) -> None:
    """What the function closes over has the same values at each call, also after a call that failed."""
    constant = xp.asarray(x)

    def f(state: list[Any], a: Any) -> Any:
        return [state[0] + xp.ones_like(a)], (xp.exp(constant * 0.5) + a, xp.zeros_like(a), constant)

    step, state = xp.compile(f), [xp.asarray(x)]
    for count in range(1, 4):
        state, (total, zeros, kept) = step(state, xp.asarray((count * x).astype(x.dtype)))
        close(state[0], x + count)
        close(total, np.exp(x * 0.5) + count * x)
        close(zeros, np.zeros_like(x))
        close(kept, x)
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the framework raises
            step([xp.asarray(x)], xp.asarray(np.ones((7, 5, 3), x.dtype)))


def test_compiled_second_derivative(backend: Backend, x: Array) -> None:
    """Nested differentiation inside compiled code."""

    def outer(inputs: list[Any]) -> tuple[Any, None]:
        _, grads = xp.differentiate(lambda inner: (xp.sum(xp.exp(inner[0])), None))(inputs)
        return xp.sum(grads[0] * grads[0]), None

    def program(state: list[Any], y: Any) -> Any:
        (value, _), grads = xp.differentiate(outer)([y])
        return state, value, grads[0]

    _, value, slope = xp.compile(program)([xp.zeros(())], xp.asarray(x))
    wide = x.astype(np.float64)
    close(value, np.sum(np.exp(2 * wide)))
    close(slope, 2 * np.exp(2 * wide))


# ---------------------------------------------------------------- products with vectors, and whole matrices


def _cubes(x: Any) -> Any:
    """Three functions of a vector of four."""
    return x[:3] ** 3 * x[1:]


def _jacobian_of_cubes(x: Array) -> Array:
    matrix = np.zeros((3, 4))
    for i in range(3):
        matrix[i, i], matrix[i, i + 1] = 3 * x[i] ** 2 * x[i + 1], x[i] ** 3
    return matrix


def test_jacobian_and_its_products(backend: Backend, x: Array) -> None:
    """Whole, and from the left."""
    point, v = x[0], x[1, :3]
    expected = _jacobian_of_cubes(point.astype(np.float64))
    close(autodiff.jacobian(_cubes, xp.asarray(point)), expected)
    value, pullback = autodiff.vjp(_cubes, xp.asarray(point))
    close(value, point[:3] ** 3 * point[1:])
    close(pullback(xp.asarray(v)), v.astype(np.float64) @ expected)


def test_jacobian_of_matrices_has_all_axes(backend: Backend, x: Array) -> None:
    """A matrix as a function of a matrix."""
    whole = autodiff.jacobian(lambda t: xp.matmul(t, xp.matrix_transpose(t)), xp.asarray(x[:2]))
    assert tuple(whole.shape) == (2, 2, 2, 4)
    expected = np.zeros((2, 2, 2, 4))
    for i, j, k in np.ndindex(2, 2, 4):
        expected[i, j, i, k] += x[j, k]
        expected[i, j, j, k] += x[i, k]
    close(whole, expected)


def test_products_of_second_order(backend: Backend, x: Array) -> None:
    """Along a direction, and of the Hessian."""
    point, v = x[0], x[1]
    wide = point.astype(np.float64)
    value, along = autodiff.jvp(_cubes, xp.asarray(point), xp.asarray(v))
    close(value, wide[:3] ** 3 * wide[1:])
    close(along, _jacobian_of_cubes(wide) @ v)
    hessian = np.diag(12 * wide**2) + 2.0

    def quartic(t: Any) -> Any:
        return xp.sum(t**4) + xp.square(xp.sum(t))

    close(autodiff.hessian(quartic, xp.asarray(point)), hessian)
    close(autodiff.hvp(quartic, xp.asarray(point), xp.asarray(v)), hessian @ v)


# ---------------------------------------------------------------- many steps in one piece


def _walked(size: int, precision: int) -> tuple[list[Any], Any, Any]:
    """A state, five rows and a constant; the step multiplies matrices of this size."""
    rng = np.random.default_rng(6)
    real = REAL[precision]
    state = [xp.asarray(rng.normal(size=(size, size)).astype(real) / size**0.5), xp.asarray(np.zeros((), real))]
    rows = {"rate": rng.uniform(0, 0.1, 5).astype(real), "pair": (rng.integers(0, 9, (5, 3)).astype(np.int32), None)}
    return state, tree.map(xp.asarray, rows), xp.asarray(rng.normal(size=(9, size)).astype(real))


def _walk(state: list[Any], row: Any, table: Any) -> Any:
    def loss(inputs: list[Any]) -> tuple[Any, Any]:
        y = xp.matmul(xp.take(table, row["pair"][0], axis=0), xp.matmul(inputs[0], inputs[0]))
        return xp.mean(y * y), xp.max(y)

    (value, largest), (slope,) = xp.differentiate(loss)(state[:1])
    total = state[1] + value
    return {"loss": value, "more": [largest]}, [state[0] - row["rate"] * slope, total]


@pytest.mark.parametrize("size", [4, 300], ids=["light", "heavy"])
def test_steps_in_pieces(backend: Backend, precision: int, size: int) -> None:
    """However a run is cut into pieces: the same bits; and the numbers are those of the plain loop."""
    runs = []
    run = composites.compile_steps(_walk)
    for cuts in ([0, 5], [0, 1, 2, 3, 4, 5], [0, 3, 5]):
        state, rows, table = _walked(size, precision)
        parts = []
        for first, last in pairwise(cuts):
            results, state = run(state, rows, first, last, table)
            assert results["loss"].shape == results["more"][0].shape == (last - first,)
            assert isinstance(results["loss"], np.ndarray)
            parts.append(results)
        columns = tree.map(lambda *arrays: np.concatenate(arrays), *parts)
        runs.append([*tree.leaves(columns), *(xp.to_numpy(x) for x in state)])
    for run_ in runs[1:]:
        for a, b in zip(runs[0], run_, strict=True):
            assert a.tobytes() == b.tobytes()
    state, rows, table = _walked(size, precision)
    losses = []
    for i in range(5):
        result, state = _walk(state, {"rate": rows["rate"][i], "pair": (rows["pair"][0][i], None)}, table)
        losses.append(xp.to_numpy(result["loss"]))
    eps = float(np.finfo(REAL[precision]).eps)
    np.testing.assert_allclose(runs[0][0], losses, rtol=1000 * eps)
    np.testing.assert_allclose(runs[0][2], xp.to_numpy(state[0]), rtol=0, atol=1000 * eps)


def test_rows_may_be_arrays_of_the_host(backend: Backend, precision: int) -> None:
    """NumPy arrays give the same bits as tensors, at any number of steps."""
    runs = []
    for place in (xp.asarray, lambda array: array):
        state, rows, table = _walked(4, precision)
        rows = tree.map(lambda x, place=place: place(np.array(xp.to_numpy(x))), rows)
        results, state = composites.compile_steps(_walk)(state, rows, 1, 4, table)
        runs.append([*tree.leaves(results), *(xp.to_numpy(x) for x in state)])
    for a, b in zip(*runs, strict=True):
        assert a.tobytes() == b.tobytes()


def test_pieces_may_begin_in_the_middle(backend: Backend, precision: int) -> None:
    """The rows before the start are not touched, and other rows are taken with the same program."""
    run = composites.compile_steps(lambda state, row: (row * state[0], [state[0] + 1.0]))
    first = xp.asarray(np.arange(6, dtype=REAL[precision]))
    results, state = run([xp.ones(())], first, 2, 5)
    np.testing.assert_array_equal(results, [2.0, 6.0, 12.0])
    results, state = run(state, first + 1.0, 5, 6)
    np.testing.assert_array_equal(results, [24.0])
    assert float(xp.to_numpy(state[0])) == 5.0
