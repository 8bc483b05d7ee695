# /// lesson
# name = "channels"
# title = "Several input and output channels"
# sections = ["7.4"]
# needs = ["convolutions", "padding-and-stride"]
# data = ["fashion-mnist"]
# main = "full"
# [time]
# smoke = "3 s"
# standard = "20 s"
# full = "20 s"
# [promises]
# standard = ["lesson: gap_of_multi <= 1e-4", "lesson: gap_of_pointwise <= 1e-4", "lesson: gap_of_groups <= 1e-4"]
# full = [
#   "full: val_acc >= 0.76", "separable: val_acc >= 0.74", "lesson: gap_of_multi <= 1e-4",
#   "lesson: gap_of_pointwise <= 1e-4", "lesson: gap_of_groups <= 1e-4", "lesson: gap_of_separable <= 1e-4",
#   "lesson: influence_across_groups <= 0", "lesson: gap_of_grey <= 1e-6",
# ]
# ///

# %% [markdown]
# # Several input and output channels
#
# Photograph a traffic light in black and white and show the picture to someone who does not know which lamp is on
# top: the question whether to stop has no answer any more. Red and green can be of the same brightness, and
# brightness was all that was kept. A colour photograph has three numbers for each place, a picture from a satellite a
# dozen, and a layer inside a network some hundreds, one for each question that the layer before has asked.
#
# So far our convolution took one picture and gave one map. Now both sides become many. We define the operation, look
# at the peculiar case of a kernel that is one pixel wide, count what it all costs, and then take the costs apart:
# most of the multiplications can be saved, and we measure what is lost with them.

# %%
import numpy as np
from d2l_chapters.convolutional_networks.convolutions import corr2d, largest_gap
from d2l_chapters.convolutional_networks.padding_and_stride import extent

from d2l_core import nn, optim, xp
from d2l_core.autodiff import grad
from d2l_core.data import Loader, load_fashion_mnist
from d2l_core.lessons import Job, report
from d2l_core.nn.functional import accuracy, conv, cross_entropy
from d2l_core.plots import Diagram, house_style
from d2l_core.random import normal
from d2l_core.training import Data

# %% [markdown]
# ## The idea
#
# A picture with $c$ *channels* is a stack of $c$ pictures of the same place. To ask a question about it, use a kernel
# for each channel, cross-correlate each with its own, and add the $c$ maps up: one map, which may say "red *and not*
# green". To ask several questions, do it several times with other kernels, and stack the answers. The outputs are
# channels again, so that layers can follow one another.


# %%
def diagram_channels():
    """Two input channels, three output channels, and the six kernels between them."""
    diagram = Diagram(560, 250, "six kernels between two input and three output channels")
    inputs = [diagram.box(10, y, 110, 40, label) for y, label in ((60, "channel 0"), (150, "channel 1"))]
    outputs = [diagram.box(420, y, 130, 40, f"sum: map {o}") for o, y in enumerate((20, 105, 190))]
    for c, source in enumerate(inputs):
        for o, target in enumerate(outputs):
            diagram.arrow(source, target, f"K{o}{c}" if (o, c) in ((0, 0), (2, 1)) else "")
    diagram.text(270, 238, "one kernel (k, k) on each arrow")
    return diagram


# %%
if __name__ == "__main__":
    diagram_channels()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ have the shape $(c, h, w)$, the kernels $\mathbf{K}$ the shape $(o, c, k, k)$ and the biases
# $\mathbf{b}$ the shape $(o,)$. With $\star$ for the [cross-correlation](convolutions.py) of two matrices, output
# channel $q$ is
#
# $$\mathbf{Y}_q = b_q + \sum_{r=0}^{c-1} \mathbf{X}_r \star \mathbf{K}_{qr}, \qquad
#   Y_{qij} = b_q + \sum_r \sum_{u,v} K_{qruv}\, X_{r,\,i+u,\,j+v},$$
#
# and $\mathbf{Y}$ has the shape $(o, h', w')$. In space the layer is local and shared; *across channels it is dense*,
# every output channel sees every input channel.
#
# **Cost.** There are $o\,(c k^2 + 1)$ parameters. Each of the $o h' w'$ outputs takes $c k^2$ multiplications,
# together $o\, c\, k^2\, h' w'$. Parameters do not depend on the size of the picture; multiplications do. Doubling
# all channels makes both four times as large, which is why a network that doubles its channels usually halves height
# and width at the same time, to keep the multiplications equal.
#
# **One pixel wide.** With $k = 1$ the sum over $u, v$ disappears: $Y_{qij} = \sum_r K_{qr} X_{rij}$. Write the
# picture as a matrix $(c, hw)$ with a column for each pixel, the kernels as $(o, c)$; then the layer is the product
#
# $$\mathbf{Y} = \mathbf{K}\mathbf{X}, \qquad (o, c) \cdot (c, hw) \to (o, hw),$$
#
# a dense layer from $c$ to $o$ numbers, applied to each pixel with the same weights. Lin and others (2014) put it
# between spatial layers to mix channels; it also serves to make channels fewer before an expensive layer. The other
# way round, a $k \times k$ convolution is a sum of $k^2$ such products, one for each offset $(u, v)$, each on a
# shifted picture. We shall program it like this.
#
# **Groups.** Cut the input and the output channels into $g$ groups and connect only groups with the same number:
# weights and multiplications are divided by $g$. In the extreme, $g = c = o$, each channel is filtered for itself;
# that is a *depthwise* convolution with $c k^2$ weights. It mixes places and no channels, a $1 \times 1$ convolution
# mixes channels and no places, and one after the other they are called *separable*. Their multiplications relative to
# the full layer are
#
# $$\frac{c k^2 h w + o\, c\, h w}{o\, c\, k^2 h w} = \frac{1}{o} + \frac{1}{k^2},$$
#
# about a ninth for $k = 3$ and many channels.
#
# **What is given up?** Call the depthwise kernels $D_{ruv}$ and the weights of the mixing $P_{qr}$. Both together are
# the full layer with $K_{qruv} = P_{qr} D_{ruv}$. For each input channel $r$, read the kernels as a matrix of shape
# $(o, k^2)$, one row for each output: it is a column times a row. *A separable layer is a full one in which, for
# every input channel, the matrix of kernels has rank one*: all outputs look at channel $r$ through the same kernel
# and differ only in how much they care. So we also know the best separable approximation of a given layer: for each
# $r$ the first term of the singular value decomposition, and the share of the squared weights that it keeps is the
# square of the first singular value over the sum of all squares.

# %% [markdown]
# ## From scratch
#
# First the formula for one picture, read literally; then the version for batches, with stride and padding, as a sum
# over offsets of $1 \times 1$ convolutions.


# %%
def corr2d_multi_in(X, K):
    """One output channel: X (..., c, h, w) with K (c, k, m) to (..., h', w')."""
    return sum(corr2d(X[..., r, :, :], K[r]) for r in range(K.shape[0]))  # c times (..., h', w')


def corr2d_multi_in_out(X, K):
    """Several output channels: X (..., c, h, w) with K (o, c, k, m) to (..., o, h', w')."""
    return xp.stack([corr2d_multi_in(X, K[q]) for q in range(K.shape[0])], axis=-3)  # (..., o, h', w')


def pointwise(X, K):
    """A convolution one pixel wide as a matrix product: X (n, c, h, w) with K (o, c) to (n, o, h, w)."""
    n, c, h, w = X.shape
    Y = xp.matmul(K, xp.reshape(X, (n, c, h * w)))  # (o, c) @ (n, c, h w) -> (n, o, h w)
    return xp.reshape(Y, (n, K.shape[0], h, w))  # (n, o, h, w)


def corr2d_multi(X, K, bias=None, stride=1, padding=0):
    """Cross-correlation of X (n, c, h, w) with K (o, c, k, m): (n, o, h', w')."""
    X = xp.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))  # (n, c, h + 2p, w + 2p)
    h, w = (extent(n, size, stride=stride) for n, size in zip(X.shape[2:], K.shape[2:], strict=True))
    rows, columns = (h - 1) * stride + 1, (w - 1) * stride + 1
    Y = sum(
        pointwise(X[:, :, u : u + rows : stride, v : v + columns : stride], K[:, :, u, v])  # (n, o, h', w')
        for u in range(K.shape[2])
        for v in range(K.shape[3])
    )
    return Y if bias is None else Y + xp.reshape(bias, (1, -1, 1, 1))


def corr2d_grouped(X, K, groups, padding=0):
    """X (n, c, h, w) with K (o, c / groups, k, m), group by group: (n, o, h', w')."""
    wide, high = X.shape[1] // groups, K.shape[0] // groups  # channels of a group, in and out
    parts = [
        corr2d_multi(X[:, g * wide : (g + 1) * wide], K[g * high : (g + 1) * high], padding=padding)
        for g in range(groups)
    ]
    return xp.concat(parts, axis=1)  # groups times (n, o / groups, h', w') -> (n, o, h', w')


def cost(c, o, k, h, w, groups=1):
    """Parameters without bias, and multiplications for outputs of size (h, w), of a layer from c to o channels."""
    weights = o * c // groups * k * k
    return weights, weights * h * w


# %% [markdown]
# ## Concise
#
# `nn.Conv2d(o, k)` learns the number of input channels from the first batch; `groups` does what it says. All of our
# versions must agree with it, and the product of the matrices with the convolution one pixel wide.

# %%
if __name__ == "__main__":
    X, K, bias = (xp.asarray(normal(shape, "multi", len(shape))) for shape in ((2, 4, 7, 6), (5, 4, 9), (5,)))
    K = xp.reshape(K, (5, 4, 3, 3))  # (5, 4, 9) -> (5, 4, 3, 3)
    library = conv(X, K)  # (2, 5, 5, 4)
    layer = nn.Conv2d(5, 3, stride=2, padding=1).initialise(X, seed=0)
    layer.weight, layer.bias = K, bias
    narrow, split = K[:, :, 0, 0], K[:4, :2]  # (5, 4), (4, 2, 3, 3)
    report(
        gap_of_multi=max(
            largest_gap(corr2d_multi_in_out(X, K), library),
            largest_gap(corr2d_multi(X, K), library),
            largest_gap(corr2d_multi(X, K, bias, stride=2, padding=1), layer(X)),
        ),
        gap_of_pointwise=largest_gap(pointwise(X, narrow), conv(X, narrow[:, :, None, None])),
        gap_of_groups=largest_gap(corr2d_grouped(X, split, groups=2), conv(X, split, groups=2)),
    )

# %% [markdown]
# Now the lamp. Its picture has three channels, red, green and blue, and the grey version is their mean. Red and green
# light give the same grey picture; one kernel of three numbers tells them apart.


# %%
def lamp(channel):
    """A picture (3, 8, 8) of a round lamp that shines in one of the channels."""
    i, j = np.indices((8, 8)) - 3.5
    picture = np.zeros((3, 8, 8))
    picture[channel] = i**2 + j**2 < 9
    return picture


# %%
if __name__ == "__main__":
    stop, go = (xp.asarray(lamp(channel)[None]) for channel in (0, 1))  # (1, 3, 8, 8) each
    red_not_green = xp.asarray([[1.0, -1.0, 0.0]])  # (1, 3)
    report(
        gap_of_grey=largest_gap(xp.mean(stop, axis=1), xp.mean(go, axis=1)),
        red_says=xp.sum(pointwise(stop, red_not_green)),
        green_says=xp.sum(pointwise(go, red_not_green)),
    )

# %% [markdown]
# The grey pictures differ by 0<!--lesson.gap_of_grey-->; the sums over the map are 32<!--lesson.red_says--> and
# $-32$<!--lesson.green_says-->.
#
# ## What the multiplications buy
#
# A layer from 256 to 256 channels on maps of $28 \times 28$ is nothing special. What does it cost?

# %%
if __name__ == "__main__":
    full = cost(256, 256, 3, 28, 28)
    parts = cost(256, 256, 3, 28, 28, groups=256), cost(256, 256, 1, 28, 28)
    report(full_multiplications=full[1], separable_multiplications=parts[0][1] + parts[1][1])
    report(ratio=(parts[0][1] + parts[1][1]) / full[1])

# %% [markdown]
# $4.62 \cdot 10^8$<!--lesson.full_multiplications--> multiplications against
# $5.3 \cdot 10^7$<!--lesson.separable_multiplications-->, a ratio of 0.115<!--lesson.ratio-->, as
# $\frac{1}{256} + \frac19$ says. Xception (Chollet, 2017) and MobileNet (Howard
# and others, 2017) are built of such layers, the latter for telephones.
#
# Does the network get worse? We train two small ones on 1,500 pictures of clothes, 14 pixels wide, for five epochs.
# The first layer makes eight channels; the second, the one we change, sixteen of eight. *Full* has
# $16 \cdot 8 \cdot 9 = 1{,}152$ weights there, *separable* $72 + 128 = 200$.


# %%
def small_clothes(scale, seed):
    """1,500 + 1,000 small pictures (n, 1, 14, 14); 150 + 100 at smoke scale."""
    loaders, share = [], 10 if scale == "smoke" else 1
    for split, count in (("train", 150 // share), ("test", 100 // share)):
        images, labels = load_fashion_mnist(split, sample=True)
        chosen = np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)])
        small = images[chosen].reshape(-1, 1, 14, 2, 14, 2).mean(axis=(3, 5)) / 255.0  # (n, 28, 28) -> (n, 1, 14, 14)
        loaders.append(((small, labels[chosen]), 50 if split == "train" else 1000))
    (train, size), (val, rest) = loaders
    return Data(Loader(train, size, shuffle=True, stream=(seed, "shuffle")), Loader(val, rest))


def network(*second):
    """Two convolutions and an affine map, with the second convolution to be filled in."""
    return nn.Sequential(
        *(nn.Conv2d(8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)),  # (n, 1, 14, 14) -> (n, 8, 7, 7)
        *(*second, nn.ReLU(), nn.Flatten(), nn.Linear(10)),  # (n, 16, 7, 7) -> (n, 784) -> (n, 10)
    )


def full_network():
    """The second layer connects all channels."""
    return network(nn.Conv2d(16, 3, padding=1))


def separable_network():
    """The second layer filters each channel for itself, then mixes them."""
    return network(nn.Conv2d(8, 3, padding=1, groups=8, bias=False), nn.Conv2d(16, 1))


shared = {
    "data": small_clothes,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.Adam(model, lr=0.01),
    "epochs": {"smoke": 1, "standard": 5, "full": 5},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
jobs = {"full": Job(model=full_network, **shared), "separable": Job(model=separable_network, **shared)}


def merged(depthwise, mixing):
    """The full kernels (o, c, k, k) of depthwise kernels (c, 1, k, k) followed by mixing ones (o, c, 1, 1)."""
    return mixing * xp.permute_dims(depthwise, (1, 0, 2, 3))  # (o, c, 1, 1) * (1, c, k, k) -> (o, c, k, k)


def best_separable(K):
    """The separable kernels closest to K (o, c, k, k), an array, and the share of the squares they keep."""
    o, c, k, _ = K.shape
    matrices = K.transpose(1, 0, 2, 3).reshape(c, o, k * k)  # (o, c, k, k) -> (c, o, k * k)
    U, S, Vt = np.linalg.svd(matrices, full_matrices=False)  # (c, o, q), (c, q), (c, q, k * k)
    first = U[:, :, :1] * S[:, :1, None] * Vt[:, :1]  # (c, o, k * k)
    return first.reshape(c, o, k, k).transpose(1, 0, 2, 3), float(np.sum(S[:, 0] ** 2) / np.sum(S**2))


def validation_accuracy(model, data):
    """Share of right answers on the validation pictures, a float."""
    X, y = next(iter(data.val.epoch(0)))
    return float(xp.to_numpy(accuracy(model.evaluate()(X), y)))


@house_style
def plot_kernels(K, rows=4):
    """Kernels (o, c, k, k) of the first output channels: a row for each, a column for each input channel."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(rows, K.shape[1], figsize=(0.7 * K.shape[1], 0.7 * rows))
    limit = np.abs(K[:rows]).max()
    for q in range(rows):
        for r in range(K.shape[1]):
            panels[q, r].imshow(K[q, r], cmap="coolwarm", vmin=-limit, vmax=limit)
            panels[q, r].axis("off")
    return figure


# %%
if __name__ == "__main__":
    whole, parted = jobs["full"].run(), jobs["separable"].run()
    X, _ = next(iter(parted.data.val.epoch(0)))
    maps = nn.Sequential(*(parted.model[i] for i in range(3)))(X)  # (n, 8, 7, 7)
    mixing = parted.model[4]
    one = conv(maps, merged(parted.model[3].weight, mixing.weight), mixing.bias, padding=1)  # (n, 16, 7, 7)
    report(gap_of_separable=largest_gap(one, mixing(parted.model[3](maps))))
    bank = xp.to_numpy(whole.model[3].weight)  # (16, 8, 3, 3)
    near, kept = best_separable(bank)
    report(kept=kept, kept_of_random=best_separable(normal((16, 8, 3, 3), "bank"))[1])
    report(accuracy_before=validation_accuracy(whole.model, whole.data))
    whole.model[3].weight = xp.asarray(near)
    report(accuracy_with_rank_one=validation_accuracy(whole.model, whole.data))
    whole.model[3].weight = xp.asarray(bank)

# %%
if __name__ == "__main__":
    plot_kernels(bank)

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("channels"))

# %% [markdown]
# The full network ends at 78.5 %<!--full.val_acc mean--> (mean of three seeds), the separable one at
# 77.9 %<!--separable.val_acc mean-->, with less than a fifth of the weights in the layer: as far as 1,000 test
# pictures can tell, nothing was lost.
#
# One might conclude that the full layer had learned nearly separable kernels. Not at all. The best approximation of
# rank one keeps 33.9 %<!--lesson.kept--> of its squared weights; for random kernels of this shape it is
# 27.7 %<!--lesson.kept_of_random-->. Put into the trained network in place of the full bank, it lets the accuracy drop
# from 78.4 %<!--lesson.accuracy_before--> to 53.5 %<!--lesson.accuracy_with_rank_one--> (NumPy; to
# 51.3 %<!--lesson.accuracy_with_rank_one @torch--> on PyTorch, since training magnifies rounding). The right conclusion
# is that there are many good sets of weights, and a constrained network finds another one. To save weights, constrain
# before training, not afterwards.
#
# ## What goes wrong
#
# **Walls between groups.** Two grouped layers on top of each other never exchange anything between their groups: it
# is two narrow networks side by side. The gradient shows it. Zhang and others (2018) shuffle the channels between the
# layers, which costs nothing (exercise 1).


# %%
def influences(groups, channels=4, shuffle=None):
    """How much each input channel counts for output channel 0 of two grouped layers: an array (channels,)."""
    K, M = (xp.asarray(np.abs(normal((channels, channels // groups, 3, 3), name))) for name in ("K", "M"))

    def first_output(X):
        Y = corr2d_grouped(X, K, groups, padding=1)  # (1, channels, 5, 5)
        return xp.sum(corr2d_grouped(Y if shuffle is None else shuffle(Y), M, groups, padding=1)[:, 0])

    return xp.to_numpy(xp.sum(grad(first_output)(xp.ones((1, channels, 5, 5))), axis=(0, 2, 3)))


# %%
if __name__ == "__main__":
    print("one group ", influences(1).round(1))
    print("two groups", influences(2).round(1))
    report(influence_across_groups=np.abs(influences(2)[2:]).max())

# %% [markdown]
# **Channels that changed places.** One library reads colour files as red, green, blue, another as blue, green, red.
# Shapes and value ranges are the same. Our lamp detector, given the other order, has nothing to say to a red light
# and takes a blue one for red. A network that was trained on photographs still works after a fashion, since most of
# what matters is brightness, and nobody looks for the missing points of accuracy.
#
# **Reshaped instead of transposed.** A picture stored with its channels last, $(h, w, c)$, must have its axes
# *permuted*. `reshape` to $(c, h, w)$ gives the same shape and another picture.

# %%
if __name__ == "__main__":
    last = xp.permute_dims(stop, (0, 2, 3, 1))  # (1, 3, 8, 8) -> (1, 8, 8, 3), as a file has it
    right, wrong_shape = xp.permute_dims(last, (0, 3, 1, 2)), xp.reshape(last, (1, 3, 8, 8))  # (1, 3, 8, 8) each
    report(gap_of_permuted=largest_gap(right, stop), red_left=xp.sum(wrong_shape[:, 0]) / xp.sum(stop[:, 0]))
    for name, picture in (("permuted", right), ("reshaped", wrong_shape)):
        print(name, "sums of the channels:", xp.to_numpy(xp.sum(picture, axis=(0, 2, 3))))
    blue_green_red = xp.flip(stop, axis=(1,))  # (1, 3, 8, 8)
    report(red_says_in_other_order=xp.sum(pointwise(blue_green_red, red_not_green)))

# %% [markdown]
# After the reshape 28 %<!--lesson.red_left--> of the red lamp's light are left in the red channel; the rest shines in
# the other two, cut into strips. In the other order of colours the detector says
# 0<!--lesson.red_says_in_other_order--> to a red lamp.
#
# ## Under the surface
#
# PyTorch and Gluon order a bank as (out, in, rows, columns), Keras and Flax as (rows, columns, in, out); for grouped
# layers "in" is the number of input channels *of a group* on all four. The names vary: `groups` in PyTorch, Keras and
# Gluon, `feature_group_count` in Flax. Keras has a `DepthwiseConv2D` of its own, whose kernel has the shape (rows,
# columns, in, multiplier), and a `SeparableConv2D` that is both steps in one.
#
# Multiplications are not time. A full convolution uses each number that it fetches from memory $k^2$ times for every
# output channel; a depthwise one uses it $k^2$ times in all and must fetch the next. On most processors it is memory
# that sets the pace then, so an eighth of the multiplications may well take half the time. The matrix units of graphics
# cards like channels in multiples of 8 and stored last, so that data with channels first may have to be turned round on
# the way.
#
# ## Summary
#
# A convolution with several channels sums over all input channels and has a kernel for each pair of input and output:
# local and shared in space, dense across channels. It has $o(ck^2 + 1)$ parameters and $o c k^2 h' w'$
# multiplications. One pixel wide, it is a matrix product for every pixel, and any convolution is a sum of such
# products on shifted pictures. Groups cut the cost and also the connections; a separable layer is a full one whose
# kernels have rank one for each input channel, for a small part of the price and here at the same accuracy.
#
# ## Exercises
#
# Solutions are in `channels_solutions.py`. Exercises with a star are checked by a program: `d2l exercise channels`
# writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Over the wall.* Write `shuffle(X, groups)`, which reorders channels (n, c, h, w) so that the new channels are
#    number 0 of each group, then number 1 of each group, and so on. Which channels count behind two grouped layers
#    with a shuffle between them?
# 2. ★ *Two layers in one.* A $k \times k$ convolution with kernels `K` (m, c, k, k) and biases `b` (m,) is followed
#    by one of a single pixel, with `P` (o, m) and `a` (o,), and nothing between them. Write `merge(K, b, P, a)`, the
#    kernels and biases of the one layer that does the same.
# 3. *A bottle's neck.* A layer from 256 to 256 channels, $3 \times 3$, is replaced by three: one pixel wide from 256
#    to 64, $3 \times 3$ from 64 to 64, one pixel wide from 64 to 256. What does it cost, relative to the full one?
# 4. *Rank two.* Which network corresponds to kernels of rank two for each input channel? What does the best
#    approximation of rank two keep of the trained bank, and what accuracy does it leave?
# 5. *Does the order matter?* First mix channels, then filter each for itself. Is every such layer also one of the
#    other order? Count the weights for $c = 8$, $o = 16$.
#
# ## References
#
# - M. Lin, Q. Chen and S. Yan (2014), *Network In Network*, ICLR.
# - F. Chollet (2017), *Xception: Deep Learning with Depthwise Separable Convolutions*, CVPR.
# - A. G. Howard, M. Zhu, B. Chen, D. Kalenichenko, W. Wang, T. Weyand, M. Andreetto and H. Adam (2017), *MobileNets:
#   Efficient Convolutional Neural Networks for Mobile Vision Applications*, arXiv:1704.04861.
# - X. Zhang, X. Zhou, M. Lin and J. Sun (2018), *ShuffleNet: An Extremely Efficient Convolutional Neural Network for
#   Mobile Devices*, CVPR.
