"""The table of the conformance suite: one case for every function of the contract that computes something."""

from __future__ import annotations

from d2l_conformance import table_arrays, table_layers, table_linalg, table_network, table_standard, table_tasks
from d2l_conformance.case import Case

GROUPS = ("arrays", "linalg", "network", "autodiff")
"""Groups of the contract whose functions are cases; `system`, `native` and `interchange` have tests of their own."""

AREAS = {
    "arrays": table_arrays,
    "standard": table_standard,
    "linear algebra": table_linalg,
    "network": table_network,
    "layers": table_layers,
    "tasks": table_tasks,
}
"""The tables by the name under which a scorecard sums them up."""

CASES: dict[str, Case] = {case.name: case for table in AREAS.values() for case in table.CASES}
"""Every case by the name of its function."""

AREA_OF: dict[str, str] = {case.name: area for area, table in AREAS.items() for case in table.CASES}
"""The area of each case."""
