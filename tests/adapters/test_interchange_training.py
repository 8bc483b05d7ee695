"""A module made of ours is trained by its framework's own tools and takes the same path as ours does with ours."""

import contextlib

import numpy as np
import pytest

from d2l_core import nn, optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.backend import adapters, use_backend
from d2l_core.interchange import from_native, to_native
from d2l_core.nn.functional import cross_entropy

STEPS, RATE = 10, 0.1


def lenet():
    return nn.Sequential(
        nn.Conv2d(4, 3, padding=1),
        nn.BatchNorm(),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(8),
        nn.Tanh(),
        nn.Linear(3),
    )


class Reader(nn.Module):
    """A recurrent layer in each direction, and a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.rnn = nn.Bidirectional(nn.GRU(5), nn.GRU(5))
        self.scale = nn.Parameter(np.array([1.5]))
        self.head = nn.Linear(3)

    def forward(self, tokens):
        states, _ = self.rnn(self.embedding(tokens))
        return self.head(xp.mean(states, axis=0)) * self.scale


def images(rng):
    return rng.normal(size=(8, 1, 6, 6))


def tokens(rng):
    return rng.integers(0, 7, (5, 8)).astype(np.int32)


MODELS = {"lenet": (lenet, images), "reader": (Reader, tokens)}


def batch(inputs):
    rng = np.random.default_rng(3)
    return xp.asarray(inputs(rng)), xp.asarray(rng.integers(0, 3, 8).astype(np.int32))


def our_losses(model, X, y):
    optimiser, losses = optim.SGD(model, lr=RATE, momentum=0.9), []
    step = value_and_grad(lambda: cross_entropy(model(X), y), model)
    for _ in range(STEPS):
        loss, gradients = step()
        optimiser.update(gradients)
        losses.append(float(loss))
    return losses


def torch_losses(native, X, y):
    import torch

    optimiser, losses = torch.optim.SGD(native.parameters(), lr=RATE, momentum=0.9), []
    native.train()
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(native(X), y.long())
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    native.eval()
    return losses


def jax_losses(native, X, y):
    import optax
    from flax import nnx

    native.train()
    optimiser, losses = nnx.Optimizer(native, optax.sgd(RATE, momentum=0.9), wrt=nnx.Param), []

    @nnx.jit
    def step(native, optimiser):
        def loss_of(native):
            return optax.softmax_cross_entropy_with_integer_labels(native(X), y).mean()

        loss, gradients = nnx.value_and_grad(loss_of)(native)
        optimiser.update(native, gradients)
        return loss

    for _ in range(STEPS):
        losses.append(float(step(native, optimiser)))
    native.eval()
    return losses


def tensorflow_losses(native, X, y):
    import tensorflow as tf

    floatx = tf.keras.config.floatx()
    tf.keras.config.set_floatx(native.trainable_variables[0].dtype)  # what Keras computes losses and rates in
    try:
        # A Python float would reach float64 by way of float32.
        optimiser, losses = tf.keras.optimizers.SGD(np.float64(RATE), momentum=np.float64(0.9)), []
        loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = loss_of(y, native(X, training=True))
            optimiser.apply(tape.gradient(loss, native.trainable_variables), native.trainable_variables)
            return loss

        for _ in range(STEPS):
            losses.append(float(step()))
    finally:
        tf.keras.config.set_floatx(floatx)
    return losses


def mxnet_losses(native, X, y):
    import mxnet as mx

    with mx.util.np_array(True):
        trainer, losses = mx.gluon.Trainer(native.collect_params(), "sgd", {"learning_rate": RATE, "momentum": 0.9}), []
        loss_of = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        for _ in range(STEPS):
            with mx.autograd.record():
                loss = loss_of(native(X), y).mean()
            loss.backward()
            trainer.step(1)
            losses.append(float(loss))
    return losses


TRAINERS = {"torch": torch_losses, "jax": jax_losses, "tensorflow": tensorflow_losses, "mxnet": mxnet_losses}


def quiet_jax(name, precision):
    """What a user of float64 sets for a whole program."""
    if name != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(precision == 64)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("precision", [32, 64])
@pytest.mark.parametrize("name", TRAINERS)
def test_ten_steps_of_the_frameworks_own_training(name, precision, kind):
    """Same losses, same weights and buffers at the end; our module stays as it was meanwhile."""
    if missing := adapters()[name].missing():
        pytest.skip(f"{name} is not installed: {missing}")
    build, inputs = MODELS[kind]
    with use_backend(name, precision=precision):
        X, y = batch(inputs)
        model = build().initialise(X, seed=1)
        native, before = to_native(model), model.state_dict()
    with quiet_jax(name, precision):
        theirs = TRAINERS[name](native, X, y)
    with use_backend(name, precision=precision):
        for path, array in model.state_dict().items():
            np.testing.assert_array_equal(array, before[path])
        trained = model.clone()
        from_native(trained, native)
        ours = our_losses(model, X, y)
        assert theirs[-1] < theirs[0]
        near = {32: 5e-6, 64: 5e-15}[precision]
        if name == "mxnet" and precision == 64:
            near = 5e-7  # its optimisers take their settings as float32
        np.testing.assert_allclose(theirs, ours, rtol=near)
        for path, array in trained.state_dict().items():
            np.testing.assert_allclose(array, model.state_dict()[path], rtol=0, atol=near, err_msg=path)
        outputs = [xp.to_numpy(each.evaluate()(X)) for each in (trained, model)]
        np.testing.assert_allclose(*outputs, rtol=0, atol=10 * near)
