"""The training loop, what it remembers and how it goes on after a break."""

from d2l_core.nn.functional import accuracy
from d2l_core.training._observers import EarlyStopping, Observer, ProgressBar
from d2l_core.training._trainer import Data, Trainer
from d2l_core.training.checkpoint import Checkpoint
from d2l_core.training.history import History

__all__ = ["Checkpoint", "Data", "EarlyStopping", "History", "Observer", "ProgressBar", "Trainer", "accuracy"]
