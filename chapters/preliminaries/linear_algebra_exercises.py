"""The exercises of the lesson on linear algebra that a program examines."""

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def cosine_similarity(X, Y):
    """Cosines of the angles between all rows of two matrices.

    Args:
        X: a tensor (m, d).
        Y: a tensor (n, d).

    Returns:
        A tensor (m, n); element (i, j) is the cosine between X[i] and Y[j], and 0 if one of them is zero.
    """
    raise NotImplementedError


def _vectors():
    X = np.array([[1.0, 2.0, -2.0], [0.5, 0.0, 0.0]], np.float32)
    Y = np.array([[2.0, 4.0, -4.0], [-1.0, -2.0, 2.0], [0.0, 3.0, 3.0], [4.0, 0.0, -3.0]], np.float32)
    return X, Y


def _cosines(X, Y):
    lengths = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(Y, axis=1)
    return np.divide(X @ Y.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def check_cosine_similarity_value(candidate):
    """Two rows against four."""
    X, Y = _vectors()
    found = candidate(xp.asarray(X), xp.asarray(Y))
    expect_shape(found, (2, 4), "There is one row for each row of X and one column for each row of Y.")
    expect_close(found, _cosines(X, Y), "Divide each dot product by both lengths.")


def check_cosine_similarity_scale(candidate):
    """The length of a row must not matter."""
    X, Y = _vectors()
    found = candidate(xp.asarray(100.0 * X), xp.asarray(0.01 * Y))
    expect_close(found, _cosines(X, Y), "Longer rows have changed the result, although the angles are the same.")


def check_cosine_similarity_edges(candidate):
    """Rows of zeros."""
    X, Y = _vectors()
    X[1] = 0.0
    found = candidate(xp.asarray(X), xp.asarray(Y))
    expect_close(found, _cosines(X, Y), "A row of zeros must give zeros; zero divided by zero is NaN.")


def orthonormal(A):
    """The columns made perpendicular to each other and of length one, from left to right.

    Args:
        A: a tensor (m, n) with n <= m independent columns.

    Returns:
        A tensor Q (m, n). Column j is what is left of column j of A after the parts along the columns of Q before it
        are subtracted, divided by its length.
    """
    raise NotImplementedError


def _columns():
    return np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, -1.0, 3.0], [2.0, 0.0, -1.0]], np.float32)


def check_orthonormal_value(candidate):
    """Right angles and lengths."""
    A = _columns()
    Q = candidate(xp.asarray(A))
    expect_shape(Q, (4, 3), "The result has the shape of A.")
    Q = xp.to_numpy(Q)
    expect_close((Q * Q).sum(axis=0), np.ones(3), "Each column must have the length one.", atol=1e-5)
    expect_close(Q.T @ Q, np.eye(3), "The columns must be perpendicular; subtract all parts before.", atol=1e-5)


def check_orthonormal_span(candidate):
    """The first j columns of the result span what the first j columns of A span."""
    A = _columns()
    R = xp.to_numpy(candidate(xp.asarray(A))).T @ A
    expect_close(np.tril(R, -1), np.zeros((3, 3)), "Column j must come from the first j columns of A.", atol=1e-5)
    assert np.diag(R).min() > 0, "A column has been turned round: it must not point against the column of A."


def check_orthonormal_edges(candidate):
    """A single column, and columns that are perpendicular already."""
    one = np.array([[3.0], [4.0]], np.float32)
    expect_close(candidate(xp.asarray(one)), one / 5.0, "A single column is only divided by its length.")
    apart = np.diag([2.0, 0.5, 3.0]).astype(np.float32)
    expect_close(candidate(xp.asarray(apart)), np.eye(3), "Perpendicular columns only change their lengths.")


def safe_norm(x):
    """The Euclidean norm without overflow or underflow.

    Args:
        x: a tensor (n,) of floats.

    Returns:
        A 0-d tensor.
    """
    raise NotImplementedError


def check_safe_norm_value(candidate):
    """Ordinary numbers."""
    found = candidate(xp.asarray(np.array([1.0, -2.0, 2.0], np.float32)))
    expect_shape(found, (), "The norm is one number.")
    expect_close(found, 3.0, "The norm is the root of the sum of squares.")


def check_safe_norm_large(candidate):
    """Numbers whose squares overflow in float32."""
    x = np.array([3e30, -4e30], np.float32)
    expect_close(candidate(xp.asarray(x)) / 1e30, 5.0, "The squares overflow; scale the vector first.")


def check_safe_norm_small(candidate):
    """Numbers whose squares underflow in float32."""
    x = np.array([-3e-30, 4e-30], np.float32)
    expect_close(candidate(xp.asarray(x)) * 1e30, 5.0, "The squares become zero; scale the vector first.")


def check_safe_norm_edges(candidate):
    """Zeros, and a largest element that is negative."""
    expect_close(candidate(xp.zeros((3,))), 0.0, "The norm of zeros is zero, not NaN.")
    x = np.array([-12.0, -5.0], np.float32)
    expect_close(candidate(xp.asarray(x)), 13.0, "Scale by the largest absolute value, not by the largest value.")
