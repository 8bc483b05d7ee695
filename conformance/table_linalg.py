"""Cases of the group `linalg`: products, norms, equations and decompositions of stacks of small matrices.

Few shapes, used again and again: a compiler takes each decomposition apart anew for each shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from d2l_conformance import oracle
from d2l_conformance._makers import inf
from d2l_conformance.case import Array, Bits, Case, Contraction, Maker, Scaled, Slope, Ulp, sample
from d2l_conformance.table_arrays import LINEAR

from d2l_core import interface as xp

Generator = np.random.Generator
SOLVED = Scaled(4, "Elimination carries the roundings of larger elements, times the condition.")
ROTATED = Scaled(24, "Rotations and reflections carry the roundings of larger elements into all others.")
CARRIED = Slope(12, "The gradient of a solution is that of two solutions, one after the other.")
BENT = Slope(40, "The gradient divides by differences of the values, which are small.")


# ---------------------------------------------------------------- matrices and what is done to them


def _matrices(rng: Generator, *shapes: tuple[int, ...]) -> list[Array]:
    return [np.asarray(rng.normal(size=shape)) for shape in shapes]


def _with_values(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Matrices with the singular values 1, 2, 3 ...: well apart from each other and from zero."""
    rows, columns = shape[-2:]
    k = min(rows, columns)
    left = np.linalg.qr(rng.normal(size=(*shape[:-2], rows, k)))[0]
    right = np.linalg.qr(rng.normal(size=(*shape[:-2], columns, k)))[0]
    return np.asarray((left * np.arange(1.0, k + 1)) @ np.swapaxes(right, -1, -2))


def _definite(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Symmetric matrices with the eigenvalues 1, 2, 3 ..."""
    q = np.linalg.qr(rng.normal(size=shape))[0]
    x = (q * np.arange(1.0, shape[-1] + 1)) @ np.swapaxes(q, -1, -2)
    return np.asarray((x + np.swapaxes(x, -1, -2)) / 2)


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2) if isinstance(x, np.ndarray) else xp.matrix_transpose(x)


def _of_symmetric_part(function: Callable[..., Any], x: Any, **options: Any) -> Any:
    return function((x + _turned(x)) * 0.5, **options)


def _eigen_products(function: Callable[..., Any], x: Any) -> Any:
    """What does not depend on the signs: the values, the matrix again, and whether the vectors are orthonormal."""
    values, vectors = _of_symmetric_part(function, x)
    return values, (vectors * values[..., None, :]) @ _turned(vectors), _turned(vectors) @ vectors


def _singular_products(function: Callable[..., Any], x: Any, **options: Any) -> Any:
    left, values, right = function(x, **options)
    k = values.shape[-1]
    again = (left[..., :k] * values[..., None, :]) @ right[..., :k, :]
    return values, again, _turned(left) @ left, right @ _turned(right)


def _triangular_products(function: Callable[..., Any], x: Any, **options: Any) -> Any:
    """The matrix again, whether the columns are orthonormal, and the zeros below the first element of R."""
    q, r = function(x, **options)
    return q @ r, _turned(q) @ q, r[..., 1:, 0]


def _of(draw: Callable[[Generator, tuple[int, ...]], Array], *shapes: tuple[int, ...]) -> Maker:
    def make(rng: Generator) -> Any:
        for shape in shapes:
            yield sample(draw(rng, shape))

    return make


SQUARE = ((3, 3), (2, 3, 3))
OBLONG = ((4, 3), (3, 4), (2, 3, 3))


# ---------------------------------------------------------------- products, diagonals, norms


def _vectors(rng: Generator) -> Any:
    yield sample(*_matrices(rng, (3,), (4,)))


def _threes(rng: Generator) -> Any:
    yield sample(*_matrices(rng, (3,), (3,)))
    yield sample(*_matrices(rng, (2, 3), (3,)))
    yield sample(*_matrices(rng, (3, 4), (3, 4)), axis=-2)


def _fours(rng: Generator) -> Any:
    yield sample(np.ones(4), np.ones(4))
    yield sample(np.ones(2), np.ones(2))


def _cross(a: Array, b: Array, axis: int = -1) -> Array:
    return np.cross(a, b, axis=axis)


def _offsets(rng: Generator) -> Any:
    for offset in (0, 1, -2, 7):
        yield sample(rng.normal(size=(3, 4)), offset=offset)
    yield sample(rng.normal(size=(2, 4, 3)), offset=-1)
    yield sample(np.arange(9, dtype=np.int32).reshape(3, 3))


def _traces(rng: Generator) -> Any:
    for offset in (0, 1, -2):
        yield sample(rng.normal(size=(3, 4)), offset=offset)
    yield sample(rng.normal(size=(2, 4, 3)))


def _powers(rng: Generator) -> Any:
    for n in (0, 1, 2, 3, -2):
        yield sample(_with_values(rng, (3, 3)), n)
    yield sample(_with_values(rng, (2, 3, 3)), 3)


def _vector_norms(rng: Generator) -> Any:
    x = rng.choice([-1.0, 1.0], (3, 4)) * rng.permutation(np.arange(12.0)).reshape(3, 4) / 4 + 0.1
    for order in (2, 1, inf, -inf, 3, 0.5, 0):
        yield sample(x, axis=-1, ord=order)
    yield sample(x)
    yield sample(x, axis=0, keepdims=True)
    yield sample(x, axis=(0, 1), ord=3)


def _no_length(rng: Generator) -> Any:
    yield sample(np.zeros(3))
    yield sample(np.array([1.0, -inf]), ord=2)


def _vector_norm(x: Array, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Array:
    options = {"axis": axis, "keepdims": keepdims}
    if math.isinf(ord):
        return np.asarray((np.max if ord > 0 else np.min)(np.abs(x), **options))
    if ord == 0:
        return np.asarray(np.sum(x != 0, **options)).astype(float)
    return np.asarray(np.sum(np.abs(x) ** ord, **options) ** (1 / ord))


def _matrix_norms(rng: Generator) -> Any:
    for order in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
        yield sample(_with_values(rng, (2, 3, 3)), ord=order)
    yield sample(_with_values(rng, (4, 3)), keepdims=True)
    yield sample(_with_values(rng, (4, 3)), ord="nuc", keepdims=True)


def _norm_wrong(rng: Generator) -> Any:
    yield sample(np.ones((2, 2)), ord="euclid")


def _matrix_norm(x: Array, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    return np.asarray(np.linalg.norm(x, ord, (-2, -1), keepdims))


PRODUCTS = [
    Case("outer", np.outer, _vectors, Ulp(0.5, "One product."), "input", differentiable=(0, 1), gradient=Slope(4)),
    Case("cross", _cross, _threes, Scaled(1), "input", wrong=_fours, differentiable=(0, 1), gradient=Slope(4)),
    Case(
        "diagonal", lambda x, offset=0: np.diagonal(x, offset, -2, -1), _offsets, Bits(), "input",
        differentiable=(0,), gradient=LINEAR,
    ),
    Case(
        "trace", lambda x, offset=0: np.asarray(np.trace(x, offset, -2, -1)), _traces, Contraction(2), "input",
        differentiable=(0,), gradient=LINEAR, terms=lambda x, offset=0: 3,
    ),
    Case("matrix_power", np.linalg.matrix_power, _powers, SOLVED, "input", differentiable=(0,), gradient=CARRIED),
    Case(
        "vector_norm", _vector_norm, _vector_norms, Ulp(8, "Powers, a sum and a root."), "input",
        edges=_no_length, differentiable=(0,), gradient=Slope(8),
    ),
    Case(
        "matrix_norm", _matrix_norm, _matrix_norms, Ulp(24, "A small singular value is rounded like a large one."),
        "input", wrong=_norm_wrong, differentiable=(0,), gradient=BENT,
    ),
]  # fmt: skip


# ---------------------------------------------------------------- equations


def _columns(rng: Generator) -> Any:
    yield sample(_with_values(rng, (3, 3)), rng.normal(size=(3, 2)))
    yield sample(_with_values(rng, (2, 3, 3)), rng.normal(size=(2, 3, 2)))


def _equations(rng: Generator) -> Any:
    yield from _columns(rng)
    yield sample(_with_values(rng, (3, 3)), rng.normal(size=3))
    yield sample(_with_values(rng, (2, 3, 3)), rng.normal(size=3))
    yield sample(_with_values(rng, (2, 3, 3)), rng.normal(size=(3, 2)))


def _equations_wrong(rng: Generator) -> Any:
    yield sample(np.eye(3), np.ones(4))


def _solve(a: Array, b: Array) -> Array:
    return np.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else np.linalg.solve(a, b)


def _definites(rng: Generator) -> Any:
    for shape in SQUARE:
        yield sample(_definite(rng, shape))


def _triangles(rng: Generator) -> Any:
    yield from _definites(rng)
    yield sample(_definite(rng, (3, 3)), upper=True)


def _cholesky(x: Array, upper: bool = False) -> Array:
    lower = np.linalg.cholesky((x + np.swapaxes(x, -1, -2)) / 2)
    return np.swapaxes(lower, -1, -2) if upper else lower


def _ranks(rng: Generator) -> Any:
    yield sample(_with_values(rng, (4, 3)))
    yield sample(np.outer(np.arange(1.0, 4.0), np.arange(1.0, 4.0)))
    yield sample(np.stack([np.eye(3), np.zeros((3, 3))]))
    yield sample(np.diag([1.0, 0.1, 0.01]), rtol=0.05)


def _matrix_rank(x: Array, rtol: float | None = None) -> Array:
    values = np.linalg.svd(x, compute_uv=False)
    return np.sum(values > values[..., :1] * (rtol or 1e-5), axis=-1)


EQUATIONS = [
    Case(
        "lower_cholesky", np.linalg.cholesky, _definites, SOLVED, "input",
        differentiable=(0,), gradient=CARRIED, call=_of_symmetric_part,
    ),
    Case("cholesky", _cholesky, _triangles, SOLVED, "input", differentiable=(0,), gradient=CARRIED),
    Case("solve_columns", np.linalg.solve, _columns, SOLVED, "input", differentiable=(0, 1), gradient=CARRIED),
    Case(
        "solve", _solve, _equations, SOLVED, "input",
        wrong=_equations_wrong, differentiable=(0, 1), gradient=CARRIED,
    ),
    Case("inv", np.linalg.inv, _of(_with_values, *SQUARE), SOLVED, "input", differentiable=(0,), gradient=CARRIED),
    Case(
        "det", np.linalg.det, _of(_with_values, *SQUARE), Ulp(16, "The exponential of a sum of logarithms."), "input",
        differentiable=(0,), gradient=CARRIED,
    ),
    *(
        Case(
            name, np.linalg.slogdet, _of(_with_values, *SQUARE), Ulp(8, "A sum of logarithms."), "input",
            differentiable=(0,), gradient=Slope(6),
        )
        for name in ("log_determinant", "slogdet")
    ),
    Case("matrix_rank", _matrix_rank, _ranks, Bits(), "integer"),
    Case("pinv", np.linalg.pinv, _of(_with_values, *OBLONG), ROTATED, "input", differentiable=(0,), gradient=BENT),
]  # fmt: skip


# ---------------------------------------------------------------- decompositions


def _completed(name: str) -> Maker:
    """Calls that complete a basis, through which no gradient flows."""

    def make(rng: Generator) -> Any:
        for shape in ((4, 3), (5, 2)):
            yield sample(
                _with_values(rng, shape), **({"mode": "complete"} if name == "qr" else {"full_matrices": True})
            )

    return make


def _reduced(rng: Generator) -> Any:
    for shape in OBLONG:
        yield sample(_with_values(rng, shape), full_matrices=False)


def _mode_wrong(rng: Generator) -> Any:
    yield sample(np.eye(3), mode="r")


def _with_basis(function: Callable[..., Any], x: Any, **options: Any) -> Any:
    """The unique results as they are where nothing is completed, and products where something is."""
    if options.get("full_matrices", options.get("mode") == "complete"):
        return (_singular_products if "full_matrices" in options else _triangular_products)(function, x, **options)
    return tuple(function(x, **options))


TALL = ((4, 3), (2, 3, 3))

DECOMPOSITIONS = [
    Case(
        "symmetric_eigen", np.linalg.eigh, _definites, ROTATED, "input",
        differentiable=(0,), gradient=BENT, call=_eigen_products,
    ),
    Case("eigh", oracle.eigh, _definites, ROTATED, "input", differentiable=(0,), gradient=BENT),
    Case("eigvalsh", np.linalg.eigvalsh, _definites, ROTATED, "input", differentiable=(0,), gradient=BENT,
         call=_of_symmetric_part),
    Case(
        "reduced_svd", lambda x: np.linalg.svd(x, full_matrices=False), _of(_with_values, *OBLONG), ROTATED, "input",
        differentiable=(0,), gradient=BENT, call=_singular_products,
    ),
    Case(
        "svd", oracle.svd, _reduced, ROTATED, "input",
        edges=_completed("svd"), differentiable=(0,), gradient=BENT, call=_with_basis,
    ),
    Case(
        "svdvals", lambda x: np.linalg.svd(x, compute_uv=False), _of(_with_values, *OBLONG), ROTATED, "input",
        differentiable=(0,), gradient=BENT,
    ),
    Case(
        "reduced_qr", np.linalg.qr, _of(_with_values, *TALL), ROTATED, "input",
        differentiable=(0,), gradient=BENT, call=_triangular_products,
    ),
    Case(
        "qr", oracle.qr, _of(_with_values, *OBLONG), ROTATED, "input",
        edges=_completed("qr"), wrong=_mode_wrong, differentiable=(0,), gradient=Slope(20), call=_with_basis,
    ),
]  # fmt: skip

CASES = [*PRODUCTS, *EQUATIONS, *DECOMPOSITIONS]
