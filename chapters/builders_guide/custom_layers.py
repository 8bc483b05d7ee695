# /// lesson
# name = "custom-layers"
# title = "Custom layers"
# sections = ["6.5"]
# needs = ["linear-regression", "layers-and-modules"]
# data = ["airfoil"]
# [time]
# smoke = "3 s"
# standard = "20 s"
# full = "20 s"
# [promises]
# full = [
#   "lesson: gap_affine <= 1e-6", "lesson: gap_gradient <= 1e-6", "lesson: loss_float <= 0.15",
#   "lesson: afterwards_4 >= 0.4", "lesson: rounded_4 <= 0.35", "lesson: without_rule <= 0",
# ]
# ///

# %% [markdown]
# # Custom layers
#
# A hearing aid has a battery smaller than a fingernail, and little memory. A network that is to live there
# cannot spend 32 bits on each weight; four bits, with which one counts to sixteen, would be an eighth of that. So the
# weights have to be *rounded* to a coarse grid. No layer of our library rounds its weights. We shall write one, and
# on the way the three kinds of layer that one ever needs to write: a layer without parameters, a layer with
# parameters, and a layer whose gradient is not the one that the chain rule gives.

# %%
import numpy as np
from d2l_chapters.linear_regression.linear_regression import airfoil_arrays

from d2l_core import nn, optim, xp
from d2l_core.autodiff import compiled, custom_gradient, value_and_grad
from d2l_core.errors import D2LError
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import squared_error
from d2l_core.plots import COLOURS, house_style
from d2l_core.random import permutation

# %% [markdown]
# ## The idea
#
# Rounding turns a line into a staircase. A network can compute with a staircase, but it cannot learn through one: on
# every step the staircase is flat, so its derivative is zero and no gradient comes back. Yet seen from afar the
# staircase *is* the line, with the slope 1. The trick, which Bengio, Léonard and Courville (2013) call the
# *straight-through estimator*, is to round on the way forward and to pass the gradient back as if nothing had
# happened.


# %%
@house_style
def plot_staircase(bits=3):
    """Rounding to a grid, and the line whose slope stands in for its own."""
    import matplotlib.pyplot as plt

    w = np.linspace(-1.0, 1.0, 601)
    levels = 2 ** (bits - 1) - 1
    figure, axes = plt.subplots(figsize=(4.6, 3.4))
    axes.plot(w, np.round(w * levels) / levels, label="forward: rounded")
    axes.plot(w, w, label="backward: as if not rounded")
    axes.set(xlabel="weight", ylabel="weight in the layer")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_staircase()

# %% [markdown]
# ## The mathematics
#
# With $b$ bits we use the whole numbers from $-K$ to $K$, $K = 2^{b-1} - 1$: for $b = 4$ fifteen of the sixteen. A
# weight matrix $\mathbf{W}$ of shape (m, d) becomes
#
# $$q(\mathbf{W}) = \Delta \operatorname{round}(\mathbf{W} / \Delta), \qquad \Delta = \max_{ij} |W_{ij}| / K,$$
#
# so the largest weight is hit exactly, and no other is off by more than $\Delta / 2$. What is stored are the whole
# numbers and one $\Delta$ for the layer.
#
# **How much does it hurt?** As long as the grid is fine compared to the differences between weights, the errors are
# spread evenly over $[-\Delta/2, \Delta/2]$ (Widrow, 1956), with mean zero and the variance
#
# $$\frac{1}{\Delta} \int_{-\Delta/2}^{\Delta/2} e^2 \, de = \frac{\Delta^2}{12} .$$
#
# An output of the layer is a sum of $d$ products, so the rounding adds to it an error of variance
# $\frac{\Delta^2}{12} \sum_j x_j^2$. One bit more halves $\Delta$ and quarters the variance.
#
# **The gradient.** Let $L$ be the loss and $\mathbf{V} = q(\mathbf{W})$. The chain rule says
# $\partial L / \partial W_{ij} = \partial L / \partial V_{ij} \cdot q'(W_{ij})$, with $q' = 0$ except at the jumps,
# where there is none. We *define* instead
#
# $$\frac{\partial L}{\partial W_{ij}} := \frac{\partial L}{\partial V_{ij}} .$$
#
# It is no derivative of anything, but it has a meaning: how the loss changes with the value *in use*. The optimiser
# applies it to the fine value that we keep for the training. Many small steps add up there, until the fine value
# crosses the middle between two levels and the rounded one jumps. (We treat $\Delta$ as a constant.)

# %% [markdown]
# ## A layer without parameters
#
# Such a layer is a function with settings. It may be passed to a `Sequential` as a plain function; as a module it
# shows itself in the summary, can be found by its type, and keeps its settings. There are two ways to give it the
# gradient that we want. The first needs nothing new: in `x + stop_gradient(q - x)` the value is $q$, and since the
# bracket counts as a constant, the derivative is that of $x$.


# %%
def rounded(x, step):
    """The multiples of `step` next to x, of any shape."""
    return xp.round(x / step) * step


def straight_through(x, step):
    """`rounded` with the gradient of x itself, from primitives."""
    return x + xp.stop_gradient(rounded(x, step) - x)


class Round(nn.Module):
    """Rounds its input, of any shape, to 2^bits - 1 levels up to its largest element; the gradient passes through."""

    def __init__(self, bits):
        super().__init__()
        self.bits = bits

    def forward(self, x):
        """The rounded x."""
        step = xp.stop_gradient(xp.max(xp.abs(x))) / (2 ** (self.bits - 1) - 1)  # ()
        return straight_through(x, step)

    def describe(self):
        """What repr shows."""
        return f"{self.bits} bits"


# %% [markdown]
# The second way says what is meant. `custom_gradient` decorates a function that returns its value together with the
# way back: `backward` takes the gradient of the value and returns those of the arguments. `None` stands for "has
# none". It is the tool for every gradient of one's own, also where the true one is known but comes out inaccurate or
# slow.


# %%
@custom_gradient
def straight_through_by_rule(x, step):
    """`rounded` with the gradient of x itself, by a rule of its own."""

    def backward(gradient):
        return gradient, None

    return rounded(x, step), backward


# %%
if __name__ == "__main__":
    x = xp.asarray(np.linspace(-1.0, 1.0, 9), dtype=xp.float_dtype())
    step = xp.asarray(0.3, dtype=xp.float_dtype())
    found = [
        value_and_grad(lambda x, f=f: xp.sum(xp.square(f(x, step))))(x)[1]
        for f in (straight_through, straight_through_by_rule, rounded)
    ]
    report(gap_gradient=xp.max(xp.abs(found[0] - found[1])), without_rule=xp.max(xp.abs(found[2])))
    far = 100.0
    secant = (rounded(x + far, step) - rounded(x, step)) / far
    print("slope from afar:", xp.to_numpy(secant)[:4], "; by the chain rule:", xp.to_numpy(found[2])[:4])

# %% [markdown]
# Both ways agree. The plain staircase has gradients of the size 0<!--lesson.without_rule-->, while between points far
# apart its slope is nearly 1.
#
# ## A layer with parameters
#
# Parameters are attributes of the type `nn.Parameter`, with a shape and an initialiser. Everything else, from paths
# to saving, follows from that. `Affine` is the layer which the library calls `nn.Linear`, and `RoundedAffine` is the
# one we came for: one line differs, and the part `Round` does the work.


# %%
class Affine(nn.Module):
    """X W' + b: (n, num_inputs) to (n, num_outputs)."""

    def __init__(self, num_inputs, num_outputs):
        super().__init__()
        self.weight = nn.Parameter((num_outputs, num_inputs), nn.initialisers.XavierUniform())
        self.bias = nn.Parameter((num_outputs,), nn.initialisers.Constant(0.0))

    def weight_in_use(self):
        """The matrix that multiplies the inputs, (num_outputs, num_inputs)."""
        return self.weight

    def forward(self, X):
        """The affine map."""
        return xp.matmul(X, xp.matrix_transpose(self.weight_in_use())) + self.bias  # (n, in) -> (n, out)


class RoundedAffine(Affine):
    """`Affine` with weights of few bits; it trains on fine ones."""

    def __init__(self, num_inputs, num_outputs, bits):
        super().__init__(num_inputs, num_outputs)
        self.round = Round(bits)

    def weight_in_use(self):
        """The rounded matrix."""
        return self.round(self.weight)


# %%
if __name__ == "__main__":
    (X, y), (X_val, y_val) = (
        tuple(xp.asarray(a, dtype=xp.float_dtype()) for a in pair)
        for pair in airfoil_arrays(permutation(1503, 0, "airfoil"))
    )  # (1000, 5), (1000, 1), (503, 5), (503, 1)
    ours, theirs = Affine(5, 32).initialise(seed=0), nn.Linear(32, 5).initialise(seed=0)
    report(gap_affine=xp.max(xp.abs(ours(X) - theirs(X))))
    layer = RoundedAffine(5, 32, bits=4).initialise(seed=0)
    print(layer, "with", len(np.unique(xp.to_numpy(layer.weight_in_use()))), "different weights")

# %% [markdown]
# ## The noise of a wing in four bits
#
# We predict the noise of an aerofoil from five measurements, the data of
# [Linear regression](../linear_regression/linear_regression.py), by a network with 32 hidden units, and compare two
# ways to come to few bits: train as usual and round *afterwards*, or have rounding layers from the *beginning*.


# %%
def network(bits=None, num_hiddens=32):
    """Two affine maps with tanh between them, 5 inputs to 1 output; rounded if there are bits."""
    sizes = ((5, num_hiddens), (num_hiddens, 1))
    first, last = (Affine(*size) if bits is None else RoundedAffine(*size, bits) for size in sizes)
    return nn.Sequential(first, nn.Tanh(), last)


def fit(model, X, y, steps, lr=0.02):
    """Adam on all examples at once; returns the last loss."""
    optimiser = optim.Adam(model, lr=lr)
    gradient_of = value_and_grad(lambda X, y: squared_error(model(X), y), model)

    def step(X, y):
        loss, gradients = gradient_of(X, y)
        optimiser.update(gradients)
        return loss

    run = compiled(step, [*model.variables().values(), *optimiser.slots.values()])
    for _ in range(steps):
        loss = run(X, y)
    return float(loss)


@house_style
def plot_bits(bits, afterwards, trained, best):
    """Validation losses against the number of bits, for both ways, and without rounding."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.4))
    axes.semilogy(bits, afterwards, marker="o", label="rounded afterwards")
    axes.semilogy(bits, trained, marker="s", label="rounded from the beginning")
    axes.axhline(best, color=COLOURS[2], linestyle=":", label="32 bits")
    axes.set(xlabel="bits of a weight", ylabel="validation loss", xticks=bits)
    axes.legend()
    return figure


# %%
BITS = (3, 4, 6, 8)

if __name__ == "__main__":
    steps = {"smoke": 30, "standard": 400, "full": 400}[scale()]
    model = network().initialise(seed=0)
    fit(model, X, y, steps)
    loss_float = float(squared_error(model(X_val), y_val))
    report(loss_float=loss_float)
    afterwards, trained = {}, {}
    for bits in (4,) if scale() == "smoke" else BITS:
        copy = network(bits).initialise(seed=0)
        copy.load_state_dict(model.state_dict())
        afterwards[bits] = float(squared_error(copy(X_val), y_val))
        rounding = network(bits).initialise(seed=0)
        fit(rounding, X, y, steps)
        trained[bits] = float(squared_error(rounding(X_val), y_val))
    report(afterwards_4=afterwards[4], rounded_4=trained[4])
    for bits in set(trained) - {4}:
        report(**{f"afterwards_{bits}": afterwards[bits], f"rounded_{bits}": trained[bits]})

# %%
if __name__ == "__main__":
    plot_bits(tuple(trained), tuple(afterwards.values()), tuple(trained.values()), loss_float)

# %% [markdown]
# With 32 bits the validation loss is 0.099<!--lesson.loss_float-->; the linear model stayed at about 0.5, and one
# that always answers with the mean has 1. Rounded to four bits afterwards, the same network has
# 0.891<!--lesson.afterwards_4-->: worse than a straight line. The network that has rounded from the beginning reaches
# 0.230<!--lesson.rounded_4--> with the same fifteen levels. At three bits it is 0.349<!--lesson.rounded_3--> against
# 5.579<!--lesson.afterwards_3-->, and a loss above 1 is worse than no model. With six bits the advantage is gone
# (0.127<!--lesson.afterwards_6--> afterwards, 0.151<!--lesson.rounded_6--> from the beginning), and with eight
# nothing is lost by rounding in the end (0.099<!--lesson.afterwards_8-->). So one trains with rounding where the bits
# are few; Jacob and others (2018) describe how networks for telephones are made in this way.
#
# These are NumPy's numbers. A training with jumps magnifies the last digits, so on another backend the second digit of
# a loss may differ (four bits afterwards give 0.983<!--lesson.afterwards_4 @torch--> on PyTorch). The order at three
# and four bits is the same on all.
#
# ## What goes wrong
#
# **No rule for the gradient.** The following layer differs in one word: `rounded` instead of `straight_through`. It
# computes, nothing complains, and the weights stay where they began. Only the biases learn.


# %%
class FlatAffine(RoundedAffine):
    """`RoundedAffine` with the true derivative of rounding."""

    def weight_in_use(self):
        """The rounded matrix, through which no gradient passes."""
        step = xp.stop_gradient(xp.max(xp.abs(self.weight))) / (2 ** (self.round.bits - 1) - 1)
        return rounded(self.weight, step)


# %%
if __name__ == "__main__":
    flat = nn.Sequential(FlatAffine(5, 32, 4), nn.Tanh(), FlatAffine(32, 1, 4)).initialise(seed=0)
    start = flat.state_dict()
    report(loss_flat=fit(flat, X, y, 50))
    moved = {path: float(np.abs(array - start[path]).max()) for path, array in flat.state_dict().items()}
    report(moved_weights=max(moved["0.weight"], moved["2.weight"]), moved_biases=max(moved["0.bias"], moved["2.bias"]))

# %% [markdown]
# In 50 steps a bias moved by 1.10<!--lesson.moved_biases--> and no weight by more than 0<!--lesson.moved_weights-->;
# the loss is 1.08<!--lesson.loss_flat-->. Look at the size of every gradient once when you have written a layer.
#
# **A way back that does not fit.** A rule must return one gradient for each argument, of its shape. Here someone
# forgot that the bias was added to every row.


# %%
@custom_gradient
def shifted(X, bias):
    """X (n, m) plus bias (m,), with a wrong gradient of the bias."""

    def backward(gradient):
        return gradient, gradient

    return X + bias, backward


# %%
if __name__ == "__main__":
    try:
        value_and_grad(lambda b: xp.sum(shifted(X, b)))(xp.zeros((5,)))
    except D2LError as error:
        print(error)

# %% [markdown]
# The sum over the rows is missing: `xp.sum(gradient, axis=0)`. Shapes can be checked by the engine; whether the
# numbers are right, only a comparison with finite differences can tell.
#
# ## Under the surface
#
# A custom gradient is a class `torch.autograd.Function` with two static methods in PyTorch, the decorator
# `jax.custom_vjp` with a separate function for each direction in JAX, `tf.custom_gradient`, after which ours is
# modelled, in TensorFlow, and `autograd.Function` in MXNet. Ours is the same on all, and the function it decorates
# must be pure: parameters are passed as arguments, never read from `self`. NumPy, PyTorch, JAX and TensorFlow round
# halves to the even neighbour (0.5 to 0, 1.5 to 2), as the array standard demands; MXNet's older `nd.round` and many
# spreadsheets round them away from zero. Since a rounded network jumps when a weight crosses the middle between two
# levels, a difference in the last digit may be enough for one backend to jump a step before another.
#
# ## Summary
#
# A layer is a module with a `forward`; its parameters are attributes. A layer without parameters is a function with
# settings. Where the chain rule gives a useless derivative, one may define another with `custom_gradient`, or with
# `stop_gradient` by hand. The straight-through estimator trains weights of few bits: they cost little accuracy if the
# training knows of the rounding, and very much if it doesn't.
#
# ## Exercises
#
# Solutions are in `custom_layers_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise custom-layers` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Rows of length one.* Write a module `UnitRows` without parameters that divides each row by its Euclidean
#    length and leaves a row of zeros as it is, with a gradient that is finite there, too.
# 2. ★ *One bit.* Write `sign_through(x)`: 1 where $x \geq 0$, else $-1$; its gradient is passed on where
#    $|x| \leq 1$ and is zero elsewhere (Hubara and others, 2016).
# 3. *The variance of rounding.* Compare the mean square of $q(\mathbf{W}) - \mathbf{W}$ with $\Delta^2/12$ for a
#    matrix of 100,000 normal weights, at 2, 3, 4 and 8 bits. Where does the formula fail, and why?
# 4. *A step for each row.* Let each row of $\mathbf{W}$ have its own $\Delta$. What does it cost in memory, and what
#    does it gain at four bits if one rounds afterwards?
#
# ## References
#
# - B. Widrow (1956), *A Study of Rough Amplitude Quantization by Means of Nyquist Sampling Theory*, IRE Transactions
#   on Circuit Theory 3.
# - Y. Bengio, N. Léonard and A. Courville (2013), *Estimating or Propagating Gradients Through Stochastic Neurons for
#   Conditional Computation*, arXiv:1308.3432.
# - I. Hubara, M. Courbariaux, D. Soudry, R. El-Yaniv and Y. Bengio (2016), *Binarized Neural Networks*, NIPS.
# - B. Jacob, S. Kligys, B. Chen, M. Zhu, M. Tang, A. Howard, H. Adam and D. Kalenichenko (2018), *Quantization and
#   Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR.
