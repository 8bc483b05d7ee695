"""A list of calls as one straight Python function, in which each value is freed after its last use.

For adapters whose framework cannot compile: they write down what a step does and how a call is best made, this module
writes the function. Its source holds names only, made here; all values are bound to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Slot(int):
    """The number of a value; what stands for a tensor in the trees of a call."""


class Call(NamedTuple):
    """``results = function(*args, **options)``.

    Attributes:
        function: whatever can be called.
        args, options: trees of slots and of constants.
        results: tree of slots; what is no slot is thrown away.
        writes: whether the call does more than give its results, so that it must be made in any case.
    """

    function: Callable[..., Any]
    args: Any
    options: dict[str, Any]
    results: Any
    writes: bool = False


def branches(f: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with f applied to its branches; a leaf itself."""
    if isinstance(tree, dict):
        return {key: f(branch) for key, branch in tree.items()}
    if not isinstance(tree, list | tuple):
        return tree
    changed = list(map(f, tree))
    return type(tree)(*changed) if hasattr(tree, "_fields") else type(tree)(changed)


def renamed(tree: Any, names: dict[Slot, Slot]) -> Any:
    """The tree with other slots in place of those among `names`."""
    return names.get(tree, tree) if isinstance(tree, Slot) else branches(lambda branch: renamed(branch, names), tree)


def slots(tree: Any) -> Iterator[Slot]:
    """The slots of a tree, left to right."""
    if isinstance(tree, Slot):
        yield tree
    elif isinstance(tree, list | tuple | dict):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from slots(branch)


def needed(calls: list[Call], outputs: Any) -> list[Call]:
    """The calls that `outputs` depend on, or that write."""
    used, kept = set(slots(outputs)), []
    for call in reversed(calls):
        if call.writes or not used.isdisjoint(slots(call.results)):
            kept.append(call)
            used.update(slots((call.args, call.options)))
    return kept[::-1]


def last_uses(calls: list[Call]) -> dict[Slot, int]:
    """For each slot the position of the last call in which it stands."""
    return {slot: position for position, call in enumerate(calls) for slot in slots(call[1:4])}


def straight(calls: list[Call], inputs: int, constants: dict[Slot, Any], outputs: Any) -> Callable[..., Any]:
    """A function of the values of the first `inputs` slots that makes the calls in order and returns `outputs`.

    Args:
        calls: in an order in which each slot has its value before it is used.
        inputs: number of arguments; they are slots 0, 1, and so on.
        constants: values of further slots.
        outputs: tree of slots and of constants.
    """
    names = _Names()
    last, kept, lines = last_uses(calls), {*map(Slot, range(inputs)), *constants, *slots(outputs)}, []
    for position, call in enumerate(calls):
        given = [names.of(x) for x in call.args] + [f"{key}={names.of(x)}" for key, x in call.options.items()]
        lines.append(f"{_target(call.results)} = {names.of(call.function)}({', '.join(given)})")
        done = sorted({s for s in slots(call[1:4]) if last[s] == position} - kept)
        if done:
            lines.append("del " + ", ".join(f"s{s}" for s in done))
    lines.append(f"return {names.of(outputs)}")
    used = {*last, *slots(outputs)}
    bound = {f"s{s}": value for s, value in constants.items() if s in used} | names.bound
    arguments, body = ", ".join(f"s{i}" for i in range(inputs)), "\n        ".join(lines)
    source = f"def bind({', '.join(bound)}):\n    def replay({arguments}):\n        {body}\n    return replay"
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - it is made of the names above and of nothing else
    return scope["bind"](**bound)  # type: ignore[no-any-return]


def when_called(build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """The function that `build` makes, made when it is called first; `build` is then let go."""
    held: list[Callable[..., Any]] = [build]

    def call(*args: Any) -> Any:
        if len(held) == 1:
            held[:] = [held[0](), call]
        return held[0](*args)

    return call


def _target(results: Any) -> str:
    if isinstance(results, list | tuple) and any(slots(results)):
        return f"[{', '.join(map(_target, results))}]"
    return f"s{results}" if isinstance(results, Slot) else "_"


class _Names:
    """Names of what is no slot, and expressions of trees."""

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def of(self, tree: Any) -> str:
        if isinstance(tree, Slot):
            return f"s{tree}"
        if not isinstance(tree, list | tuple | dict) or (tree and not [*slots(tree)]):
            return self._name(tree)
        if isinstance(tree, dict):
            return f"{{{', '.join(f'{self._name(key)}: {self.of(branch)}' for key, branch in tree.items())}}}"
        inner = "".join(f"{self.of(branch)}, " for branch in tree)
        if type(tree) in (list, tuple):
            return f"[{inner}]" if isinstance(tree, list) else f"({inner})"
        return (
            f"{self._name(type(tree))}({inner})" if hasattr(tree, "_fields") else f"{self._name(type(tree))}(({inner}))"
        )

    def _name(self, x: Any) -> str:
        if id(x) not in self._known:
            self._known[id(x)] = f"c{len(self.bound)}"
            self.bound[f"c{len(self.bound)}"] = x
        return self._known[id(x)]
