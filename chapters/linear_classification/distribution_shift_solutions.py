# %% [markdown]
# # Distribution shift: solutions

# %%
import numpy as np
from d2l_chapters.linear_classification.distribution_shift import (
    STEPS,
    clothes,
    effective_size,
    features,
    fit,
    importance_weights,
    label_shift_split,
    mean_accuracy,
    mean_loss,
    mean_over_seeds,
    probabilities,
    shares_of,
    winter_and_summer,
)

from d2l_core import random, xp
from d2l_core.lessons import scale
from d2l_core.nn.functional import one_hot

# %% [markdown]
# ## 1. Without leaving the logarithm
#
# With $\text{lse}$ for the logarithm of a sum of exponentials, $\log n_{\text{eff}} = 2\,\text{lse}(\log w_i) -
# \text{lse}(2 \log w_i)$. `logsumexp` subtracts the largest element, so neither term overflows. Their difference is
# between 0 and $\log n$, however large both are.


# %%
def effective_size_from_logs(log_weights):
    """Kish's effective sample size of weights given by their logarithms (n,); a 0-d tensor."""
    log_weights = log_weights - xp.max(log_weights)  # (n,), so that the difference below keeps its digits
    return xp.exp(2.0 * xp.logsumexp(log_weights) - xp.logsumexp(2.0 * log_weights))  # ()


# %% [markdown]
# ## 2. Soft confusion
#
# Nothing in the derivation required whole answers: for any function $g_i(x)$, its mean over the target is $\sum_j
# \mathbb{E}_p[g_i(x)\,[y = j]]\, w_j$. With $g_i(x) = p(i \mid x)$ the two means are one matrix product and one
# mean. On our summer the cell below compares the two; soft answers are as a rule somewhat closer, because an image
# that is half shirt, half t-shirt is counted as both.


# %%
def soft_label_weights(source_probabilities, source_labels, target_probabilities):
    """Weights (k,) of the classes, from the probabilities of source (n, k) and target (m, k)."""
    n, k = source_probabilities.shape
    confusion = xp.matmul(xp.matrix_transpose(source_probabilities), one_hot(source_labels, k)) / n  # (k, k)
    return xp.linalg.solve(confusion, xp.mean(target_probabilities, axis=0))  # (k,)


# %%
def soft_gap(images, labels, seed, steps):
    """Distance of the shares by soft confusion from the truth."""
    train, check, target = label_shift_split(labels, seed)
    X = features(images)
    model = fit(X[train], labels[train], steps=steps)
    weights = soft_label_weights(
        xp.asarray(probabilities(model, X[check])),
        xp.asarray(labels[check].astype(np.int32)),
        xp.asarray(probabilities(model, X[target])),
    )
    shares = np.clip(xp.to_numpy(weights), 0, None) * shares_of(labels[check])
    return {"soft_gap": np.abs(shares / shares.sum() - shares_of(labels[target])).sum()}


# %%
if __name__ == "__main__":
    images, labels = clothes()
    print(mean_over_seeds(soft_gap, images, labels))

# %% [markdown]
# ## 3. Clipped weights
#
# Limiting the weights to $c$ times their mean trades a systematic error for less variance. At $c = 1$ the weights
# are nearly equal for all images that were heavier than average, at a large $c$ nothing is changed; in between the
# effective size grows quickly, since it suffers from the few heaviest weights only. For the fine model, which does
# not need weights, less is better: the loss on summer falls towards the plain one as $c$ falls.


# %%
def clipped_losses(limits=(1.0, 3.0, 10.0, np.inf), seed=0):
    """Effective size and loss on summer of the fine model for weights clipped at multiples of their mean."""
    images, labels = clothes()
    source, visible, hidden = winter_and_summer(images, seed)
    X = features(images)
    weights = importance_weights(X[source], X[visible], STEPS[scale()])
    found = {}
    for limit in limits:
        clipped = np.minimum(weights, limit * weights.mean())
        model = fit(X[source], labels[source], clipped, steps=STEPS[scale()])
        found[limit] = effective_size(clipped), mean_loss(model, X[hidden], labels[hidden])
    return found


# %%
if __name__ == "__main__":
    for limit, (size, loss) in clipped_losses().items():
        print(f"at most {limit} times the mean: effective size {size:.0f}, loss {loss:.3f}")

# %% [markdown]
# ## 4. A test by the clinic
#
# With $q$ for the share of the ill, $0.90\,q + 0.05\,(1 - q) = 0.12$, so $q = 0.07 / 0.85 = 0.082$. As a system for
# the shares of both classes,
#
# $$\begin{pmatrix} 0.90 & 0.05 \\ 0.10 & 0.95 \end{pmatrix} \begin{pmatrix} q \\ 1 - q \end{pmatrix} =
#   \begin{pmatrix} 0.12 \\ 0.88 \end{pmatrix} .$$
#
# Counting positives would have said 12 per cent. Of the positives $0.90 \cdot 0.082 / 0.12 = 62$ per cent are ill. In
# epidemiology the first formula bears the names of Rogan and Gladen (1978), who published it decades before it was
# found again for classifiers.

# %%
if __name__ == "__main__":
    print(np.linalg.solve([[0.90, 0.05], [0.10, 0.95]], [0.12, 0.88]))

# %% [markdown]
# ## 5. Why each round helps
#
# Let $a_j(x) = p(j \mid x)/p_j$, so the log-likelihood is $L(q) = \sum_x \log \sum_j q_j a_j(x)$ up to a constant.
# For new shares $q'$ and the $r_j$ that belong to the old $q$,
#
# $$L(q') = \sum_x \log \sum_j r_j(x) \frac{q'_j a_j(x)}{r_j(x)} \ge
#   \sum_x \sum_j r_j(x) \log \frac{q'_j a_j(x)}{r_j(x)} =: B(q'),$$
#
# by Jensen's inequality, since the logarithm is concave and the $r_j(x)$ add up to one. At $q' = q$ the fraction is
# $\sum_l q_l a_l(x)$ for every $j$, so $B(q) = L(q)$. The part of $B$ that depends on $q'$ is $\sum_j \left(\sum_x
# r_j(x)\right) \log q'_j$, which is largest for $q'_j$ proportional to $\sum_x r_j(x)$, that is, for the new shares
# of the algorithm. Hence $L(q') \ge B(q') \ge B(q) = L(q)$.
#
# ## 6. Each photograph for itself
#
# A constant factor for all pixels cancels when an image is divided by its mean, so the new lamp does no damage at
# all: the accuracy under both lamps is the same number. What it costs is the information in the brightness itself,
# by which a black coat differs from a white one, and the next cell shows that the price is small.


# %%
def each_for_itself(images):
    """Images divided by their own mean brightness."""
    return images / images.mean(axis=(1, 2), keepdims=True)


def lamp_with_own_brightness(images, labels, seed, steps):
    """Accuracy under the old and the new lamp where each image is divided by its own mean."""
    source, target = np.array_split(random.permutation(len(labels), "shift", "lamp", seed), 2)
    own = each_for_itself(images)
    X, darker = features(own, reference=own), features(each_for_itself(0.5 * images), reference=own)
    model = fit(X[source], labels[source], steps=steps)
    return {
        "old lamp": mean_accuracy(model, X[target], labels[target]),
        "new lamp": mean_accuracy(model, darker[target], labels[target]),
    }


# %%
if __name__ == "__main__":
    print(mean_over_seeds(lamp_with_own_brightness, images, labels))
