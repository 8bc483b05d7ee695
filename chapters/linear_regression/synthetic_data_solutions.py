# %% [markdown]
# # Data whose truth is known: solutions

# %%
import itertools

import numpy as np
from d2l_chapters.linear_regression.least_squares import mean_gradient, with_ones
from d2l_chapters.linear_regression.synthetic_data import z_scores

from d2l_core import random, xp
from d2l_core.data.synthetic import linear_data

# %% [markdown]
# ## 1. The last batch
#
# For "even" the borders between the batches are placed at the multiples of $n / m$, rounded down, where $m = \lceil n /
# B \rceil$. In favour: no batch is so small that its gradient is mostly noise, all examples have nearly the same say,
# and nothing is dropped. Against: there are still two different sizes, and a backend that compiles a step for each
# shape compiles twice, as with "keep".


# %%
def split_order(order, batch_size, last="keep"):
    """Cut an order (n,) into a list of batches; `last` is "keep", "drop" or "even"."""
    n = len(order)
    num_batches = n // batch_size if last == "drop" else -(-n // batch_size)
    if last == "even":
        borders = [n * batch // num_batches for batch in range(num_batches + 1)]
    else:
        borders = [min(n, batch_size * batch) for batch in range(num_batches + 1)]
    return [order[start:end] for start, end in itertools.pairwise(borders)]


# %% [markdown]
# ## 2. Shuffling with a small memory
#
# An example enters the buffer when `size` others have entered before or with it, so example $i$ cannot come earlier
# than at place $i - \text{size} + 1$. There is no limit in the other direction: with bad luck the first example stays
# until the end, though the probability to survive $k$ draws is only $(1 - 1/\text{size})^k$. For sorted data a buffer
# much smaller than $n$ leaves a sorted file with blurred edges.


# %%
def buffered_order(n, size, *key):
    """The order (n,) in which n examples leave a buffer that holds `size` of them."""
    draws = random.uniform(n, *key)  # (n,)
    buffer = list(range(min(size, n)))
    order = []
    for upcoming, draw in enumerate(draws, start=len(buffer)):
        place = int(draw * len(buffer))
        order.append(buffer[place])
        if upcoming < n:
            buffer[place] = upcoming
        else:
            buffer.pop(place)
    return np.array(order)


# %%
if __name__ == "__main__":
    for size in (1, 10, 100, 1000):
        order = buffered_order(1000, size, "solution")
        print(f"buffer of {size}: first batch of 32 holds the examples {order[:32].min()} to {order[:32].max()}")

# %% [markdown]
# ## 3. Another noise
#
# Each $\hat\theta_j - \theta_j$ is a weighted sum of the $n$ errors. With uniform errors the figure does not change
# visibly: a sum of a hundred independent terms of similar size is nearly normal, whatever the terms are (the central
# limit theorem). With noise in one example of a hundred only about one term is not zero. Then there is no sum to
# speak of: in more than a third of the data sets no example is hit, and all three parameters are right to the last
# digit, while in others they are off by three deviations and more. Mean and deviation of the $z$ are still 0 and 1.
# It is the form that gives the noise away, so look at the figure and not only at its deviation.


# %%
def with_noise(kind):
    """A function like `linear_data` with another noise of the same deviation."""

    def make(weight, bias, n, *, noise, seed):
        X, y = linear_data(weight, bias, n, noise=0.0, seed=seed)  # (n, d), (n, 1)
        if kind == "uniform":
            errors = noise * np.sqrt(3.0) * random.uniform((n, 1), "uniform noise", seed, low=-1.0)
        else:
            hit = random.uniform((n, 1), "hits", seed) < 0.01
            errors = np.where(hit, 10.0 * noise * random.normal((n, 1), "rare noise", seed), 0.0)
        return X, y + errors

    return make


# %%
if __name__ == "__main__":
    for kind in ("uniform", "rare"):
        scores = z_scores(200, make=with_noise(kind))
        print(
            f"{kind}: deviation {scores.std():.2f}, within 0.1 {np.mean(np.abs(scores) < 0.1):.2f}, "
            f"within 1.96 {np.mean(np.abs(scores) < 1.96):.3f}, beyond 4 {np.mean(np.abs(scores) > 4):.3f}"
        )

# %% [markdown]
# ## 4. A law that the model does not know
#
# The best line through $x_1^2$ for a standard normal $x_1$ is flat, because $x_1^2$ is not correlated with $x_1$, and
# it lies at the mean $\mathbb{E}[x_1^2] = 1$. So the weights stay right on average and the *bias* takes the blame. It
# is off by 0.02, and its standard deviation is $0.01 / \sqrt{100} = 0.001$: twenty deviations. The weights become
# less certain than the formula says, because what is left of $x_1^2$ acts as further noise.


# %%
def with_square(weight, bias, n, *, noise, seed):
    """Like `linear_data`, with 0.02 times the square of the first feature added to the targets."""
    X, y = linear_data(weight, bias, n, noise=noise, seed=seed)  # (n, d), (n, 1)
    return X, y + 0.02 * X[:, :1] ** 2


# %%
if __name__ == "__main__":
    scores = z_scores(200, make=with_square)
    print("means of z for w1, w2, b:", np.round(scores.mean(axis=0), 1), "deviations:", np.round(scores.std(axis=0), 1))

# %% [markdown]
# ## 5. The price of the rest
#
# The gradient of a batch is the mean of the gradients of its examples. The variance of a mean of $r$ independent
# numbers is $1/r$ of the single variance, so the ratio of a batch of $r$ to one of $B$ is $B/r$. If every example of
# the epoch shall have the same influence, the step of the small batch must be multiplied by $r/B$, that is, the
# learning rate for this step: then each example moves the weights by $\eta/B$ times its gradient. If only the noise
# of the step shall be no larger than that of the others, $\sqrt{r/B}$ is enough.


# %%
def variance_ratio(r=8, batch_size=32, draws=400):
    """Variance of gradients of batches of r examples over that of full batches, measured at theta = 0."""
    X, y = linear_data((2.0, -3.4), 4.2, 1000, seed=0)  # (1000, 2), (1000, 1)
    X, theta = with_ones(X), xp.zeros((3, 1))  # (1000, 3)
    variances = []
    for size in (r, batch_size):
        batches = [random.permutation(1000, "ratio", size, draw)[:size] for draw in range(draws)]
        gradients = [xp.to_numpy(mean_gradient(xp.asarray(X[b]), xp.asarray(y[b]), theta)) for b in batches]
        variances.append(np.var(np.array(gradients), axis=0).sum())
    return variances[0] / variances[1]


# %%
if __name__ == "__main__":
    print(f"8 examples against 32: {variance_ratio(draws=200):.2f}")
