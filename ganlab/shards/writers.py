"""Shards as files: WebDataset's tar, TFRecord, Parquet. Equal samples, equal bytes.

A writer is a function of a batch: the index of its first sample, the samples, and their
labels or `None`. PNG is encoded here, one picture after another.
"""

import functools
import io
import struct
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from ganlab import pictures
from ganlab.provenance.marks import Mark

Write = Callable[[int, np.ndarray, np.ndarray | None], None]

BLOCK = 512  # bytes of tar files
SIZE, CHECKSUM = slice(124, 136), slice(148, 156)  # fields of a member's header
CRC_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reversed
CRC_MASK = 0xA282EAD8
CRC_CHUNK = 4096  # bytes whose tables are held
FULL = 0xFFFFFFFF
GROUP_BYTES = 1 << 24  # of samples in a row group of Parquet


@contextmanager
def open_writer(
    path: Path, shard_format: str, image_shape: tuple[int, ...], mark: Mark
) -> Iterator[Write]:
    """Opens a shard to be written; it is whole when the block ends.

    Args:
        path: A new file.
        shard_format: `"tar"`, `"tfrecord"` or `"parquet"`.
        image_shape: Shape of one sample.
        mark: What every picture says of where it comes from, or Parquet's schema.
    """
    if shard_format == "parquet":
        with _parquet(path, image_shape, mark) as write:
            yield write
        return
    with path.open("wb") as file:
        if shard_format == "tar":
            yield functools.partial(_write_tar, file, mark)
            file.write(bytes(2 * BLOCK))
        else:
            yield functools.partial(_write_records, file, mark)


def _encoded(image: np.ndarray, mark: Mark) -> bytes:
    file = io.BytesIO()
    pictures.write_png(image, file, mark)
    return file.getvalue()


def _write_tar(
    file: IO[bytes],
    mark: Mark,
    first: int,
    samples: np.ndarray,
    labels: np.ndarray | None,
) -> None:
    for row, image in enumerate(samples):
        key = f"{first + row:09d}"
        _write_member(file, f"{key}.png", _encoded(image, mark))
        if labels is not None:
            _write_member(file, f"{key}.cls", str(labels[row]).encode())


def _write_member(file: IO[bytes], name: str, content: bytes) -> None:
    header = bytearray(_empty_header())
    header[: len(name)] = name.encode()
    header[SIZE] = b"%011o\0" % len(content)
    header[CHECKSUM] = b"        "
    header[CHECKSUM] = b"%06o\0 " % sum(header)
    file.write(header)
    file.write(content)
    file.write(bytes(-len(content) % BLOCK))


@functools.cache
def _empty_header() -> bytes:
    return tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT)


def _write_records(
    file: IO[bytes],
    mark: Mark,
    first: int,
    samples: np.ndarray,
    labels: np.ndarray | None,
) -> None:
    for row, image in enumerate(samples):
        features = {
            b"image/encoded": _bytes_feature(_encoded(image, mark)),
            b"image/index": _integer_feature(first + row),
        }
        if labels is not None:
            features[b"image/class/label"] = _integer_feature(int(labels[row]))
        record = _example(features)
        length = struct.pack("<Q", len(record))
        file.write(length + _masked_crc(length) + record + _masked_crc(record))


def _example(features: dict[bytes, bytes]) -> bytes:
    """A `tf.train.Example`: one field of features, a map from names to features."""
    entries = (
        _field(1, _field(1, name) + _field(2, features[name]))
        for name in sorted(features)
    )
    return _field(1, b"".join(entries))


def _bytes_feature(content: bytes) -> bytes:
    return _field(1, _field(1, content))


def _integer_feature(number: int) -> bytes:
    return _field(3, _field(1, _varint(number)))  # packed


def _field(number: int, content: bytes) -> bytes:
    """A field of protobuf whose value is bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """A natural number in groups of 7 bits, the lowest first.

    >>> _varint(300).hex()
    'ac02'
    """
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _masked_crc(content: bytes) -> bytes:
    checksum = crc32c(content)
    rotated = (checksum >> 15 | checksum << 17) & FULL
    return struct.pack("<I", (rotated + CRC_MASK) & FULL)


def crc32c(content: bytes) -> int:
    """Castagnoli's checksum, which TFRecord states.

    A checksum is linear: that of a chunk is the exclusive or of what each byte gives at
    its distance from the end, which tables hold.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    tables = _crc_tables()
    remainder = FULL
    data = np.frombuffer(content, np.uint8)
    for start in range(0, len(data), CRC_CHUNK):
        chunk = data[start : start + CRC_CHUNK].copy()
        head = min(4, len(chunk))
        chunk[:head] ^= np.frombuffer(struct.pack("<I", remainder), np.uint8)[:head]
        distances = np.arange(len(chunk) - 1, -1, -1)
        checksum = int(np.bitwise_xor.reduce(tables[distances, chunk]))
        remainder = checksum ^ (remainder >> 8 * head)
    return remainder ^ FULL


@functools.cache
def _crc_tables() -> np.ndarray:
    """Uint32 array `(CRC_CHUNK, 256)`: what a byte gives at a distance from the end."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ CRC_POLYNOMIAL, table >> 1)
    tables = np.empty((CRC_CHUNK, 256), np.uint32)
    tables[0] = table
    for distance in range(1, CRC_CHUNK):
        before = tables[distance - 1]
        tables[distance] = before >> 8 ^ table[before & 255]
    return tables


@contextmanager
def _parquet(path: Path, image_shape: tuple[int, ...], mark: Mark) -> Iterator[Write]:
    """Rows of `index`, `label` and the sample's bytes, in groups of a fixed size."""
    import pyarrow as pa
    from pyarrow import parquet

    rows: list[tuple[int, np.ndarray, np.ndarray | None]] = []
    writer: Any = None

    def flush() -> None:
        nonlocal writer
        table = _table(pa, rows, image_shape, mark)
        rows.clear()
        if writer is None:
            writer = parquet.ParquetWriter(
                path, table.schema, compression="zstd", compression_level=1
            )
        writer.write_table(table, row_group_size=len(table))

    def write(first: int, samples: np.ndarray, labels: np.ndarray | None) -> None:
        rows.append((first, samples, labels))
        if len(rows) * samples.nbytes >= GROUP_BYTES:
            flush()

    try:
        yield write
        if rows:
            flush()
    finally:
        if writer is not None:
            writer.close()


def _table(
    pa: Any,
    rows: list[tuple[int, np.ndarray, np.ndarray | None]],
    image_shape: tuple[int, ...],
    mark: Mark,
) -> Any:
    samples = np.concatenate([batch for _, batch, _ in rows])
    indices = [np.arange(first, first + len(batch)) for first, batch, _ in rows]
    width = samples[0].nbytes
    values = pa.Array.from_buffers(
        pa.binary(width), len(samples), [None, pa.py_buffer(samples.tobytes())]
    )
    name = "image" if samples.dtype == np.uint8 else "sample"
    columns = {"index": pa.array(np.concatenate(indices)), name: values}
    labels = [batch for _, _, batch in rows if batch is not None]
    if labels:
        columns["label"] = pa.array(np.concatenate(labels))
    metadata = {
        "shape": " ".join(map(str, image_shape)),
        "dtype": samples.dtype.str,
        "provenance": mark.json,
    }
    return pa.table(columns, metadata=metadata)
