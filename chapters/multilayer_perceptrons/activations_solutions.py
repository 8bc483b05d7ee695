# %% [markdown]
# # Layers and activation functions: solutions

# %%
import numpy as np
from d2l_chapters.multilayer_perceptrons.activations import sigmoid, solved_share, water_bill

from d2l_core import xp
from d2l_core.lessons import scale

# %% [markdown]
# ## 1. Swish
#
# With $s = \sigma(\beta z)$ the product rule gives the slope $s + z \cdot \beta s (1 - s)$. For $\beta \to 0$ the
# function tends to $z / 2$, which is linear, and for $\beta \to \infty$ to the ReLU. At $\beta = 1.702$ it is close to
# GELU, as $\sigma(1.702 z)$ never differs from $\Phi(z)$ by more than 0.01. A sigmoid that uses the hyperbolic tangent
# has no overflow.


# %%
def swish(Z, beta=1.0):
    """z times the sigmoid of beta z, for every element."""
    return Z * sigmoid(beta * Z)


# %%
if __name__ == "__main__":
    print(xp.to_numpy(swish(xp.asarray(np.array([-200.0, -1.0, 0.0, 1.0, 200.0])))))

# %% [markdown]
# ## 2. Maxout
#
# All $p \cdot m$ sums come from one product, with the weights as a matrix of shape $(pm, d)$. The maximum of affine
# functions is *convex*: a bowl, never a hill. Two maxout units, subtracted, come as close as one likes to every
# continuous function, as a difference of two convex ones. A ReLU is a maxout unit with $p = 2$ one of whose sums is
# always zero.


# %%
def maxout(X, weight, bias):
    """The largest of p weighted sums for each unit: X (n, d), weight (p, m, d), bias (p, m) to (n, m)."""
    p, m, d = weight.shape
    sums = xp.matmul(X, xp.matrix_transpose(xp.reshape(weight, (p * m, d))))  # (n, d) @ (d, p * m) -> (n, p * m)
    sums = xp.reshape(sums, (-1, p, m)) + bias  # (n, p, m) + (p, m) -> (n, p, m)
    return xp.max(sums, axis=1)  # (n, p, m) -> (n, m)


# %%
if __name__ == "__main__":
    prices = xp.asarray(np.array([2.0, 5.0, 12.0]).reshape(3, 1, 1))  # (p, m, d)
    tariff = prices, xp.asarray(np.array([[0.0], [-120.0], [-820.0]]))
    x = np.array([[20.0], [60.0], [130.0]])
    print("the water bill, which is convex, by one maxout unit:", xp.to_numpy(maxout(xp.asarray(x), *tariff)).ravel())
    print("and by its definition:", water_bill(x).ravel())

# %% [markdown]
# ## 3. The same functions
#
# From $\tanh(z) = 2\sigma(2z) - 1$ follows $\sigma(z) = \frac12 (1 + \tanh(z/2))$. A network with the output
# $\mathbf{v}^\top \sigma(\mathbf{W}\mathbf{x} + \mathbf{b}) + c$ equals one with $\tanh$, with the weights
# $\mathbf{W}/2$ and biases $\mathbf{b}/2$ in the hidden layer, $\mathbf{v}/2$ in the output layer and the output bias
# $c + \frac12 \sum_j v_j$. So they can say the same. They do not learn the same: a gradient step in one set of weights
# is not a gradient step in the other; the sigmoid's slopes are smaller, and its values, all positive, have a mean that
# the next layer's bias must first remove. In the lesson the sigmoid was far behind after the same number of epochs.

# %% [markdown]
# ## 4. A polynomial
#
# With $\phi(z) = z^2$ every hidden unit is a polynomial of degree 2 in the inputs, and so is their weighted sum,
# however many there are. A function that is not such a polynomial, for instance one of degree 3, stays at a fixed
# distance. (A second layer brings degree 4, a tenth 1024: depth helps, width does not.) Exclusive or is within reach:
# $(x_1 - x_2)^2$ is 1 if exactly one of the two is 1. It takes a single unit, and most random starts find it.

# %%
if __name__ == "__main__":
    epochs = 2 if scale() == "smoke" else 400
    for hidden in (1, 2, 8):
        print(f"{hidden} units that square: {solved_share(lambda Z: Z * Z, hidden, epochs):.2f} of the starts solve it")

# %% [markdown]
# ## 5. A step
#
# $\frac{1}{\varepsilon}\big(\max(0, x) - \max(0, x - \varepsilon)\big)$ is 0 for $x \le 0$, 1 for $x \ge \varepsilon$
# and a straight line between, so two units do. Their output weights are $\pm 1/\varepsilon$. Outside of the short
# interval all is exact, so the *mean* error is of the size $\varepsilon$; the largest error is always $\frac12$ or
# more, since the step is not continuous and a network is. Small $\varepsilon$ means huge weights of opposite sign,
# whose effects must cancel, and a gradient of size $1/\varepsilon$ on a few examples and zero on all the others.
# Descent can hardly find that.
