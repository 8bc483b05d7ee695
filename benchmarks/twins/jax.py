"""JAX by hand: pure functions of a flat dictionary of weights, optax, a jitted step that is given its state to reuse.

Images are channels last and affine maps (in, out), as in Flax. Form ``"jit"`` calls the compiled step once a batch,
``"scan"`` compiles the epoch as a loop over such steps.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, nn

FORMS = ("jit", "scan")
DOUBLES = ("linear_regression", "resnet18")  # `dot_product_attention` takes its softmax in float32


# ---------------------------------------------------------------- layers


def dense(w, path, x):
    y = x @ w[f"{path}.weight"]
    return y + w[f"{path}.bias"] if f"{path}.bias" in w else y


def conv(w, path, x, stride=1, padding=0):
    pads = [(padding, padding)] * 2
    layouts = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(x, w[f"{path}.weight"], (stride, stride), pads, dimension_numbers=layouts)
    return y + w[f"{path}.bias"]


def avg_pool(x):
    return lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4


def max_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))


def batch_norm(w, stats, path, x, momentum=0.1):
    """x normalised by the batch; the running statistics in `stats` are replaced."""
    mean, var = jnp.mean(x, (0, 1, 2)), jnp.var(x, (0, 1, 2))
    count = x.size // x.shape[-1]
    for name, value in (("running_mean", mean), ("running_var", var * (count / (count - 1)))):
        old = stats[f"{path}.{name}"]
        stats[f"{path}.{name}"] = old + momentum * (lax.stop_gradient(value) - old)
    return (x - mean) * (w[f"{path}.weight"] * lax.rsqrt(var + 1e-5)) + w[f"{path}.bias"]


def layer_norm(w, path, x):
    return nn.standardize(x, epsilon=1e-5) * w[f"{path}.weight"] + w[f"{path}.bias"]


def gru(w, path, x):
    """Hidden states (T, N, H) of inputs (T, N, I), from zero; gates in the order reset, update, candidate."""
    weight, bias = w[f"{path}.weight_hh"], w[f"{path}.bias_hh"]

    def cell(h, projected):
        r_x, z_x, n_x = jnp.split(projected, 3, axis=-1)
        r_h, z_h, n_h = jnp.split(h @ weight + bias, 3, axis=-1)
        r, z = nn.sigmoid(r_x + r_h), nn.sigmoid(z_x + z_h)
        h = (1 - z) * jnp.tanh(n_x + r * n_h) + z * h
        return h, h

    start = jnp.zeros((x.shape[1], weight.shape[0]), x.dtype)
    return lax.scan(cell, start, x @ w[f"{path}.weight_ih"] + w[f"{path}.bias_ih"])[1]


def attention(w, path, x, memory, mask, heads=4):
    q, k, v = (
        dense(w, f"{path}.{name}", side).reshape(*side.shape[:2], heads, -1)
        for name, side in (("query", x), ("key", memory), ("value", memory))
    )
    return dense(w, f"{path}.output", nn.dot_product_attention(q, k, v, mask=mask).reshape(x.shape))


def positions(steps, features):
    angles = np.arange(steps)[:, None] / 10000 ** (np.arange(0, features, 2) / features)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(steps, features)


# ---------------------------------------------------------------- networks: (weights, statistics, *inputs) -> output


def linear_regression(w, stats, x):
    return dense(w, "0", x)


def perceptron(w, stats, x):
    """As many layers as there are weights."""
    *hidden, last = sorted({int(path.split(".")[0]) for path in w})
    x = x.reshape(x.shape[0], -1)
    for layer in hidden:
        x = nn.relu(dense(w, layer, x))
    return dense(w, last, x)


def lenet(w, stats, x):
    x = avg_pool(nn.sigmoid(conv(w, "0", x, padding=2)))
    x = avg_pool(nn.sigmoid(conv(w, "3", x)))
    x = x.reshape(x.shape[0], -1)
    return dense(w, "11", nn.sigmoid(dense(w, "9", nn.sigmoid(dense(w, "7", x)))))


def residual(w, stats, path, x, stride):
    y = nn.relu(batch_norm(w, stats, f"{path}.bn1", conv(w, f"{path}.conv1", x, stride, 1)))
    y = batch_norm(w, stats, f"{path}.bn2", conv(w, f"{path}.conv2", y, 1, 1))
    return nn.relu(y + (x if stride == 1 else conv(w, f"{path}.conv3", x, stride)))


def resnet18(w, stats, x):
    x = max_pool(nn.relu(batch_norm(w, stats, "1", conv(w, "0", x, 2, 3))))
    for block in range(4, 12):
        x = residual(w, stats, block, x, stride=2 if block in (6, 8, 10) else 1)
    return dense(w, "13", x.mean((1, 2)))


def character_model(w, stats, characters):
    return dense(w, "output", gru(w, "gru", nn.one_hot(characters.T, 28)))


def feed_forward(w, path, x):
    return dense(w, f"{path}.dense2", nn.relu(dense(w, f"{path}.dense1", x)))


def transformer(w, stats, source, lengths, target):
    features = w["source.weight"].shape[1]
    seen = (jnp.arange(source.shape[1]) < lengths[:, None])[:, None, None]
    back = jnp.tril(jnp.ones((1, 1, target.shape[1], target.shape[1]), bool))
    memory = w["source.weight"][source] * features**0.5 + positions(source.shape[1], features)
    for path in ("encoder.0", "encoder.1"):
        memory = layer_norm(w, f"{path}.norm1", memory + attention(w, f"{path}.attention", memory, memory, seen))
        memory = layer_norm(w, f"{path}.norm2", memory + feed_forward(w, f"{path}.ffn", memory))
    x = w["target.weight"][target] * features**0.5 + positions(target.shape[1], features)
    for path in ("decoder.0", "decoder.1"):
        x = layer_norm(w, f"{path}.norm1", x + attention(w, f"{path}.attention1", x, x, back))
        x = layer_norm(w, f"{path}.norm2", x + attention(w, f"{path}.attention2", x, memory, seen))
        x = layer_norm(w, f"{path}.norm3", x + feed_forward(w, f"{path}.ffn", x))
    return dense(w, "output", x)


def matrix_factorisation(w, stats, users, items):
    products = jnp.sum(w["users.weight"][users] * w["items.weight"][items], axis=-1)
    return products + w["user_bias.weight"][users, 0] + w["item_bias.weight"][items, 0]


# ---------------------------------------------------------------- losses and the table


def squared_error(output, target):
    return jnp.mean((output - target) ** 2)


def cross_entropy(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def character_loss(logits, characters):
    return cross_entropy(logits, characters.T)


def word_loss(logits, words):
    return optax.softmax_cross_entropy_with_integer_labels(logits, words).mean(where=words != 0)


def clipped(optimiser):
    return optax.chain(optax.clip_by_global_norm(1.0), optimiser)


TABLE = {
    "linear_regression": (linear_regression, squared_error, optax.sgd(0.03)),
    "softmax_regression": (perceptron, cross_entropy, optax.sgd(0.1)),
    "mlp_small": (perceptron, cross_entropy, optax.sgd(0.1)),
    "mlp": (perceptron, cross_entropy, optax.sgd(0.1)),
    "lenet": (lenet, cross_entropy, optax.sgd(0.1)),
    "resnet18": (resnet18, cross_entropy, optax.sgd(0.0001)),
    "gru": (character_model, character_loss, clipped(optax.sgd(1.0))),
    "transformer": (transformer, word_loss, clipped(optax.adam(0.001))),
    "matrix_factorisation": (matrix_factorisation, squared_error, optax.adam(0.002)),
}
EMBEDDINGS = ("source.weight", "target.weight", "users.weight", "items.weight", "user_bias.weight", "item_bias.weight")


# ---------------------------------------------------------------- training


def native(path, array, name):
    """A weight as the functions above want it: (in, out), and images channels last."""
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if name == "lenet" and path == "7.weight":
        array = array.reshape(-1, 16, 5, 5).transpose(0, 2, 3, 1).reshape(array.shape)
    return array.T if array.ndim == 2 and path not in EMBEDDINGS else array


def prepare(name, form, weights, arrays, batch):
    if any(array.dtype == np.float64 for array in weights.values()):
        jax.config.update("jax_enable_x64", True)
    network, loss_of, optimiser = TABLE[name]
    placed = {path: jnp.asarray(native(path, array, name)) for path, array in weights.items()}
    stats = {path: array for path, array in placed.items() if ".running_" in path}
    w = {path: array for path, array in placed.items() if path not in stats and not path.endswith(".calls")}
    state = (w, stats, optimiser.init(w))
    data = tuple(jnp.asarray(a.transpose(0, 2, 3, 1) if a.ndim == 4 else a) for a in arrays)

    def objective(w, stats, inputs, target):
        stats = dict(stats)
        return loss_of(network(w, stats, *inputs), target), stats

    def step(state, data, indices):
        w, stats, slots = state
        *inputs, target = (array[indices] for array in data)
        (loss, stats), gradients = jax.value_and_grad(objective, has_aux=True)(w, stats, inputs, target)
        updates, slots = optimiser.update(gradients, slots)
        return (optax.apply_updates(w, updates), stats, slots), loss

    @partial(jax.jit, donate_argnums=0)
    def one_step(state, data, indices):
        return step(state, data, indices)

    @partial(jax.jit, donate_argnums=0)
    def whole_epoch(state, data, order):
        return lax.scan(lambda state, indices: step(state, data, indices), state, order)

    def epoch(order):
        nonlocal state
        batches = order.astype(np.int32).reshape(-1, batch)
        if form == "scan":
            state, losses = whole_epoch(state, data, batches)
            return np.asarray(losses).tolist()
        losses = []
        for indices in batches:
            state, loss = one_step(state, data, indices)
            losses.append(loss)
        return [float(loss) for loss in jax.device_get(losses)]

    return epoch
