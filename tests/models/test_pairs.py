"""Do a translator's networks play as one?"""

import keras
import numpy as np

from ganlab import networks
from ganlab.models import pairs


def test_discriminators_side_by_side_judge_their_own():
    one, other = (
        networks.patch_discriminator(16, channels, base_filters=4, stages=1, name=name)
        for channels, name in ((3, "one"), (1, "other"))
    )
    both = pairs.side_by_side(one, other)
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 4)).astype("float32")
    logits = both(images).numpy()
    expected = [one(images[..., :3]), other(images[..., 3:])]
    expected = np.concatenate([x.numpy().reshape(2, -1) for x in expected], axis=1)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_what_plays_together_is_trained_together():
    parts = [keras.layers.Dense(2), keras.layers.Dense(3)]
    for part in parts:
        part.build((None, 4))
    together = pairs.Together(parts)
    assert len(together.trainable_variables) == 4


def test_patches_are_those_of_named_layers():
    generator = networks.unet_generator(16, base_filters=4, stages=2)
    shapes = [tuple(x.shape) for x in pairs.encoder(generator, None).outputs]
    assert shapes == [(None, 8, 8, 4), (None, 4, 4, 8)]
