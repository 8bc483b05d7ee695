# /// lesson
# name = "lazy-initialisation"
# title = "Lazy initialisation"
# sections = ["6.4"]
# needs = ["layers-and-modules"]
# data = ["fashion-mnist"]
# [time]
# smoke = "2 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# full = [
#   "lesson: gap_lazy <= 1e-6", "lesson: gap_explicit <= 0", "lesson: wrong_shapes <= 0",
#   "lesson: parameters_28 <= 51902", "lesson: channels_swapped >= 28", "lesson: fixed_at_first >= 1",
# ]
# ///

# %% [markdown]
# # Lazy initialisation
#
# A tailor does not cut the cloth before the customer has come. The pattern of the suit, with all its pieces and
# seams, is ready; lengths are filled in when they can be measured. A model can be written in the same way: "a layer
# with 120 outputs" is the pattern, and how many inputs it has is measured on the first batch.
#
# That sounds like a convenience, and it is one: the number in question is often the result of a calculation that
# every change upstream makes wrong. But it also splits the life of a model in two. Before the first batch there are
# no weights, and whoever asks for them gets an error; and if the first batch has the wrong shape, the suit fits the
# wrong person. We shall see how it works inside, what exactly it needs from the batch, and how each of the errors
# looks.

# %%
import math

import numpy as np

from d2l_core import nn, optim, xp
from d2l_core.data import load_fashion_mnist
from d2l_core.errors import D2LError
from d2l_core.lessons import report, scale
from d2l_core.plots import flow, house_style

# %% [markdown]
# ## The idea
#
# Each layer knows its outputs. Its inputs are the outputs of the layer before. So a shape put in at the front runs
# through the model, and each layer learns from what arrives how large its weights must be. The network below is for
# small pictures; it is of the kind of LeCun and others (1998), which [a later
# lesson](../convolutional_networks/lenet.py) explains. Here we need to know only this: `Conv2d` slides a window over
# the picture and gives several numbers, *channels*, for each position; `AvgPool2d` replaces each window by its mean;
# `Flatten` puts all numbers of a picture into one row.


# %%
def network():
    """Pictures (n, channels, height, width) to 10 scores; no input size is stated anywhere."""
    return nn.Sequential(
        nn.Conv2d(6, window=5, padding=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(16, window=5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(120),
        nn.Tanh(),
        nn.Linear(10),
    )


def diagram_shapes():
    """A picture's shape on its way through the network, without the layers that keep it."""
    return flow(
        ("picture", "(1, 28, 28)"),
        ("Conv2d", "(6, 28, 28)"),
        ("AvgPool2d", "(6, 14, 14)"),
        ("Conv2d", "(16, 10, 10)"),
        ("AvgPool2d", "(16, 5, 5)"),
        ("Flatten", "(400,)"),
        ("Linear", "(120,)"),
        ("Linear", "(10,)"),
        per_row=4,
        title="shapes in the network",
    )


# %%
if __name__ == "__main__":
    diagram_shapes()

# %% [markdown]
# ## The mathematics
#
# Let $s_0$ be the shape of the input, and let layer $i$ turn a shape $s_{i-1}$ into $s_i = \sigma_i(s_{i-1})$ and
# demand weights of the shapes $\pi_i(s_{i-1})$. For an affine map with $m$ outputs,
# $\sigma(n, d) = (n, m)$ and $\pi(n, d) = \{(m, d), (m,)\}$. For a window of $k$ numbers that slides over $h$
# numbers in steps of $s$, with $p$ zeros added at either side, the possible places are $0, s, 2s, \dots$ up to
# $h + 2p - k$, so there are
#
# $$h' = \left\lfloor \frac{h + 2p - k}{s} \right\rfloor + 1$$
#
# of them. In the picture, $28 + 4 - 5 + 1 = 28$, halved to 14; $14 - 5 + 1 = 10$, halved to 5; and the first affine
# map has $16 \cdot 5 \cdot 5 = 400$ inputs. This is the number one would otherwise have to write into the program.
#
# Two facts about $\sigma$ and $\pi$ make laziness safe. They use *shapes*, never the numbers in a batch or in a
# weight; so one pass suffices, with any numbers, or with none at all if a framework can compute with shapes alone.
# And $\pi$ never uses $n$, the number of examples; so a batch of one tells as much as a batch of a thousand.

# %% [markdown]
# ## From scratch
#
# First the rules by themselves. `layer_rule` is the pair $(\sigma, \pi)$ for the layers of our network, in whole
# numbers; no array is needed.


# %%
def places(size, window, step=1, padding=0):
    """How many places a window has along one axis."""
    return (size + 2 * padding - window) // step + 1


def layer_rule(layer, shape):
    """The shape behind a layer, and the shapes of its weights by name."""
    if isinstance(layer, nn.Conv2d):
        n, channels, *sides = shape
        sides = [places(side, k, 1, layer.padding) for side, k in zip(sides, layer.window, strict=True)]
        weights = {"weight": (layer.out_channels, channels, *layer.window), "bias": (layer.out_channels,)}
        return (n, layer.out_channels, *sides), weights
    if isinstance(layer, nn.AvgPool2d):
        return (*shape[:2], *(places(side, layer.window, layer.window) for side in shape[2:])), {}
    if isinstance(layer, nn.Flatten):
        return (shape[0], math.prod(shape[1:])), {}
    if isinstance(layer, nn.Linear):
        out = layer.out_features
        return (*shape[:-1], out), {"weight": (out, shape[-1]), "bias": (out,)}
    return shape, {}


def shapes_by_rule(layers, shape):
    """The shapes of all weights of layers in a row by path, and the shape of the output."""
    found = {}
    for i, layer in enumerate(layers):
        shape, weights = layer_rule(layer, shape)
        found |= {f"{i}.{name}": weight for name, weight in weights.items()}
    return found, shape


# %%
if __name__ == "__main__":
    by_rule, shape = shapes_by_rule(network(), (1, 1, 28, 28))
    model = network().initialise(xp.zeros((1, 1, 28, 28)), seed=0)
    wrong = 0
    for path, parameter in model.parameters().items():
        print(f"{path:9} {parameter.shape}")
        wrong += parameter.shape != by_rule[path]
    report(wrong_shapes=wrong)

# %% [markdown]
# The engine found the same. What it does in a layer is this: at the first call, look at the input, make the weights,
# and never again. The numbers come from the stream that is called by the parameter's path and the seed, so nothing
# about them depends on *when* they are drawn.


# %%
class LazyAffine:
    """X W' with weights that are made at the first call; the library's first values."""

    def __init__(self, num_outputs, path="weight", seed=0):
        self.num_outputs, self.path, self.seed, self.weight = num_outputs, path, seed, None

    def __call__(self, X):
        if self.weight is None:
            draw = nn.initialisers.XavierUniform()
            values = draw((self.num_outputs, X.shape[-1]), ("init", self.path, self.seed))
            self.weight = xp.asarray(values, dtype=X.dtype)  # (m, d)
        return xp.matmul(X, xp.matrix_transpose(self.weight))  # (n, d) @ (d, m) -> (n, m)


# %%
if __name__ == "__main__":
    X = xp.asarray(np.linspace(-1.0, 1.0, 60).reshape(12, 5), dtype=xp.float_dtype())
    ours, theirs = LazyAffine(4), nn.Linear(4, bias=False).initialise(X[:1], seed=0)
    report(gap_lazy=xp.max(xp.abs(ours(X) - theirs(X))))

# %% [markdown]
# ## With the library
#
# A layer of one's own says in `build` what depends on the input, and in `forward` what it computes. `build` is called
# once, with the first inputs, after which the parameters exist. `initialise(X)` sends an example through the model
# for this purpose only: in evaluation mode, so that dropout and running means don't move, and on a backend that can,
# without computing anything. The `Trainer` does it for us with the first batch.


# %%
class Bilinear(nn.Module):
    """For inputs X (n, p) and Z (n, q), output k of a row is x' W_k z + b_k: (n, num_outputs)."""

    def __init__(self, num_outputs):
        super().__init__()
        self.num_outputs = num_outputs

    def build(self, X, Z):
        """The weights for inputs of these widths."""
        p, q = X.shape[-1], Z.shape[-1]
        self.weight = nn.Parameter((self.num_outputs, p, q), nn.initialisers.Normal(1.0 / math.sqrt(p * q)))
        self.bias = nn.Parameter((self.num_outputs,), nn.initialisers.Constant(0.0))

    def forward(self, X, Z):
        """The products of each row of X with the same row of Z."""
        return xp.einsum("np,kpq,nq->nk", X, self.weight, Z) + self.bias  # (n, k)


# %%
if __name__ == "__main__":
    layer = Bilinear(3)
    print("before:", list(layer.parameters()))
    print("output:", tuple(layer(X, X[:, :2]).shape))
    print("after: ", {path: parameter.shape for path, parameter in layer.parameters().items()})

    explicit = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(1, 8)).initialise(seed=3)
    lazy = nn.Sequential(nn.Linear(8), nn.Tanh(), nn.Linear(1)).initialise(1e6 * X[:1], seed=3)
    report(gap_explicit=xp.max(xp.abs(explicit(X) - lazy(X))))

# %% [markdown]
# The lazy model saw a single row of huge numbers, the explicit one nothing at all, and their outputs differ by
# 0<!--lesson.gap_explicit-->.
#
# ## One pattern, many sizes
#
# How large does the network become for other pictures? Without laziness this question would need a new program for
# each size. With it we only change the example.


# %%
def sizes(sides, channels=1):
    """For square pictures of each side: the number of all parameters, and of those in the first affine map."""
    table = []
    for side in sides:
        rows = nn.summary(network(), xp.zeros((1, channels, side, side))).rows
        count = {row.path: row.parameters for row in rows}
        table.append((count[""], count["7"]))
    return np.array(table)


@house_style
def plot_sizes(sides, table):
    """Parameters against the side of the picture, in the first affine map and in all other layers."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.3))
    axes.semilogy(sides, table[:, 1], marker="o", label="first affine map")
    axes.semilogy(sides, table[:, 0] - table[:, 1], marker="s", label="all other layers")
    axes.set(xlabel="side of the picture in pixels", ylabel="parameters", xticks=sides)
    axes.legend()
    return figure


# %%
SIDES = (16, 28, 48, 64, 96)

if __name__ == "__main__":
    sides = SIDES[:2] if scale() == "smoke" else SIDES
    table = sizes(sides)
    counts = dict(zip(sides, table, strict=True))
    report(parameters_28=counts[28][0], share_28=counts[28][1] / counts[28][0])
    if 96 in counts:
        report(parameters_96=counts[96][0], share_96=counts[96][1] / counts[96][0])
    plot_sizes(sides, table)

# %% [markdown]
# For 28 by 28 pixels there are 51,902<!--lesson.parameters_28--> parameters, 92.7 %<!--lesson.share_28--> of them in
# the layer behind `Flatten`; for 96 by 96 there are 933,182<!--lesson.parameters_96--> with a share of
# 99.6 %<!--lesson.share_96-->. The windows cost the same at every size; what grows, with the square of the side, is
# the one number that we did not have to calculate. One should look at it nevertheless.
#
# ## What goes wrong
#
# **Too early.** Before the first input the model has no weights. An optimiser has nothing to train, a file of weights
# has nowhere to go, and a path leads to nothing. Each error says what to do.

# %%
if __name__ == "__main__":
    model = network()
    state = network().initialise(xp.zeros((1, 1, 28, 28)), seed=0).state_dict()
    for attempt in (
        lambda: optim.SGD(model, lr=0.1),
        lambda: model.load_state_dict(state),
        lambda: model.get("7.weight"),
    ):
        try:
            attempt()
        except (D2LError, ValueError) as error:
            print(f"{type(error).__name__}: {error}\n")

# %% [markdown]
# **Measured once.** The first input decides. A second one of another size is an error in the layer that notices,
# which need not be the first: windows slide over pictures of any size, and only the affine map is disappointed. The
# message names its shapes.

# %%
if __name__ == "__main__":
    model = network().initialise(xp.zeros((1, 1, 28, 28)), seed=0)
    refused = 0
    try:
        model(xp.zeros((1, 1, 32, 32)))
    except ValueError as error:
        refused = 1
        print(error)
    report(fixed_at_first=refused)

# %% [markdown]
# **Measured on the wrong person.** This is the dangerous one, because nothing complains. Fashion-MNIST (Xiao, Rasul and
# Vollgraf, 2017) stores pictures as (n, 28, 28). Who adds the channel at the end instead of in second place has
# pictures of 28 channels, 28 pixels high and one pixel wide, and a lazy layer takes them as they are.


# %%
def small_network(channels=None):
    """One layer of windows and one affine map; the channels of the pictures may be stated."""
    return nn.Sequential(nn.Conv2d(6, 5, channels, padding=2), nn.Tanh(), nn.Flatten(), nn.Linear(10))


# %%
if __name__ == "__main__":
    images = load_fashion_mnist("test", sample=True)[0][:16] / 255.0  # (16, 28, 28)
    pictures = xp.asarray(images[:, None], dtype=xp.float_dtype())  # (16, 1, 28, 28)
    swapped = xp.asarray(images[..., None], dtype=xp.float_dtype())  # (16, 28, 28, 1)
    for name, batch in (("right", pictures), ("wrong", swapped)):
        model = small_network().initialise(batch, seed=0)
        print(f"{name}: weight {model.get('0.weight').shape}, output {tuple(model(batch).shape)}")
    report(channels_swapped=model.get("0.weight").shape[1])
    try:
        small_network(channels=1).initialise(swapped, seed=0)
    except ValueError as error:
        print(error)

# %% [markdown]
# The wrong model has windows of 28<!--lesson.channels_swapped--> channels, an output of the right shape, and will
# even learn something: it takes the 28 rows of a picture for channels, and its window slides along all of them at once.
# The cure is to state what one *knows*. Pictures in grey have one channel, whatever their size; with `channels=1` the
# mistake is an error at once. A good rule is to leave out sizes that follow from others, and to state those that come
# from the world.
#
# ## Under the surface
#
# Laziness is the rule in Keras, whose layers have a method `build` like ours and make their weights at the first call,
# and in Gluon, where a missing size stands as 0 in the shape (as -1 in its NumPy mode). In PyTorch sizes are stated; it
# has `LazyLinear` and `LazyConv2d`, which turn into ordinary layers at the first call, and until then hold parameters
# without a value. In Flax's older form, linen, a model has no weights of its own at all: `init` runs it once and
# returns them; in its newer form, NNX, sizes are stated. JAX can make that pass with shapes alone (`jax.eval_shape`),
# and here our engine uses this; on the other backends the pass computes, which for a batch of one costs nothing that
# one would notice. There is one more difference that is easily overlooked: where weights come from one generator, the
# first call decides in which *order* they are drawn, and with it their values. Here each parameter has a stream of its
# own.
#
# ## Summary
#
# A layer that isn't told the size of its inputs makes its weights at the first call, from the shape of what arrives.
# For this it needs neither the numbers nor the number of examples, only the shape. Until then there are no weights to
# train, load or look up, and afterwards their sizes are fixed. A first batch in the wrong layout is accepted without
# a word, so state the sizes that you know.
#
# ## Exercises
#
# Solutions are in `lazy_initialisation_solutions.py`. Exercises with a star are checked by a program: `d2l exercise
# lazy-initialisation` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *A layer that measures.* Write `Scale`, a module that multiplies each feature by a number of its own and adds
#    another, starting at 1 and 0. How many features there are, it learns from the first input.
# 2. ★ *Ask the pattern.* Write `parameter_shapes(model, X)`, which tells the shapes of all parameters that the model
#    would have for inputs like X, and leaves the model without weights if it has none.
# 3. *The largest window.* For which sides of the picture does our network fail, and in which layer? Find it with
#    `places` first, then by trying.
# 4. *Many sizes in one batch of runs.* Replace `Flatten` by `GlobalAvgPool`, which gives the mean of each channel.
#    Why does the network then accept pictures of every size after its first batch, and how many parameters does it
#    have?
#
# ## References
#
# - Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), *Gradient-Based Learning Applied to Document Recognition*,
#   Proceedings of the IEEE 86.
# - H. Xiao, K. Rasul and R. Vollgraf (2017), *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
#   Algorithms*, arXiv:1708.07747.
