"""Gradients and compiled steps over variables, as the curriculum will use them."""

import weakref

import numpy as np
import pytest

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import compiled, compiled_steps, grad, hessian, hvp, value_and_grad
from d2l_core.backend import use_backend
from d2l_core.errors import UsageError
from d2l_core.nn._variable import writes


def test_gradient_of_several_arguments_and_trees(backend):
    def f(tree, scale, unused):
        return xp.sum(tree["a"] * tree["b"][0]) * scale

    tree = {"a": xp.asarray([1.0, 2.0]), "b": [xp.asarray([3.0, 4.0])]}
    scale = xp.reshape(xp.asarray([2.0]), ())
    value, (by_tree, by_scale) = value_and_grad(f, (0, 1))(tree, scale, None)
    assert float(xp.to_numpy(value)) == 22.0
    np.testing.assert_array_equal(xp.to_numpy(by_tree["a"]), [6.0, 8.0])
    np.testing.assert_array_equal(xp.to_numpy(by_tree["b"][0]), [2.0, 4.0])
    assert float(xp.to_numpy(by_scale)) == 11.0


def test_aux_comes_along(backend):
    (value, aux), gradient = value_and_grad(lambda x: (xp.sum(x * x), {"x": x + 1}), has_aux=True)(xp.ones(2))
    assert float(xp.to_numpy(value)) == 2.0
    np.testing.assert_array_equal(xp.to_numpy(aux["x"]), 2.0)
    np.testing.assert_array_equal(xp.to_numpy(gradient), 2.0)


def test_two_losses_with_two_optimisers(backend):
    """One step of an adversarial pair: each player's loss runs through both networks and moves its own alone."""
    generator, critic = nn.Linear(2, 2), nn.Sequential(nn.Linear(4, 2), nn.Tanh(), nn.Linear(1, 4))
    noise = xp.asarray(random.normal((8, 2), "noise"))
    generator.initialise(seed=0)
    critic.initialise(seed=1)
    players = {
        "generator": (generator, optim.SGD(generator, 0.1), lambda: -xp.mean(critic(generator(noise)))),
        "critic": (critic, optim.Adam(critic, 0.1), lambda: xp.mean(critic(generator(noise)))),
    }
    for _, (network, optimiser, loss) in players.items():
        before = {name: pair[0].state_dict() for name, pair in players.items()}
        value, gradients = value_and_grad(loss, network)()
        optimiser.update(gradients)
        assert float(xp.to_numpy(loss())) < float(xp.to_numpy(value))
        for name, (other, _, _) in players.items():
            moved = any(not np.array_equal(array, before[name][path]) for path, array in other.state_dict().items())
            assert moved == (other is network)


def test_several_inputs_and_outputs(backend):
    class Pair(nn.Module):
        def forward(self, a, b):
            return a + b, {"product": a * b}

    total, rest = Pair()(xp.asarray([1.0]), xp.asarray([2.0]))
    assert float(xp.to_numpy(total)[0]) == 3.0
    assert float(xp.to_numpy(rest["product"])[0]) == 2.0


def test_compiled_step_reads_and_writes_variables(backend):
    counter = nn.Buffer(np.zeros(2))
    weight = nn.Parameter([1.0, 2.0])

    def step(x):
        counter.value = counter.value + x
        return {"sum": xp.sum(counter.value * weight.value)}

    run = compiled(step, [counter, weight])
    run(xp.ones(2))
    result = run(xp.ones(2))
    assert float(xp.to_numpy(result["sum"])) == 6.0
    np.testing.assert_array_equal(xp.to_numpy(counter.value), [2.0, 2.0])
    np.testing.assert_array_equal(xp.to_numpy(weight.value), [1.0, 2.0])


def test_an_error_inside_a_step_leaves_the_variables_as_they_were(backend):
    counter = nn.Buffer(np.zeros(2))

    def step():
        counter.value = counter.value + 1.0
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        compiled(step, [counter])()
    np.testing.assert_array_equal(xp.to_numpy(counter.value), 0.0)


def test_an_error_inside_compiled_steps_leaves_the_variables_with_values(backend):
    """Those from before, if no step was finished."""
    variable = nn.Parameter([1.0, 2.0])

    def step(row):
        variable.value = variable.value + row
        raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        compiled_steps(step, [variable])(xp.ones(3), 0, 3)
    np.testing.assert_array_equal(xp.to_numpy(variable.value), [1.0, 2.0])


def test_compiled_steps_that_break_off_leave_what_the_last_whole_step_wrote():
    """And no step holds more than the values that it goes on from."""
    variable = nn.Parameter([1.0, 2.0])

    def step(row):
        assert row < 2.0 or first() is None
        if row == 3.0:
            raise ValueError("halfway")
        variable.value = variable.value + row
        return row

    with use_backend("numpy"):
        first = weakref.ref(variable.value)
        with pytest.raises(ValueError, match="halfway"):
            compiled_steps(step, [variable])(np.arange(1.0, 5.0), 0, 4)
        np.testing.assert_array_equal(variable.value, [4.0, 5.0])


def test_what_compiled_steps_write_is_noted_with_the_values_before(backend):
    """So that whoever takes note can undo it."""
    total = nn.Buffer([1.0])

    def step(row):
        total.value = total.value + row
        return row

    start = total.value
    with writes() as before:
        compiled_steps(step, [total])(xp.ones(2), 0, 2)
    assert before[total] is start
    np.testing.assert_array_equal(xp.to_numpy(total.value), [3.0])


def test_second_derivatives(backend):
    """Nested gradients give x -> 6 x for x³."""
    x = xp.asarray([0.5, 2.0])
    slope_of_slope = grad(lambda x: xp.sum(grad(lambda x: xp.sum(x * x * x))(x)))
    np.testing.assert_allclose(xp.to_numpy(slope_of_slope(x)), [3.0, 12.0], rtol=1e-6)


def _second_order():
    """Of a small network: Hessian by the inputs, its product with a vector, and a gradient penalty's slopes."""
    model = nn.Sequential(nn.Linear(5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(3), nn.Sigmoid(), nn.Linear(1))
    x, v = (xp.asarray(random.normal((2, 4), name)) for name in ("x", "v"))
    model.initialise(x, seed=0).evaluate()

    def energy(x):
        return xp.sum(xp.square(model(x)))

    def penalty():
        return xp.square(xp.sqrt(xp.sum(xp.square(grad(energy)(x)))) - 1.0)

    value, slopes = value_and_grad(penalty, model)()
    found = {"value": value, "hessian": hessian(energy, x), "hvp": hvp(energy, x, v), **slopes}
    return {name: xp.to_numpy(tensor) for name, tensor in found.items()}


def test_second_derivatives_of_a_network(backend, precision):
    """As on the reference backend in float64; modules, closures and constants take part on both levels."""
    with use_backend("numpy", precision=64):
        expected = _second_order()
    got = _second_order()
    for name, array in expected.items():
        assert got[name].shape == array.shape
        bound = 256 * np.finfo(got[name].dtype).eps * max(np.max(np.abs(array)), 1e-3)
        np.testing.assert_allclose(got[name], array, rtol=0, atol=bound, err_msg=name)
    np.testing.assert_allclose(
        got["hessian"].reshape(8, 8) @ random.normal((2, 4), "v").reshape(8),
        got["hvp"].reshape(8),
        rtol=0,
        atol=1e3 * np.finfo(got["hvp"].dtype).eps,
    )


def test_a_gradient_of_an_input_leaves_plain_values_in_buffers(backend):
    """Differentiating with respect to an argument through a layer that keeps statistics (saliency, style transfer)."""
    x = xp.asarray(random.normal((4, 3), "x"))
    layer = nn.BatchNorm().initialise(x)
    grad(lambda x: xp.sum(layer(x) ** 3))(x)
    mean = xp.to_numpy(layer.running_mean)
    np.testing.assert_allclose(mean, 0.1 * random.normal((4, 3), "x").mean(0), rtol=1e-5)


def test_a_compiled_step_must_name_what_it_writes(backend):
    known, forgotten = nn.Buffer(np.zeros(2)), nn.Buffer(np.zeros(3))

    def step():
        forgotten.value = forgotten.value + 1.0
        return known.value

    with pytest.raises(UsageError, match=r"wrote into Buffer\(shape=\(3,\)\)"):
        compiled(step, [known])()
