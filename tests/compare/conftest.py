"""What the tests of comparisons share."""

import warnings

import pytest

from d2l_core import adapters

LESSON = "linear-regression"


@pytest.fixture(scope="session")
def oracle():
    """The backend that is always installed: the last choice among the adapters."""
    return max(adapters().values(), key=lambda adapter: adapter.priority).name


@pytest.fixture(scope="session")
def other(oracle):
    """A second installed backend, or the same one again where there is no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        installed = [adapter.name for adapter in adapters().values() if not adapter.missing()]
    return next((name for name in installed if name != oracle), oracle)
