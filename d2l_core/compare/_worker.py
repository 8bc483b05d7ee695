"""A process that trains one job on one backend and tells the runner how it goes.

``python -m d2l_core.compare._worker`` reads a specification (one JSON object, see `Spec`) from standard input and
writes events to standard output, one JSON object per line:

- ``{"event": "loaded", "backend": ..., "device": ...}`` once the framework is imported;
- ``{"event": "started", "steps": n, "epochs": n}`` before the first step;
- ``{"event": "progress", "step": n}``, at most ten per second;
- ``{"event": "epoch", "record": {...}, "losses": [...]}`` after each epoch, with the losses of its steps;
- ``{"event": "step0", "tensors": [...], "digests": {...}, "modules": {...}}``: names of the tensors of step
  0 in the order of the model, SHA-256 of the initial weights and the first batch, and the class of each module;
- ``{"event": "done", ...}`` with times and environment, or ``{"event": "failed", "kind": ..., "message": ...}``.

So what a worker did before it died is known. The tensors of step 0 go to ``step0.safetensors`` in the output folder.
Whatever a framework prints on standard output is led to standard error.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from d2l_core import tree, xp
from d2l_core._paths import replace_file
from d2l_core.autodiff import value_and_grad
from d2l_core.backend import current
from d2l_core.errors import TrainingDiverged, UsageError
from d2l_core.lessons import Job, find_lesson
from d2l_core.nn import Module, probing
from d2l_core.random import words
from d2l_core.training import Observer, Trainer
from d2l_core.training.history import Record

STEP0 = "step0.safetensors"

_MOST_ELEMENTS = 2**18
_PROGRESS_SECONDS = 0.1
_MOST_MOVES = 100


@dataclass(frozen=True)
class Spec:
    """What a worker is to do.

    Attributes:
        lesson, job, scale, seed: the training run.
        precision: 32 or 64.
        device: one of the backend's devices; its preferred one if None.
        out: folder for the tensors of step 0.
        perturb: if not 0, every weight moves by one ulp, up or down by the random stream of this number, before the
            first step and up to 100 times during the training.
        epochs: instead of the scale's.
    """

    lesson: str
    job: str
    backend: str
    scale: str
    seed: int
    precision: int
    device: str | None
    out: str
    perturb: int = 0
    epochs: int | None = None

    def to_json(self) -> str:
        """The specification as the worker reads it."""
        return json.dumps(asdict(self))


class Reporter(Observer):
    """Tells the runner of each moment of the training.

    Attributes:
        trainer: the one observed, once it has started.
    """

    every = None

    def __init__(self, stream: IO[str], perturb: int, seed: int):
        self.trainer: Trainer | None = None
        self._stream, self._perturb, self._seed = stream, perturb, seed
        self._told, self._told_losses = 0.0, 0

    def tell(self, event: str, **fields: Any) -> None:
        """Write one event."""
        self._stream.write(json.dumps({"event": event, **fields}) + "\n")
        self._stream.flush()

    def started(self, trainer: Trainer) -> None:
        """Tell the totals; the weights are moved here, after they were given their first values."""
        self.trainer = trainer
        if self._perturb:
            self.every = -(-trainer.total_steps // _MOST_MOVES)
        self._move(trainer)
        self.tell("started", steps=trainer.total_steps, epochs=trainer.epochs)

    def stepped(self, trainer: Trainer) -> None:
        """Tell how far the training is, now and then."""
        self._move(trainer)
        now = time.monotonic()
        if now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            self.tell("progress", step=trainer.step)

    def _move(self, trainer: Trainer) -> None:
        if self.every is not None and trainer.step % self.every == 0:
            move_by_one_ulp(trainer.model, self._seed, self._perturb, trainer.step)

    def epoch_ended(self, trainer: Trainer, record: Record) -> None:
        """Tell the record of the epoch and the losses of its steps."""
        self.tell("epoch", record=record, losses=self.new_losses(), step=trainer.step)

    def new_losses(self) -> list[float]:
        """The losses that no event has carried yet."""
        if self.trainer is None:
            return []
        losses = self.trainer.history.losses[self._told_losses :].tolist()
        self._told_losses += len(losses)
        return losses


def move_by_one_ulp(model: Module, *key: int) -> None:
    """Replace each element of each parameter by its neighbour above or below, by random signs from the stream `key`.

    The neighbour of zero is the smallest subnormal number, so a weight that is zero stays there in effect.
    """
    for path, parameter in model.parameters().items():
        values = xp.to_numpy(parameter.value)
        up = (words(values.size, "perturb", *key, path) & np.uint64(1)).astype(bool).reshape(values.shape)
        ends = np.where(up, np.inf, -np.inf).astype(values.dtype)
        parameter.assign(np.nextafter(values, ends))


# ---------------------------------------------------------------- step 0


def step_zero(job: Job, batch: tuple[Any, ...], seed: int) -> tuple[dict[str, NDArray[Any]], str]:
    """Activations and gradients of the first training step of a fresh model, and a digest of its initial weights.

    The keys are ``activation:<path>`` for the output of each module (``activation:<path>#2`` for its second output
    or call) and ``gradient:<path>`` for each trainable parameter. The pass runs in training mode; state such as
    running means and dropout counters is put back after it. Of a tensor with more than 2**18 elements only the first
    slices are kept.
    """
    inputs, target = batch[:-1], batch[-1]
    model = job.model()
    model.initialise(*inputs, seed=seed)
    model.train()
    state = {path: variable.value for path, variable in model.variables().items()}
    weights = digest(model.state_dict())
    tensors = {f"activation:{path}": x for path, x in _activations(model, inputs).items()}
    _restore(model, state)
    _, gradients = value_and_grad(lambda: job.loss(model(*inputs), target), model)()
    _restore(model, state)
    tensors |= {f"gradient:{path}": _head(xp.to_numpy(gradient)) for path, gradient in gradients.items()}
    return tensors, weights


def _activations(model: Module, inputs: tuple[Any, ...]) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}

    def keep(path: str, output: Any) -> Any:
        for leaf in tree.leaves(output):
            values = xp.to_numpy(leaf)
            if values.dtype.kind == "f":
                found[_free(path, found)] = _head(values)
        return output

    with probing(keep):
        model(*inputs)
    return found


def _free(path: str, taken: dict[str, Any]) -> str:
    name, count = path or "(output)", 1
    while (name if count == 1 else f"{name}#{count}") in taken:
        count += 1
    return name if count == 1 else f"{name}#{count}"


def _head(x: NDArray[Any]) -> NDArray[Any]:
    if x.size <= _MOST_ELEMENTS or x.ndim == 0:
        return np.ascontiguousarray(x)
    rows = max(1, _MOST_ELEMENTS // (x.size // len(x)))
    return np.ascontiguousarray(x[:rows])


def _restore(model: Module, state: dict[str, Any]) -> None:
    for path, variable in model.variables().items():
        variable.value = state[path]


def digest(arrays: dict[str, NDArray[Any]]) -> str:
    """SHA-256 over names, shapes and values; integers of any width count as the same."""
    sha = hashlib.sha256()
    for name, array in arrays.items():
        values = array.astype(np.int64) if array.dtype.kind in "iub" else array
        sha.update(f"{name}{values.shape}{values.dtype}".encode())
        sha.update(np.ascontiguousarray(values).tobytes())
    return sha.hexdigest()


# ---------------------------------------------------------------- environment


def environment() -> dict[str, Any]:
    """What the numbers of this process depend on besides the lesson."""
    context = current()
    adapter = context.backend.adapter
    from d2l_core import __version__

    return {
        "framework": adapter.title,
        "version": adapter.version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "d2l": __version__,
        "device": context.device,
        "precision": context.precision,
        "platform": platform.platform(),
        "machine": machine_class(),
        "cores": usable_cores(),
        "threads": {k: v for k, v in sorted(os.environ.items()) if k.endswith("_NUM_THREADS")},
        "peak_memory_bytes": peak_memory(),
    }


def machine_class() -> str:
    """Processor and number of cores, without the machine's name."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{platform.system()} {platform.machine()}, {model}, {usable_cores()} cores"


def usable_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def peak_memory() -> int | None:
    """Largest resident set so far in bytes, where the system tells it."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# ---------------------------------------------------------------- the process


def main() -> int:
    """Run the specification on standard input; 0 when the training ended, 1 when it broke off."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    spec = Spec(**json.load(sys.stdin))
    reporter = Reporter(stream, spec.perturb, spec.seed)
    try:
        _work(spec, reporter)
    except Exception as error:  # whatever a framework raises is reported, with its trace on standard error
        traceback.print_exc()
        kind = "usage" if isinstance(error, UsageError) else type(error).__name__
        reporter.tell("failed", kind=kind, message=str(error) or kind, losses=reporter.new_losses())
        return 1
    return 0


def _work(spec: Spec, reporter: Reporter) -> None:
    _, job = find_lesson(spec.lesson).job(spec.job)
    context = current()
    reporter.tell("loaded", backend=context.backend.name, device=context.device)
    settings: dict[str, Any] = {"observers": [reporter]}
    if spec.epochs is not None:
        settings["epochs"] = spec.epochs
    began = time.perf_counter()
    try:
        run = job.run(spec.scale, spec.seed, **settings)
    except TrainingDiverged:
        reporter.tell("step0", **_save_step_zero(spec, reporter, job))
        raise
    seconds = time.perf_counter() - began
    place = environment()
    if not spec.perturb:
        reporter.tell("step0", **_save_step_zero(spec, reporter, job))
    first = run.history.first_step_seconds
    reporter.tell("done", seconds=seconds, first_step_seconds=first, environment=place)


def _save_step_zero(spec: Spec, reporter: Reporter, job: Job) -> dict[str, Any]:
    """Write the tensors of step 0; it comes after the training, so that its first step is still the first."""
    assert reporter.trainer is not None
    from safetensors.numpy import save_file

    batch = next(iter(reporter.trainer.data.train.epoch(0)))
    tensors, weights = step_zero(job, batch, spec.seed)
    replace_file(Path(spec.out) / STEP0, lambda part: save_file(tensors, part))
    seen = digest({str(i): xp.to_numpy(x) for i, x in enumerate(batch)})
    modules = {path: type(module).__name__ for path, module in reporter.trainer.model.named_modules()}
    return {"tensors": list(tensors), "digests": {"weights": weights, "batch": seen}, "modules": modules}


if __name__ == "__main__":
    sys.exit(main())
