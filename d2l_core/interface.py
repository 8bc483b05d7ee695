"""The contract between the engine and a backend: every primitive with its meaning, shapes and dtypes.

Tensors are native: what a function returns is the framework's own array type. Array functions carry the names and
meanings of the Python array API standard 2024.12 (https://data-apis.org/array-api/2024.12); the others are marked
*extension*. Each function here runs on the active backend; an adapter implements a primitive under the same name in
its module of the same group, and may replace a composite (`d2l_core.composites`) by a faster native form.

Rules that hold for all of them:

- The default float is float32 at precision 32 and float64 at precision 64. The default integer may be int32 or
  int64. Where a backend has no 64-bit types at precision 32, it narrows.
- Operands of two dtypes promote by the standard's table (`d2l_core.dtypes`); a mixture of integers and floats, which it
  leaves open, is the framework's affair. A Python number takes the dtype of the tensor beside it.
- ``device`` of functions that make tensors is one of `devices()`, or the object that a tensor of the backend shows as
  its device; the active one if None. UsageError for another.
- Axes count from the end when negative. Reductions take ``axis=None`` (all), an integer or a tuple.
- Nothing is modified in place and results never share memory that the caller could see change; `from_dlpack` alone
  shares memory with what it was given.
- Images are channels first, ``(N, C, *spatial)``; convolution kernels are ``(out, in / groups, *window)``.
- A wrong call of a function of arrays, linear algebra or networks raises `CallError` with the same sentence on every
  backend; the framework's own error is its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from d2l_core import _standard
from d2l_core._dispatch import REGISTRY, Primitive, primitive
from d2l_core.dtypes import DTYPES as DTYPES
from d2l_core.dtypes import OPTIONAL_DTYPES as OPTIONAL_DTYPES

Tensor = Any
"""A native tensor of the active backend."""

DType = Any
"""A native dtype of the active backend: ``xp.float32``, ``xp.int64``, ``xp.bool`` ..."""

Axis = int | tuple[int, ...] | None
Shape = int | Sequence[int]


def contract() -> dict[str, Primitive]:
    """Every primitive and composite by name."""
    import d2l_core.composites  # noqa: F401 - declares the composites

    return dict(REGISTRY)


# ---------------------------------------------------------------- creation


@primitive("arrays", accepts_foreign=True, around=_standard.asarray)
def asarray(obj: Any, /, *, dtype: DType = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """Tensor on the active device from Python numbers, nested sequences, NumPy arrays or a native tensor.

    Without `dtype`, Python floats and NumPy float64 data take the default float; other NumPy data keep their dtype. The
    result is new memory; with ``copy=False`` it is a native tensor itself, and ValueError where that will not do.
    """


@primitive("arrays", around=_standard.create)
def zeros(shape: Shape, *, dtype: DType = None, device: Any = None) -> Tensor:
    """Zeros of `shape`, of the default float unless `dtype` is given."""


@primitive("arrays", around=_standard.create)
def ones(shape: Shape, *, dtype: DType = None, device: Any = None) -> Tensor:
    """Ones of `shape`, of the default float unless `dtype` is given."""


@primitive("arrays", around=_standard.full)
def full(shape: Shape, fill_value: float | Tensor, *, dtype: DType = None, device: Any = None) -> Tensor:
    """`shape` filled with a Python scalar, whose kind (bool, int, float) decides the dtype, or with a 0-d tensor."""


@primitive("arrays", around=_standard.create)
def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: DType = None, device: Any = None
) -> Tensor:
    """Evenly spaced values in [start, stop); the default integer for integers, else the default float."""


@primitive("arrays", around=_standard.create)
def linspace(
    start: float, stop: float, /, num: int, *, dtype: DType = None, device: Any = None, endpoint: bool = True
) -> Tensor:
    """`num` evenly spaced floats from start to stop."""


@primitive("arrays", around=_standard.create)
def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType = None, device: Any = None) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere; shape (n_rows, n_cols)."""


@primitive("arrays", around=_standard.create)
def zeros_like(x: Tensor, /, *, dtype: DType = None, device: Any = None) -> Tensor:
    """Zeros with the shape of `x`, and its dtype unless given."""


@primitive("arrays", around=_standard.create)
def ones_like(x: Tensor, /, *, dtype: DType = None, device: Any = None) -> Tensor:
    """Ones with the shape of `x`, and its dtype unless given."""


@primitive("arrays", around=_standard.full_like)
def full_like(x: Tensor, /, fill_value: float | Tensor, *, dtype: DType = None, device: Any = None) -> Tensor:
    """A Python scalar or a 0-d tensor in the shape of `x`, and in its dtype unless given."""


# ---------------------------------------------------------------- dtypes and shapes


@primitive("arrays", around=_standard.astype)
def astype(x: Tensor, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """`x` converted to `dtype`; floats to integers truncate towards zero.

    The result is new memory; with ``copy=False`` it is `x` itself where it has that dtype already.
    """


@primitive("arrays", around=_standard.reshape)
def reshape(x: Tensor, /, shape: Shape, *, copy: bool | None = None) -> Tensor:
    """Same elements in row-major order in another shape; one entry may be -1.

    With ``copy=True`` in new memory. With ``copy=False`` only a tensor that has the shape already comes back, else
    ValueError: no framework promises not to copy.
    """


@primitive("arrays")
def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """Axes reordered: axis i of the result is axis ``axes[i]`` of `x`."""


@primitive("arrays")
def matrix_transpose(x: Tensor, /) -> Tensor:
    """The last two axes swapped: (..., M, N) -> (..., N, M)."""


@primitive("arrays", around=_standard.concat)
def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Tensors joined along an existing axis, or, if that is None, one flattened tensor after the other."""


@primitive("arrays", around=_standard.stack)
def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""


@primitive("arrays", around=_standard.expand_dims)
def expand_dims(x: Tensor, /, axis: int = 0) -> Tensor:
    """An axis of length one inserted at `axis`."""


@primitive("arrays")
def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Axes of length one removed."""


@primitive("arrays")
def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """`x` repeated to `shape` by the broadcasting rule."""


@primitive("arrays")
def flip(x: Tensor, /, *, axis: Axis = None) -> Tensor:
    """Order of the elements reversed along the axes."""


@primitive("arrays", around=_standard.repeat)
def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element repeated; over the flattened tensor when axis is None.

    `repeats` may be an integer tensor of one number or one for each element, whose values must be known: not inside a
    compiled function.
    """


@primitive("arrays")
def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """The whole tensor repeated along each axis."""


@primitive("arrays", around=_standard.roll)
def roll(x: Tensor, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> Tensor:
    """Elements shifted along an axis; what leaves at one end enters at the other.

    Several axes are shifted each by its own number or all by the same; with None the flattened tensor is.
    ValueError if there are not as many shifts as axes.
    """


@primitive("arrays")
def pad(x: Tensor, pad_width: Sequence[tuple[int, int]], /, *, value: float = 0.0) -> Tensor:
    """*Extension.* `x` framed by a constant: ``pad_width[i] = (before, after)`` for axis i."""


# ---------------------------------------------------------------- elementwise


@primitive("arrays")
def abs(x: Tensor, /) -> Tensor:
    """Absolute value."""


@primitive("arrays")
def negative(x: Tensor, /) -> Tensor:
    """-x."""


@primitive("arrays")
def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1 with the sign of x; NaN of NaN."""


@primitive("arrays")
def exp(x: Tensor, /) -> Tensor:
    """e to the power x."""


@primitive("arrays")
def expm1(x: Tensor, /) -> Tensor:
    """exp(x) - 1, accurate near zero."""


@primitive("arrays")
def log(x: Tensor, /) -> Tensor:
    """Natural logarithm; -inf at 0, NaN below."""


@primitive("arrays")
def log1p(x: Tensor, /) -> Tensor:
    """log(1 + x), accurate near zero."""


@primitive("arrays")
def sqrt(x: Tensor, /) -> Tensor:
    """Square root; NaN below zero."""


@primitive("arrays")
def square(x: Tensor, /) -> Tensor:
    """x * x."""


@primitive("arrays")
def sin(x: Tensor, /) -> Tensor:
    """Sine of an angle in radians."""


@primitive("arrays")
def cos(x: Tensor, /) -> Tensor:
    """Cosine of an angle in radians."""


@primitive("arrays")
def tan(x: Tensor, /) -> Tensor:
    """Tangent of an angle in radians."""


@primitive("arrays")
def asin(x: Tensor, /) -> Tensor:
    """Angle in [-π/2, π/2] whose sine is x; NaN outside [-1, 1]."""


@primitive("arrays")
def acos(x: Tensor, /) -> Tensor:
    """Angle in [0, π] whose cosine is x; NaN outside [-1, 1]."""


@primitive("arrays")
def atan(x: Tensor, /) -> Tensor:
    """Angle in [-π/2, π/2] whose tangent is x."""


@primitive("arrays", around=_standard.promote_tensors)
def atan2(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Angle in [-π, π] of the point (x2, x1) from the first axis, by the signs of both, those of zeros included."""


@primitive("arrays")
def sinh(x: Tensor, /) -> Tensor:
    """Hyperbolic sine."""


@primitive("arrays")
def cosh(x: Tensor, /) -> Tensor:
    """Hyperbolic cosine."""


@primitive("arrays")
def tanh(x: Tensor, /) -> Tensor:
    """Hyperbolic tangent."""


@primitive("arrays")
def erf(x: Tensor, /) -> Tensor:
    """Error function ``2 / sqrt(pi)`` times the integral of exp(-t²) from 0 to x. *Extension.*"""


@primitive("arrays")
def asinh(x: Tensor, /) -> Tensor:
    """Number whose hyperbolic sine is x, accurate near zero."""


@primitive("arrays")
def acosh(x: Tensor, /) -> Tensor:
    """Non-negative number whose hyperbolic cosine is x; NaN below 1."""


@primitive("arrays")
def atanh(x: Tensor, /) -> Tensor:
    """Number whose hyperbolic tangent is x, accurate near zero; infinite at -1 and 1, NaN beyond."""


@primitive("arrays", around=_standard.whole)
def floor(x: Tensor, /) -> Tensor:
    """Greatest integer not above x, in the dtype of x; integers are themselves."""


@primitive("arrays", around=_standard.whole)
def ceil(x: Tensor, /) -> Tensor:
    """Smallest integer not below x, in the dtype of x; integers are themselves."""


@primitive("arrays", around=_standard.whole)
def round(x: Tensor, /) -> Tensor:
    """Nearest integer, halves to even, in the dtype of x; integers are themselves."""


@primitive("arrays")
def signbit(x: Tensor, /) -> Tensor:
    """Whether the sign of a float is set, as it is for -0 and for some NaN."""


@primitive("arrays", around=_standard.promote)
def add(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 + x2 with broadcasting."""


@primitive("arrays", around=_standard.promote)
def subtract(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 - x2 with broadcasting."""


@primitive("arrays", around=_standard.promote)
def multiply(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 * x2 with broadcasting."""


@primitive("arrays", around=_standard.promote)
def divide(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 / x2 with broadcasting; floats only."""


@primitive("arrays", around=_standard.promote_tensors)
def modulo(x1: Tensor, x2: Tensor, /) -> Tensor:
    """*Extension.* `remainder` of integers; of floats where x1 is finite and x2 finite and not zero.

    A zero may have either sign. Gradient: 1 and ``-floor(x1 / x2)``.
    """


@primitive("arrays", around=_standard.promote)
def integer_quotient(x1: Tensor, x2: Tensor, /) -> Tensor:
    """*Extension.* `floor_divide` of integers."""


@primitive("arrays", around=_standard.promote)
def pow(x1: Tensor, x2: Tensor | float, /) -> Tensor:
    """x1 to the power x2 with broadcasting."""


@primitive("arrays", around=_standard.promote)
def maximum(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The larger of each pair; NaN if either is. At a tie the gradient is shared or goes to one side."""


@primitive("arrays", around=_standard.promote)
def minimum(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The smaller of each pair; NaN if either is. At a tie the gradient is shared or goes to one side."""


@primitive("arrays", around=_standard.promote_tensors)
def nextafter(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The next float after x1 on the way to x2; x2 if they are equal, NaN if either is."""


@primitive("arrays", around=_standard.clip)
def clip(x: Tensor, /, min: float | None = None, max: float | None = None) -> Tensor:
    """`x` limited to [min, max]: numbers, tensors that broadcast, or None. The dtype is that of x."""


@primitive("arrays", around=_standard.where)
def where(condition: Tensor, x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 where the boolean condition holds, else x2, with broadcasting; at least one of the two is a tensor."""


@primitive("arrays", around=_standard.promote)
def equal(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 == x2, boolean."""


@primitive("arrays", around=_standard.promote)
def not_equal(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 != x2, boolean."""


@primitive("arrays", around=_standard.promote)
def less(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 < x2, boolean."""


@primitive("arrays", around=_standard.promote)
def less_equal(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 <= x2, boolean."""


@primitive("arrays", around=_standard.promote)
def greater(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 > x2, boolean."""


@primitive("arrays", around=_standard.promote)
def greater_equal(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 >= x2, boolean."""


@primitive("arrays", around=_standard.promote_tensors)
def logical_and(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Both of two boolean tensors."""


@primitive("arrays", around=_standard.promote_tensors)
def logical_or(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Either of two boolean tensors."""


@primitive("arrays")
def logical_not(x: Tensor, /) -> Tensor:
    """The opposite of a boolean tensor."""


@primitive("arrays", around=_standard.promote_tensors)
def bitwise_and(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Bits set in both of two integers; of booleans, both."""


@primitive("arrays", around=_standard.promote_tensors)
def bitwise_or(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Bits set in either of two integers; of booleans, either."""


@primitive("arrays", around=_standard.promote_tensors)
def bitwise_xor(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Bits set in one of two integers but not both; of booleans, likewise."""


@primitive("arrays")
def bitwise_invert(x: Tensor, /) -> Tensor:
    """The opposite of each bit of an integer, or of a boolean."""


@primitive("arrays", around=_standard.promote_tensors)
def bitwise_left_shift(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Bits of an integer moved x2 places up; 0 <= x2 < the width of the dtype."""


@primitive("arrays", around=_standard.promote_tensors)
def bitwise_right_shift(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Bits of an integer moved x2 places down, the sign kept; 0 <= x2 < the width of the dtype."""


@primitive("arrays", around=_standard.never)
def isnan(x: Tensor, /) -> Tensor:
    """True where x is NaN, which no integer is."""


@primitive("arrays", around=_standard.always)
def isfinite(x: Tensor, /) -> Tensor:
    """True where x is neither NaN nor infinite, as all integers are."""


# ---------------------------------------------------------------- reductions, sorting, searching


@primitive("arrays", around=_standard.accumulate)
def sum(x: Tensor, /, *, axis: Axis = None, dtype: DType = None, keepdims: bool = False) -> Tensor:
    """Sum of the elements: floats in the dtype of x, integers and booleans in the default integer, or in `dtype`."""


@primitive("arrays")
def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean of floats."""


@primitive("arrays", around=_standard.spread)
def var(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Mean squared deviation from the mean, divided by N - correction; NaN if that is not positive."""


@primitive("arrays", around=_standard.spread)
def std(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Square root of `var`."""


@primitive("arrays", around=_standard.accumulate)
def prod(x: Tensor, /, *, axis: Axis = None, dtype: DType = None, keepdims: bool = False) -> Tensor:
    """Product of the elements; dtypes as for `sum`."""


@primitive("arrays")
def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element; NaN if one is."""


@primitive("arrays")
def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element; NaN if one is."""


@primitive("arrays")
def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every element is true, boolean."""


@primitive("arrays")
def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether some element is true, boolean."""


@primitive("arrays")
def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the first largest element, an integer tensor."""


@primitive("arrays")
def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the first smallest element, an integer tensor."""


@primitive("arrays", around=_standard.running_sum)
def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False
) -> Tensor:
    """Running sum along an axis, which may be left out for one-dimensional x; dtypes as for `sum`.

    With `include_initial` the empty sum, 0, comes first. ValueError for no axis and several dimensions.
    """


@primitive("arrays", around=_standard.order)
def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Elements in order along an axis; equal ones keep theirs, whether `stable` or not."""


@primitive("arrays", around=_standard.order)
def argsort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Indices that put the elements in order; equal elements keep theirs, whether `stable` or not."""


@primitive("arrays")
def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Slices of x at integer `indices` of any shape along an axis, which that shape replaces.

    The axis may be left out for one-dimensional x. Negative indices count from the end. Repeated ones add up in the
    gradient. (*Extension:* indices of
    more than one dimension, which the standard leaves open.)
    """


@primitive("arrays", around=_standard.along)
def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """One element per index along an axis; `indices` has the rank of x and broadcasts against its other axes.

    Negative indices count from the end.
    """


@primitive("arrays")
def index_add(x: Tensor, indices: Tensor, values: Tensor, /, *, axis: int = 0) -> Tensor:
    """*Extension.* `x` with the slices of `values` added at integer `indices` (K,) along an axis.

    `values` has the dtype of x, and its shape but for that axis, where it has K slices. What falls on one
    place adds up. Indices are in [0, N).
    """


# ---------------------------------------------------------------- linear algebra


@primitive("arrays", around=_standard.promote)
def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Matrix product (..., M, K) @ (..., K, N) -> (..., M, N); a vector counts as one row or column."""


@primitive("arrays", around=_standard.product)
def tensordot(x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sum of products over the last `axes` of x1 and the first of x2, or over the two lists of axes."""


@primitive("arrays")
def einsum(subscripts: str, /, *operands: Tensor) -> Tensor:
    """*Extension.* Einstein summation with an explicit result, such as ``"bij,bjk->bik"``."""


# ---------------------------------------------------------------- decompositions of stacks of matrices


@primitive("linalg")
def lower_cholesky(x: Tensor, /) -> Tensor:
    """*Extension.* The lower triangular L (..., M, M) with ``L @ L.T = x`` for symmetric positive definite x.

    For other x the framework raises its error, or gives NaN. The gradient holds for symmetric changes of x.
    """


@primitive("linalg")
def solve_columns(x1: Tensor, x2: Tensor, /) -> Tensor:
    """*Extension.* ``x1⁻¹ @ x2`` for x1 (..., M, M) and x2 (..., M, K) with the same leading axes.

    For singular x1 the framework raises its error, or gives infinities or NaN.
    """


@primitive("linalg")
def log_determinant(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """*Extension.* Sign and logarithm of the absolute value of the determinant of x (..., M, M), both (...)."""


@primitive("linalg")
def symmetric_eigen(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """*Extension.* Eigenvalues (..., M) in ascending order and eigenvectors (..., M, M) in columns of symmetric x.

    Each eigenvector may have either sign. The gradient holds where no two eigenvalues are equal, for symmetric changes
    of x.
    """


@primitive("linalg")
def reduced_svd(x: Tensor, /) -> tuple[Tensor, Tensor, Tensor]:
    """*Extension.* U (..., M, K), s (..., K) and V (..., K, N) with ``x = U @ diag(s) @ V`` and K = min(M, N).

    s descends. Each column of U may have either sign, and its row of V has the same. The gradient holds where no two
    singular values are equal and none is zero.
    """


@primitive("linalg")
def reduced_qr(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """*Extension.* Q (..., M, N) with orthonormal columns and upper triangular R (..., N, N) with ``Q @ R = x``.

    x (..., M, N) has M >= N. A column of Q may have either sign, and its row of R has the same. The gradient holds for
    x of full rank.
    """


# ---------------------------------------------------------------- network primitives


@primitive("network")
def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    /,
    *,
    stride: Shape = 1,
    padding: Shape = 0,
    dilation: Shape = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of x (N, C_in, *spatial) with weight (C_out, C_in / groups, *window), plus bias (C_out,).

    Zeros are added on both sides by `padding`. One to three spatial axes, by the rank of the weight. The extent of an
    axis becomes ``(n + 2 padding - dilation (window - 1) - 1) // stride + 1``.
    """


@primitive("network")
def max_pool(x: Tensor, window: Shape, /, *, stride: Shape | None = None, padding: Shape = 0) -> Tensor:
    """Largest element of each window of x (N, C, *spatial), one to three spatial axes; padding is -inf.

    The stride defaults to the window.
    """


@primitive("network")
def avg_pool(x: Tensor, window: Shape, /, *, stride: Shape | None = None, padding: Shape = 0) -> Tensor:
    """Mean of each window of x (N, C, *spatial), one to three spatial axes, the zeros of the padding included.

    The stride defaults to the window.
    """


@primitive("network")
def random_uniform(key: int, counter: Tensor | int, shape: Shape, /) -> Tensor:
    """Uniform floats in [0, 1) of the default float, the same bits on every backend.

    Element i is ``(mix(mix(i + s) ^ t) >> 8) * 2**-24`` with unsigned 32-bit arithmetic, where
    ``s = mix(low ^ mix(counter))`` and ``t = mix(high ^ s)``, `low` and `high` being the two halves of the 64-bit
    `key`, i the position in row-major order, and ``mix`` the finaliser
    ``x ^= x >> 16; x *= 0x7feb352d; x ^= x >> 15; x *= 0x846ca68b; x ^= x >> 16`` (C. Wellons, Hash Prospector, 2018).

    Args:
        key: unsigned 64-bit integer, fixed for a compiled function.
        counter: integer below 2**31, or a 0-d int32 tensor, so that a compiled function draws anew at each call.
        shape: of the result.
    """


# ---------------------------------------------------------------- differentiation and compilation


@primitive("autodiff")
def differentiate(f: Callable[..., tuple[Tensor, Any]], /) -> Callable[..., tuple[tuple[Tensor, Any], list[Tensor]]]:
    """Value and gradient of a function of a list of tensors.

    ``f(inputs, *args) -> (value, aux)`` with `inputs` a list of float tensors, `value` a 0-d tensor and `aux` any
    tree (dict, list, tuple, None) of tensors. The result g satisfies ``g(inputs, *args) -> ((value, aux), grads)``
    with ``grads[i]`` of the shape and dtype of ``inputs[i]``, zero where the value does not depend on it. Values, aux
    and gradients are plain tensors that hold no graph, unless g itself runs inside another differentiated function:
    then they can be differentiated again.
    """


@primitive("autodiff")
def stop_gradient(x: Tensor, /) -> Tensor:
    """x as a constant: nothing flows back through it."""


@primitive("autodiff")
def custom_vjp(f: Callable[[list[Tensor]], tuple[list[Tensor], Callable[..., Any]]], /) -> Callable[..., list[Tensor]]:
    """A function of a list of tensors with a derivative of its own (a vector-Jacobian product, written out).

    ``f(inputs) -> (outputs, backward)`` takes a list of float tensors and returns a list of tensors and the function
    from their gradients to those of the inputs, a list of the same shapes and dtypes. The result g satisfies
    ``g(inputs) -> outputs``. `backward` is given zeros for a float output that nothing depends on, and for an output
    that is no float, something to be ignored. A second derivative is that of what `backward` computes from its
    argument, the inputs and what f has made of them. f is a pure function and may be called more than once.

    UsageError: an output depends on a tensor outside of f that is being differentiated; its gradient would be lost.
    """


@primitive("autodiff")
def compile(f: Callable[..., Any], /) -> Callable[..., Any]:
    """`f` in the form in which the framework runs it fastest; f itself where there is none.

    `f` takes a list of tensors (state, whose memory may be reused) and further trees of tensors, and returns a tree of
    tensors. It is a pure function of them. It is traced anew for new shapes or dtypes. Python values among the
    arguments are not allowed.
    """


@primitive("autodiff")
def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, /) -> tuple[Any, Any]:
    """``carry, y = f(carry, x)`` for every slice x of `xs` along the first axis.

    `init`, `xs` and y are trees of tensors. Returns the last carry and the y's stacked along a new first axis. Can be
    differentiated and compiled.
    """


# ---------------------------------------------------------------- system


@primitive("system")
def devices() -> tuple[str, ...]:
    """Names of the devices that are present, the preferred one first: ``("cuda:0", "cpu")``."""


@primitive("system")
def scope(precision: int, device: str, /) -> AbstractContextManager[None]:
    """What the framework needs around code that runs at this precision on this device."""


@primitive("system", accepts_foreign=True)
def is_tensor(x: Any, /) -> bool:
    """Whether x is a tensor of this backend, traced or concrete."""


@primitive("system")
def to_numpy(x: Tensor, /) -> Any:
    """A NumPy copy of x on the host, with its dtype (bfloat16, which NumPy lacks, as float32); waits for x."""


@primitive("system")
def synchronise(tensors: Sequence[Tensor], /) -> None:
    """Wait until the tensors are computed."""


# ---------------------------------------------------------------- the framework's own counterparts


@primitive("native")
def native_layer(kind: str, options: dict[str, Any], weights: dict[str, Any], /) -> Callable[..., Any]:
    """The framework's own layer with our weights, as a function from NumPy arrays to NumPy arrays.

    `kind` is the name of a class of `d2l_core.nn`: ``Linear``, ``Conv2d``, ``Conv3d``, ``BatchNorm``, ``MaxPool2d``,
    ``AvgPool2d``, ``MaxPool3d``, ``AvgPool3d``, ``Embedding``, ``LayerNorm``, ``GroupNorm``, ``RNN``, ``GRU`` or
    ``LSTM`` (whose function takes and returns hidden state and cell one after the other). `options` are its settings
    in our names, `weights` its parameters and buffers by name in our layout. Inputs and outputs are in our layout.
    BatchNorm runs in evaluation mode. It serves to check our layers against the framework's. BackendError: the
    framework has no such layer for this dtype; the adapter declares the reason as its limit ``<dtype> layer <kind>``.
    """


@primitive("native")
def native_optimiser(kind: str, options: dict[str, float], /) -> Callable[..., Any]:
    """The framework's own optimiser: a function that takes one step.

    `kind` is the name of a class of `d2l_core.optim`, `options` are its settings in our names, ``lr`` among them. The
    result is called as ``step(params, grads, state) -> (params, state)`` with lists of NumPy arrays and an opaque state
    that is None at first. It serves to check our optimisers. BackendError: the framework has no such optimiser, or none
    that follows our formula; the adapter declares the reason as its limit ``native <case>``, the case being one of
    `d2l_conformance.formulas`.
    """


# ---------------------------------------------------------------- models and memory of other owners


@primitive("interchange")
def native_module(
    call: Callable[..., tuple[Any, dict[str, Tensor]]], variables: dict[str, tuple[str, Tensor]], /
) -> Any:
    """The framework's own kind of module that owns `variables` and computes `call`.

    Args:
        call: ``call(values, training, inputs, options, device) -> (output, written)``, a pure function. `values` and
            `written` are tensors by path; what is written goes into the module's own variables. `training` is the
            module's own mode, `inputs` and `options` are the arguments it was called with, `device` is the name of
            the one it runs on, or None where it stays on the one it was made on.
        variables: kind and first value by dotted path; the kind is ``parameter``, ``frozen`` or ``buffer``. The module
            may keep the tensors.

    Raises:
        BackendError: the framework has no modules; the adapter declares the limit ``to_native``.
    """


@primitive("interchange")
def native_state(native: Any, /) -> dict[str, Any]:
    """Arrays or tensors of a module of the framework by dotted path, in the order of definition.

    `native` is made by `native_module` or put together from the framework's own layers. Names and layouts are the
    framework's own, see `d2l_core.nn._translation`.

    Raises:
        UsageError: `native` is no module of the framework.
        BackendError: the framework has no modules.
    """


@primitive("interchange")
def export_dlpack(x: Tensor, /) -> Any:
    """x as an object with ``__dlpack__`` and ``__dlpack_device__`` (https://dmlc.github.io/dlpack), without a copy."""


@primitive("interchange", accepts_foreign=True)
def import_dlpack(x: Any, /) -> Tensor:
    """A tensor on the active device on the memory of an object with ``__dlpack__`` and ``__dlpack_device__``.

    It may be a copy where the framework needs another alignment. What the framework cannot take at all raises its
    error.
    """
