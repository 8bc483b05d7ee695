# /// lesson
# name = "parameters"
# title = "Parameters"
# sections = ["6.2"]
# needs = ["layers-and-modules"]
# data = ["time-machine"]
# [time]
# smoke = "5 s"
# standard = "10 s"
# full = "10 s"
# [promises]
# full = [
#   "lesson: gap_gradient <= 1e-6", "lesson: gap_copies <= 1e-5", "lesson: loss_separate <= 2.28",
#   "lesson: loss_tied <= 2.285", "lesson: loss_frozen <= 2.29", "lesson: loss_symmetric >= 2.7",
#   "lesson: moved_late <= 0", "lesson: numbers_tied <= 731",
# ]
# ///

# %% [markdown]
# # Parameters
#
# A piano has 88 keys and some 230 strings: most notes are sounded by two or three strings in unison. Who tunes it
# must reach every single string, leave those alone that are right, and keep the strings of one note together. With a
# model we want the same three things: to reach a parameter by its name, to take it out of the training (to *freeze*
# it), and to let several places use one and the same (to *tie* them).
#
# The model of this lesson guesses the next letter of a novel from the present one. It is so small that we can see
# all that matters in a table of 27 rows, and large enough that tying saves more than a third of it.

# %%
import itertools

import numpy as np

from d2l_core import nn, optim, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.data import clean, load_time_machine
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import log_softmax, softmax
from d2l_core.plots import Diagram, house_style

# %% [markdown]
# ## The idea
#
# Each letter has a row of 16 numbers in a table, its *embedding*. A hidden layer turns the row of the present letter
# into 16 other numbers, and each letter gets a score: the product of these numbers with a row of weights of its own.
# So there are two tables with a row for each letter, one to read from and one to compare with. Press and Wolf (2017)
# found that language models do as well or better if both are one table: what makes two letters alike as neighbours
# on the left makes them alike in other ways, too.


# %%
def diagram_letters(tied=True):
    """The letter model; dashed, the table that both ends share."""
    picture = Diagram(640, 190, "the letter model with one table at both ends")
    shapes = []
    for i, (label, caption) in enumerate(
        (("letter", "(27,)"), ("Embedding", "(27, 16)"), ("Linear, tanh", "(27, 16)"), ("Linear", "(27, 27)"))
    ):
        shapes.append(picture.box(10 + 158 * i, 15, 124, 38, label, caption))
    for start, end in itertools.pairwise(shapes):
        picture.arrow(start, end)
    if tied:
        table = picture.box(250, 130, 140, 38, "one table (27, 16)")
        picture.arrow(table, (230, 76), dashed=True)
        picture.arrow(table, (546, 76), dashed=True)
    return picture


# %%
if __name__ == "__main__":
    diagram_letters()

# %% [markdown]
# ## The mathematics
#
# Let $p_{ij}$ be the share of the pair (letter $i$, then letter $j$) among all pairs of neighbours in the text. The
# model scores with
#
# $$\mathbf{h}_i = \tanh(\mathbf{A}\mathbf{e}_i + \mathbf{a}), \qquad
#   \mathbf{o}_i = \mathbf{S}\mathbf{h}_i + \mathbf{c},$$
#
# where $\mathbf{e}_i$ (m,) is row $i$ of the table $\mathbf{E}$ (k, m), $\mathbf{A}$ is (m, m), $\mathbf{S}$ (k, m),
# $\mathbf{a}$ (m,) and $\mathbf{c}$ (k,), for $k = 27$ letters (the space is one) and $m = 16$. The mean
# cross-entropy over all pairs of the text is
#
# $$L = -\sum_{i,j} p_{ij} \log \operatorname{softmax}(\mathbf{o}_i)_j .$$
#
# There are only 27 different inputs, so one pass over 27 rows gives the loss of the whole book, exactly.
#
# **Counting.** A table of $k$ rows has $km$ numbers, an affine map from $m$ to $k$ has $k(m + 1)$. Together,
# $27 \cdot 16 + 16 \cdot 17 + 27 \cdot 17 = 1163$, and $432$ fewer if $\mathbf{S} = \mathbf{E}$. A number in float32
# takes four bytes, and in training it has company: a gradient of its size and, with Adam (Kingma and Ba, 2015), two
# running means. That is 16 bytes for each trainable number and 4 for each frozen one; for a model of seven billion,
# 112 gigabytes or 28.
#
# **The gradient of a tied table.** Let $\mathbf{G}$ (k, k) be the derivative of $L$ with respect to the scores,
# $G_{ij} = p_i \operatorname{softmax}(\mathbf{o}_i)_j - p_{ij}$ with $p_i = \sum_j p_{ij}$, and let $\mathbf{H}$
# (k, m) hold the $\mathbf{h}_i$ in its rows. As a table to compare with, $\mathbf{S}$ receives
# $\mathbf{G}^\top\mathbf{H}$. As a table to read from, $\mathbf{E}$ receives what comes back through tanh, whose
# slope is $1 - h^2$, and through $\mathbf{A}$. If both are one, it receives the sum, as the
# [lesson on modules](layers_and_modules.py) derived:
#
# $$\frac{\partial L}{\partial \mathbf{E}} = \mathbf{G}^\top\mathbf{H}
#   + \big(\mathbf{G}\mathbf{E} \odot (1 - \mathbf{H} \odot \mathbf{H})\big)\mathbf{A},
#   \qquad \text{both (k, m)} .$$

# %% [markdown]
# ## Reaching a parameter


# %%
ALPHABET = " abcdefghijklmnopqrstuvwxyz"


def pair_frequencies():
    """The share of each pair of neighbouring characters in The Time Machine: (27, 27), adding up to 1."""
    letters = np.array([ALPHABET.index(letter) for letter in clean(load_time_machine())])  # (173428,)
    counts = np.zeros((27, 27))
    np.add.at(counts, (letters[:-1], letters[1:]), 1.0)
    return counts / counts.sum()


class LetterModel(nn.Module):
    """Scores for the letter that follows: (n,) integers to (n, 27).

    `mix` is for the hidden layer, `tied` for one table at both ends.
    """

    def __init__(self, size=16, mix=True, tied=False):
        super().__init__()
        self.embedding = nn.Embedding(27, size, weight_init=nn.initialisers.Normal(0.3))
        self.mix = nn.Sequential(nn.Linear(size, size), nn.Tanh()) if mix else nn.Sequential()
        self.scores = nn.Linear(27, size)
        if tied:
            self.scores.weight = self.embedding.get("weight")

    def forward(self, letters):
        """Scores of all 27 letters for each."""
        return self.scores(self.mix(self.embedding(letters)))  # (n,) -> (n, size) -> (n, 27)


LETTERS = np.arange(27, dtype=np.int32)

# %% [markdown]
# An attribute gives the value, a tensor: `model.scores.weight`. `get` gives the `Parameter` itself, which has a
# shape, a value that one may replace and the switch `trainable`. `parameters()` lists all of them by path. Paths are
# the same on every backend, so they serve as names in files, in messages and in the settings of an optimiser.

# %%
if __name__ == "__main__":
    letters = xp.asarray(LETTERS)
    model = LetterModel().initialise(letters, seed=0)
    for path, parameter in model.parameters().items():
        print(f"{path:18} {parameter.shape!s:10} {'trained' if parameter.trainable else 'frozen'}")
    print(model.get("scores.bias").value[:3])
    model.get("scores.bias").assign(np.log(pair_frequencies().sum(axis=0)))
    print(model.scores.bias[:3])

# %% [markdown]
# The last lines gave one parameter values of our own: the logarithms of the frequencies of the letters, so that the
# model starts from what counting letters tells. `summary` runs a copy of the model once and tells shapes, counts and
# cost.

# %%
if __name__ == "__main__":
    print(nn.summary(LetterModel(tied=True), letters))
    report(
        numbers_separate=nn.summary(LetterModel(), letters).parameters,
        numbers_tied=nn.summary(LetterModel(tied=True), letters).parameters,
    )

# %% [markdown]
# The tied model has 731<!--lesson.numbers_tied--> numbers instead of 1,163<!--lesson.numbers_separate-->, as counted
# above; the summary says where the second table went.
#
# ## From scratch
#
# Is the formula for the tied table right? And can tying be had without the library? Yes: keep two tables, give both
# the *sum* of their gradients, and take the same step with both. Tables that start equal stay equal.


# %%
def bigram_loss(model, frequencies):
    """The mean cross-entropy of the next letter in nats, over all pairs at once; frequencies (27, 27)."""
    return -xp.sum(frequencies * log_softmax(model(xp.asarray(LETTERS))))  # (27, 27) -> ()


def tied_gradient_by_hand(model, frequencies):
    """The formula of the text for a tied `LetterModel` with a hidden layer: (27, m)."""
    E, A = model.embedding.weight, model.mix[0].weight  # (27, m), (m, m)
    H = model.mix(E)  # (27, m)
    share = xp.sum(frequencies, axis=1, keepdims=True)  # (27, 1)
    G = share * softmax(model.scores(H)) - frequencies  # (27, 27)
    reading = xp.matmul(xp.matmul(G, E) * (1.0 - xp.square(H)), A)  # (27, m)
    return xp.matmul(xp.matrix_transpose(G), H) + reading  # (27, m)


def train_by_hand(model, frequencies, steps, lr, together=()):
    """Gradient descent; the parameters whose paths are in `together` all take the sum of their gradients."""
    gradient_of = value_and_grad(lambda: bigram_loss(model, frequencies), model)
    for _ in range(steps):
        _, gradients = gradient_of()
        if together:
            total = sum(gradients[path] for path in together)
            gradients |= dict.fromkeys(together, total)
        for path, parameter in model.parameters().items():
            if parameter.trainable:
                parameter.value = parameter.value - lr * gradients[path]
    return model


# %%
if __name__ == "__main__":
    frequencies = xp.asarray(pair_frequencies(), dtype=xp.float_dtype())
    tied = LetterModel(tied=True).initialise(letters, seed=0)
    _, automatic = value_and_grad(lambda: bigram_loss(tied, frequencies), tied)()
    by_hand = tied_gradient_by_hand(tied, frequencies)
    report(gap_gradient=xp.max(xp.abs(automatic["embedding.weight"] - by_hand)))

    copies = LetterModel().initialise(letters, seed=0)
    copies.load_state_dict(tied.state_dict() | {"scores.weight": tied.embedding.weight})
    steps = 3 if scale() == "smoke" else 30
    train_by_hand(copies, frequencies, steps, 1.0, together=("embedding.weight", "scores.weight"))
    train_by_hand(tied, frequencies, steps, 1.0)
    report(gap_copies=xp.max(xp.abs(copies.scores.weight - tied.embedding.weight)))
    assert xp.all(copies.scores.weight == copies.embedding.weight)

# %% [markdown]
# ## With the library: separate, tied, frozen
#
# Tying is the assignment of a `Parameter` to a second place, as in `LetterModel`. Freezing is
# `model.embedding.freeze()`: no gradient is computed for the part, and an optimiser made afterwards keeps no running
# means for it. We train four models with Adam; in the third the table stays at its random numbers.


# %%
def train(model, frequencies, steps=300, lr=0.03, groups=()):
    """Adam on the loss of the whole text, with settings of their own for `groups`; returns the last loss."""
    optimiser = optim.Adam(model, lr=lr, groups=groups)
    gradient_of = value_and_grad(lambda frequencies: bigram_loss(model, frequencies), model)

    def step(frequencies):
        loss, gradients = gradient_of(frequencies)
        optimiser.update(gradients)
        return loss

    run = compiled(step, [*model.variables().values(), *optimiser.slots.values()])
    for _ in range(steps):
        loss = run(frequencies)
    return float(loss)


def probability(model, first, second):
    """What the model thinks of `second` behind `first`."""
    row = softmax(model(xp.asarray(LETTERS)))[ALPHABET.index(first)]  # (27, 27) -> (27,)
    return float(row[ALPHABET.index(second)])


def bounds(p):
    """Entropy of a letter by itself, and given the letter before, in nats, from frequencies of pairs (27, 27)."""
    alone, given = p.sum(axis=0), p / p.sum(axis=1, keepdims=True)
    seen = p > 0
    return -np.sum(alone * np.log(alone)), -np.sum(p[seen] * np.log(given[seen]))


# %%
if __name__ == "__main__":
    alone, given = bounds(pair_frequencies())
    report(entropy_alone=alone, entropy_given=given)
    models = {
        "separate": LetterModel(),
        "tied": LetterModel(tied=True),
        "frozen": LetterModel(),
        "symmetric": LetterModel(mix=False, tied=True),
    }
    models["frozen"].embedding.freeze()
    steps, losses = 30 if scale() == "smoke" else 300, {}
    for name, model in models.items():
        losses[name] = train(model.initialise(letters, seed=0), frequencies, steps)
        trained = nn.summary(model, letters).trainable
        print(f"{name}: {trained} trained numbers; u behind q: {probability(model, 'q', 'u'):.3f}")
    report(loss_separate=losses["separate"], loss_tied=losses["tied"])
    report(loss_frozen=losses["frozen"], loss_symmetric=losses["symmetric"])

# %% [markdown]
# Who knows only how frequent each letter is pays 2.827<!--lesson.entropy_alone--> nats a letter; no model that sees one
# letter can do better than 2.271<!--lesson.entropy_given--> on this book. (Shannon, 1951, has 4.03 and 3.32 bits for
# English in 27 letters, which is 2.79 and 2.30 nats.) With two tables we come to 2.274<!--lesson.loss_separate-->, with
# one to 2.278<!--lesson.loss_tied-->: 432 numbers fewer cost next to nothing. With a frozen random table, which also
# leaves 731 numbers to train, it is 2.280<!--lesson.loss_frozen-->. Random rows in 16 dimensions differ enough to be
# told apart, and the layers behind them do the rest.
#
# ## What goes wrong
#
# **Tied too closely.** The fourth model has one table and no hidden layer, and ends at
# 2.754<!--lesson.loss_symmetric-->, hardly better than no context at all. Its scores are
# $o_{ij} = \mathbf{e}_i^\top\mathbf{e}_j + c_j$, and the product does not know which letter came first: apart from
# $c_j$, "u behind q" gets the score of "q behind u". In the book q is always followed by u and u never by q. The
# hidden layer of the other models is what lets one table play two parts. The right picture shows the damage; the marks
# are "u behind q" and "q behind u".


# %%
@house_style
def plot_tables(models):
    """The learned probabilities (27, 27) of several models, by name, as pictures; the shade is their square root."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(models), figsize=(4.2 * len(models), 4.0), squeeze=False)
    for axes, (name, model) in zip(panels[0], models.items(), strict=True):
        axes.imshow(np.sqrt(xp.to_numpy(softmax(model(xp.asarray(LETTERS))))), vmin=0.0, vmax=1.0)
        q, u = ALPHABET.index("q"), ALPHABET.index("u")
        axes.plot([u, q], [q, u], linestyle="none", marker="s", markersize=10, markeredgewidth=2, mfc="none", mec="C1")
        axes.set(title=name, xlabel="next letter", ylabel="letter")
        axes.set_xticks(range(27), ALPHABET.replace(" ", "_"), fontsize=7)
        axes.set_yticks(range(27), ALPHABET.replace(" ", "_"), fontsize=7)
    return figure


# %%
if __name__ == "__main__":
    plot_tables({name: models[name] for name in ("tied", "symmetric")})

# %% [markdown]
# **Copied instead of tied.** `scores.weight = embedding.weight` reads a *value* and writes it elsewhere. The two
# agree, until the first step.

# %%
if __name__ == "__main__":
    copied = LetterModel().initialise(letters, seed=0)
    copied.scores.weight = copied.embedding.weight
    before = xp.max(xp.abs(copied.scores.weight - copied.embedding.weight))
    train_by_hand(copied, frequencies, 1, 1.0)
    report(apart_before=before, apart_after=xp.max(xp.abs(copied.scores.weight - copied.embedding.weight)))

# %% [markdown]
# Before the step they differ by 0<!--lesson.apart_before-->, afterwards by 0.04<!--lesson.apart_after-->. What shows
# the mistake at once is the count of the parameters.
#
# **Thawed too late.** An optimiser takes the parameters that are trainable when it is made. One that is unfrozen
# later gets gradients, and nobody to apply them.

# %%
if __name__ == "__main__":
    late = LetterModel().initialise(letters, seed=0)
    start = late.embedding.freeze().state_dict()["weight"]
    optimiser = optim.Adam(late, lr=0.03)
    late.embedding.unfreeze()
    for _ in range(3):
        _, gradients = value_and_grad(lambda: bigram_loss(late, frequencies), late)()
        optimiser.update(gradients)
    print("a gradient is there:", "embedding.weight" in gradients)
    report(moved_late=np.abs(xp.to_numpy(late.embedding.weight) - start).max())

# %% [markdown]
# After three steps the table has moved by 0<!--lesson.moved_late-->. Make a new optimiser after a change of what is
# trained.
#
# ## Under the surface
#
# PyTorch has the switch `requires_grad` on each parameter, Keras `trainable` on each layer and variable, Gluon
# `grad_req`, and Flax none: `nnx.Optimizer` is told by a filter, `wrt`, which variables it trains. A frozen PyTorch
# parameter with weight decay in an old optimiser stays once its gradient has been set to `None`, the default of
# `zero_grad`; one whose gradient is set to zero instead *shrinks*.
# PyTorch and Flax list a tied parameter once among the parameters; but PyTorch's `state_dict` has it under both
# names, and safetensors refuses to write two names for one memory. We save it once, under its first path, and accept
# either on loading. In JAX a plain dictionary of arrays cannot be tied at all: a gradient with respect to two entries
# is two gradients, which one must add, as we did by hand.
#
# ## Summary
#
# Every parameter has a path, by which it can be reached, replaced, frozen and counted. Tied parameters are one
# parameter in several places: they are counted and saved once, and receive the sum of the gradients. Freezing takes
# a parameter out of the training and saves three quarters of its memory under Adam. Assigning a value copies;
# assigning a `Parameter` ties.
#
# ## Exercises
#
# Solutions are in `parameters_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise parameters` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *A running mean of models.* The average over the last steps of a training is often better than the last step
#    (Polyak and Juditsky, 1992). Write `move_average(average, model, decay)`, which moves each parameter of one model
#    towards that of another.
# 2. ★ *Memory.* Write `training_bytes(model, slots)`: the memory for values, gradients and `slots` further numbers
#    for each trained number.
# 3. *How free is a table?* In the symmetric model, replace $\mathbf{E}$ by $\mathbf{E}\mathbf{Q}$ with an orthogonal
#    $\mathbf{Q}$ (m, m). What changes? How many of the 459 numbers are left that make a difference?
# 4. *Thaw.* Train with a frozen table for 100 steps, then thaw it and train all for 200 more, the table at a tenth of
#    the learning rate. Compare with 300 steps of everything.
#
# ## References
#
# - C. E. Shannon (1951), *Prediction and Entropy of Printed English*, Bell System Technical Journal 30.
# - B. T. Polyak and A. B. Juditsky (1992), *Acceleration of Stochastic Approximation by Averaging*, SIAM Journal on
#   Control and Optimization 30.
# - D. P. Kingma and J. Ba (2015), *Adam: A Method for Stochastic Optimization*, ICLR.
# - O. Press and L. Wolf (2017), *Using the Output Embedding to Improve Language Models*, EACL.
