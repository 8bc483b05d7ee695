"""A forward and a backward pass as plain code, with all that goes into a module and comes out of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from d2l_conformance.case import Array

from d2l_core import dtypes, nn, tree
from d2l_core import interface as xp
from d2l_core.autodiff import value_and_grad
from d2l_core.interface import Tensor


class Crossing(NamedTuple):
    """Values at the border of a module.

    Attributes:
        side: ``input`` or ``output``.
        path: of the module.
        call: which call of this module, from 1.
        taps: numbers of the float tensors among the values.
    """

    side: str
    path: str
    call: int
    taps: range

    def places(self) -> dict[str, int]:
        """A name for each of its tensors."""
        name = f"the {self.side} of {self.path or 'the model'}"
        name += f", call {self.call}" if self.call > 1 else ""
        return {f"{name} [{i}]" if i else name: tap for i, tap in enumerate(self.taps)}


@dataclass(frozen=True)
class Passes:
    """What a forward and a backward pass compute.

    Attributes:
        values: outputs of the modules by place, in forward order, then the loss.
        gradients: with respect to outputs, parameters and inputs, in backward order.
        weights: those of the trained part's parameters by their paths in it, as an optimiser takes them.
    """

    values: dict[str, Array]
    gradients: dict[str, Array]
    weights: dict[str, Array]


def passes(model: nn.Module, part: str, loss: Callable[[], Tensor], start: Callable[[], None]) -> Passes:
    """Watch the gradient of a loss with respect to a part of a model.

    Args:
        model: its modules are watched.
        part: path of what is trained.
        loss: calls the model.
        start: puts the model's state in place; called before each of two passes.
    """
    watch = _Watch(model.get(part))
    start()
    with watch.of(model):
        loss()
    watch.add_taps()
    start()

    def watched() -> tuple[Tensor, list[Tensor]]:
        with watch.of(model):
            value = loss()
        return value, list(watch.tensors)

    (value, tensors), gradients = value_and_grad(watched, watch, has_aux=True)()
    found = {path: xp.to_numpy(gradient) for path, gradient in gradients.items()}
    weights = {path.removeprefix("part."): x for path, x in found.items() if path.startswith("part.")}
    outputs = [
        place for crossing in watch.crossings if crossing.side == "output" for place in crossing.places().items()
    ]
    values = {place: xp.to_numpy(tensors[tap]) for place, tap in outputs}
    located = {f"{part}.{path}" if part else path: x for path, x in weights.items()}
    return Passes({**values, "the loss": xp.to_numpy(value)}, _backwards(watch.crossings, located, found), weights)


class _Watch(nn.Module):
    """Adds a zero to each tensor that crosses a border: the gradient of the zero is that of the tensor."""

    def __init__(self, part: nn.Module):
        super().__init__()
        self.part = part
        self.crossings: list[Crossing] = []
        self.tensors: list[Tensor] = []

    @contextmanager
    def of(self, model: nn.Module) -> Iterator[None]:
        """Watch all modules of `model` inside the block, from the beginning."""
        self.crossings, self.tensors = [], []
        with ExitStack() as stack:
            for path, module in model.named_modules():
                stack.enter_context(module.register_forward_pre_hook(self._enter(path)))
                stack.enter_context(module.register_forward_hook(self._leave(path)))
            yield

    def add_taps(self) -> None:
        """A zero for each tensor that was seen."""
        for number, tensor in enumerate(self.tensors):
            setattr(self, f"tap{number}", nn.Parameter(xp.to_numpy(tensor) * 0.0))

    def _enter(self, path: str) -> Callable[..., Any]:
        return lambda module, inputs: self._cross("input", path, inputs)

    def _leave(self, path: str) -> Callable[..., Any]:
        return lambda module, inputs, output: self._cross("output", path, output)

    def _cross(self, side: str, path: str, values: Any) -> Any:
        first = len(self.tensors)
        values = tree.map(self._tapped, values)
        call = 1 + sum(crossing[:2] == (side, path) for crossing in self.crossings)
        self.crossings.append(Crossing(side, path, call, range(first, len(self.tensors))))
        return values

    def _tapped(self, leaf: Any) -> Any:
        if not (xp.is_tensor(leaf) and dtypes.is_floating(leaf)):
            return leaf
        name = f"tap{len(self.tensors)}"
        self.tensors.append(leaf)
        return leaf + getattr(self, name) if hasattr(self, name) else leaf


def _backwards(
    crossings: list[Crossing], weights: Mapping[str, Array], gradients: Mapping[str, Array]
) -> dict[str, Array]:
    """From the loss to the first input; the weights of a module stand before what went into its first call."""
    ordered: dict[str, Array] = {}
    for crossing in reversed(crossings):
        if crossing.side == "input" and crossing.call == 1:
            ordered |= {path: x for path, x in weights.items() if path.rpartition(".")[0] == crossing.path}
        ordered |= {place: gradients[f"tap{tap}"] for place, tap in crossing.places().items()}
    return {**ordered, **weights}
