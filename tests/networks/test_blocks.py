"""Building blocks: normalisation, conditioning and choices."""

import keras
import numpy as np
import pytest

from ganlab import networks
from ganlab.errors import UserError
from ganlab.networks import blocks


@pytest.mark.e2e
@pytest.mark.parametrize("activation", blocks.ACTIVATIONS)
@pytest.mark.parametrize("normalization", blocks.NORMALIZATIONS)
def test_every_activation_and_normalization_runs(activation, normalization):
    options = {"activation": activation, "normalization": normalization}
    generator = networks.dcgan_generator(base_filters=2, **options)
    discriminator = networks.dcgan_discriminator(base_filters=2, **options)
    images = generator(np.ones((2, 100), np.float32), training=True)
    logits = discriminator(images, training=True)
    assert images.shape == (2, 28, 28, 1)
    assert logits.shape == (2, 1)
    assert np.isfinite(logits).all()


def test_conditional_batch_norm_by_hand():
    inputs = keras.Input((2, 2, 3)), keras.Input((), dtype="int32")
    model = keras.Model(inputs, blocks.normalize(inputs[0], "batch", inputs[1], 2))
    scale, offset = [
        layer for layer in model.layers if isinstance(layer, keras.layers.Embedding)
    ]
    images = np.random.default_rng(0).normal(size=(6, 2, 2, 3)).astype("float32")
    labels = np.array([0, 1] * 3)
    plain = model([images, labels], training=True).numpy()
    np.testing.assert_allclose(plain.mean((0, 1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(plain.std((0, 1, 2)), 1.0, rtol=1e-3)
    scale.embeddings.assign([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    offset.embeddings.assign([[0.0, 0.0, 1.0], [7.0, 8.0, 9.0]])
    outputs = model([images, labels], training=True).numpy()
    for index, label in enumerate(labels):
        expected = plain[index] * scale.embeddings.numpy()[label]
        expected += offset.embeddings.numpy()[label]
        np.testing.assert_allclose(outputs[index], expected, rtol=1e-4, atol=1e-5)


def test_layer_normalization_is_per_sample():
    x = keras.Input((4, 4, 3))
    model = keras.Model(x, blocks.normalize(x, "layer"))
    images = np.random.default_rng(0).normal(3.0, 2.0, (2, 4, 4, 3)).astype("float32")
    normalized = model(images).numpy()
    np.testing.assert_allclose(normalized.mean((1, 2, 3)), 0.0, atol=1e-5)
    np.testing.assert_allclose(normalized.std((1, 2, 3)), 1.0, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 8}, "16 to 512"),
        ({"channels": 5}, "grey"),
        ({"activation": "gelu"}, "relu, leaky_relu, tanh, sigmoid"),
        ({"normalization": "spectral"}, "batch, layer, none"),
        ({"upsampling": "cubic"}, "transposed, nearest, bilinear"),
        ({"output_activation": "relu"}, "tanh, sigmoid"),
        ({"padding": "full"}, "same, valid"),
        ({"conditioning": "film"}, "concat, batch_norm"),
        ({"conditioning": "batch_norm", "normalization": "none"}, "use conditioning"),
    ],
)
def test_a_wrong_choice_lists_the_right_ones(options, message):
    with pytest.raises(UserError, match=message):
        networks.dcgan_generator(**options)
