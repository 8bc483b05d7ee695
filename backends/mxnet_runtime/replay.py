"""Compiled steps: recorded at the first call, then run as graphs (`CachedOp`), one after the other.

A graph holds the operators between two passes of gradients; a forward pass is a graph of its own, since MXNet
differentiates a graph as a whole.
"""

from d2l_core import tree
from d2l_core._straight import Call, Slot, needed, renamed, slots, straight, when_called

from .operators import Atom, operator_called
from .recording import Operator, Recorder, RefusedError, Region, mx, np, watching

_STATIC, _STATELESS = (("static_alloc", True), ("static_shape", True)), (("static_alloc", True),)
"""How MXNet runs a graph. Where shapes are static it keeps the whole state of its operators from call to call, such as
the weights of a convolution in an order of their own: 120 MB of ResNet-18, which is no quicker for it. LeNet takes 13
ms a step for 14, a recurrent layer 43 for 73."""

_SMALL = 2**20  # elements of the inputs of a graph: what is kept of so many is little

CANNOT_REPEAT = (mx.MXNetError, IndexError, ValueError)
"""What a graph raises where plain code goes another way, or fails with words of its own."""


def recorded(f, trees, leaves):
    """The result of a call of f, and a function of the leaves that repeats it; None if it must not be repeated."""
    if len({id(x) for x in leaves}) < len(leaves):
        leaves = [x.detach() for x in leaves]
    try:
        active = Recorder(leaves)
        with watching(active) as alone:
            result = f(*tree.unflatten(trees, leaves))
            if not alone:
                return result, None
            outputs = active.noted(result)
            if active.blanks:
                result = None
                active.spoil()
    except RefusedError:
        return f(*trees), None
    function = when_called(lambda: _function(active, outputs))
    if active.blanks:
        try:
            result = function(*leaves)
        except CANNOT_REPEAT:
            return f(*trees), None
    return result, lambda values: function(*values)


def _function(active, outputs):
    calls, used = [], set(slots(outputs))
    for part in reversed(_parts(active.calls, active.small)):
        call = _call(part, used)
        if not used.isdisjoint(slots(call.results)):
            calls.append(call)
            used.update(slots(call.args))
    gradients = {slot for call in active.calls if isinstance(call, Region) for slot in call.results[1:]}
    copies = {slot: active.spare() for slot in slots(outputs) if slot in gradients}  # the next replay writes into them
    copying = [Call(np.ndarray.copy, [slot], {}, copy) for slot, copy in copies.items()]
    return straight([*reversed(calls), *copying], len(active.inputs), active.constants, renamed(outputs, copies))


def _parts(calls, small):
    """The calls in order, with lists of operators between the others.

    Each list is a call of its own, so what is small goes to the first one that has all it needs.
    """
    parts, made = [], {}
    for call in calls:
        place = len(parts)
        if isinstance(call, Operator):
            needs = max((made.get(slot, 0) for slot in slots(call.args)), default=0)
            first = needs if small.issuperset(call.results) else max(needs, len(parts) - 1)
            place = next((i for i in range(first, len(parts)) if isinstance(parts[i], list)), place)
        if place == len(parts):
            parts.append([] if isinstance(call, Operator) else call)
        if isinstance(call, Operator):
            parts[place].append(call)
        inside = call.function if isinstance(call, Region) else []
        made.update(dict.fromkeys(slots([call.results, *[one.results for one in inside]]), place))
    return parts


def _call(part, used):
    """A part as one call that gives what is used of it later."""
    if isinstance(part, Region):
        return _forward_and_backward(part, used)
    if isinstance(part, Call):
        return part
    outputs = [slot for slot in slots([call.results for call in part]) if slot in used]
    if not outputs:
        return part[0]._replace(results=[])
    function, args = _graph(part, outputs)
    return Call(_training(function) if any(map(_is_training, part)) else function, args, {}, outputs)


def _is_training(call):
    return isinstance(call.function, Atom) and call.function.training


def _training(function):
    """The function in the mode of training, for what moved out of a forward pass."""

    def run(*values):
        with mx.autograd.train_mode():
            return function(*values)

    return run


def _graph(calls, outputs):
    """A function that gives `outputs`, and the slots of its arguments."""
    symbols = {}
    for i, call in enumerate(needed(calls, outputs)):
        for slot in call.args:
            symbols.setdefault(slot, mx.sym.var(f"s{slot}"))
        made = call.function(b"n%d" % i, [symbols[slot] for slot in call.args], len(call.results))
        symbols.update(zip(call.results, made, strict=True))
    group = mx.sym.Group([symbols[slot] for slot in outputs])
    if not group.list_inputs():  # always the same, and a CachedOp must have something to differentiate by
        numbers = _operator(mx.sym.Group([group, mx.sym.var("unused") + 0.0]), False)(np.zeros(1))[:-1]
        return lambda: numbers, []
    run = _operator(group, any(map(_is_recurrent, calls)))
    function = run if len(outputs) > 1 else lambda *values: [run(*values)]
    return function, [Slot(name[1:]) for name in group.list_inputs()]


def _is_recurrent(call):
    return isinstance(call.function, Atom) and call.function.creator == operator_called(b"RNN")


def _operator(group, recurrent):
    """The graph as a function, made when it is called first."""
    made = []

    def run(*values):
        if not made:
            static = recurrent or sum(x.size for x in values) <= _SMALL
            made.append(mx.nd.CachedOp(group, _STATIC if static else _STATELESS))
            made[0].is_np_sym = True
        return made[0](*values)

    return run


def _forward_and_backward(region, used):
    value, *gradients = region.results
    sources, variables = region.args
    others = [slot for slot in slots([call.results for call in region.function]) if slot in used and slot != value]
    run, inputs = _graph(region.function, [value, *others])
    places = [variables.index(slot) if slot in variables else None for slot in inputs]
    rest, count, memory = [slot for slot in inputs if slot not in variables], len(sources), []

    def differentiated(*values):
        if not memory:
            memory.extend(np.zeros(x.shape, x.dtype) for x in values[:count])
        marked, further = [x.detach() for x in values[:count]], iter(values[count:])
        mx.autograd.mark_variables(marked, memory)
        with mx.autograd.record():
            results = run(*[next(further) if i is None else marked[i] for i in places])
        results[0].backward()
        return [x.detach() for x in results] + memory

    return Call(differentiated, [*sources, *rest], {}, [value, *others, *gradients])
