"""What a case of the conformance table is: samples, an oracle, and how far a result may lie from it.

A sample is written with NumPy arrays. An array of float64 stands for a tensor of the default float: at precision 32
it is rounded first, and the oracle is given the rounded numbers, so that what is judged is the function and not its
input. Other arrays keep their dtype; everything that is not an array is passed on as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2l_core import composites, interface, tree

Array = NDArray[Any]

REAL = {32: np.dtype(np.float32), 64: np.dtype(np.float64)}
"""The default float at each precision."""


# ---------------------------------------------------------------- tolerances


@dataclass(frozen=True)
class Tolerance(ABC):
    """How far a result may lie from the oracle, in a unit that suits the function.

    Attributes:
        limit: the largest error allowed, in units.
        reason: why an error of this form is to be expected.
    """

    limit: float
    reason: str

    FINEST = 1.0
    """A limit up to here is as tight as the unit can say, whatever was observed."""

    @property
    def unit_name(self) -> str:
        """What one unit is, in a few words."""
        return "ulp"

    @abstractmethod
    def unit(self, expected: Array, dtype: np.dtype[Any], magnitude: Magnitude) -> Array:
        """The size of one unit for each element of the expected result."""

    def error(self, actual: Array, expected: Array, magnitude: Magnitude) -> float:
        """The largest error in units; infinite where NaN or an infinity is not where the oracle has it."""
        if not actual.size:
            return 0.0
        dtype = actual.dtype
        with np.errstate(all="ignore"):
            wanted = np.asarray(expected).astype(dtype)
            special = ~np.isfinite(wanted) if wanted.dtype.kind == "f" else np.zeros(wanted.shape, bool)
            same = (actual == wanted) | ((actual != actual) & (wanted != wanted))
            if dtype.kind != "f":
                return 0.0 if same.all() else np.inf
            distance = np.abs(actual.astype(np.float64) - np.asarray(expected, np.float64))
            unit = np.broadcast_to(self.unit(np.asarray(expected, np.float64), dtype, magnitude), distance.shape)
            scaled = np.where(distance == 0, 0.0, distance / unit)
        scaled = np.where(special, np.where(same, 0.0, np.inf), scaled)
        return float(np.max(np.where(np.isnan(scaled), np.inf, scaled)))


@dataclass(frozen=True)
class Bits(Tolerance):
    """Not a bit of difference from the oracle's result rounded to the dtype."""

    limit: float = 0.0
    reason: str = "Elements are moved, compared or created, never rounded."

    def unit(self, expected: Array, dtype: np.dtype[Any], magnitude: Magnitude) -> Array:
        """Units in the last place."""
        return np.asarray(np.spacing(np.abs(expected.astype(dtype))), np.float64)


@dataclass(frozen=True)
class Ulp(Tolerance):
    """Units in the last place of the expected element."""

    reason: str = "One or a few roundings per element, each relative to that element."

    def unit(self, expected: Array, dtype: np.dtype[Any], magnitude: Magnitude) -> Array:
        """The distance from the expected element to the next number of the dtype."""
        return np.asarray(np.spacing(np.abs(expected.astype(dtype))), np.float64)


@dataclass(frozen=True)
class Contraction(Tolerance):
    """``sqrt(k) eps sum |a_i b_i|``: the random walk of the roundings in a sum of k products."""

    reason: str = "k terms are added in an order that is the framework's own affair."

    @property
    def unit_name(self) -> str:
        """The roundings of a sum."""
        return "√k eps Σ|ab|"

    def unit(self, expected: Array, dtype: np.dtype[Any], magnitude: Magnitude) -> Array:
        """From the number of terms and the sum of their absolute values, in float64."""
        terms, total = magnitude()
        return np.asarray(np.sqrt(max(terms, 1)) * np.finfo(dtype).eps * np.abs(total))


@dataclass(frozen=True)
class Scaled(Tolerance):
    """``eps`` times the largest finite element of the expected result, or one if `of_one`."""

    reason: str = "Elements near zero are differences of larger ones and carry their roundings."
    of_one: bool = False

    @property
    def unit_name(self) -> str:
        """One for the whole result."""
        return "eps" if self.of_one else "eps of the largest"

    def unit(self, expected: Array, dtype: np.dtype[Any], magnitude: Magnitude) -> Array:
        """The same size for all elements."""
        finite = np.abs(expected[np.isfinite(expected)])
        scale = 1.0 if self.of_one or not finite.size else float(finite.max())
        return np.asarray(np.finfo(dtype).eps * scale)


@dataclass(frozen=True)
class Slope(Tolerance):
    """Of a gradient: ``eps`` times its largest element."""

    reason: str = "The chain rule multiplies and adds a few rounded numbers."
    NUMERICAL = 1e-8
    """What central differences in float64 are good for, relative to the typical derivative."""

    @property
    def unit_name(self) -> str:
        """One for the whole gradient."""
        return "eps of the largest"

    def unit(self, expected: Array, dtype: np.dtype[Any], magnitude: Magnitude) -> Array:
        """The same size for all elements of one gradient."""
        return np.asarray(np.finfo(dtype).eps * np.max(np.abs(expected), initial=0.0))

    def accepts(self, actual: Array, expected: Array, elements: int, dtype: np.dtype[Any]) -> bool:
        """Whether derivatives along random directions, sums over `elements`, are those of central differences."""
        size = max(float(np.sqrt(np.mean(np.square(expected)))), 1e-3)
        rounding = self.limit * float(np.finfo(dtype).eps) * np.sqrt(elements)
        return bool(np.all(np.abs(actual - expected) <= max(rounding, self.NUMERICAL) * size))


Magnitude = Callable[[], tuple[int, Any]]


# ---------------------------------------------------------------- samples


@dataclass(frozen=True)
class Named:
    """A dtype by name; becomes the backend's own object, or NumPy's for the oracle."""

    name: str


@dataclass(frozen=True)
class Sample:
    """One call: positional and keyword arguments, arrays standing for tensors."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def at(self, precision: int) -> Sample:
        """The sample with its float64 arrays rounded to the default float of a precision."""
        real = REAL[precision]

        def rounded(leaf: Any) -> Any:
            return leaf.astype(real) if isinstance(leaf, np.ndarray) and leaf.dtype == np.float64 else leaf

        return Sample(tree.map(rounded, self.args), self.kwargs)

    def __str__(self) -> str:
        def show(leaf: Any) -> str:
            return f"{leaf.dtype}{list(leaf.shape)}" if isinstance(leaf, np.ndarray) else repr(leaf)

        shown = [str(tree.map(show, arg)) if isinstance(arg, list | tuple) else show(arg) for arg in self.args]
        return ", ".join([*shown, *(f"{key}={value!r}" for key, value in self.kwargs.items())])


def sample(*args: Any, **kwargs: Any) -> Sample:
    """A sample written like the call."""
    return Sample(args, kwargs)


def is_array(leaf: Any) -> bool:
    """Whether a leaf of a sample stands for a tensor."""
    return isinstance(leaf, np.ndarray)


def widened(leaf: Any) -> Any:
    """A leaf as the oracle gets it: floats in float64, dtypes as NumPy's."""
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
        return leaf.astype(np.float64)
    return np.dtype(leaf.name) if isinstance(leaf, Named) else leaf


# ---------------------------------------------------------------- cases

Maker = Callable[[np.random.Generator], Iterable[Sample]]


def _plain_call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


@dataclass(frozen=True)
class Case:
    """Everything the suite knows about one function of the contract.

    Attributes:
        name: of the function in the contract.
        oracle: the same function in plain NumPy; gets floats as float64.
        samples: makes ordinary calls from a generator; their gradients are tested too.
        tolerance: of the value.
        dtype: rule for the dtype of each result: ``float`` (the default float), ``input`` (of the first tensor),
            ``bool``, ``integer`` (int32 or int64), ``oracle`` (the oracle's own) or ``named`` (the keyword or
            argument that is a dtype).
        edges: calls with NaN, infinities, signed zeros or huge numbers; values only.
        signed_zeros: whether zeros of the edge samples must have the oracle's sign.
        wrong: calls that must raise.
        differentiable: positions of the arguments that have a gradient; those without are held to a zero one.
        gradient: tolerance of the gradient.
        terms: number of terms in each sum, for `Contraction`.
        call: how the function is called, where that is not ``function(*args, **kwargs)``.
        compiled: whether it may stand inside a compiled function.
    """

    name: str
    oracle: Callable[..., Any]
    samples: Maker
    tolerance: Tolerance
    dtype: str = "float"
    edges: Maker | None = None
    signed_zeros: bool = False
    wrong: Maker | None = None
    differentiable: tuple[int, ...] = ()
    gradient: Slope = field(default_factory=lambda: Slope(4))
    terms: Callable[..., int] | None = None
    call: Callable[..., Any] = _plain_call
    compiled: bool = True

    @property
    def function(self) -> Callable[..., Any]:
        """The function of the contract, which runs on the active backend."""
        home = interface if hasattr(interface, self.name) else composites
        return getattr(home, self.name)  # type: ignore[no-any-return]

    def make(self, maker: Maker | None, precision: int) -> list[Sample]:
        """The samples of a maker, rounded to a precision; the same at every call."""
        if maker is None:
            return []
        seed = int.from_bytes(self.name.encode(), "little")
        return [one.at(precision) for one in maker(np.random.default_rng(seed))]

    def expected(self, one: Sample) -> Any:
        """The oracle's result in float64."""
        args = tree.map(widened, one.args)
        kwargs = {key: widened(value) for key, value in one.kwargs.items()}
        with np.errstate(all="ignore"):
            return self.call(self.oracle, *args, **kwargs)

    def magnitude(self, one: Sample) -> tuple[int, Any]:
        """Number of terms and sum of their absolute values, for functions linear in each float argument."""
        if self.terms is None:
            raise TypeError(f"The case {self.name} needs `terms` for its tolerance.")
        positive = Sample(tree.map(_absolute, one.args), one.kwargs)
        args = tree.map(widened, one.args)
        return self.terms(*args, **one.kwargs), self.expected(positive)


def _absolute(leaf: Any) -> Any:
    return np.abs(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" else leaf


def float_positions(case: Case, one: Sample) -> Sequence[int]:
    """Positions among the leaves of ``one.args`` of the float tensors that the case can differentiate."""
    found, position = [], 0
    for index, arg in enumerate(one.args):
        for leaf in tree.leaves((arg,)):
            if index in case.differentiable and is_array(leaf) and leaf.dtype.kind == "f":
                found.append(position)
            position += 1
    return found
