"""Decompositions on NumPy; autograd knows the derivatives of most."""

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive
from d2l_backends.numpy.arrays import as_tensor

lower_cholesky = np.linalg.cholesky
solve_columns = np.linalg.solve


def log_determinant(x, /):
    sign, size = np.linalg.slogdet(x)
    return as_tensor(sign), as_tensor(size)


def symmetric_eigen(x, /):
    values, vectors = np.linalg.eigh(x)
    return values, vectors


def reduced_svd(x, /):
    left, values, right = np.linalg.svd(x, full_matrices=False)
    return left, values, right


@primitive
def reduced_qr(x, /):
    return tuple(numpy.linalg.qr(x))


def _qr_slope(answer, x):
    """Walter and Lehmann, Algorithmic Differentiation of Linear Algebra Functions (2010): for independent columns."""
    q, r = answer

    def slope(g):
        inner = np.matmul(r, np.swapaxes(g[1], -1, -2)) - np.matmul(np.swapaxes(g[0], -1, -2), q)
        mirrored = np.tril(inner) + np.swapaxes(np.tril(inner, -1), -1, -2)
        return np.swapaxes(np.linalg.solve(r, np.swapaxes(g[0] + np.matmul(q, mirrored), -1, -2)), -1, -2)

    return slope


defvjp(reduced_qr, _qr_slope)
