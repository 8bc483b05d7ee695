"""Between channels first, as tensors are, and channels last, as the kernels for images want them.

In a graph, what lies elementwise between two such kernels is computed again channels last, so that no transpose is left
of either; the graph drops what nobody reads.
"""

from d2l_backends.tensorflow._framework import tf
from d2l_backends.tensorflow.arrays import vector

_raw = tf.raw_ops
_UNARY = {"Relu": ("features", _raw.Relu), "Sigmoid": ("x", _raw.Sigmoid), "Tanh": ("x", _raw.Tanh)}
_BINARY = {"AddV2": _raw.AddV2, "Sub": _raw.Sub, "Mul": _raw.Mul}


def channels_last(x):
    """(N, C, *spatial) as (N, *spatial, C)."""
    origin = None if tf.executing_eagerly() else _origin(x)
    return _transposed_last(x) if origin is None else origin


def channels_first(x):
    """(N, *spatial, C) as (N, C, *spatial)."""
    return _raw.Transpose(x=x, perm=vector(_first(len(x.shape))))


def _transposed_last(x):
    return _raw.Transpose(x=x, perm=vector((0, *range(2, len(x.shape)), 1)))


def _first(rank):
    return 0, rank - 1, *range(1, rank - 1)


def _origin(x):
    """The same numbers channels last, if they come from such a tensor by elementwise operations alone; else None."""
    if isinstance(x, tf.__internal__.EagerTensor) or x.graph is not tf.compat.v1.get_default_graph():
        return None
    kind, inputs = x.op.type, x.op.inputs
    if kind == "Transpose":
        order = tf.get_static_value(inputs[1])
        return inputs[0] if order is not None and tuple(order) == _first(len(x.shape)) else None
    if kind in _UNARY:
        name, operation = _UNARY[kind]
        origin = _origin(inputs[0])
        return None if origin is None else operation(**{name: origin})
    if kind in _BINARY and inputs[0].shape == inputs[1].shape == x.shape:
        origins = [_origin(side) for side in inputs]
        if origins != [None, None]:
            first, second = (_transposed_last(x) if o is None else o for o, x in zip(origins, inputs, strict=True))
            return _BINARY[kind](x=first, y=second)
    return None
