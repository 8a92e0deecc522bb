"""Decodes images to upright squares of uint8 pixels."""

import io
from pathlib import Path

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


def decode(
    item: np.ndarray | Path | bytes, image_size: int, channels: int
) -> np.ndarray:
    """Decodes an item to a square: upright, centre-cropped, antialiased.

    Args:
        item: A uint8 array `(H, W)` or `(H, W, C)`, a path, or a file's bytes.
        image_size: Integer: side of the result in pixels.
        channels: 1 or 3.

    Returns:
        Uint8 array `(image_size, image_size, channels)`.

    Raises:
        Exception: any that Pillow has, if the image cannot be read.
    """
    picture: Image.Image
    if isinstance(item, np.ndarray):
        if item.shape == (image_size, image_size, channels):
            return item
        grey = item.ndim == 3 and item.shape[-1] == 1
        picture = Image.fromarray(item[..., 0] if grey else item)
    else:
        file = io.BytesIO(item) if isinstance(item, bytes) else item
        with Image.open(file, formats=list(FORMATS)) as opened:
            picture = _upright(opened)
    picture = _flatten(picture).convert("L" if channels == 1 else "RGB")
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    picture = picture.resize((image_size, image_size), Image.Resampling.LANCZOS)
    return np.asarray(picture).reshape(image_size, image_size, channels)


def _upright(picture: Image.Image) -> Image.Image:
    """Turned by the EXIF orientation alone, whatever the other tags hold."""
    picture.load()
    orientation = picture.getexif().get(ExifTags.Base.Orientation)
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture.copy() if turn is None else picture.transpose(turn)


def _flatten(picture: Image.Image) -> Image.Image:
    """Puts transparent pictures on white, and 16-bit ones in 8 bits."""
    if picture.mode == "F":
        raise ValueError("pixels are floating-point numbers of no known range")
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture)
    return picture
