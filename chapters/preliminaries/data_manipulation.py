# /// lesson
# name = "data-manipulation"
# title = "Data manipulation"
# sections = ["2.1"]
# needs = []
# data = ["airfoil", "fashion-mnist"]
# [time]
# smoke = "1 s"
# standard = "1 s"
# full = "1 s"
# [promises]
# standard = ["lesson: mismatches <= 0"]
# full = [
#   "lesson: mismatches <= 0", "lesson: pairs >= 239", "lesson: paired_rise >= 3.5", "lesson: scrambled >= 0.5",
#   "lesson: wrapped_difference >= 50",
# ]
# ///

# %% [markdown]
# # Data manipulation
#
# The turnstile of a swimming pool writes one number three times a day: how many people came in the morning, at
# midday, in the evening. After two weeks there are 42 numbers in a row. Which day of the week needs a second
# lifeguard? Is Sunday evening quieter than Monday evening? Nobody wants to answer such questions with nested loops
# and index arithmetic; one would like to say *average over the weeks* and *only the weekends*.
#
# Nearly all programming in deep learning is of this kind. Images, sentences and measurements are boxes of numbers
# with named sides, and a model is a chain of operations on such boxes. We shall see what a box really is (less than
# one thinks), build its operations by hand, use those of the library on the pool and on NASA's measurements, and then
# make the mistakes that raise no error.

# %%
import itertools
import math

import numpy as np

from d2l_core import xp
from d2l_core.data import load_airfoil, load_fashion_mnist
from d2l_core.lessons import report
from d2l_core.plots import INK, house_style

# %% [markdown]
# ## The idea
#
# A *tensor* is a box of numbers of one type. Its *shape* tells how many there are along each side, or *axis*: the
# record of the pool has the shape (2, 7, 3), for weeks, days and times of the day. A vector has one axis, a matrix
# two, and a single number none, so that its shape is the empty tuple ().
#
# A computer's memory has no sides. It is one long row of cells, and the box exists only in the rule by which we walk
# along it: how many cells to go for one step along each axis. These numbers are called *strides*. In the figure, the
# memory at the top is read in three ways. Only the rule differs, and none of the three needed a single number to be
# moved.


# %%
@house_style
def plot_memory():
    """Twelve cells of memory, and three boxes that are read from them."""
    import matplotlib.pyplot as plt

    memory = np.arange(12)
    grid = memory.reshape(3, 4)
    readings = (
        ("shape (3, 4), strides (4, 1)", grid),
        ("transposed: (4, 3), strides (1, 4)", grid.T),
        ("every second column: (3, 2), strides (4, 2)", grid[:, ::2]),
    )
    figure = plt.figure(figsize=(8.8, 3.6))
    panels = figure.add_gridspec(2, 3, height_ratios=(1, 3.2))
    _draw_cells(figure.add_subplot(panels[0, :]), memory[None], "memory: twelve cells in a row")
    for place, (title, box) in enumerate(readings):
        _draw_cells(figure.add_subplot(panels[1, place]), box, title)
    return figure


def _draw_cells(axes, box, title):
    rows, columns = box.shape
    for (i, j), value in np.ndenumerate(box):
        axes.fill([j, j + 1, j + 1, j], [i, i, i + 1, i + 1], color=f"C{value // 4}", alpha=0.3)
        axes.plot([j, j + 1, j + 1, j, j], [i, i, i + 1, i + 1, i], color=INK, linewidth=0.8, linestyle="-")
        axes.text(j + 0.5, i + 0.5, str(value), ha="center", va="center", color=INK)
    axes.set(aspect="equal", xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1))
    axes.set_title(title, fontsize=9)
    axes.axis("off")


# %%
if __name__ == "__main__":
    plot_memory()

# %% [markdown]
# ## The mathematics
#
# Let a tensor have $k$ axes of the lengths $n_1, \dots, n_k$. The element with the indices $(i_1, \dots, i_k)$,
# counted from zero, lies in the memory at the position
#
# $$p = p_0 + \sum_{a=1}^k i_a s_a ,$$
#
# where $p_0$ is the position of the first element and $s_a$ the stride of axis $a$. If the elements stand in
# *row-major* order, in which the last index runs fastest, then one step along axis $a$ must jump over everything that
# belongs to the axes behind it:
#
# $$s_a = n_{a+1} n_{a+2} \cdots n_k , \qquad s_k = 1 .$$
#
# For the shape (2, 7, 3) these are 21, 3 and 1. Now each operation below changes three things at most, $p_0$, the
# lengths and the strides:
#
# *Slicing.* Taking the elements $b, b + c, b + 2c, \dots$ along axis $a$ replaces $p_0$ by $p_0 + b s_a$ and $s_a$ by
# $c s_a$. With $c = -1$ one walks backwards.
#
# *Permuting axes* permutes lengths and strides in the same way. The transpose of a matrix is the case of two axes.
#
# *Reshaping* keeps the row-major order and changes the lengths, whose product must stay the same. It only writes down
# new strides if the old ones are those of the row-major order; otherwise the elements must be copied first (libraries
# know a few more cases without a copy).
#
# *Broadcasting* lets two tensors of different shapes take part in one sum or product. Write the shapes one above the
# other, aligned at the *last* axis, and imagine ones in front of the shorter. Two lengths go together if they are
# equal or if one of them is 1; that one is stretched. Stretching is a stride of zero, since every step along the axis
# then meets the same number:
#
# $$(2, 7, 3) \text{ and } (7, 1): \qquad
#   \begin{matrix} 2 & 7 & 3 \\ (1) & 7 & 1 \end{matrix} \;\to\; (2, 7, 3) .$$

# %% [markdown]
# ## From scratch
#
# The formulas are the program. Our class holds a Python list and never touches it, except in `reshaped`.


# %%
def row_major_strides(shape):
    """For each axis the product of the lengths behind it."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def broadcast_shape(first, second):
    """The common shape of two shapes; ValueError if they do not go together."""
    axes = max(len(first), len(second))
    padded = [(1,) * (axes - len(shape)) + tuple(shape) for shape in (first, second)]
    for m, n in zip(*padded, strict=True):
        if m != n and 1 not in (m, n):
            raise ValueError(f"Shapes {tuple(first)} and {tuple(second)} do not go together: {m} meets {n}.")
    return tuple(n if m == 1 else m for m, n in zip(*padded, strict=True))


class Strided:
    """A flat list that is read as a box: position = start + sum of index times stride."""

    def __init__(self, memory, shape, strides=None, start=0):
        self.memory, self.shape, self.start = memory, tuple(shape), start
        self.strides = row_major_strides(self.shape) if strides is None else tuple(strides)

    def at(self, *index):
        """One element."""
        return self.memory[self.start + sum(i * s for i, s in zip(index, self.strides, strict=True))]

    def elements(self):
        """All elements in row-major order, as a new list."""
        return [self.at(*index) for index in itertools.product(*map(range, self.shape))]

    def permuted(self, axes):
        """Axis i of the result is axis `axes[i]` of this box."""
        return Strided(self.memory, [self.shape[a] for a in axes], [self.strides[a] for a in axes], self.start)

    def cut(self, axis, first, length, step=1):
        """`length` elements along an axis, from `first` on, with a step that may be negative."""
        shape, strides = list(self.shape), list(self.strides)
        shape[axis], strides[axis] = length, step * self.strides[axis]
        return Strided(self.memory, shape, strides, self.start + first * self.strides[axis])

    def broadcast(self, shape):
        """Stretched to a shape, by strides of zero."""
        added = len(shape) - len(self.shape)
        strides = [0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True)]
        return Strided(self.memory, shape, [0] * added + strides, self.start)

    def reshaped(self, shape):
        """The same elements in another shape; copies them unless they stand in row-major order already."""
        if math.prod(shape) != math.prod(self.shape):
            raise ValueError(f"{math.prod(self.shape)} elements do not fill the shape {tuple(shape)}.")
        if self.strides == row_major_strides(self.shape):
            return Strided(self.memory, shape, start=self.start)
        return Strided(self.elements(), shape)


# %% [markdown]
# The record of the pool, as the turnstile wrote it, and as a box:

# %%
RECORD = """
    41  18 62   38  22 71   45 30 66   40 19 80   36 27 75   64 118 57   72 131 49
    39  15 60   44  25 69   41 33 72   37 21 77   35 24 81   58 104 63   69 142 44
"""
VISITORS = tuple(int(number) for number in RECORD.split())
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TIMES = ("morning", "midday", "evening")


def pool():
    """Visitors as floats: weeks, days, times (2, 7, 3)."""
    return xp.reshape(xp.asarray([float(number) for number in VISITORS]), (2, 7, 3))  # (42,) -> (2, 7, 3)


# %%
if __name__ == "__main__":
    box = Strided(VISITORS, (2, 7, 3))
    print("strides", box.strides, "- second week, Sunday, midday:", box.at(1, 6, 1))

# %% [markdown]
# ## Concise
#
# The library's `xp` has these operations under the names of the Python array API standard. `xp.asarray` makes a
# tensor of the active framework, which is that framework's own; square brackets slice it, in Python's notation
# `first:end:step` for each axis, with `...` for all axes that are not mentioned. A single number in the brackets
# picks one slice and removes its axis.

# %%
if __name__ == "__main__":
    visitors = pool()
    print("shape", tuple(visitors.shape), "dtype", visitors.dtype, "of", type(visitors))
    weekend = visitors[:, 5:, :]  # (2, 7, 3) -> (2, 2, 3)
    evenings = visitors[..., 2]  # (2, 7, 3) -> (2, 7)
    by_time = xp.permute_dims(visitors, (2, 0, 1))  # (2, 7, 3) -> (3, 2, 7)
    print("weekend, second week:", xp.to_numpy(weekend[1]).tolist())
    print("Monday evenings", xp.to_numpy(evenings[:, 0]), "Sunday evenings", xp.to_numpy(evenings[:, 6]))

# %% [markdown]
# Do our boxes agree with the library's? For every operation we compare the elements in row-major order.


# %%
def comparisons():
    """Pairs of a box of ours and the tensor of the library that should hold the same numbers."""
    box, tensor = Strided(VISITORS, (2, 7, 3)), pool()
    day = box.cut(0, 0, 1).cut(2, 1, 1)  # (1, 7, 1): middays of the first week
    return {
        "slice": (box.cut(1, 5, 2), tensor[:, 5:, :]),
        "every second day": (box.cut(1, 0, 4, step=2), tensor[:, ::2, :]),
        "backwards": (box.cut(1, 6, 7, step=-1), xp.flip(tensor, axis=1)),
        "permuted": (box.permuted((2, 0, 1)), xp.permute_dims(tensor, (2, 0, 1))),
        "reshaped": (box.reshaped((6, 7)), xp.reshape(tensor, (6, 7))),
        "permuted, then reshaped": (
            box.permuted((2, 0, 1)).reshaped((3, 14)),
            xp.reshape(xp.permute_dims(tensor, (2, 0, 1)), (3, 14)),
        ),
        "broadcast": (day.broadcast((2, 7, 3)), xp.broadcast_to(tensor[0, :, 1:2], (2, 7, 3))),
    }


def count_mismatches(pairs):
    """How many elements or shapes differ."""
    found = 0
    for ours, theirs in pairs.values():
        found += int(ours.shape != tuple(theirs.shape))
        found += sum(a != b for a, b in zip(ours.elements(), xp.to_numpy(theirs).ravel().tolist(), strict=True))
    return found


# %%
if __name__ == "__main__":
    pairs = comparisons()
    print(", ".join(pairs))
    report(mismatches=count_mismatches(pairs))

# %% [markdown]
# **Asking questions.** A *reduction* removes axes: `sum`, `mean`, `max` and their like take the axes that are to
# vanish. With `keepdims=True` they stay as axes of length one, and the result broadcasts against what it was made
# from. Comparisons give a tensor of truths; `where` chooses by it, and in square brackets it picks the elements at
# which it is true.

# %%
if __name__ == "__main__":
    per_day = xp.sum(visitors, axis=2)  # (2, 7, 3) -> (2, 7)
    typical = xp.mean(per_day, axis=0)  # (2, 7) -> (7,)
    busiest = int(xp.argmax(typical))
    shares = visitors / xp.sum(visitors, axis=2, keepdims=True)  # (2, 7, 3) / (2, 7, 1) -> (2, 7, 3)
    workday, weekend = (xp.mean(part, axis=(0, 1)) for part in (visitors[:, :5, :], visitors[:, 5:, :]))  # (3,) each
    print("typical day:", dict(zip(DAYS, xp.to_numpy(typical).tolist(), strict=True)))
    print("shares on Sundays:", xp.to_numpy(shares[:, 6, :]).round(2).tolist())
    print("change from week to week:", xp.to_numpy(xp.sum(visitors[1] - visitors[0], axis=1)).tolist())
    print("above 100:", xp.to_numpy(visitors[visitors > 100]).tolist())
    print(f"the busiest day is {DAYS[busiest]}")
    report(
        sunday=typical[6],
        workday_midday=workday[1],
        weekend_midday=weekend[1],
        workday_evening=workday[2],
        weekend_evening=weekend[2],
    )

# %% [markdown]
# Sunday is the busiest day with 253.5<!--lesson.sunday--> visitors on average, and the reason is midday: at weekends
# 123.8<!--lesson.weekend_midday--> people come then, on workdays 23.4<!--lesson.workday_midday-->. In the evening it
# is the other way round, 53.2<!--lesson.weekend_evening--> against 71.3<!--lesson.workday_evening-->. The second
# lifeguard is needed at two middays a week, and Sunday evening, with 49 and 44 visitors, is quieter than Monday
# evening, with 62 and 60. Two lines of reductions have told us so, and in both the axes were named by what they mean.
#
# To put tensors together, `concat` joins along an axis that exists and `stack` along a new one. Two weeks of shape
# (7, 3) become (14, 3) by the one and (2, 7, 3) by the other.

# %%
if __name__ == "__main__":
    first, second = visitors[0], visitors[1]  # (7, 3) each
    print("concat", tuple(xp.concat([first, second], axis=0).shape), "stack", tuple(xp.stack([first, second]).shape))

# %% [markdown]
# ## Fast air, loud wing?
#
# NASA measured the noise of wings in a wind tunnel, 1,503 times, each with the frequency, the angle of attack, the
# chord of the wing, the speed of the air and the noise level in decibels. Does faster air make more noise? The wind
# had only four speeds, so we compare four averages. Broadcasting makes the groups: the speeds as a column (1503, 1)
# against the four values as a row (4,) give a table of truths (1503, 4), one column for each group.


# %%
def group_means(values, groups, kinds):
    """Mean (k,) and size (k,) of the values (n,) whose group (n,) equals each of `kinds` (k,)."""
    member = xp.expand_dims(groups, axis=1) == kinds  # (n, 1) == (k,) -> (n, k)
    member = xp.astype(member, values.dtype)
    sizes = xp.sum(member, axis=0)  # (n, k) -> (k,)
    return xp.sum(member * xp.expand_dims(values, axis=1), axis=0) / sizes, sizes  # (n, k) * (n, 1) -> (n, k) -> (k,)


def paired_rise(X, y, slow, fast):
    """Mean rise of y over all pairs of cases that differ in the speed of the air alone, and how many pairs there are.

    X (n, 5) are the features of `load_airfoil`, y (n,) the levels.
    """
    speed = X[:, 3]  # (n,)
    low, high = speed == slow, speed == fast  # (n,) each
    same = X[:, :3][high][:, None, :] == X[:, :3][low][None, :, :]  # (a, 1, 3) == (1, b, 3) -> (a, b, 3)
    same = xp.all(same, axis=2)  # (a, b, 3) -> (a, b)
    rise = xp.expand_dims(y[high], axis=1) - y[low]  # (a, 1) - (b,) -> (a, b)
    pairs = rise[same]  # (number of pairs,)
    return xp.mean(pairs), pairs.shape[0]


# %%
if __name__ == "__main__":
    X, y = (xp.asarray(array) for array in load_airfoil())  # (1503, 5), (1503,)
    speeds = xp.asarray([31.7, 39.6, 55.5, 71.3])
    means, sizes = group_means(y, X[:, 3], speeds)
    for speed, mean, size in zip(*(xp.to_numpy(t) for t in (speeds, means, sizes)), strict=True):
        print(f"{speed:.1f} m/s: {mean:.2f} dB in {size:.0f} cases")
    rise, pairs = paired_rise(X, y, speeds[0], speeds[3])
    report(plain_rise=means[3] - means[0], second_fall=means[0] - means[1], paired_rise=rise, pairs=pairs)

# %% [markdown]
# From the slowest to the fastest air the average rises by 1.6<!--lesson.plain_rise--> dB, and from the slowest to the
# second it even *falls*, by 0.6<!--lesson.second_fall--> dB. Should more wind make less noise? The four groups were
# not measured at the same frequencies and angles, so each average mixes the effect of the wind with the choice of the
# rest. A fair comparison takes two cases that agree in frequency, angle and chord and differ in the speed alone (the
# fifth feature, the thickness of the boundary layer, follows from the others). `paired_rise` compares every fast case
# with every slow one, three features at a time, in one box of shape (465, 281, 3). There are 239<!--lesson.pairs-->
# such pairs, and between them the level rises by 3.5<!--lesson.paired_rise--> dB, more than twice as much.
#
# A box of 392,000 truths to find 239 pairs is a luxury. Broadcasting trades memory for brevity; with 100,000 cases on
# either side the same line would ask for 30 gigabytes.
#
# ## What goes wrong
#
# **Reshape instead of permute.** We want the average of each time of the day, and `xp.reshape(visitors, (3, 14))` has
# the right shape: three times, fourteen days. But reshaping keeps the order of the memory. Its first row holds the
# first fourteen numbers of the record, which are mornings, middays and evenings of the first five days.

# %%
if __name__ == "__main__":
    permuted = xp.permute_dims(visitors, (2, 0, 1))  # (2, 7, 3) -> (3, 2, 7)
    right = xp.mean(xp.reshape(permuted, (3, 14)), axis=1)  # (3, 2, 7) -> (3, 14) -> (3,)
    wrong = xp.mean(xp.reshape(visitors, (3, 14)), axis=1)  # (2, 7, 3) -> (3, 14) -> (3,)
    print("permuted:", xp.to_numpy(right).round(1).tolist(), "reshaped:", xp.to_numpy(wrong).round(1).tolist())
    report(morning=right[0], morning_reshaped=wrong[0], evening=right[2], evening_reshaped=wrong[2])

# %% [markdown]
# The reshaped averages look as plausible as the right ones: 42.5<!--lesson.morning_reshaped--> visitors in the
# morning instead of 47.1<!--lesson.morning-->, 61.4<!--lesson.evening_reshaped--> in the evening instead of
# 66.1<!--lesson.evening-->. Numbers do not blush. Images do, so let us make the same mistake with one. Files store a
# colour image as (height, width, channels), layers want (channels, height, width).


# %%
def coloured_shoe():
    """An image of a boot (28, 28, 3): the boot in red, its mirror image in green, its height in blue."""
    images, labels = load_fashion_mnist("train", sample=True)
    boot = images[labels == 9][0] / 255.0  # (28, 28)
    ramp = np.repeat(np.linspace(1.0, 0.0, 28)[:, None], 28, axis=1)  # (28, 28)
    return xp.asarray(np.stack([boot, boot[:, ::-1], ramp], axis=2))  # (28, 28, 3)


@house_style
def plot_channels(image):
    """The three channels after the right operation (above) and after the wrong one (below)."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 3, figsize=(6.4, 4.4))
    right, wrong = xp.permute_dims(image, (2, 0, 1)), xp.reshape(image, (3, 28, 28))
    for row, (name, channels) in zip(panels, (("permute_dims", right), ("reshape", wrong)), strict=True):
        for place, axes in enumerate(row):
            axes.imshow(xp.to_numpy(channels[place]), cmap="gray", vmin=0.0, vmax=1.0)
            axes.set(title=f"{name}, channel {place}", xticks=[], yticks=[])
    return figure


# %%
if __name__ == "__main__":
    image = coloured_shoe()
    differs = xp.permute_dims(image, (2, 0, 1)) != xp.reshape(image, (3, 28, 28))  # (3, 28, 28)
    report(scrambled=xp.mean(xp.astype(differs, xp.float_dtype())))

# %%
if __name__ == "__main__":
    plot_channels(image)

# %% [markdown]
# Both results have the shape (3, 28, 28), and 87 %<!--lesson.scrambled--> of the pixels are in the wrong place after
# `reshape`: each "channel" is a third of the picture, three numbers for each pixel drawn side by side. A network
# would train on this without complaint. The rule is short: *to change the order of axes, permute; to split or merge
# neighbouring axes, reshape*.
#
# **Small integers.** Pixels are bytes, whole numbers from 0 to 255, and results of bytes are bytes again. What does
# not fit wraps round: $200 + 100 = 300 = 256 + 44$ becomes 44, and $100 - 200$ becomes 156.

# %%
if __name__ == "__main__":
    images, _ = load_fashion_mnist("train", sample=True)
    dark, bright = (xp.asarray(image) for image in images[:2])  # (28, 28) bytes each
    careless = xp.astype(dark - bright, xp.float_dtype())
    careful = xp.astype(dark, xp.float_dtype()) - xp.astype(bright, xp.float_dtype())
    report(darker_by=-xp.mean(careful), wrapped_difference=xp.mean(careless))

# %% [markdown]
# The first image of the set, a boot, is darker than the second, a T-shirt, by 10.7<!--lesson.darker_by--> on average.
# Subtracted as bytes, it seems to be *brighter* by 92.5<!--lesson.wrapped_difference-->. Convert to floats first.
# Floats have a limit of their own: float32 keeps 24 binary digits, so $2^{24} + 1$ is rounded to $2^{24}$, and a
# counter that adds one at a time stops at 16,777,216.
#
# **Two names for one tensor.** After `B = A` there are two names and one tensor. `B = B + 1` computes a new tensor
# and lets the name B point to it; A is safe. `B += 1` asks the tensor to change itself *in place*, which saves
# memory, and it is up to the framework what happens. The contract of this course changes nothing in place, so here we
# leave it, to see what the frameworks do.


# %%
def change_seen(derive):
    """By how much an element of A changes when 1 is added in place to B, which `derive` makes of A (2, 2)."""
    A = xp.ones((2, 2))
    B = derive(A)
    B += 1.0
    return float(xp.to_numpy(A)[0, 0]) - 1.0


def change_seen_through_dlpack(size=1024):
    """By how much a tensor changes when the NumPy array that it was made from by `from_dlpack` does."""
    memory = np.zeros(size + 16, np.float32)
    array = memory[(-memory.ctypes.data % 64) // 4 :][:size]  # begins at a multiple of 64 bytes
    tensor = xp.from_dlpack(array)
    array += 1.0
    return float(xp.to_numpy(tensor)[0])


# %%
if __name__ == "__main__":
    ways = {
        "the same": lambda A: A,
        "slice": lambda A: A[0],
        "reshaped": lambda A: xp.reshape(A, (4,)),
        "transposed": xp.matrix_transpose,
    }
    changes = {name: change_seen(derive) for name, derive in ways.items()}
    print(changes)
    report(changed=sum(change != 0 for change in changes.values()), dlpack=change_seen_through_dlpack())

# %% [markdown]
# Four candidates for B, and through how many of them A was changed:
#
# | framework | of four | through |
# |---|---|---|
# | NumPy | 4<!--lesson.changed--> | `A`, `A[0]`, `xp.reshape(A, (4,))`, `xp.matrix_transpose(A)` |
# | PyTorch | 4<!--lesson.changed @torch--> | the same |
# | MXNet | 2<!--lesson.changed @mxnet--> | `A`, `A[0]` |
# | JAX | 0<!--lesson.changed @jax--> | none |
# | TensorFlow | 0<!--lesson.changed @tensorflow--> | none |
#
# On NumPy and PyTorch slices, reshaped and transposed tensors are *views*, as in our class: other strides on the same
# memory. The same program therefore has three different outcomes on five frameworks, and none of them is an error.
# Write `B = B + 1`, or `xp.index_update` to replace slices, and the question does not arise.
#
# ## Under the surface
#
# JAX and TensorFlow have tensors that never change, so `B += 1` is only a short form of `B = B + 1` there, and `A[0]
# = 5` is an error. JAX offers `A.at[0].set(5)`, which returns a new array and, inside a compiled function, costs no
# copy if the old one is not needed any more; TensorFlow has variables for what must change. PyTorch has no negative
# strides: `A[::-1]` is an error there, whereas NumPy makes a view, so use `xp.flip`. TensorFlow's brackets take no
# tensor of integers; `xp.take` does the same everywhere. A mask in brackets, as in `visitors[visitors > 100]`, works
# on all five, but the length of its result depends on the data, which a function compiled by JAX cannot allow;
# `where` keeps the shape.
#
# *Types.* The list `[1, 2]` becomes int64 in NumPy and PyTorch, int32 in TensorFlow and JAX and float32 in MXNet, if
# one asks them directly; `xp.asarray` makes integers of integers everywhere, of 32 bits in JAX and of 64 elsewhere.
# The mean of the integers 0, 1, 2, 3 is 1.5 in NumPy, JAX and MXNet, an error in PyTorch and 1 in TensorFlow, which
# rounds down to stay an integer. An int32 plus a float32 is a float64 in NumPy, a float32 in PyTorch, JAX and MXNet,
# and an error in TensorFlow. Convert with `xp.astype` before you mix.
#
# *To NumPy and back.* `xp.to_numpy` and `xp.asarray` copy, so neither side sees what happens to the other.
# `xp.from_dlpack` shares the memory where both sides can: after a change of the NumPy array the tensor had changed by
# 1<!--lesson.dlpack--> on NumPy, 1<!--lesson.dlpack @torch--> on PyTorch, 1<!--lesson.dlpack @jax--> on JAX,
# 1<!--lesson.dlpack @tensorflow--> on TensorFlow and 1<!--lesson.dlpack @mxnet--> on MXNet: even those whose tensors
# "never change" change under one's feet if somebody else owns the memory.
#
# ## Summary
#
# A tensor is a flat memory with a rule for walking in it: a start, lengths and strides. Slices, permutations and
# broadcasting change only the rule; reshaping keeps the order in memory and must not be used to exchange axes. Shapes
# are aligned at the last axis, and an axis of length one is stretched. Reductions remove the axes that they name, and
# `keepdims` leaves something to broadcast against. The mistakes that hurt raise no error: a reshape that should have
# been a permutation, bytes that wrap round, a tensor that has a second name.
#
# ## Exercises
#
# Solutions are in `data_manipulation_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise data-manipulation` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Patches.* Write `patches(images, size)`, which cuts images (n, h, w) into square pieces of the given size,
#    without a loop: (n, h / size, w / size, size, size). A reshape alone does not do it.
# 2. ★ *Moving average.* Write `moving_average(x, width)` for a vector (n,): the means of all windows of `width`
#    neighbours, (n - width + 1,), with no loop, at a cost that does not depend on the width. What has the cumulative
#    sum to do with it, and what does it cost in accuracy?
# 3. ★ *All distances.* Write `squared_distances(X, Y)`, the squared Euclidean distances between the rows of X (m, d)
#    and those of Y (n, d), (m, n), by broadcasting. How much memory does it need? Find a form that never makes a
#    tensor with three axes.
# 4. *Which go together?* Say without a computer what comes of (3, 1) with (4,), of (2, 1, 5) with (3, 1), of (4,)
#    with (4, 1), of (2, 3) with (2,), and of () with (7, 0). Then ask `broadcast_shape`.
# 5. *Overlapping rows.* What does `Strided(range(8), (5, 4), (1, 1))` hold? Use it to find the largest sum of four
#    neighbours in a list, and say why writing into such a box is dangerous.
#
# ## References
#
# - K. E. Iverson (1962), *A Programming Language*, Wiley, in which whole arrays are the operands.
# - S. van der Walt, S. C. Colbert and G. Varoquaux (2011), *The NumPy Array: A Structure for Efficient Numerical
#   Computation*, Computing in Science & Engineering 13, on strides and views.
# - C. R. Harris and others (2020), *Array Programming with NumPy*, Nature 585.
# - Consortium for Python Data API Standards (2024), *Python Array API Standard*, version 2024.12.
# - T. F. Brooks, D. S. Pope and M. A. Marcolini (1989), *Airfoil Self-Noise and Prediction*, NASA Reference
#   Publication 1218.
