# %% [markdown]
# # Linear regression: solutions

# %%
from dataclasses import replace
from functools import partial

import numpy as np
from d2l_chapters.linear_regression.linear_regression import airfoil, jobs, synthetic

from d2l_core import xp
from d2l_core.lessons import scale

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## 1. A loss for outliers
#
# Both branches have the value $\frac{1}{2}\delta^2$ and the slope $\delta$ at $|r| = \delta$, so the loss and
# its gradient are continuous. One may select between them with `where`. Shorter: let $c = \min(|r|, \delta)$;
# then $c\,(|r| - \frac{1}{2}c)$ is $\frac{1}{2} r^2$ when $c = |r|$ and $\delta(|r| - \frac{1}{2}\delta)$
# when $c = \delta$. The gradient with respect to a prediction is the residual, limited to $\pm\delta$,
# divided by $n$: an outlier pulls with a bounded force, where under the squared error its pull grows with its
# distance.


# %%
def huber(y_hat, y, delta):
    """Mean of Huber's loss of the residuals; a 0-d tensor."""
    distance = xp.abs(y_hat - y)  # (n, 1)
    near = xp.clip(distance, max=delta)  # (n, 1)
    return xp.mean(near * (distance - 0.5 * near))  # (n, 1) -> ()


# %% [markdown]
# ## 2. The limit
#
# Power iteration: start anywhere, multiply by $\mathbf{H}$, scale to length one, repeat. The component along
# the eigenvector of $\lambda_{\max}$ grows fastest; the share of the next one decays as $(\lambda_2 /
# \lambda_{\max})^k$. The length before scaling tends to $\lambda_{\max}$.


# %%
def stable_rate(X, steps=200):
    """The learning rate at which full-batch descent on the mean squared error begins to diverge; a float."""
    n, d = X.shape
    with_ones = xp.concat([X, xp.ones((n, 1), dtype=X.dtype)], axis=1)  # (n, d + 1)
    H = 2.0 / n * xp.matmul(xp.matrix_transpose(with_ones), with_ones)  # (d + 1, d + 1)
    v = xp.asarray(1.0 / np.arange(1, d + 2)[:, None])  # (d + 1, 1)
    length = 1.0
    for _ in range(steps):
        v = xp.matmul(H, v)  # (d + 1, 1)
        length = xp.sqrt(xp.sum(v * v))  # ()
        v = v / length
    return 2.0 / float(xp.to_numpy(length))


# %%
if __name__ == "__main__":
    print(f"airfoil, standardised: {stable_rate(xp.asarray(airfoil('smoke', 0).train.arrays[0])):.3f}")

# %% [markdown]
# ## 3. Larger batches
#
# An epoch now has only four steps, twelve in all. The removable part of the loss shrinks to $0.94^{24} = 0.23$ of
# 33.2, so we expect about 7.5. The runs with the seeds 0, 1 and 2 gave 7.3, 7.4 and 8.7, where batches of 32 gave
# 0.00024<!--concise.val_loss-->, 0.00036<!--concise.val_loss seed=1--> and 0.00076<!--concise.val_loss seed=2-->.
# With larger batches the gradient is less noisy, but the number of steps is what counts here; to get it back, one
# needs more epochs or a larger learning rate.

# %%
if __name__ == "__main__":
    for batch_size in (32, 256):
        job = replace(jobs["concise"], data=partial(synthetic, batch_size=batch_size))
        losses = [job.run(shown, seed).history.final("val_loss") for seed in range(3)]
        print(batch_size, [f"{loss:.5f}" for loss in losses])

# %% [markdown]
# ## 4. A better feature
#
# It gets worse! The loss rises from 0.508<!--airfoil.val_loss-->, 0.506<!--airfoil.val_loss seed=1--> and
# 0.527<!--airfoil.val_loss seed=2--> to 0.565, 0.559 and 0.546. Plot the level against the logarithm and you see a
# hump: each spectrum rises to a peak and falls after it. A straight line cannot follow a hump; in hertz, the falling
# side takes up most of the axis, and a line does it some justice. The good argument about hearing was not an argument
# about straight lines. Adding the square of the logarithm lets the weighted sum bend: the exact solution then reaches
# 0.487, 0.470 and 0.490, better than with the plain frequency. Now two columns are nearly proportional, the smallest
# eigenvalue of $\mathbf{H}$ falls from 0.34<!--lesson.smallest--> to 0.006, and descent at the same rate would need
# more than fifty times as many steps.


# %%
def with_log_frequency(X):
    """The features (n, 5) with the logarithm of the frequency in the first column."""
    return np.column_stack((np.log(X[:, :1]), X[:, 1:]))


# %%
if __name__ == "__main__":
    for name, prepare in (("frequency", None), ("log frequency", with_log_frequency)):
        job = replace(jobs["airfoil"], data=partial(airfoil, prepare=prepare))
        losses = [job.run(shown, seed).history.final("val_loss") for seed in range(3)]
        print(name, [f"{loss:.4f}" for loss in losses])

# %% [markdown]
# ## 5. Half the loss
#
# Halving the loss halves its gradient, so the doubled learning rate $2\eta$ gives the same product and the
# same weights after every step. With weight decay the rule is $\mathbf{w} \leftarrow \mathbf{w} -
# \eta(\mathbf{g} + \lambda\mathbf{w})$. Doubling $\eta$ restores $\eta\mathbf{g}$ but doubles $\eta\lambda$,
# so $\lambda$ must be halved together with the loss.
