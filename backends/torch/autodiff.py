"""Gradients from PyTorch's tape, and steps that are recorded once and replayed."""

import contextlib
from contextvars import ContextVar, copy_context

import torch

from d2l_core import tree
from d2l_core._allocator import keep_freed_memory
from d2l_core._tape import signature
from d2l_core.backend import current
from d2l_core.composites.control import placed
from d2l_core.errors import outside_tensor

from .recording import recorder
from .replay import recorded
from .system import to_numpy

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
_FAILURES = RuntimeError, IndexError, ValueError  # of replays


def compile(f, /):
    """The first call of each signature on the CPU is recorded while it runs; the next ones replay it."""
    return _Compiled(f)


class _Compiled:
    """f with its recordings by signature."""

    def __init__(self, f):
        self.f, self.known = f, {}

    def found(self, trees):
        """The leaves of the arguments, their signature, and the recording of it: None if there is none."""
        context, leaves = current(), []
        key = context.precision, context.device, context.compiler, signature(trees, _described, leaves)
        return leaves, key, None if _DEPTH.get() or recorder() is not None else self.known.get(key)

    def __call__(self, *trees):
        leaves, key, recording = self.found(trees)
        if recording is None and key not in self.known and self._records(leaves):
            result, recording = recorded(self.f, trees, leaves)
            self.known[key] = recording
            if recording is None or recording.compiler is None:
                return result  # else a run that is resumed here would differ from one that is not
        if recording is not None:
            with contextlib.suppress(*_FAILURES), recording.scope():
                return recording.again(*leaves)
        return self.f(*trees)  # which has the words for what went wrong, or goes another way

    def _records(self, leaves):
        plain = not _DEPTH.get() and recorder() is None and len(self.known) < _MOST
        return plain and all(isinstance(x, torch.Tensor) and x.is_cpu for x in leaves)


def compile_steps(f, /):
    """As composed, but once a step is recorded the others go on from its state without looking at it."""
    step = compile(f)
    keep_freed_memory()

    def run(state, rows, start, stop, /, *constants):
        results, walks, rows = [], True, tree.map(placed, rows)
        for i in range(start, stop):
            trees = state, tree.map(lambda column, i=i: column[i], rows), *constants
            known = step.found(trees)[2] if walks and i + 1 < stop else None
            if known is not None and known.onwards is not None:
                try:
                    rest, state = _walked(known, state, rows, i, stop, tree.leaves(constants))
                    results += rest
                    break
                except _FAILURES:  # the state is as it was, at most a copy is not
                    walks = False
            result, state = step(*trees)
            results.append(result)
        return tree.map(lambda *leaves: to_numpy(torch.stack(leaves)), *results), list(state)

    return run


def _walked(recording, state, rows, start, stop, constants):
    step, columns, results = recording.onwards, [x[start:stop].unbind(0) for x in tree.leaves(rows)], []
    state = [x.clone() for x in state] if recording.copies else state
    with recording.scope():
        for i in range(stop - start):
            result, state = step(*state, *[column[i] for column in columns], *constants)
            results.append(result)
    return results, state


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
