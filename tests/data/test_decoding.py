"""Decoding: upright, centre-cropped, antialiased squares."""

import numpy as np
from PIL import Image

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
