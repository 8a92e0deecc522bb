"""Packing, and whether two networks fit together."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import forward


@pytest.mark.e2e
def test_packing_joins_samples_along_channels(images):
    generator = networks.dcgan_generator(16, latent_dim=8, base_filters=4)
    discriminator = networks.dcgan_discriminator(16, base_filters=4, packing=2)
    gan = GAN(generator, discriminator, packing=2)
    gan.compile("adam", "adam", regularizers="r1")
    pixels = images[0]
    packed = forward.pack(tf.constant(pixels), 2).numpy()
    assert packed.shape == (8, 16, 16, 2)
    np.testing.assert_array_equal(packed[3, ..., 1], pixels[11, ..., 0])
    logs = gan.train_on_batch(pixels, return_dict=True)
    assert np.isfinite(logs["d_loss"])
    assert gan.sample(3).shape == (3, 16, 16, 1)
    with pytest.raises(UserError, match="multiple of packing=2"):
        forward.pack(tf.constant(pixels[:7]), 2)


def test_a_subclassed_network_trains_once_it_is_wrapped(images):
    @keras.saving.register_keras_serializable(package="test")
    class Sharpener(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.dense = keras.layers.Dense(256, activation="tanh")

        def call(self, latents):
            return keras.ops.reshape(self.dense(latents), (-1, 16, 16, 1))

    discriminator = networks.dcgan_discriminator(16, base_filters=2)
    with pytest.raises(
        UserError, match=r"Sharpener that was never called.*call it once"
    ):
        GAN(Sharpener(), discriminator)
    latents = keras.Input((8,))
    gan = GAN(keras.Model(latents, Sharpener()(latents)), discriminator)
    gan.compile("adam", "adam")
    gan.fit(images[0], batch_size=8, verbose=0)
    assert gan.sample(2).shape == (2, 16, 16, 1)


def test_conditional_without_labels_is_one_clear_error(make_gan, images):
    with pytest.raises(UserError, match=r"\(images, labels\)"):
        make_gan(3).fit(images[0], verbose=0)
