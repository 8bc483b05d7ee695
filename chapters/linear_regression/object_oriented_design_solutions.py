# %% [markdown]
# # The parts of a training program: solutions

# %%
from d2l_chapters.linear_regression.object_oriented_design import (
    TinyChain,
    TinyData,
    TinyLinear,
    TinyModule,
    TinyParameter,
    TinyTrainer,
    WingNetwork,
    network,
    wing_data,
    wings,
)

from d2l_core import optim, random, xp
from d2l_core.nn.functional import squared_error
from d2l_core.training import Observer, Trainer

# %% [markdown]
# ## 1. The best moment
#
# The observer needs two things between its calls, the lowest loss so far and the state that belongs to it. Since
# `state_dict` returns copies as NumPy arrays, further training cannot change them. Every comparison with NaN is false,
# so a loss that is not a number is never *lower* than the lowest, if we begin with infinity.
#
# A warning that belongs to this exercise: the `val_loss` of the best of many epochs flatters the model, because the
# epoch was chosen by it. [Generalisation](generalisation.py) measures how much.


# %%
class KeepBest(Observer):
    """Remembers the state of the model after the epoch with the lowest `val_loss`."""

    def __init__(self):
        self.lowest, self.state = float("inf"), None

    def epoch_ended(self, trainer, record):
        """Keep the state if the loss is lower than all before."""
        if record["val_loss"] < self.lowest:
            self.lowest, self.state = record["val_loss"], trainer.model.state_dict()

    def restore(self, model):
        """Give the model the state that was kept."""
        model.load_state_dict(self.state)


# %%
if __name__ == "__main__":
    best, model = KeepBest(), network()
    history = Trainer(5, observers=[best]).fit(
        model, wing_data(), loss=squared_error, optimiser=lambda model: optim.SGD(model, lr=0.1)
    )
    print("val_loss", [f"{loss:.3f}" for loss in history.column("val_loss")], f"lowest {best.lowest:.3f}")
    best.restore(model)

# %% [markdown]
# ## 2. Looking into lists
#
# A visitor walks through the tree. What it does depends on what it meets: a parameter is noted unless it was met
# before, a container is entered, everything else is passed by. "Met before" is a question of identity, not of equal
# values. The attribute `parts` of a `TinyModule` repeats other attributes and is left out.


# %%
def find_parameters(value, prefix=""):
    """The parameters in a value and in all that it holds, by path, each once under its first path."""
    found = {}

    def visit(value, path):
        if isinstance(value, TinyParameter):
            if not any(value is known for known in found.values()):
                found[path] = value
            return
        if isinstance(value, TinyModule):
            items = [(name, part) for name, part in vars(value).items() if name != "parts"]
        elif isinstance(value, dict):
            items = list(value.items())
        elif isinstance(value, list | tuple):
            items = list(enumerate(value))
        else:
            items = []
        for name, part in items:
            visit(part, f"{path}.{name}" if path else str(name))

    visit(value, prefix)
    return found


# %% [markdown]
# ## 3. Once more, but with
#
# The kept dictionary has the form in which Python passes arguments by name, so a new object is one call away. A name
# that does not exist should be an error, and is one: `__init__` refuses it. Silently ignoring a misspelt `num_hidens`
# would give a result under a wrong label. (If a subclass and its parent keep different names, the dictionary holds more
# than the subclass takes; then only the names in the signature of its `__init__` may be passed on.)


# %%
def with_changes(thing, **changes):
    """A new object of the same class with its kept hyperparameters except for those that are changed."""
    return type(thing)(**(thing.hyperparameters | changes))


# %%
if __name__ == "__main__":
    print(with_changes(WingNetwork(32), sigma=0.1).hyperparameters)
    try:
        with_changes(WingNetwork(32), num_hidens=64)
    except TypeError as error:
        print(error)

# %% [markdown]
# ## 4. Where does it belong?
#
# The limit on the norm needs all gradients at once, after they are computed and before they are used. A rule that
# sees one parameter at a time cannot know it, so it stands in the trainer; in the library it is the argument
# `clip_norm`. The learning rate belongs to the optimiser, to which one gives a schedule instead of a number. Whether to
# stop is decided from what was recorded, which is what observers see: they may ask the trainer by `trainer.stop()`, and
# that is the one exception to looking only. Noise on the inputs belongs to the data, as below, or to a module that
# knows whether it is training, as dropout does. The noise is drawn from a stream that is called by seed, epoch and
# batch, so it can be repeated.


# %%
class NoisyData(TinyData):
    """As `TinyData`, with normal noise of deviation `sigma` on the training inputs."""

    sigma = 0.1

    def batches(self, epoch):
        """Pairs of tensors (B, d), (B, 1)."""
        for number, (X, y) in enumerate(super().batches(epoch)):
            noise = random.normal(tuple(X.shape), self.seed, "noise", epoch, number, std=self.sigma)  # (B, d)
            yield X + xp.asarray(noise), y


# %%
if __name__ == "__main__":
    start = network().initialise(xp.zeros((1, 5)), seed=0).state_dict()
    for kind in (TinyData, NoisyData):
        tiny = TinyChain(TinyLinear(5, 16), xp.tanh, TinyLinear(16, 1))
        tiny.load(start)
        history = TinyTrainer(1).fit(tiny, kind(*wings()), squared_error, lambda p, g: p - 0.03 * g)
        print(f"{kind.__name__}: val_loss {history.final('val_loss'):.3f}")
