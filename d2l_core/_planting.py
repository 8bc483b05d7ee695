"""Variables under dotted paths as a tree of a framework's own modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def planted(
    root: Any, variables: Mapping[str, tuple[str, Any]], child: Callable[..., Any], leaf: Callable[..., Any]
) -> dict[str, Any]:
    """Build the tree below `root`.

    Args:
        root: the module at the path ``""``.
        variables: kind and value by path.
        child: ``child(module, name)`` makes a module below another.
        leaf: ``leaf(module, name, kind, value)`` makes a variable of a module.

    Returns:
        What `leaf` gave, by path.
    """
    modules, leaves = {"": root}, {}
    for path, (kind, value) in variables.items():
        *names, last = path.split(".")
        above = ""
        for i, name in enumerate(names):
            place = ".".join(names[: i + 1])
            if place not in modules:
                modules[place] = child(modules[above], name)
            above = place
        leaves[path] = leaf(modules[above], last, kind, value)
    return leaves
