"""Sample i is a function of generator, seed and i, whatever else the job says."""

import dataclasses
import importlib.metadata

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.sampling import draw_block
from ganlab.shards.job import job_of


@pytest.mark.parametrize(
    ("num_images", "num_shards"), [(300, 3), (64, 1), (6400, 7), (65, 2), (1000, 16)]
)
def test_shards_hold_every_sample_once(make_job, num_images, num_shards):
    job = make_job(num_images=num_images, num_shards=num_shards)
    indices = [
        first + row
        for shard in range(num_shards)
        for first, count in job.batches(shard)
        for row in range(count)
    ]
    assert indices == list(range(num_images))
    sizes = np.diff([job.bounds(shard) for shard in range(num_shards)])
    assert sizes.min() > 0
    assert len({job.name(shard) for shard in range(num_shards)}) == num_shards


def test_a_batch_is_the_same_whatever_the_number_of_samples(make_job):
    few, many = make_job(), make_job(num_images=10_000, num_shards=5)
    assert few.batch_size == many.batch_size == 64
    for first in (0, 64, 256):  # of which few keeps 44
        np.testing.assert_array_equal(few.latents(first), many.latents(first))
        np.testing.assert_array_equal(few.labels(first), many.labels(first))
        assert len(few.latents(first)) == 64


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((28, 28, 1), 64), ((64, 64, 3), 64), ((128, 128, 3), 16), ((512, 512, 3), 1)],
    ids=str,
)
def test_large_images_are_drawn_fewer_at_once_from_the_same_noise(
    make_job, shape, expected
):
    job = dataclasses.replace(make_job(), image_shape=shape)
    assert job.batch_size == expected
    parts = [job.latents(first) for first in range(64, 128, expected)]
    np.testing.assert_array_equal(np.concatenate(parts), draw_block(1, 64, 5))


def test_labels_are_each_in_turn_or_one(make_job):
    assert make_job().labels(64)[:8].tolist() == [4, 5, 6, 7, 8, 9, 0, 1]
    assert set(make_job(label=8).labels(64).tolist()) == {8}


def test_what_decides_the_bytes_is_json(make_job, artifact):
    values = make_job().as_json()
    assert values["generator"] == artifact.sha256
    assert values["versions"]["numpy"] == np.__version__
    assert {"pillow", "zlib"} <= set(values["versions"])
    parquet = make_job(shard_format="parquet").versions
    assert parquet["pyarrow"] == importlib.metadata.version("pyarrow")


def test_zlib_is_that_of_the_workers_whatever_was_loaded_here(make_job, monkeypatch):
    zlib = make_job().versions["zlib"]
    monkeypatch.setattr("PIL.features.version", lambda name: "of TensorFlow")
    assert make_job().versions["zlib"] == zlib


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_shards": 6}, "Expected 1 to 5 shards of 300 images"),
        ({"truncation": -1.0}, "truncation above 0"),
        ({"seed": 2**63}, "under 2"),
    ],
    ids=["shards", "truncation", "seed"],
)
def test_a_job_that_cannot_be_done_is_refused(make_job, options, message):
    with pytest.raises(UserError, match=message):
        make_job(**options)


def test_without_pyarrow_it_says_so(make_job, monkeypatch):
    version = importlib.metadata.version

    def absent(name):
        if name == "pyarrow":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(UserError, match=r"ganlab\[parquet\]"):
        make_job(shard_format="parquet")


def test_png_is_of_images_alone(artifact):
    class Series:
        image_shape = (5, 2)

    with pytest.raises(UserError, match="--shard-format parquet"):
        job_of(Series(), num_images=64, num_shards=1, shard_format="tar")
