"""From a text to a sequence of integers, and from that to training windows."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, SupportsIndex, cast, overload

import numpy as np
import numpy.typing as npt

from d2l_core.errors import UsageError

__all__ = ["Vocabulary", "clean", "tokenise", "windows"]


def clean(text: str) -> str:
    """`text` in lower case, with every run of anything but the letters A to Z turned into one space.

    The whole of *The Time Machine* comes to 173,428 characters of 27 kinds.
    """
    return re.sub("[^a-z]+", " ", text.lower())


def tokenise(text: str, unit: str = "char") -> list[str]:
    """The characters of `text`, or with `unit="word"` what stands between its white space.

    Raises `UsageError` for any other unit.
    """
    if unit == "char":
        return list(text)
    if unit == "word":
        return text.split()
    raise UsageError(f"A text has no unit {unit!r}; choose 'char' or 'word'.")


class Vocabulary:
    """A one-to-one map between tokens and the integers 0, 1, ..., len - 1.

    Index 0 is `<unk>`, which stands for every token the vocabulary does not know. The `reserved` tokens
    follow in the order given, then all tokens that occur at least `min_freq` times, most frequent first and
    equally frequent ones in alphabetical order.
    """

    unknown = "<unk>"

    def __init__(self, tokens: Iterable[str], min_freq: int = 0, reserved: Iterable[str] = ()) -> None:
        counts = Counter(tokens)
        self.frequencies: tuple[tuple[str, int], ...] = tuple(
            sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        )
        """Each token that was given, with how often it occurred, in the order described above."""
        common = (token for token, count in self.frequencies if count >= min_freq)
        self._tokens = tuple(dict.fromkeys((self.unknown, *reserved, *common)))
        self._indices = {token: index for index, token in enumerate(self._tokens)}

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._indices

    @overload
    def __getitem__(self, tokens: str) -> int: ...  # type: ignore[overload-overlap]

    @overload
    def __getitem__(self, tokens: Iterable[str]) -> list[int]: ...

    def __getitem__(self, tokens: str | Iterable[str]) -> int | list[int]:
        """The index of a token, or the list of the indices of several; 0 for a token that is not known."""
        if isinstance(tokens, str):
            return self._indices.get(tokens, 0)
        return [self._indices.get(token, 0) for token in tokens]

    @overload
    def to_tokens(self, indices: SupportsIndex) -> str: ...

    @overload
    def to_tokens(self, indices: Iterable[SupportsIndex]) -> list[str]: ...

    def to_tokens(self, indices: SupportsIndex | Iterable[SupportsIndex]) -> str | list[str]:
        """The token of an index, or the list of tokens of several; `UsageError` for one out of range."""
        if isinstance(indices, Iterable) and getattr(indices, "ndim", 1) > 0:
            return [self._token(index) for index in indices]
        return self._token(cast(SupportsIndex, indices))

    def _token(self, index: SupportsIndex) -> str:
        position = operator.index(index)
        if not 0 <= position < len(self):
            raise UsageError(f"Index {position} is not in this vocabulary; use 0 to {len(self) - 1}.")
        return self._tokens[position]


def windows(
    corpus: Sequence[int] | npt.NDArray[Any], num_steps: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """All overlapping windows of a corpus of n indices, and the same windows one step later.

    Returns inputs X and targets y, both int32 of shape (n - num_steps, num_steps), with
    `X[i, t] = corpus[i + t]` and `y[i, t] = corpus[i + t + 1]`. Raises `UsageError` when `num_steps` is less
    than one or leaves no window.
    """
    values = np.asarray(corpus)
    if not 1 <= num_steps < len(values):
        raise UsageError(
            f"A corpus of {len(values)} tokens has no windows of {num_steps} steps; "
            f"use 1 to {len(values) - 1} steps or a longer text."
        )
    pairs = np.lib.stride_tricks.sliding_window_view(values.astype(np.int32), num_steps + 1)
    return np.ascontiguousarray(pairs[:, :-1]), np.ascontiguousarray(pairs[:, 1:])
