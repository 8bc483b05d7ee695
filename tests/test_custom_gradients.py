"""Functions with a hand-written derivative, and functions that are evaluated again instead of being kept."""

import numpy as np
import pytest

from d2l_core import nn, random, tree, xp
from d2l_core.autodiff import (
    checkpoint,
    compiled,
    custom_gradient,
    grad,
    hvp,
    scan,
    stop_gradient,
    value_and_grad,
)
from d2l_core.errors import UsageError
from d2l_core.nn.functional import cross_entropy

X = np.array([-0.75, 0.25, 1.5])


def close(tensor, expected, units=16):
    got = xp.to_numpy(tensor)
    bound = units * np.finfo(got.dtype).eps * (np.max(np.abs(expected), initial=0.0) or 1.0)
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


# ---------------------------------------------------------------- three uses


@custom_gradient
def straight_through(x):
    """Rounding whose gradient is that of the identity (Bengio, Léonard and Courville, 2013)."""
    return xp.round(x), lambda g: g


@custom_gradient
def reversed_gradient(x):
    """The identity with its gradient turned round (Ganin and Lempitsky, 2015)."""
    return x, lambda g: -g


@custom_gradient
def log1pexp(x):
    """log(1 + exp(x)), whose derivative by the chain rule is NaN for large x."""
    e = xp.exp(x)
    return xp.log1p(e), lambda g: g * (1.0 - 1.0 / (1.0 + e))


def test_straight_through_estimator(backend):
    weights = np.array([1.0, 2.0, 3.0])
    value, slope = value_and_grad(lambda x: xp.sum(straight_through(x) * xp.asarray(weights)))(xp.asarray(X))
    close(value, np.sum(np.round(X) * weights))
    close(slope, weights)


def test_gradient_reversal_of_a_part(backend):
    """What is above the reversal learns; what is below it unlearns."""

    def loss(above, below):
        return xp.sum(above * reversed_gradient(below * below))

    _, (above, below) = value_and_grad(loss, (0, 1))(xp.asarray(2 * X), xp.asarray(X))
    close(above, X * X)
    close(below, -4 * X * X)


def test_stable_log1pexp(backend):
    x = np.array([-100.0, 0.0, 30.0, 1000.0])
    slope = grad(lambda x: xp.sum(log1pexp(x)))(xp.asarray(x))
    close(slope, 1.0 / (1.0 + np.exp(-x)))


# ---------------------------------------------------------------- what is promised of custom gradients


def test_without_differentiation_it_is_the_value(backend):
    close(straight_through(xp.asarray(X)), np.round(X))


@custom_gradient
def mixed(pair, index, scale):
    """Trees in, trees out, an integer among both; the gradients are marked by factors that no rule gives."""
    a, b = pair["a"], pair["b"][0]
    chosen = xp.take(a, index, axis=0) * scale

    def backward(gradient):
        assert gradient["index"] is None
        g = gradient["parts"][0]
        return {"a": 10.0 * gradient["parts"][1], "b": [b * xp.sum(g)]}, None, xp.sum(g * 7.0)

    return {"parts": [chosen, a * b], "index": index + 1}, backward


def test_trees_and_integers(backend):
    a, b = xp.asarray(X), xp.asarray(2 * X)
    index, scale = xp.asarray(np.array([0, 2], np.int32)), xp.asarray(np.float64(3.0))

    def loss(pair, scale):
        value = mixed(pair, index, scale)
        return xp.sum(value["parts"][0]) + xp.sum(value["parts"][1] * 0.5), value

    (value, aux), (pair, by_scale) = value_and_grad(loss, (0, 1), has_aux=True)({"a": a, "b": [b]}, scale)
    close(value, 3 * (X[0] + X[2]) + np.sum(X * X))
    np.testing.assert_array_equal(xp.to_numpy(aux["index"]), [1, 3])
    close(pair["a"], np.full(3, 5.0))
    close(pair["b"][0], 4 * X)
    close(by_scale, 14.0)


def test_an_output_that_nothing_depends_on_has_a_gradient_of_zeros(backend):
    seen = []

    @custom_gradient
    def pair(x):
        def backward(gradient):
            seen.append(tuple(tuple(g.shape) for g in gradient))
            return 2.0 * gradient[0] + xp.sum(gradient[1])

        return (x, xp.sum(x)), backward

    close(grad(lambda x: xp.sum(pair(x)[0]))(xp.asarray(X)), np.full(3, 2.0))
    assert set(seen) == {((3,), ())}


@pytest.mark.parametrize("wrt", [(0,), (1,), (2,), (0, 2)])
def test_each_argument_alone(backend, wrt):
    """A constant among the arguments takes nothing from the others."""

    @custom_gradient
    def product(a, b, c):
        return a * b * c, lambda g: (3.0 * g, 5.0 * g, 7.0 * g)

    args = [xp.asarray(i * X) for i in (1, 2, 3)]
    gradients = grad(lambda *args: xp.sum(product(*args)), wrt)(*args)
    for position, gradient in zip(wrt, gradients, strict=True):
        close(gradient, np.full(3, (3.0, 5.0, 7.0)[position]))


def test_the_same_argument_twice_adds_up(backend):
    @custom_gradient
    def product(a, b):
        return a * b, lambda g: (3.0 * g, 5.0 * g)

    close(grad(lambda x: xp.sum(product(x, x)))(xp.asarray(X)), np.full(3, 8.0))


def test_the_value_itself_and_one_rule_after_the_other(backend):
    """Nothing before, between or after: input, rule, rule, value. And a rule beside a path without."""

    @custom_gradient
    def total(x):
        return xp.sum(x), lambda g: 3.0 * g * xp.ones_like(x)

    close(grad(total)(xp.asarray(X)), np.full(3, 3.0))
    close(grad(checkpoint(lambda x: xp.sum(xp.square(x))))(xp.asarray(X)), 2 * X)
    close(grad(lambda x: total(reversed_gradient(x)))(xp.asarray(X)), np.full(3, -3.0))
    both = grad(lambda x: total(reversed_gradient(2.0 * x)) + xp.sum(x * x) + total(x))
    close(both(xp.asarray(X)), 2 * X - 3.0)


def test_compiled_and_in_a_scan(backend):
    """One after the other in a loop, inside a compiled function."""

    @custom_gradient
    def doubled(x):
        return x + 1.0, lambda g: 2.0 * g

    def total(x):
        last, rest = scan(lambda h, v: (doubled(h) * v, h), x, xp.asarray(np.full((3, 3), 0.5)))
        return xp.sum(last) + 0.0 * xp.sum(rest)

    step = compiled(lambda x: value_and_grad(total)(x), [])
    for run in (value_and_grad(total), step):
        value, slope = run(xp.asarray(X))
        close(value, np.sum(((X + 1) / 2 + 1) / 4 + 0.5))
        close(slope, np.ones(3))


def test_other_tensors_may_be_used(backend):
    """A constant, the parameter of a frozen module, and what has gone through stop_gradient."""
    frozen = nn.Linear(3).initialise(xp.ones((1, 3)), seed=1).freeze()
    constant = xp.asarray(2 * X)

    def loss(x, w):
        fixed = stop_gradient(w)

        @custom_gradient
        def f(x):
            return frozen(x * constant * fixed), lambda g: xp.matmul(g, frozen.weight) * constant * fixed

        return xp.sum(f(x)) + 0.0 * xp.sum(w)

    x, w = xp.asarray(X), xp.asarray(3 * X)
    by_x, by_w = grad(loss, (0, 1))(x, w)
    close(by_x, xp.to_numpy(frozen.weight).sum(0) * 6 * X * X)
    close(by_w, np.zeros(3))


def test_what_is_differentiated_outside_is_an_error(backend):
    """A tensor or a parameter that the function merely sees would lose its gradient."""
    layer = nn.Linear(3).initialise(xp.ones((1, 3)), seed=1)
    message = "depends on a tensor outside of it that is being differentiated; pass that tensor as an argument"

    def by_tensor(w):
        return xp.sum(custom_gradient(lambda x: (x * w, lambda g: g * w))(xp.asarray(X)))

    def by_both(w):
        return xp.sum(custom_gradient(lambda x: (x * w, lambda g: g * w))(2.0 * w))

    for loss in (by_tensor, by_both):
        with pytest.raises(UsageError, match=message):
            grad(loss)(xp.asarray(X))
    with pytest.raises(UsageError, match=message):
        grad(lambda: xp.sum(custom_gradient(lambda x: (layer(x), lambda g: g))(xp.asarray(X))), layer)()
    close(grad(lambda x: xp.sum(x * x))(xp.asarray(X)), 2 * X)


def test_parameters_are_passed_as_arguments(backend):
    layer = nn.Linear(2).initialise(xp.ones((1, 3)), seed=1)

    @custom_gradient
    def product(x, weight):
        return xp.matmul(weight, x), lambda g: (xp.matmul(g, weight), 2.0 * g[:, None] * x)

    gradients = grad(lambda x: xp.sum(product(x, layer.weight)), layer)(xp.asarray(X))
    close(gradients["weight"], np.tile(2 * X, (2, 1)))
    close(gradients["bias"], np.zeros(2))


@pytest.mark.parametrize("answer", [lambda g: g[:2], lambda g: [g, g], lambda g: []])
def test_a_gradient_of_another_shape_is_an_error(backend, answer):
    wrong = custom_gradient(lambda x: (x * 1.0, answer))
    with pytest.raises(UsageError, match="returned shapes"):
        grad(lambda x: xp.sum(wrong(x)))(xp.asarray(X))


def test_too_few_gradients_are_an_error(backend):
    wrong = custom_gradient(lambda x, y: (x * y, lambda g: g))
    with pytest.raises(UsageError, match="a tuple of 2 gradients"):
        grad(lambda x: xp.sum(wrong(x, x)))(xp.asarray(X))


def test_second_derivative_is_that_of_the_backward_function(backend):
    """Through its argument, the inputs and intermediate results; and the value's derivative at the outer level."""

    @custom_gradient
    def f(x):
        e = xp.exp(x)
        return x * 1.0, lambda g: g * g * e * x

    slope = grad(lambda x: xp.sum(f(x)))
    close(slope(xp.asarray(X)), np.exp(X) * X)
    close(grad(lambda x: xp.sum(slope(x)))(xp.asarray(X)), np.exp(X) * (1 + X), 32)
    close(hvp(lambda x: xp.sum(f(x * x)), xp.asarray(X), xp.asarray(X)), X * _second_of_square(X), 64)

    def value_inside(x):
        value, _ = value_and_grad(lambda y: xp.sum(f(y)))(x)
        return value

    close(grad(value_inside)(xp.asarray(X)), np.exp(X) * X)


def _second_of_square(x):
    """Derivative of ``exp(x²) x² · 2 x``."""
    return np.exp(x**2) * (6 * x**2 + 4 * x**4)


# ---------------------------------------------------------------- checkpoints


def network():
    """Batch statistics and dropout: something of everything that keeps state."""
    model = nn.Sequential(nn.Linear(6, bias=False), nn.BatchNorm(), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4))
    return model.initialise(batch(5), seed=0)


def images_network():
    model = nn.Sequential(
        nn.Conv2d(3, 3, bias=False), nn.BatchNorm(), nn.Tanh(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4)
    )
    return model.initialise(batch(1, 4, 4), seed=0)


def batch(*shape):
    return xp.asarray(random.normal((4, *shape), "batch"))


def labels():
    return xp.asarray(np.arange(4, dtype=np.int32))


def two_steps(model, forward, X, compile_it):
    """Losses, gradients and state of two steps."""

    def step(X, y):
        return value_and_grad(lambda: cross_entropy(forward(X), y), model)()

    run = compiled(step, list(model.variables().values())) if compile_it else step
    seen = []
    for _ in range(2):
        loss, gradients = run(X, labels())
        state = {f"after {path}": array for path, array in model.state_dict().items()}
        seen.append({"loss": xp.to_numpy(loss), **tree.map(xp.to_numpy, gradients), **state})
    return seen


def agree(expected, got):
    for before, after in zip(expected, got, strict=True):
        assert before.keys() == after.keys()
        for name, array in before.items():
            bound = 64 * np.finfo(before["loss"].dtype).eps * np.max(np.abs(array))
            np.testing.assert_allclose(after[name], array, rtol=0, atol=bound, err_msg=name)


def test_checkpoint_changes_nothing(backend):
    """Loss, gradients, running statistics and dropout counters of two steps, with the same masks."""
    plain, saved = network(), network()
    agree(two_steps(plain, plain, batch(5), False), two_steps(saved, checkpoint(saved), batch(5), False))


def test_checkpoint_changes_nothing_in_compiled_code(backend):
    """A function that names its module, and a module inside a model."""
    plain, saved = images_network(), images_network()
    body = checkpoint(lambda x: saved[2](saved[1](saved[0](x))), saved)
    masked = checkpoint(saved[3])

    def forward(x):
        return saved[5](saved[4](masked(body(x))))

    X = batch(1, 4, 4)
    agree(two_steps(plain, plain, X, True), two_steps(saved, forward, X, True))


def test_checkpoint_is_evaluated_twice_for_a_gradient_and_once_for_a_value(backend):
    """Eager code; and a function that is not named among the variables' owners still starts from the same state."""
    counter = nn.Buffer(np.zeros(()))
    seen = []

    def f(x):
        counter.value = counter.value + 1.0
        seen.append(1)
        return xp.sin(x) * counter.value

    close(checkpoint(f)(xp.asarray(X)), np.sin(X))
    assert len(seen) == 1
    value, slope = value_and_grad(lambda x: xp.sum(checkpoint(f)(x)))(xp.asarray(X))
    close(value, 2 * np.sum(np.sin(X)))
    close(slope, 2 * np.cos(X))
    assert float(xp.to_numpy(counter.value)) == 2.0
    assert len(seen) == 3 or "rematerialise" in backend.overrides


def test_checkpoint_of_trees(backend):
    def f(pair, index):
        return {"product": pair["a"] * pair["b"][0], "index": index * 2}

    def loss(pair):
        result = checkpoint(f)(pair, xp.asarray(np.array(3, np.int32)))
        return xp.sum(xp.square(result["product"])), result["index"]

    pair = {"a": xp.asarray(X), "b": [xp.asarray(2 * X)]}
    (value, index), gradient = value_and_grad(loss, has_aux=True)(pair)
    close(value, 4 * np.sum(X**4))
    assert int(xp.to_numpy(index)) == 6
    close(gradient["a"], 8 * X**3)
    close(gradient["b"][0], 4 * X**3)


def test_checkpoint_inside_checkpoint_and_scan(backend):
    inner = checkpoint(xp.tanh)
    outer = checkpoint(lambda x: inner(x) * 2.0)

    def total(x):
        last, _ = scan(lambda h, v: (outer(h) + v, None), x, xp.asarray(np.zeros((2, 3))))
        return xp.sum(last)

    def plain(x):
        return xp.sum(xp.tanh(xp.tanh(x) * 2.0) * 2.0)

    close(grad(total)(xp.asarray(X)), xp.to_numpy(grad(plain)(xp.asarray(X))))


def test_second_derivative_of_a_checkpoint(backend):
    f = checkpoint(lambda x: xp.exp(x) * x)
    close(hvp(lambda x: xp.sum(f(x)), xp.asarray(X), xp.asarray(X)), np.exp(X) * (X + 2) * X, 32)


def test_what_a_checkpoint_reads_must_be_named(backend):
    layer = nn.Linear(3).initialise(xp.ones((1, 3)), seed=1)
    x = xp.asarray(X[None])
    expected = grad(lambda: xp.sum(xp.square(layer(x))), layer)()
    for variables in (layer, list(layer.variables().values())):
        got = grad(lambda v=variables: xp.sum(xp.square(checkpoint(lambda x: layer(x), v)(x))), layer)()
        for name, gradient in expected.items():
            close(got[name], xp.to_numpy(gradient))


def test_what_a_checkpoint_reads_without_its_name_is_an_error_or_right(backend):
    layer = nn.Linear(3).initialise(xp.ones((1, 3)), seed=1)
    x = xp.asarray(X[None])

    def gradient_or_message(f):
        try:
            return grad(lambda: xp.sum(xp.square(f(x))), layer)()["weight"]
        except UsageError as error:
            return str(error)

    got = gradient_or_message(checkpoint(lambda x: layer(x)))
    if isinstance(got, str):
        assert "pass that tensor as an argument" in got
    else:
        close(got, xp.to_numpy(gradient_or_message(layer)))


def test_activations_of_a_checkpoint_are_recorded_once(backend):
    model = network()
    with nn.record_activations(model) as activations:
        grad(lambda: cross_entropy(checkpoint(model)(batch(5)), labels()), model)()
    assert {len(activations.calls(path)) for path in activations} == {1}
