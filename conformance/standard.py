"""The array API standard 2024.12 as data: which names it has, how they are called, and what of it is left out.

Written from the specification (https://data-apis.org/array-api/2024.12). A signature is what `inspect.signature` prints
without annotations.
"""

from __future__ import annotations

UNARY = "(x, /)"
BINARY = "(x1, x2, /)"
REDUCTION = "(x, /, *, axis=None, keepdims=False)"
ACCUMULATION = "(x, /, *, axis=None, dtype=None, keepdims=False)"
RUNNING = "(x, /, *, axis=None, dtype=None, include_initial=False)"
SPREAD = "(x, /, *, axis=None, correction=0.0, keepdims=False)"
SORTING = "(x, /, *, axis=-1, descending=False, stable=True)"
SHAPED = "(shape, *, dtype=None, device=None)"
LIKE = "(x, /, *, dtype=None, device=None)"
TRIANGLE = "(x, /, *, k=0)"


def _named(signature: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), signature)


_UNARY = """
    abs acos acosh asin asinh atan atanh bitwise_invert ceil cos cosh exp expm1 floor isfinite isinf isnan log log1p
    log2 log10 logical_not matrix_transpose negative nonzero positive reciprocal round sign signbit sin sinh square sqrt
    tan tanh trunc
"""
_BINARY = """
    add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal
    floor_divide greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor matmul maximum
    minimum multiply nextafter not_equal pow remainder subtract
"""

SIGNATURES = {
    **_named(UNARY, _UNARY),
    **_named(BINARY, _BINARY),
    **_named(REDUCTION, "all any argmax argmin count_nonzero max mean min"),
    **_named(ACCUMULATION, "sum prod"),
    **_named(RUNNING, "cumulative_sum cumulative_prod"),
    **_named(SPREAD, "std var"),
    **_named(SORTING, "sort argsort"),
    **_named(SHAPED, "empty ones zeros"),
    **_named(LIKE, "empty_like ones_like zeros_like"),
    **_named(TRIANGLE, "tril triu"),
    "__array_namespace_info__": "()",
    "arange": "(start, /, stop=None, step=1, *, dtype=None, device=None)",
    "asarray": "(obj, /, *, dtype=None, device=None, copy=None)",
    "from_dlpack": "(x, /, *, device=None, copy=None)",
    "astype": "(x, dtype, /, *, copy=True, device=None)",
    "broadcast_arrays": "(*arrays)",
    "broadcast_to": "(x, /, shape)",
    "can_cast": "(from_, to, /)",
    "clip": "(x, /, min=None, max=None)",
    "concat": "(arrays, /, *, axis=0)",
    "diff": "(x, /, *, axis=-1, n=1, prepend=None, append=None)",
    "expand_dims": "(x, /, axis=0)",
    "eye": "(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)",
    "finfo": "(type, /)",
    "flip": "(x, /, *, axis=None)",
    "full": "(shape, fill_value, *, dtype=None, device=None)",
    "full_like": "(x, /, fill_value, *, dtype=None, device=None)",
    "iinfo": "(type, /)",
    "isdtype": "(dtype, kind)",
    "linspace": "(start, stop, /, num, *, dtype=None, device=None, endpoint=True)",
    "meshgrid": "(*arrays, indexing='xy')",
    "moveaxis": "(x, source, destination, /)",
    "permute_dims": "(x, /, axes)",
    "repeat": "(x, repeats, /, *, axis=None)",
    "reshape": "(x, /, shape, *, copy=None)",
    "result_type": "(*arrays_and_dtypes)",
    "roll": "(x, /, shift, *, axis=None)",
    "searchsorted": "(x1, x2, /, *, side='left', sorter=None)",
    "squeeze": "(x, /, axis)",
    "stack": "(arrays, /, *, axis=0)",
    "take": "(x, indices, /, *, axis=None)",
    "take_along_axis": "(x, indices, /, *, axis=-1)",
    "tensordot": "(x1, x2, /, *, axes=2)",
    "tile": "(x, repetitions, /)",
    "unstack": "(x, /, *, axis=0)",
    "vecdot": "(x1, x2, /, *, axis=-1)",
    "where": "(condition, x1, x2, /)",
}
"""Every function of the standard that `d2l_core.xp` has, with its signature."""

LINALG = {
    **_named(UNARY, "det eigh eigvalsh inv matrix_transpose slogdet svdvals"),
    **_named(BINARY, "matmul outer solve"),
    "cholesky": "(x, /, *, upper=False)",
    "cross": "(x1, x2, /, *, axis=-1)",
    "diagonal": "(x, /, *, offset=0)",
    "matrix_norm": "(x, /, *, keepdims=False, ord='fro')",
    "matrix_power": "(x, n, /)",
    "matrix_rank": "(x, /, *, rtol=None)",
    "pinv": "(x, /, *, rtol=None)",
    "qr": "(x, /, *, mode='reduced')",
    "svd": "(x, /, *, full_matrices=True)",
    "tensordot": "(x1, x2, /, *, axes=2)",
    "trace": "(x, /, *, offset=0, dtype=None)",
    "vecdot": "(x1, x2, /, *, axis=-1)",
    "vector_norm": "(x, /, *, axis=None, keepdims=False, ord=2)",
}
"""Every function of the standard's extension `linalg`: all are there."""

CONSTANTS = ("e", "inf", "nan", "newaxis", "pi")

LEFT_OUT = {
    "conj": "complex numbers",
    "imag": "complex numbers",
    "real": "complex numbers",
    "unique_all": "set functions, whose shapes depend on data",
    "unique_counts": "set functions, whose shapes depend on data",
    "unique_inverse": "set functions, whose shapes depend on data",
    "unique_values": "set functions, whose shapes depend on data",
    "fft": "the extension for Fourier transforms",
}
"""Names of the standard that are left out on purpose, and what they belong to."""

DTYPES_LEFT_OUT = ("int8", "int16", "uint16", "uint32", "uint64", "complex64", "complex128")


# ---------------------------------------------------------------- dtypes

INTEGERS = ("uint8", "int32", "int64")
FLOATS = ("float32", "float64")
NUMERIC = (*INTEGERS, *FLOATS)
BITS = ("bool", *INTEGERS)
EVERY = ("bool", *NUMERIC)

PROMOTED = {
    ("uint8", "int32"): "int32",
    ("uint8", "int64"): "int64",
    ("int32", "int64"): "int64",
    ("float32", "float64"): "float64",
}


def promoted(one: str, other: str) -> str | None:
    """The dtype that two promote to, None for a mixture of kinds, which the standard leaves open."""
    return one if one == other else PROMOTED.get((one, other), PROMOTED.get((other, one)))


def _takes(dtypes: tuple[str, ...], names: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names.split(), dtypes)


UNARY_DTYPES = {
    **_takes(NUMERIC, "abs ceil floor isfinite isinf isnan negative positive round sign square trunc"),
    **_takes(FLOATS, "acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 reciprocal signbit"),
    **_takes(FLOATS, "sin sinh sqrt tan tanh"),
    **_takes(("bool",), "logical_not"),
    **_takes(BITS, "bitwise_invert"),
}
"""The dtypes that each elementwise function of one tensor takes."""

BINARY_DTYPES = {
    **_takes(NUMERIC, "add floor_divide maximum minimum multiply pow remainder subtract"),
    **_takes(NUMERIC, "greater greater_equal less less_equal"),
    **_takes(EVERY, "equal not_equal"),
    **_takes(FLOATS, "atan2 copysign divide hypot logaddexp nextafter"),
    **_takes(("bool",), "logical_and logical_or logical_xor"),
    **_takes(BITS, "bitwise_and bitwise_or bitwise_xor"),
    **_takes(INTEGERS, "bitwise_left_shift bitwise_right_shift"),
}
"""The dtypes that each elementwise function of two tensors takes."""

ANSWERS = _named(
    "bool",
    "equal greater greater_equal isfinite isinf isnan less less_equal logical_and logical_not logical_or logical_xor "
    "not_equal signbit",
)
"""Elementwise functions whose result is boolean."""
