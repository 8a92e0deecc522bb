"""Are the plane's mixtures, scores and pictures what they say?"""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from ganlab import GAN, load_data, metrics, networks
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


def test_mode_scores_by_hand():
    centers = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    points = np.array([[0.02, 0.0], [0.0, 0.03], [0.97, 0.0], [0.5, 0.5]])
    scores = metrics.mode_scores(points, centers, 0.011)
    assert scores == {"modes_hit": 2, "high_quality_share": 0.75}


@pytest.mark.parametrize("name", MIXTURES)
def test_a_perfect_generator_scores_what_the_docstring_says(name):
    mixture = MIXTURES[name]
    points, _ = mixture.sample(20_000, seed=5)
    scores = metrics.mode_scores(points, mixture.centers, mixture.deviation)
    assert scores["modes_hit"] == len(mixture.centers)
    assert scores["high_quality_share"] == pytest.approx(1 - np.exp(-4.5), abs=0.003)


def test_divergences_by_hand():
    real, fake = np.full((1000, 2), -0.5), np.full((1000, 2), 0.5)
    apart = metrics.grid_divergences(real, fake, 1.0, bins=2)
    # Each side has 1000.5 of 1002 in its own cell and 0.5 in the three others.
    own, other = 1000.5 / 1002, 0.5 / 1002
    assert apart["kl"] == pytest.approx((own - other) * np.log(own / other))
    assert apart["js"] == pytest.approx(np.log(2), abs=0.01)
    same = metrics.grid_divergences(real, real, 1.0)
    assert same == {"kl": 0.0, "js": 0.0}
    outside = metrics.grid_divergences(real, fake * 100, 1.0, bins=2)
    assert outside == apart


def test_reverse_kl_by_hand():
    assert metrics.reverse_kl(np.arange(1000), 1000) == pytest.approx(0.0, abs=1e-12)
    assert metrics.reverse_kl(np.zeros(9, int), 1000) == pytest.approx(np.log(1000))
    assert metrics.reverse_kl(np.array([0, 0, 1]), 2) == pytest.approx(
        2 / 3 * np.log(4 / 3) + 1 / 3 * np.log(2 / 3)
    )
    draws = np.random.default_rng(0).integers(1000, size=26_000)
    assert metrics.reverse_kl(draws, 1000) == pytest.approx(999 / 52_000, rel=0.1)


def test_frechet_distance_by_hand():
    draws = np.random.default_rng(0)
    real = draws.normal(size=(4000, 3))
    assert metrics.frechet_distance(real, real) == pytest.approx(0.0, abs=1e-9)
    moved = real + np.array([3.0, 0.0, 4.0])
    assert metrics.frechet_distance(real, moved) == pytest.approx(25.0)
    # One dimension: (m - n)² + (s - t)².
    line = real[:, :1]
    assert metrics.frechet_distance(line, 2 * line) == pytest.approx(
        line.mean() ** 2 + line.var(ddof=1)
    )
    # Commuting covariances: the sum over axes.
    scales = np.array([1.0, 2.0, 0.0])
    whitened = real @ np.linalg.inv(np.linalg.cholesky(np.cov(real.T))).T
    whitened -= whitened.mean(axis=0)
    assert metrics.frechet_distance(whitened, whitened * scales) == pytest.approx(2.0)


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
    loss = gan.adversarial_loss.generator
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
