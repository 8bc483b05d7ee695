"""The command ``d2l``."""

from __future__ import annotations

from d2l_core.cli._app import main

__all__ = ["main"]
