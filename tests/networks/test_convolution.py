"""The faster layers compute what Keras's compute, gradients included."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.networks import convolution
from ganlab.networks.precision import in_float32

LAYERS = {
    "halve": lambda module: module.Conv2D(6, 4, strides=2, padding="same"),
    "double": lambda module: module.Conv2DTranspose(6, 4, strides=2, padding="same"),
    "double to few channels": lambda module: module.Conv2DTranspose(
        3, 4, strides=2, padding="same"
    ),
    "other kernel": lambda module: module.Conv2D(6, 3, strides=2, padding="same"),
    "other transpose": lambda module: module.Conv2DTranspose(6, 4, padding="valid"),
    "normalize": lambda module: module.BatchNormalization(momentum=0.9),
    "normalize, neither scaled nor moved": lambda module: module.BatchNormalization(
        scale=False, center=False
    ),
}


def fast_and_stock(name, size=8, channels=5, policy="float32"):
    """The faster layer, Keras's with equal weights, and images."""
    draws = np.random.default_rng(0)
    images = draws.normal(size=(3, size, size, channels)).astype("float32")
    keras.config.set_dtype_policy(policy)
    fast, stock = (LAYERS[name](module) for module in (convolution, keras.layers))
    for layer in (fast, stock):
        layer.build(images.shape)
    for fast_weight, stock_weight in zip(fast.weights, stock.weights, strict=True):
        value = draws.uniform(0.5, 1.0, fast_weight.shape)
        fast_weight.assign(value)
        stock_weight.assign(value)
    return fast, stock, tf.constant(images)


def differentiated(layer, images):
    """Outputs, first and second derivatives of something curved."""
    with tf.GradientTape() as second:
        second.watch(images)
        with tf.GradientTape() as first:
            first.watch(images)
            outputs = layer(images, training=True)
            total = tf.reduce_sum(tf.sin(outputs))
        sources = [images, *layer.trainable_weights]
        gradients = first.gradient(total, [images])
        norm = tf.reduce_sum(tf.square(gradients[0]))
    values = [layer(images, training=True), *gradients]
    return values + [
        gradient for gradient in second.gradient(norm, sources) if gradient is not None
    ]


@pytest.mark.parametrize("size", [6, 7, 8])
@pytest.mark.parametrize("name", LAYERS)
def test_outputs_gradients_and_second_gradients(name, size):
    fast, stock, images = fast_and_stock(name, size)
    for value, expected in zip(
        differentiated(fast, images), differentiated(stock, images), strict=True
    ):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(value / scale, expected / scale, atol=2e-5)
    for weight, expected in zip(fast.weights, stock.weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in LAYERS if "neither" not in name])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_gradients_in_half_precision(name, policy):
    fast, stock, images = fast_and_stock(name, policy=policy)
    values = []
    for layer in (fast, stock):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = tf.cast(layer(images, training=True), "float32")
            total = tf.reduce_sum(tf.sin(outputs))
        values.append(
            [outputs, *tape.gradient(total, [images, *layer.trainable_weights])]
        )
    for value, expected in zip(*values, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(value / scale, expected / scale, atol=0.06)


def test_a_model_in_float32_is_of_keras_layers():
    inputs = keras.Input((8, 8, 4))
    x = convolution.Conv2D(4, 4, strides=2, padding="same")(inputs)
    x = convolution.BatchNormalization()(x)
    x = convolution.Conv2DTranspose(4, 4, strides=2, padding="same")(x)
    model = keras.Model(inputs, x)
    stock = in_float32(model)
    assert {type(layer).__module__.split(".")[0] for layer in stock.layers} == {"keras"}
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    np.testing.assert_allclose(stock(images), model(images), rtol=1e-5, atol=1e-6)
