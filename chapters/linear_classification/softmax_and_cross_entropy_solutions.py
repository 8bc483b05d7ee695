# %% [markdown]
# # Softmax and cross-entropy: solutions

# %%
import numpy as np
from d2l_chapters.linear_classification.softmax_and_cross_entropy import (
    LETTERS,
    code_length,
    learn_scores,
    log_probabilities,
    log_sum_exp,
    novel,
    softmax,
)

from d2l_core import xp
from d2l_core.lessons import scale

# %% [markdown]
# ## 1. Two classes
#
# Subtract the larger of the scores 0 and $x$, which is $\max(x, 0)$. What remains are the scores $0$ and $-|x|$, so
#
# $$\log(1 + e^x) = \max(x, 0) + \log(1 + e^{-|x|}) .$$
#
# The exponential is at most 1. For $x = -20$ it is $2 \cdot 10^{-9}$, and added to 1 it would vanish in float32;
# `log1p(z)` computes $\log(1 + z)$ without the sum. At $x = 0$ both terms have a kink. The slope of the whole is
# $\frac12$ there, and with `xp.maximum` and `xp.abs` it comes out: two equal operands share the gradient, and the slope
# of the absolute value is 0. But this is a convention, which the frameworks by themselves do not all follow (a maximum
# of equal operands gives the first one everything in TensorFlow, and the slope of the absolute value at 0 is 1 in JAX).
# We avoid the kinks: `where` selects one of two smooth branches, $x + \log(1 + e^{-x})$ for $x > 0$ and $\log(1 + e^x)$
# otherwise, and each is handed an argument that cannot overflow even where it is not selected, since an infinite value
# in the branch that is thrown away still spoils the gradient.


# %%
def softplus(x):
    """log(1 + exp(x)) of each element, in the shape of x."""
    zero = xp.zeros_like(x)
    above, below = xp.where(x > 0, x, zero), xp.where(x > 0, zero, x)
    return xp.where(x > 0, above + xp.log1p(xp.exp(-above)), xp.log1p(xp.exp(below)))


# %% [markdown]
# ## 2. The price of the wrong code
#
# The divergence is the cross-entropy minus the entropy of $\mathbf{q}$. Where $q_i = 0$ the term $q_i \log q_i$ tends
# to zero, but a computer finds $0 \cdot (-\infty)$, which is not a number. So the logarithm is given a 1 there.


# %%
def divergence(scores, q):
    """Mean over the rows of the divergence of softmax(scores) (n, k) from q (n, k); a 0-d tensor."""
    log_q = xp.log(xp.where(q > 0, q, xp.ones_like(q)))  # (n, k)
    return xp.mean(xp.sum(q * (log_q - log_probabilities(scores)), axis=-1))  # (n, k) -> (n,) -> ()


# %% [markdown]
# ## 3. Two buses
#
# Softmax gives a third to each, so that painting a bus would draw people out of their cars. In truth the odds of car
# against bus stay one to one and the blue buses take their passengers from the red ones: a half, a quarter, a
# quarter. The assumption stands in the first line of our derivation: the odds of two classes depend on their two
# scores alone and not on what else is on offer. Luce (1959) made it an axiom of choice, and the buses became the
# standard objection. A network that computes all scores from the input can lower the two bus scores by $\log 2$; a
# model with one fixed score for each alternative cannot.

# %%
if __name__ == "__main__":
    print("car, red bus          ", xp.to_numpy(softmax(xp.asarray([[0.0, 0.0]]))))
    print("car, red bus, blue bus", xp.to_numpy(softmax(xp.asarray([[0.0, 0.0, 0.0]]))))
    print("buses lowered by log 2", xp.to_numpy(softmax(xp.asarray([[0.0, -np.log(2), -np.log(2)]]))))

# %% [markdown]
# ## 4. Bounds
#
# The upper bound is reached if all scores are equal, because the step from the sum to $k$ times the largest power is
# then no loss. Apply both bounds to $\mathbf{o} / T$ and multiply by $T$: the result lies between $\max_j o_j$ and
# $\max_j o_j + T \log k$, so it tends to the maximum as $T \to 0$, from above.

# %%
if __name__ == "__main__":
    scores = xp.asarray([[1.0, 2.0, 3.0, 2.5]])
    for T in (10.0, 1.0, 0.1, 0.01):
        print(f"T = {T}: {T * float(xp.to_numpy(log_sum_exp(scores / T))[0, 0]):.4f}")

# %% [markdown]
# ## 5. Three letters
#
# A row for each of the 729 pairs. On the half that the table learned from, a letter costs clearly less than with one
# letter of memory. On the other half it also costs less, but now a gap opens between the halves: 19,683 scores share
# the same 87,000 letters, and many rows were seen a few times or never. With four letters the table would have half a
# million scores, and most contexts of the second half would be new to it. A table treats each context as unlike all
# others. A longer memory needs a model in which similar contexts share what they learn, and that is what recurrent
# networks are for.


# %%
def triple_frequencies(text):
    """Shares (729, 27) of triples: the row is the pair before, the column the letter."""
    counts = np.zeros((len(LETTERS) ** 2, len(LETTERS)))
    np.add.at(counts, (27 * text[:-2] + text[1:-1], text[2:]), 1.0)
    return counts / counts.sum()


# %%
if __name__ == "__main__":
    known, unknown = np.array_split(novel(20_000 if scale() == "smoke" else None), 2)
    table = learn_scores(triple_frequencies(known), steps=30 if scale() == "smoke" else 100)
    for name, half in (("first", known), ("second", unknown)):
        bits = float(xp.to_numpy(code_length(table, xp.asarray(triple_frequencies(half))))) / np.log(2)
        print(f"{name} half: {bits:.2f} bits a letter")
