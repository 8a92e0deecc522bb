"""The DCGAN discriminator: one logit, by hand where there are classes."""

import keras
import numpy as np
import pytest

from ganlab import networks
from ganlab.networks import blocks


@pytest.mark.parametrize("downsampling", blocks.DOWNSAMPLINGS)
@pytest.mark.parametrize("padding", blocks.PADDINGS)
@pytest.mark.parametrize("size", [28, 64])
def test_every_downsampling_gives_one_logit(downsampling, padding, size):
    discriminator = networks.dcgan_discriminator(
        size, 3, base_filters=2, downsampling=downsampling, padding=padding
    )
    assert discriminator(np.zeros((5, size, size, 3), np.float32)).shape == (5, 1)


def test_projection_logit_by_hand():
    discriminator = networks.dcgan_discriminator(16, num_classes=3, base_filters=2)
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 1)).astype("float32")
    labels = np.array([0, 1, 2, 1])
    features = keras.Model(
        discriminator.inputs, discriminator.get_layer("logits").input
    )([images, labels]).numpy()
    kernel, bias = discriminator.get_layer("logits").get_weights()
    embeddings = discriminator.get_layer("class").get_weights()[0]
    expected = (
        features @ kernel[:, 0] + bias + (features * embeddings[:, labels].T).sum(1)
    )
    logits = discriminator([images, labels]).numpy()[:, 0]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)
