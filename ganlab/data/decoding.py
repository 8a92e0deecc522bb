"""Decodes images to upright squares of uint8 pixels."""

import contextlib
import io
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, features

# Formats that are read, and the files of each. Pillow knows more, and some run
# other programs.
FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "AVIF": (".avif",),
}
if not features.check("avif"):
    del FORMATS["AVIF"]
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
TURNS = {  # EXIF's orientation -> what makes the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


MAX_PIXELS = 1 << 26  # of a picture: what it takes to unpack it stays under 1 GB
LARGE_PIXELS = 1 << 24  # pictures with more are unpacked one at a time
DEPTHS = (8, 10, 12, 14, 16)  # bits that a camera or scanner fills of 16
_ONE_LARGE = threading.Lock()


class UnreadableError(ValueError):
    """Why a picture is left out, in a few words."""


class Decoded(NamedTuple):
    """A decoded picture.

    Args:
        pixels: Uint8 array `(image_size, image_size, channels)`.
        bits: Integer: of a picture of 16 bits, how many its values fill, one of
            `DEPTHS`; 0 of any other.
    """

    pixels: np.ndarray
    bits: int = 0


def decode(
    item: np.ndarray | Path | bytes, image_size: int, channels: int, bits: int = 16
) -> Decoded:
    """Decodes an item to a square: upright, centre-cropped, antialiased.

    What is transparent becomes white.

    Args:
        item: A uint8 array `(H, W)` or `(H, W, C)`, a path, or a file's bytes.
        image_size: Integer: side of the result in pixels.
        channels: 1 or 3.
        bits: Integer: how many bits white has in a picture of 16.

    Raises:
        Exception: any that Pillow has, if the image cannot be read; `why_not` says
            what it means.
    """
    picture: Image.Image
    if isinstance(item, np.ndarray):
        if item.shape == (image_size, image_size, channels):
            return Decoded(item)
        grey = item.ndim == 3 and item.shape[-1] == 1
        picture = Image.fromarray(item[..., 0] if grey else item)
        return Decoded(_square(picture, image_size, channels))
    file = io.BytesIO(item) if isinstance(item, bytes) else item
    with Image.open(file, formats=list(FORMATS)) as opened:
        pixels = opened.width * opened.height
        if pixels > MAX_PIXELS:
            raise UnreadableError(f"more than {MAX_PIXELS:,} pixels")
        with _ONE_LARGE if pixels > LARGE_PIXELS else contextlib.nullcontext():
            picture = _upright(opened)
            if picture.mode.startswith("I"):
                picture, filled = _eight_bits(picture, bits)
            else:
                picture, filled = _flatten(picture), 0
            return Decoded(_square(picture, image_size, channels), filled)


def why_not(error: Exception) -> str:
    """Why a picture cannot be read, in a few words that many pictures share."""
    if isinstance(error, UnreadableError):
        return str(error)
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS:,} pixels"
    if isinstance(error, Image.UnidentifiedImageError):
        return "of no format that is read"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "truncated" if "truncated" in str(error) else "damaged"


def _square(picture: Image.Image, image_size: int, channels: int) -> np.ndarray:
    width, height = picture.size
    if width != height:  # else a copy is made
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    picture = picture.convert("L" if channels == 1 else "RGB")
    picture = picture.resize((image_size, image_size), Image.Resampling.LANCZOS)
    return np.asarray(picture).reshape(image_size, image_size, channels)


def _upright(picture: Image.Image) -> Image.Image:
    """Turned by the EXIF orientation alone, whatever the other tags hold."""
    deep = any("16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
    picture.load()
    clear = picture.info.get("transparency")
    if deep and picture.mode == "RGB" and isinstance(clear, tuple):
        # Pillow keeps 8 bits of the pixels, and 16 of the colour that is clear.
        picture.info["transparency"] = tuple(value >> 8 for value in clear)
    orientation = picture.getexif().get(ExifTags.Base.Orientation)
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _eight_bits(picture: Image.Image, bits: int) -> tuple[Image.Image, int]:
    """A grey picture of 16 bits in 8, and how many bits its values fill."""
    values = np.asarray(picture).astype(np.int64)
    clear = values == picture.info.get("transparency")
    opaque = values[~clear]
    largest = int(opaque.max(initial=0))
    if largest >> 16 or opaque.min(initial=0) < 0:
        raise UnreadableError("pixels beyond 16 bits")
    white = (1 << bits) - 1
    grey = (np.minimum(values, white) * 255 + white // 2) // white
    grey[clear] = 255
    filled = next(depth for depth in DEPTHS if not largest >> depth)
    return Image.fromarray(grey.astype(np.uint8)), filled


def _flatten(picture: Image.Image) -> Image.Image:
    """Puts transparent pictures on white."""
    if picture.mode == "F":
        raise UnreadableError("floating-point pixels of no known range")
    if picture.has_transparency_data:
        if picture.mode != "RGBA":
            picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture)
    return picture
