# %% [markdown]
# # LeNet and batch normalisation: solutions

# %%
from dataclasses import replace

import numpy as np
from d2l_chapters.convolutional_networks.channels import corr2d_multi
from d2l_chapters.convolutional_networks.lenet import count_parameters, jobs, normalise

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.lessons import scale
from d2l_core.nn.functional import cross_entropy
from d2l_core.random import normal

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## 1. Backwards through a convolution
#
# The input $X_{c,a,b}$ enters $Y_{o,i,j}$ with the weight $K_{o,c,a-i,b-j}$, so its gradient is $\sum_{o,u,v}
# G_{o,a-u,b-v} K_{o,c,u,v}$. The minus signs say: a cross-correlation with the kernel turned by 180 degrees.
# Out of range, $G$ counts as zero, which is a padding of $k - 1$; and the roles of the two channel axes are
# exchanged. What was a cross-correlation forward is a convolution in the mathematician's sense backward.


# %%
def input_gradient(G, K):
    """Gradient of the input (n, c, h, w), from that of the output G (n, o, h', w') and the kernels K (o, c, k, k)."""
    turned = xp.flip(xp.permute_dims(K, (1, 0, 2, 3)), axis=(2, 3))  # (o, c, k, k) -> (c, o, k, k)
    return corr2d_multi(G, turned, padding=K.shape[-1] - 1)  # (n, o, h', w') -> (n, c, h, w)


# %% [markdown]
# ## 2. Away with the layer
#
# In evaluation the layer computes $\gamma (x - \mu_{\text{run}}) / s + \beta$ with constants for all but $x$:
# an affine map per channel. With $x = \mathbf{k} \cdot \mathbf{p} + b$ for a patch $\mathbf{p}$ this is
# $\frac{\gamma}{s} \mathbf{k} \cdot \mathbf{p} + \frac{\gamma}{s}(b - \mu_{\text{run}}) + \beta$: another
# convolution, with scaled kernels and another bias. Normalisation costs nothing once training is over.


# %%
def fold(weight, bias, norm):
    """Kernels (o, c, k, k) and bias (o,) that do the work of a convolution and of the normalisation after it."""
    scale = norm.weight / xp.sqrt(norm.running_var + norm.eps)  # (o,)
    return weight * xp.reshape(scale, (-1, 1, 1, 1)), (bias - norm.running_mean) * scale + norm.bias


# %% [markdown]
# ## 3. A bias that does nothing
#
# The batch mean contains the bias and is subtracted, so the output does not depend on it: its gradient is
# zero but for rounding, as the formula with the mean taken out of $\mathbf{g}$ said. In `bn-lenet` the four
# normalised layers have $6 + 16 + 120 + 84 = 226$ such parameters, and $\beta$ does their work. In evaluation
# the bias is not without effect, it is merely cancelled by the running mean, which was gathered with it.


# %%
def idle_parameters(model, X, y, limit=1e-5):
    """Paths of parameters none of whose gradients exceeds a limit, for one batch in training mode."""
    model.train()
    _, gradients = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)(X, y)
    return [path for path, gradient in gradients.items() if np.max(np.abs(xp.to_numpy(gradient))) < limit]


# %%
if __name__ == "__main__":
    job = jobs["bn-lenet"]
    X, y = next(iter(job.data(shown, 0).train.epoch(0)))
    model = job.model().initialise(X, seed=0)
    idle = idle_parameters(model, X, y)
    print(idle, sum(model.parameters()[path].shape[0] for path in idle), "of", count_parameters(model))

# %% [markdown]
# ## 4. Another activation
#
# Both have slope one near zero (ReLU on the right-hand side), so by the argument of the lesson neither should let the
# signal die. They do not: with the tangent, which is closest to the original LeNet, two thirds of the answers are right
# after the first epoch and more than four fifths after ten, where batch normalisation, whose rate comes to rest, has
# 0.841<!--lesson.normalised_last @torch--> (seed 0, scale `standard`). With ReLU it is a third after the first epoch
# and about four fifths after ten, with drops on the way. The tangent has mean zero at the start, as the initial rule
# assumes; ReLU passes only one half of the values on, so the signal loses half of its power in each layer, which the
# rule of He and others (2015) makes up for with a factor of two in the variance of the weights.


# %%
def lenet_with(activation):
    """LeNet with another activation; `activation()` makes the layer."""
    return nn.Sequential(
        *(nn.Conv2d(6, 5, padding=2), activation(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 5), activation(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(120), activation(), nn.Linear(84), activation(), nn.Linear(10)),
    )


# %%
if __name__ == "__main__":
    for activation in (nn.Tanh, nn.ReLU):
        job = replace(jobs["lenet"], model=lambda activation=activation: lenet_with(activation))
        print(
            activation.__name__,
            [f"{value:.3f}" for value in job.run(shown).history.column("val_acc")],
        )

# %% [markdown]
# ## 5. Batches of two
#
# Two values $x_1 > x_2$ have the mean $\mu = (x_1 + x_2) / 2$ and the spread $\sqrt{v} = (x_1 - x_2) / 2$, so
# without $\epsilon$ the outputs are $\hat{x}_1 = 1$ and $\hat{x}_2 = -1$, whatever the inputs were. All that
# is left of the two pictures is, for each unit, which of them had more of it. The gradient of the input is
# zero: of two numbers $g_1, g_2$ nothing remains when their mean and their part along $(1, -1)$ are taken
# out. An affine layer with this normalisation and batches of two learns nothing below it. For maps $m = n h
# w$ is larger, and all is well; but there too the statistics of small batches are noisy, and that is why
# networks for large pictures, of which few fit into memory, use group or layer normalisation instead.


# %%
def pair_gradient(eps=1e-5):
    """Largest gradient of the input of a batch normalisation for a batch of two vectors."""
    X, G = xp.asarray(normal((2, 6), "pair")), xp.asarray(normal((2, 6), "pair G"))
    _, gradient = value_and_grad(lambda X: xp.sum(G * normalise(X, nn.BatchNorm, eps=eps)))(X)
    return float(np.max(np.abs(xp.to_numpy(gradient))))


# %%
if __name__ == "__main__":
    print(xp.to_numpy(nn.BatchNorm().train()(xp.asarray(normal((2, 6), "pair")))).round(3))
    print(f"largest gradient of an input: {pair_gradient():.1e}")
