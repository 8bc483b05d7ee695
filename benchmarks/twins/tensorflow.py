"""TensorFlow by hand: keras layers, GradientTape, one tf.function for the step; images channels last."""

import numpy as np
import tensorflow as tf
from keras import layers


def _network(name):
    if name == "lenet":
        return [
            *(layers.Conv2D(6, 5, padding="same", activation="sigmoid"), layers.AveragePooling2D(2)),
            *(layers.Conv2D(16, 5, activation="sigmoid"), layers.AveragePooling2D(2), layers.Permute((3, 1, 2))),
            *(layers.Flatten(), layers.Dense(120, "sigmoid"), layers.Dense(84, "sigmoid"), layers.Dense(10)),
        ]
    return [layers.Flatten(), layers.Dense(256, "relu"), layers.Dense(10)]


def _native(array):
    """A weight in keras's layout."""
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T


def prepare(name, weights, batches, lr):
    network = _network(name)
    data = [(tf.constant(np.moveaxis(X, 1, -1)), tf.constant(y)) for X, y in batches]

    def forward(x):
        for layer in network:
            x = layer(x)
        return x

    forward(data[0][0])
    arrays = iter(weights.values())
    variables = [v for layer in network for v in layer.trainable_variables]
    for variable in variables:
        variable.assign(_native(next(arrays)))
    values = [v.value for v in variables]

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, forward(x))
            loss = tf.reduce_mean(losses)
        for value, gradient in zip(values, tape.gradient(loss, values), strict=True):
            value.assign_sub(lr * gradient)
        return loss

    return lambda steps: tf.stack([step(*data[i % len(data)]) for i in range(steps)]).numpy().tolist()
