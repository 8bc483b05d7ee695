"""Compiled steps: recorded at the first call, then replayed as one straight function, to the same bits.

A replay has no modules, no autograd and no look-ups. Constants are not computed again, views of one memory are one
tensor, small results that repeat are computed once, and elementwise operators write into what has just died.
"""

import functools

import torch

from d2l_core import tree
from d2l_core._straight import Call, Slot, last_uses, needed, renamed, slots, straight

from .recording import SMALL, Recorder, name

_QUICK = frozenset(
    "add addmm bmm cat div exp expand log mean mm mul neg permute relu rsqrt select sigmoid sqrt squeeze stack sub sum t"
    " tanh transpose unsqueeze view".split()
)  # their Python functions take the arguments as they are, and sooner than the operators do
_SCALED = {"add", "sub", "mul", "div"}


def recorded(f, trees, leaves):
    """The result of a call of f, and a function of the leaves that repeats it; f itself if it must not be repeated."""
    distinct = len({id(x) for x in leaves}) == len(leaves)
    inputs = leaves if distinct else [x.detach() for x in leaves]
    with Recorder(inputs) as recorder, recorder._watch:
        result = f(*tree.unflatten(trees, inputs))
    if recorder.refused or any(isinstance(x, torch.Tensor) and x.requires_grad for x in tree.leaves(result)):
        return result, None
    return result, Replay(recorder, recorder.finished(result), len(leaves))


class Replay:
    """Written when it is first called, so that a step taken once costs its recording only."""

    def __init__(self, *recording):
        self._recording, self._function = recording, None

    def __call__(self, leaves):
        if self._function is None:
            self._function, self._recording = _function(*self._recording), None
        with torch._C._AutoDispatchBelowAutograd():
            return self._function(*leaves)


def _function(tape, outputs, count):
    escaping = {tape.groups[s] for s in slots(outputs)}
    calls, names = _distinct(tape, tape.changed | escaping)
    outputs = renamed(outputs, names)
    calls = needed(calls, outputs)
    constants = {s: x for s, x in tape.fixed.items() if s not in {*slots([call.results for call in calls])}}
    last = dict.fromkeys({*escaping, *range(count), *(tape.groups[s] for s in constants)}, len(calls))
    for slot, position in last_uses(calls).items():
        last[tape.groups[slot]] = max(position, last.get(tape.groups[slot], 0))
    calls = [_made(call, tape, lambda s, i=i: last[tape.groups[s]] == i) for i, call in enumerate(calls)]
    return straight(calls, count, constants, outputs)


def _distinct(tape, touched):
    """The calls whose results are not there already, and the slots in place of the others."""
    names, calls = {}, []
    seen = {(tape.groups[s], tape.layouts[s]): s for s in reversed(tape.outside)}
    for call in tape.calls:
        call = Call(*renamed(tuple(call), names))
        results = list(slots(call.results))
        views = [(tape.groups[s], tape.layouts[s]) for s in results]
        if len(results) == 1 and not call.writes:
            slot, keys = results[0], views
            if tape.layouts[slot][-1] <= SMALL and tape.groups[slot] not in touched:
                if tape.changed.isdisjoint(tape.groups[s] for s in slots((call.args, call.options))):
                    keys = [*views, repr(call[:3])]
                if slot in tape.fixed:
                    continue
            if found := [seen[key] for key in keys if key in seen]:
                names[slot] = found[0]
                continue
            seen |= dict.fromkeys(keys, slot)
        else:
            seen = dict(zip(views, results, strict=True)) | seen
        calls.append(call)
    return calls, names


def _made(call, tape, dies):
    """A call as it is best made."""
    operator, args, options = call[:3]
    slot = _reusable(call, tape, dies)
    if slot is not None and slot == args[0] and (found := _inplace(operator)):
        operator = found
    elif slot is not None and (found := _out(operator)):
        operator, options = found[0], {**options, found[1]: slot}
    if name(operator).rstrip("_") in _SCALED and tape.layouts[args[0]][2] in (torch.float32, torch.float64):
        # A number becomes the tensor that PyTorch would make of it at each call.
        args = [torch.tensor(x, dtype=tape.layouts[args[0]][2]) if type(x) is float else x for x in args]
    return call._replace(function=_quick(operator), args=args, options=options)


def _reusable(call, tape, dies):
    """An argument whose memory an elementwise operator may write its result into: all of that memory, and its last use."""
    if torch.Tag.pointwise not in getattr(call.function, "tags", ()) or not isinstance(call.results, Slot):
        return None
    layout, read = tape.layouts[call.results], list(slots((call.args, call.options)))
    for s in read if layout[-1] == layout[0].numel() * layout[2].itemsize else ():
        alone = all(other == s for other in read if tape.groups[other] == tape.groups[s])
        if tape.layouts[s] == layout and alone and dies(s):
            return s
    return None


def _quick(operator):
    key = name(operator)
    if key.rstrip("_") in _QUICK:
        return getattr(torch if hasattr(torch, key) and key[-1] != "_" else torch.Tensor, key)
    return getattr(operator, "_op", operator)


def _inplace(operator):
    """The operator that writes into its first argument."""
    return getattr(getattr(torch.ops.aten, name(operator) + "_", None), operator._overloadname, None)


@functools.cache
def _out(operator):
    """The operator that writes into a given tensor, and the name of that argument."""
    wanted = [(x.name, str(x.type)) for x in operator._schema.arguments]
    for overload in operator.overloadpacket.overloads():
        found = getattr(operator.overloadpacket, overload)
        *others, last = found._schema.arguments
        if last.is_out and [(x.name, str(x.type)) for x in others] == wanted:
            return found, last.name
    return None
