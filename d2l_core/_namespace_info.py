"""What a namespace of the array API standard says of itself: its devices, dtypes and abilities."""

from __future__ import annotations

from typing import Any

from d2l_core import _standard, dtypes
from d2l_core import interface as xp
from d2l_core.backend import active, current, float_dtype
from d2l_core.interface import DType

MAX_DIMENSIONS = 5
"""As many axes as every backend can broadcast, reduce and reorder."""


class NamespaceInfo:
    """The inspection functions of the standard, for the active backend, precision and device."""

    def capabilities(self) -> dict[str, bool | int]:
        """Which parts of the standard are there that not every library has.

        Tensors are native, so what stands between brackets is the framework's: boolean masks are not for all of them.
        Functions whose shapes depend on data are left out, but for `nonzero` and for `repeat` with a tensor.
        """
        return {"boolean indexing": False, "data-dependent shapes": False, "max dimensions": MAX_DIMENSIONS}

    def default_device(self) -> Any:
        """The active device, as a tensor shows it, or by name where tensors show none."""
        return _standard.device_object(current().device)

    def devices(self) -> list[Any]:
        """The devices that are present, likewise, the preferred one first."""
        return [_standard.device_object(name) for name in active().devices()]

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The dtypes of new floats, of new integers and of indices; there are no complex numbers."""
        with _standard.placed(device):
            integral, indexing = xp.asarray(0).dtype, xp.argmax(xp.zeros(1)).dtype
            return {"real floating": float_dtype(), "integral": integral, "indexing": indexing}

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """The dtypes that a device has at the active precision, by name: all, or those of a kind or of several.

        ValueError for an unknown kind; the kinds are those of `isdtype`.
        """
        with _standard.placed(device):
            present = {name: getattr(active(), name) for name in dtypes.DTYPES if _is_present(name)}
        return {name: one for name, one in present.items() if kind is None or dtypes.isdtype(one, kind)}


def _is_present(name: str) -> bool:
    """Whether a tensor of this dtype has it: a framework may narrow 64 bits to 32, or refuse them on some device."""
    dtype = getattr(active(), name)
    try:
        return bool(xp.zeros((1,), dtype=dtype).dtype == dtype)
    except TypeError:
        return False


def __array_namespace_info__() -> NamespaceInfo:  # noqa: N807 - the standard's name
    """What the active backend offers, in the standard's form."""
    return NamespaceInfo()
