"""Is DiffAugment drawn as its authors draw it, and applied in the order given?"""

import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives.augmentation import DiffAugment

COUNT = 20_000


def augment(policy, images, seed=0):
    images = np.asarray(images, "float32")
    return DiffAugment(policy).augment(images, tf.constant([seed, 0], tf.int64)).numpy()


def shifts_of(height, width):
    """Shifts of the middle pixel of many images, `(COUNT, 2)`."""
    images = np.zeros((COUNT, height, width, 1), "float32")
    images[:, height // 2, width // 2] = 1.0
    places = np.argwhere(augment("translation", images)[..., 0] == 1.0)
    assert len(places) == COUNT
    return places[:, 1:] - [height // 2, width // 2]


@pytest.mark.parametrize(("side", "most"), [(4, 1), (12, 2), (16, 2), (28, 4), (32, 4)])
def test_every_shift_is_equally_likely(side, most):
    down = shifts_of(side, 8)[:, 0]
    values, counts = np.unique(down, return_counts=True)
    assert values.tolist() == list(range(-most, most + 1))
    np.testing.assert_allclose(counts / COUNT, 1 / (2 * most + 1), atol=0.013)


def test_axes_shift_independently():
    shifts = shifts_of(12, 28)
    assert np.abs(shifts).max(axis=0).tolist() == [2, 4]
    joint = np.mean((shifts == [0, 0]).all(axis=1))
    assert joint == pytest.approx(1 / 5 / 9, abs=0.005)


def test_what_comes_from_outside_is_0():
    image = np.random.default_rng(0).uniform(1, 2, (1, 8, 8, 3))
    for out in augment("translation", np.repeat(image, 40, axis=0)):
        matches = 0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                padded = np.pad(image[0], [(1, 1), (1, 1), (0, 0)])
                moved = padded[1 - down : 9 - down, 1 - right : 9 - right]
                matches += np.allclose(out, moved)
        assert matches == 1


@pytest.mark.parametrize(("side", "size"), [(1, 1), (2, 1), (5, 3), (12, 6), (28, 14)])
def test_cutout_has_its_centre_anywhere(side, size):
    """Rows blanked, from 0 to side less 1, even sizes half a pixel further."""
    kept = augment("cutout", np.ones((COUNT, side, 3, 1)))[..., 0]
    rows = (kept == 0).any(axis=2)
    # Independently: the first and last row of each window, drawn one by one.
    centres = np.arange(side + (1 - size % 2))
    starts = np.clip(centres - size // 2, 0, None)
    ends = np.clip(centres - size // 2 + size, None, side)
    expected = np.zeros((len(centres), side))
    for line, (start, end) in enumerate(zip(starts, ends, strict=True)):
        expected[line, start:end] = 1.0
    np.testing.assert_allclose(rows.mean(axis=0), expected.mean(axis=0), atol=0.015)
    assert {*rows.sum(axis=1)} == {*(ends - starts)}
    assert {*np.unique(kept)} == {0.0, 1.0} or side == 1


def test_cutout_blanks_a_rectangle():
    kept = augment("cutout", np.ones((64, 12, 9, 2)))
    np.testing.assert_array_equal(kept[..., 0], kept[..., 1])
    for image in kept[..., 0]:
        rows = (image == 0).any(axis=1)
        columns = (image == 0).any(axis=0)
        np.testing.assert_array_equal(image == 0, rows[:, None] & columns)


def test_colour_is_drawn_from_the_stated_ranges():
    """From a grey pixel, a red one and their mean: contrast, saturation, brightness."""
    image = np.zeros((1, 1, 2, 3), "float32")
    image[0, 0, 1] = [1.0, 0.0, 0.0]
    out = augment("color", np.repeat(image, COUNT, axis=0))
    brightness = out.mean(axis=(1, 2, 3)) - image.mean()
    contrast = (out[:, 0, 1].mean(axis=1) - out[:, 0, 0].mean(axis=1)) * 3.0
    saturation = (out[:, 0, 1, 0] - out[:, 0, 1, 1]) / contrast
    for values, low, high in (
        (brightness, -0.5, 0.5),
        (contrast, 0.5, 1.5),
        (saturation, 0.0, 2.0),
    ):
        shares, _ = np.histogram(values, bins=10, range=(low, high))
        assert shares.sum() >= COUNT - 5
        np.testing.assert_allclose(shares / COUNT, 0.1, atol=0.01)
    assert np.abs(np.corrcoef([brightness, contrast, saturation])).sum() < 3.2


def test_grey_images_have_no_saturation():
    image = np.array([-0.5, 0.5]).reshape(1, 1, 2, 1)
    out = augment("color", np.repeat(image, COUNT, axis=0))[..., 0]
    contrast = out[:, 0, 1] - out[:, 0, 0]
    assert 0.5 <= contrast.min() < 0.51
    assert 1.49 < contrast.max() <= 1.5


def test_policies_are_applied_in_the_order_given():
    images = np.random.default_rng(0).uniform(2, 3, (32, 8, 8, 3))
    blanked = augment("color,cutout", images) == 0.0
    assert 0.1 < blanked.mean() < 0.3
    assert not (augment("cutout,color", images) == 0.0).any()


def test_a_policy_may_come_twice():
    images = np.ones((200, 8, 8, 1))
    once = (augment("cutout", images) == 0).mean()
    twice = (augment("cutout,cutout", images) == 0).mean()
    assert twice > 1.3 * once


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("colour", "one of: color, translation, cutout. Received: 'colour'"),
        ("", "Received: ''"),
        (["color"], r"policy=\['color'\]; join"),
    ],
)
def test_wrong_policies_are_refused(policy, message):
    with pytest.raises(UserError, match=message):
        DiffAugment(policy)
