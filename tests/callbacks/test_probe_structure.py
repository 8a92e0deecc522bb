"""Kernels, rates and ranges are read from the layers, wherever they are."""

import keras
import pytest
from keras import layers

from ganlab.callbacks.probe_structure import structure_measures


def generator(kernel, stride, end="tanh"):
    within = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2DTranspose(1, kernel, stride, padding="same", activation=end),
        ]
    )
    return keras.Sequential([keras.Input((16,)), layers.Reshape((4, 4, 1)), within])


def discriminator(*rates):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *(layers.SpatialDropout2D(rate) for rate in rates),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


@pytest.mark.parametrize(
    ("kernel", "stride", "uneven"), [(4, 2, 0), (5, 2, 1), (3, 1, 0), (2, 3, 1)]
)
def test_kernels_that_are_no_multiple_of_their_stride(kernel, stride, uneven):
    measures = structure_measures(generator(kernel, stride), discriminator())
    assert measures["g_uneven_kernels"] == uneven
    assert (measures["output_low"], measures["output_high"]) == (-1.0, 1.0)


def test_the_largest_rate_of_dropout():
    measures = structure_measures(generator(4, 2), discriminator(0.2, 0.9))
    assert measures["d_dropout_rate"] == 0.9


def test_what_a_network_has_not_is_left_out():
    plain = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert structure_measures(plain, discriminator()) == {}
