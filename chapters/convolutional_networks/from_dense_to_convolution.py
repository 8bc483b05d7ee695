# /// lesson
# name = "from-dense-to-convolution"
# title = "From dense layers to convolutions"
# sections = ["7.1"]
# needs = ["calculus"]
# data = ["fashion-mnist"]
# [time]
# smoke = "1 s"
# standard = "10 s"
# full = "10 s"
# [promises]
# standard = ["lesson: gap_of_average <= 1e-5", "lesson: gap_of_matrix <= 1e-5", "lesson: conv_after_2 <= 0.7"]
# full = [
#   "lesson: gap_of_average <= 1e-5", "lesson: gap_of_circular <= 1e-5", "lesson: gap_of_matrix <= 1e-5",
#   "lesson: gap_of_dense >= 1", "lesson: gap_of_pooled <= 1e-5", "lesson: conv_after_2 <= 0.7",
#   "lesson: local_after_25 >= 10", "lesson: dense_after_400 >= 10", "lesson: dense_after_100 >= 1",
# ]
# ///

# %% [markdown]
# # From dense layers to convolutions
#
# A vet combs a long-haired dog for ticks. She does not need one skill for the left ear and another for the right
# paw: what a tick looks like does not depend on where it sits. Nor must she look at the tail to judge a spot on the
# nose. Nobody told her these two things; they are so plain that they hardly seem knowledge.
#
# A dense layer does not know them. Each of its outputs has its own weight for every pixel, and must see ticks at
# every place to find them at every place. In this lesson we put the two facts into a dense layer as constraints, and
# find that what remains is the [convolution](convolutions.py). We then take photographs that do not lie still and
# measure, in photographs, what each of the two facts is worth.

# %%
import numpy as np
from d2l_chapters.preliminaries.calculus import largest_gap

from d2l_core import nn, xp
from d2l_core.data import load_fashion_mnist
from d2l_core.lessons import report, scale
from d2l_core.plots import house_style
from d2l_core.random import normal, permutation, words

# %% [markdown]
# ## The idea
#
# Take a row of twelve pixels and a layer with twelve outputs, a matrix of 144 weights. First constraint: an output
# looks only at pixels near it. The matrix keeps a band around its diagonal. Second constraint: all outputs ask the
# same question, each about its own surroundings. Then the band is constant along each diagonal. The figure shows a
# matrix of each kind, with 144, 34 and 3 different weights.


# %%
@house_style
def plot_matrices(n=12):
    """A dense, a local, and a local and shared layer from n pixels to n outputs."""
    import matplotlib.pyplot as plt

    W = normal((n, n), "matrices")
    near = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= 1
    shared = sum(value * np.eye(n, k=offset) for offset, value in ((-1, -1.4), (0, 2.0), (1, 0.7)))
    figure, panels = plt.subplots(1, 3, figsize=(7.5, 2.6))
    for axes, matrix, title in zip(panels, (W, W * near, shared), ("dense", "local", "local and shared"), strict=True):
        axes.imshow(matrix, cmap="coolwarm", vmin=-2.5, vmax=2.5)
        axes.set(title=title, xlabel="pixel", ylabel="output", xticks=[], yticks=[])
    return figure


# %%
if __name__ == "__main__":
    plot_matrices()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ be a picture of shape $(h, w)$ and let the layer have as many outputs as pixels, arranged in the
# same shape. The weight from pixel $(k, l)$ to output $(i, j)$ needs four indices, and $\mathbf{W}$ has the shape
# $(h, w, h, w)$:
#
# $$Y_{ij} = \sum_{k,l} W_{ij,kl}\, X_{kl} .$$
#
# Name the pixel by its distance from the output, $k = i + u$ and $l = j + v$, and write
# $V_{ij,uv} = W_{ij,\,i+u,\,j+v}$. Nothing has changed but names:
#
# $$Y_{ij} = \sum_{u,v} V_{ij,uv}\, X_{i+u,\,j+v} .$$
#
# **Equivariance.** Let $T_{ab}$ shift a picture by $a$ rows and $b$ columns,
# $(T_{ab}\mathbf{X})_{ij} = X_{i-a,\,j-b}$. To keep borders out of the argument, what leaves the picture on one
# side comes in on the other: indices count modulo $h$ and $w$. We demand that a shifted picture gives the shifted
# output, for every picture and every shift. The output at $(i, j)$ for the shifted picture is
# $\sum V_{ij,uv}\, X_{i-a+u,\,j-b+v}$; the shifted output at $(i, j)$ is
# $Y_{i-a,\,j-b} = \sum V_{i-a\,j-b,\,uv}\, X_{i-a+u,\,j-b+v}$. As the picture is arbitrary, we may choose one that
# is 1 at a single pixel and compare term by term:
#
# $$V_{ij,uv} = V_{i-a\,j-b,\,uv} \quad\text{for all } a, b .$$
#
# So $V$ cannot depend on $i, j$ at all; call it $K_{uv}$. Conversely, if it does not, both sides are equal. **A
# linear layer is equivariant under all shifts if and only if it is a cross-correlation**,
# $Y_{ij} = \sum_{u,v} K_{uv}\, X_{i+u,\,j+v}$. Convolutions were not one good idea among others; they are the only
# layers that qualify. The same argument with turns instead of shifts leads to other layers (Cohen and Welling,
# 2016).
#
# **Locality.** That pixels farther away than $\Delta$ do not count means $K_{uv} = 0$ for $|u| > \Delta$ or
# $|v| > \Delta$. For $28 \times 28$ pixels the number of weights goes from $784^2 = 614{,}656$ to 784 by sharing, and
# with $\Delta = 2$ to 25. LeCun and others (1989) called this weight sharing and trained the first such network on
# postcodes. Locality without sharing would leave $784 \cdot 25 = 19{,}600$.
#
# **The nearest convolution.** Given any layer, which equivariant one comes closest? Undo the shift after the layer,
# and take the mean over all $hw$ shifts:
#
# $$\bar{\mathbf{W}} = \frac{1}{hw} \sum_{a,b} T_{ab}^{-1}\, \mathbf{W}\, T_{ab},
#   \qquad \bar{W}_{ij,kl} = \frac{1}{hw} \sum_{a,b} W_{i+a\,j+b,\;k+a\,l+b} .$$
#
# Shifting $i, j, k, l$ together only changes the order of the sum, so $\bar{\mathbf{W}}$ is equivariant; and the mean
# of all weights that must become equal is the choice with the least sum of squared changes. *A convolution is what is
# left of a dense layer when everything is averaged out that depends on the place.*

# %% [markdown]
# ## From scratch
#
# We try it. `average_over_shifts` knows nothing of kernels; it shifts and averages. If the theory is right, a
# random layer that has been through it must treat shifted pictures alike and must be a circular cross-correlation
# with the kernel $K_{uv} = \bar{W}_{00,uv}$.


# %%
def dense(X, W):
    """A layer with its own weight for each pair: X (h, w) and W (h, w, h, w) to (h, w)."""
    return xp.einsum("ijkl,kl->ij", W, X)  # (h, w)


def shift(X, a, b):
    """X (h, w) moved by a rows and b columns; what leaves on one side comes in on the other."""
    return xp.roll(X, (a, b), axis=(0, 1))


def equivariance_gap(layer, X):
    """Largest difference between the output of a shifted X (h, w) and the shifted output, over all shifts."""
    h, w = X.shape
    Y = layer(X)
    return max(largest_gap(layer(shift(X, a, b)), shift(Y, a, b)) for a in range(h) for b in range(w))


def average_over_shifts(W):
    """The mean of W (h, w, h, w) over all common shifts of pixels and outputs."""
    h, w = W.shape[:2]
    shifted = (xp.roll(W, (-a, -b, -a, -b), axis=(0, 1, 2, 3)) for a in range(h) for b in range(w))
    return sum(shifted) / (h * w)  # (h, w, h, w)


def circular(X, K):
    """Cross-correlation of X (h, w) with K (h, w), pixels counted around the edge: (h, w)."""
    h, w = X.shape
    return sum(K[u, v] * shift(X, -u, -v) for u in range(h) for v in range(w))  # (h, w)


# %%
if __name__ == "__main__":
    X, W = xp.asarray(normal((5, 6), "X")), xp.asarray(normal((5, 6, 5, 6), "W"))
    averaged = average_over_shifts(W)
    report(
        gap_of_dense=equivariance_gap(lambda X: dense(X, W), X),
        gap_of_average=equivariance_gap(lambda X: dense(X, averaged), X),
        gap_of_circular=largest_gap(dense(X, averaged), circular(X, averaged[0, 0])),
        different_weights=1 + int(np.sum(np.diff(np.sort(xp.to_numpy(averaged).ravel())) > 3e-6)),
    )

# %% [markdown]
# The random layer breaks the rule by up to 24.8<!--lesson.gap_of_dense-->; averaged, by
# $4.2 \cdot 10^{-7}$<!--lesson.gap_of_average-->, which is rounding. Of its 900 weights
# 30<!--lesson.different_weights--> different ones are left, one for each of the $5 \cdot 6$ distances.
#
# The other direction: a cross-correlation *is* a dense layer, and we can write its matrix down. Without the detour
# around the edge, a kernel (k, m) fits at $(h - k + 1)(w - m + 1)$ places, and each is a row of the matrix with the
# kernel's weights in the columns of the pixels that it covers.


# %%
def matrix_of(K, h, w):
    """The matrix (h' w', h w) that does to a flat picture what `correlated` with K (k, m) does to X (h, w)."""
    k, m = K.shape
    rows = []
    for i in range(h - k + 1):
        for j in range(w - m + 1):
            row = xp.pad(K, ((i, h - k - i), (j, w - m - j)))  # (k, m) -> (h, w)
            rows.append(xp.reshape(row, (h * w,)))  # (h, w) -> (h w,)
    return xp.stack(rows)  # (h' w', h w)


def correlated(X, K):
    """Cross-correlation of a picture X (h, w) with K (k, m), by the library: (h', w')."""
    return nn.functional.conv(X[None, None], K[None, None])[0, 0]  # (1, 1, h, w) -> (1, 1, h', w') -> (h', w')


def numbers_of_weights(h, w, window):
    """Weights of a layer from h x w pixels to as many outputs: dense, local, shared, local and shared."""
    pixels = h * w
    return {"dense": pixels**2, "local": pixels * window**2, "shared": pixels, "both": window**2}


# %% [markdown]
# ## Concise
#
# `nn.Conv2d(1, window)` is the constrained layer, ready-made, and `nn.Linear` the one without constraints. If we
# give the second the matrix of the first, they are the same function.

# %%
if __name__ == "__main__":
    X, K = xp.asarray(normal((7, 9), "X")), xp.asarray(normal((3, 3), "K"))
    conv = nn.Conv2d(1, 3, bias=False).initialise(X[None, None], seed=0)
    conv.weight = K[None, None]  # (1, 1, 3, 3)
    linear = nn.Linear(35, bias=False).initialise(xp.reshape(X, (1, 63)), seed=0)
    linear.weight = matrix_of(K, 7, 9)  # (35, 63)
    by_matrix = xp.reshape(linear(xp.reshape(X, (1, 63))), (5, 7))  # (1, 35) -> (5, 7)
    zeros = float(np.mean(xp.to_numpy(linear.weight) == 0))
    report(
        gap_of_matrix=max(largest_gap(by_matrix, correlated(X, K)), largest_gap(conv(X[None, None])[0, 0], by_matrix)),
        zeros_of_matrix=zeros,
    )
    print(numbers_of_weights(28, 28, 5))

# %% [markdown]
# Even for this tiny picture 85.7 %<!--lesson.zeros_of_matrix--> of the matrix is zero.
#
# ## Few photographs, which do not lie still
#
# What are the two facts worth? A camera blurs what it sees and adds some noise; a layer is to undo it. We shrink
# clothes of Fashion-MNIST to $14 \times 14$ pixels, put each at a random place of a dark square of $20 \times 20$,
# replace every pixel by the mean of its nine neighbours and add normal noise of standard deviation 0.05. From this
# the layer must give back the $16 \times 16$ pixels in the middle as they were. Three layers compete:
#
# * *dense*: each of the 256 outputs has weights for all 400 pixels;
# * *local*: each output has weights of its own for the $5 \times 5$ pixels around it;
# * *conv*: all outputs have the same $5 \times 5$ weights.
#
# We leave gradient descent out of it and compute for each layer the weights with the least squared error on the
# training photographs (where many are equally good, the smallest), exactly and in float64. What then differs is
# only what each layer can learn from so many pictures. The theory lets us forecast it. One photograph gives one
# equation to each output. A dense output has 400 unknowns and needs at least 400 photographs; a local one has 25
# unknowns and needs 25; the shared kernel has 25 unknowns and receives 256 equations from the first photograph.


# %%
def placed(images, size, *key):
    """Pictures (n, h, w) at random places of dark squares: (n, size, size)."""
    n, h, w = images.shape
    room = np.uint64(size - max(h, w) + 1)
    corners = (words(2 * n, *key) % room).astype(int).reshape(n, 2)  # (n, 2)
    squares = np.zeros((n, size, size))
    for square, image, (i, j) in zip(squares, images, corners, strict=True):
        square[i : i + h, j : j + w] = image
    return squares


def spoilt_clothes(split, count, noise=0.05):
    """Blurred and noisy photographs (n, 20, 20), and the middle of the clean ones (n, 16, 16)."""
    images, _ = load_fashion_mnist(split, sample=True)
    images = images[permutation(len(images), "spoilt", split)[:count]]  # (n, 28, 28)
    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255.0  # (n, 28, 28) -> (n, 14, 14)
    clean = placed(small, 20, "spoilt", "places", split)  # (n, 20, 20)
    wide = np.pad(clean, ((0, 0), (1, 1), (1, 1)))  # (n, 22, 22)
    blurred = sum(wide[:, u : u + 20, v : v + 20] for u in range(3) for v in range(3)) / 9.0  # (n, 20, 20)
    return blurred + normal(blurred.shape, "spoilt", "noise", split, std=noise), clean[:, 2:-2, 2:-2]


def patches(X, window=5):
    """What each output sees: (n, h, w) to (n, h' w', window * window)."""
    views = np.lib.stride_tricks.sliding_window_view(X, (window, window), axis=(1, 2))
    return views.reshape(len(X), -1, window * window)


def least_squares(A, B):
    """The smallest of the matrices (d, m) that bring A (n, d) closest to B (n, m)."""
    return np.linalg.lstsq(A, B, rcond=None)[0]


def repair(kind, train, spoilt):
    """Repaired photographs (q, 256), with a layer of the given kind fitted to pairs (n, 20, 20), (n, 16, 16)."""
    X, Y = train[0], train[1].reshape(len(train[1]), -1)  # (n, 20, 20), (n, 256)
    if kind == "dense":
        return spoilt.reshape(-1, 400) @ least_squares(X.reshape(-1, 400), Y)  # (q, 400) @ (400, 256)
    P, Q = patches(X), patches(spoilt)  # (n, 256, 25), (q, 256, 25)
    if kind == "conv":
        return Q @ least_squares(P.reshape(-1, 25), Y.reshape(-1))  # (q, 256, 25) @ (25,) -> (q, 256)
    columns = [Q[:, j] @ least_squares(P[:, j], Y[:, j]) for j in range(Y.shape[1])]  # 256 times (q,)
    return np.stack(columns, axis=1)  # (q, 256)


def errors(kinds, counts, train, test):
    """Squared error on the test pairs over that of the spoilt photographs: lists by kind, one entry a count."""
    spoilt, clean = test[0], test[1].reshape(len(test[1]), -1)
    untouched = np.mean((spoilt[:, 2:-2, 2:-2].reshape(clean.shape) - clean) ** 2)
    return {
        kind: [float(np.mean((repair(kind, [a[:n] for a in train], spoilt) - clean) ** 2) / untouched) for n in counts]
        for kind in kinds
    }


@house_style
def plot_errors(counts, found):
    """The error against the number of training photographs, for each layer."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.6, 3.4))
    for (kind, values), marker in zip(found.items(), "os^", strict=True):
        axes.loglog(counts, values, marker=marker, label=kind)
    axes.axhline(1.0, color="C5", linewidth=1, linestyle=":")
    axes.annotate("left as it was", (counts[0], 1.0), xytext=(2, 3), textcoords="offset points", fontsize=8)
    axes.set(xlabel="training photographs", ylabel="relative squared error", ylim=(0.5, 30))
    axes.grid()
    axes.legend()
    return figure


@house_style
def plot_repairs(train, test, count=100, which=3):
    """A photograph, spoilt and repaired by each layer fitted to `count` pairs."""
    import matplotlib.pyplot as plt

    pairs = [a[:count] for a in train]
    pictures = {"clean": test[1][which], "spoilt": test[0][which, 2:-2, 2:-2]}
    for kind in ("dense", "local", "conv"):
        pictures[kind] = repair(kind, pairs, test[0][which : which + 1]).reshape(16, 16)
    figure, panels = plt.subplots(1, len(pictures), figsize=(8, 1.9))
    for axes, (name, picture) in zip(panels, pictures.items(), strict=True):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axes.set_title(name)
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    counts = (1, 2, 25, 100, 400) if scale() == "smoke" else (1, 2, 5, 10, 25, 50, 100, 200, 400, 1000, 2000)
    train, test = spoilt_clothes("train", counts[-1]), spoilt_clothes("test", 100 if scale() == "smoke" else 500)
    found = errors(("dense", "local", "conv"), counts, train, test)
    for kind, values in found.items():
        report(**{f"{kind}_after_{n}": value for n, value in zip(counts, values, strict=True)})
    kernel = least_squares(patches(train[0]).reshape(-1, 25), train[1].reshape(-1)).reshape(5, 5)
    print(np.round(kernel, 2))
    report(kernel_centre=kernel[2, 2], kernel_sum=kernel.sum())

# %%
if __name__ == "__main__":
    plot_errors(counts, found)

# %%
if __name__ == "__main__":
    plot_repairs(train, test)

# %% [markdown]
# Errors are given relative to doing nothing. The convolution is at 0.77<!--lesson.conv_after_1--> after a *single*
# photograph and at 0.64<!--lesson.conv_after_10--> after ten; 2,000 bring it no further than
# 0.632<!--lesson.conv_after_2000-->. The local layer with fifty photographs is still worse than leaving the picture
# alone (1.21<!--lesson.local_after_50-->), the dense layer even with a hundred (1.15<!--lesson.dense_after_100-->).
# To come near 0.65, the convolution takes five photographs (0.655<!--lesson.conv_after_5-->), the local layer 400
# (0.650<!--lesson.local_after_400-->) and the dense layer 2,000 (0.650<!--lesson.dense_after_2000-->). Measured in
# photographs, locality was worth a factor of five here, and sharing another factor of eighty.
#
# The two spikes are the forecast come true. At 25 photographs the local layer has as many equations as unknowns: it
# fits every training picture without error, noise included, and on others its error is
# 2,077<!--lesson.local_after_25-->. At 400 the same happens to the dense layer, 11,294<!--lesson.dense_after_400-->.
# With fewer equations the smallest solution is a harmless one, with more the noise averages out; just between is the
# worst place to be. [Double descent](../multilayer_perceptrons/double_descent.py) tells more about it.
#
# There is a price. After 2,000 photographs the local layer has overtaken the convolution,
# 0.612<!--lesson.local_after_2000--> against 0.632<!--lesson.conv_after_2000-->. In the middle of the square there is
# nearly always cloth, at the rim nearly always darkness, so the best repair does depend on the place a little. A
# constraint that is nearly true saves data at first and costs accuracy in the end.
#
# The shared kernel can be read. Nine weights near 0.24, with 0.25<!--lesson.kernel_centre--> in the centre, average
# the noise away; the frame of negative weights around them takes back what the blur carried over from the neighbours.
# The sum is 0.95<!--lesson.kernel_sum-->, so that even surfaces keep their brightness almost. Nobody asked for any of
# this.
#
# ## What goes wrong
#
# **Where the place matters.** Equivariance is a promise about the world. A chess program must know whether a pawn is
# on the second row or the seventh, and a reader of X-rays on which side the heart is. A convolution with its maps
# averaged over the whole picture cannot tell them apart, whatever its kernels are.


# %%
def pooled(X, K):
    """The mean response of each of the kernels K (o, k, m) to a picture X (h, w), after a ReLU: (o,)."""
    return xp.stack([xp.mean(xp.maximum(correlated(X, K[o]), xp.asarray(0.0))) for o in range(K.shape[0])])  # (o,)


def with_columns(X):
    """The picture X (h, w) plus a ramp from 0 on the left to 1 on the right."""
    return X + xp.linspace(0.0, 1.0, X.shape[1])  # (h, w) + (w,) -> (h, w)


# %%
if __name__ == "__main__":
    boot = np.zeros((20, 40))
    boot[4:16, 4:16] = spoilt_clothes("test", 1)[1][0, 2:-2, 2:-2]  # (12, 12)
    left, right = xp.asarray(boot), xp.asarray(np.roll(boot, 20, axis=1))  # (20, 40), (20, 40)
    K = xp.asarray(normal((16, 3, 3), "kernels"))
    report(
        size_of_pooled=xp.max(xp.abs(pooled(left, K))),
        gap_of_pooled=largest_gap(pooled(left, K), pooled(right, K)),
        gap_with_ramp=largest_gap(pooled(with_columns(left), K), pooled(with_columns(right), K)),
    )

# %% [markdown]
# Sixteen random kernels answer with means of up to 0.08<!--lesson.size_of_pooled-->, and for the picture on the left
# and on the right they differ by $3.7 \cdot 10^{-9}$<!--lesson.gap_of_pooled-->. No layer on top can recover what is
# not there. If the place matters, it must be put into the input. Here a ramp from left to right makes a difference of
# 0.007<!--lesson.gap_with_ramp-->; Liu and others (2018) add one channel for the row and one for the column.
#
# **The border.** Our proof let pictures wrap around. Real ones end, and a layer that keeps its size must invent
# pixels outside, usually zeros. Then an output near the border has other neighbours than one in the middle.


# %%
def same_size(X, K):
    """Cross-correlation of X (h, w) with K (3, 3) and a frame of zeros around X: (h, w)."""
    return correlated(xp.pad(X, ((1, 1), (1, 1))), K)  # (h + 2, w + 2) -> (h, w)


# %%
if __name__ == "__main__":
    X, K = xp.asarray(1.0 + 0.1 * normal((12, 12), "bright")), xp.asarray(np.full((3, 3), 1.0 / 9.0))
    moved, expected = same_size(shift(X, 0, 3), K), shift(same_size(X, K), 0, 3)  # (12, 12), (12, 12)
    report(
        gap_in_the_middle=largest_gap(moved[1:-1, 4:-1], expected[1:-1, 4:-1]),
        gap_at_the_border=largest_gap(moved, expected),
    )

# %% [markdown]
# In the middle shifting and averaging may be exchanged, but for rounding; at the border they differ by
# 0.37<!--lesson.gap_at_the_border-->, more than a third of the brightness. So a network with such layers
# *can* learn where it is, from the darkness that comes in at the rim: sometimes a help, sometimes an unwanted one
# (Islam and others, 2020). [Padding and stride](padding_and_stride.py) looks at it more closely.
#
# ## Under the surface
#
# No framework stores the matrix: for the first layer of a network for photographs it would have billions of
# entries, nearly all zero or equal. But many of them bring the convolution into the form of a matrix product,
# because matrix products are what processors do best: they copy the patches into the rows of a large matrix, as
# `patches` does here without copying, and multiply by the kernels.
#
# Local layers without sharing are rare enough to be treated as strangers. Keras had `LocallyConnected2D` until its
# version 3, Flax has `ConvLocal` in linen and not in NNX; PyTorch and Gluon offer none, and one unfolds patches by
# hand. They are a good choice where the place carries meaning, as in pictures of faces that were all brought into one
# position.
#
# That the order of additions differs from framework to framework is visible even here: a layer that is exactly
# equivariant on paper is so only up to the last digits, because a sum at one place may be cut into blocks
# differently from the same sum at another.
#
# ## Summary
#
# A dense layer from pictures to pictures that treats all shifts alike is a cross-correlation, and nothing else is.
# Averaging any layer over all shifts gives the nearest convolution. Locality then cuts the kernel down to a few
# weights, so that each photograph gives hundreds of equations for a handful of unknowns: in our repair task ten
# photographs taught a convolution more than two thousand taught a dense layer. Where the place does matter, the
# constraint is false, and one must tell the layer the place or let it have weights of its own.
#
# ## Exercises
#
# Solutions are in `from_dense_to_convolution_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise from-dense-to-convolution` writes a stub to fill in, `d2l check FILE` examines it on every installed
# backend.
#
# 1. ★ *Around the edge.* Write `circulant(K, h, w)`, the matrix (h w, h w) of the circular cross-correlation
#    $Y_{ij} = \sum_{u,v} K_{uv} X_{i+u,\,j+v}$ with indices modulo $h$ and $w$, for a kernel `K` (k, m).
# 2. ★ *One dimension.* Write `toeplitz_average(W)`: among the matrices (n, n) that are constant along every diagonal
#    (without wrapping around), the one that is closest to `W` (n, n).
# 3. *Mirrors and turns.* Which $3 \times 3$ kernels make a layer equivariant under mirroring left and right? Under
#    turns by 90 degrees and mirroring? How many weights are left?
# 4. *A telephone's camera.* A grey photograph has twelve million pixels. How many bytes do the weights of a dense
#    layer take that keeps its size, in float32? Of a local one with $5 \times 5$ weights for each output? Of a
#    convolution?
# 5. *Noise against pictures.* Set the noise to zero and to 0.2 in `spoilt_clothes`. Where are the spikes now, and
#    how high? Explain.
#
# ## References
#
# - Y. LeCun, B. Boser, J. S. Denker, D. Henderson, R. E. Howard, W. Hubbard and L. D. Jackel (1989),
#   *Backpropagation Applied to Handwritten Zip Code Recognition*, Neural Computation 1.
# - T. Cohen and M. Welling (2016), *Group Equivariant Convolutional Networks*, ICML.
# - R. Liu, J. Lehman, P. Molino, F. P. Such, E. Frank, A. Sergeev and J. Yosinski (2018), *An Intriguing Failing of
#   Convolutional Neural Networks and the CoordConv Solution*, NeurIPS.
# - M. A. Islam, S. Jia and N. D. B. Bruce (2020), *How Much Position Information Do Convolutional Neural Networks
#   Encode?*, ICLR.
