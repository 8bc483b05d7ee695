"""What a call that failed is told: the same sentence on every backend, whatever the framework said."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2l_core.errors import CallError, D2LError

NOT_THE_CALL = ("OutOfMemory", "ResourceExhausted", "MemoryError", "Tracer")
"""Parts of the names of errors that are no fault of the call: of memory, and of what may stand in compiled code."""


def explained(
    error: Exception, backend: Any, declaration: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Exception:
    """The error to raise for one that a framework raised in a call of the contract.

    Errors that the engine raised on purpose and those that are no fault of the call stay what they are. Of nested calls
    the outermost is described, so that the sentence does not depend on which functions a backend composes of others.
    """
    if isinstance(error, D2LError) and not (isinstance(error, CallError) and error.described):
        return error
    if any(word in kind.__name__ for kind in type(error).__mro__ for word in NOT_THE_CALL):
        return error
    name = declaration.__name__
    signature = inspect.signature(declaration)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as mismatch:
        called = ", ".join(str(parameter).split(":")[0].split("=")[0] for parameter in signature.parameters.values())
        sentence = f"{name}: {mismatch}; it takes ({called})."
    else:
        given = ", ".join(f"{key}={described(value, backend)}" for key, value in bound.arguments.items())
        meaning = " ".join(inspect.getdoc(declaration).split("\n\n")[0].split())  # type: ignore[union-attr]
        sentence = f"{name}({given}) does not fit together. It is: {meaning}"
    outermost = CallError(sentence, described=True)
    outermost.__cause__ = error.__cause__ if isinstance(error, CallError) else error
    return outermost


def described(value: Any, backend: Any) -> str:
    """An argument in a few characters: a tensor as dtype and shape; int32 and int64 alike, as precision may decide."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{_dtype(value.dtype, backend)}{[int(n) if n is not None else n for n in value.shape]}"
    if isinstance(value, list | tuple) and any(hasattr(item, "shape") for item in value):
        return f"[{', '.join(described(item, backend) for item in value)}]"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _dtype(dtype: Any, backend: Any) -> str:
    from d2l_core.interface import DTYPES

    for name in DTYPES:
        if dtype in (getattr(backend, name), name):
            return "int" if name in ("int32", "int64") else name
    return str(dtype)
