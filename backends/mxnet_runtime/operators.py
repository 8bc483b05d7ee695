"""Operators of MXNet's library: as nodes of graphs, and by the shapes that they would give."""

import ctypes
import functools
from typing import NamedTuple

from .importing import import_mxnet

mx = import_mxnet()
np = mx.np

_LIBRARY, _check = mx.base._LIB, mx.base.check_call
_SHARED = _LIBRARY.MXShallowCopyNDArray  # not what watches it


def held(handle):
    """A tensor of its own with the memory of a handle."""
    kept = mx.base.NDArrayHandle()
    _check(_SHARED(ctypes.c_void_p(handle), ctypes.byref(kept)))
    return np.ndarray(handle=kept)


def without_broadcasting(creator, inputs):
    """The operator that does the same for tensors of one shape, if there is one and they are."""
    if creator not in _elementwise():
        return None
    first, second = map(held, inputs)
    alike = first.shape == second.shape and first.dtype == second.dtype
    return _elementwise()[creator] if alike else None


def quicker(call):
    """A call of which all arguments have gradients, which the quicker operator does not copy.

    Where one has none, MXNet gives the memory of the others' away too early (test_mxnet_upstream.py).
    """
    function = call.function
    known = isinstance(function, Atom) and function.quicker is not None
    return call._replace(function=function._replace(creator=function.quicker)) if known else call


@functools.cache
def operator_called(name):
    """What an `Atom` of the operator has as its creator."""
    handle = ctypes.c_void_p()
    _check(_LIBRARY.NNGetOpHandle(name, ctypes.byref(handle)))
    return handle.value


@functools.cache
def _elementwise():
    names = (b"_npi_add", b"elemwise_add"), (b"_npi_subtract", b"elemwise_sub"), (b"_npi_multiply", b"elemwise_mul")
    return {operator_called(name): operator_called(quicker) for name, quicker in names}


class Atom(NamedTuple):
    """An operator with its settings: ``atom(name, symbols, count)`` makes a node with so many results.

    `quicker` may stand for it between tensors that all have gradients. `training` is the mode in which it was called,
    which normalisation over a batch heeds.
    """

    creator: int
    keys: tuple[bytes, ...]
    values: tuple[bytes, ...]
    quicker: int | None
    training: bool

    def __call__(self, name, symbols, count):
        node = self.node(name, symbols)
        return [node[i] for i in range(count)]

    def node(self, name, symbols):
        """The node itself, with all its results."""
        handle, keys, values = ctypes.c_void_p(), self.keys, self.values
        if (counter := _counter(self.creator)) not in (b"", *keys):
            keys, values = (*keys, counter), (*values, b"%d" % len(symbols))
        keys, values = (*keys, b"__name__"), (*values, name)  # else equal nodes are one, and gradients add up otherwise
        texts = ctypes.c_char_p * len(keys)
        settings = len(keys), texts(*keys), texts(*values)
        _check(_LIBRARY.MXSymbolCreateAtomicSymbol(ctypes.c_void_p(self.creator), *settings, ctypes.byref(handle)))
        node = mx.sym.Symbol(handle)
        inputs = (ctypes.c_void_p * len(symbols))(*[x.handle for x in symbols])
        _check(_LIBRARY.NNSymbolCompose(handle, name, len(symbols), None, inputs))
        return node

    def blanks(self, inputs):
        """Handles of tensors without memory as the results of some inputs, which are not looked at."""
        tensors = map(held, inputs)
        return [_blank(*kind) for kind in _results(self, tuple((x.shape, x.dtype) for x in tensors))]


@functools.lru_cache(maxsize=4096)
def _results(atom, kinds):
    """The shapes and dtypes that an operator gives for those of its inputs."""
    names = [f"s{i}" for i in range(len(kinds))]
    node = atom.node(b"n", list(map(mx.sym.var, names)))
    _, shapes, _ = node.infer_shape(**{name: shape for name, (shape, _) in zip(names, kinds, strict=True)})
    _, dtypes, _ = node.infer_type(**{name: dtype for name, (_, dtype) in zip(names, kinds, strict=True)})
    return tuple(zip(shapes, dtypes, strict=True))


def blank(x):
    """A tensor like x that has no memory until something is written into it."""
    return np.ndarray(handle=_blank(x.shape, x.dtype))


def _blank(shape, dtype):
    return mx.nd.ndarray._new_alloc_handle(shape, mx.cpu(), True, dtype)


@functools.cache
def _counter(creator):
    """The setting that tells an operator how many tensors it gets, if it takes any number."""
    text, texts, size = ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_uint()
    told = [text(), text(), size, texts(), texts(), texts(), text(), text()]
    _check(_LIBRARY.MXSymbolGetAtomicSymbolInfo(ctypes.c_void_p(creator), *map(ctypes.byref, told)))
    return told[6].value
