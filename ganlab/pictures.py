"""Grids, PNG, GIF and npz files of uint8 images; npy, npz and csv files of arrays.

Images are `(count, height, width, channels)` with 1 (grey), 3 (colour) or 4 channels
(colour and opacity). NumPy and Pillow only.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab.errors import UserError
from ganlab.files import atomic_file, atomic_folder, is_empty

MIN_TILE = 56
GAP = 2
CHANNELS = (1, 3, 4)  # grey, colour, colour and opacity
MAX_ROWS = 20
PICTURE_SUFFIXES = (".png", ".npy", ".npz", "")  # the last is a folder
ARRAY_SUFFIXES = (".npy", ".npz")
TABLE_SUFFIXES = (".csv", *ARRAY_SUFFIXES)
MAX_TABLE_RANK = 2  # vectors and series
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


def to_uint8(
    images: np.ndarray, value_range: tuple[float, float] = (-1.0, 1.0)
) -> np.ndarray:
    """Maps floats in a range to uint8 in [0, 255], values beyond clipped.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 2.0])).tolist()
    [0, 128, 255, 255]
    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 2.0]), (0.0, 1.0)).tolist()
    [0, 0, 255, 255]
    """
    low, high = value_range
    pixels = (np.asarray(images, np.float32) - low) * (255.0 / (high - low))
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def rescaled(images: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Maps floats in a range to [-1, 1], which is what feature extractors take."""
    low, high = value_range
    if (low, high) == (-1.0, 1.0):
        return np.asarray(images, np.float32)
    return (np.asarray(images, np.float32) - low) * (2.0 / (high - low)) - 1.0


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lays images out in rows on one canvas, small ones enlarged.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        columns: Integer, or `None` for a nearly square grid.

    Returns:
        Uint8 array `(height, width, channels)`.

    Raises:
        UserError: for what are no uint8 images of 1, 3 or 4 channels.
    """
    images = _checked(images)
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
        path: A `.png` file for a grid, a folder for one PNG file an image, or a
            `.npy` or `.npz` file: see `save_arrays`.
        labels: Integer array `(count,)`, or `None`.
        columns: Integer: columns of the grid.

    Raises:
        UserError: if `path` has another suffix, or is a folder with files; or for
            what are no uint8 images of 1, 3 or 4 channels.
    """
    path = check_output(path)
    images = _checked(images)
    if path.suffix == ".png":
        picture = as_picture(grid(images, columns))
        with atomic_file(path) as temporary:
            picture.save(temporary)
    elif path.suffix in ARRAY_SUFFIXES:
        save_arrays(images, path, labels)
    else:
        with atomic_folder(path) as folder:
            for index, image in enumerate(images):
                name = f"{index:05d}"
                if labels is not None:
                    name += f"-class{labels[index]}"
                as_picture(image).save(folder / f"{name}.png")


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if (
        images.ndim != 4
        or images.dtype != np.uint8
        or images.shape[-1] not in CHANNELS
        or not images.size
    ):
        raise UserError(
            "Expected uint8 images (count, height, width, channels) with 1, 3 or 4 "
            f"channels. Received: {images.dtype} {images.shape}; use to_uint8 for "
            "floats, save_arrays for what is no image"
        )
    return images


def save_arrays(
    samples: np.ndarray,
    path: Path | str,
    labels: Sequence[int] | np.ndarray | None = None,
) -> None:
    """Writes samples of any shape as an array, or vectors and series as a table.

    Args:
        samples: Array `(count, ...)`.
        path: A `.npy` file; a `.npz` file with `images` and, where there are any,
            `labels`; or a `.csv` file with a row for each sample under a header:
            columns `x0`, `x1` of vectors `(count, size)`, `t0_c0`, `t0_c1` of series
            `(count, time, channels)`, and `label` where there are any.
        labels: Integer array `(count,)`, or `None`.

    Raises:
        UserError: if `path` has another suffix.
    """
    path = check_output(path, array_suffixes(samples.shape[1:]))
    with atomic_file(path) as temporary:
        _write_arrays(samples, temporary, labels)


def _write_arrays(
    samples: np.ndarray, path: Path, labels: Sequence[int] | np.ndarray | None
) -> None:
    if path.suffix == ".npy":
        np.save(path, samples)
    elif path.suffix == ".npz":
        arrays = {"images": samples}
        if labels is not None:
            arrays["labels"] = np.asarray(labels)
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    else:
        names = ("t{}_c{}" if samples.ndim == 3 else "x{}").format
        columns = [names(*index) for index in np.ndindex(samples.shape[1:])]
        rows = samples.reshape(len(samples), -1).tolist()
        if labels is not None:
            columns.append("label")
            rows = [[*row, int(label)] for row, label in zip(rows, labels, strict=True)]
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([columns, *rows])


def array_suffixes(sample_shape: Sequence[int]) -> tuple[str, ...]:
    """Suffixes of files that hold samples of a shape as numbers."""
    is_table = len(sample_shape) <= MAX_TABLE_RANK
    return TABLE_SUFFIXES if is_table else ARRAY_SUFFIXES


def check_output(path: Path | str, suffixes: Sequence[str] = PICTURE_SUFFIXES) -> Path:
    """Returns `path`, or raises `UserError` if nothing may be written there."""
    path = Path(path)
    if path.suffix not in suffixes:
        expected = ", ".join(suffix or "a folder" for suffix in suffixes)
        raise UserError(f"Expected an output of {expected}. Received: {path}")
    if path.is_dir() and (path.suffix or not is_empty(path)):
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
    pictures = [as_picture(grid(frame)) for frame in frames]
    pictures += pictures[-2:0:-1]
    with atomic_file(path) as temporary:
        pictures[0].save(
            temporary, save_all=True, append_images=pictures[1:], duration=60, loop=0
        )
