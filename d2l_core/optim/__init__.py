"""Optimisers and schedules."""

from d2l_core.optim import schedules
from d2l_core.optim._optimisers import SGD, Adam, Optimiser, OptimiserFactory, clip_by_norm

__all__ = ["SGD", "Adam", "Optimiser", "OptimiserFactory", "clip_by_norm", "schedules"]
