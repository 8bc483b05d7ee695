"""Decompositions on NumPy; autograd knows the derivatives of most."""

import autograd.numpy as np
import numpy
from d2l_backends.numpy.arrays import as_tensor, plain

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


def reduced_qr(x, /):
    """NumPy's factors; the derivative is that of a Cholesky decomposition of ``QᵀQ``, the identity in value."""
    triangle = numpy.linalg.qr(plain(x))[1]
    q = np.swapaxes(np.linalg.solve(numpy.swapaxes(triangle, -1, -2), np.swapaxes(x, -1, -2)), -1, -2)
    correction = np.linalg.cholesky(np.matmul(np.swapaxes(q, -1, -2), q))
    q = np.swapaxes(np.linalg.solve(correction, np.swapaxes(q, -1, -2)), -1, -2)
    return q, np.matmul(np.swapaxes(correction, -1, -2), triangle)
