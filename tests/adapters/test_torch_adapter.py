"""What is particular to this adapter; the rest is the conformance suite's."""

import numpy as np
import pytest
import torch
from d2l_backends.torch.network import _host_bits, card_bits
from d2l_backends.torch.system import scope
from torch.nn import functional

from d2l_core import composites
from d2l_core import interface as xp
from d2l_core.autodiff import checkpoint, custom_gradient, grad
from d2l_core.backend import use_backend
from d2l_core.errors import D2LError, UsageError


@pytest.mark.parametrize(("first", "second"), [(0, 0), (2**32 - 1, 2**31), (123456, 2**32 - 5)])
def test_bits_of_card_are_those_of_host(first, second):
    """The two ways to draw agree, past the end of a block and of 32 bits."""
    drawn = card_bits(50_000, first, second, "cpu").numpy()
    assert np.array_equal(drawn, _host_bits(50_000, first, second))


@pytest.mark.parametrize("p", [0.0, 0.1, 1 / 3, 0.5, 0.9, 2.0**-25, 5 * 2.0**-24])
@pytest.mark.parametrize("precision", [32, 64])
def test_dropout_is_the_composition(p, precision):
    """Comparing integers keeps the elements that comparing floats keeps."""
    with use_backend("torch", precision=precision, device="cpu"):
        x = torch.arange(1.0, 5001.0)
        assert torch.equal(composites.dropout(x, p, 7, 1), composites.dropout.__wrapped__(x, p, 7, 1))


def test_scope_restores_the_settings_of_the_user():
    """Afterwards PyTorch is as it was found."""
    torch.utils.deterministic.fill_uninitialized_memory, before = False, torch.get_default_dtype()
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        with scope(64, "cpu"):
            assert (torch.tensor([1]) * 0.5).dtype == torch.float64
            assert torch.are_deterministic_algorithms_enabled()
        assert torch.get_default_dtype() == before
        assert torch.are_deterministic_algorithms_enabled() == deterministic
        assert not torch.utils.deterministic.fill_uninitialized_memory
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = True


def test_apple_gpu_has_no_float64():
    """A sentence instead of an error deep in a lesson."""
    with pytest.raises(UsageError, match="no float64"), scope(64, "mps"):
        pass


def test_repeated_index_has_one_gradient():
    """Adding up many gradients of the same few elements gives the same bits each time."""
    with use_backend("torch", precision=32, device="cpu") as backend:
        x, indices = torch.randn(50, 8), torch.randint(0, 50, (20_000,))
        weights = torch.randn(20_000, 8)
        gradient = backend.differentiate(lambda inputs: ((inputs[0][indices] * weights).sum(), None))
        first = gradient([x])[1][0]
        for _ in range(5):
            assert torch.equal(gradient([x])[1][0], first)


def test_empty_scan_knows_the_shape_of_its_outputs():
    """No steps, no outputs, but of the right shape and with the first carry."""
    with use_backend("torch", device="cpu") as backend:
        carry = torch.zeros(3)
        last, outputs = backend.scan(lambda c, x: (c + x, {"y": c * x}), carry, torch.zeros(0, 3))
        assert last is carry
        assert outputs["y"].shape == (0, 3)
        with pytest.raises(ValueError, match="number of steps"):
            backend.scan(lambda c, x: (c, c), carry, None)


def test_a_checkpoint_keeps_no_intermediate_results():
    """Most bytes that are kept for the gradient at one time: of one part of four instead of all."""

    class Kept:
        now = most = 0

        def __init__(self, tensor):
            self.tensor = tensor
            Kept.now += tensor.nbytes
            Kept.most = max(Kept.most, Kept.now)

        def __del__(self):
            Kept.now -= self.tensor.nbytes

    def part(x):
        for _ in range(4):
            x = torch.tanh(torch.sin(x))
        return x

    def most(f):
        Kept.most = 0
        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
            grad(lambda x: torch.sum(f(f(f(f(x))))))(torch.ones(1000))
        return Kept.most

    with use_backend("torch", device="cpu"):
        plain, saved = most(part), most(checkpoint(part))
    assert plain == 32 * 4000
    assert saved <= 9 * 4000


def test_a_custom_gradient_holds_in_the_users_own_backward_pass():
    """Outside of `value_and_grad`, at first and second order."""

    @custom_gradient
    def f(x):
        e = torch.exp(x)
        return x * 1.0, lambda g: 3.0 * g * e

    with use_backend("torch", device="cpu"):
        x = torch.tensor([0.5, -1.0], requires_grad=True)
        (slope,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), x)
        repeated = checkpoint(lambda x: torch.exp(x))
        (first,) = torch.autograd.grad(repeated(x).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
    for tensor, factor in ((slope, 3.0), (curvature, 3.0), (first, 1.0), (second, 1.0)):
        assert torch.allclose(tensor, factor * torch.exp(x))


def _curvature(x, weights, window):
    """The sum of squares of pooled, weighted images: its gradient, and the gradient of that gradient's squares."""

    def value(x):
        pooled = xp.avg_pool(x, window)
        return (weights * pooled**2).sum()

    first = grad(value)
    return first(x), grad(lambda x: (first(x) ** 2).sum())(x)


@pytest.mark.parametrize(
    ("shape", "window"),
    [((4, 3, 80, 96), 2), ((4, 3, 80, 96), (2, 2)), ((64, 4, 512), 2), ((2, 4, 16, 24, 32), 2), ((4, 3, 81, 96), 2)],
)
def test_pooling_by_two_is_that_of_the_framework(shape, window):
    """Values, first and second derivatives, where the adapter adds slices and where it does not."""
    kernel = {3: functional.avg_pool1d, 4: functional.avg_pool2d, 5: functional.avg_pool3d}[len(shape)]
    with use_backend("torch", precision=64, device="cpu"):
        x = torch.randn(shape).requires_grad_()
        expected = kernel(x, window)
        weights = torch.randn(expected.shape)
        (slope,) = torch.autograd.grad((weights * expected**2).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad((slope**2).sum(), x)
        x = x.detach()
        np.testing.assert_allclose(xp.avg_pool(x, window), expected.detach(), atol=1e-14)
        for found, wanted in zip(_curvature(x, weights, window), (slope.detach(), second), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-14)


def test_a_window_that_does_not_fit_is_refused_by_large_images_too():
    """The quick way must not take what the framework refuses."""
    with use_backend("torch", device="cpu"), pytest.raises(D2LError):
        xp.avg_pool(torch.zeros(4, 3, 80, 96), (2, 2, 2))
