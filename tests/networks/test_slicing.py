"""SAN's last layer: a direction of length 1, a scale, and the logits of a plain one."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab.errors import UserError
from ganlab.networks import SlicingNormalization


def test_the_output_by_hand():
    layer = SlicingNormalization(layers.Dense(2))
    layer.build((None, 2))
    layer.kernel.assign([[3.0, 0.0], [4.0, 2.0]])
    layer.layer.bias.assign([0.5, -1.0])
    layer.scale.assign([10.0, 3.0])
    # Directions (0.6, 0.8) and (0, 1).
    logits = layer(np.array([[1.0, 2.0]], np.float32))
    np.testing.assert_allclose(logits, [[10 * 2.2 + 0.5, 3 * 2.0 - 1.0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.Dense(3), (5,)),
        (lambda: layers.Conv2D(2, 3), (4, 4, 5)),
        (lambda: layers.Conv1D(1, 2), (4, 5)),
    ],
    ids=["dense", "conv2d", "conv1d"],
)
def test_it_starts_as_the_plain_layer_and_keeps_length_1(make, shape):
    plain, inner = make(), make()
    x = np.random.default_rng(0).normal(size=(6, *shape)).astype("float32")
    expected = plain(x)
    layer = SlicingNormalization(inner)
    layer.build((None, *shape))
    inner.set_weights(plain.get_weights())
    kernel = plain.kernel.numpy().reshape(-1, plain.kernel.shape[-1])
    layer.scale.assign(np.linalg.norm(kernel, axis=0))
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)
    rescaled = layer.kernel.constraint(layer.kernel)
    flat = np.asarray(rescaled).reshape(-1, kernel.shape[-1])
    np.testing.assert_allclose(np.linalg.norm(flat, axis=0), 1.0, rtol=1e-6)
    layer.kernel.assign(rescaled)
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)


def test_the_scale_starts_at_the_kernels_length():
    layer = SlicingNormalization(layers.Dense(3, kernel_initializer="ones"))
    layer.build((None, 4))
    np.testing.assert_allclose(layer.scale, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_a_kernel_of_zeros_gives_0_and_trains(optimizer):
    layer = SlicingNormalization(layers.Dense(1, kernel_initializer="zeros"))
    model = keras.Sequential([keras.Input((4,)), layer])
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), 0.0)
    np.testing.assert_array_equal(layer.scale, [1.0])
    model.compile(getattr(keras.optimizers, optimizer)(0.02), "mse")
    history = model.fit(x, x[:, :1], epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.9 * history[0]
    assert np.linalg.norm(layer.kernel) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(1, activation="sigmoid"),
        lambda: layers.Conv2DTranspose(1, 2),
        lambda: layers.Embedding(3, 2),
        lambda: SlicingNormalization(layers.Dense(1)),
        layers.Flatten,
    ],
    ids=["activation", "transposed", "embedding", "nested", "no kernel"],
)
def test_layers_that_are_not_linear_are_refused(make):
    with pytest.raises(UserError, match=r"a linear layer.*pass Dense\(1\)") as caught:
        SlicingNormalization(make()).build((None, 2, 2, 3))
    assert "\n" not in str(caught.value)
