# %% [markdown]
# # Linear algebra: solutions

# %%
from d2l_chapters.preliminaries.linear_algebra import dot, norm

from d2l_core import random, xp

# %% [markdown]
# ## 1. All cosines
#
# All dot products at once are the matrix product of X with the transpose of Y. The lengths form a table by
# broadcasting, a column (m, 1) times a row (n,). A zero length is replaced by one before the division, where the dot
# product is zero anyway. To divide first and repair NaN afterwards would give the same value, but its gradient would
# be NaN, because zero times NaN is NaN.


# %%
def cosine_similarity(X, Y):
    """Cosines between the rows: (m, d) and (n, d) to (m, n); 0 for rows of zeros."""
    lengths = norm(X)[:, None] * norm(Y)  # (m, 1) * (n,) -> (m, n)
    safe = xp.where(lengths > 0, lengths, xp.ones_like(lengths))  # (m, n)
    return xp.matmul(X, xp.matrix_transpose(Y)) / safe  # (m, d) @ (d, n) -> (m, n)


# %% [markdown]
# ## 2. Right angles
#
# The part of $\mathbf{a}$ along a vector $\mathbf{q}$ of length one is $(\mathbf{q}^\top\mathbf{a})\,\mathbf{q}$.
# Subtract it, and what is left is perpendicular to $\mathbf{q}$, since $\mathbf{q}^\top(\mathbf{a} -
# (\mathbf{q}^\top\mathbf{a})\mathbf{q}) = 0$. We take each dot product with what is left at the time, not with the
# original column. In exact arithmetic both are equal; in float32 this *modified* form loses far less if the columns
# are nearly parallel. The library does it with reflections, `xp.linalg.qr`, which is safer still.


# %%
def orthonormal(A):
    """Perpendicular columns of length one with the spans of the columns of A (m, n), from left to right."""
    done = []
    for j in range(A.shape[1]):
        left = A[:, j]  # (m,)
        for q in done:
            left = left - dot(q, left) * q
        done.append(left / norm(left))
    return xp.stack(done, axis=1)  # n times (m,) -> (m, n)


# %%
if __name__ == "__main__":
    A = xp.asarray(random.normal((6, 4), "linear-algebra", "columns"))
    Q = orthonormal(A)
    print(xp.to_numpy(xp.matmul(xp.matrix_transpose(Q), Q)).round(6))

# %% [markdown]
# ## 3. A safe length
#
# $\lVert\mathbf{x}\rVert = s\,\lVert\mathbf{x} / s\rVert$ for every $s > 0$. With $s = \max_j |x_j|$ the largest
# scaled element is one, so the sum of squares lies between 1 and $n$, and what underflows is too small to matter. For
# zeros we take $s = 1$.


# %%
def safe_norm(x):
    """The Euclidean norm of x (n,) without overflow; 0-d."""
    largest = xp.max(xp.abs(x))  # (n,) -> ()
    scale = xp.where(largest > 0, largest, xp.ones_like(largest))
    return scale * norm(x / scale)


# %% [markdown]
# ## 4. The trace
#
# $\operatorname{tr}(\mathbf{A}\mathbf{B}) = \sum_i \sum_l A_{il} B_{li}$. Exchanging the sums gives $\sum_l \sum_i
# B_{li} A_{il} = \operatorname{tr}(\mathbf{B}\mathbf{A})$, although the two products may have different shapes. The
# double sum is the sum of all elements of $\mathbf{A} \odot \mathbf{B}^\top$: it takes $mk$ multiplications, where
# the product would take $m^2 k$.


# %%
def trace_of_product(A, B):
    """The trace of A B for A (m, k) and B (k, m), without the product."""
    return xp.sum(A * xp.matrix_transpose(B))  # (m, k) * (m, k) -> ()


# %%
if __name__ == "__main__":
    A, B = (xp.asarray(random.normal(shape, "trace", 0)) for shape in ((3, 5), (5, 3)))
    print(
        float(trace_of_product(A, B)), float(xp.linalg.trace(xp.matmul(A, B))), float(xp.linalg.trace(xp.matmul(B, A)))
    )

# %% [markdown]
# ## 5. A chain of three
#
# From the left it takes $10 \cdot 1000 \cdot 5 = 50{,}000$ and then $10 \cdot 5 \cdot 500 = 25{,}000$
# multiplications, 75,000 in all. From the right, $1000 \cdot 5 \cdot 500 = 2{,}500{,}000$ and
# $10 \cdot 1000 \cdot 500 = 5{,}000{,}000$, a hundred times as many. Start where the result is small: long inner axes
# should vanish early, short ones late. For longer chains one compares all ways to set the brackets, which dynamic
# programming does without trying each.


# %%
def chain_cost(shapes):
    """Fewest multiplications for a chain of matrices with the given shapes."""
    sizes = [shapes[0][0], *(columns for _, columns in shapes)]
    best = {(i, i + 1): 0 for i in range(len(shapes))}
    for length in range(2, len(shapes) + 1):
        for i in range(len(shapes) - length + 1):
            end = i + length
            best[i, end] = min(
                best[i, middle] + best[middle, end] + sizes[i] * sizes[middle] * sizes[end]
                for middle in range(i + 1, end)
            )
    return best[0, len(shapes)]


# %%
if __name__ == "__main__":
    print("three:", chain_cost(((10, 1000), (1000, 5), (5, 500))))
    print("four: ", chain_cost(((40, 20), (20, 30), (30, 10), (10, 30))))
