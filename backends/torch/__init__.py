"""PyTorch: gradients from its tape, steps recorded and replayed; on NVIDIA cards, the CPU and Apple's GPU."""

from d2l_core.backend import Adapter

adapter = Adapter(
    name="torch",
    title="PyTorch",
    package=__name__,
    requires=("torch", "array_api_compat"),
    distribution="torch",
    install='pip install "d2l-core[torch]"',
    priority=10,
    compilers=("inductor",),
    limits={
        "native Yogi": "PyTorch has no Yogi of its own.",
        "native Lion": "PyTorch has no Lion of its own.",
    },
)
