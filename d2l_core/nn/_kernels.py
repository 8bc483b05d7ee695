"""Weights of the libraries that call them kernels and keep them the other way round, as Keras and Flax do.

Kernels are (in, out) and (window, in / groups, out), those of a depthwise convolution (window, in, multiplier), and
those of an attention have an axis for the heads. A recurrent cell has one bias where ours has two, and the gated unit
of Keras has its gates in the order z, r, n.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2l_core._host import on_host
from d2l_core.errors import UsageError

Arrays = dict[str, Any]
Ends = dict[str, tuple[str, ...]]

_PARTS: Ends = {"ih": ("ii", "if_", "ig", "io"), "hh": ("hi", "hf", "hg", "ho")}
_JOINED: Ends = {"ih": ("dense_i",), "hh": ("dense_h",)}
_PROJECTIONS = ("query", "key", "value")
_OUTPUTS = ("out", "attention_output")
_CELL = re.compile(r"(\w+_)?cell\.")


def without_kernels(state: Mapping[str, Any]) -> Arrays:
    """`state` with each kernel as a weight in our layout, and cells of recurrent layers under our names.

    Raises:
        UsageError: a gated unit has another formula than ours, or a layer multiplies in a way that none of ours does.
    """
    rest: Arrays = dict(state)
    found: Arrays = {}
    while rest:
        path = next(iter(rest))
        home, name = _parted(path)
        above, part = _parted(home.removesuffix("."))
        dense, output = _dense(part, above, rest), _output(part, above, rest)
        if f"{home}recurrent_kernel" in rest:
            found |= _cell(home, _recurrent_kernels(home, rest))
        elif dense:
            found |= _cell(above, _dense_layers(above, dense, rest))
        elif output:
            found |= _attention(above, output, rest)
        elif name == "depthwise_kernel":
            found |= _depthwise(home, rest)
        elif name == "kernel":
            found[f"{home}weight"] = _turned(rest.pop(path))
            _check_shift(home, found[f"{home}weight"], rest)
        else:
            found[path] = rest.pop(path)
    return found


def _parted(path: str) -> tuple[str, str]:
    head, dot, name = path.rpartition(".")
    return head + dot, name


def _turned(kernel: Any) -> NDArray[Any]:
    """(in, out) as (out, in), and (window, in, out) as (out, in, window)."""
    array = on_host(kernel)
    return array.T if array.ndim < 3 else np.moveaxis(array, (-1, -2), (0, 1))


def _cell(home: str, weights: Arrays) -> Arrays:
    """The weights under the path of the layer that runs the cell."""
    above, part = _parted(home.removesuffix("."))
    layer = above if _CELL.fullmatch(part + ".") else home
    return {layer + name: array for name, array in weights.items()}


def _recurrent_kernels(home: str, rest: Arrays) -> Arrays:
    """A cell with a kernel, a recurrent kernel and perhaps a bias, taken out of `rest`."""
    ahead, back = (on_host(rest.pop(home + name)) for name in ("kernel", "recurrent_kernel"))
    bias = on_host(rest.pop(f"{home}bias", np.zeros(back.shape[1], back.dtype)))
    gates = back.shape[1] // back.shape[0]
    if gates == 3 and bias.ndim == 1 and bias.any():
        raise UsageError(
            f"The gated unit {home.removesuffix('.')} resets the state before the product, ours after it; build it so."
        )
    pair = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    if gates == 3:
        ahead, back, pair = (
            np.concatenate([np.split(x, 3, -1)[i] for i in (1, 0, 2)], -1) for x in (ahead, back, pair)
        )
    return {"weight_ih": ahead.T, "weight_hh": back.T, "bias_ih": pair[0], "bias_hh": pair[1]}


def _dense(part: str, above: str, rest: Arrays) -> Ends | None:
    """The linear layers that a cell is made of, if `part` is one of them."""
    for layers in (_JOINED, _PARTS):
        names = [name for end in layers.values() for name in end]
        if part in names and all(f"{above}{name}.kernel" in rest for name in names):
            return layers
    return None


def _dense_layers(above: str, layers: Ends, rest: Arrays) -> Arrays:
    """A cell made of linear layers, taken out of `rest`; those without a bias have a zero one."""
    weights: Arrays = {}
    for end, names in layers.items():
        kernels = [on_host(rest.pop(f"{above}{name}.kernel")) for name in names]
        biases = [
            on_host(rest.pop(f"{above}{name}.bias", np.zeros(kernel.shape[1], kernel.dtype)))
            for name, kernel in zip(names, kernels, strict=True)
        ]
        weights |= {f"weight_{end}": np.concatenate(kernels, 1).T, f"bias_{end}": np.concatenate(biases)}
    return weights


def _output(part: str, above: str, rest: Arrays) -> str | None:
    """The name of an attention's last layer, if `part` is one of its layers and they have an axis for the heads."""
    for output in _OUTPUTS:
        kernels = [rest.get(f"{above}{name}.kernel") for name in (*_PROJECTIONS, output)]
        if part in (*_PROJECTIONS, output) and all(kernel is not None and np.ndim(kernel) == 3 for kernel in kernels):
            return output
    return None


def _attention(home: str, output: str, rest: Arrays) -> Arrays:
    """The four layers of an attention, taken out of `rest`: (in, heads, size) and (heads, size, out) are joined."""
    found: Arrays = {}
    for name in (*_PROJECTIONS, output):
        kernel = on_host(rest.pop(f"{home}{name}.kernel"))
        joined = kernel.reshape(-1, kernel.shape[-1]) if name == output else kernel.reshape(len(kernel), -1)
        ours = f"{home}output" if name == output else f"{home}{name}"
        found[f"{ours}.weight"] = joined.T
        if f"{home}{name}.bias" in rest:
            found[f"{ours}.bias"] = on_host(rest.pop(f"{home}{name}.bias")).reshape(-1)
    return found


def _depthwise(home: str, rest: Arrays) -> Arrays:
    """A convolution of each channel by itself, taken out of `rest`, with the pointwise one that may follow it."""
    kernel = on_host(rest.pop(f"{home}depthwise_kernel"))
    weight = _turned(kernel.reshape(*kernel.shape[:-2], 1, -1))
    if f"{home}pointwise_kernel" not in rest:
        return {f"{home}weight": weight}
    pointwise = {"pointwise.weight": _turned(rest.pop(f"{home}pointwise_kernel"))}
    if f"{home}bias" in rest:
        pointwise["pointwise.bias"] = rest.pop(f"{home}bias")
    return {home + name: array for name, array in ({"depthwise.weight": weight} | pointwise).items()}


def _check_shift(home: str, weight: NDArray[Any], rest: Arrays) -> None:
    """A dense layer over several axes has a bias of several, or one that is not as long as the kernel is wide."""
    bias = rest.get(f"{home}bias")
    if bias is not None and np.shape(bias) != weight.shape[:1] and np.shape(bias) != weight.shape[1:2]:
        raise UsageError(
            f"The layer {home.removesuffix('.')} multiplies over several axes at once, which no layer of ours does; "
            f"build it of layers over the last axis."
        )
