"""MXNet must import beside anything, and leave NumPy, the warnings and the logging of the process alone."""

import itertools
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

_IMPORTING = Path(__file__).parents[2] / "backends" / "mxnet_runtime" / "importing.py"
_FRAMEWORKS = [name for name in ("torch", "jax", "tensorflow") if find_spec(name)]

_PREAMBLE = f"""
import importlib.util, logging, sys, warnings
import numpy
spec = importlib.util.spec_from_file_location("mxnet_compat", {str(_IMPORTING)!r})
compat = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compat)
"""

_COMPUTE = {
    "torch": "import torch; assert torch.ones(3).sum().item() == 3",
    "jax": "import jax.numpy as jnp; assert float(jnp.ones(3).sum()) == 3",
    "tensorflow": "import tensorflow as tf; assert float(tf.reduce_sum(tf.ones(3))) == 3",
    "compat": "mx = compat.import_mxnet(); assert float(mx.np.ones(3).sum()) == 3",
}


def run_python(code: str) -> str:
    """Run code in a fresh interpreter where every warning is printed; return what it wrote to stderr."""
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_nothing_leaks_into_the_process() -> None:
    """NumPy, filters, finders and loggers are as before."""
    run_python(
        _PREAMBLE
        + """
names, filters, finders = set(dir(numpy)), list(warnings.filters), list(sys.meta_path)
had_distutils = "distutils" in sys.modules
mx = compat.import_mxnet()
assert set(dir(numpy)) == names
assert sys.modules["numpy"] is numpy
assert warnings.filters == filters
assert sys.meta_path == finders
assert not logging.getLogger().handlers
assert ("distutils" in sys.modules) == had_distutils
assert compat.import_mxnet() is mx
"""
    )


def test_import_writes_no_warning_of_mxnet() -> None:
    """The compiler's remarks on MXNet's source are hidden."""
    stderr = run_python(_PREAMBLE + "compat.import_mxnet()")
    assert "mxnet" not in stderr


def test_numpy_shapes_hold_in_every_thread() -> None:
    """0-d and zero-size arrays work outside the importing thread."""
    run_python(
        _PREAMBLE
        + """
from concurrent.futures import ThreadPoolExecutor
mx = compat.import_mxnet()
def shapes():
    return mx.np.zeros(()).shape, mx.np.zeros((0, 3)).shape
with ThreadPoolExecutor(1) as pool:
    assert pool.submit(shapes).result() == shapes() == ((), (0, 3))
"""
    )


def test_names_removed_from_numpy_work_at_call_time() -> None:
    """MXNet reads some of the old names only when called."""
    run_python(
        _PREAMBLE
        + """
mx = compat.import_mxnet()
x = mx.np.array([1.0, -2.0, 3.0])
assert x[x > 0].asnumpy().tolist() == [1.0, 3.0]
x[x < 0] = 0.0
assert x.asnumpy().tolist() == [1.0, 0.0, 3.0]
"""
    )


def test_libraries_that_mxnet_hardly_uses_wait_until_they_are_asked_for() -> None:
    """Each place where MXNet keeps one of them finds the real library then."""
    run_python(
        _PREAMBLE
        + """
import importlib.util
mx = compat.import_mxnet()
for name in ("scipy", "requests", "h5py"):
    assert name not in sys.modules, name
sparse = mx.nd.sparse.csr_matrix(([3.0], [1], [0, 1]), shape=(1, 2))
assert float(sparse.asscipy().sum()) == 3.0
assert mx.contrib.quantization.stats.entropy is mx.test_utils.ss.entropy
import requests, scipy.stats
assert mx.gluon.utils.requests.get is requests.get
assert mx.contrib.quantization.stats.entropy is scipy.stats.entropy
"""
    )


def test_a_missing_library_is_missed_at_once() -> None:
    """MXNet does without SciPy and h5py where they are not installed, and says so itself."""
    run_python(
        _PREAMBLE
        + """
find = importlib.util.find_spec
compat.find_spec = lambda name: None if name in ("scipy", "h5py") else find(name)
sys.modules.update({"scipy": None, "h5py": None})
mx = compat.import_mxnet()
assert mx.contrib.quantization.stats is None and mx.io.utils.h5py is None
"""
    )


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("other", _FRAMEWORKS)
def test_computes_beside_another_framework(other: str, first: bool) -> None:
    """Either may come first."""
    order = ["compat", other] if first else [other, "compat"]
    run_python(_PREAMBLE + "\n".join(_COMPUTE[name] for name in order * 2))


@pytest.mark.skipif(len(_FRAMEWORKS) < 3, reason="needs the other three frameworks")
@pytest.mark.parametrize("place", range(4))
def test_computes_beside_all_frameworks(place: int) -> None:
    """At every place in the order of import."""
    order = [*_FRAMEWORKS[:place], "compat", *_FRAMEWORKS[place:]]
    run_python(_PREAMBLE + "\n".join(_COMPUTE[name] for name in itertools.chain(order, reversed(order))))
