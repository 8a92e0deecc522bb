"""Sources: each gives the images it holds, in the order it promises."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from ganlab.data.loading import load_data
from ganlab.errors import UserError


def write_idx(path, values, compress=False):
    content = struct.pack(">HBB", 0, 8, values.ndim)
    content += struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if compress else content)


def test_embedded_fashion_mnist():
    loaded = load_data("fashion_mnist")
    assert loaded.images.shape == (10_000, 28, 28, 1)
    assert loaded.images.dtype == np.uint8
    assert np.bincount(loaded.labels).tolist() == [1000] * 10
    assert loaded.class_names[0] == "T-shirt"
    assert loaded.labels[:3].tolist() == [9, 2, 1]  # ankle boot, pullover, trouser


def test_folder_reads_every_format_with_classes(folder):
    loaded = load_data(f"folder:{folder}", image_size=16)
    assert loaded.images.shape == (6, 16, 16, 3)
    assert loaded.class_names == ("cats", "dogs")
    assert loaded.labels.tolist() == [0, 0, 0, 0, 1, 1]
    shades = np.where(loaded.labels == 0, 40, 200)[:, None, None, None]
    assert np.abs(loaded.images.astype(int) - shades).max() <= 3
    grey = load_data(f"folder:{folder}", image_size=16, channels=1)
    assert grey.images.shape == (6, 16, 16, 1)


def test_folder_without_sub_folders_has_no_classes(tmp_path):
    Image.new("RGB", (40, 24), (9, 9, 9)).save(tmp_path / "a.png")
    loaded = load_data(f"folder:{tmp_path}")
    assert loaded.images.shape == (1, 24, 40, 3)
    assert loaded.labels is None
    assert loaded.class_names == ()


@pytest.mark.parametrize("compress", [False, True])
def test_idx(tmp_path, compress):
    ending = ".gz" if compress else ""
    for prefix, count in (("train", 6), ("t10k", 4)):
        images = np.full((count, 28, 28), count, np.uint8)
        labels = np.arange(count).astype(np.uint8) % 3
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{ending}", images, compress)
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{ending}", labels, compress)
    both = load_data(f"idx:{tmp_path}")
    assert both.images[:, 0, 0, 0].tolist() == [6] * 6 + [4] * 4
    assert both.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert len(load_data(f"idx:{tmp_path}:train").images) == 6
    assert len(load_data(f"idx:{tmp_path}:test").images) == 4


def test_idx_labels_of_another_compression_are_read(tmp_path):
    images = np.full((4, 28, 28), 9, np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", images, compress=True)
    assert load_data(f"idx:{tmp_path}").labels is None
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.arange(4).astype(np.uint8))
    assert load_data(f"idx:{tmp_path}").labels.tolist() == [0, 1, 2, 3]


def test_several_idx_sets_are_refused(tmp_path):
    images = np.zeros((4, 28, 28), np.uint8)
    for name in ("letters-train", "letters-test", "digits-train"):
        write_idx(tmp_path / f"emnist-{name}-images-idx3-ubyte", images)
    with pytest.raises(UserError, match="files of one data set.*digits.*letters"):
        load_data(f"idx:{tmp_path}")
    (tmp_path / "emnist-digits-train-images-idx3-ubyte").unlink()
    assert len(load_data(f"idx:{tmp_path}")) == 8
    labels = np.zeros(4, np.uint8)
    write_idx(tmp_path / "emnist-letters-test-labels-idx1-ubyte", labels)
    with pytest.raises(UserError, match="labels for every file.*train-images"):
        load_data(f"idx:{tmp_path}")


def test_damaged_compression_is_refused(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    write_idx(path, np.zeros((4, 28, 28), np.uint8), compress=True)
    content = bytearray(path.read_bytes())
    content[30:40] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(UserError, match="IDX file of unsigned bytes"):
        load_data(f"idx:{tmp_path}")


def test_npz(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    labels = np.array([0, 1, 1, 0, 2])
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    loaded = load_data(f"npz:{tmp_path / 'a.npz'}")
    np.testing.assert_array_equal(loaded.images, images)
    assert loaded.class_names == ("0", "1", "2")
    np.savez(tmp_path / "b.npz", x_train=images[..., 0])
    loaded = load_data(f"npz:{tmp_path / 'b.npz'}", image_size=16)
    assert loaded.images.shape == (5, 16, 16, 1)
    assert loaded.labels is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 8, 8), np.float32)}, "uint8.*float32"),
        ({"images": np.zeros((2, 8, 8, 5), np.uint8)}, "shape"),
        ({"images": np.zeros(8, np.uint8)}, "shape"),
        ({"images": np.array([np.zeros(2), np.zeros(3)], object)}, "all of one shape"),
        ({"pictures": np.zeros((2, 8, 8), np.uint8)}, "named images.*pictures"),
        ({"images": np.zeros((2, 8, 8), np.uint8), "labels": [0]}, "2 integer labels"),
        ({"images": np.zeros((2, 8, 8), np.uint8), "labels": [0, -1]}, "0 or more"),
        (
            {
                "images": np.zeros((2, 8, 8), np.uint8),
                "labels": [0, 3],
                "class_names": ["a", "b"],
            },
            "under 2",
        ),
    ],
)
def test_wrong_arrays_are_one_clear_error(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=message):
        load_data(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mnist", "fashion_mnist, folder:DIR, npz:FILE.*Received: 'mnist'"),
        ("folder:", "Unknown data"),
        ("folder:/nowhere", "folder that exists"),
        ("npz:/nowhere.npz", "file that exists"),
        ("idx:{empty}", "IDX files"),
        ("folder:{empty}", "a folder with none"),
        ("npz:{text}", "plain arrays"),
        ("tfds:no_such_data_set", "TensorFlow Datasets"),
    ],
)
def test_a_wrong_spec_is_one_clear_line(tmp_path, spec, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("words")
    spec = spec.format(empty=tmp_path / "empty", text=tmp_path / "a.txt")
    with pytest.raises(UserError, match=message) as caught:
        load_data(spec)
    assert "\n" not in str(caught.value)


def test_tensorflow_datasets(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    class GanlabShades(tfds.core.GeneratorBasedBuilder):
        """Ten flat pictures of two shades."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(20, 20, 3)),
                    "label": tfds.features.ClassLabel(names=["dark", "light"]),
                }
            )
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index in range(10):
                label = index % 2
                shade = 200 if label else 50
                image = np.full((20, 20, 3), shade, np.uint8)
                yield index, {"image": image, "label": label}

    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    builder = GanlabShades(data_dir=tmp_path)
    builder.download_and_prepare()

    loaded = load_data("tfds:ganlab_shades")
    assert loaded.images.shape == (10, 20, 20, 3)
    assert loaded.class_names == ("dark", "light")
    shades = np.where(loaded.labels == 1, 200, 50)[:, None, None, None]
    assert (loaded.images == shades).all()
    part = load_data("tfds:ganlab_shades:train[:40%]", image_size=16, channels=1)
    assert part.images.shape == (4, 16, 16, 1)
    with pytest.raises(UserError, match="split of ganlab_shades.*train"):
        load_data("tfds:ganlab_shades:validation")


@pytest.mark.parametrize("way", ["argument", "environment", "here"])
def test_emoji_are_read_where_they_lie(tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ("emoji" if way == "here" else "other")
    for category in ("food", "flags"):
        for family in ("a", "b"):
            path = folder / "twitter" / category / family
            path.mkdir(parents=True)
            Image.new("RGBA", (8, 8)).save(path / "1.png")
    (folder / "twitter" / "ATTRIBUTION").write_text("T, CC-BY 4.0")
    monkeypatch.delenv("GANLAB_EMOJI", raising=False)
    if way == "environment":
        monkeypatch.setenv("GANLAB_EMOJI", str(folder))
    spec = f"emoji:twitter:{folder}" if way == "argument" else "emoji:twitter"
    loaded = load_data(spec, image_size=8)
    assert loaded.class_names == ("flags", "food")
    assert loaded.families.tolist() == [0, 1, 2, 3]
    assert loaded.attribution == "T, CC-BY 4.0"
    assert (loaded.images == 255).all()
    with pytest.raises(UserError, match="scripts/get_emoji"):
        load_data("emoji:twitter:elsewhere")
    with pytest.raises(UserError, match="Unknown emoji. Expected one of: google"):
        load_data("emoji:apple")


def test_arrays_with_opacity_are_laid_on_white_unless_it_is_asked_for(tmp_path):
    images = np.zeros((2, 8, 12, 4), np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    laid = load_data(f"npz:{tmp_path / 'a.npz'}")
    assert laid.images.shape == (2, 8, 12, 3)
    assert (laid.images == 255).all()
    kept = load_data(f"npz:{tmp_path / 'a.npz'}", channels=4, background="black")
    assert (kept.images == 0).all()
