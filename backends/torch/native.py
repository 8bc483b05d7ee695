"""PyTorch's own layers and optimisers with our weights, to check ours against."""

import copy

import torch
from torch import nn


def native_layer(kind, options, weights, /):
    build = _LAYERS[kind]
    state = {name: torch.tensor(value) for name, value in weights.items()}

    def call(*arrays):
        inputs = [torch.tensor(array) for array in arrays]
        layer = build(options, state, inputs[0].ndim).eval()
        _load(layer, kind, state)
        with torch.no_grad():
            return _numpy(_CALLS.get(kind, nn.Module.__call__)(layer, *inputs))

    return call


def _load(layer, kind, state):
    suffix = "_l0" if kind == "RNN" else ""
    layer.load_state_dict({name + suffix: value for name, value in state.items()})


def _numpy(result):
    return tuple(_numpy(x) for x in result) if isinstance(result, tuple) else result.numpy()


def _linear(options, state, rank):
    out_features, in_features = state["weight"].shape
    return nn.Linear(in_features, out_features, bias="bias" in state, dtype=state["weight"].dtype)


def _conv2d(options, state, rank):
    weight, groups = state["weight"], options.get("groups", 1)
    return nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),
        options.get("stride", 1),
        options.get("padding", 0),
        options.get("dilation", 1),
        groups,
        "bias" in state,
        dtype=weight.dtype,
    )


def _batch_norm(options, state, rank):
    layer = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[rank]
    return layer(len(state["running_mean"]), options.get("eps", 1e-5), dtype=state["running_mean"].dtype)


def _max_pool2d(options, state, rank):
    return nn.MaxPool2d(options["window"], options.get("stride"), options.get("padding", 0))


def _avg_pool2d(options, state, rank):
    return nn.AvgPool2d(options["window"], options.get("stride"), options.get("padding", 0))


def _embedding(options, state, rank):
    return nn.Embedding(*state["weight"].shape, dtype=state["weight"].dtype)


def _rnn(options, state, rank):
    hidden, inputs = state["weight_ih"].shape
    return nn.RNN(inputs, hidden, dtype=state["weight_ih"].dtype)


def _call_rnn(layer, x, state):
    outputs, last = layer(x, state[None])
    return outputs, last[0]


_LAYERS = {
    "Linear": _linear,
    "Conv2d": _conv2d,
    "BatchNorm": _batch_norm,
    "MaxPool2d": _max_pool2d,
    "AvgPool2d": _avg_pool2d,
    "Embedding": _embedding,
    "RNN": _rnn,
}
_CALLS = {"RNN": _call_rnn, "Embedding": lambda layer, indices: layer(indices.to(torch.int64))}


def native_optimiser(kind, options, /):
    build = _OPTIMISERS[kind]

    def step(params, grads, state):
        tensors = [torch.tensor(p) for p in params]
        optimiser = build(tensors, options)
        if state is not None:
            optimiser.load_state_dict(copy.deepcopy(state))
        for tensor, gradient in zip(tensors, grads, strict=True):
            tensor.grad = torch.tensor(gradient)
        optimiser.step()
        return [tensor.numpy() for tensor in tensors], optimiser.state_dict()

    return step


def _sgd(tensors, options):
    momentum, decay = options.get("momentum", 0.0), options.get("weight_decay", 0.0)
    return torch.optim.SGD(tensors, options["lr"], momentum, weight_decay=decay)


def _adam(tensors, options):
    betas = options.get("beta1", 0.9), options.get("beta2", 0.999)
    return torch.optim.Adam(tensors, options["lr"], betas, options.get("eps", 1e-8), options.get("weight_decay", 0.0))


_OPTIMISERS = {"SGD": _sgd, "Adam": _adam}
