"""Reads MNIST's IDX files."""

import gzip
import struct
import zlib

import numpy as np

from ganlab.errors import UserError, one_line


def read_idx(content: bytes, name: object) -> np.ndarray:
    """Reads one IDX file of unsigned bytes: magic, sizes, values.

    Args:
        content: The file's bytes, gzipped or not.
        name: What an error calls the file.

    Returns:
        Uint8 array.

    Raises:
        UserError: if the bytes are no such file.
    """
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        zeros, kind, rank = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{rank}I", content, 4)
        if zeros or kind != 8:
            raise ValueError(f"magic number {content[:4].hex()}")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise UserError(
            f"Expected an IDX file of unsigned bytes. Received: {name} "
            f"({one_line(error)})"
        ) from error
