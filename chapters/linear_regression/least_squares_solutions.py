# %% [markdown]
# # Least squares: solutions

# %%
import numpy as np
from d2l_chapters.linear_regression.least_squares import (
    MEASURED,
    PLACES,
    by_normal_equations,
    by_qr,
    levelling,
    line_far_away,
    normal_density,
)

from d2l_core import xp

# %% [markdown]
# ## 1. Good and bad instruments
#
# The density of measurement $i$ is the normal law with $\sigma_i$, so the negative logarithm of the product is a
# constant plus $\frac{1}{2} \sum_i (r_i / \sigma_i)^2$. This is an ordinary sum of squares if row $i$ of
# $\mathbf{X}$ and the number $y_i$ are divided by $\sigma_i$. A measurement with half the deviation counts as much as
# four ordinary ones.


# %%
def weighted_least_squares(X, y, sigma):
    """The most probable unknowns (d, 1) for X (n, d), y (n, 1) and deviations sigma (n, 1)."""
    return by_qr(X / sigma, y / sigma)


# %% [markdown]
# ## 2. Data that do not fit into memory
#
# Let $\mathbf{X}_1 = \mathbf{Q}_1 \mathbf{R}_1$ be the first batch. Multiplication by $\mathbf{Q}_1^\top$ keeps all
# lengths within the plane of the columns, so as far as $\boldsymbol\theta$ is concerned the rows of $\mathbf{X}_1$ may
# be replaced by the $d$ rows of $\mathbf{R}_1$ and the measurements by $\mathbf{Q}_1^\top \mathbf{y}_1$: the sums of
# squares differ by the same constant for every $\boldsymbol\theta$. Put these $d$ rows on top of the next batch,
# decompose again, and so on. If we decompose the two side by side, $(\mathbf{X}, \mathbf{y})$ with $d + 1$ columns,
# then the right column of the triangle holds $\mathbf{Q}^\top \mathbf{y}$, and one more row the length of the residual,
# which is of no use for the unknowns and left out.


# %%
def least_squares_in_batches(batches):
    """The solution (d, 1) from an iterable of minibatches X (B, d), y (B, 1)."""
    kept = None
    for X, y in batches:
        rows = X if kept is None else xp.concat([kept[0], X])  # (d + B, d)
        targets = y if kept is None else xp.concat([kept[1], y])  # (d + B, 1)
        Q, R = xp.linalg.qr(rows)  # (d + B, d), (d, d)
        kept = R, xp.matmul(xp.matrix_transpose(Q), targets)  # (d, d), (d, 1)
    return xp.linalg.solve(*kept)  # (d, 1)


# %% [markdown]
# ## 3. Where to measure once more
#
# With $\mathbf{A} = (\mathbf{X}^\top\mathbf{X})^{-1}\mathbf{X}^\top$ the solution is $\mathbf{A}\mathbf{y}$. If the
# entries of $\mathbf{y}$ are independent with variance $\sigma^2$, the covariance of $\mathbf{A}\mathbf{y}$ is
# $\sigma^2 \mathbf{A}\mathbf{A}^\top = \sigma^2 (\mathbf{X}^\top\mathbf{X})^{-1}$: the two outer factors cancel all
# but one inverse. It does not contain the measurements, so one can plan before walking. In our net, in which each
# place is connected with each, every height has the variance $\sigma^2 / 2$. Walking from the village to the summit
# again brings that of the summit down to $\sigma^2 / 3$. A way that touches only one of the two helps a little
# ($0.458\,\sigma^2$), because the detour through the third place becomes more reliable; the way between chapel and hut
# does not help the summit at all.


# %%
def variance_of_summit(repeated=None):
    """Variance of the summit's height in units of sigma squared, with one of the six ways measured twice."""
    ways = MEASURED if repeated is None else (*MEASURED, MEASURED[repeated])
    X, _ = levelling(ways)
    return np.linalg.inv(X.T @ X)[PLACES.index("summit"), PLACES.index("summit")]


# %%
if __name__ == "__main__":
    print(f"as measured: {variance_of_summit():.4f}")
    for number, (start, end, _) in enumerate(MEASURED):
        print(f"{start} to {end} twice: {variance_of_summit(number):.4f}")

# %% [markdown]
# ## 4. The roof
#
# Move $\theta$ a little to the right. The distance to each reading on its left grows and to each on its right shrinks,
# all at the same rate. The sum falls as long as more readings lie on the right, and rises as soon as more lie on the
# left; it is smallest where half of them are on each side, at the median. For the tower the normal law says 27.6 m, the
# mean, and Laplace's 31.2 m, the median, which does not care whether the odd reading is 13.2 m or 3.1 m. Presumably
# somebody meant 31.2.

# %%
if __name__ == "__main__":
    readings = np.array([31.2, 31.3, 31.1, 31.2, 13.2])
    heights = np.linspace(10.0, 40.0, 3001)
    distances = readings - heights[:, None]  # (3001, 5)
    by_normal_law = heights[np.argmax(np.log(normal_density(distances, sigma=5.0)).sum(axis=1))]
    by_laplace = heights[np.argmin(np.abs(distances).sum(axis=1))]
    print(f"normal {by_normal_law:.2f} m, Laplace {by_laplace:.2f} m")

# %% [markdown]
# ## 5. Centre first
#
# The column of ones is one of those to which the residual is perpendicular, so the residuals add up to zero: the mean
# of the predictions is the mean of the measurements, and the line passes through the point of the means. Around this
# point the line needs no constant. We may therefore subtract both means, fit a slope alone, and find the constant
# afterwards. The normal equations are then a single division, and no digits are lost.


# %%
def centred_line(X, y):
    """Slope and constant of the line for X (n, 2), whose second column is ones, and y (n, 1): two tensors (1, 1)."""
    x = X[:, :1]  # (n, 2) -> (n, 1)
    mean_x, mean_y = (xp.mean(column, axis=0, keepdims=True) for column in (x, y))  # (n, 1) -> (1, 1)
    slope = by_normal_equations(x - mean_x, y - mean_y)  # (1, 1)
    return slope, mean_y - slope * mean_x


# %%
if __name__ == "__main__":
    X, y = line_far_away(1000, 0)  # (50, 2), (50, 1)
    exact = np.linalg.lstsq(X.astype(np.float64), y.astype(np.float64), rcond=None)[0][0, 0]
    slope, _ = centred_line(xp.asarray(X), xp.asarray(y))
    plain = by_normal_equations(xp.asarray(X), xp.asarray(y))
    print(f"exact {exact:.6f}, centred {float(xp.to_numpy(slope)[0, 0]):.6f}", end=", ")
    print(f"not centred {float(xp.to_numpy(plain)[0, 0]):.6f}")
