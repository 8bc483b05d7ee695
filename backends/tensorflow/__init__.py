"""TensorFlow."""

from d2l_core.backend import Adapter

adapter = Adapter(
    name="tensorflow",
    title="TensorFlow",
    package=__name__,
    requires=("tensorflow",),
    distribution="tensorflow",
    install='pip install "d2l-core[tensorflow]"',
    priority=30,
    limits={
        "float64 layer MaxPool3d": "TensorFlow has no max pooling of volumes in float64 of its own.",
        "native Adagrad": "Keras' Adagrad adds epsilon under the root.",
        "native RMSprop": "Keras' RMSprop adds epsilon under the root.",
        "native RMSprop centred": "Keras' RMSprop adds epsilon under the root.",
        "native Yogi": "Keras has no Yogi of its own.",
    },
)
