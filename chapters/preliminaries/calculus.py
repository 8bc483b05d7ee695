# /// lesson
# name = "calculus"
# title = "Calculus"
# sections = ["2.4"]
# needs = []
# data = ["airfoil"]
# [time]
# smoke = "1 s"
# standard = "1 s"
# full = "1 s"
# [promises]
# standard = ["lesson: airfoil_gap <= 1e-4"]
# full = [
#   "lesson: forward_best <= 0.008", "lesson: central_best <= 0.0005", "lesson: too_small <= 0",
#   "lesson: chain_gap <= 1e-3", "lesson: airfoil_gap <= 1e-4", "lesson: descent_gap <= 1e-4",
# ]
# ///

# %% [markdown]
# # Calculus
#
# A camera beside the road takes two photographs of a car, measures how far it has moved between them and divides by the
# time that passed. How long should it wait between the two pictures? If it waits long, the driver may have changed
# speed in the meantime. If it hardly waits, the car has moved by less than the camera can tell. Somewhere between the
# two there is a best moment, and we can calculate it.
#
# Training a network asks the same question of every weight: how fast does the loss change when this weight changes? The
# answer is called a derivative. In this lesson we find out what it is, how well a computer can measure it, how
# derivatives of composed functions are put together, and why a function of a million weights has one best direction.

# %%
import math

import numpy as np

from d2l_core import xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import load_airfoil
from d2l_core.lessons import report
from d2l_core.plots import INK, flow, house_style

# %% [markdown]
# ## The idea
#
# Our car leaves a traffic light. After $t$ seconds it has covered
#
# $$s(t) = \frac{30\, t^2}{t + 4} \quad \text{metres.}$$
#
# It picks up speed at first and then approaches 30 m/s. After six seconds it passes the camera, which stands 108 metres
# beyond the light. How fast is it *there*? Between $t = 6$ and $t = 6 + h$ its average speed is the distance covered,
# divided by $h$: the slope of the straight line through two points of the curve, a *secant*. As $h$ shrinks, the
# secants turn towards one line that touches the curve, the *tangent*. Its slope is the speed at the moment $t = 6$, and
# it is what the needle of the speedometer shows. (The figure shows an earlier moment, one second after the start, where
# the speed changes faster and the eye can follow.)


# %%
def position(t):
    """Metres from the light after t seconds; t a number, an array or a tensor, the result of the same shape."""
    return 30.0 * t * t / (t + 4.0)


@house_style
def plot_secants(t=1.0, steps=(8.0, 4.0, 1.5)):
    """The way of the car, secants from t to t + h, and the tangent, one second after the start."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.0, 3.8))
    time = np.linspace(0.0, 10.0, 200)
    axes.plot(time, position(time), color=INK, linestyle="-", linewidth=2.2, label="position $s(t)$")
    for i, h in enumerate(steps):
        slope = (position(t + h) - position(t)) / h
        axes.plot(time, position(t) + slope * (time - t), f"C{i}" + ("--", "-.", ":")[i])
        axes.plot(t + h, position(t + h), f"C{i}" + "osD"[i], label=f"secant, $h = {h:g}$: {slope:.1f} m/s")
    axes.plot(time, position(t) + 10.8 * (time - t), "C3-", label="tangent: 10.8 m/s")
    axes.plot(t, position(t), "o", color=INK)
    axes.set(xlabel="time $t$ in seconds", ylabel="metres", ylim=(-20.0, 220.0))
    axes.legend()
    return figure


# %%
if __name__ == "__main__":
    plot_secants()

# %% [markdown]
# ## The mathematics
#
# **The derivative.** Let $f$ be a function from real numbers to real numbers. Its *derivative* at $x$ is the limit
#
# $$f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h},$$
#
# if the quotients approach one number from both sides, whatever sequence of steps $h \ne 0$ one takes. One also writes
# $\frac{df}{dx}$. For the car we can do it on paper. Dividing $t^2$ by $t + 4$ gives
# $s(t) = 30\big(t - 4 + \frac{16}{t+4}\big)$, and
#
# $$\frac{s(t+h) - s(t)}{h} = 30\left(1 + \frac{16}{h}\Big(\frac{1}{t + h + 4} - \frac{1}{t+4}\Big)\right)
#   = 30\left(1 - \frac{16}{(t+h+4)(t+4)}\right),$$
#
# because the difference of the two fractions is $-h$ over the product of their denominators. Now $h$ has gone from the
# denominator, we may let it tend to zero, and find the speed and, by the same steps once more, the acceleration:
#
# $$s'(t) = 30\left(1 - \frac{16}{(t+4)^2}\right), \qquad s''(t) = \frac{960}{(t+4)^3}, \qquad
#   s'''(t) = -\frac{2880}{(t+4)^4}.$$
#
# At $t = 6$ the speed is 25.2 m/s, which is 91 km/h, and the car still gains 0.96 m/s in each second; the third
# derivative is $-0.288$.
#
# **Rules.** Nobody returns to the limit for every function. Sums and multiples are differentiated term by term. For a
# product, write $f(x+h)\,g(x+h) - f(x)\,g(x) = \big(f(x+h) - f(x)\big)\, g(x+h) + f(x)\,\big(g(x+h) - g(x)\big)$,
# divide by $h$, and get $(fg)' = f'g + fg'$. For one function inside another, $y = f(u)$ with $u = g(x)$, a small
# change $h$ of $x$ changes $u$ by about $g'(x)\,h$, and that changes $y$ by about $f'(u)$ times as much:
#
# $$\frac{dy}{dx} = \frac{dy}{du} \cdot \frac{du}{dx} \qquad \text{(the chain rule)}.$$
#
# **How wrong is a quotient?** By Taylor's theorem $f(x+h) = f(x) + h f'(x) + \frac{h^2}{2} f''(\xi)$ for some $\xi$
# between $x$ and $x + h$. So the *forward difference* $\big(f(x+h) - f(x)\big)/h$ misses $f'(x)$ by
# $\frac{h}{2} f''(\xi)$, a multiple of $h$. If we step to both sides, the even terms cancel. The *central difference*
#
# $$\frac{f(x+h) - f(x-h)}{2h} = f'(x) + \frac{h^2}{6} f'''(\xi)$$
#
# is better by a whole power of $h$. These are errors of *truncation*: the series was cut off. They vanish with $h$, and
# if computers knew real numbers we would take $h = 10^{-100}$.
#
# But a computer rounds. Suppose that each computed value of $f$ is wrong by up to $\delta$. The difference of two is
# wrong by up to $2\delta$, and dividing by a small $h$ turns this into a large error. Both together are at most
#
# $$E_{\text{forward}}(h) = \frac{h}{2} M_2 + \frac{2\delta}{h}, \qquad
#   E_{\text{central}}(h) = \frac{h^2}{6} M_3 + \frac{\delta}{h},$$
#
# with $M_2$ and $M_3$ bounds of $|f''|$ and $|f'''|$ near $x$. As $h$ becomes smaller the first term falls and the
# second rises. Setting the derivatives of $E$ to zero, which is calculus helping calculus, gives the best steps
#
# $$h_{\text{forward}} = 2\sqrt{\delta / M_2}, \qquad h_{\text{central}} = \sqrt[3]{3\delta / M_3},$$
#
# and inserting them the least errors $2\sqrt{\delta M_2}$ and $\frac{3}{2}\delta / h_{\text{central}}$. A forward
# difference thus keeps only about half of the digits of $f$, a central one two thirds.
#
# **Many variables.** A function of $n$ numbers, $f(\mathbf{x})$ with $\mathbf{x} = (x_1, \dots, x_n)$, has a *partial
# derivative* for each: change $x_j$, hold all others still, and take the derivative as before. Together they form the
# *gradient*, a vector with the shape of $\mathbf{x}$,
#
# $$\nabla f(\mathbf{x}) = \Big(\frac{\partial f}{\partial x_1}, \dots, \frac{\partial f}{\partial x_n}\Big).$$
#
# If $f$ is *differentiable*, meaning that $f(\mathbf{x} + \mathbf{v}) = f(\mathbf{x}) + \nabla f(\mathbf{x}) \cdot
# \mathbf{v}$ up to an error that is small even when compared with the length $\|\mathbf{v}\|$, then walking from
# $\mathbf{x}$ in the direction of a unit vector $\mathbf{u}$ changes $f$ at the rate
#
# $$\nabla f(\mathbf{x}) \cdot \mathbf{u} = \|\nabla f(\mathbf{x})\| \cos\alpha,$$
#
# where $\alpha$ is the angle between the two vectors. The cosine is largest for $\alpha = 0$: *the gradient points to
# where $f$ rises fastest, and its length is the rate of that rise*. Against it $f$ falls fastest, and at a right angle
# it does not change at all. This is all that gradient descent needs to know.
#
# The chain rule adds up over all paths. If $y$ depends on $u_1, \dots, u_m$ and each $u_i$ on $x$, then
#
# $$\frac{dy}{dx} = \sum_{i=1}^m \frac{\partial y}{\partial u_i} \cdot \frac{du_i}{dx} .$$

# %% [markdown]
# ## From scratch
#
# Three functions are enough. The last one changes one number at a time, so the gradient of a function of $n$ numbers
# costs $2n$ evaluations.


# %%
def forward_difference(f, x, h):
    """Slope of f from x to x + h; x and the result 0-d, or of one shape if f works element by element."""
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h):
    """Slope of f from x - h to x + h; x and the result 0-d, or of one shape if f works element by element."""
    return (f(x + h) - f(x - h)) / (2.0 * h)


def numerical_gradient(f, x, h):
    """Central differences in each of the n directions: for f from (n,) to (), the gradient (n,) at x."""
    n = x.shape[0]
    directions = xp.eye(n)  # (n, n)
    slopes = [(f(x + h * directions[j]) - f(x - h * directions[j])) / (2.0 * h) for j in range(n)]  # n times ()
    return xp.stack(slopes)  # (n,)


# %% [markdown]
# ## Falling and rising
#
# Now the experiment with the camera. We halve $h$ again and again, from 4 seconds down to $2^{-23}$ of a second, and
# note by how much each quotient misses 25.2. Our numbers are in float32, 24 binary digits long: around 108 metres
# neighbouring numbers are $2^{-17} \approx 7.6 \cdot 10^{-6}$ apart, so rounding may move a computed position by half
# of that, which makes $\delta \approx 4 \cdot 10^{-6}$. Powers of two as steps have an advantage: $6 + h$ is then
# exact until $h$ is so small that it is lost as a whole, and the only rounding is that of the position. The figure
# shows the same runs in float64 on the host for comparison.

# %%
STEPS = 2.0 ** -np.arange(-2, 24)  # (26,): 4, 2, 1, ..., 2**-23
TRUE_SPEED = 25.2


def speed_errors(quotient, steps=STEPS, single=True):
    """Absolute errors (k,) of the speed at t = 6 for k steps: in float32 on the backend, or in float64 on the host."""
    t = xp.asarray(6.0, dtype=xp.float32) if single else np.float64(6.0)
    return np.array([abs(float(quotient(position, t, float(h))) - TRUE_SPEED) for h in steps])


@house_style
def plot_errors(delta=4e-6):
    """Errors of both quotients over the step, with the bounds of the text for errors delta of the values."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.6, 4.0))
    small = 2.0 ** -np.arange(-2, 45)
    for i, (name, quotient) in enumerate((("forward", forward_difference), ("central", central_difference))):
        axes.loglog(small, speed_errors(quotient, small, single=False), f"C{i}:", label=f"{name}, float64")
        style = {"markersize": 4 + 3 * i, "markerfacecolor": (None, "none")[i]}
        axes.loglog(STEPS, speed_errors(quotient), f"C{i}" + "os"[i], **style, label=f"{name}, float32")
    h = STEPS[STEPS <= 1.0]
    axes.loglog(h, h / 2 * 0.96 + 2 * delta / h, "-", color=INK, linewidth=1, label="bounds for float32")
    axes.loglog(h, h * h / 6 * 0.288 + delta / h, "-", color=INK, linewidth=1)
    axes.set(xlabel="step $h$ in seconds", ylabel="error of the speed in m/s", ylim=(1e-11, 1e6))
    axes.legend(loc="upper left")
    return figure


# %%
if __name__ == "__main__":
    forward, central = speed_errors(forward_difference), speed_errors(central_difference)
    for h, first, second in zip(STEPS, forward, central, strict=True):
        print(f"h = 2^{math.log2(h):3.0f} = {h:.1e} s: forward {first:.1e}, central {second:.1e} m/s")
    report(
        forward_at_one=forward[2],
        central_at_one=central[2],
        forward_at_half=forward[3],
        central_at_half=central[3],
        forward_best=forward.min(),
        central_best=central.min(),
        central_best_step=STEPS[central.argmin()],
        forward_late=forward[18],
        smallest_step_difference=forward_difference(position, xp.asarray(6.0), 2.0**-23),
    )

# %%
if __name__ == "__main__":
    plot_errors()

# %% [markdown]
# At $h = 1$ the forward difference misses the speed by 0.436<!--lesson.forward_at_one-->; at $h = \frac12$ by
# 0.229<!--lesson.forward_at_half-->, about half of that. The central one goes from 0.0485<!--lesson.central_at_one-->
# to 0.0120<!--lesson.central_at_half-->, a quarter. That is the truncation error, one a multiple of $h$, the other of
# $h^2$, and in a picture with two logarithmic axes they are lines of slope one and two.
#
# Then the curves turn. Our formulas place the best forward step at $2\sqrt{\delta / M_2} = 0.0041$ with an error of
# about 0.0039; the least error we found is 0.0031<!--lesson.forward_best-->, at $2^{-8} \approx 0.0039$ and
# neighbouring steps. For the central difference they predict a step of 0.035 and an error of at most 0.00017; the best
# we found was 0.00005<!--lesson.central_best--> at 0.031<!--lesson.central_best_step-->. On the other side of the
# valley both are equally bad, since rounding does not care how cleverly we chose the points: at $h = 2^{-16}$, fifteen
# millionths of a second, the error is 0.20<!--lesson.forward_late--> m/s. In float64 the same picture appears, shifted:
# its values have 53 binary digits instead of 24, and the valleys lie at smaller steps and much deeper.
#
# To the left of the valley the points do not form a line but jump. Rounding is not random, it depends on the digits of
# the positions, and now and then two errors happen to cancel. A single good value there means nothing.

# %% [markdown]
# ## Concise
#
# `value_and_grad` turns a function made of primitives into one that returns the value and the *exact* derivative of the
# program, up to the rounding of a few operations. It applies the chain rule to each step; how, is the subject of
# [Automatic differentiation](automatic_differentiation.py). Take a chain that is worth having. On a dry road the way to
# standstill is the reaction time of one second times the speed $v$, plus the braking distance $v^2 / 2\mu g$, with the
# friction coefficient $\mu = 0.7$ and $g = 9.81$ m/s². While our car accelerates, its stopping distance grows. How
# fast?


# %%
def diagram_chain():
    """The chain from time to stopping distance."""
    return flow(("t", "seconds"), ("v = s'(t)", "m/s"), ("D(v)", "metres"))


def speed(t):
    """The derivative of `position`, in m/s."""
    return 30.0 * (1.0 - 16.0 / ((t + 4.0) * (t + 4.0)))


def stopping_distance(v, friction=0.7, gravity=9.81):
    """Metres from the sight of an obstacle to standstill, at v m/s and a reaction time of one second."""
    return v + v * v / (2.0 * friction * gravity)


# %%
if __name__ == "__main__":
    diagram_chain()

# %% [markdown]
# By the chain rule $\frac{dD}{dt} = D'(v) \cdot s''(t) = \big(1 + \frac{v}{\mu g}\big)\, s''(t)$: at $t = 6$ the speed
# is 25.2, the first factor 4.67 and the second 0.96.

# %%
if __name__ == "__main__":
    t = xp.asarray(6.0)
    distance, rate = value_and_grad(lambda t: stopping_distance(speed(t)))(t)
    by_hand = (1.0 + 25.2 / (0.7 * 9.81)) * 0.96
    by_difference = central_difference(lambda t: stopping_distance(speed(t)), t, 2.0**-5)
    print(f"stopping distance {float(distance):.1f} m, growing by {float(rate):.5f} m/s")
    print(f"by the chain rule {by_hand:.5f}, by a central difference {float(by_difference):.5f}")
    report(
        chain_rate=rate, chain_gap=abs(float(rate) - by_hand), chain_difference_gap=abs(float(by_difference) - by_hand)
    )

# %% [markdown]
# All three say 4.48<!--lesson.chain_rate--> m/s: the car needs four and a half metres more for stopping with each
# second that it goes on accelerating gently. On NumPy the automatic derivative is off by
# $1.3 \cdot 10^{-7}$<!--lesson.chain_gap-->, the difference by $9.6 \cdot 10^{-5}$<!--lesson.chain_difference_gap-->.
#
# ## A gradient measured
#
# Now six variables at once. In a wind tunnel of NASA the noise of wings was measured together with five features of
# each case, such as the frequency and the angle of attack. A weighted sum of the features plus a bias shall predict the
# noise, and the loss is the mean of the squared residuals $r_i$ over $n = 1000$ cases. Changing the weight $w_j$
# changes $r_i$ at the rate $X_{ij}$, the feature $j$ of case $i$, so by the chain rule the loss $\frac1n \sum_i r_i^2$
# changes at the rate $\frac2n \sum_i r_i X_{ij}$; for the bias take 1 in place of $X_{ij}$. More about this model is in
# [Linear regression](../linear_regression/linear_regression.py). We put weights and bias into one vector
# $\boldsymbol\theta$ of shape $(6,)$ and obtain the gradient in three ways.


# %%
def airfoil_cases(n=1000):
    """The first n measurements in tensors: features (n, 5) and noise levels (n, 1), all with mean 0 and deviation 1."""
    X, y = load_airfoil()  # (1503, 5), (1503,)
    X, y = X[:n], y[:n, None]  # (n, 5), (n, 1)
    return xp.asarray((X - X.mean(axis=0)) / X.std(axis=0)), xp.asarray((y - y.mean()) / y.std())


def squared_loss(X, y):
    """The mean squared error of a weighted sum as a function from theta (6,), five weights and a bias, to ()."""

    def loss(theta):
        residual = xp.matmul(X, xp.reshape(theta[:5], (5, 1))) + theta[5] - y  # (n, 5) @ (5, 1) + () - (n, 1) -> (n, 1)
        return xp.mean(residual * residual)  # (n, 1) -> ()

    return loss


def gradient_formula(X, y, theta):
    """The gradient (6,) of that loss, differentiated by hand."""
    residual = xp.matmul(X, xp.reshape(theta[:5], (5, 1))) + theta[5] - y  # (n, 1)
    of_weights = 2.0 / X.shape[0] * xp.matmul(xp.matrix_transpose(X), residual)  # (5, n) @ (n, 1) -> (5, 1)
    return xp.concat([xp.reshape(of_weights, (5,)), 2.0 * xp.mean(residual, axis=0)])  # (5,), (1,) -> (6,)


def largest_gap(a, b):
    """Largest absolute difference between two tensors of one shape, as a float."""
    return float(xp.max(xp.abs(a - b)))


@house_style
def plot_directions(loss, slope_of):
    """Level lines of the loss over two weights, one of them through the start, and its slope in all directions."""
    import matplotlib.pyplot as plt

    def with_two(a, b):
        return xp.asarray(np.array([a, b, 0.0, 0.0, 0.0, 0.0]))

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.8))
    grid = np.linspace(-1.5, 1.0, 26)
    heights = np.array([[float(loss(with_two(a, b))) for a in grid] for b in grid])  # (26, 26)
    lines = left.contour(grid, grid, heights, levels=(0.8, 1.0, 1.4, 2.0, 3.0, 4.0), colors=INK, linewidths=1.0)
    left.clabel(lines, fontsize=7)
    gradient = xp.to_numpy(slope_of(with_two(0.0, 0.0)))[:2]
    arrow = {"arrowstyle": "->", "color": "C1", "linewidth": 2}
    left.annotate("", gradient, (0.0, 0.0), arrowprops=arrow)
    left.annotate("", -gradient, (0.0, 0.0), arrowprops={**arrow, "linestyle": "--", "color": "C0"})
    left.plot(0.0, 0.0, "o", color=INK)
    left.set(
        xlabel="weight of the frequency",
        ylabel="weight of the angle",
        aspect="equal",
        title="gradient, and its opposite (dashed)",
    )
    angles = np.linspace(0.0, 2 * np.pi, 25)
    measured = [
        float(central_difference(lambda r, a=a: loss(with_two(r * np.cos(a), r * np.sin(a))), 0.0, 0.5)) for a in angles
    ]
    steepest = np.arctan2(gradient[1], gradient[0])
    fine = np.linspace(0.0, 2 * np.pi, 200)
    right.plot(
        np.degrees(fine), np.linalg.norm(gradient) * np.cos(fine - steepest), "C0", label=r"$\|\nabla L\| \cos\alpha$"
    )
    right.plot(np.degrees(angles), measured, "C3o", markersize=4, label="measured slope")
    right.axvline(np.degrees(steepest), color="C1", linestyle=":", label="direction of the gradient")
    right.set(xlabel="direction in degrees", ylabel="slope of the loss")
    right.legend(fontsize=8)
    return figure


# %%
if __name__ == "__main__":
    X, y = airfoil_cases()  # (1000, 5), (1000, 1)
    loss, theta = squared_loss(X, y), xp.asarray(np.zeros(6))  # (6,)
    automatic = value_and_grad(loss)(theta)[1]  # (6,)
    formula = gradient_formula(X, y, theta)  # (6,)
    print("automatic:", xp.to_numpy(automatic).round(4), " formula:", xp.to_numpy(formula).round(4))
    gaps = {h: largest_gap(numerical_gradient(loss, theta, h), automatic) for h in (1.0, 1e-2, 1e-4)}
    print("largest difference from central differences, by step:", {h: f"{gap:.1e}" for h, gap in gaps.items()})
    report(
        airfoil_gap=gaps[1.0],
        airfoil_gap_small=gaps[1e-4],
        airfoil_formula_gap=largest_gap(formula, automatic),
        airfoil_slope=automatic[0],
    )

# %%
if __name__ == "__main__":
    plot_directions(loss, lambda theta: value_and_grad(loss)(theta)[1])

# %% [markdown]
# The slope along the weight of the frequency is 0.97<!--lesson.airfoil_slope-->: raising this weight from zero would
# raise the loss, since louder cases are those of low frequency. The right panel confirms what we derived: measured in
# all directions, the slope follows a cosine, and its peak lies where the gradient points. On the left, the gradient
# crosses the level line at a right angle; its opposite is the best direction *here*, and yet does not lead straight to
# the minimum. A direction of steepest descent is a local statement.
#
# On NumPy, automatic derivative and formula differ by $5.4 \cdot 10^{-7}$<!--lesson.airfoil_formula_gap-->, which is
# rounding. For the differences we have to unlearn something: the large step $h = 1$ is off by
# $4.2 \cdot 10^{-7}$<!--lesson.airfoil_gap-->, the small one, $10^{-4}$, by
# $8.2 \cdot 10^{-4}$<!--lesson.airfoil_gap_small-->. The reason is $M_3$. The mean squared error is quadratic in each
# weight, its third derivative is zero, and a central difference has no truncation error at all, however large the
# step is. Only the rounding remains, which differs between the backends and becomes smaller as $h$ grows. For a
# network with hidden layers this gift is gone.
#
# Could one train with measured gradients?


# %%
def descend(loss, slope_of, steps=50, lr=0.1):
    """Losses (steps,) of gradient descent from zero with any function that returns a gradient (6,)."""
    theta = xp.asarray(np.zeros(6))
    losses = []
    for _ in range(steps):
        losses.append(float(loss(theta)))
        theta = theta - lr * slope_of(theta)
    return np.array(losses)


# %%
if __name__ == "__main__":
    exact = descend(loss, lambda theta: value_and_grad(loss)(theta)[1])
    measured = descend(loss, lambda theta: numerical_gradient(loss, theta, 1.0))
    report(descent_gap=np.abs(exact - measured).max(), descent_first=exact[0], descent_last=exact[-1])

# %% [markdown]
# One could. From the same start the loss falls from 1.00<!--lesson.descent_first--> to
# 0.390<!--lesson.descent_last-->, and over 50 steps the losses of both runs never differ by more than a few units in
# the last place, $6.0 \cdot 10^{-8}$<!--lesson.descent_gap--> on NumPy. But each measured gradient took 12
# evaluations of the loss. The small convolutional network of [LeNet](../convolutional_networks/lenet.py) has 61,706
# parameters and would need 123,412 for one step, where automatic differentiation takes the time of a few. Differences
# are for checking gradients, not for training.
#
# ## What goes wrong
#
# A derivative may not exist, or exist and mislead, or the step may be unfit for the place.


# %%
def kink(x):
    """The absolute value, which has a corner at zero."""
    return xp.abs(x)


def ridge(x):
    """xy / (x² + y²) for x of shape (2,), and zero at the origin; a 0-d tensor."""
    square = x[0] * x[0] + x[1] * x[1]  # ()
    safe = xp.where(square > 0, square, xp.ones_like(square))
    return x[0] * x[1] / safe


# %%
if __name__ == "__main__":
    zero = xp.asarray(0.0)
    slopes = forward_difference(kink, zero, 0.5), -forward_difference(lambda x: kink(-x), zero, 0.5)
    print(f"slopes of |x| at 0: to the right {float(slopes[0]):.0f}, to the left {float(slopes[1]):.0f},", end=" ")
    print(f"central {float(central_difference(kink, zero, 0.5)):.0f}")
    origin, diagonal = xp.asarray(np.zeros(2)), xp.asarray(np.array([1.0, 1.0]) / math.sqrt(2.0))
    print("gradient of the ridge at the origin:", xp.to_numpy(numerical_gradient(ridge, origin, 2.0**-10)))
    for h in (2.0**-1, 2.0**-5, 2.0**-10):
        print(f"along the diagonal, h = {h}: {float(ridge(h * diagonal)) / h:.1f}")
    far = xp.asarray(1e5)
    print("at t = 100,000 with h = 0.001:", float(central_difference(position, far, 1e-3)))
    report(
        central_at_kink=central_difference(kink, zero, 0.5),
        ridge_slope=float(ridge(2.0**-10 * diagonal)) * 2.0**10,
        too_small=central_difference(position, far, 1e-3),
    )

# %% [markdown]
# **At a corner** the central difference is 0<!--lesson.central_at_kink-->, a number that looks like a flat place,
# while the slope is $1$ on one side and $-1$ on the other and no derivative exists. Whoever doubts a gradient should
# compare both one-sided quotients. Automatic differentiation answers 0 here as well, because `xp` has agreed upon it,
# as it has for ReLU in later chapters; such an answer is a convention and not a derivative.
#
# **Partial derivatives are not enough.** Our second function, $xy / (x^2 + y^2)$, is zero along both axes, so both
# partial derivatives at the origin are zero, and the gradient promises that nothing happens in any direction. Along the
# diagonal, however, the function has the value $\frac12$ everywhere but at the origin itself, and the quotient grows
# without limit: 512<!--lesson.ridge_slope--> at $h = 2^{-10}$. The formula $\nabla f \cdot \mathbf{u}$ holds for
# functions that are differentiable, and this one is not even continuous. If the partial derivatives exist around a
# point and are continuous there, all is well.
#
# **A step must fit the place.** Near $t = 100{,}000$ neighbouring float32 numbers are 0.0078 apart. A step of 0.001
# does not reach the next one, so $t + h$, $t - h$ and $t$ are the same number, and the speed comes out as
# 0<!--lesson.too_small--> where it is almost 30. The same happened at $t = 6$ with $h = 2^{-23}$. A step should be
# relative, a multiple of $|x|$ (or of the size that $x$ usually has, where $x$ may be zero).
#
# ## Under the surface
#
# NumPy computes in float64 unless told otherwise; PyTorch, JAX, TensorFlow and MXNet in float32. A recipe from a NumPy
# program, such as $h = 10^{-8}$, therefore returns noise or zero on the other four. Their own tools for checking
# gradients differ accordingly. PyTorch's `gradcheck` takes $10^{-6}$ and warns if the inputs are not float64. JAX's
# `check_grads` takes $10^{-4}$ and compares along random directions instead of one variable after the other.
# TensorFlow's `compute_gradient` uses $2^{-10}$, and MXNet's `check_numeric_gradient` $2^{-9}$ for float32 and
# $2^{-14}$ for float64; both choose powers of two for the reason that we had.
#
# The table of this lesson is the same to the last bit on all five backends. It consists of additions, multiplications
# and divisions, whose results IEEE 754 prescribes exactly. With a sine in place of the fraction the left part of the
# figure would differ, because each library rounds its sine in its own way.
#
# ## Summary
#
# A derivative is the limit of slopes of secants, and the gradient collects the derivatives along all variables; where
# a function is differentiable, its rate in direction $\mathbf{u}$ is $\nabla f \cdot \mathbf{u}$, so the gradient
# points to the steepest rise. The chain rule multiplies rates along a chain and adds them over several. Measured by
# differences, a derivative has two errors: with a smaller step truncation falls and rounding rises, so that in
# float32 three digits are a good result for a forward difference and five for a central one. Automatic
# differentiation has neither error and costs little more than the function itself.
#
# ## Exercises
#
# Solutions are in `calculus_solutions.py`. Exercises with a star are checked by a program: `d2l exercise calculus`
# writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *One power more.* Compute the central difference with the steps $h$ and $h/2$ and combine the two so that the
#    errors of order $h^2$ cancel (Richardson, 1911). Write `richardson(f, x, h)`. What is the order of the remaining
#    error, and which step is best for our car?
# 2. ★ *Acceleration.* Write `second_difference(f, x, h)`, which estimates $f''(x)$ from $f(x-h)$, $f(x)$ and $f(x+h)$.
#    Derive both errors as in the text. How well can the camera measure the acceleration?
# 3. *By the rules.* Differentiate $s(t) = 30 t^2 / (t + 4)$ by the product and the chain rule, and compare with the
#    text.
# 4. *Level lines.* Show that the gradient is at a right angle to the level line through the point. Why does the arrow
#    in a plot look crooked if the axes have different scales?
# 5. *Change of units.* Measure one variable in kilometres instead of metres. How does its partial derivative change,
#    and how does a step of gradient descent, seen in metres? What does this say about features on different scales?
#
# ## References
#
# - A.-L. Cauchy (1821), *Cours d'analyse de l'École royale polytechnique*, limits as the ground of calculus.
# - L. F. Richardson (1911), *The Approximate Arithmetical Solution by Finite Differences of Physical Problems Involving
#   Differential Equations, with an Application to the Stresses in a Masonry Dam*, Philosophical Transactions of the
#   Royal Society A 210.
# - D. Goldberg (1991), *What Every Computer Scientist Should Know About Floating-Point Arithmetic*, ACM Computing
#   Surveys 23.
# - N. J. Higham (2002), *Accuracy and Stability of Numerical Algorithms*, second edition, SIAM.
