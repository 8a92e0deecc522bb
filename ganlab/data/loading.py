"""Loads a data set: every image is decoded once, before training.

A corrupt image is known before the first step, and every epoch after the first
costs a copy.
"""

import dataclasses
import hashlib
import io
import json
import logging
import math
import os
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganlab.data.decoding import MODES, WHITE, Pixels, keeps, parse_colour
from ganlab.data.filling import CHUNK, Progress, fill
from ganlab.data.image_data import ImageData
from ganlab.data.pairs import images_and_sources
from ganlab.data.sizes import ImageSize, sides
from ganlab.data.source import Source
from ganlab.data.sources import open_source
from ganlab.data.streaming import StreamedImages
from ganlab.data.toy2d import find_mixture
from ganlab.errors import RunError, UserError, one_line
from ganlab.files import atomic_folder, cache_folder
from ganlab.safety.bounded import read_json

LOGGER = logging.getLogger("ganlab")
CACHES = ("memory", "disk", "stream")
MAX_MEMORY = 4.0  # GB of decoded images
ABOUT, IMAGES, LABELS = "about.json", "images.npy", "labels.npy"  # of a cache folder
MAX_ABOUT_BYTES = 1 << 30  # with the names of all images that were skipped
CACHE_VERSION = 3  # of what decoding makes of the same files
NUM_TOY_SAMPLES = 100_000
WITHOUT_OPACITY = {1: 1, 2: 1, 3: 3, 4: 3}  # channels


def load_data(
    spec: str,
    *,
    image_size: ImageSize | None = None,
    channels: int | None = None,
    background: str = WHITE,
    cache: str = "memory",
    max_memory: float = MAX_MEMORY,
    progress: Progress | None = None,
) -> ImageData:
    """Decodes the images that a data SPEC names.

    Files that are left out, and images that cannot be read, are warned of. What would
    take more than `max_memory` streams from disk, and that is said.

    Args:
        spec: String: see `ganlab.data.sources`; or `ring` or `grid`, 100,000
            samples of `ganlab.data.toy2d`, whose labels are their modes. Pairs, domains
            and tasks have `sources` beside their images.
        image_size: What images are centre-cropped and resized to: an integer, the side
            of a square, or height and width, as `(48, 96)` or `"48x96"`. By default
            their own, or 64 where it varies.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity. By default
            the images' own without opacity, or 3 where it varies.
        background: The colour that transparent pictures are laid on, or that is kept
            where nothing is seen: a name of CSS's, or `#rrggbb`.
        cache: `"memory"`, `"disk"` to keep the decoded images under
            `~/.cache/ganlab` (or `XDG_CACHE_HOME`) and read them from there, or
            `"stream"` to keep none and decode each when it is trained on.
        max_memory: Float: GB of decoded images that are kept in memory, at most.
        progress: `None`, or a function of `(images done, images in all)`.

    Returns:
        An `ImageData`.

    Raises:
        UserError: if the SPEC is unknown, no image can be read, or they need
            more memory than there is.
        RunError: if the disk has no room for the images.
    """
    if not isinstance(spec, str):
        raise UserError(
            "Expected a data SPEC, such as folder:DIR or npz:FILE. Received: "
            f"{type(spec).__name__}; arrays are saved by np.savez, or given to fit"
        )
    if cache not in CACHES:
        raise UserError(f"Expected a cache of {', '.join(CACHES)}. Received: {cache!r}")
    mixture = find_mixture(spec)
    if mixture is not None:
        samples, modes = mixture.sample(NUM_TOY_SAMPLES)
        return ImageData(spec, samples, modes, (), ())
    source = open_source(spec)
    parse_colour(background)
    height, width, own_channels = source.shape
    height, width = (height, width) if image_size is None else sides(image_size)
    channels = WITHOUT_OPACITY[own_channels] if channels is None else channels
    if channels not in MODES:
        raise UserError(f"Expected 1 to 4 channels. Received: {channels}")
    decoded = Pixels((height, width, channels * source.pictures), background)
    data = _load(spec, source, decoded, cache, max_memory, progress)
    if isinstance(source.made_of, Source):
        sources = _load(spec, source.made_of, decoded, cache, max_memory, progress)
        data = dataclasses.replace(data, sources=sources, paired=False)
    return data


def _load(
    spec: str,
    source: Source,
    decoded: Pixels,
    cache: str,
    max_memory: float,
    progress: Progress | None,
) -> ImageData:
    """The data of one source: see `load_data`."""
    size = source.count * math.prod(decoded.shape)
    streamed = isinstance(source.items, Sequence)
    if cache == "stream" or (
        cache == "memory" and streamed and size > 1e9 * max_memory
    ):
        return _stream(spec, source, decoded, None if cache == "stream" else max_memory)
    if cache == "disk":
        return _load_cached(spec, source, decoded, progress)
    if source.array is not None and keeps(source.array, decoded.shape):
        return _image_data(spec, source.array, source.labels, source, (), ())
    try:
        memory = np.empty((source.count, *decoded.shape), np.uint8)
    except MemoryError as error:
        raise UserError(
            f"Expected memory for {source.count:,} images. Received: "
            f"{one_line(error)}; keep them on disk: --cache disk"
        ) from error
    filled = fill(memory, source, decoded.background, progress)
    return _image_data(spec, filled.images, filled.labels, source, *filled[2:])


def _stream(
    spec: str, source: Source, decoded: Pixels, max_memory: float | None
) -> ImageData:
    """The data of a source whose images are decoded when they are asked for."""
    if not isinstance(source.items, Sequence):
        raise UserError(
            f"Expected data that can be read in any order. Received: {spec}, whose "
            "images come one after the other; keep them decoded: --cache disk"
        )
    notes = []
    if max_memory is not None:
        size = source.count * math.prod(decoded.shape)
        notes.append(
            f"streamed from disk, for {size / 1e9:.1f} GB decoded are more than "
            f"{max_memory:g} GB (max_data_memory; --cache disk keeps them decoded)"
        )
    images = StreamedImages(source.items, *decoded)
    return _image_data(spec, images, source.labels, source, (), notes)


def _load_cached(
    spec: str,
    source: Source,
    decoded: Pixels,
    progress: Progress | None,
) -> ImageData:
    key = f"{CACHE_VERSION} {source.identity} {decoded}"
    folder = cache_folder() / hashlib.sha256(key.encode()).hexdigest()[:32]
    shape = (source.count, *decoded.shape)
    if folder.exists():
        try:
            return _read_decoded(folder, spec, source, shape)
        except Exception as error:  # a damaged file may have any raised
            LOGGER.warning(
                "The cache %s is damaged (%s): it is made again",
                folder,
                one_line(error),
            )
            shutil.rmtree(folder)
    try:
        with atomic_folder(folder) as partial:
            _write_decoded(partial, source, shape, decoded.background, progress)
    except OSError:
        if not folder.exists():  # which another run has made meanwhile
            raise
    return _read_decoded(folder, spec, source, shape)


def _read_decoded(
    folder: Path, spec: str, source: Source, shape: tuple[int, ...]
) -> ImageData:
    """The data of a cache folder, whose files are as they were written."""
    about = read_json(folder / ABOUT, MAX_ABOUT_BYTES)
    images = np.load(folder / IMAGES, mmap_mode="r")
    count = about["count"]
    if (images.shape, images.dtype) != (shape, np.uint8) or not 0 < count <= shape[0]:
        raise ValueError(f"images of shape {images.shape}")
    if _checksum(images) != about["images"]:
        raise ValueError("other images")
    labels = None
    if about["labels"] is not None:
        content = (folder / LABELS).read_bytes()
        if zlib.crc32(content) != about["labels"]:
            raise ValueError("other labels")
        labels = np.load(io.BytesIO(content))
    return _image_data(
        spec, images[:count], labels, source, about["skipped"], about["notes"]
    )


def _write_decoded(
    folder: Path,
    source: Source,
    shape: tuple[int, ...],
    background: str,
    progress: Progress | None,
) -> None:
    """Decodes a source into the files of a cache folder."""
    target = np.lib.format.open_memmap(
        folder / IMAGES, mode="w+", dtype=np.uint8, shape=shape
    )
    _take_space(folder / IMAGES)
    filled = fill(target, source, background, progress)
    images_hash = _checksum(target)
    target.flush()
    labels_hash = None
    if filled.labels is not None:
        np.save(folder / LABELS, filled.labels)
        labels_hash = zlib.crc32((folder / LABELS).read_bytes())
    about = {
        "count": len(filled.images),
        "images": images_hash,
        "labels": labels_hash,
        "skipped": filled.skipped,
        "notes": filled.notes,
    }
    (folder / ABOUT).write_text(json.dumps(about))


def _checksum(images: np.ndarray) -> int:
    """CRC-32 of images, some at a time, for they may be larger than the memory."""
    value = 0
    for first in range(0, len(images), CHUNK):
        value = zlib.crc32(images[first : first + CHUNK].tobytes(), value)
    return value


def _take_space(file: Path) -> None:
    """Takes a file's space on disk, for a mapped page without any ends the process."""
    size = file.stat().st_size
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, size)
    except OSError as error:
        raise RunError(
            f"Expected {size / 1e6:,.0f} MB of space for {file.parent.parent}. "
            f"Received: {error.strerror}; free some, or leave out --cache disk"
        ) from error


def _image_data(
    spec: str,
    images: np.ndarray | StreamedImages,
    labels: np.ndarray | None,
    source: Source,
    skipped: Sequence[str],
    notes: Sequence[str],
) -> ImageData:
    class_names, left_out = source.class_names, (*source.left_out, *notes)
    if labels is not None and (labels < 0).any():
        labels, class_names = None, ()  # as data sets mark images without a class
    if labels is not None and skipped and spec.startswith(("folder:", "emoji:")):
        present = np.unique(labels)
        lost = [name for k, name in enumerate(class_names) if k not in present]
        if lost:
            labels = np.searchsorted(present, labels).astype(np.int32)
            class_names = tuple(class_names[label] for label in present)
            left_out = (*left_out, f"{', '.join(lost)} left out (no image can be read)")
    families = source.families
    if families is not None and skipped:
        lost_names = set(skipped)
        kept = [name not in lost_names for name, _ in source.items]
        families = families[kept]
    images, made = images_and_sources(images, source)
    sources = None
    if made is not None:
        sources = ImageData(spec, made, None, (), (), families=families)
    data = ImageData(
        spec,
        images,
        labels,
        class_names,
        tuple(skipped),
        left_out=left_out,
        families=families,
        attribution=source.attribution,
        sources=sources,
    )
    if left_out:
        LOGGER.warning("%s", data.summary())
    return data
