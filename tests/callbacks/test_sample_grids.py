"""Sample grids show the averaged generator's images of the same latents."""

import keras
import numpy as np
import pytest
from PIL import Image

from ganlab import pictures
from ganlab.callbacks import SampleGrids
from ganlab.runs import RunFolder
from ganlab.sampling import draw_latents


def grid_of(generator, count, labels, columns):
    """The grid of a generator's own images."""
    latents = draw_latents(count, 8)
    inputs = latents if labels is None else [latents, labels]
    images = pictures.to_uint8(generator(inputs, training=False).numpy())
    return pictures.as_picture(pictures.grid(images, columns))


@pytest.mark.parametrize(
    ("num_classes", "labels"), [(None, None), (3, [0, 0, 1, 1, 2, 2])]
)
def test_sample_grids_draw_the_average(make_gan, fit, tmp_path, num_classes, labels):
    gan = make_gan(num_classes, optimizer=lambda rate: keras.optimizers.Adam(0.02))
    fit(gan, [SampleGrids(tmp_path, every=4, columns=2)])
    grids = RunFolder(tmp_path).pictures()
    assert list(grids) == [0, 4, 8, 10]
    labels = None if labels is None else np.array(labels, np.int32)
    count = 4 if labels is None else 6
    averaged = grid_of(gan.ema_generator, count, labels, columns=2)
    raw = grid_of(gan.generator, count, labels, columns=2)
    with Image.open(grids[10]) as picture:
        pixels = np.asarray(picture, np.int16)
    assert np.abs(pixels - np.asarray(averaged)).max() <= 1  # of rounding
    assert np.abs(pixels - np.asarray(raw)).max() > 20
