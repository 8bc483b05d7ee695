"""Trees: nested dicts, lists and tuples with anything else as leaves; None is an empty tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, left to right; a dict in the order of its keys' insertion."""
    return list(_walk(tree))


def _walk(tree: Any) -> Iterator[Any]:
    if tree is None:
        return
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from _walk(branch)
    elif isinstance(tree, list | tuple):
        for branch in tree:
            yield from _walk(branch)
    else:
        yield tree


def unflatten(tree: Any, new_leaves: Iterable[Any]) -> Any:
    """A tree of the same structure with other leaves, in the order of `leaves`."""
    return _fill(tree, iter(new_leaves))


def _fill(tree: Any, supply: Iterator[Any]) -> Any:
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: _fill(branch, supply) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        filled = [_fill(branch, supply) for branch in tree]
        if isinstance(tree, list):
            return filled
        return type(tree)(*filled) if hasattr(tree, "_fields") else tuple(filled)
    return next(supply)


def map(f: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """`f` applied to the leaves of one tree, or of several trees of one structure side by side."""
    columns = [leaves(tree), *(leaves(other) for other in others)]
    return unflatten(tree, [f(*row) for row in zip(*columns, strict=True)])
