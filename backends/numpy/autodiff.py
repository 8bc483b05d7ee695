"""Differentiation by autograd; nothing is compiled."""

import autograd.numpy as np
import numpy
from autograd.core import SparseObject, VJPNode, add_outgrads, vspace
from autograd.extend import defvjp, defvjp_argnums, primitive, register_notrace
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vjps import nograd_functions
from autograd.tracer import isbox, new_box, trace_primitives_map, trace_stack
from autograd.util import toposort
from d2l_backends.numpy.arrays import as_tensor, broadcast_to, plain, stack, sum_to, whole, zeros_like

from d2l_core import tree
from d2l_core._allocator import keep_freed_memory
from d2l_core.axes import positions
from d2l_core.errors import outside_tensor


class _Node(VJPNode):
    """A node that knows its dtype, since some of autograd's rules turn float32 into float64."""

    __slots__ = ("dtype",)

    def __init__(self, value, function, args, kwargs, argnums, parents):
        rules = _RULES.get(function)
        if rules is None or None in [rules[argnum] for argnum in argnums]:
            super().__init__(value, function, args, kwargs, argnums, parents)
        else:
            self.parents = parents
            pullbacks = [rules[argnum](value, *args, **kwargs) for argnum in argnums]
            self.vjp = lambda g: [pullback(g) for pullback in pullbacks]
        self.dtype = getattr(value, "dtype", None)  # decompositions, and gradients of indexing, are no arrays

    def initialize_root(self, dtype):
        super().initialize_root()
        self.dtype = dtype


@primitive
def _untake(g, index, space):
    """The gradient of indexing: g added into zeros at the index, without a loop over elements where none can repeat."""
    repeats = any(isinstance(part, (list, numpy.ndarray)) for part in (index if isinstance(index, tuple) else (index,)))

    def add(total):
        if repeats:
            numpy.add.at(total, index, g)
        else:
            total[index] += g
        return total

    return SparseObject(space, add)


defvjp(_untake, lambda answer, g, index, space: lambda h: h[index])


def _spread(answer, x, axis=None, keepdims=False):
    """The gradient of a sum, repeated along the axes that were summed."""
    shape, axes = x.shape, positions(axis, x.ndim)
    kept = tuple(1 if a in axes else n for a, n in enumerate(shape))
    return lambda g: broadcast_to(np.reshape(g, kept), shape)


def _back_to(x, pullback=lambda g: g):
    """A pullback whose result is summed to the shape that x had before it was broadcast."""
    shape = numpy.shape(x)
    return lambda g: sum_to(pullback(g), shape)


def _masked(condition):
    return lambda g: np.where(condition, g, np.zeros_like(g))


_RULES = {  # in place of autograd's, which sum one axis after the other, add zeros of float64 or go through cosh
    np.add: (lambda y, a, b: _back_to(a), lambda y, a, b: _back_to(b)),
    np.subtract: (lambda y, a, b: _back_to(a), lambda y, a, b: _back_to(b, np.negative)),
    np.multiply: (lambda y, a, b: _back_to(a, lambda g: g * b), lambda y, a, b: _back_to(b, lambda g: g * a)),
    np.divide: (lambda y, a, b: _back_to(a, lambda g: g / b), lambda y, a, b: _back_to(b, lambda g: -g * y / b)),
    trace_primitives_map[numpy.where]: (None, lambda y, c, *_: _masked(c), lambda y, c, *_: _masked(c == 0)),
    np.tanh: (lambda y, x: lambda g: g * (1.0 - y * y),),
    np.sum: (_spread,),
    ArrayBox.__getitem__: (lambda y, x, index: lambda g: _untake(g, index, vspace(x)),),
}

for _function in (*nograd_functions, whole):  # comparisons and the like, which autograd knows by the class of the node
    register_notrace(_Node, _function)


def differentiate(f, /):
    def value_and_gradient(inputs, *args):
        with trace_stack.new_trace() as level:
            roots = [_Node.new_root(x.dtype) for x in inputs]
            boxes = [new_box(x, level, root) for x, root in zip(inputs, roots, strict=True)]
            value, aux = f(boxes, *args)
        gradients = _backward(value, level, roots)
        filled = [zeros_like(x) if g is None else as_tensor(g) for g, x in zip(gradients, inputs, strict=True)]
        return (_unbox(value, level), tree.map(lambda leaf: _unbox(leaf, level), aux)), filled

    return value_and_gradient


def _unbox(x, level):
    return as_tensor(x._value if isbox(x) and x._trace == level else x)


def _backward(value, level, roots):
    """The gradient with respect to each root, None where the value does not depend on it."""
    if not (isbox(value) and value._trace == level):
        return [None] * len(roots)
    gradients = {value._node: (numpy.ones(value.shape, value.dtype), False)}
    for node in toposort(value._node):
        if not node.parents:
            continue
        arriving, _ = gradients.pop(node)
        for parent, part in zip(node.parents, node.vjp(arriving), strict=True):
            if parent.dtype is not None and getattr(part, "dtype", parent.dtype) != parent.dtype:
                part = part.astype(parent.dtype)
            gradients[parent] = add_outgrads(gradients.get(parent), part)
    return [gradients.get(root, (None,))[0] for root in roots]


def stop_gradient(x, /):
    return as_tensor(plain(x))


def custom_vjp(f, /):
    def call(inputs):
        outputs, backward = f([as_tensor(plain(x)) for x in inputs])
        outputs = [as_tensor(y) for y in outputs]
        if True in map(isbox, outputs):
            raise outside_tensor()
        level = max((x._trace for x in inputs if isbox(x)), default=None)
        if level is None:
            return outputs
        below = [as_tensor(_below(x, level - 1)) for x in inputs]
        if True in map(isbox, below):  # differentiated twice: backward has to see what is differentiated outside
            backward = f(below)[1]
        return list(_ruled(tuple(outputs), backward, *inputs))

    return call


def _below(x, level):
    """x without its boxes above a level of differentiation."""
    while isbox(x) and x._trace > level:
        x = x._value
    return x


@primitive
def _ruled(outputs, backward, *inputs):
    """Plain outputs whose derivative with respect to the inputs is `backward`."""
    return outputs


def _rule(argnums, answer, args, kwargs):
    def pullback(gradients):
        parts = args[1]([as_tensor(g) for g in gradients])
        return [_below(parts[argnum - 2], trace_stack.top) for argnum in argnums]

    return pullback


defvjp_argnums(_ruled, _rule)


def compile(f, /):
    keep_freed_memory()
    return f


def scan(f, init, xs, /):
    carry, results = init, []
    length = tree.leaves(xs)[0].shape[0]
    for t in range(length):
        carry, y = f(carry, tree.map(lambda x, t=t: x[t], xs))
        results.append(y)
    columns = zip(*map(tree.leaves, results), strict=True)
    return carry, tree.unflatten(results[0], [stack(column) for column in columns])
