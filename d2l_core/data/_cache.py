"""Arrays that are costly to make, kept on disk and mapped into memory.

A file is an ordinary `.npy` with 32 bytes behind it: the SHA-256 of the key and of everything before them. So a file
that is damaged, cut short or made from another source is recognised, and made again. The hash is taken once;
`verified.json` remembers it until the file changes. Processes that make the same file at the same time write one each,
and whichever takes the name last brings the same content.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from d2l_core._paths import cache_dir, replace_file
from d2l_core.data._hub import is_known, remember, verdict_on

__all__ = ["CachedArray"]

Array = npt.NDArray[Any]

_DIGEST_SIZE = hashlib.sha256().digest_size


@dataclass(frozen=True)
class CachedArray:
    """An array that is made once and mapped from the cache from then on.

    Attributes:
        name: path of the file below `cache_dir()`, without suffix.
        key: everything that decides the content, such as the hash of a source and what is done with it.
        shape: of the whole array.
        dtype: of its elements.
        make: gives the array in pieces along the first axis; called only when there is no file, or, where the cache
            cannot be written, once more for an array in memory.
    """

    name: str
    key: str
    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    make: Callable[[], Iterable[Array]]

    @property
    def path(self) -> Path:
        """Where the file lies: the name is for people, the hash of the key keeps versions apart.

        Raises:
            ValueError: the name leads out of the cache.
        """
        relative = Path(f"{self.name}-{self._start().hexdigest()[:12]}.npy")
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"{self.name!r} leads out of the cache; use a name below it.")
        return cache_dir() / relative

    def load(self) -> Array:
        """The array, read-only: mapped from the cache, made first if need be, or in memory if that is all there is."""
        kept = self._mapped()
        if kept is None:
            with contextlib.suppress(OSError):  # no room or no permission: the array is simply made again next time
                replace_file(self.path, self._write)
            kept = self._mapped()
        return self._in_memory() if kept is None else kept

    def _start(self) -> Any:
        return hashlib.sha256(self.key.encode())

    def _mapped(self) -> Array | None:
        """The array in the file; None if there is no file, or not the right one."""
        path = self.path
        try:
            verdict = verdict_on(path, self.key)
            if not is_known(path, verdict):
                if not self._is_whole(path):
                    return None
                remember(path, verdict)
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        usable = isinstance(array, np.ndarray) and array.shape == self.shape and array.dtype == np.dtype(self.dtype)
        return np.asarray(array) if usable else None

    def _is_whole(self, path: Path) -> bool:
        """Whether the file ends with the hash of the key and of what comes before."""
        digest, left = self._start(), path.stat().st_size - _DIGEST_SIZE
        with path.open("rb") as file:
            while left > 0 and (chunk := file.read(min(left, 1 << 20))):
                digest.update(chunk)
                left -= len(chunk)
            return left == 0 and bool(file.read() == digest.digest())

    def _write(self, part: Path) -> None:
        digest = self._start()
        with part.open("wb") as file:
            chunks: Iterable[bytes | memoryview] = itertools.chain([self._header()], map(self._bytes, self.make()))
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.write(digest.digest())

    def _bytes(self, piece: Array) -> memoryview:
        return np.ascontiguousarray(piece, self.dtype).data.cast("B")

    def _header(self) -> bytes:
        header = io.BytesIO()
        description = np.lib.format.dtype_to_descr(np.dtype(self.dtype))
        np.lib.format.write_array_header_1_0(
            header, {"descr": description, "fortran_order": False, "shape": self.shape}
        )
        return header.getvalue()

    def _in_memory(self) -> Array:
        array, first = np.empty(self.shape, self.dtype), 0
        for piece in self.make():
            array[first : first + len(piece)] = piece
            first += len(piece)
        array.flags.writeable = False
        return array
