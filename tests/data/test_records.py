"""TFRecord and WebDataset: what is written is read, what is damaged is refused."""

import gzip
import io
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlab.data.loading import load_data
from ganlab.data.streaming import StreamedImages
from ganlab.errors import UserError


def png(shade):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 255)).save(file, "PNG")
    return file.getvalue()


def example(shade, label, names=("image/encoded", "image/class/label")):
    features = {names[0]: tf.train.Feature(bytes_list={"value": [png(shade)]})}
    if label is not None:
        features[names[1]] = tf.train.Feature(int64_list={"value": [label]})
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString()


def write_tfrecord(path, shades, labelled=True, **options):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for shade in shades:
            writer.write(example(shade, shade % 3 if labelled else None, **options))


def write_tar(path, shades, labelled=True, mode="w"):
    with tarfile.open(path, mode) as archive:
        for shade in shades:
            files = {"png": png(shade), "json": b"{}"}
            if labelled:
                files["cls"] = str(shade % 3).encode()
            for suffix, content in files.items():
                member = tarfile.TarInfo(f"part/{shade:03d}.{suffix}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


WRITERS = {"tfrecord": write_tfrecord, "webdataset": write_tar}
SUFFIX = {"tfrecord": "tfrecord", "webdataset": "tar"}
KINDS = sorted(WRITERS)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def shards(tmp_path, kind):
    """Two shards of 10 images."""
    for index in range(2):
        path = tmp_path / f"train-{index:02d}.{SUFFIX[kind]}"
        WRITERS[kind](path, range(10 * index, 10 * index + 10))
    return tmp_path


@pytest.mark.parametrize("way", ["folder", "pattern", "numbers", "file"])
def test_shards_are_read_in_order(shards, kind, way):
    suffix = SUFFIX[kind]
    pattern = {
        "folder": "",
        "pattern": f"train-*.{suffix}",
        "numbers": f"train-{{00..01}}.{suffix}",
        "file": f"train-01.{suffix}",
    }[way]
    data = load_data(f"{kind}:{shards / pattern}", image_size=8)
    shades = np.arange(10 if way == "file" else 0, 20)
    assert data.images[:, 0, 0, 0].tolist() == shades.tolist()
    assert data.labels.tolist() == (shades % 3).tolist()
    assert data.class_names == ("0", "1", "2")


def test_a_stream_is_what_memory_holds(shards, kind):
    memory = load_data(f"{kind}:{shards}", image_size=8)
    stream = load_data(f"{kind}:{shards}", image_size=8, cache="stream")
    assert isinstance(stream.images, StreamedImages)
    for step in (0, 3, 9):
        batch, again = (
            next(iter(data.batches(4, seed=1, start_step=step)))
            for data in (memory, stream)
        )
        np.testing.assert_array_equal(batch[0], again[0])
        np.testing.assert_array_equal(batch[1], again[1])


def test_shards_without_labels_have_no_classes(tmp_path, kind):
    path = tmp_path / f"a.{SUFFIX[kind]}"
    WRITERS[kind](path, range(3), labelled=False)
    data = load_data(f"{kind}:{path}", image_size=8)
    assert (data.labels, data.class_names, len(data)) == (None, (), 3)


def test_labels_of_some_images_alone_are_refused(tmp_path):
    write_tar(tmp_path / "a.tar", range(3))
    write_tar(tmp_path / "b.tar", range(3), labelled=False)
    with pytest.raises(UserError, match="for all images, or for none.*-1 to 2"):
        load_data(f"webdataset:{tmp_path}")


def test_other_names_of_features_are_known(tmp_path):
    names = ("image", "label")
    write_tfrecord(tmp_path / "a.tfrecord", range(4), names=names)
    data = load_data(f"tfrecord:{tmp_path / 'a.tfrecord'}", image_size=8)
    assert data.labels.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("damage", ["cut", "compressed", "other"])
def test_a_damaged_shard_is_one_line(shards, kind, damage):
    path = shards / f"train-01.{SUFFIX[kind]}"
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[: len(content) // 2 + 100],
            "compressed": gzip.compress(content),
            "other": b"no shard at all, but a text of some length" * 30,
        }[damage]
    )
    with pytest.raises(UserError, match="whole, uncompressed shard.*train-01"):
        load_data(f"{kind}:{shards}")


def test_records_without_images_are_one_line(tmp_path):
    path = tmp_path / "a.tfrecord"
    write_tfrecord(path, range(3), names=("picture", "label"))
    with pytest.raises(UserError, match="whole, uncompressed.*no image among"):
        load_data(f"tfrecord:{path}")


def test_no_shards_are_one_line(tmp_path, kind):
    with pytest.raises(UserError, match="Expected shards such as"):
        load_data(f"{kind}:{tmp_path}")
