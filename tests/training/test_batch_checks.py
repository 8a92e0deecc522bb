"""A batch in every form is read, and what is wrong with it is named."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, UserError, networks
from ganlab.training.batch_checks import check_labels, read_batch
from ganlab.training.gan_checks import check_gan

DRAWS = np.random.default_rng(0)
IMAGES = DRAWS.uniform(-1, 1, (8, 16, 16, 1)).astype("float32")
LABELS = np.arange(8) % 3


@pytest.fixture(scope="module")
def gan():
    """A conditional GAN that ends on tanh."""
    size = {"num_classes": 3, "base_filters": 4}
    gan = GAN(
        networks.dcgan_generator(16, 1, latent_dim=8, **size),
        networks.dcgan_discriminator(16, 1, **size),
        num_classes=3,
    )
    adam = keras.optimizers.Adam
    gan.compile(adam(2e-4, beta_1=0.5), adam(2e-4, beta_1=0.5))
    return gan


class Batches(keras.utils.PyDataset):
    """Two batches of four images."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return IMAGES[4 * index :][:4], LABELS[4 * index :][:4]


def names(problems):
    return [problem.name for problem in problems]


PAIRS = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(8)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES, LABELS),
        (IMAGES.astype("float64"), LABELS.astype("float32")),
        (tf.constant(IMAGES), tf.constant(LABELS)),
        ((IMAGES, LABELS), None),
        ((tf.constant(IMAGES), LABELS, np.ones(8)), None),
        (PAIRS, None),
        (Batches(), None),
        (IMAGES, np.eye(3)[LABELS]),
        (IMAGES, LABELS[:, None]),
        (((IMAGES + 1) * 127.5).astype("uint8"), LABELS),
    ],
)
def test_every_form_of_a_sound_batch(gan, images, labels):
    assert check_gan(gan, images, labels) == []
    batch = read_batch(gan, images, labels)
    np.testing.assert_allclose(
        batch.images, IMAGES[: len(batch.images)], atol=1 / 127, rtol=0
    )


@pytest.mark.parametrize(
    "images",
    [
        None,
        "photos",
        [],
        np.zeros((0, 16, 16, 1)),
        np.zeros(8),
        {"images": IMAGES},
        tf.data.Dataset.from_tensor_slices(IMAGES).batch(8).take(0),
        tf.ragged.constant([[1.0], [1.0, 2.0]]),
        iter([IMAGES]),
    ],
)
def test_what_is_no_batch_is_refused(gan, images):
    with pytest.raises(UserError, match="Expected .* as") as caught:
        check_gan(gan, images)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_that_are_no_numbers(gan, value, dtype):
    images = IMAGES.astype(dtype)
    images[2:4, 0, 0] = value
    (problem,) = check_gan(gan, images, LABELS)
    assert (problem.name, problem.severity) == ("non_finite_data", "critical")
    assert "2 of 8 images" in problem.says
    everywhere = check_gan(gan, np.full_like(IMAGES, value), LABELS)
    assert names(everywhere) == ["non_finite_data"]


@pytest.mark.parametrize(
    ("images", "fix"),
    [
        (IMAGES[..., 0], "images[..., None]"),
        (np.moveaxis(np.repeat(IMAGES, 3, -1), -1, 1), "generator's shape"),
        (np.zeros((8, 1, 16, 16), "float32"), "np.moveaxis"),
        (np.zeros((8, 28, 28, 1), "float32"), "generator's shape"),
        (np.zeros((8, 256), "float32"), "generator's shape"),
    ],
)
def test_wrong_shapes(gan, images, fix):
    problems = {p.name: p for p in check_gan(gan, images, LABELS)}
    assert fix in problems["wrong_shape"].fix


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "there are no labels"),
        (LABELS + 1, "from 1 to 3"),
        (LABELS - 1, "from -1 to 1"),
        (LABELS + 0.5, "no whole numbers"),
        (np.where(LABELS == 0, np.nan, LABELS), "no whole numbers"),
        (LABELS.astype(str), "labels are <U"),
        (np.eye(4)[LABELS], r"shape \(8, 4\)"),
        (LABELS[None], r"shape \(1, 8\)"),
    ],
)
def test_wrong_labels(gan, labels, message):
    problem = check_labels(gan, labels)
    assert problem.severity == "critical"
    assert message.replace("\\", "") in problem.says
    assert "wrong_labels" in names(check_gan(gan, IMAGES, labels))


@pytest.mark.parametrize(
    ("end", "low", "high", "stated", "expected"),
    [
        ("tanh", -1, 1, None, False),
        ("tanh", 0, 1, None, True),
        ("tanh", 0, 1, (0, 1), False),
        ("tanh", 0, 1, (-1, 1), True),
        ("tanh", 0, 255, None, True),
        ("tanh", 0, 255, (0, 255), True),
        ("sigmoid", 0, 1, None, False),
        ("sigmoid", -1, 1, None, True),
        ("sigmoid", -1, 1, (-1, 1), True),
        ("relu6", 0, 6, None, False),
        ("relu6", -1, 1, None, True),
        ("linear", 0, 255, None, False),
        ("linear", 0, 255, (0, 255), False),
        ("linear", 0, 255, (0, 1), True),
    ],
)
def test_data_against_what_a_nested_generator_gives(end, low, high, stated, expected):
    inner = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(256), keras.layers.Activation(end)]
    )
    generator = keras.Sequential(
        [keras.Input((8,)), inner, keras.layers.Reshape((16, 16, 1))]
    )
    discriminator = networks.dcgan_discriminator(16, base_filters=4)
    gan = GAN(generator, discriminator, output_range=stated)
    adam = keras.optimizers.Adam
    gan.compile(adam(2e-4, beta_1=0.5), adam(2e-4, beta_1=0.5))
    images = low + (high - low) * (IMAGES + 1) / 2
    assert ("data_range_mismatch" in names(check_gan(gan, images))) == expected
