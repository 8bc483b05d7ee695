"""What a compiled step does, as a list of PyTorch's operators, written down below autograd while it runs."""

import weakref
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

LONGEST = 20_000
"""Operators of a recording; a longer step is refused."""

_RECORDER = ContextVar("d2l_torch_recorder", default=None)
_ON_HOST = {getattr(torch.Tensor, name) for name in ("numpy", "tolist", "__array__", "__dlpack__", "data_ptr")}
_BY_VALUE = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class Slot(int):
    """The number of a tensor of a recording."""


def branches(f, branch):
    """`branch` with f applied to what it holds; itself if it is a leaf."""
    if isinstance(branch, dict):
        return {key: f(x) for key, x in branch.items()}
    if not isinstance(branch, list | tuple):
        return branch
    held = map(f, branch)
    return type(branch)(*held) if hasattr(branch, "_fields") else type(branch)(held)


@dataclass(frozen=True)
class Layout:
    """What two tensors of one memory must have in common to be the same, and whether there is more in the memory."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype
    offset: int
    bytes: int

    @property
    def whole(self):
        """Whether the tensor is all that its memory holds."""
        return self.bytes == self.dtype.itemsize * self.shape.numel()


@dataclass
class Call:
    """An operator with its arguments and results, slots standing for tensors."""

    operator: object
    args: list
    options: dict
    results: object


@dataclass
class Tape:
    """The operators in order; for each slot the first one with the same memory, and its layout; tensors from outside."""

    calls: list = field(default_factory=list)
    groups: list = field(default_factory=list)
    layouts: list = field(default_factory=list)
    constants: dict = field(default_factory=dict)
    refused: bool = False


class Recorder(TorchDispatchMode):
    """Writes the tape of what runs inside the block, the first slots being those of `inputs`."""

    def __init__(self, inputs):
        super().__init__()
        self.tape, self.paused, self._known, self._inputs = Tape(), False, {}, inputs
        for x in inputs:
            self._new(x, None)

    def __enter__(self):
        self._token = _RECORDER.set(self)
        self._watch = _Watch(self.tape)
        self._watch.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._watch.__exit__(*error)
        _RECORDER.reset(self._token)

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        results = operator(*args, **kwargs)
        if not self.paused:
            self.note(operator, args, kwargs, results)
        return results

    def note(self, operator, args, options, results):
        """Write down a call that was made."""
        tape = self.tape
        if len(tape.calls) == LONGEST or not _BY_VALUE.isdisjoint(getattr(operator, "tags", ())):
            tape.refused = True
        if not tape.refused:
            memory = {}
            noted = self.noted(args, memory), self.noted(options, memory)
            tape.calls.append(Call(operator, *noted, self.noted(results, memory, self._new)))

    def noted(self, branch, memory=None, otherwise=None):
        """A tree with slots in place of tensors."""
        if isinstance(branch, torch.Tensor):
            kept, slot = self._known.get(id(branch), (None, None))
            if kept is None or kept() is not branch:
                slot = (otherwise or self._constant)(branch, memory)
            elif memory is not None:
                memory[branch.untyped_storage()._cdata] = slot
            return slot
        return branches(lambda x: self.noted(x, memory, otherwise), branch)

    def _new(self, x, memory):
        tape, storage = self.tape, x.untyped_storage()
        slot = Slot(len(tape.groups))
        tape.groups.append(tape.groups[memory[storage._cdata]] if memory and storage._cdata in memory else slot)
        tape.layouts.append(Layout(x.shape, x.stride(), x.dtype, x.storage_offset(), storage.nbytes()))
        self._known[id(x)] = weakref.ref(x), slot
        return slot

    def _constant(self, x, memory):
        slot = self._new(x, None)
        self.tape.constants[slot] = x
        if memory is not None:
            memory[x.untyped_storage()._cdata] = slot
        return slot


class _Watch(TorchFunctionMode):
    """Refuses the tape when Python reads a tensor's numbers, which no operator tells."""

    def __init__(self, tape):
        super().__init__()
        self._tape = tape

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in _ON_HOST:
            self._tape.refused = True
        return function(*args, **(kwargs or {}))


def on_host(f, *args):
    """``f(*args)``, which may read tensors in Python: one operator of a recording."""
    recorder = _RECORDER.get()
    if recorder is None or recorder.paused:
        return f(*args)
    refused, recorder.paused = recorder.tape.refused, True
    try:
        result = f(*args)
    finally:
        recorder.paused, recorder.tape.refused = False, refused
    recorder.note(f, args, {}, result)
    return result


def recording():
    """Whether a step is being recorded."""
    return _RECORDER.get() is not None
