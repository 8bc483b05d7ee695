"""Second derivatives, which MXNet lacks: what is differentiated then lives on the tape of the NumPy adapter.

Tensors are boxes of autograd as far as they depend on an input, and MXNet's own where they do not. A function of the
contract runs on NumPy as soon as a box is among its arguments; operators learn to mix the two.
"""

import functools

import numpy
from autograd.numpy.numpy_boxes import ArrayBox

from d2l_core import tree
from d2l_core.backend import _CURRENT, Backend, Context, current, load_backend
from d2l_core.interface import contract

from .arrays import from_host, np

_BINARY = ("add", "sub", "mul", "truediv", "mod", "pow", "matmul")
_OPERATORS = [f"__{side}{name}__" for name in _BINARY for side in ("", "r")]
_OPERATORS += [f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "getitem")]


def on_autograd(f, inputs, args):
    """Value, aux and gradients of `f`, which may differentiate in turn."""
    here = current()
    with load_backend("numpy").scope(here.precision, here.device):
        return _mixed_backend().differentiate(f)(inputs, *args)


@functools.cache
def _mixed_backend():
    """MXNet's backend with boxes among its tensors."""
    own, host = load_backend("mxnet"), load_backend("numpy")
    primitives = dict(own.__dict__)
    backend = Backend(own.adapter, primitives, own.tensor_types)

    def on_host(function):
        return _running(host, function, _to_host, _to_own)

    def own_code(function):
        return _running(backend, function, _to_own, _to_host)

    def rule_of(f):
        def rule(inputs):
            outputs, backward = f(inputs)
            return outputs, own_code(backward)

        return own_code(rule)

    for name, primitive in contract().items():
        if primitive.group in ("arrays", "linalg", "network", "system") or name == "stop_gradient":
            composed = primitive.composite and name not in host.overrides
            primitives[name] = _either(
                getattr(own, name), primitive.declaration if composed else on_host(getattr(host, name))
            )
    primitives["to_numpy"] = _either(own.to_numpy, host.to_numpy)
    primitives["differentiate"] = lambda f: on_host(host.differentiate(own_code(f)))
    primitives["custom_vjp"] = lambda f: on_host(host.custom_vjp(rule_of(f)))
    backend.__dict__.update(primitives, foreign=own.foreign, overrides=own.overrides)
    for name in _OPERATORS:
        setattr(ArrayBox, name, _taking(getattr(ArrayBox, name), backend))
        if name != "__getitem__":
            setattr(np.ndarray, name, _leaving(getattr(np.ndarray, name)))
    return backend


def _either(own, on_host):
    def function(*args, **kwargs):
        boxed = any(isinstance(leaf, ArrayBox) for leaf in tree.leaves((args, kwargs)))
        return (on_host if boxed else own)(*args, **kwargs)

    return function


def _to_host(x):
    return x.asnumpy() if isinstance(x, np.ndarray) else x


def _to_own(x):
    return from_host(numpy.asarray(x)) if isinstance(x, numpy.ndarray | numpy.generic) else x


def _running(backend, f, arguments, results):
    """f on a backend, with conversions of the tensors that go in and come out."""

    def function(*args, **kwargs):
        here = current()
        token = _CURRENT.set(Context(backend, here.precision, here.device))
        try:
            return tree.map(results, f(*tree.map(arguments, args), **tree.map(arguments, kwargs)))
        finally:
            _CURRENT.reset(token)

    return function


def _leaving(operator):
    """An operator of MXNet that leaves boxes to autograd's."""
    return lambda self, other: NotImplemented if isinstance(other, ArrayBox) else operator(self, other)


def _taking(operator, backend):
    """An operator of autograd that takes MXNet's tensors, and gives one where the result holds no box."""

    def mixing(self, other):
        result = operator(self, tree.map(_to_host, other) if isinstance(other, tuple) else _to_host(other))
        return result if isinstance(result, ArrayBox) or current().backend is not backend else _to_own(result)

    return mixing
