"""What the settings of optimisers and schedules must be, each with one sentence for those that are not."""

from __future__ import annotations


def require_not_negative(**settings: float) -> None:
    """Every setting is 0 or more.

    Raises:
        ValueError: one is negative or NaN.
    """
    for name, number in settings.items():
        if not number >= 0.0:
            raise ValueError(f"{name} is {number}; choose 0 or more.")


def require_positive(**settings: float) -> None:
    """Every setting is greater than 0.

    Raises:
        ValueError: one is not.
    """
    for name, number in settings.items():
        if not number > 0.0:
            raise ValueError(f"{name} is {number}; choose a number greater than 0.")


def require_below_one(**settings: float) -> None:
    """Every setting lies in [0, 1), as the share that a running mean keeps must.

    Raises:
        ValueError: one does not.
    """
    for name, number in settings.items():
        if not 0.0 <= number < 1.0:
            raise ValueError(f"{name} is {number}; choose a number from 0 up to, but not including, 1.")


def require_share(**settings: float) -> None:
    """Every setting lies in [0, 1].

    Raises:
        ValueError: one does not.
    """
    for name, number in settings.items():
        if not 0.0 <= number <= 1.0:
            raise ValueError(f"{name} is {number}; choose a number from 0 to 1.")
