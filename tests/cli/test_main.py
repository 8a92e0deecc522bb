"""Does the command line do the main job, and answer mistakes in one line?"""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ganlab.cli.main import main
from ganlab.config import settings

QUICK = ["--steps", "4", "--batch-size", "8"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve colour pictures in two classes."""
    folder = tmp_path_factory.mktemp("photos")
    draws = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir()
        for index in range(6):
            pixels = draws.integers(0, 256, (20, 24, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """A run of the main job on the photos, and its artifact."""
    root = tmp_path_factory.mktemp("job")
    run, artifact = root / "run", root / "artifact"
    spec = f"folder:{photos}"
    train = ["train", "--data", spec, "--image-size", "16", "--out", str(run)]
    assert main([*train, *QUICK]) == 0
    assert main(["export", str(run), "--to", str(artifact)]) == 0
    return run, artifact


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


def test_export_says_what_each_precision_is_worth(trained, tmp_path, capsys):
    run, artifact = trained
    assert main(["export", str(run), "--to", str(tmp_path / "a")]) == 0
    lines = capsys.readouterr().out.splitlines()
    for precision in ("float32", "float16", "int8"):
        (line,) = [each for each in lines if each.startswith(f"{precision} ")]
        assert " MB" in line
        assert "; FID " in line
        assert ("from float32 on average" in line) == (precision != "float32")
    out = tmp_path / "grid.png"
    options = ["--format", "int8", "--out", str(out)]
    assert main(["sample", str(artifact), *options]) == 0
    assert out.is_file()


def test_export_without_its_data_states_no_distance(trained, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    about = json.loads((run / "config.json").read_text())
    about["recipe"]["data"] = "folder:/nowhere"
    (run / "config.json").write_text(json.dumps(about))
    assert main(["export", str(run), "--to", str(tmp_path / "a")]) == 0
    said = capsys.readouterr()
    assert "The card will state no FID" in said.err
    assert "FID" not in said.out
    card = json.loads((tmp_path / "a" / "card.json").read_text())
    assert "fid" not in card["formats"]["int8"]


def test_config_records_what_the_data_decided(trained):
    about = json.loads((trained[0] / "config.json").read_text())
    assert about["class_names"] == ["cats", "dogs"]
    assert about["num_images"] == 12
    assert about["recipe"]["channels"] == 3
    assert about["recipe"]["conditional"] is True
    card = json.loads((trained[1] / "card.json").read_text())
    assert card["training"]["step"] == 4
    assert card["training"]["num_images"] == 12


def test_resume_goes_on_and_ends_as_one_run_would(trained, photos, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    assert main(["train", "--out", str(run), "--resume", "--steps", "7"]) == 0
    whole = tmp_path / "whole"
    arguments = ["train", "--data", f"folder:{photos}", "--image-size", "16"]
    arguments += ["--out", str(whole), "--batch-size", "8", "--steps", "7"]
    assert main(arguments) == 0
    pictures = []
    for folder in (run, whole):
        with Image.open(folder / "samples" / "step-0000007.png") as picture:
            pictures.append(np.asarray(picture).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 2
    lines = (run / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows if "fid" in row] == [4, 7]
    assert [row["step"] for row in rows if row.get("event") == "began"] == [0, 4]
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "cifar"], "Unknown data"),
        (["--data", "folder:/nowhere"], "folder that exists"),
        (["--data", "folder:{empty}"], "a folder with none"),
        (["--preset", "biggan"], "one of: dcgan, wgan-gp, sngan, r3gan, small-data"),
        (["--loss", "hingy"], "Unknown loss"),
        (["--regularizer", "r1+r3"], "Unknown regularizer"),
        (["--augmentation", "flip"], "Unknown augmentation"),
        (["--network", "unet"], "Unknown network"),
        (["--set", "beta=0"], "Unknown setting"),
        (["--set", "packing=two"], "a whole number for packing"),
        (["--loss", "hinge", "--label-smoothing", "0.1"], "no label smoothing"),
        (["--network", "r3gan", "--set", "attention=true"], "no attention"),
        (["--network", "mlp"], "mlp for points"),
        (["--data", "grid", "--augmentation", "ada"], "without classes and aug"),
        (["--data", "circle"], "ring, grid"),
        (["--dtype-policy", "float8"], "Unknown dtype_policy"),
        (["--label-smoothing", "0.7"], "under 0.5"),
        (["--image-size", "4"], "16 to 128"),
        (["--batch-size", "20000"], "1 to 9744"),
        (["--data", "npz:{unlabelled}", "--conditional"], "without labels"),
        (["--resume"], "run folder"),
    ],
)
def test_a_mistake_in_train_is_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "a.npz", images=np.zeros((70, 16, 16), np.uint8))
    places = {"empty": tmp_path / "empty", "unlabelled": tmp_path / "a.npz"}
    arguments = [argument.format(**places) for argument in arguments]
    out = tmp_path / "run"
    assert main(["train", "--out", str(out), "--steps", "2", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ganlab: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not out.exists()


@pytest.mark.parametrize("value", ["-1", "0", "many"])
def test_a_wrong_number_is_refused_by_the_parser(capsys, value):
    with pytest.raises(SystemExit) as caught:
        main(["train", "--batch-size", value])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "argument --batch-size: expected" in error
    assert error.count("\n") == 1


def test_a_run_is_never_overwritten(trained, capsys):
    before = sorted(trained[0].rglob("*"))
    assert main(["train", "--out", str(trained[0]), *QUICK]) == 2
    assert "holds a run; name another with --out" in capsys.readouterr().err
    assert main(["export", str(trained[0]), "--to", str(trained[1])]) == 2
    assert "name another with --to" in capsys.readouterr().err
    assert sorted(trained[0].rglob("*")) == before


def test_resume_refuses_another_config(trained, capsys):
    arguments = ["--resume", "--batch-size", "4", "--out", str(trained[0])]
    assert main(["train", *arguments]) == 2
    assert "the run's own batch size, 8. Received: 4" in capsys.readouterr().err


def test_resume_refuses_other_data(trained, photos, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    about = json.loads((run / "config.json").read_text())
    about["num_images"] = 99
    (run / "config.json").write_text(json.dumps(about))
    assert main(["train", "--out", str(run), "--resume", "--steps", "9"]) == 2
    assert "num images 99. Received: 12" in capsys.readouterr().err


def test_an_unwritable_place_is_one_line(tmp_path, capsys, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main(["train", "--out", str(blocked / "run"), *QUICK]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert main(["train", "--out", str(tmp_path / "run"), *QUICK]) == 2
    error = capsys.readouterr().err
    assert "Permission denied; check the path" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "bird"], "0 cats, 1 dogs"),
        (["--label", "2"], "0 cats, 1 dogs"),
        (["--truncation", "-1"], "truncation above 0"),
        (["--out", "a.jpg"], ".png, .npz, a folder"),
        (["--interpolate", "1", "2", "--out", "a.png"], ".gif, .webp"),
    ],
)
def test_a_mistake_in_sample_is_one_line(trained, capsys, arguments, message):
    assert main(["sample", str(trained[1]), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_diverged_run_exits_1(tmp_path, capsys, monkeypatch):
    diverging = settings.Recipe(generator_learning_rate=float("nan"))
    monkeypatch.setitem(settings.PRESETS, "dcgan", lambda: diverging)
    arguments = [*QUICK, "--set", "log_every=2"]
    assert main(["train", "--out", str(tmp_path / "run"), *arguments]) == 1
    assert "diverged" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["sample", "{artifact}"]])
def test_help_and_sample_never_import_tensorflow(trained, tmp_path, arguments):
    arguments = [argument.format(artifact=trained[1]) for argument in arguments]
    script = (
        "import sys; from ganlab.cli.main import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as stop: code = stop.code\n"
        "loaded = {'tensorflow', 'keras', 'tf2onnx'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        "sys.exit(code)"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_same_seed_on_one_thread_draws_the_same_images(tmp_path):
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    pictures = []
    for name in ("one", "two"):
        out = tmp_path / name
        command = [sys.executable, "-m", "ganlab", "train", "--out", str(out)]
        command += ["--seed", "5", "--steps", "20"]
        environment = os.environ | threads
        subprocess.run(command, check=True, capture_output=True, env=environment)
        pictures.append((out / "samples" / "step-0000020.png").read_bytes())
    assert pictures[0] == pictures[1]


def test_an_interrupted_run_is_saved_and_goes_on(tmp_path, capsys, monkeypatch):
    out = tmp_path / "run"

    def interrupt(self, step):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ganlab.callbacks.Watch.act", interrupt)
        arguments = ["train", "--out", str(out), "--steps", "120"]
        assert main(arguments) == 130
    assert "go on with --resume" in capsys.readouterr().err
    assert (out / "checkpoints" / "step-0000050.keras").exists()
    assert main(["train", "--out", str(out), "--resume", "--steps", "52"]) == 0
    assert main(["train", "--out", str(out), "--resume", "--steps", "52"]) == 0
    assert "Already at step 52 of 52" in capsys.readouterr().err
