"""`ganlab sample`: grids, arrays, animations, and mistakes in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import draw_latents
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


def test_series_are_a_table_or_an_array(arrays_artifact, tmp_path, capsys):
    artifact = str(arrays_artifact((3, 2)))
    out = tmp_path / "a.csv"
    options = ["--num-images", "4", "--seed", "5", "--out", str(out)]
    assert main(["sample", artifact, *options]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    expected = 3 * draw_latents(4, (3, 2), 5)
    lines = out.read_text().splitlines()
    assert lines[0] == "t0_c0,t0_c1,t1_c0,t1_c1,t2_c0,t2_c1"
    rows = np.array([line.split(",") for line in lines[1:]], float)
    np.testing.assert_allclose(rows, expected.reshape(4, 6), rtol=1e-6)
    walk = tmp_path / "walk.npy"
    options = ["--interpolate", "5", "6", "--num-images", "2", "--out", str(walk)]
    assert main(["sample", artifact, *options]) == 0
    assert np.load(walk).shape == (30, 2, 3, 2)


def test_arrays_go_to_npy_by_default(arrays_artifact, tmp_path, capsys, monkeypatch):
    artifact = str(arrays_artifact((2, 2, 2, 1)))
    monkeypatch.chdir(tmp_path)
    assert main(["sample", artifact, "--num-images", "3"]) == 0
    assert capsys.readouterr().out == "samples.npy\n"
    expected = 3 * draw_latents(3, (2, 2, 2, 1))
    np.testing.assert_allclose(np.load("samples.npy"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((5,), ["--out", "a.png"], "an output of .csv, .npy, .npz. Received: a.png"),
        ((5,), ["--out", "folder"], "an output of .csv, .npy, .npz. Received: folder"),
        ((2, 2, 5), ["--out", "a.csv"], "an output of .npy, .npz. Received: a.csv"),
        ((5,), ["--interpolate", "1", "2", "--out", "a.gif"], "an output of .npy. Rec"),
    ],
)
def test_arrays_are_no_pictures(arrays_artifact, capsys, shape, arguments, message):
    assert main(["sample", str(arrays_artifact(shape)), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
