"""What is particular to this adapter: graphs, loops, determinism, and peace for the user's other code."""

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest
from d2l_backends.tensorflow import autodiff

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core.autodiff import checkpoint, grad, value_and_grad
from d2l_core.backend import Backend, use_backend
from d2l_core.composites import adam, batch_norm_train, compile_steps
from d2l_core.errors import CallError
from d2l_core.nn.functional import conv, max_pool, relu

rng = np.random.default_rng(0)


@pytest.fixture
def tensorflow():
    """TensorFlow at precision 32."""
    with use_backend("tensorflow", precision=32) as active:
        yield active


def _network(active: Backend):
    """One training step of a small network with each kind of layer, its parameters and data."""
    shapes = [(8, 1, 5, 5), (8,), (16, 8, 3, 3), (16,), (64, 400), (64,), (30, 64), (64, 64), (64,), (10, 64)]
    parameters = [xp.asarray(rng.normal(0.0, 0.1, shape)) for shape in shapes]
    images, labels = rng.normal(size=(64, 1, 28, 28)), rng.integers(0, 10, 64)
    rows = rng.integers(0, 30, (64,))

    def loss(p, images, labels, rows):
        h = active.relu(xp.max_pool(xp.conv(images, p[0], p[1], padding=2), 2))
        h = active.relu(xp.avg_pool(xp.conv(h, p[2], p[3]), 2, padding=(0, 0)))
        h = active.relu(active.linear(xp.reshape(h[:, :, :5, :5], (64, 400)), p[4], p[5]))
        h = h + xp.take(p[6], rows, axis=0)
        h = active.linear(xp.tanh(active.linear(h, p[7], p[8])), p[9])
        return active.cross_entropy(h, labels), None

    def step(state, *batch):
        (value, _), grads = xp.differentiate(loss)(state, *batch)
        return [p - 0.1 * g for p, g in zip(state, grads, strict=True)], value

    return step, parameters, [xp.asarray(a) for a in (images, labels, rows)]


@pytest.mark.parametrize("compiled", [False, True])
def test_training_twice_gives_the_same_bits(tensorflow: Backend, compiled: bool) -> None:
    """Twelve times three steps from one start end in the same bits, on however many threads there are."""
    step, parameters, batch = _network(tensorflow)
    step = xp.compile(step) if compiled else step
    ends = []
    for _ in range(12):
        state = parameters
        for _ in range(3):
            state, _ = step(state, *batch)
        ends.append(b"".join(xp.to_numpy(p).tobytes() for p in state))
    assert len(set(ends)) == 1


def test_compiled_function_sees_whole_numbers_as_shapes_and_is_traced_once(tensorflow: Backend) -> None:
    """Shapes inside a graph are static; the same shapes reuse it, new ones and a new precision do not."""
    seen = []

    def f(state, batch):
        seen.append(tuple(batch["x"].shape))
        return [state[0] + xp.sum(batch["x"])], {"y": (batch["x"], None)}

    compiled = xp.compile(f)
    for size in (2, 2, 3, 2):
        _, result = compiled([xp.zeros(())], {"x": xp.ones((size, 4))})
        assert result["y"][1] is None
    with use_backend("tensorflow", precision=64):
        compiled([xp.zeros(())], {"x": xp.ones((2, 4))})
    assert seen == [(2, 4), (3, 4), (2, 4)]
    with pytest.raises(TypeError, match="takes tensors only"):
        compiled([xp.zeros(())], {"x": 1.0})


@pytest.mark.parametrize("nodes", [0, 10**6])
def test_scan_in_a_graph_agrees_with_the_eager_loop(nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop and an unrolled chain give the eager values, first and second derivatives."""
    monkeypatch.setattr(autodiff, "UNROLLED_NODES", nodes)

    def loss(inputs, xs):
        def step(carry, x):
            hidden = xp.tanh(x["x"] + xp.matmul(carry["h"][0], inputs[0]))
            return {"h": (hidden,), "n": carry["n"] + 1.0}, [hidden, xp.sum(hidden)]

        carry, ys = xp.scan(step, {"h": (xp.zeros((6, 3)),), "n": xp.zeros(())}, {"x": xs})
        return xp.sum(xp.square(carry["h"][0])) + xp.sum(xp.square(ys[1])), (carry, ys)

    def slope(inputs, xs):
        grads = xp.differentiate(loss)(inputs, xs)[1]
        return xp.sum(xp.square(grads[0])), grads

    with use_backend("tensorflow", precision=64):
        inputs = [xp.asarray(rng.normal(size=(3, 3)))]
        xs = xp.asarray(rng.normal(size=(12, 6, 3)))
        eager = xp.differentiate(slope)(inputs, xs)
        graph = xp.compile(lambda state, xs: xp.differentiate(slope)(state, xs))(inputs, xs)
        for a, b in zip(tree.leaves(eager), tree.leaves(graph), strict=True):
            np.testing.assert_allclose(xp.to_numpy(a), xp.to_numpy(b), rtol=1e-12)


def test_convolution_refuses_groups_it_was_not_asked_for(tensorflow: Backend) -> None:
    """TensorFlow infers groups from the shapes; the contract has them explicit."""
    with pytest.raises(CallError, match=r"conv\(x=float(32|64)\[1, 4, 5, 5\]"):
        xp.conv(xp.ones((1, 4, 5, 5)), xp.ones((4, 2, 3, 3)))


def test_integer_dtypes_mix(tensorflow: Backend) -> None:
    """Labels of any integer dtype compare with the int64 of argmax."""
    labels = xp.asarray(np.array([1, 0], np.uint8))
    assert xp.to_numpy(xp.equal(xp.argmax(xp.eye(2), axis=1), labels)).tolist() == [False, False]


def test_import_is_silent_and_leaves_tensorflow_as_it_is() -> None:
    """Nothing on standard error, and no NumPy behaviour for the user's tensors."""
    program = (
        "from d2l_core.backend import use_backend\n"
        "with use_backend('tensorflow') as b:\n"
        "    b.asarray([1.0])\n"
        "import tensorflow as tf\n"
        "print(hasattr(tf.constant(1.0), 'T'))\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("False\n", "")


def optimised(call):
    """The nodes of the graph that a call runs, as TensorFlow's optimiser left them.

    Operators outside of graphs have small ones of their own when they are first called.
    """
    context = importlib.import_module("tensorflow.python.eager.context")
    context.enable_run_metadata()
    try:
        call()
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    return max((graph.post_optimization_graph.node for graph in graphs), key=len)


def test_the_optimiser_of_graphs_leaves_the_second_evaluation_of_a_checkpoint(tensorflow):
    """Else it would merge it with the first, and keep what was to be computed again."""
    weight = xp.asarray(rng.normal(size=(3, 3)))

    def part(x):
        for _ in range(4):
            x = xp.tanh(xp.matmul(x, weight))
        return x

    def operations(f):
        step = xp.compile(lambda state: (state, grad(lambda x: xp.sum(f(f(x))))(state[0])))
        return sum(node.op == "Tanh" for node in optimised(lambda: step([xp.ones((2, 3))])))

    assert operations(part) == 8
    assert operations(checkpoint(part)) == 12  # the first part, and both again


def test_no_transposes_stand_between_layers_of_images():
    """A block with a shortcut goes to channels last once and comes back once; each kernel is transposed once."""
    rng = np.random.default_rng(0)
    shapes = (4, 4, 3, 3), (4, 4, 3, 3), (4, 4, 3, 3)
    ones, zeros = np.ones(4, "float32"), np.zeros(4, "float32")

    def block(state):
        x, *kernels = state
        for kernel in kernels:
            y, *_ = batch_norm_train(conv(x, kernel, padding=1), xp.asarray(ones), xp.asarray(zeros), 1e-5)
            x = relu(xp.tanh(y) + x)
        return max_pool(x, 2), state

    with use_backend("tensorflow", precision=32):
        tensors = [xp.asarray(rng.normal(size=s).astype("float32")) for s in ((2, 4, 8, 8), *shapes)]
        expected = xp.to_numpy(block(tensors)[0])
        found = []
        nodes = optimised(lambda: found.append(xp.to_numpy(xp.compile(block)(tensors)[0])))
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
    transposes = [node for node in nodes if node.op.endswith("Transpose")]
    assert len(transposes) == len(shapes) + 2


def test_a_product_with_transposed_matrices_transposes_none(tensorflow):
    """The kernel takes them as they are, and so do those of its gradient."""
    shapes = (2, 3, 5), (2, 4, 5)
    tensors = [xp.asarray(rng.normal(size=shape)) for shape in shapes]

    def scores(a, b):
        return xp.sum(xp.tanh(xp.matmul(a, xp.matrix_transpose(b))))

    step = xp.compile(lambda state: (state, grad(scores, (0, 1))(*state)))
    found = []
    nodes = optimised(lambda: found.extend(step(tensors)[1]))
    assert not [node for node in nodes if node.op.endswith("Transpose")]
    for gradient, expected in zip(found, grad(scores, (0, 1))(*tensors), strict=True):
        np.testing.assert_allclose(xp.to_numpy(gradient), xp.to_numpy(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_filters_stay_in_the_layout_of_the_kernels_between_steps(rule, monkeypatch):
    """Gradients, slots and new values of filters are computed there: a step transposes none, a piece each one twice."""
    programs, rng = [], np.random.default_rng(0)

    class Program(autodiff._Program):
        def __init__(self, *args):
            super().__init__(*args)
            programs.append(self.graph)

    def loss(filters, x):
        y = conv(relu(conv(x, filters[0], padding=1)), filters[1], stride=2)
        return xp.mean(y * y)

    def step(state, row):
        filters, firsts, seconds = state[:2], state[2:4], state[4:]
        value, gradients = value_and_grad(lambda filters: loss(filters, row["x"]))(filters)
        gradients = [g + 0.1 * f for g, f in zip(gradients, filters, strict=True)]
        if rule == "sgd":
            return value, [*[f - 0.5 * g for f, g in zip(filters, gradients, strict=True)], *firsts, *seconds]
        progress = xp.asarray([0.1, 0.001, 1.0])
        columns = adam(filters, gradients, firsts, seconds, progress, 0.01, 0.9, 0.999, 1e-8)
        return value, [x for column in columns for x in column]

    with use_backend("tensorflow", precision=32):
        filters = [xp.asarray(rng.normal(size=s).astype("float32")) for s in ((4, 3, 3, 3), (5, 4, 2, 3))]
        state = [*filters, *[xp.zeros(f.shape) for f in filters * 2]]
        rows = {"x": rng.normal(size=(3, 2, 3, 6, 7)).astype("float32")}
        by_hand, losses = state, []
        for x in rows["x"]:
            value, by_hand = step(by_hand, {"x": xp.asarray(x)})
            losses.append(float(value))
        monkeypatch.setattr(autodiff, "_Program", Program)
        found, after = compile_steps(step)(state, rows, 0, 3)
        np.testing.assert_allclose(found, losses, rtol=1e-4)
        for x, y in zip(after, by_hand, strict=True):
            np.testing.assert_allclose(xp.to_numpy(x), xp.to_numpy(y), rtol=1e-3, atol=1e-5)
    piece, inside = sorted(programs, key=lambda graph: any("While" in op.type for op in live(graph)), reverse=True)
    of_images = 3  # what goes in, what comes out, and the gradient that comes back there
    assert sum(op.type == "Transpose" for op in live(inside)) == of_images
    assert sum(op.type == "Transpose" for op in live(piece)) == 2 * len(state)


def test_filters_from_outside_of_a_graph_are_constants_of_it(tensorflow):
    """They have no operation behind them to look at."""
    kernel, x = xp.asarray(np.ones((2, 3, 2, 2))), xp.asarray(np.ones((1, 3, 4, 4)))
    found = xp.compile(lambda state, x: (state, relu(conv(x, kernel))))([xp.zeros(())], x)[1]
    np.testing.assert_array_equal(xp.to_numpy(found), np.full((1, 2, 3, 3), 12.0))


def live(function):
    """The operations that the results of a traced function depend on."""
    found, left = set(), [x.op for x in function.graph.outputs]
    while left:
        op = left.pop()
        if op not in found:
            found.add(op)
            left += [x.op for x in op.inputs] + list(op.control_inputs)
    return found


def test_keras_is_imported_when_it_is_asked_for():
    """By the name that TensorFlow has for it, or by its own; before TensorFlow or after it."""
    ask = "assert tf.keras.optimizers.SGD(0.1).name == 'sgd'; import keras; assert keras.optimizers.SGD(0.1)"
    load = "import sys; from d2l_core.backend import load_backend; load_backend('tensorflow'); import tensorflow as tf"
    for program in (
        f"{load}; assert not any(name.split('.')[0] == 'keras' for name in sys.modules); {ask}",
        f"import keras; {load}; {ask}",
    ):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr
