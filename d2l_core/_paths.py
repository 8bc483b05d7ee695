"""Where this package keeps files on the user's disk, and how it replaces one without losing the old."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["cache_dir", "replace_bytes", "replace_file"]


def cache_dir() -> Path:
    """The folder for downloads and decoded data: `D2L_HOME`, else `~/.cache/d2l`.

    The folder is not created here; whoever writes into it does that.
    """
    home = os.environ.get("D2L_HOME")
    return Path(home).expanduser() if home else Path.home() / ".cache" / "d2l"


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Make or replace `path` in one step: `write` fills a temporary file beside it that then takes its name.

    Whatever happens, `path` is either what it was or complete, and no temporary file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(0o644)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def replace_bytes(path: Path, data: bytes) -> None:
    """Make `path` a file with these bytes in one step, and see to it that they are on the disk before it is named."""

    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    replace_file(path, write)
