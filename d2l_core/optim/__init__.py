"""Optimisers, clipping and schedules."""

from d2l_core.optim import schedules
from d2l_core.optim._clipping import clip_by_norm, clip_by_value
from d2l_core.optim._optimiser import Group, Optimiser, OptimiserFactory, biases_and_norms
from d2l_core.optim._optimisers import SGD, Adadelta, Adagrad, Adam, AdamW, Lion, RMSprop, Yogi

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Group",
    "Lion",
    "Optimiser",
    "OptimiserFactory",
    "RMSprop",
    "Yogi",
    "biases_and_norms",
    "clip_by_norm",
    "clip_by_value",
    "schedules",
]
