"""The comparisons of exercises: what they accept, and what they say."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import xp
from d2l_core.lessons.checking import expect_close, expect_shape


def test_numbers_arrays_and_tensors_are_compared(backend):
    for actual in (2.0, np.float32(2.0), np.asarray(2.0), xp.asarray(2.0)):
        expect_close(actual, 2.0, "Two.")
    expect_close(xp.asarray([1.0, np.nan]), np.array([1.0, np.nan]), "As it is.")


def test_the_first_difference_is_told(backend):
    with pytest.raises(AssertionError, match=r"Double it\. Expected 4 at \[1\], found 3\."):
        expect_close(xp.asarray([2.0, 3.0]), np.array([2.0, 4.0]), "Double it.")
    with pytest.raises(AssertionError, match=r"One number\. The shape should be \(\) but is \(1,\)\."):
        expect_close(xp.asarray([2.0]), 2.0, "One number.")


def test_something_without_a_shape_is_told():
    with pytest.raises(AssertionError, match=r"Rows\. The shape should be \(3,\) but is \(\)\."):
        expect_shape(None, (3,), "Rows.")
