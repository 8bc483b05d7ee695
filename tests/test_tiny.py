"""The whole engine in one page: data, model, gradient, step. Read this file first."""

import numpy as np

from d2l_core import nn, optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.nn.functional import squared_error


def test_a_line_is_found(backend):
    X = xp.asarray(np.linspace(-1.0, 1.0, 20)[:, None])
    y = 3.0 * X - 1.0
    model = nn.Linear(1).initialise(X, seed=0)
    optimiser = optim.SGD(model, lr=0.3)
    step = value_and_grad(lambda X, y: squared_error(model(X), y), model)
    for _ in range(100):
        loss, gradients = step(X, y)
        optimiser.update(gradients)
    assert float(xp.to_numpy(loss)) < 1e-6
    np.testing.assert_allclose(xp.to_numpy(model.weight), [[3.0]], atol=1e-3)
    np.testing.assert_allclose(xp.to_numpy(model.bias), [-1.0], atol=1e-3)
