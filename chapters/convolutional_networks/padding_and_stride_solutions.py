# %% [markdown]
# # Padding and stride: solutions

# %%
import numpy as np
from d2l_chapters.convolutional_networks.convolutions import corr2d, photographs
from d2l_chapters.convolutional_networks.padding_and_stride import corr2d_strided

from d2l_core import xp
from d2l_core.autodiff import grad

# %% [markdown]
# ## 1. Same
#
# The last of $\lceil n/s \rceil$ places begins at $(\lceil n/s \rceil - 1)\,s$ and ends $d(k - 1)$ pixels further on.
# What is missing to this pixel is the padding; nothing, if the row is long enough already.


# %%
def same_padding(n, k, stride=1, dilation=1):
    """The padding (before, behind) with which n pixels give as many outputs as n / stride, rounded up."""
    outputs = -(-n // stride)
    missing = max(0, (outputs - 1) * stride + dilation * (k - 1) + 1 - n)
    return missing // 2, missing - missing // 2


# %%
if __name__ == "__main__":
    print("28 pixels, kernel 3, stride 2:", same_padding(28, 3, 2), "and 27 pixels:", same_padding(27, 3, 2))

# %% [markdown]
# ## 2. Holes
#
# Every $d$-th row of an identity matrix, shape $(k, d(k-1) + 1)$, says which place each weight moves to. One such
# matrix from the left moves the rows, one from the right the columns. A gradient passes through without further
# thought.


# %%
def dilate(K, dilation):
    """The kernel K (k, m) with its weights `dilation` pixels apart, and zeros between."""
    rows, columns = (
        xp.eye(dilation * (size - 1) + 1, dtype=K.dtype)[::dilation] for size in K.shape
    )  # (k, k'), (m, m')
    return xp.matmul(xp.matrix_transpose(rows), xp.matmul(K, columns))  # (k', k) @ (k, m) @ (m, m') -> (k', m')


# %% [markdown]
# ## 3. The view of a stack
#
# The two rules of the lesson, one layer after the other. A layer widens the field by jumps of its *inputs*; its own
# stride comes into force only behind it.


# %%
def geometry(layers):
    """Receptive field and jump of a stack of triples (k, stride, dilation)."""
    field, jump = 1, 1
    for k, stride, dilation in layers:
        field, jump = field + dilation * (k - 1) * jump, stride * jump
    return field, jump


# %%
if __name__ == "__main__":
    print("LeNet up to its second pooling:", geometry([(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)]))
    print("four layers with stride two:", geometry([(3, 2, 1)] * 4), "with stride one:", geometry([(3, 1, 1)] * 4))

# %% [markdown]
# ## 4. How often is a pixel used?
#
# The places begin at 0, 2, 4 and 6. Pixel 0 enters the first only, pixel 1 the first, pixel 2 the first and the
# second, pixel 3 the second, and so on: 1, 1, 2, 1, 2, 1, 2, 1, 1, 0. Even pixels count twice as much as odd ones,
# and the last not at all. The gradient with respect to the picture has the same pattern: seen from the output, the
# picture is striped. Where pictures are *made* by running such layers backwards, the stripes become visible; a kernel
# width that is a multiple of the stride avoids them.

# %%
if __name__ == "__main__":
    K = xp.ones((1, 3))
    uses = grad(lambda X: xp.sum(corr2d_strided(X, K, stride=2)))(xp.zeros((1, 10)))
    print("outputs per pixel:", xp.to_numpy(uses)[0].astype(int))

# %% [markdown]
# ## 5. A kernel of even size
#
# Between two pixels there is no middle pixel. With the frame always behind, each output is the mean of its own pixel
# and the ones to the right and below, so the picture drifts by half a pixel to the upper left each time: after twenty
# blurs by ten pixels. If the frame is put in front every second time, the drifts cancel. The centre of mass shows it.


# %%
def centre(X):
    """Row and column of the centre of mass of X (h, w)."""
    weights = xp.to_numpy(X)
    return tuple(float(np.sum(np.indices(weights.shape)[axis] * weights) / weights.sum()) for axis in (0, 1))


def blur(X, times, alternate=False):
    """X (h, w) after several means over 2 x 2 pixels, with the frame behind, or in turns."""
    K = xp.full((2, 2), 0.25)
    for number in range(times):
        frame = (1, 0) if alternate and number % 2 else (0, 1)
        X = corr2d(xp.pad(X, (frame, frame)), K)  # (h, w)
    return X


# %%
if __name__ == "__main__":
    X = xp.pad(xp.asarray(photographs("test", 1)[0][0, 0]), ((20, 20), (20, 20)))  # (68, 68)
    for name, picture in (("sharp", X), ("behind", blur(X, 20)), ("in turns", blur(X, 20, alternate=True))):
        print(f"{name}: centre {centre(picture)[0]:.1f}, {centre(picture)[1]:.1f}")
