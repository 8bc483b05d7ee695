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


class AbsentError(BackendError, AttributeError):
    """A name of the vocabulary that the active backend does not have, and says so among its limits."""


class MissingPrimitive(BackendError):  # noqa: N818 - names what is the case
    """A primitive was called that the adapter, which is still being written, lacks; see `backend.load_incomplete`."""


class MixedBackendsError(D2LError, TypeError):
    """A tensor of one backend was passed to a function that runs on another."""


class CallError(D2LError, ValueError):
    """A function of the contract was called with arguments that do not fit together.

    The sentence is the same on every backend; what the framework itself said is the error's ``__cause__``.
    """

    def __init__(self, sentence: str, *, described: bool = False):
        super().__init__(sentence)
        self.described = described


class AxisError(CallError, IndexError):
    """A tensor has no such axis, where the array API standard asks for an IndexError."""


class CheckpointError(D2LError):
    """A checkpoint is damaged or belongs to another model."""


class TrainingDiverged(D2LError):  # noqa: N818 - names what happened, like StopIteration
    """A loss became NaN or infinite during training."""


def outside_tensor() -> UsageError:
    """The error for a function with a gradient of its own that would lose the gradient of something outside of it."""
    return UsageError(
        "A function with a gradient of its own (custom_gradient, checkpoint) depends on a tensor outside of it that is "
        "being differentiated; pass that tensor as an argument, or stop_gradient of it."
    )
