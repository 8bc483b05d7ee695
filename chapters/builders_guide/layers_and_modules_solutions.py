# %% [markdown]
# # Layers and modules: solutions

# %%
import numpy as np
from d2l_chapters.builders_guide.layers_and_modules import DEPTH, Residual, Settle, sizes_inside, stack
from d2l_chapters.linear_regression.linear_regression import airfoil_arrays

from d2l_core import nn, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.nn.functional import sigmoid

# %% [markdown]
# ## 1. Side by side
#
# The branches go into a `ModuleList`, so that the tree sees them. Each gets the input itself; the outputs are joined
# along the last axis, which works for inputs with more than two axes as well.


# %%
class Parallel(nn.Module):
    """Gives one input to several branches and joins their outputs along the last axis."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, X):
        """The joined outputs."""
        return xp.concat([branch(X) for branch in self.branches], axis=-1)  # (n, m_i) each -> (n, sum of m_i)


# %% [markdown]
# ## 2. Who is called how often?
#
# Each module gets a hook of its own that knows the path. The default argument `path=path` binds the path of this turn
# of the loop; without it all hooks would count under the last one. `finally` takes the hooks off even if the model
# raises an error.


# %%
def call_counts(model, X):
    """How often each module is called while ``model(X)`` is computed, by path."""
    counts, handles = {}, []
    for path, module in model.named_modules():
        counts[path] = 0

        def count(module, inputs, output, path=path):
            counts[path] += 1

        handles.append(module.register_forward_hook(count))
    try:
        model(X)
    finally:
        for handle in handles:
            handle.remove()
    return counts


# %%
if __name__ == "__main__":
    X = xp.asarray(airfoil_arrays(np.arange(1503))[0][0][:100])  # (100, 5)
    print(call_counts(Settle(8).initialise(X, seed=0), X))

# %% [markdown]
# ## 3. A gate
#
# With $\mathbf{c} = -2$ the gate starts near $\sigma(-2) = 0.12$: 12 % of the block's output and 88 % of its input.
# Thirty times 0.88 leaves 0.022 of the input, to which the blocks' own shares are added, each about 0.12 times
# 0.4 of what arrives. One block thus multiplies the size by something between 0.88 and $0.88 + 0.05 = 0.93$; thirty
# should leave between 0.02 and 0.11 of it. The signal survives better than in the plain stack and worse than with
# the plain sum, whose factor for the input is 1; it was that simplification which made very deep networks easy.


# %%
class Gate(nn.Module):
    """A mixture of the inner module's output and of its input (n, size), weighted by a gate."""

    def __init__(self, inner, size=16, bias=-2.0):
        super().__init__()
        self.inner = inner
        self.gate = nn.Linear(size, weight_init=nn.initialisers.Normal(0.1), bias_init=nn.initialisers.Constant(bias))

    def forward(self, X):
        """t g(x) + (1 - t) x."""
        t = sigmoid(self.gate(X))  # (n, size)
        return t * self.inner(X) + (1.0 - t) * X


# %%
if __name__ == "__main__":
    for name, wrap in (("plain", lambda block: block), ("gate", Gate), ("detour", Residual)):
        sizes = sizes_inside(stack(DEPTH, wrap=wrap).initialise(X, seed=0), X)
        print(f"{name}: {sizes[0]:.3f} at first, {sizes[DEPTH] / sizes[0]:.2e} of it behind {DEPTH} blocks")

# %% [markdown]
# ## 4. No fixed point
#
# The bound says nothing for $\gamma \geq 1$. Tanh keeps all numbers below one, so $\mathbf{H}$ cannot grow without
# limit, but nothing forces it to come to rest. Here it does not: the row still changes by several units at each pass,
# and the loop ends after 200 passes only because `most` says so. That is why a loop whose end depends on data should
# always have such a limit.


# %%
def changes(block, X, passes):
    """The length of the change of the first row at each pass."""
    drive = block.into(X)
    H, lengths = xp.zeros_like(drive), []
    for _ in range(passes):
        new = xp.tanh(drive + block.again(H))
        lengths.append(float(xp.linalg.vector_norm((new - H)[0])))
        H = new
    return lengths


# %%
if __name__ == "__main__":
    for gain in (0.5, 3.0):
        block = Settle(8, gain).initialise(X, seed=0)
        block(X)
        print(f"gain {gain}: {block.steps} passes; last changes {np.round(changes(block, X, 60)[-4:], 4)}")

# %% [markdown]
# ## 5. Twice the same
#
# $f(f(x)) = w(wx)$. With separate numbers, $G(u, v) = v(ux)$: $\partial G / \partial u = vx$ and
# $\partial G / \partial v = ux$. At $u = v = w$ the sum is $2wx$, the derivative of $w^2 x$.

# %%
if __name__ == "__main__":
    _, slope = value_and_grad(lambda w: xp.sum(w * (w * 5.0)))(xp.asarray([3.0], dtype=xp.float_dtype()))
    print(slope, 2 * 3.0 * 5.0)
