# /// lesson
# name = "lenet"
# title = "LeNet and batch normalisation"
# sections = ["7.6", "8.5"]
# needs = ["softmax-regression"]
# data = ["fashion-mnist"]
# main = "bn-lenet"
# [time]
# smoke = "10 s"
# standard = "1 min"
# full = "5 min"
# [promises]
# full = ["lenet: val_acc >= 0.717", "bn-lenet-scratch: val_acc >= 0.8665", "bn-lenet: val_acc >= 0.868"]
# ///

# %%
from functools import partial

from d2l_chapters.linear_classification.softmax_regression import fashion_mnist
from d2l_core import nn, optim, xp
from d2l_core.lessons import Job
from d2l_core.nn.functional import accuracy, cross_entropy


# %%
class BatchNormScratch(nn.Module):
    """Batch normalisation of (n, c) or (n, c, h, w) per channel."""

    def __init__(self, num_channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter((num_channels,), nn.initialisers.Constant(1.0))
        self.bias = nn.Parameter((num_channels,), nn.initialisers.Constant(0.0))
        self.running_mean = nn.Buffer((num_channels,), nn.initialisers.Constant(0.0))
        self.running_var = nn.Buffer((num_channels,), nn.initialisers.Constant(1.0))

    def forward(self, X):
        """X normalised by the batch in training, by the running statistics in evaluation."""
        axes = (0, 2, 3) if len(X.shape) == 4 else (0,)
        shape = (1, -1, 1, 1) if len(X.shape) == 4 else (1, -1)
        if self.training:
            mean = xp.mean(X, axis=axes)  # (n, c, ...) -> (c,)
            centred = X - xp.reshape(mean, shape)
            var = xp.mean(centred * centred, axis=axes)  # (n, c, ...) -> (c,)
            count = X.shape[0] if len(X.shape) == 2 else X.shape[0] * X.shape[2] * X.shape[3]
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * count / (count - 1) * var
        else:
            mean, var = self.running_mean, self.running_var
            centred = X - xp.reshape(mean, shape)
        scale = self.weight / xp.sqrt(var + self.eps)  # (c,)
        return centred * xp.reshape(scale, shape) + xp.reshape(self.bias, shape)


class LeNet(nn.Sequential):
    """Two convolutions and three affine maps with sigmoids between them: (n, 1, 28, 28) to logits (n, num_classes).

    `norm` makes what is put between an affine map or convolution and its sigmoid, from the number of channels.
    """

    def __init__(self, num_classes=10, norm=None):
        def after(channels):
            return [norm(channels), nn.Sigmoid()] if norm else [nn.Sigmoid()]

        super().__init__(
            *(nn.Conv2d(6, 5, padding=2), *after(6), nn.AvgPool2d(2)),
            *(nn.Conv2d(16, 5), *after(16), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(120), *after(120)),
            *(nn.Linear(84), *after(84)),
            nn.Linear(num_classes),
        )


# %%
shared = {
    "data": partial(fashion_mnist, batch_size=128),
    "loss": cross_entropy,
    "optimiser": lambda model: optim.SGD(model, lr=0.1),
    "epochs": {"smoke": 1, "standard": 10, "full": 10},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
jobs = {
    "lenet": Job(model=LeNet, **shared),
    "bn-lenet-scratch": Job(model=lambda: LeNet(norm=BatchNormScratch), **shared),
    "bn-lenet": Job(model=lambda: LeNet(norm=nn.BatchNorm), **shared),
}
