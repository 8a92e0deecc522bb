"""A folder's layout decides its classes, and what is not read is named."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from ganlab.data.folder import open_folder
from ganlab.data.loading import load_data
from ganlab.errors import UserError


def fill(folder, count, suffix=".png", shade=40):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        image = Image.new("RGB", (8, 8), (shade, shade, shade))
        image.save(folder / f"{index}{suffix}")


@pytest.fixture
def classes(tmp_path):
    """Two classes of three pictures."""
    fill(tmp_path / "cat", 3)
    fill(tmp_path / "dog", 3, shade=200)
    return tmp_path


def counts(folder):
    source = open_folder(str(folder))
    if source.labels is None:
        return source.count
    return dict(zip(source.class_names, np.bincount(source.labels), strict=True))


@pytest.mark.parametrize(
    "suffix",
    [
        ".jfif",
        ".jpe",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".ppm",
        ".avif",
        ".TIF",
        ".apng",
    ],
)
def test_every_suffix_that_is_listed_is_read(classes, suffix):
    for path in (classes / "dog").iterdir():
        path.unlink()
    formats = {".jfif": "JPEG", ".jpe": "JPEG", ".apng": "PNG"}
    for index in range(2):
        Image.new("RGB", (8, 8), (200, 200, 200)).save(
            classes / "dog" / f"{index}{suffix}", formats.get(suffix)
        )
    loaded = load_data(f"folder:{classes}", image_size=8)
    assert loaded.class_names == ("cat", "dog")
    assert loaded.labels.tolist() == [0, 0, 0, 1, 1]
    assert np.abs(loaded.images[3:].astype(int) - 200).max() <= 2


@pytest.mark.parametrize("suffix", [".pgm", ".pbm"])
def test_grey_portable_maps_are_read(tmp_path, suffix):
    Image.new("L" if suffix == ".pgm" else "1", (8, 8), 255).save(
        tmp_path / f"a{suffix}"
    )
    assert (load_data(f"folder:{tmp_path}", image_size=8).images == 255).all()


def test_one_line_says_what_is_read_and_what_is_left_out(classes, caplog):
    caplog.set_level(logging.INFO)
    line = f"folder:{classes}: 6 colour images of 64 x 64 pixels, classes cat 3, dog 3"
    assert load_data(f"folder:{classes}").summary() == line
    assert caplog.messages == []
    for index in range(3):
        (classes / "cat" / f"{index}.xyz").touch()
    loaded = load_data(f"folder:{classes}")
    assert loaded.summary() == f"{line}; 3 files left out (.xyz)"
    assert caplog.messages == [loaded.summary()]


def test_splits_are_no_classes(classes):
    (classes / "dog").rename(classes / "train")
    (classes / "cat").rename(classes / "Test")
    with pytest.raises(UserError, match=r"Test, train, which are splits; name one"):
        open_folder(str(classes))


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "@eaDir", "__MACOSX"])
def test_what_programs_leave_behind_is_no_class(classes, name):
    fill(classes / name, 2)
    fill(classes / "cat" / name, 2)
    assert counts(classes) == {"cat": 3, "dog": 3}


@pytest.mark.parametrize("record", ["config.json", "card.json"])
def test_runs_and_artifacts_are_no_data(classes, record):
    fill(classes / "runs" / "a" / "samples", 2)
    (classes / "runs" / "a" / record).write_text("{}")
    source = open_folder(str(classes))
    assert source.class_names == ("cat", "dog")
    assert source.left_out == ("runs/a left out (a run or an artifact)",)
    assert counts(classes / "runs" / "a" / "samples") == 2


def test_links_out_of_the_folder_are_followed_when_told(classes, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    fill(elsewhere, 2)
    (classes / "hen").symlink_to(elsewhere)
    (classes / "hens").symlink_to(elsewhere)
    (classes / "cat" / "9.png").symlink_to(elsewhere / "0.png")
    with pytest.raises(UserError, match=r"with cat/9.png, hen, hens; .*:links$"):
        open_folder(str(classes))
    counted = counts(f"{classes}:links")
    assert counted.pop("cat") == 4
    assert sorted(counted.values()) == [2, 3]  # hen or hens, whichever comes first


def test_links_within_the_folder_are_followed_once(classes):
    (classes / "dog" / "loop").symlink_to(classes)
    (classes / "cat" / "gone.png").symlink_to(classes / "none.png")
    assert counts(classes) == {"cat": 3, "dog": 3}
    assert open_folder(str(classes)).left_out == ("1 link to nothing (cat/gone.png)",)


def test_a_folder_may_be_called_links(classes):
    classes = classes.rename(classes.with_name("a:links"))
    assert counts(classes) == {"cat": 3, "dog": 3}


def test_what_is_left_out_is_counted_by_reason(classes):
    for name in ("a.txt", "b.txt", "c.xyz", "d", ".hidden.png"):
        (classes / "cat" / name).touch()
    assert open_folder(str(classes)).left_out == (
        "1 hidden picture left out",
        "4 files left out (2 .txt, 1 .xyz, 1 no suffix)",
    )


def test_a_few_pictures_beside_the_classes_are_left_out(classes):
    fill(classes, 1)
    source = open_folder(str(classes))
    assert source.class_names == ("cat", "dog")
    assert source.left_out == ("1 file beside the classes left out (0.png)",)


def test_many_pictures_beside_the_folders_make_them_no_classes(classes):
    fill(classes, 3)
    source = open_folder(str(classes))
    assert (source.count, source.labels) == (9, None)
    (note,) = source.left_out
    assert note == "cat, dog are no classes (3 files lie beside them)"


def test_an_empty_class_is_named(classes):
    (classes / "hen").mkdir()
    assert open_folder(str(classes)).left_out == ("empty folders left out (hen)",)


def test_a_folder_without_images_says_what_is_there(tmp_path):
    (tmp_path / "a.heic").touch()
    with pytest.raises(UserError, match=r"with none \(1 file left out \(.heic\)\)"):
        open_folder(str(tmp_path))


def test_families_and_authors_are_read_where_they_are_asked_for(classes):
    fill(classes / "cat" / "tabby", 2)
    (classes / "ATTRIBUTION").write_text("Drawn by A,\n  CC-BY 4.0\n")
    source = open_folder(f"{classes}:families")
    assert source.attribution == "Drawn by A, CC-BY 4.0"
    assert source.left_out == ()
    families = [Path(name).parent.name for name, _ in source.items]
    assert families == ["cat"] * 3 + ["tabby"] * 2 + ["dog"] * 3
    assert source.families.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert open_folder(str(classes)).families is None
    assert open_folder(f"{classes}:families:links").families is not None
    plain = load_data(f"folder:{classes}:families", image_size=8)
    assert (plain.attribution, plain.class_names) == (
        source.attribution,
        ("cat", "dog"),
    )


def test_families_of_pictures_that_cannot_be_read_are_left_out_with_them(
    classes, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    (classes / "cat" / "1.png").write_bytes(b"broken")
    for cache in ("memory", "disk", "disk"):
        loaded = load_data(f"folder:{classes}:families", image_size=8, cache=cache)
        assert loaded.families.tolist() == [0, 0, 1, 1, 1]


def saved(folder, name, mode, size, **options):
    Image.new(mode, size).save(folder / name, **options)


@pytest.mark.parametrize(
    ("pictures", "shape"),
    [
        ([("RGB", (48, 32)), ("RGBA", (48, 32))], (32, 48, 3)),
        ([("L", (32, 32)), ("1", (32, 32)), ("LA", (32, 32))], (32, 32, 1)),
        ([("L", (32, 32)), ("P", (32, 32))], (32, 32, 3)),
        ([("L", (32, 32)), ("L", (32, 33))], (64, 64, 1)),
        ([("RGB", (8, 8))], (64, 64, 3)),
        ([("RGB", (1024, 1024))], (64, 64, 3)),
    ],
)
def test_pictures_keep_the_size_and_channels_that_they_share(tmp_path, pictures, shape):
    for number, (mode, size) in enumerate(pictures):
        saved(tmp_path, f"{number}.png", mode, size)
    assert load_data(f"folder:{tmp_path}").images.shape[1:] == shape


def test_a_picture_that_lies_on_its_side_is_measured_upright(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    saved(tmp_path, "lies.jpg", "RGB", (48, 32), exif=exif)
    saved(tmp_path, "stands.jpg", "RGB", (32, 48))
    assert load_data(f"folder:{tmp_path}").images.shape == (2, 48, 32, 3)


def test_what_cannot_be_read_has_no_size(tmp_path):
    saved(tmp_path, "a.png", "RGB", (32, 32))
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert load_data(f"folder:{tmp_path}").images.shape == (1, 32, 32, 3)


def test_of_many_pictures_some_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("ganlab.data.folder.MAX_MEASURED", 2)
    for number, side in enumerate((32, 33, 32, 33)):
        saved(tmp_path, f"{number}.png", "L", (side, side))
    assert open_folder(str(tmp_path)).shape == (32, 32, 1)
