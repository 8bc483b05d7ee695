# /// lesson
# name = "image-dataset"
# title = "A dataset of images"
# sections = ["4.2"]
# needs = []
# data = ["fashion-mnist"]
# [time]
# smoke = "3 s"
# standard = "5 s"
# full = "15 s"
# [promises]
# standard = ["lesson: batches_alike >= 1", "lesson: centroid_acc >= 0.65"]
# full = [
#   "lesson: decoded_alike >= 1", "lesson: batches_alike >= 1", "lesson: resize_gap <= 0.51",
#   "lesson: pixel_mean >= 0.285", "lesson: pixel_mean <= 0.287", "lesson: twins <= 0", "lesson: centroid_acc >= 0.67",
# ]
# ///

# %% [markdown]
# # A dataset of images
#
# Before the first model there is a folder of files. A shop has had its goods photographed, somebody has scaled the
# pictures down and sorted them by kind, and now they lie on a disk: compressed, in a format of the nineties, 70,000 of
# them.
# What is in them? Are the kinds distinguishable at all, and how well do the simplest rules do? And how do we get them
# to the model fast enough that it never has to wait?
#
# Many failures of classifiers are failures of data: pictures in the wrong order of axes, numbers that ran over, a
# scaling that swallowed the pattern. All of these run without a message. So this lesson follows a pixel from the file
# to the model, computes what it can about the pictures, and measures where time goes.

# %%
import gzip
import struct
import tempfile
import time
from pathlib import Path

import numpy as np

from d2l_core import xp
from d2l_core.data import (
    FASHION_MNIST_LABELS,
    Loader,
    decode_idx,
    encode_idx,
    load_fashion_mnist,
    resize_images,
    to_float_images,
)
from d2l_core.lessons import report, scale
from d2l_core.plots import INK, flow, house_style
from d2l_core.random import permutation

# %% [markdown]
# ## The idea
#
# A file is unpacked once into one large array of bytes. Each training step takes a few rows of it, in random order,
# and only these become floating-point numbers with an axis for the colour, as a network wants them. Bytes take a
# quarter of the memory of float32, and copying a quarter takes a quarter of the time.


# %%
def diagram_way():
    """What happens to a picture between the file and the model."""
    return flow(
        ("file", "gzip, 26 MB"),
        ("array", "(60000, 28, 28) uint8"),
        ("batch", "(256, 28, 28) uint8"),
        ("model's input", "(256, 1, 28, 28) float"),
        title="from the file to the model",
    )


# %%
if __name__ == "__main__":
    print(f"{60_000 * 28 * 28 / 1e6:.0f} MB as bytes, {60_000 * 28 * 28 * 4 / 1e6:.0f} MB as float32")
    diagram_way()

# %% [markdown]
# ## The mathematics
#
# **Statistics.** Let $\mathbf{X}$, of shape $(n, d)$, hold $n$ pictures of $d = 28 \cdot 28 = 784$ pixels in its rows,
# divided by 255 so that black is 0 and white is 1, and let $y_i \in \{0, \dots, 9\}$ be the class of picture $i$. The
# mean picture of class $c$ with its $n_c$ members, shape $(d,)$, and the overall covariance, shape $(d, d)$, are
#
# $$\boldsymbol\mu_c = \frac{1}{n_c} \sum_{i:\, y_i = c} \mathbf{x}_i, \qquad
#   \mathbf{C} = \frac{1}{n} \sum_{i=1}^n (\mathbf{x}_i - \boldsymbol\mu)(\mathbf{x}_i - \boldsymbol\mu)^\top,
#   \qquad \boldsymbol\mu = \frac{1}{n} \sum_{i=1}^n \mathbf{x}_i .$$
#
# The eigenvalues of $\mathbf{C}$ in falling order, $\lambda_1 \ge \lambda_2 \ge \dots$, tell how much of the variance
# of all pixels lies in how few directions (Pearson, 1901): the first $m$ directions hold the share
# $\sum_{j \le m} \lambda_j / \sum_j \lambda_j$.
#
# The simplest classifier that looks at every pixel chooses the class whose mean picture is nearest. Because
#
# $$\lVert \mathbf{x} - \boldsymbol\mu_c \rVert^2 = \lVert \mathbf{x} \rVert^2 - 2\, \boldsymbol\mu_c^\top \mathbf{x} +
#   \lVert \boldsymbol\mu_c \rVert^2$$
#
# and the first term is the same for all classes, the nearest mean is the class with the largest
# $\boldsymbol\mu_c^\top \mathbf{x} - \frac12 \lVert \boldsymbol\mu_c \rVert^2$: a weighted sum of the pixels and a
# bias. This is already a linear classifier, only that its weights are counted and not learned.
#
# **Resizing.** Think of pixels as squares of side 1, whose centres lie at $\frac12, \frac32, \dots$ A row of $n$
# pixels is to become a row of $m$. The centre of new pixel $i$ lies at $(i + \frac12) n / m$ of the old scale. If this
# falls between the centres of the old pixels $j$ and $j + 1$, a share $t$ of the way, the new value is
# $(1 - t)\, x_j + t\, x_{j+1}$; beyond the outermost centres the outermost value goes on. So a row is resized by a
# matrix $\mathbf{R}$ of shape $(m, n)$ with at most two non-zero numbers in each row, which add up to one. For a
# picture $\mathbf{A}$ of shape $(h, w)$ we resize columns and rows, $\mathbf{R}_h \mathbf{A} \mathbf{R}_w^\top$, and
# every new pixel mixes at most four old ones: *bilinear* interpolation.
#
# **The cost of a batch.** Fetching a batch of $B$ pictures costs a fixed time $a$ for calling functions, whatever $B$
# is, and a time $b$ for each picture. An epoch of $n$ pictures takes
#
# $$T(B) \approx \frac{n}{B}\, (a + bB) = n \Big( \frac{a}{B} + b \Big) .$$
#
# Doubling the batch halves the first part, until $B \approx a/b$, where the second takes over and larger batches gain
# nothing.

# %% [markdown]
# ## From scratch
#
# **The file.** The format is called IDX and came with MNIST, the handwritten digits of LeCun, Bottou, Bengio and
# Haffner (1998). It begins with two zero bytes, one byte for the kind of number (8 stands for unsigned bytes) and one
# for the number of axes; then comes each axis' length as four bytes, the most significant first, and then the numbers.


# %%
def read_idx(data):
    """The array in a gzipped IDX file of unsigned bytes, given as bytes."""
    raw = gzip.decompress(data)
    zeros, kind, axes = struct.unpack(">HBB", raw[:4])
    if (zeros, kind) != (0, 8):
        raise ValueError("This is not an IDX file of unsigned bytes.")
    shape = struct.unpack(f">{axes}I", raw[4 : 4 + 4 * axes])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


# %% [markdown]
# **Batches.** One random order for each epoch, and pictures and labels taken by the same numbers. To draw an order
# anew for the labels would be a disaster without a message.


# %%
def batches(images, labels, batch_size, seed, epoch):
    """Batches of images (B, 28, 28) and labels (B,) in an order that depends on seed and epoch."""
    order = permutation(len(images), seed, "shuffle", epoch)
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]  # (B,)
        yield images[chosen], labels[chosen]


# %% [markdown]
# **Resizing** is two products with the matrices of the text.


# %%
def interpolation(n, m):
    """The matrix R (m, n) that turns n pixels into m, on the host."""
    centres = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0.0, n - 1.0)  # in numbers of old pixels, (m,)
    left = np.minimum(centres.astype(int), n - 2) if n > 1 else np.zeros(m, dtype=int)
    share = centres - left
    R = np.zeros((m, n))
    R[np.arange(m), left] = 1.0 - share
    R[np.arange(m), np.minimum(left + 1, n - 1)] += share
    return R


def resize(images, height, width):
    """Float images (n, h, w) as (n, height, width), by bilinear interpolation."""
    rows = xp.asarray(interpolation(images.shape[1], height))  # (height, h)
    columns = xp.asarray(interpolation(images.shape[2], width).T.copy())  # (w, width)
    return xp.matmul(rows, xp.matmul(images, columns))  # (n, h, w) -> (n, h, width) -> (n, height, width)


# %% [markdown]
# ## Concise
#
# The pictures are those of *Fashion-MNIST* (Xiao, Rasul and Vollgraf, 2017). `load_fashion_mnist` finds or downloads
# the published files, compares them with a known hash, unpacks them once and from then on maps the unpacked form from
# the disk. `sample=True` gives the 6,000 and 1,000 pictures that come with the package; we use the whole set at full
# scale. `Loader` makes batches on the device, `to_float_images` is handed to it as the last step, and `resize_images`
# resizes bytes with rounding.


# %%
def fashion(split, at=None):
    """Images (n, 28, 28) and labels (n,): all at full scale, the sample at standard, 500 at smoke."""
    at = at or scale()
    images, labels = load_fashion_mnist(split, sample=at != "full")
    if at == "smoke":
        chosen = permutation(len(images), 0, "few")[:500]
        images, labels = images[chosen], labels[chosen]
    return images, labels.astype(np.int32)


# %%
if __name__ == "__main__":
    images, labels = fashion("train")
    val_images, val_labels = fashion("test")
    report(pictures=len(images), val_pictures=len(val_images))

    packed = encode_idx(images[:300])
    report(decoded_alike=np.array_equal(read_idx(packed), decode_idx(packed, "our file")))

    loader = Loader((images, labels), 256, shuffle=True, stream=(0, "shuffle"))
    pairs = zip(batches(images, labels, 256, 0, 3), loader.epoch(3), strict=True)
    alike = [np.array_equal(A, xp.to_numpy(X)) and np.array_equal(b, xp.to_numpy(y)) for (A, b), (X, y) in pairs]
    report(batches_alike=all(alike))

    larger = xp.to_numpy(resize(xp.asarray(images[:50].astype(np.float32)), 64, 40))  # (50, 64, 40)
    report(resize_gap=np.abs(larger - resize_images(images[:50], (64, 40))).max())

# %% [markdown]
# The file, read by hand and by the library, gives the same array, all batches agree, and our resized pictures differ
# from the library's by at most 0.50<!--lesson.resize_gap--> of a grey level, which is the rounding to bytes.
#
# ## Looking at them
#
# There is no substitute for looking. The first three rows are the first pictures of each class, below is the mean
# picture of all its members.


# %%
@house_style
def show_images(images, titles=(), columns=10):
    """Grey pictures (n, h, w) in rows, light things on a dark ground as stored, with titles over the first row."""
    import matplotlib.pyplot as plt

    h, w = images[0].shape
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (h + 2), columns * (w + 2)), np.nan)
    for i, image in enumerate(images):
        top, left = i // columns * (h + 2), i % columns * (w + 2)
        sheet[top : top + h, left : left + w] = image / image.max()
    figure, axes = plt.subplots(figsize=(min(9.0, 2.2 * columns), min(9.0, 2.2 * columns) * rows / columns))
    axes.imshow(sheet, cmap="gray")
    axes.axis("off")
    for i, title in enumerate(titles):
        axes.text(i * (w + 2) + w / 2, -2, title, ha="center", va="bottom", fontsize=8)
    return figure


def class_means(images, labels, num_classes=10):
    """Mean picture of each class, (num_classes, h * w), floats from 0 to 1, on the host."""
    flat = images.reshape(len(images), -1)
    return np.stack([flat[labels == c].mean(axis=0) for c in range(num_classes)]) / 255.0


# %%
if __name__ == "__main__":
    firsts = [np.flatnonzero(labels == c)[i] for i in range(3) for c in range(10)]
    means = class_means(images, labels)  # (10, 784)
    pictures = [*images[firsts], *means.reshape(10, 28, 28)]
    show_images(pictures, FASHION_MNIST_LABELS)

# %% [markdown]
# The pictures are centred, all about the same height, and seen from the front or, for shoes, from the left. The
# classes are not of a kind: a pullover, a coat and a shirt share an outline and differ in collars, zips and buttons,
# of which 28 pixels keep little. We should expect a classifier to confuse them. The mean pictures are surprisingly
# sharp for trousers and sneakers and blurred for bags and sandals, whose shapes vary.
#
# ## What the pixels' statistics say

# %%
if __name__ == "__main__":
    levels = np.bincount(images.ravel(), minlength=256) / images.size  # share of each grey level, (256,)
    grey = np.arange(256) / 255  # (256,)
    report(
        pixel_mean=levels @ grey,
        pixel_std=np.sqrt(levels @ (grey - levels @ grey) ** 2),
        black=levels[0],
        white=levels[255],
        largest_class=np.bincount(labels).max() / len(labels),
    )
    flat = images.reshape(len(images), -1).astype(np.float32) / 255  # (n, 784)
    flat -= flat.mean(axis=0)
    variances = np.linalg.eigvalsh(flat.T @ flat / len(flat))[::-1]  # (784,)
    share = variances.cumsum() / variances.sum()
    report(two_directions=share[1], fifty_directions=share[49])
    neighbours = np.corrcoef(images[:2000, :, :-1].ravel(), images[:2000, :, 1:].ravel())[0, 1]
    report(neighbours=neighbours)
    hashes = {image.tobytes() for image in images}
    report(twins=len(images) - len(hashes) + sum(image.tobytes() in hashes for image in val_images))


# %%
@house_style
def plot_statistics(levels, images, labels, share):
    """Distribution of the grey levels, mean brightness by class, and the variance in the first directions."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.6, 2.9), width_ratios=(1, 1.2, 1))
    left.stairs(levels.reshape(32, 8).sum(axis=1), np.linspace(0, 1, 33), fill=True)
    left.set(xlabel="grey level", ylabel="share of the pixels", yscale="log")
    brightness = images.mean(axis=(1, 2)) / 255  # (n,)
    groups = [brightness[labels == c] for c in range(10)]
    middle.boxplot(groups, orientation="horizontal", showfliers=False, medianprops={"color": "C1"})
    middle.set_yticks(range(1, 11), FASHION_MNIST_LABELS, fontsize=8)
    middle.set(xlabel="mean grey level of a picture")
    right.semilogx(np.arange(1, len(share) + 1), share)
    right.set(xlabel="directions", ylabel="share of the variance", ylim=(0, 1))
    return figure


# %%
if __name__ == "__main__":
    plot_statistics(levels, images, labels, share)

# %% [markdown]
# At full scale there are 60,000<!--lesson.pictures--> pictures for training and 10,000<!--lesson.val_pictures--> for
# validation, every class with the same number, so that a constant answer is right in 10.0 %<!--lesson.largest_class-->
# of the cases: the line to beat. Half of all pixels, 50.2 %<!--lesson.black-->, are black ground and only
# 0.8 %<!--lesson.white--> quite white. The mean is 0.286<!--lesson.pixel_mean--> and the standard deviation
# 0.353<!--lesson.pixel_std-->. Neighbouring pixels have a correlation of 0.85<!--lesson.neighbours-->: a picture holds
# far less than 784 independent numbers. Two directions of pixel space carry 47 %<!--lesson.two_directions--> of the
# variance and fifty carry 86 %<!--lesson.fifty_directions-->. There are 0<!--lesson.twins--> pictures that occur twice,
# neither within the training set nor in both sets, as far as copies equal to the last bit go. This has to be checked: a
# validation picture that was trained on measures memory.
#
# How far do such statistics carry? The first rule uses the mean brightness alone and chooses the class whose average
# brightness is nearest. The second compares the whole picture with the mean pictures.


# %%
def nearest_mean(images, means):
    """Number of the class (n,) whose mean (k, d) is nearest to each row of images (n, d)."""
    bias = -0.5 * xp.sum(means * means, axis=1)  # (k, d) -> (k,)
    return xp.argmax(xp.matmul(images, xp.matrix_transpose(means)) + bias, axis=1)  # (n, k) -> (n,)


# %%
if __name__ == "__main__":
    tests = xp.asarray(val_images.reshape(len(val_images), -1) / 255)  # (m, 784)
    for name, inputs, centres in (
        ("brightness", xp.mean(tests, axis=1, keepdims=True), means.mean(axis=1, keepdims=True)),  # (m, 1), (10, 1)
        ("centroid", tests, means),  # (m, 784), (10, 784)
    ):
        guesses = xp.to_numpy(nearest_mean(inputs, xp.asarray(centres)))
        report(**{f"{name}_acc": (guesses == val_labels).mean()})

# %% [markdown]
# One number for each picture gives 25.4 %<!--lesson.brightness_acc-->, and ten mean pictures give
# 67.7 %<!--lesson.centroid_acc-->, without any training. Every later model must be held against this.
# [Softmax regression](softmax_regression.py), which has the same form and *learns* its ten pictures, comes to about 83
# per cent, and [LeNet](../convolutional_networks/lenet.py) beyond that.
#
# ## How fast?
#
# We time an epoch through the `Loader` for several batch sizes, with and without the conversion to floats, after one
# epoch to warm up, and fit the formula of the text.


# %%
def seconds_per_epoch(images, labels, batch_size, transform=to_float_images):
    """Time for all batches of an epoch: the best of three, after one to warm up."""
    loader = Loader((images, labels), batch_size, shuffle=True, transform=transform)
    seconds = []
    for epoch in range(4):
        began = time.perf_counter()
        for X, _ in loader.epoch(epoch):
            last = X
        xp.to_numpy(last)  # waits until everything is done
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def fixed_and_each(sizes, seconds, count):
    """The two times a (a batch) and b (a picture) that fit T(B) = n (a / B + b) best in relative terms."""
    terms = count * np.stack([1.0 / np.asarray(sizes), np.ones(len(sizes))], axis=1)  # (m, 2)
    weights = 1.0 / np.asarray(seconds)[:, None]
    return np.linalg.lstsq(terms * weights, np.ones(len(sizes)), rcond=None)[0]


@house_style
def plot_speed(sizes, seconds, count):
    """Pictures in a second by batch size, and the formula."""
    import matplotlib.pyplot as plt

    a, b = fixed_and_each(sizes, seconds, count)
    figure, axes = plt.subplots(figsize=(5.2, 3))
    axes.loglog(sizes, count / np.asarray(seconds), "o", label="measured")
    axes.loglog(sizes, 1.0 / (a / np.asarray(sizes) + max(b, 0.0)), "--", color=INK, label="$1 / (a/B + b)$")
    axes.set(xlabel="batch size $B$", ylabel="pictures in a second")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    count = 128 if scale() == "smoke" else 2048
    sizes = [4, 32, 128] if scale() == "smoke" else [4, 16, 64, 256, 1024]
    few = images[:count], labels[:count]
    seconds = [seconds_per_epoch(*few, size) for size in sizes]
    for size, needed in zip(sizes, seconds, strict=True):
        print(f"batches of {size:>4}: {1e6 * needed / count:8.1f} microseconds a picture")
    fixed, each = fixed_and_each(sizes, seconds, count)
    print(f"a = {1e6 * fixed:.1f} microseconds a batch, b = {1e6 * each:.2f} microseconds a picture")
    plot_speed(sizes, seconds, count)

# %% [markdown]
# The times depend on the machine and the backend, so look at your own. The shape does not: at the left the curve rises
# in proportion to the batch size, because each batch pays the same fixed price for a handful of function calls, some
# tens or some hundreds of microseconds, depending on the backend; at the right it flattens, where the copying of pixels
# counts. A batch of four pictures wastes nearly everything. A training loop would pay the fixed price in
# every step; the `Trainer` of later lessons puts many steps into one compiled piece and pays it seldom.
#
# **Decode once.** Unpacking gzip costs more than anything that follows. We store the unpacked array as a `.npy` file
# and compare three ways to get at 256 random pictures: unpack the compressed file, read the whole unpacked file, or
# *map* it. A mapped array is only an address; the operating system reads the pages of the file that are touched, when
# they are touched, and lets several processes share them.


# %%
def ways_to_read(images, packed=None):
    """Milliseconds for 256 random pictures by each way, with the file in the memory of the system; best of three."""
    chosen = np.sort(permutation(len(images), 0, "pages")[:256])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, images)
        ways = {
            "unpack": lambda: decode_idx(packed, "our file")[chosen],
            "read": lambda: np.load(path)[chosen],
            "map": lambda: np.load(path, mmap_mode="r")[chosen],
        }
        times = {}
        for name, way in ways.items():
            if name == "unpack" and packed is None:
                continue
            seconds = []
            for _ in range(3):
                began = time.perf_counter()
                found = way()
                seconds.append(time.perf_counter() - began)
            times[name] = 1e3 * min(seconds)
            if not np.array_equal(found, images[chosen]):
                raise RuntimeError(f"The way {name!r} gave other pictures.")
    return times


# %%
if __name__ == "__main__":
    part = images[: 300 if scale() == "smoke" else 6000]
    for pictures, packed in ((part, encode_idx(part)), (images, None)):
        print(f"{len(pictures)} pictures, {pictures.nbytes / 1e6:.1f} MB")
        for name, milliseconds in ways_to_read(pictures, packed).items():
            print(f"{name:>9}: {milliseconds:8.2f} ms")

# %% [markdown]
# Unpacking is slower by far than anything else, and it would be paid again at each start. For a file of five megabytes
# reading and mapping are close; for the whole set, reading takes many times as long and mapping hardly longer, since it
# touches the same 256 places. Even a file that is larger than the memory can be mapped; what the system does not hold
# in memory yet costs an access to the disk. This is how the library keeps unpacked data sets, and resized ones, whose
# size goes with the square of the side: at 224 pixels, 60,000 pictures are three gigabytes.
#
# ## What goes wrong
#
# **Bytes run over.** An unsigned byte holds 0 to 255, and arithmetic with bytes stays in bytes: $10 - 20 = 246$. To
# find the nearest training picture by the sum of squared differences looks harmless.


# %%
def nearest_neighbour_accuracy(train, test, dtype):
    """Share of test pictures whose nearest training picture, computed in this kind of number, has their class."""
    (A, a), (B, b) = train, test
    A, B = (pictures.reshape(len(pictures), -1).astype(dtype) for pictures in (A, B))
    nearest = [int(np.square(A - row).sum(axis=1, dtype=np.float64).argmin()) for row in B]
    return (a[nearest] == b).mean()


# %%
if __name__ == "__main__":
    shuffled = permutation(len(images), 0, "neighbours")
    train = images[shuffled[:1000]], labels[shuffled[:1000]]
    shuffled = permutation(len(val_images), 1, "neighbours")
    test = val_images[shuffled[:200]], val_labels[shuffled[:200]]
    report(
        neighbour_float=nearest_neighbour_accuracy(train, test, np.float32),
        neighbour_bytes=nearest_neighbour_accuracy(train, test, np.uint8),
    )

# %% [markdown]
# With floats 68 %<!--lesson.neighbour_float--> of 200 pictures found their kind among a thousand; with bytes
# 56 %<!--lesson.neighbour_bytes-->. The wrong program does not fail, it is only worse, and worse in a way that one
# might put down to the method.
#
# **Reshaping is not transposing.** Some programs store a colour picture as (height, width, colour), others as (colour,
# height, width). Reshaping from one to the other gives the right shape and scrambles the picture,
# because it keeps the numbers in their order; the axes must be permuted. With grey pictures both give the same, and
# so the mistake waits for the first colour picture. Below, two colours are made of a picture and its mirror image.


# %%
def two_colours(image):
    """A picture (h, w, 2) of the image (h, w) and its mirror image."""
    return np.stack([image, image[:, ::-1]], axis=-1)


# %%
if __name__ == "__main__":
    colours = two_colours(images[labels == 9][0])  # (28, 28, 2)
    wrong, right = colours.reshape(2, 28, 28), colours.transpose(2, 0, 1)  # both (2, 28, 28)
    show_images([*right, *wrong], ["transposed", "", "reshaped", ""], columns=4)

# %% [markdown]
# **Shrinking loses patterns.** Bilinear interpolation looks at four pixels. Going from 28 to 7, each new pixel stands
# for sixteen old ones and looks at the four in their middle. Stripes of two pixels, light and dark in turn, have the
# mean 127.5.

# %%
if __name__ == "__main__":
    stripes = np.tile(np.repeat(np.array([255, 0], dtype=np.uint8), 2), 7)  # (28,)
    shirts = np.stack([np.tile(np.roll(stripes, shift), (28, 1)) for shift in range(4)])  # (4, 28, 28)
    for shift, small in enumerate(resize_images(shirts, 7)):
        print(f"shifted by {shift}: grey levels from {small.min()} to {small.max()}")
    small = resize_images(shirts, 7)
    report(lightest=small.mean(axis=(1, 2)).max(), darkest=small.mean(axis=(1, 2)).min())

# %% [markdown]
# The same striped shirt comes out white, with the mean 255<!--lesson.lightest-->, or black, with
# 0<!--lesson.darkest-->, depending on where the stripes begin. This is called aliasing: a pattern finer than the new
# grid turns into something that was not there. The cure is to average before sampling, as the first exercise does.
#
# ## Under the surface
#
# All frameworks resize, and not by the same rule unless told to. PyTorch's `interpolate` takes the nearest pixel unless
# `mode="bilinear"` is said; then it matches the centres of pixels, as we do, unless `align_corners=True` matches the
# centres of the corner pixels instead, and it does not smooth unless asked by `antialias=True`. `tf.image.resize` is
# bilinear with `antialias=False`, `jax.image.resize` has `antialias=True` as the default, and Pillow, through which
# many pipelines go, smooths when it shrinks with any filter but `NEAREST`. So a network that was trained behind one of
# them and is used behind another sees other pictures. Here the resizing is done once, in whole numbers, on the host,
# and is the same for all.
#
# The order of axes differs as well: PyTorch and MXNet want (batch, channels, height, width), TensorFlow and most JAX
# libraries (batch, height, width, channels). In this course the first order is used everywhere and the adapters permute
# where a kernel wants the other.
#
# For loading, PyTorch and Gluon offer a `DataLoader` with worker processes, and TensorFlow `tf.data` with threads that
# fetch ahead; JAX leaves it to others. Workers pay off if pictures must be decoded or distorted while training runs.
# With 47 megabytes of bytes it is simpler and faster to lay everything onto the device once and to take rows from
# there, which is what `Loader` does.
#
# ## Summary
#
# A data set of images is an array of bytes, which should be unpacked once, mapped from the disk, and turned into
# floats batch by batch. Its statistics are worth an hour: they tell the line that a classifier must beat, here 10
# per cent for a constant and 68 for the nearest mean picture, and which classes will be confused. A batch costs a
# fixed time and a time for each picture, so that small batches waste most of it. Arithmetic in bytes, reshaping in
# place of transposing and shrinking without smoothing all run without complaint and spoil the data.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise image-dataset` writes a stub to fill in, `d2l check
# FILE` examines it on every installed backend. Solutions to all are in `image_dataset_solutions.py`.
#
# 1. ★ *Halving.* Write `halve(images)`, which replaces each block of two by two pixels by its mean. What becomes of the
#    striped shirts if it is applied twice?
# 2. ★ *Too large for the memory.* Mean and variance of a data set shall be computed batch by batch. Write
#    `merge(first, second)`, which takes the count, mean and sum of squared deviations of two batches and returns those
#    of both together (Chan, Golub and LeVeque, 1983). Why not simply add up $x$ and $x^2$?
# 3. *Fewer numbers.* Project the pictures onto the first $m$ eigenvectors of $\mathbf{C}$ and use the nearest mean
#    there. How does the accuracy depend on $m$? Explain what you find.
# 4. *A fairer distance.* Divide each pixel by its standard deviation before the nearest mean is sought. Does it help?
#    What happens to the pixels in the corners?
# 5. *Near twins.* No two pictures are equal, but are some nearly so? For each of 500 validation pictures find the
#    nearest training picture and look at the closest pairs.
#
# ## References
#
# - K. Pearson (1901), *On Lines and Planes of Closest Fit to Systems of Points in Space*, Philosophical Magazine 2.
# - Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), *Gradient-Based Learning Applied to Document Recognition*,
#   Proceedings of the IEEE 86.
# - H. Xiao, K. Rasul and R. Vollgraf (2017), *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
#   Algorithms*, arXiv:1708.07747.
# - T. F. Chan, G. H. Golub and R. J. LeVeque (1983), *Algorithms for Computing the Sample Variance: Analysis and
#   Recommendations*, The American Statistician 37.
