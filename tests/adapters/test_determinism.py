"""Determinism where it takes a framework's own settings: the number of threads, and which of several devices it is."""

import os
import subprocess
import sys

import numpy as np
import pytest
from d2l_conformance.conftest import selected_backends

PRELUDE = """
import sys
import numpy as np
from d2l_conformance.course import Course
from d2l_conformance.families import CROSS_ENTROPY, Family, Turn
from d2l_core import nn, optim, random
from d2l_core.backend import use_backend

def data():
    labels = np.floor(4 * random.uniform(64, "threads", "labels"))
    return random.normal((64, 3, 16, 16), "threads"), np.asarray(labels, np.int32)

def model():
    return nn.Sequential(
        nn.Conv2d(16, 5, bias=False), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256), nn.Tanh(), nn.Linear(4),
    )

FAMILY = Family("wide", model, data, (Turn(CROSS_ENTROPY, lambda m: optim.SGD(m, 0.05, momentum=0.9)),), batch=64)

def report():
    course = Course(FAMILY)
    losses = [course.take(step) for step in range(3)]
    np.savez(sys.argv[2], losses=np.array(losses), **{k.replace("/", "."): v for k, v in course.state().items()})
"""

RUN = """
with use_backend(sys.argv[1], precision=32):
    report()
"""

THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "MXNET_CPU_WORKER_NTHREADS"),
)


def child(code, backend, path, **variables):
    """What a fresh interpreter leaves: losses and state by name."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_WAIT_POLICY": "passive"} | variables
    command = [sys.executable, "-W", "ignore", "-c", PRELUDE + code, backend, str(path)]
    subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    with np.load(path) as arrays:
        return dict(arrays)


def threads(number):
    variables = dict.fromkeys(THREADS, str(number))
    return variables | ({"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"} if number == 1 else {})


def bits(arrays):
    return {name: array.tobytes() for name, array in arrays.items()}


ROUNDING = 2e-5
"""Relative to the largest element of each tensor. Products of matrices, convolutions and sums are divided among threads
and added up in another order; observed after three steps: 2.4e-6 (PyTorch), 2.0e-6 (MXNet), 1.1e-6 (TensorFlow),
7e-7 (JAX) and 0 (NumPy, which parts in the last bit with wider layers)."""


@pytest.mark.parametrize("framework", selected_backends())
def test_bits_follow_from_the_number_of_threads(framework, tmp_path):
    one, two, again = (child(RUN, framework, tmp_path / f"{i}.npz", **threads(n)) for i, n in enumerate((1, 2, 2)))
    assert bits(two) == bits(again)
    for name, array in one.items():
        size = float(np.abs(array).max(initial=0.0))
        np.testing.assert_allclose(two[name], array, rtol=0, atol=ROUNDING * size, err_msg=name)


JAX_DEVICE = """
import os
import jax
from d2l_backends.jax import system
device = jax.devices("cpu")[int(os.environ["TESTED_DEVICE"])]
system._devices.cache_clear()
system._devices = lambda: {"cpu": device}
with use_backend("jax", precision=32):
    from d2l_core import xp
    assert xp.ones(()).devices() == {device}
    report()
"""

TENSORFLOW_DEVICE = """
import os
import tensorflow as tf
processor, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.device("CPU:" + os.environ["TESTED_DEVICE"]), use_backend("tensorflow", precision=32):
    from d2l_core import xp
    assert xp.ones(()).device.endswith("CPU:" + os.environ["TESTED_DEVICE"])
    report()
"""

SEVERAL = {
    "jax": (JAX_DEVICE, {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}),
    "tensorflow": (TENSORFLOW_DEVICE, {}),
}
"""How to have two processors of one; the other frameworks know a single one."""


@pytest.mark.parametrize("framework", [name for name in SEVERAL if name in selected_backends()])
def test_devices_of_one_kind_give_the_same_bits(framework, tmp_path):
    code, variables = SEVERAL[framework]
    runs = [
        child(
            code, framework, tmp_path / f"{i}.npz", TESTED_DEVICE=str(i), **dict.fromkeys(THREADS[:3], "2"), **variables
        )
        for i in (0, 1)
    ]
    assert bits(runs[0]) == bits(runs[1])


BY_NAME = """
from d2l_core import xp
with use_backend("jax", precision=32) as backend:
    names = backend.devices()
    found = {name: xp.ones((2,), device=name).devices() for name in names}
    with use_backend("jax", device="cpu:1"):
        moved = xp.asarray(xp.ones((2,), device="cpu"))
        assert moved.devices() == found["cpu:1"] != found["cpu"]
        assert nn.Linear(2, 2).initialise(seed=0).weight.devices() == found["cpu:1"]
    np.savez(sys.argv[2], names=np.array(names))
"""


@pytest.mark.skipif("jax" not in selected_backends(), reason="only JAX can split a processor into several by itself")
def test_every_part_of_a_divided_processor_is_a_device(tmp_path):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    assert child(BY_NAME, "jax", tmp_path / "names.npz", **flags)["names"].tolist() == ["cpu", "cpu:1"]
