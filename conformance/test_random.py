"""The random streams: bits pinned by values, by statistics, and by the oracle on every backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from d2l_conformance import oracle
from d2l_conformance.case import REAL
from hypothesis import given
from hypothesis import strategies as st

from d2l_core import composites, random
from d2l_core import interface as xp
from d2l_core.backend import Backend

KEY = 0x0123456789ABCDEF
PINNED: dict[str, Any] = {
    "key": 16521849480246475639,
    "words": [10732550601176415629, 2811536167447182559, 13466966777707104972],
    "path": [3033099064214323334, 13921154850669760235],
    "uniform": ["0x1.29e35bd10a0cfp-1", "0x1.3824a9fc2ed1cp-3", "0x1.75c88dddd6701p-1"],
    "normal": ["0x1.a6facff74e125p-3", "-0x1.06b0dda2493ecp+0", "0x1.39d4c0f95ef0cp-1"],
    "permutation": [1, 7, 3, 6, 0, 2, 5, 4],
    "counter": [10765035, 3104778, 8390921, 152913],
}


def test_words_are_pinned() -> None:
    """The first words of three streams, now and for ever."""
    assert random.key_of("init", "net.0.weight") == PINNED["key"]
    assert [int(word) for word in random.words(3, 0)] == PINNED["words"], "words of the stream"
    assert [int(word) for word in random.words(2, 7, "shuffle", 1)] == PINNED["path"], "words of a path"


def test_floats_are_pinned() -> None:
    """Floats made of the words, to the last bit."""
    assert [value.hex() for value in random.uniform(3, 0).tolist()] == PINNED["uniform"]
    assert [value.hex() for value in random.normal(3, 0).tolist()] == PINNED["normal"]
    assert random.permutation(8, 0).tolist() == PINNED["permutation"]


def test_uniform_bits_are_pinned() -> None:
    """The oracle of the counter-based uniform itself is held to given numerators of 2**-24."""
    drawn = oracle.random_uniform(KEY, 1, (4,)) * 2**24
    assert drawn.astype(int).tolist() == PINNED["counter"]


def test_streams_do_not_depend_on_how_much_is_drawn() -> None:
    """A longer draw begins with the shorter one; another path is another stream."""
    np.testing.assert_array_equal(random.words(100, "a")[:10], random.words(10, "a"))
    assert not np.any(random.words(10, "a") == random.words(10, "b"))
    assert not np.any(random.words(10, 1) == random.words(10, "1"))
    assert not np.any(random.words(10, "a", "b") == random.words(10, "ab"))


@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (2**14,), (2**14 + 3,), (3, 2**14)])
def test_floats_are_made_of_the_words_of_their_stream(shape: tuple[int, ...]) -> None:
    """Each of one word, however many are made at a time."""
    words = random.words(math.prod(shape), "floats")
    found = random.uniform(shape, "floats", low=-1.0, high=3.0)
    assert found.shape == shape
    assert found.ravel().tolist() == [(int(word) >> 11) * 2.0**-53 * 4.0 - 1.0 for word in words]
    normal = random.normal(shape, "floats").ravel()
    assert normal[:1000].tolist() == random.normal(1000, "floats")[: normal.size].tolist()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4096, 4097, 60_000])
def test_a_permutation_is_the_order_of_the_words(n: int) -> None:
    """By the words themselves, in the way that needs no thought."""
    order = random.permutation(n, "order")
    assert order.dtype == np.int64
    np.testing.assert_array_equal(order, np.argsort(random.words(n, "order"), kind="stable"))


@given(st.lists(st.sampled_from([0, 1, 2, 7, 8, 2**32, 2**63, 2**64 - 2, 2**64 - 1]), max_size=40))
def test_words_that_are_close_or_equal_keep_their_order(numbers: list[int]) -> None:
    """Where the upper bits do not tell them apart."""
    words = np.array(numbers, np.uint64)
    np.testing.assert_array_equal(random._stable_order(words), np.argsort(words, kind="stable"))


def test_uniform_statistics() -> None:
    """Mean, variance and a chi-squared of 64 cells."""
    n = 200_000
    x = random.uniform(n, "uniform")
    assert x.min() >= 0
    assert x.max() < 1
    assert abs(x.mean() - 0.5) < 4 * math.sqrt(1 / 12 / n)
    counts = np.histogram(x, bins=64, range=(0, 1))[0]
    chi2 = float(np.sum((counts - n / 64) ** 2) / (n / 64))
    assert abs(chi2 - 63) < 5 * math.sqrt(2 * 63)


def test_normal_statistics() -> None:
    """Four moments, and the distribution function at several points."""
    n = 200_000
    x = random.normal(n, "normal")
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(x**power) - expected) < 4 * math.sqrt(variance / n)
    for point in (-3.0, -1.0, -0.2, 0.0, 0.5, 2.0):
        p = 0.5 * math.erfc(-point / math.sqrt(2))
        assert abs(np.mean(x < point) - p) < 5 * math.sqrt(p * (1 - p) / n)


def test_normal_inverts_the_distribution_function() -> None:
    """The quantile function agrees with the error function of the standard library."""
    for p, z in zip(random.uniform(50, 0), random.normal(50, 0), strict=True):
        assert 0.5 * math.erfc(-z / math.sqrt(2)) == pytest.approx(p, rel=1e-12, abs=1e-15)


def test_permutation_statistics() -> None:
    """Every place sees every element about as often."""
    n, draws = 6, 3000
    counts = np.zeros((n, n))
    for i in range(draws):
        order = random.permutation(n, "permutation", i)
        assert sorted(order) == list(range(n))
        counts[np.arange(n), order] += 1
    expected = draws / n
    assert np.max(np.abs(counts - expected)) < 5 * math.sqrt(expected * (1 - 1 / n))


@pytest.mark.parametrize("spread", [1, 50, 2**16, 2**33, 2**49, 2**64 - 1])
def test_a_permutation_is_the_order_of_its_words(monkeypatch: pytest.MonkeyPatch, spread: int) -> None:
    """The first of equal words comes first, wherever the bits are that tell them apart."""
    words = np.array([pow(5, i, 7919) * spread % 2**64 for i in range(2000)], np.uint64)
    monkeypatch.setattr(random, "words", lambda n, *key: words)
    order = sorted(range(2000), key=lambda i: (words[i], i))
    assert random.permutation(2000).tolist() == order


@pytest.mark.parametrize("key", [0, 1, KEY, 2**63, 2**64 - 1])
@pytest.mark.parametrize("counter", [0, 1, 65_537, 2**31 - 1])
def test_uniform_bits(backend: Backend, precision: int, key: int, counter: int) -> None:
    """Enough elements for every byte of the position to matter, bit for bit."""
    drawn = xp.to_numpy(xp.random_uniform(key, counter, (67, 1000)))
    assert drawn.dtype == REAL[precision]
    np.testing.assert_array_equal(drawn, oracle.random_uniform(key, counter, (67, 1000)))


def test_uniform_bits_of_a_counter_tensor(backend: Backend, precision: int) -> None:
    """A compiled function draws anew as its counter tensor moves on, the same bits as eagerly."""

    def program(state: list[Any], counter: Any) -> Any:
        return state, xp.random_uniform(KEY, counter, (5, 7))

    draw = xp.compile(program)
    for counter in (0, 1, 2, 2**31 - 1):
        tensor = xp.asarray(np.array(counter, np.int32))
        _, drawn = draw([xp.zeros(())], tensor)
        wanted = oracle.random_uniform(KEY, counter, (5, 7))
        np.testing.assert_array_equal(xp.to_numpy(drawn), wanted)
        np.testing.assert_array_equal(xp.to_numpy(xp.random_uniform(KEY, tensor, (5, 7))), wanted)
        assert xp.to_numpy(drawn).dtype == REAL[precision]


def test_dropout_of_a_counter_tensor(backend: Backend, precision: int) -> None:
    """The mask of a compiled, differentiated dropout is the oracle's, and so is its gradient."""
    x = np.linspace(1, 2, 24).reshape(4, 6).astype(REAL[precision])

    def program(state: list[Any], counter: Any) -> Any:
        f = xp.differentiate(lambda inputs: (xp.sum(composites.dropout(inputs[0], 0.25, KEY, counter)), None))
        return state, f(state)[1][0]

    step = xp.compile(program)
    for counter in (3, 4):
        _, grad = step([xp.asarray(x)], xp.asarray(np.array(counter, np.int32)))
        kept = oracle.random_uniform(KEY, counter, x.shape) >= 0.25
        np.testing.assert_allclose(xp.to_numpy(grad), kept / 0.75, rtol=4 * float(np.finfo(x.dtype).eps))
