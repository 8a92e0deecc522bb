"""The networks of drawn cases fit together, whatever was drawn."""

import keras
import numpy as np
import pytest

from ganlab.labs.case_networks import build_discriminator, build_generator
from ganlab.labs.cases import Case

PLAIN = Case(0, "keras", "mnist", width=4, latent_dim=3)
CHANGES = [
    {},
    {"generator": "resized", "discriminator": "pooled"},
    {"generator": "dense", "discriminator": "dense", "generator_normalization": "none"},
    {"discriminator_normalization": "layer", "end": "sigmoid", "blind": True},
    {"latent_gain": 0.0, "output_gain": 3.0, "kernel_size": 3},
]
SHAPE = (16, 16, 3)


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize("classes", [0, 4])
def test_images_have_the_shape_and_answers_are_one_each(changes, classes):
    case = PLAIN.replace(**changes)
    latents = keras.ops.ones((2, 3))
    labels = keras.ops.convert_to_tensor(np.array([0, 1], np.int32))
    generator = build_generator(case, SHAPE, classes)
    discriminator = build_discriminator(case, SHAPE, classes)
    images = generator([latents, labels] if classes else latents)
    answers = discriminator([images, labels] if classes else images)
    assert images.shape == (2, *SHAPE)
    assert answers.shape == (2, 1)


def test_unused_latents_and_labels_change_nothing():
    case = PLAIN.replace(latent_gain=0.0, labels_used=False)
    generator = build_generator(case, SHAPE, 4)
    labels = np.array([0, 1], np.int32)
    images = np.asarray(generator([np.eye(2, 3, dtype=np.float32), labels]))
    np.testing.assert_array_equal(images[0], images[1])
