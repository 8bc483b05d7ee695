"""Each fault of MXNet 1.9.1 that the adapter walks around: a test fails here when the detour can go."""

import subprocess
import sys

import numpy
import pytest

from d2l_core.backend import adapters

if adapters()["mxnet"].missing():
    pytest.skip("MXNet is not installed.", allow_module_level=True)

from d2l_backends.mxnet.arrays import from_host, mx, np, npx

optimizer = mx.optimizer


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


def test_fused_batch_norm_adds_up_one_element_after_the_other() -> None:
    """Then `batch_norm_train` can be MXNet's own: its statistics would not be worse than those of pairwise sums."""
    x = numpy.random.default_rng(0).normal(size=(128, 1, 28, 28)).astype("float32")
    ones, zeros = from_host(numpy.ones(1, "float32")), from_host(numpy.zeros(1, "float32"))
    with mx.autograd.train_mode():
        y, _, _ = npx.batch_norm(
            from_host(x), ones, zeros, zeros, ones, eps=1e-5, fix_gamma=False, output_mean_var=True
        )
    exact = x.astype("float64")
    expected = (exact - exact.mean()) / numpy.sqrt(exact.var() + 1e-5)
    error = numpy.max(numpy.abs(y.asnumpy() - expected)) / numpy.max(numpy.abs(expected))
    assert error > 20 * numpy.finfo("float32").eps


def test_fused_layer_norm_is_that_of_float32_in_float64() -> None:
    """Then `layer_norm` can be MXNet's own in float64 too."""
    x = numpy.random.default_rng(0).normal(size=(4, 64))
    ones, zeros = from_host(numpy.ones(64)), from_host(numpy.zeros(64))
    y = npx.layer_norm(from_host(x), ones, zeros, axis=-1, eps=1e-5).asnumpy()
    expected = (x - x.mean(-1, keepdims=True)) / numpy.sqrt(x.var(-1, keepdims=True) + 1e-5)
    assert numpy.max(numpy.abs(y - expected)) > 50 * numpy.finfo("float64").eps


def test_fused_layer_norm_adds_up_one_element_after_the_other() -> None:
    """Then `layer_norm` can be MXNet's own for rows of any length."""
    x = numpy.random.default_rng(0).normal(3.0, 1.0, size=(4, 100_000)).astype("float32")
    ones, zeros = (from_host(make(100_000, "float32")) for make in (numpy.ones, numpy.zeros))
    y = npx.layer_norm(from_host(x), ones, zeros, axis=-1, eps=1e-5).asnumpy()
    exact = x.astype("float64")
    expected = (exact - exact.mean(-1, keepdims=True)) / numpy.sqrt(exact.var(-1, keepdims=True) + 1e-5)
    assert numpy.max(numpy.abs(y - expected)) > 50 * numpy.finfo("float32").eps


def test_fully_connected_gives_the_bias_no_gradient_where_the_weight_has_none() -> None:
    """Then `linear` may leave the bias to it always."""
    x, weight, bias = (from_host(numpy.ones(shape, "float32")) for shape in ((4, 5), (3, 5), (3,)))
    bias.attach_grad()
    with mx.autograd.record():
        y = npx.fully_connected(x, weight, bias, num_hidden=3, flatten=False)
    y.backward()
    assert not bias.grad.asnumpy().any()


def test_slope_of_erf_is_rounded_to_float32() -> None:
    """Then `erf` can be MXNet's own."""
    grad = gradient(npx.erf, numpy.zeros(1))[0]
    assert abs(grad[0] - 2.0 / numpy.sqrt(numpy.pi)) > 1e-10


def test_booleans_have_no_bitwise_functions() -> None:
    """Then `bitwise_and`, `bitwise_or` and `bitwise_xor` can be MXNet's own."""
    with pytest.raises(mx.MXNetError):
        np.bitwise_and(from_host(numpy.ones((2, 3), numpy.bool_)), from_host(numpy.ones(3, numpy.bool_))).asnumpy()


def test_signbit_of_a_scalar_is_no_tensor() -> None:
    """Then `signbit` can be MXNet's own."""
    assert not isinstance(np.signbit(from_host(numpy.array(-1.0))), np.ndarray)


def test_gradient_of_arctan2_of_a_number_is_wrong() -> None:
    """Then `atan2` can be MXNet's own."""
    grad = gradient(lambda x: np.arctan2(1.75, x), X)[0]
    assert not numpy.allclose(grad, -1.75 / (1.75**2 + X**2))


def test_gradient_of_eigh_is_zero() -> None:
    """Then `symmetric_eigen` can be MXNet's own."""
    assert not gradient(lambda x: np.linalg.eigh(x)[0], numpy.diag([1.0, 2.0]))[0].any()


def test_svd_takes_no_high_matrices() -> None:
    """Then `reduced_svd` need not transpose."""
    with pytest.raises(mx.MXNetError):
        np.linalg.svd(from_host(X.T))[0].asnumpy()


CRASH = """
from d2l_backends.mxnet.arrays import np
np.where(np.zeros((2, 0)) > 0, np.zeros((2, 0)), np.zeros((1, 1))).asnumpy()
"""


def test_where_of_nothing_ends_the_process() -> None:
    """Then `where` needs no case for empty tensors."""
    assert subprocess.run([sys.executable, "-c", CRASH], capture_output=True, check=False).returncode < 0


@pytest.mark.parametrize("kind", [optimizer.AdaGrad, optimizer.RMSProp, optimizer.AdaDelta])
def test_optimisers_keep_their_state_in_float32(kind: type) -> None:
    """Then `native_optimiser` can build it, and its limits in the adapter go."""
    state = kind().create_state(0, from_host(numpy.zeros(2, numpy.float64)).as_nd_ndarray())
    assert (state[0] if isinstance(state, tuple) else state).dtype == numpy.float32


def test_nag_keeps_weight_decay_out_of_the_momentum() -> None:
    """Then `native_optimiser` need not add the decay to the gradient."""
    with mx.util.np_array(True):
        updater = optimizer.get_updater(optimizer.NAG(learning_rate=0.1, momentum=0.9, wd=0.5))
        weight = from_host(numpy.array([1.0]))
        for _ in range(2):
            updater(0, from_host(numpy.array([0.3])), weight)
    assert weight.asnumpy()[0] == pytest.approx(0.6518, abs=1e-5)  # 0.64564 by the formula


def test_sign_of_nan_is_zero() -> None:
    """Then `sign` can be MXNet's own."""
    assert np.sign(from_host(numpy.array([numpy.nan]))).asnumpy()[0] == 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.flip(x, 0),
        lambda x: np.roll(x, 1, 0),
        lambda x: np.swapaxes(x, 0, 1),
        lambda x: npx.pick(x, np.zeros((2, 1)), axis=1, keepdims=True),
    ],
    ids=["flip", "roll", "swapaxes", "pick"],
)
def test_booleans_do_not_move(function) -> None:
    """Then `_moves_bytes` need not stand before that function."""
    with pytest.raises(mx.MXNetError, match="type enum"):
        function(from_host(numpy.ones((2, 2), bool))).asnumpy()


def test_products_of_integers_fail() -> None:
    """Then `matmul` and `tensordot` need no case for them."""
    whole = from_host(numpy.ones((2, 2), numpy.int32))
    with pytest.raises(mx.MXNetError):
        np.matmul(whole, whole).asnumpy()
    with pytest.raises(mx.MXNetError):
        np.tensordot(whole, whole, 1).asnumpy()


def test_repeat_of_nothing_loses_its_axes() -> None:
    """Then `repeat` needs no case for no repetitions."""
    assert np.repeat(np.ones((2, 2)), 0, 0).shape == (0,)


def test_largest_of_no_rows_has_no_gradient() -> None:
    """Then `max` and `min` need no `_extreme`."""
    gradient(lambda x: np.max(x, 1), numpy.zeros((0, 2)))
    with pytest.raises(mx.MXNetError):
        mx.nd.waitall()


def test_determinant_of_nothing_is_not_computed() -> None:
    """Then `log_determinant` needs no `_or_nothing`.

    The answer is whatever the memory held, by chance even ones; 64 MiB come
    fresh from the system, which hands out zeros.
    """
    sign, _ = np.linalg.slogdet(np.zeros((1 << 24, 0, 0)))
    assert not (sign.asnumpy() == 1).all()


def test_decomposition_of_no_matrices_fails() -> None:
    """Then `solve_columns` and `reduced_qr` need no `_or_nothing`."""
    empty = numpy.zeros((0, 2, 2))
    gradient(np.linalg.solve, empty, empty)
    with pytest.raises(mx.MXNetError):
        mx.nd.waitall()
    mx.nd.linalg.gelqf(from_host(empty).as_nd_ndarray())[0].asnumpy()
    with pytest.raises(mx.MXNetError):
        mx.nd.waitall()


def test_integers_are_computed_in_floats() -> None:
    """Then `abs`, `square`, `pow`, `modulo`, `maximum` and `minimum` need no `_exact`."""
    odd = 2**53 + 1
    large, root = from_host(numpy.array([odd])), from_host(numpy.array([4097], numpy.int32))
    assert int(np.abs(large).asnumpy()[0]) != odd
    assert int(np.square(root).asnumpy()[0]) != 4097**2
    assert int((root**2).asnumpy()[0]) != 4097**2
    assert int((large % 2).asnumpy()[0]) != 1
    assert int(np.minimum(large, odd).asnumpy()[0]) != odd
    assert int(np.maximum(-large, -odd).asnumpy()[0]) != -odd


def test_graphs_give_memory_away_that_a_sum_still_needs():
    """When mended: `_quicker` in mxnet_runtime/recording need not look at what has gradients, `_without_broadcasting`
    can be called for all calls."""
    tensors = {"x": mx.nd.array(numpy.linspace(-1.0, 1.0, 8)), "c": mx.nd.ones(8), "t": mx.nd.arange(8)}

    def slope(add):
        square = mx.sym.square(mx.sym.var("x"))
        grown = mx.sym.exp(add(square, mx.sym.var("c"))) * mx.sym.sin(square)
        total = mx.sym.sum(grown * mx.sym.var("t"))
        run = mx.nd.CachedOp(total, (("static_alloc", True), ("static_shape", True)))
        x, gradient = tensors["x"].detach(), mx.nd.zeros(8)
        mx.autograd.mark_variables([x], [gradient])
        with mx.autograd.record():
            value = run(*[x if name == "x" else tensors[name] for name in total.list_inputs()])
        value.backward()
        return gradient.asnumpy()

    right, wrong = slope(mx.sym.broadcast_add), slope(mx.sym.elemwise_add)
    assert numpy.abs(right - wrong).max() > 1.0
