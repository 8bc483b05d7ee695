"""Exercises of the lesson on parameters: stubs to fill in, and the checks that examine them."""

import numpy as np

from d2l_core import nn, xp
from d2l_core.lessons.checking import expect_close


def move_average(average, model, decay):
    """Move the parameters of `average` towards those of `model`: each becomes decay a + (1 - decay) p.

    Args:
        average: a module of the same structure as `model`; its parameters a are replaced, its buffers stay.
        model: the module whose parameters p are being trained; it stays as it is.
        decay: a number in [0, 1].
    """
    raise NotImplementedError


def training_bytes(model, slots):
    """Memory that a model needs in training, in bytes, for float32.

    Each number takes 4 bytes for its value; each number that is trained also 4 for its gradient and 4 for each of the
    optimiser's slots. A tied parameter counts once. Buffers are left out.

    Args:
        model: an initialised module.
        slots: numbers that the optimiser keeps for each trained number: 0 for plain descent, 2 for Adam.

    Returns:
        An int.
    """
    raise NotImplementedError


def _pair(tied=False):
    """Two models of the same structure with different numbers."""
    models = []
    for seed in (1, 2):
        model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Dropout(0.5))
        if tied:
            model[2].weight = model[0].get("weight")
        models.append(model.initialise(seed=seed))
    return models


def check_move_average_value(candidate):
    """One step, by the formula, for every parameter."""
    average, model = _pair()
    before, other = average.state_dict(), model.state_dict()
    candidate(average, model, 0.75)
    for path in average.parameters():
        hint = f"{path} should be 0.75 times its old value plus 0.25 times that of the model."
        expect_close(average.get(path).value, 0.75 * before[path] + 0.25 * other[path], hint)


def check_move_average_effects(candidate):
    """The model stays as it is, and so do the buffers of the average."""
    average, model = _pair()
    model.train()(xp.ones((1, 3)))
    other = model.state_dict()
    candidate(average, model, 0.5)
    for path, array in model.state_dict().items():
        expect_close(array, other[path], f"{path} of the model has changed; only the average may.")
    counter = average.state_dict()["3.calls"]
    expect_close(counter, np.zeros(1), "The counter of the dropout is a buffer; leave it as it is.")


def check_move_average_edges(candidate):
    """The ends of the range, tied parameters, many steps."""
    average, model = _pair(tied=True)
    before = average.state_dict()
    candidate(average, model, 1.0)
    expect_close(average[0].weight, before["0.weight"], "With decay 1 nothing changes.")
    candidate(average, model, 0.5)
    expected = 0.5 * before["0.weight"] + 0.5 * model.state_dict()["0.weight"]
    expect_close(average[2].weight, expected, "A tied parameter moves once, not once for each place it sits in.")
    assert average[2].get("weight") is average[0].get("weight"), (
        "What was tied is no longer tied; replace the value of a parameter, not the parameter."
    )
    for _ in range(60):
        candidate(average, model, 0.5)
    expect_close(average[2].bias, model.state_dict()["2.bias"], "After many steps the average has reached the model.")


def check_training_bytes_value(candidate):
    """Plain descent and Adam for a small network."""
    model = nn.Sequential(nn.Linear(8, 5), nn.Linear(2, 8)).initialise(seed=0)
    for slots, expected in ((0, 528), (2, 1056)):
        hint = f"66 numbers with a gradient and {slots} slots each, of four bytes:"
        expect_close(candidate(model, slots), expected, hint)


def check_training_bytes_edges(candidate):
    """Frozen and tied parameters."""
    model = nn.Sequential(nn.Linear(8, 5), nn.Linear(2, 8)).initialise(seed=0)
    model[0].freeze()
    expect_close(candidate(model, 2), 48 * 4 + 18 * 16, "A frozen number needs its value and nothing else.")
    tied, _ = _pair(tied=True)
    expect_close(candidate(tied, 1), 15 * 12, "A tied table counts once, and the counter of a dropout not at all.")
