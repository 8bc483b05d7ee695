# /// lesson
# name = "object-oriented-design"
# title = "The parts of a training program"
# sections = ["3.2"]
# needs = []
# data = ["airfoil"]
# [time]
# smoke = "3 s"
# standard = "15 s"
# full = "30 s"
# [promises]
# standard = ["lesson: tiny_gap <= 1e-4"]
# full = [
#   "lesson: tiny_gap <= 1e-4", "lesson: watched_gap <= 1e-6", "lesson: network <= 0.4",
#   "lesson: forgotten <= 2", "lesson: forgotten_loss >= 0.45", "lesson: second_start <= 0.5",
# ]
# ///

# %% [markdown]
# # The parts of a training program
#
# When a tyre is worn, you do not buy a new bicycle. You buy a tyre, and it fits, because the makers of rims and the
# makers of tyres have agreed on a few measurements and otherwise know nothing of one another. A program that trains a
# model can be built in the same way. With four models, three sets of data, two optimisers and five ways to show the
# progress there are $4 \cdot 3 \cdot 2 \cdot 5 = 120$ programs, each with a loop of its own in which a mistake can
# hide; or $4 + 3 + 2 + 5 = 14$ parts and one loop.
#
# In this lesson we find out where the cuts between the parts belong, build a complete little library along them in
# some eighty lines, and train the same network with it and with the library of this course. They agree step for
# step, so you will know what goes on when later lessons write `Trainer(...).fit(...)` and nothing else.

# %%
import functools
import inspect

import numpy as np

from d2l_core import nn, optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import Loader, load_airfoil
from d2l_core.lessons import report, scale
from d2l_core.nn.functional import huber, squared_error
from d2l_core.plots import Diagram, house_style
from d2l_core.random import permutation
from d2l_core.training import Data, History, Observer, Trainer

# %% [markdown]
# ## The idea
#
# What changes for its own reasons deserves to be a part of its own. The *module* knows its parameters and how to
# compute predictions from inputs. The *data* know how to hand out minibatches. The *loss* compares a prediction with a
# target. The *optimiser* turns a parameter and its gradient into a new parameter. The *trainer* owns the loop, and is
# the only part that knows the others. *Observers* are told at certain moments that something has happened, and what
# they make of it, a progress bar, a curve or a file, is their affair.


# %%
def diagram_parts():
    """Who is known by whom: arrows point from a part to one that it uses."""
    drawing = Diagram(680, 270, "the parts of a training program")
    trainer = drawing.box(265, 105, 150, 46, "Trainer: the loop")
    parts = {
        "Data": drawing.box(15, 15, 150, 46, "Data", "epoch → batches (X, y)"),
        "Module": drawing.box(265, 15, 150, 46, "Module"),
        "loss": drawing.box(515, 15, 150, 46, "loss", "(ŷ, y) → number"),
        "Optimiser": drawing.box(15, 195, 150, 46, "Optimiser", "(θ, gradient) → θ"),
        "History": drawing.box(265, 195, 150, 46, "History", "what happened"),
        "Observers": drawing.box(515, 195, 150, 46, "Observers", "are told, and only look"),
    }
    for name, part in parts.items():
        drawing.arrow(trainer, part, "X → ŷ" if name == "Module" else "")
    return drawing


# %%
if __name__ == "__main__":
    diagram_parts()

# %% [markdown]
# ## The agreement, as mathematics
#
# The measurements of rim and tyre are here the arguments and results of functions. Let $\boldsymbol\theta$ stand for
# all parameters, and $(\mathbf{X}_t, \mathbf{y}_t)$ for the minibatch of step $t = 0, 1, \dots$: $B$ examples with
# $d$ features each as inputs, $(B, d)$, and their targets, $(B, 1)$.
#
# - A module is a function $f(\boldsymbol\theta, \mathbf{X}) = \hat{\mathbf{y}}$ of shape $(B, 1)$.
# - A loss is a function $\ell(\hat{\mathbf{y}}, \mathbf{y}) \in \mathbb{R}$.
# - An optimiser is a rule $u(\boldsymbol\theta, \mathbf{g}) = \boldsymbol\theta'$, where $\mathbf{g}$ has the shape of
#   $\boldsymbol\theta$; for gradient descent $u(\boldsymbol\theta, \mathbf{g}) = \boldsymbol\theta - \eta\,\mathbf{g}$
#   with the learning rate $\eta$.
#
# The trainer joins them, and this line is all that it does:
#
# $$\boldsymbol\theta_{t+1} = u\Big(\boldsymbol\theta_t,\;
#   \nabla_{\boldsymbol\theta}\, \ell\big(f(\boldsymbol\theta_t, \mathbf{X}_t), \mathbf{y}_t\big)\Big).$$
#
# Two things can be read off. Any $f$, $\ell$ or $u$ may be replaced by another of the same form. And observers do not
# occur: a run that is watched must end with the same parameters as one that is not. We shall check both.
#
# There is one difficulty. In Python we want to write `model(X)`, where the model *owns* its parameters, while the
# gradient is that of a function *of* the parameters. The way out is to lend: put given values into the parameters,
# call the model, and put back what was there. Seen from outside, that is a function of the values.
#
# ## From scratch
#
# A parameter is a box with a tensor in it. A module is an object that notices when a parameter or another module is
# assigned to one of its attributes: Python calls `__setattr__` for every assignment. Since modules may hold modules,
# they form a tree, and each parameter has a *path* such as `0.weight`.


# %%
class TinyParameter:
    """A tensor that training replaces."""

    def __init__(self, array):
        self.value = xp.asarray(array)


class TinyModule:
    """Notices which parameters and modules are assigned to it; subclasses define `forward`."""

    def __setattr__(self, name, value):
        if isinstance(value, TinyParameter | TinyModule):
            self.__dict__.setdefault("parts", {})[name] = value
        self.__dict__[name] = value

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def parameters(self, prefix=""):
        """All parameters of the tree by path."""
        found = {}
        for name, part in self.__dict__.get("parts", {}).items():
            if isinstance(part, TinyParameter):
                found[prefix + name] = part
            else:
                found |= part.parameters(f"{prefix}{name}.")
        return found

    def load(self, state):
        """Replace the values by arrays, by path."""
        for path, array in state.items():
            self.parameters()[path].value = xp.asarray(array)


class TinyLinear(TinyModule):
    """An affine map (n, num_inputs) to (n, num_outputs)."""

    def __init__(self, num_inputs, num_outputs):
        self.weight = TinyParameter(np.zeros((num_outputs, num_inputs)))
        self.bias = TinyParameter(np.zeros(num_outputs))

    def forward(self, X):
        """X W' + b."""
        return xp.matmul(X, xp.matrix_transpose(self.weight.value)) + self.bias.value  # (n, in) @ (in, out) -> (n, out)


class TinyChain(TinyModule):
    """One stage after the other; a stage is a module or a function."""

    def __init__(self, *stages):
        self.stages = stages
        for number, stage in enumerate(stages):
            setattr(self, str(number), stage)

    def forward(self, X):
        """The output of the last stage."""
        for stage in self.stages:
            X = stage(X)
        return X


def tiny_value_and_gradients(f, module):
    """The value of f(), which calls the module, and its gradients by the paths of the parameters."""
    parameters = module.parameters()

    def of_values(values):
        before = {path: parameter.value for path, parameter in parameters.items()}
        for path, parameter in parameters.items():
            parameter.value = values[path]
        try:
            return f()
        finally:
            for path, parameter in parameters.items():
                parameter.value = before[path]

    return value_and_grad(of_values)({path: parameter.value for path, parameter in parameters.items()})


# %% [markdown]
# The data hand out batches in an order that depends on the seed and the epoch; [the next lesson](synthetic_data.py)
# takes this part to pieces. Our example are NASA's wings from [the last one](least_squares.py), now cut in two: a
# thousand random cases for training, and 503 for *validation*, on which the model is only judged. Features and levels
# are standardised by the training part.


# %%
NUM_TRAIN = 1000  # of the 1,503 measurements


def wings(seed=0):
    """Training and validation arrays ((1000, 5), (1000, 1)), ((503, 5), (503, 1)) in a random order."""
    X, y = load_airfoil()  # (1503, 5), (1503,)
    order = permutation(len(X), seed, "wings")
    table = np.column_stack((X, y))[order]  # (1503, 6)
    table = (table - table[:NUM_TRAIN].mean(axis=0)) / table[:NUM_TRAIN].std(axis=0)
    train, val = table[:NUM_TRAIN], table[NUM_TRAIN:]  # (1000, 6), (503, 6)
    return (train[:, :5], train[:, 5:]), (val[:, :5], val[:, 5:])


NUM_HIDDENS, BATCH_SIZE, LEARNING_RATE = 16, 40, 0.03  # of all runs, unless a table says otherwise


class TinyData:
    """Batches of arrays in a new order for each epoch, and the validation arrays as one batch."""

    def __init__(self, train, val, batch_size=BATCH_SIZE, seed=0):
        self.train, self.val, self.batch_size, self.seed = train, val, batch_size, seed

    def __len__(self):
        return -(-len(self.train[0]) // self.batch_size)

    def batches(self, epoch):
        """Pairs of tensors (B, d), (B, 1)."""
        order = permutation(len(self.train[0]), self.seed, "shuffle", epoch)  # (n,)
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]  # (B,)
            yield tuple(xp.asarray(array[chosen]) for array in self.train)


# %% [markdown]
# Finally the trainer. The line of the mathematics is the body of the inner loop, and the other lines tell the
# observers. For what happened we borrow the library's `History`, which is no more than a list of losses and a list of
# records.


# %%
class TinyTrainer:
    """Runs the loop and tells the observers."""

    def __init__(self, epochs, observers=()):
        self.epochs, self.observers = epochs, observers
        self.history, self.step = History(), 0

    def tell(self, moment, *news):
        """Call the method of this name of every observer."""
        for observer in self.observers:
            getattr(observer, moment)(self, *news)

    def fit(self, model, data, loss, rule):
        """Train the model; `rule` takes a parameter and its gradient and returns the new parameter."""
        self.model, self.total_steps = model, self.epochs * len(data)
        self.tell("started")
        for epoch in range(self.epochs):
            for X, y in data.batches(epoch):
                value, gradients = tiny_value_and_gradients(lambda X=X, y=y: loss(model(X), y), model)
                for path, parameter in model.parameters().items():
                    parameter.value = rule(parameter.value, gradients[path])
                self.step += 1
                self.history.losses.append(float(xp.to_numpy(value)))
                self.tell("stepped")
            X, y = (xp.asarray(array) for array in data.val)
            record = {"epoch": epoch + 1, "loss": float(np.mean(self.history.losses[-len(data) :]))}
            record["val_loss"] = float(xp.to_numpy(loss(model(X), y)))
            self.history.epochs.append(record)
            self.tell("epoch_ended", record)
        self.tell("ended")
        return self.history


# %% [markdown]
# ## Concise
#
# The library has the same cuts and the same words. Its `Module` reads `self.weight` straight as a tensor, learns the
# number of inputs from the first batch and draws initial values from named random streams. Its `Loader` keeps the data
# on the device. Its `Trainer` compiles many steps into one piece, writes checkpoints, and breaks off with an
# explanation when a loss is no longer finite. None of this changes what is computed, so with the same first values the
# two must agree on the loss of every step.


# %%
def network(num_hiddens=NUM_HIDDENS):
    """A network with one hidden layer: (n, d) to (n, 1)."""
    return nn.Sequential(nn.Linear(num_hiddens), nn.Tanh(), nn.Linear(1))


def wing_data(batch_size=BATCH_SIZE, seed=0):
    """The wings as the library's loaders."""
    train, val = wings()
    return Data(Loader(train, batch_size, shuffle=True, stream=(seed, "shuffle")), Loader(val, len(val[0])))


def tiny_and_library(epochs, lr=LEARNING_RATE, observers=((), ())):
    """Histories of the same network trained by the tiny library and by the real one."""
    model = network().initialise(xp.zeros((1, 5)), seed=0)
    tiny = TinyChain(TinyLinear(5, NUM_HIDDENS), xp.tanh, TinyLinear(NUM_HIDDENS, 1))
    tiny.load(model.state_dict())
    ours = TinyTrainer(epochs, observers[0]).fit(
        tiny, TinyData(*wings()), loss=squared_error, rule=lambda parameter, gradient: parameter - lr * gradient
    )
    theirs = Trainer(epochs, observers=observers[1]).fit(
        model, wing_data(), loss=squared_error, optimiser=lambda model: optim.SGD(model, lr=lr)
    )
    return tiny, ours, theirs


# %%
if __name__ == "__main__":
    tiny, ours, theirs = tiny_and_library(epochs={"smoke": 1, "standard": 3, "full": 3}[scale()])
    print({path: tuple(parameter.value.shape) for path, parameter in tiny.parameters().items()})
    report(steps=len(ours.losses), tiny_gap=np.max(np.abs(np.subtract(ours.losses, theirs.losses))))
    report(first_loss=ours.losses[0], last_loss=ours.final("val_loss"))

# %% [markdown]
# In 75<!--lesson.steps--> steps the loss fell from 2.56<!--lesson.first_loss--> on the first batch to
# 0.53<!--lesson.last_loss--> on the validation cases. On NumPy the largest difference between two losses is
# 0<!--lesson.tiny_gap-->; on JAX, where the library compiles its steps and the tiny one does not, it is
# $2.4 \cdot 10^{-7}$<!--lesson.tiny_gap @jax-->, about one unit in the last place of float32. It is the same loop.
#
# ## A board to watch by
#
# A number that scrolls by is hard to read; a curve is not. The board below is an observer. It subclasses `Observer`,
# whose methods do nothing, and fills in two of them. With `every = 5` it asks to be called after each five steps at
# the least, so that a trainer that compiles steps can still take five of them in one piece. The horizontal axis shows
# the whole run from the start, and so the curves do not jump about as they grow. If you hand it a function `show`, it
# passes on the figure after each epoch; in Jupyter, `Board(show=display)` lets you watch.


# %%
class Board(Observer):
    """Curves of a run: the loss of the steps, and what each epoch recorded.

    Args:
        names: entries of the record of an epoch.
        show: called with the figure after each epoch.
    """

    every = 5

    def __init__(self, names=("val_loss",), show=None):
        self.show, self.total = show, None
        self.curves = {name: ([], []) for name in ("loss of the steps", *names)}

    def draw_point(self, name, x, y):
        """Add a point to a curve."""
        for axis, value in zip(self.curves[name], (x, y), strict=True):
            axis.append(value)

    def stepped(self, trainer):
        """The mean loss of the last five steps."""
        if trainer.step % self.every == 0:  # a trainer may call more often
            epoch = trainer.step * trainer.epochs / trainer.total_steps
            self.draw_point("loss of the steps", epoch, np.mean(trainer.history.losses[-self.every :]))

    def epoch_ended(self, trainer, record):
        """The entries that were asked for."""
        self.total = trainer.epochs
        for name in list(self.curves)[1:]:
            self.draw_point(name, record["epoch"], record[name])
        if self.show is not None:
            self.show(plot_board(self))


@house_style
def plot_board(board):
    """The curves that a board has collected so far."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 2.8))
    for (name, (x, y)), style in zip(board.curves.items(), ("-", "o--", "s-.", "^:"), strict=False):
        axes.plot(x, y, style, label=name, clip_on=False)
    axes.set(xlabel="epoch", xlim=(0, board.total))
    axes.legend()
    return figure


# %% [markdown]
# The board knows neither of the two trainers, only the names of the moments. So it watches both.

# %%
if __name__ == "__main__":
    boards = Board(), Board()
    watched = tiny_and_library(len(ours.epochs), observers=([boards[0]], [boards[1]]))[2]
    report(watched_gap=np.max(np.abs(np.subtract(watched.losses, theirs.losses))))
    points = [np.array(board.curves["loss of the steps"]) for board in boards]  # two of (2, steps / 5)
    report(points=points[0].shape[1], board_gap=np.max(np.abs(points[0] - points[1])))

# %%
if __name__ == "__main__":
    plot_board(boards[1])

# %% [markdown]
# Both boards hold the same 15<!--lesson.points--> points up to rounding, and the largest difference between the losses
# of the watched and the unwatched run of the library is exactly 0<!--lesson.watched_gap-->, as the formula said.
#
# ## Which settings were these?
#
# A result without its settings is an anecdote. The arguments with which an object was made, its *hyperparameters*, are
# known at the moment of the call and forgotten after it, unless each class writes them down one by one. Here is a
# decorator that does so for any `__init__`: it asks Python for the names of the arguments, fits the given values to
# them, adds the defaults, and keeps the dictionary. If a subclass calls the `__init__` of its parent, both sets are
# kept, and where they share a name the subclass, which was called first, has the last word.


# %%
def keeps_hyperparameters(init):
    """Decorate `__init__` so that the object has its arguments in the dict `hyperparameters`."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def keeping(self, *args, **options):
        bound = signature.bind(self, *args, **options)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])  # without self
        self.hyperparameters = given | getattr(self, "hyperparameters", {})
        init(self, *args, **options)

    return keeping


class WingNetwork(nn.Module):
    """A network with one hidden layer: (n, d) to (n, 1)."""

    @keeps_hyperparameters
    def __init__(self, num_hiddens=NUM_HIDDENS, sigma=0.5):
        super().__init__()
        self.hidden = nn.Linear(num_hiddens, weight_init=nn.initialisers.Normal(sigma))
        self.out = nn.Linear(1)

    def forward(self, X):
        """One hidden layer with the hyperbolic tangent."""
        return self.out(xp.tanh(self.hidden(X)))  # (n, d) -> (n, num_hiddens) -> (n, 1)


# %%
if __name__ == "__main__":
    print(WingNetwork(32).hyperparameters)

# %% [markdown]
# ## One part at a time
#
# Now the promise of the bicycle. We train a linear model as the base, and exchange one part after the other: the model
# for a network, the loss for Huber's, which cares less for outliers, the optimiser for Adam, the batch size. Each
# line of the table changes one word. To compare them we report the squared error on the validation cases, also where
# training minimised another loss.


# %%
BASE = {
    "model": lambda: nn.Linear(1),
    "data": wing_data,
    "loss": squared_error,
    "optimiser": lambda model: optim.SGD(model, lr=LEARNING_RATE),
}
CHANGES = {
    "base": {},
    "network": {"model": WingNetwork},
    "robust": {"model": WingNetwork, "loss": huber},
    "adam": {"model": WingNetwork, "optimiser": lambda model: optim.Adam(model, lr=0.01)},
    "batch_of_250": {"model": WingNetwork, "data": lambda: wing_data(batch_size=250)},
}


def run_parts(model, data, loss, optimiser, epochs):
    """The history of a run of these parts; `model` and `data` make new ones."""
    return Trainer(epochs).fit(model(), data(), loss=loss, optimiser=optimiser, metrics={"error": squared_error})


# %%
if __name__ == "__main__":
    epochs = {"smoke": 2, "standard": 30, "full": 30}[scale()]
    errors = [run_parts(**(BASE | changed), epochs=epochs).final("val_error") for changed in CHANGES.values()]
    base, network_error, robust, adam, large_batches = errors
    report(base=base, network=network_error, robust=robust, adam=adam, batch_of_250=large_batches)

# %% [markdown]
# After 30 epochs the linear model has the error 0.525<!--lesson.base-->, the network 0.351<!--lesson.network-->, and
# with Adam it comes to 0.257<!--lesson.adam-->. The other two changes made it worse, for a reason worth knowing: with
# Huber's loss the error ends at 0.415<!--lesson.robust-->, with batches of 250 at 0.464<!--lesson.batch_of_250-->.
# Huber's loss is *half* the square for small residuals, so its gradient is half as long; larger batches mean a sixth
# of the steps. In both cases the network has come less far on its way. Parts may be exchanged without touching the
# others, but the best learning rate of one combination is not that of another.
#
# ## What goes wrong
#
# **Parts in a list.** `__setattr__` sees what is assigned, not what is inside. A list is neither a parameter nor a
# module, so layers in a list stay unknown: no gradient, no update, no place in the saved state. Yet `forward` works,
# and so nobody complains.


# %%
class ForgetfulStack(nn.Module):
    """Hidden layers in a plain list, which a module does not look into."""

    def __init__(self, num_layers=2, num_hiddens=NUM_HIDDENS):
        super().__init__()
        self.layers = [nn.Linear(num_hiddens) for _ in range(num_layers)]
        self.out = nn.Linear(1)

    def forward(self, X):
        """Layer after layer with the hyperbolic tangent."""
        for layer in self.layers:
            X = xp.tanh(layer(X))  # (n, ...) -> (n, num_hiddens)
        return self.out(X)  # (n, num_hiddens) -> (n, 1)


class MindfulStack(ForgetfulStack):
    """The same with a list that is a module itself."""

    def __init__(self, num_layers=2, num_hiddens=NUM_HIDDENS):
        super().__init__(num_layers, num_hiddens)
        self.layers = nn.ModuleList(self.layers)


# %%
if __name__ == "__main__":
    stacks = ForgetfulStack(), MindfulStack()
    losses = [
        run_parts(**(BASE | {"model": lambda stack=stack: stack}), epochs=epochs).final("val_error") for stack in stacks
    ]
    report(forgotten=len(stacks[0].parameters()), forgotten_loss=losses[0])
    report(known=len(stacks[1].parameters()), known_loss=losses[1])

# %% [markdown]
# With the plain list the library knows 2<!--lesson.forgotten--> parameters and reaches
# 0.50<!--lesson.forgotten_loss-->: the output layer learned to make the best of hidden layers that stayed as random as
# they were born. With `ModuleList` it knows 6<!--lesson.known--> and reaches 0.32<!--lesson.known_loss-->. The first
# result is bad but not absurd, and that is the danger. Print the parameters of a new model once.
#
# **A model used twice.** Whoever fits the same object again continues the first training, though the second call looks
# like a fresh start with another seed.

# %%
if __name__ == "__main__":
    model, starts = network(), []
    for seed in (0, 1):
        trainer = Trainer(epochs, seed=seed)
        history = trainer.fit(model, wing_data(seed=seed), loss=squared_error, optimiser=BASE["optimiser"])
        starts.append(history.losses[0])
    report(first_start=starts[0], second_start=starts[1])

# %% [markdown]
# The first run begins at a loss of 2.56<!--lesson.first_start-->, the second at 0.45<!--lesson.second_start-->, with
# the skill of the first. A table of "two seeds" would show a short training and a long one. This is why `run_parts`
# and the jobs of all later lessons take a function that *makes* a model instead of a model.
#
# ## Under the surface
#
# PyTorch and Gluon register parts by `__setattr__` as we did. For the reason shown above PyTorch has a `ModuleList`,
# and Gluon warns of layers that it finds in a plain list when it collects the parameters; Keras looks into lists and
# dictionaries by itself. Flax's linen goes the way of the mathematics instead: a module has hyperparameters only,
# parameters live in a dictionary outside, and one calls `module.apply(variables, X)`. Its newer nnx keeps the
# parameters in attributes again and splits them off when a function of them is needed.
#
# The loop is written by the user in PyTorch, JAX and Gluon; Keras has it in `fit`, with *callbacks* for our observers.
# Beware of the word: `gluon.Trainer` is what others call an optimiser. Gradients, too, live in different places.
# PyTorch and MXNet store them beside the parameters, where they wait for the next call; TensorFlow and JAX return them.
# And a watcher has its price wherever steps are compiled as a whole: to call it after every single step, the machine
# must come back to Python each time. That is what `every` is for.
#
# ## Summary
#
# A training program falls into parts that change for different reasons: module, data, loss, optimiser, trainer and
# observers. The agreement between them is a handful of functions, and the loop that joins them is one line of
# mathematics. A module notices its parts when they are assigned, and gradients arise by lending values to them.
# Observers are told and do not interfere. Make each object anew for each run, and keep the settings it was made with.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise object-oriented-design` writes a stub to fill in,
# `d2l check FILE` examines it on every installed backend. Solutions to all are in
# `object_oriented_design_solutions.py`.
#
# 1. ★ *The best moment.* The last epoch need not be the best. Write an observer `KeepBest` that remembers the state of
#    the model after the epoch with the lowest `val_loss` and gives it back with `restore(model)`.
# 2. ★ *Looking into lists.* Write `find_parameters(value, prefix="")`, which finds the parameters of a `TinyModule`
#    also in lists, tuples and dictionaries, at any depth, and each only once.
# 3. *Once more, but with.* Write `with_changes(thing, **changes)`, which makes a new object of the same class with the
#    kept hyperparameters except for those that are changed. What should happen to a name that does not exist?
# 4. *Where does it belong?* All gradients together shall be limited to a norm of 1 before they are used; the learning
#    rate shall halve after each epoch; training shall stop when the validation loss rises; the inputs shall be noisy in
#    training. Which part should know of each? Write the last one for the tiny library without touching its trainer.
#
# ## References
#
# - D. L. Parnas (1972), *On the Criteria To Be Used in Decomposing Systems into Modules*, Communications of the ACM 15.
# - E. Gamma, R. Helm, R. Johnson and J. Vlissides (1994), *Design Patterns: Elements of Reusable Object-Oriented
#   Software*, Addison-Wesley.
# - A. Paszke and others (2019), *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, NeurIPS.
