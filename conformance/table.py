"""The table of the conformance suite: one case for every function of the contract that computes something."""

from __future__ import annotations

from d2l_conformance import table_arrays, table_network
from d2l_conformance.case import Case

GROUPS = ("arrays", "network", "autodiff")
"""Groups of the contract whose functions are cases; those of `system` and `native` have tests of their own."""

CASES: dict[str, Case] = {case.name: case for case in (*table_arrays.CASES, *table_network.CASES)}
"""Every case by the name of its function."""
