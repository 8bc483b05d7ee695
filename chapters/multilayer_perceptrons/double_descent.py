# /// lesson
# name = "double-descent"
# title = "Generalisation in deep learning"
# sections = ["5.5"]
# needs = ["softmax-regression", "mlp"]
# data = ["synthetic", "fashion-mnist"]
# main = "noisy"
# [time]
# smoke = "3 s"
# standard = "15 s"
# full = "15 s"
# [promises]
# full = [
#   "random: loss <= 0.2", "random: val_acc <= 0.15", "true: val_acc >= 0.7",
#   "lesson: theory_gap <= 0.15", "lesson: two_ways_gap <= 0.001", "lesson: peak_ratio >= 3",
#   "lesson: peak_error_64 >= 1000", "lesson: wide_gain >= 0.05", "lesson: random_train_acc >= 0.99",
#   "lesson: early_gain >= 0.03", "lesson: neighbours_1_train >= 1", "lesson: neighbours_1 >= 0.7",
# ]
# ///

# %% [markdown]
# # Generalisation in deep learning
#
# A student who has learned last year's examination questions by heart, misprints included, answers each of them
# without fault. We would not expect much of him this year. In the language of models: one with as many parameters as
# training examples can fit them all, noise and misprints too, and should therefore be bad on new ones. Courses of
# statistics warn of it, with good reasons.
#
# Yet a network of 200,000 parameters, trained on 500 images until it makes no mistake on them, names new images rather
# well. In this lesson the fit gets better and better while the error on new data first falls, then rises to a peak,
# and then *falls again* as the model grows. We derive this for the simplest model exactly, see it in random features
# on Fashion-MNIST, let a network learn random labels by heart, and ask what there is to hold on to if the number of
# parameters says so little.

# %%
from functools import partial

import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_arrays
from d2l_chapters.multilayer_perceptrons.mlp import mean_accuracy, mlp

from d2l_core import optim, random, xp
from d2l_core.backend import current, use_backend
from d2l_core.data import Loader, to_float_images
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import accuracy, cross_entropy, relu
from d2l_core.plots import INK, house_style
from d2l_core.training import Data, EarlyStopping, Trainer

# %% [markdown]
# ## The idea
#
# Take $n$ points of a curve with a little noise. A model with *fewer* free numbers than points cannot pass through
# all of them and strikes a compromise. With exactly as many there is one solution that passes through all points,
# and no choice: it must bend in whatever way the noise demands. With *more*, infinitely many solutions pass through
# the points, and one can choose among them. If the choice falls on the one with the smallest weights, which is what
# gradient descent from zero does, the curve need not bend more than necessary. The worst place is the border
# between the two regimes, the *interpolation threshold*.
#
# The figure fits cosines $\cos(\pi j x)$, $j = 0, 1, \dots, p - 1$, each divided by $1 + j$, to ten noisy points.


# %%
def cosines(x, p):
    """Features cos(pi j x) / (1 + j) for j < p: (n,) to (n, p), on the host."""
    j = np.arange(p)
    return np.cos(np.pi * np.asarray(x)[:, None] * j) / (1.0 + j)


@house_style
def plot_idea(n=10, counts=(4, 10, 200)):
    """Least-squares fits, of the smallest weights, with fewer, as many and more features than points."""
    import matplotlib.pyplot as plt

    x = (np.arange(n) + random.uniform(n, "double-descent", "x")) / n
    y = np.sin(3.0 * x) + random.normal(n, "double-descent", "noise", std=0.2)
    grid = np.linspace(0.0, 1.0, 400)
    figure, panels = plt.subplots(1, len(counts), figsize=(9.0, 2.8), sharey=True)
    for axes, p in zip(panels, counts, strict=True):
        beta = np.linalg.pinv(cosines(x, p)) @ y
        axes.plot(grid, cosines(grid, p) @ beta, color="C0")
        axes.plot(x, y, "o", color="C1", markersize=4)
        axes.plot(grid, np.sin(3.0 * grid), color=INK, linestyle=":", linewidth=1)
        axes.set(title=f"{p} features", xlabel="$x$", ylim=(-1.0, 2.5))
    panels[0].set_ylabel("$y$")
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let an example have $D$ features that are independent standard normal numbers, $\mathbf{x} \in \mathbb{R}^D$, and the
# target be $y = \mathbf{x}^\top \boldsymbol\beta + \varepsilon$ with normal noise of variance $\sigma^2$. We have $n$
# examples, and a model that uses the first $p$ features only: a matrix $\mathbf{X}$ of shape $(n, p)$. Call the
# coefficients that it uses $\boldsymbol\beta_T$ and the others $\boldsymbol\beta_{T^c}$. What the model cannot see,
# the sum over the other features plus $\varepsilon$, is independent of what it sees and normal with the variance
#
# $$\eta^2 = \lVert \boldsymbol\beta_{T^c} \rVert^2 + \sigma^2 ;$$
#
# for the model it is noise. So $\mathbf{y} = \mathbf{X}\boldsymbol\beta_T + \mathbf{e}$ with independent normal
# $e_i$ of variance $\eta^2$. The estimate is the least-squares solution and, if there are several, the one with the
# smallest norm: $\hat{\boldsymbol\beta} = \mathbf{X}^+ \mathbf{y}$ with the *pseudo-inverse*
#
# $$\mathbf{X}^+ = (\mathbf{X}^\top\mathbf{X})^{-1}\mathbf{X}^\top \quad (p \le n), \qquad
#   \mathbf{X}^+ = \mathbf{X}^\top(\mathbf{X}\mathbf{X}^\top)^{-1} \quad (p \ge n).$$
#
# The expected squared error on a new example is $R = \mathbb{E}\lVert \hat{\boldsymbol\beta} - \boldsymbol\beta_T
# \rVert^2 + \eta^2$.
#
# *Fewer features than examples.* Here $\hat{\boldsymbol\beta} - \boldsymbol\beta_T = \mathbf{X}^+\mathbf{e}$, and
# $\mathbb{E}\lVert \mathbf{X}^+\mathbf{e} \rVert^2 = \eta^2\, \mathbb{E} \operatorname{tr}(\mathbf{X}^\top
# \mathbf{X})^{-1}$. The matrix $\mathbf{X}^\top\mathbf{X}$ has a Wishart distribution, whose inverse has the mean
# $\mathbf{I}/(n - p - 1)$; the trace is $p/(n - p - 1)$, and
#
# $$R = \eta^2 \left( 1 + \frac{p}{n - p - 1} \right), \qquad p \le n - 2 .$$
#
# *More features than examples.* Now $\mathbf{X}^+\mathbf{X} = \mathbf{P}$ is the projection onto the $n$-dimensional
# space spanned by the examples. $\hat{\boldsymbol\beta} - \boldsymbol\beta_T = -(\mathbf{I} -
# \mathbf{P})\boldsymbol\beta_T + \mathbf{X}^+\mathbf{e}$, and the two parts are orthogonal. A random $n$-dimensional
# space catches on average the share $n/p$ of a fixed vector's squared length. The second part is as before with the
# roles of rows and columns exchanged:
#
# $$R = \lVert \boldsymbol\beta_T \rVert^2 \left( 1 - \frac{n}{p} \right)
#   + \eta^2 \left( 1 + \frac{n}{p - n - 1} \right), \qquad p \ge n + 2 .$$
#
# In between, for $p$ from $n - 1$ to $n + 1$, the mean is infinite. These formulas are due to Belkin, Hsu and Xu
# (2020). They show the peak from both sides: near the threshold the smallest singular value of $\mathbf{X}$ is nearly
# zero, and the noise is divided by it. Farther to the right the noise is spread over more and more directions and
# harms less, while the first term says what is lost because $n$ examples cannot tell all about $p$ coefficients.

# %% [markdown]
# ## From scratch and concise
#
# `minimum_norm` solves the smaller of the two systems; the library has the pseudo-inverse ready, from a singular value
# decomposition.


# %%
def minimum_norm(X, y):
    """Least-squares weights of the smallest norm, (..., p, 1), for X (..., n, p) and y (..., n, 1)."""
    n, p = X.shape[-2:]
    Xt = xp.matrix_transpose(X)  # (..., p, n)
    if p <= n:
        return xp.linalg.solve(xp.matmul(Xt, X), xp.matmul(Xt, y))  # (..., p, p), (..., p, 1) -> (..., p, 1)
    return xp.matmul(Xt, xp.linalg.solve(xp.matmul(X, Xt), y))  # (..., p, n) @ (..., n, 1) -> (..., p, 1)


def pseudo_inverse(X, y, rtol=None):
    """Least-squares weights of the smallest norm by the library, for X (..., n, p) and y (..., n, k).

    Singular values up to rtol times the largest count as zero, by default those up to max(n, p) rounding units.
    """
    return xp.matmul(xp.linalg.pinv(X, rtol=rtol), y)  # (..., p, n) @ (..., n, k) -> (..., p, k)


def coefficients(law, D):
    """The true coefficients (D,), of squared length 1: all "equal", or "decaying" like 1 / j."""
    beta = np.ones(D) if law == "equal" else 1.0 / np.arange(1, D + 1)
    return beta / np.linalg.norm(beta)


def risk_in_theory(p, n, beta, sigma):
    """The formulas of the text; infinite at the threshold."""
    seen, noise = np.sum(beta[:p] ** 2), np.sum(beta[p:] ** 2) + sigma**2
    if p <= n - 2:
        return noise * (1.0 + p / (n - p - 1))
    if p >= n + 2:
        return seen * (1.0 - n / p) + noise * (1.0 + n / (p - n - 1))
    return np.inf


def risks_measured(counts, n, beta, sigma, trials=60, solve=pseudo_inverse):
    """Mean and median error on new examples of the estimate with p features, for each p of counts."""
    D = len(beta)
    X = random.normal((trials, n, D), "double-descent", "features")
    y = X @ beta[:, None] + random.normal((trials, n, 1), "double-descent", "errors", std=sigma)  # (trials, n, 1)
    means, medians = [], []
    for p in counts:
        part, target = (xp.asarray(a, dtype=xp.float_dtype()) for a in (X[:, :, :p], y))
        found = np.asarray(xp.to_numpy(solve(part, target)), np.float64)[..., 0]  # (trials, p)
        risks = np.sum((found - beta[:p]) ** 2, axis=1) + np.sum(beta[p:] ** 2) + sigma**2  # (trials,)
        means.append(risks.mean())
        medians.append(np.median(risks))
    return np.array(means), np.array(medians)


SIGMA, N_EXAMPLES, N_FEATURES = 0.3, 40, 400


@house_style
def plot_risk(measured, counts):
    """Theory and measured medians for both laws; measured by law."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 3.4))
    grid = np.arange(1, N_FEATURES + 1)
    for law, colour, style, marker in (("equal", "C0", "-", "o"), ("decaying", "C1", "--", "s")):
        beta = coefficients(law, N_FEATURES)
        theory = [risk_in_theory(p, N_EXAMPLES, beta, SIGMA) for p in grid]
        axes.plot(grid, theory, color=colour, linestyle=style, label=f"{law} coefficients, theory")
        axes.plot(counts, measured[law], marker, color=colour, markersize=4, label="measured, median")
    axes.axvline(N_EXAMPLES, color=INK, linestyle=":", linewidth=1)
    axes.set(xscale="log", yscale="log", ylim=(0.1, 60), xlabel="features $p$", ylabel="error on new examples")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    trials = 60 if scale() != "smoke" else 10
    counts = (1, 3, 8, 16, 25, 32, 38, 40, 42, 50, 64, 100, 200, 400)
    medians = {}
    for law in ("equal", "decaying"):
        beta = coefficients(law, N_FEATURES)
        means, medians[law] = risks_measured(counts, N_EXAMPLES, beta, SIGMA, trials)
        theory = np.array([risk_in_theory(p, N_EXAMPLES, beta, SIGMA) for p in counts])
        for p, a, b in zip(counts, theory, means, strict=True):
            print(f"{law:>8}, {p:>3} features: theory {a:7.3f}, mean measured {b:8.3f}")
        if law == "equal":
            far = (np.array(counts) <= 25) | (np.array(counts) >= 64)
            report(theory_gap=np.max(np.abs(means[far] / theory[far] - 1.0)))
    beta = coefficients("equal", N_FEATURES)
    ours, _ = risks_measured((8, 100), N_EXAMPLES, beta, SIGMA, trials, solve=minimum_norm)
    theirs, _ = risks_measured((8, 100), N_EXAMPLES, beta, SIGMA, trials)
    report(two_ways_gap=np.max(np.abs(ours / theirs - 1.0)))
    plot_risk(medians, counts)

# %% [markdown]
# Away from the threshold theory and measurement differ by at most 3 %<!--lesson.theory_gap-->, the scatter of sixty
# trials. Both laws have the peak at 40 features. But which side wins depends on the law. If all 400 features matter
# equally, no small model is any good, and the largest one is the best. If the first features carry most of the
# information, somebody who knows their order does best with eight of them. Double descent does not say that larger is
# better. It says that the *number* of parameters, compared with the number of examples, does not decide.
#
# ## Random features on Fashion-MNIST
#
# Now real images, and a network whose first layer is random and stays so: $N$ features $\max(0,
# \mathbf{W}\mathbf{x})$ with normal $\mathbf{W}$ of shape $(N, 784)$ (Rahimi and Recht, 2007). Belkin and others
# (2019), who named double descent, showed it for such features. Only the output weights are learned, by least
# squares of the smallest norm, on 300 images. The ten targets of an image are 1 for its class and 0 for the others.
# There is no noise in these labels; but what a weighted sum of the features cannot express acts like noise, as
# $\boldsymbol\beta_{T^c}$ did above.


# %%
def with_wrong_labels(labels, share, key):
    """Labels (n,) of which the given share is replaced by random ones (right by chance in one case of ten)."""
    labels = np.array(labels)
    order = random.permutation(len(labels), "double-descent", key, "which")
    chosen = order[: round(share * len(labels))]
    labels[chosen] = np.floor(random.uniform(len(chosen), "double-descent", key, "labels", high=10.0))
    return labels


def small_arrays(n, share=0.0, key="wrong", n_val=1000):
    """The first n training images with some labels wrong, and validation images: pairs of bytes and labels."""
    (X, y), (X_val, y_val) = fashion_arrays("standard")
    return (X[:n], with_wrong_labels(y[:n], share, key)), (X_val[:n_val], y_val[:n_val])


def random_features(images, weight):
    """ReLU features (n, N) of images (n, 28, 28), bytes, for a weight (N, 784)."""
    flat = np.asarray(images, np.float64).reshape(len(images), -1) / 255.0 - 0.3  # (n, 784)
    X = xp.asarray(flat, dtype=xp.float_dtype())
    W = xp.asarray(weight, dtype=xp.float_dtype())
    return relu(xp.matmul(X, xp.matrix_transpose(W)))  # (n, 784) @ (784, N) -> (n, N)


def descent_by_width(widths, n=300, share=0.0, solve=pseudo_inverse):
    """For each width: squared error on the training and on the validation images, and validation accuracy."""
    (X, y), (X_val, y_val) = small_arrays(n, share)
    weight = random.normal((max(widths), 784), "double-descent", "random features", std=784**-0.5)
    F, F_val = random_features(X, weight), random_features(X_val, weight)  # (n, N), (n_val, N)
    Y, Y_val = np.eye(10)[y], np.eye(10)[y_val]  # (n, 10), (n_val, 10)
    found = []
    for width in widths:
        beta = solve(F[:, :width], xp.asarray(Y, dtype=xp.float_dtype()))  # (n, width), (n, 10) -> (width, 10)
        fit, new = (xp.to_numpy(xp.matmul(G[:, :width], beta)) for G in (F, F_val))
        errors = np.mean(np.sum((fit - Y) ** 2, axis=1)), np.mean(np.sum((new - Y_val) ** 2, axis=1))
        found.append((*errors, np.mean(new.argmax(axis=1) == y_val)))
    return np.array(found)


@house_style
def plot_widths(widths, found, n):
    """Errors and accuracy over the number of random features."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.2))
    left.loglog(widths, np.maximum(found[:, 0], 1e-6), "o--", color="C1", markersize=3, label="training images")
    left.loglog(widths, found[:, 1], "s-", color="C0", markersize=3, label="new images")
    left.set(xlabel="random features", ylabel="squared error", ylim=(1e-3, None))
    left.legend()
    right.semilogx(widths, found[:, 2], "s-", color="C0", markersize=3)
    right.set(xlabel="random features", ylabel="accuracy on new images")
    for axes in (left, right):
        axes.axvline(n, color=INK, linestyle=":", linewidth=1)
    return figure


# %%
if __name__ == "__main__":
    widths = (10, 30, 60, 100, 150, 200, 250, 300, 350, 450, 600, 1000, 2000, 3000)
    widths = widths if scale() != "smoke" else (30, 300, 1000)
    found = descent_by_width(widths)
    for width, (train_error, error, right) in zip(widths, found, strict=True):
        print(f"{width:>5} features: training error {train_error:.3f}, error {error:8.3f}, accuracy {right:.3f}")
    peak = int(np.argmax(found[:, 1]))
    report(peak_width=widths[peak], peak_ratio=found[peak, 1] / found[-1, 1], peak_acc=found[:, 2].min())
    narrow = found[: widths.index(300), 2].max()
    report(narrow_acc=narrow, wide_acc=found[-1, 2], wide_gain=found[-1, 2] - narrow)
    plot_widths(widths, found, n=300)

# %% [markdown]
# The peak stands where it should, at 300<!--lesson.peak_width--> features for 300 images, where the error is
# 141<!--lesson.peak_ratio--> times that of the widest model and the accuracy falls to 0.17<!--lesson.peak_acc-->.
# The best of the narrow models reaches 0.68<!--lesson.narrow_acc-->; the widest, with ten times as many features as
# images, 0.77<!--lesson.wide_acc-->, although its training error is zero. With one label in five replaced by a
# random one (`share=0.2`) the two sides come out nearly even: learning wrong labels by heart has its price, too.
#
# ## Random labels
#
# Perhaps a network that generalises is simply not *able* to learn anything by heart? Zhang and others (2017) made
# the experiment that settled this: replace *all* labels by random ones and train. We take 500 images, an MLP with
# 256 hidden units, and three sets of labels: the true ones, random ones, and a mixture in which four of ten were
# replaced.


# %%
def images_with(share):
    """A maker of data: 500 training images (128 at smoke) of which this share has random labels."""

    def make(scale, seed):
        train, val = small_arrays(128 if scale == "smoke" else 500, share, f"job {seed}", n_val=500)
        arrays = [(X, y.astype(np.int32)) for X, y in (train, val)]
        return Data(
            Loader(arrays[0], 100, shuffle=True, stream=(seed, "shuffle"), transform=to_float_images),
            Loader(arrays[1], 500, transform=to_float_images),
        )

    return make


shared = {
    "model": mlp,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.Adam(model, lr=0.003),
    "epochs": {"smoke": 5, "standard": 100, "full": 100},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
jobs = {
    "true": Job(data=images_with(0.0), **shared),
    "noisy": Job(data=images_with(0.4), **shared),
    "random": Job(data=images_with(1.0), **shared),
}


@house_style
def plot_histories(histories):
    """Training losses and validation accuracies of the jobs over the epochs."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.0))
    for name, history in histories.items():
        left.semilogy(history.column("epoch"), history.column("loss"), label=f"{name} labels")
        right.plot(history.column("epoch"), history.column("val_acc"), label=f"{name} labels")
    left.set(xlabel="epoch", ylabel="training loss")
    right.set(xlabel="epoch", ylabel="accuracy on new images", ylim=(0.0, 1.0))
    left.legend()
    return figure


# %%
if __name__ == "__main__":
    runs = {name: job.run() for name, job in jobs.items()}
    by_heart = {name: mean_accuracy(run.model.evaluate(), run.data.train) for name, run in runs.items()}
    for name, run in runs.items():
        last = run.history
        print(
            f"{name:>7} labels: training loss {last.final('loss'):.3f}, accuracy {by_heart[name]:.3f}; "
            f"on new images {last.final('val_acc'):.3f}"
        )
    report(true_train_acc=by_heart["true"], random_train_acc=by_heart["random"], noisy_train_acc=by_heart["noisy"])
    plot_histories({name: run.history for name, run in runs.items()})

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("double-descent"))

# %% [markdown]
# The network learned the random labels almost to the last one: an accuracy of 0.998<!--lesson.random_train_acc-->
# on its 500 images and 0.11<!--random.val_acc--> on new ones, which is chance. The *same* network, with the same
# optimiser, the same number of steps and true labels, also fits everything (1.000<!--lesson.true_train_acc-->) and
# reaches 0.79<!--true.val_acc--> on new images.
#
# The consequence is uncomfortable. Any explanation that looks only at the class of functions a network can represent,
# such as the number of its parameters, must give the same answer in both cases, because the class is the same. The
# difference lies in the data and in which of the many fitting solutions training finds. True labels are fitted sooner
# (the left figure): simple regularities are learned before exceptions. That suggests a remedy.
#
# ## Early stopping
#
# With four labels of ten replaced, the network learns first what the labels have in common and then, one after the
# other, the misprints. The accuracy on new images, whose labels are right, rises, culminates, and falls. One stops
# in time: measure the loss on data that training does not use and end the run when it has not improved for a number
# of epochs, the *patience*.

# %%
if __name__ == "__main__":
    history = runs["noisy"].history
    curve = np.array(history.column("val_acc"))
    print(
        "noisy labels, accuracy on new images:",
        " ".join(f"{value:.2f}" for value in curve[:: max(1, len(curve) // 16)]),
    )
    model = mlp()
    data = images_with(0.4)(scale(), 0)
    stopped = Trainer(100 if scale() != "smoke" else 5, observers=[EarlyStopping("val_loss", patience=5)]).fit(
        model, data, loss=cross_entropy, optimiser=shared["optimiser"], metrics={"acc": accuracy}
    )
    report(stopped_epoch=len(stopped.epochs), stopped_acc=stopped.final("val_acc"), last_acc=curve[-1])
    report(early_gain=stopped.final("val_acc") - curve[-1])

# %% [markdown]
# The stopped run ended after 12<!--lesson.stopped_epoch--> epochs with 0.68<!--lesson.stopped_acc-->; the full one,
# which knows the misprints by heart, with 0.62<!--lesson.last_acc-->. One caution: the images that decided when to
# stop can no longer judge the result impartially. Where it matters, a third set must.
#
# ## A comparison: nearest neighbours
#
# Learning by heart can even be a method. The *nearest neighbour* rule stores all training images and gives a new
# one the label of the most similar; its training error is zero by construction, it has no parameters, or as many as
# there are data, and nobody expects it to fail. Cover and Hart (1967) showed that with unlimited data its error is
# at most twice the smallest possible. With $k$ neighbours who vote, single misprints are outvoted.
#
# Squared distances come from one matrix product, $\lVert \mathbf{a} - \mathbf{b} \rVert^2 = \lVert \mathbf{a}
# \rVert^2 - 2 \mathbf{a}^\top\mathbf{b} + \lVert \mathbf{b} \rVert^2$.


# %%
def squared_distances(A, B):
    """Squared distances (n, m) between the rows of A (n, d) and B (m, d)."""
    a, b = xp.sum(A * A, axis=1, keepdims=True), xp.sum(B * B, axis=1)  # (n, 1), (m,)
    return a - 2.0 * xp.matmul(A, xp.matrix_transpose(B)) + b  # (n, 1) - (n, m) + (m,) -> (n, m)


def neighbours_vote(X_train, y_train, X, k, num_classes=10):
    """Labels (n,) for X (n, d): the most frequent among the k nearest of X_train (m, d), y_train (m,)."""
    order = xp.argsort(squared_distances(X, X_train), axis=1)[:, :k]  # (n, m) -> (n, k)
    labels = xp.take(y_train, xp.reshape(order, (-1,)), axis=0)  # (n k,)
    votes = xp.sum(xp.reshape(xp.take(xp.eye(num_classes), labels, axis=0), (-1, k, num_classes)), axis=1)
    return xp.argmax(votes, axis=1)  # (n, num_classes) -> (n,)


def neighbours_accuracy(share, k, n=500):
    """Accuracy of k nearest neighbours on the training and on new images, the share of the labels replaced."""
    (X, y), (X_val, y_val) = small_arrays(n, share, "job 0", n_val=500)
    flat, new = (xp.asarray(a.reshape(len(a), -1) / 255.0, dtype=xp.float_dtype()) for a in (X, X_val))
    labels = xp.asarray(y.astype(np.int32))
    return [
        float(np.mean(xp.to_numpy(neighbours_vote(flat, labels, part, k)) == right))
        for part, right in ((flat, y), (new, y_val))
    ]


# %%
if __name__ == "__main__":
    table = {(share, k): neighbours_accuracy(share, k) for share in (0.0, 0.4) for k in (1, 5, 25)}
    for (share, k), (fit, new) in table.items():
        print(f"{share:.0%} replaced, k = {k:>2}: training images {fit:.3f}, new images {new:.3f}")
    report(neighbours_1_train=table[0.0, 1][0], neighbours_1=table[0.0, 1][1])
    report(neighbours_1_noisy=table[0.4, 1][1], neighbours_25_noisy=table[0.4, 25][1])

# %% [markdown]
# On true labels one neighbour names 0.73<!--lesson.neighbours_1--> of the new images rightly, not far from the
# network. With replaced labels it falls to 0.46<!--lesson.neighbours_1_noisy-->, and 25 voters bring it back to
# 0.69<!--lesson.neighbours_25_noisy-->. What averaging over neighbours does here, early stopping, small weights and
# large width do in networks, each in its way: they keep a misprint from spoiling its surroundings.
#
# ## What goes wrong
#
# **Stopping the search at the first minimum.** Whoever enlarges a model step by step and stops when the validation
# error begins to rise sees only the left half of the figure above. Over more than a factor of ten in width the error
# is worse than that of the best narrow model before it falls below it.
#
# **Near the threshold more data can hurt.** The formula has the same peak in the other direction: for a fixed number of
# features $p$, the error as a function of $n$ is infinite at $n = p$. A model with 60 features may be better with 30
# examples than with 60.

# %%
if __name__ == "__main__":
    beta = coefficients("equal", N_FEATURES)
    for n in (20, 30, 45, 58, 75, 120):
        print(f"60 features, {n:>3} examples: error {risk_in_theory(60, n, beta, SIGMA):.2f}")

# %% [markdown]
# **The height of the peak depends on who solves.** At the threshold the matrix of features has a huge condition number,
# the ratio of its largest to its smallest singular value. We solve the same problem in several ways.


# %%
def peak_errors(n=300):
    """Condition number at the threshold, and errors on new images by the way of solving, all but one in float32."""
    (X, _), _ = small_arrays(n)
    weight = random.normal((n, 784), "double-descent", "random features", std=784**-0.5)
    condition = np.linalg.cond(np.asarray(xp.to_numpy(random_features(X, weight)), np.float64))
    ways = {
        "32": pseudo_inverse,
        "tenfold_bound": partial(pseudo_inverse, rtol=10.0 * n * float(np.finfo(np.float32).eps)),
        "no_bound": partial(pseudo_inverse, rtol=1e-15),
        "normal_equations": minimum_norm,
    }
    errors = {name: descent_by_width((n,), n, solve=solve)[0, 1] for name, solve in ways.items()}
    with use_backend(current().backend.name, precision=64):
        errors["64"] = descent_by_width((n,), n)[0, 1]
    return condition, errors


# %%
if __name__ == "__main__":
    condition, errors = peak_errors()
    print(f"by the normal equations in float32: {errors.pop('normal_equations'):.3g}")
    report(condition=condition, **{f"peak_error_{name}": error for name, error in errors.items()})

# %% [markdown]
# The condition number is $1 \cdot 10^5$<!--lesson.condition-->. In float32 the pseudo-inverse gives the error
# 65<!--lesson.peak_error_32-->, in float64 5,185<!--lesson.peak_error_64-->: the *less* exact computation predicts
# better by far. The pseudo-inverse must decide which singular values count as zero, and the bound in float32, the
# largest one times 300 times the rounding unit, lies above the smallest ones. Leaving them out is a penalty that nobody
# asked for; with next to no bound, $10^{-15}$, float32 comes to 5,185<!--lesson.peak_error_no_bound--> as well. The
# normal equations square the condition number, which float32 cannot hold any more; their error is a number of rounding
# alone, many times larger still. Away from the threshold all of them agree.
#
# **Interpolating without need.** All of this concerns least squares without a penalty. A little weight decay,
# chosen well, removes the peak altogether (Nakkiran and others, 2021; exercise 1); nothing here is an argument
# against regularisation.
#
# ## Under the surface
#
# The bound for singular values differs. `xp.linalg.pinv` takes the largest one times $\max(n, p)$ times the rounding
# unit, as PyTorch does; JAX and TensorFlow take ten times as much, NumPy and MXNet have long used the fixed ratio
# $10^{-15}$, which in float32 is no bound at all. In float32 our peak is 65<!--lesson.peak_error_32--> high with the
# first rule, 13<!--lesson.peak_error_tenfold_bound--> with the second and 5,185<!--lesson.peak_error_no_bound--> with
# the third. With one rule the error at the peak is 141.37<!--lesson.peak_ratio--> times that of the widest model on
# NumPy and 141.36<!--lesson.peak_ratio @torch--> times on PyTorch, although their singular value decompositions come
# from different libraries.
#
# The networks of this lesson do not agree so well. Five hundred steps on labels without sense magnify the last bits of
# a rounding error, and after 100 epochs the accuracies on new images differ by a point or so between backends, as they
# would for another seed.
#
# ## Summary
#
# As a model grows past the point where it can fit all training data, its error on new data may peak and fall again,
# because among many fitting solutions the smallest one is chosen. For least squares with independent features the
# whole curve is known. Networks can fit random labels, so the number of parameters does not explain why they
# generalise on true ones; the data and the course of training must enter. Stopping early, votes of neighbours and
# small weights limit the harm that wrong labels do, and which of them is enough must be measured on data set aside.
#
# ## Exercises
#
# Solutions are in `double_descent_solutions.py`. Exercises with a star are checked by a program: `d2l exercise
# double-descent` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Take the peak away.* Ridge regression minimises $\lVert \mathbf{X}\boldsymbol\beta - \mathbf{y} \rVert^2 +
#    \lambda \lVert \boldsymbol\beta \rVert^2$. Write `ridge(X, y, strength)`, solving the smaller of the two
#    systems, and repeat the experiment with equal coefficients at 40 features. Which $\lambda$ is good?
# 2. ★ *Leave one out.* The training error of the nearest neighbour rule is useless. Write `leave_one_out(X, y)`,
#    the share of the examples whose nearest *other* example has the same label.
# 3. *No noise.* Let the model use all $D$ features and $\sigma = 0$. Is there a peak at $n = D$? Explain with the
#    formulas.
# 4. *Stopping is a penalty.* Start least squares by gradient descent at zero. Show that after $t$ steps the
#    component of the solution along a singular vector with the singular value $s$ is $1 - (1 - \eta s^2)^t$ times
#    the final one, and compare with the factor $s^2/(s^2 + \lambda)$ of ridge regression.
# 5. *The smallest solution.* Why does gradient descent from zero on an underdetermined least-squares problem find
#    the solution of the smallest norm?
#
# ## References
#
# - T. M. Cover and P. E. Hart (1967), *Nearest Neighbor Pattern Classification*, IEEE Transactions on Information
#   Theory 13.
# - A. Rahimi and B. Recht (2007), *Random Features for Large-Scale Kernel Machines*, NIPS.
# - C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals (2017), *Understanding Deep Learning Requires Rethinking
#   Generalization*, ICLR.
# - M. Belkin, D. Hsu, S. Ma and S. Mandal (2019), *Reconciling Modern Machine-Learning Practice and the Classical
#   Bias–Variance Trade-Off*, Proceedings of the National Academy of Sciences 116.
# - M. Belkin, D. Hsu and J. Xu (2020), *Two Models of Double Descent for Weak Features*, SIAM Journal on
#   Mathematics of Data Science 2.
# - P. Nakkiran, P. Venkat, S. Kakade and T. Ma (2021), *Optimal Regularization Can Mitigate Double Descent*, ICLR.
