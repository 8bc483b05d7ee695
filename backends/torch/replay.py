"""Compiled steps: recorded at the first call, then replayed as one straight function, to the same bits.

A replay has no modules, no autograd and no look-ups, and elementwise operators write into what has just died.
"""

import functools

import torch

from d2l_core import tree
from d2l_core._straight import Slot, slots, when_called
from d2l_core.backend import current
from d2l_core.errors import BackendError

from .recording import Recorder, Watch, name

_QUICK = {
    "add", "addmm", "bmm", "cat", "div", "exp", "expand", "log", "mean", "mm", "mul", "neg", "permute", "relu", "rsqrt",
    "select", "sigmoid", "sqrt", "squeeze", "stack", "sub", "sum", "t", "tanh", "transpose", "unsqueeze", "view",
}  # fmt: skip
"""Operators whose Python function takes their arguments as they are, and sooner than the operator itself."""


def recorded(f, trees, leaves):
    """The result of a call of f, and its `Recording`; None in place of that if it must not be repeated."""
    distinct = len({id(x) for x in leaves}) == len(leaves)
    recorder = Recorder(leaves if distinct else [x.detach() for x in leaves])
    with recorder, Watch() as watch:
        result = f(*tree.unflatten(trees, recorder.inputs))
    refused = recorder.refused or watch.read
    if refused or any(isinstance(x, torch.Tensor) and x.requires_grad for x in tree.leaves(result)):
        return result, None
    outputs = recorder.noted(result, {}, recorder.constant)
    return result, Recording(recorder.tape, outputs, len(leaves), len(tree.leaves(trees[0])))


class Recording:
    """What a call of ``f(state, ...)`` did.

    With a compiler, its own functions stand for ours.

    Attributes:
        again: repeats it with other leaves of its arguments.
        onwards: the same if the state is what the last call returned second, and like that one; else None.
        copies: whether `onwards` writes into the state, so that the first one has to be a copy.
        compiler: its name, or None.
        scope: makes the context in which the functions run: without a tape, which also makes operators quicker.
    """

    def __init__(self, tape, outputs, count, given):
        self._parts, self.compiler = (tape, outputs, count), current().compiler
        self.scope = torch.no_grad if self.compiler else torch._C._AutoDispatchBelowAutograd
        self.again, self.onwards, self.copies = self._function(0), None, False
        if isinstance(outputs, tuple) and len(outputs) == 2:
            before, after = ([tape.layouts[s] for s in some] for some in (tape.outside[:given], slots(outputs[1])))
            states = set(tape.outside[:given]) if all(map(_whole, before)) and tape.owned(given, *outputs) else ()
            self.copies = not self.compiler and any(
                name(call.function) == "clone" and call.args[0] in states for call in tape.calls
            )
            self.onwards = (self._function(given) if self.copies else self.again) if before == after else None

    def _function(self, given):
        tape, outputs, count = self._parts
        if self.compiler:
            return _handed_over(tape.function(count, outputs, _plain), self.compiler)
        return when_called(lambda: tape.function(count, outputs, lambda call, dies: _fit(call, tape, dies), given))


def _handed_over(function, compiler):
    run = torch.compile(function, backend=compiler, dynamic=False)

    def call(*values):
        try:
            return run(*values)
        except torch._dynamo.exc.TorchDynamoException as error:
            first = str(error).strip().partition("\n")[0]
            raise BackendError(f"PyTorch's compiler {compiler!r} fails: {first}") from error

    return call


def _plain(call, dies):
    """The call as it was; what reads tensors in Python stays outside of what is compiled."""
    seen = hasattr(call.function, "_schema")
    return call if seen else call._replace(function=torch.compiler.disable(call.function))


def _fit(call, tape, dies):
    """The call in its best form."""
    operator, args, options = call[:3]
    slot = _reusable(call, tape, dies)
    if slot is not None and name(operator) == "clone":
        return call._replace(function=_itself, args=[slot], options={})
    packet = getattr(torch.ops.aten, name(operator) + "_", None)
    if slot is not None and slot == args[0] and hasattr(packet, operator._overloadname):
        operator = getattr(packet, operator._overloadname)  # it writes into its first argument
    elif slot is not None and (found := _out(operator)):
        operator, options = found[0], {**options, found[1]: slot}
    if name(operator).rstrip("_") in ("add", "sub", "mul", "div") and isinstance(args[0], Slot):
        dtype = tape.layouts[args[0]][2]
        if dtype in (torch.float32, torch.float64):  # a number becomes what PyTorch would make of it at each call
            args = [torch.tensor(x, dtype=dtype) if type(x) is float else x for x in args]
    return call._replace(function=_quick(operator), args=args, options=options)


def _whole(layout):
    """Whether a tensor has all of its memory."""
    return layout[-1] == layout[0].numel() * layout[2].itemsize


def _itself(x):
    return x


def _reusable(call, tape, dies):
    """A dying argument, all of its memory, into which an elementwise operator may write its result."""
    elementwise = torch.Tag.pointwise in getattr(call.function, "tags", ()) or name(call.function) == "clone"
    if not elementwise or not isinstance(call.results, Slot):
        return None
    layout, read = tape.layouts[call.results], list(slots((call.args, call.options)))
    for s in read if _whole(layout) else ():
        alone = all(other == s for other in read if tape.groups[other] == tape.groups[s])
        if tape.layouts[s] == layout and alone and dies(s):
            return s
    return None


def _quick(operator):
    key = name(operator)
    if key.rstrip("_") in _QUICK:
        return getattr(torch if hasattr(torch, key) and key[-1] != "_" else torch.Tensor, key)
    return getattr(operator, "_op", operator)


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
