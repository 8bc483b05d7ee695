"""``python -m d2l_core`` is the command ``d2l``."""

from __future__ import annotations

from d2l_core.cli import main

if __name__ == "__main__":
    main()
