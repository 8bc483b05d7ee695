"""The errors a user can meet. Each message is one sentence that says what is wrong and what to do."""

from __future__ import annotations


class D2LError(Exception):
    """Base of all errors raised on purpose; the command line turns it into exit status 1."""


class UsageError(D2LError):
    """The caller named something that does not exist or combined what cannot be combined; exit status 2."""


class DataError(D2LError):
    """A data set is missing, corrupt, truncated or cannot be stored."""


class BackendError(D2LError):
    """A backend is not installed, does not import, or lacks part of the contract."""


class MissingPrimitive(BackendError):  # noqa: N818 - names what is the case
    """A primitive was called that the adapter, which is still being written, lacks; see `backend.load_incomplete`."""


class MixedBackendsError(D2LError, TypeError):
    """A tensor of one backend was passed to a function that runs on another."""


class CheckpointError(D2LError):
    """A checkpoint is damaged or belongs to another model."""


class TrainingDiverged(D2LError):  # noqa: N818 - names what happened, like StopIteration
    """A loss became NaN or infinite during training."""
