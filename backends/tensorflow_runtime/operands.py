"""Operands that eager calls share and graphs hold as constants."""

import functools

import numpy as np
from d2l_backends.tensorflow_runtime.importing import tf


@functools.lru_cache(4096)
def _host_vector(values):
    with tf.device("cpu"):
        return tf.constant(values, tf.int32, shape=(len(values),))


def vector(values):
    """Integers as the operand for a shape, axes or an order; eager calls share one tensor of them."""
    return _host_vector(tuple(values)) if tf.executing_eagerly() else np.array(values, np.int32)
