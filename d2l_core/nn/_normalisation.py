"""Layers that normalise single examples."""

from __future__ import annotations

from d2l_core import composites
from d2l_core.interface import Shape, Tensor
from d2l_core.nn._module import Module
from d2l_core.nn._variable import Parameter
from d2l_core.nn.initialisers import Constant


class LayerNorm(Module):
    """Layer normalisation over the last axes (Ba, Kiros and Hinton, 2016); see `composites.layer_norm`.

    Args:
        shape: extents of those axes, or one extent; the last axis of the first input if None.
        eps: added to the variance.
    """

    def __init__(self, shape: Shape | None = None, *, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.shape: tuple[int, ...] | None = None
        if shape is not None:
            self._create((shape,) if isinstance(shape, int) else tuple(shape))

    def _create(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.weight = Parameter(shape, Constant(1.0))
        self.bias = Parameter(shape, Constant(0.0))

    def build(self, x: Tensor) -> None:
        """Create the parameters for inputs like x."""
        if self.shape is None:
            self._create((x.shape[-1],))

    def forward(self, x: Tensor) -> Tensor:
        """x normalised, scaled and shifted."""
        return composites.layer_norm(x, self.weight, self.bias, self.eps)

    def describe(self) -> str:
        """Sizes."""
        return f"{self.shape}"


class RMSNorm(Module):
    """Normalisation by the root of the mean square over the last axis (Zhang and Sennrich, 2019)."""

    def __init__(self, features: int | None = None, *, eps: float = 1e-6):
        super().__init__()
        self.features, self.eps = features, eps
        if features is not None:
            self._create(features)

    def _create(self, features: int) -> None:
        self.features = features
        self.weight = Parameter((features,), Constant(1.0))

    def build(self, x: Tensor) -> None:
        """Create the scale for inputs like x."""
        if self.features is None:
            self._create(x.shape[-1])

    def forward(self, x: Tensor) -> Tensor:
        """x normalised and scaled."""
        return composites.rms_norm(x, self.weight, self.eps)

    def describe(self) -> str:
        """Sizes."""
        return f"{self.features}"


class GroupNorm(Module):
    """Group normalisation of (N, C, *spatial) (Wu and He, 2018); see `composites.group_norm`."""

    def __init__(self, groups: int, channels: int | None = None, *, eps: float = 1e-5):
        super().__init__()
        self.groups, self.channels, self.eps = groups, channels, eps
        if channels is not None:
            self._create(channels)

    def _create(self, channels: int) -> None:
        self.channels = channels
        self.weight = Parameter((channels,), Constant(1.0))
        self.bias = Parameter((channels,), Constant(0.0))

    def build(self, x: Tensor) -> None:
        """Create the parameters for inputs like x."""
        if self.channels is None:
            self._create(x.shape[1])

    def groups_of(self, x: Tensor) -> int:
        """How many groups the channels of x form."""
        return self.groups

    def forward(self, x: Tensor) -> Tensor:
        """x normalised, scaled and shifted."""
        return composites.group_norm(x, self.groups_of(x), self.weight, self.bias, self.eps)

    def describe(self) -> str:
        """Sizes."""
        return f"{self.channels} channels in {self.groups} groups"


class InstanceNorm(GroupNorm):
    """Instance normalisation (Ulyanov, Vedaldi and Lempitsky, 2016): every channel is a group of its own."""

    def __init__(self, channels: int | None = None, *, eps: float = 1e-5):
        super().__init__(1, channels, eps=eps)

    def groups_of(self, x: Tensor) -> int:
        """As many as there are channels."""
        return int(x.shape[1])

    def describe(self) -> str:
        """Sizes."""
        return f"{self.channels}"
