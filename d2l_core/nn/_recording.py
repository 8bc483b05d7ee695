"""The outputs of all modules of a model, collected while it runs.

Each output is written into a variable of the recorder. So what is computed inside a differentiated function comes out
as plain numbers, like a running mean. Compiled steps run as plain code as long as anything is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core.nn._module import LEARNING_SHAPES, Module
from d2l_core.nn._variable import Buffer, Variable

_RECORDERS: list[Activations] = []
_REPEATING: ContextVar[bool] = ContextVar("d2l_repeating", default=False)


class Activations(Mapping[str, Any]):
    """Outputs by the path of the module, in the order in which the modules were done; ``""`` is the model itself.

    ``activations[path]`` is the output of the last call; `calls` has those of all calls.
    """

    def __init__(self) -> None:
        self._calls: dict[str, list[Any]] = {}

    def calls(self, path: str) -> list[Any]:
        """The outputs of all calls of one module, the first call first; an empty list if there was none."""
        return [_values(output) for output in self._calls.get(path, ())]

    def clear(self) -> None:
        """Forget everything, to begin with the next batch."""
        self._calls.clear()

    def __getitem__(self, path: str) -> Any:
        if path not in self._calls:
            raise KeyError(
                f"No call of {path!r} was recorded, but of: {', '.join(map(repr, self._calls)) or 'nothing'}."
            )
        return _values(self._calls[path][-1])

    def __iter__(self) -> Iterator[str]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def _keep(self, path: str, output: Any) -> None:
        if LEARNING_SHAPES.get():
            return
        kept = tree.map(_variable, output)
        if not _REPEATING.get():
            self._calls.setdefault(path, []).append(kept)


def _variable(leaf: Any) -> Any:
    if not xp.is_tensor(leaf):
        return leaf
    kept = Buffer(())
    kept.shape = tuple(leaf.shape)
    kept.value = leaf
    return kept


def _values(output: Any) -> Any:
    return tree.map(lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, output)


@contextmanager
def record_activations(model: Module) -> Iterator[Activations]:
    """Record the output of every module of `model`: ``with record_activations(model) as activations: model(X)``.

    Several calls add up; the passes in which a model learns its shapes do not count. A module that is in several
    places is recorded under its first path. What is computed inside `value_and_grad` is recorded too, as constants.
    A compiled step called inside the block runs as plain code, so that there are numbers to record, on every backend.

    Args:
        model: its modules at the beginning of the block are watched.

    Returns:
        A context manager that gives `Activations`; they stay readable after the block.
    """
    activations = Activations()
    with ExitStack() as stack:
        for path, module in model.named_modules():
            stack.enter_context(module.register_forward_hook(_recorder(activations, path)))
        _RECORDERS.append(activations)
        stack.callback(_forget, activations)
        yield activations


def _recorder(activations: Activations, path: str) -> Any:
    def keep(module: Module, inputs: tuple[Any, ...], output: Any) -> None:
        activations._keep(path, output)

    return keep


def _forget(activations: Activations) -> None:
    _RECORDERS[:] = [other for other in _RECORDERS if other is not activations]


@contextmanager
def unrecorded() -> Iterator[None]:
    """Inside the block nothing is recorded: what runs has run before."""
    token = _REPEATING.set(True)
    try:
        yield
    finally:
        _REPEATING.reset(token)


def recording() -> bool:
    """Whether anything is recorded at the moment."""
    return bool(_RECORDERS)
