"""Each fault of MXNet 1.9.1 that the adapter walks around: a test fails here when the detour can go."""

import numpy
import pytest

from d2l_core.backend import adapters

if adapters()["mxnet"].missing():
    pytest.skip("MXNet is not installed.", allow_module_level=True)

from .arrays import from_host, mx, np, npx


def gradient(f, *arrays):
    """Gradients of the sum of the elements of f."""
    tensors = [from_host(numpy.asarray(a)) for a in arrays]
    for x in tensors:
        x.attach_grad()
    with mx.autograd.record():
        y = f(*tensors)
    y.backward()
    return [x.grad.asnumpy() for x in tensors]


X = numpy.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])


def test_gradient_of_var_is_zero() -> None:
    """Then `var` and `std` can be MXNet's own."""
    assert not gradient(np.var, X)[0].any()


def test_gradient_of_where_with_a_scalar_goes_to_the_other_branch() -> None:
    """Then scalars may be passed to `where`."""
    grad = gradient(lambda x: np.where(x > 0, x, 0.0), X)[0]
    numpy.testing.assert_array_equal(grad, X <= 0)


def test_gradient_of_matmul_with_both_sides_broadcast_is_wrong() -> None:
    """Then `matmul` needs no `broadcast_to`."""
    a, b = numpy.ones((2, 1, 3, 4)), numpy.arange(80.0).reshape(1, 4, 4, 5)
    expected = numpy.broadcast_to(b.sum(axis=(0, 1, 3)), a.shape)
    assert not numpy.allclose(gradient(np.matmul, a, b)[0], expected)


def test_gradient_of_prod_at_zero_is_nan() -> None:
    """Then `prod` can be MXNet's own."""
    assert numpy.isnan(gradient(np.prod, numpy.array([0.0, 2.0]))[0][0])


def test_gradient_of_power_zero_at_zero_is_nan() -> None:
    """Then `pow` needs no case for the exponent 0."""
    assert numpy.isnan(gradient(lambda x: x**0, numpy.zeros(1))[0][0])


def test_sum_with_an_infinity_is_nan() -> None:
    """Then the sum may be MXNet's own, if it has become as fast as a product with ones."""
    rows = from_host(numpy.array([[numpy.inf, 1.0, 2.0], [numpy.inf] * 3]))
    assert numpy.isnan(np.sum(rows, 1).asnumpy()).all()


def test_sum_of_a_length_zero_axis_fails() -> None:
    """Then `sum` needs no case for empty tensors."""
    np.sum(np.zeros((2, 0, 3)), 0)
    with pytest.raises(mx.MXNetError):
        mx.nd.waitall()


def test_fully_connected_fails_without_rows() -> None:
    """Then `linear` needs no case for empty tensors."""
    npx.fully_connected(np.zeros((0, 5)), np.ones((3, 5)), num_hidden=3, no_bias=True, flatten=False)
    with pytest.raises(mx.MXNetError):
        mx.nd.waitall()


def test_clip_rounds_its_limits_to_float32() -> None:
    """Then `clip` can be MXNet's own."""
    assert np.clip(from_host(numpy.zeros(1)), 0.1, 1.0).asnumpy()[0] != 0.1


def test_around_loses_the_sign_of_zero() -> None:
    """Then `round` can be `mx.np.around`."""
    assert not numpy.signbit(np.around(from_host(numpy.array([-0.5]))).asnumpy()[0])


def test_booleans_cannot_be_transposed() -> None:
    """Then `permute_dims` needs no case for them."""
    with pytest.raises(mx.MXNetError):
        np.transpose(from_host(numpy.ones((2, 3), numpy.bool_))).asnumpy()


def test_booleans_have_no_broadcast_and() -> None:
    """Then `logical_and` and `logical_or` can be operators."""
    with pytest.raises(mx.MXNetError):
        (from_host(numpy.ones((2, 3), numpy.bool_)) & from_host(numpy.ones(3, numpy.bool_))).asnumpy()


def test_cumsum_takes_no_negative_axis() -> None:
    """Then `cumulative_sum` may pass its axis on."""
    with pytest.raises(mx.MXNetError):
        np.cumsum(from_host(X), -1).asnumpy()


def test_argsort_is_not_stable() -> None:
    """Then sorting need not go through the host."""
    ties = numpy.arange(200) % 3
    order = np.argsort(from_host(ties.astype(numpy.float32))).asnumpy()
    assert (order != numpy.argsort(ties, kind="stable")).any()


def test_argmax_counts_in_float32() -> None:
    """Then `argmax` and `argmin` need not go through the host."""
    x = numpy.zeros(2**24 + 3, numpy.float32)
    x[2**24 + 1] = 1
    assert int(np.argmax(from_host(x)).asnumpy()) != 2**24 + 1


def test_log_softmax_in_float32_is_inexact() -> None:
    """Then `log_softmax` needs no temperature."""
    x = numpy.random.default_rng(0).normal(size=(128, 10))
    exact = x - numpy.log(numpy.exp(x).sum(-1, keepdims=True))
    error = numpy.abs(npx.log_softmax(from_host(x.astype(numpy.float32))).asnumpy() - exact).max()
    assert error > 2 * numpy.finfo(numpy.float32).eps * numpy.abs(exact).max()


def second_derivative() -> float:
    """Of a cube, by MXNet's own means."""
    x = from_host(numpy.ones(1))
    x.attach_grad()
    with mx.autograd.record():
        (first,) = mx.autograd.grad((x * x * x).sum(), [x], create_graph=True, retain_graph=True)
    first.backward()
    return float(x.grad.asnumpy()[0])


def test_second_derivatives_are_missing() -> None:
    """Then `differentiate` may be nested."""
    with pytest.raises(mx.MXNetError):
        second_derivative()
