"""The framework's own layers (Flax NNX) and optimisers (Optax), as references for ours.

Both are imported only where they are used, so that loading the backend stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from d2l_core.errors import UsageError

_CHANNELS_LAST = (0, 2, 3, 1)
_CHANNELS_FIRST = (0, 3, 1, 2)


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


def _conv2d(options, weights):
    from flax import nnx

    weight = weights["weight"]
    groups = options.get("groups", 1)
    layer = nnx.Conv(
        weight.shape[1] * groups,
        weight.shape[0],
        weight.shape[2:],
        _pair(options.get("stride", 1)),
        padding=[(p, p) for p in _pair(options.get("padding", 0))],
        kernel_dilation=_pair(options.get("dilation", 1)),
        feature_group_count=groups,
        use_bias="bias" in weights,
        **_typed(weight),
    )
    _set(layer.kernel, weight.transpose(2, 3, 1, 0))
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


def _max_pool2d(options, weights):
    from flax import nnx

    return _pool2d(nnx.max_pool, options)


def _avg_pool2d(options, weights):
    from flax import nnx

    return _pool2d(nnx.avg_pool, options)


def _pool2d(pool, options):
    window = _pair(options["window"])
    stride = options.get("stride")
    stride = window if stride is None else _pair(stride)
    sides = [(p, p) for p in _pair(options.get("padding", 0))]
    return _channels_first(lambda x: pool(x, window, stride, sides))


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


_LAYERS: dict[str, Callable[..., Any]] = {
    "Linear": _linear,
    "Conv2d": _conv2d,
    "BatchNorm": _batch_norm,
    "MaxPool2d": _max_pool2d,
    "AvgPool2d": _avg_pool2d,
    "Embedding": _embedding,
    "RNN": _rnn,
}


def _typed(weight: np.ndarray) -> dict[str, Any]:
    from flax import nnx

    return {"dtype": weight.dtype, "param_dtype": weight.dtype, "rngs": nnx.Rngs(0)}


def _set(variable, value):
    if value is not None:
        variable.set_value(jnp.array(value))


def _pair(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _channels_first(layer):
    def run(x):
        return np.array(layer(jnp.array(x).transpose(_CHANNELS_LAST)).transpose(_CHANNELS_FIRST))

    return run


def native_optimiser(kind, options, /):
    """Optax adds epsilon outside the bias-corrected root and the decay to the gradient, as we do."""
    import optax

    options = dict(options)
    decay = optax.add_decayed_weights(options.pop("weight_decay", 0.0))
    if kind == "SGD":
        rule = optax.sgd(options["lr"], options.get("momentum") or None)
    elif kind == "Adam":
        beta1, beta2 = options.get("beta1", 0.9), options.get("beta2", 0.999)
        rule = optax.adam(options["lr"], beta1, beta2, options.get("eps", 1e-8))
    else:
        raise UsageError(f"There is no native optimiser {kind!r}; choose SGD or Adam.")
    optimiser = optax.chain(decay, rule)

    def step(params, grads, state):
        params = [jnp.array(p) for p in params]
        state = optimiser.init(params) if state is None else state
        updates, state = optimiser.update([jnp.array(g) for g in grads], state, params)
        return [np.array(p) for p in optax.apply_updates(params, updates)], state

    return step
