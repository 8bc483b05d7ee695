"""Hooks and recorded activations: eagerly, inside gradients, inside compiled steps."""

import numpy as np
import pytest

from d2l_core import nn, xp
from d2l_core.autodiff import compiled, value_and_grad


def model_of(x):
    return nn.Sequential(nn.Linear(4), nn.Tanh(), nn.Sequential(nn.Linear(2))).initialise(x, seed=1)


def batch():
    return xp.reshape(xp.arange(6, dtype=xp.ones(1).dtype), (2, 3)) * 0.1


def test_hooks_see_inputs_and_output_in_order_of_registration(backend):
    x, seen = batch(), []
    model = model_of(x)
    layer = model[0]
    layer.register_forward_pre_hook(lambda module, inputs: seen.append(("before", module, len(inputs))))
    layer.register_forward_hook(lambda module, inputs, output: seen.append(("first", module, inputs[0].shape[1])))
    layer.register_forward_hook(lambda module, inputs, output: seen.append(("second", module, output.shape[1])))
    model(x)
    assert seen == [("before", layer, 1), ("first", layer, 3), ("second", layer, 4)]


def test_hooks_replace_inputs_and_outputs(backend):
    layer = nn.Linear(2, 3, bias=False)
    layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 2.0,))
    layer.register_forward_pre_hook(lambda module, inputs: inputs[0] + 1.0)
    layer.register_forward_hook(lambda module, inputs, output: -output)
    layer.initialise()
    expected = -(xp.to_numpy(batch()) * 2.0 + 1.0) @ xp.to_numpy(layer.weight).T
    np.testing.assert_allclose(xp.to_numpy(layer(batch())), expected, rtol=1e-5)


def test_a_layer_learns_its_sizes_from_what_hooks_hand_on(backend):
    layer = nn.Linear(2)
    layer.register_forward_pre_hook(lambda module, inputs: inputs[0][:, :1])
    layer(batch())
    assert layer.get("weight").shape == (2, 1)


def test_handles_take_hooks_off(backend):
    model, calls = model_of(batch()), []
    handle = model.register_forward_hook(lambda *seen: calls.append(1))
    model(batch())
    handle.remove()
    handle.remove()
    with model.register_forward_pre_hook(lambda *seen: calls.append(2)):
        model(batch())
    model(batch())
    assert calls == [1, 2]


def test_a_hook_is_part_of_the_compiled_step(backend):
    """It may run once for the trace or at every call; what it returns and writes holds at every call."""
    x, runs = batch(), []
    model = model_of(x)
    expected = 3.0 * xp.to_numpy(model(x))
    model.count = nn.Buffer(np.zeros(1, np.int32))
    model.initialise()

    def hook(module, inputs, output):
        runs.append(1)
        module.count = module.count + 1
        return 3.0 * output

    model.register_forward_hook(hook)
    step = compiled(lambda x: model(x), list(model.variables().values()))
    for _ in range(3):
        np.testing.assert_allclose(xp.to_numpy(step(x)), expected, rtol=1e-5)
    assert 1 <= len(runs) <= 3
    assert xp.to_numpy(model.count).tolist() == [3]


# ---------------------------------------------------------------- recording


def expected_activations(model, x):
    state = {path: array.astype(np.float64) for path, array in model.state_dict().items()}
    first = xp.to_numpy(x) @ state["0.weight"].T + state["0.bias"]
    last = np.tanh(first) @ state["2.0.weight"].T + state["2.0.bias"]
    return {"0": first, "1": np.tanh(first), "2.0": last, "2": last, "": last}


def check(activations, expected):
    assert list(activations) == list(expected)
    for path, array in expected.items():
        np.testing.assert_allclose(xp.to_numpy(activations[path]), array, rtol=1e-5, atol=1e-6, err_msg=path)


def test_recorded_activations_are_those_of_every_module(backend):
    x = batch()
    model = model_of(x)
    with nn.record_activations(model) as activations:
        model(x)
    check(activations, expected_activations(model, x))
    model(2.0 * x)
    check(activations, expected_activations(model, x))


def test_recording_inside_a_gradient_gives_plain_numbers_and_changes_no_gradient(backend):
    x = batch()
    model = model_of(x)
    gradient_of = value_and_grad(lambda x: xp.sum(model(x) ** 2), model)
    _, expected = gradient_of(x)
    with nn.record_activations(model) as activations:
        _, gradient = gradient_of(x)
    check(activations, expected_activations(model, x))
    for path, g in gradient.items():
        np.testing.assert_array_equal(xp.to_numpy(g), xp.to_numpy(expected[path]))


def test_recording_inside_a_compiled_step_gives_numbers_too(backend):
    x = batch()
    model = model_of(x)
    variables = list(model.variables().values())

    def descend(x):
        value, gradient = value_and_grad(lambda: xp.sum(model(x) ** 2), model)()
        for path, g in gradient.items():
            model.get(path).value = model.get(path).value - 0.1 * g
        return value

    step = compiled(descend, variables)
    step(x)
    expected = expected_activations(model, x)
    plain = model.clone()
    with nn.record_activations(model) as activations:
        value = step(x)
    check(activations, expected)
    np.testing.assert_allclose(xp.to_numpy(value), np.sum(expected[""] ** 2), rtol=1e-5)
    after = model.state_dict()
    assert not np.array_equal(after["0.weight"], plain.state_dict()["0.weight"])
    assert len(activations.calls("")) == 1
    step(x)
    assert len(activations.calls("")) == 1


def test_an_error_in_a_recorded_step_leaves_the_variables_as_they_were(backend):
    layer = nn.Linear(1, 1).initialise()
    before = layer.state_dict()

    def step():
        layer.weight = layer.weight + 1.0
        raise RuntimeError("on purpose")

    with nn.record_activations(layer), pytest.raises(RuntimeError, match="on purpose"):
        compiled(step, list(layer.variables().values()))()
    np.testing.assert_array_equal(layer.state_dict()["weight"], before["weight"])


def test_calls_of_a_shared_layer_add_up_and_learning_shapes_does_not_count(backend):
    shared = nn.Linear(3)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    with nn.record_activations(model) as activations:
        y = model(batch())
        first, second = activations.calls("0")
        assert not np.array_equal(xp.to_numpy(first), xp.to_numpy(second))
        np.testing.assert_array_equal(xp.to_numpy(activations["0"]), xp.to_numpy(y))
        activations.clear()
        assert len(activations) == 0
        assert activations.calls("0") == []
        with pytest.raises(KeyError, match="No call of '0' was recorded, but of: nothing"):
            activations["0"]


def test_trees_of_outputs_are_recorded_as_trees(backend):
    model = nn.RNN(4).initialise(xp.ones((3, 2, 5)))
    with nn.record_activations(model) as activations:
        outputs, state = model(xp.ones((3, 2, 5)))
    np.testing.assert_array_equal(xp.to_numpy(activations[""][0]), xp.to_numpy(outputs))
    np.testing.assert_array_equal(xp.to_numpy(activations[""][1]), xp.to_numpy(state))
