"""A loss is found under whatever name a model logs it."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab.callbacks.follower import Follower, find_loss


@pytest.mark.parametrize(
    ("keys", "d_loss", "g_loss"),
    [
        (["d_loss", "g_loss"], "d_loss", "g_loss"),
        (["gen_loss", "disc_loss"], "disc_loss", "gen_loss"),
        (["loss_G", "loss_D"], "loss_D", "loss_G"),
        (["loss", "accuracy"], None, None),
    ],
)
def test_losses_by_name(keys, d_loss, g_loss):
    assert find_loss("d_loss", keys) == d_loss
    assert find_loss("g_loss", keys) == g_loss


def networks(end):
    generator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, "tanh"), layers.Reshape((2, 2, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(1, activation=end)]
    )
    return generator, discriminator


@pytest.mark.parametrize(
    ("end", "from_logits", "misread"),
    [
        ("sigmoid", True, "probabilities"),
        ("sigmoid", False, None),
        (None, True, None),
        (None, False, "logits"),
    ],
)
def test_answers_and_the_loss_that_takes_them(end, from_logits, misread):
    model = keras.Model()
    model.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=from_logits)
    follower = Follower(model, *networks(end))
    assert follower.logistic
    assert follower.misread == misread
    assert follower.answer_range == ((0.0, 1.0) if end == "sigmoid" else None)
    assert follower.ends_on_probabilities == (end == "sigmoid")


def test_the_generator_is_followed_to_the_bit():
    model = keras.Model()
    generator, discriminator = networks(None)
    follower = Follower(model, generator, discriminator)
    for variable, average in follower.gan.ema_generator.pairs():
        average.assign(np.full(variable.shape, 1e4))  # a sum with it would round
    follower.follow()
    for average, weight in zip(
        follower.gan.ema_generator.values(), generator.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(average, weight)


def test_networks_that_take_labels_are_followed_with_their_classes():
    def network(shape, units):
        inputs, label = keras.Input(shape), keras.Input((), dtype="int32")
        flat = layers.Flatten()(inputs)
        embedded = layers.Embedding(3, 2)(label)
        x = layers.Dense(units)(layers.Concatenate()([flat, embedded]))
        x = layers.Reshape((2, 2, 1))(x) if units > 1 else x
        return keras.Model([inputs, label], x)

    model = keras.Model()
    pair = network((4,), 4), network((2, 2, 1), 1)
    assert Follower(model, *pair).reason is not None
    follower = Follower(model, *pair, num_classes=3)
    assert follower.reason is None
    assert follower.gan.num_classes == 3
