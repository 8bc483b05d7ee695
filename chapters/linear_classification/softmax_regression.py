# /// lesson
# name = "softmax-regression"
# title = "Softmax regression"
# sections = ["4.4", "4.5"]
# needs = ["linear-regression", "classifier"]
# data = ["fashion-mnist"]
# main = "concise"
# [time]
# smoke = "1 s"
# standard = "3 s"
# full = "1 min"
# [promises]
# full = [
#   "scratch: val_acc >= 0.825", "concise: val_acc >= 0.8255",
#   "lesson: gap <= 1e-4", "lesson: gradient_gap <= 1e-5",
# ]
# ///

# %% [markdown]
# # Softmax regression
#
# A warehouse gets back what its customers do not want to keep. A camera looks at each piece that comes out of
# its parcel, and a computer must say what it is, so that it goes to the right shelf: a shirt, a coat, a boot?
# The answer is one of ten names, not a number on a scale; a sandal is not "more" than a dress. And it should
# say how sure it is, so that a person can look at the doubtful ones.
#
# We keep the weighted sum of [linear regression](../linear_regression/linear_regression.py) and use ten of them, one
# for each class. What is new is how ten sums become ten probabilities, which loss belongs to them, and why the obvious
# way to compute it fails. [Softmax and cross-entropy](softmax_and_cross_entropy.py) asks where both come from; here the
# few lines that we need are derived anew, and the model is trained.

# %%
import numpy as np
from d2l_chapters.linear_classification.classifier import confusion, plot_confusion, scores_of
from d2l_chapters.linear_regression.linear_regression import GradientDescent

from d2l_core import nn, optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import FASHION_MNIST_LABELS, Loader, load_fashion_mnist, to_float_images
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import accuracy, cross_entropy
from d2l_core.plots import INK, house_style
from d2l_core.training import Data, Trainer

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## The idea
#
# For each class the model holds a *template*, an image of weights as large as the photograph. It multiplies
# photograph and template pixel by pixel and adds everything up: a large sum, called a *logit*, means that
# they match. Logits may be negative and do not add up to anything. The exponential makes them positive and
# enlarges the distances; dividing by the total gives numbers that add up to one. That is the softmax.


# %%
@house_style
def plot_idea():
    """Four logits on their way to probabilities."""
    import matplotlib.pyplot as plt

    names = ["shirt", "coat", "boot", "bag"]
    logits = np.array([2.0, 1.0, -1.5, 0.2])
    powers = np.exp(logits)
    figure, panels = plt.subplots(1, 3, figsize=(8.5, 2.6))
    titles = ("logits $o_j$", "powers $e^{o_j}$", r"probabilities $e^{o_j} / \sum_l e^{o_l}$")
    for axes, values, title in zip(panels, (logits, powers, powers / powers.sum()), titles, strict=True):
        bars = axes.bar(names, values, alpha=0.6, edgecolor=INK)
        axes.bar_label(bars, fmt="%.2f", fontsize=9, padding=2)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(title=title, yticks=[])
        axes.margins(y=0.2)
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{x} \in \mathbb{R}^d$ be an image with its $d = 784$ pixels in one row, and $k = 10$ the number
# of classes. The weights are a matrix $\mathbf{W} \in \mathbb{R}^{k \times d}$ with one template in each row,
# the biases a vector $\mathbf{b} \in \mathbb{R}^k$. For $n$ images, the rows of $\mathbf{X}$, the logits are
#
# $$\mathbf{O} = \mathbf{X}\mathbf{W}^\top + \mathbf{b}, \qquad (n, d) \cdot (d, k) \to (n, k).$$
#
# The *softmax* (Bridle, 1990) of one row $\mathbf{o}$ is the vector of probabilities
#
# $$p_j = \frac{\exp(o_j)}{\sum_{l=1}^k \exp(o_l)} .$$
#
# **The loss.** As in linear regression we want the weights under which the data are most probable. The model
# gives the right class $y$ the probability $p_y$, so the negative logarithm of the probability of all labels
# is a sum of $-\log p_y$, and its mean is the loss. For one image,
#
# $$\ell = -\log p_y = \log \sum_{l=1}^k \exp(o_l) - o_y .$$
#
# It is called *cross-entropy* and is measured in nats. A model that knows nothing gives each class $1/10$ and
# has the loss $\log 10 = 2.303$. With small initial weights we start there; another first value is a sign of
# an error.
#
# **The gradient.** Differentiate the right-hand side with respect to $o_j$. The first term gives $\exp(o_j) /
# \sum_l \exp(o_l)$, which is $p_j$ again; the second gives $-1$ if $j = y$ and nothing otherwise. Hence
#
# $$\frac{\partial \ell}{\partial o_j} = p_j - [j = y] .$$
#
# What the model believes minus what is true: the residual of linear regression has come back. With
# $\mathbf{P}$ the probabilities of all images and $\mathbf{Y}$ the labels as rows with a single one, both
# $(n, k)$, the chain rule through $\mathbf{O}$ gives for the mean loss $L$
#
# $$\frac{\partial L}{\partial \mathbf{W}} = \frac{1}{n} (\mathbf{P} - \mathbf{Y})^\top \mathbf{X},
#   \qquad (k, n) \cdot (n, d) \to (k, d) .$$
#
# **One valley.** The second derivatives of $\ell$ are $\partial p_j / \partial o_l = p_j ([j = l] - p_l)$. For any
# vector $\mathbf{v}$ their quadratic form is $\sum_j p_j v_j^2 - (\sum_j p_j v_j)^2$, the variance of $v$ under the
# probabilities $p$, which is never negative: the loss is convex. A variance is at most a quarter of the squared range,
# and the squared range of the $v_j$ at most $2 \lVert \mathbf{v} \rVert^2$, so this one is at most half of
# $\lVert \mathbf{v} \rVert^2$ (Böhning, 1992). The curvature with respect to $\mathbf{W}$, biases left aside, is
# therefore at most half the largest eigenvalue $\mu$ of $\frac{1}{n}\mathbf{X}^\top\mathbf{X}$, and full-batch descent
# with the learning rate $\eta$ cannot diverge as long as $\eta < 4 / \mu$.
#
# **Overflow.** In float32 the exponential overflows above 88.7. But the softmax does not change when the same
# number $m$ is subtracted from all logits, since numerator and denominator are both divided by $e^m$. With $m
# = \max_l o_l$ the largest power is 1 and the sum lies between 1 and $k$: nothing overflows, and the
# logarithm never meets a zero,
#
# $$\log \sum_l \exp(o_l) = m + \log \sum_l \exp(o_l - m) .$$

# %% [markdown]
# ## From scratch
#
# The three formulas, model, softmax and loss, become three pieces of code. The loss works on logits and never
# computes a probability.


# %%
class SoftmaxRegressionScratch(nn.Module):
    """One weighted sum of the pixels for each class: images (n, ...) to logits (n, num_classes)."""

    def __init__(self, num_inputs, num_classes, sigma=0.01):
        super().__init__()
        self.num_inputs = num_inputs
        self.weight = nn.Parameter((num_classes, num_inputs), nn.initialisers.Normal(sigma))
        self.bias = nn.Parameter((num_classes,), nn.initialisers.Constant(0.0))

    def forward(self, X):
        """Logits of the images."""
        X = xp.reshape(X, (-1, self.num_inputs))  # (n, 1, 28, 28) -> (n, 784)
        return xp.matmul(X, xp.matrix_transpose(self.weight)) + self.bias  # (n, 784) @ (784, 10) -> (n, 10)


def softmax(logits):
    """Rows of probabilities (n, k) for rows of logits (n, k)."""
    powers = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))  # (n, k) - (n, 1) -> (n, k)
    return powers / xp.sum(powers, axis=-1, keepdims=True)  # (n, k) / (n, 1) -> (n, k)


def log_likelihood_loss(logits, labels):
    """Mean of -log p of the right class; logits (n, k), integer labels (n,), a 0-d tensor."""
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)  # (n, k)
    log_total = xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))  # (n, k) -> (n, 1)
    indices = xp.expand_dims(labels, axis=-1)  # (n,) -> (n, 1)
    right = xp.take_along_axis(shifted, indices, axis=-1)  # (n, k) -> (n, 1)
    return xp.mean(log_total - right)  # (n, 1) -> ()


def gradient_by_hand(X, labels, logits):
    """The formula of the text: gradient of the weight (k, d) for flat images X (n, d)."""
    n, k = logits.shape
    Y = xp.take(xp.eye(k), labels, axis=0)  # (n, k)
    return xp.matmul(xp.matrix_transpose(softmax(logits) - Y), X) / n  # (k, n) @ (n, d) -> (k, d)


# %% [markdown]
# The data are photographs of Zalando's shop, collected by Xiao, Rasul and Vollgraf (2017) as *Fashion-MNIST*: 60,000
# for training and 10,000 for validation, grey, 28 by 28 pixels, ten classes in equal numbers. The package carries 6,000
# and 1,000 of them, which the scale "standard" uses. The images stay bytes until a batch is drawn; then
# `to_float_images` divides by 255.


# %%
def fashion_arrays(scale):
    """Training and validation pairs of images (n, 28, 28), bytes, and labels (n,), integers."""
    pairs = []
    for split, smoke_count in (("train", 512), ("test", 256)):
        images, labels = load_fashion_mnist(split, sample=scale != "full")
        count = smoke_count if scale == "smoke" else len(labels)
        pairs.append((images[:count], labels[:count].astype(np.int32)))
    return pairs


def fashion_mnist(scale, seed, batch_size=256, transform=to_float_images):
    """Fashion-MNIST: all of it at full scale, the embedded sample at standard, 512 + 256 images at smoke."""
    train, val = fashion_arrays(scale)
    return Data(
        Loader(train, batch_size, shuffle=True, stream=(seed, "shuffle"), transform=transform),
        Loader(val, 1000, transform=transform),
    )


# %%
if __name__ == "__main__":
    data = fashion_mnist(shown, seed=0)
    X, y = next(iter(data.train.epoch(0)))  # (256, 1, 28, 28), (256,)
    model = SoftmaxRegressionScratch(784, 10).initialise(seed=0)
    value, automatic = value_and_grad(lambda X, y: log_likelihood_loss(model(X), y), model)(X, y)
    ours = gradient_by_hand(xp.reshape(X, (-1, 784)), y, model(X))
    gap = np.abs(xp.to_numpy(ours) - xp.to_numpy(automatic["weight"])).max()
    print(f"log 10 = {np.log(10):.3f}")
    report(first_loss=value, gradient_gap=gap)

# %% [markdown]
# The first loss, 2.32<!--lesson.first_loss-->, lies where it should, near $\log 10 = 2.303$; the gradients by hand
# and by the machine differ by rounding only.
#
# ## Concise
#
# The library's `nn.Flatten` makes rows of images, `nn.Linear` has one output for each class, and
# `cross_entropy` computes our loss from logits, on most backends by a fused kernel. The optimiser of the
# scratch job is the one we wrote for linear regression. Both jobs have the batch size 256 and the learning
# rate 0.1, and run for ten epochs.

# %%
epochs = {"smoke": 2, "standard": 10, "full": 10}
shared = {"data": fashion_mnist, "epochs": epochs, "metrics": {"acc": accuracy}, "headline": "val_acc"}
jobs = {
    "scratch": Job(
        model=lambda: SoftmaxRegressionScratch(784, 10),
        loss=log_likelihood_loss,
        optimiser=lambda model: GradientDescent(model, lr=0.1),
        **shared,
    ),
    "concise": Job(
        model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(10, weight_init=nn.initialisers.Normal(0.01))),
        loss=cross_entropy,
        optimiser=lambda model: optim.SGD(model, lr=0.1),
        **shared,
    ),
}


# %% [markdown]
# The two jobs start differently, because the weight is called `weight` in one model and `1.weight` in the
# other and each name has its own random numbers. To see whether they agree we copy the weights from one to
# the other and train both on the same batches.


# %%
def trained_from_one_start(scale, seed, epochs=1):
    """Histories of the scratch and the concise model, trained from the same weights."""
    data = fashion_mnist(scale, seed)
    scratch = jobs["scratch"].model().initialise(seed=seed)
    concise = jobs["concise"].model().initialise(*next(iter(data.train.epoch(0)))[:-1], seed=seed)
    concise.load_state_dict({f"1.{path}": array for path, array in scratch.state_dict().items()})
    return [
        Trainer(epochs, seed=seed).fit(model, data, loss=jobs[name].loss, optimiser=jobs[name].optimiser)
        for name, model in (("scratch", scratch), ("concise", concise))
    ]


# %%
if __name__ == "__main__":
    first, second = trained_from_one_start(shown, seed=0)
    report(gap=np.max(np.abs(np.subtract(first.losses, second.losses))))
    np.testing.assert_allclose(second.losses, first.losses, rtol=1e-4)

# %% [markdown]
# ## Ten epochs
#
# First the sample, then the recorded runs on all 60,000 images: each backend, with the mean and the spread
# over the seeds.

# %%
if __name__ == "__main__":
    run = jobs["concise"].run(shown)
    for record in run.history.epochs:
        print(f"epoch {record['epoch']}: val_loss {record['val_loss']:.3f}, val_acc {record['val_acc']:.3f}")
    accuracies = run.history.column("val_acc")
    report(after_three=accuracies[:3][-1], after_four=accuracies[:4][-1])
    report(val_acc=accuracies[-1], val_loss=run.history.final("val_loss"))

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("softmax-regression"))


# %%
@house_style
def plot_templates(model):
    """The row of the weight of each class as an image."""
    import matplotlib.pyplot as plt

    weight = next(v for path, v in model.state_dict().items() if path.endswith("weight"))  # (10, 784)
    limit = np.abs(weight).max()
    figure, panels = plt.subplots(2, 5, figsize=(7.5, 3.4))
    for axes, row, name in zip(panels.flat, weight, FASHION_MNIST_LABELS, strict=True):
        axes.imshow(row.reshape(28, 28), cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_title(name, fontsize=9)
        axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    plot_templates(run.model)

# %%
if __name__ == "__main__":
    counts = xp.to_numpy(confusion(*scores_of(run.model, run.data.val)))  # (10, 10)
    for name, row in zip(FASHION_MNIST_LABELS, counts, strict=True):
        print(f"{name:>12}: {row[FASHION_MNIST_LABELS.index(name)] / row.sum():.0%}")
    shares = {name: row / row.sum() for name, row in zip(FASHION_MNIST_LABELS, counts, strict=True)}
    report(**{f"{name}s_right": shares[name][FASHION_MNIST_LABELS.index(name)] for name in ("bag", "trouser", "shirt")})
    report(**{f"shirts_taken_for_{i}": shares["shirt"][i] for i in (0, 2, 4)})
    plot_confusion(counts)

# %% [markdown]
# On the sample with seed 0 the model named 80 %<!--lesson.val_acc--> of the validation images rightly. The share
# varies widely: 97 %<!--lesson.bags_right--> of the bags, 95 %<!--lesson.trousers_right--> of the trousers, but only
# 40 %<!--lesson.shirts_right--> of the shirts. The confusion table shows where the shirts go:
# 24 %<!--lesson.shirts_taken_for_4--> to the coats, 17 %<!--lesson.shirts_taken_for_2--> to the pullovers,
# 13 %<!--lesson.shirts_taken_for_0--> to the t-shirts. The templates show why (blue counts for the class, red against
# it). A trouser is known by what is absent: the red stripe votes against any light between the legs. A shirt and a
# coat light up the same pixels, and a weighted sum can only ask *how much* light there is at a place, not whether two
# places go together, as a collar does with a row of buttons.
#
# Look at the accuracy by epoch: 0.763<!--lesson.after_three--> after the third, 0.726<!--lesson.after_four--> after
# the fourth. This is not bad luck. The bound of the mathematical section tells us that descent is safe below
# $4 / \mu$; the next cell computes it. Pixels are never negative, so all images share a large common part, and $\mu$
# is 111<!--lesson.mu-->: the safe rate is 0.036<!--lesson.safe_rate-->, and ours is nearly three times as large. It
# works nevertheless, since the bound is attained only where the model hesitates between two classes and no others,
# and the curvature falls as it becomes surer; but until then the weights swing. With the mean image subtracted $\mu$
# would be 20<!--lesson.mu_centred-->.


# %%
def largest_eigenvalue(images):
    """The largest eigenvalue of the mean of x x' over images (n, ...), on the host."""
    flat = np.asarray(images, dtype=np.float64).reshape(len(images), -1)  # (n, 784)
    return float(np.linalg.eigvalsh(flat.T @ flat / len(flat))[-1])


# %%
if __name__ == "__main__":
    images, labels = fashion_arrays(shown)[0]
    mu = largest_eigenvalue(images / 255)
    report(mu=mu, safe_rate=4 / mu, mu_centred=largest_eigenvalue(images / 255 - (images / 255).mean(axis=0)))

# %% [markdown]
# ## What goes wrong
#
# **The obvious softmax.** Written as the formula stands, it fails in two ways: the exponential of a large
# logit is infinite, and the logarithm of a probability that was rounded to zero is infinite too.


# %%
def naive_softmax(logits):
    """The definition, word for word."""
    powers = xp.exp(logits)  # (n, k)
    return powers / xp.sum(powers, axis=-1, keepdims=True)  # (n, k)


def naive_loss(logits, labels):
    """Mean of -log p of the right class by way of the probabilities of our own, careful softmax."""
    return -xp.mean(xp.log(xp.take_along_axis(softmax(logits), xp.expand_dims(labels, axis=-1), axis=-1)))


# %%
if __name__ == "__main__":
    logits, label = xp.asarray([[1000.0, 0.0]]), xp.asarray(np.array([1], dtype=np.int32))
    print("naive softmax", xp.to_numpy(naive_softmax(logits)), "careful", xp.to_numpy(softmax(logits)))
    for loss in (naive_loss, log_likelihood_loss):
        value, gradient = value_and_grad(loss)(logits, label)
        print(loss.__name__, xp.to_numpy(value), "gradient", xp.to_numpy(gradient))

# %% [markdown]
# The naive softmax is infinity divided by infinity. The second case is more instructive: its softmax is the
# careful one and right to the last bit, and yet its loss is infinite and the gradient not a number, for the
# probability $e^{-1000}$ cannot be held and became zero. A single such image destroys all weights. Computed
# from logits, the loss is 1000 and the gradient $(1, -1)$, the largest push that an image can give. The two
# steps, softmax and logarithm, must be one function.
#
# **Bytes instead of fractions.** Suppose that we forget to divide the pixels by 255.


# %%
def raw_pixels(images, labels):
    """The bytes as floats, from 0 to 255."""
    return xp.astype(images, xp.float_dtype()), labels


def train(data, seed=0, epochs=10):
    """History of the concise model on other data."""
    job = jobs["concise"]
    return Trainer(epochs, seed=seed).fit(
        job.model(), data, loss=job.loss, optimiser=job.optimiser, metrics=job.metrics
    )


# %%
if __name__ == "__main__":
    history = train(fashion_mnist(shown, 0, transform=raw_pixels), epochs=epochs[shown])
    print("val_loss", [round(value, 1) for value in history.column("val_loss")])
    print("val_acc ", [round(value, 3) for value in history.column("val_acc")])
    found = history.column("val_acc")
    report(raw_val_acc=found[-1], raw_lowest=min(found), raw_highest=max(found), raw_safe_rate=4 / (255**2 * mu))

# %% [markdown]
# The loss is not infinite, and the accuracy even rises in the end, to 0.73<!--lesson.raw_val_acc @jax--> on JAX and
# 0.79<!--lesson.raw_val_acc @mxnet--> on MXNet; rounding decides where a run ends, and yours may end elsewhere. This is
# why the mistake often goes unnoticed. But the accuracy jumps, on JAX between 0.55<!--lesson.raw_lowest @jax--> and
# 0.78<!--lesson.raw_highest @jax-->, from epoch to epoch, and the validation loss stays in the thousands, when guessing
# would have 2.3: the model is sure of everything, its errors included. By our bound the reason is plain. $\mu$ is
# $255^2 = 65{,}025$ times as large and the safe learning rate $5.6 \cdot 10^{-7}$<!--lesson.raw_safe_rate-->.
#
# **Sorted data.** Many collections are stored class by class. Here is what happens if such a file is read in
# order, without shuffling.


# %%
def sorted_by_label(scale):
    """Fashion-MNIST with all training images of one class after those of another, in the same order in each epoch."""
    (images, labels), val = fashion_arrays(scale)
    order = np.argsort(labels, kind="stable")
    train = Loader((images[order], labels[order]), 256, shuffle=False, transform=to_float_images)
    return Data(train, Loader(val, 1000, transform=to_float_images))


# %%
if __name__ == "__main__":
    history = train(sorted_by_label(shown), epochs=epochs[shown])
    print("loss   ", [round(value, 3) for value in history.column("loss")])
    print("val_acc", [round(value, 3) for value in history.column("val_acc")])
    report(sorted_first=history.column("val_acc")[0], sorted_val_acc=history.final("val_acc"))
    report(sorted_first_loss=history.column("loss")[0], sorted_loss=history.final("loss"))

# %% [markdown]
# After the first epoch the accuracy was 0.1<!--lesson.sorted_first-->, exactly what one answer for everything gives;
# after ten it was 0.56<!--lesson.sorted_val_acc-->, where shuffled batches of the same images with the same number of
# steps led to 0.80<!--lesson.val_acc-->. The last batches of an epoch hold nothing but ankle boots, and in every step
# the gradient points to the one or two classes at hand. A minibatch gradient is right on average only if the batch is
# drawn from all classes. One should also note what does *not* betray the mistake: the training loss, measured batch
# by batch, falls from 2.65<!--lesson.sorted_first_loss--> to 1.15<!--lesson.sorted_loss--> and looks like progress.
#
# ## Under the surface
#
# The frameworks agree on the formula and disagree on what one must hand over. PyTorch's `cross_entropy` and
# `optax.softmax_cross_entropy_with_integer_labels` take logits; the first returns the mean, the second one value for
# each example. Keras' `SparseCategoricalCrossentropy` takes *probabilities* unless one says `from_logits=True`. If it
# is handed logits by mistake, it runs without complaint. Correct probabilities it clips at $10^{-7}$, so that a loss
# cannot exceed $-\log 10^{-7} = 16.1$ where ours above is 1000; only where they come straight from a softmax of its own
# does it (on TensorFlow) find the logits behind them and compute the loss from those. Gluon's `SoftmaxCrossEntropyLoss`
# has an argument of the same name with another meaning: there `from_logits=True` says that the input holds
# *log-probabilities*, and the default takes what everybody else calls logits.
#
# Labels are a second trap. PyTorch wants 64-bit integers (or bytes) and refuses 32-bit ones, JAX has no
# 64-bit integers unless they are switched on, and TensorFlow takes either. The adapters convert; in our
# lessons labels are plain integers.
#
# Where two logits tie, `argmax` takes the first on all of them, so an accuracy can be compared exactly: with seed 0
# all five backends reported 0.804<!--lesson.val_acc--> on the sample, and losses that agreed to six digits
# (0.599861<!--lesson.val_loss-->).
#
# ## Summary
#
# Softmax regression computes one weighted sum for each class and turns the sums into probabilities that add
# up to one. Its loss is the negative log-likelihood of the labels; the gradient with respect to the logits is
# prediction minus truth, and the loss is convex. It must be computed from logits with the largest one
# subtracted, since probabilities overflow or vanish. Inputs should be of order one, and batches must mix the
# classes.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise softmax-regression` writes a stub to fill
# in, `d2l check FILE` examines it on every installed backend. Solutions are in
# `softmax_regression_solutions.py`.
#
# 1. ★ *Less sure.* Szegedy and others (2016) replace the single one in the row of a label by $1 - \epsilon$
#    plus $\epsilon / k$, and the zeros by $\epsilon / k$. Write `smoothed_loss(logits, labels, epsilon)`, the
#    mean of $-\sum_j q_j \log p_j$ with these $q$. What is its gradient with respect to the logits?
# 2. ★ *Second guesses.* Write `top_k_accuracy(logits, labels, k)`, the share of rows whose label is among the
#    $k$ largest logits. How good is our model if it may name two classes?
# 3. *Zeros.* Start with $\mathbf{W} = 0$. Does the model learn? Why is this different for a network with a
#    hidden layer?
# 4. *A direction without effect.* Show that adding the same row to all rows of $\mathbf{W}$ changes no
#    probability, and that descent never moves $\mathbf{W}$ in this direction. Check it on a trained model.
# 5. *Two classes.* Show that for $k = 2$ the probability of class 1 is a function of $o_1 - o_2$ alone, and
#    find it (Cox, 1958).
#
# ## References
#
# - J. S. Bridle (1990), *Probabilistic Interpretation of Feedforward Classification Network Outputs*, in
#   Neurocomputing, which gave the softmax its name.
# - D. R. Cox (1958), *The Regression Analysis of Binary Sequences*, Journal of the Royal Statistical Society
#   B 20.
# - D. Böhning (1992), *Multinomial Logistic Regression Algorithm*, Annals of the Institute of Statistical
#   Mathematics 44, with the bound of one half on the curvature.
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna (2016), *Rethinking the Inception Architecture
#   for Computer Vision*, CVPR.
# - H. Xiao, K. Rasul and R. Vollgraf (2017), *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
#   Learning Algorithms*, arXiv:1708.07747.
