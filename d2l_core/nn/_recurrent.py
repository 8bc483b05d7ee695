"""Recurrent layers over sequences (T, N, I): one layer in one direction, and how to stack them and turn them round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.interface import Tensor
from d2l_core.nn._layers import Dropout
from d2l_core.nn._module import Module
from d2l_core.nn._variable import Parameter
from d2l_core.nn.initialisers import FanInUniform


class Recurrent(Module):
    """What recurrent layers share: the weights, the first state, and sequences of several lengths.

    All weights and biases start uniform in ±1 / sqrt(num_hiddens).
    """

    gates: ClassVar[int] = 1
    run: ClassVar[Callable[..., tuple[Tensor, Any]]]

    def __init__(self, num_hiddens: int, num_inputs: int | None = None):
        super().__init__()
        self.num_hiddens, self.num_inputs = num_hiddens, num_inputs
        if num_inputs is not None:
            self._create(num_inputs)

    def _create(self, num_inputs: int) -> None:
        self.num_inputs = num_inputs
        rows, init = self.gates * self.num_hiddens, FanInUniform(self.num_hiddens)
        self.weight_ih = Parameter((rows, num_inputs), init)
        self.weight_hh = Parameter((rows, self.num_hiddens), init)
        self.bias_ih = Parameter((rows,), init)
        self.bias_hh = Parameter((rows,), init)

    def build(self, *inputs: Any) -> None:
        """Create the weights for inputs like the first."""
        if self.num_inputs is None:
            self._create(inputs[0].shape[-1])

    def first_state(self, x: Tensor) -> Any:
        """Zeros, for inputs like x."""
        return xp.zeros((x.shape[1], self.num_hiddens), dtype=x.dtype)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Hidden states (T, N, H) and the last state; the first is zero unless given."""
        if state is None:
            state = self.first_state(x)
        return type(self).run(x, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def describe(self) -> str:
        """Sizes."""
        return f"{self.num_inputs} -> {self.num_hiddens}"


class RNN(Recurrent):
    """Elman's recurrent layer; its state is (N, H). See `composites.rnn_tanh`."""

    run = staticmethod(composites.rnn_tanh)


class GRU(Recurrent):
    """Gated recurrent units; their state is (N, H). See `composites.gru`."""

    gates = 3
    run = staticmethod(composites.gru)


class LSTM(Recurrent):
    """Long short-term memory; its state is a pair of hidden state and cell, each (N, H). See `composites.lstm`."""

    gates = 4
    run = staticmethod(composites.lstm)

    def first_state(self, x: Tensor) -> Any:
        """Zeros twice, for inputs like x."""
        return super().first_state(x), super().first_state(x)


class Bidirectional(Module):
    """Two recurrent layers, one of which reads from the end; their outputs stand side by side.

    Args:
        forwards: reads from the first step.
        backwards: reads from the last step; its outputs are put back into the order of time.
    """

    def __init__(self, forwards: Module, backwards: Module):
        super().__init__()
        self.forwards, self.backwards = forwards, backwards

    def forward(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Outputs (T, N, 2 H) and the pair of last states.

        Args:
            x: sequences (T, N, I).
            state: a pair of first states, or None for zeros.
            lengths: integers (N,); the second layer begins at each sequence's own last step. Outputs beyond a
                sequence's length are of no meaning. None if all are T long.
        """
        ahead, behind = (None, None) if state is None else state
        seen, last = self.forwards(x, ahead)
        turned, first = self.backwards(_reversed(x, lengths), behind)
        return xp.concat([seen, _reversed(turned, lengths)], axis=-1), (last, first)


def _reversed(x: Tensor, lengths: Tensor | None) -> Tensor:
    return xp.flip(x, axis=0) if lengths is None else composites.reverse_sequences(x, lengths)


class Stacked(Module):
    """Recurrent layers one on top of the other: each reads the outputs of the one below.

    Args:
        layers: recurrent modules, the lowest first.
        dropout: probability with which outputs between two layers are dropped.
    """

    def __init__(self, *layers: Module, dropout: float = 0.0):
        super().__init__()
        for i, layer in enumerate(layers):
            setattr(self, f"layer{i}", layer)
            if dropout and i + 1 < len(layers):
                setattr(self, f"dropout{i}", Dropout(dropout))
        self.depth = len(layers)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Outputs of the highest layer, and a tuple of the last states of all."""
        states = (None,) * self.depth if state is None else state
        last = []
        for i, first in enumerate(states):
            x, state = getattr(self, f"layer{i}")(x, first)
            last.append(state)
            if f"dropout{i}" in self._modules:
                x = getattr(self, f"dropout{i}")(x)
        return x, tuple(last)
