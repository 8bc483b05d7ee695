"""NumPy, differentiated by the autograd package: the default without a framework, and the oracle of the others."""

from d2l_core.backend import Adapter

adapter = Adapter(
    name="numpy",
    title="NumPy",
    package=__name__,
    requires=("numpy", "autograd"),
    distribution="numpy",
    install="pip install d2l-core",
    priority=100,
    limits={
        "bfloat16": "NumPy has no bfloat16; choose a backend that has it, such as torch, or compute in float32.",
        "to_native": "NumPy has no modules of its own; use another backend, or state_dict for the arrays.",
        **{
            f"native {case}": "NumPy has no optimisers of its own."
            for case in (
                *("Adagrad", "Adagrad without epsilon", "RMSprop", "RMSprop without epsilon", "RMSprop centred"),
                *("Adadelta", "AdamW", "Yogi", "Lion"),
            )
        },
    },
)
