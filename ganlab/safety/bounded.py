"""Reads what anybody may have written, within limits of bytes, depth and digits."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ganlab.errors import UserError, one_line

MAX_DEPTH = 64  # of lists and objects within one another
MAX_DIGITS = 40  # of an integer
MAX_JSON_BYTES = 1 << 24
MAX_LOG_BYTES = 1 << 27
MAX_LOG_NUMBERS = 10_000_000
MAX_LOG_NAMES = 10_000
MAX_LINE = 1 << 20  # characters
MAX_DIRECTORY_BYTES = 1 << 20  # of a zip file's table of contents
SMALL_BYTES = 1 << 26  # what may unpack at any ratio
MAX_RATIO = 250  # of what is unpacked to the file it lies in
BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file.

    Raises:
        ValueError: if there are more than `max_bytes`, whatever the file's size says.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"more than {max_bytes:,} bytes")
    return content


def parse_json(text: str) -> Any:
    """The value of a JSON text, which recursive functions may then walk.

    Raises:
        ValueError: if it is no JSON, is nested deeper than `MAX_DEPTH`, or holds an
            integer of more than `MAX_DIGITS` digits.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(text):
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH}")
    return _DECODER.decode(text)


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """The value of a JSON file in UTF-8.

    Raises:
        UserError: if there are more than `max_bytes`, or `parse_json` refuses it.
        OSError: if it cannot be read.
    """
    try:
        return parse_json(read_bytes(path, max_bytes).decode("utf-8-sig"))
    except ValueError as error:
        raise UserError(
            f"Expected JSON in {path}. Received: {one_line(error)}; put back the file "
            "as it was written"
        ) from error


def lines(text: str) -> Iterator[str]:
    """The lines of a text with their ends, none copied before its turn."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def check_log(numbers: int, names: int) -> None:
    """Raises `UserError` for a log that takes too much memory.

    Args:
        numbers: Integer: how many numbers it holds.
        names: Integer: under how many names.
    """
    if numbers > MAX_LOG_NUMBERS or names > MAX_LOG_NAMES:
        raise UserError(
            f"Expected a log of {MAX_LOG_NUMBERS:,} numbers under {MAX_LOG_NAMES:,} "
            "names at most. Received: one with more; leave out rows or columns"
        )


def check_ratio(unpacked: int, packed: int) -> None:
    """Raises `ValueError` for a small file that says it unpacks to a large one."""
    if unpacked > max(SMALL_BYTES, MAX_RATIO * packed):
        raise ValueError(f"{packed:,} bytes that unpack to {unpacked:,}")


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens a zip file, whose members are the bytes of the file once each at most.

    Nothing is unpacked yet. Whatever a damaged member raises within the block comes
    out as `ValueError`.

    Raises:
        ValueError: if it is no such file, or its table of contents is too large.
        OSError: if it cannot be read.
    """
    with _ShortReads(path) as file:
        size = file.seek(0, io.SEEK_END)
        try:
            with zipfile.ZipFile(file) as archive:
                if sum(info.compress_size for info in archive.infolist()) > size:
                    raise ValueError("members that lie within one another")
                yield archive
        except Exception as error:  # zipfile, zlib and NumPy have their own, and more
            raise ValueError(one_line(error)) from error


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Opens a member of `open_zip` to be read, neither encrypted nor a bomb.

    Raises:
        ValueError: if it is one, or compressed otherwise than by deflate.
    """
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} compressed otherwise than by deflate")
    check_ratio(info.file_size, info.compress_size)
    return archive.open(info)


def read_member(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    """The bytes of a member of `open_zip`; `ValueError` of more than `max_bytes`."""
    content = bytearray()
    with open_member(archive, name) as member:
        while chunk := member.read(MAX_DIRECTORY_BYTES):
            content += chunk
            if len(content) > max_bytes:
                raise ValueError(f"{name} of more than {max_bytes:,} bytes")
    return bytes(content)


class _ShortReads(io.FileIO):
    """A file of which a number in it cannot have much read at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise ValueError(f"a table of contents of {size:,} bytes")
        return super().read(-1 if size is None else size)


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of more than {MAX_DIGITS} digits")
    return int(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def _is_deep(text: str) -> bool:
    """Whether lists and objects of a JSON text lie too deep within one another."""
    depth = 0
    for token in BRACKETS.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in ("]", "}"):
            depth -= 1
    return False
