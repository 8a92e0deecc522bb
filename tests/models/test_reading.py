"""What a batch may look like, and what is said of any other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab import GAN
from ganlab.errors import UserError
from ganlab.models import reading

SIZE = 4
DRAWS = np.random.default_rng(0)
IMAGES = DRAWS.uniform(-1, 1, (6, SIZE, SIZE, 1)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])


def gan_of(shape=(SIZE, SIZE, 1), num_classes=None, activation="tanh"):
    """A GAN of dense layers for samples of any shape."""
    latents, images = keras.Input((2,)), keras.Input(shape)
    inputs, joined = [latents], [layers.Flatten()(images)]
    if num_classes is not None:
        labels = keras.Input((), dtype="int32")
        inputs.append(labels)
        joined.append(layers.Embedding(num_classes, 2)(labels))
    both = joined if len(joined) == 1 else [layers.Concatenate()(joined)]
    noise = [latents]
    if num_classes is not None:
        noise.append(layers.Embedding(num_classes, 2)(inputs[1]))
        noise = [layers.Concatenate()(noise)]
    flat = layers.Dense(int(np.prod(shape)), activation=activation)(noise[0])
    generator = keras.Model(inputs, layers.Reshape(shape)(flat))
    critic = keras.Model([images, *inputs[1:]], layers.Dense(1)(both[0]))
    return GAN(generator, critic, num_classes=num_classes)


def as_uint8(images):
    return np.round((images + 1) * 127.5).astype("uint8")


ARE_IMAGES = {
    "as they are": IMAGES,
    "in a tuple": (IMAGES,),
    "as Keras passes them": (IMAGES, None, None),
    "in a dictionary": {"image": IMAGES, "id": LABELS},
    "without a channel axis": IMAGES[..., 0],
    "float64": IMAGES.astype("float64"),
    "of unknown labels": (IMAGES, LABELS),
}


def test_pairs_of_images_are_refused():
    with pytest.raises(UserError, match=r"pairs, with a second of .*1\); pass the"):
        reading.read(gan_of(), (IMAGES, IMAGES))


@pytest.mark.parametrize("case", ARE_IMAGES)
def test_images_are_read(case):
    images, labels = reading.read(gan_of(), ARE_IMAGES[case])
    assert images.dtype == "float32"
    assert labels is None
    np.testing.assert_array_equal(images, IMAGES)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_images_are_widened(dtype):
    images, _ = reading.read(gan_of(), tf.cast(IMAGES, dtype))
    assert images.dtype == "float32"
    np.testing.assert_allclose(images, IMAGES, atol=0.01)


@pytest.mark.parametrize(("activation", "low"), [("tanh", -1), ("sigmoid", 0)])
def test_uint8_is_scaled_to_the_range_of_the_generator(activation, low):
    pixels = np.zeros((2, SIZE, SIZE, 1), "uint8")
    pixels[1] = 255
    images, _ = reading.read(gan_of(activation=activation), pixels)
    np.testing.assert_array_equal(np.unique(images), [low, 1])


def test_a_series_loses_an_axis_of_one_channel():
    images, _ = reading.read(gan_of((SIZE, SIZE)), IMAGES)
    np.testing.assert_array_equal(images, IMAGES[..., 0])


ARE_LABELS = {
    "integers": LABELS,
    "int64": LABELS.astype("int64"),
    "uint8": LABELS.astype("uint8"),
    "whole floats": LABELS.astype("float32"),
    "a column": LABELS[:, None],
    "one-hot": np.eye(3, dtype="float32")[LABELS],
    "one-hot booleans": np.eye(3)[LABELS].astype(bool),
}


@pytest.mark.parametrize("case", ARE_LABELS)
def test_labels_are_read(case):
    for data in (
        (IMAGES, ARE_LABELS[case]),
        ((IMAGES, ARE_LABELS[case]),),
        {"images": IMAGES, "labels": ARE_LABELS[case]},
        ({"image": IMAGES}, ARE_LABELS[case], None),
    ):
        _, labels = reading.read(gan_of(num_classes=3), data)
        assert labels.dtype == "int32"
        np.testing.assert_array_equal(labels, LABELS)


REFUSED = {
    "int64": (IMAGES.astype("int64"), r"Received: int64; .*astype\('uint8'\)"),
    "booleans": (IMAGES > 0, r"Received: bool; .*astype\('float32'\)"),
    "strings": (np.full((6, SIZE, SIZE, 1), "a"), "string; .*decode_image"),
    "of several sizes": (
        [np.zeros((2, 2)), np.zeros((3, 3)), 1, 2],
        "a list of 4; np.stack",
    ),
    "ragged": (tf.ragged.constant([[1.0], [1.0, 2.0]]), "RaggedTensor; .*one size"),
    "objects": (np.array([{}, {}]), "ndarray that is none"),
    "one image": (IMAGES[0], r"\(4, 4, 1\); batch them"),
    "one image without channel": (IMAGES[0, ..., 0], r"\(4, 4\); batch them"),
    "flat": (IMAGES.reshape(6, -1), r"\(6, 16\); reshape them to \(-1, 4, 4, 1\)"),
    "channels first": (
        IMAGES.transpose(0, 3, 1, 2),
        r"\(6, 1, 4, 4\); .*\(0, 2, 3, 1\)",
    ),
    "colour": (np.repeat(IMAGES, 3, -1), r"\(6, 4, 4, 3\); .*rgb_to_grayscale"),
    "two channels": (np.repeat(IMAGES, 2, -1), r"4, 2\); bring them to 1 channel"),
    "another size": (np.zeros((6, 5, 5, 1)), r"Resizing\(4, 4\) .*for 5 by 5"),
    "another rank": (np.zeros((6, 3, 5, 5, 2)), "bring them to that shape"),
    "weights": ((IMAGES, None, np.ones(6)), "Received: sample_weight"),
    "weights in x": (((IMAGES, LABELS, np.ones(6)),), "Received: sample_weight"),
    "four parts": (((IMAGES, IMAGES, IMAGES, IMAGES),), "a tuple of 4"),
    "other keys": ({"pixels": IMAGES}, r"the keys \['pixels'\]; map"),
    "two keys": ({"image": IMAGES, "x": IMAGES}, "the keys"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_images_are_refused(case):
    data, message = REFUSED[case]
    with pytest.raises(UserError, match=message) as raised:
        reading.read(gan_of(), data)
    assert str(raised.value).startswith("Expected ")


def test_grey_images_for_a_colour_generator():
    with pytest.raises(UserError, match="grayscale_to_rgb"):
        reading.read(gan_of((SIZE, SIZE, 3)), IMAGES)


def test_uint8_is_no_scale_of_what_is_no_image():
    with pytest.raises(UserError, match=r"uint8; .*scale"):
        reading.read(gan_of((3,)), np.zeros((6, 3), "uint8"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "images alone; pass labels"),
        (np.array(["cat"] * 6), "strings; number them"),
        (np.eye(4)[LABELS], r"\(n,\), or one-hot \(n, 3\). Received: \(6, 4\)"),
        (IMAGES, r"Received: \(6, 4, 4, 1\); pass one integer"),
    ],
)
def test_other_labels_are_refused(labels, message):
    with pytest.raises(UserError, match=message):
        reading.read(gan_of(num_classes=3), (IMAGES, labels))


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0.0, 3.0]])
def test_labels_beyond_the_classes_stop_a_traced_step(labels):
    gan = gan_of(num_classes=3)
    read = tf.function(lambda data: reading.read(gan, data)[1], autograph=False)
    images = tf.constant(IMAGES[:2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"not in \[0, 3\)"):
        read((images, tf.constant(labels)))


def test_shapes_unknown_until_the_step_are_read():
    gan = gan_of(num_classes=3)
    signature = [tf.TensorSpec(None, "float32"), tf.TensorSpec(None, "int64")]
    read = tf.function(
        lambda *data: reading.read(gan, data), signature, autograph=False
    )
    images, labels = read(IMAGES, LABELS)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        (6, 1, [0, 1, 2, 3, 4, 5]),
        (6, 3, [0, 1, 2, 3, 4, 5]),
        (6, 4, [0, 1, 2, 3]),
        (2, 5, [0, 1, 0, 1, 0]),
    ],
)
def test_whole_groups_of_a_batch(count, size, expected):
    values = tf.range(count)
    groups = tf.function(lambda x: reading.whole_groups(x, size), autograph=False)
    unknown = tf.function(
        lambda x: reading.whole_groups(x, size),
        [tf.TensorSpec([None], "int32")],
        autograph=False,
    )
    np.testing.assert_array_equal(groups(values), expected)
    np.testing.assert_array_equal(unknown(values), expected)
    assert reading.whole_groups(None, size) is None


@pytest.mark.e2e
def test_an_empty_replica_takes_the_first_value_of_another(strategy):
    batches = tf.data.Dataset.from_tensor_slices([5.0, 7.0, 6.0]).batch(2)
    iterator = iter(strategy.experimental_distribute_dataset(batches))

    @tf.function(autograph=False)
    def step(iterator):
        return strategy.run(reading.in_every_replica, (next(iterator),))

    for expected in ([5.0], [7.0]), ([6.0], [6.0]):
        for values, value in zip(step(iterator).values, expected, strict=True):
            np.testing.assert_array_equal(values, value)
