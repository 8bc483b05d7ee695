"""PyTorch's own layers and optimisers with our weights, to check ours against."""

import copy
import functools

import torch
from d2l_backends.torch import adapter
from torch import nn

from d2l_core.errors import BackendError


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
    suffix = "_l0" if kind in _RECURRENT else ""
    layer.load_state_dict({name + suffix: value for name, value in state.items()})


def _numpy(result):
    return tuple(_numpy(x) for x in result) if isinstance(result, tuple) else result.numpy()


def _linear(options, state, rank):
    out_features, in_features = state["weight"].shape
    return nn.Linear(in_features, out_features, bias="bias" in state, dtype=state["weight"].dtype)


def _conv(layer, options, state, rank):
    weight, groups = state["weight"], options.get("groups", 1)
    return layer(
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


def _pool(layer, options, state, rank):
    return layer(options["window"], options.get("stride"), options.get("padding", 0))


def _embedding(options, state, rank):
    return nn.Embedding(*state["weight"].shape, dtype=state["weight"].dtype)


def _layer_norm(options, state, rank):
    return nn.LayerNorm(state["weight"].shape, options["eps"], dtype=state["weight"].dtype)


def _group_norm(options, state, rank):
    return nn.GroupNorm(options["groups"], len(state["weight"]), options["eps"], dtype=state["weight"].dtype)


def _recurrent(layer, options, state, rank):
    hidden, inputs = state["weight_hh"].shape[1], state["weight_ih"].shape[1]
    return layer(inputs, hidden, dtype=state["weight_ih"].dtype)


def _call_recurrent(layer, x, state):
    outputs, last = layer(x, state[None])
    return outputs, last[0]


def _call_lstm(layer, x, hidden, cell):
    outputs, last = layer(x, (hidden[None], cell[None]))
    return outputs, last[0][0], last[1][0]


_LAYERS = {
    "Linear": _linear,
    "Conv2d": functools.partial(_conv, nn.Conv2d),
    "Conv3d": functools.partial(_conv, nn.Conv3d),
    "BatchNorm": _batch_norm,
    "MaxPool2d": functools.partial(_pool, nn.MaxPool2d),
    "AvgPool2d": functools.partial(_pool, nn.AvgPool2d),
    "MaxPool3d": functools.partial(_pool, nn.MaxPool3d),
    "AvgPool3d": functools.partial(_pool, nn.AvgPool3d),
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "RNN": functools.partial(_recurrent, nn.RNN),
    "GRU": functools.partial(_recurrent, nn.GRU),
    "LSTM": functools.partial(_recurrent, nn.LSTM),
}
_RECURRENT = {"RNN": _call_recurrent, "GRU": _call_recurrent, "LSTM": _call_lstm}
_CALLS = {**_RECURRENT, "Embedding": lambda layer, indices: layer(indices.to(torch.int64))}


def native_optimiser(kind, options, /):
    if kind not in _OPTIMISERS:
        raise BackendError(adapter.limits[f"native {kind}"])
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


def _build(optimiser, tensors, options):
    return optimiser(tensors, **options)


def _rmsprop(tensors, options):
    renamed = {"rho": "alpha", "centred": "centered"}
    return torch.optim.RMSprop(tensors, **{renamed.get(name, name): value for name, value in options.items()})


def _adam(optimiser, tensors, options):
    rest = {name: value for name, value in options.items() if name not in ("beta1", "beta2")}
    return optimiser(tensors, betas=(options.get("beta1", 0.9), options.get("beta2", 0.999)), **rest)


_OPTIMISERS = {
    "SGD": functools.partial(_build, torch.optim.SGD),
    "Adagrad": functools.partial(_build, torch.optim.Adagrad),
    "RMSprop": _rmsprop,
    "Adadelta": functools.partial(_build, torch.optim.Adadelta),
    "Adam": functools.partial(_adam, torch.optim.Adam),
    "AdamW": functools.partial(_adam, torch.optim.AdamW),
}
