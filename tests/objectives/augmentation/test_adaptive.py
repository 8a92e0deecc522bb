"""Is ADA drawn as its authors draw it, and does p follow the signs?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives.augmentation import AdaptiveAugment
from ganlab.objectives.augmentation.base import Random

COUNT = 40_000
SIDE = 32
P = 0.5
SEED = tf.constant([0, 0], tf.int64)


def adaptive_at(probability):
    adaptive = AdaptiveAugment(limit=1.0)
    adaptive.probability.assign(probability)
    return adaptive


@pytest.fixture(scope="module")
def drawn():
    """Matrices of many images, `(COUNT, 3, 3)`, in float64."""
    random = Random(SEED, tf.zeros((COUNT, 1)))
    matrices = adaptive_at(P).draw_geometry(random, SIDE, SIDE).numpy()
    return matrices.astype("float64")


def share(condition):
    return pytest.approx(np.mean(condition), abs=0.01)


def test_half_of_the_mirrored_are_as_they_were(drawn):
    assert share(np.linalg.det(drawn[:, :2, :2]) < 0) == P / 2


def test_scales_are_drawn_once_for_both_axes(drawn):
    log_scale = -0.5 * np.log2(np.abs(np.linalg.det(drawn[:, :2, :2])))
    scaled = np.abs(log_scale) > 1e-5
    assert share(scaled) == P
    assert log_scale[scaled].mean() == pytest.approx(0.0, abs=0.006)
    assert log_scale[scaled].std() == pytest.approx(0.2, abs=0.006)


def test_stretches_keep_the_area(drawn):
    singular = np.linalg.svd(drawn[:, :2, :2], compute_uv=False)
    log_stretch = 0.5 * np.log2(singular[:, 0] / singular[:, 1])
    stretched = log_stretch > 1e-4
    assert share(stretched) == P
    deviation = np.sqrt(np.mean(log_stretch[stretched] ** 2))
    assert deviation == pytest.approx(0.2, abs=0.006)


def turns_of(matrices):
    """Angles in quarter turns of those that are not stretched."""
    singular = np.linalg.svd(matrices[:, :2, :2], compute_uv=False)
    plain = matrices[singular[:, 0] < singular[:, 1] * 1.0001]
    return np.arctan2(plain[:, 0, 1], plain[:, 0, 0]) / (np.pi / 2)


def test_half_are_turned_by_any_angle_once_or_twice(drawn):
    turns = turns_of(drawn)
    odd = np.abs(turns - np.round(turns)) > 1e-4
    assert np.mean(odd) == pytest.approx(P, abs=0.015)
    counts, _ = np.histogram(turns[odd], bins=8, range=(-2, 2))
    np.testing.assert_allclose(counts / odd.sum(), 1 / 8, atol=0.015)


def test_quarter_turns_are_equally_likely(drawn):
    """An eighth of all by one, two and three quarters; mirrored ones half around."""
    matrices = drawn[np.linalg.det(drawn[:, :2, :2]) > 0]
    turns = turns_of(matrices)
    exact = turns[np.abs(turns - np.round(turns)) < 1e-4]
    counts = np.bincount(np.round(exact).astype(int) % 4, minlength=4)
    expected = [1 - 3 * P / 4, P / 4, P / 4, P / 4]
    np.testing.assert_allclose(counts / counts.sum(), expected, atol=0.02)


def test_one_coin_moves_both_axes_by_whole_pixels(drawn):
    shifts = drawn[:, :2, 2]
    whole = (np.abs(shifts - np.round(shifts)) < 1e-4).all(axis=1)
    assert share(whole) == 1 - P  # the others are moved by fractions
    shifts = np.round(shifts[whole])
    counts = np.bincount(np.abs(shifts[:, 0]).astype(int), minlength=5) / len(shifts)
    # Rounded from (-4, 4): 1/8 each, and 1/16 at either end.
    expected = P * np.array([1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8])
    expected[0] += 1 - P
    np.testing.assert_allclose(counts, expected, atol=0.015)
    both = np.mean((shifts != 0).all(axis=1))
    assert both == pytest.approx(P * (7 / 8) ** 2, abs=0.015)
    moved = np.mean((shifts != 0).any(axis=1))
    assert moved == pytest.approx(P * (1 - 1 / 64), abs=0.015)


def test_fractions_are_gaussian_in_the_side():
    random = Random(SEED, tf.zeros((COUNT, 1)))
    matrices = adaptive_at(P).draw_geometry(random, SIDE, 2 * SIDE).numpy()
    shifts = matrices[:, :2, 2].astype("float64")
    singular = np.linalg.svd(matrices[:, :2, :2], compute_uv=False)
    unturned = (np.abs(matrices[:, 0, 1]) < 1e-6) & (np.abs(singular[:, 0] - 1) < 1e-4)
    unturned &= (np.abs(shifts - np.round(shifts)) > 1e-3).all(axis=1)
    # A whole shift of variance side² / 192 + 1/12 to 1/6 may have come before.
    for axis, side in ((0, SIDE), (1, 2 * SIDE)):
        variance = np.var(shifts[unturned, axis])
        whole = P * np.mean(np.round(np.linspace(-side / 8, side / 8, 100_001)) ** 2)
        assert variance == pytest.approx((side / 8) ** 2 + whole, rel=0.08)


def colours_of(base):
    """What a constant colour becomes in many images, `(COUNT, channels)`."""
    images = np.broadcast_to(np.float32(base), (COUNT, 1, 1, len(base)))
    return adaptive_at(P).augment(images, SEED).numpy()[:, 0, 0].astype("float64")


def test_colours_are_drawn_as_published():
    black = colours_of([0, 0, 0])
    assert np.ptp(black, axis=1).max() < 1e-6  # brightness, contrast, flip are of grey
    linear = np.stack([colours_of(c) - black for c in np.eye(3)], axis=2)
    grey = linear.sum(axis=(1, 2)) / 3
    assert share(grey < 0) == P / 2  # luma flip
    log_contrast = np.log2(np.abs(grey))
    changed = np.abs(log_contrast) > 1e-5
    assert share(changed) == P
    assert log_contrast[changed].std() == pytest.approx(0.5, abs=0.015)
    brightness = black[:, 0] / grey
    changed = np.abs(brightness) > 1e-6
    assert share(changed) == P
    assert brightness[changed].std() == pytest.approx(0.2, abs=0.006)
    # Of the colours orthogonal to grey: a turn and a factor.
    first = np.array([2.0, -1.0, -1.0]) / np.sqrt(6.0)
    second = np.array([0.0, 1.0, -1.0]) / np.sqrt(2.0)
    turned = linear @ first / np.abs(grey)[:, None]
    log_saturation = np.log2(np.linalg.norm(turned, axis=1))
    changed = np.abs(log_saturation) > 1e-4
    assert share(changed) == P
    assert log_saturation[changed].std() == pytest.approx(1.0, abs=0.03)
    hue = np.arctan2(turned @ second, turned @ first)
    changed = np.abs(hue) > 1e-4
    assert share(changed) == P
    counts, _ = np.histogram(hue[changed], bins=8, range=(-np.pi, np.pi))
    np.testing.assert_allclose(counts / changed.sum(), 1 / 8, atol=0.012)


def test_grey_images_have_brightness_contrast_and_flip():
    black, white = colours_of([0.0])[:, 0], colours_of([1.0])[:, 0]
    factor = white - black
    assert share(factor < 0) == P / 2
    changed = np.abs(np.log2(np.abs(factor))) > 1e-5
    assert share(changed) == P
    assert (black / factor)[black != 0].std() == pytest.approx(0.2, abs=0.006)


def test_many_colours_have_saturation_without_hue():
    black, first, second = (
        colours_of(c) for c in (np.zeros(5), np.eye(5)[0], np.eye(5)[1])
    )
    assert np.ptp(black, axis=1).max() < 1e-6
    # The chroma of one colour keeps its direction: the others stay equal.
    assert np.ptp((first - black)[:, 1:], axis=1).max() < 1e-5
    assert not np.allclose(first, second)


def test_nothing_changes_at_probability_0():
    images = np.random.default_rng(0).uniform(-1, 1, (8, 12, 10, 3)).astype("float32")
    out = AdaptiveAugment().augment(images, SEED)
    np.testing.assert_allclose(out, images, atol=2e-6)


def test_everything_changes_at_probability_1():
    random = Random(SEED, tf.zeros((1000, 1)))
    matrices = adaptive_at(1.0).draw_geometry(random, SIDE, SIDE).numpy()
    assert np.isfinite(matrices).all()
    assert (np.abs(matrices - np.eye(3)).max(axis=(1, 2)) > 1e-4).all()


def test_geometry_keeps_constant_images():
    grey = np.zeros((64, 12, 10, 1), "float32")
    out = adaptive_at(0.8).augment(grey + 0.5, SEED).numpy()
    assert np.ptp(out, axis=(1, 2)).max() < 1e-5


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


def test_the_authors_speed():
    """500,000 images take p from 0 to 1, and patches count as one image."""
    adaptive = AdaptiveAugment()
    for _ in range(4):
        adaptive.after_step(np.ones((64, 5, 5, 1), "float32"))
    assert float(adaptive.probability) == pytest.approx(4 * 64 / 500_000)


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
    with pytest.raises(UserError, match=r"target in \(0, 1\)"):
        AdaptiveAugment(target=1.5)


def test_margins_in_float64_move_the_probability_too():
    adaptive = AdaptiveAugment()
    for _ in range(4):
        adaptive.after_step(tf.ones((64, 1), "float64"))
    assert adaptive.probability > 0
