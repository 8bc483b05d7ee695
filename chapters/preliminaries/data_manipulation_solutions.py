# %% [markdown]
# # Data manipulation: solutions

# %%
import itertools

import numpy as np
from d2l_chapters.preliminaries.data_manipulation import Strided, broadcast_shape

from d2l_core import random, xp

# %% [markdown]
# ## 1. Patches
#
# The height splits into (h / size, size) and so does the width: that is a reshape, because it splits axes that stay
# where they are. Now the axes are (n, row of pieces, row in a piece, column of pieces, column in a piece), and the
# two in the middle must be exchanged: that is a permutation. The result has the shape that we want; no second reshape
# is necessary unless the pieces shall stand in one axis.


# %%
def patches(images, size):
    """Square pieces of images: (n, h, w) to (n, h / size, w / size, size, size)."""
    n, h, w = images.shape
    split = xp.reshape(images, (n, h // size, size, w // size, size))  # (n, h, w) -> (n, h / s, s, w / s, s)
    return xp.permute_dims(split, (0, 1, 3, 2, 4))  # -> (n, h / s, w / s, s, s)


# %%
if __name__ == "__main__":
    print(xp.to_numpy(patches(xp.reshape(xp.arange(16), (1, 4, 4)), 2)))

# %% [markdown]
# ## 2. Moving average
#
# Let $c_i = x_0 + \dots + x_{i-1}$ with $c_0 = 0$. The sum of the window that begins at $i$ is $c_{i+w} - c_i$: two
# slices of the cumulative sum, shifted against each other. Without the empty sum $c_0$ the first window is lost,
# which is what `include_initial` is for.
#
# The price is a subtraction of large numbers. Near $10^6$ neighbouring float32 numbers are 0.06 apart, so a sum of
# that size is off by up to half of it, and so is each difference, however small the numbers in the window. The
# experiment takes noise around 100. Among the first thousand averages the errors are thousandths; near the end, where
# the cumulative sum is close to $10^7$ and float32 only knows whole numbers, they are tenths. For long records
# subtract the mean first, or compute in float64.


# %%
def moving_average(x, width):
    """Means of all windows of `width` neighbours: (n,) to (n - width + 1,)."""
    sums = xp.cumulative_sum(x, include_initial=True)  # (n,) -> (n + 1,)
    return (sums[width:] - sums[:-width]) / width  # (n + 1 - width,)


# %%
if __name__ == "__main__":
    noise = random.normal(100_000, "data-manipulation", "noise", mean=100.0)
    exact = np.convolve(noise, np.ones(5) / 5, mode="valid")
    error = np.abs(xp.to_numpy(moving_average(xp.asarray(noise), 5)) - exact)
    print(f"largest error among the first thousand {error[:1000].max():.1e}, the last {error[-1000:].max():.1e}")

# %% [markdown]
# ## 3. All distances
#
# With X as (m, 1, d) and Y as (1, n, d) the difference has the shape (m, n, d), and the sum over the last axis is the
# answer. The box in between is $d$ times as large as the result. The binomial formula avoids it, $\lVert x - y
# \rVert^2 = \lVert x \rVert^2 - 2 x \cdot y + \lVert y \rVert^2$, where the middle term is a product of matrices. It
# needs no third axis and is much faster, but loses digits where $x$ and $y$ are close together and far from the
# origin, and may then even be negative.


# %%
def squared_distances(X, Y):
    """Squared distances between the rows: (m, d) and (n, d) to (m, n)."""
    difference = X[:, None, :] - Y[None, :, :]  # (m, 1, d) - (1, n, d) -> (m, n, d)
    return xp.sum(difference * difference, axis=2)  # (m, n, d) -> (m, n)


def squared_distances_flat(X, Y):
    """The same without a tensor of three axes."""
    x, y = xp.sum(X * X, axis=1, keepdims=True), xp.sum(Y * Y, axis=1)  # (m, 1), (n,)
    return x - 2.0 * xp.matmul(X, xp.matrix_transpose(Y)) + y  # (m, 1) - (m, n) + (n,) -> (m, n)


# %%
if __name__ == "__main__":
    X = xp.asarray([[1000.0, 1000.0], [1000.1, 1000.0]])
    print("broadcast", xp.to_numpy(squared_distances(X, X)).ravel())
    print("flat     ", xp.to_numpy(squared_distances_flat(X, X)).ravel())

# %% [markdown]
# ## 4. Which go together?
#
# (3, 1) with (4,) gives (3, 4), the outer table. (2, 1, 5) with (3, 1) gives (2, 3, 5). (4,) with (4, 1) gives (4,
# 4), the trap of a row against a column. (2, 3) with (2,) is an error: aligned at the last axis, 3 meets 2; it takes
# (2, 1). () goes with everything, so the last gives (7, 0), a tensor without elements.

# %%
if __name__ == "__main__":
    for first, second in (((3, 1), (4,)), ((2, 1, 5), (3, 1)), ((4,), (4, 1)), ((2, 3), (2,)), ((), (7, 0))):
        try:
            print(first, second, "->", broadcast_shape(first, second))
        except ValueError as error:
            print(error)

# %% [markdown]
# ## 5. Overlapping rows
#
# Both strides are one, so row $i$ begins one cell after row $i - 1$ and holds the elements $i$ to $i + 3$: all
# windows of four neighbours, (5, 4), in a memory of eight cells. A convolution can be written in this way without
# copying its input. Each inner cell belongs to several rows, so a program that doubled "each element of the box"
# would double the third number of the memory three times.


# %%
def largest_window(numbers, width):
    """The largest sum of `width` neighbours in a list."""
    rows = Strided(numbers, (len(numbers) - width + 1, width), (1, 1))
    return max(sum(rows.at(i, j) for j in range(width)) for i in range(rows.shape[0]))


# %%
if __name__ == "__main__":
    rows = Strided(range(8), (5, 4), (1, 1))
    for i, j in itertools.product(range(5), range(4)):
        print(rows.at(i, j), end="\n" if j == 3 else " ")
    print("largest sum of four neighbours:", largest_window([3, 1, 4, 1, 5, 9, 2, 6], 4))
