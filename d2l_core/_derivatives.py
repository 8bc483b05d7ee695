"""Derivatives of functions of one tensor, made from gradients of sums: products with vectors, and whole matrices."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from d2l_core import interface as xp
from d2l_core.interface import Tensor

Function = Callable[[Tensor], Tensor]


def vjp(f: Function, x: Tensor) -> tuple[Tensor, Function]:
    """Value of f at x, and the function from v, of the value's shape, to ``v' J``, of the shape of x.

    J is the matrix of the derivatives of f's elements at x. This is what backpropagation computes.
    """

    def pullback(v: Tensor) -> Tensor:
        return xp.differentiate(lambda inputs: (xp.sum(f(inputs[0]) * v), None))([x])[1][0]

    return f(x), pullback


def jvp(f: Function, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Value of f at x, and its derivative ``J v`` along v, of the value's shape.

    ``u' J`` is linear in u, and the gradient of ``u' J v`` with respect to u is ``J v``: the derivative along a
    direction from two gradients (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
    """
    value, pullback = vjp(f, x)

    def product(inputs: list[Tensor]) -> tuple[Tensor, None]:
        return xp.sum(pullback(inputs[0]) * v), None

    return value, xp.differentiate(product)([xp.zeros_like(value)])[1][0]


def jacobian(f: Function, x: Tensor) -> Tensor:
    """Derivatives of all elements of f(x) (*m) with respect to all elements of x (*n): (*m, *n).

    One backward pass for each element of f(x), so for small functions.
    """
    value, pullback = vjp(f, x)
    shape = tuple(value.shape)
    units = np.eye(math.prod(shape)).reshape(-1, *shape)
    rows = [pullback(xp.asarray(unit, dtype=value.dtype)) for unit in units]
    return xp.reshape(xp.stack(rows), (*shape, *x.shape))


def hvp(f: Function, x: Tensor, v: Tensor) -> Tensor:
    """Hessian of the 0-d f at x times v, of the shape of x, without the Hessian (Pearlmutter, 1994)."""

    def slope(inputs: list[Tensor]) -> tuple[Tensor, None]:
        return xp.sum(_gradient(f, inputs[0]) * v), None

    return xp.differentiate(slope)([x])[1][0]


def hessian(f: Function, x: Tensor) -> Tensor:
    """Second derivatives of the 0-d f with respect to the elements of x (*n): (*n, *n). For small functions."""
    return jacobian(lambda point: _gradient(f, point), x)


def _gradient(f: Function, x: Tensor) -> Tensor:
    return xp.differentiate(lambda inputs: (f(inputs[0]), None))([x])[1][0]
