"""What the updates of a step see."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.models import batches


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


@pytest.mark.e2e
def test_discriminator_steps_cut_the_batch(make_gan, images):
    gan = make_gan(discriminator_steps=2)
    gan.train_on_batch(images[0])
    assert gan.discriminator_optimizer.iterations == 2
    assert gan.generator_optimizer.iterations == 1
    assert gan.step == 1


def test_instance_noise_is_added_to_both_sides_and_fades(make_gan, images):
    fade = keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.0)
    gan = make_gan(instance_noise=fade)
    pixels = tf.constant(images[0])
    for step, deviation in ((0, 0.5), (5, 0.25), (10, 0.0)):
        gan.step.assign(step)
        noise = [
            batches.perturbed(gan, pixels, 0, side).numpy() - pixels for side in (0, 1)
        ]
        for difference in noise:
            assert float(np.std(difference)) == pytest.approx(deviation, rel=0.05)
        assert deviation == 0.0 or not np.allclose(*noise)


def test_noise_is_on_the_scale_of_the_images():
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4),
        output_range=(0.0, 1.0),
    )
    gan.compile("adam", "adam", instance_noise=0.5)
    noise = batches.perturbed(gan, tf.fill((16, 16, 16, 1), 0.5), 0, side=0) - 0.5
    assert float(np.std(noise)) == pytest.approx(0.25, rel=0.05)


@pytest.mark.e2e
def test_recomputing_the_fakes_changes_nothing(images):
    def trained(recompute):
        keras.utils.set_random_seed(0)
        generator = networks.dcgan_generator(16, latent_dim=8, base_filters=4)
        noisy = keras.layers.Dropout(0.3, seed=1)(generator.layers[-2].output)
        generator = keras.Model(
            generator.inputs, keras.layers.Activation("tanh")(noisy)
        )
        gan = GAN(generator, networks.dcgan_discriminator(16, base_filters=4))
        gan.compile(
            keras.optimizers.SGD(0.05),
            keras.optimizers.SGD(0.05),
            augmentation="diffaugment",
            recompute=recompute,
        )
        gan.fit(images[0], batch_size=4, shuffle=False, verbose=0)
        return weights_of(gan)

    for plain, again in zip(trained(False), trained(True), strict=True):
        np.testing.assert_allclose(plain, again, rtol=1e-4, atol=1e-5)
