"""Differentiation, compilation and loops.

JAX sorts the keys of a dict when it takes a tree apart; our trees keep the order of insertion. So every dict
crosses the border as an `_Ordered`, a dict that JAX takes apart and puts together in its own order.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from d2l_backends.jax.system import to_numpy
from jax import lax

from d2l_core import tree
from d2l_core.errors import outside_tensor


class _Ordered(dict):  # type: ignore[type-arg]
    """A dict that is taken apart in the order of insertion."""


# Its own class comes back, because JAX takes the first compiled result apart again to learn its structure.
jax.tree_util.register_pytree_node(
    _Ordered,
    lambda branch: (tuple(branch.values()), tuple(branch)),
    lambda keys, values: _Ordered(zip(keys, values, strict=True)),
)


def _ordered(branch: Any) -> Any:
    if isinstance(branch, dict):
        return _Ordered((key, _ordered(value)) for key, value in branch.items())
    if isinstance(branch, list):
        return [_ordered(value) for value in branch]
    if isinstance(branch, tuple):
        values = [_ordered(value) for value in branch]
        return type(branch)(*values) if hasattr(branch, "_fields") else tuple(values)
    return branch


stop_gradient = lax.stop_gradient


def differentiate(f: Callable[..., Any], /) -> Callable[..., Any]:
    def ordered(inputs: list[Any], *args: Any) -> tuple[Any, Any]:
        value, aux = f(inputs, *args)
        return value, _ordered(aux)

    return jax.value_and_grad(ordered, has_aux=True)


def custom_vjp(f: Callable[..., Any], /) -> Callable[..., Any]:
    @jax.custom_vjp
    def value(*inputs: Any) -> tuple[Any, ...]:
        return tuple(f(list(inputs))[0])

    def forward(*inputs: Any) -> Any:
        outputs, backward = f(list(inputs))
        program = jax.make_jaxpr(lambda *grads: backward(list(grads)))(*outputs)
        if any(isinstance(x, jax.core.Tracer) for x in inputs):  # the rule holds at outer levels too
            outputs = value(*inputs)
        return tuple(outputs), jax.tree_util.Partial(functools.partial(_run, program.jaxpr), program.consts, outputs)

    value.defvjp(forward, lambda pullback, grads: tuple(pullback(grads)))

    def call(inputs: list[Any]) -> list[Any]:
        try:
            return list(value(*inputs))
        except jax.errors.UnexpectedTracerError:
            raise outside_tensor() from None

    return call


def _run(program: Any, constants: Any, outputs: Any, grads: Any) -> Any:
    """The traced function of the gradients, those of integers being zeros."""
    real = [g if g.dtype == y.dtype else jnp.zeros_like(y) for g, y in zip(grads, outputs, strict=True)]
    return jax.core.eval_jaxpr(program, constants, *real)


def rematerialise(f: Callable[..., Any], /) -> Callable[..., Any]:
    """JAX's own, which keeps XLA from taking the second evaluation for the first; gradients reach closures too."""
    return jax.checkpoint(f)  # type: ignore[no-any-return]


def compile(f: Callable[..., Any], /) -> Callable[..., Any]:
    def ordered(state: list[Any], *trees: Any) -> Any:
        return _ordered(f(state, *trees))

    compiled = jax.jit(ordered, donate_argnums=0)

    def run(state: list[Any], *trees: Any) -> Any:
        if len({id(x) for x in state}) < len(state):
            state = _distinct(state)
        return compiled(state, *[_ordered(branch) for branch in trees])

    return run


LOOPED_FLOPS = 1e8
"""Most arithmetic of a step's convolutions if it is compiled into a loop on the processor. XLA does not share those
inside a loop out among cores: measured on two, LeNet took 53 ms in a loop and 16 outside. Products of matrices it does,
and a loop takes memory for what a step computes once: 120 ms in a loop and 142 outside for a transformer (87 MB)."""


def compile_steps(f: Callable[..., Any], /) -> Callable[..., Any]:
    """Steps as one loop where that pays, whose bounds are arguments, so that pieces of any length are one program."""

    def one(state: list[Any], rows: Any, i: Any, constants: Any) -> Any:
        row = jax.tree.map(lambda x: lax.dynamic_index_in_dim(x, i, keepdims=False, allow_negative_indices=False), rows)
        return _ordered(f(state, row, *constants))

    step = jax.jit(one, donate_argnums=0)

    def loop(state: list[Any], rows: Any, start: Any, stop: Any, constants: Any) -> Any:
        count = jax.tree.leaves(rows)[0].shape[0]
        results, _ = jax.eval_shape(step, state, rows, start, constants)
        columns = jax.tree.map(lambda x: jnp.zeros((count, *x.shape), x.dtype), results)

        def body(carry: Any) -> Any:
            i, state, columns = carry
            results, state = step(state, rows, i, constants)
            return i + 1, state, jax.tree.map(lambda column, x: _put(column, x, i), columns, results)

        return lax.while_loop(lambda carry: carry[0] < stop, body, (start, state, columns))[1:]

    looped = jax.jit(loop, donate_argnums=0)
    pays: dict[Any, bool] = {}

    def run(state: list[Any], rows: Any, start: int, stop: int, /, *constants: Any) -> Any:
        if len({id(x) for x in state}) < len(state):
            state = _distinct(state)
        rows, constants = _ordered(rows), _ordered(constants)
        shapes = tuple(x.shape for x in jax.tree.leaves(rows))
        if shapes not in pays:
            program = step.trace(state, rows, np.int32(start), constants).jaxpr
            pays[shapes] = jax.default_backend() != "cpu" or _flops(program.jaxpr) <= LOOPED_FLOPS
        if pays[shapes]:
            state, columns = looped(state, rows, _whole(start), _whole(stop), constants)
            return tree.map(lambda x: to_numpy(x)[start:stop], columns), state
        results, rows = [], jax.tree.map(jnp.asarray, rows)
        for i in range(start, stop):
            result, state = step(state, rows, np.int32(i), constants)
            results.append(result)
        return tree.map(lambda *leaves: np.stack([to_numpy(x) for x in leaves]), *results), state

    return run


@functools.lru_cache
def _whole(number: int) -> Any:
    """On the device, where the same bounds come again with each epoch."""
    with jax.ensure_compile_time_eval():  # nothing of a program that is being traced stays here
        return jax.device_put(np.int32(number))


def _put(column: Any, x: Any, i: Any) -> Any:
    return lax.dynamic_update_index_in_dim(column, x, i, 0, allow_negative_indices=False)


def _flops(program: Any) -> float:
    """The arithmetic of a program's convolutions, two operations for each multiplication."""
    total = 0.0
    for equation in program.eqns:
        inner = sum(_flops(part) for part in equation.params.values() if hasattr(part, "eqns"))
        total += equation.params.get("length", 1) * inner
        if equation.primitive.name == "conv_general_dilated":
            kernel, axis = equation.invars[1].aval.shape, equation.params["dimension_numbers"].rhs_spec[0]
            total += 2 * equation.outvars[0].aval.size * (math.prod(kernel) // kernel[axis])
    return total


def _distinct(state: list[Any]) -> list[Any]:
    """A memory of its own for each tensor: the same one cannot be reused twice."""
    seen: set[int] = set()
    copies = []
    for x in state:
        copies.append(jnp.copy(x) if id(x) in seen else x)
        seen.add(id(x))
    return copies


def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, /) -> tuple[Any, Any]:
    """Compiled as a loop; run step by step in eager code, where XLA would compile each new closure again."""
    if not _traced_by_jit() or tree.leaves(xs)[0].shape[0] == 1:
        return _eager_scan(f, init, xs)

    def ordered(carry: Any, x: Any) -> tuple[Any, Any]:
        carry, y = f(carry, x)
        return _ordered(carry), _ordered(y)

    return lax.scan(ordered, _ordered(init), _ordered(xs))


def while_loop(condition: Callable[[Any], Any], body: Callable[[Any], Any], init: Any, /) -> Any:
    if _traced_by_jit():
        return lax.while_loop(condition, lambda carry: _ordered(body(carry)), _ordered(init))
    carry = init
    while bool(condition(carry)):
        carry = body(carry)
    return carry


def cond(predicate: Any, if_true: Callable[..., Any], if_false: Callable[..., Any], /, *operands: Any) -> Any:
    if isinstance(predicate, jax.core.Tracer) and _traced_by_jit():
        branches = [lambda *given, f=f: _ordered(f(*given)) for f in (if_true, if_false)]
        return lax.cond(predicate, *branches, *map(_ordered, operands))
    return (if_true if bool(predicate) else if_false)(*operands)


def _traced_by_jit() -> bool:
    """Whether even a constant becomes part of a graph here."""
    return isinstance(lax.full((), 0), jax.core.Tracer)


def _eager_scan(f: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any) -> tuple[Any, Any]:
    columns = [jnp.unstack(x) for x in tree.leaves(xs)]
    outputs: list[Any] = []
    for row in zip(*columns, strict=True):
        carry, y = f(carry, tree.unflatten(xs, row))
        outputs.append(y)
    stacked = [jnp.stack(column) for column in zip(*map(tree.leaves, outputs), strict=True)]
    return carry, tree.unflatten(outputs[0], stacked)
