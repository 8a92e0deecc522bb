"""`ganlab train`: mistakes in one line, folders in use, resuming, interrupts."""

import functools
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ganlab.callbacks import FailurePolicy
from ganlab.cli.main import main
from ganlab.cli.train import score_and_value
from ganlab.config import presets
from ganlab.config.settings import Recipe
from ganlab.files import locked_folder

QUICK = ["--steps", "4", "--batch-size", "8"]
PromptPolicy = functools.partial(FailurePolicy, every=20, grace=0)


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
        (["--until", "fud=1"], "Unknown score. Expected one of: fid, kid"),
        (["--set", "packing=two"], "a whole number for packing"),
        (["--loss", "hinge", "--label-smoothing", "0.1"], "no label smoothing"),
        (["--network", "r3gan", "--set", "attention=true"], "no attention"),
        (["--network", "mlp"], "mlp for toy 2-D mixtures"),
        (["--data", "grid", "--augmentation", "ada"], "without classes, aug"),
        (["--data", "ring", "--flip"], "Received: flip=True"),
        (["--data", "circle"], "ring, grid"),
        (["--dtype-policy", "float8"], "Unknown dtype_policy"),
        (["--label-smoothing", "0.7"], "under 0.5"),
        (["--image-size", "4"], "16 to 512"),
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


def test_a_score_to_train_until_is_named_and_has_a_value(capsys):
    assert score_and_value("fid=5") == ("fid", 5.0)
    for text in ("fid", "fid=good", "5"):
        with pytest.raises(SystemExit):
            main(["train", "--until", text])
        assert f"such as fid=5, received {text!r}" in capsys.readouterr().err


def test_a_run_is_never_overwritten(saved_run, capsys):
    out = saved_run.folder.path
    before = sorted(out.rglob("*"))
    assert main(["train", "--out", str(out), *QUICK]) == 2
    assert "holds a run; name another with --out" in capsys.readouterr().err
    assert sorted(out.rglob("*")) == before


def test_resume_refuses_another_recipe(saved_run, capsys):
    arguments = ["--resume", "--batch-size", "4", "--out", str(saved_run.folder)]
    assert main(["train", *arguments]) == 2
    assert "Received: batch_size=4 (the run's: 8); start" in capsys.readouterr().err
    arguments = ["--resume", "--loss", "hinge", "--out", str(saved_run.folder)]
    assert main(["train", *arguments]) == 2
    assert "allow it with --change-settings" in capsys.readouterr().err


def test_resume_refuses_other_data(saved_run, photos, capsys):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    added = photos / "cats" / "added.png"
    Image.fromarray(pixels).save(added)
    try:
        out = str(saved_run.folder)
        assert main(["train", "--out", out, "--resume", "--steps", "9"]) == 2
    finally:
        added.unlink()
    assert "num images 12. Received: 13" in capsys.readouterr().err


def test_an_unwritable_place_is_one_line(tmp_path, capsys, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main(["train", "--out", str(blocked / "run"), *QUICK]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert main(["train", "--out", str(tmp_path / "run"), *QUICK]) == 1
    error = capsys.readouterr().err
    assert "Permission denied; check its permissions" in error
    assert error.count("\n") == 1


@pytest.mark.e2e
def test_what_is_trained_on_is_said_before_training(photos, tmp_path, capsys):
    arguments = ["--data", f"folder:{photos}", "--image-size", "16", *QUICK]
    assert main(["train", "--out", str(tmp_path / "run"), *arguments]) == 0
    images = "12 colour images of 16 x 16 pixels"
    line = f"folder:{photos}: {images}, classes cats 6, dogs 6"
    assert line in capsys.readouterr().err.splitlines()


@pytest.mark.e2e
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
    assert [row["step"] for row in rows if row.get("event") == "began"] == [0]
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)


@pytest.mark.e2e
def test_a_diverged_run_exits_1(tmp_path, capsys, monkeypatch):
    diverging = Recipe(generator_learning_rate=1e38, discriminator_learning_rate=1e38)
    monkeypatch.setitem(presets.PRESETS, "dcgan", lambda: diverging)
    arguments = [*QUICK, "--set", "log_every=2"]
    assert main(["train", "--out", str(tmp_path / "run"), *arguments]) == 1
    assert "diverged" in capsys.readouterr().err
    assert (tmp_path / "run" / "black_box.npz").exists()


@pytest.mark.e2e
def test_same_seed_on_one_thread_draws_the_same_images(photos, tmp_path):
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    pictures = []
    for name in ("one", "two"):
        out = tmp_path / name
        command = [sys.executable, "-m", "ganlab", "train", "--out", str(out)]
        command += ["--data", f"folder:{photos}", "--image-size", "16"]
        command += ["--batch-size", "8", "--seed", "5", "--steps", "8"]
        command += ["--set", "generator_filters=4", "--set", "discriminator_filters=4"]
        environment = os.environ | threads
        subprocess.run(command, check=True, capture_output=True, env=environment)
        pictures.append((out / "samples" / "step-0000008.png").read_bytes())
    assert pictures[0] == pictures[1]


def signal_in(monkeypatch, target, number, step):
    """Makes a callback's `run` signal this process at a step, before it does its work.

    Returns:
        A list that gets the step of every later call.
    """
    later = []
    run = pkgutil.resolve_name(target)

    def interrupt(self, at):
        if at == step:
            os.kill(os.getpid(), number)
        elif at > step:
            later.append(at)
        run(self, at)

    monkeypatch.setattr(target, interrupt)
    return later


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("callback", "number", "code"),
    [
        ("TrainingMetrics", signal.SIGINT, 130),
        ("Checkpoints", signal.SIGTERM, 143),
        pytest.param("Evaluate", signal.SIGHUP, 129, marks=pytest.mark.slow),
        pytest.param("FailurePolicy", signal.SIGTERM, 143, marks=pytest.mark.slow),
    ],
    ids=["log", "checkpoint", "evaluation", "policy"],
)
def test_a_signalled_run_is_saved_reported_and_goes_on(
    tmp_path, capsys, monkeypatch, callback, number, code
):
    out = tmp_path / "run"
    arguments = ["train", "--data", "ring", "--out", str(out), "--set", "log_every=20"]
    arguments += ["--set", "checkpoint_every=20", "--set", "evaluate_every=20"]
    with monkeypatch.context() as patched:
        target = f"ganlab.callbacks.{callback}.run"
        if callback == "FailurePolicy":
            patched.setattr("ganlab.training.train.FailurePolicy", PromptPolicy)
        later = signal_in(patched, target, number, 20)
        assert main([*arguments, "--steps", "60"]) == code
    assert later == []
    assert (out / "checkpoints" / "step-0000020.keras").exists()
    for name in ("report.html", "report.md", "report.json"):
        assert (out / name).exists()
    assert not (out / ".lock").exists()
    error = capsys.readouterr().err
    assert error.splitlines()[-1] == (
        "ganlab: stopped, step-0000020.keras is saved; go on with: "
        f"ganlab train --out {out} --resume"
    )
    assert "Traceback" not in error
    assert main(["train", "--out", str(out), "--resume", "--steps", "22"]) == 0
    assert main(["train", "--out", str(out), "--resume", "--steps", "22"]) == 0
    assert "Already at step 22 of 22" in capsys.readouterr().err


@pytest.mark.e2e
def test_a_run_that_ends_before_its_first_checkpoint_starts_anew(
    tmp_path, capsys, monkeypatch
):
    out = tmp_path / "run"

    def interrupt(self, step):
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr("ganlab.callbacks.DecisionSurface.run", interrupt)
        assert main(["train", "--data", "ring", "--out", str(out), *QUICK]) == 143
    assert "before the first checkpoint; start anew with" in capsys.readouterr().err
    assert main(["train", "--data", "ring", "--out", str(out), *QUICK]) == 2
    assert "which holds a run" in capsys.readouterr().err
    assert main(["train", "--out", str(out), "--resume"]) == 0
    assert "There is no checkpoint to go on from" in capsys.readouterr().err
    rows = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    assert [row["step"] for row in rows if row.get("event") == "began"] == [0]


def test_a_run_that_ends_before_anything_is_written_leaves_no_folder(
    tmp_path, capsys, monkeypatch
):
    def interrupt(*arguments):
        os.kill(os.getpid(), signal.SIGHUP)

    monkeypatch.setattr("ganlab.training.train.load_recipe_data", interrupt)
    out = tmp_path / "run"
    assert main(["train", "--out", str(out), *QUICK]) == 129
    assert capsys.readouterr().err == "ganlab: stopped before anything was written\n"
    assert not out.exists()


def test_a_folder_that_another_process_trains_into_is_refused(tmp_path, capsys):
    with locked_folder(tmp_path):
        assert main(["train", "--out", str(tmp_path), *QUICK]) == 2
    error = capsys.readouterr().err
    assert "a folder that no other process writes to" in error
    assert error.count("\n") == 1
