"""Gradients by tapes; compilation to graphs, traced once for each set of shapes.

XLA is not used for whole steps: see `compile`.
"""

from contextvars import ContextVar

from d2l_backends.tensorflow.arrays import asarray
from d2l_backends.tensorflow.system import to_numpy
from d2l_backends.tensorflow_runtime import layouts
from d2l_backends.tensorflow_runtime.importing import tf
from tensorflow.python.eager import record

from d2l_core import tree
from d2l_core.backend import current
from d2l_core.composites.differentiation import pullback
from d2l_core.errors import outside_tensor

_raw = tf.raw_ops
_DEPTH = ContextVar("d2l_tensorflow_depth", default=0)

UNROLLED_NODES = 1000
"""Most graph nodes into which a scan is unrolled. A chain ran 1.2 to 2.5 times as fast as a loop, measured
on recurrent layers of 8 to 128 steps with gradients, but its trace takes about a millisecond a node."""

stop_gradient = tf.stop_gradient


def differentiate(f, /):
    """Value and gradient of a function of a list of tensors; tapes nest, so results differentiate again."""

    def value_and_gradient(inputs, *args):
        token = _DEPTH.set(_DEPTH.get() + 1)
        try:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                # New handles: the same tensors elsewhere, in a closure or among `args`, are constants.
                watched = [_raw.Identity(input=x) for x in inputs]
                tape.watch(watched)
                value, aux = f(watched, *args)
        finally:
            _DEPTH.reset(token)
        gradients = tape.gradient(value, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return (value, aux), [tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in gradients]

    return value_and_gradient


def custom_vjp(f, /):
    def call(inputs):
        outputs, backward = f([tf.stop_gradient(x) for x in inputs])
        if record.should_record_backprop(outputs):
            raise outside_tensor()
        if not record.should_record_backprop(inputs):
            return outputs
        if _DEPTH.get() != 1:  # backward has to see what is differentiated outside
            backward = f(inputs)[1]
        ruled = tuple(outputs), lambda *grads: tuple(backward(list(grads)))
        return list(tf.custom_gradient(lambda *inputs: ruled)(*inputs))

    return call


def rematerialise(f, /):
    """The composite, with a second evaluation that waits for the gradients: graphs would merge it with the first."""

    def forward(inputs):
        def backward(grads):
            with tf.control_dependencies(grads):
                again = [_raw.Identity(input=x) for x in inputs]
            return pullback(f, again, grads)

        return f(inputs), backward

    return custom_vjp(forward)


# ---------------------------------------------------------------- compilation


def compile(f, /):
    """f as a graph for each set of shapes and dtypes, called with a flat list of tensors.

    XLA is not used. Measured on two cores, with it and without: a 784-256-10 step 0.7 ms against 1.0 at batch 32
    and no faster at 256, LeNet no faster, a recurrent loop 26 ms against 14. Its first call takes 0.4 to 2 s.
    """
    programs = {}

    def run(state, *trees):
        if not tf.executing_eagerly():
            return f(list(state), *trees)
        context = current()
        tensors = list(state)
        signature = _flatten(trees, tensors)
        try:
            kinds = [(x.dtype, x.shape) for x in tensors]
        except AttributeError:
            raise TypeError("A compiled function takes tensors only; convert numbers with xp.asarray.") from None
        key = (context.precision, context.device, len(state), signature, *kinds)
        program = programs.get(key)
        if program is None:
            program = programs[key] = _Program(f, len(state), trees, tensors)
        return program(tensors)

    return run


def compile_steps(f, /):
    """One loop whose bounds are arguments, so that pieces of any length are one graph.

    Measured on two cores, with the loop and step by step: a 784-256-10 step 0.8 ms against 2.6 at batch 32 and 2.2
    against 2.8 at 256, LeNet 17 against 20.
    """

    def step(kept, rows, i, constants):
        results, state = f(layouts.plain(kept), tree.map(lambda x: x[i], rows), *constants)
        return results, layouts.laid_out(state)

    def steps(state, rows, start, stop, constants):
        state = layouts.laid_out(state)
        one = _Program(step, len(state), (rows, start, constants), [*state, *tree.leaves((rows, start, constants))])
        outputs, length = one.graph.outputs[: len(tree.leaves(one.form[0]))], tree.leaves(rows)[0].shape[0]
        columns = [tf.TensorArray(x.dtype, length, element_shape=x.shape) for x in outputs]

        def body(i, state, columns):
            results, state = one([*state, *tree.leaves((rows, i, constants))])
            return i + 1, state, [column.write(i, x) for column, x in zip(columns, tree.leaves(results), strict=True)]

        _, state, columns = tf.while_loop(lambda i, *_: i < stop, body, (start, list(state), columns))
        return tree.unflatten(one.form[0], [column.stack() for column in columns]), layouts.plain(state)

    run = compile(steps)

    def call(state, rows, start, stop, /, *constants):
        results, state = run(state, tree.map(asarray, rows), tf.constant(start), tf.constant(stop), constants)
        return tree.map(lambda x: to_numpy(x)[start:stop], results), state

    return call


def _flatten(node, leaves):
    """The structure of a tree as a hashable value; its leaves are appended to `leaves`."""
    if isinstance(node, (list, tuple)):
        return (type(node), *[_flatten(branch, leaves) for branch in node])
    if isinstance(node, dict):
        return (dict, *node, *[_flatten(branch, leaves) for branch in node.values()])
    if node is None:
        return None
    leaves.append(node)
    return True


class _Program:
    """One trace of a function."""

    def __init__(self, f, num_state, trees, tensors):
        def flat(*leaves):
            result = f(list(leaves[:num_state]), *tree.unflatten(trees, leaves[num_state:]))
            self.form = tree.map(lambda leaf: True, result)
            return tree.leaves(result)

        specs = [tf.TensorSpec(x.shape, x.dtype) for x in tensors]
        self.graph = tf.function(flat, autograph=False).get_concrete_function(*specs)

    def __call__(self, tensors):
        # The public call binds each argument by name, which costs three times as much with twenty tensors.
        return tree.unflatten(self.form, self.graph._call_flat(tensors, self.graph.captured_inputs))


# ---------------------------------------------------------------- loops


def scan(f, init, xs, /):
    """``carry, y = f(carry, x)`` for every slice x of `xs`; inside a graph a long or heavy one is a loop."""
    columns = tree.leaves(xs)
    length = columns[0].shape[0]
    if tf.executing_eagerly() or length == 1:
        return _unrolled(f, init, xs, columns, length)
    graph = tf.compat.v1.get_default_graph()
    before = len(graph.get_operations())
    first = f(init, tree.unflatten(xs, [column[0] for column in columns]))
    if (len(graph.get_operations()) - before) * length <= UNROLLED_NODES:
        return _unrolled(f, init, xs, columns, length)
    return _loop(f, first, xs, columns, length)


def _unrolled(f, carry, xs, columns, length):
    slices = zip(*[tf.unstack(column, length) for column in columns], strict=True)
    results = []
    for row in slices:
        carry, y = f(carry, tree.unflatten(xs, row))
        results.append(y)
    stacked = [_raw.Pack(values=list(parts)) for parts in zip(*map(tree.leaves, results), strict=True)]
    return carry, tree.unflatten(results[0], stacked)


def _loop(f, first, xs, columns, length):
    """The first step, outside the loop, has told what the carry and the results look like."""
    carry, y = first
    inputs = [tf.TensorArray(c.dtype, length, element_shape=c.shape[1:]).unstack(c) for c in columns]

    def body(t, carried, outputs):
        after, result = f(tree.unflatten(carry, carried), tree.unflatten(xs, [array.read(t) for array in inputs]))
        written = [array.write(t, leaf) for array, leaf in zip(outputs, tree.leaves(result), strict=True)]
        return t + 1, tree.leaves(after), written

    outputs = [tf.TensorArray(leaf.dtype, length, element_shape=leaf.shape).write(0, leaf) for leaf in tree.leaves(y)]
    _, carried, outputs = tf.while_loop(
        lambda t, *_: t < length,
        body,
        (tf.constant(1), tree.leaves(carry), outputs),
        maximum_iterations=length - 1,
    )
    return tree.unflatten(carry, carried), tree.unflatten(y, [array.stack() for array in outputs])


def while_loop(condition, body, init, /):
    carry = init
    if tf.executing_eagerly():
        while bool(condition(carry)):
            carry = body(carry)
        return carry
    leaves = tf.while_loop(
        lambda *leaves: condition(tree.unflatten(init, leaves)),
        lambda *leaves: tree.leaves(body(tree.unflatten(init, leaves))),
        tree.leaves(init),
    )
    return tree.unflatten(init, leaves)


def cond(predicate, if_true, if_false, /, *operands):
    if tf.executing_eagerly():
        return (if_true if bool(predicate) else if_false)(*operands)
    forms = []

    def branch(f):
        result = f(*operands)
        forms.append(tree.map(lambda leaf: True, result))
        return tree.leaves(result)

    leaves = tf.cond(predicate, lambda: branch(if_true), lambda: branch(if_false))
    return tree.unflatten(forms[0], leaves)
