"""Subjects: artifacts, folders and npz files are told apart and sampled."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab.artifacts import card
from ganlab.errors import UserError
from ganlab.evaluation.subjects import load_subject

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


def test_an_artifact_is_a_generator():
    subject = load_subject(SHIPPED)
    assert (subject.image_shape, subject.data) == ((28, 28, 1), "fashion_mnist")
    assert subject.num_images is None
    assert subject.generator.num_classes == 10
    wanted = np.array([3, 1, 4, 1, 5])
    images, labels = subject.sample(4, 0, wanted)
    assert (images.shape, images.dtype) == ((4, 28, 28, 1), np.uint8)
    assert labels.tolist() == [3, 1, 4, 1]
    _, labels = subject.sample(3, 0, np.array([99, 0, 0]))  # of other classes
    assert labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("stated", "data"),
    [
        ({"data": "ring"}, "ring"),
        ({"data": "folder:/"}, None),
        ({"data": "tfds:mnist"}, None),
        ({"data": ["fashion_mnist"]}, None),
        ("fashion_mnist", None),
        (None, None),
    ],
)
def test_a_card_names_no_files_to_read(tmp_path, stated, data):
    contents = card.read_card(SHIPPED)
    shutil.copy(SHIPPED / "generator.onnx", tmp_path)
    card.write_card(tmp_path, contents | {"training": stated})
    assert load_subject(tmp_path).data == data


@pytest.mark.parametrize(
    ("recipe", "frozen"),
    [
        ({"network": "projected"}, {"efficientnet-lite0"}),
        ({"network": "dcgan"}, set()),
        ("none", set()),
    ],
    ids=str,
)
def test_a_card_states_what_its_discriminator_was_made_of(tmp_path, recipe, frozen):
    contents = card.read_card(SHIPPED)
    shutil.copy(SHIPPED / "generator.onnx", tmp_path)
    card.write_card(tmp_path, contents | {"training": {"recipe": recipe}})
    assert load_subject(tmp_path).frozen == frozen


def test_images_are_taken_in_order_and_without_labels(tmp_path):
    images = np.arange(8, dtype=np.uint8)[:, None, None, None] * np.ones((1, 9, 9, 1))
    path = tmp_path / "a.npz"
    np.savez(path, images=images.astype(np.uint8))
    subject = load_subject(path)
    assert (subject.num_images, subject.generator) == (8, None)
    taken, labels = subject.sample(5, 0, np.arange(8))
    assert labels is None
    values = taken[:, 0, 0, 0].tolist()
    assert values == sorted(set(values))
    assert len(values) == 5


def test_a_folder_of_images_keeps_their_size(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(7, 12, 12, 3), dtype=np.uint8)
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    subject = load_subject(tmp_path)
    assert subject.image_shape == (12, 12, 3)
    np.testing.assert_array_equal(subject.source, images)


def test_one_grey_file_does_not_make_a_folder_grey(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(3, 12, 12, 3), dtype=np.uint8)
    Image.fromarray(images[0, ..., 0]).save(tmp_path / "0.png")
    assert load_subject(tmp_path).image_shape == (12, 12, 1)
    Image.fromarray(images[1]).save(tmp_path / "1.png")
    (tmp_path / "-.png").write_bytes(b"broken")
    subject = load_subject(tmp_path)
    assert subject.image_shape == (12, 12, 3)
    np.testing.assert_array_equal(subject.source[0], images[0, ..., :1].repeat(3, -1))
    np.testing.assert_array_equal(subject.source[1], images[1])


def test_images_follow_the_channels_of_real_ones(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(2, 9, 9, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    colour = load_subject(tmp_path / "a.npz")
    assert colour.in_channels(3) is colour
    grey = colour.in_channels(1)
    assert grey.image_shape == grey.source.shape[1:] == (9, 9, 1)
    luminance = images @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey.source[..., 0] - luminance).max() <= 1
    again = grey.in_channels(3)
    np.testing.assert_array_equal(again.source, grey.source.repeat(3, -1))
    generator = load_subject(SHIPPED)
    assert generator.in_channels(3) is generator


def test_what_is_no_subject_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"a folder of images or shards, or an \.npz file"
    ):
        load_subject(tmp_path / "nowhere")
