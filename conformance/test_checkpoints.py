"""Checkpoints go from every backend to the reference and back; ``tests/training`` has all pairs."""

from __future__ import annotations

from pathlib import Path

import pytest
from d2l_conformance import exchange
from d2l_conformance.course import REFERENCE

from d2l_core.backend import Backend, current, use_backend


@pytest.mark.parametrize("direction", ["from", "to"])
def test_a_run_goes_on_elsewhere(backend: Backend, precision: int, direction: str, tmp_path: Path) -> None:
    """A run that broke off on one backend goes on on the reference, or the other way round."""
    path, other = tmp_path / "run.safetensors", use_backend(REFERENCE, precision=precision)
    if direction == "from":
        exchange.begin(path, precision)
        with other:
            exchange.check_resumed(path, precision)
    else:
        with other:
            exchange.begin(path, precision)
        exchange.check_resumed(path, precision)
    assert current().backend is backend
