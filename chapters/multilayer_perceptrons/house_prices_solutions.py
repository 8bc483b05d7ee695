# %% [markdown]
# # Predicting house prices: solutions

# %%
import numpy as np
from d2l_chapters.multilayer_perceptrons import house_prices as lesson

from d2l_core import xp
from d2l_core.lessons import scale

# %% [markdown]
# ## 1. Gaps
#
# The gaps are replaced by zeros *before* anything is computed. If one only selects at the end, the values are
# right, but the gradient is not: it is multiplied by zero on its way through the branch that was not taken, and
# zero times NaN is NaN. The same holds for a deviation of zero, which is replaced by one.


# %%
def standardise_with_gaps(reference, X):
    """X (m, d) standardised by the numbers present in the reference (n, d); gaps become zero."""
    present = xp.astype(xp.logical_not(xp.isnan(reference)), reference.dtype)  # (n, d)
    filled = xp.where(xp.isnan(reference), xp.zeros_like(reference), reference)  # (n, d)
    count = xp.sum(present, axis=0, keepdims=True)  # (1, d)
    mean = xp.sum(filled, axis=0, keepdims=True) / count  # (1, d)
    variance = xp.sum(present * xp.square(filled - mean), axis=0, keepdims=True) / count  # (1, d)
    varies = variance > 0
    deviation = xp.sqrt(xp.where(varies, variance, xp.ones_like(variance)))  # (1, d)
    gap = xp.isnan(X)  # (m, d)
    scaled = (xp.where(gap, xp.zeros_like(X), X) - mean) / deviation  # (m, d)
    return xp.where(xp.logical_or(gap, xp.logical_not(varies)), xp.zeros_like(X), scaled)


# %% [markdown]
# ## 2. Leave one out for the price of one
#
# Let $\mathbf{A} = \mathbf{X}^\top\mathbf{X} + n\lambda\mathbf{I}$. Without row $\mathbf{x}$ (as a column) the
# matrix is $\mathbf{A} - \mathbf{x}\mathbf{x}^\top$ and the right-hand side $\mathbf{X}^\top\mathbf{y} -
# \mathbf{x}y_i$. By the formula of Sherman and Morrison, with $h = \mathbf{x}^\top\mathbf{A}^{-1}\mathbf{x} =
# H_{ii}$,
#
# $$(\mathbf{A} - \mathbf{x}\mathbf{x}^\top)^{-1} = \mathbf{A}^{-1} +
#   \frac{\mathbf{A}^{-1}\mathbf{x}\mathbf{x}^\top\mathbf{A}^{-1}}{1 - h} .$$
#
# Its prediction for $\mathbf{x}$ is therefore
#
# $$\Big(1 + \frac{h}{1 - h}\Big)(\hat{y}_i - h y_i) = \frac{\hat{y}_i - h y_i}{1 - h}, \quad \text{with the error}
#   \quad \frac{\hat{y}_i - h y_i}{1 - h} - y_i = \frac{\hat{y}_i - y_i}{1 - h} .$$
#
# A row with $h$ near one, such as a giant house, draws its own prediction towards itself; left out, it is on its own.


# %%
def leave_one_out_loss(X, y, strength):
    """Mean squared error of ridge regression on rows that were left out one at a time; X (n, d), y (n, 1)."""
    n, d = X.shape
    matrix = xp.matmul(xp.matrix_transpose(X), X) + n * strength * xp.eye(d)  # (d, d)
    half = xp.linalg.solve(matrix, xp.matrix_transpose(X))  # (d, n)
    leverage = xp.sum(X * xp.matrix_transpose(half), axis=1, keepdims=True)  # (n, 1)
    y_hat = xp.matmul(X, xp.matmul(half, y))  # (n, d) @ ((d, n) @ (n, 1)) -> (n, 1)
    return xp.mean(xp.square((y_hat - y) / (1.0 - leverage)))  # ()


# %% [markdown]
# ## 3. Median and mean
#
# The logarithm is monotone, so half of the prices lie below $e^m$: that is the median. The mean of $e^z$ for a
# normal $z$ is $\int e^z (2\pi s^2)^{-1/2} e^{-(z - m)^2/2s^2} dz = e^{m + s^2/2}$, found by completing the square.
# With $s^2 \approx 0.02$ the mean lies one per cent above the median. Who buys one house wants the median; who
# insures a thousand wants the mean.
#
# ## 4. A code as a number
#
# The cell compares the losses of cross-validation. The change is small, because neighbourhood, style and year tell
# much of what the building type tells, and because the codes happen to grow with something (from 120 on they mean
# planned developments). It could have been worse; one cannot know without trying, and nobody would have been
# warned.


# %%
def loss_with_codes(codes, table, strength=0.03):
    """Cross-validated loss where only the columns `codes` are taken for names in disguise."""
    before, lesson.CODES = lesson.CODES, codes
    try:
        return lesson.cross_validate(table, (strength,))[0, :, 1].mean()
    finally:
        lesson.CODES = before


# %%
if __name__ == "__main__":
    table = lesson.houses(scale())
    for codes in (lesson.CODES, ()):
        print(codes, f"{loss_with_codes(codes, table):.5f}")

# %% [markdown]
# ## 5. Choosing and judging
#
# *Nested* cross-validation: the outer rounds judge, the inner ones choose. Each outer round may choose another
# strength. The difference to the plain minimum is small here, since eight strengths on a flat valley give little to
# choose from; with thousands of candidates it would not be.


# %%
def nested_loss(table, strengths=(0.003, 0.01, 0.03, 0.1, 0.3), seed=0):
    """Mean validation loss where each round chooses its strength by its own training rows."""
    found = []
    for number in range(lesson.FOLDS):
        train, _ = lesson.fold(len(table["Id"]), seed, number)
        inner = lesson.cross_validate(lesson.rows(table, train), strengths, seed + 1)[:, :, 1].mean(axis=1)
        pairs = [(xp.asarray(X), xp.asarray(y)) for X, y in lesson.fold_arrays(table, seed, number)]
        found.append(lesson.losses_of(lesson.ridge(*pairs[0], strengths[int(inner.argmin())]), pairs)[1])
    return float(np.mean(found))


# %%
if __name__ == "__main__":
    plain = lesson.cross_validate(table)[:, :, 1].mean(axis=1).min()
    print(f"minimum of the curve {plain:.5f}, nested {nested_loss(table):.5f}")
