# %% [markdown]
# # Pooling: solutions

# %%
from d2l_chapters.convolutional_networks.convolutions import largest_gap
from d2l_chapters.convolutional_networks.pooling import pool2d

from d2l_core import nn, xp
from d2l_core.random import normal

# %% [markdown]
# ## 1. Back to the winner
#
# Stretch the pooled map to the size of the input again: where an element equals the maximum of its window, it is the
# winner, and receives the stretched gradient. Without ties there is one in each window.


# %%
def stretched(Y, window):
    """Each element of Y (n, c, h, w) repeated to a square: (n, c, h window, w window)."""
    return xp.repeat(xp.repeat(Y, window, axis=2), window, axis=3)


def max_pool_gradient(X, G, window):
    """Gradient of the input X (n, c, h, w) from that of the output, G (n, c, h / window, w / window)."""
    won = stretched(pool2d(X, window), window) == X  # (n, c, h, w)
    return xp.where(won, stretched(G, window), xp.zeros_like(X))  # (n, c, h, w)


# %% [markdown]
# ## 2. Between mean and maximum
#
# In float32 $2^{200}$ is infinite. If $m$ is the largest element of the window, $x = m \cdot (x/m)$, and $m$ may be
# drawn out of power, mean and root. What remains lies between 0 and 1, and underflow to zero does no harm. A window
# of zeros needs a divisor other than zero. As at least one of the $k^2$ terms is 1, the result lies between
# $m\,k^{-2/p}$ and $m$; for $k = 2$ and $p = 200$ the factor is 0.993.


# %%
def power_pool(X, window, p):
    """The p-th root of the mean p-th power of X (n, c, h, w) over windows: (n, c, h / window, w / window)."""
    largest = pool2d(X, window)  # (n, c, h', w')
    scale = xp.where(largest > 0, largest, xp.ones_like(largest))
    share = X / stretched(scale, window)  # (n, c, h, w)
    return largest * xp.pow(pool2d(xp.pow(share, p), window, "mean"), 1.0 / p)  # (n, c, h', w')


# %%
if __name__ == "__main__":
    X = xp.abs(xp.asarray(normal((1, 1, 4, 4), "powers")))
    for p in (1.0, 2.0, 8.0, 64.0):
        print(
            f"p = {p:g}: from the mean {largest_gap(power_pool(X, 2, p), pool2d(X, 2, 'mean')):.3f}, "
            f"from the maximum {largest_gap(power_pool(X, 2, p), pool2d(X, 2)):.3f}"
        )

# %% [markdown]
# ## 3. Twice
#
# Four windows of two make one of four. The maximum of maxima is the maximum of all. The mean of means is the mean of
# all because each of the four has the same number of elements. With windows of three and stride two, two poolings in
# a row see $3 + 2 \cdot 2 = 7$ pixels with a stride of four. The maximum is again that of all 49. The mean is not:
# the windows overlap, and elements in two of them count twice. It is a weighted mean, with the weights 1, 1, 2, 1, 2,
# 1, 1 along each axis.

# %%
if __name__ == "__main__":
    X = xp.asarray(normal((1, 1, 15, 15), "twice"))
    for mode in ("max", "mean"):
        twos = largest_gap(pool2d(pool2d(X[..., :12, :12], 2, mode), 2, mode), pool2d(X[..., :12, :12], 4, mode))
        threes = largest_gap(pool2d(pool2d(X, 3, mode, 2), 3, mode, 2), pool2d(X, 7, mode, 4))
        print(f"{mode}: two over two {twos:.1e}, two over three {threes:.1e}")

# %% [markdown]
# ## 4. Any size
#
# Convolutions and pooling run over whatever is there, and the mean over the whole map leaves $c$ numbers however
# large the map was. A dense layer has a weight for every place and fits one size only. Network In Network introduced
# this ending; it also has far fewer parameters.

# %%
if __name__ == "__main__":
    model = nn.Sequential(nn.Conv2d(4, 3), nn.ReLU(), nn.MaxPool2d(2)).initialise(xp.zeros((1, 1, 8, 8)), seed=0)
    for size in (8, 11, 28):
        maps = model(xp.asarray(normal((1, 1, size, size), "size", size)))  # (1, 4, h', w')
        print(size, tuple(maps.shape), "->", tuple(xp.mean(maps, axis=(2, 3)).shape))

# %% [markdown]
# ## 5. Learned thinning
#
# A convolution with stride two can mix channels and choose its weights: it can learn the mean, a blur or an edge,
# each thinned out. It cannot learn the maximum, which is not linear, though a ReLU behind it helps: since
# $\max(a, b) = a + \max(0, b - a)$, two layers can do it for two numbers. Pooling costs no parameters and needs no
# data. In their experiments the convolution did as well where it had enough of both.
