"""MXNet by hand: Gluon blocks with the loss inside, hybridized with static memory, and gluon.Trainer.

Blocks are named as the weights are, so that these are told by their structural names. The classic operators are used:
a step with them took a tenth less time than with the NumPy ones. Form ``"hybrid"`` is the only sensible one.
"""

import re
import sys
import types

import numpy as np

if "mxnet" not in sys.modules:  # 1.9.1 looks up names that NumPy has removed since, and a module that Python has
    removed = {"bool": bool, "int": int, "float": float, "object": object, "product": np.prod, "row_stack": np.vstack}
    removed |= {"alltrue": np.all, "sometrue": np.any, "round_": np.round, "trapz": getattr(np, "trapezoid", None)}
    removed |= {
        "Inf": np.inf,
        "PINF": np.inf,
        "NINF": -np.inf,
        "NaN": np.nan,
        "NAN": np.nan,
        "PZERO": 0.0,
        "NZERO": -0.0,
    }
    removed |= dict.fromkeys(("in1d", "msort", "mirr", "npv", "pmt", "ppmt", "pv", "rate"))
    for old_name, stand_in in removed.items():
        if old_name not in vars(np):
            setattr(np, old_name, stand_in)
    if sys.version_info >= (3, 12):
        sys.modules["distutils.version"] = version = types.ModuleType("distutils.version")
        sys.modules.setdefault("distutils", types.ModuleType("distutils")).version = version
        version.LooseVersion = version.StrictVersion = lambda text: [int(n) for n in re.findall(r"\d+", text)]

from mxnet import autograd, gluon, nd
from mxnet.gluon import nn, rnn

FORMS = ("hybrid",)


# ---------------------------------------------------------------- networks


def linear_regression():
    net = nn.HybridSequential()
    net.add(nn.Dense(1, in_units=2))
    return net


def perceptron(*units):
    """784 inputs and layers of these sizes, with a ReLU between two of them."""
    net = nn.HybridSequential()
    net.add(nn.Flatten())
    for inputs, outputs in zip((784, *units), units, strict=False):
        if len(net) > 1:
            net.add(nn.Activation("relu"))
        net.add(nn.Dense(outputs, in_units=inputs))
    return net


def lenet():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(6, 5, padding=2, in_channels=1), nn.Activation("sigmoid"), nn.AvgPool2D(2))
    net.add(nn.Conv2D(16, 5, in_channels=6), nn.Activation("sigmoid"), nn.AvgPool2D(2), nn.Flatten())
    net.add(nn.Dense(120, in_units=400), nn.Activation("sigmoid"))
    net.add(nn.Dense(84, in_units=120), nn.Activation("sigmoid"), nn.Dense(10, in_units=84))
    return net


class Residual(nn.HybridBlock):
    def __init__(self, channels, inputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2D(channels, 3, stride, 1, in_channels=inputs)
        self.conv2 = nn.Conv2D(channels, 3, padding=1, in_channels=channels)
        self.conv3 = nn.Conv2D(channels, 1, stride, in_channels=inputs) if inputs != channels else None
        self.bn1, self.bn2 = nn.BatchNorm(in_channels=channels), nn.BatchNorm(in_channels=channels)

    def hybrid_forward(self, F, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.conv3 is None else self.conv3(x)))


def resnet18():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(64, 7, 2, 3, in_channels=1), nn.BatchNorm(in_channels=64), nn.Activation("relu"))
    net.add(nn.MaxPool2D(3, 2, 1))
    inputs = 64
    for channels in (64, 128, 256, 512):
        net.add(Residual(channels, inputs, 1 if channels == inputs else 2), Residual(channels, channels, 1))
        inputs = channels
    net.add(nn.GlobalAvgPool2D(), nn.Dense(10, in_units=512))
    return net


class CharacterModel(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        self.gru, self.output = rnn.GRU(32, input_size=28), nn.Dense(28, flatten=False, in_units=32)

    def hybrid_forward(self, F, characters):
        return self.output(self.gru(F.one_hot(F.transpose(characters), 28)))


class Attention(nn.HybridBlock):
    def __init__(self, features, heads=4):
        super().__init__()
        self.heads, self.factor = heads, (features // heads) ** -0.5
        for name in ("query", "key", "value", "output"):
            setattr(self, name, nn.Dense(features, use_bias=False, flatten=False, in_units=features))

    def hybrid_forward(self, F, x, memory, mask):
        q, k, v = (
            F.reshape(F.transpose(F.reshape(y, (0, 0, self.heads, -1)), (0, 2, 1, 3)), (-3, 0, 0))
            for y in (self.query(x), self.key(memory), self.value(memory))
        )
        scores = F.reshape(F.batch_dot(q, k, transpose_b=True) * self.factor, (-4, -1, self.heads, 0, 0))
        weights = F.reshape(F.softmax(F.broadcast_add(scores, mask)), (-3, 0, 0))
        seen = F.reshape(F.batch_dot(weights, v), (-4, -1, self.heads, 0, 0))
        return self.output(F.reshape(F.transpose(seen, (0, 2, 1, 3)), (0, 0, -3)))


class FeedForward(nn.HybridBlock):
    def __init__(self, features, units=64):
        super().__init__()
        self.dense1 = nn.Dense(units, activation="relu", flatten=False, in_units=features)
        self.dense2 = nn.Dense(features, flatten=False, in_units=units)

    def hybrid_forward(self, F, x):
        return self.dense2(self.dense1(x))


class EncoderBlock(nn.HybridBlock):
    def __init__(self, features):
        super().__init__()
        self.attention, self.norm1 = Attention(features), nn.LayerNorm(in_channels=features)
        self.ffn, self.norm2 = FeedForward(features), nn.LayerNorm(in_channels=features)

    def hybrid_forward(self, F, x, mask):
        x = self.norm1(x + self.attention(x, x, mask))
        return self.norm2(x + self.ffn(x))


class DecoderBlock(nn.HybridBlock):
    def __init__(self, features):
        super().__init__()
        self.attention1, self.norm1 = Attention(features), nn.LayerNorm(in_channels=features)
        self.attention2, self.norm2 = Attention(features), nn.LayerNorm(in_channels=features)
        self.ffn, self.norm3 = FeedForward(features), nn.LayerNorm(in_channels=features)

    def hybrid_forward(self, F, x, memory, back, seen):
        x = self.norm1(x + self.attention1(x, x, back))
        x = self.norm2(x + self.attention2(x, memory, seen))
        return self.norm3(x + self.ffn(x))


class Transformer(nn.HybridBlock):
    def __init__(self, source_words, target_words, features, steps):
        super().__init__()
        self.steps, self.scale = steps, features**0.5
        self.source, self.target = nn.Embedding(source_words, features), nn.Embedding(target_words, features)
        self.encoder, self.decoder = nn.HybridSequential(), nn.HybridSequential()
        self.encoder.add(EncoderBlock(features), EncoderBlock(features))
        self.decoder.add(DecoderBlock(features), DecoderBlock(features))
        self.output = nn.Dense(target_words, flatten=False, in_units=features)
        angles = np.arange(steps)[:, None] / 10000 ** (np.arange(0, features, 2) / features)
        table = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(1, steps, features)
        self.positions = self.params.get_constant("positions", nd.array(table))

    def hybrid_forward(self, F, source, lengths, target, positions):
        steps = F.arange(self.steps)
        ahead = F.broadcast_greater(F.reshape(steps, (1, -1)), F.reshape(steps, (-1, 1)))
        back = F.reshape(ahead, (1, 1, self.steps, self.steps)) * -1e9
        lengths = F.cast(F.reshape(lengths, (-1, 1, 1, 1)), "float32")
        seen = F.broadcast_greater_equal(F.reshape(steps, (1, 1, 1, -1)), lengths) * -1e9
        memory = F.broadcast_add(self.source(source) * self.scale, positions)
        for block in self.encoder:
            memory = block(memory, seen)
        x = F.broadcast_add(self.target(target) * self.scale, positions)
        for block in self.decoder:
            x = block(x, memory, back, seen)
        return self.output(x)


class MatrixFactorisation(nn.HybridBlock):
    def __init__(self, users, items, factors):
        super().__init__()
        self.users, self.items = nn.Embedding(users, factors), nn.Embedding(items, factors)
        self.user_bias, self.item_bias = nn.Embedding(users, 1), nn.Embedding(items, 1)

    def hybrid_forward(self, F, users, items):
        products = F.sum(self.users(users) * self.items(items), axis=-1)
        return products + F.reshape(self.user_bias(users), -1) + F.reshape(self.item_bias(items), -1)


# ---------------------------------------------------------------- losses


def squared_error(F, output, target):
    return F.mean(F.square(output - target))


def cross_entropy(F, logits, labels):
    return -F.mean(F.pick(F.log_softmax(logits), labels))


def character_loss(F, logits, characters):
    return cross_entropy(F, logits, F.transpose(characters))


def word_loss(F, logits, words):
    counts = F.cast(words != 0, "float32")
    return -F.sum(F.pick(F.log_softmax(logits), words) * counts) / F.sum(counts)


class WithLoss(nn.HybridBlock):
    """A network and its loss as one graph."""

    def __init__(self, net, loss_of):
        super().__init__()
        self.net, self.loss_of = net, loss_of

    def hybrid_forward(self, F, *batch):
        return self.loss_of(F, self.net(*batch[:-1]), batch[-1])


# ---------------------------------------------------------------- training


def build(name, weights, arrays):
    """The network, its loss, the optimiser with its learning rate, and the limit of the gradients' norm."""
    if name == "linear_regression":
        return linear_regression(), squared_error, "sgd", 0.03, None
    if name == "lenet":
        return lenet(), cross_entropy, "sgd", 0.1, None
    if name == "resnet18":
        return resnet18(), cross_entropy, "sgd", 0.0001, None
    if name == "gru":
        return CharacterModel(), character_loss, "sgd", 1.0, 1.0
    if name == "transformer":
        (words, features), others = weights["source.weight"].shape, len(weights["target.weight"])
        return Transformer(words, others, features, arrays[0].shape[1]), word_loss, "adam", 0.001, 1.0
    if name == "matrix_factorisation":
        (users, factors), items = weights["users.weight"].shape, len(weights["items.weight"])
        return MatrixFactorisation(users, items, factors), squared_error, "adam", 0.002, None
    units = [len(array) for path, array in weights.items() if path.endswith(".bias")]
    return perceptron(*units), cross_entropy, "sgd", 0.1, None


def load(net, weights):
    """Give every parameter its value; Gluon calls the factor of a normalisation gamma and its shift beta."""
    for path, parameter in net._collect_params_with_prefix().items():
        path = re.sub(r"gru\._unfused\.0\.([ih])2h_(weight|bias)", r"gru.\2_\1h", path)
        path = path.replace("gamma", "weight").replace("beta", "bias")
        if path in weights:
            parameter.set_data(nd.array(weights[path]))
        elif path != "positions":
            raise KeyError(path)


def prepare(name, form, weights, arrays, batch):
    net, loss_of, optimiser, lr, clip_norm = build(name, weights, arrays)
    net.initialize()
    load(net, weights)
    train = WithLoss(net, loss_of)
    train.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), optimiser, {"learning_rate": lr}, kvstore=None)
    trainer.optimizer.aggregate_num = 45 if optimiser == "sgd" else 0
    parameters = [p for p in net.collect_params().values() if p.grad_req != "null"]
    data = [nd.array(array, dtype=array.dtype) for array in arrays]
    taken = 0

    def step(indices):
        nonlocal taken
        with autograd.record():
            loss = train(*(nd.take(array, indices) for array in data))
        loss.backward()
        if clip_norm is not None:
            gluon.utils.clip_global_norm([p.grad() for p in parameters], clip_norm, check_isfinite=False)
        if optimiser == "adam":  # MXNet adds epsilon before v is corrected
            taken += 1
            trainer.optimizer.epsilon = 1e-8 * (1 - 0.999**taken) ** 0.5
        trainer.step(1)
        return loss

    def epoch(order):
        batches = nd.array(order.reshape(-1, batch), dtype="int32")
        return nd.concat(*[step(indices) for indices in batches], dim=0).asnumpy().tolist()

    return epoch
