"""Gradients with respect to what a model is shown, not to its parameters: saliency maps and style transfer."""

import numpy as np

from d2l_core import nn, random, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.backend import current
from d2l_core.nn.functional import cross_entropy


def network():
    """Convolution, smooth activation, pooling, a class for each of three."""
    model = nn.Sequential(nn.Conv2d(4, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(3))
    return model.initialise(picture(), seed=0).evaluate()


def picture(name="content"):
    return xp.asarray(random.normal((1, 2, 6, 6), name))


def bits(model):
    return {path: array.tobytes() for path, array in model.state_dict().items()}


def agrees_with_differences(f, x, slope):
    """Along two random directions, by central differences."""
    step, accuracy = (1e-5, 1e-7) if current().precision == 64 else (1e-2, 5e-3)
    for i in range(2):
        v = random.normal(tuple(x.shape), "direction", i)
        ahead, behind = (float(xp.to_numpy(f(x + sign * step * xp.asarray(v)))) for sign in (1.0, -1.0))
        expected = np.vdot(v, xp.to_numpy(slope))
        assert abs((ahead - behind) / (2 * step) - expected) < accuracy * max(1.0, np.linalg.norm(xp.to_numpy(slope)))


def test_saliency(backend):
    """How the loss of the right class changes with each pixel (Simonyan, Vedaldi and Zisserman, 2014)."""
    model, x, label = network(), picture(), xp.asarray(np.array([1], np.int32))
    before = bits(model)

    def loss(x):
        return cross_entropy(model(x), label)

    both = compiled(value_and_grad(loss), list(model.variables().values()))
    value, slope = both(x)
    assert tuple(slope.shape) == (1, 2, 6, 6)
    assert np.all(np.abs(xp.to_numpy(slope)).sum(axis=1) > 0)
    agrees_with_differences(lambda x: both(x)[0], x, slope)
    assert float(xp.to_numpy(value)) == float(xp.to_numpy(both(x)[0]))
    assert bits(model) == before


def test_style_transfer(backend):
    """A picture that moves towards the Gram matrix of another one's features (Gatys, Ecker and Bethge, 2016)."""
    model = network()
    before = bits(model)
    features = nn.Sequential(model[0], model[1])

    def gram(x):
        rows = xp.reshape(features(x), (4, -1))
        return xp.matmul(rows, xp.matrix_transpose(rows)) / rows.shape[1]

    style = gram(picture("style"))
    both = compiled(
        value_and_grad(lambda x, style: xp.sum(xp.square(gram(x) - style))), list(model.variables().values())
    )
    x = picture()
    losses = []
    for step in range(40):
        value, slope = both(x, style)
        if step == 0:
            agrees_with_differences(lambda x: both(x, style)[0], x, slope)
        losses.append(float(xp.to_numpy(value)))
        x = x - 2.0 * slope
    assert tuple(x.shape) == (1, 2, 6, 6)
    assert losses[-1] < 0.1 * losses[0]
    assert bits(model) == before
