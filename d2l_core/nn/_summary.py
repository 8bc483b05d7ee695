"""What a model consists of: layers, output shapes, parameters, operations, memory."""

from __future__ import annotations

import copy
import io
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from d2l_core import interface as xp
from d2l_core import tree
from d2l_core.nn._flops import flops_of, has_count
from d2l_core.nn._module import Module
from d2l_core.nn._variable import Parameter

if TYPE_CHECKING:
    from rich.table import Table

_WIDE = 10_000


@dataclass(frozen=True)
class SummaryRow:
    """One place in the tree of modules.

    Attributes:
        path: where it is, ``""`` for the model itself.
        kind: name of its class.
        output_shape: of its last call, a tree of shapes if the output is a tree of tensors; None if it was not called.
        calls: how often it was called.
        parameters: numbers in the parameters whose first path is here or below; a tied one counts only there.
        trainable: how many of them training changes.
        flops: operations in it and below it in all its calls; see `d2l_core.nn.counts_flops`.
        bytes: memory of those parameters in their present dtype.
        counted: False for a layer that computes what no formula is known for.
        note: what it shares with an earlier place.
    """

    path: str
    kind: str
    output_shape: Any
    calls: int
    parameters: int
    trainable: int
    flops: int
    bytes: int
    counted: bool
    note: str = ""

    @property
    def depth(self) -> int:
        """Number of steps from the root."""
        return len(self.path.split(".")) if self.path else 0


@dataclass(frozen=True, repr=False)
class Summary:
    """The table of a model: as data in `rows`, as plain text by ``str``, in colour by ``rich.print``.

    Attributes:
        rows: the places of the tree, parents first; the first row is the model itself.
    """

    rows: tuple[SummaryRow, ...]

    @property
    def parameters(self) -> int:
        """Numbers in all parameters, tied ones once."""
        return self.rows[0].parameters

    @property
    def trainable(self) -> int:
        """Numbers that training changes."""
        return self.rows[0].trainable

    @property
    def flops(self) -> int:
        """Operations of one forward pass; a multiplication with an addition is two."""
        return self.rows[0].flops

    @property
    def bytes(self) -> int:
        """Memory of all parameters."""
        return self.rows[0].bytes

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Paths of the layers whose operations are not in `flops`, because no formula is known for their type."""
        return tuple(row.path for row in self.rows if not row.counted)

    def __str__(self) -> str:
        from rich.console import Console

        text = io.StringIO()
        console = Console(file=text, width=_WIDE, color_system=None, force_terminal=False, highlight=False)
        console.print(self._table(), self._totals(), sep="\n", soft_wrap=False)
        return "\n".join(line.rstrip() for line in text.getvalue().rstrip().splitlines())

    __repr__ = __str__

    def __rich__(self) -> Any:
        from rich.console import Group

        return Group(self._table(), self._totals())

    def _table(self) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("layer", "type", "output shape"):
            table.add_column(name)
        for name in ("parameters", "trainable", "FLOPs", "bytes"):
            table.add_column(name, justify="right")
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in _cells(row)))
        return table

    def _totals(self) -> str:
        frozen = self.parameters - self.trainable
        lines = [
            f"{self.parameters:,} parameters ({self.trainable:,} trainable, {frozen:,} frozen), {self.bytes:,} bytes",
            f"{self.flops:,} FLOPs for this input; a multiplication with an addition counts as two",
        ]
        if self.uncounted:
            lines.append(f"not counted, for want of a formula: {', '.join(self.uncounted)}")
        return "\n".join(lines)


def _cells(row: SummaryRow) -> tuple[str, ...]:
    name = row.path.rpartition(".")[2] or "(model)"
    kind = row.kind + (f" x{row.calls}" if row.calls > 1 else "") + (f" ({row.note})" if row.note else "")
    shape = "-" if row.output_shape is None else str(row.output_shape)
    trainable = "-" if not row.parameters else {0: "no", row.parameters: "yes"}.get(row.trainable, "partly")
    flops = f"{row.flops:,}" if row.counted else "?"
    return "  " * row.depth + name, kind, shape, f"{row.parameters:,}", trainable, flops, f"{row.bytes:,}"


def summary(model: Module, *example_inputs: Any, **options: Any) -> Summary:
    """The layers of a model with what they give, hold and cost for a batch of example inputs.

    A copy of the model runs once, in evaluation mode and without its hooks. The model itself stays as it is: not
    initialised if it was not, with the same running statistics, random counters and modes.

    Args:
        model: may still have to learn its sizes.
        example_inputs: a batch such as the model takes; shapes and operations are those for it.
        options: keyword arguments of the model.
    """
    twin = _twin(model)
    if twin.seed is None:
        twin.initialise()
    calls = _Calls()
    with calls.watching(twin):
        twin.evaluate()(*example_inputs, **options)
    return Summary(tuple(_rows(twin, calls)))


def _twin(model: Module) -> Module:
    """A copy with variables of its own, which begin with the very tensors of the model's."""
    values = [variable.value for variable in model.variables().values() if variable.filled]
    return copy.deepcopy(model, {id(value): value for value in values})


class _Calls:
    """What happened in the calls of modules, by their id."""

    def __init__(self) -> None:
        self.numbers: Counter[int] = Counter()
        self.flops: Counter[int] = Counter()
        self.shapes: dict[int, Any] = {}
        self.unknown: set[int] = set()
        self._open: list[Module] = []

    @contextmanager
    def watching(self, model: Module) -> Iterator[None]:
        with ExitStack() as stack:
            for _, module in model.named_modules():
                stack.enter_context(module.register_forward_pre_hook(self._enter))
                stack.enter_context(module.register_forward_hook(self._leave))
            yield

    def _enter(self, module: Module, inputs: tuple[Any, ...]) -> None:
        self._open.append(module)

    def _leave(self, module: Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._open.pop()
        self.numbers[id(module)] += 1
        self.shapes[id(module)] = tree.map(_shape, output)
        flops = flops_of(module, inputs, output)
        if flops is not None:
            self._add(module, flops)
        elif not module.children():
            self.unknown.add(id(module))

    def _add(self, module: Module, flops: int) -> None:
        """Count for the layer and for what it runs in, up to a layer whose own formula speaks for its parts."""
        self.flops[id(module)] += flops
        for outer in reversed(self._open):
            if has_count(outer):
                return
            self.flops[id(outer)] += flops


def _shape(leaf: Any) -> Any:
    return tuple(leaf.shape) if xp.is_tensor(leaf) else type(leaf).__name__


def _rows(model: Module, calls: _Calls) -> Iterator[SummaryRow]:
    first: dict[int, str] = {}
    repeated: tuple[str, ...] = ()
    parameters = model.parameters()
    homes = {id(parameter): path for path, parameter in parameters.items()}
    for path, module in model.named_modules(repeated=True):
        if path.startswith(repeated):
            continue
        if id(module) in first:
            repeated += (f"{path}.",)
            note = f"same as {first[id(module)]}"
            yield SummaryRow(path, type(module).__name__, None, 0, 0, 0, 0, 0, True, note)
            continue
        first[id(module)] = path
        inside = [p for home, p in parameters.items() if not path or home.startswith(f"{path}.")]
        yield SummaryRow(
            path,
            type(module).__name__,
            calls.shapes.get(id(module)),
            calls.numbers[id(module)],
            sum(_size(p) for p in inside),
            sum(_size(p) for p in inside if p.trainable),
            calls.flops[id(module)],
            sum(_size(p) * _itemsize(p) for p in inside),
            id(module) not in calls.unknown,
            _ties(path, module, homes),
        )


def _ties(path: str, module: Module, homes: dict[int, str]) -> str:
    """What of the module's own parameters has its home elsewhere."""
    prefix = f"{path}." if path else ""
    own = ((name, homes.get(id(v), prefix + name)) for name, v in module._variables.items())
    return ", ".join(f"{name} tied to {home}" for name, home in own if home != prefix + name)


def _size(parameter: Parameter) -> int:
    return math.prod(parameter.shape)


def _itemsize(parameter: Parameter) -> int:
    return int(xp.to_numpy(xp.zeros((1,), dtype=parameter.value.dtype)).itemsize)
