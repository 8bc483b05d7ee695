"""Gradients from MXNet's tape; it runs eagerly, so nothing is compiled."""

from contextvars import ContextVar, copy_context

from d2l_core import tree
from d2l_core.errors import BackendError, outside_tensor

from . import adapter
from .arrays import is_recording, mx, np

_INSIDE = ContextVar("d2l_mxnet_inside", default=False)


def differentiate(f, /):
    def value_aux_and_gradients(inputs, *args):
        if _INSIDE.get():
            raise BackendError(adapter.limits["second derivatives"])
        token = _INSIDE.set(True)
        try:
            return _differentiate(f, inputs, args)
        finally:
            _INSIDE.reset(token)

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
        outputs, backward = f([x.detach() for x in inputs])
        if not is_recording():
            return outputs
        if any(map(_on_tape, outputs)):
            raise outside_tensor()
        context = copy_context()  # backward runs in a thread of its own
        context.run(_INSIDE.set, False)
        rule = _Rule(outputs, lambda grads: context.copy().run(backward, grads))
        return [y.as_np_ndarray() for y in rule(*map(with_gradient, inputs))]

    return call


class _Rule(mx.autograd.Function):
    """Outputs whose derivative with respect to the inputs is a given function."""

    def __init__(self, outputs, pullback):
        super().__init__()
        self._outputs, self._pullback = outputs, pullback

    def forward(self, *inputs):
        return tuple(y.detach().as_nd_ndarray() for y in self._outputs)

    def backward(self, *grads):
        parts = self._pullback([g.as_np_ndarray() for g in grads])
        del self._outputs, self._pullback  # MXNet holds on to this object until the garbage collector comes by
        return tuple(g.as_nd_ndarray() for g in parts)


def _on_tape(x):
    """Whether something flows back from x."""
    try:
        mx.autograd.get_symbol(x)
    except mx.MXNetError:
        return False
    return True


def with_gradient(x):
    """x as a tensor that has a gradient: inputs after one without would get none (test_mxnet_upstream.py)."""
    zeros = np.zeros(x.shape, x.dtype)
    zeros.attach_grad()
    return x - zeros


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
    return carry, tree.map(lambda *steps: np.stack(steps), *outputs)


def _no_outputs(f, init, xs):
    """Outputs of zero steps; one step over zeros tells their shapes."""
    _, y = f(init, tree.map(lambda x: np.zeros(x.shape[1:], x.dtype), xs))
    return tree.map(lambda leaf: np.zeros((0, *leaf.shape), leaf.dtype), y)
