"""One figure of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from d2l_core.errors import UsageError

if TYPE_CHECKING:
    from d2l_core.training.history import History

_NOT_CURVES = {"epoch", "seconds"}
_STYLES = ("-", "--", "-.", ":")


def plot_history(history: History, names: tuple[str, ...]) -> Any:
    """A matplotlib figure with one curve for each name."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise UsageError('Figures need matplotlib; install it with: pip install "d2l-core[notebook]"') from error
    columns = names or [name for name in history.epochs[0] if name not in _NOT_CURVES]
    figure, axes = plt.subplots(figsize=(4.5, 3))
    for name, style in zip(columns, _STYLES * len(columns), strict=False):
        axes.plot(history.column("epoch"), history.column(name), style, label=name)
    axes.set_xlabel("epoch")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    plt.close(figure)
    return figure
