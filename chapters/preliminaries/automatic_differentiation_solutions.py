# %% [markdown]
# # Automatic differentiation: solutions

# %%
import numpy as np
from d2l_chapters.preliminaries.automatic_differentiation import Node, backward, total

from d2l_core import xp
from d2l_core.autodiff import grad, jvp, stop_gradient, value_and_grad

# %% [markdown]
# ## 1. Straight through
#
# Write the rounded value as $x$ plus what rounding adds to it, and hold that addition fixed. The value is
# $x + (\text{round}(x) - x)$, and only the first $x$ has a derivative, which is 1. In float32 the sum gives back the
# rounded number exactly as long as $|x|$ is not huge, because the difference of two numbers so close to one another is
# computed without rounding. One could also use `custom_gradient` and state the rule oneself.


# %%
def straight_through_round(x):
    """x rounded to whole numbers, with the derivative of x itself."""
    return x + stop_gradient(xp.round(x) - x)


# %%
if __name__ == "__main__":
    x = xp.asarray(np.array([-1.2, 0.4, 2.6]))
    print(xp.to_numpy(straight_through_round(x)), xp.to_numpy(grad(lambda x: xp.sum(straight_through_round(x)))(x)))

# %% [markdown]
# ## 2. Columns
#
# The product of $\mathbf{J}$ with the unit vector $\mathbf{e}_j$ is its column $j$. With $n$ variables and $m$ results
# there are $n$ forward or $m$ backward passes to choose from, so columns are better if $n < m$: few knobs, many dials.
# Besides, a forward pass stores nothing. The library makes its `jvp` from two backward passes, since not every
# framework has a forward mode, so here the advantage in memory is lost.


# %%
def jacobian_by_columns(f, x):
    """The Jacobian (m, n) of f from (n,) to (m,) at x, column by column."""
    units = xp.eye(x.shape[0])  # (n, n)
    columns = [jvp(f, x, units[j])[1] for j in range(x.shape[0])]  # n times (m,)
    return xp.stack(columns, axis=1)  # (m, n)


# %%
if __name__ == "__main__":
    print(xp.to_numpy(jacobian_by_columns(lambda x: xp.stack([x[0] * x[1], xp.sin(x[1])]), xp.asarray([2.0, 0.0]))))

# %% [markdown]
# ## 3. The gradient of a gradient
#
# The inner gradient is itself a program of elementary operations, so it can be differentiated like any other. For
# $q = \sum_i g_i^2$ with $g_i = \partial f / \partial x_i$ the chain rule gives
# $\partial q / \partial x_j = \sum_i 2 g_i\, \partial g_i / \partial x_j$, that is $2 \mathbf{H} \mathbf{g}$ with the
# matrix $\mathbf{H}$ of second derivatives. Again no matrix is ever built: the backward pass of a backward pass is a
# product of $\mathbf{H}$ with a vector. Penalties on the slope of a network are trained in this way.


# %%
def squared_slope(f, x):
    """Squared length of the gradient of f at x, a 0-d tensor that can be differentiated again."""
    slope = grad(f)(x)  # (n,)
    return xp.sum(slope * slope)  # (n,) -> ()


# %%
if __name__ == "__main__":
    x = xp.asarray(np.array([1.0, -2.0]))
    value, gradient = value_and_grad(lambda x: squared_slope(lambda x: xp.sum(x * x * x), x))(x)
    print(float(value), xp.to_numpy(gradient))

# %% [markdown]
# ## 4. Extend the tape
#
# The exponential is its own derivative, so it keeps its *result*; the logarithm needs its *operand*. There is a choice:
# the exponential could keep its operand and compute the result again, which would take time and save nothing, unless
# the operand is kept anyway by someone else. For the hyperbolic tangent and the sigmoid the result is also enough, and
# so the operand may be thrown away or overwritten; frameworks with in-place activations rely on that.


# %%
def exp(x):
    """The exponential of a node."""
    result = xp.exp(x.value)
    return Node(result, [(x, lambda g: g * result)], kept=(result,))


def log(x):
    """The natural logarithm of a node."""
    operand = x.value
    return Node(xp.log(operand), [(x, lambda g: g / operand)], kept=(operand,))


# %%
if __name__ == "__main__":
    x = xp.asarray(np.array([0.5, 1.0, 2.0]))
    node = Node(x)
    ours = backward(total(log(exp(node) + 1.0)))[node]
    print(xp.to_numpy(ours), xp.to_numpy(grad(lambda x: xp.sum(xp.log(xp.exp(x) + 1.0)))(x)))

# %% [markdown]
# ## 5. Less memory
#
# Kept for good are $L/k$ results, and while one stretch is worked off, the $k$ results inside it: $L/k + k$ in all.
# This is smallest where $-L/k^2 + 1 = 0$, at $k = \sqrt{L}$, and then $2\sqrt{L}$. For 100 layers it is a fifth, 20.
# Each result is computed at most once more, so the cost is that of a second forward pass: if a backward pass takes
# twice the time of a forward pass, the time grows by a third. Chen and others (2016) made the method popular for deep
# networks.
