"""Devices, precision and the way to and from the host."""

import contextlib

import numpy as np
from d2l_backends.tensorflow_runtime.importing import tf

is_tensor = tf.is_tensor


def devices():
    """The visible GPUs, then the CPU; asking does not start TensorFlow's runtime."""
    gpus = tf.config.get_visible_devices("GPU")
    return (*(f"gpu:{i}" for i in range(len(gpus))), "cpu")


@contextlib.contextmanager
def _gpu_scope(device):
    """Operations on `device`; those on a GPU in full float32 and with reproducible sums."""
    from tensorflow.python.framework import (
        config,  # the public names can switch determinism on, not off again
    )

    exact = device == "cpu" or not tf.config.experimental.tensor_float_32_execution_enabled()
    steady = device == "cpu" or config.is_op_determinism_enabled()
    with tf.device(device), contextlib.ExitStack() as before:
        if not exact:
            tf.config.experimental.enable_tensor_float_32_execution(False)
            before.callback(tf.config.experimental.enable_tensor_float_32_execution, True)
        if not steady:
            tf.config.experimental.enable_op_determinism()
            before.callback(config.disable_op_determinism)
        yield


def scope(precision, device, /):
    """Placement on the device; precision needs nothing, since every dtype is given explicitly."""
    return _gpu_scope(device) if tf.config.get_visible_devices("GPU") else contextlib.nullcontext()


def to_numpy(x, /):
    array = np.asarray(x.numpy())
    return array.astype(np.float32) if x.dtype == tf.bfloat16 else array


def synchronise(tensors, /):
    """Wait until the tensors are computed: only a GPU runs behind."""
    if tf.config.get_visible_devices("GPU"):
        tf.test.experimental.sync_devices()
