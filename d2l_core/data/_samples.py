"""The data files that the package itself carries."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from importlib import resources

from d2l_core.errors import DataError

__all__ = ["sample_bytes", "sample_text_bytes"]


def sample_bytes(path: str) -> bytes:
    """The bytes of `samples/<path>`; `DataError` when the installation lacks it."""
    try:
        return resources.files("d2l_core.data").joinpath("samples", *path.split("/")).read_bytes()
    except OSError as error:
        raise DataError(f"The embedded sample {path} is missing; install the package again.") from error


def sample_text_bytes(path: str, sha256: str) -> bytes:
    """The unpacked bytes of the gzipped file `samples/<path>`; `DataError` unless they have this SHA-256."""
    try:
        raw = gzip.decompress(sample_bytes(path))
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"The embedded sample {path} is damaged; install the package again.") from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise DataError(f"The embedded sample {path} was changed; install the package again.")
    return raw
