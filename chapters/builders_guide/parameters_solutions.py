# %% [markdown]
# # Parameters: solutions

# %%
import math

import numpy as np
from d2l_chapters.builders_guide.parameters import LETTERS, LetterModel, bigram_loss, pair_frequencies, train

from d2l_core import nn, optim, xp
from d2l_core.lessons import scale

# %% [markdown]
# ## 1. A running mean of models
#
# `parameters()` lists a tied parameter once and leaves buffers out, so the loop does exactly what is asked. Writing
# to `.value` replaces the number and leaves the `Parameter`, and with it every tie, in place.


# %%
def move_average(average, model, decay):
    """Move the parameters of `average` towards those of `model`."""
    others = model.parameters()
    for path, parameter in average.parameters().items():
        parameter.value = decay * parameter.value + (1.0 - decay) * others[path].value


# %% [markdown]
# ## 2. Memory


# %%
def training_bytes(model, slots):
    """Memory that a model needs in training, in bytes, for float32."""
    total = 0
    for parameter in model.parameters().values():
        copies = 1 + (1 + slots if parameter.trainable else 0)
        total += 4 * copies * math.prod(parameter.shape)
    return total


# %%
if __name__ == "__main__":
    model = LetterModel(tied=True).initialise(xp.asarray(LETTERS), seed=0)
    print(f"with Adam: {training_bytes(model, 2):,} bytes, without momentum: {training_bytes(model, 0):,}")

# %% [markdown]
# ## 3. How free is a table?
#
# Nothing changes: $(\mathbf{E}\mathbf{Q})(\mathbf{E}\mathbf{Q})^\top = \mathbf{E}\mathbf{Q}\mathbf{Q}^\top
# \mathbf{E}^\top = \mathbf{E}\mathbf{E}^\top$. The orthogonal matrices of size 16 form a family with $16 \cdot 15 / 2
# = 120$ free numbers (a rotation for each pair of axes), so 120 directions in the space of the 459 numbers make no
# difference. There are more. A vector $\mathbf{v}$ added to every row of $\mathbf{E}$ adds
# $\mathbf{e}_i^\top\mathbf{v}$ to the whole row $i$ of scores, which softmax ignores, and
# $\mathbf{v}^\top\mathbf{e}_j$ plus a constant to column $j$, which $\mathbf{c}$ can take back: 16 directions. And a
# constant added to all of $\mathbf{c}$ is one. There remain $459 - 120 - 16 - 1 = 322$. The program applies a random
# $\mathbf{Q}$ and $\mathbf{v}$.

# %%
if __name__ == "__main__":
    model = LetterModel(mix=False, tied=True).initialise(xp.asarray(LETTERS), seed=0)
    frequencies = xp.asarray(pair_frequencies(), dtype=xp.float_dtype())
    print(f"before: {float(bigram_loss(model, frequencies)):.6f}")
    E, c = model.embedding.weight, model.scores.bias  # (27, 16), (27,)
    Q = xp.asarray(nn.initialisers.Orthogonal()((16, 16), ("turn", 0)), dtype=E.dtype)
    v = xp.asarray(np.linspace(-1.0, 1.0, 16), dtype=E.dtype)  # (16,)
    model.scores.bias = c - xp.matmul(E, v)  # (27, 16) @ (16,) -> (27,)
    model.embedding.weight = xp.matmul(E + v, Q)
    print(f"turned and shifted: {float(bigram_loss(model, frequencies)):.6f}")

# %% [markdown]
# ## 4. Thaw
#
# The second phase needs an optimiser of its own, made after the thaw, with a group for the table. The result lies
# close to that of 300 steps of everything; on so small a model there is little to protect. Where the table was
# learned from a hundred times more text than is at hand now, the order of the two phases matters a great deal: the
# untrained layers behind it would send it large and senseless gradients in the first steps.


# %%
def train_in_two_phases(model, frequencies, frozen=100, thawed=200, lr=0.03):
    """Adam with the table frozen, then with all parameters, the table at a tenth of the rate."""
    model.embedding.freeze()
    train(model, frequencies, frozen, lr)
    model.embedding.unfreeze()
    slow = optim.Group("embedding.*", lr_scale=0.1)
    return train(model, frequencies, thawed, lr, groups=[slow])


# %%
if __name__ == "__main__":
    two, one = (LetterModel().initialise(xp.asarray(LETTERS), seed=0) for _ in range(2))
    tenth = 10 if scale() == "smoke" else 1
    slowly = train_in_two_phases(two, frequencies, 100 // tenth, 200 // tenth)
    print(f"two phases: {slowly:.4f}, all at once: {train(one, frequencies, 300 // tenth):.4f}")
