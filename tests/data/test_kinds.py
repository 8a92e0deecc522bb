"""Kinds of data: what each declares, and how it is looked up."""

import numpy as np
import pytest

from ganlab.callbacks.scalars import SCALARS
from ganlab.config.settings import Recipe
from ganlab.data import kinds
from ganlab.data.kinds import ARRAYS, IMAGES, KINDS, TOY_MIXTURES
from ganlab.data.toy2d import MIXTURES
from ganlab.diagnosis.failures import FAILURES
from ganlab.errors import UserError
from ganlab.metrics import TITLES


def test_the_kind_of_a_spec():
    for spec in MIXTURES:
        assert kinds.of_spec(spec) is TOY_MIXTURES
    for spec in ("fashion_mnist", "folder:ring", "npz:grid.npz", None, ["ring"]):
        assert kinds.of_spec(spec) is IMAGES


def test_the_kind_of_a_shape():
    assert kinds.of_shape((28, 28, 1)) is IMAGES
    assert kinds.of_shape((2,)) is TOY_MIXTURES
    for shape in ((1, 1, 1), (16, 48, 3), (8, 8, 4), (8, 8, 2)):
        assert kinds.of_shape(shape) is IMAGES
    for shape in ((5,), (28, 28), (8, 8, 5), (4, 4, 4, 1)):
        assert kinds.of_shape(shape) is ARRAYS
    with pytest.raises(UserError, match="single numbers"):
        kinds.of_shape(())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_recorded_kind_counts_before_the_spec(kind):
    assert kinds.of_record(kind.name, "fashion_mnist") is kind
    assert kinds.of_record(kind.name, "ring") is kind


@pytest.mark.parametrize("name", [None, "from a newer version", 7, {}])
def test_a_run_without_a_known_kind_has_that_of_its_data(name):
    assert kinds.of_record(name, "ring") is TOY_MIXTURES
    assert kinds.of_record(name, "tfds:cifar10") is IMAGES


def test_shape_size_and_channels():
    assert IMAGES.sample_shape(32, 3) == (32, 32, 3)
    assert TOY_MIXTURES.sample_shape(None, None) == (2,)
    assert IMAGES.image_size((32, 32, 3)) == 32
    assert IMAGES.image_size((32, 48, 3)) == "32x48"
    assert IMAGES.sample_shape("32x48", 4) == (32, 48, 4)
    assert IMAGES.channels((32, 32, 3)) == 3
    assert TOY_MIXTURES.image_size((2,)) is None
    assert TOY_MIXTURES.channels((2,)) is None
    with pytest.raises(UserError, match="image_size=32, channels=None"):
        IMAGES.sample_shape(32, None)


def test_stored_images_become_floats_and_uint8_again():
    stored = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    floats = IMAGES.to_network(stored)
    assert floats.dtype == np.float32
    assert (floats.min(), floats.max()) == (-1.0, 1.0)
    np.testing.assert_array_equal(IMAGES.to_stored(floats), stored)
    np.testing.assert_array_equal(IMAGES.to_network(floats), floats)


def test_images_of_another_range_are_stored_from_black_to_white():
    floats = np.array([0.0, 0.5, 1.0]).reshape(1, 1, 3, 1)
    stored = IMAGES.to_stored(floats, (0.0, 1.0))
    assert stored.ravel().tolist() == [0, 128, 255]
    np.testing.assert_array_equal(ARRAYS.to_stored(floats, (0.0, 1.0)), floats)


def test_toy_samples_are_stored_as_they_are():
    samples = np.array([[-4.0, 3.5], [0.0, 1.0]])
    assert TOY_MIXTURES.to_network(samples).dtype == np.float32
    np.testing.assert_array_equal(TOY_MIXTURES.to_network(samples), samples)
    np.testing.assert_array_equal(TOY_MIXTURES.to_stored(samples), samples)


@pytest.mark.parametrize(
    "images",
    [np.full((2, 4, 4, 1), 200.0), np.full((2, 4, 4, 1), 7), np.full((1, 4, 4, 1), 2)],
)
def test_images_out_of_range_are_refused(images):
    with pytest.raises(UserError, match="Expected uint8 images in .*; scale them"):
        IMAGES.to_network(images)


def test_what_applies():
    assert IMAGES.applies("augmentation")
    assert not TOY_MIXTURES.applies("augmentation")
    assert TOY_MIXTURES.applies("fid")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_does_not_apply_has_a_known_name(kind):
    known = {*FAILURES, *TITLES, *SCALARS, *Recipe.__dataclass_fields__}
    before_training = {"constant_images", "too_few_images"}
    assert kind.without <= known | before_training
