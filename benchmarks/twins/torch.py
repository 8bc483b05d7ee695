"""PyTorch by hand: modules and functions of torch.nn, fused optimisers where they pay, eager and torch.compile."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import nn

FORMS: tuple[str, ...] = ("eager", "compiled")
DOUBLES = ("linear_regression", "resnet18", "transformer")

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PADDING = 0


class Residual(nn.Module):
    def __init__(self, before, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, padding=1, stride=stride)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv3 = nn.Conv2d(before, channels, 1, stride=stride) if stride > 1 else None
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.conv3 is None else self.conv3(x)))


class CharacterModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.output = nn.GRU(28, 32), nn.Linear(32, 28)

    def forward(self, characters):
        hidden, _ = self.gru(F.one_hot(characters.T, 28).float())
        return self.output(hidden)


class Attention(nn.Module):
    """Multi-head attention with its projections of queries, keys and values in one matrix, or in two across."""

    def __init__(self, hidden, heads, across=False):
        super().__init__()
        self.heads, self.across = heads, across
        if across:
            self.query, self.key_value = (
                nn.Linear(hidden, hidden, bias=False),
                nn.Linear(hidden, 2 * hidden, bias=False),
            )
        else:
            self.query_key_value = nn.Linear(hidden, 3 * hidden, bias=False)
        self.output = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x, memory=None, mask=None, causal=False):
        parts = (
            [self.query(x), *self.key_value(memory).chunk(2, -1)]
            if self.across
            else self.query_key_value(x).chunk(3, -1)
        )
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.output(seen.transpose(1, 2).flatten(-2))


class EncoderBlock(nn.Module):
    def __init__(self, hidden, ffn, heads):
        super().__init__()
        self.attention, self.norm1 = Attention(hidden, heads), nn.LayerNorm(hidden)
        self.ffn = nn.Sequential(nn.Linear(hidden, ffn), nn.ReLU(), nn.Linear(ffn, hidden))
        self.norm2 = nn.LayerNorm(hidden)

    def forward(self, x, mask):
        x = self.norm1(x + self.attention(x, mask=mask))
        return self.norm2(x + self.ffn(x))


class DecoderBlock(nn.Module):
    def __init__(self, hidden, ffn, heads):
        super().__init__()
        self.attention1, self.norm1 = Attention(hidden, heads), nn.LayerNorm(hidden)
        self.attention2, self.norm2 = Attention(hidden, heads, across=True), nn.LayerNorm(hidden)
        self.ffn = nn.Sequential(nn.Linear(hidden, ffn), nn.ReLU(), nn.Linear(ffn, hidden))
        self.norm3 = nn.LayerNorm(hidden)

    def forward(self, x, memory, mask):
        x = self.norm1(x + self.attention1(x, causal=True))
        x = self.norm2(x + self.attention2(x, memory, mask))
        return self.norm3(x + self.ffn(x))


class Transformer(nn.Module):
    def __init__(self, steps, hidden=256, ffn=64, heads=4, blocks=2):
        super().__init__()
        self.source, self.target = nn.Embedding(194, hidden), nn.Embedding(214, hidden)
        self.encoder = nn.ModuleList(EncoderBlock(hidden, ffn, heads) for _ in range(blocks))
        self.decoder = nn.ModuleList(DecoderBlock(hidden, ffn, heads) for _ in range(blocks))
        self.output = nn.Linear(hidden, 214)
        angles = torch.arange(steps)[:, None] / 10000 ** (torch.arange(0, hidden, 2) / hidden)
        positions = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
        self.register_buffer("positions", positions, persistent=False)
        self.register_buffer("steps", torch.arange(steps), persistent=False)
        self.scale = hidden**0.5

    def forward(self, source, lengths, target):
        mask = (self.steps < lengths[:, None])[:, None, None]
        memory = self.source(source) * self.scale + self.positions
        for block in self.encoder:
            memory = block(memory, mask)
        x = self.target(target) * self.scale + self.positions
        for block in self.decoder:
            x = block(x, memory, mask)
        return self.output(x)


class MatrixFactorisation(nn.Module):
    def __init__(self, factors=30):
        super().__init__()
        self.users, self.items = nn.Embedding(943, factors), nn.Embedding(1682, factors)
        self.user_bias, self.item_bias = nn.Embedding(943, 1), nn.Embedding(1682, 1)

    def forward(self, users, items):
        products = (self.users(users) * self.items(items)).sum(-1)
        return products + self.user_bias(users).squeeze(-1) + self.item_bias(items).squeeze(-1)


def perceptron(weights):
    matrices = [array for path, array in weights.items() if path.endswith("weight")]
    layers = [nn.Flatten()]
    for matrix in matrices:
        layers += [nn.Linear(matrix.shape[1], matrix.shape[0]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )


def resnet18():
    stem = (nn.Conv2d(1, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    blocks = [Residual(64, 64), Residual(64, 64)]
    for channels in (128, 256, 512):
        blocks += [Residual(channels // 2, channels, stride=2), Residual(channels, channels)]
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*stem, *blocks, pool, nn.Linear(512, 10))


def network(name, weights, arrays):
    if name == "linear_regression":
        return nn.Sequential(nn.Linear(2, 1))
    if name == "transformer":
        return Transformer(arrays[0].shape[1])
    if name in ("softmax_regression", "mlp_small", "mlp"):
        return perceptron(weights)
    return {"lenet": lenet, "resnet18": resnet18, "gru": CharacterModel, "matrix_factorisation": MatrixFactorisation}[
        name
    ]()


def load(net, weights):
    """Give the network its initial weights, some of which it keeps under other names or in one matrix."""
    state = {}
    for path, array in weights.items():
        path = path.replace("ffn.dense1", "ffn.0").replace("ffn.dense2", "ffn.2")
        if path.startswith("gru."):
            path += "_l0"
        state[path] = torch.tensor(array)
    for prefix in [path.removesuffix("query.weight") for path in state if path.endswith("query.weight")]:
        query, key, value = (state.pop(f"{prefix}{part}.weight") for part in ("query", "key", "value"))
        if "attention2" in prefix:
            state |= {f"{prefix}query.weight": query, f"{prefix}key_value.weight": torch.cat([key, value])}
        else:
            state[f"{prefix}query_key_value.weight"] = torch.cat([query, key, value])
    counters = {path: value for path, value in net.state_dict().items() if path.endswith("num_batches_tracked")}
    net.load_state_dict(state | counters)


def loss_of(name, net):
    if name in ("linear_regression", "matrix_factorisation"):
        return lambda *batch: F.mse_loss(net(*batch[:-1]), batch[-1])
    if name == "gru":
        return lambda X, y: F.cross_entropy(net(X).flatten(0, 1), y.T.flatten())
    if name == "transformer":
        return lambda *batch: F.cross_entropy(net(*batch[:-1]).flatten(0, 1), batch[-1].flatten(), ignore_index=PADDING)
    return lambda X, y: F.cross_entropy(net(X), y)


def optimiser_of(name, parameters):
    if name in ("transformer", "matrix_factorisation"):
        return torch.optim.Adam(parameters, lr=0.001 if name == "transformer" else 0.002, fused=True)
    rates = {"linear_regression": 0.03, "resnet18": 0.0001, "gru": 1.0}
    many = name == "resnet18"  # for a handful of tensors the loop is quicker than the fused kernel on a CPU
    return torch.optim.SGD(parameters, lr=rates.get(name, 0.1), fused=many)


def prepare(name, form, weights, arrays, batch):
    if any(array.dtype == "float64" for array in weights.values()):
        torch.set_default_dtype(torch.float64)
    net = network(name, weights, arrays)
    load(net, weights)
    net.to(DEVICE).train()
    parameters = list(net.parameters())
    loss = loss_of(name, net)
    if form == "compiled":
        loss = torch.compile(loss)
    optimiser = optimiser_of(name, parameters)
    clip = name in ("gru", "transformer")
    data = [torch.tensor(a, dtype=torch.int64 if a.dtype.kind == "i" else None, device=DEVICE) for a in arrays]

    def step(*examples):
        value = loss(*examples)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimiser.step()
        return value.detach()

    def epoch(order):
        rows = torch.from_numpy(order).to(DEVICE)
        batches = zip(*(tensor[rows].split(batch) for tensor in data), strict=True)
        return torch.stack([step(*examples) for examples in batches]).tolist()

    return epoch
