# /// lesson
# name = "convolutions"
# title = "Convolutions for images"
# sections = ["7.2"]
# needs = ["linear-regression"]
# data = ["synthetic", "fashion-mnist"]
# main = "kernel"
# [time]
# smoke = "1 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# standard = ["lesson: gap_of_conv <= 1e-5"]
# full = [
#   "kernel: loss <= 0.02", "kernel: val_loss <= 0.04", "concise: loss <= 0.02",
#   "lesson: gap_of_conv <= 1e-5", "lesson: gap_of_loops <= 1e-4", "lesson: gap_of_kernel_gradient <= 1e-4",
#   "lesson: two_numbers_accuracy >= 0.37",
# ]
# ///

# %% [markdown]
# # Convolutions for images
#
# Run a fingertip over a wall in the dark and you will find the door frame: most of the wall feels like nothing,
# and at one place something changes. You did not compare the wall with a memory of this wall. You asked the same
# small question at every place, *is it different here from a little to the left?*, and noted where the answer
# was yes.
#
# A convolutional layer does this to a picture. In this lesson we write the operation with nothing but products
# and sums, find edges with it, and then let gradient descent find the question from examples of the answers. The
# problem has two unknowns, small enough to forecast each step, including the steps that go wrong.

# %%
import numpy as np
from d2l_chapters.linear_regression.linear_regression import GradientDescent

from d2l_core import nn, optim, xp
from d2l_core.autodiff import grad, value_and_grad
from d2l_core.data import FASHION_MNIST_LABELS, Loader, load_fashion_mnist
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import conv
from d2l_core.plots import INK, house_style
from d2l_core.random import normal
from d2l_core.training import Data

# %% [markdown]
# ## The idea
#
# The small question is an array of weights, the *kernel*. Lay it over a patch of the picture, multiply what lies on
# top of each other, and add the products up: that is one number of the output. Then shift the kernel by one pixel and
# do it again, until it has been everywhere it fits. The output, called a *feature map*, is itself a picture: bright
# where the answer was a loud yes, dark where it was a loud no, and grey where there was nothing to report. Fukushima
# (1980) built a network of such layers after the visual cortex of cats; LeCun and others (1989) found the kernels by
# gradient descent.


# %%
def draw_numbers(axes, array, title, patch=None):
    """A small array as a grid of numbers, with a thick frame around the slices in `patch`."""
    from matplotlib.patches import Rectangle

    h, w = array.shape
    for i in range(h):
        for j in range(w):
            colour, strength = ("C0" if array[i, j] > 0 else "C1"), min(abs(array[i, j]) / 10, 1.0)
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colour, alpha=0.5 * strength))
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=0.8))
            axes.text(j, i, f"{array[i, j]:g}", ha="center", va="center")
    if patch:
        rows, columns = patch
        corner = (columns.start - 0.5, rows.start - 0.5)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="C1", linewidth=3))
    axes.set(title=title, xlim=(-0.6, w - 0.4), ylim=(h - 0.4, -0.6), aspect="equal")
    axes.axis("off")


@house_style
def plot_idea():
    """A kernel over a patch, and the number that comes of it."""
    import matplotlib.pyplot as plt

    X = np.array([[1, 1, 4, 4], [1, 2, 4, 3], [0, 1, 3, 4]])  # (3, 4)
    K = np.array([[-1, 1], [-1, 2]])  # (2, 2)
    Y = np.array([[np.sum(X[i : i + 2, j : j + 2] * K) for j in range(3)] for i in range(2)])  # (2, 3)
    figure, panels = plt.subplots(1, 3, figsize=(7.5, 2.3), width_ratios=(4, 2, 3))
    draw_numbers(panels[0], X, "picture", (slice(0, 2), slice(1, 3)))
    draw_numbers(panels[1], K, "kernel")
    draw_numbers(panels[2], Y, "feature map", (slice(0, 1), slice(1, 2)))
    figure.supxlabel(r"$-1\cdot 1 + 1\cdot 4 - 1\cdot 2 + 2\cdot 4 = 9$", fontsize=10, color=INK)
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ be a picture of shape $(h, w)$ and $\mathbf{K}$ a kernel of shape $(k, m)$. Their
# *cross-correlation* is $\mathbf{Y} = \mathbf{X} \star \mathbf{K}$ of shape $(h - k + 1,\, w - m + 1)$,
#
# $$Y_{ij} = \sum_{u=0}^{k-1} \sum_{v=0}^{m-1} K_{uv}\, X_{i+u,\,j+v} .$$
#
# The kernel fits into a row of $w$ pixels at $w - m + 1$ places, hence the shape.
#
# **Convolution** in the language of mathematics has the signs the other way round,
# $(\mathbf{X} * \mathbf{K})_{ij} = \sum_{u,v} K_{uv}\, X_{i-u,\,j-v}$, which is the cross-correlation with the
# kernel turned by 180 degrees (and counted from another corner). Networks compute the former and call it the
# latter. As long as kernels are learned this is harmless: descent simply finds the turned kernel. It stops being
# harmless when a kernel travels from one program to another.
#
# Why do mathematicians want the turn? Because with it the order does not matter,
# $\mathbf{X} * \mathbf{K} = \mathbf{K} * \mathbf{X}$, and neither do brackets. The turn also tells what two
# layers in a row are. Applying $\mathbf{K}$ and then $\mathbf{M}$ gives
#
# $$\sum_{a,b} M_{ab} \sum_{u,v} K_{uv}\, X_{i+a+u,\,j+b+v}
#   = \sum_{p,q} \Bigl(\sum_{a,b} M_{ab}\, K_{p-a,\,q-b}\Bigr) X_{i+p,\,j+q},$$
#
# where we put $p = a + u$ and $q = b + v$ and read elements outside a kernel as zero. The bracket is the
# convolution $\mathbf{K} * \mathbf{M}$: two cross-correlations are one, with a larger kernel. Two kernels three
# pixels wide make one that is five wide, unless something non-linear stands between them.
#
# **The gradient.** Let $L$ be a loss and $G_{ij} = \partial L / \partial Y_{ij}$. The weight $K_{uv}$ enters
# every $Y_{ij}$, with the factor $X_{i+u,\,j+v}$. Adding up over all places,
#
# $$\frac{\partial L}{\partial K_{uv}} = \sum_{i,j} G_{ij}\, X_{i+u,\,j+v},
#   \qquad\text{that is}\qquad \frac{\partial L}{\partial \mathbf{K}} = \mathbf{X} \star \mathbf{G} :$$
#
# a cross-correlation once more, now with $\mathbf{G}$ of shape $(h - k + 1, w - m + 1)$ as the kernel and an
# outcome of shape $(k, m)$. A single picture gives each weight as many lessons as there are places.

# %% [markdown]
# ## From scratch
#
# The definition can be typed as it stands, with one loop for the rows and one for the columns of the output. But
# a picture has many places and a kernel has few weights. It is better to exchange the loops: for each weight,
# take the *whole* picture shifted by the weight's position, multiply, and add up. For a $28 \times 28$ picture
# and a $3 \times 3$ kernel that is nine steps instead of 676, each of them large enough to keep a processor busy.
# The dots stand for further axes in front, so that the same function works on a batch.


# %%
def corr2d_by_places(X, K):
    """The definition, place by place: X (h, w) and K (k, m) to (h - k + 1, w - m + 1)."""
    k, m = K.shape
    h, w = X.shape[0] - k + 1, X.shape[1] - m + 1
    rows = [xp.stack([xp.sum(X[i : i + k, j : j + m] * K) for j in range(w)]) for i in range(h)]  # h times (w,)
    return xp.stack(rows)  # (h - k + 1, w - m + 1)


def corr2d(X, K):
    """Cross-correlation of X (..., h, w) with K (k, m): (..., h - k + 1, w - m + 1)."""
    k, m = K.shape
    h, w = X.shape[-2] - k + 1, X.shape[-1] - m + 1
    return sum(K[u, v] * X[..., u : u + h, v : v + w] for u in range(k) for v in range(m))  # (..., h', w')


def conv2d(X, K):
    """Convolution in the sense of mathematics, where the kernel fits: (..., h - k + 1, w - m + 1)."""
    return corr2d(X, xp.flip(K, axis=(0, 1)))


def kernel_gradient(X, G):
    """The formula of the text: gradient of the kernel from X (h, w) and the gradient G (h', w') of the output."""
    return corr2d(X, G)  # (h, w), (h - k + 1, w - m + 1) -> (k, m)


def largest_gap(a, b):
    """Largest absolute difference of two tensors of one shape, a float."""
    assert tuple(a.shape) == tuple(b.shape), f"shapes differ: {tuple(a.shape)} and {tuple(b.shape)}"
    return float(np.max(np.abs(xp.to_numpy(a) - xp.to_numpy(b))))


# %% [markdown]
# A layer is a kernel and a bias that can be trained, around this function.


# %%
class Conv2DScratch(nn.Module):
    """One kernel of the given shape, and a bias if asked for: (..., h, w) to (..., h', w')."""

    def __init__(self, window, bias=True, sigma=0.1):
        super().__init__()
        self.weight = nn.Parameter(tuple(window), nn.initialisers.Normal(sigma))
        self.bias = nn.Parameter((), nn.initialisers.Constant(0.0)) if bias else None

    def forward(self, X):
        """The feature map."""
        Y = corr2d(X, self.weight)  # (..., h, w) -> (..., h - k + 1, w - m + 1)
        return Y if self.bias is None else Y + self.bias


# %% [markdown]
# ## Concise
#
# In the library the function is `conv` and the layer `nn.Conv2d(out_channels, window)`. Both expect four axes,
# $(n, c, h, w)$: pictures, channels, rows, columns; a grey picture has one channel. Kernels have the shape (out,
# in, rows, columns). Do all of them agree, and is the formula for the gradient right?

# %%
if __name__ == "__main__":
    X, K = xp.asarray(normal((9, 7), "X")), xp.asarray(normal((3, 2), "K"))
    Y = corr2d(X, K)  # (7, 6)
    library = conv(X[None, None], K[None, None])  # (1, 1, 9, 7), (1, 1, 3, 2) -> (1, 1, 7, 6)
    turned = xp.asarray(normal((3, 2), "K")[::-1, ::-1].copy())  # (3, 2)
    _, automatic = value_and_grad(lambda K: xp.sum(xp.square(corr2d(X, K))))(K)
    print(f"convolution is cross-correlation with the turned kernel: {largest_gap(conv2d(X, turned), Y):.1e}")
    report(
        gap_of_loops=largest_gap(corr2d_by_places(X, K), Y),
        gap_of_conv=largest_gap(library[0, 0], Y),
        gap_of_kernel_gradient=largest_gap(kernel_gradient(X, 2.0 * Y), automatic),
    )

# %% [markdown]
# ## Finding edges
#
# The smallest interesting kernel has two weights, $(1, -1)$: a pixel minus its right neighbour. On an even
# surface it gives zero; where bright turns to dark it gives a positive number, where dark turns to bright a
# negative one. It is a derivative, in the only sense that pixels allow. Our wall is six pixels high and eight
# wide, with a dark door a little to the left of the middle.

# %%
EDGE = ((1.0, -1.0),)


def wall(bright=1.0, dark=0.0):
    """A picture (6, 8) of a bright wall with a dark door four pixels wide."""
    X = np.full((6, 8), bright)
    X[:, 1:5] = dark
    return X


def photographs(split="test", count=None):
    """Embedded pictures of clothes (n, 1, 28, 28), between 0 and 1 on the host, and their classes (n,)."""
    images, labels = load_fashion_mnist(split, sample=True)
    return images[:count, None] / 255.0, labels[:count]  # (n, 28, 28) -> (n, 1, 28, 28)


# %%
if __name__ == "__main__":
    X, K = xp.asarray(wall()), xp.asarray(EDGE)
    print(xp.to_numpy(corr2d(X, K)).astype(int))
    column = xp.asarray([[1.0], [-1.0]])  # (2, 1)
    print("the same kernel upright sees", int(xp.sum(xp.abs(corr2d(X, column)))), "edges")

# %% [markdown]
# The map has a column of 1 where the wall ends and the door begins, a column of $-1$ where the wall begins again,
# and zeros elsewhere. Stood upright, the kernel compares a pixel with the one below and finds nothing, as this
# wall has no horizontal edges. Real photographs have edges of all kinds. The next figure asks four questions of
# one of them: right neighbour, lower neighbour, and the two diagonals.

# %%
DIRECTIONS = {
    "vertical edges": ((1.0, -1.0),),
    "horizontal edges": ((1.0,), (-1.0,)),
    "diagonal /": ((1.0, 0.0), (0.0, -1.0)),
    "diagonal \\": ((0.0, 1.0), (-1.0, 0.0)),
}


@house_style
def plot_maps(picture, kernels):
    """A picture (h, w) and its feature maps under named kernels."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(kernels) + 1, figsize=(1.9 * (len(kernels) + 1), 2.2))
    panels[0].imshow(picture, cmap="gray")
    panels[0].set_title("picture", fontsize=9)
    for axes, (name, K) in zip(panels[1:], kernels.items(), strict=True):
        axes.imshow(xp.to_numpy(corr2d(xp.asarray(picture), xp.asarray(K))), cmap="coolwarm", vmin=-1, vmax=1)
        axes.set_title(name, fontsize=9)
    for axes in panels:
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    plot_maps(photographs()[0][0, 0], DIRECTIONS)

# %% [markdown]
# How much do such maps tell? We reduce each of the 6,000 embedded training pictures to *two* numbers, the mean of
# the absolute response to vertical and to horizontal edges, standardise both, and note the mean point of each
# class. A new picture is given the class whose point is nearest. Nothing is trained, and all that is left of 784
# pixels is how much they change sideways and downwards. For comparison: the same with the mean brightness.


# %%
def edge_energies(images, kernels):
    """Mean absolute response of pictures (n, 1, h, w) to each of m kernels: an array (n, m) on the host."""
    maps = [corr2d(xp.asarray(images), xp.asarray(K)) for K in kernels]  # m times (n, 1, h', w')
    return np.stack([xp.to_numpy(xp.mean(xp.abs(Y), axis=(1, 2, 3))) for Y in maps], axis=1)  # (n, m)


def nearest_mean(features, labels, queries):
    """Class of the nearest class mean for queries (q, m), by standardised features (n, m) with labels (n,)."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    features, queries = (features - centre) / spread, (queries - centre) / spread
    means = np.stack([features[labels == k].mean(axis=0) for k in range(10)])  # (10, m)
    return np.argmin(((queries[:, None] - means) ** 2).sum(axis=2), axis=1)  # (q, 10) -> (q,)


@house_style
def plot_energies(energies, labels):
    """Mean edge energies of each class: horizontal against vertical."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.4))
    for k, name in enumerate(FASHION_MNIST_LABELS):
        x, y = energies[labels == k].mean(axis=0)[:2]
        axes.plot(x, y, "o", color="C0")
        place = (5, -10) if name in ("ankle boot", "coat") else (5, 3)  # away from the neighbour's point
        axes.annotate(name, (x, y), xytext=place, textcoords="offset points", fontsize=8, color=INK)
    axes.set(xlabel="mean response to vertical edges", ylabel="to horizontal edges")
    axes.margins(x=0.18, y=0.1)
    return figure


# %%
if __name__ == "__main__":
    (images, labels), (queries, truth) = photographs("train"), photographs("test")
    energies = edge_energies(images, DIRECTIONS.values())  # (6000, 4)
    asked = edge_energies(queries, DIRECTIONS.values())  # (1000, 4)
    brightness = [pictures.mean(axis=(2, 3)) for pictures in (images, queries)]  # (6000, 1), (1000, 1)
    ratio = energies[:, 2] / energies[:, 3]  # (6000,)
    report(
        two_numbers_accuracy=np.mean(nearest_mean(energies[:, :2], labels, asked[:, :2]) == truth),
        brightness_accuracy=np.mean(nearest_mean(brightness[0], labels, brightness[1]) == truth),
        trouser_ratio=np.mean(energies[labels == 1, 0]) / np.mean(energies[labels == 1, 1]),
        sneaker_ratio=np.mean(energies[labels == 7, 0]) / np.mean(energies[labels == 7, 1]),
        boot_diagonals=np.mean(ratio[labels == 9]),
        shirt_diagonals=np.mean(ratio[labels == 0]),
    )

# %%
if __name__ == "__main__":
    plot_energies(energies, labels)

# %% [markdown]
# Two numbers name 38.8 %<!--lesson.two_numbers_accuracy--> of the 1,000 test pictures rightly; brightness names
# 26.0 %<!--lesson.brightness_accuracy-->, chance ten. Trousers have 4.3<!--lesson.trouser_ratio--> times as much
# vertical as horizontal edge, sneakers 0.5<!--lesson.sneaker_ratio--> times, so the two never meet; shirts, coats
# and pullovers lie on one heap, because what tells them apart is *where* their edges are, which the mean throws
# away. The diagonals hold a surprise. T-shirts respond to both alike, with a ratio of
# 1.00<!--lesson.shirt_diagonals-->, but ankle boots have 1.17<!--lesson.boot_diagonals-->: all shoes were
# photographed with the toe to the left. A kernel finds what is in the data, including how the camera stood.
#
# ## Learning the kernel
#
# Now we turn the problem round: the picture and its feature map are given, and the kernel is sought. We start
# with two small random weights and descend on the sum of the squared errors over the map,
# $L = \sum_{ij} (Y_{ij} - \hat{Y}_{ij})^2$, for ten steps at the learning rate 0.03.
#
# The forecast first. This is linear regression on the 42 patches $\mathbf{p} \in \mathbb{R}^2$ that the kernel
# meets, six rows of seven. The error of the weights is multiplied in each step by
# $\mathbf{I} - \eta\mathbf{H}$ with
#
# $$\mathbf{H} = 2 \sum_{\mathbf{p}} \mathbf{p}\mathbf{p}^\top
#   = 2 \cdot 6 \cdot \begin{pmatrix} 3 & 2 \\ 2 & 3 \end{pmatrix},$$
#
# for a row holds three bright pixels that are left neighbours, three that are right neighbours, and two pairs of
# bright pixels. By symmetry the eigenvectors are $(1, 1)/\sqrt2$ with the eigenvalue 60 and $(1, -1)/\sqrt2$ with
# 12. At $\eta = 0.03$ the two coordinates of the error, call them $s$ for the sum and $d$ for the difference, are
# multiplied by $1 - 1.8 = -0.8$ and $1 - 0.36 = 0.64$. After $t$ steps
#
# $$L_t = 30\, s_0^2 \cdot 0.8^{2t} + 6\, d_0^2 \cdot 0.64^{2t} .$$
#
# The wanted kernel lies along the second eigenvector. If the start is small, $d_0^2 \approx 2$ and $s_0 \approx 0$,
# and what the tenth step sees should be near $12 \cdot 0.64^{18} = 0.004$, plus whatever the slow, swinging sum
# contributes: its part falls only to 0.018 of its first size.


# %%
def forecast(K, steps=10, lr=0.03, eigenvalues=(60.0, 12.0)):
    """The losses (steps,) that theory gives for the wall and a first kernel K, an array (1, 2) on the host."""
    (a, b), times = (np.asarray(K, dtype=np.float64) - np.asarray(EDGE))[0], np.arange(steps)
    coordinates = np.array([a + b, a - b]) / np.sqrt(2)  # (2,)
    return sum(
        0.5 * size * c**2 * (1 - lr * size) ** (2 * times) for size, c in zip(eigenvalues, coordinates, strict=True)
    )


def descend(X, target, K, lr=0.03, steps=10):
    """Descent by hand on the summed squared error, from the kernel K on: the last kernel and the losses."""
    gradient_of = value_and_grad(lambda K: xp.sum(xp.square(corr2d(X, K) - target)))
    losses = []
    for _ in range(steps):
        value, gradient = gradient_of(K)
        K = K - lr * gradient
        losses.append(float(xp.to_numpy(value)))
    return K, losses


def summed_error(Y_hat, Y):
    """Squared error summed over each map and averaged over the pictures; both (n, 1, h', w')."""
    return xp.sum(xp.square(Y_hat - Y)) / Y.shape[0]


def wall_and_clothes(scale, seed, picture=None):
    """One training picture, the wall; for validation 1,000 photographs with the maps of the true kernel."""
    X = (wall() if picture is None else picture)[None, None]  # (1, 1, 6, 8)
    V, _ = photographs("test", 100 if scale == "smoke" else 1000)  # (n, 1, 28, 28)
    edges = [A[..., :-1] - A[..., 1:] for A in (X, V)]  # (1, 1, 6, 7), (n, 1, 28, 27)
    return Data(Loader((X, edges[0]), 1), Loader((V, edges[1]), len(V)))


shared = {"data": wall_and_clothes, "loss": summed_error, "epochs": {"smoke": 10, "standard": 10, "full": 10}}
shared |= {"headline": "loss"}
jobs = {
    "kernel": Job(
        model=lambda: Conv2DScratch((1, 2), bias=False),
        optimiser=lambda model: GradientDescent(model, lr=0.03),
        **shared,
    ),
    "concise": Job(
        model=lambda: nn.Conv2d(1, (1, 2), bias=False, weight_init=nn.initialisers.Normal(0.1)),
        optimiser=lambda model: optim.SGD(model, lr=0.03),
        **shared,
    ),
}


@house_style
def plot_descent(runs):
    """Measured losses by name against the forecasts."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.1))
    for (name, (losses, theory)), marker in zip(runs.items(), "os^", strict=False):
        (line,) = axes.semilogy(np.arange(1, len(losses) + 1), losses, marker, markersize=5, label=name)
        axes.semilogy(np.arange(1, len(losses) + 1), theory, "--", color=line.get_color(), linewidth=1)
    axes.set(xlabel="step", ylabel="summed squared error")
    axes.grid(alpha=0.3)
    axes.legend(title="dashed: the forecast")
    return figure


# %%
if __name__ == "__main__":
    scratch, concise = jobs["kernel"].run(), jobs["concise"].run()
    start = xp.to_numpy(Conv2DScratch((1, 2), bias=False).initialise(seed=0).weight)
    _, by_hand = descend(xp.asarray(wall()), corr2d(xp.asarray(wall()), xp.asarray(EDGE)), xp.asarray(start))
    theory = forecast(start)
    print("first weights", start, "losses", np.round(by_hand, 4))
    learned = xp.to_numpy(scratch.model.weight)
    report(
        gap_of_jobs=max(np.max(np.abs(np.subtract(by_hand, run.history.losses))) for run in (scratch, concise)),
        gap_of_forecast=np.max(np.abs(theory / by_hand - 1)),
        left_weight=learned[0, 0],
        right_weight=learned[0, 1],
    )

# %%
if __name__ == "__main__":
    large = np.array([[1.0, 0.8]])
    _, swinging = descend(xp.asarray(wall()), corr2d(xp.asarray(wall()), xp.asarray(EDGE)), xp.asarray(large))
    plot_descent({"small first weights": (by_hand, theory), "first weights (1, 0.8)": (swinging, forecast(large))})

# %% [markdown]
# After ten steps the weights are 0.986<!--lesson.left_weight--> and $-0.989$<!--lesson.right_weight-->, and the
# loss that the tenth step met was 0.0048<!--kernel.loss-->; over the seeds 0, 1 and 2 its mean is
# 0.0063<!--kernel.loss mean-->. The largest relative difference between measured and forecast losses is
# $3.3 \cdot 10^{-7}$<!--lesson.gap_of_forecast-->: we know everything about this training. The figure shows two
# starts. From small weights the loss falls as $0.64^{2t}$; with $(1, 0.8)$ the swinging sum dominates in the end
# and the line becomes flatter.
#
# What was learned at the wall is asked of 1,000 photographs: their maps under the learned kernel and under $(1, -1)$
# differ by a squared error of 0.007<!--kernel.val_loss--> per picture, summed over 756 places. Forty-eight pixels of
# wall were enough for a kernel that works on boots. Further down we shall see when they are not.
#
# ## Seeing further
#
# A layer with a $k \times k$ kernel lets each output see $k \times k$ inputs, its *receptive field*. Put a second
# layer on top: its output sees $k$ neighbouring places, and each of these sees $k$ pixels, starting one further
# on. Together that is $k + (k - 1)$, and for $n$ layers
#
# $$r = 1 + n\,(k - 1) .$$
#
# We can watch it with the gradient of one output with respect to the picture: it is zero for every pixel that
# this output does not depend on, and its size says how much a pixel counts.


# %%
def influence(num_layers, size=25, window=3):
    """Gradient (size, size) of the middle output of a stack of averaging layers with respect to the picture."""
    K = xp.full((window, window), 1.0 / window**2)

    def middle(X):
        for _ in range(num_layers):
            X = corr2d(X, K)  # (h, w) -> (h - k + 1, w - m + 1)
        return X[X.shape[0] // 2, X.shape[1] // 2]  # ()

    return xp.to_numpy(grad(middle)(xp.zeros((size, size))))


def seen(weights):
    """Rows and columns that an output depends on, from the gradient (h, w)."""
    return int(np.sum(np.any(weights != 0, axis=1))), int(np.sum(np.any(weights != 0, axis=0)))


def central_share(weights, width):
    """Part of the gradient (h, w) that falls into the middle square of the given width."""
    middle, half = weights.shape[0] // 2, width // 2
    square = weights[middle - half : middle + half + 1, middle - half : middle + half + 1]
    return float(square.sum() / weights.sum())


@house_style
def plot_influence(depths):
    """How much each pixel counts for one output, for stacks of several depths."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(depths), figsize=(2.2 * len(depths), 2.4))
    for axes, depth in zip(panels, depths, strict=True):
        weights = influence(depth)
        axes.imshow(weights, cmap="Blues")
        axes.set(title=f"{depth} layers, sees {seen(weights)[0]}", xticks=[], yticks=[])
    return figure


# %%
if __name__ == "__main__":
    report(field_of_five=seen(influence(5))[0], field_of_ten=seen(influence(10))[0])
    report(central_share=central_share(influence(10), 9))

# %%
if __name__ == "__main__":
    plot_influence((1, 2, 5, 10))

# %% [markdown]
# Five layers see 11<!--lesson.field_of_five--> pixels in each direction and ten layers
# 21<!--lesson.field_of_ten-->, as the formula says. But the figure does not show a square of that size; it shows a
# blot. There are many ways from the middle of the picture to the output and only one from a corner, so with equal
# weights the influence is that of a sum of ten independent steps, nearly a normal distribution whose width grows
# with the *root* of the depth. The middle $9 \times 9$ pixels, less than a fifth of the field, hold
# 84.8 %<!--lesson.central_share--> of the influence. Luo and others (2016) found the same in trained networks and
# called it the effective receptive field. To see far, depth alone is a slow way; the next lessons bring
# [strides and dilation](padding_and_stride.py) and [pooling](pooling.py).
#
# ## What goes wrong
#
# **The negative of the picture.** Paint the door white and the wall black. The edges are the same up to the sign,
# and a person would call the task the same. Now 24 of the 42 left neighbours are bright instead of 18.

# %%
if __name__ == "__main__":
    dark_wall = xp.asarray(wall(bright=0.0, dark=1.0))
    _, exploding = descend(dark_wall, corr2d(dark_wall, xp.asarray(EDGE)), xp.asarray(start))
    print("losses", np.round(exploding, 3))
    _, calm = descend(dark_wall, corr2d(dark_wall, xp.asarray(EDGE)), xp.asarray(start), lr=0.02)
    report(negative_loss=exploding[-1], negative_loss_slower=calm[-1])

# %% [markdown]
# At the same learning rate the tenth step meets a loss of 45<!--lesson.negative_loss-->. The matrix in brackets is
# now $\begin{pmatrix} 4 & 3 \\ 3 & 4 \end{pmatrix}$; the eigenvalue for the sum rises from 60 to 84, and
# $1 - 0.03 \cdot 84 = -1.52$ makes each swing larger than the last. At 0.02 the factor is $-0.68$ and the loss
# comes down to 0.099<!--lesson.negative_loss_slower-->. Brightness is not what the kernel looks for, and it decides
# about the learning rate all the same. One reason why pictures are often centred before training.
#
# **A perfect score for the wrong kernel.** Let the kernel have two rows, with the true one
# $\begin{pmatrix} 1 & -1 \\ 0 & 0 \end{pmatrix}$.

# %%
if __name__ == "__main__":
    X, true = xp.asarray(wall()), xp.asarray([[1.0, -1.0], [0.0, 0.0]])  # (6, 8), (2, 2)
    steps = 40 if scale() == "smoke" else 200
    K, losses = descend(X, corr2d(X, true), xp.zeros((2, 2)), lr=0.01, steps=steps)
    clothes = xp.asarray(photographs("test", 1000)[0])  # (1000, 1, 28, 28)
    print(np.round(xp.to_numpy(K), 3))
    report(
        wrong_kernel_loss=losses[-1],
        wrong_kernel_weight=K[1, 0],
        wrong_kernel_on_clothes=summed_error(corr2d(clothes, K), corr2d(clothes, true)),
    )

# %% [markdown]
# The loss at the wall is $1.4 \cdot 10^{-13}$<!--lesson.wrong_kernel_loss-->, zero but for rounding, and the lower
# row is not zero at all: its left weight is 0.50<!--lesson.wrong_kernel_weight-->. All rows of the wall are alike,
# so only the *sum* of the kernel's rows can be learned, and descent from zero divides it evenly. On the
# photographs the error is 3.7<!--lesson.wrong_kernel_on_clothes--> per picture. A kernel is known only as far as
# the pictures can tell: $\mathbf{H}$ has the eigenvalue zero for everything that they never show.
#
# **A kernel from elsewhere.** `np.convolve` turns the kernel, as mathematicians do. If we pass it our edge kernel,
# bright-to-dark becomes dark-to-bright; a symmetric kernel would not have shown the mistake.

# %%
if __name__ == "__main__":
    row = wall()[0]  # (8,)
    print("cross-correlation", corr2d(xp.asarray(row[None]), xp.asarray(EDGE)))
    print("np.convolve      ", np.convolve(row, EDGE[0], mode="valid"))
    print("np.correlate     ", np.correlate(row, EDGE[0], mode="valid"))

# %% [markdown]
# ## Under the surface
#
# All four frameworks compute cross-correlation and call it convolution; NumPy and SciPy have functions of both
# names that keep them apart, and signal processing libraries turn the kernel. The kernel's axes are (out, in,
# rows, columns) in PyTorch and Gluon and (rows, columns, in, out) in Keras and Flax.
#
# The first weights matter here more than anywhere, and our formula says how much. If both weights are drawn with
# mean zero and variance $\sigma^2$, then $s_0^2$ is $\sigma^2$ on average and $d_0^2$ is $2 + \sigma^2$, so the
# tenth step meets about $30 \sigma^2 \cdot 0.8^{18} + 6\,(2 + \sigma^2) \cdot 0.64^{18} = 0.54\, \sigma^2 + 0.004$.
# PyTorch draws from $\pm 1/\sqrt2$, which has the variance $1/6$: about 0.09. Keras with Glorot's rule has
# $\pm\sqrt{6/4}$ and Flax a truncated normal, both of variance $1/2$: about 0.27. Gluon's $\pm 0.07$ gives 0.005.
# One program with its default settings, four frameworks, and final losses that differ by a factor of fifty; a
# single run scatters further still. Here $\sigma = 0.1$, and the numbers are the same on each.
#
# How the sum is carried out differs as well: as one large matrix product over copied patches, by Winograd's scheme
# with fewer multiplications (Lavin and Gray, 2016), or by Fourier transforms for large kernels. The order of
# additions changes, and with it the last digits.
#
# ## Summary
#
# A convolutional layer asks one small question at every place of a picture: it lays a kernel over each patch and
# adds up products. What it computes is a cross-correlation; convolution turns the kernel first. The gradient of
# the kernel is the cross-correlation of the picture with the gradient of the map, so that each place gives a
# lesson. Learning a kernel is linear regression on patches, with speed, limit and blind spots given by the
# patches' second moments. Stacked layers see $1 + n(k - 1)$ pixels, but mostly the middle of them.
#
# ## Exercises
#
# Solutions are in `convolutions_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise convolutions` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Two in one.* Write `compose(K, M)`, the kernel of shape $(k + k' - 1,\, m + m' - 1)$ that does in one
#    cross-correlation what `K` (k, m) and then `M` (k', m') do in two.
# 2. ★ *Cheaper.* A kernel of rank one is a column times a row. Write `separate(K)`, a column (k, 1) and a row
#    (1, m) whose cross-correlations, one after the other, are that with `K`. How many multiplications does it
#    save for a $7 \times 7$ kernel?
# 3. ★ *Backwards to the picture.* Write `picture_gradient(G, K)`, the gradient of the picture (h, w) from the
#    gradient `G` (h - k + 1, w - m + 1) of the map, with `corr2d`, `xp.pad` and `xp.flip`.
# 4. *Noise.* Add normal noise of standard deviation 0.5 to the target map of the wall and descend for 200 steps,
#    with several draws. How far off are the weights? What does $\mathbf{H}$ say about which combination of them
#    suffers more?
# 5. *A better wall.* Draw a picture of $6 \times 8$ pixels from which the $2 \times 2$ kernel can be learned, and
#    show with the eigenvalues of $\mathbf{H}$ that it can.
#
# ## References
#
# - K. Fukushima (1980), *Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern
#   Recognition Unaffected by Shift in Position*, Biological Cybernetics 36.
# - Y. LeCun, B. Boser, J. S. Denker, D. Henderson, R. E. Howard, W. Hubbard and L. D. Jackel (1989),
#   *Backpropagation Applied to Handwritten Zip Code Recognition*, Neural Computation 1.
# - X. Glorot and Y. Bengio (2010), *Understanding the Difficulty of Training Deep Feedforward Neural Networks*,
#   AISTATS.
# - A. Lavin and S. Gray (2016), *Fast Algorithms for Convolutional Neural Networks*, CVPR.
# - W. Luo, Y. Li, R. Urtasun and R. Zemel (2016), *Understanding the Effective Receptive Field in Deep
#   Convolutional Neural Networks*, NIPS.
