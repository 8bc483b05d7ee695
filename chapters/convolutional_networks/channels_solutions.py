# %% [markdown]
# # Several input and output channels: solutions

# %%
import numpy as np
from d2l_chapters.convolutional_networks.channels import cost, influences, jobs, validation_accuracy

from d2l_core import xp

# %% [markdown]
# ## 1. Over the wall
#
# Number the channels by group and place within the group, exchange these two axes, and number again. Behind two
# grouped layers with a shuffle between them all four channels count: each group of the second layer receives one
# channel from each group of the first.


# %%
def shuffle(X, groups):
    """The channels of X (n, c, h, w), the first of each group first."""
    n, c, h, w = X.shape
    X = xp.reshape(X, (n, groups, c // groups, h, w))  # (n, groups, c / groups, h, w)
    return xp.reshape(xp.permute_dims(X, (0, 2, 1, 3, 4)), (n, c, h, w))


# %%
if __name__ == "__main__":
    print("without:", influences(2).round(1))
    print("with:   ", influences(2, shuffle=lambda X: shuffle(X, 2)).round(1))

# %% [markdown]
# ## 2. Two layers in one
#
# Written out, output $q$ of the second layer is $a_q + \sum_s P_{qs} (b_s + \sum_r \mathbf{X}_r \star
# \mathbf{K}_{sr})$. The cross-correlation is linear in its kernel, so the sums may be exchanged: the kernels are
# $\sum_s P_{qs} \mathbf{K}_{sr}$ and the biases $a_q + \sum_s P_{qs} b_s$. If $m$ is larger than $o$, one layer is
# cheaper than two; if it is much smaller, two are. With padding the merging is still exact, because the second layer
# needs none.


# %%
def merge(K, b, P, a):
    """Kernels (o, c, k, k) and biases (o,) of K (m, c, k, k), b (m,) followed by P (o, m), a (o,)."""
    m, c, k, _ = K.shape
    kernels = xp.matmul(P, xp.reshape(K, (m, c * k * k)))  # (o, m) @ (m, c k k) -> (o, c k k)
    biases = xp.matmul(P, xp.reshape(b, (m, 1)))[:, 0] + a  # (o, m) @ (m, 1) -> (o,)
    return xp.reshape(kernels, (P.shape[0], c, k, k)), biases


# %% [markdown]
# ## 3. A bottle's neck
#
# Per place $256 \cdot 64 + 64 \cdot 64 \cdot 9 + 64 \cdot 256 = 69{,}632$ multiplications instead of
# $256^2 \cdot 9 = 589{,}824$: about an eighth, as with a separable layer. But what passes is limited to 64 numbers
# for each place.

# %%
if __name__ == "__main__":
    narrow = sum(cost(*layer, 1, 1)[0] for layer in ((256, 64, 1), (64, 64, 3), (64, 256, 1)))
    print(f"{narrow} of {cost(256, 256, 3, 1, 1)[0]}: {narrow / cost(256, 256, 3, 1, 1)[0]:.3f}")

# %% [markdown]
# ## 4. Rank two
#
# A depthwise layer with *two* kernels for each input channel (a "depth multiplier" of two) gives $2c$ maps, and the
# mixing layer leads from $2c$ to $o$ channels: $K_{qr} = \sum_{t=1}^{2} P_{qrt} D_{rt}$, a matrix of rank two. More
# terms of the singular value decomposition keep more of the squares and of the accuracy; with nine, the number of
# weights in a kernel, nothing is missing.


# %%
def best_of_rank(K, rank):
    """The kernels closest to K (o, c, k, k) with a matrix of this rank for each input channel, and the share kept."""
    o, c, k, _ = K.shape
    U, S, Vt = np.linalg.svd(K.transpose(1, 0, 2, 3).reshape(c, o, k * k), full_matrices=False)
    near = np.einsum("cot,ct,ctp->ocp", U[:, :, :rank], S[:, :rank], Vt[:, :rank])  # (o, c, k * k)
    return near.reshape(o, c, k, k), float(np.sum(S[:, :rank] ** 2) / np.sum(S**2))


# %%
if __name__ == "__main__":
    run = jobs["full"].run()
    bank = xp.to_numpy(run.model[3].weight)  # (16, 8, 3, 3)
    for rank in (1, 2, 4, 9):
        near, kept = best_of_rank(bank, rank)
        run.model[3].weight = xp.asarray(near)
        print(f"rank {rank}: keeps {kept:.3f}, accuracy {validation_accuracy(run.model, run.data):.3f}")

# %% [markdown]
# ## 5. Does the order matter?
#
# Yes. If the mixing comes first, the kernels are $K_{qruv} = D_{quv} P_{qr}$ with a depthwise kernel for each
# *output*: now the matrix of shape $(c, k^2)$ has rank one for each output channel. That is another set of layers; a
# bank that belongs to both is $D_{uv} P_{qr}$ up to factors, with one kernel for all. For $c = 8$ and $o = 16$ the
# first order has $72 + 128 = 200$ weights, the second $128 + 144 = 272$.
