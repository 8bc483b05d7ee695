# %% [markdown]
# # Documentation: solutions

# %%
import inspect
import math

import numpy as np
from d2l_chapters.preliminaries.documentation import parameters, pearson_statistic, unwrapped

from d2l_core import random, xp
from d2l_core.interface import contract

# %% [markdown]
# ## 1. By name only
#
# Our `parameters` knows the kinds, and `unwrapped` follows the wrappers. With the standard library it is one line as
# well: the parameters of `inspect.signature(function)` whose kind is `KEYWORD_ONLY`.


# %%
def keyword_only(function):
    """Names of the parameters that can only be given by name, a tuple."""
    return tuple(name for name, kind, _ in parameters(unwrapped(function)) if kind == "keyword-only")


# %%
if __name__ == "__main__":
    print(keyword_only(xp.sum))

# %% [markdown]
# ## 2. Pearson's statistic on tensors
#
# A value $v$ belongs to bin $\lfloor v k \rfloor$. The numbers of the bins as a column (n, 1) against all bins as a
# row (k,) give a table of truths (n, k), whose columns add up to the counts. It needs memory for $nk$ truths, which
# is fine for some thousand values; `xp.index_add` does it with $k$ cells.


# %%
def chi_square(values, bins):
    """Pearson's statistic of values (n,) in [0, 1); 0-d."""
    place = xp.floor(values * bins)[:, None]  # (n,) -> (n, 1)
    hits = xp.astype(place == xp.arange(bins, dtype=values.dtype), values.dtype)  # (n, 1) == (k,) -> (n, k)
    counts = xp.sum(hits, axis=0)  # (n, k) -> (k,)
    expected = values.shape[0] / bins
    return xp.sum((counts - expected) ** 2) / expected  # (k,) -> ()


# %%
if __name__ == "__main__":
    numbers = random.uniform(5000, "documentation", "uniform")
    print(f"{float(chi_square(xp.asarray(numbers), 20)):.3f}, by the lesson {pearson_statistic(numbers, 20)[0]:.3f}")

# %% [markdown]
# ## 3. Which reading?
#
# The sorted values are the same whether equal elements keep their order or not, so the experiment must look at the
# indices: where two neighbours in the sorted vector are equal, the index must rise. It needs many equal elements, and
# a long vector, because libraries sort short pieces by insertion, which keeps the order, and change to another
# algorithm beyond some length. And one must not forget to ask whether the result is sorted at all.


# %%
def keeps_order(argsort, n=2000, kinds=7):
    """Whether equal elements of a vector with many of them keep their order, and the vector is sorted."""
    x = xp.asarray(np.floor(kinds * random.uniform(n, "documentation", "ties")))  # (n,)
    order = argsort(x)  # (n,)
    ranked = xp.take(x, order, axis=0)  # (n,)
    equal, rising = ranked[1:] == ranked[:-1], order[1:] > order[:-1]  # (n - 1,) each
    in_order = xp.all(ranked[1:] >= ranked[:-1])
    return bool(xp.logical_and(in_order, xp.all(xp.logical_or(rising, xp.logical_not(equal)))))


# %%
if __name__ == "__main__":
    print("xp.argsort keeps the order:", keeps_order(xp.argsort))

# %% [markdown]
# ## 4. The rule of three
#
# $(1 - 0.001)^n \le 0.05$ gives $n \ge \log 0.05 / \log 0.999 = 2994.2$, so 2,995 passes; the rule says 3,000. For
# $n = 10$ the exact bound is $1 - 0.05^{1/10} = 0.259$ and the rule says 0.3. It errs on the safe side, since
# $\log(1 - p) < -p$.


# %%
def passes_needed(share, level=0.95):
    """Passes that rule out, at the given level, that this share of the inputs or more fails."""
    return math.ceil(math.log(1.0 - level) / math.log(1.0 - share))


# %%
if __name__ == "__main__":
    print(passes_needed(0.001), "passes; bound after ten:", round(1.0 - 0.05**0.1, 3))

# %% [markdown]
# ## 5. Into the source
#
# The contract calls it a composite. Its source takes the larger of both numbers out of the exponentials, $\log(e^a +
# e^b) = \max(a, b) + \log(1 + e^{-|a - b|})$, and writes the logarithm as `log1p`, which is accurate for small
# arguments. In float32 $e^{100}$ is infinite, so the textbook formula fails at $a = b = 100$, where the answer is
# $100 + \log 2$; in float64 it does at 1000.


# %%
def textbook(a, b):
    """log(exp(a) + exp(b)) as it stands."""
    return xp.log(xp.exp(a) + xp.exp(b))


# %%
if __name__ == "__main__":
    print("composite:", contract()["logaddexp"].composite)
    print(inspect.getsource(unwrapped(xp.logaddexp)))
    a = xp.asarray(1000.0)
    print("textbook", float(textbook(a, a)), "library", float(xp.logaddexp(a, a)))
