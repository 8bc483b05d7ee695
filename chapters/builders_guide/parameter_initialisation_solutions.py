# %% [markdown]
# # Initial values of parameters: solutions

# %%
import math

import numpy as np
from d2l_chapters.builders_guide.parameter_initialisation import classifier
from d2l_chapters.linear_classification.softmax_regression import fashion_mnist
from d2l_chapters.multilayer_perceptrons.mlp import train

from d2l_core import nn, random, xp
from d2l_core.lessons import scale
from d2l_core.nn.functional import cross_entropy
from d2l_core.nn.initialisers import Constant, HeNormal

# %% [markdown]
# ## 1. Without tails
#
# One normal number in twenty-two lies beyond two standard deviations. Draw anew for those places, from a stream
# with one more word in its name, until none is left: each round leaves 4.6 per cent, so five or six suffice. The
# variance of a standard normal number restricted to $|z| \le 2$ is
#
# $$\frac{\int_{-2}^{2} z^2 \varphi(z)\, dz}{\int_{-2}^{2} \varphi(z)\, dz}
#   = 1 - \frac{4 \varphi(2)}{2\Phi(2) - 1} = 0.7737,$$
#
# by partial integration with $z\varphi(z) = -\varphi'(z)$; its root is 0.8796. Without the division the network
# starts 12 per cent too narrow in each layer, and after fifty layers $0.8796^{50} = 0.0016$ is left of a signal.


# %%
def truncated_normal(shape, key, std):
    """Normal numbers within two deviations, scaled to the standard deviation std."""
    density, inside = math.exp(-2.0) / math.sqrt(2.0 * math.pi), math.erf(math.sqrt(2.0))
    narrowed = math.sqrt(1.0 - 4.0 * density / inside)
    values, attempt = random.normal(shape, *key, 0), 0
    while (np.abs(values) > 2.0).any():
        attempt += 1
        values = np.where(np.abs(values) > 2.0, random.normal(shape, *key, attempt), values)
    return values * (std / narrowed)


# %% [markdown]
# ## 2. A convolution that does nothing
#
# The output at a place is the sum of the window around it times the kernel. To get the input itself, the kernel
# must be 1 in the middle of the window of its own channel and 0 elsewhere. Such a start is used for layers that are
# put into a trained network and shall not disturb it at first.


# %%
def dirac(shape, key):
    """Ones in the middle of the window where output and input channel are the same."""
    values = np.zeros(shape)
    for i in range(min(shape[:2])):
        values[(i, i, *(size // 2 for size in shape[2:]))] = 1.0
    return values


# %% [markdown]
# ## 3. A quiet output
#
# All logits are zero, the probabilities $\frac1{10}$, and the loss $\log 10 = 2.302585$ to the last digit of
# float32. The gradient of the last weight is $\bar{\mathbf{O}}^\top\mathbf{H}$, which does not contain that weight
# and is not zero since the hidden values are not. So the last layer moves in the first step, and from the second on
# the layers below get a gradient. With *all* weights zero the hidden values are zero as well, and so is every
# gradient except that of the output's bias.


# %%
def quiet_output():
    """The classifier with He's rule and a last layer of zeros."""
    model = classifier(HeNormal())
    model[5].weight_init = Constant(0.0)
    return model


# %%
if __name__ == "__main__":
    data = fashion_mnist("smoke", seed=0)
    X, y = next(iter(data.train.epoch(0)))
    model = quiet_output().initialise(X, seed=0)
    print(f"first loss {float(xp.to_numpy(cross_entropy(model(X), y))):.6f}, log 10 = {math.log(10.0):.6f}")
    history = train(model, data, epochs=5)
    print("loss by epoch:", [round(loss, 3) for loss in history.column("loss")])

# %% [markdown]
# ## 4. Two halves
#
# Inside one model the paths are `encoder.weight` and `decoder.weight`, two streams: the weights differ. A part that
# is initialised on its own is the root of its own tree, its path is empty, and the parameter is called `weight` in
# both cases: with the same seed they are equal, bit for bit, and stay so when they are put together. Initialise the
# whole, or give the parts different seeds.


# %%
def two_halves(apart):
    """Largest difference between the weights of an encoder and a decoder, initialised together or apart."""
    encoder, decoder = nn.Linear(64, 64), nn.Linear(64, 64)
    if apart:
        encoder.initialise(seed=0)
        decoder.initialise(seed=0)
    model = nn.ModuleDict({"encoder": encoder, "decoder": decoder}).initialise(seed=0)
    state = model.state_dict()
    return float(np.abs(state["encoder.weight"] - state["decoder.weight"]).max())


# %%
if __name__ == "__main__":
    print(f"together: {two_halves(apart=False):.3f}, apart: {two_halves(apart=True):.3f}")

# %% [markdown]
# ## 5. Seeds as a measurement
#
# The standard deviation over seeds measures what chance in the initial values (and the batches, if they depend on
# the seed) does to the result. The difference between two methods, each a mean of $m$ runs with deviation $s$, has
# the standard error $s\sqrt{2/m}$; below two of these it should convince nobody. With five seeds and $s = 0.02$
# that is a difference of 0.025. If both methods share the seeds, compare the differences seed by seed: what the
# seed does to both cancels. That works only if the same seed means the same initial values for both, which is what
# this lesson is about. (The program keeps the order of the batches and varies the initial values alone.)


# %%
def accuracies_by_seed(seeds, scale, epochs=5):
    """Validation accuracy of the experiment's network, with He's values from each of the seeds."""
    data = fashion_mnist(scale, seed=0)
    models = [classifier(HeNormal(), num_hiddens=(128,) * 5).initialise(X, seed=seed) for seed in seeds]
    return [train(model, data, epochs=epochs, lr=0.05).final("val_acc") for model in models]


# %%
if __name__ == "__main__":
    short = scale() == "smoke"
    found = accuracies_by_seed(range(2 if short else 5), "smoke" if short else "standard", 1 if short else 5)
    s = np.std(found, ddof=1)
    print("accuracies:", np.round(found, 3))
    print(f"deviation {s:.3f}; a difference to be believed: {2 * s * math.sqrt(2 / len(found)):.3f}")
