# /// lesson
# name = "weight-decay"
# title = "Weight decay"
# sections = ["3.7"]
# needs = ["least-squares", "linear-regression"]
# data = ["synthetic", "airfoil"]
# main = "concise"
# [time]
# smoke = "2 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# standard = ["lesson: gap <= 1e-5", "lesson: cubic_best <= 0.45"]
# full = [
#   "none: val_loss <= 0.0201", "none: val_loss >= 0.015", "scratch: val_loss <= 0.0125", "concise: val_loss <= 0.0125",
#   "lesson: gap <= 1e-5", "lesson: gradient_gap <= 1e-4", "lesson: cubic_best <= 0.45",
# ]
# ///

# %% [markdown]
# # Weight decay
#
# A hospital has followed twenty patients after an operation and has two hundred laboratory values of each. Which
# values foretell how long a patient must stay? With more unknown weights than patients, infinitely many weighted
# sums explain all twenty stays to the hour, and most of them are nonsense for the twenty-first. The data cannot
# choose among them. We must say what we prefer, and the plainest preference is: small weights, unless the data
# insist on large ones.
#
# In training this preference becomes a single factor below one, by which all weights are multiplied in each step. It
# is called *weight decay*, and most large networks of today are trained with it. We shall derive what it does to each
# direction of the weights, compare forecast and run, and see three ways in which it does harm.

# %%
import itertools

import numpy as np
from d2l_chapters.linear_regression.least_squares import with_ones
from d2l_chapters.linear_regression.linear_regression import (
    GradientDescent,
    LinearRegressionScratch,
    airfoil_arrays,
    loaders,
    standardise,
)

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import load_airfoil
from d2l_core.data.synthetic import linear_data
from d2l_core.errors import TrainingDiverged
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import squared_error
from d2l_core.plots import INK, house_style
from d2l_core.random import permutation
from d2l_core.training import Trainer

# %% [markdown]
# ## The idea
#
# On the left of the figure, each ellipse joins weights with the same loss. The valley is steep in one direction
# and almost flat in the other. In the flat direction the data hardly care where we are, so a little noise in them
# moves the bottom of the valley far away. Now we add to the loss a *penalty* that grows with the length of the
# weight vector. The minimum leaves the bottom and moves towards the origin, the more, the heavier the penalty. It
# does not go straight: it gives up the flat direction first, where going home costs little, and holds on to the
# steep one. The right panel says the same in numbers. It shows which share of the unpenalised weight survives,
# depending on how steep the valley is in that direction.


# %%
@house_style
def plot_idea():
    """The way of the minimum as the penalty grows, and the share of each direction that survives."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2))
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    curvatures, bottom = np.array([0.15, 3.0]), np.array([1.1, 2.4])
    grid = np.stack(np.meshgrid(np.linspace(-0.6, 3.4, 200), np.linspace(-0.6, 3.0, 200)), axis=-1)
    heights = 0.5 * (((grid - bottom) @ turn) ** 2 @ curvatures)
    left.contour(grid[..., 0], grid[..., 1], heights, levels=[0.03, 0.12, 0.3, 0.6, 1.2, 2.4], colors="C0", alpha=0.6)
    strengths = np.concatenate([[0.0], np.logspace(-2.5, 2.5, 100)])
    shares = curvatures / (curvatures + strengths[:, None])
    path = (shares * (bottom @ turn)) @ turn.T
    left.plot(*path.T, "-", color="C1", linewidth=2, label="least sum")
    left.plot(*bottom, "o", color="C0", label="least loss")
    left.plot(0, 0, "s", color="C1", label="least penalty")
    left.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    left.legend(loc="lower right", fontsize=8)
    steepness = np.logspace(-3, 2, 200)
    for strength, style in ((0.01, "-"), (0.1, "--"), (1.0, ":")):
        right.semilogx(steepness, steepness / (steepness + strength), style, label=rf"$\lambda = {strength:g}$")
    right.set(xlabel="steepness $h$ of a direction", ylabel=r"share that survives, $h / (h + \lambda)$")
    right.legend(fontsize=8)
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ hold $n$ examples with $d$ features in its rows, shape $(n, d)$, $\mathbf{y}$ the targets, shape
# $(n, 1)$, and $\mathbf{w}$ the weights, shape $(d, 1)$. In this lesson the loss is *half* the mean squared error,
# because then the factors of two disappear. With a strength $\lambda \ge 0$ we minimise
#
# $$J(\mathbf{w}, b) = L(\mathbf{w}, b) + \frac{\lambda}{2} \lVert \mathbf{w} \rVert^2, \qquad
#   L(\mathbf{w}, b) = \frac{1}{2n} \lVert \mathbf{X}\mathbf{w} + b - \mathbf{y} \rVert^2, \qquad
#   \lVert \mathbf{w} \rVert^2 = \sum_{j=1}^d w_j^2 .$$
#
# The bias $b$ is left out of the penalty: it says at which level the targets lie, and there is no reason to prefer
# zero, be it decibels or days.
#
# **Why it is called decay.** The penalty adds $\lambda\mathbf{w}$ to the gradient. A step of gradient descent
# with the learning rate $\eta$ is
#
# $$\mathbf{w} \leftarrow \mathbf{w} - \eta \Big(\frac{\partial L}{\partial \mathbf{w}} + \lambda \mathbf{w}\Big)
#   = (1 - \eta\lambda)\, \mathbf{w} - \eta \frac{\partial L}{\partial \mathbf{w}} .$$
#
# The weights are first multiplied by $1 - \eta\lambda$ and then moved as before. Where the data are silent, a
# weight decays like a radioactive substance, with a mean life of $1 / (\eta\lambda)$ steps.
#
# **The minimum in closed form.** Subtract from each column of $\mathbf{X}$ and from $\mathbf{y}$ its mean, and the
# best bias is zero. Setting the gradient $\frac{1}{n}\mathbf{X}^\top(\mathbf{X}\mathbf{w} - \mathbf{y}) +
# \lambda\mathbf{w}$ to zero gives
#
# $$\mathbf{w}_\lambda = (\mathbf{H} + \lambda\mathbf{I})^{-1} \frac{1}{n} \mathbf{X}^\top \mathbf{y}, \qquad
#   \mathbf{H} = \frac{1}{n} \mathbf{X}^\top\mathbf{X} \quad (d, d),$$
#
# which Hoerl and Kennard (1970) named *ridge regression*. $\mathbf{H}$ is the matrix of second derivatives of
# $L$; for $d > n$ it has no inverse, but $\mathbf{H} + \lambda\mathbf{I}$ always has one, because each of its
# eigenvalues is at least $\lambda$.
#
# **Shrinkage along eigenvectors.** Let $\mathbf{v}$ be an eigenvector of $\mathbf{H}$ of length one and $h$ its
# eigenvalue. Multiply $(\mathbf{H} + \lambda\mathbf{I}) \mathbf{w}_\lambda = \frac{1}{n}\mathbf{X}^\top\mathbf{y}$
# by $\mathbf{v}^\top$ from the left: $(h + \lambda)\, \mathbf{v}^\top\mathbf{w}_\lambda = \frac{1}{n}\mathbf{v}^\top
# \mathbf{X}^\top\mathbf{y}$. The right-hand side does not depend on $\lambda$. Without penalty it equals $h\,
# \mathbf{v}^\top\mathbf{w}_0$, so
#
# $$\mathbf{v}^\top \mathbf{w}_\lambda = \frac{h}{h + \lambda}\; \mathbf{v}^\top \mathbf{w}_0 .$$
#
# Directions with $h \gg \lambda$ are kept and those with $h \ll \lambda$ given up. The sum of these shares over all
# eigenvalues, $\sum_i h_i / (h_i + \lambda)$, counts how many weights the data may still choose: the *effective
# number of parameters*, which falls from the rank of $\mathbf{X}$ to zero as $\lambda$ grows.
#
# **Where $\lambda$ comes from.** Suppose we believe, before we have seen any data, that each weight is drawn from a
# normal law with mean zero and variance $\tau^2$, and that the measurements carry normal noise of variance
# $\sigma^2$. By Bayes' rule the logarithm of the probability of $\mathbf{w}$ given the data is
#
# $$-\frac{1}{2\sigma^2} \lVert \mathbf{X}\mathbf{w} - \mathbf{y} \rVert^2
#   - \frac{1}{2\tau^2} \lVert \mathbf{w} \rVert^2 + \text{const}
#   = -\frac{n}{\sigma^2} \Big( L(\mathbf{w}) + \frac{1}{2} \frac{\sigma^2}{n \tau^2} \lVert \mathbf{w} \rVert^2 \Big)
#   + \text{const}.$$
#
# The most probable weights are those of ridge regression with $\lambda = \sigma^2 / (n\tau^2)$. The penalty should
# be heavy if the measurements are noisy, few, or explained by small weights; with more data it fades.

# %% [markdown]
# ## From scratch
#
# The data imitate our patients: 20 examples for training, 100 for validation, 200 standard normal features. All true
# weights are 0.01, the bias is 0.05 and the noise has a standard deviation of 0.01.

# %%
NUM_INPUTS, NUM_TRAIN, NUM_VAL = 200, 20, 100
TRUE_WEIGHT, TRUE_BIAS = 0.01, 0.05
STRENGTH, LEARNING_RATE = 3.0, 0.01


def patients(scale, seed):
    """20 + 100 examples with 200 features, in batches of 5; the same at every scale."""
    X, y = linear_data([TRUE_WEIGHT] * NUM_INPUTS, TRUE_BIAS, NUM_TRAIN + NUM_VAL, seed=seed)  # (120, 200), (120, 1)
    return loaders(((X[:NUM_TRAIN], y[:NUM_TRAIN]), (X[NUM_TRAIN:], y[NUM_TRAIN:])), seed, batch_size=5)


# %% [markdown]
# The model is the one of [linear regression](linear_regression.py). It now hands out the penalty next to the
# predictions, but only in training: the penalty is a means of finding weights, not a measure of how good they are,
# and has no business in the validation loss.


# %%
def l2_penalty(weight):
    """Half the sum of squares, a 0-d tensor; its gradient is the weight itself."""
    return 0.5 * xp.sum(weight * weight)  # (d, 1) -> ()


class PenalisedRegressionScratch(LinearRegressionScratch):
    """A weighted sum (n, d) to (n, 1) that also returns its penalty, which is zero in evaluation."""

    def __init__(self, num_inputs, strength):
        super().__init__(num_inputs)
        self.strength = strength

    def forward(self, X):
        """Predictions (n, 1) and penalty ()."""
        strength = self.strength if self.training else 0.0
        return super().forward(X), strength * l2_penalty(self.weight)


def half_squared_error(y_hat, y):
    """L of the text: half the mean of the squared residuals."""
    return 0.5 * squared_error(y_hat, y)


def penalised_loss(output, y):
    """J of the text for what `PenalisedRegressionScratch` returns."""
    y_hat, penalty = output
    return half_squared_error(y_hat, y) + penalty


# %% [markdown]
# Is the gradient of the penalised loss what the text says, that of $L$ plus $\lambda\mathbf{w}$ for the weight, and
# unchanged for the bias?


# %%
def gradient_by_hand(X, y, weight, bias, strength):
    """Gradients of J: of the weight (d, 1) and the bias (1,)."""
    residual = xp.matmul(X, weight) + bias - y  # (n, 1)
    n = X.shape[0]
    return {
        "weight": xp.matmul(xp.matrix_transpose(X), residual) / n + strength * weight,  # (d, n) @ (n, 1) -> (d, 1)
        "bias": xp.mean(residual, axis=0),  # (n, 1) -> (1,)
    }


# %%
if __name__ == "__main__":
    X, y = next(iter(patients("standard", seed=0).train.epoch(0)))  # (5, 200), (5, 1)
    model = PenalisedRegressionScratch(NUM_INPUTS, strength=STRENGTH).initialise(seed=0)
    model.train()
    _, automatic = value_and_grad(lambda X, y: penalised_loss(model(X), y), model)(X, y)
    by_hand = gradient_by_hand(X, y, model.weight, model.bias, strength=STRENGTH)
    gaps = [np.abs(xp.to_numpy(by_hand[path]) - xp.to_numpy(automatic[path])).max() for path in by_hand]
    report(gradient_gap=max(gaps))

# %% [markdown]
# ## Concise
#
# Every optimiser of the library takes `weight_decay`, the $\lambda$ of the text, and adds $\lambda$ times the
# parameter to its gradient; the loss stays as it was. It would do so for the bias as well. A `Group` gives some
# parameters settings of their own, and `biases_and_norms` picks those with fewer than two axes. The job `none` is
# the same run without decay. All three have batches of 5, a learning rate of 0.01 and ten epochs, forty steps.

# %%
EPOCHS = {"smoke": 10, "standard": 10, "full": 10}


def decaying_sgd(model, strength=STRENGTH, lr=LEARNING_RATE):
    """SGD whose weight decay spares the biases."""
    spared = optim.Group(optim.biases_and_norms, weight_decay=0.0)
    return optim.SGD(model, lr=lr, weight_decay=strength, groups=[spared])


def small_linear():
    """One weighted sum that starts as in the scratch version."""
    return nn.Linear(1, weight_init=nn.initialisers.Normal(0.01))


jobs = {
    "none": Job(
        model=small_linear,
        data=patients,
        loss=half_squared_error,
        optimiser=lambda model: optim.SGD(model, lr=LEARNING_RATE),
        epochs=EPOCHS,
    ),
    "scratch": Job(
        model=lambda: PenalisedRegressionScratch(NUM_INPUTS, strength=STRENGTH),
        data=patients,
        loss=penalised_loss,
        optimiser=lambda model: GradientDescent(model, lr=LEARNING_RATE),
        epochs=EPOCHS,
    ),
    "concise": Job(model=small_linear, data=patients, loss=half_squared_error, optimiser=decaying_sgd, epochs=EPOCHS),
}

# %%
if __name__ == "__main__":
    runs = {name: job.run(scale()) for name, job in jobs.items()}
    for name, run in runs.items():
        loss, val_loss = run.history.final("loss"), run.history.final("val_loss")
        print(f"{name:>8}: loss {loss:.5f}, val_loss {val_loss:.5f}")
    ours, theirs = (runs[name].model.state_dict()["weight"].ravel() for name in ("scratch", "concise"))
    report(gap=np.abs(ours - theirs).max())

# %% [markdown]
# The loss of the scratch version contains the penalty, so it is larger, but the weights of the two agree after
# forty steps but for rounding. The recorded runs at full scale:

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("weight-decay"))

# %% [markdown]
# Over the seeds 0, 1 and 2 the run without decay ends with a mean training loss of
# 0.00003<!--none.loss mean--> and a mean validation loss of 0.0187<!--none.val_loss mean-->; with $\lambda = 3$ the
# validation loss is 0.0116<!--concise.val_loss mean-->. Hold both against a model that knows nothing. The targets
# have the variance $200 \cdot 0.01^2 + 0.01^2 = 0.0201$ and the mean 0.05, so that answering 0 to everything costs
# $\frac{1}{2}(0.0201 + 0.05^2) = 0.0113$ on average. The run without decay, for all its nearly perfect training
# loss, is clearly worse than that, and the one with decay is no better.
#
# **What happened?** Each gradient of $L$ is a sum of rows of $\mathbf{X}$. Twenty rows span at most 20 of the 200
# dimensions; in the other 180, the *null space* of $\mathbf{X}$, the data move nothing at all. What stood there at
# the start stands there in the end, and for a new patient, whose values have a share in those directions, it is
# pure noise. The initial weights had a standard deviation of 0.01, which is as large as the true weights. So in 180
# dimensions the error is that of two independent vectors, half of $180 \cdot (0.01^2 + 0.01^2)$, or 0.018, and
# this is most of what we saw. With decay each step multiplies the part in the null space by
# $1 - 0.01 \cdot 3 = 0.97$ and nothing else touches it, so that $0.97^{40} = 0.296$ of it must be left, whatever the
# data are. Let us look.


# %%
def split_by_rows(w, X):
    """Parts of w (d,) in the span of the rows of X (n, d) and orthogonal to it, both (d,), on the host."""
    _, _, right = np.linalg.svd(X, full_matrices=False)  # (n, d)
    seen = right.T @ (right @ w)  # (d, n) @ ((n, d) @ (d,)) -> (d,)
    return seen, w - seen


def unseen_share(run, seed=0):
    """Length of the part of the final weights that the data cannot see, relative to its length at the start."""
    X = run.data.train.arrays[0]
    start = PenalisedRegressionScratch(NUM_INPUTS, 0.0).initialise(seed=seed).state_dict()["weight"].ravel()
    end = run.model.state_dict()["weight"].ravel()
    return np.linalg.norm(split_by_rows(end, X)[1]) / np.linalg.norm(split_by_rows(start, X)[1])


# %%
if __name__ == "__main__":
    report(unseen_without=unseen_share(runs["none"]), unseen_with=unseen_share(runs["concise"]))

# %% [markdown]
# The shares are 1.000<!--lesson.unseen_without--> and 0.296<!--lesson.unseen_with-->, as forecast to the last
# digit. In this experiment, then, decay helps chiefly because it forgets the start. To begin at zero would do
# slightly better: twenty examples cannot tell 200 weights, and no preference that treats all directions alike puts
# into them what is not there (exercise 6 finds one that does). The experiment shows *what decay does*. That it pays
# must be shown on measurements.
#
# ## A curve for the wing
#
# In linear regression a weighted sum of five features predicted the noise of a wing with a squared error of 0.508 of
# the variance, after 1,000 measurements. Real tunnels are expensive. Let us take only 100 measurements, and instead
# of five features all products of up to three of them, such as frequency times thickness squared: 55 columns. Ridge
# regression is computed twice, by solving the equations of the text and, for many $\lambda$ at once, from the
# *singular value decomposition* $\mathbf{X} = \mathbf{U}\,\mathrm{diag}(\mathbf{s})\,\mathbf{V}^\top$ with the shapes
# $(n, r)$, $(r, r)$ and $(r, d)$ and $r = \min(n, d)$ singular values $s_i$: the columns of $\mathbf{V}$ are the
# eigenvectors of $\mathbf{H}$, with eigenvalues $h_i = s_i^2 / n$, and
#
# $$\mathbf{w}_\lambda = \mathbf{V}\, \mathrm{diag}\Big(\frac{s_i}{s_i^2 + n\lambda}\Big)\,
#   \mathbf{U}^\top \mathbf{y}.$$


# %%
def ridge(X, y, strength):
    """The minimiser (d, 1) of J for centred X (n, d) and y (n, 1), by solving the equations."""
    n, d = X.shape
    H = xp.matmul(xp.matrix_transpose(X), X) / n  # (d, n) @ (n, d) -> (d, d)
    right = xp.matmul(xp.matrix_transpose(X), y) / n  # (d, n) @ (n, 1) -> (d, 1)
    return xp.linalg.solve(H + strength * xp.eye(d), right)  # (d, d), (d, 1) -> (d, 1)


def ridge_path(X, y, strengths):
    """Minimisers for several strengths as columns (d, len(strengths)), and the effective numbers of parameters."""
    n = X.shape[0]
    U, s, Vt = xp.linalg.svd(X, full_matrices=False)  # (n, r), (r,), (r, d)
    s = xp.expand_dims(s, axis=1)  # (r,) -> (r, 1)
    against = s * s + n * xp.expand_dims(strengths, axis=0)  # (r, 1) + (1, m) -> (r, m)
    shares = s * xp.matmul(xp.matrix_transpose(U), y) / against  # (r, 1) / (r, m) -> (r, m)
    weights = xp.matmul(xp.matrix_transpose(Vt), shares)  # (d, r) @ (r, m) -> (d, m)
    return weights, xp.sum(s * s / against, axis=0)  # (d, m), (m,)


def products(X, degree=3):
    """All products of one to `degree` columns of X (n, d), with repetition."""
    chosen = (itertools.combinations_with_replacement(range(X.shape[1]), k) for k in range(1, degree + 1))
    return np.stack([X[:, list(c)].prod(axis=1) for c in itertools.chain(*chosen)], axis=1)


def wing_curves(seed=0, num_train=100, degree=3):
    """Training, choice and test pairs of the airfoil: centred by the training part; 100, 400 and 503 examples."""
    (X, y), (X_test, y_test) = airfoil_arrays(permutation(1503, seed, "airfoil"))  # (1000, 5), (503, 5)
    X, X_test = products(X, degree), products(X_test, degree)  # (1000, 55), (503, 55)
    train_X, train_y = X[:num_train], y[:num_train]
    shifted = [(train_X, train_y), (X[600:], y[600:]), (X_test, y_test)]
    return [(standardise(train_X, X), y - train_y.mean()) for X, y in shifted]


def error(w, X, y):
    """Mean squared error of the weights in each column of w (d, m): (m,)."""
    return xp.mean(xp.square(xp.matmul(X, w) - y), axis=0)  # (n, m) -> (m,)


# %%
if __name__ == "__main__":
    strengths = np.logspace(-4, 2, 61)
    curves = wing_curves()
    train, choice, test = [(xp.asarray(X), xp.asarray(y)) for X, y in curves]
    weights, freedom = ridge_path(*train, xp.asarray(strengths))  # (55, 61), (61,)
    solved = ridge(*train, strengths[20])
    report(path_gap=np.abs(xp.to_numpy(solved)[:, 0] - xp.to_numpy(weights)[:, 20]).max())
    errors = {
        name: xp.to_numpy(error(weights, *part))
        for name, part in zip(("train", "choice", "test"), (train, choice, test), strict=True)
    }
    best = int(np.argmin(errors["choice"]))
    plain = np.linalg.lstsq(*curves[0], rcond=None)[0]  # (55, 1)
    report(
        cubic_plain=np.mean((curves[2][0] @ plain - curves[2][1]) ** 2),
        cubic_plain_train=np.mean((curves[0][0] @ plain - curves[0][1]) ** 2),
        cubic_best=errors["test"][best],
        cubic_best_train=errors["train"][best],
        strength=strengths[best],
        freedom=xp.to_numpy(freedom)[best],
    )


# %%
@house_style
def plot_ridge(strengths, errors, freedom, weights):
    """Errors, effective parameters and single weights against the strength of the penalty."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3))
    for name, style in (("train", ":"), ("choice", "--"), ("test", "-")):
        left.loglog(strengths, errors[name], style, label=name)
    left.axhline(1.0, color=INK, linewidth=0.7)
    left.set(xlabel=r"strength $\lambda$", ylabel="mean squared error")
    left.legend(fontsize=8, loc="lower right")
    for row in weights[:: max(1, len(weights) // 11)]:
        right.semilogx(strengths, row, linewidth=1)
    right.set(xlabel=r"strength $\lambda$", ylabel="some of the weights")
    count = right.twinx()
    count.semilogx(strengths, freedom, "--", color=INK)
    count.set_ylabel("effective parameters (dashed)")
    return figure


# %%
if __name__ == "__main__":
    plot_ridge(strengths, errors, xp.to_numpy(freedom), xp.to_numpy(weights))

# %% [markdown]
# The strength was chosen on 400 measurements that served neither for training nor for the final test; had we taken
# the minimum of the test curve, its height would be a little too good to be true. Without penalty the 55 weights
# leave a training error of 0.105<!--lesson.cubic_plain_train--> and a test error of 0.830<!--lesson.cubic_plain-->:
# hardly better than answering the mean, which costs 1. With $\lambda =$ 0.016<!--lesson.strength--> the training
# error *rises* to 0.170<!--lesson.cubic_best_train--> and the test error falls to 0.373<!--lesson.cubic_best-->. This
# is better than the straight line managed with ten times as many measurements. Of 55 parameters
# 36<!--lesson.freedom--> are left in effect. On the right, the weights at small $\lambda$ are large, of both signs,
# and cancel each other; a little penalty calms them down. Far to the right all curves meet again, on the line of the
# mean.
#
# The advantage depends on the sample. Two other splits with the same number of measurements gave the unpenalised
# cubic a test error of 8.6<!--lesson.without_1--> and 6.0<!--lesson.without_2--> (a handful of strange wings make up
# more than half of either), while ridge regression came to 0.52<!--lesson.chosen_1--> and 0.41<!--lesson.chosen_2-->.


# %%
def test_errors(seed):
    """Errors on the test part without penalty and with the strength that the choice part prefers."""
    strengths = np.logspace(-4, 2, 61)
    parts = wing_curves(seed)
    train, choice, test = [(xp.asarray(X), xp.asarray(y)) for X, y in parts]
    weights, _ = ridge_path(*train, xp.asarray(strengths))  # (55, 61)
    best = int(np.argmin(xp.to_numpy(error(weights, *choice))))
    plain = np.linalg.lstsq(*parts[0], rcond=None)[0]  # (55, 1)
    X, y = parts[2]
    return float(np.mean((X @ plain - y) ** 2)), float(xp.to_numpy(error(weights, *test))[best])


# %%
if __name__ == "__main__":
    for seed in (1, 2):
        without, chosen = test_errors(seed)
        report(**{f"without_{seed}": without, f"chosen_{seed}": chosen})

# %% [markdown]
# ## What goes wrong
#
# **The bias decays too.** Suppose we leave the noise in decibels, about 125 of them, append a column of ones to the
# features and penalise all six weights alike. The level itself is now pulled towards silence.


# %%
def biased_level(strength, seed=0, num_train=100):
    """Mean of the predicted and of the measured level in dB on the test part, if the bias is penalised as well."""
    (X, _), (X_test, _) = airfoil_arrays(permutation(1503, seed, "airfoil"))  # (1000, 5), (503, 5)
    level = load_airfoil()[1][permutation(1503, seed, "airfoil")][:, None]  # (1503, 1)
    train, test = (xp.asarray(with_ones(part)) for part in (X[:num_train], X_test))  # (100, 6), (503, 6)
    w = ridge(train, xp.asarray(level[:num_train]), strength)  # (6, 1)
    return float(xp.to_numpy(xp.mean(xp.matmul(test, w)))), float(level[1000:].mean())


# %%
if __name__ == "__main__":
    predicted, measured = biased_level(strength=0.1)
    report(level_predicted=predicted, level_measured=measured)


# %% [markdown]
# With $\lambda = 0.1$ the predictions of the test part average 112.2<!--lesson.level_predicted--> dB where
# 124.8<!--lesson.level_measured--> were measured, wrong by a factor of about $1 / 1.1$: the column of ones has the
# steepness $h = 1$, and $h / (h + \lambda)$ survives. Nothing looks broken; every prediction is simply too quiet.
#
# **Units.** The penalty compares weights, and weights have units. Take the five standardised features and measure
# the frequency in a unit that is thirty times as small, so that its numbers are thirty times as large, and then in
# one thirty times as large. Least squares gives the same predictions each time. Ridge regression does not.


# %%
def with_unit(factor, strength, seed=0, num_train=100):
    """Test error of ridge regression on the five features if the frequency is given in a unit 1 / `factor` as large."""
    (X, y), (X_test, y_test) = airfoil_arrays(permutation(1503, seed, "airfoil"))
    unit = np.array([factor, 1.0, 1.0, 1.0, 1.0])
    middle, level = X[:num_train].mean(axis=0), y[:num_train].mean()
    w = ridge(xp.asarray((X[:num_train] - middle) * unit), xp.asarray(y[:num_train] - level), strength)  # (5, 1)
    return float(xp.to_numpy(error(w, xp.asarray((X_test - middle) * unit), xp.asarray(y_test - level)))[0])


# %%
if __name__ == "__main__":
    report(
        **{
            f"unit_{name}": with_unit(factor, 0.1)
            for name, factor in (("small", 30.0), ("one", 1.0), ("large", 1 / 30))
        }
    )

# %% [markdown]
# The test errors are 0.550<!--lesson.unit_small-->, 0.551<!--lesson.unit_one--> and 0.819<!--lesson.unit_large-->.
# In the large unit the frequency has small numbers, needs a large weight, and the penalty forbids it: the most
# important feature is lost. Features must be brought to one scale before their weights are compared.
#
# **Decay has a learning rate of its own.** The factor $1 - \eta\lambda$ must lie between $-1$ and 1, so
# $\eta\lambda$ must stay below 2, however harmless the data are. With $\lambda = 300$ the factor is $-2$.

# %%
if __name__ == "__main__":
    try:
        model = small_linear()
        Trainer(60).fit(
            model,
            patients("standard", 0),
            loss=half_squared_error,
            optimiser=lambda model: decaying_sgd(model, strength=300.0),
        )
    except TrainingDiverged as problem:
        print(problem)

# %% [markdown]
# ## A penalty or a decay?
#
# Up to here, adding a penalty to the loss and multiplying the weights were the same thing. For optimisers that divide
# the gradient by its size they are not. Adam (Kingma and Ba, 2015) divides a running mean of the gradient by the root
# $\sqrt{v}$ of a running mean of its square. If the gradient contains $\lambda w$, then that term is divided as well:
# a weight whose gradients are large hardly decays, and one whose gradients are small decays fast. Loshchilov and
# Hutter (2019) therefore *decouple* the two: first Adam's step with the gradient of the loss alone, then $w
# \leftarrow w - \eta\lambda w$, the same factor for all. This is AdamW as the libraries have it; in the paper the
# learning rate stands before Adam's step only, and a schedule before both.
#
# To see the decay alone we take weights that no data need. They begin at 1, and their gradients are pure noise of
# deviation $s$, with $s = 4$, 1 and $\frac{1}{4}$; 1,000 weights of each kind, so that we can watch the mean. For
# AdamW the forecast after $t$ steps is $(1 - \eta\lambda)^t$ for all three. For Adam, $\sqrt{v} \approx s$ as
# long as the noise is larger than $\lambda w$, and the decay in each step is $\eta\lambda w / s$, which gives
# $(1 - \eta\lambda / s)^t$. With $\eta = \lambda = 0.05$ and $t = 400$ that is 0.37 for AdamW, and 0.78, 0.37 and
# 0.018 for Adam.


# %%
class Idle(nn.Module):
    """Weights (rows, count) that all start at one; nothing needs them."""

    def __init__(self, rows, count):
        super().__init__()
        self.weight = nn.Parameter((rows, count), nn.initialisers.Constant(1.0))


def mean_weights(make_optimiser, noises=(4.0, 1.0, 0.25), count=1000, steps=400):
    """Mean weight of each row after each step (steps, rows), where row j gets pure noise of deviation noises[j]."""
    model = Idle(len(noises), count).initialise(seed=0)
    optimiser = make_optimiser(model)
    deviations = np.array(noises)[:, None]  # (rows,) -> (rows, 1)
    means = []
    for step in range(steps):
        gradient = deviations * random.normal((len(noises), count), "weight_decay", "idle", step)
        optimiser.update({"weight": xp.asarray(gradient)})
        means.append(xp.to_numpy(xp.mean(model.weight, axis=1)))  # (rows, count) -> (rows,)
    return np.stack(means)


# %%
if __name__ == "__main__":
    steps = 40 if scale() == "smoke" else 400
    setting = {"lr": 0.05, "weight_decay": 0.05}
    coupled = mean_weights(lambda model: optim.Adam(model, **setting), steps=steps)
    decoupled = mean_weights(lambda model: optim.AdamW(model, **setting), steps=steps)
    for name, course in (("coupled", coupled), ("decoupled", decoupled)):
        report(**{f"{name}_{kind}": value for kind, value in zip(("loud", "middle", "quiet"), course[-1], strict=True)})


# %%
@house_style
def plot_decoupled(coupled, decoupled, noises=(4.0, 1.0, 0.25)):
    """Mean weights by step for a penalty in Adam's gradient and for decoupled decay."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8.4, 3), sharey=True)
    for axes, course, title in zip(panels, (coupled, decoupled), ("penalty (Adam)", "decay (AdamW)"), strict=True):
        for column, noise, style in zip(course.T, noises, ("-", "--", ":"), strict=True):
            axes.plot(column, style, label=f"$s = {noise:g}$")
        axes.axhline(0, color=INK, linewidth=0.7)
        axes.set(xlabel="step", title=title)
    panels[0].set_ylabel("mean weight")
    panels[0].legend(fontsize=8)
    return figure


# %%
if __name__ == "__main__":
    plot_decoupled(coupled, decoupled)

# %% [markdown]
# With the penalty the means end at 0.79<!--lesson.coupled_loud-->, 0.37<!--lesson.coupled_middle--> and
# −0.01<!--lesson.coupled_quiet-->; with decoupled decay at 0.38<!--lesson.decoupled_loud-->,
# 0.37<!--lesson.decoupled_middle--> and 0.34<!--lesson.decoupled_quiet-->. The means still carry some noise, since a
# single weight wanders by about $\eta\sqrt{t} = 1$ in 400 steps and the mean of a thousand by 0.03; both forecasts
# are met within it. The layers of one network may have gradients of very different size, and then one number
# $\lambda$ has no common meaning as a penalty in Adam.
#
# ## Under the surface
#
# The word `weight_decay` stands for different things. In PyTorch's `SGD` and `Adam` it is a penalty, $\lambda w$
# added to the gradient, with the factor $\frac{1}{2}$ of our formula; `AdamW` decouples. Every optimiser of Keras 3
# has an argument `weight_decay`, and there it is always decoupled: the variable is diminished by $\eta\lambda w$.
# The penalty in Keras is a matter of the layer, `kernel_regularizer=L2(c)`, which adds $c \lVert w \rVert^2$
# *without* the half, so that $c = \lambda / 2$ gives our run. Optax builds an optimiser as a chain of
# transformations, and it depends on the place in the chain: `add_decayed_weights` before `scale_by_adam` is a
# penalty, behind it the decay is decoupled, which is what `optax.adamw` does. Gluon's `Trainer` takes `wd`, a
# penalty for plain SGD and Adam.
#
# The bias is spared in different ways as well. PyTorch decays all that it is handed unless one makes groups of
# parameters; Optax takes a `mask`, Keras a list by `exclude_from_weight_decay`, and in Gluon each parameter has a
# `wd_mult`. None of them spares it unasked. The default strengths of AdamW differ too: 0.01 in PyTorch, 0.004 in
# Keras and 0.0001 in Optax. In this course one class walks over the parameters, adds or multiplies, and then calls
# the rule; the same numbers come out everywhere. Between the backends only rounding remains.
#
# ## Summary
#
# A penalty of $\frac{\lambda}{2} \lVert \mathbf{w} \rVert^2$ multiplies the weights by $1 - \eta\lambda$ in
# each step of gradient descent. Its minimiser keeps the share $h / (h + \lambda)$ of each eigenvector of the matrix
# of second derivatives: steep directions stay, flat ones go, and what the data cannot see decays to nothing. Chosen
# on data of its own, $\lambda$ makes a model with more parameters than the data can bear useful. Biases should be
# spared, features brought to one scale, and in optimisers that rescale gradients a penalty and a decay are two
# different things.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise weight-decay` writes a stub to fill in, `d2l check
# FILE` examines it on every installed backend. Solutions to all are in `weight_decay_solutions.py`.
#
# 1. ★ *Zeros.* Replace the penalty by $\lambda \sum_j |w_j|$, the *lasso* of Tibshirani (1996). A step of descent
#    on the loss is then followed by moving each weight by $\eta\lambda$ towards zero, but not beyond it. Write
#    `lasso_step(X, y, w, lr, strength)`. Why do some weights become exactly zero, which weight decay never achieves?
# 2. ★ *How many parameters?* Write `effective_parameters(X, strength)`, the sum of $h_i / (h_i + \lambda)$ over the
#    eigenvalues $h_i$ of $\frac{1}{n} \mathbf{X}^\top\mathbf{X}$. It must also be right for $d > n$ and for
#    $\lambda = 0$, where it is the rank of $\mathbf{X}$.
# 3. *Invented patients.* Show that ridge regression is ordinary least squares on $d$ additional examples: rows
#    $\sqrt{n\lambda}\, \mathbf{I}$ with targets zero. What do they say about the weights? Check it on the wing.
# 4. *Stopping early.* Descent that begins at zero has, after $t$ steps, the share $1 - (1 - \eta h)^t$ of each
#    eigenvector. Compare it with $h / (h + \lambda)$ for $\lambda = 1 / (\eta t)$, and compare the test errors of the
#    two on the cubic features of the wing.
# 5. *Momentum.* With momentum $\beta$, is a penalty still the same as a decoupled decay? Which decoupled strength
#    gives about the same decay in the long run?
# 6. *A better preference.* In our synthetic data all weights are equal. Prefer weights that are close to *each other*
#    instead of close to zero, without saying to which value. How small does the validation loss become?
#
# ## References
#
# - A. E. Hoerl and R. W. Kennard (1970), *Ridge Regression: Biased Estimation for Nonorthogonal Problems*,
#   Technometrics 12.
# - A. N. Tikhonov (1963), *Solution of Incorrectly Formulated Problems and the Regularization Method*, Soviet
#   Mathematics Doklady 4.
# - A. Krogh and J. A. Hertz (1992), *A Simple Weight Decay Can Improve Generalization*, Advances in Neural Information
#   Processing Systems 4.
# - R. Tibshirani (1996), *Regression Shrinkage and Selection via the Lasso*, Journal of the Royal Statistical Society
#   B 58.
# - D. P. Kingma and J. Ba (2015), *Adam: A Method for Stochastic Optimization*, ICLR.
# - I. Loshchilov and F. Hutter (2019), *Decoupled Weight Decay Regularization*, ICLR.
