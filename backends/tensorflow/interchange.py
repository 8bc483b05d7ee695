"""Keras models that compute our modules, their weights on the way back, and shared memory."""

import functools

import numpy as np
from d2l_backends.tensorflow_runtime.importing import tf

from d2l_core._planting import planted
from d2l_core.errors import UsageError


@functools.cache
def _native_class():
    class NativeModule(tf.keras.Model):
        """Holds the variables under our paths and lends them to `call`."""

        def __init__(self, call, variables):
            super().__init__(autocast=False)
            self._run, self.built = call, True
            self.held = planted(self, variables, _child, _leaf)

        def call(self, *inputs, training=False, **options):
            values = {path: tf.convert_to_tensor(variable) for path, variable in self.held.items()}
            output, written = self._run(values, bool(training), inputs, options, None)
            for path, value in written.items():
                self.held[path].assign(value)
            return output

    return NativeModule


def _child(module, name):
    layer = tf.keras.layers.Layer(autocast=False, name=name)
    layer.built = True
    setattr(module, name, layer)
    return layer


def _leaf(module, name, kind, value):
    settings = {"name": name, "dtype": value.dtype.name, "trainable": kind == "parameter"}
    return module.add_weight(value.shape, initializer=lambda shape, dtype: value, **settings)


def native_module(call, variables, /):
    return _native_class()(call, variables)


def native_state(native, /):
    if isinstance(native, _native_class()):
        return {path: variable.numpy() for path, variable in native.held.items()}
    if not isinstance(native, tf.keras.layers.Layer):
        raise UsageError(f"A {type(native).__name__} is no Keras model or layer; give one.")
    layers = tf.keras.layers
    alone = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    marked = {id(layer.kernel) for layer in native._flatten_layers() if isinstance(layer, alone)}
    return {_path(native, w, "depthwise_" if id(w) in marked else ""): w.numpy() for w in native.weights}


def _path(native, weight, mark):
    """Under `native`; the kernel of a depthwise convolution, which looks like any other, has a mark before its name."""
    home, slash, name = weight.path.removeprefix(f"{native.name}/").rpartition("/")
    return (home + slash).replace("/", ".") + mark + name


def export_dlpack(x, /):
    return x


def import_dlpack(x, /):
    """TensorFlow takes memory of any alignment, which its kernels do not: then it is copied."""
    shared = tf.experimental.dlpack.from_dlpack(x.__dlpack__())
    aligned = "CPU" not in shared.device or np.asarray(memoryview(shared)).ctypes.data % 64 == 0
    return shared if aligned else tf.constant(shared.numpy())
