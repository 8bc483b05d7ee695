"""The process in which `d2l check` runs a student's file on one backend: the verdicts, as JSON, in the last line."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path


def main(file: str, backend: str) -> None:
    """Examine the file on the backend and print the verdicts."""
    from d2l_core.backend import use_backend
    from d2l_core.lessons._exercises import examine

    with use_backend(backend):
        print(json.dumps([dataclasses.asdict(verdict) for verdict in examine(Path(file))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
