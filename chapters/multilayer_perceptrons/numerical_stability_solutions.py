# %% [markdown]
# # Numerical stability and initial values: solutions

# %%
import math

import numpy as np
from d2l_chapters.multilayer_perceptrons.activations import relu
from d2l_chapters.multilayer_perceptrons.numerical_stability import he_normal

from d2l_core import random, xp

# %% [markdown]
# ## 1. A gain for every activation
#
# If the inputs of a layer have the second moment 1 before the activation, $z$ is a sum of many independent terms and
# nearly normal with variance 1; behind the activation the second moment is $\mathbb{E}[\phi(z)^2]$, and the next sums
# have $n_{\text{in}} \sigma^2\, \mathbb{E}[\phi(z)^2] = g^2\, \mathbb{E}[\phi(z)^2]$, which is 1 for $g =
# 1/\sqrt{\mathbb{E}[\phi(z)^2]}$. For the ReLU the expectation is $\frac12$ and $g = \sqrt 2$, He's rule. The integral
# over the normal density is a sum over a fine grid; beyond $|z| = 8$ the density is below $10^{-14}$. For tanh the gain
# is 1.59, while PyTorch's `calculate_gain` returns $\frac53$, a value found empirically.


# %%
def gain_for(activation, reach=8.0, points=4001):
    """1 / sqrt(E[activation(z)²]) for a standard normal z, by the rectangle rule."""
    grid = np.linspace(-reach, reach, points)
    density = np.exp(-0.5 * grid**2)
    values = np.asarray(xp.to_numpy(activation(xp.asarray(grid, dtype=xp.float_dtype()))), np.float64)
    return 1.0 / math.sqrt(float(np.sum(density * values**2) / np.sum(density)))


# %%
if __name__ == "__main__":
    for name, activation in (("ReLU", relu), ("tanh", xp.tanh), ("sine", xp.sin)):
        print(f"{name}: {gain_for(activation):.4f}")

# %% [markdown]
# ## 2. Measure instead of deriving
#
# One pass over the layers suffices, because a layer's scale does not depend on later ones: compute the sums with the
# given weight, divide the weight (and with it the sums) by the root of their mean square, apply the activation, go on.
# The rule needs no theory of the activation. It does not help where the given weight maps the batch to zero.


# %%
def unit_scaled(weights, X, activation):
    """The weights, each divided by the root mean square of its layer's sums on the batch."""
    scaled, H = [], X
    for weight in weights:
        Z = xp.matmul(H, xp.matrix_transpose(weight))  # (n, in) @ (in, out) -> (n, out)
        size = xp.sqrt(xp.mean(Z * Z))  # ()
        scaled.append(weight / size)
        H = activation(Z / size)
    return scaled


# %% [markdown]
# ## 3. Unequal widths
#
# Going back through layer $l$, the second moment is multiplied by $\frac12 n_l \sigma_l^2 = \frac12 n_l \cdot
# 2/n_{l-1} = n_l / n_{l-1}$. The product over all layers telescopes to $n_N / n_0$: for 784 inputs and ten outputs
# it is 0.013 in all, independent of the depth. With $n_{\text{out}}$ the gradient keeps its size and the forward
# signal is multiplied by $n_0/n_N$. Either is harmless; what would not be harmless is a factor that is raised to
# the power $N$.
#
# ## 4. Deep and narrow
#
# With $\mathbb{E}[z^2] = 1$ one term is $t = 2h^2$; $\mathbb{E}[t] = 1$ and $\mathbb{E}[t^2] = 4\,\mathbb{E}[h^4] =
# 4 \cdot \frac12 \cdot 3 = 6$, so its variance is 5, and that of a mean of $n$ terms is $5/n$. With a second-order
# expansion $\log(1 + x) \approx x - x^2/2$ the logarithm has the mean $-5/(2n)$. Fifty layers of 32 units give a
# mean of about $-3.9$ and a standard deviation of about $2.8$: the typical network loses a factor of fifty, some
# lose ten thousand, and the average of 1 that the derivation of He's rule preserves comes from a few that grow.
# (The expansion is rough for $n = 32$; forty networks gave $-4.5$ and $2.5$.) One input only is followed, since two
# inputs of one network share its fate.


# %%
def log_moments(width, streams=40, depth=50):
    """Logarithm of the second moment at the last layer for a single input of second moment 1, one for each stream."""
    found = []
    for stream in range(streams):
        h = xp.asarray(random.normal((1, width), "input", stream), dtype=xp.float_dtype())
        start = float(xp.to_numpy(xp.mean(h * h)))
        for layer in range(depth):
            weight = xp.asarray(he_normal((width, width), ("narrow", stream, layer)), dtype=xp.float_dtype())
            h = relu(xp.matmul(h, xp.matrix_transpose(weight)))  # (1, width)
        found.append(math.log(float(xp.to_numpy(xp.mean(h * h))) / start))
    return np.array(found)


# %%
if __name__ == "__main__":
    for width in (32, 128):
        logs = log_moments(width)
        print(
            f"width {width}: mean {logs.mean():.2f} (theory {-125 / width:.2f}), "
            f"deviation {logs.std():.2f} (theory {math.sqrt(250 / width):.2f})"
        )

# %% [markdown]
# ## 5. Residual layers
#
# Uncorrelated sums add their second moments: $\mathbb{E}[(h + \alpha f)^2] = (1 + \alpha^2)\,\mathbb{E}[h^2]$. With
# $\alpha = 1$ it doubles in each layer, and after fifty it is $10^{15}$ times as large, unless something normalises it.
# With $\alpha = 1/\sqrt N$ the product is $(1 + 1/N)^N < e$, whatever the depth.
