"""Which backends the suite runs on, and where it keeps what it has measured.

``D2L_BACKENDS=a,b`` names them; without it all installed ones are taken. A backend that is named but not installed
stops the run, and so does having none: a suite that passes because nothing ran would be worse than none.
``D2L_CONFORMANCE=deep`` asks hypothesis for many more examples. ``--record`` rewrites ``observed.json``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any

import pytest
from d2l_conformance._observed import Observed
from d2l_conformance.references import References
from hypothesis import HealthCheck, settings

from d2l_core.backend import Backend, adapters, use_backend

_COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("quick", max_examples=10, derandomize=True, database=None, **_COMMON)
settings.register_profile("deep", max_examples=500, **_COMMON)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that renews the record."""
    parser.addoption("--record", action="store_true", help="write the errors observed to conformance/observed.json")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile of hypothesis."""
    settings.load_profile("deep" if os.environ.get("D2L_CONFORMANCE") == "deep" else "quick")
    if config.getoption("--record") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--record needs all tests in one process: run it without --numprocesses.")


@functools.cache
def selected_backends() -> tuple[str, ...]:
    """The names of the backends to test; UsageError where one cannot be tested or none is left."""
    named = os.environ.get("D2L_BACKENDS")
    if named is None:
        chosen = [adapter.name for adapter in adapters().values() if not adapter.missing()]
    else:
        chosen = [name.strip() for name in named.split(",") if name.strip()]
    for name in chosen:
        if name not in adapters():
            raise pytest.UsageError(f"D2L_BACKENDS names {name!r}, but there is only: {', '.join(adapters())}.")
        if missing := adapters()[name].missing():
            raise pytest.UsageError(f"D2L_BACKENDS names {name!r}, which lacks the modules {', '.join(missing)}.")
    if not chosen:
        raise pytest.UsageError("There is no backend to test; set D2L_BACKENDS or install one.")
    return tuple(chosen)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for `backend` on every backend, at both precisions unless its module names some."""
    if "backend" in metafunc.fixturenames:
        precisions = getattr(metafunc.module, "PRECISIONS", (32, 64))
        settings_of = [(name, precision) for name in selected_backends() for precision in precisions]
        metafunc.parametrize("backend", settings_of, ids=[f"{n}-{p}" for n, p in settings_of], indirect=True)


def pytest_make_parametrize_id(val: object) -> None:
    """Refuse names made of bytes: such as of a gzip file, which holds the time, differ between workers."""
    if isinstance(val, bytes):
        raise pytest.UsageError(f"Name the parameters with ids=[...]; {val[:20]!r} makes a name that may change.")


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The active backend, at the precision that the test's name ends with."""
    name, precision = request.param
    with use_backend(name, precision=precision) as active:
        yield active


@pytest.fixture
def precision(request: pytest.FixtureRequest, backend: Backend) -> int:
    """The precision of the active backend."""
    from d2l_core.backend import current

    return current().precision


@pytest.fixture(scope="session")
def references(tmp_path_factory: pytest.TempPathFactory) -> References:
    """Runs of the reference backend, which parallel workers share."""
    folder = tmp_path_factory.getbasetemp()
    return References((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "references")


@pytest.fixture(scope="session")
def observed(request: pytest.FixtureRequest) -> Iterator[Observed]:
    """Where measured errors are noted; kept in the file only on request."""
    record = Observed()
    yield record
    if request.config.getoption("--record"):
        if request.session.testsfailed:
            pytest.fail("Some tests failed, so observed.json stays as it is.")
        record.write()
