# /// lesson
# name = "activations"
# title = "Layers and activation functions"
# sections = ["5.1"]
# needs = ["linear-regression"]
# data = ["airfoil"]
# main = "relu"
# [time]
# smoke = "5 s"
# standard = "1 min"
# full = "1 min"
# [promises]
# standard = ["linear: val_loss >= 0.45", "relu: val_loss <= 0.2", "lesson: order <= -1.9"]
# full = [
#   "linear: val_loss >= 0.45", "relu: val_loss <= 0.2", "tanh: val_loss <= 0.2", "gelu: val_loss <= 0.2",
#   "lesson: collapse_gap <= 1e-4", "lesson: bill_gap <= 1e-4", "lesson: slope_gap <= 1e-5", "lesson: order <= -1.9",
#   "lesson: order >= -2.1", "lesson: xor_identity <= 0", "lesson: xor_relu_8 >= 0.9", "lesson: naive_is_nan >= 1",
# ]
# ///

# %% [markdown]
# # Layers and activation functions
#
# A town wants to save water. The first 40 cubic metres a year cost 2 € each, those from 40 to 100 cost 5 €, and beyond
# 100 each one costs 12 €. How much is the bill? No formula of the kind "price times consumption plus a fee" gives it,
# since the price itself depends on the consumption. But three meters do: one that counts everything, one that begins to
# count at 40, and one that begins at 100. The bill is $2 \cdot$ the first, plus $3 \cdot$ the second, plus $7 \cdot$
# the third.
#
# A meter that begins to count at some point is a tiny non-linear function, and a weighted sum of many of them can
# follow any curve. This is all that stands between the weighted sums of
# [Linear regression](../linear_regression/linear_regression.py) and deep networks. We see why something must stand
# there, what the usual choices are and how they differ in their slopes, and how well many of them together follow a
# curve, in theory and when trained.

# %%
import math
from functools import partial

import numpy as np
from d2l_chapters.linear_regression.linear_regression import airfoil

from d2l_core import nn, optim, xp
from d2l_core.autodiff import grad, value_and_grad
from d2l_core.data import Loader
from d2l_core.lessons import Job, report, scale
from d2l_core.nn import functional
from d2l_core.nn.functional import squared_error
from d2l_core.plots import INK, flow, house_style
from d2l_core.training import Data, Trainer

# %% [markdown]
# ## The idea
#
# In the figure, the bill has a bend wherever the price changes. On the right are its three parts, each of which is zero
# up to its threshold and a straight line from there on. Wherever one of them starts, the sum bends.


# %%
def water_bill(x):
    """The bill in euros for x cubic metres, from the three price ranges; an array like x."""
    return 2 * np.minimum(x, 40) + 5 * np.clip(x - 40, 0, 60) + 12 * np.maximum(x - 100, 0)


@house_style
def plot_bill():
    """The bill, and the three meters that it is made of."""
    import matplotlib.pyplot as plt

    x = np.linspace(0, 150, 301)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2))
    left.plot(x, water_bill(x), color="C0")
    left.set(xlabel="consumption $x$ in m³", ylabel="euros", title="the bill")
    for price, start in ((2, 0), (3, 40), (7, 100)):
        right.plot(x, price * np.maximum(x - start, 0), label=rf"${price} \cdot \max(0, x - {start})$")
    right.set(xlabel="consumption $x$ in m³", ylabel="euros", title="its three parts")
    right.legend()
    return figure


def diagram_network():
    """The bill as a network."""
    return flow(("x", "(n, 1)"), ("Linear", "(n, 3)"), ("ReLU", "(n, 3)"), ("Linear", "(n, 1)"), ("bill", "(n, 1)"))


# %%
if __name__ == "__main__":
    plot_bill()

# %% [markdown]
# Written as a network, the consumption enters a layer with three *hidden units*. Each computes a weighted sum of its
# inputs plus a bias, here $x - 0$, $x - 40$ and $x - 100$, and passes it through an *activation function*, here
# $\max(0, z)$, which is called the *rectified linear unit* or ReLU (Nair and Hinton, 2010). A second layer adds the
# results up with the weights 2, 3 and 7.

# %%
if __name__ == "__main__":
    diagram_network()

# %% [markdown]
# ## The mathematics
#
# **Without activations, depth is an illusion.** Let $\mathbf{X}$ of shape $(n, d)$ hold $n$ inputs. A layer with
# weights $\mathbf{W}_1$, $(m, d)$, and biases $\mathbf{b}_1$, $(m,)$, followed by one with $\mathbf{W}_2$, $(k, m)$,
# and $\mathbf{b}_2$, $(k,)$, gives
#
# $$(\mathbf{X}\mathbf{W}_1^\top + \mathbf{b}_1)\mathbf{W}_2^\top + \mathbf{b}_2
#   = \mathbf{X}(\mathbf{W}_2\mathbf{W}_1)^\top + (\mathbf{W}_2\mathbf{b}_1 + \mathbf{b}_2),$$
#
# which is one layer with the weights $\mathbf{W}_2\mathbf{W}_1$, $(k, d)$. By repetition a hundred layers are one.
#
# **What one layer cannot say.** The smallest example is *exclusive or*: two inputs that are 0 or 1, and the answer is 1
# if exactly one of them is. Suppose that a weighted sum $w_1 x_1 + w_2 x_2 + b$ is positive just for the answer 1. Then
#
# $$b \le 0, \qquad w_1 + b > 0, \qquad w_2 + b > 0, \qquad w_1 + w_2 + b \le 0 .$$
#
# The sum of the two in the middle says $w_1 + w_2 + 2b > 0$, the sum of the outer two $w_1 + w_2 + 2b \le 0$. There are
# no such weights (Minsky and Papert, 1969).
#
# **Four activations.** An activation $\phi$ is applied to every element $z$ of
# $\mathbf{X}\mathbf{W}_1^\top + \mathbf{b}_1$ by itself. Besides the ReLU the most common are
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}}, \qquad
#   \operatorname{GELU}(z) = z\, \Phi(z),$$
#
# where $\Phi(z)$ is the probability that a standard normal number is below $z$. The *sigmoid* $\sigma$ squeezes all
# numbers between 0 and 1 and can be read as a probability. The hyperbolic tangent has the same shape between $-1$ and
# 1: dividing numerator and denominator by $e^z$ one finds $\tanh(z) = 2\sigma(2z) - 1$. GELU (Hendrycks and Gimpel,
# 2016) is a ReLU without a corner: where the ReLU multiplies by 0 or 1, it multiplies by a probability.
#
# Training sees activations through their slopes. For the sigmoid,
# $\sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2} = \sigma(z)\,(1 - \sigma(z))$, since
# $1 - \sigma(z) = \frac{e^{-z}}{1 + e^{-z}}$. In the same way, or by the chain rule from the sigmoid,
#
# $$\tanh'(z) = 1 - \tanh^2(z), \qquad \operatorname{ReLU}'(z) = [z > 0], \qquad
#   \operatorname{GELU}'(z) = \Phi(z) + z\, \varphi(z),$$
#
# with the normal density $\varphi(z) = e^{-z^2/2} / \sqrt{2\pi}$, the derivative of $\Phi$, and $[z > 0]$ for 1 or 0.
# The slope of the sigmoid is at most $\frac14$, and ten layers of them multiply a gradient by at most
# $4^{-10} \approx 10^{-6}$, apart from what the weights do. That of the hyperbolic tangent reaches 1, but only at zero.
# That of the ReLU is 1 on half of the line, however deep the network, and 0 on the other half, where nothing is learnt.
#
# **How far one gets with sums of ReLUs.** Let $g$ be a function on $[a, b]$ with a second derivative of at most $M$ in
# size. Cut the interval into $m$ pieces of the length $h = (b - a)/m$ with the ends $t_0, \dots, t_m$, and let $s_j$ be
# the slope of the straight line from $(t_j, g(t_j))$ to $(t_{j+1}, g(t_{j+1}))$. The polygon through these points is
#
# $$\hat g(x) = g(t_0) + s_0 \max(0, x - t_0) + \sum_{j=1}^{m-1} (s_j - s_{j-1}) \max(0, x - t_j),$$
#
# because to the right of $t_j$ the first $j + 1$ meters run and their weights add up to $s_j$. This is a network with
# $m$ hidden units, and we have just written down its weights. How wrong is it? Fix $x$ inside a piece. The function
# $u(t) = g(t) - \hat g(t) - c\,(t - t_j)(t - t_{j+1})$, with $c$ chosen so that $u(x) = 0$, is zero at three points, so
# its derivative is zero at two points between, and its second derivative $g''(t) - 2c$ at some $\xi$. Hence
# $g(x) - \hat g(x) = \frac12 g''(\xi)\,(x - t_j)(x - t_{j+1})$. The product is at most $h^2/4$ in size, so
#
# $$|g(x) - \hat g(x)| \le \frac{M h^2}{8} = \frac{M (b - a)^2}{8 m^2} .$$
#
# Twice as many units make a quarter of the error. That one hidden layer of enough units can come arbitrarily close to
# *any* continuous function, of any number of variables, on a closed and bounded set is the *universal approximation
# theorem*, proved for sigmoids by Cybenko (1989) and for every continuous activation that is not a polynomial by
# Leshno, Lin, Pinkus and Schocken (1993).

# %% [markdown]
# ## From scratch
#
# Four functions of the elements. The sigmoid is computed by way of the hyperbolic tangent, for a reason that we shall
# see.


# %%
def relu(Z):
    """max(0, z) for every element."""
    return xp.where(Z > 0, Z, xp.zeros_like(Z))


def sigmoid(Z):
    """1 / (1 + exp(-z)) for every element."""
    return 0.5 * (1.0 + xp.tanh(0.5 * Z))


def tanh(Z):
    """The hyperbolic tangent of every element."""
    return xp.tanh(Z)


def gelu(Z):
    """z times the probability that a standard normal number is below z, for every element."""
    return 0.5 * Z * (1.0 + xp.erf(Z * 0.5**0.5))


def identity(Z):
    """No activation."""
    return Z


ACTIVATIONS = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh, "gelu": gelu}


def slopes(activation, z):
    """The derivative of an activation at each point of z (n,): the gradient of the sum, since elements do not mix."""
    return grad(lambda z: xp.sum(activation(z)))(z)  # (n,)


def slopes_by_hand(z):
    """The formulas of the text for NumPy points (n,), by name: arrays (n,)."""
    s, density = 1 / (1 + np.exp(-z)), np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    below = 0.5 * (1 + np.array([math.erf(x * 0.5**0.5) for x in z]))
    return {"relu": z > 0, "sigmoid": s * (1 - s), "tanh": 1 - np.tanh(z) ** 2, "gelu": below + z * density}


@house_style
def plot_activations():
    """Each activation and its slope."""
    import matplotlib.pyplot as plt

    z = np.linspace(-4.0, 4.0, 161)
    figure, panels = plt.subplots(1, 4, figsize=(10.4, 2.8))
    for axes, (name, activation) in zip(panels, ACTIVATIONS.items(), strict=True):
        points = xp.asarray(z)
        axes.plot(z, xp.to_numpy(activation(points)), "C0-", label="value")
        axes.plot(z, xp.to_numpy(slopes(activation, points)), "C1--", label="slope")
        axes.set(title=name, xlabel="$z$", ylim=(-1.2, 2.2))
        axes.grid(True)
    panels[0].legend()
    return figure


# %%
if __name__ == "__main__":
    points = np.linspace(-4.0, 4.0, 41) + 0.01
    expected = slopes_by_hand(points)
    gaps = {
        name: float(np.abs(xp.to_numpy(slopes(activation, xp.asarray(points))) - expected[name]).max())
        for name, activation in ACTIVATIONS.items()
    }
    print("largest difference between formula and automatic slope:", {name: f"{gap:.1e}" for name, gap in gaps.items()})
    at_zero = {name: float(slopes(activation, xp.asarray(np.zeros(1)))[0]) for name, activation in ACTIVATIONS.items()}
    fine = xp.asarray(np.linspace(-3.0, 3.0, 6001))
    report(
        slope_gap=max(gaps.values()),
        sigmoid_at_zero=at_zero["sigmoid"],
        sigmoid_at_four=slopes(sigmoid, xp.asarray(np.array([4.0])))[0],
        gelu_lowest=xp.min(gelu(fine)),
        gelu_steepest=xp.max(slopes(gelu, fine)),
    )

# %%
if __name__ == "__main__":
    plot_activations()

# %% [markdown]
# On NumPy all slopes agree with the formulas to $1.1 \cdot 10^{-7}$<!--lesson.slope_gap-->. At zero the sigmoid has its
# greatest slope, 0.25<!--lesson.sigmoid_at_zero-->; at $z = 4$ only 0.018<!--lesson.sigmoid_at_four--> is left: such a
# unit is *saturated* and learns almost nothing. GELU dips below zero, down to $-0.170$<!--lesson.gelu_lowest-->, so it
# is not monotonic, and its slope rises to 1.13<!--lesson.gelu_steepest-->, above one.
#
# Now the claim that layers collapse, with a stack of five layers, and the water bill as a network.


# %%
def dense(X, weight, bias):
    """A layer from (n, d) to (n, m), with weight (m, d) and bias (m,)."""
    return xp.matmul(X, xp.matrix_transpose(weight)) + bias  # (n, d) @ (d, m) + (m,) -> (n, m)


def collapse(layers):
    """Weight and bias of the one layer that equals a stack of layers (weight, bias) without activations."""
    weight, bias = layers[0]
    for upper, shift in layers[1:]:
        weight, bias = xp.matmul(upper, weight), xp.matmul(upper, bias) + shift  # (k, m) @ (m, d), (k, m) @ (m,) + (k,)
    return weight, bias


# %%
if __name__ == "__main__":
    stack = nn.Sequential(*(nn.Linear(size) for size in (64, 32, 16, 8, 1)))
    X = xp.asarray(np.linspace(-1.0, 1.0, 50).reshape(10, 5))  # (10, 5)
    stack.initialise(X, seed=0)
    weight, bias = collapse([(layer.weight, layer.bias) for layer in stack])  # (1, 5), (1,)
    report(collapse_gap=xp.max(xp.abs(stack(X) - dense(X, weight, bias))))
    x = xp.asarray(np.linspace(0.0, 150.0, 61)[:, None])  # (61, 1)
    hidden = relu(dense(x, xp.ones((3, 1)), xp.asarray(np.array([0.0, -40.0, -100.0]))))  # (61, 1) -> (61, 3)
    bill = dense(hidden, xp.asarray(np.array([[2.0, 3.0, 7.0]])), xp.zeros(1))  # (61, 3) -> (61, 1)
    report(bill_gap=np.abs(xp.to_numpy(bill) - water_bill(xp.to_numpy(x))).max(), largest_bill=xp.max(bill))

# %% [markdown]
# Five layers and the one that was computed from them differ by $4.5 \cdot 10^{-8}$<!--lesson.collapse_gap-->, which is
# rounding. The network reproduces the bill with the error 0<!--lesson.bill_gap-->, up to the
# 980<!--lesson.largest_bill--> € for 150 cubic metres.
#
# ## Concise
#
# In the library a layer is `nn.Linear(m)`, an activation is a layer such as `nn.ReLU()` or any function, and
# `nn.Sequential` puts them in a row. We give it the weights that we derived for the polygon, and let it follow a wave,
# $g(x) = \sin 2\pi x$ on the interval from 0 to 1, where $M = 4\pi^2$.


# %%
def wave(x):
    """The function to be followed, on the interval from 0 to 1: an array like x."""
    return np.sin(2.0 * np.pi * x)


def polygon_weights(g, m, a=0.0, b=1.0):
    """Thresholds (m,), output weights (m,) and output bias of the polygon through m + 1 evenly spaced points of g."""
    t = np.linspace(a, b, m + 1)  # (m + 1,)
    s = np.diff(g(t)) / np.diff(t)  # (m,)
    return t[:-1], np.diff(s, prepend=0.0), float(g(t[0]))


def polygon_network(g, m):
    """The library's network of a hidden layer of m ReLUs with those weights."""
    thresholds, weights, start = polygon_weights(g, m)
    model = nn.Sequential(nn.Linear(m), nn.ReLU(), nn.Linear(1)).initialise(xp.zeros((1, 1)), seed=0)
    state = {"0.weight": np.ones((m, 1)), "0.bias": -thresholds, "2.weight": weights[None], "2.bias": [start]}
    model.load_state_dict({path: np.asarray(value, np.float32) for path, value in state.items()})
    return model


def largest_error(model, g, points=2001):
    """Largest distance between a network and a function on the interval from 0 to 1."""
    x = np.linspace(0.0, 1.0, points)[:, None]
    return float(np.abs(xp.to_numpy(model(xp.asarray(x))) - g(x)).max())


@house_style
def plot_polygons(sizes=(4, 8), beyond=0.4):
    """Polygons made of a few units against the function, inside and outside of the interval."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    x = np.linspace(-beyond, 1.0 + beyond, 361)
    axes.plot(x, wave(x), "-", color=INK, linewidth=3, alpha=0.5, label=r"$\sin 2\pi x$")
    for i, m in enumerate(sizes):
        values = xp.to_numpy(polygon_network(wave, m)(xp.asarray(x[:, None])))
        axes.plot(x, values[:, 0], f"C{i}" + ("--", "-.")[i % 2], label=f"{m} units")
    axes.axvspan(0.0, 1.0, color="C4", alpha=0.1)
    axes.set(xlabel="$x$", ylim=(-1.6, 2.6))
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    sizes = np.array([4, 8, 16, 32, 64, 128])
    errors = np.array([largest_error(polygon_network(wave, int(m)), wave) for m in sizes])
    for m, error in zip(sizes, errors, strict=True):
        print(f"{m} units: error {error:.5f}, bound {4 * np.pi**2 / (8 * m * m):.5f}")
    report(
        error_8=errors[1],
        error_16=errors[2],
        error_64=errors[4],
        order=np.polyfit(np.log(sizes[2:]), np.log(errors[2:]), 1)[0],
        outside=xp.to_numpy(polygon_network(wave, 16)(xp.asarray(np.array([[1.5]]))))[0, 0],
    )

# %%
if __name__ == "__main__":
    plot_polygons()

# %% [markdown]
# With 8 units the error is 0.0704<!--lesson.error_8-->, with 16 it is 0.0188<!--lesson.error_16-->, with 64
# 0.00120<!--lesson.error_64-->, each time a little below the bound, and the slope in logarithms is
# $-1.99$<!--lesson.order--> where the theory says $-2$.
#
# The figure also shows what the theorem does not promise. Outside of the interval there are no folds, and a network of
# ReLUs goes straight on for ever: with 16 units it says 3.06<!--lesson.outside--> at $x = 1.5$, where the wave is at 0.
# An approximation knows what it was made for and nothing more.
#
# ## Can training find it?
#
# The polygon needed no training. We now ask gradient descent (in its variant Adam) for the same: 16 units, 256 points
# of the wave, 200 epochs. There is a trap in it. The library draws initial weights at random but sets the biases to
# zero, so that *all folds start at* $x = 0$, which is the very edge of the interval: on the interval the network begins
# as a straight line. So we also try biases that are spread between $-1$ and 1.


# %%
def wave_data(n=256):
    """The wave at n points for training and between them for validation."""
    x = np.linspace(0.0, 1.0, n)[:, None]
    between = 0.5 * (x[1:] + x[:-1])
    train = Loader((x, wave(x)), 64, shuffle=True, stream=(0, "shuffle"))
    return Data(train, Loader((between, wave(between)), len(between)))


def trained_on_wave(activation, m, epochs, spread=0.0):
    """A network of one hidden layer of m units that Adam taught to follow the wave, first biases within +-spread."""
    first = nn.Linear(m, bias_init=nn.initialisers.Uniform(spread))
    model = nn.Sequential(first, activation, nn.Linear(1))
    Trainer(epochs).fit(model, wave_data(), loss=squared_error, optimiser=partial(optim.Adam, lr=0.02))
    return model


@house_style
def plot_trained(models):
    """What trained networks made of the wave, by name."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    x = np.linspace(0.0, 1.0, 201)
    axes.plot(x, wave(x), "-", color=INK, linewidth=3, alpha=0.5, label=r"$\sin 2\pi x$")
    for i, (name, model) in enumerate(models.items()):
        axes.plot(x, xp.to_numpy(model(xp.asarray(x[:, None])))[:, 0], f"C{i}" + ("-", "--", "-.", ":")[i], label=name)
    axes.set(xlabel="$x$")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    epochs = 2 if scale() == "smoke" else 200
    trained = {
        "relu, biases zero": trained_on_wave(relu, 16, epochs),
        "relu, biases spread": trained_on_wave(relu, 16, epochs, spread=1.0),
        "tanh": trained_on_wave(tanh, 16, epochs),
        "identity": trained_on_wave(identity, 16, epochs),
    }
    wrong = {name: largest_error(model, wave) for name, model in trained.items()}
    report(
        trained_relu=wrong["relu, biases zero"],
        trained_spread=wrong["relu, biases spread"],
        trained_tanh=wrong["tanh"],
        trained_identity=wrong["identity"],
    )

# %%
if __name__ == "__main__":
    plot_trained(trained)

# %% [markdown]
# The largest error of the ReLUs is 1.02<!--lesson.trained_relu--> with the biases at zero and
# 0.343<!--lesson.trained_spread--> with the spread ones, where the polygon with the same number of units reaches
# 0.019<!--lesson.error_16-->. The network *can* express a close approximation, and descent did not find it. The
# hyperbolic tangent, which bends everywhere, gets to 0.148<!--lesson.trained_tanh-->. Without an activation a straight
# line is all that can be had, with an error of 0.948<!--lesson.trained_identity-->. A theorem about what exists says
# nothing about what is found; the start, the scale of the inputs and the optimiser decide about that, and more units
# than needed help.
#
# The same shows in the smallest problem. We train 200 networks from 200 random starts on exclusive or, all at once, by
# giving the parameters a first axis, and count how many learn all four answers.


# %%
class XorNetworks(nn.Module):
    """Many networks of one hidden layer, side by side: X (4, 2) to the outputs of all of them (s, 4, 1)."""

    def __init__(self, copies, hidden, activation):
        super().__init__()
        spread = nn.initialisers.Normal(1.0)
        self.activation = activation
        self.W1 = nn.Parameter((copies, 2, hidden), spread)
        self.b1 = nn.Parameter((copies, 1, hidden), nn.initialisers.Constant(0.0))
        self.W2 = nn.Parameter((copies, hidden, 1), spread)
        self.b2 = nn.Parameter((copies, 1, 1), nn.initialisers.Constant(0.0))

    def forward(self, X):
        """All networks answer all questions."""
        copies = self.W1.shape[0]
        X = xp.broadcast_to(X, (copies, *X.shape))  # (4, 2) -> (s, 4, 2)
        H = self.activation(xp.matmul(X, self.W1) + self.b1)  # (s, 4, 2) @ (s, 2, m) -> (s, 4, m)
        return xp.matmul(H, self.W2) + self.b2  # (s, 4, m) @ (s, m, 1) -> (s, 4, 1)


XOR_X, XOR_Y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def trained_on_xor(activation, hidden, epochs, copies=200):
    """Networks with so many random starts, each trained on all four questions at once."""
    model = XorNetworks(copies, hidden, activation)
    data = Data(Loader((XOR_X, XOR_Y), 4), Loader((XOR_X, XOR_Y), 4))

    def total_loss(outputs, y):
        """Sum of the losses of all networks, so that each has the gradient it would have alone."""
        return copies * xp.mean(xp.square(outputs - y))  # (s, 4, 1), (4, 1) -> ()

    Trainer(epochs).fit(model, data, loss=total_loss, optimiser=partial(optim.Adam, lr=0.02))
    return model


def solved(model):
    """Which of the networks (s,) get all four answers right to within a quarter: booleans."""
    outputs = xp.to_numpy(model(xp.asarray(XOR_X)))  # (s, 4, 1)
    return (np.abs(outputs - XOR_Y) < 0.25).all(axis=(1, 2))  # (s, 4, 1) -> (s,)


def solved_share(activation, hidden, epochs, copies=200):
    """Share of the random starts from which training finds all four answers."""
    return float(solved(trained_on_xor(activation, hidden, epochs, copies)).mean())


def has_shut_unit(model):
    """Which of the networks (s,) have a hidden unit whose sum is positive for none of the four inputs: booleans."""
    sums = XOR_X @ xp.to_numpy(model.W1) + xp.to_numpy(model.b1)  # (4, 2) @ (s, 2, m) + (s, 1, m) -> (s, 4, m)
    return (sums <= 0.0).all(axis=1).any(axis=1)  # (s, 4, m) -> (s, m) -> (s,)


# %%
if __name__ == "__main__":
    epochs = 2 if scale() == "smoke" else 400
    small = trained_on_xor(relu, 2, epochs)
    failed = ~solved(small)
    report(
        xor_identity=solved_share(identity, 8, epochs),
        xor_relu_2=1.0 - failed.mean(),
        xor_relu_2_shut=has_shut_unit(small)[failed].mean(),
        xor_relu_8=solved_share(relu, 8, epochs),
        xor_tanh_2=solved_share(tanh, 2, epochs),
        xor_tanh_8=solved_share(tanh, 8, epochs),
    )

# %% [markdown]
# Without an activation the share is 0 %<!--lesson.xor_identity-->, as it must be. Two ReLUs suffice in theory, and
# 21 %<!--lesson.xor_relu_2--> of the starts find a solution; with eight it is 96 %<!--lesson.xor_relu_8-->. For the
# hyperbolic tangent it is 71 %<!--lesson.xor_tanh_2--> and 100 %<!--lesson.xor_tanh_8-->. Of the networks of two ReLUs
# that failed, 83 %<!--lesson.xor_relu_2_shut--> have a unit that is shut for all four inputs and gets no gradient any
# more. With more units, some are always in a good place. That networks are made much wider than the problem demands is
# not waste; it is how descent gets through.
#
# ## The noise of a wing
#
# Real measurements again: the noise of a wing from five features, 1,000 cases for training and 503 for validation, as
# in [Linear regression](../linear_regression/linear_regression.py), where the best weighted sum explained half of the
# variance. Two hidden layers of 32 units, 30 epochs of Adam, and everything the same except for the activation.


# %%
def two_layers(activation, width=32):
    """A network with two hidden layers for the five features of a wing."""
    return nn.Sequential(nn.Linear(width), activation, nn.Linear(width), activation, nn.Linear(1))


jobs = {
    name: Job(
        model=lambda activation=activation: two_layers(activation),
        data=airfoil,
        loss=squared_error,
        optimiser=lambda model: optim.Adam(model, lr=0.005),
        epochs={"smoke": 1, "standard": 30, "full": 30},
    )
    for name, activation in {"linear": identity, **ACTIVATIONS}.items()
}


@house_style
def plot_runs(runs):
    """Validation loss over the epochs of several runs."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.6, 3.2))
    for i, (name, run) in enumerate(runs.items()):
        losses = [record["val_loss"] for record in run.history.epochs]
        axes.plot(range(1, len(losses) + 1), losses, f"C{i}" + ("-", "--")[i % 2], label=name)
    axes.set(xlabel="epoch", ylabel="validation loss", ylim=(0.0, None))
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_runs({name: jobs[name].run() for name in ("linear", "relu")})

# %% [markdown]
# The table holds the recorded runs of all five at full scale: each backend, with the mean and the spread over the
# seeds.

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("activations"))

# %% [markdown]
# Without activations two hidden layers bring nothing: the validation loss is 0.511<!--linear.val_loss mean--> (mean of
# three seeds), like that of a single weighted sum. With ReLUs it falls to 0.138<!--relu.val_loss mean-->, with the
# hyperbolic tangent to 0.163<!--tanh.val_loss mean-->, with GELU to 0.131<!--gelu.val_loss mean-->. The noise levels
# have a standard deviation of 6.9 dB. Times the root of the loss, that of what remains goes from about 5 dB to between
# 2.5 and 2.8. The sigmoid reaches 0.342<!--sigmoid.val_loss mean-->: each of its layers passes on at most a quarter of
# the gradient, so the first layer learns slowly. It can say whatever the others can (exercise 3); it takes longer to
# get there.
#
# From one seed to another the losses of these three differ by 0.01 to 0.04, as much as they do from each other, so that
# this should not be read as a ranking.
#
# ## What goes wrong
#
# Two traps have been met: units that start in one place, and units that are shut. A third one lies in the formula of
# the sigmoid.


# %%
def naive_sigmoid(Z):
    """The formula as it stands."""
    return 1.0 / (1.0 + xp.exp(-Z))


# %%
if __name__ == "__main__":
    far = xp.asarray(-100.0)
    value, slope = value_and_grad(naive_sigmoid)(far)
    print(f"naive: value {float(value)}, slope {float(slope)}; ours: slope {float(grad(sigmoid)(far))}")
    approximate = 0.5 * fine * (1.0 + xp.tanh((2.0 / np.pi) ** 0.5 * (fine + 0.044715 * fine * fine * fine)))
    pairs = [(relu, functional.relu), (sigmoid, functional.sigmoid), (tanh, xp.tanh), (gelu, functional.gelu)]
    report(
        naive_is_nan=np.isnan(float(slope)),
        library_gap=max(float(xp.max(xp.abs(a(fine) - b(fine)))) for a, b in pairs),
        gelu_gap=xp.max(xp.abs(gelu(fine) - approximate)),
    )

# %% [markdown]
# At $z = -100$ the number $e^{100}$ is beyond float32, so it becomes infinity, and $1 / (1 + \infty)$ is 0: the value
# is right. The slope is $e^{-z} / (1 + e^{-z})^2$, infinity divided by infinity, which is not a number, and one step
# later no parameter is a number any more. The hyperbolic tangent is computed without overflow, and its slope
# $1 - \tanh^2$ tends to zero as it should. This is why our sigmoid, and those of all libraries, do not follow the
# formula to the letter.
#
# Our four functions and the library's differ by 0<!--lesson.library_gap--> on NumPy and by
# $1.2 \cdot 10^{-7}$<!--lesson.library_gap @jax--> on JAX.
#
# ## Under the surface
#
# *Two functions of one name.* The paper on GELU also gives an approximation,
# $\frac{z}{2}\big(1 + \tanh(\sqrt{2/\pi}\,(z + 0.044715 z^3))\big)$, which is off by up to
# $4.7 \cdot 10^{-4}$<!--lesson.gelu_gap-->. PyTorch, Keras and Gluon compute the exact form unless told otherwise,
# while `jax.nn.gelu` computes the *approximation* by default. Whoever moves weights from one to the other finds errors
# in the fourth digit that no amount of precision removes. Our `gelu` is exact on all backends.
#
# *The slope at zero.* A ReLU has none there. All four frameworks take 0 in their `relu`. Written as a maximum of $z$
# and 0 it is another function to them: PyTorch and JAX give two equal operands half of the gradient each, TensorFlow
# and MXNet give all of it to the one that stands first, so the slope at zero is $\frac12$, 1 or 0. Our `xp.maximum`
# gives a half each on every backend; `relu`, which we wrote with `where`, has the slope 0.
#
# *Fusion.* Activations do one or two operations for each number that they read, so their time is that of moving memory.
# Compilers join them with the product before them, so that the intermediate result is never written. And since the
# ReLU's slope can be read off its result, frameworks may overwrite its input, which saves a tensor for each layer.
#
# *Initial values.* A ReLU halves the mean square of what passes through, so weights for it are often drawn with twice
# the variance (He and others, 2015). The defaults do not know which activation will follow: PyTorch's layers draw from
# $\pm 1 / \sqrt d$, Keras' from $\pm \sqrt{6 / (d + m)}$, with whatever activation.
#
# ## Summary
#
# Layers without activations collapse into one, and one layer cannot say exclusive or. A ReLU adds a fold at a place of
# its own; sums of $m$ folds follow a smooth curve with an error of the order $1/m^2$, inside the interval they were
# made for. Activations differ in their slopes: the sigmoid's is at most a quarter, the ReLU's is 0 or 1, the hyperbolic
# tangent's lies between, and GELU's reaches a little beyond on both sides. That a network exists does not mean that
# descent finds it; the start matters, and width helps.
#
# ## Exercises
#
# Solutions are in `activations_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise activations` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Swish.* Write `swish(Z, beta)`, the function $z\, \sigma(\beta z)$ (Ramachandran, Zoph and Le, 2017), with the
#    right slope everywhere. What does it become for very small and very large $\beta$?
# 2. ★ *Maxout.* A unit that takes the largest of $p$ weighted sums needs no other activation (Goodfellow and others,
#    2013). Write `maxout(X, weight, bias)` for `X` (n, d), `weight` (p, m, d) and `bias` (p, m). Which functions can
#    one unit make? Make the water bill.
# 3. *The same functions.* Show that every network with one hidden layer of sigmoids equals one of hyperbolic tangents.
#    Why do they not learn alike?
# 4. *A polynomial.* The theorem excludes polynomials. What can a hidden layer with $\phi(z) = z^2$ not do, however
#    wide? Can it do exclusive or? Try `solved_share`.
# 5. *A step.* Write down two ReLU units that make a function which is 0 below 0 and 1 above $\varepsilon$. What happens
#    to their weights and to the gradient for small $\varepsilon$?
#
# ## References
#
# - M. Minsky and S. Papert (1969), *Perceptrons*, MIT Press.
# - G. Cybenko (1989), *Approximation by Superpositions of a Sigmoidal Function*, Mathematics of Control, Signals, and
#   Systems 2.
# - M. Leshno, V. Y. Lin, A. Pinkus and S. Schocken (1993), *Multilayer Feedforward Networks With a Nonpolynomial
#   Activation Function Can Approximate Any Function*, Neural Networks 6.
# - V. Nair and G. E. Hinton (2010), *Rectified Linear Units Improve Restricted Boltzmann Machines*, ICML.
# - I. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville and Y. Bengio (2013), *Maxout Networks*, ICML.
# - K. He, X. Zhang, S. Ren and J. Sun (2015), *Delving Deep into Rectifiers: Surpassing Human-Level Performance on
#   ImageNet Classification*, ICCV.
# - D. Hendrycks and K. Gimpel (2016), *Gaussian Error Linear Units (GELUs)*, arXiv:1606.08415.
# - P. Ramachandran, B. Zoph and Q. V. Le (2017), *Searching for Activation Functions*, arXiv:1710.05941.
