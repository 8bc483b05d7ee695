# /// lesson
# name = "softmax-and-cross-entropy"
# title = "Softmax and cross-entropy"
# sections = ["4.1"]
# needs = []
# data = ["time-machine"]
# [time]
# smoke = "2 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# standard = ["lesson: gradient_gap <= 1e-6", "lesson: pair_bits <= 3.3"]
# full = [
#   "lesson: gradient_gap <= 1e-6", "lesson: library_gap <= 1e-5", "lesson: die_gap <= 1e-4",
#   "lesson: pair_bits <= 3.3", "lesson: surplus <= 2", "lesson: round_trip >= 1", "lesson: worst <= 1e-4",
# ]
# ///

# %% [markdown]
# # Softmax and cross-entropy
#
# A telegraph line has one wire and charges for every second. So the most frequent letter of English, the *e*, is a
# single dot, and the rare *q* takes thirteen times as long. Whoever made that table of signs had to answer two
# questions that every classifier meets: how sure am I of what comes next, and what does it cost me if I am sure of
# the wrong thing?
#
# A network that classifies computes a number for each class, a *score* or *logit*, which may be negative and adds up
# to nothing. This lesson turns scores into probabilities, in two independent ways that lead to the same formula, and
# probabilities into a cost, whose unit is the bit on the wire. In the end we send a novel through such a wire and
# count the bits. The next lessons classify pictures with what we find here.

# %%
import itertools

import numpy as np

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import clean, load_time_machine
from d2l_core.lessons import report, scale
from d2l_core.nn import functional
from d2l_core.plots import INK, house_style

# %% [markdown]
# ## The idea
#
# Let differences of scores be ratios of probabilities: a class whose score is larger by $\log 2$ is twice as
# probable. This determines everything but a common factor, and the factor follows because probabilities add up to
# one. A *temperature* $T$, by which the scores are divided first, makes the differences small (hot, nearly all
# classes alike) or large (cold, nearly certain), as on the left. The cost of an answer is $-\log_2 p$, where $p$ is
# the probability that was given to what then happened: certainty costs nothing, each halving of $p$ one bit more,
# and what was called impossible costs infinitely much.


# %%
@house_style
def plot_idea():
    """Probabilities of five scores at three temperatures, and the cost of an outcome of given probability."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3))
    scores = np.array([2.0, 1.0, 0.5, -0.5, -1.5])
    for T, style in ((0.4, "o-"), (1.0, "s--"), (4.0, "^:")):
        powers = np.exp(scores / T)
        left.plot(range(5), powers / powers.sum(), style, label=f"$T = {T:g}$")
    left.set_xticks(range(5), [f"{score:g}" for score in scores])
    left.set(xlabel="score of the class", ylabel="probability", ylim=(0, 1))
    left.legend()
    p = np.linspace(0.01, 1.0, 200)
    right.plot(p, -np.log2(p))
    halves = 0.5 ** np.arange(6)
    right.plot(halves, -np.log2(halves), "o", color=INK)
    right.set(xlabel="probability $p$ of what happened", ylabel="cost in bits", title="each halving costs one bit more")
    return figure


# %%
if __name__ == "__main__":
    plot_idea()

# %% [markdown]
# ## The mathematics
#
# There are $k$ classes with scores $\mathbf{o} = (o_1, \dots, o_k)$, real numbers, and we look for probabilities
# $\mathbf{p} = (p_1, \dots, p_k)$.
#
# **From odds.** The *odds* of $i$ against $j$ are $p_i / p_j$. They are positive, and odds multiply: those of $i$
# against $l$ are those of $i$ against $j$ times those of $j$ against $l$. Scores should add where odds multiply (Luce,
# 1959), so we set $\log(p_i / p_j) = o_i - o_j$. Then $p_i = c\, e^{o_i}$ with one factor $c$ for all classes, and
# $\sum_i p_i = 1$ gives
#
# $$p_i = \operatorname{softmax}(\mathbf{o})_i = \frac{e^{o_i}}{\sum_{j=1}^k e^{o_j}} .$$
#
# Adding one number to all scores changes nothing.
#
# **From ignorance.** Now a different question. Class $i$ has a known value $s_i$ (the pips of a die, say), all that
# we know of $\mathbf{p}$ is the mean $\sum_i p_i s_i = m$, and many $\mathbf{p}$ fit. Jaynes (1957) proposed to take
# the one that claims least, the one with the largest *entropy* $H(\mathbf{p}) = -\sum_i p_i \log p_i$. With Lagrange
# multipliers $\alpha$ and $\beta$ for the two conditions, the derivative of
# $H(\mathbf{p}) - \alpha(\sum_i p_i - 1) + \beta(\sum_i p_i s_i - m)$ with respect to $p_i$ must vanish:
#
# $$-\log p_i - 1 - \alpha + \beta s_i = 0 \quad\Longrightarrow\quad p_i \propto e^{\beta s_i} .$$
#
# Softmax again, of the scores $\beta s_i$, with the temperature $T = 1 / \beta$. Boltzmann found it for the
# energies of molecules, and the name temperature comes from there.
#
# **The soft maximum.** The logarithm of the denominator deserves a name of its own, *log-sum-exp*,
# $\operatorname{lse}(\mathbf{o}) = \log \sum_j e^{o_j}$. Keep only the largest term of the sum, or replace each by
# the largest, and you see that
#
# $$\max_j o_j \;\le\; \operatorname{lse}(\mathbf{o}) \;\le\; \max_j o_j + \log k ,$$
#
# a maximum with rounded corners. Its derivative with respect to $o_i$ is $e^{o_i} / \sum_j e^{o_j} = p_i$: the
# softmax is the gradient of the soft maximum. And because $\log p_i = o_i - \operatorname{lse}(\mathbf{o})$, whoever
# can compute the one has the logarithm of the other.
#
# **Code length.** Someone draws classes with the probabilities $\mathbf{q}$ and we must send each in a code of zeros
# and ones. A code that can be read without gaps cannot have short words only: Kraft (1949) showed that the lengths
# $\ell_i$ of the words in bits obey $\sum_i 2^{-\ell_i} \le 1$. So $2^{-\ell_i}$ behaves like a probability $p_i$: to
# choose a code is to choose a model $\mathbf{p}$, and class $i$ costs $-\log_2 p_i$ bits. The mean cost is the
# *cross-entropy*
#
# $$H(\mathbf{q}, \mathbf{p}) = -\sum_i q_i \log p_i
#   = \underbrace{-\sum_i q_i \log q_i}_{H(\mathbf{q})} + \underbrace{\sum_i q_i \log \frac{q_i}{p_i}}_{D(\mathbf{q}
#   \,\Vert\, \mathbf{p})} ,$$
#
# in bits with $\log_2$ and in *nats* with the natural logarithm; one bit is $\log 2 = 0.693$ nats. The *divergence* $D$
# of Kullback and Leibler (1951) is what the wrong code costs above the right one. It is never negative: since $\log x
# \le x - 1$, we have $-D = \sum_i q_i \log (p_i / q_i) \le \sum_i q_i (p_i / q_i - 1) \le 1 - 1 = 0$. No model can beat
# the entropy of the truth (Shannon, 1948), and equality demands $\mathbf{p} = \mathbf{q}$. So a model that minimises
# its cross-entropy is driven to the true probabilities: to be honest is the cheapest.
#
# **The gradient.** With $\log p_i = o_i - \operatorname{lse}(\mathbf{o})$ and $\sum_i q_i = 1$ the cost is
# $\operatorname{lse}(\mathbf{o}) - \sum_i q_i o_i$. Differentiate:
#
# $$\frac{\partial H(\mathbf{q}, \mathbf{p})}{\partial o_i} = p_i - q_i .$$
#
# Belief minus truth. A label is the case where $\mathbf{q}$ has a single one. Differentiating once more gives the
# matrix $\operatorname{diag}(\mathbf{p}) - \mathbf{p}\mathbf{p}^\top$ of shape $(k, k)$, the covariance of a draw from
# $\mathbf{p}$, which has no negative eigenvalue: the cost is convex in the scores.

# %% [markdown]
# ## From scratch
#
# Scores and probabilities stand in the rows of $(n, k)$ tensors. The maximum is subtracted before anything is
# exponentiated; below we shall see what happens otherwise.


# %%
def log_sum_exp(scores):
    """The soft maximum of each row: (n, k) to (n, 1)."""
    top = xp.max(scores, axis=-1, keepdims=True)  # (n, k) -> (n, 1)
    return top + xp.log(xp.sum(xp.exp(scores - top), axis=-1, keepdims=True))  # (n, k) -> (n, 1)


def log_probabilities(scores, temperature=1.0):
    """Logarithms of the softmax of each row, (n, k)."""
    scores = scores / temperature
    return scores - log_sum_exp(scores)  # (n, k) - (n, 1) -> (n, k)


def softmax(scores, temperature=1.0):
    """Rows of probabilities (n, k) for rows of scores (n, k)."""
    return xp.exp(log_probabilities(scores, temperature))


def cross_entropy(scores, q):
    """Mean cost in nats, a 0-d tensor, of rows of scores (n, k) if the truth is q (n, k)."""
    return -xp.mean(xp.sum(q * log_probabilities(scores), axis=-1))  # (n, k) -> (n,) -> ()


def entropy(p):
    """Entropy in nats of each row of positive probabilities, (n, k) to (n,)."""
    return -xp.sum(p * xp.log(p), axis=-1)


# %% [markdown]
# Is the gradient belief minus truth, divided by the number of rows because of the mean? We ask `value_and_grad`, with
# random scores and random distributions as the truth.

# %%
if __name__ == "__main__":
    scores = xp.asarray(random.normal((6, 10), "cross_entropy", "scores", std=3.0))  # (6, 10)
    q = softmax(xp.asarray(random.normal((6, 10), "cross_entropy", "truth")))  # (6, 10)
    loss, automatic = value_and_grad(lambda scores: cross_entropy(scores, q))(scores)
    by_hand = (softmax(scores) - q) / 6  # (6, 10)
    report(gradient_gap=xp.max(xp.abs(automatic - by_hand)))

# %% [markdown]
# **The loaded die.** Jaynes liked to ask: many throws of a die had the mean 4.5 instead of 3.5, and nothing else is
# known; what are the probabilities? We need the $\beta$ for which the mean of the softmax of $\beta s_i$, $s_i = 1,
# \dots, 6$, is 4.5. The derivative of that mean with respect to $\beta$ is the variance of $s$ under $\mathbf{p}$, so
# Newton's method divides the error by it.


# %%
def most_ignorant(values, mean, steps=20):
    """The distribution (1, k) of largest entropy over `values` (1, k) that has this mean, and its beta ()."""
    beta = xp.zeros(())
    for _ in range(steps):
        p = softmax(beta * values)  # (1, k)
        now = xp.sum(p * values)  # ()
        variance = xp.sum(p * xp.square(values - now))  # ()
        beta = beta - (now - mean) / variance
    return softmax(beta * values), beta


def rivals(p, values, count=1000, size=0.02):
    """Other distributions near p with the same mean, (count, k), on the host."""
    rows = np.stack([np.ones_like(values), values])  # (2, k)
    directions = random.normal((count, len(values)), "cross_entropy", "rivals")  # (count, k)
    free = directions - directions @ np.linalg.pinv(rows) @ rows  # no change of the sum or of the mean
    return p + size * free / np.abs(free).max(axis=1, keepdims=True)


# %%
if __name__ == "__main__":
    pips = np.arange(1.0, 7.0)
    p, beta = most_ignorant(xp.asarray(pips[None]), 4.5)  # (1, 6)
    others = rivals(xp.to_numpy(p)[0], pips)  # (1000, 6)
    print("probabilities", np.round(xp.to_numpy(p)[0], 3))
    report(
        die_gap=abs(float(xp.to_numpy(xp.sum(p * xp.asarray(pips)))) - 4.5),
        die_entropy=entropy(p)[0],
        best_rival=xp.max(entropy(xp.asarray(others))),
        six=p[0, 5],
    )

# %% [markdown]
# The six gets the probability 0.347<!--lesson.six-->, and from each face to the next the probability grows by the same
# factor. The entropy is 1.61358<!--lesson.die_entropy--> nats; the best of a thousand other distributions with the
# mean 4.5, all close to ours, has 1.61246<!--lesson.best_rival-->.
#
# ## Concise
#
# The library calls these functions `xp.logsumexp`, `functional.softmax`, `functional.log_softmax` and
# `functional.cross_entropy`. The last one takes scores and integer labels; a row of $\mathbf{q}$ with a single one
# is the label's number.

# %%
if __name__ == "__main__":
    labels = np.array([3, 1, 4, 1, 5, 9])
    pairs = [
        (log_sum_exp(scores), xp.logsumexp(scores, axis=-1, keepdims=True)),
        (softmax(scores), functional.softmax(scores)),
        (log_probabilities(scores), functional.log_softmax(scores)),
        (cross_entropy(scores, xp.asarray(np.eye(10)[labels])), functional.cross_entropy(scores, xp.asarray(labels))),
    ]
    report(library_gap=max(float(xp.to_numpy(xp.max(xp.abs(ours - theirs)))) for ours, theirs in pairs))

# %% [markdown]
# ## A novel on the wire
#
# *The Time Machine* by H. G. Wells, in small letters and spaces, has 27 different characters. Models that choose a
# character have 27 scores. The first model has one row of scores for every place in the text; the second has a row
# for each possible character *before*, so that after a *q* it may be nearly sure. Both learn from the first half of
# the novel by descending on the cross-entropy, beginning with all scores at zero; the optimiser is Adam, which gives
# each score steps of the same size. The truth $\mathbf{q}$ are the relative frequencies, and rows count by how often
# they occur.

# %%
LETTERS = " abcdefghijklmnopqrstuvwxyz"


def novel(length=None):
    """The text as integers from 0 to 26, (n,), on the host."""
    text = clean(load_time_machine()).strip()[:length]
    return np.array([LETTERS.index(letter) for letter in text])


def pair_frequencies(text):
    """Shares (27, 27) of the pairs of neighbours: the row is the first letter, the column the second."""
    counts = np.zeros((27, 27))
    np.add.at(counts, (text[:-1], text[1:]), 1.0)
    return counts / counts.sum()


class Scores(nn.Module):
    """A table of scores (rows, 27) that begin at zero."""

    def __init__(self, rows):
        super().__init__()
        self.table = nn.Parameter((rows, 27), nn.initialisers.Constant(0.0))


def code_length(scores, frequencies):
    """Cost of a letter in nats, a 0-d tensor, for joint shares (rows, 27) of row and letter."""
    return -xp.sum(frequencies * log_probabilities(scores))  # (rows, 27) -> ()


def learn_scores(frequencies, steps, cost=code_length):
    """The table (rows, 27) after some steps of Adam on the cost."""
    model = Scores(len(frequencies)).initialise(seed=0)
    truth = xp.asarray(frequencies)
    gradient_of = value_and_grad(lambda: cost(model.table, truth), model)
    optimiser = optim.Adam(model, lr=0.1)
    for _ in range(steps):
        _, gradients = gradient_of()
        optimiser.update(gradients)
    return model.table


# %%
BITS = 1.0 / np.log(2.0)

if __name__ == "__main__":
    text = novel(20_000 if scale() == "smoke" else None)
    steps = 30 if scale() == "smoke" else 300
    known, unknown = np.array_split(text, 2)
    pairs = pair_frequencies(known)  # (27, 27)
    single = learn_scores(pairs.sum(axis=0, keepdims=True), steps)  # (1, 27)
    double = learn_scores(pairs, steps)  # (27, 27)
    new_pairs = pair_frequencies(unknown)
    new_single = new_pairs.sum(axis=0, keepdims=True)  # (1, 27)
    report(
        uniform_bits=np.log2(27),
        single_bits=BITS * code_length(single, xp.asarray(new_single)),
        single_entropy=BITS * -(new_single * np.log(np.where(new_single > 0, new_single, 1.0))).sum(),
        pair_bits_known=BITS * code_length(double, xp.asarray(pairs)),
        pair_bits=BITS * code_length(double, xp.asarray(new_pairs)),
    )

# %% [markdown]
# A code that treats all 27 characters alike needs 4.75<!--lesson.uniform_bits--> bits for each. On the *second* half,
# which no model has seen, the first model costs 4.078<!--lesson.single_bits--> bits. The entropy of the frequencies in
# that half is 4.076<!--lesson.single_entropy-->, so the divergence between the two halves, seen letter by letter, is
# two thousandths of a bit. The second model costs 3.281<!--lesson.pair_bits--> bits, no more than the
# 3.284<!--lesson.pair_bits_known--> on the half that it learned from: 87,000 letters are plenty for 729 scores. Shannon
# (1951) let people guess letter by letter and concluded that English, with all that a reader knows, has between 0.6 and
# 1.3 bits a letter.
#
# **Are these real bits?** Whole code words waste something, because lengths must be whole numbers. *Arithmetic coding*
# (Rissanen, 1976; Pasco, 1976) does not. It begins with the interval from 0 to 1, cuts it into 27 pieces as long as the
# probabilities, goes into the piece of the first letter, cuts that in the same way, and so on. After $n$ letters the
# interval is as long as the product of their probabilities, and any number inside names the whole text. Such a number
# can be written with about as many binary digits as $-\log_2$ of that length. Python's integers have as many digits as
# we like, so that the program is short.


# %%
PRECISION = 20


def pieces(p):
    """Where the pieces begin, (rows, 28) integers out of 2^20, each at least one long, for probabilities (rows, 27)."""
    lengths = np.floor(np.asarray(p, dtype=np.float64) * (2**PRECISION - 27)).astype(int) + 1  # (rows, 27)
    lengths[np.arange(len(lengths)), lengths.argmax(axis=1)] += 2**PRECISION - lengths.sum(axis=1)
    return np.concatenate([np.zeros((len(lengths), 1), dtype=int), lengths.cumsum(axis=1)], axis=1)


def encode(letters, starts, first=0):
    """A text as one integer, and how many binary digits it has; `first` is the letter before the text."""
    starts, low, width = starts.tolist(), 0, 1
    for before, letter in itertools.pairwise([first, *letters]):
        row = starts[before % len(starts)]
        low = (low << PRECISION) + width * row[letter]
        width *= row[letter + 1] - row[letter]
    spare = width.bit_length() - 1
    return -(-low >> spare), PRECISION * len(letters) - spare


def decode(code, digits, count, starts, first=0):
    """The `count` letters behind an integer that `encode` made."""
    rest, width, letters = code << (PRECISION * count - digits), 1, [first]
    for left in reversed(range(count)):
        row = starts[letters[-1] % len(starts)]
        target = (rest >> (PRECISION * left)) // width
        letter = int(np.searchsorted(row, target, side="right")) - 1
        rest -= (width * int(row[letter])) << (PRECISION * left)
        width *= int(row[letter + 1] - row[letter])
        letters.append(letter)
    return letters[1:]


# %%
if __name__ == "__main__":
    message = unknown[: 500 if scale() == "smoke" else 5000].tolist()
    for name, table in (("single", single), ("pair", double)):
        starts = pieces(xp.to_numpy(softmax(table)))
        code, digits = encode(message, starts)
        costs = -BITS * xp.to_numpy(log_probabilities(table))  # (rows, 27)
        forecast = sum(costs[a % len(costs), b] for a, b in itertools.pairwise([0, *message]))
        report(**{f"digits_{name}": digits, f"forecast_{name}": forecast})
    report(surplus=abs(digits - forecast), round_trip=decode(code, digits, len(message), starts) == message)
    print(f"fixed words of five bits: {5 * len(message)}; the code begins {bin(code)[2:50]}")

# %% [markdown]
# The first 5,000 letters of the second half became 16,408<!--lesson.digits_pair--> binary digits with the pair model
# and 20,353<!--lesson.digits_single--> with the single letters; words of five bits would need 25,000. The sums of
# $-\log_2 p$ forecast 16,407.9<!--lesson.forecast_pair--> and 20,352.6<!--lesson.forecast_single-->. The forecast is
# kept to a single digit in sixteen thousand, and decoding gave back the text. Loss and file size are the same thing,
# and a better language model is a better compressor.
#
# How good was the table of the telegraph? In international Morse code a dash lasts as long as three dots, and so does
# the gap after a letter. The figure compares each letter's time on the wire with its cost under the first model;
# letters that would cover each other are moved up or down a little.

# %%
# from a to z
SIGNS = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
MORSE = dict(zip(LETTERS[1:], SIGNS.split(), strict=True))


def morse_time(letter):
    """Duration of a letter in dots, with the gaps inside and the one behind."""
    signs = MORSE[letter]
    return sum({".": 1, "-": 3}[sign] for sign in signs) + len(signs) - 1 + 3


@house_style
def plot_morse(costs):
    """Time of each letter in Morse code against its cost in bits, costs (26,) for a to z."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.4))
    times = [morse_time(letter) for letter in LETTERS[1:]]
    axes.plot(costs, times, " ")
    shown = {}
    for cost, time, letter in sorted(zip(costs, times, LETTERS[1:], strict=True)):
        near = cost - shown.get(time, (-1.0, 0.0))[0] < 0.25
        height = (0.7 if shown[time][1] <= 0.0 else -0.7) if near else 0.0  # beside a letter that stands there already
        shown[time] = (cost, height)
        axes.text(cost, time + height, letter, ha="center", va="center", fontsize=11)
    axes.set(xlabel="cost in bits", ylabel="Morse code, in dots")
    return figure


# %%
if __name__ == "__main__":
    costs = -BITS * xp.to_numpy(log_probabilities(single))[0, 1:]  # (26,)
    times = np.array([morse_time(letter) for letter in LETTERS[1:]])
    shares = new_single[0, 1:] / new_single[0, 1:].sum()
    report(correlation=np.corrcoef(costs, times)[0, 1], morse=shares @ times, morse_unsorted=times.mean())
    plot_morse(costs)

# %% [markdown]
# The correlation is 0.74<!--lesson.correlation-->. A letter of the novel takes 9.0<!--lesson.morse--> dots on
# average; had the same signs been dealt out without regard to frequency, it would be
# 11.2<!--lesson.morse_unsorted-->.
#
# ## Temperature
#
# Divide the scores of the pair model by $T$ and let it write. For $T \to 0$ it always takes the most probable letter,
# for $T \to \infty$ any. The entropy of a row rises with $T$ unless all its scores are equal: the derivative of $H$
# with respect to $\beta = 1/T$ is $-\beta$ times the variance of the scores under $\mathbf{p}$.


# %%
def write(table, temperature, count=70):
    """Letters drawn one after the other from the pair model at a temperature."""
    p = xp.to_numpy(softmax(table, temperature)).astype(np.float64)  # (27, 27)
    bounds, letters = p.cumsum(axis=1), [0]
    for draw in random.uniform(count, "cross_entropy", "writing"):
        row = bounds[letters[-1]]
        letters.append(int(np.searchsorted(row, draw * row[-1], side="right")))
    return "".join(LETTERS[letter] for letter in letters[1:])


def mean_entropy(table, weights, temperature):
    """Entropy in bits of the rows of a table (rows, 27) at a temperature, averaged by weights (rows,)."""
    log_p = log_probabilities(table, temperature)
    each = -xp.sum(xp.exp(log_p) * log_p, axis=-1)  # (rows, 27) -> (rows,)
    return BITS * xp.sum(xp.asarray(weights) * each)


# %%
if __name__ == "__main__":
    for name, temperature in (("cold", 0.3), ("own", 1.0), ("hot", 3.0)):
        print(f"T = {temperature}: {write(double, temperature)}")
        report(**{f"entropy_{name}": mean_entropy(double, pairs.sum(axis=1), temperature)})

# %% [markdown]
# At $T = 0.3$ the entropy is 1.3<!--lesson.entropy_cold--> bits a letter and the text runs in circles; at $T = 1$ it is
# 3.3<!--lesson.entropy_own--> bits and looks like English from far away; at $T = 3$, with 4.4<!--lesson.entropy_hot-->
# bits, it is noise. The order of the classes is the same at each temperature, and so is the answer of a classifier
# that names the most probable one. What changes is how sure it claims to be, and
# [the base of all classifiers](classifier.py) uses just that to mend a network that is too sure.
#
# ## What goes wrong
#
# **The formula as it stands.** In float32 the exponential is infinite above 88.7 and zero below about $-104$. So the
# plain log-sum-exp has a window in which it works. We take the scores $(c, c - 1, c - 2)$, whose log-sum-exp is
# $c + 0.4076$, and shift them through the window.


# %%
def naive_log_sum_exp(scores):
    """The definition, word for word."""
    return xp.log(xp.sum(xp.exp(scores), axis=-1, keepdims=True))  # (n, k) -> (n, 1)


# %%
if __name__ == "__main__":
    shifts = np.array([-1000.0, -102.0, 0.0, 80.0, 1000.0])
    rows = xp.asarray(shifts[:, None] - np.arange(3.0))  # (5, 3)
    naive, careful = (xp.to_numpy(f(rows))[:, 0] - shifts for f in (naive_log_sum_exp, log_sum_exp))
    for shift, left, right in zip(shifts, naive, careful, strict=True):
        print(f"c = {shift:>6}: naive - c = {left:.4f}, careful - c = {right:.4f}")
    report(worst=np.abs(careful - 0.407606).max())

# %% [markdown]
# At $c = 1000$ the naive sum is infinite, at $-1000$ it is zero and its logarithm minus infinity. Near the lower edge
# it is worse than that: the result is finite and wrong, because the exponentials there are *subnormal* numbers, which
# have lost most of their digits or, on hardware that flushes them to zero, all. Nothing warns us. The careful version
# is wrong by at most 0.00001<!--lesson.worst-->, which is the rounding of a number near 1000.
#
# **Softmax twice.** A model ends in a softmax, because its author wanted probabilities, and the loss applies another,
# because it expects scores. Nothing fails and the loss falls. But now its "scores" lie between 0 and 1, so that even
# a model that is certain and right cannot reach a probability above $e / (e + 26) = 0.095$, or a loss below 3.40 bits.


# %%
def doubled(scores, frequencies):
    """The cost in which the softmax is applied to probabilities."""
    return code_length(softmax(scores), frequencies)


# %%
if __name__ == "__main__":
    twice = learn_scores(pairs, steps, cost=doubled)  # (27, 27)
    report(
        twice_loss=BITS * doubled(twice, xp.asarray(new_pairs)),
        twice_bits=BITS * code_length(twice, xp.asarray(new_pairs)),
    )

# %% [markdown]
# The loss came down to 4.4<!--lesson.twice_loss--> bits, where the same model with a single softmax had
# 3.28<!--lesson.pair_bits-->. One might take it for a weak model. In truth it has learned something else: under this
# cost it is cheapest to put nearly everything on one or two successors. Read as it was meant, with one softmax, the
# table would cost 8.4<!--lesson.twice_bits--> bits a letter, far more than no model at all.
#
# **Never say never.** Why not simply count pairs and divide? Because the second half of the novel has pairs that the
# first does not have.

# %%
if __name__ == "__main__":
    surprises = (pairs == 0.0) & (new_pairs > 0.0)
    share = new_pairs[surprises].sum()
    report(surprises=surprises.sum(), surprise_share=share)
    print("first seen in the second half:", [LETTERS[a] + LETTERS[b] for a, b in np.argwhere(surprises)[:12]])
    report(rarest=-BITS * xp.min(log_probabilities(double)))

# %% [markdown]
# There are 19<!--lesson.surprises--> such pairs, 0.04 %<!--lesson.surprise_share--> of the text. A counted model
# gives them the probability zero, and a single one makes the code of the whole novel infinitely long: it cannot be
# sent. A softmax never says zero. Ours learned from the same counts, but in 300 steps its scores could not run off to
# minus infinity; the rarest pair is put at 13<!--lesson.rarest--> bits. Had we trained for ever, it would have gone
# wrong just as the counts do. One stops in time, or gives every class a little of the truth, which is called
# smoothing.
#
# ## Under the surface
#
# All frameworks compute the loss from scores in one piece and with the maximum subtracted: PyTorch by
# `F.cross_entropy`, Optax by `softmax_cross_entropy` and its variant with integer labels, TensorFlow by
# `tf.nn.softmax_cross_entropy_with_logits`, Gluon by `SoftmaxCrossEntropyLoss`. They differ in what the words mean.
# In PyTorch, `NLLLoss` wants log-probabilities and `CrossEntropyLoss` scores, and the argument of `kl_div` that comes
# first holds the *logarithms* of the model, with the truth second, so that its order is the reverse of the formula.
# Its default `reduction="mean"` divides by the number of elements instead of rows; only `"batchmean"` gives the
# divergence.
#
# Two details. The gradient of the maximum that is subtracted cancels in exact arithmetic, so that it does not matter
# how it is shared out at ties, and some frameworks stop it altogether. And whether subnormal numbers exist at all
# depends on the processor and its settings, so that the naive sum near $c = -102$ may come out differently on two
# machines; this is one more reason to stay away from the edge.
#
# ## Summary
#
# Softmax follows from letting differences of scores be logarithms of odds, and equally from asking for the least
# presumptuous distribution with a given mean. It is the gradient of log-sum-exp, which must be computed with the
# maximum subtracted. Cross-entropy is the mean length of a code made for the wrong probabilities: it exceeds the
# entropy of the truth by a divergence that is never negative, and its gradient with respect to the scores is belief
# minus truth. A temperature changes how sure a model is without changing its order. Softmax is applied once, and no
# class should get probability zero.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise softmax-and-cross-entropy` writes a stub to fill in,
# `d2l check FILE` examines it on every installed backend. Solutions to all are in
# `softmax_and_cross_entropy_solutions.py`.
#
# 1. ★ *Two classes.* With the scores 0 and $x$ the log-sum-exp is $\log(1 + e^x)$, the *softplus*. Write `softplus(x)`
#    such that it neither overflows at 1000 nor returns zero at $-20$, where the value is $2.06 \cdot 10^{-9}$, and has
#    the right gradient also at $x = 0$.
# 2. ★ *The price of the wrong code.* Write `divergence(scores, q)`, the mean over rows of
#    $D(\mathbf{q} \,\Vert\, \operatorname{softmax}(\mathbf{o}))$. Zeros in $\mathbf{q}$ cost nothing.
# 3. *Two buses.* Half of the people go by car and half by a red bus; scores 0 and 0. Now every second red bus is
#    painted blue. Which probabilities does the softmax give to three equal scores, and what is true? Where did we put
#    that assumption in?
# 4. *Bounds.* When is log-sum-exp equal to its upper bound, and how does $T \operatorname{lse}(\mathbf{o} / T)$ behave
#    for $T \to 0$?
# 5. *Three letters.* Let the row depend on the two letters before. How many bits does each half of the novel cost now,
#    and what do you conclude about longer memories?
#
# ## References
#
# - L. Boltzmann (1868), *Studien über das Gleichgewicht der lebendigen Kraft zwischen bewegten materiellen Punkten*,
#   Wiener Berichte 58.
# - C. E. Shannon (1948), *A Mathematical Theory of Communication*, Bell System Technical Journal 27.
# - L. G. Kraft (1949), *A Device for Quantizing, Grouping, and Coding Amplitude-Modulated Pulses*, Master's thesis,
#   MIT.
# - C. E. Shannon (1951), *Prediction and Entropy of Printed English*, Bell System Technical Journal 30.
# - S. Kullback and R. A. Leibler (1951), *On Information and Sufficiency*, Annals of Mathematical Statistics 22.
# - E. T. Jaynes (1957), *Information Theory and Statistical Mechanics*, Physical Review 106.
# - R. D. Luce (1959), *Individual Choice Behavior*, Wiley.
# - J. Rissanen (1976), *Generalized Kraft Inequality and Arithmetic Coding*, IBM Journal of Research and
#   Development 20.
# - R. C. Pasco (1976), *Source Coding Algorithms for Fast Data Compression*, PhD thesis, Stanford University.
