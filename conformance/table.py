"""The table of the conformance suite: one case for every function of the contract that computes something."""

from __future__ import annotations

from d2l_conformance import table_arrays, table_layers, table_linalg, table_network, table_standard
from d2l_conformance.case import Case

GROUPS = ("arrays", "linalg", "network", "autodiff")
"""Groups of the contract whose functions are cases; `system`, `native` and `interchange` have tests of their own."""

_ROWS = (*table_arrays.CASES, *table_standard.CASES, *table_linalg.CASES, *table_network.CASES, *table_layers.CASES)

CASES: dict[str, Case] = {case.name: case for case in _ROWS}
"""Every case by the name of its function."""
