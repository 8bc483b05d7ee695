"""What a step does, as a list of PyTorch's operators, written down below autograd while it runs."""

import functools
import weakref

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from d2l_core._straight import Call, Slot, branches, slots
from d2l_core._tape import Tape

LONGEST = 20_000  # operators of a recording
SMALL = 2**16  # bytes of what is kept to be computed once

_ON_HOST = {getattr(torch.Tensor, name) for name in ("numpy", "tolist", "__array__", "__dlpack__", "data_ptr")}
_BY_VALUE = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
_LIKE = {"ones_like", "zeros_like", "full_like", "new_zeros", "new_ones", "new_full"}


class Recorder(TorchDispatchMode):
    """Fills a tape; `refused` if it is too long, its course may depend on values, or it changes tensors of outside."""

    def __init__(self, inputs):
        super().__init__()
        self.tape, self.inputs, self._known = Tape(), inputs, {}
        self.refused = self.paused = False
        self.tape.outside += self.noted(inputs, {}, self._new)

    @classmethod
    def _should_skip_dynamo(cls):
        return False  # else the first operator imports PyTorch's compiler, which takes longer than PyTorch

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        results = operator(*args, **(kwargs or {}))
        if not self.paused:
            self.note(operator, args, kwargs or {}, results)
        return results

    def note(self, operator, args, options, results):
        """Write down a call that was made."""
        tape, tags, memory = self.tape, getattr(operator, "tags", ()), {}
        self.refused |= len(tape.calls) == LONGEST or not _BY_VALUE.isdisjoint(tags)
        if self.refused:
            return
        args, options = self.noted((args, options), memory, self.constant)
        made = self.noted(results, memory, self._new)
        written = tape.groups_of(_written(operator, args, options))
        self.refused = bool(written) and not tape.write(written)
        random = torch.Tag.nondeterministic_seeded in tags
        tape.calls.append(Call(operator, args, options, made, bool(written or random)))
        if isinstance(made, Slot) and tape.layouts[made][-1] <= SMALL and not written:
            tape.small.add(made)
            if not random and (name(operator) in _LIKE or all(s in tape.fixed for s in slots((args, options)))):
                tape.fixed[made] = results

    def noted(self, branch, memory, unknown):
        """A tree with slots in place of tensors; `memory` collects the groups of their memories."""
        if not isinstance(branch, torch.Tensor):
            return branches(lambda x: self.noted(x, memory, unknown), branch)
        kept, slot = self._known.get(id(branch), (None, None))
        if kept is None or kept() is not branch:
            slot = unknown(branch, memory)
        memory[branch.untyped_storage()._cdata] = self.tape.groups[slot]
        return slot

    def _new(self, x, memory):
        slot, storage = Slot(len(self.tape.groups)), x.untyped_storage()
        self.tape.groups.append(memory.get(storage._cdata, slot))
        self.tape.layouts.append((x.shape, x.stride(), x.dtype, x.storage_offset(), storage.nbytes()))
        self._known[id(x)] = weakref.ref(x), slot
        return slot

    def constant(self, x, memory):
        """The slot of a tensor of outside."""
        slot = self._new(x, {})
        self.tape.fixed[slot] = x
        self.tape.outside.append(slot)
        return slot


def name(operator):
    """Its name without the overload."""
    return getattr(operator, "overloadpacket", operator).__name__


def _written(operator, args, options):
    """The arguments that an operator writes into; batch normalisation does not say so in its schema."""
    if name(operator).endswith("_batch_norm") and args[5]:
        return args[3:5]
    return [args[i] if i < len(args) else options.get(key) for i, key in _targets(operator)]


@functools.cache
def _targets(operator):
    arguments = operator._schema.arguments if hasattr(operator, "_schema") else ()
    written = [(i, x.name) for i, x in enumerate(arguments) if x.alias_info is not None and x.alias_info.is_write]
    return [(i, key) for i, key in written if key != "grads"]  # fused optimisers change them only if told to scale


class Watch(TorchFunctionMode):
    """Notes whether Python reads numbers inside the block, which no operator tells."""

    read = False

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.read |= function in _ON_HOST
        return function(*args, **(kwargs or {}))


def recorder():
    """The recorder of the running code, if there is one."""
    mode = _get_current_dispatch_mode()
    return mode if isinstance(mode, Recorder) else None


def on_host(f, *args):
    """``f(*args)``, which may read tensors in Python: one operator of a recording."""
    active = recorder()
    if active is None or active.paused:
        return f(*args)
    active.paused = True
    try:
        result = f(*args)
    finally:
        active.paused = False
    active.note(f, args, {}, result)
    return result
