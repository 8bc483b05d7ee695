"""Data whose truth is known: the exercises that a program checks."""

from collections import Counter

import numpy as np

from d2l_core.random import permutation


def split_order(order, batch_size, last="keep"):
    """Cut an order into batches.

    Args:
        order: array (n,) of the numbers of the examples, n at least 1.
        batch_size: examples in a full batch.
        last: "keep" leaves a smaller last batch, "drop" leaves it out, "even" makes as many batches as "keep", whose
            sizes differ by at most one.

    Returns:
        A list of arrays (B,), which follow one another in the order.
    """
    raise NotImplementedError


def buffered_order(n, size, *key):
    """The order in which n examples leave a buffer that holds `size` of them.

    The buffer is filled with the first examples. Again and again a random one of those in the buffer leaves it, each
    with the same probability, and the next example takes its place; when there is no next one, the buffer empties.

    Args:
        n: number of examples.
        size: of the buffer, at least 1; it may be larger than n.
        key: of the random stream; see `d2l_core.random.uniform`. The same key gives the same order.

    Returns:
        Integer array (n,), a permutation of 0, ..., n - 1.
    """
    raise NotImplementedError


def _sizes(candidate, n, batch_size, last):
    batches = candidate(np.arange(n), batch_size, last)
    assert isinstance(batches, list), "The result is a list of arrays."
    return [len(batch) for batch in batches]


def check_split_order_value(candidate):
    for last, expected in (("keep", [4, 4, 2]), ("drop", [4, 4])):
        found = _sizes(candidate, 10, 4, last)
        assert found == expected, f'Ten examples in batches of 4 with "{last}" give the sizes {expected}, not {found}.'
    found = sorted(_sizes(candidate, 10, 4, "even"))
    assert found == [3, 3, 4], f'Ten examples in batches of 4 with "even" give sizes of 3, 3 and 4, not {found}.'
    order = permutation(1000, 5)
    batches = candidate(order, 32, "even")
    assert len(batches) == 32, f'"even" makes as many batches as "keep", here 32, not {len(batches)}.'
    assert np.array_equal(np.concatenate(batches), order), "Joined together, the batches must be the order again."


def check_split_order_edges(candidate):
    for last in ("keep", "drop", "even"):
        found = _sizes(candidate, 12, 4, last)
        assert found == [4, 4, 4], f'Where nothing is left over, "{last}" must give full batches only, not {found}.'
    for last, expected in (("keep", [3]), ("drop", []), ("even", [3])):
        found = _sizes(candidate, 3, 4, last)
        assert found == expected, f'Three examples in batches of 4 with "{last}" give {expected}, not {found}.'
    found = _sizes(candidate, 5, 1, "even")
    assert found == [1] * 5, f"A batch size of 1 gives batches of one example, not {found}."


def check_buffered_order_value(candidate):
    for n, size in ((100, 1), (100, 7), (100, 100), (50, 80)):
        order = np.asarray(candidate(n, size, "check", n, size))
        assert np.array_equal(np.sort(order), np.arange(n)), "Each example must leave the buffer exactly once."
        early = int(np.max(order - np.arange(n)))
        assert early < size, f"With a buffer of {size} no example can come {early} places early; it is not yet in."
    again = np.asarray(candidate(100, 7, "check", 100, 7))
    assert np.array_equal(again, candidate(100, 7, "check", 100, 7)), "The same key must give the same order."
    assert not np.array_equal(again, candidate(100, 7, "other")), "Another key must give another order."


def check_buffered_order_edges(candidate):
    assert np.array_equal(candidate(20, 1, "edge"), np.arange(20)), "A buffer of one example changes nothing."
    assert list(candidate(1, 5, "edge")) == [0], "A single example is an order of its own."


def check_buffered_order_chances(candidate):
    full = Counter(tuple(int(i) for i in candidate(3, 3, "chance", draw)) for draw in range(900))
    assert len(full) == 6, "With a buffer for all three examples, each of the six orders must be possible."
    assert max(full.values()) < 200, "With a buffer for all three examples, the six orders must be equally likely."
    assert min(full.values()) > 100, "With a buffer for all three examples, the six orders must be equally likely."
    small = Counter(int(candidate(3, 2, "chance", draw)[0]) for draw in range(400))
    assert 160 < small[0] < 240, "Each example in the buffer must leave it with the same probability."
