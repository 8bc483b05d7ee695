# /// lesson
# name = "layers-and-modules"
# title = "Layers and modules"
# sections = ["6.1"]
# needs = ["linear-regression"]
# data = ["airfoil"]
# [time]
# smoke = "1 s"
# standard = "1 s"
# full = "1 s"
# [promises]
# full = [
#   "lesson: gap_node <= 1e-6", "lesson: gap_sequential <= 1e-6", "lesson: gap_shared <= 1e-5",
#   "lesson: steps_half <= 16", "lesson: fades <= 0.001", "lesson: lives >= 0.5", "lesson: forgotten <= 0",
# ]
# ///

# %% [markdown]
# # Layers and modules
#
# A recipe for a cake says: "Make the dough of page 12, twice; fill with the cream of page 30." It does not repeat
# how dough is made. A network is written in the same way. A famous one of He and others (2016) has 152 layers, but
# nobody wrote 152 of anything: it consists mainly of four stages, a stage of many equal blocks, a block of three
# layers. The word that covers layer, block, stage and network alike is *module*.
#
# We shall build modules ourselves in twenty lines, to see that nothing is hidden in them, and then use the library's
# for what the [multilayer perceptron](../multilayer_perceptrons/mlp.py), a plain row of layers, did not need: blocks
# in blocks, one layer in two places, a loop that ends when it is done, and a look at what happens inside.

# %%
import math

import numpy as np
from d2l_chapters.linear_regression.linear_regression import airfoil_arrays

from d2l_core import nn, random, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.lessons import report
from d2l_core.plots import INK, Diagram, house_style

# %% [markdown]
# ## The idea
#
# A module has three things: *numbers* of its own, its parameters; *parts*, which are modules again; and a *rule*,
# called `forward`, that tells how an output comes from an input. Since parts have parts, a model is a tree. Its
# leaves are layers, such as an affine map, and the way from the root to a number gives the number a name: in the
# picture the first weight is `body.0.weight`. Everything one does with a whole model, such as counting,
# differentiating, saving or switching to evaluation, is a walk over this tree.


# %%
def diagram_tree():
    """A model as a tree of modules with the paths of its parts and parameters."""
    picture = Diagram(640, 300, "a model as a tree of modules")
    root = picture.box(230, 8, 130, 36, "model")
    body, head = picture.box(110, 90, 130, 36, "Sequential"), picture.box(440, 90, 130, 36, "Linear")
    leaves = [picture.box(8, 180, 110, 36, "Linear"), picture.box(240, 180, 110, 36, "Linear")]
    leaves.insert(1, picture.box(128, 180, 94, 36, "ReLU"))
    for end, x, name in ((body, 200, "body"), (head, 415, "head")):
        picture.arrow(root, end)
        picture.text(x, 60, name, size=11)
    for name, leaf in zip("012", leaves, strict=True):
        picture.arrow(body, leaf, name)
    for x, y, path in ((63, 240, "body.0"), (295, 240, "body.2"), (505, 150, "head")):
        picture.text(x, y, f"{path}.weight", size=11)
        picture.text(x, y + 17, f"{path}.bias", size=11)
    return picture


# %%
if __name__ == "__main__":
    diagram_tree()

# %% [markdown]
# ## The mathematics
#
# Write $\Theta(M)$ for the set of the parameters of a module $M$, $\Theta_0(M)$ for its own, and $P_1, \dots, P_k$
# for its parts. Then
#
# $$\Theta(M) = \Theta_0(M) \cup \Theta(P_1) \cup \dots \cup \Theta(P_k).$$
#
# It is a union of sets: a part that occurs in two places brings its parameters once. The simplest rule applies the
# parts one after the other, $f = f_k \circ \dots \circ f_1$, and by the chain rule the derivative of its output
# with respect to its input is the product $J_k \cdots J_1$ of the matrices of derivatives of the parts (each as
# many rows as the part has outputs, as many columns as it has inputs). So a part needs to know only how a gradient
# passes through itself, and parts of any kind may be put together; Bottou and Gallinari (1991) built learning systems
# on this.
#
# **A part used twice.** Let the loss be $L(w) = G(w, w)$, where the first place of $G(u, v)$ is the use in one place
# of the model and the second the use in the other. Along $u = v = w$ both places change together, so
#
# $$\frac{dL}{dw} = \frac{\partial G}{\partial u}(w, w) + \frac{\partial G}{\partial v}(w, w):$$
#
# the gradient of shared parameters is the sum of what separate copies would have received.
#
# **A part used until it settles.** For inputs $\mathbf{X}$ (n, d) let
#
# $$\mathbf{H}_0 = \mathbf{0}, \qquad
#   \mathbf{H}_{t+1} = \tanh(\mathbf{X}\mathbf{U}^\top + \mathbf{b} + \mathbf{H}_t\mathbf{W}^\top),$$
#
# with $\mathbf{U}$ (m, d), $\mathbf{b}$ (m,), $\mathbf{W}$ (m, m) and $\mathbf{H}_t$ (n, m), and stop when no row of
# $\mathbf{H}$ changes by more than $\varepsilon$ in length. How many passes will it take? The slope of tanh is at
# most 1, and $\mathbf{W}$ stretches no vector by more than a factor $\gamma$, its largest singular value. So each
# change is at most $\gamma$ times the one before. The first is a row of $m$ numbers below 1, of a length below
# $\sqrt{m}$; pass $t+1$ changes less than $\gamma^t \sqrt{m}$. If $\gamma < 1$ this falls below $\varepsilon$ as
# soon as $t \geq \ln(\varepsilon / \sqrt{m}) / \ln\gamma$, whatever the input is. What remains is a solution of
# $\mathbf{H} = \tanh(\mathbf{X}\mathbf{U}^\top + \mathbf{b} + \mathbf{H}\mathbf{W}^\top)$; Bai, Kolter and Koltun
# (2019) build whole networks from such equations. For $m = 8$, $\gamma = \frac12$ and $\varepsilon = 10^{-4}$ the
# bound is $t \geq 14.8$, that is 16 passes at most.

# %% [markdown]
# ## From scratch
#
# Here is a module in miniature. Assigning an attribute files it: modules under `parts`, tensors under `numbers`.
# `tree` walks down and puts the names together.


# %%
class Node:
    """A module in miniature: numbers of its own, parts, and a rule `forward`."""

    def __setattr__(self, name, value):
        kind = "parts" if isinstance(value, Node) else "numbers" if xp.is_tensor(value) else None
        if kind:
            self.__dict__.setdefault(kind, {})[name] = value
        self.__dict__[name] = value

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def tree(self, path=""):
        """All numbers below, as pairs of a dotted path and a tensor, each tensor once."""
        prefix, seen = f"{path}." if path else "", set()
        own = [(prefix + name, tensor) for name, tensor in self.__dict__.get("numbers", {}).items()]
        parts = self.__dict__.get("parts", {})
        for where, tensor in own + [pair for name, part in parts.items() for pair in part.tree(prefix + name)]:
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield where, tensor


class AffineNode(Node):
    """An affine map (n, num_inputs) to (n, num_outputs) with normal weights from the stream called by `key`."""

    def __init__(self, num_inputs, num_outputs, *key):
        self.weight = xp.asarray(random.normal((num_outputs, num_inputs), *key, std=0.5), dtype=xp.float_dtype())
        self.bias = xp.zeros((num_outputs,))

    def forward(self, X):
        """X W' + b."""
        return xp.matmul(X, xp.matrix_transpose(self.weight)) + self.bias  # (n, in) @ (in, out) -> (n, out)


class ChainNode(Node):
    """Nodes, or functions of one tensor, one after the other; their names are 0, 1, 2 ..."""

    def __init__(self, *stages):
        self.length = len(stages)
        for i, stage in enumerate(stages):
            setattr(self, str(i), stage)

    def forward(self, X):
        """The output of the last stage."""
        for i in range(self.length):
            X = getattr(self, str(i))(X)
        return X


# %% [markdown]
# The library's `nn.Module` files its attributes in the same way, and its `nn.Sequential` is our chain. If the trees
# are alike, so are the paths, and the numbers of one fit into the other. `load_state_dict` refuses if they don't.

# %%
if __name__ == "__main__":
    ours = ChainNode(AffineNode(5, 8, "first"), xp.tanh, AffineNode(8, 1, "second"))
    theirs = nn.Sequential(nn.Linear(8, 5), xp.tanh, nn.Linear(1, 8))
    theirs.load_state_dict(dict(ours.tree()))
    X = xp.asarray(airfoil_arrays(np.arange(1503))[0][0][:100])  # (100, 5)
    for path, tensor in ours.tree():
        print(path, tuple(tensor.shape))
    report(gap_node=xp.max(xp.abs(ours(X) - theirs(X))))

# %% [markdown]
# What does `nn.Module` add? It draws the first values of the parameters, keeps them so that they can be replaced and
# differentiated, knows whether it trains or is evaluated, and calls hooks. With it, `Sequential` takes four lines.
# `ModuleList` is what keeps the stages visible to the tree.


# %%
class SequentialScratch(nn.Module):
    """Modules one after the other."""

    def __init__(self, *stages):
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, X):
        """The output of the last stage."""
        for stage in self.stages:
            X = stage(X)
        return X


class MLP(nn.Module):
    """One hidden layer: (n, d) to (n, num_outputs)."""

    def __init__(self, num_hiddens, num_outputs):
        super().__init__()
        self.hidden = nn.Linear(num_hiddens)
        self.output = nn.Linear(num_outputs)

    def forward(self, X):
        """Scores for the rows of X."""
        return self.output(xp.tanh(self.hidden(X)))  # (n, d) -> (n, num_hiddens) -> (n, num_outputs)


# %%
if __name__ == "__main__":
    model = SequentialScratch(nn.Linear(8), nn.Tanh(), MLP(4, 1)).initialise(X, seed=0)
    print(model)
    same = nn.Sequential(nn.Linear(8), nn.Tanh(), MLP(4, 1)).initialise(X, seed=1)
    same.load_state_dict({path.removeprefix("stages."): array for path, array in model.state_dict().items()})
    report(gap_sequential=xp.max(xp.abs(model(X) - same(X))))

# %% [markdown]
# ## A rule of our own
#
# `forward` is Python, so it may contain loops and decisions. `Settle` computes the equation above. Its layer `again`
# is one part that is called many times, and the number of calls depends on the data. The orthogonal initial weight
# times `gain` has all its singular values equal to `gain`, so we know $\gamma$.


# %%
class Settle(nn.Module):
    """Solves H = tanh(X U' + b + H W') by repetition: (n, d) to (n, size); `steps` tells how often it went round."""

    def __init__(self, size, gain=0.5, tolerance=1e-4, most=200):
        super().__init__()
        self.into = nn.Linear(size)
        self.again = nn.Linear(size, size, bias=False, weight_init=nn.initialisers.Orthogonal(gain))
        self.tolerance, self.most, self.steps = tolerance, most, 0

    def forward(self, X):
        """H after as many passes as it needs."""
        drive = self.into(X)  # (n, d) -> (n, size)
        H = xp.zeros_like(drive)
        for step in range(1, self.most + 1):
            new = xp.tanh(drive + self.again(H))  # (n, size)
            change = xp.max(xp.linalg.vector_norm(xp.stop_gradient(new - H), axis=1))  # (n,) -> ()
            H, self.steps = new, step
            if float(change) <= self.tolerance:
                break
        return H


def bound_on_steps(size, gain, tolerance):
    """The largest number of passes that the theory allows."""
    return math.ceil(math.log(tolerance / math.sqrt(size)) / math.log(gain)) + 1


# %%
if __name__ == "__main__":
    passes = {}
    for gain in (0.5, 0.9):
        block = Settle(8, gain).initialise(X, seed=0)
        block(X)
        passes[gain] = block.steps
        print(f"gain {gain}: the theory allows {bound_on_steps(8, gain, 1e-4)}")
    report(steps_half=passes[0.5], steps_high=passes[0.9])

# %% [markdown]
# At $\gamma = 0.5$ it took 13<!--lesson.steps_half--> passes where 16 are allowed, at 0.9 it took
# 55<!--lesson.steps_high--> where 99 are: the bound assumes that the slope of tanh is 1, and nearly everywhere it is
# less. Is the gradient of the shared weight the sum that we derived? We unroll the same passes with a separate copy
# of `again` for each and add up what the copies receive.


# %%
class Unrolled(nn.Module):
    """The passes of a `Settle` with a copy of its repeated layer for each."""

    def __init__(self, block):
        super().__init__()
        self.into = block.into.clone()
        self.copies = nn.ModuleList(block.again.clone() for _ in range(block.steps))

    def forward(self, X):
        """H after the last copy."""
        drive = self.into(X)  # (n, d) -> (n, size)
        H = xp.zeros_like(drive)
        for layer in self.copies:
            H = xp.tanh(drive + layer(H))  # (n, size)
        return H


def mean_square(model, X):
    """A scalar to differentiate."""
    return xp.mean(xp.square(model(X)))


# %%
if __name__ == "__main__":
    block = Settle(8).initialise(X, seed=0)
    _, shared = value_and_grad(lambda X: mean_square(block, X), block)(X)
    unrolled = Unrolled(block)
    _, apart = value_and_grad(lambda X: mean_square(unrolled, X), unrolled)(X)
    total = sum(gradient for path, gradient in apart.items() if path.startswith("copies."))  # (8, 8)
    report(gap_shared=xp.max(xp.abs(shared["again.weight"] - total)) / xp.max(xp.abs(total)))

# %% [markdown]
# ## Blocks in blocks, and a look inside
#
# Thirty blocks in a row, each an affine map to 16 numbers followed by tanh: does anything of the input arrive at the
# end? He and others (2016) put a detour around each block $g$, $\mathbf{x} \mapsto \mathbf{x} + g(\mathbf{x})$. The
# matrix of derivatives is then $\mathbf{I} + J_g$ instead of $J_g$: where a product of thirty small $J_g$ vanishes, the
# product of the $\mathbf{I} + J_g$ does not. As a module, the detour is three lines around any other module.
#
# To see the sizes we need no change of the model. A *hook* is a function that the engine calls after each call of a
# module, with its inputs and its output. What it returns, if anything, takes the output's place; ours only notes.


# %%
class Residual(nn.Module):
    """x + inner(x), for an inner module that keeps the shape."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, X):
        """The input and what the inner module adds to it."""
        return X + self.inner(X)


def stack(depth, size=16, std=0.1, wrap=lambda block: block):
    """`depth` blocks of an affine map and tanh, each in what `wrap` puts around it."""
    init = nn.initialisers.Normal(std)
    blocks = [wrap(nn.Sequential(nn.Linear(size, weight_init=init), nn.Tanh())) for _ in range(depth)]
    return nn.Sequential(nn.Linear(size), *blocks)


def sizes_inside(model, X):
    """The root mean square of the output of each stage of `model`, in order."""
    found = []

    def note(module, inputs, output):
        found.append(float(xp.sqrt(xp.mean(xp.square(output)))))

    handles = [stage.register_forward_hook(note) for stage in model]
    model(X)
    for handle in handles:
        handle.remove()
    return found


@house_style
def plot_sizes(curves):
    """Sizes of outputs against depth, one line for each named list."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    for i, (name, sizes) in enumerate(curves.items()):
        axes.semilogy(range(len(sizes)), sizes, marker="os"[i], markersize=4, label=name)
    axes.axhline(1.0, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="block", ylabel="root mean square of its output")
    axes.legend()
    return figure


# %%
DEPTH = 30  # blocks

if __name__ == "__main__":
    plain, detour = (stack(DEPTH, wrap=wrap).initialise(X, seed=0) for wrap in (lambda block: block, Residual))
    curves = {"plain": sizes_inside(plain, X), "with detours": sizes_inside(detour, X)}
    report(fades=curves["plain"][min(10, DEPTH)], faded=curves["plain"][-1], lives=curves["with detours"][-1])

# %%
if __name__ == "__main__":
    plot_sizes(curves)

# %% [markdown]
# Both stacks begin with the same numbers. Behind ten plain blocks 0.00006<!--lesson.fades--> is left, behind thirty
# $1.1 \cdot 10^{-12}$<!--lesson.faded-->: each block multiplies the size by about $0.1\sqrt{16} = 0.4$, the standard
# deviation of its weights times the root of the number of inputs. With detours the last output has the size
# 2.60<!--lesson.lives-->. What a block contributes is small here too, but it is added to the signal instead
# of replacing it.

# %% [markdown]
# ## What goes wrong
#
# **A part that the tree does not see.** A plain Python list is no module. Its layers compute, the output looks right,
# and yet they have no paths: no optimiser moves them, no file contains them.


# %%
class Forgetful(nn.Module):
    """Keeps its layers in a Python list."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(8), nn.Linear(1)]

    def forward(self, X):
        """The output of the last layer."""
        for layer in self.layers:
            X = layer(X)
        return X


# %%
if __name__ == "__main__":
    model = Forgetful()
    print(tuple(model(X).shape))
    report(forgotten=len(model.parameters()))

# %% [markdown]
# It has 0<!--lesson.forgotten--> parameters as far as anybody can see. Our `Node` would be blind in the same way. Use
# `ModuleList` or `ModuleDict`, and look at the count before the training.
#
# **A decision that depends on numbers, in compiled code.** A compiled step runs its Python once, to write down the
# operations, and afterwards only these. A loop over thirty blocks is written down as thirty blocks; but when Python
# asks whether the change is small, there may be no number yet to answer.

# %%
if __name__ == "__main__":
    block = Settle(8).initialise(X, seed=0)
    fast = compiled(lambda X: mean_square(block, X), list(block.variables().values()))
    try:
        print(float(fast(X)), "after", block.steps, "passes")
    except Exception as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0]}")

# %% [markdown]
# Whether you see a number or an error depends on the backend, as the next section tells. What works everywhere is a
# number of passes that does not depend on data, `cond` for decisions and `while_loop` for loops without gradients,
# all of them in `d2l_core.autodiff`.
#
# ## Under the surface
#
# All frameworks have this tree, under the names `torch.nn.Module`, `flax.nnx.Module`, `keras.Layer` and
# `gluon.Block`, and all collect parts by catching assignments, as `Node` does. They differ in what they do with a
# list: PyTorch and Gluon overlook its layers (Gluon warns), Keras wraps the list so that it is tracked, and Flax
# (0.12) refuses it until one says what is meant, with `nnx.List` for example. They differ in the call: PyTorch and
# Gluon run hooks around `forward`, as here; Keras calls it `call` and has no hooks. And they differ about numbers in
# decisions. NumPy computes at once and always has an answer; on PyTorch and MXNet our engine falls back to computing
# at once; JAX and a TensorFlow function trace with placeholders, and asking one of these for its value is an error.
#
# ## Summary
#
# A module has parameters, parts and a rule; parts make it a tree, and the tree gives every parameter a path. Parts
# must be assigned as attributes or kept in the library's containers, or the tree does not see them. A part used in
# several places has one set of parameters, whose gradient is the sum over the uses. Hooks let one look at a model
# without changing it.
#
# ## Exercises
#
# Solutions are in `layers_and_modules_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise layers-and-modules` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Side by side.* Write a module `Parallel(*branches)` that gives the same input to all its branches and joins
#    their outputs along the last axis. All parameters must be found.
# 2. ★ *Who is called how often?* Write `call_counts(model, X)`, a dictionary from the path of each module of the tree
#    to the number of its calls when `model(X)` is computed, with hooks that are gone afterwards.
# 3. *A gate.* A block of Srivastava, Greff and Schmidhuber (2015) mixes: $\mathbf{t} \odot g(\mathbf{x}) +
#    (1 - \mathbf{t}) \odot \mathbf{x}$ with $\mathbf{t} = \sigma(\mathbf{x}\mathbf{V}^\top + \mathbf{c})$. Put it
#    around the blocks of the experiment, with $\mathbf{c} = -2$. What do you expect behind thirty blocks?
# 4. *No fixed point.* Let $\gamma = 3$ in `Settle`. Does it still end? Follow the changes of a single row.
# 5. *Twice the same.* What is the derivative of $f(f(x))$ for $f(x) = wx$ with respect to $w$, by the sum over both
#    uses?
#
# ## References
#
# - L. Bottou and P. Gallinari (1991), *A Framework for the Cooperation of Learning Algorithms*, NIPS 3.
# - R. K. Srivastava, K. Greff and J. Schmidhuber (2015), *Highway Networks*, arXiv:1505.00387.
# - K. He, X. Zhang, S. Ren and J. Sun (2016), *Deep Residual Learning for Image Recognition*, CVPR.
# - S. Bai, J. Z. Kolter and V. Koltun (2019), *Deep Equilibrium Models*, NeurIPS.
