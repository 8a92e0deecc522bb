"""Are the plane's mixtures, scores and pictures what they say?"""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from ganlab import GAN, load_data, networks
from ganlab.artifacts import export
from ganlab.callbacks import DecisionSurface, RunLog
from ganlab.cli.main import main
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import UserError


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_mixtures_are_pacgans(name, modes):
    mixture = MIXTURES[name]
    assert mixture.centers.shape == (modes, 2)
    gaps = np.linalg.norm(mixture.centers[:, None] - mixture.centers, axis=-1)
    nearest = gaps[gaps > 1e-6].min()
    expected = 2 * np.sin(np.pi / 8) if name == "ring" else 2.0
    assert nearest == pytest.approx(expected, rel=1e-5)
    points, labels = mixture.sample(20_000, seed=1)
    assert points.dtype == np.float32
    for mode in range(modes):
        own = points[labels == mode]
        assert len(own) == pytest.approx(20_000 / modes, rel=0.15)
        np.testing.assert_allclose(
            own.mean(axis=0), mixture.centers[mode], atol=0.2 * mixture.deviation
        )
        np.testing.assert_allclose(own.std(axis=0), mixture.deviation, rtol=0.15)
    assert np.abs(points).max() < mixture.extent
    np.testing.assert_array_equal(points, mixture.sample(20_000, seed=1)[0])


def gan_of_points(packing=1):
    generator = networks.mlp_generator(widths=(8,))
    discriminator = networks.mlp_discriminator(widths=(8,), packing=packing)
    gan = GAN(generator, discriminator, packing=packing)
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    return gan


@pytest.mark.parametrize("packing", [1, 2])
def test_pictures_are_drawn_and_scores_are_logged(tmp_path, packing):
    gan, run_log = gan_of_points(packing), RunLog(tmp_path)
    data = load_data("ring")
    pictures = DecisionSurface(tmp_path, MIXTURES["ring"], every=4, run_log=run_log)
    gan.fit(
        data.batches(20, labels=False),
        steps_per_epoch=6,
        shuffle=False,
        verbose=0,
        callbacks=[pictures],
    )
    run_log.close()
    names = sorted(file.name for file in (tmp_path / "samples").iterdir())
    assert names == [f"step-{step:07d}.png" for step in (0, 4, 6)]
    with Image.open(tmp_path / "samples" / names[-1]) as picture:
        assert len(np.unique(np.asarray(picture))) > 50
    rows = (tmp_path / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(row) for row in rows]
    assert [row["step"] for row in rows] == [0, 4, 6]
    assert set(rows[0]) >= {"modes_hit", "high_quality_share", "kl", "js"}


def test_arrows_point_downhill_of_the_generators_loss():
    gan = gan_of_points()
    pictures = DecisionSurface("unused", MIXTURES["ring"])
    pictures.set_model(gan)
    fake = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    moves = pictures._directions(fake)
    loss = gan.objective.loss.generator
    before, after = (
        float(loss(None, gan.discriminator(points)))
        for points in (fake, fake + 0.1 * moves / np.abs(moves).max())
    )
    assert after < before


def test_a_run_in_the_plane_end_to_end(tmp_path, capsys):
    run = tmp_path / "run"
    arguments = ["train", "--preset", "r3gan", "--data", "ring", "--steps", "6"]
    arguments += ["--batch-size", "20", "--set", "packing=2", "--out", str(run)]
    assert main(arguments) == 0
    assert "export" not in capsys.readouterr().out
    about = json.loads((run / "config.json").read_text())
    assert about["recipe"]["network"] == "mlp"
    assert about["recipe"]["regularizer_weight"] == 0.02
    assert about["recipe"]["latent_dim"] == 2
    assert (run / "samples" / "step-0000006.png").exists()
    assert (run / "checkpoints" / "best.keras").exists()
    assert main(["train", "--out", str(run), "--resume", "--steps", "8"]) == 0
    assert main(["export", str(run), "--to", str(tmp_path / "a")]) == 2
    assert "generator of images" in capsys.readouterr().err


def test_points_are_not_exported(tmp_path):
    with pytest.raises(UserError, match="generator of images"):
        export.export_generator(gan_of_points(), tmp_path / "a")
