# %% [markdown]
# # Probability and statistics: solutions

# %%
import numpy as np
from d2l_chapters.preliminaries.probability import bayes, multinomial

from d2l_core import random, xp

# %% [markdown]
# ## 1. Which coin?
#
# By Bayes' rule and independence $P(k \mid \text{data}) \propto \pi_k \prod_i L_{k, x_i}$ with the prior $\pi$ and the
# table $L$. The product of two thousand factors near one half is about $10^{-600}$, and float32 ends near $10^{-45}$.
# So we add logarithms; dividing by the sum over $k$ is what a softmax does, and it subtracts the largest number first.


# %%
def posterior(prior, likelihood, observed):
    """Probabilities (K,) of the hypotheses after the observations (n,)."""
    seen = xp.take(xp.log(likelihood), observed, axis=1)  # (K, M) -> (K, n)
    logs = xp.log(prior) + xp.sum(seen, axis=1)  # (K, n) -> (K,)
    return xp.exp(logs - xp.logsumexp(logs, keepdims=True))  # (K,)


# %%
if __name__ == "__main__":
    prior, likelihood = xp.asarray(np.array([0.99, 0.01])), xp.asarray(np.array([[0.5, 0.5], [0.3, 0.7]]))
    for n in (10, 100, 1000):
        seen = xp.asarray((random.uniform(n, 0, "bent") < 0.7).astype(np.int32))
        fair = float(posterior(prior, likelihood, seen)[0])
        print(f"{n} throws of a coin with 70 % heads: fair with probability {fair:.2g}")

# %% [markdown]
# ## 2. The sum of two dice
#
# The sum is $s$ if $X = i$ and $Y = s - i$ for some $i$. These events exclude each other, and by independence
# $r_s = \sum_i p_i\, q_{s - i}$. The table $q$, shifted by $i$ places and weighted with $p_i$, is added up over all
# $i$. This operation is called a *convolution*, and we meet it again in images.


# %%
def distribution_of_sum(p, q):
    """Probabilities (m + k - 1,) of X + Y from those of X (m,) and Y (k,)."""
    m = p.shape[0]
    shifted = [p[i] * xp.pad(q, ((i, m - 1 - i),)) for i in range(m)]  # m times (m + k - 1,)
    return xp.sum(xp.stack(shifted), axis=0)  # (m, m + k - 1) -> (m + k - 1,)


# %%
if __name__ == "__main__":
    die = xp.asarray(np.full(6, 1.0 / 6))
    print("two dice, in 36ths:", (36 * xp.to_numpy(distribution_of_sum(die, die))).round(3))

# %% [markdown]
# ## 3. Is it bent?
#
# The expected excess of the share is 0.01 and the deviation of a fair coin $\frac{1}{2\sqrt n}$. Twice that is
# $\frac{1}{\sqrt n} = 0.01$ for $n = 10{,}000$. For two models with accuracies near 0.9 on 10,000 images each has a
# deviation of $0.3 / 100 = 0.003$, and if their errors were independent the difference would have
# $0.003 \sqrt 2 \approx 0.0042$. Half a percent is 1.2 of these: no evidence. On the *same* images errors are not
# independent, and one should count the images on which exactly one of the two is right; the difference is then often
# better known.

# %% [markdown]
# ## 4. The album
#
# With $k$ pictures missing, a packet holds a new one with the probability $k/6$. If $p$ is the probability of success,
# the first success comes on average after $1/p$ trials: with $T$ for this number, $T = 1 + (1 - p)\, T$. So one needs
# $\frac66 + \frac65 + \frac64 + \frac63 + \frac62 + \frac61 = 14.7$ packets on average.


# %%
def packets(seed, pictures=6):
    """Packets until the album is full."""
    drawn = (random.uniform(500, seed, "album") * pictures).astype(int)
    seen, count = set(), 0
    while len(seen) < pictures:
        seen.add(int(drawn[count]))
        count += 1
    return count


# %%
if __name__ == "__main__":
    print("packets on average:", np.mean([packets(seed) for seed in range(2000)]))
    print("a hundred packets by picture:", multinomial(100, np.full(6, 1 / 6), 0, "packets"))

# %% [markdown]
# ## 5. Half a test
#
# Given a sick person whose first test is positive, the second is positive with the probability
# $\rho + (1 - \rho) \cdot 0.95$; for a healthy one with $\rho + (1 - \rho) \cdot 0.04$. The second test therefore
# multiplies the odds by the quotient of the two, which is 24 for $\rho = 0$ and 1 for $\rho = 1$. It falls fast:
# already at $\rho = 0.2$ it is $0.96 / 0.232 \approx 4.1$. A little dependence costs most of the evidence.

# %%
if __name__ == "__main__":
    for rho in (0.0, 0.1, 0.2, 0.5, 1.0):
        twice = bayes(bayes(0.005, 0.95, 0.04), rho + (1 - rho) * 0.95, rho + (1 - rho) * 0.04)
        print(f"rho = {rho}: {twice:.3f}")
