"""Every strategy against the definition, in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import batches, gradients
from ganlab.models.batches import DiscriminatorInputs
from ganlab.objectives import losses
from ganlab.objectives.augmentation import Augmentation


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


def in_float64(model):
    def widened(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    return keras.models.clone_model(model, clone_function=widened)


def two_passes(gan, options, images):
    """Both gradients by the definition, one pass for each loss."""
    loss = losses.get(options["loss"])
    latents = tf.cast(gan.training_latents(len(images)), "float64")
    with tf.GradientTape(persistent=True) as tape:
        fake_images = gan.generator(latents, training=True)
        real = gan.discriminator(images, training=True)
        fake = gan.discriminator(fake_images, training=True)
        d_loss = loss.discriminator(real, fake)
        g_loss = loss.generator(real, fake)
        for name in options.get("regularizers", []):
            side = images if name == "r1" else tf.stop_gradient(fake_images)
            with tf.GradientTape() as inner:
                inner.watch(side)
                total = tf.reduce_sum(gan.discriminator(side, training=True))
            slope = tf.reduce_sum(inner.gradient(total, side) ** 2, axis=(1, 2, 3))
            d_loss += 0.05 * 0.5 * tf.reduce_mean(slope)
    return [
        tape.gradient(total, network.trainable_variables)
        for total, network in ((d_loss, gan.discriminator), (g_loss, gan.generator))
    ]


@pytest.mark.parametrize(
    "loss",
    [
        "non_saturating",
        "relativistic",
        *(
            pytest.param(name, marks=pytest.mark.e2e)
            for name in losses.LOSSES
            if name not in ("non_saturating", "relativistic")
        ),
    ],
)
@pytest.mark.parametrize(
    ("normalization", "regularizers"),
    [("batch", []), ("none", []), ("none", ["r1"]), ("none", ["r1", "r2"])],
)
def test_gradients_are_the_simultaneous_ones(loss, regularizers, normalization):
    """One stage, or two passes with batch statistics; equal in float64."""
    keras.config.set_floatx("float64")
    try:
        keras.utils.set_random_seed(0)
        gan = GAN(
            in_float64(networks.dcgan_generator(16, latent_dim=8, base_filters=4)),
            in_float64(
                networks.dcgan_discriminator(
                    16, base_filters=4, normalization=normalization
                )
            ),
        )
        for layer in gan.discriminator.layers + gan.generator.layers:
            for weight in layer.trainable_weights:
                weight.assign(weight * 5.0)  # so that logits lie apart
        options = {"loss": loss, "regularizers": regularizers}
        images = tf.constant(np.random.default_rng(1).normal(size=(6, 16, 16, 1)))
        gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0), **options)
        strategy = (
            gradients.one_stage if normalization == "none" else gradients.two_pass
        )
        assert gan.differentiate is strategy
        expected = two_passes(gan, options, images)
        latents = tf.cast(gan.training_latents(len(images)), "float64")
        with tf.GradientTape() as tape:
            fake_images = gan.generator(latents, training=True)
        inputs = DiscriminatorInputs(images, fake_images, labels=None, substep=0)
        result = gan.differentiate(gan, inputs)
        generated = batches.Generated(fake_images, tape, [], {})
        actual = (result.discriminator, result.generator(gan, generated))
        for network, reference in zip(actual, expected, strict=True):
            scale = max(np.abs(gradient).max() for gradient in reference)
            for gradient, value in zip(network, reference, strict=True):
                np.testing.assert_allclose(gradient / scale, value / scale, atol=1e-9)
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.e2e
def test_alternating_the_generator_meets_the_discriminator_that_moved(make_gan, images):
    def generator_after(discriminator_rate, updates):
        keras.utils.set_random_seed(0)
        gan = make_gan()
        gan.compile(
            keras.optimizers.SGD(1.0),
            keras.optimizers.SGD(discriminator_rate),
            updates=updates,
        )
        gan.train_on_batch(images[0])
        return gan, weights_of(gan.generator)

    still, at_rest = generator_after(0.0, "simultaneous")
    for a, b in zip(at_rest, generator_after(0.0, "alternating")[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(at_rest, generator_after(5.0, "simultaneous")[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    apart = [
        np.abs(a - b).max()
        for a, b in zip(at_rest, generator_after(5.0, "alternating")[1], strict=True)
    ]
    assert max(apart) > 1e-4
    with pytest.raises(UserError, match="simultaneous"):
        still.compile("sgd", "sgd", updates="both")


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_loss_that_leaves_the_generator_out_is_refused(images, normalization):
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=2),
        networks.dcgan_discriminator(16, base_filters=2, normalization=normalization),
    )

    def loss(real, fake):
        return tf.reduce_mean(real**2), tf.reduce_mean(real)

    gan.compile("adam", "adam", loss=loss)
    with pytest.raises(UserError, match="depends on the fake logits"):
        gan.train_on_batch(images[0])
    gan.compile(
        "adam", "adam", loss=lambda r, f: (tf.reduce_mean(r**2), -tf.reduce_mean(f))
    )
    assert np.isfinite(gan.train_on_batch(images[0], return_dict=True)["loss"])


@keras.saving.register_keras_serializable(package="test_gradients")
class DoubleContrast(Augmentation):
    def augment(self, images, seed):
        return 2.0 * images


@pytest.mark.parametrize("normalization", [False, True], ids=["one", "two"])
@pytest.mark.parametrize(
    ("name", "factor"), [("r1", 4), ("r2", 4), ("gradient_penalty", 1)]
)
def test_r1_is_of_the_image_before_augmentation(normalization, name, factor):
    """A linear discriminator `w x`: R1 is ½ |2w|² where contrast is doubled."""
    inputs = keras.Input((2, 2, 1))
    flat = keras.layers.Flatten()(inputs)
    if normalization:
        coupled = keras.layers.BatchNormalization(scale=False)(flat)
        flat = flat + 0.0 * coupled
    discriminator = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(flat))
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.Reshape((2, 2, 1))]
    )
    kernel = np.array([[0.3], [-0.1], [0.2], [0.5]])
    discriminator.layers[-1].kernel.assign(kernel)
    gan = GAN(generator, discriminator)
    gan.compile("sgd", "sgd", regularizers=name, augmentation=DoubleContrast())
    images = np.random.default_rng(0).uniform(-1, 1, (8, 2, 2, 1)).astype("float32")
    logs = gan.train_on_batch(images, return_dict=True)
    squared = float((kernel**2).sum())
    expected = {
        "gradient_penalty": 10.0 * (squared**0.5 - 1.0) ** 2,
    }.get(name, 0.05 * 0.5 * factor * squared)
    assert logs["d_penalty"] == pytest.approx(expected, rel=1e-4)
