"""Does every source give the images it holds, in the order it promises?"""

import contextlib
import gzip
import struct
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganlab.data import image_data, sources
from ganlab.errors import UserError


def picture(shade, size=(40, 24), mode="RGB"):
    return Image.new(mode, size, (shade,) * 3 if mode == "RGB" else shade)


@pytest.fixture
def folder(tmp_path):
    """Two classes of flat pictures: JPEG, PNG, WebP and GIF."""
    for name, shade, suffixes in (
        ("cats", 40, (".jpg", ".png", ".webp", ".gif")),
        ("dogs", 200, (".jpeg", ".PNG")),
    ):
        (tmp_path / name).mkdir()
        for index, suffix in enumerate(suffixes):
            picture(shade).save(tmp_path / name / f"{index}{suffix}")
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def write_idx(path, values, compress=False):
    content = struct.pack(">HBB", 0, 8, values.ndim)
    content += struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if compress else content)


def test_embedded_fashion_mnist():
    loaded = image_data.load_data("fashion_mnist")
    assert loaded.images.shape == (10_000, 28, 28, 1)
    assert loaded.images.dtype == np.uint8
    assert np.bincount(loaded.labels).tolist() == [1000] * 10
    assert loaded.class_names[0] == "T-shirt"
    assert loaded.labels[:3].tolist() == [9, 2, 1]  # ankle boot, pullover, trouser


def test_folder_reads_every_format_with_classes(folder):
    loaded = image_data.load_data(f"folder:{folder}", image_size=16)
    assert loaded.images.shape == (6, 16, 16, 3)
    assert loaded.class_names == ("cats", "dogs")
    assert loaded.labels.tolist() == [0, 0, 0, 0, 1, 1]
    shades = np.where(loaded.labels == 0, 40, 200)[:, None, None, None]
    assert np.abs(loaded.images.astype(int) - shades).max() <= 3
    grey = image_data.load_data(f"folder:{folder}", image_size=16, channels=1)
    assert grey.images.shape == (6, 16, 16, 1)


def test_folder_without_sub_folders_has_no_classes(tmp_path):
    picture(9).save(tmp_path / "a.png")
    loaded = image_data.load_data(f"folder:{tmp_path}")
    assert loaded.images.shape == (1, 64, 64, 3)
    assert loaded.labels is None
    assert loaded.class_names == ()


def test_corrupt_image_is_named_and_skipped(folder, caplog):
    (folder / "cats" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    whole = (folder / "dogs" / "0.jpeg").read_bytes()
    (folder / "dogs" / "cut.jpeg").write_bytes(whole[: len(whole) // 2])
    loaded = image_data.load_data(f"folder:{folder}", image_size=16)
    assert len(loaded.images) == len(loaded.labels) == 6
    assert loaded.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert len(loaded.skipped) == 2
    assert "Skipped 2 of 8 images" in caplog.text
    assert "broken.jpg" in caplog.text
    assert "cut.jpeg" in caplog.text


def test_only_corrupt_images_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1 that cannot, the first .*a\.png"):
        image_data.load_data(f"folder:{tmp_path}")


def test_centre_crop_and_antialiased_resize():
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = 100  # only the centre square is grey
    assert (sources.decode(pixels, 16, 3) == 100).all()
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255  # finer than the result can hold
    assert np.ptp(sources.decode(stripes, 16, 1)[:, 2:-2].astype(int)) <= 4


def test_upright_transparent_and_sixteen_bit_pictures(tmp_path):
    turned = Image.new("L", (20, 20))
    turned.paste(255, (0, 0, 20, 10))  # bright on top
    exif = turned.getexif()
    exif[0x0112] = 3  # shown upside down
    turned.save(tmp_path / "turned.png", exif=exif)
    shown = sources.decode(tmp_path / "turned.png", 20, 1)
    assert shown[:9].max() == 0
    assert shown[11:].min() == 255
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (sources.decode(tmp_path / "clear.png", 4, 3) == 255).all()
    deep = np.full((4, 4), 65535, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert (sources.decode(tmp_path / "deep.png", 4, 1) == 255).all()


@pytest.mark.parametrize("compress", [False, True])
def test_idx(tmp_path, compress):
    ending = ".gz" if compress else ""
    for prefix, count in (("train", 6), ("t10k", 4)):
        images = np.full((count, 28, 28), count, np.uint8)
        labels = np.arange(count).astype(np.uint8) % 3
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{ending}", images, compress)
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{ending}", labels, compress)
    both = image_data.load_data(f"idx:{tmp_path}")
    assert both.images[:, 0, 0, 0].tolist() == [6] * 6 + [4] * 4
    assert both.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert len(image_data.load_data(f"idx:{tmp_path}:train").images) == 6
    assert len(image_data.load_data(f"idx:{tmp_path}:test").images) == 4


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64))
def test_wild_idx_bytes_never_crash(content):
    with contextlib.suppress(UserError):
        sources._read_idx(content, "wild")


def test_npz(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    labels = np.array([0, 1, 1, 0, 2])
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    loaded = image_data.load_data(f"npz:{tmp_path / 'a.npz'}")
    np.testing.assert_array_equal(loaded.images, images)
    assert loaded.class_names == ("0", "1", "2")
    np.savez(tmp_path / "b.npz", x_train=images[..., 0])
    loaded = image_data.load_data(f"npz:{tmp_path / 'b.npz'}", image_size=16)
    assert loaded.images.shape == (5, 16, 16, 1)
    assert loaded.labels is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 8, 8), np.float32)}, "uint8.*float32"),
        ({"images": np.zeros((2, 8, 8, 2), np.uint8)}, "shape"),
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
        image_data.load_data(f"npz:{tmp_path / 'a.npz'}")


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
        image_data.load_data(spec)
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

    loaded = image_data.load_data("tfds:ganlab_shades")
    assert loaded.images.shape == (10, 20, 20, 3)
    assert loaded.class_names == ("dark", "light")
    shades = np.where(loaded.labels == 1, 200, 50)[:, None, None, None]
    assert (loaded.images == shades).all()
    part = image_data.load_data(
        "tfds:ganlab_shades:train[:40%]", image_size=16, channels=1
    )
    assert part.images.shape == (4, 16, 16, 1)
    with pytest.raises(UserError, match="split of ganlab_shades.*train"):
        image_data.load_data("tfds:ganlab_shades:validation")


def test_disk_cache_is_read_again_and_follows_the_files(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (folder / "cats" / "broken.png").write_bytes(b"broken")
    memory = image_data.load_data(f"folder:{folder}", image_size=16)
    written = image_data.load_data(f"folder:{folder}", image_size=16, cache="disk")
    monkeypatch.setattr(image_data, "decode", None)  # from here on nothing is decoded
    read = image_data.load_data(f"folder:{folder}", image_size=16, cache="disk")
    for loaded in (written, read):
        np.testing.assert_array_equal(loaded.images, memory.images)
        np.testing.assert_array_equal(loaded.labels, memory.labels)
        assert loaded.skipped == memory.skipped
        assert isinstance(loaded.images, np.memmap)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    picture(90).save(folder / "cats" / "new.png")
    changed = image_data.load_data(f"folder:{folder}", image_size=16, cache="disk")
    assert len(changed.images) == 7


def numbered(count):
    """Images whose every pixel is their own index."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (count, 4, 4, 1))
    labels = np.arange(count, dtype=np.int32)
    return image_data.ImageData("numbered", images, labels, tuple("abc"), ())


def test_batches_scale_to_the_convention():
    images, labels = next(iter(numbered(10).batches(4)))
    assert images.dtype == tf.float32
    np.testing.assert_allclose(images[:, 0, 0, 0] * 127.5 + 127.5, labels, atol=1e-4)


def test_the_pipeline_leaves_autotuning_off():
    assert numbered(10).batches(4).options().autotune.enabled is False


def test_each_epoch_is_another_permutation():
    labels = [y.numpy() for _, y in numbered(10).batches(5, seed=1).take(4)]
    epochs = np.concatenate(labels[:2]), np.concatenate(labels[2:])
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert epochs[0].tolist() != epochs[1].tolist()


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    start=st.integers(0, 40),
    batch_size=st.integers(1, 10),
    flip=st.booleans(),
)
def test_order_is_a_function_of_seed_and_step(seed, start, batch_size, flip):
    images = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)
    source = image_data.ImageData(
        "x", images, np.arange(10, dtype=np.int32), ("a",), ()
    )
    options = {"seed": seed, "flip": flip}
    whole = list(source.batches(batch_size, **options).take(start + 3))
    resumed = source.batches(batch_size, start_step=start, **options).take(3)
    for (x, y), (again_x, again_y) in zip(whole[start:], resumed, strict=True):
        np.testing.assert_array_equal(x, again_x)
        np.testing.assert_array_equal(y, again_y)


def test_flip_mirrors_about_half_left_to_right():
    ramp = np.broadcast_to(np.arange(4, dtype=np.uint8)[:, None], (400, 4, 4, 1))
    source = image_data.ImageData("ramp", ramp, None, (), ())
    images = next(iter(source.batches(400, flip=True)))
    mirrored = (images[:, 0, 0, 0] > images[:, 0, -1, 0]).numpy()
    assert 0.4 < mirrored.mean() < 0.6


def test_batch_size_must_fit():
    with pytest.raises(UserError, match="1 to 10.*Received: 11"):
        numbered(10).batches(11)


def test_wait_timer_counts_waiting_and_nothing_else():
    timer = image_data.WaitTimer()

    def slow(x, y):
        return tf.numpy_function(lambda v: (time.sleep(0.05), v)[1], [x], tf.float32), y

    for _ in timer.watch(numbered(10).batches(2).map(slow)).take(4):
        pass
    assert 0.18 < timer.seconds < 2.0
    timer = image_data.WaitTimer()
    for _ in timer.watch(numbered(10).batches(2)).take(4):
        time.sleep(0.1)
    assert timer.seconds < 0.2
