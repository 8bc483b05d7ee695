# %% [markdown]
# # A recurrent network that writes: solutions

# %%
import numpy as np
from d2l_chapters.recurrent_networks.rnn import (
    VOCABULARY_SIZE,
    RNNScratch,
    fresh_model,
    gradient_by_distance,
    jobs,
    next_logits,
    text_windows,
    time_machine,
)

from d2l_core import random, xp
from d2l_core.autodiff import stop_gradient, value_and_grad
from d2l_core.data import tokenise
from d2l_core.lessons import scale
from d2l_core.nn.functional import one_hot, softmax

# %%
if __name__ == "__main__":
    shown = scale(at_most="standard")  # of the runs that the text discusses; short ones at `smoke`

# %% [markdown]
# ## 1. Less obedient
#
# The cumulative probabilities rise from $p_0$ to 1; the number of those that do not exceed $u$ is the index
# we look for. Rounding may leave the last of them a little below 1, so the index is limited to the last
# character.


# %%
def sample(logits, temperature, u):
    """The index that u in [0, 1) draws from softmax(logits / temperature); logits (V,)."""
    cumulative = xp.to_numpy(xp.cumulative_sum(softmax(logits / temperature), axis=0))  # (V,)
    return min(int(np.sum(cumulative <= u)), len(cumulative) - 1)


def write(model, vocabulary, prefix, num_characters, temperature, seed=0):
    """`prefix` and `num_characters` more, each drawn at the temperature."""
    draws = random.uniform((num_characters,), seed, "writing")
    text, state = prefix, None
    for index in vocabulary[tokenise(prefix)]:
        logits, state = next_logits(model, index, state)
    for u in draws:
        index = sample(logits, temperature, float(u))
        text += vocabulary.to_tokens(index)
        logits, state = next_logits(model, index, state)
    return text


# %%
if __name__ == "__main__":
    vocabulary = time_machine()[2]
    run = jobs["concise"].run(shown)
    for temperature in (0.1, 0.5, 1.0, 3.0):
        print(temperature, repr(write(run.model, vocabulary, "time traveller ", 50, temperature)))

# %% [markdown]
# Near 0 the draw is greedy again and repeats itself. At 0.5 short words stand among what is none. At 1 the model
# follows its own probabilities: hardly anything is a word, but nearly all can be pronounced, which is what a model
# learns first. At 3 all characters become alike, and so does the text to noise.
#
# ## 2. Cutting the gradient
#
# The sequence is read in pieces of $k$ steps. Each piece begins with the last state of the one before, as a
# number whose history is forgotten. The forward pass does not notice.


# %%
def truncated(rnn, X, k):
    """All hidden states (T, N, H) of `rnn` over X (T, N, I); no gradient passes into an earlier piece of k steps."""
    pieces, state = [], None
    for start in range(0, X.shape[0], k):
        hidden, state = rnn(X[start : start + k], state)  # (k, N, H), (N, H)
        state = stop_gradient(state)
        pieces.append(hidden)
    return xp.concat(pieces)  # (T, N, H)


# %% [markdown]
# ## 3. Pairs
#
# One table of $28 \times 28$ counts, each row divided by its sum.


# %%
def bigram_perplexity(X, y, X_val, y_val, vocabulary_size):
    """Perplexity on (X_val, y_val) of the frequencies with which y follows X, each count raised by one."""
    counts = np.ones((vocabulary_size, vocabulary_size))
    np.add.at(counts, (np.ravel(X), np.ravel(y)), 1.0)
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))  # (V, V)
    return float(np.exp(-log_p[np.ravel(X_val), np.ravel(y_val)].mean()))


# %%
if __name__ == "__main__":
    X, y, _ = time_machine()
    train, val = slice(10000), slice(10000, 15000)
    print("pairs:", bigram_perplexity(X[train], y[train], X[val], y[val], VOCABULARY_SIZE))
    print("network:", [round(value, 2) for value in run.history.column("val_ppl")])

# %% [markdown]
# The table needs no training, and yet the network, which ends at 9.14<!--lesson.last_ppl @torch-->, passes it only in
# the second half of its twenty epochs. From there on it must use more than one character of memory.
#
# ## 4. The second bias
#
# The state depends on $\mathbf{b}_{ih} + \mathbf{b}_{hh}$ alone, so by the chain rule the derivative with
# respect to either is the derivative $\mathbf{g}$ with respect to the sum. Descent moves each by $-\eta
# \mathbf{g}$ and the sum by $-2 \eta \mathbf{g}$. To copy a trained network from a framework with two biases
# into one with a single bias one adds them; to train alike one would have to double the learning rate of the
# single bias. (With a limit on the joint norm even that is not the same, since the gradient counts twice in
# the norm.)


# %%
def gap_of_the_biases(seed=0):
    """Largest difference between the gradients of the two biases of a fresh network, and the largest gradient."""
    indices = np.arange(24, dtype=np.int32).reshape(6, 4) % VOCABULARY_SIZE
    X = one_hot(xp.asarray(indices), VOCABULARY_SIZE)  # (6, 4, V)
    rnn = RNNScratch(VOCABULARY_SIZE, 5).initialise(seed=seed)
    _, gradients = value_and_grad(lambda X: xp.mean(xp.square(rnn(X)[0])), rnn)(X)
    first, second = (xp.to_numpy(gradients[name]) for name in ("bias_ih", "bias_hh"))
    return float(np.abs(first - second).max()), float(np.abs(first).max())


# %%
if __name__ == "__main__":
    print("gap, largest gradient:", gap_of_the_biases())

# %% [markdown]
# ## 5. An orthogonal start
#
# The orthogonal factor of a matrix of normal numbers will do. Its eigenvalues all lie on the unit circle.


# %%
def orthogonal_model(seed=0):
    """The concise model at its start with an orthogonal recurrent matrix."""
    model = fresh_model(seed=seed)
    size = model.rnn.num_hiddens
    factor, triangle = np.linalg.qr(random.normal((size, size), seed, "orthogonal", std=1.0))
    factor = factor * np.sign(np.diag(triangle))
    model.load_state_dict(model.state_dict() | {"rnn.weight_hh": factor})
    return model


# %%
if __name__ == "__main__":
    batch = next(iter(text_windows(shown, 0, batch_size=256).val.epoch(0)))
    for name, model in (("uniform", fresh_model()), ("orthogonal", orthogonal_model())):
        print(name, gradient_by_distance(model, *batch)[[0, 5, 10, 31]])

# %% [markdown]
# After 31 steps more than a hundredth is left, where the uniform start left
# $3 \cdot 10^{-8}$<!--lesson.start_far @torch-->. The product of the matrices now keeps every length, and what still
# shrinks the gradient are the slopes of the tanh alone, by about an eighth in each step.
