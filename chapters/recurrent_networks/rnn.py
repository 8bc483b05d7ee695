# /// lesson
# name = "rnn"
# title = "A recurrent network that writes"
# sections = ["9.5", "9.6"]
# needs = ["softmax-regression"]
# data = ["time-machine"]
# main = "concise"
# [time]
# smoke = "5 s"
# standard = "1 min"
# full = "4 min"
# [promises]
# full = ["scratch: val_ppl <= 7.48", "concise: val_ppl <= 7.385"]
# ///

# %%
import math

import numpy as np

from d2l_core import nn, optim, xp
from d2l_core.data import Loader, Vocabulary, clean, load_time_machine, tokenise, windows
from d2l_core.lessons import Job
from d2l_core.nn.functional import cross_entropy, one_hot
from d2l_core.training import Data

# %%
NUM_STEPS = 32


def time_machine(num_steps=NUM_STEPS):
    """All windows of the cleaned text with their continuations, (n, num_steps) each, and the vocabulary."""
    tokens = tokenise(clean(load_time_machine()))
    vocabulary = Vocabulary(tokens)
    X, y = windows(np.asarray(vocabulary[tokens], dtype=np.int32), num_steps)
    return X, y, vocabulary


def text_windows(scale, seed, batch_size=1024):
    """The first 10,000 windows for training and the next 5,000 for validation; fewer at smoke scale."""
    X, y, _ = time_machine()
    num_train, num_val = (512, 256) if scale == "smoke" else (10000, 5000)
    train, val = slice(num_train), slice(num_train, num_train + num_val)
    return Data(
        Loader((X[train], y[train]), batch_size, shuffle=True, stream=(seed, "shuffle")),
        Loader((X[val], y[val]), batch_size),
    )


# %%
class RNNScratch(nn.Module):
    """A hidden state that is carried along a sequence: (T, N, num_inputs) to (T, N, num_hiddens)."""

    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        self.num_hiddens = num_hiddens
        init = nn.initialisers.FanInUniform(num_hiddens)
        self.weight_ih = nn.Parameter((num_hiddens, num_inputs), init)
        self.weight_hh = nn.Parameter((num_hiddens, num_hiddens), init)
        self.bias_ih = nn.Parameter((num_hiddens,), init)
        self.bias_hh = nn.Parameter((num_hiddens,), init)

    def forward(self, X, state=None):
        """All hidden states and the last one."""
        if state is None:
            state = xp.zeros((X.shape[1], self.num_hiddens))  # (N, H)
        outputs = []
        for t in range(X.shape[0]):
            drive = xp.matmul(X[t], xp.matrix_transpose(self.weight_ih)) + self.bias_ih  # (N, I) @ (I, H) -> (N, H)
            state = xp.tanh(drive + xp.matmul(state, xp.matrix_transpose(self.weight_hh)) + self.bias_hh)  # (N, H)
            outputs.append(state)
        return xp.stack(outputs), state  # (T, N, H), (N, H)


class CharacterModel(nn.Module):
    """Logits of the next character at every position: integers (N, T) to (N, T, vocabulary size)."""

    def __init__(self, rnn, vocabulary_size):
        super().__init__()
        self.rnn, self.vocabulary_size = rnn, vocabulary_size
        self.output = nn.Linear(vocabulary_size)

    def forward(self, X):
        """Hidden states of the recurrent layer through one affine map."""
        steps = one_hot(xp.matrix_transpose(X), self.vocabulary_size)  # (N, T) -> (T, N) -> (T, N, V)
        hidden, _ = self.rnn(steps)  # (T, N, H)
        return xp.permute_dims(self.output(hidden), (1, 0, 2))  # (T, N, V) -> (N, T, V)


# %%
VOCABULARY_SIZE = 28

shared = {
    "data": text_windows,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.SGD(model, lr=1.0),
    "epochs": {"smoke": 2, "standard": 20, "full": 100},
    "derived": {"val_ppl": lambda record: math.exp(record["val_loss"])},
    "clip_norm": 1.0,
    "headline": "val_ppl",
}
jobs = {
    "scratch": Job(model=lambda: CharacterModel(RNNScratch(VOCABULARY_SIZE, 32), VOCABULARY_SIZE), **shared),
    "concise": Job(model=lambda: CharacterModel(nn.RNN(32), VOCABULARY_SIZE), **shared),
}
