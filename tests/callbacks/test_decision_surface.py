"""Decision surfaces are drawn, and scores of toy mixtures are logged."""

import keras
import numpy as np
import pytest
from PIL import Image

from ganlab import GAN, load_data, networks
from ganlab.callbacks import DecisionSurface
from ganlab.data.toy2d import MIXTURES
from ganlab.runs import RunFolder


def toy_gan(packing=1):
    gan = GAN(
        networks.mlp_generator(widths=(8,)),
        networks.mlp_discriminator(widths=(8,), packing=packing),
        packing=packing,
    )
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    return gan


@pytest.mark.e2e
@pytest.mark.parametrize("packing", [1, 2])
def test_pictures_are_drawn_and_scores_are_logged(
    tmp_path, run_log, read_rows, packing
):
    surface = DecisionSurface(tmp_path, MIXTURES["ring"], every=4, run_log=run_log)
    toy_gan(packing).fit(
        load_data("ring").batches(20, labels=False),
        steps_per_epoch=6,
        shuffle=False,
        verbose=0,
        callbacks=[surface],
    )
    by_step = RunFolder(tmp_path).pictures()
    assert list(by_step) == [0, 4, 6]
    with Image.open(by_step[6]) as picture:
        assert len(np.unique(np.asarray(picture))) > 50
    rows = read_rows(tmp_path)
    assert [row["step"] for row in rows] == [0, 4, 6]
    assert set(rows[0]) >= {"modes_hit", "high_quality_share", "kl", "js"}


def test_arrows_point_downhill_of_the_generators_loss(tmp_path):
    gan = toy_gan()
    surface = DecisionSurface(tmp_path, MIXTURES["ring"])
    surface.set_model(gan)
    fake = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    directions = surface.directions(fake)
    loss = gan.objective.loss.generator
    before, after = (
        float(loss(None, gan.discriminator(samples)))
        for samples in (fake, fake + 0.1 * directions / np.abs(directions).max())
    )
    assert after < before
