"""Reads MNIST's IDX files."""

import gzip
import io
import math
import struct
import zlib
from typing import BinaryIO

import numpy as np

from ganlab.errors import UserError, one_line
from ganlab.safety.bounded import check_ratio

MAX_RANK = 4
CHUNK = 1 << 20


def read_idx(file: BinaryIO, name: object) -> np.ndarray:
    """Reads one IDX file of unsigned bytes: magic, sizes, values.

    Args:
        file: The file, gzipped or not. No more is unpacked than its sizes say.
        name: What an error calls the file.

    Returns:
        Uint8 array.

    Raises:
        UserError: if it is no such file.
    """
    try:
        zipped = file.read(2) == b"\x1f\x8b"
        packed = file.seek(0, io.SEEK_END)
        file.seek(0)
        return _read(gzip.GzipFile(fileobj=file) if zipped else file, packed)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise UserError(
            f"Expected an IDX file of unsigned bytes. Received: {name} "
            f"({one_line(error)})"
        ) from error


def _read(file: BinaryIO | gzip.GzipFile, packed: int) -> np.ndarray:
    magic = file.read(4)
    zeros, kind, rank = struct.unpack(">HBB", magic)
    if zeros or kind != 8 or not 1 <= rank <= MAX_RANK:
        raise ValueError(f"magic number {magic.hex()}")
    shape = struct.unpack(f">{rank}I", file.read(4 * rank))
    size = math.prod(shape)
    check_ratio(size, packed)
    content = bytearray()
    while len(content) < size and (chunk := file.read(min(CHUNK, size - len(content)))):
        content += chunk
    if len(content) < size or file.read(1):
        less = "fewer" if len(content) < size else "more"
        raise ValueError(f"{less} bytes than the {size:,} of its sizes {shape}")
    return np.frombuffer(content, np.uint8).reshape(shape)
