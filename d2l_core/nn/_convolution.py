"""Convolution and pooling of signals, images and volumes: one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Callable

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.errors import UsageError
from d2l_core.interface import Shape, Tensor
from d2l_core.nn._module import Module
from d2l_core.nn._variable import Initialiser, Parameter
from d2l_core.nn.initialisers import Constant, XavierUniform


def _check_axes(layer: Module, x: Tensor, axes: int) -> None:
    if len(x.shape) != axes + 2:
        raise UsageError(
            f"{type(layer).__name__} takes inputs of {axes + 2} axes (N, C and {axes} in space), "
            f"not of shape {tuple(x.shape)}; choose the layer for {len(x.shape) - 2} or reshape the input."
        )


class _Convolution(Module):
    """What all kinds share: a bank of kernels, whose number of input channels the first input may tell."""

    axes: int

    def __init__(
        self,
        out_channels: int,
        window: Shape,
        in_channels: int | None = None,
        *,
        stride: Shape = 1,
        padding: Shape = 0,
        dilation: Shape = 1,
        groups: int = 1,
        bias: bool = True,
        weight_init: Initialiser | None = None,
        bias_init: Initialiser | None = None,
    ):
        super().__init__()
        self.out_channels, self.in_channels, self.has_bias = out_channels, in_channels, bias
        self.window = (window,) * self.axes if isinstance(window, int) else tuple(window)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight_init, self.bias_init = weight_init or XavierUniform(), bias_init or Constant(0.0)
        if in_channels is not None:
            self._create(in_channels)

    def _create(self, in_channels: int) -> None:
        self.in_channels = in_channels
        self.weight = Parameter((*self._channels(in_channels), *self.window), self.weight_init)
        if self.has_bias:
            self.bias = Parameter((self.out_channels,), self.bias_init)

    def _channels(self, in_channels: int) -> tuple[int, int]:
        """The first two extents of the weight."""
        return self.out_channels, in_channels // self.groups

    def build(self, x: Tensor) -> None:
        """Create the kernels for inputs like x."""
        if self.in_channels is None:
            _check_axes(self, x, self.axes)
            self._create(x.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps."""
        return xp.conv(
            x,
            self.weight,
            self.bias if self.has_bias else None,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )

    def describe(self) -> str:
        """Sizes."""
        return f"{self.in_channels} -> {self.out_channels}, window={self.window}"


class Conv1d(_Convolution):
    """Cross-correlation with a bank of kernels: (N, C_in, L) to (N, C_out, L'); see `interface.conv`."""

    axes = 1


class Conv2d(_Convolution):
    """Cross-correlation with a bank of kernels: (N, C_in, H, W) to (N, C_out, H', W'); see `interface.conv`."""

    axes = 2


class Conv3d(_Convolution):
    """Cross-correlation with a bank of kernels: (N, C_in, D, H, W) to (N, C_out, D', H', W'); see `interface.conv`."""

    axes = 3


class _Transposed(_Convolution):
    def __init__(
        self,
        out_channels: int,
        window: Shape,
        in_channels: int | None = None,
        *,
        stride: Shape = 1,
        padding: Shape = 0,
        output_padding: Shape = 0,
        dilation: Shape = 1,
        groups: int = 1,
        bias: bool = True,
        weight_init: Initialiser | None = None,
        bias_init: Initialiser | None = None,
    ):
        super().__init__(
            out_channels,
            window,
            in_channels,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            weight_init=weight_init,
            bias_init=bias_init,
        )
        self.output_padding = output_padding

    def _channels(self, in_channels: int) -> tuple[int, int]:
        return in_channels, self.out_channels // self.groups

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, larger by the stride."""
        return composites.conv_transpose(
            x,
            self.weight,
            self.bias if self.has_bias else None,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class ConvTranspose1d(_Transposed):
    """Transposed convolution of (N, C_in, L); see `composites.conv_transpose`."""

    axes = 1


class ConvTranspose2d(_Transposed):
    """Transposed convolution of (N, C_in, H, W); see `composites.conv_transpose`."""

    axes = 2


class ConvTranspose3d(_Transposed):
    """Transposed convolution of (N, C_in, D, H, W); see `composites.conv_transpose`."""

    axes = 3


class _Pool(Module):
    axes: int
    pool: Callable[..., Tensor]

    def __init__(self, window: Shape, *, stride: Shape | None = None, padding: Shape = 0):
        super().__init__()
        self.window, self.stride, self.padding = window, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """One number for each window."""
        _check_axes(self, x, self.axes)
        return type(self).pool(x, self.window, stride=self.stride, padding=self.padding)

    def describe(self) -> str:
        """Sizes."""
        return f"window={self.window}"


class _MaxPool(_Pool):
    pool = staticmethod(xp.max_pool)


class _AvgPool(_Pool):
    pool = staticmethod(xp.avg_pool)


class MaxPool1d(_MaxPool):
    """Largest element of each window of (N, C, L); see `interface.max_pool`."""

    axes = 1


class MaxPool2d(_MaxPool):
    """Largest element of each window of (N, C, H, W); see `interface.max_pool`."""

    axes = 2


class MaxPool3d(_MaxPool):
    """Largest element of each window of (N, C, D, H, W); see `interface.max_pool`."""

    axes = 3


class AvgPool1d(_AvgPool):
    """Mean of each window of (N, C, L), padding included; see `interface.avg_pool`."""

    axes = 1


class AvgPool2d(_AvgPool):
    """Mean of each window of (N, C, H, W), padding included; see `interface.avg_pool`."""

    axes = 2


class AvgPool3d(_AvgPool):
    """Mean of each window of (N, C, D, H, W), padding included; see `interface.avg_pool`."""

    axes = 3


class _AdaptivePool(Module):
    pool: Callable[..., Tensor]

    def __init__(self, size: Shape):
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """One number for each cell."""
        return type(self).pool(x, self.size)

    def describe(self) -> str:
        """The size of the result."""
        return f"size={self.size}"


class AdaptiveAvgPool(_AdaptivePool):
    """(N, C, *spatial) averaged to a size, whatever the input's; see `composites.adaptive_avg_pool`."""

    pool = staticmethod(composites.adaptive_avg_pool)


class AdaptiveMaxPool(_AdaptivePool):
    """(N, C, *spatial) reduced to the largest of each cell of a grid; see `composites.adaptive_max_pool`."""

    pool = staticmethod(composites.adaptive_max_pool)


class GlobalAvgPool(Module):
    """(N, C, *spatial) to (N, C): the mean over space (Lin, Chen and Yan, 2014)."""

    def forward(self, x: Tensor) -> Tensor:
        """One number for each channel."""
        return composites.global_avg_pool(x)
