# /// lesson
# name = "padding-and-stride"
# title = "Padding and stride"
# sections = ["7.3"]
# needs = ["convolutions"]
# data = ["fashion-mnist"]
# [time]
# smoke = "2 s"
# standard = "15 s"
# full = "15 s"
# [promises]
# standard = ["lesson: wrong_shapes <= 0", "lesson: gap_of_values <= 1e-4"]
# full = [
#   "lesson: settings >= 40", "lesson: wrong_shapes <= 0", "lesson: gap_of_values <= 1e-4",
#   "lesson: gap_of_subsampling <= 1e-5", "lesson: gap_of_holes <= 1e-5", "lesson: seen_with_2_2_2 <= 0.3",
#   "lesson: seen_with_1_2_4 >= 1", "lesson: missed_difference <= 0", "lesson: other_grid >= 0.1",
# ]
# ///

# %% [markdown]
# # Padding and stride
#
# A fence is to be thirty metres long with a post every three metres. How many posts? Whoever divides orders ten and
# stands there with an open end; it takes eleven. A picture of 28 pixels and a kernel of five: at how many places does
# the kernel fit? The same mistake waits here, and a network of twenty layers gives it twenty opportunities.
#
# In this lesson we count places. Three things change the count: *padding* puts a frame around the picture, *stride*
# uses only every second or third place, and *dilation* pulls the kernel apart. Each solves a problem and has a side
# effect that no error message mentions: what happens at the rim, which pixels are never looked at, and where one
# framework's grid lies beside another's.

# %%
import numpy as np
from d2l_chapters.convolutional_networks.convolutions import corr2d, largest_gap, photographs

from d2l_core import xp
from d2l_core.autodiff import grad
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import conv
from d2l_core.plots import INK, house_style
from d2l_core.random import normal, words

# %% [markdown]
# ## The idea
#
# The figure shows a row of eight pixels and, below it, the places that a kernel of three weights takes, one line for
# each output. In the plain case it fits at six places, and the pixels at the ends are used once where those in the
# middle are used three times. One padding pixel on each side keeps the length at eight. With stride two, half of the
# places remain. With dilation two, the same three weights span five pixels. Dumoulin and Visin (2016) have more
# drawings of this kind.


# %%
def extent(n, k, padding=0, stride=1, dilation=1):
    """At how many places a kernel of k weights fits along an axis of n pixels."""
    reach = dilation * (k - 1) + 1  # pixels from the first to the last weight
    if n + 2 * padding < reach:
        raise ValueError(f"A kernel that spans {reach} does not fit into {n} pixels with {padding} more on each side.")
    return (n + 2 * padding - reach) // stride + 1


@house_style
def plot_places(n=8, k=3):
    """The places of a kernel along a row of pixels, in four settings."""
    import matplotlib.pyplot as plt

    settings = ((0, 1, 1, "plain"), (1, 1, 1, "padding 1"), (1, 2, 1, "padding 1, stride 2"), (0, 1, 2, "dilation 2"))
    figure, panels = plt.subplots(1, 4, figsize=(9, 2.6))
    for axes, (p, s, d, title) in zip(panels, settings, strict=True):
        axes.scatter(range(n), [0] * n, marker="s", s=50, color="C0")
        axes.scatter(
            [*range(-p, 0), *range(n, n + p)], [0] * 2 * p, marker="s", s=50, facecolors="none", edgecolors=INK
        )
        for i in range(extent(n, k, p, s, d)):
            taken = [i * s - p + d * u for u in range(k)]
            axes.plot(taken, [-1 - i] * k, "-o", color="C1", markersize=4)
        axes.set(title=f"{title}: {extent(n, k, p, s, d)}", xlim=(-1.6, n + 0.6), ylim=(-9, 0.8))
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    plot_places()

# %% [markdown]
# ## The mathematics
#
# Along one axis let there be $n$ pixels and $k$ weights, let $p$ pixels be added on both sides, let $s$ be the stride
# and $d$ the dilation. Output $i$ is
#
# $$y_i = \sum_{u=0}^{k-1} K_u\, \tilde{x}_{\,i s + u d}, \qquad i = 0, 1, \dots,$$
#
# where $\tilde{x}$ is the padded row of length $n + 2p$. The last weight of output $i$ needs the pixel with the
# number $i s + (k - 1) d$, which must not be larger than $n + 2p - 1$. So
#
# $$i \le \frac{n + 2p - d(k - 1) - 1}{s},$$
#
# and as the numbering begins at zero, there is one output more than the largest whole number that satisfies this:
#
# $$n' = \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1 .$$
#
# The "+ 1" is the last post of the fence. In two dimensions the formula holds for rows and columns separately.
#
# **Keeping the size.** With $s = 1$ we get $n' = n$ if $2p = d(k - 1)$. For $d = 1$ that needs an odd kernel, which
# is why nearly all kernels are odd: with $k = 3, 5, 7$ the frame is 1, 2, 3 pixels wide, and each output has its
# pixel in the middle. With the same frame and a larger stride, $n' = \lfloor (n - 1)/s \rfloor + 1$, which is $n/s$
# rounded up: stride two halves the size.
#
# **What is left over.** The division leaves a remainder $\rho = (n + 2p - d(k-1) - 1) \bmod s$. The last $\rho$
# pixels of the padded row belong to no output. If $\rho > p$, true pixels are among them.
#
# **Several layers.** Let neighbouring outputs of a layer lie $j$ pixels of the picture apart, its *jump*, and let
# each see $r$ pixels, its receptive field. The next layer adds, to what its first weight sees, $d(k - 1)$ jumps:
#
# $$r \leftarrow r + d\,(k - 1)\, j, \qquad j \leftarrow s\, j,$$
#
# beginning with $r = j = 1$. With stride one the field grows by $k - 1$ for each layer, as in
# [Convolutions for images](convolutions.py); with stride two it doubles.

# %% [markdown]
# ## From scratch
#
# A shifted picture was a slice. With stride and dilation it still is: dilation spreads the starting points and the
# stride is the step of the slice.


# %%
def corr2d_strided(X, K, padding=0, stride=1, dilation=1):
    """Cross-correlation of X (..., h, w) with K (k, m), with zeros around X: (..., h', w')."""
    frame = [(0, 0)] * (len(X.shape) - 2) + [(padding, padding)] * 2
    X = xp.pad(X, frame)  # (..., h + 2 padding, w + 2 padding)
    (k, m), s, d = K.shape, stride, dilation
    h, w = (extent(n, size, 0, s, d) for n, size in zip(X.shape[-2:], (k, m), strict=True))
    rows, columns = (h - 1) * s + 1, (w - 1) * s + 1  # from the first to the last place
    return sum(
        K[u, v] * X[..., d * u : d * u + rows : s, d * v : d * v + columns : s]  # (..., h', w')
        for u in range(k)
        for v in range(m)
    )


# %% [markdown]
# ## Concise
#
# The library's `conv` and `nn.Conv2d` take `padding`, `stride` and `dilation`, a number for both axes or a pair. A
# formula with a floor in it should not be trusted on two examples. We draw settings at random and hold three answers
# against each other: the formula, an honest count of the places with a `range`, and the shape that the library
# returns; then the values.


# %%
def random_setting(number):
    """A size (h, w), a window (k, m), padding, stride and dilation, in which the kernel fits."""
    lowest, choices = np.array([1, 1, 1, 1, 0, 1, 1]), np.array([14, 14, 5, 5, 4, 4, 3], dtype=np.uint64)
    while True:
        draws = lowest + (words(7, "settings", number) % choices).astype(int)  # (7,)
        h, w, k, m, padding, stride, dilation = map(int, draws)
        if all(n + 2 * padding > dilation * (size - 1) for n, size in ((h, k), (w, m))):
            return (h, w), (k, m), padding, stride, dilation
        number += 1_000_000


def count_places(n, k, padding, stride, dilation):
    """The same as `extent`, by counting."""
    return len(range(0, n + 2 * padding - dilation * (k - 1), stride))


def compare_settings(count, values=8):
    """How often the three shapes differ over random settings, and the largest gap of the values in the first few."""
    wrong, gaps = 0, []
    for number in range(count):
        size, window, p, s, d = random_setting(number)
        X, K = xp.asarray(normal(size, "X", number)), xp.asarray(normal(window, "K", number))
        library = conv(X[None, None], K[None, None], padding=p, stride=s, dilation=d)[0, 0]  # (h', w')
        formula = tuple(extent(n, k, p, s, d) for n, k in zip(size, window, strict=True))
        counted = tuple(count_places(n, k, p, s, d) for n, k in zip(size, window, strict=True))
        wrong += not formula == counted == tuple(library.shape)
        if number < values:
            gaps.append(largest_gap(corr2d_strided(X, K, p, s, d), library))
    return wrong, max(gaps)


# %%
if __name__ == "__main__":
    settings = 40
    wrong, gap = compare_settings(settings, values=2 if scale() == "smoke" else 8)
    report(settings=settings, wrong_shapes=wrong, gap_of_values=gap)

# %% [markdown]
# In 40<!--lesson.settings--> settings there were 0<!--lesson.wrong_shapes--> disagreements about the shape, and the
# values, compared in the first eight, differ by at most $4.8 \cdot 10^{-7}$<!--lesson.gap_of_values-->.
#
# ## The rim
#
# Without padding a picture loses $k - 1$ rows and columns in each layer: after six layers of $5 \times 5$ kernels
# four of 28 are left, and a seventh does not fit. And pixels at the rim count less: the corner pixel enters one
# output, one in the middle enters $k^2$. Padding mends both. But it has to invent pixels. Zeros are only one way; one
# may also repeat the outermost pixel, mirror the picture in its rim, or wrap it around. All three are lists of
# indices.


# %%
def framed(X, padding, mode):
    """X (..., h, w) with a frame: "zeros", "repeat", "mirror" or "wrap"; (..., h + 2 padding, w + 2 padding)."""
    if mode == "zeros":
        return xp.pad(X, [(0, 0)] * (len(X.shape) - 2) + [(padding, padding)] * 2)
    for axis in (-2, -1):
        n = X.shape[axis]
        places = np.arange(-padding, n + padding)  # (n + 2 padding,)
        if mode == "repeat":
            places = np.clip(places, 0, n - 1)
        elif mode == "mirror":
            places = (n - 1) - np.abs((n - 1) - np.abs(places))
        else:
            places = places % n
        X = xp.take(X, xp.asarray(places), axis=len(X.shape) + axis)
    return X


MODES = ("zeros", "repeat", "mirror", "wrap")


def rim_errors(images, width=2, cut=7):
    """Relative error at the rim of a blurred detail of images (n, 1, h, w), for each way to make a frame.

    The detail is what is left when `cut` pixels are taken off on all sides. What its blurred version should be is known
    from the whole picture. The error is the root mean square over the outermost `width` rows and columns, over that of
    the true values there.
    """
    K = xp.full((2 * width + 1, 2 * width + 1), 1.0 / (2 * width + 1) ** 2)
    size = images.shape[-1] - 2 * cut
    inner, outer = slice(cut, cut + size), slice(cut - width, cut + size + width)
    truth = corr2d(images[:, :, outer, outer], K)  # (n, 1, size, size)
    mask = np.ones((size, size), dtype=bool)
    mask[width:-width, width:-width] = False
    found = {}
    for mode in MODES:
        ours = corr2d(framed(images[:, :, inner, inner], width, mode), K)  # (n, 1, size, size)
        errors, values = (xp.to_numpy(A)[..., mask] for A in (ours - truth, truth))
        found[mode] = float(np.sqrt(np.mean(errors**2) / np.mean(values**2)))
    return found


def blurred_again(layers, size=28, mode="zeros"):
    """A white picture (size, size) after `layers` averages over 3 x 3 pixels with a frame."""
    X, K = xp.ones((size, size)), xp.full((3, 3), 1.0 / 9.0)
    for _ in range(layers):
        X = corr2d(framed(X, 1, mode), K)  # (size, size)
    return xp.to_numpy(X)


@house_style
def plot_rim(depths=(1, 5, 15)):
    """A white picture after several averaging layers with a frame of zeros."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(depths), figsize=(2.4 * len(depths), 2.4))
    for axes, depth in zip(panels, depths, strict=True):
        axes.imshow(blurred_again(depth), cmap="gray", vmin=0, vmax=1)
        axes.set_title(f"after {depth}")
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    images = xp.asarray(photographs("test", 100 if scale() == "smoke" else 1000)[0])  # (n, 1, 28, 28)
    report(**{f"rim_{mode}": error for mode, error in rim_errors(images).items()})
    grey = blurred_again(15)
    report(corner_after_15=grey[0, 0], darkened_after_15=np.mean(grey < 0.99))

# %%
if __name__ == "__main__":
    plot_rim()

# %% [markdown]
# To measure the invention, we cut the middle $14 \times 14$ pixels out of real photographs, blur them with a
# $5 \times 5$ mean, and compare the two outermost rows and columns with the blurred whole, where the true neighbours
# were known. Relative to the true values, the error is 33.7 %<!--lesson.rim_zeros--> with zeros,
# 12.0 %<!--lesson.rim_repeat--> with the repeated pixel, 16.1 %<!--lesson.rim_mirror--> with the mirror and
# 19.7 %<!--lesson.rim_wrap--> when the other side comes in. Near a pixel things look like this pixel; that is all that
# the good ones assume. For the whole photographs of this data set zeros would be right by accident, as they stand
# before a black ground.
#
# Deeper down the error travels. Each $3 \times 3$ layer carries it one pixel further in. A white picture that goes
# through fifteen averaging layers with zeros around it should stay white; its corner falls to
# 0.06<!--lesson.corner_after_15-->, and 81.6 %<!--lesson.darkened_after_15--> of the pixels are darker by more than
# one per cent. In a trained network the effect is smaller, as the weights are not all positive, but it is there, and
# it tells each output where it is (Islam and others, 2020).
#
# ## Strides
#
# Convolving with stride $s$ is the same as convolving with stride one and then keeping every $s$-th row and column:
# the places are simply a part of the places. It costs $s^2$ times less, because nobody computes what is thrown
# away. But shifts are now respected only by multiples of $s$.


# %%
def unseen(n, k, padding=0, stride=1, dilation=1):
    """Numbers of the pixels of a row that enter no output: by the gradient of the sum of all outputs."""
    K = xp.ones((1, k))
    total = grad(lambda X: xp.sum(corr2d_strided(xp.pad(X, ((0, 0), (padding, padding))), K, 0, stride, dilation)))
    return np.flatnonzero(xp.to_numpy(total(xp.zeros((1, n))))[0] == 0).tolist()


# %%
if __name__ == "__main__":
    X, K = images[0, 0], xp.asarray(normal((3, 3), "K"))  # (28, 28), (3, 3)
    every, some = corr2d_strided(X, K, padding=1), corr2d_strided(X, K, padding=1, stride=2)  # (28, 28), (14, 14)
    two, one = (corr2d_strided(xp.roll(X, -a, axis=1), K, 1, 2) for a in (2, 1))  # (14, 14), (14, 14)
    report(
        gap_of_subsampling=largest_gap(every[::2, ::2], some),
        gap_after_two_pixels=largest_gap(two[:, 1:-1], some[:, 2:]),
        gap_after_one_pixel=min(largest_gap(one[:, 1:-1], some[:, 1:-1]), largest_gap(one[:, 1:-1], some[:, 2:])),
    )
    print("kernel 3, stride 2, no padding, 28 pixels: never seen", unseen(28, 3, 0, 2))
    print("kernel 1, stride 2, 8 pixels: never seen", unseen(8, 1, 0, 2))

# %% [markdown]
# A shift by two pixels moves the map by one place, exactly but for rounding. A shift by one pixel gives another map:
# the best match with the old one still differs by 2.2<!--lesson.gap_after_one_pixel--> somewhere.
# [Pooling](pooling.py) comes back to it.
#
# ## Dilation
#
# With dilation $d$ the weights stand $d$ pixels apart. The kernel covers $d(k-1) + 1$ pixels with $k$ weights; it is
# a large kernel most of whose weights are zero. Yu and Koltun (2016) stacked layers with dilations 1, 2, 4, 8, whose
# field doubles each time without any stride, to label every pixel of a picture.


# %%
def field_of(dilations, k=3, size=31):
    """How much each pixel (size, size) counts for the middle output of a stack with these dilations."""
    K = xp.full((k, k), 1.0 / k**2)

    def middle(X):
        for d in dilations:
            X = corr2d_strided(X, K, padding=d * (k - 1) // 2, dilation=d)  # (size, size)
        return X[size // 2, size // 2]  # ()

    return xp.to_numpy(grad(middle)(xp.zeros((size, size))))


def share_seen(weights):
    """Part of the pixels inside the receptive field, the smallest square around all of them, that count at all."""
    rows, columns = (np.flatnonzero(np.any(weights != 0, axis=axis)) for axis in (1, 0))
    square = weights[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float(np.mean(square != 0))


@house_style
def plot_fields(stacks):
    """How much each pixel counts for one output, for stacks of dilated layers."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(stacks), figsize=(2.5 * len(stacks), 2.6))
    for axes, dilations in zip(panels, stacks, strict=True):
        axes.imshow(field_of(dilations)[7:24, 7:24], cmap="Blues")
        axes.set_title("dilations " + ", ".join(map(str, dilations)))
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    holes = np.zeros((5, 5))
    holes[::2, ::2] = xp.to_numpy(K)  # (3, 3) -> every second place of (5, 5)
    report(
        gap_of_holes=largest_gap(corr2d_strided(X, K, dilation=2), corr2d(X, xp.asarray(holes))),
        seen_with_2_2_2=share_seen(field_of((2, 2, 2))),
        seen_with_1_2_4=share_seen(field_of((1, 2, 4))),
    )

# %%
if __name__ == "__main__":
    plot_fields(((1, 1, 1), (2, 2, 2), (1, 2, 4)))

# %% [markdown]
# ## What goes wrong
#
# **A chessboard of blindness.** Three layers of dilation 2 have a field of 13 pixels, and each output sees only
# 29.0 %<!--lesson.seen_with_2_2_2--> of the pixels in it: sums of even distances are even. Neighbouring outputs look
# at disjoint sets of pixels and never compare notes. With dilations 1, 2, 4 the field is 15 and all of it,
# 100 %<!--lesson.seen_with_1_2_4-->, is seen. Wang and others (2018) describe what the former does to a segmented
# street.
#
# **Pixels that nobody looks at.** The printout above says it: with $n = 28$, $k = 3$, $s = 2$ and no padding the
# remainder is 1, and the last column enters no output. Whatever happens there goes unnoticed. A kernel smaller than
# its stride skips pixels everywhere: one weight at stride two misses three quarters of the picture, which
# nevertheless stands in many networks, in the shortcut past a block.

# %%
if __name__ == "__main__":
    spoilt = np.array(xp.to_numpy(X))
    spoilt[:, -1] = spoilt[-1, :] = 1.0  # a white line along two sides
    before, after = (corr2d_strided(xp.asarray(A), K, stride=2) for A in (xp.to_numpy(X), spoilt))  # (13, 13)
    report(missed_difference=largest_gap(before, after))

# %% [markdown]
# A white line along the lower and right edge changes the output by 0<!--lesson.missed_difference-->.
#
# **Two grids of the same size.** A frame of one pixel on both sides and stride two give 14 outputs from 28 pixels.
# So does a single pixel behind, and none in front. The shapes agree, the weights fit, and the places differ by one
# pixel.

# %%
if __name__ == "__main__":
    both = corr2d_strided(images, K, padding=1, stride=2)  # (n, 1, 14, 14)
    behind = corr2d_strided(xp.pad(images, ((0, 0), (0, 0), (0, 1), (0, 1))), K, stride=2)  # (n, 1, 14, 14)
    difference = xp.sqrt(xp.mean(xp.square(both - behind)) / xp.mean(xp.square(both)))
    report(other_grid=difference)

# %% [markdown]
# The two maps differ by 68 %<!--lesson.other_grid--> of their size. Nothing complains, and a network that was trained
# on one grid and is run on the other merely gets a little worse.
#
# ## Under the surface
#
# The two grids are no invention. TensorFlow's and Flax's `"SAME"` pads as much as is needed for $\lceil n/s \rceil$
# outputs and puts an odd pixel *behind*; at stride two and an even size that is the second grid, at an odd size the
# first. PyTorch and Gluon know only frames that are equal on both sides; PyTorch has `padding="same"` as well, but
# refuses it with a stride other than one. Who converts weights must pad by hand. The defaults differ too: Flax's
# `Conv` uses `"SAME"` unless told otherwise, Keras `"valid"`, PyTorch and Gluon no padding.
#
# For pooling some frameworks offer to round the division up instead of down (`ceil_mode` in PyTorch,
# `pooling_convention="full"` in MXNet), so that no pixel is lost and the last window hangs over the edge. PyTorch's
# `Conv2d` has a `padding_mode` for mirrored, repeated and wrapped frames, and Flax's `Conv` takes `"REFLECT"` and
# `"CIRCULAR"`; with Keras and Gluon one pads first, as `framed` does.
# Here padding is always zeros, equal on both sides, and the division is rounded down, on every backend.
#
# ## Summary
#
# A kernel that spans $d(k-1) + 1$ pixels fits at $\lfloor (n + 2p - d(k-1) - 1)/s \rfloor + 1$ places. Padding keeps
# the size and gives rim pixels their due, at the price of invented neighbours, whose influence creeps inwards layer
# by layer. A stride is the same as subsampling afterwards, only cheaper; it respects shifts by multiples of itself
# and may leave pixels unseen. Dilation widens the field for free and should be mixed, or whole sets of pixels never
# meet.
#
# ## Exercises
#
# Solutions are in `padding_and_stride_solutions.py`. Exercises with a star are checked by a program: `d2l exercise
# padding-and-stride` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Same.* Write `same_padding(n, k, stride, dilation)`, the pair (before, behind) of the smallest padding with
#    which an axis of `n` pixels gives $\lceil n/s \rceil$ outputs, an odd pixel behind.
# 2. ★ *Holes.* Write `dilate(K, dilation)`, the kernel with zeros between the weights that does in `corr2d` what `K`
#    does with dilation. Primitives only.
# 3. ★ *The view of a stack.* Write `geometry(layers)`, the receptive field and the jump of a stack of layers, given
#    as triples (k, stride, dilation).
# 4. *How often is a pixel used?* Without looking: in how many outputs does each of ten pixels enter for $k = 3$,
#    $s = 2$, $p = 0$? Then compute it. What does it mean for the gradient?
# 5. *A kernel of even size.* Blur a photograph twenty times with a $2 \times 2$ mean, the frame always behind. What
#    happens to the picture, and how can two different frames mend it?
#
# ## References
#
# - V. Dumoulin and F. Visin (2016), *A Guide to Convolution Arithmetic for Deep Learning*, arXiv:1603.07285.
# - F. Yu and V. Koltun (2016), *Multi-Scale Context Aggregation by Dilated Convolutions*, ICLR.
# - P. Wang, P. Chen, Y. Yuan, D. Liu, Z. Huang, X. Hou and G. Cottrell (2018), *Understanding Convolution for
#   Semantic Segmentation*, WACV.
# - M. A. Islam, S. Jia and N. D. B. Bruce (2020), *How Much Position Information Do Convolutional Neural Networks
#   Encode?*, ICLR.
