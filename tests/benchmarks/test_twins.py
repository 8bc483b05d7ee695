"""Every twin, in every form, trains as our model does: the losses of two epochs are those of `Trainer` on NumPy."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import d2l_benchmarks
import numpy as np
import pytest
from d2l_benchmarks import twins
from d2l_benchmarks.workloads import FIRST_TOLERANCE, WORKLOADS, Workload
from d2l_conformance.conftest import selected_backends

from d2l_core import xp
from d2l_core.backend import use_backend
from d2l_core.data import Loader
from d2l_core.training import Data, Trainer

EPOCHS = 2
QUICK = ("linear_regression", "mlp_small", "matrix_factorisation")
TINY = {name: replace(one, batch=8, steps=3) for name, one in WORKLOADS.items()}
TINY["matrix_factorisation"] = WORKLOADS["matrix_factorisation"]  # has rows that come twice in a batch
TINY["resnet18"] = replace(WORKLOADS["resnet18"], batch=4, steps=1)
TINY["transformer"] = replace(WORKLOADS["transformer"], batch=8, steps=1)
TOLERANCES = {"resnet18": 1e-2}  # its last stage normalises over four numbers here, instead of 64
DOUBLE_TOLERANCE = 1e-9
WIDE = [name for name, one in WORKLOADS.items() if one.tolerance > 1e-4]


def words_of(module: str, variable: str) -> tuple[str, ...]:
    """A tuple of a module as it stands in the source, so that no framework is imported; empty if there is no such."""
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    for statement in ast.parse(Path(found.origin).read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == variable for target in targets):
            words: tuple[str, ...] = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
            return words
    return ()


def forms_of(module: str) -> tuple[str, ...]:
    return words_of(module, "FORMS")


def modules_of(package: Any) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg]


BY_HAND = [
    (f"{twins.__name__}.{name}", form)
    for name in modules_of(twins)
    if name in selected_backends()
    for form in forms_of(f"{twins.__name__}.{name}")
]
IN_DOUBLE = [
    (module, form, name)
    for module, form in BY_HAND
    if form == forms_of(module)[0]
    for name in words_of(module, "DOUBLES")
]
LAYERS = [
    (f"{d2l_benchmarks.__name__}.{name}", form)
    for name in modules_of(d2l_benchmarks)
    if importlib.util.find_spec(name)
    for form in forms_of(f"{d2l_benchmarks.__name__}.{name}")
    if form in selected_backends()
]
TRAIN = """
import importlib, json, sys
from pathlib import Path
import numpy as np

def arrays_in(file):
    with np.load(file) as stored:
        return {name: stored[name] for name in stored.files}

def in_dtype(arrays):
    return {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in arrays.items()}

module, form, folder, dtype, *names = sys.argv[1:]
prepare = importlib.import_module(module).prepare
found = {}
for name in names:
    at = Path(folder, name)
    (batch,), orders = arrays_in(at / "order.npz").values()
    arrays = tuple(in_dtype(arrays_in(at / "arrays.npz")).values())
    epoch = prepare(name, form, in_dtype(arrays_in(at / "weights.npz")), arrays, int(batch))
    found[name] = [epoch(order) for order in orders]
assert not [name for name in sys.modules if name.startswith(("d2l_core", "d2l_backends"))]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a twin is given, in files: its process holds nothing of ours."""
    root = tmp_path_factory.mktemp("workloads")
    for name, one in TINY.items():
        (root / name).mkdir()
        loader = loader_of(name)
        np.savez(root / name / "arrays.npz", *loader.arrays)
        np.savez(root / name / "weights.npz", **one.weights())
        np.savez(root / name / "order.npz", [one.batch], [loader.order(epoch) for epoch in range(EPOCHS)])
    return root


@functools.cache
def loader_of(name: str) -> Loader:
    return Loader(TINY[name].arrays(), TINY[name].batch, shuffle=True)


@functools.cache
def our_losses(name: str, dtype: str = "float32") -> np.ndarray[Any, Any]:
    """One row for each epoch, from weights and inputs that float32 holds."""
    one: Workload = TINY[name]
    loader = loader_of(name)
    arrays = [array.astype(dtype) if array.dtype.kind == "f" else array for array in loader.arrays]
    with use_backend("numpy", precision=np.dtype(dtype).itemsize * 8):
        model = one.model().initialise(*map(xp.asarray, arrays[:-1]), seed=0)
        model.load_state_dict(one.weights(), strict=False)
        data = Data(Loader(arrays, one.batch, shuffle=True), Loader([a[: one.batch] for a in arrays], one.batch))
        trainer = Trainer(EPOCHS, seed=0, clip_norm=one.clip_norm)
        trainer.fit(model, data, loss=one.loss, optimiser=one.optimiser)
    return np.reshape(trainer.history.losses, (EPOCHS, one.steps))


def their_losses(
    module: str, form: str, folder: Path, names: list[str], dtype: str = "float32", **variables: str
) -> dict[str, Any]:
    """One row for each epoch, by workload."""
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, module, form, str(folder), dtype, *names],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == names
    return found


def trained(module: str, form: str) -> list[str]:
    """All workloads in the first form; some that compile quickly in the others, which share its code."""
    return [name for name in WORKLOADS if name in QUICK or form == forms_of(module)[0]]


def tolerance_of(name: str) -> float:
    return TOLERANCES.get(name, WORKLOADS[name].tolerance)


@pytest.mark.parametrize(("module", "form"), BY_HAND)
def test_twin_has_our_losses(module: str, form: str, folder: Path) -> None:
    for name, losses in their_losses(module, form, folder, trained(module, form)).items():
        expected = our_losses(name)
        np.testing.assert_allclose(losses[0][0], expected[0, 0], rtol=FIRST_TOLERANCE, err_msg=name)
        np.testing.assert_allclose(losses, expected, rtol=tolerance_of(name), err_msg=name)


@pytest.mark.parametrize(("module", "form", "name"), IN_DOUBLE)
def test_twin_has_our_losses_in_float64(module: str, form: str, name: str, folder: Path) -> None:
    found = their_losses(module, form, folder, [name], dtype="float64")[name]
    np.testing.assert_allclose(found, our_losses(name, "float64"), rtol=DOUBLE_TOLERANCE)


def test_wide_tolerances_are_proven_in_float64() -> None:
    proven = {name for module in modules_of(twins) for name in words_of(f"{twins.__name__}.{module}", "DOUBLES")}
    assert proven == set(WIDE)


@pytest.mark.parametrize(("module", "framework"), LAYERS)
def test_layer_above_frameworks_has_our_mean_losses(module: str, framework: str, folder: Path) -> None:
    variable = f"{module.rpartition('.')[2].upper()}_BACKEND"
    found = their_losses(module, framework, folder, trained(module, framework), **{variable: framework})
    for name, losses in found.items():
        expected = our_losses(name).mean(axis=1, keepdims=True)
        np.testing.assert_allclose(losses, expected, rtol=tolerance_of(name), err_msg=name)
