"""Recurrent layers over whole sequences, and the reversal that a second direction needs."""

from __future__ import annotations

from d2l_core import interface as xp
from d2l_core._dispatch import composite
from d2l_core.composites.activations import sigmoid
from d2l_core.composites.network import linear
from d2l_core.interface import Tensor


@composite("network")
def rnn_tanh(
    x: Tensor, state: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, /
) -> tuple[Tensor, Tensor]:
    """Elman's recurrent layer over a whole sequence: ``h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)``.

    Args:
        x: inputs (T, N, I).
        state: first hidden state (N, H).
        weight_ih: (H, I).
        weight_hh: (H, H).
        bias_ih: (H,).
        bias_hh: (H,).

    Returns:
        All hidden states (T, N, H) and the last one (N, H).
    """
    projected = linear(x, weight_ih, bias_ih + bias_hh)
    recurrent = xp.matrix_transpose(weight_hh)

    def step(hidden: Tensor, projection: Tensor) -> tuple[Tensor, Tensor]:
        hidden = xp.tanh(projection + xp.matmul(hidden, recurrent))
        return hidden, hidden

    last, outputs = xp.scan(step, state, projected)
    return outputs, last


def _gates(tensor: Tensor, size: int) -> list[Tensor]:
    """The rows of each gate in a weight or a bias: slices of results would be filled up again for the gradient."""
    return [tensor[start : start + size] for start in range(0, tensor.shape[0], size)]


@composite("network")
def gru(
    x: Tensor, state: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, /
) -> tuple[Tensor, Tensor]:
    """Gated recurrent units over a whole sequence (Cho et al., 2014), with the reset gate after the product.

    With the rows of the weights in the order reset r, update z, candidate n, for every step::

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))     h = (1 - z) * n + z * h

    Args:
        x: inputs (T, N, I).
        state: first hidden state (N, H).
        weight_ih: (3 H, I).
        weight_hh: (3 H, H).
        bias_ih: (3 H,).
        bias_hh: (3 H,).

    Returns:
        All hidden states (T, N, H) and the last one (N, H).
    """
    size = state.shape[-1]
    recurrent = list(zip(_gates(weight_hh, size), _gates(bias_hh, size), strict=True))
    projections = tuple(linear(x, *gate) for gate in zip(_gates(weight_ih, size), _gates(bias_ih, size), strict=True))

    def step(hidden: Tensor, projection: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        r_x, z_x, n_x = projection
        r_h, z_h, n_h = (linear(hidden, *gate) for gate in recurrent)
        update = sigmoid(z_x + z_h)
        candidate = xp.tanh(n_x + sigmoid(r_x + r_h) * n_h)
        hidden = candidate + update * (hidden - candidate)
        return hidden, hidden

    last, outputs = xp.scan(step, state, projections)
    return outputs, last


@composite("network")
def lstm(
    x: Tensor,
    state: tuple[Tensor, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    /,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Long short-term memory over a whole sequence (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).

    With the rows of the weights in the order input i, forget f, candidate g, output o, for every step::

        i, f, o = sigmoid(W x + b + U h + d)     g = tanh(W x + b + U h + d)     (each with its own rows)
        c = f * c + i * g                        h = o * tanh(c)

    Args:
        x: inputs (T, N, I).
        state: first hidden state and first cell, each (N, H).
        weight_ih: (4 H, I).
        weight_hh: (4 H, H).
        bias_ih: (4 H,).
        bias_hh: (4 H,).

    Returns:
        All hidden states (T, N, H), and the last hidden state and cell.
    """
    size = state[0].shape[-1]
    recurrent, biases = _gates(weight_hh, size), _gates(bias_ih + bias_hh, size)
    projections = tuple(linear(x, *gate) for gate in zip(_gates(weight_ih, size), biases, strict=True))

    def step(carry: tuple[Tensor, Tensor], projection: tuple[Tensor, ...]) -> tuple[tuple[Tensor, Tensor], Tensor]:
        hidden, cell = carry
        i, f, g, o = (p + linear(hidden, w) for p, w in zip(projection, recurrent, strict=True))
        cell = sigmoid(f) * cell + sigmoid(i) * xp.tanh(g)
        hidden = sigmoid(o) * xp.tanh(cell)
        return (hidden, cell), hidden

    last, outputs = xp.scan(step, tuple(state), projections)
    return outputs, last


@composite("network")
def reverse_sequences(x: Tensor, lengths: Tensor, /) -> Tensor:
    """Each sequence of x (T, N, ...) turned round within its own length; what comes after it stays where it is.

    Args:
        x: sequences (T, N, ...).
        lengths: integers (N,) in [0, T].
    """
    steps = xp.expand_dims(xp.arange(x.shape[0], dtype=lengths.dtype), axis=1)
    inside = xp.broadcast_to(steps < lengths, (x.shape[0], x.shape[1]))
    sources = xp.where(inside, lengths - 1 - steps, xp.broadcast_to(steps, tuple(inside.shape)))
    wide = xp.reshape(sources, (*sources.shape, *(1 for _ in x.shape[2:])))
    return xp.take_along_axis(x, xp.broadcast_to(wide, tuple(x.shape)), axis=0)
