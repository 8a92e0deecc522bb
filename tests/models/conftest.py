"""Small networks as a user writes them."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN

LATENTS = 6
SIZE = 8


@pytest.fixture
def data():
    """A float32 array `(32, 8)`."""
    return np.random.default_rng(0).standard_normal((32, SIZE)).astype("float32")


@pytest.fixture
def build():
    """A function that builds a GAN of dense networks around some layers."""

    def make(generator=(), discriminator=(), optimizer="sgd", **compiled):
        keras.utils.set_random_seed(1)
        gan = GAN(
            keras.Sequential([keras.Input((LATENTS,)), layers.Dense(SIZE), *generator]),
            keras.Sequential(
                [keras.Input((SIZE,)), layers.Dense(4), *discriminator, layers.Dense(1)]
            ),
        )
        gan.compile(optimizer, optimizer, **compiled)
        return gan

    return make
