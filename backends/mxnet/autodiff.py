"""Gradients from MXNet's tape, and steps that are recorded once and run as graphs from then on."""

from contextvars import ContextVar
from functools import partial

from d2l_backends.mxnet_runtime.lending import run_of_steps
from d2l_backends.mxnet_runtime.operators import blank
from d2l_backends.mxnet_runtime.recording import recorder, refuse
from d2l_backends.mxnet_runtime.replay import CANNOT_REPEAT, recorded
from d2l_backends.numpy.lent import Tape

from d2l_core import interface, tree
from d2l_core._tape import signature
from d2l_core.backend import current
from d2l_core.composites.control import placed
from d2l_core.errors import UsageError, outside_tensor

from .arrays import from_host, is_recording, mx, np, on_tape
from .system import to_numpy

_TWICE = Tape("mxnet", np.ndarray, np.ndarray.asnumpy, from_host)
_CUTS = ContextVar("d2l_mxnet_cuts", default=None)


class _DifferentiatedTwiceError(BaseException):
    """Found while the outer function was running; no handler of an error in it may take this for its own."""


def differentiate(f, /):
    def value_aux_and_gradients(inputs, *args):
        if _CUTS.get() is not None:
            raise _DifferentiatedTwiceError
        variables = [x.detach() for x in inputs]
        active, cuts = recorder(), []
        gradients = [np.zeros(x.shape, x.dtype) if active is None else blank(x) for x in inputs]
        mx.autograd.mark_variables(variables, gradients)
        if active is not None:
            active.begin(inputs, variables)
        token = _CUTS.set(cuts)
        try:
            with mx.autograd.record():
                value, aux = f(variables, *args)
                if value.grad is not None:  # nothing was done with a marked variable
                    value = value * 1.0
        except _DifferentiatedTwiceError:
            value = None
        finally:
            _CUTS.reset(token)
        if value is None:
            return _TWICE.differentiate(f, inputs, args)
        if active is None:
            _backward(value, bool(cuts))
        else:
            active.end(value, gradients)
        for cut in reversed(cuts):
            cut.go_on(gradients)
        return (value.detach(), tree.map(_plain, aux)), gradients

    return value_aux_and_gradients


def _backward(value, retain):
    """Write the gradients into those of the marked variables; what is not reached stays zero."""
    try:
        value.backward(retain_graph=retain)
    except mx.MXNetError:
        if on_tape(value):
            raise


def _plain(x):
    return x.detach() if isinstance(x, np.ndarray) else x


def stop_gradient(x, /):
    return x.detach()


def custom_vjp(f, /):
    def call(inputs):
        outputs, backward = f([x.detach() for x in inputs])
        if not is_recording():
            return outputs
        refuse(recorder() is not None)
        if any(map(on_tape, outputs)):
            raise outside_tensor()
        if not any(map(on_tape, inputs)):
            return outputs
        if _CUTS.get() is None:
            raise UsageError("MXNet's own tape knows no custom_gradient or checkpoint; use value_and_grad here.")
        cut = _Cut(inputs, outputs, backward)
        _CUTS.get().append(cut)
        return cut.outputs

    return call


class _Cut:
    """A place where the tape ends, and from where a function carries the gradients on.

    MXNet's own `Function` would run it in a thread of its own, two at a time, while modules lend their values.
    """

    def __init__(self, inputs, outputs, backward):
        self.outputs = [y.detach() for y in outputs]
        self._grads = [np.zeros(y.shape, y.dtype) for y in outputs]
        floats = [i for i, y in enumerate(outputs) if y.dtype.kind == "f"]
        mx.autograd.mark_variables([self.outputs[i] for i in floats], [self._grads[i] for i in floats], "add")
        self._inputs, self._backward = inputs, backward

    def go_on(self, gradients):
        """Add to the gradients of what the inputs were made of."""
        pairs = list(zip(self._inputs, self._backward(self._grads), strict=True))
        further = [(x, g) for x, g in pairs if x.grad is None and on_tape(x)]
        if further:
            found = [g.copy() for g in gradients]  # "write" is quicker than "add", but does not add
            for g in gradients:
                g[()] = 0
            mx.autograd.backward(*map(list, zip(*further, strict=True)), retain_graph=True)
            for g, before in zip(gradients, found, strict=True):
                g[()] = g + before
        for x, g in pairs:
            if x.grad is not None:
                total = x.grad
                total[()] = total + g


_MOST = 64  # signatures of a compiled function that are recorded


def compile(f, /):
    """The first call of each signature is recorded while it runs; the next ones run as graphs."""
    return _Compiled(f)


class _Compiled:
    def __init__(self, f):
        self.f, self._known = f, {}

    def __call__(self, *trees):
        key, leaves = _key(trees)
        if repeat := self.repeat(key, lambda leaves: trees):
            return repeat(leaves)
        new = key not in self._known and len(self._known) < _MOST and not _is_inside()
        if not new or not all(isinstance(x, np.ndarray) for x in leaves):
            return self.f(*trees)
        result, self._known[key] = recorded(self.f, trees, leaves)
        return result

    def repeat(self, key, trees_of):
        """A function of the leaves that does what a recorded call of this signature did; None if there may be none."""
        if _is_inside() or not self._known.get(key):
            return None

        def run(leaves):
            if replay := self._known[key]:
                try:
                    return replay(leaves)
                except CANNOT_REPEAT:
                    self._known[key] = None
            return self.f(*trees_of(leaves))

        return run


def _is_inside():
    """Whether a tape or a recorder looks on."""
    return _CUTS.get() is not None or recorder() is not None


def _key(trees):
    leaves = []
    return (current().precision, signature(trees, _described, leaves)), leaves


def compile_steps(f, /):
    """As composed, but once a recorded step has left a state of the kind that it took, the next are not looked at."""
    step = compile(f)

    def run(state, rows, start, stop, /, *constants):
        results, rows, repeat = [], tree.map(placed, rows), None
        columns, others = tree.leaves(rows), tree.leaves(constants)
        with run_of_steps() as active:
            for i in range(start, stop):
                row = [column[i] for column in columns]
                if repeat:
                    result, state[:] = repeat([*state, *row, *others])
                else:
                    trees = state, tree.unflatten(rows, row), *constants
                    key = _key(trees)[0]
                    result, state[:] = step(*trees)
                    if _key(trees)[0] == key:
                        form = tree.map(lambda leaf: True, trees)
                        repeat = step.repeat(key, partial(tree.unflatten, form))
                active.left = result, state
                results.append(result)
        return tree.map(lambda *leaves: to_numpy(interface.stack(leaves)), *results), list(state)

    return run


def _described(x):
    return (x.shape, x.dtype) if isinstance(x, np.ndarray) else None


def scan(f, init, xs, /):
    columns = tree.leaves(xs)
    if not columns:
        raise ValueError("scan needs at least one tensor in xs to know the number of steps.")
    carry, outputs = init, []
    for t in range(columns[0].shape[0]):
        carry, y = f(carry, tree.unflatten(xs, [x[t] for x in columns]))
        outputs.append(y)
    if not outputs:
        return init, _no_outputs(f, init, xs)
    return carry, tree.map(lambda *steps: interface.stack(steps), *outputs)


def _no_outputs(f, init, xs):
    """Outputs of zero steps; one step over zeros tells their shapes."""
    _, y = f(init, tree.map(lambda x: np.zeros(x.shape[1:], x.dtype), xs))
    return tree.map(lambda leaf: np.zeros((0, *leaf.shape), leaf.dtype), y)
