"""Decompositions on PyTorch: its own functions."""

import torch

lower_cholesky = torch.linalg.cholesky
solve_columns = torch.linalg.solve
log_determinant = torch.linalg.slogdet
symmetric_eigen = torch.linalg.eigh
reduced_qr = torch.linalg.qr


def reduced_svd(x, /):
    return torch.linalg.svd(x, full_matrices=False)
