"""The faster layers compute what Keras's compute, gradients included."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

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


def nearest_and_stock(kernel_size, size, policy="float32", **options):
    """The one layer, Keras's two with equal weights, and images of other sides."""
    keras.config.set_dtype_policy(policy)
    options = {"padding": "same", **options}
    fast = convolution.NearestConv2D(6, kernel_size, **options)
    stock = keras.Sequential(
        [layers.UpSampling2D(2), layers.Conv2D(6, kernel_size, **options)]
    )
    draws = np.random.default_rng(0)
    images = draws.normal(size=(3, size, size + 1, 5)).astype("float32")
    for layer in (fast, stock):
        layer.build(images.shape)
    values = [draws.normal(size=weight.shape) for weight in fast.weights]
    fast.set_weights(values)
    stock.set_weights(values)
    return fast, stock, tf.constant(images)


def is_transposed(layer, images, training=True):
    """Whether a layer computes a transposed convolution as it is called."""
    traced = tf.function(lambda x: layer(x, training=training))
    operations = traced.get_concrete_function(images).graph.get_operations()
    return "Conv2DBackpropInput" in {operation.type for operation in operations}


@pytest.mark.parametrize("size", [4, 9])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5])
def test_enlarged_maps_are_convolved_in_one(kernel_size, size):
    fast, stock, images = nearest_and_stock(kernel_size, size)
    assert is_transposed(fast, images) == (kernel_size % 2 == 1 or size > 8)
    assert not is_transposed(fast, images, training=False)
    np.testing.assert_allclose(fast(images), stock(images), rtol=1e-5, atol=1e-5)
    for value, expected in zip(
        differentiated(fast, images), differentiated(stock, images), strict=True
    ):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(value / scale, expected / scale, atol=2e-5)


@pytest.mark.parametrize(
    "options",
    [{"padding": "valid"}, {"dilation_rate": 2}, {"use_bias": False}],
    ids=["valid", "dilated", "no bias"],
)
def test_options_of_a_convolution_of_enlarged_maps(options):
    fast, stock, images = nearest_and_stock(3, 5, **options)
    assert is_transposed(fast, images) == ("use_bias" in options)
    np.testing.assert_allclose(
        fast(images, training=True), stock(images), rtol=1e-5, atol=1e-5
    )
    assert fast.compute_output_shape(images.shape) == stock(images).shape


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_enlarged_maps_in_half_precision(policy):
    fast, stock, images = nearest_and_stock(3, 8, policy)
    outputs = [
        tf.cast(layer(images, training=True), "float32") for layer in (fast, stock)
    ]
    scale = np.abs(outputs[1]).max()
    np.testing.assert_allclose(outputs[0] / scale, outputs[1] / scale, atol=0.06)


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
