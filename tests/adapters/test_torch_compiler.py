"""Compiled steps handed to PyTorch's compiler: the same numbers but for rounding, and the same bits however cut."""

import numpy as np
import pytest

from d2l_core import nn, optim, xp
from d2l_core.autodiff import compiled, compiled_steps, value_and_grad
from d2l_core.backend import current, use_backend
from d2l_core.errors import BackendError, UsageError
from d2l_core.nn.functional import squared_error

STEPS = 6


def trained(compiler, cuts):
    """The losses of a line that is found by Adam, with a mask that is drawn anew in each step."""
    with use_backend("torch", precision=32, device="cpu", compiler=compiler):
        model = nn.Sequential(nn.Dropout(0.2), nn.Linear(1))
        rows = xp.asarray(np.linspace(-1.0, 1.0, STEPS * 8).reshape(STEPS, 8, 1))
        model.initialise(rows[0], seed=0).train()
        optimiser = optim.Adam(model, 0.1)
        gradient_of = value_and_grad(lambda x: squared_error(model(x), 3.0 * x - 1.0), model)

        def step(x):
            value, gradients = gradient_of(x)
            optimiser.update(gradients)
            return value

        run = compiled_steps(step, [*model.variables().values(), *optimiser.slots.values()])
        return np.concatenate([run(rows, *ends) for ends in zip([0, *cuts], [*cuts, STEPS], strict=True)])


def test_the_compiler_computes_the_same():
    """The first step too is its own, so that a run may be taken up again anywhere."""
    plain, first, second = trained(None, [1]), trained("inductor", [1]), trained("inductor", [2, 3])
    np.testing.assert_allclose(first, plain, rtol=1e-5)
    assert first.tolist() == second.tolist()


def test_a_compiler_that_fails_says_so(monkeypatch):
    """It was asked for, so nothing else runs in its place."""
    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", lambda *args, **kwargs: 1 / 0)
    with use_backend("torch", compiler="inductor"):
        step = compiled(lambda x: x * 2.0, [])
        with pytest.raises(BackendError, match="PyTorch's compiler 'inductor' fails"):
            step(xp.ones((3,)))


def test_the_choice_of_a_compiler(monkeypatch):
    """By the environment or by word; a wrong one is named with those that there are."""
    with (
        pytest.raises(UsageError, match=r"torch has no compiler 'other'; choose one of: inductor\."),
        use_backend("torch", compiler="other"),
    ):
        pass
    monkeypatch.setenv("D2L_COMPILER", "inductor")
    with use_backend("torch"):
        assert current().compiler == "inductor"
