# %% [markdown]
# # Weight decay: solutions

# %%
import numpy as np
from d2l_chapters.linear_regression.weight_decay import error, patients, ridge, wing_curves

from d2l_core import xp

# %% [markdown]
# ## 1. Zeros
#
# After the descent each weight $z_j$ becomes $\operatorname{sign}(z_j) \max(0, |z_j| - \eta\lambda)$. Why this is the
# right step: among all $u$ it minimises $\frac{1}{2\eta}(u - z_j)^2 + \lambda |u|$, a compromise between staying at
# $z_j$ and a small penalty. For $u > 0$ the derivative is $(u - z_j)/\eta + \lambda$, which is zero at $u = z_j -
# \eta\lambda$; if that is negative, the minimum lies at the kink, at zero. The pull of $|w|$ does not weaken as $w$
# becomes small, and so it can hold a weight at zero against a small gradient. The pull of $\frac{\lambda}{2}w^2$ is
# $\lambda w$ and fades: it halves a weight again and again and never arrives.


# %%
def lasso_step(X, y, w, lr, strength):
    """One step on half the mean squared error plus `strength` times the sum of the absolute weights; (d, 1)."""
    residual = xp.matmul(X, w) - y  # (n, d) @ (d, 1) - (n, 1) -> (n, 1)
    moved = w - lr * xp.matmul(xp.matrix_transpose(X), residual) / X.shape[0]  # (d, n) @ (n, 1) -> (d, 1)
    return xp.sign(moved) * xp.clip(xp.abs(moved) - lr * strength, min=0.0)  # (d, 1)


# %% [markdown]
# On the cubic features of the wing the lasso keeps a minority of the 55 products. The step must be shorter than one
# over the largest eigenvalue of $\mathbf{H}$, which is about 14.

# %%
if __name__ == "__main__":
    train, _, test = [(xp.asarray(X), xp.asarray(y)) for X, y in wing_curves()]
    w = xp.zeros((55, 1))
    for _ in range(1000):
        w = lasso_step(*train, w, lr=0.05, strength=0.02)
    kept = int((xp.to_numpy(w) != 0.0).sum())
    print(f"{kept} of 55 weights are not zero; test error {float(xp.to_numpy(error(w, *test))[0]):.3f}")

# %% [markdown]
# ## 2. How many parameters?
#
# The eigenvalues are $h_i = s_i^2 / n$ with the singular values $s_i$ of $\mathbf{X}$, of which there are
# $\min(n, d)$; the other eigenvalues are zero and add nothing. What should be zero comes out as a rounding error, and
# at $\lambda = 0$ a rounding error divided by itself would count as a whole parameter. So values below a threshold,
# relative to the largest, are set to zero first, and the division is protected.


# %%
def effective_parameters(X, strength):
    """Sum of h / (h + strength) over the eigenvalues h of X' X / n; a 0-d tensor."""
    s = xp.linalg.svdvals(X)  # (n, d) -> (min(n, d),)
    h = xp.where(s > 1e-5 * xp.max(s), s * s / X.shape[0], xp.zeros_like(s))
    return xp.sum(xp.where(h > 0, h / xp.where(h > 0, h + strength, xp.ones_like(h)), xp.zeros_like(h)))


# %%
if __name__ == "__main__":
    X = xp.asarray(wing_curves()[0][0])  # (100, 55)
    for strength in (0.0, 0.001, 0.01, 0.1, 1.0):
        print(f"strength {strength}: {float(xp.to_numpy(effective_parameters(X, strength))):.1f} parameters")

# %% [markdown]
# ## 3. Invented patients
#
# Let $\mathbf{X}'$ be $\mathbf{X}$ with the rows $\sqrt{n\lambda}\,\mathbf{I}$ below it and $\mathbf{y}'$ be
# $\mathbf{y}$ with $d$ zeros below. The squared residuals of the new rows add up to $n\lambda \lVert \mathbf{w}
# \rVert^2$, so that
#
# $$\frac{1}{2n} \lVert \mathbf{X}'\mathbf{w} - \mathbf{y}' \rVert^2 = \frac{1}{2n} \lVert \mathbf{X}\mathbf{w} -
#   \mathbf{y} \rVert^2 + \frac{\lambda}{2} \lVert \mathbf{w} \rVert^2 = J(\mathbf{w}) .$$
#
# Each invented example is a patient in whom a single value deviates from the mean and whose stay is average all the
# same: somebody has "observed" that this value has no effect.


# %%
def with_invented(X, y, strength):
    """X (n, d) and y (n, 1) with d further examples, (n + d, d) and (n + d, 1), on the host."""
    n, d = X.shape
    return np.vstack([X, np.sqrt(n * strength) * np.eye(d)]), np.vstack([y, np.zeros((d, 1))])


# %%
if __name__ == "__main__":
    X, y = wing_curves()[0]
    invented = np.linalg.lstsq(*with_invented(X, y, 0.1), rcond=None)[0]
    gap = np.abs(invented - xp.to_numpy(ridge(xp.asarray(X), xp.asarray(y), 0.1))).max()
    print(f"largest difference to ridge regression: {gap:.1e}")

# %% [markdown]
# ## 4. Stopping early
#
# For small $\eta h t$ both shares are about $\eta h t$: $1 - (1 - \eta h)^t \approx \eta h t$ and $h / (h + 1/(\eta
# t)) \approx \eta h t$. For large $\eta h t$ both are near one. Between, they differ by at most 0.21: with
# $x = \eta h t$ one is about $1 - e^{-x}$ and the other $x / (1 + x)$. A run that stops early therefore prefers small
# weights, whether one means it to or not, and the number of steps acts like $1 / (\eta\lambda)$.


# %%
def stopped_early(X, y, lr, steps):
    """Weights (d, 1) after `steps` steps of descent from zero on half the mean squared error, on the host."""
    U, s, Vt = np.linalg.svd(X, full_matrices=False)  # (n, r), (r,), (r, d)
    shares = 1.0 - (1.0 - lr * s * s / len(X)) ** steps  # (r,)
    return Vt.T @ (shares / s * (U.T @ y)[:, 0])[:, None]  # (d, r) @ (r, 1) -> (d, 1)


# %%
if __name__ == "__main__":
    (X, y), _, (X_test, y_test) = wing_curves()
    for steps in (10, 100, 1000, 10_000, 100_000):
        lr = 0.05
        decayed = xp.to_numpy(ridge(xp.asarray(X), xp.asarray(y), 1.0 / (lr * steps)))
        losses = [np.mean((X_test @ w - y_test) ** 2) for w in (stopped_early(X, y, lr, steps), decayed)]
        print(f"{steps:>6} steps: stopped early {losses[0]:.3f}, ridge {losses[1]:.3f}")

# %% [markdown]
# ## 5. Momentum
#
# No. With a penalty the term $\lambda\mathbf{w}$ enters the velocity and goes on acting for about $1 / (1 - \beta)$
# steps, whereas a decoupled decay acts once. In the long run a constant gradient $\mathbf{g}$ moves the weights by
# $\eta \mathbf{g} / (1 - \beta)$ in each step, so the penalty shrinks them by the factor $1 - \eta\lambda / (1 -
# \beta)$ and the decoupled strength $\lambda / (1 - \beta)$ does about the same: ten times as large a number for
# $\beta = 0.9$. Step by step the two still differ, as the velocity lags behind.
#
# ## 6. A better preference
#
# Let $\bar{w}$ be the mean of the weights and penalise $\frac{\lambda}{2}\sum_j (w_j - \bar{w})^2 =
# \frac{\lambda}{2} \mathbf{w}^\top \mathbf{P} \mathbf{w}$ with $\mathbf{P} = \mathbf{I} - \frac{1}{d}
# \mathbf{1}\mathbf{1}^\top$. The equations become $(\mathbf{H} + \lambda\mathbf{P})\mathbf{w} =
# \frac{1}{n}\mathbf{X}^\top\mathbf{y}$. The direction of equal weights is free and the other 199 are penalised; with
# a large $\lambda$ a single number must be learned, for which twenty examples are plenty. The validation loss comes
# down to the order of the noise, half of $0.0001$, a two-hundredth of what weight decay reached. A penalty is
# knowledge about the problem, and the right knowledge is worth more than data.


# %%
def prefer_equal(X, y, strength):
    """The minimiser (d, 1) under a penalty on the differences between the weights, for centred X, y, on the host."""
    n, d = X.shape
    P = np.eye(d) - np.full((d, d), 1.0 / d)
    return np.linalg.solve(X.T @ X / n + strength * P, X.T @ y / n)


# %%
if __name__ == "__main__":
    for seed in range(3):
        data = patients("full", seed)
        (X, y), (X_val, y_val) = data.train.arrays, data.val.arrays
        middle, level = X.mean(axis=0), y.mean()
        w = prefer_equal(X - middle, y - level, strength=100.0)
        print(f"seed {seed}: val_loss {0.5 * np.mean(((X_val - middle) @ w + level - y_val) ** 2):.6f}")
