# /// lesson
# name = "lenet"
# title = "LeNet and batch normalisation"
# sections = ["7.6", "8.5"]
# needs = ["softmax-regression", "channels", "pooling"]
# data = ["fashion-mnist"]
# main = "bn-lenet"
# [time]
# smoke = "10 s"
# standard = "1 min"
# full = "5 min"
# [promises]
# full = [
#   "lenet: val_acc >= 0.717", "bn-lenet-scratch: val_acc >= 0.8665", "bn-lenet: val_acc >= 0.868",
#   "lesson: normalisation_gap <= 1e-4",
# ]
# ///

# %% [markdown]
# # LeNet and batch normalisation
#
# A shop gets back thousands of parcels a day and wants a camera to tell a shirt from a coat. To [softmax
# regression](../linear_classification/softmax_regression.py) a picture is a list of 784 unrelated numbers, and a
# shirt moved by two pixels is a different thing. We want a network that knows two facts beforehand: neighbouring
# pixels belong together, and a sleeve is a sleeve wherever it lies.
#
# A convolutional network does. The one that we build, LeNet, read bank cheques in the 1990s (LeCun and others,
# 1998). It also shows how a sound network can refuse to learn, and how *batch normalisation* cures it.

# %%
from functools import partial

import numpy as np
from d2l_chapters.convolutional_networks.channels import corr2d_multi
from d2l_chapters.convolutional_networks.convolutions import largest_gap
from d2l_chapters.convolutional_networks.pooling import windows
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist

from d2l_core import nn, optim, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.data import to_float_images
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import accuracy, cross_entropy, squared_error
from d2l_core.plots import INK, house_style
from d2l_core.random import normal
from d2l_core.training import Trainer

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## The idea
#
# A [convolution](convolutions.py) puts one small question to every place of a picture, always with the same weights,
# and writes the answers into a map; a layer with several [channels](channels.py) puts several questions.
# [Pooling](pooling.py) replaces each little square of a map by its mean: the map becomes smaller and less exact about
# the place. LeNet alternates the two until the maps are 5 pixels wide, and hands the 400 remaining numbers to three
# affine layers.


# %%
@house_style
def plot_idea():
    """The stages of LeNet, and a kernel on its way over a picture."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.1), width_ratios=(1, 2.7))
    picture = np.add.outer(np.arange(6) % 3, np.arange(6) % 2)  # (6, 6)
    left.imshow(picture, vmin=-1, vmax=6, extent=(0, 6, 0, 6))
    sums = sum(picture[u : u + 4, v : v + 4] for u in range(3) for v in range(3))  # (4, 4)
    left.imshow(sums, vmin=10, vmax=18, extent=(8, 12, 1, 5))
    for corner, colour in (((1, 2), "C1"), ((9, 3), "C1")):
        size = 3 if corner[0] < 8 else 1
        left.add_patch(Rectangle(corner, size, size, fill=False, edgecolor=colour, linewidth=2.5))
    left.annotate("", (9, 3.5), (4, 3.5), arrowprops={"arrowstyle": "->", "color": "C1", "linewidth": 1.5})
    left.text(3, 6.4, "input, 6 x 6", ha="center")
    left.text(10, 5.4, "feature map, 4 x 4", ha="center")
    left.set(xlim=(-0.2, 12.4), ylim=(-0.4, 7.4))
    stages = [("input", 1, 28), ("conv 5x5\npad 2", 6, 28), ("pool 2", 6, 14), ("conv 5x5", 16, 10), ("pool 2", 16, 5)]
    x = 0.0
    for label, channels, size in stages:
        for k in reversed(range(channels)):
            corner = (x + 0.9 * k, 20 - size / 2 + 0.9 * k)
            right.add_patch(Rectangle(corner, size, size, facecolor="C0", alpha=0.55, edgecolor=INK, linewidth=0.6))
        right.text(x + size / 2, -3, f"{channels} x {size} x {size}", ha="center", fontsize=8)
        right.text(x + size / 2, -6, label, ha="center", va="top", fontsize=8)
        x += size + 0.9 * channels + 9
    for units in (120, 84, 10):
        right.add_patch(Rectangle((x, 20 - units / 7), 2.5, units / 3.5, facecolor="C2", edgecolor=INK, linewidth=0.6))
        right.text(x + 1.2, -3, f"{units}", ha="center", fontsize=8)
        x += 9
    right.text(x - 17, -6, "affine maps", ha="center", va="top", fontsize=8)
    right.set(xlim=(-6, x), ylim=(-14, 42))
    for axes in (left, right):
        axes.set_aspect("equal")
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## What a convolution knows
#
# Let $\mathbf{X}$ be a picture with $c$ channels, $h$ rows and $w$ columns, shape $(c, h, w)$, $\mathbf{K}$ a bank of
# $o$ kernels, shape $(o, c, k, k)$, and $\mathbf{b}$ a bias for each, shape $(o,)$. The letters $o$ and $c$ also serve
# as indices. The layer computes $\mathbf{Y}$ of shape $(o, h', w')$,
#
# $$Y_{o,i,j} = b_o + \sum_{c}\sum_{u=0}^{k-1}\sum_{v=0}^{k-1} K_{o,c,u,v}\, X_{c,\,i+u,\,j+v} .$$
#
# With a frame of $p$ zeros around the picture, $w' = w + 2p - k + 1$, and $h'$ likewise ([Padding and
# stride](padding_and_stride.py)). With $k = 5$ and $p = 2$ the size stays, $28 + 4 - 5 + 1 = 28$; without a frame 14
# becomes 10, and pooling with windows of 2 side by side halves.
#
# **Sharing.** An affine map from the $28 \times 28$ pixels to six maps of that size has 3.7 million weights. Our first
# convolution is such a map, but most entries of its matrix are zero, and the others repeat the same $6 \cdot 25$
# numbers; with the biases it has 156 parameters. All 784 places of a picture train each of them, since the gradient of
# a loss $L$
#
# $$\frac{\partial L}{\partial K_{o,c,u,v}} = \sum_{i,j} \frac{\partial L}{\partial Y_{o,i,j}}\, X_{c,\,i+u,\,j+v}$$
#
# sums over them.
#
# **Equivariance.** A shifted picture gives the shifted map, except near the border, and [no other linear
# layer](from_dense_to_convolution.py) does that for all shifts. So the second of our two facts is built in. Pooling
# weakens it into what we want at the end: a map that changes little when the picture is shifted a little.
#
# ## A kernel that finds edges, learned
#
# Sobel's kernel (1968) shows where a picture becomes brighter from left to right: right column minus left,
# weighted by 1, 2, 1. Given only pictures and what it makes of them, can descent find the nine numbers?

# %%
SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def learn_kernel(X, target, steps=200, lr=0.6):
    """A 3 x 3 kernel (1, 1, 3, 3) whose feature map of X (n, 1, h, w) is near the target, and the losses."""
    gradient_of = compiled(value_and_grad(lambda K: squared_error(corr2d_multi(X, K), target)), [])
    K, losses = xp.zeros((1, 1, 3, 3)), []
    for _ in range(steps):
        value, gradient = gradient_of(K)
        K = K - lr * gradient
        losses.append(float(xp.to_numpy(value)))
    return K, losses


def patch_curvature(X, window=3):
    """Eigenvalues, rising, and eigenvectors of 2 / N times the sum of p p' over all N patches p of X (n, 1, h, w)."""
    P = xp.to_numpy(windows(X, window, stride=1)).astype(np.float64)  # (window * window, n, 1, h', w')
    P = P.reshape(window * window, -1).T  # (n h' w', window * window)
    return np.linalg.eigh(2.0 / len(P) * P.T @ P)


@house_style
def plot_edges(X, kernels):
    """A picture (1, 1, h, w) and its feature maps under named kernels."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(kernels) + 1, figsize=(2.2 * (len(kernels) + 1), 2.4))
    axes[0].imshow(xp.to_numpy(X)[0, 0], cmap="gray")
    axes[0].set_title("picture", fontsize=9)
    for ax, (name, K) in zip(axes[1:], kernels.items(), strict=True):
        ax.imshow(xp.to_numpy(corr2d_multi(X, K))[0, 0], cmap="coolwarm", vmin=-3, vmax=3)
        ax.set_title(name, fontsize=9)
    for ax in axes:
        ax.axis("off")
    return figure


# %%
if __name__ == "__main__":
    pictures, _ = next(iter(fashion_mnist(shown, 0, batch_size=32).train.epoch(0)))  # (32, 1, 28, 28)
    sobel = xp.asarray(SOBEL[None, None])  # (1, 1, 3, 3)
    target = corr2d_multi(pictures, sobel)  # (32, 1, 26, 26)
    learned, losses = learn_kernel(pictures, target)
    report(first_loss=losses[0], loss_after_20_steps=losses[20], last_loss=losses[-1])
    kernel = xp.to_numpy(learned)[0, 0]  # (3, 3)
    print(np.round(kernel, 2))
    report(middle_row=kernel[1, 2], other_row=kernel[0, 2])
    values, vectors = patch_curvature(pictures)
    report(curvature_largest=values[-1], curvature_second=values[-2], curvature_smallest=values[0])
    print("eigenvalues:", np.round(values, 4))
    print("squares of Sobel's coordinates:", np.round((vectors.T @ SOBEL.ravel()) ** 2, 2))

# %%
if __name__ == "__main__":
    early, _ = learn_kernel(pictures, target, steps=20)
    plot_edges(pictures[:1], {"Sobel": sobel, "20 steps": early, "200 steps": learned})

# %% [markdown]
# After 200 steps the loss has fallen from 0.87<!--lesson.first_loss @torch--> to
# 0.00035<!--lesson.last_loss @torch-->, yet the kernel's middle row is $\pm 1.87$<!--lesson.middle_row @torch-->
# instead of $\pm 2$, its other rows $\pm 1.06$<!--lesson.other_row @torch--> (PyTorch, seed 0). This is [linear
# regression](../linear_regression/linear_regression.py) whose examples are the $N$ patches
# $\mathbf{p} \in \mathbb{R}^9$: along an eigenvector of
# $\mathbf{H} = \frac{2}{N}\sum_{\mathbf{p}} \mathbf{p}\mathbf{p}^\top$, shape $(9, 9)$, with the eigenvalue $\lambda$
# the error shrinks by $1 - \eta\lambda$ per step, with the learning rate $\eta = 0.6$. The constant patch has an
# eigenvalue of 3.1<!--lesson.curvature_largest @torch-->; the others lie between
# 0.16<!--lesson.curvature_second @torch--> and 0.006<!--lesson.curvature_smallest @torch-->. Most of Sobel's kernel
# belongs to the second largest and is learned in a few dozen steps; the part that tells 1, 2, 1 from equal weights
# has eigenvalues near 0.012 and comes last. Pictures hardly contain it, and what the data do not show, descent does
# not learn.

# %% [markdown]
# ## LeNet
#
# Between the maps stands the sigmoid $\sigma(z) = 1 / (1 + e^{-z})$. The original had a scaled hyperbolic
# tangent there, trained factors in its pooling, and distances to stored patterns as its last layer.


# %%
class LeNet(nn.Sequential):
    """Two convolutions and three affine maps with sigmoids between them: (n, 1, 28, 28) to logits (n, num_classes).

    `norm` makes what is put between an affine map or convolution and its sigmoid, from the number of channels.
    """

    def __init__(self, num_classes=10, norm=None):
        def after(channels):
            return [norm(channels), nn.Sigmoid()] if norm else [nn.Sigmoid()]

        super().__init__(
            *(nn.Conv2d(6, 5, padding=2), *after(6), nn.AvgPool2d(2)),
            *(nn.Conv2d(16, 5), *after(16), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(120), *after(120)),
            *(nn.Linear(84), *after(84)),
            nn.Linear(num_classes),
        )


def shapes_of(model, X):
    """The output shape of every layer of an initialised model for a batch X, by path."""
    shapes = {}

    def watch(path, output):
        shapes[path] = tuple(output.shape)
        return output

    with nn.probing(watch):
        model(X)
    del shapes[model.path]
    return shapes


def count_parameters(model):
    """How many numbers training can change."""
    return sum(int(np.prod(parameter.shape)) for parameter in model.parameters().values())


# %%
if __name__ == "__main__":
    model = LeNet().initialise(xp.zeros((1, 1, 28, 28)), seed=0)
    for (_, module), (path, shape) in zip(
        list(model.named_modules())[1:], shapes_of(model, xp.zeros((1, 1, 28, 28))).items(), strict=True
    ):
        print(f"{path:>2} {type(module).__name__:<10} {shape!s:<18} {count_parameters(module):>6} parameters")
    report(parameters=count_parameters(model), of_convolutions=sum(count_parameters(model[i]) for i in (0, 3)))

# %% [markdown]
# The two convolutions hold 2,572<!--lesson.of_convolutions @torch--> of the 61,706<!--lesson.parameters @torch-->
# parameters, yet they do most of the work: the second alone takes $16 \cdot 150 \cdot 100 = 240{,}000$
# multiplications, the three affine maps together 58,920.
#
# ## Batch normalisation
#
# A layer that receives tiny or huge numbers has tiny or huge gradients. Ioffe and Szegedy (2015) proposed to
# fix the mean and the spread of every channel, *inside* the network, by the batch at hand. Let
# $x_1, \dots, x_m$ be the values of one channel over all examples and places of the batch ($m = n h w$ for maps
# $(n, c, h, w)$, $m = n$ for vectors $(n, c)$). Then
#
# $$\mu = \frac{1}{m} \sum_{i=1}^m x_i, \qquad v = \frac{1}{m} \sum_{i=1}^m (x_i - \mu)^2, \qquad
#   \hat{x}_i = \frac{x_i - \mu}{\sqrt{v + \epsilon}}, \qquad y_i = \gamma \hat{x}_i + \beta .$$
#
# The small $\epsilon$ prevents a division by zero; $\gamma$ and $\beta$, shape $(c,)$ for all channels, are
# trained, so that the layer can still choose any mean and spread.
#
# A prediction must not depend on who else is in the batch. So in training the layer gathers *running
# statistics*, $\mu_{\text{run}} \leftarrow (1 - \alpha) \mu_{\text{run}} + \alpha \mu$ with $\alpha = 0.1$ and
# the variance likewise, which in evaluation take the place of $\mu$ and $v$.
#
# **Why $m / (m - 1)$?** The running variance estimates the variance $\sigma^2$ of *all* values. If the $x_i$
# are independent with mean $\theta$, then since
# $\sum_i (x_i - \mu)^2 = \sum_i (x_i - \theta)^2 - m(\mu - \theta)^2$ and the mean of $m$ values has the
# variance $\sigma^2 / m$,
#
# $$\mathbb{E}[v] = \frac{1}{m}\left(m \sigma^2 - m \frac{\sigma^2}{m}\right) = \frac{m - 1}{m} \sigma^2 .$$
#
# So the running variance receives $v m / (m - 1)$, which is right on average. The normalisation itself keeps
# $v$, for it is to give this batch the spread one.
#
# **The gradient.** Write $g_i = \partial L / \partial y_i$ and $s = \sqrt{v + \epsilon}$. Each $\hat{x}_j$
# depends on every $x_i$ through $\mu$ and $v$: from $\partial \mu / \partial x_i = 1/m$ and
# $\partial v / \partial x_i = 2 (x_i - \mu) / m$ follows
#
# $$\frac{\partial \hat{x}_j}{\partial x_i}
#   = \frac{1}{s}\left(\delta_{ij} - \frac{1}{m}\right) - \frac{x_j - \mu}{2 s^3} \cdot \frac{2 (x_i - \mu)}{m}
#   = \frac{1}{s}\left(\delta_{ij} - \frac{1}{m} - \frac{\hat{x}_i \hat{x}_j}{m}\right)$$
#
# ($\delta_{ij}$ is 1 if $i = j$ and 0 otherwise). Multiplying by $\gamma g_j$ and summing over $j$,
#
# $$\frac{\partial L}{\partial x_i} = \frac{\gamma}{s}\left(g_i - \frac{1}{m}\sum_j g_j - \hat{x}_i \cdot
#   \frac{1}{m}\sum_j g_j \hat{x}_j\right), \qquad
#   \frac{\partial L}{\partial \gamma} = \sum_j g_j \hat{x}_j, \qquad \frac{\partial L}{\partial \beta} = \sum_j g_j .$$
#
# The bracket is $\mathbf{g} = (g_1, \dots, g_m)$ without its mean and its part along $\hat{\mathbf{x}}$: what
# would shift or stretch the whole channel is taken out, as the layer undoes it anyway. The bias of a
# convolution *before* the layer gets no gradient.
#
# **Scale.** If the weights $\mathbf{w}$ before the layer are multiplied by $a > 0$, so are all $x_i$, $\mu$ and
# $\sqrt{v}$; without $\epsilon$ the output is the same, $L(a\mathbf{w}) = L(\mathbf{w})$. Differentiating both
# sides with respect to $\mathbf{w}$, and then with respect to $a$ at $a = 1$,
#
# $$\nabla L(a \mathbf{w}) = \frac{1}{a} \nabla L(\mathbf{w}), \qquad \mathbf{w}^\top \nabla L(\mathbf{w}) = 0 .$$
#
# Larger weights get *smaller* gradients, and each step, at right angles to the weights, makes them longer. A
# step with the learning rate $\eta$ turns them by an angle proportional to $\eta / \lVert\mathbf{w}\rVert^2$:
# if the rate is too large, they grow until it is small enough.
#
# ### From scratch


# %%
class BatchNormScratch(nn.Module):
    """Batch normalisation of (n, c) or (n, c, h, w) per channel."""

    def __init__(self, num_channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter((num_channels,), nn.initialisers.Constant(1.0))
        self.bias = nn.Parameter((num_channels,), nn.initialisers.Constant(0.0))
        self.running_mean = nn.Buffer((num_channels,), nn.initialisers.Constant(0.0))
        self.running_var = nn.Buffer((num_channels,), nn.initialisers.Constant(1.0))

    def forward(self, X):
        """X normalised by the batch in training, by the running statistics in evaluation."""
        axes = (0, 2, 3) if len(X.shape) == 4 else (0,)
        shape = (1, -1, 1, 1) if len(X.shape) == 4 else (1, -1)
        if self.training:
            mean = xp.mean(X, axis=axes)  # (n, c, ...) -> (c,)
            centred = X - xp.reshape(mean, shape)
            var = xp.mean(centred * centred, axis=axes)  # (n, c, ...) -> (c,)
            count = X.shape[0] if len(X.shape) == 2 else X.shape[0] * X.shape[2] * X.shape[3]
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * count / (count - 1) * var
        else:
            mean, var = self.running_mean, self.running_var
            centred = X - xp.reshape(mean, shape)
        scale = self.weight / xp.sqrt(var + self.eps)  # (c,)
        return centred * xp.reshape(scale, shape) + xp.reshape(self.bias, shape)


def batch_norm_gradient(X, G, gamma, eps=1e-5):
    """Gradients of the input (m, c), of gamma (c,) and of beta (c,), from the gradient G (m, c) of the output."""
    centred = X - xp.mean(X, axis=0)  # (m, c) - (c,)
    s = xp.sqrt(xp.mean(centred * centred, axis=0) + eps)  # (m, c) -> (c,)
    X_hat = centred / s  # (m, c)
    along = xp.mean(G * X_hat, axis=0)  # (m, c) -> (c,)
    return gamma / s * (G - xp.mean(G, axis=0) - X_hat * along), xp.sum(G * X_hat, axis=0), xp.sum(G, axis=0)


# %% [markdown]
# ### Concise, and a check that both agree
#
# Output, gradients and statistics must agree, and so must our formula and the automatic gradient.


# %%
def normalise(X, layer=BatchNormScratch, gamma=None, **options):
    """A batch X as a fresh layer in training mode leaves it, with another gamma (c,) if one is given."""
    layer = layer(X.shape[1], **options).initialise(seed=0).train()
    if gamma is not None:
        layer.weight = gamma
    return layer(X)


def compare_batch_norms(X):
    """Largest gaps between the two layers for a batch X, (n, c) or (n, c, h, w), by what is compared."""
    found = []
    weights = xp.asarray(normal(tuple(X.shape), "weights"))
    for kind in (BatchNormScratch, nn.BatchNorm):
        _, gradient = value_and_grad(lambda X, kind=kind: xp.mean(weights * xp.square(normalise(X, kind))))(X)
        layer = kind(X.shape[1]).initialise(seed=0).train()
        Y = layer(X)
        found.append({"output": Y, "gradient": gradient, "mean": layer.running_mean, "variance": layer.running_var})
        found[-1]["evaluation"] = layer.evaluate()(X)
    return {name: largest_gap(found[0][name], found[1][name]) for name in found[0]}


# %%
if __name__ == "__main__":
    largest = 0.0
    for shape in ((8, 5), (8, 5, 6, 6)):
        gaps = compare_batch_norms(xp.asarray(3.0 + 2.0 * normal(shape, "batch")))
        print(shape, {name: f"{gap:.1e}" for name, gap in gaps.items()})
        largest = max(largest, *gaps.values())
    X, G = xp.asarray(normal((16, 3), "X")), xp.asarray(normal((16, 3), "G"))
    gamma = xp.asarray([0.5, 2.0, -1.0])
    _, automatic = value_and_grad(lambda X: xp.sum(G * normalise(X, gamma=gamma)))(X)
    by_hand, _, _ = batch_norm_gradient(X, G, gamma)
    report(normalisation_gap=largest, normalisation_gradient_gap=largest_gap(by_hand, automatic))
    print(f"mean along the batch {xp.to_numpy(xp.mean(by_hand, axis=0))}")


# %%
def mean_variance(m, rounds=20_000):
    """Mean of v over many batches of m standard normal numbers, on the host."""
    return float(normal((rounds, m), "variance", m).var(axis=1).mean())


def scale_law(a, eps=1e-5):
    """Gradient of the weights before a batch normalisation, for w and for a w, and its product with w."""
    X, target = xp.asarray(normal((64, 8), "inputs")), xp.asarray(normal((64, 4), "targets"))
    w = xp.asarray(normal((8, 4), "w"))
    gradient_of = value_and_grad(lambda w: squared_error(normalise(xp.matmul(X, w), eps=eps), target))
    first, second = xp.to_numpy(gradient_of(w)[1]), xp.to_numpy(gradient_of(a * w)[1])
    cosine = np.sum(first * xp.to_numpy(w)) / np.linalg.norm(first) / np.linalg.norm(xp.to_numpy(w))
    return float(np.linalg.norm(first)), float(np.linalg.norm(second)), float(cosine)


# %%
if __name__ == "__main__":
    for m in (2, 4, 16):
        v = mean_variance(m)
        print(f"batches of {m}: mean of v {v:.3f}, corrected {v * m / (m - 1):.3f}")
    norm, norm_of_larger, cosine = scale_law(10.0)
    print(f"gradient at w {norm:.4f}, at 10 w {norm_of_larger:.5f}, cosine between w and gradient {cosine:.0e}")

# %% [markdown]
# ## Shirts and coats
#
# The pictures of clothes are those of Xiao, Rasul and Vollgraf (2017). Three jobs: LeNet as it is, with our batch
# normalisation before every sigmoid, and with the library's. All use stochastic gradient descent with batches of 128
# for ten epochs and the rate $\eta = 0.1$; the last two take it down to zero along half a cosine from the middle of the
# run on, since at a constant rate the noise of the batches never lets the weights settle.

# %%
shared = {
    "data": partial(fashion_mnist, batch_size=128),
    "loss": cross_entropy,
    "optimiser": lambda model: optim.SGD(model, lr=0.1),
    "epochs": {"smoke": 1, "standard": 10, "full": 10},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
settling = shared | {"optimiser": lambda model: optim.SGD(model, lr=optim.schedules.Cosine(0.1, hold=0.5))}
jobs = {
    "lenet": Job(model=LeNet, **shared),
    "bn-lenet-scratch": Job(model=lambda: LeNet(norm=BatchNormScratch), **settling),
    "bn-lenet": Job(model=lambda: LeNet(norm=nn.BatchNorm), **settling),
}

# %%
if __name__ == "__main__":
    first, second = (jobs[name].run("smoke").history.losses for name in ("bn-lenet-scratch", "bn-lenet"))
    print("losses of the first steps, scratch:", np.round(first, 5))
    print("losses of the first steps, concise:", np.round(second, 5))
    np.testing.assert_allclose(second, first, rtol=1e-4)


# %%
@house_style
def plot_curves(histories):
    """Loss of each step, and validation accuracy of each epoch, by name."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.1))
    for (name, history), style in zip(histories.items(), ("-", "--", ":"), strict=False):
        left.plot(history.losses, style, linewidth=1, label=name)
        right.plot(history.column("epoch"), history.column("val_acc"), style, marker="o", markersize=3, label=name)
    left.axhline(np.log(10), color=INK, linewidth=0.8)
    left.text(0.99, 2.25, r"chance, $\ln 10$", transform=left.get_yaxis_transform(), ha="right", va="top", fontsize=8)
    left.set(xlabel="step", ylabel="training loss", ylim=(0, 2.8))
    right.axhline(0.1, color=INK, linewidth=0.8)
    right.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


# %%
if __name__ == "__main__":
    runs = {name: jobs[name].run(shown) for name in ("lenet", "bn-lenet")}
    for name, run in runs.items():
        print(name, [f"{value:.3f}" for value in run.history.column("val_acc")])
    plain, normalised = (runs[name].history.column("val_acc") for name in ("lenet", "bn-lenet"))
    report(plain_first=plain[0], plain_last=plain[-1], normalised_first=normalised[0], normalised_last=normalised[-1])
    report(plain_loss=runs["lenet"].history.final("loss"))

# %%
if __name__ == "__main__":
    plot_curves({name: run.history for name, run in runs.items()})

# %% [markdown]
# The table holds the recorded runs at full scale: each backend, with the mean and the spread over the seeds.

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("lenet"))

# %% [markdown]
# At scale `standard`, with 6,000 training and 1,000 test pictures (PyTorch, seed 0), the network with batch
# normalisation reached an accuracy of 0.709<!--lesson.normalised_first @torch--> after the first epoch of 47 steps
# and of 0.841<!--lesson.normalised_last @torch--> after the tenth. Plain LeNet had
# 0.100<!--lesson.plain_first @torch--> after the first and 0.100<!--lesson.plain_last @torch--> after the tenth, and
# its loss ended at 2.307<!--lesson.plain_loss @torch-->. Equal probabilities for all classes give $\ln 10 = 2.303$:
# it has learned nothing.
#
# At scale `full`, with all 60,000 pictures, it is still at chance after three epochs, then wakes up, and has
# 0.724<!--lenet.val_acc @torch--> at the end: its loss lies near 2.30 for more than a thousand of 4,690 steps and
# then falls below 1.5 within a few hundred. What happens in the first thousand?
#
# ## What goes wrong
#
# ### A sound network that does not start
#
# A common answer: sigmoids *saturate*. For large $|z|$ the slope $\sigma'(z) = \sigma(z)(1 - \sigma(z))$ is
# nearly zero, and nothing goes back through it. Let us see, in an untrained network, how much the outputs of
# each sigmoid differ from picture to picture, its mean slope, and the size of each layer's gradient.


# %%
def signals(norm=None, seed=0, batch=128):
    """What goes forward and back in an untrained LeNet, a dict of lists with one entry for each layer.

    `spread` is the standard deviation over the pictures of a sigmoid's output, `slope` the mean derivative of the
    sigmoid, `gradient` the root mean square of the gradient of a weight, the first layer first.
    """
    X, y = next(iter(fashion_mnist("standard", seed, batch_size=batch).train.epoch(0)))
    model = LeNet(norm=norm).initialise(X, seed=seed).train()
    outputs = {}

    def watch(path, output):
        outputs[path] = output
        return output

    with nn.probing(watch):
        model(X)
    active = [xp.to_numpy(outputs[path]) for path, m in model.named_modules() if isinstance(m, nn.Sigmoid)]
    _, gradients = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)(X, y)
    weights = [xp.to_numpy(g) for g in gradients.values() if len(g.shape) > 1]
    return {
        "spread": [float(np.mean(np.std(a, axis=0))) for a in active],
        "slope": [float(np.mean(a * (1 - a))) for a in active],
        "gradient": [float(np.sqrt(np.mean(g * g))) for g in weights],
    }


@house_style
def plot_signals(plain, normalised):
    """Spread of the activations and size of the gradients by layer."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3))
    titles = {"spread": "spread over the pictures, forward", "gradient": "rms gradient of the weights, backward"}
    for ax, (key, title) in zip(axes, titles.items(), strict=True):
        for values, label, style in ((plain, "LeNet", "o-"), (normalised, "with batch normalisation", "s--")):
            ax.semilogy(range(1, len(values[key]) + 1), values[key], style, label=label)
        ax.set(xlabel="layer", title=title, xticks=range(1, len(plain[key]) + 1))
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    return figure


# %%
if __name__ == "__main__":
    plain, normalised = signals(), signals(nn.BatchNorm)
    for name, found in (("plain", plain), ("normalised", normalised)):
        print(name, {key: [float(f"{value:.2g}") for value in values] for key, values in found.items()})
        for key, values in found.items():
            report(**{f"{name}_{key}_{layer}": value for layer, value in enumerate(values, 1)})

# %%
if __name__ == "__main__":
    plot_signals(plain, normalised)

# %% [markdown]
# The sigmoids are not saturated at all: the slopes are 0.248<!--lesson.plain_slope_1 @torch-->,
# 0.243<!--lesson.plain_slope_2 @torch-->, 0.227<!--lesson.plain_slope_3 @torch--> and
# 0.234<!--lesson.plain_slope_4 @torch-->, and the largest possible is 0.25. Just this is the trouble. The initial
# weights, drawn by the rule of Glorot and Bengio (2010), keep the spread of a signal *if the activation has slope
# one*. With a slope of a quarter each layer lets pass a quarter of the differences at best, and averaging over
# windows takes its share: the spread falls from sigmoid to sigmoid, 0.030<!--lesson.plain_spread_1 @torch-->,
# 0.0050<!--lesson.plain_spread_2 @torch-->, 0.0012<!--lesson.plain_spread_3 @torch--> and
# 0.00031<!--lesson.plain_spread_4 @torch-->. The last layer sees 84 numbers that hardly depend on the picture, and
# can learn from them only how frequent the classes are. Going back, the same slopes damp the gradient, from
# 0.032<!--lesson.plain_gradient_5 @torch--> in the last layer to 0.0039<!--lesson.plain_gradient_4 @torch-->,
# 0.00074<!--lesson.plain_gradient_3 @torch-->, 0.00037<!--lesson.plain_gradient_2 @torch--> and
# 0.000098<!--lesson.plain_gradient_1 @torch-->. Growth is slow for many hundred steps; then, as each layer's gradient
# is proportional to the weights of the others, all come to life within an epoch.
#
# Batch normalisation gives every sigmoid inputs of spread one: its outputs have the spreads
# 0.17<!--lesson.normalised_spread_1 @torch-->, 0.19<!--lesson.normalised_spread_2 @torch-->,
# 0.21<!--lesson.normalised_spread_3 @torch--> and 0.21<!--lesson.normalised_spread_4 @torch-->, and the gradient of
# the first kernels is 0.071<!--lesson.normalised_gradient_1 @torch-->, seven hundred times as large. The tangent of
# the original LeNet has zero mean and a slope near one (exercise 4).
#
# ### Evaluation mode forgotten
#
# Whoever forgets to switch to evaluation mode predicts with the statistics of the batch at hand. We try it with
# 1,000 test pictures in one batch, with one class at a time, as pictures lie in folders, and with single
# pictures.


# %%
def accuracies(model, X, y):
    """Accuracy on the same pictures: in evaluation mode, and in training mode with batches of different make.

    X is (n, 1, 28, 28) and y (n,); both are put in order of the class for the batches of one class. The
    model gets its statistics and its evaluation mode back at the end.
    """
    order = np.argsort(xp.to_numpy(y), kind="stable")
    by_class = np.split(order, np.flatnonzero(np.diff(xp.to_numpy(y)[order])) + 1)
    makes = {
        "all together": [np.arange(len(order))],
        "one class at a time": by_class,
        "one by one": np.split(order[:: max(1, len(order) // 50)], len(order[:: max(1, len(order) // 50)])),
    }
    state = model.state_dict()
    found = {"evaluation mode": share_correct(model.evaluate(), X, y, makes["all together"])}
    for make, batches in makes.items():
        found[make] = share_correct(model.train(), X, y, batches)
        model.load_state_dict(state)
    model.evaluate()
    return found


def share_correct(model, X, y, batches):
    """Share of right answers over batches of indices, in the mode in which the model is."""
    right, count = 0.0, 0
    for batch in batches:
        indices = xp.asarray(batch.astype(np.int32))
        logits = model(xp.take(X, indices, axis=0))
        right += len(batch) * float(xp.to_numpy(accuracy(logits, xp.take(y, indices, axis=0))))
        count += len(batch)
    return right / count


# %%
if __name__ == "__main__":
    model = runs["bn-lenet"].model
    X, y = next(iter(runs["bn-lenet"].data.val.epoch(0)))  # (1000, 1, 28, 28), (1000,)
    for make, value in accuracies(model, X, y).items():
        report(**{make.replace(" ", "_"): value})
    state = model.state_dict()
    model.train()
    print("logits of two single pictures in training mode:")
    print(xp.to_numpy(model(X[:1])).round(3), xp.to_numpy(model(X[1:2])).round(3), sep="\n")
    model.load_state_dict(state)
    model.evaluate()
    try:
        BatchNormScratch(3)(xp.ones((1, 3)))
    except ZeroDivisionError as error:
        print("our layer, one example, one pixel:", error)

# %% [markdown]
# In evaluation mode the model gets 84.1 %<!--lesson.evaluation_mode @torch--> of the pictures right (PyTorch, seed 0,
# scale `standard`), and with all of them in one training-mode batch 84.1 %<!--lesson.all_together @torch-->, which is
# the trap: the obvious test passes. With one class at a time, the same pictures and weights give
# 21.2 %<!--lesson.one_class_at_a_time @torch-->. In a batch of nothing but trousers the mean *is* trousers, and it is
# subtracted: the answer for one picture depends on the others.
#
# Single pictures give 10.0 %<!--lesson.one_by_one @torch-->, which is chance. For vectors a batch of one has
# $x = \mu$, hence $\hat{x} = 0$ and $y = \beta$: any two pictures get the same logits. Our own layer stops with a
# division by zero in $m / (m - 1)$, which is kinder. Besides, each call in training mode moves the running
# statistics. The `Trainer` switches the modes; in a loop of your own, call `model.evaluate()` before every
# prediction.
#
# ### Channels last
#
# Image files and half of the frameworks store the channels of a picture last, $(n, h, w, c)$; our layers want
# $(n, c, h, w)$. If they are mixed up, a trained LeNet refuses, as its kernels have one channel and the
# "picture" 28. But a layer that learns its number of channels from the first batch takes whatever comes.


# %%
def channels_last(images, labels):
    """Pictures as many programs store them, (n, 28, 28, 1), which our layers are not made for."""
    X, y = to_float_images(images, labels)  # (n, 1, 28, 28)
    return xp.permute_dims(X, (0, 2, 3, 1)), y


def tolerant():
    """A small network that takes pictures of any shape (n, c, h, w)."""
    return nn.Sequential(nn.Conv2d(16, 5, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(10))


def untouched_weights(model, X, seed=0):
    """Share of the first layer's weights that training has left exactly where they began."""
    before = tolerant().initialise(X, seed=seed)
    return float(np.mean(xp.to_numpy(before[0].weight) == xp.to_numpy(model[0].weight)))


def train_tolerant(transform, scale="standard", epochs=3, seed=0):
    """The tolerant network after training on pictures in some layout: model, history, a batch."""
    data = fashion_mnist(scale, seed, batch_size=128, transform=transform)
    model = tolerant()
    history = Trainer(epochs, seed=seed).fit(
        model,
        data,
        loss=cross_entropy,
        optimiser=lambda m: optim.SGD(m, lr=0.1),
        metrics={"acc": accuracy},
    )
    return model, history, next(iter(data.val.epoch(0)))


# %%
if __name__ == "__main__":
    X, y = channels_last(*(xp.asarray(a[:8]) for a in runs["lenet"].data.val.arrays))  # (8, 28, 28, 1), (8,)
    try:
        runs["lenet"].model(X)
    except Exception as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0][:200]}")
    for name, transform in (("channels first", to_float_images), ("channels last", channels_last)):
        model, history, (X, _) = train_tolerant(transform, shown)
        print(
            f"{name}: first kernel bank {tuple(model[0].weight.shape)}, {count_parameters(model)} parameters, "
            f"never moved {untouched_weights(model, X):.0%}"
        )
        report(**{f"{name.replace(' ', '_')}_val_acc": history.final("val_acc")})
        report(**{f"{name.replace(' ', '_')}_untouched": untouched_weights(model, X)})

# %% [markdown]
# On the wrong layout the tolerant network reaches 0.782<!--lesson.channels_last_val_acc @torch--> where the right one
# gives 0.824<!--lesson.channels_first_val_acc @torch--> after three epochs (PyTorch, seed 0): good enough to go
# unnoticed. The 28 rows became channels one pixel wide. Four of the five columns of each kernel only ever meet
# padding, so 80 %<!--lesson.channels_last_untouched @torch--> of the first layer's weights remain exactly where they
# began; in the right layout 0 %<!--lesson.channels_first_untouched @torch--> do. The other sign is their shape, (16,
# 28, 5, 5) instead of (16, 1, 5, 5). If you say what you expect, `nn.Conv2d(16, 5, in_channels=1)`, the layer
# complains.

# %% [markdown]
# ## Under the surface
#
# **Layout.** PyTorch and MXNet store pictures as $(n, c, h, w)$ and kernels as (out, in, rows, columns); Keras
# and Flax by default as $(n, h, w, c)$ and (rows, columns, in, out). Behind `Flatten` the 400 numbers then come
# in another order, and unless the columns of the first affine weight are permuted, a converted LeNet gives
# nonsense with every shape correct. Here channels come first on every backend.
#
# **Batch normalisation.** The `momentum` of PyTorch (0.1) is the weight of the *new* statistics; that of Keras
# and Flax (both 0.99) and of Gluon (0.9) is the weight of the *old* ones. After the 47 steps of an epoch at
# scale `standard` the start still counts $0.99^{47} = 0.62$ with the former and $0.9^{47} = 0.007$ with the
# latter. The running variance of PyTorch has the factor $m / (m - 1)$; those of Flax, Keras (3.15) and Gluon
# (1.9.1) have none. The $\epsilon$ is $10^{-5}$ in PyTorch, Flax and Gluon, but $10^{-3}$ in Keras, which
# shrinks a channel with variance 0.001 by $\sqrt{2}$.
#
# **First values.** PyTorch draws kernels uniformly from $\pm 1 / \sqrt{\text{fan in}}$, Keras by the rule of
# Glorot and Bengio, Flax from a truncated normal with variance $1 / \text{fan in}$, Gluon uniformly from
# $\pm 0.07$. Here the rule is Glorot's and the numbers are the same everywhere.
#
# ## Summary
#
# A convolution is an affine map in which only near pixels meet and the same weights apply at each place; shifts
# of the input become shifts of the output. LeNet with sigmoids stays at chance for a thousand steps because
# four slopes of at most a quarter wipe out the differences between pictures on the way up and the gradients on
# the way down. Batch normalisation removes the plateau, but in training mode predictions depend on the rest of
# the batch. Layouts and the meaning of momentum differ between frameworks without an error message.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise lenet` writes a stub to fill in, `d2l check
# FILE` examines it on every installed backend. Solutions are in `lenet_solutions.py`.
#
# 1. ★ *Backwards.* Write `input_gradient(G, K)`, the gradient of the input of a convolution (stride 1, no
#    padding) from that of its output, G of shape (n, o, h', w'), and the kernels K (o, c, k, k). You may use
#    `corr2d_multi` of [Several input and output channels](channels.py).
# 2. ★ *Away with the layer.* In evaluation a batch normalisation behind a convolution can be merged into it.
#    Write `fold(weight, bias, norm)`, the new kernels and bias; `norm` has the attributes `weight`, `bias`,
#    `running_mean`, `running_var` and `eps`.
# 3. *A bias that does nothing.* Which parameters of `bn-lenet` get no gradient, and how many? May one leave
#    them out?
# 4. *Another activation.* Replace the sigmoids of plain LeNet by hyperbolic tangents and by ReLUs. Which of the
#    two leaves the plateau, and why? Run the job.
# 5. *Batches of two.* What does batch normalisation make of two vectors, and what is the gradient of its input?
#    Compute first, then look.
#
# ## References
#
# - I. Sobel and G. Feldman (1968), *A 3x3 Isotropic Gradient Operator for Image Processing*, talk at the
#   Stanford Artificial Intelligence Project.
# - Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), *Gradient-Based Learning Applied to Document
#   Recognition*, Proceedings of the IEEE 86.
# - X. Glorot and Y. Bengio (2010), *Understanding the Difficulty of Training Deep Feedforward Neural Networks*,
#   AISTATS.
# - S. Ioffe and C. Szegedy (2015), *Batch Normalization: Accelerating Deep Network Training by Reducing
#   Internal Covariate Shift*, ICML.
# - H. Xiao, K. Rasul and R. Vollgraf (2017), *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
#   Learning Algorithms*, arXiv:1708.07747.
