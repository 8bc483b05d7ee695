# %% [markdown]
# # Calculus: solutions

# %%
import numpy as np
from d2l_chapters.preliminaries.calculus import STEPS, central_difference, position, speed_errors

from d2l_core import xp

# %% [markdown]
# ## 1. One power more
#
# The central difference is $D(h) = f' + a h^2 + b h^4 + \dots$ with $a = f'''/6$ and $b = f^{(5)}/120$. Hence
# $4 D(h/2) - D(h) = 3 f' + (\frac{4}{16} - 1)\, b h^4 + \dots$, and
#
# $$\frac{4 D(h/2) - D(h)}{3} = f' - \frac{b}{4} h^4 + \dots$$
#
# The error is of order $h^4$. The rounding error is a little larger than before, since $D(h/2)$ enters with $\frac43$
# and has an error of up to $2 \delta / h$, but the best step is much larger and thus the result better: for our car
# the least error found is $3 \cdot 10^{-6}$ m/s, at $h = \frac14$, where the best central difference missed by
# $5 \cdot 10^{-5}$<!--lesson.central_best-->.


# %%
def richardson(f, x, h):
    """The derivative of f at x without the error of order h²; x and the result of one shape."""
    return (4.0 * central_difference(f, x, 0.5 * h) - central_difference(f, x, h)) / 3.0


# %%
if __name__ == "__main__":
    for name, quotient in (("central", central_difference), ("Richardson", richardson)):
        errors = speed_errors(quotient)
        print(f"{name}: least error {errors.min():.1e} m/s at h = {STEPS[errors.argmin()]}")

# %% [markdown]
# ## 2. Acceleration
#
# Adding the two series $f(x \pm h) = f \pm h f' + \frac{h^2}{2} f'' \pm \frac{h^3}{6} f''' + \frac{h^4}{24} f''''$
# leaves $2f + h^2 f'' + \frac{h^4}{12} f''''$, so that
#
# $$\frac{f(x + h) - 2 f(x) + f(x - h)}{h^2} = f''(x) + \frac{h^2}{12} f''''(\xi).$$
#
# The three values are wrong by up to $\delta$ each and one counts twice, so rounding adds up to $4\delta / h^2$. With
# $M_4 = |f''''| = 11520 / 10^5 = 0.115$ at $t = 6$ the sum $\frac{h^2}{12} M_4 + 4\delta/h^2$ is smallest at
# $h = (48 \delta / M_4)^{1/4} \approx 0.2$ and then about 0.0008: an acceleration of 0.96 m/s² is found to three
# digits, from positions that are known to seven. Half of the digits of the central difference are gone: dividing by a
# small number twice costs twice.


# %%
def second_difference(f, x, h):
    """The second derivative of f at x from three values; x and the result of one shape."""
    return (f(x + h) - 2.0 * f(x) + f(x - h)) / (h * h)


# %%
if __name__ == "__main__":
    found = np.array([float(second_difference(position, xp.asarray(6.0), float(h))) for h in STEPS])
    for h, error in zip(STEPS[:14], np.abs(found - 0.96), strict=False):
        print(f"h = {h:.1e}: {error:.1e} m/s²")

# %% [markdown]
# ## 3. By the rules
#
# Write $s = 30\, t^2 \cdot (t+4)^{-1}$. The chain rule gives the derivative of the second factor, $-(t+4)^{-2}$, and
# the product rule
#
# $$s'(t) = 30\left(\frac{2t}{t+4} - \frac{t^2}{(t+4)^2}\right) = 30\, \frac{2t(t+4) - t^2}{(t+4)^2}
#   = 30\, \frac{t^2 + 8t}{(t+4)^2} .$$
#
# Since $t^2 + 8t = (t+4)^2 - 16$, this is $30\big(1 - \frac{16}{(t+4)^2}\big)$, as in the text. At $t = 6$ it is
# $30 \cdot \frac{84}{100} = 25.2$.

# %% [markdown]
# ## 4. Level lines
#
# Let $\mathbf{c}(r)$ run along the level line, so $f(\mathbf{c}(r))$ is constant. Differentiating by the chain rule,
# $0 = \nabla f \cdot \mathbf{c}'(r)$: the gradient is at a right angle to the direction in which the line runs. A plot
# with different scales on its axes stretches the plane in one direction, and stretching does not preserve angles. One
# draws the arrow in data coordinates, it is stretched like the rest, and the right angle is lost. That is why the
# figure of the lesson sets the aspect to "equal".

# %% [markdown]
# ## 5. Change of units
#
# Let $x$ be metres and $z = x / 1000$ kilometres. By the chain rule
# $\partial f/\partial z = 1000\, \partial f / \partial x$: a kilometre changes more than a metre. A step of gradient
# descent changes $z$ by $-\eta \cdot 1000\, \partial f / \partial x$, which is
# $-\eta \cdot 10^6\, \partial f/ \partial x$ in metres, a million times what the step in metres would have been. The
# direction of steepest descent depends on the units in which lengths are compared. Features on different scales are
# variables in different units, and a single learning rate cannot suit them all; to standardise them is to choose
# comparable units.

# %%
if __name__ == "__main__":
    x = xp.asarray(2.0)
    per_metre = float(central_difference(lambda x: x * x, x, 0.125))
    per_kilometre = float(central_difference(lambda z: (1000.0 * z) * (1000.0 * z), x / 1000.0, 2.0**-13))
    print(f"per metre {per_metre:.4f}, per kilometre {per_kilometre:.1f}")
