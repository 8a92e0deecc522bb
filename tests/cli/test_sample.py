"""`ganlab sample`: grids, arrays, animations, and mistakes in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab.cli.main import main

SHIPPED = str(Path(__file__).parents[2] / "saved_models" / "fashion")


def test_a_grid_is_written_and_named(tmp_path, capsys):
    out = tmp_path / "grid.png"
    assert main(["sample", SHIPPED, "--seed", "3", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as picture:
        assert picture.mode == "L"


def test_images_of_one_class_as_arrays(tmp_path):
    out = tmp_path / "bags.npz"
    options = ["--label", "Bag", "--num-images", "5", "--out", str(out)]
    assert main(["sample", SHIPPED, *options]) == 0
    with np.load(out) as arrays:
        assert arrays["images"].shape == (5, 28, 28, 1)
        assert arrays["labels"].tolist() == [8] * 5


def test_formats_draw_nearly_the_same(tmp_path):
    images = []
    for name in ("float32", "int8"):
        out = tmp_path / f"{name}.npz"
        options = ["--format", name, "--num-images", "8", "--out", str(out)]
        assert main(["sample", SHIPPED, *options]) == 0
        with np.load(out) as arrays:
            images.append(arrays["images"].astype(int))
    difference = np.abs(images[0] - images[1])
    assert 0 < difference.mean() < 8


def test_an_animation(tmp_path):
    out = tmp_path / "walk.gif"
    options = ["--interpolate", "1", "2", "--num-images", "4", "--out", str(out)]
    assert main(["sample", SHIPPED, *options]) == 0
    with Image.open(out) as picture:
        assert picture.n_frames >= 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "bird"], "0 T-shirt"),
        (["--label", "10"], "0 T-shirt"),
        (["--truncation", "-1"], "truncation above 0"),
        (["--out", "a.jpg"], ".png, .npy, .npz, a folder"),
        (["--interpolate", "1", "2", "--out", "a.png"], ".gif, .webp"),
    ],
)
def test_a_mistake_in_sample_is_one_line(capsys, arguments, message):
    assert main(["sample", SHIPPED, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
