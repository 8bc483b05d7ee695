"""LeNet and batch normalisation: what the starred exercises ask for, and the checks of an answer."""

import numpy as np

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.nn.functional import conv
from d2l_core.random import normal


def input_gradient(G, K):
    """Gradient of the input (n, c, h, w), from that of the output G (n, o, h', w') and the kernels K (o, c, k, k)."""
    raise NotImplementedError


def check_input_gradient_value(candidate):
    """Raise AssertionError with a hint unless `candidate` goes back through a convolution."""
    for n, c, o, k in ((1, 1, 1, 2), (2, 3, 4, 3)):
        X, K = (xp.asarray(normal(shape, "input gradient", c)) for shape in ((n, c, 7, 6), (o, c, k, k)))
        G = xp.asarray(normal((n, o, 8 - k, 7 - k), "G", c))
        _, expected = value_and_grad(lambda X, K=K, G=G: xp.sum(G * conv(X, K)))(X)
        found = candidate(G, K)
        assert tuple(found.shape) == (n, c, 7, 6), (
            f"For an input of shape {(n, c, 7, 6)} the gradient has shape {tuple(found.shape)}; "
            "the input is wider than the output by k - 1, and has the kernels' second axis as channels."
        )
        assert np.allclose(xp.to_numpy(found), xp.to_numpy(expected), rtol=1e-4, atol=1e-4), (
            f"The shape is right but the numbers are not, for c = {c}, o = {o} and k = {k}; "
            "did you turn the kernel by 180 degrees, and sum over the output channels?"
        )


def fold(weight, bias, norm):
    """Kernels (o, c, k, k) and bias (o,) that do the work of a convolution and of the normalisation after it."""
    raise NotImplementedError


def check_fold_value(candidate):
    """Raise AssertionError with a hint unless `candidate` merges a normalisation into a convolution."""
    X = xp.asarray(1.0 + normal((4, 3, 8, 8), "fold"))
    model = nn.Sequential(nn.Conv2d(5, 3), nn.BatchNorm(eps=0.1)).initialise(X, seed=0)
    state = {path: 1.0 + 0.5 * normal(array.shape, "fold", path) for path, array in model.state_dict().items()}
    state["1.running_var"] = np.exp(state["1.running_var"])
    model.load_state_dict(state)
    expected = model.evaluate()(X)
    weight, bias = candidate(model[0].weight, model[0].bias, model[1])
    assert tuple(weight.shape) == (5, 3, 3, 3), f"The kernels have shape {tuple(weight.shape)} instead of (5, 3, 3, 3)."
    assert tuple(bias.shape) == (5,), f"The bias has shape {tuple(bias.shape)} instead of (5,)."
    gap = float(np.max(np.abs(xp.to_numpy(conv(X, weight, bias)) - xp.to_numpy(expected))))
    assert gap < 1e-3, (
        f"The merged convolution differs by {gap:.3g} from the two layers; "
        "are gamma, beta, eps, the running mean and the old bias all in it?"
    )
