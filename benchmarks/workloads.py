"""What is trained: eight networks written once, with the data, losses and optimisers that both sides of a pair get.

Weights and arrays are NumPy arrays in our layout (affine maps and convolutions as ``(out, in, ...)``, gates of a GRU in
the order reset, update, candidate), under our paths; a twin translates them. Inputs are random, so that nothing is to
be learned but the labels by heart: time does not depend on what the numbers mean, and sameness of losses shows best
where training is smooth.

A multilayer perceptron may be asked for at any batch size and depth, as ``mlp@batch=64`` or ``mlp@depth=4``. Its twin
is still called ``mlp`` and builds as many layers as it is given weights: ``1.weight``, ``3.weight``, ``5.weight`` ...
in the order of the numbers, with a ReLU between two of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from d2l_core import nn, optim, random, xp
from d2l_core.backend import use_backend
from d2l_core.errors import UsageError
from d2l_core.nn.functional import causal_mask, cross_entropy, length_mask, one_hot, relu, squared_error
from d2l_core.nn.initialisers import Normal

Arrays = tuple[np.ndarray[Any, Any], ...]
Tensor = Any

FIRST_TOLERANCE = 1e-5
CHARACTERS = 28
SOURCE_WORDS, TARGET_WORDS, WORDS_STEPS, PADDING = 194, 214, 9, 0
USERS, ITEMS = 943, 1682


@dataclass(frozen=True)
class Workload:
    """A network and everything needed to train it.

    Attributes:
        name: how it is called on the command line, with its parameters.
        batch: examples in a batch.
        steps: full batches in an epoch.
        model: makes the network.
        data: ``data(n)`` makes n examples: the inputs of the network and last the target, float32 or int32.
        loss: of the output and the target, a mean over the batch.
        optimiser: makes the optimiser for a network.
        clip_norm: limit of the joint norm of all gradients, or None.
        tolerance: how far the losses of two implementations may lie apart in the first epoch, relative; see below.
        depth: hidden layers, of a workload that has this parameter.

    Rounding differs between implementations, and training carries it on. The first loss, before any update, must agree
    to `FIRST_TOLERANCE`. For the others 1e-4 holds where training is smooth. Linear regression ends in a loss of 1e-4,
    where the rounding of a weight is 3e-5 of it (1e-3). Adam magnifies rounding, since its first steps have the sign of
    the gradient, however small it is: the transformer's losses in float32 and in float64, by the same code, are 2e-3
    apart after ten steps (1e-2).

    So does batch normalisation over the 64 numbers of ResNet's last stage with its one pixel, the more the longer the
    steps. With a learning rate of 0.01, weights that differ by their rounding to float32 give fourth losses 7e-5 apart,
    all else in float64, and two implementations in float32 have them 6e-3 to 8e-2 apart. With 0.001 those of float32
    lie up to 2e-3 from those of float64, with 0.0003 up to 4e-4, and with 0.0001, which is taken, up to 4e-5, where
    training has moved the loss by 9e-3 (1e-3).

    Where the tolerance is wider than 1e-4, the tests hold both sides to 1e-9 in float64.
    """

    name: str
    batch: int
    steps: int
    model: Callable[[], nn.Module]
    data: Callable[[int], Arrays]
    loss: Callable[[Tensor, Tensor], Tensor]
    optimiser: Callable[[nn.Module], optim.Optimiser]
    clip_norm: float | None = None
    tolerance: float = 1e-4
    depth: int | None = None

    @property
    def twin(self) -> str:
        """The name by which a twin knows it: without parameters."""
        return self.name.partition("@")[0]

    def arrays(self) -> Arrays:
        """``(*inputs, target)`` of one epoch; the first axis is batch × steps."""
        return self.data(self.batch * self.steps)

    def weights(self) -> dict[str, np.ndarray[Any, Any]]:
        """Initial values of parameters and running statistics, float32 by path, as `Trainer` draws them with seed 0."""
        with use_backend("numpy"):
            inputs = [xp.asarray(array) for array in self.data(2)[:-1]]
            state = self.model().initialise(*inputs, seed=0).state_dict()
        return {path: array for path, array in state.items() if array.dtype == np.float32}


# ---------------------------------------------------------------- networks


class Perceptron(nn.Sequential):
    """784 inputs, some hidden layers of 256 with a ReLU, 10 outputs; paths 1, 3, 5 ..."""

    def __init__(self, depth: int = 1) -> None:
        hidden = [layer for _ in range(depth) for layer in (nn.Linear(256), nn.ReLU())]
        super().__init__(nn.Flatten(), *hidden, nn.Linear(10))


class LeNet(nn.Sequential):
    """Section 7.6: two convolutions and three affine maps with sigmoids and average pooling."""

    def __init__(self) -> None:
        super().__init__(
            *(nn.Conv2d(6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
            *(nn.Conv2d(16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(120), nn.Sigmoid(), nn.Linear(84), nn.Sigmoid(), nn.Linear(10)),
        )


class Residual(nn.Module):
    """Section 8.6: two convolutions 3×3 with batch normalisation, added to x or to a convolution 1×1 of it."""

    def __init__(self, channels: int, stride: int = 1, project: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 3, padding=1, stride=stride)
        self.conv2 = nn.Conv2d(channels, 3, padding=1)
        self.conv3 = nn.Conv2d(channels, 1, stride=stride) if project else None
        self.bn1, self.bn2 = nn.BatchNorm(), nn.BatchNorm()

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps."""
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(y + (x if self.conv3 is None else self.conv3(x)))


class ResNet18(nn.Sequential):
    """Section 8.6: paths 0 and 1 are the stem's convolution and normalisation, 4 to 11 the blocks, 13 the output."""

    def __init__(self) -> None:
        blocks = [Residual(64), Residual(64)]
        for channels in (128, 256, 512):
            blocks += [Residual(channels, stride=2, project=True), Residual(channels)]
        stem = (nn.Conv2d(64, 7, stride=2, padding=3), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))
        super().__init__(*stem, *blocks, nn.GlobalAvgPool(), nn.Linear(10))


class CharacterModel(nn.Module):
    """Section 10.2: characters (N, T) to logits (T, N, 28) by a GRU with 32 hidden units over one-hot vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.output = nn.GRU(32), nn.Linear(CHARACTERS)

    def forward(self, characters: Tensor) -> Tensor:
        """Logits of the next character, the time first."""
        hidden, _ = self.gru(one_hot(xp.permute_dims(characters, (1, 0)), CHARACTERS))
        return self.output(hidden)


class FeedForward(nn.Module):
    """Section 11.7: hidden -> 64 -> hidden at each position."""

    def __init__(self, hidden: int, ffn: int) -> None:
        super().__init__()
        self.dense1, self.dense2 = nn.Linear(ffn), nn.Linear(hidden)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return self.dense2(relu(self.dense1(x)))


class EncoderBlock(nn.Module):
    """Self-attention and the positionwise network, each added to its input and normalised."""

    def __init__(self, hidden: int, ffn: int, heads: int) -> None:
        super().__init__()
        self.attention, self.norm1 = nn.MultiHeadAttention(hidden, heads), nn.LayerNorm()
        self.ffn, self.norm2 = FeedForward(hidden, ffn), nn.LayerNorm()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """The same shape (N, T, hidden)."""
        x = self.norm1(x + self.attention(x, x, x, mask))
        return self.norm2(x + self.ffn(x))


class DecoderBlock(nn.Module):
    """Self-attention that looks back, attention to the encoder's output, the positionwise network."""

    def __init__(self, hidden: int, ffn: int, heads: int) -> None:
        super().__init__()
        self.attention1, self.norm1 = nn.MultiHeadAttention(hidden, heads), nn.LayerNorm()
        self.attention2, self.norm2 = nn.MultiHeadAttention(hidden, heads), nn.LayerNorm()
        self.ffn, self.norm3 = FeedForward(hidden, ffn), nn.LayerNorm()

    def forward(self, x: Tensor, memory: Tensor, back: Tensor, mask: Tensor) -> Tensor:
        """The same shape (N, T, hidden)."""
        x = self.norm1(x + self.attention1(x, x, x, back))
        x = self.norm2(x + self.attention2(x, memory, memory, mask))
        return self.norm3(x + self.ffn(x))


class Transformer(nn.Module):
    """Section 11.7: 256 features, 4 heads, 64 units, two blocks on each side, normalised after adding, no dropout.

    Embeddings are multiplied by 16, the root of 256, and the sinusoidal positions added. Keys beyond a source's length
    are masked, in the encoder and where the decoder looks at it.
    """

    def __init__(self, hidden: int = 256, ffn: int = 64, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(SOURCE_WORDS, hidden), nn.Embedding(TARGET_WORDS, hidden)
        self.positions, self.scale = nn.PositionalEncoding(), hidden**0.5
        self.encoder = nn.ModuleList(EncoderBlock(hidden, ffn, heads) for _ in range(blocks))
        self.decoder = nn.ModuleList(DecoderBlock(hidden, ffn, heads) for _ in range(blocks))
        self.output = nn.Linear(TARGET_WORDS)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Logits (N, T, words) of the next word; words (N, T), the sources' lengths (N,), the words so far (N, T)."""
        mask = xp.expand_dims(length_mask(lengths, source.shape[1]), axis=1)
        memory = self.positions(self.source(source) * self.scale)
        for block in self.encoder:
            memory = block(memory, mask)
        x, back = self.positions(self.target(target) * self.scale), xp.expand_dims(causal_mask(target.shape[1]), axis=0)
        for block in self.decoder:
            x = block(x, memory, back, mask)
        return self.output(x)


class MatrixFactorisation(nn.Module):
    """``p_u · q_i + b_u + b_i`` for users (N,) and items (N,), with 30 factors (Koren, Bell and Volinsky, 2009)."""

    def __init__(self, factors: int = 30) -> None:
        super().__init__()
        self.users = nn.Embedding(USERS, factors, weight_init=Normal(0.1))
        self.items = nn.Embedding(ITEMS, factors, weight_init=Normal(0.1))
        self.user_bias = nn.Embedding(USERS, 1, weight_init=Normal(0.1))
        self.item_bias = nn.Embedding(ITEMS, 1, weight_init=Normal(0.1))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Ratings (N,)."""
        products = xp.sum(self.users(users) * self.items(items), axis=-1)
        return products + xp.squeeze(self.user_bias(users), -1) + xp.squeeze(self.item_bias(items), -1)


# ---------------------------------------------------------------- losses


def character_loss(logits: Tensor, characters: Tensor) -> Tensor:
    """Cross entropy of logits (T, N, 28) and the next characters (N, T)."""
    return cross_entropy(logits, xp.permute_dims(characters, (1, 0)))


def word_loss(logits: Tensor, words: Tensor) -> Tensor:
    """Cross entropy over the words (N, T) that are not padding."""
    return cross_entropy(logits, words, ignore_index=PADDING)


# ---------------------------------------------------------------- data


def _pixels(shape: tuple[int, ...], *key: int | str) -> np.ndarray[Any, Any]:
    """Uniform numbers in [-0.5, 0.5): with larger ones, batches of one example would train chaotically."""
    return random.uniform(shape, *key, low=-0.5, high=0.5).astype(np.float32)


def _integers(shape: tuple[int, ...], low: int, high: int, *key: int | str) -> np.ndarray[Any, Any]:
    """Integers in [low, high)."""
    return (random.uniform(shape, *key) * (high - low)).astype(np.int32) + np.int32(low)


def regression(n: int) -> Arrays:
    """(n, 2) and (n, 1): section 3.3's line with noise."""
    X = random.normal((n, 2), "bench", "X")
    y = X @ np.array([[2.0], [-3.4]]) + 4.2 + random.normal((n, 1), "bench", "noise", std=0.01)
    return X.astype(np.float32), y.astype(np.float32)


def images(n: int, side: int = 28) -> Arrays:
    """(n, 1, side, side) and labels of ten classes (n,)."""
    return _pixels((n, 1, side, side), "bench", "images"), _integers((n,), 0, 10, "bench", "labels")


def texts(n: int) -> Arrays:
    """Windows of 32 characters (n, 32) and the same one further on."""
    characters = _integers((n, 33), 0, CHARACTERS, "bench", "texts")
    return np.ascontiguousarray(characters[:, :-1]), np.ascontiguousarray(characters[:, 1:])


def sentences(n: int) -> Arrays:
    """Source words (n, 9), their lengths (n,), target words one step late (n, 9), target words (n, 9); 0 is padding."""
    lengths = _integers((n,), 3, WORDS_STEPS + 1, "bench", "lengths")
    outside = np.arange(WORDS_STEPS) >= lengths[:, None]
    source = _integers((n, WORDS_STEPS), 1, SOURCE_WORDS, "bench", "source")
    target = _integers((n, WORDS_STEPS), 2, TARGET_WORDS, "bench", "target")
    source[outside], target[outside] = PADDING, PADDING
    before = np.concatenate([np.ones((n, 1), np.int32), target[:, :-1]], axis=1)
    return source, lengths, before, target


def ratings(n: int) -> Arrays:
    """Users (n,), items (n,) and ratings from 1 to 5 (n,), float32."""
    users = _integers((n,), 0, USERS, "bench", "users")
    items = _integers((n,), 0, ITEMS, "bench", "items")
    return users, items, _integers((n,), 1, 6, "bench", "ratings").astype(np.float32)


# ---------------------------------------------------------------- the table


def sgd(lr: float) -> Callable[[nn.Module], optim.Optimiser]:
    """Plain stochastic gradient descent."""
    return lambda model: optim.SGD(model, lr)


def adam(lr: float) -> Callable[[nn.Module], optim.Optimiser]:
    """Adam with beta1 0.9, beta2 0.999, epsilon 1e-8 outside the root."""
    return lambda model: optim.Adam(model, lr)


def _linear_regression() -> nn.Module:
    return nn.Sequential(nn.Linear(1))


def _softmax_regression() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(10))


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("linear_regression", 32, 200, _linear_regression, regression, squared_error, sgd(0.03), None, 1e-3),
        Workload("softmax_regression", 256, 40, _softmax_regression, images, cross_entropy, sgd(0.1)),
        Workload("mlp_small", 32, 200, Perceptron, images, cross_entropy, sgd(0.1), depth=1),
        Workload("mlp", 256, 40, Perceptron, images, cross_entropy, sgd(0.1), depth=1),
        Workload("lenet", 128, 20, LeNet, images, cross_entropy, sgd(0.1)),
        Workload("resnet18", 64, 4, ResNet18, partial(images, side=32), cross_entropy, sgd(0.0001), tolerance=1e-3),
        Workload("gru", 1024, 8, CharacterModel, texts, character_loss, sgd(1.0), clip_norm=1.0),
        Workload("transformer", 128, 10, Transformer, sentences, word_loss, adam(0.001), 1.0, tolerance=1e-2),
        Workload("matrix_factorisation", 512, 40, MatrixFactorisation, ratings, squared_error, adam(0.002)),
    )
}

_PARAMETERS = re.compile(r"(batch|depth)=([1-9]\d*)")
MOST_EXAMPLES = 10240
"""An epoch of a workload with a batch size of one's own has at most as many, and from 4 to 200 steps."""


def workload(name: str) -> Workload:
    """The workload of that name, parameters and all.

    Raises:
        UsageError: there is none, or it has no such parameter.
    """
    base, _, settings = name.partition("@")
    if base not in WORKLOADS:
        raise UsageError(f"There is no workload {base!r}; choose of: {', '.join(WORKLOADS)}.")
    found = WORKLOADS[base]
    if not settings and base == name:
        return found
    for setting in settings.split(","):
        match = _PARAMETERS.fullmatch(setting)
        if match is None or (match[1] == "depth" and found.depth is None):
            raise UsageError(
                f"{setting!r} is no parameter of {base}; write mlp@batch=64, mlp@depth=4 or both with a comma."
            )
        value = int(match[2])
        if match[1] == "batch":
            found = replace(found, batch=value, steps=max(4, min(200, MOST_EXAMPLES // value)))
        else:
            found = replace(found, depth=value, model=partial(Perceptron, value))
    return replace(found, name=name)
