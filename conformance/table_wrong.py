"""Wrong calls beyond those that stand in a case's row: by function, with what is wrong at the end of the line."""

from __future__ import annotations

import numpy as np
from d2l_conformance.case import Sample, sample

_ROW, _TALL, _CUBE = np.ones(3), np.ones((4, 3)), np.ones((2, 3, 4))
_IMAGE, _KERNEL = np.ones((1, 2, 5, 5)), np.ones((2, 3, 3, 3))
_INDICES = np.zeros(2, np.int32)

_SQUARE_ONLY = ("lower_cholesky", "cholesky", "inv", "det", "log_determinant", "slogdet", "symmetric_eigen", "eigh")
_MATRIX_ONLY = ("matrix_transpose", "tril", "triu", "diagonal", "trace", "reduced_svd", "svd", "svdvals", "reduced_qr")
_SHAPED = ("zeros", "ones", "empty")

WRONG: dict[str, list[Sample]] = {
    **{name: [sample(_TALL), sample(_ROW)] for name in (*_SQUARE_ONLY, "eigvalsh")},  # not square, not a matrix
    **{name: [sample(_ROW)] for name in (*_MATRIX_ONLY, "qr", "pinv", "matrix_rank")},  # not a matrix
    **{name: [sample(-1)] for name in _SHAPED},  # a negative length
    "full": [sample(-1, 1.0)],  # a negative length
    "linspace": [sample(0.0, 1.0, -1)],  # a negative number of values
    "arange": [sample(0, 5, 0)],  # no step
    "permute_dims": [sample(_CUBE, (0, 1)), sample(_CUBE, (0, 1, 1)), sample(_CUBE, (0, 1, 3))],  # not a permutation
    "tile": [sample(_CUBE, (-1, 1, 1))],  # a negative number of copies
    "repeat": [sample(_ROW, -1)],  # a negative number of copies
    "pad": [sample(_CUBE, [(1, 1)]), sample(_ROW, [(-1, 0)])],  # too few axes; a negative width
    "take": [sample(_TALL, _INDICES)],  # no axis for a matrix
    "take_along_axis": [sample(_TALL, _INDICES, axis=0)],  # another rank
    "cumulative_sum": [sample(_TALL)],  # no axis for a matrix
    "cumulative_prod": [sample(_TALL)],  # no axis for a matrix
    "index_update": [sample(_TALL, _INDICES, np.ones((3, 3)))],  # more slices than indices
    "index_add": [sample(_TALL, _INDICES, np.ones((3, 3)))],  # more slices than indices
    "tensordot": [sample(_CUBE, np.ones((4, 3, 5))), sample(_ROW, _ROW, axes=2)],  # lengths differ; too few axes
    "einsum": [
        sample("ij,jk->ik", _TALL, _TALL),  # lengths differ
        sample("ij,jk->ik", _TALL),  # an operand is missing
        sample("ijk->i", _TALL),  # too few axes
    ],
    "outer": [sample(_TALL, _ROW)],  # not a vector
    "matrix_power": [sample(_TALL, 2)],  # not square
    "solve_columns": [sample(_TALL, _ROW)],  # not square
    "max_pool": [sample(_IMAGE, 6), sample(_IMAGE, (2, 2, 2))],  # no window fits; an axis too many
    "avg_pool": [sample(_IMAGE, 6), sample(_IMAGE, (2, 2, 2))],  # no window fits; an axis too many
    "adaptive_avg_pool": [sample(_IMAGE, (2, 2, 2))],  # an axis too many
    "adaptive_max_pool": [sample(_IMAGE, (2, 2, 2))],  # an axis too many
    "conv": [sample(_IMAGE, np.ones((2, 2, 6, 6)))],  # no window fits
    "conv_transpose": [sample(_IMAGE, _KERNEL[:, :, 0]), sample(np.ones((1, 3, 4, 4)), _KERNEL)],  # rank; channels
    "embedding": [sample(np.ones(2), _TALL)],  # indices that are not integers
    "roi_pool": [sample(_IMAGE, np.ones((2, 4)), 2), sample(_CUBE, np.ones((2, 5)), 2)],  # no example; no image
    "roi_align": [sample(_IMAGE, np.ones((2, 4)), 2), sample(_CUBE, np.ones((2, 5)), 2)],  # no example; no image
    "ctc_log_likelihood": [sample(_CUBE, np.ones((2, 2), np.int32), _INDICES, _INDICES)],  # three sequences, two labels
    "one_hot": [sample(_INDICES, -1)],  # a negative number of classes
}
"""Where the case has no tensors that could be made not to fit, or fits with any."""
