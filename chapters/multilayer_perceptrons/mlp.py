# /// lesson
# name = "mlp"
# title = "Multilayer perceptrons and dropout"
# sections = ["5.2", "5.6"]
# needs = ["softmax-regression"]
# data = ["fashion-mnist"]
# main = "dropout"
# [time]
# smoke = "5 s"
# standard = "1 min"
# full = "5 min"
# [promises]
# full = [
#   "mlp-scratch: val_acc >= 0.8435", "mlp: val_acc >= 0.8465",
#   "dropout-scratch: val_acc >= 0.846", "dropout: val_acc >= 0.8495",
# ]
# ///

# %%
import numpy as np

from d2l_chapters.linear_classification.softmax_regression import fashion_mnist
from d2l_core import nn, optim, xp
from d2l_core.lessons import Job
from d2l_core.nn.functional import accuracy, cross_entropy, random_uniform
from d2l_core.random import key_of


# %%
class DenseScratch(nn.Module):
    """An affine map (n, num_inputs) to (n, num_outputs)."""

    def __init__(self, num_inputs, num_outputs):
        super().__init__()
        self.weight = nn.Parameter((num_outputs, num_inputs), nn.initialisers.XavierUniform())
        self.bias = nn.Parameter((num_outputs,), nn.initialisers.Constant(0.0))

    def forward(self, X):
        """X W' + b."""
        return xp.matmul(X, xp.matrix_transpose(self.weight)) + self.bias  # (n, in) @ (in, out) -> (n, out)


def relu(X):
    """The positive part of every element."""
    return xp.where(X > 0, X, xp.zeros_like(X))


class DropoutScratch(nn.Module):
    """Zeroes each element with probability p in training."""

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.calls = nn.Buffer(np.zeros(1, np.int32))

    def forward(self, X):
        """X itself in evaluation."""
        if not self.training:
            return X
        draw = random_uniform(key_of("dropout", self.path, self.seed), xp.reshape(self.calls, ()), tuple(X.shape))
        self.calls = self.calls + 1
        return xp.where(draw >= self.p, X * (1.0 / (1.0 - self.p)), xp.zeros_like(X))


def mlp_scratch(num_inputs=784, num_hiddens=(256,), num_outputs=10, p=()):
    """Affine maps with the ReLU between them, each hidden layer followed by dropout if p names a probability."""
    sizes = (num_inputs, *num_hiddens)
    stages = [nn.Flatten()]
    for i, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        stages += [DenseScratch(fan_in, fan_out), relu, *([DropoutScratch(p[i])] if p else [])]
    return nn.Sequential(*stages, DenseScratch(sizes[-1], num_outputs))


def mlp(num_hiddens=(256,), num_outputs=10, p=()):
    """The same from layers of the library; the first batch tells the sizes of the inputs."""
    stages = [nn.Flatten()]
    for i, size in enumerate(num_hiddens):
        stages += [nn.Linear(size), nn.ReLU(), *([nn.Dropout(p[i])] if p else [])]
    return nn.Sequential(*stages, nn.Linear(num_outputs))


# %%
shared = {
    "data": fashion_mnist,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.SGD(model, lr=0.1),
    "epochs": {"smoke": 1, "standard": 10, "full": 10},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
jobs = {
    "mlp-scratch": Job(model=mlp_scratch, **shared),
    "mlp": Job(model=mlp, **shared),
    "dropout-scratch": Job(model=lambda: mlp_scratch(num_hiddens=(256, 256), p=(0.5, 0.5)), **shared),
    "dropout": Job(model=lambda: mlp(num_hiddens=(256, 256), p=(0.5, 0.5)), **shared),
}
