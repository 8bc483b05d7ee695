# /// lesson
# name = "least-squares"
# title = "Least squares"
# sections = ["3.1"]
# needs = []
# data = ["airfoil"]
# [time]
# smoke = "2 s"
# standard = "10 s"
# full = "20 s"
# [promises]
# standard = ["lesson: scratch_gap <= 1e-3"]
# full = [
#   "lesson: scratch_gap <= 1e-3", "lesson: loop_gap <= 0",
#   "lesson: qr_error_far <= 1e-4", "lesson: normal_error_far >= 1e-2",
#   "lesson: spread_ratio_low >= 0.9", "lesson: spread_ratio_high <= 1.1",
# ]
# ///

# %% [markdown]
# # Least squares
#
# A surveyor wants the heights of a chapel, a hut and a summit above the village. With a level and a staff she
# measures six differences of height: from the village to each of the three places, and between them. Six
# numbers for three unknowns should be more than enough, and that is the trouble. From the village to the chapel
# she reads 212.4 m, from there to the hut 148.9 m, together 361.3 m; but the direct way to the hut gave 361.0 m.
# No heights agree with all her numbers. Which should she write on the map?
#
# Two centuries ago this question, asked of the shape of the earth and of the orbits of comets, led to the method that
# is still the first to be tried. This lesson asks why the errors are squared, solves the problem exactly, and shows
# when the exact solution is not exact at all. At the end stand two ideas that the following lessons build on: whole
# arrays instead of loops, and a few examples instead of all of them.

# %%
import time

import numpy as np

from d2l_core import random, xp
from d2l_core.data import AIRFOIL_FEATURES, load_airfoil
from d2l_core.lessons import report, scale
from d2l_core.plots import INK, Diagram, house_style

# %% [markdown]
# ## The idea
#
# We accept that every measurement contains an error and look for the heights that contradict the measurements
# least. A contradiction is the difference between what the heights imply and what was read, the *residual*.
# There are six of them, one for each arrow of the figure, and we must say what "least" means for six numbers
# together. The method of least squares takes the sum of their squares.

# %%
PLACES = ("chapel", "hut", "summit")
MEASURED = (
    ("village", "chapel", 212.4),
    ("chapel", "hut", 148.9),
    ("village", "hut", 361.0),
    ("hut", "summit", 97.7),
    ("chapel", "summit", 246.2),
    ("village", "summit", 459.3),
)


def levelling(measured=MEASURED):
    """The measurements as arrays: X (n, 3), one row for each arrow, and y (n, 1) in metres."""
    X = np.zeros((len(measured), len(PLACES)))
    for row, (start, end, _) in zip(X, measured, strict=True):
        row[PLACES.index(end)] = 1.0
        if start in PLACES:  # the village is at height 0 and has no column
            row[PLACES.index(start)] = -1.0
    return X, np.array([[metres] for _, _, metres in measured])


def diagram_levelling():
    """The four places and the six measured differences of height."""
    drawing = Diagram(640, 260, "four places and six measured differences of height")
    at = {"village": (50, 215), "chapel": (230, 70), "hut": (400, 215), "summit": (590, 60)}
    circles = {name: drawing.circle(x, y, 34, name) for name, (x, y) in at.items()}
    for start, end, metres in MEASURED:
        drawing.arrow(circles[start], circles[end])
        (x1, y1), (x2, y2) = at[start], at[end]
        length = np.hypot(x2 - x1, y2 - y1)  # the label stands 16 pixels above the line, at 35 per cent of the way
        drawing.text(
            0.65 * x1 + 0.35 * x2 + 32 * (y2 - y1) / length,
            0.65 * y1 + 0.35 * y2 - 16 * (x2 - x1) / length,
            f"{metres} m",
            size=11,
        )
    return drawing


# %%
if __name__ == "__main__":
    diagram_levelling()

# %% [markdown]
# Each measurement is a row of a matrix: $+1$ in the column of the place where the arrow ends and $-1$ where it
# begins. The row of chapel to hut is $(-1, 1, 0)$, and its product with the heights is the height of the hut
# minus that of the chapel. A prediction from features has the same form. There a row holds the features of one
# example and the unknowns are the weights, so whatever we learn about heights holds for weights.
#
# ## Why squares?
#
# Start with one unknown: the same height $\theta$ was read $n$ times, $y_1, \dots, y_n$. Everybody takes the
# mean. Gauss (1809) turned this habit into a question: *which law must the errors follow for the mean to be the
# best answer, always?* Let $f(e)$ be the density of an error $e$, smooth, positive and symmetric. The most
# probable $\theta$ maximises $\sum_i \log f(y_i - \theta)$, so the derivative must vanish there:
#
# $$\sum_{i=1}^n \psi(y_i - \theta) = 0, \qquad \psi(e) = -\frac{d}{de} \log f(e).$$
#
# Take three readings with the deviations $a$, $b$ and $-(a + b)$ from their mean. If the mean solves the
# equation, then $\psi(a) + \psi(b) + \psi(-a - b) = 0$. As $f$ is symmetric, $\psi$ is odd, so
#
# $$\psi(a) + \psi(b) = \psi(a + b) \quad \text{for all } a, b.$$
#
# A continuous function that adds up like this is a straight line through the origin, $\psi(e) = e / \sigma^2$
# with some constant $\sigma^2$, which is positive because a density cannot grow for ever. Integrating gives
# $\log f(e) = -e^2 / (2\sigma^2) + \text{constant}$, and since the total probability is one,
#
# $$f(e) = \frac{1}{\sqrt{2\pi\sigma^2}} \exp\left(-\frac{e^2}{2\sigma^2}\right).$$
#
# This is the *normal law* with standard deviation $\sigma$. It is the only one under which the mean is always
# the most probable value; and for independent normal errors of equal $\sigma$ the most probable unknowns of any
# kind are those with the least sum of squares, because $-\log f$ is a parabola. The figure compares it with the
# law $f(e) = e^{-|e|} / 2$ of Laplace, whose logarithm is a roof: there the *median* is most probable
# (exercise 4). The right panel shows what it means to choose. At five deviations the parabola stands at 13.4,
# the roof at 5.7: whoever squares declares large errors nearly impossible, and lets a single one of them pull
# hard.


# %%
def normal_density(e, sigma=1.0):
    """The normal law for an array of errors, of the same shape."""
    return np.exp(-0.5 * (e / sigma) ** 2) / np.sqrt(2.0 * np.pi * sigma**2)


@house_style
def plot_laws():
    """Densities of errors, and the negative logarithms that fitting minimises."""
    import matplotlib.pyplot as plt

    e = np.linspace(-5.0, 5.0, 401)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.0))
    for sigma, style in ((1.0, "-"), (2.0, "-.")):
        left.plot(e, normal_density(e, sigma), style, color="C0", label=rf"normal, $\sigma = {sigma:.0f}$")
    left.plot(e, 0.5 * np.exp(-np.abs(e)), "--", color="C1", label="Laplace")
    left.set(xlabel="error $e$", ylabel="density $f(e)$")
    right.plot(e, -np.log(normal_density(e)), "-", color="C0", label=r"normal, $\sigma = 1$")
    right.plot(e, np.abs(e) + np.log(2.0), "--", color="C1", label="Laplace")
    right.set(xlabel="error $e$", ylabel=r"$-\log f(e)$")
    left.legend()
    right.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_laws()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ of shape $(n, d)$ hold the rows, $\mathbf{y}$ of shape $(n, 1)$ the measurements and
# $\boldsymbol\theta$ of shape $(d, 1)$ the unknowns, with $n \ge d$. We minimise $\lVert \mathbf{X}
# \boldsymbol\theta - \mathbf{y} \rVert^2$, the sum of the squared residuals. If $\boldsymbol\theta$ runs
# through all values, $\mathbf{X}\boldsymbol\theta$ runs through a plane of dimension $d$ (at most) in the space
# of dimension $n$. The nearest point of a plane is where the connecting line stands upright on it, so we guess
# that the residual of the best $\hat{\boldsymbol\theta}$ is perpendicular to each column of $\mathbf{X}$:
#
# $$\mathbf{X}^\top (\mathbf{X} \hat{\boldsymbol\theta} - \mathbf{y}) = \mathbf{0}
#   \quad \text{or} \quad \mathbf{X}^\top \mathbf{X}\, \hat{\boldsymbol\theta} = \mathbf{X}^\top \mathbf{y},
#   \qquad (d, d) \cdot (d, 1) = (d, 1).$$
#
# These are the *normal equations* (from "normal" for upright; the normal law has its name elsewhere). That the
# guess is right is a matter of one line. For any other $\boldsymbol\theta$,
#
# $$\lVert \mathbf{X}\boldsymbol\theta - \mathbf{y} \rVert^2
#   = \lVert \mathbf{X}\hat{\boldsymbol\theta} - \mathbf{y} \rVert^2
#   + \lVert \mathbf{X}(\boldsymbol\theta - \hat{\boldsymbol\theta}) \rVert^2,$$
#
# because the mixed term $2 (\boldsymbol\theta - \hat{\boldsymbol\theta})^\top \mathbf{X}^\top (\mathbf{X}
# \hat{\boldsymbol\theta} - \mathbf{y})$ vanishes: the theorem of Pythagoras. The last term is never negative, and
# zero only for $\hat{\boldsymbol\theta}$ itself if the columns of $\mathbf{X}$ are linearly independent.
#
# **A better way to the same solution.** Every $\mathbf{X}$ with independent columns is a product
# $\mathbf{X} = \mathbf{Q}\mathbf{R}$ of a $\mathbf{Q}$ of shape $(n, d)$ with perpendicular columns of length
# one, $\mathbf{Q}^\top\mathbf{Q} = \mathbf{I}$, and an upper triangular $\mathbf{R}$ of shape $(d, d)$. Put it
# into the normal equations: $\mathbf{R}^\top \mathbf{R} \hat{\boldsymbol\theta} = \mathbf{R}^\top
# \mathbf{Q}^\top \mathbf{y}$, and $\mathbf{R}^\top$ can be cancelled,
#
# $$\mathbf{R} \hat{\boldsymbol\theta} = \mathbf{Q}^\top \mathbf{y}.$$
#
# The last row contains one unknown, the last but one two, and so on upwards. The product $\mathbf{X}^\top
# \mathbf{X}$ was never formed, and we shall see what that is worth.
#
# How to find $\mathbf{Q}$ and $\mathbf{R}$? Householder (1958) reflects. A mirror perpendicular to a vector
# $\mathbf{v}$ sends every $\mathbf{x}$ to $\mathbf{x} - 2 \mathbf{v} (\mathbf{v}^\top \mathbf{x}) /
# (\mathbf{v}^\top \mathbf{v})$ and changes no length. With $\mathbf{v} = \mathbf{x} + s \lVert \mathbf{x} \rVert
# \mathbf{e}_1$, where $s = \pm 1$ is the sign of the first entry of $\mathbf{x}$ and $\mathbf{e}_1 = (1, 0, \dots,
# 0)^\top$, the vector $\mathbf{x}$ itself lands on $-s \lVert \mathbf{x} \rVert \mathbf{e}_1$: all its entries but
# the first are now zero. The sign is chosen such that nothing is subtracted that could cancel. Doing this for
# the first column, then for the second from its second entry on, and so forth, makes $\mathbf{X}$ triangular.
# The reflections applied to $\mathbf{y}$ give $\mathbf{Q}^\top \mathbf{y}$ in its first $d$ entries, so
# $\mathbf{Q}$ need not be written down.

# %% [markdown]
# ## From scratch


# %%
def triangular(X, y):
    """R (d, d) and Q'y (d, 1) by one reflection for each column of X (n, d)."""
    n, d = X.shape
    A = xp.concat([X, y], axis=1)  # (n, d), (n, 1) -> (n, d + 1)
    rows = xp.reshape(xp.arange(n), (n, 1))  # (n,) -> (n, 1)
    zero = xp.zeros_like(y)
    for k in range(d):
        x = xp.where(rows < k, zero, A[:, k : k + 1])  # (n, d + 1) -> (n, 1)
        length = xp.sqrt(xp.sum(x * x))  # (n, 1) -> ()
        step = xp.where(A[k, k] < 0, -length, length)  # ()
        v = x + xp.where(rows == k, step + zero, zero)  # (n, 1)
        shares = xp.matmul(xp.matrix_transpose(v), A)  # (1, n) @ (n, d + 1) -> (1, d + 1)
        A = A - 2.0 / xp.sum(v * v) * xp.matmul(v, shares)  # (n, 1) @ (1, d + 1) -> (n, d + 1)
    return A[:d, :d], A[:d, d:]


def back_substitution(R, c):
    """The solution (d, 1) of R theta = c for an upper triangular R (d, d), from the last row upwards."""
    d = R.shape[0]
    theta = c[d - 1 :] / R[d - 1, d - 1]  # (1, 1)
    for k in reversed(range(d - 1)):
        known = xp.matmul(R[k : k + 1, k + 1 :], theta)  # (1, d - 1 - k) @ (d - 1 - k, 1) -> (1, 1)
        theta = xp.concat([(c[k : k + 1] - known) / R[k, k], theta])  # (d - k, 1)
    return theta


def least_squares_scratch(X, y):
    """The theta (d, 1) with the least sum of squared residuals, for X (n, d) with independent columns and y (n, 1)."""
    return back_substitution(*triangular(X, y))


# %%
if __name__ == "__main__":
    X, y = (xp.asarray(array) for array in levelling())  # (6, 3), (6, 1)
    heights = least_squares_scratch(X, y)  # (3, 1)
    residuals = xp.matmul(X, heights) - y  # (6, 1)
    for place, height in zip(PLACES, xp.to_numpy(heights)[:, 0], strict=True):
        report(**{place: height})
    report(
        squares=xp.sum(residuals * residuals),
        upright=xp.max(xp.abs(xp.matmul(xp.matrix_transpose(X), residuals))),
    )

# %% [markdown]
# The map gets 212.500<!--lesson.chapel--> m, 361.225<!--lesson.hut--> m and 458.975<!--lesson.summit--> m. No
# measurement is met exactly: each has been heard, and each has given way a little. The
# squares add up to 0.275<!--lesson.squares--> m², and the columns of $\mathbf{X}$ are perpendicular to the
# residuals up to rounding.
#
# ## Concise
#
# The library has the decomposition and a solver for square systems. With them there are three ways: QR, the normal
# equations as they stand, and the *pseudo-inverse*, which also copes with dependent columns. On these numbers all
# agree with ours.


# %%
def by_qr(X, y):
    """The least-squares solution (d, 1) from the QR decomposition of X (n, d)."""
    Q, R = xp.linalg.qr(X)  # (n, d), (d, d)
    return xp.linalg.solve(R, xp.matmul(xp.matrix_transpose(Q), y))  # (d, n) @ (n, 1) -> (d, 1)


def by_normal_equations(X, y):
    """The same by way of the products X'X (d, d) and X'y (d, 1)."""
    transposed = xp.matrix_transpose(X)  # (d, n)
    return xp.linalg.solve(xp.matmul(transposed, X), xp.matmul(transposed, y))  # (d, 1)


def by_pseudo_inverse(X, y):
    """The same by way of the singular values of X; the shortest solution if there are several."""
    return xp.matmul(xp.linalg.pinv(X), y)  # (d, n) @ (n, 1) -> (d, 1)


# %%
if __name__ == "__main__":
    others = [method(X, y) for method in (by_qr, by_normal_equations, by_pseudo_inverse)]  # three of (3, 1)
    report(scratch_gap=max(float(xp.to_numpy(xp.max(xp.abs(other - heights)))) for other in others))

# %% [markdown]
# ## The noise of a wing, described
#
# From heights to weights. NASA measured the noise of wings in 1,503<!--lesson.rows--> cases. Each case has five
# features, to which we add a column of ones for the constant, and the sound level in decibels. We fit all cases
# at once and only *describe* them; forecasting new cases is the business of
# [the next lesson but two](linear_regression.py).


# %%
def with_ones(X):
    """An array (n, d) with a column of ones at its end, (n, d + 1)."""
    return np.column_stack((X, np.ones(len(X))))


def airfoil_fit():
    """The weights (6,) of the measurements in their own units, and the residuals (1503,) in dB, on the host."""
    X, y = load_airfoil()  # (1503, 5), (1503,)
    X, y = with_ones(X), y[:, None]  # (1503, 6), (1503, 1)
    theta = xp.to_numpy(by_qr(xp.asarray(X), xp.asarray(y))).astype(np.float64)  # (6, 1)
    return theta[:, 0], (X @ theta - y)[:, 0]


@house_style
def plot_residuals(residuals):
    """The residuals of the wings and the normal law with the same deviation."""
    import matplotlib.pyplot as plt

    sigma = residuals.std()
    grid = np.linspace(-4.0 * sigma, 4.0 * sigma, 200)
    figure, axes = plt.subplots(figsize=(5.5, 2.8))
    axes.hist(residuals, bins=48, density=True, color="C0", alpha=0.45, label="residuals")
    axes.plot(grid, normal_density(grid, sigma), "--", color="C1", label=rf"normal, $\sigma = {sigma:.1f}$ dB")
    axes.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="residual in dB", ylabel="density")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    weights, residuals = airfoil_fit()
    for name, weight in zip((*AIRFOIL_FEATURES, "constant"), weights, strict=True):
        print(f"{weight:12.4g} dB for each unit of: {name}")
    sigma = residuals.std()
    within = [np.mean(np.abs(residuals) <= k * sigma) for k in (1, 2, 3)]
    report(rows=len(residuals), spread=load_airfoil()[1].std(), sigma=sigma, angle=weights[1])
    report(within_one=within[0], within_two=within[1], within_three=within[2])

# %%
if __name__ == "__main__":
    plot_residuals(residuals)

# %% [markdown]
# The levels themselves have a standard deviation of 6.9<!--lesson.spread--> dB, the residuals one of
# 4.8<!--lesson.sigma--> dB. All else being equal, each degree of a steeper angle changes the level by
# −0.42<!--lesson.angle--> dB; "all else being equal" is an idealisation, because in these
# experiments the angle and the thickness of the boundary layer moved together.
#
# Were the errors normal, as squares presuppose? Of a normal law, 68.3 % lies within one standard deviation,
# 95.4 % within two and 99.7 % within three. We found 69.4 %<!--lesson.within_one-->,
# 94.7 %<!--lesson.within_two--> and 99.1 %<!--lesson.within_three-->. The middle fits well; beyond three
# deviations there are about three times as many cases as the law allows. Without normality least squares does not
# become wrong: it still finds the nearest point of the plane. It just ceases to be the most probable answer.
#
# ## How exact is exact?
#
# Stretching $\mathbf{X}$ to different lengths in different directions is what makes the problem delicate. The
# *condition number* $\kappa$ is the ratio of its largest to its smallest singular value: by how much more the
# matrix stretches one direction than another. Numbers in float32 carry a relative error of about $\varepsilon = 6
# \cdot 10^{-8}$. If the measurements lie close to the plane, the solution by QR has a relative error of the order
# $\kappa \varepsilon$ at most. The normal equations contain $\mathbf{X}^\top \mathbf{X} = \mathbf{R}^\top \mathbf{R}$,
# whose singular values are the squares of those of $\mathbf{X}$; their condition number is $\kappa^2$, and so
# half of the digits may be lost before anything is solved.
#
# Here is how it happens in life. Fit a straight line to something measured each year from 1990 to 2020. The
# columns of $\mathbf{X}$ are the years and the ones. In units of their standard deviation, 8.9 years, the years
# lie $c = 224$ away from zero, and seen from there the column of years is almost a multiple of the column of ones.
# With both scaled to length one, the cosine of the angle between them is $\rho = c / \sqrt{1 + c^2}$, the singular
# values are $\sqrt{1 + \rho}$ and $\sqrt{1 - \rho}$, and for large $c$
#
# $$\kappa = \sqrt{\frac{1 + \rho}{1 - \rho}} \approx 2c .$$
#
# We try it: points on random lines, at a distance $c$ from zero, solved in float32 both ways. "Exact" is the
# solution in float64 of the very same, already rounded, numbers.


# %%
DISTANCES = (1, 3, 10, 30, 100, 300, 1000)


def line_far_away(distance, number, n=50):
    """Points near a line, in float32, whose x has the mean `distance` and the deviation 1: X (n, 2), y (n, 1)."""
    x = random.normal((n, 1), "line", number)
    x = (x - x.mean()) / x.std() + distance
    y = 3.0 + 2.0 * x + random.normal((n, 1), "noise", number, std=0.1)
    return with_ones(x).astype(np.float32), y.astype(np.float32)


def slope_errors(method, distance, lines):
    """Relative errors (lines,) of the slopes that a method finds for lines at a distance."""
    errors = []
    for number in range(lines):
        X, y = line_far_away(distance, number)
        exact = np.linalg.lstsq(X.astype(np.float64), y.astype(np.float64), rcond=None)[0][0, 0]
        theta = method(xp.asarray(X, dtype=xp.float32), xp.asarray(y, dtype=xp.float32))  # (2, 1)
        errors.append(abs(float(xp.to_numpy(theta)[0, 0]) / exact - 1.0))
    return np.array(errors)


@house_style
def plot_conditioning(errors):
    """Median errors over the distances, by the name of the method, and the two powers of the condition number."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    kappa = 2.0 * np.array(DISTANCES)
    for (name, values), marker in zip(errors.items(), "os", strict=True):
        axes.loglog(DISTANCES, values, marker + "-", label=name)
    axes.loglog(DISTANCES, 6e-8 * kappa, "--", color=INK, label=r"$\varepsilon\kappa$")
    axes.loglog(DISTANCES, 6e-8 * kappa**2, ":", color=INK, label=r"$\varepsilon\kappa^2$")
    axes.set(xlabel="distance $c$ of the mean from zero, in deviations", ylabel="relative error of the slope")
    axes.grid()
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    lines = {"smoke": 3, "standard": 20, "full": 20}[scale()]
    methods = {"QR": by_qr, "normal equations": by_normal_equations}
    errors = {
        name: [np.median(slope_errors(method, distance, lines)) for distance in DISTANCES]
        for name, method in methods.items()
    }
    report(qr_error_far=errors["QR"][-1], normal_error_far=errors["normal equations"][-1])

# %%
if __name__ == "__main__":
    plot_conditioning(errors)

# %% [markdown]
# At $c = 1000$ the slope by QR is off by $5 \cdot 10^{-6}$<!--lesson.qr_error_far--> on NumPy and by
# $1.5 \cdot 10^{-5}$<!--lesson.qr_error_far @jax--> on JAX, the one by the normal equations by
# 19 %<!--lesson.normal_error_far--> and 5 %<!--lesson.normal_error_far @jax-->, with the same data and no warning;
# rounding decides where in between the others lie. On doubly logarithmic axes one curve rises with the first and the
# other with the second power of $c$. The cure costs one line and no mathematics: subtract the mean from the years.
# Then $c = 0$, the columns are perpendicular, $\kappa = 1$, and every method is exact. This is half of what
# [standardising the features](linear_regression.py) will do for gradient descent, whose speed depends on the same
# number.
#
# ## Whole arrays
#
# We have never written a loop over the examples. It would have given the same answer:


# %%
def add_one_by_one(a, b):
    """The sums of two tensors (n,), one element at a time: a list of n tensors ()."""
    return [a[i] + b[i] for i in range(a.shape[0])]


def add_at_once(a, b):
    """The same as one tensor (n,)."""
    return a + b


def seconds(f, *args):
    """The time of a call; reading the last element makes sure that the result has been computed."""
    began = time.perf_counter()
    xp.to_numpy(f(*args)[-1])
    return time.perf_counter() - began


# %%
if __name__ == "__main__":
    n = {"smoke": 100, "standard": 10_000, "full": 10_000}[scale()]
    a, b = (xp.asarray(random.normal(n, "addend", i)) for i in range(2))  # (n,), (n,)
    slow, fast = seconds(add_one_by_one, a, b), min(seconds(add_at_once, a, b) for _ in range(5))
    print(f"{n} additions one by one {1000 * slow:.1f} ms, at once {1000 * fast:.3f} ms: {slow / fast:.0f} to 1")
    alone = np.array([float(xp.to_numpy(value)) for value in add_one_by_one(a[:100], b[:100])])  # (100,)
    report(loop_gap=np.max(np.abs(alone - xp.to_numpy(add_at_once(a, b)[:100]))))

# %% [markdown]
# The sums are the same to the last bit, and the loop takes thousands of times as long, on some backends tens of
# thousands of times. The additions are not to blame, of which a processor makes billions in a second. Each *call* of
# a framework costs microseconds, in which types are examined, memory is found and a routine is chosen, and the loop
# makes three calls for each number. Written with whole arrays, the cost of the calls does not depend on $n$.
#
# ## A few examples at a time
#
# The exact solution exists because the model is linear. For almost all other models nobody can solve for the
# weights, and one improves them in small steps against the gradient, here of the mean of squares,
# $\mathbf{g} = \frac{2}{n} \mathbf{X}^\top(\mathbf{X}\boldsymbol\theta - \mathbf{y})$ of shape $(d, 1)$. It is a
# mean over $n$ examples. Must we really ask all of them before each step?
#
# Draw a *minibatch* of $B$ examples without putting any back, and let $\mathbf{g}_B$ be their mean gradient. On
# average over all draws it is $\mathbf{g}$. How far is it off? Let $\mathbf{g}_i$ be the gradient of the single
# example $i$ and $S^2 = \frac{1}{n} \sum_i \lVert \mathbf{g}_i - \mathbf{g} \rVert^2$. Independent draws would
# give the mean squared distance $S^2 / B$. Without putting back it is smaller, since $B = n$ must give zero:
#
# $$\mathbb{E} \lVert \mathbf{g}_B - \mathbf{g} \rVert^2 = \frac{S^2}{B} \cdot \frac{n - B}{n - 1} .$$


# %%
def mean_gradient(X, y, theta):
    """Gradient (d, 1) of the mean of the squared residuals, for X (n, d), y (n, 1) and theta (d, 1)."""
    residuals = xp.matmul(X, theta) - y  # (n, 1)
    return 2.0 / X.shape[0] * xp.matmul(xp.matrix_transpose(X), residuals)  # (d, n) @ (n, 1) -> (d, 1)


def standardised_airfoil():
    """The measurements with mean 0 and deviation 1 in each column, and ones: X (1503, 6), y (1503, 1), on the host."""
    X, y = load_airfoil()  # (1503, 5), (1503,)
    X, y = ((array - array.mean(axis=0)) / array.std(axis=0) for array in (X, y[:, None]))
    return with_ones(X), y


def predicted_distances(X, y, sizes):
    """Root mean squared distances of the minibatch gradients from the full one at theta = 0, by the formula."""
    n = len(X)
    single = -2.0 * X * y  # (n, d), the gradient of each example
    variance = np.mean(np.sum((single - single.mean(axis=0)) ** 2, axis=1))
    return [np.sqrt(variance / size * (n - size) / (n - 1)) for size in sizes]


def measured_distances(X, y, sizes, draws):
    """The same, measured on random minibatches with the active backend."""
    n, d = X.shape
    X, y, theta = xp.asarray(X), xp.asarray(y), xp.zeros((d, 1))
    whole = mean_gradient(X, y, theta)  # (d, 1)
    found = []
    for size in sizes:
        squares = []
        for draw in range(draws):
            chosen = xp.asarray(random.permutation(n, "minibatch", size, draw)[:size])  # (B,)
            batch = mean_gradient(xp.take(X, chosen, axis=0), xp.take(y, chosen, axis=0), theta)  # (d, 1)
            squares.append(float(xp.to_numpy(xp.sum(xp.square(batch - whole)))))
        found.append(np.sqrt(np.mean(squares)))
    return found


SIZES = (1, 4, 16, 64, 256, 1024)


@house_style
def plot_minibatches(X, y, measured):
    """Distance of minibatch gradients from the full gradient over the size of the batch."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.0))
    every = np.arange(1, 1025)
    axes.loglog(every, predicted_distances(X, y, every), "-", color="C0", label="formula")
    axes.loglog(SIZES, measured, "o", color="C1", label="random minibatches")
    axes.set(xlabel="batch size $B$", ylabel="distance from the full gradient")
    axes.grid()
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    X_airfoil, y_airfoil = standardised_airfoil()  # (1503, 6), (1503, 1)
    draws = {"smoke": 10, "standard": 200, "full": 500}[scale()]
    measured = measured_distances(X_airfoil, y_airfoil, SIZES, draws)
    ratios = np.divide(measured, predicted_distances(X_airfoil, y_airfoil, SIZES))
    report(spread_ratio_low=ratios.min(), spread_ratio_high=ratios.max())
    report(distance_of_16=measured[2], distance_of_64=measured[3])
    report(full_gradient=np.linalg.norm(2.0 / len(X_airfoil) * X_airfoil.T @ y_airfoil))

# %%
if __name__ == "__main__":
    plot_minibatches(X_airfoil, y_airfoil, measured)

# %% [markdown]
# Four times as many examples halve the distance, from 1.33<!--lesson.distance_of_16--> with 16 to
# 0.65<!--lesson.distance_of_64--> with 64; the full gradient at this place is 1.18<!--lesson.full_gradient--> long.
# All measured distances lie between 0.97<!--lesson.spread_ratio_low--> and 1.02<!--lesson.spread_ratio_high--> times
# the formula's. So the distance falls as $1 / \sqrt{B}$ while the cost grows as $B$. For the price of one step with a
# thousand examples there are ten with a hundred, whose directions are less exact but good enough as long as the
# minimum is far away. With one example a step, on the other hand, a framework would spend its time on calls, as it
# did in the loop above. Sizes between 32 and some hundreds are the compromise, and
# [synthetic data](synthetic_data.py) shows how such batches are cut.
#
# ## What goes wrong
#
# **A slip of the pen.** The surveyor swaps two digits and writes 495.3 m instead of 459.3 m for the way from the
# village to the summit. It is one number of six.

# %%
if __name__ == "__main__":
    slipped = (*MEASURED[:-1], ("village", "summit", 495.3))
    X_slip, y_slip = (xp.asarray(array) for array in levelling(slipped))  # (6, 3), (6, 1)
    wrong = least_squares_scratch(X_slip, y_slip)  # (3, 1)
    print("residuals", np.round(xp.to_numpy(xp.matmul(X_slip, wrong) - y_slip)[:, 0], 2))
    report(**{f"{place}_slip": value for place, value in zip(PLACES, xp.to_numpy(wrong)[:, 0], strict=True)})

# %% [markdown]
# The summit rises by 18 m to 476.975<!--lesson.summit_slip--> m, and chapel and hut by 9 m each, although nothing was
# wrong with *their* readings. The squared loss avoids one residual of 36 by making one of 18 and four of 9, with
# about half the sum of squares. That is the parabola of the second figure at work: an error of this size is next to
# impossible under the normal law, so anything else must give way. Look at the residuals before you believe the
# solution, and if slips are to be expected, choose a loss that grows more slowly, such as Huber's in
# [linear regression](linear_regression.py).
#
# **An unknown too many.** Suppose that we forget that the village is our zero and give it a column too. Now lifting
# all four places by one metre changes no prediction: the columns add up to zero, $\mathbf{X}^\top\mathbf{X}$ has no
# inverse, and depending on the backend the normal equations end in an error, in infinities or in huge numbers.


# %%
def levelling_without_zero(measured=MEASURED):
    """As `levelling`, with a last column for the village: X (n, 4), y (n, 1)."""
    X, y = levelling(measured)
    village = [[-1.0 if start == "village" else 0.0] for start, _, _ in measured]
    return np.hstack((X, village)), y


# %%
if __name__ == "__main__":
    X_free, y_free = (xp.asarray(array) for array in levelling_without_zero())  # (6, 4), (6, 1)
    shortest = by_pseudo_inverse(X_free, y_free)  # (4, 1)
    report(columns=X_free.shape[1], rank=xp.linalg.matrix_rank(X_free), shortest_sum=xp.sum(shortest))
    report(recovered_gap=xp.max(xp.abs(shortest[:3] - shortest[3] - heights)))

# %% [markdown]
# Of 4<!--lesson.columns--> columns only 3<!--lesson.rank--> are independent. The pseudo-inverse takes the shortest
# of the infinitely many solutions, the one whose heights add up to zero. The differences of height are as before, so
# the predictions are sound and the single unknowns mean nothing. The same happens whenever categories are coded as
# one column each beside a constant: the columns add up to the ones.
#
# ## Under the surface
#
# Each framework has a function for least squares, and they do not do the same. NumPy's `lstsq` and JAX's go by the
# singular values and so bear dependent columns. PyTorch's takes QR with pivoting on a CPU, which bears them too, but
# on a GPU it knows only plain QR, which assumes full rank. TensorFlow's `tf.linalg.lstsq` has the option `fast`, true
# unless one says otherwise, and then solves the *normal equations* by Cholesky's decomposition; its documentation
# warns that this is stable only for $\kappa < 1/\sqrt{\varepsilon}$, a few thousand in float32. With $\kappa =
# 2000$ in the figure above we were still inside that limit, and had lost all digits but one.
#
# A decomposition is not unique either: a column of $\mathbf{Q}$ may change its sign together with its row of
# $\mathbf{R}$, and libraries take what their LAPACK gives. Ours makes the diagonal of $\mathbf{R}$ positive
# everywhere; the reflections from scratch leave it as it falls, and the solution is the same. JAX computes in float32
# unless told otherwise, even from arrays in float64. And recent GPUs multiply matrices with ten binary digits after
# the point instead of 23 where the framework lets them, as TensorFlow and JAX do by default: $\varepsilon$ is then
# eight thousand times as large, and $\kappa$ does the rest.
#
# ## Summary
#
# Squaring residuals is the consequence of normal errors, and normal errors are the only ones for which the mean is
# always the best summary. The best prediction is the point of the plane of all predictions that lies nearest to the
# measurements, with the residual upright on the plane. QR finds it with an error of the order $\kappa\varepsilon$, the
# normal equations with $\kappa^2\varepsilon$, and subtracting the means makes $\kappa$ small. Whole arrays save the
# cost of calls, and minibatches buy a gradient whose error falls with the root of their size.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise least-squares` writes a stub to fill in,
# `d2l check FILE` examines it on every installed backend. Solutions to all are in `least_squares_solutions.py`.
#
# 1. ★ *Good and bad instruments.* Measurement $i$ has normal errors of its own standard deviation $\sigma_i$. What
#    does the most probable $\boldsymbol\theta$ minimise? Write `weighted_least_squares(X, y, sigma)`.
# 2. ★ *Data that do not fit into memory.* Write `least_squares_in_batches(batches)`, which sees the examples only as a
#    sequence of minibatches `(X, y)`, never keeps more than one of them beside $d + 1$ rows of its own, and never forms
#    $\mathbf{X}^\top\mathbf{X}$. What does the triangle of the rows seen so far have to do with it?
# 3. *Where to measure once more.* If all readings have the variance $\sigma^2$, the covariance of
#    $\hat{\boldsymbol\theta}$ is $\sigma^2 (\mathbf{X}^\top\mathbf{X})^{-1}$. Show it. Which of the six ways should the
#    surveyor walk a second time to know the summit best?
# 4. *The roof.* Show that the median minimises the sum of absolute deviations. Which height for the village's church
#    tower follows from the readings 31.2, 31.3, 31.1, 31.2 and 13.2 m under each of the two laws?
# 5. *Centre first.* Show that a straight line fitted with a constant always passes through the point of the means, and
#    use it to fit the line at $c = 1000$ by the normal equations without losing digits.
#
# ## References
#
# - A.-M. Legendre (1805), *Nouvelles méthodes pour la détermination des orbites des comètes*, the first publication
#   of least squares.
# - C. F. Gauss (1809), *Theoria motus corporum coelestium*, least squares from the normal law of errors.
# - A. S. Householder (1958), *Unitary Triangularization of a Nonsymmetric Matrix*, Journal of the ACM 5.
# - G. H. Golub (1965), *Numerical Methods for Solving Linear Least Squares Problems*, Numerische Mathematik 7.
# - N. J. Higham (2002), *Accuracy and Stability of Numerical Algorithms*, second edition, SIAM.
# - T. F. Brooks, D. S. Pope and M. A. Marcolini (1989), *Airfoil Self-Noise and Prediction*, NASA Reference
#   Publication 1218.
