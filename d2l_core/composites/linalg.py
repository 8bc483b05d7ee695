"""Linear algebra composed once, for all backends, of six decompositions that each framework has."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core._standard import one_dtype
from d2l_core.composites.arrays import count_nonzero, moveaxis, triu
from d2l_core.dtypes import finfo
from d2l_core.errors import CallError
from d2l_core.interface import Axis, DType, Tensor

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "trace",
    "vector_norm",
]

_LARGE = 0.6
"""The part of the largest component that decides a sign: of components of equal size the first one does, and rounding
cannot make it another. Of two components one of which is this large, rounding could; no simple matrix has such."""


class EighResult(NamedTuple):
    """Eigenvalues (..., M) and eigenvectors (..., M, M) in columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVDResult(NamedTuple):
    """Left singular vectors in columns, singular values, right singular vectors in rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class QRResult(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Tensor
    logabsdet: Tensor


# ---------------------------------------------------------------- products and diagonals


@composite("linalg")
def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The products (M, N) of each element of a vector (M,) with each of another (N,)."""
    return xp.multiply(xp.expand_dims(x1, axis=1), xp.expand_dims(x2, axis=0))


@composite("linalg")
def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Cross product of vectors of three components along an axis, counted from the end; ValueError for others."""
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise CallError(f"cross needs axes of length 3, not {x1.shape[axis]} and {x2.shape[axis]}.")
    x1, x2 = one_dtype(x1, x2)
    a, b = (moveaxis(x, axis, -1) for x in (x1, x2))
    a0, a1, a2 = a[..., 0], a[..., 1], a[..., 2]
    b0, b1, b2 = b[..., 0], b[..., 1], b[..., 2]
    return moveaxis(xp.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1), -1, axis)


@composite("linalg")
def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The elements (..., K) of one diagonal of each matrix (..., M, N): the main one, or as far above as `offset`."""
    rows, columns = x.shape[-2:]
    first = offset if offset >= 0 else -offset * columns
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    places = xp.asarray(first + np.arange(length) * (columns + 1))
    return xp.take(xp.reshape(x, (*x.shape[:-2], rows * columns)), places, axis=-1)


@composite("linalg")
def trace(x: Tensor, /, *, offset: int = 0, dtype: DType = None) -> Tensor:
    """Sum of a `diagonal`, in `dtype` if given."""
    total = xp.sum(diagonal(x, offset=offset), axis=-1)
    return total if dtype is None else xp.astype(total, dtype)


@composite("linalg")
def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """x (..., M, M) multiplied n times by itself; of the inverse for negative n. By repeated squaring."""
    if n < 0:
        return matrix_power(inv(x), -n)
    result = None
    while n:
        if n % 2:
            result = x if result is None else xp.matmul(result, x)
        n //= 2
        x = xp.matmul(x, x) if n else x
    return _identity_like(x) if result is None else result


def _identity_like(x: Tensor) -> Tensor:
    return xp.broadcast_to(xp.eye(x.shape[-1], dtype=x.dtype), tuple(x.shape))


# ---------------------------------------------------------------- norms


@composite("linalg")
def vector_norm(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm ``sum(abs(x) ** ord) ** (1 / ord)`` of floats over the axes, all if None.

    The limits inf and -inf are the largest and the smallest absolute value; 0 counts what is not zero. The gradient of
    the Euclidean norm (ord 2) of zeros is zero.
    """
    options: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    if ord == math.inf:
        return xp.max(xp.abs(x), **options)
    if ord == -math.inf:
        return xp.min(xp.abs(x), **options)
    if ord == 0:
        return xp.astype(count_nonzero(x, **options), x.dtype)
    if ord == 1:
        return xp.sum(xp.abs(x), **options)
    if ord == 2:
        return _root(xp.sum(xp.square(x), **options))
    return xp.pow(xp.sum(xp.pow(xp.abs(x), float(ord)), **options), 1.0 / ord)


def _root(x: Tensor) -> Tensor:
    """Square root whose gradient at 0 is zero."""
    zero = x == 0
    return xp.where(zero, xp.zeros_like(x), xp.sqrt(xp.where(zero, xp.ones_like(x), x)))


@composite("linalg")
def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """A norm (...) of each matrix (..., M, N).

    ``"fro"`` is the root of the sum of squares and ``"nuc"`` the sum of the singular values; 2 and -2 are the largest
    and smallest singular value, 1 and -1 the largest and smallest sum of absolute values of a column, inf and -inf of a
    row. ValueError for another `ord`.
    """
    if ord in ("fro", None):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise CallError(f"matrix_norm knows 'fro', 'nuc', 1, -1, 2, -2, inf and -inf, not {ord!r}.")
    values = svdvals(x) if ord in ("nuc", 2, -2) else xp.sum(xp.abs(x), axis=-2 if ord in (1, -1) else -1)
    reduce = xp.sum if ord == "nuc" else xp.max if ord in (1, 2, math.inf) else xp.min
    norm = reduce(values, axis=-1)
    return xp.reshape(norm, (*norm.shape, 1, 1)) if keepdims else norm


# ---------------------------------------------------------------- equations and determinants


def _symmetric(x: Tensor) -> Tensor:
    """The symmetric part: frameworks read one triangle or both, and their gradients differ where x need not be so."""
    return 0.5 * (x + xp.matrix_transpose(x))


@composite("linalg")
def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The lower triangular L (..., M, M) with ``L @ L.T = x``, or its transpose if `upper`.

    Of x only the symmetric part counts, which is positive definite; for others the framework raises its error, or gives
    NaN. The gradient is symmetric.
    """
    lower = xp.lower_cholesky(_symmetric(x))
    return xp.matrix_transpose(lower) if upper else lower


@composite("linalg")
def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The solution y of ``x1 @ y = x2`` for x1 (..., M, M) and x2 (..., M, K), or a vector (M,).

    Leading axes broadcast. For singular x1 the framework raises its error, or gives infinities or NaN.
    """
    x1, x2 = one_dtype(x1, x2)
    columns = xp.expand_dims(x2, axis=-1) if len(x2.shape) == 1 else x2
    batch = np.broadcast_shapes(tuple(x1.shape[:-2]), tuple(columns.shape[:-2]))
    matrices = [
        x if tuple(x.shape[:-2]) == batch else xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (x1, columns)
    ]
    y = xp.solve_columns(*matrices)
    return xp.squeeze(y, -1) if len(x2.shape) == 1 else y


@composite("linalg")
def inv(x: Tensor, /) -> Tensor:
    """The inverse of each matrix (..., M, M); `solve` is more accurate and faster where it will do."""
    return xp.solve_columns(x, _identity_like(x))


@composite("linalg")
def slogdet(x: Tensor, /) -> SlogdetResult:
    """Sign and logarithm of the absolute value of the determinant of x (..., M, M), where that would overflow."""
    return SlogdetResult(*xp.log_determinant(x))


@composite("linalg")
def det(x: Tensor, /) -> Tensor:
    """The determinant (...) of each matrix (..., M, M), by way of `slogdet`: its gradient holds for regular x."""
    sign, size = xp.log_determinant(x)
    return xp.multiply(sign, xp.exp(size))


# ---------------------------------------------------------------- decompositions


def _signs(vectors: Tensor) -> Tensor:
    """1 or -1 for each column (..., M, K) -> (..., 1, K): the sign of its first component of about the largest size."""
    if 0 in vectors.shape[-2:]:
        return xp.ones((*vectors.shape[:-2], 1, vectors.shape[-1]), dtype=vectors.dtype)
    fixed = xp.stop_gradient(vectors)
    sizes = xp.abs(fixed)
    large = sizes >= _LARGE * xp.max(sizes, axis=-2, keepdims=True)
    first = xp.argmax(xp.astype(large, xp.arange(1).dtype), axis=-2, keepdims=True)
    return _sign_of(xp.take_along_axis(fixed, first, axis=-2))


def _sign_of(x: Tensor) -> Tensor:
    return xp.where(x < 0, xp.full_like(x, -1.0), xp.ones_like(x))


@composite("linalg")
def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues (..., M) in ascending order and orthonormal eigenvectors (..., M, M) in columns of symmetric x.

    Of x only the symmetric part counts. The first component of an eigenvector that is at least 0.6 times as large as
    its largest one is positive. The gradient is symmetric and holds where no two eigenvalues are equal.
    """
    values, vectors = xp.symmetric_eigen(_symmetric(x))
    return EighResult(values, vectors * _signs(vectors))


@composite("linalg")
def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues (..., M) of symmetric x (..., M, M) in ascending order; of any other x, of its symmetric part."""
    return xp.symmetric_eigen(_symmetric(x))[0]


@composite("linalg")
def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """Singular value decomposition ``x = U @ diag(S) @ Vh`` of x (..., M, N).

    S (..., K) descends, with K = min(M, N). U is (..., M, M) and Vh (..., N, N), or (..., M, K) and (..., K, N) unless
    `full_matrices`. The first component of a column of U that is at least 0.6 times as large as its largest one is
    positive. The gradient holds where no two singular values are equal and none is zero; through what completes the
    matrices, which is not unique, none flows.
    """
    left, values, right = xp.reduced_svd(x)
    signs = _signs(left)
    left, right = left * signs, right * xp.matrix_transpose(signs)
    if full_matrices:
        left, right = _completed(left), xp.matrix_transpose(_completed(xp.matrix_transpose(right)))
    return SVDResult(left, values, right)


def _completed(columns: Tensor) -> Tensor:
    """Orthonormal columns (..., M, K) and M - K more, orthogonal to them."""
    rows, count = columns.shape[-2:]
    if rows == count:
        return columns
    fixed = xp.stop_gradient(columns)
    identity = xp.broadcast_to(xp.eye(rows, dtype=columns.dtype), (*columns.shape[:-1], rows))
    # What is left of the axes without their parts in the columns spans the complement: its left singular vectors.
    rest = identity - xp.matmul(fixed, xp.matrix_transpose(fixed))
    basis = xp.stop_gradient(xp.reduced_svd(rest)[0])
    return xp.concat([columns, basis[..., : rows - count]], axis=-1)


@composite("linalg")
def svdvals(x: Tensor, /) -> Tensor:
    """Singular values (..., min(M, N)) of x (..., M, N) in descending order."""
    return xp.reduced_svd(x)[1]


@composite("linalg")
def qr(x: Tensor, /, *, mode: str = "reduced") -> QRResult:
    """``x = Q @ R`` with orthonormal columns of Q and upper triangular R, whose diagonal is not negative.

    For x (..., M, N) and K = min(M, N), Q is (..., M, K) and R (..., K, N); with ``mode="complete"`` (..., M, M) and
    (..., M, N). ValueError for another mode. The gradient holds where the first K columns are independent; none flows
    through the columns that complete Q.
    """
    if mode not in ("reduced", "complete"):
        raise CallError(f"qr knows the modes 'reduced' and 'complete', not {mode!r}.")
    rows, count = x.shape[-2], min(x.shape[-2:])
    q, r = xp.reduced_qr(x[..., :count])
    signs = _sign_of(xp.stop_gradient(diagonal(r)))
    q, r = q * xp.expand_dims(signs, axis=-2), triu(r * xp.expand_dims(signs, axis=-1))
    if x.shape[-1] > count:
        r = xp.concat([r, xp.matmul(xp.matrix_transpose(q), x[..., count:])], axis=-1)
    if mode == "complete" and rows > count:
        missing = xp.zeros((*r.shape[:-2], rows - count, r.shape[-1]), dtype=r.dtype)
        q, r = _completed(q), xp.concat([r, missing], axis=-2)
    return QRResult(q, r)


@composite("linalg")
def pinv(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """The pseudo-inverse (..., N, M) of each matrix (..., M, N) (Moore and Penrose), by its singular values.

    Those not above `rtol` times the largest, a number or a tensor (...), count as zero; by default max(M, N) eps.
    """
    left, values, right = xp.reduced_svd(x)
    kept = values > _cutoff(x, values, rtol)
    inverse = xp.where(kept, 1.0 / xp.where(kept, values, xp.ones_like(values)), xp.zeros_like(values))
    return xp.matmul(xp.matrix_transpose(right) * xp.expand_dims(inverse, axis=-2), xp.matrix_transpose(left))


@composite("linalg")
def matrix_rank(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """How many singular values (...) of each matrix are above `rtol` times the largest, by default max(M, N) eps."""
    values = svdvals(x)
    return count_nonzero(values > _cutoff(x, values, rtol), axis=-1)


def _cutoff(x: Tensor, values: Tensor, rtol: float | Tensor | None) -> Tensor:
    if not values.shape[-1]:
        return values
    largest = xp.stop_gradient(xp.max(values, axis=-1, keepdims=True))
    if rtol is None:
        rtol = max(x.shape[-2:]) * finfo(x).eps
    if isinstance(rtol, int | float):
        return largest * rtol
    return largest * xp.expand_dims(xp.astype(rtol, largest.dtype), axis=-1)
