# %% [markdown]
# # Backpropagation: solutions

# %%
import numpy as np
from d2l_chapters.multilayer_perceptrons.backpropagation import (
    DECAY,
    backward,
    deep_parameters,
    errors_by_step,
    forward,
    largest_gap,
    layer,
    layer_backward,
    loss_adjoint,
)

from d2l_core import xp
from d2l_core.autodiff import jvp
from d2l_core.random import normal

# %% [markdown]
# ## 1. A detour
#
# Write $\mathbf{T} = \tanh(\mathbf{X}\mathbf{W}^\top)$. The output's adjoint goes back by two ways: unchanged along
# the detour, and through the layer with the slope $1 - \mathbf{T}^2$ and the weight. With $\mathbf{W} = 0$ the second
# share vanishes and $\bar{\mathbf{X}} = \bar{\mathbf{Y}}$. A hundred such layers in a row would hand the adjoint down
# unharmed, which is why networks with residual layers can be so deep.


# %%
def residual_backward(X, weight, d_Y):
    """Adjoints of the input (n, m) and the weight (m, m) of a residual layer."""
    T = xp.tanh(xp.matmul(X, xp.matrix_transpose(weight)))  # (n, m) @ (m, m) -> (n, m)
    d_Z = d_Y * (1.0 - T * T)  # (n, m)
    d_weight = xp.matmul(xp.matrix_transpose(d_Z), X)  # (m, n) @ (n, m) -> (m, m)
    return d_Y + xp.matmul(d_Z, weight), d_weight  # (n, m) + (n, m) @ (m, m) -> (n, m)


# %% [markdown]
# ## 2. One matrix, two places
#
# With $\mathbf{H} = \tanh(\mathbf{X}\mathbf{W}^\top)$ and $\mathbf{E} = \mathbf{H}\mathbf{W} - \mathbf{X}$ the loss is
# the mean of $\mathbf{E}^2$ over $n d$ elements, so $\bar{\mathbf{E}} = 2\mathbf{E}/(nd)$. As a decoder the matrix
# gets $\mathbf{H}^\top \bar{\mathbf{E}}$; as an encoder it gets $\bar{\mathbf{Z}}^\top\mathbf{X}$ with
# $\bar{\mathbf{Z}} = (\bar{\mathbf{E}}\mathbf{W}^\top) \odot (1 - \mathbf{H}^2)$. Both have the shape $(m, d)$, and
# the gradient is their sum. That $\mathbf{X}$ also occurs as the target does not matter: it is data.


# %%
def tied_gradient(X, weight):
    """Gradient (m, d) of the reconstruction error with respect to the tied weight."""
    n, d = X.shape
    H = xp.tanh(xp.matmul(X, xp.matrix_transpose(weight)))  # (n, d) @ (d, m) -> (n, m)
    d_E = 2.0 / (n * d) * (xp.matmul(H, weight) - X)  # (n, m) @ (m, d) -> (n, d)
    decoder = xp.matmul(xp.matrix_transpose(H), d_E)  # (m, n) @ (n, d) -> (m, d)
    d_Z = xp.matmul(d_E, xp.matrix_transpose(weight)) * (1.0 - H * H)  # (n, d) @ (d, m) -> (n, m)
    encoder = xp.matmul(xp.matrix_transpose(d_Z), X)  # (m, n) @ (n, d) -> (m, d)
    return decoder + encoder


# %% [markdown]
# ## 3. The best step
#
# Minimise $a h^2 + \varepsilon b / h$: the derivative $2 a h - \varepsilon b / h^2$ vanishes at $h = (\varepsilon b /
# 2a)^{1/3}$, and the error there is proportional to $\varepsilon^{2/3}$. For the one-sided quotient $a h + \varepsilon
# b / h$ is smallest at $h = (\varepsilon b / a)^{1/2}$ with an error proportional to $\varepsilon^{1/2}$. In float64
# that is about $10^{-8}$ against $10^{-11}$; the second evaluation is well spent. (In our lesson rounding errors of
# the many terms partly cancel, so the measured errors are smaller than the estimate in both precisions.)

# %%
if __name__ == "__main__":
    steps = 10.0 ** np.arange(-7, 0)
    for bits, eps in ((32, 1.2e-7), (64, 2.2e-16)):
        best = steps[int(np.argmin(errors_by_step(steps, bits)))]
        print(f"float{bits}: best of the steps tried {best:.0e}, eps^(1/3) = {eps ** (1 / 3):.0e}")

# %% [markdown]
# ## 4. Checkpoints within checkpoints
#
# To go back through $N = 2^q$ layers, keep the input, run forward to the middle, keep that input, and treat the second
# half in the same way; then run the first half again. At any time one input is kept for each level of the recursion:
# $q + 1 = \log_2 N + 1$ tensors. Let $F(N)$ be the number of layers evaluated: the run to the middle costs $N/2$ and
# the two halves cost $F(N/2)$ each, with $F(1) = 0$ since the last layer's input is all that its backward step needs.
# So $F(N) = N/2 + 2F(N/2) = \frac{N}{2}\log_2 N$: logarithmic memory for a logarithmic factor in time. For $N = 32$
# that is 6 tensors and 80 evaluations (one more for the output), where segments of six held 11 and took twice 32.


# %%
def halving_backward(parameters, X, labels, decay):
    """Gradients by repeated halving, the largest number of inputs held, and the number of layers evaluated."""
    n_layers = len(parameters)
    count = {"held": 0, "most": 0, "evaluated": 0}
    gradients = [None] * n_layers

    def run(H, start, stop):
        for i in range(start, stop):
            H = layer(H, *parameters[i], last=i == n_layers - 1)
            count["evaluated"] += 1
        return H

    def back(H, start, stop, adjoint):
        """The adjoint of the affine map before layer `start`, from that of layer stop - 1 (None at the very end)."""
        count["held"] += 1
        count["most"] = max(count["most"], count["held"])
        if stop - start > 1:
            middle = (start + stop) // 2
            adjoint = back(run(H, start, middle), middle, stop, adjoint)
            count["held"] -= 1  # the same input is handed on, not a second one
            return back(H, start, middle, adjoint)
        if adjoint is None:
            adjoint = loss_adjoint(run(H, start, stop), labels)
        d_weight, d_bias, d_H = layer_backward(adjoint, H, parameters[start][0], decay)
        gradients[start] = (d_weight, d_bias)
        count["held"] -= 1
        return d_H * (1.0 - H * H)  # (n, in)

    back(X, 0, n_layers, None)
    return gradients, count["most"], count["evaluated"]


# %%
if __name__ == "__main__":
    parameters = deep_parameters(n_layers=32)
    X = xp.asarray(normal((16, 32), "halving"), dtype=xp.float_dtype())
    labels = xp.asarray(np.arange(16, dtype=np.int32))
    logits, kept = forward(parameters, X)
    gradients, held, evaluated = halving_backward(parameters, X, labels, DECAY)
    gap = largest_gap(gradients, backward(parameters, logits, kept, labels, DECAY))
    print(f"{held} inputs held instead of 32, {evaluated} layers evaluated, difference {gap:.1e}")

# %% [markdown]
# ## 5. The other direction
#
# One sweep forward carries the rate of change with a single input direction and costs about as much as two forward
# passes; it yields the derivative of *all* outputs in that direction. For the gradient of one loss with respect to
# 235,146 parameters one needs as many sweeps: the same minutes as with differences, though without their error. It
# is the better way if there are few inputs and many outputs, as for the sensitivity of a whole simulated path to one
# physical constant, and it needs no memory of the way. For a function with $p$ inputs and $q$ outputs, count $p$
# sweeps forward against $q$ sweeps back.

# %%
if __name__ == "__main__":
    weight = xp.asarray(normal((8, 4), "other", "weight"), dtype=xp.float_dtype())
    X = xp.asarray(normal((3, 4), "other", "X"), dtype=xp.float_dtype())
    direction = xp.ones((3, 4))

    def outputs(X):
        return xp.tanh(xp.matmul(X, xp.matrix_transpose(weight)))  # (3, 4) @ (4, 8) -> (3, 8)

    value, rate = jvp(outputs, X, direction)
    by_hand = (1.0 - value * value) * xp.matmul(direction, xp.matrix_transpose(weight))
    print("jvp against the rule of the text:", np.abs(xp.to_numpy(rate) - xp.to_numpy(by_hand)).max())
