"""Where a function has a kink or equal candidates, its gradient is the same on every backend.

Any weights that add up to one would do for equal extremes; what counts is that all agree, and that no backend counts
one of them twice.
"""

from __future__ import annotations

import numpy as np
import pytest

from d2l_core import xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.nn import functional

ROWS = np.array([[2.0, 2.0, 1.0], [0.0, 3.0, 3.0], [5.0, 5.0, 5.0], [-1.0, 0.0, 2.0]])
OTHERS = np.array([[2.0, 1.0, 1.0], [0.0, 4.0, 3.0], [5.0, 5.0, 6.0], [-1.0, 0.0, 1.0]])
SHARES = {
    "largest of a row": (
        lambda x: xp.max(x, axis=1),
        [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3], [0.0, 0.0, 1.0]],
    ),
    "smallest of a row": (
        lambda x: xp.min(x, axis=1),
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]],
    ),
    "largest of all": (xp.max, [[0.0] * 3, [0.0] * 3, [1 / 3] * 3, [0.0] * 3]),
    "larger of two": (
        lambda x: xp.maximum(x, xp.asarray(OTHERS)),
        [[0.5, 1.0, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0], [0.5, 0.5, 1.0]],
    ),
    "smaller of two": (
        lambda x: xp.minimum(xp.asarray(OTHERS), x),
        [[0.5, 0.0, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0], [0.5, 0.5, 0.0]],
    ),
    "larger of one and a number": (
        lambda x: xp.maximum(x, 2.0),
        [[0.5, 0.5, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.5]],
    ),
    "limited": (
        lambda x: xp.clip(x, 0.0, 3.0),
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]],
    ),
    "absolute": (xp.abs, [[1.0] * 3, [0.0, 1.0, 1.0], [1.0] * 3, [-1.0, 0.0, 1.0]]),
    "rectified": (functional.relu, [[1.0] * 3, [0.0, 1.0, 1.0], [1.0] * 3, [0.0, 0.0, 1.0]]),
}


@pytest.mark.parametrize("whole", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", SHARES)
def test_gradient_at_a_tie(name, whole, backend):
    function, expected = SHARES[name]

    def gradient(x):
        return value_and_grad(lambda x: xp.sum(function(x)))(x)[1]

    found = (compiled(gradient, []) if whole else gradient)(xp.asarray(ROWS))
    np.testing.assert_allclose(xp.to_numpy(found), np.array(expected), rtol=1e-6)


def test_infinite_extremes_keep_their_value_and_the_others_their_gradient(backend):
    def total(x):
        largest = xp.max(x, axis=1)
        return xp.sum(xp.where(xp.isfinite(largest), largest, xp.zeros_like(largest))), largest

    x = xp.asarray(np.array([[np.inf, 1.0], [-np.inf, -np.inf], [3.0, 2.0]]))
    (value, largest), slope = value_and_grad(total, has_aux=True)(x)
    assert float(value) == 3.0
    np.testing.assert_array_equal(xp.to_numpy(largest), [np.inf, -np.inf, 3.0])
    np.testing.assert_array_equal(xp.to_numpy(slope), [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
