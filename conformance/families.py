"""Every family of models once, small: what is trained, on what, by which losses and optimisers.

Between them the families use every optimiser, every schedule, most layers and most losses. The data are synthetic, from
the seeded stream. What is here runs on any backend; `d2l_conformance.course` trains it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from d2l_conformance.case import Array

from d2l_core import composites, nn, optim, random
from d2l_core import interface as xp
from d2l_core.interface import Tensor
from d2l_core.nn import functional
from d2l_core.optim import schedules

STEPS = 100


@dataclass(frozen=True)
class Turn:
    """One gradient and one update: a step of training takes one turn, or several one after the other.

    Attributes:
        loss: ``loss(model, *batch)``, a 0-d tensor.
        optimiser: made for the part that is trained.
        part: path of the module that this turn trains; ``""`` for the whole model.
        clip_norm: limit of the joint norm of the gradients.
    """

    loss: Callable[..., Tensor]
    optimiser: optim.OptimiserFactory
    part: str = ""
    clip_norm: float | None = None


@dataclass(frozen=True)
class Family:
    """A model with its data and the turns that train it.

    Attributes:
        name: for people and for the cache.
        model: makes the model.
        data: makes arrays of one length, whose rows are the examples.
        turns: what a step consists of.
        batch: examples of a step.
    """

    name: str
    model: Callable[[], nn.Module]
    data: Callable[[], tuple[Array, ...]]
    turns: tuple[Turn, ...]
    batch: int = 8

    def rows(self, step: int) -> slice:
        """The examples of a step: the batches come round again and again."""
        first = step % (len(self.data()[0]) // self.batch) * self.batch
        return slice(first, first + self.batch)


# ---------------------------------------------------------------- data


def _normal(name: str, *shape: int) -> Array:
    return random.normal(shape, "families", name)


def _integers(name: str, end: int, *shape: int) -> Array:
    return np.asarray(np.floor(random.uniform(shape, "families", name) * end), np.int32)


def _regression() -> tuple[Array, ...]:
    X = _normal("regression", 64, 5)
    return X, X @ _normal("slopes", 5, 1) + 2.0 + 0.5 * _normal("noise", 64, 1)


def _classes(*shape: int) -> tuple[Array, ...]:
    """Examples of a shape whose labels are the strongest of four random directions."""
    X = _normal("examples", 64, *shape)
    scores = X.reshape(64, -1) @ _normal("directions", int(np.prod(shape)), 4) + _normal("doubt", 64, 4)
    return X, np.asarray(scores.argmax(1), np.int32)


def _text() -> tuple[Array, ...]:
    """Sequences that count upwards in steps of one to three, modulo the vocabulary, each with the next token."""
    first, step = _integers("first", 11, 64, 1), 1 + _integers("step", 3, 64, 1)
    tokens = np.asarray((first + step * np.arange(7)) % 11, np.int32)
    return tokens[:, :-1], tokens[:, 1:]


def _ragged() -> tuple[Array, ...]:
    """Sequences of tokens of several lengths, and whether the first one comes again."""
    tokens, lengths = _integers("tokens", 9, 64, 6), 2 + _integers("lengths", 5, 64)
    inside = np.arange(1, 6) < lengths[:, None]
    again = ((tokens[:, 1:] % 3 == tokens[:, :1] % 3) & inside).any(1)
    return tokens, lengths, np.asarray(again, np.int32)


def _signals() -> tuple[Array, ...]:
    signals, lengths = _normal("signals", 64, 6, 3), 2 + _integers("signal lengths", 5, 64)
    inside = (np.arange(6) < lengths[:, None])[..., None]
    return signals, lengths, np.sum(signals * inside, axis=(1, 2))[:, None] / 3.0


def _translations() -> tuple[Array, ...]:
    """Sources of several lengths; targets are the sources turned round, 1 being the first token and 0 the padding."""
    lengths = 2 + _integers("source lengths", 4, 64)
    source = 2 + _integers("source", 8, 64, 5)
    position = np.arange(5)
    inside = position < lengths[:, None]
    turned = np.take_along_axis(source, np.maximum(lengths[:, None] - 1 - position, 0), axis=1)
    target = np.where(inside, turned, 0)
    fed = np.concatenate([np.ones((64, 1)), target[:, :-1]], axis=1)
    return tuple(np.asarray(x, np.int32) for x in (np.where(inside, source, 0), lengths, fed, target))


def _points() -> tuple[Array, ...]:
    angles = random.uniform(64, "families", "angles", high=2 * np.pi)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.1 * _normal("blur", 64, 2)
    return circle, _normal("latent", 64, 3)


def _choices() -> tuple[Array, ...]:
    """Users, an item that each chose and one that it did not."""
    users, items = _integers("users", 20, 64), _integers("items", 29, 64)
    return users, np.asarray((items + users) % 30, np.int32), np.asarray((items * 7 + 3) % 30, np.int32)


# ---------------------------------------------------------------- models


class Residual(nn.Module):
    """``relu(x + f(x))`` with two convolutions in f; one is normalised by the batch and one by groups of channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm()
        self.second = nn.Conv2d(channels, 3, padding=1, bias=False)
        self.groups = nn.GroupNorm(2)

    def forward(self, x: Tensor) -> Tensor:
        y = composites.relu(self.norm(self.first(x)))
        return composites.relu(x + self.groups(self.second(y)))


class Characters(nn.Module):
    """The next token of each prefix, by a recurrent layer over one-hot vectors."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size
        self.recurrent, self.readout = nn.RNN(16), nn.Linear(size)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.recurrent(composites.one_hot(xp.matrix_transpose(tokens), self.size))
        return self.readout(xp.permute_dims(states, (1, 0, 2)))


class TwoWays(nn.Module):
    """A number for each signal, from gated units in both directions over its own length."""

    def __init__(self) -> None:
        super().__init__()
        self.units, self.readout = nn.Bidirectional(nn.GRU(8), nn.GRU(8)), nn.Linear(1)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        states, _ = self.units(xp.permute_dims(signals, (1, 0, 2)), lengths=lengths)
        return self.readout(_mean_over_time(xp.permute_dims(states, (1, 0, 2)), lengths))


class Judge(nn.Module):
    """A class for each sequence of tokens, from two layers of long short-term memory and the mean over its length."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 6)
        self.memory = nn.Stacked(nn.LSTM(8), nn.LSTM(8), dropout=0.2)
        self.readout = nn.Linear(2)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        states, _ = self.memory(self.table(xp.matrix_transpose(tokens)))
        return self.readout(_mean_over_time(xp.permute_dims(states, (1, 0, 2)), lengths))


def _mean_over_time(states: Tensor, lengths: Tensor) -> Tensor:
    mask = xp.astype(composites.length_mask(lengths, states.shape[1]), states.dtype)
    total = xp.sum(states * xp.expand_dims(mask, axis=-1), axis=1)
    return total / xp.expand_dims(xp.sum(mask, axis=1), axis=-1)


class Translator(nn.Module):
    """A recurrent encoder, and a decoder that looks back at its states (Bahdanau, Cho and Bengio, 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 6)
        self.encoder, self.decoder = nn.GRU(10), nn.GRU(10)
        self.attention = nn.AdditiveAttention(8)
        self.readout = nn.Linear(10)

    def forward(self, source: Tensor, lengths: Tensor, fed: Tensor) -> Tensor:
        states, last = self.encoder(self.table(xp.matrix_transpose(source)))
        seen = xp.permute_dims(states, (1, 0, 2))
        mask = xp.expand_dims(composites.length_mask(lengths, source.shape[1]), axis=1)

        def step(hidden: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
            context = self.attention(xp.expand_dims(hidden, axis=1), seen, seen, mask)
            inputs = xp.concat([token, xp.squeeze(context, 1)], axis=-1)
            _, hidden = self.decoder(xp.expand_dims(inputs, axis=0), hidden)
            return hidden, hidden

        _, outputs = xp.scan(step, last, self.table(xp.matrix_transpose(fed)))
        return self.readout(xp.permute_dims(outputs, (1, 0, 2)))


class Block(nn.Module):
    """A block of a transformer that looks backwards only, normalised before each part."""

    def __init__(self, features: int):
        super().__init__()
        self.before, self.attention = nn.LayerNorm(), nn.MultiHeadAttention(features, 2, dropout=0.1)
        self.norm = nn.LayerNorm()
        self.widen, self.narrow = nn.Linear(2 * features), nn.Linear(features)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        x = x + self.attention(y, y, y, composites.causal_mask(x.shape[1]))
        return x + self.narrow(composites.gelu(self.widen(self.norm(x))))


class Transformer(nn.Module):
    """The next token of each prefix, by two blocks of attention (Vaswani et al., 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.positions = nn.Embedding(11, 12), nn.PositionalEncoding()
        self.blocks = nn.Sequential(Block(12), Block(12))
        self.norm, self.readout = nn.LayerNorm(), nn.Linear(11)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.readout(self.norm(self.blocks(self.positions(self.table(tokens)))))


class Rivals(nn.Module):
    """A generator of points and a discriminator between them and real ones (Goodfellow et al., 2014)."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(16), nn.Tanh(), nn.Linear(2))
        self.discriminator = nn.Sequential(nn.Linear(16), composites.leaky_relu, nn.Linear(1))


class Factors(nn.Module):
    """Score of an item for a user: product of two embeddings, plus what the item is worth by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.users, self.items, self.worth = nn.Embedding(20, 8), nn.Embedding(30, 8), nn.Embedding(30, 1)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return xp.sum(self.users(users) * self.items(items), axis=-1) + xp.squeeze(self.worth(items), -1)


def _perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16), nn.Sigmoid(), nn.Linear(4))


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(6, 3, padding=1, bias=False), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 3), nn.Tanh(), nn.Flatten(), nn.Dropout(0.25), nn.Linear(4),
    )  # fmt: skip


def _residual() -> nn.Module:
    return nn.Sequential(nn.Conv2d(6, 3), Residual(6), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4))


# ---------------------------------------------------------------- losses


def _of_output(loss: Callable[..., Tensor], **options: Any) -> Callable[..., Tensor]:
    """A loss of the model's output for all but the last part of a batch, and of that part."""
    return lambda model, *batch: loss(model(*batch[:-1]), batch[-1], **options)


def _unmasks(model: Any, points: Tensor, latent: Tensor) -> Tensor:
    real = model.discriminator(points)
    fake = model.discriminator(xp.stop_gradient(model.generator(latent)))
    bce = functional.binary_cross_entropy
    return bce(real, xp.ones_like(real)) + bce(fake, xp.zeros_like(fake))


def _deceives(model: Any, points: Tensor, latent: Tensor) -> Tensor:
    fake = model.discriminator(model.generator(latent))
    return functional.binary_cross_entropy(fake, xp.ones_like(fake))


def _ranks(model: Any, users: Tensor, chosen: Tensor, other: Tensor) -> Tensor:
    return functional.bayesian_personalised_ranking(model(users, chosen), model(users, other))


# ---------------------------------------------------------------- the families

CROSS_ENTROPY = _of_output(functional.cross_entropy)

_ALL = (
    Family(
        "linear regression", lambda: nn.Linear(1), _regression,
        (Turn(_of_output(functional.squared_error), lambda m: optim.SGD(m, schedules.Constant(0.05))),),
    ),
    Family(
        "softmax regression", lambda: nn.Linear(4), lambda: _classes(12),
        (Turn(_of_output(functional.cross_entropy, label_smoothing=0.1),
              lambda m: optim.Lion(m, schedules.Exponential(0.01, 0.99), weight_decay=0.1)),),
    ),
    Family(
        "perceptron with dropout", _perceptron, lambda: _classes(12),
        (Turn(CROSS_ENTROPY, lambda m: optim.SGD(
            m, schedules.Step(0.1, 0.5, 40), momentum=0.9, weight_decay=1e-3,
            groups=[optim.Group(optim.biases_and_norms, weight_decay=0.0, lr_scale=2.0)])),),
    ),
    Family(
        "convolutional network", _convolutional, lambda: _classes(1, 8, 8),
        (Turn(CROSS_ENTROPY, lambda m: optim.Adam(m, schedules.Cosine(0.01, warmup=5, hold=0.3))),),
    ),
    Family(
        "residual network", _residual, lambda: _classes(1, 8, 8),
        (Turn(CROSS_ENTROPY, lambda m: optim.SGD(m, schedules.OneCycle(0.1), momentum=0.9, nesterov=True)),),
    ),
    Family(
        "recurrent network", lambda: Characters(11), _text,
        (Turn(CROSS_ENTROPY, lambda m: optim.SGD(m, schedules.MultiStep(0.5, 0.5, (40, 80))), clip_norm=1.0),),
    ),
    Family(
        "gated units in both directions", TwoWays, _signals,
        (Turn(_of_output(functional.huber), lambda m: optim.Adadelta(m, 1.0)),),
    ),
    Family(
        "long short-term memory", Judge, _ragged,
        (Turn(CROSS_ENTROPY, lambda m: optim.RMSprop(
            m, schedules.Polynomial(0.005, power=2.0), rho=0.9, momentum=0.5, centred=True, eps=1e-4)),),
    ),
    Family(
        "attention between sequences", Translator, _translations,
        (Turn(_of_output(functional.cross_entropy, ignore_index=0), lambda m: optim.Adagrad(m, 0.1), clip_norm=1.0),),
    ),
    Family(
        "transformer", Transformer, _text,
        (Turn(CROSS_ENTROPY, lambda m: optim.AdamW(
            m, schedules.Warmup(schedules.Cosine(0.01), 10),
            groups=[optim.Group(optim.biases_and_norms, weight_decay=0.0)]), clip_norm=1.0),),
    ),
    Family(
        "adversarial pair", Rivals, _points,
        (Turn(_unmasks, lambda m: optim.Adam(m, 0.005, beta1=0.5), "discriminator"),
         Turn(_deceives, lambda m: optim.RMSprop(m, 0.002), "generator")),
    ),
    Family("factorisation", Factors, _choices, (Turn(_ranks, lambda m: optim.Yogi(m, 0.02)),)),
)  # fmt: skip

FAMILIES = {family.name: family for family in _ALL}
