"""Decompositions on MXNet; `test_mxnet_upstream.py` shows why two of them take a detour."""

from .arrays import matrix_transpose, mx, np


def _unless_empty(*results):
    """For a decomposition that MXNet refuses to do where there are no matrices, or none with elements.

    `results` are the last axes of each result for a last operand (..., m, n), with k the smaller of the two.
    """

    def decorate(function):
        def guarded(*operands):
            x = operands[-1]
            if 0 not in x.shape:
                return function(*operands)
            sizes = dict(zip("mnk", (*x.shape[-2:], min(x.shape[-2:])), strict=True))
            shapes = [(*x.shape[:-2], *(sizes[letter] for letter in result)) for result in results]
            made = [np.zeros(shape, x.dtype) for shape in shapes]
            return tuple(made) if len(made) > 1 else made[0]

        return guarded

    return decorate


lower_cholesky = _unless_empty("mm")(np.linalg.cholesky)
solve_columns = _unless_empty("mn")(np.linalg.solve)
log_determinant = _unless_empty("", "")(np.linalg.slogdet)


@_unless_empty("m", "mm")
def symmetric_eigen(x, /):
    """By the singular values of x moved far enough up to be positive: the gradient of `mx.np.linalg.eigh` is zero."""
    shift = np.max(np.sum(np.abs(x.detach()), -1)) * 1.25 + 1e-30
    moved = x + np.reshape(shift, (1,) * x.ndim) * _identity(x)
    left, values, _ = reduced_svd(moved)
    return (values - shift)[..., ::-1], left[..., ::-1]


def _identity(x):
    return np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)


@_unless_empty("mk", "k", "kn")
def reduced_svd(x, /):
    """MXNet decomposes matrices that are not higher than wide."""
    if x.shape[-2] <= x.shape[-1]:
        return tuple(np.linalg.svd(x))
    left, values, right = np.linalg.svd(matrix_transpose(x))
    return matrix_transpose(right), values, matrix_transpose(left)


@_unless_empty("mn", "nn")
def reduced_qr(x, /):
    """The transposes of an LQ decomposition."""
    q, lower = mx.nd.linalg.gelqf(matrix_transpose(x).as_nd_ndarray())
    return matrix_transpose(q.as_np_ndarray()), matrix_transpose(lower.as_np_ndarray())
