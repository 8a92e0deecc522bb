"""What is given as data becomes samples for the probe, and pictures for scores."""

import numpy as np
import pytest
import tensorflow as tf

from ganlab.callbacks.watched_data import read_data
from ganlab.errors import UserError

SHAPE = (4, 4, 1)
PIXELS = np.arange(96, dtype=np.uint8).reshape(6, *SHAPE) * 2


def test_pixels_are_scaled_to_the_generators_range():
    for value_range in ((-1.0, 1.0), (0.0, 1.0)):
        read = read_data(PIXELS, SHAPE).brought_to(value_range)
        low, high = value_range
        expected = low + (high - low) * PIXELS / 255.0
        np.testing.assert_allclose(read.samples, expected, atol=1e-6)
        np.testing.assert_array_equal(read.stored.images, PIXELS)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)])
def test_floats_are_left_as_the_networks_take_them(low, high):
    floats = (low + (high - low) * PIXELS / 255.0).astype(np.float32)
    read = read_data(floats, SHAPE)
    np.testing.assert_array_equal(read.brought_to((0.0, 9.0)).samples, floats)
    np.testing.assert_allclose(read.stored.images, PIXELS, atol=1)


def test_labels_come_in_a_pair_or_in_batches():
    labels = np.array([0, 1, 2, 0, 1, 2])
    hot = np.eye(3, dtype=np.float32)[labels]
    dataset = tf.data.Dataset.from_tensor_slices((PIXELS, labels)).batch(4)
    for data in ((PIXELS, labels), (PIXELS, hot), dataset):
        read = read_data(data, SHAPE)
        np.testing.assert_array_equal(read.labels, labels)
        assert read.stored.class_names == ("0", "1", "2")
        np.testing.assert_array_equal(read.stored.images, PIXELS)
    assert read.batch_size == 4


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (PIXELS[:, :2], "images of shape"),
        (np.array(["a"]), "array of images"),
        (tf.data.Dataset.from_tensor_slices(PIXELS[:0]).batch(2), "an empty one"),
    ],
    ids=["shape", "words", "empty"],
)
def test_what_is_no_data_is_refused(data, says):
    with pytest.raises(UserError, match=says):
        read_data(data, SHAPE)
