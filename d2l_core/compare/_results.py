"""What a comparison found, as one JSON document.

``results.json`` is an object. Floats survive exactly; NaN and infinities, which JSON lacks, are the strings ``"nan"``,
``"inf"`` and ``"-inf"``. Steps count from 0, epochs from 1. Its keys:

- ``format``: ``"d2l-compare-1"``; another number means that old readers would misread it.
- ``lesson``, ``title``, ``sections``, ``job``, ``headline`` (the metric that sums the job up), ``scale``, ``seed``,
  ``precision``, ``device`` (as asked for, or null), ``date`` (UTC, ISO 8601), ``machine``, ``interrupted``.
- ``modules``: class of each module by path, as far as a worker has told them.
- ``workers``: in the order asked for, each with ``name``, ``backend``, ``title``, ``status`` (``done``, ``failed``,
  ``died``, ``hung``, ``interrupted`` or ``skipped``), ``message`` (one sentence, empty when done), ``last_words``
  (lines of standard error, when something went wrong), ``epochs`` (records with ``epoch``, ``loss``, ``val_...``,
  ``seconds``), ``losses`` (the training loss of each step), ``total_steps``, ``digests`` (SHA-256 of initial
  ``weights`` and first ``batch``), ``environment`` and ``times``: ``total``, ``epoch`` (median), ``step`` (median
  over the epochs, without the first step) and ``first_step`` (with what is compiled), all in seconds or null.
- ``calibration``: null, or ``backend`` (name of the worker whose weights were moved), ``runs`` (losses of each run
  with moved weights), ``factor``, ``floor_eps``, ``drift`` and ``budget`` for each step; see `_divergence.budget`.
- ``pairs``: of the workers with losses, each with ``a``, ``b``, ``same_start`` (digests agree; null if unknown),
  ``losses`` (`_divergence.compare_losses`), ``epoch`` (the last that both finished, or 0) and its ``metrics``
  (`_divergence.compare_metrics`), ``verdict`` (`_divergence.judge`; null without calibration), ``activations`` and
  ``gradients`` (`_divergence.compare_layers` at step 0; null where one worker did not get so far).
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2l_core._paths import replace_file
from d2l_core.compare import _divergence as divergence
from d2l_core.compare._runner import Worker
from d2l_core.compare._worker import STEP0

FORMAT = "d2l-compare-1"


def worker_entry(worker: Worker) -> dict[str, Any]:
    """The entry of one worker."""
    return {
        "name": worker.name,
        "backend": worker.adapter.name,
        "title": worker.adapter.title,
        "status": worker.status,
        "message": worker.message,
        "last_words": worker.last_words,
        "epochs": worker.epochs,
        "losses": worker.losses,
        "total_steps": worker.total_steps,
        "digests": worker.step_zero.get("digests", {}),
        "environment": worker.result.get("environment", {}),
        "times": times(worker),
    }


def times(worker: Worker) -> dict[str, float | None]:
    """Seconds of the whole training, of an epoch, a step, and the first step, as far as they are known."""
    first = worker.result.get("first_step_seconds")
    seconds = [record["seconds"] for record in worker.epochs]
    per_epoch = worker.total_steps // max(1, len(worker.epochs)) if worker.status == "done" else 0
    return {
        "total": worker.result.get("seconds"),
        "epoch": statistics.median(seconds) if seconds else None,
        "step": _step_seconds(seconds, per_epoch, first),
        "first_step": first,
    }


def _step_seconds(epochs: Sequence[float], steps: int, first: float | None) -> float | None:
    if not epochs or first is None or steps < 2:
        return None
    return statistics.median([(epochs[0] - first) / (steps - 1), *(seconds / steps for seconds in epochs[1:])])


def calibration(base: Worker | None, perturbed: Sequence[Worker], precision: int) -> dict[str, Any] | None:
    """The entry ``calibration`` from a finished worker and its runs with moved weights; None without such a run."""
    runs = [worker.losses for worker in perturbed if worker.status == "done"]
    if base is None or not runs:
        return None
    return {
        "backend": base.name,
        "runs": runs,
        "factor": divergence.DRIFT_FACTOR,
        "floor_eps": divergence.FLOOR_EPS,
        "drift": divergence.drift(base.losses, runs).tolist(),
        "budget": divergence.budget(base.losses, runs, precision).tolist(),
    }


def modules(workers: Sequence[Worker]) -> dict[str, str]:
    """Classes of the model's modules by path, from the first worker that told them."""
    return next((w.step_zero["modules"] for w in workers if w.step_zero), {})


def pair_entries(workers: Sequence[Worker], calibrated: dict[str, Any] | None, precision: int) -> list[dict[str, Any]]:
    """An entry for each pair of workers that took a step."""
    tensors = {worker.name: _step_zero(worker) for worker in workers}
    begun = [worker for worker in workers if worker.losses]
    return [_pair(a, b, tensors, calibrated, precision) for a, b in combinations(begun, 2)]


def _pair(
    a: Worker,
    b: Worker,
    tensors: dict[str, dict[str, NDArray[Any]]],
    calibrated: dict[str, Any] | None,
    precision: int,
) -> dict[str, Any]:
    digests = a.step_zero.get("digests"), b.step_zero.get("digests")
    both = min(len(a.epochs), len(b.epochs))
    metrics = _measured(a.epochs[both - 1], b.epochs[both - 1], precision) if both else {}
    allowed = np.asarray(calibrated["budget"]) if calibrated else None
    return {
        "a": a.name,
        "b": b.name,
        "same_start": digests[0] == digests[1] if all(digests) else None,
        "losses": divergence.compare_losses(a.losses, b.losses, precision),
        "epoch": both,
        "metrics": metrics,
        "verdict": None if allowed is None else divergence.judge(a.losses, b.losses, allowed),
        "activations": _layers("activation:", tensors[a.name], tensors[b.name], precision),
        "gradients": _layers("gradient:", tensors[a.name], tensors[b.name], precision, related=True),
    }


def _measured(a: dict[str, float], b: dict[str, float], precision: int) -> dict[str, dict[str, float]]:
    left_out = ("epoch", "seconds")
    chosen = [{k: v for k, v in record.items() if k not in left_out} for record in (a, b)]
    return divergence.compare_metrics(chosen[0], chosen[1], precision)


def _layers(
    prefix: str,
    a: dict[str, NDArray[Any]],
    b: dict[str, NDArray[Any]],
    precision: int,
    *,
    related: bool = False,
) -> dict[str, Any] | None:
    if not a or not b:
        return None
    chosen = [{k.removeprefix(prefix): v for k, v in side.items() if k.startswith(prefix)} for side in (a, b)]
    return divergence.compare_layers(chosen[0], chosen[1], precision, related=related)


def _step_zero(worker: Worker) -> dict[str, NDArray[Any]]:
    """The tensors of step 0 in the order in which the worker met them."""
    from safetensors.numpy import load_file

    if not worker.step_zero:
        return {}
    tensors = load_file(worker.folder / STEP0)
    return {name: tensors[name] for name in worker.step_zero["tensors"]}


# ---------------------------------------------------------------- the file


def write_results(path: Path, data: dict[str, Any]) -> None:
    """Write `data` in one step."""
    text = json.dumps(_plain(data), allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step."""

    def write(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    replace_file(path, write)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
