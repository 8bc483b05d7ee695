"""MXNet 1.9.1, the last release: eager, on its NumPy interface; on the CPU."""

from d2l_core.backend import Adapter

adapter = Adapter(
    name="mxnet",
    title="MXNet",
    package=__name__,
    requires=("mxnet", "requests", "graphviz"),
    distribution="mxnet",
    install="pip install requests graphviz && pip install --no-deps mxnet==1.9.1",
    priority=40,
    limits={
        "second derivatives": "MXNet 1.9.1 has no derivatives of its gradients; "
        "take second derivatives on another backend, such as numpy.",
        "float64 native optimisers": "MXNet's fused optimisers take their settings as float32.",
    },
)
