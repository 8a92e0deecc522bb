"""Shards of TFRecord and WebDataset: an index of where each image lies."""

import glob
import math
import re
import struct
import tarfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganlab.data.decoding import SUFFIXES
from ganlab.data.source import DEFAULT_SHAPE, Source, file_identity
from ganlab.errors import UserError, one_line

IMAGE_KEYS = ("image/encoded", "image", "image_raw", "jpg", "png")
LABEL_KEYS = ("image/class/label", "label", "labels", "class", "cls")
MAX_RECORD = 1 << 28  # bytes
HEADER, FOOTER = 12, 4  # bytes around a record of TFRecord
BLOCK = 512  # bytes of tar files, of zeros at their end
MAX_CLASSES = 100_000


class Entry(NamedTuple):
    """Where one image lies.

    Args:
        offset: Integer: the byte that it begins at.
        size: Integer: its bytes.
        label: Integer, or `None`.
    """

    offset: int
    size: int
    label: int | None


class ShardItems(Sequence[tuple[str, bytes]]):
    """Pairs of a name and an encoded image, each read when it is asked for.

    Args:
        shards: The files.
        unpack: From the bytes of an entry to those of its image.
    """

    def __init__(
        self, shards: Sequence[Path], unpack: Callable[[bytes], bytes] = bytes
    ) -> None:
        self.shards = shards
        self._unpack = unpack
        self._places = {name: array("q") for name in ("shard", "offset", "size")}

    def add(self, shard: int, offset: int, size: int) -> None:
        """Adds where an image lies."""
        for name, value in (("shard", shard), ("offset", offset), ("size", size)):
            self._places[name].append(value)

    def __len__(self) -> int:
        return len(self._places["shard"])

    def __getitem__(self, index: Any) -> Any:
        shard, offset, size = (self._places[name][index] for name in self._places)
        path = self.shards[shard]
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        return f"{path.name} at byte {offset:,}", self._unpack(content)


def open_tfrecord(pattern: str) -> Source:
    """Opens TFRecord files of `tf.train.Example`s with an encoded image each.

    The image is the feature `image/encoded`, `image` or `image_raw`, the class the
    integer `image/class/label` or `label`.

    Args:
        pattern: A file, a folder of files, or a pattern such as `train-*.tfrecord`.

    Raises:
        UserError: if there are no such files, or one is damaged or compressed.
    """
    return _open(pattern, "*.tfrecord*", _records, _image_of_example)


def open_webdataset(pattern: str) -> Source:
    """Opens WebDataset's tar files: `KEY.jpg` and the class, a number, in `KEY.cls`.

    Args:
        pattern: A file, a folder of files, or a pattern such as `train-{000..146}.tar`.

    Raises:
        UserError: if there are no such files, or one is damaged or compressed.
    """
    return _open(pattern, "*.tar", _members, bytes)


def _open(
    pattern: str,
    usual: str,
    read: Callable[[Path], Iterator[Entry]],
    unpack: Callable[[bytes], bytes],
) -> Source:
    shards = _shards(pattern, usual)
    items, labels = ShardItems(shards, unpack), array("q")
    for number, shard in enumerate(shards):
        try:
            for entry in read(shard):
                items.add(number, entry.offset, entry.size)
                labels.append(-1 if entry.label is None else entry.label)
        except UserError:
            raise
        except (ValueError, EOFError, struct.error, tarfile.TarError) as error:
            raise UserError(
                f"Expected a whole, uncompressed shard ({usual}). Received: {shard} "
                f"({one_line(error)}); write it again"
            ) from error
    if not len(items):
        raise UserError(f"Expected images in {pattern}. Received: none")
    classes, names = _classes(np.array(labels, np.int64), pattern)
    return Source(
        items=items,
        count=len(items),
        labels=classes,
        class_names=names,
        shape=DEFAULT_SHAPE,
        identity=" ".join(map(file_identity, shards)),
    )


def _shards(pattern: str, usual: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_dir():
        paths = sorted(path.glob(usual))
    else:
        names = [str(Path(part).expanduser()) for part in _expanded(pattern)]
        paths = [Path(name) for part in names for name in sorted(glob.glob(part))]
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise UserError(
            f"Expected shards such as {usual}. Received: none of {pattern}; name a "
            "file, a folder, or a pattern"
        )
    return paths


def _expanded(pattern: str) -> list[str]:
    """A pattern with `{000..146}` as one for each number.

    >>> _expanded("a-{08..10}.tar")
    ['a-08.tar', 'a-09.tar', 'a-10.tar']
    """
    match = re.search(r"\{(\d{1,9})\.\.(\d{1,9})\}", pattern)
    if match is None:
        return [pattern]
    first, last = match.groups()
    numbers = range(int(first), min(int(last), int(first) + MAX_CLASSES) + 1)
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [f"{before}{number:0{len(first)}d}{after}" for number in numbers]


def _classes(
    labels: np.ndarray, pattern: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Int32 labels and the names of classes; `None` where no image has one."""
    if (labels == -1).all():
        return None, ()
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= MAX_CLASSES:
        raise UserError(
            f"Expected labels of 0 to {MAX_CLASSES - 1:,} for all images, or for none. "
            f"Received: {lowest} to {highest} in {pattern}, -1 where there is none"
        )
    return labels.astype(np.int32), tuple(map(str, range(highest + 1)))


def _records(path: Path) -> Iterator[Entry]:
    """The records of a TFRecord file: length, its checksum, bytes, their checksum."""
    size = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position < size:
            (length,) = struct.unpack("<Q", file.read(HEADER)[:8])
            end = position + HEADER + length + FOOTER
            if length > MAX_RECORD or end > size:
                raise ValueError(f"a record of {length:,} bytes at byte {position:,}")
            features = _features(file.read(length))
            _image_of(features)
            yield Entry(position + HEADER, length, _label_of(features))
            position = end
            file.seek(position)


def _features(content: bytes) -> Any:
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        return tf.train.Example.FromString(content).features.feature
    except DecodeError as error:
        raise ValueError("a record that is no tf.train.Example") from error


def _image_of_example(content: bytes) -> bytes:
    return _image_of(_features(content))


def _image_of(features: Any) -> bytes:
    for key in IMAGE_KEYS:
        if key in features and features[key].bytes_list.value:
            return bytes(features[key].bytes_list.value[0])
    raise ValueError(f"no image among {', '.join(features) or 'no features'}")


def _label_of(features: Any) -> int | None:
    for key in LABEL_KEYS:
        if key in features and features[key].int64_list.value:
            return int(features[key].int64_list.value[0])
    return None


def _members(path: Path) -> Iterator[Entry]:
    """The images of a tar file, each with the class of the same key."""
    key: tuple[str, str] | None = None
    image, label, end = None, None, 0
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            archive.members.clear()  # type: ignore[attr-defined]  # which would grow
            end = member.offset_data + BLOCK * math.ceil(member.size / BLOCK)
            if not member.isfile():
                continue
            folder, _, name = member.name.rpartition("/")
            stem, _, suffix = name.partition(".")
            if (folder, stem) != key:
                if image is not None:
                    yield image._replace(label=label)
                key, image, label = (folder, stem), None, None
            if f".{suffix.lower()}" in SUFFIXES:
                if member.size > MAX_RECORD:
                    raise ValueError(f"{name} of {member.size:,} bytes")
                image = Entry(member.offset_data, member.size, None)
            elif suffix == "cls":
                content = archive.extractfile(member)
                label = int(content.read(20)) if content is not None else None
    with path.open("rb") as file:
        file.seek(end)
        if file.read(BLOCK) != bytes(BLOCK):
            raise ValueError(f"it breaks off at byte {end:,}")
    if image is not None:
        yield image._replace(label=label)
