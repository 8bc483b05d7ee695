# %% [markdown]
# # Data preprocessing: solutions

# %%
from functools import partial

import numpy as np
from d2l_chapters.preliminaries.data_preprocessing import (
    fit_and_score,
    gappy_data,
    lost_at_random,
    one_hot,
    scaled_and_flagged,
    statistics,
)

from d2l_core import random, xp
from d2l_core.data import load_airfoil

# %% [markdown]
# ## 1. The median
#
# Sorting needs numbers, so the gaps become infinity and gather at the end of each column. If $c$ values are known,
# the median is the mean of the sorted elements $\lfloor (c - 1) / 2 \rfloor$ and $\lfloor c / 2 \rfloor$, which are
# the same for odd $c$. `take_along_axis` fetches one element of each column.
#
# One villa in a column of prices moves the mean and not the median, and a value that half of the rows lie below is a
# better guess for a row of which nothing is known.


# %%
def fill_with_median(X):
    """X (n, d) with the median of each column in its gaps."""
    gaps = xp.isnan(X)  # (n, d)
    in_order = xp.sort(xp.where(gaps, xp.full_like(X, xp.inf), X), axis=0)  # (n, d)
    known = xp.sum(xp.logical_not(gaps), axis=0, keepdims=True)  # (n, d) -> (1, d)
    low = xp.take_along_axis(in_order, xp.floor_divide(known - 1, 2), axis=0)  # (1, d)
    high = xp.take_along_axis(in_order, xp.floor_divide(known, 2), axis=0)  # (1, d)
    return xp.where(gaps, (low + high) / 2.0, X)  # (n, d)


# %% [markdown]
# ## 2. Rare words
#
# Counting is the sum of the one-hot rows. The frequent kinds get the places 0, 1, ... in rising order and all others
# the place after them; a table of places then translates every number. The counts come from the training numbers
# alone: a word that becomes frequent later does not change the columns that the model has learned.


# %%
def one_hot_with_rest(training, numbers, num_kinds, least):
    """(n,) to (n, f + 1): columns for kinds that occur at least `least` times in `training`, and one for the rest."""
    counts = xp.to_numpy(xp.sum(one_hot(training, num_kinds), axis=0))  # (m, k) -> (k,)
    frequent = np.flatnonzero(counts >= least)  # (f,)
    places = np.full(num_kinds, len(frequent))
    places[frequent] = np.arange(len(frequent))
    return xp.take(xp.eye(len(frequent) + 1), xp.take(xp.asarray(places), numbers), axis=0)  # (n,) -> (n, f + 1)


# %% [markdown]
# ## 3. Neighbours
#
# Let $\mathbf{K}$ be the mask of what is known and $\mathbf{Z}$ the scaled features with zeros in the gaps. The
# squared distance over the columns known to both, divided by their number, is made of three matrix products. Rows
# that do not know the column in question are moved infinitely far away.
#
# With a fifth of the entries lost at random the error falls a little on two of three splits and not on the third. The
# angle of attack and the thickness of the boundary layer are related, so that each helps to guess the other; the
# frequency and the speed were chosen by the engineers and cannot be guessed from anything. Where the gaps are not
# random, neighbours are as wrong as the mean: none of them is among the missing ones.


# %%
def fill_by_neighbours(train, flags, X, X_flags, count=5):
    """Gaps of X (n, d) filled with means over the nearest rows of `train` (m, d); gaps in both hold zeros.

    `flags` (m, d) and `X_flags` (n, d) are 1 in the gaps.
    """
    K, L = 1.0 - X_flags, 1.0 - flags  # (n, d), (m, d)
    across = xp.matrix_transpose
    total = xp.matmul(X * X, across(L)) - 2.0 * xp.matmul(X, across(train)) + xp.matmul(K, across(train * train))
    distance = total / xp.clip(xp.matmul(K, across(L)), min=0.5)  # (n, d) @ (d, m) -> (n, m)
    columns = []
    for c in range(X.shape[1]):
        from_those = distance + 1e9 * flags[:, c]  # (n, m) + (m,)
        nearest = xp.top_k(-from_those, count)[1]  # (n, m) -> (n, count)
        guess = xp.mean(xp.take(train[:, c], nearest, axis=0), axis=1)  # (n, count) -> (n,)
        columns.append(xp.where(X_flags[:, c] > 0, guess, X[:, c]))
    return xp.stack(columns, axis=1)  # d times (n,) -> (n, d)


# %%
if __name__ == "__main__":
    for seed in range(3):
        (train, val), (flags, val_flags), targets = gappy_data(lost_at_random, seed)
        fill = partial(fill_by_neighbours, train, flags)
        by_mean = fit_and_score(train, val, *targets)
        by_neighbours = fit_and_score(fill(train, flags), fill(val, val_flags), *targets)
        print(f"seed {seed}: mean {by_mean:.3f}, neighbours {by_neighbours:.3f}")

# %% [markdown]
# (A training row with a gap in column c is never its own neighbour there, since it does not know c.)
#
# ## 4. One column too many
#
# The sum of the one-hot columns minus the column of ones is zero in each row: a linear combination of columns that
# vanishes, so that $\mathbf{X}^\top\mathbf{X}$ has no inverse. `fit_and_score` answers, depending on the framework
# and on rounding, with an error or with enormous weights that cancel each other. Without one of the kinds, which
# becomes the one that the bias stands for, the columns are independent and the predictions are the same as before.


# %%
def rank_with_ones(kinds):
    """The rank of the one-hot columns (n, k) with a column of ones."""
    return int(np.linalg.matrix_rank(np.column_stack([kinds, np.ones(len(kinds))])))


# %%
if __name__ == "__main__":
    kinds = xp.to_numpy(one_hot(xp.asarray(random.permutation(30, "kinds") % 3), 3))  # (30, 3)
    print(f"all kinds: {kinds.shape[1] + 1} columns of rank {rank_with_ones(kinds)}")
    print(f"one left out: {kinds.shape[1]} columns of rank {rank_with_ones(kinds[:, 1:])}")

# %% [markdown]
# ## 5. A small leak
#
# Very little: the means of 1,000 rows and of 1,503 rows hardly differ, and the changes have either sign. Without gaps
# nothing changes but rounding. Shifting and scaling a column is undone by the bias and the weight, so the
# least-squares fit makes the very same predictions. With gaps the mean decides where the filled values lie, which the
# fit cannot undo.
#
# That such a leak does little harm here is luck, not licence. The program cannot tell a harmless leak from the one
# that turned coins into a success.


# %%
def errors_of_both(lose, seed):
    """Validation errors with statistics of the training part, and of all rows."""
    X, y = load_airfoil()
    order = random.permutation(len(X), seed, "airfoil")
    X = xp.asarray(np.where(lose(X, seed), np.nan, X)[order])
    y = xp.asarray((y[order] - y[order][:1000].mean()) / y[order][:1000].std())
    found = []
    for seen in (X[:1000], X):
        filled, _ = scaled_and_flagged(X, *statistics(seen))
        found.append(fit_and_score(filled[:1000], filled[1000:], y[:1000], y[1000:]))
    return found


# %%
if __name__ == "__main__":
    for name, lose in (("at random", lost_at_random), ("no gaps", lambda X, seed: np.zeros(X.shape, bool))):
        for seed in range(3):
            print(name, "from training {:.5f}, from all {:.5f}".format(*errors_of_both(lose, seed)))
