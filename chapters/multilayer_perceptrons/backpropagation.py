# /// lesson
# name = "backpropagation"
# title = "Backpropagation"
# sections = ["5.3"]
# needs = ["softmax-regression"]
# data = ["fashion-mnist"]
# [time]
# smoke = "3 s"
# standard = "10 s"
# full = "10 s"
# [promises]
# standard = ["lesson: gap_hand <= 1e-4", "lesson: gap_training <= 1e-3"]
# full = [
#   "lesson: gap_hand <= 1e-4", "lesson: gap_library <= 1e-4", "lesson: gap_checkpointed <= 1e-5",
#   "lesson: gap_dropout <= 1e-5", "lesson: gap_training <= 1e-3", "lesson: check_best_64 <= 1e-8",
#   "lesson: check_tiny_32 >= 0.1", "lesson: error_forgotten_path >= 1e-4", "lesson: kept_in_segments <= 11",
# ]
# ///

# %% [markdown]
# # Backpropagation
#
# A bakery sells a cake with cream. If butter becomes one euro a kilogram dearer, by how much must the cake go up?
# There is butter in the dough, and there is butter in the cream, whose price the dairy will raise as well. The
# baker follows each way from the butter to the cake, multiplies the rates along the way (so much cream for a kilogram
# of butter, so much cake for a kilogram of cream), and adds up the ways.
#
# A network asks the same question a few hundred thousand times: by how much does the loss change with *this* weight?
# The number of ways from one weight to the loss grows with the product of the widths of all layers behind it, so
# nobody can follow them one by one. Backpropagation finds all answers in one sweep from the loss back to the inputs,
# at about twice the cost of computing the loss. We shall do the sweep by hand, with every shape written down, compare
# it with `value_and_grad`, count what it costs in time and memory, and see how one checks a gradient that one does
# not trust.

# %%
import itertools
import math
import time
from functools import partial

import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist, log_likelihood_loss, softmax

from d2l_core import nn, optim, xp
from d2l_core.autodiff import checkpoint, value_and_grad
from d2l_core.backend import current, use_backend
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import cross_entropy
from d2l_core.plots import INK, Diagram, house_style
from d2l_core.training import Trainer

# %% [markdown]
# ## The idea
#
# Draw each quantity as a box and an arrow from everything that goes into it: the *computational graph*. For the cake
# there are two ways from the butter. With the rates on the arrows, butter's effect is $0.3 + 0.5 \cdot 0.4 = 0.5$
# euros for a cake.
#
# Now turn around and start at the cake. Its own rate is 1. Each box collects from the boxes that it feeds: their rate
# times the rate on the arrow between. Cream collects 0.4; butter collects 0.3 from the dough and $0.4 \cdot 0.5$ from
# the cream. Each arrow has been used once, however many ways lead through it, because a box passes on the *sum* of what
# has reached it. That is the whole idea. It needs no more than one rule for each kind of box. Linnainmaa (1976) used it
# to follow rounding errors; Rumelhart, Hinton and Williams (1986) showed what networks can learn by it.


# %%
def diagram_cake():
    """Two ways from the price of butter to the price of a cake, with the rates along the arrows."""
    diagram = Diagram(560, 200, "from the price of butter to the price of a cake")
    butter = diagram.box(20, 115, 110, 44, "butter", "rate 0.5")
    cream = diagram.box(225, 15, 110, 44, "cream", "rate 0.4")
    cake = diagram.box(430, 115, 110, 44, "cake", "rate 1")
    diagram.arrow(butter, cream, "0.5")
    diagram.arrow(cream, cake, "0.4")
    diagram.arrow(butter, cake, "0.3")
    return diagram


# %%
if __name__ == "__main__":
    diagram_cake()

# %% [markdown]
# Our network has one hidden layer, a smooth activation $\phi$ and *weight decay*: to the loss of the predictions we
# add half the sum of all squared weights times a factor $\lambda$, which keeps the weights small. The graph shows
# that a weight matrix has two ways to the objective $J$: through the predictions and through the penalty $s$.


# %%
def diagram_network():
    """The computational graph of a network with one hidden layer and weight decay."""
    diagram = Diagram(850, 310, "computational graph of a network with weight decay")
    X = diagram.box(10, 40, 96, 40, "X (n, d)")
    Z = diagram.box(150, 40, 96, 40, "Z (n, m)")
    H = diagram.box(290, 40, 96, 40, "H (n, m)")
    logits = diagram.box(430, 40, 96, 40, "O (n, k)")
    labels = diagram.box(590, 10, 96, 40, "y (n,)")
    loss = diagram.box(590, 100, 96, 40, "L ()")
    total = diagram.box(740, 100, 96, 40, "J ()")
    first = diagram.box(150, 160, 96, 40, "W₁ (m, d)")
    second = diagram.box(310, 160, 96, 40, "W₂ (k, m)")
    penalty = diagram.box(450, 250, 96, 40, "s ()")
    for start, end in (
        (X, Z), (first, Z), (H, logits), (second, logits), (logits, loss), (labels, loss), (loss, total),
        (first, penalty), (second, penalty), (penalty, total),
    ):  # fmt: skip
        diagram.arrow(start, end)
    diagram.arrow(Z, H, "φ")
    return diagram


# %%
if __name__ == "__main__":
    diagram_network()

# %% [markdown]
# ## The mathematics
#
# **Forward.** Let $\mathbf{X}$, of shape $(n, d)$, hold $n$ examples in its rows, with integer labels $\mathbf{y}$ of
# shape $(n,)$. There are $m$ hidden units and $k$ classes. Then
#
# $$\underbrace{\mathbf{Z}}_{(n, m)} = \underbrace{\mathbf{X}}_{(n, d)} \underbrace{\mathbf{W}_1^\top}_{(d, m)}
#   + \underbrace{\mathbf{b}_1}_{(m,)}, \qquad
#   \underbrace{\mathbf{H}}_{(n, m)} = \phi(\mathbf{Z}), \qquad
#   \underbrace{\mathbf{O}}_{(n, k)} = \underbrace{\mathbf{H}}_{(n, m)} \underbrace{\mathbf{W}_2^\top}_{(m, k)}
#   + \underbrace{\mathbf{b}_2}_{(k,)},$$
#
# $$J = L + s, \qquad L = \frac{1}{n} \sum_{i=1}^n \ell(\mathbf{o}_i, y_i), \qquad
#   s = \frac{\lambda}{2} \left( \lVert \mathbf{W}_1 \rVert^2 + \lVert \mathbf{W}_2 \rVert^2 \right).$$
#
# Here $\phi$ acts on each element, $\mathbf{o}_i$ is row $i$ of $\mathbf{O}$, $\ell$ is the cross-entropy of
# [Softmax regression](../linear_classification/softmax_regression.py), and $\lVert \mathbf{W} \rVert^2$ is the sum of
# the squares of all elements. Biases are not penalised.
#
# **A notation.** For any quantity $\mathbf{A}$ write $\bar{\mathbf{A}} = \partial J / \partial \mathbf{A}$, its
# *adjoint*. It has the shape of $\mathbf{A}$, because $J$ is one number and has one rate for each element. If a step
# forward is $\mathbf{B} = f(\mathbf{A})$, the chain rule adds to the adjoint of $\mathbf{A}$
#
# $$\bar{A}_{ij} \mathrel{+}= \sum_{p,q} \bar{B}_{pq} \frac{\partial B_{pq}}{\partial A_{ij}} .$$
#
# The sum runs over all elements that $A_{ij}$ influences, and the $+$ is there because $\mathbf{A}$ may feed other
# boxes as well. We need this for three kinds of steps.
#
# *A matrix product*, $\mathbf{B} = \mathbf{A}\mathbf{W}^\top$, so $B_{pq} = \sum_j A_{pj} W_{qj}$. The element
# $A_{ij}$ occurs in row $i$ of $\mathbf{B}$ only, with the factor $W_{qj}$, hence $\bar{A}_{ij} = \sum_q \bar{B}_{iq}
# W_{qj}$; the element $W_{qj}$ occurs in column $q$ only, with the factor $A_{pj}$, hence $\bar{W}_{qj} = \sum_p
# \bar{B}_{pq} A_{pj}$. In matrices,
#
# $$\bar{\mathbf{A}} = \bar{\mathbf{B}} \mathbf{W}, \qquad \bar{\mathbf{W}} = \bar{\mathbf{B}}^\top \mathbf{A} .$$
#
# Shapes are a good memory aid: with $\mathbf{A}$ $(n, m)$ and $\mathbf{W}$ $(k, m)$ there is only one way to multiply
# $\bar{\mathbf{B}}$ $(n, k)$ with the other factor that gives the right shape.
#
# *A bias*, added to each row, collects the sum over the rows: $\bar{\mathbf{b}} = \sum_p \bar{\mathbf{B}}_{p}$.
# What was copied on the way forward is added up on the way back.
#
# *A function of single elements*, $\mathbf{H} = \phi(\mathbf{Z})$, multiplies element by element: $\bar{\mathbf{Z}} =
# \bar{\mathbf{H}} \odot \phi'(\mathbf{Z})$.
#
# **Backward.** Start with $\bar{J} = 1$. As $J = L + s$, also $\bar{L} = 1$ and $\bar{s} = 1$. For the cross-entropy
# of a softmax we know the rate from the earlier lesson: probabilities $\mathbf{P}$ minus the labels as rows with a
# single one, $\mathbf{Y}$, divided by $n$. From there on each line is one of the three rules, and the terms with
# $\lambda$ are the second way, through $s$:
#
# $$\begin{aligned}
#   \bar{\mathbf{O}} &= (\mathbf{P} - \mathbf{Y}) / n & (n, k) \\
#   \bar{\mathbf{W}}_2 &= \bar{\mathbf{O}}^\top \mathbf{H} + \lambda \mathbf{W}_2 & (k, n) \cdot (n, m) \to (k, m) \\
#   \bar{\mathbf{b}}_2 &= \textstyle\sum_p \bar{\mathbf{O}}_p & (n, k) \to (k,) \\
#   \bar{\mathbf{H}} &= \bar{\mathbf{O}} \mathbf{W}_2 & (n, k) \cdot (k, m) \to (n, m) \\
#   \bar{\mathbf{Z}} &= \bar{\mathbf{H}} \odot \phi'(\mathbf{Z}) & (n, m) \\
#   \bar{\mathbf{W}}_1 &= \bar{\mathbf{Z}}^\top \mathbf{X} + \lambda \mathbf{W}_1 & (m, n) \cdot (n, d) \to (m, d) \\
#   \bar{\mathbf{b}}_1 &= \textstyle\sum_p \bar{\mathbf{Z}}_p & (n, m) \to (m,)
# \end{aligned}$$
#
# Nobody needs $\bar{\mathbf{X}}$, so it is left out. With more layers the block $\bar{\mathbf{W}}, \bar{\mathbf{b}},
# \bar{\mathbf{H}}, \bar{\mathbf{Z}}$ repeats.
#
# **What must be remembered.** The formulas on the way back contain $\mathbf{X}$, $\mathbf{H}$, $\mathbf{P}$ and
# $\phi'(\mathbf{Z})$: values of the way forward. For $\phi = \tanh$ the slope is $\phi'(\mathbf{Z}) = 1 - \tanh^2
# \mathbf{Z} = 1 - \mathbf{H}^2$, so $\mathbf{Z}$ itself may be forgotten; with the ReLU one bit an element would do.
# A quantity of the forward pass can only be thrown away once the backward pass has gone by. This is why training takes
# so much more memory than prediction, and why that memory grows with the batch size, while that of the weights does
# not.

# %% [markdown]
# ## From scratch
#
# The parameters are a list of pairs, weight (out, in) and bias (out,), one for each layer; tanh stands between the
# layers. `forward` returns the logits and a list of what it kept: the input of each layer. `backward` walks the list
# from its end.


# %%
def layer(H, weight, bias, last):
    """One layer: an affine map, and tanh unless it is the last one."""
    Z = xp.matmul(H, xp.matrix_transpose(weight)) + bias  # (n, in) @ (in, out) + (out,) -> (n, out)
    return Z if last else xp.tanh(Z)


def forward(parameters, X):
    """Logits (n, k) for inputs X (n, d), and the list of the inputs of all layers."""
    kept, H = [], X
    for i, (weight, bias) in enumerate(parameters):
        kept.append(H)
        H = layer(H, weight, bias, last=i == len(parameters) - 1)
    return H, kept


def objective(parameters, X, labels, decay):
    """J = L + s of the text, a 0-d tensor."""
    logits, _ = forward(parameters, X)
    penalty = sum(xp.sum(weight * weight) for weight, _ in parameters)
    return log_likelihood_loss(logits, labels) + 0.5 * decay * penalty


def loss_adjoint(logits, labels):
    """Adjoint (n, k) of the logits (n, k) for the mean cross-entropy."""
    n, k = logits.shape
    return (softmax(logits) - xp.take(xp.eye(k), labels, axis=0)) / n  # (n, k)


def layer_backward(adjoint, H, weight, decay):
    """Gradients of a layer's weight and bias, and the adjoint of its input H, from the adjoint of its affine map."""
    d_weight = xp.matmul(xp.matrix_transpose(adjoint), H) + decay * weight  # (out, n) @ (n, in) -> (out, in)
    d_bias = xp.sum(adjoint, axis=0)  # (n, out) -> (out,)
    return d_weight, d_bias, xp.matmul(adjoint, weight)  # (n, out) @ (out, in) -> (n, in)


def backward(parameters, logits, kept, labels, decay):
    """Gradients of J as a list of pairs in the order of the parameters."""
    adjoint = loss_adjoint(logits, labels)
    gradients = []
    for (weight, _), H in zip(reversed(parameters), reversed(kept), strict=True):
        d_weight, d_bias, d_H = layer_backward(adjoint, H, weight, decay)
        gradients.append((d_weight, d_bias))
        adjoint = d_H * (1.0 - H * H)  # (n, in): the slope of tanh from its value; of no use for the first layer
    return gradients[::-1]


# %% [markdown]
# ## Concise
#
# The library builds the same network from layers, and `value_and_grad` does the sweep for any function made of
# primitives. We take two hidden layers, one batch of 256 images of Fashion-MNIST, and the parameters of the library's
# model for both.

# %%
DECAY = 0.01


def network(num_hiddens=(256, 128), num_outputs=10):
    """An MLP with tanh between its layers; the first batch tells the number of inputs."""
    stages = [nn.Flatten()]
    for size in num_hiddens:
        stages += [nn.Linear(size), nn.Tanh()]
    return nn.Sequential(*stages, nn.Linear(num_outputs))


def parameters_of(model):
    """Pairs of weight and bias of the affine layers of a model, in order."""
    return [(part.weight, part.bias) for part in model if isinstance(part, nn.Linear)]


def penalised(model, X, labels, decay):
    """The objective J of a model of the library."""
    penalty = sum(xp.sum(xp.square(weight)) for weight, _ in parameters_of(model))
    return cross_entropy(model(X), labels) + 0.5 * decay * penalty


def largest_gap(ours, theirs):
    """Largest difference between two lists of pairs, relative to the largest element of the second."""
    ours, theirs = ([xp.to_numpy(part) for pair in pairs for part in pair] for pairs in (ours, theirs))
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / max(np.abs(b).max() for b in theirs)


# %%
if __name__ == "__main__":
    sample = "smoke" if scale() == "smoke" else "standard"  # all the rest needs no more images than the sample has
    data = fashion_mnist(sample, seed=0)
    X, y = next(iter(data.train.epoch(0)))  # (256, 1, 28, 28), (256,)
    flat = xp.reshape(X, (-1, 784))  # (256, 1, 28, 28) -> (256, 784)
    model = network().initialise(X, seed=0)
    parameters = parameters_of(model)

    logits, kept = forward(parameters, flat)
    by_hand = backward(parameters, logits, kept, y, DECAY)
    for (d_weight, d_bias), H in zip(by_hand, kept, strict=True):
        print(f"kept {tuple(H.shape)}, gradients {tuple(d_weight.shape)} and {tuple(d_bias.shape)}")

    _, automatic = value_and_grad(objective)(parameters, flat, y, DECAY)
    _, library = value_and_grad(lambda X, y: penalised(model, X, y, DECAY), model)(X, y)
    library = [(library[f"{i}.weight"], library[f"{i}.bias"]) for i in (1, 3, 5)]
    report(gap_hand=largest_gap(by_hand, automatic), gap_library=largest_gap(by_hand, library))

# %% [markdown]
# Relative to the largest element, our gradient and the automatic one differ by
# $1.3 \cdot 10^{-7}$<!--lesson.gap_hand-->, a rounding error or two in float32.
#
# Is it also *useful* in training? The next cell runs a whole epoch over the sample of 6,000 images twice, once with
# our `forward` and `backward` and nothing else, once with the `Trainer` and the optimiser's own weight decay, and
# compares the losses of all steps.


# %%
def train_by_hand(parameters, loader, lr, decay):
    """One epoch of descent on J with the gradients by hand; new parameters and the loss L of each step."""
    losses = []
    for X, labels in loader.epoch(0):
        X = xp.reshape(X, (X.shape[0], -1))  # (n, 1, 28, 28) -> (n, 784)
        logits, kept = forward(parameters, X)
        losses.append(float(xp.to_numpy(log_likelihood_loss(logits, labels))))
        gradients = backward(parameters, logits, kept, labels, decay)
        parameters = [
            (weight - lr * d_weight, bias - lr * d_bias)
            for (weight, bias), (d_weight, d_bias) in zip(parameters, gradients, strict=True)
        ]
    return parameters, losses


def train_concisely(model, data, lr, decay):
    """The losses of the same epoch by the library."""
    groups = [optim.Group(optim.biases_and_norms, weight_decay=0.0)]
    optimiser = partial(optim.SGD, lr=lr, weight_decay=decay, groups=groups)
    return Trainer(epochs=1).fit(model, data, loss=cross_entropy, optimiser=optimiser).losses


# %%
if __name__ == "__main__":
    _, ours = train_by_hand(parameters, data.train, lr=0.1, decay=DECAY)
    theirs = train_concisely(network().initialise(X, seed=0), data, lr=0.1, decay=DECAY)
    print(f"{len(ours)} steps; first loss {ours[0]:.3f}, last {ours[-1]:.3f}")
    report(gap_training=np.max(np.abs(np.subtract(ours, theirs))), last_loss=ours[-1])

# %% [markdown]
# After 24 steps the loss has come down to 0.950<!--lesson.last_loss-->, and the two runs agree at each of them.
#
# ## What it costs
#
# **Time.** Count multiplications in the matrix products; all else is small beside them. A layer from $a$ to $b$ units
# takes $n a b$ of them forward. Backward there are two products of the same size, one for the weight and one for the
# input. So backward costs twice what forward does, except that the first layer needs no adjoint of its input. A deep
# network of equal layers comes close to the factor 2; our network, whose first layer does most of the work, stays
# well below it. In general the gradient of any function made of elementary operations costs at most a small constant
# times the function itself, no matter how many variables there are (Baur and Strassen, 1983).


# %%
def multiplications(sizes, n):
    """Multiplications in the matrix products forward and backward, for layers between the given sizes."""
    products = [n * a * b for a, b in itertools.pairwise(sizes)]
    return sum(products), 2 * sum(products) - products[0]


def seconds(f, *args, repeats=5):
    """The shortest time of some calls; the first one, which may compile, does not count."""
    f(*args)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for tensor in f(*args):
            xp.to_numpy(tensor)
        times.append(time.perf_counter() - start)
    return min(times)


# %%
if __name__ == "__main__":
    shapes = {"784-256-128-10": (784, 256, 128, 10), "twenty layers of 256": (256,) * 21}
    for name, sizes in shapes.items():
        there, back = multiplications(sizes, n=256)
        print(f"{name}: {there:,} multiplications forward, {back:,} backward, ratio {back / there:.2f}")
    report(ratio_ours=np.divide(*multiplications(shapes["784-256-128-10"], 256)[::-1]))

    def leaves_forward():
        return [forward(parameters, flat)[0]]

    def leaves_backward():
        logits, kept = forward(parameters, flat)
        return [part for pair in backward(parameters, logits, kept, y, DECAY) for part in pair]

    once, both = seconds(leaves_forward), seconds(leaves_backward)
    count = sum(math.prod(part.shape) for pair in parameters for part in pair)
    report(parameters=count)
    print(f"forward {once * 1e3:.1f} ms, forward and backward {both * 1e3:.1f} ms, ratio {both / once:.1f}")
    print(f"by differences, one forward pass for each parameter: about {count * once / 60:.0f} minutes")

# %% [markdown]
# For our network the way back costs 1.15<!--lesson.ratio_ours--> times the way there, in multiplications. You should
# see a measured ratio of forward and backward together to forward alone somewhere between two and four. The
# alternative, to change each of the 235,146<!--lesson.parameters--> parameters by a little and to compute the loss
# again each time, would take minutes instead of milliseconds, for a single step of training.
#
# **Memory.** The list `kept` holds one tensor for each layer. Let a network have $N$ layers of equal width. *Gradient
# checkpointing* (Griewank and Walther, 2000; Chen and others, 2016) keeps only the inputs of every $c$-th layer. The
# backward pass then takes the segments from the last to the first and computes what is missing *once more* from the
# kept input. At most $\lceil N / c \rceil$ kept inputs and the $c$ inputs inside one segment exist at a time, the
# first of which is a kept one: $\lceil N/c \rceil + c - 1$ tensors instead of $N$. Setting the derivative of $N/c +
# c$ with respect to $c$ to zero gives $c = \sqrt{N}$: memory grows with $2\sqrt{N}$, for the price of one more
# forward pass.


# %%
def checkpointed_backward(parameters, X, labels, decay, segment):
    """Gradients as by `backward`, the largest number of inputs held at a time, and the number of layers evaluated."""
    n_layers = len(parameters)
    evaluated = 0

    def run(H, start, stop):
        nonlocal evaluated
        inputs = []
        for i in range(start, stop):
            inputs.append(H)
            H = layer(H, *parameters[i], last=i == n_layers - 1)
            evaluated += 1
        return H, inputs

    starts, saved, H = list(range(0, n_layers, segment)), [], X
    for start in starts:
        saved.append(H)
        H, _ = run(H, start, min(start + segment, n_layers))  # the inputs inside the segment are forgotten
    adjoint, gradients, peak = loss_adjoint(H, labels), [], 0
    for start in reversed(starts):
        stop = min(start + segment, n_layers)
        _, inputs = run(saved.pop(), start, stop)  # and computed again
        peak = max(peak, len(saved) + len(inputs))
        for i in reversed(range(start, stop)):
            d_weight, d_bias, d_H = layer_backward(adjoint, inputs[i - start], parameters[i][0], decay)
            gradients.append((d_weight, d_bias))
            adjoint = d_H * (1.0 - inputs[i - start] * inputs[i - start])  # (n, in)
    return gradients[::-1], peak, evaluated


def deep_parameters(n_layers=36, width=32):
    """Parameters of a deep network of equal layers, drawn by the library."""
    model = nn.Sequential(*(nn.Linear(width, width) for _ in range(n_layers))).initialise(seed=0)
    return parameters_of(model)


@house_style
def plot_segments(n_layers=36):
    """Tensors held and layers evaluated over the length of a segment."""
    import matplotlib.pyplot as plt

    lengths = np.arange(1, n_layers + 1)
    held = np.ceil(n_layers / lengths) + lengths - 1
    figure, axes = plt.subplots(figsize=(5.5, 3.0))
    axes.plot(lengths, held, "o-", color="C0", markersize=3, label="with checkpoints")
    axes.axhline(n_layers, color="C1", linestyle="--", label="everything kept")
    axes.axvline(np.sqrt(n_layers), color=INK, linestyle=":", linewidth=1)
    axes.annotate(r"$c = \sqrt{N}$", (np.sqrt(n_layers), 2), xytext=(4, 0), textcoords="offset points")
    axes.set(xlabel="length $c$ of a segment", ylabel="inputs held at a time", ylim=(0, n_layers + 4))
    axes.legend(loc="center right")
    return figure


# %%
if __name__ == "__main__":
    deep = deep_parameters()
    X_deep = flat[:, 400:432]  # (256, 784) -> (256, 32): a strip of pixels is enough
    logits, kept_deep = forward(deep, X_deep)
    plain = backward(deep, logits, kept_deep, y, 0.0)
    for segment in (1, 3, 6, 12, 36) if sample == "standard" else (1, 36):
        _, peak, evaluated = checkpointed_backward(deep, X_deep, y, 0.0, segment)
        print(f"segments of {segment:>2}: {peak:>2} inputs held, {evaluated} layers evaluated")
    thrifty, peak, evaluated = checkpointed_backward(deep, X_deep, y, 0.0, segment=6)
    report(kept_plain=len(kept_deep), kept_in_segments=peak, evaluated=evaluated)
    report(gap_checkpointed=largest_gap(thrifty, plain))

# %%
if __name__ == "__main__":
    plot_segments()

# %% [markdown]
# With 36<!--lesson.kept_plain--> layers, segments of six hold 11<!--lesson.kept_in_segments--> inputs at most and
# evaluate 72<!--lesson.evaluated--> layers instead of 36; the gradients are the same numbers. The library's
# `checkpoint` does this to any module or function, dropout included: wrapped around a part of a model, nothing inside
# is kept, and the mask of dropout is drawn again as it was.


# %%
def gradients_with_dropout(X, labels, thrifty):
    """Gradients by path of a new network with dropout, in training, with or without a checkpoint."""
    block = [nn.Sequential(nn.Linear(32), nn.Tanh(), nn.Dropout(0.2)) for _ in range(4)]
    model = nn.Sequential(*block, nn.Linear(10)).initialise(X, seed=0)
    body = checkpoint(model[:4]) if thrifty else model[:4]
    return value_and_grad(lambda X, labels: cross_entropy(model[4](body(X)), labels), model)(X, labels)[1]


# %%
if __name__ == "__main__":
    first, second = (gradients_with_dropout(X_deep, y, thrifty) for thrifty in (False, True))
    report(gap_dropout=max(np.abs(xp.to_numpy(first[path]) - xp.to_numpy(second[path])).max() for path in first))

# %% [markdown]
# ## Checking a gradient
#
# Whoever writes a backward pass by hand should check it against something that knows no chain rule. The derivative of
# $J$ in a direction $\mathbf{v}$ is $\mathbf{v} \cdot \mathbf{g}$ with the gradient $\mathbf{g}$, and also, for a
# small step $h$,
#
# $$\frac{J(\boldsymbol\theta + h\mathbf{v}) - J(\boldsymbol\theta - h\mathbf{v})}{2h}
#   = \mathbf{v} \cdot \mathbf{g} + O(h^2),$$
#
# where $\boldsymbol\theta$ stands for all parameters in one vector. For $\mathbf{v}$ take our own gradient divided by
# its length: if it is right, both sides are $\lVert \mathbf{g} \rVert$, and two evaluations check all parameters at
# once.
#
# How small should $h$ be? The *truncation* error shrinks with $h^2$. But $J$ is known to a relative accuracy
# $\varepsilon$ only, about $10^{-7}$ in float32 and $10^{-16}$ in float64, and the difference is divided by $2h$: the
# *rounding* error is about $\varepsilon J / h$ and grows as $h$ shrinks. The best $h$ lies where the two are equal,
# $h \approx \varepsilon^{1/3}$ up to a factor: some thousandths in float32, a hundred-thousandth in float64.


# %%
def check_error(parameters, gradients, X, labels, decay, h):
    """Relative error of the difference quotient along the given gradients against their length."""
    arrays = [[np.asarray(xp.to_numpy(part), np.float64) for part in pair] for pair in gradients]
    length = math.sqrt(sum(float((part**2).sum()) for pair in arrays for part in pair))

    def moved(step):
        return [
            tuple(p + step / length * g for p, g in zip(pair, pair_of_gradients, strict=True))
            for pair, pair_of_gradients in zip(parameters, gradients, strict=True)
        ]

    high, low = (float(xp.to_numpy(objective(moved(step), X, labels, decay))) for step in (h, -h))
    return abs((high - low) / (2.0 * h) - length) / length


def errors_by_step(steps, precision):
    """Relative errors of the check at a fixed point for each h, computed in 32 or 64 bits."""
    with use_backend(current().backend.name, precision=precision):
        X, labels = next(iter(fashion_mnist("standard", seed=0).train.epoch(0)))
        X = xp.reshape(X, (-1, 784))  # (256, 1, 28, 28) -> (256, 784)
        parameters = parameters_of(network((32,)).initialise(X, seed=0))
        logits, kept = forward(parameters, X)
        gradients = backward(parameters, logits, kept, labels, DECAY)
        return [check_error(parameters, gradients, X, labels, DECAY, h) for h in steps.tolist()]


@house_style
def plot_check(steps, errors):
    """Errors of the check over the step; errors by precision."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    for (bits, values), style in zip(errors.items(), ("C0o-", "C1s--"), strict=True):
        axes.loglog(steps, np.maximum(values, 1e-13), style, markersize=3, label=f"float{bits}")
    axes.set(xlabel="step $h$", ylabel="relative error of the quotient")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    steps = 10.0 ** np.arange(-8, 1, 1 if sample == "standard" else 4)
    errors = {bits: errors_by_step(steps, bits) for bits in (32, 64)}
    for h, single, double in zip(steps, errors[32], errors[64], strict=True):
        print(f"h = {h:.0e}: float32 {single:.1e}, float64 {double:.1e}")
    report(check_best_32=min(errors[32]), check_best_64=min(errors[64]), check_tiny_32=max(errors[32][:2]))
    plot_check(steps, errors)

# %% [markdown]
# Both curves fall along the same line from the right, where the formula is inexact, and rise again to the left, where
# the numbers are. In float64 the best of these quotients is right to $4 \cdot 10^{-11}$<!--lesson.check_best_64--> on
# NumPy, in float32 to $3 \cdot 10^{-5}$<!--lesson.check_best_32--> only, and to
# $3 \cdot 10^{-4}$<!--lesson.check_best_32 @mxnet--> on MXNet, for what is left is rounding. At the step $10^{-8}$ that
# one might choose "to be safe" float32 says nothing at all: $\boldsymbol\theta \pm h\mathbf{v}$ rounds to
# $\boldsymbol\theta$, the difference is zero, and the relative error is 1<!--lesson.check_tiny_32-->. Check gradients
# in float64.
#
# ## What goes wrong
#
# **A forgotten way.** Leave out the way through the penalty. The loss still falls and nothing looks wrong. The quotient
# along the wrong gradient is not its length, and so the check finds it, provided that it was made in float64.
#
# **Updating too early.** It is tempting to change a weight as soon as its gradient is there and save the memory of
# the gradient. But $\bar{\mathbf{H}} = \bar{\mathbf{O}} \mathbf{W}_2$ needs the *old* $\mathbf{W}_2$. If the update
# comes first, all layers below get a gradient that belongs to no function. The right order costs nothing: first the
# adjoint of the input, then the update.


# %%
def backward_updating_early(parameters, logits, kept, labels, decay, lr):
    """The gradients that a backward pass finds if it updates each weight before it uses it for the layer below."""
    adjoint = loss_adjoint(logits, labels)
    gradients = []
    for (weight, _), H in zip(reversed(parameters), reversed(kept), strict=True):
        d_weight, d_bias, _ = layer_backward(adjoint, H, weight, decay)
        gradients.append((d_weight, d_bias))
        d_H = xp.matmul(adjoint, weight - lr * d_weight)  # the mistake: the weight has already moved
        adjoint = d_H * (1.0 - H * H)  # (n, in)
    return gradients[::-1]


# %%
if __name__ == "__main__":
    with use_backend(current().backend.name, precision=64):
        X64, y64 = next(iter(fashion_mnist("standard", seed=0).train.epoch(0)))
        X64 = xp.reshape(X64, (-1, 784))  # (256, 1, 28, 28) -> (256, 784)
        exact = parameters_of(network((32,)).initialise(X64, seed=0))
        logits, kept = forward(exact, X64)
        right = backward(exact, logits, kept, y64, DECAY)
        forgotten = backward(exact, logits, kept, y64, 0.0)
        print(f"right gradient: {check_error(exact, right, X64, y64, DECAY, 1e-5):.1e}")
        report(error_forgotten_path=check_error(exact, forgotten, X64, y64, DECAY, 1e-5))
        for lr in (0.1, 1.0):
            early = backward_updating_early(exact, logits, kept, y64, DECAY, lr)
            print(f"updating early, lr {lr}: first weight's gradient off by {largest_gap(early[:1], right[:1]):.1%}")
        report(error_early=largest_gap(early[:1], right[:1]))

# %% [markdown]
# Without the penalty's share the quotient is off by 0.06 %<!--lesson.error_forgotten_path-->. That is little, since
# $\lambda$ is small; but the right gradient agrees to nine digits, so there is no doubt that something is missing. In
# float32 the same deviation could be rounding. Updating early spoils the first weight's gradient by
# 16 %<!--lesson.error_early--> at the learning rate 1 and by a tenth of that at 0.1. Such a network does learn, a
# little worse than it should, and no exception will ever tell.
#
# ## Under the surface
#
# All frameworks do what `backward` does, and differ in how they come to know the graph. PyTorch writes it down while
# the forward pass runs and frees it behind the backward pass; a second `backward()` over the same graph is an error
# unless `retain_graph=True` was said. It also counts the changes of each tensor, and refuses to go back through one
# that was modified in place after it was kept. TensorFlow records on a *tape*, which is used up by the first gradient
# unless it is `persistent`. MXNet records inside `autograd.record()`. JAX traces the function with symbols, turns
# the linearised program around and has no graph that could be modified; its arrays cannot be changed in place at all.
# The adapter for NumPy keeps a tape too.
#
# Precision has a trap of its own. An element of a NumPy array of floats is a float64 number, and since NumPy 2 the
# product of a float32 array and such a number is float64, whereas a plain Python float leaves it float32. An $h$ taken
# from `steps` without `tolist()` turns the float32 curve of our figure into the float64 one on the NumPy backend.
#
# Checkpointing is `torch.utils.checkpoint` in PyTorch, `jax.checkpoint` (also called `remat`) in JAX and
# `tf.recompute_grad` in TensorFlow; MXNet computes cheap operations again if the environment variable
# `MXNET_BACKWARD_DO_MIRROR` asks for it, but in its symbolic interface only, not in Gluon. The trap is randomness: a
# mask of dropout that is drawn anew in the second evaluation makes the gradient wrong without a word. PyTorch therefore
# saves and restores the state of its random generators around a checkpoint. Keys given as arguments, as in JAX, and our
# streams, which depend on place, seed and count, are the same the second time by construction.
#
# ## Summary
#
# Backpropagation visits the computational graph from the loss to the inputs, and each quantity passes on the sum of
# what has reached it: two matrix products for an affine layer, a sum over rows for a bias, a multiplication by the
# slope for an activation. All derivatives together cost about twice the forward pass, whatever the number of
# parameters. The price is memory: the inputs of all layers must be kept until the way back has passed them, or be
# computed again, which with checkpoints at every $\sqrt{N}$-th layer needs one more forward pass. A difference
# quotient along the gradient, in float64 and with a step near $10^{-5}$, checks the whole.
#
# ## Exercises
#
# Solutions are in `backpropagation_solutions.py`. Exercises with a star are checked by a program: `d2l exercise
# backpropagation` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *A detour.* A residual layer computes $\mathbf{Y} = \mathbf{X} + \tanh(\mathbf{X}\mathbf{W}^\top)$. Write
#    `residual_backward(X, weight, d_Y)`, which returns the adjoints of $\mathbf{X}$ and $\mathbf{W}$ given that of
#    $\mathbf{Y}$, with primitives only. What happens to the adjoint if $\mathbf{W} = 0$?
# 2. ★ *One matrix, two places.* An autoencoder with tied weights computes $\hat{\mathbf{X}} =
#    \tanh(\mathbf{X}\mathbf{W}^\top)\mathbf{W}$ and is trained on the mean of $(\hat{\mathbf{X}} - \mathbf{X})^2$ over
#    all elements. Write `tied_gradient(X, weight)`, the gradient of the weight, by hand.
# 3. *The best step.* Let the truncation error be $a h^2$ and the rounding error $\varepsilon b / h$. Find the best
#    $h$ and the error there, and do the same for the one-sided quotient, whose truncation error is $a h$.
# 4. *Checkpoints within checkpoints.* A segment may itself be computed with checkpoints. How many tensors does a chain
#    of $N = 2^q$ layers need at least if one always halves, and how many forward evaluations does that cost?
# 5. *The other direction.* One may also carry derivatives forward, starting from one input: each step turns
#    $\dot{\mathbf{A}}$, the rate of change of $\mathbf{A}$ with that input, into $\dot{\mathbf{B}}$. What does it cost
#    for all parameters of our network, and when is it the better way?
#
# ## References
#
# - S. Linnainmaa (1976), *Taylor Expansion of the Accumulated Rounding Error*, BIT 16, reverse mode.
# - W. Baur and V. Strassen (1983), *The Complexity of Partial Derivatives*, Theoretical Computer Science 22.
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), *Learning Representations by Back-Propagating Errors*,
#   Nature 323.
# - A. Griewank and A. Walther (2000), *Algorithm 799: Revolve: An Implementation of Checkpointing for the Reverse or
#   Adjoint Mode of Computational Differentiation*, ACM Transactions on Mathematical Software 26.
# - T. Chen, B. Xu, C. Zhang and C. Guestrin (2016), *Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174.
