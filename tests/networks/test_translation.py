"""Do translators' networks have their papers' shapes, and see pixels alike?"""

import numpy as np
import pytest

from ganlab import UserError, networks

GENERATORS = {
    "unet": lambda size: networks.unet_generator(size, base_filters=4, stages=3),
    "resnet": lambda size: networks.resnet_translator(size, base_filters=4),
}


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_makes_an_image_as_large_as_its_source(name):
    generator = GENERATORS[name](None)
    made = generator(np.zeros((1, 24, 40, 3), "float32"))
    assert tuple(made.shape) == (1, 24, 40, 3)
    assert GENERATORS[name]((24, 40)).output_shape == (None, 24, 40, 3)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_an_image_does_not_depend_on_its_batch(name):
    generator = GENERATORS[name](None)
    images = np.random.default_rng(0).normal(size=(3, 16, 16, 3)).astype("float32")
    for training in (False, True):
        together = generator(images, training=training).numpy()
        alone = generator(images[:1], training=training).numpy()
        np.testing.assert_allclose(together[:1], alone, atol=1e-5)


def test_a_pixel_does_not_depend_on_how_much_is_seen_around_it():
    generator = networks.resnet_translator(None, base_filters=4, num_blocks=1)
    images = np.random.default_rng(0).normal(size=(1, 96, 96, 3)).astype("float32")
    whole = generator(images).numpy()
    part = generator(images[:, :, :64]).numpy()
    np.testing.assert_allclose(whole[:, :, :32], part[:, :, :32], atol=1e-5)


@pytest.mark.parametrize(("stages", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch_of_the_papers_size(stages, patch):
    size = 160
    network = networks.patch_discriminator(size, 1, base_filters=2, stages=stages)
    numbers = np.random.default_rng(0)
    image = numbers.normal(size=(1, size, size, 1)).astype("float32")
    middle = network(image).shape[1] // 2
    row = numbers.normal(size=(size, 1, size, 1)).astype("float32")
    changed = np.repeat(image, size, axis=0)
    for index in range(size):
        changed[index, index] += row[index, 0]
    logits = network(changed).numpy()[:, middle, :, 0]
    difference = logits - network(image).numpy()[:, middle, :, 0]
    seen = np.abs(difference).max(axis=1) > 1e-5
    assert np.ptp(np.flatnonzero(seen)) + 1 == patch


def test_sides_that_cannot_be_halved_are_refused():
    with pytest.raises(UserError, match="multiple of 16"):
        networks.unet_generator(40)
    with pytest.raises(UserError, match="stages"):
        networks.patch_discriminator(32, stages=0)
