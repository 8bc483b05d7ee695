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
)
