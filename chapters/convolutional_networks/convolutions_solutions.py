# %% [markdown]
# # Convolutions for images: solutions

# %%
import numpy as np
from d2l_chapters.convolutional_networks.convolutions import EDGE, corr2d, descend, largest_gap, wall

from d2l_core import xp
from d2l_core.lessons import scale
from d2l_core.random import normal

# %% [markdown]
# ## 1. Two in one
#
# The lesson showed that the common kernel is the convolution of both, counted over all places where they overlap
# at all. A cross-correlation with the turned kernel is a convolution, and zeros around `K` make room for `M` to
# stick out on every side.


# %%
def compose(K, M):
    """The kernel (k + p - 1, m + q - 1) that does what K (k, m) and then M (p, q) do."""
    p, q = M.shape
    wide = xp.pad(K, ((p - 1, p - 1), (q - 1, q - 1)))  # (k + 2p - 2, m + 2q - 2)
    return corr2d(wide, xp.flip(M, axis=(0, 1)))  # (k + p - 1, m + q - 1)


# %%
if __name__ == "__main__":
    X, K, M = (xp.asarray(normal(shape, "compose", len(shape), *shape)) for shape in ((9, 9), (3, 3), (2, 4)))
    print(f"gap {largest_gap(corr2d(corr2d(X, K), M), corr2d(X, compose(K, M))):.1e}")
    print(xp.to_numpy(compose(xp.asarray([[1.0, 1.0]]), xp.asarray([[1.0, 1.0]]))), "two averages of two pixels")

# %% [markdown]
# ## 2. Cheaper
#
# In a matrix of rank one every row is a multiple of one row. We take the row with the largest element in it, so
# that nothing small is divided by, and the column through that element, divided by it. For a $7 \times 7$ kernel
# each place costs 14 multiplications instead of 49. The kernels of a trained network seldom have rank one, but
# many that people write down do: Sobel's is $(1, 2, 1)^\top (-1, 0, 1)$, a normal blur is a column times a row
# because $e^{-(x^2 + y^2)}$ is a product.


# %%
def separate(K):
    """A column (k, 1) and a row (1, m) with product K (k, m), which must have rank one."""
    largest = int(xp.argmax(xp.reshape(xp.abs(K), (-1,))))
    i, j = divmod(largest, K.shape[1])
    return K[:, j : j + 1] / K[i, j], K[i : i + 1]  # (k, 1), (1, m)


# %%
if __name__ == "__main__":
    sobel = xp.asarray([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    column, row = separate(sobel)
    print(xp.to_numpy(column).ravel(), xp.to_numpy(row).ravel())
    print(f"gap {largest_gap(corr2d(corr2d(X, column), row), corr2d(X, sobel)):.1e}")

# %% [markdown]
# ## 3. Backwards to the picture
#
# Pixel $X_{pq}$ enters $Y_{ij}$ with the weight $K_{p-i,\,q-j}$. Its gradient is therefore
# $\sum_{ij} G_{ij} K_{p-i,\,q-j}$, the convolution of $\mathbf{G}$ and $\mathbf{K}$ over all places where they
# overlap. So it is `compose`, with other names: what goes forward as a cross-correlation comes back as a
# convolution.


# %%
def picture_gradient(G, K):
    """Gradient of the picture (h, w) from that of the map G (h - k + 1, w - m + 1) and the kernel K (k, m)."""
    k, m = K.shape
    wide = xp.pad(G, ((k - 1, k - 1), (m - 1, m - 1)))  # (h + k - 1, w + m - 1)
    return corr2d(wide, xp.flip(K, axis=(0, 1)))  # (h, w)


# %% [markdown]
# ## 4. Noise
#
# After 200 steps descent has reached the least-squares solution, so the error of the weights is
# $(\mathbf{P}^\top\mathbf{P})^{-1}\mathbf{P}^\top\boldsymbol\epsilon$ with the 42 patches as the rows of
# $\mathbf{P}$. Its covariance is $\sigma^2 (\mathbf{P}^\top\mathbf{P})^{-1} = 2\sigma^2\mathbf{H}^{-1}$. With
# $\sigma = 0.5$ the sum of the weights, divided by $\sqrt2$, has the deviation $0.5 \sqrt{2/60} = 0.091$, and the
# difference $0.5\sqrt{2/12} = 0.204$. Directions in which the data vary little are learned slowly *and* suffer
# more from noise: both because $\mathbf{H}$ is small there.


# %%
def noisy_errors(draws=100, sigma=0.5, steps=200):
    """Errors (draws, 2) of the sum and the difference of the weights, each over the root of two."""
    X, clean, found = xp.asarray(wall()), wall()[:, :-1] - wall()[:, 1:], []
    for draw in range(draws):
        target = xp.asarray(clean + normal((6, 7), draw, "noise", std=sigma))  # (6, 7)
        K, _ = descend(X, target, xp.zeros((1, 2)), steps=steps)
        a, b = xp.to_numpy(K)[0] - np.array(EDGE[0])
        found.append([(a + b) / np.sqrt(2), (a - b) / np.sqrt(2)])
    return np.array(found)


# %%
if __name__ == "__main__":
    print(
        "deviation of sum and difference:",
        noisy_errors(*((3, 0.5, 20) if scale() == "smoke" else (20,))).std(axis=0).round(3),
    )

# %% [markdown]
# ## 5. A better wall
#
# The four pixels of a patch must be able to vary independently: $\mathbf{H} = 2\sum \mathbf{p}\mathbf{p}^\top$,
# now $(4, 4)$, must have no eigenvalue zero. On the wall two of the four are zero, since upper and lower pixels
# are always equal. A single white pixel in a black picture suffices: it is met in each of the four positions once,
# $\mathbf{H} = 2\,\mathbf{I}$, and all directions are learned at the same speed. The map then *is* the kernel,
# turned by 180 degrees. Physicists call it the impulse response.


# %%
def patch_eigenvalues(X, k=2, m=2):
    """Eigenvalues, rising, of 2 times the sum of p p' over all patches of an array X (h, w)."""
    patches = np.lib.stride_tricks.sliding_window_view(X, (k, m)).reshape(-1, k * m)  # (h' w', k m)
    return np.linalg.eigvalsh(2.0 * patches.T @ patches)


# %%
if __name__ == "__main__":
    point = np.zeros((6, 8))
    point[3, 4] = 1.0
    true = xp.asarray([[1.0, -1.0], [0.0, 0.0]])
    for name, picture in (("wall", wall()), ("point", point)):
        X = xp.asarray(picture)
        K, losses = descend(X, corr2d(X, true), xp.zeros((2, 2)), lr=0.015, steps=40 if scale() == "smoke" else 400)
        print(name, patch_eigenvalues(picture).round(2), f"loss {losses[-1]:.1e}", xp.to_numpy(K).round(3).tolist())
