# /// lesson
# name = "mlp"
# title = "Multilayer perceptrons and dropout"
# sections = ["5.2", "5.6"]
# needs = ["softmax-regression", "activations"]
# data = ["fashion-mnist"]
# main = "dropout"
# [time]
# smoke = "5 s"
# standard = "1 min"
# full = "1 min"
# [promises]
# full = [
#   "mlp-scratch: val_acc >= 0.8435", "mlp: val_acc >= 0.8465",
#   "dropout-scratch: val_acc >= 0.846", "dropout: val_acc >= 0.8495",
#   "lesson: gradient_gap <= 1e-5", "lesson: mlp_gap <= 1e-3", "lesson: dropout_gap <= 1e-3",
# ]
# ///

# %% [markdown]
# # Multilayer perceptrons and dropout
#
# A staircase has one lamp and two switches, one at the foot and one at the top. The lamp is on if exactly one of them
# is up. No weighted sum of the two switches can say this: each switch, taken alone, sometimes turns the light on and
# sometimes off. [Softmax regression](../linear_classification/softmax_regression.py) ended at the same place: its
# model could not ask whether two things go together.
#
# The way out is to ask in two stages: first some intermediate questions, then an answer made from their
# answers. We shall see what has to stand between the stages, train such a network on Fashion-MNIST, and add
# *dropout*, which keeps the intermediate questions from relying on one another.

# %%
import itertools

import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist, softmax
from d2l_chapters.multilayer_perceptrons.activations import relu

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.errors import TrainingDiverged
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import accuracy, cross_entropy, random_uniform
from d2l_core.plots import INK, house_style
from d2l_core.random import key_of
from d2l_core.training import Observer, Trainer

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## The idea
#
# A *multilayer perceptron* puts a layer of *hidden units* between inputs and outputs. Each hidden unit is a
# weighted sum of all inputs that passes through a *non-linearity*; each output is a weighted sum of all hidden
# units. Our non-linearity is the plainest one, the *rectified linear unit* or ReLU: negative numbers become
# zero and positive ones stay. In training, dropout crosses out random hidden units for each example, so that
# the rest must do without them (right).


# %%
@house_style
def plot_network(dropped=(1, 4), sizes=(4, 6, 3)):
    """A network with one hidden layer, whole and with some hidden units crossed out."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8.0, 3.2))
    heights = [(np.arange(size) - (size - 1) / 2) for size in sizes]
    for axes, missing, title in zip(panels, ((), dropped), ("evaluation", "training with dropout"), strict=True):
        for layer in (0, 1):
            for i, low in enumerate(heights[layer]):
                for j, high in enumerate(heights[layer + 1]):
                    if (j if layer == 0 else i) not in missing:
                        axes.plot([layer, layer + 1], [low, high], color=INK, linestyle="-", linewidth=0.6, zorder=1)
        for layer, column in enumerate(heights):
            gone = [layer == 1 and i in missing for i in range(len(column))]
            faces = ["none" if absent else "C0" for absent in gone]
            axes.scatter([layer] * len(column), column, s=240, c=faces, edgecolors=INK, zorder=2)
            for height, absent in zip(column, gone, strict=True):
                if absent:
                    axes.text(layer, height, "×", ha="center", va="center", fontsize=18)
        axes.set_xticks([0, 1, 2], ["inputs $\\mathbf{x}$", "hidden $\\mathbf{h}$", "outputs $\\mathbf{o}$"])
        axes.set(title=title, yticks=[], xlim=(-0.3, 2.3), ylim=(-3.1, 3.1))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return figure


# %%
if __name__ == "__main__":
    plot_network()

# %% [markdown]
# What does a ReLU do to the plane? It takes a line, keeps one side and presses the other side flat onto it. For
# the staircase, with switches $x_1$ and $x_2$ that are 0 or 1, two suffice: $h_1 = \max(0, x_1 + x_2)$ counts
# the switches that are up, and $h_2 = \max(0, x_1 + x_2 - 1)$ begins to count only at the second. In the new
# coordinates the line $h_1 - 2 h_2 = \frac12$ separates the two points with the lamp off from the one with the
# lamp on.
#
# Each unit adds one line at which the function may bend, a *fold*; between the folds it is affine. With $m$
# units and two inputs there are up to $1 + m + m(m-1)/2$ pieces, as many as $m$ lines can cut the plane into.
# The right panel shows them for eight random units: one affine map for each shade, fitting together without a
# jump.


# %%
def fold_patterns(points, weight, bias):
    """Which ReLU units are open at points (n, 2): one integer for each point, equal where the same ones are."""
    open_units = np.asarray(points) @ np.asarray(weight).T + bias > 0  # (n, 2) @ (2, m) -> (n, m)
    return open_units @ (1 << np.arange(len(weight)))  # (n, m) @ (m,) -> (n,)


def random_folds(num_units, side=400):
    """Patterns (side, side) of random units over the square from -1 to 1."""
    angles = random.uniform(num_units, "mlp", "angles", low=0.0, high=2.0 * np.pi)
    weight = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (m, 2)
    bias = random.uniform(num_units, "mlp", "offsets", low=-0.5, high=0.5)
    grid = np.linspace(-1.0, 1.0, side)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)  # (side * side, 2)
    return fold_patterns(points, weight, bias).reshape(side, side)


@house_style
def plot_folds(num_units=8):
    """The two switches before and after two ReLUs, and the pieces that random folds make of a square."""
    import matplotlib.pyplot as plt

    states = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    total = states.sum(axis=1)
    hidden = np.stack([total, np.maximum(total - 1.0, 0.0)], axis=1)
    figure, panels = plt.subplots(1, 3, figsize=(9.6, 3.2))
    for axes, points in zip(panels, (states, hidden), strict=False):
        for lamp, marker in ((0, "o"), (1, "*")):
            chosen = points[total % 2 == lamp]
            axes.scatter(*chosen.T, s=150, marker=marker, color=("C0", "C1")[lamp], zorder=2)
    panels[0].set(
        xlabel="$x_1$", ylabel="$x_2$", title="no line separates ★ from ●", xlim=(-0.4, 1.4), ylim=(-0.4, 1.4)
    )
    h1 = np.array([0.0, 2.5])
    panels[1].plot(h1, (h1 - 0.5) / 2.0, "--", color=INK, linewidth=1)
    panels[1].set(xlabel="$h_1$", ylabel="$h_2$", title="behind two ReLUs one does", xlim=(-0.4, 2.4), ylim=(-0.4, 1.4))
    patterns, pieces = np.unique(random_folds(num_units), return_inverse=True)
    shades = random.permutation(len(patterns), "mlp", "shades")[pieces].reshape(-1, int(np.sqrt(pieces.size)))
    panels[2].imshow(shades, origin="lower", extent=(-1, 1, -1, 1))
    panels[2].set(xlabel="$x_1$", ylabel="$x_2$", title=f"{num_units} folds, {len(patterns)} pieces in view")
    return figure


# %%
if __name__ == "__main__":
    plot_folds()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$, of shape $(n, d)$, hold $n$ inputs in its rows. With $m$ hidden units and $k$ classes,
#
# $$\mathbf{Z} = \mathbf{X}\mathbf{W}_1^\top + \mathbf{b}_1, \qquad \mathbf{H} = \max(0, \mathbf{Z}), \qquad
#   \mathbf{O} = \mathbf{H}\mathbf{W}_2^\top + \mathbf{b}_2,$$
#
# with $\mathbf{W}_1$ of shape $(m, d)$, $\mathbf{W}_2$ of shape $(k, m)$, biases $(m,)$ and $(k,)$; $\mathbf{Z}$ and
# $\mathbf{H}$ are $(n, m)$ and the logits $\mathbf{O}$ are $(n, k)$. The loss $L$ is the cross-entropy, as in softmax
# regression.
#
# As [Layers and activation functions](activations.py) showed, it takes the maximum between the layers: without it
# $\mathbf{O}$ would be one affine map of $\mathbf{X}$, with the weight $\mathbf{W}_2\mathbf{W}_1$ of shape $(k, d)$ and
# a rank of at most $m$; with it, enough units come as close as one likes to every continuous function on a closed and
# bounded set. That theorem says neither how many units it takes nor that gradient descent will find them.
#
# **The gradient.** From softmax regression we know
# $\partial L / \partial \mathbf{O} = (\mathbf{P} - \mathbf{Y})/n$, the softmax of the logits minus the true
# classes as rows with a single one, all $(n, k)$. Going back one affine map at a time,
#
# $$\frac{\partial L}{\partial \mathbf{W}_2} = \Big(\frac{\partial L}{\partial \mathbf{O}}\Big)^{\!\top} \mathbf{H},
#   \qquad \frac{\partial L}{\partial \mathbf{H}} = \frac{\partial L}{\partial \mathbf{O}} \mathbf{W}_2, \qquad
#   \frac{\partial L}{\partial \mathbf{Z}} = \frac{\partial L}{\partial \mathbf{H}} \odot [\mathbf{Z} > 0], \qquad
#   \frac{\partial L}{\partial \mathbf{W}_1} = \Big(\frac{\partial L}{\partial \mathbf{Z}}\Big)^{\!\top} \mathbf{X},$$
#
# of the shapes $(k, m)$, $(n, m)$, $(n, m)$ and $(m, d)$; $\odot$ is the product element by element, and
# $[\mathbf{Z} > 0]$, the slope of the ReLU, is one where the unit is open and zero where it is shut. An open
# unit passes the gradient on unchanged, however deep the network is, whereas the slope of a sigmoid is at most
# a quarter. A shut unit passes on nothing and its weights get no gradient. At zero itself there is no
# derivative; 0 is the usual choice.
#
# **Dropout.** Let $h$ be one hidden value, $p \in [0, 1)$ the probability of dropping it, and $r$ a random
# number that is 1 with probability $1 - p$ and else 0. In training $h$ is replaced by $h' = r h / (1 - p)$.
# Then
#
# $$\mathbb{E}[h'] = \frac{(1 - p) \cdot h + p \cdot 0}{1 - p} = h, \qquad
#   \operatorname{Var}[h'] = \mathbb{E}[h'^2] - h^2 = \frac{(1 - p) h^2}{(1 - p)^2} - h^2 = \frac{p}{1 - p} h^2 .$$
#
# Thanks to the factor $1/(1-p)$ the next layer receives on average what it receives in evaluation, when nothing
# is dropped and nothing is scaled. The variance is the price and the point: the next layer's sum
# $\sum_j w_j h_j'$ over the hidden units $j$ with weights $w_j$ has the right mean and the variance
# $\frac{p}{1-p} \sum_j w_j^2 h_j^2$. For a given mean, noise is smallest if many units contribute a little and
# none much, so training prefers weights that spread the work.
#
# Seen in another way, each mask picks one of $2^m$ *thinned* networks, which share their weights, and in
# evaluation the whole network stands for their vote. For a softmax directly behind the dropped layer this is
# exact if the vote is the geometric mean of the thinned networks' probabilities, normalised to add up to one
# (exercise 2); with further layers in between it is an approximation that works well in practice (Baldi and
# Sadowski, 2013).

# %% [markdown]
# ## From scratch
#
# `random_uniform` draws one number in $[0, 1)$ for each element; the elements whose number is at least $p$ are
# kept. The numbers depend on the layer's place in the model, the seed and a counter of the calls, so that each
# batch meets a new mask and a run can be repeated.


# %%
class DenseScratch(nn.Module):
    """An affine map (n, num_inputs) to (n, num_outputs)."""

    def __init__(self, num_inputs, num_outputs):
        super().__init__()
        self.weight = nn.Parameter((num_outputs, num_inputs), nn.initialisers.XavierUniform())
        self.bias = nn.Parameter((num_outputs,), nn.initialisers.Constant(0.0))

    def forward(self, X):
        """X W' + b."""
        return xp.matmul(X, xp.matrix_transpose(self.weight)) + self.bias  # (n, in) @ (in, out) -> (n, out)


class DropoutScratch(nn.Module):
    """Zeroes each element with probability p in training."""

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.calls = nn.Buffer(np.zeros(1, np.int32))

    def forward(self, X):
        """X itself in evaluation."""
        if not self.training:
            return X
        draw = random_uniform(key_of("dropout", self.path, self.seed), xp.reshape(self.calls, ()), tuple(X.shape))
        self.calls = self.calls + 1
        return xp.where(draw >= self.p, X * (1.0 / (1.0 - self.p)), xp.zeros_like(X))


def mlp_scratch(num_inputs=784, num_hiddens=(256,), num_outputs=10, p=()):
    """Affine maps with the ReLU between them, each hidden layer followed by dropout if p names a probability."""
    sizes = (num_inputs, *num_hiddens)
    stages = [nn.Flatten()]
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        stages += [DenseScratch(fan_in, fan_out), relu, *([DropoutScratch(p[i])] if p else [])]
    return nn.Sequential(*stages, DenseScratch(sizes[-1], num_outputs))


# %% [markdown]
# The weights start uniform in $\pm\sqrt{6 / (d + m)}$, the rule of Glorot and Bengio (2010), which keeps the size of
# the activations roughly the same from layer to layer. Before we train, we check that the gradient formulas are right,
# and that dropout keeps the mean of ones and adds the variance $p / (1 - p)$.


# %%
def gradients_by_hand(model, X, labels):
    """The formulas of the text for `mlp_scratch` with one hidden layer: gradients of both weights, flat X (n, d)."""
    first, last = model[1], model[3]
    Z = first(X)  # (n, d) -> (n, m)
    H = relu(Z)
    O = last(H)  # noqa: E741 - (n, m) -> (n, k), called O in the text
    n, k = O.shape
    d_O = (softmax(O) - xp.take(xp.eye(k), labels, axis=0)) / n  # (n, k)
    d_H = xp.matmul(d_O, last.weight)  # (n, k) @ (k, m) -> (n, m)
    d_Z = xp.where(Z > 0, d_H, xp.zeros_like(d_H))  # (n, m)
    return {
        "1.weight": xp.matmul(xp.matrix_transpose(d_Z), X),  # (m, n) @ (n, d) -> (m, d)
        "3.weight": xp.matmul(xp.matrix_transpose(d_O), H),  # (k, n) @ (n, m) -> (k, m)
    }


def moments_after_dropout(p, shape=(1000, 100)):
    """Mean and variance of ones behind dropout in training."""
    layer = DropoutScratch(p).initialise(seed=0)
    dropped = xp.to_numpy(layer(xp.ones(shape)))
    return float(dropped.mean()), float(dropped.var())


# %%
if __name__ == "__main__":
    X, y = next(iter(fashion_mnist(shown, seed=0).train.epoch(0)))
    X = xp.reshape(X, (-1, 784))  # (256, 1, 28, 28) -> (256, 784)
    model = mlp_scratch().initialise(seed=0)
    _, automatic = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)(X, y)
    gaps = [xp.max(xp.abs(ours - automatic[path])) for path, ours in gradients_by_hand(model, X, y).items()]
    report(gradient_gap=max(map(float, map(xp.to_numpy, gaps))))
    for p in (0.2, 0.5, 0.8):
        mean, variance = moments_after_dropout(p)
        print(f"p = {p}: mean {mean:.3f}, variance {variance:.3f}, p / (1 - p) = {p / (1 - p):.3f}")

# %% [markdown]
# ## Concise
#
# The model without dropout has one hidden layer of 256 units, the one with dropout has two and drops half of each. As
# in softmax regression there are batches of 256 images, the learning rate 0.1 and ten epochs.


# %%
def mlp(num_hiddens=(256,), num_outputs=10, p=()):
    """The same from layers of the library; the first batch tells the sizes of the inputs."""
    stages = [nn.Flatten()]
    for i, size in enumerate(num_hiddens):
        stages += [nn.Linear(size), nn.ReLU(), *([nn.Dropout(p[i])] if p else [])]
    return nn.Sequential(*stages, nn.Linear(num_outputs))


# %%
shared = {
    "data": fashion_mnist,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.SGD(model, lr=0.1),
    "epochs": {"smoke": 1, "standard": 10, "full": 10},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
jobs = {
    "mlp-scratch": Job(model=mlp_scratch, **shared),
    "mlp": Job(model=mlp, **shared),
    "dropout-scratch": Job(model=lambda: mlp_scratch(num_hiddens=(256, 256), p=(0.5, 0.5)), **shared),
    "dropout": Job(model=lambda: mlp(num_hiddens=(256, 256), p=(0.5, 0.5)), **shared),
}

# %% [markdown]
# Here the parameters have the same names in both models, `1.weight`, `1.bias` and so on, and initial values and
# masks are drawn from streams called by name and seed. So both start from the same numbers and drop the same
# units, and the first losses must agree to the rounding; later ones may part in the fourth digit, where a hidden unit
# comes so close to zero that rounding decides whether it is off.


# %%
def scratch_and_concise(name, scale, seed=0, epochs=1):
    """The runs of the jobs `name`-scratch and `name`."""
    return [jobs[job].run(scale, seed, epochs=epochs) for job in (f"{name}-scratch", name)]


# %%
if __name__ == "__main__":
    differences = []
    for name in ("mlp", "dropout"):
        scratch, concise = scratch_and_concise(name, shown)
        assert list(scratch.model.variables()) == list(concise.model.variables())
        difference = np.abs(np.subtract(scratch.history.losses, concise.history.losses)).max()
        print(f"{name}: {', '.join(concise.model.variables())}")
        differences.append(difference)
        np.testing.assert_allclose(scratch.history.losses[:8], concise.history.losses[:8], rtol=1e-4)
    report(mlp_gap=differences[0], dropout_gap=differences[1])

# %% [markdown]
# ## Ten epochs
#
# First the sample of 6,000 images, then the recorded runs on all 60,000: each backend, with the mean and the
# spread over the seeds.

# %%
if __name__ == "__main__":
    for name in ("mlp", "dropout"):
        history = jobs[name].run(shown).history
        print(f"{name:>8} loss   ", " ".join(f"{value:.3f}" for value in history.column("loss")))
        print(f"{name:>8} val_acc", " ".join(f"{value:.3f}" for value in history.column("val_acc")))
        report(**{f"{name}_{column}": history.final(column) for column in ("loss", "val_loss", "val_acc")})
        report(**{f"{name}_val_acc_before": history.column("val_acc")[-2:][0]})

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("mlp"))

# %% [markdown]
# On the sample, with seed 0 on PyTorch, the network without dropout ended at 0.796<!--lesson.mlp_val_acc @torch--> and
# the one with dropout at 0.803<!--lesson.dropout_val_acc @torch-->. Softmax regression reached 0.80 on the same images:
# after 240 steps the hidden layer has not yet paid for itself. On all images ten epochs are 2,350 steps, and there the
# two reach 85.4 %<!--mlp.val_acc--> and 85.2 %<!--dropout.val_acc-->, two points more than softmax regression (three
# with other seeds).
#
# With dropout the training loss, 0.666<!--lesson.dropout_loss @torch-->, is *higher* than the validation loss,
# 0.545<!--lesson.dropout_val_loss @torch-->: the first was measured on thinned networks, the second on the whole one.
# The accuracy without dropout fell from 0.827<!--lesson.mlp_val_acc_before @torch--> to
# 0.796<!--lesson.mlp_val_acc @torch--> in the last epoch: the learning rate is again large for these images, and
# single epochs flicker.
#
# ## The gap
#
# A fair test of dropout changes nothing but dropout. We give two hidden layers of 256 units, with and without,
# sixty epochs on the sample: few images and much time to learn them by heart. The *generalisation gap* is the
# accuracy on the training images minus that on the validation images, both in evaluation mode.


# %%
def train(model, data, epochs, lr=0.1, observers=()):
    """History of a model trained as in the jobs, with another learning rate if need be."""
    trainer = Trainer(epochs, observers=observers)
    return trainer.fit(
        model, data, loss=cross_entropy, optimiser=lambda model: optim.SGD(model, lr=lr), metrics={"acc": accuracy}
    )


def mean_accuracy(model, loader):
    """Share of the examples of a loader that the model, in the mode it is in, names rightly."""
    batches = [(xp.to_numpy(accuracy(model(X), y)), len(y)) for X, y in loader.epoch(0)]
    return float(np.average([value for value, _ in batches], weights=[size for _, size in batches]))


class TrainingAccuracy(Observer):
    """Adds to the record of each epoch the accuracy on the training images in evaluation mode."""

    def epoch_ended(self, trainer, record):
        """The trainer has just validated and turns training mode on again by itself."""
        record["train_acc"] = mean_accuracy(trainer.model.evaluate(), trainer.data.train)


def with_and_without(scale, epochs=60, num_hiddens=(256, 256)):
    """Models and histories of the same network without and with dropout, by name."""
    found = {}
    for name, p in (("without dropout", ()), ("with dropout", (0.5,) * len(num_hiddens))):
        model = mlp(num_hiddens, p=p)
        found[name] = model, train(model, fashion_mnist(scale, 0), epochs, observers=[TrainingAccuracy()])
    return found


@house_style
def plot_gap(histories):
    """Accuracies on training and validation images over the epochs, the gap shaded; histories by name."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(histories), figsize=(8.5, 3.0), sharey=True, squeeze=False)
    for axes, (name, history) in zip(panels[0], histories.items(), strict=True):
        epochs, low, high = (history.column(column) for column in ("epoch", "val_acc", "train_acc"))
        axes.plot(epochs, high, "-", color="C0", label="training images")
        axes.plot(epochs, low, "--", color="C1", label="validation images")
        axes.fill_between(epochs, low, high, color=INK, alpha=0.2)
        axes.set(title=name, xlabel="epoch", ylim=(0.5, 1.0))
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("accuracy")
    panels[0][0].legend(loc="lower right")
    return figure


# %%
if __name__ == "__main__":
    rivals = with_and_without(shown, epochs={"smoke": 12, "standard": 60}[shown])
    for name, (_, history) in rivals.items():
        last = {column: np.mean(history.column(column)[-10:]) for column in ("train_acc", "val_acc", "val_loss")}
        print(f"{name}, mean of the last ten epochs:")
        prefix = name.replace(" dropout", "")
        report(**{f"{prefix}_{column}": value for column, value in last.items()})
        report(**{f"{prefix}_gap_in_points": 100.0 * (last["train_acc"] - last["val_acc"])})
    plot_gap({name: history for name, (_, history) in rivals.items()})

# %% [markdown]
# These are means of the last ten epochs (PyTorch, seed 0). Without dropout the network names
# 90.1 %<!--lesson.without_train_acc @torch--> of the training and 84.0 %<!--lesson.without_val_acc @torch--> of the
# validation images rightly, a gap of 6.1<!--lesson.without_gap_in_points @torch--> points; with dropout
# 89.5 %<!--lesson.with_train_acc @torch--> and 85.2 %<!--lesson.with_val_acc @torch-->, a gap of
# 4.3<!--lesson.with_gap_in_points @torch-->, and the validation loss falls from
# 0.473<!--lesson.without_val_loss @torch--> to 0.430<!--lesson.with_val_loss @torch-->. Dropout lost a little on the
# training images and gained a little on new ones. It did not close the gap, and this is one seed.
#
# ## What goes wrong
#
# **Equal weights.** Softmax regression may start with all weights zero; a network with a hidden layer may not,
# nor with any other constant.


# %%
def equal_start(number, num_hiddens=16):
    """`mlp_scratch` with every weight the same number and biases of zero."""
    model = mlp_scratch(num_hiddens=(num_hiddens,)).initialise(seed=0)
    start = {path: np.full_like(array, number * path.endswith("weight")) for path, array in model.state_dict().items()}
    model.load_state_dict(start)
    return model


def spread_of_units(model):
    """Largest difference between the incoming weights of two hidden units, and between their outgoing ones."""
    state = model.state_dict()
    return float(np.ptp(state["1.weight"], axis=0).max()), float(np.ptp(state["3.weight"], axis=1).max())


# %%
if __name__ == "__main__":
    starts = {
        "zeros": equal_start(0.0),
        "equal": equal_start(0.01),
        "one_unit": mlp_scratch(num_hiddens=(1,)),
        "sixteen_units": mlp_scratch(num_hiddens=(16,)),
    }
    for name, model in starts.items():
        history = train(model, fashion_mnist(shown, 0), epochs={"smoke": 1, "standard": 10}[shown])
        report(**{f"val_acc_{name}": history.final("val_acc"), f"spread_{name}": max(spread_of_units(model))})

# %% [markdown]
# With zeros the hidden values are zero, so $\partial L / \partial \mathbf{W}_2 = 0$; the outgoing weights are zero, so
# $\partial L / \partial \mathbf{H} = 0$ and nothing reaches the first layer. Only the output biases can move: the
# accuracy stays at 0.1<!--lesson.val_acc_zeros @torch--> for ever. With 0.01 everywhere there is a gradient, but it is
# the same for all sixteen units, and equal weights plus equal gradients give equal weights: the spread between the
# units after 240 steps is exactly 0<!--lesson.spread_equal @torch--> on PyTorch, and so on NumPy, JAX and TensorFlow.
# Sixteen units do the work of one: their accuracy on PyTorch was 0.25<!--lesson.val_acc_equal @torch-->, where one unit
# from a random start reached 0.19<!--lesson.val_acc_one_unit @torch--> and sixteen that start differently
# 0.78<!--lesson.val_acc_sixteen_units @torch-->. MXNet does not round the gradients of all sixteen alike. They part in
# the last bit of the first step, and descent magnifies the difference, until after ten epochs the spread is
# 0.20<!--lesson.spread_equal @mxnet--> and the accuracy 0.38<!--lesson.val_acc_equal @mxnet-->. Equal units balance
# like a pencil on its point, and one should not wait for rounding to tip it.
#
# **Dead units.** A hidden unit that is shut for every image has the gradient zero and cannot come back. We
# raise the learning rate and count.


# %%
def dead_share(model, loader):
    """Share of the units of the first hidden layer that are zero for every example of a loader."""
    first = nn.Sequential(*(model[i] for i in range(3)))
    values = [xp.to_numpy(xp.max(first(X), axis=0)) for X, _ in loader.epoch(0)]  # each (n, m) -> (m,)
    return float(np.mean(np.max(values, axis=0) <= 0.0))


def dead_by_rate(scale, rates, epochs=3):
    """Pairs of the share of dead units and the last val_acc (NaN if the run diverged) by learning rate."""
    found = {}
    for rate in rates:
        data, model = fashion_mnist(scale, 0), mlp()
        try:
            reached = train(model, data, epochs, lr=rate).final("val_acc")
        except TrainingDiverged:
            reached = np.nan
        found[rate] = dead_share(model, data.train), reached
    return found


# %%
if __name__ == "__main__":
    for rate, (dead, reached) in dead_by_rate(
        shown, (0.1, 0.5, 1.0, 2.0), epochs={"smoke": 1, "standard": 3}[shown]
    ).items():
        print(f"learning rate {rate}:")
        report(**{f"dead_at_{rate}".replace(".", "_"): dead, f"val_acc_at_{rate}".replace(".", "_"): reached})

# %% [markdown]
# At a rate of 0.1 no unit dies; at 0.5 after three epochs 34 %<!--lesson.dead_at_0_5 @torch--> of the units are dead,
# at 1.0 75 %<!--lesson.dead_at_1_0 @torch-->, at 2.0 87 %<!--lesson.dead_at_2_0 @torch-->. Pixels are never negative,
# so one large step against the mean image lowers a unit's sum for all images. The treacherous case is 0.5, whose
# accuracy (0.70<!--lesson.val_acc_at_0_5 @torch--> against 0.77<!--lesson.val_acc_at_0_1 @torch-->) looks like no
# more than a slow start: no smaller learning rate later on will bring the lost third back. A ReLU with a small slope
# on the negative side never shuts entirely (exercise 1).
#
# **Dropout left on.** Whoever forgets to switch to evaluation mode gets no error, only an answer that changes.


# %%
def accuracies_left_on(model, loader, calls=5):
    """Accuracies of repeated passes over the same data in training mode."""
    model.train()
    found = [mean_accuracy(model, loader) for _ in range(calls)]
    model.evaluate()
    return found


# %%
if __name__ == "__main__":
    model = rivals["with dropout"][0]
    loader = fashion_mnist(shown, 0).val
    left_on, switched = accuracies_left_on(model, loader), [mean_accuracy(model.evaluate(), loader) for _ in range(5)]
    print("left on ", left_on)
    print("switched", switched)
    report(left_on_lowest=min(left_on), left_on_highest=max(left_on), switched=switched[0])

# %% [markdown]
# The same model on the same thousand images scored between 0.819<!--lesson.left_on_lowest @torch--> and
# 0.837<!--lesson.left_on_highest @torch--> with dropout left on and 0.856<!--lesson.switched @torch--> each time
# without. The opposite mistake, evaluation mode during training, does not even show in answers that vary: dropout
# simply does not take place.
#
# **Dropout without the factor.** Leave out $1/(1-p)$ and everything seems to work: training gets used to
# activations that are half as large. The surprise comes in evaluation, when all units speak at once.


# %%
class UnscaledDropout(DropoutScratch):
    """Dropout that forgets to divide by 1 - p."""

    def forward(self, X):
        """Undoes the scaling in training."""
        return super().forward(X) * (1.0 - self.p) if self.training else X


def unscaled_mlp(p=0.5):
    """The network of the job "dropout-scratch" with dropout that does not rescale."""
    stages = [nn.Flatten(), DenseScratch(784, 256), relu, UnscaledDropout(p)]
    stages += [DenseScratch(256, 256), relu, UnscaledDropout(p), DenseScratch(256, 10)]
    return nn.Sequential(*stages)


def scaled_afterwards(model, p=0.5):
    """Multiply the weights behind the two dropout layers of `unscaled_mlp` by 1 - p."""
    state = model.state_dict()
    model.load_state_dict(state | {path: (1.0 - p) * state[path] for path in ("4.weight", "7.weight")})
    return model


def output_sizes(model, X):
    """Mean absolute output of both dropout layers and of the last layer, in training and in evaluation."""
    found = {}
    for mode in (True, False):
        outputs = {}
        with nn.probing(lambda path, output, kept=outputs: kept.setdefault(path, output)):
            model.train(mode)(X)
        found["training" if mode else "evaluation"] = [
            float(np.abs(xp.to_numpy(outputs[path])).mean()) for path in ("3", "6", "7")
        ]
    return found


# %%
if __name__ == "__main__":
    for name, make in (("scaled", jobs["dropout-scratch"].model), ("unscaled", unscaled_mlp)):
        data = fashion_mnist(shown, 0)
        X, _ = next(iter(data.train.epoch(0)))
        model = make().initialise(seed=0)
        for mode, sizes in output_sizes(model, X).items():
            report(
                **{
                    f"{name}_{mode}_{layer}": size
                    for layer, size in zip(("first", "second", "logits"), sizes, strict=True)
                }
            )
        history = train(model, data, epochs={"smoke": 1, "standard": 10}[shown])
        for mode, sizes in output_sizes(model, X).items():
            report(**{f"{name}_{mode}_trained_logits": sizes[2]})
        report(**{f"{name}_{column}": history.final(column) for column in ("val_acc", "val_loss")})
    model = scaled_afterwards(model).evaluate()
    report(halved_val_acc=mean_accuracy(model, data.val))

# %% [markdown]
# Before training, dropout without the factor halves the mean size of the first hidden layer's output
# (0.113<!--lesson.unscaled_training_first @torch--> against 0.225<!--lesson.unscaled_evaluation_first @torch-->), and
# 0.161<!--lesson.unscaled_training_logits @torch--> is left of 0.375<!--lesson.unscaled_evaluation_logits @torch-->
# at the logits. With the factor the first pair is 0.226<!--lesson.scaled_training_first @torch--> and
# 0.225<!--lesson.scaled_evaluation_first @torch-->; deeper down the agreement is not perfect
# (0.219<!--lesson.scaled_training_second @torch--> against 0.157<!--lesson.scaled_evaluation_second @torch--> in the
# second layer), since a ReLU turns part of the noise of its input into a higher mean.
#
# After training, the unscaled network has logits of the mean size
# 8.9<!--lesson.unscaled_evaluation_trained_logits @torch--> in evaluation where training had
# 2.3<!--lesson.unscaled_training_trained_logits @torch-->. It is far too sure of itself: the validation loss is
# 1.197<!--lesson.unscaled_val_loss @torch--> instead of 0.553<!--lesson.scaled_val_loss @torch--> and the accuracy
# 0.677<!--lesson.unscaled_val_acc @torch--> instead of 0.790<!--lesson.scaled_val_acc @torch-->. Halving the weights
# behind both dropout layers afterwards, as the original paper did, brings it to
# 0.718<!--lesson.halved_val_acc @torch-->. (Without biases it would change no answer: all sums would be halved alike.)
#
# ## Under the surface
#
# *Keep or drop.* In the paper of Srivastava and others (2014), $p$ is the probability of *keeping* a unit,
# nothing is scaled in training, and the weights are multiplied by $p$ afterwards. PyTorch, Flax, Keras and
# Gluon scale in training, and their argument is the probability of *dropping*. But `tf.nn.dropout` took
# `keep_prob` until TensorFlow 2, and `Dropout(rate)` in JAX's example library `stax` still keeps with
# probability `rate`. At $p = 0.5$ nobody notices.
#
# *Who knows the mode.* In PyTorch it is a flag of each module, set by `train()` and `eval()`, as here. In Keras
# it is the argument `training` of the call, in Flax's linen the argument `deterministic`. In Gluon the layer
# has no say: dropout works inside `autograd.record()` and rests outside it.
#
# *Random streams.* PyTorch, MXNet and, unless one asks for stateless operations, TensorFlow draw masks from
# generators with a hidden state, so a mask depends on everything drawn before; JAX wants an explicit key. The
# same seed gives other masks on each framework. Here the position of an element is hashed together with the
# layer, the seed and the number of the call, in 32-bit integers, whose arithmetic is exact everywhere: the mask
# is the same to the last bit on every backend.
#
# *Initial values.* The defaults for an affine layer with $d$ inputs and $m$ outputs differ: PyTorch draws
# weight *and bias* uniformly from $\pm 1/\sqrt{d}$; Keras draws the weight from $\pm\sqrt{6/(d+m)}$, Flax from
# a truncated normal distribution of variance $1/d$, Gluon from $\pm 0.07$, and all three set the bias to zero.
# For our first layer these are standard deviations of 0.021, 0.044, 0.036 and 0.040. Our layers follow the
# second rule on all backends.
#
# ## Summary
#
# Affine layers in a row are one affine map; a ReLU between them lets the function bend at one fold for each
# unit. Gradients pass through open units unchanged and through shut ones not at all, so initial weights must
# differ from unit to unit and the learning rate must not shut them for good. Dropout crosses out units at
# random in training and divides the others by $1-p$, which keeps the mean of what the next layer sees and adds
# noise that makes it hard to learn examples by heart. Left on in evaluation it costs accuracy and
# repeatability, and without the factor evaluation runs on activations that training never saw.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise mlp` writes a stub to fill in, `d2l check
# FILE` examines it on every installed backend. Solutions are in `mlp_solutions.py`.
#
# 1. ★ *A small slope.* Write `leaky_relu(X, slope)`, which keeps positive elements and multiplies the others by
#    `slope` (Maas, Hannun and Ng, 2013). What is its gradient? Does it cure the network at the learning rate 1?
# 2. ★ *The vote of the thinned networks.* Hidden values $\mathbf{h}$ with $m$ entries, dropped with probability
#    $p$, feed a softmax layer. Write `masked_ensemble(H, weight, bias, p)`, the normalised geometric mean of
#    the probabilities under all $2^m$ masks, each weighted by its probability, for `H` (n, m), `weight` (k, m)
#    and `bias` (k,). Why does it equal the network without dropout?
# 3. ★ *A longer staircase.* With $n$ switches, the lamp is on if an odd number of them is up. Write
#    `parity_network(n)`: arrays `weight` (n, n), `bias` (n,) and `output` (n,) such that `output` times the
#    ReLU of `weight` times the switches plus `bias` is 1 or 0.
# 4. *Different weights, the same function.* In how many ways can the hidden units be ordered? Show that
#    multiplying a unit's incoming weights and bias by $c > 0$ and its outgoing weights by $1/c$ changes no
#    output. Does it change the gradient?
# 5. *Noise as a penalty.* Apply dropout to the inputs of linear regression. Show that the expected squared
#    error of one example is $(\mathbf{w}^\top\mathbf{x} - y)^2 + \frac{p}{1-p}\sum_j w_j^2 x_j^2$ and check it
#    by drawing many masks. Which known penalty does it resemble?
#
# ## References
#
# - X. Glorot and Y. Bengio (2010), *Understanding the Difficulty of Training Deep Feedforward Neural Networks*,
#   AISTATS.
# - A. L. Maas, A. Y. Hannun and A. Y. Ng (2013), *Rectifier Nonlinearities Improve Neural Network Acoustic
#   Models*, ICML Workshop on Deep Learning for Audio, Speech and Language Processing.
# - P. Baldi and P. Sadowski (2013), *Understanding Dropout*, NIPS.
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov (2014), *Dropout: A Simple Way to
#   Prevent Neural Networks from Overfitting*, Journal of Machine Learning Research 15.
