"""The framework's own layers (Flax NNX) and optimisers (Optax), as references for ours.

Both are imported only where they are used, so that loading the backend stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from d2l_backends.jax import adapter

from d2l_core.errors import BackendError, UsageError


def native_layer(kind, options, weights, /):
    try:
        build = _LAYERS[kind]
    except KeyError:
        raise UsageError(f"There is no native layer {kind!r}; choose one of: {', '.join(_LAYERS)}.") from None
    return build(dict(options), {name: np.asarray(value) for name, value in weights.items()})


def _linear(options, weights):
    from flax import nnx

    weight = weights["weight"]
    layer = nnx.Linear(*weight.shape[::-1], use_bias="bias" in weights, **_typed(weight))
    _set(layer.kernel, weight.T)
    _set(layer.bias, weights.get("bias"))
    return lambda x: np.array(layer(jnp.array(x)))


def _conv(options, weights):
    from flax import nnx

    weight, groups = weights["weight"], options.get("groups", 1)
    rank = weight.ndim - 2
    layer = nnx.Conv(
        weight.shape[1] * groups,
        weight.shape[0],
        weight.shape[2:],
        _each(options.get("stride", 1), rank),
        padding=[(p, p) for p in _each(options.get("padding", 0), rank)],
        kernel_dilation=_each(options.get("dilation", 1), rank),
        feature_group_count=groups,
        use_bias="bias" in weights,
        **_typed(weight),
    )
    _set(layer.kernel, weight.transpose(*range(2, weight.ndim), 1, 0))
    _set(layer.bias, weights.get("bias"))
    return _channels_first(layer)


def _batch_norm(options, weights):
    from flax import nnx

    mean = weights["running_mean"]
    layer = nnx.BatchNorm(len(mean), use_running_average=True, axis=1, epsilon=options.get("eps", 1e-5), **_typed(mean))
    _set(layer.scale, weights["weight"])
    _set(layer.bias, weights["bias"])
    _set(layer.mean, mean)
    _set(layer.var, weights["running_var"])
    return lambda x: np.array(layer(jnp.array(x)))


def _pool(kind, rank, options, weights):
    from flax import nnx

    window, stride = _each(options["window"], rank), options.get("stride")
    stride = window if stride is None else _each(stride, rank)
    sides = [(p, p) for p in _each(options.get("padding", 0), rank)]
    return _channels_first(lambda x: getattr(nnx, kind)(x, window, stride, sides))


def _embedding(options, weights):
    from flax import nnx

    weight = weights["weight"]
    layer = nnx.Embed(*weight.shape, **_typed(weight))
    _set(layer.embedding, weight)
    return lambda indices: np.array(layer(jnp.array(indices)))


def _rnn(options, weights):
    """Flax keeps one bias where we keep two: theirs is the sum of ours."""
    from flax import nnx

    weight_ih, weight_hh = weights["weight_ih"], weights["weight_hh"]
    cell = nnx.SimpleCell(*weight_ih.shape[::-1], **_typed(weight_ih))
    _set(cell.dense_i.kernel, weight_ih.T)
    _set(cell.dense_h.kernel, weight_hh.T)
    if "bias_ih" in weights:
        _set(cell.dense_i.bias, weights["bias_ih"] + weights["bias_hh"])
    layer = nnx.RNN(cell, time_major=True, return_carry=True)

    def run(x, state):
        last, outputs = layer(jnp.array(x), initial_carry=jnp.array(state))
        return np.array(outputs), np.array(last)

    return run


def _layer_norm(options, weights):
    from flax import nnx

    layer = nnx.LayerNorm(len(weights["weight"]), epsilon=options["eps"], **_typed(weights["weight"]))
    _set(layer.scale, weights["weight"])
    _set(layer.bias, weights["bias"])
    return lambda x: np.array(layer(jnp.array(x)))


def _group_norm(options, weights):
    """Flax wants channels last, whatever the number of axes."""
    from flax import nnx

    weight = weights["weight"]
    layer = nnx.GroupNorm(len(weight), options["groups"], epsilon=options["eps"], **_typed(weight))
    _set(layer.scale, weight)
    _set(layer.bias, weights["bias"])
    return lambda x: np.moveaxis(np.array(layer(jnp.moveaxis(jnp.array(x), 1, -1))), -1, 1)


def _gru(options, weights):
    """Linen's cell: NNX's has no bias for the candidate's part of the state. Summed biases stand together."""
    from flax import linen

    parts = {name: np.split(value, 3) for name, value in weights.items()}
    params = {}
    for k, gate in enumerate("rzn"):
        ahead, back = parts["bias_ih"][k], parts["bias_hh"][k]
        params[f"i{gate}"] = {"kernel": parts["weight_ih"][k].T, "bias": ahead if gate == "n" else ahead + back}
        params[f"h{gate}"] = {"kernel": parts["weight_hh"][k].T} | ({"bias": back} if gate == "n" else {})
    cell = linen.GRUCell(weights["weight_hh"].shape[1], param_dtype=weights["weight_hh"].dtype)
    layer = linen.RNN(cell, time_major=True, return_carry=True)

    def run(x, state):
        last, outputs = layer.apply({"params": {"cell": params}}, jnp.array(x), initial_carry=jnp.array(state))
        return np.array(outputs), np.array(last)

    return run


def _lstm(options, weights):
    """Flax keeps one bias where we keep two: theirs is the sum of ours."""
    from flax import nnx

    weight_ih, weight_hh = weights["weight_ih"], weights["weight_hh"]
    cell = nnx.OptimizedLSTMCell(weight_ih.shape[1], weight_hh.shape[1], **_typed(weight_ih))
    _set(cell.dense_i.kernel, weight_ih.T)
    _set(cell.dense_h.kernel, weight_hh.T)
    _set(cell.dense_h.bias, weights["bias_ih"] + weights["bias_hh"])
    layer = nnx.RNN(cell, time_major=True, return_carry=True)

    def run(x, hidden, cell):
        last, outputs = layer(jnp.array(x), initial_carry=(jnp.array(cell), jnp.array(hidden)))
        return np.array(outputs), np.array(last[1]), np.array(last[0])

    return run


_LAYERS: dict[str, Callable[..., Any]] = {
    "Linear": _linear,
    "Conv2d": _conv,
    "Conv3d": _conv,
    "BatchNorm": _batch_norm,
    "MaxPool2d": partial(_pool, "max_pool", 2),
    "AvgPool2d": partial(_pool, "avg_pool", 2),
    "MaxPool3d": partial(_pool, "max_pool", 3),
    "AvgPool3d": partial(_pool, "avg_pool", 3),
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "RNN": _rnn,
    "GRU": _gru,
    "LSTM": _lstm,
}


def _typed(weight: np.ndarray) -> dict[str, Any]:
    from flax import nnx

    return {"dtype": weight.dtype, "param_dtype": weight.dtype, "rngs": nnx.Rngs(0)}


def _set(variable, value):
    if value is not None:
        variable.set_value(jnp.array(value))


def _each(value, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _channels_first(layer):
    def run(x):
        return np.moveaxis(np.array(layer(jnp.moveaxis(jnp.array(x), 1, -1))), -1, 1)

    return run


def native_optimiser(kind, options, /):
    """Optax can put epsilon where our formulas have it, except for Adagrad, whose epsilon stands under the root."""
    import optax

    if kind == "Adagrad" and options["eps"]:
        raise BackendError(adapter.limits["native Adagrad"])
    optimiser = _OPTIMISERS[kind](optax, **options)

    def step(params, grads, state):
        params = [jnp.array(p) for p in params]
        state = optimiser.init(params) if state is None else state
        updates, state = optimiser.update([jnp.array(g) for g in grads], state, params)
        return [np.array(p) for p in optax.apply_updates(params, updates)], state

    return step


def _decayed(optax, weight_decay, rule):
    return optax.chain(optax.add_decayed_weights(weight_decay), rule)


def _sgd(optax, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    return _decayed(optax, weight_decay, optax.sgd(lr, momentum or None, nesterov))


def _adagrad(optax, lr, eps, weight_decay=0.0):
    return _decayed(optax, weight_decay, optax.adagrad(lr, 0.0, eps))


def _rmsprop(optax, lr, rho=0.99, eps=1e-8, momentum=0.0, centred=False, weight_decay=0.0):
    rule = optax.rmsprop(lr, rho, eps, eps_in_sqrt=False, centered=centred, momentum=momentum or None)
    return _decayed(optax, weight_decay, rule)


def _adadelta(optax, lr, rho=0.95, eps=1e-6, weight_decay=0.0):
    return optax.adadelta(lr, rho, eps, weight_decay)


def _adam(optax, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    return _decayed(optax, weight_decay, optax.adam(lr, beta1, beta2, eps))


def _adamw(optax, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return optax.adamw(lr, beta1, beta2, eps, weight_decay=weight_decay)


def _yogi(optax, lr, beta1=0.9, beta2=0.999, eps=1e-3, weight_decay=0.0):
    """`optax.yogi` starts both moments at 1e-6; its parts can start at zero."""
    direction = optax.scale_by_yogi(beta1, beta2, eps, initial_accumulator_value=0.0)
    return _decayed(optax, weight_decay, optax.chain(direction, optax.scale_by_learning_rate(lr)))


def _lion(optax, lr, beta1=0.9, beta2=0.99, weight_decay=0.0):
    return optax.lion(lr, beta1, beta2, weight_decay=weight_decay)


_OPTIMISERS = {
    "SGD": _sgd,
    "Adagrad": _adagrad,
    "RMSprop": _rmsprop,
    "Adadelta": _adadelta,
    "Adam": _adam,
    "AdamW": _adamw,
    "Yogi": _yogi,
    "Lion": _lion,
}
