"""Initial values: streams, fingerprints, order, statistics, and what a wrong scale does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from d2l_chapters.builders_guide import parameter_initialisation as lesson
from d2l_chapters.builders_guide import parameter_initialisation_solutions as solutions

from d2l_core import nn, random, xp
from d2l_core.backend import current
from d2l_core.nn.initialisers import HeNormal, HeUniform

X = np.zeros((1, 1, 28, 28))


def fresh(seed=0, init=None):
    """The lesson's classifier, initialised."""
    return lesson.classifier(init or HeNormal()).initialise(xp.asarray(X, dtype=xp.float_dtype()), seed=seed)


@pytest.mark.parametrize("key", [("init", "1.weight", 0), (1, 2), ("1", 2)])
def test_the_stream_by_hand_is_the_library_s(key):
    np.testing.assert_array_equal(lesson.stream(9, *key), random.uniform(9, *key))
    np.testing.assert_array_equal(lesson.he_uniform((8, 4, 3, 3), key), HeUniform()((8, 4, 3, 3), key))


def test_the_fingerprint_is_that_of_the_promise():
    assert lesson.fingerprint(fresh(seed=1)) != lesson.fingerprint(fresh())
    if current().precision == 32:
        assert lesson.fingerprint(fresh()) == 3672467100


def test_one_bit_changes_the_fingerprint():
    model = fresh()
    before = lesson.fingerprint(model)
    bias = np.zeros(10)
    bias[3] = 1e-30
    model.parameters()["5.bias"].assign(bias)
    assert lesson.fingerprint(model) != before


def test_order_matters_for_a_queue_only():
    assert lesson.changed(lesson.from_a_queue(), lesson.from_a_queue()) == 0
    assert lesson.changed(lesson.from_a_queue(), lesson.from_a_queue(1)) == 3
    assert lesson.changed(lesson.from_streams(), lesson.from_streams(backwards=True)) == 0


def test_names_keep_their_numbers_and_places_do_not():
    assert lesson.changed(*(lesson.weights_in_order(lesson.numbered(d)) for d in (False, True))) == 2
    assert lesson.changed(*(lesson.weights_in_order(lesson.Named(d)) for d in (False, True))) == 0
    assert tuple(lesson.Named(dropout=True)(xp.zeros((2, 784))).shape) == (2, 10)


def test_variances_in_theory_are_those_of_the_distributions():
    for name, (square, distance) in lesson.deviations((200, 784)).items():
        if not name.startswith("Xavier"):
            assert square == pytest.approx(lesson.RULES[name][1], rel=0.03), name
            assert abs(distance) < 4.0


def test_sparse_rows():
    values = lesson.Sparse(5)((20, 30), ("sparse",))
    assert ((values != 0).sum(axis=1) == 5).all()
    assert (lesson.Sparse(50)((4, 3), ("sparse",)) != 0).all()
    assert len({tuple(np.flatnonzero(row)) for row in values}) > 10


def test_first_losses_show_the_scale():
    first = {factor: lesson.by_scale(factor, "smoke", epochs=1)[0] for factor in (0.1, 1.0, 3.0)}
    assert first[0.1] == pytest.approx(math.log(10.0), abs=1e-3)
    assert math.log(10.0) < first[1.0] < 5.0
    assert first[3.0] > 100.0


def test_quiet_output_starts_at_log_ten_and_learns():
    data = lesson.fashion_mnist("smoke", seed=0)
    images, labels = next(iter(data.train.epoch(0)))
    model = solutions.quiet_output().initialise(images, seed=0)
    loss = float(xp.to_numpy(lesson.cross_entropy(model(images), labels)))
    assert loss == pytest.approx(math.log(10.0), abs=1e-5)
    assert lesson.train(model, data, epochs=8).final("loss") < 2.1


def test_halves_initialised_apart_are_equal():
    assert solutions.two_halves(apart=True) == 0.0
    assert solutions.two_halves(apart=False) > 0.1


def test_the_diagram_and_the_figure_can_be_drawn():
    assert "Philox" in lesson.diagram_stream().svg()
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_distributions().axes[1].lines) == 4


def test_tied_parameters_are_drawn_once():
    pair = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    pair[1].weight = pair[0].get("weight")
    assert list(pair.initialise(seed=0).parameters()) == ["0.weight", "0.bias", "1.bias"]
