# /// lesson
# name = "linear-regression"
# title = "Linear regression"
# sections = ["3.4", "3.5"]
# needs = ["least-squares"]
# data = ["synthetic", "airfoil"]
# main = "airfoil"
# [time]
# smoke = "1 s"
# standard = "2 s"
# full = "2 s"
# [promises]
# standard = ["airfoil: val_loss <= 0.55"]
# full = [
#   "scratch: val_loss <= 0.0461", "concise: val_loss <= 0.0156", "airfoil: val_loss <= 0.55", "lesson: gap <= 1e-3",
# ]
# ///

# %% [markdown]
# # Linear regression
#
# How loud will a wing be? An engineer who draws a blade for a wind turbine knows how fast the air will pass,
# at which angle it meets the blade and how long the blade's section is. She would like to know the noise in
# decibels before anybody casts a mould. In a wind tunnel of NASA 1,503 such cases were measured. We shall
# predict the noise from five numbers for each case, with the simplest model that learns anything: a weighted
# sum.
#
# The model is simple enough to understand completely. We can say in advance how many steps it needs, which
# learning rate breaks it, and how far it ends from the best possible answer, and then compare each forecast
# with what the computer did. The loop that trains it is the loop that trains every network of this course.

# %%
import numpy as np
from d2l_chapters.linear_regression.least_squares import with_ones

from d2l_core import nn, optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import AIRFOIL_FEATURES, Loader, load_airfoil
from d2l_core.data.synthetic import linear_data
from d2l_core.errors import TrainingDiverged
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import squared_error
from d2l_core.plots import INK, house_style
from d2l_core.random import permutation
from d2l_core.training import Data, Trainer

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## The idea
#
# Each input, called a *feature*, is multiplied by a *weight* that says how much and in which direction it
# counts. The products are added up, and a *bias* shifts the sum, so that the prediction need not be zero when
# all features are. Learning means to choose weights and bias such that the predictions lie close to what was
# measured. The distance between the two, drawn as a vertical bar on the right of the figure, is called the
# *residual*. One may read the left half as a neural network: it has an input layer, one output and nothing
# between.


# %%
@house_style
def plot_idea():
    """The model as a network, and a line with its residuals."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    heights = [3, 2, 1, 0]
    circle = {"boxstyle": "circle", "facecolor": "none", "edgecolor": INK}
    labels = ["$x_1$", "$x_2$", "$x_d$", "1"]
    weights = ["$w_1$", "$w_2$", "$w_d$", "$b$"]
    for y, label, weight in zip(heights, labels, weights, strict=True):
        left.annotate("", (2.72, 1.5), (0.28, y), arrowprops={"arrowstyle": "->", "color": INK})
        left.text(1.2, y + (1.5 - y) * 0.38 + 0.14, weight, ha="center", fontsize=11)
        left.text(0, y, label, ha="center", va="center", fontsize=12, bbox=circle)
    left.text(0, 1.5, "...", rotation=90, ha="center", va="center")
    left.text(3, 1.5, r"$\Sigma$", ha="center", va="center", fontsize=14, bbox=circle)
    left.annotate("", (4.0, 1.5), (3.28, 1.5), arrowprops={"arrowstyle": "->", "color": INK})
    left.text(4.2, 1.5, r"$\hat{y}$", ha="center", va="center", fontsize=13)
    left.set(xlim=(-0.5, 4.5), ylim=(-0.5, 3.5), title="a weighted sum")
    left.axis("off")
    x = np.linspace(0.3, 3.7, 8)
    noise = np.array([0.5, -0.4, 0.2, 0.6, -0.7, 0.3, -0.5, 0.4])
    line = 0.5 + 0.8 * x
    right.plot(x, line, color="C0", label=r"prediction $\hat{y} = wx + b$")
    right.vlines(x, line, line + noise, color="C1", linestyle=":", label=r"residual $\hat{y} - y$")
    right.plot(x, line + noise, ".", color="C2", label="measured $y$")
    right.set(xlabel="$x$", ylabel="$y$", title="the best line has the least squared residuals")
    right.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{x} \in \mathbb{R}^d$ be the features of one example, $\mathbf{w} \in \mathbb{R}^d$ the weights
# and $b \in \mathbb{R}$ the bias. The prediction is $\hat{y} = \mathbf{w}^\top \mathbf{x} + b$. For $n$
# examples we write the features as the rows of a matrix $\mathbf{X}$ of shape $(n, d)$ and the weights as a
# column $(d, 1)$; then all predictions come from one product,
#
# $$\hat{\mathbf{y}} = \mathbf{X}\mathbf{w} + b, \qquad (n, d) \cdot (d, 1) \to (n, 1),$$
#
# where $b$ is added to each row.
#
# **Why squares?** Suppose that nature adds to a true linear law a normal error of variance $\sigma^2$,
# independently for each example. Then the density of observing $y$ at $\mathbf{x}$ is $p(y \mid \mathbf{x}) =
# (2\pi\sigma^2)^{-1/2} \exp\left(-(\hat{y} - y)^2 / 2\sigma^2\right)$. The weights under which the data are
# most probable are those with the smallest negative logarithm of the product of all $n$ densities,
#
# $$-\sum_{i=1}^n \log p(y_i \mid \mathbf{x}_i)
#   = \frac{n}{2} \log(2\pi\sigma^2) + \frac{1}{2\sigma^2} \sum_{i=1}^n (\hat{y}_i - y_i)^2 .$$
#
# The first term does not contain $\mathbf{w}$ or $b$ and the factor before the sum is positive, so the most
# probable weights are those that minimise the *mean squared error*
#
# $$L(\mathbf{w}, b) = \frac{1}{n} \sum_{i=1}^n (\hat{y}_i - y_i)^2 .$$
#
# **The gradient.** Write $\mathbf{r} = \mathbf{X}\mathbf{w} + b - \mathbf{y}$ for the residuals, shape $(n,
# 1)$. Changing $w_j$ changes $r_i$ at the rate $X_{ij}$, and the square $r_i^2$ at the rate $2 r_i X_{ij}$.
# Averaging over $i$,
#
# $$\frac{\partial L}{\partial \mathbf{w}} = \frac{2}{n} \mathbf{X}^\top \mathbf{r} \quad (d, 1), \qquad
#   \frac{\partial L}{\partial b} = \frac{2}{n} \sum_{i=1}^n r_i .$$
#
# **The descent.** We start with weights near zero and repeatedly move against the gradient, $\mathbf{w}
# \leftarrow \mathbf{w} - \eta\, \partial L / \partial \mathbf{w}$ and the same for $b$; the *learning rate*
# $\eta$ sets the length of the step. Instead of all $n$ examples each step uses a *minibatch* of 32 drawn at
# random. Its gradient has the right value on average and costs a fraction of the full one; this is
# *stochastic gradient descent* (Robbins and Monro, 1951).
#
# **How fast, and when does it break?** Append a column of ones to $\mathbf{X}$, call the result
# $\tilde{\mathbf{X}}$, and put $b$ below $\mathbf{w}$ to get one vector $\boldsymbol\theta$ of shape $(d + 1,
# 1)$. Let $\boldsymbol\theta^*$ be the minimiser. As $L$ is quadratic, its gradient is exactly
# $\mathbf{H}(\boldsymbol\theta - \boldsymbol\theta^*)$ with the constant matrix $\mathbf{H} = \frac{2}{n}
# \tilde{\mathbf{X}}^\top \tilde{\mathbf{X}}$ of shape $(d + 1, d + 1)$. A step with the full gradient
# therefore turns the error $\mathbf{e} = \boldsymbol\theta - \boldsymbol\theta^*$ into $(\mathbf{I} - \eta
# \mathbf{H})\mathbf{e}$. Along an eigenvector of $\mathbf{H}$ with eigenvalue $\lambda$ the error is
# multiplied by $1 - \eta\lambda$ each time. It shrinks only if $|1 - \eta\lambda| < 1$, that is
#
# $$\eta < \frac{2}{\lambda_{\max}},$$
#
# and the slowest direction is that of the smallest eigenvalue, with about $1 / (\eta \lambda_{\min})$ steps
# for a factor of $e$. Both numbers will be useful below.

# %% [markdown]
# ## From scratch
#
# The model holds two parameters. The weights start as small random numbers, the bias at zero; for this loss
# any start would do, because it has one valley only.


# %%
class LinearRegressionScratch(nn.Module):
    """A weighted sum of `num_inputs` features: (n, d) to (n, 1)."""

    def __init__(self, num_inputs, sigma=0.01):
        super().__init__()
        self.weight = nn.Parameter((num_inputs, 1), nn.initialisers.Normal(sigma))
        self.bias = nn.Parameter((1,), nn.initialisers.Constant(0.0))

    def forward(self, X):
        """Predictions for the rows of X."""
        return xp.matmul(X, self.weight) + self.bias  # (n, d) @ (d, 1) + (1,) -> (n, 1)


def mean_squared_error(y_hat, y):
    """Mean of the squared residuals, a 0-d tensor; both arguments (n, 1)."""
    residual = y_hat - y  # (n, 1)
    return xp.mean(residual * residual)  # (n, 1) -> ()


def gradient_by_hand(X, y, weight, bias):
    """The two formulas of the text: gradients of the weight (d, 1) and the bias (1,)."""
    residual = xp.matmul(X, weight) + bias - y  # (n, 1)
    n = X.shape[0]
    return {
        "weight": 2.0 / n * xp.matmul(xp.matrix_transpose(X), residual),  # (d, n) @ (n, 1) -> (d, 1)
        "bias": 2.0 / n * xp.sum(residual, axis=0),  # (n, 1) -> (1,)
    }


# %% [markdown]
# For data whose true law we know, we take $\mathbf{w} = (2, -3.4)$, $b = 4.2$, standard normal features and
# normal noise of standard deviation 0.01. A thousand examples serve for training and another thousand, which
# the model never trains on, for *validation*. The noise alone contributes $0.01^2 = 0.0001$ to the squared
# error, so no model can do better on average.

# %%
TRUE_WEIGHT, TRUE_BIAS = (2.0, -3.4), 4.2
BATCH_SIZE, LEARNING_RATE = 32, 0.03  # of all runs of this lesson


def loaders(arrays, seed, batch_size=BATCH_SIZE):
    """Shuffled training batches and all of the validation data at once, from two pairs (X, y)."""
    (X_train, y_train), (X_val, y_val) = arrays
    train = Loader((X_train, y_train), batch_size, shuffle=True, stream=(seed, "shuffle"))
    return Data(train, Loader((X_val, y_val), len(X_val)))


def synthetic(scale, seed, batch_size=BATCH_SIZE):
    """1000 + 1000 examples of the known law; the same at every scale."""
    X, y = linear_data(TRUE_WEIGHT, TRUE_BIAS, 2000, seed=seed)  # (2000, 2), (2000, 1)
    return loaders(((X[:1000], y[:1000]), (X[1000:], y[1000:])), seed, batch_size)


# %% [markdown]
# A gradient is easily derived wrongly. `value_and_grad` differentiates any function that is made of
# primitives, so we can compare our formulas with what it finds on the first minibatch.

# %%
if __name__ == "__main__":
    data = synthetic(shown, seed=0)
    X, y = next(iter(data.train.epoch(0)))  # (32, 2), (32, 1)
    model = LinearRegressionScratch(2).initialise(seed=0)
    value, automatic = value_and_grad(lambda X, y: mean_squared_error(model(X), y), model)(X, y)
    for path, ours in gradient_by_hand(X, y, model.weight, model.bias).items():
        print(f"{path}: by hand {xp.to_numpy(ours).ravel()}, automatic {xp.to_numpy(automatic[path]).ravel()}")

# %% [markdown]
# Now the training loop, complete and without any help: for each minibatch compute the loss and its gradient,
# then move each parameter against its gradient.


# %%
def train_by_hand(model, loader, lr, epochs):
    """Minimise the mean squared error by stochastic gradient descent; returns the loss of each step."""
    gradient_of = value_and_grad(lambda X, y: mean_squared_error(model(X), y), model)
    losses = []
    for epoch in range(epochs):
        for X, y in loader.epoch(epoch):  # (B, d), (B, 1)
            value, gradients = gradient_of(X, y)
            for path, parameter in model.parameters().items():
                parameter.value = parameter.value - lr * gradients[path]
            losses.append(float(xp.to_numpy(value)))
    return losses


# %%
if __name__ == "__main__":
    model = LinearRegressionScratch(2).initialise(seed=0)
    by_hand = train_by_hand(model, data.train, lr=LEARNING_RATE, epochs={"smoke": 1, "standard": 3}[shown])
    print(f"first step {by_hand[0]:.3f}, last step {by_hand[-1]:.6f}")
    print(f"w = {xp.to_numpy(model.weight).ravel()}, b = {xp.to_numpy(model.bias)}")

# %% [markdown]
# Let us hold our theory against these numbers. For independent standard normal features
# $\mathbf{H} \approx 2\mathbf{I}$, so with $\eta = 0.03$ each step multiplies the error by about
# $1 - 0.03 \cdot 2 = 0.94$. Three epochs of 32 steps give $0.94^{96} = 0.0026$; the largest error, 4.2 in the bias,
# should have shrunk to about 0.011. The part of the loss that we can still remove was $2^2 + 3.4^2 + 4.2^2 = 33.2$ at
# the start and should be about $0.94^{192} \cdot 33.2 = 0.00023$ at the end, next to the 0.0001 of the noise: 0.00033
# together. On NumPy with the seeds 0, 1 and 2 the validation losses were 0.00024<!--scratch.val_loss-->,
# 0.00036<!--scratch.val_loss seed=1--> and 0.00076<!--scratch.val_loss seed=2-->. The forecast has the right size;
# the spread comes from the minibatches and from the sample, whose $\mathbf{H}$ is not exactly $2\mathbf{I}$.
#
# In later lessons we shall not repeat the loop. The `Trainer` runs it for any model, data, loss and
# optimiser, and an optimiser is a *rule* for one parameter. Ours has one line.


# %%
class GradientDescent(optim.Optimiser):
    """Moves each parameter against its gradient."""

    def rule(self, parameter, gradient, lr, *slots):
        """The new value, in a tuple because other rules also return their memory."""
        return (parameter - lr * gradient,)


# %% [markdown]
# ## Concise
#
# The library has the same parts ready-made. `nn.Linear(1)` is the affine map with one output; it learns the
# number of its inputs from the first batch and stores its weight as (outputs, inputs), the transpose of ours.
# `squared_error` is the loss and `optim.SGD` the rule. We give the layer the same initial distribution. Since
# the random stream of a parameter is called by its path and the seed, `weight` receives the very same numbers
# in both models.

# %%
epochs = {"smoke": 1, "standard": 3, "full": 3}
jobs = {
    "scratch": Job(
        model=lambda: LinearRegressionScratch(2),
        data=synthetic,
        loss=mean_squared_error,
        optimiser=lambda model: GradientDescent(model, lr=LEARNING_RATE),
        epochs=epochs,
    ),
    "concise": Job(
        model=lambda: nn.Linear(1, weight_init=nn.initialisers.Normal(0.01)),
        data=synthetic,
        loss=squared_error,
        optimiser=lambda model: optim.SGD(model, lr=LEARNING_RATE),
        epochs=epochs,
    ),
}

# %% [markdown]
# Do the three agree, the loop by hand, our parts in the `Trainer`, and the library's parts? They see the same
# batches from the same start, so each single loss must be the same but for rounding.

# %%
if __name__ == "__main__":
    scratch, concise = jobs["scratch"].run(shown), jobs["concise"].run(shown)
    for name, losses in (("by hand", by_hand), ("concise", concise.history.losses)):
        gap = np.max(np.abs(np.subtract(losses, scratch.history.losses)))
        print(f"largest difference over 96 steps between scratch and {name}: {gap:.1e}")
    report(gap=gap)
    np.testing.assert_allclose(concise.history.losses, scratch.history.losses, rtol=1e-3, atol=1e-6)


# %% [markdown]
# A logarithmic axis shows what a linear one hides: a straight line, which is the geometric decay that the
# theory demands, until the noise of the data takes over.


# %%
@house_style
def plot_descent(losses):
    """Loss of each step against the forecast of the theory."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3))
    steps = np.arange(len(losses))
    start = sum(w * w for w in TRUE_WEIGHT) + TRUE_BIAS**2
    axes.semilogy(steps, losses, label="loss of the minibatch")
    axes.semilogy(steps, start * 0.94 ** (2 * steps) + 1e-4, "--", color="C1", label=r"$33.2 \cdot 0.94^{2t} + 0.0001$")
    axes.set(xlabel="step $t$", ylabel="mean squared error")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_descent(scratch.history.losses)

# %% [markdown]
# The table holds the recorded runs at full scale: each backend, with the mean and the spread over the seeds.

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("linear-regression"))

# %% [markdown]
# ## The noise of a wing
#
# Now the real measurements. Their features live on different scales: the frequency runs to 20,000 Hz, the
# boundary layer is a few millimetres thick. We *standardise*: subtract the mean of each column and divide by
# its standard deviation. The target, in decibels, is treated in the same way. Mean and deviation are taken
# from the training part only; statistics of the validation part would be knowledge that a real forecast does
# not have. The first thousand cases of a random order are for training, the remaining 503 for validation.


# %%
def standardise(reference, array):
    """`array` (m, d) shifted and scaled by the column means and deviations of `reference` (n, d)."""
    return (array - reference.mean(axis=0)) / reference.std(axis=0)


def airfoil_arrays(order, prepare=None, standard=True):
    """Training and validation pairs of the measurements in the given order: features (n, 5), target (n, 1).

    `prepare` changes the raw features first; with `standard` both are standardised by the training part.
    """
    X, y = load_airfoil()  # (1503, 5), (1503,)
    X, y = (X if prepare is None else prepare(X))[order], y[order][:, None]  # (1503, 5), (1503, 1)
    if standard:
        X, y = standardise(X[:1000], X), standardise(y[:1000], y)
    return (X[:1000], y[:1000]), (X[1000:], y[1000:])


def airfoil(scale, seed, prepare=None):
    """The measurements in a random order that depends on the seed; the same at every scale."""
    return loaders(airfoil_arrays(permutation(1503, seed, "airfoil"), prepare), seed)


jobs["airfoil"] = Job(
    model=lambda: nn.Linear(1, weight_init=nn.initialisers.Normal(0.01)),
    data=airfoil,
    loss=squared_error,
    optimiser=lambda model: optim.SGD(model, lr=LEARNING_RATE),
    epochs={"smoke": 2, "standard": 20, "full": 20},
)


def least_squares_loss(arrays):
    """Validation loss of the exact minimiser of the training loss, in float64 on the host."""
    (X_train, y_train), (X_val, y_val) = arrays
    theta = np.linalg.lstsq(with_ones(X_train), y_train, rcond=None)[0]  # (n, d + 1), (n, 1) -> (d + 1, 1)
    return float(np.mean((with_ones(X_val) @ theta - y_val) ** 2))  # (m, d + 1) @ (d + 1, 1) -> ()


@house_style
def plot_airfoil(run):
    """Predictions against measurements, and the learned weights."""
    import matplotlib.pyplot as plt

    X, y = next(iter(run.data.val.epoch(0)))
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2), width_ratios=(1, 1.2))
    left.plot(xp.to_numpy(y), xp.to_numpy(run.model(X)), ".", markersize=3)
    left.plot((-3, 2.5), (-3, 2.5), "--", color="C1", linewidth=1, label="perfect")
    left.set(xlabel="measured (standardised)", ylabel="predicted")
    left.legend()
    names = [name.split(" in ")[0] for name in AIRFOIL_FEATURES]
    right.barh([n.replace(" of the suction side", "") for n in names], xp.to_numpy(run.model.weight).ravel())
    right.axvline(0, color=INK, linewidth=0.8)
    right.set(xlabel="weight")
    right.invert_yaxis()
    return figure


# %%
if __name__ == "__main__":
    decibel = load_airfoil()[1].std()
    for seed in range(3):
        run = jobs["airfoil"].run(shown, seed)
        loss = run.history.final("val_loss")
        best = least_squares_loss(airfoil_arrays(permutation(1503, seed, "airfoil")))
        print(f"seed {seed}: val_loss {loss:.4f}")
        report(**{f"exact_{seed}": best, f"error_in_decibels_{seed}": loss**0.5 * decibel})
    report(decibels=decibel)

# %%
if __name__ == "__main__":
    plot_airfoil(run)

# %% [markdown]
# The validation loss after 20 epochs was 0.508<!--airfoil.val_loss-->, 0.506<!--airfoil.val_loss seed=1--> and
# 0.527<!--airfoil.val_loss seed=2--> for the seeds 0, 1 and 2, with the same three digits on every backend. A model
# that always predicts the mean has a loss near one, so about half of the variance is explained. The deviation of the
# noise levels is 6.9<!--lesson.decibels--> dB; what remains of it with seed 0 is 4.9<!--lesson.error_in_decibels_0-->
# dB. More training would not help: the exact least-squares solution, computed without any descent, comes to
# 0.503<!--lesson.exact_0-->, 0.507<!--lesson.exact_1--> and 0.525<!--lesson.exact_2-->. For seed 1 descent was even a
# little better than the exact solution, which is no contradiction, since that one is the best on the *training* part.
#
# The theory explains why 20 epochs suffice and three would not. The smallest eigenvalue of $\mathbf{H}$ is
# 0.34<!--lesson.smallest-->, because angle of attack and displacement thickness rise and fall together. In this
# direction the error shrinks by $1 - 0.03 \cdot 0.34 = 0.99$ in each step: to 0.37 of its size in 96 steps, to 0.0014
# in 640. The left figure shows a cloud flatter than the diagonal. This is not yet a fault: predictions that explain
# half of the variance must be spread less than the measurements, a fact which Galton (1886) found in the heights of
# parents and children and called regression; the method has its name from there. Whether a straight line is the wrong
# shape must be seen feature by feature, as in exercise 4.
#
# ## What goes wrong
#
# **A column against a row.** Let the targets have shape $(n,)$ while the predictions have $(n, 1)$. Subtracting them
# is no error: broadcasting ([Data manipulation](../preliminaries/data_manipulation.py)) stretches both to $(n, n)$
# and compares every prediction with every target. The loss that results is
#
# $$\frac{1}{n^2} \sum_{i,j} (\hat{y}_i - y_j)^2
#   = \frac{1}{n} \sum_i (\hat{y}_i - \bar{y})^2 + \operatorname{var}(y),$$
#
# because the mixed terms $\sum_j (y_j - \bar{y})$ vanish. It is smallest when every prediction is the mean
# $\bar{y}$: training runs smoothly, the loss falls, and the model learns to ignore its inputs.


# %%
def careless_error(y_hat, y):
    """The mean squared difference without a look at the shapes."""
    return xp.mean(xp.square(y_hat - y))


def forgetful(scale, seed):
    """The synthetic data with targets of shape (n,)."""
    data = synthetic(scale, seed)
    pairs = [(loader.arrays[0], loader.arrays[1][:, 0]) for loader in (data.train, data.val)]  # (n, 2), (n,)
    return loaders(pairs, seed)


def train(model, data, loss=squared_error, lr=LEARNING_RATE, epochs=3):
    """A model trained once with seed 0, and its history."""
    history = Trainer(epochs).fit(model, data, loss=loss, optimiser=lambda m: optim.SGD(m, lr=lr))
    return model, history


# %%
if __name__ == "__main__":
    data = forgetful(shown, seed=0)
    model, history = train(nn.Linear(1), data, loss=careless_error)
    y_train = data.train.arrays[1]
    report(forgetful_loss=history.final("val_loss"), variance_of_targets=y_train.var())
    print(f"w = {xp.to_numpy(model.weight).ravel()}, b = {xp.to_numpy(model.bias)}")
    print(f"mean of the targets {y_train.mean():.2f}")
    try:
        train(nn.Linear(1), data)
    except ValueError as error:
        print("squared_error says:", error)

# %% [markdown]
# The run ended at 15.9<!--lesson.forgetful_loss-->, just above the variance of the targets
# (15.6<!--lesson.variance_of_targets--> in the training part), with a bias near their mean and weights near zero,
# although weights of 2 and $-3.4$ would have brought the squared error down to 0.0001. No exception, no infinite
# value, a loss that fell: only a look at the shapes, or a loss that looks for us, finds this.
#
# **Raw features.** Without standardisation the squared frequency dominates $\mathbf{H}$.


# %%
def curvature(X):
    """Eigenvalues (d + 1,), in rising order, of the matrix H for features X (n, d)."""
    X = with_ones(X)  # (n, d) -> (n, d + 1)
    return np.linalg.eigvalsh(2.0 / len(X) * X.T @ X)  # (d + 1, n) @ (n, d + 1) -> (d + 1,)


# %%
if __name__ == "__main__":
    order = permutation(1503, 0, "airfoil")
    raw, scaled = airfoil_arrays(order, standard=False), airfoil_arrays(order)
    before, after = curvature(raw[0][0]), curvature(scaled[0][0])
    report(raw_smallest=before[0], raw_largest=before[-1], raw_limit=2 / before[-1])
    report(smallest=after[0], largest=after[-1], limit=2 / after[-1])
    try:
        train(nn.Linear(1), loaders(raw, seed=0))
    except TrainingDiverged as error:
        print(error)

# %% [markdown]
# With raw features the largest eigenvalue is $3.5 \cdot 10^7$<!--lesson.raw_largest-->, so the learning rate would
# have to stay below $5.7 \cdot 10^{-8}$<!--lesson.raw_limit-->. At 0.03 the error is multiplied by about a million in
# each step, and float32, which ends near $3.4 \cdot 10^{38}$, overflows within a few steps. A rate that is small
# enough is no way out: the smallest eigenvalue is 0.00014<!--lesson.raw_smallest-->, so in that direction a factor of
# $e$ would take more than $10^{11}$ steps. After standardising, the eigenvalues lie between
# 0.34<!--lesson.smallest--> and 4.2<!--lesson.largest-->, and any rate below 0.47<!--lesson.limit--> will do with the
# full gradient.
#
# **A split without shuffling.** The file lists one experiment after the other, each a sweep through the
# frequencies. If we simply take the first thousand rows for training, the validation set consists of other
# wings under other conditions.

# %%
if __name__ == "__main__":
    for name, order in (("random", permutation(1503, 0, "airfoil")), ("file", np.arange(1503))):
        _, history = train(nn.Linear(1), loaders(airfoil_arrays(order), seed=0), epochs=20)
        report(**{f"{name}_order_loss": history.final("loss"), f"{name}_order_val_loss": history.final("val_loss")})

# %% [markdown]
# In file order the training loss is the better one (0.395<!--lesson.file_order_loss--> against
# 0.471<!--lesson.random_order_loss-->) and the validation loss much the worse (0.768<!--lesson.file_order_val_loss-->
# against 0.508<!--lesson.random_order_val_loss-->). Neither number is a mistake; they answer two questions. The
# random split asks how well we can fill gaps between experiments that were made; the split by rows asks how well we
# can predict experiments that were not. A user who plans new wings asks the second question and would be misled by
# the first answer. That is leakage in its mild form: nearly identical neighbours of the validation cases were in the
# training part.
#
# ## Under the surface
#
# All frameworks offer these few parts, and each has its own idea of the details. PyTorch and Gluon store the
# weight of a dense layer as (outputs, inputs), Keras and Flax as (inputs, outputs). The first values differ
# too: PyTorch draws weight *and* bias uniformly from $\pm 1/\sqrt{d}$, Keras the weight by Glorot's formula,
# Flax from a truncated normal of variance $1/d$, Gluon uniformly from $\pm 0.07$; the last three start the
# bias at zero. In this course the first values come from our own stream, so these choices do not enter.
#
# The most treacherous difference is a factor of two. `MSELoss` of PyTorch and `MeanSquaredError` of Keras are
# means of squares; `optax.l2_loss` and Gluon's `L2Loss` are *halves* of squares, which halves the gradient as
# well. At $\eta = 0.03$ the error then shrinks by 0.97 instead of 0.94 for each step, and after 96 steps the
# squared error still has $0.97^{192} = 0.0029$ of its first value, instead of $0.0000069$: final losses that
# differ by a factor of two hundred come from the same learning rate in the same textbook program. If two
# implementations disagree, compare the losses of the first step.
#
# Finally, PyTorch *accumulates* gradients until they are cleared, TensorFlow forgets its tape after one use,
# JAX differentiates functions and has no place where a gradient could remain, and MXNet divides by the batch
# size only in `Trainer.step`. `value_and_grad` returns the gradients as values on all of them.
#
# What remains is rounding. In float32 the airfoil losses of NumPy, PyTorch, JAX and TensorFlow agree to a few parts
# in ten million, yet the synthetic ones with seed 2 differ by up to three parts in 100,000. The reason is not in the
# training. There a residual near 0.02 is the difference of two numbers near 5, each rounded to about $2 \cdot
# 10^{-7}$, so it keeps five digits, and its square no more. A relative error is measured against what is left after a
# subtraction. In float64 nine more digits hide the effect.
#
# ## Summary
#
# A linear model predicts a weighted sum; minimising the mean squared error is the same as maximising the
# likelihood under normal noise. Its gradient is $\frac{2}{n}\mathbf{X}^\top\mathbf{r}$, and gradient descent
# multiplies the error along each eigenvector of $\mathbf{H}$ by $1 - \eta\lambda$, which tells both the speed
# and the largest learning rate. Standardised features bring the eigenvalues together and make one learning
# rate fit all directions. Shapes must match exactly, statistics must come from the training part, and a
# validation set must resemble what the model will meet.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise linear-regression` writes a stub to fill in,
# `d2l check FILE` examines it on every installed backend. Solutions are in
# `linear_regression_solutions.py`.
#
# 1. ★ *A loss for outliers.* Huber (1964) proposed a loss that is $\frac{1}{2} r^2$ for $|r| \le \delta$ and
#    $\delta (|r| - \frac{1}{2}\delta)$ beyond. Write `huber(y_hat, y, delta)`, its mean over the batch, and
#    make sure that the gradient is right on both sides.
# 2. ★ *The limit.* Write `stable_rate(X)`, the learning rate $2 / \lambda_{\max}$ at which full-batch descent
#    begins to diverge, with primitives only. A vector that is multiplied by a symmetric matrix again and
#    again turns into the eigenvector of the largest eigenvalue.
# 3. *Larger batches.* Train the synthetic job with a batch size of 256, the rest unchanged. Forecast the
#    final loss from the theory first.
# 4. *A better feature.* People hear pitch on a logarithmic scale. Replace the frequency by its logarithm,
#    train on the airfoil data again and explain what happens.
# 5. *Half the loss.* If the loss is halved, which learning rate gives the very same weights after every step?
#    Would the answer be the same with weight decay added to the gradient?
#
# ## References
#
# - A.-M. Legendre (1805), *Nouvelles méthodes pour la détermination des orbites des comètes*, the first
#   publication of least squares.
# - C. F. Gauss (1809), *Theoria motus corporum coelestium*, least squares from the normal law of errors.
# - H. Robbins and S. Monro (1951), *A Stochastic Approximation Method*, Annals of Mathematical Statistics 22.
# - F. Galton (1886), *Regression towards Mediocrity in Hereditary Stature*, Journal of the Anthropological
#   Institute 15.
# - P. J. Huber (1964), *Robust Estimation of a Location Parameter*, Annals of Mathematical Statistics 35.
# - T. F. Brooks, D. S. Pope and M. A. Marcolini (1989), *Airfoil Self-Noise and Prediction*, NASA Reference
#   Publication 1218.
