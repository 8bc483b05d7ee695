"""The tape of this adapter, lent to a framework that has no second derivatives of its own.

There a tensor is a box of autograd if it depends on what is differentiated, and the framework's own if it does not. A
function of the contract runs on NumPy as soon as a box is among its arguments; operators learn to mix the two.
"""

import functools

import numpy
from autograd.numpy.numpy_boxes import ArrayBox

from d2l_core import tree
from d2l_core.backend import _CURRENT, Backend, Context, current, load_backend
from d2l_core.interface import contract

_BINARY = ("add", "sub", "mul", "truediv", "mod", "pow", "matmul")
_COMPARING = ("eq", "ne", "lt", "le", "gt", "ge")
_OPERATORS = [f"__{name}__" for name in (*_BINARY, *(f"r{name}" for name in _BINARY), *_COMPARING)]


class Tape:
    """Differentiation of code for the backend `name`, whose tensors are of the class `kind`.

    `to_numpy` and `from_numpy` convert a tensor. Both kinds of operands are taught to meet at the first use.
    """

    def __init__(self, name, kind, to_numpy, from_numpy):
        self._name, self._kind, self._from_numpy, self._to_numpy = name, kind, from_numpy, to_numpy

    def differentiate(self, f, inputs, args):
        """Value, aux and gradients of `f`, which may differentiate in turn."""
        here = current()
        with load_backend("numpy").scope(here.precision, here.device):
            return self._backend.differentiate(f)(inputs, *args)

    @functools.cached_property
    def _backend(self):
        """The framework's backend with boxes among its tensors."""
        own, host = load_backend(self._name), load_backend("numpy")
        primitives = dict(own.__dict__)
        for name, primitive in contract().items():
            if primitive.group in ("arrays", "linalg", "network", "system") or name == "stop_gradient":
                composed = primitive.composite and name not in host.overrides
                boxed = primitive.declaration if composed else self._on_host(getattr(host, name))
                primitives[name] = _either(getattr(own, name), boxed)
        primitives["to_numpy"] = _either(own.to_numpy, host.to_numpy)
        primitives["differentiate"] = lambda f: self._on_host(host.differentiate(self._own_code(f)))
        primitives["custom_vjp"] = lambda f: self._on_host(host.custom_vjp(self._rule(f)))
        backend = Backend(own.adapter, primitives, own.tensor_types)
        backend.foreign, backend.overrides = own.foreign, own.overrides
        for name in _OPERATORS:
            setattr(self._kind, name, _leaving(getattr(self._kind, name)))
            setattr(ArrayBox, name, self._taking(getattr(ArrayBox, name), backend))
        ArrayBox.__getitem__ = self._taking(ArrayBox.__getitem__, backend)
        return backend

    def _to_host(self, x):
        return self._to_numpy(x) if isinstance(x, self._kind) else x

    def _to_own(self, x):
        return self._from_numpy(numpy.asarray(x)) if isinstance(x, numpy.ndarray | numpy.generic) else x

    def _on_host(self, f):
        return lambda *args, **kwargs: _run(load_backend("numpy"), f, args, kwargs, self._to_host, self._to_own)

    def _own_code(self, f):
        return lambda *args, **kwargs: _run(self._backend, f, args, kwargs, self._to_own, self._to_host)

    def _rule(self, f):
        def rule(inputs):
            outputs, backward = f(inputs)
            return outputs, self._own_code(backward)

        return self._own_code(rule)

    def _taking(self, operator, backend):
        """An operator of autograd that takes the other tensors, and gives one where the result holds no box."""

        def mixing(box, other):
            result = operator(box, tree.map(self._to_host, other) if isinstance(other, tuple) else self._to_host(other))
            return result if isinstance(result, ArrayBox) or current().backend is not backend else self._to_own(result)

        return mixing


def _leaving(operator):
    """An operator of the framework that leaves boxes to autograd's."""
    return lambda x, other: NotImplemented if isinstance(other, ArrayBox) else operator(x, other)


def _either(own, boxed):
    def function(*args, **kwargs):
        found = any(isinstance(leaf, ArrayBox) for leaf in tree.leaves((args, kwargs)))
        return (boxed if found else own)(*args, **kwargs)

    return function


def _run(backend, f, args, kwargs, arguments, results):
    """Call f on a backend, with conversions of the tensors that go in and come out."""
    here = current()
    token = _CURRENT.set(Context(backend, here.precision, here.device))
    try:
        return tree.map(results, f(*tree.map(arguments, args), **tree.map(arguments, kwargs)))
    finally:
        _CURRENT.reset(token)
