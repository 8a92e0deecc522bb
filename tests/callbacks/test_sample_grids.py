"""Sample grids show the averaged generator's images of the same latents."""

import keras
import numpy as np
import pytest
from PIL import Image

from ganlab import GAN, pictures
from ganlab.callbacks import SampleGrids
from ganlab.errors import UserError
from ganlab.provenance.marks import Mark, read_mark
from ganlab.runs import RunFolder
from ganlab.sampling import draw_latents


def grid_of(generator, count, labels, columns):
    """The grid of a generator's own images."""
    latents = draw_latents(count, 8)
    inputs = latents if labels is None else [latents, labels]
    images = pictures.to_uint8(generator(inputs, training=False).numpy())
    return pictures.as_picture(pictures.grid(images, columns))


@pytest.mark.e2e
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
    assert read_mark(grids[8]) == Mark(seeds=(0,), step=8)


def gan_of(shape, activation):
    size = int(np.prod(shape))
    generator = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(size, activation=activation)]
    )
    generator.add(keras.layers.Reshape(shape))
    critic = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    gan = GAN(generator, critic)
    gan.compile("sgd", "sgd")
    return gan


@pytest.mark.e2e
def test_a_grid_is_black_to_white_over_the_generators_range(tmp_path):
    gan = gan_of((6, 4, 1), "sigmoid")
    gan.ema_generator.weights[0].assign(9 * gan.ema_generator.weights[0])
    gan.step.assign(1)
    gan.fit(
        np.zeros((4, 6, 4, 1), np.float32),
        batch_size=4,
        verbose=0,
        callbacks=[SampleGrids(tmp_path, columns=3)],
    )
    with Image.open(RunFolder(tmp_path).pictures()[1]) as picture:
        pixels = np.asarray(picture)
    inside = pixels[pictures.GAP :, pictures.GAP :]
    assert inside.min() < 30


def test_what_is_no_image_is_refused(tmp_path):
    samples = np.zeros((4, 6, 2), np.float32)
    with pytest.raises(UserError, match=r"SampleGrids. Received: one of .*\(6, 2\)"):
        gan_of((6, 2), None).fit(
            samples, batch_size=4, verbose=0, callbacks=[SampleGrids(tmp_path)]
        )
