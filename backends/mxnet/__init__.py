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
        "bfloat16": "MXNet has no bfloat16; choose a backend that has it, such as torch, or compute in float32.",
        "float64 native optimisers": "MXNet's fused optimisers take their settings as float32.",
        "native Adagrad": "MXNet's AdaGrad keeps its state in float32.",
        "native Adagrad without epsilon": "MXNet's AdaGrad keeps its state in float32.",
        "native RMSprop": "MXNet's RMSProp keeps its state in float32.",
        "native RMSprop without epsilon": "MXNet's RMSProp keeps its state in float32.",
        "native RMSprop centred": "MXNet's RMSProp keeps its state in float32.",
        "native Adadelta": "MXNet's AdaDelta keeps its state in float32.",
        "native AdamW": "MXNet has no AdamW among its optimisers.",
        "native Yogi": "MXNet has no Yogi of its own.",
        "native Lion": "MXNet has no Lion of its own.",
    },
)
