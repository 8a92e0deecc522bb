"""Are affine maps exact where they can be, reflected, and filtered as stated?"""

import numpy as np
import pytest
import tensorflow as tf

from ganlab import load_data
from ganlab.objectives.augmentation import geometry
from ganlab.objectives.augmentation.geometry import (
    SYM6,
    bilinear,
    resample,
    rotation,
    scaling,
    translation,
    upsampling,
)

ONE = tf.ones(1)


def draw(height, width, channels=1):
    shape = (1, height, width, channels)
    return np.random.default_rng(1).uniform(-1, 1, shape).astype("float32")


def reflected(image, down, right):
    """The image moved by whole pixels, reflected at its borders."""
    height, width = image.shape[:2]
    padded = np.pad(image, [(height - 1,) * 2, (width - 1,) * 2, (0, 0)], "reflect")
    rows, columns = height - 1 - down, width - 1 - right
    return padded[rows : rows + height, columns : columns + width]


def test_sym6_is_an_orthonormal_wavelet_with_six_vanishing_moments():
    for shift in range(6):
        product = np.dot(SYM6[2 * shift :], SYM6[: 12 - 2 * shift])
        assert product == pytest.approx(float(shift == 0), abs=1e-10)
    assert SYM6.sum() == pytest.approx(np.sqrt(2.0))
    signs = (-1.0) ** np.arange(12)
    for power in range(6):
        moment = np.sum(signs * SYM6 * (np.arange(12) - 5.5) ** power)
        assert moment == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("side", [1, 2, 3, 8, 15])
def test_upsampling_keeps_pixels_and_constants(side):
    matrix = upsampling(side)
    assert matrix.shape == (2 * side, side)
    np.testing.assert_allclose(matrix[::2], np.eye(side), atol=1e-10)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-10)


def test_upsampling_equals_filtering_twice():
    """Zeros between reflected pixels, filtered with sym6 there and back."""
    pixels = draw(9, 1)[0, :, 0, 0].astype("float64")
    zeros = np.zeros(2 * 25)
    zeros[::2] = np.pad(pixels, 8, "reflect")
    there = np.convolve(zeros, SYM6)
    back = np.convolve(there, SYM6[::-1])[len(SYM6) - 1 :]
    np.testing.assert_allclose(upsampling(9) @ pixels, back[16:34], atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (scaling(ONE, -ONE), lambda x: x[:, ::-1]),
        (rotation(ONE * np.pi / 2), lambda x: np.rot90(x, axes=(0, 1))),
        (translation(2 * ONE, -ONE), lambda x: reflected(x, 2, -1)),
        (translation(-5 * ONE, 5 * ONE), lambda x: reflected(x, -5, 5)),
        (translation(10 * ONE, -20 * ONE), lambda x: x),  # whole periods
    ],
)
def test_mirrors_turns_and_whole_shifts_are_exact(matrix, expected):
    square = draw(6, 6, 3)
    out = resample(tf.constant(square), matrix).numpy()
    np.testing.assert_allclose(out[0], expected(square[0]), atol=2e-5)


def test_a_half_pixel_is_a_sample_between():
    image = draw(8, 5)
    out = resample(tf.constant(image), translation(-0.5 * ONE, 0 * ONE)).numpy()
    samples = upsampling(8)[1::2] @ image[0, :, :, 0]
    np.testing.assert_allclose(out[0, ..., 0], samples, atol=1e-5)


def test_a_wave_is_moved_by_a_third_of_a_pixel():
    """Where averages of two neighbours would lose a fifth of it."""
    rows = np.arange(48.0)
    period = 47 / 8  # whole half periods fit between the borders
    wave = np.cos(2 * np.pi * rows / period).astype("float32")
    image = np.repeat(wave[None, :, None, None], 2, axis=2)
    out = resample(tf.constant(image), translation(ONE / 3, 0 * ONE)).numpy()
    expected = np.cos(2 * np.pi * (rows - 1 / 3) / period)
    np.testing.assert_allclose(out[0, 4:-4, 0, 0], expected[4:-4], atol=0.08)
    two = (2 * wave[4:-4] + wave[3:-5]) / 3
    error = np.abs(out[0, 4:-4, 0, 0] - expected[4:-4]).max()
    assert error < 0.6 * np.abs(two - expected[4:-4]).max()


def test_scaling_enlarges_about_the_centre():
    image = np.full((1, 16, 16, 1), -1.0, "float32")
    image[0, 6:10, 6:10] = 1.0
    out = resample(tf.constant(image), scaling(2 * ONE, 2 * ONE)).numpy()[0, ..., 0]
    np.testing.assert_allclose(out, out[::-1], atol=1e-5)
    assert (out > 0).sum() == pytest.approx(64, abs=4)
    assert (out[4:12, 4:12] > 0).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (12, 7)])
def test_a_constant_image_stays_constant(size):
    image = tf.fill((3, *size, 2), 0.7)
    matrix = scaling(tf.fill(3, 0.2), tf.fill(3, 0.7)) @ translation(
        tf.constant([0.3, 40.0, -90.0]), tf.constant([0.1, 7.7, 0.0])
    )
    np.testing.assert_allclose(resample(image, matrix), image, atol=1e-5)


def published(image, matrix):
    """An image as ADA's authors resample it, here reflected without end.

    Zeros between its pixels, filtered by sym6; read bilinearly at twice the density,
    three pixels further on every side; filtered by sym6 the other way about, of which
    every second value is kept. Pixel `i` is sample `2 i` of either.
    """
    far, taps = 60, SYM6 / SYM6.sum()
    (height, width), (down, right) = image.shape, (np.array(image.shape) - 1) / 2
    samples = np.pad(image, far, "reflect")
    for _ in range(2):
        zeros = np.zeros((2 * len(samples), samples.shape[1]))
        zeros[::2] = samples
        columns = [np.convolve(column, 2 * taps)[5:-6] for column in zeros.T]
        samples = np.array(columns)  # turned about, and back in the second round
    rows = np.arange(2 * height + 12) / 2 - 3 - down
    columns = np.arange(2 * width + 12) / 2 - 3 - right
    pixels = np.stack(np.meshgrid(rows, columns, indexing="ij")).reshape(2, -1)
    positions = matrix[:2, :2] @ pixels + matrix[:2, 2:] + [[down], [right]]
    near = np.floor(2 * positions).astype(int)
    fraction = 2 * positions - near
    read = 0.0
    for corner in np.ndindex(2, 2):
        weight = np.abs(1 - np.array(corner)[:, None] - fraction).prod(axis=0)
        read += weight * samples[tuple(near + 2 * far + np.array(corner)[:, None])]
    read = read.reshape(len(rows), len(columns))
    for side in (height, width):
        read = sum(taps[k] * read[k + 1 : k + 1 + 2 * side : 2] for k in range(12)).T
    return read


@pytest.mark.parametrize(
    ("matrix", "low", "high"),
    [
        (translation(ONE / 3, -0.7 * ONE), 0.0, 1e-5),
        (translation(3 * ONE, -40.2 * ONE), 0.0, 1e-5),
        (scaling(1.15 * ONE, 1.15 * ONE), 0.01, 0.03),
        (scaling(0.87 * ONE, 0.87 * ONE), 0.01, 0.03),
        (scaling(ONE, -ONE), 0.03, 0.05),
        (rotation(0.5 * ONE), 0.02, 0.04),
    ],
    ids=["shift", "long shift", "enlarged", "reduced", "mirror", "turn"],
)
def test_how_far_it_is_from_the_authors_filter(matrix, low, high):
    """Pictures of Fashion-MNIST have a deviation of 0.7."""
    images = load_data("fashion_mnist").images[:20].astype("float32") / 127.5 - 1
    received = resample(tf.constant(images), tf.repeat(matrix, 20, axis=0)).numpy()
    expected = [published(image, matrix[0].numpy()) for image in images[..., 0]]
    error = np.sqrt(np.mean((received[..., 0] - expected) ** 2))
    assert low <= error <= high


def test_tables_are_read_by_hand():
    table = np.arange(12.0, dtype="float32").reshape(1, 3, 4, 1)
    positions = np.array([[[0.0, 0.5, 1.0, -0.5, 1.5], [0.0, 0.25, 2.0, -1.0, 3.0]]])
    out = bilinear(tf.constant(table), tf.constant(positions, tf.float32))
    # Reflected at row 1 and column 2: (-0.5, -1) is (0.5, 1), (1.5, 3) is (0.5, 1).
    np.testing.assert_allclose(out[0, :, 0], [0.0, 2.25, 6.0, 3.0, 3.0])


def test_matrices_have_a_row_for_each():
    matrix = geometry.matrices([[1.0, 2.0 * ONE, 3.0], [0.0, 1.0, 0.0]])
    np.testing.assert_array_equal(matrix[0], [[1, 2, 3], [0, 1, 0]])
