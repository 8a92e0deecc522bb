"""Grids, PNG, GIF and npz files of uint8 images `(count, height, width, channels)`.

NumPy and Pillow only.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab.errors import UserError

MIN_TILE = 56
GAP = 2
MAX_ROWS = 20
PICTURE_SUFFIXES = (".png", ".npz", "")  # the last is a folder
ANIMATION_SUFFIXES = (".gif", ".webp")


def grid_contents(
    num_classes: int | None, columns: int
) -> tuple[int, np.ndarray | None]:
    """Number and labels of a grid's images: a row for each class, or a square.

    Args:
        num_classes: Integer, 0 or `None` for noise alone; 20 rows at most.
        columns: Integer: images in a row.

    Returns:
        The number of images, and int32 labels or `None`.
    """
    if not num_classes:
        return columns * columns, None
    classes = np.arange(min(num_classes, MAX_ROWS), dtype=np.int32)
    return len(classes) * columns, classes.repeat(columns)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Maps floats in [-1, 1] to uint8, values beyond clipped.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 2.0])).tolist()
    [0, 128, 255, 255]
    """
    pixels = (np.asarray(images, np.float32) + 1.0) * 127.5
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lays images out in rows on one canvas, small ones enlarged.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        columns: Integer, or `None` for a nearly square grid.

    Returns:
        Uint8 array `(height, width, channels)`.
    """
    count, height, width, channels = images.shape
    columns = min(count, columns or int(np.ceil(np.sqrt(count))))
    rows = -(-count // columns)
    scale = max(1, -(-MIN_TILE // max(height, width)))
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    step_y, step_x = height * scale + GAP, width * scale + GAP
    canvas = np.full(
        (rows * step_y + GAP, columns * step_x + GAP, channels), 255, np.uint8
    )
    for index, image in enumerate(images):
        top, left = divmod(index, columns)
        top, left = top * step_y + GAP, left * step_x + GAP
        canvas[top : top + height * scale, left : left + width * scale] = image
    return canvas


def as_picture(pixels: np.ndarray) -> Image.Image:
    """Turns a uint8 array `(height, width, channels)` into a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def save(
    images: np.ndarray,
    path: Path | str,
    labels: Sequence[int] | np.ndarray | None = None,
    columns: int | None = None,
) -> None:
    """Writes images as one grid, as a folder of PNG files or as an array.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        path: A `.png` file for a grid, a `.npz` file with `images` and, where
            there are any, `labels`, or a folder for one PNG file an image.
        labels: Integer array `(count,)`, or `None`.
        columns: Integer: columns of the grid.

    Raises:
        UserError: if `path` has another suffix, or is a folder with files.
    """
    path = check_output(path)
    if path.suffix == ".png":
        path.parent.mkdir(parents=True, exist_ok=True)
        as_picture(grid(images, columns)).save(path)
    elif path.suffix == ".npz":
        path.parent.mkdir(parents=True, exist_ok=True)
        if labels is None:
            np.savez_compressed(path, images=images)
        else:
            np.savez_compressed(path, images=images, labels=np.asarray(labels))
    else:
        path.mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(images):
            name = f"{index:05d}"
            if labels is not None:
                name += f"-class{labels[index]}"
            as_picture(image).save(path / f"{name}.png")


def check_output(path: Path | str, suffixes: Sequence[str] = PICTURE_SUFFIXES) -> Path:
    """Returns `path`, or raises `UserError` if nothing may be written there."""
    path = Path(path)
    if path.suffix not in suffixes:
        expected = ", ".join(suffix or "a folder" for suffix in suffixes)
        raise UserError(f"Expected an output of {expected}. Received: {path}")
    if path.is_dir() and (path.suffix or any(path.iterdir())):
        raise UserError(
            f"Expected a new or empty output. Received: the folder {path}, which "
            "has files; name another"
        )
    return path


def save_animation(frames: np.ndarray, path: Path | str) -> None:
    """Writes grids as an animated GIF or WebP that loops there and back.

    Args:
        frames: Uint8 array `(frames, count, height, width, channels)`.
        path: A `.gif` or `.webp` file.
    """
    path = check_output(path, ANIMATION_SUFFIXES)
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [as_picture(grid(frame)) for frame in frames]
    pictures += pictures[-2:0:-1]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=60, loop=0
    )
