"""Is the package as small and as layered as it says?"""

import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import pytest

import ganlab
from ganlab import config
from ganlab.errors import UserError

ROOT = Path(__file__).parents[1]


def test_public_names_resolve():
    for name in ganlab.__all__:
        assert getattr(ganlab, name) is not None
    assert set(ganlab.__all__) <= set(dir(ganlab))
    with pytest.raises(AttributeError, match="nothing_here"):
        ganlab.nothing_here  # noqa: B018


def test_embedded_data_is_under_5_mb_and_has_its_licence():
    folder = resources.files("ganlab.datasets") / "fashion_mnist"
    files = list(folder.iterdir())
    assert sum(len(file.read_bytes()) for file in files if file.is_file()) < 5_000_000
    assert "Zalando" in (folder / "LICENSE").read_text()


def test_config_round_trip():
    original = config.get_preset("dcgan").replace(data="folder:a", seed=3)
    assert config.TrainConfig(**original.as_dict()) == original
    with pytest.raises(UserError, match="batch size of 1 or more. Received: 0"):
        original.replace(batch_size=0)


def test_what_is_left_to_the_image_size():
    small = config.TrainConfig().at_image_size(28, 1)
    large = config.TrainConfig().at_image_size(64, 3)
    assert (small.discriminator_normalization, small.beta_1) == ("batch", 0.5)
    assert (large.discriminator_normalization, large.channels) == ("none", 3)
    assert small.generator_learning_rate == 5e-4
    assert large.discriminator_learning_rate == 2e-4
    given = config.TrainConfig(generator_learning_rate=1e-3).at_image_size(64, 3)
    assert given.generator_learning_rate == 1e-3


def test_import_contract():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_command_line_starts_in_under_600_ms(arguments):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        command = [sys.executable, "-m", "ganlab.cli", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.6
