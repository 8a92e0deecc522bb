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
    ],
)
def test_images_that_keras_cannot_read(build, images, fix):
    with pytest.raises(UserError, match="Expected .*Received") as error:
        given.checked(build(), images)
    assert fix in str(error.value)


@pytest.mark.parametrize(
    ("labels", "fix"),
    [(LABELS[:3], "4 images and 3 labels"), (LABELS.astype(str), "np.unique")],
)
def test_labels_that_keras_cannot_read(build, labels, fix):
    for arguments in ((IMAGES, labels), ((IMAGES, labels),)):
        with pytest.raises(UserError) as error:
            given.checked(build(), *arguments)
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
def test_what_keras_reads_passes(build, images):
    passed = given.checked(build(), images, verbose=0)
    assert passed is images or not hasattr(images, "shape")


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
