"""Are colours told from opacity, and do they turn about grey?"""

import numpy as np
import pytest
import tensorflow as tf

from ganlab.objectives.augmentation.colour import luma, on_colours, rotate_about_grey


@pytest.mark.parametrize(
    ("channels", "colours"), [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5)]
)
def test_the_last_of_2_and_4_channels_is_opacity(channels, colours):
    out = on_colours(lambda x: x + 1.0, tf.zeros((1, 2, 2, channels)))
    expected = [1.0] * colours + [0.0] * (channels - colours)
    np.testing.assert_array_equal(out[0, 0, 0], expected)


def test_luma_is_the_mean_of_the_colours():
    assert float(luma(tf.constant([[[[1.0, 2.0, 6.0]]]]))[0, 0, 0, 0]) == 3.0


def test_hue_turns_keep_grey_and_go_around():
    chroma = tf.constant([[[[1.0, 0.0, -1.0]]]])
    third = rotate_about_grey(chroma, 2 * np.pi / 3)
    np.testing.assert_allclose(third[0, 0, 0], [-1.0, 1.0, 0.0], atol=1e-6)
    half = rotate_about_grey(chroma, np.pi)
    np.testing.assert_allclose(half[0, 0, 0], [-1.0, 0.0, 1.0], atol=1e-6)
