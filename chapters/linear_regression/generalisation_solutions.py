# %% [markdown]
# # Generalisation: solutions

# %%
import numpy as np
from d2l_chapters.linear_regression.generalisation import cross_validated, law, legendre, observed, places
from d2l_chapters.linear_regression.least_squares import by_qr

from d2l_core import random, xp

# %% [markdown]
# ## 1. What to expect
#
# In the derivation $p$ came in as the trace of the projection, which is the dimension of the plane on which it
# projects. If columns depend on one another, this is the *rank* of $\mathbf{X}$. Two columns that say the same soak
# up the noise of one example, not of two. If the rank is $n$, the training error is zero and the error on new targets
# $2\sigma^2$: the noise of the new target, and that of the old one, which was learned by heart.


# %%
def expected_errors(X, sigma):
    """Expected training error and error on new targets at the same places, for features X (n, p)."""
    share = float(xp.to_numpy(xp.linalg.matrix_rank(X))) / X.shape[0]
    return sigma**2 * (1.0 - share), sigma**2 * (1.0 + share)


# %% [markdown]
# ## 2. Families
#
# Take the groups from the largest to the smallest, and give each to the fold that has the fewest examples so far. When
# the fullest fold received its last group it was the emptiest, so its lead over any other fold is at most the size of
# this group. As long as there are empty folds they are served first, so none stays empty.


# %%
def group_folds(groups, k):
    """k pairs of index arrays (training, held out), which never divide a group."""
    names, members, counts = np.unique(groups, return_inverse=True, return_counts=True)
    fold_of, filled = np.zeros(len(names), dtype=int), np.zeros(k, dtype=int)
    for group in np.argsort(-counts, kind="stable"):
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += counts[group]
    fold_of_example = fold_of[members.ravel()]  # (n,)
    return [(np.flatnonzero(fold_of_example != fold), np.flatnonzero(fold_of_example == fold)) for fold in range(k)]


# %% [markdown]
# ## 3. Bias and variance
#
# At a place $x$ let $\bar{f}(x)$ be the mean prediction over all training sets. Because the mixed term has mean zero,
# $\mathbb{E}(f(x) - f^*(x))^2 = (\bar{f}(x) - f^*(x))^2 + \mathbb{E}(f(x) - \bar{f}(x))^2$, squared bias plus
# variance. With the degree the bias falls and, from degree 3 on, the variance rises. That of the straight line is
# larger than that of degree 3: where a line must be laid through a wave, it depends on the random *places* how it
# lies, and what a model cannot express acts as a noise of its own. Means over fits are at the mercy of a few wild
# ones here, so we take the grid from −0.8 to 0.8 and forty examples.


# %%
def bias_and_variance(degree, sets=300, n=40):
    """Squared bias and variance of fits of n examples, averaged over a grid."""
    x, grid = places(sets, n), np.linspace(-0.8, 0.8, 81)[:, None]  # (sets, n, 1), (81, 1)
    theta = by_qr(legendre(x, degree), xp.asarray(observed(x, "noise")))  # (sets, degree + 1, 1)
    curves = xp.to_numpy(xp.matmul(legendre(grid, degree), theta))  # (81, p) @ (sets, p, 1) -> (sets, 81, 1)
    mean = curves.mean(axis=0)  # (81, 1)
    return float(np.mean((mean - law(grid)) ** 2)), float(np.mean((curves - mean) ** 2))


# %%
if __name__ == "__main__":
    for degree in (1, 3, 5, 8, 11):
        bias, variance = bias_and_variance(degree)
        print(f"degree {degree:2}: squared bias {bias:.4f}, variance {variance:.4f}")

# %% [markdown]
# ## 4. The last one
#
# The bound says $\tau\sqrt{2 \log M} \le 0.01$ with $\tau = 0.5/\sqrt{m}$, so $m \ge 0.25 \cdot 2 \log M / 0.0001 =
# 5000 \log M$: 34,539 examples for a thousand candidates, and only twice as many, 69,078, for a million. (The
# accuracy is the mean of zeros and ones; its errors are not exactly normal, but the step $\mathbb{E}\,e^{tZ} \le
# e^{t^2\tau^2/2}$ holds for a mean of bounded numbers too, by Hoeffding's lemma with this very $\tau$.)

# %%
if __name__ == "__main__":
    for candidates in (1000, 1_000_000):
        print(f"{candidates} candidates: {np.ceil(5000 * np.log(candidates)):.0f} examples")

# %% [markdown]
# ## 5. One out
#
# Let $\tilde{y}_i$ be the prediction at place $i$ of the curve fitted without example $i$. Replace $y_i$ by
# $\tilde{y}_i$. The curve fitted to the others is still the best: the sum of squares of the others is the least
# possible, and the new term is zero. So $\tilde{y}_i$ is entry $i$ of $\mathbf{H}\mathbf{y}$ with $y_i$ replaced,
# which is $\hat{y}_i + H_{ii} (\tilde{y}_i - y_i)$. Write $\tilde{r}_i = \tilde{y}_i - y_i$ and $r_i = \hat{y}_i -
# y_i$ and subtract $y_i$ on both sides: $\tilde{r}_i = r_i + H_{ii} \tilde{r}_i$, hence $\tilde{r}_i = r_i / (1 -
# H_{ii})$. An example with $H_{ii}$ near one decides alone about the curve at its place, so its residual says nothing
# until it is magnified.


# %%
def residual_without(X, y, i):
    """Residual of example i under the fit of all others, for features X (n, p) and targets y (n, 1), on the host."""
    others = np.delete(np.arange(len(X)), i)
    theta = xp.to_numpy(by_qr(xp.asarray(X[others]), xp.asarray(y[others])))  # (p, 1)
    return float((X[i] @ theta - y[i])[0])


# %%
if __name__ == "__main__":
    X, y = random.normal((10, 3), "one out", "X"), random.normal((10, 1), "one out", "y")
    hat = X @ np.linalg.pinv(X)
    print(f"by hand {residual_without(X, y, 4):.5f}, by the formula {((hat @ y - y)[4, 0]) / (1 - hat[4, 4]):.5f}")
    print("all folds of one:", cross_validated(xp.asarray(X[None]), xp.asarray(y[None]), 10, "folds")[0])
