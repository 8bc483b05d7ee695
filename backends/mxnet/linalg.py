"""Decompositions on MXNet; `test_mxnet_upstream.py` shows why two of them take a detour."""

from .arrays import matrix_transpose, mx, np

lower_cholesky = np.linalg.cholesky
solve_columns = np.linalg.solve
log_determinant = np.linalg.slogdet


def symmetric_eigen(x, /):
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


def reduced_qr(x, /):
    """The transposes of an LQ decomposition."""
    q, lower = mx.nd.linalg.gelqf(matrix_transpose(x).as_nd_ndarray())
    return matrix_transpose(q.as_np_ndarray()), matrix_transpose(lower.as_np_ndarray())
