# /// lesson
# name = "data-preprocessing"
# title = "Data preprocessing"
# sections = ["2.2"]
# needs = []
# data = ["synthetic", "airfoil"]
# [time]
# smoke = "1 s"
# standard = "2 s"
# full = "2 s"
# [promises]
# standard = ["lesson: gap <= 2e-4"]
# full = [
#   "lesson: gap <= 2e-4", "lesson: complete <= 0.52", "lesson: broken_flagged <= 0.57", "lesson: broken_filled >= 0.7",
#   "lesson: leaked >= 0.75", "lesson: honest <= 0.6",
# ]
# ///

# %% [markdown]
# # Data preprocessing
#
# A shop for used bicycles keeps its stock in a table: what kind each one is, how old, how far it has been ridden,
# when it was last serviced and for how much it was sold. The owner would like a program that suggests prices. The
# program wants a matrix of floats. In the table there are words, commas inside words, empty cells, the letters NA,
# and one bicycle that has been ridden $-999$ kilometres.
#
# Between a table and a matrix lie decisions, and each of them can change the result more than the choice of the model
# does. We shall read such a file, fill its gaps, turn words into numbers, and bring everything to one scale; then we
# make gaps in NASA's measurements, where we know what stood in them, to see what each way of filling costs. At the
# end comes the most expensive mistake in this trade, letting the answer into the preparation.

# %%
import csv
import math
import tempfile
from pathlib import Path

import numpy as np

from d2l_core import random, xp
from d2l_core.data import load_airfoil
from d2l_core.lessons import report
from d2l_core.plots import INK, flow, house_style

# %% [markdown]
# ## The idea
#
# Five steps lead from the file to the matrix. What is a *column* of the table, with a name and one entry for each
# row, becomes one or several columns of numbers.


# %%
def diagram_steps():
    """From a file to a matrix."""
    return flow(
        ("file", "text"),
        ("columns", "lists of text"),
        ("numbers", "NaN in gaps"),
        ("filled", "and flagged"),
        ("one-hot", "words to 0 and 1"),
        ("scaled", "matrix (n, d)"),
        title="steps of preprocessing",
    )


# %%
if __name__ == "__main__":
    diagram_steps()

# %% [markdown]
# *Columns.* A CSV file is text, one row a line, with commas between the entries. An entry that itself contains a
# comma stands in quotation marks, and that alone is reason enough not to write `line.split(",")`.
#
# *Gaps.* The standard for floats has a value for "no number": NaN, *not a number*. Every result in which it takes
# part is NaN too, so a gap that was overlooked shows itself. It has a strange property: NaN equals nothing, not even
# itself, so `x == x` is false exactly in the gaps; `isnan` says it more clearly.
#
# *Filling.* Most models cannot take NaN. One may drop the rows with gaps, or fill each gap with a typical value of
# its column, and one may tell the model where gaps were by an additional column of zeros and ones, a *flag*.
#
# *Words.* A kind of bicycle is not a number. Were city, mountain and racing coded as 0, 1 and 2, a weighted sum would
# have to believe that a racing bicycle is twice a mountain bicycle. *One-hot* coding gives each kind a column of its
# own, which is 1 in the rows of that kind and 0 elsewhere.
#
# *Scale.* Kilometres run into thousands, years do not. Subtracting the mean of a column and dividing by its standard
# deviation makes columns comparable; [Linear regression](../linear_regression/linear_regression.py) shows what
# happens to gradient descent otherwise.
#
# ## The mathematics
#
# **What filling does to a column.** Let $x$ be a column of which a share $m$ is missing *completely at random*: each
# value had the same chance to get lost, whatever it was. Let $\bar{x}$ and $s^2$ be the mean and the variance of the
# values that are known. Fill the gaps with $\bar{x}$. The mean stays as it was. In the variance the gaps contribute
# zero, so
#
# $$\operatorname{var}(x_{\text{filled}}) = (1 - m)\,s^2 + m \cdot 0 = (1 - m)\,s^2 ,$$
#
# and the covariance with any other column $y$ is $1 - m$ times that of the known rows in the same way: where $x$
# stands at its mean, the product of the two deviations is zero. Two things follow. The slope of a line through the
# points, $\operatorname{cov}(x, y) / \operatorname{var}(x)$, is that of the known rows: filling with the mean is fair
# to a model of this one feature. But the correlation, the covariance divided by *both* standard deviations, is
# multiplied by $(1 - m) / \sqrt{1 - m} = \sqrt{1 - m}$ (on average, since the deviation of $y$ is taken over all
# rows). The column says less than it did, as it should.
#
# **What dropping costs.** If each of $d$ columns has gaps with probability $m$, independently, then a row is complete
# with probability $(1 - m)^d$. For $m = 0.2$ and five columns this is $0.33$: a fifth of the numbers is missing and
# two thirds of the rows are thrown away.
#
# **When gaps mean something.** Rubin (1976) distinguished three cases. Values may be missing completely at random; or
# with a chance that depends on other columns that we know; or with a chance that depends on the missing value itself,
# such as a microphone that fails when it is loud. In the third case the known values are not like the missing ones:
# their mean is wrong for the gaps, and no formula on the known values can say by how much. The gap itself has become
# information, which only a flag can pass on.
#
# **One-hot and the constant.** For a word with $k$ kinds the $k$ columns add up to one in each row, and so does the
# column of ones that a bias stands for. A linear model then has a direction in which its weights can move without any
# effect: add $c$ to the weights of all kinds and subtract it from the bias. With gradient descent this does no harm,
# but equations for the best weights have no unique solution, so one leaves out a column (exercise 4).

# %% [markdown]
# ## From scratch
#
# Here is the table of the shop. We write it to a file, because preprocessing begins with a file.

# %%
STOCK = """\
kind,age,kilometres,last service,price
city,3,2100,2024,240
"racing, carbon",5,NA,2025,980
mountain,2,1500,,610
city,8,9000,,90
city,,4300,2023,150
mountain,4,-999,2024,430
"racing, carbon",1,600,2025,1650
city,6,7200,NA,120
mountain,7,5200,2022,260
city,1,300,2025,390
"racing, steel",12,15000,,310
mountain,NA,2500,2024,520
"""
GAPS = ("", "NA")


def read_columns(path):
    """The columns of a CSV file with a head line: a list of text for each name."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def to_numbers(texts, gaps=GAPS):
    """Floats, with NaN for texts that stand for a gap; ValueError for anything else that is not a number."""
    return [math.nan if text in gaps else float(text) for text in texts]


# %%
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stock.csv"
        path.write_text(STOCK, encoding="utf-8")
        columns = read_columns(path)
        pieces = [len(line.split(",")) for line in path.read_text(encoding="utf-8").splitlines()]
    print(columns["kind"])
    print("age", to_numbers(columns["age"]))
    print("kilometres", to_numbers(columns["kilometres"]))
    print("entries for each line if one splits at commas:", pieces)

# %% [markdown]
# Splitting at commas would have found six entries in the rows of the racing bicycles and shifted all their numbers by
# one column. And there is the bicycle with $-999$ kilometres: somebody's code for "unknown", from a program that had
# no NaN. No parser can know that. One finds it by looking at the smallest and the largest value of every column,
# which should be the first thing one does with any table.

# %%
if __name__ == "__main__":
    for name in ("age", "kilometres", "price"):
        known = [value for value in to_numbers(columns[name]) if not math.isnan(value)]
        print(f"{name}: {len(known)} known, from {min(known):g} to {max(known):g}")
    wrong, right = (
        [value for value in to_numbers(columns["kilometres"], gaps) if not math.isnan(value)]
        for gaps in (GAPS, (*GAPS, "-999"))
    )
    report(mean_with_code=sum(wrong) / len(wrong), mean_without_code=sum(right) / len(right))

# %% [markdown]
# With the code taken for a number the mean is 4,246<!--lesson.mean_with_code--> kilometres, without it
# 4,770<!--lesson.mean_without_code-->.
#
# Now the preparation itself, in plain Python loops. It has two parts, and to keep them apart is the point of the
# whole lesson. `learn` looks at the *training* rows and remembers means, deviations and kinds. `apply` uses what was
# remembered, on any rows: those of training, those of validation, and the bicycle that will be brought in tomorrow.


# %%
class Preparation:
    """Filling, flags, one-hot columns and scaling, learned from training rows and applied to any."""

    def __init__(self, numeric, words, gaps=(*GAPS, "-999")):
        self.numeric, self.words, self.gaps = tuple(numeric), tuple(words), tuple(gaps)

    def learn(self, columns):
        """Remember means, deviations and kinds of the columns given; returns the preparation itself."""
        self.statistics, self.kinds = {}, {}
        for name in self.numeric:
            known = [value for value in to_numbers(columns[name], self.gaps) if not math.isnan(value)]
            mean = sum(known) / len(known)
            deviation = math.sqrt(sum((value - mean) ** 2 for value in known) / len(known))
            self.statistics[name] = mean, deviation or 1.0
        for name in self.words:
            self.kinds[name] = sorted(set(columns[name]))
        return self

    def apply(self, columns):
        """The matrix (n, d) as a nested list: for each number its value and flag, then the one-hot columns."""
        rows = [[] for _ in next(iter(columns.values()))]
        for name in self.numeric:
            mean, deviation = self.statistics[name]
            for row, value in zip(rows, to_numbers(columns[name], self.gaps), strict=True):
                gap = math.isnan(value)
                row += [0.0 if gap else (value - mean) / deviation, float(gap)]  # the mean itself becomes 0
        for name in self.words:
            for row, word in zip(rows, columns[name], strict=True):
                row += [float(word == kind) for kind in self.kinds[name]]
        return rows

    def names(self):
        """Names of the d columns of the result."""
        numbers = [name + ending for name in self.numeric for ending in ("", " missing")]
        return numbers + [f"{name} is {kind}" for name in self.words for kind in self.kinds[name]]


def some_rows(columns, rows):
    """The table restricted to a slice of its rows."""
    return {name: entries[rows] for name, entries in columns.items()}


# %%
if __name__ == "__main__":
    training, later = some_rows(columns, slice(0, 9)), some_rows(columns, slice(9, 12))
    preparation = Preparation(["age", "kilometres", "last service"], ["kind"]).learn(training)
    matrix = preparation.apply(training)  # 9 rows of 9 numbers
    for name, *entries in zip(preparation.names(), *preparation.apply(later), strict=True):
        print(f"{name:>24}", *(f"{entry:6.2f}" for entry in entries))

# %% [markdown]
# Three bicycles that came later, one a column. The second is a racing bicycle made of steel, a kind that the training
# rows do not contain: all its one-hot columns are zero, and nothing breaks. The year of the last service keeps its
# flag, and here the flag may be worth more than the year, as an empty cell probably says "never".
#
# ## Concise
#
# On tensors the same steps are a handful of lines for all columns at once. The gaps make a mask, `where` fills, and
# the reductions of [Data manipulation](data_manipulation.py) give the statistics. For words, `take` picks rows out of
# the identity matrix.


# %%
def statistics(X):
    """Means and standard deviations (d,) of what is known in X (n, d)."""
    known = xp.logical_not(xp.isnan(X))  # (n, d)
    filled = xp.where(known, X, xp.zeros_like(X))  # (n, d)
    count = xp.sum(xp.astype(known, X.dtype), axis=0)  # (n, d) -> (d,)
    mean = xp.sum(filled, axis=0) / count  # (d,)
    square = xp.where(known, (filled - mean) ** 2, xp.zeros_like(X))  # (n, d)
    return mean, xp.sqrt(xp.sum(square, axis=0) / count)  # (d,) each


def scaled_and_flagged(X, mean, deviation):
    """Columns of X (n, d) on one scale with gaps at the mean, and flags of the gaps; (n, d) each."""
    gaps = xp.isnan(X)  # (n, d)
    scaled = xp.where(gaps, xp.zeros_like(X), (X - mean) / deviation)
    return scaled, xp.astype(gaps, X.dtype)


def one_hot(numbers, num_kinds):
    """Rows of the identity matrix for integers (n,): (n, k); a row of zeros for the number `num_kinds`."""
    table = xp.concat([xp.eye(num_kinds), xp.zeros((1, num_kinds))])  # (k + 1, k)
    return xp.take(table, numbers, axis=0)  # (n,) -> (n, k)


def numbers_of(words, kinds):
    """The place of each word among the kinds, an integer tensor (n,); their number for a word that is none of them."""
    places = {kind: place for place, kind in enumerate(kinds)}
    return xp.asarray(np.array([places.get(word, len(kinds)) for word in words]))


# %%
if __name__ == "__main__":
    numeric, kinds = preparation.numeric, preparation.kinds["kind"]

    def raw(columns):
        """The numeric columns as a tensor with NaN in the gaps."""
        return xp.asarray(np.array([to_numbers(columns[name], preparation.gaps) for name in numeric]).T)  # (n, 3)

    mean, deviation = statistics(raw(training))  # (3,) each
    scaled, flags = scaled_and_flagged(raw(later), mean, deviation)  # (3, 3) each
    pairs = xp.reshape(xp.stack([scaled, flags], axis=2), (3, 6))  # (3, 3, 2) -> (3, 6)
    X = xp.concat([pairs, one_hot(numbers_of(later["kind"], kinds), len(kinds))], axis=1)  # (3, 9)
    report(gap=np.max(np.abs(xp.to_numpy(X) - np.array(preparation.apply(later)))))

# %% [markdown]
# Both ways give the same matrix up to $3.8 \cdot 10^{-5}$<!--lesson.gap-->. This is more than the usual rounding of
# float32, and the reason is the year. A number near 2024 is kept to about 0.0001, and the years differ by little more
# than one, so that four digits are left after the mean has been subtracted. Prepare such columns in float64, as the
# Python floats of our loops are, and make tensors of the result. In practice one would use a data-frame library such
# as pandas or Polars for the reading, and the tensors for everything that is repeated in each training step.
#
# ## What is a gap worth?
#
# With twelve bicycles nothing can be measured. NASA's 1,503 measurements of the noise of wings have no gaps, so we
# can make some and compare with the truth. The model is the least-squares line through five features, found by
# solving $\mathbf{X}^\top\mathbf{X}\,\mathbf{w} = \mathbf{X}^\top\mathbf{y}$, an equation which says that the
# gradient of the mean squared error vanishes; what matters here is only that all rivals use the same one. The figure
# of merit is the mean squared error on 503 cases that were held back, with the noise level scaled to variance one: a
# model that knows nothing scores about 1. All figures are means over ten splits.


# %%
def fit_and_score(train, val, y_train, y_val):
    """Validation error of the least-squares fit with a bias; features (n, d), targets (n,). Gives a float."""
    with_ones = [xp.concat([X, xp.ones((X.shape[0], 1))], axis=1) for X in (train, val)]  # (n, d + 1)
    transposed = xp.matrix_transpose(with_ones[0])  # (d + 1, n)
    w = xp.linalg.solve(xp.matmul(transposed, with_ones[0]), xp.matmul(transposed, y_train))  # (d + 1,)
    return float(xp.to_numpy(xp.mean((xp.matmul(with_ones[1], w) - y_val) ** 2)))  # (n, d + 1) @ (d + 1,) -> ()


def lost_at_random(X, seed=0, share=0.2):
    """Where each entry of X (n, d) is lost with the same probability; a mask (n, d)."""
    return random.uniform(X.shape, "data-preprocessing", "gaps", seed) < share


def lost_when_high(X, seed=0, column=0, share=0.3):
    """Where the largest values of one column are lost, as from a sensor that fails there; a mask (n, d)."""
    mask = np.zeros(X.shape, bool)
    mask[:, column] = X[:, column] > np.quantile(X[:, column], 1.0 - share)
    return mask


NUM_TRAIN = 1000  # of the 1,503 measurements


def gappy_data(lose, seed=0):
    """The measurements with gaps, split, filled and scaled: features, flags and targets.

    `lose` takes the features (n, d) and a seed, and gives the mask of what is lost. The seed also decides which
    cases are held back. Each result is a pair of tensors for training and validation: (1000, 5) and (503, 5) for
    features and flags, (1000,) and (503,) for targets.
    """
    X, y = load_airfoil()  # (1503, 5), (1503,)
    order = random.permutation(len(X), seed, "airfoil")
    X, y = np.where(lose(X, seed), np.nan, X)[order], y[order]
    y = (y - y[:NUM_TRAIN].mean()) / y[:NUM_TRAIN].std()
    train, val = xp.asarray(X[:NUM_TRAIN]), xp.asarray(X[NUM_TRAIN:])
    mean, deviation = statistics(train)
    features, flags = zip(*(scaled_and_flagged(part, mean, deviation) for part in (train, val)), strict=True)
    return features, flags, (xp.asarray(y[:NUM_TRAIN]), xp.asarray(y[NUM_TRAIN:]))


def rivals(lose, seed=0):
    """Validation errors of three ways to treat the gaps that `lose` makes, and the share of rows without any."""
    features, flags, targets = gappy_data(lose, seed)
    gaps = xp.to_numpy(flags[0])  # (1000, 5)
    complete = xp.asarray(np.flatnonzero(gaps.sum(axis=1) == 0))  # (number of complete rows,)
    kept = [xp.take(part, complete, axis=0) for part in (features[0], targets[0])]
    columns = xp.asarray(np.flatnonzero(gaps.sum(axis=0)))  # those that have gaps at all
    both = [xp.concat([X, xp.take(f, columns, axis=1)], axis=1) for X, f in zip(features, flags, strict=True)]
    return {
        "dropped": fit_and_score(kept[0], features[1], kept[1], targets[1]),
        "filled": fit_and_score(*features, *targets),
        "flagged": fit_and_score(*both, *targets),
        "complete rows": complete.shape[0] / NUM_TRAIN,
    }


def average_rivals(lose, repetitions=10):
    """What `rivals` finds, on average over several splits and sets of gaps."""
    found = [rivals(lose, seed) for seed in range(repetitions)]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


# %%
if __name__ == "__main__":
    whole = average_rivals(lambda X, seed: np.zeros(X.shape, bool))
    by_chance, broken = average_rivals(lost_at_random), average_rivals(lost_when_high)
    for name, found in (("no gaps", whole), ("at random", by_chance), ("when high", broken)):
        print(name, {kind: round(value, 3) for kind, value in found.items()})
    report(
        complete=whole["filled"],
        rows_left=by_chance["complete rows"],
        chance_dropped=by_chance["dropped"],
        chance_filled=by_chance["filled"],
        chance_flagged=by_chance["flagged"],
        broken_dropped=broken["dropped"],
        broken_filled=broken["filled"],
        broken_flagged=broken["flagged"],
    )

# %% [markdown]
# Without gaps the error is 0.514<!--lesson.complete-->. When a fifth of all entries is lost at random, only
# 32.3 %<!--lesson.rows_left--> of the training rows are complete, as $0.8^5$ foretold. Training on these alone gives
# 0.691<!--lesson.chance_dropped-->, filling with the mean 0.672<!--lesson.chance_filled-->, and flags do not help
# (0.680<!--lesson.chance_flagged-->): a gap that comes by chance says nothing, and five more columns are five more
# weights to get wrong. (All three are judged on validation rows with gaps, filled with the training mean.)
#
# Then let one sensor break: the frequency is lost whenever it is among the highest thirty per cent. Far fewer numbers
# are missing than before, and filling costs more, 0.806<!--lesson.broken_filled-->, because it puts the highest
# frequencies in the middle of the others. Dropping the rows trains on low frequencies only and is worst,
# 0.939<!--lesson.broken_dropped-->. With a flag the error is 0.530<!--lesson.broken_flagged-->, nearly that of the
# complete data. The model has learned what a gap means: *high*. So ask for the reason of a gap before you fill it,
# and keep the flag if you cannot exclude that there is one.
#
# The histogram shows what filling does to a column. The most frequent value is now one that nobody ever measured.


# %%
@house_style
def plot_filled(column=1):
    """A feature of the wings before and after a fifth of it was lost and filled with the mean."""
    import matplotlib.pyplot as plt

    X = load_airfoil()[0]
    lost = lost_at_random(X)[:, column]
    values = X[:, column]
    filled = np.where(lost, values[~lost].mean(), values)
    figure, axes = plt.subplots(figsize=(5.2, 2.8))
    bins = np.linspace(0.0, values.max(), 24)
    axes.hist(filled, bins, color="C1", alpha=0.45, hatch="//", edgecolor="C1", label="filled with the mean")
    axes.hist(values, bins, histtype="step", color="C0", linewidth=1.8, label="as measured")
    axes.axvline(values[~lost].mean(), color=INK, linewidth=0.8, linestyle=":", label="mean of what is known")
    axes.set(xlabel="angle of attack in degrees", ylabel="cases")
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_filled()

# %%
if __name__ == "__main__":
    X = load_airfoil()[0]
    lost = lost_at_random(X)
    filled = np.where(lost, np.nanmean(np.where(lost, np.nan, X), axis=0), X)
    shrunk = np.corrcoef(filled[:, 1], X[:, 4])[0, 1] / np.corrcoef(X[:, 1], X[:, 4])[0, 1]
    report(correlation_kept=shrunk, correlation_expected=np.sqrt(1.0 - lost[:, 1].mean()))

# %% [markdown]
# The correlation of the angle with the thickness of the boundary layer has kept 90.8 %<!--lesson.correlation_kept-->
# of its size, where $\sqrt{1 - m}$ says 90.3 %<!--lesson.correlation_expected-->.
#
# ## What goes wrong
#
# **The answer in the preparation.** Whatever `learn` sees must come from the training rows. For means and deviations
# of a thousand rows a breach changes little, which is why it is so common. It is different as soon as the preparation
# looks at the *targets*. Here are a hundred examples with 2,000 features that are pure noise and labels thrown by a
# coin. Nobody can do better than 50 %. We keep the twenty features that go best with the label, fit on fifty examples
# and count the right answers among the other fifty. The only difference: who chose the features, all hundred examples
# or the fifty of the training part?


# %%
def selection_score(leak, seed=0, n=100, num_features=2000, kept=20):
    """Share of right answers on validation examples after a selection of features from pure noise.

    With `leak` the selection sees all examples, else only those for training.
    """
    X = random.normal((n, num_features), "data-preprocessing", "noise", seed)  # (n, 2000)
    y = np.sign(random.uniform(n, "data-preprocessing", "coins", seed) - 0.5)  # (n,)
    seen = slice(None) if leak else slice(0, n // 2)
    agreement = np.abs((X[seen] * y[seen, None]).mean(axis=0))  # (2000,)
    X = X[:, np.argsort(-agreement)[:kept]]  # (n, 20)
    with_ones = np.column_stack([X, np.ones(n)])  # (n, 21)
    w = np.linalg.lstsq(with_ones[: n // 2], y[: n // 2], rcond=None)[0]  # (21,)
    return float(np.mean(np.sign(with_ones[n // 2 :] @ w) == y[n // 2 :]))


# %%
if __name__ == "__main__":
    leaked, honest = ([selection_score(leak, seed) for seed in range(20)] for leak in (True, False))
    print("leaked", np.round(leaked, 2), "honest", np.round(honest, 2))
    report(leaked=np.mean(leaked), honest=np.mean(honest))

# %% [markdown]
# On average over twenty repetitions the leaked selection scores 79 %<!--lesson.leaked--> on noise, and the honest one
# 47 %<!--lesson.honest-->, which is 50 but for the luck of a thousand coins. Among 2,000 random columns some agree
# with a hundred coins by accident, also on the fifty that were to be the judge. Hastie, Tibshirani and Friedman
# (2009) tell of published studies with this mistake. The remedy is a habit: split first, then `learn` on the training
# part, then `apply` to everything. In a test that repeats the split, `learn` belongs inside the repetition.
#
# **Kinds from the wrong rows.** `sorted(set(words))` over *all* rows is a small leak too, and worse, over each part
# separately it gives the same word different columns. The kinds must be remembered, as the means are.
#
# **Numbers that are none.** Postcodes, article numbers and the codes 1 to 7 for the days of the week look like
# numbers, parse as numbers, and have no meaningful mean. They are words.
#
# ## Under the surface
#
# NaN behaves alike on all backends, since the processor implements it, but what surrounds it does not. Comparisons
# with NaN are false, except for `!=`, and `max` and `min` return NaN by the array standard. The rest is left open. Of
# 1, NaN and 3, asked directly, `argmax` finds the NaN in NumPy, PyTorch, JAX and MXNet and the 3 in TensorFlow;
# sorting moves the NaN to the end in the first three and leaves it where it is in TensorFlow and MXNet; and as an
# integer it is 0 in JAX and the smallest of all integers in the others. Integers have no NaN: pandas turns a column
# of whole numbers with one gap into floats, so that 2024 becomes 2024.0. `nanmean` skips gaps in NumPy, PyTorch and
# JAX; TensorFlow has it in `tf.experimental.numpy` only and MXNet not at all. A mask, as ours, works everywhere.
#
# `where` has a trap under differentiation. It computes both sides, and in the gradient the side that was not chosen
# is multiplied by zero; if its derivative is NaN or infinite the product is NaN. Fill first and compute afterwards,
# as `statistics` does, when gradients are to pass.
#
# Keras has preprocessing layers that `adapt` to data, scikit-learn has `fit` and `transform`; our `learn` and `apply`
# are the same idea. Such a layer becomes part of the saved model, so that whoever uses the model cannot forget it.
# The data loaders of the frameworks cut, shuffle, and apply functions that you give them; the statistics remain
# yours.
#
# ## Summary
#
# A table becomes a matrix by decisions: what counts as a gap, what is filled in, which words are known, which scale
# is used. Means, deviations and kinds are learned from the training rows and applied to all others. Filling with the
# mean keeps the slope and weakens the correlation; dropping rows throws away far more than was missing; a flag keeps
# what the gap itself says, and that may be most of it. A preparation that has seen the validation targets can turn
# noise into a success.
#
# ## Exercises
#
# Solutions are in `data_preprocessing_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise data-preprocessing` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *The median.* Write `fill_with_median(X)`, which fills the NaN of each column of X (n, d) with the median of
#    what is known in it. Why might one prefer it to the mean for prices?
# 2. ★ *Rare words.* Write `one_hot_with_rest(training, numbers, num_kinds, least)`: one column for each kind that
#    occurs at least `least` times among the training numbers, and a last one for all others.
# 3. *Neighbours.* Fill a gap with the mean of that column over the five training rows that are nearest in the columns
#    known to both. Does it beat the mean on the airfoil data?
# 4. *One column too many.* Show that the matrix of a one-hot column with all its kinds and a column of ones has
#    linearly dependent columns. What does `fit_and_score` say to it, and what happens if one kind is left out?
# 5. *A small leak.* Take means and deviations from all 1,503 rows instead of the training part. How much does the
#    validation error change with gaps at random? And why does nothing change at all if there are no gaps?
#
# ## References
#
# - D. B. Rubin (1976), *Inference and Missing Data*, Biometrika 63.
# - R. J. A. Little and D. B. Rubin (2019), *Statistical Analysis with Missing Data*, third edition, Wiley.
# - T. Hastie, R. Tibshirani and J. Friedman (2009), *The Elements of Statistical Learning*, second edition, Springer.
# - Y. Shafranovich (2005), *Common Format and MIME Type for Comma-Separated Values (CSV) Files*, RFC 4180.
# - IEEE (2019), *IEEE Standard for Floating-Point Arithmetic*, IEEE 754-2019.
# - T. F. Brooks, D. S. Pope and M. A. Marcolini (1989), *Airfoil Self-Noise and Prediction*, NASA Reference
#   Publication 1218.
