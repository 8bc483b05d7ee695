"""What a step does, as a list of MXNet's operators, written down while it runs.

MXNet 1.9.1 has no hook for this, but all that it computes passes through a few functions of its library. While a step
is recorded they are replaced by ones that note what comes and goes.
"""

import contextlib
import ctypes
import functools
import threading
from typing import NamedTuple

from d2l_core._straight import Call, Slot, branches, slots

from .importing import import_mxnet

mx = import_mxnet()
np = mx.np

LONGEST = 20_000  # operators of a recording

_LIBRARY, _check = mx.base._LIB, mx.base.check_call
_ACTIVE = None
_LOCK = threading.Lock()


class Operator(Call):
    """A call of an operator; its function makes nodes of a graph from the nodes of its arguments."""


class Region(Call):
    """A forward pass and its gradients: the list of calls between stands in place of the function.

    Its arguments are the tensors to differentiate by, and the slots that stand for them in the calls; its results are
    the value and the gradients.
    """


def recorder():
    """The recorder of the running code, if there is one that is not paused."""
    active = _ACTIVE
    return active if active and active.thread == threading.get_ident() and not active.paused else None


def on_host(f, *args):
    """``f(*args)``, which may look at numbers: one call of a recording."""
    active = recorder()
    return f(*args) if active is None else active.on_host(f, args)


class Recorder:
    """A list of calls with slots in place of tensors; `refused` if they must not be repeated."""

    def __init__(self, inputs):
        self.calls, self.constants, self.refused, self.paused = [], {}, False, False
        self.thread, self._slots, self._count, self._outer = threading.get_ident(), {}, 0, None
        self.inputs = [self._new(x.handle.value) for x in inputs]

    def spare(self):
        """A slot of nothing yet."""
        self._count += 1
        return Slot(self._count - 1)

    def _new(self, handle):
        self.refused |= 0 in _held(handle).shape  # a graph has no memory for it and fails
        slot = self._slots[handle] = self.spare()
        return slot

    def _slot(self, handle):
        """The slot of a tensor; one that nobody has noted is a constant."""
        if handle not in self._slots:
            self.constants[self._new(handle)] = _held(handle)
        return self._slots[handle]

    def noted(self, branch):
        """A tree with slots in place of tensors."""
        return self._slot(branch.handle.value) if isinstance(branch, np.ndarray) else branches(self.noted, branch)

    def _note(self, function, args, results):
        self.refused |= len(self.calls) == LONGEST
        args = [self._slot(x) for x in args]
        self.calls.append(Operator(function, args, {}, [self._new(x) for x in results]))

    def on_host(self, f, args):
        """Make a call that may look at numbers, and write it down."""
        noted = self.noted(args)
        with self.pause():
            result = f(*args)
        several = isinstance(result, tuple)
        made = [self._new(x.handle.value) for x in result] if several else self._new(result.handle.value)
        self.calls.append(Call(f, noted, {}, made))
        return result

    @contextlib.contextmanager
    def pause(self):
        """Nothing is written down inside the block."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    def begin(self, inputs, variables):
        """The forward pass begins, in which `variables` stand for `inputs`."""
        self.refused |= self._outer is not None
        self._outer, self._sources = self.calls, self.noted(inputs)
        self._variables, self.calls = [self._new(x.handle.value) for x in variables], []

    @contextlib.contextmanager
    def backward(self, value, gradients):
        """The backward pass takes place inside the block. What gradients do not depend on moves out of the region."""
        value = self.noted(value)
        with self.pause():
            yield
        reached, inside, calls = set(self._variables), [], self._outer
        for call in self.calls:
            depends = not reached.isdisjoint(slots(call.args))
            if reached.issuperset(slots(call.args)):
                call = _quicker(call)
            reached.update(slots(call.results) if depends else ())
            (inside if depends else calls).append(call)
        self.calls, self._outer = calls, None
        self.refused |= value not in reached or not all(isinstance(call, Operator) for call in inside)
        results = [value, *[self._new(x.handle.value) for x in gradients]]
        calls.append(Region(inside, [self._sources, self._variables], {}, results))

    # ------------------------------------------------------------ in place of functions of MXNet's library

    def _invoke(self, call, creator, count, inputs, given, outputs, size, keys, values, types):
        self.refused |= given._obj.value > 0  # it writes into a tensor that is there
        status = call(creator, count, inputs, given, outputs, size, keys, values, types)
        made = [outputs._obj[i] for i in range(given._obj.value)]
        inputs = inputs[: count.value]
        atom = _Atom(creator.value, tuple(keys), tuple(values), _without_broadcasting(creator.value, inputs))
        self._note(atom, inputs, made)
        return status

    def _slice(self, call, x, start, stop, made):
        status = call(x, start, stop, made)
        self._view(x, made, lambda symbol: mx.sym.slice(symbol, begin=(start.value,), end=(stop.value,)))
        return status

    def _at(self, call, x, index, made):
        i, status = index.value, call(x, index, made)
        shape = _held(made._obj.value).shape
        self._view(x, made, lambda symbol: _shaped(mx.sym.slice(symbol, begin=(i,), end=(i + 1,)), shape))
        return status

    def _reshape(self, call, x, rank, shape, reverse, made):
        status = call(x, rank, shape, reverse, made)
        whole = _held(made._obj.value).shape
        self._view(x, made, lambda symbol: _shaped(symbol, whole))
        return status

    def _detach(self, call, x, made):
        status = call(x, made)
        if self._outer is None:
            self._slots[made._obj.value] = self._slot(x.value)
        else:
            self._view(x, made, mx.sym.BlockGrad)
        return status

    def _copy(self, call, x, made):
        status = call(x, made)
        self._slots[made._obj.value] = self._slot(x.value)
        return status

    def _view(self, x, made, function):
        self._note(lambda name, symbols, count: [function(*symbols)], [x.value], [made._obj.value])

    def _free(self, call, x):
        self._slots.pop(x.value, None)
        return call(x)

    def _fill(self, call, x, *data):
        self.refused |= x.value in self._slots
        return call(x, *data)

    def _compute(self, call, callee, *args):
        """Functions that are no operators: of these only `zeros` gives a constant."""
        self.refused |= callee.value == mx.nd.numpy._api_internal.tensordot.handle.value
        return call(callee, *args)

    def _gradient(self, call, x, made):
        """Asked for to see whether there is one; its numbers are none of a pure function's business."""
        status = call(x, made)
        if made._obj.value is not None:
            self._slots[made._obj.value] = _FOREIGN
        return status

    def _refuse(self, call, *args):
        """Python sees numbers, or computes where no operator tells."""
        self.refused = True
        return call(*args)


_FOREIGN = Slot(-1)

_WATCHED = {
    "MXImperativeInvokeEx": Recorder._invoke,
    "MXNDArraySlice": Recorder._slice,
    "MXNDArrayAt": Recorder._at,
    "MXNDArrayReshape64": Recorder._reshape,
    "MXNDArrayDetach": Recorder._detach,
    "MXShallowCopyNDArray": Recorder._copy,
    "MXNDArrayFree": Recorder._free,
    "MXNDArraySyncCopyFromCPU": Recorder._fill,
    "MXNetFuncCall": Recorder._compute,
    "MXNDArrayGetGrad": Recorder._gradient,
    "MXNDArraySyncCopyToCPU": Recorder._refuse,
    "MXNDArrayToDLPack": Recorder._refuse,
    "MXNDArraySaveRawBytes": Recorder._refuse,
    "MXNDArraySetGradState": Recorder._refuse,
    "MXCustomFunctionRecord": Recorder._refuse,
    "MXInvokeCachedOpEx": Recorder._refuse,
    "MXAutogradBackwardEx": Recorder._refuse,
}
_FUNCTIONS = {name: getattr(_LIBRARY, name) for name in _WATCHED}


def _held(handle):
    """A tensor of its own with the memory of a handle."""
    kept = mx.base.NDArrayHandle()
    _check(_FUNCTIONS["MXShallowCopyNDArray"](ctypes.c_void_p(handle), ctypes.byref(kept)))
    return np.ndarray(handle=kept)


@contextlib.contextmanager
def watching(active):
    """Show a recorder what this thread calls on MXNet's library inside the block; false if another one is watching."""
    global _ACTIVE

    def watched(note, function):
        def call(*args):
            here = active.thread == threading.get_ident()
            return note(active, function, *args) if here and not active.paused else function(*args)

        return call

    if not _LOCK.acquire(blocking=False):
        yield False
        return
    _ACTIVE = active
    for name, function in _FUNCTIONS.items():
        setattr(_LIBRARY, name, watched(_WATCHED[name], function))
    try:
        yield True
    finally:
        _ACTIVE = None
        for name, function in _FUNCTIONS.items():
            setattr(_LIBRARY, name, function)
        _LOCK.release()


def _without_broadcasting(creator, inputs):
    """The operator that does the same for tensors of one shape, if there is one and they are."""
    if creator not in _elementwise():
        return None
    first, second = map(_held, inputs)
    alike = first.shape == second.shape and first.dtype == second.dtype
    return _elementwise()[creator] if alike else None


def _quicker(call):
    """A call of which all arguments have gradients, which the quicker operator does not copy.

    Where one has none, MXNet gives the memory of the others' away too early (test_mxnet_upstream.py).
    """
    function = call.function
    known = isinstance(function, _Atom) and function.quicker is not None
    return call._replace(function=function._replace(creator=function.quicker)) if known else call


@functools.cache
def _elementwise():
    def creator(name):
        handle = ctypes.c_void_p()
        _check(_LIBRARY.NNGetOpHandle(name, ctypes.byref(handle)))
        return handle.value

    names = (b"_npi_add", b"elemwise_add"), (b"_npi_subtract", b"elemwise_sub"), (b"_npi_multiply", b"elemwise_mul")
    return {creator(name): creator(quicker) for name, quicker in names}


class _Atom(NamedTuple):
    """An operator with its settings: ``atom(name, symbols, count)`` makes a node with so many results.

    `quicker` may stand for it between tensors that all have gradients.
    """

    creator: int
    keys: tuple[bytes, ...]
    values: tuple[bytes, ...]
    quicker: int | None

    def __call__(self, name, symbols, count):
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
        return [node[i] for i in range(count)]


@functools.cache
def _counter(creator):
    """The setting that tells an operator how many tensors it gets, if it takes any number."""
    text, texts, size = ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_uint()
    told = [text(), text(), size, texts(), texts(), texts(), text(), text()]
    _check(_LIBRARY.MXSymbolGetAtomicSymbolInfo(ctypes.c_void_p(creator), *map(ctypes.byref, told)))
    return told[6].value


def _shaped(symbol, shape):
    return mx.sym.np.reshape(symbol.as_np_ndarray(), shape).as_nd_ndarray()
