"""Gradients from MXNet's tape; it runs eagerly, so nothing is compiled."""

from contextvars import ContextVar, copy_context

from d2l_core import interface, tree
from d2l_core.errors import outside_tensor

from ._twice import on_autograd
from .arrays import TRYING, is_recording, mx, np, with_gradient

_TAPE = ContextVar("d2l_mxnet_tape", default=None)


class _DifferentiatedTwiceError(BaseException):
    """Found while the outer function was running; no handler of an error in it may take this for its own."""


def differentiate(f, /):
    def value_aux_and_gradients(inputs, *args):
        if _TAPE.get() is not None:
            raise _DifferentiatedTwiceError
        token = _TAPE.set([])
        try:
            return _differentiate(f, inputs, args)
        except _DifferentiatedTwiceError:
            pass
        finally:
            _TAPE.reset(token)
        return on_autograd(f, inputs, args)

    return value_aux_and_gradients


def _differentiate(f, inputs, args):
    variables = [x.detach() for x in inputs]
    gradients = [np.zeros(x.shape, x.dtype) for x in inputs]
    mx.autograd.mark_variables(variables, gradients)
    with mx.autograd.record():
        value, aux = f(variables, *args)
        if any(value is x for x in variables):
            value = value * 1.0
    _backward(value)
    _finish(_TAPE.get(), gradients)
    return (value.detach(), tree.map(_plain, aux)), gradients


def _backward(value):
    """Write the gradients into those of the marked variables; what is not reached stays zero."""
    try:
        value.backward()
    except mx.MXNetError as error:
        if "Cannot differentiate node" not in str(error):  # said of a value that depends on no variable
            raise


def _plain(x):
    return x.detach() if isinstance(x, np.ndarray) else x


def stop_gradient(x, /):
    return x.detach()


def custom_vjp(f, /):
    def call(inputs):
        token = TRYING.set(True)
        try:
            outputs, backward = f([x.detach() for x in inputs])
        finally:
            TRYING.reset(token)
        if not is_recording():
            return outputs
        if any(map(_on_tape, outputs)):
            raise outside_tensor()
        rule, tape = _Rule(outputs, backward), _TAPE.get()
        if tape is not None:
            tape.append(rule)
        return [y.as_np_ndarray() for y in rule(*map(with_gradient, inputs))]

    return call


class _Rule(mx.autograd.Function):
    """Outputs whose derivative with respect to the inputs is a given function, which runs in a thread of MXNet's."""

    def __init__(self, outputs, pullback):
        super().__init__()
        self._outputs, self._pullback, self.error = outputs, pullback, None
        self._context = copy_context()
        self._context.run(_TAPE.set, None)

    def forward(self, *inputs):
        self._shapes = [(x.shape, x.dtype) for x in inputs]
        return tuple(y.detach().as_nd_ndarray() for y in self._outputs)

    def backward(self, *grads):
        try:
            parts = self._context.run(self._pullback, [g.as_np_ndarray() for g in grads])
        except BaseException as error:  # MXNet would print it and raise one of its own
            self.error = error
            parts = [np.zeros(*kind) for kind in self._shapes]
        return tuple(g.as_nd_ndarray() for g in parts)


def _finish(rules, gradients):
    """Raise what a rule has raised, and forget what rules kept: MXNet holds on to them for a while."""
    for g in gradients if rules else ():
        g.wait_to_read()
    errors = [rule.error for rule in rules if rule.error is not None]
    for rule in rules:
        rule.__dict__.clear()
    if errors:
        raise errors[0]


def _on_tape(x):
    """Whether something flows back from x."""
    try:
        mx.autograd.get_symbol(x)
    except mx.MXNetError:
        return False
    return True




def compile(f, /):
    return f


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
