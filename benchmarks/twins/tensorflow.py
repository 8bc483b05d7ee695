"""TensorFlow by hand: variables, GradientTape and the fused updates of the training ops, one tf.function for the step.

Images are channels last and affine maps (in, out). Form ``"function"`` runs TensorFlow's graph, ``"xla"`` has it
compiled. A step gathers its batch from the data on the device, which took a third of the time that `tf.data` did.
"""

from functools import partial
from itertools import accumulate

import numpy as np
import tensorflow as tf

FORMS = ("function", "xla")


# ---------------------------------------------------------------- layers


def dense(w, path, x):
    y = tf.matmul(x, w[f"{path}.weight"])
    return tf.nn.bias_add(y, w[f"{path}.bias"]) if f"{path}.bias" in w else y


def conv(w, path, x, stride=1, padding=0):
    """With explicit paddings in the convolution itself, the gradient of x takes up to a hundred times as long."""
    same = stride == 1 and padding > 0
    if padding and not same:
        x = tf.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
    y = tf.nn.conv2d(x, w[f"{path}.weight"], stride, "SAME" if same else "VALID")
    return tf.nn.bias_add(y, w[f"{path}.bias"])


def batch_norm(w, path, x, momentum=0.1):
    """x normalised by the batch, whose variance is returned unbiased for the running statistics."""
    y, mean, var, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=w[f"{path}.weight"], offset=w[f"{path}.bias"], mean=[], variance=[], epsilon=1e-5, is_training=True
    )
    for name, value in (("running_mean", mean), ("running_var", var)):
        running = w[f"{path}.{name}"]
        running.assign_add(momentum * (value - running))
    return y


def layer_norm(w, path, x):
    mean = tf.reduce_mean(x, axis=-1, keepdims=True)
    centred = x - mean
    var = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    return centred * tf.math.rsqrt(var + 1e-5) * w[f"{path}.weight"] + w[f"{path}.bias"]


def gru(w, path, x, unroll):
    """Hidden states (T, N, H) of inputs (T, N, I), from zero; gates in the order reset, update, candidate."""
    weight, bias = w[f"{path}.weight_hh"], w[f"{path}.bias_hh"]
    projected = tf.tensordot(x, w[f"{path}.weight_ih"], 1) + w[f"{path}.bias_ih"]
    start = tf.zeros((x.shape[1], weight.shape[0]))

    def cell(h, at_step):
        r_x, z_x, n_x = tf.split(at_step, 3, axis=-1)
        r_h, z_h, n_h = tf.split(tf.nn.bias_add(tf.matmul(h, weight), bias), 3, axis=-1)
        r, z = tf.sigmoid(r_x + r_h), tf.sigmoid(z_x + z_h)
        return (1 - z) * tf.tanh(n_x + r * n_h) + z * h

    if unroll:
        return tf.stack(list(accumulate(tf.unstack(projected), cell, initial=start))[1:])
    return tf.scan(cell, projected, start)


def attention(w, path, x, memory, mask, heads=4):
    n, steps, features = x.shape

    def split(name, side):
        y = dense(w, f"{path}.{name}", tf.reshape(side, (-1, features)))
        return tf.transpose(tf.reshape(y, (n, -1, heads, features // heads)), (0, 2, 1, 3))

    q, k, v = split("query", x), split("key", memory), split("value", memory)
    scores = tf.matmul(q, k, transpose_b=True) * (features // heads) ** -0.5
    seen = tf.matmul(tf.nn.softmax(tf.where(mask, scores, -1e9)), v)
    joined = tf.reshape(tf.transpose(seen, (0, 2, 1, 3)), (-1, features))
    return tf.reshape(dense(w, f"{path}.output", joined), (n, steps, features))


def positions(steps, features):
    angles = np.arange(steps)[:, None] / 10000 ** (np.arange(0, features, 2) / features)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(steps, features).astype(np.float32)


# ---------------------------------------------------------------- networks: (variables, *inputs) -> output


def linear_regression(w, x):
    return dense(w, "0", x)


def perceptron(w, x):
    """As many layers as there are weights."""
    *hidden, last = sorted({int(path.split(".")[0]) for path in w})
    x = tf.reshape(x, (x.shape[0], -1))
    for layer in hidden:
        x = tf.nn.relu(dense(w, layer, x))
    return dense(w, last, x)


def lenet(w, x):
    x = tf.nn.avg_pool2d(tf.sigmoid(conv(w, "0", x, padding=2)), 2, 2, "VALID")
    x = tf.nn.avg_pool2d(tf.sigmoid(conv(w, "3", x)), 2, 2, "VALID")
    x = tf.reshape(x, (x.shape[0], -1))
    return dense(w, "11", tf.sigmoid(dense(w, "9", tf.sigmoid(dense(w, "7", x)))))


def residual(w, path, x, stride):
    y = tf.nn.relu(batch_norm(w, f"{path}.bn1", conv(w, f"{path}.conv1", x, stride, 1)))
    y = batch_norm(w, f"{path}.bn2", conv(w, f"{path}.conv2", y, 1, 1))
    return tf.nn.relu(y + (x if stride == 1 else conv(w, f"{path}.conv3", x, stride)))


def resnet18(w, x):
    x = tf.nn.relu(batch_norm(w, "1", conv(w, "0", x, 2, 3)))
    x = tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 2, "VALID")  # nothing is below zero
    for block in range(4, 12):
        x = residual(w, block, x, stride=2 if block in (6, 8, 10) else 1)
    return dense(w, "13", tf.reduce_mean(x, axis=(1, 2)))


def character_model(w, characters, unroll=True):
    hidden = gru(w, "gru", tf.one_hot(tf.transpose(characters), 28), unroll)
    return tf.tensordot(hidden, w["output.weight"], 1) + w["output.bias"]


def feed_forward(w, path, x):
    hidden = tf.nn.relu(dense(w, f"{path}.dense1", tf.reshape(x, (-1, x.shape[-1]))))
    return tf.reshape(dense(w, f"{path}.dense2", hidden), x.shape)


def transformer(w, source, lengths, target):
    features = w["source.weight"].shape[1]
    seen = tf.sequence_mask(lengths, source.shape[1])[:, None, None]
    back = np.tri(target.shape[1], dtype=bool)
    memory = tf.nn.embedding_lookup(w["source.weight"], source) * features**0.5 + positions(source.shape[1], features)
    for path in ("encoder.0", "encoder.1"):
        memory = layer_norm(w, f"{path}.norm1", memory + attention(w, f"{path}.attention", memory, memory, seen))
        memory = layer_norm(w, f"{path}.norm2", memory + feed_forward(w, f"{path}.ffn", memory))
    x = tf.nn.embedding_lookup(w["target.weight"], target) * features**0.5 + positions(target.shape[1], features)
    for path in ("decoder.0", "decoder.1"):
        x = layer_norm(w, f"{path}.norm1", x + attention(w, f"{path}.attention1", x, x, back))
        x = layer_norm(w, f"{path}.norm2", x + attention(w, f"{path}.attention2", x, memory, seen))
        x = layer_norm(w, f"{path}.norm3", x + feed_forward(w, f"{path}.ffn", x))
    return tf.tensordot(x, w["output.weight"], 1) + w["output.bias"]


def matrix_factorisation(w, users, items):
    p, q = (tf.nn.embedding_lookup(w[f"{side}.weight"], i) for side, i in (("users", users), ("items", items)))
    b, c = (tf.nn.embedding_lookup(w[f"{side}_bias.weight"], i) for side, i in (("user", users), ("item", items)))
    return tf.reduce_sum(p * q, axis=-1) + b[:, 0] + c[:, 0]


# ---------------------------------------------------------------- losses and optimisers


def squared_error(output, target):
    return tf.reduce_mean(tf.math.squared_difference(output, target))


def cross_entropy(logits, labels):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def character_loss(logits, characters):
    return cross_entropy(logits, tf.transpose(characters))


def word_loss(logits, words):
    counts = tf.cast(words != 0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(words, logits)
    return tf.reduce_sum(losses * counts) / tf.reduce_sum(counts)


class SGD:
    """Gradient descent by TensorFlow's fused op."""

    def __init__(self, lr):
        self.lr = lr

    def build(self, variables):
        pass

    def apply(self, gradients, variables):
        for variable, gradient in zip(variables, gradients, strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=self.lr, delta=gradient)


class Adam:
    """Adam by TensorFlow's fused op, which adds epsilon before v is corrected: it is scaled to make up for that."""

    def __init__(self, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon

    def build(self, variables):
        self.slots = [[tf.Variable(tf.zeros_like(variable)) for _ in range(2)] for variable in variables]
        self.power1, self.power2 = tf.Variable(self.beta1), tf.Variable(self.beta2)

    def apply(self, gradients, variables):
        epsilon = self.epsilon * tf.sqrt(1 - self.power2)
        for variable, gradient, (m, v) in zip(variables, gradients, self.slots, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=self.power1,
                beta2_power=self.power2,
                lr=self.lr,
                beta1=self.beta1,
                beta2=self.beta2,
                epsilon=epsilon,
                grad=gradient,
            )
        self.power1.assign(self.power1 * self.beta1)
        self.power2.assign(self.power2 * self.beta2)


TABLE = {
    "linear_regression": (linear_regression, squared_error, SGD, 0.03, None),
    "softmax_regression": (perceptron, cross_entropy, SGD, 0.1, None),
    "mlp_small": (perceptron, cross_entropy, SGD, 0.1, None),
    "mlp": (perceptron, cross_entropy, SGD, 0.1, None),
    "lenet": (lenet, cross_entropy, SGD, 0.1, None),
    "resnet18": (resnet18, cross_entropy, SGD, 0.0001, None),
    "gru": (character_model, character_loss, SGD, 1.0, 1.0),
    "transformer": (transformer, word_loss, Adam, 0.001, 1.0),
    "matrix_factorisation": (matrix_factorisation, squared_error, Adam, 0.002, None),
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
    network, loss_of, optimiser, lr, clip_norm = TABLE[name]
    if name == "gru" and form == "xla":
        network = partial(character_model, unroll=False)  # XLA takes a minute to compile 32 steps in a row
    w = {
        path: tf.Variable(native(path, array, name), trainable=".running_" not in path)
        for path, array in weights.items()
        if not path.endswith(".calls")
    }
    variables = [variable for variable in w.values() if variable.trainable]
    optimiser = optimiser(lr)
    optimiser.build(variables)
    data = [tf.constant(a.transpose(0, 2, 3, 1) if a.ndim == 4 else a) for a in arrays]

    @tf.function(input_signature=[tf.TensorSpec((batch,), tf.int32)], jit_compile=form == "xla")
    def step(indices):
        *inputs, target = (tf.gather(array, indices) for array in data)
        with tf.GradientTape() as tape:
            loss = loss_of(network(w, *inputs), target)
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]
        if clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
        optimiser.apply(gradients, variables)
        return loss

    def epoch(order):
        batches = tf.unstack(tf.constant(order.reshape(-1, batch), tf.int32))
        return tf.stack([step(indices) for indices in batches]).numpy().tolist()

    return epoch
