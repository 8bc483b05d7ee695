# %% [markdown]
# # What all classifiers share: solutions

# %%
import numpy as np
from d2l_chapters.linear_classification.classifier import confusion, jobs, plot_confusion, scores_of

from d2l_core import xp
from d2l_core.lessons import scale
from d2l_core.nn.functional import softmax
from d2l_core.plots import house_style

# %% [markdown]
# ## 1. Every class alike
#
# The recalls are the diagonal divided by the sums of the rows. A class that does not occur would be zero divided by
# zero; it is given the divisor 1, contributes nothing to the sum, and is not counted. The constant answer has the
# recalls 1 and 0, and so a balanced accuracy of one half in place of 0.99: what a coin would get.


# %%
def balanced_accuracy(counts):
    """Mean of the recalls of all classes that occur, from counts (k, k); a 0-d tensor."""
    members = xp.sum(counts, axis=1)  # (k, k) -> (k,)
    occurs = xp.astype(members > 0, counts.dtype)  # (k,)
    right = xp.sum(counts * xp.eye(counts.shape[0]), axis=1)  # (k, k) -> (k,)
    recall = right / xp.where(members > 0, members, xp.ones_like(members))  # (k,)
    return xp.sum(recall) / xp.sum(occurs)


# %% [markdown]
# ## 2. The curve behind the temperature
#
# Only the probabilities contain $\beta$; the scores whose mean they weigh are the bare ones. The library's softmax
# subtracts the largest score of each row before the exponential.


# %%
def mean_surplus(scores, labels, beta):
    """Derivative of the mean cross-entropy of beta times the scores (n, k) with respect to beta; a 0-d tensor."""
    expected = xp.sum(softmax(beta * scores) * scores, axis=1, keepdims=True)  # (n, k) -> (n, 1)
    true = xp.take_along_axis(scores, xp.expand_dims(labels, axis=1), axis=1)  # (n, k) -> (n, 1)
    return xp.mean(expected - true)


# %% [markdown]
# ## 3. Costs
#
# Let $K_{jl}$ be the cost of the answer $l$ where the truth is $j$. With the probabilities $p_j$ the answer $l$
# costs $\sum_j p_j K_{jl}$ on average, and the cheapest $l$ is the answer to give; with equal costs for all errors
# this is the most probable class. If shirts are dear to lose, some pictures are now called shirts that are more
# probably coats: as soon as $5 p_\text{shirt} > p_\text{coat}$. The recall of the shirts rises, their precision
# falls, and the accuracy falls a little. Nothing was trained anew. This works as well as the probabilities are
# calibrated.


# %%
def cheapest(p, costs):
    """The answer (n,) of least expected cost for probabilities p (n, k) and costs (k, k) of truth and answer."""
    return (p @ costs).argmin(axis=1)  # (n, k) @ (k, k) -> (n, k) -> (n,)


# %%
if __name__ == "__main__":
    run = jobs["linear"].run(scale())
    scores, labels = scores_of(run.model, run.data.val)
    p, truth = xp.to_numpy(softmax(scores)), xp.to_numpy(labels)
    costs = 1.0 - np.eye(10)
    costs[6, 4] = 5.0  # a shirt taken for a coat
    for name, K in (("equal costs", 1.0 - np.eye(10)), ("dear shirts", costs)):
        answers = cheapest(p, K)
        shirts = answers == 6
        print(
            f"{name}: accuracy {(answers == truth).mean():.3f}, recall of shirts {shirts[truth == 6].mean():.2f}, "
            f"precision {(truth[shirts] == 6).mean():.2f}, mean cost {costs[truth, answers].mean():.3f}"
        )
    plot_confusion(xp.to_numpy(confusion(xp.asarray(np.eye(10)[cheapest(p, costs)]), labels)))

# %% [markdown]
# ## 4. Only when sure
#
# Sort the pictures by confidence and take the surest first. The accuracy on what is kept is close to one at first and
# falls to the overall accuracy when all are kept. Passing on the least sure third removes well over half of the errors.
# For this use only the *order* of the confidences counts, so that a temperature changes nothing of it.


# %%
def accuracy_by_share(p, truth):
    """Accuracy on the surest 1, 2, ..., n examples for probabilities p (n, k), shape (n,)."""
    order = np.argsort(-p.max(axis=1), kind="stable")  # (n,)
    return np.cumsum((p.argmax(axis=1) == truth)[order]) / np.arange(1, len(truth) + 1)


@house_style
def plot_passed_on(curve):
    """Accuracy on the rest against the share that is passed on."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3))
    axes.plot(1.0 - np.arange(1, len(curve) + 1) / len(curve), curve)
    axes.set(xlabel="share passed on to a person", ylabel="accuracy on the rest")
    return figure


# %%
if __name__ == "__main__":
    curve = accuracy_by_share(p, truth)
    for share in (0.0, 0.2, 0.33, 0.5):
        print(f"{share:.0%} passed on: accuracy {curve[int((1.0 - share) * len(curve)) - 1]:.3f}")
    plot_passed_on(curve)

# %% [markdown]
# ## 5. The last batch in training
#
# The loss of a batch is a mean, and each batch makes one step of the same rate, so a picture in the last batch of 96
# has the weight $1/96$ in its step where others have $1/256$, 2.7 times as much. It is the same arithmetic as the plain
# mean, but not the same harm: in each epoch another random 96 pictures are in that place, so that over many epochs all
# pictures count alike. What remains is one step in 235 whose gradient is noisier than the rest. If it were a batch of a
# single picture that could hurt, above all in layers that take statistics over the batch; then one leaves the last
# batch out, in training, with `drop_last=True`. In validation nothing may be left out.
