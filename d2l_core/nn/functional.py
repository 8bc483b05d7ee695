"""Network functions without state, running on the active backend."""

from d2l_core.composites import (
    batch_norm_infer,
    batch_norm_train,
    cross_entropy,
    dropout,
    embedding,
    linear,
    log_softmax,
    one_hot,
    relu,
    rnn_tanh,
    sigmoid,
    softmax,
)
from d2l_core.interface import avg_pool, conv, max_pool, random_uniform
from d2l_core.nn._losses import accuracy, squared_error

__all__ = [
    "accuracy",
    "avg_pool",
    "batch_norm_infer",
    "batch_norm_train",
    "conv",
    "cross_entropy",
    "dropout",
    "embedding",
    "linear",
    "log_softmax",
    "max_pool",
    "one_hot",
    "random_uniform",
    "relu",
    "rnn_tanh",
    "sigmoid",
    "softmax",
    "squared_error",
]
