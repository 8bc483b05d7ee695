"""A network whose parameters are float32 and whose activations are bfloat16."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from d2l_conformance.limits import limited

from d2l_core import composites, nn, optim, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.backend import Backend
from d2l_core.nn.functional import cross_entropy, softmax

PRECISIONS = (32,)


class Narrow(nn.Linear):
    """An affine map that computes in bfloat16 and keeps its parameters in the default float."""

    def forward(self, x: Any) -> Any:
        """bfloat16 whatever x is."""
        parts = (xp.astype(part, xp.bfloat16) for part in (x, self.weight, self.bias))
        return composites.linear(*parts)


class Classifier(nn.Module):
    """Two layers, the first of which may be narrow; the loss sees the default float."""

    def __init__(self, layer: type[nn.Linear]):
        super().__init__()
        self.inner, self.outer = layer(16), layer(2)

    def hidden(self, x: Any) -> Any:
        """The activations."""
        return xp.tanh(self.inner(x))

    def forward(self, x: Any) -> Any:
        """Scores."""
        return xp.astype(self.outer(self.hidden(x)), xp.float_dtype())


def train(layer: type[nn.Linear]) -> tuple[Classifier, float, float]:
    """On two rings; the losses at the start and at the end."""
    rng = np.random.default_rng(4)
    angle, label = rng.uniform(0, 2 * np.pi, 64), np.arange(64) % 2
    radius = np.where(label == 0, 0.5, 1.5) + rng.normal(size=64) * 0.1
    x = xp.asarray(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
    y = xp.asarray(label.astype(np.int32))
    model = Classifier(layer).initialise(x, seed=0)
    optimiser = optim.Adam(model, lr=0.05)
    step = value_and_grad(lambda: cross_entropy(model(x), y), model)

    def descend() -> Any:
        loss, gradients = step()
        optimiser.update(gradients)
        return loss

    update = compiled(descend, [*model.variables().values(), *optimiser.slots.values()])
    losses = [float(xp.to_numpy(update())) for _ in range(60)]
    return model, losses[0], losses[-1]


@limited("bfloat16")
def test_a_network_trains_in_mixed_precision(backend: Backend) -> None:
    """Parameters of the default float and activations of bfloat16 learn what float learns."""
    model, before, after = train(Narrow)
    _, _, wide = train(nn.Linear)
    assert before > 0.5
    assert after < 0.1
    assert abs(after - wide) < 0.02
    assert model.hidden(xp.zeros((1, 2))).dtype == xp.bfloat16
    assert {value.dtype.name for value in model.state_dict().values()} == {"float32"}
    assert float(np.sum(xp.to_numpy(softmax(model(xp.zeros((1, 2))))))) == pytest.approx(1.0)
