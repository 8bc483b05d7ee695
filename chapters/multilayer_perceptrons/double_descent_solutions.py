# %% [markdown]
# # Generalisation in deep learning: solutions

# %%
from functools import partial

import numpy as np
from d2l_chapters.multilayer_perceptrons.double_descent import (
    N_EXAMPLES,
    N_FEATURES,
    SIGMA,
    coefficients,
    risk_in_theory,
    risks_measured,
    small_arrays,
    squared_distances,
)

from d2l_core import xp
from d2l_core.random import normal

# %% [markdown]
# ## 1. Take the peak away
#
# Setting the gradient to zero gives $(\mathbf{X}^\top\mathbf{X} + \lambda\mathbf{I})\boldsymbol\beta =
# \mathbf{X}^\top\mathbf{y}$, a $(p, p)$ system. Multiplying $\mathbf{X}^\top(\mathbf{X}\mathbf{X}^\top +
# \lambda\mathbf{I}) = (\mathbf{X}^\top\mathbf{X} + \lambda\mathbf{I})\mathbf{X}^\top$ by both inverses shows that
# $\mathbf{X}^\top(\mathbf{X}\mathbf{X}^\top + \lambda\mathbf{I})^{-1}\mathbf{y}$ is the same vector, from an $(n,
# n)$ system. At 40 features and 40 examples the error, a thousand and more without a penalty, falls to about one. For
# independent normal features the best strength is the noise over the mean square of a coefficient,
# $p\,\eta^2/\lVert\boldsymbol\beta_T\rVert^2$. With equal coefficients that is $40 \cdot 0.99 / 0.1 \approx 400$:
# the signal that 40 of the 400 features carry is weak, and a strong penalty is right.


# %%
def ridge(X, y, strength):
    """Weights (..., p, 1) that minimise the squared error plus strength times their squared norm."""
    n, p = X.shape[-2:]
    Xt = xp.matrix_transpose(X)  # (..., p, n)
    if p <= n:
        return xp.linalg.solve(xp.matmul(Xt, X) + strength * xp.eye(p), xp.matmul(Xt, y))  # (..., p, 1)
    return xp.matmul(Xt, xp.linalg.solve(xp.matmul(X, Xt) + strength * xp.eye(n), y))  # (..., p, 1)


# %%
if __name__ == "__main__":
    beta = coefficients("equal", N_FEATURES)
    for strength in (0.01, 1.0, 10.0, 100.0, 400.0, 2000.0):
        means, _ = risks_measured((40,), N_EXAMPLES, beta, SIGMA, 30, solve=partial(ridge, strength=strength))
        print(f"strength {strength:>7}: error {means[0]:.3f}")

# %% [markdown]
# ## 2. Leave one out
#
# Every example is at distance zero from itself. Adding a number larger than all distances to the diagonal excludes
# it. (With the expansion of the squares the diagonal is not exactly zero in floating point, so looking for the
# second nearest point instead would not be safe.) On 500 images of Fashion-MNIST the estimate agrees well with the
# accuracy on new images.


# %%
def leave_one_out(X, y):
    """Share of the examples (n, d) whose nearest other example has the same label of y (n,)."""
    distances = squared_distances(X, X)  # (n, n)
    distances = distances + (xp.max(distances) + 1.0) * xp.eye(X.shape[0])  # (n, n)
    nearest = xp.take(y, xp.argmin(distances, axis=1), axis=0)
    return float(np.mean(xp.to_numpy(nearest) == xp.to_numpy(y)))


# %%
if __name__ == "__main__":
    (images, labels), _ = small_arrays(500)
    flat = xp.asarray(images.reshape(len(images), -1) / 255.0, dtype=xp.float_dtype())
    print(f"leave one out: {leave_one_out(flat, xp.asarray(labels.astype(np.int32))):.3f}")

# %% [markdown]
# ## 3. No noise
#
# With all features in the model and $\sigma = 0$ the noise $\eta^2$ is zero. For $p = D \le n$ the error is zero:
# the equations are exact. For $n < D$ it is $\lVert \boldsymbol\beta \rVert^2 (1 - n/D)$, a straight line down to
# zero at $n = D$. There is no peak, for the small singular value divides nothing. The peak is noise amplified,
# where "noise" includes everything that the features do not explain.

# %%
if __name__ == "__main__":
    beta = coefficients("equal", 60)
    print([round(float(risk_in_theory(60, n, beta, 0.0)), 3) for n in (15, 30, 45, 58, 62)])

# %% [markdown]
# ## 4. Stopping is a penalty
#
# Let $\mathbf{X} = \mathbf{U}\mathbf{S}\mathbf{V}^\top$ and let $c$ be the component of $\boldsymbol\beta$ along a
# column of $\mathbf{V}$ with the singular value $s$. A step on $\frac12\lVert \mathbf{X}\boldsymbol\beta -
# \mathbf{y}\rVert^2$ turns it into $c - \eta s (s c - u)$, where $u$ is the component of $\mathbf{y}$ along the
# column of $\mathbf{U}$. The fixed point is $u/s$, and the distance from it is multiplied by $1 - \eta s^2$ each
# time. From zero, after $t$ steps, $c = (1 - (1 - \eta s^2)^t)\, u/s$. Ridge regression has $s^2/(s^2 + \lambda)$
# in the place of the bracket. For small $s$ the first is about $t\eta s^2$, the second $s^2/\lambda$: stopping
# after $t$ steps acts like $\lambda = 1/(\eta t)$. Both leave the directions with large $s$ alone and suppress
# those with small $s$, where the noise is amplified.

# %%
if __name__ == "__main__":
    rate, steps = 0.01, 50
    for s in (0.1, 0.5, 1.0, 3.0, 10.0):
        stopped, penalised = 1.0 - (1.0 - rate * s * s) ** steps, s * s / (s * s + 1.0 / (rate * steps))
        print(f"s = {s:>4}: stopped {stopped:.3f}, ridge {penalised:.3f}")

# %% [markdown]
# ## 5. The smallest solution
#
# Each gradient $\mathbf{X}^\top\mathbf{r}$ is a combination of the rows of $\mathbf{X}$. Starting at zero, the
# weights therefore always lie in the space spanned by the rows. Any solution differs from another by a vector
# $\mathbf{v}$ with $\mathbf{X}\mathbf{v} = 0$, which is orthogonal to that space. So there is exactly one solution
# inside it, and by Pythagoras every other is longer. Starting elsewhere, descent keeps the part of the start that
# is orthogonal to the rows.

# %%
if __name__ == "__main__":
    X, y = normal((5, 12), "smallest", "X"), normal((5, 1), "smallest", "y")
    beta = np.zeros((12, 1))
    for _ in range(20000):
        beta -= 0.02 * X.T @ (X @ beta - y)
    print(f"descent {np.linalg.norm(beta):.6f}, pseudo-inverse {np.linalg.norm(np.linalg.pinv(X) @ y):.6f}")
