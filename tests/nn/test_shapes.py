"""The pass in which a model learns its shapes: done without values where the backend can, and never noticed."""

import numpy as np
import pytest

from d2l_core import nn, random, xp
from d2l_core.composites import rehearse

INPUTS = random.normal((4, 3), "inputs")


def inputs():
    return xp.asarray(INPUTS, dtype=xp.float_dtype())


class Asking(nn.Module):
    """Looks at a value: the second layer is there for positive sums only."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(2), []

    def forward(self, x):
        self.calls.append(x.shape)
        x = x if float(xp.sum(x)) > 1e9 else -x
        return self.layer(x)


class Keeping(nn.Module):
    """Keeps what it saw, as a tensor and in a list."""

    def __init__(self):
        super().__init__()
        self.layer, self.last, self.all = nn.Linear(2), None, []

    def forward(self, x):
        self.last = self.layer(x)
        self.all.append(self.last)
        return self.last


class Counting(nn.Module):
    """Writes into a variable even in evaluation."""

    def __init__(self):
        super().__init__()
        self.layer, self.total = nn.Linear(2), nn.Buffer(np.zeros(3))

    def forward(self, x):
        self.total = self.total + xp.sum(x, axis=0)
        return self.layer(x)


class Centred(nn.Module):
    """A parameter made of the first inputs."""

    def build(self, x):
        self.mean = nn.Parameter(xp.mean(x, axis=0))

    def forward(self, x):
        return x - self.mean


def test_a_model_that_asks_for_values(backend):
    model = Asking().initialise(inputs(), seed=1)
    assert model.calls == [(4, 3)]
    drawn = nn.initialisers.XavierUniform()((2, 3), ("init", "layer.weight", 1))
    np.testing.assert_allclose(model.state_dict()["layer.weight"], drawn, rtol=1e-6)


def test_tensors_that_are_kept_have_values(backend):
    model = Keeping().initialise(inputs(), seed=1)
    expected = xp.to_numpy(model.layer(inputs()))
    np.testing.assert_array_equal(xp.to_numpy(model.last), expected)
    assert len(model.all) == 1
    np.testing.assert_array_equal(xp.to_numpy(model.all[0]), expected)


def test_what_is_written_is_written_once(backend):
    model = Counting().initialise(inputs(), seed=1)
    np.testing.assert_allclose(xp.to_numpy(model.total), INPUTS.sum(axis=0), rtol=1e-5)


def test_a_parameter_made_of_the_first_inputs(backend):
    model = Centred().initialise(inputs(), seed=1)
    np.testing.assert_allclose(xp.to_numpy(model.mean), INPUTS.mean(axis=0), rtol=1e-5)


def test_an_initialiser_that_fails_ends_the_pass_at_its_layer(backend):
    model = nn.Sequential(nn.Linear(2, weight_init=lambda shape, key: np.zeros(5)), nn.Linear(2))
    with pytest.raises(ValueError, match="for a variable of shape"):
        model.initialise(inputs())
    assert set(model.variables()) == {"0.weight", "0.bias"}


def test_a_rehearsal_passes_shapes_and_dtypes(backend):
    seen = []
    rehearse(lambda given: seen.append((given[0].shape, given[0].dtype, given[1].shape)), [inputs(), xp.ones(())])
    ((shape, dtype, other),) = seen
    assert (tuple(shape), tuple(other)) == ((4, 3), ())
    assert dtype == xp.float_dtype()


def test_a_rehearsal_has_values_only_where_the_backend_computes(backend):
    seen = []

    def looks(given):
        seen.append(float(given[0]))

    if "rehearse" in backend.overrides:
        with pytest.raises(Exception, match=r"[Cc]oncrete|looks at numbers"):
            rehearse(looks, [xp.ones(())])
    else:
        rehearse(looks, [xp.ones(())])
    assert seen == ([] if "rehearse" in backend.overrides else [1.0])
