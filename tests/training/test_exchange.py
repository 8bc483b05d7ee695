"""Checkpoints go from every installed backend to every other."""

import os
import shutil

import pytest
from d2l_conformance import exchange
from d2l_conformance.conftest import selected_backends

from d2l_core._paths import replace_file
from d2l_core.backend import use_backend


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """The path of what a backend wrote, once for all tests and workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exchange"

    def path_of(writer, precision):
        path = shared / f"{writer}-{precision}.safetensors"
        if not path.exists():
            own = base / path.name
            with use_backend(writer, precision=precision):
                exchange.begin(own, precision)
            shared.mkdir(exist_ok=True)
            replace_file(path, lambda part: shutil.copyfile(own, part))
        return path

    return path_of


@pytest.mark.parametrize("writer", selected_backends())
def test_a_run_goes_on_on_any_other_backend(backend, precision, writer, written):
    exchange.check_resumed(written(writer, precision), precision)
