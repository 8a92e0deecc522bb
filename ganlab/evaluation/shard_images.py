"""Images of shards: which are read, and how, when a few of a million are scored?

Only where each image lies is kept; those that are asked for are read and decoded. So
memory depends on how many are scored, not on how many there are.
"""

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganlab.data import kinds
from ganlab.data.decoding import FORMATS, decode, why_not
from ganlab.data.records import open_tfrecord, open_webdataset
from ganlab.errors import UserError, one_line

MAX_SAMPLE_BYTES = 1 << 26
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}

Read = Callable[[np.ndarray], Sequence[Any]]


class ShardImages:
    """Images of shards, read when they are asked for.

    Args:
        count: Integer: how many there are.
        shape: Height, width and channels that they are decoded to.
        read: Function from increasing indices to items that are decoded.
        name: What an error calls them.
    """

    def __init__(
        self, count: int, shape: tuple[int, ...], read: Read, name: object
    ) -> None:
        self.count, self.shape = count, shape
        self._read, self._name = read, name

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        """Uint8 images `(count, height, width, channels)` at increasing indices.

        Raises:
            UserError: for an image that cannot be read.
        """
        images = np.empty((len(indices), *self.shape), np.uint8)
        for row, item in enumerate(self._read(indices)):
            try:
                images[row] = decode(item, self.shape).pixels  # type: ignore[arg-type]
            except Exception as error:  # Pillow's are of many classes
                raise UserError(
                    f"Expected images in {self._name}. Received: number "
                    f"{indices[row]:,}, which is {why_not(error)}; write the shards "
                    "again"
                ) from error
        return images

    def in_channels(self, channels: int) -> "ShardImages":
        """The same images, decoded to another number of channels."""
        shape = (*self.shape[:2], channels)
        return ShardImages(self.count, shape, self._read, self._name)


def open_shards(folder: Path) -> ShardImages | None:
    """The images of a folder's shards, or `None` of a folder without any.

    Args:
        folder: It holds `.tar` files (WebDataset), `.tfrecord` files or `.parquet`
            files that `ganlab sample` wrote.

    Raises:
        UserError: for shards that are damaged, or hold no images.
    """
    if paths := sorted(folder.glob("*.parquet")):
        return _open_parquet(paths, folder)
    for pattern, open_source in (
        ("*.tar", open_webdataset),
        ("*.tfrecord", open_tfrecord),
    ):
        if any(folder.glob(pattern)):
            source = open_source(str(folder))
            items: Any = source.items

            def read(indices: np.ndarray, items: Any = items) -> list[bytes]:
                return [items[int(index)][1] for index in indices]

            return ShardImages(source.count, _shape_of(items[0][1]), read, folder)
    return None


def _shape_of(content: bytes) -> tuple[int, ...]:
    """Size and channels of an encoded image."""
    try:
        with Image.open(io.BytesIO(content), formats=list(FORMATS)) as picture:
            channels = CHANNELS.get(picture.mode, 3)
            return (picture.height, picture.width, channels)
    except Exception as error:
        raise UserError(
            f"Expected images in shards. Received: a first one that is "
            f"{why_not(error)}; write the shards again"
        ) from error


def _open_parquet(paths: Sequence[Path], folder: Path) -> ShardImages:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            "Expected pyarrow, for shards of Parquet. Received: none; install it with "
            'pip install "ganlab[parquet]"'
        ) from error
    groups: list[tuple[Path, int]] = []  # of rows, in order
    sizes: list[int] = []
    shapes = set()
    try:
        for path in paths:
            with parquet.ParquetFile(path) as file:
                shapes.add(_stated_shape(file.schema_arrow))
                for group in range(file.num_row_groups):
                    groups.append((path, group))
                    sizes.append(file.metadata.row_group(group).num_rows)
        (shape,) = shapes
    except (OSError, ValueError, KeyError) as error:
        raise _not_ours(folder, error) from error
    ends = np.cumsum(sizes)

    def read(indices: np.ndarray) -> Sequence[np.ndarray]:
        images = np.empty((len(indices), *shape), np.uint8)
        owners = np.searchsorted(ends, indices, side="right")
        for owner in np.unique(owners):
            path, group = groups[owner]
            rows = owners == owner
            try:
                with parquet.ParquetFile(path) as file:
                    column = file.read_row_group(group, columns=["image"])["image"]
                values = column.take(indices[rows] - (ends[owner] - sizes[owner]))
                content = b"".join(values.to_pylist())
                images[rows] = np.frombuffer(content, np.uint8).reshape(-1, *shape)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise _not_ours(path, error) from error
        return list(images)

    return ShardImages(int(ends[-1]) if sizes else 0, shape, read, folder)


def _stated_shape(schema: Any) -> tuple[int, ...]:
    """The shape that a schema states, if its images are uint8 of just that size."""
    metadata = schema.metadata or {}
    shape = tuple(int(size) for size in metadata[b"shape"][:64].split())
    width = schema.field("image").type.byte_width
    if (
        min(shape, default=0) < 1
        or math.prod(shape) != width
        or width > MAX_SAMPLE_BYTES
        or not kinds.of_shape(shape).pictorial
    ):
        raise ValueError(f"images of shape {shape} in {width:,} bytes")
    return shape


def _not_ours(path: Path, error: Exception) -> UserError:
    return UserError(
        "Expected shards of Parquet as ganlab sample writes images. Received: "
        f"{path} ({one_line(error)}); write them again, or as tar"
    )
