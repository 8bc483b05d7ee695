"""Hooks: functions that are called with what goes into a module or comes out of it.

In compiled code a hook is part of what is traced. On a backend that compiles it runs once for each new combination of
shapes and sees symbolic tensors; what it returns, and what it writes into variables of the step, becomes part of the
program, while any other effect, such as a print, happens at that one time only. A hook added or removed after the
trace changes nothing until the next one. Lessons that want the numbers use `record_activations`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from d2l_core.nn._module import Module

ForwardHook = Callable[..., Any]
"""``hook(module, inputs, output)``: the inputs as a tuple; anything but None replaces the output."""

ForwardPreHook = Callable[..., Any]
"""``hook(module, inputs)``: the inputs as a tuple; anything but None replaces them, a tuple or a single input."""

Hooks = dict[object, Callable[..., Any]]


class HookHandle:
    """A registered hook: `remove` takes it off, and so does the end of a ``with`` block."""

    def __init__(self, hooks: Hooks, hook: Callable[..., Any]):
        self._hooks = hooks
        hooks[self] = hook

    def remove(self) -> None:
        """Take the hook off; nothing happens when it is off already."""
        self._hooks.pop(self, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def inputs_after(hooks: Hooks, module: Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the hooks before a call make of its inputs, in the order of registration."""
    for hook in tuple(hooks.values()):
        replaced = hook(module, inputs)
        if replaced is not None:
            inputs = replaced if isinstance(replaced, tuple) else (replaced,)
    return inputs


def output_after(hooks: Hooks, module: Module, inputs: tuple[Any, ...], output: Any) -> Any:
    """What the hooks after a call make of its output, in the order of registration."""
    for hook in tuple(hooks.values()):
        replaced = hook(module, inputs, output)
        if replaced is not None:
            output = replaced
    return output
