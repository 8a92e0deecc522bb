"""Equal bytes: by any number of workers, in any order, and after any end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab.data.records import open_webdataset
from ganlab.errors import RunError, UserError
from ganlab.shards import manifest
from ganlab.shards.sample import sample_shards

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def sample(artifact):
    """A function that writes the shards of a job, by one worker if not told."""

    def sample(job, out, workers=1, **options):
        mark = artifact.mark(job.seed)
        sample_shards(SHIPPED, job, mark, out, workers=workers, **options)
        return contents(out)

    return sample


@pytest.mark.e2e
@pytest.mark.parametrize("shard_format", ["tar", "parquet"])
def test_the_number_of_workers_changes_no_byte(
    make_job, sample, tmp_path, shard_format
):
    job = make_job(shard_format=shard_format)
    counts = []
    one = sample(job, tmp_path / "one", progress=counts.append)
    assert one == sample(job, tmp_path / "three", workers=3)
    names = [job.name(shard) for shard in range(3)]
    assert sorted(one) == sorted([*names, manifest.MANIFEST])
    assert sum(counts) == 300
    assert manifest.damaged(tmp_path / "one") == []


@pytest.mark.e2e
def test_sample_i_is_the_same_in_any_number_of_shards(
    make_job, sample, samples_of, tmp_path
):
    images, labels = samples_of(make_job())
    for num_shards in (1, 4):
        out = tmp_path / str(num_shards)
        sample(make_job(num_shards=num_shards), out)
        source = open_webdataset(str(out))
        assert source.labels.tolist() == labels.tolist()
        for image, (_, content) in zip(images, source.items, strict=True):
            with Image.open(Image.io.BytesIO(content)) as picture:
                np.testing.assert_array_equal(np.asarray(picture), image[..., 0])


@pytest.mark.e2e
def test_a_job_that_was_stopped_goes_on_to_the_same_bytes(make_job, sample, tmp_path):
    job = make_job()
    whole = sample(job, tmp_path / "whole")

    def stop(count):
        if (tmp_path / "cut" / job.name(0)).exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(job, tmp_path / "cut", progress=stop)
    assert manifest.PROGRESS in contents(tmp_path / "cut")
    assert manifest.MANIFEST not in contents(tmp_path / "cut")
    (tmp_path / "cut" / ".samples-00001-0-0-0123abcd.tar").write_bytes(b"left behind")
    assert sample(job, tmp_path / "cut", resume=True, workers=2) == whole


@pytest.mark.e2e
def test_only_what_is_missing_or_damaged_is_made_again(make_job, sample, tmp_path):
    job, out = make_job(), tmp_path / "out"
    whole = sample(job, out)
    kept = (out / job.name(1)).stat()
    (out / job.name(0)).unlink()
    (out / job.name(2)).write_bytes(whole[job.name(2)][:-1])
    assert sample(job, out, resume=True) == whole
    assert (out / job.name(1)).stat().st_mtime_ns == kept.st_mtime_ns
    before = (out / manifest.MANIFEST).stat()
    assert sample(job, out, resume=True) == whole
    assert (out / manifest.MANIFEST).stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.e2e
def test_a_folder_with_files_is_refused(make_job, sample, tmp_path):
    sample(make_job(), tmp_path / "out")
    with pytest.raises(UserError, match="--resume"):
        sample(make_job(), tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("keep")
    with pytest.raises(UserError, match="which has files"):
        sample(make_job(), tmp_path / "mine", resume=True)


def test_a_mistake_in_a_worker_is_the_callers(make_job, artifact, tmp_path):
    with pytest.raises(UserError, match="Expected an artifact"):
        sample_shards(
            tmp_path, make_job(), artifact.mark(0), tmp_path / "out", workers=1
        )


def test_a_worker_that_is_killed_is_named(make_job, sample, tmp_path):
    def kill(count):
        children = Path("/proc/self/task")
        for task in children.iterdir():
            for child in (task / "children").read_text().split():
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)

    job = make_job(num_images=6400)
    with pytest.raises(RunError, match="exit code -9.*--resume"):
        sample(job, tmp_path / "out", progress=lambda count: count and kill(count))


@pytest.mark.e2e
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_a_killed_command_is_resumed_to_the_same_bytes(
    make_job, sample, tmp_path, number
):
    job = make_job(num_images=19_200, num_shards=30)
    whole = sample(job, tmp_path / "whole", workers=2)
    out = tmp_path / "cut"
    words = [
        "sample",
        SHIPPED,
        "--num-images",
        "19200",
        "--seed",
        "5",
        "--shards",
        "30",
    ]
    command = [sys.executable, "-m", "ganlab", *map(str, [*words, "--out", out])]
    for shards in (3, 10, 20):
        process = subprocess.Popen([*command, *["--resume"] * out.exists()])
        progress = out / manifest.PROGRESS
        deadline = time.monotonic() + 300
        while not progress.exists() or progress.read_text().count("\n") <= shards:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(60) != 0
        assert not (out / manifest.MANIFEST).exists()
    subprocess.run([*command, "--resume"], check=True)
    assert contents(out) == whole
    assert json.loads(whole[manifest.MANIFEST])["job"]["num_images"] == 19_200
