"""`ganlab export`: every format, the card, and folders in use."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab.cli.main import main
from ganlab.serving import onnxruntime_web

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture
def without_runtime(monkeypatch):
    """Nothing is fetched."""
    contents = dict.fromkeys(onnxruntime_web.FILES, b"runtime")
    monkeypatch.setattr(onnxruntime_web, "fetch", lambda: contents)


@pytest.mark.e2e
def test_the_main_job_end_to_end(trained, tmp_path, capsys):
    run, artifact = trained
    assert {path.name for path in run.iterdir()} == {
        "config.json",
        "metrics.jsonl",
        "tensorboard",
        "checkpoints",
        "samples",
        "quality.json",
        "quality.md",
        "report.html",
        "report.json",
        "report.md",
    }
    out = tmp_path / "grid.png"
    assert main(["sample", str(artifact), "--seed", "3", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as picture:
        assert picture.mode == "RGB"
    array = tmp_path / "dogs.npz"
    options = ["--label", "dogs", "--num-images", "5", "--out", str(array)]
    assert main(["sample", str(artifact), *options]) == 0
    with np.load(array) as arrays:
        assert arrays["images"].shape == (5, 16, 16, 3)
        assert arrays["labels"].tolist() == [1] * 5
    walk = tmp_path / "walk.gif"
    options = ["--interpolate", "1", "2", "--out", str(walk)]
    assert main(["sample", str(artifact), *options]) == 0
    assert walk.stat().st_size > 0


@pytest.mark.e2e
@pytest.mark.usefixtures("without_runtime")
def test_export_states_what_each_format_is_worth(trained, tmp_path, capsys):
    run, artifact = trained
    site = tmp_path / "site"
    options = ["--to", str(tmp_path / "a"), "--web", str(site)]
    assert main(["export", str(run), *options]) == 0
    description = json.loads((site / "page" / "model.json").read_text())
    assert description["model"]["name"] == "a"
    lines = capsys.readouterr().out.splitlines()
    for name in ("float32", "float16", "int8"):
        (line,) = [line for line in lines if line.startswith(f"{name} ")]
        assert " MB" in line
        assert "; FID " in line
        assert ("from float32 on average" in line) == (name != "float32")
    out = tmp_path / "grid.png"
    options = ["--format", "int8", "--out", str(out)]
    assert main(["sample", str(artifact), *options]) == 0
    assert out.is_file()


@pytest.mark.e2e
def test_export_without_its_data_states_no_fid(trained, photos, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    moved = photos.rename(tmp_path / "moved")
    try:
        assert main(["export", str(run), "--to", str(tmp_path / "a")]) == 0
    finally:
        moved.rename(photos)
    printed = capsys.readouterr()
    assert "The card will state no FID" in printed.err
    assert "FID" not in printed.out
    card = json.loads((tmp_path / "a" / "card.json").read_text())
    assert "fid" not in card["formats"]["int8"]


@pytest.mark.e2e
def test_config_records_what_the_data_decided(trained):
    about = json.loads((trained[0] / "config.json").read_text())
    assert about["class_names"] == ["cats", "dogs"]
    assert about["num_images"] == 12
    assert about["recipe"]["channels"] == 3
    assert about["recipe"]["conditional"] is True
    card = json.loads((trained[1] / "card.json").read_text())
    assert card["training"]["step"] == 4
    assert card["training"]["num_images"] == 12


def test_an_artifact_is_never_overwritten(saved_run, capsys):
    arguments = [str(saved_run.folder), "--to", str(SHIPPED)]
    before = sorted(SHIPPED.rglob("*"))
    assert main(["export", *arguments]) == 2
    assert "name another with --to" in capsys.readouterr().err
    assert sorted(SHIPPED.rglob("*")) == before


def test_a_run_without_checkpoints_is_one_line(saved_run, tmp_path, capsys):
    arguments = [str(saved_run.folder), "--to", str(tmp_path / "artifact")]
    assert main(["export", *arguments]) == 2
    error = capsys.readouterr().err
    assert "Expected a whole checkpoint in" in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("without_runtime")
def test_a_page_of_an_artifact(tmp_path, capsys):
    site = tmp_path / "site"
    assert main(["export", str(SHIPPED), "--web", str(site)]) == 0
    line = f"page         python -m http.server --directory {site}\n"
    assert capsys.readouterr().out == line
    assert (site / "page" / "model.json").is_file()


def test_a_deployment_of_an_artifact(tmp_path, capsys):
    folder = tmp_path / "deploy"
    assert main(["export", str(SHIPPED), "--deploy", str(folder)]) == 0
    assert "docker compose --project-directory" in capsys.readouterr().out
    assert (folder / "Dockerfile").is_file()
    assert main(["export", str(SHIPPED), "--deploy", str(folder)]) == 2
    assert "name another with --deploy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "an artifact; write what serves it with --web DIR"),
        (["--web", "site", "--to", "a"], "Received: --to; leave out"),
        (
            ["--web", "site", "--checkpoint", "best", "--license", "mit"],
            "Received: --checkpoint, --license; leave out",
        ),
    ],
)
def test_an_artifact_is_not_exported_again(
    options, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(SHIPPED), *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
def test_a_page_that_cannot_be_written_stops_the_export(trained, tmp_path, capsys):
    (tmp_path / "site" / "mine").mkdir(parents=True)
    options = ["--to", str(tmp_path / "a"), "--web", str(tmp_path / "site")]
    assert main(["export", str(trained[0]), *options]) == 2
    assert "new or empty folder for the page" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
