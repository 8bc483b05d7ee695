"""Variables: the named, mutable leaves of a module. All state that changes lives in them."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2l_core import interface as xp
from d2l_core.backend import float_dtype
from d2l_core.interface import Tensor

Initialiser = Callable[[tuple[int, ...], tuple[int | str, ...]], NDArray[np.float64]]
"""Makes float64 values of a shape from the random stream called by a key; see `d2l_core.nn.initialisers`."""


class Variable:
    """A native tensor that may be replaced by another of the same shape.

    Args:
        value: array, nested sequence or native tensor to start from, copied to the active device at first use; or the
            shape of a variable that `init` fills.
        init: initialiser for a shape; without it `value` holds the numbers themselves.

    Attributes:
        shape: its shape.
        trainable: whether gradients are taken with respect to it.
    """

    trainable = False

    def __init__(self, value: Any, init: Initialiser | None = None):
        self._start = value if init is None else None
        self._init = init
        self.shape: tuple[int, ...] = tuple(value) if init is not None else tuple(np.shape(value))
        self._value: Tensor | None = None

    @property
    def value(self) -> Tensor:
        """The native tensor; a variable that has no value yet takes its first one here."""
        if self._value is None:
            self.fill(("init", "", 0))
        return self._value

    @value.setter
    def value(self, tensor: Tensor) -> None:
        journal = _JOURNAL.get()
        if journal is not None:
            journal.setdefault(self, self._value)
        self._value = tensor

    def lend(self, tensor: Tensor) -> None:
        """Replace the value for a while, unnoticed by `writes`."""
        self._value = tensor

    @property
    def filled(self) -> bool:
        """Whether the variable has a value."""
        return self._value is not None

    def fill(self, key: tuple[int | str, ...]) -> None:
        """Give the first value: what the initialiser draws from the stream `key`, in the default float."""
        postponed = _POSTPONED.get()
        if postponed is not None:
            postponed.append((self, key))
            self._value = self._stand_in()
            return
        if self._init is None:
            self._value = xp.asarray(self._start)
            return
        values = self._init(self.shape, key)
        if tuple(np.shape(values)) != self.shape:
            raise ValueError(
                f"The initialiser {self._init!r} gave values of shape {tuple(np.shape(values))} for a variable of "
                f"shape {self.shape}; return an array of the shape that it is called with."
            )
        self._value = xp.asarray(values, dtype=float_dtype())

    def _stand_in(self) -> Tensor:
        """A tensor like the first value."""
        if self._init is not None:
            return xp.zeros(self.shape, dtype=float_dtype())
        if xp.is_tensor(self._start):
            raise ValueError("What is made of the first inputs has no stand-in.")
        return xp.asarray(self._start)

    def reset(self, init: Initialiser | None = None) -> None:
        """Forget the value; the next `fill` draws from `init`, or starts as before if None."""
        self._init = init or self._init
        self._value = None

    def convert(self, array: Any) -> Tensor:
        """An array as a value of this variable: on the active device and in the dtype that the variable has.

        Raises:
            ValueError: the shape differs.
        """
        if tuple(np.shape(array)) != self.shape:
            raise ValueError(f"A variable of shape {self.shape} cannot take an array of shape {np.shape(array)}.")
        return xp.asarray(array, dtype=self._dtype())

    def _dtype(self) -> Any:
        if self._value is not None:
            return self._value.dtype
        return float_dtype() if self._init is not None else xp.asarray(self._start).dtype

    def assign(self, array: Any) -> None:
        """Replace the value by an array of the same shape; the dtype stays.

        Raises:
            ValueError: the shape differs.
        """
        self._value = self.convert(array)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        rest = {name: value for name, value in self.__dict__.items() if name != "_value"}
        twin.__dict__.update(copy.deepcopy(rest, memo))
        value = self._value
        if value is not None and id(value) in memo:
            value = memo[id(value)]
        elif value is not None:
            value = xp.asarray(xp.to_numpy(value), dtype=value.dtype)
        twin._value = value
        return twin

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape})"


_JOURNAL: ContextVar[dict[Variable, Tensor] | None] = ContextVar("d2l_writes", default=None)


def noted() -> bool:
    """Whether `writes` takes note of what is written now."""
    return _JOURNAL.get() is not None


@contextlib.contextmanager
def writes() -> Iterator[dict[Variable, Tensor]]:
    """Note which variables are written inside the block, each with the value that it had before."""
    journal: dict[Variable, Tensor] = {}
    token = _JOURNAL.set(journal)
    try:
        yield journal
    finally:
        _JOURNAL.reset(token)


_POSTPONED: ContextVar[list[tuple[Variable, tuple[int | str, ...]]] | None] = ContextVar("d2l_postponed", default=None)


@contextlib.contextmanager
def postponing() -> Iterator[list[tuple[Variable, tuple[int | str, ...]]]]:
    """Let variables that are filled inside the block hold stand-ins; note them, with the streams to fill them from."""
    postponed: list[tuple[Variable, tuple[int | str, ...]]] = []
    token = _POSTPONED.set(postponed)
    try:
        yield postponed
    finally:
        _POSTPONED.reset(token)
        for variable, _ in postponed:
            variable.reset()


class Parameter(Variable):
    """A variable that training changes; set ``trainable = False`` on it to freeze it."""

    trainable = True


class Buffer(Variable):
    """A variable that is state but not trained, such as a running mean."""
