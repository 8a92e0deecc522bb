"""Decodes images to upright uint8 pixels of one size."""

import contextlib
import io
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageColor, features

from ganlab.errors import UserError
from ganlab.pictures import OPACITY

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
LYING = (5, 6, 7, 8)  # orientations of pictures that lie on their side
RATIO_TOLERANCE = 0.02  # between pictures of a pair, whose sides are rounded
MAX_PIXELS = 1 << 26  # of a picture: what it takes to unpack it stays under 1 GB
LARGE_PIXELS = 1 << 24  # pictures with more are unpacked one at a time
DEPTHS = (8, 10, 12, 14, 16)  # bits that a camera or scanner fills of 16
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by channels
WHITE = "white"
_ONE_LARGE = threading.Lock()


class UnreadableError(ValueError):
    """Why a picture is left out, in a few words."""


class Decoded(NamedTuple):
    """A decoded picture.

    Args:
        pixels: Uint8 array `(height, width, channels)`.
        bits: Integer: of a picture of 16 bits, how many its values fill, one of
            `DEPTHS`; 0 of any other.
    """

    pixels: np.ndarray
    bits: int = 0


class Pixels(NamedTuple):
    """What pictures are decoded to.

    Args:
        shape: Height, width and channels.
        background: What transparent pictures are laid on.
    """

    shape: tuple[int, int, int]
    background: str


def decode(
    item: np.ndarray | Path | bytes | tuple[Path, Path],
    shape: tuple[int, int, int],
    bits: int = 16,
    background: str = WHITE,
) -> Decoded:
    """Decodes an item to a shape: upright, centre-cropped, antialiased.

    Without a channel of opacity, pictures are laid on the background. With one, it is
    kept; where nothing is seen the colour is the background's.

    Args:
        item: A uint8 array `(H, W)` or `(H, W, C)`, a path, or a file's bytes; or two
            paths of pictures of one ratio, whose channels are joined.
        shape: Height, width and channels of the result: 1 grey, 2 grey and opacity, 3
            colour, 4 colour and opacity.
        bits: Integer: how many bits white has in a picture of 16.
        background: A colour: see `parse_colour`.

    Raises:
        Exception: any that Pillow has, if the image cannot be read; `why_not` says
            what it means.
    """
    picture: Image.Image
    if isinstance(item, tuple):
        return _joined(item, shape, bits, background)
    if isinstance(item, np.ndarray):
        if keeps(item, shape):
            return Decoded(item)
        grey = item.ndim == 3 and item.shape[-1] == 1
        picture = Image.fromarray(item[..., 0] if grey else item)
        return Decoded(_fitted(picture, shape, background))
    file = io.BytesIO(item) if isinstance(item, bytes) else item
    with Image.open(file, formats=list(FORMATS)) as opened:
        pixels = opened.width * opened.height
        if pixels > MAX_PIXELS:
            raise UnreadableError(f"more than {MAX_PIXELS:,} pixels")
        with _ONE_LARGE if pixels > LARGE_PIXELS else contextlib.nullcontext():
            picture = _upright(opened)
            filled = 0
            if picture.mode.startswith("I"):
                picture, filled = _eight_bits(picture, bits)
            elif picture.mode == "F":
                raise UnreadableError("floating-point pixels of no known range")
            return Decoded(_fitted(picture, shape, background), filled)


def _joined(
    paths: tuple[Path, Path], shape: tuple[int, int, int], bits: int, background: str
) -> Decoded:
    """A pair of pictures, the channels of one after those of the other."""
    ratios = [width / height for height, width, _ in map(shape_of, paths)]
    if max(ratios) > (1 + RATIO_TOLERANCE) * min(ratios):
        raise UnreadableError("of another ratio than its source")
    half = (*shape[:2], shape[2] // 2)
    pair = [decode(path, half, bits, background) for path in paths]
    pixels = np.concatenate([decoded.pixels for decoded in pair], axis=-1)
    return Decoded(pixels, max(decoded.bits for decoded in pair))


def shape_of(path: Path) -> tuple[int, int, int]:
    """Height, width and channels of an upright picture, by what its file begins with.

    Opacity is no channel.

    Raises:
        Exception: see `decode`.
    """
    with Image.open(path, formats=list(FORMATS)) as opened:
        lies = opened.getexif().get(ExifTags.Base.Orientation) in LYING
        width, height = reversed(opened.size) if lies else opened.size
        grey = opened.mode[0] in "1LIF" and opened.mode != "LAB"
        return height, width, 1 if grey else 3


def keeps(images: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether decoding to a shape leaves an image, or an array of them, as it is."""
    return images.shape[-3:] == shape and shape[-1] not in OPACITY


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


def parse_colour(name: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour, from 0 to 255.

    >>> parse_colour("white"), parse_colour("#ff8000")
    ((255, 255, 255), (255, 128, 0))

    Raises:
        UserError: for a name that is none of CSS's, or is no `#rrggbb`.
    """
    try:
        return ImageColor.getrgb(name)[:3]
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            "Expected a background such as white or #ff8000. "
            f"Received: {name!r:.80}; name a colour of CSS"
        ) from error


def _fitted(
    picture: Image.Image, shape: tuple[int, int, int], background: str
) -> np.ndarray:
    """The largest centred part of a shape's ratio, at its size and in its channels."""
    height, width, channels = shape
    opacity = channels in OPACITY
    left, top, right, bottom = box = _part(picture.size, (width, height))
    if (right - left, bottom - top) != picture.size:  # else a copy is made
        picture = picture.crop(box)
    if picture.has_transparency_data:
        if picture.mode != "RGBA":
            picture = picture.convert("RGBA")
        if not opacity:
            ground = Image.new("RGBA", picture.size, parse_colour(background))
            picture = Image.alpha_composite(ground, picture)
    picture = picture.convert(MODES[channels])
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture).reshape(shape)
    if opacity:
        colour = np.array(parse_colour(background), np.uint8)
        if channels == 2:
            colour = np.asarray(Image.new("RGB", (1, 1), tuple(colour)).convert("L"))[0]
        pixels = np.array(pixels)
        pixels[pixels[..., -1] == 0, :-1] = colour
    return pixels


def _part(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """Edges of the largest centred part that has a target's ratio.

    >>> _part((30, 20), (8, 8)), _part((30, 20), (8, 16)), _part((20, 20), (20, 10))
    ((5, 0, 25, 20), (10, 0, 20, 20), (0, 5, 20, 15))
    """
    width, height = size
    part_width = min(width, max(1, round(height * target[0] / target[1])))
    part_height = min(height, max(1, round(width * target[1] / target[0])))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    return left, top, left + part_width, top + part_height


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
    filled = next(depth for depth in DEPTHS if not largest >> depth)
    grey = grey.astype(np.uint8)
    if clear.any():
        grey = np.stack([grey, np.where(clear, 0, 255).astype(np.uint8)], axis=-1)
    return Image.fromarray(grey), filled
