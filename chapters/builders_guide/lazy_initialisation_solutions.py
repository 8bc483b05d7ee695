# %% [markdown]
# # Lazy initialisation: solutions

# %%
from d2l_chapters.builders_guide.lazy_initialisation import network, places

from d2l_core import nn, xp

# %% [markdown]
# ## 1. A layer that measures
#
# `build` gets the first input; the features are its last axis.


# %%
class Scale(nn.Module):
    """Multiplies each feature by a number of its own and adds another."""

    def build(self, X):
        """The parameters for inputs like X."""
        self.weight = nn.Parameter((X.shape[-1],), nn.initialisers.Constant(1.0))
        self.bias = nn.Parameter((X.shape[-1],), nn.initialisers.Constant(0.0))

    def forward(self, X):
        """X weight + bias."""
        return X * self.weight + self.bias  # (..., d) * (d,) + (d,) -> (..., d)


# %% [markdown]
# ## 2. Ask the pattern
#
# A copy may learn its sizes while the original goes without.


# %%
def parameter_shapes(model, X):
    """The shapes that the parameters of a model have for inputs like X, by path."""
    twin = model.clone().initialise(X)
    return {path: parameter.shape for path, parameter in twin.parameters().items()}


# %%
if __name__ == "__main__":
    print(parameter_shapes(network(), xp.zeros((1, 3, 32, 32))))

# %% [markdown]
# ## 3. The largest window
#
# The first windows keep the side $h$, thanks to the padding; the mean halves it, rounding down; the second windows
# leave $\lfloor h/2 \rfloor - 4$ places, and the second mean halves that. At the end at least one must be left, so
# $\lfloor h/2 \rfloor - 4 \geq 2$, that is $h \geq 12$. At 10 and 11 the second windows still fit (one place), but
# the windows of the last mean do not; below 10 the second windows find no place.

# %%
if __name__ == "__main__":
    for side in (12, 11, 10, 9):
        last = places(places(places(side, 5, 1, 2), 2, 2), 5)
        try:
            network().initialise(xp.zeros((1, 1, side, side)), seed=0)
            print(f"{side}: fits; {last} places before the last mean")
        except ValueError as error:
            print(f"{side}: {last} places before the last mean; {str(error).split('(')[0]} refuses")

# %% [markdown]
# ## 4. Many sizes in one batch of runs
#
# Behind `GlobalAvgPool` there are 16 numbers for each picture, one for each channel, whatever its size; nothing
# behind it depends on the size. The affine map has $120 \cdot 17$ parameters instead of $120 \cdot 401$, and the
# network $156 + 2416 + 2040 + 1210 = 5822$.

# %%
if __name__ == "__main__":
    stages = [stage for stage in network() if not isinstance(stage, nn.Flatten)]
    model = nn.Sequential(*stages[:6], nn.GlobalAvgPool(), *stages[6:])
    print([tuple(model(xp.zeros((2, 1, side, side))).shape) for side in (28, 32, 96)])
    print(nn.summary(model, xp.zeros((1, 1, 28, 28))).parameters, "parameters")
