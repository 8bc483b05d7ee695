# /// lesson
# name = "automatic-differentiation"
# title = "Automatic differentiation"
# sections = ["2.5"]
# needs = ["calculus"]
# data = ["airfoil"]
# [time]
# smoke = "2 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# standard = ["lesson: tape_gap <= 1e-5"]
# full = [
#   "lesson: tape_gap <= 1e-5", "lesson: automatic_error <= 1e-5", "lesson: best_difference_error >= 1e-6",
#   "lesson: heron_gap <= 1e-4", "lesson: forward_reverse_gap <= 1e-5", "lesson: careless_is_nan >= 1",
#   "lesson: careful_gap <= 1e-5",
# ]
# ///

# %% [markdown]
# # Automatic differentiation
#
# The owner of a small café keeps a spreadsheet. One cell holds the price of a cup, one what a cup costs her, one the
# rent; other cells compute from these how many cups she will sell, what she earns with each, and at the bottom the
# profit of the day. Should she raise the price? She could change the cell a little, see what the last line does, and
# change it back; then the next cell, and the next. With three cells this is quickly done. The spreadsheet of a language
# model has billions of cells, and after every step of training we need to know for each of them what it does to the
# last line.
#
# There is a way to get all these answers at once for about the price of computing the last line a few times. It does
# not guess with small steps, as in [Calculus](calculus.py), and it does not manipulate formulas. It follows the
# computation itself, backwards. We build it in about a hundred lines, and see what it stores, how it deals with loops,
# and where it gives an answer that is right for the program and wrong for you.

# %%
import time

import numpy as np
from d2l_chapters.preliminaries.calculus import airfoil_cases, largest_gap, numerical_gradient

from d2l_core import active, random, use_backend, xp
from d2l_core.autodiff import grad, jvp, stop_gradient, value_and_grad, vjp
from d2l_core.lessons import report, scale
from d2l_core.plots import COLOURS, Diagram, house_style

# %% [markdown]
# ## The idea
#
# At a price $p$ the café sells $n = 200 - 40p$ cups, each leaves a margin $m = p - c$ over its cost $c$, and after the
# rent $r$ the profit is $y = nm - r$. The first diagram shows the computation for $p = 3$, $c = 0.8$ and $r = 100$:
# every box is computed from those whose arrows point to it. Such a picture is called a *computational graph*.
#
# In the second diagram we walk backwards and write into each box how fast $y$ changes with *it*. At the bottom line
# this is 1. The product $t = nm$ enters $y$ as it is: 1 again. A cup more is worth $m = 2.2$, so $n$ gets 2.2, and a
# unit of margin is worth $n = 80$. The price reaches the profit along two paths: through the cups, at a rate of
# $-40 \cdot 2.2 = -88$, and through the margin, at $1 \cdot 80$. Rates along different paths add up, so
# $-88 + 80 = -8$: the price is already a little too high. On the way we learnt what the cost and the rent do, although
# nobody asked.


# %%
def diagram_cafe(backwards=False):
    """The café's graph with its values, or with the rate at which the profit changes with each of them."""
    values = {"p": "3", "c": "0.8", "r": "100", "n": "80", "m": "2.2", "t": "176", "y": "76"}
    rates = {"p": "−88 + 80 = −8", "c": "−80", "r": "−1", "n": "2.2", "m": "80", "t": "1", "y": "1"}
    labels = {"p": "p", "c": "c", "r": "r", "n": "n = 200 − 40 p", "m": "m = p − c", "t": "t = n m", "y": "y = t − r"}
    places = {"p": (24, 20), "c": (24, 105), "r": (24, 190), "n": (170, 20), "m": (170, 105), "t": (360, 60)} | {
        "y": (510, 125)
    }
    diagram = Diagram(650, 250, title="the café's profit, backwards" if backwards else "the café's profit")
    boxes = {}
    for name, (x, y) in places.items():
        width = 70 if name in "pcr" else 125
        caption = rates[name] if backwards else values[name]
        boxes[name] = diagram.box(
            x, y, width, 32, labels[name], caption, colour=COLOURS[1] if backwards else COLOURS[0]
        )
    for start, end in (("p", "n"), ("p", "m"), ("c", "m"), ("n", "t"), ("m", "t"), ("t", "y"), ("r", "y")):
        if backwards:
            diagram.arrow(boxes[end], boxes[start], dashed=True)
        else:
            diagram.arrow(boxes[start], boxes[end])
    return diagram


# %%
if __name__ == "__main__":
    diagram_cafe()

# %%
if __name__ == "__main__":
    diagram_cafe(backwards=True)

# %% [markdown]
# ## The mathematics
#
# Let a program compute values $v_1, v_2, \dots, v_K$ one after the other, the inputs first, each later one by an
# elementary operation from earlier ones. Write $i \to j$ if $v_i$ is an operand of $v_j$, and let the result $y = v_K$
# be a single number. There are two orders in which the chain rule can be worked off.
#
# **Forward.** Choose one input $x$ and let $\dot v_i = \partial v_i / \partial x$. For the inputs it is 1 or 0, and
# then, together with the values,
#
# $$\dot v_j = \sum_{i \to j} \frac{\partial v_j}{\partial v_i}\, \dot v_i .$$
#
# **Backward.** Let $\bar v_i = \partial y / \partial v_i$, called the *adjoint* of $v_i$. For the result it is 1. A
# change of $v_i$ acts on $y$ through all the values that are computed from it, and only through them, so
#
# $$\bar v_i = \sum_{j :\, i \to j} \bar v_j\, \frac{\partial v_j}{\partial v_i} .$$
#
# To have all $\bar v_j$ on the right ready in time, one goes through the program in reverse. One forward pass answers
# *what does this input do to everything?* One backward pass answers *what does everything do to this result?* A loss is
# one number and depends on many parameters, so training goes backward.
#
# **With vectors.** Let $f$ take $\mathbf{x} \in \mathbb{R}^n$ to $f(\mathbf{x}) \in \mathbb{R}^m$, with the matrix
# $\mathbf{J}$ of all its partial derivatives, the *Jacobian*, of shape $(m, n)$. A forward pass started with
# $\dot{\mathbf{x}} = \mathbf{v}$ gives $\mathbf{J}\mathbf{v}$, of shape $(m,)$: the *Jacobian-vector product* or jvp. A
# backward pass started with $\bar f = \mathbf{u}$ gives $\mathbf{J}^\top\mathbf{u}$, of shape $(n,)$: the
# *vector-Jacobian product* or vjp. Neither ever builds $\mathbf{J}$. The whole matrix costs $n$ forward passes, a
# column each, or $m$ backward passes, a row each. In a chain of layers
# $\mathbf{J} = \mathbf{J}_L \cdots \mathbf{J}_2 \mathbf{J}_1$, and the two modes are two ways to put brackets: from the
# right with a column, from the left with a row. With $m = 1$ the second multiplies vectors by matrices all the way and
# never two matrices.
#
# **Rules for tensors.** Each operation must say how it passes an adjoint on. For $\mathbf{C} = \mathbf{A}\mathbf{B}$
# with shapes $(n, k)$, $(k, m)$ and $(n, m)$, small changes give
# $d\mathbf{C} = d\mathbf{A}\,\mathbf{B} + \mathbf{A}\,d\mathbf{B}$. The change of $y$ is
# $\sum_{ij} \bar C_{ij}\, dC_{ij}$; its part that belongs to $d\mathbf{A}$ is $\sum_{ijl} \bar C_{ij}\, dA_{il}
# B_{lj} = \sum_{il} dA_{il} \big(\sum_j \bar C_{ij} B_{lj}\big)$, and the bracket is what stands at $dA_{il}$. The
# other part goes the same way, so
#
# $$\bar{\mathbf{A}} = \bar{\mathbf{C}}\, \mathbf{B}^\top \quad (n, k), \qquad
#   \bar{\mathbf{B}} = \mathbf{A}^\top \bar{\mathbf{C}} \quad (k, m) .$$
#
# For a product element by element, $\mathbf{C} = \mathbf{A} \odot \mathbf{B}$, they are
# $\bar{\mathbf{C}} \odot \mathbf{B}$ and $\bar{\mathbf{C}} \odot \mathbf{A}$; for $h = \tanh(z)$ it is
# $\bar z = \bar h\,(1 - h^2)$; a sum hands its adjoint to each term. An operand that was *broadcast* was used several
# times, so its adjoint is the sum over those uses.
#
# Look at what these rules need: the product needs both operands, the hyperbolic tangent its result. Going backwards
# after the values are gone is impossible, so **a reverse pass pays with memory**: all such values are kept from the
# forward pass until they are used.

# %% [markdown]
# ## From scratch: forward
#
# A *dual number* is a value together with its $\dot v$. We teach it to add and to multiply, and any program made of
# these operations differentiates itself while it runs. Nothing is stored beyond the present line.


# %%
class Dual:
    """A value and its rate of change along one direction."""

    def __init__(self, value, rate=0.0):
        self.value, self.rate = value, rate

    @staticmethod
    def of(x):
        """x itself if it is a dual number, else the constant x."""
        return x if isinstance(x, Dual) else Dual(x)

    def __add__(self, other):
        other = Dual.of(other)
        return Dual(self.value + other.value, self.rate + other.rate)

    def __mul__(self, other):
        other = Dual.of(other)
        return Dual(self.value * other.value, self.rate * other.value + self.value * other.rate)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Dual.of(other)

    def __rsub__(self, other):
        return Dual.of(other) - self

    __radd__, __rmul__ = __add__, __mul__


def profit(price, cost, rent):
    """The café's profit of a day, for numbers, tensors or anything else that adds and multiplies."""
    cups = 200.0 - 40.0 * price
    margin = price - cost
    return cups * margin - rent


# %%
if __name__ == "__main__":
    for i, name in enumerate(("price", "cost", "rent")):
        arguments = [Dual(value, 1.0 if i == j else 0.0) for j, value in enumerate((3.0, 0.8, 100.0))]
        print(f"profit {profit(*arguments).value:.0f}, rate with the {name}: {profit(*arguments).rate:.1f}")

# %% [markdown]
# Three inputs, three passes. Now the other direction.
#
# ## From scratch: backward
#
# Each result of an operation becomes a *node*. It holds its value, the nodes it came from, for each of those a function
# that turns the node's own adjoint into a contribution to theirs, and, so that we can count it, a list of what those
# functions keep.


# %%
class Node:
    """A tensor that remembers how it was made."""

    def __init__(self, value, parents=(), kept=()):
        self.value = value
        self.parents = parents  # pairs of a node and a function from our adjoint to its share
        self.kept = kept  # the tensors that these functions need

    @staticmethod
    def of(x):
        """x itself if it is a node, else a constant without parents."""
        return x if isinstance(x, Node) else Node(xp.asarray(x))

    def __add__(self, other):
        other = Node.of(other)
        return Node(self.value + other.value, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        other = Node.of(other)
        a, b = self.value, other.value
        return Node(a * b, [(self, lambda g: g * b), (other, lambda g: g * a)], kept=(a, b))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Node.of(other)

    def __rsub__(self, other):
        return Node.of(other) - self

    __radd__, __rmul__ = __add__, __mul__


def matmul(a, b):
    """Product of two matrices, (n, k) @ (k, m) -> (n, m); nodes if one of them is a node, else tensors."""
    if not isinstance(a, Node) and not isinstance(b, Node):
        return xp.matmul(a, b)
    a, b = Node.of(a), Node.of(b)
    A, B = a.value, b.value
    shares = [
        (a, lambda g: xp.matmul(g, xp.matrix_transpose(B))),  # (n, m) @ (m, k) -> (n, k)
        (b, lambda g: xp.matmul(xp.matrix_transpose(A), g)),  # (k, n) @ (n, m) -> (k, m)
    ]
    return Node(xp.matmul(A, B), shares, kept=(A, B))


def tanh(x):
    """Hyperbolic tangent of each element of a node or tensor."""
    if not isinstance(x, Node):
        return xp.tanh(x)
    h = xp.tanh(x.value)
    return Node(h, [(x, lambda g: g * (1.0 - h * h))], kept=(h,))


def total(x):
    """Sum of all elements of a node or tensor, 0-d."""
    if not isinstance(x, Node):
        return xp.sum(x)
    shape = tuple(x.value.shape)
    return Node(xp.sum(x.value), [(x, lambda g: xp.broadcast_to(g, shape))])


# %% [markdown]
# The backward pass puts the nodes in an order in which each comes after those it was made from, walks through it in
# reverse and adds up contributions. `summed_to` undoes broadcasting.


# %%
def summed_to(gradient, shape):
    """The gradient of a value of `shape` that was broadcast: summed over the axes along which it was repeated."""
    extra = len(gradient.shape) - len(shape)
    if extra:
        gradient = xp.sum(gradient, axis=tuple(range(extra)))
    repeated = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return xp.sum(gradient, axis=repeated, keepdims=True) if repeated else gradient


def in_order(output):
    """All nodes from which `output` was made and itself, operands before results."""
    order, seen, waiting = [], set(), [(output, False)]
    while waiting:
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting.extend((parent, False) for parent, _ in node.parents)
    return order


def backward(output):
    """The adjoint of every node that a 0-d `output` depends on, as a dict."""
    adjoints = {output: xp.ones_like(output.value)}
    for node in reversed(in_order(output)):
        for parent, share in node.parents:
            contribution = summed_to(share(adjoints[node]), tuple(parent.value.shape))
            adjoints[parent] = adjoints[parent] + contribution if parent in adjoints else contribution
    return adjoints


def stored_numbers(output):
    """How many numbers the backward pass from `output` needs from the forward pass; shared tensors count once."""
    kept = {id(tensor): tensor for node in in_order(output) for tensor in node.kept}
    return sum(int(np.prod(tensor.shape)) for tensor in kept.values())


# %%
if __name__ == "__main__":
    price, cost, rent = Node.of(3.0), Node.of(0.8), Node.of(100.0)
    adjoints = backward(profit(price, cost, rent))
    found = {name: float(adjoints[node]) for name, node in (("price", price), ("cost", cost), ("rent", rent))}
    print("one backward pass:", {name: f"{rate:.1f}" for name, rate in found.items()})
    report(price_rate=found["price"])

# %% [markdown]
# The number for the price is $-8.0$<!--lesson.price_rate-->, as in the diagram.
#
# ## Concise
#
# The library's `value_and_grad(f)` does the same with the active framework's own machinery: for a function that returns
# one number it gives the value and the gradient. `vjp(f, x)` returns the value and the function from $\mathbf{u}$ to
# $\mathbf{J}^\top\mathbf{u}$, `jvp(f, x, v)` the value and $\mathbf{J}\mathbf{v}$. We compare on something of the real
# kind: a network with 8 hidden units that predicts the noise of a wing from five measured features, as in
# [Linear regression](../linear_regression/linear_regression.py), on 200 cases. It has 57 parameters, which we keep in
# one vector so that our numerical gradient from the last lesson can join in.

# %%
CASES, HIDDEN = 200, 8
SIZES = (5 * HIDDEN, HIDDEN, HIDDEN, 1)  # of W1 (5, 8), b1 (8,), W2 (8, 1), b2 (1,): 57 in all


def start():
    """All parameters of the network in one vector (57,), random."""
    return xp.asarray(random.normal(sum(SIZES), 0, "automatic differentiation", std=0.5))


def unpacked(theta):
    """The four parameters of the network from the vector (57,)."""
    ends = np.cumsum(SIZES)
    pieces = [theta[int(end) - size : int(end)] for size, end in zip(SIZES, ends, strict=True)]
    return xp.reshape(pieces[0], (5, HIDDEN)), pieces[1], xp.reshape(pieces[2], (HIDDEN, 1)), pieces[3]


def network_loss(parameters, X, y):
    """Mean squared error of the network: tensors or nodes in, the same kind out."""
    W1, b1, W2, b2 = parameters
    hidden = tanh(matmul(X, W1) + b1)  # (n, 5) @ (5, 8) + (8,) -> (n, 8)
    residual = matmul(hidden, W2) + b2 - y  # (n, 8) @ (8, 1) + (1,) - (n, 1) -> (n, 1)
    return total(residual * residual) * (1.0 / X.shape[0])  # (n, 1) -> ()


def in_one_vector(tensors):
    """The elements of several tensors one after the other."""
    return xp.concat([xp.reshape(tensor, (-1,)) for tensor in tensors])


# %%
if __name__ == "__main__":
    (X, y), theta = airfoil_cases(CASES), start()

    def loss(theta):
        """The network's loss on the 200 cases as a function from (57,) to ()."""
        return network_loss(unpacked(theta), X, y)

    value, automatic = value_and_grad(loss)(theta)  # (), (57,)
    nodes = [Node(tensor) for tensor in unpacked(theta)]
    output = network_loss(nodes, X, y)
    adjoints = backward(output)
    ours = in_one_vector([adjoints[node] for node in nodes])  # (57,)
    report(loss=value, tape_gap=largest_gap(ours, automatic), largest_entry=xp.max(xp.abs(automatic)))

# %% [markdown]
# The largest entry of the gradient is 1.0<!--lesson.largest_entry-->. On NumPy our tape and the library, which uses the
# package autograd there, carry out the same operations and differ by 0<!--lesson.tape_gap-->; on PyTorch by
# $4.5 \cdot 10^{-8}$<!--lesson.tape_gap @torch-->, which is rounding. For the second check take the network's outputs
# on three cases as a function from $\mathbb{R}^{57}$ to $\mathbb{R}^3$ and compute its Jacobian twice, by three
# backward passes and by 57 forward ones.


# %%
def outputs(theta, X):
    """The network's outputs (n,) for the cases X (n, 5)."""
    W1, b1, W2, b2 = unpacked(theta)
    return xp.reshape(matmul(tanh(matmul(X, W1) + b1), W2) + b2, (-1,))  # (n, 1) -> (n,)


# %%
if __name__ == "__main__":
    few = X[:3]  # (3, 5)
    _, pullback = vjp(lambda theta: outputs(theta, few), theta)
    rows = xp.stack([pullback(row) for row in (xp.eye(3)[i] for i in range(3))])  # 3 backward passes: (3, 57)
    units, count = xp.eye(sum(SIZES)), 5 if scale() == "smoke" else sum(SIZES)
    columns = [jvp(lambda theta: outputs(theta, few), theta, units[i])[1] for i in range(count)]  # count times (3,)
    report(forward_reverse_gap=largest_gap(rows[:, :count], xp.stack(columns, axis=1)))

# %% [markdown]
# Rows and columns make up the same matrix; the largest difference is
# $6.0 \cdot 10^{-8}$<!--lesson.forward_reverse_gap--> on NumPy. Only the bill differs, 3 passes against 57.
#
# ## Against differences
#
# Who is right when differences and automatic derivatives disagree? We let the same program run with 64 bits, take the
# result for the truth, and draw by how much both kinds of gradient in 32 bits miss it.


# %%
def gradient_in(precision):
    """The network's gradient (57,) as a NumPy array, computed with 32 or 64 bits."""
    with use_backend(active().name, precision=precision):
        X, y = airfoil_cases(CASES)
        return xp.to_numpy(value_and_grad(lambda theta: network_loss(unpacked(theta), X, y))(start())[1])


def difference_errors(steps):
    """Largest error of the gradient by central differences in 32 bits, for each step: (k,)."""
    truth = gradient_in(64)
    with use_backend(active().name, precision=32):
        (X, y), theta = airfoil_cases(CASES), start()
        measured = [
            numerical_gradient(lambda theta: network_loss(unpacked(theta), X, y), theta, float(h)) for h in steps
        ]
        return np.array([np.abs(xp.to_numpy(gradient) - truth).max() for gradient in measured])


@house_style
def plot_against_differences(steps, errors, automatic):
    """Errors of both ways to a gradient."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.0, 3.4))
    axes.loglog(steps, errors, "C0o-", label="central differences, 114 evaluations")
    axes.axhline(automatic, color="C1", linestyle="--", label="automatic, one backward pass")
    axes.set(xlabel="step $h$", ylabel="largest error of the gradient")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    steps = 2.0 ** -np.arange(1, 16, 4 if scale() == "smoke" else 2)
    errors = difference_errors(steps)
    automatic_error = np.abs(gradient_in(32) - gradient_in(64)).max()
    print({f"{h:.1e}": f"{error:.1e}" for h, error in zip(steps, errors, strict=True)})
    report(automatic_error=automatic_error, best_difference_error=errors.min(), small_step_error=errors[-1])

# %%
if __name__ == "__main__":
    plot_against_differences(steps, errors, automatic_error)

# %% [markdown]
# On NumPy the best step that we tried leaves an error of $4.5 \cdot 10^{-5}$<!--lesson.best_difference_error-->, the
# smallest one $3.5 \cdot 10^{-3}$<!--lesson.small_step_error-->, and there is no way to know the best one beforehand.
# The automatic gradient is off by $2.9 \cdot 10^{-7}$<!--lesson.automatic_error-->. It is exact in the sense in which
# every computation on floating-point numbers is: the rules are exact, and each operation is rounded once.
#
# Now the costs. Differences took 114 evaluations of the loss. In a backward pass each elementary operation has at
# most two operands and passes its adjoint on with an operation or two of its own size, so the whole should stay
# within a small factor, whatever the number of parameters; Baur and Strassen (1983) proved this for counts of
# arithmetic operations. The next cell measures it.

# %%
if __name__ == "__main__":

    def seconds(function, repeats=10):
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            xp.to_numpy(function())
            times.append(time.perf_counter() - started)
        return min(times)

    once, both = seconds(lambda: loss(theta)), seconds(lambda: value_and_grad(loss)(theta)[1])
    print(f"loss {once * 1e6:.0f} µs, loss and gradient {both * 1e6:.0f} µs: {both / once:.1f} times as long")

# %% [markdown]
# For a network as tiny as this one the time goes mostly into bookkeeping, and you may see a factor of ten or more. In
# large layers the backward pass has two matrix products for each one of the forward pass, which makes a factor of
# about three. It does not grow with the number of parameters, as the 114 does.
#
# The memory is the true price. `stored_numbers` counts what our tape keeps, here for 200 cases and a chain of layers of
# 8 hidden units.


# %%
def stored_by_depth(depths, n=CASES):
    """Numbers kept for the backward pass of a network with 1, 2, ... hidden layers of 8 units, by depth."""
    X, y = airfoil_cases(n)
    found = {}
    for depth in depths:
        hidden = Node(X)  # (n, 5)
        for layer in range(depth):
            fan_in = 5 if layer == 0 else HIDDEN
            weight = Node(xp.asarray(random.normal((fan_in, HIDDEN), 0, "depth", layer, std=fan_in**-0.5)))
            hidden = tanh(matmul(hidden, weight))  # (n, fan_in) @ (fan_in, 8) -> (n, 8)
        residual = matmul(hidden, Node(xp.ones((HIDDEN, 1)))) - y  # (n, 8) @ (8, 1) -> (n, 1)
        found[depth] = stored_numbers(total(residual * residual))
    return found


# %%
if __name__ == "__main__":
    stored = stored_by_depth((1, 2, 4, 8, 16))
    print(stored)
    report(stored_at_8=stored[8], stored_at_16=stored[16], stored_per_layer=(stored[16] - stored[8]) / 8)

# %% [markdown]
# From 8 to 16 layers the number grows from 14,697<!--lesson.stored_at_8--> to 28,009<!--lesson.stored_at_16-->, by
# 1,664<!--lesson.stored_per_layer--> for each layer: the 8 values of 200 cases, which are $1{,}600$, and the 64
# weights. Without a backward pass, two layers' values at a time would do. This is why training needs many times the
# memory of using a network, and why it grows with the batch. If it does not fit, one can throw values away and compute
# them again when they are needed; `d2l_core.autodiff.checkpoint` does this for a part of a model.
#
# ## Loops and branches
#
# The tape knows nothing about `if` and `while`. It records the operations that were carried out, and those it reverses.
# So a gradient goes through any Python program, as long as we do not ask for more than the run that took place. Take
# Heron's way to a square root: to have $\sqrt{a}$, start with some $x$ and replace it by the mean of $x$ and $a/x$
# until $x^2$ is close to $a$. How many rounds that takes depends on $a$. The derivative should be $1 / (2\sqrt{a})$.


# %%
def heron(a, tolerance=1e-5):
    """The square root of a positive 0-d tensor, by a loop whose length depends on its value."""
    x = 0.5 * (a + 1.0) if a > 1.0 else xp.ones_like(a)
    while xp.abs(x * x - a) > tolerance * a:
        x = 0.5 * (x + a / x)
    return x


def heron_rounds(a, tolerance=1e-5):
    """How often the loop of `heron` runs for a number."""
    x, rounds = (0.5 * (a + 1.0) if a > 1.0 else 1.0), 0
    while abs(x * x - a) > tolerance * a:
        x, rounds = 0.5 * (x + a / x), rounds + 1
    return rounds


# %%
if __name__ == "__main__":
    errors = {}
    for a in (0.25, 2.0, 50.0, 1000.0):
        root, slope = value_and_grad(heron)(xp.asarray(a))
        print(f"a = {a}: {heron_rounds(a)} rounds, root {float(root):.5f}, slope {float(slope):.5f}", end=", ")
        print(f"1 / (2 sqrt(a)) = {0.5 / a**0.5:.5f}")
        errors[a] = abs(float(root) / a**0.5 - 1.0), abs(float(slope) * 2.0 * a**0.5 - 1.0)
    report(
        heron_gap=max(error for _, error in errors.values()),
        root_error_at_two=errors[2.0][0],
        slope_error_at_two=errors[2.0][1],
        rounds_at_1000=heron_rounds(1000.0),
        slope_at_one=grad(heron)(xp.asarray(1.0)),
    )

# %% [markdown]
# Branch and loop are no obstacle: at $a = 1000$ the tape recorded 7<!--lesson.rounds_at_1000--> rounds, and the slope
# is right to several digits. But look at $a = 2$. The root is wrong by
# $1.5 \cdot 10^{-6}$<!--lesson.root_error_at_two--> of its size and the slope by
# $3.6 \cdot 10^{-5}$<!--lesson.slope_error_at_two-->, over twenty times as much. If $e_k$ is the relative error after
# $k$ rounds, then $e_{k+1} \approx \frac12 e_k^2$; differentiating this, $e_{k+1}' \approx e_k e_k'$. The slope also
# converges, but it lags a round behind, and the loop stops when the *value* is good enough.
#
# At $a = 1$ it gets worse. The starting value is the constant 1, which is the root, so the loop does not run at all,
# and the program has returned a constant. Its slope is 0<!--lesson.slope_at_one-->, which is perfectly right for the
# program that was run; the function has the slope $\frac12$. **Automatic differentiation differentiates the run, not
# your intention.**
#
# ## Holding something fixed
#
# Sometimes a computed value shall count as a constant, such as a target that the model itself has produced, or a
# scale. `stop_gradient(x)` has the value of `x` and the derivative zero. Here three numbers are divided by the
# largest of them.


# %%
def spread(x, fixed_scale):
    """Sum of squares of x (n,), divided by its largest element; with `fixed_scale` that counts as a constant."""
    largest = xp.max(x)  # (n,) -> ()
    scaled = x / (stop_gradient(largest) if fixed_scale else largest)  # (n,)
    return xp.sum(scaled * scaled)


# %%
if __name__ == "__main__":
    x = xp.asarray(np.array([1.0, 2.0, 4.0]))
    for fixed_scale in (False, True):
        value, slopes = value_and_grad(lambda x, fixed=fixed_scale: spread(x, fixed))(x)
        print(f"scale held fixed: {fixed_scale}; value {float(value):.4f}, gradient {xp.to_numpy(slopes)}")
        report(**{"last_slope_fixed" if fixed_scale else "last_slope_free": slopes[2]})

# %% [markdown]
# The value is the same, the gradients are not. With the scale held fixed each entry is $2 x_i / 16$, and the last one
# is 0.500<!--lesson.last_slope_fixed-->. If the scale takes part, then a larger last number makes all others smaller,
# and its entry becomes $-0.156$<!--lesson.last_slope_free-->: it would be moved in the opposite direction. Neither is
# a mistake, but a paper that says "we normalise by the maximum" has not said which it means.
#
# ## What goes wrong
#
# Three ways to get a wrong gradient without any wrong value.


# %%
def careless_softplus(x):
    """log(1 + exp(x)), with x itself where the exponential would overflow."""
    return xp.where(x > 20.0, x, xp.log(1.0 + xp.exp(x)))


def careful_softplus(x):
    """The same, with an argument that cannot overflow in the branch that is not taken."""
    small = xp.where(x > 20.0, xp.zeros_like(x), x)
    return xp.where(x > 20.0, x, xp.log(1.0 + xp.exp(small)))


def through_python(x):
    """The square, by way of a Python number."""
    return xp.asarray(float(xp.to_numpy(x))) ** 2


# %%
if __name__ == "__main__":
    x = xp.asarray(100.0)
    value, slope = value_and_grad(careless_softplus)(x)
    print(f"careless: value {float(value)}, slope {float(slope)}")
    careful = value_and_grad(careful_softplus)(x)[1]
    report(careless_is_nan=np.isnan(float(slope)), careful_gap=abs(float(careful) - 1.0))
    report(rounding_slope=grad(xp.round)(xp.asarray(1.2)))
    try:
        print("through a Python number:", float(grad(through_python)(xp.asarray(3.0))), "instead of 6")
    except Exception as error:
        print("through a Python number:", type(error).__name__)

# %% [markdown]
# **Not a number from a branch that was not taken.** The first function returns 100, correctly. But `where` computes
# both branches, and in the other one $e^{100}$ overflows to infinity. The adjoint that arrives there is 0, the rule of
# the logarithm divides it by infinity, which is still 0, and the rule of the exponential multiplies 0 by infinity,
# which is not a number; adding the good branch to it does not help. The cure is to give the branch that is not wanted
# an argument that it can bear, *before* it computes. The careful version has the right slope, 1, with an error of
# 0<!--lesson.careful_gap-->.
#
# **Steps.** Rounding is constant between its jumps. Its slope, 0<!--lesson.rounding_slope--> wherever it exists, is
# right and useless: nothing in front of a rounding learns anything. Comparisons, `argmax` and whole-number indices are
# the same. Exercise 1 shows what people do about it.
#
# **Leaving the tensors.** A Python number has no history. In the last function the value travels through one, and its
# square is a new constant. NumPy and JAX refuse with an error; PyTorch, TensorFlow and MXNet return 0 where 6 is right,
# and say nothing. A parameter that never moves often has such a place between itself and the loss.
#
# ## Under the surface
#
# *When the graph is made.* PyTorch and MXNet record while the program runs, PyTorch whenever an input asks for a
# gradient, MXNet inside `autograd.record()`. TensorFlow records on a `GradientTape`, which watches variables by itself
# and other tensors only when told to. The package autograd, which differentiates our NumPy backend, and JAX transform a
# *function*: they call it with special objects in place of arrays, much as we called `profit` with dual numbers.
#
# *Compiled code.* `jax.jit` and `tf.function` run the Python code once to see the operations and then without it. A
# Python `while` over values cannot be traced by JAX in this way, and one has to write the loop as an operation:
# `while_loop` in `d2l_core.autodiff`, and `cond` for the branch. JAX's own `while_loop` cannot be reversed, as nobody
# knows in advance how much it will have to store; `scan`, with a fixed number of steps, can.
#
# *Where the result goes.* PyTorch adds it to the field `.grad` of each tensor and goes on adding until somebody clears
# it; MXNet overwrites the buffer made by `attach_grad`; the other three return it, as `value_and_grad` does.
#
# *Stopping.* The same thing is called `detach()`, `jax.lax.stop_gradient`, `tf.stop_gradient` and `BlockGrad`.
#
# *Corners and ties.* At a corner there is no derivative and each library picks a number. Asked directly, the gradient
# of $|x|$ at 0 is 1 in JAX and 0 in the others; that of $\max(x, 0)$, written as a maximum of two tensors, is
# $\frac12$ in autograd, PyTorch and JAX and 1 in TensorFlow and MXNet. If two elements of a vector are its largest,
# most let them share the gradient, and MXNet gives it to each in full. `xp` has one rule on all: $|x|$ and ReLU have
# the slope 0 at 0, two equal operands of a maximum get a half each, equal extremes share. Exact ties are common:
# behind a ReLU there are many zeros.
#
# ## Summary
#
# A program is a chain of elementary operations, and the chain rule can be applied to the chain itself. Forward mode
# carries one direction along and needs nothing stored; reverse mode finds the derivatives of one result with respect to
# everything, for a small multiple of the time and at the price of storing what the rules need. Rates along several
# paths add up, and what was broadcast is summed. The result is as exact as the program's own arithmetic, but it belongs
# to the program that was run: to its branches, its number of rounds, its constants. `stop_gradient` turns a value into
# a constant on purpose; a detour through Python numbers does so by accident.
#
# ## Exercises
#
# Solutions are in `automatic_differentiation_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise automatic-differentiation` writes a stub to fill in, `d2l check FILE` examines it on every installed
# backend.
#
# 1. ★ *Straight through.* Write `straight_through_round(x)`, whose value is `x` rounded and whose derivative is that of
#    `x` itself (Bengio, Léonard and Courville, 2013). One line with `stop_gradient` is enough.
# 2. ★ *Columns.* Write `jacobian_by_columns(f, x)`: the Jacobian $(m, n)$ of a function from $(n,)$ to $(m,)$ from $n$
#    forward products. For which shapes is it better than by rows?
# 3. ★ *The gradient of a gradient.* Write `squared_slope(f, x)`, the squared length of the gradient of $f$ at $x$, such
#    that it can itself be differentiated. What is its gradient in terms of second derivatives?
# 4. *Extend the tape.* Add `exp` and `log` to `Node` and check both against `value_and_grad`. What does each keep? Is
#    there a choice?
# 5. *Less memory.* A chain of $L$ equal layers stores $L$ results. Suppose that you keep only every $k$-th and compute
#    the others again, one stretch at a time, on the way back. How many do you have to hold at once, which $k$ is best,
#    and what does it cost in time?
#
# ## References
#
# - R. E. Wengert (1964), *A Simple Automatic Derivative Evaluation Program*, Communications of the ACM 7.
# - S. Linnainmaa (1976), *Taylor Expansion of the Accumulated Rounding Error*, BIT 16, reverse mode.
# - W. Baur and V. Strassen (1983), *The Complexity of Partial Derivatives*, Theoretical Computer Science 22.
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), *Learning Representations by Back-Propagating Errors*,
#   Nature 323.
# - A. Griewank and A. Walther (2008), *Evaluating Derivatives*, second edition, SIAM.
# - Y. Bengio, N. Léonard and A. Courville (2013), *Estimating or Propagating Gradients Through Stochastic Neurons for
#   Conditional Computation*, arXiv:1308.3432.
# - T. Chen, B. Xu, C. Zhang and C. Guestrin (2016), *Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174.
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind (2018), *Automatic Differentiation in Machine
#   Learning: a Survey*, Journal of Machine Learning Research 18.
