"""JAX as a backend: only its description, so that this can be read where JAX is not installed."""

from d2l_core.backend import Adapter

adapter = Adapter(
    name="jax",
    title="JAX",
    package=__name__,
    requires=("jax", "flax", "optax"),
    distribution="jax",
    install='pip install "d2l-core[jax]"',
    priority=20,
    limits={"native Adagrad": "Optax's Adagrad adds epsilon under the root."},
)
