"""Tensors that come from other frameworks without a copy."""

from __future__ import annotations

from typing import Any

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core._host import on_host
from d2l_core._standard import placed
from d2l_core.backend import active, loaded_backends
from d2l_core.errors import CallError
from d2l_core.interface import Tensor

__all__ = ["from_dlpack"]


@composite("arrays", accepts_foreign=True)
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the active device with the elements of x, sharing its memory where both sides can.

    Nothing here writes into a tensor, so x never changes by what is computed from the result. The other way round it
    can: while the memory is shared, whoever changes x in place changes the result. Take ``xp.asarray(xp.to_numpy(y))``
    of the result y to be independent of that. On the host the memory is shared if x is aligned to 64 bytes, in
    row-major order and of a dtype that both sides know; else x is copied.

    Args:
        x: a tensor of any framework, a NumPy array, or any object with ``__dlpack__`` and ``__dlpack_device__``.
        device: where the result is to be; the active device if None.
        copy: True for memory of its own, False for an error where the memory cannot be shared; as it comes if None.

    Returns:
        A tensor with the shape and dtype of x, which a backend without 64-bit types at precision 32 narrows. A tensor
        of the active backend comes back as it is.

    Raises:
        UsageError: x is nothing of that kind.
        CallError: x cannot be taken without a copy.
    """
    with placed(device):
        taken = _taken(x, copy is not False)
        return xp.asarray(xp.to_numpy(taken), dtype=taken.dtype) if copy else taken


def _taken(x: Any, may_copy: bool) -> Tensor:
    if xp.is_tensor(x):
        return x
    owner = next((backend for backend in loaded_backends().values() if type(x) in backend.tensor_types), None)
    try:
        return xp.import_dlpack(x if owner is None else owner.export_dlpack(x))
    except Exception:  # every framework has errors of its own for memory that it cannot take
        array = on_host(x)
        if not may_copy:
            raise CallError("The memory of this tensor cannot be shared; leave out copy=False.") from None
        return xp.asarray(array, dtype=getattr(active(), array.dtype.name, None))
