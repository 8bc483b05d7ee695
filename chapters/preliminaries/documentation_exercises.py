"""The exercises of the lesson on documentation that a program examines."""

import functools

import numpy as np

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def keyword_only(function):
    """Names of the parameters that can only be given by name.

    Args:
        function: a Python function, which may be wrapped by decorators that use `functools.wraps`.

    Returns:
        A tuple of strings, in the order of the signature.
    """
    raise NotImplementedError


def _plain(a, /, b, *, c, d=1):
    return a, b, c, d


def _gathering(a, *rest, scale=1.0, **options):
    return a, rest, scale, options


def _wrapped(function):
    @functools.wraps(function)
    def outer(*args, **kwargs):
        return function(*args, **kwargs)

    return outer


def check_keyword_only_value(candidate):
    """Functions as they are written."""
    assert tuple(candidate(_plain)) == ("c", "d"), "Of (a, /, b, *, c, d=1) the names c and d stand after the star."
    assert tuple(candidate(_gathering)) == ("scale",), "What stands after *rest is by name only; **options is no name."


def check_keyword_only_wrappers(candidate):
    """Functions inside of other functions."""
    twice = _wrapped(_wrapped(_plain))
    assert tuple(candidate(twice)) == ("c", "d"), "The function is wrapped twice; follow __wrapped__ to the end."
    found = tuple(candidate(xp.mean))
    assert found == ("axis", "keepdims"), f"xp.mean takes axis and keepdims by name only, but you found {found}."


def check_keyword_only_edges(candidate):
    """No such parameters."""
    found = tuple(candidate(lambda x, y=2: x + y))
    assert found == (), "A default does not make a parameter one by name only; the result is an empty tuple."


def chi_square(values, bins):
    """Pearson's statistic for the claim that numbers are uniform.

    Args:
        values: a tensor (n,) of floats in [0, 1).
        bins: number of equal bins; a value on a border belongs to the upper bin.

    Returns:
        A 0-d tensor: the sum over all bins of (observed - expected) ** 2 / expected.
    """
    raise NotImplementedError


def check_chi_square_value(candidate):
    """Ten values in four bins."""
    values = np.array([0.1, 0.2, 0.05, 0.6, 0.7, 0.9, 0.95, 0.99, 0.8, 0.3], np.float32)
    found = candidate(xp.asarray(values), 4)
    expect_shape(found, (), "The statistic is one number.")
    expected = ((np.array([3, 1, 2, 4]) - 2.5) ** 2 / 2.5).sum()
    expect_close(found, expected, "The bins hold 3, 1, 2 and 4 values, and 2.5 are expected in each.")


def check_chi_square_empty(candidate):
    """Bins that nothing falls into count as well."""
    values = np.full(8, 0.3, np.float32)
    expect_close(candidate(xp.asarray(values), 4), 24.0, "An empty bin is one in which 0 were observed, not none.")


def check_chi_square_edges(candidate):
    """Borders, and a single bin."""
    values = np.array([0.0, 0.25, 0.5, 0.75], np.float32)
    expect_close(candidate(xp.asarray(values), 4), 0.0, "A value on a border belongs to the upper bin.")
    expect_close(candidate(xp.asarray(values), 1), 0.0, "With one bin all values are where they must be.")


def keeps_order(argsort):
    """Whether a function that sorts keeps the order of equal elements, as far as an experiment can tell.

    Args:
        argsort: takes a tensor (n,) and gives the indices (n,) that put it into rising order, such as `xp.argsort`.

    Returns:
        True if no experiment contradicts it, else False.
    """
    raise NotImplementedError


def _last_first(x):
    """Sorts, but puts the last of equal elements first."""
    return x.shape[0] - 1 - xp.argsort(xp.flip(x))


def _only_short(x):
    return xp.argsort(x) if x.shape[0] <= 16 else _last_first(x)


def check_keeps_order_value(candidate):
    """A function that does, and one that reverses equal elements."""
    assert candidate(xp.argsort), "xp.argsort keeps the order; is one of your inputs wrong?"
    assert not candidate(_last_first), "This one puts the last of equal elements first; try equal elements."


def check_keeps_order_long(candidate):
    """A function that keeps the order in short vectors only."""
    assert not candidate(_only_short), "Many algorithms only mix equal elements in vectors of more than 16; try longer."


def check_keeps_order_edges(candidate):
    """A function that does not sort at all."""
    as_it_comes = candidate(lambda x: xp.arange(x.shape[0]))
    assert not as_it_comes, "Indices in rising order keep every order, but they do not sort; look at the values too."
