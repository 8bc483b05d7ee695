# %% [markdown]
# # A dataset of images: solutions

# %%
import numpy as np
from d2l_chapters.linear_classification.image_dataset import (
    class_means,
    fashion,
    nearest_mean,
    show_images,
)

from d2l_core import xp
from d2l_core.data import FASHION_MNIST_LABELS

# %% [markdown]
# ## 1. Halving
#
# Reshape $(n, h, w)$ to $(n, h/2, 2, w/2, 2)$: rows stand one after the other in memory, so that the third axis
# runs over the two rows of a block and the fifth over its two columns. The mean over both leaves the blocks.
# Applied twice it averages over sixteen pixels, all of them and not only the four in the middle. The stripes have a
# period of four, so each striped shirt turns grey, wherever its stripes begin. One pattern is lost, as it must be,
# but none is invented.


# %%
def halve(images):
    """Images (n, h, w) with sides half as long, (n, h / 2, w / 2); each pixel is the mean of a two by two block."""
    n, h, w = images.shape
    blocks = xp.reshape(images, (n, h // 2, 2, w // 2, 2))  # (n, h, w) -> (n, h / 2, 2, w / 2, 2)
    return xp.mean(blocks, axis=(2, 4))  # (n, h / 2, w / 2)


# %% [markdown]
# ## 2. Too large for the memory
#
# Let the batches have the counts $n_1, n_2$, the means $m_1, m_2$ and the sums of squared deviations $S_1, S_2$, and
# put $n = n_1 + n_2$ and $\delta = m_2 - m_1$. The common mean is $m = m_1 + \delta\, n_2 / n$. The first batch lies
# $\delta\, n_2 / n$ away from it and the second $\delta\, n_1 / n$. A sum of squares about another point than the mean
# grows by the count times the squared distance, so
#
# $$S = S_1 + S_2 + n_1 \Big(\frac{\delta n_2}{n}\Big)^2 + n_2 \Big(\frac{\delta n_1}{n}\Big)^2
#   = S_1 + S_2 + \delta^2\, \frac{n_1 n_2}{n} ,$$
#
# a formula of Chan, Golub and LeVeque (1983). Adding up $x$ and $x^2$ is exact on paper, but the variance is then the
# difference of two numbers that may be nearly equal: for values near 3,000 with a deviation of 1 the mean of squares is
# 9,000,001, and float32 keeps seven digits of it. Nothing is left of the 1. In the merged form only deviations are
# squared.


# %%
def merge(first, second):
    """Count, mean (d,) and sum of squared deviations (d,) of two batches together."""
    (n1, mean1, squares1), (n2, mean2, squares2) = first, second
    n, difference = n1 + n2, mean2 - mean1
    return n, mean1 + difference * (n2 / n), squares1 + squares2 + difference * difference * (n1 * n2 / n)


# %%
if __name__ == "__main__":
    images, labels = fashion("train")
    total = (0, xp.zeros((784,)), xp.zeros((784,)))
    for first in range(0, len(images), 700):
        X = xp.asarray(images[first : first + 700].reshape(-1, 784) / 255)  # (B, 784)
        mean = xp.mean(X, axis=0)  # (784,)
        total = merge(total, (X.shape[0], mean, xp.sum(xp.square(X - mean), axis=0)))
    gap = np.abs(np.sqrt(xp.to_numpy(total[2]) / total[0]) - images.reshape(-1, 784).std(axis=0) / 255).max()
    print(f"largest difference of a pixel's deviation: {gap:.1e}")

# %% [markdown]
# ## 3. Fewer numbers
#
# The accuracy rises fast and is the full one with a few dozen directions. More directions only add parts of the
# pictures that are orthogonal to nearly all differences between the means, and such parts change all ten distances
# by the same amount. Ten means span at most nine directions of differences, and they lie mainly among the first
# eigenvectors, because differences between classes are a large part of the variance.


# %%
def principal_directions(images, count):
    """The eigenvectors (784, count) of the covariance with the largest eigenvalues, on the host."""
    flat = images.reshape(len(images), -1) / 255.0  # (n, 784)
    centred = (flat - flat.mean(axis=0)).astype(np.float32)
    return np.linalg.eigh(centred.T @ centred / len(flat))[1][:, ::-1][:, :count]


# %%
if __name__ == "__main__":
    val_images, val_labels = fashion("test")
    means, tests = class_means(images, labels), val_images.reshape(len(val_images), -1) / 255
    V = principal_directions(images, 784)
    for m in (1, 2, 5, 10, 20, 50, 784):
        guesses = nearest_mean(xp.asarray(tests @ V[:, :m]), xp.asarray(means @ V[:, :m]))
        print(f"{m:>3} directions: {(xp.to_numpy(guesses) == val_labels).mean():.3f}")

# %% [markdown]
# ## 4. A fairer distance
#
# It hardly matters: on the sample the accuracy moves by less than half a per cent, because the deviations of the pixels
# in the middle are much alike. The corners are nearly always black. Their deviation is close to zero, and a division by
# it turns a single grey dot there into a large distance; on a small sample some deviations are exactly zero, and then
# the result is not a number. A floor under the deviation makes the rule safe.

# %%
if __name__ == "__main__":
    deviation = images.reshape(len(images), -1).std(axis=0) / 255  # (784,)
    for floor in (1e-3, 1e-2, 1e-1):
        unit = np.maximum(deviation, floor)
        guesses = nearest_mean(xp.asarray(tests / unit), xp.asarray(means / unit))
        print(f"floor {floor}: {(xp.to_numpy(guesses) == val_labels).mean():.3f}")

# %% [markdown]
# ## 5. Near twins
#
# Squared distances of all pairs come from one matrix product, by the formula of the text. The closest pairs are
# nearly all trousers, of which a shop has many that look the same at 28 pixels; some may be one article
# photographed twice. Their distance is less than half of the usual one. They make the validation a little easier
# than the pictures of another shop would.


# %%
def nearest_pictures(tests, pictures):
    """Number of the nearest of the pictures (n, 784) for each test (m, 784), and its distance; both (m,)."""
    tests, pictures = xp.asarray(tests), xp.asarray(pictures)
    squares = xp.sum(pictures * pictures, axis=1)  # (n,)
    closeness = squares - 2.0 * xp.matmul(tests, xp.matrix_transpose(pictures))  # (m, n)
    nearest = xp.argmin(closeness, axis=1)  # (m,)
    distance = xp.min(closeness, axis=1) + xp.sum(tests * tests, axis=1)  # (m,)
    return xp.to_numpy(nearest), np.sqrt(np.maximum(xp.to_numpy(distance), 0.0))


# %%
if __name__ == "__main__":
    few = images[:6000]
    nearest, distances = nearest_pictures(tests[:500], few.reshape(len(few), -1) / 255)
    closest = np.argsort(distances)[:8]
    print(f"median distance {np.median(distances):.2f}, closest {np.round(distances[closest], 2)}")
    print([FASHION_MNIST_LABELS[label] for label in val_labels[closest]])
    show_images([*val_images[closest], *few[nearest[closest]]], columns=8)
