# /// lesson
# name = "synthetic-data"
# title = "Data whose truth is known"
# sections = ["3.3"]
# needs = ["least-squares"]
# data = ["synthetic"]
# [time]
# smoke = "2 s"
# standard = "10 s"
# full = "20 s"
# [promises]
# standard = ["lesson: loader_gap <= 0"]
# full = [
#   "lesson: loader_gap <= 0", "lesson: fingerprint >= 16625", "lesson: fingerprint <= 16625",
#   "lesson: z_deviation >= 0.95", "lesson: z_deviation <= 1.05", "lesson: stolen_slope >= 2.009",
#   "lesson: torn_loss >= 12", "lesson: honest_loss <= 0.001",
# ]
# ///

# %% [markdown]
# # Data whose truth is known
#
# A pharmacist does not find out whether her balance is right by weighing medicine. She puts a brass weight of one gram
# on it and looks whether it says one gram. A program that learns needs such weights too. On real data nobody knows the
# right answer, and a program with a mistake in it will still learn *something*; so before it sees real data we give it
# data made by ourselves, from a law that we wrote down.
#
# This lesson makes such data, says how close to the truth a correct program must come (and that a closer result would
# be suspicious), and cuts the data into minibatches, first by hand and then with the `Loader` of the library. At the
# end the same seed gives the same batches, to the last bit, on every backend.

# %%
import hashlib

import numpy as np
from d2l_chapters.linear_regression.least_squares import by_qr, normal_density, with_ones

from d2l_core import nn, optim, random, xp
from d2l_core.data import Loader
from d2l_core.data.synthetic import linear_data
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import squared_error
from d2l_core.plots import INK, flow, house_style
from d2l_core.training import Data, Trainer

# %% [markdown]
# ## The idea
#
# Our law has two features, the weights $2$ and $-3.4$, and the bias $4.2$. We draw the features at random, compute what
# the law says, and add a little noise, as a measurement would. The learning program is shown features and targets, but
# not the three numbers. Everything random is drawn from *streams* that are called by name and seed, so that all can be
# repeated.


# %%
def diagram_data():
    """From a seed to minibatches."""
    return flow(
        ("stream", "seed, name"),
        ("X and noise", "(n, 2), (n, 1)"),
        ("law", "y = Xw + b + noise"),
        ("order", "permutation (n,)"),
        ("batches", "(B, 2), (B, 1)"),
        title="how synthetic data are made",
    )


# %%
if __name__ == "__main__":
    diagram_data()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{X}$ of shape $(n, d)$ hold the features, $\mathbf{w}$ of shape $(d, 1)$ the true weights and $b$ the true
# bias. The targets are
#
# $$\mathbf{y} = \mathbf{X}\mathbf{w} + b + \boldsymbol\varepsilon, \qquad (n, 1),$$
#
# with independent normal errors $\varepsilon_i$ of standard deviation $\sigma$.
#
# **How close must we come?** Append a column of ones to $\mathbf{X}$, call the result $\tilde{\mathbf{X}}$, and put $b$
# below $\mathbf{w}$ to get $\boldsymbol\theta$ of shape $(d + 1, 1)$. The least-squares solution of
# [the lesson before last](least_squares.py) is $\hat{\boldsymbol\theta} = (\tilde{\mathbf{X}}^\top
# \tilde{\mathbf{X}})^{-1} \tilde{\mathbf{X}}^\top \mathbf{y}$. Insert $\mathbf{y} = \tilde{\mathbf{X}}
# \boldsymbol\theta + \boldsymbol\varepsilon$, and the truth comes out, with an error:
#
# $$\hat{\boldsymbol\theta} - \boldsymbol\theta
#   = (\tilde{\mathbf{X}}^\top \tilde{\mathbf{X}})^{-1} \tilde{\mathbf{X}}^\top \boldsymbol\varepsilon .$$
#
# A fixed matrix times normal errors is normal again, with mean zero and the covariance $\sigma^2
# (\tilde{\mathbf{X}}^\top \tilde{\mathbf{X}})^{-1}$ of shape $(d + 1, d + 1)$. For independent standard normal
# features $\tilde{\mathbf{X}}^\top \tilde{\mathbf{X}} \approx n \mathbf{I}$, so each number is off by about $\sigma /
# \sqrt{n}$: with $\sigma = 0.01$ and $n = 1000$ by 0.0003. A program that is off by 0.01 is wrong, however small 0.01
# may look; and one that is off by 0.000001 has seen the truth through some hole. Dividing each error by its own
# standard deviation gives
#
# $$z_j = \frac{\hat\theta_j - \theta_j}{\sigma \sqrt{\big[(\tilde{\mathbf{X}}^\top
#   \tilde{\mathbf{X}})^{-1}\big]_{jj}}},$$
#
# which follows the normal law with mean 0 and standard deviation 1 whatever the features are. That is a test which we
# can repeat on a thousand sets of data.
#
# **Batches.** Write $n = qB + r$ with $0 \le r < B$. An epoch in batches of $B$ has $q$ full ones and, if $r > 0$, one
# of $r$ examples. For $n = 1000$ and $B = 32$ there are 31 full batches and one of 8. The mean loss of the epoch is the
# mean over *examples*. If $\ell_k$ is the mean over batch $k$ and $B_k$ its size, it is
#
# $$\frac{1}{n} \sum_k B_k\, \ell_k, \qquad \text{not} \qquad \frac{1}{\lceil n / B \rceil} \sum_k \ell_k ,$$
#
# where each example of the small batch would count $B / r = 4$ times.

# %% [markdown]
# ## From scratch
#
# A random stream gives numbers that are equally likely anywhere between 0 and 1. Box and Muller (1958) turn two of
# them, $u$ and $v$, into a normal one. A point in the plane with two independent standard normal coordinates has no
# preferred direction, so its angle is $2\pi v$; and half its squared distance from the origin exceeds $t$ with
# probability $e^{-t}$, as $-\log u$ does. So the distance is $\sqrt{-2 \log u}$, and one coordinate is $\sqrt{-2 \log
# u} \cos(2\pi v)$.


# %%
WEIGHT, BIAS, NOISE = (2.0, -3.4), 4.2, 0.01  # the law, and the standard deviation of the errors


def normal_by_hand(shape, *key):
    """Standard normal numbers from the uniform ones of the stream `key`."""
    u, v = random.uniform((2, *shape), *key)  # two of `shape`
    return np.sqrt(-2.0 * np.log(1.0 - u)) * np.cos(2.0 * np.pi * v)  # 1 - u is never 0


class SyntheticByHand:
    """A linear law and data made from it.

    Args:
        weight: the d true weights.
        bias: the true bias.
        n: examples.
        noise: standard deviation of the errors.
        seed: of the streams.
    """

    def __init__(self, weight=WEIGHT, bias=BIAS, n=2000, noise=NOISE, seed=0):
        self.weight, self.bias = np.array(weight)[:, None], bias  # (d,) -> (d, 1)
        self.X = normal_by_hand((n, len(weight)), "by hand", seed, "features")  # (n, d)
        errors = noise * normal_by_hand((n, 1), "by hand", seed, "noise")  # (n, 1)
        self.y = self.X @ self.weight + bias + errors  # (n, d) @ (d, 1) -> (n, 1)


@house_style
def plot_data(X, y):
    """The targets over each feature."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8.0, 2.8), sharey=True)
    for j, (axes, marker) in enumerate(zip(panels, "ox", strict=True)):
        axes.scatter(X[:, j], y[:, 0], s=9, marker=marker, color=f"C{j}", linewidths=0.8)
        axes.set(xlabel=f"feature $x_{j + 1}$")
    panels[0].set_ylabel("target $y$")
    return figure


# %%
if __name__ == "__main__":
    by_hand = SyntheticByHand()
    print(by_hand.X[:3], by_hand.y[:3], sep="\n")
    plot_data(by_hand.X[:500], by_hand.y[:500])

# %% [markdown]
# The cloud on the right is a slanted band, since the second feature counts most; on the left the slope of the first is
# half buried under the variation that comes from the second. A picture of one feature at a time does not show a law of
# two.
#
# Now the batches. Three decisions are enough to fix them. *The order* of an epoch is that in which $n$ random words of
# a stream would have to be sorted; every order is equally likely, and since the stream is called by seed and epoch,
# the fifth epoch can be had without going through the first four. *Pairs stay together*, because one list of indices
# cuts all arrays. *The last batch* holds what is left, or is left out if somebody asks for it.


# %%
class LoaderByHand:
    """Minibatches of arrays that have the same number of rows."""

    def __init__(self, arrays, batch_size, seed=0, shuffle=True, drop_last=False):
        self.arrays, self.batch_size, self.seed = arrays, batch_size, seed
        self.shuffle, self.drop_last = shuffle, drop_last

    def __len__(self):
        n = len(self.arrays[0])
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)  # rounded down or up

    def order(self, epoch):
        """Which example comes when: a permutation of 0, ..., n - 1."""
        n = len(self.arrays[0])
        if not self.shuffle:
            return np.arange(n)
        return np.argsort(random.words(n, self.seed, "shuffle", epoch), kind="stable")  # (n,)

    def epoch(self, epoch):
        """The batches of an epoch, tuples of tensors (B, ...)."""
        order = self.order(epoch)  # (n,)
        for batch in range(len(self)):
            chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]  # (B,), the last may be shorter
            yield tuple(xp.asarray(array[chosen]) for array in self.arrays)


# %%
if __name__ == "__main__":
    loader = LoaderByHand((by_hand.X[:1000], by_hand.y[:1000]), batch_size=32)
    sizes = [tuple(X.shape) for X, _ in loader.epoch(0)]
    print(len(loader), sizes[0], sizes[-1])

# %% [markdown]
# ## Concise
#
# `linear_data` makes data of this kind, and `Loader` batches. It has the same three decisions in it, keeps the arrays
# on the device and only sends the indices; and an epoch can be entered at any batch, which is how an interrupted
# training goes on. Do the batches of both loaders agree? Here nothing is computed but copied, so the difference must
# be exactly zero.


# %%
def loaders(seed=0, batch_size=32, noise=NOISE):
    """A loader of 1000 training examples and one of 1000 further ones in a single batch."""
    X, y = linear_data(WEIGHT, BIAS, 2000, noise=noise, seed=seed)  # (2000, 2), (2000, 1)
    train = Loader((X[:1000], y[:1000]), batch_size, shuffle=True, stream=(seed, "shuffle"))
    return Data(train, Loader((X[1000:], y[1000:]), 1000))


def largest_gap(first, second, epochs):
    """Largest difference between the batches of two loaders; infinite if shapes or numbers of batches differ."""
    gap = 0.0
    for epoch in range(epochs):
        for ours, theirs in zip(first.epoch(epoch), second.epoch(epoch), strict=True):
            for a, b in zip(ours, theirs, strict=True):
                gap = max(gap, np.inf if a.shape != b.shape else float(xp.to_numpy(xp.max(xp.abs(a - b)))))
    return gap


# %%
if __name__ == "__main__":
    data = loaders()
    hand = LoaderByHand(data.train.arrays, batch_size=32)
    report(batches=len(data.train), loader_gap=largest_gap(hand, data.train, epochs=3))

# %% [markdown]
# Over 3 epochs of 32<!--lesson.batches--> batches the largest difference is 0<!--lesson.loader_gap-->. The *numbers* of
# `linear_data` are not those of our class, though the law, the noise and the uniform stream are of the same kind: the
# library turns uniform numbers into normal ones by another correct recipe, the inverse of the distribution function. A
# seed determines data only together with every step of the algorithm that uses it. Here is a fingerprint, a hash of all
# bits of the batches of three epochs. It leaves no room for "nearly".


# %%
def fingerprint(loader, epochs=3):
    """A hash of all batches as float32: an integer below 65,536."""
    digest = hashlib.blake2b(digest_size=2)
    for epoch in range(epochs):
        for batch in loader.epoch(epoch):
            for tensor in batch:
                digest.update(np.ascontiguousarray(xp.to_numpy(tensor), dtype="<f4").tobytes())
    return int.from_bytes(digest.digest(), "big")


# %%
if __name__ == "__main__":
    report(fingerprint=fingerprint(data.train), other_seed=fingerprint(loaders(seed=1).train))

# %% [markdown]
# With seed 0 it is 16,625<!--lesson.fingerprint--> on NumPy, 16,625<!--lesson.fingerprint @torch--> on PyTorch,
# 16,625<!--lesson.fingerprint @jax--> on JAX, 16,625<!--lesson.fingerprint @tensorflow--> on TensorFlow and
# 16,625<!--lesson.fingerprint @mxnet--> on MXNet; with seed 1 it is 57,525<!--lesson.other_seed-->. If your machine
# prints another number for seed 0, something is wrong, and you know it before any training.
#
# ## A thousand sets of data
#
# Now the brass weight. We make a thousand sets of a hundred examples each, fit each by least squares, and look at the
# $z_j$ of the two weights and the bias.


# %%
def z_scores(sets, n=100, noise=NOISE, fit=by_qr, make=linear_data):
    """Errors of the fitted parameters in units of their standard deviations, (sets, 3), in the order w1, w2, b."""
    truth = np.array([*WEIGHT, BIAS])
    scores = []
    for seed in range(sets):
        X, y = make(WEIGHT, BIAS, n, noise=noise, seed=seed)  # (n, 2), (n, 1)
        X = with_ones(X)  # (n, 3)
        fitted = xp.to_numpy(fit(xp.asarray(X), xp.asarray(y)))[:, 0]  # (3, 1) -> (3,)
        deviations = noise * np.sqrt(np.diag(np.linalg.inv(X.T @ X)))  # (3,)
        scores.append((fitted - truth) / deviations)
    return np.array(scores)


@house_style
def plot_z(scores):
    """Histogram of the z-scores (sets, 3) and the normal law."""
    import matplotlib.pyplot as plt

    grid = np.linspace(-4.0, 4.0, 200)
    figure, axes = plt.subplots(figsize=(5.5, 2.8))
    axes.hist(scores.ravel(), bins=40, range=(-4, 4), density=True, color="C0", alpha=0.45, label="fitted")
    axes.plot(grid, normal_density(grid), "--", color="C1", label="normal law")
    axes.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="error in units of its standard deviation", ylabel="density")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    scores = z_scores({"smoke": 10, "standard": 300, "full": 1000}[scale()])
    report(z_mean=scores.mean(), z_deviation=scores.std(), within_two=np.mean(np.abs(scores) < 1.96))

# %%
if __name__ == "__main__":
    plot_z(scores)

# %% [markdown]
# The mean of the $z$ is −0.003<!--lesson.z_mean-->, their standard deviation 0.99<!--lesson.z_deviation-->, and
# 95.2 %<!--lesson.within_two--> lie between −1.96 and 1.96, where the normal law has 95 %. So data, solver and formula
# fit together. Had the noise been half as large as we said, the deviation of the $z$ would be 0.5; had the solver used
# only every other example, 1.4. Each single result would still have been "close to the truth".
#
# ## What goes wrong
#
# **One stream for two purposes.** Seeding twice with the same number looks tidy. But then the noise consists of the
# same random numbers as the features, only smaller. With a single feature the noise is exactly $\sigma x$, a part of
# the law.


# %%
def one_stream(n=1000, noise=NOISE, seed=0):
    """Data of y = 2x + 1 + noise, where the noise is drawn from the stream of the features: X (n, 1), y (n, 1)."""
    X = random.normal((n, 1), "mine", seed)
    return X, 2.0 * X + 1.0 + noise * random.normal((n, 1), "mine", seed)


# %%
if __name__ == "__main__":
    X, y = one_stream()  # (1000, 1), (1000, 1)
    fitted = by_qr(xp.asarray(with_ones(X)), xp.asarray(y))  # (2, 1)
    residuals = xp.to_numpy(xp.matmul(xp.asarray(with_ones(X)), fitted) - xp.asarray(y))  # (1000, 1)
    report(stolen_slope=fitted[0, 0], stolen_deviation=residuals.std(), stolen_z=NOISE / (NOISE / np.sqrt(len(X))))

# %% [markdown]
# The slope comes out as 2.010<!--lesson.stolen_slope--> instead of 2, and the residuals have a deviation of
# $3 \cdot 10^{-7}$<!--lesson.stolen_deviation-->, mere rounding, where 0.01 of noise should be. In units of its
# standard deviation the slope is wrong by 32<!--lesson.stolen_z-->. A fit that is too good is a finding.
#
# **Torn pairs.** Whoever shuffles features and targets in two calls gives every example the target of another.
#
# **Sorted data.** Many files are sorted, by date, by class or by size. If batches are cut from them in this order, the
# weights follow the latest batch and forget the others.


# %%
def spoilt(kind, noise=NOISE, seed=0):
    """The data of `loaders`, where training pairs are honest, torn, or sorted by the target and not shuffled."""
    data = loaders(seed, noise=noise)
    X, y = data.train.arrays  # (1000, 2), (1000, 1)
    if kind == "torn":
        X = X[random.permutation(len(X), seed, "features")]
    if kind == "sorted":
        order = np.argsort(y[:, 0])
        X, y = X[order], y[order]
    return Data(Loader((X, y), 32, shuffle=kind != "sorted", stream=(seed, "shuffle")), data.val)


def trained_on(data, epochs=3, lr=0.03):
    """The last validation loss of a linear model."""
    trainer = Trainer(epochs)
    history = trainer.fit(nn.Linear(1), data, loss=squared_error, optimiser=lambda model: optim.SGD(model, lr=lr))
    return history.final("val_loss")


# %%
if __name__ == "__main__":
    honest, torn, in_order = (trained_on(spoilt(kind)) for kind in ("honest", "torn", "sorted"))
    report(honest_loss=honest, torn_loss=torn, sorted_loss=in_order)
    X, y = loaders(noise=2.0).val.arrays  # (1000, 2), (1000, 1)
    report(law_noisy=np.mean((X @ np.array(WEIGHT)[:, None] + BIAS - y) ** 2))
    report(honest_noisy=trained_on(spoilt("honest", noise=2.0)), sorted_noisy=trained_on(spoilt("sorted", noise=2.0)))

# %% [markdown]
# Three epochs on honest batches end at a validation loss of 0.00027<!--lesson.honest_loss-->. On torn pairs it is
# 15.4<!--lesson.torn_loss-->, about the variance of the targets: nothing is left to learn but their mean. On sorted
# data it is 0.00018<!--lesson.sorted_loss-->, no worse than on honest ones: with so little noise the true weights
# suit every batch, whatever its order. With a noise of 2 it is otherwise. The true law has a loss of
# 3.75<!--lesson.law_noisy--> on these validation data, honest batches reach 3.76<!--lesson.honest_noisy-->, and
# sorted ones 4.31<!--lesson.sorted_noisy-->: the last batches hold the largest targets, whose noise is positive for
# the most part, and pull the weights towards themselves.
#
# **The mean of means.** In an evaluation there is no need to shuffle, and the small batch is always made of the same
# examples, the last ones.


# %%
def two_means(loader):
    """Mean squared target over the examples of an epoch, and the mean of the means of its batches."""
    means, sizes = zip(*((float(xp.to_numpy(xp.mean(y * y))), len(y)) for _, y in loader.epoch(0)), strict=True)
    return np.average(means, weights=sizes), np.mean(means)


# %%
if __name__ == "__main__":
    by_example, by_batch = two_means(spoilt("sorted").train)
    report(by_example=by_example, by_batch=by_batch)

# %% [markdown]
# On the sorted data the mean square of the targets is 34.2<!--lesson.by_example-->, the mean of the batch means
# 39.1<!--lesson.by_batch-->: the 8 largest targets have counted four times. The `Trainer` weighs by size.
#
# ## Under the surface
#
# The same seed does not give the same numbers in two frameworks, and sometimes not even in one. NumPy's default
# generator is PCG64; PyTorch uses the Mersenne Twister on a CPU and Philox on a GPU, so the seed means different data
# on the two; JAX hashes an explicit key with Threefry; TensorFlow has Philox, once with a hidden state and once
# without. And as we saw, equal uniform numbers do not yet make equal normal ones. In this course all data, orders and
# initial values come from one Philox generator (Salmon and others, 2011) on the host, with arithmetic that is rounded
# in the same way everywhere.
#
# The loaders differ as well. PyTorch's `DataLoader` does not shuffle unless told to. In `tf.data`,
# `shuffle(buffer_size)` mixes only as far as its buffer reaches: with a buffer of one it does nothing, and with
# sorted data and a small buffer the data stay nearly sorted (exercise 2). Gluon's `DataLoader` knows a third way with
# the last batch, besides keeping and dropping it: `rollover` keeps the rest for the next epoch. JAX has no loader at
# all. Where arrays have different numbers of rows, our `Loader` refuses; the version by hand would cut pairs from
# them without a word.
#
# ## Summary
#
# Synthetic data are the brass weights of machine learning: the law is known, so the error of what was learned can be
# computed, and its size be forecast. For least squares it is normal with the covariance $\sigma^2
# (\tilde{\mathbf{X}}^\top\tilde{\mathbf{X}})^{-1}$, and a result that is much better deserves as much suspicion as one
# that is much worse. A loader fixes the order by seed and epoch, keeps pairs together, and has to decide on the last
# batch; means over an epoch weigh batches by their size. Every random purpose needs a stream of its own.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise synthetic-data` writes a stub to fill in,
# `d2l check FILE` examines it on every installed backend. Solutions to all are in `synthetic_data_solutions.py`.
#
# 1. ★ *The last batch.* Write `split_order(order, batch_size, last)`, which cuts an order into batches. `last` is
#    "keep", "drop", or "even": in that case there are as many batches as with "keep", but their sizes differ by one
#    at most. What speaks for "even"?
# 2. ★ *Shuffling with a small memory.* Write `buffered_order(n, size, *key)`: a buffer is filled with the first `size`
#    examples; again and again a random one leaves it and the next example takes the free place, until all have left.
#    How far forward can an example come, and how far back?
# 3. *Another noise.* Replace the normal noise by a uniform one of the same deviation, and by one that is zero except
#    for one example in a hundred. Does the figure of the $z$ change? Why, or why not?
# 4. *A law that the model does not know.* Add $0.02\, x_1^2$ to the targets and look at the $z$ again. Which of the
#    three parameters gives the mistake away, and by how many standard deviations should it be off?
# 5. *The price of the rest.* Show that the gradient of a batch of $r$ examples has $B/r$ times the variance of a full
#    one. By how much should one lower the learning rate for it?
#
# ## References
#
# - G. E. P. Box and M. E. Muller (1958), *A Note on the Generation of Random Normal Deviates*, Annals of Mathematical
#   Statistics 29.
# - J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), *Parallel Random Numbers: As Easy as 1, 2, 3*,
#   International Conference for High Performance Computing, Networking, Storage and Analysis.
