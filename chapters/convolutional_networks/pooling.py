# /// lesson
# name = "pooling"
# title = "Pooling"
# sections = ["7.5"]
# needs = ["convolutions", "padding-and-stride"]
# data = ["fashion-mnist"]
# [time]
# smoke = "2 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# standard = ["lesson: gap_of_max <= 1e-6", "lesson: gap_of_mean <= 1e-5", "lesson: gap_of_gradients <= 1e-5"]
# full = [
#   "lesson: gap_of_max <= 1e-6", "lesson: gap_of_mean <= 1e-5", "lesson: gap_of_gradients <= 1e-5",
#   "lesson: unchanged_2 <= 0.26", "lesson: unchanged_4 >= 0.55", "lesson: max4_shift0 >= 0.65",
#   "lesson: max4_shift2 >= 0.57", "lesson: raw_shift2 <= 0.52", "lesson: share_of_winners <= 0.2501",
#   "lesson: frame_of_zeros >= 0.1", "lesson: stripes_blurred <= 0.01",
# ]
# ///

# %% [markdown]
# # Pooling
#
# A woman who counts birds walks through a wood with a map divided into squares. In each square she enters whether she
# has heard a nightingale, not from which twig. Had the bird sat on the next tree, her map would be the same, and it
# is small enough to be compared with last year's.
#
# Pooling does this to feature maps: it divides them into windows and keeps one number for each, the largest or the
# mean. The maps shrink, and small shifts matter less. In this lesson we measure how much less, on photographs; we
# look where the gradient goes when the largest takes all; and we meet stripes that vanish and reappear, because
# whoever throws away every second pixel must reckon with what engineers of telegraphs have known since the 1920s.

# %%
import numpy as np
from d2l_chapters.convolutional_networks.convolutions import DIRECTIONS, corr2d, draw_numbers, largest_gap, photographs
from d2l_chapters.convolutional_networks.padding_and_stride import extent

from d2l_core import nn, xp
from d2l_core.autodiff import grad
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import avg_pool, max_pool
from d2l_core.plots import house_style
from d2l_core.random import normal, words

# %% [markdown]
# ## The idea
#
# Take a window of $2 \times 2$, cover the map with such windows side by side, and replace each by its largest
# element. *Max pooling* asks whether the feature is somewhere in the window; *average pooling* asks how much of it
# there is in all. Nothing is learned, there are no weights. Each channel is pooled for itself, since the answers to
# different questions should not be mixed.


# %%
@house_style
def plot_idea():
    """A map, its maxima and its means over windows of 2 x 2."""
    import matplotlib.pyplot as plt

    X = np.array([[0, 1, 0, 0], [9, 2, 0, 4], [0, 0, 6, 6], [0, 4, 6, 6]])  # (4, 4)
    windows = X.reshape(2, 2, 2, 2)  # (rows of windows, rows in it, columns of windows, columns in it)
    figure, panels = plt.subplots(1, 3, figsize=(7, 2.4), width_ratios=(4, 2, 2))
    draw_numbers(panels[0], X, "map", (slice(0, 2), slice(0, 2)))
    draw_numbers(panels[1], windows.max(axis=(1, 3)), "largest", (slice(0, 1), slice(0, 1)))
    draw_numbers(panels[2], windows.mean(axis=(1, 3)), "mean", (slice(0, 1), slice(0, 1)))
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ be a map of shape $(h, w)$, $k$ the width of the window, $s$ the stride and $p$ the padding. Output
# $(i, j)$ looks at the window of the elements $X_{is+u-p,\,js+v-p}$ with $0 \le u, v < k$:
#
# $$Y^{\max}_{ij} = \max_{u,v} X_{is+u-p,\,js+v-p}, \qquad
#   Y^{\text{mean}}_{ij} = \frac{1}{k^2} \sum_{u,v} X_{is+u-p,\,js+v-p} .$$
#
# Places are counted as for a [convolution](padding_and_stride.py), $h' = \lfloor (h + 2p - k)/s \rfloor + 1$. If
# nothing is said, $s = k$ and $p = 0$: windows lie side by side. The mean *is* a convolution, a depthwise one whose
# weights are all $1/k^2$. The maximum is not linear, and that is a difference in kind: one strong response survives
# the maximum unweakened, in the mean it shrinks by $k^2$.
#
# What does padding consist of? Added zeros change a mean. For a maximum they would be plain wrong where all elements
# are negative, so there the frame is $-\infty$, which never wins.
#
# **How much of a shift is tolerated?** Let a map hold a single peak at a random place, and shift it by $a$ pixels to
# the right. The pooled map stays *exactly* the same if the peak remains in its window, which for windows of width $k$
# side by side has the probability
#
# $$\frac{k - a}{k} \qquad (0 \le a \le k),$$
#
# and the square of it if the shift goes diagonally. Windows of two forgive one pixel in half of the cases. There is
# no promise for any single picture: a peak at the edge of its window jumps at the first pixel.
#
# **The gradient.** Let $L$ be a loss and $G_{ij} = \partial L / \partial Y_{ij}$. A mean depends on each of its
# elements with the slope $1/k^2$, so each receives $G_{ij} / k^2$. A maximum depends on its winner alone: raise a
# loser a little, and nothing happens. Hence the winner receives $G_{ij}$ and the others nothing,
#
# $$\frac{\partial L}{\partial X_{ab}} = \sum_{(i,j) \text{ won by } (a,b)} G_{ij} .$$
#
# With overlapping windows an element can win several times, and its gradients add up. If two elements tie, the
# maximum has no derivative, and any way of sharing $G_{ij}$ between them is a convention.

# %% [markdown]
# ## From scratch
#
# For each of the $k^2$ positions in the window we take the picture shifted by it, a slice with the stride as its
# step, and stack the slices along a new axis. Then the maximum or the mean of this axis is all that remains to do.
# The same function serves both; the mode is the function that sums up.


# %%
def windows(X, window, stride=None, padding=0, fill=0.0):
    """What each place of a window sees: X (..., h, w) to (window * window, ..., h', w')."""
    stride = stride or window
    frame = [(0, 0)] * (len(X.shape) - 2) + [(padding, padding)] * 2
    if padding:
        X = xp.pad(X, frame, value=fill)  # (..., h + 2 padding, w + 2 padding)
    h, w = (extent(n, window, stride=stride) for n in X.shape[-2:])
    rows, columns = (h - 1) * stride + 1, (w - 1) * stride + 1
    shifted = [
        X[..., u : u + rows : stride, v : v + columns : stride]  # (..., h', w')
        for u in range(window)
        for v in range(window)
    ]
    return xp.stack(shifted)  # (window * window, ..., h', w')


def pool2d(X, window, mode="max", stride=None, padding=0):
    """The largest or the mean element of each window: X (..., h, w) to (..., h', w'); the mean counts the zeros."""
    if mode == "max":
        return xp.max(windows(X, window, stride, padding, fill=-float("inf")), axis=0)  # (..., h', w')
    return xp.mean(windows(X, window, stride, padding), axis=0)  # (..., h', w')


class Pool2DScratch(nn.Module):
    """Pooling as a layer without parameters: (n, c, h, w) to (n, c, h', w')."""

    def __init__(self, window, mode="max", stride=None, padding=0):
        super().__init__()
        self.window, self.mode, self.stride, self.padding = window, mode, stride, padding

    def forward(self, X):
        """The pooled maps."""
        return pool2d(X, self.window, self.mode, self.stride, self.padding)


# %% [markdown]
# ## Concise
#
# The functions of the library are `max_pool` and `avg_pool`, the layers `nn.MaxPool2d` and `nn.AvgPool2d`. We compare
# values and gradients for several windows, strides and paddings, on two pictures with three channels each.


# %%
def both_pools(mode, library, window, stride, padding):
    """Our pooling and the library's in one setting, as functions of X."""
    return (
        lambda X: pool2d(X, window, mode, stride, padding),
        lambda X: library(X, window, stride=stride, padding=padding),
    )


def compare_pools(settings=((2, None, 0), (3, 2, 1), (3, 1, 0), (2, 3, 1), (4, 2, 2))):
    """Largest gaps of maxima, of means, and of the gradients of both, over triples of window, stride and padding."""
    X = xp.asarray(normal((2, 3, 9, 8), "pools"))
    gaps = {"max": [], "mean": [], "gradients": []}
    for setting in settings:
        for mode, library in (("max", max_pool), ("mean", avg_pool)):
            pools = both_pools(mode, library, *setting)
            gaps[mode].append(largest_gap(*(pool(X) for pool in pools)))
            slopes = (grad(lambda X, pool=pool: xp.sum(xp.square(pool(X))))(X) for pool in pools)
            gaps["gradients"].append(largest_gap(*slopes))
    return {name: max(values) for name, values in gaps.items()}


# %%
if __name__ == "__main__":
    settings = {"settings": ((2, None, 0), (3, 2, 1))} if scale() == "smoke" else {}
    report(**{f"gap_of_{name}": gap for name, gap in compare_pools(**settings).items()})
    X = xp.asarray(normal((2, 3, 8, 8), "channels"))
    print("channels stay:", tuple(nn.MaxPool2d(2)(X).shape), tuple(Pool2DScratch(2)(X).shape))
    print("a layer has", len(nn.MaxPool2d(2).parameters()), "parameters")

# %% [markdown]
# ## Small shifts
#
# First the forecast. We put a peak at random places of an empty map, shift it one pixel to the right and down, and
# count how often the pooled map remains the same.


# %%
def unchanged(window, shift=1, draws=400, size=24):
    """Share of random single peaks whose max-pooled map stays the same when they move along the diagonal."""
    places = (words(2 * draws, "peaks") % np.uint64(size - 8)).astype(int).reshape(draws, 2)  # (draws, 2)
    before, after = np.zeros((2, draws, size, size))
    before[np.arange(draws), places[:, 0], places[:, 1]] = 1.0
    after[np.arange(draws), places[:, 0] + shift, places[:, 1] + shift] = 1.0
    first, second = (xp.to_numpy(pool2d(xp.asarray(A), window)) for A in (before, after))  # (draws, h', w') each
    return float(np.mean(np.all(first == second, axis=(1, 2))))


# %%
if __name__ == "__main__":
    report(**{f"unchanged_{k}": unchanged(k) for k in ((2, 4) if scale() == "smoke" else (2, 4, 8))})

# %% [markdown]
# Of the peaks, 24.8 %<!--lesson.unchanged_2--> stay where they are with windows of two, 55.5 %<!--lesson.unchanged_4-->
# with four and 76.0 %<!--lesson.unchanged_8--> with eight; the forecasts are $\left(\frac12\right)^2$,
# $\left(\frac34\right)^2$ and $\left(\frac78\right)^2$, or 25.0, 56.3 and 76.6 %.
#
# Real maps are not single peaks. We take the absolute responses to vertical and horizontal edges of photographs, pool
# them in several ways, and do two things. We shift the *photograph* by one pixel and measure how far the pooled maps
# move, relative to their length. And, lest we praise a pooling that simply forgets everything, we ask how well the
# maps still name the clothes: 2,000 training pictures, all unshifted, give a mean map for each class, and 1,000 test
# pictures, shifted by 0 to 3 pixels, are given the class of the nearest mean.


# %%
def edge_maps(images, shift=0):
    """Absolute responses (n, 2, 32, 32) to vertical and horizontal edges of images (n, 1, 28, 28) moved right."""
    X = np.pad(images[:, 0], ((0, 0), (2, 3), (2 + shift, 7 - shift)))[:, :, :33]  # (n, 33, 33)
    vertical, horizontal = (corr2d(xp.asarray(X), xp.asarray(K)) for K in list(DIRECTIONS.values())[:2])
    return xp.stack([xp.abs(vertical[:, :32]), xp.abs(horizontal[:, :, :32])], axis=1)  # (n, 2, 32, 32)


def blurred_pool(X):
    """Maxima over 2 x 2 at every place, a blur, and then every second place: (..., h, w) to (..., h / 2, w / 2)."""
    blur = xp.asarray(np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]) / 16.0)  # (3, 3)
    dense = pool2d(X, 2, stride=1)  # (..., h - 1, w - 1)
    frame = [(0, 0)] * (len(X.shape) - 2) + [(1, 1)] * 2
    return corr2d(xp.pad(dense, frame), blur)[..., ::2, ::2]  # (..., h - 1, w - 1) -> (..., h / 2, w / 2)


POOLS = {
    "raw": lambda X: X,
    "every4": lambda X: X[..., ::4, ::4],
    "max2": lambda X: pool2d(X, 2),
    "mean2": lambda X: pool2d(X, 2, "mean"),
    "blurred2": blurred_pool,
    "max4": lambda X: pool2d(X, 4),
    "mean4": lambda X: pool2d(X, 4, "mean"),
    "max8": lambda X: pool2d(X, 8),
    "mean8": lambda X: pool2d(X, 8, "mean"),
}


def flat_maps(pool, images, shift=0):
    """Pooled edge maps of images (n, 1, 28, 28) as rows of an array (n, features) on the host."""
    return xp.to_numpy(pool(edge_maps(images, shift))).reshape(len(images), -1)


def tolerance(pool, train, test, shifts=(0, 1, 2, 3)):
    """Relative movement at a shift of one, and the accuracies of the nearest class mean at several shifts."""
    features = flat_maps(pool, train[0])  # (n, f)
    means = np.stack([features[train[1] == k].mean(axis=0) for k in range(10)])  # (10, f)
    rows = [flat_maps(pool, test[0], shift) for shift in shifts]  # (q, f) each
    named = [np.argmin(np.sum(means**2, axis=1) - 2 * A @ means.T, axis=1) for A in rows]  # (q,) each
    moved = np.linalg.norm(rows[1] - rows[0]) / np.linalg.norm(rows[0])
    return float(moved), [float(np.mean(answer == test[1])) for answer in named]


@house_style
def plot_tolerance(found):
    """Accuracy against the shift, by pooling."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.4, 3.3))
    names = [name for name in ("raw", "every4", "max2", "blurred2", "max4", "mean8") if name in found]
    for name, marker in zip(names, "osx^Dv", strict=False):
        axes.plot(range(len(found[name][1])), found[name][1], marker=marker, label=name)
    axes.set(xlabel="shift in pixels", ylabel="accuracy", ylim=(0.2, 0.8), xticks=range(4))
    axes.grid()
    axes.legend(ncols=2)
    return figure


# %%
if __name__ == "__main__":
    small = scale() == "smoke"
    images, labels = photographs("train")
    step = 20 if small else 3
    train = images[::step], labels[::step]  # 2,000 of 6,000
    test = tuple(a[:: 10 if small else 1] for a in photographs("test"))
    names = ("raw", "max2", "max4") if small else POOLS
    found = {name: tolerance(POOLS[name], train, test) for name in names}
    for name, (moved, accuracies) in found.items():
        numbers = {f"{name}_shift{shift}": value for shift, value in enumerate(accuracies) if shift in (0, 2)}
        report(**{f"{name}_moved": moved}, **numbers)

# %%
if __name__ == "__main__":
    plot_tolerance(found)

# %% [markdown]
# Edges are thin, so a shift by one pixel moves the raw maps by 0.93<!--lesson.raw_moved--> of their length; two maps of
# the same length without a common bright pixel would be 1.41 apart. With maxima over two pixels it is
# 0.59<!--lesson.max2_moved-->, over four 0.38<!--lesson.max4_moved-->, and means over eight come to
# 0.19<!--lesson.mean8_moved-->.
#
# Accuracy tells what this is good for. Unshifted, raw maps are the best with 71.4 %<!--lesson.raw_shift0-->, and max
# pooling over four, with a sixteenth of the numbers, still has 66.8 %<!--lesson.max4_shift0-->. Shifted by two pixels,
# the raw maps fall to 48.2 %<!--lesson.raw_shift2--> and the pooled ones only to 63.5 %<!--lesson.max4_shift2-->. Wider
# windows forgive more and know less: means over eight begin at 63.1 %<!--lesson.mean8_shift0--> and are at
# 59.8 %<!--lesson.mean8_shift2--> after two pixels, maxima over eight at 61.2 %<!--lesson.max8_shift0--> and
# 54.4 %<!--lesson.max8_shift2-->. That it is not the shrinking that helps shows in *every4*, which keeps every fourth
# pixel and looks at no other: with as many numbers as max pooling over four it has 63.8 %<!--lesson.every4_shift0-->,
# and 43.0 %<!--lesson.every4_shift2--> after two pixels.
#
# Neither maximum nor mean is the better one in general. Sparse maps with few strong responses suit the maximum, dense
# ones the mean; Boureau and others (2010) worked out when. Here the difference is small at four pixels and goes
# against the maximum at eight, where nearly every window holds some strong edge.
#
# ## Where the gradient goes
#
# Max pooling over $2 \times 2$ sends the gradient to one pixel in four. Which one depends on the picture, so every
# picture trains other places, those where the features were found.


# %%
def winners(X, window=2):
    """Gradient of the sum of the max-pooled map with respect to X (1, c, h, w): ones at the winners."""
    return xp.to_numpy(grad(lambda X: xp.sum(max_pool(X, window)))(X))


# %%
if __name__ == "__main__":
    X = xp.asarray([[[[0.0, 1.0, 0.0, 0.5], [9.0, 2.0, 0.0, 4.0], [0.0, 0.0, 6.0, 6.0], [0.0, 4.0, 6.0, 6.0]]]])
    print("largest:", winners(X)[0, 0].astype(int), sep="\n")
    print("mean:", xp.to_numpy(grad(lambda X: xp.sum(avg_pool(X, 2)))(X))[0, 0], sep="\n")
    print("largest of 3, stride 1:")
    print(xp.to_numpy(grad(lambda X: xp.sum(max_pool(X, 3, stride=1)))(X))[0, 0].astype(int))
    ours = grad(lambda X: xp.sum(pool2d(X, 2)))(X)  # (1, 1, 4, 4)
    print("our largest, in the window of four sixes:", xp.to_numpy(ours)[0, 0, 2:, 2:], sep="\n")
    gradient = winners(edge_maps(test[0][:100]))
    report(share_of_winners=np.mean(gradient != 0), sum_at_ties=winners(xp.ones((1, 1, 2, 2))).sum())

# %% [markdown]
# With windows of three and stride one, the nine wins two of the four windows and the first six the other two, and their
# gradients add up. The window of four sixes is a tie. The library's pooling gives everything to the first of them, in
# the order of reading, and the gradients sum to 1<!--lesson.sum_at_ties-->, as they must. Our own `pool2d` takes the
# largest along an axis, for which the library has another rule: equals share, so each of the sixes receives a quarter.
# Ties are no curiosity: the ground of our photographs is black, and its windows are ties of four zeros. In all,
# 25.0 %<!--lesson.share_of_winners--> of the pixels of real edge maps receive a gradient.
#
# ## What goes wrong
#
# **Stripes that vanish.** Take a fine pattern of stripes, one pixel bright, one dark, and keep every second column.
# You get a white picture, or a black one, depending on where you began. Or the pattern has a period of three pixels:
# then every second column gives stripes of period three again, which look twice as wide as they are. Frequencies that
# are too high for the coarse grid do not disappear, they come back as others: *aliasing*. Nyquist (1928) knew the
# remedy for telegraphs: first remove what the coarse grid cannot carry, then thin out.


# %%
def stripes(period, start, size=24):
    """A picture (size, size) with one bright column in `period`."""
    X = np.zeros((size, size))
    X[:, start::period] = 1.0
    return X


def thinned(X):
    """Every second row and column: (..., h, w) to (..., h / 2, w / 2)."""
    return X[..., ::2, ::2]


def blurred_and_thinned(X):
    """The same after a blur over three pixels: X (h, w) to (h / 2, w / 2)."""
    blur = xp.asarray(np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]) / 16.0)  # (3, 3)
    return thinned(corr2d(xp.pad(X, ((1, 1), (1, 1))), blur))  # (h + 2, w + 2) -> (h, w) -> (h / 2, w / 2)


def gap_of_stripes(pool):
    """How much the two pictures of fine stripes differ behind a pooling, away from the border; a float."""
    first, second = (xp.to_numpy(pool(xp.asarray(stripes(2, start))))[3:9, 3:9] for start in (0, 1))
    return float(np.max(np.abs(first - second)))


# %%
if __name__ == "__main__":
    for name, pool in (("every second", thinned), ("max 2", POOLS["max2"]), ("blurred", blurred_and_thinned)):
        rows = [xp.to_numpy(pool(xp.asarray(stripes(2, start))))[5, 3:9] for start in (0, 1)]  # (6,) each
        print(f"period 2, {name}: {rows[0]} or {rows[1]}")
    print("period 3, every second:", xp.to_numpy(thinned(xp.asarray(stripes(3, 0))))[6])
    report(stripes_thinned=gap_of_stripes(thinned), stripes_blurred=gap_of_stripes(blurred_and_thinned))

# %% [markdown]
# Keeping every second column turns the pattern into all or nothing, a difference of 1<!--lesson.stripes_thinned-->
# between two pictures that differ by one pixel. After a blur both are the same even grey, the honest answer of a grid
# that cannot show such stripes. Max pooling makes all of it white: stable, but the stripes count as a bright surface.
# Zhang (2019) therefore takes the maximum at *every* place, blurs, and only then thins out. In the experiment above
# that is *blurred2*: for the same number of values, one pixel moves it by 0.38<!--lesson.blurred2_moved--> instead of
# 0.59<!--lesson.max2_moved-->, and at a shift of two it has 62.2 %<!--lesson.blurred2_shift2--> instead of
# 56.4 %<!--lesson.max2_shift2-->, with nothing lost unshifted (70.4 %<!--lesson.blurred2_shift0--> against
# 70.1 %<!--lesson.max2_shift0-->).
#
# **A frame of zeros.** If all responses are negative, as the logarithms of probabilities are, zeros from a frame win
# at every border.

# %%
if __name__ == "__main__":
    X = xp.asarray(-1.0 - np.abs(normal((1, 1, 6, 6), "negative")))
    with_zeros = xp.max(windows(X, 3, 2, padding=1, fill=0.0), axis=0)  # (1, 1, 3, 3)
    right = pool2d(X, 3, stride=2, padding=1)  # (1, 1, 3, 3)
    print(
        "zeros:", xp.to_numpy(with_zeros)[0, 0].round(2), "minus infinity:", xp.to_numpy(right)[0, 0].round(2), sep="\n"
    )
    report(frame_of_zeros=np.mean(xp.to_numpy(with_zeros) == 0))

# %% [markdown]
# Five of nine outputs, 55.6 %<!--lesson.frame_of_zeros-->, are invented. The same frame darkens means: a corner window
# of three with one pixel of padding holds four pixels and five zeros.
#
# **A heap of parts.** Pooled once over the whole map, a picture is a list of what it contains. Cut a photograph into
# tiles and shuffle them, and the list hardly changes. For texture this is welcome; for reading it would be a
# disaster. This is why pooling proceeds in small steps, with convolutions between them that can still see how the
# parts lie.
#
# ## Under the surface
#
# With a frame, average pooling may divide by the size of the window, zeros included (PyTorch, Flax and Gluon by
# default), or by the number of true pixels (TensorFlow and Keras). PyTorch and Gluon let one choose by
# `count_include_pad`. We count the zeros. In PyTorch the padding of a pooling may be at most half the window, so that
# no window lies in the frame entirely.
#
# If nothing is said, the stride is the window in PyTorch, Keras and Gluon, and the last two take windows of 2 if
# nothing is said of these either. Flax's `max_pool` has stride *one* by default. The order of arguments is the usual
# trap: in PyTorch's `MaxPool2d(3, 2)` the second number is the stride.
#
# At ties the pooling functions of all frameworks take the first element (on the processor, where we have tried it). For
# a maximum along an axis they do not agree: PyTorch's `amax`, JAX and TensorFlow share the gradient, PyTorch's `max`
# along an axis gives it to a single one, and MXNet gives it *in full to each* winner, so that it no longer sums to what
# came in. On black ground, where everything ties, that is not the same training. Here equals share on every backend.
#
# ## Summary
#
# Pooling keeps one number for each window of a map, channel by channel and without weights. The maximum asks whether
# something is there, the mean how much. A window of $k$ forgives a shift of $a$ pixels with the probability
# $(k - a)/k$ along an axis; on photographs it traded a few points of accuracy on the spot for much more off it. The
# gradient of a mean is spread, that of a maximum goes to the winner. Thinning out creates aliases, and a blur before
# it takes most of them away.
#
# ## Exercises
#
# Solutions are in `pooling_solutions.py`. Exercises with a star are checked by a program: `d2l exercise pooling`
# writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Back to the winner.* Write `max_pool_gradient(X, G, window)`, the gradient of the input of a max pooling with
#    windows side by side, from that of its output. `h` and `w` are multiples of the window, and nothing ties.
# 2. ★ *Between mean and maximum.* Write `power_pool(X, window, p)`, the root
#    $\bigl(\frac{1}{k^2}\sum x^p\bigr)^{1/p}$ over windows side by side, for $x \ge 0$. It is the mean for $p = 1$
#    and tends to the maximum for large $p$. It must not overflow.
# 3. *Twice.* Show that pooling twice over two, side by side, is pooling once over four, for the maximum and for the
#    mean. Is it true for windows of three with stride two?
# 4. *Any size.* A network ends with the mean over the whole map. Why does it take pictures of every size, and what
#    would happen with a dense layer instead?
# 5. *Learned thinning.* Springenberg and others (2015) replace pooling by convolutions with stride two. What can such
#    a layer learn that pooling cannot do, and the other way round?
#
# ## References
#
# - H. Nyquist (1928), *Certain Topics in Telegraph Transmission Theory*, Transactions of the AIEE 47.
# - Y.-L. Boureau, J. Ponce and Y. LeCun (2010), *A Theoretical Analysis of Feature Pooling in Visual Recognition*,
#   ICML.
# - J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller (2015), *Striving for Simplicity: The All
#   Convolutional Net*, ICLR Workshop.
# - R. Zhang (2019), *Making Convolutional Networks Shift-Invariant Again*, ICML.
