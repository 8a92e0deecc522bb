"""The DCGAN generator: its sizes and layers."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import networks
from ganlab.networks import blocks


@pytest.mark.e2e
@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(16, 128),
    upsampling=st.sampled_from(blocks.UPSAMPLINGS),
    kernel=st.integers(1, 7),
    padding=st.sampled_from(blocks.PADDINGS),
    channels=st.sampled_from([1, 3]),
)
def test_generator_draws_the_size_that_was_asked_for(
    size, upsampling, kernel, padding, channels
):
    generator = networks.dcgan_generator(
        size,
        channels,
        base_filters=2,
        upsampling=upsampling,
        kernel_size=kernel,
        padding=padding,
    )
    assert generator.output_shape == (None, size, size, channels)


def test_dcgan_layers_are_the_papers():
    generator = networks.dcgan_generator(64, 3, base_filters=128)
    transposed = [
        layer
        for layer in generator.layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert [layer.filters for layer in transposed] == [512, 256, 128, 3]
    assert generator.get_layer("reshape").target_shape == (4, 4, 1024)
    norms = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    assert sum(isinstance(layer, norms) for layer in generator.layers) == 4
    weights = transposed[0].kernel.numpy()
    assert weights.std() == pytest.approx(0.02, rel=0.05)
