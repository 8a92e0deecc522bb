"""Are augmentations exact, differentiable, and adapted as the paper says?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives.augmentation import AdaptiveAugment, DiffAugment


def stream(seed):
    return tf.constant([seed, 0], tf.int64)


@pytest.fixture
def pictures():
    """Eight random images of 12 by 10 pixels in colour."""
    draws = np.random.default_rng(0)
    return draws.uniform(-1, 1, (8, 12, 10, 3)).astype("float32")


def shifted(image, down, right):
    """The image moved by whole pixels, 0 where nothing came from."""
    height, width = image.shape[:2]
    out = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                out[row, column] = image[row - down, column - right]
    return out


def test_translation_moves_by_up_to_an_eighth_in_whole_pixels(pictures):
    moved = np.concatenate(
        [DiffAugment("translation").augment(pictures, stream(s)) for s in range(6)]
    )
    shifts = set()
    for index, image in enumerate(moved):
        original = pictures[index % 8]
        matches = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-1, 2)
            if np.allclose(image, shifted(original, down, right), atol=1e-5)
        ]
        assert len(matches) == 1
        shifts.add(matches[0])
    assert len(shifts) > 6


def test_cutout_blanks_a_square_of_half_the_side(pictures):
    ones = np.ones((64, 12, 12, 1), "float32")
    kept = DiffAugment("cutout").augment(ones, stream(0)).numpy()[..., 0]
    assert set(np.unique(kept)) == {0.0, 1.0}
    for image in kept:
        rows = np.flatnonzero((image == 0).any(axis=1))
        columns = np.flatnonzero((image == 0).any(axis=0))
        assert (image[np.ix_(rows, columns)] == 0).all()
        assert 3 <= len(rows) <= 6
        assert 3 <= len(columns) <= 6
    assert (kept == 0).any(axis=0).all()  # every place is blanked now and then


def test_colour_by_hand(pictures):
    out = DiffAugment("color").augment(pictures, stream(3)).numpy()
    for before, after in zip(pictures, out, strict=True):
        # Brightness, saturation and contrast: affine in the pixel and its grey.
        grey = before.mean(axis=2)
        columns = np.stack([before[..., 0], grey, np.ones_like(grey)], -1)
        fit, *_ = np.linalg.lstsq(
            columns.reshape(-1, 3), after[..., 0].ravel(), rcond=None
        )
        np.testing.assert_allclose(columns @ fit, after[..., 0], atol=1e-5)
        contrast = fit[0] + fit[1]
        assert 0.5 <= contrast <= 1.5
        assert 0.0 <= fit[0] / contrast <= 2.0
        assert abs(after.mean() - before.mean()) <= 0.5


def test_same_stream_same_images_and_no_two_alike(pictures):
    same = np.repeat(pictures[:1], 8, axis=0)
    adaptive = AdaptiveAugment()
    adaptive.probability.assign(0.8)
    for augmentation in (DiffAugment(), adaptive):
        one, again, other = (
            augmentation.augment(same, stream(s)).numpy() for s in (1, 1, 2)
        )
        np.testing.assert_array_equal(one, again)
        assert not np.allclose(one, other)
        assert not np.allclose(one[0], one[1])


def test_adaptive_is_the_identity_at_probability_0(pictures):
    out = AdaptiveAugment().augment(pictures, stream(0))
    np.testing.assert_allclose(out, pictures, atol=1e-5)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (lambda one: augmentations.scaling(one, -one), lambda x: x[:, ::-1]),
        (
            lambda one: augmentations.rotation(one * np.pi / 2),
            lambda x: np.rot90(x, axes=(0, 1)),
        ),
        (
            lambda one: augmentations.translation(2 * one, -one),
            lambda x: shifted(x, 2, -1),
        ),
        (
            lambda one: augmentations.translation(0.5 * one, 0 * one),
            lambda x: (x + shifted(x, 1, 0)) / 2,
        ),
    ],
)
def test_sampling_by_hand(matrix, expected):
    draws = np.random.default_rng(1)
    square = draws.uniform(-1, 1, (1, 6, 6, 1)).astype("float32")
    out = augmentations.resample(tf.constant(square), matrix(tf.ones(1))).numpy()
    np.testing.assert_allclose(out[0], expected(square[0]), atol=1e-5)


def test_scaling_enlarges_about_the_centre():
    image = np.zeros((1, 8, 8, 1), "float32")
    image[0, 3:5, 3:5] = 1.0
    out = augmentations.resample(
        tf.constant(image), augmentations.scaling(*[2 * tf.ones(1)] * 2)
    )
    assert float(tf.reduce_sum(out)) == pytest.approx(4 * 4.0)
    assert float(out[0, 2, 2, 0]) > 0.5


def test_hue_turns_keep_grey_and_go_around():
    chroma = tf.constant([[[[1.0, 0.0, -1.0]]]])
    third = augmentations.rotate_about_grey(chroma, 2 * np.pi / 3)
    np.testing.assert_allclose(third[0, 0, 0], [-1.0, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("make", [DiffAugment, AdaptiveAugment])
def test_the_gradient_is_the_exact_transpose(pictures, make):
    augmentation = make()
    if augmentation.adapts:
        augmentation.probability.assign(0.8)
    images = tf.constant(pictures)
    direction = tf.random.stateless_normal(images.shape, [0, 0])
    weights = tf.random.stateless_normal(images.shape, [1, 0])
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(weights * augmentation.augment(images, stream(5)))
    slope = float(tf.reduce_sum(tape.gradient(value, images) * direction))
    # Every transformation is affine in the image, so the difference is exact.
    moved = augmentation.augment(images + direction, stream(5))
    still = augmentation.augment(images, stream(5))
    assert slope == pytest.approx(
        float(tf.reduce_sum(weights * (moved - still))), rel=1e-3
    )


def test_probability_follows_the_signs():
    adaptive = AdaptiveAugment(target=0.6, limit=0.1, images_to_full=6400)
    sure, unsure = np.ones((64, 1), "float32"), -np.ones((64, 1), "float32")
    seen = []
    for margins in [sure] * 8 + [unsure] * 4 + [sure] * 100:
        adaptive.after_step(margins)
        seen.append(float(adaptive.probability))
    assert seen[2] == 0.0
    assert seen[3] == pytest.approx(4 * 64 / 6400)  # after every fourth step
    assert seen[7] == pytest.approx(8 * 64 / 6400)
    assert seen[11] == pytest.approx(4 * 64 / 6400)
    assert max(seen) == pytest.approx(0.1)  # capped


def test_r_t_is_compared_with_its_target():
    adaptive = AdaptiveAugment(images_to_full=6400)
    margins = np.array([[1.0]] * 75 + [[-1.0]] * 25, "float32")  # r_t = 0.5
    for _ in range(4):
        adaptive.after_step(margins)
    assert float(adaptive.probability) == 0.0
    margins[75:85] = 1.0  # r_t = 0.7
    for _ in range(4):
        adaptive.after_step(margins)
    assert float(adaptive.probability) > 0.0


@pytest.mark.e2e
def test_state_is_saved_with_the_gan(make_gan, images, tmp_path):
    gan = make_gan(augmentation=AdaptiveAugment(target=0.01, images_to_full=1000))
    gan.augmentation.probability.assign(0.3)
    gan.train_on_batch(images[0])
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.augmentation.target == 0.01
    for before, after in zip(
        gan.augmentation.weights, loaded.augmentation.weights, strict=True
    ):
        assert float(before) == float(after)
    assert float(loaded.augmentation.observed) == 1.0
    one = gan.train_on_batch(images[0], return_dict=True)
    other = loaded.train_on_batch(images[0], return_dict=True)
    assert one["d_loss"] == pytest.approx(other["d_loss"], rel=1e-6)
    assert one["augment_probability"] == pytest.approx(0.3)


def test_wrong_arguments_are_refused():
    with pytest.raises(UserError, match=r"one of: color, translation, cutout"):
        DiffAugment("colour")
    with pytest.raises(UserError, match="none, diffaugment, ada"):
        augmentations.get("flip")
    with pytest.raises(UserError, match=r"target in \(0, 1\)"):
        AdaptiveAugment(target=1.5)
