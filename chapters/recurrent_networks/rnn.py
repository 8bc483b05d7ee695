# /// lesson
# name = "rnn"
# title = "A recurrent network that writes"
# sections = ["9.5", "9.6"]
# needs = ["softmax-regression"]
# data = ["time-machine"]
# main = "concise"
# [time]
# smoke = "5 s"
# standard = "1 min"
# full = "2 min"
# [promises]
# full = [
#   "scratch: val_ppl <= 7.48", "concise: val_ppl <= 7.385",
#   "lesson: gap <= 1e-3", "lesson: gradient_gap <= 1e-6", "lesson: moved <= 1e-6",
# ]
# ///

# %% [markdown]
# # A recurrent network that writes
#
# You type "see you tomor" and the telephone offers "row". It guesses what comes next, letter by letter, and a
# good guess needs memory: after "q" almost always comes "u", but what follows "tomor" depends on five letters,
# and whether "he" or "she" goes on, on a sentence far back.
#
# The networks of the lessons before take an input of fixed size; a text has none. Here a network reads one
# character at a time, keeps notes in a vector, and says each time how probable each next character is. Having
# learned that from H. G. Wells' *The Time Machine*, it writes.

# %%
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from d2l_core import nn, optim, xp
from d2l_core.autodiff import compiled, value_and_grad
from d2l_core.data import Loader, Vocabulary, clean, load_time_machine, tokenise, windows
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import cross_entropy, log_softmax, one_hot
from d2l_core.plots import INK, house_style
from d2l_core.random import permutation
from d2l_core.training import Data, Observer

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## The idea
#
# The vector of notes is the *hidden state*. At each step the network computes a new state from the old one and
# the character that has just arrived, and from the state a score for each possible next character, always with
# the same weights: what "th" says about the next letter does not depend on the page.
#
# To differentiate the loop on the left we draw each step of a given text once, as on the right: a deep network
# with as many layers as steps, all of which share their weights.


# %%
@house_style
def plot_idea():
    """The network with its loop, and unrolled over the four characters of "time"."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 3.4))
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 14, "shrinkB": 14}
    back = {"arrowstyle": "-|>", "color": "C1", "linestyle": "--", "connectionstyle": "arc3,rad=-0.3"}
    columns = [(0.0, "$x_t$", "$h_t$", "$o_t$", "")]
    for t, (character, target) in enumerate(zip("time", ["i", "m", "e", "space"], strict=True), 1):
        columns.append((1.2 + 1.3 * t, f"{character}", f"$h_{t}$", f"$o_{t}$", target))
    for x, below, state, above, target in columns:
        for y, label, edge in ((0, below, INK), (1, state, "C0"), (2, above, INK)):
            axes.text(
                x,
                y,
                label,
                ha="center",
                va="center",
                fontsize=12,
                bbox={"boxstyle": "circle", "fc": "none", "ec": edge},
            )
        for y, name in ((0, r"$W_{ih}$"), (1, r"$W_o$")):
            axes.annotate("", (x, y + 1), (x, y), arrowprops=arrow)
            axes.text(x + 0.06, y + 0.5, name, fontsize=10, va="center")
        if target:
            axes.text(x, 2.55, f"target: {target}", ha="center", fontsize=10)
    for left, right in pairwise(columns[1:]):
        axes.annotate("", (right[0], 1), (left[0], 1), arrowprops=arrow)
        axes.text((left[0] + right[0]) / 2, 1.1, r"$W_{hh}$", ha="center", fontsize=10)
        axes.annotate("", (left[0] + 0.15, 0.8), (right[0] - 0.15, 0.8), arrowprops=back | {"shrinkA": 0, "shrinkB": 0})
    loop = arrow | {"connectionstyle": "arc3,rad=1.8", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (-0.13, 0.85), (-0.13, 1.15), arrowprops=loop)
    axes.text(-0.5, 1, r"$W_{hh}$", ha="right", va="center", fontsize=10)
    axes.text(1.2, 1, "unrolled:", ha="center", va="center", fontsize=11, style="italic")
    axes.text(4.45, -0.55, "dashed: the way of the gradient", ha="center", fontsize=9, color=INK)
    axes.set(xlim=(-1.3, 7.1), ylim=(-0.7, 2.8))
    axes.axis("off")
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# Let $V = 28$ be the number of characters, $H = 32$ the size of the state, $N$ the number of texts read side by
# side and $T = 32$ the number of steps. The characters of step $t$ are rows with a single one,
# $\mathbf{X}_t \in \mathbb{R}^{N \times V}$, and the states are the rows of
# $\mathbf{H}_t \in \mathbb{R}^{N \times H}$, with $\mathbf{H}_0 = 0$. The network of Elman (1990), used for
# language by Mikolov and others (2010), is
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{ih}^\top + \mathbf{b}_{ih}
#   + \mathbf{H}_{t-1} \mathbf{W}_{hh}^\top + \mathbf{b}_{hh}), \qquad
#   \mathbf{O}_t = \mathbf{H}_t \mathbf{W}_o^\top + \mathbf{b}_o ,$$
#
# with $\mathbf{W}_{ih}$ of shape $(H, V)$, $\mathbf{W}_{hh}$ $(H, H)$, $\mathbf{W}_o$ $(V, H)$, biases of the
# lengths $H$, $H$ and $V$, and the logits $\mathbf{O}_t$ $(N, V)$. No shape contains $T$: our 2,908 numbers
# serve a text of any length.
#
# **The loss.** By the definition of conditional probability a text has the probability
# $p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})$; that 32 numbers can stand for all that came
# before is an assumption. The softmax of $\mathbf{O}_t$ is our estimate of one factor, and with $x_{n,t}$,
# character $t$ of text $n$, the loss is the mean negative logarithm, in nats per character,
#
# $$L = -\frac{1}{N T} \sum_{n, t} \log p(x_{n, t+1} \mid x_{n, 1}, \dots, x_{n, t}) .$$
#
# **Perplexity.** The exponential $e^L$ (Jelinek and others, 1977) is one over the geometric mean of the
# probabilities that the right characters were given. A model that hesitates between $k$ equally probable
# characters has the perplexity $k$, a perfect prophet 1, one that knows nothing 28, and one that is sure of the
# wrong character more.
#
# **Backpropagation through time** (Werbos, 1990). Take one text, so that $\mathbf{h}_t \in \mathbb{R}^H$ and
# $\mathbf{x}_t \in \mathbb{R}^V$ are columns. A change of $\mathbf{h}_{t-1}$ reaches $\mathbf{h}_t$ through
# $\mathbf{W}_{hh}$ and the slope of tanh, which is $1 - \tanh^2$:
#
# $$\frac{\partial \mathbf{h}_t}{\partial \mathbf{h}_{t-1}} = \mathbf{D}_t \mathbf{W}_{hh}, \qquad
#   \mathbf{D}_t = \operatorname{diag}(1 - \mathbf{h}_t^2) ,$$
#
# both of shape $(H, H)$, the square taken element by element. Let $\mathbf{u}_t$ be the gradient that arrives
# at $\mathbf{h}_t$ directly from its own output, and $\boldsymbol\delta_t$ the whole gradient in front of the
# tanh, both in $\mathbb{R}^H$. From the last step to the first,
#
# $$\boldsymbol\delta_t = \mathbf{D}_t (\mathbf{u}_t + \mathbf{W}_{hh}^\top \boldsymbol\delta_{t+1}), \qquad
#   \frac{\partial L}{\partial \mathbf{W}_{hh}} = \sum_{t=1}^T \boldsymbol\delta_t \mathbf{h}_{t-1}^\top, \qquad
#   \frac{\partial L}{\partial \mathbf{W}_{ih}} = \sum_{t=1}^T \boldsymbol\delta_t \mathbf{x}_t^\top ,$$
#
# with $\boldsymbol\delta_{T+1} = 0$. A shared weight is used $T$ times and gets a part of its gradient from
# each use.
#
# **Why it vanishes or explodes** (Bengio, Simard and Frasconi, 1994). A loss at step $T$ depends on an earlier
# state through a product of Jacobians,
#
# $$\frac{\partial \mathbf{h}_T}{\partial \mathbf{h}_t} = \mathbf{D}_T \mathbf{W}_{hh} \mathbf{D}_{T-1} \mathbf{W}_{hh}
#   \cdots \mathbf{D}_{t+1} \mathbf{W}_{hh} .$$
#
# The entries of $\mathbf{D}_t$ lie between 0 and 1. If $\sigma$ is the largest singular value of
# $\mathbf{W}_{hh}$, the norm of the product is at most $\sigma^{T-t}$: with $\sigma < 1$ it *must* fade
# exponentially. With $\sigma > 1$ it *may* grow; around $\mathbf{h} = 0$, where the slopes are 1, the *spectral
# radius* $\rho$ decides, the largest modulus of an eigenvalue, since powers of a matrix grow as $\rho^{T-t}$.
# Our initial weights are uniform in $\pm 1/\sqrt{H}$, with the variance $1/(3H)$. For large $H$ the eigenvalues
# of such a matrix fill a disc of radius $\sqrt{1/3} = 0.58$ (the circular law), so at the start the gradient
# loses nearly half its length with each step back.
#
# **Clipping** (Pascanu, Mikolov and Bengio, 2013) helps against the second. Let $g$ be the norm of *all*
# gradients together, as one long vector. If $g$ exceeds a limit $\theta$, multiply them all by $\theta / g$:
# with the learning rate $\eta$ the step keeps its direction and has at most the length $\eta \theta$.

# %% [markdown]
# ## The data
#
# With the 26 letters in lower case and one space for everything else *The Time Machine* is
# 173,428<!--lesson.characters @torch--> characters long. With `<unk>`, number 0, for what is not known, there are 28
# characters, numbered by their frequency.
#
# A training example is a window of 32 characters; its target is the window one place further on, so that the
# network is asked at each place. Windows begin at every character; the first 10,000 are for training, the next
# 5,000 for validation.

# %%
NUM_STEPS = 32


def time_machine(num_steps=NUM_STEPS):
    """All windows of the cleaned text with their continuations, (n, num_steps) each, and the vocabulary."""
    tokens = tokenise(clean(load_time_machine()))
    vocabulary = Vocabulary(tokens)
    X, y = windows(np.asarray(vocabulary[tokens], dtype=np.int32), num_steps)
    return X, y, vocabulary


def text_windows(scale, seed, batch_size=1024):
    """The first 10,000 windows for training and the next 5,000 for validation; fewer at smoke scale."""
    X, y, _ = time_machine()
    num_train, num_val = (512, 256) if scale == "smoke" else (10000, 5000)
    train, val = slice(num_train), slice(num_train, num_train + num_val)
    return Data(
        Loader((X[train], y[train]), batch_size, shuffle=True, stream=(seed, "shuffle")),
        Loader((X[val], y[val]), batch_size),
    )


# %%
if __name__ == "__main__":
    X, y, vocabulary = time_machine()
    print(X.shape, len(vocabulary), vocabulary.to_tokens(range(8)))
    report(characters=len(X) + NUM_STEPS)
    for window, target in ((X[0], y[0]), (X[1], y[1])):
        print(repr("".join(vocabulary.to_tokens(window))), "->", repr("".join(vocabulary.to_tokens(target))))

# %% [markdown]
# The training windows overlap: together they show only 10,031 characters, one seventeenth of a short novel,
# most of them 32 times in each epoch. And the first 32 validation windows reach back into characters that
# training has seen; we measure below how much that flatters us.
#
# A network that remembers anything must beat one that always predicts the frequencies $p_c$ of the characters
# $c$ in the training windows. On the same text its perplexity is $\exp(-\sum_c p_c \log p_c)$.


# %%
def unigram_perplexity(train, val, vocabulary_size):
    """Perplexity on the indices `val` of the frequencies in the indices `train`, each count raised by one."""
    counts = np.bincount(np.ravel(train), minlength=vocabulary_size) + 1.0  # (V,)
    log_p = np.log(counts / counts.sum())  # (V,)
    return float(np.exp(-log_p[np.ravel(val)].mean()))


# %%
if __name__ == "__main__":
    seen, unseen = y[:10000], y[10000:15000]
    report(frequencies_training=unigram_perplexity(seen, seen, 28), frequencies=unigram_perplexity(seen, unseen, 28))

# %% [markdown]
# It has 17.07<!--lesson.frequencies_training @torch--> there and 16.67<!--lesson.frequencies @torch--> on the
# validation text.
#
# ## From scratch
#
# Time is the *first* axis, so that `X[t]` is one step of all texts; the model turns the windows $(N, T)$
# accordingly and turns the logits back.


# %%
class RNNScratch(nn.Module):
    """A hidden state that is carried along a sequence: (T, N, num_inputs) to (T, N, num_hiddens)."""

    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        self.num_hiddens = num_hiddens
        init = nn.initialisers.FanInUniform(num_hiddens)
        self.weight_ih = nn.Parameter((num_hiddens, num_inputs), init)
        self.weight_hh = nn.Parameter((num_hiddens, num_hiddens), init)
        self.bias_ih = nn.Parameter((num_hiddens,), init)
        self.bias_hh = nn.Parameter((num_hiddens,), init)

    def forward(self, X, state=None):
        """All hidden states and the last one."""
        if state is None:
            state = xp.zeros((X.shape[1], self.num_hiddens))  # (N, H)
        outputs = []
        for t in range(X.shape[0]):
            drive = xp.matmul(X[t], xp.matrix_transpose(self.weight_ih)) + self.bias_ih  # (N, I) @ (I, H) -> (N, H)
            state = xp.tanh(drive + xp.matmul(state, xp.matrix_transpose(self.weight_hh)) + self.bias_hh)  # (N, H)
            outputs.append(state)
        return xp.stack(outputs), state  # (T, N, H), (N, H)


class CharacterModel(nn.Module):
    """Logits of the next character at every position: integers (N, T) to (N, T, vocabulary size)."""

    def __init__(self, rnn, vocabulary_size):
        super().__init__()
        self.rnn, self.vocabulary_size = rnn, vocabulary_size
        self.output = nn.Linear(vocabulary_size)

    def forward(self, X):
        """Hidden states of the recurrent layer through one affine map."""
        steps = one_hot(xp.matrix_transpose(X), self.vocabulary_size)  # (N, T) -> (T, N) -> (T, N, V)
        hidden, _ = self.rnn(steps)  # (T, N, H)
        return xp.permute_dims(self.output(hidden), (1, 0, 2))  # (T, N, V) -> (N, T, V)


# %% [markdown]
# Automatic differentiation walks back through the loop by itself; here is the recursion, written out.


# %%
def backward_through_time(rnn, X, hidden, upstream):
    """Gradients of the parameters of `rnn`, which started from zero, by path.

    X holds the inputs (T, N, I), hidden the states (T, N, H), and upstream (T, N, H) the gradient that
    reaches each state from its own output.
    """
    carried = xp.zeros(hidden.shape[1:])  # (N, H)
    deltas = []
    for t in reversed(range(hidden.shape[0])):
        delta = (upstream[t] + carried) * (1.0 - xp.square(hidden[t]))  # (N, H)
        carried = xp.matmul(delta, rnn.weight_hh)  # (N, H) @ (H, H) -> (N, H)
        deltas.append(delta)
    delta = xp.stack(deltas[::-1])  # (T, N, H)
    before = xp.concat([xp.zeros((1, *hidden.shape[1:])), hidden[:-1]])  # (T, N, H)
    bias = xp.sum(delta, axis=(0, 1))  # (T, N, H) -> (H,)
    return {
        "weight_ih": xp.tensordot(delta, X, axes=((0, 1), (0, 1))),  # (T, N, H), (T, N, I) -> (H, I)
        "weight_hh": xp.tensordot(delta, before, axes=((0, 1), (0, 1))),  # (T, N, H), (T, N, H) -> (H, H)
        "bias_ih": bias,
        "bias_hh": bias,
    }


def gap_of_the_gradients(T=8, N=4, num_hiddens=5):
    """Largest difference between our gradients and the automatic ones, for the loss mean(hidden ** 2)."""
    indices = np.arange(T * N, dtype=np.int32).reshape(T, N) * 7 % 28
    X = one_hot(xp.asarray(indices), 28)  # (T, N, V)
    rnn = RNNScratch(28, num_hiddens).initialise(seed=0)
    _, automatic = value_and_grad(lambda X: xp.mean(xp.square(rnn(X)[0])), rnn)(X)
    hidden, _ = rnn(X)  # (T, N, H)
    ours = backward_through_time(rnn, X, hidden, 2.0 * hidden / (T * N * num_hiddens))
    return max(np.abs(xp.to_numpy(ours[path]) - xp.to_numpy(automatic[path])).max() for path in ours)


def joint_norm(gradients):
    """The Euclidean norm of all gradients of a dict together, a 0-d tensor."""
    return xp.sqrt(sum(xp.sum(xp.square(gradient)) for gradient in gradients.values()))


def clip(gradients, limit):
    """The gradients of a dict, scaled together so that their joint norm is at most `limit`."""
    scale = xp.clip(limit / joint_norm(gradients), max=1.0)  # ()
    return {path: gradient * scale for path, gradient in gradients.items()}


# %%
if __name__ == "__main__":
    report(gradient_gap=gap_of_the_gradients())
    clipped = clip({"a": xp.asarray([3.0, 0.0]), "b": xp.asarray([[4.0]])}, 1.0)  # joint norm 5
    print({path: xp.to_numpy(gradient).tolist() for path, gradient in clipped.items()})

# %% [markdown]
# Clipping kept the proportion of 3 to 4; the trainer does the same with `clip_norm`.
#
# ## Concise
#
# The library's `nn.RNN` takes the place of our loop. Both jobs use gradient descent with batches of 1,024 windows and
# gradients clipped at 1, for 100 epochs at full and 20 at standard scale. The learning rate is 1 in the first half of
# the steps and then comes to rest, down to zero along half a cosine.
#
# At a constant rate as large as 1 training is chaotic: a difference by rounding, which no two frameworks avoid, grows
# from step to step, and the perplexity at the end is a sample of the noise. With the rate 1 throughout, backends
# ended more than a tenth apart from the same seed; with the rate that rests PyTorch ends at
# 7.28<!--concise.val_ppl @torch--> and JAX at 7.28<!--concise.val_ppl @jax-->.

# %%
VOCABULARY_SIZE, NUM_HIDDENS = 28, 32

shared = {
    "data": text_windows,
    "loss": cross_entropy,
    "optimiser": lambda model: optim.SGD(model, lr=optim.schedules.Cosine(1.0, hold=0.5)),
    "epochs": {"smoke": 2, "standard": 20, "full": 100},
    "derived": {"val_ppl": lambda record: math.exp(record["val_loss"])},
    "clip_norm": 1.0,
    "headline": "val_ppl",
}
jobs = {
    "scratch": Job(model=lambda: CharacterModel(RNNScratch(VOCABULARY_SIZE, NUM_HIDDENS), VOCABULARY_SIZE), **shared),
    "concise": Job(model=lambda: CharacterModel(nn.RNN(NUM_HIDDENS), VOCABULARY_SIZE), **shared),
}


# %% [markdown]
# The parameters have the same names in both models, so the two start from the same weights, see the same
# batches, and should have the same losses but for rounding.


# %%
def runs_from_one_start(scale, seed=0, epochs=2):
    """The scratch and the concise job, run with the same seed, by name."""
    return {name: job.run(scale, seed, epochs=epochs) for name, job in jobs.items()}


# %%
if __name__ == "__main__":
    first, second = (result.history.losses for result in runs_from_one_start(shown).values())
    print(f"first loss {first[0]:.3f}, log 28 = {math.log(28):.3f}")
    print(f"largest difference of a loss in {len(first)} steps:")
    report(gap=np.max(np.abs(np.subtract(first, second))))
    np.testing.assert_allclose(second, first, rtol=1e-4)

# %% [markdown]
# ## Writing
#
# To write, the network reads a prefix, takes the most probable character, reads that as if it had been given,
# and so on; this is called *greedy*. Each step needs only the last character and the state, so a character
# costs the same however long the text is.


# %%
def next_logits(model, index, state=None):
    """Logits (V,) of the character after the one with this index, and the state (1, H) that follows `state`."""
    X = one_hot(xp.asarray(np.array([[index]], dtype=np.int32)), model.vocabulary_size)  # (1, 1, V)
    hidden, state = model.rnn(X, state)  # (1, 1, H), (1, H)
    return model.output(hidden)[0, 0], state  # (1, 1, V) -> (V,)


def generate(model, vocabulary, prefix, num_characters):
    """`prefix` and `num_characters` more, each the most probable one after all before it.

    Raises ValueError for an empty prefix.
    """
    if not prefix:
        raise ValueError("The prefix is empty; give at least one character to begin with.")
    state = None
    for index in vocabulary[tokenise(prefix)]:
        logits, state = next_logits(model, index, state)
    text = prefix
    for _ in range(num_characters):
        index = int(xp.to_numpy(xp.argmax(logits)))
        text += vocabulary.to_tokens(index)
        logits, state = next_logits(model, index, state)
    return text


# %% [markdown]
# ## Twenty epochs, and a hundred
#
# First the standard scale, then the recorded runs at full scale: each backend, with the mean and the spread
# over the seeds.


# %%
class Writing(Observer):
    """Lets the model write at the end of the named epochs and keeps the texts by epoch."""

    def __init__(self, vocabulary, prefix="time traveller ", num_characters=40, epochs=(1, 5, 10, 20, 50, 100)):
        self.vocabulary, self.prefix, self.num_characters = vocabulary, prefix, num_characters
        self.epochs, self.texts = epochs, {}

    def epoch_ended(self, trainer, record):
        """Write on from the prefix."""
        if record["epoch"] in self.epochs:
            self.texts[record["epoch"]] = generate(trainer.model, self.vocabulary, self.prefix, self.num_characters)


def perplexity_by_position(model, loader):
    """Perplexity (T,) of each place of the windows: how good the model is after 1, 2, ... characters."""
    totals, count = 0.0, 0
    for X, y in loader.epoch(0):
        right = xp.take_along_axis(log_softmax(model(X)), xp.expand_dims(y, axis=-1), axis=-1)  # (N, T, V) -> (N, T, 1)
        totals = totals - np.sum(xp.to_numpy(right)[..., 0], axis=0, dtype=np.float64)  # (T,)
        count += X.shape[0]
    return np.exp(totals / count)


@house_style
def plot_perplexity(history, by_position, baseline):
    """Left: perplexity by epoch, with the baselines; right: by the number of characters read."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.1))
    epochs = history.column("epoch")
    left.plot(epochs, np.exp(history.column("loss")), "-", color="C0", label="training (mean over the epoch)")
    left.plot(epochs, history.column("val_ppl"), "--", color="C1", label="validation")
    left.axhline(VOCABULARY_SIZE, color=INK, linewidth=1)
    left.text(epochs[-1], VOCABULARY_SIZE - 0.4, "knows nothing", ha="right", va="top", fontsize=9)
    left.axhline(baseline, color=INK, linewidth=1)
    left.text(epochs[-1], baseline + 0.4, "knows the frequencies", ha="right", fontsize=9)
    left.set(xlabel="epoch", ylabel="perplexity", ylim=(5, 30))
    left.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1, 0.84))
    right.plot(np.arange(1, len(by_position) + 1), by_position, ".-", color="C0")
    right.set(xlabel="characters read", ylabel="perplexity of the next")
    return figure


# %%
if __name__ == "__main__":
    writing = Writing(vocabulary)
    run = jobs["concise"].run(shown, observers=[writing])
    by_position = perplexity_by_position(run.model, run.data.val)
    for record in run.history.epochs[::5] + run.history.epochs[-1:]:
        print(f"epoch {record['epoch']}: perplexity {math.exp(record['loss']):.2f}, val_ppl {record['val_ppl']:.2f}")
    for epoch, text in writing.texts.items():
        print(f"after {epoch:3} epochs: {text}")
    print("by characters read:", np.round(by_position[[*range(min(5, NUM_STEPS)), *range(7, NUM_STEPS, 8)]], 2))
    report(first_ppl=run.history.column("val_ppl")[0], last_ppl=run.history.final("val_ppl"))
    report(
        ppl_after_1=by_position[0], ppl_after_2=by_position[1], ppl_after_3=by_position[2], ppl_after_32=by_position[-1]
    )
    plot_perplexity(run.history, by_position, unigram_perplexity(seen, unseen, VOCABULARY_SIZE))

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("rnn"))

# %% [markdown]
# On the standard scale (PyTorch, seed 0, as all numbers in this text unless it names another backend) the validation
# perplexity falls from 16.56<!--lesson.first_ppl @torch--> after the first epoch, hardly better than the frequencies,
# to 9.14<!--lesson.last_ppl @torch--> after the twentieth. After one epoch the model writes only spaces, the most
# frequent character, after five "the the the" without end, and after twenty it still does: greedy writing must repeat
# itself as soon as a state returns, and what is most probable at each step is not a probable text. Exercise 1 mends
# that.
#
# The right panel is sobering. With a single character to go by the perplexity is
# 10.60<!--lesson.ppl_after_1 @torch-->, after the second 9.46<!--lesson.ppl_after_2 @torch-->, after the third
# 9.18<!--lesson.ppl_after_3 @torch-->, and from the fourth on it stays there, to end at
# 9.1<!--lesson.ppl_after_32 @torch-->: of the thirty characters that the state could remember the model uses three or
# four.
#
# After 100 epochs the concise job at full scale has a validation perplexity of 7.28<!--concise.val_ppl @torch-->, but
# a loss in training of only 1.79<!--concise.loss @torch-->, a perplexity of six: 10,031 characters are not much text.
# It still writes "and the the the".
#
# ## What goes wrong
#
# **The gradient fades.** How would the loss of the *last* character of each window change if an earlier state
# were nudged? The nudges are zeros that we add to the states: they change nothing, but the gradient with
# respect to them is $\partial L / \partial \mathbf{h}_t$.


# %%
def gradient_by_distance(model, X, y):
    """Norm of d(loss at the last step) / d(state), mean over the windows (N, T), by distance 0, 1, ..., T - 1."""
    steps = one_hot(xp.matrix_transpose(X), model.vocabulary_size)  # (N, T) -> (T, N, V)
    T, N = steps.shape[:2]

    def last_loss(nudges):
        state = xp.zeros((N, model.rnn.num_hiddens))  # (N, H)
        for t in range(T):
            _, state = model.rnn(steps[t : t + 1], state)  # (1, N, V), (N, H) -> (N, H)
            state = state + nudges[t]
        return cross_entropy(model.output(state), y[:, -1])

    _, gradient = value_and_grad(last_loss)(xp.zeros((T, N, model.rnn.num_hiddens)))  # (T, N, H)
    return N * np.linalg.norm(xp.to_numpy(gradient), axis=-1).mean(axis=1)[::-1]  # (T, N) -> (T,)


def fresh_model(gain=1.0, seed=0):
    """The concise model at its start, with the recurrent weights multiplied by `gain`."""
    example = xp.asarray(np.zeros((1, 2), dtype=np.int32))
    model = jobs["concise"].model().initialise(example, seed=seed)
    state = model.state_dict()
    model.load_state_dict(state | {"rnn.weight_hh": gain * state["rnn.weight_hh"]})
    return model


def spectral_radius(model):
    """The largest modulus of an eigenvalue of the recurrent weights."""
    return float(np.abs(np.linalg.eigvals(model.state_dict()["rnn.weight_hh"])).max())


@house_style
def plot_distances(curves):
    """The curves of `gradient_by_distance`, by name, on a logarithmic scale."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 3.4))
    for (name, norms), style in zip(curves.items(), ("-", "--", "-.", ":", ".-"), strict=False):
        axes.semilogy(norms, style, label=name)
    axes.set(xlabel="steps between the state and the loss", ylabel="norm of the gradient")
    axes.legend(fontsize=8)
    return figure


# %%
if __name__ == "__main__":
    X, y = next(iter(text_windows(shown, 0, batch_size=256).val.epoch(0)))
    models = {"after 20 epochs": run.model} | {f"at the start, times {gain}": fresh_model(gain) for gain in (1, 2, 4)}
    curves = {name: gradient_by_distance(model, X, y) for name, model in models.items()}
    far = NUM_STEPS - 1
    for name, norms in curves.items():
        radius = spectral_radius(models[name])
        print(f"{name:>21}: radius {radius:.2f}; norms at 0, {far // 2}, {far} steps:", norms[[0, far // 2, far]])
    trained, start, _, large = curves
    report(start_near=curves[start][0], start_far=curves[start][far], trained_far=curves[trained][far])
    report(large_far=curves[large][far], shrinks_by=(curves[start][far] / curves[start][0]) ** (1 / far))
    report(radius_at_start=spectral_radius(models[start]), radius_trained=spectral_radius(models[trained]))
    plot_distances(curves)

# %% [markdown]
# At the start a nudge 31 steps before the loss counts $3 \cdot 10^{-8}$<!--lesson.start_far @torch-->, one at the
# last state 1.0<!--lesson.start_near @torch-->: a factor of 0.57<!--lesson.shrinks_by @torch--> per step, close to
# $\sqrt{1/3}$. Training raises the spectral radius from 0.64<!--lesson.radius_at_start @torch--> to
# 0.83<!--lesson.radius_trained @torch-->, but after 31 steps only $1.1 \cdot 10^{-5}$<!--lesson.trained_far @torch-->
# is left, drowned by the gradients of nearer characters. (The remedies, gates and attention, come in later lessons.)
# With weights twice as large the gradient fades slowly; with weights four times as large it *grows*, to
# 264<!--lesson.large_far @torch--> after 31 steps.
#
# **The gradient explodes.** In our jobs it does not: the joint norm is at most 0.58<!--lesson.calm_norm @torch--> in
# the first 100 steps, and little more in a thousand with the rate kept at 1 (`norms_in_training(steps=1000)`). So we
# make recurrent weights four times as large, and take batches of 32 windows, in which a single bad window weighs
# more.


# %%
def norms_in_training(limit=None, gain=1.0, lr=1.0, batch_size=1024, steps=100, scale="standard"):
    """Losses and joint norms of the gradients (steps,) of a run, clipped at `limit` unless it is None."""
    model, data = fresh_model(gain), text_windows(scale, 0, batch_size)
    gradient_of = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)
    optimiser = optim.SGD(model, lr=lr)

    def step(X, y):
        value, gradients = gradient_of(X, y)
        optimiser.update(gradients if limit is None else clip(gradients, limit))
        return value, joint_norm(gradients)

    step = compiled(step, list(model.variables().values()))
    batches = (batch for epoch in range(steps) for batch in data.train.epoch(epoch))
    pairs = [[float(xp.to_numpy(number)) for number in step(*next(batches))] for _ in range(steps)]
    return np.array(pairs).T


@house_style
def plot_norms(plain, clipped):
    """Norms and losses by step, without clipping and with it."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8.5, 3))
    for axes, row, title in zip(panels, (1, 0), ("joint norm of the gradient", "training loss"), strict=True):
        axes.plot(plain[row], "-", color="C1", linewidth=1, label="as it is")
        axes.plot(clipped[row], "--", color="C0", label="clipped at 1")
        axes.set(xlabel="step", title=title)
        axes.legend(fontsize=8)
    panels[0].set_yscale("log")
    return figure


# %%
if __name__ == "__main__":
    steps = {"smoke": 4, "standard": 100}[shown]
    calm = norms_in_training(steps=steps)
    report(calm_norm=calm[1].max())
    plain, clipped = (norms_in_training(limit, gain=4.0, batch_size=32, steps=2 * steps) for limit in (None, 1.0))
    for name, (losses, norms) in (("plain", plain), ("clipped", clipped)):
        report(**{f"{name}_first_norm": norms[0], f"{name}_above_1": np.sum(norms > 1)})
        report(**{f"{name}_largest_loss": losses.max(), f"{name}_mean_of_last_ten": losses[-10:].mean()})
    plot_norms(plain, clipped)

# %% [markdown]
# Without clipping the norm exceeds 1 in 134<!--lesson.plain_above_1 @torch--> of 200 steps, and every such step
# throws the weights somewhere: the loss rises to 5.70<!--lesson.plain_largest_loss @torch-->, far above the 3.33 of a
# model that knows nothing, and ends near 3.00<!--lesson.plain_mean_of_last_ten @torch-->. With clipping, from the
# same first gradient of norm 10.9<!--lesson.clipped_first_norm @torch-->, only 35<!--lesson.clipped_above_1 @torch-->
# norms lie above the limit, and the loss never exceeds 3.51<!--lesson.clipped_largest_loss @torch--> and ends near
# 2.44<!--lesson.clipped_mean_of_last_ten @torch-->. The run without clipping magnifies rounding, and other backends
# count between 95<!--lesson.plain_above_1 @mxnet--> (MXNet) and 142<!--lesson.plain_above_1--> such steps (NumPy); with
# clipping the largest loss is the same on all.
#
# **The wrong axis.** The recurrent layer takes time first. Handed the windows $(N, T)$ as they come from the
# loader, it does not complain: it reads 32 texts of 1,024 steps, in which each character belongs to another
# window.


# %%
class MixedUpModel(CharacterModel):
    """The character model without the two transpositions: it takes the batch for time."""

    def forward(self, X):
        """Logits of the right shape and the wrong meaning."""
        hidden, _ = self.rnn(one_hot(X, self.vocabulary_size))  # (N, T, V) -> (N, T, H)
        return self.output(hidden)  # (N, T, V)


def depends_on_neighbours(model, X, changed=0, observed=1):
    """How far the logits of one window of X (N, T) move when another window is replaced by the same character."""
    other = np.array(xp.to_numpy(X))
    other[changed] = 1
    before, after = (xp.to_numpy(model(batch))[observed] for batch in (X, xp.asarray(other)))  # (T, V)
    return float(np.abs(after - before).max())


# %%
if __name__ == "__main__":
    mixed_up = replace(jobs["concise"], model=lambda: MixedUpModel(nn.RNN(NUM_HIDDENS), VOCABULARY_SIZE)).run(shown)
    report(mixed_up_ppl=mixed_up.history.final("val_ppl"))
    report(moved_when_mixed_up=depends_on_neighbours(mixed_up.model, X), moved=depends_on_neighbours(run.model, X))

# %% [markdown]
# The perplexity of the mixed-up model ends at 10.37<!--lesson.mixed_up_ppl @torch-->; whoever does not know that
# 9.14<!--lesson.last_ppl @torch--> is possible will publish it. It is worse than a table of character pairs (exercise
# 3): the model sees the present character and, for memory, that of a stranger. No loss curve reveals this; a
# question about the meaning does. Changing one window of a batch must not move the logits of another by a single bit,
# but here the neighbour moves by 0.39<!--lesson.moved_when_mixed_up @torch-->.
#
# **A split that leaks.** Suppose that we shuffle all 15,000 windows first and cut them into training and
# validation afterwards, as one does with photographs. Nearly every character of a validation window is then
# also the target of some training window, with the same letters before it. A pupil who learns by heart shows
# what this allows: a table of all runs of eight characters in training with what came after them. And we judge
# our network on 5,000 windows from number 20,000 on, which neither split has seen.


# %%
def shuffled_split(scale, seed):
    """The same 15,000 windows (768 at smoke scale) as `text_windows`, but dealt out at random."""
    data = text_windows(scale, seed)
    X, y = (np.concatenate(pair) for pair in zip(data.train.arrays, data.val.arrays, strict=True))
    order, num_train = permutation(len(X), seed, "split"), data.train.num_examples
    train, val = order[:num_train], order[num_train:]
    return Data(
        Loader((X[train], y[train]), 1024, shuffle=True, stream=(seed, "shuffle")),
        Loader((X[val], y[val]), 1024),
    )


def foretold_by_heart(data, num_characters=8):
    """Share of the validation windows whose last target the training windows have after the same characters."""
    X, y = data.train.arrays  # (n, T), (n, T)
    runs = np.lib.stride_tricks.sliding_window_view(X, num_characters, axis=1)  # (n, T - k + 1, k)
    nexts = y[:, num_characters - 1 :]  # (n, T - k + 1)
    table = dict(zip(map(tuple, runs.reshape(-1, num_characters).tolist()), nexts.ravel().tolist(), strict=True))
    X, y = data.val.arrays
    found = [table.get(tuple(run)) for run in X[:, -num_characters:].tolist()]
    return float(np.mean([guess == target for guess, target in zip(found, y[:, -1].tolist(), strict=True)]))


def perplexity(model, X, y):
    """Perplexity of the model on windows (n, T) and their targets."""
    by_position = perplexity_by_position(model, Loader((X, y), 1024))  # (T,)
    return float(np.exp(np.log(by_position).mean()))


# %%
if __name__ == "__main__":
    X, y, _ = time_machine()
    leaking = replace(jobs["concise"], data=shuffled_split).run(shown)
    for name, result in (("honest", run), ("leaking", leaking)):  # one after the other, and dealt at random
        report(
            **{
                f"{name}_validation": result.history.final("val_ppl"),
                f"{name}_by_heart": foretold_by_heart(result.data),
            }
        )
        report(**{f"{name}_later_text": perplexity(result.model, X[20000:25000], y[20000:25000])})
    report(first_32_windows=perplexity(run.model, X[10000:10032], y[10000:10032]))
    report(other_windows=perplexity(run.model, X[10032:15000], y[10032:15000]))

# %% [markdown]
# The pupil foretells 17 %<!--lesson.honest_by_heart @torch--> of the next characters if validation follows training,
# and 93 %<!--lesson.leaking_by_heart @torch--> if the windows were dealt at random. Our network is not so quick:
# after 20 epochs its validation perplexity is 9.14<!--lesson.honest_validation @torch--> with the honest split and
# 9.05<!--lesson.leaking_validation @torch--> with the leaking one. With `run("full")`, after 100 epochs, the honest
# one ends at 7.28<!--concise.val_ppl @torch-->, the leaking one a little above 6 on training and validation alike: no
# sign of overfitting. On the later text the same model has more than 7.
#
# The honest split flatters too, but not by the 32 windows that share characters with training: they are a *harder*
# passage (12.89<!--lesson.first_32_windows @torch--> after 20 epochs, all others
# 9.12<!--lesson.other_windows @torch-->). Text right after the training text is more like it than the rest of the
# novel, where the model has 9.61<!--lesson.honest_later_text @torch-->.
#
# ## Under the surface
#
# **One kernel, a graph or a loop.** PyTorch's `nn.RNN` and Gluon's `rnn.RNN` hand the whole sequence to one
# fused routine (cuDNN on a graphics card). JAX compiles one step as a loop with `lax.scan`; a Python loop under
# `jit` is unrolled instead, so that the program grows with $T$. TensorFlow can do either. Our adapters call the
# fused routines of PyTorch and MXNet where they can, and run the scan elsewhere.
#
# **Two biases or one.** cuDNN's formula has two, $\mathbf{b}_{ih}$ and $\mathbf{b}_{hh}$, and PyTorch, Gluon
# and our library follow it; Keras and Flax have one. Only their sum matters, but both receive the same
# gradient, so the sum moves twice as far as a single bias would (exercise 4).
#
# **Layout.** PyTorch and Gluon store $(H, V)$ and multiply by the transpose, as we do; Keras and Flax store
# $(V, H)$, and MXNet's kernel wants all weights in one long vector. PyTorch and Gluon expect $(T, N, \cdot)$
# unless told otherwise (`batch_first=True`, `layout="NTC"`), Keras and Flax $(N, T, \cdot)$ (`time_major=True`
# in Flax).
#
# **First values.** PyTorch draws all weights and biases of the layer from $\pm 1/\sqrt{H}$, as we do. Keras and
# Flax start $\mathbf{W}_{hh}$ as a random *orthogonal* matrix, all of whose singular values are 1: the product
# of Jacobians then shrinks through the slopes alone (exercise 5). Their biases start at zero, and so do
# Gluon's, whose default activation is not tanh but ReLU. Whoever types RNN in four frameworks gets four
# different networks.
#
# ## Summary
#
# A recurrent network reads a sequence of any length with the same weights at each step and keeps a hidden state
# as its memory. It is trained on the cross-entropy of the next character, whose exponential, the perplexity,
# counts between how many characters the model hesitates. Its gradient runs back through time as a product of
# Jacobians, which fades or grows exponentially; clipping the joint norm helps against the second only. Windows
# of a text overlap, so it must be cut into training and validation before anything is shuffled, and the order
# of the axes must be checked, because nothing else will complain.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise rnn` writes a stub to fill in, `d2l check
# FILE` examines it on every installed backend. Solutions are in `rnn_solutions.py`.
#
# 1. ★ *Less obedient.* Write `sample(logits, temperature, u)`: the index that a draw from softmax(logits /
#    temperature) gives for the number $u$ in $[0, 1)$, the first one at which the cumulative probability
#    exceeds $u$. Logits have the shape $(V,)$; the result is a Python integer. What do temperatures near 0 and
#    far above 1 do?
# 2. ★ *Cutting the gradient.* For long texts one lets the state run on but stops the gradient every $k$ steps.
#    Write `truncated(rnn, X, k)`, the hidden states $(T, N, H)$ of `rnn(X)[0]`, such that no gradient passes
#    from step $jk$ to step $jk - 1$ for $j = 1, 2, \dots$ (steps counted from 0). The function `stop_gradient`
#    is in `d2l_core.autodiff`.
# 3. ★ *Pairs.* Write `bigram_perplexity(X, y, X_val, y_val, vocabulary_size)`: count how often each character
#    follows each other one in training, add one to all counts, and predict these frequencies. After how many
#    epochs does the network overtake this table?
# 4. *The second bias.* Show that $\mathbf{b}_{ih}$ and $\mathbf{b}_{hh}$ have the same gradient, and that their
#    sum moves as a single bias does with twice the learning rate. Check the first on a model.
# 5. *An orthogonal start.* Replace the initial $\mathbf{W}_{hh}$ by an orthogonal matrix and measure
#    `gradient_by_distance` again. What is left after 31 steps?
#
# ## References
#
# - J. L. Elman (1990), *Finding Structure in Time*, Cognitive Science 14.
# - P. J. Werbos (1990), *Backpropagation Through Time: What It Does and How to Do It*, Proceedings of the IEEE
#   78.
# - Y. Bengio, P. Simard and P. Frasconi (1994), *Learning Long-Term Dependencies with Gradient Descent is
#   Difficult*, IEEE Transactions on Neural Networks 5.
# - R. Pascanu, T. Mikolov and Y. Bengio (2013), *On the Difficulty of Training Recurrent Neural Networks*,
#   ICML.
# - T. Mikolov, M. Karafiát, L. Burget, J. Černocký and S. Khudanpur (2010), *Recurrent Neural Network Based
#   Language Model*, Interspeech.
# - F. Jelinek, R. L. Mercer, L. R. Bahl and J. K. Baker (1977), *Perplexity: a Measure of the Difficulty of
#   Speech Recognition Tasks*, Journal of the Acoustical Society of America 62 (S1).
# - H. G. Wells (1895), *The Time Machine*, Heinemann.
