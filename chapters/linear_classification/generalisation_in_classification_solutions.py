# %% [markdown]
# # Generalisation in classification: solutions

# %%
import numpy as np
from d2l_chapters.linear_classification.generalisation_in_classification import (
    PUBLIC,
    all_patterns,
    binomial,
    climb,
    clothes,
    trained,
)

from d2l_core import xp
from d2l_core.lessons import scale

# %% [markdown]
# ## 1. Wilson for many
#
# The formula as it stands; `stack` puts the two ends beside each other. Without any error the lower end is zero and
# the upper end $z^2/(n + z^2)$: after 50 examples without an error, at $z = 2$, an error of seven per cent is still
# compatible with the test.


# %%
def wilson_bounds(wrong, n, z):
    """Lower and upper ends (m, 2) of Wilson's interval for counts (m,) in tests of sizes (m,)."""
    share = wrong / n  # (m,)
    centre = share + z**2 / (2.0 * n)  # (m,)
    half = z * xp.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n * n))  # (m,)
    return xp.stack([centre - half, centre + half], axis=1) / xp.expand_dims(1.0 + z**2 / n, axis=1)  # (m, 2)


# %% [markdown]
# ## 2. In pairs
#
# The difference of two accuracies is the mean of the differences, so its standard error is that of any mean: the
# standard deviation over the root of $n$. The formula of the text is the same, since the mean of $d_i^2$ is the
# share of examples on which the models disagree.


# %%
def paired_difference(right_a, right_b):
    """Difference of two accuracies on the same examples (n,) and its standard error, as a tensor (2,)."""
    difference = right_a - right_b  # (n,)
    error = xp.std(difference) / difference.shape[0] ** 0.5  # ()
    return xp.stack([xp.mean(difference), error])  # (2,)


# %% [markdown]
# ## 3. The two firms
#
# One has to know how many parcels only one of them misreads. If every error of the first is also one of the second,
# the split is 7 to 0 and $p = 2 \cdot 2^{-7} = 0.016$. If they never err on the same parcel, the split is 28 to 21,
# and $p$ is about 0.39. The same two numbers, 21 and 28, may be strong evidence or none at all.

# %%
if __name__ == "__main__":
    for common in (21, 14, 0):
        only_first, only_second = 21 - common, 28 - common
        tail = binomial(only_first + only_second, 0.5)[: only_first + 1].sum()
        print(f"{common} errors in common: p = {2 * tail:.3f}")

# %% [markdown]
# ## 4. Rectangles
#
# It is four. The points $(\pm 1, 0)$ and $(0, \pm 1)$ are shattered, because each of them is the outermost one in
# its direction: to leave it out, move that side of the rectangle inwards. Of five points choose the leftmost, the
# rightmost, the highest and the lowest. These are at most four, so one point is not among them, and every rectangle
# that contains the four contains it as well. The pattern "all but this one" cannot be produced. In $d$ dimensions
# the same argument gives $2d$. The next cell counts the patterns on the four points: the tightest rectangle around
# the positive points must not contain a negative one.


# %%
def patterns_of_rectangles(points):
    """Number of patterns that rectangles with sides parallel to the axes produce on points (m, 2)."""
    count = 0
    for signs in all_patterns(len(points)):
        inside = points[signs > 0]
        if len(inside):
            caught = (points >= inside.min(axis=0)).all(axis=1) & (points <= inside.max(axis=0)).all(axis=1)
            count += int(not caught[signs < 0].any())
        else:
            count += 1
    return count


# %%
if __name__ == "__main__":
    diamond = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    print(
        patterns_of_rectangles(diamond), "of 16;", patterns_of_rectangles(np.vstack([diamond, [[0.2, 0.1]]])), "of 32"
    )

# %% [markdown]
# ## 5. One parameter, no limit
#
# Write $\omega x_j / \pi = 10^{-j} + \sum_{i: y_i = -1} 10^{i - j}$. Terms with $i > j$ are even whole numbers and
# do not change a sine. Terms with $i < j$, together with $10^{-j}$, add up to less than $0.1 + 0.01 + \dots =
# \frac19$. If $y_j = 1$, what remains is an angle between 0 and $\pi/9$, whose sine is positive; if $y_j = -1$ the
# term $i = j$ adds $\pi$, and the sine is negative. So one parameter shatters as many points as one likes: what
# counts is not the number of parameters but what can be expressed with them. (The price is precision. The pattern
# is stored in the digits of $\omega$, and float64 has sixteen of them.)


# %%
def sine_patterns(m):
    """Share of all patterns of m points that the sine produces with the frequency of the text."""
    points = 10.0 ** -np.arange(1, m + 1)  # (m,)
    signs = all_patterns(m)  # (2 ** m, m)
    omega = np.pi * (1 + (1 - signs) / 2 @ 10.0 ** np.arange(1, m + 1))  # (2 ** m,)
    return float(np.mean((np.sign(np.sin(omega[:, None] * points)) == signs).all(axis=1)))


# %%
if __name__ == "__main__":
    for m in (4, 8, 10):
        print(f"{m} points: {sine_patterns(m):.0%} of the patterns")

# %% [markdown]
# ## 6. The ladder
#
# With 200 public images a try has to be right about 15 more at once. A small random change never is, so nothing is
# accepted, nothing is learned about the public images, and the accuracy on fresh ones stays what it was. Real
# progress would be let through. The price is that improvements smaller than a step stay invisible, which by the
# standard error they are anyway.


# %%
def climb_by_ladder(model, public, tries=1000, size=0.01):
    """Like `climb`, but a try counts only if it beats the best by more than one over the root of the images."""
    return climb(model, public, tries, size, margin=len(public[1]) ** -0.5)


# %%
if __name__ == "__main__":
    images, labels = clothes()
    cut = 2000 * len(labels) // 7000
    model = trained(images[:cut], labels[:cut], lr=0.1)
    urn, answers = images[cut:], labels[cut:]
    public = urn[:PUBLIC], answers[:PUBLIC]
    for name, walk in (("climb", climb), ("ladder", climb_by_ladder)):
        weight, bias, course = walk(model, public, 50 if scale() == "smoke" else 1000)
        fresh = (urn[PUBLIC:].reshape(-1, 784) @ weight + bias).argmax(axis=1) == answers[PUBLIC:]
        print(f"{name}: public {course[0]:.3f} to {course[-1]:.3f}, fresh {fresh.mean():.3f}")
