"""Training on two devices."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.objectives.augmentation import AdaptiveAugment
from ganlab.objectives.regularizers import R1


def first_latents(num_images, replica=0):
    """The latents of the first step for seed 0."""
    seed = tf.random.experimental.stateless_fold_in(
        tf.constant([0, 0], tf.int64), tf.constant(replica, tf.int64)
    )
    return tf.random.stateless_normal((num_images, 8), seed)


@pytest.mark.e2e
def test_mirrored_strategy_equals_one_device_on_the_whole_batch(strategy, images):
    pixels = images[0]
    shape = {"base_filters": 4}

    def build():
        keras.utils.set_random_seed(0)
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, normalization="none", **shape),
            networks.dcgan_discriminator(16, **shape),
        )
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        return gan

    with strategy.scope():
        mirrored = build()
    batches = tf.data.Dataset.from_tensors(pixels).repeat()
    logs = mirrored.fit(batches, steps_per_epoch=1, verbose=0, shuffle=False).history

    single = build()
    latents = tf.concat([first_latents(8, replica) for replica in range(2)], axis=0)
    single.training_latents = lambda num_images, substep=0: latents
    expected = single.train_on_batch(pixels, return_dict=True)

    for a, b in zip(mirrored.weights, single.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    assert logs["d_loss"][0] == pytest.approx(expected["d_loss"], rel=1e-4)
    assert mirrored.step == 1


@pytest.mark.slow
def test_mirrored_strategy_in_float16_with_batch_norm_recomputed(strategy, images):
    keras.config.set_dtype_policy("mixed_float16")
    with strategy.scope():
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4, normalization="batch"),
        )
        gan.compile("adam", "adam", recompute=True)
    batches = tf.data.Dataset.from_tensors(images[0]).repeat()
    gan.fit(batches, steps_per_epoch=3, epochs=2, verbose=0, shuffle=False)
    assert gan.step == 6
    assert np.isfinite(gan.predict(np.zeros((4, 8)), verbose=0)).all()


@pytest.mark.e2e
def test_mirrored_strategy_with_state_and_penalties(strategy, images):
    with strategy.scope():
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4, spectral_norm=True),
        )
        gan.compile(
            "adam",
            "adam",
            loss="relativistic",
            regularizers=[R1(1.0, every=2), "lecam"],
            augmentation=AdaptiveAugment(target=0.01, images_to_full=640),
        )
    batches = tf.data.Dataset.from_tensors(images[0]).repeat()
    history = gan.fit(batches, steps_per_epoch=8, epochs=2, verbose=0, shuffle=False)
    assert np.isfinite(history.history["d_penalty"]).all()
    assert float(gan.regularizers[1].real_mean.numpy()) != 0.0
    # 16 images a step over both replicas, up or down every 4 steps
    assert gan.augmentation.probability.numpy() == pytest.approx(0.1 * 4, abs=1e-6)
