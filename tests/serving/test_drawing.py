"""A request names images by their numbers, ways between them and steps from them."""

from pathlib import Path

import numpy as np
import pytest

from ganlab import sampling
from ganlab.errors import UserError
from ganlab.serving.drawing import read_drawing
from ganlab.serving.models import load_model

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="module")
def model():
    return load_model("fashion", FASHION, "float32", 256)


def latents_of(model, **fields):
    latents, labels = read_drawing(model, fields).inputs()
    assert len(latents) == len(labels)
    return latents, labels


def test_images_of_a_seed_can_begin_anywhere(model):
    every, classes = latents_of(model, seed=3, count=20)
    latents, labels = latents_of(model, seed=3, first=12, count=8)
    np.testing.assert_array_equal(latents, every[12:])
    np.testing.assert_array_equal(labels, classes[12:])
    np.testing.assert_array_equal(labels, [2, 3, 4, 5, 6, 7, 8, 9])


def test_from_one_image_to_another_leads_the_great_circle(model):
    every, _ = latents_of(model, seed=3, count=20, truncation=0.8)
    latents, labels = latents_of(
        model, seed=3, first=13, last=4, count=3, truncation=0.8
    )
    middle = sampling.slerp(every[13:14], every[4:5], 0.5)
    expected = np.concatenate([every[13:14], middle, every[4:5]])
    np.testing.assert_allclose(latents, expected, atol=1e-6)
    np.testing.assert_array_equal(labels, [3, 3, 3])


def test_a_shift_goes_along_the_directions(model):
    plain, _ = latents_of(model, count=2)
    moved, _ = latents_of(model, count=2, shift=[0, 2.5, -1])
    expected = plain + 2.5 * model.directions[1] - model.directions[2]
    np.testing.assert_allclose(moved, expected, atol=1e-6)
    still, _ = latents_of(model, count=2, shift=[])
    np.testing.assert_array_equal(still, plain)


def test_a_class_holds_for_all(model):
    _, labels = latents_of(model, first=5, count=2, label="Bag")
    np.testing.assert_array_equal(labels, [8, 8])
    assert not read_drawing(model, {"label": 8}).in_turn
    assert not read_drawing(model, {"last": 1}).in_turn
    assert read_drawing(model, {}).in_turn


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"first": -1}, "first, the number of an image from 0 to 255. Received: -1"),
        ({"first": 256}, "from 0 to 255"),
        ({"last": 1.5}, "last, the number of an image"),
        ({"last": True}, "last, the number of an image"),
        ({"last": "1"}, "last, the number of an image"),
        ({"last": 2, "count": 1}, "a count of 2 or more from first to last"),
        ({"shift": [0] * 9}, "at most 8 numbers from -100 to 100"),
        ({"shift": [101]}, "at most 8 numbers"),
        ({"shift": [float("nan")]}, "at most 8 numbers"),
        ({"shift": ["1"]}, "at most 8 numbers"),
        ({"shift": [True]}, "at most 8 numbers"),
        ({"shift": 1}, "at most 8 numbers"),
        ({"shift": [[1]]}, "at most 8 numbers"),
    ],
    ids=repr,
)
def test_mistakes_are_one_line(model, fields, message):
    with pytest.raises(UserError, match="Expected") as caught:
        read_drawing(model, fields)
    assert message in str(caught.value)
