"""Decompositions on MXNet; `test_mxnet_upstream.py` shows why two of them take a detour."""

import numpy

from .arrays import from_host, matrix_transpose, mx, np


def _or_nothing(function, on_host):
    """MXNet refuses to decompose no matrices; NumPy's own function does it, and nothing could flow back."""

    def decompose(*operands):
        if 0 not in operands[-1].shape:
            return function(*operands)
        result = on_host(*(x.asnumpy() for x in operands))
        return from_host(result) if isinstance(result, numpy.ndarray) else tuple(map(from_host, result))

    return decompose


lower_cholesky = np.linalg.cholesky
solve_columns = _or_nothing(np.linalg.solve, numpy.linalg.solve)
log_determinant = _or_nothing(np.linalg.slogdet, numpy.linalg.slogdet)


def _symmetric_eigen(x, /):
    """By the singular values of x moved far enough up to be positive: the gradient of `mx.np.linalg.eigh` is zero."""
    shift = np.max(np.sum(np.abs(x.detach()), -1)) * 1.25 + 1e-30
    moved = x + np.reshape(shift, (1,) * x.ndim) * _identity(x)
    left, values, _ = reduced_svd(moved)
    return (values - shift)[..., ::-1], left[..., ::-1]


def _identity(x):
    return np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)


def reduced_svd(x, /):
    """MXNet decomposes matrices that are not higher than wide."""
    if x.shape[-2] <= x.shape[-1]:
        return tuple(np.linalg.svd(x))
    left, values, right = np.linalg.svd(matrix_transpose(x))
    return matrix_transpose(right), values, matrix_transpose(left)


def _reduced_qr(x, /):
    """The transposes of an LQ decomposition."""
    q, lower = mx.nd.linalg.gelqf(matrix_transpose(x).as_nd_ndarray())
    return matrix_transpose(q.as_np_ndarray()), matrix_transpose(lower.as_np_ndarray())


symmetric_eigen = _or_nothing(_symmetric_eigen, numpy.linalg.eigh)
reduced_qr = _or_nothing(_reduced_qr, numpy.linalg.qr)
