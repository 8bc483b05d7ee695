"""Modules, layers, losses and initial values, free of any framework."""

from d2l_core.nn import functional, initialisers
from d2l_core.nn._attention import AdditiveAttention, MultiHeadAttention, PositionalEncoding
from d2l_core.nn._containers import Function, ModuleDict, ModuleList, Sequential
from d2l_core.nn._convolution import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    GlobalAvgPool,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from d2l_core.nn._flops import counts_flops
from d2l_core.nn._hooks import HookHandle
from d2l_core.nn._layers import (
    BatchNorm,
    Dropout,
    Embedding,
    Flatten,
    Linear,
    ReLU,
    Sigmoid,
    Tanh,
)
from d2l_core.nn._module import Module, default_seed, probing, set_default_seed
from d2l_core.nn._normalisation import GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from d2l_core.nn._recording import Activations, record_activations
from d2l_core.nn._recurrent import GRU, LSTM, RNN, Bidirectional, Stacked
from d2l_core.nn._state import StateMismatch
from d2l_core.nn._summary import Summary, SummaryRow, summary
from d2l_core.nn._variable import Buffer, Initialiser, Parameter, Variable
from d2l_core.nn._weights_file import read_weights, save_weights

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activations",
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AdditiveAttention",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm",
    "Bidirectional",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Dropout",
    "Embedding",
    "Flatten",
    "Function",
    "GlobalAvgPool",
    "GroupNorm",
    "HookHandle",
    "Initialiser",
    "InstanceNorm",
    "LayerNorm",
    "Linear",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiHeadAttention",
    "Parameter",
    "PositionalEncoding",
    "RMSNorm",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Stacked",
    "StateMismatch",
    "Summary",
    "SummaryRow",
    "Tanh",
    "Variable",
    "counts_flops",
    "default_seed",
    "functional",
    "initialisers",
    "probing",
    "read_weights",
    "record_activations",
    "save_weights",
    "set_default_seed",
    "summary",
]
