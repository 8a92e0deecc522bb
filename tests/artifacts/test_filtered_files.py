"""Filtered files keep their opacity, EXIF and names, and say what they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from ganlab.artifacts.filtered_files import (
    BeforeAfter,
    filter_file,
    output_of,
    pictures_of,
    save_sheet,
)
from ganlab.artifacts.picture_filter import PictureFilter
from ganlab.errors import UserError
from ganlab.provenance.marks import COMPOSITE, Mark, read_mark


@pytest.fixture(scope="module")
def translator(translated):
    return PictureFilter(translated[1])


def pixels_of(path):
    with Image.open(path) as opened:
        return np.asarray(opened)


def coarse(pixels):
    """Means of 8 by 8 pixels, which JPEG and WebP keep."""
    height, width, channels = pixels.shape
    return pixels.reshape(height // 8, 8, width // 8, 8, channels).mean((1, 3))


def turns(pixels):
    """The same picture turned otherwise, of equal size."""
    return pixels[::-1], pixels[:, ::-1], pixels[::-1, ::-1]


@pytest.mark.e2e
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_orientation_stays_and_is_heeded(translator, tmp_path, suffix):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (9, 14, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # lies: to be turned by 90 degrees
    exif[ExifTags.Base.Artist] = "me"
    file, out = tmp_path / f"in{suffix}", tmp_path / "new" / f"out{suffix}"
    Image.fromarray(pixels).save(file, exif=exif, icc_profile=b"profile")
    filter_file(translator, file, out)
    with Image.open(file) as before, Image.open(out) as after:
        assert after.format == before.format
        assert after.size == before.size == (112, 72)
        assert after.getexif()[ExifTags.Base.Orientation] == 6
        assert after.getexif()[ExifTags.Base.Artist] == "me"
        assert after.info["icc_profile"] == b"profile"
        upright = np.asarray(ImageOps.exif_transpose(before).convert("L"))
        received = np.asarray(ImageOps.exif_transpose(after), int)
    expected = translator.apply(upright[..., None])
    if suffix == ".png":
        np.testing.assert_array_equal(received, expected)
    received, expected = coarse(received), coarse(expected)
    error = np.abs(received - expected).mean()
    others = [np.abs(received - turned).mean() for turned in turns(expected)]
    assert error < 0.5 * min(others)
    mark = read_mark(out)
    assert mark.source_type == COMPOSITE
    assert mark.generator == translator.sha256


def test_opacity_stays(translator, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    filter_file(translator, tmp_path / "in.png", tmp_path / "out.png")
    received = pixels_of(tmp_path / "out.png")
    np.testing.assert_array_equal(received[..., 3], pixels[..., 3])
    ground = Image.new("RGBA", (30, 20), "white")
    laid = Image.alpha_composite(ground, Image.fromarray(pixels)).convert("L")
    expected = translator.apply(np.asarray(laid)[..., None])
    np.testing.assert_array_equal(received[..., :3], expected)


def test_a_folder_is_its_pictures(tmp_path):
    for name in ("b.TIF", "a/c.png", ".hidden/d.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    files = pictures_of(tmp_path)
    assert [output_of(f, tmp_path, Path("out")).as_posix() for f in files] == [
        "out/a/c.png",
        "out/b.TIF.png",
    ]
    with pytest.raises(UserError, match="Received: .*notes.txt, none"):
        pictures_of(tmp_path / "notes.txt")
    with pytest.raises(UserError, match="no such path"):
        pictures_of(tmp_path / "nothing")


def test_a_sheet_has_pairs(tmp_path):
    tiles = [np.full((256, 256, 3), value, np.uint8) for value in (10, 200)]
    save_sheet([BeforeAfter(*tiles)] * 20, tmp_path / "s.png", Mark())
    pixels = pixels_of(tmp_path / "s.png")
    assert pixels.shape == (4 * 258 + 2, 8 * 258 + 2, 3)  # 16 pairs, 4 a row
    assert pixels[128, 128].tolist() == [10, 10, 10]
    assert pixels[128, 258 + 128].tolist() == [200, 200, 200]
