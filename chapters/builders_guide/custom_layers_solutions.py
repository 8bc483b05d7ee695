# %% [markdown]
# # Custom layers: solutions

# %%
import numpy as np
from d2l_chapters.builders_guide.custom_layers import fit, network
from d2l_chapters.linear_regression.linear_regression import airfoil_arrays

from d2l_core import nn, xp
from d2l_core.autodiff import custom_gradient
from d2l_core.lessons import scale
from d2l_core.nn.functional import squared_error
from d2l_core.random import normal, permutation

# %% [markdown]
# ## 1. Rows of length one
#
# The derivative of $\sqrt{s}$ is $1 / (2\sqrt{s})$, infinite at zero. To choose the right *result* with `where` is
# not enough: the gradient of the branch that is not chosen is multiplied by zero, and zero times infinity is not a
# number. So the choice must stand *before* the root, which then never sees a zero.


# %%
class UnitRows(nn.Module):
    """Divides each row by its Euclidean length; a row of zeros stays as it is."""

    def forward(self, X):
        """Rows of length one."""
        squares = xp.sum(xp.square(X), axis=1, keepdims=True)  # (n, d) -> (n, 1)
        return X / xp.sqrt(xp.where(squares > 0, squares, xp.ones_like(squares)))


# %% [markdown]
# ## 2. One bit


# %%
@custom_gradient
def sign_through(x):
    """1 where x >= 0 and -1 elsewhere, with the gradient passed on where |x| <= 1."""
    ones = xp.ones_like(x)

    def backward(gradient):
        return xp.where(xp.abs(x) <= 1.0, gradient, xp.zeros_like(gradient))

    return xp.where(x >= 0.0, ones, -ones), backward


# %% [markdown]
# ## 3. The variance of rounding
#
# Of 100,000 normal numbers the largest is about 4.4 times the standard deviation, so with three bits ($K = 3$) the
# step is about one and a half standard deviations, and the formula still holds to a few parts in a thousand: a
# normal density is so smooth that the errors of rounding are spread evenly even on so coarse a grid. With two bits
# ($K = 1$) the step is larger than four standard deviations and nearly all weights become zero. The error is then the
# weight itself, with a variance near 1, and not the $\Delta^2 / 12 \approx 1.6$ of the formula.

# %%
if __name__ == "__main__":
    weights = normal(100_000, "solution", "weights")
    for bits in (2, 3, 4, 8):
        step = np.abs(weights).max() / (2 ** (bits - 1) - 1)
        error = np.round(weights / step) * step - weights
        print(f"{bits} bits: {np.mean(error**2):.6f}, the formula says {step**2 / 12:.6f}")

# %% [markdown]
# ## 4. A step for each row
#
# Each row costs one number of 32 bits more. In the first layer, with five weights of four bits in a row, that is more
# than the weights themselves; in a layer with a thousand inputs it is less than one in a hundred. What it gains
# depends on how different the rows are. In the network of the lesson the rows of the first layer differ in size, so
# most of them had used only a few of the fifteen levels; the loss of rounding afterwards falls to about a half.


# %%
def rounded_rows(W, bits):
    """A NumPy matrix (m, d) rounded with a step for each row."""
    step = np.abs(W).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)  # (m, 1)
    return np.round(W / step) * step


# %%
if __name__ == "__main__":
    (X, y), (X_val, y_val) = (
        tuple(xp.asarray(a, dtype=xp.float_dtype()) for a in pair)
        for pair in airfoil_arrays(permutation(1503, 0, "airfoil"))
    )
    model = network().initialise(seed=0)
    fit(model, X, y, 30 if scale() == "smoke" else 400)
    one, rows = network(bits=4).initialise(seed=0), network().initialise(seed=0)
    one.load_state_dict(model.state_dict())
    state = model.state_dict()
    rows.load_state_dict({path: rounded_rows(a, 4) if "weight" in path else a for path, a in state.items()})
    for name, candidate in (("one step", one), ("a step for each row", rows), ("32 bits", model)):
        print(f"{name}: {float(squared_error(candidate(X_val), y_val)):.3f}")
