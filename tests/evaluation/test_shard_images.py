"""Images of shards are read when they are asked for, from each format alike."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ganlab.errors import UserError
from ganlab.evaluation.shard_images import open_shards
from ganlab.evaluation.subjects import load_subject
from ganlab.provenance.marks import Mark
from ganlab.shards.writers import open_writer


def write(folder, shard_format, images, batch=50, shards=2):
    """Writes images as shards, batch by batch."""
    folder.mkdir()
    for shard, part in enumerate(np.array_split(np.arange(len(images)), shards)):
        path = folder / f"samples-{shard:05d}-of-{shards:05d}.{shard_format}"
        with open_writer(path, shard_format, images.shape[1:], Mark()) as add:
            for first in range(part[0], part[-1] + 1, batch):
                add(first, images[first : min(first + batch, part[-1] + 1)], None)
    return folder


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shard_format", ["tar", "tfrecord", "parquet"])
def test_the_images_that_are_sampled_are_those_written(
    tmp_path, shard_format, channels
):
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (130, 6, 7, channels), np.uint8)
    subject = load_subject(write(tmp_path / "a", shard_format, images))
    assert (subject.num_images, subject.image_shape) == (130, (6, 7, channels))
    expected = np.sort(np.random.default_rng(4).permutation(130)[:40])
    taken, labels = subject.sample(40, 4, None)
    np.testing.assert_array_equal(taken, images[expected])
    assert labels is None
    other = subject.in_channels(4 - channels)
    taken, _ = other.sample(40, 4, None)
    assert taken.shape == (40, 6, 7, 4 - channels)
    if channels == 1:
        np.testing.assert_array_equal(taken, images[expected].repeat(3, axis=-1))


@pytest.mark.e2e
def test_memory_is_of_what_is_sampled_not_of_what_there_is(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4000, 64, 64, 1), np.uint8)
    folder = write(tmp_path / "a", "tar", images)
    tracemalloc.start()
    taken, _ = load_subject(folder).sample(50, 0, None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(taken) == 50
    assert peak < images.nbytes / 4


def test_a_folder_without_shards_has_none(tmp_path):
    assert open_shards(tmp_path) is None


def test_damaged_shards_are_one_line(tmp_path):
    images = np.zeros((10, 4, 4, 1), np.uint8)
    folder = write(tmp_path / "a", "parquet", images, shards=1)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="Expected shards of Parquet"):
        open_shards(folder)
    folder = write(tmp_path / "b", "tar", images, shards=1)
    (path,) = folder.iterdir()
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 5] ^= 255
    path.write_bytes(content)
    with pytest.raises(UserError, match="number 0, which is"):
        open_shards(folder)[np.array([0])]


@pytest.mark.parametrize(
    ("shape", "width"),
    [("4 4", 16), ("4 4 1", 15), ("-4 -4 1", 16), ("4 4 9", 144), ("a", 16), (None, 1)],
    ids=["no-image", "width", "negative", "channels", "text", "none"],
)
def test_a_shape_that_is_only_claimed_is_refused(tmp_path, shape, width):
    table = pa.table(
        {"image": pa.array([bytes(width)], pa.binary(width))},
        metadata=None if shape is None else {"shape": shape},
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserError, match="Expected shards of Parquet"):
        open_shards(tmp_path)
