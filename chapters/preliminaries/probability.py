# /// lesson
# name = "probability"
# title = "Probability and statistics"
# sections = ["2.6"]
# needs = []
# data = ["airfoil"]
# [time]
# smoke = "1 s"
# standard = "2 s"
# full = "2 s"
# [promises]
# standard = ["lesson: heads_of_ten >= 7", "lesson: heads_of_ten <= 7"]
# full = [
#   "lesson: heads_of_10000 >= 5002", "lesson: heads_of_10000 <= 5002", "lesson: sixes >= 9786",
#   "lesson: sixes <= 9786", "lesson: checksum >= 2652064555", "lesson: checksum <= 2652064555",
#   "lesson: slope <= -0.48",
#   "lesson: slope >= -0.52", "lesson: moments_gap <= 1e-4", "lesson: sick_if_positive >= 0.1",
#   "lesson: sick_if_positive <= 0.115", "lesson: naive_variance_error >= 0.5", "lesson: careless_category >= 49",
# ]
# ///

# %% [markdown]
# # Probability and statistics
#
# A friend throws a coin ten times, and seven times it shows heads. Is the coin bent? You would hesitate: such things
# happen. At seventy of a hundred you would begin to wonder, and at seven hundred of a thousand you would be sure.
# Somewhere in between chance turns into evidence, and one should be able to say where.
#
# The same question is asked whenever a model is judged by a thousand test images, trained on a minibatch of 32, or
# found to be half a percent better than another one. This lesson measures how far an average can be off, draws random
# numbers of every kind from a single kind, and turns probabilities around: from how often sick people test positive to
# how often people who test positive are sick.

# %%
import zlib

import numpy as np

from d2l_core import random, xp
from d2l_core.data import load_airfoil
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import random_uniform
from d2l_core.plots import COLOURS, INK, Diagram, house_style

# %% [markdown]
# ## The idea
#
# All that is random here begins with numbers which are *uniform* between 0 and 1: each is as likely as any other. A
# fair coin shows heads if such a number is below one half. `random.uniform(n, *key)` draws $n$ of them; the key, any
# integers and words, names the stream, so that the same key gives the same numbers again.


# %%
def tosses(n, seed, probability=0.5):
    """n throws of a coin: 1.0 for heads, 0.0 for tails, an array (n,)."""
    return (random.uniform(n, seed, "coin") < probability).astype(np.float64)


@house_style
def plot_shares(n=10_000, coins=8):
    """Share of heads so far in several long series of throws, with the typical deviation and twice that."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.6, 3.6))
    count = np.arange(1, n + 1)
    for seed in range(coins):
        axes.semilogx(count, np.cumsum(tosses(n, seed)) / count, "-", linewidth=0.9, color=f"C{seed % 6}", alpha=0.8)
    for width, style in ((0.5, "--"), (1.0, ":")):
        label = "typical deviation" if width == 0.5 else "twice that"
        axes.semilogx(count, 0.5 + width / np.sqrt(count), style, color=INK, label=label)
        axes.semilogx(count, 0.5 - width / np.sqrt(count), style, color=INK)
    axes.set(xlabel="throws $n$", ylabel="share of heads", ylim=(0.0, 1.0))
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    report(heads_of_ten=tosses(10, 0).sum(), heads_of_100=tosses(100, 0).sum(), heads_of_10000=tosses(10_000, 0).sum())

# %%
if __name__ == "__main__":
    plot_shares()

# %% [markdown]
# This fair coin shows 7<!--lesson.heads_of_ten--> heads in its first ten throws, exactly as your friend's. After a
# hundred throws it stands at 51<!--lesson.heads_of_100-->, after ten thousand at 5,002<!--lesson.heads_of_10000-->. The
# figure follows eight such coins. The *share* of heads settles down at one half, and the dashed curves tell how fast.
# (The *number* of heads does no such thing: its distance from $n/2$ grows.)
#
# ## The mathematics
#
# **Probability.** An experiment has possible outcomes, which form a set $\Omega$. An *event* is a subset of $\Omega$,
# and $P$ gives each event a number such that $P(A) \ge 0$, $P(\Omega) = 1$, and $P(A \cup B) = P(A) + P(B)$ for
# events that exclude each other (and the same for a sequence of them). Everything else follows from these three rules
# (Kolmogorov, 1933). A *random variable* $X$ assigns a number to each outcome. If its values are finitely many or can
# be numbered, its distribution is the table $p(x) = P(X = x)$; if they fill an interval, there is a *density* $p(x)
# \ge 0$, and the probability of an interval is the area under $p$ over it. Below we write sums; for densities they
# become integrals.
#
# **Expectation and variance.** The *expectation* is the mean of the values, weighted by how often they occur, and the
# *variance* the expected square of the distance from it:
#
# $$\mathbb{E}[X] = \sum_x x\, p(x), \qquad \operatorname{Var}[X] = \mathbb{E}\big[(X - \mathbb{E}[X])^2\big]
#   = \mathbb{E}[X^2] - \mathbb{E}[X]^2 .$$
#
# The square root $\sigma$ of the variance, the *standard deviation*, is a typical distance from the mean in the unit of
# $X$. From the definition, $\mathbb{E}[aX + bY] = a\,\mathbb{E}[X] + b\,\mathbb{E}[Y]$ whatever the two have to do with
# one another, and $\operatorname{Var}[aX] = a^2 \operatorname{Var}[X]$.
#
# **Independence.** $X$ and $Y$ are *independent* if $P(X = x, Y = y) = P(X = x)\, P(Y = y)$ for all values. With
# their tables $p$ and $q$, then, $\mathbb{E}[XY] = \sum_{x, y} xy\, p(x)\, q(y) = \mathbb{E}[X]\,\mathbb{E}[Y]$. With
# $\mu_X$ and $\mu_Y$ for the expectations,
#
# $$\operatorname{Var}[X + Y] = \operatorname{Var}[X] + \operatorname{Var}[Y]
#   + 2\,\mathbb{E}\big[(X - \mu_X)(Y - \mu_Y)\big],$$
#
# and the last term, the *covariance*, is $\mathbb{E}[XY] - \mu_X \mu_Y = 0$. **Variances of independent quantities add
# up; standard deviations do not.**
#
# **The law of large numbers.** Let $X_1, \dots, X_n$ be independent with the same expectation $\mu$ and variance
# $\sigma^2$, and $\bar X = \frac1n \sum_i X_i$ their mean. Then
#
# $$\mathbb{E}[\bar X] = \mu, \qquad \operatorname{Var}[\bar X] = \frac{1}{n^2} \cdot n \sigma^2 = \frac{\sigma^2}{n},
#   \qquad \text{standard deviation } \frac{\sigma}{\sqrt n} .$$
#
# To halve the error takes four times the data. How often can the mean be further off than some $\varepsilon$? In
# $\operatorname{Var}[\bar X] = \mathbb{E}[(\bar X - \mu)^2]$ the cases with $|\bar X - \mu| \ge \varepsilon$ contribute
# at least $\varepsilon^2$ times their probability, so
#
# $$P\big(|\bar X - \mu| \ge \varepsilon\big) \le \frac{\sigma^2}{n \varepsilon^2},$$
#
# *Chebyshev's inequality*, and it tends to zero for every $\varepsilon$. A throw of a fair coin has $\mu = \frac12$ and
# $\sigma^2 = \frac12 \cdot \frac14 + \frac12 \cdot \frac14 = \frac14$, so the share of heads typically deviates by
# $\frac{1}{2\sqrt n}$: 0.16 for ten throws, and seven heads are 1.3 such deviations. Seventy of a hundred would be four
# of them, seven hundred of a thousand nearly thirteen.
#
# **Turning probabilities around.** The probability of $A$ among the cases in which $B$ happens is
# $P(A \mid B) = P(A \cap B) / P(B)$. As $P(A \cap B)$ is symmetric, $P(A \mid B)\, P(B) = P(B \mid A)\, P(A)$, and
# dividing by $P(B)$ gives *Bayes' rule*
#
# $$P(A \mid B) = \frac{P(B \mid A)\, P(A)}{P(B)}, \qquad P(B) = P(B \mid A)\, P(A) + P(B \mid \bar A)\, P(\bar A),$$
#
# where $\bar A$ is the event that $A$ does not happen. In the form of *odds*, the ratio of what speaks for $A$ to what
# speaks against it, it has no denominator: $\frac{P(A \mid B)}{P(\bar A \mid B)} = \frac{P(A)}{P(\bar A)} \cdot
# \frac{P(B \mid A)}{P(B \mid \bar A)}$.

# %% [markdown]
# ## From scratch
#
# How does one draw from any table of probabilities $p_1, \dots, p_K$ with nothing but uniform numbers? Lay the
# probabilities side by side on a line of length one. A uniform number falls into the $k$-th piece with probability
# $p_k$. The pieces end at the cumulative sums $c_k = p_1 + \dots + p_k$, so we look for the first $c_k$ above the
# number. Drawing $n$ times and counting how often each $k$ occurs gives a *multinomial* sample $(N_1, \dots, N_K)$.
# Each $N_k$ is a sum of $n$ independent zeros and ones, with expectation $n p_k$ and variance $n p_k (1 - p_k)$.


# %%
def categories(probabilities, u):
    """For each uniform number (n,) the piece (n,) that it falls into, 0 to K - 1, for probabilities (K,)."""
    ends = np.cumsum(probabilities)[:-1]  # (K - 1,): the last piece ends where the line does
    return np.searchsorted(ends, u, side="right")  # (n,)


def multinomial(n, probabilities, *key):
    """How often each of K categories occurs in n draws: counts (K,)."""
    drawn = categories(probabilities, random.uniform(n, *key))  # (n,)
    return np.bincount(drawn, minlength=len(probabilities))  # (K,)


def mean_and_variance(values):
    """Mean and variance of numbers (n,), by the definitions."""
    mean = sum(values) / len(values)
    return mean, sum((value - mean) ** 2 for value in values) / len(values)


@house_style
def plot_multinomial(n=2000, probabilities=(0.35, 0.25, 0.2, 0.15, 0.05)):
    """The line that a uniform number falls on, and counts of draws with their expectations and deviations."""
    import matplotlib.pyplot as plt

    p = np.array(probabilities)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.0))
    starts = np.cumsum(p) - p
    left.barh([0] * len(p), p, left=starts, height=0.5, color=COLOURS[: len(p)], edgecolor=INK, alpha=0.6)
    for k, (start, width) in enumerate(zip(starts, p, strict=True)):
        left.text(start + width / 2, -0.38, str(k), ha="center", va="center")
    u = random.uniform(12, 0, "marks")
    left.plot(u, np.full(12, 0.45), "v", color=INK)
    left.set(xlabel="$u$", yticks=[], ylim=(-0.5, 0.8), title="the piece that $u$ falls into")
    right.bar(range(len(p)), multinomial(n, p, 0, "bars"), color=COLOURS[: len(p)], alpha=0.6, label="counts")
    right.errorbar(range(len(p)), n * p, 2 * np.sqrt(n * p * (1 - p)), fmt="o", color=INK, capsize=5, label="$np_k$")
    right.set(xlabel="category $k$", title=f"{n} draws; bars of two deviations")
    right.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_multinomial()

# %% [markdown]
# ## Concise
#
# These functions work on the host, where NumPy and `d2l_core.random` give the same numbers whatever backend is active.
# On the device, `random_uniform(key, counter, shape)` draws, also inside compiled code, and there too each backend gets
# the same bits. We throw a die, count with tensors, and compare the moments of the first thousand throws with our own.
# Counts are safe in float32 only as long as they stay below $2^{24}$, so we count in whole numbers.


# %%
def dice(n, counter=0):
    """n throws of a die on the active device: an integer tensor (n,) of 1 to 6."""
    u = random_uniform(random.key_of("dice"), counter, (n,))  # (n,)
    ends = xp.asarray(np.arange(1, 6) / 6.0)  # (5,)
    return 1 + xp.sum(xp.astype(xp.expand_dims(u, 1) >= ends, xp.int32), axis=1)  # (n, 1) >= (5,) -> (n, 5) -> (n,)


# %%
if __name__ == "__main__":
    thrown = dice(60_000)  # (60000,)
    counts = [int(xp.sum(xp.astype(thrown == face, xp.int32))) for face in range(1, 7)]
    print("faces:", counts, "expected 10,000 each, with a deviation of", round((60_000 * 5 / 36) ** 0.5))
    ours = mean_and_variance(xp.to_numpy(thrown)[:1000].astype(np.float64))
    first = xp.astype(thrown[:1000], xp.float32)
    moments = float(xp.mean(first)), float(xp.var(first))
    print(f"1,000 throws: mean {moments[0]:.4f}, variance {moments[1]:.4f}; for a die 3.5 and {35 / 12:.4f}")
    report(
        sixes=counts[5],
        largest_deviation=max(abs(count - 10_000) for count in counts),
        moments_gap=max(abs(a - b) for a, b in zip(ours, moments, strict=True)),
        checksum=zlib.crc32(random.normal(1000, 0, "checksum").tobytes()),
    )

# %% [markdown]
# The 60,000 throws contain 9,786<!--lesson.sixes--> sixes. Is the die bad? The deviation of a count is
# $\sqrt{60000 \cdot \frac16 \cdot \frac56} = 91$, so 214<!--lesson.largest_deviation--> too few are 2.3 deviations. For
# a face named beforehand that would happen about once in fifty. But we looked at six faces and picked the worst, so
# once in nine or ten is nearer the truth. Who searches long enough finds something that looks unlikely; this is as true
# of a table of benchmarks as of a die.
#
# The same 9,786 appears on all five backends, and so does every other number of this lesson that does not depend on how
# a library adds. The checksum of the bits of a thousand normal numbers is 2,652,064,555<!--lesson.checksum-->. Try it
# on your machine.
#
# ## How fast an average settles
#
# We repeat series of $n$ throws a thousand times and look how far the share of heads is typically off.


# %%
def rms_deviation(n, repeats):
    """Root mean square of the deviation of the share of heads from one half, over many series of n throws."""
    heads = random.uniform((repeats, n), n, "series") < 0.5  # (repeats, n)
    return float(np.sqrt(np.mean((heads.mean(axis=1) - 0.5) ** 2)))  # (repeats,) -> ()


@house_style
def plot_deviation(sizes, deviations):
    """Measured deviations against the law 1 / (2 sqrt(n))."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.4, 3.2))
    axes.loglog(sizes, deviations, "C0o", label="measured")
    axes.loglog(sizes, 0.5 / np.sqrt(sizes), "C1--", label=r"$1 / (2\sqrt{n})$")
    axes.set(xlabel="throws $n$", ylabel="deviation of the share")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    sizes, repeats = np.array([10, 30, 100, 300, 1000, 3000]), 100 if scale() == "smoke" else 1000
    deviations = np.array([rms_deviation(int(n), repeats) for n in sizes])
    heads = (random.uniform((repeats, 100), 100, "series") < 0.5).sum(axis=1)  # (repeats, 100) -> (repeats,)
    print({int(n): round(d, 4) for n, d in zip(sizes, deviations, strict=True)})
    report(
        deviation_of_100=deviations[2],
        slope=np.polyfit(np.log(sizes), np.log(deviations), 1)[0],
        share_beyond_two=np.mean(np.abs(heads - 50) >= 10),
    )

# %%
if __name__ == "__main__":
    plot_deviation(sizes, deviations)

# %% [markdown]
# On double logarithmic paper the points lie on a line with the slope $-0.501$<!--lesson.slope-->, where $1/\sqrt n$
# demands $-\frac12$. For a hundred throws the deviation is 0.0494<!--lesson.deviation_of_100--> and the theory says
# 0.05. A deviation of ten heads or more, two typical ones, occurred in 5.0 %<!--lesson.share_beyond_two--> of the
# series of a hundred. Chebyshev promises no more than 25 %. His bound holds for every distribution, and has to; sums of
# many independent terms follow the bell curve closely (the *central limit theorem*), and there 5 % is what lies beyond
# two deviations.
#
# ## Real measurements
#
# Does the law care about coins? In a wind tunnel of NASA 1,503 noise levels were measured, with the mean
# 124.8<!--lesson.level_mean--> dB and the standard deviation 6.90<!--lesson.level_deviation--> dB (the same data as in
# [Linear regression](../linear_regression/linear_regression.py)). Suppose we could afford only $n$ of them.


# %%
def means_of_samples(values, n, repeats, consecutive=False):
    """Means (repeats,) of n of the values (m,): drawn at random without repetition, or n that follow one another."""
    if consecutive:
        starts = (random.uniform(repeats, n, "starts") * (len(values) - n + 1)).astype(int)
        return np.array([values[start : start + n].mean() for start in starts])
    return np.array([values[random.permutation(len(values), r, "sample")[:n]].mean() for r in range(repeats)])


# %%
if __name__ == "__main__":
    level = load_airfoil()[1]  # (1503,)
    spread = {n: means_of_samples(level, n, repeats // 2).std() for n in (25, 100, 400)}
    for n, found in spread.items():
        print(f"{n} of 1,503: deviation of the mean {found:.3f} dB, sigma / sqrt(n) = {level.std() / n**0.5:.3f} dB")
    report(level_mean=level.mean(), level_deviation=level.std(), spread_25=spread[25], spread_100=spread[100])
    report(spread_400=spread[400])

# %% [markdown]
# With 25 cases the mean is typically off by 1.36<!--lesson.spread_25--> dB, with a hundred by
# 0.650<!--lesson.spread_100-->: four times the data, half the error. The formula says 1.38 and 0.69, and for 400 cases
# 0.345, where we find 0.304<!--lesson.spread_400-->. The last one is better than the law! A sample that never repeats a
# case is not independent: whoever is drawn cannot be drawn again, which makes samples more alike. For $n$ of $N$ the
# variance has the additional factor $\frac{N - n}{N - 1}$, and $0.345 \cdot \sqrt{1103/1502} = 0.296$. If we measured
# all, nothing would be uncertain. The same $\sigma / \sqrt n$ is the uncertainty of an accuracy: a model that is right
# for 90 % of 1,000 test images has $\sigma = \sqrt{0.9 \cdot 0.1} = 0.3$, and its 90 % stands for $90 \pm 1$.
#
# ## A test for an illness
#
# One in 200 people has an illness. A test finds 95 % of the sick and is wrong for 4 % of the healthy. Yours is
# positive. Many people, physicians among them (Eddy, 1982), answer with a number near 95 %, which is the share of the
# sick that the test finds. Let us count.


# %%
def diagram_test(people=20_000):
    """Where people go whom a test sorts: sick or healthy, positive or negative."""
    sick = people // 200
    positive, false_alarms = round(sick * 0.95), round((people - sick) * 0.04)
    diagram = Diagram(660, 210, title="a test sorts people")
    everyone = diagram.box(10, 80, 120, 36, f"{people:,} people")
    first = diagram.box(220, 20, 130, 36, f"{sick:,} sick", "1 in 200", colour=COLOURS[1])
    second = diagram.box(220, 140, 130, 36, f"{people - sick:,} healthy", colour=COLOURS[0])
    for start, y, label, colour in (
        (first, 5, f"{positive:,} positive", COLOURS[1]),
        (first, 55, f"{sick - positive:,} negative", INK),
        (second, 115, f"{false_alarms:,} positive", COLOURS[1]),
        (second, 165, f"{people - sick - false_alarms:,} negative", INK),
    ):
        diagram.arrow(start, diagram.box(460, y, 180, 34, label, colour=colour))
    diagram.arrow(everyone, first)
    diagram.arrow(everyone, second)
    return diagram


def bayes(prior, sensitivity, false_alarm):
    """Probability of the illness after a positive test, from its prior probability."""
    positive = sensitivity * prior + false_alarm * (1.0 - prior)
    return sensitivity * prior / positive


def screened(people, prior=0.005, sensitivity=0.95, false_alarm=0.04, shared=False):
    """Three boolean arrays (people,): who is sick, and who is positive in a first and a second test.

    With `shared` the second test repeats the first one's errors, since both have the same cause.
    """
    sick = random.uniform(people, 0, "sick") < prior
    rate = np.where(sick, sensitivity, false_alarm)
    first = random.uniform(people, 0, "first test") < rate
    second = first if shared else random.uniform(people, 0, "second test") < rate
    return sick, first, second


# %%
if __name__ == "__main__":
    diagram_test()

# %%
if __name__ == "__main__":
    once = bayes(0.005, 0.95, 0.04)
    twice = bayes(once, 0.95, 0.04)
    sick, first, second = screened(20_000 if scale() == "smoke" else 400_000)
    print(f"by Bayes' rule: {once:.4f} after one positive test, {twice:.4f} after two")
    report(
        positives=first.sum(),
        sick_if_positive=sick[first].mean(),
        sick_if_twice=sick[first & second].mean(),
        bayes_once=once,
        bayes_twice=twice,
    )

# %% [markdown]
# Of 20,000 people 95 are sick and positive, and 796 are healthy and positive: of 891 positives one in nine is sick.
# Bayes' rule says 0.1066<!--lesson.bayes_once-->, and among the 17,802<!--lesson.positives--> positives of the
# simulation 0.1077<!--lesson.sick_if_positive--> were sick. The test is not bad. It multiplies the odds by
# $0.95 / 0.04 \approx 24$; but they were 1 to 199. A second positive test, with errors that are independent of the
# first one's, multiplies them again and brings 0.739<!--lesson.bayes_twice-->, in the simulation
# 0.740<!--lesson.sick_if_twice-->. A detector of rare events, be it for illness, fraud or spam, is first of all a
# question of how rare they are.
#
# ## What goes wrong
#
# **Calling things independent that are not.** We take the mean of $n$ measurements that follow one another in the file,
# and give the patient a second test that errs for the same reason as the first.

# %%
if __name__ == "__main__":
    in_a_row = {n: means_of_samples(level, n, repeats // 2, consecutive=True).std() for n in (25, 100, 400)}
    report(row_spread_25=in_a_row[25], row_spread_100=in_a_row[100])
    sick, first, second = screened(20_000 if scale() == "smoke" else 400_000, shared=True)
    report(sick_if_twice_shared=sick[first & second].mean())

# %% [markdown]
# A hundred neighbouring rows have means that scatter by 2.41<!--lesson.row_spread_100--> dB, more than three times what
# $\sigma / \sqrt n$ claims, and taking four times as many rows as 25 improves 3.55<!--lesson.row_spread_25--> not to
# one half but to two thirds. Neighbours belong to the same wing and the same speed, and a hundred of them know little
# more than a few. And the second test is worthless: still 0.1077<!--lesson.sick_if_twice_shared-->, since a substance
# in the blood that fools one test fools its twin. Bayes' rule was applied correctly in both cases, and variances were
# added correctly; the assumption was wrong, and no formula complains about that.
#
# **Three traps of arithmetic** and of distributions:


# %%
def careless_categories(probabilities, u):
    """Like `categories`, but with all K ends, and in float32."""
    ends = np.cumsum(np.asarray(probabilities, np.float32))  # (K,)
    return np.searchsorted(ends, np.asarray(u, np.float32), side="right")  # (n,)


def naive_variance(x):
    """The mean of the squares minus the square of the mean."""
    return xp.mean(x * x) - xp.mean(x) ** 2


@house_style
def plot_without_mean(n=100_000, series=4):
    """Running means of normal numbers and of quotients of two normal numbers."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8.4, 3.0))
    count = np.arange(1, n + 1)
    for seed in range(series):
        above, below = random.normal(n, seed, "above"), random.normal(n, seed, "below")
        for axes, values in zip(panels, (above, above / below), strict=True):
            axes.semilogx(count, np.cumsum(values) / count, "-", linewidth=1.0, color=f"C{seed}")
    panels[0].set(title="normal numbers", xlabel="$n$", ylabel="mean of the first $n$", ylim=(-3, 3))
    panels[1].set(title="quotients of two", xlabel="$n$", ylim=(-10, 10))
    return figure


# %%
if __name__ == "__main__":
    even = np.full(49, 1.0 / 49)
    last = np.array([1.0 - 2.0**-23])  # among the largest float32 numbers below 1
    print(f"cumulative sum of 49 equal probabilities: 1 - {1.0 - np.cumsum(even.astype(np.float32))[-1]:.1e}")
    far = xp.asarray(10_000.0 + random.normal(1000, 0, "far"))  # (1000,)
    print(f"variance around 10,000: {float(naive_variance(far))}, in two passes {float(xp.var(far)):.4f}")
    report(
        careless_category=careless_categories(even, last)[0],
        careful_category=categories(even, last)[0],
        naive_variance=naive_variance(far),
        variance=xp.var(far),
        naive_variance_error=abs(float(naive_variance(far)) - float(xp.var(far))),
    )

# %%
if __name__ == "__main__":
    plot_without_mean()

# %% [markdown]
# *The line is too short.* Forty-nine times $\frac{1}{49}$, summed in float32, falls short of one by $3 \cdot 10^{-7}$.
# A uniform number beyond that belongs to category 49<!--lesson.careless_category-->, which does not exist: they are
# numbered from 0 to 48. It happens once in three million draws, after hours of training, as an index out of range or,
# worse, as a wrong word. Our function leaves out the last end and returns 48<!--lesson.careful_category-->.
#
# *One pass for the variance.* The formula $\mathbb{E}[X^2] - \mathbb{E}[X]^2$ is correct, and a temptation, since it
# needs the data only once. For a thousand numbers around 10,000 with a variance of 0.88<!--lesson.variance--> it gives
# 8<!--lesson.naive_variance--> on NumPy and 0<!--lesson.naive_variance @jax--> on JAX. Near $10^8$ neighbouring float32
# numbers are 8 apart, so the difference of the two means can be 0 or 8 or $-8$, but never 0.88. One must subtract the
# mean first.
#
# *No mean at all.* The quotient of two independent normal numbers has the density $\frac{1}{\pi (1 + x^2)}$, named
# after Cauchy, and the integral of $|x|\, p(x)$ is infinite. In the right panel the running means jump for ever,
# whenever a number close to zero gets into a denominator. The law of large numbers has a premise. Gradients can
# behave like that; a mean over a minibatch is then no more reliable than its largest entry.
#
# ## Under the surface
#
# The same seed gives other numbers in each framework, as the generators differ. NumPy's `default_rng` is PCG64 and
# its older functions use the Mersenne Twister, as PyTorch does on the CPU; PyTorch on the GPU and TensorFlow use
# Philox, JAX Threefry. They also differ in whether there is a *state*: PyTorch, MXNet and NumPy have one that every
# draw moves on, so that a single additional draw changes all that follow; in JAX a key is an argument and the same
# key gives the same numbers; TensorFlow offers both. The numbers of this course come from Philox, keyed by a hash of
# what they are for, and are turned into floats by operations that IEEE 754 defines to the last bit.
#
# Uniform numbers in float32 are not as fine as one thinks. With 24 random bits, as here on the device and in PyTorch,
# the smallest one after zero is $2^{-24}$, and zero itself comes up once in 17 million draws, when its logarithm is
# minus infinity.
#
# ## Summary
#
# Expectations add always, variances only for independent quantities, and from that alone the mean of $n$ of them has
# the deviation $\sigma / \sqrt n$: four times the data for half the error. Any table of probabilities can be drawn from
# with uniform numbers and cumulative sums. Bayes' rule turns $P(B \mid A)$ into $P(A \mid B)$ and needs to know how
# common $A$ is; each independent piece of evidence multiplies the odds. Measurements that hang together are worth fewer
# than their number, and some distributions have no mean to converge to.
#
# ## Exercises
#
# Solutions are in `probability_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise probability` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Which coin?* There are $K$ hypotheses with prior probabilities, and under each a table of probabilities for $M$
#    outcomes. Write `posterior(prior, likelihood, observed)`, the probabilities of the hypotheses after $n$ independent
#    observations, such that two thousand observations do not underflow.
# 2. ★ *The sum of two dice.* Write `distribution_of_sum(p, q)`: the table of probabilities of $X + Y$ for independent
#    $X$ and $Y$ with the values $0, 1, 2, \dots$ and the tables `p` and `q`.
# 3. *Is it bent?* A coin shows heads with the probability 0.51. How many throws until the expected excess is two
#    deviations of a fair coin? What does this say about two models whose accuracies differ by half a percent on 10,000
#    images?
# 4. *The album.* Every packet holds one of six pictures at random. How many packets does one need on average for all
#    six? Derive it and check it by simulation.
# 5. *Half a test.* The second test repeats the first one's result with the probability $\rho$, and else is independent
#    of it. How does the probability of being ill after two positives depend on $\rho$?
#
# ## References
#
# - T. Bayes (1763), *An Essay towards Solving a Problem in the Doctrine of Chances*, Philosophical Transactions of the
#   Royal Society 53.
# - A. N. Kolmogorov (1933), *Grundbegriffe der Wahrscheinlichkeitsrechnung*, Springer.
# - T. F. Chan, G. H. Golub and R. J. LeVeque (1983), *Algorithms for Computing the Sample Variance: Analysis and
#   Recommendations*, The American Statistician 37.
# - D. M. Eddy (1982), *Probabilistic Reasoning in Clinical Medicine: Problems and Opportunities*, in Judgment under
#   Uncertainty, Cambridge University Press.
# - J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), *Parallel Random Numbers: As Easy as 1, 2, 3*,
#   International Conference for High Performance Computing, Networking, Storage and Analysis.
