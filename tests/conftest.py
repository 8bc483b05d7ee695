"""Tests that ask for `backend` run on every installed backend at both precisions, as the conformance suite does."""

from d2l_conformance.conftest import (
    backend,
    precision,
    pytest_generate_tests,
    pytest_make_parametrize_id,
    selected_backends,
)

__all__ = ["backend", "precision", "pytest_generate_tests", "pytest_make_parametrize_id", "selected_backends"]
