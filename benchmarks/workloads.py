"""What is trained: the same weights and batches for both sides, as NumPy arrays in our layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2l_core import nn, random

LR = 0.1


@dataclass(frozen=True)
class Workload:
    """A network with the shape of its input and the size of a batch.

    Attributes:
        name: how it is called on the command line; twins hold a function of this name.
        shape: of one example.
        batch: number of examples in a batch.
        model: makes the network.
    """

    name: str
    shape: tuple[int, ...]
    batch: int
    model: type[nn.Module]

    def batches(self, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """`count` batches of float32 inputs and int32 labels of ten classes."""
        return [
            (
                random.normal((self.batch, *self.shape), self.name, "X", i).astype(np.float32),
                (random.uniform((self.batch,), self.name, "y", i) * 10).astype(np.int32),
            )
            for i in range(count)
        ]


class MLP(nn.Sequential):
    """784 - 256 - 10 with a ReLU."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(256), nn.ReLU(), nn.Linear(10))


class LeNet(nn.Sequential):
    """Two convolutions and three affine maps with sigmoids and average pooling."""

    def __init__(self) -> None:
        super().__init__(
            *(nn.Conv2d(6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
            *(nn.Conv2d(16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(120), nn.Sigmoid(), nn.Linear(84), nn.Sigmoid(), nn.Linear(10)),
        )


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("mlp_small", (1, 28, 28), 32, MLP),
        Workload("mlp", (1, 28, 28), 256, MLP),
        Workload("lenet", (1, 28, 28), 128, LeNet),
    )
}
