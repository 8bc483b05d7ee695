"""The networks in Keras 3, trained by `fit` on the framework that the variable ``KERAS_BACKEND`` names.

Layers, losses, optimisers and the way `fit` compiles are Keras's own choice throughout. Images stand as the framework
likes them, channels first with PyTorch and last otherwise. Keras adds Adam's epsilon before the second moment is
corrected, so that it counts up to 32 times as much as ours; gradients of its own size (1e-8) alone can tell. What it
does to the gradient of an embedding with TensorFlow is mended in `Summed`.
"""

from functools import partial

import keras
import numpy as np
from keras import layers, ops

FORMS = ("torch", "jax", "tensorflow")


class Summed(layers.Embedding):
    """Adds up the gradients of a row that a batch holds several times, as all frameworks but TensorFlow do unasked.

    There Keras's Adam squares them one by one: the first epoch's loss of the factorisation was off by 2.5e-3.
    """

    def call(self, inputs):
        return ops.take(self.embeddings * 1.0, inputs, axis=0)


Embedding = Summed if keras.backend.backend() == "tensorflow" else layers.Embedding


# ---------------------------------------------------------------- networks: layers bear our paths, with _ for a dot


def linear_regression(weights, arrays):
    return keras.Sequential([keras.Input(arrays[0].shape[1:]), layers.Dense(1, name="0")])


def perceptron(weights, arrays):
    """As many layers as there are weights."""
    paths = sorted({path.partition(".")[0] for path in weights}, key=int)
    net = keras.Sequential([keras.Input(arrays[0].shape[1:]), layers.Flatten()])
    for path in paths:
        units = len(weights[f"{path}.bias"])
        net.add(layers.Dense(units, activation=None if path == paths[-1] else "relu", name=path))
    return net


def lenet(weights, arrays):
    return keras.Sequential(
        [
            keras.Input(arrays[0].shape[1:]),
            layers.Conv2D(6, 5, padding="same", activation="sigmoid", name="0"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="sigmoid", name="3"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="sigmoid", name="7"),
            layers.Dense(84, activation="sigmoid", name="9"),
            layers.Dense(10, name="11"),
        ]
    )


def batch_norm(name):
    return layers.BatchNormalization(channel_axis(), momentum=0.9, epsilon=1e-5, name=name)


def channel_axis():
    return 1 if keras.config.image_data_format() == "channels_first" else -1


def residual(path, x, channels, stride):
    y = layers.Conv2D(channels, 3, stride, name=f"{path}_conv1")(layers.ZeroPadding2D(1)(x))
    y = layers.ReLU()(batch_norm(f"{path}_bn1")(y))
    y = batch_norm(f"{path}_bn2")(layers.Conv2D(channels, 3, padding="same", name=f"{path}_conv2")(y))
    if stride != 1:
        x = layers.Conv2D(channels, 1, stride, name=f"{path}_conv3")(x)
    return layers.ReLU()(layers.Add()([y, x]))


def resnet18(weights, arrays):
    image = keras.Input(arrays[0].shape[1:])
    x = layers.Conv2D(64, 7, 2, name="0")(layers.ZeroPadding2D(3)(image))
    x = layers.ReLU()(batch_norm("1")(x))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))  # nothing is below zero
    for block in range(4, 12):
        x = residual(block, x, 2 ** (block // 2 + 4), stride=2 if block in (6, 8, 10) else 1)
    return keras.Model(image, layers.Dense(10, name="13")(layers.GlobalAveragePooling2D()(x)))


def character_model(weights, arrays):
    characters = keras.Input(arrays[0].shape[1:], dtype="int32")
    hidden = layers.GRU(32, return_sequences=True, name="gru")(ops.one_hot(characters, 28))
    return keras.Model(characters, layers.Dense(28, name="output")(hidden))


def add_norm(path, x, y):
    return layers.LayerNormalization(epsilon=1e-5, name=path)(layers.Add()([x, y]))


def attention(path, x, memory, features, **mask):
    attend = layers.MultiHeadAttention(4, features // 4, use_bias=False, name=path)
    return attend(x, memory, **mask)


def feed_forward(path, x, features, units=64):
    hidden = layers.Dense(units, activation="relu", name=f"{path}_dense1")(x)
    return layers.Dense(features, name=f"{path}_dense2")(hidden)


def embedded(path, words, weights):
    """Words as vectors, with their positions."""
    vocabulary, features = weights[f"{path}.weight"].shape
    angles = np.arange(words.shape[1])[:, None] / 10000 ** (np.arange(0, features, 2) / features)
    table = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(-1, features).astype(np.float32)
    return Embedding(vocabulary, features, name=path)(words) * features**0.5 + table


def transformer(weights, arrays):
    source, lengths, target = (keras.Input(array.shape[1:], dtype="int32") for array in arrays[:-1])
    features = weights["source.weight"].shape[1]
    seen = ops.less(np.arange(source.shape[1]), ops.expand_dims(lengths, -1))[:, None]
    memory = embedded("source", source, weights)
    for path in ("encoder_0", "encoder_1"):
        y = attention(f"{path}_attention", memory, memory, features, attention_mask=seen)
        memory = add_norm(f"{path}_norm1", memory, y)
        memory = add_norm(f"{path}_norm2", memory, feed_forward(f"{path}_ffn", memory, features))
    x = embedded("target", target, weights)
    for path in ("decoder_0", "decoder_1"):
        x = add_norm(f"{path}_norm1", x, attention(f"{path}_attention1", x, x, features, use_causal_mask=True))
        y = attention(f"{path}_attention2", x, memory, features, attention_mask=seen)
        x = add_norm(f"{path}_norm2", x, y)
        x = add_norm(f"{path}_norm3", x, feed_forward(f"{path}_ffn", x, features))
    output = layers.Dense(weights["output.weight"].shape[0], name="output")(x)
    return keras.Model([source, lengths, target], output)


def matrix_factorisation(weights, arrays):
    users, items = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    p, q, b, c = (
        Embedding(*weights[f"{path}.weight"].shape, name=path)(indices)
        for path, indices in (("users", users), ("items", items), ("user_bias", users), ("item_bias", items))
    )
    return keras.Model([users, items], layers.Dot(-1)([p, q])[:, 0] + b[:, 0] + c[:, 0])


# ---------------------------------------------------------------- losses and optimisers


SQUARED_ERROR = keras.losses.MeanSquaredError()
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
WORD_LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
SGD, Adam = keras.optimizers.SGD, partial(keras.optimizers.Adam, epsilon=1e-8)

TABLE = {
    "linear_regression": (linear_regression, SQUARED_ERROR, partial(SGD, 0.03)),
    "softmax_regression": (perceptron, CROSS_ENTROPY, partial(SGD, 0.1)),
    "mlp_small": (perceptron, CROSS_ENTROPY, partial(SGD, 0.1)),
    "mlp": (perceptron, CROSS_ENTROPY, partial(SGD, 0.1)),
    "lenet": (lenet, CROSS_ENTROPY, partial(SGD, 0.1)),
    "resnet18": (resnet18, CROSS_ENTROPY, partial(SGD, 0.0001)),
    "gru": (character_model, CROSS_ENTROPY, partial(SGD, 1.0, global_clipnorm=1.0)),
    "transformer": (transformer, WORD_LOSS, partial(Adam, 0.001, global_clipnorm=1.0)),
    "matrix_factorisation": (matrix_factorisation, SQUARED_ERROR, partial(Adam, 0.002)),
}


# ---------------------------------------------------------------- weights


def native(layer, weights):
    """Our weights of a layer as the list that its `set_weights` takes."""
    own = {}
    for path, array in weights.items():
        prefix, _, name = path.replace(".", "_").partition(f"{layer.name}_")
        if not prefix:
            own[name] = array
    if isinstance(layer, layers.MultiHeadAttention):
        query, key, value, output = (own[f"{name}_weight"].T for name in ("query", "key", "value", "output"))
        split = (len(query), layer.num_heads, layer.key_dim)
        return [query.reshape(split), key.reshape(split), value.reshape(split), output.reshape(*split[1:], -1)]
    if isinstance(layer, layers.GRU):
        gates = (np.split(own[name], 3) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        kernel, recurrent, *biases = (np.concatenate([update, reset, new]).T for reset, update, new in gates)
        return [kernel, recurrent, np.stack(biases)]
    if isinstance(layer, layers.BatchNormalization):
        return [own[name] for name in ("weight", "bias", "running_mean", "running_var")]
    if isinstance(layer, layers.Embedding):
        return [own["weight"]]
    kernel = own["weight"].transpose(2, 3, 1, 0) if isinstance(layer, layers.Conv2D) else own["weight"].T
    return [kernel, own["bias"]]


def flattened_last(weights):
    """LeNet's weights for a map that `Flatten` hands channels last in either layout."""
    weight = weights["7.weight"]
    return weights | {"7.weight": weight.reshape(-1, 16, 5, 5).transpose(0, 2, 3, 1).reshape(weight.shape)}


# ---------------------------------------------------------------- training


def prepare(name, framework, weights, arrays, batch):
    if keras.backend.backend() != framework:
        raise RuntimeError(f"Keras runs on {keras.backend.backend()}; start Python with KERAS_BACKEND={framework}.")
    keras.config.set_image_data_format("channels_first" if framework == "torch" else "channels_last")
    if framework != "torch":
        arrays = tuple(array.transpose(0, 2, 3, 1) if array.ndim == 4 else array for array in arrays)
    if name == "lenet":
        weights = flattened_last(weights)
    network, loss, optimiser = TABLE[name]
    model = network(weights, arrays)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(native(layer, weights))
    model.compile(optimiser(), loss)

    def epoch(order):
        *inputs, target = (array[order] for array in arrays)
        inputs = inputs[0] if len(inputs) == 1 else inputs
        return model.fit(inputs, target, batch, epochs=1, verbose=0, shuffle=False).history["loss"]

    return epoch
