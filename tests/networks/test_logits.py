"""Are logits those that the last activation turns into images?"""

import keras
import numpy as np
import pytest

from ganlab.networks import dcgan_generator
from ganlab.networks.logits import ending


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_logits_give_the_images_by_a_sigmoid(activation):
    network = dcgan_generator(
        16, latent_dim=4, base_filters=4, output_activation=activation
    )
    last = ending(network)
    codes = np.random.default_rng(0).normal(size=(3, 4)) * 50
    shares = keras.ops.sigmoid(last.factor * last.network(codes))
    images = network(codes)
    if activation == "tanh":
        images = (images + 1) / 2
    assert last.activation == activation
    np.testing.assert_allclose(shares, images, atol=1e-6)
    assert {id(w) for w in last.network.weights} == {id(w) for w in network.weights}


def test_other_endings_have_none():
    inputs = keras.Input((3,))
    assert ending(keras.Sequential([inputs, keras.layers.Dense(2, "tanh")])) is None
    relu = keras.Sequential([inputs, keras.layers.Activation("relu")])
    assert ending(relu) is None
    langevin = dcgan_generator(16, base_filters=4, output_activation="langevin")
    assert ending(langevin).activation == "langevin"
