"""Layers that Keras does not have, by hand and against Keras's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import networks
from ganlab.errors import UserError


def test_spectral_norm_divides_by_the_largest_singular_value():
    layer = networks.SpectralNormalization(keras.layers.Conv2D(5, 3, use_bias=False))
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
    layer(images)
    kernel = layer.kernel.numpy()
    for _ in range(60):
        layer(images, training=True)
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)  # a reparametrisation
    largest = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    assert layer.singular_value() == pytest.approx(largest, rel=1e-4)
    expected = tf.nn.conv2d(images, kernel / largest, 1, "VALID")
    np.testing.assert_allclose(layer(images), expected, rtol=1e-3, atol=1e-5)


def test_spectral_norms_gradient_passes_through_sigma():
    # Miyato et al., equation 12: (E - lambda u v^T) / sigma. Two outputs cannot
    # gain by growing the kernel: the gradient is orthogonal to it.
    layer = networks.SpectralNormalization(keras.layers.Dense(3, use_bias=False))
    x = tf.constant(np.random.default_rng(1).normal(size=(7, 4)), "float32")
    layer(x)
    for _ in range(100):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x)))
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    kernel = layer.kernel.numpy()
    assert abs((gradient * kernel).sum()) < 1e-4 * np.abs(gradient * kernel).sum()
    assert np.abs(gradient).max() > 0.1
    left, values, right = np.linalg.svd(kernel)
    outer = 2 * x.numpy().T @ (x.numpy() @ kernel / values[0])
    component = (outer * kernel).sum() / values[0]
    expected = (outer - component * np.outer(left[:, 0], right[0])) / values[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dense(3, kernel_initializer="zeros", use_bias=False),
        keras.layers.Conv2D(3, 1, kernel_initializer="zeros", use_bias=False),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_kernel_of_zeros_gives_0_and_learns(layer):
    layer = networks.SpectralNormalization(layer)
    x = tf.ones((2, 1, 1, 4))
    layer(x)
    for _ in range(3):
        with tf.GradientTape() as outer, tf.GradientTape() as tape:
            tape.watch(x)
            out = layer(x, training=True)
            loss = tf.reduce_sum(out)
            penalty = tf.reduce_sum(tf.square(tape.gradient(loss, x)))
        np.testing.assert_array_equal(out, np.zeros((2, 1, 1, 3)))
        assert np.isfinite(outer.gradient(penalty, layer.kernel.value)).all()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True))
    gradient = tape.gradient(loss, layer.kernel.value)
    np.testing.assert_array_equal(gradient, np.full(layer.kernel.shape, 2.0))
    assert layer.singular_value() == 0.0
    kernel = np.random.default_rng(0).normal(size=layer.kernel.shape)
    layer.kernel.assign(kernel)
    for _ in range(100):
        layer(x, training=True)
    largest = np.linalg.svd(kernel.reshape(4, 3), compute_uv=False)[0]
    assert layer.singular_value() == pytest.approx(largest, rel=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "mixed_float16"])
def test_spectral_norm_in_any_precision(dtype):
    keras.config.set_dtype_policy(dtype)
    dense = keras.layers.Dense(3, use_bias=False)
    layer = networks.SpectralNormalization(dense)
    x = np.eye(4)
    for _ in range(60):
        out = layer(x, training=True)
    assert out.dtype == dense.compute_dtype
    kernel = layer.kernel.numpy().astype("float64")
    expected = kernel / np.linalg.svd(kernel, compute_uv=False)[0]
    rtol = {"bfloat16": 0.02, "float64": 1e-6}.get(dtype, 2e-3)
    np.testing.assert_allclose(
        out.numpy().astype("float64"), expected, rtol=rtol, atol=1e-4
    )


def test_spectral_norm_reads_files_with_and_without_its_kernel():
    layer = networks.SpectralNormalization(keras.layers.Dense(3))
    layer.build((None, 2))
    kernel, u = np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    for store in ({"0": u}, {"0": kernel, "1": 2 * u}):
        layer.load_own_variables(store)
        np.testing.assert_array_equal(layer.u, u * len(store))


def test_spectral_norm_refuses_a_layer_without_a_kernel():
    with pytest.raises(UserError, match="ReLU"):
        networks.SpectralNormalization(keras.layers.ReLU()).build((None, 3))


@pytest.mark.parametrize(("batch", "group"), [(8, 4), (6, 3), (5, 1), (2, 2)])
def test_minibatch_stddev_by_hand(batch, group):
    x = np.random.default_rng(0).normal(size=(batch, 3, 2)).astype("float32")
    out = networks.MinibatchStdDev()(x).numpy()
    assert out.shape == (batch, 3, 3)
    np.testing.assert_array_equal(out[..., :2], x)
    count = batch // group
    for first in range(count):
        members = np.arange(first, batch, count)
        expected = np.sqrt(x[members].var(axis=0) + 1e-8).mean()
        np.testing.assert_allclose(out[members, :, 2], expected, rtol=1e-4)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_convolution_equals_keras(groups):
    grouped = networks.GroupedConv2D(8, 3, groups)
    stock = keras.layers.Conv2D(8, 3, padding="same", groups=groups)
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 8)).astype("float32")
    grouped(x)
    stock(x)
    stock.set_weights(grouped.get_weights())
    np.testing.assert_allclose(grouped(x), stock(x), atol=1e-5)


def test_grouped_convolution_refuses_what_does_not_fit():
    with pytest.raises(UserError, match="divide 8 filters"):
        networks.GroupedConv2D(8, 3, 3)
    with pytest.raises(UserError, match="8 channels in"):
        networks.GroupedConv2D(8).build((None, 4, 4, 6))


def test_attention_starts_as_the_identity_and_mixes_positions():
    layer = networks.SelfAttention()
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 16)).astype("float32")
    np.testing.assert_array_equal(layer(x), x)
    layer.gamma.assign(1.0)
    moved = x.copy()
    moved[0, 0, 0] += 1.0
    assert np.abs((layer(moved) - layer(x))[0, 3, 3]).max() > 1e-5
    f, g, h, v = (p.kernel.numpy()[0, 0] for p in layer.projections)
    flat = x.reshape(16, 16)
    pooled = [
        (flat @ kernel).reshape(2, 2, 2, 2, -1).max((1, 3)).reshape(4, -1)
        for kernel in (g, h)
    ]
    scores = flat @ f @ pooled[0].T
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = flat + weights @ pooled[1] @ v
    np.testing.assert_allclose(layer(x).numpy().reshape(16, 16), expected, atol=1e-4)


def test_the_value_of_each_label_is_selected():
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
    patches = networks.ChosenClass()([values[:, None], np.array([2, 0])])
    selected = networks.ChosenClass()([values, np.array([2, 0])])
    np.testing.assert_array_equal(patches[:, 0], selected)
    np.testing.assert_array_equal(selected, [[3.0], [4.0]])
