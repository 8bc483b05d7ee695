# %% [markdown]
# # Multilayer perceptrons and dropout: solutions

# %%
import itertools

import numpy as np
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist, softmax
from d2l_chapters.multilayer_perceptrons.mlp import jobs, train

from d2l_core import nn, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.errors import TrainingDiverged
from d2l_core.lessons import scale
from d2l_core.nn.functional import cross_entropy, log_softmax

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## 1. A small slope
#
# The gradient is the incoming one where the element is positive and `slope` times it elsewhere. It is never zero
# unless the slope is, so no unit can be cut off from training for ever.


# %%
def leaky_relu(X, slope):
    """Positive elements as they are, the others times `slope`."""
    return xp.where(X > 0, X, slope * X)


# %%
def leaky_mlp(slope, num_hiddens=256):
    """The network of the job "mlp" with leaky units."""
    return nn.Sequential(nn.Flatten(), nn.Linear(num_hiddens), lambda X: leaky_relu(X, slope), nn.Linear(10))


# %%
if __name__ == "__main__":
    for slope in (0.0, 0.01, 0.1):
        try:
            history = train(leaky_mlp(slope), fashion_mnist(shown, 0), epochs=10, lr=1.0)
            print(slope, [round(value, 3) for value in history.column("val_acc")])
        except TrainingDiverged as error:
            print(slope, error)

# %% [markdown]
# On the sample (seed 0, PyTorch) the ordinary ReLU wavers at the learning rate 1 between 0.18 and 0.41 and gets
# nowhere, because three quarters of its units are gone. With the slope 0.01 the start is worse, and yet the network
# climbs from 0.10 to 0.46 in ten epochs: units that were shut find their way back. (Each of these accuracies depends on
# rounding, so that another backend ends elsewhere; what they have in common does not.) With the slope 0.1 the run
# breaks off in the third epoch with an infinite loss. So the small slope cures the death of units but not its cause. A
# dead unit at least keeps still; a living one swings on, and the steps are simply too long. At the rate 0.5 all three
# end between 0.79 and 0.82, and the right cure is a smaller step.
#
# ## 2. The vote of the thinned networks
#
# The logarithm of a geometric mean is the mean of the logarithms. For the mask $\mathbf{r}$, $\log p_j = o_j -
# \log \sum_l e^{o_l}$ with the logits $\mathbf{o} = \mathbf{W}(\mathbf{r} \odot \mathbf{h})/(1-p) + \mathbf{b}$.
# The mean over masks of the first term is $\mathbf{W}\mathbf{h} + \mathbf{b}$, since $\mathbb{E}[\mathbf{r}] = 1 -
# p$; the second term is the same for all classes and disappears when the result is normalised. What is left is the
# softmax of the logits of the whole network. The argument needs logits that are affine in the mask, so it ends at
# the next ReLU.


# %%
def masked_ensemble(H, weight, bias, p):
    """Normalised geometric mean of the class probabilities (n, k) under all masks of the hidden values H (n, m)."""
    m = H.shape[-1]
    mean_log = 0.0
    for bits in itertools.product((0.0, 1.0), repeat=m):
        mask = xp.asarray(np.array(bits) / (1.0 - p))  # (m,)
        probability = (1.0 - p) ** sum(bits) * p ** (m - sum(bits))
        logits = xp.matmul(H * mask, xp.matrix_transpose(weight)) + bias  # (n, m) @ (m, k) -> (n, k)
        mean_log = mean_log + probability * log_softmax(logits)
    return softmax(mean_log)


# %% [markdown]
# ## 3. A longer staircase
#
# Only the number $s$ of switches that are up matters. The function must climb from 0 to 1 between $s = 0$ and
# $s = 1$, fall to 0 by $s = 2$, and so on: a zigzag with slopes $1, -1, 1, \dots$. Unit $i$ (from 0) is
# $\max(0, s - i)$ and starts at $s = i$; the first enters with the factor 1, and each later one turns the slope
# round, with the factors $-2, 2, -2, \dots$. So $n$ units suffice, however hard the function looks: it has $2^n$
# inputs, and flipping any one switch changes it.


# %%
def parity_network(n):
    """Weight (n, n), bias (n,) and output (n,) of a network that is 1 for an odd number of switches and else 0."""
    output = 2.0 * (-1.0) ** np.arange(n)
    output[0] = 1.0
    return np.ones((n, n)), -np.arange(n, dtype=float), output


# %% [markdown]
# ## 4. Different weights, the same function
#
# The $m$ hidden units can be ordered in $m!$ ways: swap two rows of $\mathbf{W}_1$ and $\mathbf{b}_1$ together with
# the same columns of $\mathbf{W}_2$, and no output changes. For $m = 256$ that is a number with 507 digits, so the
# loss has that many equally good lowest points at least. Scaling works because $\max(0, cz) = c \max(0, z)$ for
# $c > 0$. The gradient does change: the one of the incoming weights is divided by $c$ and that of the outgoing ones
# multiplied, since they meet $\mathbf{W}_2 / c$ and $c \mathbf{H}$. The function is the same and the path of the
# descent is not, which is one reason why the scale of initial weights matters.


# %%
def rescaled_unit(model, unit, factor):
    """Outputs and weight gradients of a one-hidden-layer model before and after rescaling one of its units."""
    X, y = next(iter(fashion_mnist("smoke", 0).train.epoch(0)))
    gradient_of = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)
    found = []
    for _ in range(2):
        _, gradient = gradient_of(X, y)
        found.append((xp.to_numpy(model(X)), *(xp.to_numpy(gradient[path]) for path in ("1.weight", "3.weight"))))
        state = model.state_dict()
        state["1.weight"][unit] *= factor
        state["1.bias"][unit] *= factor
        state["3.weight"][:, unit] /= factor
        model.load_state_dict(state)
    return found


# %%
if __name__ == "__main__":
    before, after = rescaled_unit(jobs["mlp-scratch"].model().initialise(seed=0), unit=0, factor=4.0)
    print("outputs differ by", np.abs(before[0] - after[0]).max())
    print("gradient of the incoming weights, ratio:", np.linalg.norm(after[1][0]) / np.linalg.norm(before[1][0]))
    print("gradient of the outgoing weights, ratio:", np.linalg.norm(after[2][:, 0]) / np.linalg.norm(before[2][:, 0]))

# %% [markdown]
# ## 5. Noise as a penalty
#
# The expected square of a random number is the square of its mean plus its variance. The prediction
# $\sum_j w_j x_j'$ has the mean $\mathbf{w}^\top \mathbf{x}$ and, the masks being independent, the variance
# $\frac{p}{1-p} \sum_j w_j^2 x_j^2$; subtracting the constant $y$ changes only the mean. Averaged over the data
# this is the squared error plus $\frac{p}{1-p} \sum_j w_j^2 \overline{x_j^2}$: the penalty of ridge regression
# (Hoerl and Kennard, 1970), with each weight measured in the scale of its input.


# %%
def expected_error(w, x, y, p, draws=200_000):
    """Mean squared error of the prediction under dropout of the inputs x (d,): by drawing masks, and by formula."""
    layer = nn.Dropout(p).initialise(seed=0)
    dropped = xp.to_numpy(layer(xp.asarray(np.tile(x, (draws, 1))))).astype(np.float64)  # (draws, d)
    formula = (w @ x - y) ** 2 + p / (1.0 - p) * np.sum(w**2 * x**2)
    return float(np.mean((dropped @ w - y) ** 2)), float(formula)


# %%
if __name__ == "__main__":
    w, x = (random.normal((6,), "mlp_solutions", name) for name in ("w", "x"))
    for p in (0.1, 0.5):
        print("p = {}: {:.4f} by drawing, {:.4f} by formula".format(p, *expected_error(w, x, 1.0, p)))
