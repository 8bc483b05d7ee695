"""The record of the largest error seen: per case, kind (value or gradient), precision and backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("observed.json")


class Observed:
    """Errors in the units of each case's tolerance."""

    def __init__(self) -> None:
        self.errors: dict[tuple[str, str, str, str], float] = {}

    def note(self, case: str, kind: str, precision: int, backend: str, error: float) -> None:
        """Keep the larger of this error and what was noted before."""
        key = (case, kind, str(precision), backend)
        self.errors[key] = max(self.errors.get(key, 0.0), error)

    def write(self, file: Path = FILE) -> None:
        """Put what was noted in place of what the file says of the same backends and cases."""
        table = read(file)
        for (case, kind, precision, backend), error in self.errors.items():
            row = table.setdefault(case, {}).setdefault(kind, {}).setdefault(precision, {})
            row[backend] = float(f"{error:.3g}")
        file.write_text(json.dumps(table, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def read(file: Path = FILE) -> dict[str, Any]:
    """The record as nested dicts: case, kind, precision, backend."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def largest(table: dict[str, Any], case: str, kind: str) -> float:
    """The largest error over precisions and backends."""
    rows = table.get(case, {}).get(kind, {}).values()
    return max((error for row in rows for error in row.values()), default=0.0)
