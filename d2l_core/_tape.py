"""What a step did, written down call by call, and the shortest function that does it again to the same bits.

For adapters whose framework cannot compile. An adapter fills the tape while the step runs; nothing here knows more of a
tensor than a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from d2l_core._straight import Call, Slot, last_uses, needed, renamed, slots, straight

Fit = Callable[[Call, Callable[[Slot], bool]], Call]
"""``fit(call, dies)``: the call in its best form; ``dies(slot)``: whether nothing needs the memory of a slot later."""


@dataclass
class Tape:
    """Calls in the order in which they were made.

    Attributes:
        calls: with slots in place of tensors.
        groups: for each slot the first slot that has the same memory.
        layouts: for each slot what tells the tensors in one memory apart.
        outside: the slots of tensors that came from outside, those of the inputs first.
        small: slots that may be kept longer than their uses need.
        fixed: tensors that are the same in each run: constants of outside, and small results of nothing else.
        changed: groups that were written into.
    """

    calls: list[Call] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    layouts: list[Any] = field(default_factory=list)
    outside: list[Slot] = field(default_factory=list)
    small: set[Slot] = field(default_factory=set)
    fixed: dict[Slot, Any] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)

    def groups_of(self, tree: Any) -> set[int]:
        """The groups of the slots of a tree."""
        return {self.groups[slot] for slot in slots(tree)}

    def write(self, groups: set[int]) -> bool:
        """Note what a call wrote into; False if it was memory of outside, which a pure function leaves alone."""
        self.changed |= groups
        for slot in [slot for slot in self.fixed if self.groups[slot] in groups]:
            del self.fixed[slot]
        return groups.isdisjoint(self.groups[slot] for slot in self.outside)

    def function(self, inputs: int, outputs: Any, fit: Fit, given: int = 0) -> Callable[..., Any]:
        """A function of `inputs` tensors that gives the tree `outputs`; it may write into the first `given` of them.

        Constants are not computed again, equal views of a memory are one tensor, small results that repeat are computed
        once, and what nothing depends on is left out.
        """
        calls, names = self._distinct(self.changed | self.groups_of(outputs))
        outputs = renamed(outputs, names)
        calls = needed(calls, outputs)
        made = set(slots([call.results for call in calls]))
        constants = {slot: x for slot, x in self.fixed.items() if slot not in made}
        kept = (*slots(outputs), *map(Slot, range(given, inputs)), *constants)
        last = {self.groups[slot]: len(calls) for slot in kept}
        for slot, position in last_uses(calls).items():
            last[self.groups[slot]] = max(position, last.get(self.groups[slot], 0))
        fitted = [fit(call, lambda slot, i=i: last[self.groups[slot]] == i) for i, call in enumerate(calls)]  # type: ignore[misc]
        return straight(fitted, inputs, constants, outputs)

    def owned(self, given: int, results: Any, state: Any) -> bool:
        """Whether each tensor of `state` has a memory that nothing else knows of, as the first `given` inputs have.

        Nothing else is: each other, the tree `results`, constants, and the further inputs.
        """
        groups = [self.groups[slot] for slot in slots(state)]
        foreign = self.groups_of([results, *self.outside[given:], *self.fixed])
        return len({*groups}) == len(groups) and foreign.isdisjoint(groups)

    def _distinct(self, touched: set[int]) -> tuple[list[Call], dict[Slot, Slot]]:
        """The calls whose results are not there already, and the slots that stand for the results of the others."""
        names: dict[Slot, Slot] = {}
        seen: dict[Any, Slot] = {(self.groups[slot], self.layouts[slot]): slot for slot in reversed(self.outside)}
        calls = []
        for original in self.calls:
            call = Call(*renamed(tuple(original), names))
            results = list(slots(call.results))
            keys: list[Any] = [(self.groups[slot], self.layouts[slot]) for slot in results]
            if len(results) == 1 and not call.writes:
                slot = results[0]
                if slot in self.small and self.groups[slot] not in touched:
                    if slot in self.fixed:
                        continue
                    if self.changed.isdisjoint(self.groups_of((call.args, call.options))):
                        keys.append(repr(call[:3]))
                if found := [seen[key] for key in keys if key in seen]:
                    names[slot] = found[0]
                    continue
            for key, slot in zip(keys, (*results, *results), strict=False):
                seen.setdefault(key, slot)
            calls.append(call)
        return calls, names


def signature(tree: Any, describe: Callable[[Any], Any], leaves: list[Any]) -> Any:
    """The structure of a tree with its leaves described, to be looked up; `leaves` collects the leaves."""
    if isinstance(tree, list | tuple):
        return type(tree), *[signature(branch, describe, leaves) for branch in tree]
    if isinstance(tree, dict):
        return *tree, *[signature(branch, describe, leaves) for branch in tree.values()]
    if tree is None:
        return dict
    leaves.append(tree)
    return describe(tree)
