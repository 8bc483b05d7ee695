"""Checkpoints: a safetensors file with everything a run needs to go on to the same bits, written atomically.

The tensors are ``model/<path>``, ``optimiser/<slot>`` and ``losses``; the header carries the rest as JSON. Nothing
is ever unpickled.
"""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from d2l_core._paths import replace_bytes
from d2l_core.errors import CheckpointError

FORMAT = "d2l-checkpoint-1"

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass
class Checkpoint:
    """The state of a run between two steps.

    Attributes:
        model: parameters and buffers by path.
        optimiser: the optimiser's variables by name.
        state: epoch, batch, history and settings, as plain JSON.
    """

    model: Arrays
    optimiser: Arrays
    state: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write to `path`; what was there stays until the new file is complete.

        Raises:
            CheckpointError: the file cannot be written.
        """
        from safetensors.numpy import save

        tensors = {f"model/{name}": np.ascontiguousarray(a) for name, a in self.model.items()}
        tensors |= {f"optimiser/{name}": np.ascontiguousarray(a) for name, a in self.optimiser.items()}
        data = save(tensors, metadata={"format": FORMAT, "state": json.dumps(self.state)})
        try:
            replace_bytes(path, data)
        except OSError as error:
            advice = "free some space" if error.errno == errno.ENOSPC else "choose another folder"
            raise CheckpointError(
                f"The checkpoint {path} ({len(data):,} bytes) cannot be written ({error.strerror}); {advice}. "
                f"What was saved before is untouched."
            ) from error

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            CheckpointError: there is none, or it is damaged, or of another kind.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="np") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            if metadata.get("format") != FORMAT:
                raise CheckpointError(f"{path} is not a checkpoint of a training run; name one that d2l wrote.")
            state = json.loads(metadata["state"])
        except FileNotFoundError:
            raise CheckpointError(f"There is no checkpoint {path}; start without resuming.") from None
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise CheckpointError(f"The checkpoint {path} is damaged ({error}); start without resuming.") from error
        return cls(_part(tensors, "model/"), _part(tensors, "optimiser/"), state)


def _part(tensors: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
