"""The same run gives the same bits: in another process, with other hashes of strings, from the same first values."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from d2l_conformance.course import REFERENCE, Course, fingerprint
from d2l_conformance.families import FAMILIES

from d2l_core import interface as xp
from d2l_core import nn
from d2l_core.backend import Backend, use_backend
from d2l_core.nn import initialisers

STEPS = 5
FAMILY = "convolutional network"  # state of all kinds: weights, running statistics, dropout, moments

CHILD = """
import sys
from d2l_conformance.course import fingerprint
from d2l_conformance.families import FAMILIES
from d2l_core.backend import use_backend

name, precision, family, steps = sys.argv[1:]
with use_backend(name, precision=int(precision)):
    print(fingerprint(FAMILIES[family], int(steps)))
"""


def test_another_process_gives_the_same_bits(backend: Backend, precision: int) -> None:
    """Losses and all state after some steps, in this process and in a fresh one with other hashes of strings."""
    command = [sys.executable, "-W", "ignore", "-c", CHILD, backend.name, str(precision), FAMILY, str(STEPS)]
    own = os.environ.get("PYTHONHASHSEED", "")
    environment = os.environ | {"PYTHONHASHSEED": "1" if own != "1" else "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert child.stdout.split()[-1] == fingerprint(FAMILIES[FAMILY], STEPS)


def _start() -> dict[str, np.ndarray]:
    kinds = (
        initialisers.XavierUniform(), initialisers.HeNormal(), initialisers.Normal(0.3), initialisers.FanInUniform(7),
    )  # fmt: skip
    layers = nn.Sequential(*(nn.Linear(7, 5, weight_init=kind, bias_init=initialisers.Normal(0.1)) for kind in kinds))
    return layers.initialise(seed=4).state_dict()


def test_first_values_are_the_same_bits_on_every_backend(backend: Backend, precision: int) -> None:
    """What is drawn for weights on this backend is what the reference draws."""
    drawn = _start()
    with use_backend(REFERENCE, precision=precision):
        wanted = _start()
    for path, array in wanted.items():
        np.testing.assert_array_equal(drawn[path], array, err_msg=path, strict=True)


def test_first_batches_are_the_same_bits_on_every_backend(backend: Backend, precision: int) -> None:
    """Data reach each backend unchanged."""
    found = [xp.to_numpy(x) for x in Course(FAMILIES[FAMILY]).batch(3)]
    with use_backend(REFERENCE, precision=precision):
        wanted = [xp.to_numpy(x) for x in Course(FAMILIES[FAMILY]).batch(3)]
    for array, expected in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(array, expected, strict=True)
