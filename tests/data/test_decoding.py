"""Decoding: upright, centre-cropped, antialiased squares."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from ganlab.data.decoding import decode


def test_centre_crop_and_antialiased_resize():
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = 100  # only the centre square is grey
    assert (decode(pixels, 16, 3) == 100).all()
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255  # finer than the result can hold
    assert np.ptp(decode(stripes, 16, 1)[:, 2:-2].astype(int)) <= 4


def test_upright_transparent_and_sixteen_bit_pictures(tmp_path):
    turned = Image.new("L", (20, 20))
    turned.paste(255, (0, 0, 20, 10))  # bright on top
    exif = turned.getexif()
    exif[0x0112] = 3  # stored upside down
    turned.save(tmp_path / "turned.png", exif=exif)
    upright = decode(tmp_path / "turned.png", 20, 1)
    assert upright[:9].max() == 0
    assert upright[11:].min() == 255
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (decode(tmp_path / "clear.png", 4, 3) == 255).all()
    deep = np.full((4, 4), 65535, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert (decode(tmp_path / "deep.png", 4, 1) == 255).all()


def exif_of(*tags):
    """EXIF of tags, each of a number, a type, a count and up to 8 bytes."""
    entries, values = b"", b""
    for number, kind, count, value in sorted(tags):
        if len(value) > 4:
            offset = 14 + 12 * len(tags) + len(values)
            values += value
            value = struct.pack("<I", offset)
        entries += struct.pack("<HHI", number, kind, count) + value.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return b"Exif\0\0" + head + entries + b"\0" * 4 + values


@pytest.mark.parametrize(
    "odd_tag",
    [
        (0x11A, 10, 1, struct.pack("<ii", -1, 0)),  # a resolution of -1 / 0
        (0x11A, 2, 3, b"72\0"),  # of letters
        (0x100, 5, 1, struct.pack("<II", 16, 1)),  # a width that is a fraction
    ],
)
def test_orientation_is_read_whatever_the_other_tags_hold(tmp_path, odd_tag):
    picture = Image.new("L", (20, 20))
    picture.paste(255, (0, 0, 20, 10))  # bright on top
    upside_down = (0x112, 3, 1, b"\3\0")
    picture.save(tmp_path / "a.jpg", exif=exif_of(upside_down, odd_tag))
    upright = decode(tmp_path / "a.jpg", 20, 1)
    assert upright[:8].max() < 20
    assert upright[12:].min() > 235


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_does(tmp_path, orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8)
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_array_equal(decode(tmp_path / "a.png", 16, 1)[..., 0], expected)


def test_formats_that_are_not_listed_are_not_read(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", "TGA")
    with pytest.raises(OSError, match="cannot identify"):
        decode(tmp_path / "a.png", 8, 3)


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="floating-point"):
        decode(tmp_path / "a.tif", 8, 1)
