"""Filters files of pictures: what a file holds beside its colours is kept.

Opacity, EXIF with its orientation, and the colour profile are those of the picture that
was read. A file is written whole or not at all, and says that it is generated in part.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image

from ganlab import pictures
from ganlab.artifacts.picture_filter import PictureFilter
from ganlab.data.decoding import (
    FORMATS,
    LYING,
    MAX_PIXELS,
    SUFFIXES,
    TURNS,
    UnreadableError,
    decode,
)
from ganlab.errors import UserError
from ganlab.files import atomic_file
from ganlab.pictures import OPACITY
from ganlab.provenance.marks import Mark
from ganlab.text import listed

KEPT = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
QUALITY = 95  # of JPEG and WebP
THUMBNAIL, SHEET_COLUMNS, MAX_SHOWN = 256, 8, 16
BACK = {
    Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
    Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
}  # the other turns undo themselves


class BeforeAfter(NamedTuple):
    """A picture and what was made of it, small: uint8 arrays `(256, 256, 3)`."""

    before: np.ndarray
    after: np.ndarray


def pictures_of(path: Path) -> list[Path]:
    """The pictures that a path names: itself, or all below it but hidden ones.

    Raises:
        UserError: if there are none.
    """
    if path.is_file():
        files = [path]
    else:
        files = [
            file
            for file in sorted(path.rglob("*"))
            if file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
    chosen = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not chosen:
        received = "no such path" if not path.exists() else "none"
        raise UserError(
            f"Expected a picture ({listed(SUFFIXES, 3)}), or a folder of them. "
            f"Received: {path}, {received}"
        )
    return chosen


def output_of(file: Path, source: Path, out: Path) -> Path:
    """Where a picture goes: its name stays, with `.png` added to what is not written.

    >>> output_of(Path("in/a/b.jpg"), Path("in"), Path("out")).as_posix()
    'out/a/b.jpg'
    >>> output_of(Path("in/b.tif"), Path("in"), Path("out")).as_posix()
    'out/b.tif.png'
    """
    target = out / file.relative_to(source)
    if file.suffix.lower() in KEPT:
        return target
    return target.with_name(f"{target.name}.png")


def filter_file(translator: PictureFilter, file: Path, out: Path) -> BeforeAfter:
    """Filters one file.

    Args:
        translator: The `PictureFilter`.
        file: A picture; of an animation the first one.
        out: The file that is written, whose suffix is one of `KEPT`.

    Raises:
        Exception: any that Pillow has, if the picture cannot be read: see
            `ganlab.data.decoding.why_not`.
    """
    with Image.open(file, formats=list(FORMATS)) as opened:
        width, height = opened.size
        clear = opened.has_transparency_data
        orientation = opened.getexif().get(ExifTags.Base.Orientation)
        kept = {name: opened.info.get(name) for name in ("exif", "icc_profile")}
    if width * height * translator.enlarged**2 > MAX_PIXELS:
        raise UnreadableError(f"more than {MAX_PIXELS:,} pixels")
    if orientation in LYING:
        width, height = height, width
    shape = height, width, translator.source_channels
    pixels = decode(file, shape, background=translator.background).pixels
    made = translator.apply(pixels)
    if clear and translator.channels not in OPACITY:
        opacity = decode(file, (height, width, 4)).pixels[..., 3:]
        made = np.concatenate([made, translator.enlarge(opacity)], axis=-1)
    picture = pictures.as_picture(made)
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    if turn is not None:
        picture = picture.transpose(BACK.get(turn, turn))
    _write(picture, out, translator.mark, kept)
    return BeforeAfter(_thumbnail(pixels), _thumbnail(made))


def _write(picture: Image.Image, out: Path, mark: Mark, kept: dict[str, Any]) -> None:
    options = {name: value for name, value in kept.items() if value}
    form = KEPT[out.suffix.lower()]
    if form == "PNG":
        options["pnginfo"] = mark.png_info
    else:
        options |= {"xmp": mark.xmp, "quality": QUALITY}
    if form == "JPEG" and picture.mode in ("LA", "RGBA"):
        picture = picture.convert(picture.mode[:-1])
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out) as temporary:
        picture.save(temporary, form, **options)


def save_sheet(pairs: list[BeforeAfter], path: Path, mark: Mark) -> None:
    """Writes a PNG file of pictures before and after, four pairs a row."""
    tiles = np.stack([tile for pair in pairs[:MAX_SHOWN] for tile in pair])
    with atomic_file(path) as temporary:
        pictures.write_png(pictures.grid(tiles, SHEET_COLUMNS), temporary, mark)


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    """A picture in the middle of a white square."""
    small = pictures.as_picture(pictures.on_checkerboard(pixels)).convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    canvas = Image.new("RGB", (THUMBNAIL, THUMBNAIL), "white")
    left, top = ((THUMBNAIL - side) // 2 for side in small.size)
    canvas.paste(small, (left, top))
    return np.asarray(canvas)
