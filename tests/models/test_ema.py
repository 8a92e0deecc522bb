"""The averaged generator against a hand-computed average."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab import GAN
from ganlab.models import ema


def test_average_by_hand():
    assert float(ema.decay_at(0, 0.999)) == pytest.approx(0.1)
    assert float(ema.decay_at(90, 0.999)) == pytest.approx(0.91)
    assert float(ema.decay_at(10**6, 0.999)) == pytest.approx(0.999)
    assert float(ema.averaged_value(2.0, 4.0, 0.75)) == pytest.approx(2.5)


@pytest.mark.e2e
def test_average_follows_every_weight_batch_statistics_included(make_gan, images):
    gan = make_gan(ema_decay=0.5)
    averages = [weight.numpy() for weight in gan.ema_generator.weights]
    for step in range(3):
        gan.train_on_batch(images[0])
        decay = min(0.5, (1 + step) / (10 + step))
        averages = [
            decay * average + (1 - decay) * weight.numpy()
            for average, weight in zip(averages, gan.generator.weights, strict=True)
        ]
    names = [weight.path for weight in gan.ema_generator.weights]
    assert any("moving_mean" in name for name in names)
    for average, weight in zip(averages, gan.ema_generator.weights, strict=True):
        np.testing.assert_allclose(weight, average, rtol=1e-5, atol=1e-7)


class Noisy(layers.Layer):
    """Draws noise whenever it is called."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(3)

    def call(self, inputs):
        noise = keras.random.normal(keras.ops.shape(inputs), seed=self.generator)
        return inputs + noise


class Counter(layers.Layer):
    """Counts its calls in training, as an integer and as a float."""

    def build(self, shape):
        state = {"initializer": "zeros", "trainable": False, "shape": ()}
        self.calls = self.add_weight(dtype="int32", name="calls", **state)
        self.total = self.add_weight(name="total", **state)

    def call(self, inputs, training=False):
        if training:
            self.calls.assign_add(1)
            self.total.assign_add(1.0)
        return inputs + self.total


@pytest.mark.e2e
def test_state_that_is_no_weight_is_read_as_it_is(build, data):
    counter = Counter()
    gan = build([counter])
    gan.fit(data, batch_size=8, verbose=0)
    assert int(counter.calls) == 4
    latents = np.zeros((2, 6), np.float32)
    dense = gan.ema_generator.values()[1]  # the averaged bias
    np.testing.assert_allclose(gan(latents)[0], dense + 4.0, rtol=1e-6)
    names = [weight.name for weight in gan.ema_generator.weights]
    assert not any("calls" in name or "total" in name for name in names)


@pytest.mark.e2e
def test_adapted_normalization_is_neither_averaged_nor_lost(build, data):
    normalization = layers.Normalization(invert=True)
    normalization.adapt(data * 9.0 + 300.0)
    gan = build([normalization])
    latents = np.random.default_rng(1).standard_normal((4, 6)).astype("float32")
    np.testing.assert_allclose(gan(latents), gan.generator(latents), rtol=1e-5)
    gan.fit(data, batch_size=8, verbose=0)
    assert abs(float(keras.ops.mean(gan(latents))) - 300.0) < 30.0


@pytest.mark.e2e
def test_samples_are_a_function_of_the_seed_where_layers_draw_noise(build, data):
    noisy = Noisy()
    gan = build([noisy])
    state = noisy.generator.state.numpy()
    one, again, other = (gan.sample(5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.1
    np.testing.assert_array_equal(noisy.generator.state.numpy(), state)
    gan.fit(data, batch_size=8, verbose=0)
    assert not np.array_equal(noisy.generator.state.numpy(), state)


@pytest.mark.e2e
def test_a_generator_that_cannot_be_copied_is_averaged(build, data):
    gan = build([layers.Lambda(lambda x: x * 2.0)])
    gan.fit(data, batch_size=8, verbose=0)
    latents = np.ones((1, 6), np.float32)
    kernel, bias = gan.ema_generator.values()
    np.testing.assert_allclose(gan(latents)[0], 2 * (kernel.sum(0) + bias), rtol=1e-4)


def test_averages_have_names_of_their_own(build):
    gan = build([layers.BatchNormalization()])
    paths = [weight.path for weight in gan.weights]
    assert len(paths) == len(set(paths))


@pytest.mark.e2e
def test_a_layer_unfrozen_later_is_averaged_too(build, data):
    gan = build(optimizer="sgd")
    dense = gan.generator.layers[0]
    dense.trainable = False
    frozen = GAN(gan.generator, gan.discriminator)
    dense.trainable = True
    frozen.compile("sgd", "sgd")
    before = frozen.ema_generator.values()[0].copy()
    frozen.fit(data, batch_size=8, verbose=0)
    assert np.abs(frozen.ema_generator.values()[0] - before).max() > 1e-4


def test_noise_that_no_seed_reaches_is_warned_of(build):
    gan = build([layers.Lambda(lambda x: x + tf.random.normal(tf.shape(x)))])
    with pytest.warns(UserWarning, match="RandomStandardNormal in the generator"):
        gan.sample(3)
