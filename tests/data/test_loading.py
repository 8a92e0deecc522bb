"""Loading: corrupt images are named, and the disk cache follows its files."""

import numpy as np
import pytest
from PIL import Image

from ganlab.data import filling, loading
from ganlab.data.kinds import TOY_MIXTURES
from ganlab.data.loading import load_data
from ganlab.data.source import Source
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import RunError, UserError


def test_corrupt_image_is_named_and_skipped(folder, caplog):
    (folder / "cats" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    whole = (folder / "dogs" / "0.jpeg").read_bytes()
    (folder / "dogs" / "cut.jpeg").write_bytes(whole[: len(whole) // 2])
    loaded = load_data(f"folder:{folder}", image_size=16)
    assert len(loaded.images) == len(loaded.labels) == 6
    assert loaded.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert len(loaded.skipped) == 2
    note = "2 images left out (2 damaged: broken.jpg, cut.jpeg)"
    assert loaded.left_out == ("1 file left out (.txt)", note)
    assert caplog.messages == [loaded.summary()]


def test_only_corrupt_images_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1 that cannot, the first .*a\.png"):
        load_data(f"folder:{tmp_path}")


def test_disk_cache_is_read_again_and_follows_the_files(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (folder / "cats" / "broken.png").write_bytes(b"broken")
    memory = load_data(f"folder:{folder}", image_size=16)
    written = load_data(f"folder:{folder}", image_size=16, cache="disk")
    monkeypatch.setattr(filling, "decode", None)  # from here on nothing is decoded
    read = load_data(f"folder:{folder}", image_size=16, cache="disk")
    for loaded in (written, read):
        np.testing.assert_array_equal(loaded.images, memory.images)
        np.testing.assert_array_equal(loaded.labels, memory.labels)
        assert loaded.skipped == memory.skipped
        assert isinstance(loaded.images, np.memmap)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Image.new("RGB", (40, 24), (90, 90, 90)).save(folder / "cats" / "new.png")
    changed = load_data(f"folder:{folder}", image_size=16, cache="disk")
    assert len(changed.images) == 7


def test_toy_mixtures_are_sampled_with_their_modes_as_labels():
    loaded = load_data("ring")
    assert loaded.kind is TOY_MIXTURES
    assert loaded.images.shape == (100_000, 2)
    assert set(loaded.labels.tolist()) == set(range(len(MIXTURES["ring"].centers)))
    assert loaded.class_names == ()


def test_wrong_options_are_one_clear_line():
    with pytest.raises(UserError, match="memory, disk, stream. Received: 'tape'"):
        load_data("fashion_mnist", cache="tape")
    with pytest.raises(UserError, match="1 to 4 channels. Received: 5"):
        load_data("fashion_mnist", channels=5)
    with pytest.raises(UserError, match="background such as white.*'blurple'"):
        load_data("fashion_mnist", background="blurple")


def test_a_class_without_an_image_that_can_be_read_is_left_out(folder, caplog):
    (folder / "ants").mkdir()
    (folder / "ants" / "a.png").write_bytes(b"broken")
    loaded = load_data(f"folder:{folder}", image_size=16)
    assert loaded.class_names == ("cats", "dogs")
    assert loaded.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert loaded.left_out[-1] == "ants left out (no image can be read)"
    assert "ants left out" in caplog.text


def test_labels_of_minus_1_mean_no_classes(monkeypatch):
    images = [(str(k), np.zeros((8, 8, 1), np.uint8)) for k in range(3)]
    labels = np.full(3, -1, np.int32)
    source = Source(images, 3, labels, ("a", "b"), (8, 8, 1), "x")
    monkeypatch.setattr(loading, "open_source", lambda spec: source)
    loaded = load_data("tfds:x")
    assert (loaded.labels, loaded.class_names) == (None, ())


def test_a_cache_that_another_run_fills_meanwhile_is_used(folder, monkeypatch):
    spec, decode = f"folder:{folder}", filling.decode

    def decode_after_another_run(*arguments):
        monkeypatch.setattr(filling, "decode", decode)
        load_data(spec, image_size=16, cache="disk")
        return decode(*arguments)

    monkeypatch.setattr(filling, "decode", decode_after_another_run)
    monkeypatch.setattr(filling, "usable_cores", lambda: 1)
    assert len(load_data(spec, image_size=16, cache="disk")) == 6


def test_flipped_pixels_of_a_cache_are_decoded_anew(
    folder, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    written = load_data(f"folder:{folder}", image_size=16, cache="disk").images.copy()
    (path,) = (tmp_path / "cache").rglob(loading.IMAGES)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    read = load_data(f"folder:{folder}", image_size=16, cache="disk")
    assert "is damaged (other images): it is made again" in caplog.text
    np.testing.assert_array_equal(read.images, written)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(24, "Too many open files")],
    ids=["memory", "files"],
)
def test_a_limit_of_the_machine_leaves_no_image_out(folder, monkeypatch, error):
    def refuse(*arguments):
        raise error

    monkeypatch.setattr(filling, "decode", refuse)
    with pytest.raises(type(error)):
        load_data(f"folder:{folder}", image_size=16)


def test_a_full_disk_is_one_line_and_leaves_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def refuse(handle, start, length):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", refuse)
    with pytest.raises(RunError, match="MB of space.*No space left.*--cache disk"):
        load_data(f"folder:{folder}", image_size=16, cache="disk")
    assert list((tmp_path / "cache" / "ganlab").iterdir()) == []


def test_sizes_that_cannot_be_are_refused(folder):
    with pytest.raises(UserError, match="size of 1 or more, .* Received: 0"):
        load_data(f"folder:{folder}", image_size=0)
    with pytest.raises(UserError, match="memory for 6 images.*--cache disk"):
        load_data(f"folder:{folder}", image_size=10**7, max_memory=1e9)


def test_twelve_bits_in_sixteen_are_scaled_by_what_the_set_holds(tmp_path):
    for index, white in enumerate((4095, 2048, 0)):
        pixels = np.full((8, 8), white, np.uint16)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    loaded = load_data(f"folder:{tmp_path}", image_size=8, channels=1)
    assert loaded.images[:, 0, 0, 0].tolist() == [255, 128, 0]
    assert loaded.left_out == ("pixels of 16 bits hold 12 and are read as such",)


@pytest.mark.parametrize("name", ["about.json", "images.npy", "labels.npy"])
@pytest.mark.parametrize("damage", ["truncated", "missing", "changed"])
def test_a_damaged_cache_is_made_again(
    name, damage, folder, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spec = f"folder:{folder}"
    whole = load_data(spec, image_size=16)
    load_data(spec, image_size=16, cache="disk")
    (file,) = (tmp_path / "cache").rglob(name)
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    else:
        file.write_bytes(b"?" + content[1:])
    again = load_data(spec, image_size=16, cache="disk")
    np.testing.assert_array_equal(again.images, whole.images)
    np.testing.assert_array_equal(again.labels, whole.labels)
    assert "is damaged" in caplog.text
    caplog.clear()
    load_data(spec, image_size=16, cache="disk")
    assert "is damaged" not in caplog.text
