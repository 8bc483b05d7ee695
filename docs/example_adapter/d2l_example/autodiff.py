"""The group ``autodiff``: gradients of functions of lists of tensors, and loops."""

import autograd.numpy as np
import numpy
from autograd.builtins import tuple as boxes
from autograd.core import make_vjp
from autograd.extend import defvjp, defvjp_argnums, primitive, vspace
from autograd.tracer import isbox

from d2l_core import tree
from d2l_core.errors import outside_tensor
from d2l_example.tensor import owned, owning


def differentiate(f, /):
    """One backward pass from (value, *leaves of aux), with a gradient of one for the value and of zero for the rest."""

    def value_and_gradients(inputs, *args):
        structure = []

        def flat(tensors):
            value, aux = f([tensors[i] for i in range(len(inputs))], *args)
            structure.append(aux)
            return boxes((value, *tree.leaves(aux)))

        backward, results = make_vjp(flat, tuple(inputs))
        value, *leaves = results
        start = (numpy.ones(value.shape, value.dtype), *(vspace(leaf).zeros() for leaf in leaves))
        gradients = backward(start) if inputs else ()
        typed = [g.astype(x.dtype) for g, x in zip(gradients, inputs, strict=True)]
        return (owned(value), tree.unflatten(structure[-1], map(owned, leaves))), [owned(g) for g in typed]

    return value_and_gradients


@primitive
def stop_gradient(x, /):
    return x


defvjp(stop_gradient, None)


def custom_vjp(f, /):
    """The written derivative as a primitive of autograd, which asks for its rule at each level of differentiation."""

    @primitive
    def ruled(*inputs):
        outputs = tuple(owned(y) for y in f([owned(x) for x in inputs])[0])
        if any(map(isbox, outputs)):
            raise outside_tensor()
        return outputs

    def rule(argnums, answer, args, kwargs):
        backward = f([owned(x) for x in args])[1]

        def pullback(gradients):
            parts = backward([owned(g) for g in gradients])
            return [parts[i] for i in argnums]

        return pullback

    defvjp_argnums(ruled, rule)
    return lambda inputs: list(ruled(*inputs))


def compile(f, /):
    """Nothing is compiled: the function itself is allowed."""
    return f


@owning
def scan(f, init, xs, /):
    carry, results = init, []
    for t in range(tree.leaves(xs)[0].shape[0]):
        carry, y = f(carry, tree.map(lambda x, t=t: owned(x[t]), xs))
        results.append(y)
    columns = zip(*map(tree.leaves, results), strict=True)
    return carry, tree.unflatten(results[0], [np.stack(column) for column in columns])
