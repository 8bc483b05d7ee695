# /// lesson
# name = "numerical-stability"
# title = "Numerical stability and initial values"
# sections = ["5.4"]
# needs = ["softmax-regression", "activations", "mlp"]
# data = ["fashion-mnist"]
# main = "he"
# [time]
# smoke = "3 s"
# standard = "20 s"
# full = "20 s"
# [promises]
# full = [
#   "he: val_acc >= 0.72", "xavier: val_acc <= 0.72", "small: val_acc <= 0.15",
#   "lesson: exponent_error <= 0.01", "lesson: spectrum_error <= 0.02", "lesson: overflowed >= 0.99",
#   "lesson: he_layer_50 >= 0.1", "lesson: he_layer_50 <= 10", "lesson: xavier_relu_rate_error <= 0.1",
#   "lesson: backward_rate_error <= 0.1", "lesson: tanh_layer_50 >= 0.005", "lesson: tanh_layer_50 <= 0.02",
#   "lesson: distinct_plain <= 1", "lesson: distinct_dropout >= 16",
# ]
# ///

# %% [markdown]
# # Numerical stability and initial values
#
# Put a page on a photocopier that enlarges by two per cent, copy the copy, and so on. After a hundred copies the
# letters are seven times as large; with two per cent the other way they have an eighth of their height. A factor
# near one, taken a hundred times, is not near one. A deep network is such a chain of copies, for the signals on
# their way forward and for the gradients on their way back, and each layer multiplies by a matrix instead of a
# number.
#
# We shall see what a hundred random matrices do to a vector, predict the growth to two digits, and derive from it how
# large the initial weights of a network should be. Then we send images through fifty layers and check, and train twenty
# layers from good and bad initial values.

# %%
import math

import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist
from d2l_chapters.multilayer_perceptrons.activations import relu
from d2l_chapters.multilayer_perceptrons.mlp import mlp, train

from d2l_core import nn, optim, random, xp
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import accuracy, cross_entropy, sigmoid
from d2l_core.plots import INK, flow, house_style

# %% [markdown]
# ## The idea
#
# Let the layers of a network compute $\mathbf{h}_l = f_l(\mathbf{h}_{l-1})$, $l = 1, \dots, N$, from the input
# $\mathbf{h}_0$. By the chain rule the rate of change of the last layer with the hidden values of layer $l$ is a
# product of $N - l$ matrices,
#
# $$\frac{\partial \mathbf{h}_N}{\partial \mathbf{h}_l} = \mathbf{J}_N \mathbf{J}_{N-1} \cdots \mathbf{J}_{l+1},
#   \qquad \mathbf{J}_i = \frac{\partial \mathbf{h}_i}{\partial \mathbf{h}_{i-1}}, \qquad
#   \mathbf{J}_i \text{ of the shape (width of layer } i, \text{ width of layer } i - 1).$$
#
# The gradient of the loss with respect to early weights contains this product. If its factors stretch, the gradient
# *explodes* and one step of descent throws the weights far away; if they shrink, it *vanishes* and the early layers do
# not learn. There is no middle way unless somebody takes care of it.


# %%
def diagram_chain():
    """The chain of layers; signals run to the right, gradients to the left, through the same matrices."""
    return flow(
        ("h₀", "the input"),
        ("J₁", "stretches"),
        ("J₂", "stretches"),
        ("...", ""),
        ("J_N", "stretches"),
        ("h_N", "loss"),
    )


# %%
if __name__ == "__main__":
    diagram_chain()

# %% [markdown]
# ## A hundred random matrices
#
# Take 4 by 4 matrices whose elements are independent normal numbers with mean 0 and standard deviation $\sigma$, and
# multiply a hundred of them. We do this for 256 chains at once.


# %%
def gaussian_factors(length, n=4, chains=256):
    """Standard normal matrices (length, chains, n, n)."""
    return random.normal((length, chains, n, n), "numerical-stability", "factors")


def product(factors):
    """The product of each chain, latest factor on the left: (length, chains, n, n) to (chains, n, n)."""
    total = xp.asarray(factors[0], dtype=xp.float_dtype())
    for factor in factors[1:]:
        total = xp.matmul(xp.asarray(factor, dtype=xp.float_dtype()), total)  # (chains, n, n) @ (chains, n, n)
    return total


def share_overflowed(factors):
    """Share of the chains whose product holds an infinite element or none that is a number."""
    return float(np.mean(~np.isfinite(xp.to_numpy(product(factors))).all(axis=(1, 2))))


# %%
if __name__ == "__main__":
    length = 100
    factors = gaussian_factors(2 * length)
    with np.errstate(over="ignore", invalid="ignore"):
        for count in (1, 10, length):
            sizes = np.abs(xp.to_numpy(product(factors[:count]))).max(axis=(1, 2))
            print(f"{count:>3} factors: largest element between {sizes.min():.1e} and {sizes.max():.1e}")
        report(overflowed_100=share_overflowed(factors[:length]), overflowed=share_overflowed(factors))

# %% [markdown]
# After a hundred factors the elements have some twenty-five digits before the point, give or take a few, and after two
# hundred all products have left float32, which ends at $3.4 \cdot 10^{38}$. What is left then are infinities and soon,
# as their differences, no numbers at all (NaN).
#
# **The theory** is not hard for this case. Multiply a unit vector $\mathbf{u}$ by one matrix $\mathbf{A}$. Each element
# of $\mathbf{A}\mathbf{u}$ is a sum of independent normal numbers with the variance $\sigma^2 \sum_j u_j^2 = \sigma^2$,
# so $\lVert \mathbf{A}\mathbf{u} \rVert^2 / \sigma^2$ is a sum of $n$ squared standard normal numbers, chi-squared with
# $n$ degrees of freedom, *whatever the direction of* $\mathbf{u}$. The logarithm of the length therefore grows in each
# step by an independent amount with the mean
#
# $$\lambda_1 = \log \sigma + \frac{1}{2}\, \mathbb{E}\left[\log \chi^2_n\right]
#   = \log \sigma + \frac{1}{2} \left( \log 2 + \psi\left(\tfrac{n}{2}\right) \right),$$
#
# where $\psi$ is the digamma function, which for the arguments needed here follows from $\psi(1) = -\gamma$,
# $\psi(\frac12) = -\gamma - 2 \log 2$ and $\psi(x + 1) = \psi(x) + 1/x$ with Euler's $\gamma = 0.5772$. By the law
# of large numbers, $\frac{1}{N} \log \lVert \mathbf{A}_N \cdots \mathbf{A}_1 \mathbf{u} \rVert \to \lambda_1$ as
# $N$ grows. Such a growth rate is called a *Lyapunov exponent*; that it exists for products of random matrices in
# general is a theorem of Furstenberg and Kesten (1960). For $n = 4$ and $\sigma = 1$ it is $\frac12(0.6931 +
# 0.4228) = 0.558$: a hundred factors stretch a vector by about $e^{55.8} = 1.7 \cdot 10^{24}$.
#
# Other directions grow more slowly. Apply the matrices to an orthonormal basis and orthogonalise after each step
# (a QR decomposition): the second vector may only use what is orthogonal to the first, and has $n - 1$ degrees of
# freedom, the third $n - 2$, and so on. So there are $n$ exponents (Newman, 1986),
#
# $$\lambda_i = \log \sigma + \frac{1}{2}\left( \log 2 + \psi\left(\tfrac{n - i + 1}{2}\right) \right).$$


# %%
def digamma_of_half(k):
    """psi(k / 2) for a whole number k >= 1."""
    value, x = (-np.euler_gamma, 1.0) if k % 2 == 0 else (-np.euler_gamma - 2.0 * math.log(2.0), 0.5)
    while x < k / 2:
        value, x = value + 1.0 / x, x + 1.0
    return value


def exponents_in_theory(n=4, sigma=1.0):
    """The n Lyapunov exponents of normal matrices (n, n), largest first."""
    return np.array([math.log(sigma) + 0.5 * (math.log(2.0) + digamma_of_half(n - i)) for i in range(n)])


def exponents_measured(factors):
    """Mean growth rates (n,) of an orthonormal basis under chains of factors (length, chains, n, n)."""
    length, chains, n, _ = factors.shape
    Q = xp.broadcast_to(xp.eye(n), (chains, n, n))
    total = xp.zeros((chains, n))
    for factor in factors:
        grown = xp.matmul(xp.asarray(factor, dtype=xp.float_dtype()), Q)  # (chains, n, n)
        Q, R = xp.linalg.qr(grown)  # both (chains, n, n)
        total = total + xp.log(xp.abs(xp.linalg.diagonal(R)))  # (chains, n)
    return xp.to_numpy(xp.mean(total, axis=0)) / length  # (chains, n) -> (n,)


def log_lengths(factors, sigma=1.0):
    """Logarithm of the length of a vector after each factor (length, chains), the vector rescaled each time."""
    x = xp.ones((factors.shape[1], factors.shape[2], 1)) / math.sqrt(factors.shape[2])  # (chains, n, 1)
    logs = []
    for factor in factors:
        x = xp.matmul(xp.asarray(sigma * factor, dtype=xp.float_dtype()), x)  # (chains, n, n) @ (chains, n, 1)
        size = xp.sqrt(xp.sum(x * x, axis=1, keepdims=True))  # (chains, n, 1) -> (chains, 1, 1)
        logs.append(xp.to_numpy(xp.log(size)).ravel())
        x = x / size
    return np.cumsum(logs, axis=0)


@house_style
def plot_products(factors, sigmas=(1.0, 0.57, 0.25), shown=12):
    """Lengths of vectors under products of normal matrices for some standard deviations, with the theory."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 3.4))
    steps = np.arange(1, len(factors) + 1)
    for colour, style, sigma in zip(("C0", "C1", "C2"), ("-", "--", "-."), sigmas, strict=True):
        logs = log_lengths(factors[:, :shown], sigma) / math.log(10.0)
        axes.plot(steps, logs, color=colour, linestyle=style, linewidth=0.6, alpha=0.7)
        theory = exponents_in_theory(factors.shape[-1], sigma)[0] / math.log(10.0)
        axes.plot(steps, theory * steps, color=colour, linestyle=style, linewidth=2.5, label=rf"$\sigma = {sigma}$")
    for end, name, place in ((3.4e38, "largest float32", "bottom"), (1.2e-38, "smallest normal float32", "top")):
        axes.axhline(math.log10(end), color=INK, linestyle=":", linewidth=1)
        axes.text(1, math.log10(end), name, va=place, fontsize=8)
    axes.set(xlabel="factors", ylabel=r"$\log_{10}$ of the length", ylim=(-47, 47))
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.77))
    return figure


# %%
if __name__ == "__main__":
    theory, measured = exponents_in_theory(), exponents_measured(factors[:length])
    for i, (a, b) in enumerate(zip(theory, measured, strict=True), start=1):
        print(f"exponent {i}: theory {a:+.4f}, measured {b:+.4f}")
    report(exponent=measured[0], exponent_error=abs(measured[0] - theory[0]), smallest_exponent=measured[-1])
    report(spectrum_error=np.abs(measured - theory).max())
    plot_products(factors[:length])

# %% [markdown]
# The measured exponent is 0.557<!--lesson.exponent-->, against 0.558 in theory; the mean of 256 chains of a hundred
# steps should be within about 0.0025 of it. The smallest is $-0.637$<!--lesson.smallest_exponent-->, where theory
# says $-0.635$. The products do not only grow: they grow in one direction and shrink in another, so that after a
# few steps all input directions are mapped to nearly the same output direction. The dotted lines of the figure are
# the ends of float32.
#
# Only the term $\log \sigma$ can be chosen. The length neither grows nor shrinks on average if $\sigma = e^{-0.558} =
# 0.572$. For large $n$, $\psi(n/2) \approx \log(n/2)$, and the condition $\lambda_1 = 0$
# becomes
#
# $$\sigma^2 = \frac{1}{n} .$$
#
# Keep this formula in mind; a network of linear layers has nothing else to obey.
#
# ## The slope of the activation
#
# Between the matrices of a network stand activations, and each $\mathbf{J}_i$ contains their slopes as further factors.
# For the sigmoid $s(z) = 1/(1 + e^{-z})$ the slope is $s(z)(1 - s(z))$, a product of two numbers that add up to one; it
# is largest at $z = 0$, where it is $\frac14$. Even there, ten layers with weights that would otherwise preserve
# lengths multiply the gradient by $4^{-10}$, less than a millionth; and where $|z|$ is large, the slope is nearly zero.
# The ReLU's slope is one or zero, tanh's is one at $z = 0$. How the activations differ otherwise is the subject of
# [Layers and activation functions](activations.py).


# %%
@house_style
def plot_slopes():
    """The slopes of three activations."""
    import matplotlib.pyplot as plt

    z = np.linspace(-6.0, 6.0, 241)
    s = xp.to_numpy(sigmoid(xp.asarray(z, dtype=xp.float_dtype())))
    figure, axes = plt.subplots(figsize=(5.5, 2.8))
    axes.plot(z, s * (1 - s), label="sigmoid")
    axes.plot(z, 1 - np.tanh(z) ** 2, label="tanh")
    axes.plot(z, z > 0, label="ReLU")
    axes.axhline(0.25, color=INK, linestyle=":", linewidth=1)
    axes.set(xlabel="$z$", ylabel="slope")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_slopes()

# %% [markdown]
# ## How large should initial weights be?
#
# Consider a layer $z_i = \sum_{j=1}^{n_{\text{in}}} W_{ij} h_j$ with $n_{\text{in}}$ inputs and $n_{\text{out}}$
# outputs, weights that are independent with mean 0 and variance $\sigma^2$, and no bias. Inputs $h_j$ are whatever
# the previous layer gives; at the start they are independent of this layer's weights. Then $\mathbb{E}[z_i] = 0$,
# and as the mixed terms $\mathbb{E}[W_{ij} W_{ik}]$ with $j \neq k$ vanish,
#
# $$\mathbb{E}[z_i^2] = \sum_j \mathbb{E}[W_{ij}^2]\, \mathbb{E}[h_j^2]
#   = n_{\text{in}}\, \sigma^2\, \mathbb{E}[h^2], \qquad
#   \mathbb{E}[h^2] := \frac{1}{n_{\text{in}}} \sum_j \mathbb{E}[h_j^2] .$$
#
# It is the *second moment* of the inputs that counts, not their variance: the outputs of a ReLU are not centred. On the
# way back, $\bar{h}_j = \sum_i W_{ij} \bar{z}_i$ has one term for each *output*, so
# $\mathbb{E}[\bar{h}^2] = n_{\text{out}}\, \sigma^2\, \mathbb{E}[\bar{z}^2]$, where a bar denotes the derivative of the
# loss (and we pretend that the $\bar z_i$ are independent of the weights, which is nearly true in wide layers).
#
# **Xavier** (Glorot and Bengio, 2010). If the activation is nearly the identity, as tanh is for small arguments, then
# signals keep their size forward if $n_{\text{in}} \sigma^2 = 1$, and gradients keep theirs backward if
# $n_{\text{out}} \sigma^2 = 1$. Both at once is possible only for $n_{\text{in}} = n_{\text{out}}$; the compromise is
#
# $$\sigma^2 = \frac{2}{n_{\text{in}} + n_{\text{out}}} .$$
#
# A uniform distribution on $[-a, a]$ has the variance $a^2/3$, hence $a = \sqrt{6/(n_{\text{in}} + n_{\text{out}})}$.
#
# **He** (He and others, 2015). Let $h = \max(0, z)$. At the start $z$ is distributed symmetrically about zero, so the
# ReLU removes half of the second moment, $\mathbb{E}[h^2] = \frac12 \mathbb{E}[z^2]$. From layer to layer it is
# multiplied by $\frac12 n_{\text{in}} \sigma^2$, which is 1 if
#
# $$\sigma^2 = \frac{2}{n_{\text{in}}} .$$
#
# On the way back the slope is 1 for half of the units and 0 for the others, the same factor $\frac12$, with
# $n_{\text{out}}$ in place of $n_{\text{in}}$. With layers of one width the two agree. With Xavier's rule and a ReLU
# everything is halved in each layer: after fifty, $2^{-50} = 10^{-15}$ is left.
#
# ## From scratch, and fifty layers
#
# An initialiser is a function of a shape (out, in) and a key that names its random stream.


# %%
def he_normal(shape, key):
    """Normal with the variance 2 / fan_in for a weight (out, in)."""
    return random.normal(shape, *key, std=math.sqrt(2.0 / shape[1]))


def xavier_normal(shape, key):
    """Normal with the variance 2 / (fan_in + fan_out) for a weight (out, in)."""
    return random.normal(shape, *key, std=math.sqrt(2.0 / sum(shape)))


def relu_slope(h):
    """Slope of the ReLU, from its value."""
    return xp.where(h > 0, xp.ones_like(h), xp.zeros_like(h))


ACTIVATIONS = {"relu": (relu, relu_slope), "tanh": (xp.tanh, lambda h: 1.0 - h * h)}
"""Each with its slope as a function of its value."""


def second_moments(initialiser, activation, images, depth=50, width=256):
    """Mean squares of the hidden values (depth,) and of what comes back to them (depth,) in a network at its start.

    What comes back begins as standard normal numbers at the last layer.
    """
    function, slope = ACTIVATIONS[activation]
    H, forward, kept = images, [], []
    for layer in range(depth):
        drawn = initialiser((width, H.shape[1]), ("depth", layer))
        weight = xp.asarray(drawn, dtype=xp.float_dtype())  # (width, in)
        H = function(xp.matmul(H, xp.matrix_transpose(weight)))  # (n, in) @ (in, width) -> (n, width)
        kept.append((weight, H))
        forward.append(mean_square(H))
    G = xp.asarray(random.normal(tuple(H.shape), "depth", "back"), dtype=xp.float_dtype())  # (n, width)
    backward = []
    for weight, H in reversed(kept):
        backward.append(mean_square(G))
        G = xp.matmul(G * slope(H), weight)  # (n, width) @ (width, in) -> (n, in)
    return np.array(forward), np.array(backward[::-1])


def mean_square(tensor):
    """Mean of the squares, in float64 on the host."""
    return float(np.mean(np.square(np.asarray(xp.to_numpy(tensor), dtype=np.float64))))


def standard_images(count=128):
    """Images of Fashion-MNIST (count, 784) with mean 0 and variance 1 over all pixels."""
    X, _ = next(iter(fashion_mnist("smoke", seed=0, batch_size=count).train.epoch(0)))
    X = xp.reshape(X, (count, -1))  # (count, 1, 28, 28) -> (count, 784)
    return (X - xp.mean(X)) / xp.std(X)


SETTINGS = {
    "He, ReLU": (he_normal, "relu"),
    "Xavier, ReLU": (xavier_normal, "relu"),
    "Xavier, tanh": (xavier_normal, "tanh"),
    "std 0.01, ReLU": (nn.initialisers.Normal(0.01), "relu"),
    "std 1, ReLU": (nn.initialisers.Normal(1.0), "relu"),
}


@house_style
def plot_moments(found):
    """Second moments by layer on the way forward and on the way back."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8.5, 3.4), sharey=True)
    for axes, direction, title in zip(panels, (0, 1), ("forward: values", "backward: gradients"), strict=True):
        for name, moments in found.items():
            with np.errstate(divide="ignore"):
                logs = np.log10(moments[direction])
            axes.plot(np.arange(1, len(logs) + 1), np.where(np.isfinite(logs), logs, np.nan), label=name)
        axes.set(xlabel="layer", title=title, ylim=(-50, 50))
    panels[0].set_ylabel(r"$\log_{10}$ of the second moment")
    panels[1].legend(loc="upper right")
    return figure


# %%
if __name__ == "__main__":
    assert np.array_equal(he_normal((64, 32), ("a",)), nn.initialisers.HeNormal()((64, 32), ("a",)))
    assert np.array_equal(xavier_normal((64, 32), ("a",)), nn.initialisers.XavierNormal()((64, 32), ("a",)))
    images = standard_images()
    with np.errstate(over="ignore", invalid="ignore"):
        found = {name: second_moments(*setting, images) for name, setting in SETTINGS.items()}
    for name, (forward, backward) in found.items():
        cells = " ".join(f"{forward[i]:>8.1e}" for i in (0, 9, 24, 49))
        print(f"{name:>15}: layers 1, 10, 25, 50 {cells}; gradient at layer 1 {backward[0]:.1e}")
    plot_moments(found)

# %%
if __name__ == "__main__":

    def rate(moments):
        """Mean factor from layer to layer."""
        return (moments[-1] / moments[0]) ** (1.0 / (len(moments) - 1))

    report(he_layer_50=found["He, ReLU"][0][-1] / found["He, ReLU"][0][0])
    report(xavier_relu_rate=rate(found["Xavier, ReLU"][0]), xavier_relu_backward=1 / rate(found["Xavier, ReLU"][1]))
    report(xavier_relu_rate_error=abs(rate(found["Xavier, ReLU"][0]) / 0.5 - 1.0))
    report(backward_rate_error=abs(1 / rate(found["Xavier, ReLU"][1]) / 0.5 - 1.0))
    report(tanh_layer_50=found["Xavier, tanh"][0][-1])
    report(first_zero_layer=np.argmax(found["std 0.01, ReLU"][0] == 0.0) + 1)
    report(first_infinite_layer=np.argmax(~np.isfinite(found["std 1, ReLU"][0])) + 1)

# %% [markdown]
# With He's rule the second moment at layer 50 is 0.117<!--lesson.he_layer_50--> times that of the first. This is no
# trend to zero but a random walk, and its size is known. The factor of one layer is a mean of $n$ terms $2 h^2 /
# \mathbb{E}[z^2]$ with the variance 5, so its logarithm has the variance $5/n$ and about the mean $-5/(2n)$: after
# fifty layers of 256 units a mean of $-0.5$ and a standard deviation of $\sqrt{50 \cdot 5 / 256} \approx 1$. Factors
# between a tenth and three are to be expected. What matters is the ratio of depth to width (Hanin and Nica, 2020;
# exercise 4).
#
# With Xavier's rule and ReLUs each layer leaves 0.48<!--lesson.xavier_relu_rate--> of the second moment forward and
# 0.50<!--lesson.xavier_relu_backward--> backward, one half each as derived; the weights are those of the row above
# but for a factor, and so is the random walk. With tanh the decay is much slower: since $\tanh^2 z \approx z^2 -
# \frac23 z^4$ and $\mathbb{E}[z^4] = 3 q^2$ for a normal $z$ with the variance $q$, each layer turns $q$ into about
# $q - 2q^2$, which gives $q \approx 1/(2l)$ at layer $l$: 0.010 for $l = 50$, and we measured
# 0.0079<!--lesson.tanh_layer_50-->. The network becomes nearly linear, and no more than that.
#
# The standard deviation 0.01, a common choice for shallow networks, multiplies the second moment by $\frac12 \cdot
# 256 \cdot 10^{-4} = 0.0128$ in each layer. From layer 48<!--lesson.first_zero_layer--> on all values are exactly
# zero, below the smallest float32. The standard deviation 1 reaches infinity at layer
# 36<!--lesson.first_infinite_layer-->, and then something treacherous happens: differences of infinities are no
# numbers (NaN), and our ReLU, which keeps what is greater than zero, makes zeros of them, because NaN is not
# greater than anything. The last layers look calm. In both cases no unit of the last layer is open, and the
# gradient on the way back is zero everywhere (which a logarithmic axis cannot show).
#
# ## Does it matter for training?
#
# Twenty hidden layers of 64 units with ReLUs, the sample of 6,000 images, five epochs with batches of 256, and an
# optimiser that gives every parameter a step of similar size, however small its gradient (Adam, of which a later
# chapter tells). The runs differ in the initial weights of the hidden layers and in nothing else.


# %%
def deep_network(initialiser, depth=20, width=64):
    """An MLP whose hidden layers start from the given initialiser."""
    stages = [nn.Flatten()]
    for _ in range(depth):
        stages += [nn.Linear(width, weight_init=initialiser), nn.ReLU()]
    return nn.Sequential(*stages, nn.Linear(10))


def sample(scale, seed):
    """The embedded sample of Fashion-MNIST; fewer images at smoke."""
    return fashion_mnist("smoke" if scale == "smoke" else "standard", seed)


shared = {
    "data": sample,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.Adam(model, lr=0.001),
    "epochs": {"smoke": 1, "standard": 5, "full": 5},
    "metrics": {"acc": accuracy},
    "headline": "val_acc",
}
jobs = {
    "he": Job(model=lambda: deep_network(nn.initialisers.HeNormal()), **shared),
    "xavier": Job(model=lambda: deep_network(nn.initialisers.XavierNormal()), **shared),
    "small": Job(model=lambda: deep_network(nn.initialisers.Normal(0.01)), **shared),
}


# %%
if __name__ == "__main__":
    for name, job in jobs.items():
        history = job.run().history
        print(f"{name:>7} val_acc", " ".join(f"{value:.3f}" for value in history.column("val_acc")))

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("numerical-stability"))

# %% [markdown]
# From He's values the network reached 0.769<!--he.val_acc mean-->, from Xavier's 0.594<!--xavier.val_acc mean--> on
# NumPy in the mean of three seeds (twenty layers magnify rounding, and a single seed may end 0.07 elsewhere on another
# backend). With Xavier's values the logits are about a thousand times smaller at the start, and it takes several epochs
# to grow them. With weights of the size 0.01 the accuracy stayed at 0.100<!--small.val_acc mean-->, the share of a
# single class; nothing reaches the output but its own bias.
#
# ## What goes wrong
#
# **Equal weights.** Why random numbers at all? Suppose that all hidden units of a layer start with the same
# incoming and the same outgoing weights. Exchanging two of the units changes nothing in the network, so the
# gradient must be unchanged by the exchange as well: the two units have equal gradients. One step later they are
# still equal, and so for ever; the layer is one unit, repeated. [Multilayer perceptrons](mlp.py) shows such a
# network. The argument has a gap through which one can escape: it needs that the units are treated alike. Dropout
# crosses out *different* units.


# %%
def distinct_units(p, images_scale, num_hiddens=16):
    """Number of rows of the first weight that differ after an epoch from equal weights, with dropout p or without."""
    model = mlp(num_hiddens=(num_hiddens,), p=(p,) if p else ())
    data = sample(images_scale, 0)
    model.initialise(*next(iter(data.train.epoch(0)))[:-1], seed=0)
    equal = {path: np.full_like(array, 0.01 * path.endswith("weight")) for path, array in model.state_dict().items()}
    model.load_state_dict(equal)
    train(model, data, epochs=1)
    distinct = []
    for row in model.state_dict()["1.weight"]:
        if all(np.abs(row - other).max() > 1e-5 for other in distinct):
            distinct.append(row)
    return len(distinct)


# %%
if __name__ == "__main__":
    report(distinct_plain=distinct_units(0.0, scale()), distinct_dropout=distinct_units(0.5, scale()))

# %% [markdown]
# Without dropout 1<!--lesson.distinct_plain--> distinct unit is left of sixteen after an epoch; with dropout there are
# 16<!--lesson.distinct_dropout-->: the random masks break the symmetry. Random initial weights do the same at no cost.
# (Units count as distinct if a weight differs by more than $10^{-5}$. Rounding, too, may part equal units in the last
# bit, where a library does not treat all columns of a product alike; [Multilayer perceptrons](mlp.py) tells what comes
# of it on MXNet. Do not rely on that.)
#
# **Infinity minus infinity.** A product that overflows does not stop at infinity. The next sum that contains an
# infinite term of each sign is not a number, and everything computed from it neither. The remedy is the one of
# `log_lengths` above, which computes with a scaled vector and the logarithm of the scale and could go on for a
# million factors. It is the same that [Softmax regression](../linear_classification/softmax_regression.py) uses for
# exponentials.

# %%
if __name__ == "__main__":
    with np.errstate(over="ignore", invalid="ignore"):
        broken = xp.to_numpy(product(factors))
    print(f"200 factors: {np.isinf(broken).sum()} infinities, {np.isnan(broken).sum()} that are no numbers")
    logs = log_lengths(factors)[-1]
    print(f"by logarithms: from e^{logs.min():.0f} to e^{logs.max():.0f}; theory e^{2 * length * theory[0]:.0f}")

# %% [markdown]
# ## Under the surface
#
# Below the smallest *normal* float32, $1.2 \cdot 10^{-38}$, the format goes on with *subnormal* numbers down to
# $1.4 \cdot 10^{-45}$, with fewer and fewer digits. Processors handle them slowly, so some libraries replace them
# by zero: on the machine where this lesson was written, the product $10^{-30} \cdot 10^{-10}$ is $10^{-40}$ in
# NumPy, PyTorch and MXNet and zero in JAX and TensorFlow, which tell the processor so. The network with the
# standard deviation 0.01 falls silent at layer 48<!--lesson.first_zero_layer @torch--> with PyTorch and at layer
# 41<!--lesson.first_zero_layer @jax--> with JAX: a difference between frameworks that no seed explains.
#
# The range is a matter of the format. float16 ends at 65,504, and below $6 \cdot 10^{-5}$ its numbers are subnormal;
# whoever trains in it multiplies the loss by a large constant first, so that small gradients survive, and divides
# the gradients by it again (Micikevicius and others, 2018). bfloat16 has the exponents of float32, needs no such
# scaling, and pays with three bits of precision less than float16.
#
# The default initial values of the frameworks are neither of the rules in pure form; see
# [Initial values of parameters](../builders_guide/parameter_initialisation.py).
#
# ## Summary
#
# A product of many matrices grows or shrinks exponentially, at a rate that for normal matrices is known exactly, and so
# do the signals and gradients of a deep network. Lengths are preserved if the second moment of a layer's outputs equals
# that of its inputs: variance $1/n$ for linear layers, $2/(n_{\text{in}} + n_{\text{out}})$ as Xavier's compromise
# between both directions, $2/n_{\text{in}}$ with ReLUs. Through fifty layers the measured moments follow this theory,
# including the slow decay with tanh. Initial weights must also differ from unit to unit, or a layer remains one unit.
#
# ## Exercises
#
# Solutions are in `numerical_stability_solutions.py`. Exercises with a star are checked by a program: `d2l exercise
# numerical-stability` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *A gain for every activation.* For an activation $\phi$ and weights of the variance $g^2/n_{\text{in}}$,
#    which *gain* $g$ keeps the second moment at 1? Show that it is $1/\sqrt{\mathbb{E}[\phi(z)^2]}$ for a standard
#    normal $z$ and write `gain_for(activation)`, which finds it numerically.
# 2. ★ *Measure instead of deriving.* Mishkin and Matas (2016) scale each layer by what a batch of data does in it.
#    Write `unit_scaled(weights, X, activation)`: the weights, each divided by a number such that the sums
#    $\mathbf{Z} = \mathbf{H}\mathbf{W}^\top$ of its layer have the second moment 1 on the batch, one layer after
#    the other.
# 3. *Unequal widths.* Let the widths of a network be $n_0, n_1, \dots, n_N$ with ReLUs and He's rule. By which
#    factor does the second moment of the gradient change from the last layer to the first? Does the choice between
#    $n_{\text{in}}$ and $n_{\text{out}}$ matter?
# 4. *Deep and narrow.* Derive the variance 5 of the text and measure the spread of $\log$ second moments at layer
#    50 for widths of 32 and 128 over several random streams. What does it mean for a network of 32 units in each
#    layer?
# 5. *Residual layers.* A layer computes $\mathbf{h} + \alpha f(\mathbf{h})$, where $f$ preserves second moments and
#    is uncorrelated with $\mathbf{h}$. How fast do second moments grow for $\alpha = 1$? Which $\alpha$ keeps them
#    bounded through $N$ layers?
#
# ## References
#
# - H. Furstenberg and H. Kesten (1960), *Products of Random Matrices*, Annals of Mathematical Statistics 31.
# - C. M. Newman (1986), *The Distribution of Lyapunov Exponents: Exact Results for Random Matrices*, Communications
#   in Mathematical Physics 103.
# - X. Glorot and Y. Bengio (2010), *Understanding the Difficulty of Training Deep Feedforward Neural Networks*,
#   AISTATS.
# - K. He, X. Zhang, S. Ren and J. Sun (2015), *Delving Deep into Rectifiers: Surpassing Human-Level Performance on
#   ImageNet Classification*, ICCV.
# - D. Mishkin and J. Matas (2016), *All You Need Is a Good Init*, ICLR.
# - P. Micikevicius and others (2018), *Mixed Precision Training*, ICLR.
# - B. Hanin and M. Nica (2020), *Products of Many Large Random Matrices and Gradients in Deep Neural Networks*,
#   Communications in Mathematical Physics 376.
