"""The recurrent network: its jobs train, its parts agree, its mistakes show and its checks can fail."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from _examining import examine
from d2l_chapters.recurrent_networks import rnn as lesson
from d2l_chapters.recurrent_networks import rnn_solutions as solutions

from d2l_core import nn, optim, xp
from d2l_core.autodiff import stop_gradient
from d2l_core.nn.functional import one_hot, softmax


@pytest.fixture(scope="module")
def runs():
    return lesson.runs_from_one_start("smoke")


@pytest.fixture(scope="module")
def run(runs):
    return runs["concise"]


@pytest.fixture(scope="module")
def text():
    return lesson.time_machine()


def small_batch(num_windows=6):
    X, y, _ = lesson.time_machine()
    return xp.asarray(X[:num_windows]), xp.asarray(y[:num_windows])


@pytest.mark.parametrize("name", lesson.jobs)
def test_every_job_learns(runs, name):
    history = runs[name].history
    assert history.losses[0] == pytest.approx(math.log(28.0), abs=0.15)
    assert history.final("val_loss") < history.losses[0] - 0.1
    assert history.final("val_ppl") == pytest.approx(math.exp(history.final("val_loss")))


def test_scratch_and_concise_agree(runs):
    scratch, concise = (runs[name] for name in ("scratch", "concise"))
    np.testing.assert_allclose(concise.history.losses, scratch.history.losses, rtol=1e-4)
    weights = concise.model.state_dict()
    for path, array in scratch.model.state_dict().items():
        np.testing.assert_allclose(weights[path], array, atol=1e-4)


def test_shapes_and_states():
    X = one_hot(small_batch(3)[0], 28)  # (3, 32, 28)
    for layer in (lesson.RNNScratch(28, 5), nn.RNN(5)):
        layer.initialise(X, seed=0)
        hidden, last = layer(X)
        assert (tuple(hidden.shape), tuple(last.shape)) == ((3, 32, 5), (32, 5))
        first, state = layer(X[:2])
        second, _ = layer(X[2:], state)
        np.testing.assert_allclose(xp.to_numpy(hidden), xp.to_numpy(xp.concat([first, second])), atol=1e-6)
    model = lesson.jobs["concise"].model()
    assert tuple(model(small_batch(4)[0]).shape) == (4, 32, 28)
    assert sum(math.prod(p.shape) for p in model.parameters().values()) == 2908


def test_backward_through_time():
    assert lesson.gap_of_the_gradients() < 1e-6


@pytest.mark.parametrize("limit", [1.0, 100.0])
def test_clipping_equals_the_library(limit):
    gradients = {"a": xp.asarray([3.0, 0.0]), "b": xp.asarray([[4.0]])}
    ours, theirs = lesson.clip(gradients, limit), optim.clip_by_norm(gradients, limit)
    assert float(xp.to_numpy(lesson.joint_norm(ours))) == pytest.approx(min(5.0, limit), rel=1e-6)
    for path in gradients:
        np.testing.assert_allclose(xp.to_numpy(ours[path]), xp.to_numpy(theirs[path]), rtol=1e-6)


def test_the_data(text):
    X, y, vocabulary = text
    assert X.shape == y.shape == (173428 - 32, 32)
    assert len(vocabulary) == lesson.VOCABULARY_SIZE
    assert "".join(vocabulary.to_tokens(X[0])) == "the time machine by h g wells i "
    np.testing.assert_array_equal(X[0, 1:], y[0, :-1])
    data = lesson.text_windows("standard", 0)
    assert (data.train.num_examples, data.val.num_examples) == (10000, 5000)
    np.testing.assert_array_equal(data.val.arrays[0][0], X[10000])


def test_unigram_perplexity():
    uniform = np.arange(28)
    assert lesson.unigram_perplexity(uniform, uniform, 28) == pytest.approx(28.0)
    half = np.repeat([0, 1], 10**6)
    assert lesson.unigram_perplexity(half, half, 2) == pytest.approx(2.0)
    assert lesson.unigram_perplexity(half * 0, half[:1], 2) == pytest.approx(1.0, abs=1e-5)


def test_generating_step_by_step_is_the_model(run, text):
    vocabulary = text[2]
    written = lesson.generate(run.model, vocabulary, "time ", 6)
    assert written.startswith("time ")
    assert len(written) == 11
    indices = xp.asarray(np.array([vocabulary[list(written[:-1])]], dtype=np.int32))  # (1, 10)
    logits = xp.to_numpy(run.model(indices))[0]  # (10, 28)
    assert "".join(vocabulary.to_tokens(logits.argmax(axis=-1)[4:])) == written[5:]
    state = None
    for index, expected in zip(xp.to_numpy(indices)[0], logits, strict=True):
        found, state = lesson.next_logits(run.model, index, state)
        np.testing.assert_allclose(xp.to_numpy(found), expected, atol=1e-5)
    with pytest.raises(ValueError, match="prefix is empty"):
        lesson.generate(run.model, vocabulary, "", 1)


def test_writing_while_training(text):
    writing = lesson.Writing(text[2], prefix="the", num_characters=3, epochs=(2,))
    lesson.jobs["concise"].run("smoke", observers=[writing])
    assert [(epoch, len(written)) for epoch, written in writing.texts.items()] == [(2, 6)]


def test_perplexity_by_position(run):
    by_position = lesson.perplexity_by_position(run.model, run.data.val)
    assert by_position.shape == (32,)
    assert np.exp(np.log(by_position).mean()) == pytest.approx(run.history.final("val_ppl"), rel=1e-5)
    assert lesson.perplexity(run.model, *run.data.val.arrays) == pytest.approx(run.history.final("val_ppl"), rel=1e-5)


def test_gradients_fade_with_small_weights_and_grow_with_large_ones():
    X, y = (part[:, :12] for part in small_batch(16))
    small, large = (lesson.gradient_by_distance(lesson.fresh_model(gain), X, y) for gain in (1.0, 8.0))
    assert small.shape == (12,)
    assert small[11] < 1e-2 * small[0]
    assert large[11] > 30.0 * large[0]


def test_radius_follows_the_gain():
    assert lesson.spectral_radius(lesson.fresh_model(4.0)) == pytest.approx(
        4.0 * lesson.spectral_radius(lesson.fresh_model()), rel=1e-5
    )


def test_clipping_tames_large_weights():
    settings = {"gain": 8.0, "batch_size": 32, "steps": 12, "scale": "smoke"}
    plain, clipped = (lesson.norms_in_training(limit, **settings) for limit in (None, 1.0))
    assert plain.shape == (2, 12)
    assert plain[1, 0] == pytest.approx(clipped[1, 0], rel=1e-5)
    assert plain[1].max() > 1.0
    assert clipped[0, 1:].max() < plain[0, 1:].max()
    assert lesson.norms_in_training(steps=3, scale="smoke")[1].max() < 1.0


def test_the_wrong_axis_shows_only_when_asked():
    X, _ = small_batch()
    right = lesson.fresh_model()
    wrong = lesson.MixedUpModel(nn.RNN(32), 28).initialise(X, seed=0)
    assert tuple(wrong(X).shape) == tuple(right(X).shape)
    assert lesson.depends_on_neighbours(right, X) == 0.0
    assert lesson.depends_on_neighbours(wrong, X) > 1e-3
    history = replace(lesson.jobs["concise"], model=lambda: lesson.MixedUpModel(nn.RNN(32), 28)).run("smoke").history
    assert history.final("val_ppl") < 28.0


def test_shuffled_split_deals_out_the_same_windows():
    plain, dealt = lesson.text_windows("smoke", 0), lesson.shuffled_split("smoke", 0)
    assert (dealt.train.num_examples, dealt.val.num_examples) == (512, 256)
    both = [np.concatenate([data.train.arrays[0], data.val.arrays[0]]) for data in (plain, dealt)]
    np.testing.assert_array_equal(np.sort(both[0], axis=0), np.sort(both[1], axis=0))
    assert not np.array_equal(plain.val.arrays[0], dealt.val.arrays[0])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda logits, temperature, u: int(xp.to_numpy(xp.argmax(logits))),
        lambda logits, temperature, u: solutions.sample(logits, 1.0, u),
        lambda logits, temperature, u: solutions.sample(logits, 1.0 / temperature, u),
        lambda logits, temperature, u: int(np.sum(np.cumsum(xp.to_numpy(softmax(logits)))[::-1] > u)),
    ],
)
def test_check_sample_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should be index"):
        examine("rnn", "sample", wrong)


def _restarted(rnn, X, k):
    return xp.concat([rnn(X[start : start + k])[0] for start in range(0, X.shape[0], k)])


@pytest.mark.parametrize(
    "wrong",
    [
        _restarted,
        lambda rnn, X, k: rnn(X)[0],
        lambda rnn, X, k: stop_gradient(rnn(X)[0]),
        lambda rnn, X, k: solutions.truncated(rnn, X, k + 1),
    ],
)
def test_check_truncated_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="should"):
        examine("rnn", "truncated", wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda X, y, X_val, y_val, size: lesson.unigram_perplexity(y, y_val, size),
        lambda X, y, X_val, y_val, size: solutions.bigram_perplexity(y, X, y_val, X_val, size),
        lambda X, y, X_val, y_val, size: math.log(solutions.bigram_perplexity(X, y, X_val, y_val, size)),
    ],
)
def test_check_bigram_perplexity_finds_mistakes(wrong):
    with pytest.raises(AssertionError, match="perplexity should be"):
        examine("rnn", "bigram_perplexity", wrong)


def test_further_solutions(run, text):
    gap, largest = solutions.gap_of_the_biases()
    assert largest > 1e-3
    assert gap < 1e-6 * largest + 1e-9
    assert solutions.write(run.model, text[2], "time ", 5, 1.0).startswith("time ")
    weights = solutions.orthogonal_model().state_dict()["rnn.weight_hh"]
    np.testing.assert_allclose(weights @ weights.T, np.eye(32), atol=1e-5)


def test_the_figures_can_be_drawn(run):
    pytest.importorskip("matplotlib").use("Agg")
    assert len(lesson.plot_idea().axes) == 1
    assert len(lesson.plot_perplexity(run.history, np.arange(1.0, 33.0), 16.7).axes) == 2
    assert len(lesson.plot_distances({"a": np.ones(4), "b": np.ones(4)}).axes[0].lines) == 2
    assert len(lesson.plot_norms(np.ones((2, 4)), np.ones((2, 4))).axes) == 2


def test_windows_dealt_at_random_can_be_learned_by_heart():
    honest, leaking = (
        lesson.foretold_by_heart(split("smoke", 0)) for split in (lesson.text_windows, lesson.shuffled_split)
    )
    assert honest < 0.2
    assert leaking > 0.9
