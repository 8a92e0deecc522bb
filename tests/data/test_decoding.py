"""Decoding: upright, centre-cropped, antialiased squares."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from ganlab.data import decoding
from ganlab.data.decoding import DEPTHS, MAX_PIXELS, why_not


def decode(item, image_size, channels, bits=16):
    shape = (image_size, image_size, channels)
    return decoding.decode(item, shape, bits).pixels


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


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, kind, values, *chunks):
    """A PNG of 16 bits a value, all the same."""
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    line = b"\0" + struct.pack(f">{len(values)}H", *values) * width
    data = zlib.compress(line * height)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    )


@pytest.mark.parametrize("value", [0, 5, 30000, 65535])
def test_sixteen_bits_with_a_colour_that_is_clear(value):
    clear = chunk(b"tRNS", struct.pack(">H", 5))
    grey = 255 if value == 5 else round(value / 257)
    assert (decode(png(4, 4, 0, [value], clear), 4, 3) == grey).all()
    clear = chunk(b"tRNS", struct.pack(">HHH", 7777, 7777, 7777))
    for colour in (7777, 30000):
        pixels = decode(png(4, 4, 2, [colour] * 3, clear), 4, 3)
        assert (pixels == (255 if colour == 7777 else 30000 >> 8)).all()


@pytest.mark.parametrize("bits", DEPTHS)
def test_what_sixteen_bits_hold_is_told_and_white_is_white(bits):
    content = png(4, 4, 0, [2**bits - 1])
    assert decoding.decode(content, (4, 4, 1)).bits == bits
    assert (decode(content, 4, 1, bits) == 255).all()


@pytest.mark.parametrize("value", [-1, 65536])
def test_pixels_beyond_sixteen_bits_are_refused(tmp_path, value):
    Image.fromarray(np.full((4, 4), value, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="pixels beyond 16 bits"):
        decode(tmp_path / "a.tif", 4, 1)


def test_cmyk_is_read_as_colours(tmp_path):
    for suffix in ("jpg", "tif"):
        Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / f"a.{suffix}")
        assert (decode(tmp_path / f"a.{suffix}", 8, 3)[0, 0] == [255, 0, 0]).all()


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked():
    side = int(MAX_PIXELS**0.5)
    header = struct.pack(">IIBBBBB", side, side + 1, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    with pytest.raises(ValueError, match="more than 67,108,864 pixels"):
        decode(content, 8, 1)


def test_why_a_picture_is_left_out(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    cases = {
        b"": "of no format that is read",
        whole[: len(whole) // 2]: "truncated",
        whole[:60] + b"\0" * 60 + whole[120:]: "damaged",
        tmp_path / "none.png": "No such file or directory",
    }
    for item, reason in cases.items():
        with pytest.raises(Exception) as error:  # noqa: PT011
            decode(item, 8, 1)
        assert why_not(error.value) == reason


def test_the_largest_centred_part_of_a_ratio_is_taken():
    pixels = np.zeros((40, 60, 1), np.uint8)
    pixels[10:30] = 200  # the part of 20 by 60 pixels in the middle
    wide = decoding.decode(pixels, (16, 48, 1)).pixels
    assert wide.shape == (16, 48, 1)
    assert (wide == 200).all()
    tall = decoding.decode(pixels, (40, 20, 1)).pixels
    assert (tall == pixels[:, 20:40]).all()


def clear_half(mode="RGBA"):
    """8 by 8 pixels: black and clear on the left, red and opaque on the right."""
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (4, 0, 8, 8))
    return np.asarray(picture.convert(mode))


def test_transparent_pictures_are_laid_on_a_background():
    item = clear_half()
    for background, colour in (("white", [255] * 3), ("#0000ff", [0, 0, 255])):
        pixels = decoding.decode(item, (8, 8, 3), background=background).pixels
        assert (pixels[:, :4] == colour).all()
        assert (pixels[:, 4:] == [255, 0, 0]).all()
    faint = np.full((8, 8, 4), (0, 0, 0, 51), np.uint8)  # a fifth of black
    assert (decoding.decode(faint, (8, 8, 1)).pixels == 204).all()


def test_opacity_is_kept_and_what_is_not_seen_has_the_colour_of_the_background():
    pixels = decoding.decode(clear_half(), (8, 8, 4), background="lime").pixels
    assert (pixels[:, :4] == [0, 255, 0, 0]).all()
    assert (pixels[:, 4:] == [255, 0, 0, 255]).all()
    grey = decoding.decode(clear_half("LA"), (8, 8, 2)).pixels
    assert (grey[:, :4] == [255, 0]).all()
    assert (grey[:, 4:] == [76, 255]).all()  # 0.299 of red
    opaque = np.full((8, 8, 3), 9, np.uint8)
    assert (decoding.decode(opaque, (8, 8, 4)).pixels == [9, 9, 9, 255]).all()
    small = decoding.decode(clear_half(), (4, 4, 4)).pixels
    assert (small[:, 2:, :3] == [255, 0, 0]).all()  # no black bleeds in


def test_a_clear_grey_of_sixteen_bits_is_clear():
    clear = chunk(b"tRNS", struct.pack(">H", 7))
    content = png(4, 4, 0, [7], clear)
    assert (decoding.decode(content, (4, 4, 2)).pixels == [255, 0]).all()
    laid = decoding.decode(content, (4, 4, 3), background="black").pixels
    assert (laid == 0).all()
