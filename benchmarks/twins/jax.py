"""JAX by hand: pure functions, optax, one jitted and donated step."""

import jax
import jax.numpy as jnp
import optax


def _conv(x, weight, bias, padding):
    y = jax.lax.conv_general_dilated(
        x, weight, (1, 1), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")
    )
    return y + bias[:, None, None]


def _pool(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean((3, 5))


def _dense(x, weights, layer):
    return x @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]


def _mlp(weights, x):
    hidden = jax.nn.relu(_dense(x.reshape(x.shape[0], -1), weights, 1))
    return _dense(hidden, weights, 3)


def _lenet(weights, x):
    x = _pool(jax.nn.sigmoid(_conv(x, weights["0.weight"], weights["0.bias"], 2)))
    x = _pool(jax.nn.sigmoid(_conv(x, weights["3.weight"], weights["3.bias"], 0)))
    x = jax.nn.sigmoid(_dense(x.reshape(x.shape[0], -1), weights, 7))
    return _dense(jax.nn.sigmoid(_dense(x, weights, 9)), weights, 11)


def prepare(name, weights, batches, lr):
    network = _lenet if name == "lenet" else _mlp
    optimiser = optax.sgd(lr)
    weights = {path: jnp.asarray(array) for path, array in weights.items()}
    slots = optimiser.init(weights)
    data = [(jnp.asarray(X), jnp.asarray(y)) for X, y in batches]

    def loss_of(weights, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(network(weights, x), y).mean()

    def step(weights, slots, x, y):
        loss, gradients = jax.value_and_grad(loss_of)(weights, x, y)
        updates, slots = optimiser.update(gradients, slots)
        return optax.apply_updates(weights, updates), slots, loss

    step = jax.jit(step, donate_argnums=(0, 1))

    def run(steps):
        nonlocal weights, slots
        losses = []
        for i in range(steps):
            weights, slots, loss = step(weights, slots, *data[i % len(data)])
            losses.append(loss)
        return jnp.stack(losses).tolist()

    return run
