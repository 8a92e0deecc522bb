"""Resizing is Pillow's, and grey images are repeated for colours."""

import numpy as np
import pytest
from PIL import Image

from ganlab.errors import UserError
from ganlab.features.resizing import resized, with_channels


def test_images_are_resized_as_pillow_does():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 28, 28, 2)).astype(np.float32)
    channel = Image.fromarray(images[1, :, :, 1])
    expected = channel.resize((16, 16), Image.Resampling.BICUBIC)
    smaller = resized(images, 16, Image.Resampling.BICUBIC)
    assert smaller.shape == (2, 16, 16, 2)
    np.testing.assert_array_equal(smaller[1, :, :, 1], np.asarray(expected))
    assert resized(images, 28, Image.Resampling.BICUBIC) is images


def test_grey_images_are_repeated_and_colours_refused():
    grey = np.random.default_rng(0).uniform(size=(2, 4, 4, 1))
    np.testing.assert_array_equal(with_channels(grey, 3), np.repeat(grey, 3, axis=-1))
    assert with_channels(grey, 1) is grey
    with pytest.raises(UserError, match="images of 1 channels.*Received: 3"):
        with_channels(np.zeros((2, 4, 4, 3)), 1)
