"""A resumed run's folder is that of an uninterrupted one, but for clocks."""

import io
import json
import os
import signal
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

import ganlab

CLOCKS = {
    *("seconds", "elapsed", "images_per_second", "data_wait_share"),
    *("evaluation_seconds", "date_saved", "bytes", "tensorboard"),
    "shared_object_id",  # an address in memory
}
REPORTS = ("report.json", "report.md", "report.html", "quality.md")  # they name folders


class Killed(BaseException):
    """Stands for what ends a process at once."""


class Kill(keras.callbacks.Callback):
    """Ends a run after a step, before it is known that it ended."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_begin(self, batch, logs=None):
        self.on_train_end()

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_end()

    def on_train_end(self, logs=None):
        if int(self.model.step.numpy()) == self.step:
            raise Killed


def keras_callbacks():
    """Callbacks of Keras that count, and change what is trained with."""
    return [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
        keras.callbacks.ReduceLROnPlateau(
            "loss", 0.5, patience=2, min_delta=100.0, cooldown=1
        ),
        keras.callbacks.EarlyStopping("loss", patience=9, min_delta=100.0),
    ]


def timeless(value):
    """A JSON value without what tells of clocks and addresses."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in CLOCKS}
        return {key: timeless(item) for key, item in kept.items()}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def weights_of(content):
    """The arrays of an HDF5 file by path."""
    arrays = {}

    def add(name, entry):
        if isinstance(entry, h5py.Dataset):
            arrays[name] = np.asarray(entry[()])

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(add)
    return arrays


def content_of(path):
    """What a file of a run holds, but for clocks."""
    if path.suffix == ".jsonl":
        return [timeless(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix == ".json":
        return timeless(json.loads(path.read_text()))
    if path.suffix != ".keras":
        return path.read_bytes()
    parts = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".json"):
                parts[name] = timeless(json.loads(content))
            elif name.endswith(".npz"):
                parts[name] = dict(np.load(io.BytesIO(content)))
            else:
                parts[name] = weights_of(content)
    return parts


def summaries_of(folder):
    """Step, tag and value of all that TensorBoard is given, but for clocks."""
    summaries = []
    for path in sorted(folder.iterdir()):
        for record in RawEventFileLoader(str(path)).Load():
            event = Event.FromString(record)
            summaries += [
                (event.step, value.tag, value.SerializeToString(deterministic=True))
                for value in event.summary.value
                if value.tag.rpartition("/")[2] not in CLOCKS
                and "session" not in value.tag
            ]
    return summaries


def names_in(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "tensorboard"
    }


@pytest.fixture
def run_in_parts(recipe, monitoring, tmp_path):
    """A function that trains at once, and killed after steps; returns both folders."""
    often = monitoring.replace(checkpoint_every=2, log_every=3, sample_every=6)

    def train(*steps):
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        keras.backend.clear_session()
        used = keras_callbacks()
        ganlab.train(recipe, whole, monitoring=often, callbacks=used)
        for index, step in enumerate(steps):
            keras.backend.clear_session()  # whose layers' names are counted anew
            with pytest.raises(Killed):
                ganlab.train(
                    recipe,
                    parts,
                    monitoring=often,
                    resume=index > 0,
                    callbacks=[*keras_callbacks(), Kill(step)],
                )
        callbacks = [*keras_callbacks(), Kill(None)]
        ganlab.train(recipe, parts, monitoring=often, resume=True, callbacks=callbacks)
        for callback, other in zip(used, callbacks, strict=False):
            for name in ("wait", "cooldown_counter", "best", "stopped_epoch"):
                value, expected = (getattr(x, name, 0) for x in (other, callback))
                assert value == pytest.approx(expected, rel=1e-2)
        assert used[2].wait > 1
        return whole, parts

    return train


@pytest.mark.e2e
@pytest.mark.parametrize(
    "steps",
    [(3, 11), pytest.param((20,), marks=pytest.mark.slow)],
    ids=["midway", "after the last"],
)
def test_the_folder_is_as_after_one_run(run_in_parts, steps):
    whole, parts = run_in_parts(*steps)
    assert names_in(parts) == names_in(whole)
    rows, expected = (content_of(path / "metrics.jsonl") for path in (parts, whole))
    assert [(row["step"], set(row)) for row in rows] == [
        (row["step"], set(row)) for row in expected
    ]
    for row, other in zip(rows, expected, strict=True):
        for key in {"d_loss", "g_loss", "fid", "d_drift", "d_gain"} & set(row):
            assert row[key] == pytest.approx(other[key], rel=1e-2, abs=1e-3)
        assert row.get("d_learning_rate") == other.get("d_learning_rate")
    tags, expected_tags = (
        [summary[:2] for summary in summaries_of(path / "tensorboard")]
        for path in (parts, whole)
    )
    assert tags == expected_tags


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["r3gan", "sngan"])
def test_not_one_byte_differs_after_a_kill(preset, tmp_path):
    command = ["train", "--data", "ring", "--steps", "30", "--batch-size", "32"]
    for setting in (
        *("log_every=4", "sample_every=10", "checkpoint_every=7"),
        *("evaluate_every=10", "evaluate_share=1", "evaluate_images=100"),
        *("probe_every=5", "probe_share=1"),
    ):
        command += ["--set", setting]
    whole, parts = tmp_path / "whole" / "run", tmp_path / "parts" / "run"
    run_command([*command, "--preset", preset, "--out", str(whole)])
    run_command([*command, "--preset", preset, "--out", str(parts)], kill_at=18)
    run_command(["train", "--out", str(parts), "--resume"])
    assert names_in(parts) == names_in(whole)
    for name in names_in(whole) - set(REPORTS):
        np.testing.assert_equal(content_of(parts / name), content_of(whole / name))
    assert summaries_of(parts / "tensorboard") == summaries_of(whole / "tensorboard")


def run_command(words, kill_at=None):
    """Runs `ganlab` on one thread, in a process that a step may kill."""
    program = f"""
import os, signal, sys
from ganlab.callbacks import progress
from ganlab.cli.main import main

show = progress.ProgressBar.on_train_batch_end

def show_and_kill(self, batch, logs=None):
    show(self, batch, logs)
    if int(self.model.step.numpy()) == {kill_at}:
        os.kill(os.getpid(), signal.SIGKILL)

progress.ProgressBar.on_train_batch_end = show_and_kill
sys.exit(main({words}))
"""
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | threads,
    )
    expected = 0 if kill_at is None else -signal.SIGKILL
    assert done.returncode == expected, done.stderr
