# /// lesson
# name = "generalisation-in-classification"
# title = "Generalisation in classification"
# sections = ["4.6"]
# needs = ["softmax-regression"]
# data = ["fashion-mnist"]
# [time]
# smoke = "2 s"
# standard = "5 s"
# full = "5 s"
# [promises]
# standard = ["lesson: patterns_of_4 >= 14", "lesson: patterns_of_4 <= 14"]
# full = [
#   "lesson: counting_gap <= 1e-6", "lesson: patterns_of_3 >= 8", "lesson: patterns_of_4 <= 14",
#   "lesson: patterns_of_5 >= 22", "lesson: patterns_of_5 <= 22", "lesson: wilson_lowest_coverage >= 0.92",
#   "lesson: spread_ratio <= 1.1", "lesson: spread_ratio >= 0.9", "lesson: climbed_public >= 0.86",
#   "lesson: climbed_fresh <= 0.80",
# ]
# ///

# %% [markdown]
# # Generalisation in classification
#
# Two firms offer a model that reads the labels on parcels. One misreads 21 of 1,000 test parcels, the other 28. Is
# the first one better, or was it lucky with these thousand? A colleague has tried 200 settings and shows the best
# result on the same test parcels. How much of it is left on parcels that nobody has seen?
#
# A test result is a measurement, and a measurement has an error. In this lesson we compute that error, find out how
# many examples a question needs, watch a test set wear out from being used, and end with a theory that promises
# something even about the *training* error, if the model is not too rich.

# %%
import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_arrays

from d2l_core import nn, optim, random, xp
from d2l_core.data import Loader
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import accuracy, cross_entropy
from d2l_core.plots import INK, house_style
from d2l_core.training import Data, Trainer

# %% [markdown]
# ## The idea
#
# Think of all parcels that will ever arrive as an urn. A fixed model is wrong on a certain share $\epsilon$ of
# them, its *true error*. A test draws $n$ of them at random. The share $\hat\epsilon$ on which the model is wrong
# is what we can see. Another draw would have given another number, and the figure shows how the numbers would be
# spread for $\epsilon = 0.2$: four times as many examples, half the width.


# %%
def log_factorials(n):
    """log 0!, ..., log n! as an array (n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def binomial(n, p):
    """Probabilities (n + 1,) of 0, ..., n successes in n trials of probability p, strictly between 0 and 1."""
    k, log_f = np.arange(n + 1), log_factorials(n)
    return np.exp(log_f[n] - log_f[k] - log_f[n - k] + k * np.log(p) + (n - k) * np.log1p(-p))


@house_style
def plot_spread(error=0.2, sizes=(100, 400, 1600)):
    """Distribution of the test error for test sets of several sizes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 2.8))
    for n in sizes:
        axes.plot(np.arange(n + 1) / n, n * binomial(n, error), label=f"$n$ = {n:,}")
    axes.set(xlim=(0.05, 0.35), xlabel=r"test error $\hat\epsilon$", ylabel="density")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_spread()

# %% [markdown]
# ## The mathematics
#
# **A coin with an unknown bias.** Let $e_i$ be 1 if the model is wrong on test example $i$ and else 0. The examples
# are drawn independently, and the model was fixed *before*, so the $e_i$ are independent with $P(e_i = 1) =
# \epsilon$, and the number of errors $n\hat\epsilon = \sum_i e_i$ is binomial. As $e_i^2 = e_i$, one example has
# the variance $\epsilon - \epsilon^2$, and
#
# $$\mathbb{E}[\hat\epsilon] = \epsilon, \qquad
#   \sigma(\hat\epsilon) = \sqrt{\frac{\epsilon(1 - \epsilon)}{n}} \le \frac{1}{2\sqrt{n}} .$$
#
# For large $n$ the binomial is nearly normal, so $|\hat\epsilon - \epsilon| \le z\,\sigma$ with a probability of 95
# per cent for $z = 1.96$. The obvious interval puts $\hat\epsilon$ in place of $\epsilon$ into $\sigma$ (*Wald's*).
# It fails where it matters: a model without any error on the test would get an interval of width zero. Wilson
# (1927) instead asks which $\epsilon$ satisfy $(\hat\epsilon - \epsilon)^2 \le z^2 \epsilon (1 - \epsilon)/n$. This
# is a quadratic inequality, and its solutions are the interval
#
# $$\frac{\hat\epsilon + \frac{z^2}{2n} \pm z \sqrt{\frac{\hat\epsilon (1 - \hat\epsilon)}{n} + \frac{z^2}{4n^2}}}
#   {1 + \frac{z^2}{n}} .$$
#
# **Without approximation.** Hoeffding (1963) bounds the same deviation for every $n$ and every $\epsilon$. For $s >
# 0$, since $e^{su}$ is increasing and positive, $P(\hat\epsilon - \epsilon \ge t) \le e^{-snt}\,
# \mathbb{E}\big[e^{s \sum_i (e_i - \epsilon)}\big] = e^{-snt} \prod_i \mathbb{E}\big[e^{s(e_i - \epsilon)}\big]$.
# The logarithm $\psi(s)$ of one factor has $\psi(0) = \psi'(0) = 0$, and its second derivative is the variance of a
# variable in an interval of length one, at most $\frac14$. So $\psi(s) \le s^2/8$, the bound is $e^{-snt +
# ns^2/8}$, it is smallest at $s = 4t$, and with the other side
#
# $$P(|\hat\epsilon - \epsilon| \ge t) \le 2 e^{-2nt^2} .$$
#
# How many examples does it take to know an error to one percentage point, with 95 per cent confidence? By Hoeffding
# $n = \log(2/0.05)/(2 \cdot 0.01^2)$, about 18,400; by the normal approximation with the worst $\epsilon = \frac12$
# about 9,600; at $\epsilon = 0.1$ about 3,500. Each further decimal costs a hundred times as many.
#
# **Two models on the same examples.** Let $n_{10}$ be the number of examples on which only the first model is right
# and $n_{01}$ those on which only the second is. The others say nothing about the difference. With $d_i \in \{-1,
# 0, 1\}$ for the difference on example $i$, its mean is $\hat\delta = (n_{10} - n_{01})/n$ and the mean of $d_i^2$
# is $(n_{10} + n_{01})/n$, so the standard error is
#
# $$\sigma(\hat\delta) \approx \sqrt{\frac{1}{n}\left(\frac{n_{10} + n_{01}}{n} - \hat\delta^2\right)} .$$
#
# Two models that are mostly wrong on the same examples differ on few, and their difference is known far better than
# either error. If both are equally good, each of the $n_{10} + n_{01}$ examples goes to either side like a fair
# coin. The probability of a split at least as uneven as ours is a sum of binomial terms: the exact form of
# McNemar's (1947) test.

# %% [markdown]
# ## From scratch
#
# Each formula is a function of a line or two.


# %%
def wald(wrong, n, z=1.96):
    """The obvious interval for the error after `wrong` errors in n: a pair of arrays like `wrong`."""
    share = np.asarray(wrong) / n
    half = z * np.sqrt(share * (1 - share) / n)
    return share - half, share + half


def wilson(wrong, n, z=1.96):
    """Wilson's interval for the error after `wrong` errors in n."""
    share = np.asarray(wrong) / n
    centre = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


def hoeffding(wrong, n, confidence=0.95):
    """The interval that Hoeffding's bound guarantees."""
    share = np.asarray(wrong) / n
    half = np.sqrt(np.log(2 / (1 - confidence)) / (2 * n))
    return share - half, share + half


def coverage(interval, n, error):
    """Probability that the interval computed from a test of n examples contains the true error; no simulation."""
    low, high = interval(np.arange(n + 1), n)
    return float(binomial(n, error)[(low <= error) & (error <= high)].sum())


def paired(right_a, right_b):
    """Difference of two accuracies on the same examples (n,), its standard error, and McNemar's exact p-value."""
    right_a, right_b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    n, only_a, only_b = len(right_a), np.sum(right_a & ~right_b), np.sum(right_b & ~right_a)
    split = int(only_a + only_b)
    difference = (only_a - only_b) / n
    tail = binomial(split, 0.5)[: min(only_a, only_b) + 1].sum() if split else 1.0
    return difference, np.sqrt((split / n - difference**2) / n), min(1.0, 2 * tail)


# %% [markdown]
# An interval "with 95 per cent confidence" should contain the true error in 95 of 100 tests. Since the binomial
# distribution is known we need not simulate: for each $\epsilon$ we add up the probabilities of all outcomes whose
# interval contains it.


# %%
@house_style
def plot_coverage(n=100):
    """Probability with which each interval contains the true error."""
    import matplotlib.pyplot as plt

    errors = np.linspace(0.005, 0.5, 200)
    figure, axes = plt.subplots(figsize=(6.5, 3.0))
    for interval in (wald, wilson, hoeffding):
        axes.plot(errors, [coverage(interval, n, error) for error in errors], label=interval.__name__)
    axes.axhline(0.95, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel=r"true error $\epsilon$", ylabel="coverage", ylim=(0.5, 1.01))
    axes.legend(loc="lower right")
    return figure


# %%
if __name__ == "__main__":
    lowest = {f: min(coverage(f, 100, e) for e in np.linspace(0.02, 0.5, 97)) for f in (wald, wilson, hoeffding)}
    report(
        wald_lowest_coverage=lowest[wald],
        wilson_lowest_coverage=lowest[wilson],
        hoeffding_lowest_coverage=lowest[hoeffding],
    )

# %%
if __name__ == "__main__":
    plot_coverage()

# %% [markdown]
# With $n = 100$ and errors from 0.02 to 0.5 Wald's interval falls to a coverage of
# 0.802<!--lesson.wald_lowest_coverage-->, and towards smaller errors it goes down to zero. Wilson's does not fall below
# 0.927<!--lesson.wilson_lowest_coverage--> there. Hoeffding's keeps its promise everywhere, with
# 0.993<!--lesson.hoeffding_lowest_coverage--> at worst, and pays with its width. The teeth of the curves come from the
# whole numbers that an error count has to be.
#
# So, the two firms: 21 errors in 1,000 give Wilson's interval from 0.0138 to 0.0319, and 28 from 0.0194 to 0.0402.
# They overlap widely. The next section shows what that does and does not mean.
#
# ## Concise: two models for clothes
#
# We train softmax regression on 2,000 images of Fashion-MNIST's embedded sample, once on all pixels and once on
# images shrunk to 14 by 14 by averaging. The other 5,000 images shall be our urn. It is small for an urn, but we
# know what is in it.


# %%
def clothes():
    """Images (n, 28, 28) in [0, 1] and labels (n,) of the embedded sample, mixed; fewer at smoke."""
    pairs = fashion_arrays("smoke" if scale() == "smoke" else "standard")
    images, labels = (np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))
    order = random.permutation(len(labels), "generalisation", "mix")
    return images[order] / 255, labels[order]


def shrunk(images):
    """Means over squares of two by two: (n, 28, 28) to (n, 14, 14)."""
    return images.reshape(len(images), 14, 2, 14, 2).mean(axis=(2, 4))


def trained(images, labels, lr, epochs=20):
    """Softmax regression trained on images (n, h, w)."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(10, weight_init=nn.initialisers.Normal(0.01)))
    train = Loader((images, labels), 64, shuffle=True, stream=(0, "shuffle"))
    data = Data(train, Loader((images[:64], labels[:64]), 64))
    Trainer(epochs).fit(model, data, loss=cross_entropy, optimiser=lambda m: optim.SGD(m, lr=lr))
    return model


def is_right(model, images, labels):
    """Whether the model names each image rightly: booleans (n,) on the host."""
    return xp.to_numpy(xp.argmax(model(xp.asarray(images)), axis=-1)) == labels


# %%
if __name__ == "__main__":
    images, labels = clothes()
    cut = 2000 * len(labels) // 7000
    urn, answers = images[cut:], labels[cut:]
    large = trained(images[:cut], labels[:cut], lr=0.1)
    small = trained(shrunk(images[:cut]), labels[:cut], lr=0.4)
    right_large, right_small = is_right(large, urn, answers), is_right(small, shrunk(urn), answers)
    by_library = accuracy(large(xp.asarray(urn)), xp.asarray(answers))
    report(
        accuracy_large=right_large.mean(),
        accuracy_small=right_small.mean(),
        counting_gap=abs(right_large.mean() - float(xp.to_numpy(by_library))),
    )

# %% [markdown]
# In the urn the large model names 0.804<!--lesson.accuracy_large--> of the images rightly and the small one
# 0.792<!--lesson.accuracy_small-->. Now we forget this and draw test sets of 100 images, a thousand times, to see
# whether the theory is right about the spread.


# %%
def drawn_accuracies(right, n, draws=1000):
    """Accuracies (draws,) on random test sets of n examples, with replacement."""
    places = (random.uniform((draws, n), "generalisation", "draws") * len(right)).astype(int)
    return right[places].mean(axis=1)


# %%
if __name__ == "__main__":
    found = drawn_accuracies(right_large, 100)
    share = right_large.mean()
    report(
        lowest_draw=found.min(),
        highest_draw=found.max(),
        spread=found.std(),
        spread_ratio=found.std() / np.sqrt(share * (1 - share) / 100),
        covered=np.mean([low <= 1 - share <= high for low, high in zip(*wilson(100 * (1 - found), 100), strict=True)]),
    )

# %% [markdown]
# One and the same model scored between 0.67<!--lesson.lowest_draw--> and 0.92<!--lesson.highest_draw--> on a
# hundred images. The standard deviation was 0.039<!--lesson.spread-->, which is 0.98<!--lesson.spread_ratio-->
# times the formula, and Wilson's interval contained the truth in 0.97<!--lesson.covered--> of the tests.
#
# Next, which model is better? We take a test set of 1,000 images and compare, first as if the models had been
# tested on different images, then in pairs.

# %%
if __name__ == "__main__":
    a, b = right_large[:1000], right_small[:1000]
    difference, error, p_value = paired(a, b)
    report(
        test_large=a.mean(),
        test_small=b.mean(),
        only_large=np.sum(a & ~b),
        only_small=np.sum(b & ~a),
        difference=difference,
        error_unpaired=np.sqrt((a.mean() * (1 - a.mean()) + b.mean() * (1 - b.mean())) / 1000),
        error_paired=error,
        p_value=p_value,
    )
    report(p_value_of_urn=paired(right_large, right_small)[2])

# %% [markdown]
# The test gives 0.808<!--lesson.test_large--> and 0.798<!--lesson.test_small-->, a difference of
# 0.010<!--lesson.difference-->. Taken as independent, the difference has a standard error of
# 0.018<!--lesson.error_unpaired-->; taken in pairs, of 0.0068<!--lesson.error_paired-->, because the models
# disagree on only 28<!--lesson.only_large--> + 18<!--lesson.only_small--> images. Pairing is worth as much as a
# test set that is seven times as large, and it costs nothing but keeping the single answers. The p-value,
# 0.18<!--lesson.p_value-->, says how often two equally good models would be split at least so unevenly by chance. A
# thousand images are not enough to tell. With all 5,000 of the urn the p-value is
# 0.0002<!--lesson.p_value_of_urn-->: the large model is better, by about one percentage point.
#
# How many would it take? If a share $s$ of the examples splits the models and the difference is $\delta$, the
# difference is $z$ standard errors for $n \approx z^2 s / \delta^2$. For $s = 0.05$, $\delta = 0.01$ and $z = 1.96$
# that is 1,900 examples, and about twice as many if one wants to find the difference in most tests and not in every
# second one. For a tenth of a percentage point it would be a hundred times more. Tables in papers, where models
# differ by such tenths on ten thousand test images, should be read with this in mind.
#
# ## What goes wrong
#
# **A test set wears out.** All formulas assume that the model was fixed before the test set was looked at. Here is
# a competition with labels that are pure chance, 1,000 coins. Nobody can be right about more than half of *new*
# coins. A player sends in random guesses, is told the accuracy of each, keeps those above one half, flips the
# others, and takes the majority vote. No more information flows than a number for each try.


# %%
def vote_of_guesses(tries, n=1000):
    """Accuracy on n coins of the vote of guesses that were turned the better way by their score on those coins."""
    coins = np.where(random.uniform(n, "generalisation", "coins") < 0.5, -1, 1)  # (n,)
    guesses = np.where(random.uniform((tries, n), "generalisation", "guesses") < 0.5, -1, 1)  # (tries, n)
    scores = guesses @ coins  # (tries, n) @ (n,) -> (tries,)
    vote = np.sign(np.sign(scores) @ guesses)  # (n,)
    return float(np.mean(np.where(vote == 0, 0.5, vote == coins)))


# %%
if __name__ == "__main__":
    report(vote_of_10=vote_of_guesses(10), vote_of_100=vote_of_guesses(100), vote_of_1000=vote_of_guesses(1000))

# %% [markdown]
# After 10 tries the vote is right about 0.53<!--lesson.vote_of_10--> of the coins, after 100 about
# 0.60<!--lesson.vote_of_100-->, after 1,000 about 0.78<!--lesson.vote_of_1000-->. One can compute it: turning a
# guess the better way gives each of its answers an advantage of $\sqrt{2/(\pi n)}$ on average, $k$ guesses add up
# to $k\sqrt{2/(\pi n)}$ against a standard deviation of $\sqrt{k}$, and so the vote is right with the probability
# $\Phi\big(\sqrt{2k/(\pi n)}\big)$, where $\Phi$ is the distribution function of the normal law; at $k = n$ this is
# 0.79 (Blum and Hardt, 2015, use the same attack). A hold-out set of $n$ examples answers about $n$ adaptive
# questions before its answers mean nothing. For questions that were all fixed beforehand it is otherwise: by
# Hoeffding and the union bound, $k$ of them have errors of at most $\sqrt{\log(2k/0.05)/(2n)}$ at once, and $k$
# stands inside a logarithm.
#
# The same with a real model. We take the large one and 200 of the urn's images as the public test set. Each of
# 1,000 times we add a little noise to the weights, and keep it if the public accuracy does not fall. No gradient,
# no look at any image.


# %%
PUBLIC = 200  # images on which the player is told the accuracy


def climb(model, public, tries=1000, size=0.01, margin=0.0):
    """Weights (784, 10) and bias (10,) found by random changes, and the best accuracy after each try.

    A change is kept if the accuracy on the public (images, labels) is at least `margin` above the best so far.
    """
    state = model.state_dict()
    weight, bias = state["1.weight"].T.astype(np.float64), state["1.bias"].astype(np.float64)
    images, labels = public[0].reshape(len(public[0]), -1), public[1]  # (n, 784), (n,)
    best, course = np.mean((images @ weight + bias).argmax(axis=1) == labels), []
    for i in range(tries):
        change = weight + random.normal(weight.shape, "generalisation", "climb", i, std=size)
        score = np.mean((images @ change + bias).argmax(axis=1) == labels)
        if score >= best + margin:
            best, weight = score, change
        course.append(best)
    return weight, bias, course


@house_style
def plot_climb(course, before, after):
    """Public accuracy over the tries, and the accuracy on fresh images before and after."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 2.8))
    axes.plot(course, label=f"{PUBLIC} public images")
    axes.plot([0, len(course) - 1], [before, after], marker="o", label="fresh images")
    axes.set(xlabel="tries", ylabel="accuracy")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    tries = {"smoke": 50, "standard": 1000, "full": 1000}[scale()]
    weight, bias, course = climb(large, (urn[:PUBLIC], answers[:PUBLIC]), tries)
    fresh = (urn[PUBLIC:].reshape(-1, weight.shape[0]) @ weight + bias).argmax(axis=1) == answers[PUBLIC:]
    report(
        public_before=right_large[:PUBLIC].mean(),
        climbed_public=course[-1],
        fresh_before=right_large[PUBLIC:].mean(),
        climbed_fresh=fresh.mean(),
    )

# %%
if __name__ == "__main__":
    plot_climb(course, right_large[PUBLIC:].mean(), fresh.mean())

# %% [markdown]
# On the public images the accuracy rose from 0.820<!--lesson.public_before--> to 0.895<!--lesson.climbed_public-->.
# On the other images it went from 0.803<!--lesson.fresh_before--> to 0.780<!--lesson.climbed_fresh-->. A person who
# tries 1,000 settings and looks at the test accuracy each time does the same, with more thought per step. The
# remedies: choose by a *validation* set and look at the test set once; report how many things were tried; get new
# test data from time to time; or answer only if a submission is better than the best so far by more than chance
# would make it, which protects a leaderboard surprisingly well (the *ladder* of Blum and Hardt). Recht and others
# (2019) collected new test sets for two famous benchmarks after a decade of use. All accuracies were lower on the
# new images, which were somewhat harder, but the *order* of the models was nearly the same: the community had worn
# out the test sets less than one might fear, perhaps because its models are so alike.
#
# ## Can the training error be trusted?
#
# A trained model has seen the training examples, so its training error is not binomial. One way out is a guarantee
# for *all* models of a class at once; then it also holds for the one that training picks. For finitely many, say
# $M$, the union bound of above does it. But even lines in the plane are infinitely many. Vapnik and Chervonenkis
# (1971) saw that on $n$ examples only their answers count: a class that can produce only few different *patterns*
# of answers on $n$ points behaves as if it were finite.
#
# A class *shatters* a set of points if it produces all $2^n$ patterns on it. The *VC dimension* is the size of the
# largest set that it shatters. Which patterns can a line produce, positive on one side and negative on the other?
# We try all at once, with a perceptron for each of the $2^m$ patterns of $m$ points: as long as a point is on the
# wrong side, its coordinates are added to the weights with the sign of its label (Rosenblatt, 1958). If the pattern
# can be separated this ends, and otherwise it never does.


# %%
def all_patterns(m):
    """All rows of m signs: (2 ** m, m)."""
    return 1.0 - 2.0 * ((np.arange(2**m)[:, None] >> np.arange(m)) & 1)


def separable(points, steps=300):
    """Which of all patterns of points (m, 2) a line can produce: booleans (2 ** m,), by a perceptron for each."""
    X = xp.asarray(np.column_stack([points, np.ones(len(points))]))  # (m, 3)
    signs = xp.asarray(all_patterns(len(points)))  # (2 ** m, m)
    weights = xp.zeros((signs.shape[0], 3))
    for _ in range(steps):
        margins = signs * xp.matmul(weights, xp.matrix_transpose(X))  # (2 ** m, 3) @ (3, m) -> (2 ** m, m)
        wrong = xp.where(margins <= 0, signs, xp.zeros_like(signs))  # (2 ** m, m)
        weights = weights + xp.matmul(wrong, X)  # (2 ** m, m) @ (m, 3) -> (2 ** m, 3)
    margins = signs * xp.matmul(weights, xp.matrix_transpose(X))
    return xp.to_numpy(xp.all(margins > 0, axis=1))


def on_a_circle(m):
    """m points (m, 2) at equal distances on a circle."""
    angles = 2 * np.pi * np.arange(m) / m + 0.3
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@house_style
def plot_patterns(points):
    """Every pattern of the points; those that no line can produce are crossed out."""
    import matplotlib.pyplot as plt

    possible, signs = separable(points), all_patterns(len(points))
    figure, panels = plt.subplots(2, len(signs) // 2, figsize=(9.5, 2.4))
    for axes, row, can in zip(panels.flat, signs, possible, strict=True):
        axes.plot(*points[row > 0].T, "C0o", linestyle="none")
        axes.plot(*points[row < 0].T, "C1s", linestyle="none", fillstyle="none")
        if not can:
            axes.plot([-1.3, 1.3], [-1.3, 1.3], color=INK, linestyle="-")
            axes.plot([-1.3, 1.3], [1.3, -1.3], color=INK, linestyle="-")
        axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), xticks=[], yticks=[], aspect="equal")
    return figure


# %%
if __name__ == "__main__":
    two, three, four, five, six = (separable(on_a_circle(m)).sum() for m in (2, 3, 4, 5, 6))
    report(patterns_of_2=two, patterns_of_3=three, patterns_of_4=four, patterns_of_5=five, patterns_of_6=six)

# %%
if __name__ == "__main__":
    plot_patterns(on_a_circle(4))

# %% [markdown]
# Three points are shattered, with 8<!--lesson.patterns_of_3--> patterns of 8. Of the 16 patterns of four points
# only 14<!--lesson.patterns_of_4--> are possible; the two missing ones have opposite corners of a square in the
# same class. That no other four points do better takes an argument: either one lies in the triangle of the others,
# and then it cannot be alone on its side, or they are the corners of a quadrangle, and then its diagonals, which
# cross, cannot be separated. So lines in the plane have the VC dimension three, and in general hyperplanes in
# $\mathbb{R}^d$ have $d + 1$. On five and six points there are 22<!--lesson.patterns_of_5--> of 32 and
# 32<!--lesson.patterns_of_6--> of 64, as Cover's (1965) formula $m^2 - m + 2$ says: beyond the VC dimension the
# number of patterns no longer doubles with each point, it grows like a polynomial. For every class of the VC
# dimension $v$ it is at most $\sum_{i \le v} \binom{m}{i}$ (Sauer, 1972). Therefore, with a probability of at least
# $1 - \delta$, for all models of the class
#
# $$|\text{true error} - \text{training error}|
#   \le \sqrt{\frac{8}{n} \log \frac{4 \sum_{i \le v} \binom{2n}{i}}{\delta}} .$$


# %%
def vc_bound(v, n, delta=0.05):
    """The bound of the text for VC dimension v and n training examples."""
    log_f = log_factorials(2 * n)
    i = np.arange(v + 1)
    logs = log_f[2 * n] - log_f[i] - log_f[2 * n - i]  # (v + 1,)
    patterns = logs.max() + np.log(np.exp(logs - logs.max()).sum())
    return float(np.sqrt(8 / n * (np.log(4 / delta) + patterns)))


# %%
if __name__ == "__main__":
    report(bound_plane=vc_bound(3, 10_000), bound_pixels=vc_bound(785, 60_000))

# %% [markdown]
# For a line in the plane and 10,000 examples the two errors differ by at most 0.16<!--lesson.bound_plane-->,
# whatever the data and however the line was found. That is remarkable, and not very useful. For a hyperplane on 784
# pixels, trained on 60,000 images, the bound is 0.79<!--lesson.bound_pixels-->; measured gaps of such models are
# one or two hundredths. The bound has to hold for the most spiteful data one can think of. For deep networks it is
# silent altogether: they can produce *every* pattern on their training images, even random labels (Zhang and
# others, 2017), and generalise all the same. Why they do is an open question; what can be relied upon is a test set
# that was used once.
#
# ## Under the surface
#
# The formulas are arithmetic and the same everywhere; the counts are not quite. Where two logits are equal up to
# rounding, another order of additions may turn an image's answer over, so accuracies of the same weights on two
# frameworks can differ by single examples, 0.0002 in our urn. Compared with a standard error of 0.006 this is nothing;
# as an equality in a test it is a trap. Averages can hide a larger difference: a mean of batch accuracies (a common way
# in training loops of all frameworks) weighs a last, smaller batch like the others, while Keras' and `torchmetrics`'
# metrics keep counts. And `argmax` of a row of NaN is 0 in every framework, so a model that has diverged scores one
# tenth and not an error. (If only some entries are NaN, TensorFlow passes over them and the others answer the first of
# them.)
#
# ## Summary
#
# The errors on a test set are binomial: their share has the standard deviation $\sqrt{\epsilon(1 - \epsilon)/n}$,
# Wilson's interval states it honestly, and Hoeffding's bound holds without any approximation. Two models should be
# compared in pairs on the same examples. All this is true of a model that was fixed before the test set was looked
# at; after about as many adaptive looks as it has examples, a test set is worn out. Training errors can be trusted
# for classes of small VC dimension and many examples, a guarantee that is true, general, and far too weak for deep
# networks.
#
# ## Exercises
#
# Solutions are in `generalisation_in_classification_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise generalisation-in-classification` writes a stub to fill in, `d2l check FILE` examines it on every
# installed backend.
#
# 1. ★ *Wilson for many.* Write `wilson_bounds(wrong, n, z)` with primitives, for counts `wrong` (m,) of errors in
#    tests of sizes `n` (m,), as a tensor (m, 2) of lower and upper ends.
# 2. ★ *In pairs.* Write `paired_difference(right_a, right_b)` for two arrays (n,) of ones and zeros: a tensor (2,)
#    with the difference of the accuracies and its standard error.
# 3. *The two firms.* If the parcels were the same, what else would have to be known to tell 21 errors from 28?
#    Between which values can the p-value lie?
# 4. *Rectangles.* What is the VC dimension of rectangles with sides parallel to the axes, positive inside? Show
#    four points that are shattered, and why five never are.
# 5. *One parameter, no limit.* The class $\operatorname{sign}(\sin(\omega x))$ has a single parameter. Show that it
#    shatters the points $x_i = 10^{-i}$, $i = 1, \dots, m$, with $\omega = \pi\big(1 + \sum_i (1 - y_i)\,10^i /
#    2\big)$ for labels $y_i \in \{-1, 1\}$. What does this say about counting parameters?
# 6. *The ladder.* Let `climb` accept a try, and tell its score, only if it beats the best by $1/\sqrt{n}$ with $n$
#    the number of public images (the argument `margin`). What becomes of the climb?
#
# ## References
#
# - E. B. Wilson (1927), *Probable Inference, the Law of Succession, and Statistical Inference*, Journal of the
#   American Statistical Association 22.
# - Q. McNemar (1947), *Note on the Sampling Error of the Difference between Correlated Proportions or Percentages*,
#   Psychometrika 12.
# - F. Rosenblatt (1958), *The Perceptron: A Probabilistic Model for Information Storage and Organization in the
#   Brain*, Psychological Review 65.
# - W. Hoeffding (1963), *Probability Inequalities for Sums of Bounded Random Variables*, Journal of the American
#   Statistical Association 58.
# - T. M. Cover (1965), *Geometrical and Statistical Properties of Systems of Linear Inequalities with Applications
#   in Pattern Recognition*, IEEE Transactions on Electronic Computers 14.
# - V. N. Vapnik and A. Y. Chervonenkis (1971), *On the Uniform Convergence of Relative Frequencies of Events to
#   Their Probabilities*, Theory of Probability and Its Applications 16.
# - N. Sauer (1972), *On the Density of Families of Sets*, Journal of Combinatorial Theory A 13.
# - A. Blum and M. Hardt (2015), *The Ladder: A Reliable Leaderboard for Machine Learning Competitions*, ICML.
# - C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals (2017), *Understanding Deep Learning Requires Rethinking
#   Generalization*, ICLR.
# - B. Recht, R. Roelofs, L. Schmidt and V. Shankar (2019), *Do ImageNet Classifiers Generalize to ImageNet?*, ICML.
