"""Are random numbers drawn as asked, and is any range that of [-1, 1]?"""

import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives.augmentation import Augmentation, DiffAugment
from ganlab.objectives.augmentation.base import Random, per_image, to_computed

COUNT = 100_000


@pytest.fixture
def random():
    return Random(tf.constant([0, 0], tf.int64), tf.zeros((COUNT, 1)))


def test_uniform_and_normal_numbers(random):
    uniform = random.uniform(-0.5, 1.5).numpy()
    assert uniform.shape == (COUNT,)
    assert -0.5 <= uniform.min() < -0.499
    assert 1.499 < uniform.max() < 1.5
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    normal = random.normal(0.2).numpy()
    assert normal.mean() == pytest.approx(0.0, abs=0.003)
    assert normal.std() == pytest.approx(0.2, abs=0.003)
    assert abs(np.corrcoef(uniform, normal)[0, 1]) < 0.02


def test_integers_are_equally_likely(random):
    values, counts = np.unique(random.below(9).numpy(), return_counts=True)
    assert values.tolist() == list(range(9))
    np.testing.assert_allclose(counts / COUNT, 1 / 9, atol=0.005)


def test_coins_fall_with_their_probability(random):
    assert not random.coin(0.0).numpy().any()
    assert random.coin(1.0).numpy().all()
    assert random.coin(0.3).numpy().mean() == pytest.approx(0.3, abs=0.006)


def test_values_stand_beside_images():
    images = tf.zeros((2, 3, 3, 1), tf.float64)
    values = per_image(tf.constant([1.0, 2.0]), images)
    assert values.shape == (2, 1, 1, 1)
    assert values.dtype == tf.float64


def test_what_is_computed_in():
    for dtype, computed in (("float16", "float32"), ("float64", "float64")):
        assert to_computed(tf.zeros((1, 2, 2, 1), dtype)).dtype == computed


def test_unknown_sizes_are_refused():
    @tf.function(
        autograph=False, input_signature=[tf.TensorSpec((None, None, None, 3))]
    )
    def compute(images):
        return to_computed(images)

    with pytest.raises(UserError, match=r"None, None, 3\); set it with tf.ensure_sh"):
        compute(np.zeros((1, 2, 2, 3), "float32"))


@pytest.mark.parametrize("image_range", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_any_range_is_augmented_as_minus_one_to_one(image_range):
    low, high = image_range
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype("float32")
    seed = tf.constant([3, 0], tf.int64)
    expected = DiffAugment().augment(images, seed)
    unit = low + (images + 1) * (high - low) / 2
    out = DiffAugment().augment_range(unit, seed, image_range)
    np.testing.assert_allclose((out - low) * 2 / (high - low) - 1, expected, atol=2e-6)


class Cropping(Augmentation):
    def augment(self, images, seed):
        return images[:, 1:]


class Widening(Augmentation):
    def augment(self, images, seed):
        return tf.cast(images, tf.float32) + 0.25


def test_an_own_augmentation_keeps_shape_and_dtype():
    images = tf.zeros((2, 4, 4, 1), tf.float16)
    with pytest.raises(UserError, match=r"\(2, 4, 4, 1\) from Cropping.augment. Rec"):
        Cropping().augment_range(images, None, (-1.0, 1.0))
    out = Widening().augment_range(images, None, (-1.0, 1.0))
    assert out.dtype == tf.float16
    assert float(out[0, 0, 0, 0]) == 0.25


def test_a_base_augmentation_transforms_nothing():
    with pytest.raises(NotImplementedError):
        Augmentation().augment(tf.zeros((1, 2, 2, 1)), None)
