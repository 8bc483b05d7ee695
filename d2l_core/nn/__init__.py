"""Modules, layers, losses and initial values, free of any framework."""

from d2l_core.nn import functional, initialisers
from d2l_core.nn._layers import (
    RNN,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Function,
    Linear,
    MaxPool2d,
    ModuleList,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)
from d2l_core.nn._module import Module, default_seed, probing, set_default_seed
from d2l_core.nn._variable import Buffer, Initialiser, Parameter, Variable

__all__ = [
    "RNN",
    "AvgPool2d",
    "BatchNorm",
    "Buffer",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "Function",
    "Initialiser",
    "Linear",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "Variable",
    "default_seed",
    "functional",
    "initialisers",
    "probing",
    "set_default_seed",
]
