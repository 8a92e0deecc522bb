"""Rates and moved weights are those that the optimizers themselves know."""

import keras
import pytest

from ganlab.callbacks.optimizer_metrics import (
    crossed_shares,
    learning_rates,
    optimizers_of,
)


def test_a_gans_optimizers_and_their_rates(make_gan):
    gan = make_gan()
    gan.discriminator_optimizer.learning_rate = 0.25
    optimizers = optimizers_of(gan)
    assert optimizers["g"] is gan.generator_optimizer
    assert learning_rates(optimizers)["d"] == 0.25
    assert crossed_shares(optimizers, gan) == {
        "d_crossed_share": 0.0,
        "g_crossed_share": 0.0,
    }


def test_weights_that_both_optimizers_move(make_gan):
    gan = make_gan()
    own, other = keras.optimizers.SGD(), keras.optimizers.SGD()
    judging = gan.discriminator.trainable_variables
    own.build(judging)
    other.build([*gan.generator.trainable_variables, *judging[:1]])
    sizes = [weight.numpy().size for weight in judging]
    shares = crossed_shares({"d": own, "g": other}, gan)
    assert shares["d_crossed_share"] == pytest.approx(sizes[0] / sum(sizes))
    assert shares["g_crossed_share"] == 0.0


def test_one_optimizer_says_nothing(make_gan):
    gan, shared = make_gan(), keras.optimizers.SGD()
    shared.build([*gan.generator.trainable_variables])
    assert crossed_shares({"d": shared, "g": shared}, gan) == {}
    assert crossed_shares({"g": shared}, gan) == {}
