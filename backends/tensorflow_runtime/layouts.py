"""Between the layouts of tensors and those that kernels want: images and filters channels last, matrices as they are.

In a graph, what lies elementwise between two transposes is computed again in the other layout, so that neither is left;
the graph drops what nobody reads.
"""

import math

import numpy as np
from d2l_backends.tensorflow_runtime.importing import tf
from d2l_backends.tensorflow_runtime.operands import vector
from tensorflow.python.eager import record

_raw = tf.raw_ops
_ELEMENTWISE = {
    "Relu": tf.nn.relu,
    "Sigmoid": tf.sigmoid,
    "Tanh": tf.tanh,
    "Sqrt": tf.sqrt,
    "AddV2": tf.add,
    "Sub": tf.subtract,
    "Mul": tf.multiply,
    "RealDiv": tf.realdiv,
}


def channels_last(x):
    """(N, C, *spatial) as (N, *spatial, C)."""
    return _turned(x, _last, _behind_first)


def channels_first(x):
    """(N, *spatial, C) as (N, C, *spatial)."""
    return _transposed(x, _first(len(x.shape)))


def filters_last(x):
    """Filters (out, in, *window) as (*window, in, out); those of a state that is kept so are taken as they are."""
    origin = _behind_variable(x) if _is_of_graph(x) else None
    if origin is None:
        return _filters_last(x)
    with record.stop_recording():
        filters = _raw.Identity(input=origin)
    record.record_operation("FiltersLast", [filters], [x], lambda gradient: [filters_first(gradient)])
    return filters


def _filters_last(x):
    outputs, inputs, *window = x.shape
    pixels = _reshaped(x, (outputs, inputs, math.prod(window)))  # transposed in three quarters of the time
    return _reshaped(_transposed(pixels, (2, 1, 0)), (*window, inputs, outputs))


def filters_first(x):
    """Filters (*window, in, out) as (out, in, *window)."""
    *window, inputs, outputs = x.shape
    pixels = _reshaped(x, (math.prod(window), inputs, outputs))
    return _reshaped(_transposed(pixels, (2, 1, 0)), (outputs, inputs, *window))


def laid_out(state):
    """The state of a model as it is kept between steps: what has the axes of filters for images has them last."""
    return [_turned(x, _filters_last, _behind_filters_first) if _may_be_filters(x) else x for x in state]


def plain(state):
    """The opposite of `laid_out`."""
    return [filters_first(x) if _may_be_filters(x) else x for x in state]


def _may_be_filters(x):
    return len(x.shape) > 3 and x.dtype.is_floating


# ---------------------------------------------------------------- graphs


def _turned(x, turn, behind):
    """``turn(x)``, without a transpose if x comes by elementwise operations alone from tensors that have been turned
    back: `behind` finds such a tensor, or None."""
    known = {}

    def look(x):
        if x.ref() not in known:
            known[x.ref()] = _computed(x, turn, behind, look)
        return known[x.ref()]

    found = look(x)
    return turn(x) if found is None else found


def _computed(x, turn, behind, look):
    if not _is_of_graph(x):
        return None
    found = behind(x)
    if found is not None or x.op.type not in _ELEMENTWISE:
        return found
    sides = list(x.op.inputs)
    if any(side.shape.rank and side.shape != x.shape for side in sides):
        return None
    origins = [look(side) if side.shape.rank else side for side in sides]
    if all(origin is None or origin is side for origin, side in zip(origins, sides, strict=True)):
        return None
    turned = [turn(side) if origin is None else origin for origin, side in zip(origins, sides, strict=True)]
    return _ELEMENTWISE[x.op.type](*turned)


def matrices_turned(x):
    """What x is the stack of transposed matrices of, if a graph has just made it so; None if not."""
    rank = len(x.shape)
    order = (*range(rank - 2), rank - 1, rank - 2)
    return x.op.inputs[0] if _is_of_graph(x) and _is_transpose(x, order) else None


def _behind_first(x):
    return x.op.inputs[0] if _is_transpose(x, _first(len(x.shape))) else None


def _behind_filters_first(x):
    """What `filters_first` made x of; the gradient of `filters_last` has the same operations."""
    outputs, inputs, *window = x.shape
    if x.op.type != "Reshape" or not _is_transpose(x.op.inputs[0], (2, 1, 0)):
        return None
    pixels = x.op.inputs[0].op.inputs[0]
    before = pixels.op.inputs[0] if pixels.op.type == "Reshape" else pixels
    return before if before.shape == (*window, inputs, outputs) else None


def _behind_variable(x):
    while x.op.type == "Identity":
        x = x.op.inputs[0]
    return _behind_filters_first(x)


def _is_of_graph(x):
    """Whether x is made in the graph that is being built, and not before or outside."""
    return not isinstance(x, tf.__internal__.EagerTensor) and x.graph is tf.compat.v1.get_default_graph()


def _is_transpose(x, order):
    if x.op.type != "Transpose" or len(x.shape) != len(order):
        return False
    permutation = x.op.inputs[1]
    if permutation.op.type == "InvertPermutation":
        inverse = tf.get_static_value(permutation.op.inputs[0])
        return inverse is not None and tuple(np.argsort(inverse)) == order
    found = tf.get_static_value(permutation)
    return found is not None and tuple(found) == order


# ---------------------------------------------------------------- operations


def _last(x):
    return _transposed(x, (0, *range(2, len(x.shape)), 1))


def _first(rank):
    return 0, rank - 1, *range(1, rank - 1)


def _transposed(x, order):
    return _raw.Transpose(x=x, perm=vector(order))


def _reshaped(x, shape):
    return _raw.Reshape(tensor=x, shape=vector(shape))
