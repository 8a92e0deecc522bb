"""The benchmark of training speed, with its smallest settings."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ganlab.training.bfloat16 import is_emulated

BENCHMARKS = Path(__file__).parents[1] / "scripts" / "benchmarks"


@pytest.fixture
def speed(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("speed")


def run(*arguments, cwd):
    """Runs the benchmark as a user would; returns what it prints."""
    command = [sys.executable, BENCHMARKS / "speed.py", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_work_of_a_step_counts_its_convolutions(speed):
    works = speed.WORKS
    # 16 taps at 32, 16, 8 and 4 pixels a side: 3 to 64, 128, 256 and 512 channels.
    layers = [
        16 * 32**2 * 3 * 64,
        16 * 16**2 * 64 * 128,
        16 * 8**2 * 128 * 256,
        16 * 4**2 * 256 * 512,
    ]
    assert works["dcgan64"].multiply_adds() == 9 * sum(layers) - layers[0]
    assert works["dcgan28"].multiply_adds() is None


def test_an_epoch_is_as_long_as_the_machine_is_fast(speed):
    work = speed.WORKS["dcgan64"]  # 16 batches of 64
    images = [
        speed.epoch_of(work, {"ceiling_gflops": {"float32": gflops}})
        for gflops in (1000.0, 150.0, 1.0)
    ]
    assert images == [1024, 512, 384]


@pytest.mark.slow
def test_the_benchmark_of_speed_writes_a_table_and_a_picture(tmp_path):
    works = ["dcgan64", "emoji64"]
    arguments = ["--num-images", 256, "--rounds", 1, "--only", "ganlab", "--out", "out"]
    run(*arguments, "--works", works[0], cwd=tmp_path)
    began = json.loads((tmp_path / "out" / "speed.json").read_text())["works"]
    printed = run(*arguments, "--works", *works, cwd=tmp_path)
    assert ("| ganlab, bfloat16 |" in printed) != is_emulated()
    report = json.loads((tmp_path / "out" / "speed.json").read_text())
    assert list(report["works"]) == works
    assert report["works"][works[0]] == began[works[0]]
    assert f"{report['machine']['cores']} cores of" in printed
    for work in report["works"].values():
        assert set(work["contenders"]) - {"ganlab, bfloat16"} == {
            "keras.io example, float32",
            "ganlab, float32",
        }
        for row in work["contenders"].values():
            assert row["epoch_images_per_second"] > 0 < row["step_images_per_second"]
            assert row["seconds_to_first_step"] > 0
    with Image.open(tmp_path / "out" / "speed.png") as picture:
        assert picture.width > 600
