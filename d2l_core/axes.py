"""Axes counted from either end, as positions from the front."""

from __future__ import annotations


def position(axis: int, rank: int) -> int:
    """The axis counted from the front; IndexError if a tensor of `rank` dimensions has no such axis."""
    if not -rank <= axis < rank:
        raise IndexError(f"Axis {axis} is out of range for a tensor of {rank} dimensions.")
    return axis % rank


def positions(axes: int | tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """The axes counted from the front, all of them for None; IndexError if one is out of range."""
    if axes is None:
        return tuple(range(rank))
    return tuple(position(axis, rank) for axis in ((axes,) if isinstance(axes, int) else axes))


def chosen(axis: int | None, rank: int) -> int:
    """The axis, which may be left out for one dimension; IndexError if it is missing or out of range."""
    if axis is None and rank != 1:
        raise IndexError(f"A tensor of {rank} dimensions needs an axis.")
    return position(axis or 0, rank)
