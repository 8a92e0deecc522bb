"""Gradient norms of critics of any shape, and what every regularizer has."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import forward
from ganlab.objectives import penalties
from ganlab.objectives.penalties import DiscriminatorOutput
from ganlab.objectives.regularizers import R1

STREAM = tf.constant([1, 2], tf.int64)
IMAGES = tf.reshape(tf.range(16.0), (2, 2, 2, 2))


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 2, 2, 1), (2, 2, 2, 2)])
def test_the_gradient_is_that_of_the_sum_of_a_samples_logits(shape):
    def critic(images):  # 8 numbers a sample become as many logits as the shape has
        scale = 8 * 2 // int(np.prod(shape))
        parts = tf.reshape(3.0 * images, (2, -1, scale))
        return tf.reshape(tf.reduce_sum(parts, axis=-1), shape)

    norms = penalties.squared_gradient_norms(critic, DiscriminatorOutput(IMAGES, None))
    np.testing.assert_array_equal(norms, [72.0, 72.0])  # 8 · 3²
    np.testing.assert_allclose(penalties.gradient_norms(critic, IMAGES), 72.0**0.5)


def test_the_norm_has_a_gradient_at_0():
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        norm = tf.reduce_sum(penalties.gradient_norms(lambda x: weight * x, IMAGES))
    assert float(tape.gradient(norm, weight)) == 0.0


def test_gradients_that_are_known_are_used():
    output = DiscriminatorOutput(None, None, tf.constant([[3.0, 4.0]]))
    assert float(penalties.squared_gradient_norms(None, output)[0]) == 25.0


def test_one_number_a_sample_broadcasts():
    shape = penalties.per_sample_shape(IMAGES)
    assert [int(size) for size in shape] == [2, 1, 1, 1]


def test_gradients_that_are_known_are_widened():
    gradients = tf.constant([[3.0, 4.0]], tf.float16)
    side = DiscriminatorOutput(None, None, 100.0 * gradients)  # 250,000 > 65,504
    assert float(R1().penalty(None, side, side, STREAM)) == 125_000.0


@pytest.mark.e2e
def test_lazy_penalties_count_for_the_steps_between(make_gan, images):
    def weights_after(steps, **options):
        keras.utils.set_random_seed(0)
        gan = make_gan()
        gan.compile(
            keras.optimizers.SGD(0.0),
            keras.optimizers.SGD(0.1),
            regularizers=R1(**options),
        )
        logs = [
            gan.train_on_batch(images[0], return_dict=True)["d_penalty"]
            for _ in range(steps)
        ]
        return [w.numpy() for w in gan.discriminator.trainable_variables], logs

    lazy, logs = weights_after(1, weight=2.0, every=4)
    every, _ = weights_after(1, weight=8.0, every=1)
    for a, b in zip(lazy, every, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8)
    _, logs = weights_after(5, weight=2.0, every=4)
    assert [value > 0 for value in logs] == [True, False, False, False, True]


@pytest.mark.e2e
def test_a_weight_follows_its_schedule(make_gan, images):
    schedule = keras.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)
    regularizer = R1(schedule)
    assert float(regularizer.weight_at(tf.constant(4))) == pytest.approx(0.6)
    config = keras.saving.serialize_keras_object(regularizer)
    again = keras.saving.deserialize_keras_object(config)
    assert float(again.weight_at(4)) == pytest.approx(0.6)
    gan = make_gan(regularizers=[regularizer])
    gan.step.assign(10)
    assert gan.train_on_batch(images[0], return_dict=True)["d_penalty"] == 0.0


@pytest.mark.e2e
def test_penalties_leave_batch_statistics_and_power_iteration_alone(images):
    discriminator = networks.dcgan_discriminator(
        16, base_filters=4, normalization="batch", spectral_norm=True
    )
    generator = networks.dcgan_generator(16, latent_dim=8, base_filters=4)
    states = []
    for names in ("none", "r1+r2+gradient_penalty+dragan"):
        gan = GAN(
            keras.models.clone_model(generator),
            keras.models.clone_model(discriminator),
        )
        gan.discriminator.set_weights(discriminator.get_weights())
        gan.generator.set_weights(generator.get_weights())
        gan.compile("sgd", "sgd", regularizers=names)
        gan.train_on_batch(images[0])
        states.append([w.numpy() for w in gan.discriminator.non_trainable_variables])
    for a, b in zip(*states, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_penalties_are_float32_under_float16(images):
    keras.config.set_dtype_policy("mixed_float16")
    generator = networks.dcgan_generator(16, latent_dim=8, base_filters=4)
    discriminator = networks.dcgan_discriminator(16, base_filters=4)
    gan = GAN(generator, discriminator)
    gan.compile("adam", "adam", regularizers="r1")
    count = len(gan.weights)
    tiny = tf.constant(images[0] * 1e-3)
    kernel = discriminator.get_layer("logits").kernel
    kernel.assign(kernel * 1e-6)  # the gradient in the images underflows in float16
    keras.config.set_dtype_policy("float32")
    wide = networks.dcgan_discriminator(16, base_filters=4)
    wide.set_weights(discriminator.get_weights())
    side = DiscriminatorOutput(tiny, None)
    expected = R1().penalty(lambda x: wide(x, training=True), side, side, STREAM)
    actual = R1().penalty(
        lambda x: forward.stateless_logits(discriminator, x, None), side, side, STREAM
    )
    assert float(expected) > 0.0
    assert float(actual) == pytest.approx(float(expected), rel=1e-4)
    assert len(gan.weights) == count == len(set(map(id, gan.weights)))


def test_a_schedule_that_no_file_can_hold_is_refused_when_saved():
    regularizer = R1(lambda step: 1.0)
    assert regularizer.weight_at(3) == 1.0
    with pytest.raises(UserError, match="registered with Keras.*<lambda>"):
        regularizer.get_config()
