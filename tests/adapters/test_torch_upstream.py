"""Where PyTorch departs from the contract; each test fails once that is mended, and says what can go."""

import numpy as np
import pytest
import torch


def test_sign_of_nan_is_zero():
    """When mended: `sign = torch.sign` in arrays."""
    assert torch.sign(torch.tensor(float("nan"))) == 0


def test_scalar_over_tensor_rounds_twice():
    """When mended: `divide = operator.truediv` in arrays."""
    x = torch.linspace(0.1, 3.0, 1000)
    exact = np.float32(1.75) / x.numpy()
    assert np.array_equal(torch.div(1.75, x).numpy(), exact)
    assert not np.array_equal((1.75 / x).numpy(), exact)


@pytest.mark.parametrize("reduce", [torch.sum, torch.mean, torch.amax, torch.amin])
def test_no_axes_mean_all_axes(reduce):
    """When mended: the lines `if axis == ()` in arrays."""
    assert reduce(torch.ones(2, 3), ()).shape == ()


@pytest.mark.parametrize("pool", [torch.max_pool2d, torch.nn.functional.avg_pool2d])
def test_pooling_refuses_wide_padding(pool):
    """When mended: `_exceeds_half` and `_frame` in network."""
    with pytest.raises(RuntimeError, match="at most half"):
        pool(torch.ones(1, 1, 4, 4), 3, 1, 2)


def test_batch_norm_has_no_gradient_of_given_statistics():
    """When mended: the branch in `batch_norm_infer` in network."""
    x, weight, bias = torch.randn(4, 3), torch.ones(3), torch.zeros(3)
    mean, var = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="not differentiable"):
        torch.batch_norm(x, weight, bias, mean, var, False, 0.0, 1e-5, False)


def test_unsigned_integers_cannot_shift():
    """When mended: `card_bits` in network can work in uint32 without masks."""
    with pytest.raises(NotImplementedError, match="UInt32"):
        torch.zeros(2, dtype=torch.uint32) >> 1


def test_arange_refuses_an_empty_range():
    """When mended: the line `stop = ...` of `arange` in arrays."""
    with pytest.raises(RuntimeError, match="inconsistent"):
        torch.arange(5, 1)


def test_volumes_of_bfloat16_have_no_average():
    """When mended: the branch for bfloat16 in `avg_pool` in network."""
    with pytest.raises(NotImplementedError, match="BFloat16"):
        torch.nn.functional.avg_pool3d(torch.ones(1, 1, 2, 2, 2, dtype=torch.bfloat16), 2)


def test_volumes_must_hold_the_window_without_their_padding():
    """When mended: `x.ndim == 5` in `avg_pool` in network."""
    assert torch.nn.functional.max_pool3d(torch.ones(1, 1, 1, 1, 1), (1, 1, 2), 1, (0, 0, 1)).shape[-1] == 2
    with pytest.raises(RuntimeError, match="smaller than"):
        torch.nn.functional.avg_pool3d(torch.ones(1, 1, 1, 1, 1), (1, 1, 2), 1, (0, 0, 1))


def test_lookups_refuse_negative_indices():
    """When mended: `_wrapped` in arrays."""
    back = torch.tensor([-1])
    for lookup in (
        lambda: torch.index_select(torch.ones(3), 0, back),
        lambda: torch.take_along_dim(torch.ones(3), back),
    ):
        with pytest.raises((IndexError, RuntimeError), match="out of"):
            lookup()
