"""A pass over the minibatches of a loader, many steps in one piece."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core import tree
from d2l_core.autodiff import compiled_steps
from d2l_core.backend import current
from d2l_core.data import Loader
from d2l_core.interface import Tensor
from d2l_core.nn import Variable

PIECE_SECONDS = 0.5
"""How long the compiled code runs before it is looked after: progress, Ctrl-C, a checkpoint that is due."""

Step = Callable[[tuple[Tensor, ...], Tensor | None], Any]
"""``step(batch, rate)`` -> tree of 0-d tensors; the rate is None where it never changes."""


class Pass:
    """Takes a step with each minibatch of a loader.

    The data lie on the device; a piece of the pass is told only which examples its batches have. How many steps make
    a piece follows from the time that they take and changes no result.

    Args:
        step: what is done with a batch.
        variables: all that a step reads or writes.
        loader: of the batches.
    """

    def __init__(self, step: Step, variables: Sequence[Variable], loader: Loader):
        self.loader = loader
        self._seconds_a_step: float | None = None

        def of_row(row: dict[str, Tensor], *tensors: Tensor) -> Any:
            return step(loader.batch(row["indices"], tensors), row.get("rate"))

        self._run = compiled_steps(of_row, variables)

    def pieces(
        self,
        epoch: int,
        start: int = 0,
        rates: Sequence[float] | None = None,
        most: Callable[[], int | None] = lambda: None,
    ) -> Iterator[tuple[int, Any]]:
        """Take the steps of an epoch from number `start` on.

        Args:
            epoch: which order the examples have.
            start: batch to begin with.
            rates: what each step of the epoch gets as its rate.
            most: asked before each piece for the largest number of steps it may have; None leaves it open.

        Yields:
            The number of steps of each piece, and their results as arrays with this number of elements.
        """
        first = 0
        for indices in self._blocks(epoch):
            last = first + len(indices)
            if start < last:
                rows: dict[str, npt.NDArray[Any]] = {"indices": indices}
                if rates is not None:
                    rows["rate"] = np.asarray(
                        rates[first:last], np.float64 if current().precision == 64 else np.float32
                    )
                yield from self._block(rows, max(start - first, 0), len(indices), most)
            first = last

    def whole(self) -> Any:
        """Take all steps of the first epoch; their results as arrays with one element for each."""
        parts = [results for _, results in self.pieces(0)]
        return tree.map(lambda *arrays: np.concatenate(arrays), *parts)

    def _blocks(self, epoch: int) -> list[npt.NDArray[np.int32]]:
        """The examples of the full batches, and of the last one if it is smaller: (batches, batch size) each."""
        order, size = self.loader.order(epoch).astype(np.int32), self.loader.batch_size
        full = len(order) // size
        blocks = [order[: full * size].reshape(full, size), order[None, full * size :]]
        return [block for block in blocks[: 1 if self.loader.drop_last else 2] if block.size]

    def _block(
        self, rows: dict[str, npt.NDArray[Any]], start: int, end: int, most: Callable[[], int | None]
    ) -> Iterator[tuple[int, Any]]:
        while start < end:
            count = min(self._affordable(), end - start, most() or end)
            began = time.perf_counter()
            results = self._run(rows, start, start + count, *self.loader.tensors())
            self._seconds_a_step = (time.perf_counter() - began) / count
            start += count
            yield count, results

    def _affordable(self) -> int:
        """As many steps as fit, at the pace of the last piece; one at first, which may have to be compiled."""
        return 1 if self._seconds_a_step is None else max(1, int(PIECE_SECONDS / self._seconds_a_step))
