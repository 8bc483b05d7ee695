"""Gradients from MXNet's tape; it runs eagerly, so nothing is compiled."""

from contextvars import ContextVar

from d2l_core import tree
from d2l_core.errors import BackendError

from . import adapter
from .arrays import mx, np

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
