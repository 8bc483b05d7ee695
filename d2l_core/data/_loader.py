"""Minibatches of data that live on the device, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core import xp
from d2l_core.backend import Context, current
from d2l_core.errors import UsageError
from d2l_core.random import permutation

__all__ = ["Loader"]


class Loader:
    """Cuts arrays of equal length into minibatches of native tensors.

    The arrays go to the active device once, when they are first used there. A shuffled epoch takes its
    batches in the order `permutation(n, *stream, epoch)`, so any epoch can be started at any batch without
    playing through what came before; that is what lets a resumed training run see the batches it would have
    seen.

    Args:
        arrays: NumPy arrays with the same first axis, (n, ...).
        batch_size: examples in a batch; the last batch holds what is left.
        shuffle: a new order in each epoch, instead of the order of the arrays.
        stream: key of the random stream that shuffles, such as `(seed, "shuffle")`.
        drop_last: leave out a last batch that is not full.
        transform: takes the tensors of a batch and returns the tuple that is yielded instead.

    Raises:
        UsageError: no arrays, arrays of different length or without examples, or `batch_size` below one.
    """

    def __init__(
        self,
        arrays: Sequence[npt.NDArray[Any]],
        batch_size: int,
        shuffle: bool = False,
        stream: tuple[int | str, ...] = (0, "shuffle"),
        *,
        drop_last: bool = False,
        transform: Callable[..., tuple[Any, ...]] | None = None,
    ) -> None:
        self.arrays = tuple(arrays)
        self.num_examples = _common_length(self.arrays)
        if batch_size < 1:
            raise UsageError(f"A batch cannot hold {batch_size} examples; use a batch_size of at least 1.")
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.stream = tuple(stream)
        self.drop_last = drop_last
        self.transform = transform
        self._placed: tuple[Context, tuple[Any, ...]] | None = None

    def __len__(self) -> int:
        full, left = divmod(self.num_examples, self.batch_size)
        return full if self.drop_last or not left else full + 1

    def tensors(self) -> tuple[Any, ...]:
        """The whole arrays as native tensors on the active device, before `transform`."""
        context = current()
        if self._placed is None or self._placed[0] != context:
            self._placed = None  # so that the old copy is gone before the new one is made
            self._placed = (context, tuple(xp.asarray(array) for array in self.arrays))
        return self._placed[1]

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """Which example comes when in an epoch: a permutation of 0, ..., n - 1, shape (n,)."""
        if self.shuffle:
            return permutation(self.num_examples, *self.stream, epoch)
        return np.arange(self.num_examples, dtype=np.int64)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, ...]]:
        """The batches of an epoch from number `start` on, each a tuple with one tensor per array.

        Raises `UsageError` unless 0 <= start <= len(self).
        """
        if not 0 <= start <= len(self):
            raise UsageError(f"An epoch has {len(self)} batches; it cannot start at batch {start}.")
        batches = self._shuffled(epoch, start) if self.shuffle else self._in_sequence(start)
        return (self._transformed(batch) for batch in batches)

    def example(self) -> tuple[Any, ...]:
        """A batch of the first examples, as an epoch would yield them; nothing else goes to the device for it."""
        return self._transformed(tuple(xp.asarray(array[: self.batch_size]) for array in self.arrays))

    def batch(self, indices: Any, tensors: Sequence[Any]) -> tuple[Any, ...]:
        """The examples of given numbers, an integer tensor (B,), out of `tensors()`, as an epoch would yield them."""
        return self._transformed(tuple(xp.take(tensor, indices, axis=0) for tensor in tensors))

    def _transformed(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        return batch if self.transform is None else self.transform(*batch)

    def _bounds(self, start: int) -> Iterator[tuple[int, int]]:
        for batch in range(start, len(self)):
            first = batch * self.batch_size
            yield first, min(first + self.batch_size, self.num_examples)

    def _shuffled(self, epoch: int, start: int) -> Iterator[tuple[Any, ...]]:
        tensors, order = self.tensors(), self.order(epoch)
        for first, last in self._bounds(start):
            indices = xp.asarray(order[first:last])
            yield tuple(xp.take(tensor, indices, axis=0) for tensor in tensors)

    def _in_sequence(self, start: int) -> Iterator[tuple[Any, ...]]:
        tensors = self.tensors()
        for first, last in self._bounds(start):
            yield tuple(tensor[first:last] for tensor in tensors)


def _common_length(arrays: tuple[npt.NDArray[Any], ...]) -> int:
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1 or 0 in lengths:
        spelled = ", ".join(str(len(array)) for array in arrays) or "none"
        raise UsageError(f"A loader needs arrays of one length, at least 1; it was given: {spelled}.")
    return lengths.pop()
