"""Grids, PNG, GIF and npz files of uint8 images; npy, npz and csv files of arrays.

Images are `(count, height, width, channels)` with 1 channel (grey), 2 (grey and
opacity), 3 (colour) or 4 (colour and opacity). NumPy and Pillow only.
"""

import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from ganlab.errors import UserError
from ganlab.files import atomic_file, atomic_folder, is_empty
from ganlab.provenance import marks
from ganlab.provenance.marks import Mark

MIN_TILE = 56
GAP = 2
CHANNELS = (1, 2, 3, 4)  # grey, grey and opacity, colour, colour and opacity
OPACITY = (2, 4)  # channels of which the last is opacity
CHECKER, CHECKER_GREYS = 8, (255, 204)  # side of a square in pixels, and its greys
MAX_ROWS = 20
PICTURE_SUFFIXES = (".png", ".npy", ".npz", "")  # the last is a folder
ARRAY_SUFFIXES = (".npy", ".npz")
TABLE_SUFFIXES = (".csv", *ARRAY_SUFFIXES)
MAX_TABLE_RANK = 2  # vectors and series
ANIMATION_SUFFIXES = (".gif", ".webp")
UNNAMED = Mark()  # generated, by what nobody said


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


def composited(
    images: np.ndarray,
    ground: np.ndarray | float,
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> np.ndarray:
    """Lays images with opacity on a ground; images without are returned as they are.

        colour * opacity + ground * (1 - opacity)

    Args:
        images: Array `(..., height, width, channels)`.
        ground: What the colours are laid on, an array that broadcasts to them.
        value_range: The lowest and the highest value that images may have.

    Returns:
        Float32 array `(..., height, width, channels - 1)`, or `images`.
    """
    if images.shape[-1] not in OPACITY:
        return images
    low, high = value_range
    pixels = np.asarray(images, np.float32)
    opacity = (pixels[..., -1:] - low) / (high - low)
    return pixels[..., :-1] * opacity + ground * (1.0 - opacity)


def on_checkerboard(images: np.ndarray) -> np.ndarray:
    """Uint8 images with opacity on a checkerboard; others as they are."""
    if images.shape[-1] not in OPACITY:
        return images
    rows, columns = (np.arange(side) // CHECKER for side in images.shape[-3:-1])
    odd = (rows[:, None] + columns) % 2
    ground = np.array(CHECKER_GREYS, np.float32)[odd][..., None]
    pixels = composited(images, ground, (0.0, 255.0))
    return np.rint(pixels).astype(np.uint8)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lays images out in rows on one canvas, small ones enlarged.

    What is transparent shows a checkerboard.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        columns: Integer, or `None` for a nearly square grid.

    Returns:
        Uint8 array `(height, width, channels)`, of 1 or 3 channels.

    Raises:
        UserError: for what are no uint8 images of 1 to 4 channels.
    """
    images = _checked(images)
    count, height, width, _ = images.shape
    columns = min(count, columns or int(np.ceil(np.sqrt(count))))
    rows = -(-count // columns)
    scale = max(1, -(-MIN_TILE // max(height, width)))
    images = on_checkerboard(images.repeat(scale, axis=1).repeat(scale, axis=2))
    channels = images.shape[-1]
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


def write_png(pixels: np.ndarray, file: Path | IO[bytes], mark: Mark) -> None:
    """Writes a uint8 array `(height, width, channels)` as a PNG file.

    Args:
        pixels: The picture.
        file: The file; its path where the mark has a signer.
        mark: What the file says of where the picture comes from.
    """
    as_picture(pixels).save(file, "PNG", pnginfo=mark.png_info)
    if isinstance(file, Path):
        mark.sign(file)


def save(
    images: np.ndarray,
    path: Path | str,
    labels: Sequence[int] | np.ndarray | None = None,
    columns: int | None = None,
    mark: Mark = UNNAMED,
) -> None:
    """Writes images as one grid, as a folder of PNG files or as an array.

    A grid shows a checkerboard where images are transparent; files of single images
    keep their opacity.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        path: A `.png` file for a grid, a folder for one PNG file an image, or a
            `.npy` or `.npz` file: see `save_arrays`.
        labels: Integer array `(count,)`, or `None`.
        columns: Integer: columns of the grid.
        mark: What the files say of where the images come from.

    Raises:
        UserError: if `path` has another suffix, or is a folder with files; or for
            what are no uint8 images of 1 to 4 channels.
    """
    path = check_output(path)
    images = _checked(images)
    if path.suffix == ".png":
        with atomic_file(path) as temporary:
            write_png(grid(images, columns), temporary, mark)
    elif path.suffix in ARRAY_SUFFIXES:
        save_arrays(images, path, labels, mark)
    else:
        with atomic_folder(path) as folder:
            names = file_names(len(images), labels)
            for name, image in zip(names, images, strict=True):
                write_png(image, folder / name, mark)


def file_names(
    count: int, labels: Sequence[int] | np.ndarray | None = None
) -> list[str]:
    """Names of PNG files of single images.

    >>> file_names(2), file_names(1, [3])
    (['00000.png', '00001.png'], ['00000-class3.png'])
    """
    classes = [""] * count if labels is None else [f"-class{label}" for label in labels]
    return [f"{index:05d}{name}.png" for index, name in enumerate(classes)]


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if (
        images.ndim != 4
        or images.dtype != np.uint8
        or images.shape[-1] not in CHANNELS
        or not images.size
    ):
        raise UserError(
            "Expected uint8 images (count, height, width, channels) with 1 to 4 "
            f"channels. Received: {images.dtype} {images.shape}; use to_uint8 for "
            "floats, save_arrays for what is no image"
        )
    return images


def save_arrays(
    samples: np.ndarray,
    path: Path | str,
    labels: Sequence[int] | np.ndarray | None = None,
    mark: Mark = UNNAMED,
) -> None:
    """Writes samples of any shape as an array, or vectors and series as a table.

    A `.npz` file holds its mark, as `provenance.json`; any other has it in a file of
    its name and `.json`.

    Args:
        samples: Array `(count, ...)`.
        path: A `.npy` file; a `.npz` file with `images` and, where there are any,
            `labels`; or a `.csv` file with a row for each sample under a header:
            columns `x0`, `x1` of vectors `(count, size)`, `t0_c0`, `t0_c1` of series
            `(count, time, channels)`, and `label` where there are any.
        labels: Integer array `(count,)`, or `None`.
        mark: What is said of where the samples come from.

    Raises:
        UserError: if `path` has another suffix.
    """
    path = check_output(path, array_suffixes(samples.shape[1:]))
    with atomic_file(path) as temporary:
        _write_arrays(samples, temporary, labels)
        if path.suffix == ".npz":
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(zipfile.ZipInfo(marks.MEMBER), mark.json)
        else:
            marks.write_beside(path, mark)


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


def save_animation(frames: np.ndarray, path: Path | str, mark: Mark = UNNAMED) -> None:
    """Writes grids as an animated GIF or WebP that loops there and back.

    Args:
        frames: Uint8 array `(frames, count, height, width, channels)`.
        path: A `.gif` or `.webp` file.
        mark: What the file says of where the images come from.
    """
    path = check_output(path, ANIMATION_SUFFIXES)
    pictures = [as_picture(grid(frame)) for frame in frames]
    pictures += pictures[-2:0:-1]
    with atomic_file(path) as temporary:
        pictures[0].save(
            temporary,
            save_all=True,
            append_images=pictures[1:],
            duration=60,
            loop=0,
            comment=mark.attribution.encode(),
            xmp=mark.xmp,
        )
        if path.suffix == ".gif":
            marks.mark_gif(temporary, mark)
        mark.sign(temporary)
