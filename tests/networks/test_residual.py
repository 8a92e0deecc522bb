"""Residual networks: every size and class, and R3GAN's start."""

import numpy as np
import pytest

from ganlab import networks
from ganlab.networks import blocks

PAIRS = {
    "dcgan": (networks.dcgan_generator, networks.dcgan_discriminator),
    "resnet": (networks.resnet_generator, networks.resnet_discriminator),
    "r3gan": (networks.r3gan_generator, networks.r3gan_discriminator),
}


@pytest.mark.e2e
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("size", [16, 28, 32, 50, 64, 128])
def test_every_pair_fits_every_size(pair, size):
    make_generator, make_discriminator = PAIRS[pair]
    generator = make_generator(size, 3, base_filters=8)
    discriminator = make_discriminator(size, 3, base_filters=8, packing=2)
    assert generator.output_shape == (None, size, size, 3)
    assert discriminator.inputs[0].shape == (None, size, size, 6)
    assert discriminator.output_shape == (None, 1)


@pytest.mark.e2e
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("conditioning", blocks.DISCRIMINATOR_CONDITIONINGS)
def test_every_pair_depends_on_the_class(pair, conditioning):
    make_generator, make_discriminator = PAIRS[pair]
    options = {"num_classes": 3, "base_filters": 8}
    generator = make_generator(16, **options)
    latents = np.ones((2, generator.inputs[0].shape[1]), "float32")
    for layer in generator.layers:  # class scales start equal, last layers at 0
        for weight in layer.trainable_variables:
            draws = np.random.default_rng(0).normal(size=weight.shape)
            weight.assign(weight + 0.1 * draws.astype("float32"))
    images = generator([latents, np.array([0, 1])]).numpy()
    assert np.abs(images[0] - images[1]).max() > 1e-3
    discriminator = make_discriminator(16, conditioning=conditioning, **options)
    if conditioning == "projection":
        same = np.repeat(images[:1], 2, axis=0)
        logits = discriminator([same, np.array([0, 1])]).numpy()
        assert logits[0] != logits[1]
    else:
        logits, classes = discriminator(images)
        assert (logits.shape, classes.shape) == ((2, 1), (2, 3))


def test_r3gan_starts_with_blocks_that_do_nothing():
    generator = networks.r3gan_generator(28, base_filters=16)
    latents = np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
    before = generator(latents).numpy()
    grouped = [
        layer for layer in generator.layers if isinstance(layer, networks.GroupedConv2D)
    ]
    assert len(grouped) == 6  # two blocks at 7, 14 and 28 pixels
    assert [layer.groups for layer in grouped] == [8, 8, 4, 4, 2, 2]
    for layer in grouped:
        layer.kernel.assign(layer.kernel * 5.0)
    np.testing.assert_array_equal(generator(latents), before)
    assert before.std() == pytest.approx(0.6, abs=0.25)
