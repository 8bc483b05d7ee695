"""Defects that the adapter works around: a test fails once its defect is mended, and says what to drop."""

import numpy as np
import pytest
from d2l_backends.tensorflow_runtime.importing import tf


def test_dilated_convolution_has_no_gradient_on_the_cpu() -> None:
    """When this fails, give `conv` its dilation as an attribute and drop `_dilated` in network.py.

    (oneDNN has one for float32 without explicit padding.)
    """
    with tf.device("cpu"):
        x, kernel = tf.ones((1, 5, 5, 1), tf.float64), tf.ones((2, 2, 1, 1), tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.raw_ops.Conv2D(input=x, filter=kernel, strides=[1] * 4, padding="VALID", dilations=[1, 2, 2, 1])
        with pytest.raises(tf.errors.InvalidArgumentError, match="dilation rates larger than 1"):
            tape.gradient(y, x)


def test_grouped_convolution_has_no_gradient_on_the_cpu() -> None:
    """When this fails, drop the split by groups in `conv` in network.py."""
    with tf.device("cpu"):
        x, kernel = tf.ones((1, 5, 5, 4), tf.float64), tf.ones((2, 2, 2, 4), tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.raw_ops.Conv2D(input=x, filter=kernel, strides=[1] * 4, padding="VALID")
        with pytest.raises(tf.errors.InvalidArgumentError, match="match filter input depth"):
            tape.gradient(y, x)


@pytest.mark.parametrize("name", ["MaxPool3D", "AvgPool3D"])
def test_volumes_have_no_pooling_in_float64(name: str) -> None:
    """When this fails, pool volumes by these in `_pool` in network.py, and drop the limit and XLA from `native`."""
    pool = getattr(tf.raw_ops, name)
    with tf.device("cpu"), pytest.raises((tf.errors.OpError, TypeError)):
        pool(input=tf.ones((1, 2, 2, 2, 1), tf.float64), ksize=[1, 2, 2, 2, 1], strides=[1] * 5, padding="VALID")
    small = pool(input=tf.ones((1, 2, 2, 2, 1), tf.float32), ksize=[1, 2, 2, 2, 1], strides=[1] * 5, padding="VALID")
    assert small.numpy().ravel() == 1.0


def test_volumes_have_no_convolution_in_groups_on_the_cpu() -> None:
    """When this fails, the split by groups in `conv` in network.py may be for images alone."""
    x, kernel = tf.ones((1, 3, 3, 3, 4), tf.float64), tf.ones((2, 2, 2, 2, 4), tf.float64)
    with tf.device("cpu"), pytest.raises(tf.errors.InvalidArgumentError, match="Number of channels in filter"):
        tf.raw_ops.Conv3D(input=x, filter=kernel, strides=[1] * 5, padding="VALID")


def test_softmax_of_onednn_loses_nan() -> None:
    """When this fails, drop the shift in `softmax` in network.py.

    Without oneDNN (another processor, or ``TF_ENABLE_ONEDNN_OPTS=0``) every element is NaN, as it should be.
    """
    from tensorflow.python.util import _pywrap_util_port

    with tf.device("cpu"):
        y = tf.nn.softmax(tf.constant([[np.nan, 1.0, 2.0]], tf.float32)).numpy()
    assert bool(np.isnan(y).all()) is not bool(_pywrap_util_port.IsMklEnabled())


def test_graph_optimiser_replaces_division_by_multiplication() -> None:
    """When this fails, make `divide` in arrays.py plain `_binary(_raw.RealDiv)`."""
    x = np.arange(1, 1000, dtype=np.float32)
    quotient = tf.function(lambda t: t / 1.75, autograph=False)(tf.constant(x)).numpy()
    assert (quotient != x / np.float32(1.75)).any()


def test_float_range_adds_up_rounding_errors() -> None:
    """When this fails, `arange` in arrays.py may be `tf.range`."""
    values = tf.range(0.0, 1000.0, 0.1, tf.float32).numpy()
    assert not np.array_equal(values, np.arange(0.0, 1000.0, 0.1).astype(np.float32)[: len(values)])


def test_erf_of_infinity_is_nan() -> None:
    """When this fails, `erf` in arrays.py may be `tf.math.erf`."""
    assert np.isnan(tf.math.erf(tf.constant([np.inf], tf.float64)).numpy()).all()


def test_arithmetic_lacks_uint8() -> None:
    """When this fails, drop `_widened` in arrays.py for what has gained it."""
    x = tf.ones(2, tf.uint8)
    products = (lambda one: tf.matmul(one[None], one[:, None]), lambda one: tf.tensordot(one, one, 1))
    for function in (tf.abs, tf.negative, tf.sign, lambda one: tf.pow(one, one), *products):
        with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.NotFoundError, TypeError)):
            function(x)


def test_lookups_refuse_negative_indices() -> None:
    """When this fails, drop `_wrapped` in arrays.py."""
    with tf.device("cpu"), pytest.raises(tf.errors.InvalidArgumentError, match="not in"):
        tf.gather(tf.ones(3), tf.constant([-1]))


def test_a_shift_by_all_bits_leaves_something() -> None:
    """When this fails, drop `_shift` in arrays.py."""
    assert int(tf.bitwise.left_shift(tf.constant(1), tf.constant(32))) != 0
    of_bytes = tf.bitwise.right_shift(tf.constant(255, tf.uint8), tf.constant(8, tf.uint8))
    assert int(tf.cast(of_bytes, tf.int32)) != 0
