# /// lesson
# name = "documentation"
# title = "Documentation"
# sections = ["2.7"]
# needs = []
# data = []
# [time]
# smoke = "1 s"
# standard = "1 s"
# full = "1 s"
# [promises]
# standard = ["lesson: signature_mismatches <= 0", "lesson: wrong_bits <= 0"]
# full = [
#   "lesson: signature_mismatches <= 0", "lesson: wrong_bits <= 0", "lesson: order_mattered <= 0",
#   "lesson: stream_statistic <= 150", "lesson: stream_statistic >= 60", "lesson: squared_statistic >= 1000",
#   "lesson: failed_examples >= 1", "lesson: failed_examples <= 1",
# ]
# ///

# %% [markdown]
# # Documentation
#
# You rent a car abroad. Every car has a lever for the wipers, and in every car it does something else. You may try
# it, ask, or open the manual; what you should not do is assume that it works as at home.
#
# A colleague leaves you the line `x.std()`. For the numbers 1, 2, 3 and 4, does it give 1.118 or 1.291? Both are
# standard deviations: one divides the sum of squares by 4, the other by 3. In the frameworks of this course both
# answers occur, under the same name. This lesson is about finding out: which means there are, what each costs, how
# far each can be trusted, and how to design an experiment that settles a question.

# %%
import doctest
import inspect
import pydoc

import numpy as np

from d2l_core import random, xp
from d2l_core.interface import contract, random_uniform
from d2l_core.lessons import report
from d2l_core.plots import INK, flow, house_style

# %% [markdown]
# ## The idea
#
# There is a ladder of sources. The lower steps are quick and may be vague, the higher ones are slow and exact.


# %%
def diagram_ladder():
    """Where to look, the quickest first."""
    return flow(
        ("names", "dir()"),
        ("signature", "inspect"),
        ("docstring", "help()"),
        ("contract", "reference"),
        ("source", "getsource()"),
        ("experiment", "try it"),
        title="sources of knowledge about a function",
    )


# %%
if __name__ == "__main__":
    diagram_ladder()

# %% [markdown]
# *Names.* `dir(xp)` lists what a module or an object has; with a word to look for this is a search.
#
# *Signature.* The names, order and defaults of the parameters. A parameter before `/` may be given by position only,
# one after `*` by name only.
#
# *Docstring.* What the author says about meaning, shapes and errors. `help(xp.clip)` prints signature and docstring;
# in a notebook `xp.clip?` does the same.
#
# *Contract.* What several implementations have agreed upon. For this course it is the module `d2l_core.interface`,
# with rules that hold for all functions at its top; `docs/reference.md` is made from it, and adds for each function
# what was tested.
#
# *Source.* What the program really does, on one backend and in one version.
#
# *Experiment.* What it did, for one input, on one machine. It cannot prove a general claim, but it can refute one,
# which the docstring cannot.
#
# The first four, for the functions of `xp`:


# %%
def search(word):
    """Names and first lines of the contract's entries that mention a word."""
    found = {}
    for name, entry in contract().items():
        text = inspect.getdoc(entry.declaration) or ""
        if word.lower() in f"{name} {text}".lower():
            found[name] = text.partition("\n")[0]
    return found


# %%
if __name__ == "__main__":
    print([name for name in dir(xp) if "sum" in name])
    for word in ("deviation", "overflow"):
        for name, line in search(word).items():
            print(f"{word} -> {name}: {line}")
    print("std", inspect.signature(xp.std))
    print(pydoc.plain(pydoc.render_doc(xp.clip)))  # what help(xp.clip) shows

# %% [markdown]
# The entry for `var` ends the question for `xp`: the squared deviations are divided by N minus `correction`, and the
# signature says that `correction` is 0 unless it is given. So `xp.std` of 1, 2, 3, 4 must be $\sqrt{5/4} = 1.118$.
#
# The page `docs/reference.md` has the same sentence and a few lines more. They say whether the function is a
# *primitive*, which each backend implements, or a *composite* made of primitives; on how many calls it is tested, in
# which range; and how exact the result has to be. "Exact" means to the last bit. "To 4 ulp" means within four *units
# in the last place*, four times the distance between neighbouring floats of that size, since mathematical libraries
# round differently. If you wonder whether two backends may differ in `exp`, this line is the answer.
#
# ## The mathematics
#
# An experiment tests a claim by comparing what it predicts with what is seen. Two questions decide how much it is
# worth.
#
# **Could it have failed?** Let a claim be wrong for a share $p$ of all inputs. Then $n$ inputs drawn at random all
# pass with the probability $(1 - p)^n$. We can rule out at the level of 95 % all $p$ for which this is below 0.05.
# From $n \log(1 - p) = \log 0.05 \approx -3$ and $\log(1 - p) \approx -p$ follows the *rule of three* (Hanley and
# Lippman-Hand, 1983):
#
# $$p \lesssim \frac{3}{n} .$$
#
# Three hundred passes leave room for one wrong input in a hundred. And if the wrong inputs are special (zero, empty,
# equal, infinite), random ones may never meet them. A good experiment therefore chooses an input on which *the rival
# readings predict different results*. Whether `round` goes to the nearest even number or upwards at a half cannot be
# seen at 1.5, which both turn into 2, but at 0.5 and 2.5.
#
# **How far may chance carry it?** Claims about randomness are never met exactly. Suppose that $n$ numbers are claimed
# to be uniform, and we sort them into $k$ equal bins. Let $O_b$ be the number observed in bin $b$ and $E = n/k$ the
# number expected. Pearson (1900) adds up the squared deviations in the right unit,
#
# $$\chi^2 = \sum_{b=1}^k \frac{(O_b - E)^2}{E} .$$
#
# What size is normal? Each $O_b$ counts $n$ trials with the probability $1/k$, so its variance is $n \frac{1}{k}
# \left(1 - \frac{1}{k}\right) = E \left(1 - \frac{1}{k}\right)$. Each term of the sum therefore has the mean
# $1 - 1/k$, and all $k$ terms together $k - 1$. The variance is close to $2(k - 1)$ for large $E$. With 100 bins a
# fair generator gives about 99 with a deviation of 14. Values above 150 are suspicious. So are values below 60:
# numbers that are *more* even than chance allows are not random either.

# %% [markdown]
# ## From scratch
#
# Where do `help` and `inspect.signature` get their knowledge? From the function itself. In Python a function is an
# object that carries its name, its docstring, its defaults, and the names of its variables, the parameters first.
# With these we can write the signature ourselves.


# %%
def unwrapped(function):
    """The function that a decorator has wrapped, however many times."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def parameters(function):
    """Name, kind and default of each parameter, in order; the default is `inspect.Parameter.empty` if there is none."""
    code = function.__code__
    by_position = code.co_varnames[: code.co_argcount]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    gathered = list(code.co_varnames[len(by_position) + len(by_name) :])  # *args and **kwargs come first here
    defaults = function.__defaults__ or ()
    defaults = dict(zip(by_position[len(by_position) - len(defaults) :], defaults, strict=True))
    defaults |= function.__kwdefaults__ or {}

    def default_of(name):
        return defaults.get(name, inspect.Parameter.empty)

    found = []
    for place, name in enumerate(by_position):
        kind = "positional-only" if place < code.co_posonlyargcount else "positional or keyword"
        found.append((name, kind, default_of(name)))
    if code.co_flags & inspect.CO_VARARGS:
        found.append((gathered.pop(0), "variadic positional", inspect.Parameter.empty))
    found += [(name, "keyword-only", default_of(name)) for name in by_name]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.append((gathered.pop(0), "variadic keyword", inspect.Parameter.empty))
    return found


# %%
if __name__ == "__main__":
    print("as it is:  ", [name for name, *_ in parameters(xp.clip)])
    print("unwrapped: ", parameters(unwrapped(xp.clip)))

# %% [markdown]
# The first line is a surprise: `xp.clip` seems to take anything. It is a *wrapper* that finds the active backend and
# hands all arguments on. A wrapper that is made with `functools.wraps` keeps the docstring and remembers the original
# in `__wrapped__`, where the true parameters are. Tools that do not look there show `(*args, **kwargs)`, and many
# libraries forget to leave the trail.
#
# ## Concise
#
# `inspect.signature` follows the trail. Does it agree with our reading, for every array function of the contract?


# %%
def signature_mismatches(functions):
    """How many functions have another signature in our reading than in that of `inspect`."""
    wrong = 0
    for function in functions:
        theirs = [(p.name, p.kind.description, p.default) for p in inspect.signature(function).parameters.values()]
        wrong += theirs != parameters(unwrapped(function))
    return wrong


def array_functions():
    """All functions of the contract that `xp` offers."""
    return [getattr(xp, name) for name, entry in contract().items() if entry.group == "arrays"]


# %%
if __name__ == "__main__":
    functions = array_functions()
    report(functions=len(functions), signature_mismatches=signature_mismatches(functions))

# %% [markdown]
# All 130<!--lesson.functions--> agree. An error message is documentation too, and comes at the moment when it is
# needed. Here it names the shapes that were given and the sentence of the contract that they break:

# %%
if __name__ == "__main__":
    try:
        xp.matmul(xp.ones((2, 3)), xp.ones((2, 3)))
    except ValueError as error:
        print(error)

# %% [markdown]
# ## An experiment: is the random stream what it says?
#
# The whole course depends on a claim. The documentation of `d2l_core.random` and of `random_uniform` says that the
# same seed gives the same numbers on every framework. Let us take the sentences one by one and ask each for a result
# that it forbids.
#
# **"Element i is `(mix(mix(i + s) ^ t) >> 8) * 2**-24` with unsigned 32-bit arithmetic …"** The docstring of
# `random_uniform`, which draws the masks of dropout, is so exact that it can be written as a program. If our program
# and the backend differ in a single bit, one of them is wrong.


# %%
def mix(x):
    """The function `mix` of the docstring, on unsigned 32-bit integers."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def as_documented(key, counter, n):
    """The first n numbers of `random_uniform(key, counter, ...)`, from its docstring alone; float64 (n,)."""
    low, high = (np.array([half], np.uint32) for half in (key & 0xFFFFFFFF, key >> 32))
    s = mix(low ^ mix(np.array([counter], np.uint32)))  # (1,)
    t = mix(high ^ s)  # (1,)
    i = np.arange(n, dtype=np.uint32)  # (n,)
    return (mix(mix(i + s) ^ t) >> np.uint32(8)) * 2.0**-24  # (n,)


# %%
if __name__ == "__main__":
    wrong = 0
    for name, counter in (("a", 0), ("b", 1), ("a mask", 12345)):
        key = random.key_of(name)
        drawn = xp.to_numpy(random_uniform(key, counter, (100, 100))).astype(np.float64).ravel()
        wrong += int(np.sum(drawn != as_documented(key, counter, 10_000)))
    report(wrong_bits=wrong)

# %% [markdown]
# Of 30,000 numbers 0<!--lesson.wrong_bits--> are different, on every backend. By the rule of three, fewer than one
# number in ten thousand can be wrong at random places.
#
# **"A value depends on what it is for and not on what was drawn before."** This forbids that a draw in between
# changes anything, and that the length of a draw does. The usual generators, which keep a hidden state, are built to
# fail this test.
#
# **"Uniform float64 in [low, high): 53 bits of each word."** (The words come from Philox, a generator without a state
# by Salmon and others, 2011.) Then every number times $2^{53}$ must be whole.
#
# **"A permutation of 0 ... n-1: the order of n random words."** This can be computed from the words.


# %%
def broken_claims(seed=0):
    """For each claim of the documentation of `d2l_core.random`, how many cases contradict it."""
    alone = random.uniform(1000, seed, "weights")
    random.normal(777, seed, "something else")
    again = random.uniform(1000, seed, "weights")
    longer = random.uniform(2000, seed, "weights")[:1000]
    whole = alone * 2.0**53
    words = random.words(1000, seed, "order")
    return {
        "depends on the past": int(np.sum(alone != again)),
        "depends on the length": int(np.sum(alone != longer)),
        "more than 53 bits": int(np.sum(whole != np.floor(whole))),
        "outside [0, 1)": int(np.sum((alone < 0.0) | (alone >= 1.0))),
        "not the order of the words": int(np.sum(random.permutation(1000, seed, "order") != np.argsort(words))),
        "1 is the same key as '1'": int(np.all(random.uniform(5, 1) == random.uniform(5, "1"))),
    }


# %%
if __name__ == "__main__":
    broken = broken_claims()
    print(broken)
    report(order_mattered=broken["depends on the past"], contradictions=sum(broken.values()))

# %% [markdown]
# There were 0<!--lesson.contradictions--> contradictions. The last line tests what no sentence says, but what the
# code in `random.py` suggests to a reader of the source, namely that the type of a key counts.
#
# **Uniform?** Now the claim that chance must decide. We compare the stream with two impostors. One takes the squares
# of uniform numbers, which still lie in [0, 1). The other goes through the interval in equal steps.


# %%
def pearson_statistic(values, bins=100):
    """Pearson's statistic of numbers (n,) in [0, 1) that are claimed to be uniform, and the counts (bins,)."""
    counts = np.bincount((np.asarray(values) * bins).astype(np.int64), minlength=bins)  # (n,) -> (bins,)
    expected = len(values) / bins
    return float(np.sum((counts - expected) ** 2) / expected), counts


def suspects(n=100_000):
    """Numbers in [0, 1) from three sources, (n,) each."""
    drawn = random.uniform(n, 0, "suspect")
    return {"stream": drawn, "squared": drawn**2, "equal steps": (np.arange(n) * 0.6180339887498949) % 1.0}


@house_style
def plot_counts(samples, bins=100):
    """Counts of each bin, with the band in which 95 of 100 should lie."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(samples), figsize=(9.0, 2.7), sharey=True)
    for axes, (name, values) in zip(panels, samples.items(), strict=True):
        statistic, counts = pearson_statistic(values, bins)
        expected = len(values) / bins
        width = 1.96 * np.sqrt(expected * (1.0 - 1.0 / bins))
        axes.axhspan(expected - width, expected + width, color=INK, alpha=0.25)
        axes.plot((np.arange(bins) + 0.5) / bins, counts, ".", color="C0")
        axes.set(title=f"{name}: $\\chi^2$ = {statistic:,.1f}", xlabel="value", ylim=(0.7 * expected, 1.3 * expected))
    panels[0].set(ylabel="count")
    return figure


# %%
if __name__ == "__main__":
    samples = suspects()
    statistics = {name: pearson_statistic(values)[0] for name, values in samples.items()}
    report(
        stream_statistic=statistics["stream"],
        squared_statistic=statistics["squared"],
        steps_statistic=statistics["equal steps"],
    )

# %%
if __name__ == "__main__":
    plot_counts(samples)

# %% [markdown]
# For the stream $\chi^2$ is 87.7<!--lesson.stream_statistic-->, where $99 \pm 14$ was to be expected. The squares
# give 114,186<!--lesson.squared_statistic-->, and a look at the mean would have found them too. The equal steps have
# a perfect mean and perfect moments, and they give 0.1<!--lesson.steps_statistic-->: far too small. A test with
# one-sided eyes, which only asks whether the statistic is small enough, would have called them the best generator of
# the three.
#
# This experiment has not proved that the stream is random; each bin could be visited in the same order every time. It
# has shown that one way in which the claim could be wrong is not the case.
#
# ## What goes wrong
#
# **Trusting the name.** The native tensors have methods of their own, which need not mean what `xp` means. We ask the
# tensors of the active backend for `std` and `repeat`, if they have them.

# %%
if __name__ == "__main__":
    x = xp.asarray([1.0, 2.0, 3.0, 4.0])
    if hasattr(x, "std"):
        report(native_std=x.std())
    if hasattr(x, "repeat"):
        report(native_second=x.repeat(2)[1])
    report(contract_std=xp.std(x), contract_second=xp.repeat(x, 2)[1])

# %% [markdown]
# | | `x.std()` | second element of `x.repeat(2)` |
# |---|---|---|
# | NumPy | 1.118<!--lesson.native_std--> | 1<!--lesson.native_second--> |
# | PyTorch | 1.291<!--lesson.native_std @torch--> | 2<!--lesson.native_second @torch--> |
# | JAX | 1.118<!--lesson.native_std @jax--> | 1<!--lesson.native_second @jax--> |
# | MXNet | 1.118<!--lesson.native_std @mxnet--> | 1<!--lesson.native_second @mxnet--> |
#
# `xp.std` is 1.118<!--lesson.contract_std @torch--> on PyTorch too, and on all others, as the contract demands. The
# tensor's own method divides by $n - 1$ there, and its `repeat` repeats the whole vector instead of each element,
# which NumPy calls `tile`. TensorFlow's tensors have neither method. Nobody is wrong; each says so in its
# documentation.
#
# **An experiment that cannot fail.** With a thousand numbers, dividing by 1000 or by 999 changes the standard
# deviation by one part in two thousand, and anybody who tests with a thousand numbers and two digits will find both
# readings confirmed. With two numbers they differ by a factor of $\sqrt{2}$. The same with halves:

# %%
if __name__ == "__main__":
    print("1.5 ->", float(xp.round(xp.asarray(1.5))), "says nothing")
    halves = xp.round(xp.asarray([0.5, 1.5, 2.5, -0.5]))
    print("0.5, 1.5, 2.5, -0.5 ->", xp.to_numpy(halves).tolist())
    report(two_and_a_half=halves[2])

# %% [markdown]
# 2.5 becomes 2<!--lesson.two_and_a_half-->: halves go to the even neighbour, so that rounding many numbers does not
# push their sum upwards.
#
# **Documentation that has grown old.** Code changes and sentences stay. Examples in a docstring can be run: `doctest`
# looks for lines that begin with `>>>` and compares what comes out. Here are two functions, one of which was changed
# after its docstring was written.


# %%
def spread(numbers):
    """Largest minus smallest number.

    >>> spread([3, 1, 4])
    3
    """
    return max(numbers) - min(numbers)


def middle(numbers):
    """The number in the middle of the sorted list.

    >>> middle([5, 1, 3])
    3
    >>> middle([4, 1, 3, 2])
    2
    """
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2]


def failed_examples(function):
    """How many examples of a docstring do not give what they say."""
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(function, function.__name__, globs={function.__name__: function}):
        runner.run(test, out=lambda text: None)
    return runner.failures


# %%
if __name__ == "__main__":
    report(failed_examples=failed_examples(spread) + failed_examples(middle))
    print("middle([4, 1, 3, 2]) is", middle([4, 1, 3, 2]))

# %% [markdown]
# Of three examples 1<!--lesson.failed_examples--> fails. Whether the code or the sentence is wrong no program can
# say, but that they disagree it can.
#
# ## Under the surface
#
# *Signatures.* Many functions of PyTorch are written in C++ and made known to Python as built-ins;
# `inspect.signature` finds none, and the first line of the docstring shows it instead. MXNet writes the Python
# functions of its older interface when it is imported, so that there is no source file to open. JAX compiles with
# `jit`, whose wrapper keeps `__wrapped__`. TensorFlow's public names are exported from modules with other names, so
# that `__module__` does not tell where to import from.
#
# *Words.* The reduced axis is `axis` in NumPy, JAX, TensorFlow and MXNet and `dim` in PyTorch; the kept one
# `keepdims` in all but PyTorch, which says `keepdim` (and takes the other two words in many functions as well).
# TensorFlow prefixes reductions, `reduce_mean`, `reduce_sum`. The array API standard settled these names in 2021, and
# it is the vocabulary of `xp`.
#
# *Versions.* A page found by a search engine documents some version, often an old one. `help()` documents the one
# that is installed. `d2l doctor` tells the versions, and `d2l backends --json` what each backend cannot do.
#
# ## Summary
#
# Names, signature, docstring, contract, source and experiment form a ladder, and one climbs it only as far as the
# question demands. A function carries its documentation with it, and a good wrapper keeps the trail to it. An
# experiment is worth something if the readings between which it is to decide predict different results; $n$ passes
# leave room for a share of $3/n$ failures, and statistics that are too good are as suspicious as those that are too
# bad. The same name may mean different things in two frameworks, and an example in a docstring that is run cannot
# grow old.
#
# ## Exercises
#
# Solutions are in `documentation_solutions.py`. Exercises with a star are checked by a program:
# `d2l exercise documentation` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *By name only.* Write `keyword_only(function)`, the names of the parameters that can only be given by name, as
#    a tuple in order. It should see through wrappers.
# 2. ★ *Pearson's statistic on tensors.* Write `chi_square(values, bins)` for a tensor of numbers in [0, 1), with the
#    functions of `xp` alone.
# 3. ★ *Which reading?* `xp.sort` promises that equal elements keep their order, which cannot be seen in sorted
#    numbers. Write `keeps_order(argsort)`, which takes a function like `xp.argsort` and says whether it keeps the
#    order of equal elements.
# 4. *The rule of three.* How many passes are necessary to claim, at the level of 95 %, that fewer than one input in a
#    thousand fails? How good is the approximation for $n = 10$?
# 5. *Into the source.* Is `xp.logaddexp` a primitive or a composite? Read how it avoids overflow, and find an input
#    for which the formula as it stands in textbooks fails.
#
# ## References
#
# - K. Pearson (1900), *On the Criterion that a Given System of Deviations from the Probable in the Case of a
#   Correlated System of Variables is such that it can be Reasonably Supposed to have Arisen from Random Sampling*,
#   Philosophical Magazine 50.
# - J. A. Hanley and A. Lippman-Hand (1983), *If Nothing Goes Wrong, Is Everything All Right? Interpreting Zero
#   Numerators*, Journal of the American Medical Association 249.
# - J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), *Parallel Random Numbers: As Easy as 1, 2, 3*,
#   International Conference for High Performance Computing, Networking, Storage and Analysis.
# - Consortium for Python Data API Standards (2024), *Python Array API Standard*, version 2024.12.
