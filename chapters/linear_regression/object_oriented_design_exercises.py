"""The parts of a training program: the exercises that a program checks."""

from types import SimpleNamespace

import numpy as np
from d2l_chapters.linear_regression.object_oriented_design import TinyLinear, TinyModule, TinyParameter

from d2l_core import nn, xp
from d2l_core.lessons.checking import expect_close
from d2l_core.training import Observer


class KeepBest(Observer):
    """Remembers the state of the model after the epoch with the lowest `val_loss`.

    The first of several equal epochs counts. An epoch whose `val_loss` is not a number never does.
    """

    def epoch_ended(self, trainer, record):
        """Look at ``record["val_loss"]`` and, if it is the lowest so far, at ``trainer.model.state_dict()``."""
        raise NotImplementedError

    def restore(self, model):
        """Give the model the state that was kept; see ``model.load_state_dict``."""
        raise NotImplementedError


def find_parameters(value: TinyModule | TinyParameter | object, prefix: str = "") -> dict[str, TinyParameter]:
    """The parameters in a value and in all that it holds, by path, each once under its first path.

    Args:
        value: a `TinyParameter`; a `TinyModule`, of which every attribute counts except `parts`; a list, a tuple or a
            dict; or anything else, in which there is no parameter.
        prefix: path of the value itself, "" at the root. The names of attributes, the keys of dicts and the numbers of
            items are appended with dots, as in ``layers.0.weight``.

    Returns:
        A dict of `TinyParameter` by path, in the order in which the attributes were assigned.
    """
    raise NotImplementedError


def _watch(observer, losses):
    """Show the observer a model whose weight is 1, 2, ... after the epochs, and return the model."""
    model = nn.Linear(1).initialise(xp.zeros((1, 1)))
    for epoch, loss in enumerate(losses, start=1):
        model.load_state_dict({"weight": np.full((1, 1), float(epoch)), "bias": np.zeros(1)})
        observer.epoch_ended(SimpleNamespace(model=model), {"epoch": epoch, "loss": 0.0, "val_loss": loss})
    return model


def _expect_epoch(candidate, losses, best, hint):
    observer = candidate()
    model = _watch(observer, losses)
    observer.restore(model)
    expect_close(model.weight, [[float(best)]], hint)


def check_KeepBest_value(candidate):  # noqa: N802 - called as the class
    _expect_epoch(candidate, [3.0, 1.0, 2.0], 2, "The state of the epoch with the lowest val_loss must come back.")
    _expect_epoch(candidate, [3.0, 2.0, 1.0], 3, "If the last epoch is the best, its state must come back.")


def check_KeepBest_edges(candidate):  # noqa: N802
    _expect_epoch(candidate, [2.0, 1.0, 1.0], 2, "Of two equal epochs the first counts.")
    _expect_epoch(candidate, [2.0, float("nan"), 3.0], 1, "A val_loss that is not a number is never the lowest.")
    _expect_epoch(candidate, [float("nan"), 2.0, 3.0], 2, "A val_loss that is not a number must not stay the best.")


def check_KeepBest_memory(candidate):  # noqa: N802
    first, second = candidate(), candidate()
    model = _watch(first, [1.0, 2.0])
    _watch(second, [2.0, 1.0])
    for _ in range(2):
        first.restore(model)
        expect_close(model.weight, [[1.0]], "Each observer keeps a state of its own, which nothing may change later.")
        model.weight = model.weight + 5.0


class _Stack(TinyModule):
    def __init__(self):
        self.scale = TinyParameter(np.ones(1))
        self.layers = [TinyLinear(2, 3), "a name", TinyLinear(3, 3)]
        self.heads = {"left": (TinyLinear(3, 1), TinyParameter(np.zeros(2))), "rate": 0.1}


_PATHS = (
    "scale",
    "layers.0.weight",
    "layers.0.bias",
    "layers.2.weight",
    "layers.2.bias",
    "heads.left.0.weight",
    "heads.left.0.bias",
    "heads.left.1",
)


def check_find_parameters_value(candidate):
    stack = _Stack()
    found = candidate(stack)
    assert isinstance(found, dict), "The result is a dict of parameters by path."
    missing = [path for path in _PATHS if path not in found]
    assert not missing, f"The path {missing[0]} is missing; look into lists, tuples and dictionaries, at any depth."
    extra = [path for path in found if path not in _PATHS]
    assert not extra, f"The path {extra[0]} should not be there; is the attribute `parts` left out?"
    assert list(found) == list(_PATHS), "The order should be that of the attributes."
    assert found["layers.2.weight"] is stack.layers[2].weight, "The values are the parameters themselves."


def check_find_parameters_edges(candidate):
    shared = TinyLinear(2, 2)
    found = candidate([shared, {"again": shared}, shared.bias])
    assert list(found) == ["0.weight", "0.bias"], (
        "A parameter that sits in several places counts once, where it is first."
    )
    assert candidate(shared.weight, "w") == {"w": shared.weight}, "A parameter alone has the path that was given."
    assert list(candidate(shared, "net")) == ["net.weight", "net.bias"], "The prefix and a dot come before the name."
    assert candidate(3.0) == candidate([]) == candidate("text") == {}, "Where there is no parameter, the dict is empty."
