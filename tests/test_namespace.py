"""The tensor vocabulary as a namespace."""

import pytest

from d2l_core import xp
from d2l_core.interface import contract


@pytest.mark.parametrize("module", [xp, xp.linalg])
def test_every_name_it_lists_is_there(module, backend):
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_nothing_of_the_contract_is_left_out(backend):
    made_of = {"lower_cholesky", "solve_columns", "log_determinant", "symmetric_eigen", "reduced_svd", "reduced_qr"}
    groups = {group: {n for n, p in contract().items() if p.group == group} for group in ("arrays", "linalg")}
    assert groups["arrays"] <= set(xp.__all__)
    assert groups["linalg"] - set(xp.linalg.__all__) == made_of
