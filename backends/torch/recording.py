"""What a step does, as a list of PyTorch's operators, written down below autograd while it runs."""

import functools
import weakref

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from d2l_core._straight import Call, Slot, branches, slots

LONGEST = 20_000  # operators of a recording
SMALL = 2**16  # bytes of what is kept to be computed once

_ON_HOST = {getattr(torch.Tensor, name) for name in ("numpy", "tolist", "__array__", "__dlpack__", "data_ptr")}
_BY_VALUE = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
_LIKE = {"ones_like", "zeros_like", "full_like", "new_zeros", "new_ones", "new_full"}


class Recorder(TorchDispatchMode):
    """Writes down the calls inside the block; the first slots are those of `inputs`.

    For each slot there is a group, the first slot that has the same memory, and a layout, which tells the tensors in one
    memory apart. `fixed` has tensors of outside, and what is computed from nothing else; `changed` groups that are
    written into. A recording is refused that is too long, or whose course may depend on values.
    """

    def __init__(self, inputs):
        super().__init__()
        self.calls, self.groups, self.layouts, self.fixed, self.changed = [], [], [], {}, set()
        self.refused, self._paused, self._known, self._watch = False, False, {}, _Watch(self)
        self._inputs, self.outside = inputs, self.noted(inputs, {}, self._new)

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        results = operator(*args, **(kwargs or {}))
        if not self._paused:
            self._note(operator, args, kwargs or {}, results)
        return results

    def _note(self, operator, args, options, results):
        tags, memory = getattr(operator, "tags", ()), {}
        self.refused |= len(self.calls) == LONGEST or not _BY_VALUE.isdisjoint(tags)
        if self.refused:
            return
        args, options = self.noted((args, options), memory, self._constant)
        made = self.noted(results, memory, self._new)
        written = {self.groups[s] for s in slots(_written(operator, args, options))}
        self.changed |= written
        self.refused |= not written.isdisjoint(self.outside)
        for s in [s for s in self.fixed if self.groups[s] in written]:
            del self.fixed[s]
        random = torch.Tag.nondeterministic_seeded in tags
        self.calls.append(Call(operator, args, options, made, bool(written or random)))
        fixed = name(operator) in _LIKE or all(s in self.fixed for s in slots((args, options)))
        if isinstance(made, Slot) and fixed and not random and self.layouts[made][-1] <= SMALL:
            self.fixed[made] = results

    def noted(self, branch, memory, unknown):
        """A tree with slots in place of tensors; `memory` collects the groups of their memories."""
        if not isinstance(branch, torch.Tensor):
            return branches(lambda x: self.noted(x, memory, unknown), branch)
        kept, slot = self._known.get(id(branch), (None, None))
        if kept is None or kept() is not branch:
            slot = unknown(branch, memory)
        memory[branch.untyped_storage()._cdata] = self.groups[slot]
        return slot

    def _new(self, x, memory):
        slot, storage = Slot(len(self.groups)), x.untyped_storage()
        self.groups.append(memory.get(storage._cdata, slot))
        self.layouts.append((x.shape, x.stride(), x.dtype, x.storage_offset(), storage.nbytes()))
        self._known[id(x)] = weakref.ref(x), slot
        return slot

    def _constant(self, x, memory):
        slot = self._new(x, {})
        self.fixed[slot] = x
        self.outside.append(slot)
        return slot

    def finished(self, results):
        """The slots of the results; the tensors of the recording are let go."""
        results = self.noted(results, {}, self._constant)
        self._inputs = self._known = None
        return results


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
    return [(i, x.name) for i, x in enumerate(arguments) if x.alias_info is not None and x.alias_info.is_write]


class _Watch(TorchFunctionMode):
    """Refuses a recording when Python reads numbers, which no operator tells."""

    def __init__(self, recorder):
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self._recorder.refused |= function in _ON_HOST
        return function(*args, **(kwargs or {}))


def recorder():
    """The recorder of the running code, if there is one."""
    mode = _get_current_dispatch_mode()
    return mode if isinstance(mode, Recorder) else None


def on_host(f, *args):
    """``f(*args)``, which may read tensors in Python: one operator of a recording."""
    active = recorder()
    if active is None or active._paused:
        return f(*args)
    active._paused = True
    try:
        result = f(*args)
    finally:
        active._paused = False
    active._note(f, args, {}, result)
    return result
