"""What fit, evaluate and predict refuse before Keras reads it."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ganlab import UserError
from ganlab.models import given

IMAGES = np.zeros((4, 8), "float32")
LABELS = np.arange(4)


@pytest.mark.parametrize(
    ("images", "fix"),
    [
        (None, "pass an array"),
        ("photos", "ganlab.load_data"),
        (Path("photos"), "ganlab.load_data"),
        (list(IMAGES), "np.stack"),
        ([np.zeros((8, 8, 1)), np.zeros((9, 9, 1))], "np.stack"),
        ([[0.0, 1.0], [1.0, 0.0]], "np.stack"),
        (np.array([None, None]), "np.stack"),
        (np.array(["a.png"]), "decode"),
        (IMAGES[:0], "none, an array of shape (0, 8)"),
        (np.float32(3), "one number"),
        (b"abc", "ganlab.load_data"),
        (lambda: IMAGES, "call it"),
        (IMAGES.astype("longdouble"), "astype('float32')"),
        (np.zeros(4, "datetime64[s]"), "one array of numbers"),
    ],
)
def test_images_that_keras_cannot_read(images, fix):
    with pytest.raises(UserError, match="Expected .*Received") as error:
        given.checked(images, None, [])
    assert fix in str(error.value)


@pytest.mark.parametrize(
    ("labels", "fix"),
    [(LABELS[:3], "4 images and 3 labels"), (LABELS.astype(str), "np.unique")],
)
def test_labels_that_keras_cannot_read(labels, fix):
    for arguments in ((IMAGES, labels), ((IMAGES, labels), None)):
        with pytest.raises(UserError) as error:
            given.checked(*arguments, [])
        assert fix in str(error.value)


@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        tf.constant(IMAGES),
        [IMAGES],
        (IMAGES, LABELS),
        {"images": IMAGES},
        tf.data.Dataset.from_tensors(IMAGES),
        (batch for batch in [IMAGES]),
    ],
    ids=["array", "tensor", "list", "pair", "dictionary", "dataset", "generator"],
)
def test_what_keras_reads_passes(images):
    passed, _ = given.checked(images, None, [])
    if hasattr(images, "shape"):
        assert passed is images


def test_lists_of_numbers_become_arrays():
    _, labels = given.checked(IMAGES, LABELS.tolist(), [])
    np.testing.assert_array_equal(labels, LABELS)
    (_, labels), _ = given.checked([IMAGES, LABELS.tolist()], None, [])
    np.testing.assert_array_equal(labels, LABELS)
    batches, _ = given.checked(iter([IMAGES.tolist(), [IMAGES, LABELS]]), None, [])
    (images,), (_, labels) = batches
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


def test_what_an_iterator_raises_is_kept():
    def batches():
        yield IMAGES
        raise OSError("cat.png")

    raised = []
    with pytest.raises(OSError, match=r"cat\.png"):
        list(given.checked(batches(), None, raised)[0])
    assert [str(error) for error in raised] == ["cat.png"]


@pytest.mark.parametrize(
    "values", [IMAGES, (IMAGES, LABELS), [IMAGES, LABELS], iter([IMAGES])]
)
def test_validation_data_are_read_as_those_of_training(values):
    assert given.validation(values, []) is not None


@pytest.mark.parametrize(
    ("values", "fix"), [("photos", "load_data"), ((IMAGES, LABELS, LABELS), "weight")]
)
def test_validation_data_that_keras_cannot_read(values, fix):
    with pytest.raises(UserError, match=fix):
        given.validation(values, [])


def test_an_iterator_of_arrays_is_read_as_one_of_batches(build):
    gan = build()
    for batches in (iter([IMAGES] * 2), (batch for batch in [IMAGES] * 2)):
        gan.fit(x=batches, steps_per_epoch=2, shuffle=False, verbose=0)
    assert gan.step == 4


def test_an_uncompiled_gan_says_so(build):
    gan = build()
    gan.compiled = False
    for call in (gan.fit, gan.evaluate, gan.train_on_batch, gan.test_on_batch):
        with pytest.raises(UserError, match="call compile first"):
            call(IMAGES)


def test_predict_takes_latents(build):
    gan = build()
    with pytest.raises(UserError, match=r"\(None, 6\). Received: \(None, 8\)"):
        gan.predict(IMAGES)
    assert gan.predict(np.zeros((3, 6), "float32"), verbose=0).shape == (3, 8)
    assert gan.predict(np.zeros((3, 6)).tolist(), verbose=0).shape == (3, 8)
    for wrong in (None, 5):
        with pytest.raises(UserError, match="Expected"):
            gan.predict(wrong)


def test_a_gan_is_saved_to_keras_files(build, tmp_path):
    with pytest.raises(UserError, match="ends in .keras.*call export"):
        build().save(tmp_path / "gan")
    assert not list(tmp_path.iterdir())


def test_a_data_set_without_batches_is_refused(build):
    gan, data = build(), tf.data.Dataset.from_tensors(IMAGES).take(0)
    with pytest.raises(UserError, match="a data set without any"):
        gan.fit(data, shuffle=False, verbose=0)
    with pytest.raises(UserError, match="a data set without any"):
        gan.evaluate(data, verbose=0)
