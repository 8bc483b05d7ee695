# /// lesson
# name = "parameter-initialisation"
# title = "Initial values of parameters"
# sections = ["6.3"]
# needs = ["softmax-regression", "mlp"]
# data = ["fashion-mnist"]
# [time]
# smoke = "3 s"
# standard = "15 s"
# full = "15 s"
# [promises]
# full = [
#   "lesson: fingerprint >= 3672467100", "lesson: fingerprint <= 3672467100", "lesson: order_changes <= 0",
#   "lesson: queue_changes >= 3", "lesson: insertion_changes >= 2", "lesson: named_changes <= 0",
#   "lesson: largest_deviation <= 3.5", "lesson: orthogonal_gap <= 1e-12", "lesson: right_acc >= 0.6",
#   "lesson: small_acc <= 0.5", "lesson: large_first_loss >= 100", "lesson: wrong_layout >= 5",
# ]
# ///

# %% [markdown]
# # Initial values of parameters
#
# Two students build the same network, set the same seed and train on the same data. One gets 84 per cent, the other 82,
# and neither can say why. After an evening they find it: one of them had drawn a random number for a plot before the
# network was built. It moved every weight.
#
# Training is deterministic once the data, the order of the batches and the *initial values* are given. Those values
# decide whether a deep network learns at all, and they are the place where two runs that should be equal usually
# part. In this lesson we choose them: by the initialisers of the library, by functions of our own, and by hand. We
# check their statistics against theory, make them independent of the order in which things are built, and see what
# a wrong scale does.

# %%
import hashlib
import math

import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist
from d2l_chapters.multilayer_perceptrons.mlp import train

from d2l_core import nn, random, xp
from d2l_core.errors import TrainingDiverged
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import cross_entropy
from d2l_core.nn.initialisers import (
    Constant,
    FanInUniform,
    HeNormal,
    HeUniform,
    Normal,
    Orthogonal,
    Uniform,
    XavierNormal,
    XavierUniform,
)
from d2l_core.plots import INK, flow, house_style

# %% [markdown]
# ## The idea
#
# The usual random generator is a queue: it gives out one number after the other, and what a parameter gets depends
# on who came before. Build the layers in another order, add one in between, draw one number for something else, and
# everything behind it changes.
#
# The other way is a wardrobe with labelled hooks. Each parameter has a *path* such as `1.weight` or
# `encoder.0.bias`. The path and the seed together name a random stream, and the parameter takes its numbers from
# the beginning of its own stream. Who else draws, and when, does not matter.


# %%
def diagram_stream():
    """From the name of a parameter to its values."""
    return flow(
        ("path, seed", "'1.weight', 0"),
        ("hash", "a key of 128 bits"),
        ("Philox", "64-bit words"),
        ("uniform", "in [0, 1)"),
        ("initialiser", "float64, shape"),
        ("parameter", "float32"),
        title="from a name to values",
    )


# %%
if __name__ == "__main__":
    diagram_stream()

# %% [markdown]
# ## The mathematics
#
# **From a name to numbers.** A *counter-based* generator is a function $f(k, c)$ of a key $k$ and a counter $c$
# that mixes the bits of both so thoroughly that the sequence $f(k, 0), f(k, 1), f(k, 2), \dots$ passes for random
# (Salmon and others, 2011). It has no state that others could advance. With a good hash of path and seed as the key
# we have as many independent streams as there are names. The upper 53 bits of a word $w$, read as an integer and
# divided by $2^{53}$, are a number $u$ in $[0, 1)$, uniform on the multiples of $2^{-53}$ and exact in float64. A
# normal number with mean 0 and standard deviation $\sigma$ is $\sigma\, \Phi^{-1}(u)$, where $\Phi$ is the normal
# distribution function, since $P(\Phi^{-1}(u) \le z) = P(u \le \Phi(z)) = \Phi(z)$. (As $\Phi^{-1}(0)$ is infinite,
# half a step, $2^{-54}$, is added to $u$ first.)
#
# **Which scale.** Let a weight have the shape (out, in); for a convolution (out, in, height, width) each of the
# following numbers is multiplied by height times width. The *fan-in* $n_{\text{in}}$ is the number of inputs of one
# unit, the *fan-out* $n_{\text{out}}$ the number of units that one input goes to. [Numerical
# stability](../multilayer_perceptrons/numerical_stability.py) derives which variance keeps signals and gradients at
# their size: $2/(n_{\text{in}} + n_{\text{out}})$ (Glorot and Bengio, 2010; called Xavier's rule after Xavier Glorot),
# and $2/n_{\text{in}}$ behind a ReLU (He and others, 2015). A uniform distribution on $[-b, b]$ has the variance
# $b^2/3$, so each rule has two forms, with a normal distribution and with a uniform one, whose bound is $\sqrt 3$
# standard deviations. The choice between the two forms hardly matters.
#
# *Orthogonal* weights (Saxe, McClelland and Ganguli, 2014) preserve not the average length of a vector but every
# length, unless there are fewer outputs than inputs: the columns are orthogonal and of length 1 (or the rows, if there
# are fewer of them, and then every gradient keeps its length on the way back). Each row of a wide matrix has
# $n_{\text{in}}$ elements whose squares add up to 1, so their mean square is $1/n_{\text{in}}$, and in general
# $1/\max(n_{\text{in}}, n_{\text{out}})$.
#
# **How well can we check a variance?** From $N$ independent draws with kurtosis $\kappa = \mathbb{E}[w^4] /
# \mathbb{E}[w^2]^2$, the mean of squares has the variance $(\mathbb{E}[w^4] - \mathbb{E}[w^2]^2)/N$, a relative
# standard error of $\sqrt{(\kappa - 1)/N}$. A normal distribution has $\kappa = 3$, a uniform one $\frac95$. For a
# weight of 256 by 784 that is 0.32 and 0.20 per cent.

# %% [markdown]
# ## From scratch
#
# The stream called by a key, in six lines, and an initialiser on top of it. An initialiser is nothing but a
# function of a shape and a key that returns an array of float64.


# %%
def stream(count, *key):
    """The first `count` uniform numbers in [0, 1) of the stream called by integers and strings."""
    name = "\x1f".join(f"{type(part).__name__}:{part}" for part in key)
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    words = np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(count)  # (count,), 64 bits each
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def he_uniform(shape, key):
    """Uniform with the variance 2 / fan_in for a weight (out, in, ...)."""
    bound = math.sqrt(3.0) * math.sqrt(2.0 / math.prod(shape[1:]))  # the bound of a uniform number is sqrt 3 deviations
    return (stream(math.prod(shape), *key) * (2.0 * bound) - bound).reshape(shape)


# %% [markdown]
# To compare whole models we need one number for all bits of all parameters: a *fingerprint*.


# %%
def fingerprint(model):
    """32 bits that depend on every path, shape and bit of a model's parameters and buffers."""
    digest = hashlib.blake2b(digest_size=4)
    for path, array in sorted(model.state_dict().items()):
        digest.update(f"{path} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return int.from_bytes(digest.digest(), "little")


def changed(first, second):
    """How many weights, by path or place in two dicts of arrays, differ in a bit; constants do not count."""
    pairs = [(first[name], second[name]) for name in first.keys() & second.keys()]
    return sum(np.ptp(a) > 0 and not np.array_equal(a, b) for a, b in pairs)


# %%
if __name__ == "__main__":
    key = ("init", "1.weight", 0)
    assert np.array_equal(stream(6, *key), random.uniform(6, *key))
    assert np.array_equal(he_uniform((256, 784), key), HeUniform()((256, 784), key))
    print("by hand and by the library, bit for bit:", he_uniform((2, 3), key).round(4).tolist())

# %% [markdown]
# ## Concise
#
# Layers take initialisers as arguments. With nothing said, `nn.Linear` draws its weight by `XavierUniform` and sets
# its bias to zero. A function of our own serves as well. Here is one after Martens (2010): each unit listens to a
# few inputs only, however many there are.


# %%
class Sparse:
    """In each row of a weight (out, in), `count` normal numbers at random places and zeros elsewhere."""

    def __init__(self, count=15, std=1.0):
        self.count, self.std = count, std

    def __call__(self, shape, key):
        """Values for a shape from the streams called by the key."""
        rows, columns = shape
        places = random.uniform(shape, *key, "places").argsort(axis=1)[:, : self.count]  # (out, in) -> (out, count)
        values = np.zeros(shape)
        drawn = random.normal((rows, min(self.count, columns)), *key, "values", std=self.std)
        np.put_along_axis(values, places, drawn, axis=1)
        return values


def classifier(weight_init=None, num_hiddens=(128, 64)):
    """An MLP for images (n, 1, 28, 28) with the given initialiser in all layers."""
    stages = [nn.Flatten()]
    for size in num_hiddens:
        stages += [nn.Linear(size, weight_init=weight_init), nn.ReLU()]
    return nn.Sequential(*stages, nn.Linear(10, weight_init=weight_init))


# %%
if __name__ == "__main__":
    X = xp.zeros((1, 1, 28, 28))
    model = classifier(HeNormal()).initialise(X, seed=0)
    report(fingerprint=fingerprint(model))

    model.reinitialise(nn.Linear, weight=Sparse(15))  # all layers of a type, the parameter of a name
    print("non-zero weights of the first units:", (model.state_dict()["1.weight"][:5] != 0).sum(axis=1))
    model.reinitialise(nn.Linear, weight=HeNormal(), bias=Constant(0.1))
    model[5].reinitialise(weight=Constant(0.0))  # one layer alone
    model.reinitialise(seed=1)  # another seed, the same rules

# %% [markdown]
# The fingerprint of this model with seed 0 is 3,672,467,100<!--lesson.fingerprint-->, and it is the same on each of
# the five backends: 109,386 numbers agree to the last bit. That takes more than the same stream. The inverse
# $\Phi^{-1}$ contains a logarithm, and mathematical libraries disagree about the last bit of logarithms. Ours is
# composed of additions, multiplications, divisions and square roots, which the standard of floating-point
# arithmetic (IEEE 754) prescribes exactly, in a fixed order, on the host and in float64; only the finished array
# goes to the framework.
#
# **Values by hand.** Sometimes one knows what a parameter should be: the embedding of another model, a filter, the
# logarithm of class frequencies as the bias of the output. Assigning a tensor to the attribute replaces the value;
# `assign` and `load_state_dict` take arrays and check the shapes. A parameter assigned to a second layer is shared
# by both.

# %%
if __name__ == "__main__":
    model[1].weight = xp.ones((128, 784)) / 784.0  # a tensor of the active backend
    model.parameters()["1.bias"].assign(np.linspace(-1.0, 1.0, 128))  # anything like an array
    model.load_state_dict({"5.bias": np.log(np.full(10, 0.1))}, strict=False)  # only what is named
    print("mean pixel plus a bias:", xp.to_numpy(model[1](xp.full((1, 784), 0.5)))[0, [0, -1]])
    try:
        model.parameters()["1.bias"].assign(np.zeros(64))
    except ValueError as error:
        print("refused:", error)
    tied = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    tied[1].weight = tied[0].get("weight")
    print("parameters of the tied pair:", list(tied.initialise(seed=0).parameters()))

# %% [markdown]
# ## Independent of the order
#
# Now the experiment of the two students. We build three layers from a shared queue of numbers, once plainly and
# once after drawing a single number for something else, and count how many of the three weights changed. Then the
# same with the library's streams, where the second model is also built from back to front.


# %%
def from_a_queue(drawn_before=0):
    """Three weights drawn one after the other from one generator."""
    generator = np.random.default_rng(0)
    generator.random(drawn_before)
    sizes = {"0.weight": (128, 784), "1.weight": (64, 128), "2.weight": (10, 64)}
    return {path: generator.normal(size=size) for path, size in sizes.items()}


def from_streams(backwards=False):
    """The state of a model whose layers are built forwards, or backwards with other draws in between."""
    sizes = [(784, 128), (128, 64), (64, 10)]
    layers = {}
    for i in reversed(range(3)) if backwards else range(3):
        if backwards:
            random.uniform(100, "something", "else")
            nn.Linear(7, 7).initialise(seed=0)
        layers[i] = nn.Linear(sizes[i][1], sizes[i][0])
    return nn.Sequential(*(layers[i] for i in range(3))).initialise(seed=0).state_dict()


# %%
if __name__ == "__main__":
    report(queue_changes=changed(from_a_queue(), from_a_queue(drawn_before=1)))
    report(order_changes=changed(from_streams(), from_streams(backwards=True)))

# %% [markdown]
# One number drawn before changed 3<!--lesson.queue_changes--> of three weights of the queue; of the streams'
# 0<!--lesson.order_changes--> changed.
#
# ## Statistics against theory
#
# For each initialiser we draw a weight of 256 by 784, compare the mean of its squares with the theory, and express the
# difference in standard errors. Nine in ten should lie within 1.6 of them and nearly all within 3.

# %%
SHAPE = (256, 784)
RULES = {
    "Normal(0.01)": (Normal(0.01), 1e-4, 3.0),
    "Uniform(0.07)": (Uniform(0.07), 0.07**2 / 3.0, 1.8),
    "XavierNormal": (XavierNormal(), 2.0 / 1040, 3.0),
    "XavierUniform": (XavierUniform(), 2.0 / 1040, 1.8),
    "HeNormal": (HeNormal(), 2.0 / 784, 3.0),
    "HeUniform": (HeUniform(), 2.0 / 784, 1.8),
    "FanInUniform": (FanInUniform(), 1.0 / (3.0 * 784), 1.8),
}
"""Initialiser, variance and kurtosis in theory, by name, for a weight of the shape SHAPE."""


def deviations(shape=SHAPE):
    """For each rule the mean square, and its distance from the theory in standard errors."""
    found = {}
    for name, (initialiser, variance, kurtosis) in RULES.items():
        values = initialiser(shape, ("statistics", name))
        square = float(np.mean(values**2))
        found[name] = square, (square / variance - 1.0) / math.sqrt((kurtosis - 1.0) / values.size)
    return found


@house_style
def plot_distributions():
    """Histograms of He's two forms with their densities, and the singular values of three weights."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.1))
    std = math.sqrt(2.0 / 784)
    grid = np.linspace(-0.2, 0.2, 401)
    for name, colour, style in (("HeNormal", "C0", "-"), ("HeUniform", "C1", "--")):
        values = RULES[name][0](SHAPE, ("statistics", name)).ravel()
        left.hist(values, bins=100, density=True, histtype="stepfilled", color=colour, alpha=0.25)
        density = (
            np.exp(-0.5 * (grid / std) ** 2) / (std * math.sqrt(2.0 * np.pi))
            if name == "HeNormal"
            else (np.abs(grid) < math.sqrt(3.0) * std) / (2.0 * math.sqrt(3.0) * std)
        )
        left.plot(grid, density, color=colour, linestyle=style, label=name)
    left.set(xlabel="weight", ylabel="density", xlim=(-0.2, 0.2))
    left.legend()
    for name, rule in (
        ("XavierNormal", XavierNormal()),
        ("Orthogonal", Orthogonal()),
        ("Sparse(15)", Sparse(15, 15**-0.5)),
    ):
        values = np.linalg.svd(rule((128, 128), ("spectrum", name)), compute_uv=False)
        right.plot(np.arange(1, 129), values, label=name)
    right.axhline(0.0, color=INK, linewidth=0.8)
    right.set(xlabel="number", ylabel="singular value", title="weights of 128 by 128")
    right.legend()
    return figure


# %%
if __name__ == "__main__":
    found = deviations()
    for name, (square, distance) in found.items():
        print(f"{name:>14}: variance {square:.4e}, theory {RULES[name][1]:.4e}, {distance:+.2f} standard errors")
    report(largest_deviation=max(abs(distance) for _, distance in found.values()))
    rows = Orthogonal()((64, 100), ("statistics", "orthogonal"))
    report(orthogonal_gap=np.abs(rows @ rows.T - np.eye(64)).max())
    plot_distributions()

# %% [markdown]
# The largest deviation of the seven is 1.5<!--lesson.largest_deviation--> standard errors. The right figure shows
# what a variance does not tell. A square normal matrix stretches some directions by nearly two and presses others
# flat; its singular values run from 2 down to 0. Those of the orthogonal one are all 1.
#
# ## What a wrong scale does
#
# Five hidden layers of 128 units with ReLUs on the sample of Fashion-MNIST, five epochs of stochastic gradient
# descent with the rate 0.05. All weights start by He's rule, multiplied by a factor $c$. The expected second moment
# of the logits is multiplied by $c^{12}$, because each of the six layers contributes $c^2$.


# %%
def by_scale(factor, scale, epochs=5, lr=0.05):
    """First loss and final accuracy (NaN if the run diverged) from He's values times a factor."""

    def scaled(shape, key):
        return factor * HeNormal()(shape, key)

    data = fashion_mnist("smoke" if scale == "smoke" else "standard", seed=0)
    X, y = next(iter(data.train.epoch(0)))
    model = classifier(scaled, num_hiddens=(128,) * 5).initialise(X, seed=0)
    first = float(xp.to_numpy(cross_entropy(model(X), y)))
    try:
        return first, train(model, data, epochs=epochs, lr=lr).final("val_acc")
    except TrainingDiverged:
        return first, math.nan


# %%
if __name__ == "__main__":
    results = {factor: by_scale(factor, scale(), 5 if scale() != "smoke" else 1) for factor in (0.3, 1.0, 3.0)}
    for factor, (first, reached) in results.items():
        outcome = "diverged" if math.isnan(reached) else f"val_acc {reached:.3f}"
        print(f"c = {factor}: first loss {first:.4g}, {outcome}")
    report(small_first_loss=results[0.3][0], small_acc=results[0.3][1])
    report(right_first_loss=results[1.0][0], right_acc=results[1.0][1])
    report(large_first_loss=results[3.0][0])

# %% [markdown]
# With $c = 1$ training reached 0.69<!--lesson.right_acc-->. With $c = 0.3$ the first loss is
# 2.303<!--lesson.small_first_loss-->, which is $\log 10$: the network says the same about every image, the gradients
# have all but vanished, and after five epochs it was right in 0.10<!--lesson.small_acc--> of the cases. With $c = 3$
# the first loss is 911<!--lesson.large_first_loss-->: logits of a thousand, mostly wrong and entirely sure of
# themselves, and gradients to match. That run diverges. (Between the backends the accuracy differs by a point or two,
# since training magnifies what rounding begins.)
#
# The first loss is thus a cheap check. For $k$ classes it should be near $\log k$, not far above; and if it is
# $\log k$ to four digits in a network without a reason for it, nothing gets through.
#
# ## What goes wrong
#
# **Numbers in paths.** The parts of a `Sequential` are called 0, 1, 2 and so on. Insert a layer in front, and all paths
# behind it move up by one: the layers get other streams. Parts with names of their own keep theirs.


# %%
class Named(nn.Module):
    """Three affine layers under names, with dropout if wanted; parts are used in the order of their creation."""

    def __init__(self, dropout=False):
        super().__init__()
        self.body = nn.Linear(128, 784)
        if dropout:
            self.dropout = nn.Dropout(0.1)
        self.neck = nn.Linear(64, 128)
        self.head = nn.Linear(10, 64)

    def forward(self, X):
        """Affine maps in a row, (n, 784) to (n, 10)."""
        X = self.body(X)  # (n, 784) -> (n, 128)
        X = self.dropout(X) if "dropout" in self.children() else X
        return self.head(self.neck(X))  # (n, 128) -> (n, 64) -> (n, 10)


def numbered(dropout=False):
    """The same in a Sequential."""
    middle = [nn.Dropout(0.1)] if dropout else []
    return nn.Sequential(nn.Linear(128, 784), *middle, nn.Linear(64, 128), nn.Linear(10, 64))


def weights_in_order(model):
    """The weights of a model by their place, whatever their paths."""
    arrays = [array for path, array in model.initialise(seed=0).state_dict().items() if path.endswith("weight")]
    return dict(enumerate(arrays))


# %%
if __name__ == "__main__":
    report(insertion_changes=changed(weights_in_order(numbered()), weights_in_order(numbered(dropout=True))))
    report(named_changes=changed(weights_in_order(Named()), weights_in_order(Named(dropout=True))))

# %% [markdown]
# Dropout has no parameters, and yet inserting it changed 2<!--lesson.insertion_changes--> of the three weights of
# the `Sequential`, and 0<!--lesson.named_changes--> of the three with names. When you compare a model with and
# without a part, give the other parts names.
#
# **The same name, the same numbers.** The reverse is a trap as well. Five models built for an ensemble from the
# same seed are five copies of one model, and averaging them gains nothing. Give each its own seed.
#
# **The wrong layout.** An initialiser reads fan-in and fan-out from the shape, and must know which axis is which.
# If a weight is stored as (in, out), as in Keras and Flax, and drawn by a rule that expects (out, in), He's rule
# takes the number of outputs for that of the inputs. For a layer from 784 pixels to ten classes the standard
# deviation is then too large by a factor of $\sqrt{784/10}$, and nothing but the numbers shows it.

# %%
if __name__ == "__main__":
    right, wrong = HeNormal()((10, 784), ("layout",)).std(), HeNormal()((784, 10), ("layout",)).T.std()
    report(wrong_layout=wrong / right)

# %% [markdown]
# It is 8.9<!--lesson.wrong_layout--> times too large, more than the factor that ruined the network above.
#
# ## Under the surface
#
# The frameworks' defaults follow different traditions. PyTorch draws the weights of its linear and convolutional
# layers by `kaiming_uniform_` with the argument $a = \sqrt 5$, which amounts to the bound $1/\sqrt{n_{\text{in}}}$
# and one sixth of the variance of He's rule; the biases have the same bound. Keras uses `glorot_uniform`, which is
# `XavierUniform` here, Flax `lecun_normal` with the variance $1/n_{\text{in}}$, Gluon a uniform distribution on
# $\pm 0.07$ for all shapes; these three set biases to zero. Flax's and Keras's normal rules truncate at two
# standard deviations and divide by 0.8796, the standard deviation of a standard normal number that is so truncated,
# to make up for it (exercise 1).
#
# The generators differ as well. PyTorch's on the CPU is a Mersenne twister, on a GPU it is Philox, so the same seed
# gives other weights there; TensorFlow uses Philox, and JAX Threefry, a relative of it, with keys that the caller
# splits. Where a key is given explicitly, as in JAX, the order of drawing does not matter either; what matters is
# the order of splitting. None of them promises the same numbers in the next release for all functions. Here the
# values are made on the host and handed over, which is slower, once, and ends the discussion.
#
# ## Summary
#
# An initialiser is a function of a shape and a key. If the key is made from the parameter's path and the seed,
# initial values depend neither on the order of construction nor on what else is drawn, and by exactly rounded
# operations they are the same bits on every framework. Their variance should follow the fan-in and fan-out; a
# factor of three either way ruins a network of six layers, and the first loss shows it before any training. Paths
# are part of the seed: name the parts that you want to keep comparable.
#
# ## Exercises
#
# Solutions are in `parameter_initialisation_solutions.py`. Exercises with a star are checked by a program: `d2l
# exercise parameter-initialisation` writes a stub to fill in, `d2l check FILE` examines it on every installed
# backend.
#
# 1. ★ *Without tails.* Write `truncated_normal(shape, key, std)`: normal numbers of which those beyond two standard
#    deviations are drawn again, scaled such that the result has the standard deviation `std`.
# 2. ★ *A convolution that does nothing.* Write `dirac(shape, key)` for a kernel (out, in, height, width) with odd
#    height and width: behind a padding that keeps the size, output channel $i$ is input channel $i$.
# 3. *A quiet output.* Set the weight of the last layer to zero and keep He's rule elsewhere. What is the first
#    loss, to all digits? Why can this network learn while one with all weights zero cannot?
# 4. *Two halves.* A model consists of `encoder` and `decoder`, each with a `Linear(64, 64)`. Are their weights
#    equal at the start? What if each is initialised on its own, before they are put together?
# 5. *Seeds as a measurement.* Train the network of the experiment with $c = 1$ from five seeds. How large is the
#    spread of the accuracy, and how large must a difference between two methods be before you believe it?
#
# ## References
#
# - J. Martens (2010), *Deep Learning via Hessian-free Optimization*, ICML.
# - X. Glorot and Y. Bengio (2010), *Understanding the Difficulty of Training Deep Feedforward Neural Networks*,
#   AISTATS.
# - J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), *Parallel Random Numbers: As Easy as 1, 2, 3*,
#   International Conference for High Performance Computing, Networking, Storage and Analysis.
# - A. M. Saxe, J. L. McClelland and S. Ganguli (2014), *Exact Solutions to the Nonlinear Dynamics of Learning in
#   Deep Linear Neural Networks*, ICLR.
# - K. He, X. Zhang, S. Ren and J. Sun (2015), *Delving Deep into Rectifiers: Surpassing Human-Level Performance on
#   ImageNet Classification*, ICCV.
