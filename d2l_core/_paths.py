"""Where this package keeps files on the user's disk."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_dir"]


def cache_dir() -> Path:
    """The folder for downloads and decoded data: `D2L_HOME`, else `~/.cache/d2l`.

    The folder is not created here; whoever writes into it does that.
    """
    home = os.environ.get("D2L_HOME")
    return Path(home).expanduser() if home else Path.home() / ".cache" / "d2l"
