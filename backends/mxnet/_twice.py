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
_OPERATORS = [f"__{side}{name}__" for name in _BINARY for side in ("", "r", "i")]
_OPERATORS += [f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "getitem")]


def on_autograd(f, inputs, args):
    """Value, aux and gradients of `f`, which may differentiate in turn."""
    here = current()
    host, backend = _backends()
    token = _CURRENT.set(Context(backend, here.precision, here.device))
    try:
        with host.scope(here.precision, here.device):
            return backend.differentiate(f)(inputs, *args)
    finally:
        _CURRENT.reset(token)


@functools.cache
def _backends():
    """The NumPy backend, and MXNet's with boxes among its tensors."""
    own, host = load_backend("mxnet"), load_backend("numpy")
    primitives = dict(own.__dict__)
    for name, primitive in contract().items():
        if primitive.group in ("arrays", "linalg", "network", "system") or name == "stop_gradient":
            composed = primitive.composite and name not in host.overrides
            on_host = primitive.declaration if composed else _converted(getattr(host, name))
            primitives[name] = _either(getattr(own, name), on_host)
    primitives["to_numpy"] = _either(own.to_numpy, host.to_numpy)
    primitives["differentiate"] = lambda f: _converted(host.differentiate(_converted(f, _to_own, _to_host)))
    primitives["custom_vjp"] = lambda f: _converted(host.custom_vjp(_rule(f)))
    backend = Backend(own.adapter, primitives, own.tensor_types)
    backend.foreign, backend.overrides = own.foreign, own.overrides
    for kind in (np.ndarray, ArrayBox):
        for name in _OPERATORS:
            if hasattr(kind, name):
                setattr(kind, name, _mixing(kind, getattr(kind, name)))
    return host, backend


def _either(own, on_host):
    def function(*args, **kwargs):
        boxed = any(isinstance(leaf, ArrayBox) for leaf in tree.leaves((args, kwargs)))
        return (on_host if boxed else own)(*args, **kwargs)

    return function


def _to_host(x):
    return x.asnumpy() if isinstance(x, np.ndarray) else x


def _to_own(x):
    return from_host(numpy.asarray(x)) if isinstance(x, numpy.ndarray | numpy.generic) else x


def _converted(f, arguments=_to_host, results=_to_own):
    """f with conversions of the tensors that go in and come out."""

    def function(*args, **kwargs):
        return tree.map(results, f(*tree.map(arguments, args), **tree.map(arguments, kwargs)))

    return function


def _rule(f):
    def rule(inputs):
        outputs, backward = f(tree.map(_to_own, inputs))
        return tree.map(_to_host, outputs), _converted(backward, _to_own, _to_host)

    return rule


def _mixing(kind, operator):
    """An operator of MXNet that leaves boxes to autograd's, or one of autograd's that takes MXNet's tensors."""
    if kind is ArrayBox:
        return lambda self, other: operator(self, tree.map(_to_host, other))
    return lambda self, other: NotImplemented if isinstance(other, ArrayBox) else operator(self, other)
