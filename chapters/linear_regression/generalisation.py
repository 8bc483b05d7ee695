# /// lesson
# name = "generalisation"
# title = "Generalisation"
# sections = ["3.6"]
# needs = ["least-squares"]
# data = ["synthetic", "airfoil"]
# [time]
# smoke = "3 s"
# standard = "10 s"
# full = "30 s"
# [promises]
# standard = ["lesson: formula_gap <= 1e-3"]
# full = [
#   "lesson: formula_gap <= 1e-3", "lesson: gap_ratio_low >= 0.8", "lesson: gap_ratio_high <= 1.2",
#   "lesson: test_cubic_900 <= 3.7", "lesson: test_cubic_100 >= 7", "lesson: chosen_val >= 0.62",
#   "lesson: chosen_test <= 0.52", "lesson: leaky_accuracy >= 0.7", "lesson: clean_accuracy <= 0.6",
# ]
# ///

# %% [markdown]
# # Generalisation
#
# The owner of an ice-cream parlour has kept a diary for twenty days: the temperature at noon, and how much was sold.
# She wants to know how much to make tomorrow, when 31 degrees are forecast, a temperature that is not in the diary. She
# can draw a straight line through her points, which misses most of them, or a curve with so many bends that it meets
# every one. Which of the two should she trust for tomorrow? The points themselves cannot tell her: on them the bent
# curve is perfect.
#
# Every model of this course is fitted to examples that it has seen and wanted for examples that it has not. This lesson
# measures the difference, derives how large it is for the models that we can solve exactly, and shows the two honest
# ways to estimate it. It ends with the ways to deceive oneself, which look honest too.

# %%
import itertools

import numpy as np
from d2l_chapters.linear_regression.least_squares import by_qr

from d2l_core import random, xp
from d2l_core.data import load_airfoil
from d2l_core.lessons import report, scale
from d2l_core.plots import INK, house_style

# %% [markdown]
# ## The idea
#
# The law of our experiments is a wave, $f^*(x) = \sin 4x$ for $x$ between $-1$ and $1$, and we see it at twenty random
# places with a normal error of deviation 0.3. The models are polynomials. Their *degree* says how many bends are
# allowed. A straight line cannot follow the wave; this is *underfitting*. A polynomial of degree 5 can, and finds it
# fairly well. One of degree 15 has nearly as many coefficients as there are points, and uses them to go through the
# noise; this is *overfitting*.
#
# For the polynomial of degree $k$ we take Legendre's polynomials as features instead of the powers of $x$. Their
# weighted sums are the same curves, but as columns they point in quite different directions, and so the fit
# [keeps its digits](least_squares.py). They follow from one another by
# $(k + 1) P_{k+1}(x) = (2k + 1)\, x P_k(x) - k P_{k-1}(x)$, with $P_0 = 1$ and $P_1 = x$.

# %%
NOISE = 0.3


def law(x):
    """The truth, for arrays of any shape."""
    return np.sin(4.0 * x)


def places(sets, n, name="places"):
    """`sets` times n random places between -1 and 1: (sets, n, 1)."""
    return random.uniform((sets, n, 1), "generalisation", name, low=-1.0)


def observed(x, name):
    """The law at x (sets, n, 1) with noise from the stream `name`, of the same shape."""
    return law(x) + random.normal(x.shape, "generalisation", name, std=NOISE)


def legendre(x, degree):
    """The polynomials up to a degree at the places x (..., n, 1): a tensor (..., n, degree + 1)."""
    x = xp.asarray(x)
    columns = [xp.ones_like(x), x]
    for k in range(1, degree):
        columns.append(((2 * k + 1) * x * columns[k] - k * columns[k - 1]) / (k + 1))
    return xp.concat(columns[: degree + 1], axis=-1)  # degree + 1 of (..., n, 1) -> (..., n, degree + 1)


def fits(X, y, counts):
    """For each count p the coefficients (sets, P, 1) with the first p columns of X (sets, n, P), zeros behind.

    The first p columns of Q and the upper left block of R belong to the first p columns of X, so that one decomposition
    serves them all. Behind this block the unknowns are set to zero by equations of their own.
    """
    Q, R = xp.linalg.qr(X)  # (sets, n, P), (sets, P, P)
    c = xp.matmul(xp.matrix_transpose(Q), y)  # (sets, P, n) @ (sets, n, 1) -> (sets, P, 1)
    unit = xp.zeros_like(R) + xp.eye(R.shape[-1])  # (sets, P, P)
    found = []
    for p in counts:
        used = np.arange(R.shape[-1]) < p  # (P,)
        block = xp.where(xp.asarray(used[:, None] & used), R, unit)  # (sets, P, P)
        found.append(xp.linalg.solve(block, xp.where(xp.asarray(used[:, None]), c, xp.zeros_like(c))))
    return found


def mean_squares(predicted, y):
    """Mean squared error of each set, predictions and targets (sets, n, 1), as a NumPy array (sets,)."""
    return xp.to_numpy(xp.mean(xp.square(predicted - xp.asarray(y)), axis=(-2, -1)))


@house_style
def plot_fits(degrees=(1, 5, 15)):
    """The same twenty points with polynomials of three degrees."""
    import matplotlib.pyplot as plt

    x = places(1, 20)  # (1, 20, 1)
    y, grid = observed(x, "noise"), np.linspace(-1.0, 1.0, 300)[None, :, None]  # (1, 20, 1), (1, 300, 1)
    figure, panels = plt.subplots(1, 3, figsize=(9.0, 2.7), sharey=True)
    thetas = fits(legendre(x, max(degrees)), xp.asarray(y), [degree + 1 for degree in degrees])
    for axes, degree, theta in zip(panels, degrees, thetas, strict=True):
        curve = xp.to_numpy(xp.matmul(legendre(grid, max(degrees)), theta))  # (1, 300, 1)
        axes.plot(grid.ravel(), law(grid).ravel(), "--", color=INK, label="law")
        axes.plot(grid.ravel(), curve.ravel(), "-", color="C0", label="fit")
        axes.plot(x.ravel(), y.ravel(), "o", color="C1", label="examples")
        axes.set(title=f"degree {degree}", xlabel="$x$", ylim=(-2.2, 2.2))
    panels[0].legend(loc="lower right")
    return figure


# %%
if __name__ == "__main__":
    plot_fits()

# %% [markdown]
# ## The mathematics
#
# Let examples $(x, y)$ come from some source. What we want to be small is the *risk* of a predictor $f$, the expected
# squared error on an example from this source, $R(f) = \mathbb{E}\,(f(x) - y)^2$. What we can compute is the *training
# error*, the mean over the $n$ examples that we have, $\hat{R}(f) = \frac{1}{n} \sum_i (f(x_i) - y_i)^2$. For one fixed
# $f$ the mean of many examples tends to the expectation, and $\hat{R}$ is a fair estimate of $R$. But our $f$ is not
# fixed: it was chosen *because* its error on these very examples is small. The difference $R - \hat{R}$ is the
# *generalisation gap*.
#
# **How large is it?** For least squares it can be computed. Let the $n$ places be given, let $\mathbf{X}$ of shape
# $(n, p)$ hold the features with independent columns, and let $\mathbf{y} = \mathbf{X}\boldsymbol\theta +
# \boldsymbol\varepsilon$ with independent errors of variance $\sigma^2$. The predictions are $\mathbf{H}\mathbf{y}$
# with $\mathbf{H} = \mathbf{X}(\mathbf{X}^\top\mathbf{X})^{-1}\mathbf{X}^\top$ of shape $(n, n)$, which projects onto
# the plane of the columns. As $\mathbf{H}\mathbf{X} = \mathbf{X}$, the predictions are off by
# $\mathbf{H}\boldsymbol\varepsilon$ from the law. A projection satisfies $\mathbf{H}^\top\mathbf{H} = \mathbf{H}$,
# and its trace is the dimension of the plane, $p$. So
#
# $$\mathbb{E}\,\lVert \mathbf{H}\boldsymbol\varepsilon \rVert^2
#   = \mathbb{E}\,\boldsymbol\varepsilon^\top \mathbf{H} \boldsymbol\varepsilon
#   = \sum_{i,j} H_{ij}\, \mathbb{E}[\varepsilon_i \varepsilon_j] = \sigma^2 \sum_i H_{ii} = \sigma^2 p .$$
#
# Each parameter soaks up the noise of one example. The residuals on the training examples are
# $\boldsymbol\varepsilon - \mathbf{H}\boldsymbol\varepsilon$, of which only $\sigma^2 (n - p)$ is left; on *new* errors
# $\boldsymbol\varepsilon'$ at the same places they are $\boldsymbol\varepsilon' - \mathbf{H}\boldsymbol\varepsilon$,
# where nothing cancels. Divided by $n$,
#
# $$\mathbb{E}\,\hat{R} = \sigma^2\Big(1 - \frac{p}{n}\Big), \qquad
#   \mathbb{E}\,R_{\text{same places}} = \sigma^2\Big(1 + \frac{p}{n}\Big), \qquad
#   \text{gap} = \frac{2 \sigma^2 p}{n} .$$
#
# The gap grows with the number of parameters and falls with the number of examples (Mallows, 1973). If the law is not a
# weighted sum of the features, what the features cannot express is added to both errors: too few parameters raise both,
# too many widen the gap. And all this holds at the places of the training. Between and beyond them a wild curve may be
# as wrong as it likes.
#
# ## From scratch
#
# We draw two hundred sets of twenty examples, fit them all in one batch of matrices, and compare three errors: on the
# training examples, on new targets at the same places, and on new examples at new places.


# %%
def errors_by_degree(degrees, sets, n=20):
    """Training error, error on new targets at the same places, and at new places: arrays (degrees, sets)."""
    x, new_x = places(sets, n), places(sets, 500, "new places")  # (sets, n, 1), (sets, 500, 1)
    y, again, new_y = observed(x, "noise"), observed(x, "new noise"), observed(new_x, "noise at new places")
    X, new_X = legendre(x, max(degrees)), legendre(new_x, max(degrees))  # (sets, n, P), (sets, 500, P)
    training, same, new = [], [], []
    for theta in fits(X, xp.asarray(y), [degree + 1 for degree in degrees]):  # each (sets, P, 1)
        predicted = xp.matmul(X, theta)  # (sets, n, 1)
        training.append(mean_squares(predicted, y))
        same.append(mean_squares(predicted, again))
        new.append(mean_squares(xp.matmul(new_X, theta), new_y))
    return np.array(training), np.array(same), np.array(new)


@house_style
def plot_degrees(degrees, training, same, new, n=20):
    """Mean errors over the degree, with those of the formulas, and the median error at new places."""
    import matplotlib.pyplot as plt

    p = np.array(degrees) + 1.0
    figure, axes = plt.subplots(figsize=(6.0, 3.4))
    axes.semilogy(degrees, training.mean(axis=1), "o-", color="C0", label="training examples")
    axes.semilogy(degrees, same.mean(axis=1), "s-", color="C1", label="new targets, same places")
    axes.semilogy(degrees, np.median(new, axis=1), "^-", color="C2", label="new places (median)")
    axes.semilogy(degrees, NOISE**2 * (1 - p / n), "--", color=INK, label=r"$\sigma^2(1 - p/n)$")
    axes.semilogy(degrees, NOISE**2 * (1 + p / n), ":", color=INK, label=r"$\sigma^2(1 + p/n)$")
    axes.set(xlabel="degree", ylabel="mean squared error", ylim=(0.02, 4.0))
    axes.grid()
    axes.legend(ncols=2)
    return figure


# %%
if __name__ == "__main__":
    DEGREES = range(13)
    sets = {"smoke": 20, "standard": 200, "full": 200}[scale()]
    training, same, new = errors_by_degree(DEGREES, sets)
    for degree in (1, 5, 12):
        found = {"train": training[degree].mean(), "same": same[degree].mean(), "new": np.median(new[degree])}
        report(**{f"{name}_{degree}": value for name, value in found.items()})
    report(best_degree=np.argmin(np.median(new, axis=1)))

# %%
if __name__ == "__main__":
    plot_degrees(DEGREES, training, same, new)

# %% [markdown]
# The straight line is bad everywhere: 0.44<!--lesson.train_1--> in training, 0.44<!--lesson.same_1--> on new targets.
# With degree 5 the two are 0.061<!--lesson.train_5--> and 0.116<!--lesson.same_5-->; the formulas, with $\sigma^2 =
# 0.09$ and $p = 6$, say 0.063 and 0.117. With degree 12 the training error has fallen further, to
# 0.030<!--lesson.train_12-->, and the other risen to 0.147<!--lesson.same_12-->; here the formulas say 0.0315 and
# 0.1485. At new places the median error is 0.52<!--lesson.new_1-->, 0.13<!--lesson.new_5--> and
# 135<!--lesson.new_12-->. The training error falls with every degree. The error that matters has its minimum at
# degree 5<!--lesson.best_degree-->, and nothing in the training error marks the spot.
#
# Does the gap fall as $1/n$? We keep degree 7, whose eight parameters express the wave almost exactly, and take more
# and more examples.


# %%
def measured_gaps(sizes, sets, degree=7):
    """Mean gap between new targets at the same places and training examples for several n: (sizes,)."""
    found = []
    for n in sizes:
        x = places(sets * n // sizes[0], n)  # (sets, n, 1); the more sets, the smaller the gap
        y, again = observed(x, "noise"), observed(x, "new noise")
        X = legendre(x, degree)  # (sets, n, degree + 1)
        predicted = xp.matmul(X, by_qr(X, xp.asarray(y)))  # (sets, n, 1)
        found.append(float((mean_squares(predicted, again) - mean_squares(predicted, y)).mean()))
    return np.array(found)


@house_style
def plot_gaps(sizes, gaps, p=8):
    """Measured gaps over n and those of the formula."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 2.8))
    axes.loglog(sizes, gaps, "o", color="C0", label="measured")
    axes.loglog(sizes, 2 * NOISE**2 * p / np.array(sizes), "--", color=INK, label=r"$2\sigma^2 p / n$")
    axes.set_xticks(sizes, labels=[str(n) for n in sizes])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="examples $n$", ylabel="gap")
    axes.grid()
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    NUMBERS = {"smoke": (16, 64)}.get(scale(), (16, 32, 64, 128, 256))
    gaps = measured_gaps(NUMBERS, sets)
    ratios = gaps * np.array(NUMBERS) / (2 * NOISE**2 * 8)
    report(gap_16=gaps[0], gap_256=gaps[-1], gap_ratio_low=ratios.min(), gap_ratio_high=ratios.max())

# %%
if __name__ == "__main__":
    plot_gaps(NUMBERS, gaps)

# %% [markdown]
# From $n = 16$ to 256 the gap falls from 0.090<!--lesson.gap_16--> to 0.0059<!--lesson.gap_256-->, and the measured
# gaps are between 1.00<!--lesson.gap_ratio_low--> and 1.07<!--lesson.gap_ratio_high--> times the formula's. More data
# is the remedy that never does harm. The others are fewer parameters, and a pull on the parameters towards zero,
# which [weight decay](weight_decay.py) is about.
#
# ## Held out, and held out in turn
#
# The gap of other models has no formula. But the reason why the training error flatters, that the model was chosen by
# it, suggests a cure: set some examples aside. On $m$ examples that had no part in the choice the mean error is a fair
# estimate of the risk, off by about $s / \sqrt{m}$ if single errors have the deviation $s$. If it is used to choose
# something, such as the degree, it becomes part of the choice, and for the final verdict one needs a third set. Hence
# the three parts: *training* for the parameters, *validation* for the decisions, *test* for the verdict, used once.
#
# With few examples it hurts to give away so many. In *cross-validation* the examples are dealt into $k$ parts, the
# *folds*. The model is fitted $k$ times, each time without one of the folds, and judged on this one (Stone, 1974).
# Every example is judged exactly once, by a model that has not seen it. The estimate is that for $n (1 - 1/k)$
# training examples, and so a little pessimistic.


# %%
def folds(n, k, *key):
    """k pairs of index arrays (training, held out), which deal the numbers 0, ..., n - 1 in a random order."""
    order = random.permutation(n, *key)  # (n,)
    for fold in range(k):
        yield np.delete(order, np.s_[fold::k]), order[fold::k]  # every k-th, from number `fold` on, is held out


def cross_validated(X, y, k, *key, counts=None):
    """Mean squared error on held-out folds for features (sets, n, P) and targets (sets, n, 1): (counts, sets).

    `counts` are numbers of leading columns, all of them if None.
    """
    counts = counts or [X.shape[-1]]
    totals = [0.0] * len(counts)
    for kept, held in folds(X.shape[-2], k, *key):
        kept, held = xp.asarray(kept), xp.asarray(held)
        held_X, held_y = xp.take(X, held, axis=-2), xp.take(y, held, axis=-2)  # (sets, held, P), (sets, held, 1)
        for i, theta in enumerate(fits(xp.take(X, kept, axis=-2), xp.take(y, kept, axis=-2), counts)):
            squares = xp.square(xp.matmul(held_X, theta) - held_y)  # (sets, held, 1)
            totals[i] = totals[i] + xp.to_numpy(xp.sum(squares, axis=(-2, -1)))  # (sets,)
    return np.array(totals) / X.shape[-2]


# %% [markdown]
# ## Concise
#
# With as many folds as examples each model misses a single one. That looks like $n$ fits, but least squares has a
# shortcut (Allen, 1974). Let $r_i$ be the residual of example $i$ when *all* examples were used in the fit, and
# $H_{ii}$ the diagonal of the projection. Without the example its residual would be $r_i / (1 - H_{ii})$ (exercise
# 5), so one fit is enough. Do the long way and the short one agree?


# %%
def leave_one_out(X, y):
    """Mean squared error on examples left out in turn, from one fit: X (sets, n, p), y (sets, n, 1) to (sets,)."""
    Q, _ = xp.linalg.qr(X)  # (sets, n, p); H = Q Q'
    leverage = xp.sum(xp.square(Q), axis=-1, keepdims=True)  # (sets, n, p) -> (sets, n, 1)
    residuals = y - xp.matmul(Q, xp.matmul(xp.matrix_transpose(Q), y))  # (sets, n, 1)
    return xp.to_numpy(xp.mean(xp.square(residuals / (1.0 - leverage)), axis=(-2, -1)))


# %%
if __name__ == "__main__":
    x = places(10, 20)  # (10, 20, 1)
    X, y = legendre(x, 5), xp.asarray(observed(x, "noise"))  # (10, 20, 6), (10, 20, 1)
    long, short = cross_validated(X, y, 20, "one out")[0], leave_one_out(X, y)  # (10,), (10,)
    report(formula_gap=np.max(np.abs(long / short - 1.0)))

# %% [markdown]
# Twenty fits and one differ by $7 \cdot 10^{-5}$<!--lesson.formula_gap--> of their value on NumPy and by
# $2 \cdot 10^{-4}$<!--lesson.formula_gap @tensorflow--> on TensorFlow, the rounding of float32. Which method chooses
# better? We give each 40 examples. One uses 20 for training and 20 for validation, and then keeps its model; the
# other chooses by five folds and fits all 40 with the degree that it chose.


# %%
def best_by_validation(sets, degrees):
    """Risks (sets,) of the models chosen on half of 40 examples and by five folds, and of the best degree on all."""
    x, new_x = places(sets, 40, "forty"), places(1, 2000, "judge")  # (sets, 40, 1), (1, 2000, 1)
    y = observed(x, "noise of forty")  # (sets, 40, 1)
    X, new_X = legendre(x, max(degrees)), legendre(new_x, max(degrees))  # (sets, 40, P), (1, 2000, P)
    counts = [degree + 1 for degree in degrees]
    half = fits(X[:, :20], xp.asarray(y[:, :20]), counts)  # each (sets, P, 1)
    whole = fits(X, xp.asarray(y), counts)  # each (sets, P, 1)

    def risks(thetas):
        return np.array([mean_squares(xp.matmul(new_X, theta), law(new_x)) + NOISE**2 for theta in thetas])

    by_half = np.array([mean_squares(xp.matmul(X[:, 20:], theta), y[:, 20:]) for theta in half])  # (degrees, sets)
    by_folds = cross_validated(X, xp.asarray(y), 5, "five folds", counts=counts)  # (degrees, sets)
    every = np.arange(sets)
    half, whole = risks(half), risks(whole)  # (degrees, sets), (degrees, sets)
    return half[by_half.argmin(axis=0), every], whole[by_folds.argmin(axis=0), every], whole.min(axis=0)


# %%
if __name__ == "__main__":
    held_out, in_turn, at_best = best_by_validation(sets, range(11))
    report(held_out=np.median(held_out), in_turn=np.median(in_turn), at_best=np.median(at_best))

# %% [markdown]
# The median risk of what was chosen on the held-out half is 0.133<!--lesson.held_out-->, by five folds
# 0.116<!--lesson.in_turn-->; whoever knew the best degree for each set would reach 0.105<!--lesson.at_best-->, and the
# noise alone is 0.09. With little data, cross-validation is worth its $k$ fits.
#
# ## Wings again
#
# Does any of this matter on real measurements? We predict the noise of [NASA's wings](least_squares.py) from all
# products of Legendre polynomials of the five features up to a total degree. Degree 1 has 6 parameters, degree 2 has
# 21, degree 3 has 56. Up to 900 cases are for training, 300 for validation, 303 for the test. The numbers are
# deviations in decibels.


# %%
def products(reference, X, degree):
    """Products of Legendre polynomials of the columns of X (n, d), scaled by the range of `reference`: (n, p)."""
    low, high = reference.min(axis=0), reference.max(axis=0)
    X = 2.0 * (X - low) / (high - low) - 1.0  # (n, d), from -1 to 1 in the reference
    single = [np.polynomial.legendre.legvander(column, degree) for column in X.T]  # d of (n, degree + 1)
    powers = [e for e in itertools.product(range(degree + 1), repeat=len(single)) if sum(e) <= degree]
    powers.sort(key=sum)  # the lower degrees first
    return np.column_stack([np.prod([s[:, k] for s, k in zip(single, e, strict=True)], axis=0) for e in powers])


def wing_errors(n):
    """Root mean squared errors in dB by degree, 1 to 3: of n training, 300 validation and 303 test cases."""
    X, y = load_airfoil()  # (1503, 5), (1503,)
    order = random.permutation(len(X), "generalisation", "wings")
    X, y = X[order], y[order, None]  # (1503, 5), (1503, 1)
    centre = y[:n].mean()
    features = xp.asarray(products(X[:n], X, degree=3))  # (1503, 56)
    errors = {}
    for degree, theta in enumerate(fits(features[:n], xp.asarray(y[:n] - centre), [6, 21, 56]), start=1):
        squares = (xp.to_numpy(xp.matmul(features, theta)) + centre - y) ** 2  # (1503, 56) @ (56, 1) -> (1503, 1)
        parts = {"train": slice(n), "val": slice(900, 1200), "test": slice(1200, None)}
        errors[degree] = {name: float(np.sqrt(squares[part].mean())) for name, part in parts.items()}
    return errors


# %%
if __name__ == "__main__":
    few, many = wing_errors(100), wing_errors(900)
    for n, errors in ((100, few), (900, many)):
        for degree, name in ((1, "linear"), (2, "square")):
            report(**{f"{part}_{name}_{n}": value for part, value in errors[degree].items()})
    report(train_cubic_100=few[3]["train"], val_cubic_100=few[3]["val"], test_cubic_100=few[3]["test"])
    report(train_cubic_900=many[3]["train"], val_cubic_900=many[3]["val"], test_cubic_900=many[3]["test"])

# %% [markdown]
# | degree, $n = 100$ | parameters | training | validation | test |
# |---|---|---|---|---|
# | 1 | 6 | 4.6<!--lesson.train_linear_100--> | 5.5<!--lesson.val_linear_100--> | 5.4<!--lesson.test_linear_100--> |
# | 2 | 21 | 3.8<!--lesson.train_square_100--> | 5.2<!--lesson.val_square_100--> | 4.6<!--lesson.test_square_100--> |
# | 3 | 56 | 2.5<!--lesson.train_cubic_100--> | 23.7<!--lesson.val_cubic_100--> | 15.2<!--lesson.test_cubic_100--> |
#
# | degree, $n = 900$ | parameters | training | validation | test |
# |---|---|---|---|---|
# | 1 | 6 | 4.8<!--lesson.train_linear_900--> | 5.0<!--lesson.val_linear_900--> | 4.8<!--lesson.test_linear_900--> |
# | 2 | 21 | 4.1<!--lesson.train_square_900--> | 4.4<!--lesson.val_square_900--> | 4.0<!--lesson.test_square_900--> |
# | 3 | 56 | 3.4<!--lesson.train_cubic_900--> | 3.7<!--lesson.val_cubic_900--> | 3.4<!--lesson.test_cubic_900--> |
#
# With a hundred cases the best model in training is the worst in the test; validation prefers degree 2. With nine
# hundred it prefers degree 3, rightly. There is no degree that is right for the wings: there is one that is right for
# this number of examples. And with more data the training error *rises*, since it is harder to please nine hundred
# than one hundred.
#
# ## What goes wrong
#
# **The winner's luck.** Among many candidates one will look good on the validation set by luck, and it will be chosen
# for it. Suppose that $M$ models are equally good, and their validation scores differ from the truth by independent
# normal errors $Z_j$ of deviation $\tau$. How lucky is the luckiest? For any $t > 0$, with $e^{t \max_j Z_j} \le
# \sum_j e^{t Z_j}$ and $\mathbb{E}\,e^{tZ_j} = e^{t^2\tau^2/2}$,
#
# $$e^{t\, \mathbb{E} \max_j Z_j} \le \mathbb{E}\, e^{t \max_j Z_j} \le M e^{t^2 \tau^2 / 2}
#   \quad \Longrightarrow \quad \mathbb{E} \max_j Z_j \le \frac{\log M}{t} + \frac{t \tau^2}{2}
#   = \tau \sqrt{2 \log M} \;\text{ at }\; t = \sqrt{2 \log M} / \tau .$$
#
# To see it, we let models predict coins. Labels are heads or tails at random, features are random, and each "model"
# is a random direction. Nobody can be better than 0.5. The accuracy on $m = 100$ validation coins has $\tau = 0.5 /
# \sqrt{100} = 0.05$.


# %%
def coin_models(num_models, repeat, m=100, d=20):
    """Validation and test accuracy of the model, out of many useless ones, that is best in validation."""
    directions = xp.asarray(random.normal((d, num_models), "direction", repeat))  # (d, M)
    scores = []
    for part, size in (("val", m), ("test", 10 * m)):
        X = xp.asarray(random.normal((size, d), part, "features", repeat))  # (size, d)
        heads = random.uniform((size, 1), part, "coins", repeat) < 0.5  # (size, 1)
        guesses = xp.to_numpy(xp.matmul(X, directions)) > 0.0  # (size, d) @ (d, M) -> (size, M)
        scores.append((guesses == heads).mean(axis=0))  # (M,)
    best = scores[0].argmax()
    return scores[0][best], scores[1][best]


@house_style
def plot_luck(counts, accuracies):
    """Validation and test accuracy of the winner over the number of candidates: accuracies (counts, repeats, 2)."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.0))
    for part, (name, marker) in enumerate((("validation", "o-"), ("test", "s--"))):
        axes.semilogx(counts, accuracies[:, :, part].mean(axis=1), marker, color=f"C{part}", label=name)
    axes.semilogx(counts, 0.5 + 0.05 * np.sqrt(2 * np.log(counts)), ":", color=INK, label="bound")
    axes.set(xlabel="candidates $M$", ylabel="accuracy of the winner")
    axes.grid()
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    COUNTS = np.array([1, 3, 10, 30, 100, 300, 1000])
    repeats = {"smoke": 3, "standard": 20, "full": 50}[scale()]
    luck = np.array([[coin_models(int(count), repeat) for repeat in range(repeats)] for count in COUNTS])
    report(chosen_val=luck[-1, :, 0].mean(), chosen_test=luck[-1, :, 1].mean(), ten_val=luck[2, :, 0].mean())

# %%
if __name__ == "__main__":
    plot_luck(COUNTS, luck)

# %% [markdown]
# The best of ten has an average validation accuracy of 58 %<!--lesson.ten_val-->, the best of a thousand
# 65 %<!--lesson.chosen_val-->; the bound is 69 %. On test data the winner of the thousand gets
# 51 %<!--lesson.chosen_test-->. The luck grows slowly with $M$, like $\sqrt{\log M}$, and falls with $1/\sqrt{m}$: a
# validation set bears many decisions if it is large. But the score of the winner on it is no estimate of anything.
# That is what the test set is for.
#
# **Choosing before folding.** With 50 examples and 2,000 features somebody keeps the ten features that correlate best
# with the labels, and then cross-validates the model made of these ten. The folds are clean. The choice was not: it
# has seen the labels of all folds (Ambroise and McLachlan, 2002).


# %%
def strongest(X, y, count=10):
    """The numbers of the features (n, d) whose correlation with y (n, 1) is largest."""
    X, y = X - X.mean(axis=0), y - y.mean()
    return np.argsort(-np.abs((X * y).sum(axis=0)) / np.sqrt((X**2).sum(axis=0)))[:count]


def fold_accuracy(repeat, leaky, n=50, d=2000):
    """Accuracy over five folds on labels +1 and -1 that have nothing to do with the features."""
    X = random.normal((n, d), "many features", repeat)  # (n, d)
    y = np.where(random.uniform((n, 1), "labels", repeat) < 0.5, -1.0, 1.0)  # (n, 1)
    right = 0
    for kept, held in folds(n, 5, "choice", repeat):
        chosen = strongest(X, y) if leaky else strongest(X[kept], y[kept])  # (10,)
        theta = by_qr(xp.asarray(X[np.ix_(kept, chosen)]), xp.asarray(y[kept]))  # (10, 1)
        predicted = xp.to_numpy(xp.matmul(xp.asarray(X[np.ix_(held, chosen)]), theta))  # (held, 1)
        right += int(np.sum(np.sign(predicted) == y[held]))
    return right / n


# %%
if __name__ == "__main__":
    report(leaky_accuracy=np.mean([fold_accuracy(repeat, leaky=True) for repeat in range(repeats)]))
    report(clean_accuracy=np.mean([fold_accuracy(repeat, leaky=False) for repeat in range(repeats)]))

# %% [markdown]
# With the choice outside, cross-validation promises an accuracy of 86 %<!--lesson.leaky_accuracy--> for labels that
# were tossed; with the choice repeated inside each fold it says 50 %<!--lesson.clean_accuracy-->. The rule is simple
# to say: whatever looks at labels belongs inside the folds.
#
# ## Under the surface
#
# No framework decides how data are divided; each has its convenience, and conveniences have habits. Keras' `fit` takes
# `validation_split=0.2` and cuts off the *last* fifth of the arrays before shuffling, so a file that is sorted gives a
# validation set of another kind. PyTorch's `random_split` shuffles with the global generator, and so the split changes
# with everything that was drawn before unless a generator is passed. In this course a split is a permutation called by
# name: it is the same on all backends and does not move when something else is drawn.
#
# Numerically the overfitted polynomials are the delicate ones. With degree 12 and twenty random places the condition
# number can be so large that in float32 not only the curves but even the mean training error depends on the order of
# the roundings: it is 0.0304<!--lesson.train_12--> on NumPy and 0.0305<!--lesson.train_12 @jax--> on JAX. With degree 5
# all backends agree to the digits that we print and several more. A model that overfits magnifies whatever it is given,
# noise and roundings alike.
#
# ## Summary
#
# A model is chosen because it fits its training examples, so its error on them is too small; for least squares the
# gap is $2\sigma^2 p / n$ at the places of the training and can be far larger elsewhere. Too few parameters cannot
# express the law, too many express the noise, and the right number grows with the number of examples. An estimate is
# fair only on examples that had no part in the choice, and every decision, also that of the winner among candidates,
# is part of it. Cross-validation uses each example for both purposes, in turn, if everything that looks at labels
# happens inside the folds.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise generalisation` writes a stub to fill in, `d2l check
# FILE` examines it on every installed backend. Solutions to all are in `generalisation_solutions.py`.
#
# 1. ★ *What to expect.* Write `expected_errors(X, sigma)`, which returns the expected training error and the expected
#    error on new targets at the same places for least squares with the features `X`. Columns may be dependent; what
#    takes the place of $p$ then?
# 2. ★ *Families.* Measurements of one wing are similar, and those of one patient even more so. Write
#    `group_folds(groups, k)`: folds in which all examples of a group are held out together.
# 3. *Bias and variance.* The mean prediction of many fits, minus the law, is the bias; the spread around the mean is
#    the variance. Compute both for degrees 1, 3, 5, 8 and 11 at the places of a grid. Which of them grows with the
#    degree?
# 4. *The last one.* How many validation examples are needed so that the best of 1,000 equal candidates looks better
#    by at most one percentage point on average? And the best of a million?
# 5. *One out.* Derive the residual $r_i / (1 - H_{ii})$. Hint: if example $i$ is replaced by one that lies exactly on
#    the curve fitted without it, that curve is also the best for all $n$.
#
# ## References
#
# - C. L. Mallows (1973), *Some Comments on Cp*, Technometrics 15.
# - M. Stone (1974), *Cross-Validatory Choice and Assessment of Statistical Predictions*, Journal of the Royal
#   Statistical Society B 36.
# - D. M. Allen (1974), *The Relationship between Variable Selection and Data Augmentation and a Method for Prediction*,
#   Technometrics 16.
# - C. Ambroise and G. J. McLachlan (2002), *Selection Bias in Gene Extraction on the Basis of Microarray
#   Gene-Expression Data*, Proceedings of the National Academy of Sciences 99.
# - T. F. Brooks, D. S. Pope and M. A. Marcolini (1989), *Airfoil Self-Noise and Prediction*, NASA Reference Publication
#   1218.
