"""What all optimisers share: the walk over the parameters, learning rates, weight decay and groups."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypedDict

import numpy as np

from d2l_core.interface import Tensor
from d2l_core.nn import Buffer, Module, Parameter, Variable
from d2l_core.optim._checks import require_not_negative
from d2l_core.optim.schedules import Schedule

Members = str | Callable[[str, Parameter], bool]


def biases_and_norms(path: str, parameter: Parameter) -> bool:
    """Whether a parameter has fewer than two axes, as biases and the scales and shifts of normalisation have.

    For `Group`: ``groups=[Group(biases_and_norms, weight_decay=0.0)]`` keeps them out of weight decay.
    """
    return len(parameter.shape) < 2


@dataclass(frozen=True)
class Group:
    """Parameters with settings of their own; what is None stays as the optimiser or an earlier group has it.

    Attributes:
        members: pattern of paths with the wildcards of file names, such as ``"encoder.*"`` or ``"*.bias"``, or a
            function of path and parameter that says whether it belongs here, such as `biases_and_norms`.
        lr_scale: factor of the optimiser's learning rate, and so also of a schedule.
        weight_decay: in place of the optimiser's.

    Raises:
        ValueError: a setting is negative.
    """

    members: Members
    _: KW_ONLY
    lr_scale: float | None = None
    weight_decay: float | None = None

    def __post_init__(self) -> None:
        settings = {"lr_scale": self.lr_scale, "weight_decay": self.weight_decay}
        require_not_negative(**{name: number for name, number in settings.items() if number is not None})

    def has(self, path: str, parameter: Parameter) -> bool:
        """Whether the parameter belongs to the group."""
        if callable(self.members):
            return self.members(path, parameter)
        return fnmatch.fnmatchcase(path, self.members)


class Shared(TypedDict, total=False):
    """Settings that every optimiser takes; see `Optimiser`."""

    weight_decay: float
    groups: Sequence[Group]


class Optimiser:
    """Changes the trainable parameters of a module by their gradients.

    Weight decay adds ``weight_decay p`` to the gradient of a parameter p, which is the gradient of
    ``weight_decay / 2 |p|²``. Where an optimiser's `decoupled` is true, the new value is diminished by
    ``lr weight_decay p`` instead (Loshchilov and Hutter, 2019).

    Args:
        module: whose parameters are trained; it must be initialised.
        lr: learning rate, or a schedule of it; see `d2l_core.optim.schedules`.
        weight_decay: how strongly parameters are pulled towards zero.
        groups: parameters with settings of their own. Every group that has a parameter applies to it, later ones over
            earlier ones.

    Attributes:
        parameters: the parameters that are trained, by path.
        slots: the optimiser's own variables by name, such as ``velocity.net.0.weight``.

    Raises:
        ValueError: nothing is trainable, a setting is out of its range, or a group's pattern matches no parameter.
    """

    slot_names: tuple[str, ...] = ()
    decoupled = False

    def __init_subclass__(cls) -> None:
        if "rule" in vars(cls) and "rules" not in vars(cls):
            cls.rules = Optimiser.rules  # type: ignore[method-assign]  # its own rule, not what is inherited for many

    def __init__(
        self, module: Module, lr: float | Schedule, *, weight_decay: float = 0.0, groups: Sequence[Group] = ()
    ):
        require_not_negative(weight_decay=weight_decay, **({} if callable(lr) else {"lr": lr}))
        parameters = module.parameters()
        _check_patterns(groups, parameters)
        self.parameters = {path: p for path, p in parameters.items() if p.trainable}
        if not self.parameters:
            raise ValueError(
                f"{type(module).__name__} has nothing to train; initialise it with a batch, or unfreeze a parameter."
            )
        self.lr, self.weight_decay, self.groups = lr, weight_decay, tuple(groups)
        self._settings = {path: self._settings_of(path, p) for path, p in self.parameters.items()}
        self.slots: dict[str, Variable] = {}
        for slot in self.slot_names:
            for path, parameter in self.parameters.items():
                self.add_slot(f"{slot}.{path}", parameter.shape)

    def add_slot(self, name: str, shape: tuple[int, ...]) -> Variable:
        """A new variable of the optimiser's own, zero at first."""
        slot = self.slots[name] = Buffer(np.zeros(shape))
        slot.fill(("slot",))
        return slot

    def _settings_of(self, path: str, parameter: Parameter) -> tuple[float, float]:
        """Factor of the learning rate, and weight decay, of one parameter."""
        lr_scale, weight_decay = 1.0, self.weight_decay
        for group in self.groups:
            if group.has(path, parameter):
                lr_scale = lr_scale if group.lr_scale is None else group.lr_scale
                weight_decay = weight_decay if group.weight_decay is None else group.weight_decay
        return lr_scale, weight_decay

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step in a run of `total` steps."""
        return self.lr(step, total) if callable(self.lr) else self.lr

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate changes, so that it must be passed to a compiled step."""
        return callable(self.lr)

    def update(self, gradients: dict[str, Tensor], lr: float | Tensor | None = None) -> None:
        """Take one step; `gradients` by the paths of the parameters. What was frozen in the meantime stays.

        Args:
            gradients: one for each trainable parameter.
            lr: learning rate of this step; the constant one if None.

        Raises:
            ValueError: `lr` is None but the learning rate follows a schedule, or a gradient is missing.
        """
        if lr is None and self.scheduled:
            raise ValueError(
                "The learning rate follows a schedule; pass update the one of this step: rate(step, total)."
            )
        rate = self.rate(0, 1) if lr is None else lr
        by_scale: dict[float, list[str]] = {}
        for path, parameter in self.parameters.items():
            if not parameter.trainable:
                continue
            if path not in gradients:
                raise ValueError(f"There is no gradient of {path}; pass update all that value_and_grad gives.")
            by_scale.setdefault(self._settings[path][0], []).append(path)
        self.before_update()
        for lr_scale, paths in by_scale.items():
            self._step(paths, [gradients[path] for path in paths], rate if lr_scale == 1.0 else rate * lr_scale)

    def _step(self, paths: Sequence[str], gradients: Sequence[Tensor], rate: Any) -> None:
        """The rule for parameters with one learning rate."""
        variables: list[list[Variable]] = [[self.parameters[path] for path in paths]]
        variables += [[self.slots[f"{slot}.{path}"] for path in paths] for slot in self.slot_names]
        decays = [self._settings[path][1] for path in paths]
        before, *slots = [[variable.value for variable in column] for column in variables]
        if not self.decoupled:
            decayed = zip(gradients, before, decays, strict=True)
            gradients = [g + decay * p if decay else g for g, p, decay in decayed]
        after, *others = self.rules(before, gradients, rate, *slots)
        if self.decoupled:
            decayed = zip(after, before, decays, strict=True)
            after = [new - rate * decay * p if decay else new for new, p, decay in decayed]
        for column, values in zip(variables, (after, *others), strict=True):
            for variable, value in zip(column, values, strict=True):
                variable.value = value

    def before_update(self) -> None:
        """What happens once for each step, before the parameters are visited; nothing by default."""

    def rules(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], lr: Any, *slots: Sequence[Tensor]
    ) -> Sequence[Sequence[Tensor]]:
        """New values of several parameters, followed by those of each slot: `rule` for each, unless a framework has a
        form for all of them at once."""
        rows = zip(parameters, gradients, *slots, strict=True)
        return list(zip(*[self.rule(parameter, g, lr, *others) for parameter, g, *others in rows], strict=True))

    def rule(self, parameter: Tensor, gradient: Tensor, lr: Any, *slots: Tensor) -> tuple[Tensor, ...]:
        """New value of one parameter, followed by those of its slots; every optimiser defines it, or `rules`."""
        raise TypeError(f"{type(self).__name__} defines no rule; add a method that computes one step.")


def _check_patterns(groups: Sequence[Group], parameters: dict[str, Parameter]) -> None:
    for group in groups:
        if isinstance(group.members, str) and not any(group.has(path, p) for path, p in parameters.items()):
            example = next(iter(parameters), "net.0.weight")
            raise ValueError(f"The group {group.members!r} matches no parameter; paths look like {example!r}.")


OptimiserFactory = Callable[[Module], Optimiser]
