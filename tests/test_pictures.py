"""Grids, files and animations."""

import dataclasses
import zipfile

import numpy as np
import pytest
from PIL import Image

from ganlab import pictures
from ganlab.errors import UserError
from ganlab.provenance import marks
from ganlab.provenance.marks import Mark


def test_to_uint8_inverts_the_pipelines_scaling():
    pixels = np.arange(256, dtype=np.uint8)
    scaled = pixels.astype(np.float32) / 127.5 - 1.0
    np.testing.assert_array_equal(pictures.to_uint8(scaled), pixels)


@pytest.mark.parametrize(
    ("value_range", "values"),
    [((0.0, 1.0), [0.0, 0.2, 1.0]), ((0.0, 255.0), [0, 51, 255])],
)
def test_black_and_white_are_the_ends_of_the_range(value_range, values):
    assert pictures.to_uint8(np.array(values), value_range).tolist() == [0, 51, 255]
    np.testing.assert_allclose(
        pictures.rescaled(np.array(values), value_range), [-1.0, -0.6, 1.0], atol=1e-6
    )


def test_grid_places_images_row_by_row():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None]
    images = images.repeat(64, axis=1).repeat(64, axis=2)
    pixels = pictures.grid(images, columns=3)
    gap, step = pictures.GAP, 64 + pictures.GAP
    assert pixels.shape == (2 * step + gap, 3 * step + gap, 1)
    corners = pixels[gap::step, gap::step, 0]
    assert corners[:2, :3].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert pictures.grid(images[:, :28, :28]).shape[0] > 2 * 56  # small ones enlarged


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_save_writes_grid_array_and_folder(tmp_path, channels):
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, channels), np.uint8)
    pictures.save(images, tmp_path / "new" / "a.png")
    with Image.open(tmp_path / "new" / "a.png") as picture:
        assert picture.mode == {1: "L", 2: "L", 3: "RGB", 4: "RGB"}[channels]
    pictures.save(images, tmp_path / "a.npz", labels=np.arange(5))
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], images)
        assert arrays["labels"].tolist() == [0, 1, 2, 3, 4]
    pictures.save(images, tmp_path / "folder", labels=[4, 4, 4, 4, 4])
    files = sorted((tmp_path / "folder").iterdir())
    assert files[0].name == "00000-class4.png"
    with Image.open(files[3]) as picture:
        assert picture.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
        read = np.asarray(picture).reshape(16, 16, channels)
    np.testing.assert_array_equal(read, images[3])


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.npz", "folder"])
def test_what_is_not_written_whole_leaves_nothing(tmp_path, monkeypatch, name):
    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    for owner, method in (
        *((Image.Image, "save"), (np, "save")),
        (np, "savez_compressed"),
    ):
        monkeypatch.setattr(owner, method, fail)
    (tmp_path / "a.png").write_bytes(b"earlier")
    with pytest.raises(OSError, match="No space"):
        pictures.save(np.zeros((2, 4, 4, 1), np.uint8), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"earlier"


def test_save_refuses_what_it_would_spoil(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    images = np.zeros((1, 4, 4, 1), np.uint8)
    with pytest.raises(UserError, match="which has files"):
        pictures.save(images, tmp_path)
    with pytest.raises(UserError, match=r"\.png, \.npy, \.npz, a folder.*a\.jpg"):
        pictures.save(images, tmp_path / "a.jpg")


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (40, 3, 3)])
def test_images_of_any_size_are_pictures(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    pictures.save(images, tmp_path / "a.png", columns=3)
    with Image.open(tmp_path / "a.png") as picture:
        pixels = np.asarray(picture).reshape(picture.height, picture.width, shape[-1])
    scale = -(-pictures.MIN_TILE // max(shape[:2]))
    height, width = shape[0] * scale, shape[1] * scale
    gap = pictures.GAP
    assert pixels.shape[:2] == (height + 2 * gap, 3 * (width + gap) + gap)
    tile = pixels[gap : gap + height : scale, gap : gap + width : scale]
    np.testing.assert_array_equal(tile, images[0])


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 4, 4, 1)),
        np.zeros((2, 4, 4), np.uint8),
        np.zeros((2, 4, 4, 5), np.uint8),
        np.zeros((0, 4, 4, 1), np.uint8),
    ],
)
def test_what_are_no_uint8_images_is_refused(tmp_path, images):
    with pytest.raises(UserError, match="uint8 images .* use to_uint8 for floats"):
        pictures.save(images, tmp_path / "a.png")
    with pytest.raises(UserError, match="uint8 images"):
        pictures.grid(images)
    assert list(tmp_path.iterdir()) == []


def test_arrays_are_saved_as_they_are(tmp_path):
    samples = np.random.default_rng(0).standard_normal((3, 4, 2), np.float32)
    pictures.save_arrays(samples, tmp_path / "new" / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "a.npy"), samples)
    pictures.save_arrays(samples, tmp_path / "a.npz", labels=[0, 1, 0])
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], samples)
        assert arrays["labels"].tolist() == [0, 1, 0]


def test_vectors_and_series_are_tables_under_a_header(tmp_path):
    vectors, series = np.array([[0.5, -1.0]]), np.array([[[1.0, 2.0], [3.0, 4.5]]])
    pictures.save_arrays(vectors, tmp_path / "a.csv", labels=[7])
    assert (tmp_path / "a.csv").read_text() == "x0,x1,label\n0.5,-1.0,7\n"
    pictures.save_arrays(series, tmp_path / "b.csv")
    lines = (tmp_path / "b.csv").read_text().splitlines()
    assert lines == ["t0_c0,t0_c1,t1_c0,t1_c1", "1.0,2.0,3.0,4.5"]


@pytest.mark.parametrize(
    ("shape", "name", "expected"),
    [
        ((4, 2), "a.png", r"\.csv, \.npy, \.npz"),
        ((4, 4, 4, 1), "a.csv", r"of \.npy, \.npz"),
    ],
)
def test_arrays_are_no_pictures_and_volumes_no_tables(tmp_path, shape, name, expected):
    with pytest.raises(UserError, match=rf"{expected}.*{name}"):
        pictures.save_arrays(np.zeros((2, *shape)), tmp_path / name)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_goes_there_and_back(tmp_path, suffix):
    frames = np.linspace(0, 255, 5).astype(np.uint8)[:, None, None, None, None]
    frames = np.broadcast_to(frames, (5, 4, 16, 16, 1))
    pictures.save_animation(frames, tmp_path / f"a{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as animation:
        assert animation.n_frames == 8


def test_a_grid_has_a_row_for_each_class_or_is_a_square():
    assert pictures.grid_contents(None, 8) == (64, None)
    count, labels = pictures.grid_contents(3, 2)
    assert (count, labels.tolist()) == (6, [0, 0, 1, 1, 2, 2])
    assert pictures.grid_contents(100, 2)[0] == 2 * pictures.MAX_ROWS


def test_what_is_transparent_shows_a_checkerboard():
    images = np.zeros((1, 64, 64, 4), np.uint8)
    images[0, :, 32:] = (10, 20, 30, 255)
    images[0, 0, 0] = (100, 0, 200, 51)  # a fifth opaque, on white
    gap = pictures.GAP
    tile = pictures.grid(images)[gap:-gap, gap:-gap]
    assert (tile[:, 32:] == (10, 20, 30)).all()
    assert tile[0, 0].tolist() == [224, 204, 244]  # 100 / 5 + 255 * 4 / 5
    corners = tile[1:32:8, 1:32:8, 0]
    assert corners.tolist() == [[255, 204] * 2, [204, 255] * 2] * 2


def test_images_are_composited_in_their_own_range():
    colour = np.array([[[[0.5, -1.0, 0.0]]]], np.float32)
    assert pictures.composited(colour, 1.0) is colour
    grey = np.array([[[[-0.5, 0.0]]]], np.float32)  # half opaque is 0 of [-1, 1]
    assert pictures.composited(grey, 1.0).tolist() == [[[[0.25]]]]
    grey = np.array([[[[0.2, 0.25]]]], np.float32)
    laid = pictures.composited(grey, 1.0, (0.0, 1.0))
    np.testing.assert_allclose(laid, [[[[0.8]]]], rtol=1e-6)


def test_pictures_name_whose_work_they_show(tmp_path):
    images = np.zeros((2, 8, 8, 3), np.uint8)
    author = "Drawn by Zoë, CC-BY 4.0"
    mark = Mark(attribution=author)
    for path in (tmp_path / "a.png", tmp_path / "folder"):
        pictures.save(images, path, mark=mark)
    frames = np.stack([images, 255 - images])
    pictures.save_animation(frames, tmp_path / "a.gif", mark)
    for name in ("a.png", "folder/00001.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.text["Copyright"] == author
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.info["comment"] == author.encode()
    pictures.save(images, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as picture:
        assert "Copyright" not in picture.text


def test_every_file_says_that_it_is_generated_and_by_what(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    mark = Mark(generator="ab" * 32, seeds=(5,), attribution="Zoë")
    for name in ("a.png", "folder", "a.npy", "a.npz"):
        pictures.save(images, tmp_path / name, mark=mark)
    pictures.save_arrays(np.zeros((2, 3)), tmp_path / "a.csv", mark=mark)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:  # equal bytes at any time
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    for name in ("a.gif", "a.webp"):
        frames = np.stack([images, 255 - images])
        pictures.save_animation(frames, tmp_path / name, mark)
    in_pictures = dataclasses.replace(mark, attribution="")  # it has a text of its own
    for name in ("a.png", "folder/00001.png", "a.gif", "a.webp"):
        assert marks.read_mark(tmp_path / name) == in_pictures
    for name in ("a.npy", "a.npz", "a.csv"):
        assert marks.read_mark(tmp_path / name) == mark
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], images)
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == 2
