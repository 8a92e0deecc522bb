"""Shards are read by those who do not know ganlab: tarfile, TensorFlow, pyarrow."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from ganlab.data.records import open_tfrecord, open_webdataset
from ganlab.provenance.marks import Mark, read_mark
from ganlab.shards.writers import crc32c, open_writer

MARK = Mark(generator="ab" * 32, seeds=(3,))
FIRST = 128


@pytest.fixture(params=[(8, 9, 1), (8, 9, 3)], ids=["grey", "colour"])
def samples(request):
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (10, *request.param), np.uint8)
    return images, np.arange(10, dtype=np.int32) * 100


def write(path, shard_format, images, labels):
    with open_writer(path, shard_format, images.shape[1:], MARK) as add:
        add(FIRST, images[:6], None if labels is None else labels[:6])
        add(FIRST + 6, images[6:], None if labels is None else labels[6:])
    return path


def test_tar_is_as_python_reads_it(tmp_path, samples):
    images, labels = samples
    path = write(tmp_path / "a.tar", "tar", images, labels)
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        contents = [archive.extractfile(member).read() for member in members]
    names = [f"{FIRST + row:09d}{end}" for row in range(10) for end in (".png", ".cls")]
    assert [member.name for member in members] == names
    assert {(member.mtime, member.uid, member.mode) for member in members} == {
        (0, 0, 0o644)
    }
    assert [int(content) for content in contents[1::2]] == labels.tolist()
    for image, content in zip(images, contents[::2], strict=True):
        with Image.open(io.BytesIO(content)) as picture:
            np.testing.assert_array_equal(np.asarray(picture), image.squeeze())
    (tmp_path / "a.png").write_bytes(contents[0])
    assert read_mark(tmp_path / "a.png") == MARK


def test_tar_is_what_tarfile_writes(tmp_path, samples):
    images, labels = samples
    path = write(tmp_path / "a.tar", "tar", images, labels)
    again = io.BytesIO()
    with (
        tarfile.open(path) as archive,
        tarfile.open(fileobj=again, mode="w", format=tarfile.USTAR_FORMAT) as copy,
    ):
        for member in archive.getmembers():
            copy.addfile(member, archive.extractfile(member))
    assert again.getvalue().rstrip(b"\0") == path.read_bytes().rstrip(b"\0")


@pytest.mark.parametrize(
    ("shard_format", "read"), [("tar", open_webdataset), ("tfrecord", open_tfrecord)]
)
def test_ganlab_trains_on_what_it_writes(tmp_path, samples, shard_format, read):
    images, labels = samples
    path = write(tmp_path / f"a.{shard_format}", shard_format, images, labels)
    source = read(str(path))
    assert source.labels.tolist() == labels.tolist()
    for image, (_, content) in zip(images, source.items, strict=True):
        with Image.open(io.BytesIO(content)) as picture:
            np.testing.assert_array_equal(np.asarray(picture), image.squeeze())
    unlabelled = write(tmp_path / f"b.{shard_format}", shard_format, images, None)
    assert read(str(unlabelled)).labels is None


def test_tensorflow_reads_the_records_and_their_checksums(tmp_path, samples):
    import tensorflow as tf

    images, labels = samples
    path = write(tmp_path / "a.tfrecord", "tfrecord", images, labels)
    features = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/class/label": tf.io.FixedLenFeature([], tf.int64),
        "image/index": tf.io.FixedLenFeature([], tf.int64),
    }
    rows = [
        tf.io.parse_single_example(record, features)
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert [int(row["image/class/label"]) for row in rows] == labels.tolist()
    assert [int(row["image/index"]) for row in rows] == list(range(128, 138))
    for image, row in zip(images, rows, strict=True):
        np.testing.assert_array_equal(tf.io.decode_png(row["image/encoded"]), image)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 4095, 4096, 4097, 10_001])
def test_the_checksum_is_castagnolis(size):
    content = np.random.default_rng(size).bytes(size)
    remainder = 0xFFFFFFFF
    for byte in content:  # as it is defined, bit by bit
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
    assert crc32c(content) == remainder ^ 0xFFFFFFFF


def test_parquet_holds_the_pixels_themselves(tmp_path, samples):
    images, labels = samples
    path = write(tmp_path / "a.parquet", "parquet", images, labels)
    table = parquet.read_table(path)
    assert table["index"].to_pylist() == list(range(FIRST, FIRST + 10))
    assert table["label"].to_pylist() == labels.tolist()
    shape = [int(size) for size in table.schema.metadata[b"shape"].split()]
    pixels = b"".join(table["image"].to_pylist())
    dtype = np.dtype(table.schema.metadata[b"dtype"].decode())
    read = np.frombuffer(pixels, dtype).reshape(-1, *shape)
    np.testing.assert_array_equal(read, images)
    assert table.schema.metadata[b"provenance"].decode() == MARK.json


def test_parquet_holds_samples_of_any_shape(tmp_path):
    series = np.random.default_rng(0).standard_normal((10, 5, 2), np.float32)
    path = write(tmp_path / "a.parquet", "parquet", series, None)
    table = parquet.read_table(path)
    assert table.column_names == ["index", "sample"]
    values = np.frombuffer(b"".join(table["sample"].to_pylist()), "<f4")
    np.testing.assert_array_equal(values.reshape(10, 5, 2), series)


@pytest.mark.parametrize("shard_format", ["tar", "tfrecord", "parquet"])
def test_equal_samples_are_equal_bytes(tmp_path, samples, shard_format):
    one, two = (
        write(tmp_path / name, shard_format, *samples).read_bytes() for name in "ab"
    )
    assert one == two
