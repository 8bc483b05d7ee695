# %% [markdown]
# # From dense layers to convolutions: solutions

# %%
import numpy as np
from d2l_chapters.convolutional_networks.from_dense_to_convolution import errors, spoilt_clothes

from d2l_core import xp
from d2l_core.lessons import scale
from d2l_core.random import normal

# %% [markdown]
# ## 1. Around the edge
#
# Row $(i, j)$ of the matrix is the kernel in the upper left corner of a picture of zeros, moved by $i$ rows and $j$
# columns with whatever leaves coming in on the other side: weight $K_{uv}$ then stands at pixel
# $(i + u, j + v)$ modulo $h$ and $w$.


# %%
def circulant(K, h, w):
    """The matrix (h w, h w) of the circular cross-correlation with K (k, m)."""
    k, m = K.shape
    corner = xp.pad(K, ((0, h - k), (0, w - m)))  # (k, m) -> (h, w)
    rows = [xp.roll(corner, (i, j), axis=(0, 1)) for i in range(h) for j in range(w)]  # h w times (h, w)
    return xp.reshape(xp.stack(rows), (h * w, h * w))  # (h w, h, w) -> (h w, h w)


# %% [markdown]
# ## 2. One dimension
#
# The sum of squares splits into one sum for each diagonal, and each is least at the mean of the diagonal. The main
# diagonal has $n$ elements to average over, the outermost a single one: without wrapping around, weights for far
# pixels are known less well. A mask for each diagonal does it.


# %%
def toeplitz_average(W):
    """The matrix (n, n), constant along every diagonal, that is closest to W (n, n)."""
    n = W.shape[0]
    masks = [xp.eye(n, k=k, dtype=W.dtype) for k in range(1 - n, n)]  # 2 n - 1 times (n, n)
    return sum(mask * (xp.sum(mask * W) / xp.sum(mask)) for mask in masks)  # (n, n)


# %%
if __name__ == "__main__":
    print(xp.to_numpy(toeplitz_average(xp.asarray(normal((4, 4), "W")))).round(2))

# %% [markdown]
# ## 3. Mirrors and turns
#
# The argument of the lesson works for any group of moves: mirroring must map $\mathbf{K}$ to itself. Left and right
# mirrored, $K_{uv} = K_{u,-v}$, leaves two columns, six weights. With turns by 90 degrees as well, all four corners
# are equal, all four edges are equal, and the centre is free: three weights. One can find them without thought, by
# averaging the kernel over the eight moves. Such a layer cannot tell $/$ from $\backslash$, nor a vertical edge from
# a horizontal one: what is symmetric cannot point anywhere. Cohen and Welling therefore keep one map for each
# direction.


# %%
def symmetric_part(K):
    """The mean of an array K (3, 3) over the turns by 90 degrees and their mirror images."""
    turns = [np.rot90(A, t) for A in (K, K[:, ::-1]) for t in range(4)]  # 8 times (3, 3)
    return np.mean(turns, axis=0)


# %%
if __name__ == "__main__":
    K = symmetric_part(normal((3, 3), "K"))
    print(K.round(3), len(np.unique(K.round(9))), "different weights")

# %% [markdown]
# ## 4. A telephone's camera
#
# With $1.2 \cdot 10^7$ pixels the dense layer has $1.44 \cdot 10^{14}$ weights; at four bytes each that is
# $5.8 \cdot 10^{14}$ bytes, 576 terabytes. The local layer has $25 \cdot 1.2 \cdot 10^7 = 3 \cdot 10^8$ weights or
# 1.2 gigabytes, which fits into memory and still asks for far more photographs than most people take. The convolution
# has 25 weights, 100 bytes.
#
# ## 5. Noise against pictures
#
# The spikes stay at 25 and 400, as equations and unknowns are counted by the shapes alone. Their height depends on
# the smallest singular value of a square matrix of data, which is an accident: it may be a hundred or a million.
#
# Without noise the convolution ends at about half of the error, but the dense layer, given a thousand photographs,
# comes to less than a tenth. Nothing is lost in the blur then, only spread, and a layer that sees everything can
# gather it again; a $5 \times 5$ window cannot. The local layer still fails after a hundred photographs, because at
# the rim some outputs have hardly seen any cloth yet. With noise of 0.2 the task is another one: the best kernel is
# nearly a plain mean, seeing far is of no use, and all errors relative to doing nothing are low, because doing
# nothing means to keep all the noise.

# %%
if __name__ == "__main__":
    counts = (2, 25) if scale() == "smoke" else (2, 25, 100, 400, 1000)
    for noise in (0.0, 0.2):
        train, test = spoilt_clothes("train", counts[-1], noise), spoilt_clothes("test", 200, noise)
        for kind, values in errors(("dense", "local", "conv"), counts, train, test).items():
            print(noise, kind, {n: float(f"{value:.3g}") for n, value in zip(counts, values, strict=True)})
