"""Choosing a backend, mixing two, and adapters that are absent, broken or incomplete."""

import gc
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from d2l_core import backend as backends
from d2l_core import use_backend, xp
from d2l_core.backend import Adapter, active, adapters, current, default_name
from d2l_core.errors import BackendError, MissingPrimitive, MixedBackendsError, UsageError
from d2l_core.nn.functional import avg_pool, max_pool

INSTALLED = [name for name, adapter in adapters().items() if not adapter.missing()]


def test_default_follows_the_environment(monkeypatch):
    monkeypatch.setenv("D2L_BACKEND", INSTALLED[-1])
    assert default_name() == INSTALLED[-1]
    monkeypatch.setenv("D2L_BACKEND", "nonesuch")
    with pytest.raises(UsageError, match="There is no backend 'nonesuch'; choose one of: "):
        default_name()


def test_default_is_the_first_installed(monkeypatch):
    monkeypatch.delenv("D2L_BACKEND", raising=False)
    assert default_name() == INSTALLED[0]


def test_what_a_framework_imports_is_no_garbage():
    """It is not looked through again, and the search goes on for what comes after, or goes on not to."""
    program = """
import gc
{before}
from d2l_core.backend import load_backend
load_backend("numpy")
print(gc.isenabled(), gc.get_freeze_count() > 10_000)
"""
    for before, wanted in (("", "True True"), ("gc.disable()", "False True")):
        command = [sys.executable, "-c", program.format(before=before)]
        found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        assert found.stdout.split() == wanted.split()


def test_a_failed_import_leaves_the_search_for_garbage_on(monkeypatch):
    """Nothing is kept out of it then."""
    kept = gc.get_freeze_count()
    monkeypatch.setattr(backends, "_import_group", lambda adapter, group: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backends._collect(adapters()["numpy"])
    assert gc.isenabled()
    assert gc.get_freeze_count() == kept


def test_wrong_precision_and_device_are_named():
    with pytest.raises(UsageError, match="Precision is 16; choose 32 or 64"), use_backend(precision=16):
        pass
    with pytest.raises(UsageError, match=r"has no device 'abacus' here; choose one of: "), use_backend(device="abacus"):
        pass


def test_blocks_nest_and_end(backend):
    outer = current()
    for name in INSTALLED:
        with use_backend(name, precision=64):
            assert active().name == name
            assert current().precision == 64
    assert current() is outer


def test_a_tensor_of_another_backend_is_refused(backend):
    others = [name for name in INSTALLED if name != backend.name]
    for name in others:
        with use_backend(name):
            foreign = xp.ones((2,))
        with pytest.raises(MixedBackendsError, match=f"add runs on {backend.name} but was given a tensor of {name}"):
            xp.add(xp.ones((2,)), foreign)
        assert xp.to_numpy(xp.asarray(xp.to_numpy(xp.ones((2,))))).tolist() == [1.0, 1.0]


@pytest.fixture
def adapter():
    return replace(adapters()["numpy"], name="third", title="Third")


def register(monkeypatch, adapter: Adapter):
    monkeypatch.setattr(backends, "adapters", lambda: {adapter.name: adapter})


def test_a_missing_framework_is_one_sentence_with_the_command(monkeypatch, adapter):
    register(monkeypatch, replace(adapter, requires=("no_such_framework",), install="pip install no-such"))
    with pytest.raises(BackendError, match="needs no_such_framework, not installed here; install it with: pip install"):
        backends.load_backend("third")


def test_a_broken_framework_is_told_from_a_missing_one(monkeypatch, adapter, tmp_path):
    (tmp_path / "broken_adapter").mkdir()
    (tmp_path / "broken_adapter" / "__init__.py").touch()
    (tmp_path / "broken_adapter" / "arrays.py").write_text("raise OSError('libfoo.so is missing')\n")
    monkeypatch.syspath_prepend(tmp_path)
    register(monkeypatch, replace(adapter, package="broken_adapter"))
    with pytest.raises(BackendError, match=r"does not import \(OSError: libfoo.so is missing\); reinstall it with"):
        backends.load_backend("third")


def test_an_incomplete_adapter_names_what_it_lacks(monkeypatch, adapter, tmp_path):
    package = tmp_path / "incomplete_adapter"
    package.mkdir()
    for group in backends.GROUPS:
        (package / f"{group}.py").write_text(f"from d2l_backends.numpy.{group} import *\n")
    (package / "__init__.py").touch()
    (package / "network.py").write_text("from d2l_backends.numpy.network import avg_pool, random_uniform\n")
    monkeypatch.syspath_prepend(tmp_path)
    register(monkeypatch, replace(adapter, package="incomplete_adapter"))
    with pytest.raises(
        BackendError, match="lacks 2 primitives of the contract: conv, max_pool; add what is missing to incomplete"
    ):
        backends.load_backend("third")


def test_an_incomplete_adapter_can_be_examined(monkeypatch, adapter, tmp_path):
    package = tmp_path / "half_adapter"
    package.mkdir()
    for group in set(backends.GROUPS) - {"linalg"}:  # a module that is not there yet counts as empty
        (package / f"{group}.py").write_text(f"from d2l_backends.numpy.{group} import *\n")
    (package / "__init__.py").touch()
    (package / "network.py").write_text("from d2l_backends.numpy.network import avg_pool, conv, random_uniform\n")
    monkeypatch.syspath_prepend(tmp_path)
    register(monkeypatch, replace(adapter, name="half", package="half_adapter"))
    monkeypatch.setattr(backends._LOADED, "backends", dict(backends._LOADED.backends))
    absent = backends.load_incomplete("half")
    assert {"max_pool", "lower_cholesky"} <= set(absent)
    with use_backend("half"):
        x = xp.ones((1, 1, 4, 4))
        assert avg_pool(x, 2).shape == (1, 1, 2, 2)
        with pytest.raises(MissingPrimitive, match="The adapter 'half' lacks max_pool; add it to half_adapter"):
            max_pool(x, 2)


def test_importing_the_engine_imports_no_framework():
    modules = sorted({module for adapter in adapters().values() for module in adapter.requires} - {"numpy"})
    code = f"import sys, d2l_core; print([m for m in {modules!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_failing_adapter_package_leaves_the_others(monkeypatch):
    class Entry:
        value = "third_party:adapter"

        def load(self):
            raise ImportError("no module named third_party")

    found = backends.importlib.metadata.entry_points(group=backends.ENTRY_POINTS)
    monkeypatch.setattr(backends.importlib.metadata, "entry_points", lambda group: [*found, Entry()])
    with pytest.warns(UserWarning, match="third_party:adapter does not load: no module named third_party"):
        assert backends.adapters.__wrapped__().keys() == adapters().keys()


TRAIN = """
import hashlib, sys
from d2l_core import use_backend
from d2l_core.backend import load_backend
from d2l_core.training import Trainer
from tests.training import _workbench as bench

for name in sys.argv[2:]:
    load_backend(name)
with use_backend(sys.argv[1]):
    trainer = Trainer(3)
    print(hashlib.sha256(repr(bench.bits(bench.fit(trainer), trainer)).encode()).hexdigest())
"""


def test_the_company_of_other_frameworks_does_not_change_a_bit():
    """One framework's library once halved the threads of another's, whose sums then came in another order."""
    first, *others = INSTALLED
    command = [sys.executable, "-W", "ignore", "-c", TRAIN, first]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    results = [
        subprocess.run([*command, *company], env=environment, capture_output=True, text=True, check=True).stdout
        for company in ([], others)
    ]
    assert results[0]
    assert results[0] == results[1]
