"""Grids of translations: a source, what is made of it, and the true image."""

import numpy as np
from PIL import Image

from ganlab import pictures
from ganlab.callbacks.translation_grids import TranslationGrids
from ganlab.provenance.marks import Mark, read_mark
from ganlab.runs import RunFolder


class Negative:
    """A translator that turns colours round, and makes colours of grey."""

    def translate(self, sources):
        return np.repeat(255 - sources, 3 // sources.shape[-1], axis=-1)


def saved(tmp_path, sources, images):
    callback = TranslationGrids(tmp_path, sources, images)
    callback.set_model(Negative())
    callback.run(7)
    path = RunFolder(tmp_path).picture(7)
    assert read_mark(path) == Mark(seeds=(0,), step=7)
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_row_has_four_sources_translations_and_images(tmp_path):
    random = np.random.default_rng(0)
    sources = random.integers(0, 256, (20, 16, 16, 1), np.uint8)
    images = random.integers(0, 256, (20, 16, 16, 3), np.uint8)
    grey = sources.repeat(3, axis=-1)
    tiles = [tile for k in range(16) for tile in (grey[k], 255 - grey[k], images[k])]
    expected = pictures.grid(np.stack(tiles), columns=12)
    np.testing.assert_array_equal(saved(tmp_path, sources, images), expected)


def test_without_true_images_it_has_two(tmp_path):
    sources = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    tiles = [sources[0], 255 - sources[0], sources[1], 255 - sources[1]]
    expected = pictures.grid(np.stack(tiles), columns=8)
    np.testing.assert_array_equal(saved(tmp_path, sources, None), expected)
