"""A recording as one straight Python function: no modules, no autograd, no look-ups, the same bits."""

import torch

from d2l_core import tree

from .recording import Recorder, Slot, branches

_SMALL = 2**16
"""Bytes up to which a result may outlive its last use, to be computed once instead of twice."""

_LIKE = {"ones_like", "zeros_like", "full_like", "new_zeros", "new_ones", "new_full"}
_STATISTICS = {"native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"}
"""They write into running statistics without saying so in their schema."""


def recorded(f, trees, leaves):
    """The result of a call of f, and the function of the leaves that repeats it; False if it must not be repeated."""
    distinct = list({id(x): x for x in leaves}.values())
    inputs = leaves if len(distinct) == len(leaves) else [x.detach() for x in leaves]
    with Recorder(inputs) as recorder:
        result = f(*tree.unflatten(trees, inputs))
    outputs = recorder.noted(result)
    if recorder.tape.refused or any(isinstance(x, torch.Tensor) and x.requires_grad for x in tree.leaves(result)):
        return result, False
    return result, _Replay(recorder.tape, outputs, len(leaves))


class _Replay:
    """Written at the first call, so that a step that is taken once costs no more than its recording."""

    def __init__(self, tape, outputs, count):
        self._tape, self._outputs, self._count, self._function = tape, outputs, count, None

    def __call__(self, leaves):
        if self._function is None:
            self._function = program(self._tape, self._outputs, self._count)
            self._tape = self._outputs = None
        with torch._C._AutoDispatchBelowAutograd():
            return self._function(*leaves)


def program(tape, outputs, count):
    """The function of `count` inputs that gives the tree `outputs` of slots; None if it would change a tensor of outside."""
    return _Writer(tape, outputs, count).written()


def _slots(branch):
    if isinstance(branch, Slot):
        yield branch
    elif isinstance(branch, list | tuple):
        for x in branch:
            yield from _slots(x)
    elif isinstance(branch, dict):
        yield from _slots(list(branch.values()))


class _Writer:
    def __init__(self, tape, outputs, count):
        self.groups, self.layouts, self.count = tape.groups, tape.layouts, count
        self.constants, self.alias = dict(tape.constants), {}
        self.escaping = {self.groups[s] for s in _slots(outputs)}
        self.changed = {self.groups[s] for call in tape.calls for s in _changed(call)}
        outside = {*range(count), *self.constants}
        self.pinned = self.escaping | outside
        self.possible = self.changed.isdisjoint(self.groups[s] for s in outside)
        self.calls, self.outputs = tape.calls, outputs
        self.kept, self.lines = {}, []

    def written(self):
        if not self.possible:
            return None
        calls = self._needed(list(self._distinct()))
        outputs = self._renamed(self.outputs)
        return self._assembled(calls, outputs)

    # what need not run

    def _renamed(self, branch):
        return self.alias.get(branch, branch) if isinstance(branch, Slot) else branches(self._renamed, branch)

    def _distinct(self):
        """The calls without those whose result is there already: the same view of a memory, constants, small repetitions."""
        views, made = {}, {}
        for s in (*range(self.count), *self.constants):
            views.setdefault((self.groups[s], self.layouts[s]), Slot(s))
        for call in self.calls:
            call.args, call.options = self._renamed(call.args), self._renamed(call.options)
            slot = call.results
            if not isinstance(slot, Slot) or _changed(call):
                for s in _slots(slot):
                    views.setdefault((self.groups[s], self.layouts[s]), s)
                yield call
                continue
            key = self.groups[slot], self.layouts[slot]
            small = key[1].bytes <= _SMALL and key[0] not in self.changed | self.escaping
            if key in views:
                self.alias[slot] = views[key]
            elif small and self._constant(call):
                self.constants[slot] = self._value(call)
                self.pinned.add(self.groups[slot])
                views[key] = slot
            elif small and _pure(call.operator) and (text := repr((call.operator, call.args, call.options))) in made:
                self.alias[slot] = made[text]
            else:
                if small and _pure(call.operator) and not {self.groups[s] for s in _slots(call.args)} & self.changed:
                    made[text] = slot
                views[key] = slot
                yield call

    def _constant(self, call):
        if not _pure(call.operator):
            return False
        return _name(call.operator) in _LIKE or all(s in self.constants for s in _slots([call.args, call.options]))

    def _value(self, call):
        def filled(branch):
            if isinstance(branch, Slot):
                if branch in self.constants:
                    return self.constants[branch]
                layout = self.layouts[branch]
                return torch.empty_strided(layout.shape, layout.strides, dtype=layout.dtype)
            return branches(filled, branch)

        return call.operator(*filled(call.args), **filled(call.options))

    def _needed(self, calls):
        """The calls whose results are used, or that do something else."""
        used, kept = set(_slots(self._renamed(self.outputs))), []
        for call in reversed(calls):
            if not _pure(call.operator) or _changed(call) or not used.isdisjoint(_slots(call.results)):
                kept.append(call)
                used.update(_slots([call.args, call.options]))
        return kept[::-1]

    # the function

    def _assembled(self, calls, outputs):
        last_of_slot, last_of_group = {}, {}
        for position, call in enumerate(calls):
            for s in _slots([call.args, call.options, call.results]):
                last_of_slot[s] = last_of_group[self.groups[s]] = position
        kept = set(_slots(outputs))
        for position, call in enumerate(calls):
            here = set(_slots([call.args, call.options, call.results]))
            self._write(call, {g for g in map(self.groups.__getitem__, here) if last_of_group[g] == position} - self.pinned)
            done = {s for s in here if last_of_slot[s] == position}
            dying = [f"s{s}" for s in sorted(done - kept) if s >= self.count and s not in self.constants]
            if dying:
                self.lines.append("del " + ", ".join(dying))
        inputs = ", ".join(f"s{i}" for i in range(self.count))
        body = "\n        ".join([*self.lines, f"return {self._spelled(outputs)}"])
        names = {f"s{s}": x for s, x in self.constants.items() if s in kept or s in last_of_slot} | dict(self.kept.values())
        source = f"def bind({', '.join(names)}):\n    def replay({inputs}):\n        {body}\n    return replay"
        scope = {}
        exec(source, scope)
        self.source = source
        return scope["bind"](**names)

    def _write(self, call, dying):
        function, args, options = call.operator, call.args, call.options
        slot = self._reusable(call, dying)
        if slot is not None and slot == args[0] and (found := _inplace(function)):
            function = found
        elif slot is not None and (found := _out(function)):
            function, options = found[0], {**options, found[1]: slot}
        args = [self._scalar(call, x) for x in args]
        spelled = [self._spelled(x) for x in args] + [f"{key}={self._spelled(x)}" for key, x in options.items()]
        results = f"{_targets(call.results)} = " if [*_slots(call.results)] else ""
        self.lines.append(f"{results}{self._name(_quick(function))}({', '.join(spelled)})")

    def _reusable(self, call, dying):
        """An argument whose memory an elementwise operator may write its result into."""
        slot = call.results
        if not isinstance(slot, Slot) or torch.Tag.pointwise not in getattr(call.operator, "tags", ()):
            return None
        read = list(_slots([call.args, call.options]))
        for s in read:
            group, layout = self.groups[s], self.layouts[s]
            alone = all(other == s for other in read if self.groups[other] == group)
            if group in dying and alone and layout.whole and layout == self.layouts[slot]:
                return s
        return None

    def _scalar(self, call, x):
        """A number beside a float tensor as the tensor that PyTorch would make of it at each call."""
        first = call.args[0] if call.args else None
        if type(x) is not float or not isinstance(first, Slot) or _name(call.operator) not in _SCALED:
            return x
        dtype = self.layouts[first].dtype
        return torch.tensor(x, dtype=dtype) if dtype in (torch.float32, torch.float64) else x

    def _spelled(self, branch):
        """The expression of a tree; whatever is no tensor of the tape has a name."""
        if isinstance(branch, Slot):
            return f"s{branch}"
        if isinstance(branch, list | tuple) and not [*_slots(branch)] and branch not in ([], ()):
            return self._name(branch)
        if type(branch) is list:
            return f"[{', '.join(map(self._spelled, branch))}]"
        if type(branch) is tuple:
            return f"({''.join(self._spelled(x) + ', ' for x in branch)})"
        if isinstance(branch, tuple):
            return f"{self._name(type(branch))}({', '.join(map(self._spelled, branch))})"
        if isinstance(branch, dict):
            return f"{{{', '.join(f'{self._name(key)}: {self._spelled(x)}' for key, x in branch.items())}}}"
        return "None" if branch is None else self._name(branch)

    def _name(self, x):
        """The name of a constant or a function; what is kept beside it keeps its address its own."""
        if id(x) not in self.kept:
            self.kept[id(x)] = f"c{len(self.kept)}", x
        return self.kept[id(x)][0]


def _targets(branch):
    """What the results of a call are assigned to."""
    if isinstance(branch, list | tuple):
        return f"[{', '.join(map(_targets, branch))}]"
    return f"s{branch}" if isinstance(branch, Slot) else "_"


_SCALED = {"add", "sub", "mul", "div"}
_QUICK = {
    "add", "addmm", "bmm", "cat", "div", "exp", "expand", "log", "mean", "mm", "mul", "neg", "permute", "relu", "rsqrt",
    "select", "sigmoid", "sqrt", "squeeze", "stack", "sub", "sum", "t", "tanh", "transpose", "unsqueeze", "view",
}  # fmt: skip
"""Operators whose Python function takes their arguments as they are, and sooner than the operator itself does."""


def _name(operator):
    return getattr(operator, "overloadpacket", operator).__name__


def _quick(operator):
    name = _name(operator)
    if name.rstrip("_") in _QUICK:
        return getattr(torch if hasattr(torch, name) and name[-1] != "_" else torch.Tensor, name)
    return getattr(operator, "_op", operator)


def _inplace(operator):
    """The operator that writes into its first argument."""
    packet = getattr(torch.ops.aten, _name(operator) + "_", None)
    return getattr(packet, operator._overloadname, None)


def _out(operator):
    """The operator that writes into a given tensor, and the name of that argument."""
    for name in operator.overloadpacket.overloads():
        overload = getattr(operator.overloadpacket, name)
        arguments = overload._schema.arguments
        if [_kind(x) for x in arguments[:-1]] == [_kind(x) for x in operator._schema.arguments] and arguments[-1].is_out:
            return overload, arguments[-1].name
    return None


def _kind(argument):
    return argument.name, str(argument.type)


def _pure(operator):
    """Whether the same arguments give the same results."""
    return torch.Tag.nondeterministic_seeded not in getattr(operator, "tags", ())


def _changed(call):
    """The slots that an operator writes into."""
    if not hasattr(call.operator, "_schema"):
        return []
    arguments = call.operator._schema.arguments
    given = zip(arguments, [*call.args, *(call.options.get(x.name) for x in arguments[len(call.args) :])], strict=True)
    changed = [x for argument, x in given if argument.alias_info is not None and argument.alias_info.is_write]
    if _name(call.operator) in _STATISTICS and call.args[5]:
        changed += call.args[3:5]
    return list(_slots(changed))
