"""Sampling, predicting and seeds of models with an averaged generator."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, sampling
from ganlab.errors import UserError


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


def assert_equal_weights(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.e2e
def test_seeds_decide(make_gan, images):
    def train(seed):
        keras.utils.set_random_seed(seed)
        gan = make_gan(seed=seed)
        gan.fit(images[0], batch_size=8, epochs=2, verbose=0, shuffle=False)
        return gan

    one, same, other = train(1), train(1), train(2)
    assert_equal_weights(one, same)
    assert not np.array_equal(one.sample(4), other.sample(4))


@pytest.mark.e2e
def test_sample_and_predict_use_the_average(make_gan, images):
    gan = make_gan(3)
    gan.train_on_batch(*images)
    sampled = gan.sample(5, seed=1, labels=[0, 1, 2, 2, 2])
    assert sampled.shape == (5, 16, 16, 1)
    assert sampled.dtype == np.uint8
    np.testing.assert_array_equal(sampled[:2], gan.sample(2, seed=1, labels=[0, 1]))
    latents, labels = np.ones((3, 8), np.float32), np.arange(3)
    np.testing.assert_allclose(
        gan.predict([latents, labels], verbose=0),
        gan.ema_generator([latents, labels], training=False),
        atol=1e-6,
    )


def test_labels_out_of_range_are_refused(make_gan):
    with pytest.raises(UserError, match="2 labels from 0 to 2"):
        make_gan(3).sample(2, labels=[0, 3])


def test_labels_of_a_generator_without_classes_are_refused(make_gan):
    with pytest.raises(UserError, match="takes noise alone"):
        make_gan().sample(2, labels=[0, 1])


def gan_of_shape(shape, *end):
    size = int(np.prod(shape))
    generator = keras.Sequential(
        [keras.Input((3, 2)), keras.layers.Flatten(), keras.layers.Dense(size), *end]
    )
    generator.add(keras.layers.Reshape(shape))
    critic = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    return GAN(generator, critic)


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (6, 2), (3, 3, 5), (2, 2, 2, 1)])
def test_what_is_no_image_is_sampled_as_it_is(shape):
    gan = gan_of_shape(shape)
    samples = gan.sample(5, seed=1)
    latents = sampling.draw_latents(5, (3, 2), seed=1)
    expected = gan.generator(latents).numpy()
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, expected, atol=1e-6)
    assert not np.array_equal(samples, np.round(samples))


def test_images_are_black_to_white_over_their_range():
    gan = gan_of_shape((3, 5, 1), keras.layers.Activation("sigmoid"))
    floats = gan.generator(sampling.draw_latents(9, (3, 2))).numpy()
    np.testing.assert_array_equal(gan.sample(9), np.rint(floats * 255).astype(np.uint8))


def test_output_range_is_read_from_the_generator_or_stated(tmp_path):
    def gan_of(activation, **options):
        generator = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(3, activation=activation)]
        )
        critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        return GAN(generator, critic, **options)

    assert gan_of("sigmoid").output_range == (0.0, 1.0)
    assert gan_of("sigmoid", output_range=(-2, 2)).output_range == (-2.0, 2.0)
    assert gan_of(None).known_range is None
    assert gan_of(None).output_range == (-1.0, 1.0)
    gan = gan_of(None, output_range=(0, 255))
    gan.save(tmp_path / "gan.keras")
    assert keras.saving.load_model(tmp_path / "gan.keras").output_range == (0.0, 255.0)
    with pytest.raises(UserError, match="low < high"):
        gan_of(None, output_range=(1, 0))


@pytest.mark.e2e
def test_keras_exports_the_averaged_generator(build, data, tmp_path):
    gan = build([keras.layers.BatchNormalization()])
    gan.fit(data, batch_size=8, verbose=0)
    gan.export(tmp_path / "served", verbose=False)
    latents = np.random.default_rng(0).standard_normal((3, 6)).astype("float32")
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(
        served.serve(latents), gan(latents), rtol=1e-5, atol=1e-6
    )


@pytest.mark.e2e
def test_an_evaluation_draws_latents_for_each_of_its_batches(build, data):
    gan = build()
    one, *rest = (
        gan.evaluate(np.concatenate([data[:8]] * n), batch_size=8, verbose=0)
        for n in (1, 1, 4)
    )
    again, four = rest
    assert one == again
    assert one != pytest.approx(four, rel=1e-6)


@pytest.mark.e2e
def test_keras_finds_a_loss_to_watch(build, data):
    gan = build()
    data[3] = np.inf
    stop = keras.callbacks.TerminateOnNaN()
    early = keras.callbacks.EarlyStopping("loss", patience=1)
    with contextlib.suppress(UserError):
        assert len(gan.fit(data, epochs=5, verbose=0, callbacks=[stop]).epoch) == 1
    data[3] = 0.0
    history = gan.fit(data, epochs=2, verbose=0, callbacks=[early]).history
    sums = np.add(history["d_loss"], history["g_loss"])
    np.testing.assert_allclose(history["loss"], sums, rtol=1e-5)
