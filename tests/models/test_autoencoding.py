"""Networks that fit, and logits by either way."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import VAE, UserError
from ganlab.models import autoencoding
from ganlab.objectives import likelihoods


def encoder(size=8, codes=4):
    return keras.Sequential([keras.Input((size,)), layers.Dense(codes)])


def decoder(size=8, latent_dim=2, activation="sigmoid"):
    return keras.Sequential(
        [keras.Input((latent_dim,)), layers.Dense(size, activation)]
    )


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ((encoder(codes=3), decoder()), "Expected an encoder to"),
        ((encoder(size=7), decoder()), "of the decoder's images"),
        ((encoder(), decoder), "keras.Model as decoder"),
        ((keras.layers.Dense(4), decoder()), "keras.Model as encoder"),
    ],
)
def test_networks_that_do_not_fit_are_refused_in_one_line(networks, message):
    with pytest.raises(UserError, match=message):
        VAE(*networks)


def test_logits_of_means_and_of_the_last_activation_are_equal():
    with_layer = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8), layers.Activation("sigmoid")]
    )
    plain = decoder()
    plain.set_weights(with_layer.get_weights())
    codes = np.random.default_rng(0).normal(size=(3, 2))
    one, other = (
        autoencoding.outputs_of(network, likelihoods.Bernoulli(), (0.0, 1.0))
        for network in (with_layer, plain)
    )
    np.testing.assert_allclose(
        one(codes, training=False), other(codes, training=False), atol=1e-5
    )


def test_a_range_that_the_decoder_does_not_fill_is_read_from_its_means():
    network = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8), layers.Activation("sigmoid")]
    )
    outputs = autoencoding.outputs_of(network, likelihoods.Bernoulli(), (-1.0, 1.0))
    codes = np.random.default_rng(0).normal(size=(3, 2))
    shares = keras.ops.sigmoid(outputs(codes, training=False))
    np.testing.assert_allclose(shares, (network(codes) + 1) / 2, atol=1e-5)


def test_a_continuous_bernoulli_needs_its_means():
    for network, likelihood in (
        (decoder(), "continuous_bernoulli"),
        (
            keras.Sequential(
                [keras.Input((2,)), layers.Dense(8), keras.layers.Identity()]
            ),
            "continuous_bernoulli",
        ),
    ):
        with pytest.raises(UserError, match="Langevin"):
            VAE(encoder(), network, output_range=(0, 1)).compile("adam", likelihood)
