"""The range that a network gives is read from its last activation, or not at all."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from ganlab import networks
from ganlab.errors import UserError
from ganlab.networks.output_range import ends_on_softmax, output_range, stated


def sequential(*ending, size=12):
    return keras.Sequential([keras.Input((2,)), layers.Dense(size), *ending])


def graph(function, size=12):
    latents = keras.Input((2,))
    return keras.Model(latents, function(layers.Dense(size)(latents)))


class OwnActivation(layers.Activation):
    def call(self, inputs):
        return 3.0 * super().call(inputs)


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, activation="tanh")

    def call(self, inputs):
        return self.dense(inputs) * 2.0


class FunctionalSubclass(keras.Model):
    def __init__(self):
        latents = keras.Input((2,))
        super().__init__(latents, layers.Dense(3, activation="tanh")(latents))


def tanh(x):
    return 5.0 * ops.tanh(x)


def nested(outer_ending):
    inner = sequential(layers.Activation("tanh"))
    latents = keras.Input((2,))
    return keras.Model(latents, outer_ending(inner(latents)))


IMAGE = layers.Reshape
BOUNDED = {
    "dcgan": (lambda: networks.dcgan_generator(16, base_filters=4), (-1, 1)),
    "dcgan with sigmoid": (
        lambda: networks.dcgan_generator(
            16, base_filters=4, output_activation="sigmoid"
        ),
        (0, 1),
    ),
    "resnet": (lambda: networks.resnet_generator(32, base_filters=8), (-1, 1)),
    "activation of the layer": (
        lambda: sequential(layers.Dense(4, activation="sigmoid")),
        (0, 1),
    ),
    "of TensorFlow": (lambda: sequential(layers.Dense(4, tf.nn.tanh)), (-1, 1)),
    "of keras.ops": (lambda: sequential(layers.Activation(ops.sigmoid)), (0, 1)),
    "softsign": (lambda: sequential(layers.Activation("softsign")), (-1, 1)),
    "softmax layer": (lambda: sequential(layers.Softmax()), (0, 1)),
    "relu6": (lambda: sequential(layers.ReLU(6.0)), (0, 6)),
    "layer as activation": (
        lambda: sequential(layers.Dense(4, layers.ReLU(1.0))),
        (0, 1),
    ),
    "then moved": (
        lambda: sequential(
            layers.Activation("tanh"),
            layers.Reshape((2, 2, 3)),
            layers.UpSampling2D(interpolation="bilinear"),
            layers.Cropping2D(1),
            layers.Permute((2, 1, 3)),
            layers.Dropout(0.1),
            layers.Activation("linear", dtype="float32"),
            layers.Flatten(),
        ),
        (-1, 1),
    ),
    "then rescaled": (
        lambda: sequential(layers.Activation("tanh"), layers.Rescaling(-127.5, 127.5)),
        (0, 255),
    ),
    "wrapped": (
        lambda: sequential(
            layers.SpectralNormalization(layers.Dense(3, activation="tanh"))
        ),
        (-1, 1),
    ),
    "at each time": (
        lambda: sequential(
            IMAGE((4, 3)), layers.TimeDistributed(layers.Dense(2, activation="tanh"))
        ),
        (-1, 1),
    ),
    "recurrent": (
        lambda: sequential(IMAGE((4, 3)), layers.LSTM(2, return_sequences=True)),
        (-1, 1),
    ),
    "nested": (lambda: nested(layers.Reshape((3, 4))), (-1, 1)),
    "nested, only moving": (
        lambda: nested(keras.Sequential([layers.Input((12,)), IMAGE((3, 4))])),
        (-1, 1),
    ),
    "functional subclass": (FunctionalSubclass, (-1, 1)),
    "operations": (lambda: graph(lambda x: ops.tanh(x) / 2 + 0.5), (0, 1)),
    "operations reversed": (lambda: graph(lambda x: 1 - 2 * ops.sigmoid(x)), (-1, 1)),
    "negative": (lambda: graph(lambda x: -(ops.sigmoid(x))), (-1, 0)),
    "clipped": (lambda: graph(lambda x: ops.clip(x, -2, 3)), (-2, 3)),
    "joined": (
        lambda: graph(lambda x: ops.concatenate([ops.tanh(x), ops.sin(x)])),
        (-1, 1),
    ),
}
UNKNOWN = {
    "linear": sequential,
    "mlp": networks.mlp_generator,
    "relu": lambda: sequential(layers.ReLU()),
    "leaky relu": lambda: sequential(layers.ReLU(6.0, negative_slope=0.1)),
    "batch norm after": lambda: sequential(
        layers.Activation("tanh"), layers.BatchNormalization()
    ),
    "dense after": lambda: sequential(layers.Activation("tanh"), layers.Dense(3)),
    "overshoots": lambda: sequential(
        layers.Activation("tanh"),
        IMAGE((2, 2, 3)),
        layers.UpSampling2D(interpolation="bicubic"),
    ),
    "lambda": lambda: sequential(layers.Lambda(lambda x: ops.tanh(x))),
    "own function of that name": lambda: sequential(layers.Dense(3, activation=tanh)),
    "own layer": lambda: sequential(OwnActivation("tanh")),
    "own model": OwnModel,
    "own model, nested": lambda: sequential(OwnModel()),
    "own layer, wrapped": lambda: sequential(
        IMAGE((4, 3)), layers.TimeDistributed(OwnActivation("tanh"))
    ),
    "not built": lambda: keras.Sequential([layers.Dense(3, activation="tanh")]),
    "sum of two": lambda: graph(lambda x: ops.tanh(x) + ops.sigmoid(x)),
    "its inverse": lambda: graph(lambda x: 1.0 / ops.tanh(x)),
    "squared": lambda: graph(lambda x: ops.tanh(x) * ops.tanh(x)),
    "by an array": lambda: graph(lambda x: ops.tanh(x) * np.ones(12, "float32")),
    "joined with another": lambda: graph(
        lambda x: ops.concatenate([ops.tanh(x), ops.sigmoid(x)])
    ),
    "by a rescaled array": lambda: sequential(
        layers.Activation("tanh"), layers.Rescaling([2.0] * 12)
    ),
    "gated relu6": lambda: sequential(IMAGE((4, 3)), layers.GRU(2, activation="relu6")),
}


@pytest.mark.parametrize("case", BOUNDED)
def test_range_is_read_and_kept(case):
    build, (low, high) = BOUNDED[case]
    network = build()
    assert output_range(network) == (low, high)
    latents = 100.0 * np.random.default_rng(0).normal(
        size=(8, *network.input_shape[1:])
    )
    values = network.predict_on_batch(latents)
    assert low <= values.min()
    assert values.max() <= high


@pytest.mark.parametrize("case", UNKNOWN)
def test_no_answer_in_doubt(case):
    assert output_range(UNKNOWN[case]()) is None


def test_wide_graph_is_read_once():
    def function(x):
        for _ in range(60):
            x = ops.concatenate([x, x], axis=-1)[:, :12]
        return x

    assert output_range(graph(function)) is None


@pytest.mark.parametrize(
    "wrong", [(1, 0), (0, 0), (0, 1, 2), 5, "tanh", (0, float("nan")), (0, "b")]
)
def test_a_range_is_two_numbers(wrong):
    assert stated((np.float32(-1), 1)) == (-1.0, 1.0)
    with pytest.raises(UserError, match=r"Expected an output range \(low, high\)"):
        stated(wrong)


SOFTMAX = {
    "layer": lambda: sequential(layers.Softmax()),
    "activation": lambda: sequential(layers.Dense(2, "softmax")),
    "moved": lambda: sequential(layers.Dense(4, "softmax"), layers.Reshape((2, 2))),
    "nested": lambda: keras.Sequential(
        [keras.Input((2,)), sequential(layers.Dense(2, "softmax"))]
    ),
}


@pytest.mark.parametrize("make", SOFTMAX.values(), ids=SOFTMAX)
def test_a_softmax_is_told_from_other_bounds(make):
    assert ends_on_softmax(make())


@pytest.mark.parametrize("end", ["sigmoid", None, "tanh"])
def test_other_ends_are_no_softmax(end):
    assert not ends_on_softmax(sequential(layers.Dense(2, end)))
    assert not ends_on_softmax(OwnModel())
