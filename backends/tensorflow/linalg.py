"""Decompositions on TensorFlow: its own functions."""

from d2l_backends.tensorflow_runtime.importing import tf

lower_cholesky = tf.linalg.cholesky
solve_columns = tf.linalg.solve
log_determinant = tf.linalg.slogdet
symmetric_eigen = tf.linalg.eigh
reduced_qr = tf.linalg.qr


def reduced_svd(x, /):
    """TensorFlow gives the singular values first and V in columns."""
    values, left, right = tf.linalg.svd(x)
    return left, values, tf.linalg.matrix_transpose(right)
