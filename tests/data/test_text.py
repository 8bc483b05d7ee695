"""Text: cleaning, vocabulary and windows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_core.data import Vocabulary, clean, load_time_machine, tokenise, windows
from d2l_core.errors import UsageError

WORDS = st.lists(st.text(min_size=1, max_size=3), max_size=40)


def test_the_time_machine():
    text = load_time_machine()
    assert len(text) == 178_979
    assert text.count("\n") == 3221
    corpus = clean(text)
    assert corpus.startswith("the time machine by h g wells i the time traveller for so it will be")
    assert len(corpus) == 173_428
    vocabulary = Vocabulary(tokenise(corpus))
    assert len(vocabulary) == 28
    assert vocabulary.to_tokens(range(4)) == ["<unk>", " ", "e", "t"]
    assert vocabulary.frequencies[0] == (" ", corpus.count(" "))
    words = Vocabulary(tokenise(corpus, "word"))
    assert words.frequencies[:3] == (("the", 2261), ("i", 1267), ("and", 1245))
    assert "".join(vocabulary.to_tokens(vocabulary[tokenise(corpus)])) == corpus


def test_clean_by_hand():
    assert clean("The  Time--Machine, [1898]\n\tby H. G.") == "the time machine by h g "
    assert clean("") == ""


@given(st.text())
def test_clean_leaves_letters_and_single_spaces(text):
    cleaned = clean(text)
    assert set(cleaned) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert "  " not in cleaned
    assert clean(cleaned) == cleaned


def test_tokenise():
    assert tokenise("a bc") == ["a", " ", "b", "c"]
    assert tokenise(" a  bc\n", "word") == ["a", "bc"]
    with pytest.raises(UsageError, match="no unit 'byte'"):
        tokenise("a", "byte")


@given(WORDS, st.integers(0, 4), st.lists(st.sampled_from(["<pad>", "<bos>", "a"]), unique=True))
def test_vocabulary_order_and_inverse(tokens, min_freq, reserved):
    vocabulary = Vocabulary(tokens, min_freq, reserved)
    counts = Counter(tokens)
    head = list(dict.fromkeys(["<unk>", *reserved]))
    listed = list(vocabulary)
    assert listed[: len(head)] == head
    rest = listed[len(head) :]
    assert set(rest) == {token for token, count in counts.items() if count >= min_freq} - set(head)
    assert rest == sorted(rest, key=lambda token: (-counts[token], token))
    assert len(vocabulary) == len(listed) == len(set(listed))
    assert vocabulary[listed] == list(range(len(vocabulary)))
    assert vocabulary.to_tokens(vocabulary[listed]) == listed
    assert [vocabulary[token] for token in listed] == vocabulary[listed]


def test_unknown_tokens_are_index_zero():
    vocabulary = Vocabulary("aab", min_freq=2)
    assert vocabulary["b"] == vocabulary["zebra"] == 0
    assert vocabulary[["a", "b"]] == [1, 0]
    assert "b" not in vocabulary
    assert "a" in vocabulary


def test_vocabulary_ignores_the_order_of_its_tokens():
    assert list(Vocabulary("abcabc")) == list(Vocabulary("cbacba")) == ["<unk>", "a", "b", "c"]


def test_indices_of_any_integer_kind():
    vocabulary = Vocabulary("aab")
    assert vocabulary.to_tokens(np.int32(1)) == vocabulary.to_tokens(np.array(1)) == "a"
    assert vocabulary.to_tokens(np.array([1])) == ["a"]
    assert vocabulary.to_tokens((2, 1)) == ["b", "a"]


@pytest.mark.parametrize("index", [-1, 3])
def test_index_out_of_range(index):
    with pytest.raises(UsageError, match=f"Index {index} .* use 0 to 2"):
        Vocabulary("aab").to_tokens([0, index])


@given(st.lists(st.integers(0, 27), min_size=2, max_size=30), st.data())
def test_windows(corpus, data):
    num_steps = data.draw(st.integers(1, len(corpus) - 1))
    X, y = windows(corpus, num_steps)
    assert X.dtype == y.dtype == np.int32
    assert X.shape == y.shape == (len(corpus) - num_steps, num_steps)
    assert X.flags.c_contiguous
    assert y.flags.c_contiguous
    for i in range(len(X)):
        assert X[i].tolist() == corpus[i : i + num_steps]
        assert y[i].tolist() == corpus[i + 1 : i + 1 + num_steps]


@pytest.mark.parametrize("num_steps", [0, -1, 5, 6])
def test_windows_that_do_not_exist(num_steps):
    with pytest.raises(UsageError, match=r"no windows of .* use 1 to 4 steps"):
        windows(range(5), num_steps)
