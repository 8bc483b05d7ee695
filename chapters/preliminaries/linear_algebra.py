# /// lesson
# name = "linear-algebra"
# title = "Linear algebra"
# sections = ["2.3"]
# needs = []
# data = ["fashion-mnist"]
# [time]
# smoke = "2 s"
# standard = "2 s"
# full = "2 s"
# [promises]
# standard = ["lesson: gap <= 1e-4", "lesson: order_gap <= 1e-4"]
# full = [
#   "lesson: gap <= 1e-4", "lesson: order_gap <= 1e-4", "lesson: euclidean >= 0.65", "lesson: cosine >= 0.67",
#   "lesson: cosine_dimmed >= 0.67", "lesson: euclidean_dimmed <= 0.4", "lesson: eight_turns <= 1e-5",
# ]
# ///

# %% [markdown]
# # Linear algebra
#
# A coffee bar sells four drinks made from three ingredients. It knows its recipes, counts its orders and pays its
# suppliers. What does a day cost? For how long will the milk last? Later we ask something that seems to have nothing
# to do with it: which of ten kinds of clothes does a photograph resemble most? Both are questions about sums of
# products, and both are answered by the one operation on which deep learning spends nearly all its time, the product
# of two matrices.
#
# This lesson is about what that product means, how to write it in several ways, what it costs, and about the two
# measures that come with it: length and angle.

# %%
import math
import time

import numpy as np

from d2l_core import random, xp
from d2l_core.data import FASHION_MNIST_LABELS, load_fashion_mnist
from d2l_core.lessons import report, scale
from d2l_core.plots import INK, flow, house_style

# %% [markdown]
# ## The idea
#
# A *scalar* is one number, a *vector* a list of them, a *matrix* a table; a tensor goes on to any number of axes
# ([Data manipulation](data_manipulation.py)). Prices are a vector with one number for each ingredient. Recipes are a
# matrix with one row for each drink and one column for each ingredient. To multiply the matrix by the vector means to
# turn prices of ingredients into costs of drinks. The orders, one row for each day, turn costs of drinks into costs
# of days. A matrix is a machine that makes vectors of one kind into vectors of another, and the product of two
# matrices is the machine that does both in one go, from ingredients to days.


# %%
def diagram_bar():
    """From prices of ingredients to costs of days."""
    return flow(
        ("prices p", "(3,)"),
        ("recipes R", "(4, 3)"),
        ("drinks R p", "(4,)"),
        ("orders O", "(7, 4)"),
        ("days O R p", "(7,)"),
        title="two matrices applied one after the other to a vector",
    )


# %%
if __name__ == "__main__":
    diagram_bar()

# %% [markdown]
# With vectors of two numbers one can watch the machine at work. Read them as points of a plane: a matrix (2, 2) moves
# all points at once. Straight lines remain straight and the origin stays where it is, because this is all that sums
# of products can do. The figure applies five matrices to the letter F.

# %%
LETTER = np.array([[0.0, 0.0], [0.0, 1.0], [0.6, 1.0], [0.6, 0.8], [0.2, 0.8], [0.2, 0.55], [0.5, 0.55], [0.5, 0.35],
                   [0.2, 0.35], [0.2, 0.0], [0.0, 0.0]])  # fmt: skip
TURN = np.array([[math.cos(math.pi / 4), -math.sin(math.pi / 4)], [math.sin(math.pi / 4), math.cos(math.pi / 4)]])
MAPS = {
    "nothing": np.eye(2),
    "stretch": np.diag([1.6, 0.7]),
    "turn": TURN,
    "shear": np.array([[1.0, 0.8], [0.0, 1.0]]),
    "flatten": np.array([[0.5, 0.5], [0.5, 0.5]]),
}


@house_style
def plot_maps(maps):
    """The letter F under matrices (2, 2)."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(maps), figsize=(2.0 * len(maps), 2.3))
    for axes, (name, matrix) in zip(panels, maps.items(), strict=True):
        x, y = (LETTER @ np.asarray(matrix).T).T
        axes.plot(*LETTER.T, color=INK, linewidth=0.8, linestyle=":")
        axes.fill(x, y, color="C0", alpha=0.3)
        axes.plot(x, y, color="C0", linestyle="-")
        rows = "\n".join("  ".join(f"{entry:.1f}" for entry in row) for row in np.asarray(matrix) + 0.0)
        axes.set(aspect="equal", xlim=(-0.8, 1.5), ylim=(-0.1, 1.4), title=name, xticks=[], yticks=[])
        axes.set_xlabel(rows, family="monospace", fontsize=9)
        axes.spines[:].set_visible(False)
    return figure


# %%
if __name__ == "__main__":
    plot_maps(MAPS)

# %% [markdown]
# ## The mathematics
#
# **Products.** For vectors $\mathbf{x}, \mathbf{y} \in \mathbb{R}^n$ the *dot product* is the sum of the products of
# their elements, $\mathbf{x}^\top\mathbf{y} = \sum_{j=1}^n x_j y_j$. For a matrix $\mathbf{A}$ of shape $(m, n)$ and
# a vector $\mathbf{x}$ of shape $(n,)$,
#
# $$(\mathbf{A}\mathbf{x})_i = \sum_{j=1}^n A_{ij} x_j , \qquad (m, n) \cdot (n,) \to (m,) .$$
#
# This can be read in two ways. Row by row, each result is the dot product of a row of $\mathbf{A}$ with $\mathbf{x}$:
# a recipe with the prices. Column by column, the result is a sum of the columns of $\mathbf{A}$, each multiplied by
# one number of $\mathbf{x}$. If $\mathbf{x}$ has a single one, the result is that column: *the columns of a matrix
# are the places to which it moves the unit vectors*, which is how to read the small tables in the figure.
#
# The product of $\mathbf{A}$, shape $(m, k)$, and $\mathbf{B}$, shape $(k, n)$, is defined such that applying it
# means to apply first $\mathbf{B}$ and then $\mathbf{A}$. From $\sum_l A_{il} \big(\sum_j B_{lj} x_j\big) = \sum_j
# \big(\sum_l A_{il} B_{lj}\big) x_j$ we read off
#
# $$(\mathbf{A}\mathbf{B})_{ij} = \sum_{l=1}^k A_{il} B_{lj} , \qquad (m, k) \cdot (k, n) \to (m, n) .$$
#
# Rows times columns is one way to group these sums. Another keeps $l$ outside: $\mathbf{A}\mathbf{B}$ is the sum over
# $l$ of the *outer products* of column $l$ of $\mathbf{A}$ with row $l$ of $\mathbf{B}$, each a table $(m, n)$.
#
# Three rules follow. The product is *associative*, $(\mathbf{A}\mathbf{B})\mathbf{C} =
# \mathbf{A}(\mathbf{B}\mathbf{C})$, since both mean the same three steps. It is not *commutative*: turning and then
# stretching differs from stretching and then turning. And the *transpose*, rows and columns exchanged, reverses the
# order, $(\mathbf{A}\mathbf{B})^\top = \mathbf{B}^\top\mathbf{A}^\top$, because the element $(j, i)$ of the right
# side is $\sum_l B_{lj} A_{il}$.
#
# The element-by-element product $\mathbf{A} \odot \mathbf{B}$ of two matrices of one shape, named after Hadamard, is
# something else altogether. In Python it is `A * B`; the product of matrices is `xp.matmul`, or the sign `@`.
#
# **Cost.** Each of the $mn$ elements is a sum of $k$ products: $mkn$ multiplications. By associativity we may choose
# the order, and it matters. For square matrices with a thousand rows, $(\mathbf{A}\mathbf{B})\mathbf{x}$ takes
# $10^9 + 10^6$ multiplications and $\mathbf{A}(\mathbf{B}\mathbf{x})$ only $2 \cdot 10^6$.
#
# **Length and angle.** By Pythagoras' theorem the length of a vector is its *Euclidean norm*,
# $\lVert\mathbf{x}\rVert_2 = \sqrt{\mathbf{x}^\top\mathbf{x}}$. Two vectors and their difference form a triangle,
# whose law of cosines reads
#
# $$\lVert\mathbf{x} - \mathbf{y}\rVert_2^2 = \lVert\mathbf{x}\rVert_2^2 + \lVert\mathbf{y}\rVert_2^2
#   - 2 \lVert\mathbf{x}\rVert_2 \lVert\mathbf{y}\rVert_2 \cos\theta ,$$
#
# with the angle $\theta$ between them. Multiplying out $(\mathbf{x} - \mathbf{y})^\top(\mathbf{x} - \mathbf{y})$
# gives the same with $-2\,\mathbf{x}^\top\mathbf{y}$ at the end. So
#
# $$\mathbf{x}^\top\mathbf{y} = \lVert\mathbf{x}\rVert_2 \lVert\mathbf{y}\rVert_2 \cos\theta :$$
#
# the dot product is large if both vectors are long and point the same way, and zero if they are perpendicular.
# Divided by both lengths it is the *cosine similarity*, between $-1$ and 1, which knows direction only.
#
# A *norm* is any measure of size that is zero for the zero vector alone, grows in proportion, $\lVert
# c\,\mathbf{x}\rVert = |c| \lVert\mathbf{x}\rVert$, and obeys the triangle inequality $\lVert\mathbf{x} +
# \mathbf{y}\rVert \le \lVert\mathbf{x}\rVert + \lVert\mathbf{y}\rVert$. Besides the Euclidean one we shall use
#
# $$\lVert\mathbf{x}\rVert_1 = \sum_j |x_j| \qquad \text{and} \qquad \lVert\mathbf{x}\rVert_\infty = \max_j |x_j| ,$$
#
# the way one walks in a town of square blocks, and the largest single difference. The figure shows the vectors of
# size one. For every vector $\lVert\mathbf{x}\rVert_\infty \le \lVert\mathbf{x}\rVert_2 \le \lVert\mathbf{x}\rVert_1
# \le \sqrt{n}\,\lVert\mathbf{x}\rVert_2$. For a matrix the root of the sum of all squares is called the *Frobenius
# norm*.


# %%
@house_style
def plot_unit_vectors():
    """All vectors of the plane whose norm is one, for three norms."""
    import matplotlib.pyplot as plt

    angle = np.linspace(0.0, 2.0 * np.pi, 400)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (400, 2)
    figure, axes = plt.subplots(figsize=(3.4, 3.0))
    for label, order in (("$\\ell_1$", 1), ("$\\ell_2$", 2), ("$\\ell_\\infty$", np.inf)):
        x, y = (circle / np.linalg.norm(circle, ord=order, axis=1, keepdims=True)).T
        axes.plot(x, y, label=label)
    axes.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title="vectors of norm one")
    axes.legend(loc="center")
    return figure


# %%
if __name__ == "__main__":
    plot_unit_vectors()

# %% [markdown]
# ## From scratch
#
# Every definition becomes a line of sums and products. The matrix product appears twice, once for each way of
# grouping the sums.


# %%
def dot(x, y):
    """Sum of the products of the elements of x (n,) and y (n,); 0-d."""
    return xp.sum(x * y)  # (n,) -> ()


def by_rows(A, x):
    """A x: each row of A (m, n) with x (n,)."""
    return xp.sum(A * x, axis=1)  # (m, n) * (n,) -> (m, n) -> (m,)


def by_columns(A, x):
    """A x: the columns of A (m, n), each times one number of x (n,), added up."""
    total = xp.zeros_like(A[:, 0])  # (m,)
    for j in range(A.shape[1]):
        total = total + A[:, j] * x[j]
    return total


def product_of_rows_and_columns(A, B):
    """A B for A (m, k) and B (k, n), all products at once."""
    return xp.sum(A[:, :, None] * B[None, :, :], axis=1)  # (m, k, 1) * (1, k, n) -> (m, k, n) -> (m, n)


def sum_of_outer_products(A, B):
    """A B for A (m, k) and B (k, n): column l of A times row l of B, added up."""
    total = xp.zeros((A.shape[0], B.shape[1]), dtype=A.dtype)  # (m, n)
    for place in range(A.shape[1]):
        total = total + A[:, place, None] * B[None, place, :]  # (m, 1) * (1, n) -> (m, n)
    return total


def norm(x, order=2):
    """The norm of order 1, 2 or infinity over the last axis: (..., n) to (...)."""
    size = xp.abs(x)
    if order == math.inf:
        return xp.max(size, axis=-1)  # (..., n) -> (...)
    return xp.sum(size, axis=-1) if order == 1 else xp.sqrt(xp.sum(size * size, axis=-1))  # (..., n) -> (...)


# %% [markdown]
# Now the coffee bar. Coffee is counted in grams, milk in millilitres, cocoa in grams; prices are in cents.

# %%
DRINKS = ("espresso", "cappuccino", "latte", "cocoa")
RECIPES = [[8.0, 0.0, 0.0], [8.0, 120.0, 2.0], [8.0, 220.0, 0.0], [0.0, 200.0, 25.0]]  # coffee, milk, cocoa
PRICES = [2.0, 0.12, 1.5]
ORDERS = [[61.0, 40.0, 35.0, 8.0], [58.0, 44.0, 31.0, 11.0], [64.0, 39.0, 38.0, 9.0], [55.0, 47.0, 36.0, 14.0],
          [70.0, 52.0, 41.0, 10.0], [33.0, 61.0, 55.0, 37.0], [21.0, 66.0, 58.0, 49.0]]  # fmt: skip

# %%
if __name__ == "__main__":
    R, p, O = (xp.asarray(table) for table in (RECIPES, PRICES, ORDERS))  # (4, 3), (3,), (7, 4)  # noqa: E741
    drinks = by_rows(R, p)  # (4, 3), (3,) -> (4,)
    print("cents for each drink:", dict(zip(DRINKS, xp.to_numpy(drinks).round(1).tolist(), strict=True)))
    days = by_rows(O, drinks) / 100.0  # (7, 4), (4,) -> (7,)
    needed = sum_of_outer_products(O, R)  # (7, 4), (4, 3) -> (7, 3)
    print("euros for each day:", xp.to_numpy(days).round(2).tolist())
    poured = xp.cumulative_sum(needed[:, 1]) / 1000.0  # (7,) litres since Monday
    print("litres of milk since Monday:", xp.to_numpy(poured).round(1).tolist())
    report(monday=days[0], sunday=days[6], week=xp.sum(days), empty_after=xp.sum(xp.astype(poured <= 100.0, p.dtype)))

# %% [markdown]
# Monday costs 42.88<!--lesson.monday--> euros and the week 384.01<!--lesson.week-->. The running sum answers the
# question about milk: of a stock of 100 litres enough is left for 5<!--lesson.empty_after--> days. Each number came
# from orders, recipes and prices by sums of products, and the shapes told us which product is possible: (7, 4) by (4,
# 3), never the other way round.
#
# ## Concise
#
# The library has `xp.matmul` for all four cases (vectors count as one row or one column), `xp.linalg` for norms and
# much else, and `xp.einsum`, in which one names the axes: those missing after the arrow are summed over. Do they
# agree with our sums?


# %%
def largest_gap(pairs):
    """Largest absolute difference between the tensors of pairs."""
    return max(float(np.max(np.abs(xp.to_numpy(ours) - xp.to_numpy(theirs)))) for ours, theirs in pairs.values())


def comparisons(m=30, k=40, n=20):
    """Each of our functions beside the library's, on random matrices."""
    A, B, x, y = (
        xp.asarray(random.normal(shape, "linear-algebra", name))
        for name, shape in {"A": (m, k), "B": (k, n), "x": (k,), "y": (k,)}.items()
    )
    return {
        "dot": (dot(x, y), xp.matmul(x, y)),
        "by rows": (by_rows(A, x), xp.matmul(A, x)),
        "by columns": (by_columns(A, x), xp.matmul(A, x)),
        "all products at once": (product_of_rows_and_columns(A, B), xp.matmul(A, B)),
        "sum of outer products": (sum_of_outer_products(A, B), xp.matmul(A, B)),
        "einsum": (product_of_rows_and_columns(A, B), xp.einsum("il,lj->ij", A, B)),
        "transposed": (xp.matrix_transpose(xp.matmul(A, B)), xp.matmul(xp.matrix_transpose(B), xp.matrix_transpose(A))),
        "norm 1": (norm(A, 1), xp.linalg.vector_norm(A, axis=1, ord=1)),
        "norm 2": (norm(A), xp.linalg.vector_norm(A, axis=1)),
        "norm inf": (norm(A, math.inf), xp.linalg.vector_norm(A, axis=1, ord=math.inf)),
        "Frobenius": (xp.sqrt(xp.sum(A * A)), xp.linalg.matrix_norm(A)),
    }


# %%
if __name__ == "__main__":
    report(gap=largest_gap(comparisons()))

# %% [markdown]
# They agree to a few millionths, on NumPy to $2 \cdot 10^{-6}$<!--lesson.gap-->, which is what float32 allows for
# sums of forty products. Our version with all products at once needs memory for $mkn$ numbers; that of the outer
# products makes $k$ passes over the result. The library's needs neither, because it works through small blocks that
# fit into the processor's cache. What follows shows the order of a chain: the same vector, one way and the other.


# %%
def both_orders(size):
    """(A B) x and A (B x) for random square matrices: both results (size,) and the seconds that each took."""
    A, B = (xp.asarray(random.normal((size, size), "chain", name) / size**0.5) for name in "AB")
    x = xp.asarray(random.normal(size, "chain", "x"))
    results, seconds = [], []
    for compute in (lambda: xp.matmul(xp.matmul(A, B), x), lambda: xp.matmul(A, xp.matmul(B, x))):
        compute()  # so that nothing is measured that happens only once
        start = time.perf_counter()
        results.append(xp.to_numpy(compute()))
        seconds.append(time.perf_counter() - start)
    return results, seconds


# %%
if __name__ == "__main__":
    (left, right), seconds = both_orders({"smoke": 200, "standard": 1000, "full": 1000}[scale()])
    print(f"(A B) x took {1000 * seconds[0]:.1f} ms, A (B x) {1000 * seconds[1]:.1f} ms")
    report(order_gap=np.max(np.abs(left - right)))

# %% [markdown]
# The second order takes five hundred times fewer multiplications. The clock shows less than that, twenty to two
# hundred times in our runs, because a product with a vector waits for the memory and not for the arithmetic. The two
# results are equal in theory; in float32 they differ by up to $2 \cdot 10^{-6}$<!--lesson.order_gap-->. Rounded
# arithmetic is not associative. Neither result is the right one, and two programs that agree to the last digit have
# most likely added in the same order.
#
# ## Which kind of clothes?
#
# An image of 28 by 28 pixels is a vector with 784 numbers, so images have lengths, distances and angles. The simplest
# classifier takes the mean image of each class and gives a new image the class of the nearest mean. The ten means are
# themselves one matrix product. If $\mathbf{Y}$, shape $(n, 10)$, has in each row a single one, in the column of the
# class, then $\mathbf{Y}^\top\mathbf{X}$, shape $(10, 784)$, holds the sums of the images of each class.


# %%
def images(split):
    """The embedded sample of Fashion-MNIST: flat images (n, 784) with pixels in [0, 1], and labels (n,)."""
    pixels, labels = load_fashion_mnist(split, sample=True)
    return xp.asarray(pixels.reshape(len(pixels), -1) / 255.0), labels


def class_means(X, labels, num_classes=10):
    """Mean (k, d) of the rows of X (n, d) in each class."""
    Y = xp.asarray(np.eye(num_classes)[labels])  # (n, k)
    return xp.matmul(xp.matrix_transpose(Y), X) / xp.sum(Y, axis=0)[:, None]  # (k, n) @ (n, d) -> (k, d) / (k, 1)


def similarities(X, M):
    """How alike the rows of X (n, d) and M (k, d) are in five ways, each (n, k); larger is more alike."""

    def distances(order):
        return xp.stack([norm(X - M[c], order) for c in range(M.shape[0])], axis=1)  # k times (n,) -> (n, k)

    dots = xp.matmul(X, xp.matrix_transpose(M))  # (n, d) @ (d, k) -> (n, k)
    return {
        "euclidean": -distances(2),
        "absolute": -distances(1),
        "largest": -distances(math.inf),
        "dot": dots,
        "cosine": dots / (norm(X)[:, None] * norm(M)),  # (n, k) / ((n, 1) * (k,))
    }


def accuracies(X, labels, M):
    """Share of the images whose most similar class mean is that of their class, for each way to compare."""
    found = {name: xp.to_numpy(xp.argmax(table, axis=1)) for name, table in similarities(X, M).items()}
    return {name: float(np.mean(guess == labels)) for name, guess in found.items()}


@house_style
def plot_means(means):
    """The mean image of each class."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 5, figsize=(7.0, 3.2))
    for axes, mean, name in zip(panels.flat, xp.to_numpy(means), FASHION_MNIST_LABELS, strict=True):
        axes.imshow(mean.reshape(28, 28), cmap="gray")
        axes.set(title=name, xticks=[], yticks=[])
    return figure


# %%
if __name__ == "__main__":
    X, labels = images("train")  # (6000, 784), (6000,)
    X_test, labels_test = images("test")  # (1000, 784), (1000,)
    means = class_means(X, labels)  # (10, 784)
    bright = accuracies(X_test, labels_test, means)
    report(euclidean=bright["euclidean"], absolute=bright["absolute"], largest=bright["largest"])
    report(dot=bright["dot"], cosine=bright["cosine"])
    dimmed = accuracies(0.5 * X_test, labels_test, means)
    nearest = xp.argmax(similarities(0.5 * X_test, means)["euclidean"], axis=1)  # (1000, 10) -> (1000,)
    report(
        euclidean_dimmed=dimmed["euclidean"],
        cosine_dimmed=dimmed["cosine"],
        called_sandals=np.mean(xp.to_numpy(nearest) == FASHION_MNIST_LABELS.index("sandal")),
    )

# %%
if __name__ == "__main__":
    plot_means(means)

# %% [markdown]
# With 6,000 images for the means and 1,000 others to try, the Euclidean distance finds the right one of ten classes
# in 67.0 %<!--lesson.euclidean--> of the cases and the cosine in 68.2 %<!--lesson.cosine-->; guessing would give
# 10 %. The sum of absolute differences reaches 60.7 %<!--lesson.absolute-->. The largest single difference, at
# 46.0 %<!--lesson.largest-->, judges by one pixel of 784 and throws the rest away. Which norm one takes is a
# statement about what counts.
#
# The bare dot product reaches 28.3 %<!--lesson.dot-->. It rewards length: the mean coat has many bright pixels and
# therefore a large dot product with most images. Dividing by the lengths is not a detail.
#
# Now dim the light, that is, halve all pixels of the test images. The angle does not change, and the cosine still
# finds 68.2 %<!--lesson.cosine_dimmed-->. The Euclidean distance falls to 28.1 %<!--lesson.euclidean_dimmed-->: it
# now calls 67.6 %<!--lesson.called_sandals--> of all images sandals, because the mean sandal is the darkest of the
# ten. Neither measure is better as such; they differ in what they ignore.
#
# ## What goes wrong
#
# **The wrong product.** Square matrices can be multiplied in both ways, and Python does not know which one you meant.
# Eight turns by 45 degrees are a full turn, so the eighth power of our turning matrix must be the identity. With `*`
# the second "turn" is the matrix that flattens the plane to a line, the last of the five at the top.

# %%
if __name__ == "__main__":
    turn = xp.asarray(TURN)
    eight = xp.linalg.matrix_power(turn, 8)  # (2, 2)
    print("turn @ turn", xp.to_numpy(xp.matmul(turn, turn)).round(3).tolist())
    print("turn * turn", xp.to_numpy(turn * turn).round(3).tolist())
    report(eight_turns=xp.linalg.matrix_norm(eight - xp.eye(2)), area_after_star=xp.linalg.det(turn * turn))

# %% [markdown]
# The distance of the eighth power from the identity is rounding only. The determinant, the factor by which a matrix
# changes areas, is 1 for a turn and 0.0<!--lesson.area_after_star--> for `turn * turn`. What has been flattened
# cannot be brought back.
#
# **Vectors have no orientation.** A tensor of shape (n,) is neither row nor column. Transposing it is an error here
# and changes nothing in NumPy, and `x @ x` is always the dot product. For the outer product say so:
# `x[:, None] * x[None, :]`.
#
# **Squares overflow before lengths do.** The vector $(3, 4) \cdot 10^{20}$ has the length $5 \cdot 10^{20}$, well
# within float32, whose largest number is about $3.4 \cdot 10^{38}$. Its squares are not.

# %%
if __name__ == "__main__":
    x = xp.asarray([3e20, 4e20])
    largest = xp.max(xp.abs(x))
    print("by the formula:", float(norm(x)), " by the library:", float(xp.linalg.vector_norm(x)))
    report(scaled_first=largest * norm(x / largest))

# %% [markdown]
# Both the formula and the library answer *infinity* in float32. Divided by its largest element first, the vector has
# harmless squares, and the length is $5.0 \cdot 10^{20}$<!--lesson.scaled_first-->. The same trick, taking out the
# largest element, makes the softmax safe in [Softmax regression](../linear_classification/softmax_regression.py).
#
# ## Under the surface
#
# *Names.* NumPy's `dot` is the matrix product for matrices but something else for stacks of them; `matmul`, or `@`,
# treats the last two axes as matrices and broadcasts the others. PyTorch has `dot`, `mv`, `mm` and `bmm` beside
# `matmul`, each for one case. TensorFlow's `tf.matmul` refuses vectors, for which there is `tf.linalg.matvec`. In
# MXNet's older `nd` interface `dot` sums over the last axis of the first and the *first* axis of the second operand.
# `norm` of a matrix is the Frobenius norm unless one asks otherwise; `ord=2` then means the largest singular value,
# except that `tf.norm` takes the matrix for one long vector until it is told two axes.
#
# *Precision.* On graphics cards a float32 product need not be computed in float32. TensorFlow lets recent NVIDIA
# cards round the factors to ten binary digits after the point (TensorFloat-32) unless one forbids it; PyTorch does so
# for convolutions but asks to be told for matrix products; JAX does so for both, and multiplies in bfloat16 on TPUs.
# On a processor all use full float32, but add in different orders, which is why our gap is small and not zero.
#
# *Layout.* A product with a transposed matrix seldom moves anything: the routines, all descendants of the BLAS
# (Dongarra and others, 1990), are told to read it along the other axis.
#
# ## Summary
#
# A matrix turns vectors of one kind into vectors of another, its columns are the images of the unit vectors, and the
# product of matrices applies one after the other. The product is associative, so one may choose the cheaper order,
# and not commutative. The dot product is the product of both lengths and the cosine of the angle, and the choice
# among distance, dot product and cosine decides what a comparison ignores. `*` works element by element and is silent
# where `@` was meant; rounding makes equal formulas differ in the last digits, and squares overflow long before
# lengths do.
#
# ## Exercises
#
# Solutions are in `linear_algebra_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise linear-algebra` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *All cosines.* Write `cosine_similarity(X, Y)` for the rows of X (m, d) and Y (n, d), giving (m, n). A row of
#    zeros has no direction; its similarity shall be 0, not NaN.
# 2. ★ *Right angles.* Write `orthonormal(A)`, which makes the columns of A (m, n), m ≥ n, perpendicular and of length
#    one: from each column subtract its shadows on those before, then divide by the length (Gram and Schmidt). Column
#    j of the result must lie in the span of the first j columns of A.
# 3. ★ *A safe length.* Write `safe_norm(x)` for x (n,), the Euclidean norm without overflow or underflow, right for
#    zeros too.
# 4. *The trace.* Show that the sum of the diagonal of $\mathbf{A}\mathbf{B}$ equals that of $\mathbf{B}\mathbf{A}$,
#    and compute it without computing either product.
# 5. *A chain of three.* Matrices of the shapes (10, 1000), (1000, 5) and (5, 500) are to be multiplied. How many
#    multiplications does each order take? Which rule of thumb do you see?
#
# ## References
#
# - J. P. Gram (1883), *Ueber die Entwickelung reeller Functionen in Reihen mittelst der Methode der kleinsten
#   Quadrate*, Journal für die reine und angewandte Mathematik 94.
# - E. Schmidt (1907), *Zur Theorie der linearen und nichtlinearen Integralgleichungen*, Mathematische Annalen 63.
# - J. J. Dongarra, J. Du Croz, S. Hammarling and I. Duff (1990), *A Set of Level 3 Basic Linear Algebra Subprograms*,
#   ACM Transactions on Mathematical Software 16.
# - G. Strang (2016), *Introduction to Linear Algebra*, fifth edition, Wellesley-Cambridge Press.
# - H. Xiao, K. Rasul and R. Vollgraf (2017), *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
#   Algorithms*, arXiv:1708.07747.
