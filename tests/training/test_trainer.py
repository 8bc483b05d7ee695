"""The training loop: what it computes, remembers, stops at and goes on from."""

import json
import os
import random as python_random
import signal
import subprocess
import sys

import numpy as np
import pytest

from d2l_core import optim, random
from d2l_core.backend import current
from d2l_core.errors import CheckpointError, TrainingDiverged, UsageError
from d2l_core.nn.functional import cross_entropy
from d2l_core.training import Checkpoint, EarlyStopping, Observer, Trainer

from . import _workbench as bench


class StopAfter(Observer):
    """Break off with an error after some steps, as a crash would."""

    def __init__(self, steps):
        self.steps = steps

    def stepped(self, trainer):
        if trainer.step == self.steps:
            raise RuntimeError("power cut")


def adam(network):
    return optim.Adam(network, lr=0.02)


def test_training_helps_and_is_remembered(backend):
    trainer = Trainer(12)
    bench.fit(trainer)
    history = trainer.history
    assert len(history.losses) == trainer.step == trainer.total_steps == 48
    assert history.column("epoch") == list(range(1, 13))
    assert history.epochs[-1]["loss"] < 0.8 * history.epochs[0]["loss"]
    assert history.final("loss") == pytest.approx(np.average(history.losses[-4:], weights=[16, 16, 16, 12]))
    assert 0.0 <= history.final("val_acc") <= 1.0


def test_two_runs_give_the_same_bits(backend):
    runs = []
    for _ in range(2):
        trainer = Trainer(3, seed=5)
        runs.append(bench.bits(bench.fit(trainer), trainer))
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("optimiser", "steps"), [(bench.momentum, 1), (adam, 6), (bench.momentum, 8)])
def test_a_broken_run_resumes_to_the_same_bits(backend, tmp_path, steps, optimiser):
    whole = Trainer(4, clip_norm=1.0)
    expected = bench.bits(bench.fit(whole, optimiser=optimiser), whole)
    file = tmp_path / "run.safetensors"
    broken = Trainer(4, clip_norm=1.0, checkpoint=file, checkpoint_seconds=0.0, observers=[StopAfter(steps + 1)])
    with pytest.raises(RuntimeError, match="power cut"):
        bench.fit(broken, optimiser=optimiser)
    resumed = Trainer(4, clip_norm=1.0, checkpoint=file, resume=True)
    network = bench.fit(resumed, optimiser=optimiser)
    assert bench.bits(network, resumed) == expected


KILLED = """
import sys
from pathlib import Path
from d2l_core import use_backend
from d2l_core.training import Observer, Trainer
from tests.training import _workbench as bench

class Tell(Observer):
    def stepped(self, trainer):
        print(trainer.step, flush=True)

name, precision, file = sys.argv[1:]
with use_backend(name, precision=int(precision)):
    bench.fit(Trainer(40, checkpoint=Path(file), checkpoint_seconds=0.0, observers=[Tell()]))
"""


def start(backend, file):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "ignore", "-c", KILLED, backend.name, str(current().precision), str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_run_killed_at_a_random_step_resumes_to_the_same_bits(backend, tmp_path):
    whole = Trainer(40)
    network = bench.fit(whole)
    file = tmp_path / "run.safetensors"
    worker = start(backend, file)
    target = python_random.SystemRandom().randrange(5, 100)
    for line in worker.stdout:
        if int(line) >= target:
            worker.send_signal(signal.SIGKILL)
            break
    assert worker.wait() == -signal.SIGKILL
    saved = Checkpoint.load(file).state["step"]
    assert 0 < saved < whole.total_steps, "the worker must have been killed in the middle"
    resumed = Trainer(40, checkpoint=file, resume=True)
    assert bench.bits(bench.fit(resumed), resumed) == bench.bits(network, whole)


def test_interruption_saves_first(backend, tmp_path):
    file = tmp_path / "run.safetensors"
    worker = start(backend, file)
    for line in worker.stdout:
        if int(line) >= 3:
            worker.send_signal(signal.SIGINT)
            break
    worker.stdout.read()
    assert worker.wait() != 0
    assert Checkpoint.load(file).state["step"] >= 3


def test_not_a_number_is_named_with_its_step(backend, tmp_path):
    file = tmp_path / "run.safetensors"
    trainer = Trainer(3, checkpoint=file, observers=[])
    with pytest.raises(TrainingDiverged, match=r"became nan at batch \d+ of epoch 1 .* smaller learning rate"):
        bench.fit(trainer, optimiser=lambda network: optim.SGD(network, lr=float("inf")))
    assert not file.exists(), "a state without numbers must not replace a good one"


def test_early_stopping_waits_and_stops(backend):
    trainer = Trainer(50, observers=[EarlyStopping("val_loss", patience=2)])
    bench.fit(trainer, optimiser=lambda network: optim.SGD(network, lr=0.0))
    assert len(trainer.history.epochs) == 3


@pytest.fixture
def saved(tmp_path):
    file = tmp_path / "run.safetensors"
    bench.fit(Trainer(1, checkpoint=file))
    return file


def test_checkpoint_of_another_run_is_refused(saved):
    with pytest.raises(CheckpointError, match="seed is 0 there and 1 here"):
        bench.fit(Trainer(1, seed=1, checkpoint=saved, resume=True))
    with pytest.raises(CheckpointError, match="scheduled_steps is 4 there and 8 here"):
        bench.fit(Trainer(2, checkpoint=saved, resume=True))
    with pytest.raises(CheckpointError, match="optimiser is SGD there and Adam here"):
        bench.fit(Trainer(2, checkpoint=saved, resume=True), optimiser=adam)
    network = bench.nn.Sequential(bench.nn.Linear(13), bench.nn.BatchNorm(), bench.nn.Linear(2))
    with pytest.raises(CheckpointError, match="another model"):
        bench.fit(Trainer(1, checkpoint=saved, resume=True), network)


def test_missing_and_damaged_checkpoints_are_explained(saved):
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        Checkpoint.load(saved.with_name("other.safetensors"))
    data = saved.read_bytes()
    for broken in (data[: len(data) // 2], b"", b"\x80\x04K\x01.", data[:8] + b"[" + data[9:]):
        saved.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"damaged|not a checkpoint"):
            Checkpoint.load(saved)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="not a checkpoint of a training run"):
        Checkpoint.load(tmp_path / "other.safetensors")


def test_a_full_disk_keeps_the_last_checkpoint(saved):
    before = saved.read_bytes()
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from pathlib import Path; from d2l_core.training import Checkpoint;"
        "from d2l_core.errors import CheckpointError;"
        "c = Checkpoint.load(Path(sys.argv[1]));\n"
        "try: c.save(Path(sys.argv[1]))\n"
        "except CheckpointError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", script, str(saved)], capture_output=True, text=True, check=True)
    assert "cannot be written" in result.stdout
    assert "untouched" in result.stdout
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_history_survives_json_exactly(saved):
    history = Checkpoint.load(saved).state["history"]
    assert json.loads(json.dumps(history)) == history


def test_settings_are_checked():
    with pytest.raises(UsageError, match="at least 1"):
        Trainer(0)
    with pytest.raises(UsageError, match="name the checkpoint"):
        Trainer(1, resume=True)


def test_gradient_clipping_limits_the_joint_norm(backend):
    from d2l_core import xp

    gradients = {"a": xp.asarray(random.normal((3, 4), "a")), "b": xp.asarray(random.normal((5,), "b"))}
    clipped = optim.clip_by_norm(gradients, 0.5)
    norm = np.sqrt(sum((xp.to_numpy(g).astype(np.float64) ** 2).sum() for g in clipped.values()))
    assert norm == pytest.approx(0.5, rel=1e-5)
    for name, same in optim.clip_by_norm(gradients, 1e6).items():
        np.testing.assert_array_equal(xp.to_numpy(same), xp.to_numpy(gradients[name]))


def test_the_loss_is_the_mean_over_examples_not_batches(backend):
    from d2l_core import xp

    trainer = Trainer(1)
    network = bench.fit(trainer, optimiser=lambda network: optim.SGD(network, lr=0.0))
    X, y = (xp.asarray(a) for a in bench.data().val.arrays)
    whole = float(xp.to_numpy(cross_entropy(network.evaluate()(X), y)))
    assert trainer.history.final("val_loss") == pytest.approx(whole, rel=1e-6)
