"""Gradients from PyTorch's tape, and steps that are recorded once and replayed."""

import contextlib
from contextvars import ContextVar, copy_context

import torch

from d2l_core import tree
from d2l_core._tape import signature
from d2l_core.backend import current
from d2l_core.errors import outside_tensor

from .recording import recorder
from .replay import recorded

_DEPTH = ContextVar("d2l_torch_depth", default=0)


def differentiated_twice():
    """Whether the running code is inside two nested `differentiate`, so that gradients need gradients."""
    return _DEPTH.get() > 1


def differentiate(f, /):
    def value_aux_and_gradients(inputs, *args):
        depth = _DEPTH.get()
        token = _DEPTH.set(depth + 1)
        try:
            with torch.enable_grad():
                variables = [_variable(x) for x in inputs]
                value, aux = f(variables, *args)
                gradients = _gradients(value, variables, nested=depth > 0)
        finally:
            _DEPTH.reset(token)
        if depth > 0:
            return (value, aux), gradients
        return (value.detach(), tree.map(_plain, aux)), gradients

    return value_aux_and_gradients


def _variable(x):
    """A new tensor to differentiate by, apart from x, so that x itself counts as a constant inside `f`."""
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()


def _gradients(value, variables, nested):
    if not value.requires_grad:
        return [torch.zeros_like(x) for x in variables]
    found = torch.autograd.grad(value, variables, create_graph=nested, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, variables, strict=True)]


def _plain(x):
    return x.detach() if isinstance(x, torch.Tensor) else x


stop_gradient = torch.Tensor.detach


def custom_vjp(f, /):
    def call(inputs):
        outputs, backward = f([x.detach() for x in inputs])
        if any(y.requires_grad for y in outputs):
            raise outside_tensor()
        if not any(x.requires_grad for x in inputs):
            return outputs
        if _DEPTH.get() != 1:  # backward has to see what is differentiated outside
            backward = f(inputs)[1]
        return list(_Ruled.apply(outputs, backward, copy_context(), *inputs))

    return call


class _Ruled(torch.autograd.Function):
    """Outputs whose derivative with respect to the inputs is a given function."""

    @staticmethod
    def forward(ctx, outputs, backward, context, *inputs):
        ctx.rule, ctx.context = backward, context
        return tuple(y.detach() for y in outputs)

    @staticmethod
    def backward(ctx, *grads):
        context = ctx.context.copy()  # cards run this in a thread of their own
        context.run(_DEPTH.set, int(torch.is_grad_enabled()))
        return (None, None, None, *context.run(ctx.rule, list(grads)))


_MOST = 64  # signatures of a compiled function that are recorded


def compile(f, /):
    """The first call of each signature on the CPU is recorded while it runs; the next ones replay it."""
    known = {}

    def run(*trees):
        context, leaves = current(), []
        key = context.precision, context.device, signature(trees, _described, leaves)
        if _DEPTH.get() or recorder() is not None:
            return f(*trees)
        if known.get(key):
            with contextlib.suppress(RuntimeError, IndexError, ValueError):  # f has the words, or goes another way
                return known[key](leaves)
        elif key not in known and len(known) < _MOST and all(isinstance(x, torch.Tensor) and x.is_cpu for x in leaves):
            result, known[key] = recorded(f, trees, leaves)
            return result
        return f(*trees)

    return run


def _described(x):
    return (x.shape, x.stride(), x.dtype, x.device, x.requires_grad) if isinstance(x, torch.Tensor) else None


def scan(f, init, xs, /):
    columns = [x.unbind(0) for x in tree.leaves(xs)]
    carry, outputs = init, []
    for row in zip(*columns, strict=True):
        carry, y = f(carry, tree.unflatten(xs, row))
        outputs.append(y)
    if not outputs:
        return init, _no_outputs(f, init, xs)
    return carry, tree.map(lambda *steps: torch.stack(steps), *outputs)


def _no_outputs(f, init, xs):
    """Outputs of zero steps; one step over zeros tells their shapes."""
    if not tree.leaves(xs):
        raise ValueError("scan needs at least one tensor in xs to know the number of steps.")
    _, y = f(init, tree.map(lambda x: x.new_zeros(x.shape[1:]), xs))
    return tree.map(lambda leaf: leaf.new_zeros((0, *leaf.shape)), y)
