"""What a step does, as a list of MXNet's operators, written down while it runs.

MXNet 1.9.1 has no hook for this, but all that it computes passes through a few functions of its library. While a step
is recorded they are replaced by ones that note what comes and goes.
"""

import contextlib
import ctypes
import math
import threading

from d2l_core._straight import Call, Slot, branches, slots

from .operators import Atom, held, mx, np, quicker, without_broadcasting

LONGEST = 20_000  # operators of a recording
_FEW = 64

_LIBRARY = mx.base._LIB
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


class RefusedError(BaseException):
    """What runs must not be repeated as it was recorded; no handler of an error in it may take this for its own."""


def refuse(when=True):
    """End the recording."""
    if when:
        raise RefusedError


class Recorder:
    """A list of calls with slots in place of tensors.

    From where gradients are asked for, nothing is computed: what depends on the variables, or on their gradients, has
    a shape and no memory. To compute it would take the time of a step, and most of the memory that a run ever holds,
    since MXNet's tape keeps the whole forward pass. `RefusedError` ends the recording where Python might see a number.

    Attributes:
        blanks: slots of what has no memory.
        small: slots of what has few elements.
    """

    def __init__(self, inputs):
        self.calls, self.constants, self.paused = [], {}, False
        self.blanks, self.small, self._never_made = set(), set(), set()
        self.thread, self._slots, self._count, self._outer = threading.get_ident(), {}, 0, None
        self.inputs = [self._new(x.handle.value) for x in inputs]

    def spare(self):
        """A slot of nothing yet."""
        self._count += 1
        return Slot(self._count - 1)

    def _new(self, handle):
        elements = math.prod(held(handle).shape)
        refuse(elements == 0)  # a graph has no memory for it and fails
        slot = self._slots[handle] = self.spare()
        if elements <= _FEW:
            self.small.add(slot)
        return slot

    def _slot(self, handle):
        """The slot of a tensor; one that nobody has noted is a constant."""
        if handle not in self._slots:
            self.constants[self._new(handle)] = held(handle)
        return self._slots[handle]

    def noted(self, branch):
        """A tree with slots in place of tensors."""
        return self._slot(branch.handle.value) if isinstance(branch, np.ndarray) else branches(self.noted, branch)

    def _note(self, function, args, results):
        refuse(len(self.calls) == LONGEST)
        args = [self._slot(x) for x in args]
        self.calls.append(Operator(function, args, {}, [self._new(x) for x in results]))
        self._spread(args, self.calls[-1].results)

    def _spread(self, args, results):
        if not self.blanks.isdisjoint(slots(args)):
            self.blanks.update(slots(results))

    def on_host(self, f, args):
        """Make a call that may look at numbers, and write it down."""
        noted = self.noted(args)
        with self.pause():
            try:
                result = f(*self._with_zeros(args))
            except Exception:  # perhaps at the zeros
                refuse(not self.blanks.isdisjoint(slots(noted)))
                raise
        several = isinstance(result, tuple)
        made = [self._new(x.handle.value) for x in result] if several else self._new(result.handle.value)
        self.calls.append(Call(f, noted, {}, made))
        self._spread(noted, made)
        return result

    def _with_zeros(self, branch):
        """A tree with zeros in place of what has no memory."""
        if not isinstance(branch, np.ndarray):
            return branches(self._with_zeros, branch)
        return np.zeros(branch.shape, branch.dtype) if self._slot(branch.handle.value) in self.blanks else branch

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
        refuse(self._outer is not None)
        self._outer, self._sources = self.calls, self.noted(inputs)
        self._variables, self.calls = [self._new(x.handle.value) for x in variables], []
        self.blanks.update(self._variables)

    def end(self, value, gradients):
        """The forward pass is over. What gradients do not depend on moves out of the region."""
        value = self.noted(value)
        reached, inside, calls = set(self._variables), [], self._outer
        for call in self.calls:
            depends = not reached.isdisjoint(slots(call.args))
            if reached.issuperset(slots(call.args)):
                call = quicker(call)
            reached.update(slots(call.results) if depends else ())
            (inside if depends else calls).append(call)
        self.calls, self._outer = calls, None
        refuse(value not in reached or not all(isinstance(call, Operator) for call in inside))
        results = [value, *[self._new(x.handle.value) for x in gradients]]
        calls.append(Region(inside, [self._sources, self._variables], {}, results))
        self.blanks.update(results)

    def spoil(self):
        """Fill with NaN what the step has left elsewhere, since that was never computed."""
        with self.pause():
            for x in [held(handle) for handle, slot in self._slots.items() if slot in self._never_made]:
                if x.dtype.kind == "f":
                    x[()] = float("nan")

    # ------------------------------------------------------------ in place of functions of MXNet's library

    def _invoke(self, call, creator, count, inputs, given, outputs, size, keys, values, types):
        refuse(given._obj.value > 0)  # it writes into a tensor that is there
        args = inputs[: count.value]
        quick = without_broadcasting(creator.value, args)
        atom = Atom(creator.value, tuple(keys), tuple(values), quick, mx.autograd.is_training())
        if self.blanks.isdisjoint(map(self._slot, args)):
            status = call(creator, count, inputs, given, outputs, size, keys, values, types)
        else:
            status = self._answer(atom.blanks(args), given, outputs, types)
        self._note(atom, args, [outputs._obj[i] for i in range(given._obj.value)])
        self._never_made |= self.blanks.intersection(self.calls[-1].results)
        return status

    def _answer(self, handles, given, outputs, types):
        """Answer as the library does when it has made some tensors; it keeps its answer until the next call too."""
        self._answered = (ctypes.c_void_p * len(handles))(*handles), (ctypes.c_int * len(handles))()
        given._obj.value = len(handles)
        outputs._obj.contents = mx.base.NDArrayHandle.from_buffer(self._answered[0])
        types._obj.contents = ctypes.c_int.from_buffer(self._answered[1])
        return 0

    def _slice(self, call, x, start, stop, made):
        status = call(x, start, stop, made)
        self._view(x, made, lambda symbol: mx.sym.slice(symbol, begin=(start.value,), end=(stop.value,)))
        return status

    def _at(self, call, x, index, made):
        i, status = index.value, call(x, index, made)
        shape = held(made._obj.value).shape
        self._view(x, made, lambda symbol: _shaped(mx.sym.slice(symbol, begin=(i,), end=(i + 1,)), shape))
        return status

    def _reshape(self, call, x, rank, shape, reverse, made):
        status = call(x, rank, shape, reverse, made)
        whole = held(made._obj.value).shape
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
        refuse(x.value in self._slots)
        return call(x, *data)

    def _compute(self, call, callee, *args):
        """Functions that are no operators: of these only `zeros` gives a constant."""
        refuse(callee.value == mx.nd.numpy._api_internal.tensordot.handle.value)
        return call(callee, *args)

    def _gradient(self, call, x, made):
        """Asked for to see whether there is one; its numbers are none of a pure function's business."""
        status = call(x, made)
        if made._obj.value is not None:
            self._slots[made._obj.value] = _FOREIGN
        return status

    def _refuse(self, call, *args):
        """Python sees numbers, or computes where no operator tells."""
        refuse()


def rehearsed(f, inputs):
    """Call ``f(inputs)`` without computing; whether it could be done."""
    active = Recorder(inputs)
    active.blanks.update(active.inputs)
    try:
        with watching(active) as alone:
            if alone:
                f(inputs)
                active.spoil()
            return alone
    except RefusedError:
        return False


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


@contextlib.contextmanager
def watching(active):
    """Show a recorder what this thread calls on MXNet's library inside the block; false if another one is watching."""
    global _ACTIVE

    def watched(note, function):
        def call(*args):
            if active.paused or active.thread != threading.get_ident():
                return function(*args)
            taped = mx.autograd.set_recording(False)  # what is written down here is not kept on MXNet's tape too
            try:
                return note(active, function, *args)
            finally:
                mx.autograd.set_recording(taped)

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


def _shaped(symbol, shape):
    return mx.sym.np.reshape(symbol.as_np_ndarray(), shape).as_nd_ndarray()
