"""What holds of every augmentation: exact gradients, dtypes, sizes, channels, seeds."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlab
from ganlab.errors import UserError
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives.augmentation import (
    AdaptiveAugment,
    Augmentation,
    DiffAugment,
)


def stream(seed):
    return tf.constant([seed, 0], tf.int64)


def make(name):
    augmentation = augmentations.get(name)
    if augmentation.adapts:
        augmentation.probability.assign(0.8)
    return augmentation


def draw(shape, dtype="float32"):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)


NAMES = list(augmentations.AUGMENTATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_same_stream_same_images_and_no_two_alike(name):
    same = np.repeat(draw((1, 12, 10, 3)), 8, axis=0)
    augmentation = make(name)
    one, again, other = (augmentation.augment(same, stream(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    assert not np.allclose(one[0], one[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_the_exact_transpose(name):
    augmentation = make(name)
    images, direction, weights = (
        tf.random.stateless_normal((8, 12, 10, 3), [seed, 0], dtype="float64")
        for seed in range(3)
    )
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(weights * augmentation.augment(images, stream(5)))
    slope = float(tf.reduce_sum(tape.gradient(value, images) * direction))
    # Every transformation is affine in the image, so the difference is exact.
    moved = augmentation.augment(images + direction, stream(5))
    still = augmentation.augment(images, stream(5))
    assert slope == pytest.approx(
        float(tf.reduce_sum(weights * (moved - still))), rel=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_gradients_pass_through(name):
    """As R1 needs them, where it is taken in the image before augmentation."""
    augmentation = make(name)
    images, direction = (
        tf.random.stateless_normal((4, 6, 5, 3), [seed, 0], dtype="float64")
        for seed in range(2)
    )

    def penalty(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            energy = tf.reduce_sum(augmentation.augment(images, stream(5)) ** 2)
        return tf.reduce_sum(tape.gradient(energy, images) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(images)
        value = penalty(images)
    slope = float(tf.reduce_sum(tape.gradient(value, images) * direction))
    # The penalty is quadratic, so the central difference is exact.
    difference = penalty(images + direction) - penalty(images - direction)
    assert slope == pytest.approx(float(difference) / 2, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_images_keep_their_dtype(name, dtype):
    images = draw((8, 9, 7, 3))
    expected = make(name).augment(images, stream(0)).numpy()
    out = make(name).augment(tf.cast(images, dtype), stream(0))
    assert out.dtype == dtype
    tolerance = {"float16": 0.02, "bfloat16": 0.1, "float64": 1e-4}[dtype]
    np.testing.assert_allclose(tf.cast(out, "float32"), expected, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("height", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_images_of_any_size(name, height, width):
    images = draw((16, height, width, 1))
    out = make(name).augment(images, stream(0)).numpy()
    assert out.shape == images.shape
    assert np.isfinite(out).all()
    assert not np.allclose(out, images)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_images_of_any_channels(name, channels):
    images = draw((16, 8, 8, channels))
    out = make(name).augment(images, stream(0)).numpy()
    assert out.shape == images.shape
    assert np.isfinite(out).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_keeps_its_values(name, channels):
    """Colours of opaque images change; opacity moves and is cut out alone."""
    images = np.ones((32, 8, 8, channels), "float32")
    out = make(name).augment(images, stream(0)).numpy()
    opacity = out[..., -1]
    assert (np.isclose(opacity, 1, atol=1e-5) | np.isclose(opacity, 0, atol=1e-5)).all()
    assert not np.allclose(out[..., 0], opacity)


@pytest.mark.e2e
@pytest.mark.parametrize("name", NAMES)
def test_batches_of_unknown_size(name):
    augmentation = make(name)

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3))])
    def augment(images):
        return augmentation.augment(images, stream(0))

    for batch in (1, 5):
        assert augment(draw((batch, 8, 8, 3))).shape == (batch, 8, 8, 3)


@pytest.mark.e2e
@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_a_gan_of_any_channels_trains(name, channels):
    layers = keras.layers
    gan = ganlab.GAN(
        keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(8 * 6 * channels, "tanh"),
                layers.Reshape((8, 6, channels)),
            ]
        ),
        keras.Sequential(
            [keras.Input((8, 6, channels)), layers.Flatten(), layers.Dense(1)]
        ),
    )
    gan.compile("adam", "adam", augmentation=make(name))
    history = gan.fit(draw((16, 8, 6, channels)), batch_size=8, verbose=0).history
    assert np.isfinite([values[-1] for values in history.values()]).all()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8, 3), "uint8"), "floats in .* Received: uint8; divide"),
        (np.zeros((8, 8, 3), "float32"), r"\(8, 8, 3\); set it with"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_wrong_images_are_refused(name, images, message):
    with pytest.raises(UserError, match=message):
        make(name).augment(images, stream(0))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("flip", "one of: none, diffaugment, ada. Received: 'flip'"),
        (DiffAugment, r"the class DiffAugment; write DiffAugment\(\)"),
        (keras.layers.RandomFlip(), "a RandomFlip; write a subclass"),
        (keras.Sequential([keras.layers.RandomFlip()]), "a Sequential; write a sub"),
        (keras.layers.RandomFlip, "the class RandomFlip; write a subclass"),
        (lambda images: images, "a function; write a subclass"),
        (["diffaugment", "ada"], "a list; give one"),
        (True, "a bool; write a subclass"),
    ],
)
def test_what_is_no_augmentation_is_refused(given, message):
    with pytest.raises(UserError, match=message) as error:
        augmentations.get(given)
    assert "\n" not in str(error.value)


def test_names_and_augmentations_are_taken():
    assert augmentations.get(None) is None
    assert augmentations.get("none") is None
    assert isinstance(augmentations.get("ada"), AdaptiveAugment)
    own = Augmentation()
    assert augmentations.get(own) is own
    assert ganlab.augmentation is augmentations
