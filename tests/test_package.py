"""Is the package as small and as layered as it says?"""

import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import ganlab
from ganlab.config import settings
from ganlab.errors import UserError

ROOT = Path(__file__).parents[1]


def test_public_names_resolve():
    for name in ganlab.__all__:
        assert getattr(ganlab, name) is not None
    assert set(ganlab.__all__) <= set(dir(ganlab))
    with pytest.raises(AttributeError, match="nothing_here"):
        ganlab.nothing_here  # noqa: B018


def test_embedded_data_is_under_5_mb_and_has_its_licence():
    folder = resources.files("ganlab.data.fashion_mnist")
    files = list(folder.iterdir())
    assert sum(len(file.read_bytes()) for file in files if file.is_file()) < 5_000_000
    assert "Zalando" in (folder / "LICENSE").read_text()


def test_config_round_trip():
    original = settings.get_preset("dcgan").replace(data="folder:a", seed=3)
    assert settings.Recipe(**original.as_dict()) == original
    with pytest.raises(UserError, match="batch size of 1 or more. Received: 0"):
        original.replace(batch_size=0)


def test_what_is_left_to_the_image_size():
    small = settings.Recipe().completed(28, 1)
    large = settings.Recipe().completed(64, 3)
    assert (small.discriminator_normalization, small.beta_1) == ("batch", 0.5)
    assert (large.discriminator_normalization, large.channels) == ("none", 3)
    assert small.generator_learning_rate == 5e-4
    assert large.discriminator_learning_rate == 2e-4
    given = settings.Recipe(generator_learning_rate=1e-3).completed(64, 3)
    assert given.generator_learning_rate == 1e-3
    held = settings.Recipe(regularizer="r1").completed(28, 1)
    assert (held.network, held.discriminator_normalization) == ("dcgan", "none")
    points = settings.get_preset("r3gan").replace(data="grid").completed(None, None)
    assert (points.network, points.latent_dim) == ("mlp", 2)
    assert points.regularizer_weight == pytest.approx(0.02 * 16)


@pytest.mark.parametrize("name", settings.PRESETS)
def test_every_preset_builds_says_its_result_and_trains_a_step(name):
    from ganlab.training.build import build_gan

    preset = settings.get_preset(name)
    assert preset.preset == name
    assert settings.get_preset(name.replace("-", "_")) == preset
    doc = settings.PRESETS[name].__doc__
    assert "arxiv.org" in doc
    assert "on 2 cores" in doc
    complete = preset.replace(batch_size=2, augmentation="ada").completed(28, 1)
    gan = build_gan(complete, 3)
    count = 2 * complete.discriminator_steps
    images = np.random.default_rng(0).uniform(-1, 1, (count, 28, 28, 1))
    logs = gan.train_on_batch(
        images.astype("float32"), np.arange(count) % 3, return_dict=True
    )
    assert all(np.isfinite(value) for value in logs.values())


def test_a_preset_composes_with_anything_else():
    from ganlab.training.build import build_gan

    composed = settings.get_preset("sngan").replace(
        loss="relativistic",
        regularizer="r1+r2",
        regularizer_weight=2.0,
        final_weight_share=0.5,
        instance_noise=0.1,
        gradient_clip=1.0,
        attention=True,
        minibatch_stddev=True,
        generator_filters=8,
        discriminator_filters=8,
    )
    gan = build_gan(composed.completed(16, 3), None)
    assert type(gan.objective.loss).__name__ == "Relativistic"
    halved = gan.regularizers[1].weight_at(composed.steps)
    assert float(halved) == pytest.approx(1.0)
    assert float(gan.objective.instance_noise(composed.steps)) == 0.0
    assert gan.generator_optimizer.global_clipnorm == 1.0
    names = {type(layer).__name__ for layer in gan.discriminator.layers}
    assert {"SpectralNormalization", "SelfAttention", "MinibatchStdDev"} <= names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("packing=2", ("packing", 2)),
        ("beta-1 = 0", ("beta_1", 0.0)),
        ("attention=true", ("attention", True)),
        ("image_size=none", ("image_size", None)),
        ("generator_normalization=none", ("generator_normalization", "none")),
        ("data=folder:a=b", ("data", "folder:a=b")),
    ],
)
def test_a_setting_is_read_by_its_type(text, expected):
    assert settings.setting(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour=1", "Unknown setting.*data, image_size"),
        ("preset=sngan", "Unknown setting"),
        ("packing=two", "a whole number for packing. Received: 'two'"),
        ("packing", "a whole number"),
        ("attention=yes", "true or false"),
        ("beta_1=none", "a number for beta_1"),
    ],
)
def test_a_wrong_setting_says_what_is_expected(text, message):
    with pytest.raises(UserError, match=message):
        settings.setting(text)


def test_import_contract():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_command_line_starts_in_under_600_ms(arguments):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        command = [sys.executable, "-m", "ganlab", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.6
