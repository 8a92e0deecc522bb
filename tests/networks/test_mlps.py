"""Multilayer perceptrons: PacGAN's."""

import keras
import numpy as np

from ganlab import networks


def test_mlps_are_pacgans():
    generator = networks.mlp_generator()
    discriminator = networks.mlp_discriminator(packing=2)
    widths = [layer.units for layer in generator.layers if hasattr(layer, "units")]
    assert widths == [400, 400, 400, 400, 2]
    assert discriminator.input_shape == (None, 4)
    hidden = discriminator.layers[1]
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    pieces = (x @ hidden.kernel.numpy() + hidden.bias.numpy()).reshape(3, 5, 200)
    first = keras.Model(discriminator.input, discriminator.layers[3].output)
    np.testing.assert_allclose(first(x), pieces.max(axis=1), atol=1e-6)
