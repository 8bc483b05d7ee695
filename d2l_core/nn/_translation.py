"""States that other libraries wrote, under our names and in our layout.

PyTorch's names of layers are ours but for three: its recurrent modules hold several layers (``weight_ih_l1_reverse``)
and may lack biases, its attention stacks three projections (``in_proj_weight``), and its batch normalisation counts
batches. Gluon has the same layouts under other names. Libraries that call the weight a kernel are the affair of
`_kernels`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from d2l_core._host import on_host
from d2l_core.nn._kernels import without_kernels

_NAMES = {
    "gamma": "weight", "scale": "weight", "embedding": "weight", "embeddings": "weight", "beta": "bias",
    "mean": "running_mean", "moving_mean": "running_mean", "var": "running_var", "moving_variance": "running_var",
}  # fmt: skip
_RECURRENT = re.compile(r"(?P<name>(?:weight|bias)_(?:ih|hh))_l(?P<depth>\d+)(?P<back>_reverse)?")
_SIDES = re.compile(r"(?:([lr])(\d+)_)?([ih])2h_(weight|bias)")
_PROJECTED = {"q_proj_weight": "query.weight", "k_proj_weight": "key.weight", "v_proj_weight": "value.weight"}
_STACKED = {"in_proj_weight": "weight", "in_proj_bias": "bias"}
_ORDER = (
    "weight", "bias", "running_mean", "running_var", "weight_ih", "weight_hh", "bias_ih", "bias_hh",
)  # fmt: skip


def translated(state: Mapping[str, Any], known: Container[str]) -> dict[str, Any]:
    """The entries of `state` under our paths; what is known as it is, or to no rule, keeps its name.

    Args:
        state: arrays or tensors by path.
        known: the paths of the model that they are for.
    """
    ours = {path: array for path, array in state.items() if path in known and not _beside_kernel(path, state, known)}
    theirs = {_of_sides(path): array for path, array in state.items() if path not in ours}
    everything = state.keys() | theirs.keys()
    for path, array in without_kernels(theirs).items():
        ours |= _translated(path, array, everything, known)
    return ours


def _beside_kernel(path: str, state: Container[str], known: Container[str]) -> bool:
    """Whether it is the bias of a kernel of another library, which may have more axes than ours of the same name."""
    kernel = _parted(path)[0] + "kernel"
    return kernel in state and kernel not in known


def _parted(path: str) -> tuple[str, str]:
    """What comes before the last name, with its dot, and that name."""
    head, dot, name = path.rpartition(".")
    return head + dot, name


def _of_sides(path: str) -> str:
    """``r1_i2h_weight``, the weight of the second layer from the right, as ``weight_ih_l1_reverse``."""
    prefix, name = _parted(path)
    match = _SIDES.fullmatch(name)
    if not match:
        return path
    side, depth, end, kind = match.groups()
    layer = f"_l{depth}" if side else ""
    return f"{prefix}{kind}_{end}h{layer}{'_reverse' if side == 'r' else ''}"


def _translated(path: str, array: Any, state: Container[str], known: Container[str]) -> dict[str, Any]:
    prefix, name = _parted(path)
    recurrent = _RECURRENT.fullmatch(name)
    if recurrent:
        home = _recurrent_path(prefix, recurrent, state, known)
        return {home: array} | _zero_biases(path, home, array, state)
    if name in _STACKED:
        parts = zip(("query", "key", "value"), np.split(on_host(array), 3), strict=True)
        return {f"{prefix}{part}.{_STACKED[name]}": rows for part, rows in parts}
    if name in _PROJECTED:
        return {prefix + _PROJECTED[name]: array}
    above, last = _parted(prefix.removesuffix("."))
    if last == "out_proj" and (f"{above}in_proj_weight" in state or f"{above}q_proj_weight" in state):
        return {f"{above}output.{name}": array}
    if name == "num_batches_tracked" and f"{prefix}running_mean" in state:
        return {}
    return {prefix + _NAMES.get(name, name): array}


def _recurrent_path(prefix: str, match: re.Match[str], state: Container[str], known: Container[str]) -> str:
    """Where our model has the weight: in a stack or not, in two directions or not; by the state itself if nowhere."""
    name, depth, back = match["name"], match["depth"], match["back"]
    layer, way = f"layer{depth}.", "backwards." if back else "forwards."
    places = [layer + way] if back else [layer + way, layer]
    if depth == "0":
        places += [way] if back else [way, ""]
    several, both = f"{prefix}weight_ih_l1" in state, f"{prefix}weight_ih_l0_reverse" in state
    own = (layer if several else "") + (way if both else "")
    return prefix + next((place for place in places if prefix + place + name in known), own) + name


def _zero_biases(path: str, home: str, array: Any, state: Container[str]) -> dict[str, Any]:
    """What the recurrent weights of a layer without biases stand for: ours always have them."""
    if "weight_hh" not in path or any(path.replace("weight_hh", name) in state for name in ("bias_ih", "bias_hh")):
        return {}
    zeros = np.zeros(np.shape(array)[0], on_host(array).dtype)
    return {_parted(home)[0] + name: zeros for name in ("bias_ih", "bias_hh")}


def by_layer(paths: list[str]) -> list[str]:
    """Paths in the order of their layers, those of a layer in the order in which ours have them."""
    layers: dict[str, list[str]] = {}
    for path in paths:
        layers.setdefault(_parted(path)[0], []).append(path)
    return [path for layer in layers.values() for path in sorted(layer, key=_rank)]


def _rank(path: str) -> int:
    name = _parted(path)[1]
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def same_role(one: str, other: str) -> bool:
    """Whether two paths can mean the same weight of a layer: their last names are equal, or one is not ours."""
    names = {_parted(one)[1], _parted(other)[1]}
    return len(names) == 1 or not names <= set(_ORDER)
