"""A list of calls becomes one Python function: what it leaves out, what it keeps, when it lets go."""

from __future__ import annotations

import operator
import weakref
from typing import Any, ClassVar

import pytest

from d2l_core._straight import Call, Slot, branches, needed, straight, when_called
from d2l_core._tape import Tape, signature


def call(function: Any, args: Any, result: int, writes: bool = False) -> Call:
    """A call whose integers among the arguments are slots."""
    return Call(function, [Slot(x) for x in args], {}, Slot(result), writes)


def tape(calls: list[Call], slots: int, inputs: int = 1) -> Tape:
    """A tape in which each slot has a memory of its own and may be kept."""
    made = Tape(calls, list(range(slots)), ["whole"] * slots, [Slot(i) for i in range(inputs)])
    made.small = {Slot(i) for i in range(inputs, slots)}
    return made


def as_it_is(call: Call, dies: Any) -> Call:
    """No call has a better form."""
    return call


class Number:
    """A number that can be watched."""

    alive: ClassVar[weakref.WeakSet[Number]] = weakref.WeakSet()

    def __init__(self, value: float):
        self.value = value
        self.alive.add(self)


def test_values_are_freed_after_their_last_use() -> None:
    """At most the argument and the result of a call live at a time."""
    seen = []

    def step(x: Number) -> Number:
        seen.append(len(Number.alive))
        return Number(x.value + 1)

    chain = [call(step, [i], i + 1) for i in range(6)]
    assert straight(chain, 1, {}, Slot(6))(Number(0.0)).value == 6.0
    assert seen == [1, 2, 2, 2, 2, 2]  # the first one is the caller's own
    Number.alive.clear()


def test_trees_go_in_and_come_out() -> None:
    """Arguments, results and outputs may be trees, with constants among them."""
    calls = [
        Call(divmod, [Slot(0), Slot(1)], {}, (Slot(2), Slot(3))),
        Call(sorted, [[Slot(2), Slot(3), 5]], {"reverse": True}, Slot(4)),
    ]
    outputs = {"word": [Slot(4), None], "pair": (Slot(3), "kept", ()), 7: Slot(0)}
    run = straight(calls, 2, {}, outputs)
    assert run(17, 5) == {"word": [[5, 3, 2], None], "pair": (2, "kept", ()), 7: 17}
    assert run(9, 2)["word"] == [[5, 4, 1], None]


def test_what_nothing_depends_on_is_left_out() -> None:
    """But a call that does more than give its results is made."""
    written: list[int] = []
    calls = [call(operator.neg, [0], 1), call(written.append, [0], 2, writes=True), call(operator.pos, [0], 3)]
    assert needed(calls, Slot(3)) == calls[1:]
    assert tape(calls, 4).function(1, Slot(3), as_it_is)(8) == 8
    assert written == [8]


def test_repeated_results_are_computed_once() -> None:
    """If they may be kept, and nothing that they depend on is written into."""
    made = []

    def note(x: int) -> int:
        made.append(x)
        return x + 1

    calls = [call(note, [0], 1), call(note, [0], 2), call(operator.mul, [1, 2], 3)]
    assert tape(calls, 4).function(1, Slot(3), as_it_is)(4) == 25
    assert made == [4]
    large = tape(calls, 4)
    large.small.clear()
    assert large.function(1, Slot(3), as_it_is)(4) == 25
    assert made == [4, 4, 4]
    changing = tape(calls, 4)
    changing.changed = {0}
    changing.function(1, Slot(3), as_it_is)(4)
    assert made == [4] * 5


def test_outputs_are_not_one() -> None:
    """What the caller gets twice may be changed once."""
    calls = [call(lambda x: [x], [0], 1), call(lambda x: [x], [0], 2)]
    calls[1] = calls[1]._replace(function=calls[0].function)
    first, second = tape(calls, 3).function(1, [Slot(1), Slot(2)], as_it_is)(3)
    assert first == second
    assert first is not second


def test_views_of_one_memory_are_one() -> None:
    """Two slots of one group and layout are the same tensor, however they came about."""
    calls = [call(operator.invert, [0], 1), call(operator.invert, [1], 2), call(operator.neg, [2], 3)]
    made = tape(calls, 4)
    made.groups, made.layouts = [0, 0, 0, 3], ["a", "turned", "a", "a"]
    function = made.function(1, Slot(3), lambda call, dies: call._replace(function=operator.neg))
    assert function(5) == -5


def test_constants_are_not_computed_again() -> None:
    """Unless a write has taken them off the tape."""
    calls = [call(lambda: pytest.fail("computed"), [], 1), call(operator.add, [0, 1], 2)]
    made = tape(calls, 3)
    made.fixed = {Slot(1): 10}
    assert made.function(1, Slot(2), as_it_is)(1) == 11
    assert made.write({1})
    assert not made.fixed
    assert not made.write({0})  # which is of outside


def test_memory_is_free_at_its_last_use() -> None:
    """A view of it counts, and what comes from outside or goes out is never free."""
    calls = [call(operator.neg, [0], 1), call(operator.pos, [1], 2), call(operator.neg, [1], 3), call(abs, [2], 4)]
    made, free = tape(calls, 5), []
    made.groups[2], made.layouts[2] = 1, "view"

    def fit(call: Call, dies: Any) -> Call:
        free.append([dies(slot) for slot in call.args])
        return call

    made.function(1, [Slot(3), Slot(4)], fit)
    assert free == [[False], [False], [False], [True]]
    free.clear()
    made.function(1, [Slot(3), Slot(4), Slot(1)], fit)
    assert free == [[False]] * 4


def test_functions_are_built_when_called() -> None:
    """Once, and what built it is let go."""
    built = []

    class Builder:
        def __call__(self) -> Any:
            built.append(1)
            return operator.neg

    builder = Builder()
    kept = weakref.ref(builder)
    function = when_called(builder)
    del builder
    assert not built
    assert (function(1), function(2)) == (-1, -2)
    assert built == [1]
    assert kept() is None


def test_signatures_tell_structures_apart() -> None:
    """Lists from tuples, keys and their order, None from nothing; leaves by their description."""
    trees = ([1], (1,), [[1]], {"a": 1}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, [1, None], [1.0], [])
    assert len({signature(tree, type, []) for tree in trees}) == len(trees)
    leaves: list[int] = []
    assert signature([1, {"a": (2,)}], type, leaves) == signature([3, {"a": (4,)}], type, [])
    assert leaves == [1, 2]


def test_branches_keep_the_kind_of_a_tree() -> None:
    """Lists, tuples, named tuples and dicts."""
    one = Call(abs, [1], {}, None)
    assert branches(lambda x: x, one) == one
    assert type(branches(lambda x: x, one)) is Call
    assert branches(str, {"a": 1}) == {"a": "1"}
    assert branches(str, (1, 2)) == ("1", "2")
    assert branches(str, 3) == 3


def test_memory_that_is_given_is_free_at_its_last_use() -> None:
    """But not if it goes out, or if the argument is not given."""
    calls, free = [call(operator.neg, [0], 3), call(operator.neg, [1], 4), call(operator.neg, [2], 5)], []

    def fit(call: Call, dies: Any) -> Call:
        free.append(dies(call.args[0]))
        return call

    tape(calls, 6, 3).function(3, [Slot(1), Slot(3), Slot(4), Slot(5)], fit, given=2)
    assert free == [True, False, False]


def test_state_owns_its_memory_unless_something_else_has_it() -> None:
    """Another part of the state, a result, a constant, or an argument that is not state."""
    made = tape([call(operator.neg, [i], i + 3) for i in range(3)], 6, 3)
    assert made.owned(2, Slot(5), [Slot(3), Slot(4)])
    assert made.owned(2, Slot(5), [Slot(1), Slot(3)])
    assert not made.owned(2, Slot(5), [Slot(3), Slot(3)])
    assert not made.owned(2, Slot(3), [Slot(3), Slot(4)])
    assert not made.owned(2, Slot(5), [Slot(2), Slot(3)])
    made.fixed = {Slot(4): 1}
    assert not made.owned(2, Slot(5), [Slot(3), Slot(4)])
