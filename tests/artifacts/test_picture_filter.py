"""Pictures of any size are translated as a whole would be, tile by tile."""

import json
import shutil

import numpy as np
import pytest

from ganlab.artifacts import picture_filter
from ganlab.artifacts.picture_filter import PictureFilter
from ganlab.errors import UserError
from ganlab.provenance.marks import COMPOSITE
from ganlab.safety.onnx_model import OnnxModel


@pytest.fixture(scope="module")
def translator(translated):
    return PictureFilter(translated[1])


def picture(height, width, channels=1):
    shape = height, width, channels
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


def test_it_makes_what_the_translator_makes(translated, translator):
    pixels = picture(16, 24)
    expected = translated[0].translate(pixels[None])[0]
    np.testing.assert_array_equal(translator.apply(pixels), expected)
    assert translator.mark.source_type == COMPOSITE
    assert translator.mark.generator == translated[2]["files"]["generator.onnx"]
    assert translator.attribution == "painted by me"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 50), (37, 13)])
def test_other_sides_are_padded_by_reflection(translator, height, width):
    pixels = picture(height, width)
    padding = [(0, -height % 4), (0, -width % 4), (0, 0)]
    whole = translator.apply(np.pad(pixels, padding, "reflect"))
    np.testing.assert_array_equal(translator.apply(pixels), whole[:height, :width])


def test_tiles_are_the_whole(translator, monkeypatch):
    pixels = picture(403, 330)
    whole = translator.apply(pixels)
    monkeypatch.setattr(picture_filter, "TILE", 64)
    run, tiles = OnnxModel.run, []

    def counted(model, outputs, feeds):
        tiles.append(feeds["sources"].shape)
        return run(model, outputs, feeds)

    monkeypatch.setattr(OnnxModel, "run", counted)
    tiled = translator.apply(pixels)
    assert len(tiles) >= 4
    assert np.abs(tiled.astype(int) - whole).max() <= 1  # of rounding


def test_what_was_enlarged_is_enlarged(translated, tmp_path):
    folder = shutil.copytree(translated[1], tmp_path / "small")
    card = json.loads((folder / "card.json").read_text())
    card["inputs"]["sources"]["enlarged"] = 2
    (folder / "card.json").write_text(json.dumps(card))
    translator = PictureFilter(folder)
    pixels = np.full((10, 7, 1), 90, np.uint8)
    expected = PictureFilter(translated[1]).apply(np.full((20, 14, 1), 90, np.uint8))
    np.testing.assert_array_equal(translator.apply(pixels), expected)


@pytest.mark.parametrize(
    "change",
    [
        {"multiple": 0},
        {"reach": 10_000},
        {"enlarged": "2"},
        {"background": "no colour"},
        {"range": [0, 1]},
        {"shape": [None, None, None, 3]},
    ],
)
def test_a_card_of_anybody_is_read_within_limits(translated, tmp_path, change):
    folder = shutil.copytree(translated[1], tmp_path / "bad")
    card = json.loads((folder / "card.json").read_text())
    card["inputs"]["sources"] |= change
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(UserError, match="Expected"):
        PictureFilter(folder)


def test_a_changed_file_is_refused(translated, tmp_path):
    folder = shutil.copytree(translated[1], tmp_path / "changed")
    with (folder / "generator.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match="SHA-256"):
        PictureFilter(folder)
