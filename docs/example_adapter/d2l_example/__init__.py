"""An example of an adapter: NumPy arrays of a class of their own, differentiated by the autograd package.

This module is the description; it is read without importing the framework. `docs/adapter.md` leads through the rest.
"""

from d2l_core.backend import Adapter

adapter = Adapter(
    name="example",
    title="Example",
    package=__name__,
    requires=("numpy", "autograd"),
    distribution="d2l-example",
    install="pip install ./docs/example_adapter",
    priority=900,
    limits={
        "bfloat16": "The example has no bfloat16; choose a backend that has it, or compute in float32.",
        "to_native": "The example has no modules of its own; use state_dict for the arrays.",
        **{
            f"native {case}": "The example has no optimisers of its own but SGD and Adam."
            for case in (
                *("Adagrad", "Adagrad without epsilon", "RMSprop", "RMSprop without epsilon", "RMSprop centred"),
                *("Adadelta", "AdamW", "Yogi", "Lion"),
            )
        },
    },
)
