"""A small job with everything that has state: dropout, batch normalisation, momentum, a schedule, clipping."""

from __future__ import annotations

import numpy as np

from d2l_core import nn, optim, random, xp
from d2l_core.data import Loader
from d2l_core.nn.functional import accuracy, cross_entropy
from d2l_core.training import Data, Trainer


def data(seed=0):
    X = random.normal((90, 6), "X", seed)
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)
    train = Loader((X[:60], y[:60]), 16, shuffle=True, stream=(seed, "shuffle"))
    return Data(train, Loader((X[60:], y[60:]), 30))


def model():
    return nn.Sequential(nn.Linear(12), nn.BatchNorm(), nn.Tanh(), nn.Dropout(0.3), nn.Linear(2))


def momentum(model):
    return optim.SGD(model, lr=optim.schedules.Cosine(0.2, warmup=4, hold=0.3), momentum=0.9, weight_decay=1e-3)


def fit(trainer: Trainer, network=None, optimiser=momentum):
    network = network or model()
    trainer.fit(network, data(), loss=cross_entropy, optimiser=optimiser, metrics={"acc": accuracy})
    return network


def bits(network, trainer):
    """All that a run leaves behind, as bytes and exact numbers."""
    weights = {path: array.tobytes() for path, array in network.state_dict().items()}
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in trainer.history.epochs]
    return weights, trainer.history.losses, records


def model_start(network):
    """The values with which `fit` begins with a new network."""
    return network.initialise(xp.asarray(random.normal((1, 6), "X")), seed=0).state_dict()
